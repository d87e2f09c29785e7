//! What makes an offer differ from those of competitors.

use serde::{Deserialize, Serialize};

use super::matching::Fit;

/// Competitors and what they deliver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rivals {
    /// Their names.
    pub names: Vec<String>,
    /// How well each delivers each need, from 0 to 1, one row per competitor.
    pub delivery: Vec<f64>,
}

/// An offer against the best competitor, to one group of customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// `sum(w max(own - best competitor, 0))` with weights that add up to 1.
    pub ahead: f64,
    /// `sum(w max(best competitor - own, 0))`.
    pub behind: f64,
    /// Important needs where the offer is ahead by more than the parity, at par, and behind.
    pub points: [Vec<usize>; 3],
}

impl Rivals {
    /// The best competitor for each need, the first of equal ones, and what it delivers.
    pub fn best(&self) -> Vec<(usize, f64)> {
        let n = self.delivery.len() / self.names.len();
        let best = |need: usize| {
            (0..self.names.len()).map(|rival| (rival, self.delivery[rival * n + need])).fold(
                (0, f64::NEG_INFINITY),
                |best, found| if found.1 > best.1 { found } else { best },
            )
        };
        (0..n).map(best).collect()
    }

    /// What an offer delivers to a group against the best competitor.
    pub fn difference(&self, fit: &Fit, group: usize, own: &[f64], parity: f64) -> Difference {
        let (shares, important) = (fit.shares(group), fit.important(group));
        let mut found = Difference { ahead: 0.0, behind: 0.0, points: Default::default() };
        for (need, (_, best)) in self.best().into_iter().enumerate() {
            let gap = own[need] - best;
            found.ahead += shares[need] * gap.max(0.0);
            found.behind += shares[need] * (-gap).max(0.0);
            if important[need] {
                found.points[place(gap, parity)].push(need);
            }
        }
        for points in &mut found.points {
            points.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        }
        found
    }

    /// Why the figures do not belong together, if they do not.
    pub(super) fn broken(&self, needs: usize) -> Option<&'static str> {
        let fits = self.delivery.len() == self.names.len() * needs && !self.names.is_empty();
        let shares = self.delivery.iter().all(|value| (0.0..=1.0).contains(value));
        (!(fits && shares)).then_some("competitors and what they deliver differ in number")
    }
}

/// 0 where own is ahead by more than the parity, 1 where the two are at par, 2 where own is behind.
pub(super) fn place(gap: f64, parity: f64) -> usize {
    // The hair keeps 0.9 - 0.8 at a parity of 0.1.
    let parity = parity + 1e-9;
    if gap > parity {
        0
    } else if gap < -parity {
        2
    } else {
        1
    }
}

/// The words for [`place`].
pub(super) const PLACES: [&str; 3] = ["ahead", "at par", "behind"];
