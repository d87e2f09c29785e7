//! k-medoids: each cluster is represented by one of its rows, under any distance.

mod fit;
mod model;
mod pam;
mod source;
mod start;

pub use model::{KMedoidsModel, MedoidValues};

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};

use super::gower::{GowerOptions, GowerSpace};
use super::kmeans::linfa_weights;
use super::mixed::Unseen;
use super::rows::{Rows, column_name};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::simd::{Column, Columns, Measure, Real};
use crate::table::Table;
use model::Space;

/// How medoids are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// [`Method::FasterPam`] up to 10,000 rows whose matrix of distances fits into memory, [`Method::Clara`] beyond.
    Auto,
    /// Swaps on all rows. Distances that do not fit into memory are computed again whenever they are needed.
    FasterPam,
    /// Swaps on samples of the rows, each result judged on all rows.
    Clara,
}

/// Where the swaps start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MedoidStart {
    /// BUILD: again and again the row that lowers the loss most. Not random.
    Build,
    /// LAB: as BUILD, on random samples.
    Lab,
    /// Different rows, all equally likely.
    Random,
    /// These rows; the order of the clusters stays.
    Given(Vec<usize>),
}

/// What was found in a table that does not stop the work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Columns without any value, which were left out.
    pub empty: Vec<String>,
    /// The first two rows found that have no variable in common: of a fit, two rows; of a prediction, a row and a cluster.
    pub incomparable: Option<(usize, usize)>,
    /// Categories that were not in the training rows; they differ from every other.
    pub unseen: Vec<Unseen>,
}

/// Which distance rows of numbers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Root of the sum of squared differences.
    Euclidean,
    /// Sum of squared differences.
    SquaredEuclidean,
    /// Sum of sizes of differences.
    Manhattan,
}

impl Metric {
    fn measure(self) -> Measure {
        match self {
            Self::Euclidean => Measure::Euclidean,
            Self::SquaredEuclidean => Measure::Squared,
            Self::Manhattan => Measure::Manhattan,
        }
    }
}

/// What to fit: the parameters of k-medoids.
///
/// The objective is the weighted sum of the distances of the rows to their medoids. FasterPAM and CLARA with it: Schubert and
/// Rousseeuw (2021), Fast and eager k-medoids clustering, Information Systems 101.
#[derive(Debug, Clone, PartialEq)]
pub struct KMedoids {
    /// Number of clusters.
    pub n_clusters: usize,
    /// How medoids are searched for.
    pub method: Method,
    /// Where the swaps start.
    pub start: MedoidStart,
    /// Passes over the candidates at most.
    pub max_iter: usize,
    /// Number of random starts; the best result is kept. One where the start is not random.
    pub n_init: usize,
    /// Samples that CLARA draws.
    pub n_samples: usize,
    /// Rows of each; none stands for 2000 and 40 more per cluster.
    pub sample_size: Option<usize>,
    /// Seed of everything random.
    pub seed: u64,
    /// Bytes that the matrix of distances may take; none stands for half of what is free.
    pub max_memory: Option<u64>,
}

impl KMedoids {
    /// `n_clusters` clusters from BUILD.
    pub fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            method: Method::Auto,
            start: MedoidStart::Build,
            max_iter: 100,
            n_init: 1,
            n_samples: 5,
            sample_size: None,
            seed: 0,
            max_memory: None,
        }
    }

    /// Fits rows of numbers.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large; [`Error::Argument`] for parameters or weights out of
    /// range; [`Error::TooFewRows`] for fewer rows (of positive weight) than clusters; [`Error::Interrupted`].
    pub fn fit<T: Real>(
        &self,
        rows: ArrayView2<'_, T>,
        metric: Metric,
        weights: Option<&[f64]>,
        names: &[String],
        monitor: &Monitor,
    ) -> Result<KMedoidsModel> {
        let columns = columns_of(rows, metric.measure(), names)?;
        let found = self.fit_columns(&columns, weights, monitor)?;
        let d = rows.ncols();
        let values = found.medoids.iter().flat_map(|&row| rows.row(row).to_vec());
        let space = Space::Numbers {
            measure: metric.measure(),
            names: (0..d).map(|column| column_name(names, column)).collect(),
            medoids: values.map(Real::wide).collect(),
        };
        Ok(KMedoidsModel::new(space, found))
    }

    /// Fits the rows of a table under Gower's dissimilarity. Two rows that have no variable in common are as far apart as can
    /// be, 1, and the notes name the first such pair.
    ///
    /// # Errors
    ///
    /// Those of [`KMedoids::fit`] and of [`GowerSpace::learn`].
    pub fn fit_table(
        &self,
        table: &Table,
        options: &GowerOptions,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<(KMedoidsModel, Notes)> {
        if table.n_rows() == 0 {
            let what = "clustering".to_owned();
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        let (space, empty) = GowerSpace::learn(&[table], options)?;
        let (rows, _) = space.read(table)?;
        let found = self.fit_columns(&rows.columns, weights, monitor)?;
        let medoids = rows.raw.iter().map(|raw| raw.take(&found.medoids)).collect();
        let notes = Notes { empty, incomparable: found.incomparable, unseen: Vec::new() };
        Ok((KMedoidsModel::new(Space::Gower { space, medoids }, found), notes))
    }

    /// Fits rows whose distances are given, `(n, n)`.
    ///
    /// # Errors
    ///
    /// Those of [`KMedoids::fit`]; [`Error::BadValue`] for distances that are not finite, negative, not symmetric (beyond a
    /// relative difference of one millionth) or not 0 on the diagonal.
    pub fn fit_distances<T: super::GowerFloat>(
        &self,
        distances: ArrayView2<'_, T>,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<KMedoidsModel> {
        let (n, m) = distances.dim();
        if n != m {
            return Err(Error::argument(
                "X",
                format!("shape ({n}, {m})"),
                "a precomputed matrix of distances must be square",
            )
            .with_mend("metric=\"euclidean\""));
        }
        let values = match distances.to_slice() {
            Some(values) => values.into(),
            None => distances.iter().copied().collect(),
        };
        let square = source::Square { n, values };
        square.check(monitor)?;
        let found = self.fit_square(&square, weights, monitor)?;
        Ok(KMedoidsModel::new(Space::Precomputed { n }, found))
    }
}

impl<T: Real, D: Data<Elem = T>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for KMedoids {
    type Object = KMedoidsModel;

    /// The distance is Euclidean; [`KMedoids::fit`] takes others too.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let (rows, names) = (dataset.records().view(), dataset.feature_names());
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, rows, Metric::Euclidean, weights.as_deref(), names, &Monitor::new())
    }
}

/// Rows of numbers in columns, checked.
fn columns_of<T: Real>(
    array: ArrayView2<'_, T>,
    measure: Measure,
    names: &[String],
) -> Result<Columns> {
    let rows = Rows::new(array, None, names)?;
    let column = |at: usize| {
        let values = rows.values[at..].iter().step_by(rows.d).map(|value| value.wide());
        Column::Numbers(values.collect(), 1.0)
    };
    Ok(Columns::new(rows.n, measure, (0..rows.d).map(column).collect()))
}
