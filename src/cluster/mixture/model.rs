//! A fitted mixture: densities, shares, criteria, saving.

use std::ops::Range;

use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};
use ndarray::{ArrayD, ArrayView2};
use serde::{Deserialize, Serialize};

use super::algebra::{gram, transposed};
use super::moments::Overall;
use super::parameters::Parameters;
use super::{Candidate, CovarianceType, GaussianMixture};
use crate::cluster::lloyd::compare;
use crate::cluster::order::canonical;
use crate::cluster::rows::Rows;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::persist::{Persist, broken};
use crate::simd::{Components, MixturePass, Real, Scratch, Second, Shares, Written};

/// A fitted Gaussian mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianMixtureModel {
    covariance_type: CovarianceType,
    /// Mean of the training rows; the components' means are told about it.
    origin: Vec<f64>,
    weights: Vec<f64>,
    means: Vec<f64>,
    covariances: Vec<f64>,
    /// Inverse lower Cholesky factors.
    factors: Vec<f64>,
    lower_bound: f64,
    n_iter: usize,
    converged: bool,
    collapsed: Vec<usize>,
    constant: Vec<usize>,
    names: Vec<String>,
}

/// Sums over rows that the criteria are made of.
struct Totals {
    weight: f64,
    log_likelihood: f64,
    /// Of the shares.
    entropy: f64,
}

impl GaussianMixtureModel {
    pub(super) fn new(params: &GaussianMixture, found: Candidate, overall: Overall) -> Self {
        let Candidate { mut parameters, ending, mut collapsed } = found;
        let d = parameters.d;
        let mean = |at: usize| &parameters.means[at * d..(at + 1) * d];
        let tie = |a: usize, b: usize| compare(mean(a), mean(b));
        if params.given.means.is_none()
            && let Some(order) = canonical(&parameters.weights, tie)
        {
            parameters.reorder(&order);
            collapsed = (0..order.len()).filter(|&at| collapsed.contains(&order[at])).collect();
        }
        Self {
            covariance_type: params.covariance_type,
            origin: overall.origin,
            weights: parameters.weights,
            means: parameters.means,
            covariances: parameters.covariances,
            factors: parameters.factors,
            lower_bound: ending.lower_bound,
            n_iter: ending.n_iter,
            converged: ending.converged,
            collapsed,
            constant: overall.constant,
            names: params.names.clone(),
        }
    }

    /// Number of components.
    pub fn n_components(&self) -> usize {
        self.weights.len()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.origin.len()
    }

    /// What the covariances look like.
    pub fn covariance_type(&self) -> CovarianceType {
        self.covariance_type
    }

    /// Share of each component; they sum to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The means, `(n_components, n_features)`.
    pub fn means(&self) -> Array2<f64> {
        let d = self.n_features();
        Array2::from_shape_fn((self.n_components(), d), |(component, feature)| {
            self.origin[feature] + self.means[component * d + feature]
        })
    }

    fn shaped(&self, values: Vec<f64>) -> ArrayD<f64> {
        let shape = self.covariance_type.shape(self.n_components(), self.n_features());
        ArrayD::from_shape_vec(shape, values).unwrap_or_default()
    }

    /// The covariances, in the shape of [`CovarianceType::shape`].
    pub fn covariances(&self) -> ArrayD<f64> {
        self.shaped(self.covariances.clone())
    }

    /// The upper triangles `U` whose `U U^T` are the inverse covariances; or one over the standard deviations.
    pub fn precisions_cholesky(&self) -> ArrayD<f64> {
        let d = self.n_features();
        self.shaped(if self.covariance_type.has_matrices() {
            self.factors.chunks_exact(d * d).flat_map(|factor| transposed(factor, d)).collect()
        } else {
            self.factors.clone()
        })
    }

    /// The inverse covariances.
    pub fn precisions(&self) -> ArrayD<f64> {
        let d = self.n_features();
        self.shaped(if self.covariance_type.has_matrices() {
            self.factors.chunks_exact(d * d).flat_map(|factor| gram(factor, d)).collect()
        } else {
            self.factors.iter().map(|value| value * value).collect()
        })
    }

    /// Mean log density of the training rows before the last step.
    pub fn lower_bound(&self) -> f64 {
        self.lower_bound
    }

    /// Iterations of the best start.
    pub fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// Whether the best start settled before `max_iter`.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Components that shrank onto few rows or a plane: their density says more of `reg_covar` than of the data.
    pub fn collapsed(&self) -> &[usize] {
        &self.collapsed
    }

