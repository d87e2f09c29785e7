//! Partial pooling: groups that lend strength to each other.
//!
//! The logarithms of a group's parameters are taken to be normal around common ones, each parameter with a spread of its
//! own over the groups. A group's likelihood then pulls towards what its own data say, and the distribution of the groups
//! towards the common values: the less a group's data tell, the nearer it comes to them. This is parametric empirical
//! Bayes by Laplace's approximation (Kass and Steffey 1989, JASA 84:717-726): each group's parameters are those of the
//! largest penalised likelihood, and the common values and spreads are those of the largest restricted likelihood of the
//! groups' quadratic approximations there (Laird and Ware 1982, Biometrics 38:963-974; multivariate meta-analysis as in
//! Jackson, White and Riley 2013, Biometrical Journal 55:231-245), both in turn until neither moves. Standard errors hold
//! the uncertainty of the common values too.

use super::dual::Dual;
use super::optimise::{Optimum, Prior, inverse, maximise, solve, unknown};
use crate::error::Result;
use crate::parallel::Monitor;

/// A likelihood of `P` positive parameters.
pub(super) trait Likelihood<const P: usize>: Sync {
    /// Where the search starts.
    fn start(&self) -> [f64; P];
    /// The log-likelihood.
    fn log_likelihood(&self, parameters: &[Dual<P>; P]) -> Dual<P>;
    /// Much the same from a few per cent of the rows, where there are many.
    fn thinned(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Rows from which on the search begins with one in [`THIN`] of them, so that few steps are left for all.
pub(super) const MANY: usize = 20_000;
/// See [`MANY`].
pub(super) const THIN: usize = 32;

/// The model of one group by itself.
pub(super) fn alone<const P: usize, L: Likelihood<P>>(member: &L) -> Optimum<P> {
    let mut start = member.start();
    if let Some(few) = member.thinned() {
        let near = maximise(start, None, |parameters| few.log_likelihood(parameters));
        if near.unknown.is_empty() {
            start = near.parameters;
        }
    }
    maximise(start, None, |parameters| member.log_likelihood(parameters))
}

/// Rounds of fitting the groups and what they have in common; three are usual.
const MAX_ROUNDS: usize = 30;
/// Rounds of the restricted likelihood.
const MAX_INNER: usize = 10_000;
/// What is known beforehand of the common logarithms: a standard deviation of 10 around those of all groups together.
const WEAK: f64 = 0.01;
/// Smallest variance over groups: below, they are equal.
const SMALLEST: f64 = 1e-8;

type Matrix<const P: usize> = [[f64; P]; P];

/// The model of all groups together.
pub(super) fn complete<const P: usize>(members: &[impl Likelihood<P>]) -> Optimum<P> {
    let start = members.first().map_or([1.0; P], Likelihood::start);
    maximise(start, None, |parameters| {
        let zero = Dual::constant(0.0);
        members.iter().fold(zero, |sum, member| sum + member.log_likelihood(parameters))
    })
}

/// The models of the groups, and the distribution of their parameters.
///
/// Where not even all groups together tell a parameter, its common value stays near the one that they reach together.
pub(super) fn partial<const P: usize>(
    members: &[impl Likelihood<P>],
    monitor: &Monitor,
) -> Result<(Vec<Optimum<P>>, Prior<P>)> {
    let together = complete(members);
    let anchor = together.parameters.map(f64::ln);
    let mut prior = Prior { mean: anchor, variance: [1.0; P] };
    let mut tops = vec![together; members.len()];
    for _ in 0..MAX_ROUNDS {
        monitor.check()?;
        for (top, member) in tops.iter_mut().zip(members) {
            *top = maximise(top.parameters, Some(&prior), |p| member.log_likelihood(p));
        }
        let next = common(&tops, &prior, &anchor);
        let moved = (0..P).any(|i| {
            let spread = next.variance[i].sqrt();
            (next.mean[i] - prior.mean[i]).abs() > 1e-5
                || (spread - prior.variance[i].sqrt()).abs() > 1e-3 * spread + 1e-4
        });
        prior = next;
        if !moved {
            break;
        }
    }
    for (top, member) in tops.iter_mut().zip(members) {
        *top = maximise(top.parameters, Some(&prior), |p| member.log_likelihood(p));
    }
    let pieces: Vec<Quadratic<P>> = tops.iter().map(|top| Quadratic::at(top, &prior)).collect();
    let (_, of_mean) = centre(&pieces, &prior.variance, &anchor);
    for (top, piece) in tops.iter_mut().zip(&pieces) {
        // A group is known as well as its posterior, and no better than the common values that it is drawn to.
        let posterior = piece.posterior(&prior.variance);
        let pull = scaled_columns(&posterior, &prior.variance.map(|v| 1.0 / v));
        let borrowed = product(&product(&pull, &of_mean), &transposed(&pull));
        for i in 0..P {
            for j in 0..P {
                top.covariance[i][j] = posterior[i][j] + borrowed[i][j];
            }
        }
        top.unknown = unknown(&top.parameters.map(f64::ln), &top.covariance);
    }
    Ok((tops, prior))
}

/// A log-likelihood of logarithms, up to second order: `score' θ - θ' information θ / 2`.
struct Quadratic<const P: usize> {
    information: Matrix<P>,
    score: [f64; P],
}

impl<const P: usize> Quadratic<P> {
    fn at(top: &Optimum<P>, prior: &Prior<P>) -> Self {
        let logs = top.parameters.map(f64::ln);
        let mut information = top.information;
        let with_prior = plus_diagonal(&information, &prior.variance.map(|v| 1.0 / v));
        if inverse(&with_prior).is_none() {
            // Off the top a likelihood may curve upwards; what each parameter tells alone is left.
            information = [[0.0; P]; P];
            (0..P).for_each(|i| information[i][i] = top.information[i][i].max(0.0));
        }
        let score = std::array::from_fn(|i| {
            top.gradient[i] + (0..P).map(|j| information[i][j] * logs[j]).sum::<f64>()
        });
        Self { information, score }
    }

    /// Covariance of the group's parameters, given what they have in common.
    fn posterior(&self, variance: &[f64; P]) -> Matrix<P> {
        let precision = plus_diagonal(&self.information, &variance.map(|v| 1.0 / v));
        inverse(&precision).unwrap_or_else(|| {
            let mut alone = [[0.0; P]; P];
            (0..P).for_each(|i| alone[i][i] = variance[i]);
            alone
        })
    }
}

/// The common values and spreads with the largest restricted likelihood, from where `prior` is, by EM.
fn common<const P: usize>(tops: &[Optimum<P>], prior: &Prior<P>, anchor: &[f64; P]) -> Prior<P> {
    let pieces: Vec<Quadratic<P>> = tops.iter().map(|top| Quadratic::at(top, prior)).collect();
    let n = pieces.len() as f64;
    let mut variance = prior.variance;
    for _ in 0..MAX_INNER {
        let (mean, of_mean) = centre(&pieces, &variance, anchor);
        let mut next = [0.0; P];
        for piece in &pieces {
            let posterior = piece.posterior(&variance);
            let pull = product(&posterior, &piece.information);
            let at_mean: [f64; P] = std::array::from_fn(|i| {
                piece.score[i] - (0..P).map(|j| piece.information[i][j] * mean[j]).sum::<f64>()
            });
            let borrowed = product(&product(&pull, &of_mean), &transposed(&pull));
            for i in 0..P {
                let away: f64 = (0..P).map(|j| posterior[i][j] * at_mean[j]).sum();
                next[i] += (away * away + posterior[i][i] + borrowed[i][i]) / n;
            }
        }
        let next = next.map(|variance| variance.clamp(SMALLEST, 100.0));
        let settled = (0..P).all(|i| (next[i] - variance[i]).abs() < 1e-5 * variance[i]);
        variance = next;
        if settled {
            break;
        }
    }
    Prior { mean: centre(&pieces, &variance, anchor).0, variance }
}

/// The common values for these spreads, with their covariance.
fn centre<const P: usize>(
    pieces: &[Quadratic<P>],
    variance: &[f64; P],
    anchor: &[f64; P],
) -> ([f64; P], Matrix<P>) {
    let (mut weight, mut right) = ([[0.0; P]; P], [0.0; P]);
    for i in 0..P {
        weight[i][i] = WEAK;
        right[i] = WEAK * anchor[i];
    }
    let precision = variance.map(|v| 1.0 / v);
    for piece in pieces {
        // (I⁻¹ + D)⁻¹ = D⁻¹ (I + D⁻¹)⁻¹ I, which holds for an I without an inverse too.
        let pull = transposed(&scaled_columns(&piece.posterior(variance), &precision));
        let own = product(&pull, &piece.information);
        for i in 0..P {
            right[i] += (0..P).map(|j| pull[i][j] * piece.score[j]).sum::<f64>();
            for j in 0..P {
                weight[i][j] += 0.5 * own[i][j];
                weight[j][i] += 0.5 * own[i][j];
            }
        }
    }
    let mean = solve(&weight, &right).unwrap_or(*anchor);
    (mean, inverse(&weight).unwrap_or([[0.0; P]; P]))
}

fn plus_diagonal<const P: usize>(matrix: &Matrix<P>, diagonal: &[f64; P]) -> Matrix<P> {
    let mut sum = *matrix;
    (0..P).for_each(|i| sum[i][i] += diagonal[i]);
    sum
}

fn scaled_columns<const P: usize>(matrix: &Matrix<P>, scale: &[f64; P]) -> Matrix<P> {
    std::array::from_fn(|i| std::array::from_fn(|j| matrix[i][j] * scale[j]))
}

fn product<const P: usize>(one: &Matrix<P>, other: &Matrix<P>) -> Matrix<P> {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..P).map(|k| one[i][k] * other[k][j]).sum()))
}

fn transposed<const P: usize>(matrix: &Matrix<P>) -> Matrix<P> {
    std::array::from_fn(|i| std::array::from_fn(|j| matrix[j][i]))
}
