//! Bindings of what is segmented again and again.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use super::Unused;
use super::given::{Given, labels, unused};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::json;
use crate::python::table::PyTable;
use crate::quality::noise::{self, NoiseTest};
use crate::quality::segments::{self, SegmentStability};
use crate::quality::select::{self, Selection};
use crate::quality::stability::{self, Stability};
use crate::quality::summary::Summary;
use crate::table::Table;

/// See `ilk.quality.select_k`.
#[pyfunction]
#[pyo3(signature = (given, ks, n_init, n_splits, n_references, sample_rows, silhouette_rows, seed, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn quality_select(
    py: Python<'_>,
    given: Given<'_>,
    ks: Vec<usize>,
    n_init: usize,
    n_splits: usize,
    n_references: usize,
    sample_rows: usize,
    silhouette_rows: usize,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(PySelection, Unused)> {
    let read = given.read("select_k", None)?;
    let options =
        select::Options { ks, n_init, n_splits, n_references, sample_rows, silhouette_rows, seed };
    let (found, unused) = runtime::run(py, progress, move |monitor| {
        let (customers, manifest) = read.customers()?;
        Ok((select::select(&customers, &options, manifest, monitor)?, unused(&customers)))
    })?;
    Ok((PySelection(found), unused))
}

/// See `ilk.quality.stability`.
#[pyfunction]
#[pyo3(signature = (given, ks, n_boot, n_init, sample_rows, seed, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn quality_stability(
    py: Python<'_>,
    given: Given<'_>,
    ks: Vec<usize>,
    n_boot: usize,
    n_init: usize,
    sample_rows: usize,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(PyStability, Unused)> {
    let read = given.read("stability", None)?;
    let options = stability::Options { ks, n_boot, n_init, sample_rows, seed };
    let (found, unused) = runtime::run(py, progress, move |monitor| {
        let (customers, manifest) = read.customers()?;
        Ok((stability::stability(&customers, &options, manifest, monitor)?, unused(&customers)))
    })?;
    Ok((PyStability(found), unused))
}

/// See `ilk.quality.segment_stability`.
#[pyfunction]
#[pyo3(signature = (given, codes, names, ks, n_boot, n_init, sample_rows, seed, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn quality_segments(
    py: Python<'_>,
    given: Given<'_>,
    codes: PyReadonlyArray1<'_, i64>,
    names: Vec<String>,
    ks: Vec<usize>,
    n_boot: usize,
    n_init: usize,
    sample_rows: usize,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(PySegmentStability, Unused)> {
    let read = given.read("segment_stability", Some(labels(&codes)))?;
    let options = stability::Options { ks, n_boot, n_init, sample_rows, seed };
    let (found, unused) = runtime::run(py, progress, move |monitor| {
        let (customers, manifest) = read.customers()?;
        let unused = unused(&customers);
        let found = segments::segment_stability(&customers, names, &options, manifest, monitor)?;
        Ok((found, unused))
    })?;
    Ok((PySegmentStability(found), unused))
}

/// See `ilk.quality.noise_test`.
#[pyfunction]
#[pyo3(signature = (given, k, n_simulated, n_init, n_splits, sample_rows, seed, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn quality_noise(
    py: Python<'_>,
    given: Given<'_>,
    k: usize,
    n_simulated: usize,
    n_init: usize,
    n_splits: usize,
    sample_rows: usize,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(PyNoiseTest, Unused)> {
    let read = given.read("noise_test", None)?;
    let options = noise::Options { k, n_simulated, n_init, n_splits, sample_rows, seed };
    let (found, unused) = runtime::run(py, progress, move |monitor| {
        let (customers, manifest) = read.customers()?;
        Ok((noise::noise_test(&customers, &options, manifest, monitor)?, unused(&customers)))
    })?;
    Ok((PyNoiseTest(found), unused))
}

