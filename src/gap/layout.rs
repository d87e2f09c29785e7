//! What goes into a gap matrix: axes, records, options, and the table they make.

use serde::{Deserialize, Serialize};

use super::crosstab::{Cell, Cells};
use super::expected::{Null, Totals};
use super::matrix::Basis;
use crate::error::{Error, Result};

/// Most rows and columns together of a table with structural zeros, whose cost grows with their cube.
const MAX_QUASI: usize = 1_000;

/// One side of the table: a column of the records and its categories in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Name of the column.
    pub name: String,
    /// Its categories; a record holds the position of one.
    pub categories: Vec<String>,
    /// Whether the categories have an order of their own; those without records are kept then.
    pub ordered: bool,
}

impl Axis {
    /// A column whose categories have no order of their own.
    pub fn new(name: &str, categories: &[&str]) -> Self {
        let categories = categories.iter().map(ToString::to_string).collect();
        Self { name: name.to_string(), categories, ordered: false }
    }

    fn position(&self, category: &str) -> Option<usize> {
        self.categories.iter().position(|known| known == category)
    }

    fn keep(&self, kept: &[usize]) -> Self {
        let categories = kept.iter().map(|&k| self.categories[k].clone()).collect();
        Self { categories, ..self.clone() }
    }
}

/// The records: positions of their categories ([`u32::MAX`] where missing) and their values (NaN where missing).
#[derive(Debug, Clone, Copy, Default)]
pub struct Records<'a> {
    /// Position of the row category.
    pub rows: &'a [u32],
    /// Position of the column category.
    pub cols: &'a [u32],
    /// Name and values of the column that weighs the records; `None` where each counts 1.
    pub values: Option<(&'a str, &'a [f64])>,
    /// Name and codes of the column that says whose record it is ([`u32::MAX`] where missing: the record stands alone);
    /// `None` where all records are independent of each other.
    pub customers: Option<(&'a str, &'a [u32])>,
}

/// How much is offered in one column, or in one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supply {
    /// Row category; `None` where the same is offered to every row.
    pub row: Option<String>,
    /// Column category.
    pub col: String,
    /// How much is offered, in any unit: only shares count.
    pub amount: f64,
}

/// Options of [`crate::gap::gap_matrix`].
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Cells that expect fewer records than this are not judged.
    pub min_count: f64,
    /// Confidence of the intervals; a cell is judged at `q <= 1 - confidence`.
    pub confidence: f64,
    /// Pairs of a row and a column category that cannot occur.
    pub structural_zeros: Vec<(String, String)>,
    /// What is offered; empty where demand is held against its own totals.
    pub supply: Vec<Supply>,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_count: 5.0, confidence: 0.95, structural_zeros: Vec::new(), supply: Vec::new() }
    }
}

pub(super) fn check(
    rows: &Axis,
    cols: &Axis,
    values: Option<&str>,
    options: &Options,
) -> Result<()> {
    if rows.name == cols.name {
        return Err(Error::argument(
            "cols",
            format!("{:?}", cols.name),
            "rows and cols must be different columns",
        ));
    }
    for (argument, axis) in [("rows", rows), ("cols", cols)] {
        if super::words::COLUMNS.contains(&axis.name.as_str()) {
            let wanted = "this is the name of a column of the result";
            return Err(Error::argument(argument, format!("{:?}", axis.name), wanted)
                .with_mend(format!("df = df.rename(columns={{{0:?}: \"{0}_\"}})", axis.name)));
        }
        if values == Some(&axis.name) {
            let wanted = format!("{argument} and values must be different columns");
            return Err(Error::argument("values", format!("{:?}", axis.name), wanted));
        }
    }
    if !(options.confidence > 0.0 && options.confidence < 1.0) {
        let wanted = "a number between 0 and 1 is needed";
        return Err(
            Error::argument("confidence", options.confidence, wanted).with_mend("confidence=0.95")
        );
    }
    if !(options.min_count >= 0.0 && options.min_count.is_finite()) {
        let wanted = "a number of at least 0 is needed";
        return Err(
            Error::argument("min_count", options.min_count, wanted).with_mend("min_count=5")
        );
    }
    Ok(())
}

