//! Laws of the Gaussian mixtures, against one written as on a blackboard.

use ilk::Error;
use ilk::cluster::{
    CovarianceType, GaussianMixture, GaussianMixtureModel, GivenStart, MixtureStart,
};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis, Dimension, array};
use proptest::prelude::*;

const KINDS: [CovarianceType; 4] =
    [CovarianceType::Full, CovarianceType::Tied, CovarianceType::Diag, CovarianceType::Spherical];

fn quiet() -> Monitor {
    Monitor::new()
}

fn blobs(n: usize, d: usize, k: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::stream(seed, Stage::Reference, 0);
    Array2::from_shape_fn((n, d), |(row, column)| {
        let spread: f64 = (0..6).map(|_| rng.uniform() - 0.5).sum();
        ((row % k) * (column + 2) % 7) as f64 + spread * (1.0 + (row % k) as f64 * 0.3)
    })
}

/// Inverse and determinant by Gauss and Jordan.
fn inverse(matrix: &Array2<f64>) -> (Array2<f64>, f64) {
    let d = matrix.nrows();
    let (mut left, mut right, mut determinant) = (matrix.clone(), Array2::eye(d), 1.0);
    for i in 0..d {
        let pivot = left[[i, i]];
        determinant *= pivot;
        for j in 0..d {
            left[[i, j]] /= pivot;
            right[[i, j]] /= pivot;
        }
        for row in (0..d).filter(|&row| row != i) {
            let factor = left[[row, i]];
            for j in 0..d {
                left[[row, j]] -= factor * left[[i, j]];
                right[[row, j]] -= factor * right[[i, j]];
            }
        }
    }
    (right, determinant)
}

/// A mixture with its covariances as matrices, whatever their type.
#[derive(Debug, Clone)]
struct Slow {
    kind: CovarianceType,
    weights: Vec<f64>,
    means: Array2<f64>,
    covariances: Vec<Array2<f64>>,
}

impl Slow {
    fn start(kind: CovarianceType, means: Array2<f64>) -> Self {
        let (k, d) = means.dim();
        Self { kind, weights: vec![1.0 / k as f64; k], means, covariances: vec![Array2::eye(d); k] }
    }

    /// Shares of the components in each row, and the row's log density.
    fn expect(&self, rows: ArrayView2<'_, f64>) -> (Array2<f64>, Vec<f64>) {
        let k = self.weights.len();
        let mut shares = Array2::zeros((rows.nrows(), k));
        let mut densities = Vec::new();
        let inverses: Vec<_> = self.covariances.iter().map(inverse).collect();
        for (at, row) in rows.axis_iter(Axis(0)).enumerate() {
            let logs: Vec<f64> = (0..k)
                .map(|c| {
                    let (precision, determinant) = &inverses[c];
                    let z = &row - &self.means.row(c);
                    let volume = row.len() as f64 * (2.0 * std::f64::consts::PI).ln();
                    self.weights[c].ln()
                        - 0.5 * (z.dot(&precision.dot(&z)) + determinant.ln() + volume)
                })
                .collect();
            let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let density = most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln();
            (0..k).for_each(|c| shares[[at, c]] = (logs[c] - density).exp());
            densities.push(density);
        }
        (shares, densities)
    }

    /// One iteration; gives the mean log density before it.
    fn step(&mut self, rows: ArrayView2<'_, f64>, weights: &[f64], ridge: f64) -> f64 {
        let (k, d) = self.means.dim();
        let total: f64 = weights.iter().sum();
        let (mut shares, densities) = self.expect(rows);
        let likelihood = densities.iter().zip(weights).map(|(l, w)| l * w).sum::<f64>() / total;
        shares.axis_iter_mut(Axis(0)).zip(weights).for_each(|(mut row, w)| row *= *w);
        let mut scatters = Vec::new();
        for c in 0..k {
            let share = shares.column(c);
            let mass = share.sum();
            let mean: Array1<f64> = share.dot(&rows) / mass;
            let mut scatter = Array2::<f64>::zeros((d, d));
            for (row, &r) in rows.axis_iter(Axis(0)).zip(&share) {
                let z = &row - &mean;
                for i in 0..d {
                    for j in 0..d {
                        scatter[[i, j]] += r * z[i] * z[j];
                    }
                }
            }
            self.weights[c] = mass / total;
            self.means.row_mut(c).assign(&mean);
            scatters.push((scatter, mass));
        }
        let pooled =
            scatters.iter().fold(Array2::<f64>::zeros((d, d)), |sum, (scatter, _)| sum + scatter);
        self.covariances = scatters
            .into_iter()
            .map(|(scatter, mass)| {
                let own = scatter / mass;
                let wanted = match self.kind {
                    CovarianceType::Full => own,
                    CovarianceType::Tied => &pooled / total,
                    CovarianceType::Diag => Array2::from_diag(&own.diag()),
                    CovarianceType::Spherical => {
                        Array2::<f64>::eye(d) * (own.diag().sum() / d as f64)
                    }
                };
                wanted + Array2::<f64>::eye(d) * ridge
            })
            .collect();
        likelihood
    }
}

