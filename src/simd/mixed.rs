//! Rows of numbers and categories against centres and modes.
//!
//! The numeric part is that of [`numeric`](super::numeric); a category costs one load from a table and one addition per
//! vector of clusters. Missing numbers and categories cost nothing. The counts of the categories follow the rows that
//! moved. The pass is bound by the table loads: one per row and attribute.

use super::numeric::distances;
use super::places::{Place, PlacesPart};
use super::vector::Vector;
use super::{Kernel, Lanes, TILE, Tables};

/// What one pass over some rows adds up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MixedSums {
    /// Weighted sums of the observed numbers of each cluster, `(k, n_numeric)`.
    pub(crate) values: Vec<f64>,
    /// Weight of the observed numbers, `(k, n_numeric)`; empty where no number is missing.
    pub(crate) observed: Vec<f64>,
    /// Weight of each row of the tables, `(k, n_rows)`.
    pub(crate) counts: Vec<f64>,
    /// Total weight of each cluster.
    pub(crate) weights: Vec<f64>,
    /// Weighted sum of the costs of the nearest clusters.
    pub(crate) cost: f64,
    /// Rows whose label changed.
    pub(crate) changed: usize,
}

impl MixedSums {
    /// Sums of nothing.
    pub(crate) fn new(k: usize, n_numeric: usize, n_table_rows: usize, missing: bool) -> Self {
        Self {
            values: vec![0.0; k * n_numeric],
            observed: vec![0.0; if missing { k * n_numeric } else { 0 }],
            counts: vec![0.0; k * n_table_rows],
            weights: vec![0.0; k],
            ..Self::default()
        }
    }

    /// Back to nothing, keeping the room.
    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
        self.observed.fill(0.0);
        self.counts.fill(0.0);
        self.weights.fill(0.0);
        (self.cost, self.changed) = (0.0, 0);
    }

    /// Back to nothing but for weights and counts, which follow the rows that move.
    pub(crate) fn clear_pass(&mut self) {
        self.values.fill(0.0);
        self.observed.fill(0.0);
        (self.cost, self.changed) = (0.0, 0);
    }

    /// Adds what another part of the rows gave.
    pub(crate) fn merge(&mut self, other: &Self) {
        add(&mut self.counts, &other.counts);
        add(&mut self.weights, &other.weights);
        self.merge_pass(other);
    }

    /// [`MixedSums::merge`] without weights and counts.
    pub(crate) fn merge_pass(&mut self, other: &Self) {
        add(&mut self.values, &other.values);
        add(&mut self.observed, &other.observed);
        self.cost += other.cost;
        self.changed += other.changed;
    }
}

fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// Some rows of numbers and categories.
#[derive(Clone, Copy)]
pub(crate) struct MixedRows<'a> {
    /// Numbers, one row after the other; missing is NaN.
    pub(crate) numbers: &'a [f64],
    /// Places of the category codes, one row after the other.
    pub(crate) places: PlacesPart<'a>,
    /// Number of rows.
    pub(crate) n: usize,
    /// Whether a number may be missing.
    pub(crate) missing: bool,
}

/// Gives each row the label of its nearest cluster, ties to the lowest, and adds the rows up.
pub(crate) struct MixedAssign<'a> {
    /// The centres.
    pub(crate) lanes: &'a Lanes<f64>,
    /// The costs of the categories.
    pub(crate) tables: &'a Tables,
    /// The rows.
    pub(crate) rows: MixedRows<'a>,
    /// Weights of the rows; 1 where there are none.
    pub(crate) weights: Option<&'a [f64]>,
    /// The labels before and after; those beyond `k` are none.
    pub(crate) labels: &'a mut [u32],
    /// Where to add: numbers of all rows, weights and categories of those that moved.
    pub(crate) sums: &'a mut MixedSums,
    /// Whether to add up the rows too, not only weights and cost.
    pub(crate) update: bool,
    /// Whether to add weight and categories of every row, as if none had a label before.
    pub(crate) afresh: bool,
}

fn check(lanes: &Lanes<f64>, tables: &Tables, rows: &MixedRows<'_>) {
    assert_eq!(rows.numbers.len(), rows.n * lanes.n_features, "whole rows of numbers");
    let n_places = rows.places.narrow.len().max(rows.places.wide.len());
    assert_eq!(n_places, rows.n * tables.attributes.len(), "whole rows of codes");
    assert_eq!(rows.places.n_rows, tables.n_rows, "places go with the tables");
    assert_eq!(tables.values.len(), tables.n_rows * lanes.padded(), "tables go with the lanes");
}

