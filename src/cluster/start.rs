//! Rows to start from, and rows far from every centre, for any kind of data that can tell distances.

use std::cmp::Ordering;
use std::ops::Range;

use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::rng::Rng;
use crate::simd::Real;

/// Rows handled together, so that their distances stay in the first-level cache.
pub(crate) const CHUNK: usize = 64;
/// Candidates of greedy k-means++ at most.
const MOST_TRIALS: usize = 16;
/// Rows up to which distances to the candidates are kept, so that those to the one chosen are not computed again.
const KEPT: usize = 1 << 16;

/// Data that can tell the squared distance of its rows to some of them.
pub(crate) trait Points: Sync {
    /// Type of a distance.
    type Real: Real;
    /// Some rows laid out as centres.
    type Probe: Sync;

    /// Number of rows.
    fn n(&self) -> usize;

    /// Weight of a row.
    fn weight(&self, row: usize) -> f64;

    /// Order of two rows by content.
    fn compare(&self, a: usize, b: usize) -> Ordering;

    /// Lays out rows as centres.
    fn probe(&self, rows: &[usize]) -> Self::Probe;

    /// Writes the squared distances of `rows` to the probe's centres into the front of `to` and gives their stride.
    fn distances(&self, probe: &Self::Probe, rows: Range<usize>, to: &mut Vec<Self::Real>)
    -> usize;
}

/// What starting rows are drawn from.
///
/// Of small data these are the different rows in order of content, each with the weight of all its copies, so that neither the
/// order of the rows nor whether a customer counts twice or stands there twice changes what is drawn.
pub(crate) struct Pool<'a, P> {
    points: &'a P,
    different: Option<(Vec<usize>, Vec<f64>)>,
}

impl<'a, P: Points> Pool<'a, P> {
    pub(crate) fn new(points: &'a P) -> Self {
        if points.n() > BLOCK {
            return Self { points, different: None };
        }
        let mut order: Vec<usize> =
            (0..points.n()).filter(|&row| points.weight(row) > 0.0).collect();
        order.sort_by(|&a, &b| points.compare(a, b));
        let (mut rows, mut weights): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
        for row in order {
            match (rows.last(), weights.last_mut()) {
                (Some(&last), Some(weight)) if points.compare(last, row).is_eq() => {
                    *weight += points.weight(row);
                }
                _ => {
                    rows.push(row);
                    weights.push(points.weight(row));
                }
            }
        }
        Self { points, different: Some((rows, weights)) }
    }

    /// The rows of the data that the pool holds.
    pub(crate) fn rows(&self) -> Vec<usize> {
        self.different
            .as_ref()
            .map_or_else(|| (0..self.points.n()).collect(), |(rows, _)| rows.clone())
    }

    /// [`plus_plus`] on the pool, as rows of the data.
    pub(crate) fn plus_plus(
        &self,
        k: usize,
        rng: &mut Rng,
        monitor: &Monitor,
    ) -> Result<Vec<usize>> {
        Ok(self.of_data(plus_plus(self, k, rng, monitor)?))
    }

    /// [`random_rows`] of the pool, as rows of the data.
    pub(crate) fn random_rows(&self, k: usize, rng: &mut Rng) -> Vec<usize> {
        self.of_data(random_rows(self, k, rng))
    }

    fn of_data(&self, chosen: Vec<usize>) -> Vec<usize> {
        match &self.different {
            Some((rows, _)) => chosen.into_iter().map(|at| rows[at]).collect(),
            None => chosen,
        }
    }
}

