//! Decisions valued on rows that did not take part in them.

use super::policy::Payoffs;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// Rows of an experiment, by cell of segment and action.
pub struct Trial<'a> {
    /// Rows of each cell: segment by segment, action by action; empty where the action is not considered.
    pub cells: &'a [Vec<f64>],
    /// Customers of each segment.
    pub n: &'a [f64],
    /// Number of actions.
    pub n_actions: usize,
}

/// Parts that the rows are dealt into.
const FOLDS: usize = 5;
/// How often they are dealt.
const DEALS: usize = 40;

/// Draws of the estimate that its variance is taken from.
const DRAWS: usize = 400;

/// The gain of decisions taken on four fifths of the rows and valued on the last fifth, averaged over the fifths and over many
/// ways of dealing the rows evenly; and its variance.
///
/// The parts of one data set depend on each other (a row decides in four of them and is valued in one), so that no sum of
/// their variances is right. The variance is that of the same estimate over data sets drawn anew: each part's means from
/// the normal distribution around the mean of the cell, with the variance that so many of its rows give. It errs on the large
/// side where no action differs from another.
///
/// # Errors
///
/// [`crate::Error::Interrupted`] when told to stop.
pub fn cross_fitted(trial: &Trial<'_>, seed: u64, monitor: &Monitor) -> Result<(f64, f64)> {
    let least = trial.cells.iter().filter(|c| !c.is_empty()).map(Vec::len).min().unwrap_or(0);
    let folds = FOLDS.min(least);
    if folds < 2 {
        return Ok((f64::NAN, f64::NAN));
    }
    monitor.expect((DEALS + DRAWS) as u64);
    let each = |n: usize, parts: &(dyn Fn(u64) -> Vec<Vec<Moments>> + Sync)| -> Result<Vec<f64>> {
        parallel::map_tasks(n, |task| {
            monitor.check()?;
            let gain = trial.gain(&parts(task as u64), folds);
            monitor.advance(1);
            Ok(gain)
        })
        .into_iter()
        .collect()
    };
    let dealt = each(DEALS, &|deal| trial.deal(folds, seed, deal))?;
    let whole: Vec<Moments> =
        trial.cells.iter().map(|rows| Moments::of(rows.iter().copied())).collect();
    let drawn = each(DRAWS, &|draw| trial.draw(&whole, folds, seed, draw))?;
    let all = Moments::of(drawn.into_iter());
    Ok((Moments::of(dealt.into_iter()).mean, all.variance()))
}

/// Count, mean and sum of squares around it; mergeable.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) n: f64,
    pub(super) mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        values.fold(Self::default(), |sum, value| {
            sum.merge(&Self { n: 1.0, mean: value, squares: 0.0 })
        })
    }

    fn merge(self, other: &Self) -> Self {
        let n = self.n + other.n;
        if other.n == 0.0 || n == 0.0 {
            return self;
        }
        let step = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + step * other.n / n,
            squares: self.squares + other.squares + step * step * self.n * other.n / n,
        }
    }

    pub(super) fn variance(&self) -> f64 {
        self.squares / (self.n - 1.0)
    }
}

impl Trial<'_> {
    /// Moments of each part of each cell.
    fn deal(&self, folds: usize, seed: u64, deal: u64) -> Vec<Vec<Moments>> {
        let mut rng = Rng::stream(seed, Stage::Sample, deal);
        self.cells
            .iter()
            .map(|rows| {
                let order = rng.sample(rows.len(), rows.len());
                // The first parts are larger by one where the rows do not come out even: which ones changes by chance.
                let turn = rng.below(folds);
                (0..folds)
                    .map(|fold| {
                        let first = (fold + turn) % folds;
                        Moments::of(order.iter().skip(first).step_by(folds).map(|&row| rows[row]))
                    })
                    .collect()
            })
            .collect()
    }

    /// Parts of a data set drawn anew.
    fn draw(&self, whole: &[Moments], folds: usize, seed: u64, draw: u64) -> Vec<Vec<Moments>> {
        let mut rng = Rng::stream(seed, Stage::Reference, draw);
        whole
            .iter()
            .map(|cell| {
                let n = cell.n / folds as f64;
                let error = if cell.n > 1.0 { (cell.variance() / n).sqrt() } else { 0.0 };
                (0..folds)
                    .map(|_| {
                        // Normal, by the method of Box and Muller (1958).
                        let (length, turn) = (rng.exponential(), rng.uniform());
                        let z = (2.0 * length).sqrt() * (2.0 * std::f64::consts::PI * turn).cos();
                        Moments { n, mean: cell.mean + error * z, squares: 0.0 }
                    })
                    .collect()
            })
            .collect()
    }

    /// The gain of decisions taken on all parts but one and valued on that one, averaged over the parts.
    fn gain(&self, parts: &[Vec<Moments>], folds: usize) -> f64 {
        let gains = (0..folds).map(|fold| {
            let train = self.payoffs(|cell| {
                let others = parts[cell].iter().enumerate().filter(|(other, _)| *other != fold);
                others.fold(Moments::default(), |sum, (_, part)| sum.merge(part))
            });
            self.payoffs(|cell| parts[cell][fold]).gain(&train.decide())
        });
        gains.sum::<f64>() / folds as f64
    }

    fn payoffs(&self, moments: impl Fn(usize) -> Moments) -> Payoffs {
        let values = (0..self.cells.len())
            .map(|cell| match self.cells[cell].is_empty() {
                true => f64::NAN,
                false => moments(cell).mean,
            })
            .collect();
        Payoffs { values, n: self.n.to_vec(), n_actions: self.n_actions }
    }
}
