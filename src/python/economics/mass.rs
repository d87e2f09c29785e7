//! Bindings of the mass of the market and of a niche's neighbours in it.

use pyo3::prelude::*;

use super::{PyLabels, labels, report};
use crate::economics::mass::{self, MarketMass};
use crate::economics::neighbours::{self, MassNeighbours};
use crate::python::runtime;
use crate::python::table::PyTable;

/// See `ilk.economics.market_mass`.
#[pyfunction]
#[pyo3(signature = (table, by, *, score, money, bands, mass, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn market_mass(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    by: Option<PyLabels<'_>>,
    score: &str,
    money: &str,
    bands: Vec<f64>,
    mass: f64,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyMarketMass> {
    let table = &table.get().0;
    let by = by.as_ref().map(labels);
    let options = mass::Options { bands, mass, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| {
        mass::market_mass(table, score, money, by, &options, monitor)
    })
    .map(PyMarketMass)
}

/// See `ilk.economics.mass_neighbours`.
#[pyfunction]
#[pyo3(signature = (table, *, customer, item, value, niche, min_size, confidence))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn mass_neighbours(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    customer: &str,
    item: &str,
    value: Option<&str>,
    niche: &str,
    min_size: Option<f64>,
    confidence: f64,
) -> PyResult<PyMassNeighbours> {
    let table = &table.get().0;
    let options = neighbours::Options { customer, item, value, niche, min_size, confidence };
    runtime::run(py, None, |_| neighbours::mass_neighbours(table, options)).map(PyMassNeighbours)
}

report!(PyMarketMass, "MarketMass", MarketMass);
report!(PyMassNeighbours, "MassNeighbours", MassNeighbours);