/// The table that is shown: its categories, its cells, and which of them can occur.
pub(super) struct Layout {
    pub(super) rows: Axis,
    pub(super) cols: Axis,
    pub(super) cells: Vec<Cell>,
    pub(super) possible: Vec<bool>,
    /// Position in the table of each row and column category that came in; `None` where it is not shown.
    places: [Vec<Option<usize>>; 2],
}

impl Layout {
    pub(super) fn new(rows: &Axis, cols: &Axis, cells: &Cells, options: &Options) -> Result<Self> {
        let (mut rows, mut cols) = (rows.clone(), cols.clone());
        for offer in &options.supply {
            for (axis, category) in [(&mut rows, offer.row.as_ref()), (&mut cols, Some(&offer.col))]
            {
                if let Some(category) = category.filter(|name| axis.position(name).is_none()) {
                    axis.categories.push(category.clone());
                }
            }
        }
        let cell = |i: usize, j: usize| match i < cells.n_rows && j < cells.n_cols {
            true => cells.cells[i * cells.n_cols + j],
            false => Cell::default(),
        };
        let (n_rows, n_cols) = (rows.categories.len(), cols.categories.len());
        let offered_row = |i: usize| {
            options.supply.iter().any(|offer| offer.row.as_ref() == Some(&rows.categories[i]))
        };
        let offered_col =
            |j: usize| options.supply.iter().any(|offer| offer.col == cols.categories[j]);
        let kept_rows: Vec<usize> = (0..n_rows)
            .filter(|&i| rows.ordered || offered_row(i) || (0..n_cols).any(|j| cell(i, j).n > 0))
            .collect();
        let kept_cols: Vec<usize> = (0..n_cols)
            .filter(|&j| cols.ordered || offered_col(j) || (0..n_rows).any(|i| cell(i, j).n > 0))
            .collect();
        let shown = kept_rows.iter().flat_map(|&i| kept_cols.iter().map(move |&j| (i, j)));
        let places = [(n_rows, &kept_rows), (n_cols, &kept_cols)].map(|(n, kept)| {
            let mut places = vec![None; n];
            for (place, &category) in kept.iter().enumerate() {
                places[category] = Some(place);
            }
            places
        });
        let mut possible = vec![true; kept_rows.len() * kept_cols.len()];
        for (row, col) in &options.structural_zeros {
            let (i, j) = (known(&rows, row)?, known(&cols, col)?);
            let found = cell(i, j).n;
            if found > 0 {
                return Err(Error::argument(
                    "structural_zeros",
                    format!("({row:?}, {col:?}), which has {found} records"),
                    "a cell that cannot occur has none",
                ));
            }
            if let (Some(i), Some(j)) = (places[0][i], places[1][j]) {
                possible[i * kept_cols.len() + j] = false;
            }
        }
        let cells = shown.map(|(i, j)| cell(i, j)).collect();
        let layout = Self {
            rows: rows.keep(&kept_rows),
            cols: cols.keep(&kept_cols),
            cells,
            possible,
            places,
        };
        layout.check_shape(!options.supply.is_empty())?;
        Ok(layout)
    }

    pub(super) fn n_cols(&self) -> usize {
        self.cols.categories.len()
    }

    /// The cell of a record; `None` where it is left out.
    pub(super) fn cell_of(&self, records: &Records<'_>, record: usize) -> Option<u32> {
        let place =
            |side: usize, code: u32| self.places[side].get(code as usize).copied().flatten();
        let (i, j) = (place(0, records.rows[record])?, place(1, records.cols[record])?);
        let missing = records.values.is_some_and(|(_, values)| values[record].is_nan());
        if missing { None } else { u32::try_from(i * self.n_cols() + j).ok() }
    }

