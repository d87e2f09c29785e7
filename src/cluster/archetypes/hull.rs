//! The point of a convex hull that is nearest to a target, by Wolfe's method.
//!
//! Wolfe (1976) keeps a small set of corners and their shares. It moves to the nearest point of the plane through them, lets
//! go of corners whose share would be negative, and takes in the corner that lies farthest in the direction of the target, until
//! no corner lies farther than the point found. Each step comes nearer to the target, so it ends at the nearest point.

/// Corners of a hull.
pub(super) trait Corners {
    /// One of them.
    fn corner(&self, at: usize) -> &[f64];

    /// The corner with the smallest product with `direction`, the lowest among equals.
    fn lowest(&self, direction: &[f64]) -> usize;
}

/// A share that is not told from 0.
const NOTHING: f64 = 1e-14;

/// A step that brings the point nearer by less than this share of the squared size of the problem is the last.
const TOLERANCE: f64 = 1e-13;

/// A point of a hull as a mixture of corners, and room to move it.
#[derive(Debug, Clone, Default)]
pub(super) struct Mixture {
    /// Corners and their positive shares, which sum to 1.
    pub(super) corners: Vec<usize>,
    pub(super) shares: Vec<f64>,
    /// From the target to the corners, and to the point.
    differences: Vec<f64>,
    pub(super) residual: Vec<f64>,
    matrix: Vec<f64>,
    solution: Vec<f64>,
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

impl Mixture {
    /// A corner alone.
    pub(super) fn set(&mut self, corner: usize) {
        self.corners.clear();
        self.shares.clear();
        self.corners.push(corner);
        self.shares.push(1.0);
    }

    /// Moves to the point nearest to `target`, from the mixture as it is; gives the squared distance.
    pub(super) fn approach(&mut self, target: &[f64], hull: &impl Corners) -> f64 {
        let at_most = 20 * (target.len() + self.corners.len()) + 100;
        for _ in 0..at_most {
            let independent = self.settle(target, hull);
            self.measure(target, hull);
            if !independent {
                break;
            }
            let next = hull.lowest(&self.residual);
            let corner = hull.corner(next);
            let ahead: f64 = self
                .residual
                .iter()
                .zip(corner.iter().zip(target))
                .map(|(residual, (corner, target))| residual * (corner - target))
                .sum();
            let d = target.len();
            let sizes =
                self.differences.chunks_exact(d).map(|difference| dot(difference, difference));
            let size = sizes.fold(squared_distance(corner, target), f64::max);
            let gain = dot(&self.residual, &self.residual) - ahead;
            if gain <= TOLERANCE * size || self.corners.contains(&next) {
                break;
            }
            self.corners.push(next);
            self.shares.push(0.0);
        }
        dot(&self.residual, &self.residual)
    }

    /// Fills in where the target is seen from the corners and from the point.
    fn measure(&mut self, target: &[f64], hull: &impl Corners) {
        self.differences.clear();
        self.residual.clear();
        self.residual.resize(target.len(), 0.0);
        for (&corner, &share) in self.corners.iter().zip(&self.shares) {
            for ((&corner, &target), residual) in
                hull.corner(corner).iter().zip(target).zip(&mut self.residual)
            {
                self.differences.push(corner - target);
                *residual += share * (corner - target);
            }
        }
    }

    /// Moves to the nearest point of the plane through the corners, or to where the first shares vanish on the way there, and on
    /// from there without their corners; `false` if the corners lie in a smaller plane, so that the last one was let go.
    fn settle(&mut self, target: &[f64], hull: &impl Corners) -> bool {
        let mut independent = true;
        while self.corners.len() > 1 {
            self.measure(target, hull);
            if !self.solve(target.len()) {
                // Only rounding tells the corners apart: one is not needed, the newest if it has no share yet.
                independent &= self.shares.last().is_some_and(|&share| share > NOTHING);
                let least = |a: usize, b: usize| {
                    if self.shares[b] <= self.shares[a] { b } else { a }
                };
                if let Some(least) = (0..self.shares.len()).reduce(least) {
                    self.corners.remove(least);
                    self.shares.remove(least);
                }
                self.scale();
                continue;
            }
            if self.solution.iter().all(|&share| share > NOTHING) {
                self.shares.copy_from_slice(&self.solution);
                return independent;
            }
            let mut step = 1.0_f64;
            let mut first = None;
            for (at, (&share, &wanted)) in self.shares.iter().zip(&self.solution).enumerate() {
                if wanted <= NOTHING {
                    let reach = if share > wanted { share / (share - wanted) } else { 0.0 };
                    if first.is_none() || reach < step {
                        (step, first) = (reach.min(1.0), Some(at));
                    }
                }
            }
            for (share, wanted) in self.shares.iter_mut().zip(&self.solution) {
                *share += step * (wanted - *share);
            }
            let mut at = 0;
            let shares = &mut self.shares;
            self.corners.retain(|_| {
                let keep = first != Some(at) && shares[at] > NOTHING;
                shares[at] = if keep { shares[at] } else { f64::NAN };
                at += 1;
                keep
            });
            self.shares.retain(|share| !share.is_nan());
            self.scale();
        }
        if let [share] = &mut self.shares[..] {
            *share = 1.0;
        }
        independent
    }

    /// Shares that sum to 1.
    fn scale(&mut self) {
        let total: f64 = self.shares.iter().sum();
        self.shares.iter_mut().for_each(|share| *share /= total);
    }

