//! Columns of few categories, read block by block: what counts them needs no code per row in memory.
//!
//! Labels are small integers in no order that means anything; 0 stands for a missing value. Text is learned from a
//! sample of the rows. A reader keeps the words that the sample lacks to itself, and they are given labels of the column
//! when all has been read, so that threads share nothing that changes.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::Table;
use super::dictionary::{DictionaryKeys, as_any_dictionary, by_first_appearance, in_order};
use super::encode::{Distinct, Keys, Order, encode};
use super::integers::{Integers, range};
use super::text::{OffsetText, TextRows, ViewText, Word};
use super::words::{Known, Words};
use crate::error::Result;

/// Most labels of a column; more categories than this are read as [`Codes`](super::Codes).
pub(super) const MAX_LABELS: usize = 1000;

/// A column of few categories.
pub(crate) struct Labels<'t> {
    /// The row at which each chunk begins.
    starts: Vec<usize>,
    chunks: Chunks<'t>,
    /// Labels that all readers know from the start.
    n_shared: usize,
    /// Whether the order of the categories means something.
    pub(crate) ordered: bool,
}

enum Chunks<'t> {
    /// Keys with the labels of the dictionary's entries; the entries' values; the order in which they were declared.
    Entries(Vec<(DictionaryKeys, EntryLabels)>, Distinct, Vec<u32>),
    /// Whole numbers from the given one on.
    Whole(Vec<Integers>, i64, Distinct),
    Words(Vec<TextChunk<'t>>, Known<'t>),
}

/// The label of each entry of a dictionary.
enum EntryLabels {
    /// None of so many entries has one, each of so many after them its place, counted from 1: what nearly all have.
    Places(usize, usize),
    Any(Vec<u16>),
}

enum TextChunk<'t> {
    Narrow(OffsetText<'t, i32>),
    Wide(OffsetText<'t, i64>),
    Views(ViewText<'t>),
}

/// Words that a reader met and the sample lacks.
pub(crate) struct Found<'t>(Vec<Word<'t>>);

impl Table {
    /// The column as labels; `None` where [`Table::codes`] must read it, because its values are many or of another type.
    ///
    /// # Errors
    ///
    /// [`crate::Error::MissingColumn`].
    pub(crate) fn labels(&self, name: &str) -> Result<Option<Labels<'_>>> {
        let (field, arrays) = self.column(name)?;
        let next = |row: &mut usize, array: &&ArrayRef| {
            *row += array.len();
            Some(*row - array.len())
        };
        let starts = arrays.iter().scan(0, next).collect();
        let ordered = matches!(field.data_type(), DataType::Dictionary(..))
            && field.dict_is_ordered() == Some(true);
        let chunks = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => text_chunks(&arrays),
            DataType::Dictionary(_, values) => entries(values, &arrays, self.n_rows()),
            DataType::Boolean => whole(&arrays, Distinct::Booleans),
            DataType::Date32 | DataType::Date64 => whole(&arrays, Distinct::Dates),
            DataType::Timestamp(..) => whole(&arrays, Distinct::Moments),
            // Unsigned numbers of 64 bits may be larger than any `i64`.
            data_type if data_type.is_integer() && *data_type != DataType::UInt64 => {
                whole(&arrays, Distinct::Integers)
            }
            _ => None,
        };
        Ok(chunks.map(|chunks| {
            let n_shared = chunks.n_labels();
            Labels { starts, chunks, n_shared, ordered }
        }))
    }
}

impl Chunks<'_> {
    fn n_labels(&self) -> usize {
        match self {
            Self::Entries(_, distinct, _) | Self::Whole(_, _, distinct) => distinct.len(),
            Self::Words(_, known) => known.as_slice().len(),
        }
    }
}

impl<'t> Labels<'t> {
    /// How many labels there are, besides 0.
    pub(crate) fn len(&self) -> usize {
        self.chunks.n_labels()
    }

    /// A reader for one block of rows.
    pub(crate) fn reader(&self) -> Reader<'_, 't> {
        Reader { labels: self, new: Words::default() }
    }

    /// The labels of the column for those of a reader that found these words: at position `l` that of its label `l`.
    ///
    /// `None` where the column has too many categories after all.
    pub(crate) fn learn(&mut self, found: &Found<'t>) -> Option<Vec<u16>> {
        let mut labels: Vec<u16> = (0..=self.n_shared as u16).collect();
        if let Chunks::Words(_, known) = &mut self.chunks {
            for &word in &found.0 {
                labels.push(known.label(word)?);
            }
        }
        Some(labels)
    }

    /// The labels in the order of the categories, and the categories' names: those of [`Table::codes`].
    ///
    /// `used` tells of each label whether some row has it.
    pub(crate) fn categories(&self, used: &[bool]) -> (Vec<u16>, Vec<String>) {
        let words;
        let (distinct, declared) = match &self.chunks {
            Chunks::Entries(_, distinct, declared) => (distinct, self.ordered.then_some(declared)),
            Chunks::Whole(_, _, distinct) => (distinct, None),
            Chunks::Words(_, known) => {
                words =
                    Distinct::Text(known.as_slice().iter().map(|word| word.to_text()).collect());
                (&words, None)
            }
        };
        let order = declared.cloned().unwrap_or_else(|| in_order(distinct, &used[1..]));
        (order.iter().map(|&code| code as u16 + 1).collect(), distinct.take(&order).names())
    }
}

