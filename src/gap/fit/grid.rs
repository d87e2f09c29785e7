//! Tables of names by names from frames: one row per pair, or one row per name and a column for each other name.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::memory;
use crate::table::{Kind, MISSING, Table, missing_column};

/// Where the cells of a frame stand.
#[derive(Debug, Clone)]
pub enum Cells<'a> {
    /// One row per pair.
    Pairs {
        /// Column with the second name of the pair.
        col: &'a str,
        /// Column with the number.
        value: &'a str,
    },
    /// One column per second name.
    Columns(Vec<String>),
}

/// A frame that holds a number for each pair of names.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The argument as the user spells it.
    pub argument: &'static str,
    /// What a second name stands for: `need`.
    pub col_word: &'static str,
    /// The frame.
    pub table: &'a Table,
    /// Column with the first name of the pair.
    pub row: &'a str,
    /// Where the numbers are.
    pub cells: Cells<'a>,
    /// Which numbers are allowed, and what they become.
    pub range: Range,
    /// Whether a pair that is not given counts 0.
    pub fill: bool,
}

/// Which numbers are allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// From 0 up, taken as they are.
    Weights,
    /// From 0 to 1, taken as they are.
    Shares {
        /// The argument that names another scale.
        scale: &'static str,
    },
    /// From the lowest to the highest rating, which become 0 and 1.
    Scale {
        /// The argument that names the scale.
        scale: &'static str,
        /// The lowest rating.
        low: f64,
        /// The highest rating.
        high: f64,
    },
}

impl Range {
    /// The range of ratings, where a scale is given.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a scale that is none.
    pub fn or(self, scale: &'static str, ends: Option<(f64, f64)>) -> Result<Self> {
        match ends {
            None => Ok(self),
            Some((low, high)) if low.is_finite() && high.is_finite() && low < high => {
                Ok(Self::Scale { scale, low, high })
            }
            Some((low, high)) => Err(Error::argument(
                scale,
                format!("({low}, {high})"),
                "the lowest rating and a higher one are needed",
            )
            .with_mend(format!("{scale}=(1, 5)"))),
        }
    }

    /// What a number becomes; `column`, `row` and `pair` are for the message.
    pub(super) fn read(
        self,
        value: f64,
        column: &str,
        row: usize,
        pair: (&str, &str),
    ) -> Result<f64> {
        let (first, second) = pair;
        match self {
            Self::Weights if value >= 0.0 => Ok(value),
            Self::Weights => {
                let wanted = format!("a weight is a number from 0 up ({first:?}, {second:?})");
                Err(Error::value(column, row, value, wanted))
            }
            Self::Shares { .. } if (0.0..=1.0).contains(&value) => Ok(value),
            Self::Shares { scale } => {
                let wanted = format!("a number from 0 to 1 is needed ({first:?}, {second:?})");
                Err(Error::value(column, row, value, wanted).with_mend(format!("{scale}=(1, 5)")))
            }
            Self::Scale { low, high, .. } if (low..=high).contains(&value) => {
                // Halves first: the difference of two finite numbers may not be finite.
                Ok((value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0))
            }
            Self::Scale { scale, low, high } => {
                let wanted = format!(
                    "ratings lie between {low} and {high} by {scale} ({first:?}, {second:?})"
                );
                Err(Error::value(column, row, value, wanted))
            }
        }
    }
}

/// A number for each pair of names.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// First names.
    pub rows: Vec<String>,
    /// Second names.
    pub cols: Vec<String>,
    /// Numbers, row by row; NaN where none is given.
    pub values: Vec<f64>,
}

