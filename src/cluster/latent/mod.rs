//! Latent classes: groups of customers behind their answers to categorical and ordinal items.
//!
//! Within a class the items are independent, so that a row's probability is the sum over the classes of share times product
//! of the probabilities of its answers (Lazarsfeld and Henry 1968; Goodman 1974). The EM algorithm (Dempster, Laird and Rubin
//! 1977) raises the likelihood step by step from several random starts, and the best end is kept. A missing answer
//! contributes nothing: each row is judged by what it has (full information).
//!
//! Rows with the same answers are one row with their weights together, so that the time of an iteration is proportional to
//! the patterns that differ, not to the rows; with covariates every row stands for itself. Several small items share one
//! table of products, which stays in the fastest cache: twelve items of five categories take six loads, six
//! multiplications and six additions to memory per row and vector of classes, and these additions are what limits the
//! speed ([`simd`](crate::simd)). Nothing of the size of the data is allocated per iteration.

// Sums over classes read as their formulas do.
#![allow(clippy::needless_range_loop)]

mod answers;
mod bootstrap;
mod em;
mod linear;
mod membership;
mod model;
mod ordinal;
mod scores;
mod statistics;

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, Data as Storage, Ix2};

use self::answers::Answers;
use self::em::{Data, Em, Ending};
use self::membership::{Design, Scaling, terms};
use self::ordinal::Ordinal;
use super::kmeans::linfa_weights;
use super::mixed::{Columns, Mixed};
use super::order::canonical;
use super::rows::check_weights;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::persist::Figures;
use crate::rng::{Rng, Stage};
use crate::simd::MAX_CLASSES;

pub use self::bootstrap::BootstrapTest;
pub use self::model::LatentClassModel;
pub use self::statistics::Statistics;

/// What to fit: the parameters of latent class analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct LatentClass {
    /// Number of classes.
    pub n_classes: usize,
    /// Names of the items whose categories are scored in their order instead of free.
    pub ordinal: Vec<String>,
    /// Number of starts; the best result is kept.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// Iterations end once a step gains no more than this share of the log-likelihood.
    pub tolerance: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Names of all columns that came in, which the model remembers.
    pub names: Vec<String>,
}

/// Solutions whose log-likelihoods differ by less than this share are equal.
const EQUAL: f64 = 1e-7;

/// Equal solutions whose shares differ by more than this are different.
const DIFFERENT: f64 = 0.02;

/// Rows beyond which starts with covariates run one after the other, for the memory of one.
const LARGE: usize = 1 << 17;

/// What a start reached, classes in the order of their weights.
#[derive(Debug, Clone)]
struct Solution {
    shares: Vec<f64>,
    probabilities: Vec<f64>,
    coefficients: Vec<f64>,
    log_likelihood: f64,
    ending: Ending,
}

impl LatentClass {
    /// `n_classes` classes, best of ten starts.
    pub fn new(n_classes: usize) -> Self {
        let (max_iter, tolerance) = (1000, 1e-10);
        let (ordinal, names) = (Vec::new(), Vec::new());
        Self { n_classes, ordinal, n_init: 10, max_iter, tolerance, seed: 0, names }
    }

