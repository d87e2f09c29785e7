//! Identifiers of one table found among those of another: order lines among customers.
//!
//! The known identifiers are few and their index fits the cache; rows look themselves up in it, in parallel and in one
//! pass. That is much less work than coding both columns and matching the codes.

use std::hash::BuildHasher;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use hashbrown::HashTable;

use super::encode::{Distinct, Keys};
use super::{MISSING, Table};
use crate::error::Result;
use crate::parallel;

/// The code of a row whose identifier is not among the known ones.
pub const UNKNOWN: u32 = MISSING - 1;

impl Table {
    /// For each row the code that its identifier has in `known`: [`MISSING`] for a null, [`UNKNOWN`] for one that is not
    /// there.
    ///
    /// `known_name` is the column that `known` was read from, for messages. One pass, in parallel.
    ///
    /// # Errors
    ///
    /// As [`Table::keys`] and [`Keys::positions_in`].
    pub fn find_keys(&self, name: &str, known: &Keys, known_name: &str) -> Result<Vec<u32>> {
        let (field, chunks) = self.column(name)?;
        let mut codes = vec![MISSING; self.n_rows()];
        let data_type = field.data_type();
        let is_text =
            matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        match &known.distinct {
            Distinct::Integers(values) if data_type.is_integer() => {
                let index = IntegerIndex::new(values);
                each_chunk(&mut codes, &chunks, |chunk, out| index.find(chunk, out));
            }
            Distinct::Text(values)
                if is_text && values.iter().all(|value| value.len() <= SHORT) =>
            {
                let index = ShortTextIndex::new(values);
                each_chunk(&mut codes, &chunks, |chunk, out| index.find(chunk, out));
            }
            Distinct::Text(values) if is_text => {
                let index = TextIndex::new(values);
                each_chunk(&mut codes, &chunks, |chunk, out| index.find(chunk, out));
            }
            _ => {
                let keys = self.keys(name)?;
                let positions = keys.positions_in(known, name, known_name)?;
                parallel::fill_blocks(&mut codes, |first, block| {
                    for (code, own) in block.iter_mut().zip(&keys.codes[first..]) {
                        *code = match positions.get(*own as usize) {
                            None => MISSING,
                            Some(&MISSING) => UNKNOWN,
                            Some(&position) => position,
                        };
                    }
                });
            }
        }
        Ok(codes)
    }
}

fn each_chunk(codes: &mut [u32], chunks: &[&ArrayRef], find: impl Fn(&ArrayRef, &mut [u32])) {
    let mut rest = codes;
    for chunk in chunks {
        let (out, later) = rest.split_at_mut(chunk.len());
        find(chunk, out);
        rest = later;
    }
}

/// Codes of whole numbers: a direct table where they lie close, else hashed.
enum IntegerIndex {
    Direct { low: i64, codes: Vec<u32> },
    Hashed { table: HashTable<(i64, u32)>, hasher: foldhash::fast::RandomState },
}

impl IntegerIndex {
    fn new(values: &[i64]) -> Self {
        let low = values.iter().copied().min().unwrap_or(0);
        let high = values.iter().copied().max().unwrap_or(0);
        let range = high.abs_diff(low);
        if range < (16 * values.len() as u64).max(1 << 16) {
            let mut codes = vec![UNKNOWN; range as usize + 1];
            for (code, value) in values.iter().enumerate() {
                codes[value.abs_diff(low) as usize] = code as u32;
            }
            return Self::Direct { low, codes };
        }
        let hasher = foldhash::fast::RandomState::default();
        let mut table = HashTable::with_capacity(values.len());
        for (code, &value) in values.iter().enumerate() {
            table.insert_unique(hasher.hash_one(value), (value, code as u32), |entry| {
                hasher.hash_one(entry.0)
            });
        }
        Self::Hashed { table, hasher }
    }

