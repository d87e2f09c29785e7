//! The test of 64 rows of a sketch with AVX2 and AVX-512.

use std::arch::x86_64::*;

use super::sieve::Test;
use super::sketch::FAR;

/// Rows in a vector of AVX-512.
const GROUP: usize = 16;

/// Adds the products of four bytes each, those of `levels` without sign and those of `coefficients` with.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn products_vnni(sum: __m512i, levels: __m512i, coefficients: __m512i) -> __m512i {
    _mm512_dpbusd_epi32(sum, levels, coefficients)
}

/// The same in three instructions; products of two fit in 16 bits, as coefficients are below 65.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn products_avx512(sum: __m512i, levels: __m512i, coefficients: __m512i) -> __m512i {
    let twos = _mm512_maddubs_epi16(levels, coefficients);
    _mm512_add_epi32(sum, _mm512_madd_epi16(twos, _mm512_set1_epi16(1)))
}

macro_rules! with_avx512 {
    ($name:ident, $products:ident, $features:literal) => {
        /// [`Test::plain`] with sixteen rows in a vector.
        ///
        /// # Safety
        ///
        /// The processor must have the instructions; there must be the bytes, codes and words of 64 rows.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $name(test: Test<'_>) -> u64 {
            let (quads, k) = (test.quads, test.base.len());
            let infinity = _mm512_set1_ps(f32::INFINITY);
            let (mut lower, mut upper) = ([infinity; 4], [infinity; 4]);
            let (mut labels, mut codes) = ([_mm512_setzero_si512(); 4], [infinity; 4]);
            let mut far = 0;
            // SAFETY: the caller's promise.
            unsafe {
                for g in 0..4 {
                    labels[g] = _mm512_loadu_si512(test.labels.as_ptr().add(g * GROUP).cast());
                    let bytes = _mm_loadu_si128(test.codes.as_ptr().add(g * GROUP).cast());
                    let wide = _mm512_cvtepu8_epi32(bytes);
                    codes[g] = _mm512_cvtepi32_ps(wide);
                    let found = _mm512_cmpeq_epi32_mask(wide, _mm512_set1_epi32(i32::from(FAR)));
                    far |= u64::from(found) << (g * GROUP);
                }
                for j in 0..k {
                    let words = test.words.as_ptr().add(j * quads);
                    let mut high = [_mm512_setzero_si512(); 4];
                    let mut low = high;
                    for quad in 0..quads {
                        let [first, second] = *words.add(quad);
                        let (first, second) = (_mm512_set1_epi32(first), _mm512_set1_epi32(second));
                        for g in 0..4 {
                            let at = test.bytes.as_ptr().add((quad * 4 + g) * 64);
                            let levels = _mm512_loadu_si512(at.cast());
                            high[g] = $products(high[g], levels, first);
                            low[g] = $products(low[g], levels, second);
                        }
                    }
                    let base = _mm512_set1_ps(*test.base.get_unchecked(j));
                    let reach = _mm512_set1_ps(*test.reach.get_unchecked(j));
                    let slack = _mm512_set1_ps(*test.slack.get_unchecked(j));
                    for g in 0..4 {
                        let (high, low) = (_mm512_cvtepi32_ps(high[g]), _mm512_cvtepi32_ps(low[g]));
                        let sum = _mm512_fmadd_ps(high, _mm512_set1_ps(128.0), low);
                        let found = _mm512_sub_ps(base, sum);
                        let error = _mm512_fmadd_ps(codes[g], reach, slack);
                        let own = _mm512_cmpeq_epi32_mask(labels[g], _mm512_set1_epi32(j as i32));
                        upper[g] = _mm512_mask_add_ps(upper[g], own, found, error);
                        let below = _mm512_sub_ps(found, error);
                        lower[g] = _mm512_mask_min_ps(lower[g], !own, lower[g], below);
                    }
                }
            }
            let mut open = far;
            for g in 0..4 {
                let settled = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(lower[g], upper[g]);
                open |= u64::from(!settled) << (g * GROUP);
            }
            open
        }
    };
}

