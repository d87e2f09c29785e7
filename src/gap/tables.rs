//! Gap matrices from tables and as tables.

use super::axis::{Axis, Category};
use super::crosstab::{CrossTab, is_refused, refused};
use super::layout::Records;
use super::matrix::{GapMatrix, gap_matrix};
use super::options::{Amount, Options, Reference};
use super::tally::tally;
use super::verdict::Status;
use super::words::COLUMNS;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::table::{Builder, Table};

/// Columns of the records, by what they are for.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    /// Columns whose categories are the rows of the matrix.
    pub rows: Vec<String>,
    /// Columns whose categories are the columns of the matrix.
    pub cols: Vec<String>,
    /// Column that weighs the records; `None` where each counts 1.
    pub values: Option<String>,
    /// Column of survey weights; `None` where records weigh the same.
    pub weights: Option<String>,
    /// Column that says how many equal records a row stands for; `None` where it is one.
    pub counts: Option<String>,
    /// Column that says whose record it is; `None` where records are independent of each other.
    pub customer: Option<String>,
}

/// The columns of a table as records, in memory of their own.
pub(super) struct Read {
    pub(super) rows: (Axis, Vec<u32>),
    pub(super) cols: (Axis, Vec<u32>),
    pub(super) values: Option<(String, Vec<f64>)>,
    pub(super) counts: Option<Vec<u64>>,
    pub(super) customers: Option<(String, Vec<u32>)>,
}

impl Read {
    pub(super) fn new(table: &Table, roles: &Roles) -> Result<Self> {
        let (rows, cols) = parallel::join(
            || Axis::read(table, "rows", &roles.rows),
            || Axis::read(table, "cols", &roles.cols),
        );
        let customer = |name: &String| -> Result<_> { Ok((name.clone(), table.keys(name)?.codes)) };
        Ok(Self {
            rows: rows?,
            cols: cols?,
            values: values(table, roles)?,
            counts: roles.counts.as_ref().map(|name| counts(table, name)).transpose()?,
            customers: roles.customer.as_ref().map(customer).transpose()?,
        })
    }

    /// Some of the records, with the same categories.
    pub(super) fn part(&self, rows: &[usize]) -> Self {
        let codes = |codes: &[u32]| rows.iter().map(|&row| codes[row]).collect::<Vec<u32>>();
        let side = |(axis, all): &(Axis, Vec<u32>)| (axis.clone(), codes(all));
        Self {
            rows: side(&self.rows),
            cols: side(&self.cols),
            values: self.values.as_ref().map(|(name, values)| {
                (name.clone(), rows.iter().map(|&row| values[row]).collect())
            }),
            counts: self
                .counts
                .as_ref()
                .map(|counts| rows.iter().map(|&row| counts[row]).collect()),
            customers: self.customers.as_ref().map(|(name, all)| (name.clone(), codes(all))),
        }
    }

    pub(super) fn records(&self) -> Records<'_> {
        Records {
            rows: &self.rows.1,
            cols: &self.cols.1,
            values: self.values.as_ref().map(|(name, values)| (&**name, &**values)),
            counts: self.counts.as_deref(),
            customers: self.customers.as_ref().map(|(name, codes)| (&**name, &**codes)),
        }
    }
}

/// Refuses what every record counts 0 by.
fn some_above_zero(argument: &str, any: bool, n: usize) -> Result<()> {
    if any || n == 0 {
        return Ok(());
    }
    Err(Error::argument(
        argument,
        "nothing but zeros",
        "at least one record must count more than 0",
    ))
}

/// What each record weighs: its value, its survey weight, or their product.
fn values(table: &Table, roles: &Roles) -> Result<Option<(String, Vec<f64>)>> {
    let values = roles.values.as_ref().map(|name| table.numeric(name)).transpose()?;
    let Some(name) = &roles.weights else {
        return Ok(roles.values.clone().zip(values.map(|values| values.to_vec())));
    };
    let mut weights = table.numeric(name)?.to_vec();
    for (column, numbers) in
        [(Some(name), Some(&*weights)), (roles.values.as_ref(), values.as_deref())]
    {
        let (Some(column), Some(numbers)) = (column, numbers) else { continue };
        if let Some(row) = numbers.iter().position(|&number| is_refused(number)) {
            return Err(refused(column, row, numbers[row]));
        }
    }
    some_above_zero("weights", weights.iter().any(|&weight| weight != 0.0), weights.len())?;
    if let Some(values) = &values {
        weights.iter_mut().zip(&**values).for_each(|(weight, value)| *weight *= value);
    }
    Ok(Some((roles.values.as_ref().unwrap_or(name).clone(), weights)))
}

