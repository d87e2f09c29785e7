//! A fitted k-medoids model.

use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::fit::Fitted;
use super::source::{APART, nearest};
use super::{Notes, columns_of};
use crate::cluster::gower::{Decoded, GowerSpace, Raw, fill};
use crate::cluster::mixed::Unseen;
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist::{Persist, broken};
use crate::simd::{Column, Columns, Measure, Real};
use crate::table::Table;

/// What the medoids are, and what their distances mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Space {
    /// Rows of numbers, `(n_clusters, n_features)`.
    Numbers { measure: Measure, names: Vec<String>, medoids: Vec<f64> },
    /// Rows of a table.
    Gower { space: GowerSpace, medoids: Vec<Raw> },
    /// Rows known by their distances alone.
    Precomputed { n: usize },
}

/// Names of columns and the medoids' values in each.
pub type MedoidValues = Vec<(String, Decoded)>;

/// A fitted k-medoids model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KMedoidsModel {
    space: Space,
    indices: Vec<usize>,
    weights: Vec<f64>,
    labels: Vec<u32>,
    inertia: f64,
    n_iter: usize,
    n_swaps: usize,
    converged: bool,
    clara: bool,
}

impl KMedoidsModel {
    pub(super) fn new(space: Space, found: Fitted) -> Self {
        Self {
            space,
            indices: found.medoids,
            weights: found.nearest.weights,
            labels: found.nearest.labels,
            inertia: found.nearest.cost,
            n_iter: found.n_iter,
            n_swaps: found.n_swaps,
            converged: found.converged,
            clara: found.clara,
        }
    }

    /// Rows of the training data that are the medoids.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Label of each training row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Total weight of the rows of each cluster.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Weighted sum of the distances to the nearest medoid: the sum, not the mean.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// Passes over the candidates of the best start.
    pub fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// Swaps of the best start.
    pub fn n_swaps(&self) -> usize {
        self.n_swaps
    }

    /// Whether no swap was left that lowers the loss.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Whether the medoids come from samples.
    pub fn is_sampled(&self) -> bool {
        self.clara
    }

    /// Number of clusters that have rows; fewer than asked for where fewer rows differ.
    pub fn n_found(&self) -> usize {
        self.weights.iter().filter(|&&weight| weight > 0.0).count()
    }

    /// Names of the columns in the order in which they came; none for given distances.
    pub fn names(&self) -> &[String] {
        match &self.space {
            Space::Numbers { names, .. } => names,
            Space::Gower { space, .. } => space.order(),
            Space::Precomputed { .. } => &[],
        }
    }

