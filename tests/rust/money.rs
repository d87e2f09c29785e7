//! Laws and references of where the money sits: cohorts, concentration, the mass of the market.

use approx::assert_relative_eq;
use ilk::economics::calendar::Period;
use ilk::economics::concentration::{Options, concentration, lorenz, spread};
use ilk::economics::mass::{self, market_mass, within_normal};
use ilk::economics::neighbours::Overlap;
use ilk::economics::normality::{omnibus, shape};
use ilk::economics::reader::Labels;
use ilk::economics::visits::{Tally, Visit, cells};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist;
use ilk::rng::{Rng, Stage};
use ilk::table::Table;
use proptest::prelude::*;

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The definition: mean absolute difference of all pairs over twice the mean.
fn gini_by_pairs(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let pairs: f64 = values.iter().flat_map(|a| values.iter().map(move |b| (a - b).abs())).sum();
    pairs / (n * n) / (2.0 * mean)
}

/// Share of the largest `top` of the customers, the last one in part.
fn top_by_counting(values: &[f64], top: f64) -> f64 {
    let mut room = top * values.len() as f64;
    let mut held = 0.0;
    for value in values.iter().rev() {
        held += value * room.clamp(0.0, 1.0);
        room -= 1.0;
    }
    held / values.iter().sum::<f64>()
}

proptest! {
    #[test]
    fn gini_and_top_share_are_those_of_the_definitions(
        values in prop::collection::vec(0.0_f64..1e4, 1..60),
        top in 0.01_f64..0.99,
    ) {
        let values = sorted(values);
        prop_assume!(values.iter().sum::<f64>() > 1e-3);
        let ones = vec![1.0; values.len()];
        let found = spread(&values, &ones, top, 0.8);
        prop_assert!((found.gini - gini_by_pairs(&values)).abs() < 1e-10);
        prop_assert!((found.top_share - top_by_counting(&values, top)).abs() < 1e-10);
        // The holders of 80 % hold 80 %.
        prop_assert!((top_by_counting(&values, found.holders) - 0.8).abs() < 1e-9);
    }

    #[test]
    fn weights_are_repeats_and_currency_changes_nothing(
        rows in prop::collection::vec((0.0_f64..100.0, 1_usize..5), 2..30),
        rate in 0.01_f64..100.0,
    ) {
        let mut rows = rows;
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        prop_assume!(rows.iter().map(|row| row.0).sum::<f64>() > 1.0);
        let values: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.1 as f64).collect();
        let repeated: Vec<f64> =
            rows.iter().flat_map(|&(value, n)| std::iter::repeat_n(value, n)).collect();
        let ones = vec![1.0; repeated.len()];
        let (a, b) = (spread(&values, &weights, 0.2, 0.8), spread(&repeated, &ones, 0.2, 0.8));
        let scaled: Vec<f64> = values.iter().map(|value| value * rate).collect();
        let c = spread(&scaled, &weights, 0.2, 0.8);
        for other in [b, c] {
            prop_assert!((a.gini - other.gini).abs() < 1e-9);
            prop_assert!((a.gini_corrected - other.gini_corrected).abs() < 1e-9);
            prop_assert!((a.top_share - other.top_share).abs() < 1e-9);
            prop_assert!((a.holders - other.holders).abs() < 1e-9);
        }
    }

    #[test]
    fn lorenz_curve_is_convex_and_runs_from_0_to_1(
        values in prop::collection::vec(0.0_f64..1e4, 1..50),
    ) {
        let values = sorted(values);
        prop_assume!(values.iter().sum::<f64>() > 1e-3);
        let curve = lorenz(&values, &vec![1.0; values.len()], 20);
        prop_assert_eq!((curve.len(), curve[0], curve[20]), (21, 0.0, 1.0));
        for three in curve.windows(3) {
            prop_assert!(three[0] + three[2] - 2.0 * three[1] > -1e-9);
        }
    }

    #[test]
    fn halves_of_the_orders_merge_to_the_whole(
        orders in prop::collection::vec((0_u32..12, 0_i32..9, -1_i32..40), 1..120),
        cut in 0_usize..120,
    ) {
        let visits: Vec<Visit> = orders
            .iter()
            .map(|&(customer, period, value)| Visit {
                customer,
                period,
                orders: u32::from(value >= 0),
                value: f64::from(value),
            })
            .collect();
        let cut = cut.min(visits.len());
        let mut whole = Tally::default();
        whole.update(visits.iter().copied());
        let (mut first, mut second) = (Tally::default(), Tally::default());
        first.update(visits[..cut].iter().copied());
        second.update(visits[cut..].iter().copied());
        first.merge(&second);
        // Whole numbers add up without rounding.
        prop_assert_eq!(&first, &whole);
        let group = vec![0; 12];
        let found = cells(whole.visits(), &group, 1, 8).unwrap();
        // Slowly: each customer by itself.
        let begin = |customer: u32| {
            orders.iter().filter(|o| o.0 == customer && o.2 >= 0).map(|o| o.1).min()
        };
        for cohort in 0..found.n_periods {
            let period = found.first + cohort as i32;
            let members: Vec<u32> = (0..12).filter(|&c| begin(c) == Some(period)).collect();
            prop_assert_eq!(found.size[cohort], members.len() as u64);
            for age in 0..found.n_periods - cohort {
                let then = period + age as i32;
                let active = members
                    .iter()
                    .filter(|&&c| orders.iter().any(|o| o.0 == c && o.1 == then && o.2 >= 0))
                    .count();
                let money: i32 = orders
                    .iter()
                    .filter(|o| members.contains(&o.0) && o.1 == then)
                    .map(|o| o.2)
                    .sum();
                let cell = cohort * found.n_periods + age;
                prop_assert_eq!(found.active[cell], active as u64);
                prop_assert_eq!(found.value[cell], f64::from(money));
            }
        }
    }
}

