//! Assignment that reads only the rows whose label may have changed.
//!
//! A [`Sift`] tells from a coarse copy which rows keep their label; the others are fetched and compared with every centre.
//! They are fetched while the next rows are sifted, so that memory and arithmetic go on at the same time. Sums change only by
//! the rows that move. Where the coarse copy settles little, all rows are read for a while.

use super::numeric::{AHEAD, prefetch};
use super::sieve::Sift;
use super::sketch::STRIDE;
use super::vector::Vector;
use super::{Kernel, Lanes, Real, TILE};

/// Rows that are tested before the first of them is read.
const CHUNK: usize = 16 * STRIDE;

/// A sum this many times smaller than what was taken from it is added up afresh.
const LOST: f64 = 65536.0;

/// Passes that read every row after one in which most rows had to be read all the same.
const REST: u8 = 3;

/// The sums over all rows read so far, kept up to date as rows move.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Running {
    /// Weighted sums of the rows of each cluster, `(k, n_features)`.
    pub(crate) values: Vec<f64>,
    /// Total weight of each cluster.
    pub(crate) weights: Vec<f64>,
    /// Rows with weight in each cluster: says exactly which are empty, as differences of weights would not.
    pub(crate) rows: Vec<u64>,
    /// Rows that moved in the last pass.
    pub(crate) changed: usize,
    /// Passes for which the coarse copy is not asked.
    rest: u8,
}

impl Running {
    /// Sums of nothing.
    pub(crate) fn new(k: usize, n_features: usize) -> Self {
        Self {
            values: vec![0.0; k * n_features],
            weights: vec![0.0; k],
            rows: vec![0; k],
            changed: 0,
            rest: 0,
        }
    }

    /// Back to nothing, keeping the room.
    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
        self.weights.fill(0.0);
        self.rows.fill(0);
        (self.changed, self.rest) = (0, 0);
    }

    /// Adds up rows by their labels.
    pub(crate) fn recount<T: Real>(&mut self, rows: &[T], weights: Option<&[f64]>, labels: &[u32]) {
        let (changed, rest, d) = (self.changed, self.rest, rows.len() / labels.len().max(1));
        self.clear();
        (self.changed, self.rest) = (changed, rest);
        for (at, (row, &label)) in rows.chunks_exact(d).zip(labels).enumerate() {
            let (cluster, weight) = (label as usize, weights.map_or(1.0, |weights| weights[at]));
            let sums = &mut self.values[cluster * d..(cluster + 1) * d];
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value.wide());
            self.weights[cluster] += weight;
            self.rows[cluster] += u64::from(weight > 0.0);
        }
    }

    /// Takes a row out of a cluster and says whether so little is left of some sum that it may be mostly rounding error.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `V`; `cluster` must be one.
    #[inline(always)]
    unsafe fn take<V: Vector>(&mut self, cluster: usize, row: &[V::Real], weight: f64) -> bool {
        let d = row.len();
        let sums = &mut self.values[cluster * d..(cluster + 1) * d];
        // SAFETY: there are as many sums as values.
        unsafe { V::accumulate(sums.as_mut_ptr(), row.as_ptr(), d, -weight) };
        self.weights[cluster] -= weight;
        self.rows[cluster] -= u64::from(weight > 0.0);
        let little = |left: f64, taken: f64| left.abs() * LOST < taken.abs();
        let mut cancelled = little(self.weights[cluster], weight);
        for (&sum, &value) in sums.iter().zip(row) {
            cancelled |= little(sum, weight * value.wide());
        }
        cancelled
    }

    /// Adds what another part of the rows gave.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(to, from)| *to += from);
        self.weights.iter_mut().zip(&other.weights).for_each(|(to, from)| *to += from);
        self.rows.iter_mut().zip(&other.rows).for_each(|(to, from)| *to += from);
        self.changed += other.changed;
    }
}

