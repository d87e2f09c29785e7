//! Text as words that are compared and hashed as integers, in every layout of Arrow.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait, StringViewArray};
use arrow_buffer::NullBuffer;

use super::MISSING;
use super::hashed::{Key, MULTIPLIER, encode, fold};

/// Some bytes of a text as integers, which tell texts of up to 20 bytes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes {
    /// The length in the low half, the first four bytes in the high one.
    head: u64,
    /// The next eight bytes.
    middle: u64,
    /// The last eight bytes of a text of more than 12, else 0.
    tail: u64,
}

/// A text with some of its bytes at hand.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    bytes: Bytes,
    text: &'a [u8],
}

/// Most bytes that stand in head and middle, and in Arrow's views themselves.
const SHORT: usize = 12;

/// Most bytes that head, middle and tail hold.
const EXACT: usize = 20;

/// Masks of the first bytes, by their number.
const KEPT: [u128; SHORT + 1] = {
    let mut masks = [0; SHORT + 1];
    let mut n = 1;
    while n <= SHORT {
        masks[n] = masks[n - 1] << 8 | 0xff;
        n += 1;
    }
    masks
};

/// Eight bytes as an integer; 0 where there are no eight.
#[inline(always)]
fn eight(bytes: &[u8], start: usize) -> u64 {
    let window = bytes.get(start..).and_then(|rest| rest.first_chunk());
    window.map_or(0, |window| u64::from_le_bytes(*window))
}

impl Bytes {
    /// What no text has.
    pub(super) const NONE: Self = Self { head: u64::MAX, middle: 0, tail: 0 };

    /// Those of the text between two places of a buffer.
    ///
    /// Without branches on the length, which in a column of names is as good as random.
    #[inline(always)]
    fn between(bytes: &[u8], start: usize, end: usize) -> Self {
        let Some(window) = bytes.get(start..).and_then(|rest| rest.first_chunk()) else {
            return Self::new(bytes.get(start..end).unwrap_or_default());
        };
        let last = eight(bytes, end.saturating_sub(8));
        Self::of(u128::from_le_bytes(*window), last, end.saturating_sub(start))
    }

    /// Those of a text at the end of its buffer.
    #[cold]
    fn new(text: &[u8]) -> Self {
        let mut window = [0; 16];
        let n = text.len().min(SHORT);
        window[..n].copy_from_slice(&text[..n]);
        let last = eight(text, text.len().saturating_sub(8));
        Self::of(u128::from_le_bytes(window), last, text.len())
    }

    /// Those of a text of some length, from the first bytes from its start on, and the last eight before its end.
    #[inline(always)]
    fn of(first: u128, last: u64, length: usize) -> Self {
        let first = first & KEPT[length.min(SHORT)];
        Self {
            head: length.min(u32::MAX as usize) as u64 | (first as u64) << 32,
            middle: (first >> 32) as u64,
            tail: if length > SHORT { last } else { 0 },
        }
    }

    /// Whether these are all bytes of the text.
    #[inline(always)]
    pub(super) fn are_all(self) -> bool {
        self.head as u32 as usize <= EXACT
    }

    /// Those of a short text whose view this is.
    #[inline(always)]
    pub(super) fn of_view(view: u128) -> Self {
        Self { head: view as u64, middle: (view >> 64) as u64, tail: 0 }
    }

    /// The view of a text if it is short; else what is the view of no short text.
    #[inline(always)]
    pub(super) fn view(self) -> u128 {
        u128::from(self.head) | u128::from(self.middle) << 64
    }

    /// Whether the view is all of the text.
    #[inline(always)]
    pub(super) fn are_short(self) -> bool {
        self.head as u32 as usize <= SHORT
    }

    /// A cheap hash, of which the high bits count; which one, an odd number tells.
    #[inline(always)]
    pub(super) fn mixed(self, multiplier: u64) -> u64 {
        let first = (self.head ^ self.middle.rotate_left(32)).wrapping_mul(multiplier);
        first ^ self.tail.wrapping_mul(multiplier.rotate_left(32) | 1)
    }
}

impl Word<'_> {
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes
    }

    /// A cheap hash of all bytes, of which the high bits count; two words that it confuses are still told apart.
    #[inline(always)]
    pub(super) fn spread(&self) -> u64 {
        if self.bytes.are_all() { self.bytes.mixed(MULTIPLIER) } else { self.hash() }
    }

    /// The text, on its own.
    pub(super) fn to_text(self) -> String {
        String::from_utf8_lossy(self.text).into_owned()
    }
}

