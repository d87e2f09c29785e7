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
    /// A cheaper hash, of which the high bits count.
    fn mixed(&self) -> u64;
}

impl Key for i64 {
    fn hash(&self) -> u64 {
        fold(*self as u64 as u128)
    }

    #[inline]
    fn mixed(&self) -> u64 {
        (*self as u64).wrapping_mul(MULTIPLIER)
    }
}

/// An odd number whose bits look random (the golden ratio).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A text with its first 15 and its last 16 bytes at hand: up to 31 bytes it is compared as two integers.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    /// The first 15 bytes, and the length in the last byte; 255 stands for all lengths from there on.
    head: u128,
    /// The last 16 bytes of a text that has as many, else 0.
    tail: u128,
    text: &'a [u8],
}

/// Length from which head and tail do not hold the whole text.
const LONG: usize = 32;

impl<'a> Word<'a> {
    /// The word of a text that starts at `start` of a buffer and has `length` bytes.
    ///
    /// Without branches on the length, which in a column of names is as good as random.
    #[inline]
    fn at(buffer: &'a [u8], start: usize, length: usize) -> Self {
        let text = &buffer[start..start + length];
        let end = start + length.max(16);
        let (Some(first), Some(last)) = (buffer.get(start..start + 16), buffer.get(end - 16..end))
        else {
            return Self::new(text);
        };
        let read = |window: &[u8]| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(window);
            u128::from_le_bytes(bytes)
        };
        let kept = (1_u128 << (8 * length.min(15))) - 1;
        let head = read(first) & kept | (length.min(255) as u128) << 120;
        let tail = read(last) & 0_u128.wrapping_sub(u128::from(length >= 16));
        Self { head, tail, text }
    }

    /// The word of a text at the end of its buffer.
    fn new(text: &'a [u8]) -> Self {
        let mut bytes = [0; 16];
        let n = text.len().min(15);
        bytes[..n].copy_from_slice(&text[..n]);
        let head = u128::from_le_bytes(bytes) | (text.len().min(255) as u128) << 120;
        let tail = text.last_chunk::<16>().map_or(0, |bytes| u128::from_le_bytes(*bytes));
        Self { head, tail, text }
    }
}

impl PartialEq for Word<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head
            && self.tail == other.tail
            && (self.text.len() < LONG || self.text == other.text)
    }
}

impl Eq for Word<'_> {}

impl Key for Word<'_> {
    #[inline]
    fn hash(&self) -> u64 {
        let mut hash = fold(self.head ^ u128::from(fold(self.tail)));
        if self.text.len() >= LONG {
            for part in self.text.chunks(16) {
                let mut bytes = [0; 16];
                bytes[..part.len()].copy_from_slice(part);
                hash = fold(u128::from_le_bytes(bytes) ^ u128::from(hash));
            }
        }
        hash
    }

    #[inline]
    fn mixed(&self) -> u64 {
        let halves = |value: u128| value as u64 ^ ((value >> 64) as u64).rotate_left(31);
        (halves(self.head) ^ halves(self.tail).rotate_left(17)).wrapping_mul(MULTIPLIER)
    }
}

/// A multiplication of both halves, folded: every input bit reaches the high bits.
#[inline]
fn fold(value: u128) -> u64 {
    const A: u64 = MULTIPLIER;
    const B: u64 = 0xd6e8_feb8_6659_fd93;
    let (low, high) = (value as u64 ^ A, (value >> 64) as u64 ^ B);
    let product = u128::from(low).wrapping_mul(u128::from(high | 1));
    let mixed = (product as u64 ^ (product >> 64) as u64).wrapping_mul(A);
    mixed ^ low.rotate_left(32).wrapping_mul(B)
}

/// A block of rows of one chunk, with the codes that it writes and the offsets of the values that are new in it.
struct Part<'c> {
    chunk: usize,
    first: usize,
    codes: &'c mut [u32],
    new: Vec<u16>,
}

