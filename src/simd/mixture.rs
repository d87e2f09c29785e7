//! One pass of expectation and maximisation for Gaussian mixtures, a block of rows at a time.
//!
//! A chunk of rows is turned so that rows lie in lanes, and stays in the first-level cache while everything is done with it:
//! the log density of each component (rows times the inverse Cholesky factor, two outputs of the triangle at a time for
//! several vectors of rows), the logarithm of the sum of exponentials, and the weighted moments of each component about a point
//! near its mean (two rows of the triangle against up to eight columns, sums in registers). Lanes are added up once per block.
//!
//! The pass is bound by arithmetic: with 10 features a row costs each component some 195 additions and multiplications, of which
//! 60 belong to either triangle and 20 to the exponential; each row is read from memory once.

use super::mixture_kernels::{densities, moments, shares};
use super::wide::{Wide, Work};
use super::{Level, Real};

/// Rows handled together.
pub(super) const CHUNK: usize = 128;
/// Numbers from one feature of a chunk to the next; not a power of two, so that features do not share cache sets.
pub(super) const STRIDE: usize = CHUNK + 8;

/// A triangular matrix, row by row in pairs: the entries of two rows lie side by side, so that a kernel that makes two outputs
/// at a time reads them in order. A last row without partner lies alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Triangle(pub(crate) usize);

impl Triangle {
    /// Numbers that the matrix takes, with those of the pairs that are not used.
    pub(crate) fn len(self) -> usize {
        let pairs = self.0 / 2;
        2 * pairs * (pairs + 1) + if self.0 % 2 == 1 { self.0 } else { 0 }
    }

    /// Where row `i`, column `j <= i` lies.
    pub(crate) fn at(self, i: usize, j: usize) -> usize {
        let pair = i / 2;
        let first = 2 * pair * (pair + 1);
        if pair == self.0 / 2 { first + j } else { first + 2 * j + i % 2 }
    }
}

/// How the components' densities are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A triangle each.
    Full,
    /// One triangle for all.
    Tied,
    /// A number for each feature each.
    Diagonal,
}

/// Everything that a pass must know of the components.
#[derive(Debug, Clone)]
pub(crate) struct Components {
    pub(crate) shape: Shape,
    /// Logarithm of weight and normalisation of each component; very low, not infinite, where the weight is 0.
    pub(crate) constants: Vec<f64>,
    /// Means about the origin, `(k, d)`; multiplied with the triangle where there is one for all.
    pub(crate) means: Vec<f64>,
    /// Inverse Cholesky factors of the covariances.
    pub(crate) factors: Vec<f64>,
}

/// Which second moments are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Second {
    /// None.
    None,
    /// Squares of the features, `(k, d)`.
    Squares,
    /// A [`Triangle`] for each component.
    Triangles,
    /// One [`Triangle`] over all components, each about its own point.
    Pooled,
}

impl Second {
    /// Numbers that the moments take.
    fn len(self, k: usize, d: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Squares => k * d,
            Self::Triangles => k * Triangle(d).len(),
            Self::Pooled => Triangle(d).len(),
        }
    }
}

/// What a pass adds up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MixtureSums {
    /// Which second moments.
    pub(crate) kind: Second,
    /// Total share of each component.
    pub(crate) weights: Vec<f64>,
    /// Weighted differences to the component's point, `(k, d)`.
    pub(crate) first: Vec<f64>,
    /// Their second moments.
    pub(crate) second: Vec<f64>,
    /// Weighted sum of the rows' log densities.
    pub(crate) log_likelihood: f64,
}

impl MixtureSums {
    /// Sums of nothing.
    pub(crate) fn new(kind: Second, k: usize, d: usize) -> Self {
        Self {
            kind,
            weights: vec![0.0; k],
            first: vec![0.0; k * d],
            second: vec![0.0; kind.len(k, d)],
            log_likelihood: 0.0,
        }
    }

    /// Back to nothing, keeping the room.
    pub(crate) fn clear(&mut self) {
        self.weights.fill(0.0);
        self.first.fill(0.0);
        self.second.fill(0.0);
        self.log_likelihood = 0.0;
    }

