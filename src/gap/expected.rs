//! What every cell would hold if rows and columns had nothing to do with each other, and how far chance goes from it.
//!
//! Write `W` for the sum of values of a cell, `Q` for its sum of squared values, `R`, `C`, `T` for the totals of rows,
//! columns and table. Three bases give the expected value `E`:
//!
//! - *independence*: `E = R C / T`;
//! - *quasi-independence*, where some cells cannot occur: the product form that keeps `R` and `C` over the cells that
//!   can, by iterative proportional fitting (Deming and Stephan 1940; Goodman 1968);
//! - *shares*: `E = R s`, with `s` the share of a column in the supply or the need of the row, which is known, or in what
//!   the row took in another period, whose own chance is added then.
//!
//! `W - E` is linear in the records to first order (Taylor linearisation, Binder 1983): a record of value `w` in cell
//! `b` moves the difference of cell `a` by `w (1[a = b] - H[a, b])`, with `H[a, b] = E_a x_a' G x_b`, where `x_a` marks
//! the row and column of a cell and `G` is a generalised inverse of `X' diag(E) X`. So the variance of the difference
//! under the null is `sum_b Q0_b (1[a = b] - H[a, b])^2`, with `Q0` the sum of squares that the null expects. Where all
//! values are 1, `Q0 = E` and the variance is `E (1 - h)`, with `h` the leverage of the cell in the log-linear model
//! (Haberman 1973); under independence `1 - h = (1 - R/T) (1 - C/T)`, the classic adjusted residual.

use ndarray::Array2;

use super::crosstab::Cell;
use super::proportions::{fit_proportions, grounded_inverse, laplacian};

/// The table with its totals.
pub(super) struct Totals {
    pub(super) n_cols: usize,
    pub(super) sum: Vec<f64>,
    pub(super) squares: Vec<f64>,
    pub(super) rows: Vec<f64>,
    pub(super) cols: Vec<f64>,
    pub(super) total: f64,
}

impl Totals {
    pub(super) fn new(cells: &[Cell], n_rows: usize, n_cols: usize) -> Self {
        let squares = cells.iter().map(|cell| cell.squares).collect();
        let sums = cells.iter().map(|cell| cell.sum).collect();
        Self { squares, ..Self::of_sums(sums, n_rows, n_cols) }
    }

    /// A table whose squares nobody asks for.
    pub(super) fn of_sums(sum: Vec<f64>, n_rows: usize, n_cols: usize) -> Self {
        let (rows, cols, total) = margins(&sum, n_rows, n_cols);
        Self { n_cols, sum, squares: Vec::new(), rows, cols, total }
    }

    fn row(&self, cell: usize) -> usize {
        cell / self.n_cols
    }

    fn col(&self, cell: usize) -> usize {
        cell % self.n_cols
    }
}

/// Totals of rows, of columns, of all.
fn margins(cells: &[f64], n_rows: usize, n_cols: usize) -> (Vec<f64>, Vec<f64>, f64) {
    let mut rows = vec![0.0; n_rows];
    let mut cols = vec![0.0; n_cols];
    for (cell, &value) in cells.iter().enumerate() {
        rows[cell / n_cols] += value;
        cols[cell % n_cols] += value;
    }
    let total = rows.iter().sum();
    (rows, cols, total)
}

/// The null model of one table.
pub(super) struct Null {
    /// Expected value of each cell; 0 where the cell cannot occur.
    pub(super) expected: Vec<f64>,
    /// Degrees of freedom of the whole table.
    pub(super) dof: usize,
    /// Expected records of each cell, discounted for unequal values (Kish 1965: `E^2 / Q0`).
    pub(super) effective: Vec<f64>,
    /// Variance of observed minus expected under the null.
    pub(super) variance: Vec<f64>,
    /// Variance of the logarithm of the index as the table stands; NaN where nothing was observed.
    pub(super) log_variance: Vec<f64>,
    /// Whether proportional fitting came to its precision.
    pub(super) converged: bool,
    projection: Projection,
}

/// How the totals carry the expectation.
enum Projection {
    Independence,
    /// The generalised inverse of the Laplacian of rows and columns.
    QuasiIndependence(Array2<f64>),
    /// Share of every cell in its row.
    Shares(Vec<f64>),
}

