//! Which columns and which customers take part, and what separates the segments they end up in.

use super::{Missing, Options};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::{Preparation, Prepared, Table};

pub(super) fn feature_names(table: &Table, options: &Options) -> Result<Vec<String>> {
    for name in options.exclude.iter().chain(options.features.iter().flatten()) {
        table.kind(name)?;
    }
    let weights = options.weights.as_ref();
    let wanted = |name: &&str| {
        !options.exclude.iter().any(|other| other == name)
            && weights.is_none_or(|other| other != name)
    };
    let names: Vec<String> = match &options.features {
        Some(features) => features.clone(),
        None => table.names().into_iter().filter(wanted).map(str::to_string).collect(),
    };
    Ok(names)
}

/// Positions of the rows that take part, among those with these numbers in the table; the others are counted in the
/// manifest.
pub(super) fn usable_rows(
    preparation: &Preparation,
    rows: &Prepared,
    numbers: &[usize],
    weights: Option<&[f64]>,
    options: &Options,
    manifest: &mut Manifest,
) -> Result<Vec<usize>> {
    let n = rows.n_rows();
    if options.missing == Missing::Error
        && let Some((row, column)) = (0..n).find_map(|row| Some((row, rows.first_missing(row)?)))
    {
        return Err(Error::value(
            preparation.features[column].name(),
            numbers[row],
            "a missing value",
            "missing=\"error\" allows none",
        )
        .with_mend("missing=\"ignore\""));
    }
    let (mut blank, mut dropped, mut weightless) = (0, 0, 0);
    let mut used = Vec::with_capacity(n);
    for row in 0..n {
        if rows.is_blank(row) {
            blank += 1;
        } else if options.missing == Missing::Drop && rows.is_incomplete(row) {
            dropped += 1;
        } else if weights.is_some_and(|weights| weights[numbers[row]] == 0.0) {
            weightless += 1;
        } else {
            used.push(row);
        }
    }
    manifest.leave_out("no feature has a value", blank);
    manifest.leave_out("a feature is missing (missing=\"drop\")", dropped);
    manifest.leave_out("weight 0", weightless);
    let k = options.k.unwrap_or(2);
    if k == 0 {
        return Err(Error::argument("k", 0, "at least 1 segment is needed"));
    }
    if used.len() < k {
        return Err(Error::TooFewRows {
            what: format!("k={k}"),
            needed: k,
            found: used.len(),
            mend: None,
        });
    }
    Ok(used)
}

pub(super) fn count(labels: &[u32], n_segments: usize) -> Vec<usize> {
    let mut sizes = vec![0; n_segments];
    for &label in labels {
        if let Some(size) = sizes.get_mut(label as usize) {
            *size += 1;
        }
    }
    sizes
}

/// Share of each feature in what the segments explain: its cost around one centre less its cost around the segments'.
pub(super) fn drivers(rows: &Prepared, labels: &[u32], k: usize, gamma: &[f64]) -> Vec<f64> {
    let mut gains = Vec::with_capacity(rows.numeric.ncols() + rows.codes.ncols());
    for column in rows.numeric.columns() {
        let mut sums = vec![(0.0, 0.0); k];
        for (&value, &label) in column.iter().zip(labels) {
            if !value.is_nan() {
                let (count, sum) = &mut sums[label as usize];
                *count += 1.0;
                *sum += value;
            }
        }
        let count: f64 = sums.iter().map(|(count, _)| count).sum();
        let mean = sums.iter().map(|(_, sum)| sum).sum::<f64>() / count;
        let between = sums
            .iter()
            .filter(|(count, _)| *count > 0.0)
            .map(|(count, sum)| count * (sum / count - mean).powi(2));
        gains.push(between.sum::<f64>());
    }
    for ((column, &n), gamma) in rows.codes.columns().into_iter().zip(&rows.n_categories).zip(gamma)
    {
        let mut counts = vec![vec![0.0_f64; n]; k];
        for (&code, &label) in column.iter().zip(labels) {
            if let Some(count) = counts[label as usize].get_mut(code as usize) {
                *count += 1.0;
            }
        }
        let largest = |counts: &[f64]| counts.iter().copied().fold(0.0, f64::max);
        let together: Vec<f64> = (0..n).map(|c| counts.iter().map(|row| row[c]).sum()).collect();
        let matched: f64 = counts.iter().map(|row| largest(row)).sum();
        gains.push(gamma * (matched - largest(&together)));
    }
    let total: f64 = gains.iter().sum();
    gains.iter().map(|gain| if total > 0.0 { gain / total } else { 0.0 }).collect()
}
