//! Columns in the role of identifiers: each distinct value gets a small integer.

use std::hash::Hash;
use std::sync::atomic::{AtomicU8, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::{date32_to_datetime, timestamp_us_to_datetime};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use hashbrown::HashMap;

use super::numeric::numbers;
use super::{MISSING, Table, as_category_error};
use crate::error::{Error, Result};
use crate::parallel::{self, BLOCK};

/// A table of values met, in order of first appearance.
type Seen<K> = HashMap<K, u32, foldhash::fast::RandomState>;

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
            Self::Floats(values) => Self::Floats(at(values, order)),
            Self::Text(values) => Self::Text(at(values, order)),
        }
    }

    fn kind_name(&self) -> &'static str {
        match self {
            Self::Integers(_) => "whole numbers",
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
        self.codes.iter().filter(|&&code| code == MISSING).count()
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
                let mut at: Seen<&str> = HashMap::default();
                for (code, value) in theirs.iter().enumerate() {
                    at.insert(value, code as u32);
                }
                Ok(mine
                    .iter()
                    .map(|value| at.get(value.as_str()).copied().unwrap_or(MISSING))
                    .collect())
            }
            (Distinct::Floats(mine), Distinct::Floats(theirs)) => {
                Ok(merge_sorted(mine, theirs, f64::total_cmp))
            }
            (Distinct::Integers(mine), Distinct::Integers(theirs))
            | (Distinct::Booleans(mine), Distinct::Booleans(theirs))
            | (Distinct::Dates(mine), Distinct::Dates(theirs))
            | (Distinct::Moments(mine), Distinct::Moments(theirs)) => {
                Ok(merge_sorted(mine, theirs, i64::cmp))
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

    /// The same keys with unused distinct values dropped and text in alphabetical order.
    pub(super) fn sorted(self) -> Self {
        let n = self.distinct.len();
        let used: Vec<AtomicU8> = (0..n).map(|_| AtomicU8::new(0)).collect();
        parallel::map_blocks(self.codes.len(), |rows| {
            for &code in &self.codes[rows] {
                if let Some(flag) = used.get(code as usize) {
                    flag.store(1, Ordering::Relaxed);
                }
            }
        });
        let mut order: Vec<u32> =
            (0..n as u32).filter(|&c| used[c as usize].load(Ordering::Relaxed) == 1).collect();
        if let Distinct::Text(values) = &self.distinct {
            order.sort_by(|&a, &b| values[a as usize].cmp(&values[b as usize]));
        }
        self.reordered(&order)
    }

    /// The same keys with the distinct values at `order`; codes not in it become [`MISSING`].
    pub(super) fn reordered(mut self, order: &[u32]) -> Self {
        if order.iter().copied().eq(0..self.distinct.len() as u32) {
            return self;
        }
        let mut new_code = vec![MISSING; self.distinct.len()];
        for (new, &old) in order.iter().enumerate() {
            new_code[old as usize] = new as u32;
        }
        parallel::fill_blocks(&mut self.codes, |_, block| {
            for code in block {
                *code = new_code.get(*code as usize).copied().unwrap_or(MISSING);
            }
        });
        self.distinct = self.distinct.take(order);
        self
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
        encode(field.data_type(), &chunks).map_err(|found| as_category_error(name, &found))
    }
}

/// Codes of chunks of one type; the type is given back where it cannot be encoded.
pub(super) fn encode(data_type: &DataType, chunks: &[&ArrayRef]) -> Result<Keys, DataType> {
    let ints = |wrap: fn(Vec<i64>) -> Distinct| {
        let (codes, distinct) = encode_integers(&integers(chunks));
        Ok(Keys { codes, distinct: wrap(distinct) })
    };
    match data_type {
        DataType::Utf8 => Ok(encode_text(chunks, |chunk| {
            let array = chunk.as_string::<i32>();
            move |row| array.is_valid(row).then(|| array.value(row))
        })),
        DataType::LargeUtf8 => Ok(encode_text(chunks, |chunk| {
            let array = chunk.as_string::<i64>();
            move |row| array.is_valid(row).then(|| array.value(row))
        })),
        DataType::Utf8View => Ok(encode_text(chunks, |chunk| {
            let array = chunk.as_string_view();
            move |row| array.is_valid(row).then(|| array.value(row))
        })),
        DataType::Boolean => ints(Distinct::Booleans),
        DataType::Date32 | DataType::Date64 => ints(Distinct::Dates),
        DataType::Timestamp(..) => ints(Distinct::Moments),
        DataType::UInt64 if exceeds_i64(chunks) => Ok(encode_large(chunks)),
        integer if integer.is_integer() => ints(Distinct::Integers),
        DataType::Null => {
            let n = chunks.iter().map(|chunk| chunk.len()).sum();
            Ok(Keys { codes: vec![MISSING; n], distinct: Distinct::Text(Vec::new()) })
        }
        DataType::Dictionary(_, values) => encode_dictionaries(values, chunks),
        _ => encode_floats(chunks),
    }
}

