//! Codes of whole numbers, and of all that is read as whole numbers: booleans, dates, moments, floats in order.

use std::sync::atomic::{AtomicU8, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::numeric::numbers;
use super::{Distinct, Keys, MISSING, hashed};
use crate::parallel;

/// Whole numbers of one chunk; where a row is null the value means nothing.
pub(super) struct Integers {
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
}

impl Integers {
    /// Whole numbers, booleans, dates and moments of a chunk; moments in microseconds, rounded down. A column of `i64`
    /// is not copied. Unsigned numbers above `i64::MAX` are moved down by 2^63, so that their order stays.
    pub(super) fn of(chunk: &ArrayRef, moved: bool) -> Self {
        fn converted<T: ArrowPrimitiveType>(
            chunk: &ArrayRef,
            convert: impl Fn(T::Native) -> i64 + Sync + Send,
        ) -> ScalarBuffer<i64> {
            let array = chunk.as_primitive::<T>().values();
            let mut values = vec![0_i64; array.len()];
            parallel::fill_blocks(&mut values, |first, block| {
                for (slot, &value) in block.iter_mut().zip(&array[first..]) {
                    *slot = convert(value);
                }
            });
            values.into()
        }
        let values = match chunk.data_type() {
            DataType::Int64 => chunk.as_primitive::<Int64Type>().values().clone(),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                chunk.as_primitive::<TimestampMicrosecondType>().values().clone()
            }
            DataType::Int8 => converted::<Int8Type>(chunk, i64::from),
            DataType::Int16 => converted::<Int16Type>(chunk, i64::from),
            DataType::Int32 => converted::<Int32Type>(chunk, i64::from),
            DataType::UInt8 => converted::<UInt8Type>(chunk, i64::from),
            DataType::UInt16 => converted::<UInt16Type>(chunk, i64::from),
            DataType::UInt32 => converted::<UInt32Type>(chunk, i64::from),
            DataType::UInt64 if moved => converted::<UInt64Type>(chunk, move_down),
            DataType::UInt64 => converted::<UInt64Type>(chunk, |value| value as i64),
            DataType::Date32 => converted::<Date32Type>(chunk, i64::from),
            DataType::Date64 => converted::<Date64Type>(chunk, |v| v.div_euclid(86_400_000)),
            DataType::Timestamp(TimeUnit::Second, _) => {
                converted::<TimestampSecondType>(chunk, |v| v.saturating_mul(1_000_000))
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                converted::<TimestampMillisecondType>(chunk, |v| v.saturating_mul(1_000))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                converted::<TimestampNanosecondType>(chunk, |v| v.div_euclid(1_000))
            }
            DataType::Boolean => {
                chunk.as_boolean().values().iter().map(i64::from).collect::<Vec<_>>().into()
            }
            _ => vec![0; chunk.len()].into(),
        };
        Self { values, nulls: chunk.nulls().filter(|nulls| nulls.null_count() > 0).cloned() }
    }

    /// The value of a row, `None` where it is null.
    #[inline]
    fn get(&self, row: usize) -> Option<i64> {
        match &self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.values[row]),
        }
    }

    /// Calls `f(offset, value)` for the values there are in the rows from `first` on.
    #[inline]
    pub(super) fn each(&self, first: usize, n: usize, mut f: impl FnMut(usize, i64)) {
        let values = &self.values[first..first + n];
        match &self.nulls {
            None => values.iter().enumerate().for_each(|(offset, &value)| f(offset, value)),
            Some(nulls) => {
                for (offset, &value) in values.iter().enumerate() {
                    if nulls.is_valid(first + offset) {
                        f(offset, value);
                    }
                }
            }
        }
    }
}

/// The smallest and the largest value of all chunks; `None` where there is no value.
pub(super) fn range(chunks: &[Integers]) -> Option<(i64, i64)> {
    let (low, high) = chunks.iter().map(extremes).fold((i64::MAX, i64::MIN), wider);
    (low <= high).then_some((low, high))
}

/// Codes of whole numbers, ascending: by a direct table where the range is not much wider than the rows, else hashed.
pub(super) fn encode_integers(chunks: &[Integers]) -> (Vec<u32>, Vec<i64>) {
    let n: usize = chunks.iter().map(|chunk| chunk.values.len()).sum();
    let Some((low, high)) = range(chunks) else { return (vec![MISSING; n], Vec::new()) };
    let range = high.abs_diff(low);
    if range <= (4 * n as u64).max(1 << 16) && range < u64::from(MISSING) {
        encode_near(chunks, low, range as usize + 1)
    } else {
        encode_far(chunks)
    }
}

