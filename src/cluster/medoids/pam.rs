//! FasterPAM: swaps of medoids and other rows until none pays.
//!
//! Schubert and Rousseeuw (2021), Fast and eager k-medoids clustering, Information Systems 101. Candidates are tried in the
//! order of the rows, and a swap that pays is made at once. Some candidates are judged ahead in parallel and only
//! the first that pays counts, so the swaps are those of a single thread, whatever their number.
//!
//! What limits the speed: judging a candidate reads its row of distances once. With few medoids the matrix comes from
//! memory as fast as two cores take it; each pass over the candidates reads it once.

use super::source::Dissimilarities;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::simd::{Distance, Standing};

/// Candidates that one task judges.
pub(crate) const CHUNK: usize = 8;
/// Candidates judged ahead after a swap, and at most.
const AHEAD: (usize, usize) = (2 * CHUNK, 64 * CHUNK);
/// Share of the loss that a swap must save; less is rounding.
const GAIN: f64 = 1e-12;

/// What a search has found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) medoids: Vec<usize>,
    pub(crate) loss: f64,
    /// Passes over the candidates, the last of them perhaps not full.
    pub(crate) n_iter: usize,
    pub(crate) n_swaps: usize,
    pub(crate) converged: bool,
}

/// Where the search stands.
struct State<'a, D> {
    data: &'a D,
    medoids: Vec<usize>,
    is_medoid: Vec<bool>,
    /// Distances of each medoid to all rows.
    rows: Vec<Vec<f64>>,
    standing: Standing,
    /// Which medoid is the second of each row.
    seconds: Vec<u32>,
    /// What removing each medoid costs.
    removal: Vec<f64>,
    loss: f64,
}

impl<'a, D: Dissimilarities> State<'a, D> {
    fn new(data: &'a D, weights: Option<&[f64]>, medoids: Vec<usize>) -> Self {
        let (n, k) = (data.n(), medoids.len());
        let mut is_medoid = vec![false; n];
        medoids.iter().for_each(|&row| is_medoid[row] = true);
        let mut room = Vec::new();
        let wide = |&row: &usize| data.row(row, &mut room).iter().map(|d| d.wide()).collect();
        let rows: Vec<Vec<f64>> = medoids.iter().map(wide).collect();
        let standing = Standing::new(n, k, weights);
        let mut state = Self {
            data,
            medoids,
            is_medoid,
            rows,
            standing,
            seconds: vec![0; n],
            removal: vec![0.0; k],
            loss: 0.0,
        };
        (0..n).for_each(|row| state.look_around(row));
        state.settle();
        state
    }

    /// Finds the nearest two medoids of a row anew, ties to the lowest.
    fn look_around(&mut self, row: usize) {
        let (mut near, mut second) = ((f64::INFINITY, 0), (f64::INFINITY, 0));
        for (medoid, distances) in self.rows.iter().enumerate() {
            let found = (distances[row], medoid as u32);
            if found.0 < near.0 {
                (near, second) = (found, near);
            } else if found.0 < second.0 {
                second = found;
            }
        }
        (self.standing.near[row], self.standing.labels[row]) = near;
        (self.standing.second[row], self.seconds[row]) = second;
    }

    /// Sums up after rows found their medoids.
    fn settle(&mut self) {
        self.standing.settle();
        self.removal.fill(0.0);
        self.loss = 0.0;
        for row in 0..self.seconds.len() {
            let (weight, near) = (self.standing.weight(row), self.standing.near[row]);
            let label = self.standing.labels[row] as usize;
            self.removal[label] += weight * (self.standing.second[row] - near);
            self.loss += weight * near;
        }
    }

    /// Puts a row in the place of a medoid.
    fn swap(&mut self, medoid: usize, candidate: usize) {
        let mut room = Vec::new();
        let distances = self.data.row(candidate, &mut room);
        self.rows[medoid].iter_mut().zip(distances).for_each(|(to, d)| *to = d.wide());
        self.is_medoid[self.medoids[medoid]] = false;
        self.is_medoid[candidate] = true;
        self.medoids[medoid] = candidate;
        let swapped = medoid as u32;
        for row in 0..self.seconds.len() {
            let distance = self.rows[medoid][row];
            let (label, near) = (self.standing.labels[row], self.standing.near[row]);
            if label == swapped || self.seconds[row] == swapped {
                self.look_around(row);
            } else if distance < near || (distance == near && swapped < label) {
                (self.standing.second[row], self.seconds[row]) = (near, label);
                (self.standing.near[row], self.standing.labels[row]) = (distance, swapped);
            } else if distance < self.standing.second[row] {
                (self.standing.second[row], self.seconds[row]) = (distance, swapped);
            }
        }
        self.settle();
    }

