//! The test that tells from a coarse copy of the rows which of them keep their label.
//!
//! The difference of a row's squared distances to two centres is linear in the row. So a sketch of the row gives it up to an
//! error that is known too, from an eighth of the bytes (a quarter in f32) and with products of bytes. A row whose label that
//! settles is not read. What rounding may do to the exact distances is part of the error, so the labels are those of a
//! full pass to the last row.
//!
//! With few columns and centres the test takes about as long as fetching the bytes, with many the products take longest.

use super::Real;
use super::numeric::prefetch;
#[cfg(target_arch = "x86_64")]
use super::sieve_x86 as x86;
use super::sketch::{FAR, QUAD, STRIDE, Sketch};

/// Bytes ahead of those in work at which the sketch is fetched; measured.
const AHEAD: usize = 4 << 10;

/// Largest size of a coefficient: two bytes of which each product with two others' fits in 16 bits.
const MOST: f64 = 8100.0;

/// The centres as the test wants them.
///
/// A row with levels `q` differs in squared distance to centres `j` and `a` by `(G_j - G_a) t`, with `G_j = base_j - Σ q W_j`,
/// up to `p_j + p_a`, with `p_j = reach_j code + slack_j`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sieve {
    k: usize,
    quads: usize,
    /// High and low parts of the coefficients, four bytes a word: `[centre][quad][high, low]`.
    pub(super) words: Vec<[i32; 2]>,
    pub(super) base: Vec<f32>,
    pub(super) reach: Vec<f32>,
    pub(super) slack: Vec<f32>,
    level: Level,
    /// Whether the test can tell anything.
    usable: bool,
}

impl Sieve {
    /// Room for `k` centres.
    pub(crate) fn new(k: usize, n_features: usize) -> Self {
        Self::new_on(Level::best(), k, n_features)
    }

    fn new_on(level: Level, k: usize, n_features: usize) -> Self {
        let quads = n_features.div_ceil(QUAD);
        Self {
            k,
            quads,
            words: vec![[0; 2]; k * quads],
            base: vec![0.0; k],
            reach: vec![0.0; k],
            slack: vec![0.0; k],
            level,
            usable: false,
        }
    }

    /// Whether the test is faster than reading the rows: not without vectors.
    pub(crate) fn pays() -> bool {
        Level::best() != Level::Plain
    }

    /// Takes new centres, row-major `(k, n_features)`.
    pub(crate) fn set<T: Real>(&mut self, sketch: &Sketch, centres: &[T]) {
        let (k, d) = (self.k, sketch.middle.len());
        assert_eq!((centres.len(), self.quads), (k * d, sketch.quads()), "as many columns");
        let mut mean = vec![0.0; d];
        for centre in centres.chunks_exact(d) {
            mean.iter_mut().zip(centre).for_each(|(sum, value)| *sum += value.wide() / k as f64);
        }
        let coefficient =
            |j: usize, f: usize| 2.0 * sketch.step[f] * (centres[j * d + f].wide() - mean[f]);
        let mut largest = 0.0_f64;
        for j in 0..k {
            largest = (0..d).fold(largest, |most, f| most.max(coefficient(j, f).abs()));
        }
        self.usable = largest > 1e-280 && largest < 1e280;
        if !self.usable {
            return;
        }
        let t = largest / MOST;
        let norm = |of: &dyn Fn(usize) -> f64| (0..d).map(|f| of(f) * of(f)).sum::<f64>();
        let farthest = 128.0 * norm(&|f| sketch.step[f]).sqrt() + sketch.unit * f64::from(FAR);
        let mut bases = vec![0.0; k];
        for j in 0..k {
            let (mut total, mut size) = (0i64, 0i64);
            for quad in 0..self.quads {
                let (mut high, mut low) = ([0i8; QUAD], [0i8; QUAD]);
                for (at, f) in (quad * QUAD..d.min((quad + 1) * QUAD)).enumerate() {
                    let whole = (coefficient(j, f) / t).round_ties_even() as i32;
                    (high[at], low[at]) = split(whole);
                    total += i64::from(whole);
                    size += i64::from(high[at]).abs() * 128 + i64::from(low[at]).abs();
                }
                self.words[j * self.quads + quad] = [high, low]
                    .map(|bytes| i32::from_ne_bytes(bytes.map(|byte| byte.cast_unsigned())));
            }
            let away = norm(&|f| centres[j * d + f].wide() - sketch.middle[f]);
            bases[j] = away / t + 128.0 * total as f64;
            let from_mean = norm(&|f| centres[j * d + f].wide() - mean[f]).sqrt();
            self.reach[j] = up(2.0 * from_mean * sketch.unit / t);
            // Rounding of the exact distances, of the coefficients, of this test's own sums and of the constants.
            let kernel = T::epsilon().wide() * (d + 16) as f64 * (farthest + away.sqrt()).powi(2)
                + 4.0 * d as f64 * T::min_positive_value().wide();
            let sums = 0.5_f64.powi(21) * 255.0 * size as f64;
            self.slack[j] = up((kernel + 1e-12 * away) / t + 64.0 * d as f64 + sums);
        }
        // Only differences of the bases count; small numbers round less.
        let middle = bases.iter().sum::<f64>() / k as f64;
        for j in 0..k {
            let base = bases[j] - middle;
            self.base[j] = base as f32;
            self.slack[j] = up(f64::from(self.slack[j])
                + 0.5_f64.powi(21) * base.abs()
                + 1e-12 * bases[j].abs().max(middle.abs()));
            self.usable &= [self.base[j], self.reach[j], self.slack[j]]
                .iter()
                .all(|number| number.abs() < 1e30);
        }
    }