/// The names of a column in the order of their first appearance (ordered categories in theirs), and the name of each row.
pub(super) fn names(table: &Table, column: &str) -> Result<(Vec<String>, Vec<u32>)> {
    let (all, codes) = if table.kind(column)? == Kind::Ordinal {
        let read = table.codes(column)?;
        (read.categories, read.codes)
    } else {
        let keys = table.keys(column)?;
        (keys.distinct.names(), keys.codes)
    };
    // Categories without a row are none of the names.
    let mut used = vec![false; all.len()];
    codes.iter().filter(|&&code| code != MISSING).for_each(|&code| used[code as usize] = true);
    let mut place = vec![MISSING; all.len()];
    let mut kept = Vec::new();
    for (at, name) in all.into_iter().enumerate() {
        if used[at] {
            place[at] = kept.len() as u32;
            kept.push(name);
        }
    }
    let codes = codes
        .into_iter()
        .map(|code| if code == MISSING { MISSING } else { place[code as usize] })
        .collect();
    Ok((kept, codes))
}

/// The numbers of a frame with one row per pair, or one row per first name.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a missing name, a number that is not allowed, or a number that is missing
/// where `fill` is off; [`Error::Argument`] for a pair that is given twice and for a frame without rows.
pub fn grid(source: &Source<'_>) -> Result<Grid> {
    let Source { argument, table, row: row_column, .. } = *source;
    let (rows, row_codes) = names(table, row_column)?;
    let named = |column: &str, codes: &[u32]| match codes.iter().position(|&code| code == MISSING) {
        Some(row) => Err(Error::value(column, row, "nothing", "a name is needed")
            .with_mend(format!("{argument} = {argument}.dropna(subset=[{column:?}])"))),
        None => Ok(()),
    };
    if table.n_rows() == 0 {
        return Err(Error::argument(argument, "no rows", "at least one row is needed"));
    }
    named(row_column, &row_codes)?;
    let twice = |first: &str, second: Option<&str>| {
        let found = match second {
            Some(second) => format!("two rows for {first:?} and {second:?}"),
            None => format!("two rows for {first:?}"),
        };
        let error = Error::argument(argument, found, "names must be different");
        // Several answers are what customers give.
        if argument == "needs" { error.with_mend("customer=\"customer_id\"") } else { error }
    };
    let mut grid = match &source.cells {
        Cells::Pairs { col, value } => {
            let (cols, col_codes) = names(table, col)?;
            named(col, &col_codes)?;
            let numbers = table.numeric(value)?;
            check_size(rows.len(), cols.len())?;
            let mut values = vec![f64::NAN; rows.len() * cols.len()];
            let mut seen = vec![false; values.len()];
            for (row, (&i, &j)) in row_codes.iter().zip(&col_codes).enumerate() {
                let (first, second) = (&rows[i as usize], &cols[j as usize]);
                let at = i as usize * cols.len() + j as usize;
                if std::mem::replace(&mut seen[at], true) {
                    return Err(twice(first, Some(second)));
                }
                values[at] = source.number(numbers[row], value, row, first, second)?;
            }
            Grid { rows, cols, values }
        }
        Cells::Columns(columns) => {
            if columns.is_empty() {
                let wanted = format!("a column for each {} is needed", source.col_word);
                return Err(Error::argument(argument, "no columns of numbers", wanted));
            }
            let mut values = vec![f64::NAN; rows.len() * columns.len()];
            if rows.len() < table.n_rows() {
                let mut seen = vec![false; rows.len()];
                for &code in &row_codes {
                    if std::mem::replace(&mut seen[code as usize], true) {
                        return Err(twice(&rows[code as usize], None));
                    }
                }
            }
            for (j, column) in columns.iter().enumerate() {
                let numbers = table.numeric(column)?;
                for (row, &i) in row_codes.iter().enumerate() {
                    let first = &rows[i as usize];
                    values[i as usize * columns.len() + j] =
                        source.number(numbers[row], column, row, first, column)?;
                }
            }
            Grid { rows, cols: columns.clone(), values }
        }
    };
    if let Some(at) = grid.values.iter().position(|value| value.is_nan()) {
        if !source.fill {
            let pair = (&grid.rows[at / grid.cols.len()], &grid.cols[at % grid.cols.len()]);
            return Err(nothing(argument, pair.0, pair.1));
        }
        grid.values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
    }
    Ok(grid)
}

