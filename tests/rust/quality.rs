//! Laws of the quality room, and hostile data.

use ilk::manifest::Manifest;
use ilk::parallel::Monitor;
use ilk::persist::{Persist, from_json, to_json};
use ilk::quality::agreement::Agreement;
use ilk::quality::centres::{nearness, separation};
use ilk::quality::customers::{Customers, Source};
use ilk::quality::metric::Metric;
use ilk::quality::segments::segment_stability;
use ilk::quality::select::{self, select};
use ilk::quality::silhouette::{silhouettes, simplified_silhouettes};
use ilk::quality::stability::{self, stability};
use ilk::quality::{noise, separation as results};
use ilk::rng::{Rng, Stage};
use ilk::table::{Prepared, Scale, Table};
use ndarray::Array2;
use proptest::prelude::*;

fn manifest(rows: usize) -> Manifest {
    Manifest::new("test", Default::default(), Some(0), rows)
}

/// Customers with these columns of numbers, as they are.
fn customers(columns: &[Vec<f64>], labels: Option<&[u32]>) -> ilk::Result<Customers> {
    let mut table = Table::builder();
    for (at, column) in columns.iter().enumerate() {
        table = table.float(&format!("x{at}"), column.iter().copied());
    }
    let source = Source {
        features: None,
        exclude: &[],
        scale: Scale::None,
        method: Some(ilk::segment::Method::Auto),
        weights: None,
        labels,
    };
    Customers::read(&table.finish()?, &source, &mut manifest(columns[0].len()))
}

/// Columns with few different values, so that rows and distances are equal often.
fn columns(n: usize, d: usize, values: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Rng::stream(seed, Stage::Sample, 7);
    (0..d).map(|_| (0..n).map(|_| rng.below(values) as f64).collect()).collect()
}

fn prepared(n: usize, d: usize, seed: u64) -> Prepared {
    let mut rng = Rng::stream(seed, Stage::Sample, 8);
    let numeric = Array2::from_shape_fn((n, d), |_| rng.uniform() * 4.0);
    Prepared { numeric, codes: Array2::zeros((n, 0)), n_categories: vec![] }
}

fn labels(n: usize, k: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng::stream(seed, Stage::Sample, 9);
    (0..n).map(|_| rng.below(k) as u32).collect()
}

