//! Binding of white space.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::gap::whitespace::{self, By, Filter, Options, Whitespace};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::manifest;
use crate::python::table::PyTable;

/// The table of accounts with their segments, and the names of both columns in it.
type Accounts<'py> = (Bound<'py, PyTable>, String, String);

/// See `ilk.gaps.whitespace`.
#[pyfunction]
#[pyo3(signature = (table, account, product, value, by, accounts, confidence, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn find_whitespace(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    account: &str,
    product: &str,
    value: Option<&str>,
    by: Option<&str>,
    accounts: Option<Accounts<'_>>,
    confidence: f64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyWhitespace> {
    let table = &table.get().0;
    let by = match (&accounts, by) {
        (Some((table, account, segment)), _) => {
            By::Table { table: &table.get().0, account, segment }
        }
        (None, Some(column)) => By::Column(column),
        (None, None) => By::Nothing,
    };
    let options = Options { account, product, value, by, confidence };
    let manifest = manifest("whitespace", settings, None, table)?;
    runtime::run(py, progress, |monitor| whitespace::whitespace(table, &options, manifest, monitor))
        .map(PyWhitespace)
}

result!(PyWhitespace, "Whitespace", Whitespace, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table.table()?))
    }

    /// The ranked list of what accounts do not buy.
    fn opportunities(
        &self,
        py: Python<'_>,
        top: usize,
        account: Option<&str>,
        product: Option<&str>,
        per_account: Option<usize>,
        min_buyers: usize,
    ) -> PyResult<PyTable> {
        let filter = Filter { top, account, product, per_account, min_buyers };
        runtime::quick(py, || self.0.listed(&self.0.opportunities(&filter)?)).map(PyTable)
    }

    /// Names of segments and products, and whether purchases have values.
    fn names(&self) -> (Vec<String>, Vec<String>, bool) {
        (self.0.segments.clone(), self.0.products.clone(), self.0.valued)
    }

    /// Number of accounts, and of pairs of account and product that were bought.
    fn sizes(&self) -> (usize, usize) {
        (self.0.accounts.len(), self.0.bought.len())
    }
});
