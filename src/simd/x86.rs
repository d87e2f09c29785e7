//! Vectors of AVX-512 and AVX2.

use std::arch::x86_64::*;

use super::vector::Vector;

/// The operations that differ between types in their names only.
macro_rules! common {
    ($real:ident, $width:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $max:ident, $fma:ident) => {
        type Real = $real;
        const WIDTH: usize = $width;

        #[inline(always)]
        unsafe fn splat(value: $real) -> Self {
            // SAFETY: here and below, the caller promises the instructions and the pointers.
            unsafe { $splat(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const $real) -> Self {
            // SAFETY: as above.
            unsafe { $load(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut $real) {
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
        unsafe fn larger(self, other: Self) -> Self {
            // SAFETY: as above.
            unsafe { $max(self, other) }
        }

        #[inline(always)]
        unsafe fn square_add(self, to: Self) -> Self {
            // SAFETY: as above.
            unsafe { $fma(self, self, to) }
        }
    };
}

/// Rows as columns.
///
/// # Safety
///
/// The processor must have AVX-512 F.
#[inline(always)]
unsafe fn transposed(rows: [__m512d; 8]) -> [__m512d; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut columns = rows;
        for odd in 0..2 {
            // Pairs of rows, then fours, then all eight; even lanes first, then odd ones.
            let mut pairs = [rows[0]; 4];
            for at in 0..4 {
                pairs[at] = if odd == 0 {
                    _mm512_unpacklo_pd(rows[2 * at], rows[2 * at + 1])
                } else {
                    _mm512_unpackhi_pd(rows[2 * at], rows[2 * at + 1])
                };
            }
            let low = _mm512_shuffle_f64x2::<0x44>(pairs[0], pairs[1]);
            let high = _mm512_shuffle_f64x2::<0xEE>(pairs[0], pairs[1]);
            let low_of_last = _mm512_shuffle_f64x2::<0x44>(pairs[2], pairs[3]);
            let high_of_last = _mm512_shuffle_f64x2::<0xEE>(pairs[2], pairs[3]);
            columns[odd] = _mm512_shuffle_f64x2::<0x88>(low, low_of_last);
            columns[2 + odd] = _mm512_shuffle_f64x2::<0xDD>(low, low_of_last);
            columns[4 + odd] = _mm512_shuffle_f64x2::<0x88>(high, high_of_last);
            columns[6 + odd] = _mm512_shuffle_f64x2::<0xDD>(high, high_of_last);
        }
        columns
    }
}

/// The smallest number of each row, its lane, and the smallest of the others.
///
/// # Safety
///
/// The processor must have AVX2.
#[inline(always)]
unsafe fn lowest_of_rows(rows: [__m256; 8]) -> (__m256, __m256i, __m256) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut columns = rows;
        for half in 0..2 {
            // Lanes 0, 1, 4 and 5, then the others, of four rows at a time.
            let mut fours = [rows[0]; 4];
            for at in 0..2 {
                let (a, b) = (rows[4 * at], rows[4 * at + 1]);
                let (c, d) = (rows[4 * at + 2], rows[4 * at + 3]);
                let (ab, cd) = if half == 0 {
                    (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d))
                } else {
                    (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d))
                };
                fours[2 * at] = _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd);
                fours[2 * at + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd);
            }
            for odd in 0..2 {
                let (first, last) = (fours[odd], fours[2 + odd]);
                columns[2 * half + odd] = _mm256_permute2f128_ps::<0x20>(first, last);
                columns[4 + 2 * half + odd] = _mm256_permute2f128_ps::<0x31>(first, last);
            }
        }
        let mut least = columns[0];
        let mut next = _mm256_set1_ps(f32::INFINITY);
        let mut found = _mm256_setzero_ps();
        for lane in 1..8 {
            let smaller = _mm256_cmp_ps::<_CMP_LT_OQ>(columns[lane], least);
            next = _mm256_min_ps(next, _mm256_max_ps(least, columns[lane]));
            least = _mm256_min_ps(least, columns[lane]);
            let lane = _mm256_castsi256_ps(_mm256_set1_epi32(lane as i32));
            found = _mm256_blendv_ps(found, lane, smaller);
        }
        (least, _mm256_castps_si256(found), next)
    }
}

impl Vector for __m512d {
    common!(
        f64,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_max_pd,
        _mm512_fmadd_pd
    );

