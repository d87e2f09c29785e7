//! Choosing a number of segments from the evidence for each.

use serde::{Deserialize, Serialize};

/// Prediction strength from which a number of segments is said to repeat on other customers.
///
/// Tibshirani and Walther (2005) found 0.8 to 0.9 to work well.
pub const REPEATS: f64 = 0.8;
/// Share of the widest mean silhouette that a number of segments must keep to be chosen before a smaller one.
pub const KEEPS: f64 = 0.9;

/// A choice with its reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The number of segments.
    pub k: usize,
    /// Whether it repeats on other customers.
    pub repeats: bool,
    /// The reason, as a sentence.
    pub reason: String,
}

/// What is known of one number of segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The number.
    pub k: usize,
    /// Prediction strength; NaN where it was not measured.
    pub strength: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Mean silhouette width; NaN where there is none.
    pub silhouette: f64,
    /// Bayesian information criterion; NaN where the method has no likelihood, or one that says nothing.
    pub bic: f64,
}

impl Candidate {
    fn repeats(&self) -> bool {
        self.strength + self.standard_error >= REPEATS
    }
}

/// Chooses a number.
///
/// A number repeats if its prediction strength, plus one standard error, reaches [`REPEATS`]. Of those that repeat, the
/// largest is chosen whose mean silhouette is at least [`KEEPS`] of the widest among them, since a cut through a group
/// can repeat too, but separates less. Where none repeats, the one with the widest mean silhouette is chosen.
///
/// Where the method has a likelihood, the number with the lowest BIC is chosen, and whether it repeats is said.
pub fn decide(candidates: &[Candidate]) -> Choice {
    let lowest = candidates.iter().filter(|found| !found.bic.is_nan());
    if let Some(lowest) = lowest.min_by(|a, b| a.bic.total_cmp(&b.bic)) {
        return by_likelihood(lowest, candidates);
    }
    let known: Vec<&Candidate> =
        candidates.iter().filter(|found| !found.silhouette.is_nan()).collect();
    let repeats: Vec<&Candidate> = known.iter().copied().filter(|found| found.repeats()).collect();
    let widest = repeats.iter().map(|found| found.silhouette).fold(f64::NEG_INFINITY, f64::max);
    let bar = if widest > 0.0 { KEEPS * widest } else { widest };
    if let Some(found) = repeats.iter().rev().find(|found| found.silhouette >= bar) {
        return Choice {
            k: found.k,
            repeats: true,
            reason: format!(
                "of the numbers of segments that repeat on other customers, {} is the largest that keeps them well \
                 apart: segments found on one random half assign the other half as its own segments do (prediction \
                 strength {:.2}, standard error {:.2}; the bar is {REPEATS}), and their mean silhouette is {:.2} \
                 (widest {widest:.2}; the bar is {:.0} % of it)",
                found.k,
                found.strength,
                found.standard_error,
                found.silhouette,
                100.0 * KEEPS
            ),
        };
    }
    let widest = known
        .iter()
        .copied()
        .reduce(|best, next| if best.silhouette >= next.silhouette { best } else { next });
    let (k, silhouette) = widest.map_or_else(
        || (candidates.first().map_or(1, |found| found.k), f64::NAN),
        |found| (found.k, found.silhouette),
    );
    let strongest = known.iter().map(|found| found.strength).fold(f64::NAN, f64::max);
    let reason = if widest.is_none() {
        format!("no number of segments tells customers apart; {k} is the first that was tried")
    } else if strongest.is_nan() {
        format!(
            "{k} separates best (mean silhouette {silhouette:.2}); whether it repeats on other customers was not \
             measured"
        )
    } else {
        format!(
            "no number of segments repeats on other customers (best prediction strength {strongest:.2}, the bar is \
             {REPEATS}); {k} separates best (mean silhouette {silhouette:.2}). Take these segments as a way to \
             cut the market, not as groups that exist by themselves"
        )
    };
    Choice { k, repeats: false, reason }
}