result!(PySelection, "Selection", Selection, {
    /// One row per number of segments.
    fn table(&self) -> PyResult<PyTable> {
        let mut table = Table::builder().int("k", self.0.tried.iter().map(|tried| tried.k as i64));
        for name in Selection::CRITERIA {
            table = table.float(name, self.0.criterion(name));
        }
        let chosen = self.0.tried.iter().map(|tried| tried.k == self.0.choice.k);
        Ok(PyTable(table.flag("chosen", chosen).finish()?))
    }

    /// The number chosen, whether it repeats, and the reason.
    fn choice(&self) -> (usize, bool, String) {
        let choice = &self.0.choice;
        (choice.k, choice.repeats, choice.reason.clone())
    }

    /// What each criterion by itself would choose.
    fn votes(&self) -> Vec<(&'static str, usize)> {
        self.0.votes()
    }

    /// Gap statistic of one segment, and what the gap statistic compares with.
    fn gap_of_one(&self) -> PyResult<(Option<f64>, String)> {
        Ok((self.0.gap_of_one, json(&self.0.reference)?))
    }

    fn method(&self) -> PyResult<String> {
        json(&self.0.method)
    }
});

result!(PyStability, "Stability", Stability, {
    /// One row per number of segments.
    fn table(&self) -> PyResult<PyTable> {
        let at = 0..self.0.ks.len();
        let summaries: Vec<Summary> = at.map(|at| Summary::of(self.0.of(at))).collect();
        let table = Table::builder()
            .int("k", self.0.ks.iter().map(|&k| k as i64))
            .float("adjusted_rand", summaries.iter().map(|s| s.mean))
            .float("adjusted_rand_lo", summaries.iter().map(|s| s.low))
            .float("adjusted_rand_hi", summaries.iter().map(|s| s.high))
            .float("median", summaries.iter().map(|s| s.median))
            .float("q25", summaries.iter().map(|s| s.q25))
            .float("q75", summaries.iter().map(|s| s.q75));
        Ok(PyTable(table.finish()?))
    }

    /// One row per number of segments and pair of samples.
    fn values(&self) -> PyResult<PyTable> {
        let pairs = self.0.values.len() / self.0.ks.len();
        let rows = 0..self.0.values.len();
        let table = Table::builder()
            .int("k", rows.clone().map(|row| self.0.ks[row / pairs] as i64))
            .int("pair", rows.map(|row| (row % pairs) as i64))
            .float("adjusted_rand", self.0.values.iter().copied());
        Ok(PyTable(table.finish()?))
    }

    fn method(&self) -> PyResult<String> {
        json(&self.0.method)
    }
});

