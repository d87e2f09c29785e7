//! The product of a row and a column factor that keeps the totals over the cells that can occur, and the algebra of its
//! errors.

use ndarray::Array2;

use super::expected::Totals;

/// Iterations after which proportional fitting stops.
const MAX_ITERATIONS: usize = 10_000;

/// Largest relative error of a total at which proportional fitting is done.
const PRECISION: f64 = 1e-13;

/// Iterative proportional fitting of a product to the totals, over the cells that can occur.
pub(super) fn fit_proportions(table: &Totals, possible: &[bool]) -> (Vec<f64>, bool) {
    let (n_rows, n_cols) = (table.rows.len(), table.n_cols);
    let mut row_factors = vec![1.0; n_rows];
    let mut col_factors = vec![1.0; n_cols];
    let mut converged = false;
    for _ in 0..MAX_ITERATIONS {
        let mut error = 0.0_f64;
        for i in 0..n_rows {
            let line = (0..n_cols).filter(|j| possible[i * n_cols + j]);
            let sum: f64 = line.map(|j| col_factors[j]).sum();
            let factor = if sum > 0.0 { table.rows[i] / sum } else { 0.0 };
            if table.rows[i] > 0.0 {
                error = error.max((row_factors[i] / factor - 1.0).abs());
            }
            row_factors[i] = factor;
        }
        for j in 0..n_cols {
            let line = (0..n_rows).filter(|i| possible[i * n_cols + j]);
            let sum: f64 = line.map(|i| row_factors[i]).sum();
            col_factors[j] = if sum > 0.0 { table.cols[j] / sum } else { 0.0 };
        }
        if error <= PRECISION {
            converged = true;
            break;
        }
    }
    let expected = (0..n_rows * n_cols)
        .map(|cell| match possible[cell] {
            true => row_factors[cell / n_cols] * col_factors[cell % n_cols],
            false => 0.0,
        })
        .collect();
    (expected, converged)
}

/// The Laplacian of the graph whose nodes are rows and columns and whose edges are the cells.
///
/// It is `X' diag(cells) X` with the signs of the columns turned, which no quadratic form here notices.
pub(super) fn laplacian(cells: &[f64], n_rows: usize, n_cols: usize) -> Array2<f64> {
    let mut matrix = Array2::zeros((n_rows + n_cols, n_rows + n_cols));
    for (cell, &value) in cells.iter().enumerate() {
        let (i, j) = (cell / n_cols, n_rows + cell % n_cols);
        matrix[(i, i)] += value;
        matrix[(j, j)] += value;
        matrix[(i, j)] -= value;
        matrix[(j, i)] -= value;
    }
    matrix
}

/// A generalised inverse of the Laplacian, and the number of connected components.
///
/// One node of each component is grounded (its row and column are 0); the rest is inverted by Gauss-Jordan elimination,
/// which needs no pivoting because the grounded Laplacian is positive definite.
pub(super) fn grounded_inverse(
    cells: &[f64],
    n_rows: usize,
    n_cols: usize,
) -> (Array2<f64>, usize) {
    let n = n_rows + n_cols;
    let mut matrix = laplacian(cells, n_rows, n_cols);
    let mut component = vec![usize::MAX; n];
    let mut n_components = 0;
    let mut free = Vec::new();
    for start in 0..n {
        if component[start] != usize::MAX || matrix[(start, start)] <= 0.0 {
            continue;
        }
        component[start] = n_components;
        let mut queue = vec![start];
        while let Some(node) = queue.pop() {
            for next in 0..n {
                if component[next] == usize::MAX && matrix[(node, next)] < 0.0 {
                    component[next] = n_components;
                    queue.push(next);
                    free.push(next);
                }
            }
        }
        n_components += 1;
    }
    let mut inverse = Array2::<f64>::zeros((n, n));
    for &node in &free {
        inverse[(node, node)] = 1.0;
    }
    for &pivot in &free {
        let scale = 1.0 / matrix[(pivot, pivot)];
        for &col in &free {
            matrix[(pivot, col)] *= scale;
            inverse[(pivot, col)] *= scale;
        }
        for &row in &free {
            let factor = matrix[(row, pivot)];
            if row == pivot || factor == 0.0 {
                continue;
            }
            for &col in &free {
                matrix[(row, col)] -= factor * matrix[(pivot, col)];
                inverse[(row, col)] -= factor * inverse[(pivot, col)];
            }
        }
    }
    (inverse, n_components)
}