    #[inline(always)]
    fn code(&self, value: i64) -> u32 {
        match self {
            Self::Direct { low, codes } => {
                // A value below `low` wraps to a number beyond the table.
                codes.get(value.wrapping_sub(*low) as u64 as usize).copied().unwrap_or(UNKNOWN)
            }
            Self::Hashed { table, hasher } => table
                .find(hasher.hash_one(value), |entry| entry.0 == value)
                .map_or(UNKNOWN, |entry| entry.1),
        }
    }

    fn find(&self, chunk: &ArrayRef, out: &mut [u32]) {
        macro_rules! find {
            ($type:ty) => {
                self.find_in::<$type>(chunk, out, |value| i64::try_from(value).ok())
            };
        }
        match chunk.data_type() {
            DataType::Int8 => find!(Int8Type),
            DataType::Int16 => find!(Int16Type),
            DataType::Int32 => find!(Int32Type),
            DataType::Int64 => find!(Int64Type),
            DataType::UInt8 => find!(UInt8Type),
            DataType::UInt16 => find!(UInt16Type),
            DataType::UInt32 => find!(UInt32Type),
            _ => find!(UInt64Type),
        }
    }

    fn find_in<T: ArrowPrimitiveType>(
        &self,
        chunk: &ArrayRef,
        out: &mut [u32],
        convert: impl Fn(T::Native) -> Option<i64> + Sync + Send,
    ) {
        let array = chunk.as_primitive::<T>();
        let values = array.values();
        parallel::fill_blocks(out, |first, block| {
            let rows = first..first + block.len();
            for (code, &value) in block.iter_mut().zip(&values[rows]) {
                *code = convert(value).map_or(UNKNOWN, |value| self.code(value));
            }
            hide_nulls(array, first, block);
        });
    }
}

/// Bytes of text that fit into one number, as Arrow's views hold them.
const SHORT: usize = 12;

/// Rows that are looked up together.
const GROUP: usize = 64;

/// Codes of text of at most [`SHORT`] bytes: as numbers, in an open table of twice their number.
///
/// Identifiers come in random order, so every look into the table waits for memory. Rows are looked up in groups, step
/// by step, so that the processor waits for many at once.
struct ShortTextIndex {
    keys: Vec<u128>,
    slots: Vec<u32>,
    hasher: foldhash::fast::RandomState,
}

/// Length and bytes as Arrow's view of short text: four bytes of length, then the text, then zeros.
fn short_key(text: &[u8]) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes[4..].get_mut(..text.len())?.copy_from_slice(text);
    Some(u128::from_le_bytes(bytes) | text.len() as u128)
}

impl ShortTextIndex {
    fn new(values: &[String]) -> Self {
        let n_slots = (2 * values.len()).next_power_of_two();
        let mut index = Self {
            keys: Vec::with_capacity(values.len()),
            slots: vec![UNKNOWN; n_slots],
            hasher: foldhash::fast::RandomState::default(),
        };
        for (code, value) in values.iter().enumerate() {
            // Longer text is not indexed here; a key that no row has keeps the codes in step.
            let key = short_key(value.as_bytes()).unwrap_or(u128::MAX);
            let mut slot = index.slot(key);
            while index.slots[slot] != UNKNOWN {
                slot = index.after(slot);
            }
            index.slots[slot] = code as u32;
            index.keys.push(key);
        }
        index
    }

    fn slot(&self, key: u128) -> usize {
        self.hasher.hash_one(key) as usize & (self.slots.len() - 1)
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }

    /// Looks on from `slot`, which holds `code`.
    fn resolve(&self, key: u128, mut slot: usize, mut code: u32) -> u32 {
        // Half of the slots are empty, so that this ends.
        while let Some(&known) = self.keys.get(code as usize) {
            if known == key {
                return code;
            }
            slot = self.after(slot);
            code = self.slots[slot];
        }
        UNKNOWN
    }

