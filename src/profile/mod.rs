//! What makes segments different: each trait's mean or share in a segment beside that of all customers.
//!
//! Start with [`Profile::of`]. A category is a set of traits, one per level, each 0 or 1, so means and shares share their
//! formulas.

pub mod rules;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::Result;
use crate::parallel;
use crate::persist;
use crate::statistics::benjamini_hochberg;
use crate::table::{Kind, MISSING, Table};

/// A difference of at least this share of the trait's range makes it a marker of the segment.
pub const MARKER_RANGE: f64 = 0.25;
/// So does a difference of at least this share of the overall mean.
pub const MARKER_RATIO: f64 = 0.5;
/// So does a difference of at least so many standard deviations, a medium effect (Cohen 1988): amounts with long tails
/// seldom reach a quarter of their range.
pub const MARKER_DEVIATIONS: f64 = 0.5;
/// And the difference must be significant at this adjusted level.
pub const MARKER_LEVEL: f64 = 0.05;

/// One trait in one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    /// Name of the column.
    pub feature: String,
    /// The category; empty for an amount.
    pub level: String,
    /// Number of the segment.
    pub segment: usize,
    /// Customers of the segment that have a value.
    pub n: usize,
    /// Mean of an amount, share of a category, in the segment.
    pub value: Option<f64>,
    /// The same over all customers.
    pub overall: f64,
    /// Standardised difference of the segment from all.
    pub v_test: Option<f64>,
    /// Two-sided p of the v-test.
    pub p: Option<f64>,
    /// The p adjusted for all traits and segments.
    pub q: Option<f64>,
    /// Whether the trait marks the segment.
    pub marker: bool,
}

/// Sums of one trait over the customers of each segment: what one pass leaves, and what merging adds up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sums {
    feature: String,
    level: String,
    origin: f64,
    count: Vec<usize>,
    sum: Vec<f64>,
    squares: f64,
    range: Option<(f64, f64)>,
}

impl Sums {
    fn new(n_segments: usize) -> Self {
        Self {
            feature: String::new(),
            level: String::new(),
            origin: 0.0,
            count: vec![0; n_segments],
            sum: vec![0.0; n_segments],
            squares: 0.0,
            range: None,
        }
    }

    fn update(&mut self, label: u32, value: f64) {
        self.count[label as usize] += 1;
        self.sum[label as usize] += value;
        self.squares += value * value;
        let (low, high) = self.range.unwrap_or((value, value));
        self.range = Some((low.min(value), high.max(value)));
    }

    fn merge(mut self, other: &Self) -> Self {
        for (count, other) in self.count.iter_mut().zip(&other.count) {
            *count += other;
        }
        for (sum, other) in self.sum.iter_mut().zip(&other.sum) {
            *sum += other;
        }
        self.squares += other.squares;
        self.range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        self
    }

    /// The same sums after segment `s` became part of segment `groups[s]`.
    fn regroup(&self, groups: &[u32], n_segments: usize) -> Self {
        let mut grouped =
            Self { count: vec![0; n_segments], sum: vec![0.0; n_segments], ..self.clone() };
        for (segment, &group) in groups.iter().enumerate() {
            grouped.count[group as usize] += self.count[segment];
            grouped.sum[group as usize] += self.sum[segment];
        }
        grouped
    }
}

/// What one pass over the customers leaves: enough to profile the segments, and to merge them, without the customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    n_segments: usize,
    traits: Vec<Sums>,
}

