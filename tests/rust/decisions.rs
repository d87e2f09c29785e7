//! Laws and references of why revenue moved and of what to do: decomposition, logistic and hazard models, decisions.

use approx::assert_relative_eq;
use ilk::economics::drift::{Ratings, change};
use ilk::economics::logistic::{Design, N};
use ilk::economics::movement::{Effects, Method, Totals, decompose};
use ilk::economics::policy::Payoffs;
use ilk::economics::targeting::{Spell, hazard_ratio};
use ilk::economics::trial::{Trial, cross_fitted};
use ilk::parallel::Monitor;
use ilk::rng::{Rng, Stage};
use proptest::prelude::*;

const METHODS: [Method; 3] = [Method::Shapley, Method::Lmdi, Method::Cross];

fn totals(n: f64, rate: f64, value: f64) -> Totals {
    Totals { customers: n, orders: n * rate, revenue: n * rate * value }
}

fn sum(effects: &[Effects]) -> Effects {
    effects.iter().fold(Effects::default(), |mut all, part| {
        all.add(part);
        all
    })
}

/// Totals of one segment, which may have no customers, no orders, or no revenue.
fn segment() -> impl Strategy<Value = Totals> {
    let factor = || prop_oneof![1 => Just(0.0), 6 => 1e-3_f64..1e4];
    (factor(), factor(), factor()).prop_map(|(n, rate, value)| totals(n.ceil(), rate, value))
}

proptest! {
    #[test]
    fn parts_add_up_to_the_change(
        pairs in prop::collection::vec((segment(), segment()), 1..8),
    ) {
        let (before, after): (Vec<Totals>, Vec<Totals>) = pairs.into_iter().unzip();
        for method in METHODS {
            let found = decompose(&before, &after, method);
            for ((before, after), part) in before.iter().zip(&after).zip(&found) {
                prop_assert_eq!(part.change, after.revenue - before.revenue);
                let size = part.all().iter().fold(before.revenue, |m, e| m.max(e.abs()));
                let all = part.mix + part.rate + part.value + part.cross;
                prop_assert!((all - part.change).abs() <= 1e-12 * size, "{:?} {:?}", method, part);
                let mix = part.volume + part.composition;
                prop_assert!((mix - part.mix).abs() <= 1e-12 * size.max(part.volume.abs()));
                prop_assert!(method == Method::Cross || part.cross == 0.0);
                if (before.customers == 0.0) != (after.customers == 0.0) {
                    // New or vanished: nothing but mix.
                    prop_assert!((part.mix - part.change).abs() <= 1e-12 * size);
                }
            }
        }
    }

    #[test]
    fn exchanging_the_periods_turns_the_signs(
        pairs in prop::collection::vec((segment(), segment()), 1..6),
    ) {
        let (before, after): (Vec<Totals>, Vec<Totals>) = pairs.into_iter().unzip();
        for method in [Method::Shapley, Method::Lmdi] {
            let there = decompose(&before, &after, method);
            let back = decompose(&after, &before, method);
            for (there, back) in there.iter().zip(&back) {
                let size = there.all().iter().fold(1e-9_f64, |m, e| m.max(e.abs()));
                for (a, b) in there.all().into_iter().zip(back.all()) {
                    prop_assert!((a + b).abs() <= 1e-9 * size, "{:?} {:?}", there, back);
                }
            }
        }
    }

    #[test]
    fn shapley_is_the_mean_over_all_orders(
        before in (1.0_f64..1e3, 0.1_f64..10.0, 1.0_f64..1e3),
        after in (1.0_f64..1e3, 0.1_f64..10.0, 1.0_f64..1e3),
    ) {
        let (old, new) = ([before.0, before.1, before.2], [after.0, after.1, after.2]);
        let mut expected = [0.0; 3];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut now = old;
            for factor in order {
                let product = |v: [f64; 3]| v[0] * v[1] * v[2];
                let was = product(now);
                now[factor] = new[factor];
                expected[factor] += (product(now) - was) / 6.0;
            }
        }
        let found = decompose(
            &[totals(old[0], old[1], old[2])],
            &[totals(new[0], new[1], new[2])],
            Method::Shapley,
        )[0];
        for (found, expected) in [found.mix, found.rate, found.value].into_iter().zip(expected) {
            let size = old.iter().product::<f64>().max(new.iter().product());
            prop_assert!((found - expected).abs() < 1e-10 * size);
        }
    }
}

