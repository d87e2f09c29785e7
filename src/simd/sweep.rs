//! Distances of a few rows to all rows, added up by label as they are found, so that no matrix of distances exists.
//!
//! The few rows lie in the lanes. Each of the other rows gives one vector of distances, which is added to one vector of sums
//! per labelling: however many labellings there are, a distance is computed once, and adding it costs one load and one
//! store. With few labellings the pass is bound by the square roots and the arithmetic, never by memory.

use super::mixed::{MixedRows, costs};
use super::places::Place;
use super::vector::Vector;
use super::{Kernel, Lanes, MISSING, TILE, Tables};

/// Rows in lanes, which the other rows are compared with.
#[derive(Debug, Clone)]
pub(crate) struct Few {
    lanes: Lanes<f64>,
    tables: Tables,
    /// Which features each lane's row has, `(lane, word)`; empty where nothing is missing.
    masks: Vec<u64>,
}

impl Few {
    /// Room for `count` rows of `n_features` numbers and attributes with these numbers of categories.
    pub(crate) fn new(count: usize, n_features: usize, n_categories: &[u32]) -> Self {
        let lanes = Lanes::new(count, n_features);
        let tables = Tables::new(&lanes, n_categories);
        Self { lanes, tables, masks: Vec::new() }
    }

    /// Number of lanes, padding included.
    pub(crate) fn padded(&self) -> usize {
        self.lanes.padded()
    }

    /// Takes rows of numbers and codes; a category that differs costs the `gamma` of its attribute, a missing one nothing.
    pub(crate) fn set(&mut self, numbers: &[f64], codes: &[u32], gamma: &[f64], masks: &[u64]) {
        self.lanes.set(numbers);
        self.tables.set(codes, gamma);
        self.masks = masks.to_vec();
        let width = self.lanes.padded() / self.groups();
        for at in (0..codes.len()).filter(|&at| codes[at] == MISSING) {
            let (lane, attribute) = (at / gamma.len(), at % gamma.len());
            let (first, categories) = self.tables.attributes[attribute];
            for row in first..first + categories as usize + 2 {
                let row = lane / width * self.tables.n_rows + row;
                self.tables.values[row * width + lane % width] = 0.0;
            }
        }
    }

    fn groups(&self) -> usize {
        self.lanes.padded() / self.lanes.level.width::<f64>()
    }
}

/// Adds the distances of some rows to the few up by place.
pub(crate) struct Sweep<'a> {
    /// The rows in lanes.
    pub(crate) few: &'a Few,
    /// The other rows.
    pub(crate) rows: MixedRows<'a>,
    /// What a distance counts for; 1 where there are no weights.
    pub(crate) weights: Option<&'a [f64]>,
    /// Which features the other rows have, `(row, word)`; empty where nothing is missing.
    pub(crate) masks: &'a [u64],
    /// What a squared distance is multiplied by, by the number of features that both rows have.
    pub(crate) scale: &'a [f64],
    /// Which sums each row's distance goes to, `(row, labelling)`.
    pub(crate) places: &'a [u32],
    /// The sums, `(place, lane)`.
    pub(crate) sums: &'a mut [f64],
}

