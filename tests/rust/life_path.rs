//! Laws of the path through stages, and figures worked out on paper.

use approx::assert_relative_eq;
use ilk::Error;
use ilk::journey::life::{Length, LifePath, Request, Seen, Transitions, chain, life_path};
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::Table;
use proptest::prelude::*;

/// Customer, time, stage.
type Row = (i64, i64, usize);

const NAMES: [&str; 3] = ["new", "regular", "gone"];

fn request() -> Request {
    Request {
        customer: "who".into(),
        time: "when".into(),
        stage: "stage".into(),
        weights: None,
        stages: Some(NAMES.map(String::from).to_vec()),
        offers: Vec::new(),
        expected: Vec::new(),
        margin: None,
        discount: 0.0,
        period: Some(Length::Units(1)),
        horizon: 10,
        start: None,
        min_count: 10.0,
        n_boot: 0,
        confidence: 0.95,
        seed: 7,
    }
}

fn margins(amounts: [f64; 3]) -> Option<Vec<(String, f64)>> {
    Some(NAMES.iter().zip(amounts).map(|(name, amount)| ((*name).to_string(), amount)).collect())
}

fn panel(rows: &[Row], weights: Option<&[f64]>) -> Table {
    let mut builder = Table::builder()
        .int("who", rows.iter().map(|row| row.0))
        .int("when", rows.iter().map(|row| row.1))
        .text("stage", rows.iter().map(|row| NAMES[row.2]));
    if let Some(weights) = weights {
        builder = builder.float("weight", weights.iter().copied());
    }
    builder.finish().unwrap()
}

fn path(rows: &[Row], request: &Request) -> Result<LifePath, Error> {
    weighted(rows, None, request)
}

fn weighted(rows: &[Row], weights: Option<&[f64]>, request: &Request) -> Result<LifePath, Error> {
    let manifest = Manifest::new("life_path", serde_json::Map::new(), Some(7), rows.len());
    life_path(&panel(rows, weights), request, manifest, &Monitor::new())
}

/// One customer for each transition, in two periods.
fn moves(counts: [[usize; 3]; 3]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (from, row) in counts.iter().enumerate() {
        for (to, &count) in row.iter().enumerate() {
            for _ in 0..count {
                let who = rows.len() as i64;
                rows.extend([(who, 0, from), (who, 1, to)]);
            }
        }
    }
    rows
}

/// Half of the new stay, half of the others become regular and the rest go; three of four regulars stay.
const COUNTS: [[usize; 3]; 3] = [[4, 2, 2], [0, 6, 2], [0, 0, 4]];

#[test]
fn figures_are_those_worked_out_on_paper() {
    // P = [1/2 1/4 1/4; 0 3/4 1/4; 0 0 1], m = (10, 40, 0), d = 1/4, so that the factor is 4/5.
    // Without an end: v_gone = 0; v_regular = 40 + 4/5 * 3/4 v_regular = 40 / (2/5) = 100;
    // v_new = 10 + 4/5 (v_new / 2 + 100 / 4) = (10 + 20) / (3/5) = 50.
    // Two periods: v_regular = 40 + 4/5 * 3/4 * 40 = 64; v_new = 10 + 4/5 (10 / 2 + 40 / 4) = 22.
    let request =
        Request { margin: margins([10.0, 40.0, 0.0]), discount: 0.25, horizon: 2, ..request() };
    let found = path(&moves(COUNTS), &request).unwrap();
    let p = [0.5, 0.25, 0.25, 0.0, 0.75, 0.25, 0.0, 0.0, 1.0];
    assert_eq!(found.probabilities(), p);
    for (at, (some, all)) in [(22.0, 50.0), (64.0, 100.0), (0.0, 0.0)].into_iter().enumerate() {
        assert_relative_eq!(found.value[at][0], some, max_relative = 1e-14);
        assert_relative_eq!(found.value_forever[at][0], all, max_relative = 1e-14);
    }
    // In the latest period 4 are new, 8 regular, 8 gone: (4 * 50 + 8 * 100) / 20 = 50.
    assert_eq!(found.now, [4.0, 8.0, 8.0]);
    assert_relative_eq!(found.value_forever[3][0], 50.0, max_relative = 1e-14);
    // Stay 2 and 4 periods; the new go to regular and gone equally often, and the first is named. Half of the new become
    // regular, after 2 periods; all regulars are gone some time, after 4.
    let figures = found.figures();
    assert_eq!(figures[0].time.value, 2.0);
    assert_eq!(figures[1].time.value, 4.0);
    assert_eq!((figures[2].time.value, figures[2].next), (f64::INFINITY, None));
    assert_eq!((figures[0].next, figures[1].next), (Some(1), Some(2)));
    assert_relative_eq!(figures[0].next_ever, 0.5, max_relative = 1e-14);
    assert_relative_eq!(figures[0].next_wait, 2.0, max_relative = 1e-14);
    assert_relative_eq!(figures[1].next_ever, 1.0, max_relative = 1e-14);
    assert_relative_eq!(figures[1].next_wait, 4.0, max_relative = 1e-14);
    // (4, 8, 8) / 20 one period on: new 2, regular 1 + 6, gone 1 + 2 + 8.
    let shares = found.occupancy(1, &Monitor::new()).unwrap();
    for (found, wanted) in shares[1].iter().zip([2.0, 7.0, 11.0]) {
        assert_relative_eq!(found.value, wanted / 20.0, max_relative = 1e-14);
    }
}

