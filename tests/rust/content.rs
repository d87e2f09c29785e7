//! Laws of content coverage and of messages by role, each against a slow twin.

use std::collections::BTreeMap;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ilk::economics::reader::Labels;
use ilk::gap::content::{
    ContentCoverage, Kind, Limits, Occupancy, Options, Several, compare, coverage,
};
use ilk::gap::messages;
use ilk::manifest::Manifest;
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
