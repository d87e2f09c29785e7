//! Tests of descriptors over the segments, each by its name, and the pairs of segments that differ.
//!
//! Everything follows from the sums of one pass ([`super::Profile`]), with the ranks and five numbers of each segment. Only
//! tables too thin for chi squared are tested by random tables with the same totals, which are drawn cell by cell, so that
//! their cost does not depend on the number of customers.

use serde::{Deserialize, Serialize};

use super::columns::{Column, Values};
use super::comparing::{independence, kruskal, moments, pair_of_amounts, pair_of_shares, welch};
use super::effects::{Tested, anova, cramer_word, eta_word, table_of};
use super::law::t_of;
use super::{Options, Segments, read};
use crate::confidence::z_of;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::statistics::{benjamini_hochberg, holm, wilson};
use crate::table::Table;

/// Which test of numbers decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// Analysis of variance without equal variances (Welch 1951).
    Welch,
    /// Analysis of variance.
    Anova,
    /// Ranks (Kruskal and Wallis 1952).
    Kruskal,
}

/// How p-values are adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjust {
    /// Benjamini and Hochberg 1995.
    Bh,
    /// Holm 1979.
    Holm,
}

/// What the tests need beside the columns.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The test of numbers that decides.
    pub numbers: Numbers,
    /// How p-values are adjusted.
    pub adjust: Adjust,
    /// Random tables where chi squared does not hold.
    pub n_resamples: usize,
    /// Their seed.
    pub seed: u64,
}

/// A test of a descriptor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    descriptor: usize,
    test: String,
    /// Statistic, degrees of freedom, p, adjusted p, size.
    #[serde(with = "persist::floats")]
    figures: Vec<f64>,
    measure: String,
    word: String,
    decides: bool,
}

/// Two segments by one descriptor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    descriptor: usize,
    test: String,
    segments: (usize, usize),
    /// Statistic, p, adjusted p, size.
    #[serde(with = "persist::floats")]
    figures: Vec<f64>,
    measure: String,
    word: String,
}

/// Tests of descriptors over segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// How p-values are adjusted.
    adjust: Adjust,
    columns: Vec<Column>,
    fives: Vec<Vec<persist::Figures>>,
    table: Vec<Row>,
    pairs: Vec<Pair>,
}

impl Persist for Description {
    const KIND: &'static str = "segment_description";

    fn validate(&self) -> Result<()> {
        let (k, d) = (self.names.len(), self.columns.len());
        let fits = |at: &Vec<persist::Figures>| {
            at.is_empty() || (at.len() == k && at.iter().all(|five| five.len() == 5))
        };
        let whole = self.confidence > 0.0
            && self.confidence < 1.0
            && self.columns.iter().all(|column| column.fits(k))
            && self.fives.len() == d
            && self.fives.iter().all(fits)
            && self.table.iter().all(|row| row.descriptor < d && row.figures.len() == 6)
            && self.pairs.iter().all(|pair| {
                pair.descriptor < d
                    && pair.segments.0.max(pair.segments.1) < k
                    && pair.figures.len() == 4
            });
        if whole { Ok(()) } else { Err(persist::broken("tests and descriptors do not agree")) }
    }
}

/// Tests descriptors over segments.
///
/// # Errors
///
/// Those of [`super::profile`]; [`Error::Argument`] also where there are not two segments with customers.
pub fn describe(
    table: &Table,
    segments: Segments<'_>,
    options: Options<'_>,
    settings: Settings,
    manifest: Manifest,
    monitor: &Monitor,
) -> Result<Description> {
    let (mut manifest, found) = read(table, segments, options, true, manifest, monitor)?;
    let mut used = vec![false; segments.names.len()];
    for (column, _) in &found {
        used.iter_mut().zip(&column.rows).for_each(|(used, &n)| *used |= n > 0);
    }
    if used.iter().filter(|&&used| used).count() < 2 {
        return Err(Error::argument("segments", "one", "two or more with customers are compared"));
    }
    let (columns, fives): (Vec<Column>, Vec<_>) = found
        .into_iter()
        .map(|(column, fives)| {
            (column, fives.into_iter().map(|five| persist::Figures(five.to_vec())).collect())
        })
        .unzip();
    let mut rows = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        test_column(&mut rows, at, column, &settings, &mut manifest, monitor)?;
    }
    adjust(&mut rows, settings.adjust);
    let mut pairs = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let decides = rows.iter().find(|row| row.descriptor == at && row.decides);
        if let Some(row) = decides.filter(|row| row.figures[4] < 0.05) {
            compare_pairs(&mut pairs, at, column, &row.test, &settings, monitor)?;
        }
    }
    Ok(Description {
        manifest,
        names: segments.names.to_vec(),
        confidence: options.confidence,
        adjust: settings.adjust,
        columns,
        fives,
        table: rows,
        pairs,
    })
}

