//! Numbers that carry their first and second derivatives.
//!
//! A likelihood written once for [`Dual`] gives value, gradient and Hessian in one evaluation, exact up to rounding, so
//! that no derivative is worked out by hand (forward-mode differentiation; Griewank and Walther 2008, Evaluating
//! Derivatives). With `P` parameters an operation costs about `P²` multiplications.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use statrs::function::gamma::{digamma, ln_gamma};

/// A value with its gradient and Hessian by `P` parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<const P: usize> {
    /// The value.
    pub value: f64,
    /// First derivatives.
    pub gradient: [f64; P],
    /// Second derivatives; symmetric.
    pub hessian: [[f64; P]; P],
}

impl<const P: usize> Dual<P> {
    /// A number that depends on no parameter.
    pub fn constant(value: f64) -> Self {
        Self { value, gradient: [0.0; P], hessian: [[0.0; P]; P] }
    }

    /// Parameter number `index`.
    pub fn parameter(value: f64, index: usize) -> Self {
        let mut dual = Self::constant(value);
        dual.gradient[index] = 1.0;
        dual
    }

    /// `f(arguments)` from the value, gradient and Hessian of `f` there.
    pub fn of<const K: usize>(
        value: f64,
        gradient: [f64; K],
        hessian: [[f64; K]; K],
        arguments: &[Self; K],
    ) -> Self {
        let mut dual = Self::constant(value);
        for (k, argument) in arguments.iter().enumerate() {
            for i in 0..P {
                dual.gradient[i] += gradient[k] * argument.gradient[i];
                for j in 0..P {
                    let second: f64 =
                        (0..K).map(|l| hessian[k][l] * arguments[l].gradient[j]).sum();
                    dual.hessian[i][j] +=
                        gradient[k] * argument.hessian[i][j] + argument.gradient[i] * second;
                }
            }
        }
        dual
    }

    /// `f(self)` from the value and the first two derivatives of `f` there.
    #[inline]
    pub(super) fn through(&self, value: f64, first: f64, second: f64) -> Self {
        let mut dual = Self::constant(value);
        for i in 0..P {
            dual.gradient[i] = first * self.gradient[i];
            for j in 0..P {
                dual.hessian[i][j] =
                    second * self.gradient[i] * self.gradient[j] + first * self.hessian[i][j];
            }
        }
        dual
    }

    /// Exponential.
    #[must_use]
    pub fn exp(self) -> Self {
        let value = self.value.exp();
        self.through(value, value, value)
    }

    /// Natural logarithm.
    #[must_use]
    pub fn ln(self) -> Self {
        let inverse = 1.0 / self.value;
        self.through(self.value.ln(), inverse, -inverse * inverse)
    }

    /// Logarithm of the gamma function.
    #[must_use]
    pub fn ln_gamma(self) -> Self {
        self.through(ln_gamma(self.value), digamma(self.value), trigamma(self.value))
    }

    /// Logarithm of the beta function.
    #[must_use]
    pub fn ln_beta(self, other: Self) -> Self {
        self.ln_gamma() + other.ln_gamma() - (self + other).ln_gamma()
    }

    /// `ln(exp(self) + exp(other))` without overflow.
    #[must_use]
    pub fn ln_add_exp(self, other: Self) -> Self {
        let (large, small) = if self.value >= other.value { (self, other) } else { (other, self) };
        large + ((small - large).exp() + 1.0).ln()
    }
}

/// Second derivative of the logarithm of the gamma function, for positive arguments; relative error below 1e-13.
///
/// Recurrence up to 12, then the asymptotic series (Abramowitz and Stegun 1964, 6.4.6 and 6.4.12).
pub fn trigamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 12.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0];
    let tail = series.iter().rev().fold(0.0, |tail, term| (tail + term) * square);
    sum + inverse * (1.0 + 0.5 * inverse + tail)
}

impl<const P: usize> Add for Dual<P> {
    type Output = Self;
    #[inline]
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl<const P: usize> AddAssign for Dual<P> {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        for i in 0..P {
            self.gradient[i] += other.gradient[i];
            for j in 0..P {
                self.hessian[i][j] += other.hessian[i][j];
            }
        }
    }
}

impl<const P: usize> Neg for Dual<P> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        self * -1.0
    }
}

impl<const P: usize> Sub for Dual<P> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<const P: usize> Mul for Dual<P> {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        let mut dual = Self::constant(self.value * other.value);
        for i in 0..P {
            dual.gradient[i] = self.value * other.gradient[i] + other.value * self.gradient[i];
            for j in 0..P {
                dual.hessian[i][j] = self.value * other.hessian[i][j]
                    + other.value * self.hessian[i][j]
                    + self.gradient[i] * other.gradient[j]
                    + self.gradient[j] * other.gradient[i];
            }
        }
        dual
    }
}

impl<const P: usize> Div for Dual<P> {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        let inverse = 1.0 / other.value;
        let square = inverse * inverse;
        self * other.through(inverse, -square, 2.0 * square * inverse)
    }
}

impl<const P: usize> Add<f64> for Dual<P> {
    type Output = Self;
    #[inline]
    fn add(mut self, other: f64) -> Self {
        self.value += other;
        self
    }
}

impl<const P: usize> Sub<f64> for Dual<P> {
    type Output = Self;
    #[inline]
    fn sub(self, other: f64) -> Self {
        self + -other
    }
}

impl<const P: usize> Mul<f64> for Dual<P> {
    type Output = Self;
    #[inline]
    fn mul(mut self, other: f64) -> Self {
        self.value *= other;
        for i in 0..P {
            self.gradient[i] *= other;
            for j in 0..P {
                self.hessian[i][j] *= other;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn derivatives_are_those_of_differences() {
        let f = |a: f64, b: f64| {
            let (a, b) = (Dual::<2>::parameter(a, 0), Dual::<2>::parameter(b, 1));
            (a.ln_beta(b) * 2.0 - (a * b + 1.0).ln() / b.exp()).ln_add_exp(a - b)
        };
        let (a, b, h) = (0.7, 2.3, 1e-5);
        let at = f(a, b);
        let (right, left) = (f(a + h, b), f(a - h, b));
        let (up, down) = (f(a, b + h), f(a, b - h));
        let slope = |plus: f64, minus: f64| (plus - minus) / (2.0 * h);
        assert_relative_eq!(at.gradient[0], slope(right.value, left.value), max_relative = 1e-8);
        assert_relative_eq!(at.gradient[1], slope(up.value, down.value), max_relative = 1e-8);
        for i in 0..2 {
            let by_a = slope(right.gradient[i], left.gradient[i]);
            let by_b = slope(up.gradient[i], down.gradient[i]);
            assert_relative_eq!(at.hessian[i][0], by_a, max_relative = 1e-7);
            assert_relative_eq!(at.hessian[i][1], by_b, max_relative = 1e-7);
        }
    }

    #[test]
    fn trigamma_has_its_known_values() {
        let pi = std::f64::consts::PI;
        assert_relative_eq!(trigamma(1.0), pi * pi / 6.0, max_relative = 1e-14);
        assert_relative_eq!(trigamma(0.5), pi * pi / 2.0, max_relative = 1e-14);
        assert_relative_eq!(trigamma(1e-3), 1e6 + 1.642_533_195_216_586_7, max_relative = 1e-13);
    }
}
