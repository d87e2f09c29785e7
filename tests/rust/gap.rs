//! Laws and references of the gap matrix.

use std::f64::consts::SQRT_2;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ilk::Error;
use ilk::gap::{
    Against, Amount, Axis, Basis, Category, CrossTab, GapMatrix, Options, Records, Status,
    gap_matrix,
};
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use proptest::prelude::*;

const MISSING: u32 = u32::MAX;

/// One record per unit of each count, row by row.
fn expand(counts: &[&[usize]]) -> (Vec<u32>, Vec<u32>) {
    let (mut rows, mut cols) = (Vec::new(), Vec::new());
    for (i, line) in counts.iter().enumerate() {
        for (j, &n) in line.iter().enumerate() {
            rows.extend(vec![i as u32; n]);
            cols.extend(vec![j as u32; n]);
        }
    }
    (rows, cols)
}

fn axis(name: &str, n: usize) -> Axis {
    let categories = (0..n).map(|k| format!("{name}{k}")).collect();
    Axis::of(name, categories)
}

fn of_counts(counts: &[&[usize]], options: &Options) -> Result<GapMatrix, Error> {
    let (rows, cols) = expand(counts);
    let records = Records { rows: &rows, cols: &cols, ..Records::default() };
    gap_matrix(
        &axis("r", counts.len()),
        &axis("c", counts[0].len()),
        records,
        options,
        &Monitor::new(),
    )
}

