//! What makes segments different: each trait's mean or share in a segment beside that of all customers.
//!
//! Start with [`profile`], or with [`Profile::of`] for sums that travel with a segmentation. A category is a set of traits,
//! one per level. One pass over each column leaves sums ([`Profile`]) from which everything follows: the traits of each
//! segment ([`Profile::traits`]), how much each feature has to do with all of them ([`Profile::effects`]) and the tests of
//! [`describe`]. Columns are read side by side; within a column the order is that of the rows, so that
//! figures have the same bits for any number of threads. What limits the speed is sorting amounts for their ranks.

mod columns;
mod comparing;
pub mod describe;
mod effects;
pub mod homogeneity;
mod law;
mod ranks;
mod traits;

pub mod rules;

use serde::{Deserialize, Serialize};

pub use columns::MAX_LEVELS;
use columns::{Choice, Column, Reading};
pub use effects::Effect;
pub(crate) use traits::share_p;
pub use traits::{
    COMMON, MARKER_DEVIATIONS, MARKER_LEVEL, MARKER_RANGE, MARKER_RATIO, Trait, UNIQUE_OTHERS,
    UNIQUE_TIMES,
};

use crate::confidence::{check_level, is_level};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::table::{MISSING, Table};

/// What one pass over the customers leaves: enough to profile the segments, and to merge them, without the customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    n_segments: usize,
    columns: Vec<Column>,
}

impl Profile {
    /// Sums the named columns over segments `0..n_segments`; rows with label [`MISSING`] do not count.
    ///
    /// One pass per column and a sort of its numbers.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn of(table: &Table, names: &[String], labels: &[u32], n_segments: usize) -> Result<Self> {
        let reading =
            Reading { labels, n_segments, weights: None, choice: Choice::Used, fives: false };
        let read = columns::read(table, names, reading, &Monitor::new())?;
        let columns = read.into_iter().flatten().map(|(column, _)| column).collect();
        Ok(Self { n_segments, columns })
    }

    /// The same after segment `s` became part of segment `groups[s]`.
    #[must_use]
    pub fn regroup(&self, groups: &[u32], n_segments: usize) -> Self {
        let columns = self.columns.iter().map(|column| column.regroup(groups, n_segments));
        Self { n_segments, columns: columns.collect() }
    }

    /// The profile of the customers of both. The area under the curve is missing then: it needs ranks among all.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the other has other segments, features or categories.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        let pairs = self.columns.iter().zip(&other.columns);
        let merged: Option<Vec<Column>> = pairs
            .map(|(one, other)| (one.feature == other.feature).then(|| one.merge(other)).flatten())
            .collect();
        match merged {
            Some(columns)
                if self.n_segments == other.n_segments
                    && self.columns.len() == other.columns.len() =>
            {
                Ok(Self { n_segments: self.n_segments, columns })
            }
            _ => Err(Error::argument(
                "other",
                "a profile of other segments, features or categories",
                "two profiles of the same are needed",
            )),
        }
    }

    /// Every trait in every segment.
    ///
    /// The v-test of an amount in a segment of n of N customers is
    /// (mean in the segment - mean) / sqrt(variance / n * (N - n) / (N - 1)), the standardised difference from a random
    /// sample of that size without replacement (Lebart, Morineau and Piron 1995, Statistique exploratoire
    /// multidimensionnelle). That of a category is the normal quantile of the two-sided mid-p of the hypergeometric law, as
    /// `catdes` of FactoMineR has it. P-values are adjusted together (Benjamini and Hochberg 1995). A trait is a marker
    /// where the difference is significant and at least a quarter of the trait's range or half of the overall mean, if
    /// nothing is below 0 (Dolnicar, Grün and Leisch 2018, Market Segmentation Analysis), or half a standard deviation.
    pub fn traits(&self) -> Vec<Trait> {
        self.traits_at(0.95)
    }

    /// [`Profile::traits`] with intervals of another confidence than 95 %.
    pub fn traits_at(&self, confidence: f64) -> Vec<Trait> {
        traits::traits(&self.columns, confidence)
    }

    /// How much each feature differs between the segments, the largest effect first.
    pub fn effects(&self) -> Vec<Effect> {
        effects::effects(&self.columns)
    }

    /// Names of the columns.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.feature.as_str())
    }

    /// Checks what a saved profile must satisfy.
    ///
    /// # Errors
    ///
    /// [`crate::Error::ModelFile`].
    pub fn validate(&self, n_segments: usize) -> Result<()> {
        if self.n_segments != n_segments || !self.columns.iter().all(|c| c.fits(n_segments)) {
            return Err(persist::broken("the profile has another number of segments"));
        }
        Ok(())
    }
}

/// The profile of named segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentProfile {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// The sums.
    pub profile: Profile,
}

impl Persist for SegmentProfile {
    const KIND: &'static str = "segment_profile";

    fn validate(&self) -> Result<()> {
        if !is_level(self.confidence) {
            return Err(persist::broken("the confidence is not between 0 and 1"));
        }
        self.profile.validate(self.names.len())
    }
}

