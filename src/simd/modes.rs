//! Rows of categories alone against modes: in how many attributes they differ.
//!
//! Codes are bytes, or two bytes where an attribute has more than 254 categories. Rows stand side by side, one attribute after
//! the other, so a comparison and a subtraction handle a register full of rows: these two instructions per cluster and
//! attribute are what limits a pass. The counts of the categories follow the rows that moved, so a pass in which few move
//! reads the codes once and writes next to nothing.

use std::ops::Range;

use super::side::{Code, OfCodes, Side, run};
use super::{Level, MISSING, MixedSums};

/// Rows that stand side by side.
pub(crate) const SIDE: usize = 256;

/// Registers of rows that share one mode.
const SHARE: usize = 4;

/// Rows of narrow codes, `[side][attribute][lane]`; lanes beyond the last row hold 0.
///
/// A code is the place of the category among the rows of its attribute in [`Tables`](super::Tables): missing and unseen come
/// behind the categories and equal no mode.
#[derive(Debug, Clone)]
pub(crate) struct Narrow<C> {
    codes: Vec<C>,
    /// Number of values missing, `[side][lane]`; empty where none is.
    missing: Vec<C>,
    n: usize,
    m: usize,
    level: Level,
}

impl<C: Code> Narrow<C> {
    /// Whether codes, counts and labels fit.
    pub(crate) fn fits(k: usize, n_categories: &[u32]) -> bool {
        let most = n_categories.iter().max().map_or(0, |&most| most as usize);
        most < C::MOST && n_categories.len() <= C::MOST && k <= C::MOST
    }

    /// Takes rows of codes, row-major; a code is below its number of categories, [`MISSING`] or unseen.
    pub(crate) fn new(codes: &[u32], n_categories: &[u32]) -> Self {
        Self::new_on(Level::best::<f64>(usize::MAX), codes, n_categories)
    }

    fn new_on(level: Level, codes: &[u32], n_categories: &[u32]) -> Self {
        let m = n_categories.len();
        assert!(m > 0 && codes.len().is_multiple_of(m), "whole rows of codes");
        let n = codes.len() / m;
        let mut found = Self {
            codes: vec![C::default(); n.div_ceil(SIDE) * SIDE * m],
            missing: Vec::new(),
            n,
            m,
            level,
        };
        const SIDES: usize = 16;
        let mut nothing = vec![(); n.div_ceil(SIDES * SIDE)];
        crate::parallel::update_blocks_of(
            SIDES * SIDE * m,
            &mut found.codes,
            &mut nothing,
            |first, part, ()| {
                let rows = codes[first..].chunks_exact(m);
                for (row, of_row) in rows.take(part.len() / m).enumerate() {
                    let start = row / SIDE * SIDE * m + row % SIDE;
                    for (attribute, (&code, &categories)) in
                        of_row.iter().zip(n_categories).enumerate()
                    {
                        let code = match code {
                            code if code < categories => code,
                            MISSING => categories,
                            _ => categories + 1,
                        };
                        part[start + attribute * SIDE] = C::narrow(code as usize);
                    }
                }
            },
        );
        if codes.contains(&MISSING) {
            found.missing = vec![C::default(); n.div_ceil(SIDE) * SIDE];
            for (missing, row) in found.missing.iter_mut().zip(codes.chunks_exact(m)) {
                *missing = C::narrow(row.iter().filter(|&&code| code == MISSING).count());
            }
        }
        found
    }

    /// Gives `to(cluster, counts)` the number of attributes in which rows from `first` on differ from each mode.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `S`; `first` must be a row of a side that exists, `modes` hold whole modes,
    /// and `R` registers from `first` on must end in the same side.
    #[inline(always)]
    unsafe fn counts<S: Side<C>, const R: usize>(
        &self,
        first: usize,
        modes: &[C],
        mut to: impl FnMut(usize, [S; R]),
    ) {
        let m = self.m;
        let start = first / SIDE * SIDE * m + first % SIDE;
        // SAFETY: the caller's promises.
        unsafe {
            let codes = self.codes.as_ptr().add(start);
            let full = S::splat(C::narrow(m));
            for (cluster, modes) in modes.chunks_exact(m).enumerate() {
                let mut counts = [full; R];
                for (attribute, &mode) in modes.iter().enumerate() {
                    let mode = S::splat(mode);
                    let codes = codes.add(attribute * SIDE);
                    for r in 0..R {
                        let code = S::load(codes.add(r * S::WIDTH));
                        counts[r] = counts[r].less_where_equal(code, mode);
                    }
                }
                to(cluster, counts);
            }
        }
    }
}

