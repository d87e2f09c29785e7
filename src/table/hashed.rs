//! Codes of values that must be hashed: text, and whole numbers far apart.
//!
//! Each block of rows finds its own distinct values, then the blocks' lists are merged in order, so that values are
//! numbered by first appearance whatever the number of threads. A list holds row offsets instead of values: a column of
//! identifiers is almost all distinct within a block, and offsets keep its list small.

use std::sync::atomic::{AtomicU32, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait, StringViewArray};
use arrow_buffer::NullBuffer;
use hashbrown::HashTable;

use super::MISSING;
use crate::parallel::{self, BLOCK};

/// A value that can be hashed, and told apart from most others by a few instructions.
pub(super) trait Key: Copy + Eq + Send + Sync {
    /// A hash whose high bits are good.
    fn hash(&self) -> u64;
    /// Eight bits that cost less than the hash.
    fn slot(&self) -> u8;
}

impl Key for i64 {
    fn hash(&self) -> u64 {
        fold(*self as u64 as u128)
    }

    fn slot(&self) -> u8 {
        slot(*self as u64)
    }
}

/// A text with an integer that tells it apart: its bytes if they are at most 15, else a hash of them.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    head: u128,
    text: &'a [u8],
}

/// Marks the head of a text that is longer than its head.
const LONG: u128 = 0xff << 120;

impl<'a> Word<'a> {
    /// The word of a text that starts at `start` of a buffer and has `length` bytes.
    #[inline]
    fn at(buffer: &'a [u8], start: usize, length: usize) -> Self {
        let text = &buffer[start..start + length];
        if let (true, Some(window)) = (length < 16, buffer.get(start..start + 16)) {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(window);
            let kept = (1_u128 << (8 * length)) - 1;
            let head = u128::from_le_bytes(bytes) & kept | (length as u128) << 120;
            return Self { head, text };
        }
        Self::new(text)
    }

    fn new(text: &'a [u8]) -> Self {
        if text.len() < 16 {
            let mut bytes = [0; 16];
            bytes[..text.len()].copy_from_slice(text);
            return Self { head: u128::from_le_bytes(bytes) | (text.len() as u128) << 120, text };
        }
        let (mut low, mut high) = (text.len() as u64, 0);
        for part in text.chunks(16) {
            let mut bytes = [0; 16];
            bytes[..part.len()].copy_from_slice(part);
            low = fold(u128::from_le_bytes(bytes) ^ u128::from(low));
            high = (high ^ low).rotate_left(23);
        }
        Self { head: u128::from(high) << 64 | u128::from(low) | LONG, text }
    }
}

impl PartialEq for Word<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && (self.head < LONG || self.text == other.text)
    }
}

impl Eq for Word<'_> {}

impl Key for Word<'_> {
    #[inline]
    fn hash(&self) -> u64 {
        fold(self.head)
    }

    #[inline]
    fn slot(&self) -> u8 {
        slot(self.head as u64 ^ ((self.head >> 64) as u64).rotate_left(32))
    }
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn slot(value: u64) -> u8 {
    (value.wrapping_mul(ODD) >> 56) as u8
}

/// A multiplication of both halves, folded: every input bit reaches high and low bits.
#[inline]
fn fold(value: u128) -> u64 {
    const OTHER: u64 = 0xd6e8_feb8_6659_fd93;
    let (low, high) = (value as u64 ^ ODD, (value >> 64) as u64 ^ OTHER);
    let product = u128::from(low).wrapping_mul(u128::from(high));
    let mixed = (product as u64 ^ (product >> 64) as u64).wrapping_mul(ODD);
    mixed ^ (low ^ high.rotate_left(17)).rotate_left(32).wrapping_mul(OTHER)
}

/// A block of rows of one chunk, with the codes that it writes.
struct Part<'c> {
    chunk: usize,
    first: usize,
    codes: &'c mut [u32],
    /// Offsets of the values that are new in the block.
    new: Vec<u16>,
    /// Positions in `new`, those of one split after those of another.
    by_split: Vec<u16>,
    /// Where each split begins in `by_split`, and the end.
    starts: Vec<usize>,
}

