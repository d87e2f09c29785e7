//! Scores of recency and frequency, and the names that marketers give to pairs of them.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Scores from 1 to `n_scores`: 1 plus the share of values that are strictly lower, in as many steps.
///
/// Equal values have equal scores. Missing values have score 0. `O(n log n)`.
pub fn scores(values: &[f64], n_scores: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut found = vec![0; values.len()];
    let mut lower = 0;
    for (position, &row) in order.iter().enumerate() {
        if position > 0 && values[row] > values[order[position - 1]] {
            lower = position;
        }
        found[row] = 1 + (lower as u64 * u64::from(n_scores) / order.len() as u64) as u32;
    }
    found
}

/// A named range of scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Lowest and highest score of recency.
    pub recency: (u32, u32),
    /// Lowest and highest score of frequency.
    pub frequency: (u32, u32),
}

/// The names that stand for a pair of scores of recency and frequency.
///
/// # Errors
///
/// [`Error::Argument`] if a range is outside the scores, a pair has two names or a pair has none.
pub fn check(segments: &[Named], n_scores: u32) -> Result<()> {
    let refuse = |found: String, wanted: String| Err(Error::argument("segments", found, wanted));
    for named in segments {
        for (what, (low, high)) in [("recency", named.recency), ("frequency", named.frequency)] {
            if low < 1 || high > n_scores || low > high {
                let found = format!("{:?} with scores of {what} from {low} to {high}", named.name);
                return refuse(found, format!("scores go from 1 to {n_scores}"));
            }
        }
    }
    for r in 1..=n_scores {
        for f in 1..=n_scores {
            let mut names = segments.iter().filter(|named| named.holds(r, f));
            match (names.next(), names.next()) {
                (None, _) => {
                    let found = format!("no name for recency {r} and frequency {f}");
                    return refuse(found, "each pair of scores needs one".to_string());
                }
                (Some(one), Some(other)) => {
                    let found = format!(
                        "{:?} and {:?} for recency {r} and frequency {f}",
                        one.name, other.name
                    );
                    return refuse(found, "each pair of scores needs one name".to_string());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

impl Named {
    fn holds(&self, recency: u32, frequency: u32) -> bool {
        (self.recency.0..=self.recency.1).contains(&recency)
            && (self.frequency.0..=self.frequency.1).contains(&frequency)
    }
}

/// Number of the range that holds these scores; `None` where a score is missing.
pub fn of(segments: &[Named], recency: u32, frequency: u32) -> Option<usize> {
    segments.iter().position(|named| named.holds(recency, frequency))
}
