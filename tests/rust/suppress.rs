//! Laws of hiding small cells.

use ilk::gap::Axis;
use ilk::gap::suppress::{Cover, bounds, suppress};
use ilk::rng::{Rng, Stage};
use proptest::prelude::*;

fn axis(name: &str, n: usize) -> Axis {
    Axis::of(name, (0..n).map(|k| format!("{name}{k}")).collect())
}

fn cover_of(n: &[u64], n_cols: usize, possible: &[bool], limit: u64) -> ilk::Result<Vec<Cover>> {
    suppress(&axis("r", n.len() / n_cols), &axis("c", n_cols), n, possible, limit)
}

fn hidden_of(cover: &[Cover]) -> Vec<bool> {
    cover.iter().map(|&cell| cell != Cover::Shown).collect()
}

/// Every table with the totals of `n` and its shown cells, one by one: the slow twin of [`bounds`].
fn every_table(n: &[u64], n_cols: usize, hidden: &[bool]) -> Vec<Vec<u64>> {
    let n_rows = n.len() / n_cols;
    let of_hidden = |cell: usize| if hidden[cell] { n[cell] } else { 0 };
    let rows: Vec<u64> =
        (0..n_rows).map(|i| (0..n_cols).map(|j| of_hidden(i * n_cols + j)).sum()).collect();
    let cols: Vec<u64> =
        (0..n_cols).map(|j| (0..n_rows).map(|i| of_hidden(i * n_cols + j)).sum()).collect();
    let mut found = Vec::new();
    fill(0, n, hidden, &mut n.to_vec(), rows, cols, &mut found);
    found
}

fn fill(
    cell: usize,
    n: &[u64],
    hidden: &[bool],
    table: &mut Vec<u64>,
    mut rows: Vec<u64>,
    mut cols: Vec<u64>,
    found: &mut Vec<Vec<u64>>,
) {
    let n_cols = cols.len();
    if cell == n.len() {
        if rows.iter().chain(&cols).all(|&left| left == 0) {
            found.push(table.clone());
        }
        return;
    }
    let (i, j) = (cell / n_cols, cell % n_cols);
    // A row that has ended must have given out all it has.
    if j == 0 && i > 0 && rows[i - 1] > 0 {
        return;
    }
    if !hidden[cell] {
        return fill(cell + 1, n, hidden, table, rows, cols, found);
    }
    let (row, col) = (rows[i], cols[j]);
    for count in 0..=row.min(col) {
        table[cell] = count;
        rows[i] = row - count;
        cols[j] = col - count;
        fill(cell + 1, n, hidden, table, rows.clone(), cols.clone(), found);
    }
}

fn slow_bounds(n: &[u64], n_cols: usize, hidden: &[bool]) -> Vec<(u64, u64)> {
    let tables = every_table(n, n_cols, hidden);
    let of = |cell: usize| tables.iter().map(move |table| table[cell]);
    (0..n.len()).map(|cell| (of(cell).min().unwrap(), of(cell).max().unwrap())).collect()
}

/// A table of up to 3 by 3 cells, most of them small, with a mark for each cell.
fn small_tables() -> impl Strategy<Value = (usize, Vec<u64>, Vec<bool>)> {
    (1usize..=3, 1usize..=3).prop_flat_map(|(n_rows, n_cols)| {
        let size = n_rows * n_cols;
        let count = prop_oneof![2 => Just(0u64), 4 => 1u64..4, 2 => 4u64..9];
        let counts = prop::collection::vec(count, size);
        (Just(n_cols), counts, prop::collection::vec(prop::bool::weighted(0.7), size))
    })
}

/// The table of a seed: counts from a product of margins, many of them small.
fn drawn(n_rows: usize, n_cols: usize, mean: f64, seed: u64) -> Vec<u64> {
    let mut rng = Rng::stream(seed, Stage::Sample, 0);
    let rows: Vec<f64> = (0..n_rows).map(|_| rng.uniform() + 0.1).collect();
    let cols: Vec<f64> = (0..n_cols).map(|_| rng.uniform() + 0.1).collect();
    (0..n_rows * n_cols)
        .map(|cell| {
            let expected = 2.8 * mean * rows[cell / n_cols] * cols[cell % n_cols];
            (expected * 2.0 * rng.uniform()) as u64
        })
        .collect()
}

