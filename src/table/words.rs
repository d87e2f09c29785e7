//! Few words with their labels, found by what they look like.

use super::hashed::MULTIPLIER;
use super::labels::MAX_LABELS;
use super::text::{Bytes, TOGETHER, TextRows, Word};

/// Slots of a table: many more than words, so that few words meet in a slot.
const SLOTS: usize = 1 << 12;

/// Hashes that are tried until no two words meet.
const HASHES: u64 = 64;

/// Room for what words look like, by their labels.
const LOOKS: usize = (MAX_LABELS + 1).next_power_of_two();

/// What stands for the label of a word that is yet to be found by all of its text; more than any label.
const UNKNOWN: u16 = 1 << 15;

/// Words that are numbered from 1, in an open table.
#[derive(Default)]
pub(super) struct Words<'t> {
    words: Vec<Word<'t>>,
    /// Labels; empty until the first word comes.
    slots: Vec<u16>,
}

impl<'t> Words<'t> {
    /// The words in the order of their labels.
    pub(super) fn as_slice(&self) -> &[Word<'t>] {
        &self.words
    }

    pub(super) fn into_vec(self) -> Vec<Word<'t>> {
        self.words
    }

    /// The label of a word, which may be new; `None` where no more words fit.
    #[inline(never)]
    pub(super) fn label(&mut self, word: Word<'t>) -> Option<u16> {
        let slot = match self.find(&word) {
            Ok(label) => return Some(label),
            Err(slot) => slot,
        };
        if self.words.len() == MAX_LABELS {
            return None;
        }
        self.slots.resize(SLOTS, 0);
        self.words.push(word);
        self.slots[slot] = self.words.len() as u16;
        Some(self.slots[slot])
    }

    /// The label of a word, or the slot where it belongs.
    #[inline(always)]
    fn find(&self, word: &Word<'t>) -> Result<u16, usize> {
        let mut slot = slot_of(word.spread());
        // Most slots are empty, so that this ends.
        loop {
            let label = self.slots.get(slot).copied().unwrap_or(0);
            match self.words.get(usize::from(label).wrapping_sub(1)) {
                None => return Err(slot),
                Some(known) if known == word => return Ok(label),
                Some(_) => slot = (slot + 1) % SLOTS,
            }
        }
    }
}

/// Words of a column, most of which are known before it is read.
pub(super) struct Known<'t> {
    words: Words<'t>,
    /// One label for each slot that some words' looks fall into.
    slots: Box<[u16; SLOTS]>,
    /// Which hash leads from a look to a slot.
    multiplier: u64,
    looks: Looks,
}

/// What words look like by their labels; where there is none, what no word looks like.
enum Looks {
    /// Where all are short.
    Views(Box<[u128; LOOKS]>),
    /// And whether these are all bytes of all words.
    Bytes(Box<[Bytes; LOOKS]>, bool),
}

impl<'t> Known<'t> {
    /// These words, with a hash by which no two meet if one is found soon.
    pub(super) fn new(words: Words<'t>) -> Self {
        let bytes = || (1..).zip(words.words.iter().map(Word::bytes));
        let mut slots = Box::new([0; SLOTS]);
        let mut place = |multiplier| {
            slots.fill(0);
            let mut meet = false;
            for (label, bytes) in bytes() {
                let slot = &mut slots[slot_of(bytes.mixed(multiplier))];
                meet |= *slot != 0;
                *slot = label;
            }
            !meet
        };
        let multipliers = || (0..HASHES).map(|hash| MULTIPLIER.wrapping_mul(2 * hash + 1));
        let multiplier = multipliers().find(|&multiplier| place(multiplier)).unwrap_or_else(|| {
            place(MULTIPLIER);
            MULTIPLIER
        });
        let looks = if bytes().all(|(_, bytes)| bytes.are_short()) {
            let mut views = Box::new([u128::MAX; LOOKS]);
            bytes().for_each(|(label, bytes)| views[usize::from(label)] = bytes.view());
            Looks::Views(views)
        } else {
            let mut all = Box::new([Bytes::NONE; LOOKS]);
            bytes().for_each(|(label, bytes)| all[usize::from(label)] = bytes);
            Looks::Bytes(all, bytes().all(|(_, bytes)| bytes.are_all()))
        };
        Self { words, slots, multiplier, looks }
    }

    /// The words in the order of their labels.
    pub(super) fn as_slice(&self) -> &[Word<'t>] {
        self.words.as_slice()
    }

    /// The label of a word, which may be new; `None` where no more words fit.
    pub(super) fn label(&mut self, word: Word<'t>) -> Option<u16> {
        self.words.label(word)
    }

    /// Labels of the words of some rows: of these, or of `new` ones after them. False if those are too many.
    pub(super) fn read(
        &self,
        rows: &impl TextRows<'t>,
        first: usize,
        new: &mut Words<'t>,
        out: &mut [u16],
    ) -> bool {
        let (mut views, mut bytes) = ([0; TOGETHER], [Bytes::NONE; TOGETHER]);
        for (start, out) in (first..).step_by(TOGETHER).zip(out.chunks_mut(TOGETHER)) {
            // What words look like is read for some of them before any is looked up: two short loops keep the processor
            // busier than a long one.
            let mut all_found = match &self.looks {
                Looks::Views(looks) => {
                    let views = rows.views(start, &mut views[..out.len()]);
                    self.look_up(looks, views, Bytes::of_view, out)
                }
                Looks::Bytes(looks, exact) => {
                    let bytes = &mut bytes[..out.len()];
                    rows.fill_bytes(start, bytes);
                    let all_found = self.look_up(looks, bytes, |bytes| bytes, out);
                    all_found & (*exact || self.are_same(rows, start, bytes, out))
                }
            };
            if let Some(nulls) = rows.nulls() {
                for (row, label) in (start..).zip(out.iter_mut()) {
                    *label = if nulls.is_null(row) { 0 } else { *label };
                }
                all_found |= !out.contains(&UNKNOWN);
            }
            if !all_found && !self.find_rest(rows, start, new, out) {
                return false;
            }
        }
        true
    }

