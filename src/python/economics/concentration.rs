//! Binding of concentration.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::concentration::{self as core, Concentration, Options};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.concentration`.
#[pyfunction]
#[pyo3(signature = (table, value, by, weights, *, top, hold, negative, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn concentration(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    value: &str,
    by: Option<PyLabels<'_>>,
    weights: Option<&str>,
    top: f64,
    hold: f64,
    negative: String,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyConcentration> {
    let table = &table.get().0;
    let by = by.as_ref().map(labels);
    let options = Options { top, hold, negative, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| {
        core::concentration(table, value, by, weights, &options, monitor)
    })
    .map(PyConcentration)
}

report!(PyConcentration, "Concentration", Concentration);
