//! Laws of stated segments: rules part the customers, order decides, edits undo each other, files come back.

use ilk::Error;
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::segment::rules::{Condition, Interval, Rule, Test, Value};
use ilk::segment::{
    Build, LimitBy, Rules, Segmentation, SplitBy, Step, Who, by_rules, from_labels,
};
use ilk::table::{MISSING, Table};
use proptest::prelude::*;

fn customers(rows: &[(f64, u8)]) -> Table {
    Table::builder()
        .float("x", rows.iter().map(|row| row.0))
        .text("c", rows.iter().map(|row| ["a", "b", "c"][usize::from(row.1) % 3]))
        .finish()
        .unwrap()
}

fn manifest(table: &Table) -> Manifest {
    Manifest::new("test", serde_json::Map::new(), None, table.n_rows())
}

fn build(k: usize) -> Build {
    Build { names: (0..k).map(|s| format!("s{s}")).collect(), ..Build::default() }
}

fn between(low: Option<(f64, bool)>, high: Option<(f64, bool)>) -> Condition {
    Condition { column: "x".into(), test: Test::Between(Interval::new(low, high)) }
}

fn is(level: &str) -> Condition {
    Condition { column: "c".into(), test: Test::In(vec![Value::Text(level.into())]) }
}

/// Rows of whole numbers, so that bounds are met exactly; some are missing.
fn rows() -> impl Strategy<Value = Vec<(f64, u8)>> {
    let value = prop_oneof![9 => (0_i32..20).prop_map(f64::from), 1 => Just(f64::NAN)];
    prop::collection::vec((value, 0_u8..3), 6..80).prop_map(|mut rows| {
        rows[..3].copy_from_slice(&[(1.0, 0), (8.0, 1), (15.0, 2)]);
        rows
    })
}

fn conditions() -> impl Strategy<Value = Vec<Condition>> {
    let bounds = (0_i32..20, 1_i32..10, any::<bool>(), any::<bool>()).prop_map(
        |(low, width, open, high_open)| {
            let (low, high) = (f64::from(low), f64::from(low + width));
            between(Some((low, open)), Some((high, high_open)))
        },
    );
    let one = prop_oneof![
        bounds,
        (0_usize..3).prop_map(|level| is(["a", "b", "c"][level])),
        Just(Condition { column: "x".into(), test: Test::Missing }),
        Just(Condition { column: "x".into(), test: Test::Present }),
        Just(Condition { column: "c".into(), test: Test::NotIn(vec![Value::Text("b".into())]) }),
    ];
    prop::collection::vec(one, 0..3)
}

/// The slow obvious twin: one row, one condition.
fn holds(condition: &Condition, row: (f64, u8)) -> bool {
    let level = ["a", "b", "c"][usize::from(row.1) % 3];
    match &condition.test {
        Test::Missing => row.0.is_nan(),
        Test::Present => !row.0.is_nan(),
        Test::In(values) => values.contains(&Value::Text(level.into())),
        Test::NotIn(values) => !values.contains(&Value::Text(level.into())),
        Test::Between(Interval { low, high, .. }) => {
            let above = low.is_none_or(|b| if b.open { row.0 > b.at } else { row.0 >= b.at });
            let below = high.is_none_or(|b| if b.open { row.0 < b.at } else { row.0 <= b.at });
            above && below
        }
    }
}

fn by_category(table: &Table) -> Segmentation {
    let rule =
        |(segment, level): (usize, &str)| Rule { segment: segment as u32, all: vec![is(level)] };
    let rules = ["a", "b", "c"].into_iter().enumerate().map(rule).collect();
    by_rules(table, Rules { rules, default: None }, build(3), true, manifest(table)).unwrap()
}

