//! Shares and means of small groups drawn towards those of all, as far as the groups agree.
//!
//! Shares: buyers among `n` accounts of a group are beta-binomial over groups (Griffiths 1973, Biometrics 29:637-648), with the
//! overall share as mean. How much the groups agree, the concentration of the beta, is not taken as known: it is averaged
//! over by its likelihood (Deely and Lindley 1981, JASA 76:833-841), since intervals that take its best value as the truth are
//! too narrow where groups are few. Means: credibility after Bühlmann and Straub (1970), Mitteilungen der Vereinigung
//! schweizerischer Versicherungsmathematiker 70:111-133. In both what is known elsewhere counts at most as much as there are
//! observations elsewhere.

use statrs::function::beta::{checked_beta_reg, ln_beta};
use statrs::function::gamma::ln_gamma;

/// Concentrations that are averaged over, from 1 to the number of all accounts in equal ratios.
pub const GRID: usize = 16;

/// Where both parameters are above this, three cumulants of the log-odds give the quantile to all that an interval shows.
const LARGE: f64 = 1000.0;

/// A share with the beta distribution that stands for what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// First parameter.
    pub a: f64,
    /// Second parameter.
    pub b: f64,
}

impl Share {
    /// The mean.
    pub fn mean(&self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// The variance over the square of the mean.
    pub fn relative_variance(&self) -> f64 {
        self.b / (self.a * (self.a + self.b + 1.0))
    }

    /// The interval between equal tails. For a share of 1 it is the exact bound of so many successes without a failure.
    pub fn interval(&self, confidence: f64) -> (f64, f64) {
        let tail = (1.0 - confidence) / 2.0;
        if self.b <= 0.0 {
            return (beta_quantile(tail, self.a, 1.0), 1.0);
        }
        (beta_quantile(tail, self.a, self.b), beta_quantile(1.0 - tail, self.a, self.b))
    }
}

/// The share of each group: `(k, n)` are buyers and accounts. Groups without accounts have the overall share.
///
/// Each is a beta with the mean and the variance that the average over [`concentrations`] has. Cost: [`GRID`] evaluations of
/// the likelihood.
pub fn shares(groups: &[(f64, f64)]) -> Vec<Share> {
    let (k, n) = groups.iter().fold((0.0, 0.0), |(k, n), group| (k + group.0, n + group.1));
    let overall = k / n;
    let grid = concentrations(groups, overall);
    let share = |(buyers, accounts): (f64, f64), concentration: f64| {
        let weight = concentration.min(n - accounts).max(1.0);
        Share { a: overall * weight + buyers, b: (1.0 - overall) * weight + (accounts - buyers) }
    };
    groups
        .iter()
        .map(|&group| {
            if let [(only, _)] = grid[..] {
                return share(group, only);
            }
            let (mut mean, mut square) = (0.0, 0.0);
            for &(concentration, weight) in &grid {
                let one = share(group, concentration);
                let m = one.mean();
                mean += weight * m;
                square += weight * m * m * (1.0 + one.relative_variance());
            }
            let size = mean * (1.0 - mean) / (square - mean * mean) - 1.0;
            Share { a: mean * size, b: (1.0 - mean) * size }
        })
        .collect()
}

/// Concentrations of the beta with the weight of each, by its likelihood: all ratios are as likely beforehand. One
/// alone where the groups say nothing of it.
pub fn concentrations(groups: &[(f64, f64)], overall: f64) -> Vec<(f64, f64)> {
    let n: f64 = groups.iter().map(|group| group.1).sum();
    let informative = groups.iter().filter(|group| group.1 > 0.0).count() > 1;
    if !informative || overall <= 0.0 || overall >= 1.0 {
        return vec![(1.0, 1.0)];
    }
    let step = n.ln() / (GRID - 1) as f64;
    let mut grid: Vec<(f64, f64)> = (0..GRID)
        .map(|at| {
            let m: f64 = (at as f64 * step).exp();
            let (a, b) = (overall * m, (1.0 - overall) * m);
            let (at_a, at_b, at_m) = (ln_gamma(a), ln_gamma(b), ln_gamma(m));
            let likelihood: f64 = groups
                .iter()
                .map(|&(k, n)| {
                    (ln_gamma(a + k) - at_a) + (ln_gamma(b + n - k) - at_b)
                        - (ln_gamma(m + n) - at_m)
                })
                .sum();
            (m, likelihood)
        })
        .collect();
    let most = grid.iter().map(|&(_, likelihood)| likelihood).fold(f64::NEG_INFINITY, f64::max);
    grid.iter_mut().for_each(|(_, weight)| *weight = (*weight - most).exp());
    let all: f64 = grid.iter().map(|&(_, weight)| weight).sum();
    grid.iter_mut().for_each(|(_, weight)| *weight /= all);
    grid
}

/// The value below which a beta variable lies with probability `p`.
///
/// Newton's steps on the scale of log-odds, kept within a bracket.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    // Mean, variance and third cumulant of the log-odds to the terms that matter where both parameters are large, and the
    // quantile that follows from them (Cornish and Fisher 1938).
    let mean = (a - 0.5).max(0.5 * a).ln() - (b - 0.5).max(0.5 * b).ln();
    let spread = (1.0 / a + 1.0 / b + 0.5 / (a * a) + 0.5 / (b * b)).sqrt();
    let z = normal_quantile(p);
    if a.min(b) > LARGE {
        let third = |a: f64| (1.0 + 1.0 / a) / (a * a);
        let skew = (third(b) - third(a)) / (spread * spread * spread);
        return logistic(mean + spread * (z + skew * (z * z - 1.0) / 6.0));
    }
    let start = mean + spread * z;
    let norm = ln_beta(a, b);
    let (mut low, mut high) = (-700.0, 700.0);
    let mut at = start.clamp(-30.0, 30.0);
    for _ in 0..200 {
        let x = logistic(at);
        let Some(below) = checked_beta_reg(a, b, x).ok().filter(|p| p.is_finite()) else {
            return f64::NAN;
        };
        if below < p {
            low = at;
        } else {
            high = at;
        }
        // Density of the log-odds: x^a (1 - x)^b / B(a, b), from log-odds so that neither end loses its digits.
        let density = (-a * softplus(-at) - b * softplus(at) - norm).exp();
        let step = (below - p) / density;
        let next = at - step;
        if step.abs() < 1e-10 * (1.0 + at.abs()) || high - low < 1e-12 * (1.0 + at.abs()) {
            return logistic(at);
        }
        at = if next > low && next < high { next } else { (low + high) / 2.0 };
    }
    logistic(at)
}

