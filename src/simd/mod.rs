//! The hot loops, behind run-time dispatch; the only place where `unsafe` is allowed.
//!
//! A kernel is written once, over the small trait `Vector`, and compiled for every instruction set:
//! AVX-512, AVX2 with FMA, and plain arrays, which are also what other processors run and what the tests compare with.
//! Centres lie in lanes, so one row is compared with a whole vector of centres at a time (`Lanes`, `Tables`).
//!
//! Every instruction set computes each distance with the same operations in the same order; with fused
//! multiply-add the bits are the same whatever the width of the vectors.
#![allow(unsafe_code)]
// Iterators over arrays keep the sums of a tile in memory instead of registers.
#![allow(clippy::needless_range_loop)]

mod bits;
mod eight;
mod gower;
mod keyed;
mod lanes;
mod latent;
mod mixed;
mod mixture;
mod mixture_kernels;
mod modes;
mod moments;
mod neighbours;
mod numeric;
mod places;
mod refine;
mod resample;
mod side;
mod sieve;
#[cfg(target_arch = "x86_64")]
mod sieve_x86;
mod sketch;
mod swap;
mod sweep;
mod tally;
mod vector;
mod wide;
#[cfg(target_arch = "x86_64")]
mod wide_x86;
mod widened;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use bits::{ones, ones_of_both};
pub(crate) use gower::{Column, Columns, Distance, Measure};
pub(crate) use keyed::{Ranged, wider};
pub(crate) use lanes::{Lanes, Tables};
pub(crate) use latent::{Cells, Expect, LatentSums, MAX_CLASSES, Prior, padded};
pub(crate) use mixed::{MixedAssign, MixedDistances, MixedRows, MixedSums};
pub(crate) use mixture::{
    Components, MixturePass, MixtureSums, Scratch, Second, Shape, Shares, Triangle, Written,
};
pub(crate) use modes::{ModesAssign, ModesDistances, Narrow, SIDE};
pub(crate) use moments::Moments;
pub(crate) use neighbours::{BLOCK, Near};
pub(crate) use numeric::{Assign, Distances, Sums};
pub(crate) use places::Places;
pub(crate) use refine::{Refine, Running};
pub(crate) use resample::{Counts, LANES, WORDS, add, count, draw};
pub(crate) use sieve::Sieve;
pub(crate) use sketch::Sketch;
pub(crate) use swap::Standing;
pub(crate) use sweep::{Few, Sweep};
pub(crate) use tally::{Summed, number_cells, places, sum_cells};

use vector::Vector;

pub use crate::table::{MISSING, UNSEEN};

/// Rows that a kernel handles together, so that loads of centres are shared and latencies overlap.
const TILE: usize = 8;

/// A kernel: a closure that can be compiled for any vector type.
trait Kernel {
    type Real: Real;

    /// Runs the kernel.
    ///
    /// # Safety
    ///
    /// The processor must have the instructions of `V`, and the lanes must have been laid out for `V`.
    unsafe fn run<V: Vector<Real = Self::Real>>(self);
}

/// An instruction set and a width that a kernel can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Arrays, compiled for the baseline of the target.
    Plain,
    /// Arrays with fused multiply-add: the scalar twin of the vector code, equal to it bit by bit.
    #[cfg(test)]
    Fused,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The fastest level of this processor for `k` centres.
    fn best<T: Real>(k: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() && k > <T::Avx2 as Vector>::WIDTH {
                return Self::Avx512;
            }
            if has_avx2() {
                return Self::Avx2;
            }
        }
        let _ = k;
        Self::Plain
    }

    fn width<T: Real>(self) -> usize {
        match self {
            Self::Plain => T::Plain::WIDTH,
            #[cfg(test)]
            Self::Fused => T::Fused::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => T::Avx2::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => T::Avx512::WIDTH,
        }
    }

    /// Runs `kernel` on this level.
    fn run<K: Kernel>(self, kernel: K) {
        // SAFETY: a level other than the arrays exists only where `available` found its instructions, and layouts
        // carry the level that they were made for.
        unsafe {
            match self {
                Self::Plain => kernel.run::<<K::Real as sealed::Vectors>::Plain>(),
                #[cfg(test)]
                Self::Fused => kernel.run::<<K::Real as sealed::Vectors>::Fused>(),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => on_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => on_avx512(kernel),
            }
        }
    }

    /// Every level that this processor can run.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut levels = vec![Self::Plain, Self::Fused];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(has_avx2().then_some(Self::Avx2));
            levels.extend(has_avx512().then_some(Self::Avx512));
        }
        levels
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
}

/// # Safety
///
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<<K::Real as sealed::Vectors>::Avx2>() }
}

/// # Safety
///
/// The processor must have AVX-512 F, VL, DQ and BW, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn on_avx512<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<<K::Real as sealed::Vectors>::Avx512>() }
}

mod sealed {
    use super::vector::Vector;

    /// The vector types of a number type.
    pub trait Vectors: Sized {
        type Plain: Vector<Real = Self>;
        #[cfg(test)]
        type Fused: Vector<Real = Self>;
        #[cfg(target_arch = "x86_64")]
        type Avx2: Vector<Real = Self>;
        #[cfg(target_arch = "x86_64")]
        type Avx512: Vector<Real = Self>;
    }
}

/// A number type that the clustering kernels take without converting: `f32` or `f64`.
pub trait Real:
    sealed::Vectors + linfa::Float + serde::Serialize + serde::de::DeserializeOwned
{
    /// Name of the type as NumPy spells it.
    const NAME: &'static str;

    /// Kind of a saved k-means model.
    const KMEANS: &'static str;

    /// The value as `f64`, exactly.
    fn wide(self) -> f64;

    /// The nearest value of this type.
    fn narrow(value: f64) -> Self;

    /// `self * self + to` with one rounding.
    #[cfg(test)]
    #[doc(hidden)]
    fn square_add(self, to: Self) -> Self;
}

macro_rules! real {
    ($real:ident, $name:literal, $kmeans:literal, $width:literal, $avx2:ident, $avx512:ident) => {
        impl sealed::Vectors for $real {
            type Plain = vector::Plain<$real, $width>;
            #[cfg(test)]
            type Fused = vector::Fused<$real, $width>;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = std::arch::x86_64::$avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = std::arch::x86_64::$avx512;
        }

        impl Real for $real {
            const NAME: &'static str = $name;
            const KMEANS: &'static str = $kmeans;

            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn narrow(value: f64) -> Self {
                value as $real
            }

            #[cfg(test)]
            fn square_add(self, to: Self) -> Self {
                $real::mul_add(self, self, to)
            }
        }
    };
}

real!(f32, "float32", "kmeans_float32", 8, __m256, __m512);
real!(f64, "float64", "kmeans", 4, __m256d, __m512d);
