//! Maximum likelihood of a few positive parameters.
//!
//! Newton steps on the logarithms of the parameters, from exact derivatives ([`Dual`]); a step that does not raise the
//! likelihood is shortened by raising the damping (Levenberg-Marquardt; Nocedal and Wright 2006, Numerical
//! Optimization, chapter 4). The answer says how flat the top is: where the data do not tell the parameters, it is not
//! an answer.

use super::dual::Dual;

/// Most Newton steps; ten are usual.
const MAX_STEPS: usize = 200;
/// A parameter that leaves this range is not told by the data.
const LARGEST_LOG: f64 = 14.0;
/// Nor is one whose logarithm has a standard error above this: it is not known within a factor of 20.
const LARGEST_LOG_ERROR: f64 = 3.0;

/// What is known of the logarithms of the parameters beside the data: each normal, independent of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior<const P: usize> {
    /// Means of the logarithms.
    pub mean: [f64; P],
    /// Variances of the logarithms.
    pub variance: [f64; P],
}

impl<const P: usize> Prior<P> {
    /// Adds `times` the logarithm of the density, up to a constant, with its derivatives.
    fn add(&self, logs: &[f64; P], times: f64, to: &mut Dual<P>) {
        let normals = logs.iter().zip(&self.mean).zip(&self.variance);
        for (i, ((log, mean), variance)) in normals.enumerate() {
            let (away, weight) = (log - mean, times / variance);
            to.value -= 0.5 * weight * away * away;
            to.gradient[i] -= weight * away;
            to.hessian[i][i] -= weight;
        }
    }
}

/// Where a likelihood, or with a [`Prior`] a posterior, is largest.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum<const P: usize> {
    /// The parameters.
    pub parameters: [f64; P],
    /// Covariance of the logarithms of the parameters, from the observed information.
    pub covariance: [[f64; P]; P],
    /// The log-likelihood there, without the prior.
    pub log_likelihood: f64,
    /// Gradient of the log-likelihood by the logarithms, without the prior.
    pub gradient: [f64; P],
    /// Minus the second derivatives of the log-likelihood by the logarithms, without the prior.
    pub information: [[f64; P]; P],
    /// Newton steps taken.
    pub n_steps: usize,
    /// Parameters that the data do not tell; empty where all are known.
    pub unknown: Vec<usize>,
}

impl<const P: usize> Optimum<P> {
    /// Standard errors of the parameters, by the delta method.
    pub fn standard_errors(&self) -> [f64; P] {
        std::array::from_fn(|i| self.parameters[i] * self.covariance[i][i].sqrt())
    }
}

/// Maximises `log_likelihood`, a function of the logarithms of the parameters.
///
/// Each step costs one evaluation. The same input gives the same bits.
pub fn maximise<const P: usize>(
    start: [f64; P],
    prior: Option<&Prior<P>>,
    log_likelihood: impl Fn(&[Dual<P>; P]) -> Dual<P>,
) -> Optimum<P> {
    let evaluate = |logs: &[f64; P]| {
        let parameters = std::array::from_fn(|i| Dual::parameter(logs[i], i).exp());
        let mut sum = log_likelihood(&parameters);
        if let Some(prior) = prior {
            prior.add(logs, 1.0, &mut sum);
        }
        sum
    };
    let mut logs = start.map(f64::ln);
    let mut at = evaluate(&logs);
    let (mut damping, mut n_steps) = (1e-3, 0);
    while n_steps < MAX_STEPS {
        n_steps += 1;
        let Some(step) = newton_step(&at, damping) else {
            damping = (damping * 10.0).max(1e-3);
            if damping > 1e12 {
                break;
            }
            continue;
        };
        // A step of more than a factor of e² says more about the curvature here than about the top.
        let longest = step.iter().fold(0.0_f64, |most, size| most.max(size.abs()));
        let shrink = (2.0 / longest).min(1.0);
        let next =
            std::array::from_fn(|i| (logs[i] + shrink * step[i]).clamp(-LARGEST_LOG, LARGEST_LOG));
        let there = evaluate(&next);
        let gain = there.value - at.value;
        let expected: f64 = (0..P).map(|i| step[i] * at.gradient[i]).sum::<f64>() * shrink;
        if gain.is_finite() && gain >= -1e-13 * at.value.abs() {
            (logs, at) = (next, there);
            damping = if shrink == 1.0 { damping * 0.1 } else { damping };
            if expected.abs() < 1e-14 * (1.0 + at.value.abs()) && damping < 1e-6 {
                break;
            }
        } else {
            damping = (damping * 10.0).max(1e-6);
            if damping > 1e12 {
                break;
            }
        }
    }
    let covariance =
        inverse(&at.hessian.map(|row| row.map(|entry| -entry))).unwrap_or([[f64::NAN; P]; P]);
    if let Some(prior) = prior {
        prior.add(&logs, -1.0, &mut at);
    }
    Optimum {
        parameters: logs.map(f64::exp),
        covariance,
        log_likelihood: at.value,
        gradient: at.gradient,
        information: at.hessian.map(|row| row.map(|entry| -entry)),
        n_steps,
        unknown: unknown(&logs, &covariance),
    }
}

