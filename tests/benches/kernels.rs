//! Time of the clustering passes, by rows, features and clusters.
//!
//! Ten iterations from a given start are nine or ten passes; the start costs nothing.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ilk::cluster::{KMeans, KModes, KPrototypes, Mixed, MixedStart, Real, Start};
use ilk::parallel::Monitor;
use ilk::rng::{Rng, Stage};
use ndarray::{Array2, s};

const ITERATIONS: usize = 10;

fn rows<T: Real>(n: usize, d: usize) -> Array2<T> {
    let mut rng = Rng::stream(1, Stage::Reference, 0);
    Array2::from_shape_simple_fn((n, d), || T::narrow(rng.uniform()))
}

fn k_means<T: Real>(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("k_means_{}", T::NAME));
    for (n, d, k) in [
        (1_000, 4, 4),
        (10_000, 4, 4),
        (100_000, 4, 4),
        (100_000, 16, 8),
        (100_000, 16, 16),
        (20_000, 64, 32),
    ] {
        let data = rows::<T>(n, d);
        let start = Start::Given(data.slice(s![..k, ..]).to_owned());
        let params = KMeans { start, max_iter: ITERATIONS, tolerance: 0.0, ..KMeans::new(k) };
        group.throughput(Throughput::Elements((n * ITERATIONS) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{n}x{d}, k={k}")), |bencher| {
            bencher.iter(|| params.fit(data.view(), None, &Monitor::new()).unwrap());
        });
    }
    group.finish();
}

fn k_prototypes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("k_prototypes");
    for (n, k) in [(1_000, 6), (10_000, 6), (100_000, 6), (100_000, 16)] {
        let mut rng = Rng::stream(2, Stage::Reference, 0);
        let numbers = rows::<f64>(n, 6);
        let codes = Array2::from_shape_simple_fn((n, 6), || rng.below(8) as u32);
        let data = Mixed::new(numbers.view(), codes.view(), &[8; 6]).unwrap();
        let start = MixedStart::Given(
            numbers.slice(s![..k, ..]).to_owned(),
            codes.slice(s![..k, ..]).to_owned(),
        );
        let params = KPrototypes { start, max_iter: ITERATIONS, ..KPrototypes::new(k) };
        group.throughput(Throughput::Elements((n * ITERATIONS) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{n}x(6+6), k={k}")), |bencher| {
            bencher.iter(|| params.fit(&data, None, &Monitor::new()).unwrap());
        });
    }
    group.finish();
}

fn k_modes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("k_modes");
    for (n, k) in [(10_000, 5), (100_000, 5), (100_000, 16)] {
        let mut rng = Rng::stream(3, Stage::Reference, 0);
        let codes = Array2::from_shape_simple_fn((n, 12), || rng.below(8) as u32);
        let data = Mixed::from_codes(codes.view()).unwrap();
        let modes = codes.slice(s![..k, ..]).to_owned();
        let start = MixedStart::Given(Array2::zeros((k, 0)), modes);
        let params = KModes { start, max_iter: ITERATIONS, ..KModes::new(k) };
        group.throughput(Throughput::Elements((n * ITERATIONS) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{n}x12, k={k}")), |bencher| {
            bencher.iter(|| params.fit(&data, None, &Monitor::new()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, k_means::<f64>, k_means::<f32>, k_prototypes, k_modes);
criterion_main!(benches);
