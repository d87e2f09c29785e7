//! Sums of rows under random weights, 32 replicates side by side.
//!
//! A weight is a whole number of 16 bits. All loops are plain ones over arrays of a known length, which the compiler turns
//! into vectors of whatever it may use; without fused multiply-add, so that the bits are the same everywhere.

use super::vector::Vector;
use super::{Kernel, Level};

/// Replicates side by side.
pub(crate) const LANES: usize = 32;

/// Weights of one unit, or counts, in each replicate.
pub(crate) type Counts = [u16; LANES];

/// Random words that one unit takes.
pub(crate) const WORDS: usize = LANES / 4;

/// For each unit and replicate the number of `thresholds` that 16 random bits have reached.
pub(crate) fn draw(bits: &[[u64; WORDS]], thresholds: &[u16; 8], counts: &mut Vec<Counts>) {
    Level::best::<f64>(usize::MAX).run(Draw { bits, thresholds, counts });
}

/// Adds weight times value to each field of `sums` in each replicate; a part is its unit and its values.
///
/// # Panics
///
/// If a unit has no weight (a bug of the caller).
pub(crate) fn add<const FIELDS: usize>(
    parts: &[(u32, [f64; FIELDS])],
    weights: &[Counts],
    sums: &mut [[f64; LANES]; FIELDS],
) {
    Level::best::<f64>(usize::MAX).run(Add { parts, weights, sums });
}

/// Sums of the weights of `units` from one of `ends` to the next, in each replicate. No weight is above 8.
///
/// # Panics
///
/// If a unit has no weight, or the ends do not ascend within `units` (bugs of the caller).
pub(crate) fn count(units: &[u32], ends: &[usize], weights: &[Counts]) -> Vec<[u32; LANES]> {
    let mut counts = vec![[0; LANES]; ends.len()];
    Level::best::<f64>(usize::MAX).run(Count { units, ends, weights, counts: &mut counts });
    counts
}

struct Draw<'a> {
    bits: &'a [[u64; WORDS]],
    thresholds: &'a [u16; 8],
    counts: &'a mut Vec<Counts>,
}

impl Kernel for Draw<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        for words in self.bits {
            let mut bits = [0u16; LANES];
            for word in 0..WORDS {
                for part in 0..4 {
                    bits[4 * word + part] = (words[word] >> (16 * part)) as u16;
                }
            }
            let mut count = [0u16; LANES];
            for threshold in 0..8 {
                for lane in 0..LANES {
                    count[lane] += u16::from(bits[lane] >= self.thresholds[threshold]);
                }
            }
            self.counts.push(count);
        }
    }
}

struct Add<'a, const FIELDS: usize> {
    parts: &'a [(u32, [f64; FIELDS])],
    weights: &'a [Counts],
    sums: &'a mut [[f64; LANES]; FIELDS],
}

/// Fields and replicates whose sums stay in registers.
const TILE_FIELDS: usize = 4;
const TILE_LANES: usize = 8;

impl<const FIELDS: usize> Kernel for Add<'_, FIELDS> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let Self { parts, weights, sums } = self;
        for first_lane in (0..LANES).step_by(TILE_LANES) {
            for first_field in (0..FIELDS).step_by(TILE_FIELDS) {
                let n_fields = TILE_FIELDS.min(FIELDS - first_field);
                let mut tile = [[0.0; TILE_LANES]; TILE_FIELDS];
                for (unit, values) in parts {
                    let weights = &weights[*unit as usize];
                    let mut own = [0.0; TILE_LANES];
                    for lane in 0..TILE_LANES {
                        own[lane] = f64::from(weights[first_lane + lane]);
                    }
                    for field in 0..TILE_FIELDS {
                        let at = first_field + field;
                        let value = if at < FIELDS { values[at] } else { 0.0 };
                        for lane in 0..TILE_LANES {
                            tile[field][lane] += own[lane] * value;
                        }
                    }
                }
                for field in 0..n_fields {
                    for lane in 0..TILE_LANES {
                        sums[first_field + field][first_lane + lane] += tile[field][lane];
                    }
                }
            }
        }
    }
}

struct Count<'a> {
    units: &'a [u32],
    ends: &'a [usize],
    weights: &'a [Counts],
    counts: &'a mut [[u32; LANES]],
}

/// So many weights of 8 fit 16 bits.
const FEW: usize = 8191;

impl Kernel for Count<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let mut start = 0;
        for at in 0..self.ends.len() {
            let end = self.ends[at];
            let counts = &mut self.counts[at];
            for units in self.units[start..end].chunks(FEW) {
                let mut few = [0u16; LANES];
                for &unit in units {
                    let weights = &self.weights[unit as usize];
                    for lane in 0..LANES {
                        few[lane] = few[lane].wrapping_add(weights[lane]);
                    }
                }
                for lane in 0..LANES {
                    counts[lane] += u32::from(few[lane]);
                }
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(seed: u64) -> impl Iterator<Item = u64> {
        let step = |state: u64| {
            Some(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            )
        };
        std::iter::successors(step(seed), move |&state| step(state)).map(|state| state >> 20)
    }

    #[test]
    fn sums_and_counts_are_those_of_the_definition() {
        let n = 20_000;
        let mut next = numbers(3);
        let mut number = || next.next().unwrap_or(0);
        let weights: Vec<Counts> =
            (0..50).map(|_| std::array::from_fn(|_| (number() % 9) as u16)).collect();
        let units: Vec<u32> = (0..n).map(|_| (number() % 50) as u32).collect();
        let ends = [0, 3, 3, 19_000, n];
        let counts = count(&units, &ends, &weights);
        let parts: Vec<(u32, [f64; 5])> = units
            .iter()
            .map(|&unit| (unit, std::array::from_fn(|_| (number() % 1000) as f64)))
            .collect();
        let mut sums = [[1.0; LANES]; 5];
        add(&parts, &weights, &mut sums);
        for lane in 0..LANES {
            let mut start = 0;
            for (&end, counts) in ends.iter().zip(&counts) {
                let own = units[start..end].iter().map(|&u| u32::from(weights[u as usize][lane]));
                assert_eq!(counts[lane], own.sum::<u32>());
                start = end;
            }
            for field in 0..5 {
                // Whole numbers, so that the order of additions does not matter.
                let own =
                    parts.iter().map(|(u, v)| f64::from(weights[*u as usize][lane]) * v[field]);
                assert_eq!(sums[field][lane], 1.0 + own.sum::<f64>());
            }
        }
    }
}
