//! Bindings of the profile room.

pub(crate) mod trees;

use pyo3::prelude::*;

use super::segment::json;
use super::table::PyTable;
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::profile::Profile;
use crate::segment::Segmentation;
use crate::table::Table;

/// What makes segments different.
#[pyclass(frozen, module = "ilk._core")]
pub(crate) struct SegmentProfile(NamedProfile);

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedProfile {
    manifest: Manifest,
    names: Vec<String>,
    profile: Profile,
}

impl Persist for NamedProfile {
    const KIND: &'static str = "segment_profile";

    fn validate(&self) -> crate::Result<()> {
        self.profile.validate(self.names.len())
    }
}

impl SegmentProfile {
    /// The profile that a segmentation carries.
    pub(super) fn new(segmentation: &Segmentation) -> Self {
        Self(NamedProfile {
            manifest: segmentation.manifest().clone(),
            names: segmentation.names().to_vec(),
            profile: segmentation.profile().clone(),
        })
    }
}

#[pymethods]
impl SegmentProfile {
    /// Every trait in every segment.
    fn table(&self) -> PyResult<PyTable> {
        let NamedProfile { names, profile, .. } = &self.0;
        let traits = profile.traits();
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let table = Table::builder()
            .text("feature", traits.iter().map(|t| t.feature.as_str()))
            .text("level", traits.iter().map(|t| t.level.as_str()))
            .text("segment", traits.iter().map(|t| names[t.segment].as_str()))
            .int("n", traits.iter().map(|t| t.n as i64))
            .float("value", traits.iter().map(|t| or_nan(t.value)))
            .float("overall", traits.iter().map(|t| t.overall))
            .float("index", traits.iter().map(|t| or_nan(t.value) / t.overall))
            .float("v_test", traits.iter().map(|t| or_nan(t.v_test)))
            .float("p", traits.iter().map(|t| or_nan(t.p)))
            .float("q", traits.iter().map(|t| or_nan(t.q)))
            .flag("marker", traits.iter().map(|t| t.marker))
            .finish()?;
        Ok(PyTable(table))
    }

    /// Settings, seed, rows used.
    fn manifest(&self) -> PyResult<String> {
        json(&self.0.manifest)
    }

    /// The whole result.
    fn to_json(&self) -> PyResult<String> {
        Ok(persist::to_json(&self.0)?)
    }

    /// Reads back `to_json`.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        Ok(Self(persist::from_json(text)?))
    }
}