impl PartialEq for Word<'_> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && (self.bytes.are_all() || self.text == other.text)
    }
}

impl Eq for Word<'_> {}

impl Key for Word<'_> {
    #[inline]
    fn hash(&self) -> u64 {
        let halves = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
        let Bytes { head, middle, tail } = self.bytes;
        let mut hash = fold(halves(head, middle ^ fold(halves(tail, 0))));
        if self.text.len() > EXACT {
            for part in self.text.chunks(16) {
                let mut bytes = [0; 16];
                bytes[..part.len()].copy_from_slice(part);
                hash = fold(u128::from_le_bytes(bytes) ^ u128::from(hash));
            }
        }
        hash
    }

    #[inline(always)]
    fn mixed(&self) -> u64 {
        self.bytes.mixed(MULTIPLIER)
    }
}

/// Words whose bytes are read before any is looked up.
pub(super) const TOGETHER: usize = 128;

/// The rows of a text chunk, whatever its layout.
pub(super) trait TextRows<'a>: Sync {
    /// The nulls, where there are any.
    fn nulls(&self) -> Option<&'a NullBuffer>;

    /// The word of a row that is not null.
    fn word(&self, row: usize) -> Word<'a>;

    /// The bytes of a row's word; of a row that is null, any.
    fn bytes(&self, row: usize) -> Bytes;

    /// The bytes of the words of the rows from `first` on, at most [`TOGETHER`].
    #[inline(always)]
    fn fill_bytes(&self, first: usize, out: &mut [Bytes]) {
        for (row, bytes) in (first..).zip(out) {
            *bytes = self.bytes(row);
        }
    }

    /// The views of the words of the rows from `first` on, as many as there is space; of a word that is not short, what
    /// is the view of no short one.
    #[inline(always)]
    fn views<'s>(&'s self, first: usize, space: &'s mut [u128]) -> &'s [u128] {
        for (row, view) in (first..).zip(space.iter_mut()) {
            *view = self.bytes(row).view();
        }
        space
    }

    /// The word of a row, `None` where it is null.
    #[inline(always)]
    fn get(&self, row: usize) -> Option<Word<'a>> {
        match self.nulls() {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.word(row)),
        }
    }
}

/// Texts side by side, each from one offset to the next.
pub(super) struct OffsetText<'a, O> {
    nulls: Option<&'a NullBuffer>,
    offsets: &'a [O],
    bytes: &'a [u8],
}

impl<'a, O: OffsetSizeTrait> OffsetText<'a, O> {
    pub(super) fn of(array: &'a GenericStringArray<O>) -> Self {
        Self { nulls: nulls_of(array), offsets: array.value_offsets(), bytes: array.value_data() }
    }
}

impl<'a, O: OffsetSizeTrait> TextRows<'a> for OffsetText<'a, O> {
    fn nulls(&self) -> Option<&'a NullBuffer> {
        self.nulls
    }

    #[inline(always)]
    fn word(&self, row: usize) -> Word<'a> {
        let (start, end) = (self.offsets[row].as_usize(), self.offsets[row + 1].as_usize());
        Word { bytes: self.bytes(row), text: self.bytes.get(start..end).unwrap_or_default() }
    }

    #[inline(always)]
    fn bytes(&self, row: usize) -> Bytes {
        let (start, end) = (self.offsets[row].as_usize(), self.offsets[row + 1].as_usize());
        Bytes::between(self.bytes, start, end)
    }
}

/// Texts that views point at; short ones stand in the view itself.
pub(super) struct ViewText<'a> {
    nulls: Option<&'a NullBuffer>,
    views: &'a [u128],
    /// The views come last among the buffers, so that both kinds of text are read alike.
    buffers: Vec<&'a [u8]>,
}

impl<'a> ViewText<'a> {
    pub(super) fn of(array: &'a StringViewArray) -> Self {
        let views = array.views();
        let data = array.data_buffers().iter().map(|buffer| buffer.as_slice());
        let buffers = data.chain([views.inner().as_slice()]).collect();
        Self { nulls: nulls_of(array), views, buffers }
    }
}

impl<'a> ViewText<'a> {
    /// The buffer that holds the text of a view, where the text starts in it, and its length.
    #[inline(always)]
    fn place(&self, row: usize, view: u128) -> (&'a [u8], usize, usize) {
        let length = view as u32 as usize;
        let is_short = length <= SHORT;
        let buffer = if is_short { self.buffers.len() - 1 } else { (view >> 64) as u32 as usize };
        let start = if is_short { 16 * row + 4 } else { (view >> 96) as usize };
        (self.buffers.get(buffer).copied().unwrap_or_default(), start, length)
    }
}

