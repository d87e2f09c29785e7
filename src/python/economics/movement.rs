//! Binding of what moved revenue.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::mix::{self as core, MixRateValue, Options};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.mix_rate_value`.
#[pyfunction]
#[pyo3(signature = (
    before, before_by, after, after_by, *, revenue, customers, orders, customer, order, method, n_boot, confidence, seed,
    progress=None
))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn mix_rate_value(
    py: Python<'_>,
    before: &Bound<'_, PyTable>,
    before_by: PyLabels<'_>,
    after: &Bound<'_, PyTable>,
    after_by: PyLabels<'_>,
    revenue: String,
    customers: Option<String>,
    orders: Option<String>,
    customer: Option<String>,
    order: Option<String>,
    method: String,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyMixRateValue> {
    let before = (&before.get().0, labels(&before_by));
    let after = (&after.get().0, labels(&after_by));
    let options =
        Options { revenue, customers, orders, customer, order, method, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| core::mix_rate_value(before, after, &options, monitor))
        .map(PyMixRateValue)
}

report!(PyMixRateValue, "MixRateValue", MixRateValue);
