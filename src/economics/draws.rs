//! Poisson weights of rows in many replicates, for any figure: see [`super::bootstrap`].

use super::bootstrap::{LANES, Lanes, draw_into, interval};
use super::sheet::Estimate;
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, BLOCK, Monitor};
use crate::rng::{Rng, Stage};

/// The weights of `n_rows` rows in the replicates of one chunk; they can be gone through more than once.
pub(super) struct Draws<'m> {
    n_rows: usize,
    group: u64,
    chunk: u64,
    seed: u64,
    monitor: &'m Monitor,
}

impl Draws<'_> {
    /// Calls `f(row, weights)` for each row in order.
    pub(super) fn each(&self, mut f: impl FnMut(usize, &Lanes)) -> Result<()> {
        let mut weights = Vec::with_capacity(self.n_rows.min(BLOCK));
        for (block, first) in (0..self.n_rows).step_by(BLOCK).enumerate() {
            self.monitor.check()?;
            let task = (self.group << 48) | ((block as u64) << 16) | self.chunk;
            let rows = first..self.n_rows.min(first + BLOCK);
            weights.clear();
            draw_into(
                &mut weights,
                rows.len(),
                &mut Rng::stream(self.seed, Stage::Bootstrap, task),
            );
            for (row, weights) in rows.zip(&weights) {
                f(row, &weights.map(f64::from));
            }
        }
        Ok(())
    }
}

/// What `f` makes of each chunk of replicates, in order. Groups of rows that are drawn apart have different numbers.
pub(super) fn chunks<T: Send>(
    n_rows: usize,
    n_boot: usize,
    group: usize,
    seed: u64,
    monitor: &Monitor,
    f: impl Fn(&Draws<'_>) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let n_chunks = n_boot.div_ceil(LANES);
    monitor.expect((n_chunks * n_rows) as u64);
    parallel::map_tasks(n_chunks, |chunk| {
        let draws = Draws { n_rows, group: group as u64, chunk: chunk as u64, seed, monitor };
        let made = f(&draws);
        monitor.advance(n_rows as u64);
        made
    })
    .into_iter()
    .collect()
}

/// Refuses replicates of so many figures that they would not fit into memory.
pub(crate) fn check_memory(n_cells: usize, n_boot: usize) -> Result<()> {
    // Sums, figures, and a copy of them to be sorted.
    let needed = memory::matrix_bytes(n_cells, n_boot, 3 * size_of::<f64>());
    let way_out = "take fewer segments, or fewer replicates (n_boot=200)";
    memory::check(&format!("{n_boot} replicates"), needed, None, way_out)
}

/// Sums of each replicate, one vector of `n_cells` for each.
///
/// `row` calls its second argument with the cells that a row counts in and its values there. Sums are scaled to the real
/// number of rows, so that they vary as under resampling of a fixed number.
pub(crate) fn sums(
    n_rows: usize,
    n_cells: usize,
    n_boot: usize,
    group: usize,
    seed: u64,
    monitor: &Monitor,
    row: impl Fn(usize, &mut dyn FnMut(usize, f64)) + Sync + Send,
) -> Result<Vec<Vec<f64>>> {
    check_memory(n_cells, n_boot)?;
    let chunks = chunks(n_rows, n_boot, group, seed, monitor, |draws| {
        let mut sums = vec![[0.0; LANES]; n_cells];
        let mut drawn = [0.0; LANES];
        draws.each(|index, weights| {
            add(&mut drawn, weights, 1.0);
            row(index, &mut |cell, value| add(&mut sums[cell], weights, value));
        })?;
        for sum in &mut sums {
            for (sum, drawn) in sum.iter_mut().zip(&drawn) {
                *sum *= n_rows as f64 / drawn;
            }
        }
        Ok(sums)
    })?;
    Ok((0..n_boot)
        .map(|replicate| {
            let chunk = &chunks[replicate / LANES];
            chunk.iter().map(|lanes| lanes[replicate % LANES]).collect()
        })
        .collect())
}

/// Adds `value` times the weights.
#[inline]
pub(super) fn add(sums: &mut Lanes, weights: &Lanes, value: f64) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += weight * value;
    }
}

/// Figures of the data with the intervals of their replicates: `point[j]`, and `replicates[b][j]`.
pub(super) fn estimates(point: &[f64], replicates: &[Vec<f64>], confidence: f64) -> Vec<Estimate> {
    parallel::map_tasks(point.len(), |figure| {
        let drawn: Vec<f64> = replicates.iter().map(|figures| figures[figure]).collect();
        Estimate::new(point[figure], interval(drawn, confidence))
    })
}
