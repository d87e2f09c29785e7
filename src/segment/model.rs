//! The fitted clustering behind a segmentation: k-means for amounts alone, k-prototypes where there are categories or
//! missing values, and on request the models by likelihood.

use serde::{Deserialize, Serialize};

use super::likeliest::{Likeliest, Likelihood};
use crate::cluster::{
    GaussianMixtureModel, KMeans, KMeansModel, KPrototypes, KPrototypesModel, LatentClassModel,
    Mixed,
};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist::Persist;
use crate::table::{Prepared, Reading};

/// How customers are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// k-means where every feature is an amount and no value is missing, else k-prototypes.
    Auto,
    /// k-means.
    #[serde(rename = "kmeans")]
    KMeans,
    /// k-prototypes.
    #[serde(rename = "kprototypes")]
    KPrototypes,
    /// A mixture of normal distributions with full covariances; each customer belongs to the likeliest.
    GaussianMixture,
    /// Latent classes behind categories; each customer belongs to the likeliest.
    LatentClass,
}

impl Method {
    /// The method that `Auto` stands for on these rows.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where a method that takes complete amounts alone was asked for and there are categories or
    /// missing values.
    pub fn resolve(self, rows: &Prepared) -> Result<Self> {
        let has_categories = rows.codes.ncols() > 0;
        let has_missing = rows.numeric.iter().any(|value| value.is_nan());
        if self == Self::Auto {
            return Ok(if has_categories || has_missing {
                Self::KPrototypes
            } else {
                Self::KMeans
            });
        }
        if self.needs_complete_amounts() && (has_categories || has_missing) {
            let wanted = if has_categories {
                "there are categories among the features, which have no mean"
            } else {
                "there are missing values among the features, which this method cannot take"
            };
            return Err(Error::argument("method", format!("{:?}", self.name()), wanted)
                .with_mend("method=\"kprototypes\""));
        }
        Ok(self)
    }

    /// Whether it takes amounts alone, none of them missing.
    pub fn needs_complete_amounts(self) -> bool {
        matches!(self, Self::KMeans | Self::GaussianMixture)
    }

    /// Whether it is fitted by likelihood, so that there are information criteria.
    pub fn has_likelihood(self) -> bool {
        matches!(self, Self::GaussianMixture | Self::LatentClass)
    }

    /// How columns are read for it.
    pub fn reading(self) -> Reading {
        if self == Self::LatentClass { Reading::Categories } else { Reading::ByKind }
    }

    /// The name that users give it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::KMeans => "kmeans",
            Self::KPrototypes => "kprototypes",
            Self::GaussianMixture => "gaussian_mixture",
            Self::LatentClass => "latent_class",
        }
    }
}

/// A fitted clustering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Model {
    /// k-means.
    #[serde(rename = "kmeans")]
    KMeans(KMeansModel<f64>),
    /// k-prototypes.
    #[serde(rename = "kprototypes")]
    KPrototypes(KPrototypesModel),
    /// A mixture of normal distributions.
    GaussianMixture(Likeliest<GaussianMixtureModel>),
    /// Latent classes.
    LatentClass(Box<Likeliest<LatentClassModel>>),
}

/// Rows in the layout that the model's kernels take.
#[derive(Debug, Clone)]
pub enum Rows {
    /// Amounts alone, for k-means.
    Numeric(ndarray::Array2<f64>),
    /// Amounts and categories, for k-prototypes.
    Mixed(Mixed),
    /// Amounts alone, for a mixture.
    Mixture(ndarray::Array2<f64>),
    /// Categories alone, for latent classes.
    Items(Mixed),
}

impl Rows {
    /// Lays rows out for a method.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for values that cannot be squared.
    pub fn new(rows: &Prepared, method: Method) -> Result<Self> {
        let n_categories: Vec<u32> = rows.n_categories.iter().map(|&n| n as u32).collect();
        let mixed = || Mixed::new(rows.numeric.view(), rows.codes.view(), &n_categories);
        match method {
            Method::KMeans => Ok(Self::Numeric(rows.numeric.clone())),
            Method::GaussianMixture => Ok(Self::Mixture(rows.numeric.clone())),
            Method::LatentClass => mixed().map(Self::Items),
            Method::Auto | Method::KPrototypes => mixed().map(Self::Mixed),
        }
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
        let found = match rows {
            Rows::Numeric(rows) => KMeans { n_init, seed, ..KMeans::new(k) }
                .fit(rows.view(), weights, monitor)
                .map(Self::KMeans),
            Rows::Mixed(rows) => KPrototypes { n_init, seed, ..KPrototypes::new(k) }
                .fit(rows, weights, monitor)
                .map(Self::KPrototypes),
            Rows::Mixture(rows) => {
                Likeliest::mixture(rows.view(), weights, k, n_init, seed, monitor)
                    .map(Self::GaussianMixture)
            }
            Rows::Items(items) => Likeliest::classes(items, weights, k, n_init, seed, monitor)
                .map(|found| Self::LatentClass(Box::new(found))),
        };
        // The estimators speak of clusters, components and classes; here all are segments.
        found.map_err(|error| match error {
            Error::TooFewRows { needed, found, .. } => Error::TooFewRows {
                what: format!("k={k}"),
                needed,
                found,
                mend: (found > 0).then(|| format!("k={found}")),
            },
            other => other,
        })
    }

