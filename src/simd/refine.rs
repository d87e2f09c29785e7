//! Assignment that reads only the rows whose label may have changed.
//!
//! A row keeps its label as long as the distances that the centres have moved since the row was last read, its own and the
//! farthest of the others, sum to less than the gap between its two nearest centres: the bound of Hamerly (2010), Making
//! k-means even faster, with both of its sides in one number. That number is kept relative to the total drift, so a row
//! that stays is read as eight bytes and not written. Sums change only by the rows that move.

use super::numeric::{AHEAD, prefetch};
use super::vector::Vector;
use super::{Kernel, Lanes, Real, TILE};

/// Rows whose bounds are checked together.
const CHUNK: usize = 2048;

/// A sum this many times smaller than what was taken from it is added up afresh.
const LOST: f64 = 65536.0;

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct State {
    /// Its cluster; none yet where this is not below `k`.
    pub(crate) label: u32,
    /// The drift of the cluster at which the label may change.
    until: f32,
}

impl State {
    /// A row that was never read.
    pub(crate) const NEW: Self = Self { label: u32::MAX, until: f32::NEG_INFINITY };
}

/// How far the centres have moved since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drift {
    /// For each cluster: its own moves and the farthest of the others' in each iteration, in all.
    total: Vec<f64>,
    /// The same, rounded up.
    above: Vec<f32>,
    moves: Vec<f64>,
}

impl Drift {
    /// No moves of `k` clusters.
    pub(crate) fn new(k: usize) -> Self {
        Self { total: vec![0.0; k], above: vec![0.0; k], moves: vec![0.0; k] }
    }

    /// Back to no moves.
    pub(crate) fn clear(&mut self) {
        self.total.fill(0.0);
        self.above.fill(0.0);
    }

    /// Squared moves of one iteration, to be written before [`Drift::advance`].
    pub(crate) fn moves(&mut self) -> &mut [f64] {
        &mut self.moves
    }

    /// Adds the moves of one iteration.
    pub(crate) fn advance(&mut self) {
        let (mut farthest, mut second, mut who) = (0.0, 0.0, 0);
        for (cluster, squared) in self.moves.iter_mut().enumerate() {
            let moved = squared.sqrt() * (1.0 + 1e-12);
            *squared = moved;
            if moved > farthest {
                (farthest, second, who) = (moved, farthest, cluster);
            } else if moved > second {
                second = moved;
            }
        }
        for (cluster, (total, moved)) in self.total.iter_mut().zip(&self.moves).enumerate() {
            *total += moved + if cluster == who { second } else { farthest };
            *total *= 1.0 + 1e-15;
            self.above[cluster] = (*total as f32).next_up();
        }
    }
}

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
}

impl Running {
    /// Sums of nothing.
    pub(crate) fn new(k: usize, n_features: usize) -> Self {
        Self {
            values: vec![0.0; k * n_features],
            weights: vec![0.0; k],
            rows: vec![0; k],
            changed: 0,
        }
    }