#[test]
fn value_without_an_end_and_without_a_discount_is_finite_where_customers_end_without_margin() {
    // A new customer is new for 2 periods and regular for 4 with probability 1/2: 2 * 10 + 4 * 40 / 2 = 100; a regular one
    // is worth 4 * 40.
    let request = Request { margin: margins([10.0, 40.0, 0.0]), ..request() };
    let found = path(&moves(COUNTS), &request).unwrap();
    assert_relative_eq!(found.value_forever[0][0], 100.0, max_relative = 1e-14);
    assert_relative_eq!(found.value_forever[1][0], 160.0, max_relative = 1e-14);
    assert_eq!(found.value_forever[2][0], 0.0);
    for (last, wanted) in [(1.0, f64::INFINITY), (-1.0, f64::NEG_INFINITY)] {
        let request = Request { margin: margins([10.0, 40.0, last]), ..request.clone() };
        let found = path(&moves(COUNTS), &request).unwrap();
        assert!(found.value_forever.iter().all(|value| value[0] == wanted));
    }
    // Two stages with margins of either sign that lead to each other have no value at all.
    let request = Request { margin: margins([1.0, -1.0, 0.0]), ..request };
    let found = path(&moves([[1, 1, 0], [1, 1, 0], [0, 0, 1]]), &request).unwrap();
    assert!(found.value_forever[0][0].is_nan() && found.value_forever[2][0] == 0.0);
}

#[test]
fn interval_of_the_time_is_that_of_leaving_carried_over() {
    // 2 of 8 regulars leave. Wilson at 95 %: centre (2 + z^2 / 2) / (8 + z^2), half width z sqrt(2 * 6 / 8 + z^2 / 4) / (8 + z^2).
    let z = 1.959_963_984_540_054_f64;
    let (centre, half) = (2.0 + z * z / 2.0, z * (1.5 + z * z / 4.0).sqrt());
    let found = path(&moves(COUNTS), &request()).unwrap().figures();
    assert_relative_eq!(found[1].time.lo, (8.0 + z * z) / (centre + half), max_relative = 1e-12);
    assert_relative_eq!(found[1].time.hi, (8.0 + z * z) / (centre - half), max_relative = 1e-12);
    // Never left: without end, and at least so long.
    assert_eq!(found[2].time.hi, f64::INFINITY);
    assert_relative_eq!(found[2].time.lo, (4.0 + z * z) / (z * z), max_relative = 1e-12);
}

