//! Tails and quantiles that stay right where counts are huge and probabilities tiny.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

use crate::confidence::z_of;
use crate::statistics::wilson;

const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// Terms of a continued fraction at most: it takes about the root of its largest parameter.
const MOST_TERMS: usize = 100_000;

/// What Stirling's formula leaves of `ln n!` (Loader 2000, Fast and accurate computation of binomial probabilities).
fn stirling_rest(n: f64) -> f64 {
    if n < 16.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.max(f64::MIN_POSITIVE).ln() + n - HALF_LN_TWO_PI;
    }
    let m = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / m) / m) / m) / n
}

/// `x ln(x / mean) + mean - x`, without loss where the two are near (Loader 2000).
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - difference;
    }
    let v = difference / (x + mean);
    let mut sum = difference * v;
    let mut term = 2.0 * x * v;
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / (2 * j + 1) as f64;
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// Logarithm of the probability of `x` successes among `n`, each with probability `p`, where `q = 1 - p`.
fn ln_binomial(x: f64, n: f64, p: f64, q: f64) -> f64 {
    let certain = |holds: bool| if holds { 0.0 } else { f64::NEG_INFINITY };
    if p == 0.0 {
        return certain(x == 0.0);
    }
    if q == 0.0 {
        return certain(x == n);
    }
    if n == 0.0 {
        return certain(x == 0.0);
    }
    if x == 0.0 {
        return if p < 0.1 { -deviance(n, n * q) - n * p } else { n * q.ln() };
    }
    if x == n {
        return if q < 0.1 { -deviance(n, n * p) - n * q } else { n * p.ln() };
    }
    let rests = stirling_rest(n) - stirling_rest(x) - stirling_rest(n - x);
    rests - deviance(x, n * p) - deviance(n - x, n * q) - HALF_LN_TWO_PI
        + 0.5 * (n / (x * (n - x))).ln()
}

/// The law of the number of marked among `drawn`, where `marked` of `total` are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hypergeometric {
    drawn: u64,
    marked: u64,
    total: u64,
}

impl Hypergeometric {
    /// The law; what cannot be drawn or marked is not.
    pub(super) fn new(drawn: u64, marked: u64, total: u64) -> Self {
        Self { drawn: drawn.min(total), marked: marked.min(total), total }
    }

    /// Smallest and largest number that can be.
    pub(super) fn ends(self) -> (u64, u64) {
        ((self.drawn + self.marked).saturating_sub(self.total), self.drawn.min(self.marked))
    }

    /// The most probable number.
    pub(super) fn mode(self) -> u64 {
        let (lo, hi) = self.ends();
        let mode = (self.drawn + 1) as f64 * (self.marked + 1) as f64 / (self.total as f64 + 2.0);
        (mode as u64).clamp(lo, hi)
    }

    /// Logarithm of the probability of `x`.
    pub(super) fn ln_probability(self, x: u64) -> f64 {
        let (n, r, all) = (self.drawn as f64, self.marked as f64, self.total as f64);
        if all == 0.0 {
            return 0.0;
        }
        let (p, q) = (n / all, (self.total - self.drawn) as f64 / all);
        let x = x as f64;
        ln_binomial(x, r, p, q) + ln_binomial(n - x, all - r, p, q) - ln_binomial(n, all, p, q)
    }

    /// Probability of `k + 1` over that of `k`.
    pub(super) fn ratio(self, k: u64) -> f64 {
        let rest = (self.total + k + 1 - self.drawn - self.marked) as f64;
        (self.drawn - k) as f64 * (self.marked - k) as f64 / ((k + 1) as f64 * rest)
    }

    /// Logarithm of the two-sided mid-p of `x`: twice the smaller of what lies below and above, and its own probability.
    ///
    /// Time: the standard deviations of the law, some hundred at most for a million.
    pub(super) fn ln_mid_p(self, x: u64) -> f64 {
        let (lo, hi) = self.ends();
        let x = x.clamp(lo, hi);
        let own = self.ln_probability(x);
        // What lies beyond, seen from the middle, as a multiple of the probability of x.
        let (mut term, mut beyond) = (1.0, 0.0);
        let mut more = |factor: f64| {
            term *= factor;
            beyond += term;
            term > 1e-18 * beyond
        };
        if x as f64 * self.total as f64 > self.drawn as f64 * self.marked as f64 {
            let _ = (x..hi).all(|k| more(self.ratio(k)));
        } else {
            let _ = (lo..x).rev().all(|k| more(1.0 / self.ratio(k)));
        }
        let other = ((-own).exp() - 1.0 - beyond).max(0.0);
        (own + (2.0 * beyond.min(other)).ln_1p()).min(0.0)
    }