    /// Back to nothing, keeping the room.
    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
        self.weights.fill(0.0);
        self.rows.fill(0);
        self.changed = 0;
    }

    /// Adds up rows by their labels.
    pub(crate) fn recount<T: Real>(
        &mut self,
        rows: &[T],
        weights: Option<&[f64]>,
        states: &[State],
    ) {
        let (changed, d) = (self.changed, rows.len() / states.len().max(1));
        self.clear();
        self.changed = changed;
        for (at, (row, state)) in rows.chunks_exact(d).zip(states).enumerate() {
            let (cluster, weight) =
                (state.label as usize, weights.map_or(1.0, |weights| weights[at]));
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
    /// What is known of the rows.
    pub(crate) states: &'a mut [State],
    /// How far the centres have moved.
    pub(crate) drift: &'a Drift,
    /// The sums of these rows.
    pub(crate) sums: &'a mut Running,
    /// Whether sums must be added up afresh; false to begin with.
    pub(crate) cancelled: bool,
}

impl<T: Real> Refine<'_, T> {
    /// Does it.
    pub(crate) fn apply(self) {
        let (n, d, k) = (self.states.len(), self.lanes.n_features, self.lanes.k());
        assert_eq!(self.rows.len(), n * d, "rows and states go together");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        assert_eq!(self.sums.values.len(), k * d, "one sum per centre value");
        assert_eq!(
            (self.sums.weights.len(), self.sums.rows.len()),
            (k, k),
            "one total per cluster"
        );
        assert_eq!(
            (self.drift.above.len(), self.drift.total.len()),
            (k, k),
            "one drift per cluster"
        );
        self.lanes.level.run(self);
    }

    /// Handles `R` rows.
    ///
    /// # Safety
    ///
    /// That of [`Kernel::run`], the lengths that `apply` checks, and rows that there are.
    #[inline(always)]
    unsafe fn tile<V: Vector<Real = T>, const R: usize>(&mut self, rows: [usize; R]) {
        let d = self.lanes.n_features;
        let mut nearest = [T::infinity(); R];
        let mut second = [T::infinity(); R];
        let mut labels = [0; R];
        // SAFETY: the caller promises the rows; lanes hold whole groups of `d` vectors; `lowest` gives a lane with a finite
        // distance, hence a cluster below `k`, for which there are `d` sums; the label before is below `k` or was none.
        unsafe {
            let base = self.rows.as_ptr();
            let pointers = rows.map(|row| base.add(row * d));
            for group in 0..self.lanes.padded() / V::WIDTH {
                let found = distances_at::<V, R>(self.lanes, pointers, group);
                let (distances, lanes, next) = V::two_lowest_of(found);
                for r in 0..R {
                    let closer = distances[r] < nearest[r];
                    let (best, other) =
                        if closer { (next[r], nearest[r]) } else { (second[r], distances[r]) };
                    second[r] = if other < best { other } else { best };
                    nearest[r] = if closer { distances[r] } else { nearest[r] };
                    let label = (group * V::WIDTH) as u32 + lanes[r];
                    labels[r] = if closer { label } else { labels[r] };
                }
            }
            // What rounding can do to a distance of `d` terms, both of the kernel's now and of those to come.
            let margin = T::epsilon().wide() * (d + 16) as f64;
            let mut until = [0.0; R];
            for r in 0..R {
                let (near, far) = (nearest[r].wide().sqrt(), second[r].wide().sqrt());
                until[r] = far - near - margin * (far + near);
            }
            for r in 0..R {
                let label = labels[r] as usize;
                let drift = *self.drift.total.get_unchecked(label);
                // A number too large is cut, which reads a row once too often; a single cluster has no second.
                let until = if second[r] < T::infinity() {
                    ((until[r] + drift) as f32).min(f32::MAX).next_down()
                } else {
                    f32::INFINITY
                };
                let state = self.states.get_unchecked_mut(rows[r]);
                let before = std::mem::replace(state, State { label: labels[r], until }).label;
                if before == labels[r] {
                    continue;
                }
                let weight = self.weights.map_or(1.0, |weights| *weights.get_unchecked(rows[r]));
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

impl<T: Real> Kernel for Refine<'_, T> {
    type Real = T;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = T>>(mut self) {
        let (n, d) = (self.states.len(), self.lanes.n_features);
        self.sums.changed = 0;
        // Whole tiles of rows, as many as fit beside the centres in the first-level cache.
        let far = (AHEAD / (d * size_of::<T>())).clamp(TILE, 16 * TILE) / TILE * TILE;
        let mut list = [0u32; CHUNK + 1];
        for first in (0..n).step_by(CHUNK) {
            let last = n.min(first + CHUNK);
            let mut count = 0;
            for (row, state) in (first as u32..).zip(&self.states[first..last]) {
                let drift = self.drift.above.get(state.label as usize);
                list[count] = row;
                count += usize::from(drift.is_none_or(|&drift| state.until <= drift));
            }
            let fetch = |rows: &[u32], base: *const T| {
                for &row in rows {
                    prefetch(base.wrapping_add(row as usize * d), d, 0);
                }
            };
            fetch(&list[..far.min(count)], self.rows.as_ptr());
            for tile in (0..count).step_by(TILE) {
                let ahead = &list[tile..][..TILE.min(count - tile)];
                let next = (tile + far).min(count);
                fetch(&list[next..(next + TILE).min(count)], self.rows.as_ptr());
                // SAFETY: `apply` checked the lengths; the list holds rows below `n`.
                unsafe {
                    match <[u32; TILE]>::try_from(ahead) {
                        Ok(rows) => self.tile::<V, TILE>(rows.map(|row| row as usize)),
                        Err(_) => {
                            for &row in ahead {
                                self.tile::<V, 1>([row as usize]);
                            }
                        }
                    }
                }
            }
        }
        if self.cancelled {
            self.sums.recount(self.rows, self.weights, self.states);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assign, Level, Sums};
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    /// Moves centres about and compares with reading every row each time.
    fn follows_the_full_pass<T: Real>(level: Level, d: usize, k: usize, n: usize, seed: u64) {
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let mut draw = |count: usize| -> Vec<T> {
            (0..count).map(|_| T::narrow(rng.below(9) as f64 / 4.0)).collect()
        };
        let (rows, mut centres) = (draw(n * d), draw(k * d));
        let weights: Vec<f64> = draw(n).iter().map(|weight| weight.wide()).collect();
        let mut lanes = Lanes::new_on(level, k, d);
        let (mut drift, mut running) = (Drift::new(k), Running::new(k, d));
        let mut states = vec![State::NEW; n];
        let mut labels = vec![u32::MAX; n];
        for step in 0..12 {
            lanes.set(&centres);
            let (lanes, weights) = (&lanes, Some(weights.as_slice()));
            let (states, labels) = (&mut states, &mut labels);
            let mut sums = Sums::new(k, d);
            Refine {
                lanes,
                rows: &rows,
                weights,
                states,
                drift: &drift,
                sums: &mut running,
                cancelled: false,
            }
            .apply();
            Assign { lanes, rows: &rows, weights, labels, sums: &mut sums, update: true }.apply();
            assert!(states.iter().zip(labels.iter()).all(|(state, label)| state.label == *label));
            assert_eq!(running.changed, sums.changed);
            for (a, b) in running.values.iter().zip(&sums.values) {
                assert!((a - b).abs() < 1e-9, "{a} {b}");
            }
            for (rows, weight) in running.rows.iter().zip(&sums.weights) {
                assert_eq!(*rows == 0, *weight == 0.0);
            }
            drift.moves().fill(0.0);
            for (at, value) in centres.iter_mut().enumerate() {
                // Many steps move a few centres a little, some move one far.
                let reach = if step % 5 == 4 { 1.0 } else { 0.01 };
                if rng.below(3) == 0 {
                    let before = value.wide();
                    *value = T::narrow(before + (rng.uniform() - 0.5) * reach);
                    drift.moves()[at / d] += (value.wide() - before).powi(2);
                }
            }
            drift.advance();
        }
    }

    proptest! {
        #[test]
        fn rows_that_are_not_read_would_not_have_moved(
            (d, k, n) in (1usize..20, 1usize..20, 1usize..700), seed in any::<u64>(),
        ) {
            for level in Level::available() {
                follows_the_full_pass::<f64>(level, d, k, n, seed);
                follows_the_full_pass::<f32>(level, d, k, n, seed);
            }
        }
    }
}