impl SegmentProfile {
    /// One row per trait and segment.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let traits = self.profile.traits_at(self.confidence);
        let figures = |of: fn(&Trait) -> f64| traits.iter().map(of).collect::<Vec<f64>>();
        Table::builder()
            .text("feature", traits.iter().map(|t| t.feature.as_str()))
            .text("level", traits.iter().map(|t| t.level.as_str()))
            .text("segment", traits.iter().map(|t| self.names[t.segment].as_str()))
            .text("measure", traits.iter().map(Trait::measure))
            .int("n", traits.iter().map(|t| t.n as i64))
            .float("value", figures(|t| t.value))
            .float("value_lo", figures(|t| t.interval.0))
            .float("value_hi", figures(|t| t.interval.1))
            .float("overall", figures(|t| t.overall))
            .float("others", figures(|t| t.others))
            .float("spread", figures(|t| t.spread))
            .float(
                "index",
                figures(|t| if t.overall == 0.0 { f64::NAN } else { t.value / t.overall }),
            )
            .float("lift", figures(|t| t.lift))
            .float("lift_lo", figures(|t| t.lift_interval.0))
            .float("lift_hi", figures(|t| t.lift_interval.1))
            .float("v_test", figures(|t| t.v_test))
            .float("p", figures(|t| t.p))
            .float("q", figures(|t| t.q))
            .float("effect", figures(|t| t.effect))
            .text("size", traits.iter().map(|t| effects::distance_word(t.effect)))
            .float("auc", figures(|t| t.auc))
            .flag("common", traits.iter().map(|t| t.common))
            .flag("unique", traits.iter().map(|t| t.unique))
            .flag("marker", traits.iter().map(|t| t.marker))
            .finish()
    }

    /// One row per feature: how much it differs between the segments.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn effects(&self) -> Result<Table> {
        let effects = self.profile.effects();
        Table::builder()
            .text("feature", effects.iter().map(|e| e.feature.as_str()))
            .text("test", effects.iter().map(|e| e.test))
            .int("n", effects.iter().map(|e| e.n as i64))
            .float("statistic", effects.iter().map(|e| e.statistic))
            .float("df1", effects.iter().map(|e| e.df.0))
            .float("df2", effects.iter().map(|e| e.df.1))
            .float("p", effects.iter().map(|e| e.p))
            .float("q", effects.iter().map(|e| e.q))
            .text("measure", effects.iter().map(|e| e.measure))
            .float("effect", effects.iter().map(|e| e.size))
            .text("size", effects.iter().map(|e| e.word))
            .finish()
    }
}

/// Segments of customers: a number for each, or [`MISSING`], and the names.
#[derive(Debug, Clone, Copy)]
pub struct Segments<'a> {
    /// One number for each row.
    pub labels: &'a [u32],
    /// Names of the segments.
    pub names: &'a [String],
}

/// What to read of the customers.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The columns; by default all that can be read but those of `exclude` and of the weights.
    pub features: Option<&'a [String]>,
    /// Columns that are not features.
    pub exclude: &'a [String],
    /// How many customers each row stands for.
    pub weights: Option<&'a str>,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// Profiles segments by any columns.
///
/// Whole weights count customers: a row of weight 2 is as good as two rows. Other weights are survey weights: they are
/// scaled so that together they count for Kish's effective number of customers, (sum w)² / sum w².
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] where no customer has a segment, for a named column without a value or with
/// too many categories, and for a confidence out of range; [`Error::BadValue`] for weights; [`Error::Interrupted`].
pub fn profile(
    table: &Table,
    segments: Segments<'_>,
    options: Options<'_>,
    manifest: Manifest,
    monitor: &Monitor,
) -> Result<SegmentProfile> {
    check_level(options.confidence)?;
    let (manifest, read) = read(table, segments, options, false, manifest, monitor)?;
    let columns = read.into_iter().map(|(column, _)| column).collect();
    Ok(SegmentProfile {
        manifest,
        names: segments.names.to_vec(),
        confidence: options.confidence,
        profile: Profile { n_segments: segments.names.len(), columns },
    })
}

/// A column and, where asked for, the five numbers of each segment.
type Read = (Column, Vec<ranks::Five>);

