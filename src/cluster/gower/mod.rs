//! Gower's dissimilarity: rows of numbers, ordered and unordered categories and flags, with values missing.
//!
//! The dissimilarity of two rows is the weighted mean of what their variables differ by, over the variables that both rows
//! have. Numbers differ by their distance over the range of the column, ordered categories by that of their ranks,
//! other categories by 0 or 1. A flag called asymmetric says nothing where both rows lack what it flags. Gower (1971), A
//! general coefficient of similarity and some of its properties, Biometrics 27; ranks as in Kaufman and Rousseeuw
//! (1990), Finding groups in data, which is what R's `cluster::daisy` computes.
//!
//! [`GowerSpace`] decides once how each column is read; a model that keeps it reads new rows the same way.

mod read;
mod space;

use ndarray::Array2;

pub(crate) use space::Raw;
pub use space::{Decoded, GowerOptions, GowerSpace, Treatment};

use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor};
use crate::simd::{Columns, Distance};

/// Rows of a table as Gower's dissimilarity sees them.
#[derive(Debug, Clone)]
pub struct GowerRows {
    pub(crate) raw: Vec<Raw>,
    pub(crate) columns: Columns,
}

impl GowerRows {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.n
    }
}

/// Pairs of rows that have no variable in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Incomparable {
    /// How many pairs.
    pub n: usize,
    /// The first of them, row by row.
    pub first: Option<(usize, usize)>,
}

impl Incomparable {
    fn add(&mut self, other: Self) {
        self.n += other.n;
        self.first = self.first.or(other.first);
    }
}

/// Rows that one task handles.
const ROWS: usize = 16;
/// Rows that they are compared with at a time, which stay in the second-level cache.
const TILE: usize = 4096;

/// Writes the dissimilarities of every row of `from` to every row of `to`, `(from, to)`, and says which pairs cannot be
/// compared; theirs is `apart`. With `own`, both are the same rows, whose distance to themselves is 0.
///
/// Time is proportional to pairs and columns, and for few columns to writing the matrix. Both halves of a symmetric
/// matrix are computed: that takes less time than copying one across. Each pair has the same bits from either side and for any
/// number of threads.
///
/// # Errors
///
/// [`Error::Argument`] if `out` is not of that size; [`Error::Interrupted`].
pub(crate) fn fill<T: Distance>(
    from: &Columns,
    to: &Columns,
    own: bool,
    apart: f64,
    out: &mut [T],
    monitor: &Monitor,
) -> Result<Incomparable> {
    if out.len() != from.n * to.n {
        return Err(Error::argument("out", out.len(), format!("{} x {}", from.n, to.n)));
    }
    if out.is_empty() {
        return Ok(Incomparable::default());
    }
    let partial = from.is_partial() || to.is_partial();
    let mut found = vec![Incomparable::default(); from.n.div_ceil(ROWS)];
    parallel::update_blocks_of(ROWS * to.n, out, &mut found, |at, out, found| {
        if monitor.check().is_err() {
            return;
        }
        let first = at / to.n;
        for tile in (0..to.n).step_by(TILE) {
            let range = tile..to.n.min(tile + TILE);
            for (row, out) in (first..).zip(out.chunks_mut(to.n)) {
                to.distances(from, row, range.clone(), &mut out[range.clone()]);
            }
        }
        for (row, out) in (first..).zip(out.chunks_mut(to.n)) {
            if own {
                out[row] = T::of(0.0);
            }
            if partial {
                found.add(incomparable(row, out, T::of(apart)));
            }
        }
    });
    monitor.check()?;
    let mut all = Incomparable::default();
    found.into_iter().for_each(|found| all.add(found));
    Ok(all)
}

/// Counts the pairs that cannot be compared, and puts `apart` in their place.
fn incomparable<T: Distance>(row: usize, distances: &mut [T], apart: T) -> Incomparable {
    let n = distances.iter().filter(|distance| distance.wide().is_nan()).count();
    if n == 0 {
        return Incomparable::default();
    }
    let mut first = None;
    for (other, distance) in distances.iter_mut().enumerate() {
        if distance.wide().is_nan() {
            first = first.or(Some((row, other)));
            *distance = apart;
        }
    }
    Incomparable { n, first }
}

/// Dissimilarities of the rows of `from` to those of `to`, or to each other, into a matrix that the caller made.
///
/// # Errors
///
/// [`Error::Argument`] if `out` is not of that size; [`Error::Interrupted`].
pub fn gower_into<T: GowerFloat>(
    from: &GowerRows,
    to: Option<&GowerRows>,
    out: &mut [T],
    monitor: &Monitor,
) -> Result<Incomparable> {
    let other = to.unwrap_or(from);
    let mut found = fill(&from.columns, &other.columns, to.is_none(), f64::NAN, out, monitor)?;
    if to.is_none() {
        found.n /= 2; // each pair stands in both halves
    }
    Ok(found)
}

/// Dissimilarities of the rows of `from` to those of `to`, or to each other; NaN for pairs that have no variable in common.
///
/// Memory is checked first: `max_memory` bytes, or half of what is free.
///
/// # Errors
///
/// [`Error::MemoryLimit`]; [`Error::Interrupted`].
pub fn gower_distances<T: GowerFloat>(
    from: &GowerRows,
    to: Option<&GowerRows>,
    max_memory: Option<u64>,
    monitor: &Monitor,
) -> Result<(Array2<T>, Incomparable)> {
    let shape = (from.n_rows(), to.unwrap_or(from).n_rows());
    check_memory(shape, size_of::<T>(), max_memory)?;
    let mut values = vec![T::of(0.0); shape.0 * shape.1];
    let found = gower_into(from, to, &mut values, monitor)?;
    let matrix = Array2::from_shape_vec(shape, values)
        .map_err(|error| Error::argument("X", error, "a matrix is needed"))?;
    Ok((matrix, found))
}

/// Refuses a matrix that would not fit.
///
/// # Errors
///
/// [`Error::MemoryLimit`] with what to do instead.
pub fn check_memory((n, m): (usize, usize), item: usize, max_memory: Option<u64>) -> Result<()> {
    let alternative = if item > 4 {
        "dtype=\"float32\" halves it, and KMedoids(method=\"clara\") clusters without it"
    } else {
        "KMedoids(method=\"clara\") clusters without it"
    };
    let what = format!("the matrix of distances of {n} rows to {m}");
    memory::check(&what, memory::matrix_bytes(n, m, item), max_memory, alternative)
}

/// A number type that a matrix of dissimilarities may have: computed in `f64`, then rounded once.
#[allow(private_bounds)]
pub trait GowerFloat: Distance {}
impl GowerFloat for f32 {}
impl GowerFloat for f64 {}
