//! Opportunities: needs that are important and badly served, one score per need within each segment.
//!
//! Importance and satisfaction come as ratings. Both are brought to a scale from 0 to 10, as ten times the share of answers in
//! the two highest boxes or as the mean; a formula makes a score of the two. Several formulas go round under one name, so
//! each has a name of its own here ([`Formula`]). Scores are told within a segment, never pooled over segments: two segments
//! with opposite needs would pool to a market without any.

mod tables;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::confidence::check_level;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist};
use crate::rng::{Rng, Stage};
use crate::table::{Codes, MISSING, Table};

/// How importance `I` and satisfaction `S`, both from 0 to 10, make a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// `I + max(I - S, 0)`, from 0 to 20 (Ulwick 2005, What Customers Want).
    Ulwick,
    /// `I + (I - S)`, from -10 to 20: the same without a floor, so that what is served beyond its importance loses.
    Unbounded,
    /// `I (1 - S / 10)`, from 0 to 10 (Olsen 2015, The Lean Product Playbook).
    Olsen,
}

impl Formula {
    fn score(self, importance: f64, satisfaction: f64) -> f64 {
        match self {
            Self::Ulwick => importance + (importance - satisfaction).max(0.0),
            Self::Unbounded => importance + (importance - satisfaction),
            Self::Olsen => importance * (1.0 - satisfaction / 10.0),
        }
    }

    /// The word for a score; Ulwick's bands, and none for the other formulas.
    fn band(self, score: f64) -> Option<Band> {
        (self == Self::Ulwick).then_some(match score {
            score if score > 15.0 => Band::Extreme,
            score if score >= 12.0 => Band::High,
            score if score >= 10.0 => Band::WorthALook,
            _ => Band::Unattractive,
        })
    }

    /// The formula as a person reads it.
    fn words(self) -> &'static str {
        match self {
            Self::Ulwick => "importance + max(importance - satisfaction, 0), from 0 to 20 (Ulwick)",
            Self::Unbounded => "importance + (importance - satisfaction), from -10 to 20",
            Self::Olsen => "importance x (1 - satisfaction / 10), from 0 to 10 (Olsen)",
        }
    }
}

/// How ratings become a number from 0 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Ten times the share of ratings that are at most one below the highest.
    TopTwoBox,
    /// The mean, with the lowest rating as 0 and the highest as 10.
    Mean,
    /// The numbers are from 0 to 10 already, one row per need.
    Given,
}

/// Words for Ulwick's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Band {
    /// Above 15.
    #[serde(rename = "extreme")]
    Extreme,
    /// From 12 to 15.
    #[serde(rename = "high")]
    High,
    /// From 10 to 12.
    #[serde(rename = "worth a look")]
    WorthALook,
    /// Below 10.
    #[serde(rename = "unattractive")]
    Unattractive,
}

impl Band {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extreme => "extreme",
            Self::High => "high",
            Self::WorthALook => "worth a look",
            Self::Unattractive => "unattractive",
        }
    }
}

/// What to compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The formula.
    pub formula: Formula,
    /// How ratings are read.
    pub measure: Measure,
    /// Lowest and highest rating; those met where none are given.
    pub scale: Option<(f64, f64)>,
    /// Bootstrap samples of the answers of each need; 0 for no intervals.
    pub n_boot: usize,
    /// Share of samples between the ends of an interval.
    pub confidence: f64,
    /// Seed of the samples.
    pub seed: u64,
}

/// Names of the columns.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The need.
    pub need: &'a str,
    /// How important it is.
    pub importance: &'a str,
    /// How satisfied the customer is with what there is.
    pub satisfaction: &'a str,
    /// Segment of the customer.
    pub segment: Option<&'a str>,
    /// Weight of the answer.
    pub weights: Option<&'a str>,
}

/// A number with the ends of its interval, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower and upper end.
    #[serde(deserialize_with = "Option::deserialize")]
    pub interval: Option<[f64; 2]>,
}

/// One need of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scored {
    /// The segment; empty where there is none.
    pub segment: String,
    /// The need.
    pub need: String,
    /// Answers.
    pub n: usize,
    /// From 0 to 10.
    pub importance: Estimate,
    /// From 0 to 10.
    pub satisfaction: Estimate,
    /// By the formula.
    pub score: Estimate,
    /// The word for it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub band: Option<Band>,
    /// Whether satisfaction is above importance.
    pub overserved: bool,
    /// Place within the segment, 1 for the highest score; equal ones share the better place.
    pub rank: usize,
}

/// Needs by score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opportunities {
    /// What the result was made from.
    pub manifest: Manifest,
    /// What was asked for.
    pub options: Options,
    /// Lowest and highest rating.
    pub scale: (f64, f64),
    /// Name of the column of segments.
    #[serde(deserialize_with = "Option::deserialize")]
    pub segment: Option<String>,
    /// Name of the column of needs.
    pub need: String,
    /// One entry per segment and need: segments in their order, needs by falling score.
    pub needs: Vec<Scored>,
}

