//! Codes of values that must be hashed: text, and whole numbers far apart.
//!
//! Each block of rows finds its own distinct values, then the blocks' lists are merged in order, so that values are
//! numbered by first appearance whatever the number of threads. A list holds row offsets instead of values: a column of
//! identifiers is almost all distinct within a block, and offsets keep its list small.

use std::sync::atomic::{AtomicU32, Ordering};

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
pub(super) const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A multiplication of both halves, folded: every input bit reaches high and low bits.
#[inline]
pub(super) fn fold(value: u128) -> u64 {
    const OTHER: u64 = 0xd6e8_feb8_6659_fd93;
    let (low, high) = (value as u64 ^ MULTIPLIER, (value >> 64) as u64 ^ OTHER);
    let product = u128::from(low).wrapping_mul(u128::from(high));
    let mixed = (product as u64 ^ (product >> 64) as u64).wrapping_mul(MULTIPLIER);
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
    // Zeros come from the system untouched, so that each thread faults in the pages that it writes.
    let mut codes = vec![0; lengths.iter().sum()];
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
    // The code that was last seen with each value of the cheap hash: a column of few values finds nearly all of them
    // here, without the table.
    const SLOTS: usize = 1024;
    let mut recent = [MISSING; SLOTS];
    let mut keys: Vec<K> = Vec::new();
    let mut seen: HashTable<u32> = HashTable::new();
    for (offset, slot) in part.codes.iter_mut().enumerate() {
        let Some(key) = get(part.first + offset) else {
            *slot = MISSING;
            continue;
        };
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
