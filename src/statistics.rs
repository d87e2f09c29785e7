//! Statistics that several rooms share.

use statrs::distribution::{Continuous, ContinuousCDF, Gamma, Normal};

/// Adjusted p-values of a family of tests (Benjamini and Hochberg 1995); NaN stays NaN and is not counted.
///
/// Calling "found" what has `q <= a` keeps the expected share of false finds at most `a`. Time: `n log n`.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&test| !p[test].is_nan()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut q = vec![f64::NAN; p.len()];
    let mut least = 1.0_f64;
    for (rank, &test) in order.iter().enumerate().rev() {
        least = least.min(p[test] * order.len() as f64 / (rank + 1) as f64);
        q[test] = least;
    }
    q
}

/// Adjusted p-values of a family of tests (Holm 1979, Scandinavian Journal of Statistics 6:65-70); NaN stays NaN and is not
/// counted.
///
/// Calling "found" what has `q <= a` keeps the chance of any false find at most `a`, whatever the tests have to do with each
/// other. Time: `n log n`.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&test| !p[test].is_nan()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut q = vec![f64::NAN; p.len()];
    let mut most = 0.0_f64;
    for (rank, &test) in order.iter().enumerate() {
        most = most.max(p[test] * (order.len() - rank) as f64).min(1.0);
        q[test] = most;
    }
    q
}

/// The score interval of a proportion of `k` in `n` (Wilson 1927, JASA 22:209-212); `z` is the normal quantile of its
/// confidence. NaN where `n` is 0.
pub fn wilson(k: f64, n: f64, z: f64) -> (f64, f64) {
    if n.is_nan() || n <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    let (share, square) = (k / n, z * z / n);
    let centre = share + square / 2.0;
    let half = z * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt();
    let end = |end: f64| (end / (1.0 + square)).clamp(0.0, 1.0);
    // Without these, rounding would leave a hair between the interval and a proportion of 0 or 1.
    let lo = if k == 0.0 { 0.0 } else { end(centre - half) };
    let hi = if k == n { 1.0 } else { end(centre + half) };
    (lo, hi)
}

/// The hybrid score interval of the difference of two proportions, `k / n - l / m` (Newcombe 1998, Statistics in Medicine
/// 17:873-890, method 10): the distances of both to the ends of their own [`wilson`] intervals, added as squares.
pub fn newcombe((k, n): (f64, f64), (l, m): (f64, f64), z: f64) -> (f64, f64) {
    let (p, q) = (k / n, l / m);
    let ((p_lo, p_hi), (q_lo, q_hi)) = (wilson(k, n, z), wilson(l, m, z));
    let difference = p - q;
    (difference - (p - p_lo).hypot(q_hi - q), difference + (p_hi - p).hypot(q - q_lo))
}

/// The shape from which quantiles of gamma laws are those of the expansion.
const LARGE_SHAPE: f64 = 1000.0;

/// The shape from which the expansion is near enough to start from.
const FAIR_SHAPE: f64 = 0.5;

/// The quantile of the gamma law of a shape and of scale 1; `None` where the shape is no positive number.
///
/// It begins with the Cornish-Fisher expansion to the sixth order (Goldberg and Levine 1946, Annals of Mathematical Statistics
/// 17:216-225, for chi-square). Of shapes above 1,000 that is the answer: it holds to one part in 10^10 there, where integrating
/// takes as many steps as the root of the shape. Of smaller ones a few steps of Halley's method lead to the answer; where they
/// do not, and of shapes below 0.5, it is searched for by bisection and Newton's method.
pub fn gamma_quantile(p: f64, shape: f64) -> Option<f64> {
    if !(shape > 0.0 && shape.is_finite()) {
        return None;
    }
    if shape >= LARGE_SHAPE {
        return Some(expanded(p, shape)).filter(|found| found.is_finite());
    }
    let law = Gamma::new(shape, 1.0).ok()?;
    let near = (shape >= FAIR_SHAPE).then(|| polished(p, shape, &law)).flatten();
    near.or_else(|| Some(law.inverse_cdf(p)))
}

/// The expansion of the quantile.
fn expanded(p: f64, shape: f64) -> f64 {
    let z = Normal::standard().inverse_cdf(p);
    let (root, square) = (shape.sqrt(), z * z);
    let terms = [
        shape,
        root * z,
        (square - 1.0) / 3.0,
        (square - 7.0) * z / (36.0 * root),
        -((6.0 * square + 14.0) * square - 32.0) / (1620.0 * shape),
        ((9.0 * square + 256.0) * square - 433.0) * z / (38_880.0 * shape * root),
        (((12.0 * square - 243.0) * square - 923.0) * square + 1472.0)
            / (204_120.0 * shape * shape),
    ];
    terms.iter().rev().sum()
}

