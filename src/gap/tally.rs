//! Records of two columns of few categories, counted as they are read.
//!
//! What a [`CrossTab`](super::CrossTab) of the columns' codes gives, to the last bit, without writing a code per record:
//! labels of a few thousand records at a time stay in the innermost cache. The time goes into reading the columns once;
//! for text most of it waits for the texts themselves, which lie elsewhere than the views of them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::axis::Axis;
use super::crosstab::{BLOCK, Cell, Cells, SMALL, is_refused, refused};
use crate::error::Result;
use crate::parallel;
use crate::simd::{Summed, number_cells, sum_cells};
use crate::table::{Found, Labels, Table};

/// Records whose labels are read before they are counted.
const GROUP: usize = 2048;

/// One cell of a block, or of all.
#[derive(Clone, Copy, Default)]
struct Sums {
    cell: Cell,
    /// Records whose value is missing.
    missing: u64,
}

impl From<Summed> for Sums {
    fn from(Summed([n, sum, squares, missing]): Summed) -> Self {
        Self { cell: Cell { n: n as u64, sum, squares }, missing: missing as u64 }
    }
}

/// What one block of records holds, by the labels of its own readers.
struct Block<'t> {
    width: usize,
    sums: Vec<Sums>,
    found: [Found<'t>; 2],
    /// Whether some value may be negative or too large; certainly where one is.
    is_odd: bool,
}

/// The two axes and what was counted; `None` where the categories are too many for this way.
///
/// # Errors
///
/// Those of reading the columns, [`crate::Error::BadValue`] with the first value that is negative or above 1e150.
pub(super) fn tally(
    table: &Table,
    row_name: &str,
    col_name: &str,
    values_name: Option<&str>,
) -> Result<Option<(Axis, Axis, Cells)>> {
    let (rows, cols) = parallel::join(|| table.labels(row_name), || table.labels(col_name));
    let (Some(mut rows), Some(mut cols)) = (rows?, cols?) else { return Ok(None) };
    if n_cells(rows.len(), cols.len()) > SMALL {
        return Ok(None);
    }
    let values = values_name.map(|name| table.unchecked(name)).transpose()?;
    let values = values.as_deref();
    let too_many = AtomicBool::new(false);
    // Blocks are read as if no value were missing until one is; how a block was read leaves no trace.
    let gaps = AtomicBool::new(false);
    let blocks = parallel::map_blocks_of(BLOCK, table.n_rows(), |range| {
        if too_many.load(Ordering::Relaxed) {
            return None;
        }
        let values = values.map(|values| &values[range.clone()]);
        let read = |gaps| Block::of(&rows, &cols, (values, gaps), range.start, range.len());
        let mut block = read(gaps.load(Ordering::Relaxed));
        if block.as_ref().is_some_and(Block::has_gaps) {
            gaps.store(true, Ordering::Relaxed);
            block = read(true);
        }
        if block.is_none() {
            too_many.store(true, Ordering::Relaxed);
        }
        block
    });
    let Some(blocks) = blocks.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
    if let Some((name, values)) =
        values_name.zip(values).filter(|_| blocks.iter().any(|block| block.is_odd))
    {
        table.numeric(name)?;
        if let Some(record) = values.iter().position(|&value| is_refused(value)) {
            return Err(refused(name, record, values[record]));
        }
    }
    let Some(sums) = merge(&blocks, &mut rows, &mut cols) else { return Ok(None) };
    Ok(Some(finish(&sums, (row_name, &rows), (col_name, &cols), table.n_rows(), values.is_some())))
}

/// Cells of a table of labels, with those of missing categories.
fn n_cells(n_rows: usize, n_cols: usize) -> usize {
    (n_rows + 1) * (n_cols + 1)
}

