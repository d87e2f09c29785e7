//! Rows of numbers against centres: assignment fused with the sums of the next centres, and plain distances.
//!
//! A tile of rows is compared with one vector of centres after the other: each feature of a row is broadcast, each feature of
//! the centres is loaded once per tile. While the rows are still in the first-level cache they are added to the sums of
//! their clusters, so a pass reads each byte once. With few centres the pass is bound by memory, with many by the
//! arithmetic.

use super::vector::Vector;
use super::{Kernel, Lanes, Real, TILE};

/// What one pass over some rows adds up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sums {
    /// Weighted sums of the rows of each cluster, `(k, n_features)`; untouched where only labels are wanted.
    pub(crate) values: Vec<f64>,
    /// Total weight of each cluster.
    pub(crate) weights: Vec<f64>,
    /// Weighted sum of squared distances to the nearest centre.
    pub(crate) inertia: f64,
    /// Rows whose label changed.
    pub(crate) changed: usize,
}

impl Sums {
    /// Sums of nothing.
    pub(crate) fn new(k: usize, n_features: usize) -> Self {
        Self { values: vec![0.0; k * n_features], weights: vec![0.0; k], ..Self::default() }
    }

    /// Back to nothing, keeping the room.
    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
        self.weights.fill(0.0);
        (self.inertia, self.changed) = (0.0, 0);
    }

    /// Adds what another part of the rows gave.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(to, from)| *to += from);
        self.weights.iter_mut().zip(&other.weights).for_each(|(to, from)| *to += from);
        self.inertia += other.inertia;
        self.changed += other.changed;
    }
}

/// Gives each row the label of its nearest centre, ties to the lowest, and adds the rows up.
pub(crate) struct Assign<'a, T> {
    /// The centres.
    pub(crate) lanes: &'a Lanes<T>,
    /// The rows, one after the other.
    pub(crate) rows: &'a [T],
    /// Weights of the rows; 1 where there are none.
    pub(crate) weights: Option<&'a [f64]>,
    /// The labels before and after.
    pub(crate) labels: &'a mut [u32],
    /// Where to add.
    pub(crate) sums: &'a mut Sums,
    /// Whether to add up the rows too, not only weights and inertia.
    pub(crate) update: bool,
}

impl<T: Real> Assign<'_, T> {
    /// Does it.
    pub(crate) fn apply(self) {
        let (n, d, k) = (self.labels.len(), self.lanes.n_features, self.lanes.k());
        assert_eq!(self.rows.len(), n * d, "rows and labels go together");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        assert_eq!(self.sums.weights.len(), k, "one total per cluster");
        assert!(!self.update || self.sums.values.len() == k * d, "one sum per centre value");
        self.lanes.level.run(self);
    }

    /// Handles the `R` rows from `first` on.
    ///
    /// # Safety
    ///
    /// That of [`Kernel::run`], the lengths that `apply` checks, and `first + R` rows.
    #[inline(always)]
    unsafe fn tile<V: Vector<Real = T>, const R: usize>(&mut self, first: usize) {
        let d = self.lanes.n_features;
        let mut nearest = [T::infinity(); R];
        let mut labels = [0; R];
        // SAFETY: the caller promises `first + R` rows of `d` values; lanes hold whole groups of `d` vectors; `lowest` gives
        // a lane with a finite distance, hence a cluster below `k`, for which there are `d` sums.
        unsafe {
            let rows = self.rows.as_ptr().add(first * d);
            prefetch(rows, R * d, AHEAD);
            for group in 0..self.lanes.padded() / V::WIDTH {
                let found = distances::<V, R>(self.lanes, rows, group);
                let (distances, lanes, _) = V::two_lowest_of(found);
                for r in 0..R {
                    let closer = distances[r] < nearest[r];
                    let label = (group * V::WIDTH) as u32 + lanes[r];
                    nearest[r] = if closer { distances[r] } else { nearest[r] };
                    labels[r] = if closer { label } else { labels[r] };
                }
            }
            for r in 0..R {
                let cluster = labels[r] as usize;
                let weight = self.weights.map_or(1.0, |weights| *weights.get_unchecked(first + r));
                self.sums.inertia += weight * nearest[r].wide();
                *self.sums.weights.get_unchecked_mut(cluster) += weight;
                let label = self.labels.get_unchecked_mut(first + r);
                self.sums.changed += usize::from(*label != labels[r]);
                *label = labels[r];
                if self.update {
                    let sums = self.sums.values.as_mut_ptr().add(cluster * d);
                    V::accumulate(sums, rows.add(r * d), d, weight);
                }
            }
        }
    }
}

/// Bytes ahead of the rows in work at which rows are fetched from memory; measured, and the hardware's own prefetcher stops at
/// the ends of pages.
pub(super) const AHEAD: usize = 16 << 10;

/// Fetches what lies `ahead` bytes after `count` values.
#[inline(always)]
pub(super) fn prefetch<T>(rows: *const T, count: usize, ahead: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let (first, bytes) = (rows.cast::<i8>().wrapping_add(ahead), count * size_of::<T>());
        // SAFETY: a prefetch reads nothing, so any address will do.
        unsafe {
            for offset in (0..bytes).step_by(64) {
                _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(offset));
            }
            // Values rarely begin where a line of the cache does.
            _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(bytes.saturating_sub(1)));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (rows, count, ahead);
}

