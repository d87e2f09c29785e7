//! What replacing each medoid by one candidate would change, from one row of distances.
//!
//! Schubert and Rousseeuw (2021), Fast and eager k-medoids clustering, Information Systems 101: beside what removing a medoid
//! costs, a row adds to the candidate's gain, and to the loss of its own medoid alone. So one pass over the candidate's
//! row judges all k swaps. Up to eight medoids the sums of all of them stay in registers, eight lanes each, and the pass is
//! bound by reading distances; beyond, only the rows that the candidate is near to are visited one by one.
//!
//! Sums have eight lanes on every instruction set, folded in one order, and no fused operations: the bits are the same.

use super::gower::Distance;
use super::vector::Vector;
use super::{Kernel, Level};

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

    pub(super) fn judge_on<T: Distance>(&self, level: Level, row: &[T], deltas: &mut [f64]) -> f64 {
        assert!(row.len() == self.n && deltas.len() == self.k, "one distance per row");
        let mut shared = 0.0;
        level.run(Judge { standing: self, row, deltas, shared: &mut shared });
        shared
    }
}

impl Standing {
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
        let mut sum = 0.0;
        Level::best::<f64>(usize::MAX).run(Sum::<T, GAIN> { standing: self, row, sum: &mut sum });
        sum
    }
}

struct Sum<'a, T, const GAIN: bool> {
    standing: &'a Standing,
    row: &'a [T],
    sum: &'a mut f64,
}

impl<T: Distance, const GAIN: bool> Kernel for Sum<'_, T, GAIN> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let mut sums = [0.0; LANES];
        for at in (0..self.standing.near.len()).step_by(LANES) {
            let near = eight(&self.standing.near[at..at + LANES]);
            let weights = match &self.standing.weights {
                Some(weights) => eight(&weights[at..at + LANES]),
                None => [1.0; LANES],
            };
            let distances = lanes_of(self.row, at);
            for lane in 0..LANES {
                let term = if GAIN {
                    let gain = near[lane] - distances[lane];
                    if gain > 0.0 { gain } else { 0.0 }
                } else {
                    distances[lane]
                };
                sums[lane] += weights[lane] * term;
            }
        }
        *self.sum = fold(sums);
    }
}

struct Judge<'a, T> {
    standing: &'a Standing,
    row: &'a [T],
    deltas: &'a mut [f64],
    shared: &'a mut f64,
}

impl<T: Distance> Kernel for Judge<'_, T> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(mut self) {
        if self.standing.weights.is_some() { self.sized::<true>() } else { self.sized::<false>() }
    }
}

/// Eight numbers; the compiler puts them into one register, or two.
type Eight = [f64; LANES];

#[inline(always)]
fn eight(values: &[f64]) -> Eight {
    std::array::from_fn(|lane| values[lane])
}

/// What eight rows add to the shared gain and to the loss of their own medoids.
#[inline(always)]
fn terms<const WEIGHTED: bool>(
    distances: Eight,
    near: Eight,
    second: Eight,
    weights: Eight,
) -> (Eight, Eight) {
    let mut gain: Eight = std::array::from_fn(|lane| {
        let gain = distances[lane] - near[lane];
        if gain < 0.0 { gain } else { 0.0 }
    });
    let mut loss: Eight = std::array::from_fn(|lane| {
        let (distance, near, second) = (distances[lane], near[lane], second[lane]);
        let least = if distance < second { distance } else { second };
        let middle = if least > near { least } else { near };
        middle - second
    });
    if WEIGHTED {
        for lane in 0..LANES {
            gain[lane] *= weights[lane];
            loss[lane] *= weights[lane];
        }
    }
    (gain, loss)
}

/// The distances from `at` on, zeros behind the last.
#[inline(always)]
fn lanes_of<T: Distance>(row: &[T], at: usize) -> Eight {
    let row = &row[at..row.len().min(at + LANES)];
    if let Ok(row) = <&[T; LANES]>::try_from(row) {
        return row.map(T::wide);
    }
    std::array::from_fn(|lane| row.get(lane).map_or(0.0, |value| value.wide()))
}

#[inline(always)]
fn fold(lanes: Eight) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

impl<T: Distance> Judge<'_, T> {
    #[inline(always)]
    fn sized<const WEIGHTED: bool>(&mut self) {
        match self.standing.k {
            2 => self.few::<2, WEIGHTED>(),
            3 => self.few::<3, WEIGHTED>(),
            4 => self.few::<4, WEIGHTED>(),
            5 => self.few::<5, WEIGHTED>(),
            6 => self.few::<6, WEIGHTED>(),
            7 => self.few::<7, WEIGHTED>(),
            8 => self.few::<8, WEIGHTED>(),
            _ => self.many::<WEIGHTED>(),
        }
    }

    #[inline(always)]
    fn weights<const WEIGHTED: bool>(&self, at: usize) -> Eight {
        match &self.standing.weights {
            Some(weights) if WEIGHTED => eight(&weights[at..at + LANES]),
            _ => [1.0; LANES],
        }
    }

    #[inline(always)]
    fn few<const K: usize, const WEIGHTED: bool>(&mut self) {
        let standing = self.standing;
        let mut sums = [[0.0; LANES]; K];
        let mut shared = [0.0; LANES];
        for at in (0..standing.near.len()).step_by(LANES) {
            let near = eight(&standing.near[at..at + LANES]);
            let second = eight(&standing.second[at..at + LANES]);
            let marks = eight(&standing.marks[at..at + LANES]);
            let weights = self.weights::<WEIGHTED>(at);
            let (gain, loss) = terms::<WEIGHTED>(lanes_of(self.row, at), near, second, weights);
            for lane in 0..LANES {
                shared[lane] += gain[lane];
            }
            for (medoid, sums) in sums.iter_mut().enumerate() {
                for lane in 0..LANES {
                    sums[lane] += if marks[lane] == medoid as f64 { loss[lane] } else { 0.0 };
                }
            }
        }
        self.deltas.iter_mut().zip(sums).for_each(|(delta, sums)| *delta += fold(sums));
        *self.shared = fold(shared);
    }

    #[inline(always)]
    fn many<const WEIGHTED: bool>(&mut self) {
        let standing = self.standing;
        let mut shared = [0.0; LANES];
        for at in (0..standing.near.len()).step_by(LANES) {
            let near = eight(&standing.near[at..at + LANES]);
            let second = eight(&standing.second[at..at + LANES]);
            let weights = self.weights::<WEIGHTED>(at);
            let (gain, loss) = terms::<WEIGHTED>(lanes_of(self.row, at), near, second, weights);
            for lane in 0..LANES {
                shared[lane] += gain[lane];
            }
            let mut any = 0_u32;
            for lane in 0..LANES {
                any |= u32::from(loss[lane] < 0.0) << lane;
            }
            while any != 0 {
                let lane = any.trailing_zeros() as usize;
                any &= any - 1;
                self.deltas[standing.labels[at + lane] as usize] += loss[lane];
            }
        }
        *self.shared = fold(shared);
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
