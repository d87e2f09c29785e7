//! Laws of profiles, tests of descriptors and homogeneity, and their slow twins.

use ilk::manifest::Manifest;
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::profile::describe::{Adjust, Description, Numbers, Settings, describe};
use ilk::profile::homogeneity::{Block, Homogeneity, homogeneity};
use ilk::profile::{Options, Profile, SegmentProfile, Segments, Trait, profile};
use ilk::rng::{Rng, Stage};
use ilk::table::{MISSING, Table};
use proptest::prelude::*;

/// Customers with a segment, a number with ties, a number without, a flag and a category; some values are missing.
#[derive(Debug, Clone)]
struct People {
    labels: Vec<u32>,
    whole: Vec<f64>,
    real: Vec<f64>,
    flag: Vec<f64>,
    level: Vec<String>,
    weight: Vec<f64>,
}

const K: usize = 3;

fn people(seed: u64, n: usize) -> People {
    let mut rng = Rng::stream(seed, Stage::Sample, 0);
    let mut some = |missing: f64| rng.uniform() < missing;
    let holes: Vec<[bool; 2]> = (0..n).map(|_| [some(0.1), some(0.05)]).collect();
    let mut rng = Rng::stream(seed, Stage::Sample, 1);
    let labels: Vec<u32> =
        (0..n).map(|at| if at < K { at as u32 } else { rng.below(K) as u32 }).collect();
    let hole = |at: usize, value: f64| if holes[at][0] { f64::NAN } else { value };
    People {
        whole: (0..n).map(|at| hole(at, (rng.below(5) + labels[at] as usize) as f64)).collect(),
        real: (0..n).map(|at| rng.uniform().ln() + 0.3 * f64::from(labels[at])).collect(),
        flag: (0..n).map(|_| f64::from(u8::from(rng.uniform() < 0.4))).collect(),
        level: (0..n)
            .map(|at| ["a", "b", "c"][(rng.below(2) + labels[at] as usize / 2).min(2)].to_string())
            .collect(),
        weight: (0..n).map(|_| (1 + rng.below(3)) as f64).collect(),
        labels: labels.iter().zip(&holes).map(|(&l, h)| if h[1] { MISSING } else { l }).collect(),
    }
}

impl People {
    fn table(&self) -> Table {
        Table::builder()
            .float("whole", self.whole.iter().copied())
            .float("real", self.real.iter().copied())
            .float("flag", self.flag.iter().copied())
            .text("level", &self.level)
            .float("weight", self.weight.iter().copied())
            .finish()
            .unwrap()
    }

    fn at(&self, rows: &[usize]) -> Self {
        let take = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
        Self {
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            whole: take(&self.whole),
            real: take(&self.real),
            flag: take(&self.flag),
            level: rows.iter().map(|&row| self.level[row].clone()).collect(),
            weight: take(&self.weight),
        }
    }
}

fn columns() -> Vec<String> {
    ["whole", "real", "flag", "level"].map(str::to_string).to_vec()
}

fn names() -> Vec<String> {
    ["x", "y", "z"].map(str::to_string).to_vec()
}

fn manifest(n: usize) -> Manifest {
    Manifest::new("test", serde_json::Map::new(), None, n)
}

fn profiled(people: &People, weights: Option<&str>) -> SegmentProfile {
    let (features, names) = (columns(), names());
    let options = Options { features: Some(&features), exclude: &[], weights, confidence: 0.95 };
    let segments = Segments { labels: &people.labels, names: &names };
    profile(&people.table(), segments, options, manifest(people.labels.len()), &Monitor::new())
        .unwrap()
}

fn described(people: &People, numbers: Numbers) -> Description {
    let (features, names) = (columns(), names());
    let options =
        Options { features: Some(&features), exclude: &[], weights: None, confidence: 0.95 };
    let settings = Settings { numbers, adjust: Adjust::Bh, n_resamples: 999, seed: 1 };
    let segments = Segments { labels: &people.labels, names: &names };
    let manifest = manifest(people.labels.len());
    describe(&people.table(), segments, options, settings, manifest, &Monitor::new()).unwrap()
}

