//! How many segments? Every number with every criterion, and a stated choice.

use serde::{Deserialize, Serialize};

use super::centres::{NOTHING, separation_of, spread};
use super::choice::{Candidate, Choice, decide};
use super::customers::Customers;
use super::metric::Metric;
use super::reference::{Reference, Structureless};
use super::resample::fit;
use super::silhouette::mean_silhouettes;
use super::strength::repeatability;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist};
use crate::rng::{Rng, Stage};
use crate::segment::{Method, Model, NEARLY_ALL, Rows};
use crate::table::Prepared;

/// How to look for the number of segments.
#[derive(Debug, Clone)]
pub struct Options {
    /// Numbers to try, ascending.
    pub ks: Vec<usize>,
    /// Starts of each fit.
    pub n_init: usize,
    /// Random halvings for prediction strength; 0 measures none.
    pub n_splits: usize,
    /// Sets of structureless data for the gap statistic; 0 measures none.
    pub n_references: usize,
    /// Rows that prediction strength and gap rest on at most.
    pub sample_rows: usize,
    /// Rows that silhouettes rest on at most.
    pub silhouette_rows: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// What is known of one number of segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// The number.
    pub k: usize,
    /// Segments found; fewer where fewer rows differ.
    pub found: usize,
    /// What [`Selection::CRITERIA`] names, in that order; `None` where it is not defined or was not measured.
    pub criteria: Vec<Option<f64>>,
}

/// A number of segments chosen by evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// What the result was made from.
    pub manifest: Manifest,
    /// The clustering method.
    pub method: Method,
    /// The evidence, by ascending number.
    pub tried: Vec<Tried>,
    /// The choice.
    pub choice: Choice,
    /// Gap statistic of one segment; `None` where it was not measured.
    pub gap_of_one: Option<f64>,
    /// What the gap statistic compares with.
    pub reference: Option<Reference>,
}

impl Selection {
    /// Names of the criteria.
    pub const CRITERIA: [&'static str; 12] = [
        "within_ss",
        "silhouette",
        "calinski_harabasz",
        "davies_bouldin",
        "gap",
        "gap_se",
        "prediction_strength",
        "prediction_strength_se",
        "smallest_share",
        "largest_share",
        "bic",
        "icl",
    ];

    /// One criterion for every number; NaN where there is none.
    pub fn criterion(&self, name: &str) -> Vec<f64> {
        let at = Self::CRITERIA.iter().position(|other| *other == name);
        let value = |tried: &Tried| {
            at.and_then(|at| tried.criteria.get(at).copied().flatten()).unwrap_or(f64::NAN)
        };
        self.tried.iter().map(value).collect()
    }

    /// What each criterion by itself would choose.
    pub fn votes(&self) -> Vec<(&'static str, usize)> {
        let ks: Vec<usize> = self.tried.iter().map(|tried| tried.k).collect();
        let best = |name: &str, sign: f64| {
            let values = self.criterion(name);
            let known = (0..ks.len()).filter(|&at| !values[at].is_nan());
            known
                .reduce(
                    |best, next| {
                        if sign * values[next] > sign * values[best] { next } else { best }
                    },
                )
                .map(|at| ks[at])
        };
        let strength = self.criterion("prediction_strength");
        let errors = self.criterion("prediction_strength_se");
        let repeats = (0..ks.len())
            .rev()
            .find(|&at| strength[at] + errors[at] >= super::choice::REPEATS)
            .map(|at| ks[at]);
        let votes = [
            ("silhouette", best("silhouette", 1.0)),
            ("Calinski-Harabasz", best("calinski_harabasz", 1.0)),
            ("Davies-Bouldin", best("davies_bouldin", -1.0)),
            ("gap statistic", self.gap_choice()),
            ("prediction strength", repeats),
            ("BIC", best("bic", -1.0)),
            ("ICL", best("icl", -1.0)),
        ];
        votes.into_iter().filter_map(|(name, k)| k.map(|k| (name, k))).collect()
    }

