//! Columns that hold keys into a dictionary.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::encode::{Distinct, Keys, Order, encode};
use super::{MISSING, Table};
use crate::error::{Error, Result};
use crate::parallel;
use crate::simd::{Ranged, places, wider};

/// Calls a function for keys of any width.
macro_rules! with_keys {
    ($keys:expr, $missing:expr, $call:ident($($argument:expr),*)) => {
        match $keys.data_type() {
            DataType::Int8 => $call($keys.as_primitive::<Int8Type>(), $($argument),*),
            DataType::Int16 => $call($keys.as_primitive::<Int16Type>(), $($argument),*),
            DataType::Int32 => $call($keys.as_primitive::<Int32Type>(), $($argument),*),
            DataType::Int64 => $call($keys.as_primitive::<Int64Type>(), $($argument),*),
            DataType::UInt8 => $call($keys.as_primitive::<UInt8Type>(), $($argument),*),
            DataType::UInt16 => $call($keys.as_primitive::<UInt16Type>(), $($argument),*),
            DataType::UInt32 => $call($keys.as_primitive::<UInt32Type>(), $($argument),*),
            DataType::UInt64 => $call($keys.as_primitive::<UInt64Type>(), $($argument),*),
            _ => $missing,
        }
    };
}

impl Table {
    /// The same table, in which the columns named hold unsigned codes of these categories, which have no order.
    ///
    /// One pass over the codes. Categories beyond the range of a column's codes are not kept.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a column does not hold such codes.
    pub fn with_categories(self, categories: &HashMap<String, Vec<String>>) -> Result<Self> {
        if categories.is_empty() {
            return Ok(self);
        }
        let mut fields: Vec<Field> =
            self.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        let mut batches: Vec<Vec<ArrayRef>> =
            self.batches.iter().map(|batch| batch.columns().to_vec()).collect();
        for (index, field) in fields.iter_mut().enumerate() {
            let Some(names) = categories.get(field.name()) else { continue };
            let data_type =
                DataType::Dictionary(Box::new(field.data_type().clone()), Box::new(DataType::Utf8));
            let chunks: Vec<ArrayRef> =
                batches.iter().map(|columns| Arc::clone(&columns[index])).collect();
            let named = with_names(&chunks, names).map_err(|error| {
                let argument = format!("column {:?}", field.name());
                Error::argument(argument, error, "codes of the categories are needed")
            })?;
            for (columns, column) in batches.iter_mut().zip(named) {
                columns[index] = column;
            }
            *field = Field::new(field.name(), data_type, true);
        }
        let schema = Arc::new(Schema::new(fields));
        let batches = batches
            .into_iter()
            .map(|columns| RecordBatch::try_new(Arc::clone(&schema), columns))
            .collect::<Result<_, _>>()
            .map_err(|error| Error::argument("columns", error, "columns must be Arrow arrays"))?;
        Self::try_new(schema, batches)
    }
}

/// Dictionary arrays of chunks of keys and the names that they count into.
///
/// Columns may share long lists of names: those below the first that these keys name are null, those above the last are
/// cut off.
fn with_names(chunks: &[ArrayRef], names: &[String]) -> Result<Vec<ArrayRef>, ArrowError> {
    fn typed<K: ArrowDictionaryKeyType>(
        _first: &PrimitiveArray<K>,
        chunks: &[ArrayRef],
        names: &[String],
    ) -> Result<Vec<ArrayRef>, ArrowError> {
        let ranged: Vec<Ranged<K>> =
            chunks.iter().map(|chunk| Ranged::of(chunk.as_primitive().clone())).collect();
        let range = ranged.iter().filter_map(Ranged::range).reduce(wider);
        let (low, high) = match range {
            Some((low, high)) if high < names.len() => (low, high + 1),
            _ => (0, names.len()),
        };
        let nameless = std::iter::repeat_n(None, low);
        let named = nameless.chain(names[low..high].iter().map(|name| Some(name.as_str())));
        let values: ArrayRef = Arc::new(named.collect::<StringArray>());
        ranged.into_iter().map(|keys| Ok(Arc::new(keys.with(&values)?) as ArrayRef)).collect()
    }
    let Some(first) = chunks.first() else { return Ok(Vec::new()) };
    let refused = || ArrowError::InvalidArgumentError(first.data_type().to_string());
    with_keys!(first, Err(refused()), typed(chunks, names))
}

