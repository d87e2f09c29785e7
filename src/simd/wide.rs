//! Vectors of `f64` with the arithmetic of densities: products, quotients, exponentials and logarithms.
//!
//! Rows lie in lanes here. `exp` is a Taylor polynomial of degree 13 after reduction to |r| <= ln(2)/2, whose remainder is below
//! 5e-18; `ln` the series of the inverse hyperbolic tangent, cut below 2e-18. With the roundings each is within 2 units in
//! the last place (tests compare a million arguments with the library's).

use super::Level;

/// A register full of `f64`, one per lane.
///
/// # Safety of the methods
///
/// The processor must have the instructions of the type, and pointers must be valid for [`Wide::WIDTH`] values.
pub(super) trait Wide: Copy {
    /// Number of lanes.
    const WIDTH: usize;

    unsafe fn splat(value: f64) -> Self;
    unsafe fn load(from: *const f64) -> Self;
    unsafe fn store(self, to: *mut f64);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `self * factor + to`.
    unsafe fn mul_add(self, factor: Self, to: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    /// The nearest whole numbers of numbers below 2^51 in size.
    unsafe fn round(self) -> Self;
    /// `self * 2^exponent` for whole exponents whose result is a normal number.
    unsafe fn scale(self, exponent: Self) -> Self;
    /// The lanes, with 0 where `of` is below `limit`.
    unsafe fn zero_below(self, of: Self, limit: Self) -> Self;
    /// For finite numbers from 1 up: `(m, e)` with `self = m * 2^e` and `m` in [0.708, 1.416).
    unsafe fn split(self) -> (Self, Self);

    /// The sum of the lanes, from the first to the last.
    #[inline(always)]
    unsafe fn total(self) -> f64 {
        let mut lanes = [0.0; 8];
        // SAFETY: no vector has more than 8 lanes.
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes[..Self::WIDTH].iter().sum()
    }

    /// `e^self` for numbers up to 0; 0 below -700.
    #[inline(always)]
    unsafe fn exp(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let lowest = Self::splat(-700.0);
            let x = self.max(lowest);
            let n = x.mul(Self::splat(std::f64::consts::LOG2_E)).round();
            let r = n.mul_add(Self::splat(-LN_2_HIGH), x);
            let r = n.mul_add(Self::splat(-LN_2_LOW), r);
            let mut sum = Self::splat(FACTORIALS[0]);
            for term in &FACTORIALS[1..] {
                sum = sum.mul_add(r, Self::splat(*term));
            }
            sum.scale(n).zero_below(self, lowest)
        }
    }

    /// The natural logarithm of finite numbers from 1 up.
    #[inline(always)]
    unsafe fn ln(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let one = Self::splat(1.0);
            let (m, e) = self.split();
            let f = m.sub(one).div(m.add(one));
            let square = f.mul(f);
            let mut sum = Self::splat(2.0 / 23.0);
            for at in (3..22).rev().step_by(2) {
                sum = sum.mul_add(square, Self::splat(2.0 / at as f64));
            }
            // The small parts first, so that the large ones are rounded once.
            let small = sum.mul(square).mul_add(f, e.mul(Self::splat(LN_2_LOW)));
            let small = f.add(f).add(small);
            e.mul_add(Self::splat(LN_2_HIGH), small)
        }
    }
}

/// ln 2 in two parts, the first with zeros at its end, so that its products with small whole numbers are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1/13!, 1/12!, ..., 1/0!.
const FACTORIALS: [f64; 14] = {
    let mut terms = [1.0; 14];
    let (mut at, mut factorial) = (1, 1.0);
    while at < 14 {
        factorial *= at as f64;
        terms[13 - at] = 1.0 / factorial;
        at += 1;
    }
    terms
};

/// Added to a number below 2^51 in size, leaves it rounded in the low bits.
pub(super) const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// Bits of 0.7080078125, the lower end of the mantissas of `split`.
pub(super) const LOWER_END: u64 = 0x3FE6_A800_0000_0000;
/// Bits of 2^52.
pub(super) const TWO_52: u64 = 0x4330_0000_0000_0000;

/// Lanes in an array; `FUSED` has one rounding in `mul_add`, as vectors have.
#[derive(Clone, Copy)]
pub(super) struct Array<const FUSED: bool>([f64; 4]);

