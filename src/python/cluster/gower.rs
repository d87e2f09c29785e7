//! Bindings of Gower's dissimilarity.

use numpy::{PyArray2, PyArrayMethods};
use pyo3::prelude::*;

use super::Given;
use crate::cluster::{
    GowerFloat, GowerOptions, GowerSpace, Incomparable, Treatment, check_memory, gower_into,
};
use crate::error::Result;
use crate::python::runtime;
use crate::python::table::PyTable;

/// Column, treatment ("number", "category" or "rank") and order of the categories.
type Treated = (String, String, Option<Vec<String>>);

/// The options, as Python gives them.
pub(super) fn options(
    treated: Vec<Treated>,
    asymmetric: Vec<String>,
    weights: Vec<(String, f64)>,
) -> GowerOptions {
    let treatment = |(name, kind, order): Treated| match kind.as_str() {
        "number" => (name, Treatment::Number),
        "category" => (name, Treatment::Category),
        _ => (name, Treatment::Rank(order)),
    };
    GowerOptions {
        treatments: treated.into_iter().map(treatment).collect(),
        asymmetric,
        weights: weights.into_iter().collect(),
    }
}

/// The matrix, the names of columns without any value, the number of pairs that cannot be compared and the first of them.
type Distances<'py> = (Given<'py>, Vec<String>, usize, Option<(usize, usize)>);

/// See `ilk.gower_distances`.
#[pyfunction]
#[pyo3(signature = (table, other, *, treated, asymmetric, weights, narrow, max_memory))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn gower_distances<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyTable>,
    other: Option<&Bound<'py, PyTable>>,
    treated: Vec<Treated>,
    asymmetric: Vec<String>,
    weights: Vec<(String, f64)>,
    narrow: bool,
    max_memory: Option<u64>,
) -> PyResult<Distances<'py>> {
    let options = options(treated, asymmetric, weights);
    let table = &table.get().0;
    let other = other.map(|other| &other.get().0);
    let shape = (table.n_rows(), other.unwrap_or(table).n_rows());
    let item = if narrow { size_of::<f32>() } else { size_of::<f64>() };
    check_memory(shape, item, max_memory)?;
    // NumPy's own memory, which comes in large pages where the system has them.
    let work = |py: Python<'py>, out: Out<'_>| {
        runtime::run(py, None, |monitor| {
            let tables: Vec<_> = [Some(table), other].into_iter().flatten().collect();
            let (space, empty) = GowerSpace::learn(&tables, &options)?;
            let (from, _) = space.read(table)?;
            let to = other.map(|other| space.read(other)).transpose()?.map(|(rows, _)| rows);
            let found = match out {
                Out::Wide(out) => fill(&from, to.as_ref(), out, monitor),
                Out::Narrow(out) => fill(&from, to.as_ref(), out, monitor),
            }?;
            Ok((empty, found))
        })
    };
    let (matrix, (empty, found)) = if narrow {
        let matrix = PyArray2::<f32>::zeros(py, shape, false);
        let found = work(py, Out::Narrow(matrix.readwrite().as_slice_mut()?))?;
        (Given::Narrow(matrix), found)
    } else {
        let matrix = PyArray2::<f64>::zeros(py, shape, false);
        let found = work(py, Out::Wide(matrix.readwrite().as_slice_mut()?))?;
        (Given::Wide(matrix), found)
    };
    Ok((matrix, empty, found.n, found.first))
}

enum Out<'a> {
    Wide(&'a mut [f64]),
    Narrow(&'a mut [f32]),
}

fn fill<T: GowerFloat>(
    from: &crate::cluster::GowerRows,
    to: Option<&crate::cluster::GowerRows>,
    out: &mut [T],
    monitor: &crate::parallel::Monitor,
) -> Result<Incomparable> {
    gower_into(from, to, out, monitor)
}
