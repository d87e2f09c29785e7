//! What every function of the room is given.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::manifest::Manifest;
use crate::python::segment::{choice, manifest};
use crate::python::table::PyTable;
use crate::quality::customers::{Customers, Source};
use crate::segment::Method;
use crate::table::{MISSING, Scale, Table};

/// Table, features, columns not to use, method, scale, weights, settings, seed.
#[derive(FromPyObject)]
pub(crate) struct Given<'py>(
    Bound<'py, PyTable>,
    Option<Vec<String>>,
    Vec<String>,
    Option<String>,
    String,
    Option<PyReadonlyArray1<'py, f64>>,
    String,
    Option<u64>,
);

/// The same, free of Python.
pub(super) struct Read<'a> {
    table: &'a Table,
    features: Option<Vec<String>>,
    exclude: Vec<String>,
    method: Option<Method>,
    scale: Scale,
    weights: Option<Vec<f64>>,
    labels: Option<Vec<u32>>,
    manifest: Manifest,
}

impl Given<'_> {
    /// What was given, for the public function of this name.
    pub(super) fn read(&self, function: &str, labels: Option<Vec<u32>>) -> PyResult<Read<'_>> {
        let Self(table, features, exclude, method, scale, weights, settings, seed) = self;
        let table = &table.get().0;
        Ok(Read {
            table,
            features: features.clone(),
            exclude: exclude.clone(),
            method: method.as_deref().map(|method| choice("method", method)).transpose()?,
            scale: choice("scale", scale)?,
            weights: weights.as_ref().map(|w| w.as_array().iter().copied().collect()),
            labels,
            manifest: manifest(function, settings, *seed, table)?,
        })
    }
}

impl Read<'_> {
    /// The customers, and the manifest that counts those left out.
    pub(super) fn customers(mut self) -> crate::Result<(Customers, Manifest)> {
        let source = Source {
            features: self.features.as_deref(),
            exclude: &self.exclude,
            scale: self.scale,
            method: self.method,
            weights: self.weights.as_deref(),
            labels: self.labels.as_deref(),
        };
        let customers = Customers::read(self.table, &source, &mut self.manifest)?;
        Ok((customers, self.manifest))
    }
}

/// Labels from Python, where -1 is no segment.
pub(super) fn labels(from: &PyReadonlyArray1<'_, i64>) -> Vec<u32> {
    let label = |&label: &i64| u32::try_from(label).unwrap_or(MISSING);
    from.as_array().iter().map(label).collect()
}

/// Columns that were not used, each with the reason.
pub(super) fn unused(customers: &Customers) -> super::Unused {
    customers.unused.iter().map(|column| (column.name.clone(), column.reason.clone())).collect()
}