    /// Adds what another part of the rows gave.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(to, from)| *to += from);
        self.first.iter_mut().zip(&other.first).for_each(|(to, from)| *to += from);
        self.second.iter_mut().zip(&other.second).for_each(|(to, from)| *to += from);
        self.log_likelihood += other.log_likelihood;
    }
}

/// Eight numbers at the start of a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([f64; 8]);

fn lines(n: usize) -> Vec<Line> {
    vec![Line([0.0; 8]); n]
}

/// The room that a thread works in.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(super) k: usize,
    pub(super) d: usize,
    /// A chunk, its differences to a point, and those times the shares; `[feature][row]`.
    pub(super) rows: Vec<Line>,
    pub(super) differences: Vec<Line>,
    pub(super) weighted: Vec<Line>,
    /// Log densities, then shares, `[component][row]`.
    pub(super) shares: Vec<Line>,
    /// Weights and log densities of the rows.
    pub(super) weights: Vec<Line>,
    pub(super) densities: Vec<Line>,
    /// Sums by lanes: of weights and log densities, of differences, of second moments.
    pub(super) sums: Vec<Line>,
    pub(super) first: Vec<Line>,
    pub(super) second: Vec<Line>,
}

impl Scratch {
    /// Room for `k` components in `d` dimensions.
    pub(crate) fn new(kind: Second, k: usize, d: usize) -> Self {
        let chunk = STRIDE / 8;
        Self {
            k,
            d,
            rows: lines(d * chunk),
            differences: lines(d * chunk),
            weighted: lines(d * chunk),
            shares: lines(k * chunk),
            weights: lines(chunk),
            densities: lines(chunk),
            sums: lines(k + 1),
            first: lines(k * d),
            second: lines(kind.len(k, d)),
        }
    }

    fn clear(&mut self) {
        let zero = Line([0.0; 8]);
        self.sums.fill(zero);
        self.first.fill(zero);
        self.second.fill(zero);
    }
}

/// Where the numbers of some lines begin.
pub(super) fn at(lines: &mut [Line]) -> *mut f64 {
    lines.as_mut_ptr().cast()
}

/// Where the shares of the components in a row come from.
#[derive(Clone, Copy)]
pub(crate) enum Shares<'a> {
    /// From the densities.
    Of(&'a Components),
    /// From a function that writes the shares of the row with this number.
    Given(&'a (dyn Fn(usize, &mut [f64]) + Sync)),
}

/// What a pass writes for each row.
pub(crate) struct Written<'a> {
    /// Share of each component times the weight of the row, `(n, k)`.
    pub(crate) shares: &'a mut [f64],
    /// Log density.
    pub(crate) densities: &'a mut [f64],
}

/// One pass over a block of rows.
pub(crate) struct MixturePass<'a, T> {
    /// The rows, one after the other.
    pub(crate) rows: &'a [T],
    /// Weights of the rows; 1 where there are none.
    pub(crate) weights: Option<&'a [f64]>,
    /// Number of the first row.
    pub(crate) first: usize,
    /// What is subtracted from each row.
    pub(crate) origin: &'a [f64],
    /// Where the shares come from.
    pub(crate) shares: Shares<'a>,
    /// The points about which moments are taken, `(k, d)`, about the origin, and where to add them.
    pub(crate) sums: Option<(&'a [f64], &'a mut MixtureSums)>,
    /// Where to write.
    pub(crate) written: Option<Written<'a>>,
    /// Room to work in.
    pub(crate) scratch: &'a mut Scratch,
}

