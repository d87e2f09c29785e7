//! Columns in the role of amounts and of dates.

use std::ops::Deref;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, TimeUnit};

use super::{Table, dictionary::as_any_dictionary, wrong_type};
use crate::error::{Error, Result};
use crate::parallel;

/// Numbers of a column; NaN is a missing value, and there are no infinities.
#[derive(Debug, Clone)]
pub struct Numeric {
    values: ScalarBuffer<f64>,
    /// Number of missing values.
    pub n_missing: usize,
}

impl Deref for Numeric {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        &self.values
    }
}

impl Table {
    /// The column as numbers.
    ///
    /// Nulls and NaN are missing values. A contiguous column of `f64` without nulls is not copied. One pass.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`]; [`Error::ColumnType`] for text, dates and nested types; [`Error::BadValue`] for the
    /// first infinite value.
    pub fn numeric(&self, name: &str) -> Result<Numeric> {
        let (field, chunks) = self.column(name)?;
        let refuse = |found: &DataType| {
            wrong_type(
                name,
                found,
                "a number is needed",
                format!("pd.to_numeric(df[{name:?}]) or pl.col({name:?}).cast(pl.Float64)"),
            )
        };
        if let (DataType::Float64, [chunk]) = (field.data_type(), chunks.as_slice())
            && chunk.null_count() == 0
        {
            return checked(name, chunk.as_primitive::<Float64Type>().values().clone());
        }
        let mut values = vec![f64::NAN; self.n_rows()];
        let mut first = 0;
        for chunk in chunks {
            let out = &mut values[first..first + chunk.len()];
            numbers(chunk, out).map_err(|found| refuse(&found))?;
            first += chunk.len();
        }
        checked(name, ScalarBuffer::from(values))
    }

    /// The column as numbers that may be infinite, where reading them takes no pass; else as [`Table::numeric`], which also
    /// tells of infinite ones.
    ///
    /// # Errors
    ///
    /// As [`Table::numeric`].
    pub(crate) fn unchecked(&self, name: &str) -> Result<ScalarBuffer<f64>> {
        let (field, chunks) = self.column(name)?;
        match (field.data_type(), chunks.as_slice()) {
            (DataType::Float64, [chunk]) if chunk.null_count() == 0 => {
                Ok(chunk.as_primitive::<Float64Type>().values().clone())
            }
            _ => self.numeric(name).map(|numbers| numbers.values),
        }
    }

    /// The column as days since 1970-01-01, with the time of day as a fraction; numbers are taken as days.
    ///
    /// # Errors
    ///
    /// As [`Table::numeric`]; text is refused with the line that turns it into dates.
    pub fn days(&self, name: &str) -> Result<Numeric> {
        let (field, chunks) = self.column(name)?;
        if !matches!(
            field.data_type(),
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
        ) {
            return self.numeric(name).map_err(|error| match error {
                Error::ColumnType { column, found, .. } => Error::ColumnType {
                    mend: Some(format!(
                        "pd.to_datetime(df[{name:?}]) or pl.col({name:?}).str.to_date()"
                    )),
                    wanted: "a date or a number of days is needed".to_string(),
                    column,
                    found,
                },
                other => other,
            });
        }
        let mut values = vec![f64::NAN; self.n_rows()];
        let mut first = 0;
        for chunk in chunks {
            days_of(chunk, &mut values[first..first + chunk.len()]);
            first += chunk.len();
        }
        checked(name, ScalarBuffer::from(values))
    }
}

/// Counts missing values and refuses infinities.
fn checked(name: &str, values: ScalarBuffer<f64>) -> Result<Numeric> {
    let blocks = parallel::map_blocks(values.len(), |rows| {
        let block = &values[rows.clone()];
        // Branch-free first: most columns have neither.
        let odd = block.iter().filter(|value| !value.is_finite()).count();
        if odd == 0 {
            return (0, None);
        }
        let infinite = block.iter().position(|value| value.is_infinite());
        let n_missing = block.iter().filter(|value| value.is_nan()).count();
        (n_missing, infinite.map(|row| rows.start + row))
    });
    if let Some(row) = blocks.iter().find_map(|&(_, row)| row) {
        return Err(Error::value(name, row, values[row], "a finite number is needed")
            .with_mend(format!("df[{name:?}] = df[{name:?}].replace([np.inf, -np.inf], np.nan)")));
    }
    let n_missing = blocks.iter().map(|&(n, _)| n).sum();
    Ok(Numeric { values, n_missing })
}

