//! Laws of k-modes, and of k-prototypes with gammas and ranks.

use ilk::Error;
use ilk::cluster::{
    Attribute, Gamma, KModes, KModesModel, KPrototypes, KPrototypesModel, Mixed, MixedStart,
};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::{MISSING, Table, UNSEEN};
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;

fn quiet() -> Monitor {
    Monitor::new()
}

/// Codes in overlapping groups, a tenth of them missing if there are to be holes; the first row is whole.
fn answers(n: usize, m: usize, categories: usize, holes: bool, seed: u64) -> Array2<u32> {
    let mut rng = Rng::stream(seed, Stage::Reference, 2);
    Array2::from_shape_fn((n, m), |(row, column)| {
        if holes && row > 0 && rng.below(10) == 0 {
            MISSING
        } else if rng.below(2) == 0 {
            ((row % 3 + column) % categories) as u32
        } else {
            rng.below(categories) as u32
        }
    })
}

fn given(modes: Array2<u32>) -> MixedStart {
    MixedStart::Given(Array2::zeros((modes.nrows(), 0)), modes)
}

fn differing(codes: &Array2<u32>, row: usize, modes: &Array2<u32>, cluster: usize) -> usize {
    let pairs = codes.row(row).into_iter().zip(modes.row(cluster));
    pairs.filter(|(code, mode)| **code != MISSING && code != mode).count()
}

