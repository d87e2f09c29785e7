//! What replacing each medoid by one candidate would change, from one row of distances.
//!
//! Schubert and Rousseeuw (2021), Fast and eager k-medoids clustering, Information Systems 101: beside what removing a medoid
//! costs, a row adds to the candidate's gain, and to the loss of its own medoid alone. So one pass over the candidate's
//! row judges all k swaps. Up to eight medoids the sums of all of them stay in registers, eight lanes each, and the pass is
//! bound by reading distances; beyond, only the rows that the candidate is near to are visited one by one.
//!
//! Sums have eight lanes on every instruction set, folded in one order, and no fused operations: the bits are the same.

use super::Level;
use super::eight::{Eight, Task};
use super::gower::Distance;

/// Lanes of every sum.
pub(crate) const LANES: usize = 8;

/// Where each row stands: distances to its nearest and second medoid and which is the nearest, padded to full lanes.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    n: usize,
    k: usize,
    /// Distance to the nearest medoid.
    pub(crate) near: Vec<f64>,
    /// Distance to the second medoid.
    pub(crate) second: Vec<f64>,
    /// Which medoid is the nearest.
    pub(crate) labels: Vec<u32>,
    /// The same as numbers, for comparison in lanes.
    marks: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Standing {
    /// Room for `n` rows and `k` medoids.
    pub(crate) fn new(n: usize, k: usize, weights: Option<&[f64]>) -> Self {
        let padded = n.next_multiple_of(LANES);
        let weights = weights.map(|weights| {
            let mut weights = weights.to_vec();
            weights.resize(padded, 0.0);
            weights
        });
        let zeros = || vec![0.0; padded];
        Self {
            n,
            k,
            near: zeros(),
            second: zeros(),
            labels: vec![0; padded],
            marks: zeros(),
            weights,
        }
    }

    /// Weight of a row.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// To be called once `labels` changed.
    pub(crate) fn settle(&mut self) {
        for (mark, &label) in self.marks.iter_mut().zip(&self.labels) {
            *mark = f64::from(label);
        }
    }

    /// Adds to `deltas` what swapping each medoid for the candidate with these distances changes, beside the loss of removing
    /// it; gives what is gained whichever is swapped (not positive).
    pub(crate) fn judge<T: Distance>(&self, row: &[T], deltas: &mut [f64]) -> f64 {
        self.judge_on(Level::best::<f64>(usize::MAX), row, deltas)
    }

    fn judge_on<T: Distance>(&self, level: Level, row: &[T], deltas: &mut [f64]) -> f64 {
        assert!(row.len() == self.n && deltas.len() == self.k, "one distance per row");
        self.assert_padded();
        let mut shared = 0.0;
        super::eight::run(level, Judge { standing: self, row, deltas, shared: &mut shared });
        shared
    }

    /// Weighted sum of a candidate's distances.
    pub(crate) fn total<T: Distance>(&self, row: &[T]) -> f64 {
        self.sum::<T, false>(row)
    }

    /// What the loss falls by if the candidate becomes one more medoid.
    pub(crate) fn gain<T: Distance>(&self, row: &[T]) -> f64 {
        self.sum::<T, true>(row)
    }

    fn sum<T: Distance, const GAIN: bool>(&self, row: &[T]) -> f64 {
        assert_eq!(row.len(), self.n, "one distance per row");
        self.assert_padded();
        let mut sum = 0.0;
        let task = Sum::<T, GAIN> { standing: self, row, sum: &mut sum };
        super::eight::run(Level::best::<f64>(usize::MAX), task);
        sum
    }

    /// What the kernels rely on.
    fn assert_padded(&self) {
        let padded = self.n.next_multiple_of(LANES);
        let weights = self.weights.as_ref().map_or(padded, Vec::len);
        let lengths = [self.near.len(), self.second.len(), self.marks.len(), weights];
        assert_eq!(lengths, [padded; 4], "columns of full lanes");
    }

    /// Eight values from `at` on.
    ///
    /// # Safety
    ///
    /// That of [`Eight`]; `values` must be one of the padded columns and `at` a multiple of eight within.
    #[inline(always)]
    unsafe fn lanes<E: Eight>(values: &[f64], at: usize) -> E {
        debug_assert!(at + LANES <= values.len());
        // SAFETY: the caller's promise.
        unsafe { E::load(values.as_ptr().add(at)) }
    }

    /// Eight weights, where there are any.
    ///
    /// # Safety
    ///
    /// As for [`Standing::lanes`].
    #[inline(always)]
    unsafe fn weighted<E: Eight>(&self, at: usize, value: E) -> E {
        match &self.weights {
            // SAFETY: the caller's promise.
            Some(weights) => unsafe { value.mul(Self::lanes(weights, at)) },
            None => value,
        }
    }
}

