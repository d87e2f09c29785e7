//! Clusters: who the customers are.
//!
//! [`KMeans`] groups rows of numbers, [`KModes`] rows of categories and [`KPrototypes`] rows of both, with values missing.
//! All alternate between giving each row to its nearest cluster and moving each cluster to the middle of its rows, until
//! nothing moves; each step lowers the objective. [`KMedoids`] takes rows under any distance, [Gower's](gower_distances)
//! among them; [`GaussianMixture`] and [`LatentClass`] find groups by their likelihood, [`Hdbscan`] and [`Dbscan`] by
//! density. Start with [`KMeans::fit`].
//!
//! A pass over the data is one fused kernel of [`simd`](crate::simd): blocks of rows are spread over threads, each block adds
//! to sums of its own, and the sums are folded in the order of the blocks, so the answer has the same bits for any number of
//! threads. Nothing is allocated per iteration.
//!
//! Labels are canonical: cluster 0 is the heaviest, ties go to the lower centre. Only where the caller gave the
//! starting centres does their order stay.
//!
//! ```
//! use ilk::cluster::KMeans;
//! use ndarray::array;
//!
//! let rows = array![[1.0], [1.2], [0.9], [7.0], [7.1]];
//! let model = KMeans::new(2).fit(rows.view(), None, &Default::default())?;
//! assert_eq!(model.labels(), [0, 0, 0, 1, 1]);
//! # Ok::<(), ilk::Error>(())
//! ```

mod archetypes;
mod criteria;
mod density;
mod gamma;
mod gower;
mod kmeans;
mod kmodes;
mod kprototypes;
mod latent;
mod lloyd;
mod measures;
mod medoids;
mod minibatch;
mod mixed;
mod mixed_lloyd;
mod mixed_start;
mod mixture;
mod narrow;
mod order;
mod rows;
mod single;
mod start;

pub use crate::simd::Real;
pub use archetypes::{Archetypes, ArchetypesModel};
pub use criteria::Criteria;
pub use density::{Branch, Dbscan, DbscanModel, Hdbscan, HdbscanModel, Selection};
pub use gamma::Gamma;
pub use gower::{
    Decoded, GowerFloat, GowerOptions, GowerRows, GowerSpace, Incomparable, Treatment,
    check_memory, gower_distances, gower_into,
};
pub use kmeans::{KMeans, KMeansModel, Start};
pub use kmodes::{KModes, KModesModel};
pub use kprototypes::{KPrototypes, KPrototypesModel, MixedStart};
pub use latent::{BootstrapTest, LatentClass, LatentClassModel, Statistics};
pub use medoids::{KMedoids, KMedoidsModel, MedoidStart, MedoidValues, Method, Metric, Notes};
pub use minibatch::MiniBatch;
pub use mixed::{Attribute, Columns, Mixed, Unseen};
pub use mixture::{
    CovarianceType, GaussianMixture, GaussianMixtureModel, GivenStart, MixtureStart,
};
pub(crate) use order::canonical;