fn of_values(
    shape: (usize, usize),
    rows: &[u32],
    cols: &[u32],
    values: &[f64],
    options: &Options,
) -> Result<GapMatrix, Error> {
    let records = Records { rows, cols, values: Some(("money", values)), ..Records::default() };
    gap_matrix(&axis("r", shape.0), &axis("c", shape.1), records, options, &Monitor::new())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(Category, Category)> {
    pairs.iter().map(|(a, b)| (vec![a.to_string()], vec![b.to_string()])).collect()
}

const MEALS: [&[usize]; 3] = [&[40, 10, 30], &[20, 30, 50], &[15, 35, 70]];

#[test]
fn every_figure_of_the_meal_table_is_reproduced() {
    let gaps = of_counts(&MEALS, &Options::default()).unwrap();
    let expected = [20.0, 20.0, 40.0, 25.0, 25.0, 50.0, 30.0, 30.0, 60.0];
    let residual =
        [6.030227, -3.015113, -2.611165, -SQRT_2, SQRT_2, 0.0, -4.082483, 1.360828, 2.357023];
    let index = [2.0, 0.5, 0.75, 0.8, 1.2, 1.0, 0.5, 1.166667, 1.166667];
    for cell in 0..9 {
        assert_abs_diff_eq!(gaps.expected[cell], expected[cell], epsilon = 1e-12);
        assert_abs_diff_eq!(gaps.residual[cell], residual[cell], epsilon = 1e-6);
        assert_abs_diff_eq!(gaps.index[cell], index[cell], epsilon = 1e-6);
        assert_abs_diff_eq!(
            gaps.gap_value[cell],
            expected[cell] - gaps.observed[cell],
            epsilon = 1e-12
        );
    }
    assert_abs_diff_eq!(gaps.chi2.unwrap(), 39.5, epsilon = 1e-12);
    assert_eq!(gaps.dof, 4);
    // With four degrees of freedom the tail is exp(-x/2) (1 + x/2).
    assert_relative_eq!(gaps.p_value.unwrap(), (-19.75_f64).exp() * 20.75, max_relative = 1e-10);
}

/// The slow, obvious twin: classic counts, cell by cell, from the textbook.
fn classic_residual(counts: &[Vec<f64>], i: usize, j: usize) -> f64 {
    let row: f64 = counts[i].iter().sum();
    let col: f64 = counts.iter().map(|line| line[j]).sum();
    let n: f64 = counts.iter().flatten().sum();
    let expected = row * col / n;
    (counts[i][j] - expected) / (expected * (1.0 - row / n) * (1.0 - col / n)).sqrt()
}

/// The robust variance by its definition: a sum over all cells of squares times squared influence, with the projection
/// written out by a dense weighted least-squares fit of the log-linear model.
fn variance_by_definition(gaps: &GapMatrix, squares: &[f64], target: usize) -> f64 {
    let (n_rows, n_cols) = (gaps.rows.categories.len(), gaps.n_cols());
    let m = n_rows + n_cols;
    let filled =
        |v: &[f64]| v.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect::<Vec<_>>();
    let (expected, squares) = (filled(&gaps.expected), filled(squares));
    // Ridge-regularised normal equations: the ridge vanishes against the entries, and only the null space feels it.
    let mut normal = vec![vec![0.0; m + m]; m];
    let scale: f64 = expected.iter().sum();
    for (cell, e) in expected.iter().enumerate() {
        let (i, j) = (cell / n_cols, n_rows + cell % n_cols);
        for (a, b) in [(i, i), (j, j), (i, j), (j, i)] {
            normal[a][b] += e / scale;
        }
    }
    for (k, line) in normal.iter_mut().enumerate() {
        line[k] += 1e-11;
        line[m + k] = 1.0;
    }
    for pivot in 0..m {
        let best = (pivot..m)
            .max_by(|&a, &b| normal[a][pivot].abs().total_cmp(&normal[b][pivot].abs()))
            .unwrap_or(pivot);
        normal.swap(pivot, best);
        let head = normal[pivot].clone();
        for (row, line) in normal.iter_mut().enumerate() {
            let factor = line[pivot] / head[pivot];
            for (x, h) in line.iter_mut().zip(&head) {
                if row == pivot {
                    *x = h / head[pivot];
                } else {
                    *x -= factor * h;
                }
            }
        }
    }
    let inverse = |a: usize, b: usize| normal[a][m + b] / scale;
    let (ti, tj) = (target / n_cols, n_rows + target % n_cols);
    (0..expected.len())
        .map(|cell| {
            let (i, j) = (cell / n_cols, n_rows + cell % n_cols);
            let form = inverse(ti, i) + inverse(ti, j) + inverse(tj, i) + inverse(tj, j);
            let own = if cell == target { 1.0 } else { 0.0 };
            squares[cell] * (own - expected[target] * form).powi(2)
        })
        .sum()
}

#[test]
fn quasi_independence_keeps_the_totals_and_leaves_the_excluded_cell_out() {
    let counts: [&[usize]; 3] = [&[0, 12, 30], &[25, 31, 18], &[14, 9, 44]];
    let options = Options { structural_zeros: pairs(&[("r0", "c0")]), ..Options::default() };
    let gaps = of_counts(&counts, &options).unwrap();
    assert_eq!(gaps.basis, Basis::QuasiIndependence);
    assert_eq!(gaps.status[0], Status::NotApplicable);
    assert!(gaps.expected[0].is_nan() && gaps.p[0].is_nan() && gaps.gap_value[0].is_nan());
    assert_eq!(gaps.dof, 3);
    for k in 0..3 {
        let row: f64 = (0..3).map(|j| gaps.expected[3 * k + j]).filter(|e| !e.is_nan()).sum();
        let col: f64 = (0..3).map(|i| gaps.expected[3 * i + k]).filter(|e| !e.is_nan()).sum();
        let sum: usize = counts[k].iter().sum();
        assert_relative_eq!(row, sum as f64, max_relative = 1e-10);
        let sum: usize = counts.iter().map(|line| line[k]).sum();
        assert_relative_eq!(col, sum as f64, max_relative = 1e-10);
    }
    // Product form: the odds ratio of expected values is 1 in the rectangle without the excluded cell.
    let e = &gaps.expected;
    assert_relative_eq!(e[4] * e[8], e[5] * e[7], max_relative = 1e-10);
    for cell in 1..9 {
        let variance = variance_by_definition(&gaps, &gaps.expected, cell);
        let residual = (gaps.observed[cell] - gaps.expected[cell]) / variance.sqrt();
        assert_relative_eq!(gaps.residual[cell], residual, max_relative = 1e-6);
    }
}

#[test]
fn a_triangle_of_impossible_cells_has_its_degrees_of_freedom() {
    let counts: [&[usize]; 4] = [&[0, 9, 8, 7], &[0, 0, 12, 13], &[0, 0, 0, 21], &[30, 10, 11, 17]];
    let zeros =
        [("r0", "c0"), ("r1", "c0"), ("r1", "c1"), ("r2", "c0"), ("r2", "c1"), ("r2", "c2")];
    let options = Options { structural_zeros: pairs(&zeros), ..Options::default() };
    let gaps = of_counts(&counts, &options).unwrap();
    // 10 possible cells, 4 rows, 4 columns, one component.
    assert_eq!(gaps.dof, 3);
    // The only possible cells of r2 and of c0 are decided by the totals alone.
    for cell in [11, 12] {
        assert_relative_eq!(gaps.index[cell], 1.0, max_relative = 1e-9);
        assert!(gaps.residual[cell].is_nan() && gaps.q[cell].is_nan());
        assert_eq!(gaps.status[cell], Status::Served);
    }
}

#[test]
fn supply_shares_are_the_expectation_and_unmet_demand_is_the_gap() {
    let supply = [("c0", 2.0), ("c1", 1.0), ("c2", 1.0)]
        .map(|(col, amount)| Amount { row: None, col: Some(vec![col.to_string()]), amount })
        .to_vec();
    let options = Options { against: Against::Supply(supply), ..Options::default() };
    let gaps = of_counts(&MEALS, &options).unwrap();
    assert_eq!(gaps.basis, Basis::Supply);
    assert_eq!(gaps.dof, 6);
    let rows = [80.0, 100.0, 120.0];
    for cell in 0..9 {
        let share = [0.5, 0.25, 0.25][cell % 3];
        let expected = rows[cell / 3] * share;
        assert_relative_eq!(gaps.expected[cell], expected);
        // One row is a multinomial sample with known shares.
        let residual = (gaps.observed[cell] - expected) / (expected * (1.0 - share)).sqrt();
        assert_relative_eq!(gaps.residual[cell], residual, max_relative = 1e-12);
        assert_relative_eq!(gaps.gap_value[cell], gaps.observed[cell] - expected);
    }
    assert_eq!(gaps.status[8], Status::Gap);
    assert_eq!(gaps.status[6], Status::Saturated);
    assert_eq!(gaps.gaps(1)[0].cell, 8);
}

#[test]
fn supply_by_cell_without_demand_or_offer() {
    let offer = |row: &str, col: &str, amount| Amount {
        row: Some(vec![row.to_string()]),
        col: Some(vec![col.to_string()]),
        amount,
    };
    // c3 is offered and nobody asks for it; c1 is asked for and not offered to r1.
    let supply = vec![
        offer("r0", "c0", 1.0),
        offer("r0", "c1", 2.0),
        offer("r0", "c3", 1.0),
        offer("r1", "c0", 3.0),
    ];
    let options = Options { against: Against::Supply(supply), ..Options::default() };
    let gaps = of_counts(&[&[20, 30], &[10, 40]], &options).unwrap();
    assert_eq!(gaps.cols.categories, ["c0", "c1", "c3"]);
    assert_eq!(gaps.expected, [12.5, 25.0, 12.5, 50.0, 0.0, 0.0]);
    assert_eq!(gaps.status[2], Status::Empty);
    assert_eq!((gaps.residual[4], gaps.index[4], gaps.q[4]), (f64::INFINITY, f64::INFINITY, 0.0));
    assert_eq!(gaps.status[4], Status::Gap);
    assert_eq!(gaps.gap_value_lo[4], 40.0);
    let back: GapMatrix = from_json(&to_json(&gaps).unwrap()).unwrap();
    assert_eq!(back.residual[4], f64::INFINITY);
}

#[test]
fn empty_rows_of_ordered_categories_stay_and_are_empty() {
    let (rows, cols) = expand(&[&[30, 40], &[0, 0], &[50, 20]]);
    let records = Records { rows: &rows, cols: &cols, ..Records::default() };
    let ordered = Axis { ordered: true, ..axis("r", 3) };
    let gaps =
        gap_matrix(&ordered, &axis("c", 2), records, &Options::default(), &Monitor::new()).unwrap();
    assert_eq!(&gaps.status[2..4], &[Status::Empty; 2]);
    assert!(gaps.index[2].is_nan());
    assert_eq!(gaps.dof, 1);
    assert!(gaps.gaps(10).iter().all(|gap| gap.cell < 2 || gap.cell > 3));
    let unordered =
        gap_matrix(&axis("r", 3), &axis("c", 2), records, &Options::default(), &Monitor::new())
            .unwrap();
    assert_eq!(unordered.rows.categories, ["r0", "r2"]);
    assert_eq!(unordered.chi2, gaps.chi2);
}

#[test]
fn an_empty_cell_where_records_are_expected_is_a_gap_with_an_upper_bound() {
    let gaps = of_counts(&[&[0, 50], &[60, 90]], &Options::default()).unwrap();
    assert_eq!(gaps.status[0], Status::Empty);
    assert_eq!((gaps.index[0], gaps.index_lo[0]), (0.0, 0.0));
    assert_relative_eq!(gaps.index_hi[0], -(0.025_f64).ln() / 15.0, max_relative = 1e-12);
    let listed = gaps.gaps(10);
    assert_eq!(listed[0].cell, 0);
    assert!(listed[0].sentence.contains("100 % less"), "{}", listed[0].sentence);
}

#[test]
fn cells_that_expect_too_few_are_not_judged() {
    let gaps = of_counts(&[&[3, 50], &[2, 900]], &Options::default()).unwrap();
    assert_eq!(gaps.status[0], Status::TooFew);
    assert!(gaps.p[0].is_nan() && gaps.q[0].is_nan());
    assert!(gaps.residual[0] > 0.0);
    assert!(gaps.manifest.notes[0].starts_with("2 of 4 cells expect fewer than 5 records"));
    let all = Options { min_count: 0.0, ..Options::default() };
    let gaps = of_counts(&[&[3, 50], &[2, 900]], &all).unwrap();
    assert!(gaps.q.iter().all(|q| q.is_finite()));
}

#[test]
fn missing_entries_are_left_out_and_counted_by_reason() {
    let rows = [0, MISSING, 1, 1, 0, MISSING];
    let cols = [0, 1, MISSING, 1, 1, MISSING];
    let values = [1.0, 2.0, f64::NAN, f64::NAN, 4.0, f64::NAN];
    let mut tab = CrossTab::new(2, 2, Some("money")).unwrap();
    tab.update(&rows, &cols, Some(&values), None).unwrap();
    let cells = tab.finish();
    assert_eq!((cells.missing_rows, cells.missing_cols, cells.missing_values), (2, 1, 1));
    let sums: Vec<f64> = cells.cells.iter().map(|cell| cell.sum).collect();
    assert_eq!(sums, [1.0, 4.0, 0.0, 0.0]);
    let rows: Vec<u32> = [0, 0, 1, 1].repeat(20);
    let mut cols: Vec<u32> = [0, 1, 0, 1].repeat(20);
    cols[7] = MISSING;
    let records = Records { rows: &rows, cols: &cols, ..Records::default() };
    let gaps =
        gap_matrix(&axis("r", 2), &axis("c", 2), records, &Options::default(), &Monitor::new())
            .unwrap();
    assert_eq!((gaps.manifest.rows, gaps.manifest.rows_used), (80, 79));
    assert_eq!(gaps.manifest.left_out[0].reason, "\"c\" is missing");
}

#[test]
fn bad_input_is_refused_with_what_would_do() {
    let message = |result: Result<GapMatrix, Error>| result.unwrap_err().to_string();
    let mut values = vec![1.0; 70_000];
    values[66_000] = -2.5;
    values[69_000] = -1.0;
    let rows: Vec<u32> = (0..70_000).map(|k| k % 2).collect();
    let cols: Vec<u32> = (0..70_000).map(|k| k / 2 % 2).collect();
    let default = Options::default();
    let text = message(of_values((2, 2), &rows, &cols, &values, &default));
    assert!(text.contains("column \"money\", row 66000: found -2.5"), "{text}");
    assert!(text.contains("try: df = df[df[\"money\"] >= 0]"), "{text}");
    let text = message(of_values((2, 2), &rows, &cols, &vec![0.0; 70_000], &default));
    assert!(text.contains("values: found nothing but zeros"), "{text}");
    let zeros = |pair| Options { structural_zeros: pairs(&[pair]), ..Options::default() };
    let text = message(of_counts(&MEALS, &zeros(("r0", "c0"))));
    assert!(text.contains("(\"r0\", \"c0\"), which has 40 records"), "{text}");
    let text = message(of_counts(&MEALS, &zeros(("r9", "c0"))));
    assert!(text.contains("structural_zeros: found \"r9\""), "{text}");
    let text = message(of_counts(&[&[3, 4]], &default));
    assert!(text.contains("rows: found 1 category with records"), "{text}");
    let text = message(of_counts(&[&[0, 0], &[0, 0]], &default));
    assert!(text.contains("needs at least 1 rows"), "{text}");
    for confidence in [0.0, 1.0, f64::NAN] {
        let text = message(of_counts(&MEALS, &Options { confidence, ..Options::default() }));
        assert!(text.contains("confidence: found"), "{text}");
    }
    let supply = vec![Amount { row: None, col: Some(vec!["c0".to_string()]), amount: f64::NAN }];
    let text = message(of_counts(
        &MEALS,
        &Options { against: Against::Supply(supply), ..Options::default() },
    ));
    assert!(text.contains("supply: found NaN for \"c0\""), "{text}");
    let huge = CrossTab::new(1 << 20, 1 << 20, None).unwrap_err().to_string();
    assert!(huge.contains("group rare categories first"), "{huge}");
    let mut tab = CrossTab::new(2, 2, None).unwrap();
    assert!(tab.update(&[0, 2], &[0, 0], None, None).is_err());
    assert!(tab.update(&[0], &[0, 0], None, None).is_err());
    assert!(tab.update(&[0], &[0], Some(&[1.0]), None).is_err());
    assert!(tab.merge(&CrossTab::new(3, 2, None).unwrap()).is_err());
    let twin = gap_matrix(
        &axis("same", 2),
        &axis("same", 2),
        Records { rows: &[0, 1], cols: &[0, 1], ..Records::default() },
        &default,
        &Monitor::new(),
    );
    assert!(message(twin).contains("different columns"));
}

#[test]
fn a_saved_matrix_comes_back_and_a_broken_one_is_refused() {
    let zeros = Options { structural_zeros: pairs(&[("r0", "c0")]), ..Options::default() };
    let gaps = of_counts(&[&[0, 12, 30], &[25, 31, 18]], &zeros).unwrap();
    let text = to_json(&gaps).unwrap();
    let back: GapMatrix = from_json(&text).unwrap();
    assert_eq!(to_json(&back).unwrap(), text);
    assert_eq!(back.status, gaps.status);
    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back.residual[1..]), bits(&gaps.residual[1..]));
    for (from, to) in [
        ("\"r0\",\"r1\"", "\"r0\""),
        ("\"confidence\":0.95,\"test\":\"normal\"", "\"confidence\":1.5,\"test\":\"normal\""),
        ("\"not applicable\"", "\"nonsense\""),
    ] {
        assert!(text.contains(from));
        assert!(from_json::<GapMatrix>(&text.replace(from, to)).is_err(), "{from}");
    }
}