impl Sweep<'_> {
    /// Does it.
    pub(crate) fn apply(self) {
        let (n, padded) = (self.rows.n, self.few.padded());
        let (d, m) = (self.few.lanes.n_features, self.few.tables.attributes.len());
        assert_eq!(self.rows.numbers.len(), n * d, "whole rows of numbers");
        let n_codes = self.rows.places.narrow.len().max(self.rows.places.wide.len());
        assert_eq!(n_codes, n * m, "whole rows of codes");
        assert_eq!(self.rows.places.n_rows, self.few.tables.n_rows, "codes go with the tables");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        assert_eq!(self.places.len() % n.max(1), 0, "as many places for every row");
        assert_eq!(self.sums.len() % padded, 0, "one sum for every lane");
        let n_places = self.sums.len() / padded;
        assert!(self.places.iter().all(|&place| (place as usize) < n_places), "places have sums");
        self.few.lanes.level.run(self);
    }

    /// Handles the `R` rows from `first` on.
    ///
    /// # Safety
    ///
    /// That of [`Kernel::run`], the lengths that `apply` checks, `first + R` rows, and `codes` those of the rows.
    #[inline(always)]
    unsafe fn tile<V: Vector<Real = f64>, P: Place, const R: usize>(
        &mut self,
        codes: &[P],
        first: usize,
    ) {
        let Few { lanes, tables, .. } = self.few;
        let (padded, each) = (self.few.padded(), self.places.len() / self.rows.n);
        for group in 0..padded / V::WIDTH {
            // SAFETY: the caller promises the rows; every place has one sum per lane.
            unsafe {
                let squares = costs::<V, P, R>(lanes, tables, &self.rows, codes, first, group);
                for r in 0..R {
                    let row = first + r;
                    let weight = self.weights.map_or(1.0, |weights| *weights.get_unchecked(row));
                    let distance = self.distance::<V>(squares[r], row, group, weight);
                    let sums = self.sums.as_mut_ptr().add(group * V::WIDTH);
                    for at in 0..each {
                        let place = *self.places.get_unchecked(row * each + at) as usize;
                        let sum = sums.add(place * padded);
                        V::load(sum).add(distance).store(sum);
                    }
                }
            }
        }
    }

    /// Distances from squared ones.
    ///
    /// # Safety
    ///
    /// As for [`Sweep::tile`].
    #[inline(always)]
    unsafe fn distance<V: Vector<Real = f64>>(
        &self,
        squares: V,
        row: usize,
        group: usize,
        weight: f64,
    ) -> V {
        let mut lanes = [0.0_f64; 16];
        // SAFETY: no vector has more than 16 lanes.
        unsafe { squares.store(lanes.as_mut_ptr()) };
        if !self.masks.is_empty() {
            self.scaled::<V>(&mut lanes, row, group);
        }
        for lane in &mut lanes[..V::WIDTH] {
            *lane = weight * lane.sqrt();
        }
        // SAFETY: as above.
        unsafe { V::load(lanes.as_ptr()) }
    }

    /// Scales squared distances up to all features.
    #[inline(always)]
    fn scaled<V: Vector<Real = f64>>(&self, lanes: &mut [f64; 16], row: usize, group: usize) {
        let words = self.masks.len() / self.rows.n;
        let theirs = &self.masks[row * words..(row + 1) * words];
        for (lane, value) in lanes[..V::WIDTH].iter_mut().enumerate() {
            let at = (group * V::WIDTH + lane) * words;
            // Lanes of the padding have no mask.
            let Some(ours) = self.few.masks.get(at..at + words) else { continue };
            let both: u32 = ours.iter().zip(theirs).map(|(a, b)| (a & b).count_ones()).sum();
            *value *= self.scale[both as usize];
        }
    }
}

impl Sweep<'_> {
    /// Every row, in tiles, then one by one.
    ///
    /// # Safety
    ///
    /// That of [`Sweep::tile`].
    #[inline(always)]
    unsafe fn all<V: Vector<Real = f64>, P: Place>(mut self, codes: &[P]) {
        let n = self.rows.n;
        let tiles = n / TILE * TILE;
        // SAFETY: the caller's promises; tiles, then single rows, end at `n`.
        unsafe {
            for first in (0..tiles).step_by(TILE) {
                self.tile::<V, P, TILE>(codes, first);
            }
            for first in tiles..n {
                self.tile::<V, P, 1>(codes, first);
            }
        }
    }
}

impl Kernel for Sweep<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let codes = self.rows.places;
        // SAFETY: `apply` checked the lengths; the slice that is not empty holds the codes.
        unsafe {
            if codes.wide.is_empty() {
                self.all::<V, u16>(codes.narrow);
            } else {
                self.all::<V, u32>(codes.wide);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Level, Places};
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_level_gives_the_bits_of_the_scalar_twin(
            (d, n, few) in (1usize..12, 1usize..40, 1usize..20),
            seed in any::<u64>(),
        ) {
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let mut draw = |count: usize| -> Vec<f64> {
                (0..count).map(|_| rng.below(9) as f64 / 3.0).collect()
            };
            let (numbers, lanes) = (draw(n * d), draw(few * d));
            let places: Vec<u32> = (0..n).map(|row| row as u32 % 3).collect();
            let on = |level: Level| {
                let lanes_on = Lanes::new_on(level, few, d);
                let tables = Tables::new(&lanes_on, &[]);
                let mut held = Few { lanes: lanes_on, tables, masks: Vec::new() };
                held.set(&lanes, &[], &[], &[]);
                let codes = Places::new(&[], &held.tables);
                let padded = held.padded();
                let mut sums = vec![0.0; 3 * padded];
                Sweep {
                    few: &held,
                    rows: MixedRows {
                        numbers: &numbers,
                        places: codes.part(0, n),
                        n,
                        missing: false,
                    },
                    weights: None,
                    masks: &[],
                    scale: &[],
                    places: &places,
                    sums: &mut sums,
                }
                .apply();
                sums.chunks(padded).flat_map(|sums| sums[..few].to_vec()).collect::<Vec<f64>>()
            };
            let fused = on(Level::Fused);
            for level in Level::available() {
                let found = on(level);
                if level == Level::Plain {
                    for (a, b) in found.iter().zip(&fused) {
                        prop_assert!((a - b).abs() <= 1e-12 * b.max(1.0));
                    }
                } else {
                    prop_assert_eq!(&found, &fused);
                }
            }
        }
    }
}