/// Squared distances of `R` rows to the centres of one group, after the lanes' start values.
///
/// # Safety
///
/// That of [`Kernel::run`]; `rows` must be valid for `R` rows and `group` one of the lanes' groups.
#[inline(always)]
pub(super) unsafe fn distances<V: Vector, const R: usize>(
    lanes: &Lanes<V::Real>,
    rows: *const V::Real,
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
                let difference = V::splat(*rows.add(r * d + feature)).sub(centre);
                sums[r] = difference.square_add(sums[r]);
            }
        }
        sums
    }
}

impl<T: Real> Kernel for Assign<'_, T> {
    type Real = T;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = T>>(mut self) {
        let n = self.labels.len();
        let tiles = n / TILE * TILE;
        // SAFETY: `apply` checked the lengths; tiles, then single rows, end at `n`.
        unsafe {
            for first in (0..tiles).step_by(TILE) {
                self.tile::<V, TILE>(first);
            }
            for first in tiles..n {
                self.tile::<V, 1>(first);
            }
        }
    }
}

/// Squared distances of each row to every centre.
pub(crate) struct Distances<'a, T> {
    /// The centres.
    pub(crate) lanes: &'a Lanes<T>,
    /// The rows, one after the other.
    pub(crate) rows: &'a [T],
    /// Where to write, [`Lanes::padded`] numbers per row; those beyond `k` are infinite.
    pub(crate) to: &'a mut [T],
}

impl<T: Real> Distances<'_, T> {
    /// Does it.
    pub(crate) fn apply(self) {
        let n = self.to.len() / self.lanes.padded();
        assert_eq!(self.to.len(), n * self.lanes.padded(), "whole rows of distances");
        assert_eq!(self.rows.len(), n * self.lanes.n_features, "rows and distances go together");
        self.lanes.level.run(self);
    }

    /// # Safety
    ///
    /// As for [`Assign::tile`].
    #[inline(always)]
    unsafe fn tile<V: Vector<Real = T>, const R: usize>(&mut self, first: usize) {
        let (d, padded) = (self.lanes.n_features, self.lanes.padded());
        // SAFETY: the caller promises `first + R` rows of data and of distances.
        unsafe {
            let rows = self.rows.as_ptr().add(first * d);
            let to = self.to.as_mut_ptr().add(first * padded);
            for group in 0..padded / V::WIDTH {
                for (r, found) in distances::<V, R>(self.lanes, rows, group).into_iter().enumerate()
                {
                    found.store(to.add(r * padded + group * V::WIDTH));
                }
            }
        }
    }
}

impl<T: Real> Kernel for Distances<'_, T> {
    type Real = T;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = T>>(mut self) {
        let n = self.to.len() / self.lanes.padded();
        let tiles = n / TILE * TILE;
        // SAFETY: `apply` checked the lengths; tiles, then single rows, end at `n`.
        unsafe {
            for first in (0..tiles).step_by(TILE) {
                self.tile::<V, TILE>(first);
            }
            for first in tiles..n {
                self.tile::<V, 1>(first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use proptest::prelude::*;

    /// Labels, sums and distances on one level.
    fn on<T: Real>(
        level: Level,
        centres: &[T],
        rows: &[T],
        weights: Option<&[f64]>,
        d: usize,
    ) -> (Vec<u32>, Sums, Vec<T>) {
        let (k, n) = (centres.len() / d, rows.len() / d);
        let mut lanes = Lanes::new_on(level, k, d);
        lanes.set(centres);
        let mut labels = vec![u32::MAX; n];
        let mut sums = Sums::new(k, d);
        let assign = Assign {
            lanes: &lanes,
            rows,
            weights,
            labels: &mut labels,
            sums: &mut sums,
            update: true,
        };
        assign.apply();
        let mut to = vec![T::zero(); n * lanes.padded()];
        Distances { lanes: &lanes, rows, to: &mut to }.apply();
        let to = to.chunks_exact(lanes.padded()).flat_map(|row| row[..k].to_vec()).collect();
        (labels, sums, to)
    }

    fn levels_agree<T: Real>(centres: &[T], rows: &[T], weights: Option<&[f64]>, d: usize) {
        let fused = on(Level::Fused, centres, rows, weights, d);
        for level in Level::available() {
            let found = on(level, centres, rows, weights, d);
            if level == Level::Plain {
                for (a, b) in found.2.iter().zip(&fused.2) {
                    let (a, b) = (a.wide(), b.wide());
                    assert!((a - b).abs() <= 1e-5 * b.max(1e-30), "{a} {b}");
                }
            } else {
                assert_eq!(found, fused, "{level:?}");
            }
        }
        for (row, &label) in fused.0.iter().enumerate() {
            let distances = &fused.2[row * centres.len() / d..][..centres.len() / d];
            let first = (0..distances.len())
                .reduce(|best, k| if distances[k] < distances[best] { k } else { best });
            assert_eq!(first, Some(label as usize));
        }
    }

    proptest! {
        #[test]
        fn every_level_gives_the_bits_of_the_scalar_twin(
            (d, k, n) in (1usize..20, 1usize..40, 1usize..40),
            seed in any::<u64>(),
            weighted in any::<bool>(),
        ) {
            let mut rng = crate::rng::Rng::stream(seed, crate::rng::Stage::Sample, 0);
            // Few different values, so that there are ties.
            let mut draw = |count: usize| -> Vec<f64> {
                (0..count).map(|_| rng.below(7) as f64 / 3.0 - 1.0).collect()
            };
            let (centres, rows) = (draw(k * d), draw(n * d));
            let weights: Vec<f64> = draw(n).iter().map(|w| w.abs()).collect();
            let weights = weighted.then_some(weights.as_slice());
            levels_agree(&centres, &rows, weights, d);
            let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
            levels_agree(&narrow(&centres), &narrow(&rows), weights, d);
        }
    }
}
