//! Laws of clusters by density, and the definitions written out slowly.

use ilk::Error;
use ilk::cluster::{Dbscan, DbscanModel, Hdbscan, HdbscanModel, Selection};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist::{from_json, to_json};
use ilk::rng::{Rng, Stage};
use linfa::DatasetBase;
use linfa::traits::Transformer;
use ndarray::{Array1, Array2, ArrayView2, Axis, array};
use proptest::prelude::*;

fn quiet() -> Monitor {
    Monitor::new()
}

/// Groups of rows on a grid of `steps` per unit, so that all squares are exact; coarse grids have many ties.
fn grid(n: usize, d: usize, groups: usize, steps: f64, seed: u64) -> Array2<f64> {
    let mut rng = Rng::stream(seed, Stage::Reference, 0);
    let centres = Array2::from_shape_fn((groups, d), |_| rng.below(8) as f64);
    Array2::from_shape_fn((n, d), |(row, column)| {
        let spread: f64 = (0..4).map(|_| rng.uniform() - 0.5).sum();
        let wide = if row % 7 == 0 { 6.0 } else { 1.0 };
        ((centres[(row % groups, column)] + wide * spread) * steps).round() / steps
    })
}

/// Squared distances between all rows.
fn squares(rows: ArrayView2<'_, f64>) -> Vec<Vec<f64>> {
    let between = |a: usize, b: usize| (&rows.row(a) - &rows.row(b)).mapv(|x| x * x).sum();
    let n = rows.nrows();
    (0..n).map(|a| (0..n).map(|b| between(a, b)).collect()).collect()
}

/// A cluster as the definition has it.
#[derive(Debug, Default)]
struct Slow {
    rows: Vec<usize>,
    birth: f64,
    death: f64,
    stability: f64,
    /// Rows that leave and the densities at which they do.
    left: Vec<(usize, f64)>,
    children: Vec<Slow>,
}

/// Groups of rows that hang together by weights for which `joined` holds.
fn groups(rows: &[usize], joined: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut waiting = rows.to_vec();
    let mut found = Vec::new();
    while let Some(first) = waiting.pop() {
        let mut group = vec![first];
        let mut at = 0;
        while at < group.len() {
            let here = group[at];
            let (near, far) = waiting.iter().partition(|&&row| joined(here, row));
            waiting = far;
            group.extend::<Vec<usize>>(near);
            at += 1;
        }
        found.push(group);
    }
    found
}

/// The condensed tree below a set of connected rows, by taking away all edges of the largest length again and again.
fn slow(weights: &[Vec<f64>], rows: Vec<usize>, birth: f64, least: usize) -> Slow {
    let mut cluster = Slow { rows: rows.clone(), birth, death: birth, ..Slow::default() };
    let mut rows = rows;
    while rows.len() > 1 {
        let mut lengths: Vec<f64> =
            rows.iter().flat_map(|&a| rows.iter().map(move |&b| weights[a][b])).collect();
        lengths.sort_by(f64::total_cmp);
        let whole =
            |&length: &f64| groups(&rows, |a, b| a == b || weights[a][b] <= length).len() > 1;
        let length = lengths[lengths.partition_point(whole)];
        let lambda = 1.0 / length.sqrt();
        cluster.death = lambda;
        let parts = groups(&rows, |a, b| a == b || weights[a][b] < length);
        let (mut large, small): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.len() >= least);
        cluster.left.extend(small.into_iter().flatten().map(|row| (row, lambda)));
        match large.len() {
            0 => break,
            1 => rows = large.remove(0),
            _ => {
                let below = |part| slow(weights, part, lambda, least);
                cluster.children = large.into_iter().map(below).collect();
                break;
            }
        }
    }
    let added = |lambda: f64, count: usize| (lambda - birth) * count as f64;
    cluster.stability = cluster.left.iter().map(|&(_, lambda)| added(lambda, 1)).sum::<f64>()
        + cluster.children.iter().map(|child| added(child.birth, child.rows.len())).sum::<f64>();
    cluster
}

impl Slow {
    /// The best mass of clusters in here, and which they are.
    fn chosen(&self, root: bool) -> (f64, Vec<&Slow>) {
        let below: Vec<_> = self.children.iter().map(|child| child.chosen(false)).collect();
        let mass: f64 = below.iter().map(|(mass, _)| mass).sum();
        // Sums in another order differ in their last bits; such ties are left to the test.
        if !root && self.stability >= mass * (1.0 - 1e-12) {
            return (self.stability, vec![self]);
        }
        (mass, below.into_iter().flat_map(|(_, chosen)| chosen).collect())
    }

