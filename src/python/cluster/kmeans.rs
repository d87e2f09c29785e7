//! Bindings of k-means.

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{Given, Matrix, labels, slice};
use crate::cluster::{KMeans, KMeansModel, MiniBatch, Real, Start};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist;
use crate::python::runtime;

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

/// A fitted k-means model.
#[pyclass(frozen, eq, name = "KMeansModel", module = "ilk._core")]
#[derive(PartialEq)]
pub(crate) struct PyKMeans(Model);

#[pymethods]
impl PyKMeans {
    /// See `ilk.cluster.KMeans.fit`, `MiniBatchKMeans.fit` where there is a `batch` and `MiniBatchKMeans.partial_fit` where
    /// it is 0.
    #[staticmethod]
    #[pyo3(signature = (rows, weights, *, n_clusters, init, n_init, max_iter, tol, seed, names, progress, batch=None))]
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
        batch: Option<usize>,
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
                let work = |monitor: &Monitor| match batch {
                    None => params.fit(rows, weights, monitor),
                    Some(0) => MiniBatch { params, batch: 0 }.begin(rows, weights, monitor),
                    Some(batch) => MiniBatch { params, batch }.fit(rows, weights, monitor),
                };
                Ok(Self(Model::$variant(runtime::run(py, progress, work)?)))
            }};
        }
        match &rows {
            Matrix::Wide(rows) => fit!(rows, f64, Wide),
            Matrix::Narrow(rows) => fit!(rows, f32, Narrow),
        }
    }

    /// The model after another batch; see `ilk.cluster.MiniBatchKMeans.partial_fit`.
    fn updated(
        &self,
        py: Python<'_>,
        rows: Matrix<'_>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<Self> {
        let weights = slice(weights.as_ref())?;
        macro_rules! updated {
            ($model:expr, $rows:expr, $variant:ident) => {{
                let (mut model, rows) = ($model.clone(), $rows.as_array());
                let work = |monitor: &Monitor| {
                    model.absorb(rows, weights, monitor)?;
                    Ok(model)
                };
                Ok(Self(Model::$variant(runtime::run(py, None, work)?)))
            }};
        }
        match (&self.0, &rows) {
            (Model::Wide(model), Matrix::Wide(rows)) => updated!(model, rows, Wide),
            (Model::Narrow(model), Matrix::Narrow(rows)) => updated!(model, rows, Narrow),
            _ => Err(other_type().into()),
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
    fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, each!(&self.0, model => model.weights()))
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
    fn n_features(&self) -> usize {
        each!(&self.0, model => model.centres().ncols())
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