impl<P: Points> Points for Pool<'_, P> {
    type Real = P::Real;
    type Probe = P::Probe;

    fn n(&self) -> usize {
        self.different.as_ref().map_or_else(|| self.points.n(), |(rows, _)| rows.len())
    }

    fn weight(&self, row: usize) -> f64 {
        self.different.as_ref().map_or_else(|| self.points.weight(row), |(_, weights)| weights[row])
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        a.cmp(&b)
    }

    fn probe(&self, rows: &[usize]) -> P::Probe {
        self.points.probe(&self.of_data(rows.to_vec()))
    }

    fn distances(&self, probe: &P::Probe, rows: Range<usize>, to: &mut Vec<P::Real>) -> usize {
        let Some((different, _)) = &self.different else {
            return self.points.distances(probe, rows, to);
        };
        let mut all = Vec::new();
        let mut stride = 1;
        for &row in &different[rows] {
            stride = self.points.distances(probe, row..row + 1, to);
            all.extend_from_slice(&to[..stride]);
        }
        *to = all;
        stride
    }
}

/// The partial results of a block of rows.
struct Part<T> {
    /// Distances of a chunk.
    distances: Vec<T>,
    /// Distances of all rows to the last candidates, chunk after chunk, where they are kept.
    kept: Vec<T>,
    /// What the sum of distances would be with each candidate.
    potentials: [f64; MOST_TRIALS],
    /// Weighted sum of the distances to the nearest centre.
    total: f64,
}

/// Weighted squared distances to the nearest of the rows chosen so far.
struct Nearest<'a, P: Points> {
    points: &'a P,
    nearest: Vec<P::Real>,
    parts: Vec<Part<P::Real>>,
}

impl<'a, P: Points> Nearest<'a, P> {
    fn new(points: &'a P) -> Self {
        let n = points.n();
        let part = || Part {
            distances: Vec::new(),
            kept: Vec::new(),
            potentials: [0.0; MOST_TRIALS],
            total: 0.0,
        };
        Self {
            points,
            nearest: vec![P::Real::narrow(f64::INFINITY); n],
            parts: (0..n.div_ceil(BLOCK)).map(|_| part()).collect(),
        }
    }

    /// Sum of distances if each of the candidates were chosen next.
    fn potentials(&mut self, candidates: &[usize], monitor: &Monitor) -> Result<Vec<f64>> {
        let probe = self.points.probe(candidates);
        let points = self.points;
        let keep = points.n() <= KEPT;
        parallel::update_blocks(&mut self.nearest, &mut self.parts, |first, nearest, part| {
            part.potentials = [0.0; MOST_TRIALS];
            part.kept.clear();
            if monitor.check().is_err() {
                return;
            }
            for (chunk, nearest) in nearest.chunks(CHUNK).enumerate() {
                let from = first + chunk * CHUNK;
                let stride =
                    points.distances(&probe, from..from + nearest.len(), &mut part.distances);
                let (sums, found) = (&mut part.potentials, &part.distances);
                let weight = |at: usize| points.weight(from + at);
                match stride {
                    4 => add::<_, 4>(sums, nearest, found, weight),
                    8 => add::<_, 8>(sums, nearest, found, weight),
                    _ => {
                        for (at, &nearest) in nearest.iter().enumerate() {
                            let distances = &found[at * stride..][..candidates.len()];
                            for (sum, &distance) in sums.iter_mut().zip(distances) {
                                let least = if distance < nearest { distance } else { nearest };
                                *sum += weight(at) * least.wide();
                            }
                        }
                    }
                }
                if keep {
                    part.kept.extend_from_slice(&found[..nearest.len() * stride]);
                }
            }
        });
        monitor.check()?;
        let mut potentials = vec![0.0; candidates.len()];
        for part in &self.parts {
            potentials.iter_mut().zip(part.potentials).for_each(|(to, from)| *to += from);
        }
        Ok(potentials)
    }

