//! Laws of content coverage, messages by role and white space, each against a slow twin.

use std::collections::{BTreeMap, BTreeSet};

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ilk::economics::reader::Labels;
use ilk::gap::content::{
    ContentCoverage, Kind, Limits, Occupancy, Options, Several, compare, coverage,
};
use ilk::gap::messages;
use ilk::gap::whitespace::{self, By, Filter, Whitespace, shrink};
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::table::Table;
use proptest::prelude::*;

const LIMITS: Limits = Limits { thin: 0.5, least: 0.0, stale: 0.5, over: 2.0 };
const PERSONAS: [&str; 3] = ["buyer", "owner", "user"];
const STAGES: [&str; 3] = ["1 problem", "2 solution", "3 choice"];

fn manifest(table: &Table) -> Manifest {
    Manifest::new("test", serde_json::Map::new(), None, table.n_rows())
}

/// A piece: persona (3 is everyone), stage, inbound, quality, age, weight.
type Piece = (usize, usize, bool, f64, f64, usize);

fn inventory(pieces: &[Piece]) -> Table {
    let personas = ["buyer", "owner", "user", "all"];
    Table::builder()
        .text("persona", pieces.iter().map(|p| personas[p.0]))
        .text("stage", pieces.iter().map(|p| STAGES[p.1]))
        .text("kind", pieces.iter().map(|p| if p.2 { "Inbound" } else { "ad" }))
        .float("quality", pieces.iter().map(|p| p.3))
        .float("day", pieces.iter().map(|p| 1000.0 - p.4))
        .int("weight", pieces.iter().map(|p| p.5 as i64))
        .finish()
        .unwrap()
}

fn occupancy(people: &[f64]) -> Table {
    Table::builder()
        .text("persona", (0..people.len()).map(|cell| PERSONAS[cell / 3]))
        .text("stage", (0..people.len()).map(|cell| STAGES[cell % 3]))
        .float("customers", people.iter().copied())
        .finish()
        .unwrap()
}

fn audit(table: &Table, people: &Table, several: Several, weighted: bool) -> ContentCoverage {
    let kinds = [("ad".to_string(), Kind::Outbound)];
    let values = [("buyer".into(), 1.0), ("owner".into(), 5.0), ("user".into(), 0.5)];
    let options = Options {
        persona: Labels { table, name: "persona" },
        stage: Labels { table, name: "stage" },
        kind: Some("kind"),
        kinds: &kinds,
        channel: None,
        quality: Some("quality"),
        scale: (0.0, 1.0),
        date: Some("day"),
        as_of: Some(1000.0),
        half_life: 100.0,
        weights: weighted.then_some("weight"),
        personas: None,
        stages: None,
        everyone: Some("all"),
        separator: None,
        several,
        occupancy: Occupancy::Table(people),
        values: &values,
        conversions: None,
        limits: LIMITS,
        confidence: 0.95,
    };
    coverage(table, &options, manifest(table)).unwrap()
}

fn piece() -> impl Strategy<Value = Piece> {
    (0..4_usize, 0..3_usize, any::<bool>(), 0.0..1.0, 0.0..500.0, 1..4_usize)
}

