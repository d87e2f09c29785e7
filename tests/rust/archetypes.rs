//! Laws of archetypal analysis.

use ilk::Error;
use ilk::cluster::{Archetypes, ArchetypesModel};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use linfa::DatasetBase;
use ndarray::{Array2, ArrayView2, Axis, array, concatenate};
use proptest::prelude::*;

fn quiet() -> Monitor {
    Monitor::new()
}

/// Rows within a simplex whose corners are the first rows.
fn simplex(n: usize, corners: &Array2<f64>, seed: u64) -> Array2<f64> {
    let mut rng = Rng::stream(seed, Stage::Reference, 0);
    let k = corners.nrows();
    let inner = Array2::from_shape_fn((n, k), |_| rng.exponential());
    let shares = &inner / &inner.sum_axis(Axis(1)).insert_axis(Axis(1));
    concatenate![Axis(0), *corners, shares.dot(corners)]
}

fn rows(n: usize, d: usize, grid: bool, seed: u64) -> Array2<f64> {
    let mut rng = Rng::stream(seed, Stage::Reference, 1);
    let round = |value: f64| if grid { value.round() } else { value };
    Array2::from_shape_fn((n, d), |_| round(8.0 * rng.uniform() - 4.0))
}

fn fit(params: &Archetypes, rows: &Array2<f64>) -> ArchetypesModel {
    params.fit(rows.view(), None, &quiet()).unwrap()
}

fn sorted(rows: ArrayView2<'_, f64>) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = rows.outer_iter().map(|row| row.to_vec()).collect();
    rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
    rows
}

/// Onto the simplex, by sorting.
fn onto_simplex(values: &mut [f64]) {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut level) = (0.0, 0.0);
    for (count, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - 1.0) / (count + 1) as f64;
        if value > &candidate {
            level = candidate;
        }
    }
    values.iter_mut().for_each(|value| *value = (*value - level).max(0.0));
}

