//! Columns in the role of identifiers: each distinct value gets a small integer.

use arrow_array::temporal_conversions::{date32_to_datetime, timestamp_us_to_datetime};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use hashbrown::HashMap;

use super::dictionary::encode_dictionaries;
use super::integers::{Integers, encode_floats, encode_integers, encode_unsigned};
use super::text::encode_text;
use super::{MISSING, Table, as_category_error};
use crate::error::{Error, Result};
use crate::parallel;

/// Identifiers of a column as codes into its distinct values.
///
/// The order of the distinct values is deterministic: numbers and dates ascend, text stands in order of first appearance.
#[derive(Debug, Clone)]
pub struct Keys {
    /// One code per row, below `distinct.len()`, or [`MISSING`].
    pub codes: Vec<u32>,
    /// The distinct values.
    pub distinct: Distinct,
}

/// Distinct values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// Whole numbers, ascending.
    Integers(Vec<i64>),
    /// False and true.
    Booleans(Vec<i64>),
    /// Days since 1970-01-01, ascending.
    Dates(Vec<i64>),
    /// Microseconds since 1970-01-01, ascending.
    Moments(Vec<i64>),
    /// Whole numbers of which some are larger than any `i64`, ascending.
    Unsigned(Vec<u64>),
    /// Numbers that are not all whole, ascending.
    Floats(Vec<f64>),
    /// Text.
    Text(Vec<String>),
}

impl Distinct {
    /// How many distinct values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(v) | Self::Booleans(v) | Self::Dates(v) | Self::Moments(v) => v.len(),
            Self::Unsigned(v) => v.len(),
            Self::Floats(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as text: `True`, `3`, `0.5`, `2024-01-31`.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Integers(values) => values.iter().map(i64::to_string).collect(),
            Self::Booleans(values) => values
                .iter()
                .map(|&value| if value == 0 { "False" } else { "True" }.to_string())
                .collect(),
            Self::Dates(values) => values.iter().map(|&day| date_name(day)).collect(),
            Self::Moments(values) => values.iter().map(|&moment| moment_name(moment)).collect(),
            Self::Unsigned(values) => values.iter().map(u64::to_string).collect(),
            Self::Floats(values) => values.iter().map(f64::to_string).collect(),
            Self::Text(values) => values.clone(),
        }
    }

    /// The values at `order`, in that order.
    pub(super) fn take(&self, order: &[u32]) -> Self {
        fn at<T: Clone>(values: &[T], order: &[u32]) -> Vec<T> {
            order.iter().map(|&code| values[code as usize].clone()).collect()
        }
        match self {
            Self::Integers(values) => Self::Integers(at(values, order)),
            Self::Booleans(values) => Self::Booleans(at(values, order)),
            Self::Dates(values) => Self::Dates(at(values, order)),
            Self::Moments(values) => Self::Moments(at(values, order)),
            Self::Unsigned(values) => Self::Unsigned(at(values, order)),
            Self::Floats(values) => Self::Floats(at(values, order)),
            Self::Text(values) => Self::Text(at(values, order)),
        }
    }

    /// Numbers as whole part and rest, in which integers and floats of any size can be compared.
    fn exact(&self) -> Option<Vec<(i128, f64)>> {
        const LARGE: f64 = 1e38;
        let split = |&value: &f64| match value {
            large if large.abs() > LARGE => ((value.signum() * LARGE) as i128, value),
            _ => (value.floor() as i128, value - value.floor()),
        };
        match self {
            Self::Integers(values) => Some(values.iter().map(|&v| (i128::from(v), 0.0)).collect()),
            Self::Unsigned(values) => Some(values.iter().map(|&v| (i128::from(v), 0.0)).collect()),
            Self::Floats(values) => Some(values.iter().map(split).collect()),
            _ => None,
        }
    }

    fn kind_name(&self) -> &'static str {
        match self {
            Self::Integers(_) | Self::Unsigned(_) => "whole numbers",
            Self::Booleans(_) => "booleans",
            Self::Dates(_) => "dates",
            Self::Moments(_) => "moments",
            Self::Floats(_) => "numbers",
            Self::Text(_) => "text",
        }
    }
}

impl Keys {
    /// Number of rows without a key.
    pub fn n_missing(&self) -> usize {
        parallel::map_blocks(self.codes.len(), |rows| {
            self.codes[rows].iter().filter(|&&code| code == MISSING).count()
        })
        .into_iter()
        .sum()
    }

