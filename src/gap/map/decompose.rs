//! Singular values and eigenvalues of small dense matrices, largest first.

use faer::linalg::solvers::{SelfAdjointEigen, Svd};
use faer::{Mat, MatRef, Side};

use crate::error::{Error, Result};

/// Share of the largest value below which another is nothing but rounding.
const NOTHING: f64 = 1e-10;

/// What a matrix is taken apart into: values, and the vectors to their left and right, one row of `left` for each row of
/// the matrix and one row of `right` for each column.
pub(super) struct Parts {
    /// Largest first; those that are nothing but rounding are left out.
    pub(super) values: Vec<f64>,
    /// `(rows, values)`.
    pub(super) left: Vec<Vec<f64>>,
    /// `(columns, values)`.
    pub(super) right: Vec<Vec<f64>>,
}

/// Singular values and vectors of a matrix given row by row.
///
/// # Errors
///
/// [`Error::Internal`] where the decomposition does not converge, which finite values do not cause.
pub(super) fn singular(matrix: &[f64], n_rows: usize, n_cols: usize) -> Result<Parts> {
    let matrix = Mat::from_fn(n_rows, n_cols, |row, col| matrix[row * n_cols + col]);
    let found: Svd<f64> = matrix.thin_svd().map_err(|error| unsettled(&error))?;
    let values: Vec<f64> = found.S().column_vector().iter().copied().collect();
    let kept = kept(&values);
    Ok(Parts {
        left: rows(found.U(), kept),
        right: rows(found.V(), kept),
        values: values[..kept].to_vec(),
    })
}

/// Eigenvalues and vectors of a symmetric matrix without negative eigenvalues, given row by row.
///
/// # Errors
///
/// As [`singular`].
pub(super) fn symmetric(matrix: &[f64], n: usize) -> Result<Parts> {
    let matrix = Mat::from_fn(n, n, |row, col| matrix[row * n + col]);
    let found: SelfAdjointEigen<f64> =
        matrix.self_adjoint_eigen(Side::Lower).map_err(|error| unsettled(&error))?;
    // They come smallest first.
    let values: Vec<f64> = found.S().column_vector().iter().rev().copied().collect();
    let kept = kept(&values);
    let right =
        (0..n).map(|row| (0..kept).map(|at| found.U()[(row, n - 1 - at)]).collect()).collect();
    Ok(Parts { left: Vec::new(), right, values: values[..kept].to_vec() })
}

/// Number of values that are more than rounding.
fn kept(values: &[f64]) -> usize {
    let least = NOTHING * values.first().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    values.iter().take_while(|&&value| value > least).count()
}

fn rows(vectors: MatRef<'_, f64>, kept: usize) -> Vec<Vec<f64>> {
    (0..vectors.nrows()).map(|row| (0..kept).map(|at| vectors[(row, at)]).collect()).collect()
}

fn unsettled(error: &impl std::fmt::Debug) -> Error {
    Error::argument(
        "table",
        format!("{error:?}"),
        "a table whose values can be decomposed is needed",
    )
}
