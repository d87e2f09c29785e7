//! Lloyd's iterations on rows of numbers.
//!
//! A pass reads a coarse copy of all rows and only those rows whose label may have changed ([`Refine`]); the sums of a block
//! stay in the first-level cache. The copy is made once and serves every start.
//!
//! What limits it: with more rows than the caches hold, the fetching of single rows from all over memory, of which a
//! quarter to a half change their label and must be read for the sums; the coarse copy itself takes about a third of the time.
//! With rows in the caches and many centres, the products of bytes. Around the iterations, five passes read every row:
//! the check of the values, the copy, the first assignment, the last sums and the last labels.

use std::ops::Range;

use super::order::{canonical, permuted};
use super::rows::Rows;
use super::start::{self, Points};
use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::simd::{Assign, Distances, Lanes, Real, Refine, Running, Sieve, Sums};

/// The room that the iterations need, for one data set and number of clusters.
pub(crate) struct Lloyd<'a, T: Real> {
    rows: &'a Rows<'a, T>,
    k: usize,
    /// Rows per block: more where there are many clusters, so that the sums stay small beside the rows.
    block: usize,
    lanes: Lanes<T>,
    sieve: Sieve,
    /// Squared moves of the centres in the last iteration.
    moves: Vec<f64>,
    partials: Vec<Running>,
    running: Running,
    /// Weights and inertia of each block.
    finals: Vec<Sums>,
    pub(crate) sums: Sums,
    pub(crate) labels: Vec<u32>,
    pub(crate) centres: Vec<T>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) n_iter: usize,
    pub(crate) converged: bool,
}

impl<'a, T: Real> Lloyd<'a, T> {
    pub(crate) fn new(rows: &'a Rows<'a, T>, k: usize) -> Self {
        let block = BLOCK * (4 * k).div_ceil(BLOCK);
        let n_blocks = rows.n.div_ceil(block);
        let sums = Sums::new(k, 0);
        Self {
            rows,
            k,
            block,
            lanes: Lanes::new(k, rows.d),
            sieve: Sieve::new(k, rows.d),
            moves: vec![0.0; k],
            partials: Vec::new(),
            running: Running::new(k, rows.d),
            finals: vec![sums.clone(); n_blocks],
            sums,
            labels: vec![u32::MAX; rows.n],
            centres: vec![T::zero(); k * rows.d],
        }
    }

    /// Gives every row to its nearest centre, with sizes and inertia.
    fn assign(&mut self, monitor: &Monitor) -> Result<()> {
        self.lanes.set(&self.centres);
        let (rows, lanes) = (self.rows, &self.lanes);
        parallel::update_blocks_of(
            self.block,
            &mut self.labels,
            &mut self.finals,
            |first, labels, sums| {
                if monitor.check().is_ok() {
                    sums.clear();
                    let (rows, weights) = rows.part(first, labels.len());
                    Assign { lanes, rows, weights, labels, sums, update: false }.apply();
                }
            },
        );
        monitor.check()?;
        self.sums.clear();
        self.finals.iter().for_each(|part| self.sums.merge(part));
        Ok(())
    }

    /// Gives the rows that may have moved to their nearest centres and brings the sums up to date.
    fn refine(&mut self, fresh: bool, monitor: &Monitor) -> Result<()> {
        self.lanes.set(&self.centres);
        let sketch = self.rows.sketch.as_ref().filter(|_| !fresh);
        if let Some(sketch) = sketch {
            self.sieve.set(sketch, &self.centres);
        }
        let (rows, lanes, sieve) = (self.rows, &self.lanes, &self.sieve);
        parallel::update_blocks_of(
            self.block,
            &mut self.labels,
            &mut self.partials,
            |first, labels, sums| {
                if monitor.check().is_ok() {
                    let (rows, weights) = rows.part(first, labels.len());
                    let sift = sketch.and_then(|sketch| sieve.over(sketch, first, labels.len()));
                    Refine { lanes, rows, weights, labels, sift, sums, cancelled: false }.apply();
                }
            },
        );
        monitor.check()?;
        self.merge();
        Ok(())
    }