#[test]
fn only_consecutive_periods_count() {
    let rows = [(1, 0, 0), (1, 1, 1), (1, 3, 2), (1, 4, 2), (2, 0, 0), (3, 9, 0)];
    let found = path(&rows, &request()).unwrap();
    assert_eq!(found.table, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert!(found.manifest.notes.iter().any(|note| note.starts_with("1 of 3 pairs")));
    assert!(found.manifest.notes.iter().any(|note| note.starts_with("2 of 3 customers")));
    // Of two units each, times 0 and 1 are one period.
    let request = Request { period: Some(Length::Units(2)), ..request() };
    let error = path(&rows, &request).unwrap_err().to_string();
    assert!(error.contains("row 1") && error.contains("customer \"1\""), "{error}");
}

#[test]
fn history_is_found_where_it_matters_and_has_the_statistic_of_the_table() {
    // Through stage 1: of 40 that came from 0 30 go on to 0, of 40 from 2 only 10. Expected are 20 and 20 of each:
    // chi-square 4 * 100 / 20 = 20 at 1 degree of freedom, V = sqrt(20 / 80) = 1/2.
    let mut rows = Vec::new();
    for (past, next, count) in [(0, 0, 30), (0, 2, 10), (2, 0, 10), (2, 2, 30)] {
        for _ in 0..count {
            let who = rows.len() as i64;
            rows.extend([(who, 0, past), (who, 1, 1), (who, 2, next)]);
        }
    }
    let memory = path(&rows, &request()).unwrap().memory;
    let test = memory.test.unwrap();
    assert_relative_eq!(test.statistic, 20.0, max_relative = 1e-12);
    assert_relative_eq!(test.v, 0.5, max_relative = 1e-12);
    assert_eq!((test.df, memory.tested, memory.varied), (1.0, 1, 1));
    // pchisq(20, 1, lower.tail = FALSE) is 7.744216e-06.
    assert_relative_eq!(test.p, 7.744_216e-6, max_relative = 1e-6);
}

#[test]
fn saved_path_is_the_same_and_hostile_ones_are_refused() {
    let request = Request { margin: margins([1.0, 2.0, 3.0]), n_boot: 20, ..request() };
    let found = path(&moves(COUNTS), &request).unwrap();
    let text = to_json(&found).unwrap();
    assert_eq!(from_json::<LifePath>(&text).unwrap(), found);
    for (old, new) in [
        ("\"table\":[4.0", "\"table\":[-4.0"),
        ("\"table\":[4.0,", "\"table\":["),
        ("\"horizon\":10", "\"horizon\":1000000000"),
        ("\"n_boot\":20", "\"n_boot\":2000000000"),
        ("\"gone\"", "\"new\""),
        ("\"margin\":[1.0,2.0,3.0]", "\"margin\":null"),
    ] {
        assert!(text.contains(old), "{old}");
        let broken = from_json::<LifePath>(&text.replacen(old, new, 1));
        assert!(matches!(broken, Err(Error::ModelFile { .. })), "{new}");
    }
}

/// Customers with random stages in random periods, each at most once in a period.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let customer = proptest::collection::btree_map(0..6_i64, 0..3_usize, 1..6);
    proptest::collection::vec(customer, 1..30).prop_map(|customers| {
        let rows = |(who, path): (usize, std::collections::BTreeMap<i64, usize>)| {
            path.into_iter().map(move |(when, stage)| (who as i64, when, stage)).collect::<Vec<_>>()
        };
        customers.into_iter().enumerate().flat_map(rows).collect()
    })
}

/// The obvious way: every pair of rows.
fn slow(rows: &[Row]) -> Vec<f64> {
    let mut table = vec![0.0; 9];
    for one in rows {
        for next in rows.iter().filter(|next| next.0 == one.0 && next.1 == one.1 + 1) {
            table[one.2 * 3 + next.2] += 1.0;
        }
    }
    table
}

fn seen(rows: &[Row], who: i64) -> Vec<Seen> {
    let of = rows.iter().filter(|row| row.0 == who);
    of.map(|row| Seen { period: row.1, stage: row.2, weight: 1.0 }).collect()
}

