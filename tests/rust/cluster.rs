//! Laws of the clusters: what must hold whatever the data.

use ilk::Error;
use ilk::cluster::{
    Gamma, KMeans, KMeansModel, KPrototypes, KPrototypesModel, MiniBatch, Mixed, MixedStart, Start,
};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::MISSING;
use linfa::DatasetBase;
use linfa::traits::{Fit, FitWith, Predict};
use ndarray::{Array1, Array2, ArrayView2, Axis, array};
use proptest::prelude::*;

fn blobs(n: usize, d: usize, k: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::stream(seed, Stage::Reference, 0);
    Array2::from_shape_fn((n, d), |(row, column)| {
        let spread: f64 = (0..4).map(|_| rng.uniform() - 0.5).sum();
        ((row % k) * (column + 1) % 7) as f64 + spread
    })
}

fn quiet() -> Monitor {
    Monitor::new()
}

/// Lloyd's algorithm as one would write it on a blackboard: centres, labels, inertia.
fn lloyd(
    rows: ArrayView2<'_, f64>,
    start: &Array2<f64>,
    steps: usize,
) -> (Array2<f64>, Vec<u32>, f64) {
    let nearest = |centres: &Array2<f64>| -> (Vec<u32>, f64) {
        let mut inertia = 0.0;
        let labels = rows
            .axis_iter(Axis(0))
            .map(|row| {
                let distances: Vec<f64> = centres
                    .axis_iter(Axis(0))
                    .map(|centre| (&row - &centre).mapv(|x| x * x).sum())
                    .collect();
                let best = (0..distances.len())
                    .reduce(|a, b| if distances[b] < distances[a] { b } else { a })
                    .unwrap();
                inertia += distances[best];
                best as u32
            })
            .collect();
        (labels, inertia)
    };
    let mut centres = start.clone();
    for _ in 0..steps {
        let (labels, _) = nearest(&centres);
        for cluster in 0..centres.nrows() {
            let members: Vec<usize> =
                (0..rows.nrows()).filter(|&row| labels[row] as usize == cluster).collect();
            if let Some(mean) = rows.select(Axis(0), &members).mean_axis(Axis(0)) {
                centres.row_mut(cluster).assign(&mean);
            }
        }
    }
    let (labels, inertia) = nearest(&centres);
    (centres, labels, inertia)
}

fn from_start(start: Array2<f64>, max_iter: usize) -> KMeans<f64> {
    let k = start.nrows();
    KMeans { start: Start::Given(start), max_iter, tolerance: 0.0, ..KMeans::new(k) }
}

