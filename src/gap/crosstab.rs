//! Cross-tabulation in one pass: records, sums and sums of squares of every cell.
//!
//! A [`CrossTab`] takes batches, merges with another of the same shape, and gives its [`Cells`] at the end, so that the
//! same struct serves a frame in memory, a stream, and the parts of a partitioned data set.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::parallel;

/// Most bytes that the cells of one table may take.
const CELL_BYTES: u64 = 1 << 28;

/// Rows of one block where the table is small: enough to make the folding of partial tables free.
pub(super) const BLOCK: usize = 1 << 16;

/// Rows of one block per cell of the table, where that is more than [`BLOCK`].
const ROWS_PER_CELL: usize = 16;

/// Most cells of a table that is counted in blocks of [`BLOCK`] rows.
pub(super) const SMALL: usize = BLOCK / ROWS_PER_CELL;

/// One cell: records, sum of their values, sum of the squares of their values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Number of records.
    pub n: u64,
    /// Sum of values; the number of records where there are no values.
    pub sum: f64,
    /// Sum of squared values; the number of records where there are no values.
    pub squares: f64,
}

impl Cell {
    pub(super) fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }
}

/// A cross-table in the making: `update` with batches, `merge` with others, `finish`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossTab {
    n_rows: usize,
    n_cols: usize,
    /// Column that holds the values; `None` where every record counts 1.
    values: Option<String>,
    /// `(n_rows + 1) x (n_cols + 1)` cells; the last row and column take records whose category is missing.
    cells: Vec<Cell>,
    missing_values: u64,
    n_records: usize,
}

/// What a [`CrossTab`] counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// `n_rows x n_cols` cells, row by row.
    pub cells: Vec<Cell>,
    /// Number of rows of the table.
    pub n_rows: usize,
    /// Number of columns of the table.
    pub n_cols: usize,
    /// All records that came in.
    pub n_records: usize,
    /// Records left out because the row category is missing.
    pub missing_rows: usize,
    /// Records left out because the column category is missing (and the row category is not).
    pub missing_cols: usize,
    /// Records left out because the value is missing.
    pub missing_values: usize,
}

impl CrossTab {
    /// An empty table of `n_rows x n_cols` cells; `values` names the column of values, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::MemoryLimit`] if the cells would take more than 256 MiB.
    pub fn new(n_rows: usize, n_cols: usize, values: Option<&str>) -> Result<Self> {
        let n_cells = (n_rows as u64 + 1).saturating_mul(n_cols as u64 + 1);
        let needed_bytes = n_cells.saturating_mul(size_of::<Cell>() as u64);
        if needed_bytes > CELL_BYTES {
            return Err(Error::MemoryLimit {
                what: format!("a table of {n_rows} by {n_cols} categories"),
                needed_bytes,
                limit_bytes: CELL_BYTES,
                alternative: "group rare categories first".to_string(),
            });
        }
        Ok(Self {
            n_rows,
            n_cols,
            values: values.map(str::to_string),
            cells: vec![Cell::default(); n_cells as usize],
            missing_values: 0,
            n_records: 0,
        })
    }

