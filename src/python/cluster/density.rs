//! Bindings of clusters by density.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::model::model;
use super::slice;
use crate::cluster::{Dbscan, DbscanModel, Hdbscan, HdbscanModel, Selection};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::python::runtime;

/// Parents, children, densities and sizes of the branches of a condensed tree.
type Branches<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i64>>,
);

/// Labels and probabilities.
type Members<'py> = (Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<f64>>);

fn selection(name: &str) -> Result<Selection> {
    match name {
        "eom" => Ok(Selection::ExcessOfMass),
        "leaf" => Ok(Selection::Leaf),
        name => Err(Error::argument(
            "cluster_selection_method",
            format!("{name:?}"),
            "\"eom\" or \"leaf\" is needed",
        )),
    }
}

model!(
    /// A fitted HDBSCAN model.
    PyHdbscan(HdbscanModel),
    "HDBSCANModel",
    {
        /// See `ilk.cluster.HDBSCAN.fit`.
        #[staticmethod]
        #[pyo3(signature = (rows, *, min_cluster_size, min_samples, cluster_selection_epsilon, max_cluster_size, cluster_selection_method, allow_single_cluster, names, progress))]
        #[allow(clippy::too_many_arguments)]
        fn fit(
            py: Python<'_>,
            rows: PyReadonlyArray2<'_, f64>,
            min_cluster_size: usize,
            min_samples: Option<usize>,
            cluster_selection_epsilon: f64,
            max_cluster_size: Option<usize>,
            cluster_selection_method: &str,
            allow_single_cluster: bool,
            names: Vec<String>,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<Self> {
            let params = Hdbscan {
                min_cluster_size,
                min_samples,
                cluster_selection_epsilon,
                max_cluster_size,
                selection: selection(cluster_selection_method)?,
                allow_single_cluster,
                names,
            };
            let rows = rows.as_array();
            let work = |monitor: &Monitor| params.fit(rows, monitor);
            Ok(Self(runtime::run(py, progress, work)?))
        }

        /// See `ilk.cluster.HDBSCAN.predict`; gives the probabilities too.
        fn predict<'py>(
            &self,
            py: Python<'py>,
            rows: PyReadonlyArray2<'_, f64>,
        ) -> PyResult<Members<'py>> {
            let rows = rows.as_array();
            let (labels, shares) = runtime::run(py, None, |monitor| self.0.predict(rows, monitor))?;
            Ok((labels.into_pyarray(py), shares.into_pyarray(py)))
        }

        #[getter]
        fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
            PyArray1::from_slice(py, self.0.labels())
        }

        #[getter]
        fn probabilities<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            PyArray1::from_slice(py, self.0.probabilities())
        }

        #[getter]
        fn stabilities<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.stabilities().into_pyarray(py)
        }

        #[getter]
        fn core_distances<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.core_distances().into_pyarray(py)
        }

        #[getter]
        fn outlier_scores<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.outlier_scores().into_pyarray(py)
        }

        #[getter]
        fn exemplars<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyArray1<i64>>> {
            let rows = |rows: Vec<u32>| rows.into_iter().map(i64::from).collect::<Vec<_>>();
            self.0.exemplars().into_iter().map(|found| rows(found).into_pyarray(py)).collect()
        }

        #[getter]
        fn branches<'py>(&self, py: Python<'py>) -> Branches<'py> {
            let branches = self.0.branches();
            let column = |value: fn(&crate::cluster::Branch) -> usize| {
                branches.iter().map(|branch| value(branch) as i64).collect::<Vec<_>>().into_pyarray(py)
            };
            let lambdas: Vec<f64> = branches.iter().map(|branch| branch.lambda).collect();
            (
                column(|branch| branch.parent),
                column(|branch| branch.child),
                lambdas.into_pyarray(py),
                column(|branch| branch.size),
            )
        }

        #[getter]
        fn n_clusters(&self) -> usize {
            self.0.n_clusters()
        }

        #[getter]
        fn n_features(&self) -> usize {
            self.0.n_features()
        }

        #[getter]
        fn min_samples(&self) -> usize {
            self.0.min_samples()
        }

        #[getter]
        fn names(&self) -> Vec<String> {
            self.0.names().to_vec()
        }
    }
);

model!(
    /// A fitted DBSCAN model.
    PyDbscan(DbscanModel),
    "DBSCANModel",
    {
        /// See `ilk.cluster.DBSCAN.fit`.
        #[staticmethod]
        #[pyo3(signature = (rows, weights, *, eps, min_samples, names, progress))]
        fn fit(
            py: Python<'_>,
            rows: PyReadonlyArray2<'_, f64>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            eps: f64,
            min_samples: usize,
            names: Vec<String>,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<Self> {
            let weights = slice(weights.as_ref())?;
            let params = Dbscan { eps, min_samples, names };
            let rows = rows.as_array();
            let work = |monitor: &Monitor| params.fit(rows, weights, monitor);
            Ok(Self(runtime::run(py, progress, work)?))
        }

        /// See `ilk.cluster.DBSCAN.predict`.
        fn predict<'py>(
            &self,
            py: Python<'py>,
            rows: PyReadonlyArray2<'_, f64>,
        ) -> PyResult<Bound<'py, PyArray1<i32>>> {
            let rows = rows.as_array();
            let labels = runtime::run(py, None, |monitor| self.0.predict(rows, monitor))?;
            Ok(labels.into_pyarray(py))
        }

        #[getter]
        fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
            PyArray1::from_slice(py, self.0.labels())
        }

        #[getter]
        fn core_rows<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
            self.0.core_rows().iter().map(|&row| i64::from(row)).collect::<Vec<_>>().into_pyarray(py)
        }

        #[getter]
        fn components<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
            self.0.components().to_owned().into_pyarray(py)
        }

        #[getter]
        fn n_clusters(&self) -> usize {
            self.0.n_clusters()
        }

        #[getter]
        fn n_features(&self) -> usize {
            self.0.n_features()
        }

        #[getter]
        fn names(&self) -> Vec<String> {
            self.0.names().to_vec()
        }
    }
);