fn adjusted(p: &[f64], by: Adjust) -> Vec<f64> {
    match by {
        Adjust::Bh => benjamini_hochberg(p),
        Adjust::Holm => holm(p),
    }
}

/// Adjusts each test together with those that decide on the other descriptors.
fn adjust(rows: &mut [Row], by: Adjust) {
    let tests: std::collections::BTreeSet<String> =
        rows.iter().map(|row| row.test.clone()).collect();
    let mut found = vec![f64::NAN; rows.len()];
    for test in tests {
        let own: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].test == test).collect();
        let mut family = own.clone();
        let has = |at: usize| own.iter().any(|&own| rows[own].descriptor == rows[at].descriptor);
        family.extend((0..rows.len()).filter(|&at| rows[at].decides && !has(at)));
        let p: Vec<f64> = family.iter().map(|&at| rows[at].figures[3]).collect();
        for (&at, q) in own.iter().zip(adjusted(&p, by)) {
            found[at] = q;
        }
    }
    rows.iter_mut().zip(found).for_each(|(row, q)| row.figures[4] = q);
}

fn row(at: usize, test: &str, measure: &str, found: Tested, word: &str, decides: bool) -> Row {
    Row {
        descriptor: at,
        test: test.to_string(),
        figures: vec![found.statistic, found.df.0, found.df.1, found.p, f64::NAN, found.size],
        measure: measure.to_string(),
        word: word.to_string(),
        decides,
    }
}

fn test_column(
    rows: &mut Vec<Row>,
    at: usize,
    column: &Column,
    settings: &Settings,
    manifest: &mut Manifest,
    monitor: &Monitor,
) -> Result<()> {
    match &column.values {
        Values::Amount(amount) => {
            let classic = anova(&column.weight, amount);
            let welch = welch(&column.weight, amount, classic.size);
            let ranked = kruskal(&column.weight, amount);
            // Welch's test needs some variance in each segment.
            let decides = match settings.numbers {
                Numbers::Welch if welch.p.is_nan() && !classic.p.is_nan() => Numbers::Anova,
                numbers => numbers,
            };
            if decides != settings.numbers {
                manifest.notes.push(format!(
                    "column {:?}: a segment has fewer than two values or no variance, so the analysis of variance decides \
                     in place of Welch's",
                    column.feature
                ));
            }
            let word = eta_word(classic.size);
            rows.push(row(at, "Welch ANOVA", "eta2", welch, word, decides == Numbers::Welch));
            rows.push(row(at, "ANOVA", "eta2", classic, word, decides == Numbers::Anova));
            let word = eta_word(ranked.size);
            let decides = decides == Numbers::Kruskal;
            rows.push(row(at, "Kruskal-Wallis", "epsilon2", ranked, word, decides));
        }
        Values::Shares(shares) => {
            let table = table_of(&column.weight, shares);
            let (test, found, least) = independence(&table, at as u64, settings, monitor)?;
            rows.push(row(at, test, "Cramer's V", found, cramer_word(found.size, least), true));
        }
    }
    Ok(())
}

