//! Ranks of segments by one figure or several, and how sure they are.
//!
//! The score is a weighted sum of criteria, each scaled to 0 (worst segment) to 1 (best); ranks of all segments are taken
//! again in every replicate of the scorecard, so the probability of a place among the first is a joint one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::bootstrap::interval;
use super::figures::{Figure, Figures};
use super::scorecard::{Scorecard, replicated_figures};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::persist::{self, Persist};
use crate::rng::{Rng, Stage};
use crate::table::Table;

/// How criteria are weighted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Weights {
    /// All alike.
    Equal,
    /// One number per criterion, 0 or more.
    Fixed(Vec<f64>),
    /// All alike in the score; in the replicates drawn anew from the flat Dirichlet distribution, so that the
    /// probabilities say what holds whatever the weights.
    Dirichlet,
}

impl Weights {
    /// The weights of a caller who gives numbers, wants them drawn, or neither.
    pub fn new(given: Option<Vec<f64>>, dirichlet: bool) -> Self {
        match given {
            Some(weights) => Self::Fixed(weights),
            None if dirichlet => Self::Dirichlet,
            None => Self::Equal,
        }
    }

    fn words(&self) -> serde_json::Value {
        match self {
            Self::Equal => json!("equal"),
            Self::Fixed(weights) => json!(weights),
            Self::Dirichlet => json!("dirichlet"),
        }
    }
}

/// Segments in order of rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// What it was made from.
    pub manifest: Manifest,
    /// Criteria with their weights, which add up to 1.
    pub criteria: Vec<(Figure, f64)>,
    /// How many segments are wanted.
    pub top: usize,
    /// Share of replicates inside the interval of ranks.
    pub confidence: f64,
    /// Names, best first.
    pub segments: Vec<String>,
    /// Rank of each; equal scores share the better rank.
    pub rank: Vec<usize>,
    /// Weighted sum of the scaled criteria.
    #[serde(with = "persist::floats")]
    pub score: Vec<f64>,
    /// Values of the criteria, one criterion after another.
    #[serde(with = "persist::floats")]
    pub values: Vec<f64>,
    /// Share of replicates in which the segment is among the first `top`; NaN without replicates.
    #[serde(with = "persist::floats")]
    pub p_top: Vec<f64>,
    /// Lower end of the interval of ranks.
    #[serde(with = "persist::floats")]
    pub rank_lo: Vec<f64>,
    /// Upper end.
    #[serde(with = "persist::floats")]
    pub rank_hi: Vec<f64>,
}

impl Persist for Ranking {
    const KIND: &'static str = "ranking";

    fn validate(&self) -> Result<()> {
        let n = self.segments.len();
        let columns = [&self.score, &self.p_top, &self.rank_lo, &self.rank_hi];
        let shapes = self.rank.len() == n
            && columns.iter().all(|column| column.len() == n)
            && self.values.len() == n * self.criteria.len();
        if shapes {
            Ok(())
        } else {
            Err(persist::broken("the lengths of the ranking's columns do not agree"))
        }
    }
}

/// Draws of weights where there are no replicates of customers.
const WEIGHT_DRAWS: usize = 1000;

/// Ranks the segments of a scorecard.
///
/// # Errors
///
/// [`Error::Argument`] for criteria that do not exist or have no values, for weights that do not fit them, and for
/// `top` of 0.
pub fn rank(
    scorecard: &Scorecard,
    top: usize,
    by: &[String],
    weights: &Weights,
) -> Result<Ranking> {
    let all: Vec<usize> = (0..scorecard.segments.len()).collect();
    rank_among(scorecard, top, by, weights, &all)
}

