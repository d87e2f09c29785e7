//! The hypergeometric function that expected purchases take.

/// Terms at most; below 0.999 a few thousand suffice.
const MAX_TERMS: usize = 1_000_000;

/// `2F1(a, b; c; z)` for `0 <= z < 1` and `c > 0`, by its series.
///
/// Relative error about 1e-14 where the terms have one sign. The number of terms grows as `1 / (1 - z)`.
pub fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 0..MAX_TERMS {
        let n = n as f64;
        let ratio = (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        term *= ratio;
        sum += term;
        // The rest is at most a geometric series of the present ratio, or of z.
        let rest = ratio.abs().max(z);
        if term == 0.0 || (rest < 1.0 && term.abs() * rest <= 1e-16 * sum.abs() * (1.0 - rest)) {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn elementary_cases() {
        for z in [0.0, 0.1, 0.5, 0.9, 0.99] {
            let z: f64 = z;
            // Abramowitz and Stegun 15.1.8, 15.1.3.
            assert_relative_eq!(
                hypergeometric(2.5, 3.0, 3.0, z),
                (1.0 - z).powf(-2.5),
                max_relative = 1e-12
            );
            if z > 0.0 {
                let found = hypergeometric(1.0, 1.0, 2.0, z);
                assert_relative_eq!(found, -(1.0 - z).ln() / z, max_relative = 1e-13);
            }
        }
    }
}
