//! Bindings of opportunities, kinds of needs and reach.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::gap::kano::{self, Answers, KanoNeeds};
use crate::gap::opportunity::{self, Names, Opportunities, Options};
use crate::gap::turf::{self, Turf};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::{choice, manifest};
use crate::python::table::PyTable;

/// Names of columns by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Roles {
    need: String,
    importance: String,
    satisfaction: String,
    segment: Option<String>,
    weights: Option<String>,
}

/// See `ilk.gaps.opportunity`.
#[pyfunction]
#[pyo3(signature = (table, roles, formula, measure, scale, n_boot, confidence, seed, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn opportunities(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    roles: Roles,
    formula: &str,
    measure: &str,
    scale: Option<(f64, f64)>,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyOpportunities> {
    let table = &table.get().0;
    let options = Options {
        formula: choice("method", formula)?,
        measure: choice("measure", measure)?,
        scale,
        n_boot,
        confidence,
        seed,
    };
    let manifest = manifest("opportunity", settings, Some(seed), table)?;
    runtime::run(py, progress, |monitor| {
        let names = Names {
            need: &roles.need,
            importance: &roles.importance,
            satisfaction: &roles.satisfaction,
            segment: roles.segment.as_deref(),
            weights: roles.weights.as_deref(),
        };
        opportunity::opportunity(table, names, options, manifest, monitor)
    })
    .map(PyOpportunities)
}

/// Names of columns by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct KanoRoles {
    need: String,
    functional: String,
    dysfunctional: String,
    segment: Option<String>,
    weights: Option<String>,
}

/// The five answers as they stand in the columns.
#[derive(FromPyObject)]
pub(crate) enum FiveAnswers {
    Numbers([f64; 5]),
    Words([String; 5]),
}

/// See `ilk.gaps.need_kano`.
#[pyfunction]
#[pyo3(signature = (table, roles, answers, confidence, settings))]
pub(crate) fn need_kano(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    roles: KanoRoles,
    answers: FiveAnswers,
    confidence: f64,
    settings: &str,
) -> PyResult<PyKanoNeeds> {
    let table = &table.get().0;
    let manifest = manifest("need_kano", settings, None, table)?;
    let answers = match answers {
        FiveAnswers::Numbers(numbers) => Answers::Numbers(numbers),
        FiveAnswers::Words(words) => Answers::Words(words),
    };
    runtime::run(py, None, |_| {
        let names = kano::Names {
            need: &roles.need,
            functional: &roles.functional,
            dysfunctional: &roles.dysfunctional,
            segment: roles.segment.as_deref(),
            weights: roles.weights.as_deref(),
        };
        kano::kano(table, names, &answers, confidence, manifest)
    })
    .map(PyKanoNeeds)
}

/// See `ilk.gaps.turf`.
#[pyfunction]
#[pyo3(signature = (table, items, sizes, at_least, weights, settings))]
pub(crate) fn reach(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    items: Vec<String>,
    sizes: Vec<usize>,
    at_least: Option<f64>,
    weights: Option<&str>,
    settings: &str,
) -> PyResult<PyTurf> {
    let table = &table.get().0;
    let manifest = manifest("turf", settings, None, table)?;
    runtime::run(py, None, |_| turf::turf(table, &items, &sizes, at_least, weights, manifest))
        .map(PyTurf)
}

result!(PyOpportunities, "Opportunities", Opportunities, {
    /// One row per segment and need.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// Names of the columns of needs and of segments.
    fn names(&self) -> (&str, Option<&str>) {
        (&self.0.need, self.0.segment.as_deref())
    }

    /// The largest opportunities in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyKanoNeeds, "KanoNeeds", KanoNeeds, {
    /// One row per segment and need.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// Names of the columns of needs and of segments.
    fn names(&self) -> (&str, Option<&str>) {
        (&self.0.need, self.0.segment.as_deref())
    }

    /// The needs of each kind in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyTurf, "Turf", Turf, {
    /// One row per best set.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// Size, number of sets that reach as many (`None` where not all were tried) and items of the best set.
    fn best(&self) -> Vec<(usize, Option<usize>, Vec<String>)> {
        let names =
            |items: &[usize]| items.iter().map(|&item| self.0.items[item].clone()).collect();
        self.0.best.iter().map(|best| (best.k, best.n_tied, names(&best.sets[0].items))).collect()
    }

    /// The best sets in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