    /// The smallest number tried whose gap is not less than the next one's by more than its standard error (Tibshirani,
    /// Walther and Hastie 2001), the last where all rise; one segment where no number is better than that by more.
    fn gap_choice(&self) -> Option<usize> {
        let (gap, errors) = (self.criterion("gap"), self.criterion("gap_se"));
        let known: Vec<usize> = (0..gap.len()).filter(|&at| !gap[at].is_nan()).collect();
        let highest = known.iter().map(|&at| gap[at] - errors[at]).fold(f64::NAN, f64::max);
        if self.gap_of_one.is_some_and(|one| one >= highest) {
            return Some(1);
        }
        let stop = known.windows(2).find(|pair| gap[pair[0]] >= gap[pair[1]] - errors[pair[1]]);
        stop.map(|pair| pair[0]).or(known.last().copied()).map(|at| self.tried[at].k)
    }
}

impl Persist for Selection {
    const KIND: &'static str = "selection";

    fn validate(&self) -> Result<()> {
        if self.tried.is_empty() || !self.tried.windows(2).all(|pair| pair[0].k < pair[1].k) {
            return Err(persist::broken("the numbers tried do not ascend"));
        }
        if self.tried.iter().any(|tried| tried.criteria.len() != Self::CRITERIA.len()) {
            return Err(persist::broken("a number has another number of criteria"));
        }
        if !self.tried.iter().any(|tried| tried.k == self.choice.k) {
            return Err(persist::broken("the number chosen was not tried"));
        }
        Ok(())
    }
}

/// Tries every number of segments and chooses one.
///
/// Within-SS, Calinski-Harabasz and Davies-Bouldin rest on all rows, silhouettes, exact, on a sample of them whose
/// distances are computed once for all numbers, prediction strength and gap on a smaller sample. The choice is that of
/// [`decide`].
///
/// # Errors
///
/// [`Error::Argument`] where no number is given or one is 0; those of fitting; [`Error::Interrupted`].
pub fn select(
    customers: &Customers,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Selection> {
    let Options { ks, n_init, seed, .. } = options;
    check_numbers(ks)?;
    let (n, weights) = (customers.n(), customers.weights.as_deref());
    let laid_out = Rows::new(&customers.rows, customers.method)?;
    let fits = parallel::map_tasks(ks.len(), |at| {
        // The largest numbers take longest, so they come first.
        fit(&laid_out, weights, ks[ks.len() - 1 - at], *n_init, *seed, monitor)
    });
    let mut fits = fits.into_iter().collect::<Result<Vec<Model>>>()?;
    fits.reverse();

    let seen = sample(n, options.silhouette_rows, *seed, 3);
    let part = customers.take(&seen);
    let gamma = fits.first().map(Model::gamma).unwrap_or_default();
    let labellings: Vec<Vec<u32>> =
        fits.iter().map(|fit| seen.iter().map(|&row| fit.labels()[row]).collect()).collect();
    let metric = Metric::new(&part.rows, &gamma);
    let silhouettes = mean_silhouettes(&metric, &labellings, part.weights.as_deref(), monitor)?;
    let metric = Metric::new(&customers.rows, &gamma);
    let all = spread(&metric, weights);
    let separations = parallel::map_tasks(fits.len(), |at| {
        separation_of(&metric, fits[at].labels(), weights, all)
    });

    let evidence = customers.take(&sample(n, options.sample_rows, *seed, 4));
    let repeats = strengths(&evidence, options, monitor)?;
    let gaps = gaps(&evidence, options, monitor)?;
    let mut tried = Vec::with_capacity(ks.len());
    for (at, (&k, fit)) in ks.iter().zip(&fits).enumerate() {
        let found = fit.n_found();
        let total: f64 = fit.weights().iter().sum();
        let smallest =
            fit.weights().iter().filter(|w| **w > 0.0).fold(f64::INFINITY, |a, &b| a.min(b));
        let largest = fit.weights().iter().copied().fold(0.0, f64::max);
        let (gap, gap_se) = gaps.by_number.get(at).copied().unwrap_or((f64::NAN, f64::NAN));
        let (strength, strength_se) = repeats[at];
        let whole = found == k;
        let measured = [
            (fit.within(), true),
            (silhouettes[at], whole && k > 1),
            (separations[at].calinski_harabasz, whole),
            (separations[at].davies_bouldin, whole),
            (gap, whole),
            (gap_se, whole),
            (strength, whole),
            (strength_se, whole),
            (smallest / total, true),
            (largest / total, true),
            (fit.likelihood().map_or(f64::NAN, |found| found.bic), whole),
            (fit.likelihood().map_or(f64::NAN, |found| found.icl), whole),
        ];
        let known = |(value, defined): (f64, bool)| (defined && value.is_finite()).then_some(value);
        tried.push(Tried { k, found, criteria: measured.into_iter().map(known).collect() });
    }
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let candidate = |tried: &Tried| Candidate {
        k: tried.k,
        silhouette: or_nan(tried.criteria[1]),
        strength: or_nan(tried.criteria[6]),
        standard_error: or_nan(tried.criteria[7]),
        bic: or_nan(tried.criteria[10]),
    };
    let choice = decide(&tried.iter().map(candidate).collect::<Vec<_>>());
    note(&mut manifest, &tried, &choice, customers, options);
    Ok(Selection {
        manifest,
        method: customers.method,
        tried,
        choice,
        gap_of_one: gaps.of_one,
        reference: gaps.reference,
    })
}

/// Refuses an empty list of numbers and 0.
pub(crate) fn check_numbers(ks: &[usize]) -> Result<()> {
    if ks.first().is_none_or(|&k| k == 0) || !ks.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(Error::argument(
            "k",
            format!("{ks:?}"),
            "numbers of segments from 1 up are needed, each once",
        )
        .with_mend("k=range(2, 9)"));
    }
    Ok(())
}

