//! Binding of the value of segmentation.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::policy::{self as core, Options, ValueOfSegmentation};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.value_of_segmentation`.
#[pyfunction]
#[pyo3(signature = (table, segment, *, action, value, n, min_count, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn value_of_segmentation(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    segment: PyLabels<'_>,
    action: &str,
    value: &str,
    n: Option<&str>,
    min_count: usize,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyValueOfSegmentation> {
    let table = &table.get().0;
    let segment = labels(&segment);
    let options = Options { action, value, n, min_count, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| {
        core::value_of_segmentation(table, segment, options, monitor)
    })
    .map(PyValueOfSegmentation)
}

report!(PyValueOfSegmentation, "ValueOfSegmentation", ValueOfSegmentation);