fn compare_pairs(
    pairs: &mut Vec<Pair>,
    at: usize,
    column: &Column,
    test: &str,
    settings: &Settings,
    monitor: &Monitor,
) -> Result<()> {
    let used: Vec<usize> =
        (0..column.weight.len()).filter(|&segment| column.weight[segment] > 0.0).collect();
    let mut found = Vec::new();
    for (first, &a) in used.iter().enumerate() {
        for &b in &used[first + 1..] {
            let (name, tested, measure, word) = match &column.values {
                Values::Amount(amount) => pair_of_amounts(column, amount, test, (a, b)),
                Values::Shares(shares) => {
                    // Descriptors have the streams below, each pair one of its own.
                    let stream = 1 << 24 | (pairs.len() + found.len()) as u64;
                    pair_of_shares(column, shares, (a, b), stream, settings, monitor)?
                }
            };
            found.push(Pair {
                descriptor: at,
                test: name.to_string(),
                segments: (a, b),
                figures: vec![tested.statistic, tested.p, f64::NAN, tested.size],
                measure: measure.to_string(),
                word: word.to_string(),
            });
        }
    }
    // All pairs of one descriptor are a small family, whose tests have much to do with each other.
    let q = holm(&found.iter().map(|pair| pair.figures[1]).collect::<Vec<_>>());
    found.iter_mut().zip(q).for_each(|(pair, q)| pair.figures[2] = q);
    pairs.extend(found);
    Ok(())
}

impl Description {
    fn name_of(&self, descriptor: usize) -> &str {
        &self.columns[descriptor].feature
    }