/// Costs of `R` rows in the clusters of one group.
///
/// # Safety
///
/// That of [`Kernel::run`], what [`check`] checks, `first + R` rows, `places` those of the rows, and `group` one of the lanes'
/// groups.
#[inline(always)]
pub(super) unsafe fn costs<V: Vector<Real = f64>, P: Place, const R: usize>(
    lanes: &Lanes<f64>,
    tables: &Tables,
    rows: &MixedRows<'_>,
    places: &[P],
    first: usize,
    group: usize,
) -> [V; R] {
    let (d, m) = (lanes.n_features, tables.attributes.len());
    // SAFETY: the caller's promises; every place is below `n_rows`.
    unsafe {
        let numbers = rows.numbers.as_ptr().add(first * d);
        let mut sums: [V; R] = if rows.missing {
            let centres = lanes.values.as_ptr().add(group * d * V::WIDTH);
            let mut sums = [V::load(lanes.bias.as_ptr().add(group * V::WIDTH)); R];
            for feature in 0..d {
                let centre = V::load(centres.add(feature * V::WIDTH));
                for r in 0..R {
                    let difference = V::splat(*numbers.add(r * d + feature)).sub(centre);
                    sums[r] = difference.zero_nan().square_add(sums[r]);
                }
            }
            sums
        } else {
            distances::<V, R>(lanes, numbers, group)
        };
        let places = places.as_ptr().add(first * m);
        let table = tables.values.as_ptr().add(group * tables.n_rows * V::WIDTH);
        for attribute in 0..m {
            for r in 0..R {
                let row = (*places.add(r * m + attribute)).at();
                sums[r] = sums[r].add(V::load(table.add(row * V::WIDTH)));
            }
        }
        sums
    }
}