    /// For each distinct value of `self`, its code in `other`, or [`MISSING`].
    ///
    /// `name` and `other_name` are the columns, for the message.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if one side is text and the other numbers, so that nothing could match.
    pub fn positions_in(&self, other: &Self, name: &str, other_name: &str) -> Result<Vec<u32>> {
        match (&self.distinct, &other.distinct) {
            (Distinct::Text(mine), Distinct::Text(theirs)) => {
                let mut at: HashMap<&str, u32, foldhash::fast::RandomState> = HashMap::default();
                for (code, value) in theirs.iter().enumerate() {
                    at.insert(value, code as u32);
                }
                Ok(mine
                    .iter()
                    .map(|value| at.get(value.as_str()).copied().unwrap_or(MISSING))
                    .collect())
            }
            (Distinct::Integers(mine), Distinct::Integers(theirs))
            | (Distinct::Booleans(mine), Distinct::Booleans(theirs))
            | (Distinct::Dates(mine), Distinct::Dates(theirs))
            | (Distinct::Moments(mine), Distinct::Moments(theirs)) => {
                Ok(merge_sorted(mine, theirs, i64::cmp))
            }
            (Distinct::Dates(mine), Distinct::Moments(theirs)) => {
                Ok(merge_sorted(&midnights(mine), theirs, i64::cmp))
            }
            (Distinct::Moments(mine), Distinct::Dates(theirs)) => {
                Ok(merge_sorted(mine, &midnights(theirs), i64::cmp))
            }
            (mine, theirs) if let (Some(mine), Some(theirs)) = (mine.exact(), theirs.exact()) => {
                Ok(merge_sorted(&mine, &theirs, |a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))))
            }
            (mine, _) if mine.is_empty() => Ok(Vec::new()),
            (mine, theirs) if theirs.is_empty() => Ok(vec![MISSING; mine.len()]),
            (mine, theirs) => Err(Error::argument(
                format!("column {name:?}"),
                mine.kind_name(),
                format!("column {other_name:?} holds {}", theirs.kind_name()),
            )
            .with_mend(format!("orders[{name:?}] = orders[{name:?}].astype(str)"))),
        }
    }
}

impl Table {
    /// The column as identifiers. One or two passes; hashing where the values are text or far apart.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`]; [`Error::ColumnType`] for nested and binary types.
    pub fn keys(&self, name: &str) -> Result<Keys> {
        let (field, chunks) = self.column(name)?;
        encode(field.data_type(), &chunks, Order::Met)
            .map_err(|found| as_category_error(name, &found))
    }
}

/// Which distinct values are wanted, and in which order. Numbers and dates ascend unless the order is declared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Text by first appearance; all entries of dictionaries, used or not.
    Met,
    /// Text alphabetically; only what some row holds.
    Sorted,
    /// The entries of dictionaries in the order of their declaration, used or not.
    Declared,
}

/// Codes of chunks of one type; the type is given back where it cannot be encoded.
pub(super) fn encode(
    data_type: &DataType,
    chunks: &[&ArrayRef],
    order: Order,
) -> Result<Keys, DataType> {
    let ints = |wrap: fn(Vec<i64>) -> Distinct| {
        let chunks: Vec<Integers> = chunks.iter().map(|chunk| Integers::of(chunk, false)).collect();
        let (codes, distinct) = encode_integers(&chunks);
        Ok(Keys { codes, distinct: wrap(distinct) })
    };
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let read = encode_text(chunks, order == Order::Sorted);
            let (codes, distinct) = read.unwrap_or_default();
            Ok(Keys { codes, distinct: Distinct::Text(distinct) })
        }
        DataType::Boolean => ints(Distinct::Booleans),
        DataType::Date32 | DataType::Date64 => ints(Distinct::Dates),
        DataType::Timestamp(..) => ints(Distinct::Moments),
        DataType::UInt64 => Ok(encode_unsigned(chunks)),
        integer if integer.is_integer() => ints(Distinct::Integers),
        DataType::Null => {
            let n = chunks.iter().map(|chunk| chunk.len()).sum();
            Ok(Keys { codes: vec![MISSING; n], distinct: Distinct::Text(Vec::new()) })
        }
        DataType::Dictionary(_, values) => encode_dictionaries(values, chunks, order),
        _ => encode_floats(chunks),
    }
}

