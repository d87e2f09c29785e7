//! Does the same number of segments give the same segments on other samples of customers?

use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::customers::Customers;
use super::resample::Different;
use super::select::{check_numbers, sample};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist, floats};
use crate::rng::{Rng, Stage};
use crate::segment::{Method, Model};

/// How to measure stability.
#[derive(Debug, Clone)]
pub struct Options {
    /// Numbers of segments, ascending.
    pub ks: Vec<usize>,
    /// Pairs of bootstrap samples.
    pub n_boot: usize,
    /// Starts of each fit.
    pub n_init: usize,
    /// Customers that everything rests on at most.
    pub sample_rows: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// Agreement of the segments of pairs of bootstrap samples, for each number of segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stability {
    /// What the result was made from.
    pub manifest: Manifest,
    /// The clustering method.
    pub method: Method,
    /// Numbers of segments.
    pub ks: Vec<usize>,
    /// Adjusted Rand indices, `(number, pair)`.
    #[serde(with = "floats")]
    pub values: Vec<f64>,
}

impl Stability {
    /// Adjusted Rand indices of a number of segments, one for each pair.
    pub fn of(&self, at: usize) -> &[f64] {
        let pairs = self.values.len() / self.ks.len().max(1);
        &self.values[at * pairs..(at + 1) * pairs]
    }
}

impl Persist for Stability {
    const KIND: &'static str = "stability";

    fn validate(&self) -> Result<()> {
        if self.ks.is_empty() || !self.ks.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(persist::broken("the numbers of segments do not ascend"));
        }
        if self.values.is_empty() || !self.values.len().is_multiple_of(self.ks.len()) {
            return Err(persist::broken("there are not as many values for every number"));
        }
        if self.values.iter().any(|value| !(-1.0..=1.0).contains(value)) {
            return Err(persist::broken("a value is not an adjusted Rand index"));
        }
        Ok(())
    }
}

/// Segments pairs of bootstrap samples, gives all customers to the segments of both, and compares the two.
///
/// Dolnicar and Leisch (2010), Evaluation of structure and reproducibility of cluster solutions using the bootstrap,
/// Marketing Letters 21. A sample is a weight on each different row, drawn once for all numbers of segments; rows that
/// were not drawn are not read until all customers are labelled, at the end. One task per pair, with a stream of random
/// numbers of its own. Time O(pairs × numbers × one fit), memory of a few samples.
///
/// # Errors
///
/// [`Error::Argument`] for numbers that are not allowed, [`Error::TooFewRows`] where there are fewer customers than
/// segments; those of fitting; [`Error::Interrupted`].
pub fn stability(
    customers: &Customers,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Stability> {
    check_numbers(&options.ks)?;
    if options.ks[0] < 2 {
        let wanted = "at least 2 segments are needed, since one is always the same";
        return Err(Error::argument("k", options.ks[0], wanted).with_mend("k=range(2, 9)"));
    }
    if options.n_boot == 0 {
        return Err(Error::argument("n_boot", 0, "at least 1 pair is needed"));
    }
    let customers = &sampled(customers, options, &mut manifest);
    let different = Different::of(customers)?;
    let largest = options.ks.last().copied().unwrap_or(1);
    enough(&different, customers.n(), largest)?;
    if different.n() < largest {
        manifest.notes.push(format!(
            "only {} customers differ, so no more segments than that can be found",
            different.n()
        ));
    }
    monitor.expect(2 * (options.n_boot * options.ks.len()) as u64);
    let pairs = parallel::map_tasks(options.n_boot, |pair| -> Result<Vec<f64>> {
        let labellings = |member: u64| {
            let task = 2 * pair as u64 + member;
            labels_of(&different, &options.ks, options.n_init, options.seed, task, monitor)
        };
        let (first, second) = (labellings(0)?, labellings(1)?);
        first
            .iter()
            .zip(&second)
            .map(|(a, b)| Ok(Agreement::weighted(a, b, &different.weights)?.adjusted_rand()))
            .collect()
    });
    let pairs = pairs.into_iter().collect::<Result<Vec<_>>>()?;
    let values =
        (0..options.ks.len()).flat_map(|at| pairs.iter().map(move |pair| pair[at])).collect();
    Ok(Stability { manifest, method: customers.method, ks: options.ks.clone(), values })
}

/// The customers, or a random sample of them where there are too many.
pub(crate) fn sampled(
    customers: &Customers,
    options: &Options,
    manifest: &mut Manifest,
) -> Customers {
    if customers.n() <= options.sample_rows {
        return customers.clone();
    }
    manifest
        .notes
        .push(format!("stability rests on a random sample of {} customers", options.sample_rows));
    customers.take(&sample(customers.n(), options.sample_rows, options.seed, 6))
}

/// Labels of all different rows by the segments of one bootstrap sample, for each number of segments.
fn labels_of(
    different: &Different,
    ks: &[usize],
    n_init: usize,
    seed: u64,
    task: u64,
    monitor: &Monitor,
) -> Result<Vec<Vec<u32>>> {
    let draw = different.draw(&mut Rng::stream(seed, Stage::Bootstrap, task));
    let rows = different.part(&draw.rows)?;
    ks.iter()
        .map(|&k| {
            monitor.check()?;
            // A sample may hold fewer different rows than there are segments.
            let k = k.min(draw.rows.len());
            let seed = Rng::stream(seed, Stage::Start, task).bits();
            let model = Model::fit(&rows, Some(&draw.counts), k, n_init, seed, monitor)?;
            monitor.advance(1);
            model.predict(&different.laid_out, monitor)
        })
        .collect()
}

/// Refuses fewer customers than segments.
pub(crate) fn enough(different: &Different, n: usize, k: usize) -> Result<()> {
    if n < k || different.n() == 0 {
        return Err(Error::TooFewRows {
            what: format!("k={k}"),
            needed: k,
            found: n,
            mend: (n > 1).then(|| format!("k=range(2, {})", n + 1)),
        });
    }
    Ok(())
}
