//! How much likelier a response is in one group than in the rest: the ratio, its score interval, and an exact test.

use crate::gap::exact::hypergeometric;

/// Responses and customers of a group and of the rest.
#[derive(Debug, Clone, Copy)]
pub struct TwoGroups {
    /// Responses of the group.
    pub yes: f64,
    /// Customers of the group.
    pub n: f64,
    /// Responses of the rest.
    pub other_yes: f64,
    /// Customers of the rest.
    pub other_n: f64,
}

impl TwoGroups {
    /// Ratio of the two rates; infinite where only the group responds, NaN where nobody does or a group is empty.
    pub fn lift(&self) -> f64 {
        (self.yes / self.n) / (self.other_yes / self.other_n)
    }

    /// Squared distance of a ratio from the data in standard deviations of chance, with the rates that are likeliest under it.
    fn distance(&self, ratio: f64) -> f64 {
        let b = ratio * (self.n + self.other_yes) + self.yes + self.other_n;
        let yes = self.yes + self.other_yes;
        let root = (b * b - 4.0 * (self.n + self.other_n) * ratio * yes).max(0.0).sqrt();
        let other = (2.0 * yes / (b + root)).min(1.0);
        let own = (ratio * other).min(1.0);
        let part = |yes: f64, n: f64, rate: f64| {
            let (off, spread) = (yes - n * rate, n * rate * (1.0 - rate));
            if off.abs() <= 1e-12 * n { 0.0 } else { off * off / spread }
        };
        part(self.yes, self.n, own) + part(self.other_yes, self.other_n, other)
    }

    /// Interval of the ratio by the score method (Koopman 1984, Biometrics 40:513-517); `z` is the normal quantile of its
    /// confidence. It holds in small samples and where nobody responds; NaN where a group is empty.
    pub fn interval(&self, z: f64) -> (f64, f64) {
        if self.n <= 0.0 || self.other_n <= 0.0 {
            return (f64::NAN, f64::NAN);
        }
        let most = z * z;
        // Beyond these no ratio of two rates of so many customers lies.
        let far = 4.0 * (self.n + self.other_n).ln() + 40.0;
        let middle = self.lift();
        let middle = if middle.is_finite() && middle > 0.0 { middle.ln() } else { 0.0 };
        let end = |inner: f64, outer: f64| {
            let (mut inner, mut outer) = (inner, outer);
            for _ in 0..200 {
                let between = 0.5 * (inner + outer);
                if self.distance(between.exp()) <= most { inner = between } else { outer = between }
            }
            (0.5 * (inner + outer)).exp()
        };
        let (lowest, highest) = (self.yes == 0.0, self.other_yes == 0.0);
        let lo = match (lowest, highest) {
            (true, _) => 0.0,
            (false, true) => end(far, -far),
            (false, false) => end(middle, -far),
        };
        let hi = match (lowest, highest) {
            (_, true) => f64::INFINITY,
            (true, false) => end(-far, far),
            (false, false) => end(middle, far),
        };
        (lo, hi)
    }

    /// Two-sided p-value of Fisher's exact test; NaN where a group is empty.
    pub fn p_value(&self) -> f64 {
        if self.n <= 0.0 || self.other_n <= 0.0 {
            return f64::NAN;
        }
        let (yes, all) = (self.yes + self.other_yes, self.n + self.other_n);
        hypergeometric(self.yes as u64, self.n as u64, yes as u64, all as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Z: f64 = 1.959_963_984_540_054;

    fn groups(yes: f64, n: f64, other_yes: f64, other_n: f64) -> TwoGroups {
        TwoGroups { yes, n, other_yes, other_n }
    }

    #[test]
    fn the_interval_is_that_of_koopman() {
        // The example of the paper: 36 of 40 against 16 of 80.
        let found = groups(36.0, 40.0, 16.0, 80.0);
        assert!((found.lift() - 4.5).abs() < 1e-12);
        let (lo, hi) = found.interval(Z);
        assert!((lo - 2.94).abs() < 5e-3 && (hi - 7.15).abs() < 5e-3, "{lo} {hi}");
    }

    #[test]
    fn groups_without_responses_have_one_open_end() {
        assert_eq!(groups(0.0, 10.0, 0.0, 20.0).interval(Z), (0.0, f64::INFINITY));
        let (lo, hi) = groups(5.0, 10.0, 0.0, 20.0).interval(Z);
        assert!(lo > 1.0 && lo < 10.0 && hi.is_infinite());
        let (lo, hi) = groups(0.0, 20.0, 5.0, 10.0).interval(Z);
        assert!(lo == 0.0 && hi < 1.0 && hi > 0.1);
        let (lo, hi) = groups(7.0, 7.0, 9.0, 9.0).interval(Z);
        assert!(lo < 1.0 && hi > 1.0 && lo > 0.4 && hi < 2.5);
    }

    #[test]
    fn swapped_groups_have_the_inverse_interval() {
        let (lo, hi) = groups(12.0, 40.0, 9.0, 90.0).interval(Z);
        let (other_lo, other_hi) = groups(9.0, 90.0, 12.0, 40.0).interval(Z);
        assert!((lo * other_hi - 1.0).abs() < 1e-9 && (hi * other_lo - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_test_is_that_of_fishers_tea() {
        // The lady tasting tea, 3 of 4: two-sided 34/70; 4 of 4: 2/70.
        assert!((groups(3.0, 4.0, 1.0, 4.0).p_value() - 34.0 / 70.0).abs() < 1e-12);
        assert!((groups(4.0, 4.0, 0.0, 4.0).p_value() - 2.0 / 70.0).abs() < 1e-12);
        assert_eq!(groups(0.0, 4.0, 0.0, 9.0).p_value(), 1.0);
        let large = groups(60_000.0, 100_000.0, 500_000.0, 1_000_000.0).p_value();
        assert!((0.0..1e-100).contains(&large));
    }
}