    /// Counts a batch of records: codes of the two categories, [`u32::MAX`] where missing, the values (NaN where
    /// missing) if the table has them, and how many equal records each entry stands for if that is not one.
    ///
    /// One pass, in parallel over blocks whose size depends on the shape of the table alone: the same bits for any
    /// number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the lengths differ or a code is not in the table, [`Error::BadValue`] with the first
    /// value that is negative or above 1e150.
    pub fn update(
        &mut self,
        rows: &[u32],
        cols: &[u32],
        values: Option<&[f64]>,
        counts: Option<&[u64]>,
    ) -> Result<()> {
        let n = rows.len();
        let odd = |length: Option<usize>| length.is_some_and(|length| length != n);
        let lengths = (values.map(<[_]>::len), counts.map(<[_]>::len));
        if cols.len() != n || odd(lengths.0) || odd(lengths.1) {
            let found = format!("{n} rows, {} cols, {lengths:?} values and counts", cols.len());
            return Err(Error::argument("batch", found, "lengths must be equal"));
        }
        if values.is_some() != self.values.is_some() {
            let found = if values.is_some() { "values" } else { "no values" };
            return Err(Error::argument("batch", found, "batches must be alike"));
        }
        let block = BLOCK.max(ROWS_PER_CELL * self.cells.len());
        let partials = parallel::map_blocks_of(block, n, |range| {
            let mut partial = Partial::new(self.cells.len());
            let (rows, cols) = (&rows[range.clone()], &cols[range.clone()]);
            let values = values.map(|values| &values[range.clone()]);
            match (values, counts) {
                (None, None) => partial.count(self.n_rows, self.n_cols, rows, cols),
                (Some(values), None) => partial.sum(self.n_rows, self.n_cols, rows, cols, values),
                (_, Some(counts)) => {
                    partial.repeat(self, rows, cols, values, &counts[range.clone()]);
                }
            }
            partial.refused = partial.refused.map(|record| range.start + record);
            partial
        });
        if partials.iter().any(|partial| partial.unknown) {
            let found = "a code beyond the number of categories";
            return Err(Error::argument("batch", found, "codes must be in the table"));
        }
        if let (Some(row), Some(values)) = (partials.iter().find_map(|p| p.refused), values) {
            let name = self.values.as_deref().unwrap_or_default();
            return Err(refused(name, self.n_records + row, values[row]));
        }
        for partial in partials {
            for (cell, part) in self.cells.iter_mut().zip(&partial.cells) {
                cell.add(part);
            }
            self.missing_values += partial.missing_values;
        }
        self.n_records += n;
        Ok(())
    }

    /// Adds the records of another table of the same shape.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the shapes differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let shape = |tab: &Self| (tab.n_rows, tab.n_cols, tab.values.is_some());
        if shape(self) != shape(other) {
            let found = format!("{} by {}", other.n_rows, other.n_cols);
            let wanted = format!("{} by {} of the same kind is needed", self.n_rows, self.n_cols);
            return Err(Error::argument("merge", found, wanted));
        }
        for (cell, part) in self.cells.iter_mut().zip(&other.cells) {
            cell.add(part);
        }
        self.missing_values += other.missing_values;
        self.n_records += other.n_records;
        Ok(())
    }

    /// The cells, and how many records were left out for which reason.
    pub fn finish(&self) -> Cells {
        let width = self.n_cols + 1;
        let lines = || self.cells.chunks(width);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let mut cells: Vec<Cell> =
            lines().take(self.n_rows).flat_map(|line| &line[..self.n_cols]).copied().collect();
        if self.values.is_none() {
            for cell in &mut cells {
                (cell.sum, cell.squares) = (cell.n as f64, cell.n as f64);
            }
        }
        Cells {
            cells,
            n_rows: self.n_rows,
            n_cols: self.n_cols,
            n_records: self.n_records,
            missing_rows: count(lines().skip(self.n_rows).flatten().map(|cell| cell.n).sum()),
            missing_cols: count(lines().take(self.n_rows).map(|line| line[self.n_cols].n).sum()),
            missing_values: count(self.missing_values),
        }
    }
}

/// The largest value, whose square is far from where it would overflow.
const LARGEST: f64 = 1e150;

/// Whether a value is refused.
#[inline(always)]
pub(super) fn is_refused(value: f64) -> bool {
    // NaN, a missing value, is not.
    !(value.is_nan() || (0.0..=LARGEST).contains(&value))
}

/// The error for a value that [`is_refused`].
pub(super) fn refused(name: &str, row: usize, value: f64) -> Error {
    if value > LARGEST {
        return Error::value(name, row, value, "values of at most 1e150 are needed");
    }
    let wanted = "values must not be negative (net returns against their purchases first)";
    Error::value(name, row, value, wanted).with_mend(format!("df = df[df[{name:?}] >= 0]"))
}

