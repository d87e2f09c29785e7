//! HDBSCAN: clusters of any shape and density, and rows that belong to none.

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::Kept;
use super::hierarchy::Condensed;
use super::neighbours::{Nearest, Walker, for_each};
use super::select::{Rules, Selection};
use super::spanning::spanning_tree;
use super::tree::Tree;
use crate::cluster::rows::Rows;
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist::{Persist, broken};

/// Neighbours that are listed at least, so that the first rounds of joining need no search; measured.
const LISTED: usize = 10;

/// Neighbours that are listed at most.
const LISTED_AT_MOST: usize = 32;

/// What to fit: the parameters of HDBSCAN.
#[derive(Debug, Clone, PartialEq)]
pub struct Hdbscan {
    /// Rows that a group must have to be a cluster, at least 2.
    pub min_cluster_size: usize,
    /// A row's core distance is the distance to its `min_samples`-th nearest row, itself counted; `min_cluster_size`, or the number
    /// of rows if that is less, where there is none.
    pub min_samples: Option<usize>,
    /// Clusters that would split at smaller distances than this stay one.
    pub cluster_selection_epsilon: f64,
    /// Clusters with more rows than this are not chosen by excess of mass.
    pub max_cluster_size: Option<usize>,
    /// How clusters are chosen.
    pub selection: Selection,
    /// Whether all rows may be one cluster.
    pub allow_single_cluster: bool,
    /// Names of the columns, for messages; x0, x1 and so on where there are none.
    pub names: Vec<String>,
}

impl Hdbscan {
    /// Clusters of at least `min_cluster_size` rows, chosen by excess of mass.
    pub fn new(min_cluster_size: usize) -> Self {
        Self {
            min_cluster_size,
            min_samples: None,
            cluster_selection_epsilon: 0.0,
            max_cluster_size: None,
            selection: Selection::ExcessOfMass,
            allow_single_cluster: false,
            names: Vec::new(),
        }
    }

    /// Fits the model.
    ///
    /// The same to the last bit for any number of threads and any order of the rows. With few features time grows little
    /// faster than the number of rows; with many it nears its square. Memory is a small multiple of the data.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared; [`Error::Argument`] for parameters
    /// out of range; [`Error::TooFewRows`] for fewer rows than `min_samples`; [`Error::Interrupted`].
    pub fn fit(&self, rows: ArrayView2<'_, f64>, monitor: &Monitor) -> Result<HdbscanModel> {
        self.check()?;
        let rows = Rows::new(rows, None, &self.names)?;
        let (n, d) = (rows.n, rows.d);
        if let Some(needed) = self.min_samples.filter(|&needed| needed > n) {
            return Err(Error::TooFewRows {
                what: format!("min_samples={needed}"),
                needed,
                found: n,
                mend: Some(format!("min_samples={n}")),
            });
        }
        let min_samples = self.min_samples.unwrap_or(self.min_cluster_size.min(n));
        monitor.expect(2 * n as u64 - 1);
        let tree = Tree::new(&rows.values, n, d, monitor)?;
        let listed = min_samples.clamp(LISTED, LISTED_AT_MOST);
        let nearest = Nearest::new(&tree, min_samples, listed, monitor)?;
        let edges = spanning_tree(&tree, &nearest, f64::INFINITY, monitor)?;
        let condensed = Condensed::new(&tree, edges, self.min_cluster_size);
        let rules = Rules {
            selection: self.selection,
            epsilon: self.cluster_selection_epsilon,
            single: self.allow_single_cluster,
            max_cluster_size: self.max_cluster_size.unwrap_or(usize::MAX),
        };
        let chosen = rules.choose(&condensed);
        let mut core = vec![0.0; n];
        for (position, &row) in tree.rows.iter().enumerate() {
            core[row as usize] = nearest.core[position];
        }
        let mut model = HdbscanModel {
            values: rows.values.into_owned(),
            n_features: d,
            min_samples,
            core,
            condensed,
            clusters: chosen.clusters,
            cluster_labels: chosen.labels,
            epsilon: self.cluster_selection_epsilon,
            labels: Vec::new(),
            probabilities: Vec::new(),
            names: self.names.clone(),
            tree: Kept::from(tree),
        };
        let tree = &model.condensed;
        let places = tree.row_clusters.iter().zip(&tree.row_lambdas);
        let (labels, probabilities) =
            places.map(|(&cluster, &lambda)| model.membership(cluster, lambda)).unzip();
        (model.labels, model.probabilities) = (labels, probabilities);
        Ok(model)
    }