/// Reads labels in one block of rows.
pub(crate) struct Reader<'l, 't> {
    labels: &'l Labels<'t>,
    new: Words<'t>,
}

impl<'t> Reader<'_, 't> {
    /// Fills `out` with the labels of the rows from `first` on; false if there are too many.
    pub(crate) fn read(&mut self, first: usize, out: &mut [u16]) -> bool {
        let (mut row, mut rest) = (first, out);
        let starts = &self.labels.starts;
        while !rest.is_empty() {
            let chunk = starts.partition_point(|&start| start <= row) - 1;
            let end = starts.get(chunk + 1).copied().unwrap_or(usize::MAX);
            let (part, later) = rest.split_at_mut(rest.len().min(end - row));
            let first = row - starts[chunk];
            row += part.len();
            rest = later;
            match &self.labels.chunks {
                Chunks::Entries(chunks, ..) => {
                    let (keys, labels) = &chunks[chunk];
                    match labels {
                        EntryLabels::Places(low, n) => keys.places(first, *low, *n, part),
                        EntryLabels::Any(labels) => keys.read(first, labels, 0, part),
                    }
                }
                Chunks::Whole(chunks, low, _) => {
                    part.fill(0);
                    chunks[chunk].each(first, part.len(), |offset, value| {
                        part[offset] = value.wrapping_sub(*low) as u16 + 1;
                    });
                }
                Chunks::Words(chunks, known) => {
                    let new = &mut self.new;
                    let few = match &chunks[chunk] {
                        TextChunk::Narrow(rows) => known.read(rows, first, new, part),
                        TextChunk::Wide(rows) => known.read(rows, first, new, part),
                        TextChunk::Views(rows) => known.read(rows, first, new, part),
                    };
                    if !few {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// How many labels there are so far, besides 0.
    pub(crate) fn len(&self) -> usize {
        self.labels.n_shared + self.new.as_slice().len()
    }

    /// The words that the sample lacks.
    pub(crate) fn found(self) -> Found<'t> {
        Found(self.new.into_vec())
    }
}

/// Text with the words of some rows; `None` where they are many.
fn text_chunks<'t>(arrays: &[&'t ArrayRef]) -> Option<Chunks<'t>> {
    const SPANS: usize = 16;
    const SPAN: usize = 256;
    let mut chunks = Vec::with_capacity(arrays.len());
    let mut known = Words::default();
    let n_rows: usize = arrays.iter().map(|array| array.len()).sum();
    let stride = (n_rows / SPANS).max(SPAN);
    for array in arrays {
        let chunk = if let Some(array) = array.as_string_opt::<i32>() {
            TextChunk::Narrow(OffsetText::of(array))
        } else if let Some(array) = array.as_string_opt::<i64>() {
            TextChunk::Wide(OffsetText::of(array))
        } else {
            TextChunk::Views(ViewText::of(array.as_string_view_opt()?))
        };
        for start in (0..array.len()).step_by(stride) {
            for row in start..array.len().min(start + SPAN) {
                let word = match &chunk {
                    TextChunk::Narrow(rows) => rows.get(row),
                    TextChunk::Wide(rows) => rows.get(row),
                    TextChunk::Views(rows) => rows.get(row),
                };
                if let Some(word) = word {
                    known.label(word)?;
                }
            }
        }
        chunks.push(chunk);
    }
    Some(Chunks::Words(chunks, Known::new(known)))
}

/// Dictionaries whose distinct entries are few.
fn entries<'t>(values: &DataType, arrays: &[&'t ArrayRef], n_rows: usize) -> Option<Chunks<'t>> {
    let parts: Vec<_> = arrays.iter().map(|array| as_any_dictionary(array)).collect();
    let values_of: Vec<&ArrayRef> = parts.iter().map(|(_, values)| values).collect();
    let n_entries: usize = values_of.iter().map(|values| values.len()).sum();
    if n_entries > MAX_LABELS.max(n_rows / 16) {
        return None;
    }
    let Keys { codes, distinct } = encode(values, &values_of, Order::Met).ok()?;
    if distinct.len() > MAX_LABELS {
        return None;
    }
    let declared = by_first_appearance(&codes, distinct.len());
    // The code of a missing entry is the largest integer and becomes 0.
    let mut labels = codes.iter().map(|&code| code.wrapping_add(1) as u16);
    let labelled = parts.into_iter().map(|(keys, values)| {
        let own: Vec<u16> = labels.by_ref().take(values.len()).collect();
        let low = own.iter().take_while(|&&label| label == 0).count();
        let in_place = own[low..].iter().zip(1..).all(|(&label, place)| label == place);
        let places = EntryLabels::Places(low, own.len() - low);
        (keys, if in_place { places } else { EntryLabels::Any(own) })
    });
    Some(Chunks::Entries(labelled.collect(), distinct, declared))
}

/// Whole numbers, and what is read as such, within a narrow range.
fn whole<'t>(arrays: &[&ArrayRef], wrap: fn(Vec<i64>) -> Distinct) -> Option<Chunks<'t>> {
    let chunks: Vec<Integers> = arrays.iter().map(|array| Integers::of(array, false)).collect();
    let (low, values) = match range(&chunks) {
        None => (0, Vec::new()),
        Some((low, high)) if high.abs_diff(low) < MAX_LABELS as u64 => {
            (low, (low..=high).collect())
        }
        Some(_) => return None,
    };
    Some(Chunks::Whole(chunks, low, wrap(values)))
}
