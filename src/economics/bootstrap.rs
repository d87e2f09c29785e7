//! Resampling of customers: every figure from the same replicates.
//!
//! Each customer gets a Poisson(1) weight in each replicate, which is the bootstrap with a random sample size, and all
//! totals of a replicate are then scaled to the real number of rows, so that they vary as under resampling of a fixed
//! number (Hanley and MacGibbon 2006, Computer Methods and Programs in Biomedicine 83:57-62; Chamandy et al. 2012,
//! "Estimating uncertainty for massive data streams"). Weights need no memory and no communication: the weights of a
//! block of rows depend on the seed, the block and the replicates' chunk alone.
//!
//! Intervals are percentiles of the replicates. They need no standard error, and they hold for figures that can be
//! infinite ("never pays back"), for which the acceleration constant of BCa is not defined.

use super::survival::{HALF, Outcome};
use super::totals::{N_FIELDS, Row};
use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::rng::{Rng, Stage};
use serde::{Deserialize, Serialize};

/// Replicates of one task: their totals lie side by side, so that one row updates all of them with vector instructions.
pub(super) const LANES: usize = 32;

pub(super) type Lanes = [f64; LANES];

/// Totals and medians of every replicate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replicates {
    /// Number of replicates.
    pub n_boot: usize,
    /// Totals, indexed by segment, then field, then replicate.
    #[serde(with = "crate::persist::floats")]
    pub sums: Vec<f64>,
    /// Median days to sale, indexed by segment (everybody last), then replicate; empty where no dates were given.
    #[serde(with = "crate::persist::floats")]
    pub days: Vec<f64>,
}

impl Replicates {
    /// Totals of a segment in a replicate.
    pub fn sums(&self, segment: usize, replicate: usize) -> [f64; N_FIELDS] {
        std::array::from_fn(|field| {
            self.sums[(segment * N_FIELDS + field) * self.n_boot + replicate]
        })
    }

    /// Median days to sale of a segment in a replicate; everybody's at the index after the last segment.
    pub fn days(&self, segment: usize, replicate: usize) -> f64 {
        self.days.get(segment * self.n_boot + replicate).copied().unwrap_or(f64::NAN)
    }
}

/// Draws `n_boot` replicates of the totals of `n_segments`.
///
/// Costs one weight per row and replicate (about 1 ns with all totals); memory for one copy of the rows. The same seed
/// gives the same bits for any number of threads, and the first replicates of a longer run are those of a shorter one.
///
/// # Errors
///
/// [`crate::Error::Interrupted`] within one block of rows after the monitor was told to stop.
pub fn replicate(
    rows: &[Row],
    n_segments: usize,
    n_boot: usize,
    seed: u64,
    monitor: &Monitor,
) -> Result<Replicates> {
    if n_boot == 0 {
        return Ok(Replicates::default());
    }
    let sample = Sample::new(rows, n_segments);
    let n_chunks = n_boot.div_ceil(LANES);
    monitor.expect((n_chunks * sample.rows.len()) as u64);
    let chunks: Vec<Chunk> =
        parallel::map_tasks(n_chunks, |index| sample.chunk(index, seed, monitor))
            .into_iter()
            .collect::<Result<_>>()?;
    let n_days = if sample.time.is_empty() { 0 } else { n_segments + 1 };
    let mut out = Replicates {
        n_boot,
        sums: Vec::with_capacity(n_segments * N_FIELDS * n_boot),
        days: Vec::with_capacity(n_days * n_boot),
    };
    let in_order = |at: &dyn Fn(&Chunk) -> Lanes, to: &mut Vec<f64>| {
        let end = to.len() + n_boot;
        for chunk in &chunks {
            to.extend(at(chunk).iter().take(end - to.len()));
        }
    };
    for segment in 0..n_segments {
        for field in 0..N_FIELDS {
            in_order(&|chunk| chunk.sums[segment][field], &mut out.sums);
        }
    }
    for segment in 0..n_days {
        in_order(&|chunk| chunk.days[segment], &mut out.days);
    }
    Ok(out)
}

/// The rows that count, those of a segment together, in each segment by time.
struct Sample {
    rows: Vec<Row>,
    /// For each row the index of its cell, or `NO_CELL`.
    cell: Vec<u32>,
    /// Time and outcome of each cell, ascending; rows of all segments share cells.
    time: Vec<(f64, Outcome)>,
    n_segments: usize,
}