fn people() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0..50_u32, 9)
        .prop_filter("somebody", |people| people.iter().any(|&n| n > 0))
        .prop_map(|people| people.into_iter().map(f64::from).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cells_are_those_of_going_through_all_pieces(
        pieces in prop::collection::vec(piece(), 1..25), people in people(), split in any::<bool>()
    ) {
        let several = if split { Several::Split } else { Several::Full };
        let (table, people_table) = (inventory(&pieces), occupancy(&people));
        let found = audit(&table, &people_table, several, true);
        let sheet = found.sheet("table").unwrap();
        let covers = |cell: usize, side: Option<bool>, of: &dyn Fn(&Piece) -> f64| -> f64 {
            pieces
                .iter()
                .filter(|p| (p.0 == cell / 3 || p.0 == 3) && p.1 == cell % 3)
                .filter(|p| side.is_none_or(|side| p.2 == side))
                .map(|p| of(p) * p.5 as f64 / if split && p.0 == 3 { 3.0 } else { 1.0 })
                .sum()
        };
        let fresh = |p: &Piece| 0.5_f64.powf(p.4 / 100.0);
        let coverage: Vec<f64> = (0..9).map(|cell| covers(cell, None, &|p| p.3 * fresh(p))).collect();
        let (covered, all) = (coverage.iter().sum::<f64>(), people.iter().sum::<f64>());
        for cell in 0..9 {
            let pieces = covers(cell, None, &|_| 1.0);
            let inbound = covers(cell, Some(true), &|_| 1.0);
            let freshness = covers(cell, None, &fresh) / pieces;
            let (need, share) = (people[cell] / all, if covered > 0.0 { coverage[cell] / covered } else { 0.0 });
            assert_abs_diff_eq!(sheet.floats("pieces")[cell], pieces, epsilon = 1e-12);
            assert_abs_diff_eq!(sheet.floats("inbound")[cell], inbound, epsilon = 1e-12);
            assert_abs_diff_eq!(sheet.floats("coverage")[cell], coverage[cell], epsilon = 1e-12);
            assert_abs_diff_eq!(sheet.floats("gap")[cell], need - share, epsilon = 1e-12);
            let value = [1.0, 5.0, 0.5][cell / 3];
            assert_abs_diff_eq!(sheet.floats("worth")[cell], value * people[cell], epsilon = 1e-12);
            // Away from the limits, where rounding decides nothing.
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            if near(freshness, 0.5) || near(share / need, 0.5) || near(share / need, 2.0) {
                continue;
            }
            let status = if need == 0.0 {
                "no demand"
            } else if pieces == 0.0 {
                "empty"
            } else if freshness < 0.5 {
                "stale"
            } else if share / need < 0.5 {
                "thin"
            } else if inbound == 0.0 || inbound == pieces {
                "one-sided"
            } else if share / need > 2.0 {
                "over-covered"
            } else {
                "covered"
            };
            prop_assert_eq!(&sheet.texts("status")[cell], status);
        }
        assert_abs_diff_eq!(sheet.floats("gap").iter().sum::<f64>(),
            if covered > 0.0 { 0.0 } else { 1.0 }, epsilon = 1e-12);
        let back: ContentCoverage = from_json(&to_json(&found).unwrap()).unwrap();
        prop_assert_eq!(to_json(&back).unwrap(), to_json(&found).unwrap());
    }

    #[test]
    fn order_of_pieces_does_not_matter_and_weights_are_repeats(
        pieces in prop::collection::vec(piece(), 1..15), people in people()
    ) {
        let people = occupancy(&people);
        let found = audit(&inventory(&pieces), &people, Several::Full, true);
        let turned: Vec<Piece> = pieces.iter().rev().copied().collect();
        let repeated: Vec<Piece> =
            pieces.iter().flat_map(|&piece| vec![piece; piece.5]).collect();
        let turned = audit(&inventory(&turned), &people, Several::Full, true);
        let repeated = audit(&inventory(&repeated), &people, Several::Full, false);
        for other in [&turned, &repeated] {
            let (a, b) = (found.sheet("table").unwrap(), other.sheet("table").unwrap());
            for name in ["pieces", "outbound", "coverage", "gap", "worth", "need"] {
                for (a, b) in a.floats(name).iter().zip(b.floats(name)) {
                    assert_abs_diff_eq!(a, b, epsilon = 1e-9);
                }
            }
        }
    }

    #[test]
    fn doubling_the_occupancy_leaves_statuses_and_ranks(
        pieces in prop::collection::vec(piece(), 1..15), people in people()
    ) {
        let table = inventory(&pieces);
        let doubled: Vec<f64> = people.iter().map(|n| 2.0 * n).collect();
        let one = audit(&table, &occupancy(&people), Several::Full, true);
        let two = audit(&table, &occupancy(&doubled), Several::Full, true);
        let (one, two) = (one.sheet("table").unwrap(), two.sheet("table").unwrap());
        prop_assert_eq!(one.ints("rank"), two.ints("rank"));
        prop_assert_eq!(one.texts("status"), two.texts("status"));
        prop_assert_eq!(one.floats("gap"), two.floats("gap"));
        // Ranks are of the worth, the largest first, and of gaps alone.
        let mut ranked: Vec<(i64, f64)> =
            one.ints("rank").iter().copied().zip(one.floats("worth").iter().copied()).collect();
        ranked.retain(|&(rank, _)| rank > 0);
        ranked.sort_by_key(|&(rank, _)| rank);
        prop_assert!(ranked.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    }

    #[test]
    fn coverage_of_two_libraries_together_is_the_sum(
        first in prop::collection::vec(piece(), 1..10), second in prop::collection::vec(piece(), 1..10)
    ) {
        let people = occupancy(&[1.0; 9]);
        let of = |pieces: &[Piece]| {
            let found = audit(&inventory(pieces), &people, Several::Full, true);
            found.sheet("table").unwrap().floats("coverage").to_vec()
        };
        let both = of(&[first.clone(), second.clone()].concat());
        for ((a, b), c) in of(&first).iter().zip(of(&second)).zip(both) {
            assert_abs_diff_eq!(a + b, c, epsilon = 1e-12);
        }
    }
}

#[test]
fn an_audit_beside_itself_has_not_changed() {
    let pieces: Vec<Piece> = vec![(0, 0, true, 1.0, 0.0, 1), (1, 1, false, 0.5, 200.0, 2)];
    let found = audit(&inventory(&pieces), &occupancy(&[1.0; 9]), Several::Full, true);
    let same = compare(&found, &found, 0.95).unwrap();
    let sheet = same.sheet("table").unwrap();
    assert_eq!(sheet.floats("gap_before"), sheet.floats("gap_after"));
    assert!(
        sheet.texts("change").iter().all(|change| change.is_empty() || change == "still a gap")
    );
    assert_eq!(sheet.n_rows(), 9);
}

// --- messages ---

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_are_those_of_counting(
        rows in prop::collection::vec((0..2_usize, 0..4_usize, 0..5_u32, any::<bool>(), 1..90_u32), 1..60)
    ) {
        let roles = ["CFO", "head"];
        let messages = ["convenience", "efficiency", "fun", "savings"];
        let own = |role: usize, message: usize| match role {
            0 => message == 3,
            _ => message < 2,
        };
        // The outcome of a deal is that of its first row.
        let mut outcome: BTreeMap<u32, (bool, u32)> = BTreeMap::new();
        for &(_, _, deal, won, days) in &rows {
            outcome.entry(deal).or_insert((won, days));
        }
        let table = Table::builder()
            .text("role", rows.iter().map(|row| roles[row.0]))
            .text("message", rows.iter().map(|row| messages[row.1]))
            .int("deal", rows.iter().map(|row| i64::from(row.2)))
            .flag("won", rows.iter().map(|row| outcome[&row.2].0))
            .int("days", rows.iter().map(|row| i64::from(outcome[&row.2].1)))
            .finish()
            .unwrap();
        let taxonomy = [
            ("CFO".to_string(), vec!["savings".to_string()]),
            ("head".to_string(), vec!["convenience".to_string(), "efficiency".to_string()]),
        ];
        let options = messages::Options {
            role: Labels { table: &table, name: "role" },
            message: Labels { table: &table, name: "message" },
            roles: &taxonomy,
            messages: &[],
            everyone: None,
            separator: None,
            weights: None,
            deal: Some("deal"),
            won: Some("won"),
            days: Some("days"),
            confidence: 0.95,
        };
        let found = messages::message_matrix(&table, &options, manifest(&table)).unwrap();
        let sheet = found.sheet("table").unwrap();
        for (at, (role, message)) in
            sheet.texts("role").iter().zip(sheet.texts("message")).enumerate()
        {
            let n = rows
                .iter()
                .filter(|row| roles[row.0] == role && messages[row.1] == message)
                .count();
            prop_assert_eq!(sheet.floats("pieces")[at], n as f64);
        }
        let summary = found.sheet("roles").unwrap();
        for role in 0..2 {
            let all = rows.iter().filter(|row| row.0 == role).count() as f64;
            let off = rows.iter().filter(|row| row.0 == role && !own(role, row.1)).count() as f64;
            let share = summary.floats("off_message")[role];
            prop_assert!(share == off / all || (share.is_nan() && all == 0.0));
        }
        // Deal by deal, role by role.
        let matched = |deal: u32| {
            let of = |role: usize| rows.iter().filter(move |row| row.2 == deal && row.0 == role);
            (0..2).all(|role| of(role).count() == 0 || of(role).any(|row| own(role, row.1)))
        };
        let groups = found.sheet("groups").unwrap();
        for (group, wanted) in [(0, true), (1, false)] {
            let deals: Vec<u32> =
                outcome.keys().copied().filter(|&deal| matched(deal) == wanted).collect();
            let won: Vec<u32> = deals.iter().copied().filter(|deal| outcome[deal].0).collect();
            prop_assert_eq!(groups.ints("n")[group], deals.len() as i64);
            prop_assert_eq!(groups.ints("won")[group], won.len() as i64);
            if !won.is_empty() {
                let product: f64 = won.iter().map(|deal| f64::from(outcome[deal].1)).product();
                let mean = product.powf(1.0 / won.len() as f64);
                assert_relative_eq!(groups.floats("days")[group], mean, max_relative = 1e-9);
            }
        }
    }
}

// --- white space ---

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
    let alike = shrink::shares(&[(30.0, 100.0), (31.0, 100.0), (29.0, 100.0)]);
    for share in &alike {
        assert_abs_diff_eq!(share.mean(), 0.3, epsilon = 0.004);
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
