//! Several segmentations of the same customers side by side: which one to work with.
//!
//! A segmentation is of use where it comes back on other customers (stability, measured elsewhere and handed in), where its
//! segments differ in what they are worth (omega squared of the value), and where a new customer can be placed from what is
//! known of everybody (cross-validated accuracy of a typing tool over naming the largest segment). [`compare`] measures the
//! last two and how far each pair of segmentations agrees, and ranks by the weighted mean of the places on each criterion.

mod told;

use serde::{Deserialize, Serialize};

use super::customers::Customers;
use super::told_share;
use super::typing::{self, assess};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Figures, Persist};
use crate::quality::agreement::Agreement;
use crate::rng::{Rng, Stage};
use crate::table::{MISSING, Table};

/// A segmentation to be compared.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// The segment of each customer, or [`MISSING`].
    pub labels: Vec<u32>,
    /// Number of its segments.
    pub k: usize,
    /// How well it repeats; NaN where that was not measured.
    pub stability: f64,
    /// The frame of reference that it belongs to; empty where none was given.
    pub scenario: String,
}

/// How segmentations are compared.
#[derive(Debug, Clone)]
pub struct Options {
    /// Column of what a customer is worth.
    pub value: Option<String>,
    /// Columns that are known of everybody, to place new customers; none to leave that out.
    pub descriptors: Vec<String>,
    /// Questions at most when customers are placed.
    pub max_questions: usize,
    /// Weights of stability, separation and reach.
    pub weights: [f64; 3],
    /// Samples of customers for the interval of the separation.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of samples and folds.
    pub seed: u64,
}

/// One segmentation, judged. Figures that were not measured are NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The frame of reference that it belongs to; empty where none was given.
    pub scenario: String,
    /// Customers of each segment.
    pub sizes: Vec<usize>,
    /// Stability; omega squared with its interval, eta squared; accuracy of placing with its interval, and the share of the
    /// largest segment.
    pub figures: Figures,
    /// Questions that were asked to place customers.
    pub questions: Vec<String>,
    /// The mean of its places on the criteria that count, by their weights.
    pub score: f64,
    /// Its place, from 1.
    pub place: usize,
}

/// Agreement of two segmentations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// The two, by their number.
    pub pair: [usize; 2],
    /// Customers who have a segment in both.
    pub n: usize,
    /// Adjusted Rand index, adjusted mutual information, normalised mutual information.
    pub figures: Figures,
}

/// Segmentations side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidates {
    /// What it was made from.
    pub manifest: Manifest,
    /// The segmentations in the order given.
    #[serde(rename = "table")]
    pub candidates: Vec<Candidate>,
    /// How far each pair agrees.
    pub overlaps: Vec<Overlap>,
    /// The weights of stability, separation and reach; 0 for a criterion that does not count.
    pub weights: [f64; 3],
    /// Column of what a customer is worth; empty where none was given.
    pub value: String,
    /// Confidence of the intervals.
    pub confidence: f64,
}

impl Persist for Candidates {
    const KIND: &'static str = "segmentation_comparison";

    fn validate(&self) -> Result<()> {
        let n = self.candidates.len();
        let bad = |c: &Candidate| c.figures.len() != 9 || c.place == 0 || c.place > n;
        let astray = |o: &Overlap| o.figures.len() != 3 || o.pair.iter().any(|&at| at >= n);
        if n == 0 || self.candidates.iter().any(bad) || self.overlaps.iter().any(astray) {
            return Err(persist::broken("the segmentations do not agree in number"));
        }
        Ok(())
    }
}

/// Names of the criteria.
pub const CRITERIA: [&str; 3] = ["stability", "separation", "reach"];

impl Candidate {
    /// The figures that count: stability, omega squared, and the accuracy over naming the largest segment.
    pub fn criteria(&self) -> [f64; 3] {
        [self.figures[0], self.figures[1], self.reach()]
    }

    /// Share of the customers outside the largest segment's share who are placed rightly:
    /// `(accuracy - largest) / (1 - largest)`.
    pub fn reach(&self) -> f64 {
        (self.figures[5] - self.figures[8]) / (1.0 - self.figures[8])
    }
}