    /// Two-sided p of `x` (Fisher): the probability of everything at most as likely. Where the law spans millions, use
    /// [`Hypergeometric::ln_mid_p`].
    pub(super) fn fisher(self, x: u64) -> f64 {
        let (lo, hi) = self.ends();
        let seen = self.ln_probability(x.clamp(lo, hi)) + 1e-7;
        let sum: f64 =
            (lo..=hi).map(|k| self.ln_probability(k)).filter(|&ln| ln <= seen).map(f64::exp).sum();
        sum.min(1.0)
    }
}

/// `v` with a two-sided normal tail of this logarithm.
pub(super) fn two_sided_quantile(ln_p: f64) -> f64 {
    let wanted = ln_p - std::f64::consts::LN_2;
    if wanted >= -std::f64::consts::LN_2 {
        return 0.0;
    }
    if wanted > -600.0 {
        return -Normal::standard().inverse_cdf(wanted.exp());
    }
    // Beyond the smallest float: the tail's expansion.
    let ln_tail = |v: f64| {
        let u = 1.0 / (v * v);
        -0.5 * v * v - HALF_LN_TWO_PI - v.ln() + (-u * (1.0 - 3.0 * u * (1.0 - 5.0 * u))).ln_1p()
    };
    let mut v = (-2.0 * wanted).sqrt();
    for _ in 0..20 {
        let step = (ln_tail(v) - wanted) / (v + 1.0 / v);
        v += step;
        if step.abs() < 1e-13 * v {
            break;
        }
    }
    v
}

/// Two-sided p of a standard normal value.
pub(super) fn normal_p(v: f64) -> f64 {
    2.0 * Normal::standard().cdf(-v.abs())
}