/// Gives each row that may have moved the label of its nearest centre, ties to the lowest, and moves it in the sums.
pub(crate) struct Refine<'a, T> {
    /// The centres.
    pub(crate) lanes: &'a Lanes<T>,
    /// The rows, one after the other.
    pub(crate) rows: &'a [T],
    /// Weights of the rows; 1 where there are none.
    pub(crate) weights: Option<&'a [f64]>,
    /// Their labels so far; none yet where they are not below `k`.
    pub(crate) labels: &'a mut [u32],
    /// The test of these rows, where there is one.
    pub(crate) sift: Option<Sift<'a>>,
    /// The sums of these rows.
    pub(crate) sums: &'a mut Running,
    /// Whether sums must be added up afresh; false to begin with.
    pub(crate) cancelled: bool,
}

impl<T: Real> Refine<'_, T> {
    /// Does it.
    pub(crate) fn apply(self) {
        let (n, d, k) = (self.labels.len(), self.lanes.n_features, self.lanes.k());
        assert_eq!(self.rows.len(), n * d, "rows and labels go together");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        assert_eq!(self.sums.values.len(), k * d, "one sum per centre value");
        assert_eq!(
            (self.sums.weights.len(), self.sums.rows.len()),
            (k, k),
            "one total per cluster"
        );
        assert!(self.sift.is_none_or(|sift| sift.rows() >= n), "a coarse copy of every row");
        self.lanes.level.run(self);
    }

    /// Handles `R` rows.
    ///
    /// # Safety
    ///
    /// That of [`Kernel::run`], the lengths that `apply` checks, and rows that there are.
    #[inline(always)]
    unsafe fn tile<V: Vector<Real = T>, const R: usize>(&mut self, rows: [u32; R]) {
        let d = self.lanes.n_features;
        let mut nearest = [T::infinity(); R];
        let mut labels = [0; R];
        // SAFETY: the caller promises the rows; lanes hold whole groups of `d` vectors; `lowest` gives a lane with a finite
        // distance, hence a cluster below `k`, for which there are `d` sums; the label before is below `k` or was none.
        unsafe {
            let base = self.rows.as_ptr();
            let mut pointers = [base; R];
            for r in 0..R {
                pointers[r] = base.add(rows[r] as usize * d);
            }
            for group in 0..self.lanes.padded() / V::WIDTH {
                let found = distances_at::<V, R>(self.lanes, pointers, group);
                let (distances, lanes, _) = V::two_lowest_of(found);
                for r in 0..R {
                    let closer = distances[r] < nearest[r];
                    let label = (group * V::WIDTH) as u32 + lanes[r];
                    nearest[r] = if closer { distances[r] } else { nearest[r] };
                    labels[r] = if closer { label } else { labels[r] };
                }
            }
            for r in 0..R {
                let label = labels[r] as usize;
                let before =
                    std::mem::replace(self.labels.get_unchecked_mut(rows[r] as usize), labels[r]);
                if before == labels[r] {
                    continue;
                }
                let weight =
                    self.weights.map_or(1.0, |weights| *weights.get_unchecked(rows[r] as usize));
                self.sums.changed += 1;
                if before != u32::MAX {
                    let (row, sums) = (std::slice::from_raw_parts(pointers[r], d), &mut *self.sums);
                    self.cancelled |= sums.take::<V>(before as usize, row, weight);
                }
                let values = self.sums.values.as_mut_ptr();
                V::accumulate(values.add(label * d), pointers[r], d, weight);
                *self.sums.weights.get_unchecked_mut(label) += weight;
                *self.sums.rows.get_unchecked_mut(label) += u64::from(weight > 0.0);
            }
        }
    }
}

