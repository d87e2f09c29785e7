//! Distances between customers, and their sums by segment without a matrix of distances.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::simd::{Few, Lanes, MixedRows, Places, Sweep, Tables};
use crate::table::{MISSING, Prepared};

/// Rows that are compared with all others at a time.
const TILE: usize = 32;
/// Rows that stay in the first-level cache while a tile is compared with them.
const CHUNK: usize = 64;

/// Rows between which distances are told.
///
/// The distance is the root of the squared differences of amounts plus `gamma` of each attribute whose categories differ,
/// over what both rows have, scaled up to all features. On amounts alone that is the Euclidean distance.
#[derive(Debug, Clone)]
pub struct Metric<'a> {
    numbers: Cow<'a, [f64]>,
    codes: Cow<'a, [u32]>,
    /// The codes as the kernels take them.
    places: Places,
    n: usize,
    d: usize,
    m: usize,
    n_categories: Vec<u32>,
    gamma: Vec<f64>,
    /// Which features a row has, `(row, word)`; empty where nothing is missing.
    masks: Vec<u64>,
    words: usize,
    /// What a squared distance is multiplied by, by the number of features that both rows have.
    scale: Vec<f64>,
    missing: bool,
}

impl<'a> Metric<'a> {
    /// Distances between prepared rows; one `gamma` per categorical feature, or one for all.
    pub fn new(rows: &'a Prepared, gamma: &[f64]) -> Self {
        let (n, d) = rows.numeric.dim();
        let m = rows.codes.ncols();
        let numbers = flat(&rows.numeric);
        let codes = flat(&rows.codes);
        let missing = numbers.iter().any(|value| value.is_nan());
        let all = d + m;
        let words = all.div_ceil(64);
        let mut masks = Vec::new();
        if missing || codes.contains(&MISSING) {
            masks = vec![0_u64; n * words];
            for row in 0..n {
                let has_number = |at: usize| !numbers[row * d + at].is_nan();
                let has_code = |at: usize| codes[row * m + at - d] != MISSING;
                for at in (0..all).filter(|&at| if at < d { has_number(at) } else { has_code(at) })
                {
                    masks[row * words + at / 64] |= 1 << (at % 64);
                }
            }
        }
        let one = gamma.first().copied().unwrap_or(1.0);
        let gamma = (0..m).map(|at| gamma.get(at).copied().unwrap_or(one)).collect();
        let share = |seen: usize| if seen == 0 { 0.0 } else { all as f64 / seen as f64 };
        let n_categories: Vec<u32> = rows.n_categories.iter().map(|&n| n as u32).collect();
        let tables = Tables::new(&Lanes::<f64>::new(1, d), &n_categories);
        Self {
            places: Places::new(&codes, &tables),
            numbers,
            codes,
            n,
            d,
            m,
            n_categories,
            gamma,
            masks,
            words,
            scale: (0..=all).map(share).collect(),
            missing,
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n
    }

    /// Number of features that are amounts.
    pub fn n_amounts(&self) -> usize {
        self.d
    }

    /// Amounts of a row; NaN is missing.
    pub fn numbers(&self, row: usize) -> &[f64] {
        &self.numbers[row * self.d..(row + 1) * self.d]
    }

    /// Categories of a row.
    pub fn codes(&self, row: usize) -> &[u32] {
        &self.codes[row * self.m..(row + 1) * self.m]
    }

    /// What a category that differs costs, per categorical feature.
    pub fn gamma(&self) -> &[f64] {
        &self.gamma
    }

    /// Number of categories of each categorical feature.
    pub fn n_categories(&self) -> &[u32] {
        &self.n_categories
    }

    /// Distance between a row and any other point.
    pub fn to_point(&self, row: usize, numbers: &[f64], codes: &[u32]) -> f64 {
        let (mut sum, mut seen) = (0.0, 0_usize);
        for (x, y) in self.numbers(row).iter().zip(numbers) {
            let difference = x - y;
            if !difference.is_nan() {
                sum += difference * difference;
                seen += 1;
            }
        }
        for ((&x, &y), gamma) in self.codes(row).iter().zip(codes).zip(&self.gamma) {
            if x != MISSING && y != MISSING {
                sum += if x == y { 0.0 } else { *gamma };
                seen += 1;
            }
        }
        (sum * self.scale[seen]).sqrt()
    }

    /// Distance between two rows.
    pub fn distance(&self, a: usize, b: usize) -> f64 {
        self.to_point(a, self.numbers(b), self.codes(b))
    }

    fn part(&self, first: usize, n: usize) -> MixedRows<'_> {
        MixedRows {
            numbers: &self.numbers[first * self.d..(first + n) * self.d],
            places: self.places.part(first, n),
            n,
            missing: self.missing,
        }
    }

    fn part_of_masks(&self, first: usize, n: usize) -> &[u64] {
        if self.masks.is_empty() {
            &[]
        } else {
            &self.masks[first * self.words..(first + n) * self.words]
        }
    }

