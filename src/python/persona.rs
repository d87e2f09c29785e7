//! Bindings of personas.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::result::result;
use super::runtime;
use super::segment::manifest;
use super::table::PyTable;
use crate::persist::broken;
use crate::persona::{self, Condition, Edit, Personas, Prevalence, Request};
use crate::table::MISSING;

/// See `ilk.personas.personas`.
#[pyfunction]
#[pyo3(signature = (table, labels, request, settings, progress))]
pub(crate) fn make_personas(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    labels: PyReadonlyArray1<'_, i64>,
    request: &str,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyPersonas> {
    let table = &table.get().0;
    let labels = codes(&labels);
    let request: Request = read(request)?;
    let manifest = manifest("personas", settings, None, table)?;
    runtime::run(py, progress, |monitor| {
        persona::personas(table, &labels, &request, manifest, monitor)
    })
    .map(PyPersonas)
}

/// See `ilk.personas.prevalence`.
#[pyfunction]
#[pyo3(signature = (table, labels, personas, segments, confidence, settings))]
pub(crate) fn count_matches(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    labels: PyReadonlyArray1<'_, i64>,
    personas: &str,
    segments: Vec<Option<u32>>,
    confidence: f64,
    settings: &str,
) -> PyResult<PyPrevalence> {
    let table = &table.get().0;
    let labels = codes(&labels);
    let personas: Vec<(String, Vec<Condition>)> = read(personas)?;
    let manifest = manifest("prevalence", settings, None, table)?;
    runtime::run(py, None, |_| {
        persona::prevalence(table, &labels, &personas, &segments, confidence, manifest)
    })
    .map(PyPrevalence)
}

/// Number of conditions that each row meets.
#[pyfunction]
pub(crate) fn conditions_met<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyTable>,
    conditions: &str,
) -> PyResult<Bound<'py, PyArray1<u32>>> {
    let table = &table.get().0;
    let conditions: Vec<Condition> = read(conditions)?;
    let met = runtime::run(py, None, |_| persona::matches(table, &conditions))?;
    Ok(met.into_pyarray(py))
}

/// Text as a card keeps it, or a name.
#[pyfunction]
pub(crate) fn clean_text(text: &str, is_name: bool) -> String {
    if is_name { persona::clean_name(text) } else { persona::clean(text) }
}

fn codes(labels: &PyReadonlyArray1<'_, i64>) -> Vec<u32> {
    labels.as_array().iter().map(|&label| u32::try_from(label).unwrap_or(MISSING)).collect()
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> PyResult<T> {
    Ok(serde_json::from_str(text).map_err(|error| broken(error.to_string()))?)
}

result!(PyPersonas, "Personas", Personas, {
    /// One row per line of a card.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per persona and category.
    fn coverage(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.coverage()?))
    }

    /// Columns with their categories.
    fn attributes(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.attributes()?))
    }

    /// Segments without a card.
    fn left_out(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.left_out()?))
    }

    /// Changes by hand.
    fn revisions(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.revisions()?))
    }

    /// Keys and names of the slots of a card.
    fn slots(&self) -> Vec<(String, String)> {
        self.0.slots()
    }

    /// The cards changed by hand.
    fn revise(&self, persona: &str, edits: &str, reason: &str) -> PyResult<Self> {
        Ok(Self(self.0.revise(persona, &read::<Vec<Edit>>(edits)?, reason)?))
    }

    /// The cards of the segments that bring most.
    fn limit(&self, most: usize) -> PyResult<Self> {
        Ok(Self(self.0.limit(most)?))
    }

    /// What other cards say differently.
    fn diff(&self, other: &Bound<'_, Self>) -> PyResult<PyTable> {
        Ok(PyTable(self.0.diff(&other.get().0)?))
    }

    /// The personas in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyPrevalence, "Prevalence", Prevalence, {
    /// One row per persona and attribute.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per persona and number of attributes.
    fn at_least(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.at_least()?))
    }

    /// The attribute whose removal lets most customers more match, of each persona.
    fn weakest(&self) -> Vec<(String, Option<String>)> {
        let weakest = |a: &persona::Audit| a.weakest().map(|stated| stated.attribute.clone());
        self.0.audits.iter().map(|audit| (audit.persona.clone(), weakest(audit))).collect()
    }

    /// Who matches in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
