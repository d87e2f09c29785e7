//! Binding of the value of targeting.

use pyo3::prelude::*;

use super::report;
use crate::economics::targeting::{self as core, Options, TargetingValue};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.targeting_value`.
#[pyfunction]
#[pyo3(signature = (table, *, target, converted, cost, days, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn targeting_value(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    target: &str,
    converted: &str,
    cost: Option<&str>,
    days: Option<&str>,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyTargetingValue> {
    let table = &table.get().0;
    let options = Options { target, converted, cost, days, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| core::targeting_value(table, options, monitor))
        .map(PyTargetingValue)
}

report!(PyTargetingValue, "TargetingValue", TargetingValue);
