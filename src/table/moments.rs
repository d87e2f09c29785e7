//! Moments of a column of numbers, in fixed blocks.

use crate::parallel;

/// Moments of the values that are not missing.
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) deviation: f64,
    pub(super) skewness: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Moments {
    /// Two passes, in fixed blocks.
    pub(super) fn of(values: &[f64]) -> Self {
        let present = |row: usize| if values[row].is_nan() { 0.0 } else { 1.0 };
        let n = values.len();
        let count = parallel::sum(n, present);
        let value = |row: usize| if values[row].is_nan() { 0.0 } else { values[row] };
        let mean = parallel::sum(n, value) / count;
        let power = |exponent: i32| {
            let deviation = |row: usize| (values[row] - mean).powi(exponent) * present(row);
            let term = |row: usize| if values[row].is_nan() { 0.0 } else { deviation(row) };
            parallel::sum(n, term) / count
        };
        let deviation = power(2).sqrt();
        Self {
            mean,
            deviation,
            skewness: power(3) / deviation.powi(3),
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// Median of the positive values; NaN where there is none.
pub(super) fn median_positive(values: &[f64]) -> f64 {
    let mut positive: Vec<f64> = values.iter().copied().filter(|&value| value > 0.0).collect();
    positive.sort_unstable_by(f64::total_cmp);
    positive.get(positive.len() / 2).copied().unwrap_or(f64::NAN)
}
