//! What the bindings of k-modes and k-prototypes share.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::cluster::{Mixed, MixedStart, Unseen};
use crate::error::{Error, Result};
use crate::python::table::PyTable;
use crate::table::Table;

/// Columns, first rows, values and numbers of rows of unseen categories.
pub(super) type Told = Vec<(String, usize, String, usize)>;

pub(super) fn told(unseen: Vec<Unseen>) -> Told {
    unseen.into_iter().map(|found| (found.column, found.row, found.category, found.n)).collect()
}

/// Where to start: the name of a way, or a table of starting rows.
pub(super) enum Init<'a> {
    Named(String),
    Rows(&'a Table),
}

impl<'a> Init<'a> {
    pub(super) fn of(init: &'a Bound<'_, PyAny>) -> Self {
        match init.cast::<PyTable>() {
            Ok(rows) => Self::Rows(&rows.get().0),
            Err(_) => {
                Self::Named(init.cast::<PyString>().map(ToString::to_string).unwrap_or_default())
            }
        }
    }

    pub(super) fn start(&self, data: &Mixed) -> Result<MixedStart> {
        match self {
            Self::Rows(rows) => data.start(rows),
            Self::Named(name) => match name.as_str() {
                "k-means++" => Ok(MixedStart::PlusPlus),
                "huang" => Ok(MixedStart::Huang),
                "cao" => Ok(MixedStart::Cao),
                "random" => Ok(MixedStart::Random),
                name => Err(Error::argument(
                    "init",
                    format!("{name:?}"),
                    "\"k-means++\", \"huang\", \"cao\", \"random\" or a frame of starting rows is needed",
                )),
            },
        }
    }
}

/// The Python class of a model of mixed rows, with what it has of its own.
macro_rules! mixed_model {
    ($(#[$doc:meta])* $class:ident($model:ident), $name:literal, { $($own:tt)* }) => {
        $crate::python::cluster::model::model!($(#[$doc])* $class($model), $name, {
            $($own)*

            /// Labels; gives the unseen categories and the number of rows without any value too.
            fn predict<'py>(
                &self,
                py: Python<'py>,
                table: &Bound<'_, PyTable>,
            ) -> PyResult<(Bound<'py, PyArray1<i32>>, Told, usize)> {
                let table = &table.get().0;
                let (found, unseen, n_empty) = runtime::run(py, None, |monitor| {
                    let (data, unseen) = Mixed::like(table, self.0.columns())?;
                    Ok((self.0.predict(&data, monitor)?, unseen, data.n_empty_rows()))
                })?;
                Ok((labels(py, &found), told(unseen), n_empty))
            }

            /// Distances to every cluster; gives the unseen categories too.
            fn distances<'py>(
                &self,
                py: Python<'py>,
                table: &Bound<'_, PyTable>,
            ) -> PyResult<(Bound<'py, PyArray2<f64>>, Told)> {
                let table = &table.get().0;
                let (found, unseen) = runtime::run(py, None, |monitor| {
                    let (data, unseen) = Mixed::like(table, self.0.columns())?;
                    Ok((self.0.distances(&data, monitor)?, unseen))
                })?;
                Ok((found.into_pyarray(py), told(unseen)))
            }

            /// The objective on other rows; gives the unseen categories too.
            fn cost_of(
                &self,
                py: Python<'_>,
                table: &Bound<'_, PyTable>,
                weights: Option<PyReadonlyArray1<'_, f64>>,
            ) -> PyResult<(f64, Told)> {
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

            /// Number of categories of each categorical column.
            #[getter]
            fn n_categories(&self) -> Vec<usize> {
                self.0.columns().categorical.iter().map(|column| column.categories.len()).collect()
            }

            #[getter]
            fn ordinal(&self) -> Vec<String> {
                self.0.columns().ordinal.iter().map(|column| column.name.clone()).collect()
            }

            #[getter]
            fn n_clusters(&self) -> usize {
                self.0.weights().len()
            }

            #[getter]
            fn names(&self) -> Vec<String> {
                self.0.columns().order.clone()
            }

            #[getter]
            fn n_features(&self) -> usize {
                self.0.columns().order.len()
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
        });
    };
}

pub(super) use mixed_model;