/// Reads the features over the segments; what is left out stands in the manifest.
fn read(
    table: &Table,
    segments: Segments<'_>,
    options: Options<'_>,
    fives: bool,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<(Manifest, Vec<Read>)> {
    if segments.labels.len() != table.n_rows() {
        let wanted = format!("one for each of the {} rows is needed", table.n_rows());
        return Err(Error::argument("segments", segments.labels.len(), wanted));
    }
    let mut labels = segments.labels.to_vec();
    let nobody = labels.iter().filter(|&&label| label == MISSING).count();
    manifest.leave_out("no segment", nobody);
    let weights = options.weights.map(|name| read_weights(table, name, &mut labels)).transpose()?;
    let weights = weights.map(|(weights, left_out, note)| {
        manifest.leave_out("weight 0", left_out);
        manifest.notes.extend(note);
        weights
    });
    if labels.iter().all(|&label| label == MISSING) {
        return Err(manifest.nothing_left("df", table.n_rows()));
    }
    let names: Vec<String> = match options.features {
        Some(features) => features.to_vec(),
        None => table
            .names()
            .into_iter()
            .filter(|&name| options.weights != Some(name))
            .filter(|&name| options.exclude.iter().all(|other| other != name))
            .map(str::to_string)
            .collect(),
    };
    if names.is_empty() {
        return Err(Error::argument("features", "no column", "at least one is needed"));
    }
    let reading = Reading {
        labels: &labels,
        n_segments: segments.names.len(),
        weights: weights.as_deref(),
        choice: if options.features.is_some() { Choice::Named } else { Choice::Any },
        fives,
    };
    let mut used = Vec::new();
    for (name, found) in names.iter().zip(columns::read(table, &names, reading, monitor)?) {
        match found {
            Ok(column) => used.push(column),
            Err(reason) => {
                manifest.notes.push(format!("column {name:?} was not used: it {reason}"));
            }
        }
    }
    if used.is_empty() {
        return Err(Error::argument(
            "features",
            format!("{} columns, none of which can be used", names.len()),
            manifest.notes.last().cloned().unwrap_or_default(),
        ));
    }
    let mut size = vec![0_usize; segments.names.len()];
    labels.iter().filter(|&&label| label != MISSING).for_each(|&label| size[label as usize] += 1);
    for (name, _) in segments.names.iter().zip(&size).filter(|&(_, &n)| n == 0) {
        manifest.notes.push(format!("segment {name:?} has no customer"));
    }
    Ok((manifest, used))
}

/// The weights, the number of rows that weigh nothing (whose labels are taken away), and what to note.
type Weights = (Vec<f64>, usize, Option<String>);

fn read_weights(table: &Table, name: &str, labels: &mut [u32]) -> Result<Weights> {
    let mut weights = table.weights(name)?;
    let mut left_out = 0;
    for (label, &weight) in labels.iter_mut().zip(&weights) {
        if weight == 0.0 && *label != MISSING {
            *label = MISSING;
            left_out += 1;
        }
    }
    if weights.iter().all(|&weight| weight.fract() == 0.0) {
        return Ok((weights, left_out, None));
    }
    let counted = || labels.iter().zip(&weights).filter(|&(&label, _)| label != MISSING);
    let sum: f64 = counted().map(|(_, weight)| weight).sum();
    let squares: f64 = counted().map(|(_, weight)| weight * weight).sum();
    if squares > 0.0 {
        weights.iter_mut().for_each(|weight| *weight *= sum / squares);
    }
    let note = format!(
        "weights are not whole numbers: as survey weights they count for {:.0} customers in all (Kish)",
        sum * sum / squares
    );
    Ok((weights, left_out, Some(note)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_tests_follow_the_formula_for_amounts_and_shares() {
        let table = Table::builder()
            .float("x", [1.0, 2.0, 3.0, 6.0, f64::NAN])
            .text("c", ["a", "a", "b", "b", "b"])
            .finish()
            .unwrap();
        let names = ["x".to_string(), "c".to_string()];
        let traits = Profile::of(&table, &names, &[0, 0, 1, 1, 1], 2).unwrap().traits();
        let first = &traits[0];
        assert_eq!((first.n, first.value, first.overall), (2, 1.5, 3.0));
        // Population variance 3.5; 1.5 below the mean of 3.
        let expected = -1.5 / (3.5_f64 / 2.0 * 2.0 / 3.0).sqrt();
        approx::assert_abs_diff_eq!(first.v_test, expected, epsilon = 1e-12);
        assert_eq!(first.auc, 0.0);
        let share = traits.iter().find(|t| t.level == "a" && t.segment == 0).unwrap();
        assert_eq!((share.value, share.overall), (1.0, 0.4));
        // Both of two drawn from five, two of them marked: one way in ten, and its mid-p is that.
        approx::assert_abs_diff_eq!(share.p, 0.1, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(share.v_test, 1.644_853_626_951_472_7, epsilon = 1e-9);
    }

    #[test]
    fn rows_without_a_label_do_not_count() {
        let table = Table::builder().float("x", [1.0, 3.0, 1e9]).finish().unwrap();
        let profile = Profile::of(&table, &["x".to_string()], &[0, 1, MISSING], 2).unwrap();
        assert_eq!(profile.traits()[0].overall, 2.0);
    }

    #[test]
    fn regrouped_sums_are_those_of_the_merged_segments() {
        let table = Table::builder()
            .float("x", [1.0, 2.0, 3.0, 6.0])
            .text("c", ["a", "a", "b", "b"])
            .finish()
            .unwrap();
        let names = ["x".to_string(), "c".to_string()];
        let fine = Profile::of(&table, &names, &[0, 1, 2, 2], 3).unwrap();
        let coarse = Profile::of(&table, &names, &[0, 0, 1, 1], 2).unwrap();
        assert_eq!(fine.regroup(&[0, 0, 1], 2), coarse);
    }
}
