//! Resampling of customers: every figure from the same replicates.
//!
//! Each customer gets a Poisson(1) weight in each replicate, which is the bootstrap with a random sample size, and all
//! totals of a replicate are then scaled to the real number of rows, so that they vary as under resampling of a fixed
//! number (Hanley and MacGibbon 2006, Computer Methods and Programs in Biomedicine 83:57-62; Chamandy et al. 2012,
//! "Estimating uncertainty for massive data streams"). Weights depend on the seed, the block of units and the
//! replicates' chunk alone.
//!
//! More than [`MAX_UNITS`] rows are first dealt at random into so many groups of equal size (to one row), across all
//! segments, and whole groups are resampled: the method of random groups (Wolter 2007, Introduction to Variance
//! Estimation, chapter 2). Rows being exchangeable, the groups' totals have the second and third moments of the rows',
//! so that intervals have the same expected width and skewness; a segment with few customers has each of them in a
//! group of its own. What is lost is precision of the standard error: its relative error is about
//! 1 / sqrt(2 x 4096) = 1.1 %, while the end of a 95 % interval from 1,000 replicates is only known to 8 % of a
//! standard error anyhow. What is won: a replicate costs the same however many customers there are, but for the days to
//! sale, where each of them is one addition of 16 bits.
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
const LANES: usize = 32;

type Lanes = [f64; LANES];

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

/// Units that are resampled, at most; more rows are dealt into so many groups.
pub const MAX_UNITS: usize = 4096;

/// Draws `n_boot` replicates of the totals of `n_segments`.
///
/// Costs 32 rows of additions per unit and segment for 32 replicates, and an addition of 16 bits per row with a date and
/// replicate; memory for the units' totals. The same seed gives the same bits for any number of threads, and the first
/// replicates of a longer run are those of a shorter one.
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
    let sample = Sample::new(rows, n_segments, seed);
    let n_chunks = n_boot.div_ceil(LANES);
    monitor.expect(n_chunks as u64 * sample.work());
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

/// What is resampled, and what it adds.
struct Sample {
    /// Rows in each unit.
    size: Vec<f64>,
    /// What a unit adds to a segment, segments in order.
    parts: Vec<Part>,
    /// Rows with a time, those of a segment and cell together: the unit of each.
    spells: Vec<u32>,
    /// Where `spells` are those of one segment and cell.
    spans: Vec<Span>,
    /// Time and outcome of each cell, ascending; rows of all segments share cells.
    time: Vec<(f64, Outcome)>,
    n_segments: usize,
}

/// Totals of the rows of a unit that are in one segment.
struct Part {
    unit: u32,
    segment: u32,
    values: [f64; N_FIELDS],
}

struct Span {
    segment: u32,
    cell: u32,
    first: usize,
    end: usize,
}

struct Chunk {
    sums: Vec<[Lanes; N_FIELDS]>,
    days: Vec<Lanes>,
}

impl Sample {
    fn new(rows: &[Row], n_segments: usize, seed: u64) -> Self {
        let order = in_order(rows, n_segments);
        let unit = deal(order.len(), seed);
        let mut size = vec![0.0; order.len().min(MAX_UNITS)];
        for &unit in &unit {
            size[unit as usize] += 1.0;
        }
        let mut sample = Self {
            parts: parts(rows, &order, &unit, size.len()),
            size,
            spells: Vec::new(),
            spans: Vec::new(),
            time: Vec::new(),
            n_segments,
        };
        sample.add_spells(rows, &order, &unit);
        sample
    }

    /// Sorts out times: `order` has them ascending within each segment.
    fn add_spells(&mut self, rows: &[Row], order: &[u32], unit: &[u32]) {
        let key = |&row: &u32| (rows[row as usize].days, rows[row as usize].outcome);
        let before = |a: &(f64, Outcome), b: &(f64, Outcome)| {
            a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
        };
        let mut first = 0;
        let mut starts = Vec::new();
        for same in order.chunk_by(|&a, &b| {
            rows[a as usize].segment == rows[b as usize].segment && key(&a) == key(&b)
        }) {
            let found = key(&same[0]);
            if !found.0.is_nan() {
                starts.push((rows[same[0] as usize].segment, found));
                let start = self.spells.len();
                self.spells.extend_from_slice(&unit[first..first + same.len()]);
                let end = self.spells.len();
                self.spans.push(Span { segment: starts[starts.len() - 1].0, cell: 0, first: start, end });
            }
            first += same.len();
        }
        self.time = starts.iter().map(|start| start.1).collect();
        self.time.sort_unstable_by(before);
        self.time.dedup();
        for (span, (_, key)) in self.spans.iter_mut().zip(&starts) {
            span.cell = self.time.partition_point(|time| before(time, key).is_lt()) as u32;
        }
    }

    /// Units of work of one chunk.
    fn work(&self) -> u64 {
        (self.size.len() + self.parts.len() + self.spells.len()) as u64
    }

    /// Weights of every unit in the replicates of one chunk.
    fn weights(&self, index: usize, seed: u64) -> Vec<[u16; LANES]> {
        let mut weights = Vec::with_capacity(self.size.len());
        for (block, units) in self.size.chunks(BLOCK).enumerate() {
            let mut rng =
                Rng::stream(seed, Stage::Bootstrap, ((block as u64) << 32) | index as u64);
            weights.extend(units.iter().map(|_| poisson(&mut rng)));
        }
        weights
    }