/// What segments of mixed rows cost, by the definition: squares around the means, and what is not the mode.
fn cost_by_definition(
    (numbers, codes): (&Array2<f64>, &Array2<u32>),
    weights: &[f64],
    labels: &[u32],
    gamma: &[f64],
) -> f64 {
    let clusters = 0..=labels.iter().copied().max().unwrap_or(0);
    let of_cluster = |cluster: u32| {
        let members: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == cluster).collect();
        let around_mean = numbers.columns().into_iter().map(|column| {
            let known = || members.iter().filter(|&&row| !column[row].is_nan());
            let total: f64 = known().map(|&row| weights[row]).sum();
            let mean = known().map(|&row| weights[row] * column[row]).sum::<f64>() / total;
            known().map(|&row| weights[row] * (column[row] - mean).powi(2)).sum::<f64>()
        });
        let beside_mode = codes.columns().into_iter().zip(gamma).map(|(column, gamma)| {
            let known = || members.iter().filter(|&&row| column[row] != MISSING);
            let of = |code: u32| -> f64 {
                known().filter(|&&row| column[row] == code).map(|&row| weights[row]).sum()
            };
            let total: f64 = known().map(|&row| weights[row]).sum();
            gamma * (total - (0..3).map(of).fold(0.0, f64::max))
        });
        around_mean.sum::<f64>() + beside_mode.sum::<f64>()
    };
    clusters.map(of_cluster).sum()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn k_means_is_lloyds_algorithm(
        (n, d, k) in (20usize..120, 1usize..12, 1usize..12), seed in any::<u64>(), steps in 1usize..8,
    ) {
        let rows = blobs(n, d, 3, seed);
        let start = rows.slice(ndarray::s![..k, ..]).to_owned();
        let (centres, labels, inertia) = lloyd(rows.view(), &start, steps);
        // The oracle does not mend clusters that lose their rows.
        prop_assume!((0..k).all(|cluster| labels.contains(&(cluster as u32))));
        let model = from_start(start, steps).fit(rows.view(), None, &quiet()).unwrap();
        prop_assert!(close(model.inertia(), inertia), "{} {}", model.inertia(), inertia);
        prop_assert_eq!(model.labels(), labels);
        for (a, b) in model.centres().iter().zip(&centres) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }

    #[test]
    fn the_objective_never_increases(
        (n, k) in (20usize..80, 2usize..9), seed in any::<u64>(), copies in any::<bool>(),
    ) {
        let mut rows = blobs(n, 3, 4, seed);
        if copies {
            // Few different rows, so that clusters lose theirs and are mended.
            rows.mapv_inplace(|x| (x / 3.0).round());
        }
        let start = Array2::from_elem((k, 3), 0.5);
        let mut before = f64::INFINITY;
        for steps in 1..8 {
            let model = from_start(start.clone(), steps).fit(rows.view(), None, &quiet()).unwrap();
            prop_assert!(model.inertia() <= before * (1.0 + 1e-12), "{} {before}", model.inertia());
            before = model.inertia();
        }
    }

    #[test]
    fn order_of_rows_and_repetition_do_not_matter(n in 10usize..60, k in 1usize..6, seed in any::<u64>()) {
        let rows = blobs(n, 2, 3, seed);
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let weights: Vec<f64> = (0..n).map(|row| if row < 6 { 1 } else { rng.below(4) } as f64).collect();
        let params = KMeans { seed, n_init: 3, ..KMeans::new(k) };
        let weighted = params.fit(rows.view(), Some(&weights), &quiet()).unwrap();

        let order = rng.sample(n, n);
        let permuted = rows.select(Axis(0), &order);
        let weights_permuted: Vec<f64> = order.iter().map(|&row| weights[row]).collect();
        let other = params.fit(permuted.view(), Some(&weights_permuted), &quiet()).unwrap();
        let labels: Vec<u32> = order.iter().map(|&row| weighted.labels()[row]).collect();
        prop_assert_eq!(other.labels(), labels);

        let repeated: Vec<usize> =
            (0..n).flat_map(|row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        let model = params.fit(rows.select(Axis(0), &repeated).view(), None, &quiet()).unwrap();
        prop_assert!(close(model.inertia(), weighted.inertia()));
        for (a, b) in model.centres().iter().zip(weighted.centres()) {
            prop_assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn scaling_the_rows_scales_the_centres(seed in any::<u64>(), power in -20i32..20) {
        let rows = blobs(50, 3, 3, seed);
        let scale = 2f64.powi(power);
        let params = KMeans { seed, ..KMeans::new(3) };
        let model = params.fit(rows.view(), None, &quiet()).unwrap();
        let scaled = params.fit((&rows * scale).view(), None, &quiet()).unwrap();
        prop_assert_eq!(scaled.labels(), model.labels());
        prop_assert_eq!(scaled.centres().to_owned(), &model.centres() * scale);
        prop_assert_eq!(scaled.inertia(), model.inertia() * scale * scale);
    }

    #[test]
    fn labels_are_canonical_and_those_of_predict(
        (n, d, k) in (10usize..100, 1usize..5, 1usize..8), seed in any::<u64>(), coarse in any::<bool>(),
    ) {
        let mut rows = blobs(n, d, 3, seed);
        if coarse {
            rows.mapv_inplace(f64::round);
        }
        let model = KMeans { seed, ..KMeans::new(k) }.fit(rows.view(), None, &quiet()).unwrap();
        prop_assert_eq!(model.predict(rows.view(), &quiet()).unwrap(), model.labels());
        let narrow = rows.mapv(|x| x as f32);
        let model = KMeans { seed, ..KMeans::new(k) }.fit(narrow.view(), None, &quiet()).unwrap();
        prop_assert_eq!(model.predict(narrow.view(), &quiet()).unwrap(), model.labels());
        let data = Mixed::new(rows.view(), Array2::zeros((n, 0)).view(), &[]).unwrap();
        let mixed = KPrototypes { seed, ..KPrototypes::new(k) }.fit(&data, None, &quiet()).unwrap();
        prop_assert_eq!(mixed.predict(&data, &quiet()).unwrap(), mixed.labels());
    }

    #[test]
    fn k_prototypes_without_categories_is_k_means(
        (n, d, k) in (20usize..100, 1usize..6, 1usize..6), seed in any::<u64>(),
    ) {
        let rows = blobs(n, d, 3, seed);
        let start = rows.slice(ndarray::s![..k, ..]).to_owned();
        let model = from_start(start.clone(), 300).fit(rows.view(), None, &quiet()).unwrap();
        let data = Mixed::new(rows.view(), Array2::zeros((n, 0)).view(), &[]).unwrap();
        let start = MixedStart::Given(start, Array2::zeros((k, 0)));
        let mixed = KPrototypes { start, ..KPrototypes::new(k) }.fit(&data, None, &quiet()).unwrap();
        prop_assert!(close(mixed.cost(), model.inertia()));
        prop_assert_eq!(mixed.labels(), model.labels());
    }

    #[test]
    fn k_prototypes_lowers_its_objective(
        (n, d, m, k) in (10usize..60, 0usize..4, 1usize..4, 1usize..6),
        seed in any::<u64>(),
        holes in any::<bool>(),
    ) {
        let (data, numbers, codes) = mixed(n, d, m, holes, seed);
        let mut before = f64::INFINITY;
        for max_iter in 1..6 {
            let params = KPrototypes {
                n_init: 1, seed, max_iter, start: MixedStart::Huang, gamma: Gamma::Same(0.7), ..KPrototypes::new(k)
            };
            let model = params.fit(&data, None, &quiet()).unwrap();
            // The definition of the objective.
            let mut cost = 0.0;
            for row in 0..n {
                let of = |cluster: usize| {
                    let numeric: f64 = (0..d)
                        .map(|j| (numbers[(row, j)] - model.centres()[(cluster, j)]).powi(2))
                        .filter(|square| !square.is_nan())
                        .sum();
                    let differ = (0..m)
                        .filter(|&a| codes[(row, a)] != MISSING && codes[(row, a)] != model.modes()[(cluster, a)])
                        .count();
                    numeric + 0.7 * differ as f64
                };
                let costs: Vec<f64> = (0..k).map(of).collect();
                let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
                prop_assert!(costs[model.labels()[row] as usize] <= least + 1e-9);
                cost += least;
            }
            prop_assert!((model.cost() - cost).abs() < 1e-8 * cost.max(1.0));
            prop_assert!(model.cost() <= before * (1.0 + 1e-12) + 1e-12);
            before = model.cost();
        }
    }

    #[test]
    fn mixed_rows_may_be_permuted_repeated_or_weighted(
        (n, seed, holes, way) in prop_oneof![
            // A row that lacks both numbers and is as near to two clusters.
            1 => Just((44, 11_342_767_252_445_840_009, true, 2)),
            99 => (12usize..50, any::<u64>(), any::<bool>(), 0usize..4),
        ],
    ) {
        let (data, numbers, codes) = mixed(n, 2, 2, holes, seed);
        let start =
            [MixedStart::PlusPlus, MixedStart::Cao, MixedStart::Huang, MixedStart::Random][way].clone();
        let params = KPrototypes { seed, n_init: 2, start, ..KPrototypes::new(3) };
        let mut rng = Rng::stream(seed, Stage::Sample, 1);
        let weights: Vec<f64> = (0..n).map(|row| if row < 9 { 1 } else { rng.below(4) } as f64).collect();
        let weighted = params.fit(&data, Some(&weights), &quiet()).unwrap();
        let repeated: Vec<usize> =
            (0..n).rev().flat_map(|row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        let again = Mixed::new(
            numbers.select(Axis(0), &repeated).view(), codes.select(Axis(0), &repeated).view(), &[3, 3],
        ).unwrap();
        let model = params.fit(&again, None, &quiet()).unwrap();
        prop_assert!((model.cost() - weighted.cost()).abs() < 1e-8, "{} {}", model.cost(), weighted.cost());
        if model.modes() == weighted.modes() {
            return Ok(());
        }
        // Only where some row may as well be in another cluster may rounding choose.
        let cost_of = |labels: &[u32]| {
            cost_by_definition((&numbers, &codes), &weights, labels, weighted.gamma())
        };
        prop_assert!((cost_of(weighted.labels()) - weighted.cost()).abs() < 1e-8);
        let costs_nothing = |(row, cluster): (usize, u32)| {
            let mut labels = weighted.labels().to_vec();
            weights[row] > 0.0
                && std::mem::replace(&mut labels[row], cluster) != cluster
                && (cost_of(&labels) - weighted.cost()).abs() < 1e-9
        };
        let moves = (0..n).flat_map(|row| (0..3).map(move |cluster| (row, cluster)));
        prop_assert!(moves.into_iter().any(costs_nothing), "{:?} {:?}", model.modes(), weighted.modes());
    }

    #[test]
    fn saved_models_come_back_equal_and_hostile_ones_do_not(seed in any::<u64>(), at in any::<prop::sample::Index>()) {
        let rows = blobs(30, 2, 3, seed);
        let model = KMeans { seed, ..KMeans::new(3) }.fit(rows.view(), None, &quiet()).unwrap();
        let text = to_json(&model).unwrap();
        prop_assert_eq!(&from_json::<KMeansModel<f64>>(&text).unwrap(), &model);
        prop_assert!(from_json::<KMeansModel<f32>>(&text).is_err());
        let narrow = KMeans { seed, ..KMeans::new(3) }.fit(rows.mapv(|x| x as f32).view(), None, &quiet()).unwrap();
        prop_assert_eq!(&from_json::<KMeansModel<f32>>(&to_json(&narrow).unwrap()).unwrap(), &narrow);
        let (data, ..) = mixed(30, 2, 2, true, seed);
        let mixed = KPrototypes { seed, ..KPrototypes::new(3) }.fit(&data, None, &quiet()).unwrap();
        let mixed_text = to_json(&mixed).unwrap();
        prop_assert_eq!(&from_json::<KPrototypesModel>(&mixed_text).unwrap(), &mixed);
        // A file with one character changed is refused or is a model that can be used.
        for text in [text, mixed_text] {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = b'9';
            let text = String::from_utf8(bytes).unwrap();
            if let Ok(model) = from_json::<KMeansModel<f64>>(&text) {
                prop_assert!(model.predict(rows.view(), &quiet()).is_ok() || model.n_features() != 2);
            }
            if let Ok(model) = from_json::<KPrototypesModel>(&text) {
                prop_assert!(model.predict(&data, &quiet()).is_ok());
            }
        }
    }

    #[test]
    fn hostile_numbers_end_in_an_error_or_a_finite_model(
        values in prop::collection::vec(
            prop_oneof![
                Just(0.0), Just(-0.0), Just(1e300), Just(-1e150), Just(f64::MAX), Just(5e-324), Just(f64::NAN),
                Just(f64::INFINITY), -1.0..1.0f64, Just(1e140), Just(7.0),
            ],
            1..24,
        ),
        d in 1usize..4, k in 1usize..6, seed in any::<u64>(), weight in prop_oneof![Just(0.0), Just(1e300), Just(1.0)],
    ) {
        let n = values.len().div_ceil(d);
        let rows = Array2::from_shape_fn((n, d), |(row, column)| values[(row * d + column) % values.len()]);
        let weights: Vec<f64> = (0..n).map(|row| if row == 0 { weight } else { 1.0 }).collect();
        if let Ok(model) = (KMeans { seed, ..KMeans::new(k) }).fit(rows.view(), Some(&weights), &quiet()) {
            prop_assert!(model.inertia().is_finite());
            prop_assert!(model.centres().iter().all(|value| value.is_finite()));
            prop_assert!(model.n_found() >= 1);
        }
        let narrow = rows.mapv(|x| x as f32);
        if let Ok(model) = (KMeans { seed, ..KMeans::new(k) }).fit(narrow.view(), None, &quiet()) {
            prop_assert!(model.inertia().is_finite());
            prop_assert!(model.centres().iter().all(|value| value.is_finite()));
        }
        if let Ok(data) = Mixed::new(rows.view(), Array2::from_elem((n, 1), MISSING).view(), &[0]) {
            prop_assert!(KPrototypes::new(k).fit(&data, None, &quiet()).is_err());
        }
        if let Ok(data) = Mixed::new(rows.view(), Array2::zeros((n, 1)).view(), &[1])
            && let Ok(model) = (KPrototypes { seed, ..KPrototypes::new(k) }).fit(&data, Some(&weights), &quiet())
        {
            prop_assert!(model.cost().is_finite());
            prop_assert!(model.centres().iter().all(|value| value.is_finite()));
        }
    }
}

/// Rows of `d` numbers and `m` categories below 3, a tenth of them missing.
fn mixed(
    n: usize,
    d: usize,
    m: usize,
    holes: bool,
    seed: u64,
) -> (Mixed, Array2<f64>, Array2<u32>) {
    let mut rng = Rng::stream(seed, Stage::Reference, 1);
    let mut numbers = blobs(n, d, 3, seed);
    let mut codes = Array2::from_shape_fn((n, m), |_| rng.below(3) as u32);
    if holes {
        // The first row stays whole, so that every column has a value.
        numbers
            .slice_mut(ndarray::s![1.., ..])
            .mapv_inplace(|x| if rng.below(10) == 0 { f64::NAN } else { x });
        codes
            .slice_mut(ndarray::s![1.., ..])
            .mapv_inplace(|c| if rng.below(10) == 0 { MISSING } else { c });
    }
    let data = Mixed::new(numbers.view(), codes.view(), &vec![3; m]).unwrap();
    (data, numbers, codes)
}

#[test]
fn results_have_the_same_bits_for_any_number_of_threads() {
    let rows = blobs(150_000, 5, 4, 3);
    let small = rows.slice(ndarray::s![..10_000, ..]);
    let weights: Vec<f64> = (0..rows.nrows()).map(|row| 0.1 + (row % 7) as f64).collect();
    let (data, ..) = mixed(20_000, 3, 3, true, 5);
    let all: Vec<_> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            let params = KMeans { n_init: 2, max_iter: 6, ..KMeans::new(5) };
            let wide = params.fit(rows.view(), Some(&weights), &quiet()).unwrap();
            let side_by_side = params.fit(small, None, &quiet()).unwrap();
            let mixed = KPrototypes { n_init: 3, max_iter: 5, ..KPrototypes::new(4) };
            (wide, side_by_side, mixed.fit(&data, None, &quiet()).unwrap())
        })
        .collect();
    set_num_threads(0);
    assert!(all[0] == all[1] && all[1] == all[2]);
}

#[test]
fn layout_in_memory_does_not_matter() {
    let rows = blobs(500, 4, 3, 1);
    let params = KMeans::new(3);
    let expected = params.fit(rows.view(), None, &quiet()).unwrap();
    let fortran = rows.t().as_standard_layout().to_owned();
    assert_eq!(params.fit(fortran.t(), None, &quiet()).unwrap(), expected);
    let mut wide = Array2::from_elem((1000, 8), f64::NAN);
    wide.slice_mut(ndarray::s![..;2, ..;2]).assign(&rows);
    let strided = wide.slice(ndarray::s![..;2, ..;2]);
    assert_eq!(params.fit(strided, None, &quiet()).unwrap(), expected);
}

#[test]
fn clusters_without_rows_take_the_farthest_rows() {
    let rows = array![[0.0], [0.1], [10.0], [20.0]];
    let start = array![[0.0], [500.0], [600.0]];
    let model = from_start(start, 300).fit(rows.view(), None, &quiet()).unwrap();
    assert_eq!(model.labels(), [2, 2, 0, 1]);
    assert_eq!(model.centres(), array![[10.0], [20.0], [0.05]]);
    assert!(model.converged());
}

#[test]
fn outliers_that_move_leave_nothing_behind() {
    // A row of 1e100 starts in a cluster of small rows; what remains once it has left must not be its rounding error.
    let mut rows = blobs(5000, 2, 3, 2);
    rows[(17, 1)] = 1e100;
    rows[(18, 0)] = -1e60;
    let start = array![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 1.0]];
    let model = from_start(start, 100).fit(rows.view(), None, &quiet()).unwrap();
    assert_eq!(model.n_found(), 4);
    for cluster in 0..4 {
        let members: Vec<usize> =
            (0..5000).filter(|&row| model.labels()[row] == cluster as u32).collect();
        let mean = rows.select(Axis(0), &members).mean_axis(Axis(0)).unwrap();
        for (a, b) in model.centres().row(cluster).iter().zip(&mean) {
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} {b}");
        }
    }
}