impl<'a> TextRows<'a> for ViewText<'a> {
    fn nulls(&self) -> Option<&'a NullBuffer> {
        self.nulls
    }

    #[inline(always)]
    fn word(&self, row: usize) -> Word<'a> {
        let (bytes, start, length) = self.place(row, self.views[row]);
        let text = bytes.get(start..start + length).unwrap_or_default();
        Word { bytes: self.bytes(row), text }
    }

    #[inline(always)]
    fn bytes(&self, row: usize) -> Bytes {
        let view = self.views[row];
        let (bytes, start, length) = self.place(row, view);
        let is_short = length <= SHORT;
        // Of a short text the view holds all, and what is read is any eight bytes.
        let last = eight(bytes, if is_short { start } else { start + length - 8 });
        Bytes {
            head: view as u64,
            middle: if is_short { (view >> 64) as u64 } else { eight(bytes, start + 4) },
            tail: if is_short { 0 } else { last },
        }
    }

    #[inline(always)]
    fn views<'s>(&'s self, first: usize, space: &'s mut [u128]) -> &'s [u128] {
        &self.views[first..first + space.len()]
    }

    /// First all as if they were short, then the long ones, whose places were noted without a branch: where lengths are
    /// mixed, a branch on them is guessed wrong again and again.
    #[inline(always)]
    fn fill_bytes(&self, first: usize, out: &mut [Bytes]) {
        let (mut long, mut n_long) = ([0_u8; TOGETHER], 0);
        for ((at, bytes), &view) in (0..).zip(out.iter_mut()).zip(&self.views[first..]) {
            *bytes = Bytes { head: view as u64, middle: (view >> 64) as u64, tail: 0 };
            long[n_long % TOGETHER] = at;
            n_long += usize::from(view as u32 as usize > SHORT);
        }
        for &at in &long[..n_long.min(TOGETHER)] {
            let Some(bytes) = out.get_mut(usize::from(at)) else { continue };
            let (length, buffer) = (bytes.head as u32 as usize, bytes.middle as u32 as usize);
            let start = (bytes.middle >> 32) as usize;
            let buffer = self.buffers.get(buffer).copied().unwrap_or_default();
            let text = buffer.get(start + 4..start + length).unwrap_or_default();
            bytes.middle = text.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
            bytes.tail = text.last_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
        }
    }
}

fn nulls_of(array: &dyn Array) -> Option<&NullBuffer> {
    array.nulls().filter(|nulls| nulls.null_count() > 0)
}

/// Codes of text chunks of one layout, by first appearance, or in alphabetical order.
pub(super) fn encode_text(chunks: &[&ArrayRef], sorted: bool) -> Option<(Vec<u32>, Vec<String>)> {
    let first = chunks.first()?;
    if first.as_string_opt::<i32>().is_some() {
        return Some(encode_words(chunks, sorted, |chunk| {
            OffsetText::of(chunk.as_string::<i32>())
        }));
    }
    if first.as_string_opt::<i64>().is_some() {
        return Some(encode_words(chunks, sorted, |chunk| {
            OffsetText::of(chunk.as_string::<i64>())
        }));
    }
    first.as_string_view_opt()?;
    Some(encode_words(chunks, sorted, |chunk| ViewText::of(chunk.as_string_view())))
}