    /// Columns that did not vary; `reg_covar` alone is their variance.
    pub fn constant(&self) -> &[usize] {
        &self.constant
    }

    /// Components that have a weight; fewer than asked for where fewer rows differ.
    pub fn n_found(&self) -> usize {
        self.weights.iter().filter(|&&weight| weight > 0.0).count()
    }

    /// Free parameters: weights, means and covariances.
    pub fn n_parameters(&self) -> usize {
        self.covariance_type.n_parameters(self.n_components(), self.n_features())
    }

    /// Names of the columns; empty where none were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn laid_out(&self) -> Components {
        let k = self.n_components();
        let parameters = Parameters {
            kind: self.covariance_type,
            k,
            d: self.n_features(),
            weights: self.weights.clone(),
            means: self.means.clone(),
            covariances: self.covariances.clone(),
            factors: self.factors.clone(),
            widened: vec![false; k],
        };
        let mut components = parameters.room();
        parameters.lay_out(&mut components);
        components
    }

    /// `f(first, shares, log densities)` for every block of rows, in parallel; the results stand in order.
    fn each_block<T: Real, R: Send>(
        &self,
        rows: &Rows<'_, T>,
        monitor: &Monitor,
        f: impl Fn(Range<usize>, &[f64], &[f64]) -> R + Sync + Send,
    ) -> Result<Vec<R>> {
        let (k, d) = (self.n_components(), self.n_features());
        if rows.d != d {
            return Err(Error::argument(
                "X",
                format!("{} columns", rows.d),
                format!("the model was fitted on {d}"),
            ));
        }
        let components = self.laid_out();
        let found = parallel::map_blocks(rows.n, |range| {
            monitor.check()?;
            let n = range.len();
            let (mut shares, mut densities) = (vec![0.0; n * k], vec![0.0; n]);
            MixturePass {
                rows: rows.part(range.start, n).0,
                weights: None,
                first: range.start,
                origin: &self.origin,
                shares: Shares::Of(&components),
                sums: None,
                written: Some(Written { shares: &mut shares, densities: &mut densities }),
                scratch: &mut Scratch::new(Second::None, k, d),
            }
            .apply();
            Ok(f(range, &shares, &densities))
        });
        found.into_iter().collect()
    }

    /// The likeliest component of each row, ties to the lowest.
    ///
    /// # Errors
    ///
    /// As for [`GaussianMixture::fit`]; [`Error::Argument`] for another number of columns.
    pub fn predict<T: Real>(&self, rows: ArrayView2<'_, T>, monitor: &Monitor) -> Result<Vec<u32>> {
        let rows = Rows::new(rows, None, &self.names)?;
        let likeliest = |shares: &[f64]| {
            (1..shares.len()).fold(0, |best, at| if shares[at] > shares[best] { at } else { best })
        };
        let labels = |_: Range<usize>, shares: &[f64], _: &[f64]| -> Vec<u32> {
            shares.chunks_exact(self.n_components()).map(|row| likeliest(row) as u32).collect()
        };
        Ok(self.each_block(&rows, monitor, labels)?.concat())
    }

    /// Probability of each component for each row, `(n, n_components)`; rows sum to 1.
    ///
    /// # Errors
    ///
    /// As for [`GaussianMixtureModel::predict`].
    pub fn shares<T: Real>(
        &self,
        rows: ArrayView2<'_, T>,
        monitor: &Monitor,
    ) -> Result<Array2<f64>> {
        let rows = Rows::new(rows, None, &self.names)?;
        let shares = |_: Range<usize>, shares: &[f64], _: &[f64]| shares.to_vec();
        let found = self.each_block(&rows, monitor, shares)?.concat();
        Array2::from_shape_vec((rows.n, self.n_components()), found)
            .map_err(|error| Error::argument("X", error, "a matrix is needed"))
    }

    /// Log density of each row.
    ///
    /// # Errors
    ///
    /// As for [`GaussianMixtureModel::predict`].
    pub fn log_densities<T: Real>(
        &self,
        rows: ArrayView2<'_, T>,
        monitor: &Monitor,
    ) -> Result<Vec<f64>> {
        let rows = Rows::new(rows, None, &self.names)?;
        let densities = |_: Range<usize>, _: &[f64], densities: &[f64]| densities.to_vec();
        Ok(self.each_block(&rows, monitor, densities)?.concat())
    }

    fn totals<'a, T: Real>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<Totals> {
        let rows = Rows::new(rows, weights, &self.names)?;
        let k = self.n_components();
        let parts = self.each_block(&rows, monitor, |range, shares, densities| {
            let mut part = Totals { weight: 0.0, log_likelihood: 0.0, entropy: 0.0 };
            for (row, (shares, density)) in range.zip(shares.chunks_exact(k).zip(densities)) {
                let weight = rows.weight(row);
                let surprise = |&share: &f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
                part.weight += weight;
                part.log_likelihood += weight * density;
                part.entropy += weight * shares.iter().map(surprise).sum::<f64>();
            }
            part
        })?;
        Ok(parts.into_iter().fold(
            Totals { weight: 0.0, log_likelihood: 0.0, entropy: 0.0 },
            |all, part| Totals {
                weight: all.weight + part.weight,
                log_likelihood: all.log_likelihood + part.log_likelihood,
                entropy: all.entropy + part.entropy,
            },
        ))
    }

    /// Weighted mean of the log densities of the rows.
    ///
    /// # Errors
    ///
    /// As for [`GaussianMixtureModel::predict`].
    pub fn score<'a, T: Real>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<f64> {
        let totals = self.totals(rows, weights, monitor)?;
        Ok(totals.log_likelihood / totals.weight)
    }

    /// AIC, BIC and ICL of the rows, lower is better: minus twice the log likelihood and two per parameter (Akaike 1974);
    /// or the logarithm of the total weight per parameter (Schwarz 1978); or that and twice the entropy of the shares
    /// (Biernacki, Celeux and Govaert 2000, in the form of McLachlan and Peel).
    ///
    /// # Errors
    ///
    /// As for [`GaussianMixtureModel::predict`].
    pub fn criteria<'a, T: Real>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<(f64, f64, f64)> {
        let totals = self.totals(rows, weights, monitor)?;
        let (deviance, parameters) = (-2.0 * totals.log_likelihood, self.n_parameters() as f64);
        let bic = deviance + parameters * totals.weight.ln();
        Ok((deviance + 2.0 * parameters, bic, bic + 2.0 * totals.entropy))
    }
}