/// The distances from `at` on, zeros behind the last.
///
/// # Safety
///
/// That of [`Eight`].
#[inline(always)]
unsafe fn distances<E: Eight, T: Distance>(row: &[T], at: usize) -> E {
    // SAFETY: eight distances are there, or copied.
    unsafe {
        if at + LANES <= row.len() {
            return T::eight(row.as_ptr().add(at));
        }
        let mut rest = [0.0; LANES];
        for (to, distance) in rest.iter_mut().zip(&row[at..]) {
            *to = distance.wide();
        }
        E::load(rest.as_ptr())
    }
}

/// # Safety
///
/// That of [`Eight`].
#[inline(always)]
unsafe fn fold<E: Eight>(lanes: E) -> f64 {
    let mut values = [0.0; LANES];
    // SAFETY: the caller's promise; there is room for eight.
    unsafe { lanes.store(values.as_mut_ptr()) };
    let [a, b, c, d, e, f, g, h] = values;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

struct Sum<'a, T, const GAIN: bool> {
    standing: &'a Standing,
    row: &'a [T],
    sum: &'a mut f64,
}

impl<T: Distance, const GAIN: bool> Task for Sum<'_, T, GAIN> {
    #[inline(always)]
    unsafe fn run<E: Eight>(self) {
        let standing = self.standing;
        // SAFETY: the caller's promise; the columns are padded to full lanes.
        unsafe {
            let zero = E::splat(0.0);
            let mut sum = zero;
            for at in (0..standing.near.len()).step_by(LANES) {
                let mut term: E = distances(self.row, at);
                if GAIN {
                    term = Standing::lanes::<E>(&standing.near, at).sub(term).max(zero);
                }
                sum = sum.add(standing.weighted(at, term));
            }
            *self.sum = fold(sum);
        }
    }
}

struct Judge<'a, T> {
    standing: &'a Standing,
    row: &'a [T],
    deltas: &'a mut [f64],
    shared: &'a mut f64,
}

impl<T: Distance> Task for Judge<'_, T> {
    #[inline(always)]
    unsafe fn run<E: Eight>(self) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.standing.k {
                2 => self.few::<E, 2>(),
                3 => self.few::<E, 3>(),
                4 => self.few::<E, 4>(),
                5 => self.few::<E, 5>(),
                6 => self.few::<E, 6>(),
                7 => self.few::<E, 7>(),
                8 => self.few::<E, 8>(),
                _ => self.many::<E>(),
            }
        }
    }
}