proptest! {
    #[test]
    fn rules_part_the_customers_as_their_slow_twin_does(
        rows in rows(), listed in prop::collection::vec(conditions(), 1..5)
    ) {
        let table = customers(&rows);
        let n = listed.len();
        let rules: Vec<Rule> = listed
            .iter()
            .enumerate()
            .map(|(at, all)| Rule { segment: at as u32, all: all.clone() })
            .collect();
        let expected: Vec<u32> = rows
            .iter()
            .map(|&row| {
                let first = listed.iter().position(|all| all.iter().all(|one| holds(one, row)));
                first.unwrap_or(n) as u32
            })
            .collect();
        let all = Rules { rules: rules.clone(), default: Some(n as u32) };
        let found = by_rules(&table, all, build(n + 1), false, manifest(&table)).unwrap();
        prop_assert_eq!(found.labels(), expected.as_slice());
        prop_assert_eq!(found.sizes().iter().sum::<usize>(), rows.len());
        prop_assert_eq!(found.predict(&table, &Monitor::new()).unwrap().labels, expected.clone());
        // Without a default those who meet none are counted as left out.
        let found = by_rules(&table, Rules { rules, default: None }, build(n), false, manifest(&table));
        let outside = expected.iter().filter(|&&label| label as usize == n).count();
        match found {
            Ok(found) => {
                prop_assert_eq!(found.manifest().rows_used + outside, rows.len());
                let of = |rule: u32| if rule as usize == n { MISSING } else { rule };
                let labels: Vec<u32> = expected.iter().map(|&rule| of(rule)).collect();
                prop_assert_eq!(found.labels(), labels.as_slice());
            }
            Err(error) => {
                prop_assert_eq!(outside, rows.len());
                let refused = matches!(error, Error::Argument { .. });
                prop_assert!(refused, "{}", error);
            }
        }
    }

    #[test]
    fn order_of_rules_that_exclude_each_other_says_nothing(rows in rows(), cut in 1_i32..19) {
        let table = customers(&rows);
        let cut = f64::from(cut);
        let low = Rule { segment: 0, all: vec![between(None, Some((cut, true)))] };
        let high = Rule { segment: 1, all: vec![between(Some((cut, false)), None)] };
        let of = |rules: Vec<Rule>| {
            by_rules(&table, Rules { rules, default: None }, build(2), true, manifest(&table))
                .unwrap()
        };
        let (one, other) = (of(vec![low.clone(), high.clone()]), of(vec![high, low]));
        prop_assert_eq!(one.labels(), other.labels());
    }

    #[test]
    fn split_and_merge_undo_each_other(rows in rows(), cut in 2_i32..15, segment in 0_usize..3) {
        let table = customers(&rows);
        let whole = by_category(&table);
        let by = SplitBy::Rule(vec![between(None, Some((f64::from(cut), true)))]);
        let monitor = Monitor::new();
        let Ok(split) = whole.split(&table, segment, by, None, "why", &monitor) else {
            // All customers of the segment are on one side.
            return Ok(());
        };
        prop_assert_eq!(split.sizes().iter().sum::<usize>(), rows.len());
        let mut lists: Vec<Vec<usize>> = (0..4).map(|s| vec![s]).collect();
        lists[segment] = vec![segment, segment + 1];
        lists.remove(segment + 1);
        let back = split.merge(&lists, &[None, None, None], "").unwrap();
        prop_assert_eq!(back.labels(), whole.labels());
        prop_assert_eq!(back.sizes(), whole.sizes());
        for edited in [&split, &back] {
            prop_assert_eq!(&edited.predict(&table, &monitor).unwrap().labels, edited.labels());
            let again: Segmentation = from_json(&to_json(edited).unwrap()).unwrap();
            prop_assert_eq!(&again, edited);
        }
    }

    #[test]
    fn moved_customers_are_moved_again_when_predicted(rows in rows(), cut in 1_i32..19, to in 0_usize..3) {
        let table = customers(&rows);
        let whole = by_category(&table);
        let conditions = vec![between(Some((f64::from(cut), false)), None)];
        let Ok(moved) = whole.reassign(&table, Who::Rule(conditions), to, "why") else {
            return Ok(());
        };
        for ((row, &before), &after) in rows.iter().zip(whole.labels()).zip(moved.labels()) {
            prop_assert_eq!(after, if row.0 >= f64::from(cut) { to as u32 } else { before });
        }
        let again = moved.predict(&table, &Monitor::new()).unwrap().labels;
        prop_assert_eq!(again.as_slice(), moved.labels());
        let edit = &moved.history()[0];
        let changed = whole.labels().iter().zip(moved.labels()).filter(|(a, b)| a != b).count();
        prop_assert_eq!(edit.customers, changed);
        prop_assert!((edit.share - changed as f64 / rows.len() as f64).abs() < 1e-12);
        prop_assert_eq!(&edit.evidence, "assumed");
    }

    #[test]
    fn limit_by_share_keeps_the_largest(rows in rows(), most in 1_usize..3) {
        let table = customers(&rows);
        let whole = by_category(&table);
        let few = whole.limit(most, LimitBy::Share, None, Some(&table), "").unwrap();
        let mut sizes = whole.sizes().to_vec();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let kept: usize = sizes[..most].iter().sum();
        prop_assert_eq!(few.sizes().iter().sum::<usize>(), kept);
        prop_assert_eq!(few.history()[0].customers, rows.len() - kept);
        prop_assert_eq!(&few.predict(&table, &Monitor::new()).unwrap().labels, few.labels());
        // Ward puts together: nobody is lost.
        let near = whole.limit(most, LimitBy::Ward, None, None, "").unwrap();
        prop_assert_eq!(near.sizes().iter().sum::<usize>(), rows.len());
    }
}

