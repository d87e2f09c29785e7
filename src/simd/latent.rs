//! Latent classes: posteriors of rows of categories, and what they add to the tables, in one pass.
//!
//! A row costs one load and one multiplication per column and vector of classes, a logarithm (eight rows at a time) and one
//! addition to memory per column and vector. There are no exponentials: probabilities are multiplied as they are, and only a
//! row whose product would underflow goes through logarithms. The pass is bound by the additions to memory.
//!
//! The lanes are plain arrays that the compiler turns into vectors; nothing is fused or reordered, so that every
//! instruction set gives the same bits.

use super::vector::Vector;
use super::{Kernel, Level};

/// Most classes that a pass takes.
pub(crate) const MAX_CLASSES: usize = 64;

/// Below this a density may have lost digits.
const TINY: f64 = 1e-280;

/// Lanes for `k` classes: 4, 8, 16, 32 or 64.
pub(crate) fn padded(k: usize) -> usize {
    k.next_power_of_two().clamp(4, MAX_CLASSES)
}

/// Rows of table positions, checked once so that no pass has to.
#[derive(Debug, Clone)]
pub(crate) struct Cells {
    codes: Vec<u32>,
    n: usize,
    width: usize,
    n_table: usize,
}

impl Cells {
    /// `n` rows of `width` positions in a table of `n_table` rows.
    ///
    /// # Panics
    ///
    /// If a position is not in the table, or there is another number of them (bugs of the caller).
    pub(crate) fn new(codes: Vec<u32>, n: usize, width: usize, n_table: usize) -> Self {
        assert_eq!(codes.len(), n * width, "whole rows");
        assert!(codes.iter().all(|&code| (code as usize) < n_table), "positions in the table");
        Self { codes, n, width, n_table }
    }

    /// Number of rows.
    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// Number of rows of the table.
    pub(crate) fn n_table(&self) -> usize {
        self.n_table
    }

    /// The positions of a row.
    pub(crate) fn row(&self, row: usize) -> &[u32] {
        &self.codes[row * self.width..(row + 1) * self.width]
    }
}

/// What the classes say before a row is looked at.
#[derive(Clone, Copy)]
pub(crate) enum Prior<'a> {
    /// The same for all rows: one number per lane, 0 beyond the classes.
    Same(&'a [f64]),
    /// One number per row and lane, for all rows of the cells.
    Each(&'a [f64]),
}

/// What one pass adds up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LatentSums {
    /// Weight of each row of the table in each lane.
    pub(crate) table: Vec<f64>,
    /// Weight of each lane.
    pub(crate) classes: Vec<f64>,
    /// Weighted sum of the logarithms of the densities.
    pub(crate) log_likelihood: f64,
}

impl LatentSums {
    /// Sums of nothing.
    pub(crate) fn new(n_table: usize, lanes: usize) -> Self {
        Self { table: vec![0.0; n_table * lanes], classes: vec![0.0; lanes], log_likelihood: 0.0 }
    }

    /// Back to nothing, keeping the room.
    pub(crate) fn clear(&mut self) {
        self.table.fill(0.0);
        self.classes.fill(0.0);
        self.log_likelihood = 0.0;
    }

    /// Adds what another part of the rows gave.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.table.iter_mut().zip(&other.table).for_each(|(to, from)| *to += from);
        self.classes.iter_mut().zip(&other.classes).for_each(|(to, from)| *to += from);
        self.log_likelihood += other.log_likelihood;
    }
}

