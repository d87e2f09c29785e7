//! Segmentations side by side in tables and words.

use super::{CRITERIA, Candidate, Candidates};
use crate::error::Result;
use crate::table::Table;

impl Candidates {
    /// The candidates, the best first.
    fn ordered(&self) -> Vec<&Candidate> {
        let mut order: Vec<&Candidate> = self.candidates.iter().collect();
        order.sort_by_key(|candidate| candidate.place);
        order
    }

    /// Whether they could be ranked.
    pub fn ranked(&self) -> bool {
        self.weights.iter().any(|&weight| weight > 0.0)
    }

    /// One row per segmentation, the best first: its place and score, number and sizes of segments, and the figures.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let rows = self.ordered();
        let all = |c: &Candidate| c.sizes.iter().sum::<usize>() as f64;
        let filled = |c: &Candidate| c.sizes.iter().filter(|&&n| n > 0).count() as i64;
        let least = |c: &Candidate| c.sizes.iter().filter(|&&n| n > 0).min().copied().unwrap_or(0);
        let most = |c: &Candidate| c.sizes.iter().max().copied().unwrap_or(0);
        let figure = |at: usize| rows.iter().map(move |c| c.figures[at]);
        let mut builder = Table::builder().text("name", rows.iter().map(|c| c.name.as_str()));
        if rows.iter().any(|c| !c.scenario.is_empty()) {
            builder = builder.text("scenario", rows.iter().map(|c| c.scenario.as_str()));
        }
        builder
            .some_int("place", rows.iter().map(|c| self.ranked().then_some(c.place as i64)))
            .float("score", rows.iter().map(|c| c.score))
            .int("k", rows.iter().map(|c| filled(c)))
            .int("n", rows.iter().map(|c| all(c) as i64))
            .float("smallest", rows.iter().map(|c| least(c) as f64 / all(c)))
            .float("largest", rows.iter().map(|c| most(c) as f64 / all(c)))
            .float("stability", figure(0))
            .float("omega2", figure(1))
            .float("omega2_lo", figure(2))
            .float("omega2_hi", figure(3))
            .float("eta2", figure(4))
            .float("accuracy", figure(5))
            .float("accuracy_lo", figure(6))
            .float("accuracy_hi", figure(7))
            .float("reach", rows.iter().map(|c| c.reach()))
            .int("questions", rows.iter().map(|c| c.questions.len() as i64))
            .finish()
    }

    /// One row per pair of segmentations: how far they agree.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn overlaps(&self) -> Result<Table> {
        let name = |at: usize| self.candidates[at].name.as_str();
        let figure = |at: usize| self.overlaps.iter().map(move |o| o.figures[at]);
        Table::builder()
            .text("one", self.overlaps.iter().map(|o| name(o.pair[0])))
            .text("other", self.overlaps.iter().map(|o| name(o.pair[1])))
            .int("n", self.overlaps.iter().map(|o| o.n as i64))
            .float("adjusted_rand", figure(0))
            .float("adjusted_information", figure(1))
            .float("normalised_information", figure(2))
            .finish()
    }

    /// The ranking in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let told = |c: &Candidate| {
            let mut parts = Vec::new();
            let [stability, omega, reach] = c.criteria();
            if !stability.is_nan() {
                parts.push(format!("stability {stability:.2} (adjusted Rand index)"));
            }
            if !omega.is_nan() {
                parts.push(format!(
                    "{:.1} % of the differences in {:?} lie between segments ({:.1} to {:.1} %)",
                    100.0 * omega,
                    self.value,
                    100.0 * c.figures[2],
                    100.0 * c.figures[3]
                ));
            }
            if !reach.is_nan() {
                parts.push(format!(
                    "{:.0} % of the customers are placed rightly from {} (the largest segment alone: {:.0} %)",
                    100.0 * c.figures[5],
                    c.questions.join(", "),
                    100.0 * c.figures[8]
                ));
            }
            if parts.is_empty() { "nothing was measured".to_string() } else { parts.join("; ") }
        };
        for candidate in self.ordered() {
            let place = match self.ranked() {
                true => format!("{}. ", candidate.place),
                false => String::new(),
            };
            let scenario = match candidate.scenario.is_empty() {
                true => String::new(),
                false => format!(" [{}]", candidate.scenario.replace('_', " ")),
            };
            lines.push(format!("{place}{}{scenario}: {}.", candidate.name, told(candidate)));
        }
        let near = self
            .overlaps
            .iter()
            .filter(|o| !o.figures[0].is_nan())
            .max_by(|a, b| a.figures[0].total_cmp(&b.figures[0]));
        if let Some(near) = near {
            let [one, other] = near.pair.map(|at| self.candidates[at].name.as_str());
            lines.push(format!(
                "Most alike are {one} and {other}: adjusted Rand index {:.2}, adjusted mutual information {:.2}.",
                near.figures[0], near.figures[1]
            ));
        }
        if self.ranked() {
            let all: f64 = self.weights.iter().sum();
            let counted: Vec<String> = CRITERIA
                .iter()
                .zip(self.weights)
                .filter(|&(_, weight)| weight > 0.0)
                .map(|(name, weight)| format!("{name} ({:.0} %)", 100.0 * weight / all))
                .collect();
            lines.push(format!(
                "Ranked by the mean of the places on {}; the lowest mean is first.",
                counted.join(", ")
            ));
        } else {
            lines.push(
                "There is no ranking: no criterion was measured for all of them.".to_string(),
            );
        }
        lines
    }
}