impl<'t> Block<'t> {
    /// `values` are those of the block's `n` records from `first` on, with `gaps` where some may be missing; `None` where
    /// there are too many categories.
    fn of(
        rows: &Labels<'t>,
        cols: &Labels<'t>,
        (values, gaps): (Option<&[f64]>, bool),
        first: usize,
        n: usize,
    ) -> Option<Self> {
        let (mut row_reader, mut col_reader) = (rows.reader(), cols.reader());
        let mut labels = ([0; GROUP], [0; GROUP]);
        let mut width = cols.len() + 1;
        let mut sums = vec![Summed::default(); n_cells(rows.len(), cols.len())];
        let mut counts = vec![[0; 4]; sums.len()];
        let mut is_odd = false;
        for start in (0..n).step_by(GROUP) {
            let len = GROUP.min(n - start);
            let (rows, cols) = (&mut labels.0[..len], &mut labels.1[..len]);
            if !row_reader.read(first + start, rows) || !col_reader.read(first + start, cols) {
                return None;
            }
            let needed = n_cells(row_reader.len(), col_reader.len());
            if needed > SMALL {
                return None;
            }
            if needed > sums.len() {
                let new_width = col_reader.len() + 1;
                sums = reshaped(&sums, width, needed, new_width);
                counts = reshaped(&counts, width, needed, new_width);
                width = new_width;
            }
            // Labels become numbers of cells, which are below `SMALL`.
            number_cells(rows, cols, width as u16);
            match values {
                None => count(&mut counts, rows),
                Some(values) => {
                    let values = &values[start..start + len];
                    is_odd |= match gaps {
                        true => sum_known(&mut sums, rows, values),
                        false => sum_cells(rows, values, &mut sums),
                    };
                }
            }
        }
        // The square of a value that is too large is itself beyond this.
        is_odd |= sums.iter().any(|sums| sums.0[2].is_nan() || sums.0[2] > 1e300);
        let mut sums: Vec<Sums> = sums.into_iter().map(Sums::from).collect();
        for (sums, counts) in sums.iter_mut().zip(&counts) {
            sums.cell.n += counts.iter().map(|&n| u64::from(n)).sum::<u64>();
        }
        Some(Self { width, sums, found: [row_reader.found(), col_reader.found()], is_odd })
    }

    /// Whether a missing value went into a sum.
    fn has_gaps(&self) -> bool {
        self.sums.iter().any(|sums| sums.cell.sum.is_nan())
    }
}

/// Cells of some width in a larger table.
fn reshaped<T: Copy + Default>(cells: &[T], width: usize, n: usize, new_width: usize) -> Vec<T> {
    let mut larger = vec![T::default(); n];
    for (line, new_line) in cells.chunks(width).zip(larger.chunks_mut(new_width)) {
        new_line[..width].copy_from_slice(line);
    }
    larger
}

/// Counts alone. Neighbouring records go to different histograms, because an increment must wait for the one before it
/// where both fall into the same cell.
fn count(counts: &mut [[u32; 4]], cells: &[u16]) {
    let (fours, rest) = cells.as_chunks::<4>();
    for four in fours {
        for (lane, &cell) in four.iter().enumerate() {
            counts[usize::from(cell)][lane] += 1;
        }
    }
    for &cell in rest {
        counts[usize::from(cell)][0] += 1;
    }
}

/// Counts and sums of the values that are not missing, whether some are or not; and whether some value is negative.
fn sum_known(sums: &mut [Summed], cells: &[u16], values: &[f64]) -> bool {
    let mut negative = false;
    for (&cell, &value) in cells.iter().zip(values) {
        let Summed(sums) = &mut sums[usize::from(cell)];
        negative |= value < 0.0;
        *sums = match value.is_nan() {
            true => [sums[0], sums[1], sums[2], sums[3] + 1.0],
            false => [sums[0] + 1.0, sums[1] + value, sums[2] + value * value, sums[3]],
        };
    }
    negative
}

