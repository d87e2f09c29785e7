//! Yes and no of many customers as bits, the customers of each segment beside each other.
//!
//! Every segment begins on a word of its own, so that the customers of a segment are a slice of words: counting those with a
//! trait inside and outside of a segment needs no mask.

use std::ops::Range;

use crate::simd;

/// Where the customers of each segment stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Segments {
    /// Place of each customer.
    place: Vec<u32>,
    /// Words of each segment.
    words: Vec<Range<usize>>,
    n_words: usize,
}

/// One bit per customer.
pub type Bits = Vec<u64>;

impl Segments {
    /// The places of customers with these segments, of which there are `k`.
    pub fn new(labels: &[u32], k: usize) -> Self {
        let mut sizes = vec![0_usize; k];
        labels.iter().for_each(|&label| sizes[label as usize] += 1);
        let mut words = Vec::with_capacity(k);
        let mut first = 0;
        for size in &sizes {
            words.push(first..first + size.div_ceil(64));
            first += size.div_ceil(64);
        }
        let mut next: Vec<usize> = words.iter().map(|range| range.start * 64).collect();
        let place = labels
            .iter()
            .map(|&label| {
                let at = next[label as usize];
                next[label as usize] += 1;
                at as u32
            })
            .collect();
        Self { place, words, n_words: first }
    }

    /// The bits of customers for whom `holds`.
    pub fn bits(&self, holds: impl Fn(usize) -> bool) -> Bits {
        let mut bits = vec![0_u64; self.n_words];
        for (row, &place) in self.place.iter().enumerate() {
            bits[place as usize / 64] |= u64::from(holds(row)) << (place % 64);
        }
        bits
    }

    /// The bits of the customers at each of `n` levels; those at no level below `n` have none.
    pub fn bits_of_levels(&self, levels: &[u32], n: usize) -> Vec<Bits> {
        let mut bits = vec![vec![0_u64; self.n_words]; n];
        for (&level, &place) in levels.iter().zip(&self.place) {
            if let Some(bits) = bits.get_mut(level as usize) {
                bits[place as usize / 64] |= 1 << (place % 64);
            }
        }
        bits
    }

    /// The words of a segment.
    pub fn of(&self, segment: usize) -> Range<usize> {
        self.words[segment].clone()
    }

    /// Number of words.
    pub fn n_words(&self) -> usize {
        self.n_words
    }

    /// Customers with a bit: inside of a segment, and outside.
    pub fn count(&self, segment: usize, bits: &[u64]) -> (usize, usize) {
        let range = self.of(segment);
        let inside = simd::ones(&bits[range.clone()]);
        (inside, simd::ones(&bits[..range.start]) + simd::ones(&bits[range.end..]))
    }

    /// Customers with both bits: inside of a segment, and outside.
    pub fn count_both(&self, segment: usize, one: &[u64], other: &[u64]) -> (usize, usize) {
        let range = self.of(segment);
        let (start, end) = (range.start, range.end);
        let inside = simd::ones_of_both(&one[range.clone()], &other[range]);
        let before = simd::ones_of_both(&one[..start], &other[..start]);
        (inside, before + simd::ones_of_both(&one[end..], &other[end..]))
    }
}

/// The bits that both have.
pub(super) fn both(one: &[u64], other: &[u64]) -> Bits {
    one.iter().zip(other).map(|(a, b)| a & b).collect()
}