impl<T: Distance> Judge<'_, T> {
    /// What the eight rows from `at` on add to the shared gain and to the loss of their own medoids.
    ///
    /// # Safety
    ///
    /// That of [`Eight`]; `at` must be a multiple of eight within the columns.
    #[inline(always)]
    unsafe fn terms<E: Eight>(&self, at: usize) -> (E, E) {
        let standing = self.standing;
        // SAFETY: the caller's promise.
        unsafe {
            let distance: E = distances(self.row, at);
            let near: E = Standing::lanes(&standing.near, at);
            let second: E = Standing::lanes(&standing.second, at);
            let gain = distance.sub(near).min(E::splat(0.0));
            let loss = distance.min(second).max(near).sub(second);
            (standing.weighted(at, gain), standing.weighted(at, loss))
        }
    }

    /// # Safety
    ///
    /// That of [`Eight`].
    #[inline(always)]
    unsafe fn few<E: Eight, const K: usize>(self) {
        // SAFETY: the caller's promise; the columns are padded to full lanes.
        unsafe {
            let mut sums = [E::splat(0.0); K];
            let mut shared = E::splat(0.0);
            for at in (0..self.standing.near.len()).step_by(LANES) {
                let (gain, loss) = self.terms::<E>(at);
                let marks: E = Standing::lanes(&self.standing.marks, at);
                shared = shared.add(gain);
                for medoid in 0..K {
                    sums[medoid] =
                        sums[medoid].add_where_equal(loss, marks, E::splat(medoid as f64));
                }
            }
            for medoid in 0..K {
                self.deltas[medoid] += fold(sums[medoid]);
            }
            *self.shared = fold(shared);
        }
    }

    /// # Safety
    ///
    /// That of [`Eight`].
    #[inline(always)]
    unsafe fn many<E: Eight>(self) {
        // SAFETY: the caller's promise; the columns are padded to full lanes.
        unsafe {
            let mut shared = E::splat(0.0);
            let mut losses = [0.0; LANES];
            for at in (0..self.standing.near.len()).step_by(LANES) {
                let (gain, loss) = self.terms::<E>(at);
                shared = shared.add(gain);
                let mut lanes = loss.negative();
                if lanes == 0 {
                    continue;
                }
                loss.store(losses.as_mut_ptr());
                let labels = &self.standing.labels[at..at + LANES];
                while lanes != 0 {
                    let lane = lanes.trailing_zeros() as usize % LANES;
                    lanes &= lanes - 1;
                    self.deltas[labels[lane] as usize] += losses[lane];
                }
            }
            *self.shared = fold(shared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};

    fn drawn(n: usize, k: usize, weighted: bool) -> (Standing, Vec<f64>) {
        let mut rng = Rng::stream((n * 31 + k) as u64, Stage::Reference, 0);
        let weights: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
        let mut standing = Standing::new(n, k, weighted.then_some(&weights[..]));
        for row in 0..n {
            standing.near[row] = rng.uniform();
            standing.second[row] = standing.near[row] + rng.uniform();
            standing.labels[row] = rng.below(k) as u32;
        }
        standing.settle();
        (standing, (0..n).map(|_| 2.0 * rng.uniform()).collect())
    }

    #[test]
    fn swaps_are_judged_as_by_the_definition_on_every_instruction_set() {
        for weighted in [false, true] {
            for (n, k) in [(3, 2), (8, 3), (100, 5), (1003, 8), (1003, 9), (500, 40)] {
                let (standing, row) = drawn(n, k, weighted);
                let mut expected = vec![0.0; k];
                let mut gain = 0.0;
                for (at, &distance) in row.iter().enumerate() {
                    let (near, second) = (standing.near[at], standing.second[at]);
                    gain += standing.weight(at) * (distance - near).min(0.0);
                    expected[standing.labels[at] as usize] +=
                        standing.weight(at) * (distance.clamp(near, second) - second);
                }
                let judged = |level| {
                    let mut deltas = vec![0.0; k];
                    let shared = standing.judge_on(level, &row, &mut deltas);
                    (shared, deltas)
                };
                let plain = judged(Level::Plain);
                assert!((plain.0 - gain).abs() < 1e-9);
                for (found, expected) in plain.1.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
                }
                assert!(Level::available().into_iter().all(|level| judged(level) == plain));
                let total: f64 = (0..n).map(|at| standing.weight(at) * row[at]).sum();
                assert!((standing.total(&row) - total).abs() < 1e-9);
                assert!((standing.gain(&row) + gain).abs() < 1e-9);
            }
        }
    }
}