result!(PySegmentStability, "SegmentStability", SegmentStability, {
    /// One row per segment.
    fn table(&self) -> PyResult<PyTable> {
        let samples: Vec<Vec<f64>> = (0..self.0.names.len()).map(|at| self.0.of(at)).collect();
        let summaries: Vec<Summary> = samples.iter().map(|values| Summary::of(values)).collect();
        let total: f64 = self.0.sizes.iter().sum();
        let share = |limit: fn(f64) -> bool| {
            samples.iter().map(move |values| {
                values.iter().filter(|value| limit(**value)).count() as f64 / values.len() as f64
            })
        };
        let table = Table::builder()
            .text("segment", &self.0.names)
            .float("share", self.0.sizes.iter().map(|size| size / total))
            .float("jaccard", summaries.iter().map(|s| s.mean))
            .float("jaccard_lo", summaries.iter().map(|s| s.low))
            .float("jaccard_hi", summaries.iter().map(|s| s.high))
            .float("median", summaries.iter().map(|s| s.median))
            .float("q25", summaries.iter().map(|s| s.q25))
            .float("q75", summaries.iter().map(|s| s.q75))
            .float("recovered", share(|value| value >= segments::STABLE))
            .float("dissolved", share(|value| value <= 0.5))
            .text("verdict", summaries.iter().map(|s| SegmentStability::verdict(s.mean)));
        Ok(PyTable(table.finish()?))
    }

    /// One row per segment and bootstrap sample.
    fn values(&self) -> PyResult<PyTable> {
        let samples = self.0.jaccard.len() / self.0.names.len();
        let rows = 0..self.0.jaccard.len();
        let table = Table::builder()
            .text("segment", rows.clone().map(|row| self.0.names[row / samples].as_str()))
            .int("sample", rows.map(|row| (row % samples) as i64))
            .float("jaccard", self.0.jaccard.iter().copied());
        Ok(PyTable(table.finish()?))
    }

    /// One row per number of segments and segment.
    fn across(&self) -> PyResult<PyTable> {
        let each = || {
            self.0.solutions.iter().flat_map(|solution| {
                (0..solution.sizes.len()).map(move |segment| (solution, segment))
            })
        };
        let total: f64 = self.0.sizes.iter().sum();
        let origin = |solution: &segments::Solution, segment| solution.origin(segment);
        let table = Table::builder()
            .int("k", each().map(|(solution, _)| solution.k as i64))
            .int("segment", each().map(|(_, segment)| segment as i64 + 1))
            .float("share", each().map(|(solution, segment)| solution.sizes[segment] / total))
            .float("stability", each().map(|(s, at)| origin(s, at).map_or(f64::NAN, |o| o.0)))
            .int("main_origin", each().map(|(s, at)| origin(s, at).map_or(0, |o| o.1 as i64 + 1)));
        Ok(PyTable(table.finish()?))
    }

    /// One row per pair of segments of neighbouring numbers: the share of all customers who are in both.
    fn flows(&self) -> PyResult<PyTable> {
        let total: f64 = self.0.sizes.iter().sum();
        let mut rows = Vec::new();
        for pair in self.0.solutions.windows(2) {
            for (at, &flow) in pair[1].flows.iter().enumerate() {
                let (from, to) = (at / pair[1].sizes.len(), at % pair[1].sizes.len());
                rows.push((pair[0].k, pair[1].k, from + 1, to + 1, flow / total));
            }
        }
        let table = Table::builder()
            .int("k_before", rows.iter().map(|row| row.0 as i64))
            .int("k", rows.iter().map(|row| row.1 as i64))
            .int("origin", rows.iter().map(|row| row.2 as i64))
            .int("segment", rows.iter().map(|row| row.3 as i64))
            .float("share", rows.iter().map(|row| row.4));
        Ok(PyTable(table.finish()?))
    }

    fn method(&self) -> PyResult<String> {
        json(&self.0.method)
    }
});

result!(PyNoiseTest, "NoiseTest", NoiseTest, {
    /// One row per kind of structureless data and figure.
    fn table(&self) -> PyResult<PyTable> {
        let comparisons = &self.0.comparisons;
        let references: Vec<String> =
            comparisons.iter().map(|c| json(&c.reference)).collect::<PyResult<_>>()?;
        let summaries: Vec<Summary> =
            comparisons.iter().map(|c| Summary::of(&c.simulated)).collect();
        let table = Table::builder()
            .text("structureless", references.iter().map(|name| name.trim_matches('"')))
            .text("measure", comparisons.iter().map(|c| c.measure.as_str()))
            .float("observed", comparisons.iter().map(|c| c.observed))
            .float("simulated", summaries.iter().map(|s| s.mean))
            .float("simulated_lo", summaries.iter().map(|s| s.low))
            .float("simulated_hi", summaries.iter().map(|s| s.high))
            .float("p", comparisons.iter().map(noise::Comparison::p));
        Ok(PyTable(table.finish()?))
    }

    /// One row per kind of structureless data, figure and set.
    fn values(&self) -> PyResult<PyTable> {
        let mut rows = Vec::new();
        for comparison in &self.0.comparisons {
            let reference = json(&comparison.reference)?;
            for (set, &value) in comparison.simulated.iter().enumerate() {
                let reference = reference.trim_matches('"').to_string();
                rows.push((reference, comparison.measure.clone(), set as i64, value));
            }
        }
        let table = Table::builder()
            .text("structureless", rows.iter().map(|row| &row.0))
            .text("measure", rows.iter().map(|row| &row.1))
            .int("set", rows.iter().map(|row| row.2))
            .float("value", rows.iter().map(|row| row.3));
        Ok(PyTable(table.finish()?))
    }

    /// Number of segments.
    fn k(&self) -> usize {
        self.0.k
    }
});
