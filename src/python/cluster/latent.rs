//! Bindings of latent class analysis.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use super::mixed::{Told, told};
use super::model::model;
use super::{labels, slice};
use crate::cluster::{LatentClass, LatentClassModel, Mixed};
use crate::error::Result;
use crate::parallel::Monitor;
use crate::python::runtime;
use crate::python::table::PyTable;
use crate::table::Table;

/// Log-likelihoods of both models, the statistic, those of the draws, and the p-value.
type Test<'py> = ((f64, f64), f64, Bound<'py, PyArray1<f64>>, f64);

/// The items of a table, the covariates of another, and the categories that the model does not know.
fn read(
    model: &LatentClassModel,
    table: &Table,
    covariates: Option<&Table>,
) -> Result<(Mixed, Option<Mixed>, Told)> {
    let (items, unseen) = Mixed::like(table, model.columns())?;
    let like = |table: &Table| match model.covariates() {
        Some(columns) => Mixed::like(table, columns).map(|(data, _)| data),
        None => Mixed::from_table(table, &[], &[], &[]),
    };
    let covariates = covariates.map(like).transpose()?;
    Ok((items, covariates, told(unseen)))
}

/// What to fit, as a dict of Python's.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Parameters {
    items: Vec<String>,
    ordinal: Vec<String>,
    numeric: Vec<String>,
    categorical: Vec<String>,
    n_classes: usize,
    n_init: usize,
    max_iter: usize,
    tol: f64,
    seed: u64,
    names: Vec<String>,
}

impl Parameters {
    fn class(&self) -> LatentClass {
        LatentClass {
            n_classes: self.n_classes,
            ordinal: self.ordinal.clone(),
            n_init: self.n_init,
            max_iter: self.max_iter,
            tolerance: self.tol,
            seed: self.seed,
            names: self.names.clone(),
        }
    }

    /// The items, and the covariates if there are any.
    fn read(&self, table: &Table) -> Result<(Mixed, Option<Mixed>)> {
        let items = Mixed::from_table(table, &[], &self.items, &[])?;
        if self.numeric.is_empty() && self.categorical.is_empty() {
            return Ok((items, None));
        }
        Ok((items, Some(Mixed::from_table(table, &self.numeric, &self.categorical, &[])?)))
    }
}

