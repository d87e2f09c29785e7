//! How far two labellings of the same rows agree.

use super::assignment::best_matching;
use super::metric::n_labels;
use crate::error::{Error, Result};

/// Cells that a cross-table may have.
const MOST_CELLS: usize = 1 << 26;

/// Cross-table of two labellings: how many rows, or what weight of rows, have label `a` in the first and `b` in the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    counts: Vec<f64>,
    n_second: usize,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Agreement {
    /// Counts the pairs of labels in one pass.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the labellings differ in length, [`Error::MemoryLimit`] if they have too many labels.
    pub fn of(first: &[u32], second: &[u32]) -> Result<Self> {
        Self::count(first, second, |_| 1.0)
    }

    /// The same with weights: a row of weight 2 counts as two rows.
    ///
    /// # Errors
    ///
    /// As for [`Agreement::of`].
    pub fn weighted(first: &[u32], second: &[u32], weights: &[f64]) -> Result<Self> {
        if weights.len() != first.len() {
            return Err(Error::argument(
                "weights",
                format!("{} weights", weights.len()),
                format!("there are {} rows", first.len()),
            ));
        }
        Self::count(first, second, |row| weights[row])
    }

    fn count(first: &[u32], second: &[u32], weight: impl Fn(usize) -> f64) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::argument(
                "labels",
                format!("{} and {}", first.len(), second.len()),
                "both labellings must have one label per row",
            ));
        }
        let (n_first, n_second) = (n_labels(first), n_labels(second));
        if n_first.saturating_mul(n_second) > MOST_CELLS {
            return Err(Error::MemoryLimit {
                what: format!("a cross-table of {n_first} by {n_second} labels"),
                needed_bytes: 8 * n_first as u64 * n_second as u64,
                limit_bytes: 8 * MOST_CELLS as u64,
                alternative: "labels must name segments, not single customers".to_string(),
            });
        }
        let mut counts = vec![0.0; n_first * n_second];
        for (row, (&a, &b)) in first.iter().zip(second).enumerate() {
            counts[a as usize * n_second + b as usize] += weight(row);
        }
        let rows = counts.chunks(n_second.max(1));
        let first = rows.map(|row| row.iter().sum()).collect();
        let column = |at: usize| counts.iter().skip(at).step_by(n_second.max(1)).sum();
        let second = (0..n_second).map(column).collect();
        Ok(Self { counts, n_second, first, second })
    }

    /// The counts, `(first, second)`, row after row.
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// How many rows have each label in the first labelling, and in the second.
    pub fn sizes(&self) -> (&[f64], &[f64]) {
        (&self.first, &self.second)
    }

    /// Pairs of rows together in both labellings, in the first, in the second, and all pairs.
    fn pairs(&self) -> (f64, f64, f64, f64) {
        let pairs = |count: &f64| (count * (count - 1.0) / 2.0).max(0.0);
        let total: f64 = self.first.iter().sum();
        (
            self.counts.iter().map(pairs).sum(),
            self.first.iter().map(pairs).sum(),
            self.second.iter().map(pairs).sum(),
            pairs(&total),
        )
    }

    /// Adjusted Rand index: 1 for equal partitions, 0 on average for unrelated ones.
    ///
    /// Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2. One where both have one segment.
    pub fn adjusted_rand(&self) -> f64 {
        let (together, rows, columns, all) = self.pairs();
        let expected = rows * columns / all;
        let most = f64::midpoint(rows, columns);
        if all == 0.0 || most == expected { 1.0 } else { (together - expected) / (most - expected) }
    }

    /// Rand index: the share of pairs of rows that both labellings put together or both keep apart. Rand (1971), Objective
    /// criteria for the evaluation of clustering methods, Journal of the American Statistical Association 66.
    pub fn rand(&self) -> f64 {
        let (together, rows, columns, all) = self.pairs();
        if all == 0.0 { 1.0 } else { (all + 2.0 * together - rows - columns) / all }
    }

    /// Jaccard index of the pairs: of the pairs that one labelling puts together, the share that both do. One where neither
    /// puts any together.
    pub fn jaccard(&self) -> f64 {
        let (together, rows, columns, _) = self.pairs();
        let either = rows + columns - together;
        if either == 0.0 { 1.0 } else { together / either }
    }

    /// Normalised mutual information: what one labelling tells of the other, as a share of the mean of their entropies. One
    /// where both have one segment.
    ///
    /// Strehl and Ghosh (2002), Cluster ensembles, Journal of Machine Learning Research 3, with the arithmetic mean.
    pub fn normalised_information(&self) -> f64 {
        let total: f64 = self.first.iter().sum();
        let plogp =
            |count: f64| if count > 0.0 { count / total * (count / total).ln() } else { 0.0 };
        let entropy = |sizes: &[f64]| -sizes.iter().map(|&size| plogp(size)).sum::<f64>();
        let (first, second) = (entropy(&self.first), entropy(&self.second));
        let mean = f64::midpoint(first, second);
        if mean <= 0.0 {
            return 1.0;
        }
        let mut information = 0.0;
        for (at, &count) in self.counts.iter().enumerate() {
            if count > 0.0 {
                let (a, b) = (self.first[at / self.n_second], self.second[at % self.n_second]);
                information += count / total * (count * total / (a * b)).ln();
            }
        }
        (information / mean).clamp(0.0, 1.0)
    }

    /// Jaccard index of every segment of the first labelling with every one of the second: what they share of what either
    /// holds.
    pub fn jaccards(&self) -> Vec<f64> {
        let cell = |(at, &count): (usize, &f64)| {
            let either = self.first[at / self.n_second] + self.second[at % self.n_second] - count;
            if either > 0.0 { count / either } else { 0.0 }
        };
        self.counts.iter().enumerate().map(cell).collect()
    }

    /// For each label of the first labelling the label of the second that it is matched with, one to one, so that as many
    /// rows as possible agree; labels without rows are not matched.
    pub fn matching(&self) -> Vec<Option<usize>> {
        let matched = best_matching(&self.counts, self.n_second);
        let filled = |(a, b): (usize, Option<usize>)| {
            b.filter(|&b| self.first[a] > 0.0 && self.second[b] > 0.0)
        };
        matched.into_iter().enumerate().map(filled).collect()
    }

    /// Prediction strength: of the pairs of rows that share a segment of the first labelling, the share that also does
    /// in the second, for the segment where it is smallest. Segments of one row do not count.
    ///
    /// Tibshirani and Walther (2005), Cluster validation by prediction strength, Journal of Computational and
    /// Graphical Statistics 14.
    pub fn prediction_strength(&self) -> f64 {
        let pairs = |count: f64| (count * (count - 1.0)).max(0.0);
        self.counts
            .chunks(self.n_second.max(1))
            .zip(&self.first)
            .filter(|&(_, &size)| size > 1.0)
            .map(|(row, &size)| row.iter().map(|&count| pairs(count)).sum::<f64>() / pairs(size))
            .fold(1.0, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_of_the_reference_case() {
        let agreement =
            Agreement::of(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3], &[1, 1, 2, 2, 2, 3, 3, 3, 3, 1])
                .unwrap();
        approx::assert_abs_diff_eq!(agreement.adjusted_rand(), 0.204545, epsilon = 1e-6);
        approx::assert_abs_diff_eq!(agreement.rand(), 0.688889, epsilon = 1e-6);
    }

    #[test]
    fn renamed_labels_agree_fully() {
        let agreement = Agreement::of(&[0, 0, 1, 1, 2], &[2, 2, 0, 0, 1]).unwrap();
        assert_eq!((agreement.adjusted_rand(), agreement.prediction_strength()), (1.0, 1.0));
        assert_eq!((agreement.rand(), agreement.jaccard()), (1.0, 1.0));
        approx::assert_abs_diff_eq!(agreement.normalised_information(), 1.0, epsilon = 1e-15);
        assert_eq!(agreement.matching(), [Some(2), Some(0), Some(1)]);
    }

    #[test]
    fn weights_are_repeated_rows() {
        let weighted =
            Agreement::weighted(&[0, 0, 1, 1], &[0, 1, 1, 1], &[2.0, 1.0, 3.0, 1.0]).unwrap();
        let repeated = Agreement::of(&[0, 0, 0, 1, 1, 1, 1], &[0, 0, 1, 1, 1, 1, 1]).unwrap();
        assert_eq!(weighted, repeated);
    }

    #[test]
    fn prediction_strength_is_that_of_the_weakest_segment() {
        // Segment 0 stays together; segment 1 (4 rows) is cut in half: 4 of 12 ordered pairs remain.
        let agreement = Agreement::of(&[0, 0, 0, 1, 1, 1, 1], &[0, 0, 0, 1, 1, 2, 2]).unwrap();
        approx::assert_abs_diff_eq!(agreement.prediction_strength(), 4.0 / 12.0);
    }

    #[test]
    fn lengths_must_agree_and_labels_must_be_few() {
        assert!(Agreement::of(&[0], &[0, 1]).is_err());
        let many: Vec<u32> = (0..10_000).collect();
        assert!(matches!(Agreement::of(&many, &many), Err(Error::MemoryLimit { .. })));
    }
}
