//! Bindings of what tells segments apart: traits, trees, typing tools, comparisons.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::profile::rules::candidates::{self, Candidates, Given};
use crate::profile::rules::distinguish::{self, Distinction};
use crate::profile::rules::tree::{self, Rules};
use crate::profile::rules::typing::{self, TypingTool};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::{choice, json, manifest};
use crate::python::table::PyTable;
use crate::table::MISSING;

/// Columns of the customers with the segment of each.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Members<'py> {
    table: Bound<'py, PyTable>,
    labels: PyReadonlyArray1<'py, i64>,
    names: Vec<String>,
    columns: Option<Vec<String>>,
    exclude: Vec<String>,
}

/// Segment of each row, and columns with unknown categories and their number of rows.
type Predicted<'py> = (Bound<'py, PyArray1<i64>>, Vec<(String, usize)>);

/// Parent, condition on the way from it, segment, and customers by segment of a node.
type Drawn = (Option<usize>, String, usize, Vec<u32>);

fn codes(labels: &PyReadonlyArray1<'_, i64>) -> Vec<u32> {
    labels.as_array().iter().map(|&label| u32::try_from(label).unwrap_or(MISSING)).collect()
}

fn signed<'py>(py: Python<'py>, labels: &[u32]) -> Bound<'py, PyArray1<i64>> {
    let signed = |&label: &u32| if label == MISSING { -1 } else { i64::from(label) };
    labels.iter().map(signed).collect::<Vec<i64>>().into_pyarray(py)
}

/// See `ilk.profile.distinguish`.
#[pyfunction]
#[pyo3(signature = (members, method, max_traits, top, coverage, leak, jointly, quantiles, redundant, confidence, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn distinguish_segments(
    py: Python<'_>,
    members: Members<'_>,
    method: &str,
    max_traits: usize,
    top: usize,
    coverage: f64,
    leak: f64,
    jointly: bool,
    quantiles: Vec<f64>,
    redundant: bool,
    confidence: f64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyDistinction> {
    let options = distinguish::Options {
        method: choice("method", method)?,
        traits: members.columns,
        exclude: members.exclude,
        max_traits,
        top,
        coverage,
        leak,
        jointly,
        quantiles,
        redundant,
        confidence,
        budget: distinguish::BUDGET,
    };
    let table = &members.table.get().0;
    let (labels, names) = (codes(&members.labels), members.names);
    let manifest = manifest("distinguish", settings, None, table)?;
    runtime::run(py, progress, |monitor| {
        distinguish::distinguish(table, &labels, &names, &options, manifest, monitor)
    })
    .map(PyDistinction)
}

/// See `ilk.profile.rules`.
#[pyfunction]
#[pyo3(signature = (members, max_depth, max_leaves, min_leaf, cost, tolerance, folds, confidence, seed, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn segment_rules(
    py: Python<'_>,
    members: Members<'_>,
    max_depth: usize,
    max_leaves: usize,
    min_leaf: Option<usize>,
    cost: Vec<(String, f64)>,
    tolerance: Option<f64>,
    folds: usize,
    confidence: f64,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyRules> {
    let options = tree::Options {
        traits: members.columns,
        exclude: members.exclude,
        max_depth,
        max_leaves,
        min_leaf,
        cost,
        tolerance,
        folds,
        confidence,
        seed,
    };
    let table = &members.table.get().0;
    let (labels, names) = (codes(&members.labels), members.names);
    let manifest = manifest("rules", settings, Some(seed), table)?;
    runtime::run(py, progress, |monitor| {
        tree::rules(table, &labels, &names, &options, manifest, monitor)
    })
    .map(PyRules)
}

/// See `ilk.profile.typing_tool`.
#[pyfunction]
#[pyo3(signature = (members, max_questions, tolerance, answers, folds, confidence, seed, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn segment_typing_tool(
    py: Python<'_>,
    members: Members<'_>,
    max_questions: usize,
    tolerance: Option<f64>,
    answers: usize,
    folds: usize,
    confidence: f64,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyTypingTool> {
    let options = typing::Options {
        questions: members.columns,
        exclude: members.exclude,
        max_questions,
        tolerance,
        answers,
        folds,
        confidence,
        seed,
    };
    let table = &members.table.get().0;
    let (labels, names) = (codes(&members.labels), members.names);
    let manifest = manifest("typing_tool", settings, Some(seed), table)?;
    runtime::run(py, progress, |monitor| {
        typing::typing_tool(table, &labels, &names, &options, manifest, monitor)
    })
    .map(PyTypingTool)
}