    fn check_shape(&self, supply: bool) -> Result<()> {
        let n_cols = self.n_cols();
        let n_rows = self.rows.categories.len();
        let has_records = |i: usize, j: usize| self.cells[i * n_cols + j].n > 0;
        let full_rows = (0..n_rows).filter(|&i| (0..n_cols).any(|j| has_records(i, j))).count();
        let full_cols = (0..n_cols).filter(|&j| (0..n_rows).any(|i| has_records(i, j))).count();
        for (argument, axis, count) in
            [("rows", &self.rows, full_rows), ("cols", &self.cols, full_cols)]
        {
            if count < 2 && !supply {
                return Err(Error::argument(
                    argument,
                    format!("{count} category with records in {:?}", axis.name),
                    "at least 2 are needed for a comparison",
                ));
            }
        }
        if supply && n_cols < 2 {
            let found = format!("1 category in {:?}", self.cols.name);
            let wanted = "at least 2 are needed for a comparison";
            return Err(Error::argument("cols", found, wanted));
        }
        Ok(())
    }

    pub(super) fn null(&self, table: &Totals, options: &Options) -> Result<(Basis, Null)> {
        if table.total <= 0.0 {
            let wanted = "at least one value above 0 is needed";
            return Err(Error::argument("values", "nothing but zeros", wanted));
        }
        if !options.supply.is_empty() {
            return Ok((Basis::Supply, Null::supply(table, &self.shares(options)?)));
        }
        if self.possible.iter().all(|&possible| possible) {
            return Ok((Basis::Independence, Null::independence(table)));
        }
        let n = self.rows.categories.len() + self.n_cols();
        if n > MAX_QUASI {
            return Err(Error::argument(
                "structural_zeros",
                format!("a table of {n} rows and columns together"),
                format!(
                    "at most {MAX_QUASI} are allowed with structural zeros; group rare categories"
                ),
            ));
        }
        Ok((Basis::QuasiIndependence, Null::quasi_independence(table, &self.possible)))
    }

    /// Share of every cell in the supply of its row, over the cells that can occur.
    fn shares(&self, options: &Options) -> Result<Vec<f64>> {
        let n_cols = self.n_cols();
        let mut amounts = vec![0.0; self.cells.len()];
        for offer in &options.supply {
            let amount = offer.amount;
            if !(amount >= 0.0 && amount.is_finite()) {
                let found = format!("{amount} for {:?}", offer.col);
                let wanted = "amounts must be finite and at least 0";
                return Err(Error::argument("supply", found, wanted));
            }
            for i in 0..self.rows.categories.len() {
                let meant = offer.row.as_ref().is_none_or(|row| *row == self.rows.categories[i]);
                if let (true, Some(j)) = (meant, self.cols.position(&offer.col)) {
                    amounts[i * n_cols + j] += amount;
                }
            }
        }
        for (i, line) in amounts.chunks_mut(n_cols).enumerate() {
            for (j, amount) in line.iter_mut().enumerate() {
                if !self.possible[i * n_cols + j] {
                    *amount = 0.0;
                }
            }
            let total: f64 = line.iter().sum();
            let demand = self.cells[i * n_cols..(i + 1) * n_cols].iter().any(|cell| cell.n > 0);
            if total <= 0.0 && demand {
                let found = format!("nothing for the row {:?}", self.rows.categories[i]);
                return Err(Error::argument("supply", found, "every row with records needs some"));
            }
            for amount in line {
                *amount = if total > 0.0 { *amount / total } else { 0.0 };
            }
        }
        Ok(amounts)
    }
}

/// Position of a category that the user named.
fn known(axis: &Axis, category: &str) -> Result<usize> {
    axis.position(category).ok_or_else(|| {
        let names: Vec<&str> = axis.categories.iter().map(String::as_str).take(12).collect();
        let wanted = format!("the categories of {:?} are {names:?}", axis.name);
        Error::argument("structural_zeros", format!("{category:?}"), wanted)
    })
}