impl<T: Real> MixturePass<'_, T> {
    /// Does it.
    pub(crate) fn apply(self) {
        self.apply_on(Level::best::<f64>(usize::MAX));
    }

    fn apply_on(self, level: Level) {
        let (k, d) = (self.scratch.k, self.scratch.d);
        assert!(k > 0 && d > 0 && self.origin.len() == d, "one origin per feature");
        let n = self.rows.len() / d;
        assert_eq!(self.rows.len(), n * d, "whole rows");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        if let Shares::Of(found) = &self.shares {
            let factors = match found.shape {
                Shape::Full => k * Triangle(d).len(),
                Shape::Tied => Triangle(d).len(),
                Shape::Diagonal => k * d,
            };
            assert_eq!(found.constants.len(), k, "one constant per component");
            assert_eq!(found.means.len(), k * d, "one mean per component");
            assert_eq!(found.factors.len(), factors, "factors of the shape");
        }
        if let Some((points, sums)) = &self.sums {
            assert_eq!(points.len(), k * d, "one point per component");
            assert_eq!((sums.weights.len(), sums.first.len()), (k, k * d), "room for the sums");
            assert_eq!(sums.second.len(), sums.kind.len(k, d), "room for the moments");
            assert!(self.scratch.second.len() >= sums.second.len(), "room to work in");
        }
        if let Some(written) = &self.written {
            assert_eq!(
                (written.shares.len(), written.densities.len()),
                (n * k, n),
                "room to write"
            );
        }
        level.work(self);
    }

    /// Turns rows `from..from + n` into columns; rows beyond them are at the origin and weigh nothing.
    #[inline(always)]
    fn turn(&mut self, from: usize, n: usize) {
        let d = self.scratch.d;
        for (group, line) in self.scratch.weights[..CHUNK / 8].iter_mut().enumerate() {
            let weight = |row: usize| match self.weights {
                _ if row >= n => 0.0,
                Some(weights) => weights[from + row],
                None => 1.0,
            };
            line.0 = std::array::from_fn(|row| weight(8 * group + row));
        }
        let rows = &self.rows[from * d..(from + n) * d];
        for group in 0..CHUNK / 8 {
            let lines = self.scratch.rows[group..].iter_mut().step_by(STRIDE / 8);
            if 8 * (group + 1) <= n {
                let rows = &rows[8 * group * d..8 * (group + 1) * d];
                for ((feature, &origin), line) in self.origin.iter().enumerate().zip(lines) {
                    line.0 = std::array::from_fn(|row| {
                        // SAFETY: there are eight rows, and one origin for each of the `d` features of a row.
                        let value = unsafe { *rows.get_unchecked(row * d + feature) };
                        value.wide() - origin
                    });
                }
            } else {
                for ((feature, &origin), line) in self.origin.iter().enumerate().zip(lines) {
                    line.0 = std::array::from_fn(|row| {
                        let at = (8 * group + row) * d + feature;
                        rows.get(at).map_or(0.0, |value| value.wide() - origin)
                    });
                }
            }
        }
    }

    /// Takes shares as they are given.
    fn take(
        &mut self,
        given: &dyn Fn(usize, &mut [f64]),
        from: usize,
        n: usize,
        shares: &mut [f64],
    ) {
        self.scratch.shares.fill(Line([0.0; 8]));
        for row in 0..n {
            given(self.first + from + row, shares);
            let weight = self.scratch.weights[row / 8].0[row % 8];
            for (component, share) in shares.iter().enumerate() {
                self.scratch.shares[component * (STRIDE / 8) + row / 8].0[row % 8] = share * weight;
            }
        }
    }

    /// Writes the results of rows `from..from + n`.
    fn write(&mut self, from: usize, n: usize) {
        let Some(written) = &mut self.written else { return };
        let k = self.scratch.k;
        for row in 0..n {
            written.densities[from + row] = self.scratch.densities[row / 8].0[row % 8];
            for component in 0..k {
                let share = self.scratch.shares[component * (STRIDE / 8) + row / 8].0[row % 8];
                written.shares[(from + row) * k + component] = share;
            }
        }
    }

    /// The pass, `R` vectors of rows at a time.
    ///
    /// # Safety
    ///
    /// That of [`Work::run`], and the lengths that `apply` checks.
    #[inline(always)]
    unsafe fn body<V: Wide, const R: usize>(mut self) {
        let n = self.rows.len() / self.scratch.d;
        let mut given =
            vec![0.0; if matches!(self.shares, Shares::Given(_)) { self.scratch.k } else { 0 }];
        self.scratch.clear();
        for from in (0..n).step_by(CHUNK) {
            let count = CHUNK.min(n - from);
            self.turn(from, count);
            match self.shares {
                // SAFETY: the caller's promises.
                Shares::Of(components) => unsafe {
                    densities::<V, R>(components, self.scratch);
                    shares::<V>(self.scratch);
                },
                Shares::Given(function) => self.take(function, from, count, &mut given),
            }
            if let Some((points, sums)) = &self.sums {
                // SAFETY: as above.
                unsafe { moments::<V, R>(sums.kind, points, self.scratch) };
            }
            self.write(from, count);
        }
        if let Some((_, sums)) = &mut self.sums {
            let Scratch { sums: lanes, first, second, .. } = self.scratch;
            let totals = |lines: &mut [Line], to: &mut [f64]| {
                let lanes = at(lines);
                for (place, to) in to.iter_mut().enumerate() {
                    // SAFETY: there is a whole line for each sum, and no vector is longer than a line.
                    *to += unsafe { V::load(lanes.add(place * V::WIDTH)).total() };
                }
            };
            totals(lanes, &mut sums.weights);
            let k = sums.weights.len();
            // SAFETY: the log densities lie behind the `k` totals.
            sums.log_likelihood += unsafe { V::load(at(lanes).add(k * V::WIDTH)).total() };
            totals(first, &mut sums.first);
            totals(second, &mut sums.second);
        }
    }
}

