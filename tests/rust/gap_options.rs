//! What a gap matrix can be held against, and how its cells are judged.

use approx::assert_relative_eq;
use ilk::Error;
use ilk::gap::cube::GapCube;
use ilk::gap::{
    Against, Amount, Axis, GapMatrix, Options, Records, Reference, Roles, Status, Test, gap_matrix,
    read_amounts,
};
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::Table;

fn axis(name: &str, n: usize) -> Axis {
    Axis::of(name, (0..n).map(|k| format!("{name}{k}")).collect())
}

/// The matrix of counts, one entry for each cell.
fn counted(counts: &[&[u64]], options: &Options) -> Result<GapMatrix, Error> {
    let n_cols = counts[0].len();
    let cells: Vec<u64> = counts.concat();
    let rows: Vec<u32> = (0..cells.len()).map(|cell| (cell / n_cols) as u32).collect();
    let cols: Vec<u32> = (0..cells.len()).map(|cell| (cell % n_cols) as u32).collect();
    let records = Records { rows: &rows, cols: &cols, counts: Some(&cells), ..Records::default() };
    gap_matrix(&axis("r", counts.len()), &axis("c", n_cols), records, options, &Monitor::new())
}

fn reference(counts: &[&[u64]]) -> Against {
    let made = counted(counts, &Options { min_count: 0.0, ..Options::default() }).unwrap();
    let cells: Vec<ilk::gap::Cell> = (0..made.n.len())
        .map(|at| ilk::gap::Cell {
            n: made.n[at],
            sum: made.observed[at],
            squares: made.observed[at],
        })
        .collect();
    let (rows, cols) = (made.rows.clone(), made.cols.clone());
    let cells = ilk::gap::Cells {
        n_rows: rows.categories.len(),
        n_cols: cols.categories.len(),
        n_records: 0,
        missing_rows: 0,
        missing_cols: 0,
        missing_values: 0,
        cells,
    };
    Against::Reference(Box::new(Reference { rows, cols, cells }))
}

const MEALS: [&[u64]; 3] = [&[40, 10, 30], &[20, 30, 50], &[15, 35, 70]];

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn shares(amounts: &[(&str, f64)]) -> Vec<Amount> {
    amounts
        .iter()
        .map(|&(col, amount)| Amount { row: None, col: Some(names(&[col])), amount })
        .collect()
}

#[test]
fn counts_are_as_many_equal_records() {
    let mut rng = Rng::stream(1, Stage::Sample, 0);
    let n = 300;
    let draw = |rng: &mut Rng, below: usize| (0..n).map(|_| rng.below(below) as u32).collect();
    let (rows, cols): (Vec<u32>, Vec<u32>) = (draw(&mut rng, 3), draw(&mut rng, 4));
    let values: Vec<f64> = (0..n).map(|_| (rng.exponential() * 8.0).round() / 4.0).collect();
    let counts: Vec<u64> = (0..n).map(|_| rng.below(4) as u64).collect();
    let customers: Vec<u32> = draw(&mut rng, 60);
    let each = |codes: &[u32]| -> Vec<u32> {
        codes.iter().zip(&counts).flat_map(|(&code, &n)| vec![code; n as usize]).collect()
    };
    let (all_rows, all_cols, all_customers) = (each(&rows), each(&cols), each(&customers));
    let all_values: Vec<f64> =
        values.iter().zip(&counts).flat_map(|(&value, &n)| vec![value; n as usize]).collect();
    for (weighted, by_customer) in [(false, false), (true, false), (false, true), (true, true)] {
        let few = Records {
            rows: &rows,
            cols: &cols,
            values: weighted.then_some(("money", values.as_slice())),
            counts: Some(&counts),
            customers: by_customer.then_some(("who", customers.as_slice())),
        };
        let many = Records {
            rows: &all_rows,
            cols: &all_cols,
            values: weighted.then_some(("money", all_values.as_slice())),
            counts: None,
            customers: by_customer.then_some(("who", all_customers.as_slice())),
        };
        let [few, many] = [few, many].map(|records| {
            gap_matrix(&axis("r", 3), &axis("c", 4), records, &Options::default(), &Monitor::new())
                .unwrap()
        });
        assert_eq!(few.n, many.n);
        assert_eq!(few.status, many.status);
        for cell in 0..12 {
            for (a, b) in [
                (few.observed[cell], many.observed[cell]),
                (few.residual[cell], many.residual[cell]),
                (few.index_hi[cell], many.index_hi[cell]),
                (few.index_shrunk[cell], many.index_shrunk[cell]),
            ] {
                assert_relative_eq!(a, b, max_relative = 1e-9);
            }
        }
    }
}

