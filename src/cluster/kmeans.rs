//! k-means: rows of numbers, squared Euclidean distance.

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::lloyd::{Ending, Lloyd};
use super::rows::Rows;
use super::start::Pool;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::persist::{Persist, broken};
use crate::rng::{Rng, Stage};
use crate::simd::Real;

/// Where the iterations start.
#[derive(Debug, Clone, PartialEq)]
pub enum Start<T> {
    /// Rows drawn by greedy k-means++, by weight.
    PlusPlus,
    /// Different rows drawn by weight.
    Random,
    /// These centres, `(n_clusters, n_features)`; their order stays.
    Given(Array2<T>),
}

/// What to fit: the parameters of k-means.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans<T> {
    /// Number of clusters.
    pub n_clusters: usize,
    /// Where the iterations start.
    pub start: Start<T>,
    /// Number of starts; the best result is kept. One where the starting centres are given.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// Iterations end once the squared shifts of all centres sum to no more than this share of the columns' mean
    /// variance.
    pub tolerance: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Names of the columns, for messages; x0, x1 and so on where there are none.
    pub names: Vec<String>,
}

impl<T: Real> KMeans<T> {
    /// `n_clusters` clusters, best of ten k-means++ starts.
    pub fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            start: Start::PlusPlus,
            n_init: 10,
            max_iter: 300,
            tolerance: 1e-4,
            seed: 0,
            names: Vec::new(),
        }
    }

    /// Fits the model.
    ///
    /// The result is the same to the last bit for any number of threads. Time is proportional to rows, features, clusters
    /// and iterations; beside the data there is memory for one label per row, the starts' distances and a copy of the rows
    /// with one byte per value. Rows that do not lie one after the other are copied once.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared; [`Error::Argument`] for parameters or
    /// weights out of range; [`Error::TooFewRows`] for fewer rows than clusters; [`Error::Interrupted`].
    pub fn fit<'a>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<KMeansModel<T>> {
        self.check()?;
        let mut rows = Rows::new(rows, weights, &self.names)?;
        self.check_rows(&rows)?;
        let n_init = if matches!(self.start, Start::Given(_)) { 1 } else { self.n_init };
        monitor.expect((n_init * self.max_iter) as u64);
        if self.max_iter > SHORT {
            rows.sketch();
        }
        let pool = Pool::new(&rows);
        // Restarts of small data run side by side; those of large data one after the other, in the same room.
        if n_init > 1 && rows.n <= SMALL {
            let run = |task| {
                let mut lloyd = Lloyd::new(&rows, self.n_clusters);
                let ending = self.restart(&rows, &pool, &mut lloyd, task, monitor)?;
                Ok(self.ended(lloyd, ending))
            };
            let alone = rows.n <= SMALLER && n_init >= parallel::num_threads();
            let run = |task| if alone { parallel::alone(|| run(task)) } else { run(task) };
            let models =
                parallel::map_tasks(n_init, run).into_iter().collect::<Result<Vec<_>>>()?;
            let best = models
                .into_iter()
                .reduce(|best, next| if next.inertia < best.inertia { next } else { best });
            return best.ok_or_else(|| Error::argument("n_init", 0, "at least 1 is needed"));
        }
        let mut lloyd = Lloyd::new(&rows, self.n_clusters);
        let mut best: Option<(f64, Vec<T>, Ending)> = None;
        let mut last = 0;
        for task in 0..n_init {
            let ending = self.restart(&rows, &pool, &mut lloyd, task, monitor)?;
            if best.as_ref().is_none_or(|(inertia, ..)| lloyd.sums.inertia < *inertia) {
                best = Some((lloyd.sums.inertia, lloyd.centres.clone(), ending));
                last = task;
            }
        }
        let Some((_, centres, ending)) = best else {
            return Err(Error::argument("n_init", 0, "at least 1 is needed"));
        };
        if last + 1 < n_init {
            lloyd.label(&centres, monitor)?;
        }
        Ok(self.ended(lloyd, ending))
    }

    pub(super) fn check(&self) -> Result<()> {
        let positive = |name: &str, value: usize| match value {
            0 => Err(Error::argument(name, 0, "at least 1 is needed")),
            _ => Ok(()),
        };
        positive("n_clusters", self.n_clusters)?;
        positive("n_init", self.n_init)?;
        positive("max_iter", self.max_iter)?;
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(Error::argument("tol", self.tolerance, "a number from 0 up is needed"));
        }
        Ok(())
    }

    /// Checks what depends on the data.
    pub(super) fn check_rows(&self, rows: &Rows<'_, T>) -> Result<()> {
        if rows.n < self.n_clusters {
            return Err(Error::TooFewRows {
                what: format!("n_clusters={}", self.n_clusters),
                needed: self.n_clusters,
                found: rows.n,
                mend: (rows.n > 0).then(|| format!("n_clusters={}", rows.n)),
            });
        }
        if let Start::Given(centres) = &self.start {
            if centres.dim() != (self.n_clusters, rows.d) {
                return Err(Error::argument(
                    "init",
                    format!("centres of shape {:?}", centres.dim()),
                    format!("({}, {}) is needed", self.n_clusters, rows.d),
                ));
            }
            Rows::new(centres.view(), None, &self.names)?;
        }
        Ok(())
    }

    /// Runs one start to its end.
    fn restart(
        &self,
        rows: &Rows<'_, T>,
        pool: &Pool<'_, Rows<'_, T>>,
        lloyd: &mut Lloyd<'_, T>,
        task: usize,
        monitor: &Monitor,
    ) -> Result<Ending> {
        let mut rng = Rng::stream(self.seed, Stage::Start, task as u64);
        let drawn = match &self.start {
            Start::PlusPlus => pool.plus_plus(self.n_clusters, &mut rng, monitor)?,
            Start::Random => pool.random_rows(self.n_clusters, &mut rng),
            Start::Given(_) => Vec::new(),
        };
        let (centres, keep_order): (Vec<T>, bool) = match &self.start {
            Start::Given(centres) => (centres.iter().copied().collect(), true),
            _ => (drawn.iter().flat_map(|&row| rows.row(row).iter().copied()).collect(), false),
        };
        let tolerance = self.tolerance * rows.variance;
        lloyd.run(&centres, self.max_iter, tolerance, keep_order, monitor)
    }

    fn ended(&self, lloyd: Lloyd<'_, T>, ending: Ending) -> KMeansModel<T> {
        let Ending { n_iter, converged } = ending;
        KMeansModel { n_iter, converged, ..self.model(lloyd) }
    }

    /// The model at its end, but for how it ended.
    pub(super) fn model(&self, lloyd: Lloyd<'_, T>) -> KMeansModel<T> {
        KMeansModel {
            n_clusters: self.n_clusters,
            centres: lloyd.centres,
            weights: lloyd.sums.weights,
            labels: lloyd.labels,
            inertia: lloyd.sums.inertia,
            n_iter: 0,
            converged: false,
            names: self.names.clone(),
        }
    }
}