/// Gives each row the label of its nearest mode, ties to the lowest, and follows the rows that moved.
pub(crate) struct ModesAssign<'a, C> {
    /// All rows.
    pub(crate) rows: &'a Narrow<C>,
    /// The modes, `(k, m)`.
    pub(crate) modes: &'a [C],
    /// First row of each attribute in the counts.
    pub(crate) attributes: &'a [(usize, u32)],
    /// What a category that differs costs.
    pub(crate) gamma: f64,
    /// The first row of the part that is meant, a multiple of [`SIDE`].
    pub(crate) first: usize,
    /// Weights of the part's rows; 1 where there are none.
    pub(crate) weights: Option<&'a [f64]>,
    /// Labels of the part's rows before and after; those beyond `k` are none.
    pub(crate) labels: &'a mut [u32],
    /// Where to add what changes in weights and counts, and cost and number of changes.
    pub(crate) sums: &'a mut MixedSums,
    /// Whether the counts are to follow too, not only weights and cost.
    pub(crate) update: bool,
    /// Whether to add every row, as if none had a label before.
    pub(crate) afresh: bool,
}

impl<C: Code> ModesAssign<'_, C> {
    /// Does it.
    pub(crate) fn apply(self) {
        let (n, m, k) = (self.labels.len(), self.rows.m, self.sums.weights.len());
        assert!(self.first.is_multiple_of(SIDE), "whole sides");
        assert!(self.first + n <= self.rows.n, "rows that are there");
        assert!(self.weights.is_none_or(|weights| weights.len() == n), "one weight per row");
        assert_eq!(self.modes.len(), k * m, "one mode per cluster");
        assert!(k <= C::MOST && m <= C::MOST, "labels and counts fit");
        assert_eq!(self.attributes.len(), m, "one place per attribute");
        run(self.rows.level, self);
    }

    /// Adds one row to the sums of its cluster, or takes it away.
    fn add(&mut self, row: usize, cluster: usize, weight: f64) {
        self.sums.weights[cluster] += weight;
        if self.update {
            let m = self.rows.m;
            let start = row / SIDE * SIDE * m + row % SIDE;
            let n_rows = self.sums.counts.len() / self.sums.weights.len();
            let counts = &mut self.sums.counts[cluster * n_rows..(cluster + 1) * n_rows];
            let codes = self.rows.codes[start..].iter().step_by(SIDE);
            for (&(first, _), &code) in self.attributes.iter().zip(codes) {
                let code: u32 = code.into();
                counts[first + code as usize] += weight;
            }
        }
    }
}

