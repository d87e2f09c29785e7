//! Gap matrices from tables and as tables.

use super::layout::{Axis, Options, Records, Supply};
use super::matrix::{GapMatrix, gap_matrix};
use super::tally::tally;
use super::words::COLUMNS;
use crate::error::{Error, Result};
use crate::parallel;
use crate::table::{Codes, Table};

/// Columns of the records: categories of the rows, of the columns, and the values.
#[derive(Debug, Clone, Copy)]
pub struct Roles<'a> {
    /// Column whose categories are the rows of the matrix.
    pub rows: &'a str,
    /// Column whose categories are the columns of the matrix.
    pub cols: &'a str,
    /// Column that weighs the records; `None` where each counts 1.
    pub values: Option<&'a str>,
    /// Column that says whose record it is; `None` where records are independent of each other.
    pub customer: Option<&'a str>,
}

impl Axis {
    fn of(name: &str, codes: &Codes) -> Self {
        let (categories, ordered) = (codes.categories.clone(), codes.ordered);
        Self { name: name.to_string(), categories, ordered }
    }
}

impl GapMatrix {
    /// The gap matrix of a table of records.
    ///
    /// # Errors
    ///
    /// As [`gap_matrix`], and those of reading the columns.
    pub fn from_table(table: &Table, roles: Roles<'_>, options: &Options) -> Result<Self> {
        if roles.customer.is_none()
            && let Some((rows, cols, cells)) = tally(table, roles)?
        {
            return Self::from_cells(&rows, &cols, roles.values, &cells, options);
        }
        let (rows, cols) = parallel::join(|| table.codes(roles.rows), || table.codes(roles.cols));
        let (rows, cols) = (rows?, cols?);
        let values = roles.values.map(|name| table.numeric(name)).transpose()?;
        let customers = roles.customer.map(|name| table.keys(name)).transpose()?;
        let customers = customers.as_ref().map(|keys| keys.codes.as_slice());
        let records = Records {
            rows: &rows.codes,
            cols: &cols.codes,
            values: roles.values.zip(values.as_deref()),
            customers: roles.customer.zip(customers),
        };
        gap_matrix(&Axis::of(roles.rows, &rows), &Axis::of(roles.cols, &cols), records, options)
    }

    /// One row per cell.
    ///
    /// # Errors
    ///
    /// None that a validated matrix can give.
    pub fn table(&self) -> Result<Table> {
        let names = |cell| self.names(cell);
        let cells = 0..self.n.len();
        Table::builder()
            .text(&self.rows.name, cells.clone().map(|cell| names(cell).0))
            .text(&self.cols.name, cells.map(|cell| names(cell).1))
            .int("n", self.n.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)))
            .float("observed", self.observed.iter().copied())
            .float("expected", self.expected.iter().copied())
            .float("index", self.index.iter().copied())
            .float("index_lo", self.index_lo.iter().copied())
            .float("index_hi", self.index_hi.iter().copied())
            .float("residual", self.residual.iter().copied())
            .float("p", self.p.iter().copied())
            .float("q", self.q.iter().copied())
            .float("gap_value", self.gap_value.iter().copied())
            .float("gap_value_lo", self.gap_value_lo.iter().copied())
            .float("gap_value_hi", self.gap_value_hi.iter().copied())
            .text("status", self.status.iter().map(|status| status.name()))
            .finish()
    }

    /// The list of [`GapMatrix::gaps`], one row per gap.
    ///
    /// # Errors
    ///
    /// None that a validated matrix can give.
    pub fn gaps_table(&self, top: usize) -> Result<Table> {
        let gaps = self.gaps(top);
        let column = |values: &[f64]| gaps.iter().map(|gap| values[gap.cell]).collect::<Vec<_>>();
        Table::builder()
            .int("rank", (1..).take(gaps.len()))
            .text(&self.rows.name, gaps.iter().map(|gap| self.names(gap.cell).0))
            .text(&self.cols.name, gaps.iter().map(|gap| self.names(gap.cell).1))
            .float("observed", column(&self.observed))
            .float("expected", column(&self.expected))
            .float("index", column(&self.index))
            .float("index_lo", column(&self.index_lo))
            .float("index_hi", column(&self.index_hi))
            .float("q", column(&self.q))
            .float("gap_value", column(&self.gap_value))
            .float("gap_value_lo", column(&self.gap_value_lo))
            .float("gap_value_hi", column(&self.gap_value_hi))
            .text("sentence", gaps.iter().map(|gap| &gap.sentence))
            .finish()
    }

    /// One figure of every cell as the user sees the matrix: a row per row category, a column per column category.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is no such figure.
    pub fn wide(&self, what: &str) -> Result<Table> {
        let n_cols = self.n_cols();
        let column = |values: &[f64], j: usize| -> Vec<f64> {
            values.iter().skip(j).step_by(n_cols).copied().collect()
        };
        let mut builder = Table::builder().text(&self.rows.name, &self.rows.categories);
        for (j, name) in self.cols.categories.iter().enumerate() {
            builder = match what {
                "n" => builder.int(name, self.n.iter().skip(j).step_by(n_cols).map(|&n| n as i64)),
                "status" => {
                    builder.text(name, self.status.iter().skip(j).step_by(n_cols).map(|s| s.name()))
                }
                _ => builder.float(name, column(self.figure(what)?, j)),
            };
        }
        builder.finish()
    }

    /// A column of the table by its name.
    fn figure(&self, what: &str) -> Result<&[f64]> {
        Ok(match what {
            "observed" => &self.observed,
            "expected" => &self.expected,
            "index" => &self.index,
            "index_lo" => &self.index_lo,
            "index_hi" => &self.index_hi,
            "residual" => &self.residual,
            "p" => &self.p,
            "q" => &self.q,
            "gap_value" => &self.gap_value,
            "gap_value_lo" => &self.gap_value_lo,
            "gap_value_hi" => &self.gap_value_hi,
            _ => {
                let names = COLUMNS[..13].join(", ");
                let wanted = format!("one of {names} is needed");
                return Err(Error::argument("what", format!("{what:?}"), wanted)
                    .with_mend("what=\"observed\""));
            }
        })
    }
}

