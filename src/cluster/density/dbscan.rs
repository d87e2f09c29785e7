//! DBSCAN: regions in which rows lie denser than a given bound.

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::Kept;
use super::neighbours::{Nearest, Walker, for_each};
use super::spanning::{Sets, spanning_tree};
use super::tree::Tree;
use crate::cluster::kmeans::linfa_weights;
use crate::cluster::rows::Rows;
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::persist::{Persist, broken};

/// What to fit: the parameters of DBSCAN.
#[derive(Debug, Clone, PartialEq)]
pub struct Dbscan {
    /// Distance up to which rows are neighbours.
    pub eps: f64,
    /// Weight of neighbours, the row itself counted, from which on a row is a core row.
    pub min_samples: usize,
    /// Names of the columns, for messages; x0, x1 and so on where there are none.
    pub names: Vec<String>,
}

impl Dbscan {
    /// Core rows have at least `min_samples` rows within `eps`.
    pub fn new(eps: f64, min_samples: usize) -> Self {
        Self { eps, min_samples, names: Vec::new() }
    }

    /// Fits the model.
    ///
    /// The same to the last bit for any number of threads. Neighbourhoods are not listed: neither time nor memory grows
    /// with the number of rows in them. Core rows are joined by their nearest outsiders (Boruvka), so a wide `eps` costs no more
    /// than a narrow one.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared; [`Error::Argument`] for parameters
    /// or weights out of range; [`Error::Interrupted`].
    pub fn fit<'a>(
        &self,
        rows: ArrayView2<'a, f64>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<DbscanModel> {
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return Err(Error::argument("eps", self.eps, "a number above 0 is needed"));
        }
        if self.min_samples == 0 {
            return Err(Error::argument("min_samples", 0, "at least 1 is needed"));
        }
        let rows = Rows::new(rows, weights, &self.names)?;
        let (n, d, reach) = (rows.n, rows.d, self.eps * self.eps);
        monitor.expect(3 * n as u64);
        let tree = Tree::new(&rows.values, n, d, monitor)?;
        let weight = |position: usize| rows.weight(tree.rows[position] as usize);
        // A core row reaches other core rows at their distance, and no row reaches any other.
        let mut core = vec![f64::INFINITY; n];
        for_each(n, 1, &mut core, monitor, |position, walker, slot| {
            let mut total = 0.0;
            if weight(position) > 0.0 {
                walker.within(&tree, tree.point(position), reach, |other, _| {
                    total += weight(other);
                    total < self.min_samples as f64
                });
            }
            if total >= self.min_samples as f64 {
                slot[0] = 0.0;
            }
        })?;
        let nearest = Nearest::unlisted(core);
        let edges = spanning_tree(&tree, &nearest, reach, monitor)?;
        monitor.advance((n - edges.len()) as u64);
        let mut sets = Sets::new(n);
        for edge in &edges {
            sets.unite(edge.from, edge.to);
        }
        let roots: Vec<u32> = (0..n as u32).map(|position| sets.find(position)).collect();
        let mut owners = vec![None; n];
        for_each(n, 1, &mut owners, monitor, |position, walker, slot| {
            let is_core = |other: usize| nearest.core[other] == 0.0;
            let found = if is_core(position) {
                Some(position)
            } else {
                nearest_row(&tree, tree.point(position), reach, walker, is_core)
            };
            slot[0] = found.map(|found| roots[found]);
        })?;
        let mut by_row = vec![None; n];
        let mut core_rows = Vec::new();
        for (position, &row) in tree.rows.iter().enumerate() {
            by_row[row as usize] = owners[position];
            if nearest.core[position] == 0.0 {
                core_rows.push(row);
            }
        }
        core_rows.sort_unstable();
        let labels = labels(&by_row, |row| rows.weight(row));
        let components = core_rows.iter().flat_map(|&row| rows.row(row as usize)).copied();
        Ok(DbscanModel {
            eps: self.eps,
            n_features: d,
            components: components.collect(),
            component_labels: core_rows.iter().map(|&row| labels[row as usize]).collect(),
            core_rows,
            labels,
            names: self.names.clone(),
            tree: Kept::default(),
        })
    }
}

/// The nearest of the rows that count within reach, the lowest among equals: its position.
fn nearest_row(
    tree: &Tree,
    point: &[f64],
    reach: f64,
    walker: &mut Walker,
    counts: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut best = (reach, u32::MAX, None);
    tree.walk(
        point,
        reach.next_up(),
        &mut walker.stack,
        |_, _| 0.0,
        |block, found, _| {
            for (lane, position) in tree.positions(block).enumerate() {
                let item = (found[lane], tree.rows[position]);
                if item < (best.0, best.1) && counts(position) {
                    best = (item.0, item.1, Some(position));
                }
            }
            best.0.next_up()
        },
    );
    best.2
}

