//! Rows of numbers and categories, from tables or arrays.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::kprototypes::MixedStart;
use super::rows::{MOST_WEIGHT, column_name};
use crate::error::{Error, Result};
use crate::simd::{MISSING, MixedRows, UNSEEN};
use crate::table::Table;

/// A categorical column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its categories, by code.
    pub categories: Vec<String>,
}

/// What the columns are: what a model must remember of the data it was fitted on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Names of the numeric columns.
    pub numeric: Vec<String>,
    /// The categorical columns.
    pub categorical: Vec<Attribute>,
    /// Names of all columns in the order in which they came.
    pub order: Vec<String>,
}

impl Columns {
    /// Number of categories of each categorical column.
    pub(crate) fn n_categories(&self) -> Vec<u32> {
        self.categorical.iter().map(|attribute| attribute.categories.len() as u32).collect()
    }
}

/// Values of a categorical column that a model has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Name of the column.
    pub column: String,
    /// First row with such a value.
    pub row: usize,
    /// The value there.
    pub category: String,
    /// Number of rows with such a value.
    pub n: usize,
}

/// Rows of numbers (missing is NaN) and category codes (missing is [`MISSING`]), checked.
#[derive(Debug, Clone)]
pub struct Mixed {
    numbers: Vec<f64>,
    codes: Vec<u32>,
    n: usize,
    missing: bool,
    columns: Columns,
}

impl Mixed {
    /// From columns of a table, each read in its role.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`], [`Error::ColumnType`], and [`Error::BadValue`] for infinite or huge numbers.
    pub fn from_table(table: &Table, numeric: &[String], categorical: &[String]) -> Result<Self> {
        let mut codes = Vec::with_capacity(categorical.len());
        let used = |name: &&str| numeric.iter().chain(categorical).any(|column| column == name);
        let mut columns = Columns {
            numeric: numeric.to_vec(),
            categorical: Vec::new(),
            order: table.names().into_iter().filter(used).map(str::to_owned).collect(),
        };
        for name in categorical {
            let column = table.codes(name)?;
            codes.push(column.codes);
            let categories = column.categories;
            columns.categorical.push(Attribute { name: name.clone(), categories });
        }
        Self::from_parts(table, columns, codes)
    }

    /// The columns of a model from a new table, and the categories that the model has not seen.
    ///
    /// # Errors
    ///
    /// As for [`Mixed::from_table`].
    pub fn like(table: &Table, columns: &Columns) -> Result<(Self, Vec<Unseen>)> {
        let mut codes = Vec::with_capacity(columns.categorical.len());
        let mut unseen = Vec::new();
        for attribute in &columns.categorical {
            let column = table.codes(&attribute.name)?;
            let known: HashMap<&str, u32> =
                attribute.categories.iter().map(String::as_str).zip(0..).collect();
            let of: Vec<u32> = column
                .categories
                .iter()
                .map(|category| known.get(category.as_str()).copied().unwrap_or(UNSEEN))
                .collect();
            let mapped: Vec<u32> = column
                .codes
                .iter()
                .map(|&code| of.get(code as usize).copied().unwrap_or(MISSING))
                .collect();
            if let Some(row) = mapped.iter().position(|&code| code == UNSEEN) {
                unseen.push(Unseen {
                    column: attribute.name.clone(),
                    row,
                    category: column.category(row).unwrap_or_default().to_owned(),
                    n: mapped.iter().filter(|&&code| code == UNSEEN).count(),
                });
            }
            codes.push(mapped);
        }
        Ok((Self::from_parts(table, columns.clone(), codes)?, unseen))
    }