/// Compares segmentations of the customers of `table`.
///
/// # Errors
///
/// [`Error::Argument`] for fewer than two segmentations, other numbers of labels than rows, one segment only, weights below 0
/// or all 0 and other options out of range; those of reading columns; [`Error::Interrupted`].
pub fn compare(
    table: &Table,
    given: &[Given],
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Candidates> {
    if given.len() < 2 {
        return Err(Error::argument(
            "segmentations",
            format!("{} segmentation", given.len()),
            "at least two are needed to compare them",
        ));
    }
    for (criterion, weight) in CRITERIA.iter().zip(options.weights) {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::argument(
                format!("weight of {criterion:?}"),
                weight,
                "a number from 0 up is needed",
            ));
        }
    }
    super::distinguish::share("confidence", options.confidence, false)?;
    let value = options.value.as_ref().map(|name| table.numeric(name)).transpose()?;
    let mut candidates = Vec::new();
    for candidate in given {
        let mut sizes = vec![0; candidate.k];
        candidate.labels.iter().filter(|&&l| l != MISSING).for_each(|&l| sizes[l as usize] += 1);
        if sizes.iter().filter(|&&n| n > 0).count() < 2 {
            return Err(Error::argument(
                format!("segmentations[{:?}]", candidate.name),
                "one segment with customers",
                "at least two are needed to tell them apart",
            ));
        }
        let mut figures = vec![f64::NAN; 9];
        figures[0] = candidate.stability;
        if let Some(value) = &value {
            figures[1..5].copy_from_slice(&separation(value, candidate, options, monitor)?);
        }
        let mut questions = Vec::new();
        if !options.descriptors.is_empty() {
            let (reach, asked) = reach(table, candidate, options, &mut manifest, monitor)?;
            figures[5..].copy_from_slice(&reach);
            questions = asked;
        }
        candidates.push(Candidate {
            name: candidate.name.clone(),
            scenario: candidate.scenario.clone(),
            sizes,
            figures: Figures(figures),
            questions,
            score: f64::NAN,
            place: 1,
        });
    }
    let mut overlaps = Vec::new();
    for one in 0..given.len() {
        for other in one + 1..given.len() {
            monitor.check()?;
            overlaps.push(overlap(one, other, given)?);
        }
    }
    let mut weights = options.weights;
    for (at, weight) in weights.iter_mut().enumerate() {
        let missing = candidates.iter().filter(|c| c.criteria()[at].is_nan()).count();
        if missing > 0 && *weight > 0.0 {
            *weight = 0.0;
            manifest.notes.push(format!(
                "{} was not measured for {} of {} segmentations and does not enter the ranking",
                CRITERIA[at],
                missing,
                candidates.len()
            ));
        }
    }
    rank(&mut candidates, weights);
    Ok(Candidates {
        manifest,
        candidates,
        overlaps,
        weights,
        value: options.value.clone().unwrap_or_default(),
        confidence: options.confidence,
    })
}

/// Sums of a value by segment: what eta squared and omega squared need.
fn effect(sums: &[(f64, f64)], squares: f64) -> (f64, f64) {
    let n: f64 = sums.iter().map(|&(n, _)| n).sum();
    let total: f64 = sums.iter().map(|&(_, sum)| sum).sum();
    let filled = sums.iter().filter(|&&(n, _)| n > 0.0);
    let k = filled.clone().count() as f64;
    let between = filled.map(|&(n, sum)| sum * sum / n).sum::<f64>() - total * total / n;
    let all = squares - total * total / n;
    if !(all > 0.0 && n > k) {
        return (f64::NAN, f64::NAN);
    }
    let within = (all - between).max(0.0) / (n - k);
    // Hays (1963): unlike eta squared it is about 0 where segments do not differ, however many there are.
    ((between - (k - 1.0) * within) / (all + within), between / all)
}

/// Omega squared of a value with its bootstrap interval (percentiles), and eta squared.
fn separation(
    value: &[f64],
    candidate: &Given,
    options: &Options,
    monitor: &Monitor,
) -> Result<[f64; 4]> {
    let rows: Vec<usize> = (0..value.len())
        .filter(|&row| candidate.labels[row] != MISSING && !value[row].is_nan())
        .collect();
    let n = rows.len();
    let mean = rows.iter().map(|&row| value[row] / n as f64).sum::<f64>();
    let largest = rows.iter().map(|&row| (value[row] - mean).abs()).fold(0.0, f64::max);
    if n < 3 || largest.is_nan() || largest <= 0.0 {
        return Ok([f64::NAN; 4]);
    }
    // Deviations in units of the largest, so that no square is too large or too small.
    let members: Vec<(usize, f64)> = rows
        .iter()
        .map(|&row| (candidate.labels[row] as usize, (value[row] - mean) / largest))
        .collect();
    let sums = |rows: &mut dyn Iterator<Item = usize>| {
        let (mut sums, mut squares) = (vec![(0.0, 0.0); candidate.k], 0.0);
        for row in rows {
            let (segment, x) = members[row];
            sums[segment].0 += 1.0;
            sums[segment].1 += x;
            squares += x * x;
        }
        effect(&sums, squares)
    };
    let (omega, eta) = sums(&mut (0..n));
    let drawn = parallel::map_tasks(options.n_boot, |task| -> Result<f64> {
        monitor.check()?;
        let mut rng = Rng::stream(options.seed, Stage::Bootstrap, task as u64);
        Ok(sums(&mut (0..n).map(|_| rng.below(n))).0)
    });
    let mut drawn = drawn.into_iter().collect::<Result<Vec<f64>>>()?;
    drawn.retain(|x| !x.is_nan());
    drawn.sort_by(f64::total_cmp);
    let end = |p: f64| match drawn.len() {
        0 => f64::NAN,
        m => drawn[((p * (m - 1) as f64).round() as usize).min(m - 1)],
    };
    let tail = (1.0 - options.confidence) / 2.0;
    Ok([omega, end(tail), end(1.0 - tail), eta])
}