#[test]
fn need_is_supply_with_the_sides_turned() {
    let amounts = shares(&[("c0", 2.0), ("c1", 1.0), ("c2", 1.0)]);
    let [supply, need] = [Against::Supply(amounts.clone()), Against::Need(amounts)]
        .map(|against| counted(&MEALS, &Options { against, ..Options::default() }).unwrap());
    assert_eq!(supply.expected, need.expected);
    assert_eq!(supply.residual, need.residual);
    for cell in 0..9 {
        assert_eq!(supply.gap_value[cell], -need.gap_value[cell]);
        assert_eq!(supply.gap_value_lo[cell], -need.gap_value_hi[cell]);
        let turned = match supply.status[cell] {
            Status::Gap => Status::Saturated,
            Status::Saturated => Status::Gap,
            other => other,
        };
        assert_eq!(need.status[cell], turned);
    }
    assert!(need.gaps(1)[0].sentence.contains("share of the need of"));
}

#[test]
fn another_period_is_compared_as_two_shares_are() {
    let then: [&[u64]; 3] = [&[30, 30, 40], &[50, 40, 60], &[30, 60, 90]];
    let options = Options { against: reference(&then), ..Options::default() };
    let gaps = counted(&MEALS, &options).unwrap();
    for cell in 0..9 {
        let (i, j) = (cell / 3, cell % 3);
        let (n, m) = (MEALS[i].iter().sum::<u64>() as f64, then[i].iter().sum::<u64>() as f64);
        let (p, q) = (MEALS[i][j] as f64 / n, then[i][j] as f64 / m);
        let pooled = (p * n + q * m) / (n + m);
        let z = (p - q) / (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
        assert_relative_eq!(gaps.expected[cell], n * q, max_relative = 1e-12);
        assert_relative_eq!(gaps.residual[cell], z, max_relative = 1e-12);
        // The logarithm of a ratio of two shares.
        let se = ((1.0 - p) / (n * p) + (1.0 - q) / (m * q)).sqrt();
        let hi = p / q * (1.959_963_984_540_054 * se).exp();
        assert_relative_eq!(gaps.index_hi[cell], hi, max_relative = 1e-9);
    }
    assert!(gaps.gaps(9).iter().any(|gap| gap.sentence.contains("in the other period")));
    // A column that is gone is shown, and is the gap; one that is new had nothing expected of it.
    let then: [&[u64]; 3] = [&[30, 30, 0, 40], &[50, 40, 0, 60], &[30, 60, 0, 90]];
    let now: [&[u64]; 3] = [&[40, 0, 30, 30], &[20, 0, 50, 50], &[15, 0, 70, 60]];
    let options = Options { against: reference(&then), ..Options::default() };
    let gaps = counted(&now, &options).unwrap();
    let at = |name: &str| gaps.cols.categories.iter().position(|col| col == name).unwrap();
    assert_eq!(gaps.status[at("c1")], Status::Empty);
    assert_eq!(gaps.expected[at("c1")], 30.0);
    assert_eq!((gaps.expected[at("c2")], gaps.status[at("c2")]), (0.0, Status::Saturated));
    assert!(gaps.residual[at("c2")].is_finite());
}

#[test]
fn a_row_that_the_other_period_lacks_is_named() {
    let options = Options { against: reference(&MEALS[..2]), ..Options::default() };
    let text = counted(&MEALS, &options).unwrap_err().to_string();
    assert!(text.contains("reference: found nothing for the row \"r2\""), "{text}");
}

#[test]
fn gaps_are_told_in_what_a_unit_is_worth() {
    let plain = counted(&MEALS, &Options::default()).unwrap();
    let mut worth = shares(&[("c0", 2.0), ("c1", 0.5), ("c2", 10.0)]);
    let valued = counted(&MEALS, &Options { worth: worth.clone(), ..Options::default() }).unwrap();
    for cell in 0..9 {
        let unit = [2.0, 0.5, 10.0][cell % 3];
        assert_relative_eq!(valued.gap_value[cell], unit * plain.gap_value[cell]);
        assert_relative_eq!(valued.gap_value_hi[cell], unit * plain.gap_value_hi[cell]);
        assert_eq!(valued.residual[cell], plain.residual[cell]);
    }
    assert_eq!(valued.gaps(9)[0].cell, 2);
    assert_eq!(plain.gaps(9)[0].cell, 6);
    worth.pop();
    let text = counted(&MEALS, &Options { worth, ..Options::default() }).unwrap_err().to_string();
    assert!(text.contains("value: found nothing for \"r0\" and \"c2\""), "{text}");
    let worth = shares(&[("c9", 1.0)]);
    let text = counted(&MEALS, &Options { worth, ..Options::default() }).unwrap_err().to_string();
    assert!(text.contains("value: found \"c9\", but the categories of \"c\""), "{text}");
}

#[test]
fn exact_p_values_are_those_of_fisher() {
    // Fisher's tea: 17/35 on both sides.
    let options = Options { test: Test::Exact, min_count: 0.0, ..Options::default() };
    let tea = counted(&[&[3, 1], &[1, 3]], &options).unwrap();
    for cell in 0..4 {
        assert_relative_eq!(tea.p[cell], 34.0 / 70.0, max_relative = 1e-9);
    }
    let against = Against::Need(shares(&[("c0", 1.0), ("c1", 3.0)]));
    let need = counted(&[&[3, 1], &[1, 3]], &Options { against, ..options.clone() }).unwrap();
    // Three or four of four, each with probability 1/4: 13/256.
    assert_relative_eq!(need.p[0], 13.0 / 256.0, max_relative = 1e-9);
    let against = reference(&[&[1, 3], &[3, 1]]);
    let then = counted(&[&[3, 1], &[1, 3]], &Options { against, ..options.clone() }).unwrap();
    assert_relative_eq!(then.p[0], 34.0 / 70.0, max_relative = 1e-9);
    for (counts, zeros) in [(&[1_u64, 2][..], true), (&[1, 2], false)] {
        let structural_zeros =
            if zeros { vec![(names(&["r1"]), names(&["c0"]))] } else { Vec::new() };
        let options = Options { structural_zeros, ..options.clone() };
        let made = counted(&[counts, &[0, 4], &[4, 4]], &options);
        assert_eq!(made.is_err(), zeros);
    }
}

#[test]
fn random_tables_agree_with_the_exact_law() {
    let counts: [&[u64]; 3] = [&[6, 1, 2], &[1, 5, 3], &[0, 2, 7]];
    let options = Options { min_count: 0.0, n_resamples: 40_000, ..Options::default() };
    let exact = counted(&counts, &Options { test: Test::Exact, ..options.clone() }).unwrap();
    let monte_carlo = Options { test: Test::MonteCarlo, ..options };
    let drawn = counted(&counts, &monte_carlo).unwrap();
    for cell in 0..9 {
        // The two tails: everything as unlikely, against everything as far off. Both are close where the law is bell-shaped.
        let (p, q) = (drawn.p[cell], exact.p[cell]);
        let sd = (q * (1.0 - q) / 40_000.0).sqrt();
        assert!((p - q).abs() < 5.0 * sd + 0.08 * q + 1e-3, "cell {cell}: {p} and {q}");
    }
    assert_eq!(drawn, counted(&counts, &monte_carlo).unwrap());
    // 949 of 400,000 tables drawn by SciPy 1.17 (`random_table`) have at least this chi-squared.
    let p = drawn.p_value.unwrap();
    assert!((p - 0.002_372).abs() < 5.0 * (0.002_372_f64 / 40_000.0).sqrt(), "{p}");
}

#[test]
fn thin_cells_are_drawn_towards_one() {
    let counts: [&[u64]; 3] = [&[400, 900, 3], &[1200, 300, 0], &[700, 750, 9]];
    let gaps = counted(&counts, &Options::default()).unwrap();
    for cell in 0..9 {
        let (index, shrunk) = (gaps.index[cell], gaps.index_shrunk[cell]);
        assert!((shrunk - 1.0).abs() <= (index - 1.0).abs() + 1e-12);
        assert!((shrunk - 1.0) * (index - 1.0) >= 0.0);
        assert!(gaps.index_shrunk_lo[cell] < shrunk && shrunk < gaps.index_shrunk_hi[cell]);
    }
    let moved = |cell: usize| 1.0 - (gaps.index_shrunk[cell] - 1.0) / (gaps.index[cell] - 1.0);
    assert!(moved(8) > 0.2 && moved(0) < 0.05, "{} and {}", moved(8), moved(0));
}

#[test]
fn drawn_tables_give_the_intervals_that_linearisation_gives() {
    let mut rng = Rng::stream(4, Stage::Sample, 0);
    let n = 40_000;
    let rows: Vec<u32> = (0..n).map(|_| rng.below(3) as u32).collect();
    let cols: Vec<u32> =
        rows.iter().map(|&row| ((rng.below(4) + row as usize * rng.below(2)) % 4) as u32).collect();
    let values: Vec<f64> = (0..n).map(|_| rng.exponential()).collect();
    let customers: Vec<u32> = (0..n as u32).collect();
    let against = [
        Against::Totals,
        Against::Supply(shares(&[("c0", 1.0), ("c1", 1.0), ("c2", 1.0), ("c3", 2.0)])),
    ];
    for (weighted, alone) in [(false, false), (true, false), (true, true)] {
        for against in &against {
            let records = Records {
                rows: &rows,
                cols: &cols,
                values: weighted.then_some(("money", values.as_slice())),
                counts: None,
                customers: alone.then_some(("who", customers.as_slice())),
            };
            let of = |n_boot: usize| {
                let options =
                    Options { n_boot, seed: 9, against: against.clone(), ..Options::default() };
                gap_matrix(&axis("r", 3), &axis("c", 4), records, &options, &Monitor::new())
                    .unwrap()
            };
            let (linear, drawn) = (of(0), of(400));
            for cell in 0..12 {
                let width = linear.index_hi[cell] - linear.index_lo[cell];
                let other = drawn.index_hi[cell] - drawn.index_lo[cell];
                assert!((other / width - 1.0).abs() < 0.2, "cell {cell}: {other} and {width}");
                assert!(drawn.gap_value_lo[cell] < drawn.gap_value[cell]);
                assert!(drawn.gap_value[cell] < drawn.gap_value_hi[cell]);
            }
            assert_eq!(drawn, of(400));
        }
    }
}

#[test]
fn nothing_is_left_of_hidden_cells() {
    let counts: [&[u64]; 4] =
        [&[40, 10, 30, 4], &[20, 30, 50, 60], &[15, 35, 70, 3], &[50, 60, 70, 80]];
    let shown = counted(&counts, &Options::default()).unwrap();
    let gaps = counted(&counts, &Options { suppress: Some(10), ..Options::default() }).unwrap();
    let hidden: Vec<usize> = (0..16).filter(|&cell| gaps.status[cell] == Status::Hidden).collect();
    assert!(hidden.contains(&3) && hidden.contains(&11) && hidden.len() >= 4);
    for cell in 0..16 {
        if hidden.contains(&cell) {
            assert_eq!(gaps.n[cell], 0);
            let figures = [&gaps.observed, &gaps.expected, &gaps.index, &gaps.residual, &gaps.q];
            assert!(figures.iter().all(|figure| figure[cell].is_nan()));
            assert!(gaps.index_shrunk[cell].is_nan() && gaps.gap_value_hi[cell].is_nan());
        } else {
            assert_eq!(gaps.residual[cell], shown.residual[cell]);
        }
    }
    assert_eq!((gaps.chi2, gaps.p_value), (None, None));
    let back: GapMatrix = from_json(&to_json(&gaps).unwrap()).unwrap();
    assert_eq!(back.status, gaps.status);
    let text = gaps.explain().join(" ");
    assert!(text.contains("hidden") && text.contains("fewer than 10 records"), "{text}");
}

fn purchases(rng: &mut Rng, n: usize, factor: [f64; 2]) -> Table {
    let (mut region, mut who, mut when, mut size) = (vec![], vec![], vec![], vec![]);
    for _ in 0..n {
        let segment = rng.below(2);
        let row = rng.below(3);
        let col = loop {
            let col = rng.below(4);
            let keep = if (row, col) == (0, 0) { factor[segment] } else { 1.0 };
            if rng.uniform() * 2.0 < keep {
                break col;
            }
        };
        region.push(["north", "south"][segment]);
        who.push(["a", "b", "c"][row]);
        when.push(["v", "w", "x", "y"][col]);
        size.push(["large", "small"][rng.below(2)]);
    }
    Table::builder()
        .text("region", region)
        .text("who", who)
        .text("when", when)
        .text("size", size)
        .finish()
        .unwrap()
}

fn roles(rows: &[&str], cols: &[&str]) -> Roles {
    Roles { rows: names(rows), cols: names(cols), ..Roles::default() }
}

fn cube(table: &Table) -> Result<GapCube, Error> {
    let roles = roles(&["who"], &["when"]);
    GapCube::from_table(table, &roles, "region", &Options::default(), &Monitor::new())
}

#[test]
fn segments_with_the_same_gap_differ_at_the_promised_rate_and_others_are_found() {
    let (mut found, mut tested, mut missed) = (0.0, 0.0, 0);
    for seed in 0..60 {
        let mut rng = Rng::stream(seed, Stage::Sample, 1);
        let same = cube(&purchases(&mut rng, 6_000, [0.4, 0.4])).unwrap();
        found += same.p.iter().filter(|&&p| p <= 0.05).count() as f64;
        tested += same.p.len() as f64;
        let other = cube(&purchases(&mut rng, 6_000, [0.4, 1.6])).unwrap();
        missed += usize::from(other.differences(1) != [0] || other.q[0] > 0.05);
    }
    // Cells of one table go together, so the rate scatters more than 720 independent tests would.
    assert!((0.02..0.085).contains(&(found / tested)), "{}", found / tested);
    assert!(missed <= 1, "{missed}");
}

#[test]
fn a_cube_holds_the_matrix_of_each_segment() {
    let mut rng = Rng::stream(5, Stage::Sample, 2);
    let table = purchases(&mut rng, 2_000, [1.0, 0.3]);
    let cube = cube(&table).unwrap();
    assert_eq!(cube.segments, ["north", "south"]);
    let total: u64 = cube.matrices.iter().flat_map(|matrix| &matrix.n).sum();
    assert_eq!(total, 2_000);
    assert_eq!(cube.table().unwrap().n_rows(), 24);
    let back: GapCube = from_json(&to_json(&cube).unwrap()).unwrap();
    assert_eq!(back, cube);
    assert!(cube.of("south").is_ok());
    let text = cube.of("west").unwrap_err().to_string();
    assert!(text.contains("the segments are"), "{text}");
    let none = Options { suppress: Some(5), ..Options::default() };
    let roles = roles(&["who"], &["when"]);
    assert!(GapCube::from_table(&table, &roles, "region", &none, &Monitor::new()).is_err());
    assert!(
        GapCube::from_table(&table, &roles, "who", &Options::default(), &Monitor::new()).is_err()
    );
}

#[test]
fn several_columns_are_crossed() {
    let mut rng = Rng::stream(6, Stage::Sample, 3);
    let table = purchases(&mut rng, 3_000, [0.4, 0.4]);
    let of = |roles: &Roles, options: &Options| {
        GapMatrix::from_table(&table, roles, options, &Monitor::new())
    };
    let crossed = of(&roles(&["who", "size"], &["when"]), &Options::default()).unwrap();
    assert_eq!(crossed.rows.name, "who · size");
    assert_eq!(crossed.rows.categories.len(), 6);
    assert_eq!(crossed.rows.categories[1], "a · small");
    assert_eq!(crossed.table().unwrap().names()[..3], ["who", "size", "when"]);
    // Adding up over the sizes gives the matrix without them.
    let plain = of(&roles(&["who"], &["when"]), &Options::default()).unwrap();
    for cell in 0..12 {
        let (i, j) = (cell / 4, cell % 4);
        assert_eq!(plain.n[cell], crossed.n[8 * i + j] + crossed.n[8 * i + 4 + j]);
    }
    let zero = (names(&["a", "small"]), names(&["v"]));
    let text = of(
        &roles(&["who", "size"], &["when"]),
        &Options { structural_zeros: vec![zero], ..Options::default() },
    )
    .unwrap_err()
    .to_string();
    assert!(text.contains("(\"a · small\", \"v\"), which has"), "{text}");
    for (rows, cols) in
        [(&["who", "who"][..], &["when"][..]), (&["who"], &["who", "when"]), (&[], &["when"])]
    {
        assert!(of(&roles(rows, cols), &Options::default()).is_err());
    }
}

#[test]
fn weights_of_a_survey_scale_sums_and_not_residuals() {
    let table = |weight: f64| {
        let mut rng = Rng::stream(7, Stage::Sample, 4);
        let n = 900;
        let who: Vec<&str> = (0..n).map(|_| ["a", "b", "c"][rng.below(3)]).collect();
        let when: Vec<&str> = (0..n).map(|_| ["v", "w"][rng.below(2)]).collect();
        let weights: Vec<f64> = (0..n).map(|_| weight * (0.5 + rng.uniform())).collect();
        Table::builder()
            .text("who", who)
            .text("when", when)
            .float("weight", weights)
            .finish()
            .unwrap()
    };
    let weighted = Roles { weights: Some("weight".to_string()), ..roles(&["who"], &["when"]) };
    let of = |table: &Table, roles: &Roles| {
        GapMatrix::from_table(table, roles, &Options::default(), &Monitor::new()).unwrap()
    };
    let (one, ten) = (of(&table(1.0), &weighted), of(&table(10.0), &weighted));
    let plain = of(&table(1.0), &roles(&["who"], &["when"]));
    assert_eq!(one.n, plain.n);
    for cell in 0..6 {
        assert_relative_eq!(10.0 * one.observed[cell], ten.observed[cell], max_relative = 1e-12);
        assert_relative_eq!(one.residual[cell], ten.residual[cell], max_relative = 1e-9);
        assert_relative_eq!(one.index_hi[cell], ten.index_hi[cell], max_relative = 1e-9);
        // Unequal weights cost precision.
        let width = |gaps: &GapMatrix| gaps.index_hi[cell] / gaps.index_lo[cell];
        assert!(width(&one) > width(&plain));
    }
    assert_eq!(one.weights.as_deref(), Some("weight"));
}

#[test]
fn amounts_are_read_by_column_cell_and_for_all() {
    let roles = roles(&["who"], &["when"]);
    let of = |table: Table| read_amounts(&table, "value", &roles);
    let alone = of(Table::builder().float("amount", [2.5]).finish().unwrap()).unwrap();
    assert_eq!(alone, [Amount { row: None, col: None, amount: 2.5 }]);
    let by_row = Table::builder().text("who", ["a", "b"]).float("worth", [1.0, 2.0]);
    assert_eq!(of(by_row.finish().unwrap()).unwrap()[1].row, Some(names(&["b"])));
    let two = Table::builder().float("x", [1.0]).float("y", [1.0]).finish().unwrap();
    let text = of(two).unwrap_err().to_string();
    assert!(text.contains("one column of amounts"), "{text}");
}
