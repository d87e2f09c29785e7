//! Does a solution repeat on other customers? Split in halves, segment each, and see whether they agree.

use super::agreement::Agreement;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// How well the solutions on random halves agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeatability {
    /// Mean prediction strength over the splits.
    pub prediction_strength: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Mean adjusted Rand index over the splits.
    pub adjusted_rand: f64,
}

/// Splits `n` rows in random halves `n_splits` times and compares, on one half, its own segments with those that the
/// other half's segments would assign.
///
/// `fit(rows, task)` segments some rows, `assign(model, rows)` labels some rows. One task per split, each with its own
/// stream of random numbers, so the result does not depend on the number of threads.
///
/// # Errors
///
/// Those of `fit` and `assign`, and [`crate::Error::Interrupted`].
pub fn repeatability<M>(
    n: usize,
    n_splits: usize,
    seed: u64,
    monitor: &Monitor,
    fit: impl Fn(&[usize], u64) -> Result<M> + Sync + Send,
    assign: impl Fn(&M, &[usize]) -> Result<Vec<u32>> + Sync + Send,
) -> Result<Repeatability> {
    let splits = parallel::map_tasks(n_splits, |split| -> Result<(f64, f64)> {
        monitor.check()?;
        let mut order = Rng::stream(seed, Stage::Sample, split as u64).sample(n, n);
        let mut half = order.split_off(n / 2);
        order.sort_unstable();
        half.sort_unstable();
        let task = 2 * split as u64;
        let (train, test) = (fit(&order, task)?, fit(&half, task + 1)?);
        let agreement = Agreement::of(&assign(&test, &half)?, &assign(&train, &half)?)?;
        monitor.advance(1);
        Ok((agreement.prediction_strength(), agreement.adjusted_rand()))
    });
    let splits = splits.into_iter().collect::<Result<Vec<_>>>()?;
    let count = splits.len() as f64;
    let mean = |values: &dyn Fn(&(f64, f64)) -> f64| splits.iter().map(values).sum::<f64>() / count;
    let strength = mean(&|split| split.0);
    let squares: f64 = splits.iter().map(|split| (split.0 - strength).powi(2)).sum();
    Ok(Repeatability {
        prediction_strength: strength,
        standard_error: (squares / (count - 1.0).max(1.0) / count).sqrt(),
        adjusted_rand: mean(&|split| split.1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A "model" that cuts the line at given points.
    fn cut(at: Vec<f64>) -> impl Fn(&[f64]) -> Vec<u32> {
        move |values| {
            values.iter().map(|value| at.iter().filter(|&&a| *value > a).count() as u32).collect()
        }
    }

    #[test]
    fn equal_solutions_have_strength_one_and_chance_solutions_less() {
        let values: Vec<f64> = (0..200).map(f64::from).collect();
        let pick = |rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
        let monitor = Monitor::new();
        let same = repeatability(
            200,
            10,
            1,
            &monitor,
            |_, _| Ok(()),
            |(), rows| Ok(cut(vec![100.0])(&pick(rows))),
        )
        .unwrap();
        assert_eq!((same.prediction_strength, same.adjusted_rand), (1.0, 1.0));
        let chance = repeatability(
            200,
            10,
            1,
            &monitor,
            |_, task| Ok(task as f64 * 9.0 + 5.0),
            |&at, rows| Ok(cut(vec![at])(&pick(rows))),
        )
        .unwrap();
        assert!(chance.prediction_strength < 0.95 && chance.standard_error > 0.0);
    }
}
