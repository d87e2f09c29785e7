//! A table read as was learned: columns, and rows of amounts and codes.

use ndarray::Array2;

use super::features::{Preparation, Unused};
use super::{MISSING, Table};
use crate::error::Result;

/// One column, read as its feature says.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Amounts, scaled; NaN is missing.
    Amount(Vec<f64>),
    /// Categories; [`MISSING`] is missing, [`UNSEEN`](super::UNSEEN) a category not met before.
    Category(Vec<u32>),
}

/// A table as clustering sees it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Amounts, scaled, (rows, amounts); NaN is missing.
    pub numeric: Array2<f64>,
    /// Categories, (rows, categories); [`MISSING`] is missing, [`UNSEEN`](super::UNSEEN) a category not met before.
    pub codes: Array2<u32>,
    /// Number of known categories of each column of `codes`.
    pub n_categories: Vec<usize>,
}

impl Prepared {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.numeric.nrows()
    }

    /// Whether the row has a missing value.
    pub fn is_incomplete(&self, row: usize) -> bool {
        self.first_missing(row).is_some()
    }

    /// Whether the row has no value.
    pub fn is_blank(&self, row: usize) -> bool {
        self.numeric.row(row).iter().all(|value| value.is_nan())
            && self.codes.row(row).iter().all(|&code| code == MISSING)
    }

    /// Number of the first feature that the row lacks.
    pub fn first_missing(&self, row: usize) -> Option<usize> {
        let amount = self.numeric.row(row).iter().position(|value| value.is_nan());
        amount.or_else(|| {
            let category = self.codes.row(row).iter().position(|&code| code == MISSING)?;
            Some(self.numeric.ncols() + category)
        })
    }

    /// The given rows, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            numeric: self.numeric.select(ndarray::Axis(0), rows),
            codes: self.codes.select(ndarray::Axis(0), rows),
            n_categories: self.n_categories.clone(),
        }
    }
}

/// A preparation and the table that it was learned from, whose categories are not read again.
#[derive(Debug)]
pub struct Learned {
    /// How each column is read.
    pub preparation: Preparation,
    /// The columns that are not used.
    pub unused: Vec<Unused>,
    /// The columns of categories, as read.
    pub(super) codes: Vec<Vec<u32>>,
}

impl Learned {
    /// The columns of the table that it was learned from, in the order of the features.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn columns(self, table: &Table) -> Result<(Preparation, Vec<Unused>, Vec<Column>)> {
        let Self { preparation, unused, codes } = self;
        let columns = preparation.columns(table, codes).collect::<Result<_>>()?;
        Ok((preparation, unused, columns))
    }

    /// The table that it was learned from, as [`Preparation::apply`] would read it.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn apply(self, table: &Table) -> Result<(Preparation, Vec<Unused>, Prepared)> {
        let Self { preparation, unused, codes } = self;
        let columns = preparation.columns(table, codes);
        let prepared = preparation.lay_out(table.n_rows(), columns)?;
        Ok((preparation, unused, prepared))
    }
}

/// The rows of a table that take part, read by what they alone taught.
#[derive(Debug)]
pub struct Settled {
    /// How each column is read.
    pub preparation: Preparation,
    /// The columns that are not used.
    pub unused: Vec<Unused>,
    /// The rows that take part.
    pub rows: Prepared,
    /// Their numbers in the table.
    pub used: Vec<usize>,
}

impl Settled {
    /// Learns how the table is read, lets rows go, and learns anew from the others, until all stay: rows that are left out
    /// set no scale.
    ///
    /// `stay` gives the positions of those that stay among rows as read, with their numbers in the table.
    ///
    /// # Errors
    ///
    /// Those of `learn` and `stay`, and of reading a column.
    pub fn of(
        table: &Table,
        learn: impl Fn(&Table) -> Result<Learned>,
        mut stay: impl FnMut(&Preparation, &Prepared, &[usize]) -> Result<Vec<usize>>,
    ) -> Result<Self> {
        let (mut used, mut part) = ((0..table.n_rows()).collect::<Vec<_>>(), None);
        loop {
            let part_or_all = part.as_ref().unwrap_or(table);
            let (preparation, unused, rows) = learn(part_or_all)?.apply(part_or_all)?;
            let staying = stay(&preparation, &rows, &used)?;
            if staying.len() == used.len() {
                return Ok(Self { preparation, unused, rows, used });
            }
            used = staying.into_iter().map(|at| used[at]).collect();
            part = Some(table.take(&used)?);
        }
    }
}

impl Preparation {
    /// Reads a table as learned; categories that were not met then are unknown.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn apply(&self, table: &Table) -> Result<Prepared> {
        self.lay_out(table.n_rows(), self.features.iter().map(|feature| feature.read(table)))
    }

    /// The amounts of a table, then these categories.
    fn columns(&self, table: &Table, codes: Vec<Vec<u32>>) -> impl Iterator<Item = Result<Column>> {
        let amounts = self.features[..self.n_amounts()].iter().map(|feature| feature.read(table));
        amounts.chain(codes.into_iter().map(|codes| Ok(Column::Category(codes))))
    }

    /// The columns of all features as rows; each column is let go once it stands there.
    fn lay_out(&self, n: usize, columns: impl Iterator<Item = Result<Column>>) -> Result<Prepared> {
        let n_amounts = self.n_amounts();
        let mut numeric = Array2::zeros((n, n_amounts));
        let mut codes = Array2::zeros((n, self.features.len() - n_amounts));
        let mut n_categories = Vec::new();
        for (at, (column, feature)) in columns.zip(&self.features).enumerate() {
            match column? {
                Column::Amount(values) => {
                    let slots = numeric.column_mut(at);
                    slots.into_iter().zip(values).for_each(|(slot, value)| *slot = value);
                }
                Column::Category(read) => {
                    let slots = codes.column_mut(at - n_amounts);
                    slots.into_iter().zip(read).for_each(|(slot, code)| *slot = code);
                    n_categories.push(feature.n_categories());
                }
            }
        }
        Ok(Prepared { numeric, codes, n_categories })
    }
}
