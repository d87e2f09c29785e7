//! Bindings of what is told of labels that are given.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::Unused;
use super::given::{Given, labels, unused};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::manifest;
use crate::python::table::PyTable;
use crate::quality::separation::{self, Compared, Shadows, Widths};
use crate::table::Table;

/// See `ilk.quality.silhouette`.
#[pyfunction]
#[pyo3(signature = (given, codes, names, simplified, progress))]
pub(crate) fn quality_silhouette(
    py: Python<'_>,
    given: Given<'_>,
    codes: PyReadonlyArray1<'_, i64>,
    names: Vec<String>,
    simplified: bool,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(PySilhouettes, Unused)> {
    let read = given.read("silhouette", Some(labels(&codes)))?;
    let (found, unused) = runtime::run(py, progress, move |monitor| {
        let (customers, manifest) = read.customers()?;
        let unused = unused(&customers);
        Ok((separation::widths(&customers, names, simplified, manifest, monitor)?, unused))
    })?;
    Ok((PySilhouettes(found), unused))
}

/// See `ilk.quality.shadow`.
#[pyfunction]
pub(crate) fn quality_shadow(
    py: Python<'_>,
    given: Given<'_>,
    codes: PyReadonlyArray1<'_, i64>,
    names: Vec<String>,
) -> PyResult<(PyShadows, Unused)> {
    let read = given.read("shadow", Some(labels(&codes)))?;
    let (found, unused) = runtime::run(py, None, move |_| {
        let (customers, manifest) = read.customers()?;
        let unused = unused(&customers);
        Ok((separation::shadows(&customers, names, manifest)?, unused))
    })?;
    Ok((PyShadows(found), unused))
}

/// See `ilk.quality.compare`.
#[pyfunction]
#[pyo3(signature = (first, second, weights, settings))]
pub(crate) fn quality_compare(
    py: Python<'_>,
    first: (PyReadonlyArray1<'_, i64>, Vec<String>),
    second: (PyReadonlyArray1<'_, i64>, Vec<String>),
    weights: Option<PyReadonlyArray1<'_, f64>>,
    settings: &str,
) -> PyResult<PyComparison> {
    let (a, b) = (labels(&first.0), labels(&second.0));
    let rows = Table::builder().int("a", a.iter().map(|&label| i64::from(label))).finish()?;
    let manifest = manifest("compare", settings, None, &rows)?;
    let weights: Option<Vec<f64>> = weights.map(|w| w.as_array().iter().copied().collect());
    let (first, second) = (first.1, second.1);
    runtime::quick(py, || {
        separation::compare((&a, first), (&b, second), weights.as_deref(), manifest)
    })
    .map(PyComparison)
}

/// Mean of values by segment, weighted where there are weights; NaN for an empty segment.
fn means(values: &[f64], labels: &[u32], weights: &[f64], k: usize) -> Vec<f64> {
    let (mut sums, mut totals) = (vec![0.0; k], vec![0.0; k]);
    for (row, (&value, &label)) in values.iter().zip(labels).enumerate() {
        let weight = weights.get(row).copied().unwrap_or(1.0);
        sums[label as usize] += weight * value;
        totals[label as usize] += weight;
    }
    sums.iter().zip(&totals).map(|(sum, total)| sum / total).collect()
}

/// Smallest value by segment.
fn lowest(values: &[f64], labels: &[u32], k: usize) -> Vec<f64> {
    let mut least = vec![f64::NAN; k];
    for (&value, &label) in values.iter().zip(labels) {
        least[label as usize] = value.min(least[label as usize]);
    }
    least
}

/// The other segment that stands most often beside each segment's rows; nothing where there is none.
fn most_frequent(others: &[u32], labels: &[u32], names: &[String]) -> Vec<String> {
    let k = names.len();
    let mut counts = vec![0_usize; k * k];
    for (&label, &other) in labels.iter().zip(others).filter(|(label, other)| label != other) {
        counts[label as usize * k + other as usize] += 1;
    }
    let best = |row: &[usize]| {
        let best = (1..k).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        if row[best] > 0 { names[best].clone() } else { String::new() }
    };
    counts.chunks(k).map(best).collect()
}

fn row_numbers(rows: &[usize]) -> impl Iterator<Item = i64> + '_ {
    rows.iter().map(|&row| row as i64)
}

fn flat(values: &[f64], py: Python<'_>) -> Py<PyArray1<f64>> {
    values.to_vec().into_pyarray(py).unbind()
}

result!(PySilhouettes, "Silhouettes", Widths, {
    /// One row per segment.
    fn table(&self) -> PyResult<PyTable> {
        let Widths { names, labels, widths, weights, sizes, .. } = &self.0;
        let k = names.len();
        let below: Vec<f64> = widths.iter().map(|&w| f64::from(u8::from(w < 0.0))).collect();
        let total: f64 = sizes.iter().sum();
        let table = Table::builder()
            .text("segment", names)
            .float("n", sizes.iter().copied())
            .float("share", sizes.iter().map(|size| size / total))
            .float("silhouette", means(widths, labels, weights, k))
            .float("lowest", lowest(widths, labels, k))
            .float("misplaced", means(&below, labels, weights, k))
            .text("neighbour", most_frequent(&self.0.neighbours, labels, names));
        Ok(PyTable(table.finish()?))
    }

    /// One row per customer.
    fn values(&self) -> PyResult<PyTable> {
        let Widths { names, labels, neighbours, rows, widths, .. } = &self.0;
        let table = Table::builder()
            .int("row", row_numbers(rows))
            .text("segment", labels.iter().map(|&label| &names[label as usize]))
            .text("neighbour", neighbours.iter().map(|&label| &names[label as usize]))
            .float("silhouette", widths.iter().copied());
        Ok(PyTable(table.finish()?))
    }

    /// Mean over all customers.
    fn mean(&self) -> f64 {
        means(&self.0.widths, &vec![0; self.0.rows.len()], &self.0.weights, 1)[0]
    }

    /// Widths, and segments as numbers.
    fn arrays(&self, py: Python<'_>) -> (Py<PyArray1<f64>>, Py<PyArray1<i64>>) {
        let labels: Vec<i64> = self.0.labels.iter().map(|&label| i64::from(label)).collect();
        (flat(&self.0.widths, py), labels.into_pyarray(py).unbind())
    }

    fn names(&self) -> Vec<String> {
        self.0.names.clone()
    }

    fn simplified(&self) -> bool {
        self.0.simplified
    }
});

result!(PyShadows, "Shadows", Shadows, {
    /// One row per segment.
    fn table(&self) -> PyResult<PyTable> {
        let Shadows { names, labels, values, weights, sizes, .. } = &self.0;
        let k = names.len();
        let own: Vec<f64> = labels
            .iter()
            .enumerate()
            .map(|(row, &label)| self.0.similarities[row * k + label as usize])
            .collect();
        let total: f64 = sizes.iter().sum();
        let table = Table::builder()
            .text("segment", names)
            .float("n", sizes.iter().copied())
            .float("share", sizes.iter().map(|size| size / total))
            .float("shadow", means(values, labels, weights, k))
            .float("similarity", means(&own, labels, weights, k))
            .text("neighbour", most_frequent(&self.0.second, labels, names));
        Ok(PyTable(table.finish()?))
    }

    /// One row per customer.
    fn values(&self) -> PyResult<PyTable> {
        let Shadows { names, labels, nearest, second, rows, values, .. } = &self.0;
        let name = |&label: &u32| names[label as usize].clone();
        let table = Table::builder()
            .int("row", row_numbers(rows))
            .text("segment", labels.iter().map(name))
            .text("nearest", nearest.iter().map(name))
            .text("second", second.iter().map(name))
            .float("shadow", values.iter().copied());
        Ok(PyTable(table.finish()?))
    }

    /// Shadow values, similarities (row after row), and segments as numbers.
    #[allow(clippy::type_complexity)]
    fn arrays(&self, py: Python<'_>) -> (Py<PyArray1<f64>>, Py<PyArray1<f64>>, Py<PyArray1<i64>>) {
        let labels: Vec<i64> = self.0.labels.iter().map(|&label| i64::from(label)).collect();
        let labels = labels.into_pyarray(py).unbind();
        (flat(&self.0.values, py), flat(&self.0.similarities, py), labels)
    }

    fn names(&self) -> Vec<String> {
        self.0.names.clone()
    }
});

result!(PyComparison, "Comparison", Compared, {
    /// One row per segment of the first labelling.
    fn table(&self) -> PyResult<PyTable> {
        let Compared { first, second, counts, matching, jaccards, .. } = &self.0;
        let k = second.len();
        let size = |at: usize| counts[at * k..(at + 1) * k].iter().sum::<f64>();
        let cell = |values: &[f64], at: usize| matching[at].map(|to| values[at * k + to]);
        let all = 0..first.len();
        let table = Table::builder()
            .text("a", first)
            .float("n", all.clone().map(size))
            .text("b", matching.iter().map(|to| to.map_or("", |to| second[to].as_str())))
            .float("shared", all.clone().map(|at| cell(counts, at).unwrap_or(0.0)))
            .float("kept", all.clone().map(|at| cell(counts, at).unwrap_or(0.0) / size(at)))
            .float("jaccard", all.map(|at| cell(jaccards, at).unwrap_or(0.0)));
        Ok(PyTable(table.finish()?))
    }

    /// One row per pair of segments.
    fn crosstab(&self) -> PyResult<PyTable> {
        let Compared { first, second, counts, jaccards, .. } = &self.0;
        let k = second.len();
        let all = 0..counts.len();
        let table = Table::builder()
            .text("a", all.clone().map(|at| &first[at / k]))
            .text("b", all.map(|at| &second[at % k]))
            .float("n", counts.iter().copied())
            .float("jaccard", jaccards.iter().copied());
        Ok(PyTable(table.finish()?))
    }

    /// Adjusted Rand, Rand, normalised mutual information, Jaccard of pairs.
    fn scores(&self) -> (f64, f64, f64, f64) {
        (self.0.adjusted_rand, self.0.rand, self.0.information, self.0.jaccard)
    }

    /// Counts row after row, and the names of both labellings' segments.
    fn counts(&self, py: Python<'_>) -> (Py<PyArray1<f64>>, Vec<String>, Vec<String>) {
        (flat(&self.0.counts, py), self.0.first.clone(), self.0.second.clone())
    }

    /// For each segment of the first labelling the number of the one it is matched with.
    fn matching(&self) -> Vec<Option<usize>> {
        self.0.matching.clone()
    }
});
