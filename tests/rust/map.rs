//! Correspondence analysis: published figures and laws.

use ilk::gap::map::{Map, multiple, simple};
use ilk::gap::{Axis, GapMatrix, Options, Records, gap_matrix};
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist;
use ilk::table::Codes;
use proptest::prelude::*;

fn axis(name: &str, n: usize) -> Axis {
    let categories = (0..n).map(|at| format!("{name}{at:02}")).collect();
    Axis { ordered: true, ..Axis::of(name, categories) }
}

fn matrix(table: &[Vec<f64>]) -> GapMatrix {
    let (n, m) = (table.len(), table[0].len());
    let cell = |at: usize| table[at / m][at % m];
    let rows: Vec<u32> = (0..n * m).map(|at| (at / m) as u32).collect();
    let cols: Vec<u32> = (0..n * m).map(|at| (at % m) as u32).collect();
    let values: Vec<f64> = (0..n * m).map(cell).collect();
    let records =
        Records { rows: &rows, cols: &cols, values: Some(("n", &values)), ..Records::default() };
    gap_matrix(&axis("r", n), &axis("c", m), records, &Options::default(), &Monitor::new()).unwrap()
}

fn smoke() -> Vec<Vec<f64>> {
    [[4, 2, 3, 2], [4, 3, 7, 4], [25, 10, 12, 4], [18, 24, 33, 13], [10, 6, 7, 2]]
        .iter()
        .map(|row| row.iter().map(|&n| f64::from(n)).collect())
        .collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

#[test]
fn smoking_staff_lie_where_ca_puts_them() {
    let map = simple(&matrix(&smoke()), 3).unwrap();
    let inertias = [0.074_759_105_9, 0.010_017_180_5, 0.000_413_574_1];
    for (found, wanted) in map.inertias.iter().zip(inertias) {
        assert!(close(*found, wanted), "{found} {wanted}");
    }
    assert!(close(map.total_inertia(), 0.085_189_860_5) && close(map.total, 193.0));
    assert!(close(map.total_inertia() * 193.0, 16.441_643));
    let rows = [
        [-0.065_768_4, -0.193_737_0],
        [0.258_958_4, -0.243_304_6],
        [-0.380_594_9, -0.010_659_9],
        [0.232_951_9, 0.057_743_9],
        [-0.201_089_1, 0.078_911_2],
    ];
    let cols = [
        [-0.393_308_4, -0.030_492_1],
        [0.099_455_9, 0.141_064_3],
        [0.196_321_0, 0.007_359_1],
        [0.293_776_0, -0.197_765_7],
    ];
    for dim in 0..2 {
        let sign = (map.cols.of(0)[dim] * cols[0][dim]).signum();
        for (at, wanted) in rows.iter().enumerate() {
            assert!(close(sign * map.rows.of(at)[dim], wanted[dim]));
        }
        for (at, wanted) in cols.iter().enumerate() {
            assert!(close(sign * map.cols.of(at)[dim], wanted[dim]));
        }
    }
}

fn tables() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2..7_usize, 2..7_usize).prop_flat_map(|(n, m)| {
        prop::collection::vec(prop::collection::vec(0..50_u32, m), n).prop_map(|rows| {
            let mut rows: Vec<Vec<f64>> =
                rows.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect();
            // Every row and column has records, and they depend on each other.
            let m = rows[0].len();
            for (at, row) in rows.iter_mut().enumerate() {
                row[at % m] += 60.0 + at as f64;
            }
            for col in 0..m {
                let row = col % rows.len();
                rows[row][col] += 3.0;
            }
            rows
        })
    })
}

fn total_of(values: &[f64]) -> f64 {
    values.iter().sum()
}