    /// The medoid that is best swapped for the candidate, where that pays.
    fn judge(
        &self,
        candidate: usize,
        room: &mut Vec<D::Real>,
        deltas: &mut [f64],
    ) -> Option<usize> {
        if self.is_medoid[candidate] {
            return None;
        }
        deltas.copy_from_slice(&self.removal);
        let shared = self.standing.judge(self.data.row(candidate, room), deltas);
        let best = (1..deltas.len()).fold(0, |a, b| if deltas[b] < deltas[a] { b } else { a });
        (shared + deltas[best] < -GAIN * self.loss).then_some(best)
    }
}

/// Swaps medoids and candidates from these medoids on until no swap lowers the loss, or for `max_iter` passes.
///
/// # Errors
///
/// [`crate::Error::Interrupted`].
pub(crate) fn swap_until_settled<D: Dissimilarities>(
    data: &D,
    weights: Option<&[f64]>,
    candidates: &[usize],
    start: Vec<usize>,
    max_iter: usize,
    monitor: &Monitor,
) -> Result<Found> {
    let (k, m) = (start.len(), candidates.len());
    if k == 1 {
        return single(data, weights, candidates, monitor);
    }
    let mut state = State::new(data, weights, start);
    let (mut at, mut since_swap, mut n_iter, mut n_swaps) = (0, 0, 1, 0);
    let mut ahead = AHEAD.0;
    while since_swap < m && state.loss > 0.0 {
        monitor.check()?;
        if at == m {
            if n_iter == max_iter {
                break;
            }
            monitor.advance(1);
            n_iter += 1;
            at = 0;
        }
        let count = ahead.min(m - at).min(m - since_swap);
        let judged = parallel::map_blocks_of(CHUNK, count, |range| {
            let (mut room, mut deltas) = (Vec::new(), vec![0.0; k]);
            let pays = |ahead| {
                state
                    .judge(candidates[at + ahead], &mut room, &mut deltas)
                    .map(|best| (ahead, best))
            };
            range.into_iter().find_map(pays)
        });
        match judged.into_iter().flatten().next() {
            Some((found, medoid)) => {
                state.swap(medoid, candidates[at + found]);
                (at, since_swap, ahead) = (at + found + 1, 1, AHEAD.0);
                n_swaps += 1;
            }
            None => {
                (at, since_swap) = (at + count, since_swap + count);
                ahead = (2 * ahead).min(AHEAD.1);
            }
        }
    }
    let converged = since_swap >= m || state.loss == 0.0;
    Ok(Found { medoids: state.medoids, loss: state.loss, n_iter, n_swaps, converged })
}

/// The row with the lowest weighted sum of distances.
fn single<D: Dissimilarities>(
    data: &D,
    weights: Option<&[f64]>,
    candidates: &[usize],
    monitor: &Monitor,
) -> Result<Found> {
    let (loss, best) = lowest_total(data, weights, candidates, monitor)?;
    Ok(Found { medoids: vec![best], loss, n_iter: 1, n_swaps: 0, converged: true })
}

/// The candidate with the lowest weighted sum of distances, ties to the first, and that sum.
pub(crate) fn lowest_total<D: Dissimilarities>(
    data: &D,
    weights: Option<&[f64]>,
    candidates: &[usize],
    monitor: &Monitor,
) -> Result<(f64, usize)> {
    let totals = Standing::new(data.n(), 1, weights);
    best_of(data, candidates, monitor, |row| -totals.total(row)).map(|(gain, row)| (-gain, row))
}

/// The candidate of the largest gain, ties to the first, and its gain.
pub(crate) fn best_of<D: Dissimilarities>(
    data: &D,
    candidates: &[usize],
    monitor: &Monitor,
    gain: impl Fn(&[D::Real]) -> f64 + Sync + Send,
) -> Result<(f64, usize)> {
    let blocks = parallel::map_blocks_of(CHUNK, candidates.len(), |range| {
        let mut room = Vec::new();
        let mut best = (f64::NEG_INFINITY, candidates[range.start]);
        if monitor.check().is_err() {
            return best;
        }
        for &row in &candidates[range] {
            let gain = gain(data.row(row, &mut room));
            if gain > best.0 {
                best = (gain, row);
            }
        }
        best
    });
    monitor.check()?;
    let first = (f64::NEG_INFINITY, candidates[0]);
    Ok(blocks.into_iter().fold(first, |best, found| if found.0 > best.0 { found } else { best }))
}
