//! Models by group: partial pooling, holdouts, and the distribution of purchases.

use approx::assert_relative_eq;
use ilk::Error;
use ilk::economics::buying::{
    BetaBinomial, BetaGeo, Days, Discount, Holdout, Kind, Names, Pareto, RepeatBuying, Settings,
};
use ilk::economics::rfm::Names as OrderNames;
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::Table;

fn gamma(shape: usize, rng: &mut Rng) -> f64 {
    (0..shape).map(|_| rng.exponential()).sum()
}

/// Customers of groups whose rates differ: names of groups, frequency, recency, age.
struct Market {
    group: Vec<String>,
    columns: [Vec<f64>; 3],
}

impl Market {
    /// `sizes[g]` customers with rates gamma(2, alphas[g]), who leave with beta(1, 3).
    fn new(sizes: &[usize], alphas: &[f64], seed: u64) -> Self {
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let mut market = Self { group: vec![], columns: Default::default() };
        for (g, (&size, &alpha)) in sizes.iter().zip(alphas).enumerate() {
            for _ in 0..size {
                let rate = gamma(2, &mut rng) / alpha;
                let (one, other) = (gamma(1, &mut rng), gamma(3, &mut rng));
                let leaves = one / (one + other);
                let end = 20.0 + 20.0 * rng.uniform();
                let (mut count, mut last, mut time) = (0.0, 0.0, 0.0);
                loop {
                    time += rng.exponential() / rate;
                    if time > end {
                        break;
                    }
                    (count, last) = (count + 1.0, time);
                    if rng.uniform() < leaves {
                        break;
                    }
                }
                market.group.push(format!("g{g:02}"));
                for (column, value) in market.columns.iter_mut().zip([count, last, end]) {
                    column.push(value);
                }
            }
        }
        market
    }

    fn table(&self) -> Table {
        let [x, recency, age] = &self.columns;
        Table::builder()
            .text("g", &self.group)
            .float("frequency", x.iter().copied())
            .float("recency", recency.iter().copied())
            .float("T", age.iter().copied())
            .finish()
            .unwrap()
    }
}

fn manifest(n: usize) -> Manifest {
    Manifest::new("fit", serde_json::Map::new(), None, n)
}

fn fitted(table: &Table, by: Option<&str>, pooled: bool) -> RepeatBuying {
    let names = Names {
        columns: ["frequency", "recency", "T"].map(String::from).to_vec(),
        weights: None,
        by: by.map(String::from),
    };
    let settings = Settings { pooled, unit_days: Some(7.0) };
    let monitor = Monitor::new();
    RepeatBuying::fit(table, Kind::BetaGeo, names, settings, manifest(table.n_rows()), &monitor)
        .unwrap()
}

/// Expected purchases of a new customer of each group in half a year.
fn outlook(model: &RepeatBuying) -> Vec<f64> {
    model.of_new(&[26.0]).unwrap().into_iter().map(|values| values[0]).collect()
}

#[test]
fn pooling_finds_the_truth_better_than_groups_alone_or_one_model_for_all() {
    let (mut alone, mut pooled, mut common) = (0.0, 0.0, 0.0);
    for seed in 0..3 {
        let mut rng = Rng::stream(seed, Stage::Sample, 9);
        let alphas: Vec<f64> = (0..12)
            .map(|_| 8.0 * (0.5 * (0..12).map(|_| rng.uniform() - 0.5).sum::<f64>()).exp())
            .collect();
        let table = Market::new(&[80; 12], &alphas, seed).table();
        let all = outlook(&fitted(&table, None, false))[0];
        let separate = fitted(&table, Some("g"), false);
        let own = outlook(&separate);
        let shrunk = outlook(&fitted(&table, Some("g"), true));
        for (g, &alpha) in alphas.iter().enumerate() {
            let truth = BetaGeo::new([2.0, alpha, 1.0, 3.0], false).expected_of_new(26.0);
            let miss = |found: f64| (found / truth).ln().powi(2);
            // Where a group's own data do not tell its parameters, it may take the better of both.
            let told = separate.groups[g].unknown.is_empty();
            alone += if told { miss(own[g]) } else { miss(own[g]).min(miss(all)) };
            pooled += miss(shrunk[g]);
            common += miss(all);
        }
    }
    assert!(pooled < 0.95 * alone, "{pooled} pooled, {alone} alone");
    assert!(pooled < 0.5 * common, "{pooled} pooled, {common} for all");
}