impl<C: Code> OfCodes<C> for ModesAssign<'_, C> {
    #[inline(always)]
    unsafe fn run<S: Side<C>>(mut self) {
        let (n, k) = (self.labels.len(), self.sums.weights.len() as u32);
        let rows = self.rows;
        let mut mismatches = 0;
        let mut weighted = 0.0;
        for from in (0..n).step_by(SIDE) {
            let here = SIDE.min(n - from);
            let first = self.first + from;
            let (mut costs, mut found) = ([C::default(); SIDE], [C::default(); SIDE]);
            // SAFETY: the caller promises the instructions; `first` is a row, and the registers fill the side.
            unsafe {
                for lane in (0..SIDE).step_by(SHARE * S::WIDTH) {
                    let none = S::splat(C::narrow(C::MOST));
                    let (mut best, mut labels) = ([none; SHARE], [S::splat(C::default()); SHARE]);
                    rows.counts::<S, SHARE>(first + lane, self.modes, |cluster, counts| {
                        let cluster = S::splat(C::narrow(cluster));
                        for r in 0..SHARE {
                            (best[r], labels[r]) = best[r].nearer(labels[r], counts[r], cluster);
                        }
                    });
                    for r in 0..SHARE {
                        best[r].store(costs.as_mut_ptr().add(lane + r * S::WIDTH));
                        labels[r].store(found.as_mut_ptr().add(lane + r * S::WIDTH));
                    }
                }
            }
            let missing = rows.missing.get(first..first + here).unwrap_or(&[]);
            let cost = |lane: usize| -> u32 {
                let cost: u32 = costs[lane].into();
                cost - missing.get(lane).map_or(0, |&missing| missing.into())
            };
            match self.weights {
                Some(weights) => {
                    for lane in 0..here {
                        weighted += weights[from + lane] * f64::from(cost(lane));
                    }
                }
                None if missing.is_empty() => {
                    let costs = costs[..here].iter().map(|&cost| -> u32 { cost.into() });
                    mismatches += u64::from(costs.sum::<u32>());
                }
                None => mismatches += (0..here).map(|lane| u64::from(cost(lane))).sum::<u64>(),
            }
            let mut different = 0;
            for (label, &found) in self.labels[from..from + here].iter().zip(&found) {
                different |= *label ^ found.into();
            }
            if different == 0 && !self.afresh {
                continue;
            }
            for lane in 0..here {
                let row = from + lane;
                let (before, after) = (self.labels[row], found[lane].into());
                let weight = self.weights.map_or(1.0, |weights| weights[row]);
                let moved = before != after;
                if moved && before < k && !self.afresh {
                    self.add(first + lane, before as usize, -weight);
                }
                if moved || self.afresh {
                    self.add(first + lane, after as usize, weight);
                }
                self.sums.changed += usize::from(moved);
                self.labels[row] = after;
            }
        }
        let costs = if self.weights.is_some() { weighted } else { mismatches as f64 };
        self.sums.cost += self.gamma * costs;
    }
}

/// Number of attributes in which each row differs from each mode, times gamma.
pub(crate) struct ModesDistances<'a, C> {
    /// All rows.
    pub(crate) rows: &'a Narrow<C>,
    /// The modes, `(k, m)`.
    pub(crate) modes: &'a [C],
    /// What a category that differs costs.
    pub(crate) gamma: f64,
    /// The rows that are meant, in one side.
    pub(crate) part: Range<usize>,
    /// Where to write, `(rows, k)`.
    pub(crate) to: &'a mut [f64],
}

impl<C: Code> ModesDistances<'_, C> {
    /// Does it.
    pub(crate) fn apply(self) {
        let (m, k) = (self.rows.m, self.modes.len() / self.rows.m);
        assert!(self.part.end <= self.rows.n, "rows that are there");
        assert!(
            self.part.is_empty() || self.part.start / SIDE == (self.part.end - 1) / SIDE,
            "rows of one side"
        );
        assert_eq!(self.modes.len(), k * m, "whole modes");
        assert_eq!(self.to.len(), self.part.len() * k, "one cost per row and cluster");
        if !self.part.is_empty() {
            run(self.rows.level, self);
        }
    }
}