/// Sorted rows of a random sample, all where there are no more.
pub(crate) fn sample(n: usize, most: usize, seed: u64, task: u64) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    let mut rows = Rng::stream(seed, Stage::Sample, u64::MAX - task).sample(n, most);
    rows.sort_unstable();
    rows
}

/// Prediction strength with its standard error, for every number.
fn strengths(
    customers: &Customers,
    options: &Options,
    monitor: &Monitor,
) -> Result<Vec<(f64, f64)>> {
    let mut all = Vec::with_capacity(options.ks.len());
    monitor.expect((options.n_splits * options.ks.len()) as u64);
    for &k in &options.ks {
        if options.n_splits == 0 || k < 2 || customers.n() / 2 < k {
            all.push((f64::NAN, f64::NAN));
            continue;
        }
        let part = |rows: &[usize]| Rows::new(&customers.rows.take(rows), customers.method);
        let weights = |rows: &[usize]| {
            let all = customers.weights.as_ref()?;
            Some(rows.iter().map(|&row| all[row]).collect::<Vec<f64>>())
        };
        let found = repeatability(
            customers.n(),
            options.n_splits,
            options.seed,
            monitor,
            |rows, task| {
                let seed = options.seed.wrapping_add(1 + task);
                let weights = weights(rows);
                Model::fit(&part(rows)?, weights.as_deref(), k, options.n_init, seed, monitor)
            },
            |model, rows| model.predict(&part(rows)?, monitor),
        )?;
        all.push((found.prediction_strength, found.standard_error));
    }
    Ok(all)
}

/// Gap statistics.
struct Gaps {
    by_number: Vec<(f64, f64)>,
    of_one: Option<f64>,
    reference: Option<Reference>,
}

