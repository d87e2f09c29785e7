//! Edits by hand: each gives another segmentation, with a record of what was done, to how many, and why.

use serde::{Deserialize, Serialize};

use super::clustering::{Options, segment};
use super::customers::count;
use super::made::{check_names, free, is_in, weights_of};
use super::rules::{Condition, Rule, Test, Value, check_conditions, first_met, words};
use super::steps::{Splitter, Step, divided, renumber, spread};
use super::{Origin, Rules, Segmentation};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::profile::Profile;
use crate::table::{Kind, MISSING, Table};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Other names.
    Rename,
    /// Segments put together.
    Merge,
    /// A segment taken apart.
    Split,
    /// Customers moved.
    Reassign,
    /// Fewer segments by a criterion.
    Limit,
}

impl Action {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Reassign => "reassign",
            Self::Limit => "limit",
        }
    }
}

/// The record of an edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What was done.
    pub action: Action,
    /// Names of the segments that it concerns, before.
    pub segments: Vec<String>,
    /// Names of the segments that they became; empty where they were dropped.
    pub into: Vec<String>,
    /// Customers concerned.
    pub customers: usize,
    /// Their share of the weight of all customers.
    pub share: f64,
    /// Their share of a value, where one was given.
    #[serde(deserialize_with = "Option::deserialize")]
    pub value_share: Option<f64>,
    /// How customers were told apart, in words.
    pub how: String,
    /// Why, as the user gave it.
    pub reason: String,
    /// What speaks for it: "assumed" for what a person decided, "inferred" for what followed from a criterion.
    pub evidence: String,
}

/// How a segment is taken apart.
#[derive(Debug, Clone)]
pub enum SplitBy {
    /// Customers who meet all conditions, and the rest.
    Rule(Vec<Condition>),
    /// One part for each category of a column.
    Column(String),
    /// Segments found among its customers.
    Clusters(Box<Options>),
}

/// Customers to move.
#[derive(Debug, Clone)]
pub enum Who {
    /// Those of these rows.
    Rows(Vec<bool>),
    /// Those who meet all conditions, new customers too.
    Rule(Vec<Condition>),
}

impl Segmentation {
    /// The same segments under other names.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the number of names is not that of the segments, or two are equal.
    pub fn rename(&self, names: Vec<String>, reason: &str) -> Result<Self> {
        if names.len() != self.names.len() {
            return Err(Error::argument(
                "names",
                format!("{} names", names.len()),
                format!("there are {} segments", self.names.len()),
            ));
        }
        check_names(&names)?;
        let changed: Vec<usize> =
            (0..names.len()).filter(|&segment| names[segment] != self.names[segment]).collect();
        let pick = |names: &[String]| changed.iter().map(|&s| names[s].clone()).collect();
        let edit = Edit {
            segments: pick(&self.names),
            into: pick(&names),
            ..self.edit(Action::Rename, &changed, reason)
        };
        let mut renamed = Self { names, ..self.clone() };
        if !changed.is_empty() {
            renamed.history.push(edit);
        }
        Ok(renamed)
    }

    /// Segments put together: one list of segment numbers for each new segment, and its name if it is to have another
    /// than those of its parts.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a segment is in no list or in two, or two names are equal.
    pub fn merge(
        &self,
        lists: &[Vec<usize>],
        names: &[Option<String>],
        reason: &str,
    ) -> Result<Self> {
        let mut merged = self.regrouped(lists, names)?;
        let gone: Vec<usize> =
            lists.iter().filter(|list| list.len() > 1).flatten().copied().collect();
        if merged.names.len() < self.names.len() {
            let kept = |name: &&String| !self.names.contains(name);
            merged.history.push(Edit {
                into: merged.names.iter().filter(kept).cloned().collect(),
                ..self.edit(Action::Merge, &gone, reason)
            });
        }
        Ok(merged)
    }

