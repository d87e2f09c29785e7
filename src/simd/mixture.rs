//! One pass of expectation and maximisation for Gaussian mixtures, a block of rows at a time.
//!
//! A chunk of rows is turned so that rows lie in lanes, and stays in the first-level cache while everything is done with it:
//! the log density of each component (rows times the inverse Cholesky factor, two outputs of the triangle at a time for
//! several vectors of rows), the logarithm of the sum of exponentials, and the weighted moments of each component about a point
//! near its mean (two rows of the triangle against up to eight columns, sums in registers). Lanes are added up once per block.
//!
//! The pass is bound by arithmetic: of 100 additions and multiplications with 10 features some 37 belong to either triangle and
//! 11 to the exponential; memory delivers the rows ten times as fast as they are used.

use super::wide::{Wide, Work};
use super::{Level, Real};

/// Rows handled together.
const CHUNK: usize = 128;
/// Numbers from one feature of a chunk to the next; not a power of two, so that features do not share cache sets.
const STRIDE: usize = CHUNK + 8;
/// Squared distances end here, so that no density is lost to infinity.
const FARTHEST: f64 = 1e300;

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
struct Line([f64; 8]);

fn lines(n: usize) -> Vec<Line> {
    vec![Line([0.0; 8]); n]
}

/// The room that a thread works in.
#[derive(Debug)]
pub(crate) struct Scratch {
    k: usize,
    d: usize,
    /// A chunk, its differences to a point, and those times the shares; `[feature][row]`.
    rows: Vec<Line>,
    differences: Vec<Line>,
    weighted: Vec<Line>,
    /// Log densities, then shares, `[component][row]`.
    shares: Vec<Line>,
    /// Weights and log densities of the rows.
    weights: Vec<Line>,
    densities: Vec<Line>,
    /// Sums by lanes: of weights and log densities, of differences, of second moments.
    sums: Vec<Line>,
    first: Vec<Line>,
    second: Vec<Line>,
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

fn at(lines: &mut [Line]) -> *mut f64 {
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
    /// Share of each component, `(n, k)`.
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
    fn turn(&mut self, from: usize, n: usize) {
        let d = self.scratch.d;
        let flat = |lines: &mut [Line], to: usize, value: f64| lines[to / 8].0[to % 8] = value;
        for row in 0..n {
            let weight = self.weights.map_or(1.0, |weights| weights[from + row]);
            flat(&mut self.scratch.weights, row, weight);
        }
        for (group, rows) in self.rows[from * d..(from + n) * d].chunks(8 * d).enumerate() {
            if rows.len() == 8 * d {
                for (feature, &origin) in self.origin.iter().enumerate() {
                    let line = &mut self.scratch.rows[feature * (STRIDE / 8) + group];
                    line.0 = std::array::from_fn(|row| rows[row * d + feature].wide() - origin);
                }
            } else {
                for (feature, &origin) in self.origin.iter().enumerate() {
                    let line = &mut self.scratch.rows[feature * (STRIDE / 8) + group];
                    let value =
                        |row: usize| rows.get(row * d + feature).map_or(0.0, |v| v.wide() - origin);
                    line.0 = std::array::from_fn(value);
                }
            }
        }
        for row in n..CHUNK {
            flat(&mut self.scratch.weights, row, 0.0);
        }
        for group in n.div_ceil(8)..CHUNK / 8 {
            for feature in 0..d {
                self.scratch.rows[feature * (STRIDE / 8) + group] = Line([0.0; 8]);
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

/// Gives `emit` two outputs of a triangle at a time (one at the end, where their number is odd) for `R` vectors of rows.
///
/// # Safety
///
/// `factor` must be valid for a triangle, `rows` for `d` features of `R` vectors.
#[inline(always)]
unsafe fn products<V: Wide, const R: usize>(
    factor: *const f64,
    rows: *const f64,
    d: usize,
    mut emit: impl FnMut(usize, [V; R]),
) {
    // SAFETY: the caller's promises; the entries of the triangle are read in order.
    unsafe {
        let mut factor = factor;
        for pair in 0..d / 2 {
            let mut even = [V::splat(0.0); R];
            let mut odd = even;
            for feature in 0..2 * pair + 2 {
                let (a, b) = (V::splat(*factor), V::splat(*factor.add(1)));
                factor = factor.add(2);
                for r in 0..R {
                    let value = V::load(rows.add(feature * STRIDE + r * V::WIDTH));
                    even[r] = value.mul_add(a, even[r]);
                    odd[r] = value.mul_add(b, odd[r]);
                }
            }
            emit(2 * pair, even);
            emit(2 * pair + 1, odd);
        }
        if d % 2 == 1 {
            let mut last = [V::splat(0.0); R];
            for feature in 0..d {
                let a = V::splat(*factor.add(feature));
                for r in 0..R {
                    let value = V::load(rows.add(feature * STRIDE + r * V::WIDTH));
                    last[r] = value.mul_add(a, last[r]);
                }
            }
            emit(d - 1, last);
        }
    }
}

/// Log densities of a chunk under each component, weights included.
///
/// # Safety
///
/// That of [`Work::run`]; lengths as `apply` checks them.
#[inline(always)]
unsafe fn densities<V: Wide, const R: usize>(components: &Components, scratch: &mut Scratch) {
    let (k, d) = (scratch.k, scratch.d);
    let (rows, differences) = (at(&mut scratch.rows), at(&mut scratch.differences));
    let shares = at(&mut scratch.shares);
    let triangle = Triangle(d).len();
    // SAFETY: `CHUNK` rows are whole groups of `R` vectors; a component has `d` means and its factor.
    unsafe {
        if components.shape == Shape::Tied {
            for group in (0..CHUNK).step_by(R * V::WIDTH) {
                products::<V, R>(
                    components.factors.as_ptr(),
                    rows.add(group),
                    d,
                    |feature, found| {
                        for r in 0..R {
                            found[r]
                                .store(differences.add(feature * STRIDE + group + r * V::WIDTH));
                        }
                    },
                );
            }
        }
        for component in 0..k {
            let means = components.means.as_ptr().add(component * d);
            let constant = V::splat(components.constants[component]);
            for group in (0..CHUNK).step_by(R * V::WIDTH) {
                let mut squares = [V::splat(0.0); R];
                match components.shape {
                    Shape::Full => {
                        for feature in 0..d {
                            let mean = V::splat(*means.add(feature));
                            let from = feature * STRIDE + group;
                            for r in 0..R {
                                let value = V::load(rows.add(from + r * V::WIDTH)).sub(mean);
                                value.store(differences.add(from + r * V::WIDTH));
                            }
                        }
                        let factor = components.factors.as_ptr().add(component * triangle);
                        products::<V, R>(factor, differences.add(group), d, |_, found| {
                            for r in 0..R {
                                squares[r] = found[r].mul_add(found[r], squares[r]);
                            }
                        });
                    }
                    Shape::Tied => {
                        for feature in 0..d {
                            let mean = V::splat(*means.add(feature));
                            let from = feature * STRIDE + group;
                            for r in 0..R {
                                let value = V::load(differences.add(from + r * V::WIDTH)).sub(mean);
                                squares[r] = value.mul_add(value, squares[r]);
                            }
                        }
                    }
                    Shape::Diagonal => {
                        let factors = components.factors.as_ptr().add(component * d);
                        for feature in 0..d {
                            let mean = V::splat(*means.add(feature));
                            let factor = V::splat(*factors.add(feature));
                            let from = feature * STRIDE + group;
                            for r in 0..R {
                                let value =
                                    V::load(rows.add(from + r * V::WIDTH)).sub(mean).mul(factor);
                                squares[r] = value.mul_add(value, squares[r]);
                            }
                        }
                    }
                }
                for r in 0..R {
                    let square = squares[r].min(V::splat(FARTHEST));
                    let density = square.mul_add(V::splat(-0.5), constant);
                    density.store(shares.add(component * STRIDE + group + r * V::WIDTH));
                }
            }
        }
    }
}

/// Turns log densities into shares times weight, and adds up the log densities of the rows.
///
/// # Safety
///
/// That of [`Work::run`].
#[inline(always)]
unsafe fn shares<V: Wide>(scratch: &mut Scratch) {
    let k = scratch.k;
    let (shares, weights) = (at(&mut scratch.shares), at(&mut scratch.weights));
    let (written, sums) = (at(&mut scratch.densities), at(&mut scratch.sums));
    // SAFETY: each array holds `CHUNK` rows; the sum of log densities lies behind `k` totals.
    unsafe {
        let likelihood = sums.add(k * V::WIDTH);
        let mut total = V::load(likelihood);
        for row in (0..CHUNK).step_by(V::WIDTH) {
            let mut highest = V::load(shares.add(row));
            for component in 1..k {
                highest = highest.max(V::load(shares.add(component * STRIDE + row)));
            }
            let mut sum = V::splat(0.0);
            for component in 0..k {
                let place = shares.add(component * STRIDE + row);
                let relative = V::load(place).sub(highest).exp();
                relative.store(place);
                sum = sum.add(relative);
            }
            let density = highest.add(sum.ln());
            density.store(written.add(row));
            let weight = V::load(weights.add(row));
            total = weight.mul_add(density, total);
            let factor = weight.div(sum);
            for component in 0..k {
                let place = shares.add(component * STRIDE + row);
                V::load(place).mul(factor).store(place);
            }
        }
        total.store(likelihood);
    }
}

/// Adds the moments of a chunk about each component's point.
///
/// # Safety
///
/// That of [`Work::run`]; lengths as `apply` checks them.
#[inline(always)]
unsafe fn moments<V: Wide, const R: usize>(kind: Second, points: &[f64], scratch: &mut Scratch) {
    let (k, d) = (scratch.k, scratch.d);
    let rows = at(&mut scratch.rows);
    let (differences, weighted) = (at(&mut scratch.differences), at(&mut scratch.weighted));
    let (first, second) = (at(&mut scratch.first), at(&mut scratch.second));
    let triangle = Triangle(d).len();
    // SAFETY: each array holds `CHUNK` rows of its features or components, and a vector for each sum.
    unsafe {
        for component in 0..k {
            let shares = at(&mut scratch.shares).add(component * STRIDE);
            let total = at(&mut scratch.sums).add(component * V::WIDTH);
            let mut sum = V::load(total);
            for row in (0..CHUNK).step_by(V::WIDTH) {
                sum = sum.add(V::load(shares.add(row)));
            }
            sum.store(total);
            for feature in 0..d {
                let point = V::splat(points[component * d + feature]);
                let place = (component * d + feature) * V::WIDTH;
                let mut sum = V::load(first.add(place));
                if kind == Second::Squares {
                    let mut squares = V::load(second.add(place));
                    for row in (0..CHUNK).step_by(V::WIDTH) {
                        let value = V::load(rows.add(feature * STRIDE + row)).sub(point);
                        let share = V::load(shares.add(row)).mul(value);
                        sum = sum.add(share);
                        squares = share.mul_add(value, squares);
                    }
                    squares.store(second.add(place));
                } else {
                    for row in (0..CHUNK).step_by(V::WIDTH) {
                        let from = feature * STRIDE + row;
                        let value = V::load(rows.add(from)).sub(point);
                        let share = V::load(shares.add(row)).mul(value);
                        sum = sum.add(share);
                        if kind != Second::None {
                            value.store(differences.add(from));
                            share.store(weighted.add(from));
                        }
                    }
                }
                sum.store(first.add(place));
            }
            match kind {
                Second::None | Second::Squares => {}
                Second::Pooled => rank_update::<V, R>(second, differences, weighted, d),
                Second::Triangles => {
                    let to = second.add(component * triangle * V::WIDTH);
                    rank_update::<V, R>(to, differences, weighted, d);
                }
            }
        }
    }
}

/// Adds the products of all pairs of features, the lower triangle, `R` columns at a time at most.
///
/// # Safety
///
/// `to` must be valid for a vector per entry of the triangle, the others for a chunk of `d` features.
#[inline(always)]
unsafe fn rank_update<V: Wide, const R: usize>(
    to: *mut f64,
    rows: *const f64,
    weighted: *const f64,
    d: usize,
) {
    let mut to = to;
    // SAFETY: the caller's promises; the entries of the triangle are written in order.
    unsafe {
        for first in (0..d).step_by(2) {
            let height = 2.min(d - first);
            let columns = first + height;
            let left = weighted.add(first * STRIDE);
            let mut column = 0;
            while column < columns {
                let width = R.min(columns - column);
                let right = rows.add(column * STRIDE);
                if height == 2 {
                    match width {
                        8 => tile::<V, 2, 8>(to, left, right),
                        6 => tile::<V, 2, 6>(to, left, right),
                        4 => tile::<V, 2, 4>(to, left, right),
                        _ => tile::<V, 2, 2>(to, left, right),
                    }
                } else {
                    match width {
                        8 => tile::<V, 1, 8>(to, left, right),
                        7 => tile::<V, 1, 7>(to, left, right),
                        6 => tile::<V, 1, 6>(to, left, right),
                        5 => tile::<V, 1, 5>(to, left, right),
                        4 => tile::<V, 1, 4>(to, left, right),
                        3 => tile::<V, 1, 3>(to, left, right),
                        2 => tile::<V, 1, 2>(to, left, right),
                        _ => tile::<V, 1, 1>(to, left, right),
                    }
                }
                to = to.add(height * width * V::WIDTH);
                column += width;
            }
        }
    }
}

/// Adds the products of `H` features with `W` others, `[column][row]`.
///
/// # Safety
///
/// As for [`rank_update`].
#[inline(always)]
unsafe fn tile<V: Wide, const H: usize, const W: usize>(
    to: *mut f64,
    left: *const f64,
    right: *const f64,
) {
    // SAFETY: the caller's promises.
    unsafe {
        let mut sums = [[V::splat(0.0); H]; W];
        for w in 0..W {
            for h in 0..H {
                sums[w][h] = V::load(to.add((w * H + h) * V::WIDTH));
            }
        }
        for row in (0..CHUNK).step_by(V::WIDTH) {
            let mut values = [V::splat(0.0); H];
            for h in 0..H {
                values[h] = V::load(left.add(h * STRIDE + row));
            }
            for w in 0..W {
                let other = V::load(right.add(w * STRIDE + row));
                for h in 0..H {
                    sums[w][h] = values[h].mul_add(other, sums[w][h]);
                }
            }
        }
        for w in 0..W {
            for h in 0..H {
                sums[w][h].store(to.add((w * H + h) * V::WIDTH));
            }
        }
    }
}