#[test]
fn price_and_volume_are_those_of_the_textbook() {
    // 100 customers at 20 become 120 at 18: 20 x 20 of volume, 100 x -2 of price, 20 x -2 of both.
    let found = decompose(&[totals(100.0, 1.0, 20.0)], &[totals(120.0, 1.0, 18.0)], Method::Cross);
    let part = found[0];
    assert_relative_eq!(part.mix, 400.0, epsilon = 1e-9);
    assert_relative_eq!(part.value, -200.0, epsilon = 1e-9);
    assert_relative_eq!(part.cross, -40.0, epsilon = 1e-9);
    assert_eq!(part.rate, 0.0);
}

#[test]
fn customers_who_only_change_segments_are_all_composition() {
    let before = [totals(50.0, 1.0, 10.0), totals(50.0, 1.0, 30.0)];
    let after = [totals(70.0, 1.0, 10.0), totals(30.0, 1.0, 30.0)];
    for method in METHODS {
        let all = sum(&decompose(&before, &after, method));
        assert_relative_eq!(all.mix, -400.0, epsilon = 1e-9);
        assert!(all.volume.abs() < 1e-9 && all.rate.abs() < 1e-9 && all.value.abs() < 1e-9);
    }
}

#[test]
fn logarithmic_means_of_the_smallest_numbers_are_finite() {
    let before = Totals { customers: 1.0, orders: 1.0, revenue: 2e-313 };
    let found = decompose(&[before], &[totals(1.0, 1.0, 1.0)], Method::Lmdi)[0];
    assert_eq!((found.change, found.value, found.mix), (1.0, 1.0, 0.0));
}

#[test]
fn revenue_without_customers_has_no_parts() {
    let odd = Totals { customers: 0.0, orders: 0.0, revenue: 5.0 };
    assert!(decompose(&[odd], &[totals(1.0, 1.0, 1.0)], Method::Shapley)[0].mix.is_nan());
    let negative = Totals { customers: 2.0, orders: 1.0, revenue: -5.0 };
    let found = decompose(&[negative], &[totals(1.0, 1.0, 1.0)], Method::Lmdi)[0];
    assert!(found.mix.is_nan());
}

fn spell(days: f64, event: bool, target: bool) -> Spell {
    Spell { days, event, target }
}

#[test]
fn hazard_ratio_without_ties_maximises_the_partial_likelihood() {
    // Three events: target of {2, 2} at 1, other of {1, 2} at 2, target of {1, 1} at 3. The score
    // 2 - r / (r + 1) - r / (r + 2) - r / (r + 1) is 0 where r^2 - 3 r - 4 = 0 ... solved below without algebra.
    let spells = vec![
        spell(1.0, true, true),
        spell(2.0, true, false),
        spell(3.0, true, true),
        spell(4.0, false, false),
    ];
    let (found, p) = hazard_ratio(spells, 0.95);
    let likelihood = |r: f64| r / (2.0 * r + 2.0) * (1.0 / (r + 2.0)) * (r / (r + 1.0));
    let best = (1..400_000)
        .map(|i| i as f64 / 10_000.0)
        .max_by(|&a, &b| likelihood(a).total_cmp(&likelihood(b)))
        .unwrap();
    assert!((found.value - best).abs() < 2e-4, "{} {best}", found.value);
    // The ends lie where twice the logarithm has fallen by the 95 % point of chi-squared.
    for end in [found.lo, found.hi] {
        let fall = 2.0 * (likelihood(found.value) / likelihood(end)).ln();
        assert!((fall - 3.841_458_8).abs() < 1e-4, "{end} {fall}");
    }
    assert!(found.lo < 1.0 && found.hi > 1.0 && p > 0.05);
}