/// For each value of an ascending list its position in another, or [`MISSING`].
fn merge_sorted<T>(
    mine: &[T],
    theirs: &[T],
    compare: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Vec<u32> {
    let mut at = 0;
    mine.iter()
        .map(|value| {
            while at < theirs.len() && compare(&theirs[at], value).is_lt() {
                at += 1;
            }
            let found = at < theirs.len() && compare(&theirs[at], value).is_eq();
            if found { at as u32 } else { MISSING }
        })
        .collect()
}

/// Days as microseconds.
fn midnights(days: &[i64]) -> Vec<i64> {
    days.iter().map(|day| day.saturating_mul(86_400_000_000)).collect()
}

pub(crate) fn date_name(day: i64) -> String {
    i32::try_from(day)
        .ok()
        .and_then(date32_to_datetime)
        .map_or_else(|| day.to_string(), |moment| moment.date().to_string())
}

fn moment_name(microseconds: i64) -> String {
    match timestamp_us_to_datetime(microseconds) {
        Some(moment) if microseconds.rem_euclid(86_400_000_000) == 0 => moment.date().to_string(),
        Some(moment) => moment.to_string(),
        None => microseconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        Date32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray, UInt64Array,
    };
    use arrow_schema::Field;
    use std::sync::Arc;

    fn keys(array: ArrayRef) -> Keys {
        Table::from_columns(vec![(Field::new("x", array.data_type().clone(), true), array)])
            .unwrap()
            .keys("x")
            .unwrap()
    }

    #[test]
    fn integers_near_and_far_apart_give_ascending_codes() {
        for far in [1, 1 << 40] {
            let array = Int64Array::from(vec![Some(5 * far), None, Some(-far), Some(5 * far)]);
            let keys = keys(Arc::new(array));
            assert_eq!(keys.codes, [1, MISSING, 0, 1]);
            assert_eq!(keys.distinct, Distinct::Integers(vec![-far, 5 * far]));
            assert_eq!(keys.n_missing(), 1);
        }
    }

    #[test]
    fn whole_floats_keep_the_names_of_integers() {
        let whole = keys(Arc::new(Float64Array::from(vec![2.0, f64::NAN, 10.0])));
        assert_eq!(whole.distinct.names(), ["2", "10"]);
        let mixed = keys(Arc::new(Float64Array::from(vec![0.5, -2.0, -0.25, -0.0, 0.0])));
        assert_eq!(mixed.distinct.names(), ["-2", "-0.25", "0", "0.5"]);
        assert_eq!(mixed.codes, [3, 0, 1, 2, 2]);
    }

    #[test]
    fn hashes_beyond_i64_are_kept_apart_and_ascend() {
        let large = keys(Arc::new(UInt64Array::from(vec![u64::MAX, 3, u64::MAX - 1, u64::MAX])));
        assert_eq!(large.codes, [2, 0, 1, 2]);
        assert_eq!(large.distinct.names(), ["3", "18446744073709551614", "18446744073709551615"]);
        let small = keys(Arc::new(Int64Array::from(vec![3, 4])));
        assert_eq!(small.positions_in(&large, "a", "b").unwrap(), [0, MISSING]);
    }

    #[test]
    fn numbers_of_unlike_types_meet_exactly() {
        let whole = keys(Arc::new(Int64Array::from(vec![1, 2, (1 << 53) + 1, i64::MAX])));
        let floats = [0.5, 2.0, 9_007_199_254_740_992.0, 9.3e18, 1e300, -1e300];
        let floats = keys(Arc::new(Float64Array::from(floats.to_vec())));
        let missing = [MISSING; 2];
        assert_eq!(whole.positions_in(&floats, "a", "b").unwrap()[..2], [MISSING, 2]);
        assert_eq!(whole.positions_in(&floats, "a", "b").unwrap()[2..], missing);
        assert_eq!(floats.positions_in(&floats, "a", "b").unwrap(), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn dates_meet_midnights() {
        let days = keys(Arc::new(Date32Array::from(vec![0, 1])));
        let moments = TimestampMillisecondArray::from(vec![86_400_000, 86_400_001]);
        assert_eq!(days.positions_in(&keys(Arc::new(moments)), "a", "b").unwrap(), [MISSING, 0]);
    }

    #[test]
    fn text_over_many_blocks_is_encoded_as_by_a_plain_map() {
        let words: Vec<String> = (0..20_000).map(|i: u32| format!("w{}", i * i % 977)).collect();
        let keys = keys(Arc::new(StringArray::from(words.clone())));
        let names = keys.distinct.names();
        assert!(keys.codes.iter().zip(&words).all(|(&code, word)| &names[code as usize] == word));
        assert_eq!(names.len(), words.iter().collect::<std::collections::HashSet<_>>().len());
    }

    #[test]
    fn keys_of_two_tables_meet() {
        let left = keys(Arc::new(Int64Array::from(vec![7, 3, 9])));
        let right = keys(Arc::new(Float64Array::from(vec![9.0, 8.0, 3.0])));
        assert_eq!(left.positions_in(&right, "a", "b").unwrap(), [0, MISSING, 2]);
        let text = keys(Arc::new(StringArray::from(vec!["7"])));
        let error = left.positions_in(&text, "a", "b").unwrap_err().to_string();
        assert!(error.contains("whole numbers") && error.contains("holds text"), "{error}");
    }
}