impl Null {
    /// Rows and columns have nothing to do with each other. Time: the number of cells.
    pub(super) fn independence(table: &Totals) -> Self {
        let total = table.total;
        let expected: Vec<f64> = (0..table.sum.len())
            .map(|cell| table.rows[table.row(cell)] * table.cols[table.col(cell)] / total)
            .collect();
        let full = |margin: &[f64]| margin.iter().filter(|&&sum| sum > 0.0).count();
        let dof = full(&table.rows).saturating_sub(1) * full(&table.cols).saturating_sub(1);
        let null_squares = null_squares(table, &expected);
        let null = Blocks::new(&null_squares, table);
        let seen = Blocks::new(&table.squares, table);
        let share = |cell: usize| {
            (table.rows[table.row(cell)] / total, table.cols[table.col(cell)] / total)
        };
        let variance = |cell: usize| {
            let (p, q) = share(cell);
            null.weigh(cell, table, [(1.0 - p) * (1.0 - q), (1.0 - p) * q, p * (1.0 - q), p * q])
        };
        let log_variance = |cell: usize| {
            let (p, q) = share(cell);
            let (r, c, w) = (1.0 / (p * total), 1.0 / (q * total), 1.0 / table.sum[cell]);
            let t = 1.0 / total;
            seen.weigh(cell, table, [w - r - c + t, t - r, t - c, t])
        };
        let null = Self::new(table, expected, &null_squares, variance, log_variance);
        Self { dof, ..null }
    }

    /// Rows and columns have nothing to do with each other in the cells that can occur.
    /// Time: the cube of the number of rows and columns.
    pub(super) fn quasi_independence(table: &Totals, possible: &[bool]) -> Self {
        let (expected, converged) = fit_proportions(table, possible);
        let n_rows = table.rows.len();
        let (inverse, n_components) = grounded_inverse(&expected, n_rows, table.n_cols);
        let null_squares = null_squares(table, &expected);
        let spread =
            |squares: &[f64]| inverse.dot(&laplacian(squares, n_rows, table.n_cols)).dot(&inverse);
        let (null, seen) = (spread(&null_squares), spread(&table.squares));
        // x' M x for the cell's x, which marks its row and, with the other sign, its column.
        let form = |matrix: &Array2<f64>, cell: usize| {
            let (i, j) = (table.row(cell), n_rows + table.col(cell));
            matrix[(i, i)] + matrix[(j, j)] - matrix[(i, j)] - matrix[(j, i)]
        };
        let full = |margin: &[f64]| margin.iter().filter(|&&sum| sum > 0.0).count();
        let n_free = expected.iter().filter(|&&e| e > 0.0).count() + n_components;
        let dof = n_free.saturating_sub(full(&table.rows) + full(&table.cols));
        let variance = |cell: usize| {
            let (e, k) = (expected[cell], form(&inverse, cell));
            let variance = null_squares[cell] * (1.0 - 2.0 * e * k) + e * e * form(&null, cell);
            // A cell that its totals alone decide has none, up to rounding.
            if variance > 1e-9 * null_squares[cell] { variance } else { 0.0 }
        };
        let log_variance = |cell: usize| {
            let (w, k) = (table.sum[cell], form(&inverse, cell));
            table.squares[cell] * (1.0 / w - 2.0 * k) / w + form(&seen, cell)
        };
        let null = Self::new(table, expected.clone(), &null_squares, variance, log_variance);
        let projection = Projection::QuasiIndependence(inverse);
        Self { dof, converged, projection, ..null }
    }

    /// Every row takes the columns in shares that are known. Time: the number of cells.
    pub(super) fn shares(table: &Totals, shares: &[f64]) -> Self {
        let row = |cell: usize| table.rows[table.row(cell)];
        let expected: Vec<f64> =
            shares.iter().enumerate().map(|(cell, share)| row(cell) * share).collect();
        let dof = (0..table.rows.len())
            .filter(|&i| table.rows[i] > 0.0)
            .map(|i| &shares[i * table.n_cols..(i + 1) * table.n_cols])
            .map(|line| line.iter().filter(|&&share| share > 0.0).count().saturating_sub(1))
            .sum();
        let null_squares = null_squares(table, &expected);
        let null = Blocks::new(&null_squares, table);
        let seen = Blocks::new(&table.squares, table);
        let variance = |cell: usize| {
            let share = shares[cell];
            null.weigh(cell, table, [1.0 - share, share, 0.0, 0.0])
        };
        let log_variance = |cell: usize| {
            let (w, r) = (1.0 / table.sum[cell], 1.0 / row(cell));
            seen.weigh(cell, table, [w - r, r, 0.0, 0.0])
        };
        let null = Self::new(table, expected, &null_squares, variance, log_variance);
        Self { dof, projection: Projection::Shares(shares.to_vec()), ..null }
    }