/// Each small cell is hidden and as uncertain as it should be, and nothing hidden can be worked out.
fn assert_protected(n: &[u64], n_cols: usize, possible: &[bool], limit: u64, cover: &[Cover]) {
    let hidden = hidden_of(cover);
    let found = bounds(n, n_cols, &hidden).unwrap();
    let widest = bounds(n, n_cols, possible).unwrap();
    for (cell, &(low, high)) in found.iter().enumerate() {
        let is_small = n[cell] > 0 && n[cell] < limit;
        assert_eq!(is_small, cover[cell] == Cover::Small, "cell {cell}");
        assert!(low <= n[cell] && n[cell] <= high, "cell {cell}");
        if hidden[cell] {
            assert!(possible[cell], "cell {cell} cannot occur and is hidden");
            assert!(low < high, "cell {cell} is {low}");
        }
        if is_small {
            let most = widest[cell].1 - widest[cell].0;
            assert!(high - low >= limit.min(most), "cell {cell}: {low} to {high} of {most}");
        }
    }
}

proptest! {
    #[test]
    fn bounds_are_those_of_every_table((n_cols, n, hidden) in small_tables()) {
        prop_assert_eq!(bounds(&n, n_cols, &hidden).unwrap(), slow_bounds(&n, n_cols, &hidden));
    }

    #[test]
    fn small_cells_cannot_be_worked_out((n_cols, n, marks) in small_tables(), limit in 2u64..7) {
        let possible: Vec<bool> = n.iter().zip(&marks).map(|(&n, &mark)| n > 0 || mark).collect();
        let widest = slow_bounds(&n, n_cols, &possible);
        let small = |cell: &usize| n[*cell] > 0 && n[*cell] < limit;
        let given_away = (0..n.len()).filter(small).any(|cell| widest[cell].0 == widest[cell].1);
        match cover_of(&n, n_cols, &possible, limit) {
            Ok(cover) => {
                prop_assert!(!given_away);
                let found = slow_bounds(&n, n_cols, &hidden_of(&cover));
                for (cell, (low, high)) in found.into_iter().enumerate() {
                    prop_assert_eq!(small(&cell), cover[cell] == Cover::Small);
                    if small(&cell) {
                        prop_assert!(high - low >= limit.min(widest[cell].1 - widest[cell].0));
                    }
                    prop_assert!(cover[cell] == Cover::Shown || (low < high && possible[cell]));
                }
            }
            Err(error) => {
                prop_assert!(given_away, "{}", error);
                prop_assert!(error.to_string().contains("follows from the totals"));
            }
        }
    }

    #[test]
    fn no_further_cell_is_hidden_in_vain((n_cols, n, _) in small_tables(), limit in 2u64..7) {
        let possible = vec![true; n.len()];
        let Ok(cover) = cover_of(&n, n_cols, &possible, limit) else { return Ok(()) };
        let found = bounds(&n, n_cols, &hidden_of(&cover)).unwrap();
        let wanted = |cell: usize| match cover[cell] {
            Cover::Shown => 0,
            Cover::Small => limit.min(found[cell].1 - found[cell].0),
            Cover::Complementary => 1,
        };
        for spare in (0..n.len()).filter(|&cell| cover[cell] == Cover::Complementary) {
            let mut hidden = hidden_of(&cover);
            hidden[spare] = false;
            let without = bounds(&n, n_cols, &hidden).unwrap();
            let weaker = (0..n.len())
                .filter(|&cell| cell != spare)
                .any(|cell| without[cell].1 - without[cell].0 < wanted(cell));
            prop_assert!(weaker, "cell {} of {:?} is hidden in vain", spare, n);
        }
    }
}

#[test]
fn one_small_cell_takes_the_cheapest_rectangle_with_it() {
    #[rustfmt::skip]
    let n = [
        3, 50, 90, 80,
        70, 20, 60, 75,
        95, 30, 40, 85,
    ];
    let cover = cover_of(&n, 4, &[true; 12], 10).unwrap();
    let hidden: Vec<usize> = (0..12).filter(|&cell| cover[cell] != Cover::Shown).collect();
    // 50 + 20 + 70 is less than any other rectangle through the first cell.
    assert_eq!(hidden, [0, 1, 4, 5]);
    assert_eq!(cover[0], Cover::Small);
    let ends = bounds(&n, 4, &hidden_of(&cover)).unwrap();
    assert_eq!((ends[0], ends[5]), ((0, 53), (17, 70)));
}

#[test]
fn nothing_small_hides_nothing() {
    let cover = cover_of(&[10, 0, 25, 40], 2, &[true; 4], 10).unwrap();
    assert_eq!(cover, [Cover::Shown; 4]);
}

#[test]
fn small_cells_that_protect_each_other_need_no_others() {
    // Each hidden cell can be 0 to 9 + 9: four fives would do for a limit of 10 as well.
    let n = [9, 9, 100, 9, 9, 100, 100, 100, 100];
    let cover = cover_of(&n, 3, &[true; 9], 10).unwrap();
    assert_eq!(cover.iter().filter(|&&cell| cell != Cover::Shown).count(), 4);
}