    /// Fits the model.
    ///
    /// Rows without any answer and rows of weight 0 take no part; every row has a label. The result is the same to the last
    /// bit for any number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for parameters or weights out of range, an item without any answer and a covariate that does not
    /// vary; [`Error::BadValue`] for a missing covariate; [`Error::TooFewRows`] for fewer rows than classes;
    /// [`Error::Interrupted`].
    pub fn fit(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<LatentClassModel> {
        let task = self.prepare(items, covariates, weights)?;
        let (k, data) = (self.n_classes, &task.data);
        monitor.expect((self.n_starts(k) * self.max_iter) as u64);
        let solutions = self.solutions(data, k, None, monitor)?;
        let best = best_of(&solutions);
        let solution = &solutions[best];
        let mut em = Em::new(data, k);
        em.set(&solution.shares, &solution.probabilities, &solution.coefficients);
        em.expect();
        let (posteriors, densities) = em.posteriors();
        let n_parameters = task.n_parameters(k);
        let statistics =
            Statistics::new(&em, &solution.shares, n_parameters, &posteriors, &densities);
        let doubts = doubts(&em, &statistics, &solutions, best, &posteriors);
        let (coefficients, standard_errors) = task.unscaled(&em, &posteriors);
        let mut model = LatentClassModel {
            n_classes: k,
            names: self.names.clone(),
            columns: task.columns,
            scores: data.scores.clone(),
            covariates: task.covariates,
            shares: solution.shares.clone(),
            probabilities: solution.probabilities.clone(),
            coefficients,
            standard_errors: Figures(standard_errors),
            labels: Vec::new(),
            statistics,
            starts: solutions.iter().map(|solution| solution.log_likelihood).collect(),
            n_iter: solution.ending.n_iter,
            converged: solution.ending.converged,
            n_empty_rows: task.n_empty_rows,
            doubts,
        };
        model.labels = model.predict(items, covariates, monitor)?;
        Ok(model)
    }

    /// Checks everything and lays the rows out.
    fn prepare(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        weights: Option<&[f64]>,
    ) -> Result<Task> {
        let k = self.n_classes;
        for (name, value) in
            [("n_classes", k), ("n_init", self.n_init), ("max_iter", self.max_iter)]
        {
            if value == 0 {
                return Err(Error::argument(name, 0, "at least 1 is needed"));
            }
        }
        if k > MAX_CLASSES {
            return Err(Error::argument(
                "n_classes",
                k,
                format!("at most {MAX_CLASSES} are taken"),
            ));
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(Error::argument("tol", self.tolerance, "a number from 0 up is needed"));
        }
        check_weights(weights, items.n_rows())?;
        let columns = Answers::columns(items, weights)?;
        let answers = Answers::under(items, &columns)?;
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let weighty: Vec<u32> =
            (0..answers.n() as u32).filter(|&row| weight(row as usize) > 0.0).collect();
        let rows: Vec<u32> =
            weighty.iter().copied().filter(|&row| answers.answered(row as usize)).collect();
        if rows.len() < k {
            let (what, found) = (format!("n_classes={k}"), rows.len());
            let mend = (found > 0).then(|| format!("n_classes={found}"));
            return Err(Error::TooFewRows { what, needed: k, found, mend });
        }
        let scores = self.scores(items, &columns)?;
        let n_empty_rows = weighty.len() - rows.len();
        let weight = |row: u32| weight(row as usize);
        let Some(covariates) = covariates else {
            let (patterns, weights) = answers.patterns(&rows, weight);
            let data = Data::new(patterns, weights, None, scores, k);
            return Ok(Task { data, columns, covariates: None, scaling: None, n_empty_rows });
        };
        if covariates.n_rows() != items.n_rows() {
            let wanted = format!("the {} rows of the items are needed", items.n_rows());
            let found = format!("{} rows", covariates.n_rows());
            return Err(Error::argument("covariates", found, wanted));
        }
        let schema = membership::used(covariates);
        let mut design = Design::new(covariates, &schema)?.select(&rows);
        let weights: Vec<f64> = rows.iter().map(|&row| weight(row)).collect();
        let scaling = design.standardise(&weights, &terms(&schema))?;
        let data = Data::new(answers.select(&rows), weights, Some(design), scores, k);
        let scaling = Some(scaling);
        Ok(Task { data, columns, covariates: Some(schema), scaling, n_empty_rows })
    }

    /// Scores of the categories of the ordinal items, from 0 to 1 by their place in the order declared.
    fn scores(&self, items: &Mixed, columns: &Columns) -> Result<Vec<Option<Vec<f64>>>> {
        for name in &self.ordinal {
            if !columns.categorical.iter().any(|item| item.name == *name) {
                return Err(Error::argument("ordinal", format!("{name:?}"), "it is not an item"));
            }
        }
        let of = |(item, declared): (&super::Attribute, &super::Attribute)| {
            self.ordinal.contains(&item.name).then(|| {
                let place = |category| {
                    declared.categories.iter().position(|other| other == category).unwrap_or(0)
                };
                let places: Vec<f64> =
                    item.categories.iter().map(|category| place(category) as f64).collect();
                let (first, last) = (places[0], places[places.len() - 1]);
                let range = if last > first { last - first } else { 1.0 };
                places.into_iter().map(|place| (place - first) / range).collect()
            })
        };
        Ok(columns.categorical.iter().zip(&items.columns().categorical).map(of).collect())
    }

    /// Number of random starts for `k` classes; one class has one solution, which the first step finds.
    fn n_starts(&self, k: usize) -> usize {
        if k == 1 { 1 } else { self.n_init }
    }

    /// Runs every start to its end, and last a known solution if there is one.
    fn solutions(
        &self,
        data: &Data,
        k: usize,
        known: Option<&Solution>,
        monitor: &Monitor,
    ) -> Result<Vec<Solution>> {
        let n_starts = self.n_starts(k);
        let run = |start: usize| -> Result<Solution> {
            let mut em = Em::new(data, k);
            em.start(&mut Rng::stream(self.seed, Stage::Start, start as u64));
            if let Some(known) = known.filter(|_| start == n_starts) {
                em.set(&known.shares, &known.probabilities, &known.coefficients);
            }
            let ending = em.run(self.max_iter, self.tolerance, monitor)?;
            Ok(solution(&em, ending))
        };
        let n = n_starts + usize::from(known.is_some());
        if data.design.is_some() && data.n() > LARGE {
            (0..n).map(run).collect()
        } else {
            parallel::map_tasks(n, run).into_iter().collect()
        }
    }
}

/// The first of the best.
fn best_of(solutions: &[Solution]) -> usize {
    let better = |best: usize, next: usize| {
        if solutions[next].log_likelihood > solutions[best].log_likelihood { next } else { best }
    };
    (0..solutions.len()).reduce(better).unwrap_or(0)
}

/// The parameters of a run, largest class first.
fn solution(em: &Em<'_>, ending: Ending) -> Solution {
    let k = em.k;
    let (shares, probabilities) = (em.class_shares(), em.bare_probabilities());
    let tie = |a: usize, b: usize| {
        let of = |class: usize| probabilities.iter().skip(class).step_by(k);
        of(b).zip(of(a)).map(|(b, a)| b.total_cmp(a)).find(|o| o.is_ne()).unwrap_or(a.cmp(&b))
    };
    let order = canonical(&shares, tie).unwrap_or_else(|| (0..k).collect());
    let in_order = |row: &[f64]| order.iter().map(|&class| row[class]).collect::<Vec<_>>();
    let mut coefficients = Vec::new();
    if let Some(membership) = &em.membership {
        let rows: Vec<&[f64]> =
            membership.coefficients().chunks_exact(membership.width()).collect();
        for &class in &order {
            let beside = rows[class].iter().zip(rows[order[0]]);
            coefficients.extend(beside.map(|(value, first)| value - first));
        }
    }
    Solution {
        shares: in_order(&shares),
        probabilities: probabilities.chunks_exact(k).flat_map(in_order).collect(),
        coefficients,
        log_likelihood: em.log_likelihood,
        ending,
    }
}

/// Rows laid out, and what the model must remember of them.
struct Task {
    data: Data,
    columns: Columns,
    covariates: Option<Columns>,
    scaling: Option<Scaling>,
    n_empty_rows: usize,
}

impl Task {
    /// Number of free parameters of `k` classes.
    fn n_parameters(&self, k: usize) -> usize {
        let width = self.data.design.as_ref().map_or(1, |design| design.width);
        let items = self.data.items().zip(&self.data.scores).map(|((_, n), scores)| match scores {
            Some(_) => Ordinal::n_parameters(n, k),
            None => k * (n - 1),
        });
        (k - 1) * width + items.sum::<usize>()
    }

