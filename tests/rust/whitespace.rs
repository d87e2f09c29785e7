//! Laws of white space against a slow twin, and references of what it is drawn from.

use std::collections::{BTreeMap, BTreeSet};

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ilk::gap::whitespace::{self, By, Filter, Whitespace, shrink};
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::table::Table;
use proptest::prelude::*;

fn manifest(table: &Table) -> Manifest {
    Manifest::new("test", serde_json::Map::new(), None, table.n_rows())
}

/// A purchase: account, product, whole money.
type Purchase = (u32, u32, u32);

fn purchases(rows: &[Purchase]) -> Table {
    Table::builder()
        .text("account", rows.iter().map(|row| format!("a{:02}", row.0)))
        .text("product", rows.iter().map(|row| format!("p{:02}", row.1)))
        .text("segment", rows.iter().map(|row| format!("s{}", row.0 % 3)))
        .float("money", rows.iter().map(|row| f64::from(row.2)))
        .finish()
        .unwrap()
}

fn space(table: &Table, by: By<'_>, value: Option<&str>) -> Whitespace {
    let options =
        whitespace::Options { account: "account", product: "product", value, by, confidence: 0.95 };
    whitespace::whitespace(table, &options, manifest(table), &Monitor::new()).unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Purchase>> {
    prop::collection::vec((0..12_u32, 0..6_u32, 0..40_u32), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn white_space_is_that_of_sets(rows in rows(), min_buyers in 0..3_usize, per in 1..3_usize) {
        let table = purchases(&rows);
        let found = space(&table, By::Column("segment"), Some("money"));
        let mut baskets: BTreeMap<u32, BTreeMap<u32, f64>> = BTreeMap::new();
        for &(account, product, money) in &rows {
            *baskets.entry(account).or_default().entry(product).or_default() += f64::from(money);
        }
        let products: BTreeSet<u32> = rows.iter().map(|row| row.1).collect();
        let sheet = &found.table;
        let mut cells = 0;
        let mut figures = BTreeMap::new();
        for segment in baskets.keys().map(|account| account % 3).collect::<BTreeSet<_>>() {
            let members: Vec<u32> = baskets.keys().copied().filter(|a| a % 3 == segment).collect();
            for &product in &products {
                let buyers: Vec<f64> = members
                    .iter()
                    .filter_map(|account| baskets[account].get(&product).copied())
                    .collect();
                prop_assert_eq!(&sheet.texts("segment")[cells], &format!("s{segment}"));
                prop_assert_eq!(&sheet.texts("product")[cells], &format!("p{product:02}"));
                prop_assert_eq!(sheet.ints("accounts")[cells], members.len() as i64);
                prop_assert_eq!(sheet.ints("buyers")[cells], buyers.len() as i64);
                let rate = buyers.len() as f64 / members.len() as f64;
                let overall = baskets.values().filter(|basket| basket.contains_key(&product)).count()
                    as f64 / baskets.len() as f64;
                let p = sheet.floats("p_buy")[cells];
                let between = rate.min(overall) - 1e-12..=rate.max(overall) + 1e-12;
                prop_assert!(between.contains(&p), "{p} not between {rate} and {overall}");
                prop_assert!(sheet.floats("p_buy_lo")[cells] <= p + 1e-12);
                prop_assert!(p <= sheet.floats("p_buy_hi")[cells] + 1e-12);
                let spend = sheet.floats("spend")[cells];
                assert_relative_eq!(sheet.floats("expected_value")[cells], p * spend, max_relative = 1e-12);
                figures.insert((segment, product), (buyers.len(), p * spend, cells));
                cells += 1;
            }
        }
        prop_assert_eq!(sheet.n_rows(), cells);
        // The list, by trying every pair.
        let spent = |account: &u32| baskets[account].values().sum::<f64>();
        let mut pairs: Vec<(u32, u32)> = baskets
            .keys()
            .flat_map(|&account| products.iter().map(move |&product| (account, product)))
            .filter(|(account, product)| !baskets[account].contains_key(product))
            .filter(|(account, product)| figures[&(account % 3, *product)].0 >= min_buyers)
            .collect();
        pairs.sort_by(|a, b| {
            let figure = |pair: &(u32, u32)| figures[&(pair.0 % 3, pair.1)];
            figure(b).1.total_cmp(&figure(a).1)
                .then(figure(a).2.cmp(&figure(b).2))
                .then(spent(&b.0).total_cmp(&spent(&a.0)))
                .then(a.0.cmp(&b.0))
        });
        let names = |filter: &Filter<'_>| -> Vec<(String, String)> {
            found.opportunities(filter).unwrap().iter()
                .map(|one| (found.accounts[one.account].clone(), found.products[one.cell % products.len()].clone()))
                .collect()
        };
        let named = |pairs: &[(u32, u32)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, p)| (format!("a{a:02}"), format!("p{p:02}"))).collect()
        };
        let all = Filter { top: usize::MAX, min_buyers, ..Filter::default() };
        prop_assert_eq!(names(&all), named(&pairs));
        let mut taken: BTreeMap<u32, usize> = BTreeMap::new();
        let few: Vec<(u32, u32)> = pairs.iter().copied().filter(|pair| {
            let n = taken.entry(pair.0).or_default();
            *n += 1;
            *n <= per
        }).collect();
        prop_assert_eq!(names(&Filter { per_account: Some(per), ..all }), named(&few));
        let back: Whitespace = from_json(&to_json(&found).unwrap()).unwrap();
        prop_assert_eq!(to_json(&back).unwrap(), to_json(&found).unwrap());
    }

    #[test]
    fn order_and_repeats_of_purchases_do_not_matter(rows in rows()) {
        let turned: Vec<Purchase> = rows.iter().rev().copied().collect();
        let twice: Vec<Purchase> = rows.iter().chain(&rows).copied().collect();
        let found = space(&purchases(&rows), By::Column("segment"), None);
        for other in [turned, twice] {
            let mut other = space(&purchases(&other), By::Column("segment"), None);
            other.manifest = found.manifest.clone();
            prop_assert_eq!(to_json(&found).unwrap(), to_json(&other).unwrap());
        }
    }

    #[test]
    fn doubling_the_currency_doubles_the_money(rows in rows()) {
        let double: Vec<Purchase> = rows.iter().map(|&(a, p, money)| (a, p, 2 * money)).collect();
        let one = space(&purchases(&rows), By::Column("segment"), Some("money")).table;
        let two = space(&purchases(&double), By::Column("segment"), Some("money")).table;
        prop_assert_eq!(one.ints("rank"), two.ints("rank"));
        for name in ["spend", "spend_hi", "expected_value", "expected_value_lo", "potential"] {
            for (a, b) in one.floats(name).iter().zip(two.floats(name)) {
                prop_assert!(2.0 * a == *b || (a.is_nan() && b.is_nan()));
            }
        }
    }
}