/// Squared distances of rows anywhere in memory to the centres of one group, after the lanes' start values.
///
/// # Safety
///
/// That of [`Kernel::run`]; each of `rows` must be valid for a row and `group` one of the lanes' groups.
#[inline(always)]
unsafe fn distances_at<V: Vector, const R: usize>(
    lanes: &Lanes<V::Real>,
    rows: [*const V::Real; R],
    group: usize,
) -> [V; R] {
    let d = lanes.n_features;
    // SAFETY: the caller's promises; a group holds `d` vectors of centres and one of start values.
    unsafe {
        let centres = lanes.values.as_ptr().add(group * d * V::WIDTH);
        let mut sums = [V::load(lanes.bias.as_ptr().add(group * V::WIDTH)); R];
        for feature in 0..d {
            let centre = V::load(centres.add(feature * V::WIDTH));
            for r in 0..R {
                let difference = V::splat(*rows[r].add(feature)).sub(centre);
                sums[r] = difference.square_add(sums[r]);
            }
        }
        sums
    }
}

impl<T: Real> Refine<'_, T> {
    /// Handles some rows, in their order.
    ///
    /// # Safety
    ///
    /// As for [`Refine::tile`].
    #[inline(always)]
    unsafe fn read<V: Vector<Real = T>>(&mut self, rows: &[u32]) {
        let (tiles, rest) = rows.as_chunks::<TILE>();
        // SAFETY: the caller's promise.
        unsafe {
            for tile in tiles {
                self.tile::<V, TILE>(*tile);
            }
            for &row in rest {
                self.tile::<V, 1>([row]);
            }
        }
    }
}