impl<const FUSED: bool> Wide for Array<FUSED> {
    const WIDTH: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller promises four values, and an unaligned read needs no more.
        Self(unsafe { from.cast::<[f64; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller promises room for four values.
        unsafe { to.cast::<[f64; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] - other.0[lane]))
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * other.0[lane]))
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] / other.0[lane]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, to: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            if FUSED {
                self.0[lane].mul_add(factor.0[lane], to.0[lane])
            } else {
                self.0[lane] * factor.0[lane] + to.0[lane]
            }
        }))
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        let larger =
            |lane: usize| if self.0[lane] > other.0[lane] { self.0[lane] } else { other.0[lane] };
        Self(std::array::from_fn(larger))
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        let smaller =
            |lane: usize| if self.0[lane] < other.0[lane] { self.0[lane] } else { other.0[lane] };
        Self(std::array::from_fn(smaller))
    }

    #[inline(always)]
    unsafe fn round(self) -> Self {
        Self(self.0.map(|value| value + ROUNDER - ROUNDER))
    }

    #[inline(always)]
    unsafe fn scale(self, exponent: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            let shifted = (exponent.0[lane] + ROUNDER).to_bits() << 52;
            f64::from_bits(self.0[lane].to_bits().wrapping_add(shifted))
        }))
    }

    #[inline(always)]
    unsafe fn zero_below(self, of: Self, limit: Self) -> Self {
        let kept = |lane: usize| if of.0[lane] < limit.0[lane] { 0.0 } else { self.0[lane] };
        Self(std::array::from_fn(kept))
    }

    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        let above = self.0.map(|value| value.to_bits().wrapping_sub(LOWER_END));
        let mantissa = |lane: usize| {
            f64::from_bits(self.0[lane].to_bits().wrapping_sub((above[lane] >> 52) << 52))
        };
        let exponent =
            above.map(|bits| f64::from_bits((bits >> 52) | TWO_52) - f64::from_bits(TWO_52));
        (Self(std::array::from_fn(mantissa)), Self(exponent))
    }
}

/// Work that can be compiled for any vector of `f64`.
pub(super) trait Work {
    /// Does the work.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `V`.
    unsafe fn run<V: Wide>(self);
}

impl Level {
    /// Does `work` on this level.
    pub(super) fn work(self, work: impl Work) {
        // SAFETY: a level other than the arrays exists only where its instructions were found.
        unsafe {
            match self {
                Self::Plain => work.run::<Array<false>>(),
                #[cfg(test)]
                Self::Fused => work.run::<Array<true>>(),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => work_on_avx2(work),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => work_on_avx512(work),
            }
        }
    }
}

/// # Safety
///
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn work_on_avx2(work: impl Work) {
    // SAFETY: the caller's promise.
    unsafe { work.run::<std::arch::x86_64::__m256d>() }
}

/// # Safety
///
/// The processor must have AVX-512 F, VL, DQ and BW, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn work_on_avx512(work: impl Work) {
    // SAFETY: the caller's promise.
    unsafe { work.run::<std::arch::x86_64::__m512d>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Each<'a> {
        values: &'a mut [f64],
        logarithm: bool,
    }

    impl Work for Each<'_> {
        #[inline(always)]
        unsafe fn run<V: Wide>(self) {
            for lanes in self.values.chunks_exact_mut(V::WIDTH) {
                // SAFETY: the caller's promise, and each chunk has one value per lane.
                unsafe {
                    let value = V::load(lanes.as_ptr());
                    let value = if self.logarithm { value.ln() } else { value.exp() };
                    value.store(lanes.as_mut_ptr());
                }
            }
        }
    }

    fn ulps(a: f64, b: f64) -> f64 {
        (a - b).abs() / (f64::from_bits(b.abs().to_bits() + 1) - b.abs())
    }

    #[test]
    fn exponentials_are_within_two_units_in_the_last_place() {
        let mut rng = crate::rng::Rng::stream(1, crate::rng::Stage::Sample, 0);
        let mut arguments: Vec<f64> = (0..1 << 18)
            .flat_map(|_| [-rng.uniform(), -30.0 * rng.uniform(), -700.0 * rng.uniform(), -0.0])
            .collect();
        arguments[..4].copy_from_slice(&[0.0, -700.0, -1e-300, -f64::MIN_POSITIVE]);
        for level in Level::available() {
            let mut found = arguments.clone();
            level.work(Each { values: &mut found, logarithm: false });
            for (&x, &y) in arguments.iter().zip(&found) {
                assert!(ulps(y, x.exp()) <= 2.0, "{level:?}: exp({x}) = {y}");
            }
            let mut far = [-700.1, -1e4, -1e300, f64::NEG_INFINITY, -745.0, -701.0, -1e9, f64::MIN];
            level.work(Each { values: &mut far, logarithm: false });
            assert_eq!(far, [0.0; 8], "{level:?}");
        }
    }

    #[test]
    fn logarithms_are_within_two_units_in_the_last_place() {
        let mut rng = crate::rng::Rng::stream(2, crate::rng::Stage::Sample, 0);
        let mut arguments: Vec<f64> = (0..1 << 18)
            .flat_map(|_| {
                let near = 1.0 + rng.uniform() * 1e-3;
                [
                    near,
                    1.0 + rng.uniform(),
                    1.0 + 100.0 * rng.uniform(),
                    2f64.powf(1000.0 * rng.uniform()),
                ]
            })
            .collect();
        arguments[..4].copy_from_slice(&[1.0, 2.0, 1.0 + f64::EPSILON, std::f64::consts::SQRT_2]);
        for level in Level::available() {
            let mut found = arguments.clone();
            level.work(Each { values: &mut found, logarithm: true });
            for (&x, &y) in arguments.iter().zip(&found) {
                assert!(ulps(y, x.ln()) <= 2.0, "{level:?}: ln({x}) = {y}, not {}", x.ln());
            }
        }
    }
}
