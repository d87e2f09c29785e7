//! Laws of value maps: fit, competitors, responses, priorities.

use ilk::Error;
use ilk::gap::fit::{
    Cells, FitMatrix, Inputs, Options, Range, ResponseColumns, Satisfaction, Source, TwoGroups,
    ValueMap, Words, fit_matrix, value_map,
};
use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::Table;
use proptest::prelude::*;

const Z: f64 = 1.959_963_984_540_054;

fn manifest(rows: usize) -> Manifest {
    Manifest::new("value_map", serde_json::Map::new(), Some(0), rows)
}

fn words() -> Words {
    Words { persona: "persona".into(), proposition: "proposition".into(), need: "need".into() }
}

/// Numbers with a name for each row and column, one row per pair, in an order of its own.
fn tidy(row: &str, col: &str, values: &[Vec<f64>], order: &[usize]) -> Table {
    let m = values[0].len();
    let cells: Vec<usize> = order.to_vec();
    Table::builder()
        .text(row, cells.iter().map(|cell| format!("{row}{}", cell / m)))
        .text(col, cells.iter().map(|cell| format!("{col}{}", cell % m)))
        .float("number", cells.iter().map(|cell| values[cell / m][cell % m]))
        .finish()
        .unwrap()
}

fn plain(values: &[Vec<f64>]) -> Vec<usize> {
    (0..values.len() * values[0].len()).collect()
}

fn source<'a>(
    argument: &'static str,
    table: &'a Table,
    row: &'a str,
    col: &'a str,
    range: Range,
) -> Source<'a> {
    let cells = Cells::Pairs { col, value: "number" };
    Source { argument, col_word: "need", table, row, cells, range, fill: false }
}

const SHARES: Range = Range::Shares { scale: "delivery_scale" };

fn fits(needs: &Table, delivery: &Table) -> Result<FitMatrix, Error> {
    fit_matrix(
        &source("needs", needs, "persona", "need", Range::Weights),
        &source("delivery", delivery, "proposition", "need", SHARES),
        0.5,
        manifest(needs.n_rows()),
    )
}

fn mapped(
    needs: &[Vec<f64>],
    delivery: &[Vec<f64>],
    rivals: Option<&[Vec<f64>]>,
    worth: Option<&[f64]>,
) -> ValueMap {
    let tables = (
        tidy("persona", "need", needs, &plain(needs)),
        tidy("proposition", "need", delivery, &plain(delivery)),
        rivals.map(|rivals| tidy("competitor", "need", rivals, &plain(rivals))),
    );
    let inputs = Inputs {
        needs: Some(source("needs", &tables.0, "persona", "need", Range::Weights)),
        delivery: Some(source("delivery", &tables.1, "proposition", "need", SHARES)),
        competitors: (tables.2.as_ref())
            .map(|table| source("competitors", table, "competitor", "need", SHARES)),
        worth: worth.map(|worth| {
            worth.iter().enumerate().map(|(p, &worth)| (format!("persona{p}"), worth)).collect()
        }),
        ..Inputs::default()
    };
    value_map(&inputs, words(), Options::default(), manifest(1), &Monitor::new()).unwrap()
}

type Rows = Vec<Vec<f64>>;

/// Personas by needs with some weight in each row, and offers by needs.
fn market() -> impl Strategy<Value = (Rows, Rows, Rows)> {
    (1..5_usize, 1..6_usize, 1..5_usize, 1..4_usize).prop_flat_map(|(p, n, v, c)| {
        let rows =
            |count, top: f64| prop::collection::vec(prop::collection::vec(0.0..=top, n), count);
        let weights = rows(p, 9.0).prop_map(|mut rows| {
            rows.iter_mut().for_each(|row| row[0] += 0.1);
            rows
        });
        (weights, rows(v, 1.0), rows(c, 1.0))
    })
}

fn naive_fit(weights: &[f64], offer: &[f64]) -> f64 {
    let (mut above, mut below) = (0.0, 0.0);
    for (w, d) in weights.iter().zip(offer) {
        above += w * d;
        below += w;
    }
    above / below
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * (1.0 + a.abs())
}

