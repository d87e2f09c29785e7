//! Bindings of the quality room.

mod given;
mod repeated;
mod separated;

pub(crate) use repeated::{
    PyNoiseTest, PySegmentStability, PySelection, PyStability, quality_noise, quality_segments,
    quality_select, quality_stability,
};
pub(crate) use separated::{
    PyComparison, PyShadows, PySilhouettes, quality_compare, quality_shadow, quality_silhouette,
};

/// Columns that were not used, each with the reason.
type Unused = Vec<(String, String)>;
