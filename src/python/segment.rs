//! Bindings of the segments room.

use std::collections::BTreeMap;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::errors::exception;
use super::profile::PySegmentProfile;
use super::result::result;
use super::runtime;
use super::table::PyTable;
use crate::manifest::Manifest;
use crate::persist;
use crate::segment::{
    self, Build, DriftOptions, Likelihood, Missing, Options, SegmentDrift, SplitBy, Who, Within,
    association,
};
use crate::table::{MISSING, Table};

/// A segmentation of the core.
#[pyclass(frozen, module = "ilk._core")]
pub(crate) struct Segmentation(pub(super) segment::Segmentation);

/// Segment of each row, and features with unknown categories and their number of rows.
type Predicted<'py> = (Bound<'py, PyArray1<i64>>, Vec<(String, usize)>);

/// A column with its name.
type Named<'py> = (String, Bound<'py, PyArray1<f64>>);

/// How to cluster.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Choices {
    features: Option<Vec<String>>,
    exclude: Vec<String>,
    method: String,
    k: Option<usize>,
    k_max: usize,
    weights: Option<String>,
    scale: String,
    missing: String,
    n_init: usize,
    seed: u64,
}

impl Choices {
    fn options(self) -> PyResult<Options> {
        Ok(Options {
            features: self.features,
            exclude: self.exclude,
            method: choice("method", &self.method)?,
            k: self.k,
            k_max: self.k_max,
            weights: self.weights,
            scale: choice("scale", &self.scale)?,
            missing: match self.missing.as_str() {
                "drop" => Missing::Drop,
                "error" => Missing::Error,
                _ => Missing::Ignore,
            },
            n_init: self.n_init,
            seed: self.seed,
        })
    }
}

/// See `ilk.segment`.
#[pyfunction]
#[pyo3(signature = (table, choices, settings, progress))]
pub(crate) fn find_segments(
    py: Python<'_>,
    table: &PyTable,
    choices: Choices,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Segmentation> {
    let options = choices.options()?;
    let manifest = manifest("segment", settings, Some(options.seed), &table.0)?;
    runtime::run(py, progress, |monitor| segment::segment(&table.0, &options, manifest, monitor))
        .map(Segmentation)
}

/// See `ilk.segments.nested`; `within` has the number of segments of some values, and else that of all.
#[pyfunction]
#[pyo3(signature = (table, column, within, choices, settings, progress))]
pub(crate) fn nest_segments(
    py: Python<'_>,
    table: &PyTable,
    column: &str,
    within: Vec<(String, Option<usize>)>,
    choices: Choices,
    settings: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Segmentation> {
    let options = choices.options()?;
    let within = Within { of: within, all: options.k };
    let manifest = manifest("nested", settings, Some(options.seed), &table.0)?;
    runtime::run(py, progress, |monitor| {
        segment::nested(&table.0, column, &within, &options, manifest, monitor)
    })
    .map(Segmentation)
}

/// What is said of stated segments, and what to profile.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Said {
    function: String,
    settings: String,
    names: Vec<String>,
    texts: Vec<String>,
    features: Option<Vec<String>>,
    exclude: Vec<String>,
    weights: Option<String>,
    notes: Vec<String>,
}

impl Said {
    fn build(self, table: &Table) -> PyResult<(Build, Manifest)> {
        let mut manifest = manifest(&self.function, &self.settings, None, table)?;
        manifest.notes.extend(self.notes);
        let build = Build {
            names: self.names,
            texts: self.texts,
            features: self.features,
            exclude: self.exclude,
            weights: self.weights,
            checks: BTreeMap::new(),
        };
        Ok((build, manifest))
    }
}

/// Segments by rules (JSON); `strict` refuses categories that no row holds.
#[pyfunction]
pub(crate) fn segment_by_rules(
    py: Python<'_>,
    table: &PyTable,
    rules: &str,
    said: Said,
    strict: bool,
) -> PyResult<Segmentation> {
    let rules = parsed("rules", rules)?;
    let (build, manifest) = said.build(&table.0)?;
    runtime::quick(py, || segment::by_rules(&table.0, rules, build, strict, manifest))
        .map(Segmentation)
}

/// Segments that are given as numbers, below 0 where there is none.
#[pyfunction]
pub(crate) fn segment_by_labels(
    py: Python<'_>,
    table: &PyTable,
    labels: PyReadonlyArray1<'_, i64>,
    said: Said,
) -> PyResult<Segmentation> {
    let labels = unsigned(&labels);
    let (build, manifest) = said.build(&table.0)?;
    runtime::quick(py, || segment::from_labels(&table.0, labels, build, manifest)).map(Segmentation)
}

/// Segments by the highest of several scores (JSON).
#[pyfunction]
pub(crate) fn segment_by_scores(
    py: Python<'_>,
    table: &PyTable,
    scores: &str,
    said: Said,
) -> PyResult<Segmentation> {
    let scores = parsed("items", scores)?;
    let (build, manifest) = said.build(&table.0)?;
    runtime::quick(py, || segment::by_scores(&table.0, scores, build, manifest)).map(Segmentation)
}

/// Whether each row meets all conditions (JSON).
#[pyfunction]
pub(crate) fn rows_where<'py>(
    py: Python<'py>,
    table: &PyTable,
    conditions: &str,
    strict: bool,
) -> PyResult<Bound<'py, PyArray1<bool>>> {
    let all = parsed("where", conditions)?;
    let found = runtime::quick(py, || segment::rules::meets(&table.0, all, strict))?;
    Ok(found.into_pyarray(py))
}

