//! Clusters: who the customers are.
//!
//! [`KMeans`] groups rows of numbers, [`KPrototypes`] rows of numbers and categories, with values missing. Both alternate
//! between giving each row to its nearest cluster and moving each cluster to the middle of its rows, until nothing moves; each
//! step lowers the objective. Start with [`KMeans::fit`].
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
mod density;
mod kmeans;
mod kprototypes;
mod lloyd;
mod mixed;
mod mixed_lloyd;
mod mixed_start;
mod order;
mod rows;
mod start;

pub use crate::simd::Real;
pub use archetypes::{Archetypes, ArchetypesModel};
pub use density::{Branch, Dbscan, DbscanModel, Hdbscan, HdbscanModel, Selection};
pub use kmeans::{KMeans, KMeansModel, Start};
pub use kprototypes::{Gamma, KPrototypes, KPrototypesModel, MixedStart};
pub use mixed::{Attribute, Columns, Mixed, Unseen};
