//! Bindings of the clusters.

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::runtime;
use super::table::PyTable;
use crate::cluster::{
    Gamma, KMeans, KMeansModel, KPrototypes, KPrototypesModel, Mixed, MixedStart, Real, Start,
};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist;

/// A matrix of either number type.
#[derive(FromPyObject)]
pub(crate) enum Matrix<'py> {
    Wide(PyReadonlyArray2<'py, f64>),
    Narrow(PyReadonlyArray2<'py, f32>),
}

/// A matrix for Python.
#[derive(IntoPyObject)]
pub(crate) enum Given<'py> {
    Wide(Bound<'py, PyArray2<f64>>),
    Narrow(Bound<'py, PyArray2<f32>>),
}

/// A fitted k-means model of either number type.
#[derive(PartialEq)]
enum Model {
    Wide(KMeansModel<f64>),
    Narrow(KMeansModel<f32>),
}

/// The same expression for the model of either number type.
macro_rules! each {
    ($model:expr, $found:ident => $value:expr) => {
        match $model {
            Model::Wide($found) => $value,
            Model::Narrow($found) => $value,
        }
    };
}

fn slice<'a>(weights: Option<&'a PyReadonlyArray1<'_, f64>>) -> PyResult<Option<&'a [f64]>> {
    Ok(weights.map(|weights| weights.as_slice()).transpose()?)
}

fn labels<'py>(py: Python<'py>, labels: &[u32]) -> Bound<'py, PyArray1<i32>> {
    labels.iter().map(|&label| label as i32).collect::<Vec<_>>().into_pyarray(py)
}

fn start<T>(init: Option<Array2<T>>, name: &str) -> Result<Start<T>> {
    match (init, name) {
        (Some(centres), _) => Ok(Start::Given(centres)),
        (None, "k-means++") => Ok(Start::PlusPlus),
        (None, "random") => Ok(Start::Random),
        (None, name) => Err(Error::argument(
            "init",
            format!("{name:?}"),
            "\"k-means++\", \"random\" or an array of centres is needed",
        )),
    }
}

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

/// A fitted k-means model.
#[pyclass(frozen, eq, name = "KMeansModel", module = "ilk._core")]
#[derive(PartialEq)]
pub(crate) struct PyKMeans(Model);

#[pymethods]
impl PyKMeans {
    /// See `ilk.cluster.KMeans.fit`.
    #[staticmethod]
    #[pyo3(signature = (rows, weights, *, n_clusters, init, n_init, max_iter, tol, seed, names, progress))]
    #[allow(clippy::too_many_arguments)]
    fn fit(
        py: Python<'_>,
        rows: Matrix<'_>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        n_clusters: usize,
        init: &Bound<'_, PyAny>,
        n_init: usize,
        max_iter: usize,
        tol: f64,
        seed: u64,
        names: Vec<String>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let weights = slice(weights.as_ref())?;
        let name = init.cast::<PyString>().map(ToString::to_string).unwrap_or_default();
        let given = init.cast::<PyString>().is_err();
        macro_rules! fit {
            ($rows:expr, $real:ty, $variant:ident) => {{
                let init: Option<PyReadonlyArray2<'_, $real>> =
                    given.then(|| init.extract()).transpose()?;
                let params = KMeans {
                    n_clusters,
                    start: start(init.map(|init| init.as_array().to_owned()), &name)?,
                    n_init,
                    max_iter,
                    tolerance: tol,
                    seed,
                    names,
                };
                let rows = $rows.as_array();
                let work = |monitor: &Monitor| params.fit(rows, weights, monitor);
                Ok(Self(Model::$variant(runtime::run(py, progress, work)?)))
            }};
        }
        match &rows {
            Matrix::Wide(rows) => fit!(rows, f64, Wide),
            Matrix::Narrow(rows) => fit!(rows, f32, Narrow),
        }
    }