impl Profile {
    /// Sums the named columns over segments `0..n_segments`; rows with label [`MISSING`] do not count.
    ///
    /// One pass per column, in fixed blocks.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn of(table: &Table, names: &[String], labels: &[u32], n_segments: usize) -> Result<Self> {
        let mut traits = Vec::new();
        for name in names {
            let named = |sums: Sums, level: &str, origin: f64| Sums {
                feature: name.clone(),
                level: level.to_string(),
                origin,
                ..sums
            };
            match table.kind(name)? {
                kind @ (Kind::Number | Kind::Date) => {
                    let values =
                        if kind == Kind::Date { table.days(name)? } else { table.numeric(name)? };
                    // Sums of deviations from some value of the column lose no digits where all values are large.
                    let origin =
                        values.iter().copied().find(|value| !value.is_nan()).unwrap_or(0.0);
                    let sums = sums_of(labels, n_segments, |row| values[row] - origin);
                    traits.push(named(sums, "", origin));
                }
                _ => {
                    let codes = table.codes(name)?;
                    for (level, category) in codes.categories.iter().enumerate() {
                        let value = |row: usize| match codes.codes[row] {
                            MISSING => f64::NAN,
                            code => f64::from(u8::from(code as usize == level)),
                        };
                        traits.push(named(sums_of(labels, n_segments, value), category, 0.0));
                    }
                }
            }
        }
        Ok(Self { n_segments, traits })
    }

    /// The same after segment `s` became part of segment `groups[s]`.
    #[must_use]
    pub fn regroup(&self, groups: &[u32], n_segments: usize) -> Self {
        let traits = self.traits.iter().map(|sums| sums.regroup(groups, n_segments)).collect();
        Self { n_segments, traits }
    }

    /// Every trait in every segment.
    ///
    /// The v-test of a trait in a segment of n of N customers is
    /// (mean in the segment - mean) / sqrt(variance / n * (N - n) / (N - 1)), the standardised difference from a random
    /// sample of that size without replacement (Lebart, Morineau and Piron 1995, Statistique exploratoire
    /// multidimensionnelle). P-values are adjusted together (Benjamini and Hochberg 1995). A trait is a marker where the
    /// difference is significant and at least a quarter of the trait's range or half of the overall mean (Dolnicar, Grün
    /// and Leisch 2018, Market Segmentation Analysis), or half a standard deviation.
    pub fn traits(&self) -> Vec<Trait> {
        let mut traits = Vec::with_capacity(self.traits.len() * self.n_segments);
        for sums in &self.traits {
            push(&mut traits, sums);
        }
        adjust(&mut traits);
        traits
    }

    /// Checks what a saved profile must satisfy.
    ///
    /// # Errors
    ///
    /// [`crate::Error::ModelFile`].
    pub fn validate(&self, n_segments: usize) -> Result<()> {
        let fits = |sums: &Sums| sums.count.len() == n_segments && sums.sum.len() == n_segments;
        if self.n_segments != n_segments || !self.traits.iter().all(fits) {
            return Err(persist::broken("the profile has another number of segments"));
        }
        Ok(())
    }
}

fn sums_of(labels: &[u32], n_segments: usize, value: impl Fn(usize) -> f64 + Sync + Send) -> Sums {
    parallel::map_blocks(labels.len(), |rows| {
        let mut sums = Sums::new(n_segments);
        for row in rows {
            let (label, value) = (labels[row], value(row));
            if label == MISSING || value.is_nan() {
                continue;
            }
            sums.update(label, value);
        }
        sums
    })
    .iter()
    .fold(Sums::new(n_segments), Sums::merge)
}

fn push(traits: &mut Vec<Trait>, sums: &Sums) {
    let total: usize = sums.count.iter().sum();
    if total == 0 {
        return;
    }
    let n_all = total as f64;
    let mean = sums.sum.iter().sum::<f64>() / n_all;
    let variance = (sums.squares / n_all - mean * mean).max(0.0);
    let range = sums.range.map_or(0.0, |(low, high)| high - low);
    for segment in 0..sums.count.len() {
        let n = sums.count[segment];
        let in_segment = (n > 0).then(|| sums.sum[segment] / n as f64);
        let difference = in_segment.map_or(0.0, |value| value - mean);
        let sampling = variance / n as f64 * (n_all - n as f64) / (n_all - 1.0);
        let v_test = (n > 0 && n < total && variance > 0.0).then(|| difference / sampling.sqrt());
        let p = v_test.map(|v| 2.0 * Normal::standard().cdf(-v.abs()));
        let overall = mean + sums.origin;
        let large = difference.abs() >= MARKER_RANGE * range
            || difference.abs() >= MARKER_RATIO * overall.abs()
            || difference.abs() >= MARKER_DEVIATIONS * variance.sqrt();
        traits.push(Trait {
            feature: sums.feature.clone(),
            level: sums.level.clone(),
            segment,
            n,
            value: in_segment.map(|value| value + sums.origin),
            overall,
            v_test,
            p,
            q: None,
            marker: large && v_test.is_some(),
        });
    }
}

/// Fills in the adjusted p-values and takes the marker flag from traits that are not significant.
fn adjust(traits: &mut [Trait]) {
    let tested: Vec<f64> = traits.iter().filter_map(|found| found.p).collect();
    let mut adjusted = benjamini_hochberg(&tested).into_iter();
    for found in traits.iter_mut().filter(|found| found.p.is_some()) {
        found.q = adjusted.next();
        found.marker &= found.q.is_some_and(|q| q < MARKER_LEVEL);
    }
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
        assert_eq!((first.n, first.value, first.overall), (2, Some(1.5), 3.0));
        // Population variance 3.5; 1.5 below the mean of 3.
        let expected = -1.5 / (3.5_f64 / 2.0 * 2.0 / 3.0).sqrt();
        approx::assert_abs_diff_eq!(first.v_test.unwrap(), expected, epsilon = 1e-12);
        let share = traits.iter().find(|t| t.level == "a" && t.segment == 0).unwrap();
        assert_eq!((share.value, share.overall), (Some(1.0), 0.4));
        let expected = 0.6 / (0.24_f64 / 2.0 * 3.0 / 4.0).sqrt();
        approx::assert_abs_diff_eq!(share.v_test.unwrap(), expected, epsilon = 1e-12);
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
