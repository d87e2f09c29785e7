//! Sums, squares and extremes of columns.

use super::vector::Vector;
use super::{Kernel, Level, Real};

/// What one pass over some rows finds out about each column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments<T> {
    /// Weighted sum of the differences to the origin.
    pub(crate) first: Vec<f64>,
    /// Weighted sum of their squares; not finite where a value is not.
    pub(crate) second: Vec<f64>,
    /// Largest size of a value.
    pub(crate) largest: Vec<T>,
}

impl<T: Real> Moments<T> {
    /// The moments of rows about `origin`, which has one value per column; `weights` are 1 where there are none.
    pub(crate) fn of(rows: &[T], weights: Option<&[f64]>, origin: &[T]) -> Self {
        let d = origin.len();
        let mut found =
            Self { first: vec![0.0; d], second: vec![0.0; d], largest: vec![T::zero(); d] };
        Level::best::<T>(usize::MAX).run(Pass { rows, weights, origin, found: &mut found });
        found
    }
}

struct Pass<'a, T> {
    rows: &'a [T],
    weights: Option<&'a [f64]>,
    origin: &'a [T],
    found: &'a mut Moments<T>,
}

impl<T: Real> Kernel for Pass<'_, T> {
    type Real = T;

    // Plain loops over the columns, which the compiler turns into vectors of whatever it may use here.
    #[inline(always)]
    unsafe fn run<V: Vector<Real = T>>(self) {
        let Self { rows, weights, origin, found: Moments { first, second, largest } } = self;
        for (at, row) in rows.chunks_exact(origin.len()).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[at]);
            let sums = first.iter_mut().zip(second.iter_mut());
            for (((first, second), &value), &origin) in sums.zip(row).zip(origin) {
                let shifted = value.wide() - origin.wide();
                *first += weight * shifted;
                *second += weight * shifted * shifted;
            }
            for (largest, &value) in largest.iter_mut().zip(row) {
                let size = value.abs();
                *largest = if size > *largest { size } else { *largest };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_definition() {
        let rows = [1.0, -7.0, 2.0, 3.0, 4.0, 5.0];
        let found = Moments::of(&rows, Some(&[1.0, 2.0, 0.5]), &[1.0, 0.0]);
        assert_eq!(found.first, [3.5, 1.5]);
        assert_eq!(found.second, [6.5, 79.5]);
        assert_eq!(found.largest, [4.0, 7.0]);
    }
}
