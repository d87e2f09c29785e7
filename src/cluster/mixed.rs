//! Rows of numbers, ranks and categories, from tables or arrays.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::kprototypes::MixedStart;
use super::rows::{MOST_WEIGHT, column_name};
use crate::error::{Error, Result};
use crate::parallel::{self, BLOCK};
use crate::simd::{MISSING, UNSEEN};
use crate::table::{Codes, Kind, Table};

/// A categorical or ordinal column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its categories, by code; those of an ordinal column from the lowest to the highest.
    pub categories: Vec<String>,
}

impl Attribute {
    /// Codes of these categories here; [`UNSEEN`] for others.
    fn codes_of(&self, categories: &[String]) -> Vec<u32> {
        let known: HashMap<&str, u32> =
            self.categories.iter().map(String::as_str).zip(0..).collect();
        let code = |category: &String| known.get(category.as_str()).copied().unwrap_or(UNSEEN);
        categories.iter().map(code).collect()
    }

    /// Place on the scale from 0 to 1 of the category with this code; NaN for codes that are none.
    fn rank(&self, code: u32) -> f64 {
        let last = self.categories.len().saturating_sub(1);
        if code as usize > last { f64::NAN } else { f64::from(code) / last.max(1) as f64 }
    }
}

/// What the columns are: what a model must remember of the data it was fitted on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Names of the numeric columns.
    pub numeric: Vec<String>,
    /// The categorical columns.
    pub categorical: Vec<Attribute>,
    /// The ordinal columns, which count by rank.
    #[serde(default)]
    pub ordinal: Vec<Attribute>,
    /// Names of all columns in the order in which they came.
    pub order: Vec<String>,
}

impl Columns {
    /// Number of columns that count as numbers: numeric and ordinal ones.
    pub(crate) fn n_numbers(&self) -> usize {
        self.numeric.len() + self.ordinal.len()
    }

    /// Names of the columns that count as numbers, in the order of a centre's values.
    pub(crate) fn of_numbers(&self) -> impl Iterator<Item = &String> {
        self.numeric.iter().chain(self.ordinal.iter().map(|attribute| &attribute.name))
    }

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

impl Unseen {
    /// The first of the codes that is unseen, if any.
    fn find(name: &str, column: &Codes, mapped: &[u32]) -> Option<Self> {
        let row = mapped.iter().position(|&code| code == UNSEEN)?;
        Some(Self {
            column: name.to_owned(),
            row,
            category: column.category(row).unwrap_or_default().to_owned(),
            n: mapped.iter().filter(|&&code| code == UNSEEN).count(),
        })
    }
}

/// Rows of numbers (missing is NaN) and category codes (missing is [`MISSING`]), checked.
///
/// Ordinal columns are numbers: ranks scaled to [0, 1], behind the numeric columns.
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
    /// The categories of an ordinal column are those given, from the lowest to the highest, or where none are given those in the
    /// order that the column itself has: ordered categories as declared, numbers and dates ascending.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`], [`Error::ColumnType`], [`Error::BadValue`] for infinite or huge numbers and for a category that
    /// is not among those given; [`Error::Argument`] for an ordinal column of text whose order is not given.
    pub fn from_table(
        table: &Table,
        numeric: &[String],
        categorical: &[String],
        ordinal: &[Attribute],
    ) -> Result<Self> {
        let given = ordinal.iter().map(|attribute| &attribute.name);
        let used = |name: &&str| {
            numeric.iter().chain(categorical).chain(given.clone()).any(|column| column == name)
        };
        let mut columns = Columns {
            numeric: numeric.to_vec(),
            order: table.names().into_iter().filter(used).map(str::to_owned).collect(),
            ..Columns::default()
        };
        let names: Vec<&String> = categorical.iter().collect();
        let mut codes = Vec::with_capacity(categorical.len());
        for (name, column) in categorical.iter().zip(read(table, &names)?) {
            codes.push(column.codes);
            let categories = column.categories;
            columns.categorical.push(Attribute { name: name.clone(), categories });
        }
        let mut ranks = Vec::with_capacity(ordinal.len());
        for wanted in ordinal {
            let (attribute, column) = in_order(table, wanted)?;
            ranks.push(column.into_iter().map(|code| attribute.rank(code)).collect());
            columns.ordinal.push(attribute);
        }
        Self::from_parts(table, columns, &ranks, &codes)
    }

    /// The columns of a model from a new table, and the categories that the model has not seen.
    ///
    /// Unseen categories differ from every mode; in an ordinal column they are missing, having no rank.
    ///
    /// # Errors
    ///
    /// As for [`Mixed::from_table`].
    pub fn like(table: &Table, columns: &Columns) -> Result<(Self, Vec<Unseen>)> {
        let attributes = columns.categorical.iter().chain(&columns.ordinal);
        let names: Vec<&String> = attributes.clone().map(|attribute| &attribute.name).collect();
        let mut codes = Vec::with_capacity(names.len());
        let mut unseen = Vec::new();
        for (attribute, column) in attributes.zip(read(table, &names)?) {
            let of = attribute.codes_of(&column.categories);
            let mapped: Vec<u32> = column
                .codes
                .iter()
                .map(|&code| of.get(code as usize).copied().unwrap_or(MISSING))
                .collect();
            unseen.extend(Unseen::find(&attribute.name, &column, &mapped));
            codes.push(mapped);
        }
        let ranks: Vec<Vec<f64>> = codes
            .split_off(columns.categorical.len())
            .into_iter()
            .zip(&columns.ordinal)
            .map(|(codes, attribute)| codes.into_iter().map(|code| attribute.rank(code)).collect())
            .collect();
        Ok((Self::from_parts(table, columns.clone(), &ranks, &codes)?, unseen))
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
    fn from_parts(
        table: &Table,
        columns: Columns,
        ranks: &[Vec<f64>],
        codes: &[Vec<u32>],
    ) -> Result<Self> {
        let numeric =
            parallel::map_tasks(columns.numeric.len(), |at| table.numeric(&columns.numeric[at]))
                .into_iter()
                .collect::<Result<Vec<_>>>()?;
        let numbers: Vec<&[f64]> =
            numeric.iter().map(|column| &**column).chain(ranks.iter().map(Vec::as_slice)).collect();
        let codes: Vec<&[u32]> = codes.iter().map(Vec::as_slice).collect();
        let n = table.n_rows();
        Self::checked(row_by_row(n, &numbers), row_by_row(n, &codes), n, columns)
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
            ordinal: Vec::new(),
            order: (0..numbers.ncols() + m).map(|column| format!("x{column}")).collect(),
        };
        Self::checked(
            numbers.iter().copied().collect(),
            codes.iter().copied().collect(),
            n,
            columns,
        )
    }

