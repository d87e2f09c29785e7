//! Models of repeat buying: published figures, and likelihoods and forecasts against plain integration.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ilk::Error;
use ilk::economics::buying::{
    BetaBinomial, BetaGeo, GammaGamma, Pareto, ShiftedBetaGeometric, Spells, Spend,
};
use ilk::rng::{Rng, Stage};
use statrs::function::beta::ln_beta;
use statrs::function::gamma::ln_gamma;

const CDNOW: [f64; 4] = [0.242593, 4.413532, 0.792886, 2.425753];

/// Integral over the plane of `f(x, p)` with x from 0 up and p from 0 to 1, by the trapezoidal rule in `ln x` and
/// `logit p`.
fn integral(f: impl Fn(f64, f64) -> f64) -> f64 {
    let step = 0.05;
    let points = |low: i32, high: i32| (low..high).map(move |i| f64::from(i) * step);
    points(-800, 160)
        .map(|u: f64| {
            let x = u.exp();
            let inner = points(-500, 500).map(|v: f64| {
                let p = 1.0 / (1.0 + (-v).exp());
                f(x, p) * p * (1.0 / (1.0 + v.exp()))
            });
            x * inner.sum::<f64>()
        })
        .sum::<f64>()
        * step
        * step
}

fn gamma_density(x: f64, shape: f64, rate: f64) -> f64 {
    (shape * rate.ln() + (shape - 1.0) * x.ln() - rate * x - ln_gamma(shape)).exp()
}

fn beta_density(p: f64, a: f64, b: f64) -> f64 {
    ((a - 1.0) * p.ln() + (b - 1.0) * (1.0 - p).ln() - ln_beta(a, b)).exp()
}

fn one(x: f64, recency: f64, age: f64) -> Spells {
    Spells::new(&[x], &[recency], &[age], None).unwrap()
}

#[test]
fn beta_geo_gives_the_published_forecasts() {
    let model = BetaGeo::new(CDNOW, false);
    assert_abs_diff_eq!(model.p_alive(2.0, 30.43, 38.86), 0.726609, epsilon = 1e-6);
    assert_abs_diff_eq!(model.expected_purchases(39.0, 2.0, 30.43, 38.86), 1.2259, epsilon = 5e-5);
    assert_abs_diff_eq!(model.expected_of_new(39.0), 1.195017, epsilon = 1e-5);
}

#[test]
fn beta_geo_equals_integration_over_customers() {
    for modified in [false, true] {
        let model = BetaGeo::new([0.8, 4.0, 1.7, 2.6], modified);
        for (x, recency, age) in [(0.0, 0.0, 7.0), (1.0, 3.0, 3.0), (3.0, 5.0, 9.0)] {
            let first = f64::from(u8::from(modified));
            // Purchases at their times, then either still there or left after the last.
            let stayed =
                |rate: f64, p: f64| (1.0 - p).powf(x + first) * rate.powf(x) * (-rate * age).exp();
            let left = |rate: f64, p: f64| {
                if x + first > 0.0 {
                    p * (1.0 - p).powf(x + first - 1.0) * rate.powf(x) * (-rate * recency).exp()
                } else {
                    0.0
                }
            };
            let density = |rate: f64, p: f64| {
                gamma_density(rate, model.r, model.alpha) * beta_density(p, model.a, model.b)
            };
            let all = integral(|rate, p| (stayed(rate, p) + left(rate, p)) * density(rate, p));
            let found = model.log_likelihood(&one(x, recency, age));
            assert_relative_eq!(found, all.ln(), max_relative = 1e-6);

            let alive = integral(|rate, p| stayed(rate, p) * density(rate, p)) / all;
            assert_relative_eq!(model.p_alive(x, recency, age), alive, max_relative = 1e-6);

            let time = 12.0;
            let bought = |rate: f64, p: f64| -(-rate * p * time).exp_m1() / p;
            let expected = integral(|l, p| bought(l, p) * stayed(l, p) * density(l, p)) / all;
            let found = model.expected_purchases(time, x, recency, age);
            assert_relative_eq!(found, expected, max_relative = 1e-6);

            let stays = |p: f64| if modified { 1.0 - p } else { 1.0 };
            let of_new = integral(|l, p| stays(p) * bought(l, p) * density(l, p));
            assert_relative_eq!(model.expected_of_new(time), of_new, max_relative = 1e-6);
        }
    }
}

#[test]
fn beta_geo_is_smooth_where_a_is_one() {
    let at =
        |a: f64| BetaGeo::new([0.8, 4.0, a, 2.6], false).expected_purchases(5.0, 2.0, 3.0, 6.0);
    assert_relative_eq!(at(1.0), 0.5 * (at(0.999) + at(1.001)), max_relative = 1e-6);
}