/// Codes of all chunks and, per distinct value in order of first appearance, its chunk and row.
pub(super) fn encode<K: Key, G: Fn(usize) -> Option<K> + Sync>(
    lengths: &[usize],
    readers: &[G],
    finish: impl FnOnce(&[K]) -> Option<Vec<u32>>,
) -> (Vec<u32>, Vec<K>) {
    let mut codes = vec![MISSING; lengths.iter().sum()];
    let mut parts = Vec::with_capacity(codes.len() / BLOCK + lengths.len());
    let mut rest = codes.as_mut_slice();
    for (chunk, &length) in lengths.iter().enumerate() {
        let (mine, others) = rest.split_at_mut(length);
        rest = others;
        for (index, codes) in mine.chunks_mut(BLOCK).enumerate() {
            parts.push(Part { chunk, first: index * BLOCK, codes, new: Vec::new() });
        }
    }
    parallel::update_each(&mut parts, |_, part| encode_part(part, &readers[part.chunk]));
    let (merged, distinct) = merge(&parts, readers);
    let order = finish(&distinct);
    let mut firsts = Vec::with_capacity(parts.len());
    let mut first = 0;
    for part in &parts {
        firsts.push(first);
        first += part.new.len();
    }
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

/// Numbers the values of a block by first appearance in it.
fn encode_part<K: Key>(part: &mut Part<'_>, get: &impl Fn(usize) -> Option<K>) {
    // The code that was last seen with each value of the cheap hash: a column of few values finds nearly all of them
    // here, without the table.
    const SLOTS: usize = 1024;
    let mut recent = [MISSING; SLOTS];
    let mut keys: Vec<K> = Vec::new();
    let mut seen: HashTable<u32> = HashTable::new();
    for (offset, slot) in part.codes.iter_mut().enumerate() {
        let Some(key) = get(part.first + offset) else { continue };
        let recent = &mut recent[(key.mixed() >> 54) as usize % SLOTS];
        if keys.get(*recent as usize).is_some_and(|known| *known == key) {
            *slot = *recent;
            continue;
        }
        let hash = key.hash();
        let known = seen.find(hash, |&code| keys[code as usize] == key).copied();
        let code = known.unwrap_or_else(|| {
            let code = keys.len() as u32;
            seen.insert_unique(hash, code, |&code| keys[code as usize].hash());
            keys.push(key);
            part.new.push(offset as u16);
            code
        });
        (*recent, *slot) = (code, code);
    }
}

/// The code of every new value of every part, and the distinct values in order of first appearance.
///
/// The values are split by hash, so that threads do not share a table; the split leaves no trace in the result.
fn merge<K: Key, G: Fn(usize) -> Option<K> + Sync>(
    parts: &[Part<'_>],
    readers: &[G],
) -> (Vec<u32>, Vec<K>) {
    const WORTH_SPLITTING: usize = 1 << 15;
    let total: usize = parts.iter().map(|part| part.new.len()).sum();
    let splits = if total < WORTH_SPLITTING { 1 } else { parallel::num_threads().clamp(1, 8) };
    let provisional: Vec<AtomicU32> = (0..total).map(|_| AtomicU32::new(MISSING)).collect();
    let found: Vec<Vec<(usize, K)>> = parallel::map_tasks(splits, |split| {
        let mut seen: HashTable<(K, u32)> = HashTable::new();
        let mut distinct = Vec::new();
        let mut position = 0;
        for part in parts {
            for &offset in &part.new {
                let at = position;
                position += 1;
                let Some(key) = readers[part.chunk](part.first + usize::from(offset)) else {
                    continue;
                };
                let hash = key.hash();
                // Bits that the table's buckets do not use.
                if splits > 1 && (hash >> 32 & 0xff_ffff) as usize % splits != split {
                    continue;
                }
                let code = seen
                    .entry(hash, |(other, _)| *other == key, |(other, _)| other.hash())
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
    let mut codes: Vec<u32> = provisional.into_iter().map(AtomicU32::into_inner).collect();
    if splits > 1 {
        parallel::fill_blocks(&mut codes, |_, block| {
            for code in block {
                *code = final_code.get(*code as usize).copied().unwrap_or(MISSING);
            }
        });
    }
    (codes, distinct)
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
    /// Texts up to this length stand in the view itself, after four bytes of length.
    const INLINE: usize = 12;
    let nulls = nulls_of(array);
    let views = array.views();
    // The views come last among the buffers, so that both kinds of text are read alike.
    let mut buffers: Vec<&[u8]> = array.data_buffers().iter().map(|b| b.as_slice()).collect();
    let n_buffers = buffers.len();
    buffers.push(views.inner().as_slice());
    move |row| {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let view = views[row];
        let length = view as u32 as usize;
        let inline = length <= INLINE;
        let buffer = if inline { n_buffers } else { (view >> 64) as u32 as usize };
        let start = if inline { 16 * row + 4 } else { (view >> 96) as usize };
        Some(Word::at(buffers[buffer], start, length))
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