    /// From category codes alone; [`MISSING`] is missing, and the columns are x0, x1 and so on.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a code of 2^24 or more.
    pub fn from_codes(codes: ArrayView2<'_, u32>) -> Result<Self> {
        const MOST: u32 = 1 << 24;
        for ((row, column), &code) in codes.indexed_iter() {
            if (MOST..UNSEEN).contains(&code) {
                let wanted = format!("a code below {MOST} is needed");
                return Err(Error::value(
                    format!("x{column}"),
                    row,
                    format!("code {code}"),
                    wanted,
                ));
            }
        }
        let numbers = Array2::zeros((codes.nrows(), 0));
        Self::new(numbers.view(), codes, &n_categories(codes))
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
        let mut mixed = Self::new(numbers.view(), codes.view(), &n_categories(codes.view()))?;
        mixed.columns.numeric = numeric.iter().map(|column| format!("x{column}")).collect();
        for (attribute, column) in mixed.columns.categorical.iter_mut().zip(categorical) {
            attribute.name = format!("x{column}");
        }
        Ok(mixed)
    }

    fn checked(numbers: Vec<f64>, codes: Vec<u32>, n: usize, columns: Columns) -> Result<Self> {
        let d = columns.n_numbers();
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
            let names: Vec<String> = columns.of_numbers().cloned().collect();
            let name = column_name(&names, at % d);
            return Err(Error::value(name, row, format!("{value:?}"), wanted));
        }
        let missing = numbers.iter().any(|value| value.is_nan());
        Ok(Self { numbers, codes, n, missing, columns })
    }

    /// The same rows under a model's columns, whose codes they share; codes beyond its categories are unseen.
    pub(crate) fn with_columns(mut self, columns: &Columns) -> Self {
        let n_categories = columns.n_categories();
        if n_categories.len() == self.m() && columns.n_numbers() == self.d() {
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
        self.columns.n_numbers()
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

    pub(crate) fn all_numbers(&self) -> &[f64] {
        &self.numbers
    }

    pub(crate) fn all_codes(&self) -> &[u32] {
        &self.codes
    }

    pub(crate) fn has_missing_numbers(&self) -> bool {
        self.missing
    }
}

/// Reads columns as categories, side by side.
fn read(table: &Table, names: &[&String]) -> Result<Vec<Codes>> {
    parallel::map_tasks(names.len(), |at| table.codes(names[at])).into_iter().collect()
}

/// An ordinal column with its categories in order, and its codes.
fn in_order(table: &Table, wanted: &Attribute) -> Result<(Attribute, Vec<u32>)> {
    let name = &wanted.name;
    let column = table.codes(name)?;
    if wanted.categories.is_empty() {
        if table.kind(name)? == Kind::Nominal {
            return Err(Error::argument(
                "ordinal",
                format!("column {name:?}, whose categories have no order"),
                "ordered categories, numbers or dates are needed",
            )
            .with_mend(format!("ordinal={{{name:?}: [lowest, ..., highest]}}")));
        }
        return Ok((Attribute { name: name.clone(), categories: column.categories }, column.codes));
    }
    let of = wanted.codes_of(&column.categories);
    if let Some(row) =
        column.codes.iter().position(|&code| of.get(code as usize).is_some_and(|&c| c == UNSEEN))
    {
        return Err(Error::value(
            name,
            row,
            format!("{:?}", column.category(row).unwrap_or_default()),
            format!("one of {} is needed", wanted.categories.join(" < ")),
        ));
    }
    let code = |&code: &u32| of.get(code as usize).copied().unwrap_or(MISSING);
    Ok((wanted.clone(), column.codes.iter().map(code).collect()))
}

/// Columns laid out row after row.
fn row_by_row<T: Copy + Default + Send + Sync>(n: usize, columns: &[&[T]]) -> Vec<T> {
    let width = columns.len();
    let mut rows = vec![T::default(); n * width];
    if width > 0 {
        let mut nothing = vec![(); n.div_ceil(BLOCK)];
        parallel::update_blocks_of(BLOCK * width, &mut rows, &mut nothing, |first, rows, ()| {
            let first = first / width;
            for (at, column) in columns.iter().enumerate() {
                let places = rows[at..].iter_mut().step_by(width);
                places.zip(&column[first..]).for_each(|(to, &from)| *to = from);
            }
        });
    }
    rows
}

/// Number of categories of each column of codes.
fn n_categories(codes: ArrayView2<'_, u32>) -> Vec<u32> {
    let most = |column: ArrayView1<'_, u32>| {
        column.iter().filter(|&&code| code < UNSEEN).max().map_or(0, |&code| code + 1)
    };
    codes.columns().into_iter().map(most).collect()
}
