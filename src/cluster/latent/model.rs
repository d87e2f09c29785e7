//! A fitted model: what it knows of new customers.

use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data as Storage, Ix2};
use serde::{Deserialize, Serialize};

use super::super::mixed::{Columns, Mixed};
use super::super::rows::check_weights;
use super::answers::Answers;
use super::em::{Data, Em};
use super::membership::{Design, terms};
use super::statistics::{Statistics, modal};
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::persist::{Figures, Persist, broken};
use crate::rng::{Rng, Stage};
use crate::simd::MAX_CLASSES;
use crate::table::Table;

/// A fitted latent class model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentClassModel {
    pub(super) n_classes: usize,
    pub(super) names: Vec<String>,
    pub(super) columns: Columns,
    /// Scores of the categories of ordinal items.
    pub(super) scores: Vec<Option<Vec<f64>>>,
    pub(super) covariates: Option<Columns>,
    pub(super) shares: Vec<f64>,
    /// `(categories of all items, n_classes)`.
    pub(super) probabilities: Vec<f64>,
    /// `(n_classes, terms)`; empty without covariates.
    pub(super) coefficients: Vec<f64>,
    /// NaN where there are none.
    pub(super) standard_errors: Figures,
    pub(super) labels: Vec<u32>,
    pub(super) statistics: Statistics,
    /// Log-likelihood that each start reached.
    pub(super) starts: Vec<f64>,
    pub(super) n_iter: usize,
    pub(super) converged: bool,
    pub(super) n_empty_rows: usize,
    /// Why the solution is not identified; empty where nothing was found.
    pub(super) doubts: Vec<String>,
}

impl LatentClassModel {
    /// Names of all columns that came in, as the caller gave them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the items are.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// What the covariates are, if there are any.
    pub fn covariates(&self) -> Option<&Columns> {
        self.covariates.as_ref()
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Share of each class, largest first.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Probability of each category in each class: `(categories of all items, n_classes)`.
    pub fn probabilities(&self) -> ArrayView2<'_, f64> {
        let shape = (self.probabilities.len() / self.n_classes.max(1), self.n_classes);
        ArrayView2::from_shape(shape, &self.probabilities).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// Class of each training row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The model without the labels of the rows it was fitted on, for who keeps them elsewhere.
    #[must_use]
    pub(crate) fn without_labels(self) -> Self {
        Self { labels: Vec::new(), ..self }
    }

    /// How well the model fits and tells rows apart.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Log-likelihood that each start reached.
    pub fn starts(&self) -> &[f64] {
        &self.starts
    }

    /// Iterations of the best start.
    pub fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// Whether the best start settled before `max_iter`.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Rows of positive weight without any answer; the fit does not rest on them.
    pub fn n_empty_rows(&self) -> usize {
        self.n_empty_rows
    }

    /// Why the solution is not identified, as clauses; empty where nothing was found.
    pub fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// One row per item, category and class: its probability.
    ///
    /// # Errors
    ///
    /// Those of [`Table::from_columns`], which a model that was checked does not meet.
    pub fn item_table(&self) -> Result<Table> {
        let (mut items, mut categories) = (Vec::new(), Vec::new());
        for item in &self.columns.categorical {
            for category in &item.categories {
                for _ in 0..self.n_classes {
                    items.push(&item.name);
                    categories.push(category);
                }
            }
        }
        let classes = (0..self.probabilities.len()).map(|at| (at % self.n_classes) as i64);
        Table::builder()
            .text("item", items)
            .text("category", categories)
            .int("class", classes)
            .float("probability", self.probabilities.iter().copied())
            .finish()
    }

    /// One row per class: share, rows assigned to it, and how sure they are.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::item_table`].
    pub fn class_table(&self) -> Result<Table> {
        Table::builder()
            .int("class", 0..self.n_classes as i64)
            .float("share", self.shares.iter().copied())
            .float("modal_size", self.statistics.modal_sizes.iter().copied())
            .float("average_posterior", self.statistics.average_posterior.iter().copied())
            .finish()
    }

    /// One row per class but the first and term: coefficient of the logit, standard error, z and p-value.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::item_table`].
    pub fn coefficient_table(&self) -> Result<Table> {
        use statrs::function::erf::erfc;
        let names = self.covariates.as_ref().map(terms).unwrap_or_default();
        let width = names.len();
        let n = self.coefficients.len().saturating_sub(width);
        let coefficients = self.coefficients.iter().skip(width);
        let pairs = coefficients.zip(self.standard_errors.iter().skip(width));
        let z: Vec<f64> = pairs.map(|(coefficient, error)| coefficient / error).collect();
        Table::builder()
            .int("class", (0..n).map(|at| (at / width.max(1) + 1) as i64))
            .text("term", (0..n).map(|at| &names[at % width.max(1)]))
            .float("coefficient", self.coefficients.iter().skip(width).copied())
            .float("standard_error", self.standard_errors.iter().skip(width).copied())
            .float("z", z.iter().copied())
            .float("p_value", z.iter().map(|z| erfc(z.abs() / 2.0_f64.sqrt())))
            .finish()
    }

    /// Every index of fit by name, in one row.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::item_table`].
    pub fn fit_table(&self) -> Result<Table> {
        let s = &self.statistics;
        Table::builder()
            .int("n_classes", [self.n_classes as i64])
            .float("n", [s.n])
            .float("log_likelihood", [s.log_likelihood])
            .int("n_parameters", [s.n_parameters as i64])
            .int("df", [s.df])
            .float("aic", [s.criteria.aic])
            .float("aic3", [s.criteria.aic3])
            .float("bic", [s.criteria.bic])
            .float("caic", [s.criteria.caic])
            .float("sabic", [s.criteria.sabic])
            .float("g2", [s.g2()])
            .float("chi2", [s.chi2()])
            .float("relative_entropy", [s.relative_entropy()])
            .float("entropy_r2", [s.entropy_r2()])
            .float("classification_error", [s.classification_error])
            .finish()
    }

    /// Runs the E step on rows: `then` gets posteriors `(n, n_classes)` and log densities.
    fn on_rows<R>(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        then: impl FnOnce(Vec<f64>, Vec<f64>) -> R,
    ) -> Result<R> {
        let answers = Answers::under(items, &self.columns)?;
        let design = self.design(covariates, answers.n())?;
        let weights = vec![1.0; answers.n()];
        let data = Data::new(answers, weights, design, self.scores.clone(), self.n_classes);
        let mut em = Em::new(&data, self.n_classes);
        em.set(&self.shares, &self.probabilities, &self.coefficients);
        let (posteriors, densities) = em.posteriors();
        Ok(then(posteriors, densities))
    }

    fn design(&self, covariates: Option<&Mixed>, n: usize) -> Result<Option<Design>> {
        match (covariates, &self.covariates) {
            (Some(covariates), Some(columns)) => {
                let design = Design::new(covariates, columns)?;
                if design.n == n {
                    Ok(Some(design))
                } else {
                    let wanted = format!("{n} are needed");
                    Err(Error::argument("covariates", format!("{} rows", design.n), wanted))
                }
            }
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(Error::argument("covariates", "none", "the model was fitted with covariates"))
            }
            (Some(_), None) => Err(Error::argument(
                "covariates",
                "some",
                "the model was fitted without covariates",
            )),
        }
    }