    fn leaves(&self, root: bool) -> Vec<&Slow> {
        match (self.children.is_empty(), root) {
            (true, true) => Vec::new(),
            (true, false) => vec![self],
            _ => self.children.iter().flat_map(|child| child.leaves(false)).collect(),
        }
    }

    /// Adds what takes the place of each chosen cluster where those that appear within `epsilon` are to be whole.
    fn whole<'a>(
        &'a self,
        chosen: &[&Slow],
        epsilon: f64,
        path: &mut Vec<&'a Slow>,
        found: &mut Vec<&'a Slow>,
    ) {
        path.push(self);
        if chosen.iter().any(|chosen| std::ptr::eq(*chosen, self)) {
            let appears = |cluster: &Slow| 1.0 / cluster.birth;
            let wide = path[1..].iter().rev().find(|above| appears(above) > epsilon);
            found.push(if appears(self) >= epsilon { self } else { wide.unwrap_or(&path[1]) });
        }
        self.children.iter().for_each(|child| child.whole(chosen, epsilon, path, found));
        path.pop();
    }

    fn all_left(&self) -> Vec<(usize, f64)> {
        let below = self.children.iter().flat_map(Slow::all_left);
        self.left.iter().copied().chain(below).collect()
    }

    fn densest(&self) -> f64 {
        self.children.iter().map(Slow::densest).fold(self.death, f64::max)
    }

    fn scores(&self, found: &mut [f64]) {
        for &(row, lambda) in &self.left {
            let densest = self.densest();
            found[row] = if lambda == densest { 0.0 } else { 1.0 - lambda / densest };
        }
        self.children.iter().for_each(|child| child.scores(found));
    }
}

fn slow_tree(rows: ArrayView2<'_, f64>, least: usize, min_samples: usize) -> Slow {
    let squares = squares(rows);
    let core: Vec<f64> = squares
        .iter()
        .map(|line| {
            let mut line = line.clone();
            line.sort_by(f64::total_cmp);
            line[min_samples - 1]
        })
        .collect();
    let n = rows.nrows();
    let weights: Vec<Vec<f64>> =
        (0..n).map(|a| (0..n).map(|b| squares[a][b].max(core[a]).max(core[b])).collect()).collect();
    slow(&weights, (0..n).collect(), 0.0, least)
}

/// Labels and probabilities of the definition, numbered by size and first row.
fn slow_labels(mut chosen: Vec<&Slow>, n: usize) -> (Vec<i32>, Vec<f64>) {
    chosen
        .sort_by_key(|cluster| (std::cmp::Reverse(cluster.rows.len()), cluster.rows.iter().min()));
    let (mut labels, mut probabilities) = (vec![-1; n], vec![0.0; n]);
    for (label, cluster) in chosen.iter().enumerate() {
        for (row, lambda) in cluster.all_left() {
            labels[row] = label as i32;
            probabilities[row] = if lambda >= cluster.death { 1.0 } else { lambda / cluster.death };
        }
    }
    (labels, probabilities)
}

fn params(least: usize, min_samples: usize) -> Hdbscan {
    Hdbscan { min_samples: Some(min_samples), ..Hdbscan::new(least) }
}