    /// The replicates of one chunk.
    fn chunk(&self, index: usize, seed: u64, monitor: &Monitor) -> Result<Chunk> {
        monitor.check()?;
        let weights = self.weights(index, seed);
        let mut n_drawn = [0.0; LANES];
        for (counts, size) in weights.iter().zip(&self.size) {
            for (sum, &count) in n_drawn.iter_mut().zip(counts) {
                *sum += size * f64::from(count);
            }
        }
        monitor.advance(self.size.len() as u64);
        let mut sums = vec![[[0.0; LANES]; N_FIELDS]; self.n_segments];
        for parts in self.parts.chunks(BLOCK) {
            monitor.check()?;
            for part in parts {
                let weights: Lanes = weights[part.unit as usize].map(f64::from);
                for (sum, &value) in sums[part.segment as usize].iter_mut().zip(&part.values) {
                    // Most parts have 0 in some fields.
                    if value != 0.0 {
                        for (sum, weight) in sum.iter_mut().zip(&weights) {
                            *sum += weight * value;
                        }
                    }
                }
            }
            monitor.advance(parts.len() as u64);
        }
        let n_rows: f64 = self.size.iter().sum();
        let scale = n_drawn.map(|drawn| n_rows / drawn);
        for sum in sums.iter_mut().flatten() {
            for (sum, scale) in sum.iter_mut().zip(&scale) {
                *sum *= scale;
            }
        }
        let days = self.days(&weights, monitor)?;
        Ok(Chunk { sums, days })
    }

    /// Median days to sale of each segment, everybody last.
    fn days(&self, weights: &[[u16; LANES]], monitor: &Monitor) -> Result<Vec<Lanes>> {
        let mut days = vec![[f64::NAN; LANES]; self.n_segments + 1];
        let mut all_cells: Vec<Cell> =
            (0..self.time.len() as u32).map(|index| Cell { index, counts: [0; LANES] }).collect();
        for spans in self.spans.chunk_by(|one, other| one.segment == other.segment) {
            monitor.check()?;
            let cells: Vec<Cell> = spans
                .iter()
                .map(|span| Cell {
                    index: span.cell,
                    counts: counts(&self.spells[span.first..span.end], weights),
                })
                .collect();
            for cell in &cells {
                let all = &mut all_cells[cell.index as usize].counts;
                for (all, count) in all.iter_mut().zip(cell.counts) {
                    *all += count;
                }
            }
            days[spans[0].segment as usize] = self.medians(&cells);
            let done = spans.iter().map(|span| span.end - span.first).sum::<usize>();
            monitor.advance(done as u64);
        }
        days[self.n_segments] = self.medians(&all_cells);
        Ok(days)
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

/// Indices of the rows that count by segment, time and outcome; equal rows in the order of the data, NaN last.
fn in_order(rows: &[Row], n_segments: usize) -> Vec<u32> {
    let mut keys: Vec<Vec<(u64, u64)>> = vec![Vec::new(); n_segments];
    for (index, row) in rows.iter().enumerate() {
        if let Some(keys) = keys.get_mut(row.segment as usize) {
            // Bits of numbers from 0 up have the order of the numbers.
            let days = if row.days.is_nan() { u64::MAX } else { (row.days + 0.0).to_bits() };
            keys.push((days, (row.outcome as u64) << 32 | index as u64));
        }
    }
    parallel::update_each(&mut keys, |_, keys| {
        if keys.iter().any(|key| key.0 != u64::MAX) {
            keys.sort_unstable();
        }
    });
    keys.iter().flatten().map(|key| key.1 as u32).collect()
}

/// The unit of each of `n` rows: its own, or one of [`MAX_UNITS`] groups that differ by one row at most.
fn deal(n: usize, seed: u64) -> Vec<u32> {
    if n <= MAX_UNITS {
        return (0..n as u32).collect();
    }
    let mut unit: Vec<u32> = (0..n).map(|row| (row % MAX_UNITS) as u32).collect();
    // Fisher and Yates.
    let mut rng = Rng::stream(seed, Stage::Sample, 0);
    for last in (1..n).rev() {
        unit.swap(last, rng.below(last + 1));
    }
    unit
}

/// Totals of each unit in each segment, of rows in the order of their segments.
fn parts(rows: &[Row], order: &[u32], unit: &[u32], n_units: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut first = 0;
    let segment_of = |row: u32| rows[row as usize].segment;
    for same in order.chunk_by(|&a, &b| segment_of(a) == segment_of(b)) {
        let segment = segment_of(same[0]);
        let mut place = vec![u32::MAX; n_units];
        for (&row, &unit) in same.iter().zip(&unit[first..]) {
            let at = &mut place[unit as usize];
            if *at == u32::MAX {
                *at = parts.len() as u32;
                parts.push(Part { unit, segment, values: [0.0; N_FIELDS] });
            }
            for (sum, value) in
                parts[*at as usize].values.iter_mut().zip(&rows[row as usize].values)
            {
                *sum += value;
            }
        }
        first += same.len();
    }
    parts
}

/// Sums of the weights of units in each lane.
fn counts(units: &[u32], weights: &[[u16; LANES]]) -> [u32; LANES] {
    let mut counts = [0u32; LANES];
    // A weight is 8 at most, so that so many fit 16 bits.
    for units in units.chunks(8191) {
        let mut few = [0u16; LANES];
        for &unit in units {
            for (sum, weight) in few.iter_mut().zip(&weights[unit as usize]) {
                *sum += weight;
            }
        }
        for (sum, &few) in counts.iter_mut().zip(&few) {
            *sum += u32::from(few);
        }
    }
    counts
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
fn poisson(rng: &mut Rng) -> [u16; LANES] {
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