    fn check(&self) -> Result<()> {
        let at_least = |name: &str, value: usize, least: usize| {
            if value >= least {
                Ok(())
            } else {
                Err(Error::argument(name, value, format!("at least {least} is needed")))
            }
        };
        at_least("min_cluster_size", self.min_cluster_size, 2)?;
        at_least("min_samples", self.min_samples.unwrap_or(1), 1)?;
        at_least("max_cluster_size", self.max_cluster_size.unwrap_or(1), 1)?;
        let epsilon = self.cluster_selection_epsilon;
        if !(epsilon >= 0.0 && epsilon.is_finite()) {
            return Err(Error::argument(
                "cluster_selection_epsilon",
                epsilon,
                "a number from 0 up is needed",
            ));
        }
        Ok(())
    }
}

/// A fitted HDBSCAN model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HdbscanModel {
    values: Vec<f64>,
    n_features: usize,
    min_samples: usize,
    /// Squared core distances.
    core: Vec<f64>,
    condensed: Condensed,
    /// The cluster of the condensed tree behind each label.
    clusters: Vec<u32>,
    /// The label of each cluster of the condensed tree.
    cluster_labels: Vec<i32>,
    epsilon: f64,
    labels: Vec<i32>,
    probabilities: Vec<f64>,
    names: Vec<String>,
    #[serde(skip)]
    tree: Kept,
}

/// One line of the condensed tree as a table: a row or cluster that leaves its parent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch {
    /// The cluster it was in: the number of rows, plus the number of the cluster.
    pub parent: usize,
    /// A row, or a cluster numbered like parents.
    pub child: usize,
    /// Density (1 / distance) at which it leaves.
    pub lambda: f64,
    /// Rows that leave.
    pub size: usize,
}

impl HdbscanModel {
    /// Label of each training row; -1 is noise.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// How deep each training row lies in its cluster: 1 in the densest part, 0 for noise.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.clusters.len()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Rows counted for the core distance, the row itself among them.
    pub fn min_samples(&self) -> usize {
        self.min_samples
    }

    /// Names of the columns; empty where none were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Distance of each training row to its `min_samples`-th nearest row.
    pub fn core_distances(&self) -> Vec<f64> {
        self.core.iter().map(|core| core.sqrt()).collect()
    }

    /// Excess of mass of each cluster.
    pub fn stabilities(&self) -> Vec<f64> {
        self.clusters.iter().map(|&at| self.condensed.stabilities[at as usize]).collect()
    }

    /// How far each training row lies outside the densest part of its cluster (GLOSH), between 0 and 1.
    pub fn outlier_scores(&self) -> Vec<f64> {
        self.condensed.outlier_scores()
    }

    /// The rows in the densest parts of each cluster, by cluster.
    pub fn exemplars(&self) -> Vec<Vec<u32>> {
        let mut found = vec![Vec::new(); self.clusters.len()];
        let tree = &self.condensed;
        let splits = tree.splits();
        for (row, (&cluster, &lambda)) in
            tree.row_clusters.iter().zip(&tree.row_lambdas).enumerate()
        {
            let at = cluster as usize;
            if !splits[at]
                && lambda == tree.deaths[at]
                && let Ok(label) = usize::try_from(self.labels[row])
            {
                found[label].push(row as u32);
            }
        }
        found
    }

    /// The condensed tree as a table: the branches of each cluster by density, then by child.
    pub fn branches(&self) -> Vec<Branch> {
        let (tree, n) = (&self.condensed, self.labels.len());
        let rows = (0..n).map(|row| Branch {
            parent: n + tree.row_clusters[row] as usize,
            child: row,
            lambda: tree.row_lambdas[row],
            size: 1,
        });
        let clusters = (1..tree.len()).map(|at| Branch {
            parent: n + tree.parents[at] as usize,
            child: n + at,
            lambda: tree.births[at],
            size: tree.sizes[at] as usize,
        });
        let mut branches: Vec<Branch> = rows.chain(clusters).collect();
        branches.sort_by(|a, b| {
            let order = a.parent.cmp(&b.parent).then(a.lambda.total_cmp(&b.lambda));
            order.then(a.child.cmp(&b.child))
        });
        branches
    }

    /// Label and probability of a row that leaves a cluster of the condensed tree at some density.
    fn membership(&self, cluster: u32, lambda: f64) -> (i32, f64) {
        let label = self.cluster_labels[cluster as usize];
        let Ok(at) = usize::try_from(label) else { return (-1, 0.0) };
        let owner = self.clusters[at];
        if owner == 0 && lambda < self.condensed.threshold(self.epsilon) {
            return (-1, 0.0);
        }
        let death = self.condensed.deaths[owner as usize];
        let probability = if lambda >= death { 1.0 } else { lambda / death };
        (label, probability)
    }