    /// Adds every row up by its label, so that no rounding of the moves remains, and moves the centres there.
    fn recount(&mut self, monitor: &Monitor) -> Result<()> {
        let rows = self.rows;
        parallel::update_blocks_of(
            self.block,
            &mut self.labels,
            &mut self.partials,
            |first, labels, sums| {
                if monitor.check().is_ok() {
                    let (rows, weights) = rows.part(first, labels.len());
                    sums.recount(rows, weights, labels);
                }
            },
        );
        monitor.check()?;
        self.merge();
        self.set_means();
        Ok(())
    }

    fn merge(&mut self) {
        self.running.clear();
        self.partials.iter().for_each(|part| self.running.merge(part));
    }

    /// Forgets the iterations before; makes room where there is none yet.
    fn begin(&mut self) {
        self.labels.fill(u32::MAX);
        if self.partials.is_empty() {
            self.partials = vec![Running::new(self.k, self.rows.d); self.finals.len()];
        } else {
            self.partials.iter_mut().for_each(Running::clear);
        }
    }

    /// Moves the centres to the means of their rows and gives the sum of squared shifts.
    fn update(&mut self, monitor: &Monitor) -> Result<f64> {
        self.set_means();
        if self.running.rows.contains(&0) {
            self.mend(monitor)?;
        }
        Ok(self.moves.iter().sum())
    }

    /// Moves the centres of clusters with rows to the means.
    fn set_means(&mut self) {
        let d = self.rows.d;
        let moves = &mut self.moves;
        moves.fill(0.0);
        for (cluster, centre) in self.centres.chunks_exact_mut(d).enumerate() {
            if self.running.rows[cluster] > 0 {
                let sums = &self.running.values[cluster * d..(cluster + 1) * d];
                for (value, sum) in centre.iter_mut().zip(sums) {
                    let mean = T::narrow(sum / self.running.weights[cluster]);
                    let moved = mean.wide() - value.wide();
                    moves[cluster] += moved * moved;
                    *value = mean;
                }
            }
        }
    }

    /// Moves each cluster without rows to the row that is farthest from every centre, which lowers the objective.
    fn mend(&mut self, monitor: &Monitor) -> Result<()> {
        let d = self.rows.d;
        let (empty, full): (Vec<usize>, Vec<usize>) =
            (0..self.k).partition(|&cluster| self.running.rows[cluster] == 0);
        let far = self.farthest(&self.centres, &full, empty.len(), monitor)?;
        for (cluster, row) in empty.into_iter().zip(far) {
            let moved = &mut self.moves[cluster];
            for (value, &to) in self.centres[cluster * d..].iter_mut().zip(self.rows.row(row)) {
                *moved += (to.wide() - value.wide()) * (to.wide() - value.wide());
                *value = to;
            }
        }
        Ok(())
    }

    /// Up to `count` rows, each the farthest from some of the centres and from the rows before it.
    pub(crate) fn farthest(
        &self,
        centres: &[T],
        clusters: &[usize],
        count: usize,
        monitor: &Monitor,
    ) -> Result<Vec<usize>> {
        let rows = self.rows;
        let mut lanes = Lanes::new(clusters.len(), rows.d);
        lanes.set(&permuted(centres, rows.d, clusters));
        let mut nearest = vec![T::zero(); rows.n];
        parallel::fill_blocks(&mut nearest, |first, nearest| {
            let mut distances = Vec::new();
            for (at, nearest) in nearest.iter_mut().enumerate() {
                let stride = rows.distances(&lanes, first + at..first + at + 1, &mut distances);
                *nearest = distances[..stride].iter().copied().fold(T::infinity(), T::min);
            }
        });
        start::farthest(rows, nearest, count, monitor)
    }

    /// Sums of the rows by their nearest centres.
    pub(crate) fn sum(&mut self, centres: &[T], monitor: &Monitor) -> Result<&Running> {
        self.centres.copy_from_slice(centres);
        self.begin();
        self.refine(true, monitor)?;
        Ok(&self.running)
    }