/// One segmentation among several.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Named<'py> {
    name: String,
    labels: PyReadonlyArray1<'py, i64>,
    k: usize,
    stability: f64,
    scenario: String,
}

/// See `ilk.segments.compare_segmentations`.
#[pyfunction]
#[pyo3(signature = (table, given, value, descriptors, max_questions, weights, n_boot, confidence, seed, settings, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn segmentations_compare(
    py: Python<'_>,
    table: &Bound<'_, PyTable>,
    given: Vec<Named<'_>>,
    value: Option<String>,
    descriptors: Vec<String>,
    max_questions: usize,
    weights: [f64; 3],
    n_boot: usize,
    confidence: f64,
    seed: u64,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyCandidates> {
    let table = &table.get().0;
    let options = candidates::Options {
        value,
        descriptors,
        max_questions,
        weights,
        n_boot,
        confidence,
        seed,
    };
    let given: Vec<Given> = given
        .into_iter()
        .map(|named| Given {
            labels: codes(&named.labels),
            name: named.name,
            k: named.k,
            stability: named.stability,
            scenario: named.scenario,
        })
        .collect();
    let manifest = manifest("compare_segmentations", settings, Some(seed), table)?;
    runtime::run(py, progress, |monitor| {
        candidates::compare(table, &given, &options, manifest, monitor)
    })
    .map(PyCandidates)
}

result!(PyDistinction, "Distinction", Distinction, {
    /// One row per set of traits.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per trait of a set.
    fn steps(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.steps()?))
    }

    /// The sets as plain data, as JSON.
    fn data(&self) -> PyResult<String> {
        json(&self.0.data())
    }

    /// How traits were looked for.
    fn method(&self) -> PyResult<String> {
        json(&self.0.method)
    }

    /// What tells each segment apart in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyRules, "Rules", Rules, {
    /// One row per rule.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// The trees of all complexities.
    fn pruning(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.pruning()?))
    }

    /// The columns with their share of what the splits gain.
    fn importance(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.importance()?))
    }

    /// Customers by segment and placed segment.
    fn confusion(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.confusion()?))
    }

    /// Share placed in their own segment with its interval, and share of the largest segment.
    fn fidelity(&self) -> (f64, f64, f64, f64) {
        self.0.fidelity()
    }

    /// The rules as plain data, as JSON.
    fn data(&self) -> PyResult<String> {
        json(&self.0.data())
    }

    /// The nodes for a drawing.
    fn drawing(&self) -> Vec<Drawn> {
        self.0.drawing()
    }

    /// The tree as indented text.
    fn text(&self) -> String {
        self.0.text()
    }

    /// Names of the segments.
    fn names(&self) -> Vec<String> {
        self.0.names.clone()
    }

    /// Names of the columns that are needed.
    fn columns(&self) -> Vec<String> {
        self.0.reader.features().iter().map(|f| f.name().to_string()).collect()
    }

    /// Segments of new customers.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'py, PyTable>,
    ) -> PyResult<Predicted<'py>> {
        let table = &table.get().0;
        let (labels, unknown) = runtime::run(py, None, |_| self.0.predict(table))?;
        Ok((signed(py, &labels), unknown))
    }

    /// The rules in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyTypingTool, "TypingTool", TypingTool, {
    /// One row per number of questions.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// The points of every answer.
    fn scoring(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.scoring()?))
    }

    /// Customers by segment and placed segment.
    fn confusion(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.confusion()?))
    }

    /// Share placed in their own segment with its interval, and share of the largest segment.
    fn accuracy(&self) -> (f64, f64, f64, f64) {
        self.0.accuracy()
    }

    /// The rule as plain data, as JSON.
    fn data(&self) -> PyResult<String> {
        json(&self.0.data())
    }

    /// Names of the segments.
    fn names(&self) -> Vec<String> {
        self.0.names.clone()
    }

    /// Names of the columns that are asked, as the reader has them.
    fn columns(&self) -> Vec<String> {
        self.0.reader.features().iter().map(|f| f.name().to_string()).collect()
    }

    /// Segments of new customers.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'py, PyTable>,
    ) -> PyResult<Predicted<'py>> {
        let table = &table.get().0;
        let (labels, unknown) = runtime::run(py, None, |_| self.0.predict(table))?;
        Ok((signed(py, &labels), unknown))
    }

    /// The questions in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});

result!(PyCandidates, "SegmentationComparison", Candidates, {
    /// One row per segmentation.
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    /// One row per pair of segmentations.
    fn overlaps(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.overlaps()?))
    }

    /// The ranking in words, one paragraph per entry.
    fn explain(&self) -> Vec<String> {
        self.0.explain()
    }
});
