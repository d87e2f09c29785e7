//! Knock-out criteria: which segments are out of the question, and why, before any are ranked.
//!
//! Segments that fail a criterion that cannot be traded off are taken out first; the rest are compared (Dolnicar, Grün and
//! Leisch 2018, Market Segmentation Analysis, chapter 4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::explain::number;
use super::figures::Figure;
use super::rank::{Ranking, Weights, rank_among};
use super::scorecard::Scorecard;
use super::totals::Field;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::table::Table;

/// What a segment must meet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Criteria {
    /// Fewest customers.
    pub min_size: f64,
    /// Smallest share of revenue.
    pub min_share: f64,
    /// Segments that can be reached; `None` for all.
    pub reachable: Option<Vec<String>>,
    /// Figures with the least that is allowed.
    pub at_least: Vec<(String, f64)>,
    /// Figures with the most that is allowed.
    pub at_most: Vec<(String, f64)>,
}

/// Segments that stay, and those taken out with the reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knockout {
    /// What it was made from.
    pub manifest: Manifest,
    /// The scorecard.
    pub card: Scorecard,
    /// Why each segment is taken out; empty where it stays.
    pub reasons: Vec<Vec<String>>,
}

impl Persist for Knockout {
    const KIND: &'static str = "knockout";

    fn validate(&self) -> Result<()> {
        if self.reasons.len() != self.card.segments.len() {
            return Err(persist::broken("there are not as many reasons as segments"));
        }
        self.card.validate()
    }
}

/// Holds every segment against the criteria. A figure that is missing meets none.
///
/// # Errors
///
/// [`Error::Argument`] for criteria out of range, figures that do not exist, and segments that do not.
pub fn knockout(
    card: &Scorecard,
    criteria: &Criteria,
    settings: Map<String, Value>,
) -> Result<Knockout> {
    if criteria.min_size.is_nan() || criteria.min_size < 0.0 {
        let wanted = "a number of customers, 0 or more, is needed";
        return Err(Error::argument("min_size", criteria.min_size, wanted));
    }
    if !(0.0..=1.0).contains(&criteria.min_share) {
        let wanted = "a share of revenue between 0 and 1 is needed";
        return Err(Error::argument("min_share", criteria.min_share, wanted));
    }
    if let Some(reachable) = &criteria.reachable
        && let Some(unknown) = reachable.iter().find(|name| !card.segments.contains(name))
    {
        let names: Vec<String> = card.segments.iter().map(|name| format!("{name:?}")).collect();
        let wanted = format!("the segments are {}", names.join(", "));
        return Err(Error::argument("reachable", format!("{unknown:?}"), wanted));
    }
    let mut reasons = vec![Vec::new(); card.segments.len()];
    for (segment, reasons) in reasons.iter_mut().enumerate() {
        let n = card.sums[segment][Field::Customers as usize];
        if n < criteria.min_size {
            reasons.push(format!("{n} customers, fewer than {}", number(criteria.min_size)));
        }
        let share = card.figure(Figure::RevenueShare).value[segment];
        if criteria.min_share > 0.0 && (share.is_nan() || share < criteria.min_share) {
            reasons.push(format!("revenue_share is {share:.3}, below {}", criteria.min_share));
        }
        let name = &card.segments[segment];
        if criteria.reachable.as_ref().is_some_and(|reachable| !reachable.contains(name)) {
            reasons.push("not reachable".to_string());
        }
    }
    for (argument, limits, below) in
        [("at_least", &criteria.at_least, true), ("at_most", &criteria.at_most, false)]
    {
        for (name, limit) in limits {
            let figure = Figure::named(name, argument)?;
            if limit.is_nan() {
                return Err(Error::argument(argument, "nan", "a number is needed"));
            }
            for (segment, reasons) in reasons.iter_mut().enumerate() {
                let value = card.figure(figure).value[segment];
                if value.is_nan() {
                    reasons.push(format!("{name} is missing"));
                } else if below && value < *limit {
                    reasons.push(format!("{name} is {}, below {}", number(value), number(*limit)));
                } else if !below && value > *limit {
                    reasons.push(format!("{name} is {}, above {}", number(value), number(*limit)));
                }
            }
        }
    }
    let mut manifest = card.manifest.clone();
    manifest.function = "Scorecard.knockout".into();
    manifest.settings = settings;
    Ok(Knockout { manifest, card: card.clone(), reasons })
}

impl Knockout {
    /// Numbers of the segments that stay.
    pub fn passed(&self) -> Vec<usize> {
        (0..self.reasons.len()).filter(|&segment| self.reasons[segment].is_empty()).collect()
    }

    /// Ranks the segments that stay.
    ///
    /// # Errors
    ///
    /// As [`super::rank::rank`]; [`Error::Argument`] where none stay.
    pub fn rank(&self, top: usize, by: &[String], weights: &Weights) -> Result<Ranking> {
        let passed = self.passed();
        if passed.is_empty() {
            let wanted = "no segment meets the criteria; ask for less";
            return Err(Error::argument("knockout", "every segment taken out", wanted));
        }
        let mut ranking = rank_among(&self.card, top, by, weights, &passed)?;
        for (name, reasons) in self.card.segments.iter().zip(&self.reasons) {
            if !reasons.is_empty() {
                let note = format!("{name} is taken out: {}", reasons.join("; "));
                ranking.manifest.notes.push(note);
            }
        }
        Ok(ranking)
    }

    /// One row per segment.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let n = self.reasons.len();
        let sizes = self.card.sum(Field::Customers).map(|n| n as i64);
        let share = &self.card.figure(Figure::RevenueShare).value[..n];
        Table::builder()
            .text("segment", &self.card.segments)
            .int("n", sizes)
            .float("revenue_share", share.iter().copied())
            .flag("passes", self.reasons.iter().map(Vec::is_empty))
            .text("reason", self.reasons.iter().map(|reasons| reasons.join("; ")))
            .finish()
    }

    /// Who stays and who does not, in sentences.
    pub fn explain(&self) -> String {
        let passed = self.passed();
        let mut lines = vec![format!(
            "{} of {} segments meet every criterion.",
            passed.len(),
            self.reasons.len()
        )];
        for (name, reasons) in self.card.segments.iter().zip(&self.reasons) {
            if !reasons.is_empty() {
                lines.push(format!("{name} is taken out: {}.", reasons.join("; ")));
            }
        }
        lines.join("\n")
    }
}