/// Iterations up to which a coarse copy does not pay.
const SHORT: usize = 2;

/// Rows up to which restarts run side by side, each with labels of its own.
const SMALL: usize = 1 << 17;

/// Rows up to which each of them runs on one thread.
const SMALLER: usize = 1 << 15;

/// A fitted k-means model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct KMeansModel<T: Real> {
    pub(super) n_clusters: usize,
    pub(super) centres: Vec<T>,
    pub(super) weights: Vec<f64>,
    pub(super) labels: Vec<u32>,
    pub(super) inertia: f64,
    pub(super) n_iter: usize,
    pub(super) converged: bool,
    pub(super) names: Vec<String>,
}

impl<T: Real> KMeansModel<T> {
    /// The centres, `(n_clusters, n_features)`.
    pub fn centres(&self) -> ArrayView2<'_, T> {
        let shape = (self.n_clusters, self.n_features());
        ArrayView2::from_shape(shape, &self.centres).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// Label of each training row, or of each row of the last batch.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The model without the labels of the rows it was fitted on, for who keeps them elsewhere.
    #[must_use]
    pub(crate) fn without_labels(self) -> Self {
        Self { labels: Vec::new(), ..self }
    }

    /// Total weight of the rows of each cluster, those of all batches.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Weighted sum of squared distances to the nearest centre: the sum, not the mean.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// Iterations of the best start.
    pub fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// Whether the best start settled before `max_iter`.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Number of clusters that have rows; fewer than asked for where fewer rows differ.
    pub fn n_found(&self) -> usize {
        self.weights.iter().filter(|&&weight| weight > 0.0).count()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.centres.len() / self.n_clusters.max(1)
    }