/// Keys of dictionary chunks, whose dictionaries may differ: the entries of all are encoded first, then the rows.
pub(super) fn encode_dictionaries(
    values: &DataType,
    chunks: &[&ArrayRef],
    order: Order,
) -> Result<Keys, DataType> {
    let parts: Vec<(DictionaryKeys, ArrayRef)> =
        chunks.iter().map(|chunk| as_any_dictionary(chunk)).collect();
    let entries: Vec<&ArrayRef> = parts.iter().map(|(_, values)| values).collect();
    let Keys { codes: mut entry_codes, mut distinct } = encode(values, &entries, Order::Met)?;
    let wanted = match order {
        Order::Met => None,
        Order::Declared => Some(by_first_appearance(&entry_codes, distinct.len())),
        Order::Sorted => Some(in_order(&distinct, &used(&parts, &entry_codes, distinct.len()))),
    };
    if let Some(wanted) = wanted {
        let mut new_code = vec![MISSING; distinct.len()];
        for (new, &old) in wanted.iter().enumerate() {
            new_code[old as usize] = new as u32;
        }
        for code in &mut entry_codes {
            *code = new_code.get(*code as usize).copied().unwrap_or(MISSING);
        }
        distinct = distinct.take(&wanted);
    }
    // Zeros come from the system untouched, so that each thread faults in the pages that it writes.
    let mut codes = vec![0; chunks.iter().map(|chunk| chunk.len()).sum()];
    let (mut rows, mut entry_codes) = (codes.as_mut_slice(), entry_codes.as_slice());
    for (keys, values) in &parts {
        let (mine, others) = rows.split_at_mut(keys.0.len());
        let (entries, other_entries) = entry_codes.split_at(values.len());
        keys.look_up(entries, MISSING, mine);
        (rows, entry_codes) = (others, other_entries);
    }
    Ok(Keys { codes, distinct })
}

/// The codes below `n` in the order in which they first appear.
pub(super) fn by_first_appearance(codes: &[u32], n: usize) -> Vec<u32> {
    let mut seen = vec![false; n];
    let mut order = Vec::with_capacity(n);
    for &code in codes {
        if let Some(flag) = seen.get_mut(code as usize)
            && !std::mem::replace(flag, true)
        {
            order.push(code);
        }
    }
    order
}

/// The codes of the distinct values that are used, ascending; of text in alphabetical order.
pub(super) fn in_order(distinct: &Distinct, is_used: &[bool]) -> Vec<u32> {
    let mut order: Vec<u32> =
        (0..distinct.len() as u32).filter(|&code| is_used[code as usize]).collect();
    if let Distinct::Text(values) = distinct {
        order.sort_unstable_by(|&a, &b| values[a as usize].cmp(&values[b as usize]));
    }
    order
}

/// Which of `n` distinct entries some row holds.
fn used(parts: &[(DictionaryKeys, ArrayRef)], entry_codes: &[u32], n: usize) -> Vec<bool> {
    let mut is_used = vec![false; n];
    let mut entry_codes = entry_codes;
    for (keys, values) in parts {
        let (entries, others) = entry_codes.split_at(values.len());
        for (&code, used) in entries.iter().zip(keys.used(values.len())) {
            if let Some(flag) = is_used.get_mut(code as usize) {
                *flag |= used;
            }
        }
        entry_codes = others;
    }
    is_used
}

/// The keys of a dictionary array, whatever their width.
pub(super) struct DictionaryKeys(ArrayRef);