/// Ranks some of the segments; only these are compared.
pub(super) fn rank_among(
    scorecard: &Scorecard,
    top: usize,
    by: &[String],
    weights: &Weights,
    among: &[usize],
) -> Result<Ranking> {
    if top == 0 {
        return Err(Error::argument("top", top, "a number of segments, 1 or more, is needed")
            .with_mend("top=3"));
    }
    let criteria = criteria(scorecard, by, weights, among)?;
    let n = among.len();
    let values = |figure| {
        let all = &scorecard.figure(figure).value;
        among.iter().map(|&segment| all[segment]).collect::<Vec<f64>>()
    };
    let point: Vec<Vec<f64>> = criteria.iter().map(|&(figure, _)| values(figure)).collect();
    let point_weights: Vec<f64> = criteria.iter().map(|&(_, weight)| weight).collect();
    let score = score(&criteria, &point, &point_weights);
    let ranks = ranks(&criteria, &point, &score);

    let drawn = replicated_ranks(scorecard, &criteria, &point, weights, among);
    let p_top = |segment: usize| {
        let hits = drawn.iter().filter(|ranks| ranks[segment] <= top).count();
        if drawn.is_empty() { f64::NAN } else { hits as f64 / drawn.len() as f64 }
    };
    let ends = |segment: usize| {
        let places = drawn.iter().map(|ranks| ranks[segment] as f64).collect();
        let (lo, hi) = interval(places, scorecard.options.confidence);
        (lo.floor(), hi.ceil())
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&segment| ranks[segment]);
    let seed = (!drawn.is_empty()).then_some(scorecard.options.seed);
    let mut settings = Map::new();
    settings.insert("top".into(), json!(top));
    settings.insert("by".into(), json!(by));
    settings.insert("weights".into(), json!(weights.words()));
    let mut manifest = Manifest::new("Scorecard.rank", settings, seed, n);
    for (figure, _) in &criteria {
        let direction = if figure.more_is_better() { "more" } else { "less" };
        manifest.notes.push(format!("{}: {direction} is better", figure.name()));
    }
    Ok(Ranking {
        manifest,
        top,
        confidence: scorecard.options.confidence,
        segments: order.iter().map(|&s| scorecard.segments[among[s]].clone()).collect(),
        rank: order.iter().map(|&s| ranks[s]).collect(),
        score: order.iter().map(|&s| score[s]).collect(),
        values: point.iter().flat_map(|column| order.iter().map(|&s| column[s])).collect(),
        p_top: order.iter().map(|&s| p_top(s)).collect(),
        rank_lo: order.iter().map(|&s| ends(s).0).collect(),
        rank_hi: order.iter().map(|&s| ends(s).1).collect(),
        criteria,
    })
}

fn criteria(
    scorecard: &Scorecard,
    by: &[String],
    weights: &Weights,
    among: &[usize],
) -> Result<Vec<(Figure, f64)>> {
    if by.is_empty() {
        let all = Figure::ALL.map(|figure| format!("{:?}", figure.name())).join(", ");
        let wanted = format!("at least one of {all} is needed");
        return Err(Error::argument("by", "no figure", wanted).with_mend("by=\"profit\""));
    }
    let mut figures = Vec::with_capacity(by.len());
    for name in by {
        let figure = Figure::named(name, "by")?;
        if figures.contains(&figure) {
            return Err(Error::argument(
                "by",
                format!("{name:?} twice"),
                "each figure counts once",
            ));
        }
        let values = &scorecard.figure(figure).value;
        if among.iter().all(|&segment| values[segment].is_nan()) {
            let wanted =
                "this scorecard has no values of it: a column that it rests on was not given";
            return Err(
                Error::argument("by", format!("{name:?}"), wanted).with_mend("by=\"revenue\"")
            );
        }
        figures.push(figure);
    }
    let equal = vec![1.0; figures.len()];
    let weights = match weights {
        Weights::Equal | Weights::Dirichlet => &equal,
        Weights::Fixed(weights) => weights,
    };
    let total: f64 = weights.iter().sum();
    let usable = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
    if weights.len() != figures.len() || !usable || total <= 0.0 {
        let wanted = format!(
            "one number for each of the {} figures is needed, none below 0, not all 0",
            figures.len()
        );
        return Err(Error::argument("weights", format!("{weights:?}"), wanted));
    }
    Ok(figures.into_iter().zip(weights.iter().map(|weight| weight / total)).collect())
}