#[test]
fn ties_are_broken_as_by_efron() {
    // Two events at one time, one in each group, two in each group at risk: 1 / ((2r + 2)(2r + 2 - (r + 1) / 2)) x r.
    let spells = vec![
        spell(1.0, true, true),
        spell(1.0, true, false),
        spell(2.0, false, true),
        spell(2.0, false, false),
    ];
    let (found, p) = hazard_ratio(spells, 0.95);
    assert_relative_eq!(found.value, 1.0, epsilon = 1e-9);
    assert_relative_eq!(p, 1.0, epsilon = 1e-9);
    let likelihood = |r: f64| r / ((2.0 * r + 2.0) * (1.5 * r + 1.5));
    let fall = 2.0 * (likelihood(1.0) / likelihood(found.hi)).ln();
    assert!((fall - 3.841_458_8).abs() < 1e-6);
}

#[test]
fn a_group_without_events_has_one_end() {
    let spells: Vec<Spell> = (0..20).map(|i| spell(f64::from(i), i % 2 == 0, i % 2 == 0)).collect();
    let (found, p) = hazard_ratio(spells.clone(), 0.95);
    assert_eq!((found.value, found.hi), (f64::INFINITY, f64::INFINITY));
    assert!(found.lo > 1.0 && found.lo.is_finite() && p < 0.05);
    let turned = spells.iter().map(|s| Spell { target: !s.target, ..*s }).collect();
    let (found, _) = hazard_ratio(turned, 0.95);
    assert_eq!((found.value, found.lo), (0.0, 0.0));
    assert!(found.hi < 1.0 && found.hi > 0.0);
    assert!(hazard_ratio(vec![spell(1.0, true, true)], 0.95).0.value.is_nan());
}

/// Draws of a logistic model.
fn draws(n: usize, beta: [f64; 3], seed: u64) -> (Vec<[f64; 2]>, Vec<f64>) {
    let mut rng = Rng::stream(seed, Stage::Sample, 0);
    (0..n)
        .map(|_| {
            let x = [rng.uniform() * 4.0 - 2.0, rng.uniform() * 4.0 - 2.0];
            let p = 1.0 / (1.0 + (-(beta[0] + beta[1] * x[0] + beta[2] * x[1])).exp());
            (x, f64::from(u8::from(rng.uniform() < p)))
        })
        .unzip()
}

#[test]
fn logistic_intervals_cover_the_truth() {
    let truth = [-0.3, 0.8, 0.0];
    let (mut covered, n_draws) = ([0; 2], 300);
    for seed in 0..n_draws {
        let (x, y) = draws(150, truth, seed);
        let design = Design { x: &x, y: &y };
        let fit = design.fit([0.0; N], [false; N], false).unwrap();
        assert!(fit.converged);
        for index in [1, 2] {
            let found = design.estimate(&fit, index, false, 0.95);
            covered[index - 1] += i32::from(found.lo <= truth[index] && truth[index] <= found.hi);
        }
    }
    // 95 % of 300, within four standard deviations of a binomial count.
    for covered in covered {
        assert!((270..=300).contains(&covered), "{covered}");
    }
}

#[test]
fn effects_on_the_probability_are_those_of_differences() {
    let (x, y) = draws(400, [0.2, 0.7, -0.4], 1);
    let design = Design { x: &x, y: &y };
    let fit = design.fit([0.0; N], [false; N], false).unwrap();
    let [(by_first, _), _] = design.marginal_effects(&fit);
    let p = |x: &[f64; 2]| {
        1.0 / (1.0 + (-(fit.beta[0] + fit.beta[1] * x[0] + fit.beta[2] * x[1])).exp())
    };
    let step = 1e-5;
    let expected: f64 =
        x.iter().map(|x| (p(&[x[0] + step, x[1]]) - p(x)) / step).sum::<f64>() / x.len() as f64;
    assert!((by_first - expected).abs() < 1e-5);
    // The test of the ratio and the interval of the profile agree at its end.
    let found = design.estimate(&fit, 2, false, 0.95);
    let mut start = fit.beta;
    start[2] = found.hi;
    let held = design.fit(start, [false, false, true], false).unwrap();
    let fall = 2.0 * (fit.log_likelihood - held.log_likelihood);
    assert!((fall - 3.841_458_8).abs() < 1e-5, "{fall}");
}