/// k-modes as one would write it on a blackboard: modes, labels, cost, and whether it settled; none where a cluster loses its
/// rows.
fn blackboard(
    codes: &Array2<u32>,
    weights: &[f64],
    start: &Array2<u32>,
    categories: usize,
    steps: usize,
) -> Option<(Array2<u32>, Vec<usize>, f64, bool)> {
    let (n, m) = codes.dim();
    let k = start.nrows();
    let mut modes = start.clone();
    let assign = |modes: &Array2<u32>| -> (Vec<usize>, f64) {
        let nearest = |row| (0..k).min_by_key(|&c| (differing(codes, row, modes, c), c)).unwrap();
        let labels: Vec<usize> = (0..n).map(nearest).collect();
        let cost =
            (0..n).map(|row| weights[row] * differing(codes, row, modes, labels[row]) as f64);
        let cost = cost.sum();
        (labels, cost)
    };
    let mut before = (Vec::new(), f64::INFINITY);
    let mut settled = false;
    for _ in 0..steps {
        let (labels, cost) = assign(&modes);
        for cluster in 0..k {
            if !labels.contains(&cluster) {
                return None;
            }
            for column in 0..m {
                let mut counts = vec![0.0; categories];
                for row in (0..n).filter(|&row| labels[row] == cluster) {
                    if let Some(count) = counts.get_mut(codes[(row, column)] as usize) {
                        *count += weights[row];
                    }
                }
                let most = counts.iter().copied().fold(0.0, f64::max);
                if most > 0.0 {
                    let mode = counts.iter().position(|&count| count == most).unwrap();
                    modes[(cluster, column)] = mode as u32;
                }
            }
        }
        settled = labels == before.0 || cost >= before.1;
        if settled {
            break;
        }
        before = (labels, cost);
    }
    let (labels, cost) = assign(&modes);
    Some((modes, labels, cost, settled))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn k_modes_is_huangs_algorithm(
        n in prop_oneof![8usize..600, 4097usize..4400],
        (m, k) in (1usize..8, 1usize..8),
        categories in prop_oneof![2usize..6, Just(300usize)],
        (seed, holes, steps) in (any::<u64>(), any::<bool>(), 1usize..9),
        weighted in 0usize..3,
    ) {
        let codes = answers(n, m, categories, holes, seed);
        let start = codes.select(Axis(0), &(0..k).collect::<Vec<_>>()).mapv(|c| if c == MISSING { 0 } else { c });
        // Quarters are exact, thirds are not, so that counts take either way.
        let weight = |row: usize| match weighted {
            0 => 1.0,
            1 => (1 + row % 3) as f64,
            _ => 0.25 * (1 + row % 5) as f64,
        };
        let weights: Vec<f64> = (0..n).map(weight).collect();
        let expected = blackboard(&codes, &weights, &start, categories, steps);
        prop_assume!(expected.is_some());
        let (modes, labels, cost, settled) = expected.unwrap();
        let numbers = Array2::zeros((n, 0));
        let data = Mixed::new(numbers.view(), codes.view(), &vec![categories as u32; m]).unwrap();
        let params = KModes { start: given(start), max_iter: steps, ..KModes::new(k) };
        let model = params.fit(&data, (weighted > 0).then_some(&weights), &quiet()).unwrap();
        if settled && n <= 4096 {
            // Then single rows have moved too.
            prop_assert!(model.cost() <= cost, "{} {cost}", model.cost());
        } else {
            let found: Vec<usize> = model.labels().iter().map(|&label| label as usize).collect();
            prop_assert_eq!(found, labels);
            prop_assert_eq!(model.modes(), modes);
            prop_assert_eq!(model.cost(), cost);
        }
        let sizes: Vec<f64> = (0..k)
            .map(|cluster| (0..n).filter(|&row| model.labels()[row] as usize == cluster).map(weight).sum())
            .collect();
        prop_assert_eq!(model.weights(), sizes);
    }

    #[test]
    fn every_start_ends_where_no_step_helps(
        (n, m, k) in (6usize..80, 1usize..6, 1usize..7), (seed, holes) in (any::<u64>(), any::<bool>()),
        way in 0usize..4,
    ) {
        let codes = answers(n, m, 4, holes, seed);
        let data = Mixed::from_codes(codes.view()).unwrap();
        let start =
            [MixedStart::PlusPlus, MixedStart::Cao, MixedStart::Huang, MixedStart::Random][way].clone();
        let model = KModes { start, seed, ..KModes::new(k) }.fit(&data, None, &quiet()).unwrap();
        let modes = model.modes().to_owned();
        let mut cost = 0;
        for row in 0..n {
            let costs: Vec<usize> = (0..k).map(|c| differing(&codes, row, &modes, c)).collect();
            let least = costs.iter().min().unwrap();
            prop_assert_eq!(costs.iter().position(|c| c == least), Some(model.labels()[row] as usize));
            cost += least;
        }
        prop_assert_eq!(model.cost(), cost as f64);
        prop_assert!(model.weights().is_sorted_by(|a, b| a >= b));
        prop_assert_eq!(model.predict(&data, &quiet()).unwrap(), model.labels());
        prop_assert_eq!(model.cost_of(&data, None, &quiet()).unwrap(), model.cost());
        let distances = model.distances(&data, &quiet()).unwrap();
        for ((row, cluster), &distance) in distances.indexed_iter() {
            prop_assert_eq!(distance, differing(&codes, row, &modes, cluster) as f64);
        }
    }

    #[test]
    fn rows_may_be_permuted_repeated_or_weighted(
        n in 12usize..60, seed in any::<u64>(), holes in any::<bool>(), way in 0usize..4,
    ) {
        let codes = answers(n, 4, 3, holes, seed);
        let start =
            [MixedStart::PlusPlus, MixedStart::Cao, MixedStart::Huang, MixedStart::Random][way].clone();
        let params = KModes { seed, n_init: 2, start, ..KModes::new(3) };
        let mut rng = Rng::stream(seed, Stage::Sample, 1);
        let weights: Vec<f64> = (0..n).map(|row| if row < 9 { 1 } else { rng.below(4) } as f64).collect();
        let numbers = |n| Array2::zeros((n, 0));
        let data = Mixed::new(numbers(n).view(), codes.view(), &[3; 4]).unwrap();
        let weighted = params.fit(&data, Some(&weights), &quiet()).unwrap();
        let repeated: Vec<usize> =
            (0..n).rev().flat_map(|row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        let again = codes.select(Axis(0), &repeated);
        let again = Mixed::new(numbers(repeated.len()).view(), again.view(), &[3; 4]).unwrap();
        let model = params.fit(&again, None, &quiet()).unwrap();
        prop_assert_eq!(model.cost(), weighted.cost());
        prop_assert_eq!(model.modes(), weighted.modes());
        let labels: Vec<u32> = repeated.iter().map(|&row| weighted.labels()[row]).collect();
        prop_assert_eq!(model.labels(), labels);
    }

    #[test]
    fn columns_may_be_permuted_and_a_constant_one_changes_nothing(
        n in 10usize..300, m in 3usize..6, k in 1usize..6, seed in any::<u64>(),
    ) {
        let codes = answers(n, m, 4, true, seed);
        // Where single rows move, they do so in an order that is not that of the columns turned round.
        let many = answers(4097 + n, m, 4, true, seed);
        let params = KModes { seed, n_init: 3, ..KModes::new(k) };
        let model = params.fit(&Mixed::from_codes(codes.view()).unwrap(), None, &quiet()).unwrap();
        let constant = Array2::from_elem((n, 1), 2);
        let wider = ndarray::concatenate(Axis(1), &[constant.view(), codes.view()]).unwrap();
        let other = params.fit(&Mixed::from_codes(wider.view()).unwrap(), None, &quiet()).unwrap();
        prop_assert_eq!((model.labels(), model.cost()), (other.labels(), other.cost()));

        let start = many.select(Axis(0), &(0..k).collect::<Vec<_>>()).mapv(|c| if c == MISSING { 1 } else { c });
        // Nor are clusters without rows mended alike.
        prop_assume!(blackboard(&many, &vec![1.0; 4097 + n], &start, 4, 300).is_some());
        let order: Vec<usize> = (0..m).rev().collect();
        let fit = |codes: &Array2<u32>, start: &Array2<u32>| {
            let numbers = Array2::zeros((codes.nrows(), 0));
            let data = Mixed::new(numbers.view(), codes.view(), &vec![4; m]).unwrap();
            KModes { start: given(start.clone()), ..KModes::new(k) }.fit(&data, None, &quiet()).unwrap()
        };
        let model = fit(&many, &start);
        let other = fit(&many.select(Axis(1), &order), &start.select(Axis(1), &order));
        prop_assert_eq!(model.labels(), other.labels());
        prop_assert_eq!(model.cost(), other.cost());
    }

    #[test]
    fn saved_models_come_back_equal_and_hostile_ones_do_not(seed in any::<u64>(), at in any::<prop::sample::Index>()) {
        let data = Mixed::from_codes(answers(30, 3, 4, true, seed).view()).unwrap();
        let model = KModes { seed, ..KModes::new(3) }.fit(&data, None, &quiet()).unwrap();
        let text = to_json(&model).unwrap();
        prop_assert_eq!(&from_json::<KModesModel>(&text).unwrap(), &model);
        prop_assert!(from_json::<KPrototypesModel>(&text).is_err());
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = b'9';
        if let Ok(model) = from_json::<KModesModel>(&String::from_utf8(bytes).unwrap()) {
            prop_assert!(model.predict(&data, &quiet()).is_ok());
        }
    }

    #[test]
    fn a_gamma_for_each_column_is_what_a_mismatch_costs(
        (n, k) in (8usize..60, 1usize..5), seed in any::<u64>(), gammas in prop::collection::vec(0.0..4.0f64, 3),
    ) {
        let codes = answers(n, 3, 3, true, seed);
        let data = Mixed::from_codes(codes.view()).unwrap();
        let params = KPrototypes { gamma: Gamma::Each(gammas.clone()), seed, ..KPrototypes::new(k) };
        let model = params.fit(&data, None, &quiet()).unwrap();
        let modes = model.modes();
        let cost: f64 = (0..n)
            .map(|row| {
                let of = |cluster: usize| -> f64 {
                    (0..3)
                        .filter(|&a| codes[(row, a)] != MISSING && codes[(row, a)] != modes[(cluster, a)])
                        .map(|a| gammas[a])
                        .sum()
                };
                let costs: Vec<f64> = (0..k).map(of).collect();
                costs.into_iter().fold(f64::INFINITY, f64::min)
            })
            .sum();
        prop_assert!((model.cost() - cost).abs() < 1e-9, "{} {cost}", model.cost());
    }

    #[test]
    fn ranks_are_numbers_between_0_and_1_times_the_root_of_gamma(
        n in 8usize..60, seed in any::<u64>(), gamma in 0.1..9.0f64,
    ) {
        let mut rng = Rng::stream(seed, Stage::Reference, 3);
        let sizes = ["s", "m", "l", "xl"];
        let codes: Vec<usize> = (0..n).map(|row| (row % 2) * 2 + rng.below(2)).collect();
        let spend: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
        let table = Table::builder()
            .float("spend", spend.iter().copied())
            .text("size", codes.iter().map(|&code| sizes[code]))
            .finish()
            .unwrap();
        let order = Attribute { name: "size".into(), categories: sizes.map(String::from).to_vec() };
        let data = Mixed::from_table(&table, &["spend".into()], &[], &[order]).unwrap();
        let params = KPrototypes { gamma: Gamma::Same(gamma), seed, ..KPrototypes::new(2) };
        let model = params.fit(&data, None, &quiet()).unwrap();
        let numbers = Array2::from_shape_fn((n, 2), |(row, column)| {
            if column == 0 { spend[row] } else { codes[row] as f64 / 3.0 * gamma.sqrt() }
        });
        let plain = Mixed::new(numbers.view(), Array2::zeros((n, 0)).view(), &[]).unwrap();
        let expected = params.fit(&plain, None, &quiet()).unwrap();
        prop_assert_eq!(model.labels(), expected.labels());
        prop_assert!((model.cost() - expected.cost()).abs() < 1e-9);
        for cluster in 0..2 {
            let mean = expected.centres()[(cluster, 1)] / gamma.sqrt();
            prop_assert!((model.centres()[(cluster, 1)] - mean).abs() < 1e-9);
        }
        let (again, unseen) = Mixed::like(&table, model.columns()).unwrap();
        prop_assert!(unseen.is_empty());
        prop_assert_eq!(model.predict(&again, &quiet()).unwrap(), model.labels());
        prop_assert_eq!(&from_json::<KPrototypesModel>(&to_json(&model).unwrap()).unwrap(), &model);
    }
}

#[test]
fn results_have_the_same_bits_for_any_number_of_threads() {
    let data = Mixed::from_codes(answers(30_000, 6, 5, true, 5).view()).unwrap();
    let weights: Vec<f64> = (0..30_000).map(|row| 0.1 + (row % 7) as f64).collect();
    let all: Vec<_> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            let params = KModes { n_init: 2, ..KModes::new(4) };
            [None, Some(weights.as_slice())].map(|w| params.fit(&data, w, &quiet()).unwrap())
        })
        .collect();
    set_num_threads(0);
    assert!(all[0] == all[1] && all[1] == all[2]);
}

