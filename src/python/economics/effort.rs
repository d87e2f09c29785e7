//! Binding of the effort index.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::effort::{self as core, EffortIndex, Options};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.effort_index`.
#[pyfunction]
#[pyo3(signature = (table, segment, *, effort, outcome, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn effort_index(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    segment: PyLabels<'_>,
    effort: &str,
    outcome: &str,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyEffortIndex> {
    let table = &table.get().0;
    let segment = labels(&segment);
    let options = Options { n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| {
        core::effort_index(table, segment, effort, outcome, options, monitor)
    })
    .map(PyEffortIndex)
}

report!(PyEffortIndex, "EffortIndex", EffortIndex);