    /// Segments put together, without a record.
    pub(super) fn regrouped(&self, lists: &[Vec<usize>], names: &[Option<String>]) -> Result<Self> {
        let k = self.names.len();
        let mut group_of = vec![MISSING; k];
        let each = || format!("each of the {k} segments must stand once");
        for (group, list) in lists.iter().enumerate() {
            for &segment in list {
                match group_of.get_mut(segment) {
                    Some(slot) if *slot == MISSING => *slot = group as u32,
                    _ => {
                        let found = format!("segment number {segment} twice, or out of range");
                        return Err(Error::argument("merge", found, each()));
                    }
                }
            }
        }
        if let Some(lost) = group_of.iter().position(|&group| group == MISSING) {
            let found = format!("no place for segment number {lost}");
            return Err(Error::argument("merge", found, each()));
        }
        if lists.iter().any(Vec::is_empty) {
            return Err(Error::argument("merge", "a group of no segment", "name its segments"));
        }
        let n = lists.len();
        let mut weights = vec![0.0; n];
        for (segment, &group) in group_of.iter().enumerate() {
            weights[group as usize] += self.weights[segment];
        }
        let mut order: Vec<usize> = (0..n).collect();
        match self.origin {
            // Canonical order: the heaviest segment first, ties to the lower number.
            Origin::Clustering(_) => order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a])),
            // The order of the rules says something; a group stands where its first segment stood.
            _ => order.sort_by_key(|&group| lists[group].iter().min()),
        }
        let mut rank = vec![0_u32; n];
        for (position, &group) in order.iter().enumerate() {
            rank[group] = position as u32;
        }
        let new_of: Vec<u32> = group_of.iter().map(|&group| rank[group as usize]).collect();
        let labels = renumber(&self.labels, &new_of);
        let mut new_names: Vec<String> = Vec::with_capacity(n);
        let mut texts = Vec::with_capacity(n);
        for &group in &order {
            let members = &lists[group];
            let own = |of: &[String]| members.iter().map(|&s| of[s].clone()).collect::<Vec<_>>();
            new_names.push(match names.get(group).cloned().flatten() {
                Some(name) => name,
                None if members.len() == 1 => self.names[members[0]].clone(),
                None => free(own(&self.names).join(" + "), &self.names),
            });
            let mut said = own(&self.texts);
            said.retain(|text| !text.is_empty());
            said.dedup();
            texts.push(said.join(" / "));
        }
        check_names(&new_names)?;
        let mut segmentation = Self {
            names: new_names,
            texts,
            sizes: count(&labels, n),
            weights: order.iter().map(|&group| weights[group]).collect(),
            profile: self.profile.regroup(&new_of, n),
            labels,
            ..self.clone()
        };
        if n < k {
            segmentation.manifest.notes.push(format!("{k} segments were put together into {n}"));
        }
        if new_of.iter().enumerate().any(|(old, &new)| old as u32 != new) {
            segmentation.steps.push(Step::Regroup { groups: new_of, n: n as u32 });
        }
        Ok(segmentation)
    }

    /// A segment taken apart; its parts take its place in the order.
    ///
    /// `table` holds the customers that were segmented, in their order. Names of the parts are made from what tells them
    /// apart where none are given.
    ///
    /// # Errors
    ///
    /// Those of reading columns and of clustering; [`Error::Argument`] where a part would have no customer, or the names are
    /// not as many as the parts.
    pub fn split(
        &self,
        table: &Table,
        segment: usize,
        by: SplitBy,
        names: Option<Vec<String>>,
        reason: &str,
        monitor: &Monitor,
    ) -> Result<Self> {
        self.check_rows(table)?;
        let whole = self.name_of(segment)?;
        let asked: Vec<bool> = self.labels.iter().map(|&l| l as usize == segment).collect();
        let (splitter, mut part_names, how) = match by {
            SplitBy::Rule(all) => {
                check_conditions(all.iter())?;
                let how = words(&all);
                let rules = Rules { rules: vec![Rule { segment: 0, all }], default: Some(1) };
                rules.check_categories(table)?;
                let names = vec![format!("{whole}: {how}"), format!("{whole}: the rest")];
                (Splitter::Rules(rules), names, how)
            }
            SplitBy::Column(column) => {
                let (rules, levels) = by_category(table, &column, &asked)?;
                let names = levels.iter().map(|level| format!("{whole}: {level}")).collect();
                (Splitter::Rules(rules), names, format!("by {column}"))
            }
            SplitBy::Clusters(options) => {
                let part = table.filter(&asked)?;
                let settings = self.manifest.settings.clone();
                let manifest = Manifest::new("split", settings, Some(options.seed), part.n_rows());
                let found = self::segment(&part, &options, manifest, monitor)
                    .map_err(|error| error.within(format!("segment {whole:?}")))?;
                let names =
                    (1..=found.names().len()).map(|part| format!("{whole}: {part}")).collect();
                let how = format!(
                    "by {} into {} on {}",
                    found.clustering()?.model().method().name(),
                    found.names().len(),
                    found.features().join(", ")
                );
                (Splitter::Segments(Box::new(found)), names, how)
            }
        };
        let parts = part_names.len();
        if parts < 2 {
            let wanted = "a segment is split into at least 2 parts";
            return Err(Error::argument("split", format!("{parts} part of {whole:?}"), wanted));
        }
        if let Some(names) = names {
            if names.len() != parts {
                let found = format!("{} names", names.len());
                return Err(Error::argument("names", found, format!("there are {parts} parts")));
            }
            part_names = names;
        }
        let found = match &splitter {
            // The customers it was found on are where it put them.
            Splitter::Segments(found) => spread(found.labels(), &asked),
            Splitter::Rules(_) => splitter.parts(table, &asked, monitor)?,
        };
        let labels = divided(&self.labels, segment as u32, parts as u32, &found);
        let lost = count(&self.labels, self.names.len())[segment]
            - count(&labels, self.names.len() + parts - 1)[segment..segment + parts]
                .iter()
                .sum::<usize>();
        let place = |of: &[String], new: Vec<String>| -> Vec<String> {
            [&of[..segment], &new[..], &of[segment + 1..]].concat()
        };
        let texts = place(&self.texts, vec![self.texts[segment].clone(); parts]);
        let names = place(&self.names, part_names.clone());
        let mut split = self.relabelled(table, names, texts, labels)?;
        if let Some(empty) = (0..parts).find(|part| split.sizes[segment + part] == 0) {
            let found = format!("no customer of {whole:?} in {:?}", part_names[empty]);
            return Err(Error::argument("split", found, "no part may be empty"));
        }
        split.manifest.leave_out(format!("in no part of {whole:?}"), lost);
        let by = splitter;
        split.steps.push(Step::Split { segment: segment as u32, parts: parts as u32, by });
        let edit = self.edit(Action::Split, &[segment], reason);
        split.history.push(Edit { into: part_names, how, ..edit });
        Ok(split)
    }

    /// Customers moved to a segment.
    ///
    /// Rows that are named move these customers alone; a rule moves new customers, too.
    ///
    /// # Errors
    ///
    /// Those of reading columns; [`Error::Argument`] where nobody is moved, a row is in no segment, or a segment would be
    /// left empty.
    pub fn reassign(&self, table: &Table, who: Who, to: usize, reason: &str) -> Result<Self> {
        self.check_rows(table)?;
        let target = self.name_of(to)?;
        let n = self.labels.len();
        let (moved, how, step) = match who {
            Who::Rows(rows) => {
                if rows.len() != n {
                    let found = format!("{} rows", rows.len());
                    return Err(Error::argument("reassign", found, format!("there are {n}")));
                }
                let outside = |&row: &usize| rows[row] && !is_in(self.labels[row]);
                if let Some(row) = (0..n).find(outside) {
                    let wanted = "it is in no segment, and stays in none";
                    return Err(Error::argument("reassign", format!("row {row}"), wanted));
                }
                (rows, "these customers alone; new ones go where they went before".into(), None)
            }
            Who::Rule(all) => {
                check_conditions(all.iter())?;
                let rules = Rules { rules: vec![Rule { segment: 0, all }], default: None };
                rules.check_categories(table)?;
                let all = rules.rules.into_iter().flat_map(|rule| rule.all).collect::<Vec<_>>();
                let met = first_met(table, std::iter::once(all.as_slice()))?;
                let moved =
                    met.iter().zip(&self.labels).map(|(&met, &l)| met == 0 && is_in(l)).collect();
                let how = words(&all);
                (moved, how, Some(Step::Move { all, to: to as u32 }))
            }
        };
        let goes = |row: &usize| moved[*row] && self.labels[*row] as usize != to;
        let going: Vec<usize> = (0..n).filter(goes).collect();
        if going.is_empty() {
            let found = format!("no customer outside {target:?}");
            return Err(Error::argument("reassign", found, "at least one is to be moved"));
        }
        let mut labels = self.labels.clone();
        going.iter().for_each(|&row| labels[row] = to as u32);
        let mut changed = self.relabelled(table, self.names.clone(), self.texts.clone(), labels)?;
        let emptied = |s: &usize| changed.sizes[*s] == 0 && self.sizes[*s] > 0;
        if let Some(segment) = (0..self.names.len()).find(emptied) {
            let found = format!("all customers of {:?}", self.names[segment]);
            return Err(Error::argument("reassign", found, "a segment must keep some")
                .with_mend(format!(".merge([{:?}, {target:?}])", self.names[segment])));
        }
        let from: Vec<usize> =
            (0..self.names.len()).filter(|&s| changed.sizes[s] < self.sizes[s]).collect();
        let before: f64 = from.iter().map(|&s| self.weights[s]).sum();
        let after: f64 = from.iter().map(|&s| changed.weights[s]).sum();
        let total: f64 = self.weights.iter().sum();
        changed.steps.extend(step);
        changed.history.push(Edit {
            into: vec![target.to_string()],
            customers: going.len(),
            share: (before - after) / total,
            how,
            ..self.edit(Action::Reassign, &from, reason)
        });
        Ok(changed)
    }

    /// The record of an edit of some segments as they stand.
    pub(super) fn edit(&self, action: Action, segments: &[usize], reason: &str) -> Edit {
        let shares = self.shares();
        Edit {
            action,
            segments: segments.iter().map(|&s| self.names[s].clone()).collect(),
            into: Vec::new(),
            customers: segments.iter().map(|&s| self.sizes[s]).sum(),
            share: segments.iter().map(|&s| shares[s]).sum(),
            value_share: None,
            how: String::new(),
            reason: reason.to_string(),
            evidence: "assumed".to_string(),
        }
    }

    /// The same customers with other labels, counted and profiled anew.
    pub(super) fn relabelled(
        &self,
        table: &Table,
        names: Vec<String>,
        texts: Vec<String>,
        labels: Vec<u32>,
    ) -> Result<Self> {
        check_names(&names)?;
        let sizes = count(&labels, names.len());
        let weights = weights_of(table, self.weighted_by.as_deref(), &labels, &sizes)?;
        let profile = Profile::of(table, &self.features, &labels, names.len())?;
        Ok(Self { names, texts, labels, sizes, weights, profile, ..self.clone() })
    }

    /// Refuses a table of other customers.
    pub(super) fn check_rows(&self, table: &Table) -> Result<()> {
        let (found, wanted) = (table.n_rows(), self.labels.len());
        if found != wanted {
            let wanted =
                format!("the {wanted} customers that were segmented are needed, in their order");
            return Err(Error::argument("df", format!("{found} rows"), wanted));
        }
        Ok(())
    }

    fn name_of(&self, segment: usize) -> Result<&str> {
        self.names.get(segment).map(String::as_str).ok_or_else(|| {
            Error::argument("segment", segment, format!("there are {}", self.names.len()))
        })
    }
}

