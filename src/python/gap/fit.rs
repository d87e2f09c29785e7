//! Bindings of value maps and fit matrices.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::gap::fit::{
    self, Cells, FitMatrix, Inputs, Options, Range, ResponseColumns, Satisfaction, Source,
    ValueMap, Words,
};
use crate::gap::turf::Turf;
use crate::manifest::Manifest;
use crate::python::gap::needs::PyTurf;
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::manifest;
use crate::python::table::PyTable;
use crate::table::Table;

/// A frame of names by names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Pairs<'py> {
    table: Bound<'py, PyTable>,
    row: String,
    /// Columns of the second name and the number; none where the second names are columns.
    pairs: Option<(String, String)>,
    columns: Vec<String>,
    scale: Option<(f64, f64)>,
    fill: bool,
}

/// Customers who responded or did not.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Responded<'py> {
    table: Bound<'py, PyTable>,
    persona: String,
    propositions: Vec<String>,
}

/// All frames of a value map.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Frames<'py> {
    needs: Option<Pairs<'py>>,
    customer: Option<String>,
    standard_error: Option<String>,
    satisfaction: Option<Pairs<'py>>,
    satisfaction_column: Option<String>,
    delivery: Option<Pairs<'py>>,
    competitors: Option<Pairs<'py>>,
    scores: Option<Pairs<'py>>,
    responses: Option<Responded<'py>>,
    value: Option<Vec<(String, f64)>>,
    words: (String, String, String),
}

/// Thresholds and replicates.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    threshold: f64,
    min_lift: f64,
    matched: f64,
    parity: f64,
    top: usize,
    n_boot: usize,
    confidence: f64,
}