proptest! {
    #[test]
    fn inertias_add_up_to_chi_squared_and_contributions_to_one(table in tables()) {
        let matrix = matrix(&table);
        let map = simple(&matrix, 9).unwrap();
        let chi2 = matrix.observed.iter().zip(&matrix.expected).map(|(o, e)| (o - e).powi(2) / e).sum::<f64>();
        prop_assert!((map.total_inertia() * map.total - chi2).abs() < 1e-8 * chi2.max(1.0));
        let dims = map.dims();
        for points in [&map.rows, &map.cols] {
            prop_assert!((total_of(&points.masses) - 1.0).abs() < 1e-12);
            for dim in 0..dims {
                let given: f64 = points.contributions(&map.inertias).iter().skip(dim).step_by(dims).sum();
                prop_assert!((given - 1.0).abs() < 1e-8);
                // The average lies at the origin.
                let mean: f64 = (0..points.n()).map(|at| points.masses[at] * points.of(at)[dim]).sum();
                prop_assert!(mean.abs() < 1e-8);
            }
            for cos2 in points.cos2().chunks_exact(dims) {
                prop_assert!((total_of(cos2) - 1.0).abs() < 1e-6 || cos2.iter().any(|c| c.is_nan()));
            }
        }
    }

    #[test]
    fn transposing_the_table_transposes_the_map(table in tables()) {
        let turned: Vec<Vec<f64>> =
            (0..table[0].len()).map(|col| table.iter().map(|row| row[col]).collect()).collect();
        let (map, other) = (simple(&matrix(&table), 2).unwrap(), simple(&matrix(&turned), 2).unwrap());
        let apart: f64 = map.inertias.iter().zip(&other.inertias).map(|(a, b)| (a - b).abs()).sum();
        prop_assert!(apart < 1e-12);
        let gap = map.inertias.windows(2).map(|pair| pair[0] - pair[1]).fold(f64::INFINITY, f64::min);
        prop_assume!(gap > 1e-6);
        for (a, b) in map.rows.coordinates.iter().zip(&other.cols.coordinates) {
            prop_assert!((a.abs() - b.abs()).abs() < 1e-6);
        }
    }

    #[test]
    fn rows_of_the_table_are_projected_onto_themselves(table in tables()) {
        let map = simple(&matrix(&table), 2).unwrap();
        prop_assume!(map.inertias[map.dims() - 1] > 1e-6);
        let found = map.project(&table.concat(), true).unwrap();
        for (a, b) in found.iter().zip(&map.rows.coordinates) {
            prop_assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn equal_rows_put_together_change_nothing(table in tables(), share in 1..5_u32) {
        // Distributional equivalence: rows of the same shares may be merged.
        let mut split = table.clone();
        let part: Vec<f64> = table[0].iter().map(|n| n * f64::from(share)).collect();
        split.push(part);
        let mut merged = table.clone();
        merged[0].iter_mut().for_each(|n| *n *= 1.0 + f64::from(share));
        let (split, merged) = (simple(&matrix(&split), 2).unwrap(), simple(&matrix(&merged), 2).unwrap());
        prop_assert!((split.total_inertia() - merged.total_inertia()).abs() < 1e-10);
        for (a, b) in split.inertias.iter().zip(&merged.inertias) {
            prop_assert!((a - b).abs() < 1e-10);
        }
    }
}

#[test]
fn categories_without_records_have_no_place_and_pull_none() {
    let mut wider: Vec<Vec<f64>> = smoke();
    wider.iter_mut().for_each(|row| row.push(0.0));
    wider.push(vec![0.0; 5]);
    let (map, with_empty) =
        (simple(&matrix(&smoke()), 2).unwrap(), simple(&matrix(&wider), 2).unwrap());
    assert!((map.total_inertia() - with_empty.total_inertia()).abs() < 1e-12);
    assert!(with_empty.rows.of(5)[0].is_nan() && with_empty.cols.of(4)[0].is_nan());
    assert!(close(with_empty.rows.of(2)[0], map.rows.of(2)[0]));
}

#[test]
fn cells_that_cannot_occur_pull_no_point() {
    // A table of independence with two holes has nothing to map but rounding; without filling it would have.
    let mut table = vec![vec![10.0, 20.0, 30.0], vec![20.0, 40.0, 60.0], vec![5.0, 10.0, 25.0]];
    table[0][0] = 0.0;
    let rows: Vec<u32> = (1..9).map(|at| at / 3).collect();
    let cols: Vec<u32> = (1..9).map(|at| at % 3).collect();
    let values = table.concat()[1..].to_vec();
    let records =
        Records { rows: &rows, cols: &cols, values: Some(("n", &values)), ..Records::default() };
    let zeros = vec![(vec!["r00".to_string()], vec!["c00".to_string()])];
    let options = Options { structural_zeros: zeros, ..Options::default() };
    let holed =
        gap_matrix(&axis("r", 3), &axis("c", 3), records, &options, &Monitor::new()).unwrap();
    let map = simple(&holed, 2).unwrap();
    // The filled cell has what its row and column expect of it, so the first row lies where its other cells put it.
    let first = map.rows.of(0)[0].abs();
    let plain = simple(&matrix(&table), 2).unwrap();
    assert!(first < 0.2 * plain.rows.of(0)[0].abs(), "{first}");
    assert!(map.manifest.notes[0].contains("cannot occur"));
}

fn codes(values: &[u32], n: usize) -> Codes {
    Codes {
        codes: values.to_vec(),
        categories: (0..n).map(|at| at.to_string()).collect(),
        ordered: false,
        n_missing: 0,
    }
}

#[test]
fn several_columns_have_the_inertias_of_their_indicators() {
    let columns = [
        ("a".to_string(), codes(&[0, 0, 1, 1, 0, 1, 2, 2], 3)),
        ("b".to_string(), codes(&[0, 0, 1, 1, 1, 0, 0, 1], 2)),
        ("c".to_string(), codes(&[1, 0, 1, 2, 0, 1, 2, 2], 3)),
    ];
    let manifest = Manifest::new("test", Default::default(), None, 8);
    let map = multiple(&columns, None, 2, manifest).unwrap();
    let indicators: Vec<Vec<f64>> = (0..8)
        .map(|row| {
            columns
                .iter()
                .flat_map(|(_, codes)| {
                    let code = codes.codes[row] as usize;
                    (0..codes.categories.len()).map(move |at| f64::from(u8::from(at == code)))
                })
                .collect()
        })
        .collect();
    let simple = simple(&matrix(&indicators), 2).unwrap();
    for (a, b) in map.inertias.iter().zip(&simple.inertias) {
        assert!((a - b).abs() < 1e-10, "{a} {b}");
    }
    // J / Q - 1 is the total inertia of indicators.
    assert!((map.total_inertia() - (8.0 / 3.0 - 1.0)).abs() < 1e-10);
    for (a, b) in map.cols.coordinates.iter().zip(&simple.cols.coordinates) {
        assert!((a.abs() - b.abs()).abs() < 1e-8);
    }
    let customers = map.project(&indicators.concat(), true).unwrap();
    for (a, b) in customers.iter().zip(&simple.rows.coordinates) {
        assert!((a.abs() - b.abs()).abs() < 1e-8);
    }
    let correction = map.correction.unwrap();
    // The tables of two different columns alone: Greenacre's mean inertia is theirs.
    let mut sum = 0.0;
    for (one, (_, a)) in columns.iter().enumerate() {
        for (_, b) in &columns[one + 1..] {
            let mut table = vec![vec![0.0; b.categories.len()]; a.categories.len()];
            a.codes.iter().zip(&b.codes).for_each(|(&x, &y)| table[x as usize][y as usize] += 1.0);
            sum += simple_inertia(&table);
        }
    }
    assert!((correction.mean_inertia - sum / 3.0).abs() < 1e-10, "{}", correction.mean_inertia);
    let beyond = map.inertias[0] - 1.0 / 3.0;
    assert!((correction.inertias[0] - (1.5 * beyond).powi(2)).abs() < 1e-12);
}

fn simple_inertia(table: &[Vec<f64>]) -> f64 {
    simple(&matrix(table), 1).map_or(0.0, |map| map.total_inertia())
}

#[test]
fn a_saved_map_comes_back_and_a_broken_one_does_not() {
    let map = simple(&matrix(&smoke()), 2).unwrap();
    let text = persist::to_json(&map).unwrap();
    assert_eq!(persist::from_json::<Map>(&text).unwrap(), map);
    let broken = Map { inertias: vec![0.1, 0.2], ..map.clone() };
    let text = persist::to_json(&broken).unwrap();
    assert!(persist::from_json::<Map>(&text).unwrap_err().to_string().contains("falling"));
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    let independent = matrix(&[vec![10.0, 20.0], vec![20.0, 40.0]]);
    let refusal = simple(&independent, 2).unwrap_err().to_string();
    assert!(refusal.contains("do not depend on each other"), "{refusal}");
    assert!(simple(&matrix(&smoke()), 0).unwrap_err().to_string().contains("dims"));
    let one = matrix(&[vec![10.0, 20.0], vec![0.0, 0.0]]);
    let refusal = simple(&one, 2).unwrap_err().to_string();
    assert!(refusal.contains("1 categories of \"r\" with records"), "{refusal}");
}