#[test]
fn more_categories_than_two_bytes_hold() {
    // 65,537 different values beside two groups that tell the rows apart.
    let n = 65_537;
    let codes = Array2::from_shape_fn((n, 3), |(row, column)| {
        if column == 0 { row as u32 } else { u32::from(row % 3 == 0) }
    });
    let data = Mixed::from_codes(codes.view()).unwrap();
    let start = array![[1, 0, 0], [0, 1, 1]];
    let model =
        KModes { start: given(start), ..KModes::new(2) }.fit(&data, None, &quiet()).unwrap();
    assert!((0..n).all(|row| model.labels()[row] == u32::from(row % 3 == 0)));
    assert_eq!(model.cost(), (n - 2) as f64);
}

#[test]
fn more_clusters_than_a_byte_holds() {
    let codes = Array2::from_shape_fn((900, 2), |(row, column)| {
        (if column == 0 { row % 30 } else { row / 30 }) as u32
    });
    let data = Mixed::from_codes(codes.view()).unwrap();
    let start = MixedStart::Random;
    let model = KModes { start, n_init: 1, ..KModes::new(900) }.fit(&data, None, &quiet()).unwrap();
    assert_eq!((model.n_found(), model.cost()), (900, 0.0));
}

#[test]
fn fewer_different_rows_than_clusters_leaves_clusters_without_rows() {
    let codes = array![[1, 2], [1, 2], [3, 4], [1, 2]];
    let data = Mixed::from_codes(codes.view()).unwrap();
    for start in [MixedStart::PlusPlus, MixedStart::Random, MixedStart::Huang, MixedStart::Cao] {
        let model = KModes { start, ..KModes::new(4) }.fit(&data, None, &quiet()).unwrap();
        assert_eq!((model.n_found(), model.cost()), (2, 0.0));
        assert_eq!(model.labels(), [0, 0, 1, 0]);
    }
}