impl Persist for Opportunities {
    const KIND: &'static str = "opportunities";

    fn validate(&self) -> Result<()> {
        let in_range = |estimate: &Estimate| (0.0..=10.0).contains(&estimate.value);
        if self.needs.is_empty() {
            return Err(persist::broken("there is no need"));
        }
        if !self.needs.iter().all(|need| in_range(&need.importance) && in_range(&need.satisfaction))
        {
            return Err(persist::broken("an importance or satisfaction is not between 0 and 10"));
        }
        Ok(())
    }
}

/// Answers to one need in one segment: importance and satisfaction from 0 to 10 (or 0 and 10 for boxes), and weight.
type Answers = Vec<[f64; 3]>;

/// Scores the needs of each segment.
///
/// One pass over the answers, then `n_boot` samples of the answers of each need, one task with its own stream of random
/// numbers per need: the same bits for any number of threads. Answers that lack the need, the segment or a rating are left out
/// and counted.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a rating outside the scale or a weight that is not a number from 0 up;
/// [`Error::Argument`] for options out of range, for two rows of one need where numbers are given and where no answer is
/// complete; [`Error::Interrupted`].
pub fn opportunity(
    table: &Table,
    names: Names<'_>,
    options: Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Opportunities> {
    check_level(options.confidence)?;
    let needs = table.codes(names.need)?;
    let segments = names.segment.map(|name| table.codes(name)).transpose()?;
    let importance = table.numeric(names.importance)?;
    let satisfaction = table.numeric(names.satisfaction)?;
    let weights =
        names.weights.map(|name| Ok::<_, Error>((name, table.numeric(name)?))).transpose()?;
    let ratings = [(names.importance, &importance[..]), (names.satisfaction, &satisfaction[..])];
    let scale = scale_of(&ratings, &options)?;
    let code = |codes: &Codes, row: usize| codes.codes[row];
    let n_needs = needs.categories.len();
    // By segment and need, of which few pairs may occur.
    let mut answers: BTreeMap<(u32, u32), Answers> = BTreeMap::new();
    let mut left_out = [0_usize; 4];
    for row in 0..table.n_rows() {
        let segment = segments.as_ref().map_or(0, |codes| code(codes, row));
        let (i, s) = (importance[row], satisfaction[row]);
        let missing = [code(&needs, row) == MISSING, segment == MISSING, i.is_nan(), s.is_nan()];
        if let Some(reason) = missing.iter().position(|&missing| missing) {
            left_out[reason] += 1;
            continue;
        }
        for (name, value) in [(names.importance, i), (names.satisfaction, s)] {
            if !(scale.0..=scale.1).contains(&value) {
                let wanted = format!("ratings lie between {} and {}", scale.0, scale.1);
                return Err(Error::value(name, row, value, wanted).with_mend("scale=(1, 5)"));
            }
        }
        let weight = match &weights {
            None => 1.0,
            Some((_, weights)) if weights[row].is_finite() && weights[row] >= 0.0 => weights[row],
            Some((name, weights)) => {
                let found = weights[row];
                return Err(Error::value(*name, row, found, "a weight is a number from 0 up"));
            }
        };
        let read = |value| options.measure.read(value, scale);
        let of_need = answers.entry((segment, code(&needs, row))).or_default();
        of_need.push([read(i), read(s), weight]);
    }
    for (count, name) in left_out.into_iter().zip([
        names.need,
        names.segment.unwrap_or_default(),
        names.importance,
        names.satisfaction,
    ]) {
        manifest.leave_out(format!("{name:?} is missing"), count);
    }
    let known = |answers: &Answers| answers.iter().any(|answer| answer[2] > 0.0);
    let cells: Vec<((u32, u32), Answers)> =
        answers.into_iter().filter(|(_, answers)| known(answers)).collect();
    if cells.is_empty() {
        return Err(match manifest.rows_used {
            0 => manifest.nothing_left("df", manifest.rows),
            _ => Error::argument("weights", "no weight above 0", "some answer must count"),
        });
    }
    if options.measure == Measure::Given
        && let Some(((_, need), twice)) = cells.iter().find(|(_, answers)| answers.len() > 1)
    {
        let need = &needs.categories[*need as usize];
        return Err(Error::argument(
            names.need,
            format!("{} rows of {need:?}", twice.len()),
            "where numbers from 0 to 10 are given, each need has one row",
        )
        .with_mend("measure=\"mean\""));
    }
    monitor.expect(cells.len() as u64);
    let found = parallel::map_tasks(cells.len(), |task| {
        monitor.check()?;
        let ((segment, need), answers) = &cells[task];
        let stream = u64::from(*segment) * n_needs as u64 + u64::from(*need);
        let estimates = estimates(answers, &options, stream);
        monitor.advance(1);
        Ok(estimates)
    });
    let found = found.into_iter().collect::<Result<Vec<_>>>()?;
    let name = |codes: &Codes, code: u32| codes.categories[code as usize].clone();
    let mut scored: Vec<Scored> = cells
        .iter()
        .zip(found)
        .map(|(((segment, need), answers), [importance, satisfaction, score])| Scored {
            segment: segments.as_ref().map_or(String::new(), |codes| name(codes, *segment)),
            need: name(&needs, *need),
            n: answers.len(),
            band: options.formula.band(score.value),
            overserved: satisfaction.value > importance.value,
            importance,
            satisfaction,
            score,
            rank: 0,
        })
        .collect();
    // They stand by segment already.
    for of_segment in scored.chunk_by_mut(|a, b| a.segment == b.segment) {
        of_segment.sort_by(|a, b| b.score.value.total_cmp(&a.score.value));
        for at in 0..of_segment.len() {
            let is_equal = at > 0 && of_segment[at].score.value == of_segment[at - 1].score.value;
            of_segment[at].rank = if is_equal { of_segment[at - 1].rank } else { at + 1 };
        }
    }
    if options.measure == Measure::Given && options.n_boot > 0 {
        manifest
            .notes
            .push("no intervals: the numbers are given, and answers cannot be resampled".into());
    }
    Ok(Opportunities {
        manifest,
        options,
        scale,
        segment: names.segment.map(str::to_string),
        need: names.need.to_string(),
        needs: scored,
    })
}

impl Measure {
    /// A rating as what is averaged, from 0 to 10.
    fn read(self, value: f64, (low, high): (f64, f64)) -> f64 {
        match self {
            Self::TopTwoBox => 10.0 * f64::from(u8::from(value >= high - 1.0)),
            Self::Mean => 10.0 * (value - low) / (high - low),
            Self::Given => value,
        }
    }
}

/// Lowest and highest rating.
fn scale_of(ratings: &[(&str, &[f64]); 2], options: &Options) -> Result<(f64, f64)> {
    if options.measure == Measure::Given {
        return Ok((0.0, 10.0));
    }
    let (low, high) = options.scale.unwrap_or_else(|| {
        let all = || ratings.iter().flat_map(|(_, values)| values.iter().copied());
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
    });
    if options.scale.is_none() && low > high {
        // There is no rating, and so no row that the scale is needed for.
        return Ok((low, high));
    }
    let wide = if options.measure == Measure::TopTwoBox { high - low >= 2.0 } else { high > low };
    if low.is_finite() && high.is_finite() && wide {
        return Ok((low, high));
    }
    let wanted = if options.measure == Measure::TopTwoBox {
        "the two highest boxes need a scale of at least three"
    } else {
        "the highest rating must be above the lowest"
    };
    Err(Error::argument("scale", format!("({low}, {high})"), wanted).with_mend("scale=(1, 5)"))
}

/// Importance, satisfaction and score of some answers, with their intervals.
fn estimates(answers: &[[f64; 3]], options: &Options, task: u64) -> [Estimate; 3] {
    let of = |sums: [f64; 3]| {
        let (importance, satisfaction) = (sums[0] / sums[2], sums[1] / sums[2]);
        [importance, satisfaction, options.formula.score(importance, satisfaction)]
    };
    let add = |mut sums: [f64; 3], answer: &[f64; 3]| {
        sums[0] += answer[0] * answer[2];
        sums[1] += answer[1] * answer[2];
        sums[2] += answer[2];
        sums
    };
    let point = of(answers.iter().fold([0.0; 3], add));
    if options.n_boot == 0 || options.measure == Measure::Given {
        return point.map(|value| Estimate { value, interval: None });
    }
    let mut rng = Rng::stream(options.seed, Stage::Bootstrap, task);
    let mut drawn: [Vec<f64>; 3] = Default::default();
    for _ in 0..options.n_boot {
        let sums = (0..answers.len())
            .fold([0.0; 3], |sums, _| add(sums, &answers[rng.below(answers.len())]));
        if sums[2] > 0.0 {
            drawn.iter_mut().zip(of(sums)).for_each(|(values, value)| values.push(value));
        }
    }
    let tail = (1.0 - options.confidence) / 2.0;
    let mut ends = drawn.into_iter().map(|mut values| {
        values.sort_unstable_by(f64::total_cmp);
        [quantile(&values, tail), quantile(&values, 1.0 - tail)]
    });
    point.map(|value| Estimate { value, interval: ends.next() })
}

/// Quantile of sorted values, between two by weight.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    sorted[below] + part * (sorted[(below + 1).min(last)] - sorted[below])
}
