//! Dictionary arrays whose keys are checked by all threads in vectors, where Arrow checks them one by one.

use std::sync::Arc;

use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::ArrowError;

use crate::parallel;

/// The dictionary array of keys and values. One pass over the keys.
///
/// # Errors
///
/// [`ArrowError`] that names the first key without a value.
pub(crate) fn keyed<K: ArrowDictionaryKeyType>(
    keys: &PrimitiveArray<K>,
    values: &ArrayRef,
) -> Result<DictionaryArray<K>, ArrowError> {
    let checked =
        parallel::map_blocks(keys.len(), |rows| all_below(&keys.values()[rows], values.len()));
    if checked.into_iter().all(|fine| fine) {
        // SAFETY: no key is as large as the number of values; a negative one would be.
        return Ok(unsafe { DictionaryArray::new_unchecked(keys.clone(), Arc::clone(values)) });
    }
    DictionaryArray::try_new(keys.clone(), Arc::clone(values))
}

fn all_below<T: ArrowNativeType>(keys: &[T], n: usize) -> bool {
    if size_of::<T>() <= size_of::<u32>() {
        // A negative key stays larger than any length.
        let n = n.min(u32::MAX as usize) as u32;
        keys.iter().fold(true, |all, key| all & ((key.as_usize() as u32) < n))
    } else {
        keys.iter().fold(true, |all, key| all & (key.as_usize() < n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::{Int8Type, UInt32Type, UInt64Type};
    use arrow_array::{Int8Array, StringArray, UInt32Array, UInt64Array};

    fn names(n: usize) -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..n).map(|i| i.to_string())))
    }

    #[test]
    fn keys_without_a_value_are_refused_wherever_they_stand() {
        for bad in [0, 4095, 4096, 9999] {
            let mut keys: Vec<u32> = (0..10_000).map(|row| row % 3).collect();
            assert!(keyed::<UInt32Type>(&UInt32Array::from(keys.clone()), &names(3)).is_ok());
            keys[bad] = 3;
            let found = keyed::<UInt32Type>(&UInt32Array::from(keys), &names(3)).unwrap_err();
            assert!(found.to_string().contains(&bad.to_string()), "{found}");
        }
        assert!(keyed::<UInt64Type>(&UInt64Array::from(vec![0, 1 << 32]), &names(1)).is_err());
        assert!(keyed::<Int8Type>(&Int8Array::from(vec![0, -1]), &names(200)).is_err());
    }

    #[test]
    fn keys_that_are_null_may_be_anything() {
        let keys = UInt32Array::new(vec![0, 77, 1].into(), Some(vec![true, false, true].into()));
        let found = keyed::<UInt32Type>(&keys, &names(2)).unwrap();
        assert_eq!(found.null_count(), 1);
    }
}
