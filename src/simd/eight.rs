//! Eight numbers at a time, whatever the width of the registers, so that sums have the same lanes everywhere.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::Level;

/// Eight numbers.
///
/// # Safety of the methods
///
/// The processor must have the instructions of the type, and pointers must be valid for eight values (no alignment is
/// needed).
pub(crate) trait Eight: Copy {
    /// The same number eight times.
    unsafe fn splat(value: f64) -> Self;
    /// The numbers at `from`.
    unsafe fn load(from: *const f64) -> Self;
    /// The numbers at `from`, widened.
    unsafe fn load_narrow(from: *const f32) -> Self;
    /// Writes the numbers to `to`.
    unsafe fn store(self, to: *mut f64);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * other`.
    unsafe fn mul(self, other: Self) -> Self;
    /// The smaller of each two; the other one where they cannot be compared.
    unsafe fn min(self, other: Self) -> Self;
    /// The larger of each two; the other one where they cannot be compared.
    unsafe fn max(self, other: Self) -> Self;
    /// `self + term` where `a` and `b` are equal, else `self`.
    unsafe fn add_where_equal(self, term: Self, a: Self, b: Self) -> Self;
    /// A bit for each number below 0.
    unsafe fn negative(self) -> u32;
}

/// A computation on eight numbers at a time.
pub(super) trait Task {
    /// Runs it.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `E`.
    unsafe fn run<E: Eight>(self);
}

/// Runs a task on a level.
pub(super) fn run<T: Task>(level: Level, task: T) {
    // SAFETY: a level other than the arrays exists only where its instructions were found.
    unsafe {
        match level {
            Level::Plain => task.run::<[f64; 8]>(),
            #[cfg(test)]
            Level::Fused => task.run::<[f64; 8]>(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => on_avx2(task),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => on_avx512(task),
        }
    }
}

/// # Safety
///
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2<T: Task>(task: T) {
    // SAFETY: the caller's promise.
    unsafe { task.run::<[__m256d; 2]>() }
}

/// # Safety
///
/// The processor must have AVX-512 F, VL, DQ and BW, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn on_avx512<T: Task>(task: T) {
    // SAFETY: the caller's promise.
    unsafe { task.run::<__m512d>() }
}

impl Eight for [f64; 8] {
    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        [value; 8]
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller promises eight values.
        unsafe { from.cast::<Self>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_narrow(from: *const f32) -> Self {
        // SAFETY: the caller promises eight values.
        unsafe { from.cast::<[f32; 8]>().read_unaligned() }.map(f64::from)
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller promises room for eight values.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] + other[lane])
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] - other[lane])
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] * other[lane])
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        std::array::from_fn(|lane| if self[lane] < other[lane] { self[lane] } else { other[lane] })
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        std::array::from_fn(|lane| if self[lane] > other[lane] { self[lane] } else { other[lane] })
    }
    #[inline(always)]
    unsafe fn add_where_equal(self, term: Self, a: Self, b: Self) -> Self {
        std::array::from_fn(|lane| self[lane] + if a[lane] == b[lane] { term[lane] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn negative(self) -> u32 {
        (0..8).fold(0, |bits, lane| bits | (u32::from(self[lane] < 0.0) << lane))
    }
}

#[cfg(target_arch = "x86_64")]
impl Eight for __m512d {
    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        // SAFETY: here and below, the caller promises the instructions and the pointers.
        unsafe { _mm512_set1_pd(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn load_narrow(from: *const f32) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_cvtps_pd(_mm256_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_pd(to, self) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_add_pd(self, other) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_sub_pd(self, other) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_mul_pd(self, other) }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_min_pd(self, other) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_max_pd(self, other) }
    }
    #[inline(always)]
    unsafe fn add_where_equal(self, term: Self, a: Self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_mask_add_pd(self, _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b), self, term) }
    }
    #[inline(always)]
    unsafe fn negative(self) -> u32 {
        // SAFETY: as above.
        unsafe { u32::from(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(self, _mm512_setzero_pd())) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Eight for [__m256d; 2] {
    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        // SAFETY: here and below, the caller promises the instructions and the pointers.
        unsafe { [_mm256_set1_pd(value); 2] }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))] }
    }
    #[inline(always)]
    unsafe fn load_narrow(from: *const f32) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_cvtps_pd(_mm_loadu_ps(from)), _mm256_cvtps_pd(_mm_loadu_ps(from.add(4)))] }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: as above.
        unsafe {
            _mm256_storeu_pd(to, self[0]);
            _mm256_storeu_pd(to.add(4), self[1]);
        }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_add_pd(self[0], other[0]), _mm256_add_pd(self[1], other[1])] }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_sub_pd(self[0], other[0]), _mm256_sub_pd(self[1], other[1])] }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_mul_pd(self[0], other[0]), _mm256_mul_pd(self[1], other[1])] }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_min_pd(self[0], other[0]), _mm256_min_pd(self[1], other[1])] }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { [_mm256_max_pd(self[0], other[0]), _mm256_max_pd(self[1], other[1])] }
    }
    #[inline(always)]
    unsafe fn add_where_equal(self, term: Self, a: Self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let equal =
                [_mm256_cmp_pd::<_CMP_EQ_OQ>(a[0], b[0]), _mm256_cmp_pd::<_CMP_EQ_OQ>(a[1], b[1])];
            self.add([_mm256_and_pd(term[0], equal[0]), _mm256_and_pd(term[1], equal[1])])
        }
    }
    #[inline(always)]
    unsafe fn negative(self) -> u32 {
        // SAFETY: as above.
        unsafe {
            let zero = _mm256_setzero_pd();
            let low = _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_LT_OQ>(self[0], zero));
            let high = _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_LT_OQ>(self[1], zero));
            (low | (high << 4)) as u32
        }
    }
}