#[test]
fn a_cell_that_its_totals_give_away_is_refused_by_name() {
    // The only cell of its row that can occur.
    let possible = [true, false, false, true, true, true];
    let error = cover_of(&[3, 0, 0, 40, 50, 60], 3, &possible, 10).unwrap_err().to_string();
    assert!(error.contains("r \"r0\" and c \"c0\""), "{error}");
    assert!(error.contains("try: df[\"r\"] = df[\"r\"].replace(\"r0\", \"other\")"), "{error}");
    let error = cover_of(&[3, 50], 2, &[true; 2], 10).unwrap_err().to_string();
    assert!(error.contains("follows from the totals"), "{error}");
}

#[test]
fn limits_and_shapes_that_make_no_sense_are_refused() {
    let error = cover_of(&[3, 4, 5, 6], 2, &[true; 4], 1).unwrap_err().to_string();
    assert!(error.contains("suppress: found 1") && error.contains("suppress=10"), "{error}");
    let error = cover_of(&[3, 4, 5, 6], 2, &[true; 3], 5).unwrap_err().to_string();
    assert!(error.contains("3 cells that can occur"), "{error}");
    let error = cover_of(&[u64::MAX, 4, 5, 6], 2, &[true; 4], 5).unwrap_err().to_string();
    assert!(error.contains("64 bits"), "{error}");
    assert!(bounds(&[1, 2], 2, &[true]).is_err());
    assert_eq!(bounds(&[], 0, &[]).unwrap(), []);
}

#[test]
fn a_limit_beyond_all_records_hides_all_that_it_can() {
    let n = [3, 4, 5, 6];
    let cover = cover_of(&n, 2, &[true; 4], u64::MAX).unwrap();
    assert_eq!(cover, [Cover::Small; 4]);
}

#[test]
fn tables_of_usual_and_of_large_size_are_protected() {
    let shapes = [(12, 10, 200.0), (12, 10, 8.0), (60, 40, 400.0), (60, 40, 40.0), (60, 40, 3.0)];
    for (n_rows, n_cols, mean) in shapes {
        for seed in 0..3 {
            let n = drawn(n_rows, n_cols, mean, seed);
            let possible = vec![true; n.len()];
            let cover = cover_of(&n, n_cols, &possible, 10).unwrap();
            assert_protected(&n, n_cols, &possible, 10, &cover);
            assert_eq!(cover, cover_of(&n, n_cols, &possible, 10).unwrap());
        }
    }
}

#[test]
fn cells_that_cannot_occur_are_never_hidden_and_protect_nothing() {
    for seed in 0..5 {
        let mut n = drawn(12, 10, 30.0, seed);
        let possible: Vec<bool> = (0..n.len()).map(|cell| cell % 7 != 3).collect();
        for (count, &possible) in n.iter_mut().zip(&possible) {
            *count *= u64::from(possible);
        }
        let cover = cover_of(&n, 10, &possible, 10).unwrap();
        assert_protected(&n, 10, &possible, 10, &cover);
    }
}

#[test]
fn little_more_is_given_up_than_by_the_best_choice() {
    let (n_cols, limit) = (4, 10);
    let (mut given_up, mut least, mut tables) = (0, 0, 0);
    for seed in 0..200 {
        let n = drawn(4, n_cols, 60.0, 1_000 + seed);
        let (small, others): (Vec<usize>, Vec<usize>) =
            (0..n.len()).partition(|&cell| n[cell] > 0 && n[cell] < limit);
        if small.is_empty() || small.len() > 5 {
            continue;
        }
        let widest = bounds(&n, n_cols, &[true; 16]).unwrap();
        let cost = |hidden: &[bool]| -> u64 {
            others.iter().filter(|&&cell| hidden[cell]).map(|&cell| n[cell] + 1).sum()
        };
        let cover = cover_of(&n, n_cols, &[true; 16], limit).unwrap();
        let found = cost(&hidden_of(&cover));
        let mut best = found;
        for set in 0u32..1 << others.len() {
            let mut hidden = vec![false; n.len()];
            small.iter().for_each(|&cell| hidden[cell] = true);
            others.iter().enumerate().for_each(|(k, &cell)| hidden[cell] = set >> k & 1 == 1);
            if cost(&hidden) >= best {
                continue;
            }
            let ends = bounds(&n, n_cols, &hidden).unwrap();
            let width = |cell: usize| ends[cell].1 - ends[cell].0;
            let protects =
                small.iter().all(|&cell| width(cell) >= limit.min(widest[cell].1 - widest[cell].0))
                    && others.iter().all(|&cell| !hidden[cell] || width(cell) > 0);
            if protects {
                best = cost(&hidden);
            }
        }
        given_up += found;
        least += best;
        tables += 1;
    }
    assert!(tables > 100);
    assert!(given_up as f64 <= 1.1 * least as f64, "{given_up} instead of {least}");
}
