//! Result tables, column by column.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow_schema::Field;

use super::Table;
use crate::error::Result;

/// Collects columns of equal length; [`Builder::finish`] makes the table.
#[derive(Debug, Default)]
pub struct Builder {
    columns: Vec<(Field, ArrayRef)>,
}

impl Builder {
    /// Adds a text column.
    #[must_use]
    pub fn text<S: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = S>) -> Self {
        self.push(name, Arc::new(values.into_iter().map(Some).collect::<StringArray>()))
    }

    /// Adds a text column, in which some values are missing.
    #[must_use]
    pub fn some_text<S: AsRef<str>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = Option<S>>,
    ) -> Self {
        self.push(name, Arc::new(values.into_iter().collect::<StringArray>()))
    }

    /// Adds a column of floats; NaN becomes a missing value.
    #[must_use]
    pub fn float(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter().map(|value| (!value.is_nan()).then_some(value));
        self.push(name, Arc::new(Float64Array::from_iter(values)))
    }

    /// Adds a column of integers.
    #[must_use]
    pub fn int(self, name: &str, values: impl IntoIterator<Item = i64>) -> Self {
        self.push(name, Arc::new(values.into_iter().map(Some).collect::<Int64Array>()))
    }

    /// Adds a column of integers, some of them missing.
    #[must_use]
    pub fn some_int(self, name: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        self.push(name, Arc::new(values.into_iter().collect::<Int64Array>()))
    }

    /// Adds a column of true and false.
    #[must_use]
    pub fn flag(self, name: &str, values: impl IntoIterator<Item = bool>) -> Self {
        self.push(name, Arc::new(BooleanArray::from(values.into_iter().collect::<Vec<_>>())))
    }

    /// The table.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn finish(self) -> Result<Table> {
        Table::from_columns(self.columns)
    }

    fn push(mut self, name: &str, array: ArrayRef) -> Self {
        self.columns.push((Field::new(name, array.data_type().clone(), true), array));
        self
    }
}
