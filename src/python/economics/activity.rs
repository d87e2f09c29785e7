//! Binding of fit against activity.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::activity::{self as core, FitAgainstActivity, Options};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.fit_against_activity`.
#[pyfunction]
#[pyo3(signature = (table, by, *, fit, activity, won, confidence))]
pub(crate) fn fit_against_activity(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    by: Option<PyLabels<'_>>,
    fit: &str,
    activity: &str,
    won: &str,
    confidence: f64,
) -> PyResult<PyFitAgainstActivity> {
    let table = &table.get().0;
    let by = by.as_ref().map(labels);
    let options = Options { fit, activity, won, confidence };
    runtime::run(py, None, |_| core::fit_against_activity(table, by, options))
        .map(PyFitAgainstActivity)
}

report!(PyFitAgainstActivity, "FitAgainstActivity", FitAgainstActivity);