#[test]
fn pareto_equals_integration_over_lifetimes() {
    let model = Pareto { r: 0.7, alpha: 5.0, s: 0.9, beta: 8.0 };
    for (x, recency, age) in
        [(0.0, 0.0, 7.0), (1.0, 3.0, 3.0), (4.0, 5.0, 19.0), (60.0, 1.0, 900.0)]
    {
        let (r, alpha, s, beta) = (model.r, model.alpha, model.s, model.beta);
        let scale = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + s * beta.ln();
        let at = |t: f64| (r + x) * (alpha + t).ln();
        let stayed = (scale - at(age) - s * (beta + age).ln()).exp();
        // The integral over the time of leaving, by Simpson's rule.
        let n = 400_000;
        let step = (age - recency) / f64::from(n);
        let density = |t: f64| (scale + s.ln() - at(t) - (s + 1.0) * (beta + t).ln()).exp();
        let left: f64 = (0..=n)
            .map(|i| {
                let weight = if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                weight * density(recency + f64::from(i) * step)
            })
            .sum::<f64>()
            * step
            / 3.0;
        let found = model.log_likelihood(&one(x, recency, age));
        assert_relative_eq!(found, (stayed + left).ln(), max_relative = 1e-9);
        let alive = model.p_alive(x, recency, age);
        assert_relative_eq!(alive, stayed / (stayed + left), max_relative = 1e-7);
    }
    // Expected life within the time: the integral of the share still there.
    let share = |t: f64| (model.beta / (model.beta + t)).powf(model.s);
    let life: f64 = (0..100_000).map(|i| share((f64::from(i) + 0.5) * 1e-4)).sum::<f64>() * 1e-4;
    let expected = model.r / model.alpha * life;
    assert_relative_eq!(model.expected_of_new(10.0), expected, max_relative = 1e-7);
}

#[test]
fn beta_binomial_probabilities_sum_to_one_and_forecasts_follow() {
    let model = BetaBinomial { alpha: 1.2, beta: 0.75, gamma: 0.66, delta: 2.78 };
    let n: u32 = 6;
    let mut total = model.log_likelihood(&one(0.0, 0.0, f64::from(n))).exp();
    let choose =
        |n: u32, k: u32| (1..=k).map(|i| f64::from(n - k + i) / f64::from(i)).product::<f64>();
    for last in 1..=n {
        for x in 1..=last {
            let histories = choose(last - 1, x - 1);
            let spells = one(f64::from(x), f64::from(last), f64::from(n));
            total += histories * model.log_likelihood(&spells).exp();
        }
    }
    assert_relative_eq!(total, 1.0, max_relative = 1e-10);

    // A purchase on the next occasion: the likelihood of a history that is one longer over that of the history.
    let longer = model.log_likelihood(&one(4.0, 7.0, 7.0)).exp();
    let history = model.log_likelihood(&one(3.0, 5.0, 6.0)).exp();
    let found = model.expected_purchases(1.0, 3.0, 5.0, 6.0);
    assert_relative_eq!(found, longer / history, max_relative = 1e-10);
    let buys = (model.alpha + 3.0) / (model.alpha + model.beta + 6.0);
    let alive = model.p_alive(3.0, 5.0, 6.0);
    assert_relative_eq!(alive * buys, found, max_relative = 1e-10);
}

#[test]
fn shifted_beta_geometric_gives_the_published_figures() {
    let alive = [1000.0, 869.0, 743.0, 653.0, 593.0, 551.0, 517.0, 491.0];
    let (model, top) = ShiftedBetaGeometric::fit(&alive).unwrap();
    assert_abs_diff_eq!(model.alpha, 0.668088, epsilon = 1e-5);
    assert_abs_diff_eq!(model.beta, 3.806096, epsilon = 5e-5);
    assert_abs_diff_eq!(top.log_likelihood, -1611.158, epsilon = 5e-4);
    assert_abs_diff_eq!(model.survival(12), 0.3780, epsilon = 5e-5);
    for (renewal, rate) in [(1, 0.85068), (2, 0.87796), (3, 0.89681), (4, 0.91061)] {
        assert_abs_diff_eq!(model.retention(renewal), rate, epsilon = 5e-6);
    }
    assert_abs_diff_eq!(model.lifetime(0, 0.1, true), 5.9223, epsilon = 5e-5);
}