/// Refuses a table that would not fit into memory: mostly a column of identifiers in the place of names.
pub(super) fn check_size(rows: usize, cols: usize) -> Result<()> {
    let needed = memory::matrix_bytes(rows, cols, 2 * size_of::<f64>());
    memory::check(
        &format!("a table of {rows} by {cols}"),
        needed,
        None,
        "name columns of few names",
    )
}

/// The refusal of a pair without a number.
fn nothing(argument: &str, first: &str, second: &str) -> Error {
    Error::argument(
        argument,
        format!("no number for {first:?} and {second:?}"),
        "one is needed for each pair",
    )
    .with_mend("missing=\"zero\"")
}

impl Source<'_> {
    fn number(
        &self,
        value: f64,
        column: &str,
        row: usize,
        first: &str,
        second: &str,
    ) -> Result<f64> {
        if value.is_nan() {
            return Ok(value);
        }
        self.range.read(value, column, row, (first, second))
    }
}

impl Grid {
    /// The same with its columns as `cols` has them.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a name that is not among `cols`, and for one of `cols` that is not given where `fill` is off.
    pub(super) fn with_cols(self, source: &Source<'_>, cols: &[String]) -> Result<Self> {
        let place = places(&self.cols, cols, source.argument, source.col_word)?;
        let (n, m) = (self.cols.len(), cols.len());
        let mut values = vec![0.0; self.rows.len() * m];
        for row in 0..self.rows.len() {
            for (j, &to) in place.iter().enumerate() {
                values[row * m + to] = self.values[row * n + j];
            }
        }
        if !source.fill
            && let Some(missing) = (0..m).find(|at| !place.contains(at))
        {
            let (argument, name) = (source.argument, &cols[missing]);
            let found = format!("nothing for the {} {name:?}", source.col_word);
            let wanted = format!("every {} needs a number", source.col_word);
            return Err(Error::argument(argument, found, wanted).with_mend("missing=\"zero\""));
        }
        Ok(Self { cols: cols.to_vec(), values, ..self })
    }

    /// The same with its rows as `rows` has them.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a name that is not among `rows`, and for one of `rows` that is not given.
    pub(super) fn with_rows(self, argument: &str, word: &str, rows: &[String]) -> Result<Self> {
        let place = places(&self.rows, rows, argument, word)?;
        let n = self.cols.len();
        let mut values = vec![0.0; rows.len() * n];
        for (from, &to) in place.iter().enumerate() {
            values[to * n..(to + 1) * n].copy_from_slice(&self.values[from * n..(from + 1) * n]);
        }
        if let Some(missing) = (0..rows.len()).find(|at| !place.contains(at)) {
            let found = format!("nothing for the {word} {:?}", rows[missing]);
            return Err(Error::argument(argument, found, format!("every {word} is needed")));
        }
        Ok(Self { rows: rows.to_vec(), values, ..self })
    }
}

/// Where each name stands among those allowed.
///
/// # Errors
///
/// [`Error::Argument`] for the first that does not, with the nearest name.
pub(super) fn places(
    names: &[String],
    allowed: &[String],
    argument: &str,
    word: &str,
) -> Result<Vec<usize>> {
    let place: HashMap<&str, usize> =
        allowed.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    names
        .iter()
        .map(|name| {
            place.get(name.as_str()).copied().ok_or_else(|| {
                let among: Vec<&str> = allowed.iter().map(String::as_str).collect();
                let Error::MissingColumn { available, suggestion, .. } =
                    missing_column(name, &among)
                else {
                    return Error::argument(argument, format!("the {word} {name:?}"), "");
                };
                let error = Error::argument(
                    argument,
                    format!("the {word} {name:?}"),
                    format!("the {word}s are {available}"),
                );
                match suggestion {
                    Some(near) => error.with_mend(format!("{near:?}")),
                    None => error,
                }
            })
        })
        .collect()
}
