//! Text as words that are compared and hashed as integers, in every layout of Arrow.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait, StringViewArray};
use arrow_buffer::NullBuffer;

use super::MISSING;
use super::hashed::{Key, MULTIPLIER, encode, fold};

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

/// Masks of the first bytes, by their number.
const KEPT: [u128; 16] = {
    let mut masks = [0; 16];
    let mut n = 1;
    while n < 16 {
        masks[n] = masks[n - 1] << 8 | 0xff;
        n += 1;
    }
    masks
};

impl<'a> Word<'a> {
    /// The word of a text that starts at `start` of a buffer and has `length` bytes.
    ///
    /// Without branches on the length, which in a column of names is as good as random.
    #[inline(always)]
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
        let head = read(first) & KEPT[length.min(15)] | (length.min(255) as u128) << 120;
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

    /// The text, on its own.
    pub(super) fn to_text(&self) -> String {
        String::from_utf8_lossy(self.text).into_owned()
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

/// The rows of a text chunk, whatever its layout.
pub(super) trait TextRows<'a>: Sync {
    /// The nulls, where there are any.
    fn nulls(&self) -> Option<&'a NullBuffer>;

    /// The word of a row that is not null.
    fn word(&self, row: usize) -> Word<'a>;

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
        Word::at(self.bytes, start, end - start)
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

impl<'a> TextRows<'a> for ViewText<'a> {
    fn nulls(&self) -> Option<&'a NullBuffer> {
        self.nulls
    }

    #[inline(always)]
    fn word(&self, row: usize) -> Word<'a> {
        /// Texts up to this length stand in the view itself, after four bytes of length.
        const INLINE: usize = 12;
        let view = self.views[row];
        let length = view as u32 as usize;
        let inline = length <= INLINE;
        let buffer = if inline { self.buffers.len() - 1 } else { (view >> 64) as u32 as usize };
        let start = if inline { 16 * row + 4 } else { (view >> 96) as usize };
        Word::at(self.buffers[buffer], start, length)
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
        distinct.iter().map(Word::to_text).collect()
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