/// How many equal records each row stands for.
fn counts(table: &Table, name: &str) -> Result<Vec<u64>> {
    let numbers = table.numeric(name)?;
    let whole = |(row, &number): (usize, &f64)| {
        if number >= 0.0 && number.fract() == 0.0 && number < 9e15 {
            return Ok(number as u64);
        }
        let found = if number.is_nan() { "nothing".to_string() } else { number.to_string() };
        Err(Error::value(name, row, found, "a count must be a whole number from 0 up"))
    };
    let counts = numbers.iter().enumerate().map(whole).collect::<Result<Vec<u64>>>()?;
    some_above_zero("counts", counts.iter().any(|&count| count > 0), counts.len())?;
    Ok(counts)
}

impl GapMatrix {
    /// The gap matrix of a table of records.
    ///
    /// # Errors
    ///
    /// As [`gap_matrix`], and those of reading the columns.
    pub fn from_table(
        table: &Table,
        roles: &Roles,
        options: &Options,
        monitor: &Monitor,
    ) -> Result<Self> {
        let plain = roles.customer.is_none() && roles.weights.is_none() && roles.counts.is_none();
        if plain
            && let ([row], [col]) = (&*roles.rows, &*roles.cols)
            && let Some((rows, cols, cells)) = tally(table, row, col, roles.values.as_deref())?
        {
            let values = roles.values.as_deref();
            return Self::from_cells(&rows, &cols, values, &cells, options, monitor);
        }
        let read = Read::new(table, roles)?;
        let mut matrix = gap_matrix(&read.rows.0, &read.cols.0, read.records(), options, monitor)?;
        matrix.weights.clone_from(&roles.weights);
        Ok(matrix)
    }

    /// One row per cell.
    ///
    /// # Errors
    ///
    /// None that a validated matrix can give.
    pub fn table(&self) -> Result<Table> {
        Self::columns(std::slice::from_ref(self), Table::builder()).finish()
    }

    /// The columns of [`GapMatrix::table`], of several matrices with the same categories one below the other.
    pub(super) fn columns(matrices: &[Self], builder: Builder) -> Builder {
        let Some(first) = matrices.first() else { return builder };
        let once: Vec<usize> = (0..first.n.len()).collect();
        let float = |figure: fn(&Self) -> &Vec<f64>| matrices.iter().flat_map(figure).copied();
        let count = |matrix: &Self| -> Vec<_> { once.iter().map(|&at| matrix.count(at)).collect() };
        let status = matrices.iter().flat_map(|matrix| &matrix.status);
        first
            .categories(builder, &once.repeat(matrices.len()))
            .some_int("n", matrices.iter().flat_map(count))
            .float("observed", float(|m| &m.observed))
            .float("expected", float(|m| &m.expected))
            .float("index", float(|m| &m.index))
            .float("index_lo", float(|m| &m.index_lo))
            .float("index_hi", float(|m| &m.index_hi))
            .float("index_shrunk", float(|m| &m.index_shrunk))
            .float("index_shrunk_lo", float(|m| &m.index_shrunk_lo))
            .float("index_shrunk_hi", float(|m| &m.index_shrunk_hi))
            .float("residual", float(|m| &m.residual))
            .float("p", float(|m| &m.p))
            .float("q", float(|m| &m.q))
            .float("gap_value", float(|m| &m.gap_value))
            .float("gap_value_lo", float(|m| &m.gap_value_lo))
            .float("gap_value_hi", float(|m| &m.gap_value_hi))
            .text("status", status.map(|status| status.name()))
    }

    /// Records of a cell; `None` where it is hidden.
    fn count(&self, cell: usize) -> Option<i64> {
        let shown = self.status[cell] != Status::Hidden;
        shown.then(|| i64::try_from(self.n[cell]).unwrap_or(i64::MAX))
    }

    /// The categories of these cells: a column for each column of rows and columns.
    pub(super) fn categories(&self, mut builder: Builder, cells: &[usize]) -> Builder {
        let n_cols = self.n_cols();
        for (name, all) in self.rows.columns() {
            builder = builder.text(name, cells.iter().map(|&cell| &all[cell / n_cols]));
        }
        for (name, all) in self.cols.columns() {
            builder = builder.text(name, cells.iter().map(|&cell| &all[cell % n_cols]));
        }
        builder
    }

