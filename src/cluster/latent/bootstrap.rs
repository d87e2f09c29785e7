//! The bootstrap likelihood ratio test: do k classes fit better than k - 1 by more than chance?
//!
//! The ratio has no chi-squared distribution here, since one class more lies on the boundary of the larger model. So data
//! are drawn from the smaller model as it was fitted, each row with the gaps and covariates that it had, and both models
//! are fitted to each draw (McLachlan 1987, On bootstrapping the likelihood ratio test statistic for the number of
//! components in a normal mixture, Applied Statistics 36).

use super::em::Data;
use super::model::{Draws, draw};
use super::{LatentClass, Solution, Task, best_of};
use crate::cluster::Mixed;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// What the test found.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapTest {
    /// Number of classes of the larger model.
    pub n_classes: usize,
    /// Log-likelihood of the smaller and of the larger model.
    pub log_likelihoods: (f64, f64),
    /// Twice the difference of the log-likelihoods.
    pub statistic: f64,
    /// The statistic of each draw from the smaller model.
    pub replicates: Vec<f64>,
    /// Share of draws whose statistic is as large, the data counted among them: `(1 + count) / (1 + n_boot)`.
    pub p_value: f64,
}

impl LatentClass {
    /// Tests `n_classes` classes against one fewer, with `n_boot` draws spread over the threads.
    ///
    /// Each draw is fitted from random starts as the data are, and from the solutions of the data. The result is the same
    /// for any number of threads.
    ///
    /// # Errors
    ///
    /// As for [`LatentClass::fit`]; [`Error::Argument`] for one class and for no draws, [`Error::BadValue`] for weights
    /// that are not whole numbers, which no draw can have.
    pub fn bootstrap_test(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        weights: Option<&[f64]>,
        n_boot: usize,
        monitor: &Monitor,
    ) -> Result<BootstrapTest> {
        let k = self.n_classes;
        if k < 2 {
            return Err(Error::argument("n_classes", k, "at least 2 are tested against one fewer"));
        }
        if n_boot == 0 {
            return Err(Error::argument("n_boot", 0, "at least 1 is needed"));
        }
        let odd = |weights: &[f64]| weights.iter().position(|w| w.fract() != 0.0 || *w > 1e15);
        if let Some((weights, row)) = weights.and_then(|weights| Some((weights, odd(weights)?))) {
            let wanted = "the bootstrap draws whole rows: whole numbers are needed";
            return Err(Error::value("sample_weight", row, weights[row], wanted));
        }
        let task = self.prepare(items, covariates, weights)?;
        let starts = self.n_starts(k - 1) + self.n_init;
        let known = 1 + usize::from(k > 2);
        monitor.expect(((starts + n_boot * (starts + known)) * self.max_iter) as u64);
        let null = self.best(&task.data, k - 1, None, monitor)?;
        let alternative = self.best(&task.data, k, None, monitor)?;
        let log_likelihoods = (null.log_likelihood, alternative.log_likelihood);
        let statistic = ratio(log_likelihoods);
        let replicates = parallel::map_tasks(n_boot, |index| {
            let mut rng = Rng::stream(self.seed, Stage::Bootstrap, index as u64);
            let drawn = drawn(&task, &null, k - 1, &mut rng);
            let again = Self { seed: rng.bits(), ..self.clone() };
            let small = again.best(&drawn, k - 1, (k > 2).then_some(&null), monitor)?;
            let large = again.best(&drawn, k, Some(&alternative), monitor)?;
            Ok(ratio((small.log_likelihood, large.log_likelihood)))
        });
        let replicates = replicates.into_iter().collect::<Result<Vec<f64>>>()?;
        let as_large = replicates.iter().filter(|&&other| other >= statistic).count();
        Ok(BootstrapTest {
            n_classes: k,
            log_likelihoods,
            statistic,
            p_value: (1 + as_large) as f64 / (1 + n_boot) as f64,
            replicates,
        })
    }

    fn best(
        &self,
        data: &Data,
        k: usize,
        known: Option<&Solution>,
        monitor: &Monitor,
    ) -> Result<Solution> {
        let mut solutions = self.solutions(data, k, known, monitor)?;
        Ok(solutions.swap_remove(best_of(&solutions)))
    }
}

/// The larger model holds the smaller one; a difference below 0 is one that the starts did not find.
fn ratio((small, large): (f64, f64)) -> f64 {
    (2.0 * (large - small)).max(0.0)
}

/// As many rows as there are, drawn from a solution of `k` classes, each with the gaps and covariates of one of them.
fn drawn(task: &Task, solution: &Solution, k: usize, rng: &mut Rng) -> Data {
    let data = &task.data;
    let draws = Draws::new(&solution.probabilities, &task.columns, k);
    let mut prior = solution.shares.clone();
    let mut codes = Vec::new();
    let mut weights = Vec::new();
    for row in 0..data.n() {
        if let Some(design) = &data.design {
            design.prior(row, &solution.coefficients, &mut prior);
        }
        let gaps = data.answers.row(row);
        // Rows of a pattern are drawn one by one; with covariates a row is drawn as often as it weighs.
        for _ in 0..data.weights[row] as u64 {
            let class = draw(&prior, rng);
            let answers = draws.row(class, rng).zip(gaps);
            codes.extend(answers.map(|(answer, &gap)| if gap == 0 { 0 } else { answer }));
            weights.push(row as u32);
        }
    }
    let n = weights.len();
    let answers = data.answers.drawn(codes, n);
    let rows: Vec<u32> = (0..n as u32).collect();
    let (answers, totals, design) = match &data.design {
        Some(design) => (answers, vec![1.0; n], Some(design.select(&weights))),
        None => {
            let (answers, totals) = answers.patterns(&rows, |_| 1.0);
            (answers, totals, None)
        }
    };
    Data::new(answers, totals, design, data.scores.clone(), k + 1)
}
