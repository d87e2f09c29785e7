//! Vectors of numbers: the few operations that the kernels need, for each instruction set.

/// A register full of numbers, one per lane.
///
/// # Safety of the methods
///
/// The processor must have the instructions of the type, and pointers must be valid for [`Vector::WIDTH`] values (no
/// alignment is needed).
pub trait Vector: Copy {
    /// The number type.
    type Real: super::Real;
    /// Number of lanes.
    const WIDTH: usize;

    /// The same number in every lane.
    unsafe fn splat(value: Self::Real) -> Self;
    /// The numbers at `from`.
    unsafe fn load(from: *const Self::Real) -> Self;
    /// Writes the lanes to `to`.
    unsafe fn store(self, to: *mut Self::Real);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * self + to`.
    unsafe fn square_add(self, to: Self) -> Self;
    /// The lanes, with 0 in place of NaN.
    unsafe fn zero_nan(self) -> Self;
    /// The smallest number and the first lane that holds it; no lane may be NaN.
    unsafe fn lowest(self) -> (Self::Real, u32);

    /// What [`Vector::lowest`] gives, and the smallest of the other lanes.
    #[inline(always)]
    unsafe fn two_lowest(self) -> (Self::Real, u32, Self::Real) {
        let infinity = super::Real::narrow(f64::INFINITY);
        // SAFETY: no vector has more than 16 lanes.
        let (lowest, lane, mut lanes) = unsafe {
            let mut lanes = [infinity; 16];
            self.store(lanes.as_mut_ptr());
            let (lowest, lane) = self.lowest();
            (lowest, lane, lanes)
        };
        lanes[lane as usize % 16] = infinity;
        let smaller = |a, b| if b < a { b } else { a };
        (lowest, lane, lanes[..Self::WIDTH].iter().copied().fold(infinity, smaller))
    }

    /// `sums[j] += weight * row[j]`, with a rounding after the multiplication whatever the instruction set, for `j` in `0..n`; `sums` and `row` must be valid for `n` values.
    #[inline(always)]
    unsafe fn accumulate(sums: *mut f64, row: *const Self::Real, n: usize, weight: f64) {
        for j in 0..n {
            // SAFETY: `j < n`, and the caller promises `n` values.
            unsafe { *sums.add(j) += weight * super::Real::wide(*row.add(j)) };
        }
    }
}

/// Lanes in an array, with a rounding after the multiplication.
#[derive(Clone, Copy)]
pub struct Plain<T, const N: usize>([T; N]);

/// Lanes in an array, with fused multiply-add: slow where the target has no such instruction, equal to the vectors.
#[cfg(test)]
#[derive(Clone, Copy)]
pub struct Fused<T, const N: usize>([T; N]);

macro_rules! array {
    ($name:ident, $multiply_add:expr) => {
        impl<T: super::Real, const N: usize> Vector for $name<T, N> {
            type Real = T;
            const WIDTH: usize = N;

            #[inline(always)]
            unsafe fn splat(value: T) -> Self {
                Self([value; N])
            }

            #[inline(always)]
            unsafe fn load(from: *const T) -> Self {
                // SAFETY: the caller promises `N` values, and an unaligned read needs no more.
                Self(unsafe { from.cast::<[T; N]>().read_unaligned() })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut T) {
                // SAFETY: the caller promises room for `N` values.
                unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
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
            unsafe fn square_add(self, to: Self) -> Self {
                Self(std::array::from_fn(|lane| $multiply_add(self.0[lane], to.0[lane])))
            }

            #[inline(always)]
            unsafe fn zero_nan(self) -> Self {
                Self(self.0.map(|value| if value.is_nan() { T::zero() } else { value }))
            }

            #[inline(always)]
            unsafe fn lowest(self) -> (T, u32) {
                let mut found = (self.0[0], 0);
                for (lane, &value) in self.0.iter().enumerate().skip(1) {
                    if value < found.0 {
                        found = (value, lane as u32);
                    }
                }
                found
            }
        }
    };
}

array!(Plain, |a: T, to: T| a * a + to);
#[cfg(test)]
array!(Fused, |a: T, to: T| a.square_add(to));

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    /// The operations that differ between types in their names only.
    macro_rules! common {
        ($real:ident, $width:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $fma:ident) => {
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
            unsafe fn square_add(self, to: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fma(self, self, to) }
            }
        };
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
        unsafe fn accumulate(sums: *mut f64, row: *const f64, n: usize, weight: f64) {
            let mut j = 0;
            // SAFETY: full vectors below `n`, then a masked one for the rest; the caller promises `n` values.
            unsafe {
                let weight = _mm512_set1_pd(weight);
                while j + 8 <= n {
                    let sum = _mm512_loadu_pd(sums.add(j));
                    let sum =
                        _mm512_add_pd(sum, _mm512_mul_pd(weight, _mm512_loadu_pd(row.add(j))));
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
    }
}