    /// Names of the columns; empty where none were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn check_columns(&self, rows: &Rows<'_, T>) -> Result<()> {
        if rows.d == self.n_features() {
            return Ok(());
        }
        Err(Error::argument(
            "X",
            format!("{} columns", rows.d),
            format!("the model was fitted on {}", self.n_features()),
        ))
    }

    pub(super) fn lloyd<'a>(
        &self,
        rows: &'a Rows<'a, T>,
        monitor: &Monitor,
    ) -> Result<Lloyd<'a, T>> {
        self.check_columns(rows)?;
        let mut lloyd = Lloyd::new(rows, self.n_clusters);
        lloyd.label(&self.centres, monitor)?;
        Ok(lloyd)
    }

    /// Label of the nearest centre of each row, ties to the lowest.
    ///
    /// # Errors
    ///
    /// As for [`KMeans::fit`]; [`Error::Argument`] for another number of columns.
    pub fn predict(&self, rows: ArrayView2<'_, T>, monitor: &Monitor) -> Result<Vec<u32>> {
        let rows = Rows::new(rows, None, &self.names)?;
        Ok(self.lloyd(&rows, monitor)?.labels)
    }

    /// Weighted sum of squared distances of the rows to their nearest centres.
    ///
    /// # Errors
    ///
    /// As for [`KMeansModel::predict`].
    pub fn cost<'a>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<f64> {
        let rows = Rows::new(rows, weights, &self.names)?;
        Ok(self.lloyd(&rows, monitor)?.sums.inertia)
    }

    /// Distance of each row to every centre, `(n, n_clusters)`.
    ///
    /// # Errors
    ///
    /// As for [`KMeansModel::predict`].
    pub fn distances(&self, rows: ArrayView2<'_, T>, monitor: &Monitor) -> Result<Array2<T>> {
        let rows = Rows::new(rows, None, &self.names)?;
        let lloyd = self.lloyd(&rows, monitor)?;
        let k = self.n_clusters;
        let mut found = vec![T::zero(); rows.n * k];
        lloyd.distances(&mut found, monitor);
        monitor.check()?;
        Array2::from_shape_vec((rows.n, k), found)
            .map_err(|error| Error::argument("X", error, "a matrix is needed"))
    }
}

impl<T: Real> Persist for KMeansModel<T> {
    const KIND: &'static str = T::KMEANS;

    fn validate(&self) -> Result<()> {
        let (k, d) = (self.n_clusters, self.names.len());
        if k == 0 || self.centres.is_empty() || !self.centres.len().is_multiple_of(k) {
            return Err(broken("the centres are not a matrix with one row per cluster"));
        }
        if d != 0 && self.centres.len() != k * d {
            return Err(broken("there is not one name per column"));
        }
        let limit = (T::max_value().wide() * 1e-8 / (4 * self.n_features()) as f64).sqrt();
        if self.centres.iter().any(|value| value.is_nan() || value.abs().wide() > limit) {
            return Err(broken("a centre is not a finite number that can be squared"));
        }
        if self.weights.len() != k || self.weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return Err(broken("there is not one weight per cluster"));
        }
        if self.labels.iter().any(|&label| label as usize >= k) {
            return Err(broken("a label is not that of a cluster"));
        }
        if !(self.inertia >= 0.0 && self.inertia.is_finite()) {
            return Err(broken("the inertia is not a finite number"));
        }
        Ok(())
    }
}

/// linfa's weights are `f32`.
pub(crate) fn linfa_weights(weights: Option<&[f32]>) -> Option<Vec<f64>> {
    weights.map(|weights| weights.iter().map(|&weight| f64::from(weight)).collect())
}

impl<T: Real, D: Data<Elem = T>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for KMeans<T> {
    type Object = KMeansModel<T>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, dataset.records().view(), weights.as_deref(), &Monitor::new())
    }
}

impl<T: Real, D: Data<Elem = T>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>>
    for KMeansModel<T>
{
    /// # Panics
    ///
    /// If the rows have another number of columns than the model, or hold a value that is not finite;
    /// [`KMeansModel::predict`] gives an error instead.
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
