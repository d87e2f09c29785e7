//! Starts for rows with categories, after Huang and after Cao.

use super::mixed_lloyd::Space;
use super::start::{Points, farthest};
use crate::error::Result;
use crate::parallel::Monitor;
use crate::rng::Rng;
use crate::simd::MISSING;

/// Number of observed categories in which a row differs from `modes`.
fn mismatches(codes: &[u32], modes: &[u32]) -> usize {
    codes.iter().zip(modes).filter(|(code, mode)| **code != MISSING && code != mode).count()
}

/// `k` rows after Cao, Liang and Bai (2009), A new initialization method for categorical data clustering: the row of highest
/// density first, then the row whose product of density and mismatches to the nearest chosen row is highest.
///
/// Nothing is random; ties go to the first of `rows`. Where fewer than `k` rows differ in their categories, the rest are the rows
/// of highest cost.
pub(crate) fn cao(
    space: &Space<'_>,
    rows: &[usize],
    k: usize,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    let n = rows.len();
    let density = |row: usize| {
        let codes = space.data.codes(row).iter().zip(&space.frequencies);
        codes.filter_map(|(&code, counts)| counts.get(code as usize)).sum::<f64>()
    };
    let density: Vec<f64> =
        rows.iter().map(|&row| if space.weight(row) > 0.0 { density(row) } else { 0.0 }).collect();
    let highest = |scores: &[f64]| {
        (1..n).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
    };
    let mut chosen = vec![rows[highest(&density)]];
    let mut scores = vec![f64::INFINITY; n];
    while chosen.len() < k {
        monitor.check()?;
        let last = space.prototypes(&chosen[chosen.len() - 1..]).modes;
        for ((score, &row), density) in scores.iter_mut().zip(rows).zip(&density) {
            *score = score.min(mismatches(space.data.codes(row), &last) as f64 * density);
        }
        let next = highest(&scores);
        if scores[next] <= 0.0 {
            break;
        }
        chosen.push(rows[next]);
    }
    fill(space, chosen, k, monitor)
}

/// `k` rows after Huang (1998), Extensions to the k-means algorithm: modes drawn attribute by attribute in proportion to the
/// weights of the categories, each replaced by the row most like it that differs from the rows before.
pub(crate) fn huang(
    space: &Space<'_>,
    rows: &[usize],
    k: usize,
    rng: &mut Rng,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    let totals: Vec<Vec<f64>> = space
        .frequencies
        .iter()
        .map(|counts| {
            let mut sum = 0.0;
            let add = |count: &f64| {
                sum += count;
                sum
            };
            counts.iter().map(add).collect()
        })
        .collect();
    let mut chosen: Vec<usize> = Vec::with_capacity(k);
    let mut taken: Vec<Vec<u32>> = Vec::with_capacity(k);
    while chosen.len() < k {
        monitor.check()?;
        let modes: Vec<u32> = totals.iter().map(|totals| rng.pick(totals) as u32).collect();
        let candidates = rows.iter().copied().filter(|&row| {
            space.weight(row) > 0.0 && !taken.iter().any(|codes| codes == space.data.codes(row))
        });
        let Some(row) = candidates.min_by_key(|&row| mismatches(space.data.codes(row), &modes))
        else {
            break;
        };
        chosen.push(row);
        taken.push(space.data.codes(row).to_vec());
    }
    fill(space, chosen, k, monitor)
}

/// Completes a choice of rows with those of highest cost; with repetitions of the first where no row costs anything.
fn fill(
    space: &Space<'_>,
    mut chosen: Vec<usize>,
    k: usize,
    monitor: &Monitor,
) -> Result<Vec<usize>> {
    if chosen.len() < k {
        let probe = space.probe(&chosen);
        let mut costs = Vec::new();
        let nearest = (0..space.n())
            .map(|row| {
                let stride = space.distances(&probe, row..row + 1, &mut costs);
                costs[..stride].iter().copied().fold(f64::INFINITY, f64::min)
            })
            .collect();
        chosen.extend(farthest(space, nearest, k - chosen.len(), monitor)?);
    }
    let first = chosen[0];
    chosen.resize(k, first);
    Ok(chosen)
}
