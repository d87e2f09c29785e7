//! Bindings of k-prototypes.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{labels, slice};
use crate::cluster::{Gamma, KPrototypes, KPrototypesModel, Mixed, MixedStart};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist;
use crate::python::runtime;
use crate::python::table::PyTable;

fn mixed_start(name: &str) -> Result<MixedStart> {
    match name {
        "k-means++" => Ok(MixedStart::PlusPlus),
        "huang" => Ok(MixedStart::Huang),
        "cao" => Ok(MixedStart::Cao),
        "random" => Ok(MixedStart::Random),
        name => Err(Error::argument(
            "init",
            format!("{name:?}"),
            "\"k-means++\", \"huang\", \"cao\", \"random\" or a frame of starting rows is needed",
        )),
    }
}

/// A fitted k-prototypes model.
#[pyclass(frozen, eq, name = "KPrototypesModel", module = "ilk._core")]
#[derive(PartialEq)]
pub(crate) struct PyKPrototypes(KPrototypesModel);

/// Columns, first rows, values and numbers of rows of unseen categories.
type Unseen = Vec<(String, usize, String, usize)>;

#[pymethods]
impl PyKPrototypes {
    /// See `ilk.cluster.KPrototypes.fit`; gives the number of rows without any value too.
    #[staticmethod]
    #[pyo3(signature = (table, weights, *, numeric, categorical, n_clusters, gamma, init, n_init, max_iter, seed, progress))]
    #[allow(clippy::too_many_arguments)]
    fn fit(
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        numeric: Vec<String>,
        categorical: Vec<String>,
        n_clusters: usize,
        gamma: Option<Vec<f64>>,
        init: &Bound<'_, PyAny>,
        n_init: usize,
        max_iter: usize,
        seed: u64,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Self, usize)> {
        let weights = slice(weights.as_ref())?;
        let table = &table.get().0;
        let rows = init.cast::<PyTable>().ok().map(|rows| &rows.get().0);
        let name = init.cast::<PyString>().map(ToString::to_string).unwrap_or_default();
        let work = |monitor: &Monitor| {
            let data = Mixed::from_table(table, &numeric, &categorical)?;
            let params = KPrototypes {
                gamma: gamma.map_or(Gamma::Auto, Gamma::Each),
                start: rows.map_or_else(|| mixed_start(&name), |rows| data.start(rows))?,
                n_init,
                max_iter,
                seed,
                ..KPrototypes::new(n_clusters)
            };
            Ok((params.fit(&data, weights, monitor)?, data.n_empty_rows()))
        };
        let (model, n_empty) = runtime::run(py, progress, work)?;
        Ok((Self(model), n_empty))
    }

    /// See `ilk.cluster.KPrototypes.predict`; gives the unseen categories and the number of rows without any value too.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'_, PyTable>,
    ) -> PyResult<(Bound<'py, PyArray1<i32>>, Unseen, usize)> {
        let table = &table.get().0;
        let (found, unseen, n_empty) = runtime::run(py, None, |monitor| {
            let (data, unseen) = Mixed::like(table, self.0.columns())?;
            Ok((self.0.predict(&data, monitor)?, unseen, data.n_empty_rows()))
        })?;
        Ok((labels(py, &found), told(unseen), n_empty))
    }

    /// See `ilk.cluster.KPrototypes.transform`; gives the unseen categories too.
    fn distances<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'_, PyTable>,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Unseen)> {
        let table = &table.get().0;
        let (found, unseen) = runtime::run(py, None, |monitor| {
            let (data, unseen) = Mixed::like(table, self.0.columns())?;
            Ok((self.0.distances(&data, monitor)?, unseen))
        })?;
        Ok((found.into_pyarray(py), told(unseen)))
    }

    /// See `ilk.cluster.KPrototypes.score`; gives the unseen categories too.
    fn cost_of(
        &self,
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<(f64, Unseen)> {
        let weights = slice(weights.as_ref())?;
        let table = &table.get().0;
        let (found, unseen) = runtime::run(py, None, |monitor| {
            let (data, unseen) = Mixed::like(table, self.0.columns())?;
            Ok((self.0.cost_of(&data, weights, monitor)?, unseen))
        })?;
        Ok((found, told(unseen)))
    }

    #[getter]
    fn categorical(&self) -> Vec<String> {
        self.0.columns().categorical.iter().map(|column| column.name.clone()).collect()
    }

    #[getter]
    fn n_clusters(&self) -> usize {
        self.0.weights().len()
    }

    #[getter]
    fn order(&self) -> Vec<String> {
        self.0.columns().order.clone()
    }

    #[getter]
    fn gamma(&self) -> Vec<f64> {
        self.0.gamma().to_vec()
    }

    #[getter]
    fn centroids(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.centroids()?))
    }

    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        labels(py, self.0.labels())
    }

    #[getter]
    fn cost(&self) -> f64 {
        self.0.cost()
    }

    #[getter]
    fn n_iter(&self) -> usize {
        self.0.n_iter()
    }

    #[getter]
    fn converged(&self) -> bool {
        self.0.converged()
    }

    #[getter]
    fn n_found(&self) -> usize {
        self.0.n_found()
    }

    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        runtime::quick(py, || persist::to_json(&self.0))
    }

    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        Ok(Self(runtime::quick(py, || persist::from_json(text))?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(slf.py())?,)))
    }
}

pub(super) fn told(unseen: Vec<crate::cluster::Unseen>) -> Unseen {
    unseen.into_iter().map(|found| (found.column, found.row, found.category, found.n)).collect()
}