/// Posteriors of some rows under a table of probabilities.
pub(crate) struct Expect<'a> {
    /// All rows.
    pub(crate) cells: &'a Cells,
    /// Which of them.
    pub(crate) rows: std::ops::Range<usize>,
    /// Probability of each position in each lane; 0 beyond the classes.
    pub(crate) table: &'a [f64],
    /// The prior.
    pub(crate) prior: Prior<'a>,
    /// Number of lanes, as [`padded`] gives it.
    pub(crate) lanes: usize,
    /// Weights of all rows.
    pub(crate) weights: &'a [f64],
    /// Where to add, if anywhere.
    pub(crate) sums: Option<&'a mut LatentSums>,
    /// Where to write the posteriors of these rows, one number per lane; nowhere if empty.
    pub(crate) posteriors: &'a mut [f64],
    /// Where to write the logarithms of the densities of these rows; nowhere if empty.
    pub(crate) densities: &'a mut [f64],
}

impl Expect<'_> {
    /// Does it.
    pub(crate) fn apply(self) {
        let level = Level::best::<f64>(self.lanes);
        self.apply_on(level);
    }

    fn apply_on(self, level: Level) {
        let (n, lanes, rows) = (self.cells.n, self.lanes, self.rows.len());
        assert!(self.rows.end <= n && self.rows.start <= self.rows.end, "rows of the cells");
        assert_eq!(self.table.len(), self.cells.n_table * lanes, "a probability per lane");
        assert_eq!(self.weights.len(), n, "one weight per row");
        match self.prior {
            Prior::Same(prior) => assert_eq!(prior.len(), lanes, "a prior per lane"),
            Prior::Each(prior) => assert_eq!(prior.len(), n * lanes, "a prior per row and lane"),
        }
        if let Some(sums) = &self.sums {
            assert_eq!(sums.table.len(), self.table.len(), "a sum per probability");
            assert_eq!(sums.classes.len(), lanes, "a sum per lane");
        }
        assert!(matches!(self.posteriors.len(), 0) || self.posteriors.len() == rows * lanes);
        assert!(matches!(self.densities.len(), 0) || self.densities.len() == rows);
        level.run(self);
    }

    /// # Safety
    ///
    /// The lengths that `apply` checks, with `P` lanes.
    #[inline(always)]
    unsafe fn pass<const P: usize>(self) {
        let Self { cells, rows, table, prior, weights, mut sums, posteriors, densities, .. } = self;
        let (width, codes) = (cells.width, cells.codes.as_ptr());
        let added = sums.as_mut().map(|sums| sums.table.as_mut_ptr());
        let mut total = [0.0; 8];
        let mut slow = 0.0;
        let mut classes = [0.0; P];
        for first in rows.clone().step_by(8) {
            let mut found = [1.0; 8];
            let mut of_rows = [0.0; 8];
            let mut logs = [0.0; 8];
            for r in 0..8.min(rows.end - first) {
                let row = first + r;
                // SAFETY: the caller's promise; positions were checked when the cells were made.
                unsafe {
                    let codes = codes.add(row * width);
                    let weight = *weights.get_unchecked(row);
                    let start = match prior {
                        Prior::Same(prior) => prior.as_ptr(),
                        Prior::Each(prior) => prior.as_ptr().add(row * P),
                    };
                    let mut joint = start.cast::<[f64; P]>().read_unaligned();
                    for column in 0..width {
                        let position = *codes.add(column) as usize * P;
                        let factors = table.as_ptr().add(position).cast::<[f64; P]>();
                        let factors = factors.read_unaligned();
                        for lane in 0..P {
                            joint[lane] *= factors[lane];
                        }
                    }
                    let mut density = sum(&joint);
                    if density < TINY {
                        (joint, logs[r]) = through_logarithms::<P>(cells, table, prior, row);
                        density = 1.0;
                        slow += weight * logs[r];
                    }
                    found[r] = density;
                    of_rows[r] = weight;
                    let scale = 1.0 / density;
                    for lane in 0..P {
                        joint[lane] *= scale;
                    }
                    if !posteriors.is_empty() {
                        let to = posteriors.as_mut_ptr().add((row - rows.start) * P);
                        to.cast::<[f64; P]>().write_unaligned(joint);
                    }
                    if let Some(added) = added {
                        for lane in 0..P {
                            joint[lane] *= weight;
                            classes[lane] += joint[lane];
                        }
                        for column in 0..width {
                            let to = added.add(*codes.add(column) as usize * P).cast::<[f64; P]>();
                            let mut sums = to.read_unaligned();
                            for lane in 0..P {
                                sums[lane] += joint[lane];
                            }
                            to.write_unaligned(sums);
                        }
                    }
                }
            }
            let found = ln(found);
            for r in 0..8 {
                total[r] += of_rows[r] * found[r];
            }
            if !densities.is_empty() {
                let to = densities[first - rows.start..].iter_mut().zip(found).zip(logs);
                to.for_each(|((to, log), slow)| *to = log + slow);
            }
        }
        if let Some(sums) = sums {
            sums.classes.iter_mut().zip(classes).for_each(|(to, from)| *to += from);
            sums.log_likelihood += sum(&total) + slow;
        }
    }
}

