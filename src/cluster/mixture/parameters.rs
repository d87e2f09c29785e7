//! The parameters of a mixture, and the step that maximises them.

use serde::{Deserialize, Serialize};

use super::algebra::{cholesky, invert_lower};
use super::moments::Overall;
use crate::cluster::order::permuted;
use crate::simd::{Components, MixtureSums, Second, Shape, Triangle};

/// What the components' covariances may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CovarianceType {
    /// Any covariance, one for each component.
    Full,
    /// Any covariance, the same for all components.
    Tied,
    /// A variance for each feature of each component.
    Diag,
    /// One variance for each component.
    Spherical,
}

impl CovarianceType {
    /// Shape of the covariances of `k` components in `d` dimensions, as scikit-learn has it.
    pub fn shape(self, k: usize, d: usize) -> Vec<usize> {
        match self {
            Self::Full => vec![k, d, d],
            Self::Tied => vec![d, d],
            Self::Diag => vec![k, d],
            Self::Spherical => vec![k],
        }
    }

    /// Numbers that the covariances take.
    pub(super) fn len(self, k: usize, d: usize) -> usize {
        self.shape(k, d).into_iter().product()
    }

    /// Whether covariances between features are free.
    pub(super) fn has_matrices(self) -> bool {
        matches!(self, Self::Full | Self::Tied)
    }

    /// Parameters that are free: weights, means and covariances.
    pub fn n_parameters(self, k: usize, d: usize) -> usize {
        let matrix = d * (d + 1) / 2;
        let covariances = match self {
            Self::Full => k * matrix,
            Self::Tied => matrix,
            Self::Diag => k * d,
            Self::Spherical => k,
        };
        k - 1 + k * d + covariances
    }
}

/// Weights, means about the origin and covariances, with what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameters {
    pub(super) kind: CovarianceType,
    pub(super) k: usize,
    pub(super) d: usize,
    pub(super) weights: Vec<f64>,
    pub(super) means: Vec<f64>,
    /// In scikit-learn's shape.
    pub(super) covariances: Vec<f64>,
    /// Inverse lower Cholesky factors of the covariances, or one over the standard deviations; the same shape.
    pub(super) factors: Vec<f64>,
    /// Components whose covariance was not positive definite and was widened.
    pub(super) widened: Vec<bool>,
}

impl Parameters {
    /// Equal weights and the covariance of all rows, at these means.
    pub(super) fn at(kind: CovarianceType, means: Vec<f64>, overall: &Overall, ridge: f64) -> Self {
        let d = overall.variances.len();
        let k = means.len() / d;
        let len = kind.len(k, d);
        let covariances = match kind {
            CovarianceType::Full => overall.covariance.repeat(k),
            CovarianceType::Tied => overall.covariance.clone(),
            CovarianceType::Diag => overall.variances.repeat(k),
            CovarianceType::Spherical => vec![overall.variance; k],
        };
        let (weights, widened) = (vec![1.0 / k as f64; k], vec![false; k]);
        let mut found =
            Self { kind, k, d, weights, means, covariances, factors: vec![0.0; len], widened };
        found.add_ridge(ridge);
        found.factorise(overall);
        found
    }

    /// The component's covariance and factor as ranges of the flat arrays, and its width.
    fn part(&self, component: usize) -> std::ops::Range<usize> {
        let (component, len) = match self.kind {
            CovarianceType::Full => (component, self.d * self.d),
            CovarianceType::Tied => (0, self.d * self.d),
            CovarianceType::Diag => (component, self.d),
            CovarianceType::Spherical => (component, 1),
        };
        component * len..(component + 1) * len
    }

    fn add_ridge(&mut self, ridge: f64) {
        let d = self.d;
        if self.kind.has_matrices() {
            for matrix in self.covariances.chunks_exact_mut(d * d) {
                (0..d).for_each(|i| matrix[i * d + i] += ridge);
            }
        } else {
            self.covariances.iter_mut().for_each(|variance| *variance += ridge);
        }
    }

