//! Loops over records that are counted by two keys.

use arrow_buffer::ArrowNativeType;

use super::widened::widened;

/// One cell in the making: records, sum, sum of squares, records whose value is missing. They are numbers of one kind, so
/// that a record is one addition of four, and lie in one line of the cache; counts of a block are far from where these
/// would round.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(align(32))]
pub(crate) struct Summed(pub(crate) [f64; 4]);

widened! {
    /// The number of each key, counted from 1 at `low`; 0 of a key that is not among the `n` from there on, which are fewer
    /// than 65,535.
    fn places<T: ArrowNativeType>(keys: &[T], low: usize, n: usize, out: &mut [u16]) {
        if size_of::<T>() <= size_of::<u32>() {
            // A negative key stays larger than any length. Narrow numbers go through vectors whole.
            for (slot, key) in out.iter_mut().zip(keys) {
                let key = (key.as_usize() as u32).wrapping_sub(low as u32);
                *slot = if key < n as u32 { key as u16 + 1 } else { 0 };
            }
        } else {
            for (slot, key) in out.iter_mut().zip(keys) {
                let key = key.as_usize().wrapping_sub(low);
                *slot = if key < n { key as u16 + 1 } else { 0 };
            }
        }
    }
}

widened! {
    /// Makes rows the numbers of cells in a table of this width.
    fn number_cells(rows: &mut [u16], cols: &[u16], width: u16) {
        for (row, &col) in rows.iter_mut().zip(cols) {
            *row = row.wrapping_mul(width).wrapping_add(col);
        }
    }
}

widened! {
    /// Adds each value to its cell: one more record, the value, its square, nothing; a missing value makes the sums NaN.
    /// Whether some value has the sign of a negative one.
    fn sum_cells(cells: &[u16], values: &[f64], sums: &mut [Summed]) -> bool {
        let mut signs = 0;
        let mut add = |(&cell, &value): (&u16, &f64)| {
            signs |= value.to_bits();
            let Summed(sums) = &mut sums[usize::from(cell)];
            *sums = [sums[0] + 1.0, sums[1] + value, sums[2] + value * value, sums[3] + 0.0];
        };
        // A loop as short as one addition takes twice as long where its jump happens to lie across two lines of the cache.
        let (fours, rest) = cells.as_chunks::<4>();
        let (values, last) = values.as_chunks::<4>();
        for (cells, values) in fours.iter().zip(values) {
            cells.iter().zip(values).for_each(&mut add);
        }
        rest.iter().zip(last).for_each(add);
        signs >> 63 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_from_one_and_strange_ones_are_none() {
        let mut out = [7; 5];
        places(&[0_i8, 1, -1, 2, 127], 0, 2, &mut out);
        assert_eq!(out, [1, 2, 0, 0, 0]);
        places(&[0_i8, 1, -1, 3, -127], 1, 100, &mut out);
        assert_eq!(out, [0, 1, 0, 3, 0]);
        places(&[0_u32, u32::MAX, 65_533, 65_534, 1 << 16], 0, 65_534, &mut out);
        assert_eq!(out, [1, 0, 65_534, 0, 0]);
        places(&[0_u32, u32::MAX, 65_533, 5, 6], 6, 65_529, &mut out);
        assert_eq!(out, [0, 0, 65_528, 0, 1]);
        places(&[1_i64 << 32, i64::MIN, -1, 3, 2], 0, 3, &mut out);
        assert_eq!(out, [0, 0, 0, 0, 3]);
        places(&[1_i64 << 32, i64::MIN, -1, 3, 2], 3, 3, &mut out);
        assert_eq!(out, [0, 0, 0, 1, 0]);
    }

    #[test]
    fn cells_hold_the_sums_of_their_values() {
        let (mut rows, cols) = (vec![0, 1, 2, 1, 0, 2, 1], [3, 0, 1, 0, 3, 2, 2]);
        number_cells(&mut rows, &cols, 4);
        assert_eq!(rows, [3, 4, 9, 4, 3, 10, 6]);
        let values = [1.0, 0.5, 2.0, 0.25, 3.0, f64::NAN, 0.0];
        let mut sums = vec![Summed::default(); 12];
        assert!(!sum_cells(&rows, &values, &mut sums));
        assert_eq!(sums[3].0, [2.0, 4.0, 10.0, 0.0]);
        assert_eq!(sums[4].0, [2.0, 0.75, 0.3125, 0.0]);
        assert!(sums[10].0[1].is_nan() && sums[6].0 == [1.0, 0.0, 0.0, 0.0]);
        assert!(sum_cells(&[0, 1], &[1.0, -1.0], &mut sums));
    }
}