const NO_CELL: u32 = u32::MAX;

struct Chunk {
    sums: Vec<[Lanes; N_FIELDS]>,
    days: Vec<Lanes>,
}

impl Sample {
    fn new(rows: &[Row], n_segments: usize) -> Self {
        let mut rows: Vec<Row> =
            rows.iter().filter(|row| (row.segment as usize) < n_segments).copied().collect();
        // Stable, so that the order of equal rows is that of the data. NaN stands last.
        rows.sort_by(|a, b| {
            (a.segment.cmp(&b.segment))
                .then(a.days.total_cmp(&b.days))
                .then(a.outcome.cmp(&b.outcome))
        });
        let mut time: Vec<(f64, Outcome)> = rows
            .iter()
            .filter(|row| !row.days.is_nan())
            .map(|row| (row.days, row.outcome))
            .collect();
        time.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        time.dedup();
        let cell = rows
            .iter()
            .map(|row| {
                let key = (row.days, row.outcome);
                let order = |a: &(f64, Outcome)| a.0.total_cmp(&key.0).then(a.1.cmp(&key.1));
                time.binary_search_by(order).map_or(NO_CELL, |index| index as u32)
            })
            .collect();
        Self { rows, cell, time, n_segments }
    }

    /// The replicates of one chunk.
    fn chunk(&self, index: usize, seed: u64, monitor: &Monitor) -> Result<Chunk> {
        let mut sums = vec![[[0.0; LANES]; N_FIELDS]; self.n_segments];
        let mut days = vec![[f64::NAN; LANES]; self.n_segments + 1];
        let mut all_cells: Vec<Cell> =
            (0..self.time.len() as u32).map(|index| Cell { index, counts: [0; LANES] }).collect();
        // Cells of the segment at hand. Its rows stand in order of time, so that cells come one after another.
        let mut cells: Vec<Cell> = Vec::new();
        let mut n_drawn = [0.0; LANES];
        let mut current = 0;
        let mut close = |segment: usize, cells: &mut Vec<Cell>| {
            days[segment] = self.medians(cells);
            for cell in cells.drain(..) {
                let all = &mut all_cells[cell.index as usize].counts;
                for (all, count) in all.iter_mut().zip(cell.counts) {
                    *all += count;
                }
            }
        };
        for (block, rows) in self.rows.chunks(BLOCK).enumerate() {
            monitor.check()?;
            let mut rng =
                Rng::stream(seed, Stage::Bootstrap, ((block as u64) << 32) | index as u64);
            for (row, &cell) in rows.iter().zip(&self.cell[block * BLOCK..]) {
                let counts = poisson(&mut rng);
                let weights: Lanes = counts.map(f64::from);
                let segment = row.segment as usize;
                if segment != current {
                    close(current, &mut cells);
                    current = segment;
                }
                for (sum, &value) in sums[segment].iter_mut().zip(&row.values) {
                    // Most rows have 0 in some fields.
                    if value != 0.0 {
                        for (sum, weight) in sum.iter_mut().zip(&weights) {
                            *sum += weight * value;
                        }
                    }
                }
                for (sum, weight) in n_drawn.iter_mut().zip(&weights) {
                    *sum += weight;
                }
                if cell == NO_CELL {
                    continue;
                }
                match cells.last_mut().filter(|last| last.index == cell) {
                    Some(last) => {
                        for (sum, &count) in last.counts.iter_mut().zip(&counts) {
                            *sum += u32::from(count);
                        }
                    }
                    None => cells.push(Cell { index: cell, counts: counts.map(u32::from) }),
                }
            }
            monitor.advance(rows.len() as u64);
        }
        close(current, &mut cells);
        days[self.n_segments] = self.medians(&all_cells);
        let n_rows = self.rows.len() as f64;
        let scale = n_drawn.map(|drawn| n_rows / drawn);
        for sum in sums.iter_mut().flatten() {
            for (sum, scale) in sum.iter_mut().zip(&scale) {
                *sum *= scale;
            }
        }
        Ok(Chunk { sums, days })
    }