#[test]
fn accounts_without_a_purchase_count_where_their_segment_is_known() {
    let table = purchases(&[(0, 0, 1), (3, 0, 1), (3, 1, 1)]);
    let accounts = Table::builder()
        .text("account", ["a00", "a03", "a06", "a09"])
        .text("kind", ["shop"; 4])
        .finish()
        .unwrap();
    let by = By::Table { table: &accounts, account: "account", segment: "kind" };
    let found = space(&table, by, None);
    assert_eq!(found.accounts.len(), 4);
    assert_eq!(found.table.ints("accounts"), [4, 4]);
    assert_eq!(found.table.floats("penetration"), [0.5, 0.25]);
}

// --- shrinkage ---

#[test]
fn quantiles_of_the_beta_are_those_of_closed_forms() {
    for p in [1e-6, 0.025, 0.3, 0.5, 0.975, 0.999_999] {
        // With one parameter 1 the distribution function is a power.
        for a in [0.01, 0.3, 1.0, 7.0, 900.0] {
            assert_relative_eq!(
                shrink::beta_quantile(p, a, 1.0),
                f64::powf(p, 1.0 / a),
                max_relative = 1e-7
            );
            let other = 1.0 - (1.0 - p).powf(1.0 / a);
            assert_relative_eq!(shrink::beta_quantile(p, 1.0, a), other, max_relative = 1e-7);
        }
        // The arcsine distribution.
        let arcsine = (std::f64::consts::FRAC_PI_2 * p).sin().powi(2);
        assert_relative_eq!(shrink::beta_quantile(p, 0.5, 0.5), arcsine, max_relative = 1e-7);
    }
    // R: qbeta(0.025, 12, 33), qbeta(0.975, 12, 33) are roots of the distribution function, found here by halving.
    let (a, b) = (12.0, 33.0);
    for p in [0.025, 0.975] {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if statrs::function::beta::beta_reg(a, b, middle) < p {
                low = middle
            } else {
                high = middle
            }
        }
        assert_relative_eq!(shrink::beta_quantile(p, a, b), low, max_relative = 1e-9);
    }
}

