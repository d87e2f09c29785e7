//! Segments inside segments: each value of a column, such as an activity, is segmented for itself.

use serde::{Deserialize, Serialize};

use super::clustering::{Options, segment};
use super::made::Made;
use super::rules::Rule;
use super::steps::spread;
use super::{Origin, Prediction, Rules, Segmentation, Unknown};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{Persist, broken};
use crate::table::{Codes, MISSING, Table};

/// A segmentation for each value of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nested {
    /// Name of the column.
    pub column: String,
    /// The values in order.
    pub parts: Vec<Part>,
}

/// The segmentation of the customers with one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The value.
    pub value: String,
    /// Its segments.
    pub segmentation: Segmentation,
}

/// Number of segments inside each value.
#[derive(Debug, Clone, Default)]
pub struct Within {
    /// Numbers of some values; nothing where the evidence is to choose.
    pub of: Vec<(String, Option<usize>)>,
    /// That of all values, where none are listed.
    pub all: Option<usize>,
}

impl Within {
    fn of(&self, value: &str) -> Result<Option<usize>> {
        if self.of.is_empty() {
            return Ok(self.all);
        }
        self.of.iter().find(|(name, _)| name == value).map(|(_, k)| *k).ok_or_else(|| {
            Error::argument(
                "k",
                format!("no number for {value:?}"),
                "every activity needs at least one segment",
            )
            .with_mend(format!("k={{..., {value:?}: 1}}"))
        })
    }
}