    /// The first time by which half of all spells are won, as [`super::survival::EventTable::median`], in each lane.
    fn medians(&self, cells: &[Cell]) -> Lanes {
        let mut at_risk = [0.0; LANES];
        for cell in cells {
            for (sum, &count) in at_risk.iter_mut().zip(&cell.counts) {
                *sum += f64::from(count);
            }
        }
        let mut median = at_risk.map(|n| if n > 0.0 { f64::INFINITY } else { f64::NAN });
        let (mut neither, mut won) = ([1.0; LANES], [0.0; LANES]);
        let time_of = |cell: &Cell| self.time[cell.index as usize].0;
        for same_time in cells.chunk_by(|a, b| time_of(a) == time_of(b)) {
            let mut ended: [Lanes; 3] = [[0.0; LANES]; 3];
            for cell in same_time {
                let outcome = self.time[cell.index as usize].1;
                ended[outcome as usize] = cell.counts.map(f64::from);
            }
            let [now_won, now_lost, now_open] = ended;
            for lane in 0..LANES {
                // Where nobody is at risk nothing can happen, and 1 avoids 0 / 0.
                let n = at_risk[lane].max(1.0);
                let before = won[lane];
                won[lane] += neither[lane] * now_won[lane] / n;
                neither[lane] *= 1.0 - (now_won[lane] + now_lost[lane]) / n;
                at_risk[lane] -= now_won[lane] + now_lost[lane] + now_open[lane];
                if before < HALF && won[lane] >= HALF {
                    median[lane] = time_of(&same_time[0]);
                }
            }
        }
        median
    }
}

/// Rows of one time and outcome in each lane.
struct Cell {
    index: u32,
    counts: [u32; LANES],
}

/// 65,536 times P(X < k + 1) for X ~ Poisson(1), rounded so that the mean is exactly 1: the sum of
/// 65,536 - threshold over all k is 65,536.
const POISSON: [u16; 8] = [24109, 48219, 60273, 64292, 65296, 65497, 65531, 65535];

/// Poisson(1) draws, 16 bits each: the number of thresholds that a uniform draw has reached.
pub(super) fn poisson(rng: &mut Rng) -> [u16; LANES] {
    let mut bits = [0u16; LANES];
    for four in bits.chunks_exact_mut(4) {
        let draw = rng.bits();
        for (shift, lane) in four.iter_mut().enumerate() {
            *lane = (draw >> (16 * shift)) as u16;
        }
    }
    let mut count = [0u16; LANES];
    for threshold in POISSON {
        for (count, &bits) in count.iter_mut().zip(&bits) {
            *count += u16::from(bits >= threshold);
        }
    }
    count
}

/// The `p`-quantile of `values` (sorted, no NaN) at position (n + 1) p, between order statistics linear; infinities stay.
///
/// Davison and Hinkley 1997, Bootstrap Methods and their Application, section 5.2. NaN where there is no value.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = ((sorted.len() as f64 + 1.0) * p - 1.0).clamp(0.0, last as f64);
    let below = position.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let part = position - below as f64;
    // Without the first case inf - inf would give NaN.
    if part == 0.0 || low == high { low } else { low + part * (high - low) }
}

/// The central interval of `values`; those that are NaN do not count, and fewer than half defined give NaN.
pub fn interval(mut values: Vec<f64>, confidence: f64) -> (f64, f64) {
    let n = values.len();
    values.retain(|value| !value.is_nan());
    if values.is_empty() || values.len() * 2 < n {
        return (f64::NAN, f64::NAN);
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    (quantile(&values, tail), quantile(&values, 1.0 - tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_mean_and_variance_one() {
        let mean: u32 = POISSON.iter().map(|&t| 65_536 - u32::from(t)).sum();
        assert_eq!(mean, 65_536);
        let mut rng = Rng::stream(1, Stage::Bootstrap, 0);
        let (mut sum, mut squares, n) = (0.0, 0.0, 20_000);
        for _ in 0..n {
            for count in poisson(&mut rng) {
                sum += f64::from(count);
                squares += f64::from(count).powi(2);
            }
        }
        let n = f64::from(n) * LANES as f64;
        assert!((sum / n - 1.0).abs() < 0.006, "{}", sum / n);
        assert!((squares / n - (sum / n).powi(2) - 1.0).abs() < 0.012);
    }

    #[test]
    fn quantiles_of_infinities_are_infinite_not_nan() {
        let inf = f64::INFINITY;
        assert_eq!(quantile(&[1.0, inf, inf], 0.6), inf);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), 2.0);
        assert_eq!(quantile(&[-inf, -inf, 0.0], 0.25), -inf);
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.0), 1.0);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 1.0), 3.0);
    }
}
