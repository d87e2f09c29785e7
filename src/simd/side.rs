//! Registers of narrow codes, one row per lane, for each instruction set.

use super::Level;

/// A register full of codes, one row per lane.
///
/// # Safety of the methods
///
/// The processor must have the instructions of the type, and pointers must be valid for [`Side::WIDTH`] codes (no alignment
/// is needed).
pub(crate) trait Side<C>: Copy {
    /// Number of lanes.
    const WIDTH: usize;

    /// The same code in every lane.
    unsafe fn splat(code: C) -> Self;
    /// The codes at `from`.
    unsafe fn load(from: *const C) -> Self;
    /// Writes the lanes to `to`.
    unsafe fn store(self, to: *mut C);
    /// `self`, less 1 in the lanes where `a` equals `b`.
    unsafe fn less_where_equal(self, a: Self, b: Self) -> Self;
    /// The smaller of `self` and `count` in each lane, and `label`, with `cluster` where `count` is smaller.
    unsafe fn nearer(self, label: Self, count: Self, cluster: Self) -> (Self, Self);
}

/// A code of one or two bytes.
pub(crate) trait Code: Copy + Default + Into<u32> + Send + Sync + 'static {
    /// The largest code.
    const MOST: usize;

    /// A number up to [`Code::MOST`].
    fn narrow(number: usize) -> Self;

    /// Lanes in an array.
    type Plain: Side<Self>;
    /// Registers of AVX2.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Side<Self>;
    /// Registers of AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Side<Self>;
}

macro_rules! code {
    ($code:ident, $plain:literal) => {
        impl Code for $code {
            const MOST: usize = $code::MAX as usize;

            #[inline(always)]
            fn narrow(number: usize) -> Self {
                number as $code
            }

            type Plain = [$code; $plain];
            #[cfg(target_arch = "x86_64")]
            type Avx2 = std::arch::x86_64::__m256i;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = std::arch::x86_64::__m512i;
        }

        impl Side<$code> for [$code; $plain] {
            const WIDTH: usize = $plain;

            #[inline(always)]
            unsafe fn splat(code: $code) -> Self {
                [code; $plain]
            }

            #[inline(always)]
            unsafe fn load(from: *const $code) -> Self {
                // SAFETY: the caller promises `WIDTH` codes, and an unaligned read needs no more.
                unsafe { from.cast::<Self>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $code) {
                // SAFETY: the caller promises room for `WIDTH` codes.
                unsafe { to.cast::<Self>().write_unaligned(self) }
            }

            #[inline(always)]
            unsafe fn less_where_equal(self, a: Self, b: Self) -> Self {
                std::array::from_fn(|at| self[at].wrapping_sub($code::from(a[at] == b[at])))
            }

            #[inline(always)]
            unsafe fn nearer(self, label: Self, count: Self, cluster: Self) -> (Self, Self) {
                let label = |at: usize| if count[at] < self[at] { cluster[at] } else { label[at] };
                (std::array::from_fn(|at| self[at].min(count[at])), std::array::from_fn(label))
            }
        }
    };
}

code!(u8, 16);
code!(u16, 8);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Side;

    macro_rules! avx2 {
        ($code:ident, $width:literal, $splat:ident, $equal:ident, $add:ident, $min:ident) => {
            impl Side<$code> for __m256i {
                const WIDTH: usize = $width;

                #[inline(always)]
                unsafe fn splat(code: $code) -> Self {
                    // SAFETY: here and below, the caller promises the instructions and the pointers.
                    unsafe { $splat(code.cast_signed()) }
                }

                #[inline(always)]
                unsafe fn load(from: *const $code) -> Self {
                    // SAFETY: as above.
                    unsafe { _mm256_loadu_si256(from.cast()) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut $code) {
                    // SAFETY: as above.
                    unsafe { _mm256_storeu_si256(to.cast(), self) }
                }

                #[inline(always)]
                unsafe fn less_where_equal(self, a: Self, b: Self) -> Self {
                    // SAFETY: as above; equal lanes hold -1.
                    unsafe { $add(self, $equal(a, b)) }
                }

                #[inline(always)]
                unsafe fn nearer(self, label: Self, count: Self, cluster: Self) -> (Self, Self) {
                    // SAFETY: as above.
                    unsafe {
                        let least = $min(self, count);
                        (least, _mm256_blendv_epi8(cluster, label, $equal(least, self)))
                    }
                }
            }
        };
    }

    avx2!(u8, 32, _mm256_set1_epi8, _mm256_cmpeq_epi8, _mm256_add_epi8, _mm256_min_epu8);
    avx2!(u16, 16, _mm256_set1_epi16, _mm256_cmpeq_epi16, _mm256_add_epi16, _mm256_min_epu16);

    macro_rules! avx512 {
        (
            $code:ident, $width:literal, $splat:ident, $equal:ident, $less:ident, $subtract:ident, $min:ident,
            $blend:ident
        ) => {
            impl Side<$code> for __m512i {
                const WIDTH: usize = $width;

                #[inline(always)]
                unsafe fn splat(code: $code) -> Self {
                    // SAFETY: here and below, the caller promises the instructions and the pointers.
                    unsafe { $splat(code.cast_signed()) }
                }

                #[inline(always)]
                unsafe fn load(from: *const $code) -> Self {
                    // SAFETY: as above.
                    unsafe { _mm512_loadu_si512(from.cast()) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut $code) {
                    // SAFETY: as above.
                    unsafe { _mm512_storeu_si512(to.cast(), self) }
                }

                #[inline(always)]
                unsafe fn less_where_equal(self, a: Self, b: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $subtract(self, $equal(a, b), self, $splat(1)) }
                }

                #[inline(always)]
                unsafe fn nearer(self, label: Self, count: Self, cluster: Self) -> (Self, Self) {
                    // SAFETY: as above.
                    unsafe { ($min(self, count), $blend($less(count, self), label, cluster)) }
                }
            }
        };
    }

    avx512!(
        u8,
        64,
        _mm512_set1_epi8,
        _mm512_cmpeq_epi8_mask,
        _mm512_cmplt_epu8_mask,
        _mm512_mask_sub_epi8,
        _mm512_min_epu8,
        _mm512_mask_blend_epi8
    );
    avx512!(
        u16,
        32,
        _mm512_set1_epi16,
        _mm512_cmpeq_epi16_mask,
        _mm512_cmplt_epu16_mask,
        _mm512_mask_sub_epi16,
        _mm512_min_epu16,
        _mm512_mask_blend_epi16
    );
}

/// A kernel over narrow codes.
pub(crate) trait OfCodes<C: Code> {
    /// Runs it.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `S`.
    unsafe fn run<S: Side<C>>(self);
}

/// # Safety
///
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2<C: Code>(kernel: impl OfCodes<C>) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<C::Avx2>() }
}

/// # Safety
///
/// The processor must have AVX-512 F, VL, DQ and BW, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn on_avx512<C: Code>(kernel: impl OfCodes<C>) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<C::Avx512>() }
}

/// Runs `kernel` on this level.
pub(crate) fn run<C: Code>(level: Level, kernel: impl OfCodes<C>) {
    // SAFETY: a level other than the arrays exists only where its instructions were found.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => on_avx2(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => on_avx512(kernel),
            _ => kernel.run::<C::Plain>(),
        }
    }
}