    /// Rows of another table as starting prototypes, one per cluster.
    ///
    /// # Errors
    ///
    /// As for [`Mixed::from_table`]; [`Error::Argument`] for a value that is missing or a category that is not in the data.
    pub fn start(&self, table: &Table) -> Result<MixedStart> {
        let (rows, unseen) = Self::like(table, &self.columns)?;
        if let Some(Unseen { column, row, category, .. }) = unseen.first() {
            return Err(Error::value(
                column,
                *row,
                format!("{category:?} in init"),
                "it is not in the data",
            ));
        }
        if rows.missing || rows.codes.contains(&MISSING) {
            return Err(Error::argument("init", "a missing value", "every value is needed"));
        }
        let shaped = |error| Error::argument("init", error, "a matrix is needed");
        let centres = Array2::from_shape_vec((rows.n, rows.d()), rows.numbers.clone());
        let modes = Array2::from_shape_vec((rows.n, rows.m()), rows.codes.clone());
        Ok(MixedStart::Given(centres.map_err(shaped)?, modes.map_err(shaped)?))
    }

    /// Reads the numeric columns and lays everything out row after row.
    fn from_parts(table: &Table, columns: Columns, codes: Vec<Vec<u32>>) -> Result<Self> {
        let (n, d, m) = (table.n_rows(), columns.numeric.len(), codes.len());
        let mut numbers = vec![0.0; n * d];
        for (at, name) in columns.numeric.iter().enumerate() {
            for (row, &value) in table.numeric(name)?.iter().enumerate() {
                numbers[row * d + at] = value;
            }
        }
        let mut rows = vec![0; n * m];
        for (at, column) in codes.iter().enumerate() {
            for (row, &code) in column.iter().enumerate() {
                rows[row * m + at] = code;
            }
        }
        Self::checked(numbers, rows, n, columns)
    }

    /// From a matrix of numbers and one of category codes; the columns are x0, x1 and so on, first the numeric ones.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the numbers of rows or columns do not go together; [`Error::BadValue`] for infinite or
    /// huge numbers and for codes that are neither below their number of categories nor [`MISSING`] or
    /// [`UNSEEN`].
    pub fn new(
        numbers: ArrayView2<'_, f64>,
        codes: ArrayView2<'_, u32>,
        n_categories: &[u32],
    ) -> Result<Self> {
        let (n, m) = codes.dim();
        if numbers.nrows() != n || n_categories.len() != m {
            return Err(Error::argument(
                "codes",
                format!("{n} rows and {m} columns"),
                format!("{} rows and {} columns are needed", numbers.nrows(), n_categories.len()),
            ));
        }
        for ((row, column), &code) in codes.indexed_iter() {
            if code < UNSEEN && code >= n_categories[column] {
                return Err(Error::value(
                    format!("x{}", numbers.ncols() + column),
                    row,
                    format!("code {code}"),
                    format!("a code below {} is needed", n_categories[column]),
                ));
            }
        }
        let columns = Columns {
            numeric: (0..numbers.ncols()).map(|column| format!("x{column}")).collect(),
            categorical: (numbers.ncols()..)
                .zip(n_categories)
                .map(|(column, &categories)| Attribute {
                    name: format!("x{column}"),
                    categories: (0..categories).map(|code| code.to_string()).collect(),
                })
                .collect(),
            order: (0..numbers.ncols() + m).map(|column| format!("x{column}")).collect(),
        };
        Self::checked(
            numbers.iter().copied().collect(),
            codes.iter().copied().collect(),
            n,
            columns,
        )
    }

