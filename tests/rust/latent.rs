//! Laws of latent class analysis: what must hold whatever the data.

use ilk::cluster::{LatentClass, LatentClassModel, Mixed};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::MISSING;
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;

/// Answers of `n` rows to items with these numbers of categories, in two kinds of rows, some missing.
fn answers(n: usize, categories: &[u32], missing: f64, seed: u64) -> Array2<u32> {
    let mut rng = Rng::stream(seed, Stage::Reference, 0);
    Array2::from_shape_fn((n, categories.len()), |(row, item)| {
        let lean = f64::from((row % 2) as u32);
        let u = rng.uniform();
        let code = (f64::from(categories[item]) * (0.6 * u + 0.4 * lean * u.sqrt())) as u32;
        if rng.uniform() < missing { MISSING } else { code.min(categories[item] - 1) }
    })
}

fn mixed(codes: &Array2<u32>, categories: &[u32]) -> Mixed {
    Mixed::new(Array2::zeros((codes.nrows(), 0)).view(), codes.view(), categories).unwrap()
}

fn quiet() -> Monitor {
    Monitor::new()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

/// One step of EM as one would write it on a blackboard: log-likelihood of the parameters, and the next ones.
fn step(
    codes: &Array2<u32>,
    weights: &[f64],
    shares: &[f64],
    p: &[Vec<Vec<f64>>],
) -> (f64, Vec<f64>, Vec<Vec<Vec<f64>>>) {
    let k = shares.len();
    let mut log_likelihood = 0.0;
    let mut next_shares = vec![0.0; k];
    let mut next: Vec<Vec<Vec<f64>>> =
        p.iter().map(|item| item.iter().map(|row| vec![0.0; row.len()]).collect()).collect();
    for (row, &weight) in codes.axis_iter(Axis(0)).zip(weights) {
        if row.iter().all(|&code| code == MISSING) {
            continue;
        }
        let joint: Vec<f64> = (0..k)
            .map(|class| {
                let answered = row.iter().enumerate().filter(|(_, code)| **code != MISSING);
                answered.fold(shares[class], |joint, (item, &c)| joint * p[item][class][c as usize])
            })
            .collect();
        let density: f64 = joint.iter().sum();
        log_likelihood += weight * density.ln();
        for class in 0..k {
            let posterior = weight * joint[class] / density;
            next_shares[class] += posterior;
            for (item, &code) in row.iter().enumerate().filter(|(_, code)| **code != MISSING) {
                next[item][class][code as usize] += posterior;
            }
        }
    }
    let total: f64 = next_shares.iter().sum();
    next_shares.iter_mut().for_each(|share| *share /= total);
    for row in next.iter_mut().flatten() {
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= total);
    }
    (log_likelihood, next_shares, next)
}