#[test]
fn small_groups_are_drawn_to_the_common_values_and_large_ones_are_not() {
    // Two groups alike but in size, both slower than the other eight.
    let mut sizes = vec![400; 8];
    sizes.extend([3000, 30]);
    let mut alphas = vec![6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5];
    alphas.extend([16.0, 16.0]);
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for seed in 0..6 {
        let table = Market::new(&sizes, &alphas, seed).table();
        let separate = fitted(&table, Some("g"), false);
        let pooled = fitted(&table, Some("g"), true);
        let common = pooled.common.as_ref().unwrap();
        let typical = BetaGeo::new(std::array::from_fn(|i| common.parameters[i]), false)
            .expected_of_new(26.0);
        let (own, shrunk) = (outlook(&separate), outlook(&pooled));
        let moved = |g: usize| (shrunk[g] / own[g]).ln() / (typical / own[g]).ln();
        large.push(moved(8));
        // Where a group's own data do not tell its parameters there is no way to be drawn along; where it happens to
        // look like the others there is none either.
        if separate.groups[9].unknown.is_empty() && (typical / own[9]).ln() > 0.2 {
            small.push(moved(9));
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(
        large.iter().all(|moved| moved.abs() < 0.1),
        "large groups moved by {large:?} of the way"
    );
    assert!(
        small.len() >= 2 && (0.1..1.0).contains(&mean(&small)),
        "small groups moved by {small:?} of the way"
    );
}

#[test]
fn equal_groups_become_one() {
    let table = Market::new(&[300; 8], &[8.0; 8], 11).table();
    let pooled = fitted(&table, Some("g"), true);
    let all = outlook(&fitted(&table, None, false))[0];
    let own = outlook(&fitted(&table, Some("g"), false));
    let spread = |found: &[f64]| {
        found.iter().map(|value| (value / all).ln().powi(2)).sum::<f64>() / found.len() as f64
    };
    let shrunk = outlook(&pooled);
    assert!(spread(&shrunk) < 0.3 * spread(&own), "{} of {}", spread(&shrunk), spread(&own));
}

#[test]
fn a_group_that_tells_nothing_gets_what_the_others_tell() {
    // Nobody of the last group ever came back.
    let mut market = Market::new(&[500; 5], &[6.0, 7.0, 8.0, 9.0, 10.0], 2);
    for _ in 0..4 {
        market.group.push("new".into());
        for (column, value) in market.columns.iter_mut().zip([0.0, 0.0, 2.0]) {
            column.push(value);
        }
    }
    let table = market.table();
    let own = fitted(&table, Some("g"), false);
    assert!(!own.groups[5].unknown.is_empty());
    assert!(own.groups[5].parameters.iter().all(|value| value.is_nan()));
    let pooled = fitted(&table, Some("g"), true);
    assert!(pooled.groups.iter().all(|group| group.unknown.is_empty()));
    let typical = &pooled.common.as_ref().unwrap().parameters;
    for (value, typical) in pooled.groups[5].parameters.iter().zip(typical) {
        assert!((value / typical).ln().abs() < 0.3, "{value} beside {typical}");
    }
    // Less is known of it than of a group with customers.
    let error = |g: usize| pooled.groups[g].standard_errors[1] / pooled.groups[g].parameters[1];
    assert!(error(5) > error(0));
}

#[test]
fn models_come_back_from_json_to_the_last_bit() {
    let table = Market::new(&[300, 200], &[8.0, 12.0], 4).table();
    for pooled in [false, true] {
        let model = fitted(&table, Some("g"), pooled);
        let back: RepeatBuying = from_json(&to_json(&model).unwrap()).unwrap();
        assert_eq!(model, back);
        let broken =
            to_json(&model).unwrap().replace("\"standard_errors\":[", "\"standard_errors\":[1.0,");
        assert!(from_json::<RepeatBuying>(&broken).is_err());
    }
}

#[test]
fn threads_do_not_change_the_bits() {
    let table = Market::new(&[9000], &[8.0], 3).table();
    let found: Vec<(RepeatBuying, Vec<u64>)> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            ilk::parallel::set_num_threads(threads);
            let model = fitted(&table, None, false);
            let ahead = model.expected_purchases(&table, 10.0, &Monitor::new()).unwrap();
            (model, ahead.into_iter().map(f64::to_bits).collect())
        })
        .collect();
    ilk::parallel::set_num_threads(0);
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn forecasts_of_a_table_are_those_of_each_customer() {
    let market = Market::new(&[500], &[8.0], 8);
    let table = market.table();
    let model = fitted(&table, None, false);
    let one = BetaGeo::new(std::array::from_fn(|i| model.groups[0].parameters[i]), false);
    let monitor = Monitor::new();
    let ahead = model.expected_purchases(&table, 13.0, &monitor).unwrap();
    let alive = model.p_alive(&table, &monitor).unwrap();
    let [x, recency, age] = &market.columns;
    for row in 0..500 {
        let expected = one.expected_purchases(13.0, x[row], recency[row], age[row]);
        assert_relative_eq!(ahead[row], expected, max_relative = 1e-13);
        assert_eq!(alive[row], one.p_alive(x[row], recency[row], age[row]));
    }
}

#[test]
fn value_is_the_discounted_sum_of_purchases_by_unit() {
    let market = Market::new(&[400], &[8.0], 8);
    let table = market.table();
    let model = fitted(&table, None, false);
    let monitor = Monitor::new();
    let spend = {
        let [x, ..] = &market.columns;
        let mut rng = Rng::stream(1, Stage::Sample, 3);
        let means = x.iter().map(|&x| if x > 0.0 { 5.0 + 20.0 * rng.uniform() } else { f64::NAN });
        let table = Table::builder()
            .float("frequency", x.iter().copied())
            .float("recency", market.columns[1].iter().copied())
            .float("T", market.columns[2].iter().copied())
            .float("monetary", means)
            .finish()
            .unwrap();
        let names =
            Names { columns: vec!["frequency".into(), "monetary".into()], weights: None, by: None };
        let settings = Settings::default();
        let fit =
            RepeatBuying::fit(&table, Kind::GammaGamma, names, settings, manifest(400), &monitor);
        (fit.unwrap(), table)
    };
    let (spend, table) = spend;
    let per_purchase = spend.expected_spend(&table).unwrap();
    let until = |time: f64| model.expected_purchases(&table, time, &monitor).unwrap();
    let (rate, time) = (0.02, 4.5);
    for advance in [false, true] {
        let discount = Discount { time, rate, advance };
        let found = model.lifetime_value(&table, &spend, discount, &monitor).unwrap();
        let steps = [0.0, 1.0, 2.0, 3.0, 4.0, 4.5].map(until);
        for row in 0..400 {
            let purchases: f64 = (0..5)
                .map(|unit| {
                    let power = unit + i32::from(!advance);
                    (steps[unit as usize + 1][row] - steps[unit as usize][row])
                        / f64::powi(1.0 + rate, power)
                })
                .sum();
            assert_relative_eq!(found[row], purchases * per_purchase[row], max_relative = 1e-9);
        }
    }
}

#[test]
fn numbers_of_purchases_sum_to_one_and_have_the_expected_mean() {
    let time = 17.0;
    let models: [(Vec<f64>, f64); 4] = [
        {
            let model = BetaGeo::new([0.8, 4.0, 0.9, 2.6], false);
            (model.counts_of_new(time, 400), model.expected_of_new(time))
        },
        {
            let model = BetaGeo::new([0.8, 4.0, 0.9, 2.6], true);
            (model.counts_of_new(time, 400), model.expected_of_new(time))
        },
        {
            let model = Pareto { r: 0.7, alpha: 5.0, s: 0.9, beta: 8.0 };
            (model.counts_of_new(time, 400), model.expected_of_new(time))
        },
        {
            let model = BetaBinomial { alpha: 1.2, beta: 0.75, gamma: 0.66, delta: 2.78 };
            (model.counts_of_new(time, 18), model.expected_of_new(time))
        },
    ];
    for (shares, mean) in models {
        let (more, shares) = shares.split_last().unwrap();
        assert!(*more < 1e-9, "{more}");
        let found: f64 = shares.iter().enumerate().map(|(x, share)| x as f64 * share).sum();
        assert_relative_eq!(found, mean, max_relative = 1e-7);
        assert!(shares.iter().all(|share| *share >= 0.0));
    }
}

#[test]
fn occasions_are_refused_by_the_row_of_the_user() {
    // Equal rows before the odd one, which are collapsed.
    let table = Table::builder()
        .float("frequency", [1.0, 1.0, 1.0, 0.0, 3.0, 2.0])
        .float("recency", [2.0, 2.0, 2.0, 0.0, 2.0, 2.0])
        .float("T", [6.0; 6])
        .finish()
        .unwrap();
    let names = Names {
        columns: ["frequency", "recency", "T"].map(String::from).to_vec(),
        weights: None,
        by: None,
    };
    let monitor = Monitor::new();
    let found = RepeatBuying::fit(
        &table,
        Kind::BetaGeoBetaBinomial,
        names,
        Settings::default(),
        manifest(6),
        &monitor,
    );
    match found {
        Err(Error::BadValue { column, row, .. }) => assert_eq!((&*column, row), ("frequency", 4)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_holdout_counts_what_came_after() {
    let orders = Table::builder()
        .text("who", ["a", "a", "a", "b", "b", "c", "a", "b"])
        .float("day", [0.0, 9.0, 9.2, 4.0, 12.0, 13.0, 15.0, 21.0])
        .float("paid", [5.0, 2.0, 3.0, 7.0, 4.0, 9.0, 6.0, 1.0])
        .finish()
        .unwrap();
    let names =
        OrderNames { customer: "who".into(), date: "day".into(), value: Some("paid".into()) };
    let days = Days { calibration_end: 10.0, observed_to: Some(20.0), unit_days: 1.0 };
    let monitor = Monitor::new();
    let cut = Holdout::of(&orders, &names, &days, manifest(8), &monitor).unwrap();
    assert_eq!(cut.figures.frequency, [1.0, 0.0]);
    assert_eq!(cut.figures.age, [10.0, 6.0]);
    assert_eq!(cut.figures.monetary[0], 5.0);
    assert_eq!(cut.frequency, [1.0, 1.0]);
    assert_eq!(cut.monetary, [6.0, 4.0]);
    assert_eq!((cut.first.as_slice(), cut.again.len()), ([(0, 1), (4, 1)].as_slice(), 3));
    assert!(cut.manifest.notes[0].contains("no row for 1 customers who first bought"));
    assert_eq!(cut.manifest.left_out[0].rows, 1);
    let back: Holdout = from_json(&to_json(&cut).unwrap()).unwrap();
    assert_eq!(back.frequency, cut.frequency);
    let late = Days { calibration_end: 21.0, ..days };
    let refused = Holdout::of(&orders, &names, &late, manifest(8), &monitor).unwrap_err();
    assert!(refused.to_string().starts_with("calibration_end: found 1970-01-22"), "{refused}");
}