    /// Takes a row as centre; `candidate` is its place among the last candidates, if it was one.
    fn choose(&mut self, row: usize, candidate: Option<usize>, monitor: &Monitor) -> Result<()> {
        let probe = self.points.probe(&[row]);
        let points = self.points;
        parallel::update_blocks(&mut self.nearest, &mut self.parts, |first, nearest, part| {
            part.total = 0.0;
            if monitor.check().is_err() {
                return;
            }
            let kept = candidate.filter(|_| !part.kept.is_empty());
            let stride_kept = part.kept.len() / nearest.len();
            for (chunk, nearest) in nearest.chunks_mut(CHUNK).enumerate() {
                let from = first + chunk * CHUNK;
                let (found, stride, lane) = if let Some(candidate) = kept {
                    (&part.kept[chunk * CHUNK * stride_kept..], stride_kept, candidate)
                } else {
                    let rows = from..from + nearest.len();
                    let stride = points.distances(&probe, rows, &mut part.distances);
                    (part.distances.as_slice(), stride, 0)
                };
                for (at, nearest) in nearest.iter_mut().enumerate() {
                    let distance = found[at * stride + lane];
                    *nearest = if distance < *nearest { distance } else { *nearest };
                    part.total += points.weight(from + at) * nearest.wide();
                }
            }
        });
        monitor.check()
    }

    /// A row drawn with probability proportional to weight times distance; `None` where all are 0.
    fn draw(&self, totals: &[f64], rng: &mut Rng) -> Option<usize> {
        let all = totals.last().copied().filter(|total| *total > 0.0)?;
        let target = rng.uniform() * all;
        let block = totals.partition_point(|&total| total <= target).min(totals.len() - 1);
        let mut sum = if block == 0 { 0.0 } else { totals[block - 1] };
        let mut last = None;
        for row in block * BLOCK..self.points.n().min((block + 1) * BLOCK) {
            let share = self.points.weight(row) * self.nearest[row].wide();
            sum += share;
            if share > 0.0 {
                last = Some(row);
                if sum > target {
                    break;
                }
            }
        }
        last
    }

    fn totals(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let add = |part: &Part<_>| {
            sum += part.total;
            sum
        };
        self.parts.iter().map(add).collect()
    }
}

/// Adds to each sum the weighted distance of every row to the nearer of its nearest row so far and a candidate, of which there
/// are as many as lanes.
fn add<T: Real, const N: usize>(
    sums: &mut [f64; MOST_TRIALS],
    nearest: &[T],
    distances: &[T],
    weight: impl Fn(usize) -> f64,
) {
    let mut added = [0.0; N];
    added.copy_from_slice(&sums[..N]);
    for (at, (&nearest, distances)) in nearest.iter().zip(distances.as_chunks::<N>().0).enumerate()
    {
        let weight = weight(at);
        for lane in 0..N {
            let distance = distances[lane];
            let least = if distance < nearest { distance } else { nearest };
            added[lane] += weight * least.wide();
        }
    }
    sums[..N].copy_from_slice(&added);
}

/// `k` rows by greedy k-means++: each next row is the best of `2 + ln k` rows drawn with probability proportional to weight
/// times squared distance to the nearest row so far.
///
/// Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding; the greedy form is theirs too. Where
/// fewer than `k` rows differ, the rest are repetitions.
pub(crate) fn plus_plus<P: Points>(
    points: &P,
    k: usize,
    rng: &mut Rng,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    let trials = (2 + (k as f64).ln() as usize).min(MOST_TRIALS);
    let mut chosen = random_rows(points, 1, rng);
    let mut nearest = Nearest::new(points);
    let mut candidate = None;
    for _ in 1..k {
        let last = chosen[chosen.len() - 1];
        nearest.choose(last, candidate, monitor)?;
        let totals = nearest.totals();
        let candidates: Vec<usize> =
            (0..trials).filter_map(|_| nearest.draw(&totals, rng)).collect();
        let next = if candidates.is_empty() {
            candidate = None;
            last
        } else {
            let potentials = nearest.potentials(&candidates, monitor)?;
            let best = (1..candidates.len())
                .fold(0, |best, at| if potentials[at] < potentials[best] { at } else { best });
            candidate = Some(best);
            candidates[best]
        };
        chosen.push(next);
    }
    Ok(chosen)
}