/// Two groupings crossed: cells, expected, residuals; n, chi2, df, p, Cramér's V, normalised mutual information.
#[pyfunction]
#[pyo3(signature = (rows, n_rows, cols, n_cols, weights))]
#[allow(clippy::type_complexity)]
pub(crate) fn crossed_groups<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray1<'_, i64>,
    n_rows: usize,
    cols: PyReadonlyArray1<'_, i64>,
    n_cols: usize,
    weights: Option<Vec<f64>>,
) -> PyResult<([Bound<'py, PyArray1<f64>>; 3], (usize, f64, usize, f64, f64, f64))> {
    let (rows, cols) = (unsigned(&rows), unsigned(&cols));
    let found = runtime::quick(py, || {
        association::crossed((&rows, n_rows), (&cols, n_cols), weights.as_deref())
    })?;
    let figures = (found.n, found.chi2, found.df, found.p, found.cramer_v, found.nmi);
    let cells = [found.cells, found.expected, found.residual].map(|cells| cells.into_pyarray(py));
    Ok((cells, figures))
}

/// Generalised variance inflation of each column by the others, with its degrees of freedom.
#[pyfunction]
pub(crate) fn variance_inflation(
    py: Python<'_>,
    table: &PyTable,
    columns: Vec<String>,
) -> PyResult<Vec<(f64, usize)>> {
    runtime::quick(py, || association::inflation(&table.0, &columns))
}

/// The value of a column below which a share of the weight lies.
#[pyfunction]
#[pyo3(signature = (table, column, weights, q))]
pub(crate) fn weighted_quantile(
    py: Python<'_>,
    table: &PyTable,
    column: &str,
    weights: Option<&str>,
    q: f64,
) -> PyResult<f64> {
    runtime::quick(py, || {
        let values = table.0.numeric(column)?;
        let weights = weights.map(|name| table.0.numeric(name)).transpose()?;
        Ok(association::weighted_quantile(&values, weights.as_deref(), q))
    })
}

result!(PySegmentDrift, "SegmentDrift", SegmentDrift, {
    fn table(&self) -> PyResult<PyTable> {
        self.sheet("table")
    }

    /// One of its tables.
    fn sheet(&self, name: &str) -> PyResult<PyTable> {
        Ok(PyTable(self.0.sheet(name)?.table()?))
    }
});

#[pymethods]
impl Segmentation {
    /// The segments with their sizes.
    fn table(&self) -> PyResult<PyTable> {
        let mut builder = Table::builder().text("segment", self.0.names());
        if self.0.texts().iter().any(|text| !text.is_empty()) {
            builder = builder.text("text", self.0.texts());
        }
        let table = builder
            .int("n", self.0.sizes().iter().map(|&n| n as i64))
            .float("share", self.0.shares())
            .finish()?;
        Ok(PyTable(table))
    }

    /// Where the segments come from: clustering, rules, scores, nested or given.
    fn origin(&self) -> &'static str {
        self.0.origin().name()
    }

    /// The evidence for each number of segments tried.
    fn evidence(&self) -> PyResult<PyTable> {
        let clustering = self.0.clustering()?;
        let evidence = clustering.evidence();
        let mut builder = Table::builder()
            .int("k", evidence.iter().map(|e| e.k as i64))
            .float("within_ss", evidence.iter().map(|e| e.within))
            .float("silhouette", evidence.iter().map(|e| e.silhouette))
            .float("prediction_strength", evidence.iter().map(|e| e.prediction_strength))
            .float("standard_error", evidence.iter().map(|e| e.standard_error))
            .float("adjusted_rand", evidence.iter().map(|e| e.adjusted_rand))
            .float("smallest_share", evidence.iter().map(|e| e.smallest_share));
        if clustering.model().method().has_likelihood() {
            let likelihood = |of: fn(Likelihood) -> f64| {
                evidence.iter().map(move |e| e.likelihood.map_or(f64::NAN, of))
            };
            builder = builder
                .float("bic", likelihood(|found| found.bic))
                .float("icl", likelihood(|found| found.icl));
        }
        let table = builder.flag("chosen", evidence.iter().map(|e| e.chosen)).finish()?;
        Ok(PyTable(table))
    }

    /// The features with their share of the separation.
    fn drivers(&self) -> PyResult<PyTable> {
        let clustering = self.0.clustering()?;
        let features = &clustering.preparation().features;
        let table = Table::builder()
            .text("feature", features.iter().map(|feature| feature.name()))
            .float("share", clustering.drivers().iter().copied())
            .finish()?;
        Ok(PyTable(table))
    }

    /// Columns that were not used, each with the reason.
    fn unused(&self) -> PyResult<Vec<(String, String)>> {
        let unused = self.0.clustering()?.unused();
        Ok(unused.iter().map(|column| (column.name.clone(), column.reason.clone())).collect())
    }

    /// How the features were read, as JSON.
    fn preparation(&self) -> PyResult<String> {
        json(self.0.clustering()?.preparation())
    }

    /// The method in use.
    fn method(&self) -> PyResult<String> {
        json(&self.0.clustering()?.model().method())
    }

    /// Cost of a category that is not the mode, per categorical feature.
    fn gamma(&self) -> PyResult<Vec<f64>> {
        Ok(self.0.clustering()?.model().gamma())
    }

    /// The sentence that says why there are so many segments, and whether they repeat.
    fn choice(&self) -> PyResult<(usize, bool, String)> {
        let choice = self.0.clustering()?.choice();
        Ok((choice.k, choice.repeats, choice.reason.clone()))
    }

    /// Columns of the profile.
    fn features(&self) -> Vec<String> {
        self.0.features().to_vec()
    }

    /// Columns that `predict` reads.
    fn reads(&self) -> Vec<String> {
        self.0.reads()
    }

    /// What is said of each segment.
    fn texts(&self) -> Vec<String> {
        self.0.texts().to_vec()
    }

    /// The column of a nested segmentation, with the segmentation of each value.
    fn parts(&self) -> Option<(String, Vec<(String, Self)>)> {
        let segment::Origin::Nested(nested) = self.0.origin() else { return None };
        let part = |part: &segment::Part| (part.value.clone(), Self(part.segmentation.clone()));
        Some((nested.column.clone(), nested.parts.iter().map(part).collect()))
    }

    /// Names of the tables of what was checked.
    fn checks(&self) -> Vec<String> {
        self.0.checks().map(str::to_string).collect()
    }

    /// One of these tables.
    fn check(&self, name: &str) -> PyResult<PyTable> {
        Ok(PyTable(self.0.check(name)?.table()?))
    }

    /// The edits by hand.
    fn history(&self) -> PyResult<PyTable> {
        let history = self.0.history();
        let joined = |names: &[String]| names.join(", ");
        let table = Table::builder()
            .int("edit", 1..=history.len() as i64)
            .text("action", history.iter().map(|edit| edit.action.name()))
            .text("segments", history.iter().map(|edit| joined(&edit.segments)))
            .text("into", history.iter().map(|edit| joined(&edit.into)))
            .int("customers", history.iter().map(|edit| edit.customers as i64))
            .float("share", history.iter().map(|edit| edit.share))
            .float("value_share", history.iter().map(|edit| edit.value_share.unwrap_or(f64::NAN)))
            .text("how", history.iter().map(|edit| edit.how.as_str()))
            .text("reason", history.iter().map(|edit| edit.reason.as_str()))
            .text("evidence", history.iter().map(|edit| edit.evidence.as_str()))
            .finish()?;
        Ok(PyTable(table))
    }

    /// Number of each row's segment; -1 where the row was left out.
    fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        signed(self.0.labels()).into_pyarray(py)
    }

    /// Names of the segments.
    fn names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    /// The same with another table of what was checked.
    fn with_check(&self, name: &str, table: &PyTable) -> PyResult<Self> {
        Ok(Self(self.0.with_check(name, &table.0)?))
    }

    /// Each customer's scores, where the highest of several decides.
    fn scores<'py>(&self, py: Python<'py>, table: &PyTable) -> PyResult<Vec<Named<'py>>> {
        let segment::Origin::Scores(scores) = self.0.origin() else {
            return Err(exception(
                "DataError",
                "scores: found segments that do not come from scores".into(),
            ));
        };
        let found = runtime::quick(py, || scores.assign(&table.0))?;
        let names = scores.scores.iter().map(|score| score.name.clone());
        Ok(names.zip(found.values.into_iter().map(|values| values.into_pyarray(py))).collect())
    }

    /// The segments of new customers against those that were made.
    #[pyo3(signature = (before, new, labels, id, confidence, settings))]
    #[allow(clippy::too_many_arguments)]
    fn drift(
        &self,
        py: Python<'_>,
        before: Option<Bound<'_, PyTable>>,
        new: &PyTable,
        labels: Option<PyReadonlyArray1<'_, i64>>,
        id: Option<String>,
        confidence: f64,
        settings: &str,
    ) -> PyResult<PySegmentDrift> {
        let before = before.as_ref().map(|table| &table.get().0);
        let labels = labels.map(|labels| unsigned(&labels));
        let options = DriftOptions { id, confidence };
        let manifest = manifest("drift", settings, None, &new.0)?;
        runtime::run(py, None, |monitor| {
            self.0.drift(before, &new.0, labels, &options, manifest, monitor)
        })
        .map(PySegmentDrift)
    }

    /// What makes each segment different.
    fn profile(&self) -> PySegmentProfile {
        PySegmentProfile::of(&self.0)
    }

    /// The same under other names.
    fn rename(&self, names: Vec<String>, reason: &str) -> PyResult<Self> {
        Ok(Self(self.0.rename(names, reason)?))
    }

    /// At most `most` segments.
    #[pyo3(signature = (most, by, values, table, reason))]
    fn limit(
        &self,
        py: Python<'_>,
        most: usize,
        by: &str,
        values: Option<Vec<f64>>,
        table: Option<Bound<'_, PyTable>>,
        reason: &str,
    ) -> PyResult<Self> {
        let by = choice("by", by)?;
        let table = table.as_ref().map(|table| &table.get().0);
        runtime::quick(py, || self.0.limit(most, by, values.as_deref(), table, reason)).map(Self)
    }

    /// Sum of a column in each segment.
    fn totals(&self, py: Python<'_>, table: &PyTable, column: &str) -> PyResult<Vec<f64>> {
        runtime::quick(py, || self.0.totals(&table.0, column))
    }

    /// Segments put together.
    fn merge(
        &self,
        lists: Vec<Vec<usize>>,
        names: Vec<Option<String>>,
        reason: &str,
    ) -> PyResult<Self> {
        Ok(Self(self.0.merge(&lists, &names, reason)?))
    }

    /// A segment taken apart by conditions (JSON) or the categories of a column.
    #[pyo3(signature = (table, segment, conditions, column, names, reason))]
    #[allow(clippy::too_many_arguments)]
    fn split(
        &self,
        py: Python<'_>,
        table: &PyTable,
        segment: usize,
        conditions: Option<&str>,
        column: Option<String>,
        names: Option<Vec<String>>,
        reason: &str,
    ) -> PyResult<Self> {
        let by = match (conditions, column) {
            (Some(text), _) => SplitBy::Rule(parsed("by", text)?),
            (None, column) => SplitBy::Column(column.unwrap_or_default()),
        };
        runtime::run(py, None, |monitor| {
            self.0.split(&table.0, segment, by, names, reason, monitor)
        })
        .map(Self)
    }

    /// A segment taken apart by clustering its customers.
    #[pyo3(signature = (table, segment, choices, names, reason, progress))]
    #[allow(clippy::too_many_arguments)]
    fn split_clusters(
        &self,
        py: Python<'_>,
        table: &PyTable,
        segment: usize,
        choices: Choices,
        names: Option<Vec<String>>,
        reason: &str,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let by = SplitBy::Clusters(Box::new(choices.options()?));
        runtime::run(py, progress, |monitor| {
            self.0.split(&table.0, segment, by, names, reason, monitor)
        })
        .map(Self)
    }

    /// Customers moved: those of the rows, or those who meet the conditions (JSON).
    #[pyo3(signature = (table, rows, conditions, to, reason))]
    fn reassign(
        &self,
        py: Python<'_>,
        table: &PyTable,
        rows: Option<Vec<bool>>,
        conditions: Option<&str>,
        to: usize,
        reason: &str,
    ) -> PyResult<Self> {
        let who = match (rows, conditions) {
            (Some(rows), _) => Who::Rows(rows),
            (None, text) => Who::Rule(parsed("who", text.unwrap_or("[]"))?),
        };
        runtime::quick(py, || self.0.reassign(&table.0, who, to, reason)).map(Self)
    }

    /// Segments of new customers, with the features that hold unknown categories and their number of rows.
    fn predict<'py>(&self, py: Python<'py>, table: &PyTable) -> PyResult<Predicted<'py>> {
        let found = runtime::run(py, None, |monitor| self.0.predict(&table.0, monitor))?;
        let unknown = found.unknown.into_iter().map(|unknown| (unknown.feature, unknown.rows));
        Ok((signed(&found.labels).into_pyarray(py), unknown.collect()))
    }

    /// Settings, seed, rows used.
    fn manifest(&self) -> PyResult<String> {
        json(self.0.manifest())
    }

    /// The whole result.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        runtime::quick(py, || persist::to_json(&self.0))
    }

    /// Reads back `to_json`.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        runtime::quick(py, || persist::from_json(text)).map(Self)
    }
}