    fn find(&self, chunk: &ArrayRef, out: &mut [u32]) {
        match chunk.data_type() {
            DataType::Utf8 => {
                let array = chunk.as_string::<i32>();
                self.find_in(array, |row| short_key(array.value(row).as_bytes()), out);
            }
            DataType::LargeUtf8 => {
                let array = chunk.as_string::<i64>();
                self.find_in(array, |row| short_key(array.value(row).as_bytes()), out);
            }
            _ => {
                let array = chunk.as_string_view();
                let views = array.views();
                let key = |row: usize| {
                    let view: u128 = views[row];
                    (view as u32 as usize <= SHORT).then_some(view)
                };
                self.find_in(array, key, out);
            }
        }
    }

    fn find_in(
        &self,
        array: &impl Array,
        key: impl Fn(usize) -> Option<u128> + Sync + Send,
        out: &mut [u32],
    ) {
        parallel::fill_blocks(out, |first, block| {
            let mut keys = [0; GROUP];
            let mut slots = [0; GROUP];
            for (group, codes) in block.chunks_mut(GROUP).enumerate() {
                let first = first + group * GROUP;
                for offset in 0..codes.len() {
                    // Longer than any text that is known: a key that is not there either.
                    keys[offset] = key(first + offset).unwrap_or(u128::MAX - 1);
                    slots[offset] = self.slot(keys[offset]);
                }
                for (code, &slot) in codes.iter_mut().zip(&slots) {
                    *code = self.slots[slot];
                }
                for ((code, &key), &slot) in codes.iter_mut().zip(&keys).zip(&slots) {
                    *code = self.resolve(key, slot, *code);
                }
            }
            hide_nulls(array, first, block);
        });
    }
}

/// Codes of text, whose bytes lie side by side.
struct TextIndex {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: HashTable<(u32, u32)>,
    hasher: foldhash::fast::RandomState,
}

impl TextIndex {
    fn new(values: &[String]) -> Self {
        let hasher = foldhash::fast::RandomState::default();
        let mut bytes = Vec::with_capacity(values.iter().map(String::len).sum());
        let mut ends = Vec::with_capacity(values.len());
        let mut table = HashTable::with_capacity(values.len());
        for (code, value) in values.iter().enumerate() {
            bytes.extend_from_slice(value.as_bytes());
            ends.push(bytes.len());
            let hash = hasher.hash_one(value.as_bytes());
            // Part of the hash stands beside the code, so that other text is seldom compared.
            table.insert_unique(hash, (code as u32, hash as u32), |&(code, _)| {
                hasher.hash_one(text_of(&bytes, &ends, code))
            });
        }
        Self { bytes, ends, table, hasher }
    }

    fn code(&self, value: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(value);
        self.table
            .find(hash, |&(code, part)| {
                part == hash as u32 && text_of(&self.bytes, &self.ends, code) == value
            })
            .map_or(UNKNOWN, |&(code, _)| code)
    }

    fn find(&self, chunk: &ArrayRef, out: &mut [u32]) {
        match chunk.data_type() {
            DataType::Utf8 => {
                let array = chunk.as_string::<i32>();
                self.find_in(array, |row| array.value(row), out);
            }
            DataType::LargeUtf8 => {
                let array = chunk.as_string::<i64>();
                self.find_in(array, |row| array.value(row), out);
            }
            _ => {
                let array = chunk.as_string_view();
                self.find_in(array, |row| array.value(row), out);
            }
        }
    }

    fn find_in<'a>(
        &self,
        array: &impl Array,
        value: impl Fn(usize) -> &'a str + Sync + Send,
        out: &mut [u32],
    ) {
        parallel::fill_blocks(out, |first, block| {
            for (offset, code) in block.iter_mut().enumerate() {
                *code = self.code(value(first + offset).as_bytes());
            }
            hide_nulls(array, first, block);
        });
    }
}

fn text_of<'a>(bytes: &'a [u8], ends: &[usize], code: u32) -> &'a [u8] {
    let code = code as usize;
    let start = if code == 0 { 0 } else { ends[code - 1] };
    &bytes[start..ends[code]]
}