    /// Name of the metric.
    pub fn metric(&self) -> &'static str {
        match &self.space {
            Space::Gower { .. } => "gower",
            Space::Precomputed { .. } => "precomputed",
            Space::Numbers { measure: Measure::Manhattan, .. } => "manhattan",
            Space::Numbers { measure: Measure::Squared, .. } => "sqeuclidean",
            Space::Numbers { .. } => "euclidean",
        }
    }

    /// Rows that a given matrix of distances had; `None` for other metrics.
    pub fn n_given(&self) -> Option<usize> {
        match self.space {
            Space::Precomputed { n } => Some(n),
            _ => None,
        }
    }

    /// The medoids column by column; nothing for given distances.
    pub fn medoids(&self) -> MedoidValues {
        match &self.space {
            Space::Numbers { names, medoids, .. } => {
                let column = |at: usize| {
                    Decoded::Numbers(medoids[at..].iter().step_by(names.len()).copied().collect())
                };
                names.iter().enumerate().map(|(at, name)| (name.clone(), column(at))).collect()
            }
            Space::Gower { space, medoids } => space
                .variables
                .iter()
                .zip(medoids)
                .map(|(variable, raw)| (variable.name.clone(), variable.decoded(raw)))
                .collect(),
            Space::Precomputed { .. } => Vec::new(),
        }
    }

    fn medoid_columns(&self) -> Option<Columns> {
        let k = self.indices.len();
        match &self.space {
            Space::Numbers { measure, names, medoids } => {
                let column = |at: usize| {
                    let values = medoids[at..].iter().step_by(names.len()).copied();
                    Column::Numbers(values.collect(), 1.0)
                };
                Some(Columns::new(k, *measure, (0..names.len()).map(column).collect()))
            }
            Space::Gower { space, medoids } => Some(space.rows(medoids.clone(), k).columns),
            Space::Precomputed { .. } => None,
        }
    }

    /// Rows of numbers as the model's metric sees them.
    fn number_columns<T: Real>(&self, rows: ArrayView2<'_, T>) -> Result<Columns> {
        let Space::Numbers { measure, names, .. } = &self.space else {
            let wanted = format!("the model was fitted with metric={:?}", self.metric());
            return Err(Error::argument("X", "rows of numbers", wanted));
        };
        if rows.ncols() != names.len() {
            let wanted = format!("the model was fitted on {}", names.len());
            return Err(Error::argument("X", format!("{} columns", rows.ncols()), wanted));
        }
        columns_of(rows, *measure, names)
    }

    /// The rows of a table as the model's metric sees them.
    fn table_columns(&self, table: &Table) -> Result<(Columns, Vec<Unseen>)> {
        let Space::Gower { space, .. } = &self.space else {
            let wanted = format!("the model was fitted with metric={:?}", self.metric());
            return Err(Error::argument("X", "a table", wanted));
        };
        let (rows, unseen) = space.read(table)?;
        Ok((rows.columns, unseen))
    }

    fn labels_of(&self, columns: &Columns, monitor: &Monitor) -> Result<(Vec<u32>, Pair)> {
        let Some(medoids) = self.medoid_columns() else { return Ok((Vec::new(), None)) };
        let part = |medoid: usize, range, out: &mut [f64]| {
            columns.distances(&medoids, medoid, range, out);
        };
        let found = nearest(columns.n, medoids.n, None, monitor, part)?;
        Ok((found.labels, found.incomparable))
    }

    fn distances_of(&self, columns: &Columns, monitor: &Monitor) -> Result<(Array2<f64>, Pair)> {
        let shape = (columns.n, self.indices.len());
        let Some(medoids) = self.medoid_columns() else {
            return Ok((Array2::zeros(shape), None));
        };
        let mut distances = vec![0.0; shape.0 * shape.1];
        let found = fill(columns, &medoids, false, APART, &mut distances, monitor)?;
        let distances = Array2::from_shape_vec(shape, distances)
            .map_err(|error| Error::argument("X", error, "a matrix is needed"))?;
        Ok((distances, found.first))
    }

    /// Label of the nearest medoid of each row of numbers, ties to the lowest.
    ///
    /// # Errors
    ///
    /// As for the fit; [`Error::Argument`] for another number of columns or another kind of data.
    pub fn predict<T: Real>(&self, rows: ArrayView2<'_, T>, monitor: &Monitor) -> Result<Vec<u32>> {
        Ok(self.labels_of(&self.number_columns(rows)?, monitor)?.0)
    }

    /// Distance of each row of numbers to every medoid, `(n, n_clusters)`.
    ///
    /// # Errors
    ///
    /// As for [`KMedoidsModel::predict`].
    pub fn distances<T: Real>(
        &self,
        rows: ArrayView2<'_, T>,
        monitor: &Monitor,
    ) -> Result<Array2<f64>> {
        Ok(self.distances_of(&self.number_columns(rows)?, monitor)?.0)
    }

    /// Label of the nearest medoid of each row of a table, under the ranges and categories of the training rows.
    ///
    /// # Errors
    ///
    /// Those of [`GowerSpace::read`].
    pub fn predict_table(&self, table: &Table, monitor: &Monitor) -> Result<(Vec<u32>, Notes)> {
        let (columns, unseen) = self.table_columns(table)?;
        let (labels, incomparable) = self.labels_of(&columns, monitor)?;
        Ok((labels, Notes { empty: Vec::new(), incomparable, unseen }))
    }

    /// Dissimilarity of each row of a table to every medoid, `(n, n_clusters)`.
    ///
    /// # Errors
    ///
    /// As for [`KMedoidsModel::predict_table`].
    pub fn distances_table(
        &self,
        table: &Table,
        monitor: &Monitor,
    ) -> Result<(Array2<f64>, Notes)> {
        let (columns, unseen) = self.table_columns(table)?;
        let (distances, incomparable) = self.distances_of(&columns, monitor)?;
        Ok((distances, Notes { empty: Vec::new(), incomparable, unseen }))
    }
}

/// A row and a cluster that have no variable in common.
type Pair = Option<(usize, usize)>;

impl Persist for KMedoidsModel {
    const KIND: &'static str = "kmedoids";

    fn validate(&self) -> Result<()> {
        let k = self.indices.len();
        if k == 0 || self.weights.len() != k {
            return Err(broken("there is not one weight per medoid"));
        }
        if self.weights.iter().any(|weight| !weight.is_finite() || *weight < 0.0) {
            return Err(broken("a weight is not a number from 0 up"));
        }
        if self.indices.iter().any(|&row| row >= self.labels.len()) {
            return Err(broken("a medoid is not one of the rows"));
        }
        if self.labels.iter().any(|&label| label as usize >= k) {
            return Err(broken("a label is not that of a cluster"));
        }
        if !(self.inertia >= 0.0 && self.inertia.is_finite()) {
            return Err(broken("the inertia is not a finite number"));
        }
        match &self.space {
            Space::Numbers { measure, names, medoids } => {
                let limit = (f64::MAX * 1e-8 / (4.0 * names.len() as f64)).sqrt();
                if names.is_empty() || medoids.len() != k * names.len() {
                    return Err(broken("the medoids are not a matrix with one row per cluster"));
                }
                if *measure == Measure::Gower {
                    return Err(broken("numbers alone have no Gower dissimilarity"));
                }
                if !medoids.iter().all(|value| value.abs() <= limit) {
                    return Err(broken("a medoid holds a number that is not finite"));
                }
                Ok(())
            }
            Space::Gower { space, medoids } => space.validate(medoids, k),
            Space::Precomputed { n } if *n != self.labels.len() => {
                Err(broken("there is not one label per row of the matrix"))
            }
            Space::Precomputed { .. } => Ok(()),
        }
    }
}

impl<T: Real, D: Data<Elem = T>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>>
    for KMedoidsModel
{
    /// # Panics
    ///
    /// If the model was not fitted on rows of numbers, or the rows have another number of columns or hold a value that is
    /// not finite; [`KMedoidsModel::predict`] gives an error instead.
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
