//! Columns in the role of categories.

use arrow_array::Array;
use arrow_schema::DataType;

use super::encode::{Keys, Order, encode};
use super::{MISSING, Table, as_category_error};
use crate::error::Result;

/// A column as small integers with a name for each.
#[derive(Debug, Clone, PartialEq)]
pub struct Codes {
    /// One code per row, below `categories.len()`, or [`MISSING`].
    pub codes: Vec<u32>,
    /// Name of each category.
    pub categories: Vec<String>,
    /// Whether the order of the categories means something.
    pub ordered: bool,
    /// Number of rows without a category.
    pub n_missing: usize,
}

impl Table {
    /// The column as categories.
    ///
    /// Ordered categories keep their order, used or not; all others are the values met, numbers and dates ascending,
    /// text in alphabetical order, so that the codes do not depend on the container.
    ///
    /// # Errors
    ///
    /// [`crate::Error::MissingColumn`]; [`crate::Error::ColumnType`] for nested and binary types.
    pub fn codes(&self, name: &str) -> Result<Codes> {
        let (field, chunks) = self.column(name)?;
        let ordered = matches!(field.data_type(), DataType::Dictionary(..))
            && field.dict_is_ordered() == Some(true);
        let order = if ordered { Order::Declared } else { Order::Sorted };
        let keys = encode(field.data_type(), &chunks, order)
            .map_err(|found| as_category_error(name, &found))?;
        let n_missing = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                chunks.iter().map(|chunk| chunk.null_count()).sum()
            }
            _ => keys.n_missing(),
        };
        let Keys { codes, distinct } = keys;
        Ok(Codes { codes, categories: distinct.names(), ordered, n_missing })
    }
}

impl Codes {
    /// The category of a row.
    pub fn category(&self, row: usize) -> Option<&str> {
        let code = self.codes[row];
        (code != MISSING).then(|| self.categories[code as usize].as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        ArrayRef, BooleanArray, DictionaryArray, Int8Array, Int64Array, RecordBatch, StringArray,
        StringViewArray,
    };
    use arrow_schema::{Field, Schema};
    use std::sync::Arc;

    fn dictionary(keys: Vec<Option<i8>>, values: &[&str]) -> ArrayRef {
        let values = Arc::new(StringArray::from_iter_values(values));
        Arc::new(DictionaryArray::new(Int8Array::from(keys), values))
    }

    fn table(chunks: Vec<ArrayRef>, ordered: bool) -> Table {
        let data_type = chunks[0].data_type().clone();
        let field = Field::new("x", data_type, true).with_dict_is_ordered(ordered);
        let schema = Arc::new(Schema::new(vec![field]));
        let batches = chunks
            .into_iter()
            .map(|chunk| RecordBatch::try_new(Arc::clone(&schema), vec![chunk]).unwrap())
            .collect();
        Table::try_new(schema, batches).unwrap()
    }

    #[test]
    fn containers_of_the_same_text_give_the_same_codes() {
        let words = ["b", "a", "c", "a"];
        let expected = table(vec![Arc::new(StringArray::from_iter_values(words))], false);
        let expected = expected.codes("x").unwrap();
        assert_eq!(expected.codes, [1, 0, 2, 0]);
        let view: ArrayRef = Arc::new(StringViewArray::from_iter_values(words));
        let two_dictionaries = vec![
            dictionary(vec![Some(1), Some(0)], &["a", "b", "unused"]),
            dictionary(vec![Some(0), Some(1)], &["c", "a"]),
        ];
        for same in [table(vec![view], false), table(two_dictionaries, false)] {
            assert_eq!(same.codes("x").unwrap(), expected);
        }
    }

    #[test]
    fn ordered_categories_keep_their_order_and_unused_ones() {
        let sizes = dictionary(vec![Some(2), None, Some(0)], &["small", "medium", "large"]);
        let codes = table(vec![sizes], true).codes("x").unwrap();
        assert_eq!(codes.codes, [2, MISSING, 0]);
        assert_eq!(codes.categories, ["small", "medium", "large"]);
        assert!(codes.ordered);
        assert_eq!((codes.category(0), codes.category(1)), (Some("large"), None));
    }

    #[test]
    fn ordered_numbers_keep_the_declared_order() {
        let values = Arc::new(Int64Array::from(vec![30, 10, 20]));
        let array = DictionaryArray::new(Int8Array::from(vec![1, 0, 2]), values);
        let codes = table(vec![Arc::new(array)], true).codes("x").unwrap();
        assert_eq!(codes.categories, ["30", "10", "20"]);
        assert_eq!(codes.codes, [1, 0, 2]);
    }

    #[test]
    fn booleans_read_as_in_python() {
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
        let codes = table(vec![flags], false).codes("x").unwrap();
        assert_eq!(codes.categories, ["False", "True"]);
        assert_eq!(codes.codes, [1, MISSING, 0]);
        assert_eq!(codes.n_missing, 1);
    }
}