    /// Iterates from these centres; ends with labels, sizes and inertia of the final centres.
    pub(crate) fn run(
        &mut self,
        centres: &[T],
        max_iter: usize,
        tolerance: f64,
        keep_order: bool,
        monitor: &Monitor,
    ) -> Result<Ending> {
        self.centres.copy_from_slice(centres);
        self.begin();
        let mut ending = Ending { n_iter: 0, converged: false };
        while ending.n_iter < max_iter && !ending.converged {
            self.refine(ending.n_iter == 0, monitor)?;
            let shift = self.update(monitor)?;
            ending.n_iter += 1;
            ending.converged = shift <= tolerance;
            monitor.advance(1);
        }
        monitor.advance((max_iter - ending.n_iter) as u64);
        if ending.n_iter > 1 {
            self.recount(monitor)?;
        }
        self.sums.weights.clone_from(&self.running.weights);
        self.settle(keep_order, monitor)?;
        Ok(ending)
    }

    /// Ends with labels, sizes and inertia of the centres as they stand.
    pub(crate) fn finish(&mut self, keep_order: bool, monitor: &Monitor) -> Result<()> {
        self.assign(monitor)?;
        self.settle(keep_order, monitor)
    }

    /// Puts the clusters into their order by the sizes known so far and gives each row its label.
    fn settle(&mut self, keep_order: bool, monitor: &Monitor) -> Result<()> {
        // A row between two centres goes to the lower label, so a new order can move such rows and with them the
        // sizes; a few rounds settle it.
        for round in 0..8 {
            let reordered = !keep_order && self.reorder();
            if round > 0 && !reordered {
                break;
            }
            self.assign(monitor)?;
        }
        Ok(())
    }

    /// Gives each row to its nearest centre, from these centres.
    pub(crate) fn label(&mut self, centres: &[T], monitor: &Monitor) -> Result<()> {
        self.centres.copy_from_slice(centres);
        self.assign(monitor)
    }

    /// Distances (not squared) of each row to the centres of the last pass, `(n, k)`; stops early if interrupted.
    pub(crate) fn distances(&self, to: &mut [T], monitor: &Monitor) {
        let (k, rows, lanes) = (self.k, self.rows, &self.lanes);
        let mut nothing = vec![(); rows.n.div_ceil(BLOCK)];
        parallel::update_blocks_of(BLOCK * k, to, &mut nothing, |first, block, ()| {
            let mut squared = Vec::new();
            for (chunk, to) in block.chunks_mut(start::CHUNK * k).enumerate() {
                if monitor.check().is_err() {
                    return;
                }
                let from = first / k + chunk * start::CHUNK;
                let stride = rows.distances(lanes, from..from + to.len() / k, &mut squared);
                for (to, squared) in to.chunks_exact_mut(k).zip(squared.chunks_exact(stride)) {
                    to.iter_mut().zip(squared).for_each(|(to, squared)| *to = squared.sqrt());
                }
            }
        });
    }

    fn reorder(&mut self) -> bool {
        let d = self.rows.d;
        let centres = &self.centres;
        let tie = |a: usize, b: usize| {
            compare(&centres[a * d..(a + 1) * d], &centres[b * d..(b + 1) * d])
        };
        let Some(order) = canonical(&self.sums.weights, tie) else { return false };
        self.centres = permuted(&self.centres, d, &order);
        true
    }
}

/// Lexicographic order of rows of numbers; zeros are equal whatever their sign.
pub(crate) fn compare<T: Real>(a: &[T], b: &[T]) -> std::cmp::Ordering {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a.wide() + 0.0).total_cmp(&(b.wide() + 0.0)))
        .find(|order| order.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

impl<T: Real> Points for Rows<'_, T> {
    type Real = T;
    type Probe = Lanes<T>;

    fn n(&self) -> usize {
        self.n
    }

    fn weight(&self, row: usize) -> f64 {
        Rows::weight(self, row)
    }

    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        compare(self.row(a), self.row(b))
    }

    fn probe(&self, rows: &[usize]) -> Lanes<T> {
        let centres: Vec<T> = rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect();
        let mut lanes = Lanes::new(rows.len(), self.d);
        lanes.set(&centres);
        lanes
    }

    fn distances(&self, lanes: &Lanes<T>, rows: Range<usize>, to: &mut Vec<T>) -> usize {
        to.resize(rows.len() * lanes.padded(), T::zero());
        let (values, _) = self.part(rows.start, rows.len());
        Distances { lanes, rows: values, to }.apply();
        lanes.padded()
    }
}
