//! Bindings of content by persona and stage, and of messages by role.

use pyo3::prelude::*;

use crate::gap::content::{
    self, ContentComparison, ContentCoverage, Kind, Limits, Occupancy, Options,
};
use crate::gap::messages::{self, MessageMatrix};
use crate::python::economics::{PyLabels, labels, report};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::{choice, manifest};
use crate::python::table::PyTable;

/// The columns of an inventory by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Pieces<'py> {
    persona: PyLabels<'py>,
    stage: PyLabels<'py>,
    kind: Option<String>,
    kinds: Vec<(String, String)>,
    channel: Option<String>,
    quality: Option<String>,
    scale: (f64, f64),
    date: Option<String>,
    as_of: Option<f64>,
    half_life: f64,
    weights: Option<String>,
    personas: Option<Vec<String>>,
    stages: Option<Vec<String>>,
    everyone: Option<String>,
    separator: Option<String>,
    several: String,
}

/// The people, by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct People<'py> {
    occupancy: Option<Bound<'py, PyTable>>,
    traffic: Option<Vec<(String, f64)>>,
    shares: Vec<(String, f64)>,
    values: Vec<(String, f64)>,
    conversions: Option<Bound<'py, PyTable>>,
}

/// See `ilk.gaps.content_coverage`.
#[pyfunction]
#[pyo3(signature = (table, pieces, people, limits, confidence, settings))]
pub(crate) fn content_coverage(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    pieces: Pieces<'_>,
    people: People<'_>,
    limits: (f64, f64, f64, f64),
    confidence: f64,
    settings: &str,
) -> PyResult<PyContentCoverage> {
    let table = &table.get().0;
    let kinds = pieces
        .kinds
        .into_iter()
        .map(|(name, kind)| Ok((name, choice("kinds", &kind)?)))
        .collect::<PyResult<Vec<(String, Kind)>>>()?;
    let occupancy = match (&people.occupancy, &people.traffic) {
        (Some(table), _) => Occupancy::Table(&table.get().0),
        (None, Some(traffic)) => Occupancy::Traffic(traffic, &people.shares),
        (None, None) => Occupancy::Equal,
    };
    let options = Options {
        persona: labels(&pieces.persona),
        stage: labels(&pieces.stage),
        kind: pieces.kind.as_deref(),
        kinds: &kinds,
        channel: pieces.channel.as_deref(),
        quality: pieces.quality.as_deref(),
        scale: pieces.scale,
        date: pieces.date.as_deref(),
        as_of: pieces.as_of,
        half_life: pieces.half_life,
        weights: pieces.weights.as_deref(),
        personas: pieces.personas.as_deref(),
        stages: pieces.stages.as_deref(),
        everyone: pieces.everyone.as_deref(),
        separator: pieces.separator.as_deref(),
        several: choice("several", &pieces.several)?,
        occupancy,
        values: &people.values,
        conversions: people.conversions.as_ref().map(|table| &table.get().0),
        limits: Limits { thin: limits.0, least: limits.1, stale: limits.2, over: limits.3 },
        confidence,
    };
    let manifest = manifest("content_coverage", settings, None, table)?;
    runtime::quick(py, || content::coverage(table, &options, manifest)).map(PyContentCoverage)
}

result!(PyContentCoverage, "ContentCoverage", ContentCoverage, {
    fn table(&self) -> PyResult<PyTable> {
        self.sheet("table")
    }

    /// One of its tables.
    fn sheet(&self, name: &str) -> PyResult<PyTable> {
        Ok(PyTable(self.0.sheet(name)?.table()?))
    }

    /// This audit beside a later one.
    fn compare(&self, later: &Self, confidence: f64) -> PyResult<PyContentComparison> {
        Ok(PyContentComparison(content::compare(&self.0, &later.0, confidence)?))
    }
});

report!(PyContentComparison, "ContentComparison", ContentComparison);

/// The columns of content by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Said<'py> {
    role: PyLabels<'py>,
    message: PyLabels<'py>,
    roles: Vec<(String, Vec<String>)>,
    messages: Vec<(String, String)>,
    everyone: Option<String>,
    separator: Option<String>,
    weights: Option<String>,
    deal: Option<String>,
    won: Option<String>,
    days: Option<String>,
}

/// See `ilk.gaps.message_matrix`.
#[pyfunction]
#[pyo3(signature = (table, said, confidence, settings))]
pub(crate) fn message_matrix(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    said: Said<'_>,
    confidence: f64,
    settings: &str,
) -> PyResult<PyMessageMatrix> {
    let table = &table.get().0;
    let options = messages::Options {
        role: labels(&said.role),
        message: labels(&said.message),
        roles: &said.roles,
        messages: &said.messages,
        everyone: said.everyone.as_deref(),
        separator: said.separator.as_deref(),
        weights: said.weights.as_deref(),
        deal: said.deal.as_deref(),
        won: said.won.as_deref(),
        days: said.days.as_deref(),
        confidence,
    };
    let manifest = manifest("message_matrix", settings, None, table)?;
    runtime::quick(py, || messages::message_matrix(table, &options, manifest)).map(PyMessageMatrix)
}

report!(PyMessageMatrix, "MessageMatrix", MessageMatrix);