    /// Finds the factors of the covariances, widening those that are not positive definite.
    pub(super) fn factorise(&mut self, overall: &Overall) {
        let (kind, d, k) = (self.kind, self.d, self.k);
        self.widened.fill(false);
        if kind.has_matrices() {
            let matrices = self.covariances.chunks_exact_mut(d * d);
            for (at, (matrix, factor)) in
                matrices.zip(self.factors.chunks_exact_mut(d * d)).enumerate()
            {
                let mut share = 1e-12;
                while !cholesky(matrix, factor, d) {
                    for i in 0..d {
                        let variance = &mut matrix[i * d + i];
                        *variance += share * variance.abs().max(overall.floor(i));
                    }
                    share *= 10.0;
                    if share > 1.0 {
                        matrix.fill(0.0);
                        (0..d).for_each(|i| matrix[i * d + i] = overall.floor(i));
                    }
                    let widened = if kind == CovarianceType::Tied { 0..k } else { at..at + 1 };
                    self.widened[widened].fill(true);
                }
                invert_lower(factor, d);
            }
        } else {
            let width = self.covariances.len() / k;
            for (at, variance) in self.covariances.iter_mut().enumerate() {
                let floor = overall.floor(if width == 1 { 0 } else { at % width });
                if *variance <= floor * 1e-24 {
                    *variance = floor * 1e-12;
                    self.widened[at / width] = true;
                }
                self.factors[at] = 1.0 / variance.sqrt();
            }
        }
    }

    /// The parameters that maximise the expected likelihood of the sums, whose moments are about `points`.
    ///
    /// A component without rows keeps its place and its covariance at weight 0.
    pub(super) fn maximise(
        &mut self,
        sums: &MixtureSums,
        points: &[f64],
        overall: &Overall,
        ridge: f64,
    ) {
        let (k, d) = (self.k, self.d);
        let total: f64 = sums.weights.iter().sum();
        for component in 0..k {
            let weight = sums.weights[component];
            let alive = weight > total * 1e-16;
            self.weights[component] = if alive { weight / total } else { 0.0 };
            if alive {
                let part = component * d..(component + 1) * d;
                let moved = points[part.clone()].iter().zip(&sums.first[part.clone()]);
                for (mean, (point, sum)) in self.means[part].iter_mut().zip(moved) {
                    *mean = point + sum / weight;
                }
            }
        }
        if self.kind == CovarianceType::Tied {
            self.covariances.fill(0.0);
            if sums.kind == Second::None {
                self.covariances.copy_from_slice(&overall.covariance);
            }
        }
        for component in 0..k {
            if self.weights[component] > 0.0 {
                self.maximise_covariance(component, sums, points, total, ridge);
            }
        }
        if self.kind == CovarianceType::Tied {
            if sums.kind == Second::Pooled {
                let triangle = Triangle(d);
                for i in 0..d {
                    for j in 0..d {
                        let moment = sums.second[triangle.at(i.max(j), i.min(j))] / total;
                        self.covariances[i * d + j] += moment;
                    }
                }
            }
            self.add_ridge(ridge);
        }
        self.factorise(overall);
    }

    fn maximise_covariance(
        &mut self,
        component: usize,
        sums: &MixtureSums,
        points: &[f64],
        total: f64,
        ridge: f64,
    ) {
        let d = self.d;
        let weight = sums.weights[component];
        let (means, points) = (&self.means[component * d..][..d], &points[component * d..][..d]);
        let moved = |i: usize| means[i] - points[i];
        let part = self.part(component);
        let covariance = &mut self.covariances[part];
        match self.kind {
            CovarianceType::Full => {
                let triangle = Triangle(d);
                let second = &sums.second[component * triangle.len()..];
                for i in 0..d {
                    for j in 0..=i {
                        let value = second[triangle.at(i, j)] / weight - moved(i) * moved(j);
                        covariance[i * d + j] = value;
                        covariance[j * d + i] = value;
                    }
                    let variance = &mut covariance[i * d + i];
                    *variance = variance.max(0.0) + ridge;
                }
            }
            CovarianceType::Tied => {
                let share = weight / total;
                let about_points = sums.kind == Second::Pooled;
                for i in 0..d {
                    for j in 0..d {
                        covariance[i * d + j] -= share
                            * if about_points { moved(i) * moved(j) } else { means[i] * means[j] };
                    }
                }
            }
            CovarianceType::Diag | CovarianceType::Spherical => {
                let squares = &sums.second[component * d..];
                let variance = |i: usize| (squares[i] / weight - moved(i) * moved(i)).max(0.0);
                if self.kind == CovarianceType::Diag {
                    covariance.iter_mut().enumerate().for_each(|(i, to)| *to = variance(i) + ridge);
                } else {
                    covariance[0] = (0..d).map(variance).sum::<f64>() / d as f64 + ridge;
                }
            }
        }
    }

