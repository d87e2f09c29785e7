//! How much the first place hangs on the weights.
//!
//! Each weight in turn goes from nothing to all, the others keeping their proportions. The lead is the score of the first
//! segment less the best score of the others; where it is negative another segment is first.

use super::figures::Figure;
use super::rank::{Ranking, scaled};
use crate::error::{Error, Result};
use crate::table::Table;

/// The lead of the first segment as one weight moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Swing {
    /// The criterion.
    pub figure: Figure,
    /// Its weight in the ranking.
    pub weight: f64,
    /// Lead without it.
    pub without: f64,
    /// Who is first without it.
    pub first_without: String,
    /// Lead with it alone.
    pub alone: f64,
    /// Who is first by it alone.
    pub first_alone: String,
    /// The weight nearest to the present one at which another segment is first; NaN if there is none.
    pub flips_at: f64,
}

impl Ranking {
    /// The lead of the first segment at the weights of the ranking; NaN for a single segment.
    pub fn lead(&self) -> f64 {
        let score = &self.score;
        let best = score.iter().skip(1).fold(f64::NEG_INFINITY, |best, &score| best.max(score));
        if score.len() < 2 { f64::NAN } else { score[0] - best }
    }

    /// The swing of each criterion's weight, the widest first.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] with fewer than two criteria or two segments.
    pub fn swings(&self) -> Result<Vec<Swing>> {
        let n = self.segments.len();
        if self.criteria.len() < 2 || n < 2 {
            return Err(Error::argument(
                "tornado",
                format!("{} criteria of {n} segments", self.criteria.len()),
                "two criteria or more, and two segments, are needed for weights to matter",
            )
            .with_mend("card.rank(by=[\"profit\", \"ltv_cac\"]).plot(\"tornado\")"));
        }
        let columns: Vec<Vec<f64>> = (self.criteria.iter().enumerate())
            .map(|(at, &(figure, _))| scaled(figure, &self.values[at * n..][..n]))
            .collect();
        let mut swings: Vec<Swing> =
            (0..columns.len()).map(|criterion| self.swing(criterion, &columns)).collect();
        let width = |swing: &Swing| (swing.alone - swing.without).abs();
        swings.sort_by(|a, b| width(b).total_cmp(&width(a)));
        Ok(swings)
    }

    fn swing(&self, criterion: usize, columns: &[Vec<f64>]) -> Swing {
        let n = self.segments.len();
        let (figure, weight) = self.criteria[criterion];
        let rest = 1.0 - weight;
        // Scores without the criterion, and with it alone; between them scores are linear in the weight.
        let without: Vec<f64> = (0..n)
            .map(|segment| {
                let others = || (0..columns.len()).filter(|&other| other != criterion);
                if rest > 0.0 {
                    others().map(|c| self.criteria[c].1 / rest * columns[c][segment]).sum()
                } else {
                    others().map(|c| columns[c][segment]).sum::<f64>() / (columns.len() - 1) as f64
                }
            })
            .collect();
        let alone = &columns[criterion];
        let lead = |scores: &[f64]| {
            let best = scores[1..].iter().fold(f64::NEG_INFINITY, |best, &score| best.max(score));
            scores[0] - best
        };
        let first = |scores: &[f64]| {
            let best = (0..n).fold(0, |best, at| if scores[at] > scores[best] { at } else { best });
            self.segments[best].clone()
        };
        // Where the first segment's line meets another's, if the other is ahead beyond.
        let flips_at = (1..n)
            .filter_map(|other| {
                let (low, high) = (without[0] - without[other], alone[0] - alone[other]);
                let meets = low / (low - high);
                let crosses = (low < 0.0) != (high < 0.0) && low != high;
                crosses.then_some(meets)
            })
            .min_by(|a, b| (a - weight).abs().total_cmp(&(b - weight).abs()))
            .unwrap_or(f64::NAN);
        Swing {
            figure,
            weight,
            without: lead(&without),
            first_without: first(&without),
            alone: lead(alone),
            first_alone: first(alone),
            flips_at,
        }
    }

    /// One row per criterion, the widest swing first.
    ///
    /// # Errors
    ///
    /// As [`Ranking::swings`].
    pub fn tornado(&self) -> Result<Table> {
        let swings = self.swings()?;
        Table::builder()
            .text("criterion", swings.iter().map(|swing| swing.figure.name()))
            .float("weight", swings.iter().map(|swing| swing.weight))
            .float("lead", swings.iter().map(|_| self.lead()))
            .float("lead_without", swings.iter().map(|swing| swing.without))
            .text("first_without", swings.iter().map(|swing| &swing.first_without))
            .float("lead_alone", swings.iter().map(|swing| swing.alone))
            .text("first_alone", swings.iter().map(|swing| &swing.first_alone))
            .float("flips_at", swings.iter().map(|swing| swing.flips_at))
            .finish()
    }
}