fn logistic(t: f64) -> f64 {
    if t >= 0.0 { 1.0 / (1.0 + (-t).exp()) } else { t.exp() / (1.0 + t.exp()) }
}

/// `ln(1 + exp(t))`.
fn softplus(t: f64) -> f64 {
    t.max(0.0) + (-t.abs()).exp().ln_1p()
}

fn normal_quantile(p: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    Normal::standard().inverse_cdf(p)
}

/// A mean with the variance of what is known of it; NaN where nothing is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its variance.
    pub variance: f64,
}

/// Values of a group: how many, their sum, and the sum of squares around their mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Values {
    /// How many.
    pub n: f64,
    /// Their sum.
    pub sum: f64,
    /// Sum of squares around their mean.
    pub squares: f64,
}

/// The mean of each group, drawn towards that of all as far as groups differ less than their values.
///
/// Where no two groups can be told apart, or no group has two values, it is the mean of all.
pub fn means(groups: &[Values]) -> Vec<Mean> {
    let n: f64 = groups.iter().map(|group| group.n).sum();
    let overall = groups.iter().map(|group| group.sum).sum::<f64>() / n;
    let met: Vec<&Values> = groups.iter().filter(|group| group.n > 0.0).collect();
    let g = met.len() as f64;
    let between: f64 =
        met.iter().map(|group| group.n * (group.sum / group.n - overall).powi(2)).sum();
    let within: f64 = met.iter().map(|group| group.squares).sum();
    let (noise, signal) = if g >= 2.0 && n > g {
        let noise = within / (n - g);
        let size = n - met.iter().map(|group| group.n * group.n).sum::<f64>() / n;
        (noise, ((between - (g - 1.0) * noise) / size).max(0.0))
    } else {
        ((within + between) / (n - 1.0), 0.0)
    };
    groups
        .iter()
        .map(|group| {
            let elsewhere = n - group.n;
            let weight = if signal > 0.0 { (noise / signal).min(elsewhere) } else { elsewhere };
            let known = group.n + weight;
            if known <= 0.0 {
                return Mean { value: overall, variance: f64::NAN };
            }
            let value = (group.sum + weight * overall) / known;
            // A group that nobody has bought in may be anywhere among the groups.
            let variance = if group.n > 0.0 { noise / known } else { signal + noise / n };
            Mean { value, variance }
        })
        .collect()
}