fn precisions(kind: CovarianceType, k: usize, d: usize) -> ArrayD<f64> {
    ArrayD::from_shape_fn(kind.shape(k, d), |at| match kind {
        CovarianceType::Full | CovarianceType::Tied => {
            f64::from(u8::from(at[at.ndim() - 1] == at[at.ndim() - 2]))
        }
        _ => 1.0,
    })
}

/// The parameters that start where [`Slow::start`] does.
fn from_means(kind: CovarianceType, means: &Array2<f64>, max_iter: usize) -> GaussianMixture {
    let (k, d) = means.dim();
    GaussianMixture {
        covariance_type: kind,
        given: GivenStart {
            weights: Some(Array1::from_elem(k, 1.0 / k as f64)),
            means: Some(means.clone()),
            precisions: Some(precisions(kind, k, d)),
        },
        max_iter,
        tolerance: 0.0,
        ..GaussianMixture::new(k)
    }
}

/// The model's covariances as matrices.
fn matrices(model: &GaussianMixtureModel) -> Vec<Array2<f64>> {
    let (k, d) = (model.n_components(), model.n_features());
    let found = model.covariances();
    (0..k)
        .map(|c| {
            Array2::from_shape_fn((d, d), |(i, j)| match model.covariance_type() {
                CovarianceType::Full => found[[c, i, j]],
                CovarianceType::Tied => found[[i, j]],
                CovarianceType::Diag => f64::from(u8::from(i == j)) * found[[c, i]],
                CovarianceType::Spherical => f64::from(u8::from(i == j)) * found[[c]],
            })
        })
        .collect()
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-8 * scale.max(a.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_fused_pass_is_the_textbook_iteration(
        (n, d, k) in (20usize..300, 1usize..10, 1usize..6),
        kind in 0usize..4,
        steps in 1usize..6,
        weighted in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let rows = blobs(n, d, 3, seed);
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let weights: Vec<f64> =
            (0..n).map(|_| if weighted { 0.2 + rng.uniform() } else { 1.0 }).collect();
        let means = rows.slice(ndarray::s![..k, ..]).to_owned();
        let mut slow = Slow::start(KINDS[kind], means.clone());
        let likelihood = (0..steps).map(|_| slow.step(rows.view(), &weights, 1e-2)).last().unwrap();
        let params = GaussianMixture { reg_covar: 1e-2, ..from_means(KINDS[kind], &means, steps) };
        let model =
            params.fit(rows.view(), weighted.then_some(weights.as_slice()), &quiet()).unwrap();
        prop_assert!(close(model.lower_bound(), likelihood, 1.0), "{} {likelihood}", model.lower_bound());
        for c in 0..k {
            prop_assert!(close(model.weights()[c], slow.weights[c], 1.0));
            for i in 0..d {
                prop_assert!(close(model.means()[[c, i]], slow.means[[c, i]], 10.0));
            }
        }
        for (found, wanted) in matrices(&model).iter().zip(&slow.covariances) {
            for (a, b) in found.iter().zip(wanted) {
                prop_assert!(close(*a, *b, 10.0), "{a} {b}");
            }
        }
        let (shares, densities) = slow.expect(rows.view());
        let found = model.shares(rows.view(), &quiet()).unwrap();
        for (a, b) in found.iter().zip(&shares) {
            prop_assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
        for row in found.axis_iter(Axis(0)) {
            prop_assert!((row.sum() - 1.0).abs() < 1e-14);
        }
        for (a, b) in model.log_densities(rows.view(), &quiet()).unwrap().iter().zip(&densities) {
            prop_assert!(close(*a, *b, 10.0), "{a} {b}");
        }
    }

    #[test]
    fn without_a_ridge_the_likelihood_never_falls(
        (n, d, k) in (60usize..200, 1usize..5, 1usize..5), kind in 0usize..4, seed in any::<u64>(),
    ) {
        let rows = blobs(n, d, 3, seed);
        let means = rows.slice(ndarray::s![..k, ..]).to_owned();
        let mut before = f64::NEG_INFINITY;
        for steps in 1..10 {
            let params = GaussianMixture { reg_covar: 0.0, ..from_means(KINDS[kind], &means, steps) };
            let model = params.fit(rows.view(), None, &quiet()).unwrap();
            if !model.collapsed().is_empty() {
                break;
            }
            let after = model.lower_bound();
            prop_assert!(after >= before - 1e-10 * before.abs(), "{after} {before}");
            before = after;
        }
    }

    #[test]
    fn order_of_rows_and_repetition_do_not_matter(
        n in 20usize..80, k in 1usize..4, kind in 0usize..4, seed in any::<u64>(),
    ) {
        let rows = blobs(n, 2, 3, seed);
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let weights: Vec<f64> = (0..n).map(|row| if row < 8 { 1 } else { rng.below(4) } as f64).collect();
        let means = rows.slice(ndarray::s![..k, ..]).to_owned();
        let params = GaussianMixture { reg_covar: 1e-3, ..from_means(KINDS[kind], &means, 8) };
        let weighted = params.fit(rows.view(), Some(&weights), &quiet()).unwrap();
        let mut repeated: Vec<usize> =
            (0..n).flat_map(|row| vec![row; weights[row] as usize]).collect();
        for at in (1..repeated.len()).rev() {
            repeated.swap(at, rng.below(at + 1));
        }
        let other = params.fit(rows.select(Axis(0), &repeated).view(), None, &quiet()).unwrap();
        prop_assert!(close(weighted.lower_bound(), other.lower_bound(), 1.0));
        for (a, b) in weighted.means().iter().zip(&other.means()) {
            prop_assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
        let a = weighted.criteria(rows.view(), Some(&weights), &quiet()).unwrap();
        let b = other.criteria(rows.select(Axis(0), &repeated).view(), None, &quiet()).unwrap();
        prop_assert!(close(a.0, b.0, 1e3) && close(a.1, b.1, 1e3) && close(a.2, b.2, 1e3));
    }

    #[test]
    fn hostile_rows_end_in_a_finite_model_or_an_error(
        (n, d, k) in (2usize..30, 1usize..5, 1usize..6),
        kind in 0usize..4,
        start in 0usize..4,
        scale in prop::sample::select(vec![0.0, 1e-200, 1e-12, 1.0, 1e8, 1e100, 1e147, 1e300]),
        distinct in 1usize..5,
        ridge in prop::sample::select(vec![0.0, 1e-6]),
        seed in any::<u64>(),
    ) {
        let mut rng = Rng::stream(seed, Stage::Sample, 0);
        let pool: Vec<f64> = (0..distinct * d).map(|_| scale * (rng.uniform() - 0.5)).collect();
        let rows = Array2::from_shape_fn((n, d), |(row, column)| {
            // The last column never varies.
            if column + 1 == d { scale } else { pool[(row * 7 % distinct) * d + column] }
        });
        let starts = [MixtureStart::KMeans, MixtureStart::PlusPlus, MixtureStart::Random, MixtureStart::RandomFromData];
        let params = GaussianMixture {
            covariance_type: KINDS[kind],
            start: starts[start],
            reg_covar: ridge,
            max_iter: 12,
            seed,
            ..GaussianMixture::new(k)
        };
        match params.fit(rows.view(), None, &quiet()) {
            Err(error) => prop_assert!(
                matches!(error, Error::BadValue { .. } | Error::Argument { .. } | Error::TooFewRows { .. }), "{error}"
            ),
            Ok(model) => {
                prop_assert!((model.weights().iter().sum::<f64>() - 1.0).abs() < 1e-12);
                let shares = model.shares(rows.view(), &quiet()).unwrap();
                for row in shares.axis_iter(Axis(0)) {
                    prop_assert!((row.sum() - 1.0).abs() < 1e-12, "{row}");
                }
                let numbers = model.means().into_iter().chain(model.covariances()).chain(model.precisions_cholesky());
                prop_assert!(numbers.into_iter().all(f64::is_finite));
                prop_assert!(model.lower_bound().is_finite());
                prop_assert!(model.score(rows.view(), None, &quiet()).unwrap().is_finite());
                // Rows far from everything have shares too.
                let far = rows.mapv(|_| 1e140);
                let shares = model.shares(far.view(), &quiet()).unwrap();
                prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
                prop_assert!(model.log_densities(far.view(), &quiet()).unwrap().iter().all(|l| l.is_finite()));
                let back: GaussianMixtureModel = from_json(&to_json(&model).unwrap()).unwrap();
                prop_assert_eq!(back, model);
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let rows = blobs(20_000, 5, 4, 1);
    for kind in KINDS {
        let params =
            GaussianMixture { covariance_type: kind, max_iter: 5, ..GaussianMixture::new(4) };
        let found: Vec<String> = [1, 2, 8]
            .into_iter()
            .map(|threads| {
                set_num_threads(threads);
                to_json(&params.fit(rows.view(), None, &quiet()).unwrap()).unwrap()
            })
            .collect();
        set_num_threads(0);
        assert!(found[0] == found[1] && found[1] == found[2], "{kind:?}");
    }
}

#[test]
fn a_large_common_part_costs_no_digits() {
    let rows = blobs(500, 3, 3, 4);
    for kind in KINDS {
        let means = rows.slice(ndarray::s![..3, ..]).to_owned();
        // Values of 2^27 with steps of 2^-26 are exact, so that both data sets hold the same rows.
        let exact =
            |values: &Array2<f64>| values.mapv(|x| (x * 2f64.powi(20)).round() * 2f64.powi(-20));
        let (rows, means) = (exact(&rows), exact(&means));
        let shift = 2f64.powi(27);
        let near = from_means(kind, &means, 10).fit(rows.view(), None, &quiet()).unwrap();
        let far = from_means(kind, &means.mapv(|x| x + shift), 10)
            .fit(rows.mapv(|x| x + shift).view(), None, &quiet())
            .unwrap();
        assert!(close(near.lower_bound(), far.lower_bound(), 1.0), "{kind:?}");
        for (a, b) in near.covariances().iter().zip(&far.covariances()) {
            assert!((a - b).abs() < 1e-7, "{kind:?}: {a} {b}");
        }
    }
}

#[test]
fn clusters_far_apart_keep_their_shape() {
    // Two clusters 10^9 apart with noise of size 1, started with both means in one of them.
    let noise = blobs(400, 2, 1, 5);
    let rows = Array2::from_shape_fn((400, 2), |(row, column)| {
        noise[[row, column]] + if row % 2 == 1 { 1e9 } else { 0.0 }
    });
    for kind in KINDS {
        let means = array![[0.0, 0.0], [3e8, 3e8]];
        let model = from_means(kind, &means, 30).fit(rows.view(), None, &quiet()).unwrap();
        for covariance in matrices(&model) {
            for i in 0..2 {
                assert!((0.2..1.5).contains(&covariance[[i, i]]), "{kind:?}: {covariance}");
            }
        }
        assert_eq!(model.weights(), [0.5, 0.5]);
    }
}

#[test]
fn a_component_on_copies_of_one_row_is_reported() {
    let mut rows = blobs(200, 2, 1, 6);
    rows.slice_mut(ndarray::s![..40, ..]).fill(30.0);
    let model = GaussianMixture::new(2).fit(rows.view(), None, &quiet()).unwrap();
    assert_eq!(model.collapsed(), [1]);
    assert!((model.weights()[1] - 0.2).abs() < 1e-9);
    let fine = GaussianMixture::new(2).fit(blobs(200, 2, 2, 6).view(), None, &quiet()).unwrap();
    assert!(fine.collapsed().is_empty());
}

#[test]
fn fewer_different_rows_than_components_leave_components_without_weight() {
    let rows = Array2::from_shape_fn((40, 2), |(row, _)| (row % 2) as f64);
    let model = GaussianMixture::new(4).fit(rows.view(), None, &quiet()).unwrap();
    assert_eq!(model.n_found(), 2);
    assert_eq!(model.weights()[2..], [0.0, 0.0]);
    let labels = model.predict(rows.view(), &quiet()).unwrap();
    assert!(
        labels
            .iter()
            .enumerate()
            .all(|(row, &label)| (label == labels[0]) == row.is_multiple_of(2))
    );
}

#[test]
fn components_are_ordered_by_weight() {
    let rows = Array2::from_shape_fn((300, 1), |(row, _)| {
        let group = if row < 50 {
            0.0
        } else if row < 150 {
            10.0
        } else {
            20.0
        };
        group + (row % 7) as f64 * 0.1
    });
    let model = GaussianMixture::new(3).fit(rows.view(), None, &quiet()).unwrap();
    let means: Vec<f64> = model.means().iter().map(|mean| mean.round()).collect();
    assert_eq!(means, [20.0, 10.0, 0.0]);
}

#[test]
fn narrow_numbers_give_the_model_of_the_same_values() {
    let narrow = blobs(300, 3, 3, 7).mapv(|value| value as f32);
    let means = narrow.slice(ndarray::s![..3, ..]).mapv(f64::from);
    let params = from_means(CovarianceType::Full, &means, 10);
    let a = params.fit(narrow.view(), None, &quiet()).unwrap();
    let b = params.fit(narrow.mapv(f64::from).view(), None, &quiet()).unwrap();
    for (a, b) in a.means().iter().zip(&b.means()) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn linfa_fits_and_predicts() {
    let rows = blobs(200, 2, 2, 8);
    let model = Fit::fit(&GaussianMixture::new(2), &DatasetBase::from(rows.clone())).unwrap();
    let labels: Array1<usize> = Predict::predict(&model, &rows);
    let direct = model.predict(rows.view(), &quiet()).unwrap();
    assert!(labels.iter().zip(&direct).all(|(&a, &b)| a == b as usize));
}

#[test]
fn wrong_arguments_are_named() {
    let rows = blobs(20, 2, 2, 9);
    let refused =
        |params: GaussianMixture| params.fit(rows.view(), None, &quiet()).unwrap_err().to_string();
    let good = GaussianMixture::new(2);
    assert!(
        refused(GaussianMixture { n_components: 21, ..good.clone() }).contains("n_components=20")
    );
    assert!(refused(GaussianMixture { tolerance: f64::NAN, ..good.clone() }).starts_with("tol"));
    assert!(refused(GaussianMixture { reg_covar: -1.0, ..good.clone() }).starts_with("reg_covar"));
    let given = |given: GivenStart| refused(GaussianMixture { given, ..good.clone() });
    assert!(
        given(GivenStart { weights: Some(array![0.5, 0.6]), ..Default::default() })
            .contains("sum to 1")
    );
    assert!(
        given(GivenStart { means: Some(array![[0.0, 1.0]]), ..Default::default() })
            .contains("[2, 2] is needed")
    );
    let lopsided = Array2::from_elem((2, 2), -1.0).insert_axis(Axis(0));
    let lopsided = ndarray::concatenate![Axis(0), lopsided, lopsided].into_dyn();
    assert!(
        given(GivenStart { precisions: Some(lopsided), ..Default::default() })
            .contains("positive definite")
    );
    let constant = Array2::<f64>::ones((20, 2));
    let error = GaussianMixture { reg_covar: 0.0, ..good }.fit(constant.view(), None, &quiet());
    assert!(error.unwrap_err().to_string().contains("\"x0\" does not vary"));
}

#[test]
fn a_stopped_fit_is_interrupted() {
    let monitor = quiet();
    monitor.stop();
    let found = GaussianMixture::new(2).fit(blobs(50, 2, 2, 1).view(), None, &monitor);
    assert_eq!(found, Err(Error::Interrupted));
}

#[test]
fn broken_files_are_refused() {
    let model = GaussianMixture::new(2).fit(blobs(50, 2, 2, 1).view(), None, &quiet()).unwrap();
    let text = to_json(&model).unwrap();
    for (from, to) in [
        ("\"weights\":[", "\"weights\":[0.5,"),
        ("\"weights\":[0", "\"weights\":[1"),
        ("\"covariance_type\":\"full\"", "\"covariance_type\":\"diag\""),
        ("\"collapsed\":[]", "\"collapsed\":[7]"),
        ("\"means\":[", "\"means\":[1e308,"),
    ] {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from}");
        assert!(from_json::<GaussianMixtureModel>(&broken).is_err(), "{to}");
    }
}
