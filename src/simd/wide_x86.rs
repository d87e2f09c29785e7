//! Vectors of `f64` of AVX-512 and AVX2, with the arithmetic of densities.

use std::arch::x86_64::*;

use super::wide::{LOWER_END, ROUNDER, TWO_52, Wide};

macro_rules! common {
    ($width:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident,
     $fma:ident, $max:ident, $min:ident) => {
        const WIDTH: usize = $width;

        #[inline(always)]
        unsafe fn splat(value: f64) -> Self {
            // SAFETY: here and below, the caller promises the instructions and the pointers.
            unsafe { $splat(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            // SAFETY: as above.
            unsafe { $load(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            // SAFETY: as above.
            unsafe { $store(to, self) }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $add(self, other) }
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $sub(self, other) }
        }

        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $mul(self, other) }
        }

        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $div(self, other) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, to: Self) -> Self {
            // SAFETY: as above.
            unsafe { $fma(self, factor, to) }
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $max(self, other) }
        }

        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $min(self, other) }
        }
    };
}

impl Wide for __m512d {
    common!(
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_mul_pd,
        _mm512_div_pd,
        _mm512_fmadd_pd,
        _mm512_max_pd,
        _mm512_min_pd
    );

    #[inline(always)]
    unsafe fn round(self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_roundscale_pd::<0>(self) }
    }

    #[inline(always)]
    unsafe fn scale(self, exponent: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_scalef_pd(self, exponent) }
    }

    #[inline(always)]
    unsafe fn zero_below(self, of: Self, limit: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_NLT_UQ>(of, limit), self) }
    }

    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        // SAFETY: as above.
        unsafe {
            let bits = _mm512_castpd_si512(self);
            let above = _mm512_sub_epi64(bits, _mm512_set1_epi64(LOWER_END as i64));
            let exponent = _mm512_srli_epi64::<52>(above);
            let mantissa = _mm512_sub_epi64(bits, _mm512_slli_epi64::<52>(exponent));
            let two_52 = _mm512_set1_epi64(TWO_52 as i64);
            let exponent = _mm512_castsi512_pd(_mm512_or_si512(exponent, two_52));
            let exponent = _mm512_sub_pd(exponent, _mm512_castsi512_pd(two_52));
            (_mm512_castsi512_pd(mantissa), exponent)
        }
    }
}

impl Wide for __m256d {
    common!(
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_mul_pd,
        _mm256_div_pd,
        _mm256_fmadd_pd,
        _mm256_max_pd,
        _mm256_min_pd
    );

    #[inline(always)]
    unsafe fn round(self) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self) }
    }

    #[inline(always)]
    unsafe fn scale(self, exponent: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let shifted = _mm256_add_pd(exponent, _mm256_set1_pd(ROUNDER));
            let shifted = _mm256_slli_epi64::<52>(_mm256_castpd_si256(shifted));
            _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(self), shifted))
        }
    }

    #[inline(always)]
    unsafe fn zero_below(self, of: Self, limit: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_and_pd(self, _mm256_cmp_pd::<_CMP_NLT_UQ>(of, limit)) }
    }

    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        // SAFETY: as above.
        unsafe {
            let bits = _mm256_castpd_si256(self);
            let above = _mm256_sub_epi64(bits, _mm256_set1_epi64x(LOWER_END as i64));
            let exponent = _mm256_srli_epi64::<52>(above);
            let mantissa = _mm256_sub_epi64(bits, _mm256_slli_epi64::<52>(exponent));
            let two_52 = _mm256_set1_epi64x(TWO_52 as i64);
            let exponent = _mm256_castsi256_pd(_mm256_or_si256(exponent, two_52));
            let exponent = _mm256_sub_pd(exponent, _mm256_castsi256_pd(two_52));
            (_mm256_castsi256_pd(mantissa), exponent)
        }
    }
}