    /// Probability of each class given the answers of each row, `(n, n_classes)`; that of a row without any answer is
    /// what is known without them.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for other columns than the model's; [`Error::BadValue`] for a covariate that is missing.
    pub fn posteriors(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        monitor: &Monitor,
    ) -> Result<Array2<f64>> {
        let found = self.on_rows(items, covariates, |posteriors, _| posteriors)?;
        monitor.check()?;
        Array2::from_shape_vec((items.n_rows(), self.n_classes), found)
            .map_err(|error| Error::argument("X", error, "a matrix is needed"))
    }

    /// The most probable class of each row, ties to the lowest.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::posteriors`].
    pub fn predict(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        monitor: &Monitor,
    ) -> Result<Vec<u32>> {
        let k = self.n_classes;
        monitor.check()?;
        self.on_rows(items, covariates, |posteriors, _| {
            posteriors.chunks_exact(k).map(|row| modal(row) as u32).collect()
        })
    }

    /// Logarithm of the probability of each row's answers.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::posteriors`].
    pub fn log_densities(&self, items: &Mixed, covariates: Option<&Mixed>) -> Result<Vec<f64>> {
        self.on_rows(items, covariates, |_, densities| densities)
    }

    /// Weighted mean of [`LatentClassModel::log_densities`].
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::posteriors`], and for weights out of range.
    pub fn mean_log_density(
        &self,
        items: &Mixed,
        covariates: Option<&Mixed>,
        weights: Option<&[f64]>,
    ) -> Result<f64> {
        let densities = self.log_densities(items, covariates)?;
        let total = check_weights(weights, densities.len())?;
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        Ok(parallel::sum(densities.len(), |row| weight(row) * densities[row]) / total)
    }

    /// Rows drawn from the model: their classes, and their categories `(n, n_items)`.
    ///
    /// With covariates there is one row for each of theirs, whatever `n`.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::posteriors`].
    pub fn sample(
        &self,
        n: usize,
        covariates: Option<&Mixed>,
        seed: u64,
    ) -> Result<(Vec<u32>, Vec<u32>)> {
        let n = covariates.map_or(n, Mixed::n_rows);
        let design = self.design(covariates, n)?;
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let draws = Draws::new(&self.probabilities, &self.columns, self.n_classes);
        let mut prior = self.shares.clone();
        let (mut classes, mut codes) = (Vec::with_capacity(n), Vec::new());
        for row in 0..n {
            if let Some(design) = &design {
                design.prior(row, &self.coefficients, &mut prior);
            }
            let class = draw(&prior, &mut rng);
            classes.push(class as u32);
            codes.extend(draws.row(class, &mut rng).map(|code| u32::from(code) - 1));
        }
        Ok((classes, codes))
    }
}