/// Keys of dictionary chunks, whose dictionaries may differ: the entries of all are encoded first, then the rows.
///
/// The distinct values are all entries, used or not.
fn encode_dictionaries(values: &DataType, chunks: &[&ArrayRef]) -> Result<Keys, DataType> {
    let parts: Vec<(DictionaryKeys, ArrayRef)> =
        chunks.iter().map(|chunk| as_any_dictionary(chunk)).collect();
    let entries: Vec<&ArrayRef> = parts.iter().map(|(_, values)| values).collect();
    let Keys { codes: entry_codes, distinct } = encode(values, &entries)?;
    let mut codes = vec![MISSING; chunks.iter().map(|chunk| chunk.len()).sum()];
    let (mut first_row, mut first_entry) = (0, 0);
    for (keys, values) in &parts {
        let entry_codes = &entry_codes[first_entry..first_entry + values.len()];
        parallel::fill_blocks(&mut codes[first_row..first_row + keys.0.len()], |first, block| {
            for (offset, code) in block.iter_mut().enumerate() {
                *code = keys.get(first + offset).map_or(MISSING, |key| entry_codes[key]);
            }
        });
        first_row += keys.0.len();
        first_entry += values.len();
    }
    Ok(Keys { codes, distinct })
}

/// The keys of a dictionary array, widened.
pub(super) struct DictionaryKeys(Vec<u32>);

impl DictionaryKeys {
    /// Position in the dictionary, `None` where the row is null.
    pub(super) fn get(&self, row: usize) -> Option<usize> {
        let key = self.0[row];
        (key != MISSING).then_some(key as usize)
    }
}

/// Keys and values of a dictionary array; of any other array, no keys.
pub(super) fn as_any_dictionary(chunk: &ArrayRef) -> (DictionaryKeys, ArrayRef) {
    let Some(dictionary) = chunk.as_any_dictionary_opt() else {
        return (DictionaryKeys(Vec::new()), chunk.slice(0, 0));
    };
    fn widen<T: ArrowPrimitiveType>(keys: &dyn Array, n_values: usize) -> Vec<u32>
    where
        T::Native: TryInto<u32>,
    {
        let keys = keys.as_primitive::<T>();
        let mut out = vec![MISSING; keys.len()];
        parallel::fill_blocks(&mut out, |first, block| {
            for (offset, slot) in block.iter_mut().enumerate() {
                let row = first + offset;
                if keys.is_valid(row) {
                    let key = keys.value(row).try_into().ok();
                    *slot = key.filter(|&key: &u32| (key as usize) < n_values).unwrap_or(MISSING);
                }
            }
        });
        out
    }
    let (keys, values) = (dictionary.keys(), dictionary.values());
    let n = values.len();
    let widened = match keys.data_type() {
        DataType::Int8 => widen::<Int8Type>(keys, n),
        DataType::Int16 => widen::<Int16Type>(keys, n),
        DataType::Int32 => widen::<Int32Type>(keys, n),
        DataType::Int64 => widen::<Int64Type>(keys, n),
        DataType::UInt8 => widen::<UInt8Type>(keys, n),
        DataType::UInt16 => widen::<UInt16Type>(keys, n),
        DataType::UInt32 => widen::<UInt32Type>(keys, n),
        _ => widen::<UInt64Type>(keys, n),
    };
    (DictionaryKeys(widened), values.clone())
}