impl MixedAssign<'_> {
    /// Does it.
    pub(crate) fn apply(self) {
        check(self.lanes, self.tables, &self.rows);
        let (n, d, k) = (self.rows.n, self.lanes.n_features, self.lanes.k());
        assert_eq!(self.labels.len(), n, "one label per row");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        assert_eq!(self.sums.weights.len(), k, "one total per cluster");
        if self.update {
            let observed = if self.rows.missing { k * d } else { 0 };
            assert_eq!(self.sums.values.len(), k * d, "one sum per centre value");
            assert_eq!(self.sums.observed.len(), observed, "one weight per centre value");
            assert_eq!(self.sums.counts.len(), k * self.tables.n_rows, "one count per category");
        }
        self.lanes.level.run(self);
    }

    /// # Safety
    ///
    /// That of [`Kernel::run`], the lengths that `apply` checks, `first + R` rows, and `places` those of the rows.
    #[inline(always)]
    unsafe fn tile<V: Vector<Real = f64>, P: Place, const R: usize>(
        &mut self,
        places: &[P],
        first: usize,
    ) {
        let mut nearest = [f64::INFINITY; R];
        let mut labels = [0; R];
        // SAFETY: the caller's promises; `lowest` gives a lane with a finite cost, hence a cluster below `k`.
        unsafe {
            for group in 0..self.lanes.padded() / V::WIDTH {
                let found =
                    costs::<V, P, R>(self.lanes, self.tables, &self.rows, places, first, group);
                let (costs, lanes, _) = V::two_lowest_of(found);
                for r in 0..R {
                    let closer = costs[r] < nearest[r];
                    let label = (group * V::WIDTH) as u32 + lanes[r];
                    nearest[r] = if closer { costs[r] } else { nearest[r] };
                    labels[r] = if closer { label } else { labels[r] };
                }
            }
            for r in 0..R {
                let cluster = labels[r] as usize;
                let weight = self.weights.map_or(1.0, |weights| *weights.get_unchecked(first + r));
                self.sums.cost += weight * nearest[r];
                let label = self.labels.get_unchecked_mut(first + r);
                let before = std::mem::replace(label, labels[r]);
                let moved = before != labels[r];
                self.sums.changed += usize::from(moved);
                if self.update {
                    self.add::<V>(first + r, cluster, weight);
                }
                if moved && !self.afresh && (before as usize) < self.lanes.k() {
                    self.count(places, first + r, before as usize, -weight);
                }
                if moved || self.afresh {
                    self.count(places, first + r, cluster, weight);
                }
            }
        }
    }

    /// Adds the numbers of one row to the sums of its cluster.
    ///
    /// # Safety
    ///
    /// That of [`MixedAssign::tile`]; `cluster` must be below `k`.
    #[inline(always)]
    unsafe fn add<V: Vector<Real = f64>>(&mut self, row: usize, cluster: usize, weight: f64) {
        let d = self.lanes.n_features;
        // SAFETY: `apply` checked that there are `d` sums for each cluster.
        unsafe {
            let numbers = self.rows.numbers.as_ptr().add(row * d);
            let values = self.sums.values.as_mut_ptr().add(cluster * d);
            if self.rows.missing {
                let observed = self.sums.observed.as_mut_ptr().add(cluster * d);
                for feature in 0..d {
                    let value = *numbers.add(feature);
                    let known = !value.is_nan();
                    *values.add(feature) += weight * if known { value } else { 0.0 };
                    *observed.add(feature) += if known { weight } else { 0.0 };
                }
            } else {
                V::accumulate(values, numbers, d, weight);
            }
        }
    }

    /// Adds the weight of one row to its cluster, and to its categories there.
    ///
    /// # Safety
    ///
    /// That of [`MixedAssign::tile`]; `cluster` must be below `k`.
    #[inline(always)]
    unsafe fn count<P: Place>(&mut self, places: &[P], row: usize, cluster: usize, weight: f64) {
        let (m, n_rows) = (self.tables.attributes.len(), self.tables.n_rows);
        // SAFETY: `apply` checked that there are `n_rows` counts for each cluster; every place is below that.
        unsafe {
            *self.sums.weights.get_unchecked_mut(cluster) += weight;
            if self.update {
                let places = places.as_ptr().add(row * m);
                let counts = self.sums.counts.as_mut_ptr().add(cluster * n_rows);
                for attribute in 0..m {
                    *counts.add((*places.add(attribute)).at()) += weight;
                }
            }
        }
    }

    /// Every row, in tiles, then one by one.
    ///
    /// # Safety
    ///
    /// That of [`MixedAssign::tile`].
    #[inline(always)]
    unsafe fn all<V: Vector<Real = f64>, P: Place>(mut self, places: &[P]) {
        let n = self.rows.n;
        let tiles = n / TILE * TILE;
        // SAFETY: the caller's promises; tiles, then single rows, end at `n`.
        unsafe {
            for first in (0..tiles).step_by(TILE) {
                self.tile::<V, P, TILE>(places, first);
            }
            for first in tiles..n {
                self.tile::<V, P, 1>(places, first);
            }
        }
    }
}

impl Kernel for MixedAssign<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let places = self.rows.places;
        // SAFETY: `apply` checked the lengths; the slice that is not empty holds the places.
        unsafe {
            if places.wide.is_empty() {
                self.all::<V, u16>(places.narrow);
            } else {
                self.all::<V, u32>(places.wide);
            }
        }
    }
}

/// Cost of each row in every cluster.
pub(crate) struct MixedDistances<'a> {
    /// The centres.
    pub(crate) lanes: &'a Lanes<f64>,
    /// The costs of the categories.
    pub(crate) tables: &'a Tables,
    /// The rows.
    pub(crate) rows: MixedRows<'a>,
    /// Where to write, [`Lanes::padded`] numbers per row; those beyond `k` are infinite.
    pub(crate) to: &'a mut [f64],
}

impl MixedDistances<'_> {
    /// Does it.
    pub(crate) fn apply(self) {
        check(self.lanes, self.tables, &self.rows);
        assert_eq!(self.to.len(), self.rows.n * self.lanes.padded(), "whole rows of costs");
        self.lanes.level.run(self);
    }
}

impl MixedDistances<'_> {
    /// # Safety
    ///
    /// That of [`Kernel::run`], the lengths that `apply` checks, and `places` those of the rows.
    #[inline(always)]
    unsafe fn all<V: Vector<Real = f64>, P: Place>(self, places: &[P]) {
        let padded = self.lanes.padded();
        for row in 0..self.rows.n {
            for group in 0..padded / V::WIDTH {
                // SAFETY: the caller's promises.
                unsafe {
                    let [costs] =
                        costs::<V, P, 1>(self.lanes, self.tables, &self.rows, places, row, group);
                    costs.store(self.to.as_mut_ptr().add(row * padded + group * V::WIDTH));
                }
            }
        }
    }
}