    /// The list of [`GapMatrix::gaps`], one row per gap.
    ///
    /// # Errors
    ///
    /// None that a validated matrix can give.
    pub fn gaps_table(&self, top: usize) -> Result<Table> {
        let gaps = self.gaps(top);
        let column = |values: &[f64]| gaps.iter().map(|gap| values[gap.cell]).collect::<Vec<_>>();
        let cells: Vec<usize> = gaps.iter().map(|gap| gap.cell).collect();
        self.categories(Table::builder().int("rank", (1..).take(gaps.len())), &cells)
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
        let mut builder = Table::builder();
        for (name, all) in self.rows.columns() {
            builder = builder.text(name, all);
        }
        for (j, name) in self.cols.categories.iter().enumerate() {
            builder = match what {
                "n" => {
                    let cells = (j..self.n.len()).step_by(n_cols);
                    builder.some_int(name, cells.map(|cell| self.count(cell)))
                }
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
            "index_shrunk" => &self.index_shrunk,
            "index_shrunk_lo" => &self.index_shrunk_lo,
            "index_shrunk_hi" => &self.index_shrunk_hi,
            "residual" => &self.residual,
            "p" => &self.p,
            "q" => &self.q,
            "gap_value" => &self.gap_value,
            "gap_value_lo" => &self.gap_value_lo,
            "gap_value_hi" => &self.gap_value_hi,
            _ => {
                let names = COLUMNS[..16].join(", ");
                let wanted = format!("one of {names} is needed");
                return Err(Error::argument("what", format!("{what:?}"), wanted)
                    .with_mend("what=\"observed\""));
            }
        })
    }
}

/// Pairs of categories that cannot occur, from a table with the columns of both sides.
///
/// # Errors
///
/// Those of reading the columns; [`Error::BadValue`] for a missing category.
pub fn read_structural_zeros(table: &Table, roles: &Roles) -> Result<Vec<(Category, Category)>> {
    let rows = Axis::read(table, "rows", &roles.rows)?;
    let cols = Axis::read(table, "cols", &roles.cols)?;
    (0..table.n_rows()).map(|row| Ok((category(&rows, row)?, category(&cols, row)?))).collect()
}

/// Amounts from a table with the columns of one side or of both, and one column of amounts. What a unit is worth may be
/// one amount alone.
///
/// # Errors
///
/// Those of reading the columns; [`Error::BadValue`] for a missing category; [`Error::Argument`] where the columns are
/// not those or there is no row.
pub fn read_amounts(table: &Table, argument: &str, roles: &Roles) -> Result<Vec<Amount>> {
    let names = table.names();
    let side = |name: &str| roles.rows.iter().chain(&roles.cols).any(|known| known == name);
    let others: Vec<&str> = names.iter().copied().filter(|name| !side(name)).collect();
    let [amount] = others[..] else {
        let wanted = format!(
            "the columns {:?}, perhaps {:?}, and one column of amounts are needed",
            roles.cols, roles.rows
        );
        return Err(Error::argument(argument, format!("the columns {names:?}"), wanted));
    };
    if table.n_rows() == 0 {
        return Err(Error::argument(argument, "no rows", "at least one is needed"));
    }
    let side = |side: &[String], needed: bool| {
        let named = needed || side.iter().any(|name| names.contains(&name.as_str()));
        named.then(|| Axis::read(table, argument, side)).transpose()
    };
    let (rows, cols) = (side(&roles.rows, false)?, side(&roles.cols, argument != "value")?);
    let amounts = table.numeric(amount)?;
    let at = |side: &Option<(Axis, Vec<u32>)>, row: usize| {
        side.as_ref().map(|side| category(side, row)).transpose()
    };
    (0..table.n_rows())
        .map(|row| Ok(Amount { row: at(&rows, row)?, col: at(&cols, row)?, amount: amounts[row] }))
        .collect()
}

/// The records of another period, with the columns of this one.
///
/// # Errors
///
/// Those of reading the columns; [`Error::Argument`] where no row is complete.
pub fn read_reference(table: &Table, roles: &Roles) -> Result<Reference> {
    let present =
        |name: &Option<String>| name.clone().filter(|name| table.names().contains(&name.as_str()));
    // Whose record it is does not count here: the other period is taken as it is.
    let roles = Roles { customer: None, weights: present(&roles.weights), ..roles.clone() };
    let read = Read::new(table, &roles)?;
    let (rows, cols) = (&read.rows.0, &read.cols.0);
    let records = read.records();
    let values = records.values.map(|(name, _)| name);
    let mut tab = CrossTab::new(rows.categories.len(), cols.categories.len(), values)?;
    tab.update(
        records.rows,
        records.cols,
        records.values.map(|(_, values)| values),
        records.counts,
    )?;
    let cells = tab.finish();
    if cells.cells.iter().all(|cell| cell.n == 0) {
        let found = format!("{} rows, none of them complete", cells.n_records);
        return Err(Error::argument("reference", found, "at least one complete row is needed"));
    }
    Ok(Reference { rows: rows.clone(), cols: cols.clone(), cells })
}

fn category((axis, codes): &(Axis, Vec<u32>), row: usize) -> Result<Category> {
    let at = codes[row] as usize;
    match at < axis.categories.len() {
        true => Ok(axis.category(at)),
        false => Err(Error::value(&axis.name, row, "a missing category", "each row needs one")),
    }
}