    /// The sieve over some rows of the sketch, where it can tell anything.
    pub(crate) fn over<'a>(
        &'a self,
        sketch: &'a Sketch,
        first: usize,
        n: usize,
    ) -> Option<Sift<'a>> {
        let (bytes, codes) = sketch.part(first, n);
        self.usable.then_some(Sift { sieve: self, bytes, codes })
    }
}

/// Two bytes that make a coefficient: `128 high + low`.
fn split(whole: i32) -> (i8, i8) {
    let high = (whole + 64) >> 7;
    (high as i8, (whole - (high << 7)) as i8)
}

/// The next number of half the length that is not below.
fn up(value: f64) -> f32 {
    ((value * (1.0 + 1e-6)) as f32).next_up()
}

/// The test over some rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sift<'a> {
    sieve: &'a Sieve,
    bytes: &'a [u8],
    codes: &'a [u8],
}

impl Sift<'_> {
    /// Rows of the sketch below.
    pub(crate) fn rows(&self) -> usize {
        self.codes.len()
    }

    /// Writes the numbers of the rows whose label may not be that of the nearest centre to the front of `list` and gives how
    /// many there are. The rows are those from `first` on, a multiple of 64; `list` must have room for one row more. `found` is
    /// called with each row at once: to fetch them a few at a time, between the tests, keeps the memory from being stalled.
    #[inline(always)]
    pub(super) fn undecided(
        &self,
        first: usize,
        labels: &[u32],
        list: &mut [u32],
        found: impl Fn(usize),
    ) -> usize {
        let end = first + labels.len().next_multiple_of(STRIDE);
        assert!(first.is_multiple_of(STRIDE) && end <= self.codes.len(), "rows of this part");
        assert!(list.len() > labels.len(), "room for every row");
        let (width, mut count) = (self.sieve.quads * QUAD, 0);
        let mut last = [u32::MAX; STRIDE];
        for at in (0..labels.len()).step_by(STRIDE) {
            let n = STRIDE.min(labels.len() - at);
            let known: &[u32; STRIDE] = match labels[at..].first_chunk() {
                Some(whole) => whole,
                None => {
                    last[..n].copy_from_slice(&labels[at..]);
                    &last
                }
            };
            let row = first + at;
            let bytes = &self.bytes[row * width..(row + STRIDE) * width];
            prefetch(bytes.as_ptr(), bytes.len(), AHEAD);
            let mut open = self.sieve.test(bytes, &self.codes[row..row + STRIDE], known);
            if n < STRIDE {
                open &= (1 << n) - 1;
            }
            while open != 0 {
                let row = row + open.trailing_zeros() as usize;
                found(row);
                list[count] = row as u32;
                count += 1;
                open &= open - 1;
            }
        }
        count
    }
}

/// An instruction set that the test can run on; all give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Level {
    /// One row after the other.
    #[default]
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// With products of bytes in one instruction.
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

impl Level {
    fn best() -> Self {
        Self::available().pop().unwrap_or_default()
    }

    /// Every level that this processor can run, the fastest last.
    fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut levels = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(super::has_avx2().then_some(Self::Avx2));
            levels.extend(super::has_avx512().then_some(Self::Avx512));
            let vnni = super::has_avx512() && is_x86_feature_detected!("avx512vnni");
            levels.extend(vnni.then_some(Self::Vnni));
        }
        levels
    }
}

impl Sieve {
    /// One bit for each of 64 rows: whether its label may not be that of the nearest centre.
    #[inline]
    fn test(&self, bytes: &[u8], codes: &[u8], labels: &[u32; STRIDE]) -> u64 {
        assert_eq!((bytes.len(), codes.len()), (STRIDE * self.quads * QUAD, STRIDE));
        let test = Test {
            quads: self.quads,
            words: &self.words,
            base: &self.base,
            reach: &self.reach,
            slack: &self.slack,
            bytes,
            codes,
            labels,
        };
        match self.level {
            Level::Plain => test.plain(),
            // SAFETY: these levels exist only where `available` found their instructions; the lengths were checked here
            // and in `new_on`.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::avx2(test) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::avx512(test) },
            #[cfg(target_arch = "x86_64")]
            Level::Vnni => unsafe { x86::vnni(test) },
        }
    }
}

