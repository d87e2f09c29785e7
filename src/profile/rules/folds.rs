//! Folds of a cross-validation.

use crate::rng::{Rng, Stage};

/// The fold of each customer: the customers of every segment are dealt to the folds in random order, so that each fold has its
/// share of every segment.
pub(super) fn stratified(labels: &[u32], k: usize, folds: usize, seed: u64) -> Vec<u8> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); k];
    labels.iter().enumerate().for_each(|(row, &label)| members[label as usize].push(row));
    let mut fold = vec![0; labels.len()];
    // The next segment goes on where the last one ended, so that the folds are equally large.
    let mut next = 0;
    for (segment, rows) in members.iter_mut().enumerate() {
        Rng::stream(seed, Stage::Sample, segment as u64).shuffle(rows);
        for &row in rows.iter() {
            fold[row] = (next % folds) as u8;
            next += 1;
        }
    }
    fold
}