/// Codes of all chunks, and the distinct values in order of first appearance.
///
/// `finish` may give those another order: the new code of each.
pub(super) fn encode<K: Key, G: Fn(usize) -> Option<K> + Sync>(
    lengths: &[usize],
    readers: &[G],
    finish: impl FnOnce(&[K]) -> Option<Vec<u32>>,
) -> (Vec<u32>, Vec<K>) {
    const WORTH_SPLITTING: usize = 1 << 15;
    let mut codes = vec![MISSING; lengths.iter().sum()];
    let mut parts = Vec::with_capacity(codes.len() / BLOCK + lengths.len());
    let mut rest = codes.as_mut_slice();
    for (chunk, &length) in lengths.iter().enumerate() {
        let (mine, others) = rest.split_at_mut(length);
        rest = others;
        for (index, codes) in mine.chunks_mut(BLOCK).enumerate() {
            let (new, by_split, starts) = (Vec::new(), Vec::new(), Vec::new());
            parts.push(Part { chunk, first: index * BLOCK, codes, new, by_split, starts });
        }
    }
    parallel::update_each(&mut parts, |_, part| encode_part(part, &readers[part.chunk]));
    let n_new: usize = parts.iter().map(|part| part.new.len()).sum();
    let splits = if n_new < WORTH_SPLITTING { 1 } else { parallel::num_threads().clamp(1, 8) };
    parallel::update_each(&mut parts, |_, part| split_part(part, &readers[part.chunk], splits));
    let (merged, distinct) = merge(&parts, readers, splits);
    let order = finish(&distinct);
    let firsts = first_positions(&parts);
    parallel::update_each(&mut parts, |index, part| {
        let merged = &merged[firsts[index]..firsts[index] + part.new.len()];
        let global: Vec<u32> = match &order {
            Some(order) => merged.iter().map(|&code| order[code as usize]).collect(),
            None => merged.to_vec(),
        };
        for code in part.codes.iter_mut() {
            *code = global.get(*code as usize).copied().unwrap_or(MISSING);
        }
    });
    (codes, distinct)
}

/// The position of each part's first new value among those of all parts.
fn first_positions(parts: &[Part<'_>]) -> Vec<usize> {
    let next = |first: &mut usize, part: &Part<'_>| {
        *first += part.new.len();
        Some(*first - part.new.len())
    };
    parts.iter().scan(0, next).collect()
}

/// Numbers the values of a block by first appearance in it.
fn encode_part<K: Key>(part: &mut Part<'_>, get: &impl Fn(usize) -> Option<K>) {
    // A column of few values finds nearly all of them here, without the table.
    let mut recent: [Option<(K, u32)>; 256] = [None; 256];
    let mut seen: HashTable<(K, u32)> = HashTable::new();
    for offset in 0..part.codes.len() {
        let Some(key) = get(part.first + offset) else { continue };
        let slot = &mut recent[usize::from(key.slot())];
        if let Some((other, code)) = *slot
            && other == key
        {
            part.codes[offset] = code;
            continue;
        }
        let new = &mut part.new;
        let code = seen
            .entry(key.hash(), |(other, _)| *other == key, |(other, _)| other.hash())
            .or_insert_with(|| {
                new.push(offset as u16);
                (key, new.len() as u32 - 1)
            })
            .get()
            .1;
        *slot = Some((key, code));
        part.codes[offset] = code;
    }
}

/// Groups the new values of a block by split, each group in order of appearance.
fn split_part<K: Key>(part: &mut Part<'_>, get: &impl Fn(usize) -> Option<K>, splits: usize) {
    let mut groups = vec![Vec::new(); splits];
    for (position, &offset) in part.new.iter().enumerate() {
        // Bits that neither the buckets of a table nor its tags use.
        let hash = get(part.first + usize::from(offset)).map_or(0, |key| key.hash());
        groups[(hash >> 32 & 0xff_ffff) as usize % splits].push(position as u16);
    }
    part.starts.push(0);
    for group in groups {
        part.by_split.extend(group);
        part.starts.push(part.by_split.len());
    }
}