/// How much more than in structureless data the spread within segments falls, in logarithms, with its standard error.
///
/// Tibshirani, Walther and Hastie (2001), Estimating the number of clusters in a data set via the gap statistic, Journal of
/// the Royal Statistical Society B 63.
fn gaps(customers: &Customers, options: &Options, monitor: &Monitor) -> Result<Gaps> {
    let n_references = options.n_references;
    if n_references == 0 {
        return Ok(Gaps { by_number: Vec::new(), of_one: None, reference: None });
    }
    let structureless = Structureless::new(&customers.rows);
    let reference =
        if structureless.is_continuous() { Reference::Box } else { Reference::Shuffled };
    let mut ks = options.ks.clone();
    if ks[0] > 1 {
        ks.insert(0, 1);
    }
    monitor.expect(n_references as u64 + 1);
    let spreads = |rows: &Prepared, seed: u64| -> Result<Vec<f64>> {
        let rows = Rows::new(rows, customers.method)?;
        let weights = customers.weights.as_deref();
        let mut all = Vec::with_capacity(ks.len());
        for &k in &ks {
            let found = if customers.n() < k {
                f64::NAN
            } else {
                Model::fit(&rows, weights, k, options.n_init, seed, monitor)?.within()
            };
            all.push(found);
        }
        // Where every customer lies on a middle, the logarithm would be one of rounding errors.
        let nothing = NOTHING * all[0];
        let found = all.iter().map(|&w| if w > nothing { w.ln() } else { f64::NAN }).collect();
        monitor.advance(1);
        Ok(found)
    };
    let real = spreads(&customers.rows, options.seed)?;
    let simulated = parallel::map_tasks(n_references, |task| {
        monitor.check()?;
        let mut rng = Rng::stream(options.seed, Stage::Reference, task as u64);
        spreads(&structureless.draw(reference, &mut rng), options.seed)
    });
    let simulated = simulated.into_iter().collect::<Result<Vec<_>>>()?;
    let mut found: Vec<(f64, f64)> = Vec::with_capacity(ks.len());
    for (at, real) in real.iter().enumerate() {
        let count = n_references as f64;
        let mean = simulated.iter().map(|spreads| spreads[at]).sum::<f64>() / count;
        let variance =
            simulated.iter().map(|spreads| (spreads[at] - mean).powi(2)).sum::<f64>() / count;
        found.push((mean - real, (variance * (1.0 + 1.0 / count)).sqrt()));
    }
    let of_one = if options.ks[0] > 1 { Some(found.remove(0).0) } else { None };
    Ok(Gaps {
        by_number: found,
        of_one: of_one.filter(|gap| gap.is_finite()),
        reference: Some(reference),
    })
}

/// What the user should know of how the evidence came about.
fn note(
    manifest: &mut Manifest,
    tried: &[Tried],
    choice: &Choice,
    customers: &Customers,
    options: &Options,
) {
    let chosen = tried.iter().find(|tried| tried.k == choice.k && tried.k > 1);
    if let Some(share) = chosen.and_then(|tried| tried.criteria[9]).filter(|s| *s > NEARLY_ALL) {
        manifest.notes.push(format!(
            "one of the {} segments holds {:.0} % of the customers; the others may be outliers rather than segments, see \
             scale=",
            choice.k,
            100.0 * share
        ));
    }
    let n = customers.n();
    if n > options.silhouette_rows {
        manifest.notes.push(format!(
            "silhouettes are exact on a random sample of {} customers",
            options.silhouette_rows
        ));
    }
    if n > options.sample_rows && options.n_splits + options.n_references > 0 {
        manifest.notes.push(format!(
            "prediction strength and gap rest on a random sample of {} customers",
            options.sample_rows
        ));
    }
    if let Some(short) = tried.iter().find(|tried| tried.found < tried.k) {
        manifest.notes.push(format!(
            "only {} customers differ, so no more segments than that were found from k={} on",
            short.found, short.k
        ));
    }
}