impl<C: Code> OfCodes<C> for ModesDistances<'_, C> {
    #[inline(always)]
    unsafe fn run<S: Side<C>>(self) {
        let k = self.modes.len() / self.rows.m;
        let mut lanes = [C::default(); SIDE];
        let mut row = self.part.start / S::WIDTH * S::WIDTH;
        while row < self.part.end {
            let here = self.part.start.max(row)..self.part.end.min(row + S::WIDTH);
            // SAFETY: the caller promises the instructions; `row` is a row that is there at a multiple of the width, which
            // divides `SIDE`.
            unsafe {
                self.rows.counts::<S, 1>(row, self.modes, |cluster, [counts]| {
                    counts.store(lanes.as_mut_ptr());
                    for row_here in here.clone() {
                        let count: u32 = lanes[row_here - row].into();
                        let missing = self.rows.missing.get(row_here).map_or(0, |&c| c.into());
                        let to = (row_here - self.part.start) * k + cluster;
                        self.to[to] = self.gamma * f64::from(count - missing);
                    }
                });
            }
            row += S::WIDTH;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Lanes, Tables, UNSEEN};
    use super::*;
    use crate::rng::{Rng, Stage};
    use proptest::prelude::*;

    fn check<C: Code>(m: usize, k: usize, n: usize, many: usize, seed: u64) {
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let n_categories: Vec<u32> = (0..m).map(|_| 1 + rng.below(many) as u32).collect();
        let code = |rng: &mut Rng, at: usize| rng.below(n_categories[at % m] as usize) as u32;
        let modes: Vec<u32> = (0..k * m).map(|at| code(&mut rng, at)).collect();
        let codes: Vec<u32> = (0..n * m)
            .map(|at| match rng.below(12) {
                0 => MISSING,
                1 => UNSEEN,
                _ => code(&mut rng, at),
            })
            .collect();
        let before: Vec<u32> = (0..n)
            .map(|_| if rng.below(4) == 0 { u32::MAX } else { rng.below(k) as u32 })
            .collect();
        let weights: Vec<f64> = (0..n).map(|_| rng.below(4) as f64).collect();
        let tables = Tables::new(&Lanes::new(k, 0), &n_categories);
        let narrow: Vec<C> = modes.iter().map(|&mode| C::narrow(mode as usize)).collect();
        // The definition.
        let count = |row: usize, cluster: usize| {
            let (codes, modes) = (&codes[row * m..][..m], &modes[cluster * m..][..m]);
            codes.iter().zip(modes).filter(|(code, mode)| **code != MISSING && code != mode).count()
        };
        let nearest =
            |row: usize| (0..k).min_by_key(|&cluster| (count(row, cluster), cluster)).unwrap_or(0);
        for (weights, afresh) in
            [(None, false), (Some(weights.as_slice()), false), (Some(&weights), true)]
        {
            let mut expected = MixedSums::new(k, 0, tables.n_rows(), false);
            for row in 0..n {
                let weight = weights.map_or(1.0, |weights| weights[row]);
                let after = nearest(row);
                expected.cost += 0.5 * weight * count(row, after) as f64;
                expected.changed += usize::from(before[row] != after as u32);
                let mut add = |cluster: usize, weight: f64| {
                    expected.weights[cluster] += weight;
                    for (&(first, categories), &code) in
                        tables.attributes().iter().zip(&codes[row * m..])
                    {
                        let at = Tables::row(first, categories, code);
                        expected.counts[cluster * tables.n_rows() + at] += weight;
                    }
                };
                if !afresh && (before[row] as usize) < k {
                    add(before[row] as usize, -weight);
                }
                add(after, weight);
            }
            for level in Level::available() {
                let rows = Narrow::<C>::new_on(level, &codes, &n_categories);
                let mut sums = MixedSums::new(k, 0, tables.n_rows(), false);
                let mut labels = before.clone();
                for first in (0..n).step_by(SIDE) {
                    let part = first..n.min(first + SIDE);
                    ModesAssign {
                        rows: &rows,
                        modes: &narrow,
                        attributes: tables.attributes(),
                        gamma: 0.5,
                        first,
                        weights: weights.map(|weights| &weights[part.clone()]),
                        labels: &mut labels[part],
                        sums: &mut sums,
                        update: true,
                        afresh,
                    }
                    .apply();
                }
                assert_eq!(sums, expected);
                assert!((0..n).all(|row| labels[row] as usize == nearest(row)));
                let part = rng.below(n.min(SIDE))..n.min(SIDE);
                let mut to = vec![0.0; part.len() * k];
                let (rows, modes, gamma) = (&rows, &narrow, 2.0);
                ModesDistances { rows, modes, gamma, part: part.clone(), to: &mut to }.apply();
                for (at, found) in to.iter().enumerate() {
                    assert_eq!(*found, 2.0 * count(part.start + at / k, at % k) as f64);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_level_counts_what_differs(
            (m, k, n) in (1usize..9, 1usize..12, 1usize..700), many in 1usize..5, seed in any::<u64>(),
        ) {
            check::<u8>(m, k, n, many, seed);
            check::<u16>(m, k, n, 80 * many, seed);
        }
    }

    #[test]
    fn as_many_attributes_categories_and_clusters_as_a_byte_holds() {
        assert!(Narrow::<u8>::fits(255, &[254; 255]) && !Narrow::<u8>::fits(2, &[255]));
        assert!(!Narrow::<u8>::fits(256, &[2]) && !Narrow::<u8>::fits(2, &[2; 256]));
        check::<u8>(255, 255, 30, 254, 1);
    }
}
