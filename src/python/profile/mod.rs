//! Bindings of the profile room.

use pyo3::prelude::*;

use numpy::PyReadonlyArray1;

use super::result::result;
use super::runtime;
use super::segment::manifest;
use super::table::PyTable;
use crate::profile::{self, Options, SegmentProfile, Segments};
use crate::segment::Segmentation;
use crate::table::MISSING;

/// See `ilk.profile.profile`.
#[pyfunction]
#[pyo3(signature = (table, labels, names, features, exclude, weights, confidence, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn profile_segments(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    labels: PyReadonlyArray1<'_, i64>,
    names: Vec<String>,
    features: Option<Vec<String>>,
    exclude: Vec<String>,
    weights: Option<&str>,
    confidence: f64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PySegmentProfile> {
    let table = &table.get().0;
    let manifest = manifest("profile", settings, None, table)?;
    let labels = codes(&labels);
    runtime::run(py, progress, |monitor| {
        let segments = Segments { labels: &labels, names: &names };
        let options =
            Options { features: features.as_deref(), exclude: &exclude, weights, confidence };
        profile::profile(table, segments, options, manifest, monitor)
    })
    .map(PySegmentProfile)
}

/// Numbers of segments as the core has them: what is below 0 is missing.
pub(crate) fn codes(labels: &PyReadonlyArray1<'_, i64>) -> Vec<u32> {
    labels.as_array().iter().map(|&label| u32::try_from(label).unwrap_or(MISSING)).collect()
}

impl PySegmentProfile {
    /// The profile that a segmentation carries.
    pub(super) fn of(segmentation: &Segmentation) -> Self {
        Self(SegmentProfile {
            manifest: segmentation.manifest().clone(),
            names: segmentation.names().to_vec(),
            confidence: 0.95,
            profile: segmentation.profile().clone(),
        })
    }
}

result!(PySegmentProfile, "SegmentProfile", SegmentProfile, {
    /// One row per trait and segment.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per feature.
    fn effects(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.effects()?))
    }

    /// Names of the segments, and the confidence of the intervals.
    fn about(&self) -> (Vec<String>, f64) {
        (self.0.names.clone(), self.0.confidence)
    }
});