fn hide_nulls(array: &impl Array, first: usize, block: &mut [u32]) {
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (offset, code) in block.iter_mut().enumerate() {
            if nulls.is_null(first + offset) {
                *code = MISSING;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray, StringViewArray,
        UInt64Array,
    };
    use std::sync::Arc;

    fn table(array: ArrayRef) -> Table {
        Table::from_columns(vec![(
            arrow_schema::Field::new("id", array.data_type().clone(), true),
            array,
        )])
        .unwrap()
    }

    fn find(known: ArrayRef, rows: ArrayRef) -> Vec<u32> {
        let known = table(known).keys("id").unwrap();
        table(rows).find_keys("id", &known, "id").unwrap()
    }

    #[test]
    fn numbers_are_found_whether_they_lie_close_or_not() {
        for step in [1, 3, 1 << 40] {
            let known: Vec<i64> = (0..5000).map(|i| i * step - 100).collect();
            let rows: Vec<Option<i64>> = vec![
                Some(-100),
                None,
                Some(4999 * step - 100),
                Some(-101),
                Some(i64::MIN),
                Some(i64::MAX),
            ];
            let codes = find(Arc::new(Int64Array::from(known)), Arc::new(Int64Array::from(rows)));
            assert_eq!(codes, [0, MISSING, 4999, UNKNOWN, UNKNOWN, UNKNOWN]);
        }
        let codes = find(
            Arc::new(Int64Array::from(vec![7, 5])),
            Arc::new(UInt64Array::from(vec![5, u64::MAX, 7])),
        );
        assert_eq!(codes, [0, UNKNOWN, 1]);
    }

    #[test]
    fn short_text_is_found_among_many() {
        let name = |i: usize| format!("C-{i:x}");
        let known: ArrayRef = Arc::new(StringArray::from_iter_values((0..20_000).map(name)));
        let rows: Vec<String> = (0..30_000)
            .map(|i| if i % 7 == 0 { format!("{}, longer", name(i)) } else { name(i) })
            .collect();
        let expected: Vec<u32> =
            (0..30_000).map(|i| if i % 7 == 0 || i >= 20_000 { UNKNOWN } else { i }).collect();
        let view: ArrayRef = Arc::new(StringViewArray::from_iter_values(&rows));
        let plain: ArrayRef = Arc::new(StringArray::from_iter_values(&rows));
        assert_eq!(find(Arc::clone(&known), view), expected);
        assert_eq!(find(known, plain), expected);
        let nobody: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
        assert_eq!(find(nobody, Arc::new(StringArray::from(vec!["a"]))), [UNKNOWN]);
    }

    #[test]
    fn text_is_found_in_every_layout() {
        for longest in ["a longer identifier", "twelve bytes"] {
            text_in_every_layout(longest);
        }
    }

    fn text_in_every_layout(last: &str) {
        let known: ArrayRef = Arc::new(StringArray::from(vec!["b", "", "ünï", last]));
        let rows = vec![Some(last), None, Some(""), Some("c"), Some("ünï")];
        let expected = [3, MISSING, 1, UNKNOWN, 2];
        let view: ArrayRef = Arc::new(StringViewArray::from(rows.clone()));
        let plain: ArrayRef = Arc::new(StringArray::from(rows));
        let keys = Int32Array::from(vec![Some(0), None, Some(1), Some(2), Some(3)]);
        let values = StringArray::from(vec![last, "", "c", "ünï"]);
        let dictionary: ArrayRef = Arc::new(DictionaryArray::new(keys, Arc::new(values)));
        for rows in [view, plain, dictionary] {
            assert_eq!(find(Arc::clone(&known), rows), expected);
        }
    }

    #[test]
    fn other_kinds_are_matched_or_refused() {
        let known = Float64Array::from(vec![0.5, 2.5]);
        assert_eq!(
            find(Arc::new(known), Arc::new(Float64Array::from(vec![2.5, 1.5]))),
            [1, UNKNOWN]
        );
        let known = table(Arc::new(Int64Array::from(vec![1]))).keys("id").unwrap();
        let text = table(Arc::new(StringArray::from(vec!["1"])));
        assert!(text.find_keys("id", &known, "id").is_err());
    }
}