proptest! {
    #[test]
    fn silhouettes_are_those_of_the_definition(n in 1usize..70, d in 1usize..6, k in 1usize..6, seed in any::<u64>()) {
        let (rows, labels) = (prepared(n, d, seed), labels(n, k, seed));
        let metric = Metric::new(&rows, &[]);
        let found = silhouettes(&metric, &labels, None, &Monitor::new()).unwrap();
        for row in 0..n {
            let mean = |segment: u32| {
                let members = (0..n).filter(|&other| other != row && labels[other] == segment);
                let (count, sum) = members.fold((0, 0.0), |(count, sum), other| {
                    (count + 1, sum + metric.distance(row, other))
                });
                (count > 0).then(|| sum / f64::from(count))
            };
            let inside = mean(labels[row]);
            let outside =
                (0..k as u32).filter(|&s| s != labels[row]).filter_map(mean).reduce(f64::min);
            let expected = match (inside, outside) {
                (Some(a), Some(b)) if a.max(b) > 0.0 => (b - a) / a.max(b),
                _ => 0.0,
            };
            prop_assert!((found[row].width - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn permuting_columns_and_scaling_change_no_index(n in 4usize..60, seed in any::<u64>()) {
        let (rows, labels) = (prepared(n, 3, seed), labels(n, 3, seed));
        let mut other = rows.clone();
        other.numeric = rows.numeric.select(ndarray::Axis(1), &[2, 0, 1]) * 8.0;
        let of = |rows: &Prepared| {
            let metric = Metric::new(rows, &[]);
            let widths = simplified_silhouettes(&metric, &labels, None).unwrap();
            let found = separation(&metric, &labels, None);
            let shadow = nearness(&metric, &labels, None).iter().map(|n| n.shadow).sum::<f64>();
            (widths[0].width, found.calinski_harabasz, found.davies_bouldin, shadow)
        };
        let (a, b) = (of(&rows), of(&other));
        for (a, b) in [(a.0, b.0), (a.1, b.1), (a.2, b.2), (a.3, b.3)] {
            prop_assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0) || (a.is_nan() && b.is_nan()));
        }
    }

    #[test]
    fn agreement_is_symmetric_and_blind_to_names(n in 1usize..80, seed in any::<u64>()) {
        let (a, b) = (labels(n, 4, seed), labels(n, 5, !seed));
        let renamed: Vec<u32> = a.iter().map(|label| 3 - label).collect();
        let of = |a: &[u32], b: &[u32]| {
            let found = Agreement::of(a, b).unwrap();
            [found.adjusted_rand(), found.rand(), found.jaccard(), found.normalised_information()]
        };
        for other in [of(&b, &a), of(&renamed, &b)] {
            for (x, y) in of(&a, &b).iter().zip(other) {
                prop_assert!((x - y).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn hostile_data_ends_in_an_answer_or_an_error(
        n in 1usize..25,
        d in 1usize..4,
        values in 1usize..5,
        k in 1usize..7,
        kind in 0usize..4,
        seed in any::<u64>(),
    ) {
        let mut columns = columns(n, d, values, seed);
        match kind {
            1 => columns[0][0] = 1e300,
            2 => columns[0].fill(f64::NAN),
            3 => columns.iter_mut().for_each(|column| column[n - 1] = f64::NAN),
            _ => {}
        }
        let labels = labels(n, k, seed);
        let Ok(customers) = customers(&columns, Some(&labels)) else { return Ok(()) };
        let monitor = Monitor::new();
        let names: Vec<String> = (0..k).map(|name| name.to_string()).collect();
        let options = stability::Options { ks: vec![2, k + 2], n_boot: 2, n_init: 1, sample_rows: 9, seed };
        if let Ok(found) = stability(&customers, &options, manifest(n), &monitor) {
            found.validate().unwrap();
        }
        if let Ok(found) = segment_stability(&customers, names.clone(), &options, manifest(n), &monitor) {
            found.validate().unwrap();
        }
        let options = select::Options {
            ks: vec![1, k + 1],
            n_init: 1,
            n_splits: 2,
            n_references: 2,
            sample_rows: 9,
            silhouette_rows: 7,
            seed,
        };
        if let Ok(found) = select(&customers, &options, manifest(n), &monitor) {
            prop_assert!(found.tried.iter().flat_map(|t| &t.criteria).flatten().all(|v| v.is_finite()));
            prop_assert_eq!(from_json::<select::Selection>(&to_json(&found).unwrap()).unwrap(), found);
        }
        let options = noise::Options { k: k + 1, n_simulated: 2, n_init: 1, n_splits: 1, sample_rows: 9, seed };
        if let Ok(found) = noise::noise_test(&customers, &options, manifest(n), &monitor) {
            found.validate().unwrap();
        }
        match results::widths(&customers, names.clone(), seed % 2 == 0, manifest(n), &monitor) {
            Ok(found) => found.validate().unwrap(),
            Err(refusal) => {
                let one = customers.labels.iter().all(|label| *label == customers.labels[0]);
                prop_assert!(one, "{}", refusal);
            }
        }
        results::shadows(&customers, names, manifest(n)).unwrap().validate().unwrap();
    }
}

#[test]
fn a_stopped_monitor_ends_every_long_computation() {
    let customers = customers(&columns(60, 2, 50, 1), None).unwrap();
    let monitor = Monitor::new();
    monitor.stop();
    let options =
        stability::Options { ks: vec![2], n_boot: 3, n_init: 1, sample_rows: 99, seed: 0 };
    let stopped = Err(ilk::Error::Interrupted);
    assert_eq!(stability(&customers, &options, manifest(60), &monitor).map(|_| ()), stopped);
    let metric = Metric::new(&customers.rows, &[]);
    assert_eq!(silhouettes(&metric, &[0; 60], None, &monitor).map(|_| ()), stopped);
}
