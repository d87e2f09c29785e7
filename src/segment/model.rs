//! The fitted clustering behind a segmentation: k-means for amounts alone, k-prototypes where there are categories or
//! missing values.

use serde::{Deserialize, Serialize};

use crate::cluster::{KMeans, KMeansModel, KPrototypes, KPrototypesModel, Mixed};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist::Persist;
use crate::table::Prepared;

/// How customers are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// k-means where every feature is an amount and no value is missing, else k-prototypes.
    Auto,
    /// k-means.
    KMeans,
    /// k-prototypes.
    KPrototypes,
}

impl Method {
    /// The method that `Auto` stands for on these rows.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where k-means was asked for and there are categories or missing values.
    pub fn resolve(self, rows: &Prepared) -> Result<Self> {
        let has_categories = rows.codes.ncols() > 0;
        let has_missing = rows.numeric.iter().any(|value| value.is_nan());
        match self {
            Self::Auto if has_categories || has_missing => Ok(Self::KPrototypes),
            Self::Auto => Ok(Self::KMeans),
            Self::KMeans if has_categories || has_missing => Err(Error::argument(
                "method",
                "\"kmeans\"",
                if has_categories {
                    "there are categories among the features, which have no mean"
                } else {
                    "there are missing values among the features, which k-means cannot take"
                },
            )
            .with_mend("method=\"kprototypes\"")),
            method => Ok(method),
        }
    }
}

/// A fitted clustering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Model {
    /// k-means.
    KMeans(KMeansModel<f64>),
    /// k-prototypes.
    KPrototypes(KPrototypesModel),
}

/// Rows in the layout that the model's kernels take.
#[derive(Debug, Clone)]
pub enum Rows {
    /// Amounts alone.
    Numeric(ndarray::Array2<f64>),
    /// Amounts and categories.
    Mixed(Mixed),
}

impl Rows {
    /// Lays rows out for a method.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for values that cannot be squared.
    pub fn new(rows: &Prepared, method: Method) -> Result<Self> {
        if method == Method::KMeans {
            return Ok(Self::Numeric(rows.numeric.clone()));
        }
        let n_categories: Vec<u32> = rows.n_categories.iter().map(|&n| n as u32).collect();
        Mixed::new(rows.numeric.view(), rows.codes.view(), &n_categories).map(Self::Mixed)
    }
}

impl Model {
    /// Fits `k` clusters: the best of `n_init` starts.
    ///
    /// # Errors
    ///
    /// Those of the estimators.
    pub fn fit(
        rows: &Rows,
        weights: Option<&[f64]>,
        k: usize,
        n_init: usize,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Self> {
        match rows {
            Rows::Numeric(rows) => KMeans { n_init, seed, ..KMeans::new(k) }
                .fit(rows.view(), weights, monitor)
                .map(Self::KMeans),
            Rows::Mixed(rows) => KPrototypes { n_init, seed, ..KPrototypes::new(k) }
                .fit(rows, weights, monitor)
                .map(Self::KPrototypes),
        }
    }

    /// Label of each row that the model was fitted on.
    pub fn labels(&self) -> &[u32] {
        match self {
            Self::KMeans(model) => model.labels(),
            Self::KPrototypes(model) => model.labels(),
        }
    }

    /// Weighted sum of squared distances within clusters, with what differing categories cost.
    pub fn within(&self) -> f64 {
        match self {
            Self::KMeans(model) => model.inertia(),
            Self::KPrototypes(model) => model.cost(),
        }
    }

    /// What a category that differs from the mode costs, per categorical feature.
    pub fn gamma(&self) -> Vec<f64> {
        match self {
            Self::KMeans(_) => Vec::new(),
            Self::KPrototypes(model) => model.gamma().to_vec(),
        }
    }

    /// Number of clusters that have rows.
    pub fn n_found(&self) -> usize {
        match self {
            Self::KMeans(model) => model.n_found(),
            Self::KPrototypes(model) => model.n_found(),
        }
    }

    /// Total weight of each cluster.
    pub fn weights(&self) -> &[f64] {
        match self {
            Self::KMeans(model) => model.weights(),
            Self::KPrototypes(model) => model.weights(),
        }
    }

    /// Label of the nearest cluster of each row.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the rows are laid out for another method.
    pub fn predict(&self, rows: &Rows, monitor: &Monitor) -> Result<Vec<u32>> {
        match (self, rows) {
            (Self::KMeans(model), Rows::Numeric(rows)) => model.predict(rows.view(), monitor),
            (Self::KPrototypes(model), Rows::Mixed(rows)) => model.predict(rows, monitor),
            _ => Err(Error::argument("rows", "another layout", "the method's layout is needed")),
        }
    }

    /// What moving from cluster `a` to `b` costs: squared distance of the centres, with gamma per differing mode.
    pub fn distance(&self, a: usize, b: usize) -> f64 {
        let squared = |x: ndarray::ArrayView1<'_, f64>, y: ndarray::ArrayView1<'_, f64>| {
            x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>()
        };
        match self {
            Self::KMeans(model) => squared(model.centres().row(a), model.centres().row(b)),
            Self::KPrototypes(model) => {
                let modes = model.modes();
                let (from, to) = (modes.row(a), modes.row(b));
                let differing = from.iter().zip(to).zip(model.gamma());
                let categories: f64 =
                    differing.map(|((x, y), gamma)| if x == y { 0.0 } else { *gamma }).sum();
                squared(model.centres().row(a), model.centres().row(b)) + categories
            }
        }
    }

    /// The method's name.
    pub fn method(&self) -> Method {
        match self {
            Self::KMeans(_) => Method::KMeans,
            Self::KPrototypes(_) => Method::KPrototypes,
        }
    }

    /// Checks what a saved model must satisfy.
    ///
    /// # Errors
    ///
    /// [`Error::ModelFile`].
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::KMeans(model) => model.validate(),
            Self::KPrototypes(model) => model.validate(),
        }
    }
}