#[test]
fn unseen_and_missing_values() {
    let codes = array![[0, 0], [0, 0], [1, 1], [1, 1], [0, MISSING]];
    let data = Mixed::from_codes(codes.view()).unwrap();
    let model = KModes::new(2).fit(&data, None, &quiet()).unwrap();
    assert_eq!((model.labels(), model.cost()), (&[0, 0, 1, 1, 0][..], 0.0));
    let new = array![[UNSEEN, 1], [UNSEEN, UNSEEN], [MISSING, MISSING]];
    let numbers = Array2::zeros((3, 0));
    let new = Mixed::new(numbers.view(), new.view(), &[2, 2]).unwrap();
    assert_eq!(model.predict(&new, &quiet()).unwrap(), [1, 0, 0]);
    let distances = model.distances(&new, &quiet()).unwrap();
    assert_eq!(distances, array![[2.0, 1.0], [2.0, 2.0], [0.0, 0.0]]);
}

#[test]
fn numbers_and_columns_without_values_are_refused() {
    let numbers = array![[1.0], [2.0]];
    let data = Mixed::new(numbers.view(), array![[0], [1]].view(), &[2]).unwrap();
    let error = KModes::new(1).fit(&data, None, &quiet()).unwrap_err();
    assert!(error.to_string().contains("k-modes takes categories alone"), "{error}");
    let data = Mixed::from_codes(array![[0, MISSING], [1, MISSING]].view()).unwrap();
    let error = KModes::new(1).fit(&data, None, &quiet()).unwrap_err();
    assert!(error.to_string().contains("\"x1\": found no value"), "{error}");
    let error = Mixed::from_codes(array![[1 << 30]].view()).unwrap_err();
    assert!(error.to_string().contains("\"x0\", row 0"), "{error}");
    let monitor = quiet();
    monitor.stop();
    let data = Mixed::from_codes(answers(50, 2, 3, false, 1).view()).unwrap();
    assert_eq!(KModes::new(2).fit(&data, None, &monitor), Err(Error::Interrupted));
}

