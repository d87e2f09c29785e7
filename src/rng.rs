//! Randomness: the only file that names a random generator.
//!
//! One seed gives as many independent streams as there are tasks: [`Rng::stream`] takes the seed, the stage of the
//! computation and the number of the task, so a task draws the same numbers whichever thread runs it.

use rand::{Rng as _, RngCore, SeedableRng};
use rand_distr::Distribution;
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// What a stream is for. Two stages of one computation never share a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Stage {
    /// Starting centres of a clustering.
    Start = 1,
    /// Rows drawn for a diagnostic.
    Sample = 2,
    /// Bootstrap replicates.
    Bootstrap = 3,
    /// Weights of criteria.
    Weights = 4,
    /// Permutations and reference data.
    Reference = 5,
}

/// A stream of random numbers (xoshiro256++), equal on every platform.
#[derive(Debug, Clone)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// The stream of one task.
    pub fn stream(seed: u64, stage: Stage, task: u64) -> Self {
        // Each word goes through a bijective mixer, so that neighbouring seeds and tasks do not give related states.
        let mut mixer = SplitMix64::seed_from_u64(seed);
        let mut state = mixer.next_u64();
        for word in [stage as u64, task] {
            mixer = SplitMix64::seed_from_u64(state ^ word);
            state = mixer.next_u64();
        }
        Self(Xoshiro256PlusPlus::seed_from_u64(state))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform on [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.r#gen::<f64>()
    }

    /// Uniform on the integers below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // Through u64, so that 32-bit platforms draw the same numbers.
        if n == 0 { 0 } else { self.0.gen_range(0..n as u64) as usize }
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// `count` different integers below `n`, in random order; all of them where `count >= n`.
    pub fn sample(&mut self, n: usize, count: usize) -> Vec<usize> {
        rand::seq::index::sample(&mut self.0, n, count.min(n)).into_vec()
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        rand::seq::SliceRandom::shuffle(items, &mut self.0);
    }

    /// Successes among `n`, each with probability `p`; `p` beyond 0 and 1 counts as these.
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        rand_distr::Binomial::new(n, p.clamp(0.0, 1.0)).map_or(0, |law| law.sample(&mut self.0))
    }

    /// Gamma of this mean and variance; the mean itself where either is not above 0.
    pub fn gamma(&mut self, mean: f64, variance: f64) -> f64 {
        match rand_distr::Gamma::new(mean * mean / variance, variance / mean) {
            Ok(law) if mean > 0.0 && variance > 0.0 => law.sample(&mut self.0),
            _ => mean,
        }
    }

    /// The index that a uniform draw picks from weights given as running totals; the last where the totals are 0.
    pub fn pick(&mut self, running_totals: &[f64]) -> usize {
        let total = running_totals.last().copied().unwrap_or(0.0);
        let target = self.uniform() * total;
        running_totals.partition_point(|&t| t <= target).min(running_totals.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_different() {
        let draw = |seed, stage, task| Rng::stream(seed, stage, task).bits();
        assert_eq!(draw(1, Stage::Start, 0), draw(1, Stage::Start, 0));
        let mut seen = std::collections::HashSet::new();
        for seed in 0..8 {
            for task in 0..8 {
                assert!(seen.insert(draw(seed, Stage::Start, task)));
                assert!(seen.insert(draw(seed, Stage::Bootstrap, task)));
            }
        }
    }

    #[test]
    fn pick_follows_the_weights() {
        let mut rng = Rng::stream(3, Stage::Sample, 0);
        let totals = [0.0, 1.0, 1.0, 4.0];
        let mut counts = [0; 4];
        for _ in 0..40_000 {
            counts[rng.pick(&totals)] += 1;
        }
        assert_eq!((counts[0], counts[2]), (0, 0));
        assert!((counts[1] as f64 / 40_000.0 - 0.25).abs() < 0.01);
    }
}
