//! How sure the figures of a path are: transition probabilities drawn from their posterior.
//!
//! Each row of the matrix is Dirichlet given its counts, with a prior weight of one transition spread evenly over the moves
//! that were seen. Moves never seen stay impossible, so that a stage that is never left stays so in every replicate.

use super::chain;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// Replicates of one task.
const BLOCK: usize = 32;

/// `f(P)` of each replicate, in order.
pub(super) fn replicates<T: Send>(
    counts: &[f64],
    n: usize,
    n_boot: usize,
    seed: u64,
    monitor: &Monitor,
    f: impl Fn(&[f64]) -> T + Sync + Send,
) -> Result<Vec<T>> {
    let p = chain::probabilities(counts, n);
    monitor.expect(n_boot as u64);
    let blocks: Result<Vec<Vec<T>>> =
        parallel::map_blocks_of(BLOCK, n_boot, |range| -> Result<Vec<T>> {
            monitor.check()?;
            let made = range
                .map(|replicate| {
                    let mut rng = Rng::stream(seed, Stage::Bootstrap, replicate as u64);
                    f(&drawn(counts, &p, n, &mut rng))
                })
                .collect::<Vec<T>>();
            monitor.advance(made.len() as u64);
            Ok(made)
        })
        .into_iter()
        .collect();
    Ok(blocks?.into_iter().flatten().collect())
}

fn drawn(counts: &[f64], p: &[f64], n: usize, rng: &mut Rng) -> Vec<f64> {
    let mut drawn = p.to_vec();
    for from in 0..n {
        let row = from * n..(from + 1) * n;
        let seen: Vec<usize> = row.filter(|&cell| counts[cell] > 0.0).collect();
        if seen.len() < 2 {
            continue;
        }
        let prior = 1.0 / seen.len() as f64;
        let draws: Vec<f64> = seen
            .iter()
            .map(|&cell| rng.gamma(counts[cell] + prior, counts[cell] + prior))
            .collect();
        let total: f64 = draws.iter().sum();
        if total > 0.0 && total.is_finite() {
            seen.into_iter().zip(draws).for_each(|(cell, draw)| drawn[cell] = draw / total);
        }
    }
    drawn
}