impl DictionaryKeys {
    /// Fills `out` with the entry that each key points at, `missing` where the key is null.
    pub(super) fn look_up<T: Copy + Send + Sync>(&self, entries: &[T], missing: T, out: &mut [T]) {
        parallel::fill_blocks(out, |first, block| self.read(first, entries, missing, block));
    }

    /// [`DictionaryKeys::look_up`] for the rows from `first` on, as many as `out` has.
    pub(super) fn read<T: Copy>(&self, first: usize, entries: &[T], missing: T, out: &mut [T]) {
        with_keys!(self.0, out.fill(missing), read_keys(first, entries, missing, out));
    }

    /// The number of the entry of each row, counted from 1 at `low`, for the rows from `first` on, as many as `out` has; 0
    /// where the key is null or none of the `n` from there on, which are fewer than 65,535.
    pub(super) fn places(&self, first: usize, low: usize, n: usize, out: &mut [u16]) {
        with_keys!(self.0, out.fill(0), key_places(first, low, n, out));
    }

    /// Which of `n` entries some row points at.
    fn used(&self, n: usize) -> Vec<bool> {
        with_keys!(self.0, vec![false; n], used_keys(n))
    }
}

fn read_keys<K: ArrowDictionaryKeyType, T: Copy>(
    keys: &PrimitiveArray<K>,
    first: usize,
    entries: &[T],
    missing: T,
    out: &mut [T],
) {
    for (slot, key) in out.iter_mut().zip(&keys.values()[first..]) {
        // A negative key is larger than any length.
        *slot = entries.get(key.as_usize()).copied().unwrap_or(missing);
    }
    fill_nulls(keys, first, missing, out);
}

fn key_places<K: ArrowDictionaryKeyType>(
    keys: &PrimitiveArray<K>,
    first: usize,
    low: usize,
    n: usize,
    out: &mut [u16],
) {
    places(&keys.values()[first..first + out.len()], low, n, out);
    fill_nulls(keys, first, 0, out);
}

/// Puts `missing` where the keys from `first` on are null.
fn fill_nulls<K: ArrowDictionaryKeyType, T: Copy>(
    keys: &PrimitiveArray<K>,
    first: usize,
    missing: T,
    out: &mut [T],
) {
    if let Some(nulls) = keys.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (offset, slot) in out.iter_mut().enumerate() {
            if nulls.is_null(first + offset) {
                *slot = missing;
            }
        }
    }
}

fn used_keys<K: ArrowDictionaryKeyType>(keys: &PrimitiveArray<K>, n: usize) -> Vec<bool> {
    let seen: Vec<AtomicBool> = (0..n).map(|_| AtomicBool::new(false)).collect();
    let unseen = AtomicUsize::new(n);
    let nulls = keys.nulls().filter(|nulls| nulls.null_count() > 0);
    parallel::map_blocks(keys.len(), |rows| {
        for row in rows {
            // A column of few categories has shown them all after the first rows.
            if unseen.load(Ordering::Relaxed) == 0 {
                return;
            }
            let Some(flag) = seen.get(keys.values()[row].as_usize()) else { continue };
            // Looking first leaves the line with all threads that only read it.
            if !flag.load(Ordering::Relaxed)
                && nulls.is_none_or(|nulls| nulls.is_valid(row))
                && !flag.swap(true, Ordering::Relaxed)
            {
                unseen.fetch_sub(1, Ordering::Relaxed);
            }
        }
    });
    seen.into_iter().map(AtomicBool::into_inner).collect()
}

/// Keys and values of a dictionary array; of any other array, no keys.
pub(super) fn as_any_dictionary(chunk: &ArrayRef) -> (DictionaryKeys, ArrayRef) {
    match chunk.as_any_dictionary_opt() {
        Some(dictionary) => {
            (DictionaryKeys(dictionary.keys().slice(0, chunk.len())), dictionary.values().clone())
        }
        None => (DictionaryKeys(chunk.slice(0, 0)), chunk.slice(0, 0)),
    }
}
