//! Recency, frequency and monetary value against a slow twin.

use std::collections::BTreeMap;

use ilk::economics::rfm::{
    Definition, LeftOut, Lines, Named, Options, check_segments, rfm, scores, segment_of,
};
use ilk::table::MISSING;
use proptest::prelude::*;

fn options(definition: Definition) -> Options {
    Options { definition, observed_to: None, unit_days: 1.0, n_scores: 5 }
}

/// The figures of one customer, worked out from a map of days.
fn slow(lines: &[(f64, f64)], definition: Definition, end: f64) -> Option<(f64, f64, f64, f64)> {
    let mut days: BTreeMap<i64, f64> = BTreeMap::new();
    for &(day, value) in lines.iter().filter(|line| line.0.floor() <= end) {
        *days.entry(day.floor() as i64).or_default() += value;
    }
    let total: f64 = days.values().sum();
    let bought: Vec<(f64, f64)> = days
        .iter()
        .filter(|(_, value)| **value > 0.0)
        .map(|(&day, &value)| (day as f64, value))
        .collect();
    let (first, last) = (bought.first()?.0, bought.last()?.0);
    let n = bought.len() as f64;
    Some(match definition {
        Definition::Btyd => {
            let later: f64 = bought[1..].iter().map(|day| day.1).sum();
            (n - 1.0, last - first, end - first, later / (n - 1.0))
        }
        Definition::Marketing => (n, end - last, end - first, total),
    })
}

proptest! {
    #[test]
    fn figures_are_those_of_a_slow_twin(
        lines in prop::collection::vec((0u32..6, 0.0f64..40.0, -3i32..9), 1..80),
        marketing in any::<bool>(),
        end in prop::option::of(10.0f64..50.0),
    ) {
        let definition = if marketing { Definition::Marketing } else { Definition::Btyd };
        let customer: Vec<u32> = lines.iter().map(|line| if line.0 == 5 { MISSING } else { line.0 }).collect();
        let day: Vec<f64> = lines.iter().map(|line| line.1).collect();
        let value: Vec<f64> = lines.iter().map(|line| f64::from(line.2)).collect();
        let input = Lines { customer: &customer, n_customers: 5, day: &day, value: Some(&value) };
        let found = rfm(&input, &Options { observed_to: end, ..options(definition) });
        let last = (0..lines.len()).filter(|&i| customer[i] < 5).map(|i| day[i].floor()).fold(f64::MIN, f64::max);
        // Without a line that counts nobody can say until when was observed.
        let known = end.is_some() || last > f64::MIN;
        let end = end.map_or(last, f64::floor);
        let mut expected = Vec::new();
        for one in 0..5 {
            let own: Vec<(f64, f64)> = (0..lines.len()).filter(|&i| customer[i] == one).map(|i| (day[i], value[i])).collect();
            expected.extend(slow(&own, definition, end).map(|figures| (one, figures)));
        }
        let (figures, left_out, _, until) = found.unwrap();
        prop_assert!(!known || f64::from(until) == end);
        prop_assert_eq!(left_out.no_customer.count, customer.iter().filter(|&&c| c == MISSING).count());
        prop_assert_eq!(figures.customer.len(), expected.len());
        for (row, (one, (frequency, recency, age, monetary))) in expected.into_iter().enumerate() {
            prop_assert_eq!(figures.customer[row], one);
            prop_assert_eq!(figures.frequency[row], frequency);
            prop_assert_eq!(figures.recency[row], recency);
            prop_assert_eq!(figures.age[row], age);
            let money = figures.monetary[row];
            prop_assert!(money == monetary || (money.is_nan() && monetary.is_nan()) || (money - monetary).abs() < 1e-9);
        }
    }

    #[test]
    fn scores_count_who_is_lower(values in prop::collection::vec(-4i32..5, 1..60), n in 1u32..8) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let found = scores(&values, n);
        for (row, value) in values.iter().enumerate() {
            let lower = values.iter().filter(|other| *other < value).count();
            prop_assert_eq!(found[row] as usize, 1 + lower * n as usize / values.len());
        }
    }
}

#[test]
fn two_purchases_on_a_day_are_one() {
    // 2018-04-24 twice, 2018-05-24, observed to 2019-01-31.
    let lines =
        Lines { customer: &[0; 3], n_customers: 1, day: &[17645.2, 17645.9, 17675.0], value: None };
    let options = Options { observed_to: Some(17927.0), ..options(Definition::Btyd) };
    let (figures, left_out, none, _) = rfm(&lines, &options).unwrap();
    assert_eq!((figures.frequency[0], figures.recency[0], figures.age[0]), (1.0, 30.0, 282.0));
    assert!(figures.monetary[0].is_nan());
    assert_eq!((left_out, none), (LeftOut::default(), 0));
}

#[test]
fn an_order_taken_back_on_its_day_is_no_purchase() {
    let lines = Lines {
        customer: &[0, 0, 0, 0, 1, 1],
        n_customers: 2,
        day: &[1.0, 5.0, 5.0, 5.0, 2.0, 3.0],
        value: Some(&[10.0, 0.1, 0.2, -0.3, 7.0, -7.0]),
    };
    let (figures, _, none, _) = rfm(&lines, &options(Definition::Btyd)).unwrap();
    assert_eq!((figures.frequency, none), (vec![0.0, 0.0], 0));
    let (figures, ..) = rfm(&lines, &options(Definition::Marketing)).unwrap();
    assert_eq!((figures.monetary[0], figures.monetary[1]), (10.0, 0.0));
}

#[test]
fn names_must_cover_each_pair_once() {
    let named = |name: &str, recency, frequency| Named { name: name.into(), recency, frequency };
    let good = [named("late", (1, 1), (1, 2)), named("now", (2, 2), (1, 2))];
    check_segments(&good, 2).unwrap();
    assert_eq!((segment_of(&good, 2, 1), segment_of(&good, 0, 1)), (Some(1), None));
    for (bad, n_scores, words) in [
        (&good[..1], 2, "no name for recency 2 and frequency 1"),
        (&good[..], 3, "no name for recency 1 and frequency 3"),
        (&[good[0].clone(), named("all", (1, 2), (1, 2))][..], 2, "\"late\" and \"all\""),
        (&[named("odd", (0, 2), (1, 2))][..], 2, "scores of recency from 0 to 2"),
    ] {
        let message = check_segments(bad, n_scores).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}