impl<T: Real> Kernel for Refine<'_, T> {
    type Real = T;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = T>>(mut self) {
        let (n, d) = (self.labels.len(), self.lanes.n_features);
        self.sums.changed = 0;
        let sift = self.sift.filter(|_| self.sums.rest == 0);
        self.sums.rest = self.sums.rest.saturating_sub(1);
        let (mut one, mut other) = ([0u32; CHUNK + 1], [0u32; CHUNK + 1]);
        let (mut now, mut next) = (&mut one, &mut other);
        let (mut waiting, mut read) = (0, 0);
        for first in (0..n).step_by(CHUNK) {
            let last = n.min(first + CHUNK);
            if let Some(sift) = sift {
                let rows = self.rows.as_ptr();
                let fetch = |row: usize| prefetch(rows.wrapping_add(row * d), d, 0);
                let count = sift.undecided(first, &self.labels[first..last], next, fetch);
                // SAFETY: `apply` checked the lengths; the list holds different rows below `n`.
                unsafe { self.read::<V>(&now[..waiting]) };
                std::mem::swap(&mut now, &mut next);
                waiting = count;
                read += count;
            } else {
                for first in (first..last).step_by(TILE) {
                    let rows = self.rows.as_ptr().wrapping_add(first * d);
                    prefetch(rows, TILE * d, AHEAD);
                    let mut rows = [0; TILE];
                    for at in 0..TILE {
                        rows[at] = (first + at) as u32;
                    }
                    // SAFETY: as above.
                    unsafe { self.read::<V>(&rows[..TILE.min(last - first)]) };
                }
            }
        }
        // SAFETY: as above.
        unsafe { self.read::<V>(&now[..waiting]) };
        if sift.is_some() && 2 * read > n {
            self.sums.rest = REST;
        }
        if self.cancelled {
            self.sums.recount(self.rows, self.weights, self.labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assign, Level, Sieve, Sketch, Sums};
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    /// Roughly normal.
    fn normal(rng: &mut Rng) -> f64 {
        (0..12).map(|_| rng.uniform()).sum::<f64>() - 6.0
    }

    /// Moves centres about and compares with reading every row each time.
    fn follows_the_full_pass<T: Real>(
        level: Level,
        (d, k, n): (usize, usize, usize),
        draw: &mut dyn FnMut() -> f64,
        rng: &mut Rng,
    ) {
        let mut drawn =
            |count: usize| -> Vec<T> { (0..count).map(|_| T::narrow(draw())).collect() };
        let (rows, mut centres) = (drawn(n * d), drawn(k * d));
        let weights: Vec<f64> = (0..n).map(|_| rng.below(9) as f64 / 4.0).collect();
        let column = |j: usize| rows.iter().skip(j).step_by(d).map(|value| value.wide());
        let means: Vec<f64> = (0..d).map(|j| column(j).sum::<f64>() / n as f64).collect();
        let spread = |(j, mean): (usize, &f64)| {
            (column(j).map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64).sqrt()
        };
        let deviations: Vec<f64> = means.iter().enumerate().map(spread).collect();
        let mut sketch = Sketch::new(n, &means, &deviations);
        if let Some(sketch) = &mut sketch {
            let (scale, mut places) = sketch.places(n.next_multiple_of(STRIDE));
            places[0].fill(scale, &rows);
        }
        let mut sieve = Sieve::new(k, d);
        let mut lanes = Lanes::new_on(level, k, d);
        let mut running = Running::new(k, d);
        let (mut refined, mut assigned) = (vec![u32::MAX; n], vec![u32::MAX; n]);
        let largest = rows.iter().fold(0.0_f64, |most, value| most.max(value.wide().abs()));
        for step in 0..12 {
            lanes.set(&centres);
            if let Some(sketch) = &sketch {
                sieve.set(sketch, &centres);
            }
            let (lanes, rows, weights) = (&lanes, rows.as_slice(), Some(weights.as_slice()));
            let sift = sketch.as_ref().filter(|_| step > 0);
            let sift = sift.and_then(|sketch| sieve.over(sketch, 0, n));
            let (labels, sums) = (refined.as_mut_slice(), &mut running);
            Refine { lanes, rows, weights, labels, sift, sums, cancelled: false }.apply();
            let mut sums = Sums::new(k, d);
            let labels = assigned.as_mut_slice();
            Assign { lanes, rows, weights, labels, sums: &mut sums, update: true }.apply();
            assert_eq!(refined, assigned);
            assert_eq!(running.changed, sums.changed);
            for (a, b) in running.values.iter().zip(&sums.values) {
                assert!((a - b).abs() <= 1e-9 * largest * n as f64, "{a} {b}");
            }
            for (rows, weight) in running.rows.iter().zip(&sums.weights) {
                assert_eq!(*rows == 0, *weight == 0.0);
            }
            for value in &mut centres {
                // Many steps move a few centres a little, some move one far.
                let reach = if step % 5 == 4 { 1.0 } else { 0.01 };
                if rng.below(3) == 0 {
                    let by = (rng.uniform() - 0.5) * reach * largest;
                    *value = T::narrow(value.wide() + by);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn rows_that_are_not_read_would_not_have_moved(
            (d, k, n) in (1usize..20, 1usize..20, 1usize..700),
            seed in any::<u64>(),
            kind in 0u8..4,
            (scale, shift) in (-12i32..12, -3i32..8),
        ) {
            // Ties; normal numbers far from zero; heavy tails; one column of another size and one of constants.
            let number = |rng: &mut Rng, at: usize| match kind {
                0 => rng.below(9) as f64 / 4.0,
                1 => normal(rng) + 10f64.powi(shift),
                2 => normal(rng).powi(9),
                _ => [normal(rng) * 1e4, 3.7, rng.uniform()][at % d % 3],
            };
            for level in Level::available() {
                let (mut of, mut at) = (Rng::stream(seed, Stage::Sample, 0), 0);
                let mut draw = || {
                    at += 1;
                    number(&mut of, at - 1) * 10f64.powi(scale)
                };
                let mut rng = Rng::stream(seed, Stage::Sample, 1);
                follows_the_full_pass::<f64>(level, (d, k, n), &mut draw, &mut rng);
                follows_the_full_pass::<f32>(level, (d, k, n), &mut draw, &mut rng);
            }
        }
    }
}