impl Persist for GaussianMixtureModel {
    const KIND: &'static str = "gaussian_mixture";

    fn validate(&self) -> Result<()> {
        let (k, d) = (self.weights.len(), self.origin.len());
        if k == 0 || d == 0 || k.checked_mul(d) != Some(self.means.len()) {
            return Err(broken("there is not one mean per component"));
        }
        let len = self.covariance_type.len(k, d);
        if (self.covariances.len(), self.factors.len()) != (len, len) {
            return Err(broken("the covariances have another shape"));
        }
        if !self.names.is_empty() && self.names.len() != d {
            return Err(broken("there is not one name per column"));
        }
        let total: f64 = self.weights.iter().sum();
        if self.weights.iter().any(|weight| !(0.0..=1.0).contains(weight))
            || (total - 1.0).abs() > 1e-6
        {
            return Err(broken("the weights do not sum to 1"));
        }
        let limit = (f64::MAX * 1e-8 / (4 * d) as f64).sqrt();
        let far = |value: &f64| value.is_nan() || value.abs() > limit;
        if self.origin.iter().chain(&self.means).any(far) {
            return Err(broken("a mean is not a finite number that can be squared"));
        }
        if self.covariances.iter().chain(&self.factors).any(|value| !value.is_finite()) {
            return Err(broken("a covariance is not a finite number"));
        }
        let positive = if self.covariance_type.has_matrices() {
            let diagonals = |matrix: &[f64]| (0..d).all(|i| matrix[i * d + i] > 0.0);
            self.factors.chunks_exact(d * d).all(diagonals)
        } else {
            self.factors.iter().all(|&factor| factor > 0.0)
        };
        if !positive || !self.lower_bound.is_finite() {
            return Err(broken("the densities are not finite"));
        }
        if self.collapsed.iter().any(|&at| at >= k) || self.constant.iter().any(|&at| at >= d) {
            return Err(broken("a note is about a component or column that is not there"));
        }
        Ok(())
    }
}

impl<T: Real, D: Data<Elem = T>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>>
    for GaussianMixtureModel
{
    /// # Panics
    ///
    /// If the rows have another number of columns than the model, or hold a value that is not finite;
    /// [`GaussianMixtureModel::predict`] gives an error instead.
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<usize>) {
        match self.predict(rows.view(), &Monitor::new()) {
            Ok(found) => *labels = found.into_iter().map(|label| label as usize).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}
