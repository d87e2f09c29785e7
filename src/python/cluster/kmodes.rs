//! Bindings of k-modes.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use super::mixed::{Init, Told, mixed_model, told};
use super::{labels, slice};
use crate::cluster::{KModes, KModesModel, Mixed};
use crate::parallel::Monitor;
use crate::python::runtime;
use crate::python::table::PyTable;

mixed_model!(
    /// A fitted k-modes model.
    PyKModes(KModesModel),
    "KModesModel",
    {
        /// See `ilk.cluster.KModes.fit`; gives the number of rows without any value too.
        #[staticmethod]
        #[pyo3(signature = (table, weights, *, n_clusters, init, n_init, max_iter, seed, progress))]
        #[allow(clippy::too_many_arguments)]
        fn fit(
            py: Python<'_>,
            table: &Bound<'_, PyTable>,
            weights: Option<PyReadonlyArray1<'_, f64>>,
            n_clusters: usize,
            init: &Bound<'_, PyAny>,
            n_init: usize,
            max_iter: usize,
            seed: u64,
            progress: Option<&Bound<'_, PyAny>>,
        ) -> PyResult<(Self, usize)> {
            let weights = slice(weights.as_ref())?;
            let table = &table.get().0;
            let init = Init::of(init);
            let work = |monitor: &Monitor| {
                let names: Vec<String> = table.names().into_iter().map(str::to_owned).collect();
                let data = Mixed::from_table(table, &[], &names, &[])?;
                let params = KModes { n_clusters, start: init.start(&data)?, n_init, max_iter, seed };
                Ok((params.fit(&data, weights, monitor)?, data.n_empty_rows()))
            };
            let (model, n_empty) = runtime::run(py, progress, work)?;
            Ok((Self(model), n_empty))
        }
    }
);
