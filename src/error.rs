//! The one error type of the crate.
//!
//! Variants carry data; messages name columns and arguments as a Python user spells them, say what was found, what is
//! allowed and, where there is one, the line of code that mends it.

use std::fmt;

/// Result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A named column is not in the table.
    #[error("column {column:?} not found; the columns are {available}{}", did_you_mean(.suggestion))]
    MissingColumn {
        /// The name asked for.
        column: String,
        /// The names there are, quoted and comma-separated, shortened when there are many.
        available: String,
        /// The nearest name, if one is near.
        suggestion: Option<String>,
    },
    /// A column has a type that the wanted role cannot take.
    #[error("column {column:?} has type {found}, but {wanted}{}", try_line(.mend))]
    ColumnType {
        /// Name of the column.
        column: String,
        /// The type found, in Arrow's words.
        found: String,
        /// What is allowed, as a clause: "a number is needed".
        wanted: String,
        /// A line of code that mends it.
        mend: Option<String>,
    },
    /// One value of a column is not allowed.
    #[error("column {column:?}, row {row}: found {found}, but {wanted}{}", try_line(.mend))]
    BadValue {
        /// Name of the column.
        column: String,
        /// First offending row, counted from 0.
        row: usize,
        /// The value found.
        found: String,
        /// What is allowed, as a clause.
        wanted: String,
        /// A line of code that mends it.
        mend: Option<String>,
    },
    /// An argument is out of range or does not go with another.
    #[error("{argument}: found {found}, but {wanted}{}", try_line(.mend))]
    Argument {
        /// The argument as Python spells it.
        argument: String,
        /// What was given.
        found: String,
        /// What is allowed, as a clause.
        wanted: String,
        /// A line of code that mends it.
        mend: Option<String>,
    },
    /// There are too few rows for what was asked.
    #[error("{what} needs at least {needed} rows, but there are {found}{}", try_line(.mend))]
    TooFewRows {
        /// What was asked for.
        what: String,
        /// The smallest number that would do.
        needed: usize,
        /// The number there is.
        found: usize,
        /// A line of code that mends it.
        mend: Option<String>,
    },
    /// The work would need more memory than is allowed.
    #[error(
        "{what} needs {needed_bytes} bytes of memory, and {limit_bytes} are allowed; {alternative}"
    )]
    MemoryLimit {
        /// What was asked for.
        what: String,
        /// Bytes needed.
        needed_bytes: u64,
        /// Bytes allowed.
        limit_bytes: u64,
        /// What to do instead.
        alternative: String,
    },
    /// A saved model or result is broken, hostile, or of another kind or version.
    #[error("this is not a usable ilk file: {reason}")]
    ModelFile {
        /// What is wrong with it.
        reason: String,
    },
    /// The caller asked for the work to stop.
    #[error("stopped by the caller")]
    Interrupted,
    /// linfa refused a data set.
    #[error("linfa: {0}")]
    Linfa(String),
}

impl Error {
    /// An argument that is not allowed, without a line that mends it.
    pub fn argument(
        argument: impl Into<String>,
        found: impl fmt::Display,
        wanted: impl Into<String>,
    ) -> Self {
        Self::Argument {
            argument: argument.into(),
            found: found.to_string(),
            wanted: wanted.into(),
            mend: None,
        }
    }

    /// A value that is not allowed, without a line that mends it.
    pub fn value(
        column: impl Into<String>,
        row: usize,
        found: impl fmt::Display,
        wanted: impl Into<String>,
    ) -> Self {
        Self::BadValue {
            column: column.into(),
            row,
            found: found.to_string(),
            wanted: wanted.into(),
            mend: None,
        }
    }

    /// The same error of one part of the data, which is named with what was found.
    #[must_use]
    pub fn within(mut self, part: impl fmt::Display) -> Self {
        if let Self::Argument { found: what, .. } | Self::TooFewRows { what, .. } = &mut self {
            what.push_str(&format!(" in {part}"));
        }
        self
    }

    /// The same error with a line of code that mends it.
    #[must_use]
    pub fn with_mend(mut self, line: impl Into<String>) -> Self {
        match &mut self {
            Self::ColumnType { mend, .. }
            | Self::BadValue { mend, .. }
            | Self::Argument { mend, .. }
            | Self::TooFewRows { mend, .. } => *mend = Some(line.into()),
            _ => {}
        }
        self
    }
}

impl From<linfa::Error> for Error {
    fn from(error: linfa::Error) -> Self {
        Self::Linfa(error.to_string())
    }
}

fn try_line(line: &Option<String>) -> String {
    line.as_ref().map(|line| format!("; try: {line}")).unwrap_or_default()
}

fn did_you_mean(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_column_row_value_and_mend() {
        let error = Error::value("income", 3, "inf", "a finite number is needed")
            .with_mend("df = df[np.isfinite(df['income'])]");
        assert_eq!(
            error.to_string(),
            "column \"income\", row 3: found inf, but a finite number is needed; \
             try: df = df[np.isfinite(df['income'])]"
        );
    }
}