/// The code of every new value of every part, and the distinct values in order of first appearance.
///
/// The values are split by hash, so that threads do not share a table; the split leaves no trace in the result.
fn merge<K: Key, G: Fn(usize) -> Option<K> + Sync>(
    parts: &[Part<'_>],
    readers: &[G],
    splits: usize,
) -> (Vec<u32>, Vec<K>) {
    let firsts = first_positions(parts);
    let n_new: usize = parts.iter().map(|part| part.new.len()).sum();
    let provisional: Vec<AtomicU32> = (0..n_new).map(|_| AtomicU32::new(MISSING)).collect();
    let found: Vec<Vec<(usize, K)>> = parallel::map_tasks(splits, |split| {
        let mut seen: HashTable<(K, u32)> = HashTable::new();
        let mut distinct = Vec::new();
        for (part, &first) in parts.iter().zip(&firsts) {
            for &position in &part.by_split[part.starts[split]..part.starts[split + 1]] {
                let offset = usize::from(part.new[usize::from(position)]);
                let Some(key) = readers[part.chunk](part.first + offset) else { continue };
                let at = first + usize::from(position);
                let code = seen
                    .entry(key.hash(), |(other, _)| *other == key, |(other, _)| other.hash())
                    .or_insert_with(|| {
                        distinct.push((at, key));
                        (key, ((distinct.len() - 1) * splits + split) as u32)
                    })
                    .get()
                    .1;
                provisional[at].store(code, Ordering::Relaxed);
            }
        }
        distinct
    });
    let mut codes: Vec<u32> = provisional.into_iter().map(AtomicU32::into_inner).collect();
    let (final_code, distinct) = in_order(&found);
    parallel::fill_blocks(&mut codes, |_, block| {
        for code in block {
            *code = final_code.get(*code as usize).copied().unwrap_or(MISSING);
        }
    });
    (codes, distinct)
}

/// Numbers the distinct values of all splits by first appearance: the new code of each provisional one, and the values.
fn in_order<K: Key>(found: &[Vec<(usize, K)>]) -> (Vec<u32>, Vec<K>) {
    let splits = found.len();
    let n_distinct = found.iter().map(Vec::len).sum();
    let widest = found.iter().map(Vec::len).max().unwrap_or(0);
    let mut final_code = vec![MISSING; widest * splits];
    let mut distinct = Vec::with_capacity(n_distinct);
    let mut next = vec![0; splits];
    for code in 0..n_distinct as u32 {
        let earliest = (0..splits)
            .filter_map(|split| found[split].get(next[split]).map(|&(at, key)| (at, split, key)))
            .min_by_key(|&(at, ..)| at);
        if let Some((_, split, key)) = earliest {
            final_code[next[split] * splits + split] = code;
            next[split] += 1;
            distinct.push(key);
        }
    }
    (final_code, distinct)
}

/// Codes of text chunks of one layout, by first appearance, or in alphabetical order.
pub(super) fn encode_text(chunks: &[&ArrayRef], sorted: bool) -> Option<(Vec<u32>, Vec<String>)> {
    let first = chunks.first()?;
    if first.as_string_opt::<i32>().is_some() {
        return Some(encode_words(chunks, sorted, |chunk| offset_words(chunk.as_string::<i32>())));
    }
    if first.as_string_opt::<i64>().is_some() {
        return Some(encode_words(chunks, sorted, |chunk| offset_words(chunk.as_string::<i64>())));
    }
    first.as_string_view_opt()?;
    Some(encode_words(chunks, sorted, |chunk| view_words(chunk.as_string_view())))
}

fn encode_words<'a, G: Fn(usize) -> Option<Word<'a>> + Sync>(
    chunks: &[&'a ArrayRef],
    sorted: bool,
    reader: impl Fn(&'a ArrayRef) -> G,
) -> (Vec<u32>, Vec<String>) {
    let lengths: Vec<usize> = chunks.iter().map(|chunk| chunk.len()).collect();
    let readers: Vec<G> = chunks.iter().map(|chunk| reader(chunk)).collect();
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
    let name = |word: &Word<'_>| String::from_utf8_lossy(word.text).into_owned();
    let names = if sorted {
        order.iter().map(|&code| name(&distinct[code as usize])).collect()
    } else {
        distinct.iter().map(name).collect()
    };
    (codes, names)
}

fn nulls_of(array: &dyn Array) -> Option<&NullBuffer> {
    array.nulls().filter(|nulls| nulls.null_count() > 0)
}

fn offset_words<'a, O: OffsetSizeTrait>(
    array: &'a GenericStringArray<O>,
) -> impl Fn(usize) -> Option<Word<'a>> + Sync + use<'a, O> {
    let nulls = nulls_of(array);
    let (offsets, bytes) = (array.value_offsets(), array.value_data());
    move |row| {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
        Some(Word::at(bytes, start, end - start))
    }
}

fn view_words<'a>(array: &'a StringViewArray) -> impl Fn(usize) -> Option<Word<'a>> + Sync {
    let nulls = nulls_of(array);
    move |row| {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let view = array.views()[row];
        let length = view as u32;
        let text = array.value(row).as_bytes();
        if length <= 12 {
            // Short texts stand in the view itself, padded with zeros.
            return Some(Word { head: view >> 32 | u128::from(length) << 120, text });
        }
        Some(Word::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        type Family = (&'static str, fn(usize) -> u64);
        let families: [Family; 4] = [
            ("short", |i| Word::new(format!("C{i:08}").as_bytes()).hash()),
            ("long", |i| Word::new(format!("customer-number-{i:08}").as_bytes()).hash()),
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
        let words = ["", "\0", "\0\0", "123456789012345", "1234567890123456", "1234567890123457"];
        let words: Vec<Option<String>> = words.iter().map(|w| Some(w.to_string())).collect();
        let array: ArrayRef = Arc::new(StringArray::from(words.clone()));
        assert_eq!(encode_text(&[&array], false).unwrap(), by_plain_map(&words));
    }
}