#[test]
fn separation_is_found_exactly() {
    let square = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
    let separated = |y: [f64; 4]| Design { x: &square, y: &y }.is_separated();
    assert!(separated([0.0, 0.0, 0.0, 1.0]));
    assert!(separated([0.0, 1.0, 0.0, 1.0]));
    // Exclusive or: the diagonals cross.
    assert!(!separated([0.0, 1.0, 1.0, 0.0]));
    // Quasi-complete: the middle of the line is won once and lost once.
    let line = [[-1.0, 0.3], [0.0, 0.0], [0.0, 0.0], [1.0, -0.2]];
    assert!(Design { x: &line, y: &[0.0, 0.0, 1.0, 1.0] }.is_separated());
    let (x, y) = draws(300, [0.0, 1.0, 0.5], 2);
    assert!(!Design { x: &x, y: &y }.is_separated());
}

#[test]
fn penalised_fit_of_separated_deals_is_finite_and_at_its_top() {
    let x: Vec<[f64; 2]> =
        (0..12).map(|i| [f64::from(i) / 4.0 - 1.5, f64::from(i * 7 % 5) / 2.0 - 1.0]).collect();
    let y: Vec<f64> = (0..12).map(|i| f64::from(u8::from(i >= 6))).collect();
    let design = Design { x: &x, y: &y };
    assert!(design.is_separated());
    let fit = design.fit([0.0; N], [false; N], true).unwrap();
    assert!(fit.converged && fit.beta.iter().all(|beta| beta.is_finite()));
    // The penalised likelihood by its definition, without the code under test.
    let penalised = |beta: [f64; 3]| {
        let (mut log, mut m) = (0.0, [[0.0; 3]; 3]);
        for (x, &y) in x.iter().zip(&y) {
            let row = [1.0, x[0], x[1]];
            let eta: f64 = (0..3).map(|i| beta[i] * row[i]).sum();
            let p = 1.0 / (1.0 + (-eta).exp());
            log += if y == 1.0 { p.ln() } else { (1.0 - p).ln() };
            for i in 0..3 {
                for j in 0..3 {
                    m[i][j] += p * (1.0 - p) * row[i] * row[j];
                }
            }
        }
        let det = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
        log + det.ln() / 2.0
    };
    let top = penalised(fit.beta);
    assert_relative_eq!(top, fit.log_likelihood, epsilon = 1e-9);
    for index in 0..3 {
        for step in [-1e-3, 1e-3] {
            let mut beside = fit.beta;
            beside[index] += step;
            assert!(penalised(beside) < top);
        }
    }
    let found = design.estimate(&fit, 1, true, 0.95);
    assert!(found.lo > 0.0 && found.hi > found.value);
}

#[test]
fn welch_and_newcombe_are_those_of_the_papers() {
    // Welch's test of {27.5, 21.0, 19.0, 23.6, 17.0, 17.9} against {27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0}:
    // t = 1.5653 ... on 8.4 degrees of freedom, by hand from means, variances and Satterthwaite's formula.
    let (a, b) =
        ([27.5, 21.0, 19.0, 23.6, 17.0, 17.9], [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0]);
    let of = |values: &[f64]| Ratings::of(values.iter().map(|&value| (value, 1.0)));
    let (found, p) = change(&of(&a), &of(&b), false, 0.95);
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    assert_relative_eq!(found.value, mean(&b) - mean(&a), epsilon = 1e-12);
    assert!(p > 0.1 && p < 0.25 && found.lo < 0.0 && found.hi > 0.0, "{p} {found:?}");
    // Newcombe (1998), table II (a): 56 of 70 against 48 of 80, method 10: 0.0524 to 0.3339.
    let share = |k: usize, n: usize| {
        Ratings::of((0..n).map(move |row| (f64::from(u8::from(row < k)), 1.0)))
    };
    let (found, _) = change(&share(48, 80), &share(56, 70), true, 0.95);
    assert_relative_eq!(found.value, 0.2, epsilon = 1e-12);
    assert!((found.lo - 0.0524).abs() < 5e-5 && (found.hi - 0.3339).abs() < 5e-5, "{found:?}");
}