    /// One row per descriptor and test.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let rows = &self.table;
        let figure = |at: usize| rows.iter().map(move |row| row.figures[at]);
        let n = |row: &Row| self.columns[row.descriptor].rows.iter().sum::<usize>() as i64;
        Table::builder()
            .text("descriptor", rows.iter().map(|row| self.name_of(row.descriptor)))
            .text("test", rows.iter().map(|row| row.test.as_str()))
            .int("n", rows.iter().map(n))
            .float("statistic", figure(0))
            .float("df1", figure(1))
            .float("df2", figure(2))
            .float("p", figure(3))
            .float("q", figure(4))
            .text("measure", rows.iter().map(|row| row.measure.as_str()))
            .float("effect", figure(5))
            .text("size", rows.iter().map(|row| row.word.as_str()))
            .flag("decides", rows.iter().map(|row| row.decides))
            .finish()
    }

    /// One row per descriptor that differs and pair of segments.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn pairs(&self) -> Result<Table> {
        let pairs = &self.pairs;
        let figure = |at: usize| pairs.iter().map(move |pair| pair.figures[at]);
        Table::builder()
            .text("descriptor", pairs.iter().map(|pair| self.name_of(pair.descriptor)))
            .text("segment", pairs.iter().map(|pair| self.names[pair.segments.0].as_str()))
            .text("other", pairs.iter().map(|pair| self.names[pair.segments.1].as_str()))
            .text("test", pairs.iter().map(|pair| pair.test.as_str()))
            .float("statistic", figure(0))
            .float("p", figure(1))
            .float("q", figure(2))
            .text("measure", pairs.iter().map(|pair| pair.measure.as_str()))
            .float("effect", figure(3))
            .text("size", pairs.iter().map(|pair| pair.word.as_str()))
            .finish()
    }

    /// One row per number and segment: mean with its interval, standard deviation, and the five numbers.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn amounts(&self) -> Result<Table> {
        let (mut names, mut segments, mut n) = (Vec::new(), Vec::new(), Vec::new());
        let mut figures: [Vec<f64>; 9] = Default::default();
        for (column, fives) in self.columns.iter().zip(&self.fives) {
            let Values::Amount(amount) = &column.values else { continue };
            for (segment, name) in self.names.iter().enumerate() {
                let (weight, mean, variance) = moments(&column.weight, amount, segment);
                let mean = amount.origin + mean;
                let half = match weight > 1.0 {
                    true => t_of(self.confidence, weight - 1.0) * (variance / weight).sqrt(),
                    false => f64::NAN,
                };
                names.push(column.feature.as_str());
                segments.push(name.as_str());
                n.push(column.rows[segment] as i64);
                let five = fives.get(segment).map_or([f64::NAN; 5], |five| {
                    let mut found = [f64::NAN; 5];
                    found.iter_mut().zip(five.iter()).for_each(|(slot, &value)| *slot = value);
                    found
                });
                let row = [mean, mean - half, mean + half, variance.sqrt()];
                for (slot, value) in figures.iter_mut().zip(row.into_iter().chain(five)) {
                    slot.push(value);
                }
            }
        }
        let mut builder =
            Table::builder().text("descriptor", names).text("segment", segments).int("n", n);
        let heads = [
            "mean",
            "mean_lo",
            "mean_hi",
            "deviation",
            "least",
            "quarter",
            "median",
            "three_quarters",
            "most",
        ];
        for (head, values) in heads.into_iter().zip(figures) {
            builder = builder.float(head, values);
        }
        builder.finish()
    }

    /// One row per category and segment: count, expected count, share with its interval, adjusted residual.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn counts(&self) -> Result<Table> {
        let (mut names, mut levels, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        let mut figures: [Vec<f64>; 6] = Default::default();
        let z = z_of(self.confidence);
        for column in &self.columns {
            let Values::Shares(shares) = &column.values else { continue };
            let all = column.total();
            for (level, counts) in shares.lines(&column.weight) {
                let with: f64 = counts.iter().sum();
                for (segment, &k) in counts.iter().enumerate() {
                    let n = column.weight[segment];
                    let expected = with * n / all;
                    let deviation = (expected * (1.0 - with / all) * (1.0 - n / all)).sqrt();
                    let (lo, hi) = wilson(k, n, z);
                    names.push(column.feature.as_str());
                    levels.push(level);
                    segments.push(self.names[segment].as_str());
                    let residual =
                        if deviation > 0.0 { (k - expected) / deviation } else { f64::NAN };
                    for (slot, value) in
                        figures.iter_mut().zip([k, expected, k / n, lo, hi, residual])
                    {
                        slot.push(value);
                    }
                }
            }
        }
        let mut builder = Table::builder()
            .text("descriptor", names)
            .text("level", levels)
            .text("segment", segments);
        for (head, values) in ["count", "expected", "share", "share_lo", "share_hi", "residual"]
            .into_iter()
            .zip(figures)
        {
            builder = builder.float(head, values);
        }
        builder.finish()
    }

    /// The descriptors that differ, in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut decided: Vec<&Row> = self.table.iter().filter(|row| row.decides).collect();
        decided.sort_by(|a, b| b.figures[5].max(-1.0).total_cmp(&a.figures[5].max(-1.0)));
        let (found, rest): (Vec<&Row>, Vec<&Row>) =
            decided.into_iter().partition(|row| row.figures[4] < 0.05);
        let by = match self.adjust {
            Adjust::Bh => "Benjamini and Hochberg",
            Adjust::Holm => "Holm",
        };
        let mut lines = vec![format!(
            "{} of {} descriptors differ between the segments (q < 0.05, {by}).",
            found.len(),
            found.len() + rest.len()
        )];
        for row in found {
            let apart: Vec<String> = self
                .pairs
                .iter()
                .filter(|pair| pair.descriptor == row.descriptor && pair.figures[2] < 0.05)
                .map(|pair| {
                    format!("{} and {}", self.names[pair.segments.0], self.names[pair.segments.1])
                })
                .collect();
            let pairs = match apart.len() {
                0 => "no pair of segments alone".to_string(),
                1..=4 => apart.join(", "),
                n => format!("{n} pairs of segments"),
            };
            lines.push(format!(
                "{}: {} {:.3} ({}; {}, q {}). Apart: {pairs}.",
                self.name_of(row.descriptor),
                row.measure,
                row.figures[5],
                row.word,
                row.test,
                small(row.figures[4]),
            ));
        }
        if !rest.is_empty() {
            let names: Vec<&str> = rest.iter().map(|row| self.name_of(row.descriptor)).collect();
            lines.push(format!("Nothing was found for {}.", names.join(", ")));
        }
        lines
    }
}

fn small(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_string() } else { format!("{p:.3}") }
}
