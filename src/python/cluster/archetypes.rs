//! Bindings of archetypal analysis.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::model::model;
use super::{labels, slice};
use crate::cluster::{Archetypes, ArchetypesModel};
use crate::parallel::Monitor;
use crate::python::runtime;

model!(
    /// Fitted archetypes.
    PyArchetypes(ArchetypesModel),
    "ArchetypesModel",
    {
        /// See `ilk.cluster.Archetypes.fit`.
        #[staticmethod]
        #[pyo3(signature = (rows, weights, *, n_archetypes, n_init, max_iter, tol, seed, names, progress))]
        #[allow(clippy::too_many_arguments)]
        fn fit(
            py: Python<'_>,
            rows: PyReadonlyArray2<'_, f64>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            n_archetypes: usize,
            n_init: usize,
            max_iter: usize,
            tol: f64,
            seed: u64,
            names: Vec<String>,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<Self> {
            let weights = slice(weights.as_ref())?;
            let params = Archetypes { n_archetypes, n_init, max_iter, tolerance: tol, seed, names };
            let rows = rows.as_array();
            let work = |monitor: &Monitor| params.fit(rows, weights, monitor);
            Ok(Self(runtime::run(py, progress, work)?))
        }

        /// See `ilk.cluster.Archetypes.predict`.
        fn predict<'py>(
            &self,
            py: Python<'py>,
            rows: PyReadonlyArray2<'_, f64>,
        ) -> PyResult<Bound<'py, PyArray1<i32>>> {
            let rows = rows.as_array();
            let found = runtime::run(py, None, |_| self.0.predict(rows))?;
            Ok(labels(py, &found))
        }

        /// See `ilk.cluster.Archetypes.transform`.
        fn transform<'py>(
            &self,
            py: Python<'py>,
            rows: PyReadonlyArray2<'_, f64>,
        ) -> PyResult<Bound<'py, PyArray2<f64>>> {
            let rows = rows.as_array();
            Ok(runtime::run(py, None, |_| self.0.transform(rows))?.into_pyarray(py))
        }

        /// See `ilk.cluster.Archetypes.score`.
        fn cost(
            &self,
            py: Python<'_>,
            rows: PyReadonlyArray2<'_, f64>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
        ) -> PyResult<f64> {
            let weights = slice(weights.as_ref())?;
            let rows = rows.as_array();
            runtime::run(py, None, |_| self.0.cost(rows, weights))
        }

        #[getter]
        fn archetypes<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
            self.0.archetypes().to_owned().into_pyarray(py)
        }

        #[getter]
        fn shares<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
            self.0.shares().to_owned().into_pyarray(py)
        }

        /// Rows and their shares, by archetype.
        #[getter]
        fn mixtures(&self) -> Vec<(Vec<u32>, Vec<f64>)> {
            self.0.mixtures().iter().map(|mixture| mixture.iter().copied().unzip()).collect()
        }

        #[getter]
        fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            PyArray1::from_slice(py, self.0.weights())
        }

        #[getter]
        fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
            labels(py, self.0.labels())
        }

        #[getter]
        fn history<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            PyArray1::from_slice(py, self.0.history())
        }

        #[getter]
        fn rss(&self) -> f64 {
            self.0.rss()
        }

        #[getter]
        fn explained(&self) -> f64 {
            self.0.explained()
        }

        #[getter]
        fn converged(&self) -> bool {
            self.0.converged()
        }

        #[getter]
        fn n_found(&self) -> usize {
            self.0.n_found()
        }

        #[getter]
        fn n_clusters(&self) -> usize {
            self.0.mixtures().len()
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