proptest! {
    #[test]
    fn fit_is_the_weighted_mean_of_delivery((needs, delivery, _) in market()) {
        let found = fits(
            &tidy("persona", "need", &needs, &plain(&needs)),
            &tidy("proposition", "need", &delivery, &plain(&delivery)),
        ).unwrap();
        for (p, weights) in needs.iter().enumerate() {
            for (v, offer) in delivery.iter().enumerate() {
                let fit = found.fit.fit[p * delivery.len() + v];
                prop_assert!(close(fit, naive_fit(weights, offer)));
                prop_assert!((0.0..=1.0).contains(&fit));
                let mut open: Vec<usize> =
                    (0..weights.len()).filter(|&n| weights[n] > 0.0 && offer[n] < 0.5).collect();
                open.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
                prop_assert_eq!(found.fit.unmatched(p, offer, 0.5), open);
            }
        }
    }

    #[test]
    fn scaling_the_weights_of_a_persona_leaves_its_fit(
        (needs, delivery, rivals) in market(), factor in prop_oneof![1e-300..1e-290, 0.01..100.0, 1e290..1e300],
    ) {
        let one = mapped(&needs, &delivery, Some(&rivals), None);
        let scaled: Vec<Vec<f64>> =
            needs.iter().map(|row| row.iter().map(|w| w * factor).collect()).collect();
        let other = mapped(&scaled, &delivery, Some(&rivals), None);
        let (a, b) = (one.fit.as_ref().unwrap(), other.fit.as_ref().unwrap());
        prop_assert!(a.fit.iter().zip(&b.fit).all(|(&a, &b)| close(a, b)));
        for p in 0..needs.len() {
            for v in 0..delivery.len() {
                let (a, b) = (one.difference(p, v).unwrap(), other.difference(p, v).unwrap());
                prop_assert!(close(a.ahead, b.ahead) && close(a.behind, b.behind));
            }
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter((needs, delivery, _) in market(), seed: u64) {
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let mixed = |rows: &[Vec<f64>], rng: &mut Rng| {
            let n = rows.len() * rows[0].len();
            rng.sample(n, n)
        };
        let plain = fits(
            &tidy("persona", "need", &needs, &plain(&needs)),
            &tidy("proposition", "need", &delivery, &plain(&delivery)),
        ).unwrap();
        let (a, b) = (mixed(&needs, &mut rng), mixed(&delivery, &mut rng));
        let found = fits(
            &tidy("persona", "need", &needs, &a),
            &tidy("proposition", "need", &delivery, &b),
        ).unwrap();
        for (p, persona) in found.segments.iter().enumerate() {
            for (v, proposition) in found.products.iter().enumerate() {
                let at = |names: &[String], name: &String| names.iter().position(|n| n == name).unwrap();
                let other = at(&plain.segments, persona) * delivery.len() + at(&plain.products, proposition);
                prop_assert!(close(found.fit.fit[p * delivery.len() + v], plain.fit.fit[other]));
            }
        }
    }

    #[test]
    fn offers_of_one_need_each_have_its_share_of_the_weight((needs, _, _) in market()) {
        let n = needs[0].len();
        let identity: Vec<Vec<f64>> =
            (0..n).map(|v| (0..n).map(|need| f64::from(u8::from(v == need))).collect()).collect();
        let found = mapped(&needs, &identity, None, None).fit.unwrap();
        for (p, weights) in needs.iter().enumerate() {
            let total: f64 = weights.iter().sum();
            for (need, weight) in weights.iter().enumerate() {
                prop_assert!(close(found.fit[p * n + need], weight / total));
            }
        }
    }

    #[test]
    fn a_dominated_competitor_changes_nothing((needs, delivery, rivals) in market(), share in 0.0..=1.0) {
        let one = mapped(&needs, &delivery, Some(&rivals), None);
        let mut more = rivals.clone();
        more.push(rivals[0].iter().map(|d| d * share).collect());
        let other = mapped(&needs, &delivery, Some(&more), None);
        for p in 0..needs.len() {
            for v in 0..delivery.len() {
                prop_assert_eq!(one.difference(p, v), other.difference(p, v));
            }
        }
        prop_assert_eq!(&one.priority, &other.priority);
    }

    #[test]
    fn differentiation_is_what_is_important_and_better((needs, delivery, rivals) in market()) {
        let found = mapped(&needs, &delivery, Some(&rivals), None);
        for (p, weights) in needs.iter().enumerate() {
            let total: f64 = weights.iter().sum();
            for (v, own) in delivery.iter().enumerate() {
                let (mut ahead, mut behind) = (0.0, 0.0);
                for need in 0..weights.len() {
                    let best = rivals.iter().map(|r| r[need]).fold(0.0, f64::max);
                    ahead += weights[need] / total * (own[need] - best).max(0.0);
                    behind += weights[need] / total * (best - own[need]).max(0.0);
                }
                let difference = found.difference(p, v).unwrap();
                prop_assert!(close(difference.ahead, ahead) && close(difference.behind, behind));
                let named: usize = difference.points.iter().map(Vec::len).sum();
                let mean = total / weights.len() as f64;
                let important = weights.iter().filter(|&&w| w >= mean * (1.0 - 1e-6)).count();
                prop_assert!(named <= important);
            }
        }
    }

    #[test]
    fn priorities_weigh_personas_by_their_value(
        (needs, delivery, _) in market(), worth in prop::collection::vec(0.1..5.0, 4),
    ) {
        let worth = &worth[..needs.len()];
        let found = mapped(&needs, &delivery, None, Some(worth));
        let total: f64 = worth.iter().sum();
        let scores: Vec<f64> = delivery.iter().map(|offer| {
            needs.iter().zip(worth).map(|(w, s)| s * naive_fit(w, offer)).sum::<f64>() / total
        }).collect();
        for entry in &found.priority {
            prop_assert!(close(entry.score, scores[entry.proposition]));
        }
        prop_assert!(found.priority.windows(2).all(|two| two[0].score >= two[1].score));
        let doubled: Vec<f64> = worth.iter().map(|w| 2.0 * w).collect();
        prop_assert_eq!(&mapped(&needs, &delivery, None, Some(&doubled)).priority, &found.priority);
    }

    #[test]
    fn a_saved_map_is_read_back_and_a_changed_one_refused((needs, delivery, rivals) in market()) {
        let found = mapped(&needs, &delivery, Some(&rivals), None);
        let text = to_json(&found).unwrap();
        prop_assert_eq!(&from_json::<ValueMap>(&text).unwrap(), &found);
        for (old, new) in [
            ("\"sensitive\":[", "\"sensitive\":[true,"),
            ("\"worth\":[", "\"worth\":[-1.0,"),
            ("\"fit\":[", "\"fit\":[2.0,"),
            ("\"needs\":[", "\"needs\":[\"more\","),
            ("\"names\":[", "\"names\":[\"more\","),
            ("\"evidence\":\"fit\"", "\"evidence\":\"responses\""),
            ("\"proposition\":0", "\"proposition\":7"),
        ] {
            prop_assert!(text.contains(old), "{}", old);
            let refused = from_json::<ValueMap>(&text.replacen(old, new, 1));
            prop_assert!(matches!(refused, Err(Error::ModelFile { .. })), "{}", new);
        }
    }

    #[test]
    fn columns_of_needs_say_what_pairs_say((needs, delivery, _) in market()) {
        let pairs = tidy("persona", "need", &needs, &plain(&needs));
        let offers = tidy("proposition", "need", &delivery, &plain(&delivery));
        let mut builder =
            Table::builder().text("persona", (0..needs.len()).map(|p| format!("persona{p}")));
        let names: Vec<String> = (0..needs[0].len()).map(|n| format!("need{n}")).collect();
        for (n, name) in names.iter().enumerate() {
            builder = builder.float(name, needs.iter().map(|row| row[n]));
        }
        let wide = builder.finish().unwrap();
        let columns = Source {
            cells: Cells::Columns(names),
            ..source("needs", &wide, "persona", "need", Range::Weights)
        };
        let delivery = source("delivery", &offers, "proposition", "need", SHARES);
        let found = fit_matrix(&columns, &delivery, 0.5, manifest(1)).unwrap();
        prop_assert_eq!(found.fit, fits(&pairs, &offers).unwrap().fit);
    }

    #[test]
    fn the_interval_holds_the_ratios_that_the_score_test_keeps(
        n in 1..40_u32, other_n in 1..40_u32, a: u32, b: u32, log_ratio in -4.0..4.0_f64,
    ) {
        let groups = TwoGroups {
            yes: f64::from(a % (n + 1)), n: f64::from(n),
            other_yes: f64::from(b % (other_n + 1)), other_n: f64::from(other_n),
        };
        let (lo, hi) = groups.interval(Z);
        let ratio = log_ratio.exp();
        let distance = naive_distance(groups, ratio);
        // Near the ends rounding decides.
        prop_assume!((distance - Z * Z).abs() > 1e-5 * (1.0 + distance));
        prop_assert_eq!((lo..=hi).contains(&ratio), distance < Z * Z, "{} {} {} {}", lo, ratio, hi, distance);
        if groups.lift().is_finite() {
            prop_assert!(lo <= groups.lift() && groups.lift() <= hi);
        }
    }

    #[test]
    fn the_exact_test_adds_up_the_tables_that_are_as_unlikely(
        n in 1..25_u64, other_n in 1..25_u64, a: u64, b: u64,
    ) {
        let (yes, other_yes) = (a % (n + 1), b % (other_n + 1));
        let all = yes + other_yes;
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let chance = |k: u64| choose(n, k) * choose(other_n, all - k) / choose(n + other_n, all);
        let tables = (all.saturating_sub(other_n))..=all.min(n);
        let own = chance(yes);
        let p: f64 = tables.map(chance).filter(|&c| c <= own * (1.0 + 1e-7)).sum();
        let groups = TwoGroups {
            yes: yes as f64, n: n as f64, other_yes: other_yes as f64, other_n: other_n as f64,
        };
        prop_assert!((groups.p_value() - p.min(1.0)).abs() < 1e-9);
    }
}

/// The score statistic with the rates found by search rather than by the formula.
fn naive_distance(groups: TwoGroups, ratio: f64) -> f64 {
    let most = (1.0 / ratio).min(1.0);
    let log = |count: f64, rate: f64| if count == 0.0 { 0.0 } else { count * rate.ln() };
    let likelihood = |rate: f64| {
        let own = (ratio * rate).min(1.0);
        log(groups.yes, own)
            + log(groups.n - groups.yes, 1.0 - own)
            + log(groups.other_yes, rate)
            + log(groups.other_n - groups.other_yes, 1.0 - rate)
    };
    // The likelihood has one top: thirds close in on it.
    let (mut low, mut high) = (0.0, most);
    for _ in 0..300 {
        let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if likelihood(a) < likelihood(b) { low = a } else { high = b }
    }
    let rate = 0.5 * (low + high);
    let part = |yes: f64, n: f64, rate: f64| {
        let off = yes - n * rate;
        if off.abs() < 1e-7 * n { 0.0 } else { off * off / (n * rate * (1.0 - rate)) }
    };
    part(groups.yes, groups.n, (ratio * rate).min(1.0))
        + part(groups.other_yes, groups.other_n, rate)
}

/// Customers of each persona who respond at the rates of its row.
fn responding(rates: &[Vec<f64>], n: usize, seed: u64) -> (Table, Vec<String>) {
    let mut rng = Rng::stream(seed, Stage::Sample, 1);
    let m = rates[0].len();
    let drawn: Vec<Vec<bool>> = (0..rates.len() * n)
        .map(|row| (0..m).map(|v| rng.uniform() < rates[row / n][v]).collect())
        .collect();
    let names: Vec<String> = (0..m).map(|v| format!("v{v}")).collect();
    let mut builder =
        Table::builder().text("persona", (0..drawn.len()).map(|row| format!("persona{}", row / n)));
    for (v, name) in names.iter().enumerate() {
        builder = builder.flag(name, drawn.iter().map(|row| row[v]));
    }
    (builder.finish().unwrap(), names)
}

fn responded(table: &Table, propositions: &[String], options: Options) -> ValueMap {
    let responses = ResponseColumns { table, persona: "persona", propositions };
    let inputs = Inputs { responses: Some(responses), ..Inputs::default() };
    value_map(&inputs, words(), options, manifest(table.n_rows()), &Monitor::new()).unwrap()
}

#[test]
fn planted_sensitivity_is_found_and_chance_is_not() {
    let options = Options { n_boot: 0, ..Options::default() };
    let flat = vec![vec![0.2; 3]; 4];
    let mut planted = flat.clone();
    planted[1][2] = 0.4;
    let (mut false_maps, mut hits, mut strays) = (0, 0, 0.0);
    for seed in 0..400 {
        let (table, names) = responding(&flat, 200, seed);
        let map = responded(&table, &names, options);
        false_maps += usize::from(map.sensitive.contains(&true));
        let (table, names) = responding(&planted, 200, 1000 + seed);
        let map = responded(&table, &names, options);
        hits += usize::from(map.sensitive[3 + 2]);
        let found = map.sensitive.iter().filter(|&&s| s).count();
        let stray = found - usize::from(map.sensitive[3 + 2]);
        strays += stray as f64 / found.max(1) as f64;
    }
    // Only half of the false finds are upwards, and those alone count as sensitive.
    assert!(false_maps <= 20, "{false_maps} of 400 maps of chance");
    assert!(hits >= 360, "{hits} of 400 planted");
    assert!(strays / 400.0 <= 0.05, "{} of the finds are strays", strays / 400.0);
}

#[test]
fn intervals_of_priorities_cover_the_truth() {
    let rates = vec![vec![0.1, 0.3], vec![0.5, 0.2], vec![0.05, 0.15]];
    let truth: Vec<f64> =
        (0..2).map(|v| rates.iter().map(|row| row[v]).sum::<f64>() / 3.0).collect();
    let mut covered = 0;
    for seed in 0..300 {
        let (table, names) = responding(&rates, 80, seed);
        let map = responded(&table, &names, Options { n_boot: 300, seed, ..Options::default() });
        for entry in &map.priority {
            let [lo, hi] = entry.certainty.unwrap().ends;
            covered += usize::from((lo..=hi).contains(&truth[entry.proposition]));
        }
    }
    let share = f64::from(covered as u32) / 600.0;
    assert!((0.92..=0.98).contains(&share), "{share}");
}

#[test]
fn intervals_of_many_customers_are_as_wide_as_those_of_theory() {
    // Enough customers that counts of patterns are drawn; the scores of two propositions go together.
    let n = 20_000;
    let (table, names) = responding(&[vec![0.2, 0.5], vec![0.3, 0.1]], n, 9);
    let map = responded(&table, &names, Options { n_boot: 4000, ..Options::default() });
    let rates = &map.responses.as_ref().unwrap().rate;
    for entry in &map.priority {
        let v = entry.proposition;
        let variance: f64 =
            [rates[v], rates[2 + v]].iter().map(|p| p * (1.0 - p) / n as f64 / 4.0).sum();
        let [lo, hi] = entry.certainty.unwrap().ends;
        assert!(((hi - lo) / (2.0 * Z * variance.sqrt()) - 1.0).abs() < 0.06);
        assert!(((lo + hi) / 2.0 - entry.score).abs() < 0.1 * (hi - lo));
    }
}

#[test]
fn chances_to_come_first_add_up_to_one_and_follow_the_distance() {
    let (table, names) = responding(&[vec![0.3, 0.3, 0.1], vec![0.3, 0.3, 0.1]], 300, 5);
    let map = responded(&table, &names, Options { top: 2, ..Options::default() });
    let certainty: Vec<_> = map.priority.iter().map(|entry| entry.certainty.unwrap()).collect();
    assert!((certainty.iter().map(|c| c.first).sum::<f64>() - 1.0).abs() < 1e-9);
    assert!((certainty.iter().map(|c| c.top).sum::<f64>() - 2.0).abs() < 1e-9);
    assert_eq!((map.priority[2].proposition, certainty[2].first), (2, 0.0));
    assert!(certainty[0].first > 0.0 && certainty[1].first > 0.0);
}

#[test]
fn equal_propositions_share_the_first_place() {
    let map =
        mapped(&[vec![1.0, 2.0]], &[vec![0.5, 0.5], vec![0.5, 0.5], vec![0.1, 0.1]], None, None);
    assert_eq!(map.priority.iter().map(|entry| entry.rank).collect::<Vec<_>>(), [1, 1, 3]);
    assert!(map.priority.iter().all(|entry| entry.certainty.is_none()));
    assert!(map.manifest.notes[0].contains("no intervals"));
}

/// Ratings of customers, one row per customer and need.
fn rated(n: usize, seed: u64) -> Table {
    let mut rng = Rng::stream(seed, Stage::Sample, 2);
    let rows: Vec<(usize, usize)> =
        (0..2 * n).flat_map(|who| (0..3).map(move |need| (who, need))).collect();
    Table::builder()
        .int("customer", rows.iter().map(|&(who, _)| who as i64))
        .text("persona", rows.iter().map(|&(who, _)| format!("persona{}", who % 2)))
        .text("need", rows.iter().map(|&(_, need)| format!("need{need}")))
        .float("number", rows.iter().map(|_| 1.0 + rng.below(5) as f64))
        .float("satisfaction", rows.iter().map(|_| 1.0 + rng.below(5) as f64))
        .finish()
        .unwrap()
}

fn map_of_ratings(table: &Table, satisfaction: bool, n_boot: usize) -> ValueMap {
    let delivery = vec![vec![1.0, 0.0, 0.2], vec![0.3, 0.9, 0.5]];
    let offers = tidy("proposition", "need", &delivery, &plain(&delivery));
    let range = Range::Scale { scale: "scale", low: 1.0, high: 5.0 };
    let inputs = Inputs {
        needs: Some(source("needs", table, "persona", "need", range)),
        customer: Some("customer"),
        satisfaction: satisfaction.then_some(Satisfaction::Column("satisfaction")),
        delivery: Some(source("delivery", &offers, "proposition", "need", SHARES)),
        ..Inputs::default()
    };
    let options = Options { n_boot, ..Options::default() };
    value_map(&inputs, words(), options, manifest(table.n_rows()), &Monitor::new()).unwrap()
}

#[test]
fn importance_of_ratings_is_their_mean_and_priority_weighs_what_is_not_satisfied() {
    let table = rated(40, 3);
    let map = map_of_ratings(&table, true, 200);
    let (numbers, satisfied) =
        (table.numeric("number").unwrap(), table.numeric("satisfaction").unwrap());
    let mean = |values: &[f64], persona: usize, need: usize| {
        let found: Vec<f64> = (0..80)
            .filter(|who| who % 2 == persona)
            .map(|who| (values[who * 3 + need] - 1.0) / 4.0)
            .collect();
        found.iter().sum::<f64>() / found.len() as f64
    };
    let fit = map.fit.as_ref().unwrap();
    let mut score = 0.0;
    for persona in 0..2 {
        let (mut above, mut below) = (0.0, 0.0);
        for need in 0..3 {
            let (i, s) = (mean(&numbers, persona, need), mean(&satisfied, persona, need));
            assert!(close(fit.importance[persona * 3 + need], i));
            let opportunity = i + (i - s).max(0.0);
            above += opportunity * fit.delivered(1)[need];
            below += opportunity;
        }
        score += 0.5 * above / below;
    }
    let entry = map.priority.iter().find(|entry| entry.proposition == 1).unwrap();
    assert!(close(entry.score, score), "{} {score}", entry.score);
    assert_eq!(map.worth, [40.0, 40.0]);
    for (at, spread) in map.spread.as_ref().unwrap().iter().enumerate() {
        assert!(spread.ends[0] < fit.fit[at] && fit.fit[at] < spread.ends[1]);
    }
}

#[test]
fn intervals_of_fits_cover_the_truth() {
    // All ratings are equally likely, so that every need is equally important.
    let truth = [(1.0 + 0.2) / 3.0, (0.3 + 0.9 + 0.5) / 3.0];
    let mut covered = 0;
    for seed in 0..150 {
        let map = map_of_ratings(&rated(60, 100 + seed), false, 200);
        for (at, spread) in map.spread.unwrap().iter().enumerate() {
            let [lo, hi] = spread.ends;
            covered += usize::from((lo..=hi).contains(&truth[at % 2]));
        }
    }
    let share = f64::from(covered as u32) / 600.0;
    assert!((0.91..=0.98).contains(&share), "{share}");
}

#[test]
fn the_persona_map_of_three_is_told_word_for_word() {
    let scores = [vec![1.0, 1.0, 0.0], vec![1.0, 0.0, 0.0], vec![0.0, 0.0, 1.0]];
    let cells: Vec<usize> = (0..9).collect();
    let table = Table::builder()
        .text("persona", cells.iter().map(|c| format!("Persona {}", c / 3 + 1)))
        .text("need", cells.iter().map(|c| (c % 3 + 1).to_string()))
        .float("number", cells.iter().map(|c| scores[c / 3][c % 3]))
        .finish()
        .unwrap();
    let inputs = Inputs {
        scores: Some(source("scores", &table, "persona", "need", Range::Shares { scale: "scale" })),
        ..Inputs::default()
    };
    let map =
        value_map(&inputs, words(), Options::default(), manifest(9), &Monitor::new()).unwrap();
    assert_eq!(map.reach(), [2, 1, 1]);
    assert_eq!(
        map.sentences().join(" "),
        "We have 3 personas. Persona 1 is sensitive to value propositions 1 and 2. Persona 2 is sensitive only to value \
         proposition 1. Persona 3 is sensitive only to value proposition 3."
    );
}