/// A manifest from the settings that Python recorded as JSON.
pub(crate) fn manifest(
    function: &str,
    settings: &str,
    seed: Option<u64>,
    table: &Table,
) -> PyResult<Manifest> {
    let settings = serde_json::from_str(settings)
        .map_err(|error| exception("DataError", format!("settings: {error}")))?;
    Ok(Manifest::new(function, settings, seed, table.n_rows()))
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| exception("InternalError", error.to_string()))
}

pub(crate) fn choice<T: serde::de::DeserializeOwned>(argument: &str, word: &str) -> PyResult<T> {
    serde_json::from_value(serde_json::Value::String(word.to_string())).map_err(|_| {
        exception("DataError", format!("{argument}: found {word:?}, but that is not an option"))
    })
}

/// An argument that Python wrote as JSON.
fn parsed<T: serde::de::DeserializeOwned>(argument: &str, text: &str) -> PyResult<T> {
    serde_json::from_str(text)
        .map_err(|error| exception("DataError", format!("{argument}: {error}")))
}

fn unsigned(labels: &PyReadonlyArray1<'_, i64>) -> Vec<u32> {
    let number = |&label: &i64| u32::try_from(label).unwrap_or(MISSING);
    labels.as_array().iter().map(number).collect()
}

fn signed(labels: &[u32]) -> Vec<i64> {
    labels.iter().map(|&label| if label == MISSING { -1 } else { i64::from(label) }).collect()
}