    /// The labels of words that look like this, [`UNKNOWN`] where none does; whether all are found.
    #[inline(always)]
    fn look_up<L: Copy + PartialEq>(
        &self,
        known: &[L; LOOKS],
        looks: &[L],
        bytes: impl Fn(L) -> Bytes,
        out: &mut [u16],
    ) -> bool {
        let mut any = 0;
        let mut find = |(found, &look): (&mut u16, &L)| {
            let label = self.slots[slot_of(bytes(look).mixed(self.multiplier)) % SLOTS];
            *found = if known[usize::from(label) % LOOKS] == look { label } else { UNKNOWN };
            any |= *found;
        };
        // Several in one turn: how fast a short loop is depends on where its jump happens to lie.
        let (fours, rest) = looks.as_chunks::<4>();
        let (found, last) = out.as_chunks_mut::<4>();
        for (found, looks) in found.iter_mut().zip(fours) {
            found.iter_mut().zip(looks).for_each(&mut find);
        }
        last.iter_mut().zip(rest).for_each(find);
        any < UNKNOWN
    }

    /// Whether words that look like those of their labels are those, which are [`UNKNOWN`] if not.
    #[inline(never)]
    fn are_same(
        &self,
        rows: &impl TextRows<'t>,
        start: usize,
        bytes: &[Bytes],
        out: &mut [u16],
    ) -> bool {
        let mut all = true;
        for ((row, label), bytes) in (start..).zip(out).zip(bytes) {
            let Some(known) = self.as_slice().get(usize::from(*label).wrapping_sub(1)) else {
                continue;
            };
            if !bytes.are_all() && rows.word(row) != *known {
                *label = UNKNOWN;
                all = false;
            }
        }
        all
    }

    /// The labels that are still [`UNKNOWN`]; false if there are too many.
    #[inline(never)]
    fn find_rest(
        &self,
        rows: &impl TextRows<'t>,
        start: usize,
        new: &mut Words<'t>,
        out: &mut [u16],
    ) -> bool {
        for (row, label) in (start..).zip(out).filter(|(_, label)| **label == UNKNOWN) {
            let word = rows.word(row);
            *label = match self.words.find(&word) {
                Ok(label) => label,
                Err(_) => match new.label(word) {
                    Some(label) => self.as_slice().len() as u16 + label,
                    None => return false,
                },
            };
        }
        true
    }
}

/// The slot of a hash.
#[inline(always)]
fn slot_of(hash: u64) -> usize {
    (hash >> 52) as usize
}

#[cfg(test)]
mod tests {
    use super::super::text::ViewText;
    use super::*;
    use arrow_array::{Array, StringViewArray};

    fn labels(array: &StringViewArray, known: &Known<'_>) -> Option<(Vec<u16>, usize)> {
        let (mut new, mut out) = (Words::default(), vec![7; array.len()]);
        let few = known.read(&ViewText::of(array), 0, &mut new, &mut out);
        few.then(|| (out, new.into_vec().len()))
    }

    fn known(array: &StringViewArray) -> Known<'_> {
        let (rows, mut words) = (ViewText::of(array), Words::default());
        for row in 0..array.len() {
            assert_eq!(words.label(rows.word(row)), Some(row as u16 + 1));
        }
        Known::new(words)
    }

    #[test]
    fn words_are_found_however_many_look_or_hash_alike() {
        let alike = |k: usize| format!("alike at both ends, number {k:03}, and of one length");
        let families: [fn(usize) -> String; 3] = [
            |k| k.to_string(),
            |k| "z".repeat(k),
            |k| format!("{k:04} {}", "middle".repeat(k % 5)),
        ];
        for n in [0, 1, 12, 200, MAX_LABELS] {
            for family in families.into_iter().chain([alike as fn(usize) -> String]) {
                let words = StringViewArray::from_iter_values((0..n).map(family));
                let known = known(&words);
                let drawn =
                    StringViewArray::from_iter_values((0..3 * n).map(|i| family(i * 7 % n)));
                let expected = (0..3 * n).map(|i| (i * 7 % n) as u16 + 1).collect();
                assert_eq!(labels(&drawn, &known), Some((expected, 0)), "{n}");
            }
        }
    }

    #[test]
    fn new_words_come_after_those_known_and_null_is_none_of_them() {
        let words = StringViewArray::from_iter_values(["a", "b", ""]);
        let read =
            [Some("b"), None, Some("new"), Some(""), Some("another of many bytes"), Some("new")];
        let read = StringViewArray::from_iter(read);
        assert_eq!(labels(&read, &known(&words)), Some((vec![2, 0, 4, 3, 5, 4], 2)));
        let many = StringViewArray::from_iter_values((0..=MAX_LABELS).map(|k| k.to_string()));
        assert_eq!(labels(&many, &known(&words)), None);
    }
}