/// Accuracy of placing customers from descriptors with its interval, and the share of the largest segment.
fn reach(
    table: &Table,
    candidate: &Given,
    options: &Options,
    manifest: &mut Manifest,
    monitor: &Monitor,
) -> Result<([f64; 4], Vec<String>)> {
    // What is left out differs between segmentations, and is told by their sizes.
    let mut own = manifest.clone();
    let source = ("descriptors", Some(options.descriptors.as_slice()), &[][..]);
    let customers = Customers::read(table, &candidate.labels, candidate.k, source, &mut own)?;
    for note in own.notes {
        if !manifest.notes.contains(&note) {
            manifest.notes.push(note);
        }
    }
    let wanted = typing::Options {
        questions: None,
        exclude: Vec::new(),
        max_questions: options.max_questions,
        tolerance: Some(0.01),
        answers: 5,
        folds: 5,
        confidence: options.confidence,
        seed: options.seed,
    };
    let assessed = assess(&customers, &wanted, monitor)?;
    let (accuracy, lo, hi, largest) =
        told_share(assessed.table(), &customers.sizes, options.confidence);
    let asked =
        assessed.asked().iter().map(|&at| customers.reader.features()[at].name().to_string());
    Ok(([accuracy, lo, hi, largest], asked.collect()))
}

fn overlap(one: usize, other: usize, given: &[Given]) -> Result<Overlap> {
    let (a, b) = (&given[one].labels, &given[other].labels);
    let rows: Vec<usize> =
        (0..a.len()).filter(|&row| a[row] != MISSING && b[row] != MISSING).collect();
    let first: Vec<u32> = rows.iter().map(|&row| a[row]).collect();
    let second: Vec<u32> = rows.iter().map(|&row| b[row]).collect();
    let figures = if rows.is_empty() {
        vec![f64::NAN; 3]
    } else {
        let found = Agreement::of(&first, &second)?;
        vec![found.adjusted_rand(), adjusted_information(&found), found.normalised_information()]
    };
    Ok(Overlap { pair: [one, other], n: rows.len(), figures: Figures(figures) })
}

/// Mutual information of two labellings beyond what chance would give, as a share of the most it could be (Vinh, Epps and
/// Bailey 2010, JMLR 11:2837-2854, with the mean of the entropies): 1 for the same groups, about 0 for unrelated ones.
pub fn adjusted_information(found: &Agreement) -> f64 {
    let (first, second) = found.sizes();
    let n: f64 = first.iter().sum();
    let entropy = |sizes: &[f64]| -> f64 {
        sizes.iter().filter(|&&a| a > 0.0).map(|&a| -a / n * (a / n).ln()).sum()
    };
    let mut information = 0.0;
    for (i, &a) in first.iter().enumerate() {
        for (j, &b) in second.iter().enumerate() {
            let both = found.counts()[i * second.len() + j];
            if both > 0.0 {
                information += both / n * (n * both / (a * b)).ln();
            }
        }
    }
    let mut factorials = vec![0.0; n as usize + 2];
    for at in 1..factorials.len() {
        factorials[at] = factorials[at - 1] + (at as f64).ln();
    }
    let ln = |x: f64| factorials[x as usize];
    let mut expected = 0.0;
    for &a in first.iter().filter(|&&a| a > 0.0) {
        for &b in second.iter().filter(|&&b| b > 0.0) {
            let mut both = (a + b - n).max(1.0);
            while both <= a.min(b) {
                let chance = ln(a) + ln(b) + ln(n - a) + ln(n - b)
                    - ln(n)
                    - ln(both)
                    - ln(a - both)
                    - ln(b - both)
                    - ln(n + both - a - b);
                expected += both / n * (n * both / (a * b)).ln() * chance.exp();
                both += 1.0;
            }
        }
    }
    let most = (entropy(first) + entropy(second)) / 2.0;
    let above = most - expected;
    // Two labellings of one group each are the same.
    if above.abs() < 1e-15 { 1.0 } else { (information - expected) / above }
}

/// Places by the weighted mean of the places on each criterion; equal figures share the mean of their places.
fn rank(candidates: &mut [Candidate], weights: [f64; 3]) {
    let all: f64 = weights.iter().sum();
    if all <= 0.0 {
        return;
    }
    let place = |figures: &[f64], own: f64| {
        let above = figures.iter().filter(|&&other| other > own).count() as f64;
        let equal = figures.iter().filter(|&&other| other == own).count() as f64;
        above + (equal + 1.0) / 2.0
    };
    let mut scores = vec![0.0; candidates.len()];
    for (at, weight) in weights.iter().enumerate().filter(|&(_, &weight)| weight > 0.0) {
        let figures: Vec<f64> = candidates.iter().map(|c| c.criteria()[at]).collect();
        for (score, &own) in scores.iter_mut().zip(&figures) {
            *score += weight / all * place(&figures, own);
        }
    }
    let places: Vec<usize> =
        scores.iter().map(|own| 1 + scores.iter().filter(|&other| other < own).count()).collect();
    for ((candidate, score), place) in candidates.iter_mut().zip(scores).zip(places) {
        (candidate.score, candidate.place) = (score, place);
    }
}