    /// Shares, of any sign, of the point nearest to the target in the plane through the corners; `false` if they are not
    /// unique.
    fn solve(&mut self, d: usize) -> bool {
        let k = self.corners.len();
        let difference = |at: usize| &self.differences[at * d..(at + 1) * d];
        self.matrix.clear();
        self.matrix.resize(k * k, 0.0);
        let mut size = 0.0_f64;
        for row in 0..k {
            for column in 0..=row {
                self.matrix[row * k + column] = dot(difference(row), difference(column));
            }
            size = size.max(self.matrix[row * k + row]);
        }
        if size == 0.0 {
            return false;
        }
        // The sum of the shares is held by a term of the size of the others.
        self.matrix.iter_mut().for_each(|value| *value = *value / size + 1.0);
        for row in 0..k {
            for column in 0..=row {
                let (above, here) = self.matrix.split_at(row * k);
                let earlier = if column == row { here } else { &above[column * k..] };
                let known = dot(&here[..column], &earlier[..column]);
                let value = here[column] - known;
                if column == row {
                    if value <= 1e-13 {
                        return false;
                    }
                    self.matrix[row * k + row] = value.sqrt();
                } else {
                    self.matrix[row * k + column] = value / self.matrix[column * k + column];
                }
            }
        }
        self.solution.clear();
        for row in 0..k {
            let line = &self.matrix[row * k..];
            let known = dot(&line[..row], &self.solution);
            let value = (1.0 - known) / line[row];
            self.solution.push(value);
        }
        for row in (0..k).rev() {
            let later: f64 =
                (row + 1..k).map(|at| self.matrix[at * k + row] * self.solution[at]).sum();
            self.solution[row] = (self.solution[row] - later) / self.matrix[row * k + row];
        }
        let total: f64 = self.solution.iter().sum();
        self.solution.iter_mut().for_each(|share| *share /= total);
        total.is_finite() && total > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};

    struct Points(Vec<Vec<f64>>);

    impl Corners for Points {
        fn corner(&self, at: usize) -> &[f64] {
            &self.0[at]
        }

        fn lowest(&self, direction: &[f64]) -> usize {
            let product = |at: usize| dot(&self.0[at], direction);
            (0..self.0.len()).reduce(|a, b| if product(b) < product(a) { b } else { a }).unwrap()
        }
    }

    fn point(rng: &mut Rng, d: usize, grid: bool) -> Vec<f64> {
        let round = |value: f64| if grid { value.round() } else { value };
        (0..d).map(|_| round(6.0 * rng.uniform() - 3.0)).collect()
    }

    /// The squared distance by many small steps of projected gradient descent.
    fn slow(target: &[f64], points: &Points) -> f64 {
        let n = points.0.len();
        let at = |shares: &[f64]| -> Vec<f64> {
            (0..target.len())
                .map(|j| (0..n).map(|i| shares[i] * points.0[i][j]).sum::<f64>() - target[j])
                .collect()
        };
        let size: f64 = points.0.iter().map(|point| dot(point, point)).sum();
        let mut shares = vec![1.0 / n as f64; n];
        let (mut momentum, mut before) = (shares.clone(), shares.clone());
        for step in 0..20_000 {
            let residual = at(&momentum);
            let mut moved: Vec<f64> = (0..n)
                .map(|i| momentum[i] - dot(&points.0[i], &residual) / size.max(1e-9))
                .collect();
            // Onto the simplex.
            let mut sorted = moved.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let (mut sum, mut level) = (0.0, 0.0);
            for (count, value) in sorted.iter().enumerate() {
                sum += value;
                if value - (sum - 1.0) / (count + 1) as f64 > 0.0 {
                    level = (sum - 1.0) / (count + 1) as f64;
                }
            }
            moved.iter_mut().for_each(|value| *value = (*value - level).max(0.0));
            shares = moved;
            let pull = step as f64 / (step as f64 + 3.0);
            momentum = shares.iter().zip(&before).map(|(a, b)| a + pull * (a - b)).collect();
            before.clone_from(&shares);
        }
        let residual = at(&shares);
        dot(&residual, &residual)
    }

    #[test]
    fn it_finds_the_nearest_point() {
        for seed in 0..60 {
            let mut rng = Rng::stream(seed, Stage::Reference, 0);
            let (n, d, grid) = (1 + rng.below(9), 1 + rng.below(4), seed % 3 == 0);
            let points = Points((0..n).map(|_| point(&mut rng, d, grid)).collect());
            let mut mixture = Mixture::default();
            mixture.set(0);
            // From where the last target left it, too.
            for _ in 0..4 {
                let target: Vec<f64> = point(&mut rng, d, grid);
                let found = mixture.approach(&target, &points);
                let wanted = slow(&target, &points);
                assert!((found - wanted).abs() < 1e-4 * (1.0 + wanted), "{found} {wanted}");
                // No corner lies farther than the point found: the condition of the nearest one.
                for corner in &points.0 {
                    let ahead: f64 =
                        (0..d).map(|j| mixture.residual[j] * (corner[j] - target[j])).sum();
                    assert!(found - ahead <= 1e-9 * (1.0 + found), "{found} {ahead}");
                }
                assert!(mixture.shares.iter().all(|&share| share > 0.0));
                assert!((mixture.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }
}
