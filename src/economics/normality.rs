//! Whether values follow a normal distribution, and how far off they are.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

/// Shape of weighted values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Mean.
    pub mean: f64,
    /// Standard deviation: of the values without weights with n - 1, else with the sum of weights.
    pub sd: f64,
    /// Third standardised moment.
    pub skewness: f64,
    /// Fourth standardised moment minus 3.
    pub excess_kurtosis: f64,
    /// Largest distance between the cumulative share and the normal one of equal mean and standard deviation.
    pub distance: f64,
}

/// Mean and standard deviation (with n - 1) of values.
pub fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    // Around the first value, so that large values of small spread do not cancel.
    let base = values.first().copied().unwrap_or(0.0);
    let mean = base + values.iter().map(|value| value - base).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// Shape of values in ascending order.
pub fn shape(sorted: &[f64], weights: &[f64]) -> Shape {
    let total: f64 = weights.iter().sum();
    let base = sorted.first().copied().unwrap_or(0.0);
    let shift: f64 = sorted.iter().zip(weights).map(|(value, w)| w * (value - base)).sum();
    let mean = base + shift / total;
    let moment = |power: i32| -> f64 {
        sorted.iter().zip(weights).map(|(v, w)| w * (v - mean).powi(power)).sum::<f64>() / total
    };
    let (second, third, fourth) = (moment(2), moment(3), moment(4));
    let sd = second.sqrt();
    let normal = Normal::standard();
    let (mut distance, mut counted) = (0.0_f64, 0.0);
    for (row, (&value, &weight)) in sorted.iter().zip(weights).enumerate() {
        let below = counted / total;
        counted += weight;
        // Equal values make one step.
        if row > 0 && sorted[row - 1] == value {
            let at = normal.cdf((value - mean) / sd);
            distance = distance.max((counted / total - at).abs());
            continue;
        }
        let at = normal.cdf((value - mean) / sd);
        distance = distance.max((at - below).abs());
        if sorted.get(row + 1) != Some(&value) {
            distance = distance.max((counted / total - at).abs());
        }
    }
    Shape {
        mean,
        sd,
        skewness: third / second.powf(1.5),
        excess_kurtosis: fourth / (second * second) - 3.0,
        distance,
    }
}

/// The omnibus test of D'Agostino and Pearson: its statistic and p-value; NaN with fewer than 20 values.
///
/// Skewness as in D'Agostino (1970, Biometrika 57:679-681), kurtosis as in Anscombe and Glynn (1983, Biometrika
/// 70:227-234), their squares added (D'Agostino and Pearson 1973, Biometrika 60:613-622).
pub fn omnibus(n: usize, skewness: f64, excess_kurtosis: f64) -> (f64, f64) {
    if n < 20 {
        return (f64::NAN, f64::NAN);
    }
    let k2 = z_skewness(n as f64, skewness).powi(2)
        + z_kurtosis(n as f64, excess_kurtosis + 3.0).powi(2);
    // Two degrees of freedom.
    let p = ChiSquared::new(2.0).map_or(f64::NAN, |law| law.sf(k2));
    (k2, p)
}

fn z_skewness(n: f64, skewness: f64) -> f64 {
    let y = skewness * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
    let beta = 3.0 * (n * n + 27.0 * n - 70.0) * (n + 1.0) * (n + 3.0)
        / ((n - 2.0) * (n + 5.0) * (n + 7.0) * (n + 9.0));
    let w2 = (2.0 * (beta - 1.0)).sqrt() - 1.0;
    let delta = 1.0 / (0.5 * w2.ln()).sqrt();
    let alpha = (2.0 / (w2 - 1.0)).sqrt();
    delta * (y / alpha).asinh()
}

fn z_kurtosis(n: f64, kurtosis: f64) -> f64 {
    let expected = 3.0 * (n - 1.0) / (n + 1.0);
    let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0).powi(2) * (n + 3.0) * (n + 5.0));
    let x = (kurtosis - expected) / variance.sqrt();
    let root = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
        * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
    let a = 6.0 + 8.0 / root * (2.0 / root + (1.0 + 4.0 / (root * root)).sqrt());
    let ratio = (1.0 - 2.0 / a) / (1.0 + x * (2.0 / (a - 4.0)).sqrt());
    (1.0 - 2.0 / (9.0 * a) - ratio.cbrt()) / (2.0 / (9.0 * a)).sqrt()
}
