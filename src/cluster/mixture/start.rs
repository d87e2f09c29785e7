//! Where the iterations start.

use ndarray::{Array1, Array2, ArrayD, ArrayView2};

use super::algebra::inverse;
use super::em::Em;
use super::moments::Overall;
use super::parameters::Parameters;
use super::{CovarianceType, GaussianMixture};
use crate::cluster::KMeans;
use crate::cluster::rows::Rows;
use crate::cluster::start::Pool;
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::rng::{Rng, Stage};
use crate::simd::Real;

/// How the components are found that the iterations start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MixtureStart {
    /// The clusters of k-means, each with its own covariance.
    #[default]
    KMeans,
    /// Rows drawn by greedy k-means++ as means, with the covariance of all rows.
    PlusPlus,
    /// Random shares of each component in each row.
    Random,
    /// Rows drawn by weight as means, with the covariance of all rows.
    RandomFromData,
}

/// Parts of the start that the caller gives instead.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GivenStart {
    /// Shares of the components, `(k,)`.
    pub weights: Option<Array1<f64>>,
    /// Means, `(k, n_features)`; then the order of the components stays, and without the rest each row goes to the nearest
    /// mean first.
    pub means: Option<Array2<f64>>,
    /// Inverse covariances, in the shape of [`CovarianceType::shape`].
    pub precisions: Option<ArrayD<f64>>,
}

impl GivenStart {
    /// Checks shapes and values.
    pub(super) fn check(
        &self,
        kind: CovarianceType,
        k: usize,
        names: &[String],
        d: usize,
    ) -> Result<()> {
        if let Some(weights) = &self.weights {
            let total: f64 = weights.sum();
            if weights.len() != k {
                return Err(wrong_shape("weights_init", weights.shape(), &[k]));
            }
            if weights.iter().any(|&weight| !(0.0..=1.0).contains(&weight))
                || (total - 1.0).abs() > 1e-6
            {
                return Err(Error::argument(
                    "weights_init",
                    format!("{:?}", weights.to_vec()),
                    "numbers from 0 to 1 that sum to 1 are needed",
                ));
            }
        }
        if let Some(means) = &self.means {
            if means.dim() != (k, d) {
                return Err(wrong_shape("means_init", means.shape(), &[k, d]));
            }
            Rows::new(means.view(), None, names)?;
        }
        let Some(precisions) = &self.precisions else { return Ok(()) };
        let shape = kind.shape(k, d);
        if precisions.shape() != shape {
            return Err(wrong_shape("precisions_init", precisions.shape(), &shape));
        }
        let values: Vec<f64> = precisions.iter().copied().collect();
        let fits = if kind.has_matrices() {
            values.chunks_exact(d * d).all(|matrix| {
                let close = |at: usize| {
                    let (a, b) = (matrix[at], matrix[at % d * d + at / d]);
                    (a - b).abs() <= 1e-5 * a.abs().max(b.abs()) + 1e-8
                };
                (0..d * d).all(close) && inverse(matrix, d).is_some()
            })
        } else {
            values.iter().all(|&value| value > 0.0 && value.is_finite())
        };
        if fits {
            Ok(())
        } else {
            let wanted = if kind.has_matrices() {
                "symmetric positive definite matrices are needed"
            } else {
                "positive finite numbers are needed"
            };
            Err(Error::argument("precisions_init", "another array", wanted))
        }
    }
}

fn wrong_shape(argument: &str, found: &[usize], wanted: &[usize]) -> Error {
    Error::argument(argument, format!("shape {found:?}"), format!("{wanted:?} is needed"))
}

/// Makes the room for a run, at its starting parameters.
pub(super) fn start<'a, T: Real>(
    params: &GaussianMixture,
    rows: &'a Rows<'a, T>,
    pool: &Pool<'_, Rows<'_, T>>,
    overall: &'a Overall,
    task: usize,
    monitor: &Monitor,
) -> Result<Em<'a, T>> {
    let (k, d, kind, ridge) =
        (params.n_components, rows.d, params.covariance_type, params.reg_covar);
    let given = &params.given;
    let seed = params.seed;
    let mut rng = Rng::stream(seed, Stage::Start, task as u64);
    let centred = |values: &mut dyn Iterator<Item = f64>| -> Vec<f64> {
        values.enumerate().map(|(at, value)| value - overall.origin[at % d]).collect()
    };
    let at = |means: Vec<f64>| {
        Em::new(rows, overall, ridge, Parameters::at(kind, means, overall, ridge))
    };
    let rows_as_means = |chosen: Vec<usize>| {
        let mut values =
            chosen.iter().flat_map(|&row| rows.row(row).iter().map(|value| value.wide()));
        at(centred(&mut values))
    };
    let mut em = if let Some(means) = &given.means {
        let means = centred(&mut means.iter().copied());
        let mut em = at(means.clone());
        if given.weights.is_none() || given.precisions.is_none() {
            let origin = &overall.origin;
            let nearest = |row: usize, shares: &mut [f64]| {
                let distance = |mean: &[f64]| -> f64 {
                    let values = rows.row(row).iter().zip(origin).zip(mean);
                    values.map(|((x, origin), mean)| (x.wide() - origin - mean).powi(2)).sum()
                };
                let mut best = (0, f64::INFINITY);
                for (at, mean) in means.chunks_exact(d).enumerate() {
                    let found = distance(mean);
                    if found < best.1 {
                        best = (at, found);
                    }
                }
                shares.fill(0.0);
                shares[best.0] = 1.0;
            };
            em.begin(&nearest, monitor)?;
            em.parameters.means = means.clone();
        }
        em
    } else {
        match params.start {
            MixtureStart::KMeans => {
                let view = ArrayView2::from_shape((rows.n, d), &rows.values)
                    .map_err(|error| Error::argument("X", error, "a matrix is needed"))?;
                let clusters = KMeans { n_init: 1, seed: rng.bits(), ..KMeans::new(k) };
                let clusters = clusters.fit(view, rows.weights, monitor)?;
                let mut em = at(centred(&mut clusters.centres().iter().map(|value| value.wide())));
                let labels = clusters.labels();
                let shares = |row: usize, shares: &mut [f64]| {
                    shares.fill(0.0);
                    shares[labels[row] as usize] = 1.0;
                };
                em.begin(&shares, monitor)?;
                em
            }
            MixtureStart::PlusPlus => rows_as_means(pool.plus_plus(k, &mut rng, monitor)?),
            MixtureStart::RandomFromData => rows_as_means(pool.random_rows(k, &mut rng)),
            MixtureStart::Random => {
                let mut em = at(vec![0.0; k * d]);
                let shares = |row: usize, shares: &mut [f64]| {
                    let stream = (task * rows.n + row) as u64;
                    let mut rng = Rng::stream(seed, Stage::Reference, stream);
                    shares.fill_with(|| rng.uniform() + 1e-3);
                    let total: f64 = shares.iter().sum();
                    shares.iter_mut().for_each(|share| *share /= total);
                };
                em.begin(&shares, monitor)?;
                em
            }
        }
    };
    let parameters = &mut em.parameters;
    if let Some(weights) = &given.weights {
        parameters.weights = weights.to_vec();
    }
    if let Some(precisions) = &given.precisions {
        let values: Vec<f64> = precisions.iter().copied().collect();
        parameters.covariances = if kind.has_matrices() {
            values.chunks_exact(d * d).flat_map(|p| inverse(p, d).unwrap_or_default()).collect()
        } else {
            values.iter().map(|value| 1.0 / value).collect()
        };
        parameters.factorise(overall);
    }
    Ok(em)
}