impl LatentClassModel {
    /// What [`LatentClassModel::sample`] draws, as a table with the categories' names, and the classes.
    ///
    /// # Errors
    ///
    /// As for [`LatentClassModel::sample`].
    pub fn sample_table(
        &self,
        n: usize,
        covariates: Option<&Mixed>,
        seed: u64,
    ) -> Result<(Table, Vec<u32>)> {
        let (classes, codes) = self.sample(n, covariates, seed)?;
        let m = self.columns.categorical.len();
        let mut table = Table::builder();
        for (at, item) in self.columns.categorical.iter().enumerate() {
            let column = codes.iter().skip(at).step_by(m);
            table = table.text(&item.name, column.map(|&code| &item.categories[code as usize]));
        }
        Ok((table.finish()?, classes))
    }
}

/// The position that a uniform draw picks from probabilities.
pub(super) fn draw(probabilities: &[f64], rng: &mut Rng) -> usize {
    let mut rest = rng.uniform() * probabilities.iter().sum::<f64>();
    let last = probabilities.iter().rposition(|&p| p > 0.0).unwrap_or(0);
    for (at, p) in probabilities.iter().enumerate().take(last) {
        rest -= p;
        if rest < 0.0 {
            return at;
        }
    }
    last
}

/// Probabilities as drawing needs them.
pub(super) struct Draws {
    /// Of each class and item, its categories' probabilities.
    by_class: Vec<Vec<Vec<f64>>>,
}

impl Draws {
    pub(super) fn new(probabilities: &[f64], columns: &Columns, k: usize) -> Self {
        let of_class = |class: usize| {
            let mut rows = probabilities.iter().skip(class).step_by(k).copied();
            let items = columns.categorical.iter();
            items.map(|item| rows.by_ref().take(item.categories.len()).collect()).collect()
        };
        Self { by_class: (0..k).map(of_class).collect() }
    }

    /// Answers of a customer of a class: 1 and the category, for each item.
    pub(super) fn row<'a>(
        &'a self,
        class: usize,
        rng: &'a mut Rng,
    ) -> impl Iterator<Item = u16> + 'a {
        self.by_class[class].iter().map(|item| draw(item, rng) as u16 + 1)
    }
}

impl Persist for LatentClassModel {
    const KIND: &'static str = "latent_class";

    fn validate(&self) -> Result<()> {
        let k = self.n_classes;
        if k == 0 || k > MAX_CLASSES || self.columns.categorical.is_empty() {
            return Err(broken("there are no classes or no items"));
        }
        if !self.columns.numeric.is_empty() || self.scores.len() != self.columns.categorical.len() {
            return Err(broken("an item is not a column of categories"));
        }
        let sizes = self.columns.categorical.iter().map(|item| item.categories.len());
        if sizes.clone().any(|size| size == 0 || size > usize::from(u16::MAX)) {
            return Err(broken("an item has no categories, or too many"));
        }
        let is_share = |p: &f64| (0.0..=1.000_001).contains(p);
        if self.shares.len() != k || !self.shares.iter().all(is_share) {
            return Err(broken("there is not one share per class"));
        }
        if self.probabilities.len() != sizes.clone().sum::<usize>() * k
            || !self.probabilities.iter().all(is_share)
        {
            return Err(broken("there is not one probability per category and class"));
        }
        for (scores, size) in self.scores.iter().zip(sizes) {
            if scores.as_ref().is_some_and(|s| s.len() != size || s.iter().any(|s| !s.is_finite()))
            {
                return Err(broken("there is not one score per category"));
            }
        }
        let width = self.covariates.as_ref().map_or(0, |columns| terms(columns).len());
        if self.coefficients.len() != k * width
            || self.coefficients.iter().any(|value| !value.is_finite())
            || self.standard_errors.len() != k * width
        {
            return Err(broken("there is not one coefficient per class and term"));
        }
        if self.labels.iter().any(|&label| label as usize >= k) {
            return Err(broken("a label is not that of a class"));
        }
        if !self.statistics.is_valid(k) {
            return Err(broken("the statistics are not those of the classes"));
        }
        Ok(())
    }
}

impl<D: Storage<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for LatentClassModel {
    /// # Panics
    ///
    /// If the rows do not have the columns of the model, or it has covariates; [`LatentClassModel::predict`] gives an
    /// error instead.
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<usize>) {
        let all: Vec<usize> = (0..rows.ncols()).collect();
        let found = Mixed::from_array(rows.view(), &all)
            .and_then(|data| self.predict(&data, None, &Monitor::new()));
        match found {
            Ok(found) => *labels = found.into_iter().map(|label| label as usize).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}
