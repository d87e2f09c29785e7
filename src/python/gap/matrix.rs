//! Bindings of the gap matrix and the cube.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::map::PyMap;
use crate::gap::cube::GapCube;
use crate::gap::{self, Against, GapMatrix, Options, Roles, map};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::choice;
use crate::python::table::PyTable;

/// Names of columns by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Names {
    rows: Vec<String>,
    cols: Vec<String>,
    values: Option<String>,
    weights: Option<String>,
    counts: Option<String>,
    customer: Option<String>,
}

/// Tables besides the records, by argument.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Tables<'py> {
    supply: Option<Bound<'py, PyTable>>,
    need: Option<Bound<'py, PyTable>>,
    reference: Option<Bound<'py, PyTable>>,
    value: Option<Bound<'py, PyTable>>,
    structural_zeros: Option<Bound<'py, PyTable>>,
}

/// How cells are judged.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Judging {
    min_count: f64,
    confidence: f64,
    test: String,
    n_resamples: usize,
    n_boot: usize,
    seed: u64,
    suppress: Option<u64>,
}

impl From<Names> for Roles {
    fn from(names: Names) -> Self {
        let Names { rows, cols, values, weights, counts, customer } = names;
        Self { rows, cols, values, weights, counts, customer }
    }
}

fn options(tables: &Tables<'_>, judging: &Judging, roles: &Roles) -> PyResult<Options> {
    let amounts = |argument: &str, table: &Option<Bound<'_, PyTable>>| -> PyResult<_> {
        let table = table.as_ref().map(|table| &table.get().0);
        Ok(table.map(|table| gap::read_amounts(table, argument, roles)).transpose()?)
    };
    let against = if let Some(supply) = amounts("supply", &tables.supply)? {
        Against::Supply(supply)
    } else if let Some(need) = amounts("need", &tables.need)? {
        Against::Need(need)
    } else if let Some(reference) = &tables.reference {
        Against::Reference(Box::new(gap::read_reference(&reference.get().0, roles)?))
    } else {
        Against::Totals
    };
    let zeros = tables.structural_zeros.as_ref();
    let zeros = zeros.map(|table| gap::read_structural_zeros(&table.get().0, roles)).transpose()?;
    Ok(Options {
        min_count: judging.min_count,
        confidence: judging.confidence,
        structural_zeros: zeros.unwrap_or_default(),
        against,
        worth: amounts("value", &tables.value)?.unwrap_or_default(),
        test: choice("test", &judging.test)?,
        n_resamples: judging.n_resamples,
        n_boot: judging.n_boot,
        seed: judging.seed,
        suppress: judging.suppress,
    })
}

/// See `ilk.gap_matrix`.
#[pyfunction]
#[pyo3(signature = (table, roles, tables, judging, progress))]
pub(crate) fn gap_matrix(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    roles: Names,
    tables: Tables<'_>,
    judging: Judging,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyGapMatrix> {
    let roles = Roles::from(roles);
    let options = options(&tables, &judging, &roles)?;
    let table = &table.get().0;
    runtime::run(py, progress, |monitor| GapMatrix::from_table(table, &roles, &options, monitor))
        .map(PyGapMatrix)
}

/// See `ilk.gap_matrix`, with `by`.
#[pyfunction]
#[pyo3(signature = (table, roles, by, tables, judging, progress))]
pub(crate) fn gap_cube(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    roles: Names,
    by: &str,
    tables: Tables<'_>,
    judging: Judging,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyGapCube> {
    let roles = Roles::from(roles);
    let options = options(&tables, &judging, &roles)?;
    let table = &table.get().0;
    runtime::run(py, progress, |monitor| GapCube::from_table(table, &roles, by, &options, monitor))
        .map(PyGapCube)
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

    /// Names of the two sides and of the column of values.
    fn names(&self) -> (&str, &str, Option<&str>) {
        (&self.0.rows.name, &self.0.cols.name, self.0.values.as_deref())
    }

    /// Columns that the two sides are made of.
    fn levels(&self) -> (Vec<&str>, Vec<&str>) {
        (self.0.rows.names(), self.0.cols.names())
    }

    /// Categories of the two sides.
    fn categories(&self) -> (&[String], &[String]) {
        (&self.0.rows.categories, &self.0.cols.categories)
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

result!(PyGapCube, "GapCube", GapCube, {
    /// One row per segment and cell.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// The cells in which segments differ most.
    fn differences(&self, top: usize) -> PyResult<PyTable> {
        Ok(PyTable(self.0.differences_table(top)?))
    }

    /// The column of segments, and the segments.
    fn segments(&self) -> (&str, &[String]) {
        (&self.0.by, &self.0.segments)
    }

    /// The matrix of a segment.
    fn of(&self, segment: &str) -> PyResult<PyGapMatrix> {
        Ok(PyGapMatrix(self.0.of(segment)?.clone()))
    }

    /// What the figures mean, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
