//! The table that is shown: its categories, its cells, and which of them can occur.

use super::axis::{Axis, Category};
use super::crosstab::{Cell, Cells};
use super::expected::{Null, Totals};
use super::options::{Against, Amount, Options};
use super::suppress::{Cover, suppress};
use super::verdict::Basis;
use crate::error::{Error, Result};

/// Most rows and columns together of a table with structural zeros, whose cost grows with their cube.
const MAX_QUASI: usize = 1_000;

/// The records: positions of their categories ([`u32::MAX`] where missing) and their values (NaN where missing).
#[derive(Debug, Clone, Copy, Default)]
pub struct Records<'a> {
    /// Position of the row category.
    pub rows: &'a [u32],
    /// Position of the column category.
    pub cols: &'a [u32],
    /// Name and values of the column that weighs the records; `None` where each counts 1.
    pub values: Option<(&'a str, &'a [f64])>,
    /// How many equal records each entry stands for; `None` where it is one.
    pub counts: Option<&'a [u64]>,
    /// Name and codes of the column that says whose record it is ([`u32::MAX`] where missing: the record stands alone);
    /// `None` where all records are independent of each other.
    pub customers: Option<(&'a str, &'a [u32])>,
}

/// Rows and columns that are shown, with what was counted in them.
pub(super) struct Layout {
    pub(super) rows: Axis,
    pub(super) cols: Axis,
    pub(super) cells: Vec<Cell>,
    /// The cells of the other period; empty without one.
    pub(super) reference: Vec<Cell>,
    pub(super) possible: Vec<bool>,
    /// Position in the table of each row and column category that came in; `None` where it is not shown.
    places: [Vec<Option<usize>>; 2],
    /// Categories of the columns that something is offered in, and nobody takes.
    pub(super) without_demand: Vec<String>,
}