/// The number with the lowest BIC, and what else is known of it.
fn by_likelihood(lowest: &Candidate, candidates: &[Candidate]) -> Choice {
    let Candidate { k, strength, bic, .. } = *lowest;
    let next = candidates.iter().filter(|found| found.k != k && !found.bic.is_nan());
    let mut reason = format!("{k} has the lowest BIC ({bic:.1}");
    if let Some(next) = next.min_by(|a, b| a.bic.total_cmp(&b.bic)) {
        reason += &format!("; next is {} with {:.1}", next.k, next.bic);
    }
    reason += ")";
    if candidates.len() > 1 && candidates.last().is_some_and(|last| last.k == k) {
        reason += ", and is the largest that was tried, so that a larger one may be better still";
    }
    let repeats = k == 1 || lowest.repeats();
    reason += &if k == 1 {
        ": the customers are no more than one group".to_string()
    } else if repeats {
        format!(
            "; it repeats on other customers: segments found on one random half assign the other half as its own segments \
             do (prediction strength {strength:.2}; the bar is {REPEATS})"
        )
    } else if strength.is_nan() {
        "; whether it repeats on other customers was not measured".to_string()
    } else {
        format!(
            "; it does not repeat on other customers (prediction strength {strength:.2}; the bar is {REPEATS}): many \
             customers lie between segments, so take a single customer's segment with care"
        )
    };
    Choice { k, repeats, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(k: usize, strength: f64, silhouette: f64) -> Candidate {
        Candidate { k, strength, standard_error: 0.02, silhouette, bic: f64::NAN }
    }

    #[test]
    fn a_likelihood_decides_by_its_lowest_bic_and_says_whether_the_number_repeats() {
        let all = [(1, 900.0, f64::NAN), (2, 700.0, 0.95), (3, 710.0, 0.9)]
            .map(|(k, bic, strength)| Candidate { bic, ..candidate(k, strength, 0.3) });
        let choice = decide(&all);
        assert_eq!((choice.k, choice.repeats), (2, true));
        assert!(choice.reason.contains("next is 3 with 710.0"), "{}", choice.reason);
        let last = decide(&all[..2]);
        assert!(last.reason.contains("the largest that was tried"), "{}", last.reason);
        let weak = [all[0], Candidate { strength: 0.3, ..all[1] }, all[2]];
        assert!(!decide(&weak).repeats && decide(&weak).reason.contains("does not repeat"));
        let one = [all[0], Candidate { bic: f64::NAN, ..all[1] }];
        assert_eq!((decide(&one).k, decide(&one).repeats), (1, true));
    }

    #[test]
    fn the_largest_number_that_repeats_and_separates_is_chosen() {
        let all = [candidate(2, 0.99, 0.5), candidate(3, 0.79, 0.46), candidate(4, 0.3, 0.7)];
        assert_eq!((decide(&all).k, decide(&all).repeats), (3, true));
        let cut = [candidate(2, 0.99, 0.5), candidate(3, 0.9, 0.4), candidate(4, 0.3, 0.7)];
        assert_eq!((decide(&cut).k, decide(&cut).repeats), (2, true));
    }

    #[test]
    fn without_repetition_the_widest_silhouette_is_chosen_and_the_weakness_said() {
        let all = [candidate(2, 0.5, 0.1), candidate(3, 0.3, 0.3), candidate(4, 0.2, 0.3)];
        let choice = decide(&all);
        assert_eq!((choice.k, choice.repeats), (3, false));
        assert!(choice.reason.contains("not as groups that exist"));
    }

    #[test]
    fn what_was_not_measured_is_said() {
        let all = [candidate(1, f64::NAN, f64::NAN), candidate(2, f64::NAN, 0.4)];
        assert_eq!(decide(&all).k, 2);
        assert!(decide(&all).reason.contains("was not measured"));
        assert!(decide(&all[..1]).reason.contains("tells customers apart"));
    }
}
