//! Laws of Gower's dissimilarity and of k-medoids, against slow twins.

use std::collections::HashMap;

use ilk::Error;
use ilk::cluster::{
    GowerOptions, GowerSpace, KMedoids, KMedoidsModel, MedoidStart, Method, Metric, Treatment,
    gower_distances,
};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use ilk::table::Table;
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;

fn quiet() -> Monitor {
    Monitor::new()
}

/// Columns as one would write them down: NaN and `None` are missing.
#[derive(Debug, Clone)]
struct Plain {
    numbers: Vec<Vec<f64>>,
    categories: Vec<Vec<f64>>,
    flags: Vec<Vec<f64>>,
}

impl Plain {
    fn drawn(n: usize, seed: u64, missing: f64) -> Self {
        let mut rng = Rng::stream(seed, Stage::Reference, 0);
        let mut column = |levels: usize, step: f64| -> Vec<f64> {
            (0..n)
                .map(|_| {
                    let value = rng.below(levels) as f64 * step;
                    if rng.uniform() < missing { f64::NAN } else { value }
                })
                .collect()
        };
        Self {
            numbers: vec![column(1000, 0.37), column(5, 10.0), column(1, 1.0)],
            categories: vec![column(3, 1.0), column(400, 1.0)],
            flags: vec![column(2, 1.0), column(2, 1.0)],
        }
    }

    fn take(&self, rows: &[usize]) -> Self {
        let pick = |columns: &Vec<Vec<f64>>| {
            columns.iter().map(|column| rows.iter().map(|&row| column[row]).collect()).collect()
        };
        Self {
            numbers: pick(&self.numbers),
            categories: pick(&self.categories),
            flags: pick(&self.flags),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::builder();
        for (name, columns) in [("n", &self.numbers), ("c", &self.categories), ("f", &self.flags)] {
            for (at, column) in columns.iter().enumerate() {
                table = table.float(&format!("{name}{at}"), column.iter().copied());
            }
        }
        table.finish().unwrap()
    }

    fn options(&self) -> GowerOptions {
        let categories =
            (0..self.categories.len()).map(|at| (format!("c{at}"), Treatment::Category));
        GowerOptions {
            treatments: categories.collect(),
            asymmetric: (0..self.flags.len()).map(|at| format!("f{at}")).collect(),
            weights: HashMap::from([("n1".to_owned(), 2.5), ("f1".to_owned(), 0.3)]),
        }
    }

    /// Gower's dissimilarity from its definition.
    fn distance(&self, a: usize, b: usize) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (at, column) in self.numbers.iter().enumerate() {
            let weight = if at == 1 { 2.5 } else { 1.0 };
            let known = || column.iter().copied().filter(|value| !value.is_nan());
            let range = known().fold(f64::MIN, f64::max) - known().fold(f64::MAX, f64::min);
            let difference = (column[a] - column[b]).abs();
            if !difference.is_nan() {
                sum += if range > 0.0 { weight * difference / range } else { 0.0 };
                total += weight;
            }
        }
        for column in &self.categories {
            if !column[a].is_nan() && !column[b].is_nan() {
                sum += f64::from(u8::from(column[a] != column[b]));
                total += 1.0;
            }
        }
        for (at, column) in self.flags.iter().enumerate() {
            let weight = if at == 1 { 0.3 } else { 1.0 };
            let both_lack = column[a] == 0.0 && column[b] == 0.0;
            if !column[a].is_nan() && !column[b].is_nan() && !both_lack {
                sum += weight * f64::from(u8::from(column[a] != column[b]));
                total += weight;
            }
        }
        sum / total
    }

    fn matrix(&self) -> Array2<f64> {
        let table = self.table();
        let (space, _) = GowerSpace::learn(&[&table], &self.options()).unwrap();
        let (rows, _) = space.read(&table).unwrap();
        gower_distances(&rows, None, None, &quiet()).unwrap().0
    }
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12
}

fn blobs(n: usize, k: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::stream(seed, Stage::Reference, 1);
    Array2::from_shape_fn((n, 2), |(row, column)| {
        10.0 * ((row % k) * (column + 1) % 5) as f64 + rng.uniform() + rng.uniform()
    })
}

fn euclidean(rows: &Array2<f64>) -> Array2<f64> {
    let n = rows.nrows();
    Array2::from_shape_fn((n, n), |(a, b)| {
        (&rows.row(a) - &rows.row(b)).mapv(|x| x * x).sum().sqrt()
    })
}

fn loss(distances: &Array2<f64>, weights: &[f64], medoids: &[usize]) -> f64 {
    let nearest = |row: usize| {
        medoids.iter().map(|&medoid| distances[(medoid, row)]).fold(f64::INFINITY, f64::min)
    };
    (0..distances.nrows()).map(|row| weights[row] * nearest(row)).sum()
}