/// The cells of all blocks by the labels of the columns, added in the order of the blocks.
fn merge<'t>(
    blocks: &[Block<'t>],
    rows: &mut Labels<'t>,
    cols: &mut Labels<'t>,
) -> Option<Vec<Sums>> {
    let labels: Vec<_> = blocks
        .iter()
        .map(|block| Some((rows.learn(&block.found[0])?, cols.learn(&block.found[1])?)))
        .collect::<Option<_>>()?;
    let width = cols.len() + 1;
    let mut sums = vec![Sums::default(); n_cells(rows.len(), cols.len())];
    if sums.len() > SMALL {
        return None;
    }
    for (block, (row_labels, col_labels)) in blocks.iter().zip(&labels) {
        for (line, &row) in block.sums.chunks(block.width).zip(row_labels) {
            for (part, &col) in line.iter().zip(col_labels) {
                let all = &mut sums[usize::from(row) * width + usize::from(col)];
                all.cell.add(&part.cell);
                all.missing += part.missing;
            }
        }
    }
    Some(sums)
}

/// The categories in their order and the cells that go with them.
fn finish(
    sums: &[Sums],
    (row_name, rows): (&str, &Labels<'_>),
    (col_name, cols): (&str, &Labels<'_>),
    n_records: usize,
    weighted: bool,
) -> (Axis, Axis, Cells) {
    let width = cols.len() + 1;
    let records = |sums: &Sums| sums.cell.n + sums.missing;
    let in_row = |row: usize| sums[row * width..(row + 1) * width].iter();
    let in_col = |col: usize| sums[col..].iter().step_by(width);
    let used_rows: Vec<bool> =
        (0..=rows.len()).map(|row| in_row(row).any(|sums| records(sums) > 0)).collect();
    let used_cols: Vec<bool> =
        (0..=cols.len()).map(|col| in_col(col).any(|sums| records(sums) > 0)).collect();
    let (row_order, row_names) = rows.categories(&used_rows);
    let (col_order, col_names) = cols.categories(&used_cols);
    let ordered = row_order.iter().flat_map(|&row| {
        col_order.iter().map(move |&col| sums[usize::from(row) * width + usize::from(col)])
    });
    let cells: Vec<Cell> = ordered
        .map(|sums| match weighted {
            true => sums.cell,
            false => {
                let n = sums.cell.n;
                Cell { n, sum: n as f64, squares: n as f64 }
            }
        })
        .collect();
    let total = |counts: &mut dyn Iterator<Item = u64>| counts.sum::<u64>() as usize;
    let cells = Cells {
        cells,
        n_rows: row_order.len(),
        n_cols: col_order.len(),
        n_records,
        missing_rows: total(&mut in_row(0).map(records)),
        missing_cols: total(&mut in_col(0).skip(1).map(records)),
        missing_values: total(
            &mut (1..=rows.len()).flat_map(|row| in_row(row).skip(1)).map(|sums| sums.missing),
        ),
    };
    let axis = |name: &str, categories, ordered| Axis { ordered, ..Axis::of(name, categories) };
    (axis(row_name, row_names, rows.ordered), axis(col_name, col_names, cols.ordered), cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gap::CrossTab;
    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int16Array, Int64Array,
        LargeStringArray, RecordBatch, StringArray, StringViewArray,
    };
    use arrow_schema::{Field, Schema};
    use std::sync::Arc;

    const N: usize = 150_000;

    /// Words of every length; some are rare, some differ in the middle alone, some are missing.
    fn word(i: usize) -> Option<String> {
        let id = i * 7919 % 23;
        match i {
            _ if i % 13 == 5 => None,
            _ if i % 9973 == 7 => Some(format!("rare {}", i / 9973)),
            _ if id > 18 => Some(format!("twenty and more {id} bytes, alike at both ends")),
            _ => Some(format!("{}{id}", "x".repeat(id))),
        }
    }

    /// Words of at most 12 bytes, the empty one among them; some rare ones are longer, some are missing.
    fn short_word(i: usize) -> Option<String> {
        let id = i * 7919 % 23;
        match i {
            _ if i % 13 == 5 => None,
            _ if i % 9973 == 7 => Some(format!("rare {}", "y".repeat(i / 9973))),
            _ if id == 0 => Some(String::new()),
            _ => Some(format!("{id}{}", "x".repeat(id % 11))),
        }
    }

    fn columns() -> Vec<ArrayRef> {
        let words: Vec<Option<String>> = (0..N).map(word).collect();
        let short: Vec<Option<String>> = (0..N).map(short_word).collect();
        let number = |i: usize| (i % 11 != 4).then_some(i * 31 % 29 * 2);
        let keys = (0..N).map(|i| (i % 7 != 2).then_some((i * 17 % 40) as i16));
        let entries: Vec<String> = (0..50).map(|k| format!("entry {}", k * 7 % 45)).collect();
        let keys: Int16Array = keys.collect();
        vec![
            Arc::new(StringArray::from(words.clone())),
            Arc::new(LargeStringArray::from(words.clone())),
            Arc::new(StringViewArray::from_iter(words)),
            Arc::new((0..N).map(|i| number(i).map(|v| v as i64 - 9)).collect::<Int64Array>()),
            Arc::new((0..N).map(|i| number(i).map(|v| v as i32)).collect::<Date32Array>()),
            Arc::new((0..N).map(|i| number(i).map(|v| v % 2 == 0)).collect::<BooleanArray>()),
            Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(entries)))),
            Arc::new(StringArray::from(short.clone())),
            Arc::new(LargeStringArray::from(short.clone())),
            Arc::new(StringViewArray::from_iter(short)),
        ]
    }

    fn table(rows: &ArrayRef, cols: &ArrayRef, cuts: &[usize], ordered: bool) -> Table {
        let money = |i: usize| if i % 17 == 3 { f64::NAN } else { 0.1 * (i % 101) as f64 };
        table_of(rows, cols, cuts, ordered, money)
    }

    fn table_of(
        rows: &ArrayRef,
        cols: &ArrayRef,
        cuts: &[usize],
        ordered: bool,
        money: impl Fn(usize) -> f64,
    ) -> Table {
        let money: ArrayRef = Arc::new(Float64Array::from_iter_values((0..N).map(money)));
        let field = |name: &str, array: &ArrayRef| {
            let is_dictionary =
                array.as_any().is::<DictionaryArray<arrow_array::types::Int16Type>>();
            Field::new(name, array.data_type().clone(), true)
                .with_dict_is_ordered(ordered && is_dictionary)
        };
        let fields = vec![field("r", rows), field("c", cols), field("money", &money)];
        let schema = Arc::new(Schema::new(fields));
        let batches = cuts.windows(2).map(|cut| {
            let part = |array: &ArrayRef| array.slice(cut[0], cut[1] - cut[0]);
            let columns = vec![part(rows), part(cols), part(&money)];
            RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
        });
        let batches = batches.collect();
        Table::try_new(schema, batches).unwrap()
    }

    fn counted(table: &Table, values: Option<&str>) -> Result<Option<(Axis, Axis, Cells)>> {
        tally(table, "r", "c", values)
    }

    fn by_codes(table: &Table, values_name: Option<&str>) -> (Axis, Axis, Cells) {
        let (rows, cols) = (table.codes("r").unwrap(), table.codes("c").unwrap());
        let values = values_name.map(|name| table.numeric(name).unwrap());
        let (n_rows, n_cols) = (rows.categories.len(), cols.categories.len());
        let mut tab = CrossTab::new(n_rows, n_cols, values_name).unwrap();
        tab.update(&rows.codes, &cols.codes, values.as_deref(), None).unwrap();
        let axis = |name: &str, codes: crate::table::Codes| Axis {
            ordered: codes.ordered,
            ..Axis::of(name, codes.categories)
        };
        (axis("r", rows), axis("c", cols), tab.finish())
    }

    #[test]
    fn counting_while_reading_gives_the_bits_of_counting_codes() {
        let columns = columns();
        for (index, column) in columns.iter().enumerate() {
            // One that lacks other rows.
            let other = &columns[if (3..6).contains(&index) { 6 } else { 3 }];
            for cuts in [&[0, N][..], &[0, 1, 65_000, 65_001, N]] {
                for ordered in [false, true] {
                    let table = table(column, other, cuts, ordered);
                    for values in [Some("money"), None] {
                        let expected = by_codes(&table, values);
                        assert!(expected.2.missing_rows > 0 && expected.2.missing_cols > 0);
                        for threads in [1, 2, 5] {
                            parallel::set_num_threads(threads);
                            let found = counted(&table, values).unwrap();
                            parallel::set_num_threads(0);
                            assert!(found.as_ref() == Some(&expected), "column {index} {threads}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn values_that_are_missing_late_and_zeros_with_a_sign_change_nothing() {
        let columns = columns();
        let moneys: [fn(usize) -> f64; 3] = [
            |i| if i == N - 5 { f64::NAN } else { 0.1 * (i % 101) as f64 },
            |i| if i % 4 == 1 { -0.0 } else { i as f64 },
            |i| if i % 1000 == 1 { f64::NAN.copysign(-1.0) } else { 1.0 / (1.0 + i as f64) },
        ];
        for money in moneys {
            let table = table_of(&columns[6], &columns[3], &[0, N], false, money);
            let expected = by_codes(&table, Some("money"));
            for threads in [1, 2, 5] {
                parallel::set_num_threads(threads);
                let found = counted(&table, Some("money")).unwrap();
                parallel::set_num_threads(0);
                assert!(found.as_ref() == Some(&expected), "{threads}");
            }
        }
        for (bad, other) in
            [(f64::INFINITY, 1.0), (f64::NEG_INFINITY, f64::INFINITY), (-1.0, f64::NAN)]
        {
            let money = |i: usize| {
                if i == 70_000 {
                    bad
                } else if i > 70_000 {
                    other
                } else {
                    1.0
                }
            };
            let table = table_of(&columns[6], &columns[3], &[0, N], false, money);
            let error = counted(&table, Some("money")).unwrap_err().to_string();
            assert!(error.contains("row 70000"), "{error}");
        }
    }

    #[test]
    fn many_categories_are_left_to_codes_however_late_they_appear() {
        let numbers: ArrayRef =
            Arc::new(Int64Array::from_iter_values((0..N as i64).map(|i| i % 5)));
        let late = |step: usize| {
            let name = |i: usize| if i % step == 1 { i.to_string() } else { "a".to_string() };
            Arc::new(StringArray::from_iter_values((0..N).map(name))) as ArrayRef
        };
        let all: ArrayRef = Arc::new(StringArray::from_iter_values((0..N).map(|i| i.to_string())));
        let far = (0..N as i64).map(|i| i % 2 * i64::MAX);
        let far: ArrayRef = Arc::new(Int64Array::from_iter_values(far));
        for column in [&all, &far, &late(50)] {
            let table = table(column, &numbers, &[0, N], false);
            assert!(counted(&table, Some("money")).unwrap().is_none());
        }
        let table = table(&late(1000), &numbers, &[0, N], false);
        let values = Some("money");
        assert!(counted(&table, values).unwrap() == Some(by_codes(&table, values)));
    }

    #[test]
    fn the_first_negative_value_is_named() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..3).map(|i| i % 2)));
        let money: ArrayRef = Arc::new(Float64Array::from(vec![1.0, -2.0, -3.0]));
        let field =
            |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
        let few = vec![
            (field("r", &numbers), Arc::clone(&numbers)),
            (field("c", &numbers), Arc::clone(&numbers)),
            (field("money", &money), money),
        ];
        let table = Table::from_columns(few).unwrap();
        let error = counted(&table, Some("money")).unwrap_err().to_string();
        assert!(
            error.contains("\"money\"") && error.contains("row 1") && error.contains("-2"),
            "{error}"
        );
        let columns = columns();
        let money = |i: usize| if i % 70_000 == 69_999 { 1e151 } else { 1.0 };
        let table = table_of(&columns[6], &columns[3], &[0, N], false, money);
        let error = counted(&table, Some("money")).unwrap_err().to_string();
        assert!(error.contains("row 69999") && error.contains("at most 1e150"), "{error}");
    }
}
