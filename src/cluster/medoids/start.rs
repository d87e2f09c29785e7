//! Medoids to start from.

use super::pam::{best_of, lowest_total};
use super::source::Dissimilarities;
use crate::error::Result;
use crate::parallel::Monitor;
use crate::rng::Rng;
use crate::simd::{Distance, Standing};

/// BUILD of Kaufman and Rousseeuw (1990): the row of the lowest total distance, then again and again the row that lowers
/// the loss most. Not random; each medoid takes a pass over all distances.
pub(crate) fn build<D: Dissimilarities>(
    data: &D,
    weights: Option<&[f64]>,
    candidates: &[usize],
    k: usize,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    let mut medoids = vec![lowest_total(data, weights, candidates, monitor)?.1];
    let mut standing = Standing::new(data.n(), k, weights);
    standing.near[..data.n()].fill(f64::INFINITY);
    let mut room = Vec::new();
    while medoids.len() < k {
        let last = medoids[medoids.len() - 1];
        take(&mut standing, data.row(last, &mut room));
        let left: Vec<usize> =
            candidates.iter().copied().filter(|row| !medoids.contains(row)).collect();
        medoids.push(best_of(data, &left, monitor, |row| standing.gain(row))?.1);
    }
    Ok(medoids)
}

fn take<T: Distance>(standing: &mut Standing, distances: &[T]) {
    for (near, distance) in standing.near.iter_mut().zip(distances) {
        let distance = distance.wide();
        *near = if distance < *near { distance } else { *near };
    }
}

/// LAB of Schubert and Rousseeuw (2021): BUILD, but each medoid is the best of `10 + sqrt(n)` rows drawn, judged on those rows.
pub(crate) fn lab<D: Dissimilarities>(
    data: &D,
    weights: Option<&[f64]>,
    candidates: &[usize],
    k: usize,
    rng: &mut Rng,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    let m = candidates.len();
    let size = 10 + (m as f64).sqrt().ceil() as usize;
    let mut medoids: Vec<usize> = Vec::with_capacity(k);
    let mut near = vec![f64::INFINITY; data.n()];
    let mut room = Vec::new();
    while medoids.len() < k {
        monitor.check()?;
        let drawn: Vec<usize> = rng.sample(m, (size + medoids.len()).min(m));
        let mut drawn: Vec<usize> = drawn.into_iter().map(|at| candidates[at]).collect();
        drawn.retain(|row| !medoids.contains(row));
        let mut best = (f64::INFINITY, None);
        for &row in &drawn {
            let distances = data.row(row, &mut room);
            let loss = drawn.iter().map(|&other| {
                let distance = distances[other].wide();
                let weight = weights.map_or(1.0, |weights| weights[other]);
                weight * if distance < near[other] { distance } else { near[other] }
            });
            let loss: f64 = loss.sum();
            if loss < best.0 {
                best = (loss, Some(row));
            }
        }
        let next = best.1.or_else(|| candidates.iter().copied().find(|row| !medoids.contains(row)));
        let Some(next) = next else { break };
        medoids.push(next);
        for (near, distance) in near.iter_mut().zip(data.row(next, &mut room)) {
            let distance = distance.wide();
            *near = if distance < *near { distance } else { *near };
        }
    }
    Ok(medoids)
}

/// Different candidates, all equally likely.
pub(crate) fn random(candidates: &[usize], k: usize, rng: &mut Rng) -> Vec<usize> {
    rng.sample(candidates.len(), k).into_iter().map(|at| candidates[at]).collect()
}
