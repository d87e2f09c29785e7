//! Segments that are not found but stated: by rules, by the highest of several scores, or as labels.

use std::collections::BTreeMap;

use super::customers::count;
use super::made::{Made, profiled};
use super::rules::{check_conditions, words};
use super::{Origin, Rules, Scores, Segmentation};
use crate::economics::sheet::Sheet;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::{Kind, MISSING, Table};

/// What is said of the segments, and what to profile.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// Names of the segments.
    pub names: Vec<String>,
    /// What is said of each; shorter than the names where nothing is.
    pub texts: Vec<String>,
    /// Columns of the profile; all that say something of customers where none are named.
    pub features: Option<Vec<String>>,
    /// Columns that the profile leaves out where none are named.
    pub exclude: Vec<String>,
    /// Column of weights.
    pub weights: Option<String>,
    /// Tables of what was checked.
    pub checks: BTreeMap<String, Sheet>,
}

impl Build {
    fn made<'a>(&'a self, table: &Table, origin: Origin, labels: Vec<u32>) -> Result<Made<'a>> {
        let mut besides: Vec<&str> = self.exclude.iter().map(String::as_str).collect();
        besides.extend(self.weights.as_deref());
        let features = profiled(table, self.features.as_deref(), &besides)?;
        let weighted_by = self.weights.as_deref();
        let (names, texts) = (self.names.clone(), self.texts.clone());
        let checks = self.checks.clone();
        Ok(Made { names, texts, labels, features, weighted_by, checks, origin })
    }
}

/// Segments by rules: the first that a customer meets decides.
///
/// `strict` refuses categories that no row holds. The table `rules` of the checks has the rules in words, with the
/// customers that each decided.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for bounds in the wrong order, a column that holds something else than the
/// rule asks for, categories that are not there, and where no customer meets a rule.
pub fn by_rules(
    table: &Table,
    rules: Rules,
    mut build: Build,
    strict: bool,
    mut manifest: Manifest,
) -> Result<Segmentation> {
    let k = build.names.len();
    if rules.rules.len() > Rules::MOST {
        let wanted = format!("at most {} are taken", Rules::MOST);
        return Err(Error::argument("rules", format!("{} rules", rules.rules.len()), wanted));
    }
    check_conditions(rules.rules.iter().flat_map(|rule| &rule.all))?;
    let segments = rules.rules.iter().map(|rule| rule.segment).chain(rules.default);
    if let Some(strange) = segments.into_iter().find(|&segment| segment as usize >= k) {
        let found = format!("segment number {strange}");
        return Err(Error::argument("rules", found, format!("there are {k} names")));
    }
    for name in rules.columns() {
        table.kind(&name)?;
    }
    if strict {
        rules.check_categories(table)?;
    }
    let assigned = rules.assign(table)?;
    let name = |segment: Option<u32>| {
        segment.map_or("", |segment| build.names[segment as usize].as_str()).to_string()
    };
    let sheet = Sheet::default()
        .text(
            "segment",
            rules.rules.iter().map(|r| name(Some(r.segment))).chain([name(rules.default)]),
        )
        .text(
            "rule",
            rules.rules.iter().map(|rule| words(&rule.all)).chain(["none of these".to_string()]),
        )
        .int("n", assigned.hits.iter().map(|&n| n as i64));
    build.checks.insert("rules".to_string(), sheet);
    if rules.default.is_none() {
        manifest.leave_out("no rule holds", assigned.hits[rules.rules.len()]);
    }
    let found =
        build.made(table, Origin::Rules(rules), assigned.labels)?.sum_up(table, manifest)?;
    Ok(found.told())
}

/// Segments by the highest of several scores.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] where no customer has all scores.
pub fn by_scores(
    table: &Table,
    scores: Scores,
    build: Build,
    mut manifest: Manifest,
) -> Result<Segmentation> {
    let assigned = scores.assign(table)?;
    manifest.leave_out("a score has no item with a value", assigned.n_incomplete);
    if scores.ties.is_none() {
        manifest.leave_out("the two highest scores are equal", assigned.n_ties);
    }
    build.made(table, Origin::Scores(scores), assigned.labels)?.sum_up(table, manifest)
}

/// Segments that are given: a number for each row, [`MISSING`] where it is in none.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] if there are not as many labels as rows, a label has no name, or no row has
/// a label.
pub fn from_labels(
    table: &Table,
    labels: Vec<u32>,
    build: Build,
    mut manifest: Manifest,
) -> Result<Segmentation> {
    if labels.len() != table.n_rows() {
        let found = format!("{} labels", labels.len());
        let wanted = format!("one for each of the {} rows of df is needed", table.n_rows());
        return Err(Error::argument("labels", found, wanted));
    }
    let k = build.names.len();
    let strange = |label: &&u32| **label != MISSING && **label as usize >= k;
    if let Some(label) = labels.iter().find(strange) {
        let found = format!("label number {label}");
        return Err(Error::argument("labels", found, format!("there are {k} names")));
    }
    let unlabelled = labels.iter().filter(|&&label| label == MISSING).count();
    manifest.leave_out("no label", unlabelled);
    let found = build.made(table, Origin::Given, labels)?.sum_up(table, manifest)?;
    Ok(found.told())
}

impl Segmentation {
    /// With a note on segments that hold nobody.
    fn told(mut self) -> Self {
        let sizes = count(&self.labels, self.names.len());
        let empty: Vec<String> = self
            .names
            .iter()
            .zip(sizes)
            .filter(|(_, n)| *n == 0)
            .map(|(s, _)| format!("{s:?}"))
            .collect();
        if !empty.is_empty() {
            let verb = if empty.len() == 1 { "has" } else { "have" };
            self.manifest.notes.push(format!("{} {verb} no customer", empty.join(", ")));
        }
        self
    }
}

impl Segmentation {
    /// The same with another table of what was checked.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a column is neither text nor numbers nor true and false.
    pub fn with_check(&self, name: &str, table: &Table) -> Result<Self> {
        let mut sheet = Sheet::default();
        for column in table.names() {
            sheet = match table.kind(column)? {
                Kind::Boolean => {
                    let codes = table.codes(column)?;
                    let flags: Vec<bool> = (0..table.n_rows())
                        .map(|row| codes.category(row) == Some("True"))
                        .collect();
                    sheet.flag(column, flags)
                }
                Kind::Number => {
                    let values = table.numeric(column)?;
                    let whole = table
                        .schema()
                        .field_with_name(column)
                        .is_ok_and(|field| field.data_type().is_integer());
                    match whole && values.n_missing == 0 {
                        true => sheet.int(column, values.iter().map(|&value| value as i64)),
                        false => sheet.float(column, values.iter().copied()),
                    }
                }
                Kind::Empty => sheet.float(column, std::iter::repeat_n(f64::NAN, table.n_rows())),
                _ => {
                    let codes = table.codes(column)?;
                    let texts: Vec<String> = (0..table.n_rows())
                        .map(|row| codes.category(row).unwrap_or_default().to_string())
                        .collect();
                    sheet.text(column, texts)
                }
            };
        }
        let mut checks = self.checks.clone();
        checks.insert(name.to_string(), sheet);
        Ok(Self { checks, ..self.clone() })
    }
}