/// Whether no single swap lowers the loss, by trying each one from the definition.
fn is_settled(distances: &Array2<f64>, weights: &[f64], medoids: &[usize]) -> bool {
    let now = loss(distances, weights, medoids);
    (0..medoids.len()).all(|at| {
        (0..distances.nrows()).filter(|&row| weights[row] > 0.0).all(|row| {
            let mut other = medoids.to_vec();
            other[at] = row;
            loss(distances, weights, &other) > now * (1.0 - 1e-9) - 1e-12
        })
    })
}

/// BUILD from its definition.
fn build(distances: &Array2<f64>, weights: &[f64], k: usize) -> Vec<usize> {
    let mut medoids: Vec<usize> = Vec::new();
    while medoids.len() < k {
        let with = |row: usize| {
            let mut all = medoids.clone();
            all.push(row);
            loss(distances, weights, &all)
        };
        let open =
            (0..distances.nrows()).filter(|row| !medoids.contains(row) && weights[*row] > 0.0);
        let next = open.fold((f64::INFINITY, 0), |best, row| {
            let loss = with(row);
            if loss < best.0 * (1.0 - 1e-13) { (loss, row) } else { best }
        });
        medoids.push(next.1);
    }
    medoids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gower_is_its_definition(
        n in 1usize..700, seed in any::<u64>(), missing in prop_oneof![Just(0.0), Just(0.2), Just(0.8)],
    ) {
        let plain = Plain::drawn(n, seed, missing);
        // A column without any value is left out, which the definition does not know.
        let columns = plain.numbers.iter().chain(&plain.categories).chain(&plain.flags);
        for column in columns {
            prop_assume!(column.iter().any(|value| !value.is_nan()));
        }
        let matrix = plain.matrix();
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        for _ in 0..400 {
            let (a, b) = (rng.below(n), rng.below(n));
            let expected = if a == b { 0.0 } else { plain.distance(a, b) };
            prop_assert!(same(matrix[(a, b)], expected), "{} {expected}", matrix[(a, b)]);
            prop_assert_eq!(matrix[(a, b)].to_bits(), matrix[(b, a)].to_bits());
        }
    }

    #[test]
    fn gower_does_not_see_the_order_of_rows_or_the_unit_of_numbers(seed in any::<u64>(), power in -4i32..40) {
        let plain = Plain::drawn(60, seed, 0.1);
        let matrix = plain.matrix();
        let order = Rng::stream(seed, Stage::Sample, 1).sample(60, 60);
        let permuted = plain.take(&order).matrix();
        let mut scaled = plain.clone();
        for column in &mut scaled.numbers {
            column.iter_mut().for_each(|value| *value = 8.0 - *value * 2.0_f64.powi(power));
        }
        let scaled = scaled.matrix();
        for (a, b) in (0..60).flat_map(|a| (0..60).map(move |b| (a, b))) {
            prop_assert_eq!(permuted[(a, b)].to_bits(), matrix[(order[a], order[b])].to_bits());
            prop_assert!(same(scaled[(a, b)], matrix[(a, b)]));
        }
    }

    #[test]
    fn the_start_is_build_and_the_end_cannot_be_improved_by_a_swap(
        (n, k) in (4usize..60, 1usize..12), seed in any::<u64>(), weighted in any::<bool>(),
    ) {
        let rows = blobs(n, 5, seed);
        let distances = euclidean(&rows);
        let mut rng = Rng::stream(seed, Stage::Weights, 0);
        let weights: Vec<f64> =
            (0..n).map(|_| if weighted { rng.below(4) as f64 } else { 1.0 }).collect();
        let k = k.min(weights.iter().filter(|&&weight| weight > 0.0).count());
        prop_assume!(k > 0);
        let given = weighted.then_some(&weights[..]);
        let params = KMedoids::new(k);
        let model = params.fit_distances(distances.view(), given, &quiet()).unwrap();
        prop_assert!(model.converged());
        let found = loss(&distances, &weights, model.indices());
        prop_assert!((found - model.inertia()).abs() <= 1e-9 * found.max(1e-9));
        prop_assert!(is_settled(&distances, &weights, model.indices()));
        // No worse than where it started.
        let start = build(&distances, &weights, k);
        prop_assert!(found <= loss(&distances, &weights, &start) * (1.0 + 1e-9));
        // From the oracle's start, the same.
        let from = KMedoids { start: MedoidStart::Given(start), ..params };
        let other = from.fit_distances(distances.view(), given, &quiet()).unwrap();
        prop_assert!((other.inertia() - model.inertia()).abs() <= 1e-9 * found.max(1e-9));
    }

    #[test]
    fn any_start_ends_where_no_swap_pays(
        seed in any::<u64>(), k in 2usize..14, start in prop_oneof![
            Just(MedoidStart::Random), Just(MedoidStart::Lab)],
    ) {
        let rows = blobs(80, 7, seed);
        let distances = euclidean(&rows);
        let params = KMedoids { start, seed, n_init: 2, ..KMedoids::new(k) };
        let model = params.fit(rows.view(), Metric::Euclidean, None, &[], &quiet()).unwrap();
        prop_assert!(is_settled(&distances, &vec![1.0; 80], model.indices()));
        let mut sizes: Vec<f64> = model.weights().to_vec();
        sizes.sort_by(|a, b| b.total_cmp(a));
        prop_assert_eq!(&sizes, model.weights());
    }

    #[test]
    fn order_of_rows_and_repetition_do_not_matter(n in 10usize..60, k in 1usize..6, seed in any::<u64>()) {
        let rows = blobs(n, 3, seed);
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let weights: Vec<f64> =
            (0..n).map(|row| if row < 6 { 1 } else { rng.below(4) } as f64).collect();
        let params = KMedoids::new(k);
        let fit = |rows: &Array2<f64>, weights: Option<&[f64]>| {
            params.fit(rows.view(), Metric::Euclidean, weights, &[], &quiet()).unwrap()
        };
        let model = fit(&rows, Some(&weights));
        let order = rng.sample(n, n);
        let permuted: Vec<f64> = order.iter().map(|&row| weights[row]).collect();
        let other = fit(&rows.select(Axis(0), &order), Some(&permuted));
        let labels: Vec<u32> = order.iter().map(|&row| model.labels()[row]).collect();
        prop_assert_eq!(other.labels(), labels);
        let repeated: Vec<usize> =
            (0..n).flat_map(|row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        // No swap that is left to judge helps either of them. From another start the search may end elsewhere: it
        // judges several rows at a time, and which stand together changes.
        let medoids = model.indices().iter().map(|medoid| {
            repeated.iter().position(|row| row == medoid).unwrap()
        });
        let params = KMedoids { start: MedoidStart::Given(medoids.collect()), ..params };
        let other = params
            .fit(rows.select(Axis(0), &repeated).view(), Metric::Euclidean, None, &[], &quiet())
            .unwrap();
        let labels: Vec<u32> = repeated.iter().map(|&row| model.labels()[row]).collect();
        prop_assert_eq!(other.labels(), labels);
        prop_assert!((other.inertia() - model.inertia()).abs() < 1e-9);
    }

    #[test]
    fn a_saved_model_of_a_table_predicts_its_training_rows(seed in any::<u64>(), k in 1usize..6) {
        let plain = Plain::drawn(80, seed, 0.1);
        let table = plain.table();
        let (model, _) =
            KMedoids::new(k).fit_table(&table, &plain.options(), None, &quiet()).unwrap();
        let back: KMedoidsModel = from_json(&to_json(&model).unwrap()).unwrap();
        prop_assert_eq!(&back, &model);
        let (labels, notes) = back.predict_table(&table, &quiet()).unwrap();
        prop_assert_eq!(labels, model.labels());
        prop_assert!(notes.unseen.is_empty());
        let (distances, _) = back.distances_table(&table, &quiet()).unwrap();
        for (cluster, &row) in model.indices().iter().enumerate() {
            prop_assert_eq!(distances[(row, cluster)], 0.0);
        }
    }
}

#[test]
fn what_does_not_fit_into_memory_gives_the_same_medoids() {
    let rows = blobs(300, 6, 3);
    let fit = |max_memory| {
        let params = KMedoids {
            method: Method::FasterPam,
            max_memory: Some(max_memory),
            ..KMedoids::new(6)
        };
        params.fit(rows.view(), Metric::Manhattan, None, &[], &quiet()).unwrap()
    };
    assert_eq!(fit(0), fit(1 << 30));
    let plain = Plain::drawn(200, 5, 0.3);
    let fit = |max_memory| {
        let params = KMedoids {
            method: Method::FasterPam,
            max_memory: Some(max_memory),
            ..KMedoids::new(4)
        };
        params.fit_table(&plain.table(), &plain.options(), None, &quiet()).unwrap()
    };
    assert_eq!(fit(0), fit(1 << 30));
}

#[test]
fn samples_find_blobs_and_say_so() {
    let rows = blobs(3000, 5, 1);
    let params = KMedoids {
        method: Method::Clara,
        sample_size: Some(200),
        max_memory: Some(1 << 20),
        ..KMedoids::new(5)
    };
    let model = params.fit(rows.view(), Metric::Euclidean, None, &[], &quiet()).unwrap();
    assert!(model.is_sampled());
    let all = KMedoids { method: Method::FasterPam, ..KMedoids::new(5) };
    let best = all.fit(rows.view(), Metric::Euclidean, None, &[], &quiet()).unwrap();
    assert!(!best.is_sampled());
    assert!(model.inertia() >= best.inertia() && model.inertia() < best.inertia() * 1.05);
    let auto = KMedoids { max_memory: Some(50_000_000), ..KMedoids::new(5) };
    assert!(auto.fit(rows.view(), Metric::Euclidean, None, &[], &quiet()).unwrap().is_sampled());
    // A sample of all rows is the whole.
    let whole = KMedoids { sample_size: Some(3000), max_memory: None, ..params };
    let model = whole.fit(rows.view(), Metric::Euclidean, None, &[], &quiet()).unwrap();
    assert_eq!(model.indices(), best.indices());
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    let plain = Plain::drawn(900, 7, 0.1);
    let table = plain.table();
    let models: Vec<String> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            let params = KMedoids { start: MedoidStart::Random, n_init: 2, ..KMedoids::new(9) };
            let (model, _) = params.fit_table(&table, &plain.options(), None, &quiet()).unwrap();
            to_json(&model).unwrap()
        })
        .collect();
    set_num_threads(0);
    assert!(models.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn hostile_rows_end_in_an_error_or_finite_numbers() {
    let params = KMedoids::new(3);
    let fit = |rows: Array2<f64>| params.fit(rows.view(), Metric::Euclidean, None, &[], &quiet());
    let constant = fit(Array2::ones((5, 2))).unwrap();
    assert_eq!((constant.n_found(), constant.inertia()), (1, 0.0));
    let mut different: Vec<usize> = constant.indices().to_vec();
    different.dedup();
    assert_eq!(different.len(), 3);
    assert!(matches!(fit(Array2::ones((2, 2))), Err(Error::TooFewRows { .. })));
    assert!(matches!(fit(Array2::zeros((0, 2))), Err(Error::TooFewRows { .. })));
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        assert!(matches!(fit(Array2::from_elem((5, 2), bad)), Err(Error::BadValue { .. })));
    }
    let mut asymmetric = euclidean(&blobs(9, 2, 0));
    let given = |distances: &Array2<f64>| params.fit_distances(distances.view(), None, &quiet());
    assert!(given(&asymmetric).is_ok());
    asymmetric[(2, 7)] += 0.5;
    let message = given(&asymmetric).unwrap_err().to_string();
    assert!(message.contains("symmetric") && message.contains("row 7"), "{message}");
    for bad in [f64::NAN, -1.0, f64::INFINITY, 1e308] {
        let mut wrong = euclidean(&blobs(9, 2, 0));
        wrong[(2, 7)] = bad;
        let message = given(&wrong).unwrap_err().to_string();
        assert!(message.contains("X[:, 7]") && message.contains("row 2"), "{message}");
    }
}