    /// From one matrix whose columns at `categorical` hold category codes 0, 1, 2 and so on; NaN is missing everywhere.
    ///
    /// # Errors
    ///
    /// As for [`Mixed::new`].
    pub fn from_array(array: ArrayView2<'_, f64>, categorical: &[usize]) -> Result<Self> {
        let d = array.ncols();
        if let Some(&column) = categorical.iter().find(|&&column| column >= d) {
            return Err(Error::argument("categorical", column, format!("X has {d} columns")));
        }
        let is_numeric = |column: &usize| !categorical.contains(column);
        let numeric: Vec<usize> = (0..d).filter(is_numeric).collect();
        let numbers = array.select(ndarray::Axis(1), &numeric);
        let mut codes = Array2::from_elem((array.nrows(), categorical.len()), MISSING);
        for (at, &column) in categorical.iter().enumerate() {
            for (row, &value) in array.column(column).iter().enumerate() {
                if !value.is_nan() {
                    if !(value >= 0.0 && value < f64::from(1 << 24) && value.fract() == 0.0) {
                        return Err(Error::value(
                            format!("x{column}"),
                            row,
                            format!("{value:?}"),
                            "a category code (0, 1, 2, ...) is needed",
                        ));
                    }
                    codes[(row, at)] = value as u32;
                }
            }
        }
        let n_categories: Vec<u32> = codes
            .columns()
            .into_iter()
            .map(|column| column.iter().filter(|&&c| c != MISSING).max().map_or(0, |&c| c + 1))
            .collect();
        let mut mixed = Self::new(numbers.view(), codes.view(), &n_categories)?;
        mixed.columns.numeric = numeric.iter().map(|column| format!("x{column}")).collect();
        for (attribute, column) in mixed.columns.categorical.iter_mut().zip(categorical) {
            attribute.name = format!("x{column}");
        }
        Ok(mixed)
    }

    fn checked(numbers: Vec<f64>, codes: Vec<u32>, n: usize, columns: Columns) -> Result<Self> {
        let d = columns.numeric.len();
        if n == 0 {
            let what = "clustering".into();
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        if d + columns.categorical.len() == 0 {
            return Err(Error::argument("X", "0 columns", "at least one is needed"));
        }
        let most = f64::MAX * 1e-8 / (4.0 * d.max(1) as f64 * MOST_WEIGHT.max(n as f64));
        let limit = most.sqrt();
        if let Some(at) = numbers.iter().position(|value| value.abs() > limit) {
            let (row, value) = (at / d, numbers[at]);
            let wanted = if value.is_finite() {
                "a number whose square can be summed is needed"
            } else {
                "a finite number is needed"
            };
            let name = column_name(&columns.numeric, at % d);
            return Err(Error::value(name, row, format!("{value:?}"), wanted));
        }
        let missing = numbers.iter().any(|value| value.is_nan());
        Ok(Self { numbers, codes, n, missing, columns })
    }

    /// The same rows under a model's columns, whose codes they share; codes beyond its categories are unseen.
    pub(crate) fn with_columns(mut self, columns: &Columns) -> Self {
        let n_categories = columns.n_categories();
        if n_categories.len() == self.m() && columns.numeric.len() == self.d() {
            let codes = self.codes.iter_mut().zip(n_categories.iter().cycle());
            for (code, &categories) in codes {
                if *code != MISSING && *code >= categories {
                    *code = UNSEEN;
                }
            }
            self.columns = columns.clone();
        }
        self
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n
    }

    /// What the columns are.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Number of rows in which every value is missing.
    pub fn n_empty_rows(&self) -> usize {
        (0..self.n)
            .filter(|&row| {
                self.numbers(row).iter().all(|value| value.is_nan())
                    && self.codes(row).iter().all(|&code| code == MISSING)
            })
            .count()
    }

    pub(crate) fn d(&self) -> usize {
        self.columns.numeric.len()
    }

    pub(crate) fn m(&self) -> usize {
        self.columns.categorical.len()
    }

    pub(crate) fn numbers(&self, row: usize) -> &[f64] {
        &self.numbers[row * self.d()..(row + 1) * self.d()]
    }

    pub(crate) fn codes(&self, row: usize) -> &[u32] {
        &self.codes[row * self.m()..(row + 1) * self.m()]
    }

    pub(crate) fn has_missing_numbers(&self) -> bool {
        self.missing
    }

    /// `n` rows from `first` on, as the kernels take them.
    pub(crate) fn part(&self, first: usize, n: usize) -> MixedRows<'_> {
        MixedRows {
            numbers: &self.numbers[first * self.d()..(first + n) * self.d()],
            codes: &self.codes[first * self.m()..(first + n) * self.m()],
            n,
            missing: self.missing,
        }
    }
}
