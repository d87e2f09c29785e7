//! Tables of figures that can be saved: what the results of this room are made of.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::persist::{self, broken};
use crate::table::Table;

/// The values of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Names.
    Text(Vec<String>),
    /// Counts and ranks.
    Int(Vec<i64>),
    /// Figures; NaN where there is none.
    Float(#[serde(with = "persist::floats")] Vec<f64>),
    /// Yes and no.
    Flag(Vec<bool>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Flag(values) => values.len(),
        }
    }

    fn kind(&self) -> char {
        match self {
            Self::Text(_) => 't',
            Self::Int(_) => 'i',
            Self::Float(_) => 'f',
            Self::Flag(_) => 'b',
        }
    }
}

/// Named columns of equal length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    columns: Vec<(String, Column)>,
}

impl Sheet {
    /// Adds a column of text.
    #[must_use]
    pub fn text<S: Into<String>>(self, name: &str, values: impl IntoIterator<Item = S>) -> Self {
        self.with(name, Column::Text(values.into_iter().map(Into::into).collect()))
    }

    /// Adds a column of whole numbers.
    #[must_use]
    pub fn int(self, name: &str, values: impl IntoIterator<Item = i64>) -> Self {
        self.with(name, Column::Int(values.into_iter().collect()))
    }

    /// Adds a column of figures.
    #[must_use]
    pub fn float(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        self.with(name, Column::Float(values.into_iter().collect()))
    }

    /// Adds a figure with the ends of its interval: `name`, `name_lo`, `name_hi`.
    #[must_use]
    pub fn estimate(self, name: &str, values: &[Estimate]) -> Self {
        self.float(name, values.iter().map(|e| e.value))
            .float(&format!("{name}_lo"), values.iter().map(|e| e.lo))
            .float(&format!("{name}_hi"), values.iter().map(|e| e.hi))
    }

    /// Adds a column of yes and no.
    #[must_use]
    pub fn flag(self, name: &str, values: impl IntoIterator<Item = bool>) -> Self {
        self.with(name, Column::Flag(values.into_iter().collect()))
    }

    fn with(mut self, name: &str, column: Column) -> Self {
        self.columns.push((name.to_string(), column));
        self
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// A column of figures; empty where there is none of that name.
    pub fn floats(&self, name: &str) -> &[f64] {
        match self.get(name) {
            Some(Column::Float(values)) => values,
            _ => &[],
        }
    }

    /// A column of text; empty where there is none of that name.
    pub fn texts(&self, name: &str) -> &[String] {
        match self.get(name) {
            Some(Column::Text(values)) => values,
            _ => &[],
        }
    }

    /// A column of whole numbers; empty where there is none of that name.
    pub fn ints(&self, name: &str) -> &[i64] {
        match self.get(name) {
            Some(Column::Int(values)) => values,
            _ => &[],
        }
    }

    fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(other, _)| other == name).map(|(_, column)| column)
    }

    /// The columns as a table.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let mut builder = Table::builder();
        for (name, column) in &self.columns {
            builder = match column {
                Column::Text(values) => builder.text(name, values),
                Column::Int(values) => builder.int(name, values.iter().copied()),
                Column::Float(values) => builder.float(name, values.iter().copied()),
                Column::Flag(values) => builder.flag(name, values.iter().copied()),
            };
        }
        builder.finish()
    }

    /// Whether the sheet has the columns asked for, each as `name` and a letter for its kind (`"n:i"`), and all columns
    /// are equally long and differently named.
    pub(crate) fn check(&self, sheet: &str, wanted: &[&str]) -> Result<()> {
        for wanted in wanted {
            let (name, kind) = wanted.split_once(':').unwrap_or((wanted, "f"));
            let found = self.get(name).map(Column::kind);
            if found != kind.chars().next() {
                return Err(broken(format!("column {name:?} of {sheet:?} is not as it should be")));
            }
        }
        let n = self.n_rows();
        for (index, (name, column)) in self.columns.iter().enumerate() {
            if column.len() != n || self.columns[..index].iter().any(|(other, _)| other == name) {
                return Err(broken(format!("the columns of {sheet:?} do not agree")));
            }
        }
        Ok(())
    }
}

/// A figure and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end; NaN where there is no interval.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Estimate {
    /// A figure with an interval.
    pub fn new(value: f64, (lo, hi): (f64, f64)) -> Self {
        // A figure that does not exist has no interval either.
        if value.is_nan() {
            return Self { value, lo: f64::NAN, hi: f64::NAN };
        }
        Self { value, lo, hi }
    }
}

/// The error of a result without a sheet of this name.
pub(crate) fn no_sheet(name: &str) -> Error {
    Error::argument("sheet", format!("{name:?}"), "it is not among the tables of this result")
}

/// A result that is a manifest and tables of figures: its type, how it is saved, and what it must hold.
macro_rules! report {
    ($(#[$doc:meta])* $name:ident, $kind:literal, { $($sheet:literal: [$($column:literal),* $(,)?]),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            /// What it was made from.
            pub manifest: $crate::manifest::Manifest,
            /// Its tables.
            pub sheets: std::collections::BTreeMap<String, $crate::economics::sheet::Sheet>,
        }

        impl $name {
            /// One of its tables.
            ///
            /// # Errors
            ///
            /// [`crate::Error::Argument`] if there is none of this name.
            pub fn sheet(&self, name: &str) -> $crate::Result<&$crate::economics::sheet::Sheet> {
                self.sheets.get(name).ok_or_else(|| $crate::economics::sheet::no_sheet(name))
            }
        }

        impl $crate::persist::Persist for $name {
            const KIND: &'static str = $kind;

            fn validate(&self) -> $crate::Result<()> {
                $(self.sheet($sheet)
                    .map_err(|error| $crate::persist::broken(error.to_string()))?
                    .check($sheet, &[$($column),*])?;)*
                Ok(())
            }
        }
    };
}
pub(crate) use report;

/// The sheets of a result by name.
pub(crate) fn sheets<const N: usize>(
    sheets: [(&str, Sheet); N],
) -> std::collections::BTreeMap<String, Sheet> {
    sheets.into_iter().map(|(name, sheet)| (name.to_string(), sheet)).collect()
}
