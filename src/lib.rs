//! The core of ilk: who the customers are, what each segment is worth, where the gaps are.

pub mod cluster;
pub mod error;
pub mod manifest;
pub mod parallel;
pub mod persist;
pub mod rng;
pub mod simd;
pub mod table;

pub use error::{Error, Result};

#[cfg(feature = "python")]
mod python;