model!(
    /// A fitted latent class model.
    PyLatentClass(LatentClassModel),
    "LatentClassModel",
    {
        /// See `ilk.cluster.LatentClass.fit`.
        #[staticmethod]
        fn fit(
            py: Python<'_>,
            table: &Bound<'_, PyTable>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            parameters: Parameters,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<Self> {
            let weights = slice(weights.as_ref())?;
            let table = &table.get().0;
            let work = |monitor: &Monitor| {
                let (items, covariates) = parameters.read(table)?;
                parameters.class().fit(&items, covariates.as_ref(), weights, monitor)
            };
            Ok(Self(runtime::run(py, progress, work)?))
        }

        /// See `ilk.cluster.LatentClass.bootstrap_lr_test`: both log-likelihoods, the statistic, the draws and the p-value.
        #[staticmethod]
        fn bootstrap_test<'py>(
            py: Python<'py>,
            table: &Bound<'_, PyTable>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            parameters: Parameters,
            n_boot: usize,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<Test<'py>> {
            let weights = slice(weights.as_ref())?;
            let table = &table.get().0;
            let work = |monitor: &Monitor| {
                let (items, covariates) = parameters.read(table)?;
                let class = parameters.class();
                class.bootstrap_test(&items, covariates.as_ref(), weights, n_boot, monitor)
            };
            let found = runtime::run(py, progress, work)?;
            let replicates = found.replicates.into_pyarray(py);
            Ok((found.log_likelihoods, found.statistic, replicates, found.p_value))
        }

        /// See `ilk.cluster.LatentClass.predict_proba`; gives the unseen categories and the number of rows without any
        /// answer too.
        fn posteriors<'py>(
            &self,
            py: Python<'py>,
            table: &Bound<'_, PyTable>,
            covariates: Option<&Bound<'_, PyTable>>,
        ) -> PyResult<(Bound<'py, PyArray2<f64>>, Told, usize)> {
            let table = &table.get().0;
            let covariates = covariates.map(|covariates| &covariates.get().0);
            let (found, unseen, n_empty) = runtime::run(py, None, |monitor| {
                let (items, covariates, unseen) = read(&self.0, table, covariates)?;
                let found = self.0.posteriors(&items, covariates.as_ref(), monitor)?;
                Ok((found, unseen, items.n_empty_rows()))
            })?;
            Ok((found.into_pyarray(py), unseen, n_empty))
        }

        /// See `ilk.cluster.LatentClass.predict`; gives the unseen categories and the number of rows without any answer too.
        fn predict<'py>(
            &self,
            py: Python<'py>,
            table: &Bound<'_, PyTable>,
            covariates: Option<&Bound<'_, PyTable>>,
        ) -> PyResult<(Bound<'py, PyArray1<i32>>, Told, usize)> {
            let table = &table.get().0;
            let covariates = covariates.map(|covariates| &covariates.get().0);
            let (found, unseen, n_empty) = runtime::run(py, None, |monitor| {
                let (items, covariates, unseen) = read(&self.0, table, covariates)?;
                let found = self.0.predict(&items, covariates.as_ref(), monitor)?;
                Ok((found, unseen, items.n_empty_rows()))
            })?;
            Ok((labels(py, &found), unseen, n_empty))
        }

        /// See `ilk.cluster.LatentClass.score_samples`; gives the unseen categories too.
        fn log_densities<'py>(
            &self,
            py: Python<'py>,
            table: &Bound<'_, PyTable>,
            covariates: Option<&Bound<'_, PyTable>>,
        ) -> PyResult<(Bound<'py, PyArray1<f64>>, Told)> {
            let table = &table.get().0;
            let covariates = covariates.map(|covariates| &covariates.get().0);
            let (found, unseen) = runtime::run(py, None, |_| {
                let (items, covariates, unseen) = read(&self.0, table, covariates)?;
                Ok((self.0.log_densities(&items, covariates.as_ref())?, unseen))
            })?;
            Ok((found.into_pyarray(py), unseen))
        }

        /// See `ilk.cluster.LatentClass.score`; gives the unseen categories too.
        fn mean_log_density(
            &self,
            py: Python<'_>,
            table: &Bound<'_, PyTable>,
            covariates: Option<&Bound<'_, PyTable>>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
        ) -> PyResult<(f64, Told)> {
            let weights = slice(weights.as_ref())?;
            let table = &table.get().0;
            let covariates = covariates.map(|covariates| &covariates.get().0);
            runtime::run(py, None, |_| {
                let (items, covariates, unseen) = read(&self.0, table, covariates)?;
                Ok((self.0.mean_log_density(&items, covariates.as_ref(), weights)?, unseen))
            })
        }

        /// See `ilk.cluster.LatentClass.sample`: a table of answers, and the classes.
        fn sample<'py>(
            &self,
            py: Python<'py>,
            n: usize,
            covariates: Option<&Bound<'_, PyTable>>,
            seed: u64,
        ) -> PyResult<(PyTable, Bound<'py, PyArray1<i32>>)> {
            let covariates = covariates.map(|covariates| &covariates.get().0);
            let (table, classes) = runtime::run(py, None, |_| {
                let like = |table: &Table| match self.0.covariates() {
                    Some(columns) => Mixed::like(table, columns).map(|(data, _)| data),
                    None => Mixed::from_table(table, &[], &[], &[]),
                };
                let covariates = covariates.map(like).transpose()?;
                self.0.sample_table(n, covariates.as_ref(), seed)
            })?;
            Ok((PyTable(table), labels(py, &classes)))
        }

        /// A table of figures: "items", "classes", "coefficients" or "fit".
        fn table(&self, what: &str) -> PyResult<PyTable> {
            Ok(PyTable(match what {
                "items" => self.0.item_table(),
                "classes" => self.0.class_table(),
                "coefficients" => self.0.coefficient_table(),
                _ => self.0.fit_table(),
            }?))
        }

        #[getter]
        fn names(&self) -> Vec<String> {
            self.0.names().to_vec()
        }

        #[getter]
        fn n_features(&self) -> usize {
            self.0.names().len()
        }

        #[getter]
        fn items(&self) -> Vec<String> {
            self.0.columns().order.clone()
        }

        #[getter]
        fn covariates(&self) -> Vec<String> {
            self.0.covariates().map(|columns| columns.order.clone()).unwrap_or_default()
        }

        #[getter]
        fn n_classes(&self) -> usize {
            self.0.n_classes()
        }

        #[getter]
        fn shares<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.shares().to_vec().into_pyarray(py)
        }

        #[getter]
        fn modal_sizes<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.statistics().modal_sizes.clone().into_pyarray(py)
        }

        #[getter]
        fn average_posterior<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.statistics().average_posterior.to_vec().into_pyarray(py)
        }

        #[getter]
        fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
            labels(py, self.0.labels())
        }

        #[getter]
        fn starts<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.starts().to_vec().into_pyarray(py)
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
        fn n_empty_rows(&self) -> usize {
            self.0.n_empty_rows()
        }

        #[getter]
        fn doubts(&self) -> Vec<String> {
            self.0.doubts().to_vec()
        }
    }
);