#[test]
fn one_who_holds_everything_has_a_corrected_gini_of_one() {
    let found = spread(&[0.0, 0.0, 0.0, 10.0], &[1.0; 4], 0.25, 0.5);
    assert_eq!((found.gini, found.gini_corrected, found.top_share), (0.75, 1.0, 1.0));
    assert_eq!(found.holders, 0.125);
    let nothing = spread(&[0.0, 0.0], &[1.0; 2], 0.2, 0.8);
    assert!(nothing.gini.is_nan() && nothing.top_share.is_nan());
}

#[test]
fn months_of_a_leap_year_are_those_of_the_calendar() {
    let month = Period::Month.of_day(19_782);
    assert_eq!(Period::Month.first_day(month + 1) - Period::Month.first_day(month), 29);
}

fn invented(n: usize) -> Table {
    let mut rng = Rng::stream(5, Stage::Sample, 0);
    let score: Vec<f64> = (0..n).map(|_| (0..6).map(|_| rng.uniform()).sum()).collect();
    let money: Vec<f64> = score.iter().map(|score| score * 10.0 * rng.exponential()).collect();
    let segment: Vec<&str> = (0..n).map(|_| ["a", "b", "c"][rng.below(3)]).collect();
    Table::builder()
        .float("score", score)
        .float("money", money)
        .text("segment", segment)
        .finish()
        .unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let table = invented(9_000);
    let labels = Labels { table: &table, name: "segment" };
    let spread_options = Options {
        top: 0.2,
        hold: 0.8,
        negative: "error".into(),
        n_boot: 70,
        confidence: 0.95,
        seed: 3,
    };
    let mass_options = mass::Options {
        bands: vec![0.5, 1.0, 2.0, 3.0],
        mass: 1.0,
        n_boot: 70,
        confidence: 0.95,
        seed: 3,
    };
    let results: Vec<(String, String)> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            let monitor = Monitor::new();
            let spread =
                concentration(&table, "money", Some(labels), None, &spread_options, &monitor);
            let mass = market_mass(&table, "score", "money", Some(labels), &mass_options, &monitor);
            set_num_threads(0);
            (persist::to_json(&spread.unwrap()).unwrap(), persist::to_json(&mass.unwrap()).unwrap())
        })
        .collect();
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[test]
fn normal_shares_are_those_of_the_tables() {
    for (width, share) in [(0.5, 0.382925), (1.0, 0.682689), (2.0, 0.954500), (3.0, 0.997300)] {
        assert!((within_normal(width) - share).abs() < 5e-7, "{width}");
    }
}

#[test]
fn shape_of_a_small_table_is_that_of_the_moments() {
    // By hand: 0, 0, 0, 4 has mean 1, variance 3, third moment 6, fourth 21.
    let found = shape(&[0.0, 0.0, 0.0, 4.0], &[1.0; 4]);
    assert_relative_eq!(found.mean, 1.0);
    assert_relative_eq!(found.sd, 3.0_f64.sqrt());
    assert_relative_eq!(found.skewness, 6.0 / 3.0_f64.powf(1.5));
    assert_relative_eq!(found.excess_kurtosis, 21.0 / 9.0 - 3.0);
    // The step at 0 goes from 0 to 0.75, where the normal curve is at P(Z < -1 / sqrt 3) = 0.2819.
    assert!((found.distance - (0.75 - 0.281851)).abs() < 1e-5, "{}", found.distance);
    // Weights are repeats.
    let weighted = shape(&[0.0, 4.0], &[3.0, 1.0]);
    assert_relative_eq!(weighted.distance, found.distance);
    assert_relative_eq!(weighted.skewness, found.skewness);
    assert!(omnibus(19, 0.0, 0.0).1.is_nan());
}

#[test]
fn variance_of_the_log_lift_is_that_of_draws() {
    // 2,000 customers: P(both) 0.12, niche alone 0.08, item alone 0.28.
    let overlap = Overlap { both: 240.0, niche: 400.0, item: 800.0, all: 2000.0 };
    assert_relative_eq!(overlap.lift(), 1.5);
    assert_relative_eq!(overlap.jaccard(), 0.25);
    let mut rng = Rng::stream(9, Stage::Sample, 0);
    let logs: Vec<f64> = (0..2_000)
        .map(|_| {
            let mut counts = [0.0; 4];
            for _ in 0..2000 {
                counts[rng.pick(&[0.12, 0.20, 0.48, 1.0])] += 1.0;
            }
            let [both, niche, item, _] = counts;
            Overlap { both, niche: both + niche, item: both + item, all: 2000.0 }.lift().ln()
        })
        .collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / logs.len() as f64;
    assert!((variance / overlap.log_variance() - 1.0).abs() < 0.12, "{variance}");
}