impl Pairs<'_> {
    fn source(
        &self,
        argument: &'static str,
        col_word: &'static str,
        range: Range,
        scale: &'static str,
    ) -> crate::Result<Source<'_>> {
        Ok(Source {
            argument,
            col_word,
            table: &self.table.get().0,
            row: &self.row,
            cells: match &self.pairs {
                Some((col, value)) => Cells::Pairs { col, value },
                None => Cells::Columns(self.columns.clone()),
            },
            range: range.or(scale, self.scale)?,
            fill: self.fill,
        })
    }

    /// Weights of needs.
    fn weights(&self, argument: &'static str) -> crate::Result<Source<'_>> {
        self.source(argument, "need", Range::Weights, "scale")
    }

    /// What is delivered of needs.
    fn shares(&self, argument: &'static str) -> crate::Result<Source<'_>> {
        let scale = "delivery_scale";
        self.source(argument, "need", Range::Shares { scale }, scale)
    }

    fn rows(frame: Option<&Self>) -> usize {
        frame.map_or(0, |frame| frame.table.get().0.n_rows())
    }
}

/// See `ilk.gaps.value_map`.
#[pyfunction]
pub(crate) fn value_map(
    py: Python<'_>,
    frames: Frames<'_>,
    options: Settings,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyValueMap> {
    let inputs = Inputs {
        needs: frames.needs.as_ref().map(|frame| frame.weights("needs")).transpose()?,
        customer: frames.customer.as_deref(),
        standard_error: frames.standard_error.as_deref(),
        satisfaction: match (&frames.satisfaction_column, &frames.satisfaction) {
            (Some(column), _) => Some(Satisfaction::Column(column)),
            (None, Some(frame)) => Some(Satisfaction::Frame(frame.weights("satisfaction")?)),
            (None, None) => None,
        },
        delivery: frames.delivery.as_ref().map(|frame| frame.shares("delivery")).transpose()?,
        competitors: (frames.competitors.as_ref())
            .map(|frame| frame.shares("competitors"))
            .transpose()?,
        scores: (frames.scores.as_ref())
            .map(|frame| {
                let range = Range::Shares { scale: "scale" };
                frame.source("scores", "proposition", range, "scale")
            })
            .transpose()?,
        responses: frames.responses.as_ref().map(|frame| ResponseColumns {
            table: &frame.table.get().0,
            persona: &frame.persona,
            propositions: &frame.propositions,
        }),
        worth: frames.value.clone(),
    };
    let drawn = options.n_boot > 0
        && (inputs.customer.is_some()
            || inputs.standard_error.is_some()
            || inputs.responses.is_some());
    // Where nothing is drawn, two calls give the same to the last letter.
    let seed = if drawn { seed } else { 0 };
    let tables = [&frames.needs, &frames.scores].map(|frame| Pairs::rows(frame.as_ref()));
    let responded = frames.responses.as_ref().map_or(0, |frame| frame.table.get().0.n_rows());
    let rows = tables.iter().sum::<usize>() + responded;
    let manifest = of_rows("value_map", settings, drawn.then_some(seed), rows)?;
    let (persona, proposition, need) = frames.words.clone();
    let words = Words { persona, proposition, need };
    let Settings { threshold, min_lift, matched, parity, top, n_boot, confidence } = options;
    let options = Options { threshold, min_lift, matched, parity, top, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| fit::value_map(&inputs, words, options, manifest, monitor))
        .map(PyValueMap)
}

/// A manifest of several frames.
fn of_rows(function: &str, settings: &str, seed: Option<u64>, rows: usize) -> PyResult<Manifest> {
    let mut made = manifest(function, settings, seed, &Table::builder().finish()?)?;
    (made.rows, made.rows_used) = (rows, rows);
    Ok(made)
}

/// See `ilk.gaps.fit_matrix`.
#[pyfunction]
pub(crate) fn fit_matrix(
    py: Python<'_>,
    needs: Pairs<'_>,
    delivery: Pairs<'_>,
    matched: f64,
    settings: &str,
) -> PyResult<PyFitMatrix> {
    let manifest = of_rows("fit_matrix", settings, None, Pairs::rows(Some(&needs)))?;
    let (needs, delivery) = (needs.weights("needs")?, delivery.shares("delivery")?);
    runtime::quick(py, || fit::fit_matrix(&needs, &delivery, matched, manifest)).map(PyFitMatrix)
}

result!(PyFitMatrix, "FitMatrix", FitMatrix, {
    /// One row per segment and product.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per segment and need that no product delivers.
    fn unmatched(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.unmatched()?))
    }

    /// Names of the columns of segments and products.
    fn names(&self) -> (&str, &str) {
        (&self.0.words[0], &self.0.words[1])
    }

    /// The best product of each segment in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyValueMap, "ValueMap", ValueMap, {
    /// One row per persona and proposition.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per proposition, the first one first.
    fn priority(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.priority_table()?))
    }

    /// One row per persona and proposition, against competitors.
    fn differentiation(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.differentiation()?))
    }

    /// One row per persona and need.
    fn needs(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.needs()?))
    }

    /// One row per persona, role and proposition, with what to do next.
    #[pyo3(signature = (roles))]
    fn canvas(&self, roles: Option<Vec<(String, Vec<String>)>>) -> PyResult<PyTable> {
        Ok(PyTable(self.0.canvas(roles.as_deref())?))
    }

    /// The sets of propositions that reach most.
    fn turf(&self, py: Python<'_>, sizes: Vec<usize>, settings: &str) -> PyResult<PyTurf> {
        let manifest = of_rows("turf", settings, None, 0)?;
        runtime::quick(py, || -> crate::Result<Turf> { self.0.turf(&sizes, manifest) }).map(PyTurf)
    }

    /// Names of the columns of personas, propositions and needs.
    fn names(&self) -> (&str, &str, &str) {
        let words = &self.0.words;
        (&words.persona, &words.proposition, &words.need)
    }

    /// Names of personas and of propositions, and what tells who is sensitive.
    fn axes(&self) -> (Vec<String>, Vec<String>, &'static str) {
        (self.0.personas.clone(), self.0.propositions.clone(), self.0.evidence.name())
    }

    /// Whether each persona is sensitive to each proposition, row by row.
    fn sensitive(&self) -> Vec<bool> {
        self.0.sensitive.clone()
    }

    /// Number of personas that are sensitive to each proposition.
    fn reach(&self) -> Vec<usize> {
        self.0.reach()
    }

    /// Share of each persona in the value of all.
    fn worth(&self) -> Vec<f64> {
        self.0.worth_shares()
    }

    /// Who is sensitive to what, one sentence each.
    fn sentences(&self) -> Vec<String> {
        self.0.sentences()
    }

    /// The map in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