fn homogeneous(people: &People) -> Homogeneity {
    let blocks = [
        Block { name: "all".to_string(), columns: columns() },
        Block { name: "one".to_string(), columns: vec!["real".to_string()] },
    ];
    let names = names();
    let segments = Segments { labels: &people.labels, names: &names };
    let bases = [("flag".to_string(), "behaviour".to_string())];
    let manifest = manifest(people.labels.len());
    homogeneity(&people.table(), segments, &blocks, &bases, manifest, &Monitor::new()).unwrap()
}

/// Figures of a trait that do not depend on the number of rows behind a weight.
fn figures(found: &Trait) -> Vec<f64> {
    vec![
        found.value,
        found.interval.0,
        found.interval.1,
        found.overall,
        found.others,
        found.spread,
        found.lift,
        found.lift_interval.0,
        found.lift_interval.1,
        found.v_test,
        found.p,
        found.q,
        found.effect,
        found.auc,
        f64::from(u8::from(found.common)) + 2.0 * f64::from(u8::from(found.unique)),
    ]
}

fn assert_close(one: &[f64], other: &[f64], what: &str) {
    for (at, (a, b)) in one.iter().zip(other).enumerate() {
        let same = (a.is_nan() && b.is_nan())
            || a == b
            || (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
        assert!(same, "{what}, figure {at}: {a} and {b}");
    }
}

fn assert_same(one: &[Trait], other: &[Trait]) {
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(other) {
        assert_eq!((&a.feature, &a.level, a.segment), (&b.feature, &b.level, b.segment));
        assert_close(&figures(a), &figures(b), &format!("{} {} {}", a.feature, a.level, a.segment));
    }
}

/// Mean, standard error and area under the curve straight from the pairs.
fn slow(values: &[f64], labels: &[u32], segment: u32) -> (f64, f64, f64, f64) {
    let of = |inside: bool| -> Vec<f64> {
        values
            .iter()
            .zip(labels)
            .filter(|&(v, &l)| !v.is_nan() && l != MISSING && (l == segment) == inside)
            .map(|(&v, _)| v)
            .collect()
    };
    let (own, rest) = (of(true), of(false));
    let mean = own.iter().sum::<f64>() / own.len() as f64;
    let all: Vec<f64> = own.iter().chain(&rest).copied().collect();
    let overall = all.iter().sum::<f64>() / all.len() as f64;
    let variance = all.iter().map(|x| (x - overall).powi(2)).sum::<f64>() / all.len() as f64;
    let (n, big) = (own.len() as f64, all.len() as f64);
    let v = (mean - overall) / (variance / n * (big - n) / (big - 1.0)).sqrt();
    let mut above = 0.0;
    for a in &own {
        for b in &rest {
            above += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    let square = |of: &[f64]| {
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        of.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    let pooled = ((square(&own) + square(&rest)) / (big - 2.0)).sqrt();
    let others = rest.iter().sum::<f64>() / rest.len() as f64;
    (mean, v, above / (n * rest.len() as f64), (mean - others) / pooled)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn amounts_are_those_of_the_slow_twin(seed in 0_u64..1 << 40, n in 30_usize..150) {
        let people = people(seed, n);
        let traits = profiled(&people, None).profile.traits();
        for found in traits.iter().filter(|found| !found.share) {
            let values = if found.feature == "whole" { &people.whole } else { &people.real };
            let (mean, v, auc, d) = slow(values, &people.labels, found.segment as u32);
            assert_close(&[found.value, found.v_test, found.auc, found.effect], &[mean, v, auc, d], &found.feature);
        }
    }

    #[test]
    fn areas_of_shares_are_those_of_their_pairs(seed in 0_u64..1 << 40, n in 30_usize..150) {
        let people = people(seed, n);
        let traits = profiled(&people, None).profile.traits();
        for found in traits.iter().filter(|found| found.feature == "flag") {
            let (mean, _, auc, _) = slow(&people.flag, &people.labels, found.segment as u32);
            assert_close(&[found.value, found.auc], &[mean, auc], "flag");
        }
    }

    #[test]
    fn the_order_of_the_customers_does_not_matter(seed in 0_u64..1 << 40, n in 30_usize..150) {
        let people = people(seed, n);
        let mut rows: Vec<usize> = (0..n).collect();
        Rng::stream(seed, Stage::Sample, 2).shuffle(&mut rows);
        let shuffled = people.at(&rows);
        assert_same(
            &profiled(&people, None).profile.traits(),
            &profiled(&shuffled, None).profile.traits(),
        );
        let (one, other) = (homogeneous(&people), homogeneous(&shuffled));
        for head in ["within_ss", "distance", "distance_to_others", "silhouette"] {
            assert_close(one.segments.floats(head), other.segments.floats(head), head);
        }
    }

    #[test]
    fn whole_weights_are_as_good_as_repeated_customers(seed in 0_u64..1 << 40, n in 30_usize..100) {
        let people = people(seed, n);
        let rows: Vec<usize> =
            (0..n).flat_map(|row| std::iter::repeat_n(row, people.weight[row] as usize)).collect();
        let repeated = people.at(&rows);
        let (weighted, plain) = (profiled(&people, Some("weight")), profiled(&repeated, None));
        assert_same(&weighted.profile.traits(), &plain.profile.traits());
        for (a, b) in weighted.profile.effects().iter().zip(plain.profile.effects()) {
            assert_close(&[a.statistic, a.p, a.size], &[b.statistic, b.p, b.size], &a.feature);
        }
    }

    #[test]
    fn merged_halves_are_the_whole_without_ranks(seed in 0_u64..1 << 40, n in 40_usize..150) {
        let people = people(seed, n);
        let half = n / 2;
        let parts = [(0..half).collect::<Vec<_>>(), (half..n).collect()].map(|rows| people.at(&rows));
        let of = |people: &People| Profile::of(&people.table(), &columns(), &people.labels, K).unwrap();
        // Both halves have all categories with all but no chance; where not, they are refused.
        prop_assume!(parts.iter().all(|part| ["a", "b", "c"].iter().all(|level| part.level.iter().any(|l| l == level))));
        let (merged, whole) = (of(&parts[0]).merge(&of(&parts[1])).unwrap(), of(&people));
        for (a, b) in merged.traits().iter().zip(whole.traits()) {
            let (mut one, mut other) = (figures(a), figures(&b));
            if !a.share {
                prop_assert!(a.auc.is_nan());
            }
            (one[13], other[13]) = (0.0, 0.0);
            assert_close(&one, &other, &a.feature);
        }
    }

    #[test]
    fn permuted_labels_permute_the_segments(seed in 0_u64..1 << 40, n in 30_usize..150) {
        let people = people(seed, n);
        let place = [2_u32, 0, 1];
        let mut turned = people.clone();
        turned.labels =
            people.labels.iter().map(|&l| if l == MISSING { l } else { place[l as usize] }).collect();
        let (one, other) = (profiled(&people, None).profile, profiled(&turned, None).profile);
        let (one, other) = (one.traits(), other.traits());
        for (at, found) in one.iter().enumerate() {
            let same = &other[at - found.segment + place[found.segment] as usize];
            assert_close(&figures(found), &figures(same), &found.feature);
        }
        let (one, other) = (homogeneous(&people), homogeneous(&turned));
        let (one, other) = (one.segments.floats("ratio"), other.segments.floats("ratio"));
        for segment in 0..K {
            assert_close(&one[segment..=segment], &other[place[segment] as usize..=place[segment] as usize], "ratio");
        }
    }

    #[test]
    fn distances_are_those_of_all_pairs(seed in 0_u64..1 << 40, n in 12_usize..60) {
        let people = people(seed, n);
        let found = homogeneous(&people);
        let (within, between, widths) = all_pairs(&people);
        assert_close(&found.segments.floats("distance")[..K], &within, "distance");
        assert_close(&found.segments.floats("distance_to_others")[..K], &between, "others");
        assert_close(&found.segments.floats("silhouette")[..K], &widths, "silhouette");
    }
}

/// Mean distances within segments and to others, and mean silhouettes, from a matrix of distances.
fn all_pairs(people: &People) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let rows: Vec<usize> =
        (0..people.labels.len()).filter(|&row| people.labels[row] != MISSING).collect();
    let labels: Vec<usize> = rows.iter().map(|&row| people.labels[row] as usize).collect();
    let numbers: Vec<Vec<f64>> = [&people.whole, &people.real]
        .into_iter()
        .map(|values| {
            let own: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
            let low = own.iter().copied().fold(f64::INFINITY, f64::min);
            let high = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            own.iter().map(|x| (x - low) / (high - low)).collect()
        })
        .collect();
    // Sum of distances and number of variables that both have.
    let pair = |a: usize, b: usize| -> (f64, f64) {
        let mut sum = (f64::from(u8::from(people.level[rows[a]] != people.level[rows[b]])), 2.0);
        sum.0 += (people.flag[rows[a]] - people.flag[rows[b]]).abs();
        for values in &numbers {
            let far = (values[a] - values[b]).abs();
            if !far.is_nan() {
                sum = (sum.0 + far, sum.1 + 1.0);
            }
        }
        sum
    };
    let (mut within, mut between) = (vec![(0.0, 0.0); K], vec![(0.0, 0.0); K]);
    let mut widths = vec![(0.0, 0.0); K];
    for a in 0..rows.len() {
        let mut to = [(0.0, 0.0); K];
        for b in (0..rows.len()).filter(|&b| b != a) {
            let (far, n) = pair(a, b);
            to[labels[b]] = (to[labels[b]].0 + far, to[labels[b]].1 + n);
        }
        let own = labels[a];
        let mut nearest = f64::INFINITY;
        for (segment, (far, n)) in to.into_iter().enumerate() {
            let side = if segment == own { &mut within[own] } else { &mut between[own] };
            *side = (side.0 + far, side.1 + n);
            if segment != own && n > 0.0 {
                nearest = nearest.min(far / n);
            }
        }
        if nearest.is_finite() {
            let inside = to[own].0 / to[own].1;
            let larger = inside.max(nearest);
            let width =
                if to[own].1 == 0.0 || larger == 0.0 { 0.0 } else { (nearest - inside) / larger };
            widths[own] = (widths[own].0 + width, widths[own].1 + 1.0);
        }
    }
    let ratio = |parts: Vec<(f64, f64)>| -> Vec<f64> {
        parts.into_iter().map(|(sum, n)| if n > 0.0 { sum / n } else { f64::NAN }).collect()
    };
    (ratio(within), ratio(between), ratio(widths))
}

#[test]
fn every_number_of_threads_gives_the_same_bits_and_saved_results_come_back() {
    let people = people(7, 20_000);
    let made = |threads| {
        set_num_threads(threads);
        (
            to_json(&profiled(&people, Some("weight"))).unwrap(),
            to_json(&described(&people, Numbers::Kruskal)).unwrap(),
            to_json(&homogeneous(&people)).unwrap(),
        )
    };
    let one = made(1);
    assert_eq!(one, made(2));
    assert_eq!(one, made(8));
    set_num_threads(0);
    let again: SegmentProfile = from_json(&one.0).unwrap();
    assert_eq!(to_json(&again).unwrap(), one.0);
    let again: Description = from_json(&one.1).unwrap();
    assert_eq!(to_json(&again).unwrap(), one.1);
    let again: Homogeneity = from_json(&one.2).unwrap();
    assert_eq!(to_json(&again).unwrap(), one.2);
}

#[test]
fn hostile_numbers_end_in_figures_or_in_an_error() {
    let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
    let names: Vec<String> = ["x", "y"].map(str::to_string).to_vec();
    let columns: [Vec<f64>; 5] = [
        vec![5.0; 40],
        (0..40).map(|row| if row % 2 == 0 { 1e-300 } else { 1e150 }).collect(),
        (0..40).map(|row| 1e9 + f64::from(row % 3) * 1e-7).collect(),
        (0..40).map(|row| f64::from(row % 2)).collect(),
        (0..40).map(|row| if row == 0 { -0.0 } else { f64::NAN }).collect(),
    ];
    for values in columns {
        let table = Table::builder().float("v", values).finish().unwrap();
        let found = Profile::of(&table, &["v".to_string()], &labels, 2).unwrap();
        for found in found.traits() {
            assert!(!figures(&found)[..6].iter().any(|x| x.is_infinite()), "{found:?}");
            assert!(found.effect.is_nan() || found.effect.is_finite());
        }
    }
    let table = Table::builder().float("v", vec![1e200; 40]).finish().unwrap();
    let segments = Segments { labels: &labels, names: &names };
    let options = Options { features: None, exclude: &[], weights: None, confidence: 0.95 };
    let error = profile(&table, segments, options, manifest(40), &Monitor::new()).unwrap_err();
    assert!(error.to_string().contains("row 0: found 1"), "{error}");
}