    /// Label and probability of each row, as if it were added without changing the clusters.
    ///
    /// A row joins the training row that it reaches first, at the largest of both core distances and their distance, the nearer
    /// one among equals; it belongs where that row is at this density. Training rows get their own labels.
    ///
    /// # Errors
    ///
    /// As for [`Hdbscan::fit`]; [`Error::Argument`] for another number of columns.
    pub fn predict(
        &self,
        rows: ArrayView2<'_, f64>,
        monitor: &Monitor,
    ) -> Result<(Vec<i32>, Vec<f64>)> {
        let rows = Rows::new(rows, None, &self.names)?;
        if rows.d != self.n_features {
            return Err(Error::argument(
                "X",
                format!("{} columns", rows.d),
                format!("the model was fitted on {}", self.n_features),
            ));
        }
        let tree = self.tree.get(&self.values, self.labels.len(), self.n_features, monitor)?;
        let mut found = vec![(-1, 0.0); rows.n];
        for_each(rows.n, 1, &mut found, monitor, |row, walker, slot| {
            slot[0] = self.place(tree, rows.row(row), walker);
        })?;
        Ok(found.into_iter().unzip())
    }

    fn place(&self, tree: &Tree, point: &[f64], walker: &mut Walker) -> (i32, f64) {
        let core = walker.nearest(tree, point, self.min_samples, None)[self.min_samples - 1].0;
        let mut best = (f64::INFINITY, f64::INFINITY, u32::MAX);
        let none = |_, _| 0.0;
        tree.walk(point, f64::INFINITY, &mut walker.stack, none, |block, found, _| {
            for (lane, position) in tree.positions(block).enumerate() {
                let row = tree.rows[position];
                let weight = found[lane].max(core).max(self.core[row as usize]);
                if (weight, found[lane], row) < best {
                    best = (weight, found[lane], row);
                }
            }
            // Boxes as far as the best may hold a nearer row that is reached equally early.
            best.0.next_up()
        });
        let (weight, _, row) = best;
        let (mut cluster, left) =
            (self.condensed.row_clusters[row as usize], self.condensed.row_lambdas[row as usize]);
        let lambda = (1.0 / weight.sqrt()).min(left);
        while cluster > 0 && self.condensed.births[cluster as usize] >= lambda {
            cluster = self.condensed.parents[cluster as usize];
        }
        self.membership(cluster, lambda)
    }
}

impl Persist for HdbscanModel {
    const KIND: &'static str = "hdbscan";

    fn validate(&self) -> Result<()> {
        let (n, tree) = (self.labels.len(), &self.condensed);
        if n == 0 || self.n_features == 0 || self.values.len() != n * self.n_features {
            return Err(broken("the training rows are not a matrix with one row per label"));
        }
        if !self.names.is_empty() && self.names.len() != self.n_features {
            return Err(broken("there is not one name per column"));
        }
        let view = ArrayView2::from_shape((n, self.n_features), &self.values);
        if view.map(|view| Rows::new(view, None, &self.names).is_err()).unwrap_or(true) {
            return Err(broken("a training value is not a finite number that can be squared"));
        }
        if !(1..=n).contains(&self.min_samples) {
            return Err(broken("min_samples is not between 1 and the number of rows"));
        }
        if self.core.len() != n || self.core.iter().any(|core| !(*core >= 0.0 && core.is_finite()))
        {
            return Err(broken("there is not one core distance per row"));
        }
        let size = tree.len();
        let lengths = [
            tree.births.len(),
            tree.deaths.len(),
            tree.sizes.len(),
            tree.stabilities.len(),
            self.cluster_labels.len(),
        ];
        if size == 0 || lengths != [size; 5] {
            return Err(broken("the lists of clusters differ in length"));
        }
        if tree.parents.iter().enumerate().any(|(at, &parent)| parent as usize >= at.max(1)) {
            return Err(broken("a cluster stands before its parent"));
        }
        if tree.row_clusters.len() != n
            || tree.row_lambdas.len() != n
            || tree.row_clusters.iter().any(|&cluster| cluster as usize >= size)
        {
            return Err(broken("there is not one cluster per row"));
        }
        let densities = [&tree.births, &tree.deaths, &tree.stabilities, &tree.row_lambdas];
        if densities.iter().any(|values| values.iter().any(|value| value.is_nan())) {
            return Err(broken("a density is missing"));
        }
        if self.clusters.iter().any(|&cluster| cluster as usize >= size) {
            return Err(broken("a label is not that of a cluster"));
        }
        let known = -1..self.clusters.len() as i32;
        if self.labels.iter().chain(&self.cluster_labels).any(|label| !known.contains(label)) {
            return Err(broken("a label is not that of a cluster"));
        }
        if !(self.epsilon >= 0.0 && self.epsilon.is_finite()) {
            return Err(broken("cluster_selection_epsilon is not a number from 0 up"));
        }
        let share = |share: &f64| (0.0..=1.0).contains(share);
        if self.probabilities.len() != n || !self.probabilities.iter().all(share) {
            return Err(broken("there is not one probability per row"));
        }
        Ok(())
    }
}

impl<D: Data<Elem = f64>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for Hdbscan {
    type Object = HdbscanModel;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        Self::fit(self, dataset.records().view(), &Monitor::new())
    }
}
