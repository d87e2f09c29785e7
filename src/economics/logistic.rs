//! Logistic regression on two covariates, by maximum likelihood or with Firth's penalty where that does not exist.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::sheet::Estimate;
use crate::parallel;

/// Intercept and two slopes.
pub const N: usize = 3;

type Vector = [f64; N];
type Matrix = [[f64; N]; N];

/// The rows: covariates and outcomes.
#[derive(Debug, Clone, Copy)]
pub struct Design<'a> {
    /// The two covariates of each row.
    pub x: &'a [[f64; 2]],
    /// 1 or 0.
    pub y: &'a [f64],
}

/// A fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Intercept and slopes.
    pub beta: Vector,
    /// Logarithm of the likelihood, with the penalty if there is one.
    pub log_likelihood: f64,
    /// Inverse of the information.
    pub covariance: Matrix,
    /// Whether the score is 0 up to rounding.
    pub converged: bool,
}

/// Sums over rows at given coefficients; mergeable.
#[derive(Clone, Copy, Default)]
struct Sums {
    log_likelihood: f64,
    score: Vector,
    information: Matrix,
}

impl Design<'_> {
    fn row(&self, row: usize) -> Vector {
        [1.0, self.x[row][0], self.x[row][1]]
    }

    fn sums(&self, beta: Vector) -> Sums {
        let blocks = parallel::map_blocks(self.y.len(), |rows| {
            let mut sums = Sums::default();
            for row in rows {
                let x = self.row(row);
                let eta = dot(beta, x);
                let (p, log_p, log_q) = logistic(eta);
                sums.log_likelihood += if self.y[row] == 1.0 { log_p } else { log_q };
                let variance = p * (1.0 - p);
                for i in 0..N {
                    sums.score[i] += (self.y[row] - p) * x[i];
                    for j in 0..=i {
                        sums.information[i][j] += variance * x[i] * x[j];
                    }
                }
            }
            sums
        });
        let mut all = Sums::default();
        for part in blocks {
            all.log_likelihood += part.log_likelihood;
            for i in 0..N {
                all.score[i] += part.score[i];
                for j in 0..=i {
                    all.information[i][j] += part.information[i][j];
                    all.information[j][i] = all.information[i][j];
                }
            }
        }
        all
    }

    /// What Firth's penalty adds to the score: sum of h (1/2 - p) x, where h is the leverage of the row.
    fn penalty(&self, beta: Vector, inverse: &Matrix) -> Vector {
        let blocks = parallel::map_blocks(self.y.len(), |rows| {
            let mut sum = [0.0; N];
            for row in rows {
                let x = self.row(row);
                let (p, ..) = logistic(dot(beta, x));
                let leverage = p * (1.0 - p) * dot(x, times(inverse, x));
                for i in 0..N {
                    sum[i] += leverage * (0.5 - p) * x[i];
                }
            }
            sum
        });
        blocks.into_iter().fold([0.0; N], |sum, part| std::array::from_fn(|i| sum[i] + part[i]))
    }

    /// Log-likelihood, score and information; `None` where the information cannot be inverted.
    fn state(&self, beta: Vector, firth: bool) -> Option<(f64, Vector, Matrix)> {
        let mut sums = self.sums(beta);
        if firth {
            let (inverse, determinant) = invert(&sums.information, [true; N])?;
            let penalty = self.penalty(beta, &inverse);
            sums.log_likelihood += determinant.ln() / 2.0;
            for (score, more) in sums.score.iter_mut().zip(penalty) {
                *score += more;
            }
        }
        sums.log_likelihood.is_finite().then_some((
            sums.log_likelihood,
            sums.score,
            sums.information,
        ))
    }

    /// The best coefficients by Newton's method with halved steps, those in `fixed` held. `None` where there are none.
    ///
    /// Firth (1993, Biometrika 80:27-38): the likelihood times the root of the determinant of the information, which is
    /// finite under separation (Heinze and Schemper 2002, Statistics in Medicine 21:2409-2419).
    pub fn fit(&self, start: Vector, fixed: [bool; N], firth: bool) -> Option<Fit> {
        const STEPS: usize = 200;
        const LONGEST: f64 = 5.0;
        let free = fixed.map(|fixed| !fixed);
        let mut beta = start;
        let (mut best, mut score, mut information) = self.state(beta, firth)?;
        let mut converged = false;
        for _ in 0..STEPS {
            let curved = if firth { self.curvature(beta, free) } else { None };
            let (inverse, _) = match curved.and_then(|curved| invert(&curved, free)) {
                Some(found) => found,
                None => invert(&information, free)?,
            };
            let mut step = times(&inverse, score);
            // Twice what the step would gain if the likelihood were a parabola.
            let gain: f64 = (0..N).filter(|&i| free[i]).map(|i| score[i] * step[i]).sum();
            if gain < 1e-12 * (1.0 + best.abs()) {
                // Rounding hides so small a gain, and one step more is as exact as can be.
                beta = std::array::from_fn(|i| beta[i] + step[i]);
                (best, _, information) = self.state(beta, firth)?;
                converged = true;
                break;
            }
            let longest = step.iter().fold(0.0_f64, |most, part| most.max(part.abs()));
            if longest > LONGEST {
                step = step.map(|part| part * LONGEST / longest);
            }
            let mut moved = false;
            for _ in 0..40 {
                let next: Vector = std::array::from_fn(|i| beta[i] + step[i]);
                if let Some(state) = self.state(next, firth)
                    && state.0 >= best
                {
                    moved = state.0 > best || next != beta;
                    beta = next;
                    (best, score, information) = state;
                    break;
                }
                step = step.map(|part| part / 2.0);
            }
            if !moved {
                // No step gains: the top, as far as rounding lets see.
                converged = gain < 1e-9 * (1.0 + best.abs());
                break;
            }
        }
        let (covariance, _) = invert(&information, [true; N])?;
        Some(Fit { beta, log_likelihood: best, covariance, converged })
    }

    /// How the penalised score falls, by central differences: where data are nearly separated, the information alone says too
    /// little about the penalty to get to the top.
    fn curvature(&self, beta: Vector, free: [bool; N]) -> Option<Matrix> {
        let mut falls = [[0.0; N]; N];
        for j in (0..N).filter(|&j| free[j]) {
            let width = 1e-5 * (1.0 + beta[j].abs());
            let beside = |step: f64| {
                let mut beta = beta;
                beta[j] += step;
                self.state(beta, true).map(|(_, score, _)| score)
            };
            let (below, above) = (beside(-width)?, beside(width)?);
            for (fall, (below, above)) in falls[j].iter_mut().zip(below.into_iter().zip(above)) {
                *fall = (below - above) / (2.0 * width);
            }
        }
        Some(std::array::from_fn(|i| std::array::from_fn(|j| (falls[i][j] + falls[j][i]) / 2.0)))
    }

    /// p-value of a coefficient by the (penalised) likelihood ratio.
    pub fn ratio_test(&self, fit: &Fit, index: usize, firth: bool) -> f64 {
        let profile = self.profile(fit, index, 0.0, firth);
        let Ok(law) = ChiSquared::new(1.0) else { return f64::NAN };
        profile.map_or(f64::NAN, |at| law.sf((2.0 * (fit.log_likelihood - at)).max(0.0)))
    }

    /// The best log-likelihood with one coefficient held at `value`.
    fn profile(&self, fit: &Fit, index: usize, value: f64, firth: bool) -> Option<f64> {
        let mut start = fit.beta;
        let mut fixed = [false; N];
        start[index] = value;
        fixed[index] = true;
        // The others move along the ridge of the likelihood.
        let slope = |i: usize| fit.covariance[i][index] / fit.covariance[index][index];
        for i in (0..N).filter(|&i| i != index) {
            start[i] += slope(i) * (value - fit.beta[index]);
        }
        let found = self.fit(start, fixed, firth).or_else(|| {
            let mut start = [0.0; N];
            start[index] = value;
            self.fit(start, fixed, firth)
        })?;
        found.converged.then_some(found.log_likelihood)
    }

    /// A coefficient with the interval of its (penalised) profile likelihood.
    pub fn estimate(&self, fit: &Fit, index: usize, firth: bool, confidence: f64) -> Estimate {
        let nan = f64::NAN;
        let Ok(law) = ChiSquared::new(1.0) else {
            return Estimate::new(fit.beta[index], (nan, nan));
        };
        let limit = fit.log_likelihood - law.inverse_cdf(confidence) / 2.0;
        let unit = fit.covariance[index][index].sqrt();
        let end = |sign: f64| -> f64 {
            let at = |distance: f64| {
                let value = fit.beta[index] + sign * distance * unit;
                self.profile(fit, index, value, firth).map(|found| found - limit)
            };
            // Outwards in standard errors until the profile lies below the limit.
            let (mut near, mut near_at) = (0.0, fit.log_likelihood - limit);
            let mut far = 2.0;
            let mut far_at = loop {
                match at(far) {
                    None => return nan,
                    Some(value) if value < 0.0 => break value,
                    Some(value) => (near, near_at) = (far, value),
                }
                far *= 2.0;
                if far > 1e6 {
                    return sign * f64::INFINITY;
                }
            };
            // Regula falsi, the end that stays counted half (Illinois).
            let mut stayed = 0_i8;
            for _ in 0..60 {
                let middle = (near * far_at - far * near_at) / (far_at - near_at);
                if (far - near) < 1e-9 * far {
                    break;
                }
                match at(middle) {
                    None => return nan,
                    Some(0.0) => {
                        near = middle;
                        break;
                    }
                    Some(value) if value > 0.0 => {
                        (near, near_at) = (middle, value);
                        if stayed == 1 {
                            far_at /= 2.0;
                        }
                        stayed = 1;
                        if value < 1e-8 {
                            break;
                        }
                    }
                    Some(value) => {
                        (far, far_at) = (middle, value);
                        if stayed == -1 {
                            near_at /= 2.0;
                        }
                        stayed = -1;
                        if value > -1e-8 {
                            near = middle;
                            break;
                        }
                    }
                }
            }
            fit.beta[index] + sign * near * unit
        };
        Estimate::new(fit.beta[index], (end(-1.0), end(1.0)))
    }

    /// Mean change of the probability per unit of each slope's covariate, with its standard error (delta method).
    pub fn marginal_effects(&self, fit: &Fit) -> [(f64, f64); 2] {
        let n = self.y.len() as f64;
        let blocks = parallel::map_blocks(self.y.len(), |rows| {
            let (mut mean, mut turn) = (0.0, [0.0; N]);
            for row in rows {
                let x = self.row(row);
                let (p, ..) = logistic(dot(fit.beta, x));
                let variance = p * (1.0 - p);
                mean += variance;
                for i in 0..N {
                    turn[i] += variance * (1.0 - 2.0 * p) * x[i];
                }
            }
            (mean, turn)
        });
        let (mut mean, mut turn) = (0.0, [0.0; N]);
        for (part, turns) in blocks {
            mean += part / n;
            for i in 0..N {
                turn[i] += turns[i] / n;
            }
        }
        [1, 2].map(|index| {
            let mut gradient = turn.map(|turn| fit.beta[index] * turn);
            gradient[index] += mean;
            let variance = dot(gradient, times(&fit.covariance, gradient));
            (fit.beta[index] * mean, variance.sqrt())
        })
    }

    /// Whether a line divides the rows by outcome, rows on the line itself aside: then the likelihood has no maximum (Albert
    /// and Anderson 1984, Biometrika 71:1-10).
    ///
    /// The line exists where all differences of a won and a lost row lie in one half-plane; differences of the corners of
    /// the two convex hulls tell.
    pub fn is_separated(&self) -> bool {
        let side = |outcome: f64| {
            let rows = (0..self.y.len()).filter(|&row| self.y[row] == outcome);
            hull(rows.map(|row| self.x[row]).collect())
        };
        let (won, lost) = (side(1.0), side(0.0));
        let mut angles: Vec<f64> = won
            .iter()
            .flat_map(|w| lost.iter().map(move |l| [w[0] - l[0], w[1] - l[1]]))
            .filter(|difference| *difference != [0.0, 0.0])
            .map(|difference| difference[1].atan2(difference[0]))
            .collect();
        angles.sort_unstable_by(f64::total_cmp);
        let (Some(&first), Some(&last)) = (angles.first(), angles.last()) else { return false };
        let around = first + 2.0 * std::f64::consts::PI - last;
        let widest = angles.windows(2).map(|pair| pair[1] - pair[0]).fold(around, f64::max);
        widest >= std::f64::consts::PI - 1e-9
    }
}

