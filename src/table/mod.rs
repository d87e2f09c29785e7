//! Columns from data frames.
//!
//! A [`Table`] holds Arrow record batches and reads a column only when a computation asks for it, in the role that it
//! plays there: [`Table::numeric`] for amounts, [`Table::codes`] for categories, [`Table::days`] for dates,
//! [`Table::keys`] for identifiers. So every container gives the same answer to the last bit: chunks, dictionaries and
//! string layouts end here.

mod build;
mod codes;
mod dictionary;
mod encode;
mod features;
mod hashed;
mod integers;
mod labels;
mod lookup;
mod moments;
mod numeric;
mod prepared;
mod text;
mod weights;
mod words;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;

pub use build::Builder;
pub use codes::Codes;
pub(crate) use encode::date_name;
pub use encode::{Distinct, Keys};
pub(crate) use features::is_identifier;
pub use features::{Feature, MAX_CATEGORIES, Preparation, Reading, SKEWED, Scale, Source, Unused};
pub(crate) use labels::{Found, Labels};
pub use lookup::UNKNOWN;
pub use numeric::Numeric;
pub use prepared::{Column, Learned, Prepared, Settled};

use crate::error::{Error, Result};

/// The code of a missing category or key.
pub const MISSING: u32 = u32::MAX;
/// The code of a category that was not met when a model was fitted.
pub const UNSEEN: u32 = u32::MAX - 1;

/// What a column holds, as far as it decides how the column is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Integers, floats, decimals.
    Number,
    /// True and false.
    Boolean,
    /// Dates and moments.
    Date,
    /// Text and unordered categories.
    Nominal,
    /// Ordered categories.
    Ordinal,
    /// No value at all.
    Empty,
    /// A type that no computation takes.
    Other,
}

impl Kind {
    /// The kind's name in messages and in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Nominal => "nominal",
            Self::Ordinal => "ordinal",
            Self::Empty => "empty",
            Self::Other => "other",
        }
    }
}

/// A table of named columns, in chunks, as it came from a data frame.
#[derive(Debug, Clone)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    n_rows: usize,
}

impl Table {
    /// Starts an empty table to which columns are added.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A table of record batches that share a schema.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if two columns have the same name.
    pub fn try_new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self> {
        let mut seen = HashSet::new();
        for field in schema.fields() {
            if !seen.insert(field.name()) {
                return Err(Error::argument(
                    "columns",
                    format!("two columns named {:?}", field.name()),
                    "names must be different",
                )
                .with_mend("df = df.loc[:, ~df.columns.duplicated()]"));
            }
        }
        let n_rows = batches.iter().map(RecordBatch::num_rows).sum();
        Ok(Self { schema, batches, n_rows })
    }

    /// A table of whole columns.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a column has another length than the first, or two have the same name.
    pub fn from_columns(columns: Vec<(Field, ArrayRef)>) -> Result<Self> {
        let n_rows = columns.first().map_or(0, |(_, array)| array.len());
        if let Some((field, array)) = columns.iter().find(|(_, array)| array.len() != n_rows) {
            return Err(Error::argument(
                format!("column {:?}", field.name()),
                format!("{} values", array.len()),
                format!("the first column has {n_rows}"),
            ));
        }
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
        let schema = Arc::new(Schema::new(fields));
        if arrays.is_empty() {
            return Self::try_new(schema, Vec::new());
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|error| Error::argument("columns", error, "columns must be Arrow arrays"))?;
        Self::try_new(schema, vec![batch])
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Names of the columns in order.
    pub fn names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The record batches.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// What the column holds.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`].
    pub fn kind(&self, name: &str) -> Result<Kind> {
        let (index, field) = self.field(name)?;
        let values = match field.data_type() {
            DataType::Dictionary(_, values) => {
                let ordered = field.dict_is_ordered() == Some(true);
                match kind_of(values) {
                    Kind::Other => Kind::Other,
                    _ if ordered => Kind::Ordinal,
                    _ => Kind::Nominal,
                }
            }
            plain => kind_of(plain),
        };
        let has_value = self.batches.iter().any(|batch| numeric::has_value(batch.column(index)));
        Ok(if has_value || values == Kind::Other { values } else { Kind::Empty })
    }

    /// The rows that `keep` is true for, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there are not as many marks as rows.
    pub fn filter(&self, keep: &[bool]) -> Result<Self> {
        if keep.len() != self.n_rows {
            let found = format!("{} marks", keep.len());
            return Err(Error::argument("keep", found, format!("there are {} rows", self.n_rows)));
        }
        let mut first = 0;
        let mut batches = Vec::with_capacity(self.batches.len());
        for batch in &self.batches {
            let marks = &keep[first..first + batch.num_rows()];
            let kept = filter_record_batch(batch, &BooleanArray::from(marks.to_vec()))
                .map_err(|error| Error::argument("keep", error, "rows must be readable"))?;
            batches.push(kept);
            first += batch.num_rows();
        }
        Self::try_new(Arc::clone(&self.schema), batches)
    }

    /// The given rows, which ascend.
    ///
    /// # Errors
    ///
    /// None that rows of the table can give.
    pub fn take(&self, rows: &[usize]) -> Result<Self> {
        let mut keep = vec![false; self.n_rows];
        rows.iter().for_each(|&row| keep[row] = true);
        self.filter(&keep)
    }

    /// Position and field of a column.
    fn field(&self, name: &str) -> Result<(usize, &Field)> {
        self.schema.fields().iter().position(|field| field.name() == name).map_or_else(
            || Err(missing_column(name, &self.names())),
            |index| Ok((index, self.schema.field(index))),
        )
    }

    /// The chunks of a column with its field.
    fn column(&self, name: &str) -> Result<(&Field, Vec<&ArrayRef>)> {
        let (index, field) = self.field(name)?;
        Ok((field, self.batches.iter().map(|batch| batch.column(index)).collect()))
    }
}

fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Nominal,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Kind::Date,
        DataType::Null => Kind::Empty,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => {
            Kind::Number
        }
        numeric if numeric.is_numeric() && !matches!(numeric, DataType::Decimal256(..)) => {
            Kind::Number
        }
        _ => Kind::Other,
    }
}

