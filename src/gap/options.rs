//! What a gap matrix can be asked: what its cells are held against, and how they are judged.

use serde::{Deserialize, Serialize};

use super::axis::{Axis, Category};
use super::crosstab::Cells;
use super::words::COLUMNS;
use crate::confidence::check_level;
use crate::error::{Error, Result};

/// An amount for one column of the table, one row, or one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amount {
    /// Row category; `None` where the amount is that of every row.
    pub row: Option<Category>,
    /// Column category; `None` where the amount is that of every column.
    pub col: Option<Category>,
    /// The amount.
    pub amount: f64,
}

/// What the cells are held against.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Against {
    /// The totals of rows and columns.
    #[default]
    Totals,
    /// The shares of what is offered, in any unit: demand beyond them is a gap.
    Supply(Vec<Amount>),
    /// The shares of what is needed, in any unit: demand short of them is a gap.
    Need(Vec<Amount>),
    /// The shares of another period: demand short of them is a gap.
    Reference(Box<Reference>),
}

/// The table of another period.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Its rows.
    pub rows: Axis,
    /// Its columns.
    pub cols: Axis,
    /// Its cells.
    pub cells: Cells,
}

/// Where the p-value of a cell comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The normal law of the adjusted residual.
    #[default]
    Normal,
    /// The exact law of the cell, given the totals: hypergeometric, or binomial where shares are given.
    Exact,
    /// Random tables with the same totals.
    MonteCarlo,
}

/// Options of [`crate::gap::gap_matrix`].
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Cells that expect fewer records than this are not judged.
    pub min_count: f64,
    /// Confidence of the intervals; a cell is judged at `q <= 1 - confidence`.
    pub confidence: f64,
    /// Pairs of a row and a column category that cannot occur.
    pub structural_zeros: Vec<(Category, Category)>,
    /// What the cells are held against.
    pub against: Against,
    /// What one unit is worth, by column or cell; empty where gaps are told in the units of the table.
    pub worth: Vec<Amount>,
    /// Where p-values come from.
    pub test: Test,
    /// Random tables of [`Test::MonteCarlo`].
    pub n_resamples: usize,
    /// Bootstrap tables that the intervals come from; 0 for linearised intervals.
    pub n_boot: usize,
    /// Seed of both.
    pub seed: u64,
    /// Cells with fewer records than this, but some, are hidden, and as many others as that takes.
    pub suppress: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_count: 5.0,
            confidence: 0.95,
            structural_zeros: Vec::new(),
            against: Against::Totals,
            worth: Vec::new(),
            test: Test::Normal,
            n_resamples: 9_999,
            n_boot: 0,
            seed: 0,
            suppress: None,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        check_level(self.confidence)?;
        if !(self.min_count >= 0.0 && self.min_count.is_finite()) {
            let wanted = "a number of at least 0 is needed";
            return Err(
                Error::argument("min_count", self.min_count, wanted).with_mend("min_count=5")
            );
        }
        if self.test == Test::MonteCarlo && self.n_resamples < 99 {
            let wanted = "at least 99 random tables are needed";
            return Err(Error::argument("n_resamples", self.n_resamples, wanted)
                .with_mend("n_resamples=9999"));
        }
        if self.n_boot > 0 && self.n_boot < 20 {
            let wanted = "0 or at least 20 tables are needed";
            return Err(Error::argument("n_boot", self.n_boot, wanted).with_mend("n_boot=1000"));
        }
        Ok(())
    }
}

/// Checks the names of the columns against each other and those of the result.
pub(super) fn check_names(rows: &Axis, cols: &Axis, others: &[(&str, Option<&str>)]) -> Result<()> {
    let row_names = rows.names();
    for (argument, axis) in [("rows", rows), ("cols", cols)] {
        for name in axis.names() {
            if COLUMNS.contains(&name) {
                let wanted = "this is the name of a column of the result";
                return Err(Error::argument(argument, format!("{name:?}"), wanted)
                    .with_mend(format!("df = df.rename(columns={{{name:?}: \"{name}_\"}})")));
            }
            if argument == "cols" && row_names.contains(&name) {
                let wanted = "rows and cols must be different columns";
                return Err(Error::argument("cols", format!("{name:?}"), wanted));
            }
            if let Some((other, _)) = others.iter().find(|(_, found)| *found == Some(name)) {
                let wanted = format!("{argument} and {other} must be different columns");
                return Err(Error::argument(*other, format!("{name:?}"), wanted));
            }
        }
    }
    Ok(())
}
