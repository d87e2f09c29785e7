//! Bindings of the Gaussian mixture.

use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyReadonlyArray1, PyReadonlyArray2,
    PyReadonlyArrayDyn,
};
use pyo3::prelude::*;

use super::model::model;
use super::{Matrix, labels, slice};
use crate::cluster::{
    CovarianceType, GaussianMixture, GaussianMixtureModel, GivenStart, MixtureStart,
};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::python::runtime;

fn covariance_type(name: &str) -> Result<CovarianceType> {
    match name {
        "full" => Ok(CovarianceType::Full),
        "tied" => Ok(CovarianceType::Tied),
        "diag" => Ok(CovarianceType::Diag),
        "spherical" => Ok(CovarianceType::Spherical),
        name => Err(Error::argument(
            "covariance_type",
            format!("{name:?}"),
            "\"full\", \"tied\", \"diag\" or \"spherical\" is needed",
        )),
    }
}

fn mixture_start(name: &str) -> Result<MixtureStart> {
    match name {
        "kmeans" => Ok(MixtureStart::KMeans),
        "k-means++" => Ok(MixtureStart::PlusPlus),
        "random" => Ok(MixtureStart::Random),
        "random_from_data" => Ok(MixtureStart::RandomFromData),
        name => Err(Error::argument(
            "init_params",
            format!("{name:?}"),
            "\"kmeans\", \"k-means++\", \"random\" or \"random_from_data\" is needed",
        )),
    }
}

/// The same expression for rows of either number type.
macro_rules! each {
    ($matrix:expr, $rows:ident => $value:expr) => {
        match $matrix {
            Matrix::Wide(rows) => {
                let $rows = rows.as_array();
                $value
            }
            Matrix::Narrow(rows) => {
                let $rows = rows.as_array();
                $value
            }
        }
    };
}

model!(
    /// A fitted Gaussian mixture.
    PyGaussianMixture(GaussianMixtureModel),
    "GaussianMixtureModel",
    {
        /// See `ilk.cluster.GaussianMixture.fit`.
        #[staticmethod]
        #[pyo3(signature = (rows, weights, *, n_components, covariance_type, init_params, weights_init, means_init,
                            precisions_init, n_init, max_iter, tol, reg_covar, seed, names, progress))]
        #[allow(clippy::too_many_arguments)]
        fn fit(
            py: Python<'_>,
            rows: Matrix<'_>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            n_components: usize,
            covariance_type: &str,
            init_params: &str,
            weights_init: Option<PyReadonlyArray1<'_, f64>>,
            means_init: Option<PyReadonlyArray2<'_, f64>>,
            precisions_init: Option<PyReadonlyArrayDyn<'_, f64>>,
            n_init: usize,
            max_iter: usize,
            tol: f64,
            reg_covar: f64,
            seed: u64,
            names: Vec<String>,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<Self> {
            let weights = slice(weights.as_ref())?;
            let params = GaussianMixture {
                n_components,
                covariance_type: self::covariance_type(covariance_type)?,
                start: mixture_start(init_params)?,
                given: GivenStart {
                    weights: weights_init.map(|array| array.as_array().to_owned()),
                    means: means_init.map(|array| array.as_array().to_owned()),
                    precisions: precisions_init.map(|array| array.as_array().to_owned()),
                },
                n_init,
                max_iter,
                tolerance: tol,
                reg_covar,
                seed,
                names,
            };
            each!(&rows, rows => {
                let work = |monitor: &Monitor| params.fit(rows, weights, monitor);
                Ok(Self(runtime::run(py, progress, work)?))
            })
        }

        /// See `ilk.cluster.GaussianMixture.predict`.
        fn predict<'py>(
            &self,
            py: Python<'py>,
            rows: Matrix<'_>,
        ) -> PyResult<Bound<'py, PyArray1<i32>>> {
            let found = each!(&rows, rows => {
                runtime::run(py, None, |monitor| self.0.predict(rows, monitor))
            })?;
            Ok(labels(py, &found))
        }

        /// See `ilk.cluster.GaussianMixture.predict_proba`.
        fn shares<'py>(
            &self,
            py: Python<'py>,
            rows: Matrix<'_>,
        ) -> PyResult<Bound<'py, PyArray2<f64>>> {
            let found = each!(&rows, rows => {
                runtime::run(py, None, |monitor| self.0.shares(rows, monitor))
            })?;
            Ok(found.into_pyarray(py))
        }

        /// See `ilk.cluster.GaussianMixture.score_samples`.
        fn log_densities<'py>(
            &self,
            py: Python<'py>,
            rows: Matrix<'_>,
        ) -> PyResult<Bound<'py, PyArray1<f64>>> {
            let found = each!(&rows, rows => {
                runtime::run(py, None, |monitor| self.0.log_densities(rows, monitor))
            })?;
            Ok(found.into_pyarray(py))
        }

        /// See `ilk.cluster.GaussianMixture.score`.
        fn score(
            &self,
            py: Python<'_>,
            rows: Matrix<'_>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
        ) -> PyResult<f64> {
            let weights = slice(weights.as_ref())?;
            each!(&rows, rows => {
                runtime::run(py, None, |monitor| self.0.score(rows, weights, monitor))
            })
        }

        /// AIC, BIC and ICL.
        fn criteria(
            &self,
            py: Python<'_>,
            rows: Matrix<'_>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
        ) -> PyResult<(f64, f64, f64)> {
            let weights = slice(weights.as_ref())?;
            each!(&rows, rows => {
                runtime::run(py, None, |monitor| self.0.criteria(rows, weights, monitor))
            })
        }

        #[getter]
        fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            self.0.weights().to_vec().into_pyarray(py)
        }

        #[getter]
        fn means<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
            self.0.means().into_pyarray(py)
        }

        #[getter]
        fn covariances<'py>(&self, py: Python<'py>) -> Bound<'py, PyArrayDyn<f64>> {
            self.0.covariances().into_pyarray(py)
        }

        #[getter]
        fn precisions<'py>(&self, py: Python<'py>) -> Bound<'py, PyArrayDyn<f64>> {
            self.0.precisions().into_pyarray(py)
        }

        #[getter]
        fn precisions_cholesky<'py>(&self, py: Python<'py>) -> Bound<'py, PyArrayDyn<f64>> {
            self.0.precisions_cholesky().into_pyarray(py)
        }

        #[getter]
        fn covariance_type(&self) -> &'static str {
            match self.0.covariance_type() {
                CovarianceType::Full => "full",
                CovarianceType::Tied => "tied",
                CovarianceType::Diag => "diag",
                CovarianceType::Spherical => "spherical",
            }
        }

        #[getter]
        fn lower_bound(&self) -> f64 {
            self.0.lower_bound()
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
        fn collapsed(&self) -> Vec<usize> {
            self.0.collapsed().to_vec()
        }

        #[getter]
        fn constant(&self) -> Vec<usize> {
            self.0.constant().to_vec()
        }

        #[getter]
        fn n_components(&self) -> usize {
            self.0.weights().len()
        }

        #[getter]
        fn n_found(&self) -> usize {
            self.0.n_found()
        }

        #[getter]
        fn n_parameters(&self) -> usize {
            self.0.n_parameters()
        }

        #[getter]
        fn n_features(&self) -> usize {
            self.0.means().ncols()
        }

        #[getter]
        fn names(&self) -> Vec<String> {
            self.0.names().to_vec()
        }
    }
);