/// `k` different rows drawn with probability proportional to their weights; repetitions where fewer have a weight.
pub(crate) fn random_rows<P: Points>(points: &P, k: usize, rng: &mut Rng) -> Vec<usize> {
    let mut sum = 0.0;
    let totals: Vec<f64> = (0..points.n())
        .map(|row| {
            sum += points.weight(row);
            sum
        })
        .collect();
    let with_weight = (0..points.n()).filter(|&row| points.weight(row) > 0.0).count();
    let mut chosen = Vec::with_capacity(k);
    let mut taken = std::collections::HashSet::new();
    if 2 * k > with_weight {
        // Rejection would be slow: draw the order of all rows instead (Efraimidis and Spirakis 2006).
        let mut keys: Vec<(f64, usize)> = (0..points.n())
            .filter(|&row| points.weight(row) > 0.0)
            .map(|row| (rng.exponential() / points.weight(row), row))
            .collect();
        keys.sort_by(|a, b| a.0.total_cmp(&b.0));
        return (0..k).map(|at| keys[at % keys.len()].1).collect();
    }
    for _ in 0..100 * k {
        if chosen.len() == k {
            break;
        }
        let row = rng.pick(&totals);
        if taken.insert(row) {
            chosen.push(row);
        }
    }
    // A few heavy rows can make every draw a repetition; the rest come in order of weight.
    if chosen.len() < k {
        let mut rest: Vec<usize> = (0..points.n()).filter(|row| !taken.contains(row)).collect();
        rest.sort_by(|&a, &b| points.weight(b).total_cmp(&points.weight(a)));
        chosen.extend(rest.into_iter().take(k - chosen.len()));
    }
    chosen
}

/// Up to `count` rows, each the farthest from the given distances and from the rows before it, ties to the lowest by content; rows
/// of no weight and rows at distance 0 are never taken.
pub(crate) fn farthest<P: Points>(
    points: &P,
    nearest: Vec<P::Real>,
    count: usize,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    let mut state = Nearest { nearest, ..Nearest::new(points) };
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let mut best: Option<usize> = None;
        for row in 0..points.n() {
            let distance = state.nearest[row];
            // Rows with categories are often as far as one another; which comes first must not decide.
            let better = best.is_none_or(|best| {
                let most = state.nearest[best];
                distance > most || distance == most && points.compare(row, best).is_lt()
            });
            if better && distance > P::Real::narrow(0.0) && points.weight(row) > 0.0 {
                best = Some(row);
            }
        }
        let Some(row) = best else { break };
        chosen.push(row);
        state.choose(row, None, monitor)?;
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::rows::Rows;
    use crate::rng::Stage;
    use ndarray::ArrayView2;

    #[test]
    fn a_row_without_weight_is_never_drawn() {
        let values = [0.0, 1.0, 2.0, 3.0, 50.0];
        let weights = [1.0, 1.0, 0.0, 1.0, 0.0];
        let array = ArrayView2::from_shape((5, 1), &values).unwrap();
        let rows = Rows::new(array, Some(&weights), &[]).unwrap();
        for task in 0..200 {
            let mut rng = Rng::stream(1, Stage::Start, task);
            for mut chosen in [
                plus_plus(&rows, 3, &mut rng, &Monitor::new()).unwrap(),
                random_rows(&rows, 3, &mut rng),
            ] {
                chosen.sort_unstable();
                assert_eq!(chosen, [0, 1, 3]);
            }
        }
    }

    #[test]
    fn plus_plus_draws_by_weighted_squared_distance() {
        // From row 0, rows 1 and 2 have weights times squared distances 1 and 3; with k = 2 there are two trials, and
        // the second row has the lower potential.
        let values = [0.0, 1.0, -1.0];
        let weights = [1e12, 1.0, 3.0];
        let array = ArrayView2::from_shape((3, 1), &values).unwrap();
        let rows = Rows::new(array, Some(&weights), &[]).unwrap();
        let second = (0..4000)
            .filter(|&task| {
                let mut rng = Rng::stream(2, Stage::Start, task);
                plus_plus(&rows, 2, &mut rng, &Monitor::new()).unwrap()[1] == 2
            })
            .count();
        assert!((second as f64 / 4000.0 - 15.0 / 16.0).abs() < 0.02, "{second}");
    }
}
