//! Intervals from tables drawn anew.
//!
//! Records that are independent of each other are resampled through the cells they are in: the numbers of records are
//! multinomial, and the sum of the values that a cell draws has the mean and the variance of as many draws from its values;
//! its law is taken as gamma, which is right-skewed as sums of money are. A table then costs a few draws for each cell,
//! however many records there are. Where records belong to customers, whole customers are resampled instead, which costs a
//! pass over the records for each table.

use super::clusters::ByCustomer;
use super::crosstab::Cell;
use super::expected::{Null, Totals};
use super::layout::Layout;
use crate::economics::bootstrap::interval;
use crate::economics::draws;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// Tables of one task.
const TABLES: usize = 16;

/// Number of the group of streams that draws the other period.
const OTHER: u64 = 1 << 40;

/// Intervals of every cell: of the index, and of observed minus expected.
pub(super) struct Intervals {
    pub(super) index: Vec<(f64, f64)>,
    pub(super) difference: Vec<(f64, f64)>,
}

/// Percentile intervals from `n_boot` tables. The same seed gives the same bits for any number of threads, and the first
/// tables of a longer run are those of a shorter one.
///
/// # Errors
///
/// [`crate::Error::MemoryLimit`] where the tables do not fit; [`crate::Error::Interrupted`].
pub(super) fn intervals(
    layout: &Layout,
    null: &Null,
    by_customer: Option<&ByCustomer>,
    (n_boot, seed, confidence): (usize, u64, f64),
    monitor: &Monitor,
) -> Result<Intervals> {
    let n_cells = layout.cells.len();
    let n_rows = layout.rows.categories.len();
    draws::check_memory(2 * n_cells, n_boot)?;
    let figures = |sums: Vec<f64>, task: u64| -> Vec<[f64; 2]> {
        let table = Totals::of_sums(sums, n_rows, layout.n_cols());
        let drawn = other_period(layout, null, seed, task);
        let expected = null.expect(&table, drawn.as_deref(), &layout.possible);
        let cells = table.sum.iter().zip(expected);
        cells.map(|(&observed, e)| [observed / e, observed - e]).collect()
    };
    let tables: Vec<Vec<[f64; 2]>> = match by_customer {
        Some(customers) => {
            let row = |customer: usize, add: &mut dyn FnMut(usize, f64)| {
                for &(cell, value) in customers.of(customer) {
                    add(cell as usize, value);
                }
            };
            let sums = draws::sums(customers.n(), n_cells, n_boot, 0, seed, monitor, row)?;
            sums.into_iter().zip(0..).map(|(sums, table)| figures(sums, table)).collect()
        }
        None => {
            let n_tasks = n_boot.div_ceil(TABLES);
            monitor.expect(n_tasks as u64);
            let tasks = parallel::map_tasks(n_tasks, |task| -> Result<Vec<Vec<[f64; 2]>>> {
                monitor.check()?;
                let tables = task * TABLES..n_boot.min((task + 1) * TABLES);
                let made = tables
                    .map(|table| {
                        let mut rng = Rng::stream(seed, Stage::Bootstrap, table as u64);
                        figures(draw(&layout.cells, &mut rng), table as u64)
                    })
                    .collect();
                monitor.advance(1);
                Ok(made)
            });
            tasks.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect()
        }
    };
    let ends = |which: usize| {
        parallel::map_tasks(n_cells, |cell| {
            interval(tables.iter().map(|table| table[cell][which]).collect(), confidence)
        })
    };
    Ok(Intervals { index: ends(0), difference: ends(1) })
}

/// The shares of the other period, from a table of it drawn anew; `None` where shares are known.
fn other_period(layout: &Layout, null: &Null, seed: u64, task: u64) -> Option<Vec<f64>> {
    let shares = null.known_shares().filter(|_| !layout.reference.is_empty())?;
    let mut rng = Rng::stream(seed, Stage::Bootstrap, OTHER | task);
    let n_cols = layout.n_cols();
    let mut drawn = draw(&layout.reference, &mut rng);
    for (line, known) in drawn.chunks_mut(n_cols).zip(shares.chunks(n_cols)) {
        let total: f64 = line.iter().sum();
        for (share, known) in line.iter_mut().zip(known) {
            *share = if total > 0.0 { *share / total } else { *known };
        }
    }
    Some(drawn)
}

/// Sums of a table drawn from these cells.
fn draw(cells: &[Cell], rng: &mut Rng) -> Vec<f64> {
    let mut left: u64 = cells.iter().map(|cell| cell.n).sum();
    let mut draws = left;
    cells
        .iter()
        .map(|cell| {
            if cell.n == 0 {
                return 0.0;
            }
            let n = if cell.n == left {
                draws
            } else {
                rng.binomial(draws, cell.n as f64 / left as f64)
            };
            (draws, left) = (draws - n, left - cell.n);
            let (n, size) = (n as f64, cell.n as f64);
            let mean = cell.sum / size;
            let spread = cell.squares / size - mean * mean;
            // Equal values have no variance but rounding.
            if spread <= 1e-12 * mean * mean { n * mean } else { rng.gamma(n * mean, n * spread) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_tables_keep_the_records_and_have_their_means_and_variances() {
        let cells = [
            Cell { n: 30, sum: 30.0, squares: 30.0 },
            Cell { n: 70, sum: 140.0, squares: 400.0 },
            Cell::default(),
        ];
        let mut rng = Rng::stream(3, Stage::Bootstrap, 0);
        let n = 20_000;
        let drawn: Vec<Vec<f64>> = (0..n).map(|_| draw(&cells, &mut rng)).collect();
        let moments = |cell: usize| {
            let mean = drawn.iter().map(|table| table[cell]).sum::<f64>() / n as f64;
            let squares = drawn.iter().map(|table| (table[cell] - mean).powi(2)).sum::<f64>();
            (mean, squares / n as f64)
        };
        assert!(drawn.iter().all(|table| table[2] == 0.0));
        let (mean, variance) = moments(0);
        assert!((mean - 30.0).abs() < 0.15 && (variance / 21.0 - 1.0).abs() < 0.05);
        // Of 70 values with mean 2 and variance 12/7: 70 (12/7 + 4) - 140^2 / 100.
        let (mean, variance) = moments(1);
        assert!((mean - 140.0).abs() < 0.6 && (variance / 204.0 - 1.0).abs() < 0.05, "{variance}");
    }
}
