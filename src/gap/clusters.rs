//! Records of one customer go together: how much more they scatter than as many independent records would.

use super::expected::{Null, Totals};
use super::layout::Records;
use crate::error::{Error, Result};
use crate::parallel;

/// Most cells of a table whose customers are grouped, since the influence of every cell on every other counts.
const MAX_CELLS: usize = 4_000;

/// The records of the used cells, customer by customer.
pub(super) struct ByCustomer {
    /// First entry of each customer, and the number of entries.
    starts: Vec<usize>,
    /// Cell and value of each record.
    entries: Vec<(u32, f64)>,
}

impl ByCustomer {
    /// Groups records; `cell_of` gives the shown cell of a record, or `None` where it is left out. A record without a
    /// customer stands alone.
    pub(super) fn new(
        records: &Records<'_>,
        customers: &[u32],
        cell_of: impl Fn(usize) -> Option<u32>,
    ) -> Self {
        let known = customers.iter().filter(|&&code| code != u32::MAX).max();
        let n_known = known.map_or(0, |&code| code as usize + 1);
        let n_alone = customers.iter().filter(|&&code| code == u32::MAX).count();
        let mut starts = vec![0; n_known + n_alone + 1];
        let owner = |code: u32, alone: &mut usize| {
            if code == u32::MAX {
                *alone += 1;
                *alone - 1
            } else {
                code as usize
            }
        };
        let mut alone = n_known;
        for (record, &code) in customers.iter().enumerate() {
            let customer = owner(code, &mut alone);
            starts[customer + 1] += usize::from(cell_of(record).is_some());
        }
        for customer in 0..n_known + n_alone {
            starts[customer + 1] += starts[customer];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); starts.last().copied().unwrap_or(0)];
        let mut alone = n_known;
        for (record, &code) in customers.iter().enumerate() {
            let customer = owner(code, &mut alone);
            if let Some(cell) = cell_of(record) {
                let value = records.values.map_or(1.0, |(_, values)| values[record]);
                let n = records.counts.map_or(1, |counts| counts[record]);
                entries[next[customer]] = (cell, n as f64 * value);
                next[customer] += 1;
            }
        }
        Self { starts, entries }
    }

    pub(super) fn n(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn of(&self, customer: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[customer]..self.starts[customer + 1]]
    }
}

/// Design effect of each cell: the variance of observed minus expected with whole customers as the units, over the
/// variance with records as the units; at least 1, since few customers make it small by chance.
///
/// The influence of a record of value `w` in cell `b` on cell `a` is `w (1[a = b] - H[a, b] - D_a / T)`; a customer's
/// influence is the sum of those of the records (ultimate clusters: Kish and Frankel 1974, Binder 1983). Time: for each
/// customer the number of cells it has records in times the number of cells.
///
/// # Errors
///
/// [`Error::Argument`] where there are more than 4,000 cells.
pub(super) fn design_effects(
    records: &Records<'_>,
    by_customer: &ByCustomer,
    table: &Totals,
    null: &Null,
) -> Result<Vec<f64>> {
    let n_cells = table.sum.len();
    if n_cells > MAX_CELLS {
        return Err(Error::argument(
            "customer",
            format!("a table of {n_cells} cells"),
            format!("at most {MAX_CELLS} are allowed with customers; group rare categories first"),
        ));
    }
    let influence = |cell: usize, from: usize| {
        let own = if cell == from { 1.0 } else { 0.0 };
        own - null.expected[cell] * null.pull(table, cell, from)
            - (table.sum[cell] - null.expected[cell]) / table.total
    };
    let partials = parallel::map_blocks(by_customer.n(), |block| {
        let mut squares = vec![0.0; n_cells];
        let mut sums = vec![0.0; n_cells];
        let mut seen = vec![false; n_cells];
        let mut touched: Vec<u32> = Vec::new();
        let mut n_customers = 0_usize;
        for customer in block {
            for &(cell, value) in by_customer.of(customer) {
                if !std::mem::replace(&mut seen[cell as usize], true) {
                    touched.push(cell);
                }
                sums[cell as usize] += value;
            }
            n_customers += usize::from(!touched.is_empty());
            for (cell, square) in squares.iter_mut().enumerate() {
                let moved: f64 = touched
                    .iter()
                    .map(|&from| sums[from as usize] * influence(cell, from as usize))
                    .sum();
                *square += moved * moved;
            }
            for cell in touched.drain(..) {
                (sums[cell as usize], seen[cell as usize]) = (0.0, false);
            }
        }
        (squares, n_customers)
    });
    let mut together = vec![0.0; n_cells];
    let mut n_customers = 0_usize;
    for (squares, n) in partials {
        for (sum, square) in together.iter_mut().zip(squares) {
            *sum += square;
        }
        n_customers += n;
    }
    // A sample variance divides by one unit less than there are.
    let n_records = match records.counts {
        None => by_customer.entries.len(),
        Some(counts) => counts.iter().sum::<u64>() as usize,
    };
    let unbiased = |n: usize| n as f64 / (n as f64 - 1.0).max(1.0);
    let scale = unbiased(n_customers) / unbiased(n_records);
    let effects = (0..n_cells).map(|cell| {
        let apart: f64 =
            (0..n_cells).map(|from| table.squares[from] * influence(cell, from).powi(2)).sum();
        if apart > 0.0 { (scale * together[cell] / apart).max(1.0) } else { 1.0 }
    });
    Ok(effects.collect())
}
