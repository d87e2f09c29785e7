//! Moves of single rows between clusters of categories.
//!
//! Assigning rows to modes stops where several categories are equally frequent and the mode is but one of them: a row that has
//! another of them costs as much as one that has none. Counting what a move does to both clusters sees further; it is the
//! exchange of Hartigan and Wong (1979), A k-means clustering algorithm, for modes.

use super::mixed::Mixed;
use crate::simd::Tables;

/// What is gained by less than this share of a row's weight may be rounding.
const LEAST: f64 = 1e-9;
/// Times that all rows are looked at, at most; few do.
const SWEEPS: usize = 100;

/// The counts of the clusters, and the largest two of each attribute.
struct Counts<'a> {
    /// First count and number of categories of each attribute.
    attributes: &'a [(usize, u32)],
    gamma: &'a [f64],
    /// Weight of each category, `(k, n_rows)`.
    counts: Vec<f64>,
    /// The largest count and the largest of the others, `(k, m)`.
    largest: Vec<(f64, f64)>,
    n_rows: usize,
}

impl Counts<'_> {
    fn measure(&mut self, cluster: usize) {
        let m = self.attributes.len();
        for (attribute, &(first, categories)) in self.attributes.iter().enumerate() {
            let start = cluster * self.n_rows + first;
            let mut largest = (0.0, 0.0);
            for &count in &self.counts[start..start + categories as usize] {
                if count > largest.0 {
                    largest = (count, largest.0);
                } else if count > largest.1 {
                    largest.1 = count;
                }
            }
            self.largest[cluster * m + attribute] = largest;
        }
    }

    fn fill(&mut self, data: &Mixed, rows: &[(usize, f64)], labels: &[u32]) {
        self.counts.fill(0.0);
        for (&(row, weight), &label) in rows.iter().zip(labels) {
            self.add(data.codes(row), label as usize, weight);
        }
    }

    fn add(&mut self, codes: &[u32], cluster: usize, weight: f64) {
        for (&(first, categories), &code) in self.attributes.iter().zip(codes) {
            if code < categories {
                self.counts[cluster * self.n_rows + first + code as usize] += weight;
            }
        }
    }

    /// Sum of `f(count of the row's category, largest, next, gamma)` over what is observed.
    fn sum(&self, codes: &[u32], cluster: usize, f: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let m = self.attributes.len();
        let mut sum = 0.0;
        for (attribute, (&(first, categories), &code)) in
            self.attributes.iter().zip(codes).enumerate()
        {
            if code < categories {
                let count = self.counts[cluster * self.n_rows + first + code as usize];
                let (largest, next) = self.largest[cluster * m + attribute];
                sum += self.gamma[attribute] * f(count, largest, next);
            }
        }
        sum
    }

    /// By how much the objective falls when the row leaves its cluster.
    fn gain(&self, codes: &[u32], cluster: usize, weight: f64) -> f64 {
        self.sum(codes, cluster, |count, largest, next| {
            if count < largest { weight } else { weight - (largest - (largest - weight).max(next)) }
        })
    }

    /// By how much the objective grows when the row joins a cluster.
    fn price(&self, codes: &[u32], cluster: usize, weight: f64) -> f64 {
        self.sum(codes, cluster, |count, largest, _| {
            weight - ((count + weight).max(largest) - largest)
        })
    }
}

/// Moves rows one after the other to the cluster where the objective is lowest, until no move lowers it; gives the weight of each
/// category in each cluster, laid out as in `tables`, if one did.
///
/// `rows` are the different rows and their weights, `labels` their clusters.
pub(crate) fn improve(
    data: &Mixed,
    rows: &[(usize, f64)],
    labels: &mut [u32],
    tables: &Tables,
    gamma: &[f64],
    k: usize,
) -> Option<Vec<f64>> {
    let (attributes, n_rows) = (tables.attributes(), tables.n_rows());
    let mut counts = Counts {
        attributes,
        gamma,
        counts: vec![0.0; k * n_rows],
        largest: vec![(0.0, 0.0); k * attributes.len()],
        n_rows,
    };
    counts.fill(data, rows, labels);
    (0..k).for_each(|cluster| counts.measure(cluster));
    let mut improved = false;
    for _ in 0..SWEEPS {
        let mut moved = false;
        for (&(row, weight), label) in rows.iter().zip(labels.iter_mut()) {
            let codes = data.codes(row);
            let from = *label as usize;
            let gain = counts.gain(codes, from, weight);
            if gain <= 0.0 {
                continue;
            }
            let mut best = (from, gain);
            for cluster in (0..k).filter(|&cluster| cluster != from) {
                let price = counts.price(codes, cluster, weight);
                if price < best.1 {
                    best = (cluster, price);
                }
            }
            if best.1 < gain - LEAST * weight {
                counts.add(codes, from, -weight);
                counts.add(codes, best.0, weight);
                counts.measure(from);
                counts.measure(best.0);
                *label = best.0 as u32;
                (moved, improved) = (true, true);
            }
        }
        if !moved {
            break;
        }
    }
    improved.then(|| {
        // Afresh, without what rounding left.
        counts.fill(data, rows, labels);
        counts.counts
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};
    use crate::simd::{Lanes, MISSING};
    use ndarray::Array2;
    use proptest::prelude::*;

    /// The objective by its definition: weight of what is not the most frequent category.
    fn objective(
        codes: &Array2<u32>,
        weights: &[f64],
        labels: &[u32],
        gamma: &[f64],
        k: u32,
    ) -> f64 {
        let mut sum = 0.0;
        for cluster in 0..k {
            for (column, gamma) in codes.columns().into_iter().zip(gamma) {
                let members = || {
                    (0..labels.len())
                        .filter(|&row| labels[row] == cluster && column[row] != MISSING)
                };
                let of = |code: u32| -> f64 {
                    members().filter(|&row| column[row] == code).map(|row| weights[row]).sum()
                };
                let most = (0..4).map(of).fold(0.0, f64::max);
                sum += gamma * (members().map(|row| weights[row]).sum::<f64>() - most);
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn every_move_helps_and_in_the_end_none_does(
            (n, m, k) in (1usize..25, 1usize..5, 1u32..5), seed in any::<u64>(),
        ) {
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let codes = Array2::from_shape_simple_fn((n, m), || match rng.below(5) as u32 {
                4 => MISSING,
                code => code,
            });
            let weights: Vec<f64> = (0..n).map(|_| 0.5 * (1 + rng.below(4)) as f64).collect();
            let gamma: Vec<f64> = (0..m).map(|_| (1 + rng.below(3)) as f64).collect();
            let mut labels: Vec<u32> = (0..n).map(|_| rng.below(k as usize) as u32).collect();
            let data = Mixed::new(Array2::zeros((n, 0)).view(), codes.view(), &vec![4; m]).unwrap();
            let tables = Tables::new(&Lanes::new(k as usize, 0), &vec![4; m]);
            let rows: Vec<(usize, f64)> = weights.iter().copied().enumerate().collect();
            let cost = |labels: &[u32]| objective(&codes, &weights, labels, &gamma, k);
            let before = cost(&labels);
            let improved = improve(&data, &rows, &mut labels, &tables, &gamma, k as usize);
            let after = cost(&labels);
            prop_assert_eq!(improved.is_some(), after < before);
            for row in 0..n {
                for cluster in 0..k {
                    let mut other = labels.clone();
                    other[row] = cluster;
                    prop_assert!(cost(&other) >= after);
                }
            }
        }
    }
}
