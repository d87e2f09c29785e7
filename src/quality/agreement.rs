//! How far two labellings of the same rows agree.

use crate::error::{Error, Result};

/// Cross-table of two labellings: `counts[a][b]` rows have label `a` in the first and `b` in the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    counts: Vec<Vec<u64>>,
}

impl Agreement {
    /// Counts the pairs of labels in one pass.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the labellings differ in length.
    pub fn of(first: &[u32], second: &[u32]) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::argument(
                "labels",
                format!("{} and {}", first.len(), second.len()),
                "both labellings must have one label per row",
            ));
        }
        let size = |labels: &[u32]| labels.iter().max().map_or(0, |&label| label as usize + 1);
        let mut counts = vec![vec![0; size(second)]; size(first)];
        for (&a, &b) in first.iter().zip(second) {
            counts[a as usize][b as usize] += 1;
        }
        Ok(Self { counts })
    }

    /// Adjusted Rand index: 1 for equal partitions, 0 on average for unrelated ones.
    ///
    /// Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2. One where both have one segment.
    pub fn adjusted_rand(&self) -> f64 {
        let pairs = |count: u64| count as f64 * (count as f64 - 1.0) / 2.0;
        let rows: f64 = self.first_sizes().map(pairs).sum();
        let columns: f64 = self.second_sizes().into_iter().map(pairs).sum();
        let together: f64 = self.counts.iter().flatten().map(|&count| pairs(count)).sum();
        let all = pairs(self.first_sizes().sum());
        let expected = rows * columns / all;
        let most = f64::midpoint(rows, columns);
        if all == 0.0 || most == expected { 1.0 } else { (together - expected) / (most - expected) }
    }

    /// Prediction strength: of the pairs of rows that share a segment of the first labelling, the share that also does
    /// in the second, for the segment where it is smallest. Segments of one row do not count.
    ///
    /// Tibshirani and Walther (2005), Cluster validation by prediction strength, Journal of Computational and
    /// Graphical Statistics 14.
    pub fn prediction_strength(&self) -> f64 {
        self.counts
            .iter()
            .filter_map(|row| {
                let size: u64 = row.iter().sum();
                let pairs = |count: u64| count as f64 * (count as f64 - 1.0);
                (size > 1).then(|| row.iter().map(|&count| pairs(count)).sum::<f64>() / pairs(size))
            })
            .fold(1.0, f64::min)
    }

    fn first_sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().map(|row| row.iter().sum())
    }

    fn second_sizes(&self) -> Vec<u64> {
        let n = self.counts.first().map_or(0, Vec::len);
        (0..n).map(|column| self.counts.iter().map(|row| row[column]).sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusted_rand_of_the_reference_case() {
        let agreement =
            Agreement::of(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3], &[1, 1, 2, 2, 2, 3, 3, 3, 3, 1])
                .unwrap();
        approx::assert_abs_diff_eq!(agreement.adjusted_rand(), 0.204545, epsilon = 1e-6);
    }

    #[test]
    fn renamed_labels_agree_fully() {
        let agreement = Agreement::of(&[0, 0, 1, 1, 2], &[2, 2, 0, 0, 1]).unwrap();
        assert_eq!((agreement.adjusted_rand(), agreement.prediction_strength()), (1.0, 1.0));
    }

    #[test]
    fn prediction_strength_is_that_of_the_weakest_segment() {
        // Segment 0 stays together; segment 1 (4 rows) is cut in half: 4 of 12 ordered pairs remain.
        let agreement = Agreement::of(&[0, 0, 0, 1, 1, 1, 1], &[0, 0, 0, 1, 1, 2, 2]).unwrap();
        approx::assert_abs_diff_eq!(agreement.prediction_strength(), 4.0 / 12.0);
    }

    #[test]
    fn lengths_must_agree() {
        assert!(Agreement::of(&[0], &[0, 1]).is_err());
    }
}