    /// Coefficients of the covariates as they came, and their standard errors: `(k, terms)`.
    fn unscaled(&self, em: &Em<'_>, posteriors: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (Some(scaling), Some(design), Some(membership)) =
            (&self.scaling, &self.data.design, &em.membership)
        else {
            return (Vec::new(), Vec::new());
        };
        let (width, k, back) = (design.width, em.k, scaling.back());
        let mut coefficients = vec![0.0; k * width];
        for class in 0..k {
            for term in 0..width {
                let row = &back[term * width..][..width];
                let scaled = &membership.coefficients()[class * width..][..width];
                coefficients[class * width + term] =
                    row.iter().zip(scaled).map(|(a, b)| a * b).sum();
            }
        }
        let mut errors = vec![f64::NAN; k * width];
        if let Some(covariance) = scores::covariance(em, design, posteriors) {
            let free = (k - 1) * width;
            for class in 1..k {
                for term in 0..width {
                    let row = &back[term * width..][..width];
                    let mut variance = 0.0;
                    for (a, left) in row.iter().enumerate() {
                        for (b, right) in row.iter().enumerate() {
                            let at = ((class - 1) * width + a) * free + (class - 1) * width + b;
                            variance += left * covariance[at] * right;
                        }
                    }
                    errors[class * width + term] = variance.sqrt();
                }
            }
        }
        (coefficients, errors)
    }
}

/// Why a solution is not identified.
fn doubts(
    em: &Em<'_>,
    statistics: &Statistics,
    solutions: &[Solution],
    best: usize,
    posteriors: &[f64],
) -> Vec<String> {
    let mut found = Vec::new();
    if statistics.df < 0 {
        found.push(format!(
            "{} parameters are more than the data can tell apart (df={})",
            statistics.n_parameters, statistics.df
        ));
    }
    let (rank, free) = scores::directions(em, posteriors);
    if rank < free {
        found.push(format!(
            "the data hold the parameters in {rank} directions only, and {free} are free"
        ));
    }
    let top = &solutions[best];
    let equal = |other: &&Solution| {
        (other.log_likelihood - top.log_likelihood).abs() <= EQUAL * top.log_likelihood.abs()
    };
    let differ = solutions
        .iter()
        .filter(equal)
        .flat_map(|other| other.shares.iter().zip(&top.shares).map(|(a, b)| (a - b).abs()))
        .fold(0.0, f64::max);
    if differ > DIFFERENT {
        found
            .push(format!("starts with equal likelihood end in shares that differ by {differ:.2}"));
    }
    found
}

impl<D: Storage<Elem = f64>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for LatentClass {
    type Object = LatentClassModel;

    /// All columns hold category codes 0, 1, 2 and so on; NaN is missing.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let all: Vec<usize> = (0..dataset.records().ncols()).collect();
        let data = Mixed::from_array(dataset.records().view(), &all)?;
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, &data, None, weights.as_deref(), &Monitor::new())
    }
}