/// Corners of the convex hull (Andrew 1979).
fn hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let turns_left = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| {
        (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0.0
    };
    let half = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut chain: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..]
                && !turns_left(a, b, point)
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut corners = half(&mut points.iter().copied());
    corners.extend(half(&mut points.iter().rev().copied()));
    corners
}

/// The probability, its logarithm, and that of the other outcome.
fn logistic(eta: f64) -> (f64, f64, f64) {
    // Neither exponential overflows, and neither logarithm is taken of a difference.
    if eta >= 0.0 {
        let e = (-eta).exp();
        (1.0 / (1.0 + e), -e.ln_1p(), -eta - e.ln_1p())
    } else {
        let e = eta.exp();
        (e / (1.0 + e), eta - e.ln_1p(), -e.ln_1p())
    }
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn times(matrix: &Matrix, vector: Vector) -> Vector {
    matrix.map(|line| dot(line, vector))
}

/// Inverse and determinant of the part of a positive definite matrix that is `free`, 0 elsewhere; `None` where it is
/// singular. Gauss-Jordan without pivots, which such a matrix does not need.
fn invert(matrix: &Matrix, free: [bool; N]) -> Option<(Matrix, f64)> {
    let mut left = *matrix;
    let mut right = [[0.0; N]; N];
    let mut determinant = 1.0;
    for i in 0..N {
        if free[i] {
            right[i][i] = 1.0;
        }
        for j in 0..N {
            if !(free[i] && free[j]) {
                left[i][j] = f64::from(u8::from(i == j));
            }
        }
    }
    for i in 0..N {
        let pivot = left[i][i];
        if !pivot.is_finite() || (free[i] && pivot <= 1e-13 * matrix[i][i].abs()) {
            return None;
        }
        determinant *= pivot;
        for j in 0..N {
            left[i][j] /= pivot;
            right[i][j] /= pivot;
        }
        for k in (0..N).filter(|&k| k != i) {
            let factor = left[k][i];
            for j in 0..N {
                left[k][j] -= factor * left[i][j];
                right[k][j] -= factor * right[i][j];
            }
        }
    }
    Some((right, determinant))
}
