//! Correspondence analysis of a table of rows by columns.

use serde_json::{Map as Settings, json};

use super::decompose::singular;
use super::points::{Map, points, turn};
use crate::error::{Error, Result};
use crate::gap::{GapMatrix, Status};
use crate::manifest::Manifest;

/// Rounds in which cells that cannot occur are filled with what rows and columns expect of them.
const ROUNDS: usize = 10_000;
/// Change of a filled cell that ends the rounds, as a share.
const SETTLED: f64 = 1e-13;

/// The map of a gap matrix, with coordinates of `dims` dimensions.
///
/// Cells that cannot occur or are hidden are filled with what independence expects of them, so that they pull no point anywhere (de Leeuw
/// and van der Heijden 1988, Psychometrika 53). Categories without records have no place.
///
/// # Errors
///
/// [`Error::Argument`] where `dims` is 0, fewer than two rows or columns have records, or rows and columns do not depend on
/// each other at all.
pub fn simple(matrix: &GapMatrix, dims: usize) -> Result<Map> {
    let (n_rows, n_cols) = (matrix.rows.categories.len(), matrix.n_cols());
    if dims == 0 {
        return Err(
            Error::argument("dims", 0, "at least 1 dimension is needed").with_mend("dims=2")
        );
    }
    let table = filled(matrix, n_rows, n_cols);
    let total: f64 = table.iter().sum();
    let row_masses: Vec<f64> =
        table.chunks_exact(n_cols).map(|row| row.iter().sum::<f64>() / total).collect();
    let column = |col: usize| (0..n_rows).map(|row| table[row * n_cols + col]).sum::<f64>() / total;
    let col_masses: Vec<f64> = (0..n_cols).map(column).collect();
    for (axis, masses) in [(&matrix.rows, &row_masses), (&matrix.cols, &col_masses)] {
        let met = masses.iter().filter(|&&mass| mass > 0.0).count();
        if met < 2 {
            let found = format!("{met} categories of {:?} with records", axis.name);
            return Err(Error::argument("map", found, "at least 2 are needed for a map"));
        }
    }
    let residual = |row: usize, col: usize| {
        let expected = row_masses[row] * col_masses[col];
        if expected > 0.0 {
            (table[row * n_cols + col] / total - expected) / expected.sqrt()
        } else {
            0.0
        }
    };
    let residuals: Vec<f64> =
        (0..n_rows * n_cols).map(|cell| residual(cell / n_cols, cell % n_cols)).collect();
    let mut parts = singular(&residuals, n_rows, n_cols)?;
    // With a perfect fit all that is left is rounding.
    parts.values.truncate(n_rows.min(n_cols) - 1);
    if parts.values.first().is_none_or(|&value| value < 1e-12) {
        let wanted = "where rows and columns do not depend on each other there is nothing to map";
        return Err(Error::argument("map", "a table without any dependence", wanted));
    }
    let names: Vec<String> = [&matrix.rows, &matrix.cols]
        .iter()
        .flat_map(|axis| axis.categories.iter().cloned())
        .collect();
    turn(&mut parts, &names);
    let shown = dims.min(parts.values.len());
    let distances = |of: &dyn Fn(usize) -> f64, masses: &[f64]| -> Vec<f64> {
        let distance =
            |(at, &mass): (usize, &f64)| if mass > 0.0 { of(at) / mass } else { f64::NAN };
        masses.iter().enumerate().map(distance).collect()
    };
    let of_row = |row: usize| (0..n_cols).map(|col| residuals[row * n_cols + col].powi(2)).sum();
    let of_col = |col: usize| (0..n_rows).map(|row| residuals[row * n_cols + col].powi(2)).sum();
    let (row_distances, col_distances) =
        (distances(&of_row, &row_masses), distances(&of_col, &col_masses));
    let scale = &parts.values[..shown];
    let side = |axis: &crate::gap::Axis, masses, distances, vectors| {
        let names = vec![axis.name.clone(); axis.categories.len()];
        points(names, axis.categories.clone(), masses, distances, vectors, scale)
    };
    let mut manifest = Manifest::new(
        "GapMatrix.map",
        Settings::from_iter([("dims".to_string(), json!(dims))]),
        None,
        matrix.manifest.rows,
    );
    manifest.rows_used = matrix.manifest.rows_used;
    manifest.left_out.clone_from(&matrix.manifest.left_out);
    if matrix.status.iter().any(is_hole) {
        let note = "cells that cannot occur or are hidden were filled with what independence expects of them";
        manifest.notes.push(note.to_string());
    }
    Ok(Map {
        rows: side(&matrix.rows, row_masses, row_distances, &parts.left),
        cols: side(&matrix.cols, col_masses, col_distances, &parts.right),
        inertias: parts.values.iter().map(|value| value * value).collect(),
        total,
        correction: None,
        manifest,
    })
}

/// Whether there is no number in such a cell.
fn is_hole(status: &Status) -> bool {
    matches!(status, Status::NotApplicable | Status::Hidden)
}

/// The observed table; cells that cannot occur or are hidden hold what rows and columns expect of them.
fn filled(matrix: &GapMatrix, n_rows: usize, n_cols: usize) -> Vec<f64> {
    let mut table: Vec<f64> =
        matrix.observed.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect();
    let holes: Vec<usize> =
        (0..table.len()).filter(|&cell| is_hole(&matrix.status[cell])).collect();
    for _ in 0..ROUNDS {
        let mut change = 0.0_f64;
        let total: f64 = table.iter().sum();
        let rows: Vec<f64> = table.chunks_exact(n_cols).map(|row| row.iter().sum()).collect();
        let cols: Vec<f64> =
            (0..n_cols).map(|col| (0..n_rows).map(|row| table[row * n_cols + col]).sum()).collect();
        for &cell in &holes {
            let expected = rows[cell / n_cols] * cols[cell % n_cols] / total;
            change = change.max((expected - table[cell]).abs() / expected.max(f64::MIN_POSITIVE));
            table[cell] = expected;
        }
        if change <= SETTLED {
            break;
        }
    }
    table
}