fn fit(params: &Hdbscan, rows: &Array2<f64>) -> HdbscanModel {
    params.fit(rows.view(), &quiet()).unwrap()
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a - b).abs() <= 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hdbscan_is_its_definition(
        n in 2_usize..70, d in 1_usize..5, groups in 1_usize..4, steps in 0_u32..7,
        least in 2_usize..7, min_samples in 1_usize..9, seed in 0_u64..10_000,
    ) {
        let rows = grid(n, d, groups, f64::from(1 << steps), seed);
        let min_samples = min_samples.min(n);
        let slow = slow_tree(rows.view(), least, min_samples);
        let params = params(least, min_samples);
        let model = fit(&params, &rows);
        let (labels, probabilities) = slow_labels(slow.chosen(true).1, n);
        prop_assert_eq!(model.labels(), labels);
        prop_assert!(close(model.probabilities(), &probabilities));
        let mut scores = vec![0.0; n];
        slow.scores(&mut scores);
        prop_assert!(close(&model.outlier_scores(), &scores));
        let leaf = fit(&Hdbscan { selection: Selection::Leaf, ..params }, &rows);
        let (labels, probabilities) = slow_labels(slow.leaves(true), n);
        prop_assert_eq!(leaf.labels(), labels);
        prop_assert!(close(leaf.probabilities(), &probabilities));
    }

    #[test]
    fn clusters_closer_than_epsilon_stay_whole(
        n in 20_usize..70, steps in 0_u32..7, least in 2_usize..5, epsilon in 1_u32..12, leaf in any::<bool>(), seed in 0_u64..10_000,
    ) {
        let rows = grid(n, 2, 3, f64::from(1 << steps), seed);
        let slow = slow_tree(rows.view(), least, 2);
        let epsilon = f64::from(epsilon) / 3.0;
        let chosen = if leaf { slow.leaves(true) } else { slow.chosen(true).1 };
        let mut found = Vec::new();
        slow.whole(&chosen, epsilon, &mut Vec::new(), &mut found);
        // Of clusters in each other the outer one counts, and each once.
        let mut outer: Vec<&Slow> = Vec::new();
        for &cluster in &found {
            let inside = |other: &&Slow| other.rows.len() > cluster.rows.len() && other.rows.contains(&cluster.rows[0]);
            if !found.iter().any(inside) && !outer.iter().any(|other| std::ptr::eq(*other, cluster)) {
                outer.push(cluster);
            }
        }
        let (labels, probabilities) = slow_labels(outer, n);
        let selection = if leaf { Selection::Leaf } else { Selection::ExcessOfMass };
        let model = fit(&Hdbscan { cluster_selection_epsilon: epsilon, selection, ..params(least, 2) }, &rows);
        prop_assert_eq!(model.labels(), labels);
        prop_assert!(close(model.probabilities(), &probabilities));
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        n in 2_usize..200, d in 1_usize..4, steps in 0_u32..5, least in 2_usize..9, seed in 0_u64..10_000,
    ) {
        let rows = grid(n, d, 3, f64::from(1 << steps), seed);
        let order = Rng::stream(seed, Stage::Sample, 1).sample(n, n);
        let model = fit(&Hdbscan::new(least), &rows);
        let shuffled = fit(&Hdbscan::new(least), &rows.select(Axis(0), &order));
        prop_assert_eq!(shuffled.n_clusters(), model.n_clusters());
        for (at, &row) in order.iter().enumerate() {
            prop_assert_eq!(shuffled.probabilities()[at], model.probabilities()[row]);
            prop_assert_eq!(shuffled.labels()[at] < 0, model.labels()[row] < 0);
            for (other_at, &other) in order.iter().enumerate() {
                let together = shuffled.labels()[at] == shuffled.labels()[other_at];
                prop_assert_eq!(together, model.labels()[row] == model.labels()[other]);
            }
        }
    }

    #[test]
    fn training_rows_are_predicted_as_they_are_labelled(
        n in 2_usize..200, d in 1_usize..4, steps in 0_u32..7, least in 2_usize..9,
        min_samples in 1_usize..9, seed in 0_u64..10_000,
    ) {
        let rows = grid(n, d, 3, f64::from(1 << steps), seed);
        let model = fit(&params(least, min_samples.min(n)), &rows);
        let (labels, probabilities) = model.predict(rows.view(), &quiet()).unwrap();
        prop_assert_eq!(model.labels(), labels);
        prop_assert_eq!(model.probabilities(), probabilities);
        let back: HdbscanModel = from_json(&to_json(&model).unwrap()).unwrap();
        prop_assert_eq!(&back, &model);
        prop_assert_eq!(back.predict(rows.view(), &quiet()).unwrap(), model.predict(rows.view(), &quiet()).unwrap());
    }

    #[test]
    fn branches_are_a_tree_of_all_rows(
        n in 2_usize..150, least in 2_usize..9, seed in 0_u64..10_000,
    ) {
        let model = fit(&Hdbscan::new(least), &grid(n, 2, 3, 16.0, seed));
        let branches = model.branches();
        let mut rows: Vec<usize> =
            branches.iter().filter(|branch| branch.child < n).map(|branch| branch.child).collect();
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
        for branch in branches.iter().filter(|branch| branch.child >= n) {
            let below: usize = branches
                .iter()
                .filter(|inner| inner.parent == branch.child)
                .map(|inner| inner.size)
                .sum();
            prop_assert_eq!(below, branch.size);
            prop_assert!(branch.size >= least);
            prop_assert!(branches.iter().all(|inner| inner.parent != branch.child || inner.lambda > branch.lambda));
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let rows = grid(6_000, 3, 3, 512.0, 3);
    let fitted: Vec<HdbscanModel> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            fit(&Hdbscan { allow_single_cluster: true, ..Hdbscan::new(20) }, &rows)
        })
        .collect();
    set_num_threads(0);
    assert!(fitted[0].n_clusters() > 1);
    assert!(fitted.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn large_neighbourhoods_are_those_of_the_definition() {
    let rows = grid(300, 3, 3, 64.0, 9);
    for min_samples in [33, 48, 49, 60, 300] {
        let model = fit(&params(5, min_samples), &rows);
        for (row, line) in squares(rows.view()).into_iter().enumerate() {
            let mut line = line;
            line.sort_by(f64::total_cmp);
            assert_eq!(model.core_distances()[row], line[min_samples - 1].sqrt());
        }
        let (labels, _) = slow_labels(slow_tree(rows.view(), 5, min_samples).chosen(true).1, 300);
        assert_eq!(model.labels(), labels);
    }
}

#[test]
fn degenerate_rows_end_in_an_answer() {
    let hdbscan = Hdbscan::new(2);
    assert_eq!(fit(&hdbscan, &array![[1.0]]).labels(), [-1]);
    let same = Array2::from_elem((50, 3), 4.0);
    let model = fit(&hdbscan, &same);
    assert_eq!(model.n_clusters(), 0);
    assert!(model.outlier_scores().iter().all(|score| *score == 0.0));
    let single = Hdbscan { allow_single_cluster: true, ..Hdbscan::new(2) };
    let model = fit(&single, &same);
    assert_eq!(model.labels(), [0; 50]);
    assert_eq!(model.probabilities(), [1.0; 50]);
    let two: Array2<f64> = Array2::from_shape_fn((20, 2), |(row, _)| (row % 2) as f64);
    let model = fit(&hdbscan, &two);
    assert_eq!(model.n_clusters(), 2);
    assert!((0..20).all(|row| model.labels()[row] == row as i32 % 2));
    assert!(model.probabilities().iter().all(|probability| *probability == 1.0));
    let back: HdbscanModel = from_json(&to_json(&model).unwrap()).unwrap();
    assert_eq!(back, model);
}

#[test]
fn what_is_not_allowed_is_named() {
    let rows = grid(20, 2, 2, 8.0, 1);
    let refused = |params: Hdbscan| params.fit(rows.view(), &quiet()).unwrap_err().to_string();
    assert!(refused(Hdbscan::new(1)).contains("min_cluster_size"));
    assert!(refused(params(5, 21)).contains("min_samples=21 needs at least 21 rows"));
    assert!(refused(params(5, 0)).contains("min_samples"));
    let epsilon = Hdbscan { cluster_selection_epsilon: f64::NAN, ..Hdbscan::new(5) };
    assert!(refused(epsilon).contains("cluster_selection_epsilon"));
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let mut rows = rows.clone();
        rows[[7, 1]] = bad;
        let error = Hdbscan::new(5).fit(rows.view(), &quiet()).unwrap_err();
        assert!(matches!(error, Error::BadValue { row: 7, ref column, .. } if column == "x1"));
    }
    let stopped = quiet();
    stopped.stop();
    assert_eq!(Hdbscan::new(5).fit(rows.view(), &stopped), Err(Error::Interrupted));
}

