//! Bindings of k-prototypes.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use super::mixed::{Init, Told, mixed_model, told};
use super::{labels, slice};
use crate::cluster::{Attribute, Gamma, KPrototypes, KPrototypesModel, Mixed};
use crate::parallel::Monitor;
use crate::python::runtime;
use crate::python::table::PyTable;

/// What categories cost, as Python says it.
#[derive(FromPyObject)]
enum Costs {
    Rule(String),
    Each(Vec<f64>),
}

impl From<Costs> for Gamma {
    fn from(costs: Costs) -> Self {
        match costs {
            Costs::Rule(rule) if rule == "variance" => Self::Variance,
            Costs::Rule(_) => Self::Auto,
            Costs::Each(gammas) => Self::Each(gammas),
        }
    }
}

mixed_model!(
    /// A fitted k-prototypes model.
    PyKPrototypes(KPrototypesModel),
    "KPrototypesModel",
    {
        /// See `ilk.cluster.KPrototypes.fit`; gives the number of rows without any value too.
        #[staticmethod]
        #[pyo3(signature = (table, weights, *, numeric, categorical, ordinal, n_clusters, gamma, init, n_init, max_iter, seed, progress))]
        #[allow(clippy::too_many_arguments)]
        fn fit(
            py: Python<'_>,
            table: &Bound<'_, PyTable>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            numeric: Vec<String>,
            categorical: Vec<String>,
            ordinal: Vec<(String, Vec<String>)>,
            n_clusters: usize,
            gamma: Costs,
            init: &Bound<'_, PyAny>,
            n_init: usize,
            max_iter: usize,
            seed: u64,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<(Self, usize)> {
            let weights = slice(weights.as_ref())?;
            let table = &table.get().0;
            let init = Init::of(init);
            let ordinal: Vec<Attribute> = ordinal
                .into_iter()
                .map(|(name, categories)| Attribute { name, categories })
                .collect();
            let work = |monitor: &Monitor| {
                let data = Mixed::from_table(table, &numeric, &categorical, &ordinal)?;
                let params = KPrototypes {
                    gamma: gamma.into(),
                    start: init.start(&data)?,
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

        #[getter]
        fn gamma(&self) -> Vec<f64> {
            self.0.gamma().to_vec()
        }
    }
);