/// Labels in the canonical order: the heaviest cluster first, then that with the first row.
fn labels(owners: &[Option<u32>], weight: impl Fn(usize) -> f64) -> Vec<i32> {
    let mut totals = vec![(0.0, usize::MAX); owners.len()];
    for (row, owner) in owners.iter().enumerate() {
        if let Some(owner) = owner {
            let (total, first) = &mut totals[*owner as usize];
            // A row of weight 0 decides nothing.
            if weight(row) > 0.0 {
                (*total, *first) = (*total + weight(row), row.min(*first));
            }
        }
    }
    let mut clusters: Vec<usize> =
        (0..totals.len()).filter(|&at| totals[at].1 < usize::MAX).collect();
    clusters
        .sort_by(|&a, &b| totals[b].0.total_cmp(&totals[a].0).then(totals[a].1.cmp(&totals[b].1)));
    let mut names = vec![-1; owners.len()];
    clusters.iter().enumerate().for_each(|(label, &at)| names[at] = label as i32);
    owners.iter().map(|owner| owner.map_or(-1, |owner| names[owner as usize])).collect()
}

/// A fitted DBSCAN model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbscanModel {
    eps: f64,
    n_features: usize,
    /// The core rows, one after the other.
    components: Vec<f64>,
    component_labels: Vec<i32>,
    core_rows: Vec<u32>,
    labels: Vec<i32>,
    names: Vec<String>,
    #[serde(skip)]
    tree: Kept,
}

impl DbscanModel {
    /// Label of each training row; -1 is noise.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Numbers of the core rows, ascending.
    pub fn core_rows(&self) -> &[u32] {
        &self.core_rows
    }

    /// The core rows, `(n_core, n_features)`.
    pub fn components(&self) -> ArrayView2<'_, f64> {
        let shape = (self.core_rows.len(), self.n_features);
        ArrayView2::from_shape(shape, &self.components).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.component_labels.iter().max().map_or(0, |&label| label as usize + 1)
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Names of the columns; empty where none were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The cluster of the nearest core row within `eps` of each row, -1 where there is none.
    ///
    /// # Errors
    ///
    /// As for [`Dbscan::fit`]; [`Error::Argument`] for another number of columns.
    pub fn predict(&self, rows: ArrayView2<'_, f64>, monitor: &Monitor) -> Result<Vec<i32>> {
        let rows = Rows::new(rows, None, &self.names)?;
        if rows.d != self.n_features {
            return Err(Error::argument(
                "X",
                format!("{} columns", rows.d),
                format!("the model was fitted on {}", self.n_features),
            ));
        }
        let mut labels = vec![-1; rows.n];
        if self.core_rows.is_empty() {
            return Ok(labels);
        }
        let n_core = self.core_rows.len();
        let tree = self.tree.get(&self.components, n_core, self.n_features, monitor)?;
        let reach = self.eps * self.eps;
        for_each(rows.n, 1, &mut labels, monitor, |row, walker, slot| {
            if let Some(found) = nearest_row(tree, rows.row(row), reach, walker, |_| true) {
                slot[0] = self.component_labels[tree.rows[found] as usize];
            }
        })?;
        Ok(labels)
    }
}

impl Persist for DbscanModel {
    const KIND: &'static str = "dbscan";

    fn validate(&self) -> Result<()> {
        let (n, n_core) = (self.labels.len(), self.core_rows.len());
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return Err(broken("eps is not a number above 0"));
        }
        if n == 0 || self.n_features == 0 || self.components.len() != n_core * self.n_features {
            return Err(broken("the core rows are not a matrix"));
        }
        if !self.names.is_empty() && self.names.len() != self.n_features {
            return Err(broken("there is not one name per column"));
        }
        if n_core > 0 && Rows::new(self.components(), None, &self.names).is_err() {
            return Err(broken("a core row holds a value that is not a finite number"));
        }
        if !self.core_rows.is_sorted_by(|a, b| a < b)
            || self.core_rows.last().is_some_and(|&row| row as usize >= n)
        {
            return Err(broken("the numbers of the core rows are not ascending numbers of rows"));
        }
        let known = -1..self.n_clusters() as i32;
        if self.component_labels.len() != n_core
            || self.component_labels.iter().any(|&label| label < 0)
            || self.labels.iter().any(|label| !known.contains(label))
        {
            return Err(broken("a label is not that of a cluster"));
        }
        Ok(())
    }
}

impl<D: Data<Elem = f64>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for Dbscan {
    type Object = DbscanModel;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, dataset.records().view(), weights.as_deref(), &Monitor::new())
    }
}