/// The error for a column that is not there, with the nearest name.
pub fn missing_column(name: &str, names: &[&str]) -> Error {
    const SHOWN: usize = 12;
    let mut available: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    if names.len() > SHOWN {
        available.push(format!("and {} more", names.len() - SHOWN));
    }
    let suggestion = names
        .iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, _)| distance <= name.chars().count().div_ceil(3))
        .map(|(_, candidate)| (*candidate).to_string());
    Error::MissingColumn {
        column: name.to_string(),
        available: if available.is_empty() { "none".to_string() } else { available.join(", ") },
        suggestion,
    }
}

/// Number of one-letter changes between two names, case ignored.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// A refusal of a column's type for a role.
fn wrong_type(name: &str, found: &DataType, wanted: &str, mend: impl Into<String>) -> Error {
    Error::ColumnType {
        column: name.to_string(),
        found: type_name(found),
        wanted: wanted.to_string(),
        mend: Some(way_out(name, found).unwrap_or_else(|| mend.into())),
    }
}

/// The line that turns a type that no role takes, or a date in the role of a number, into one that it takes.
fn way_out(name: &str, found: &DataType) -> Option<String> {
    let column = format!("df[{name:?}]");
    let values = match found {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..) => return Some(format!("df = df.explode({name:?})")),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            format!("{column}.str.decode(\"utf-8\")")
        }
        DataType::Duration(_) => format!("{column}.dt.total_seconds() / 86_400"),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            format!("({column} - {column}.min()).dt.days")
        }
        DataType::Decimal256(..) => format!("{column}.astype(float)"),
        DataType::Struct(_)
        | DataType::Map(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::FixedSizeBinary(_)
        | DataType::Interval(_)
        | DataType::Time32(_)
        | DataType::Time64(_) => format!("{column}.astype(str)"),
        _ => return None,
    };
    Some(format!("{column} = {values}"))
}

/// A refusal of a column as categories or keys.
fn as_category_error(name: &str, found: &DataType) -> Error {
    wrong_type(
        name,
        found,
        "text, numbers, booleans, dates or categories are needed",
        format!("df[{name:?}] = df[{name:?}].astype(str)"),
    )
}

/// A type's name as a data scientist would say it.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_string(),
        DataType::Dictionary(_, values) => format!("category of {}", type_name(values)),
        DataType::Null => "null".to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Int64Array;

    #[test]
    fn a_missing_column_names_the_nearest() {
        let error = missing_column("revnue", &["customer", "revenue"]);
        assert_eq!(
            error.to_string(),
            "column \"revnue\" not found; the columns are \"customer\", \"revenue\"; \
             did you mean \"revenue\"?"
        );
    }

    #[test]
    fn equal_names_and_unequal_lengths_are_refused() {
        let array = |n: i64| Arc::new(Int64Array::from_iter_values(0..n)) as ArrayRef;
        let field = |name: &str| Field::new(name, DataType::Int64, true);
        let twice = Table::from_columns(vec![(field("a"), array(2)), (field("a"), array(2))]);
        assert!(twice.unwrap_err().to_string().contains("two columns named \"a\""));
        let uneven = Table::from_columns(vec![(field("a"), array(2)), (field("b"), array(3))]);
        assert!(uneven.unwrap_err().to_string().contains("column \"b\": found 3 values"));
    }
}
