//! The core of ilk: who the customers are, what each segment is worth, where the gaps are.
//!
//! Data comes in as a [`table::Table`], whose columns are read by the role that they play. [`segment`] finds segments with
//! the estimators of [`cluster`], judged by [`quality`] and summed up by [`profile`]; [`economics`] prices them;
//! [`persona`] tells who they are, [`journey`] how they move; [`gap`] holds a table of needs by context against what its
//! margins lead to expect. Every result is a struct that [`persist`] saves, with a [`manifest::Manifest`] of what it was
//! made from.
//!
//! Long computations take a [`parallel::Monitor`], through which the caller stops them, and give the same bits for any
//! number of threads ([`parallel`]) and the same numbers for the same seed ([`rng`]).
//!
//! The crate does not know Python: the bindings stand behind the feature `python`.
//!
//! ```
//! use ilk::cluster::KMeans;
//! use ilk::parallel::Monitor;
//! use ndarray::array;
//!
//! // Visits per month and basket value of five customers.
//! let customers = array![[1.0, 80.0], [1.2, 75.0], [0.8, 82.0], [9.0, 12.0], [8.5, 15.0]];
//! let model = KMeans::new(2).fit(customers.view(), None, &Monitor::new())?;
//! assert_eq!(model.labels(), [0, 0, 0, 1, 1]);
//! # Ok::<(), ilk::Error>(())
//! ```

pub mod cluster;
mod confidence;
pub mod economics;
pub mod error;
pub mod gap;
pub mod journey;
pub mod manifest;
pub mod memory;
pub mod parallel;
pub mod persist;
pub mod persona;
pub mod profile;
pub mod quality;
pub mod rng;
pub mod segment;
mod sentence;
pub mod simd;
pub mod statistics;
pub mod table;

pub use error::{Error, Result};

#[cfg(feature = "python")]
mod python;