    /// Every row takes the columns in the shares that it took them in another period, which are known but for chance.
    /// Time: the number of cells.
    pub(super) fn reference(table: &Totals, other: Totals, possible: &[bool]) -> Self {
        let share = |cell: usize| {
            let row = other.rows[other.row(cell)];
            if row > 0.0 { other.sum[cell] / row } else { 0.0 }
        };
        let shares: Vec<f64> = (0..table.sum.len()).map(share).collect();
        let known = Self::shares(table, &shares);
        // Under the null both periods take the columns in the shares of both together.
        let pooled: Vec<f64> = (0..table.sum.len())
            .map(|cell| {
                let rows = table.rows[table.row(cell)] + other.rows[other.row(cell)];
                if rows > 0.0 { (table.sum[cell] + other.sum[cell]) / rows } else { 0.0 }
            })
            .collect();
        let squares = [table, &other].map(|period| {
            let expected: Vec<f64> = (0..pooled.len())
                .map(|cell| period.rows[period.row(cell)] * pooled[cell])
                .collect();
            null_squares(period, &expected)
        });
        let (now, then) = (Blocks::new(&squares[0], table), Blocks::new(&squares[1], &other));
        let seen = Blocks::new(&other.squares, &other);
        let variance = |cell: usize| {
            let other_row = other.rows[other.row(cell)];
            if other_row <= 0.0 || !possible[cell] {
                return 0.0;
            }
            let scale = table.rows[table.row(cell)] / other_row;
            let factors = [1.0 - pooled[cell], pooled[cell], 0.0, 0.0];
            now.weigh(cell, table, factors) + scale * scale * then.weigh(cell, &other, factors)
        };
        let log_variance = |cell: usize| {
            let row = other.rows[other.row(cell)];
            if other.sum[cell] <= 0.0 || known.log_variance[cell].is_nan() {
                return f64::NAN;
            }
            let (w, r) = (1.0 / other.sum[cell], 1.0 / row);
            known.log_variance[cell] + seen.weigh(cell, &other, [w - r, r, 0.0, 0.0])
        };
        let variance: Vec<f64> = (0..table.sum.len()).map(variance).collect();
        let log_variance = (0..table.sum.len()).map(log_variance).collect();
        Self { variance, log_variance, ..known }
    }

    /// Share of every cell in its row, where shares are what the expectation rests on.
    pub(super) fn known_shares(&self) -> Option<&[f64]> {
        match &self.projection {
            Projection::Shares(shares) => Some(shares),
            _ => None,
        }
    }

    /// What a table of the same categories expects, of other shares where some are given.
    pub(super) fn expect(
        &self,
        table: &Totals,
        shares: Option<&[f64]>,
        possible: &[bool],
    ) -> Vec<f64> {
        let cells = 0..table.sum.len();
        match &self.projection {
            Projection::Independence => cells
                .map(|cell| table.rows[table.row(cell)] * table.cols[table.col(cell)] / table.total)
                .collect(),
            Projection::QuasiIndependence(_) => fit_proportions(table, possible).0,
            Projection::Shares(known) => {
                let shares = shares.unwrap_or(known);
                cells.map(|cell| table.rows[table.row(cell)] * shares[cell]).collect()
            }
        }
    }

    fn new(
        table: &Totals,
        expected: Vec<f64>,
        null_squares: &[f64],
        variance: impl Fn(usize) -> f64,
        log_variance: impl Fn(usize) -> f64,
    ) -> Self {
        let cells = 0..expected.len();
        let effective = cells
            .clone()
            .map(|cell| match expected[cell] {
                e if e > 0.0 && null_squares[cell] > 0.0 => e * (e / null_squares[cell]),
                _ => 0.0,
            })
            .collect();
        let variance = cells.clone().map(variance).map(|v| v.max(0.0)).collect();
        let log_variance = cells
            .map(|cell| if table.sum[cell] > 0.0 { log_variance(cell).max(0.0) } else { f64::NAN })
            .collect();
        let projection = Projection::Independence;
        Self { expected, dof: 0, effective, variance, log_variance, converged: true, projection }
    }

    /// How much a unit in the cell `from` raises the expectation of `cell`, over that expectation: `x_a' G x_b`.
    pub(super) fn pull(&self, table: &Totals, cell: usize, from: usize) -> f64 {
        let (i, j) = (table.row(cell), table.col(cell));
        let (same_row, same_col) = (table.row(from) == i, table.col(from) == j);
        let row = if same_row { 1.0 / table.rows[i] } else { 0.0 };
        match &self.projection {
            Projection::Independence => {
                row + if same_col { 1.0 / table.cols[j] } else { 0.0 } - 1.0 / table.total
            }
            Projection::QuasiIndependence(inverse) => {
                let n_rows = table.rows.len();
                let (j, from_j) = (n_rows + j, n_rows + table.col(from));
                let from_i = table.row(from);
                inverse[(i, from_i)] + inverse[(j, from_j)]
                    - inverse[(i, from_j)]
                    - inverse[(j, from_i)]
            }
            Projection::Shares(_) => row,
        }
    }