with_avx512!(vnni, products_vnni, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma");
with_avx512!(avx512, products_avx512, "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma");

/// [`Test::plain`] with eight rows in a vector.
///
/// # Safety
///
/// The processor must have AVX2 and FMA; there must be the bytes, codes and words of 64 rows.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn avx2(test: Test<'_>) -> u64 {
    let (quads, k) = (test.quads, test.base.len());
    let (ones, infinity) = (_mm256_set1_epi16(1), _mm256_set1_ps(f32::INFINITY));
    let mut open = 0;
    for group in 0..4 {
        let (mut lower, mut upper) = ([infinity; 2], [infinity; 2]);
        let (mut labels, mut codes) = ([_mm256_setzero_si256(); 2], [infinity; 2]);
        let mut far = [_mm256_setzero_si256(); 2];
        // SAFETY: the caller's promise.
        unsafe {
            for g in 0..2 {
                let first = group * GROUP + 8 * g;
                labels[g] = _mm256_loadu_si256(test.labels.as_ptr().add(first).cast());
                let bytes = _mm_loadl_epi64(test.codes.as_ptr().add(first).cast());
                let wide = _mm256_cvtepu8_epi32(bytes);
                codes[g] = _mm256_cvtepi32_ps(wide);
                far[g] = _mm256_cmpeq_epi32(wide, _mm256_set1_epi32(i32::from(FAR)));
            }
            for j in 0..k {
                let words = test.words.as_ptr().add(j * quads);
                let mut high = [_mm256_setzero_si256(); 2];
                let mut low = high;
                for quad in 0..quads {
                    let [first, second] = *words.add(quad);
                    let (first, second) = (_mm256_set1_epi32(first), _mm256_set1_epi32(second));
                    for g in 0..2 {
                        let at = test.bytes.as_ptr().add((quad * 4 + group) * 64 + 32 * g);
                        let levels = _mm256_loadu_si256(at.cast());
                        let twos = _mm256_maddubs_epi16(levels, first);
                        high[g] = _mm256_add_epi32(high[g], _mm256_madd_epi16(twos, ones));
                        let twos = _mm256_maddubs_epi16(levels, second);
                        low[g] = _mm256_add_epi32(low[g], _mm256_madd_epi16(twos, ones));
                    }
                }
                let base = _mm256_set1_ps(*test.base.get_unchecked(j));
                let reach = _mm256_set1_ps(*test.reach.get_unchecked(j));
                let slack = _mm256_set1_ps(*test.slack.get_unchecked(j));
                for g in 0..2 {
                    let (high, low) = (_mm256_cvtepi32_ps(high[g]), _mm256_cvtepi32_ps(low[g]));
                    let sum = _mm256_fmadd_ps(high, _mm256_set1_ps(128.0), low);
                    let found = _mm256_sub_ps(base, sum);
                    let error = _mm256_fmadd_ps(codes[g], reach, slack);
                    let own = _mm256_cmpeq_epi32(labels[g], _mm256_set1_epi32(j as i32));
                    let own = _mm256_castsi256_ps(own);
                    upper[g] = _mm256_blendv_ps(upper[g], _mm256_add_ps(found, error), own);
                    let below = _mm256_sub_ps(found, error);
                    let below = _mm256_blendv_ps(below, infinity, own);
                    lower[g] = _mm256_min_ps(lower[g], below);
                }
            }
        }
        for g in 0..2 {
            let settled = _mm256_cmp_ps::<_CMP_GT_OQ>(lower[g], upper[g]);
            let settled =
                _mm256_movemask_ps(settled) & !_mm256_movemask_ps(_mm256_castsi256_ps(far[g]));
            open |= u64::from(!settled as u32 & 0xFF) << (group * GROUP + 8 * g);
        }
    }
    open
}