    /// See `ilk.cluster.KMeans.predict`.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        rows: Matrix<'_>,
    ) -> PyResult<Bound<'py, PyArray1<i32>>> {
        let found = match (&self.0, &rows) {
            (Model::Wide(model), Matrix::Wide(rows)) => {
                let rows = rows.as_array();
                runtime::run(py, None, |monitor| model.predict(rows, monitor))?
            }
            (Model::Narrow(model), Matrix::Narrow(rows)) => {
                let rows = rows.as_array();
                runtime::run(py, None, |monitor| model.predict(rows, monitor))?
            }
            _ => return Err(other_type().into()),
        };
        Ok(labels(py, &found))
    }

    /// See `ilk.cluster.KMeans.transform`.
    fn distances<'py>(&self, py: Python<'py>, rows: Matrix<'_>) -> PyResult<Given<'py>> {
        match (&self.0, &rows) {
            (Model::Wide(model), Matrix::Wide(rows)) => {
                let rows = rows.as_array();
                let found = runtime::run(py, None, |monitor| model.distances(rows, monitor))?;
                Ok(Given::Wide(found.into_pyarray(py)))
            }
            (Model::Narrow(model), Matrix::Narrow(rows)) => {
                let rows = rows.as_array();
                let found = runtime::run(py, None, |monitor| model.distances(rows, monitor))?;
                Ok(Given::Narrow(found.into_pyarray(py)))
            }
            _ => Err(other_type().into()),
        }
    }

    /// See `ilk.cluster.KMeans.score`.
    fn cost(
        &self,
        py: Python<'_>,
        rows: Matrix<'_>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<f64> {
        let weights = slice(weights.as_ref())?;
        match (&self.0, &rows) {
            (Model::Wide(model), Matrix::Wide(rows)) => {
                let rows = rows.as_array();
                runtime::run(py, None, |monitor| model.cost(rows, weights, monitor))
            }
            (Model::Narrow(model), Matrix::Narrow(rows)) => {
                let rows = rows.as_array();
                runtime::run(py, None, |monitor| model.cost(rows, weights, monitor))
            }
            _ => Err(other_type().into()),
        }
    }

    #[getter]
    fn centres<'py>(&self, py: Python<'py>) -> Given<'py> {
        match &self.0 {
            Model::Wide(model) => Given::Wide(model.centres().to_owned().into_pyarray(py)),
            Model::Narrow(model) => Given::Narrow(model.centres().to_owned().into_pyarray(py)),
        }
    }

    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        labels(py, each!(&self.0, model => model.labels()))
    }

    #[getter]
    fn inertia(&self) -> f64 {
        each!(&self.0, model => model.inertia())
    }

    #[getter]
    fn n_iter(&self) -> usize {
        each!(&self.0, model => model.n_iter())
    }

    #[getter]
    fn converged(&self) -> bool {
        each!(&self.0, model => model.converged())
    }

    #[getter]
    fn n_found(&self) -> usize {
        each!(&self.0, model => model.n_found())
    }

    #[getter]
    fn n_clusters(&self) -> usize {
        each!(&self.0, model => model.centres().nrows())
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        each!(&self.0, model => model.names().to_vec())
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        match &self.0 {
            Model::Wide(_) => f64::NAME,
            Model::Narrow(_) => f32::NAME,
        }
    }

    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        runtime::quick(py, || each!(&self.0, model => persist::to_json(model)))
    }

    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let narrow = || persist::from_json(text).map(Model::Narrow);
        let wide = |_| persist::from_json(text).map(Model::Wide);
        Ok(Self(runtime::quick(py, || narrow().or_else(wide))?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(slf.py())?,)))
    }
}

fn other_type() -> Error {
    Error::argument("X", "another number type", "that of the model is needed")
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

fn told(unseen: Vec<crate::cluster::Unseen>) -> Unseen {
    unseen.into_iter().map(|found| (found.column, found.row, found.category, found.n)).collect()
}