/// Weighted sum of the criteria, each scaled to 0 (worst) to 1 (best).
///
/// "Never" and other infinite values count like 0 or 1, as does a missing value like 0; where all segments are equal in a
/// criterion they all have 1 in it.
fn score(criteria: &[(Figure, f64)], columns: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let n = columns.first().map_or(0, Vec::len);
    let mut score = vec![0.0; n];
    for ((&(figure, _), column), weight) in criteria.iter().zip(columns).zip(weights) {
        for (score, scaled) in score.iter_mut().zip(scaled(figure, column)) {
            *score += weight * scaled;
        }
    }
    score
}

/// One criterion scaled to 0 for the worst segment and 1 for the best.
pub(super) fn scaled(figure: Figure, column: &[f64]) -> Vec<f64> {
    let sign = if figure.more_is_better() { 1.0 } else { -1.0 };
    let finite = || column.iter().map(|value| sign * value).filter(|value| value.is_finite());
    let worst = finite().fold(f64::INFINITY, f64::min);
    let best = finite().fold(f64::NEG_INFINITY, f64::max);
    let scale = |value: f64| {
        if value.is_nan() || value == f64::NEG_INFINITY {
            0.0
        } else if value == f64::INFINITY || best <= worst {
            1.0
        } else {
            (value - worst) / (best - worst)
        }
    };
    column.iter().map(|value| scale(sign * value)).collect()
}

/// 1 for the best; equal ones share the better rank. One criterion is compared as it is, so that 60 months are better
/// than never.
fn ranks(criteria: &[(Figure, f64)], columns: &[Vec<f64>], score: &[f64]) -> Vec<usize> {
    let keys: Vec<f64> = match (criteria, columns) {
        ([(figure, _)], [column]) => {
            let sign = if figure.more_is_better() { 1.0 } else { -1.0 };
            column
                .iter()
                .map(|value| if value.is_nan() { f64::NEG_INFINITY } else { sign * value })
                .collect()
        }
        _ => score.to_vec(),
    };
    keys.iter().map(|key| 1 + keys.iter().filter(|&other| other > key).count()).collect()
}

/// Ranks in every replicate of the customers, of the weights, or of both.
fn replicated_ranks(
    scorecard: &Scorecard,
    criteria: &[(Figure, f64)],
    point: &[Vec<f64>],
    weights: &Weights,
    among: &[usize],
) -> Vec<Vec<usize>> {
    let n = scorecard.segments.len();
    let dirichlet = *weights == Weights::Dirichlet;
    let figures: Vec<Vec<Figures>> =
        replicated_figures(&scorecard.replicates, n, scorecard.terms(), scorecard.given);
    let draws = match figures.len() {
        0 if dirichlet => WEIGHT_DRAWS,
        n_boot => n_boot,
    };
    parallel::map_tasks(draws, |draw| {
        let columns: Vec<Vec<f64>> = match figures.get(draw) {
            None => point.to_vec(),
            Some(figures) => criteria
                .iter()
                .map(|&(figure, _)| {
                    among.iter().map(|&segment| figures[segment][figure as usize]).collect()
                })
                .collect(),
        };
        let weights: Vec<f64> = if dirichlet {
            let mut rng = Rng::stream(scorecard.options.seed, Stage::Weights, draw as u64);
            let parts: Vec<f64> = criteria.iter().map(|_| rng.exponential()).collect();
            let total: f64 = parts.iter().sum();
            parts.into_iter().map(|part| part / total).collect()
        } else {
            criteria.iter().map(|&(_, weight)| weight).collect()
        };
        ranks(criteria, &columns, &score(criteria, &columns, &weights))
    })
}

impl Ranking {
    /// One row per segment, best first: rank, score, the criteria, probability and interval.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let n = self.segments.len();
        let mut builder = Table::builder()
            .text("segment", &self.segments)
            .int("rank", self.rank.iter().map(|&rank| rank as i64))
            .float("rank_lo", self.rank_lo.iter().copied())
            .float("rank_hi", self.rank_hi.iter().copied())
            .float("p_top", self.p_top.iter().copied())
            .float("score", self.score.iter().copied());
        for (index, (figure, _)) in self.criteria.iter().enumerate() {
            builder = builder
                .float(figure.name(), self.values[index * n..(index + 1) * n].iter().copied());
        }
        builder.finish()
    }
}