#[test]
fn fewer_different_rows_than_clusters_leaves_clusters_without_rows() {
    let rows = array![[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [1.0, 2.0]];
    for start in [Start::PlusPlus, Start::Random] {
        let model = KMeans { start, ..KMeans::new(4) }.fit(rows.view(), None, &quiet()).unwrap();
        assert_eq!((model.n_found(), model.inertia()), (2, 0.0));
        assert_eq!(model.labels(), [0, 0, 1, 0]);
    }
}

#[test]
fn the_heaviest_cluster_comes_first() {
    let rows = array![[5.0], [5.1], [5.2], [1.0]];
    let fit = |weights: Option<&[f64]>| KMeans::new(2).fit(rows.view(), weights, &quiet()).unwrap();
    assert_eq!(fit(None).labels(), [0, 0, 0, 1]);
    assert_eq!(fit(Some(&[1.0, 1.0, 1.0, 9.0])).labels(), [1, 1, 1, 0]);
    let tied = KMeans::new(2).fit(array![[5.0], [1.0]].view(), None, &quiet()).unwrap();
    assert_eq!(tied.labels(), [1, 0]);
}

#[test]
fn errors_name_column_row_and_value() {
    let rows = array![[1.0, 2.0], [3.0, f64::NAN]];
    let params = KMeans { names: vec!["age".into(), "income".into()], ..KMeans::new(1) };
    let error = params.fit(rows.view(), None, &quiet()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"income\", row 1: found NaN, but a finite number is needed"
    );
    let error = params.fit(array![[1.0, 1e300]].view(), None, &quiet()).unwrap_err();
    assert!(error.to_string().contains("column \"income\", row 0: found 1e300"), "{error}");
    for weights in [&[1.0, -1.0][..], &[0.0, 0.0], &[1.0], &[1.0, f64::NAN]] {
        let error = params.fit(array![[1.0, 1.0], [2.0, 2.0]].view(), Some(weights), &quiet());
        assert!(error.unwrap_err().to_string().contains("sample_weight"));
    }
    assert!(matches!(
        KMeans::new(3).fit(rows.view().slice(ndarray::s![..1, ..]), None, &quiet()),
        Err(Error::TooFewRows { needed: 3, found: 1, .. })
    ));
}

#[test]
fn a_stopped_monitor_ends_the_fit() {
    let rows = blobs(5000, 3, 3, 0);
    let monitor = quiet();
    monitor.stop();
    assert_eq!(KMeans::new(3).fit(rows.view(), None, &monitor), Err(Error::Interrupted));
    let (data, ..) = mixed(5000, 2, 2, false, 0);
    assert_eq!(KPrototypes::new(3).fit(&data, None, &monitor), Err(Error::Interrupted));
}

/// Market capitalisation, sector and country of twelve firms.
fn firms() -> Mixed {
    let caps = [738.5, 369.5, 368.2, 346.7, 343.5, 282.4, 282.1, 279.7, 257.2, 205.2, 192.1, 195.7];
    // Alphabetical: cons 0, fin 1, nrg 2, tech 3, tel 4; CN 0, NL 1, USA 2.
    let sectors = [3, 2, 3, 3, 1, 1, 4, 0, 0, 4, 3, 2];
    let countries = [2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 1];
    let numbers = Array2::from_shape_fn((12, 1), |(row, _)| caps[row]);
    let codes =
        Array2::from_shape_fn((12, 2), |(row, column)| [sectors[row], countries[row]][column]);
    Mixed::new(numbers.view(), codes.view(), &[5, 3]).unwrap()
}

#[test]
fn the_twelve_firms_of_kmodes() {
    let params = KPrototypes { start: MixedStart::Cao, ..KPrototypes::new(4) };
    let model = params.fit(&firms(), None, &quiet()).unwrap();
    assert!((model.gamma()[0] - 69.903336).abs() < 1e-6);
    assert!((model.cost() - 1664.470855).abs() < 1e-6, "{}", model.cost());
    // Largest first; of the two with four rows, the one with the lower centre.
    assert_eq!(model.labels(), [3, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2]);
    for (found, expected) in model.centres().iter().zip([275.35, 356.975, 197.66667, 738.5]) {
        assert!((found - expected).abs() < 1e-4);
    }
    assert_eq!(model.modes(), array![[0, 2], [3, 2], [2, 2], [3, 2]]);
}

#[test]
fn linfa_fits_and_predicts() {
    let rows = blobs(200, 3, 3, 7);
    let data = DatasetBase::from(rows.clone()).with_weights(Array1::from_elem(200, 2.0f32));
    let model: KMeansModel<f64> = Fit::fit(&KMeans::new(3), &data).unwrap();
    let labels: Array1<usize> = Predict::predict(&model, &rows);
    assert!(labels.iter().zip(model.labels()).all(|(a, b)| *a == *b as usize));
    assert_eq!(model.weights().iter().sum::<f64>(), 400.0);

    let params = MiniBatch { batch: 50, ..MiniBatch::new(3) };
    let fitted = Fit::fit(&params, &data).unwrap();
    assert!(fitted.inertia() <= model.inertia() * 1.05);
    let mut stream = None;
    for _ in 0..3 {
        stream = Some(params.fit_with(stream, &data).unwrap());
    }
    let stream = stream.unwrap();
    assert_eq!(stream.weights().iter().sum::<f64>(), 1200.0);
    assert!(close(stream.inertia(), model.inertia()), "{} {}", stream.inertia(), model.inertia());

    let params = KPrototypes { categorical: vec![2], ..KPrototypes::new(3) };
    let mut coded = rows;
    coded.column_mut(2).mapv_inplace(|x| x.abs().round());
    let model = Fit::fit(&params, &DatasetBase::from(coded.clone())).unwrap();
    let labels: Array1<usize> = Predict::predict(&model, &coded);
    assert!(labels.iter().zip(model.labels()).all(|(a, b)| *a == *b as usize));
}

#[test]
fn the_objective_is_not_above_that_of_linfa_clustering() {
    for seed in 0..5 {
        let rows = blobs(600, 4, 5, seed);
        let data = DatasetBase::from(rows.clone());
        let theirs = linfa_clustering::KMeans::params(5).n_runs(10).fit(&data).unwrap();
        let ours = KMeans { seed, ..KMeans::new(5) }.fit(rows.view(), None, &quiet()).unwrap();
        // Theirs is the mean per row.
        assert!(ours.inertia() <= theirs.inertia() * 600.0 * (1.0 + 1e-6));
        let start = theirs.centroids().clone();
        let same = from_start(start, 1).fit(rows.view(), None, &quiet()).unwrap();
        assert!(same.inertia() <= theirs.inertia() * 600.0 * (1.0 + 1e-9));
    }
}

#[test]
fn a_missing_value_costs_nothing() {
    let numbers = array![[0.0, 1.0], [0.2, f64::NAN], [9.0, 5.0], [9.2, 5.0]];
    let codes = array![[0], [MISSING], [1], [1]];
    let data = Mixed::new(numbers.view(), codes.view(), &[2]).unwrap();
    let model = KPrototypes::new(2).fit(&data, None, &quiet()).unwrap();
    assert_eq!(model.labels(), [0, 0, 1, 1]);
    assert!((model.cost() - 0.04).abs() < 1e-12);
    assert_eq!(model.centres()[(0, 1)], 1.0);
}