impl<T: Real> Work for MixturePass<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Wide>(self) {
        // SAFETY: the caller's promise; `apply_on` checked the lengths. Registers hold 8 vectors of sums or 16.
        unsafe { if V::WIDTH == 8 { self.body::<V, 8>() } else { self.body::<V, 4>() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    #[test]
    fn entries_of_a_triangle_lie_in_the_order_of_the_pairs() {
        for d in 1..9 {
            let triangle = Triangle(d);
            let mut places: Vec<usize> =
                (0..d).flat_map(|i| (0..=i).map(move |j| triangle.at(i, j))).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), d * (d + 1) / 2);
            assert!(places.iter().all(|&place| place < triangle.len()));
        }
    }

    proptest! {
        #[test]
        fn every_level_agrees_with_the_plain_arrays(
            (n, d, k) in (1usize..300, 1usize..12, 1usize..5),
            shape in 0usize..3,
            kind in 0usize..4,
            weighted in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let shape = [Shape::Full, Shape::Tied, Shape::Diagonal][shape];
            let kind = [Second::None, Second::Squares, Second::Triangles, Second::Pooled][kind];
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let mut draw = |count: usize| -> Vec<f64> {
                (0..count).map(|_| 2.0 * rng.uniform() - 1.0).collect()
            };
            let (rows, origin, points) = (draw(n * d), draw(d), draw(k * d));
            let weights: Vec<f64> = draw(n).iter().map(|weight| weight.abs()).collect();
            let factors = match shape {
                Shape::Full => k * Triangle(d).len(),
                Shape::Tied => Triangle(d).len(),
                Shape::Diagonal => k * d,
            };
            let components = Components {
                shape, constants: draw(k), means: draw(k * d), factors: draw(factors),
            };
            let on = |level: Level| {
                let mut sums = MixtureSums::new(kind, k, d);
                let (mut shares, mut densities) = (vec![0.0; n * k], vec![0.0; n]);
                MixturePass {
                    rows: &rows,
                    weights: weighted.then_some(weights.as_slice()),
                    first: 0,
                    origin: &origin,
                    shares: Shares::Of(&components),
                    sums: Some((&points, &mut sums)),
                    written: Some(Written { shares: &mut shares, densities: &mut densities }),
                    scratch: &mut Scratch::new(kind, k, d),
                }
                .apply_on(level);
                let MixtureSums { weights, first, second, log_likelihood, .. } = sums;
                [shares, densities, weights, first, second, vec![log_likelihood]].concat()
            };
            let plain = on(Level::Plain);
            for level in Level::available() {
                for (a, b) in on(level).iter().zip(&plain) {
                    prop_assert!((a - b).abs() <= 1e-10 * b.abs().max(1.0), "{level:?}: {a} {b}");
                }
            }
        }
    }
}
