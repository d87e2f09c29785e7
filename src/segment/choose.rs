//! How many segments? Every number is tried, and the evidence for each is kept.

use serde::{Deserialize, Serialize};

use super::model::{Method, Model, Rows};
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::quality::{silhouette::mean_silhouettes, strength::repeatability};
use crate::rng::{Rng, Stage};
use crate::table::Prepared;

/// Prediction strength from which a number of segments is said to repeat on other customers.
///
/// Tibshirani and Walther (2005) found 0.8 to 0.9 to work well.
pub const REPEATS: f64 = 0.8;
/// Share of the widest mean silhouette that a number of segments must keep to be chosen before a smaller one.
pub const KEEPS: f64 = 0.9;
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
    /// Sum of squared distances within segments, on the sample.
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
    /// Whether this number was chosen.
    pub chosen: bool,
}

/// A choice with its reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The number of segments.
    pub k: usize,
    /// Whether it repeats on other customers.
    pub repeats: bool,
    /// The reason, as a sentence.
    pub reason: String,
}

/// Tries every number of segments from 2 to `k_max` and chooses one.
///
/// A number repeats if its prediction strength, plus one standard error, reaches [`REPEATS`]. Of those that repeat, the
/// largest is chosen whose mean silhouette is at least [`KEEPS`] of the widest among them, since a cut through a group
/// can repeat too, but separates less. Where none repeats, the one with the widest mean silhouette is chosen.
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
    let fits = parallel::map_tasks(ks.len(), |index| {
        Model::fit(&laid_out, sample_weights, ks[index], 2 * STARTS, seed, monitor)
    });
    let fits = fits.into_iter().collect::<Result<Vec<_>>>()?;
    monitor.advance(ks.len() as u64);

    let seen = sample(sample_rows.n_rows(), SILHOUETTE_ROWS, seed, 1);
    let labellings: Vec<Vec<u32>> =
        fits.iter().map(|fit| seen.iter().map(|&row| fit.labels()[row]).collect()).collect();
    let gamma = fits.first().and_then(|fit| fit.gamma().first().copied()).unwrap_or(0.0);
    let silhouettes = mean_silhouettes(&sample_rows.take(&seen), gamma, &labellings)?;

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
            chosen: false,
        });
    }
    let choice = decide(&evidence);
    for found in &mut evidence {
        found.chosen = found.k == choice.k;
    }
    Ok((choice, evidence))
}

/// Sorted rows of a random sample, all where there are no more.
fn sample(n: usize, most: usize, seed: u64, task: u64) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    // Splits draw tasks 0, 1, ...; samples count down from the top.
    let mut rows = Rng::stream(seed, Stage::Sample, u64::MAX - task).sample(n, most);
    rows.sort_unstable();
    rows
}

fn decide(evidence: &[Evidence]) -> Choice {
    let repeats: Vec<&Evidence> = evidence
        .iter()
        .filter(|found| found.prediction_strength + found.standard_error >= REPEATS)
        .collect();
    let widest = repeats.iter().map(|found| found.silhouette).fold(f64::NEG_INFINITY, f64::max);
    let bar = if widest > 0.0 { KEEPS * widest } else { widest };
    if let Some(found) = repeats.iter().rev().find(|found| found.silhouette >= bar) {
        return Choice {
            k: found.k,
            repeats: true,
            reason: format!(
                "of the numbers of segments that repeat on other customers, {} is the largest that keeps them well \
                 apart: segments found on one random half assign the other half as its own segments do (prediction \
                 strength {:.2}, standard error {:.2}; the bar is {REPEATS}), and their mean silhouette is {:.2} \
                 (widest {widest:.2}; the bar is {:.0} % of it)",
                found.k,
                found.prediction_strength,
                found.standard_error,
                found.silhouette,
                100.0 * KEEPS
            ),
        };
    }
    let widest = evidence.iter().fold(None::<&Evidence>, |best, next| match best {
        Some(best) if best.silhouette >= next.silhouette => Some(best),
        _ => Some(next),
    });
    let strongest =
        evidence.iter().map(|found| found.prediction_strength).fold(f64::NEG_INFINITY, f64::max);
    let (k, silhouette) = widest.map_or((1, f64::NAN), |found| (found.k, found.silhouette));
    Choice {
        k,
        repeats: false,
        reason: format!(
            "no number of segments repeats on other customers (best prediction strength {strongest:.2}, the bar is \
             {REPEATS}); {k} separates best (mean silhouette {silhouette:.2}). Take these segments as a way to \
             cut the market, not as groups that exist by themselves"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(k: usize, strength: f64, silhouette: f64) -> Evidence {
        Evidence {
            k,
            within: 1.0,
            silhouette,
            prediction_strength: strength,
            standard_error: 0.02,
            adjusted_rand: strength,
            smallest_share: 0.1,
            chosen: false,
        }
    }

    #[test]
    fn the_largest_number_that_repeats_and_separates_is_chosen() {
        let all = [evidence(2, 0.99, 0.5), evidence(3, 0.79, 0.46), evidence(4, 0.3, 0.7)];
        assert_eq!((decide(&all).k, decide(&all).repeats), (3, true));
        let cut = [evidence(2, 0.99, 0.5), evidence(3, 0.9, 0.4), evidence(4, 0.3, 0.7)];
        assert_eq!((decide(&cut).k, decide(&cut).repeats), (2, true));
    }

    #[test]
    fn without_repetition_the_widest_silhouette_is_chosen_and_the_weakness_said() {
        let all = [evidence(2, 0.5, 0.1), evidence(3, 0.3, 0.3), evidence(4, 0.2, 0.3)];
        let choice = decide(&all);
        assert_eq!((choice.k, choice.repeats), (3, false));
        assert!(choice.reason.contains("not as groups that exist"));
    }
}
