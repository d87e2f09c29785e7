//! How well offers deliver what groups of customers need.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Needs of groups and what offers deliver of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Names of the needs.
    pub needs: Vec<String>,
    /// Importance of each need to each group, one row per group.
    pub importance: Vec<f64>,
    /// Satisfaction with what there is, as importance.
    #[serde(deserialize_with = "Option::deserialize")]
    pub satisfaction: Option<Vec<f64>>,
    /// How well each offer delivers each need, from 0 to 1, one row per offer.
    pub delivery: Vec<f64>,
    /// Weighted mean of the delivery, one row per group and one entry per offer.
    pub fit: Vec<f64>,
}

/// Weights as shares of their sum; zeros where all are 0. They are divided by the largest first, so that no sum overflows.
pub(super) fn shares(weights: &[f64]) -> Vec<f64> {
    let most = weights.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return vec![0.0; weights.len()];
    }
    let scaled: Vec<f64> = weights.iter().map(|weight| weight / most).collect();
    let total: f64 = scaled.iter().sum();
    scaled.into_iter().map(|weight| weight / total).collect()
}

/// Importance and what of it is not satisfied, `I + max(I - S, 0)` (Ulwick 2005), up to a factor for the group.
pub(super) fn opportunity(importance: &[f64], satisfaction: Option<&[f64]>) -> Vec<f64> {
    let Some(satisfaction) = satisfaction else { return importance.to_vec() };
    let most = importance.iter().chain(satisfaction).copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return importance.to_vec();
    }
    let score = |(i, s): (&f64, &f64)| i / most + (i / most - s / most).max(0.0);
    importance.iter().zip(satisfaction).map(score).collect()
}

/// Fit of every offer to one group: shares of weight times delivery.
pub(super) fn fit_of(shares: &[f64], delivery: &[f64]) -> Vec<f64> {
    let fit = |offer: &[f64]| -> f64 { shares.iter().zip(offer).map(|(w, d)| w * d).sum() };
    // Shares add up to 1 only up to rounding.
    delivery.chunks_exact(shares.len()).map(|offer| fit(offer).clamp(0.0, 1.0)).collect()
}

impl Fit {
    /// The fit of every offer to every group: `sum(w d) / sum(w)` over the needs. Time and memory are those of one product of
    /// the two tables.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a group to which no need is important.
    pub(super) fn new(
        groups: &[String],
        needs: Vec<String>,
        importance: Vec<f64>,
        satisfaction: Option<Vec<f64>>,
        delivery: Vec<f64>,
    ) -> Result<Self> {
        let n = needs.len();
        let mut fit = Vec::with_capacity(groups.len() * (delivery.len() / n.max(1)));
        for (group, weights) in groups.iter().zip(importance.chunks_exact(n)) {
            if weights.iter().all(|&weight| weight <= 0.0) {
                let found = format!("no weight above 0 for {group:?}");
                return Err(Error::argument("needs", found, "some need must be important"));
            }
            fit.extend(fit_of(&shares(weights), &delivery));
        }
        Ok(Self { needs, importance, satisfaction, delivery, fit })
    }

    /// Number of offers.
    pub fn n_offers(&self) -> usize {
        self.delivery.len() / self.needs.len()
    }

    /// Share of each need in the importance of all to one group.
    pub fn shares(&self, group: usize) -> Vec<f64> {
        let n = self.needs.len();
        shares(&self.importance[group * n..(group + 1) * n])
    }

    /// Share of each need in the opportunities of one group; those of importance where satisfaction is not known.
    pub fn opportunities(&self, group: usize) -> Vec<f64> {
        let n = self.needs.len();
        let rows = group * n..(group + 1) * n;
        let satisfaction = self.satisfaction.as_deref().map(|values| &values[rows.clone()]);
        shares(&opportunity(&self.importance[rows], satisfaction))
    }

    /// How well an offer delivers each need.
    pub fn delivered(&self, offer: usize) -> &[f64] {
        let n = self.needs.len();
        &self.delivery[offer * n..(offer + 1) * n]
    }

    /// The best offer for each need, the first of equal ones, and what it delivers.
    pub fn best(&self) -> Vec<(usize, f64)> {
        let best = |need: usize| {
            (0..self.n_offers()).map(|offer| (offer, self.delivered(offer)[need])).fold(
                (0, f64::NEG_INFINITY),
                |best, found| if found.1 > best.1 { found } else { best },
            )
        };
        (0..self.needs.len()).map(best).collect()
    }

    /// Needs that matter to the group and of which `delivered` is below `least`, the most important first.
    pub fn unmatched(&self, group: usize, delivered: &[f64], least: f64) -> Vec<usize> {
        let shares = self.shares(group);
        let mut found: Vec<usize> = (0..self.needs.len())
            .filter(|&need| shares[need] > 0.0 && delivered[need] < least)
            .collect();
        found.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        found
    }

    /// Whether each need is at least as important to the group as its needs are on average.
    pub fn important(&self, group: usize) -> Vec<bool> {
        // The hair keeps equal weights important when their shares are rounded.
        let mean = (1.0 - 1e-9) / self.needs.len() as f64;
        self.shares(group).into_iter().map(|share| share > 0.0 && share >= mean).collect()
    }

    /// Why the figures do not belong together, if they do not.
    pub(super) fn broken(&self, groups: usize, offers: usize) -> Option<&'static str> {
        let n = self.needs.len();
        let weights =
            |values: &[f64]| values.len() == groups * n && values.iter().all(|value| *value >= 0.0);
        let shares = |values: &[f64], count: usize| {
            values.len() == count && values.iter().all(|value| (0.0..=1.0).contains(value))
        };
        if n == 0 || !weights(&self.importance) {
            return Some("needs and their importance differ in number");
        }
        if !self.satisfaction.as_deref().is_none_or(weights) {
            return Some("needs and satisfaction differ in number");
        }
        if !shares(&self.delivery, offers * n) || !shares(&self.fit, groups * offers) {
            return Some("offers and their fit differ in number");
        }
        None
    }
}