/// Pairs of categories that cannot occur, from a table with the two columns.
///
/// # Errors
///
/// Those of reading the columns; [`Error::BadValue`] for a missing category.
pub fn read_structural_zeros(table: &Table, roles: Roles<'_>) -> Result<Vec<(String, String)>> {
    let (rows, cols) = (table.codes(roles.rows)?, table.codes(roles.cols)?);
    (0..table.n_rows())
        .map(|row| {
            Ok((
                category(&rows, roles.rows, row)?.to_string(),
                category(&cols, roles.cols, row)?.to_string(),
            ))
        })
        .collect()
}

/// The supply from a table with the column categories, perhaps the row categories, and one column of amounts.
///
/// # Errors
///
/// Those of reading the columns; [`Error::BadValue`] for a missing category; [`Error::Argument`] where the columns are
/// not those or there is no row.
pub fn read_supply(table: &Table, roles: Roles<'_>) -> Result<Vec<Supply>> {
    let names = table.names();
    let others: Vec<&str> =
        names.iter().copied().filter(|name| ![roles.rows, roles.cols].contains(name)).collect();
    let [amount] = others[..] else {
        let wanted = format!(
            "the column {:?}, perhaps {:?}, and one column of amounts are needed",
            roles.cols, roles.rows
        );
        return Err(Error::argument("supply", format!("the columns {names:?}"), wanted));
    };
    if table.n_rows() == 0 {
        return Err(Error::argument("supply", "no rows", "at least one is needed"));
    }
    let cols = table.codes(roles.cols)?;
    let rows = names.contains(&roles.rows).then(|| table.codes(roles.rows)).transpose()?;
    let amounts = table.numeric(amount)?;
    (0..table.n_rows())
        .map(|row| {
            let row_name = match &rows {
                Some(rows) => Some(category(rows, roles.rows, row)?.to_string()),
                None => None,
            };
            let col = category(&cols, roles.cols, row)?.to_string();
            Ok(Supply { row: row_name, col, amount: amounts[row] })
        })
        .collect()
}

fn category<'a>(codes: &'a Codes, name: &str, row: usize) -> Result<&'a str> {
    codes
        .category(row)
        .ok_or_else(|| Error::value(name, row, "a missing category", "each row needs one"))
}