/// The parameters of a model by item, class and category.
fn parameters(model: &LatentClassModel) -> (Vec<f64>, Vec<Vec<Vec<f64>>>) {
    let probabilities = model.probabilities();
    let mut first = 0;
    let items = model.columns().categorical.iter().map(|item| {
        let rows = first..first + item.categories.len();
        first = rows.end;
        let of = |class: usize| rows.clone().map(|row| probabilities[(row, class)]).collect();
        (0..model.n_classes()).map(of).collect()
    });
    (model.shares().to_vec(), items.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_iteration_is_that_of_the_blackboard(
        (n, m, k) in (30usize..200, 1usize..6, 1usize..5), seed in any::<u64>(), steps in 1usize..5,
        missing in prop::sample::select(vec![0.0, 0.2]),
    ) {
        let categories: Vec<u32> = (0..m).map(|item| 2 + (item as u32 + seed as u32 % 3) % 3).collect();
        let codes = answers(n, &categories, missing, seed);
        let data = mixed(&codes, &categories);
        let weights: Vec<f64> = (0..n).map(|row| 0.5 + (row % 3) as f64).collect();
        let at = |max_iter| {
            let params = LatentClass { n_init: 1, max_iter, tolerance: 0.0, seed, ..LatentClass::new(k) };
            params.fit(&data, None, Some(&weights), &quiet()).unwrap()
        };
        prop_assume!(at(1).columns().categorical.iter().zip(&categories).all(|(item, &c)| item.categories.len() == c as usize));
        let (before, after) = (at(steps), at(steps + 1));
        let (shares, p) = parameters(&before);
        let (log_likelihood, shares, p) = step(&codes, &weights, &shares, &p);
        prop_assert!(close(before.statistics().log_likelihood, log_likelihood, 1e-10));
        let (found_shares, found) = parameters(&after);
        // Classes stand in the order of their shares, which a step may turn round.
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        prop_assume!(order.windows(2).all(|pair| shares[pair[0]] - shares[pair[1]] > 1e-9));
        for (class, &from) in order.iter().enumerate() {
            prop_assert!(close(found_shares[class], shares[from], 1e-9));
            for (item, of_item) in found.iter().enumerate() {
                for (a, b) in of_item[class].iter().zip(&p[item][from]) {
                    prop_assert!(close(*a, *b, 1e-9), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn the_likelihood_never_falls(
        (n, k) in (20usize..120, 2usize..6), seed in any::<u64>(), ordinal in any::<bool>(), covariate in any::<bool>(),
    ) {
        let categories = [2, 3, 4];
        let data = mixed(&answers(n, &categories, 0.1, seed), &categories);
        let mut rng = Rng::stream(seed, Stage::Weights, 0);
        let numbers = Array2::from_shape_fn((n, 2), |_| rng.uniform() * 1000.0);
        let covariates = Mixed::new(numbers.view(), Array2::zeros((n, 0)).view(), &[]).unwrap();
        let covariates = covariate.then_some(&covariates);
        let names = if ordinal { vec!["x1".to_owned(), "x2".to_owned()] } else { Vec::new() };
        let mut before = f64::NEG_INFINITY;
        for max_iter in (1..30).step_by(4) {
            let params = LatentClass {
                n_init: 1, max_iter, tolerance: 0.0, seed, ordinal: names.clone(), ..LatentClass::new(k)
            };
            let now = params.fit(&data, covariates, None, &quiet()).unwrap().statistics().log_likelihood;
            prop_assert!(now >= before - 1e-9 * now.abs(), "{now} {before}");
            before = now;
        }
    }

    #[test]
    fn weights_are_repeats_and_the_order_of_rows_is_nothing(n in 12usize..80, k in 1usize..4, seed in any::<u64>()) {
        let categories = [2, 3, 2];
        let codes = answers(n, &categories, 0.1, seed);
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let weights: Vec<f64> = (0..n).map(|row| if row < 8 { 1 } else { rng.below(4) } as f64).collect();
        let params = LatentClass { seed, n_init: 3, max_iter: 50, ..LatentClass::new(k) };
        let weighted = params.fit(&mixed(&codes, &categories), None, Some(&weights), &quiet()).unwrap();
        let mut rows: Vec<usize> =
            (0..n).flat_map(|row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        for at in (1..rows.len()).rev() {
            rows.swap(at, rng.below(at + 1));
        }
        let repeated = codes.select(Axis(0), &rows);
        let repeated = params.fit(&mixed(&repeated, &categories), None, None, &quiet()).unwrap();
        // As text, in which NaN is NaN and different bits are different digits.
        prop_assert_eq!(format!("{:?}", weighted.statistics()), format!("{:?}", repeated.statistics()));
        prop_assert_eq!(weighted.probabilities(), repeated.probabilities());
        let labels: Vec<u32> = rows.iter().map(|&row| weighted.labels()[row]).collect();
        prop_assert_eq!(repeated.labels(), labels);
    }

    #[test]
    fn saving_and_loading_changes_nothing(n in 10usize..60, k in 1usize..5, seed in any::<u64>()) {
        let categories = [3, 2];
        let data = mixed(&answers(n, &categories, 0.2, seed), &categories);
        let params = LatentClass { seed, n_init: 2, max_iter: 20, ..LatentClass::new(k) };
        let model = params.fit(&data, None, None, &quiet()).unwrap();
        let text = to_json(&model).unwrap();
        let back: LatentClassModel = from_json(&text).unwrap();
        prop_assert_eq!(to_json(&back).unwrap(), text);
        prop_assert_eq!(&back, &model);
        prop_assert_eq!(back.predict(&data, None, &quiet()).unwrap(), model.labels());
    }

    #[test]
    fn indices_lie_where_they_must(n in 10usize..100, k in 2usize..5, seed in any::<u64>()) {
        let categories = [3, 2, 4];
        let data = mixed(&answers(n, &categories, 0.0, seed), &categories);
        let params = LatentClass { seed, n_init: 2, max_iter: 30, ..LatentClass::new(k) };
        let model = params.fit(&data, None, None, &quiet()).unwrap();
        let s = model.statistics();
        prop_assert!((0.0..=1.0 + 1e-9).contains(&s.relative_entropy()), "{}", s.relative_entropy());
        prop_assert!((0.0..1.0).contains(&s.classification_error));
        prop_assert!(s.g2() > -1e-9 && s.chi2() > -1e-9);
        prop_assert!(close(s.modal_sizes.iter().sum(), n as f64, 1e-12));
        prop_assert!(close(model.shares().iter().sum(), 1.0, 1e-12));
        prop_assert!(model.shares().is_sorted_by(|a, b| a >= b));
        let posteriors = model.posteriors(&data, None, &quiet()).unwrap();
        prop_assert!(posteriors.rows().into_iter().all(|row| close(row.sum(), 1.0, 1e-12)));
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let categories = [4, 3, 5, 2];
    let data = mixed(&answers(10_000, &categories, 0.1, 3), &categories);
    let mut rng = Rng::stream(1, Stage::Weights, 0);
    let numbers = Array2::from_shape_fn((10_000, 1), |_| rng.uniform());
    let covariates = Mixed::new(numbers.view(), Array2::zeros((10_000, 0)).view(), &[]).unwrap();
    for covariates in [None, Some(&covariates)] {
        let found: Vec<String> = [1, 2, 8]
            .into_iter()
            .map(|threads| {
                set_num_threads(threads);
                let params = LatentClass { n_init: 2, max_iter: 8, ..LatentClass::new(3) };
                to_json(&params.fit(&data, covariates, None, &quiet()).unwrap()).unwrap()
            })
            .collect();
        set_num_threads(0);
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn linfa_takes_codes_in_an_array() {
    let categories = [3, 2, 4];
    let codes = answers(200, &categories, 0.0, 5);
    let rows = codes.mapv(f64::from);
    let params = LatentClass { n_init: 2, max_iter: 50, ..LatentClass::new(2) };
    let model = Fit::fit(&params, &DatasetBase::from(rows.clone())).unwrap();
    let labels: Array1<usize> = Predict::predict(&model, &rows);
    assert!(labels.iter().zip(model.labels()).all(|(&a, &b)| a == b as usize));
    let straight = params.fit(&mixed(&codes, &categories), None, None, &quiet()).unwrap();
    assert_eq!(straight.statistics(), model.statistics());
}

#[test]
fn a_model_with_missing_figures_equals_itself_and_no_other() {
    let categories = [3, 2];
    let fit = |missing, seed| {
        let data = mixed(&answers(40, &categories, missing, seed), &categories);
        LatentClass::new(1).fit(&data, None, None, &quiet()).unwrap()
    };
    for missing in [0.0, 0.3] {
        let model = fit(missing, 1);
        assert!(model.statistics().relative_entropy().is_nan());
        assert_eq!(model.statistics().g2().is_nan(), missing > 0.0);
        assert_eq!(model, model.clone());
        assert_ne!(model, fit(missing, 2));
    }
}

#[test]
fn a_hostile_file_is_refused() {
    let categories = [2, 2];
    let data = mixed(&answers(50, &categories, 0.0, 5), &categories);
    let params = LatentClass { n_init: 1, max_iter: 5, ..LatentClass::new(2) };
    let text = to_json(&params.fit(&data, None, None, &quiet()).unwrap()).unwrap();
    for (from, to) in [
        ("\"n_classes\":2", "\"n_classes\":3"),
        ("\"n_classes\":2", "\"n_classes\":99999999999"),
        ("\"shares\":[", "\"shares\":[0.5,"),
        ("\"scores\":[null,", "\"scores\":["),
        ("\"coefficients\":[]", "\"coefficients\":[1.0]"),
    ] {
        let bad = text.replacen(from, to, 1);
        assert_ne!(bad, text, "{from}");
        assert!(from_json::<LatentClassModel>(&bad).is_err(), "{from}");
    }
}

#[test]
fn the_bootstrap_finds_two_classes_and_no_third() {
    let categories = [2, 3, 2, 3];
    let mut rng = Rng::stream(7, Stage::Reference, 0);
    let codes = Array2::from_shape_fn((400, 4), |(row, item)| {
        let turned = rng.uniform() < 0.2;
        let high = (row % 2 == 0) != turned;
        if high { categories[item] - 1 } else { rng.below(2) as u32 }
    });
    let data = mixed(&codes, &categories);
    let test = |k: usize| {
        let params =
            LatentClass { n_init: 4, max_iter: 200, tolerance: 1e-7, ..LatentClass::new(k) };
        params.bootstrap_test(&data, None, None, 39, &quiet()).unwrap()
    };
    set_num_threads(1);
    let two = test(2);
    set_num_threads(2);
    assert_eq!(test(2), two);
    set_num_threads(0);
    assert!(two.p_value <= 0.05, "{two:?}");
    assert!(two.replicates.iter().all(|&ratio| ratio >= 0.0));
    let three = test(3);
    assert!(three.p_value > 0.05, "{three:?}");
    let larger = three.replicates.iter().filter(|&&ratio| ratio >= three.statistic).count();
    assert!(close(three.p_value, (1 + larger) as f64 / 40.0, 1e-15));
}

#[test]
fn the_bootstrap_refuses_what_it_cannot_draw() {
    let categories = [2, 2];
    let data = mixed(&answers(50, &categories, 0.0, 5), &categories);
    let params = LatentClass::new(2);
    let error = params.bootstrap_test(&data, None, Some(&[0.5; 50]), 9, &quiet()).unwrap_err();
    assert!(error.to_string().contains("whole numbers are needed"), "{error}");
    assert!(LatentClass::new(1).bootstrap_test(&data, None, None, 9, &quiet()).is_err());
    assert!(params.bootstrap_test(&data, None, None, 0, &quiet()).is_err());
}