/// Which parameters the data do not tell, from their logarithms and the covariance of these.
pub(super) fn unknown<const P: usize>(logs: &[f64; P], covariance: &[[f64; P]; P]) -> Vec<usize> {
    let told = |i: usize| {
        let variance = covariance[i][i];
        logs[i].abs() < LARGEST_LOG && variance > 0.0 && variance.sqrt() < LARGEST_LOG_ERROR
    };
    (0..P).filter(|&i| !told(i)).collect()
}

/// The step to the top of the damped quadratic model; `None` where that has no top.
fn newton_step<const P: usize>(at: &Dual<P>, damping: f64) -> Option<[f64; P]> {
    let mut curvature = at.hessian.map(|row| row.map(|entry| -entry));
    for (i, row) in curvature.iter_mut().enumerate() {
        row[i] += damping * row[i].abs().max(1e-8);
    }
    solve(&curvature, &at.gradient)
}

/// Lower Cholesky factor; `None` where the matrix is not positive definite.
fn cholesky<const P: usize>(matrix: &[[f64; P]; P]) -> Option<[[f64; P]; P]> {
    let mut lower = [[0.0; P]; P];
    for i in 0..P {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = matrix[i][j] - known;
            if i == j {
                let is_positive = rest > 1e-13 * matrix[i][i].abs();
                lower[i][i] = is_positive.then(|| rest.sqrt())?;
            } else {
                lower[i][j] = rest / lower[j][j];
            }
        }
    }
    Some(lower)
}

pub(super) fn solve<const P: usize>(matrix: &[[f64; P]; P], right: &[f64; P]) -> Option<[f64; P]> {
    let lower = cholesky(matrix)?;
    let mut solution = *right;
    for i in 0..P {
        let known: f64 = (0..i).map(|k| lower[i][k] * solution[k]).sum();
        solution[i] = (solution[i] - known) / lower[i][i];
    }
    for i in (0..P).rev() {
        let known: f64 = (i + 1..P).map(|k| lower[k][i] * solution[k]).sum();
        solution[i] = (solution[i] - known) / lower[i][i];
    }
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

pub(super) fn inverse<const P: usize>(matrix: &[[f64; P]; P]) -> Option<[[f64; P]; P]> {
    let mut found = [[0.0; P]; P];
    for i in 0..P {
        let mut unit = [0.0; P];
        unit[i] = 1.0;
        let column = solve(matrix, &unit)?;
        (0..P).for_each(|j| found[j][i] = column[j]);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn the_top_of_a_gamma_likelihood_is_found() {
        // The maximum satisfies shape / rate = mean and ln(shape) - digamma(shape) = ln(mean) - mean of logs.
        let values = [0.3, 1.2, 0.7, 2.9, 0.1, 1.8, 0.6];
        let n = values.len() as f64;
        let (sum, logs) = (values.iter().sum::<f64>(), values.iter().map(|v| v.ln()).sum::<f64>());
        let top = maximise([1.0, 1.0], None, |[shape, rate]: &[Dual<2>; 2]| {
            (*shape * rate.ln() - shape.ln_gamma()) * n + (*shape - 1.0) * logs - *rate * sum
        });
        let [shape, rate] = top.parameters;
        assert_relative_eq!(shape / rate, sum / n, max_relative = 1e-9);
        let digamma = statrs::function::gamma::digamma(shape);
        assert_relative_eq!(shape.ln() - digamma, (sum / n).ln() - logs / n, max_relative = 1e-9);
        assert!(top.unknown.is_empty() && top.n_steps < 30);
    }

    #[test]
    fn a_ridge_is_not_an_answer() {
        // Only the product of the parameters is told.
        let top = maximise([1.0, 1.0], None, |[a, b]: &[Dual<2>; 2]| {
            let product = *a * *b;
            product.ln() * 3.0 - product
        });
        assert!(!top.unknown.is_empty());
    }
}