/// What the test of 64 rows needs.
#[derive(Clone, Copy)]
pub(super) struct Test<'a> {
    pub(super) quads: usize,
    pub(super) words: &'a [[i32; 2]],
    pub(super) base: &'a [f32],
    pub(super) reach: &'a [f32],
    pub(super) slack: &'a [f32],
    pub(super) bytes: &'a [u8],
    pub(super) codes: &'a [u8],
    pub(super) labels: &'a [u32; STRIDE],
}

impl Test<'_> {
    /// The test as it is defined.
    fn plain(self) -> u64 {
        let mut open = 0;
        for row in 0..STRIDE {
            let (mut lower, mut upper) = (f32::INFINITY, f32::INFINITY);
            for j in 0..self.base.len() {
                let mut sums = [0i32; 2];
                for (quad, words) in self.words[j * self.quads..][..self.quads].iter().enumerate() {
                    let at = (quad * STRIDE + row) * QUAD;
                    for (sum, word) in sums.iter_mut().zip(words) {
                        for (&level, byte) in
                            self.bytes[at..at + QUAD].iter().zip(word.to_ne_bytes())
                        {
                            *sum += i32::from(level) * i32::from(byte.cast_signed());
                        }
                    }
                }
                let sum = (sums[0] as f32).mul_add(128.0, sums[1] as f32);
                let found = self.base[j] - sum;
                let error = f32::from(self.codes[row]).mul_add(self.reach[j], self.slack[j]);
                if self.labels[row] == j as u32 {
                    upper = found + error;
                } else {
                    lower = lower.min(found - error);
                }
            }
            let settled = lower > upper && self.codes[row] != FAR;
            open |= u64::from(!settled) << row;
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_level_tests_as_the_scalar_twin(
            (quads, k) in (1usize..9, 1usize..20), seed in any::<u64>(), narrow in 1u64..9,
        ) {
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let mut byte = |below: u64| rng.below(below as usize) as u8;
            let bytes: Vec<u8> = (0..quads * QUAD * STRIDE).map(|_| byte(256)).collect();
            let codes: Vec<u8> = (0..STRIDE).map(|_| byte(256)).collect();
            let labels: [u32; STRIDE] = std::array::from_fn(|_| u32::from(byte(k as u64 + 1)));
            let mut sieve = Sieve { usable: true, ..Sieve::new(k, quads * QUAD) };
            for words in &mut sieve.words {
                *words = std::array::from_fn(|_| {
                    i32::from_ne_bytes(std::array::from_fn(|_| byte(129).wrapping_sub(64)))
                });
            }
            for j in 0..k {
                sieve.base[j] = f32::from(byte(255)) * 1e4;
                sieve.reach[j] = f32::from(byte(255)) * 100.0 / narrow as f32;
                sieve.slack[j] = f32::from(byte(255));
            }
            let expected = Sieve { level: Level::Plain, ..sieve.clone() }.test(&bytes, &codes, &labels);
            for level in Level::available() {
                let found = Sieve { level, ..sieve.clone() }.test(&bytes, &codes, &labels);
                prop_assert_eq!(found, expected, "{:?}", level);
            }
        }

        #[test]
        fn coefficients_are_split_without_loss(whole in -8100i32..=8100) {
            let (high, low) = split(whole);
            prop_assert_eq!(i32::from(high) * 128 + i32::from(low), whole);
            prop_assert!(high.unsigned_abs() <= 64 && low.unsigned_abs() <= 64);
        }
    }

    /// Roughly normal.
    fn normal(rng: &mut Rng) -> f64 {
        (0..12).map(|_| rng.uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn the_sketch_settles_most_rows_far_from_the_borders() {
        let mut rng = Rng::stream(3, Stage::Sample, 0);
        let (n, d) = (1000, 6);
        let rows: Vec<f64> =
            (0..n * d).map(|at| (at / d % 2) as f64 * 4.0 + normal(&mut rng)).collect();
        let mut sketch = Sketch::new(n, &[2.0; 6], &[2.2; 6]).unwrap();
        let (scale, mut places) = sketch.places(1024);
        places[0].fill(scale, &rows);
        let mut sieve = Sieve::new(2, d);
        sieve.set(&sketch, &[[0.0; 6], [4.0; 6]].concat());
        let labels: Vec<u32> = (0..n as u32).map(|row| row % 2).collect();
        let sift = sieve.over(&sketch, 0, n).unwrap();
        let mut list = vec![0; n + 1];
        assert!(sift.undecided(0, &labels, &mut list, |_| ()) < 20);
        let swapped: Vec<u32> = labels.iter().map(|label| 1 - label).collect();
        assert_eq!(sift.undecided(0, &swapped, &mut list, |_| ()), n);
    }
}
