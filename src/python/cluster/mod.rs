//! Bindings of the clusters, one file per estimator.

mod archetypes;
mod density;
mod gower;
mod kmeans;
mod kmedoids;
mod kmodes;
mod kprototypes;
mod latent;
mod mixed;
mod mixture;
mod model;

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

pub(crate) use archetypes::PyArchetypes;
pub(crate) use density::{PyDbscan, PyHdbscan};
pub(crate) use gower::gower_distances;
pub(crate) use kmeans::PyKMeans;
pub(crate) use kmedoids::PyKMedoids;
pub(crate) use kmodes::PyKModes;
pub(crate) use kprototypes::PyKPrototypes;
pub(crate) use latent::PyLatentClass;
pub(crate) use mixture::PyGaussianMixture;

/// A matrix of either number type.
#[derive(FromPyObject)]
pub(crate) enum Matrix<'py> {
    Wide(PyReadonlyArray2<'py, f64>),
    Narrow(PyReadonlyArray2<'py, f32>),
}

/// A matrix for Python.
#[derive(IntoPyObject)]
pub(crate) enum Given<'py> {
    Wide(Bound<'py, PyArray2<f64>>),
    Narrow(Bound<'py, PyArray2<f32>>),
}

fn slice<'a>(weights: Option<&'a PyReadonlyArray1<'_, f64>>) -> PyResult<Option<&'a [f64]>> {
    Ok(weights.map(|weights| weights.as_slice()).transpose()?)
}

fn labels<'py>(py: Python<'py>, labels: &[u32]) -> Bound<'py, PyArray1<i32>> {
    labels.iter().map(|&label| label as i32).collect::<Vec<_>>().into_pyarray(py)
}
