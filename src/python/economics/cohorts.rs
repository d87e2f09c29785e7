//! Binding of cohorts.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::cohorts::{self as core, Cohorts, Options};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.cohorts`.
#[pyfunction]
#[pyo3(signature = (table, by, *, customer, date, value, period, observed_to, confidence))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn cohorts(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    by: Option<PyLabels<'_>>,
    customer: &str,
    date: &str,
    value: Option<&str>,
    period: &str,
    observed_to: Option<f64>,
    confidence: f64,
) -> PyResult<PyCohorts> {
    let table = &table.get().0;
    let by = by.as_ref().map(labels);
    let options = Options { customer, date, value, period, observed_to, confidence };
    runtime::run(py, None, |_| core::cohorts(table, by, options)).map(PyCohorts)
}

report!(PyCohorts, "Cohorts", Cohorts);
