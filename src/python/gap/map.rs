//! Bindings of the map.

use numpy::{PyArray2, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;

use crate::gap::map::{self, Map};
use crate::python::errors::exception;
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::manifest;
use crate::python::table::PyTable;

/// See `ilk.gaps.correspondence`.
#[pyfunction]
#[pyo3(signature = (table, columns, weights, dims, settings))]
pub(crate) fn map_columns(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    columns: Vec<String>,
    weights: Option<&str>,
    dims: usize,
    settings: &str,
) -> PyResult<PyMap> {
    let table = &table.get().0;
    let manifest = manifest("correspondence", settings, None, table)?;
    runtime::run(py, None, |_| map::of_table(table, &columns, weights, dims, manifest)).map(PyMap)
}

result!(PyMap, "CorrespondenceMap", Map, {
    /// One row per point.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per dimension.
    fn inertias(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.inertias_table()?))
    }

    /// Coordinates of the rows, or of the columns.
    fn coordinates(&self, rows: bool) -> PyResult<PyTable> {
        Ok(PyTable(self.0.coordinates_table(rows)?))
    }

    /// Names of the categories of the rows, or of the columns, each with its variable.
    fn categories(&self, rows: bool) -> Vec<(String, String)> {
        let points = if rows { &self.0.rows } else { &self.0.cols };
        points.variables.iter().cloned().zip(points.categories.iter().cloned()).collect()
    }

    /// Coordinates of other points, by their counts in the categories of the other side.
    fn project<'py>(
        &self,
        py: Python<'py>,
        counts: PyReadonlyArray2<'py, f64>,
        rows: bool,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let given: Vec<f64> = counts.as_array().iter().copied().collect();
        let dims = self.0.dims();
        let found = runtime::quick(py, || self.0.project(&given, rows))?;
        let found = ndarray::Array2::from_shape_vec((found.len() / dims, dims), found)
            .map_err(|error| exception("InternalError", error.to_string()))?;
        Ok(found.to_pyarray(py))
    }

    /// Whether several columns are compared with each other.
    fn is_multiple(&self) -> bool {
        self.0.correction.is_some()
    }

    /// Sum of all inertias.
    fn total_inertia(&self) -> f64 {
        self.0.total_inertia()
    }

    /// What the map shows, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