#[test]
fn the_words_name_thresholds_and_counts() {
    let gaps = of_counts(&MEALS, &Options::default()).unwrap();
    let listed = gaps.gaps(10);
    assert_eq!(listed.iter().map(|gap| gap.cell).collect::<Vec<_>>(), [6, 1, 2]);
    assert_eq!(
        listed[0].sentence,
        "r r2, c c0: the number of records is 15 instead of the 30 expected from the totals of r2 and c0, 50 % less \
         (95 % interval: 24 % to 67 % less). It counts as a gap because q = 0.0002 (at most 0.05 is needed); closing it is worth 15 \
         records."
    );
    let text = gaps.explain().join("\n");
    for part in [
        "gap (3): observed is below expected and q is at most 0.05",
        "saturated (2): observed is above expected",
        "too few (0): fewer than 5 records are expected",
        "chi-squared 39.5, 4 degrees of freedom, p < 0.0001",
        "300 of 300 rows were used.",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// Records of a market whose cells have the money shares `R_i C_j`, but for four: `shift` is moved from the cells (0, 1)
/// and (1, 0) to (0, 0) and (1, 1), which leaves the totals as they are. So the truth is known for every cell.
fn market(rng: &mut Rng, n: usize, spread: f64, shift: f64) -> Columns {
    let (rows, cols) = ([0.35, 0.3, 0.2, 0.15], [0.3, 0.3, 0.25, 0.15]);
    // Record sizes differ by row, and within it like a power of an exponential: heavy-tailed.
    let size = |cell: usize| 1.0 + (cell / 4) as f64;
    let mut total = 0.0;
    let running: Vec<f64> = (0..16)
        .map(|cell| {
            let moved = match cell {
                0 | 5 => shift,
                1 | 4 => -shift,
                _ => 0.0,
            };
            total += (rows[cell / 4] * cols[cell % 4] + moved) / size(cell);
            total
        })
        .collect();
    let mut records = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..n {
        let cell = rng.pick(&running);
        records.0.push((cell / 4) as u32);
        records.1.push((cell % 4) as u32);
        records.2.push(size(cell) * rng.exponential().powf(spread));
    }
    records
}

#[test]
fn money_without_gaps_is_called_a_gap_at_the_promised_rate() {
    let (mut judged, mut low, mut family) = (0, 0, 0);
    let n_tables = 400;
    for task in 0..n_tables {
        let mut rng = Rng::stream(11, Stage::Sample, task);
        let (rows, cols, values) = market(&mut rng, 3_000, 1.5, 0.0);
        let gaps = of_values((4, 4), &rows, &cols, &values, &Options::default()).unwrap();
        judged += gaps.p.iter().filter(|p| !p.is_nan()).count();
        low += gaps.p.iter().filter(|&&p| p <= 0.05).count();
        family += usize::from(gaps.q.iter().any(|&q| q <= 0.05));
    }
    let rate = low as f64 / judged as f64;
    eprintln!("share of p below 0.05: {rate}");
    assert!((0.035..0.065).contains(&rate), "share of p below 0.05: {rate}");
    // Without any gap the false discovery rate is the chance of any find at all.
    let rate = family as f64 / n_tables as f64;
    eprintln!("tables with a false find: {rate}");
    assert!(rate < 0.08, "tables with a false find: {rate}");
}

#[test]
fn false_discoveries_stay_below_the_limit_and_planted_gaps_are_found() {
    let (mut false_share, mut found) = (0.0, 0);
    let n_tables = 400;
    for task in 0..n_tables {
        let mut rng = Rng::stream(12, Stage::Sample, task);
        let (rows, cols, values) = market(&mut rng, 6_000, 1.5, 0.04);
        let gaps = of_values((4, 4), &rows, &cols, &values, &Options::default()).unwrap();
        let find = |c: &usize| matches!(gaps.status[*c], Status::Gap | Status::Saturated);
        let finds: Vec<usize> = (0..16).filter(find).collect();
        let wrong = finds.iter().filter(|c| ![0, 1, 4, 5].contains(*c)).count();
        false_share += wrong as f64 / finds.len().max(1) as f64;
        let top: Vec<usize> = gaps.gaps(2).iter().map(|gap| gap.cell).collect();
        found += usize::from(top.contains(&1) && top.contains(&4));
    }
    let (false_share, found) = (false_share / n_tables as f64, found as f64 / n_tables as f64);
    eprintln!("false discoveries {false_share}, planted gaps on top {found}");
    assert!(false_share < 0.05, "share of false discoveries: {false_share}");
    assert!(found > 0.95, "both planted gaps on top: {found}");
}

#[test]
fn intervals_of_the_index_cover_the_truth() {
    let (mut covered, mut cells) = (0, 0);
    for task in 0..300 {
        let mut rng = Rng::stream(13, Stage::Sample, task);
        let (rows, cols, values) = market(&mut rng, 3_000, 1.0, 0.0);
        let gaps = of_values((4, 4), &rows, &cols, &values, &Options::default()).unwrap();
        cells += 16;
        covered += (0..16).filter(|&c| gaps.index_lo[c] <= 1.0 && 1.0 <= gaps.index_hi[c]).count();
    }
    let rate = covered as f64 / f64::from(cells);
    assert!((0.93..0.97).contains(&rate), "coverage of the 95 % interval: {rate}");
}

fn table() -> impl Strategy<Value = (usize, usize, Vec<(u32, u32, f64)>)> {
    (2usize..5, 2usize..6).prop_flat_map(|(n_rows, n_cols)| {
        let code = |n: usize| prop_oneof![9 => 0..n as u32, 1 => Just(MISSING)];
        let value = prop_oneof![9 => 0.0..50.0_f64, 1 => Just(f64::NAN)];
        let record = (code(n_rows), code(n_cols), value);
        (Just(n_rows), Just(n_cols), prop::collection::vec(record, 30..300))
    })
}

type Columns = (Vec<u32>, Vec<u32>, Vec<f64>);

fn columns(records: &[(u32, u32, f64)]) -> Columns {
    let rows = records.iter().map(|r| r.0).collect();
    let cols = records.iter().map(|r| r.1).collect();
    (rows, cols, records.iter().map(|r| r.2).collect())
}

fn ordered(shape: (usize, usize), columns: &Columns) -> Option<GapMatrix> {
    let (rows, cols) = (axis("r", shape.0), axis("c", shape.1));
    let (rows, cols) = (Axis { ordered: true, ..rows }, Axis { ordered: true, ..cols });
    let values = Some(("money", columns.2.as_slice()));
    let records = Records { rows: &columns.0, cols: &columns.1, values, ..Records::default() };
    gap_matrix(
        &rows,
        &cols,
        records,
        &Options { min_count: 0.0, ..Options::default() },
        &Monitor::new(),
    )
    .ok()
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #[test]
    fn counting_agrees_with_the_obvious_loop((n_rows, n_cols, records) in table()) {
        let (rows, cols, values) = columns(&records);
        for weighted in [false, true] {
            let name = weighted.then_some("money");
            let mut tab = CrossTab::new(n_rows, n_cols, name).unwrap();
            tab.update(&rows, &cols, weighted.then_some(values.as_slice()), None).unwrap();
            let cells = tab.finish();
            let mut obvious = vec![(0u64, 0.0, 0.0); n_rows * n_cols];
            for &(i, j, v) in &records {
                let v = if weighted { v } else { 1.0 };
                if i != MISSING && j != MISSING && !v.is_nan() {
                    let cell = &mut obvious[i as usize * n_cols + j as usize];
                    *cell = (cell.0 + 1, cell.1 + v, cell.2 + v * v);
                }
            }
            for (cell, (n, sum, squares)) in cells.cells.iter().zip(&obvious) {
                prop_assert_eq!(cell.n, *n);
                prop_assert!(close(cell.sum, *sum) && close(cell.squares, *squares));
            }
            let used: u64 = obvious.iter().map(|cell| cell.0).sum();
            let left_out = cells.missing_rows + cells.missing_cols + cells.missing_values;
            prop_assert_eq!(used as usize + left_out, records.len());
        }
    }

    #[test]
    fn merging_parts_equals_the_whole((n_rows, n_cols, records) in table(), cut in 0usize..30) {
        let (rows, cols, values) = columns(&records);
        let mut whole = CrossTab::new(n_rows, n_cols, Some("money")).unwrap();
        whole.update(&rows, &cols, Some(&values), None).unwrap();
        let mut parts = CrossTab::new(n_rows, n_cols, Some("money")).unwrap();
        parts.update(&rows[..cut], &cols[..cut], Some(&values[..cut]), None).unwrap();
        let mut rest = CrossTab::new(n_rows, n_cols, Some("money")).unwrap();
        rest.update(&rows[cut..], &cols[cut..], Some(&values[cut..]), None).unwrap();
        parts.merge(&rest).unwrap();
        let (whole, parts) = (whole.finish(), parts.finish());
        prop_assert_eq!(whole.missing_rows, parts.missing_rows);
        prop_assert_eq!(whole.missing_values, parts.missing_values);
        for (a, b) in whole.cells.iter().zip(&parts.cells) {
            prop_assert_eq!(a.n, b.n);
            prop_assert!(close(a.sum, b.sum) && close(a.squares, b.squares));
        }
    }

    #[test]
    fn totals_are_conserved_and_unit_values_are_counts((n_rows, n_cols, records) in table()) {
        let (rows, cols, mut values) = columns(&records);
        values.fill(1.0);
        let Some(gaps) = ordered((n_rows, n_cols), &(rows, cols, values)) else { return Ok(()) };
        let total: f64 = gaps.observed.iter().sum();
        prop_assert!(close(total, gaps.expected.iter().sum()));
        prop_assert!(close(0.0, gaps.gap_value.iter().sum()));
        let counts: Vec<Vec<f64>> =
            gaps.n.chunks(n_cols).map(|line| line.iter().map(|&n| n as f64).collect()).collect();
        let mut pearson = 0.0;
        for cell in 0..n_rows * n_cols {
            let classic = classic_residual(&counts, cell / n_cols, cell % n_cols);
            if classic.is_finite() {
                prop_assert!((gaps.residual[cell] - classic).abs() <= 1e-12 * (1.0 + classic.abs()));
                pearson += (gaps.observed[cell] - gaps.expected[cell]).powi(2) / gaps.expected[cell];
            }
        }
        if let Some(chi2) = gaps.chi2 {
            prop_assert!(close(chi2, pearson));
        }
    }

    #[test]
    fn transposing_and_permuting_records_move_nothing((n_rows, n_cols, records) in table()) {
        let (rows, cols, values) = columns(&records);
        let (backwards, _) = (records.iter().rev().copied().collect::<Vec<_>>(), ());
        let gaps = ordered((n_rows, n_cols), &(rows.clone(), cols.clone(), values.clone()));
        let turned = ordered((n_cols, n_rows), &(cols, rows, values));
        let permuted = ordered((n_rows, n_cols), &columns(&backwards));
        let (Some(gaps), Some(turned), Some(permuted)) = (gaps, turned, permuted) else {
            return Ok(());
        };
        for cell in 0..n_rows * n_cols {
            let other = cell % n_cols * n_rows + cell / n_cols;
            for (a, b, c) in [
                (gaps.residual[cell], turned.residual[other], permuted.residual[cell]),
                (gaps.index_hi[cell], turned.index_hi[other], permuted.index_hi[cell]),
                (gaps.q[cell], turned.q[other], permuted.q[cell]),
            ] {
                prop_assert!(close(a, b) && close(a, c), "{a} {b} {c}");
            }
        }
    }

    #[test]
    fn another_currency_scales_money_and_not_residuals((n_rows, n_cols, records) in table()) {
        let (rows, cols, values) = columns(&records);
        let dear: Vec<f64> = values.iter().map(|v| v * 128.0).collect();
        let gaps = ordered((n_rows, n_cols), &(rows.clone(), cols.clone(), values));
        let (Some(gaps), Some(dear)) = (gaps, ordered((n_rows, n_cols), &(rows, cols, dear))) else {
            return Ok(());
        };
        for cell in 0..n_rows * n_cols {
            prop_assert!(close(dear.expected[cell], 128.0 * gaps.expected[cell]));
            prop_assert!(close(dear.gap_value_hi[cell], 128.0 * gaps.gap_value_hi[cell]));
            prop_assert!(close(dear.residual[cell], gaps.residual[cell]));
            prop_assert!(close(dear.index_lo[cell], gaps.index_lo[cell]));
        }
        prop_assert_eq!(gaps.status, dear.status);
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let mut rng = Rng::stream(5, Stage::Sample, 0);
    let n = 300_000;
    let rows: Vec<u32> = (0..n).map(|_| rng.below(7) as u32).collect();
    let cols: Vec<u32> = (0..n).map(|_| rng.below(9) as u32).collect();
    let values: Vec<f64> = (0..n).map(|_| rng.exponential()).collect();
    let texts: Vec<String> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            ilk::parallel::set_num_threads(threads);
            to_json(&of_values((7, 9), &rows, &cols, &values, &Options::default()).unwrap())
                .unwrap()
        })
        .collect();
    ilk::parallel::set_num_threads(0);
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Purchases of customers with tastes of their own: each buys several times, mostly in the same context.
fn habits(rng: &mut Rng, n_customers: usize) -> (Vec<u32>, Vec<u32>, Vec<f64>, Vec<u32>) {
    let mut records = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for customer in 0..n_customers {
        let row = rng.below(3) as u32;
        let taste = rng.below(4) as u32;
        for _ in 0..3 + rng.below(15) {
            let col = if rng.uniform() < 0.6 { taste } else { rng.below(4) as u32 };
            records.0.push(row);
            records.1.push(col);
            records.2.push(rng.exponential());
            records.3.push(customer as u32);
        }
    }
    records
}

#[test]
fn customers_as_units_keep_the_promised_rate_where_records_do_not() {
    let (mut whole, mut apart, mut judged) = (0, 0, 0);
    for task in 0..200 {
        let mut rng = Rng::stream(14, Stage::Sample, task);
        let (rows, cols, values, customers) = habits(&mut rng, 400);
        let records = Records {
            rows: &rows,
            cols: &cols,
            values: Some(("money", &values)),
            counts: None,
            customers: Some(("customer", &customers)),
        };
        let (r, c) = (axis("r", 3), axis("c", 4));
        let clustered = gap_matrix(&r, &c, records, &Options::default(), &Monitor::new()).unwrap();
        let plain = gap_matrix(
            &r,
            &c,
            Records { customers: None, ..records },
            &Options::default(),
            &Monitor::new(),
        );
        judged += 12;
        whole += clustered.p.iter().filter(|&&p| p <= 0.05).count();
        apart += plain.unwrap().p.iter().filter(|&&p| p <= 0.05).count();
    }
    let (whole, apart) = (whole as f64 / f64::from(judged), apart as f64 / f64::from(judged));
    eprintln!("p below 0.05: {whole} with customers, {apart} without");
    assert!((0.03..0.07).contains(&whole), "with customers: {whole}");
    assert!(apart > 0.2, "without: {apart}");
}

#[test]
fn customers_of_one_record_change_nothing() {
    let (rows, cols) = expand(&[&[0, 12, 30], &[25, 31, 18], &[14, 9, 44]]);
    let customers: Vec<u32> =
        (0..rows.len() as u32).map(|k| if k % 2 == 0 { k } else { MISSING }).collect();
    let records = Records {
        rows: &rows,
        cols: &cols,
        values: None,
        counts: None,
        customers: Some(("customer", &customers)),
    };
    let zeros = Options { structural_zeros: pairs(&[("r0", "c0")]), ..Options::default() };
    let supply = ["c0", "c1", "c2"]
        .map(|col| Amount { row: None, col: Some(vec![col.to_string()]), amount: 1.0 })
        .to_vec();
    for options in [
        Options::default(),
        zeros,
        Options { against: Against::Supply(supply), ..Options::default() },
    ] {
        let (r, c) = (axis("r", 3), axis("c", 3));
        let clustered = gap_matrix(&r, &c, records, &options, &Monitor::new()).unwrap();
        let plain =
            gap_matrix(&r, &c, Records { customers: None, ..records }, &options, &Monitor::new())
                .unwrap();
        for cell in 0..9 {
            assert!(close(clustered.residual[cell], plain.residual[cell]));
            assert!(close(clustered.index_hi[cell], plain.index_hi[cell]));
        }
        assert!(clustered.design_effect.iter().all(|effect| (effect - 1.0).abs() < 1e-9));
        let back: GapMatrix = from_json(&to_json(&clustered).unwrap()).unwrap();
        assert_eq!(back.design_effect, clustered.design_effect);
    }
}

#[test]
fn records_bought_twice_by_the_same_customer_count_once() {
    let (rows, cols) = expand(&MEALS);
    let n = rows.len() as u32;
    let twice = |codes: &[u32]| codes.iter().chain(codes).copied().collect::<Vec<u32>>();
    let customers: Vec<u32> = (0..n).chain(0..n).collect();
    let (both_rows, both_cols) = (twice(&rows), twice(&cols));
    let records = Records {
        rows: &both_rows,
        cols: &both_cols,
        values: None,
        counts: None,
        customers: Some(("customer", &customers)),
    };
    let (r, c) = (axis("r", 3), axis("c", 3));
    let doubled = gap_matrix(&r, &c, records, &Options::default(), &Monitor::new()).unwrap();
    let single = of_counts(&MEALS, &Options::default()).unwrap();
    for cell in 0..9 {
        // Up to the factor n/(n-1) of a sample variance.
        assert_relative_eq!(doubled.design_effect[cell], 2.0, max_relative = 0.005);
        assert_abs_diff_eq!(doubled.residual[cell], single.residual[cell], epsilon = 0.02);
        assert_abs_diff_eq!(doubled.index_lo[cell], single.index_lo[cell], epsilon = 0.002);
    }
}