impl Kernel for MixedDistances<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let places = self.rows.places;
        // SAFETY: `apply` checked the lengths; the slice that is not empty holds the places.
        unsafe {
            if places.wide.is_empty() {
                self.all::<V, u16>(places.narrow);
            } else {
                self.all::<V, u32>(places.wide);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Level, MISSING, Places, UNSEEN};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_level_gives_the_bits_of_the_scalar_twin(
            (d, m, k, n) in (0usize..10, 0usize..6, 1usize..20, 1usize..40),
            seed in any::<u64>(),
            (missing, afresh) in any::<(bool, bool)>(),
        ) {
            let mut rng = crate::rng::Rng::stream(seed, crate::rng::Stage::Sample, 0);
            let mut number = |count: usize, holes: bool| -> Vec<f64> {
                (0..count)
                    .map(|_| match rng.below(8) {
                        7 if holes => f64::NAN,
                        value => value as f64 / 3.0,
                    })
                    .collect()
            };
            let (centres, numbers) = (number(k * d, false), number(n * d, missing));
            let weights = number(n, false);
            let mut rng = crate::rng::Rng::stream(seed, crate::rng::Stage::Start, 0);
            let n_categories: Vec<u32> = (0..m).map(|_| 1 + rng.below(4) as u32).collect();
            let gamma: Vec<f64> = (0..m).map(|_| rng.uniform()).collect();
            let modes: Vec<u32> =
                (0..k * m).map(|at| rng.below(n_categories[at % m] as usize) as u32).collect();
            let codes: Vec<u32> = (0..n * m)
                .map(|at| match rng.below(n_categories[at % m] as usize + 2) as u32 {
                    code if code < n_categories[at % m] => code,
                    code if code == n_categories[at % m] => MISSING,
                    _ => UNSEEN,
                })
                .collect();
            let before: Vec<u32> =
                (0..n).map(|_| if rng.below(3) == 0 { u32::MAX } else { rng.below(k) as u32 }).collect();
            let on = |level| {
                let mut lanes = Lanes::new_on(level, k, d);
                lanes.set(&centres);
                let mut tables = Tables::new(&lanes, &n_categories);
                tables.set(&modes, &gamma);
                let places = Places::new(&codes, &tables);
                let rows = MixedRows { numbers: &numbers, places: places.part(0, n), n, missing };
                let mut labels = before.clone();
                let mut sums = MixedSums::new(k, d, tables.n_rows(), missing);
                let weights = Some(weights.as_slice());
                let (lanes, tables) = (&lanes, &tables);
                let assign = MixedAssign {
                    lanes, tables, rows, weights, labels: &mut labels, sums: &mut sums, update: true, afresh,
                };
                assign.apply();
                let mut to = vec![0.0; n * lanes.padded()];
                MixedDistances { lanes, tables, rows, to: &mut to }.apply();
                let to: Vec<f64> =
                    to.chunks_exact(lanes.padded()).flat_map(|row| row[..k].to_vec()).collect();
                (labels, sums, to)
            };
            let (labels, sums, distances) = on(Level::Fused);
            for level in Level::available().into_iter().filter(|&level| level != Level::Plain) {
                prop_assert_eq!(on(level), (labels.clone(), sums.clone(), distances.clone()));
            }
            for (a, b) in on(Level::Plain).2.iter().zip(&distances) {
                prop_assert!((a - b).abs() <= 1e-12 * b.max(1e-30));
            }
            // The definition.
            for row in 0..n {
                for cluster in 0..k {
                    let mut cost = 0.0;
                    for j in 0..d {
                        let difference = numbers[row * d + j] - centres[cluster * d + j];
                        cost += if difference.is_nan() { 0.0 } else { difference * difference };
                    }
                    for a in 0..m {
                        let code = codes[row * m + a];
                        let differs = code != MISSING && code != modes[cluster * m + a];
                        cost += if differs { gamma[a] } else { 0.0 };
                    }
                    let found = distances[row * k + cluster];
                    prop_assert!((found - cost).abs() <= 1e-9, "{} {}", found, cost);
                }
            }
        }
    }
}
