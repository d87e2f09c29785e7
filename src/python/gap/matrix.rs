//! Bindings of the gap matrix.

use pyo3::prelude::*;

use super::map::PyMap;
use crate::gap::{self, GapMatrix, Options, Roles, map};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.gap_matrix`.
#[pyfunction]
#[pyo3(signature = (table, rows, cols, values, customer, supply, structural_zeros, min_count, confidence))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn gap_matrix(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    rows: &str,
    cols: &str,
    values: Option<&str>,
    customer: Option<&str>,
    supply: Option<&Bound<'_, PyTable>>,
    structural_zeros: Option<&Bound<'_, PyTable>>,
    min_count: f64,
    confidence: f64,
) -> PyResult<PyGapMatrix> {
    let roles = Roles { rows, cols, values, customer };
    let supply = supply.map(|table| gap::read_supply(&table.get().0, roles)).transpose()?;
    let zeros = structural_zeros
        .map(|table| gap::read_structural_zeros(&table.get().0, roles))
        .transpose()?;
    let options = Options {
        min_count,
        confidence,
        structural_zeros: zeros.unwrap_or_default(),
        supply: supply.unwrap_or_default(),
    };
    let table = &table.get().0;
    runtime::run(py, None, |_| GapMatrix::from_table(table, roles, &options)).map(PyGapMatrix)
}

result!(PyGapMatrix, "GapMatrix", GapMatrix, {
    /// One row per cell.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// The ranked list of gaps.
    fn gaps(&self, top: usize) -> PyResult<PyTable> {
        Ok(PyTable(self.0.gaps_table(top)?))
    }

    /// One figure of every cell, laid out as the matrix.
    fn matrix(&self, what: &str) -> PyResult<PyTable> {
        Ok(PyTable(self.0.wide(what)?))
    }

    /// Correspondence analysis.
    fn map(&self, py: Python<'_>, dims: usize) -> PyResult<PyMap> {
        runtime::run(py, None, |_| map::simple(&self.0, dims)).map(PyMap)
    }

    /// What the figures mean, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }

    /// Names of the two columns and of the column of values.
    fn names(&self) -> (&str, &str, Option<&str>) {
        (&self.0.rows.name, &self.0.cols.name, self.0.values.as_deref())
    }

    /// Chi-squared, degrees of freedom and p of the whole table.
    fn test(&self) -> (Option<f64>, usize, Option<f64>) {
        (self.0.chi2, self.0.dof, self.0.p_value)
    }

    /// The largest q of a finding.
    fn limit(&self) -> f64 {
        self.0.limit()
    }
});