proptest! {
    #[test]
    fn deciding_by_segment_never_loses_with_known_values(
        rows in prop::collection::vec((prop::collection::vec(-50.0_f64..50.0, 3), 0.0_f64..100.0), 1..7),
    ) {
        let payoffs = Payoffs {
            values: rows.iter().flat_map(|row| row.0.clone()).collect(),
            n: rows.iter().map(|row| row.1.floor()).collect(),
            n_actions: 3,
        };
        let found = payoffs.gain(&payoffs.decide());
        let best: f64 = rows
            .iter()
            .map(|(values, n)| n.floor() * values.iter().copied().fold(f64::MIN, f64::max))
            .sum();
        let single = (0..3)
            .map(|a| rows.iter().map(|(values, n)| n.floor() * values[a]).sum::<f64>())
            .fold(f64::MIN, f64::max);
        prop_assert!(found >= -1e-9);
        prop_assert!((found - (best - single)).abs() < 1e-8);
    }
}

/// An experiment of `per_cell` customers in each of four segments and three actions, worth `mean(segment, action)`.
fn experiment(per_cell: usize, seed: u64, mean: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let mut rng = Rng::stream(seed, Stage::Reference, 0);
    (0..12)
        .map(|cell| {
            (0..per_cell)
                .map(|_| {
                    mean(cell / 3, cell % 3) + (0..6).map(|_| rng.uniform()).sum::<f64>() - 3.0
                })
                .collect()
        })
        .collect()
}

#[test]
fn value_of_segmentation_is_honest_where_the_naive_one_is_not() {
    let n = [100.0; 4];
    let gains = |mean: fn(usize, usize) -> f64, per_cell: usize| -> (f64, f64, f64, Vec<bool>) {
        let truth = Payoffs {
            values: (0..12).map(|cell| mean(cell / 3, cell % 3)).collect(),
            n: n.to_vec(),
            n_actions: 3,
        };
        let true_gain = truth.gain(&truth.decide());
        let (mut naive, mut honest, mut covered) = (0.0, 0.0, Vec::new());
        for seed in 0..200 {
            let cells = experiment(per_cell, seed, mean);
            let trial = Trial { cells: &cells, n: &n, n_actions: 3 };
            let (gain, variance) = cross_fitted(&trial, seed, &Monitor::new()).unwrap();
            honest += gain / 200.0;
            covered.push((gain - true_gain).abs() <= 1.96 * variance.sqrt());
            let means = Payoffs {
                values: cells.iter().map(|c| c.iter().sum::<f64>() / c.len() as f64).collect(),
                ..truth.clone()
            };
            naive += means.gain(&means.decide()) / 200.0;
        }
        (true_gain, naive, honest, covered)
    };
    // Nothing matters: the truth is 0, and the rows by themselves find a gain.
    let (truth, naive, honest, covered) = gains(|_, _| 1.0, 20);
    assert_eq!(truth, 0.0);
    assert!(naive > 20.0, "{naive}");
    assert!(honest.abs() < 3.0, "{honest}");
    assert!(covered.iter().filter(|&&covered| covered).count() >= 184);
    // It matters a lot: nothing is lost.
    let (truth, naive, honest, covered) =
        gains(|segment, action| if segment % 3 == action { 2.0 } else { 0.0 }, 40);
    assert_relative_eq!(truth, 400.0);
    assert!((naive - truth).abs() < 10.0, "{naive}");
    assert!((honest - truth).abs() < 10.0, "{honest}");
    assert!(covered.iter().filter(|&&covered| covered).count() >= 184);
}