/// The sum of squares that projected gradient descent reaches from a model's own shares and mixtures.
fn descend(rows: &Array2<f64>, model: &ArchetypesModel, steps: usize) -> f64 {
    let mut shares = model.shares().to_owned();
    let mut mixtures = Array2::<f64>::zeros((model.mixtures().len(), rows.nrows()));
    for (at, mixture) in model.mixtures().iter().enumerate() {
        mixture.iter().for_each(|&(row, share)| mixtures[(at, row as usize)] = share);
    }
    let size = rows.mapv(|x| x * x).sum().max(1.0);
    for _ in 0..steps {
        let archetypes = mixtures.dot(rows);
        let residual = shares.dot(&archetypes) - rows;
        let step = 1.0 / archetypes.mapv(|x| x * x).sum().max(1e-9);
        shares = &shares - &(residual.dot(&archetypes.t()) * step);
        shares.outer_iter_mut().for_each(|mut line| onto_simplex(line.as_slice_mut().unwrap()));
        let residual = shares.dot(&archetypes) - rows;
        let slope = shares.t().dot(&residual).dot(&rows.t());
        let step = 1.0 / (size * shares.mapv(|x| x * x).sum().max(1e-9));
        mixtures = &mixtures - &(slope * step);
        mixtures.outer_iter_mut().for_each(|mut line| onto_simplex(line.as_slice_mut().unwrap()));
    }
    (shares.dot(&mixtures.dot(rows)) - rows).mapv(|x| x * x).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_corners_of_a_simplex_are_its_archetypes(k in 2_usize..6, extra in 0_usize..3, n in 0_usize..80, seed in 0_u64..10_000) {
        let d = k - 1 + extra;
        // Edges of about one length: the flatter a simplex, the more iterations it takes.
        let edges = Array2::from_shape_fn((k, d), |(at, j)| if at == j { 6.0 } else { 0.0 });
        let corners = edges + rows(k, d, false, seed) / 8.0;
        let data = simplex(n, &corners, seed);
        let model = fit(&Archetypes { n_init: 10, ..Archetypes::new(k) }, &data);
        prop_assert!(model.explained() > 1.0 - 1e-9, "{}", model.explained());
        for (found, wanted) in sorted(model.archetypes()).iter().zip(sorted(corners.view())) {
            for (found, wanted) in found.iter().zip(wanted) {
                prop_assert!((found - wanted).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_model_is_a_mixture_of_mixtures_whose_squares_never_rise(
        n in 1_usize..120, d in 1_usize..5, k in 1_usize..7, grid in any::<bool>(), seed in 0_u64..10_000,
    ) {
        let data = rows(n, d, grid, seed);
        let k = k.min(n);
        let model = fit(&Archetypes { seed, n_init: 2, ..Archetypes::new(k) }, &data);
        for pair in model.history().windows(2) {
            prop_assert!(pair[1] <= pair[0] * (1.0 + 1e-12) + 1e-20, "{:?}", model.history());
        }
        for shares in model.shares().outer_iter() {
            prop_assert!(shares.iter().all(|share| *share >= 0.0));
            prop_assert!((shares.sum() - 1.0).abs() < 1e-9);
        }
        for (mixture, archetype) in model.mixtures().iter().zip(model.archetypes().outer_iter()) {
            let total: f64 = mixture.iter().map(|(_, share)| share).sum();
            prop_assert!((total - 1.0).abs() < 1e-9);
            prop_assert!(mixture.len() <= d + 1);
            for j in 0..d {
                let value: f64 = mixture.iter().map(|&(row, share)| share * data[(row as usize, j)]).sum();
                prop_assert!((value - archetype[j]).abs() < 1e-9);
            }
        }
        let left = model.shares().dot(&model.archetypes()) - &data;
        let rss = left.mapv(|x| x * x).sum();
        prop_assert!((rss - model.rss()).abs() < 1e-9 * (1.0 + rss));
        prop_assert!(model.rss() <= model.history().last().unwrap() * (1.0 + 1e-9) + 1e-9);
        prop_assert!(model.weights().windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert_eq!(model.transform(data.view()).unwrap(), model.shares());
        prop_assert_eq!(model.predict(data.view()).unwrap(), model.labels());
        let back: ArchetypesModel = from_json(&to_json(&model).unwrap()).unwrap();
        prop_assert_eq!(back, model);
    }

    #[test]
    fn a_weight_of_two_is_two_rows(n in 3_usize..60, d in 1_usize..4, seed in 0_u64..10_000) {
        let data = rows(n, d, false, seed);
        let weights: Vec<f64> = (0..n).map(|row| ((row + 1) % 3) as f64).collect();
        let copies: Vec<usize> =
            (0..n).flat_map(|row| std::iter::repeat_n(row, (row + 1) % 3)).collect();
        let repeated = data.select(Axis(0), &copies);
        let params = Archetypes { n_init: 20, tolerance: 1e-10, max_iter: 3000, ..Archetypes::new(2) };
        let weighted = params.fit(data.view(), Some(&weights), &quiet()).unwrap();
        let repeated = fit(&params, &repeated);
        prop_assert!((weighted.rss() - repeated.rss()).abs() <= 0.02 * (1e-9 + repeated.rss()));
        // Rows of weight 0 are in no mixture.
        let used = weighted.mixtures().iter().flatten();
        prop_assert!(used.into_iter().all(|&(row, _)| weights[row as usize] > 0.0));
    }
}

#[test]
fn gradient_descent_finds_nothing_better_nearby() {
    for seed in 0..12 {
        let data = rows(40, 2 + seed as usize % 3, false, seed);
        let params =
            Archetypes { n_init: 1, tolerance: 1e-12, max_iter: 5_000, ..Archetypes::new(3) };
        let model = fit(&params, &data);
        let descended = descend(&data, &model, 2_000);
        assert!(descended >= model.rss() * (1.0 - 1e-4), "{descended} {}", model.rss());
    }
}

#[test]
fn one_archetype_is_the_mean() {
    let data = rows(200, 3, false, 1);
    let model = fit(&Archetypes::new(1), &data);
    let mean = data.mean_axis(Axis(0)).unwrap();
    assert!((&model.archetypes().row(0) - &mean).iter().all(|difference| difference.abs() < 1e-5));
    assert!(model.explained().abs() < 1e-9);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let data = rows(9_000, 4, false, 2);
    let params = Archetypes { n_init: 2, max_iter: 20, ..Archetypes::new(5) };
    let fitted: Vec<ArchetypesModel> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            fit(&params, &data)
        })
        .collect();
    set_num_threads(0);
    assert!(fitted.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn degenerate_rows_end_in_an_answer() {
    let same = Array2::from_elem((30, 2), 4.0);
    let model = fit(&Archetypes::new(3), &same);
    assert_eq!(model.n_found(), 1);
    assert_eq!((model.rss(), model.explained()), (0.0, 1.0));
    assert_eq!(model.archetypes(), Array2::from_elem((3, 2), 4.0));
    assert_eq!(fit(&Archetypes::new(1), &array![[7.0]]).labels(), [0]);
    let two = Array2::from_shape_fn((20, 3), |(row, _)| (row % 2) as f64);
    let model = fit(&Archetypes::new(4), &two);
    assert_eq!((model.n_found(), model.rss()), (2, 0.0));
    let far = rows(50, 2, false, 3) * 1e140;
    let model = fit(&Archetypes::new(3), &far);
    assert!(model.rss().is_finite() && model.explained() > 0.5);
}

#[test]
fn what_is_not_allowed_is_named() {
    let data = rows(10, 2, false, 4);
    let refused =
        |params: Archetypes| params.fit(data.view(), None, &quiet()).unwrap_err().to_string();
    assert!(refused(Archetypes::new(0)).contains("n_archetypes"));
    assert!(refused(Archetypes::new(11)).contains("n_archetypes=11 needs at least 11 rows"));
    assert!(refused(Archetypes { n_init: 0, ..Archetypes::new(2) }).contains("n_init"));
    assert!(refused(Archetypes { max_iter: 0, ..Archetypes::new(2) }).contains("max_iter"));
    assert!(refused(Archetypes { tolerance: f64::NAN, ..Archetypes::new(2) }).contains("tol"));
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let mut data = data.clone();
        data[[7, 1]] = bad;
        let error = Archetypes::new(2).fit(data.view(), None, &quiet()).unwrap_err();
        assert!(matches!(error, Error::BadValue { row: 7, ref column, .. } if column == "x1"));
    }
}

#[test]
fn linfa_fits_the_same_model() {
    let data = rows(60, 2, false, 5);
    let dataset = DatasetBase::from(data.clone());
    let params = Archetypes::new(3);
    assert_eq!(linfa::traits::Fit::fit(&params, &dataset).unwrap(), fit(&params, &data));
}