impl Layout {
    pub(super) fn new(rows: &Axis, cols: &Axis, cells: &Cells, options: &Options) -> Result<Self> {
        let (mut rows, mut cols) = (rows.clone(), cols.clone());
        let named = named(options, &rows);
        for (row, col) in &named {
            for (axis, category) in [(&mut rows, row), (&mut cols, col)] {
                if let Some(category) =
                    category.as_ref().filter(|name| axis.position(name).is_none())
                {
                    axis.push(category);
                }
            }
        }
        let (n_rows, n_cols) = (rows.categories.len(), cols.categories.len());
        let cell = |i: usize, j: usize| match i < cells.n_rows && j < cells.n_cols {
            true => cells.cells[i * cells.n_cols + j],
            false => Cell::default(),
        };
        let mut kept = [vec![false; n_rows], vec![false; n_cols]];
        for (row, col) in &named {
            for ((kept, axis), category) in kept.iter_mut().zip([&rows, &cols]).zip([row, col]) {
                if let Some(at) = category.as_ref().and_then(|category| axis.position(category)) {
                    kept[at] = true;
                }
            }
        }
        let in_row = |i: usize| (0..n_cols).any(|j| cell(i, j).n > 0);
        let in_col = |j: usize| (0..n_rows).any(|i| cell(i, j).n > 0);
        let shown = |n: usize, ordered: bool, kept: &[bool], met: &dyn Fn(usize) -> bool| {
            (0..n).filter(|&k| ordered || kept[k] || met(k)).collect::<Vec<usize>>()
        };
        let kept_rows = shown(n_rows, rows.ordered, &kept[0], &in_row);
        let kept_cols = shown(n_cols, cols.ordered, &kept[1], &in_col);
        let new = kept_cols.iter().filter(|&&j| !cols.ordered && !in_col(j));
        let without_demand = new.map(|&j| cols.categories[j].clone()).collect();
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
                let pair = format!("({:?}, {:?})", Axis::label(row), Axis::label(col));
                return Err(Error::argument(
                    "structural_zeros",
                    format!("{pair}, which has {found} records"),
                    "a cell that cannot occur has none",
                ));
            }
            if let (Some(i), Some(j)) = (places[0][i], places[1][j]) {
                possible[i * kept_cols.len() + j] = false;
            }
        }
        let shown = kept_rows.iter().flat_map(|&i| kept_cols.iter().map(move |&j| (i, j)));
        let layout = Self {
            cells: shown.map(|(i, j)| cell(i, j)).collect(),
            reference: reference(options, &rows.keep(&kept_rows), &cols.keep(&kept_cols)),
            rows: rows.keep(&kept_rows),
            cols: cols.keep(&kept_cols),
            possible,
            places,
            without_demand,
        };
        layout.check_shape(options.against == Against::Totals)?;
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

    /// The cells that must not be shown, so that no cell of fewer records than `limit` can be worked out.
    pub(super) fn hidden(&self, limit: u64) -> Result<Vec<bool>> {
        let n: Vec<u64> = self.cells.iter().map(|cell| cell.n).collect();
        let covers = suppress(&self.rows, &self.cols, &n, &self.possible, limit)?;
        Ok(covers.into_iter().map(|cover| cover != Cover::Shown).collect())
    }

    fn check_shape(&self, totals: bool) -> Result<()> {
        let n_cols = self.n_cols();
        let n_rows = self.rows.categories.len();
        let has_records = |i: usize, j: usize| self.cells[i * n_cols + j].n > 0;
        let full_rows = (0..n_rows).filter(|&i| (0..n_cols).any(|j| has_records(i, j))).count();
        let full_cols = (0..n_cols).filter(|&j| (0..n_rows).any(|i| has_records(i, j))).count();
        let wanted = "at least 2 are needed for a comparison";
        for (argument, axis, count) in
            [("rows", &self.rows, full_rows), ("cols", &self.cols, full_cols)]
        {
            if count < 2 && totals {
                let found = format!("{count} category with records in {:?}", axis.name);
                return Err(Error::argument(argument, found, wanted));
            }
        }
        if n_cols < 2 {
            let found = format!("1 category in {:?}", self.cols.name);
            return Err(Error::argument("cols", found, wanted));
        }
        Ok(())
    }

    pub(super) fn null(&self, table: &Totals, options: &Options) -> Result<(Basis, Null)> {
        if table.total <= 0.0 {
            let wanted = "at least one value above 0 is needed";
            return Err(Error::argument("values", "nothing but zeros", wanted));
        }
        match &options.against {
            Against::Supply(amounts) => {
                let shares = self.shares("supply", amounts)?;
                Ok((Basis::Supply, Null::shares(table, &shares)))
            }
            Against::Need(amounts) => {
                let shares = self.shares("need", amounts)?;
                Ok((Basis::Need, Null::shares(table, &shares)))
            }
            Against::Reference(_) => {
                let n_rows = self.rows.categories.len();
                let other = Totals::new(&self.reference, n_rows, self.n_cols());
                if let Some(i) = (0..n_rows).find(|&i| table.rows[i] > 0.0 && other.rows[i] <= 0.0)
                {
                    let found = format!("nothing for the row {:?}", self.rows.categories[i]);
                    let wanted = "every row with records needs some";
                    return Err(Error::argument("reference", found, wanted));
                }
                Ok((Basis::Reference, Null::reference(table, other, &self.possible)))
            }
            Against::Totals if self.possible.iter().all(|&possible| possible) => {
                Ok((Basis::Independence, Null::independence(table)))
            }
            Against::Totals => {
                let n = self.rows.categories.len() + self.n_cols();
                if n > MAX_QUASI {
                    let found = format!("a table of {n} rows and columns together");
                    let wanted = format!(
                        "at most {MAX_QUASI} are allowed with structural zeros; group rare categories"
                    );
                    return Err(Error::argument("structural_zeros", found, wanted));
                }
                Ok((Basis::QuasiIndependence, Null::quasi_independence(table, &self.possible)))
            }
        }
    }

    /// Share of every cell in the amounts of its row, over the cells that can occur.
    fn shares(&self, argument: &str, amounts: &[Amount]) -> Result<Vec<f64>> {
        let n_cols = self.n_cols();
        let mut shares = self.spread(argument, amounts, 0.0)?;
        for (i, line) in shares.chunks_mut(n_cols).enumerate() {
            for (j, amount) in line.iter_mut().enumerate() {
                if !self.possible[i * n_cols + j] {
                    *amount = 0.0;
                }
            }
            let total: f64 = line.iter().sum();
            let demand = self.cells[i * n_cols..(i + 1) * n_cols].iter().any(|cell| cell.n > 0);
            if total <= 0.0 && demand {
                let found = format!("nothing for the row {:?}", self.rows.categories[i]);
                return Err(Error::argument(argument, found, "every row with records needs some"));
            }
            for amount in line {
                *amount = if total > 0.0 { *amount / total } else { 0.0 };
            }
        }
        Ok(shares)
    }

    /// What one unit of each cell is worth; empty where nothing was said of it.
    pub(super) fn worth(&self, amounts: &[Amount]) -> Result<Vec<f64>> {
        if amounts.is_empty() {
            return Ok(Vec::new());
        }
        for amount in amounts {
            for (axis, category) in [(&self.rows, &amount.row), (&self.cols, &amount.col)] {
                if let Some(category) = category {
                    known_in("value", axis, category)?;
                }
            }
        }
        let worth = self.spread("value", amounts, f64::NAN)?;
        if let Some(cell) = worth.iter().position(|worth| worth.is_nan()) {
            let (i, j) = (cell / self.n_cols(), cell % self.n_cols());
            let found = format!(
                "nothing for {:?} and {:?}",
                self.rows.categories[i], self.cols.categories[j]
            );
            return Err(Error::argument("value", found, "every cell needs what a unit is worth"));
        }
        Ok(worth)
    }

    /// Amounts of every cell; several for one cell are added up, and `without` stands where there is none.
    fn spread(&self, argument: &str, amounts: &[Amount], without: f64) -> Result<Vec<f64>> {
        let (n_rows, n_cols) = (self.rows.categories.len(), self.n_cols());
        let mut cells = vec![without; n_rows * n_cols];
        let places = |axis: &Axis, category: &Option<Category>| match category {
            None => 0..axis.categories.len(),
            Some(category) => axis.position(category).map_or(0..0, |at| at..at + 1),
        };
        for Amount { row, col, amount } in amounts {
            if !(*amount >= 0.0 && amount.is_finite()) {
                let cell = [col, row].map(|side| side.as_deref().map(Axis::label));
                let named: Vec<String> = cell.into_iter().flatten().collect();
                let found = format!("{amount} for {:?}", named.join(", "));
                let wanted = "amounts must be finite and at least 0";
                return Err(Error::argument(argument, found, wanted));
            }
            for i in places(&self.rows, row) {
                for j in places(&self.cols, col) {
                    let cell = &mut cells[i * n_cols + j];
                    *cell = if cell.is_nan() { *amount } else { *cell + amount };
                }
            }
        }
        Ok(cells)
    }
}