proptest! {
    #[test]
    fn table_is_that_of_every_pair_of_rows(rows in rows()) {
        match path(&rows, &request()) {
            Ok(found) => prop_assert_eq!(found.table, slow(&rows)),
            Err(_) => prop_assert_eq!(slow(&rows).iter().sum::<f64>(), 0.0),
        }
    }

    #[test]
    fn rows_sum_to_one_and_shares_stay_shares(rows in rows(), seed in any::<u64>()) {
        let request = Request { n_boot: 8, seed, ..request() };
        if let Ok(found) = path(&rows, &request) {
            for row in found.probabilities().chunks(3) {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
            for shares in found.occupancy(12, &Monitor::new()).unwrap() {
                prop_assert!((shares.iter().map(|s| s.value).sum::<f64>() - 1.0).abs() < 1e-12);
                prop_assert!(shares.iter().all(|s| -1e-15 <= s.lo && s.lo <= s.hi && s.hi <= 1.0 + 1e-12));
            }
        }
    }

    #[test]
    fn order_of_rows_does_not_matter(rows in rows(), seed in any::<u64>()) {
        let mut mixed = rows.clone();
        Rng::stream(seed, Stage::Sample, 0).shuffle(&mut mixed);
        let request = Request { n_boot: 4, margin: margins([1.0, 5.0, 0.0]), discount: 0.1, ..request() };
        prop_assert_eq!(path(&rows, &request), path(&mixed, &request));
    }

    #[test]
    fn halves_merged_are_the_whole(rows in rows(), cut in 0..30_i64) {
        let customers: std::collections::BTreeSet<i64> = rows.iter().map(|row| row.0).collect();
        let count = |those: &dyn Fn(i64) -> bool| {
            let mut found = Transitions::new(3);
            customers.iter().filter(|&&who| those(who)).for_each(|&who| found.update(&seen(&rows, who)));
            found
        };
        let mut merged = count(&|who| who < cut);
        merged.merge(&count(&|who| who >= cut));
        let whole = count(&|_| true);
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(merged.finish(), whole.finish());
    }

    #[test]
    fn weights_are_repeats(rows in rows(), weights in proptest::collection::vec(0..4_usize, 30)) {
        let mut repeated = Vec::new();
        for row in &rows {
            for copy in 0..weights[row.0 as usize] {
                repeated.push((row.0 * 10 + copy as i64, row.1, row.2));
            }
        }
        let heavy: Vec<f64> = rows.iter().map(|row| weights[row.0 as usize] as f64).collect();
        let one = request();
        let other = Request { weights: Some("weight".into()), ..request() };
        let start = Some(vec![("new".to_string(), 1.0)]);
        let one = path(&repeated, &Request { start: start.clone(), ..one });
        let other = weighted(&rows, Some(&heavy), &Request { start, ..other });
        prop_assert_eq!(one.is_ok(), other.is_ok());
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert_eq!(one.table.clone(), other.table.clone());
            prop_assert_eq!(one.moves().iter().map(|e| e.lo.to_bits()).collect::<Vec<_>>(),
                other.moves().iter().map(|e| e.lo.to_bits()).collect::<Vec<_>>());
            prop_assert_eq!(one.memory, other.memory);
        }
    }

    #[test]
    fn long_horizons_come_to_the_value_that_is_solved(
        rows in rows(), discount in 0.05..1.0_f64, margin in [-9.0..9.0_f64, -9.0..9.0, -9.0..9.0],
    ) {
        let request = Request { margin: margins(margin), discount, horizon: 2_000, ..request() };
        if let Ok(found) = path(&rows, &request) {
            for (some, all) in found.value.iter().zip(&found.value_forever) {
                prop_assert!((some[0] - all[0]).abs() <= 1e-9 * (1.0 + all[0].abs()), "{some:?} {all:?}");
            }
            // The solution solves its equation.
            let forever: Vec<f64> = found.value_forever[..3].iter().map(|value| value[0]).collect();
            let again = chain::one_more(&found.probabilities(), &margin, 1.0 / (1.0 + discount), &forever);
            for (a, b) in again.iter().zip(&forever) {
                prop_assert!((a - b).abs() <= 1e-10 * (1.0 + b.abs()));
            }
        }
    }

    #[test]
    fn value_doubles_with_the_currency(rows in rows(), margin in [0.0..9.0_f64, 0.0..9.0, 0.0..9.0]) {
        let of = |factor: f64| {
            let margin = margins(margin.map(|amount| factor * amount));
            path(&rows, &Request { margin, discount: 0.1, n_boot: 6, ..request() })
        };
        if let (Ok(one), Ok(two)) = (of(1.0), of(2.0)) {
            for (one, two) in one.value_forever.iter().zip(&two.value_forever) {
                for (one, two) in one.iter().zip(two.iter()) {
                    prop_assert!((2.0 * one - two).abs() <= 1e-12 * two.abs());
                }
            }
        }
    }
}
