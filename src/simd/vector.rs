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
    /// The larger number of each lane; no lane may be NaN.
    unsafe fn larger(self, other: Self) -> Self;
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

    /// [`Vector::two_lowest`] of each of some vectors: the smallest numbers, their lanes, the smallest of the others.
    #[inline(always)]
    unsafe fn two_lowest_of<const R: usize>(
        vectors: [Self; R],
    ) -> ([Self::Real; R], [u32; R], [Self::Real; R]) {
        let infinity = super::Real::narrow(f64::INFINITY);
        let (mut lowest, mut lanes, mut second) = ([infinity; R], [0; R], [infinity; R]);
        for r in 0..R {
            // SAFETY: the caller's promise.
            (lowest[r], lanes[r], second[r]) = unsafe { vectors[r].two_lowest() };
        }
        (lowest, lanes, second)
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
            unsafe fn larger(self, other: Self) -> Self {
                let larger = |a: T, b: T| if a > b { a } else { b };
                Self(std::array::from_fn(|lane| larger(self.0[lane], other.0[lane])))
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
