//! Would data without any structure give segments as good?

use serde::{Deserialize, Serialize};

use super::centres::{separation_of, spread};
use super::customers::Customers;
use super::metric::Metric;
use super::reference::{Reference, Structureless};
use super::select::sample;
use super::silhouette::mean_silhouettes;
use super::strength::repeatability;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist, floats};
use crate::rng::{Rng, Stage};
use crate::segment::{Method, Model, Rows};
use crate::table::Prepared;

/// How to test.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of segments.
    pub k: usize,
    /// Sets of structureless data of each kind.
    pub n_simulated: usize,
    /// Starts of each fit.
    pub n_init: usize,
    /// Random halvings for prediction strength.
    pub n_splits: usize,
    /// Rows that everything rests on at most.
    pub sample_rows: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// One figure against structureless data of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The kind of data.
    pub reference: Reference,
    /// Name of the figure.
    pub measure: String,
    /// The figure of the customers.
    pub observed: f64,
    /// The figure of each set of structureless data.
    #[serde(with = "floats")]
    pub simulated: Vec<f64>,
}

impl Comparison {
    /// Share of the sets, the customers' own counted among them, whose figure is at least the customers'.
    ///
    /// A Monte Carlo test: Davison and Hinkley (1997), Bootstrap Methods and their Application, section 4.2.
    pub fn p(&self) -> f64 {
        let as_good = self.simulated.iter().filter(|value| **value >= self.observed).count();
        (as_good + 1) as f64 / (self.simulated.len() + 1) as f64
    }
}

/// The segments against structureless data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseTest {
    /// What the result was made from.
    pub manifest: Manifest,
    /// The clustering method.
    pub method: Method,
    /// Number of segments.
    pub k: usize,
    /// Every figure against every kind of data.
    pub comparisons: Vec<Comparison>,
}

impl Persist for NoiseTest {
    const KIND: &'static str = "noise_test";

    fn validate(&self) -> Result<()> {
        if self.comparisons.is_empty() {
            return Err(persist::broken("there is no comparison"));
        }
        let finite = |c: &Comparison| {
            c.observed.is_finite() && c.simulated.iter().all(|value| value.is_finite())
        };
        if !self.comparisons.iter().all(finite) {
            return Err(persist::broken("a figure is not a finite number"));
        }
        Ok(())
    }
}

/// Names of the figures.
const MEASURES: [&str; 3] = ["silhouette", "explained", "prediction_strength"];

/// Compares segments of the customers with segments of structureless data, found in the same way.
///
/// The figures are the mean silhouette, the share of the spread that the segments explain, and the prediction strength.
/// Two kinds of data are drawn: every column shuffled by itself and, where every amount takes many values, the box along the
/// principal components. Time is that of `2 n_simulated + 1` fits and their silhouettes.
///
/// # Errors
///
/// [`Error::Argument`] for numbers that are not allowed, [`Error::TooFewRows`]; those of fitting;
/// [`Error::Interrupted`].
pub fn noise_test(
    customers: &Customers,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<NoiseTest> {
    if options.k < 2 {
        return Err(Error::argument("k", options.k, "at least 2 segments are needed"));
    }
    if options.n_simulated == 0 {
        return Err(Error::argument("n_sim", 0, "at least 1 set is needed"));
    }
    let n = customers.n();
    if n < 2 * options.k {
        return Err(Error::TooFewRows {
            what: format!("a test of {} segments", options.k),
            needed: 2 * options.k,
            found: n,
            mend: None,
        });
    }
    if n > options.sample_rows {
        manifest.notes.push(format!(
            "the test rests on a random sample of {} customers",
            options.sample_rows
        ));
    }
    let customers = customers.take(&sample(n, options.sample_rows, options.seed, 5));
    let structureless = Structureless::new(&customers.rows);
    let mut references = vec![Reference::Shuffled];
    if structureless.is_continuous() {
        references.insert(0, Reference::Box);
    }
    monitor.expect((references.len() * options.n_simulated) as u64 + 1);
    let observed = figures(&customers, &customers.rows, options, monitor)?;
    let sets = parallel::map_tasks(references.len() * options.n_simulated, |task| {
        monitor.check()?;
        let mut rng = Rng::stream(options.seed, Stage::Reference, task as u64);
        let drawn = structureless.draw(references[task / options.n_simulated], &mut rng);
        let found = figures(&customers, &drawn, options, monitor)?;
        monitor.advance(1);
        Ok(found)
    });
    let sets = sets.into_iter().collect::<Result<Vec<_>>>()?;
    let mut comparisons = Vec::new();
    for (&reference, sets) in references.iter().zip(sets.chunks(options.n_simulated)) {
        for (at, measure) in MEASURES.iter().enumerate() {
            if options.n_splits == 0 && *measure == "prediction_strength" {
                continue;
            }
            comparisons.push(Comparison {
                reference,
                measure: (*measure).to_string(),
                observed: observed[at],
                simulated: sets.iter().map(|set| set[at]).collect(),
            });
        }
    }
    Ok(NoiseTest { manifest, method: customers.method, k: options.k, comparisons })
}

/// The figures of segments found in some rows.
fn figures(
    customers: &Customers,
    rows: &Prepared,
    options: &Options,
    monitor: &Monitor,
) -> Result<[f64; 3]> {
    let Options { k, n_init, seed, .. } = *options;
    let weights = customers.weights.as_deref();
    let laid_out = Rows::new(rows, customers.method)?;
    let model = Model::fit(&laid_out, weights, k, n_init, seed, monitor)?;
    let gamma = model.gamma();
    let metric = Metric::new(rows, &gamma);
    let labels = model.labels().to_vec();
    let whole = spread(&metric, weights);
    let within = separation_of(&metric, &labels, weights, whole).within;
    let silhouette = mean_silhouettes(&metric, std::slice::from_ref(&labels), weights, monitor)?[0];
    let mut strength = 0.0;
    if options.n_splits > 0 {
        let part = |part: &[usize]| Rows::new(&rows.take(part), customers.method);
        let pick = |part: &[usize]| {
            weights.map(|all| part.iter().map(|&row| all[row]).collect::<Vec<f64>>())
        };
        let fit = |half: &[usize], task: u64| {
            let seed = seed.wrapping_add(1 + task);
            Model::fit(&part(half)?, pick(half).as_deref(), k, n_init, seed, monitor)
        };
        let found =
            repeatability(rows.n_rows(), options.n_splits, seed, monitor, fit, |model, half| {
                model.predict(&part(half)?, monitor)
            })?;
        strength = found.prediction_strength;
    }
    let explained = if whole > 0.0 { 1.0 - within / whole } else { 0.0 };
    Ok([silhouette, explained, strength])
}