/// Customers drawn from the model itself.
fn drawn(model: &BetaGeo, n: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut rng = Rng::stream(seed, Stage::Sample, 0);
    let (mut x, mut recency, mut age) = (vec![], vec![], vec![]);
    for _ in 0..n {
        // Gamma with a whole shape, and beta with whole parameters, from exponentials.
        let gamma =
            |shape: usize, rng: &mut Rng| (0..shape).map(|_| rng.exponential()).sum::<f64>();
        let rate = gamma(model.r as usize, &mut rng) / model.alpha;
        let (one, other) = (gamma(model.a as usize, &mut rng), gamma(model.b as usize, &mut rng));
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
        x.push(count);
        recency.push(last);
        age.push(end);
    }
    (x, recency, age)
}

#[test]
fn planted_parameters_are_found_within_their_errors() {
    let truth = BetaGeo::new([2.0, 8.0, 1.0, 3.0], false);
    let (x, recency, age) = drawn(&truth, 20_000, 3);
    let spells = Spells::new(&x, &recency, &age, None).unwrap();
    let (model, top) = BetaGeo::fit(&spells, false);
    assert!(top.unknown.is_empty());
    let errors = top.standard_errors();
    let pairs = [(model.r, 2.0), (model.alpha, 8.0), (model.a, 1.0), (model.b, 3.0)];
    for ((found, planted), error) in pairs.into_iter().zip(errors) {
        assert!((found - planted).abs() < 4.0 * error, "{found} ± {error}, planted {planted}");
        assert!(error < 0.15 * planted, "{error} of {planted}");
    }
    let halves = [0..10_000, 10_000..20_000];
    let weights = vec![2.0; 10_000];
    for half in halves {
        let (x, recency, age) = (&x[half.clone()], &recency[half.clone()], &age[half]);
        let doubled = Spells::new(x, recency, age, Some(&weights)).unwrap();
        let twice = |values: &[f64]| [values, values].concat();
        let repeated = Spells::new(&twice(x), &twice(recency), &twice(age), None).unwrap();
        assert_eq!(doubled, repeated);
    }
}

#[test]
fn customers_who_never_leave_are_not_given_parameters() {
    let mut rng = Rng::stream(1, Stage::Sample, 0);
    let n = 2_000;
    let age: Vec<f64> = (0..n).map(|_| 30.0 + 20.0 * rng.uniform()).collect();
    let x = vec![30.0; n];
    let recency: Vec<f64> = age.iter().map(|age| age - rng.uniform()).collect();
    let spells = Spells::new(&x, &recency, &age, None).unwrap();
    let (_, top) = BetaGeo::fit(&spells, false);
    assert!(!top.unknown.is_empty());
    let (_, top) = Pareto::fit(&spells);
    assert!(!top.unknown.is_empty());
}

#[test]
fn gamma_gamma_finds_what_was_planted() {
    let mut rng = Rng::stream(5, Stage::Sample, 0);
    let gamma = |shape: usize, rng: &mut Rng| (0..shape).map(|_| rng.exponential()).sum::<f64>();
    let (mut x, mut mean) = (vec![], vec![]);
    for _ in 0..20_000 {
        let rate = gamma(4, &mut rng) / 15.0;
        let n = 1 + rng.below(8);
        x.push(n as f64);
        mean.push((0..n).map(|_| gamma(6, &mut rng) / rate).sum::<f64>() / n as f64);
    }
    let (model, top) = GammaGamma::fit(&Spend::new(&x, &mean, None).unwrap());
    let errors = top.standard_errors();
    for ((found, planted), error) in
        [(model.p, 6.0), (model.q, 4.0), (model.v, 15.0)].into_iter().zip(errors)
    {
        assert!((found - planted).abs() < 4.0 * error, "{found} ± {error}, planted {planted}");
    }
    assert_relative_eq!(model.mean_spend(), 30.0, max_relative = 0.03);
}

#[test]
fn impossible_customers_are_refused_by_row() {
    for (x, recency, age, name) in [
        ([1.0, 2.5], [1.0, 1.0], [2.0, 2.0], "frequency"),
        ([1.0, -1.0], [1.0, 1.0], [2.0, 2.0], "frequency"),
        ([1.0, 1.0], [1.0, 3.0], [2.0, 2.0], "recency"),
        ([1.0, 0.0], [1.0, 1.0], [2.0, 2.0], "recency"),
        ([1.0, 1.0], [1.0, 1.0], [2.0, f64::NAN], "T"),
    ] {
        match Spells::new(&x, &recency, &age, None) {
            Err(Error::BadValue { column, row, .. }) => assert_eq!((&*column, row), (name, 1)),
            other => panic!("{other:?}"),
        }
    }
}