#[test]
fn one_thread_and_eight_give_the_same_bits() {
    let rows: Vec<(f64, u8)> =
        (0..100_000).map(|i| (f64::from(i % 977) / 7.0, (i % 5) as u8)).collect();
    let table = customers(&rows);
    let texts: Vec<String> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            ilk::parallel::set_num_threads(threads);
            to_json(&by_category(&table)).unwrap()
        })
        .collect();
    ilk::parallel::set_num_threads(0);
    assert!(texts[0] == texts[1] && texts[1] == texts[2]);
}

#[test]
fn labels_that_were_given_predict_nothing() {
    let table = customers(&[(1.0, 0), (2.0, 1), (3.0, 2)]);
    let found = from_labels(&table, vec![0, 1, MISSING], build(2), manifest(&table)).unwrap();
    assert_eq!(found.manifest().rows_used, 2);
    let error = found.predict(&table, &Monitor::new()).unwrap_err().to_string();
    assert!(error.contains("given as labels") && error.contains("from_labels"), "{error}");
    assert!(found.clustering().is_err() && found.groups().is_err());
}

#[test]
fn hostile_files_are_refused() {
    let table = customers(&[(1.0, 0), (2.0, 1), (3.0, 2), (9.0, 1)]);
    let split = SplitBy::Rule(vec![between(None, Some((5.0, true)))]);
    let found = by_category(&table).split(&table, 1, split, None, "", &Monitor::new()).unwrap();
    assert!(matches!(found.steps(), [Step::Split { segment: 1, parts: 2, .. }]));
    let good = to_json(&found).unwrap();
    assert!(from_json::<Segmentation>(&good).is_ok());
    for (from, to) in [
        ("\"base\":3", "\"base\":4"),
        ("\"base\":3", "\"base\":18446744073709551615"),
        ("\"parts\":2", "\"parts\":3"),
        ("\"parts\":2", "\"parts\":4294967295"),
        ("{\"split\":{\"segment\":1", "{\"split\":{\"segment\":9"),
        ("\"rules\":[{\"segment\":0", "\"rules\":[{\"segment\":7"),
        ("\"high\":{\"at\":5.0", "\"high\":{\"at\":null"),
        ("\"names\":[\"s0\"", "\"names\":[\"\""),
        ("\"labels\":[0", "\"labels\":[6"),
        ("\"weights\":[1.0", "\"weights\":[-1.0"),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        assert!(matches!(from_json::<Segmentation>(&bad), Err(Error::ModelFile { .. })), "{to}");
    }
}
