//! How many segments? Every number is tried, and the evidence for each is kept.

use serde::{Deserialize, Serialize};

use super::likeliest::Likelihood;
use super::model::{Method, Model, Rows};
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::quality::choice::{Candidate, decide};
pub use crate::quality::choice::{Choice, KEEPS, REPEATS};
use crate::quality::{metric::Metric, silhouette::mean_silhouettes, strength::repeatability};
use crate::rng::{Rng, Stage};
use crate::table::Prepared;

/// Customers that the evidence rests on at most; a random sample of larger data.
pub const EVIDENCE_ROWS: usize = 4000;
/// Customers that silhouettes rest on at most.
pub const SILHOUETTE_ROWS: usize = 2000;
/// Random halvings per number of segments.
pub const SPLITS: usize = 10;
/// Starts of each fit for the evidence.
const STARTS: usize = 5;

/// What speaks for and against one number of segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Number of segments.
    pub k: usize,
    /// Sum of squared distances within segments, on the sample; of a method with a likelihood, on all customers.
    pub within: f64,
    /// Mean silhouette width.
    pub silhouette: f64,
    /// Mean prediction strength over random halvings.
    pub prediction_strength: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Mean adjusted Rand index over random halvings.
    pub adjusted_rand: f64,
    /// Share of the smallest segment.
    pub smallest_share: f64,
    /// Information criteria, where the method has a likelihood that says something.
    pub likelihood: Option<Likelihood>,
    /// Whether this number was chosen.
    pub chosen: bool,
}

/// Tries every number of segments from 2 to `k_max` and chooses one.
///
/// A number repeats if its prediction strength, plus one standard error, reaches [`REPEATS`]. Of those that repeat, the
/// largest is chosen whose mean silhouette is at least [`KEEPS`] of the widest among them, since a cut through a group
/// can repeat too, but separates less. Where none repeats, the one with the widest mean silhouette is chosen. A method with
/// a likelihood is fitted to all customers, since the BIC that decides there asks how many there are.
///
/// # Errors
///
/// Those of fitting, and [`crate::Error::Interrupted`].
pub fn choose_k(
    rows: &Prepared,
    method: Method,
    weights: Option<&[f64]>,
    k_max: usize,
    seed: u64,
    monitor: &Monitor,
) -> Result<(Choice, Vec<Evidence>)> {
    let n = rows.n_rows();
    let sampled = n > EVIDENCE_ROWS;
    let picked = sample(n, EVIDENCE_ROWS, seed, 0);
    let sample_rows = if sampled { rows.take(&picked) } else { rows.clone() };
    let pick_weights =
        |rows: &[usize]| weights.map(|all| rows.iter().map(|&row| all[row]).collect::<Vec<_>>());
    let laid_out = Rows::new(&sample_rows, method)?;
    let weights_of_sample = pick_weights(&picked);
    let sample_weights = weights_of_sample.as_deref();

    let ks: Vec<usize> = (2..=k_max).collect();
    monitor.expect((ks.len() * (SPLITS + 1)) as u64);
    let whole = method.has_likelihood() && sampled;
    let all_rows = if whole { Some(Rows::new(rows, method)?) } else { None };
    let (fitted, fitted_weights) = match &all_rows {
        Some(all) => (all, weights),
        None => (&laid_out, sample_weights),
    };
    let fits = parallel::map_tasks(ks.len(), |index| {
        Model::fit(fitted, fitted_weights, ks[index], 2 * STARTS, seed, monitor)
    });
    let fits = fits.into_iter().collect::<Result<Vec<_>>>()?;
    monitor.advance(ks.len() as u64);

    let seen = sample(sample_rows.n_rows(), SILHOUETTE_ROWS, seed, 1);
    let fitted_row = |row: usize| if whole { picked[row] } else { row };
    let labels_of = |fit: &Model| seen.iter().map(|&row| fit.labels()[fitted_row(row)]).collect();
    let labellings: Vec<Vec<u32>> = fits.iter().map(labels_of).collect();
    let gamma = fits.first().map(Model::gamma).unwrap_or_default();
    let seen_rows = sample_rows.take(&seen);
    let metric = Metric::new(&seen_rows, &gamma);
    let silhouettes = mean_silhouettes(&metric, &labellings, None, monitor)?;

    let mut evidence = Vec::with_capacity(ks.len());
    for ((&k, fit), silhouette) in ks.iter().zip(&fits).zip(silhouettes) {
        let part = |rows: &[usize]| Rows::new(&sample_rows.take(rows), method);
        let half_weights = |rows: &[usize]| {
            sample_weights.map(|all| rows.iter().map(|&row| all[row]).collect::<Vec<_>>())
        };
        let repeat = repeatability(
            sample_rows.n_rows(),
            SPLITS,
            seed,
            monitor,
            |rows, task| {
                let weights = half_weights(rows);
                let seed = seed.wrapping_add(1 + task);
                Model::fit(&part(rows)?, weights.as_deref(), k, STARTS, seed, monitor)
            },
            |model, rows| model.predict(&part(rows)?, monitor),
        )?;
        let total: f64 = fit.weights().iter().sum();
        let smallest = fit.weights().iter().copied().fold(f64::INFINITY, f64::min);
        evidence.push(Evidence {
            k,
            within: fit.within(),
            silhouette,
            prediction_strength: repeat.prediction_strength,
            standard_error: repeat.standard_error,
            adjusted_rand: repeat.adjusted_rand,
            smallest_share: smallest / total,
            likelihood: fit.likelihood(),
            chosen: false,
        });
    }
    let candidate = |found: &Evidence| Candidate {
        k: found.k,
        strength: found.prediction_strength,
        standard_error: found.standard_error,
        silhouette: found.silhouette,
        bic: found.likelihood.map_or(f64::NAN, |found| found.bic),
    };
    let choice = decide(&evidence.iter().map(candidate).collect::<Vec<_>>());
    for found in &mut evidence {
        found.chosen = found.k == choice.k;
    }
    Ok((choice, evidence))
}

/// Sorted rows of a random sample, all where there are no more.
pub(crate) fn sample(n: usize, most: usize, seed: u64, task: u64) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    // Splits draw tasks 0, 1, ...; samples count down from the top.
    let mut rows = Rng::stream(seed, Stage::Sample, u64::MAX - task).sample(n, most);
    rows.sort_unstable();
    rows
}