#[test]
fn linfa_fits_the_same_model() {
    let rows = grid(120, 2, 2, 32.0, 4);
    let dataset = DatasetBase::from(rows.clone());
    let model = linfa::traits::Fit::fit(&Hdbscan::new(6), &dataset).unwrap();
    assert_eq!(model, fit(&Hdbscan::new(6), &rows));
}

#[test]
fn hostile_files_are_refused() {
    let model = fit(&Hdbscan::new(3), &grid(30, 2, 2, 8.0, 5));
    let text = to_json(&model).unwrap();
    let mut content: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fields: Vec<String> = content["content"].as_object().unwrap().keys().cloned().collect();
    for field in fields {
        let kept = content["content"][&field].take();
        content["content"][&field] = match &kept {
            serde_json::Value::Array(items) if field != "names" => items[1..].into(),
            _ => serde_json::Value::from(-7),
        };
        let broken = from_json::<HdbscanModel>(&content.to_string());
        // One label fewer is caught by its rows, one cluster fewer by the labels.
        assert!(matches!(broken, Err(Error::ModelFile { .. })), "{field}");
        content["content"][&field] = kept;
    }
    assert_eq!(from_json::<HdbscanModel>(&content.to_string()).unwrap(), model);
}

/// DBSCAN by its definition: core rows, their clusters, and the clusters that each other row may belong to.
fn slow_dbscan(
    rows: ArrayView2<'_, f64>,
    weights: &[f64],
    eps: f64,
    min_samples: usize,
) -> (Vec<usize>, Vec<Vec<usize>>, Vec<f64>) {
    let squares = squares(rows);
    let n = rows.nrows();
    let near = |a: usize, b: usize| squares[a][b] <= eps * eps;
    let mass = |a: usize| (0..n).filter(|&b| near(a, b)).map(|b| weights[b]).sum::<f64>();
    let core: Vec<usize> =
        (0..n).filter(|&a| weights[a] > 0.0 && mass(a) >= min_samples as f64).collect();
    let clusters = groups(&core, near);
    let nearest =
        (0..n).map(|a| core.iter().map(|&b| squares[a][b]).fold(f64::INFINITY, f64::min)).collect();
    (core, clusters, nearest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn dbscan_is_its_definition(
        n in 1_usize..150, d in 1_usize..4, steps in 0_u32..7, min_samples in 1_usize..8,
        eps in 1_u32..12, weighted in any::<bool>(), seed in 0_u64..10_000,
    ) {
        let rows = grid(n, d, 3, f64::from(1 << steps), seed);
        let eps = f64::from(eps) / 4.0;
        let weights: Vec<f64> =
            (0..n).map(|row| if weighted { (row % 4) as f64 } else { 1.0 }).collect();
        prop_assume!(weights.iter().sum::<f64>() > 0.0);
        let (core, clusters, nearest) = slow_dbscan(rows.view(), &weights, eps, min_samples);
        let given = weighted.then_some(weights.as_slice());
        let model = Dbscan::new(eps, min_samples).fit(rows.view(), given, &quiet()).unwrap();
        let found: Vec<usize> = model.core_rows().iter().map(|&row| row as usize).collect();
        prop_assert_eq!(&found, &core);
        prop_assert_eq!(model.n_clusters(), clusters.len());
        for cluster in &clusters {
            let label = model.labels()[cluster[0]];
            prop_assert!(cluster.iter().all(|&row| model.labels()[row] == label));
        }
        let squares = squares(rows.view());
        for row in 0..n {
            let label = model.labels()[row];
            prop_assert_eq!(label < 0, nearest[row] > eps * eps);
            let near = core.iter().find(|&&other| squares[row][other] == nearest[row]);
            if label >= 0 {
                prop_assert_eq!(label, model.labels()[*near.unwrap()]);
            }
        }
        let mut totals = vec![0.0; clusters.len()];
        for (&label, weight) in model.labels().iter().zip(&weights) {
            if let Ok(label) = usize::try_from(label) {
                totals[label] += weight;
            }
        }
        prop_assert!(totals.windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert_eq!(model.predict(rows.view(), &quiet()).unwrap(), model.labels());
        let back: DbscanModel = from_json(&to_json(&model).unwrap()).unwrap();
        prop_assert_eq!(&back, &model);
    }

    #[test]
    fn a_weight_of_two_is_two_rows(
        n in 2_usize..100, min_samples in 1_usize..9, eps in 1_u32..12, seed in 0_u64..10_000,
    ) {
        let rows = grid(n, 2, 3, 4.0, seed);
        let weights: Vec<f64> = (0..n).map(|row| ((row + 1) % 3) as f64).collect();
        let copies: Vec<usize> =
            (0..n).flat_map(|row| std::iter::repeat_n(row, (row + 1) % 3)).collect();
        let dbscan = Dbscan::new(f64::from(eps) / 4.0, min_samples);
        let weighted = dbscan.fit(rows.view(), Some(&weights), &quiet()).unwrap();
        let repeated = rows.select(Axis(0), &copies);
        let repeated = dbscan.fit(repeated.view(), None, &quiet()).unwrap();
        let labels: Vec<i32> = copies.iter().map(|&row| weighted.labels()[row]).collect();
        prop_assert_eq!(repeated.labels(), labels);
    }

    #[test]
    fn dbscan_agrees_with_linfa(
        n in 2_usize..120, d in 1_usize..4, min_samples in 2_usize..8, eps in 2_u32..12, seed in 0_u64..10_000,
    ) {
        let rows = grid(n, d, 3, 64.0, seed);
        // Between the distances that a grid can have, so that nothing hangs on the last bit.
        let eps = f64::from(eps) / 4.0 + 1e-5;
        let model = Dbscan::new(eps, min_samples).fit(rows.view(), None, &quiet()).unwrap();
        let theirs: Array1<Option<usize>> = linfa_clustering::Dbscan::params(min_samples)
            .tolerance(eps)
            .transform(&rows)
            .unwrap();
        let core: Vec<usize> = model.core_rows().iter().map(|&row| row as usize).collect();
        for row in 0..n {
            prop_assert_eq!(theirs[row].is_none(), model.labels()[row] < 0);
        }
        for &a in &core {
            for &b in &core {
                let together = model.labels()[a] == model.labels()[b];
                prop_assert_eq!(theirs[a] == theirs[b], together);
            }
        }
    }
}

#[test]
fn dbscan_has_the_same_bits_for_any_number_of_threads() {
    let rows = grid(6_000, 3, 5, 512.0, 3);
    let fitted: Vec<DbscanModel> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            Dbscan::new(0.4, 10).fit(rows.view(), None, &quiet()).unwrap()
        })
        .collect();
    set_num_threads(0);
    assert!(fitted[0].n_clusters() > 1 && fitted[0].labels().contains(&-1));
    assert!(fitted.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn dbscan_bears_degenerate_rows() {
    let fit = |rows: &Array2<f64>, eps: f64, min_samples: usize| {
        Dbscan::new(eps, min_samples).fit(rows.view(), None, &quiet())
    };
    assert_eq!(fit(&array![[1.0]], 0.5, 1).unwrap().labels(), [0]);
    let alone = fit(&array![[1.0]], 0.5, 2).unwrap();
    assert_eq!(alone.labels(), [-1]);
    assert_eq!(alone.predict(array![[1.0], [2.0]].view(), &quiet()).unwrap(), [-1, -1]);
    let back: DbscanModel = from_json(&to_json(&alone).unwrap()).unwrap();
    assert_eq!(back, alone);
    let same = Array2::from_elem((5_000, 3), 4.0);
    assert_eq!(fit(&same, 1e-200, 5_000).unwrap().labels(), [0; 5_000]);
    assert_eq!(fit(&same, 1e200, 5_001).unwrap().labels(), [-1; 5_000]);
    let refused = |eps, min_samples| fit(&same, eps, min_samples).unwrap_err().to_string();
    for eps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(refused(eps, 5).contains("eps"));
    }
    assert!(refused(1.0, 0).contains("min_samples"));
    let error = Dbscan::new(1.0, 2).fit(same.view(), Some(&[1.0]), &quiet()).unwrap_err();
    assert!(error.to_string().contains("sample_weight"));
    let error = fit(&array![[0.0], [1e300]], 1.0, 1).unwrap_err();
    assert!(matches!(error, Error::BadValue { row: 1, .. }));
}

#[test]
fn hostile_dbscan_files_are_refused() {
    let rows = grid(30, 2, 2, 8.0, 5);
    let model = Dbscan::new(1.0, 3).fit(rows.view(), None, &quiet()).unwrap();
    let text = to_json(&model).unwrap();
    for (good, bad) in [
        ("\"eps\":1.0", "\"eps\":-1.0"),
        ("\"n_features\":2", "\"n_features\":3"),
        ("\"component_labels\":[", "\"component_labels\":[0,"),
        ("\"labels\":[", "\"labels\":[99,"),
        ("\"core_rows\":[", "\"core_rows\":[4000000000,"),
    ] {
        assert!(text.contains(good), "{good}");
        let broken = from_json::<DbscanModel>(&text.replace(good, bad));
        assert!(matches!(broken, Err(Error::ModelFile { .. })), "{good}");
    }
}
