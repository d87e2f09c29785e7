//! How centres and categories lie in memory: one lane per cluster, padded to full vectors.

use super::{Level, MISSING, Real};

/// Centres of `k` clusters, transposed: `[group][feature][lane]`, so that a load gives one feature of many centres.
///
/// Lanes beyond `k` start at an infinite distance and never win.
#[derive(Debug, Clone)]
pub(crate) struct Lanes<T> {
    pub(super) level: Level,
    pub(super) values: Vec<T>,
    /// What each lane's distance starts with: 0, or infinity beyond `k`; `[group][lane]`.
    pub(super) bias: Vec<T>,
    pub(super) n_features: usize,
    width: usize,
    k: usize,
}

impl<T: Real> Lanes<T> {
    /// Room for `k` centres, laid out for the fastest level of this processor.
    pub(crate) fn new(k: usize, n_features: usize) -> Self {
        Self::new_on(Level::best::<T>(k), k, n_features)
    }

    pub(super) fn new_on(level: Level, k: usize, n_features: usize) -> Self {
        let width = level.width::<T>();
        let padded = k.next_multiple_of(width);
        let bias = (0..padded).map(|lane| if lane < k { T::zero() } else { T::infinity() });
        Self {
            level,
            values: vec![T::zero(); padded * n_features],
            bias: bias.collect(),
            n_features,
            width,
            k,
        }
    }

    /// Takes new centres, row-major `(k, n_features)`.
    pub(crate) fn set(&mut self, centres: &[T]) {
        for (cluster, centre) in centres.chunks_exact(self.n_features.max(1)).enumerate() {
            let (group, lane) = (cluster / self.width, cluster % self.width);
            for (feature, &value) in centre.iter().enumerate() {
                self.values[(group * self.n_features + feature) * self.width + lane] = value;
            }
        }
    }

    /// Number of lanes, padding included.
    pub(crate) fn padded(&self) -> usize {
        self.bias.len()
    }

    /// Number of centres.
    pub(crate) fn k(&self) -> usize {
        self.k
    }
}

/// What a category costs in each cluster: `[group][row][lane]`, so that a row of the data costs one load and one addition
/// per attribute.
///
/// An attribute with `c` categories has `c + 2` rows: its categories, then missing (costs nothing), then unseen (differs from
/// every mode).
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(super) values: Vec<f64>,
    /// First row and number of categories of each attribute.
    pub(super) attributes: Vec<(usize, u32)>,
    pub(super) n_rows: usize,
    width: usize,
}

impl Tables {
    /// Room for attributes with these numbers of categories, to go with `lanes`.
    pub(crate) fn new(lanes: &Lanes<f64>, n_categories: &[u32]) -> Self {
        let mut n_rows = 0;
        let attributes = n_categories
            .iter()
            .map(|&categories| {
                let first = n_rows;
                n_rows += categories as usize + 2;
                (first, categories)
            })
            .collect();
        Self { values: vec![0.0; n_rows * lanes.padded()], attributes, n_rows, width: lanes.width }
    }

    /// Takes new modes, row-major `(k, n_attributes)`: a category that is not the mode costs `gamma` of its attribute.
    pub(crate) fn set(&mut self, modes: &[u32], gamma: &[f64]) {
        let n_attributes = self.attributes.len().max(1);
        for (cluster, modes) in modes.chunks_exact(n_attributes).enumerate() {
            let (group, lane) = (cluster / self.width, cluster % self.width);
            for ((&(first, categories), &mode), &gamma) in
                self.attributes.iter().zip(modes).zip(gamma)
            {
                for code in 0..categories + 2 {
                    let cost = if code == mode || code == categories { 0.0 } else { gamma };
                    let row = group * self.n_rows + first + code as usize;
                    self.values[row * self.width + lane] = cost;
                }
            }
        }
    }

    /// Number of rows: categories of all attributes, and two more for each.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// First row and number of categories of each attribute.
    pub(crate) fn attributes(&self) -> &[(usize, u32)] {
        &self.attributes
    }

    /// The row of a code; always below [`Tables::n_rows`], whatever the code.
    #[inline(always)]
    pub(super) fn row(first: usize, categories: u32, code: u32) -> usize {
        let code = if code < categories {
            code
        } else if code == MISSING {
            categories
        } else {
            categories + 1
        };
        first + code as usize
    }
}