fn encode_words<'a, T: TextRows<'a>>(
    chunks: &[&'a ArrayRef],
    sorted: bool,
    rows_of: impl Fn(&'a ArrayRef) -> T,
) -> (Vec<u32>, Vec<String>) {
    let lengths: Vec<usize> = chunks.iter().map(|chunk| chunk.len()).collect();
    let chunks: Vec<T> = chunks.iter().map(|chunk| rows_of(chunk)).collect();
    let readers: Vec<_> = chunks.iter().map(|chunk| |row| chunk.get(row)).collect();
    let mut order = Vec::new();
    let (codes, distinct) = encode(&lengths, &readers, |distinct| {
        if !sorted {
            return None;
        }
        order = (0..distinct.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| distinct[a as usize].text.cmp(distinct[b as usize].text));
        let mut new_code = vec![MISSING; distinct.len()];
        for (new, &old) in order.iter().enumerate() {
            new_code[old as usize] = new as u32;
        }
        Some(new_code)
    });
    let names = if sorted {
        order.iter().map(|&code| distinct[code as usize].to_text()).collect()
    } else {
        distinct.iter().map(|word| word.to_text()).collect()
    };
    (codes, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use arrow_array::{LargeStringArray, StringArray};
    use std::collections::HashMap;
    use std::sync::Arc;

    fn by_plain_map(words: &[Option<String>]) -> (Vec<u32>, Vec<String>) {
        let (mut seen, mut distinct) = (HashMap::new(), Vec::new());
        let codes = words
            .iter()
            .map(|word| match word {
                None => MISSING,
                Some(word) => *seen.entry(word.clone()).or_insert_with(|| {
                    distinct.push(word.clone());
                    distinct.len() as u32 - 1
                }),
            })
            .collect();
        (codes, distinct)
    }

    #[test]
    fn every_layout_and_thread_count_numbers_words_as_a_plain_map_does() {
        for n_distinct in [1, 7, 977, 60_000] {
            let words: Vec<Option<String>> = (0..70_000_usize)
                .map(|i| {
                    let id = i * 7919 % n_distinct;
                    let padding = "x".repeat(id % 19);
                    (i % 11 != 3).then(|| format!("{padding}{id}"))
                })
                .collect();
            let expected = by_plain_map(&words);
            let arrays: [ArrayRef; 3] = [
                Arc::new(StringArray::from(words.clone())),
                Arc::new(LargeStringArray::from(words.clone())),
                Arc::new(StringViewArray::from_iter(words.clone())),
            ];
            for array in &arrays {
                for threads in [1, 2, 5] {
                    parallel::set_num_threads(threads);
                    let whole = encode_text(&[array], false).unwrap();
                    let (head, tail) = (array.slice(0, 12_345), array.slice(12_345, 57_655));
                    let chunked = encode_text(&[&head, &tail], false).unwrap();
                    parallel::set_num_threads(0);
                    assert!(whole == expected, "{:?} {threads}", array.data_type());
                    assert!(chunked == expected, "{:?} {threads} chunks", array.data_type());
                }
                let (codes, names) = encode_text(&[array], true).unwrap();
                assert!(names.is_sorted());
                let named = |code: u32| names.get(code as usize).cloned();
                assert!(codes.iter().zip(&words).all(|(&code, word)| named(code) == *word));
            }
        }
    }

    #[test]
    fn hashes_of_like_words_and_numbers_spread() {
        const N: usize = 1 << 16;
        fn hash(text: &str) -> u64 {
            Word { bytes: Bytes::new(text.as_bytes()), text: text.as_bytes() }.hash()
        }
        type Family = (&'static str, fn(usize) -> u64);
        let families: [Family; 4] = [
            ("short", |i| hash(&format!("C{i:08}"))),
            ("long", |i| hash(&format!("customer-number-{i:08}"))),
            ("numbers", |i| (i as i64).hash()),
            ("multiples", |i| ((i as i64) << 40).hash()),
        ];
        for (name, hash) in families {
            let hashes: Vec<u64> = (0..N).map(hash).collect();
            let distinct = |f: &dyn Fn(u64) -> u64| {
                hashes.iter().map(|&h| f(h)).collect::<std::collections::HashSet<_>>().len()
            };
            assert_eq!(distinct(&|h| h), N, "{name}");
            // No fewer buckets than a random function would fill, of its low, middle and high bits; like numbers may
            // spread more evenly than chance would.
            let expected = N as f64 * (1.0 - (-1.0_f64).exp());
            for shift in [0, 32, 48] {
                let filled = distinct(&|h| h >> shift & 0xffff) as f64;
                assert!(filled > 0.98 * expected, "{name} {shift} {filled}");
            }
        }
    }

    #[test]
    fn words_that_share_a_head_are_kept_apart() {
        let mut words: Vec<Option<String>> =
            ["", "\0", "\0\0"].iter().map(|word| Some(word.to_string())).collect();
        // Texts that differ in one byte, at every place and around the lengths where the comparison changes.
        for length in [11, 12, 13, 15, 16, 17, 30, 31, 32, 33, 47, 254, 255, 256, 300] {
            let text = "a".repeat(length);
            words.push(Some(text.clone()));
            words.extend((0..length).map(|at| {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = b'b';
                String::from_utf8(bytes).ok()
            }));
        }
        let arrays: [ArrayRef; 2] = [
            Arc::new(StringArray::from(words.clone())),
            Arc::new(StringViewArray::from_iter(words.clone())),
        ];
        for array in &arrays {
            assert_eq!(encode_text(&[array], false).unwrap(), by_plain_map(&words));
        }
    }
}