    /// Label of each row that the model was fitted on.
    pub fn labels(&self) -> &[u32] {
        match self {
            Self::KMeans(model) => model.labels(),
            Self::KPrototypes(model) => model.labels(),
            Self::GaussianMixture(found) => found.labels(),
            Self::LatentClass(found) => found.labels(),
        }
    }

    /// Weighted sum of squared distances within clusters, with what differing categories cost.
    pub fn within(&self) -> f64 {
        match self {
            Self::KMeans(model) => model.inertia(),
            Self::KPrototypes(model) => model.cost(),
            Self::GaussianMixture(found) => found.within(),
            Self::LatentClass(found) => found.within(),
        }
    }

    /// What a category that differs from the mode costs, per categorical feature; 1 where the method has no such cost.
    pub fn gamma(&self) -> Vec<f64> {
        match self {
            Self::KMeans(_) | Self::GaussianMixture(_) => Vec::new(),
            Self::KPrototypes(model) => model.gamma().to_vec(),
            Self::LatentClass(found) => vec![1.0; found.model().columns().categorical.len()],
        }
    }

    /// Number of clusters that have rows.
    pub fn n_found(&self) -> usize {
        match self {
            Self::KMeans(model) => model.n_found(),
            Self::KPrototypes(model) => model.n_found(),
            Self::GaussianMixture(found) => found.n_found(),
            Self::LatentClass(found) => found.n_found(),
        }
    }

    /// Total weight of each cluster.
    pub fn weights(&self) -> &[f64] {
        match self {
            Self::KMeans(model) => model.weights(),
            Self::KPrototypes(model) => model.weights(),
            Self::GaussianMixture(found) => found.weights(),
            Self::LatentClass(found) => found.weights(),
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
            (Self::GaussianMixture(found), Rows::Mixture(rows)) => {
                Ok(found.clusters(found.model().predict(rows.view(), monitor)?))
            }
            (Self::LatentClass(found), Rows::Items(items)) => {
                Ok(found.clusters(found.model().predict(items, None, monitor)?))
            }
            _ => Err(Error::argument("rows", "another layout", "the method's layout is needed")),
        }
    }

    /// What moving from cluster `a` to `b` costs: squared distance of the centres, with gamma per differing mode; of latent
    /// classes the squared differences between the probabilities of categories.
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
            Self::GaussianMixture(found) => {
                let (means, a, b) = (found.model().means(), found.component(a), found.component(b));
                squared(means.row(a), means.row(b))
            }
            Self::LatentClass(found) => {
                let (a, b) = (found.component(a), found.component(b));
                let probabilities = found.model().probabilities();
                squared(probabilities.column(a), probabilities.column(b))
            }
        }
    }

    /// The method's name.
    pub fn method(&self) -> Method {
        match self {
            Self::KMeans(_) => Method::KMeans,
            Self::KPrototypes(_) => Method::KPrototypes,
            Self::GaussianMixture(_) => Method::GaussianMixture,
            Self::LatentClass(_) => Method::LatentClass,
        }
    }

    /// Information criteria, where the method has a likelihood that says something.
    pub fn likelihood(&self) -> Option<Likelihood> {
        match self {
            Self::KMeans(_) | Self::KPrototypes(_) => None,
            Self::GaussianMixture(found) => found.likelihood(),
            Self::LatentClass(found) => found.likelihood(),
        }
    }

    /// Forgets the labels of the rows it was fitted on.
    #[must_use]
    pub(super) fn without_labels(self) -> Self {
        match self {
            Self::KMeans(model) => Self::KMeans(model.without_labels()),
            Self::KPrototypes(model) => Self::KPrototypes(model.without_labels()),
            Self::GaussianMixture(found) => Self::GaussianMixture(found.without_labels()),
            Self::LatentClass(found) => Self::LatentClass(Box::new(found.without_labels())),
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
            Self::GaussianMixture(found) => {
                found.model().validate()?;
                found.validate(found.model().n_components())
            }
            Self::LatentClass(found) => {
                found.model().validate()?;
                found.validate(found.model().n_classes())
            }
        }
    }
}
