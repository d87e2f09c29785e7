//! k-modes: rows of categories, with values missing.

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::gamma::Gamma;
use super::kmeans::linfa_weights;
use super::kprototypes::{KPrototypes, KPrototypesModel, MixedStart};
use super::mixed::{Columns, Mixed};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist::{Persist, broken};
use crate::table::Table;

/// What to fit: the parameters of k-modes.
///
/// ```
/// use ilk::cluster::{KModes, Mixed};
/// use ndarray::array;
///
/// let data = Mixed::from_codes(array![[0, 1], [0, 1], [2, 0], [0, 0]].view())?;
/// let model = KModes::new(2).fit(&data, None, &Default::default())?;
/// assert_eq!(model.labels(), [0, 0, 1, 0]);
/// assert_eq!(model.modes().row(0).to_vec(), [0, 1]);
/// # Ok::<(), ilk::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KModes {
    /// Number of clusters.
    pub n_clusters: usize,
    /// Where the iterations start.
    pub start: MixedStart,
    /// Number of starts; the best result is kept. One where the starting modes are given.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl KModes {
    /// `n_clusters` clusters, best of ten k-means++ starts.
    pub fn new(n_clusters: usize) -> Self {
        let KPrototypes { start, n_init, max_iter, seed, .. } = KPrototypes::new(n_clusters);
        Self { n_clusters, start, n_init, max_iter, seed }
    }

    /// Fits the model.
    ///
    /// The objective is that of Huang (1998), Extensions to the k-means algorithm for clustering large data sets with
    /// categorical values: the number of categories that are not the mode of their cluster, by weight, among the values that are
    /// observed. This is k-prototypes without numbers and with a gamma of 1, and the same steps.
    ///
    /// The result is the same to the last bit for any number of threads. Time is proportional to rows, columns, clusters and
    /// iterations.
    ///
    /// # Errors
    ///
    /// Those of [`KPrototypes::fit`]; [`Error::Argument`] for columns of numbers.
    pub fn fit(
        &self,
        data: &Mixed,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<KModesModel> {
        if data.d() > 0 {
            return Err(Error::argument(
                "X",
                format!("{} columns of numbers or ranks", data.d()),
                "k-modes takes categories alone",
            ));
        }
        let params = KPrototypes {
            start: self.start.clone(),
            gamma: Gamma::Same(1.0),
            n_init: self.n_init,
            max_iter: self.max_iter,
            seed: self.seed,
            ..KPrototypes::new(self.n_clusters)
        };
        params.fit(data, weights, monitor).map(KModesModel)
    }
}

/// A fitted k-modes model: k-prototypes without numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KModesModel(KPrototypesModel);

impl KModesModel {
    /// What the columns are.
    pub fn columns(&self) -> &Columns {
        self.0.columns()
    }

    /// Codes of the modes, `(n_clusters, n_columns)`.
    pub fn modes(&self) -> ArrayView2<'_, u32> {
        self.0.modes()
    }

    /// One row per cluster: names of the modes.
    ///
    /// # Errors
    ///
    /// Those of [`KPrototypesModel::centroids`].
    pub fn centroids(&self) -> Result<Table> {
        self.0.centroids()
    }

    /// Label of each training row.
    pub fn labels(&self) -> &[u32] {
        self.0.labels()
    }

    /// Total weight of the rows of each cluster.
    pub fn weights(&self) -> &[f64] {
        self.0.weights()
    }

    /// The objective: number of categories that are not the mode of their cluster, by weight.
    pub fn cost(&self) -> f64 {
        self.0.cost()
    }

    /// Iterations of the best start.
    pub fn n_iter(&self) -> usize {
        self.0.n_iter()
    }

    /// Whether the best start settled before `max_iter`.
    pub fn converged(&self) -> bool {
        self.0.converged()
    }

    /// Number of clusters that have rows; fewer than asked for where fewer rows differ.
    pub fn n_found(&self) -> usize {
        self.0.n_found()
    }

    /// Label of the nearest mode of each row, ties to the lowest. Unseen categories differ from every mode.
    ///
    /// # Errors
    ///
    /// Those of [`KPrototypesModel::predict`].
    pub fn predict(&self, data: &Mixed, monitor: &Monitor) -> Result<Vec<u32>> {
        self.0.predict(data, monitor)
    }

    /// The objective on other rows.
    ///
    /// # Errors
    ///
    /// Those of [`KPrototypesModel::cost_of`].
    pub fn cost_of(&self, data: &Mixed, weights: Option<&[f64]>, monitor: &Monitor) -> Result<f64> {
        self.0.cost_of(data, weights, monitor)
    }

    /// Number of columns in which each row differs from every mode, `(n, n_clusters)`.
    ///
    /// # Errors
    ///
    /// Those of [`KPrototypesModel::predict`].
    pub fn distances(&self, data: &Mixed, monitor: &Monitor) -> Result<Array2<f64>> {
        self.0.costs(data, monitor)
    }
}

impl Persist for KModesModel {
    const KIND: &'static str = "kmodes";

    fn validate(&self) -> Result<()> {
        self.0.validate()?;
        if self.0.columns().n_numbers() > 0 || self.0.gamma().iter().any(|&gamma| gamma != 1.0) {
            return Err(broken("k-modes has categories alone, and each costs 1"));
        }
        Ok(())
    }
}

impl<D: Data<Elem = u32>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for KModes {
    type Object = KModesModel;

    /// The records are category codes.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let data = Mixed::from_codes(dataset.records().view())?;
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, &data, weights.as_deref(), &Monitor::new())
    }
}

impl<D: Data<Elem = u32>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for KModesModel {
    /// # Panics
    ///
    /// If the rows do not have the columns of the model; [`KModesModel::predict`] gives an error instead.
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<usize>) {
        let found = Mixed::from_codes(rows.view())
            .and_then(|data| self.predict(&data.with_columns(self.columns()), &Monitor::new()));
        match found {
            Ok(found) => *labels = found.into_iter().map(|label| label as usize).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}