/// Regularised incomplete beta function, with `y = 1 - x`; the continued fraction by Lentz's method (DLMF 8.17.22).
fn beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(b, a, y, x);
    }
    // The factor before the fraction is that of a binomial probability.
    let n = a + b;
    let rests = stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
    let ln_front =
        rests - deviance(a, n * x) - deviance(b, n * y) - HALF_LN_TWO_PI + 0.5 * (a * b / n).ln();
    let tiny = 1e-300;
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 - n * x / (a + 1.0), tiny));
    let mut fraction = d;
    for m in 1..MOST_TERMS {
        let m = m as f64;
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (n + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / nonzero(1.0 + numerator * d, tiny);
            c = nonzero(1.0 + numerator / c, tiny);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (ln_front - a.ln()).exp() * fraction
}

fn nonzero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

/// Upper tail of Fisher's F; NaN where a number of degrees of freedom is not above 0.
pub(super) fn f_tail(f: f64, df1: f64, df2: f64) -> f64 {
    if !(f >= 0.0 && df1 > 0.0 && df2 > 0.0) {
        return f64::NAN;
    }
    let whole = df2 + df1 * f;
    if whole.is_infinite() {
        return 0.0;
    }
    beta(df2 / 2.0, df1 / 2.0, df2 / whole, df1 * f / whole).clamp(0.0, 1.0)
}

/// Two-sided tail of Student's t.
pub(super) fn t_p(t: f64, df: f64) -> f64 {
    f_tail(t * t, 1.0, df)
}

/// Upper tail of chi squared.
pub(super) fn chi2_tail(x: f64, df: f64) -> f64 {
    if x.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    statrs::function::gamma::gamma_ur(df / 2.0, x / 2.0).clamp(0.0, 1.0)
}

/// The quantile of Student's t for an interval of this confidence.
pub(super) fn t_of(confidence: f64, df: f64) -> f64 {
    let z = z_of(confidence);
    if df >= 200.0 {
        // Abramowitz and Stegun (1964), 26.7.5: the first term left out is below 1e-10.
        let square = z * z;
        let terms = [
            z * (square + 1.0) / 4.0,
            z * ((5.0 * square + 16.0) * square + 3.0) / 96.0,
            z * (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0,
            z * ((((79.0 * square + 776.0) * square + 1482.0) * square - 1920.0) * square - 945.0)
                / 92_160.0,
        ];
        return z + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / df);
    }
    let wanted = 1.0 - confidence;
    // Between the normal quantile and where one degree of freedom, the widest tail, or this one ends.
    let (mut lo, mut hi) = (z, 2.0 * z);
    while t_p(hi, df) > wanted && hi < 1e300 {
        (lo, hi) = (hi, 2.0 * hi);
    }
    for _ in 0..200 {
        let middle = 0.5 * (lo + hi);
        if middle <= lo || middle >= hi {
            break;
        }
        if t_p(middle, df) > wanted { lo = middle } else { hi = middle }
    }
    0.5 * (lo + hi)
}

/// Interval of the ratio of two independent shares from their Wilson intervals, by the method of variance estimates
/// recovery (Donner and Zou 2012, Statistical Methods in Medical Research 21:347-359). Infinite where the second may be 0.
pub(super) fn ratio_of_shares((k, n): (f64, f64), (l, m): (f64, f64), z: f64) -> (f64, f64) {
    let (one, other) = (k / n, l / m);
    if one.is_nan() || other.is_nan() || (one == 0.0 && other == 0.0) {
        return (f64::NAN, f64::NAN);
    }
    let ((one_lo, one_hi), (other_lo, other_hi)) = (wilson(k, n, z), wilson(l, m, z));
    let product = one * other;
    let lower = one_lo * (2.0 * one - one_lo);
    let lo = lower
        / (product
            + (product * product - lower * other_hi * (2.0 * other - other_hi)).max(0.0).sqrt());
    let below = other_lo * (2.0 * other - other_lo);
    let upper = one_hi * (2.0 * one - one_hi);
    let hi = (product + (product * product - upper * below).max(0.0).sqrt()) / below;
    (if lo.is_nan() { 0.0 } else { lo }, if below == 0.0 { f64::INFINITY } else { hi })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn tails_are_those_of_scipy() {
        // scipy.stats: f.sf, t.sf, chi2.sf, t.ppf.
        assert_relative_eq!(f_tail(3.5, 2.0, 27.0), 0.044_508_753_946_400_24, max_relative = 1e-12);
        assert_relative_eq!(
            f_tail(2.5, 7.0, 999_992.0),
            0.014_442_138_437_609_293,
            max_relative = 1e-8
        );
        assert_relative_eq!(t_p(2.2, 5.3), 0.076_033_103_938_133_38, max_relative = 1e-10);
        assert_relative_eq!(t_of(0.95, 4.0), 2.776_445_105_197_793, max_relative = 1e-12);
        assert_relative_eq!(t_of(0.95, 1.0), 12.706_204_736_174_694, max_relative = 1e-12);
        assert_relative_eq!(t_of(0.95, 1e6), 1.959_966_356_814_107, max_relative = 1e-10);
        assert_relative_eq!(t_of(0.95, 200.0), 1.971_896_223_633_908_8, max_relative = 1e-9);
        assert_relative_eq!(chi2_tail(20.0, 12.0), 0.067_085_962_879_031_78, max_relative = 1e-12);
    }

    #[test]
    fn mid_p_is_the_sum_over_the_law() {
        for (drawn, marked, total) in [(9, 12, 30), (6, 5, 8), (70, 40, 200), (20, 1, 50)] {
            let law = Hypergeometric::new(drawn, marked, total);
            let (lo, hi) = law.ends();
            let known = statrs::distribution::Hypergeometric::new(total, marked, drawn).unwrap();
            let p = |k: u64| statrs::distribution::Discrete::pmf(&known, k);
            for x in lo..=hi {
                let (below, above): (f64, f64) = ((lo..x).map(p).sum(), (x + 1..=hi).map(p).sum());
                let wanted = (2.0 * below.min(above) + p(x)).min(1.0);
                assert_relative_eq!(law.ln_mid_p(x).exp(), wanted, max_relative = 1e-9);
                let fisher: f64 =
                    (lo..=hi).map(p).filter(|&q| q <= p(x) * (1.0 + 1e-7)).sum::<f64>().min(1.0);
                assert_relative_eq!(law.fisher(x), fisher, max_relative = 1e-9);
            }
        }
    }

    #[test]
    fn quantiles_go_on_where_probabilities_end() {
        assert_relative_eq!(
            two_sided_quantile(0.05_f64.ln()),
            1.959_963_984_540_054,
            max_relative = 1e-13
        );
        // scipy.stats.norm.logsf(50) + ln 2.
        assert_relative_eq!(
            two_sided_quantile(-1_254.831_361_139_419_9 + std::f64::consts::LN_2),
            50.0,
            max_relative = 1e-12
        );
        // Both ways agree where they meet.
        let (near, far) = (two_sided_quantile(-599.0), two_sided_quantile(-600.0));
        assert!(far > near && far - near < 0.03);
        assert_eq!(two_sided_quantile(0.0), 0.0);
    }

    #[test]
    fn ratios_of_shares_have_the_interval_of_their_limits() {
        let z = z_of(0.95);
        let (lo, hi) = ratio_of_shares((30.0, 100.0), (15.0, 100.0), z);
        assert!(lo > 1.0 && lo < 2.0 && hi > 2.0 && hi < 4.0, "{lo} {hi}");
        // Turned round, the interval is that of the reciprocal.
        let (low, high) = ratio_of_shares((15.0, 100.0), (30.0, 100.0), z);
        assert_relative_eq!(low, 1.0 / hi, max_relative = 1e-12);
        assert_relative_eq!(high, 1.0 / lo, max_relative = 1e-12);
        assert_eq!(ratio_of_shares((5.0, 10.0), (0.0, 10.0), z).1, f64::INFINITY);
        assert_eq!(ratio_of_shares((0.0, 10.0), (5.0, 10.0), z).0, 0.0);
    }
}
