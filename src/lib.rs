//! The core of ilk: who the customers are, what each segment is worth, where the gaps are.

pub mod economics;
pub mod error;
pub mod manifest;
pub mod parallel;
pub mod persist;
pub mod quality;
pub mod rng;
pub mod table;

pub use error::{Error, Result};

#[cfg(feature = "python")]
mod python;