/// Categories that the comparison names and that are shown for it.
fn named(options: &Options, rows: &Axis) -> Vec<(Option<Category>, Option<Category>)> {
    match &options.against {
        Against::Totals => Vec::new(),
        Against::Supply(amounts) | Against::Need(amounts) => {
            amounts.iter().map(|amount| (amount.row.clone(), amount.col.clone())).collect()
        }
        Against::Reference(other) => {
            // A row that is gone expects nothing; a column that is gone may be the gap.
            let kept = |&i: &usize| rows.position(&other.rows.category(i)).is_some();
            let kept: Vec<usize> = (0..other.cells.n_rows).filter(kept).collect();
            let met = |&j: &usize| {
                kept.iter().any(|&i| other.cells.cells[i * other.cells.n_cols + j].n > 0)
            };
            let met = (0..other.cells.n_cols).filter(met);
            met.map(|j| (None, Some(other.cols.category(j)))).collect()
        }
    }
}

/// The cells of the other period in the places of this one.
fn reference(options: &Options, rows: &Axis, cols: &Axis) -> Vec<Cell> {
    let Against::Reference(other) = &options.against else { return Vec::new() };
    let find = |axis: &Axis, other: &Axis| -> Vec<Option<usize>> {
        (0..axis.categories.len()).map(|at| other.position(&axis.category(at))).collect()
    };
    let (from_rows, from_cols) = (find(rows, &other.rows), find(cols, &other.cols));
    let cell = |i: Option<usize>, j: Option<usize>| match (i, j) {
        (Some(i), Some(j)) => other.cells.cells[i * other.cells.n_cols + j],
        _ => Cell::default(),
    };
    from_rows.iter().flat_map(|&i| from_cols.iter().map(move |&j| cell(i, j))).collect()
}

/// Position of a category that the user named as impossible.
fn known(axis: &Axis, category: &[String]) -> Result<usize> {
    known_in("structural_zeros", axis, category)
}

fn known_in(argument: &str, axis: &Axis, category: &[String]) -> Result<usize> {
    axis.position(category).ok_or_else(|| {
        let names: Vec<&str> = axis.categories.iter().map(String::as_str).take(12).collect();
        let wanted = format!("the categories of {:?} are {names:?}", axis.name);
        Error::argument(argument, format!("{:?}", Axis::label(category)), wanted)
    })
}