fn encode_text<'a, G: Fn(usize) -> Option<&'a str> + Sync + Send>(
    chunks: &[&'a ArrayRef],
    reader: impl Fn(&'a ArrayRef) -> G,
) -> Keys {
    let mut codes = vec![MISSING; chunks.iter().map(|chunk| chunk.len()).sum()];
    let mut seen: Seen<&'a str> = HashMap::default();
    let mut distinct: Vec<&'a str> = Vec::new();
    let mut first = 0;
    for chunk in chunks {
        let out = &mut codes[first..first + chunk.len()];
        encode_hashed(out, reader(chunk), &mut seen, &mut distinct);
        first += chunk.len();
    }
    Keys { codes, distinct: Distinct::Text(distinct.into_iter().map(str::to_string).collect()) }
}

/// Codes of hashed values: each block finds its own distinct values, then the blocks' lists are merged in order.
fn encode_hashed<K: Copy + Eq + Hash + Send + Sync>(
    codes: &mut [u32],
    get: impl Fn(usize) -> Option<K> + Sync + Send,
    seen: &mut Seen<K>,
    distinct: &mut Vec<K>,
) {
    let mut locals: Vec<Vec<K>> = vec![Vec::new(); codes.len().div_ceil(BLOCK)];
    parallel::update_blocks(codes, &mut locals, |first, block, local| {
        let mut seen: Seen<K> = HashMap::default();
        let mut last: Option<(K, u32)> = None;
        for (offset, code) in block.iter_mut().enumerate() {
            let Some(value) = get(first + offset) else { continue };
            *code = match last {
                Some((same, code)) if same == value => code,
                _ => *seen.entry(value).or_insert_with(|| {
                    local.push(value);
                    local.len() as u32 - 1
                }),
            };
            last = Some((value, *code));
        }
    });
    let mut merged: Vec<Vec<u32>> = locals
        .into_iter()
        .map(|local| {
            let code_of = |value| {
                *seen.entry(value).or_insert_with(|| {
                    distinct.push(value);
                    distinct.len() as u32 - 1
                })
            };
            local.into_iter().map(code_of).collect()
        })
        .collect();
    parallel::update_blocks(codes, &mut merged, |_, block, global| {
        for code in block {
            *code = global.get(*code as usize).copied().unwrap_or(MISSING);
        }
    });
}

/// Whole numbers of a column, with a flag per missing row if any is missing.
struct Integers {
    values: Vec<i64>,
    missing: Vec<bool>,
}

impl Integers {
    fn get(&self, row: usize) -> Option<i64> {
        let missing = self.missing.get(row).copied().unwrap_or(false);
        (!missing).then(|| self.values[row])
    }
}

/// Whole numbers, booleans, dates and moments of chunks; moments in microseconds, rounded down.
fn integers(chunks: &[&ArrayRef]) -> Integers {
    let n = chunks.iter().map(|chunk| chunk.len()).sum();
    let mut values = vec![0_i64; n];
    let any_null = chunks.iter().any(|chunk| chunk.null_count() > 0);
    let mut missing = vec![false; if any_null { n } else { 0 }];
    let mut first = 0;
    for chunk in chunks {
        let out = &mut values[first..first + chunk.len()];
        macro_rules! copy {
            ($type:ty, $convert:expr) => {{
                let array = chunk.as_primitive::<$type>().values();
                parallel::fill_blocks(out, |first, block| {
                    let rows = first..first + block.len();
                    for (slot, &value) in block.iter_mut().zip(&array[rows]) {
                        *slot = $convert(value);
                    }
                });
            }};
        }
        match chunk.data_type() {
            DataType::Int8 => copy!(Int8Type, i64::from),
            DataType::Int16 => copy!(Int16Type, i64::from),
            DataType::Int32 => copy!(Int32Type, i64::from),
            DataType::Int64 => copy!(Int64Type, |value| value),
            DataType::UInt8 => copy!(UInt8Type, i64::from),
            DataType::UInt16 => copy!(UInt16Type, i64::from),
            DataType::UInt32 => copy!(UInt32Type, i64::from),
            DataType::UInt64 => copy!(UInt64Type, |value: u64| value as i64),
            DataType::Date32 => copy!(Date32Type, i64::from),
            DataType::Date64 => copy!(Date64Type, |value: i64| value.div_euclid(86_400_000)),
            DataType::Timestamp(TimeUnit::Second, _) => {
                copy!(TimestampSecondType, |value: i64| value.saturating_mul(1_000_000));
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                copy!(TimestampMillisecondType, |value: i64| value.saturating_mul(1_000));
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                copy!(TimestampMicrosecondType, |value| value);
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                copy!(TimestampNanosecondType, |value: i64| value.div_euclid(1_000));
            }
            DataType::Boolean => {
                let array = chunk.as_boolean();
                parallel::fill_blocks(out, |first, block| {
                    for (offset, slot) in block.iter_mut().enumerate() {
                        *slot = i64::from(array.value(first + offset));
                    }
                });
            }
            _ => {}
        }
        if let Some(nulls) = chunk.nulls().filter(|nulls| nulls.null_count() > 0) {
            for (flag, valid) in missing[first..].iter_mut().zip(nulls.iter()) {
                *flag = !valid;
            }
        }
        first += chunk.len();
    }
    Integers { values, missing }
}

/// Codes of whole numbers, ascending: by a direct table where the range is not much wider than the rows, else hashed.
fn encode_integers(integers: &Integers) -> (Vec<u32>, Vec<i64>) {
    let n = integers.values.len();
    let extremes = parallel::map_blocks(n, |rows| {
        rows.filter_map(|row| integers.get(row))
            .fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(value), high.max(value)))
    });
    let (low, high) = extremes
        .into_iter()
        .fold((i64::MAX, i64::MIN), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let mut codes = vec![MISSING; n];
    if low > high {
        return (codes, Vec::new());
    }
    let range = high.abs_diff(low);
    if range <= (4 * n as u64).max(1 << 16) && range < u64::from(MISSING) {
        let seen: Vec<AtomicU8> = (0..=range).map(|_| AtomicU8::new(0)).collect();
        parallel::map_blocks(n, |rows| {
            for value in rows.filter_map(|row| integers.get(row)) {
                seen[value.abs_diff(low) as usize].store(1, Ordering::Relaxed);
            }
        });
        let mut code_of = vec![MISSING; seen.len()];
        let mut distinct = Vec::new();
        for (offset, flag) in seen.into_iter().enumerate() {
            if flag.into_inner() == 1 {
                code_of[offset] = distinct.len() as u32;
                distinct.push(low.wrapping_add_unsigned(offset as u64));
            }
        }
        parallel::fill_blocks(&mut codes, |first, block| {
            for (offset, code) in block.iter_mut().enumerate() {
                if let Some(value) = integers.get(first + offset) {
                    *code = code_of[value.abs_diff(low) as usize];
                }
            }
        });
        return (codes, distinct);
    }
    let mut distinct = Vec::new();
    encode_hashed(&mut codes, |row| integers.get(row), &mut HashMap::default(), &mut distinct);
    let mut order: Vec<u32> = (0..distinct.len() as u32).collect();
    order.sort_unstable_by_key(|&code| distinct[code as usize]);
    let keys = Keys { codes, distinct: Distinct::Integers(distinct) }.reordered(&order);
    match keys.distinct {
        Distinct::Integers(distinct) => (keys.codes, distinct),
        _ => (keys.codes, Vec::new()),
    }
}

/// Floats and decimals: as whole numbers where all are whole, so that a column that only became float because a value is
/// missing keeps its names.
fn encode_floats(chunks: &[&ArrayRef]) -> Result<Keys, DataType> {
    let mut values = vec![f64::NAN; chunks.iter().map(|chunk| chunk.len()).sum()];
    let mut first = 0;
    for chunk in chunks {
        numbers(chunk, &mut values[first..first + chunk.len()])?;
        first += chunk.len();
    }
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let whole = |value: f64| value.is_nan() || (value.fract() == 0.0 && value.abs() < WHOLE);
    let all_whole =
        parallel::map_blocks(values.len(), |rows| values[rows].iter().all(|&value| whole(value)))
            .into_iter()
            .all(|block| block);
    let missing = values.iter().map(|value| value.is_nan()).collect();
    if all_whole {
        let integers =
            Integers { values: values.iter().map(|&value| value as i64).collect(), missing };
        let (codes, distinct) = encode_integers(&integers);
        return Ok(Keys { codes, distinct: Distinct::Integers(distinct) });
    }
    let bits = values.iter().map(|&value| ordered_bits(value)).collect();
    let (codes, distinct) = encode_integers(&Integers { values: bits, missing });
    let floats = distinct.into_iter().map(from_ordered_bits).collect();
    Ok(Keys { codes, distinct: Distinct::Floats(floats) })
}

/// Integers in the order of the floats; 0.0 and -0.0 are one.
fn ordered_bits(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn from_ordered_bits(bits: i64) -> f64 {
    f64::from_bits(if bits < 0 { bits ^ i64::MAX } else { bits } as u64)
}

fn exceeds_i64(chunks: &[&ArrayRef]) -> bool {
    let limit = i64::MAX as u64;
    chunks
        .iter()
        .any(|chunk| chunk.as_primitive::<UInt64Type>().iter().flatten().any(|v| v > limit))
}

/// Unsigned numbers beyond `i64`, such as hashes: their digits are the key.
fn encode_large(chunks: &[&ArrayRef]) -> Keys {
    let values: Vec<Option<u64>> =
        chunks.iter().flat_map(|chunk| chunk.as_primitive::<UInt64Type>().iter()).collect();
    let mut codes = vec![MISSING; values.len()];
    let mut distinct = Vec::new();
    encode_hashed(&mut codes, |row| values[row], &mut HashMap::default(), &mut distinct);
    Keys { codes, distinct: Distinct::Text(distinct.iter().map(u64::to_string).collect()) }
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
    use arrow_array::{Float64Array, Int64Array, StringArray, UInt64Array};
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
    fn hashes_beyond_i64_are_kept_apart() {
        let keys = keys(Arc::new(UInt64Array::from(vec![u64::MAX, 3, u64::MAX - 1, u64::MAX])));
        assert_eq!(keys.codes, [0, 1, 2, 0]);
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