    #[inline(always)]
    unsafe fn zero_nan(self) -> Self {
        // SAFETY: the caller promises the instructions.
        unsafe { _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_ORD_Q>(self, self), self) }
    }

    #[inline(always)]
    unsafe fn lowest(self) -> (f64, u32) {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let lowest = _mm512_reduce_min_pd(self);
            let mask = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self, _mm512_set1_pd(lowest));
            (lowest, u32::from(mask).trailing_zeros())
        }
    }

    #[inline(always)]
    unsafe fn two_lowest(self) -> (f64, u32, f64) {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let lowest = _mm512_reduce_min_pd(self);
            let mask = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self, _mm512_set1_pd(lowest));
            let first = mask & mask.wrapping_neg();
            let others = _mm512_mask_mov_pd(self, first, _mm512_set1_pd(f64::INFINITY));
            (lowest, u32::from(mask).trailing_zeros(), _mm512_reduce_min_pd(others))
        }
    }

    #[inline(always)]
    unsafe fn two_lowest_of<const R: usize>(vectors: [Self; R]) -> ([f64; R], [u32; R], [f64; R]) {
        let (mut lowest, mut lanes, mut second) = ([f64::INFINITY; R], [0; R], [f64::INFINITY; R]);
        // SAFETY: the caller promises the instructions; eight numbers are stored where there is room for eight.
        unsafe {
            if R != 8 {
                for r in 0..R {
                    (lowest[r], lanes[r], second[r]) = vectors[r].two_lowest();
                }
                return (lowest, lanes, second);
            }
            // Lane by lane for all eight at once, which takes half as long as one vector after the other.
            let mut rows = [vectors[0]; 8];
            for at in 0..8 {
                rows[at] = vectors[at % R];
            }
            let columns = transposed(rows);
            let mut least = columns[0];
            let mut next = _mm512_set1_pd(f64::INFINITY);
            let mut found = _mm512_setzero_si512();
            for lane in 1..8 {
                let smaller = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(columns[lane], least);
                next = _mm512_min_pd(next, _mm512_max_pd(least, columns[lane]));
                least = _mm512_min_pd(least, columns[lane]);
                found = _mm512_mask_mov_epi64(found, smaller, _mm512_set1_epi64(lane as i64));
            }
            _mm512_storeu_pd(lowest.as_mut_ptr(), least);
            _mm512_storeu_pd(second.as_mut_ptr(), next);
            let found = _mm512_cvtepi64_epi32(found);
            _mm256_storeu_si256(lanes.as_mut_ptr().cast(), found);
        }
        (lowest, lanes, second)
    }

    #[inline(always)]
    unsafe fn accumulate(sums: *mut f64, row: *const f64, n: usize, weight: f64) {
        let mut j = 0;
        // SAFETY: full vectors below `n`, then a masked one for the rest; the caller promises `n` values.
        unsafe {
            let weight = _mm512_set1_pd(weight);
            while j + 8 <= n {
                let sum = _mm512_loadu_pd(sums.add(j));
                let sum = _mm512_add_pd(sum, _mm512_mul_pd(weight, _mm512_loadu_pd(row.add(j))));
                _mm512_storeu_pd(sums.add(j), sum);
                j += 8;
            }
            if j < n {
                let mask = (1u8 << (n - j)) - 1;
                let sum = _mm512_maskz_loadu_pd(mask, sums.add(j));
                let row = _mm512_maskz_loadu_pd(mask, row.add(j));
                let sum = _mm512_add_pd(sum, _mm512_mul_pd(weight, row));
                _mm512_mask_storeu_pd(sums.add(j), mask, sum);
            }
        }
    }
}

impl Vector for __m512 {
    common!(
        f32,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_max_ps,
        _mm512_fmadd_ps
    );

    #[inline(always)]
    unsafe fn zero_nan(self) -> Self {
        // SAFETY: the caller promises the instructions.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_ORD_Q>(self, self), self) }
    }

