//! Binding of the drift of needs.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::drift::{self as core, NeedDrift, Options};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.need_drift`.
#[pyfunction]
#[pyo3(signature = (before, before_segment, after, after_segment, *, needs, weights, threshold, confidence))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn need_drift(
    py: Python<'_>,
    before: &Bound<'_, PyTable>,
    before_segment: Option<PyLabels<'_>>,
    after: &Bound<'_, PyTable>,
    after_segment: Option<PyLabels<'_>>,
    needs: Vec<String>,
    weights: Option<String>,
    threshold: Option<f64>,
    confidence: f64,
) -> PyResult<PyNeedDrift> {
    let before = (&before.get().0, before_segment.as_ref().map(labels));
    let after = (&after.get().0, after_segment.as_ref().map(labels));
    let options = Options { needs, weights, threshold, confidence };
    runtime::run(py, None, |_| core::need_drift(before, after, &options)).map(PyNeedDrift)
}

report!(PyNeedDrift, "NeedDrift", NeedDrift);
