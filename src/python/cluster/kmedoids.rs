//! Bindings of k-medoids.

use ndarray::ArrayView2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::gower::options;
use super::mixed::{Told, told};
use super::model::model;
use super::{Matrix, labels, slice};
use crate::cluster::{Decoded, KMedoids, KMedoidsModel, MedoidStart, Method, Metric, Notes, Real};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::python::runtime;
use crate::python::table::PyTable;

/// What to fit: a matrix of rows or of distances, or a table.
#[derive(FromPyObject)]
enum Data<'py> {
    Table(Bound<'py, PyTable>),
    Matrix(Matrix<'py>),
}

/// How the columns of a table enter Gower's dissimilarity: treatments, flags, weights.
type Roles = (Vec<(String, String, Option<Vec<String>>)>, Vec<String>, Vec<(String, f64)>);

/// Two rows, or a row and a cluster, that cannot be compared.
type Pair = Option<(usize, usize)>;

fn metric(name: &str) -> Result<Option<Metric>> {
    match name {
        "precomputed" => Ok(None),
        "euclidean" => Ok(Some(Metric::Euclidean)),
        "sqeuclidean" => Ok(Some(Metric::SquaredEuclidean)),
        "manhattan" => Ok(Some(Metric::Manhattan)),
        name => Err(Error::argument(
            "metric",
            format!("{name:?}"),
            "\"auto\", \"gower\", \"euclidean\", \"sqeuclidean\", \"manhattan\" or \"precomputed\" is needed",
        )),
    }
}

fn method(name: &str) -> Result<Method> {
    match name {
        "auto" => Ok(Method::Auto),
        "fasterpam" => Ok(Method::FasterPam),
        "clara" => Ok(Method::Clara),
        name => Err(Error::argument(
            "method",
            format!("{name:?}"),
            "\"auto\", \"fasterpam\" or \"clara\" is needed",
        )),
    }
}

fn start(init: &Bound<'_, PyAny>) -> PyResult<MedoidStart> {
    let Ok(name) = init.cast::<PyString>() else {
        return Ok(MedoidStart::Given(init.extract()?));
    };
    match name.to_string().as_str() {
        "build" => Ok(MedoidStart::Build),
        "lab" => Ok(MedoidStart::Lab),
        "random" => Ok(MedoidStart::Random),
        name => Err(Error::argument(
            "init",
            format!("{name:?}"),
            "\"build\", \"lab\", \"random\" or an array of row numbers is needed",
        )
        .into()),
    }
}

model!(
    /// A fitted k-medoids model.
    PyKMedoids(KMedoidsModel),
    "KMedoidsModel",
    {
        /// See `ilk.cluster.KMedoids.fit`; gives the names of columns without any value too, and two rows that cannot be
        /// compared.
        #[staticmethod]
        #[pyo3(signature = (data, weights, *, n_clusters, metric, roles, method, init, n_init, max_iter, n_samples, sample_size, seed, max_memory, names, progress))]
        #[allow(clippy::too_many_arguments)]
        fn fit(
            py: Python<'_>,
            data: Data<'_>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            n_clusters: usize,
            metric: &str,
            roles: Roles,
            method: &str,
            init: &Bound<'_, PyAny>,
            n_init: usize,
            max_iter: usize,
            n_samples: usize,
            sample_size: Option<usize>,
            seed: u64,
            max_memory: Option<u64>,
            names: Vec<String>,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<(Self, Vec<String>, Pair)> {
            let weights = slice(weights.as_ref())?;
            let params = KMedoids {
                n_clusters,
                method: self::method(method)?,
                start: start(init)?,
                max_iter,
                n_init,
                n_samples,
                sample_size,
                seed,
                max_memory,
            };
            let (model, notes) = match &data {
                Data::Table(table) => {
                    let table = &table.get().0;
                    let options = options(roles.0, roles.1, roles.2);
                    let work = |monitor: &Monitor| params.fit_table(table, &options, weights, monitor);
                    runtime::run(py, progress, work)?
                }
                Data::Matrix(matrix) => {
                    let metric = self::metric(metric)?;
                    let model = match matrix {
                        Matrix::Wide(rows) => {
                            let rows = rows.as_array();
                            let work = |monitor: &Monitor| match metric {
                                Some(metric) => params.fit(rows, metric, weights, &names, monitor),
                                None => params.fit_distances(rows, weights, monitor),
                            };
                            runtime::run(py, progress, work)?
                        }
                        Matrix::Narrow(rows) => {
                            let rows = rows.as_array();
                            let work = |monitor: &Monitor| match metric {
                                Some(metric) => params.fit(rows, metric, weights, &names, monitor),
                                None => params.fit_distances(rows, weights, monitor),
                            };
                            runtime::run(py, progress, work)?
                        }
                    };
                    (model, Notes::default())
                }
            };
            Ok((Self(model), notes.empty, notes.incomparable))
        }

        /// See `ilk.cluster.KMedoids.predict`; gives the unseen categories, and a row and a cluster that cannot be compared.
        fn predict<'py>(
            &self,
            py: Python<'py>,
            data: Data<'_>,
        ) -> PyResult<(Bound<'py, PyArray1<i32>>, Told, Pair)> {
            let (found, notes) = match &data {
                Data::Table(table) => {
                    let table = &table.get().0;
                    runtime::run(py, None, |monitor| self.0.predict_table(table, monitor))?
                }
                Data::Matrix(Matrix::Wide(rows)) => {
                    (self.labels_of(py, rows.as_array())?, Notes::default())
                }
                Data::Matrix(Matrix::Narrow(rows)) => {
                    (self.labels_of(py, rows.as_array())?, Notes::default())
                }
            };
            Ok((labels(py, &found), told(notes.unseen), notes.incomparable))
        }

        /// See `ilk.cluster.KMedoids.transform`; gives the unseen categories, and a row and a cluster that cannot be compared.
        fn distances<'py>(
            &self,
            py: Python<'py>,
            data: Data<'_>,
        ) -> PyResult<(Bound<'py, PyArray2<f64>>, Told, Pair)> {
            let (found, notes) = match &data {
                Data::Table(table) => {
                    let table = &table.get().0;
                    runtime::run(py, None, |monitor| self.0.distances_table(table, monitor))?
                }
                Data::Matrix(Matrix::Wide(rows)) => {
                    let rows = rows.as_array();
                    (
                        runtime::run(py, None, |monitor| self.0.distances(rows, monitor))?,
                        Notes::default(),
                    )
                }
                Data::Matrix(Matrix::Narrow(rows)) => {
                    let rows = rows.as_array();
                    (
                        runtime::run(py, None, |monitor| self.0.distances(rows, monitor))?,
                        Notes::default(),
                    )
                }
            };
            Ok((found.into_pyarray(py), told(notes.unseen), notes.incomparable))
        }

        /// Names of the columns and the medoids' values in each.
        #[getter]
        fn medoids<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
            let column = |(name, values)| {
                let values = match values {
                    Decoded::Numbers(values) => values.into_pyarray(py).into_any(),
                    Decoded::Texts(texts) => texts.into_pyobject(py)?.into_any(),
                };
                Ok((name, values))
            };
            self.0.medoids().into_iter().map(column).collect()
        }

        #[getter]
        fn indices<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
            let indices: Vec<i64> = self.0.indices().iter().map(|&row| row as i64).collect();
            indices.into_pyarray(py)
        }

        #[getter]
        fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
            labels(py, self.0.labels())
        }

        #[getter]
        fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.weights().to_vec().into_pyarray(py)
        }

        #[getter]
        fn inertia(&self) -> f64 {
            self.0.inertia()
        }

        #[getter]
        fn n_iter(&self) -> usize {
            self.0.n_iter()
        }

        #[getter]
        fn n_swaps(&self) -> usize {
            self.0.n_swaps()
        }

        #[getter]
        fn converged(&self) -> bool {
            self.0.converged()
        }

        #[getter]
        fn sampled(&self) -> bool {
            self.0.is_sampled()
        }

        #[getter]
        fn n_found(&self) -> usize {
            self.0.n_found()
        }

        #[getter]
        fn n_clusters(&self) -> usize {
            self.0.indices().len()
        }

        #[getter]
        fn metric(&self) -> &'static str {
            self.0.metric()
        }

        #[getter]
        fn names(&self) -> Vec<String> {
            self.0.names().to_vec()
        }

        #[getter]
        fn n_given(&self) -> Option<usize> {
            self.0.n_given()
        }

        #[getter]
        fn n_features(&self) -> usize {
            self.0.n_given().unwrap_or(self.0.names().len())
        }
    }
);

impl PyKMedoids {
    fn labels_of<T: Real>(&self, py: Python<'_>, rows: ArrayView2<'_, T>) -> PyResult<Vec<u32>> {
        runtime::run(py, None, |monitor| self.0.predict(rows, monitor))
    }
}
