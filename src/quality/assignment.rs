//! The one-to-one matching of largest total, for naming the segments of one solution after those of another.

/// For each row of a table the column that it is matched with, at most one row per column, so that the matched cells add
/// up to the most possible; `None` where there are more rows than columns and the row is left over.
///
/// Kuhn (1955), The Hungarian method for the assignment problem, by shortest augmenting paths: O(r² c) time for `r` rows and `c`
/// columns, the smaller of the two being `r`. Deterministic; of equal matchings one is taken.
pub fn best_matching(values: &[f64], n_columns: usize) -> Vec<Option<usize>> {
    let n_rows = values.len().checked_div(n_columns).unwrap_or(0);
    if n_rows <= n_columns {
        let cost = |row: usize, column: usize| -values[row * n_columns + column];
        return cheapest(n_rows, n_columns, cost).into_iter().map(Some).collect();
    }
    let cost = |column: usize, row: usize| -values[row * n_columns + column];
    let mut matched = vec![None; n_rows];
    for (column, row) in cheapest(n_columns, n_rows, cost).into_iter().enumerate() {
        matched[row] = Some(column);
    }
    matched
}

/// The column of each row in the cheapest assignment; there must be at least as many columns as rows.
///
/// Rows come one after the other. Each finds the cheapest path of reassignments to a free column, on costs reduced by
/// potentials so that no reduced cost is negative.
fn cheapest(n_rows: usize, n_columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    // Column `n_columns` stands for the row that is being assigned.
    let mut row_of = vec![None::<usize>; n_columns + 1];
    let mut of_row = vec![0.0; n_rows];
    let mut of_column = vec![0.0; n_columns + 1];
    for next in 0..n_rows {
        row_of[n_columns] = Some(next);
        let mut shortest = vec![f64::INFINITY; n_columns];
        let mut before = vec![n_columns; n_columns];
        let mut done = vec![false; n_columns + 1];
        let mut column = n_columns;
        while let Some(row) = row_of[column] {
            done[column] = true;
            let (mut least, mut nearest) = (f64::INFINITY, column);
            for other in (0..n_columns).filter(|&other| !done[other]) {
                let reduced = cost(row, other) - of_row[row] - of_column[other];
                if reduced < shortest[other] {
                    (shortest[other], before[other]) = (reduced, column);
                }
                if shortest[other] < least {
                    (least, nearest) = (shortest[other], other);
                }
            }
            if nearest == column {
                break;
            }
            for other in 0..=n_columns {
                if done[other] {
                    if let Some(row) = row_of[other] {
                        of_row[row] += least;
                    }
                    of_column[other] -= least;
                } else {
                    shortest[other] -= least;
                }
            }
            column = nearest;
        }
        while column != n_columns {
            row_of[column] = row_of[before[column]];
            column = before[column];
        }
    }
    let mut columns = vec![0; n_rows];
    for (column, row) in row_of[..n_columns].iter().enumerate() {
        if let Some(row) = *row {
            columns[row] = column;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The largest total over all matchings, tried one by one.
    fn largest(values: &[f64], n_columns: usize, row: usize, taken: u32) -> f64 {
        let n_rows = values.len() / n_columns;
        if row == n_rows {
            return 0.0;
        }
        let left = n_columns - taken.count_ones() as usize;
        let mut best = f64::NEG_INFINITY;
        if n_rows - row > left {
            best = largest(values, n_columns, row + 1, taken);
        }
        for column in (0..n_columns).filter(|&column| taken & (1 << column) == 0) {
            let rest = largest(values, n_columns, row + 1, taken | (1 << column));
            best = best.max(values[row * n_columns + column] + rest);
        }
        best
    }

    proptest! {
        #[test]
        fn no_matching_has_a_larger_total(
            (rows, columns, values) in (1usize..7, 1usize..7).prop_flat_map(|(rows, columns)| {
                let cell = prop_oneof![-9i32..9, Just(0)];
                (Just(rows), Just(columns), prop::collection::vec(cell, rows * columns))
            })
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let matched = best_matching(&values, columns);
            prop_assert_eq!(matched.len(), rows);
            let used: Vec<usize> = matched.iter().flatten().copied().collect();
            let different: std::collections::HashSet<_> = used.iter().collect();
            prop_assert_eq!(different.len(), used.len());
            prop_assert_eq!(used.len(), rows.min(columns));
            let cells = matched.iter().enumerate();
            let total: f64 =
                cells.filter_map(|(row, at)| at.map(|at| values[row * columns + at])).sum();
            prop_assert_eq!(total, largest(&values, columns, 0, 0));
        }
    }
}
