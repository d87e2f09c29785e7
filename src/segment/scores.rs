//! Segments by the highest of several scores, such as motives: each score is the mean of its items.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::persist::broken;
use crate::table::{MISSING, Numeric, Table};

/// Scores of which the highest decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// One score per segment.
    pub scores: Vec<Score>,
    /// Segment of customers whose two highest scores are equal; they are in none where this is nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ties: Option<u32>,
}

/// A score: the mean of those of its items that have a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Its name.
    pub name: String,
    /// Its items.
    pub items: Vec<Item>,
}

/// One item of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Name of the column.
    pub column: String,
    /// Subtracted.
    pub center: f64,
    /// Divided by.
    pub spread: f64,
}

/// Two scores that differ by less are equal: the rounding of a mean of a few items.
const EQUAL: f64 = 1e-9;

/// The segment of each row, and its scores.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Segment of each row.
    pub labels: Vec<u32>,
    /// Scores of each row, one column per score; NaN where no item has a value.
    pub values: Vec<Vec<f64>>,
    /// Rows whose two highest scores are equal.
    pub n_ties: usize,
    /// Rows without one of the scores.
    pub n_incomplete: usize,
}

impl Scores {
    /// Names of the columns read, each once.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for item in self.scores.iter().flat_map(|score| &score.items) {
            if !names.contains(&item.column) {
                names.push(item.column.clone());
            }
        }
        names
    }

    /// The segment of each row: that of its highest score, if it has all of them.
    ///
    /// # Errors
    ///
    /// Those of reading columns.
    pub fn assign(&self, table: &Table) -> Result<Scored> {
        let n = table.n_rows();
        let mut values = Vec::with_capacity(self.scores.len());
        for score in &self.scores {
            let read = |item: &Item| table.numeric(&item.column);
            let columns = score.items.iter().map(read).collect::<Result<Vec<Numeric>>>()?;
            let mean = |row: usize| {
                let (mut sum, mut count) = (0.0, 0.0);
                for (item, column) in score.items.iter().zip(&columns) {
                    if !column[row].is_nan() {
                        sum += (column[row] - item.center) / item.spread;
                        count += 1.0;
                    }
                }
                if count > 0.0 { sum / count } else { f64::NAN }
            };
            values.push((0..n).map(mean).collect::<Vec<f64>>());
        }
        let mut found = Scored { labels: vec![MISSING; n], values, n_ties: 0, n_incomplete: 0 };
        for row in 0..n {
            let scores = || found.values.iter().map(|values| values[row]);
            if scores().any(f64::is_nan) {
                found.n_incomplete += 1;
                continue;
            }
            let highest = scores().fold(f64::NEG_INFINITY, f64::max);
            let near = |score: f64| score >= highest - EQUAL * highest.abs().max(1.0);
            let mut best = scores().enumerate().filter(|(_, score)| near(*score));
            let first = best.next().map_or(MISSING, |(at, _)| at as u32);
            if best.next().is_some() {
                drop(best);
                found.n_ties += 1;
                found.labels[row] = self.ties.unwrap_or(MISSING);
            } else {
                drop(best);
                found.labels[row] = first;
            }
        }
        Ok(found)
    }

    pub(super) fn validate(&self, n_segments: usize) -> Result<()> {
        let with_ties = self.scores.len() + usize::from(self.ties.is_some());
        if self.scores.is_empty()
            || with_ties != n_segments
            || self.ties.is_some_and(|ties| ties as usize != self.scores.len())
        {
            return Err(broken("scores and segments differ in number"));
        }
        let sound =
            |item: &Item| item.center.is_finite() && item.spread.is_finite() && item.spread > 0.0;
        if self.scores.iter().any(|score| score.items.is_empty() || !score.items.iter().all(sound))
        {
            return Err(broken("a score has no items, or one of a broken scale"));
        }
        Ok(())
    }
}
