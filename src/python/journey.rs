//! Bindings of journeys.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::result::result;
use super::runtime;
use super::segment::manifest;
use super::table::PyTable;
use crate::journey::life::{self, LifePath, Request};
use crate::persist::broken;

/// See `ilk.journeys.life_path`.
#[pyfunction]
#[pyo3(signature = (table, request, settings, progress))]
pub(crate) fn follow_stages(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    request: &str,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyLifePath> {
    let table = &table.get().0;
    let request: Request =
        serde_json::from_str(request).map_err(|error| broken(error.to_string()))?;
    let manifest = manifest("life_path", settings, Some(request.seed), table)?;
    runtime::run(py, progress, |monitor| life::life_path(table, &request, manifest, monitor))
        .map(PyLifePath)
}

result!(PyLifePath, "LifePath", LifePath, {
    /// One row per pair of stages.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table().table()?))
    }

    /// One row per stage.
    fn stages(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.stage_table().table()?))
    }

    /// The mean customer to begin with: one row, none without margins.
    fn total(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.total_table().table()?))
    }

    /// One row per period and stage.
    fn occupancy(&self, py: Python<'_>, periods: usize) -> PyResult<PyTable> {
        runtime::run(py, None, |monitor| self.0.occupancy_table(periods, monitor)?.table())
            .map(PyTable)
    }

    /// One period in words, the periods over which value adds up, and whether there are margins.
    fn words(&self) -> (&str, usize, bool) {
        (&self.0.period, self.0.horizon, self.0.margin.is_some())
    }

    /// Stages in the columns of a chart: cumulated value of each first stage by period.
    fn running(&self) -> Vec<Vec<f64>> {
        self.0.running()
    }

    /// The path in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