#[test]
fn gamma_by_variance_lets_every_column_weigh_the_same() {
    // Variances 1 and 4; the shares of the categories are 1/2 1/2 and 1/4 3/4; one column is constant.
    let numbers = array![[1.0, 2.0], [1.0, -2.0], [-1.0, 2.0], [-1.0, -2.0]];
    let codes = array![[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 0]];
    let data = Mixed::new(numbers.view(), codes.view(), &[2, 2, 1]).unwrap();
    let gamma = |gamma| {
        let model =
            KPrototypes { gamma, ..KPrototypes::new(2) }.fit(&data, None, &quiet()).unwrap();
        model.gamma().to_vec()
    };
    assert_eq!(gamma(Gamma::Auto), [0.75; 3]);
    let found = gamma(Gamma::Variance);
    for (found, expected) in found.iter().zip([2.5 / 0.5, 2.5 / 0.375, 0.0]) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn a_constant_numeric_column_does_not_change_gamma() {
    let one = array![[0.0], [1.0], [5.0], [6.0]];
    let two = array![[0.0, 0.1], [1.0, 0.1], [5.0, 0.1], [6.0, 0.1]];
    let codes = array![[0], [0], [1], [1]];
    let [one, two] = [one, two].map(|numbers| {
        let data = Mixed::new(numbers.view(), codes.view(), &[2]).unwrap();
        KPrototypes::new(2).fit(&data, None, &quiet()).unwrap()
    });
    assert_eq!((one.gamma(), one.labels()), (two.gamma(), two.labels()));
}

#[test]
fn an_order_must_be_known() {
    let table = Table::builder().text("size", ["s", "m"]).finish().unwrap();
    let fit = |categories: &[&str]| {
        let categories = categories.iter().map(|&c| c.to_owned()).collect();
        let order = Attribute { name: "size".into(), categories };
        Mixed::from_table(&table, &[], &[], &[order]).map(|_| ()).unwrap_err().to_string()
    };
    assert!(fit(&[]).contains("have no order"), "{}", fit(&[]));
    assert!(fit(&["s", "l"]).contains("row 1: found \"m\""), "{}", fit(&["s", "l"]));
}

#[test]
fn linfa_fits_and_predicts() {
    let codes = answers(200, 3, 4, false, 7);
    let data = DatasetBase::from(codes.clone()).with_weights(Array1::from_elem(200, 2.0f32));
    let model: KModesModel = Fit::fit(&KModes::new(3), &data).unwrap();
    let labels: Array1<usize> = Predict::predict(&model, &codes);
    assert!(labels.iter().zip(model.labels()).all(|(a, b)| *a == *b as usize));
    assert_eq!(model.weights().iter().sum::<f64>(), 400.0);
}
