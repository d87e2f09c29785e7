//! Repeated figures in a few numbers.

/// Mean and quantiles of some values; all NaN where there are none. NaN is not counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Their mean.
    pub mean: f64,
    /// 2.5 % of them are below.
    pub low: f64,
    /// A quarter of them is below.
    pub q25: f64,
    /// Half of them are below.
    pub median: f64,
    /// Three quarters of them are below.
    pub q75: f64,
    /// 97.5 % of them are below.
    pub high: f64,
}

impl Summary {
    /// Of these values; quantiles lie on the line between neighbours (Hyndman and Fan 1996, definition 7).
    pub fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            let at = share * sorted.len().saturating_sub(1) as f64;
            let (low, high) = (sorted.get(at.floor() as usize), sorted.get(at.ceil() as usize));
            match (low, high) {
                (Some(low), Some(high)) => low + (high - low) * at.fract(),
                _ => f64::NAN,
            }
        };
        Self {
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            low: quantile(0.025),
            q25: quantile(0.25),
            median: quantile(0.5),
            q75: quantile(0.75),
            high: quantile(0.975),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let found = Summary::of(&[4.0, f64::NAN, 1.0, 2.0, 3.0]);
        assert_eq!((found.mean, found.median, found.q25, found.q75), (2.5, 2.5, 1.75, 3.25));
        approx::assert_abs_diff_eq!(found.low, 1.075, epsilon = 1e-12);
        assert!(Summary::of(&[]).median.is_nan() && Summary::of(&[]).mean.is_nan());
    }
}