/// Segments inside each value of `column`.
///
/// Where the evidence is to choose the number and the customers of a value are too few (below eight) or all alike, they are
/// one segment, and a note says so. The column itself is no feature.
///
/// # Errors
///
/// Those of [`segment`], with the value they arose in; [`Error::Argument`] where a declared value has no customer or no
/// number of segments, or a number is given for a value that is not there.
pub fn nested(
    table: &Table,
    column: &str,
    within: &Within,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Segmentation> {
    let codes = table.codes(column)?;
    for (value, _) in &within.of {
        if !codes.categories.contains(value) {
            let known: Vec<String> = codes.categories.iter().map(|c| format!("{c:?}")).collect();
            let wanted = format!("the values of {column:?} are {}", known.join(", "));
            return Err(Error::argument("k", format!("a number for {value:?}"), wanted));
        }
    }
    let mut options = options.clone();
    options.exclude.push(column.to_string());
    if let Some(features) = &mut options.features {
        features.retain(|name| name != column);
    }
    manifest.leave_out(format!("{column:?} is missing"), codes.n_missing);
    let mut labels = vec![MISSING; table.n_rows()];
    let (mut names, mut features, mut parts) = (Vec::new(), Vec::new(), Vec::<Part>::new());
    for (code, value) in codes.categories.iter().enumerate() {
        let asked: Vec<bool> = codes.codes.iter().map(|&c| c as usize == code).collect();
        if !asked.contains(&true) {
            let wanted = "every activity needs at least one segment, and so a customer";
            let found = format!("no customer with {value:?}");
            return Err(Error::argument(format!("column {column:?}"), found, wanted));
        }
        let found = inside(table, &asked, value, within.of(value)?, &options, monitor)?;
        let Manifest { left_out, notes, .. } = found.manifest();
        for left in left_out {
            manifest.leave_out(format!("{} in {value:?}", left.reason), left.rows);
        }
        manifest.notes.extend(notes.iter().map(|note| format!("in {value:?}: {note}")));
        for (slot, label) in labels.iter_mut().zip(spread(found.labels(), &asked)) {
            if label != MISSING {
                *slot = names.len() as u32 + label;
            }
        }
        names.extend(found.names().iter().map(|name| format!("{value}/{name}")));
        for name in found.features() {
            if !features.contains(name) {
                features.push(name.clone());
            }
        }
        parts.push(Part { value: value.clone(), segmentation: found });
    }
    let weighted_by = options.weights.as_deref();
    let origin = Origin::Nested(Nested { column: column.to_string(), parts });
    Made { names, labels, features, weighted_by, ..Made::new(origin) }.sum_up(table, manifest)
}

/// The segments of the customers with one value.
fn inside(
    table: &Table,
    asked: &[bool],
    value: &str,
    k: Option<usize>,
    options: &Options,
    monitor: &Monitor,
) -> Result<Segmentation> {
    let part = table.filter(asked)?;
    let manifest =
        Manifest::new("nested", serde_json::Map::new(), Some(options.seed), part.n_rows());
    let options = Options { k, ..options.clone() };
    let whole = |reason: String| {
        let mut manifest = manifest.clone();
        manifest.notes.push(format!("one segment, since {reason}"));
        everybody(&part, &options, manifest)
    };
    match segment(&part, &options, manifest.clone(), monitor) {
        Err(Error::TooFewRows { .. }) if k.is_none() => {
            whole(format!("there are only {} customers", part.n_rows()))
        }
        Err(Error::Argument { argument, .. })
            if argument == "features" && k.is_none_or(|k| k == 1) =>
        {
            whole("no column tells the customers apart".to_string())
        }
        found => found.map_err(|error| error.within(format!("{value:?}"))),
    }
}

/// One segment of everybody.
fn everybody(table: &Table, options: &Options, manifest: Manifest) -> Result<Segmentation> {
    let rules = Rules { rules: vec![Rule { segment: 0, all: Vec::new() }], default: None };
    let (names, labels) = (vec!["segment 1".to_string()], vec![0; table.n_rows()]);
    let weighted_by = options.weights.as_deref();
    let features = options.features.clone().unwrap_or_default();
    let made = Made { names, labels, features, weighted_by, ..Made::new(Origin::Rules(rules)) };
    made.sum_up(table, manifest)
}

impl Nested {
    /// Segments of new customers; those with another value than there was are in none.
    pub(super) fn predict(&self, table: &Table, monitor: &Monitor) -> Result<Prediction> {
        let Codes { codes, categories, .. } = table.codes(&self.column)?;
        let mut labels = vec![MISSING; table.n_rows()];
        let mut unknown: Vec<Unknown> = Vec::new();
        let mut tell = |feature: &str, rows: usize| {
            if rows == 0 {
                return;
            }
            match unknown.iter_mut().find(|known| known.feature == feature) {
                Some(known) => known.rows += rows,
                None => unknown.push(Unknown { feature: feature.to_string(), rows }),
            }
        };
        let mut first = 0;
        for part in &self.parts {
            let code = categories.iter().position(|name| *name == part.value);
            let asked: Vec<bool> =
                codes.iter().map(|&c| code.is_some_and(|code| code == c as usize)).collect();
            if asked.contains(&true) {
                let found = part.segmentation.predict(&table.filter(&asked)?, monitor)?;
                for (slot, label) in labels.iter_mut().zip(spread(&found.labels, &asked)) {
                    if label != MISSING {
                        *slot = first + label;
                    }
                }
                found.unknown.iter().for_each(|unknown| tell(&unknown.feature, unknown.rows));
            }
            first += part.segmentation.names().len() as u32;
        }
        let known: Vec<bool> = categories
            .iter()
            .map(|name| self.parts.iter().any(|part| part.value == *name))
            .collect();
        let strange = |&&code: &&u32| known.get(code as usize) == Some(&false);
        tell(&self.column, codes.iter().filter(strange).count());
        Ok(Prediction { labels, unknown })
    }

    pub(super) fn reads(&self) -> Vec<String> {
        let mut names = vec![self.column.clone()];
        for name in self.parts.iter().flat_map(|part| part.segmentation.reads()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    pub(super) fn validate(&self, n_segments: usize) -> Result<()> {
        let mut total = 0;
        for part in &self.parts {
            part.segmentation.validate()?;
            total += part.segmentation.names().len();
        }
        if total != n_segments {
            return Err(broken("nested segments differ in number"));
        }
        Ok(())
    }
}