/// Writes the numbers of one chunk; the type is given back where it is not a number.
pub(super) fn numbers(chunk: &ArrayRef, out: &mut [f64]) -> Result<(), DataType> {
    macro_rules! copy {
        ($type:ty) => {
            copy(chunk.as_primitive::<$type>(), out, |value| value as f64)
        };
        ($type:ty, $scale:expr) => {{
            let power = 10f64.powi(i32::from($scale.unsigned_abs()));
            let is_fraction = *$scale >= 0;
            copy(chunk.as_primitive::<$type>(), out, |value| {
                if is_fraction { value as f64 / power } else { value as f64 * power }
            })
        }};
    }
    match chunk.data_type() {
        DataType::Float64 => copy(chunk.as_primitive::<Float64Type>(), out, |value| value),
        DataType::Float32 => copy!(Float32Type),
        DataType::Float16 => {
            copy(chunk.as_primitive::<Float16Type>(), out, |value| f64::from(value.to_f32()));
        }
        DataType::Int64 => copy!(Int64Type),
        DataType::Int32 => copy!(Int32Type),
        DataType::Int16 => copy!(Int16Type),
        DataType::Int8 => copy!(Int8Type),
        DataType::UInt64 => copy!(UInt64Type),
        DataType::UInt32 => copy!(UInt32Type),
        DataType::UInt16 => copy!(UInt16Type),
        DataType::UInt8 => copy!(UInt8Type),
        DataType::Decimal32(_, scale) => copy!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => copy!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => copy!(Decimal128Type, scale),
        DataType::Null => out.fill(f64::NAN),
        DataType::Boolean => {
            let array = chunk.as_boolean();
            parallel::fill_blocks(out, |first, block| {
                for (offset, slot) in block.iter_mut().enumerate() {
                    let row = first + offset;
                    *slot = if array.is_null(row) { f64::NAN } else { f64::from(array.value(row)) };
                }
            });
        }
        DataType::Dictionary(..) => {
            let (keys, values) = as_any_dictionary(chunk);
            let mut distinct = vec![f64::NAN; values.len()];
            numbers(&values, &mut distinct).map_err(|_| chunk.data_type().clone())?;
            keys.look_up(&distinct, f64::NAN, out);
        }
        other => return Err(other.clone()),
    }
    Ok(())
}

/// Whether the chunk holds a value; NaN is none. Stops at the first.
pub(super) fn has_value(chunk: &ArrayRef) -> bool {
    fn any<T: ArrowPrimitiveType>(chunk: &ArrayRef, is_nan: fn(T::Native) -> bool) -> bool {
        chunk.as_primitive::<T>().iter().flatten().any(|value| !is_nan(value))
    }
    match chunk.data_type() {
        DataType::Float64 => any::<Float64Type>(chunk, f64::is_nan),
        DataType::Float32 => any::<Float32Type>(chunk, f32::is_nan),
        DataType::Float16 => any::<Float16Type>(chunk, |value| value.is_nan()),
        DataType::Null => false,
        _ => chunk.null_count() < chunk.len(),
    }
}

/// Writes the days of one chunk of dates or moments. Every unit goes by whole microseconds, as in the keys, so that a
/// moment gives the same bits from every unit.
fn days_of(chunk: &ArrayRef, out: &mut [f64]) {
    const DAY: f64 = 86_400e6;
    macro_rules! copy {
        ($type:ty, $microseconds:expr) => {
            copy(chunk.as_primitive::<$type>(), out, |value| $microseconds(value) as f64 / DAY)
        };
    }
    match chunk.data_type() {
        DataType::Date32 => copy(chunk.as_primitive::<Date32Type>(), out, f64::from),
        DataType::Date64 => copy!(Date64Type, |value: i64| value.saturating_mul(1_000)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            copy!(TimestampSecondType, |value: i64| value.saturating_mul(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            copy!(TimestampMillisecondType, |value: i64| value.saturating_mul(1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            copy!(TimestampMicrosecondType, |value| value)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            copy!(TimestampNanosecondType, |value: i64| value.div_euclid(1_000))
        }
        _ => out.fill(f64::NAN),
    }
}

fn copy<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    out: &mut [f64],
    convert: impl Fn(T::Native) -> f64 + Sync + Send,
) {
    let values = array.values();
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    parallel::fill_blocks(out, |first, block| {
        let rows = first..first + block.len();
        for (slot, &value) in block.iter_mut().zip(&values[rows]) {
            *slot = convert(value);
        }
        if let Some(nulls) = nulls {
            for (offset, slot) in block.iter_mut().enumerate() {
                if nulls.is_null(first + offset) {
                    *slot = f64::NAN;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
    use arrow_schema::Field;
    use std::sync::Arc;

    fn table(array: ArrayRef) -> Table {
        Table::from_columns(vec![(Field::new("x", array.data_type().clone(), true), array)])
            .unwrap()
    }

    #[test]
    fn a_contiguous_f64_column_is_not_copied() {
        let array = Float64Array::from(vec![1.0, f64::NAN, 3.0]);
        let address = array.values().as_ptr();
        let numeric = table(Arc::new(array)).numeric("x").unwrap();
        assert_eq!(numeric.as_ptr(), address);
        assert_eq!(numeric.n_missing, 1);
    }

    #[test]
    fn integers_decimals_and_nulls_become_floats() {
        let ints = table(Arc::new(Int64Array::from(vec![Some(2), None])));
        let numeric = ints.numeric("x").unwrap();
        assert_eq!((numeric[0], numeric[1].is_nan(), numeric.n_missing), (2.0, true, 1));
        let decimals = Decimal128Array::from(vec![1234]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(table(Arc::new(decimals)).numeric("x").unwrap()[0], 12.34);
    }

    #[test]
    fn infinity_is_refused_by_row_and_text_by_type() {
        let error = table(Arc::new(Float64Array::from(vec![1.0, f64::NEG_INFINITY])))
            .numeric("x")
            .unwrap_err();
        assert!(error.to_string().starts_with("column \"x\", row 1: found -inf"), "{error}");
        let error =
            table(Arc::new(StringArray::from(vec!["a"]))).numeric("x").unwrap_err().to_string();
        assert!(error.contains("has type text, but a number is needed"), "{error}");
    }

    #[test]
    fn dates_are_days() {
        let days = table(Arc::new(Date32Array::from(vec![Some(19_000), None])));
        assert_eq!(days.days("x").unwrap()[0], 19_000.0);
        let text = table(Arc::new(StringArray::from(vec!["2024-01-01"])));
        assert!(text.days("x").unwrap_err().to_string().contains("pd.to_datetime"));
    }
}