/// The cells of one block.
struct Partial {
    cells: Vec<Cell>,
    missing_values: u64,
    refused: Option<usize>,
    unknown: bool,
}

/// Position in a table of `n_rows + 1` by `n_cols + 1` cells, and whether both codes are known or missing.
#[inline(always)]
fn position(n_rows: usize, n_cols: usize, row: u32, col: u32) -> (usize, bool) {
    let (i, j) = ((row as usize).min(n_rows), (col as usize).min(n_cols));
    let known = |code: u32, n: usize| (code as usize) < n || code == u32::MAX;
    (i * (n_cols + 1) + j, known(row, n_rows) & known(col, n_cols))
}

impl Partial {
    fn new(n_cells: usize) -> Self {
        let cells = vec![Cell::default(); n_cells];
        Self { cells, missing_values: 0, refused: None, unknown: false }
    }

    /// Counts alone. Neighbouring records go to different histograms, because an increment must wait for the one
    /// before it where both fall into the same cell.
    fn count(&mut self, n_rows: usize, n_cols: usize, rows: &[u32], cols: &[u32]) {
        let mut lanes = vec![[0u32; 4]; self.cells.len()];
        let mut all_known = true;
        let (row_groups, col_groups) = (rows.chunks(4), cols.chunks(4));
        for (rows, cols) in row_groups.zip(col_groups) {
            for (lane, (&row, &col)) in rows.iter().zip(cols).enumerate() {
                let (cell, known) = position(n_rows, n_cols, row, col);
                lanes[cell][lane] += 1;
                all_known &= known;
            }
        }
        self.unknown = !all_known;
        for (cell, lanes) in self.cells.iter_mut().zip(&lanes) {
            cell.n = lanes.iter().map(|&n| u64::from(n)).sum();
        }
    }

    fn sum(&mut self, n_rows: usize, n_cols: usize, rows: &[u32], cols: &[u32], values: &[f64]) {
        let mut all_known = true;
        let (mut least, mut most) = (0.0_f64, 0.0_f64);
        for ((&row, &col), &value) in rows.iter().zip(cols).zip(values) {
            let (cell, known) = position(n_rows, n_cols, row, col);
            all_known &= known;
            if value.is_nan() {
                let both = row != u32::MAX && col != u32::MAX;
                // A record without a category is left out for that reason first.
                self.missing_values += u64::from(both);
                self.cells[cell].n += u64::from(!both);
                continue;
            }
            (least, most) = (least.min(value), most.max(value));
            let cell = &mut self.cells[cell];
            cell.n += 1;
            cell.sum += value;
            cell.squares += value * value;
        }
        self.unknown = !all_known;
        if is_refused(least) || is_refused(most) {
            self.refused = values.iter().position(|&value| is_refused(value));
        }
    }

    /// Entries that stand for several equal records. One that is left out counts once: it is one row of the data.
    fn repeat(
        &mut self,
        tab: &CrossTab,
        rows: &[u32],
        cols: &[u32],
        values: Option<&[f64]>,
        counts: &[u64],
    ) {
        for (entry, (&row, &col)) in rows.iter().zip(cols).enumerate() {
            let (cell, known) = position(tab.n_rows, tab.n_cols, row, col);
            self.unknown |= !known;
            let value = values.map_or(1.0, |values| values[entry]);
            let (missing, both) = (value.is_nan(), row != u32::MAX && col != u32::MAX);
            if is_refused(value) && self.refused.is_none() {
                self.refused = Some(entry);
            }
            if missing || !both {
                self.missing_values += u64::from(both);
                self.cells[cell].n += u64::from(!both);
                continue;
            }
            let n = counts[entry];
            let cell = &mut self.cells[cell];
            cell.n += n;
            cell.sum += n as f64 * value;
            cell.squares += n as f64 * value * value;
        }
    }
}