/// Rules that tell the categories of a column apart, as far as these customers have them, and their names.
fn by_category(table: &Table, column: &str, asked: &[bool]) -> Result<(Rules, Vec<String>)> {
    const MOST: usize = 50;
    let refuse = |found: String, wanted: &str| {
        Error::argument("split", found, wanted)
            .with_mend(format!("split(..., by={{{column:?}: (low, high)}})"))
    };
    if matches!(table.kind(column)?, Kind::Number | Kind::Date) {
        let found = format!("column {column:?}, which holds amounts");
        return Err(refuse(found, "categories, a rule or a number of parts are needed"));
    }
    let codes = table.codes(column)?;
    let mut used = vec![0_usize; codes.categories.len() + 1];
    for (&code, _) in codes.codes.iter().zip(asked).filter(|(_, asked)| **asked) {
        used[(code as usize).min(codes.categories.len())] += 1;
    }
    let (mut rules, mut names) = (Vec::new(), Vec::new());
    let condition = |test| vec![Condition { column: column.to_string(), test }];
    for (level, name) in codes.categories.iter().enumerate().filter(|(level, _)| used[*level] > 0) {
        let all = condition(Test::In(vec![Value::Text(codes.categories[level].clone())]));
        rules.push(Rule { segment: names.len() as u32, all });
        names.push(name.clone());
    }
    if used[codes.categories.len()] > 0 {
        rules.push(Rule { segment: names.len() as u32, all: condition(Test::Missing) });
        names.push(free(format!("no {column}"), &names));
    }
    if names.len() > MOST {
        let found = format!("column {column:?} with {} categories", names.len());
        return Err(refuse(found, "at most 50 parts are made"));
    }
    Ok((Rules { rules, default: None }, names))
}
