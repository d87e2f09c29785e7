//! From a segment for each row to a segmentation: sizes, weights and the profile.

use std::collections::BTreeMap;

use super::customers::count;
use super::{Origin, Segmentation};
use crate::economics::sheet::Sheet;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::profile::Profile;
use crate::table::{Kind, MISSING, Preparation, Reading, Scale, Table};

/// Segments as they were just made.
pub(super) struct Made<'a> {
    pub(super) names: Vec<String>,
    /// What is said of each segment.
    pub(super) texts: Vec<String>,
    pub(super) labels: Vec<u32>,
    /// Columns to profile.
    pub(super) features: Vec<String>,
    pub(super) weighted_by: Option<&'a str>,
    pub(super) origin: Origin,
    pub(super) checks: BTreeMap<String, Sheet>,
}

impl Made<'_> {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            names: Vec::new(),
            texts: Vec::new(),
            labels: Vec::new(),
            features: Vec::new(),
            weighted_by: None,
            origin,
            checks: BTreeMap::new(),
        }
    }

    /// Counts the customers and profiles the segments.
    pub(super) fn sum_up(self, table: &Table, manifest: Manifest) -> Result<Segmentation> {
        let Self { names, mut texts, labels, features, weighted_by, origin, checks } = self;
        let k = names.len();
        check_names(&names)?;
        texts.resize(k, String::new());
        let sizes = count(&labels, k);
        if sizes.iter().all(|&n| n == 0) {
            return Err(manifest.nothing_left("df", manifest.rows));
        }
        let weights = weights_of(table, weighted_by, &labels, &sizes)?;
        let profile = Profile::of(table, &features, &labels, k)?;
        let base = k;
        let weighted_by = weighted_by.map(str::to_string);
        let (steps, history) = (Vec::new(), Vec::new());
        Ok(Segmentation {
            manifest,
            names,
            texts,
            labels,
            sizes,
            weights,
            weighted_by,
            features,
            profile,
            checks,
            base,
            origin,
            steps,
            history,
        })
    }
}

/// Weight of each segment: its customers where there are no weights.
pub(super) fn weights_of(
    table: &Table,
    weighted_by: Option<&str>,
    labels: &[u32],
    sizes: &[usize],
) -> Result<Vec<f64>> {
    match weighted_by {
        Some(name) => {
            let found = sums(&table.weights(name)?, labels, sizes.len());
            if found.iter().sum::<f64>() <= 0.0 {
                let wanted = "some customer in a segment must count";
                return Err(Error::argument("weights", "no weight above 0", wanted));
            }
            Ok(found)
        }
        None => Ok(sizes.iter().map(|&n| n as f64).collect()),
    }
}

/// Sum of a column in each segment; missing values add nothing.
pub(super) fn sums(values: &[f64], labels: &[u32], n_segments: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n_segments];
    for (&label, &value) in labels.iter().zip(values) {
        if let Some(sum) = sums.get_mut(label as usize)
            && !value.is_nan()
        {
            *sum += value;
        }
    }
    sums
}

/// Columns to profile: those named, or all that say something of customers.
///
/// Identifiers, free text and constant columns say nothing, as for a clustering.
pub(super) fn profiled(
    table: &Table,
    named: Option<&[String]>,
    besides: &[&str],
) -> Result<Vec<String>> {
    if let Some(names) = named {
        for (at, name) in names.iter().enumerate() {
            if table.kind(name)? == Kind::Other {
                table.codes(name)?;
            }
            if names[..at].contains(name) {
                let wanted = "each column is needed once";
                return Err(Error::argument("features", format!("{name:?} twice"), wanted));
            }
        }
        return Ok(names.to_vec());
    }
    let names: Vec<String> = table
        .names()
        .into_iter()
        .filter(|name| !besides.contains(name))
        .map(str::to_string)
        .collect();
    match Preparation::learn(table, &names, false, Scale::Standard, Reading::ByKind) {
        Ok(learned) => {
            let used: Vec<&str> =
                learned.preparation.features.iter().map(|found| found.name()).collect();
            Ok(names.into_iter().filter(|name| used.contains(&name.as_str())).collect())
        }
        Err(Error::Argument { argument, .. }) if argument == "features" => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Refuses names that are empty or equal.
pub(super) fn check_names(names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Err(Error::argument("names", "no segment", "at least one is needed"));
    }
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if name.is_empty() {
            return Err(Error::argument("names", "an empty name", "each segment needs a name"));
        }
        if !seen.insert(name) {
            let found = format!("{name:?} twice");
            return Err(Error::argument("names", found, "names must be different"));
        }
    }
    Ok(())
}

/// The same name where it is free, else with a number behind it.
pub(super) fn free(name: String, taken: &[String]) -> String {
    if !taken.contains(&name) {
        return name;
    }
    let mut number = 2;
    loop {
        let other = format!("{name} ({number})");
        if !taken.contains(&other) {
            return other;
        }
        number += 1;
    }
}

/// Whether a customer is in some segment.
pub(super) fn is_in(label: u32) -> bool {
    label != MISSING
}