    /// Multiplies the variances by design effects.
    pub(super) fn inflate(&mut self, effects: &[f64]) {
        for (cell, effect) in effects.iter().enumerate() {
            self.variance[cell] *= effect;
            self.log_variance[cell] *= effect;
            self.effective[cell] /= effect;
        }
    }
}

/// Sums of squares that the null expects: `E` times the record size (squares over sum) of the cell.
///
/// The size of the cell's own records alone is a poor guide where they are few, so it is shrunk towards the size that its
/// row and column suggest, by the weight `E` against `W`: `E (Q + s E) / (W + E)`, `s` the product of row and column
/// size over the size of the table. Where all values are equal, all sizes are, and the result is `E` times that value.
fn null_squares(table: &Totals, expected: &[f64]) -> Vec<f64> {
    let n_rows = table.rows.len();
    let (rows, cols, total) = margins(&table.squares, n_rows, table.n_cols);
    let size = total / table.total;
    let ratio = |squares: f64, sum: f64| if sum > 0.0 { squares / sum } else { size };
    (0..expected.len())
        .map(|cell| {
            let (i, j, e) = (table.row(cell), table.col(cell), expected[cell]);
            if e <= 0.0 {
                return 0.0;
            }
            let margin = ratio(rows[i], table.rows[i]) * (ratio(cols[j], table.cols[j]) / size);
            e * ((table.squares[cell] + margin * e) / (table.sum[cell] + e))
        })
        .collect()
}

/// Squares of a table, to be weighed in the four blocks that a cell cuts it into: itself, the rest of its row, the rest
/// of its column, all else.
struct Blocks<'a> {
    cells: &'a [f64],
    rows: Vec<f64>,
    cols: Vec<f64>,
    total: f64,
}

impl<'a> Blocks<'a> {
    fn new(cells: &'a [f64], table: &Totals) -> Self {
        let (rows, cols, total) = margins(cells, table.rows.len(), table.n_cols);
        Self { cells, rows, cols, total }
    }

    /// Sum over the table of squares times the square of the factor of the block they are in.
    fn weigh(&self, cell: usize, table: &Totals, factors: [f64; 4]) -> f64 {
        let own = self.cells[cell];
        let (row, col) = (self.rows[table.row(cell)], self.cols[table.col(cell)]);
        let [own_factor, row_factor, col_factor, rest_factor] = factors.map(|f| f * f);
        own * own_factor
            + (row - own).max(0.0) * row_factor
            + (col - own).max(0.0) * col_factor
            + (self.total - row - col + own).max(0.0) * rest_factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};

    #[test]
    fn quasi_independence_without_excluded_cells_is_independence() {
        let mut rng = Rng::stream(1, Stage::Sample, 0);
        let cells: Vec<Cell> = (0..12)
            .map(|cell| {
                let values: Vec<f64> =
                    (0..20 + 7 * (cell % 5)).map(|_| rng.exponential()).collect();
                let squares = values.iter().map(|v| v * v).sum();
                Cell { n: values.len() as u64, sum: values.iter().sum(), squares }
            })
            .collect();
        let table = Totals::new(&cells, 3, 4);
        let (plain, quasi) =
            (Null::independence(&table), Null::quasi_independence(&table, &[true; 12]));
        assert_eq!((plain.dof, quasi.dof), (6, 6));
        assert!(quasi.converged);
        for cell in 0..12 {
            for (a, b) in [
                (plain.expected[cell], quasi.expected[cell]),
                (plain.variance[cell], quasi.variance[cell]),
                (plain.log_variance[cell], quasi.log_variance[cell]),
                (plain.effective[cell], quasi.effective[cell]),
            ] {
                assert!((a / b - 1.0).abs() < 1e-9, "cell {cell}: {a} and {b}");
            }
        }
    }

    #[test]
    fn separate_blocks_of_possible_cells_are_separate_tables() {
        let cell = |n: u64| Cell { n, sum: n as f64, squares: n as f64 };
        let cells: Vec<Cell> =
            [12, 30, 0, 0, 25, 9, 0, 0, 0, 0, 14, 22, 0, 0, 31, 8].map(cell).to_vec();
        let possible: Vec<bool> = cells.iter().map(|cell| cell.n > 0).collect();
        let quasi = Null::quasi_independence(&Totals::new(&cells, 4, 4), &possible);
        assert_eq!(quasi.dof, 2);
        let block = [12, 30, 25, 9].map(cell);
        let alone = Null::independence(&Totals::new(&block, 2, 2));
        for (a, b) in [0, 1, 4, 5].into_iter().zip(0..4) {
            assert!((quasi.expected[a] / alone.expected[b] - 1.0).abs() < 1e-9);
            assert!((quasi.variance[a] / alone.variance[b] - 1.0).abs() < 1e-9);
        }
    }
}
