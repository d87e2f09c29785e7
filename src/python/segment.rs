//! Bindings of the segments room.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use super::errors::exception;
use super::profile::SegmentProfile;
use super::runtime;
use super::table::PyTable;
use crate::manifest::Manifest;
use crate::persist;
use crate::segment::{self, Likelihood, Missing, Options};
use crate::table::{MISSING, Table};

/// A segmentation of the core.
#[pyclass(frozen, module = "ilk._core")]
pub(crate) struct Segmentation(pub(super) segment::Segmentation);

/// Segment of each row, and features with unknown categories and their number of rows.
type Predicted<'py> = (Bound<'py, PyArray1<i64>>, Vec<(String, usize)>);

/// See `ilk.segment`.
#[pyfunction]
#[pyo3(signature = (table, features, exclude, method, k, k_max, weights, scale, missing, n_init, seed, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn find_segments(
    py: Python<'_>,
    table: &PyTable,
    features: Option<Vec<String>>,
    exclude: Vec<String>,
    method: &str,
    k: Option<usize>,
    k_max: usize,
    weights: Option<String>,
    scale: &str,
    missing: &str,
    n_init: usize,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Segmentation> {
    let options = Options {
        features,
        exclude,
        method: choice("method", method)?,
        k,
        k_max,
        weights,
        scale: choice("scale", scale)?,
        missing: match missing {
            "drop" => Missing::Drop,
            "error" => Missing::Error,
            _ => Missing::Ignore,
        },
        n_init,
        seed,
    };
    let manifest = manifest("segment", settings, Some(seed), &table.0)?;
    runtime::run(py, progress, |monitor| segment::segment(&table.0, &options, manifest, monitor))
        .map(Segmentation)
}

#[pymethods]
impl Segmentation {
    /// The segments with their sizes.
    fn table(&self) -> PyResult<PyTable> {
        let table = Table::builder()
            .text("segment", self.0.names())
            .int("n", self.0.sizes().iter().map(|&n| n as i64))
            .float("share", self.0.shares())
            .finish()?;
        Ok(PyTable(table))
    }

    /// The evidence for each number of segments tried.
    fn evidence(&self) -> PyResult<PyTable> {
        let evidence = self.0.evidence();
        let mut builder = Table::builder()
            .int("k", evidence.iter().map(|e| e.k as i64))
            .float("within_ss", evidence.iter().map(|e| e.within))
            .float("silhouette", evidence.iter().map(|e| e.silhouette))
            .float("prediction_strength", evidence.iter().map(|e| e.prediction_strength))
            .float("standard_error", evidence.iter().map(|e| e.standard_error))
            .float("adjusted_rand", evidence.iter().map(|e| e.adjusted_rand))
            .float("smallest_share", evidence.iter().map(|e| e.smallest_share));
        if self.0.model().method().has_likelihood() {
            let likelihood = |of: fn(Likelihood) -> f64| {
                evidence.iter().map(move |e| e.likelihood.map_or(f64::NAN, of))
            };
            builder = builder
                .float("bic", likelihood(|found| found.bic))
                .float("icl", likelihood(|found| found.icl));
        }
        let table = builder.flag("chosen", evidence.iter().map(|e| e.chosen)).finish()?;
        Ok(PyTable(table))
    }

    /// The features with their share of the separation.
    fn drivers(&self) -> PyResult<PyTable> {
        let features = &self.0.preparation().features;
        let table = Table::builder()
            .text("feature", features.iter().map(|feature| feature.name()))
            .float("share", self.0.drivers().iter().copied())
            .finish()?;
        Ok(PyTable(table))
    }

    /// Columns that were not used, each with the reason.
    fn unused(&self) -> Vec<(String, String)> {
        self.0.unused().iter().map(|column| (column.name.clone(), column.reason.clone())).collect()
    }

    /// How the features were read, as JSON.
    fn preparation(&self) -> PyResult<String> {
        json(self.0.preparation())
    }

    /// The method in use.
    fn method(&self) -> PyResult<String> {
        json(&self.0.model().method())
    }

    /// Cost of a category that is not the mode, per categorical feature.
    fn gamma(&self) -> Vec<f64> {
        self.0.model().gamma()
    }

    /// Number of each row's segment; -1 where the row was left out.
    fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        signed(self.0.labels()).into_pyarray(py)
    }

    /// Names of the segments.
    fn names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    /// The sentence that says why there are so many segments, and whether they repeat.
    fn choice(&self) -> (usize, bool, String) {
        let choice = self.0.choice();
        (choice.k, choice.repeats, choice.reason.clone())
    }

    /// What makes each segment different.
    fn profile(&self) -> SegmentProfile {
        SegmentProfile::new(&self.0)
    }

    /// The same under other names.
    fn rename(&self, names: Vec<String>) -> PyResult<Self> {
        Ok(Self(self.0.rename(names)?))
    }

    /// At most `most` segments.
    fn limit(&self, most: usize) -> PyResult<Self> {
        Ok(Self(self.0.limit(most)?))
    }

    /// Segments put together.
    fn merge(&self, lists: Vec<Vec<usize>>) -> PyResult<Self> {
        Ok(Self(self.0.merge(&lists)?))
    }

    /// Segments of new customers, with the features that hold unknown categories and their number of rows.
    fn predict<'py>(&self, py: Python<'py>, table: &PyTable) -> PyResult<Predicted<'py>> {
        let found = runtime::run(py, None, |monitor| self.0.predict(&table.0, monitor))?;
        let unknown = found.unknown.into_iter().map(|unknown| (unknown.feature, unknown.rows));
        Ok((signed(&found.labels).into_pyarray(py), unknown.collect()))
    }

    /// Settings, seed, rows used.
    fn manifest(&self) -> PyResult<String> {
        json(self.0.manifest())
    }

    /// The whole result.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        runtime::quick(py, || persist::to_json(&self.0))
    }

    /// Reads back `to_json`.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        runtime::quick(py, || persist::from_json(text)).map(Self)
    }
}

/// A manifest from the settings that Python recorded as JSON.
pub(crate) fn manifest(
    function: &str,
    settings: &str,
    seed: Option<u64>,
    table: &Table,
) -> PyResult<Manifest> {
    let settings = serde_json::from_str(settings)
        .map_err(|error| exception("DataError", format!("settings: {error}")))?;
    Ok(Manifest::new(function, settings, seed, table.n_rows()))
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| exception("InternalError", error.to_string()))
}

pub(crate) fn choice<T: serde::de::DeserializeOwned>(argument: &str, word: &str) -> PyResult<T> {
    serde_json::from_value(serde_json::Value::String(word.to_string())).map_err(|_| {
        exception("DataError", format!("{argument}: found {word:?}, but that is not an option"))
    })
}

fn signed(labels: &[u32]) -> Vec<i64> {
    labels.iter().map(|&label| if label == MISSING { -1 } else { i64::from(label) }).collect()
}