#[test]
fn rows_that_cannot_be_compared_are_named_and_count_as_far_apart() {
    let table = Table::builder()
        .float("a", [1.0, 2.0, f64::NAN, f64::NAN])
        .float("b", [f64::NAN, 1.0, 1.0, f64::NAN])
        .finish()
        .unwrap();
    let options = GowerOptions::default();
    let (space, empty) = GowerSpace::learn(&[&table], &options).unwrap();
    assert!(empty.is_empty());
    let (rows, _) = space.read(&table).unwrap();
    let (matrix, found) = gower_distances::<f64>(&rows, None, None, &quiet()).unwrap();
    assert_eq!((found.n, found.first), (4, Some((0, 2))));
    assert!(matrix[(0, 2)].is_nan() && matrix[(3, 1)].is_nan() && matrix[(3, 3)] == 0.0);
    let (model, notes) = KMedoids::new(2).fit_table(&table, &options, None, &quiet()).unwrap();
    assert_eq!(notes.incomparable, Some((0, 2)));
    assert!(model.inertia().is_finite());
    let error = gower_distances::<f64>(&rows, None, Some(100), &quiet()).unwrap_err();
    assert!(matches!(error, Error::MemoryLimit { needed_bytes: 128, limit_bytes: 100, .. }));
}

#[test]
fn linfa_fits_and_predicts() {
    let rows = blobs(120, 4, 3);
    let weights = Array1::from_shape_fn(120, |row| (row % 3) as f32);
    let dataset = DatasetBase::from(rows.clone()).with_weights(weights.clone());
    let params = KMedoids::new(4);
    let model = Fit::fit(&params, &dataset).unwrap();
    let weights: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
    let straight =
        params.fit(rows.view(), Metric::Euclidean, Some(&weights), &[], &quiet()).unwrap();
    assert_eq!(model, straight);
    let labels: Array1<usize> = Predict::predict(&model, &rows);
    assert!(labels.iter().zip(model.labels()).all(|(&a, &b)| a == b as usize));
    let narrow = rows.mapv(|value| value as f32);
    let as_narrow: Array1<usize> = Predict::predict(&model, &narrow);
    assert_eq!(as_narrow, labels);
}