/// Posterior and logarithm of the density of a row whose density is too small a number.
#[cold]
#[inline(never)]
fn through_logarithms<const P: usize>(
    cells: &Cells,
    table: &[f64],
    prior: Prior<'_>,
    row: usize,
) -> ([f64; P], f64) {
    let prior = match prior {
        Prior::Same(prior) => prior,
        Prior::Each(prior) => &prior[row * P..(row + 1) * P],
    };
    let mut logs: [f64; P] = std::array::from_fn(|lane| prior[lane].ln());
    for &code in cells.row(row) {
        for lane in 0..P {
            logs[lane] += table[code as usize * P + lane].ln();
        }
    }
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares = logs.map(|log| (log - largest).exp());
    let total = sum(&shares);
    (shares.map(|share| share / total), largest + total.ln())
}

impl Kernel for Expect<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        // SAFETY: `apply` checked the lengths against the number of lanes.
        unsafe {
            match self.lanes {
                4 => self.pass::<4>(),
                8 => self.pass::<8>(),
                16 => self.pass::<16>(),
                32 => self.pass::<32>(),
                MAX_CLASSES => self.pass::<MAX_CLASSES>(),
                _ => {}
            }
        }
    }
}

/// Sum of the lanes: halves onto halves.
#[inline(always)]
fn sum<const P: usize>(lanes: &[f64; P]) -> f64 {
    let mut lanes = *lanes;
    let mut half = P / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Natural logarithms of positive normal numbers, within a unit in the last place or two.
///
/// The number is 2^e m with m between the roots of 1/2 and 2, and ln m is the series of 2 atanh(s), s = (m - 1) / (m + 1).
#[inline(always)]
fn ln(numbers: [f64; 8]) -> [f64; 8] {
    const ROOT_OF_HALF: u64 = 0x3FE6_A09E_667F_3BCD;
    const LN_2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
    const LN_2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
    /// 2^52, in whose last bits whole numbers stand, and the 1024 that keeps the exponent positive.
    const MAGIC: u64 = 0x4330_0000_0000_0000;
    let mut logs = [0.0; 8];
    for lane in 0..8 {
        let bits = numbers[lane].to_bits();
        let shifted = bits.wrapping_sub(ROOT_OF_HALF).wrapping_add(1024 << 52) >> 52;
        let exponent = f64::from_bits(MAGIC | shifted) - (4_503_599_627_370_496.0 + 1024.0);
        let mantissa = f64::from_bits(bits.wrapping_sub(shifted.wrapping_sub(1024) << 52));
        let f = mantissa - 1.0;
        let s = f / (2.0 + f);
        let z = s * s;
        // The coefficients 2 / (2 i + 1) of the series; |s| is at most 0.1716.
        let mut series = 2.0 / 23.0;
        series = series * z + 2.0 / 21.0;
        series = series * z + 2.0 / 19.0;
        series = series * z + 2.0 / 17.0;
        series = series * z + 2.0 / 15.0;
        series = series * z + 2.0 / 13.0;
        series = series * z + 2.0 / 11.0;
        series = series * z + 2.0 / 9.0;
        series = series * z + 2.0 / 7.0;
        series = series * z + 2.0 / 5.0;
        series = series * z + 2.0 / 3.0;
        let half = 0.5 * f * f;
        let tail = s * (half + series * z);
        logs[lane] = exponent * LN_2_HIGH - ((half - (tail + exponent * LN_2_LOW)) - f);
    }
    logs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn logarithms_are_those_of_the_library(bits in TINY.to_bits()..1e300_f64.to_bits(), near in 0.5..2.0) {
            for number in [f64::from_bits(bits), near, 1.0 + (near - 1.0) * 1e-9] {
                let [found, ..] = ln([number; 8]);
                let wanted = number.ln();
                prop_assert!((found - wanted).abs() <= 1e-15 * wanted.abs().max(1e-300) , "{number:e} {found} {wanted}");
            }
        }

        #[test]
        fn every_level_gives_the_same_bits_and_the_definition(
            (n, m, k) in (1usize..30, 1usize..7, 1usize..20),
            seed in any::<u64>(),
            tiny in any::<bool>(),
            each in any::<bool>(),
        ) {
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let (lanes, categories) = (padded(k), 3);
            let codes = (0..n * m).map(|at| (at % m * categories + rng.below(categories)) as u32);
            let cells = Cells::new(codes.collect(), n, m, m * categories);
            let mut number = |power: i32, count: usize| -> Vec<f64> {
                let one = |at| if at % lanes < k { rng.uniform().powi(power) + 1e-200 } else { 0.0 };
                (0..count).map(one).collect()
            };
            let table = number(if tiny { 300 } else { 1 }, m * categories * lanes);
            let prior = number(1, if each { n * lanes } else { lanes });
            let weights: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
            let on = |level| {
                let mut sums = LatentSums::new(m * categories, lanes);
                let (mut posteriors, mut densities) = (vec![0.0; n * lanes], vec![0.0; n]);
                let prior = if each { Prior::Each(&prior) } else { Prior::Same(&prior) };
                Expect {
                    cells: &cells, rows: 0..n, table: &table, prior, lanes, weights: &weights,
                    sums: Some(&mut sums), posteriors: &mut posteriors, densities: &mut densities,
                }.apply_on(level);
                (sums, posteriors, densities)
            };
            let (sums, posteriors, densities) = on(Level::Plain);
            for level in Level::available() {
                prop_assert_eq!(on(level), (sums.clone(), posteriors.clone(), densities.clone()));
            }
            let mut expected = LatentSums::new(m * categories, lanes);
            for row in 0..n {
                let logs: Vec<f64> = (0..k).map(|class| {
                    let prior = prior[if each { row * lanes } else { 0 } + class].ln();
                    let table = |&code: &u32| table[code as usize * lanes + class].ln();
                    prior + cells.row(row).iter().map(table).sum::<f64>()
                }).collect();
                let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
                let density = largest + total.ln();
                prop_assert!((density - densities[row]).abs() < 1e-9 * density.abs().max(1.0));
                expected.log_likelihood += weights[row] * density;
                for class in 0..k {
                    let share = (logs[class] - density).exp();
                    prop_assert!((share - posteriors[row * lanes + class]).abs() < 1e-9);
                    expected.classes[class] += weights[row] * share;
                    for &code in cells.row(row) {
                        expected.table[code as usize * lanes + class] += weights[row] * share;
                    }
                }
            }
            let scale = expected.log_likelihood.abs().max(1.0);
            prop_assert!((expected.log_likelihood - sums.log_likelihood).abs() < 1e-9 * scale);
            for (a, b) in expected.table.iter().zip(&sums.table).chain(expected.classes.iter().zip(&sums.classes)) {
                prop_assert!((a - b).abs() < 1e-8);
            }
        }
    }
}
