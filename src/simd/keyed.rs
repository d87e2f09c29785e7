//! Dictionary arrays whose keys are checked by all threads in vectors, where Arrow checks them one by one.

use std::sync::Arc;

use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::ArrowError;

use super::widened::widened;
use crate::parallel;

/// Keys of which the lowest and the highest are known.
pub(crate) struct Ranged<K: ArrowDictionaryKeyType> {
    keys: PrimitiveArray<K>,
    range: Option<(usize, usize)>,
}

impl<K: ArrowDictionaryKeyType> Ranged<K> {
    /// One pass over the keys.
    pub(crate) fn of(keys: PrimitiveArray<K>) -> Self {
        let blocks = parallel::map_blocks(keys.len(), |rows| ends(&keys.values()[rows]));
        Self { range: blocks.into_iter().reduce(wider), keys }
    }

    /// The lowest and the highest of the keys, of those that are null, too; a negative one is higher than any length.
    pub(crate) fn range(&self) -> Option<(usize, usize)> {
        self.range
    }

    /// The dictionary array of the keys and these values.
    ///
    /// # Errors
    ///
    /// [`ArrowError`] that names the first key without a value.
    pub(crate) fn with(self, values: &ArrayRef) -> Result<DictionaryArray<K>, ArrowError> {
        if self.range.is_none_or(|(_, high)| high < values.len()) {
            // SAFETY: no key is as large as the number of values; a negative one would be.
            return Ok(unsafe { DictionaryArray::new_unchecked(self.keys, Arc::clone(values)) });
        }
        DictionaryArray::try_new(self.keys, Arc::clone(values))
    }
}

/// A range that holds two others.
pub(crate) fn wider(one: (usize, usize), other: (usize, usize)) -> (usize, usize) {
    (one.0.min(other.0), one.1.max(other.1))
}

widened! {
    /// The lowest and the highest of some keys.
    fn ends<T: ArrowNativeType>(keys: &[T]) -> (usize, usize) {
        if size_of::<T>() <= size_of::<u32>() {
            // A negative key stays larger than any length. Narrow numbers go through vectors whole.
            let (mut low, mut high) = (u32::MAX, 0);
            for key in keys {
                let key = key.as_usize() as u32;
                (low, high) = (low.min(key), high.max(key));
            }
            (low as usize, high as usize)
        } else {
            keys.iter().map(|key| (key.as_usize(), key.as_usize())).fold((usize::MAX, 0), wider)
        }
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
            let mut keys: Vec<u32> = (0..10_000).map(|row| 1 + row % 3).collect();
            let ranged = Ranged::<UInt32Type>::of(UInt32Array::from(keys.clone()));
            assert_eq!(ranged.range(), Some((1, 3)));
            assert!(ranged.with(&names(4)).is_ok());
            keys[bad] = 4;
            let ranged = Ranged::<UInt32Type>::of(UInt32Array::from(keys));
            assert_eq!(ranged.range(), Some((1, 4)));
            let found = ranged.with(&names(4)).unwrap_err();
            assert!(found.to_string().contains(&bad.to_string()), "{found}");
        }
        let wide = Ranged::<UInt64Type>::of(UInt64Array::from(vec![0, 1 << 32]));
        assert_eq!(wide.range(), Some((0, 1 << 32)));
        assert!(wide.with(&names(1)).is_err());
        assert!(Ranged::<Int8Type>::of(Int8Array::from(vec![0, -1])).with(&names(200)).is_err());
        assert_eq!(Ranged::<Int8Type>::of(Int8Array::from(Vec::<i8>::new())).range(), None);
    }

    #[test]
    fn keys_that_are_null_may_be_anything() {
        let keys = UInt32Array::new(vec![0, 77, 1].into(), Some(vec![true, false, true].into()));
        let found = Ranged::<UInt32Type>::of(keys).with(&names(2)).unwrap();
        assert_eq!(found.null_count(), 1);
    }
}