fn wider(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Smallest and largest value; the largest number and the smallest where there is none.
fn extremes(chunk: &Integers) -> (i64, i64) {
    parallel::map_blocks(chunk.values.len(), |rows| {
        let mut found = (i64::MAX, i64::MIN);
        chunk.each(rows.start, rows.len(), |_, value| found = wider(found, (value, value)));
        found
    })
    .into_iter()
    .fold((i64::MAX, i64::MIN), wider)
}

/// Codes of numbers within `low..low + width`, by tables of that width.
fn encode_near(chunks: &[Integers], low: i64, width: usize) -> (Vec<u32>, Vec<i64>) {
    let seen: Vec<AtomicU8> = (0..width).map(|_| AtomicU8::new(0)).collect();
    for chunk in chunks {
        parallel::map_blocks(chunk.values.len(), |rows| {
            chunk.each(rows.start, rows.len(), |_, value| {
                // Looking first leaves the line with all threads that only read it.
                let flag = &seen[value.abs_diff(low) as usize];
                if flag.load(Ordering::Relaxed) == 0 {
                    flag.store(1, Ordering::Relaxed);
                }
            });
        });
    }
    let n_distinct: usize = parallel::map_blocks(width, |values| {
        seen[values].iter().filter(|flag| flag.load(Ordering::Relaxed) == 1).count()
    })
    .into_iter()
    .sum();
    let is_gapless = n_distinct == width;
    let mut distinct = Vec::with_capacity(n_distinct);
    let mut code_of = vec![MISSING; if is_gapless { 0 } else { width }];
    if is_gapless {
        distinct.extend((0..width as u64).map(|offset| low.wrapping_add_unsigned(offset)));
    } else {
        for (offset, flag) in seen.into_iter().enumerate() {
            if flag.into_inner() == 1 {
                code_of[offset] = distinct.len() as u32;
                distinct.push(low.wrapping_add_unsigned(offset as u64));
            }
        }
    }
    // Zeros come from the system untouched, so that each thread faults in the pages that it writes.
    let mut codes = vec![0; chunks.iter().map(|chunk| chunk.values.len()).sum()];
    let mut rest = codes.as_mut_slice();
    for chunk in chunks {
        let (mine, others) = rest.split_at_mut(chunk.values.len());
        rest = others;
        parallel::fill_blocks(mine, |first, block| {
            if chunk.nulls.is_some() {
                block.fill(MISSING);
            }
            chunk.each(first, block.len(), |offset, value| {
                let near = value.abs_diff(low) as u32;
                block[offset] = if is_gapless { near } else { code_of[near as usize] };
            });
        });
    }
    (codes, distinct)
}

/// Codes of numbers anywhere, by hashing.
fn encode_far(chunks: &[Integers]) -> (Vec<u32>, Vec<i64>) {
    let lengths: Vec<usize> = chunks.iter().map(|chunk| chunk.values.len()).collect();
    let readers: Vec<_> = chunks.iter().map(|chunk| |row| chunk.get(row)).collect();
    let (codes, mut distinct) = hashed::encode(&lengths, &readers, |distinct: &[i64]| {
        let mut order: Vec<u32> = (0..distinct.len() as u32).collect();
        order.sort_unstable_by_key(|&code| distinct[code as usize]);
        let mut new_code = vec![MISSING; distinct.len()];
        for (new, &old) in order.iter().enumerate() {
            new_code[old as usize] = new as u32;
        }
        Some(new_code)
    });
    distinct.sort_unstable();
    (codes, distinct)
}

/// Keys of unsigned numbers of 64 bits, which may lie beyond `i64`, as hashes do.
pub(super) fn encode_unsigned(chunks: &[&ArrayRef]) -> Keys {
    let limit = i64::MAX as u64;
    let large = chunks.iter().any(|chunk| {
        let array = chunk.as_primitive::<UInt64Type>();
        array.values().iter().any(|&value| value > limit)
            && array.iter().flatten().any(|value| value > limit)
    });
    let chunks: Vec<Integers> = chunks.iter().map(|chunk| Integers::of(chunk, large)).collect();
    let (codes, distinct) = encode_integers(&chunks);
    let distinct = if large {
        Distinct::Unsigned(distinct.into_iter().map(move_up).collect())
    } else {
        Distinct::Integers(distinct)
    };
    Keys { codes, distinct }
}

fn move_down(value: u64) -> i64 {
    (value ^ 1 << 63) as i64
}

fn move_up(value: i64) -> u64 {
    value as u64 ^ 1 << 63
}

/// Floats and decimals: as whole numbers where all are whole, so that a column that only became float because a value is
/// missing keeps its names.
pub(super) fn encode_floats(chunks: &[&ArrayRef]) -> Result<Keys, DataType> {
    let mut values = vec![f64::NAN; chunks.iter().map(|chunk| chunk.len()).sum()];
    let mut rest = values.as_mut_slice();
    for chunk in chunks {
        let (mine, others) = rest.split_at_mut(chunk.len());
        numbers(chunk, mine)?;
        rest = others;
    }
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let blocks = parallel::map_blocks(values.len(), |rows| {
        let block = &values[rows];
        let whole = |value: f64| value.is_nan() || (value.fract() == 0.0 && value.abs() < WHOLE);
        (block.iter().all(|&value| whole(value)), block.iter().any(|value| value.is_nan()))
    });
    let all_whole = blocks.iter().all(|&(whole, _)| whole);
    let nulls = blocks.iter().any(|&(_, missing)| missing).then(|| {
        NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |row| !values[row].is_nan()))
    });
    let mut integers = vec![0_i64; values.len()];
    parallel::fill_blocks(&mut integers, |first, block| {
        for (slot, &value) in block.iter_mut().zip(&values[first..]) {
            *slot = if all_whole { value as i64 } else { ordered_bits(value) };
        }
    });
    let (codes, distinct) = encode_integers(&[Integers { values: integers.into(), nulls }]);
    let distinct = if all_whole {
        Distinct::Integers(distinct)
    } else {
        Distinct::Floats(distinct.into_iter().map(from_ordered_bits).collect())
    };
    Ok(Keys { codes, distinct })
}

/// Integers in the order of the floats; 0.0 and -0.0 are one.
fn ordered_bits(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn from_ordered_bits(bits: i64) -> f64 {
    f64::from_bits(if bits < 0 { bits ^ i64::MAX } else { bits } as u64)
}