#[test]
fn large_parameters_join_the_small_ones_without_a_step() {
    for p in [0.025, 0.975] {
        let below = shrink::beta_quantile(p, 999.9, 4000.0);
        let above = shrink::beta_quantile(p, 1000.1, 4000.0);
        let slope = 0.2 * 4000.0 / 5000.0_f64.powi(2);
        assert_abs_diff_eq!(above - below, slope, epsilon = 1e-5);
    }
}

#[test]
fn equal_segments_are_pooled_and_unlike_ones_keep_their_share() {
    // How far a share stays from that of all, of the way to its own.
    let alike = [(30.0, 100.0), (32.0, 100.0), (28.0, 100.0)].repeat(10);
    for (share, (k, n)) in shrink::shares(&alike).iter().zip(&alike) {
        let own = k / n - 0.3;
        assert!((share.mean() - 0.3).abs() <= 0.25 * own.abs() + 1e-12);
    }
    let unlike = shrink::shares(&[(98.0, 100.0), (50.0, 100.0), (2.0, 100.0)]);
    for (share, rate) in unlike.iter().zip([0.98, 0.5, 0.02]) {
        assert_abs_diff_eq!(share.mean(), rate, epsilon = 0.015);
    }
    // One segment alone is its own overall share.
    assert_relative_eq!(shrink::shares(&[(3.0, 10.0)])[0].mean(), 0.3, max_relative = 1e-12);
}

#[test]
fn shares_are_those_of_averaging_finely_over_the_concentration() {
    use statrs::function::beta::ln_beta;
    for groups in [
        vec![(5.0, 20.0), (12.0, 30.0), (2.0, 25.0), (9.0, 12.0)],
        vec![(1.0, 4.0), (0.0, 9.0), (3.0, 5.0)],
        vec![(40.0, 80.0), (41.0, 80.0)],
        vec![(300.0, 1000.0), (310.0, 1000.0), (2.0, 2.0)],
    ] {
        let (k, n) = groups.iter().fold((0.0, 0.0), |(k, n), g: &(f64, f64)| (k + g.0, n + g.1));
        let mean = k / n;
        let likelihood = |m: f64| -> f64 {
            groups
                .iter()
                .map(|&(k, n)| {
                    ln_beta(mean * m + k, (1.0 - mean) * m + n - k)
                        - ln_beta(mean * m, (1.0 - mean) * m)
                })
                .sum()
        };
        let grid: Vec<f64> = (0..2000).map(|at| (f64::from(at) / 1999.0 * n.ln()).exp()).collect();
        let best = grid.iter().map(|&m| likelihood(m)).fold(f64::NEG_INFINITY, f64::max);
        for (share, &(k, accounts)) in shrink::shares(&groups).iter().zip(&groups) {
            let (mut all, mut first, mut second) = (0.0, 0.0, 0.0);
            for &m in &grid {
                let weight = (likelihood(m) - best).exp();
                let m = m.min(n - accounts).max(1.0);
                let (a, b) = (mean * m + k, (1.0 - mean) * m + accounts - k);
                all += weight;
                first += weight * a / (a + b);
                second += weight * a * (a + 1.0) / ((a + b) * (a + b + 1.0));
            }
            let (first, second) = (first / all, second / all);
            assert_abs_diff_eq!(share.mean(), first, epsilon = 0.01);
            let spread = (share.mean().powi(2) * share.relative_variance()).sqrt();
            assert_relative_eq!(spread, (second - first * first).sqrt(), max_relative = 0.1);
        }
    }
}

#[test]
fn credibility_is_that_of_buhlmann_and_straub() {
    // Groups of equal size n = 4 with means 10, 20 and squares 12 each: noise 24 / 6 = 4, between 4 * 50 = 200 on one degree of
    // freedom, signal (200 - 4) / (8 - 32 / 8) = 49, so that Z = 4 / (4 + 4 / 49).
    let group = |sum: f64| shrink::Values { n: 4.0, sum, squares: 12.0 };
    let found = shrink::means(&[group(40.0), group(80.0)]);
    let z = 4.0 / (4.0 + 4.0 / 49.0);
    assert_relative_eq!(found[0].value, z * 10.0 + (1.0 - z) * 15.0, max_relative = 1e-12);
    assert_relative_eq!(found[1].value, z * 20.0 + (1.0 - z) * 15.0, max_relative = 1e-12);
    assert_relative_eq!(found[0].variance, 4.0 / (4.0 + 4.0 / 49.0), max_relative = 1e-12);
    // A group without values has the mean of all.
    let found = shrink::means(&[group(40.0), shrink::Values::default()]);
    assert_eq!(found[1].value, 10.0);
}