    /// For each row, what `f` makes of its distances to all rows, added up by the segments of each labelling.
    ///
    /// `f(row, sums)` gets the sums of the first labelling's segments, then those of the second, and so on: weighted where
    /// there are weights. Each distance is computed once, whatever the number of labellings: time O(n² (features +
    /// labellings)), memory O(n labellings). Sums run over the rows in order, so the bits depend on nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a labelling or the weights have another length than the rows; [`Error::Interrupted`].
    pub fn sums_by_label<T: Send>(
        &self,
        labellings: &[&[u32]],
        weights: Option<&[f64]>,
        monitor: &Monitor,
        f: impl Fn(usize, &[f64]) -> T + Sync + Send,
    ) -> Result<Vec<T>> {
        let n = self.n;
        let lengths = labellings.iter().map(|labels| labels.len());
        if let Some(length) = lengths.chain(weights.map(<[f64]>::len)).find(|&len| len != n) {
            return Err(Error::argument("labels", length, format!("there are {n} rows")));
        }
        let mut places = vec![0_u32; n * labellings.len()];
        let mut n_places = 0;
        for (at, labels) in labellings.iter().enumerate() {
            for (row, &label) in labels.iter().enumerate() {
                places[row * labellings.len() + at] = n_places as u32 + label;
            }
            n_places += n_labels(labels);
        }
        let found = parallel::map_blocks_of(TILE, n, |rows| -> Result<Vec<T>> {
            monitor.check()?;
            let mut few = Few::new(rows.len(), self.d, &self.n_categories);
            let masks = self.part_of_masks(rows.start, rows.len());
            let numbers = &self.numbers[rows.start * self.d..rows.end * self.d];
            let codes = &self.codes[rows.start * self.m..rows.end * self.m];
            few.set(numbers, codes, &self.gamma, masks);
            let padded = few.padded();
            let mut sums = vec![0.0; n_places * padded];
            for first in (0..n).step_by(CHUNK) {
                let count = CHUNK.min(n - first);
                Sweep {
                    few: &few,
                    rows: self.part(first, count),
                    weights: weights.map(|weights| &weights[first..first + count]),
                    masks: self.part_of_masks(first, count),
                    scale: &self.scale,
                    places: &places[first * labellings.len()..(first + count) * labellings.len()],
                    sums: &mut sums,
                }
                .apply();
            }
            let mut own = vec![0.0; n_places];
            Ok(rows
                .enumerate()
                .map(|(lane, row)| {
                    for (place, own) in own.iter_mut().enumerate() {
                        *own = sums[place * padded + lane];
                    }
                    f(row, &own)
                })
                .collect())
        });
        let mut all = Vec::with_capacity(n);
        for block in found {
            all.extend(block?);
        }
        Ok(all)
    }
}

/// Number of segments that a labelling counts: one more than its largest label.
pub(crate) fn n_labels(labels: &[u32]) -> usize {
    labels.iter().max().map_or(0, |&label| label as usize + 1)
}

/// A matrix row after row.
fn flat<T: Copy>(matrix: &ndarray::Array2<T>) -> Cow<'_, [T]> {
    match matrix.as_slice() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(matrix.iter().copied().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};
    use ndarray::Array2;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_those_of_every_single_distance(
            (n, d, m) in (1usize..80, 0usize..6, 0usize..4),
            seed in any::<u64>(),
            holes in any::<bool>(),
            weighted in any::<bool>(),
        ) {
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let mut rows = Prepared {
                numeric: Array2::from_shape_fn((n, d), |_| rng.uniform() * 3.0),
                codes: Array2::zeros((n, m)),
                n_categories: vec![3; m],
            };
            rows.codes.mapv_inplace(|_: u32| rng.below(3) as u32);
            if holes {
                rows.numeric.mapv_inplace(|x| if rng.below(4) == 0 { f64::NAN } else { x });
                rows.codes.mapv_inplace(|x| if rng.below(4) == 0 { MISSING } else { x });
            }
            let gamma: Vec<f64> = (0..m).map(|at| 0.5 + at as f64).collect();
            let labels: Vec<Vec<u32>> =
                (1..4).map(|k| (0..n).map(|_| rng.below(k) as u32).collect()).collect();
            let weights: Vec<f64> = (0..n).map(|_| rng.below(4) as f64).collect();
            let weights = weighted.then_some(weights.as_slice());
            let metric = Metric::new(&rows, &gamma);
            let labellings: Vec<&[u32]> = labels.iter().map(Vec::as_slice).collect();
            let found = metric
                .sums_by_label(&labellings, weights, &Monitor::new(), |_, sums| sums.to_vec())
                .unwrap();
            for (row, found) in found.iter().enumerate() {
                let mut slow = Vec::new();
                for labels in &labels {
                    let mut sums = vec![0.0; n_labels(labels)];
                    for other in 0..n {
                        let weight = weights.map_or(1.0, |weights| weights[other]);
                        sums[labels[other] as usize] += weight * metric.distance(row, other);
                    }
                    slow.extend(sums);
                }
                for (a, b) in found.iter().zip(&slow) {
                    prop_assert!((a - b).abs() <= 1e-12 * b.max(1.0), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn categories_and_missing_values_count() {
        let rows = Prepared {
            numeric: Array2::from_shape_vec((3, 1), vec![0.0, f64::NAN, 3.0]).unwrap(),
            codes: Array2::from_shape_vec((3, 1), vec![0, 1, MISSING]).unwrap(),
            n_categories: vec![2],
        };
        let metric = Metric::new(&rows, &[0.5]);
        assert_eq!(metric.distance(0, 1), 1.0);
        assert_eq!(metric.distance(0, 2), 18.0_f64.sqrt());
        assert_eq!(metric.distance(1, 2), 0.0);
    }
}