    /// Whether so much was cancelled in the covariances that the moments should be taken again, nearer to the means.
    pub(super) fn cancelled(&self, sums: &MixtureSums, points: &[f64], overall: &Overall) -> bool {
        let d = self.d;
        let far = |component: usize| {
            let part = self.part(component);
            (0..d).any(|i| {
                let at = match self.kind {
                    CovarianceType::Full | CovarianceType::Tied => i * d + i,
                    CovarianceType::Diag => i,
                    CovarianceType::Spherical => 0,
                };
                let moved = if sums.kind == Second::None {
                    overall.variances[i].sqrt()
                } else {
                    self.means[component * d + i] - points[component * d + i]
                };
                moved * moved > 1e4 * self.covariances[part.start + at]
            })
        };
        (0..self.k).any(|component| self.weights[component] > 0.0 && far(component))
    }

    /// Lays the parameters out for the pass over the rows.
    pub(super) fn lay_out(&self, to: &mut Components) {
        let (k, d) = (self.k, self.d);
        let triangle = Triangle(d);
        let normal = 0.5 * d as f64 * (2.0 * std::f64::consts::PI).ln();
        for component in 0..k {
            let factor = &self.factors[self.part(component)];
            let diagonal: f64 = match self.kind {
                CovarianceType::Spherical => d as f64 * factor[0].ln(),
                CovarianceType::Diag => factor.iter().map(|value| value.ln()).sum(),
                _ => (0..d).map(|i| factor[i * d + i].ln()).sum(),
            };
            let weight = self.weights[component];
            // A component without weight must lose against any other, without infinity.
            to.constants[component] =
                if weight > 0.0 { weight.ln() + diagonal - normal } else { -1e302 };
            let means = &self.means[component * d..][..d];
            let laid = &mut to.means[component * d..][..d];
            if self.kind == CovarianceType::Tied {
                for (i, to) in laid.iter_mut().enumerate() {
                    *to = (0..=i).map(|j| factor[i * d + j] * means[j]).sum();
                }
            } else {
                laid.copy_from_slice(means);
            }
            match self.kind {
                CovarianceType::Full | CovarianceType::Tied => {
                    let at = if self.kind == CovarianceType::Full { component } else { 0 };
                    let laid = &mut to.factors[at * triangle.len()..][..triangle.len()];
                    for i in 0..d {
                        (0..=i).for_each(|j| laid[triangle.at(i, j)] = factor[i * d + j]);
                    }
                }
                CovarianceType::Diag => to.factors[component * d..][..d].copy_from_slice(factor),
                CovarianceType::Spherical => to.factors[component * d..][..d].fill(factor[0]),
            }
        }
    }

    /// Room for [`Parameters::lay_out`].
    pub(super) fn room(&self) -> Components {
        let (shape, factors) = match self.kind {
            CovarianceType::Full => (Shape::Full, self.k * Triangle(self.d).len()),
            CovarianceType::Tied => (Shape::Tied, Triangle(self.d).len()),
            _ => (Shape::Diagonal, self.k * self.d),
        };
        Components {
            shape,
            constants: vec![0.0; self.k],
            means: vec![0.0; self.k * self.d],
            factors: vec![0.0; factors],
        }
    }

    /// Components that shrank onto few rows, or onto a plane, in a direction in which the data as a whole vary.
    pub(super) fn collapsed(&self, overall: &Overall, ridge: f64) -> Vec<usize> {
        let d = self.d;
        let shrunk = |component: usize| {
            let factor = &self.factors[self.part(component)];
            // What the features before do not explain of each feature's variance.
            let free = |i: usize| match self.kind {
                CovarianceType::Full | CovarianceType::Tied => factor[i * d + i].powi(-2),
                CovarianceType::Diag => factor[i].powi(-2),
                CovarianceType::Spherical => factor[0].powi(-2),
            };
            let of_all = |i: usize| match self.kind {
                CovarianceType::Spherical => overall.variance,
                _ => overall.free[i],
            };
            (0..d).any(|i| {
                let least = 2.0 * ridge + 1e-11 * of_all(i);
                of_all(i) > 100.0 * least && free(i) <= least
            })
        };
        let found = |&component: &usize| {
            self.weights[component] > 0.0 && (self.widened[component] || shrunk(component))
        };
        (0..self.k).filter(found).collect()
    }

    /// The components in another order.
    pub(super) fn reorder(&mut self, order: &[usize]) {
        self.weights = permuted(&self.weights, 1, order);
        self.means = permuted(&self.means, self.d, order);
        if self.kind != CovarianceType::Tied {
            let width = self.covariances.len() / self.k;
            self.covariances = permuted(&self.covariances, width, order);
            self.factors = permuted(&self.factors, width, order);
        }
        self.widened = permuted(&self.widened, 1, order);
    }
}
