//! Time until something happens, where it has not happened to everybody yet.
//!
//! Leads end in one of three ways: won, lost, or still open when the observation ends. Open ones are censored; lost ones
//! compete with won ones. [`EventCounts`] collects weighted counts, [`EventTable`] is the life table, and
//! [`EventTable::incidence`] gives the Aalen-Johansen curve, which is one minus Kaplan-Meier where nothing was lost.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::persist;

/// How a spell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The event of interest.
    Won,
    /// The event that rules it out.
    Lost,
    /// Neither until the end of the observation.
    Open,
}

impl Outcome {
    /// The code of reference data sets: 0 is censored, 1 the event of interest, 2 the competing one.
    pub fn from_event(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Open),
            1 => Some(Self::Won),
            2 => Some(Self::Lost),
            _ => None,
        }
    }
}

/// Weighted counts by time and outcome; mergeable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventCounts {
    counts: HashMap<(u64, Outcome), f64, foldhash::fast::FixedState>,
}

impl EventCounts {
    /// Adds one spell of `time` days that counts `weight` times.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a time that is negative or not finite, or such a weight.
    pub fn update(&mut self, time: f64, outcome: Outcome, weight: f64) -> Result<()> {
        for (name, value) in [("time", time), ("weight", weight)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::argument(name, value, "a finite number, 0 or more, is needed"));
            }
        }
        // Adding 0 turns -0 into 0, so that both are one time.
        *self.counts.entry(((time + 0.0).to_bits(), outcome)).or_insert(0.0) += weight;
        Ok(())
    }

    /// Adds the counts of another part of the data.
    pub fn merge(&mut self, other: &Self) {
        for (&key, &weight) in &other.counts {
            *self.counts.entry(key).or_insert(0.0) += weight;
        }
    }

    /// The life table.
    pub fn finish(&self) -> EventTable {
        let mut cells: Vec<(f64, Outcome, f64)> = self
            .counts
            .iter()
            .map(|(&(time, outcome), &weight)| (f64::from_bits(time), outcome, weight))
            .collect();
        cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut table = EventTable::default();
        for (time, outcome, weight) in cells {
            if table.time.last() != Some(&time) {
                table.time.push(time);
                for column in [&mut table.won, &mut table.lost, &mut table.open] {
                    column.push(0.0);
                }
            }
            let column = match outcome {
                Outcome::Won => &mut table.won,
                Outcome::Lost => &mut table.lost,
                Outcome::Open => &mut table.open,
            };
            if let Some(last) = column.last_mut() {
                *last += weight;
            }
        }
        table
    }
}

/// Weighted counts at each distinct time, ascending.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventTable {
    /// Distinct times.
    #[serde(with = "persist::floats")]
    pub time: Vec<f64>,
    /// Spells won at each time.
    #[serde(with = "persist::floats")]
    pub won: Vec<f64>,
    /// Spells lost at each time.
    #[serde(with = "persist::floats")]
    pub lost: Vec<f64>,
    /// Spells still open at each time; they are at risk at that time.
    #[serde(with = "persist::floats")]
    pub open: Vec<f64>,
}

/// Cumulative incidence at each distinct time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incidence {
    /// Distinct times, ascending.
    pub time: Vec<f64>,
    /// Probability of having been won by each time.
    pub won: Vec<f64>,
    /// Probability of having been lost by each time.
    pub lost: Vec<f64>,
}

/// A curve that reaches one half up to rounding counts as having reached it.
pub(super) const HALF: f64 = 0.5 - 1e-12;

impl EventTable {
    /// Spells at risk at each time: those that end then or later.
    pub fn at_risk(&self) -> Vec<f64> {
        let mut at_risk = vec![0.0; self.time.len()];
        let mut later = 0.0;
        for row in (0..self.time.len()).rev() {
            later += self.won[row] + self.lost[row] + self.open[row];
            at_risk[row] = later;
        }
        at_risk
    }

    /// Whether every time has its three counts.
    pub(super) fn is_whole(&self) -> bool {
        let n = self.time.len();
        self.won.len() == n && self.lost.len() == n && self.open.len() == n
    }

    /// The counts of several tables together.
    pub fn sum(tables: &[Self]) -> Self {
        let columns = |table: &Self| {
            let rows = 0..table.time.len();
            rows.map(|r| (table.time[r], [table.won[r], table.lost[r], table.open[r]]))
                .collect::<Vec<_>>()
        };
        let mut rows: Vec<(f64, [f64; 3])> = tables.iter().flat_map(columns).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = Self::default();
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            let total = |at: usize| same.iter().map(|row| row.1[at]).sum::<f64>();
            sum.time.push(same[0].0);
            sum.won.push(total(0));
            sum.lost.push(total(1));
            sum.open.push(total(2));
        }
        sum
    }

    /// The Aalen-Johansen estimate of the cumulative incidences, ties exact.
    ///
    /// With S the share neither won nor lost before t, d1 and d2 the spells won and lost at t and n those at risk:
    /// F1(t) = F1(t-) + S d1 / n, F2(t) = F2(t-) + S d2 / n, S = 1 - F1 - F2. Without lost spells 1 - F1 is
    /// Kaplan-Meier (Aalen and Johansen 1978, Scandinavian Journal of Statistics 5:141-150; Kaplan and Meier 1958,
    /// JASA 53:457-481).
    pub fn incidence(&self) -> Incidence {
        let (mut neither, mut won, mut lost) = (1.0, 0.0, 0.0);
        let mut curve = Incidence { time: self.time.clone(), ..Incidence::default() };
        for (row, at_risk) in self.at_risk().into_iter().enumerate() {
            if at_risk > 0.0 {
                won += neither * self.won[row] / at_risk;
                lost += neither * self.lost[row] / at_risk;
                neither *= 1.0 - (self.won[row] + self.lost[row]) / at_risk;
            }
            curve.won.push(won);
            curve.lost.push(lost);
        }
        curve
    }

    /// The first time by which half of all spells are won: infinite if that is not reached, NaN without spells.
    pub fn median(&self) -> f64 {
        if self.time.is_empty() {
            return f64::NAN;
        }
        let curve = self.incidence();
        curve
            .won
            .iter()
            .position(|&share| share >= HALF)
            .map_or(f64::INFINITY, |row| curve.time[row])
    }
}
