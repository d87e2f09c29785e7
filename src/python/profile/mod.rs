//! Bindings of the profile room.

pub(crate) mod trees;

use pyo3::prelude::*;

use numpy::PyReadonlyArray1;

use super::result::result;
use super::runtime;
use super::segment::{choice, manifest};
use super::table::PyTable;
use crate::profile::describe::{self, Description, Settings};
use crate::profile::homogeneity::{self, Block, Homogeneity};
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

/// See `ilk.profile.describe`.
#[pyfunction]
#[pyo3(signature = (table, labels, names, descriptors, exclude, weights, confidence, numbers, adjust, n_resamples, seed, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn describe_segments(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    labels: PyReadonlyArray1<'_, i64>,
    names: Vec<String>,
    descriptors: Option<Vec<String>>,
    exclude: Vec<String>,
    weights: Option<&str>,
    confidence: f64,
    numbers: &str,
    adjust: &str,
    n_resamples: usize,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyDescription> {
    let table = &table.get().0;
    let manifest = manifest("describe", settings, Some(seed), table)?;
    let labels = codes(&labels);
    let settings = Settings {
        numbers: choice("numbers", numbers)?,
        adjust: choice("adjust", adjust)?,
        n_resamples,
        seed,
    };
    runtime::run(py, progress, |monitor| {
        let segments = Segments { labels: &labels, names: &names };
        let options =
            Options { features: descriptors.as_deref(), exclude: &exclude, weights, confidence };
        describe::describe(table, segments, options, settings, manifest, monitor)
    })
    .map(PyDescription)
}

/// See `ilk.profile.homogeneity`.
#[pyfunction]
#[pyo3(signature = (table, labels, names, blocks, bases, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn segment_homogeneity(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    labels: PyReadonlyArray1<'_, i64>,
    names: Vec<String>,
    blocks: Vec<(String, Vec<String>)>,
    bases: Vec<(String, String)>,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyHomogeneity> {
    let table = &table.get().0;
    let manifest = manifest("homogeneity", settings, None, table)?;
    let labels = codes(&labels);
    let blocks: Vec<Block> =
        blocks.into_iter().map(|(name, columns)| Block { name, columns }).collect();
    runtime::run(py, progress, |monitor| {
        let segments = Segments { labels: &labels, names: &names };
        homogeneity::homogeneity(table, segments, &blocks, &bases, manifest, monitor)
    })
    .map(PyHomogeneity)
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

result!(PyDescription, "SegmentDescription", Description, {
    /// One row per descriptor and test.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per descriptor that differs and pair of segments.
    fn pairs(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.pairs()?))
    }

    /// One row per number and segment.
    fn amounts(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.amounts()?))
    }

    /// One row per category and segment.
    fn counts(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.counts()?))
    }

    /// Names of the segments, and the confidence of the intervals.
    fn about(&self) -> (Vec<String>, f64) {
        (self.0.names.clone(), self.0.confidence)
    }

    /// The descriptors that differ, in words.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyHomogeneity, "SegmentHomogeneity", Homogeneity, {
    /// One row per block and segment.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.segments.table()?))
    }

    /// One row per block.
    fn blocks(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.blocks.table()?))
    }

    /// One row per block and variable.
    fn variables(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.variables.table()?))
    }

    /// One row per base of variables.
    fn bases(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.bases.table()?))
    }

    /// Names of the segments.
    fn names(&self) -> Vec<String> {
        self.0.names.clone()
    }
});