    #[inline(always)]
    unsafe fn lowest(self) -> (f32, u32) {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let lowest = _mm512_reduce_min_ps(self);
            let mask = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self, _mm512_set1_ps(lowest));
            (lowest, u32::from(mask).trailing_zeros())
        }
    }

    #[inline(always)]
    unsafe fn two_lowest(self) -> (f32, u32, f32) {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let lowest = _mm512_reduce_min_ps(self);
            let mask = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self, _mm512_set1_ps(lowest));
            let first = mask & mask.wrapping_neg();
            let others = _mm512_mask_mov_ps(self, first, _mm512_set1_ps(f32::INFINITY));
            (lowest, u32::from(mask).trailing_zeros(), _mm512_reduce_min_ps(others))
        }
    }

    #[inline(always)]
    unsafe fn two_lowest_of<const R: usize>(vectors: [Self; R]) -> ([f32; R], [u32; R], [f32; R]) {
        let (mut lowest, mut lanes, mut second) = ([f32::INFINITY; R], [0; R], [f32::INFINITY; R]);
        // SAFETY: the caller promises the instructions; eight numbers are stored where there is room for eight.
        unsafe {
            if R != 8 {
                for r in 0..R {
                    (lowest[r], lanes[r], second[r]) = vectors[r].two_lowest();
                }
                return (lowest, lanes, second);
            }
            let (mut low, mut high) = ([_mm256_setzero_ps(); 8], [_mm256_setzero_ps(); 8]);
            for at in 0..8 {
                low[at] = _mm512_castps512_ps256(vectors[at % R]);
                high[at] = _mm512_extractf32x8_ps::<1>(vectors[at % R]);
            }
            let (low, low_lane, low_next) = lowest_of_rows(low);
            let (high, high_lane, high_next) = lowest_of_rows(high);
            let smaller = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_LT_OQ>(high, low));
            let least = _mm256_min_ps(low, high);
            let next = _mm256_min_ps(_mm256_max_ps(low, high), _mm256_min_ps(low_next, high_next));
            let high_lane = _mm256_add_epi32(high_lane, _mm256_set1_epi32(8));
            let found = _mm256_blendv_epi8(low_lane, high_lane, smaller);
            _mm256_storeu_ps(lowest.as_mut_ptr(), least);
            _mm256_storeu_ps(second.as_mut_ptr(), next);
            _mm256_storeu_si256(lanes.as_mut_ptr().cast(), found);
        }
        (lowest, lanes, second)
    }

    #[inline(always)]
    unsafe fn accumulate(sums: *mut f64, row: *const f32, n: usize, weight: f64) {
        let mut j = 0;
        // SAFETY: full vectors below `n`, then a masked one for the rest; the caller promises `n` values.
        unsafe {
            let weight = _mm512_set1_pd(weight);
            while j + 8 <= n {
                let sum = _mm512_loadu_pd(sums.add(j));
                let row = _mm512_cvtps_pd(_mm256_loadu_ps(row.add(j)));
                _mm512_storeu_pd(sums.add(j), _mm512_add_pd(sum, _mm512_mul_pd(weight, row)));
                j += 8;
            }
            if j < n {
                let mask = (1u8 << (n - j)) - 1;
                let sum = _mm512_maskz_loadu_pd(mask, sums.add(j));
                let row = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask, row.add(j)));
                let sum = _mm512_add_pd(sum, _mm512_mul_pd(weight, row));
                _mm512_mask_storeu_pd(sums.add(j), mask, sum);
            }
        }
    }
}

impl Vector for __m256d {
    common!(
        f64,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_max_pd,
        _mm256_fmadd_pd
    );

    #[inline(always)]
    unsafe fn zero_nan(self) -> Self {
        // SAFETY: the caller promises the instructions.
        unsafe { _mm256_and_pd(self, _mm256_cmp_pd::<_CMP_ORD_Q>(self, self)) }
    }

    #[inline(always)]
    unsafe fn lowest(self) -> (f64, u32) {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let lowest = _mm256_min_pd(self, _mm256_permute2f128_pd::<1>(self, self));
            let lowest = _mm256_min_pd(lowest, _mm256_permute_pd::<0b0101>(lowest));
            let mask = _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_EQ_OQ>(self, lowest));
            (_mm256_cvtsd_f64(lowest), mask.trailing_zeros())
        }
    }
}

impl Vector for __m256 {
    common!(
        f32,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_max_ps,
        _mm256_fmadd_ps
    );

    #[inline(always)]
    unsafe fn zero_nan(self) -> Self {
        // SAFETY: the caller promises the instructions.
        unsafe { _mm256_and_ps(self, _mm256_cmp_ps::<_CMP_ORD_Q>(self, self)) }
    }

    #[inline(always)]
    unsafe fn lowest(self) -> (f32, u32) {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let lowest = _mm256_min_ps(self, _mm256_permute2f128_ps::<1>(self, self));
            let lowest = _mm256_min_ps(lowest, _mm256_permute_ps::<0b01_00_11_10>(lowest));
            let lowest = _mm256_min_ps(lowest, _mm256_permute_ps::<0b10_11_00_01>(lowest));
            let mask = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(self, lowest));
            (_mm256_cvtss_f32(lowest), mask.trailing_zeros())
        }
    }

    #[inline(always)]
    unsafe fn two_lowest_of<const R: usize>(vectors: [Self; R]) -> ([f32; R], [u32; R], [f32; R]) {
        let (mut lowest, mut lanes, mut second) = ([f32::INFINITY; R], [0; R], [f32::INFINITY; R]);
        // SAFETY: the caller promises the instructions; eight numbers are stored where there is room for eight.
        unsafe {
            if R != 8 {
                for r in 0..R {
                    (lowest[r], lanes[r], second[r]) = vectors[r].two_lowest();
                }
                return (lowest, lanes, second);
            }
            let mut rows = [vectors[0]; 8];
            for at in 0..8 {
                rows[at] = vectors[at % R];
            }
            let (least, found, next) = lowest_of_rows(rows);
            _mm256_storeu_ps(lowest.as_mut_ptr(), least);
            _mm256_storeu_ps(second.as_mut_ptr(), next);
            _mm256_storeu_si256(lanes.as_mut_ptr().cast(), found);
        }
        (lowest, lanes, second)
    }
}
