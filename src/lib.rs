//! The core of ilk: who the customers are, what each segment is worth, where the gaps are.

pub mod cluster;
pub mod economics;
pub mod error;
pub mod gap;
pub mod manifest;
pub mod parallel;
pub mod persist;
pub mod profile;
pub mod quality;
pub mod rng;
pub mod simd;
pub mod statistics;
pub mod table;

pub use error::{Error, Result};

#[cfg(feature = "python")]
mod python;