/// The quantile by Halley's method from the expansion; `None` where it does not settle.
fn polished(p: f64, shape: f64, law: &Gamma) -> Option<f64> {
    const STEPS: usize = 8;
    let mut x = expanded(p, shape);
    for _ in 0..STEPS {
        if !(x > 0.0 && x.is_finite()) {
            return None;
        }
        let newton = (law.cdf(x) - p) / law.pdf(x);
        let step = newton / (1.0 - 0.5 * newton * ((shape - 1.0) / x - 1.0));
        x -= step;
        // The error is cubed with every step.
        if step.abs() <= 1e-5 * x {
            return Some(x).filter(|x| *x > 0.0);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_large_shapes_are_those_of_the_law() {
        for shape in [1000.0, 1234.5, 1e4, 3e5] {
            for p in [1e-6, 0.005, 0.025, 0.3, 0.5, 0.975, 0.995, 1.0 - 1e-6] {
                let law = Gamma::new(shape, 1.0).unwrap();
                let found = gamma_quantile(p, shape).unwrap();
                // What the law gives back is p, to what an error of one part in 10^10 makes of it.
                let error = (law.cdf(found) - p).abs();
                let allowed = law.pdf(found) * found * 1e-10 + 1e-13;
                assert!(error < allowed, "{shape} {p}: {error} of {allowed}");
            }
        }
        assert!(gamma_quantile(0.5, f64::NAN).is_none());
        assert!(gamma_quantile(0.5, 0.0).is_none());
        assert!(gamma_quantile(0.5, -1.0).is_none());
        assert!(gamma_quantile(0.5, f64::INFINITY).is_none());
    }

    #[test]
    fn the_quantiles_of_small_shapes_are_those_of_the_law() {
        for shape in [1e-3, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0, 12.0, 77.7, 400.0, 999.0] {
            for p in [1e-9, 0.005, 0.025, 0.3, 0.5, 0.8, 0.975, 0.995, 1.0 - 1e-9] {
                let law = Gamma::new(shape, 1.0).unwrap();
                let found = gamma_quantile(p, shape).unwrap();
                let error = |x: f64| (law.cdf(x) - p).abs();
                // The law itself is computed to about a part in 10^12.
                let allowed = error(law.inverse_cdf(p)).max(1e-12);
                assert!(error(found) <= allowed, "{shape} {p}: {found}");
            }
        }
        assert_eq!(gamma_quantile(0.0, 3.0), Some(0.0));
        // Half the square of a standard normal number has shape 0.5.
        let z = Normal::standard().inverse_cdf(0.9875);
        assert!((gamma_quantile(0.975, 0.5).unwrap() - z * z / 2.0).abs() < 1e-12);
    }

    #[test]
    fn adjusted_values_are_those_of_the_paper() {
        // The fifteen tests of Benjamini and Hochberg (1995), section 4.1: four are found at 0.05.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let q = benjamini_hochberg(&p);
        assert_eq!(q.iter().filter(|&&q| q <= 0.05).count(), 4);
        assert!((q[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-15);
        assert!(q.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn score_interval_is_that_of_newcombe() {
        // Newcombe (1998), Statistics in Medicine 17:857-872, table I: 81 of 263, 15 of 148, 0 of 20.
        for (k, n, lo, hi) in
            [(81.0, 263.0, 0.2553, 0.3662), (15.0, 148.0, 0.0624, 0.1605), (0.0, 20.0, 0.0, 0.1611)]
        {
            let found = wilson(k, n, 1.959_963_984_540_054);
            assert!((found.0 - lo).abs() < 5e-5 && (found.1 - hi).abs() < 5e-5, "{found:?}");
        }
        assert!(wilson(0.0, 0.0, 1.96).0.is_nan());
    }

    #[test]
    fn difference_of_proportions_has_the_interval_of_newcombe() {
        // Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10.
        for (one, other, lo, hi) in [
            ((56.0, 70.0), (48.0, 80.0), 0.0524, 0.3339),
            ((9.0, 10.0), (3.0, 10.0), 0.1705, 0.8090),
            ((6.0, 7.0), (2.0, 7.0), 0.0582, 0.8062),
            ((5.0, 56.0), (0.0, 29.0), -0.0381, 0.1926),
            ((10.0, 10.0), (0.0, 20.0), 0.6791, 1.0),
        ] {
            let found = newcombe(one, other, 1.959_963_984_540_054);
            assert!((found.0 - lo).abs() < 5e-5 && (found.1 - hi).abs() < 5e-5, "{found:?}");
        }
        assert!(newcombe((0.0, 0.0), (1.0, 2.0), 1.96).0.is_nan());
    }

    #[test]
    fn stepwise_values_are_those_of_r() {
        // p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") in R.
        let q = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (q, wanted) in q.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((q - wanted).abs() < 1e-15, "{q}");
        }
        assert!(holm(&[f64::NAN, 0.9, 0.8])[1..].iter().all(|&q| q == 1.0));
    }

    #[test]
    fn missing_tests_are_not_counted() {
        let q = benjamini_hochberg(&[f64::NAN, 0.04, 0.02]);
        assert!(q[0].is_nan());
        assert_eq!(&q[1..], &[0.04, 0.04]);
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
