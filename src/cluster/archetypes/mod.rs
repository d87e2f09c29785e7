//! Archetypal analysis: every customer as a mixture of a few extreme ones.
//!
//! Cutler and Breiman (1994) write each row as a convex mixture of archetypes, and each archetype as a convex mixture of rows, such
//! that the squares of what is left sum to the least. Both steps are solved exactly here: the best shares of a row are the nearest
//! point in the hull of the archetypes, and, with all else as it is, the best place of an archetype is the nearest point in
//! the hull of the rows to a target. So no step raises the sum of squares. Starts are those of Morup and Hansen
//! (2012): rows far from each other.
//!
//! What limits the speed: the shares, a small system of equations for each row and iteration. The place of an archetype takes a
//! few passes over the data for its extreme rows.

mod fit;
mod hull;

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::kmeans::linfa_weights;
use super::order::canonical;
use super::rows::Rows;
use crate::error::{Error, Result};
use crate::parallel::{self, BLOCK, Monitor};
use crate::persist::{Persist, broken};
use crate::rng::{Rng, Stage};
use fit::{Archetype, Run, best_shares};
use hull::{Mixture, squared_distance};

/// What to fit: the parameters of archetypal analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Archetypes {
    /// Number of archetypes.
    pub n_archetypes: usize,
    /// Number of starts; the best result is kept.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// A run ends once an iteration lowers the sum of squares by no more than this share of it.
    pub tolerance: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Names of the columns, for messages; x0, x1 and so on where there are none.
    pub names: Vec<String>,
}

impl Archetypes {
    /// `n_archetypes` archetypes, the best of five starts.
    pub fn new(n_archetypes: usize) -> Self {
        Self { n_archetypes, n_init: 5, max_iter: 300, tolerance: 1e-6, seed: 0, names: Vec::new() }
    }

    /// Fits the model.
    ///
    /// The same to the last bit for any number of threads. Time is proportional to rows, archetypes, features and
    /// iterations; beside the data, memory for one share per row and archetype is used.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared; [`Error::Argument`] for parameters or
    /// weights out of range; [`Error::TooFewRows`] for fewer rows than archetypes; [`Error::Interrupted`].
    pub fn fit<'a>(
        &self,
        rows: ArrayView2<'a, f64>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<ArchetypesModel> {
        let positive = |name: &str, value: usize| match value {
            0 => Err(Error::argument(name, 0, "at least 1 is needed")),
            _ => Ok(()),
        };
        positive("n_archetypes", self.n_archetypes)?;
        positive("n_init", self.n_init)?;
        positive("max_iter", self.max_iter)?;
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(Error::argument("tol", self.tolerance, "a number from 0 up is needed"));
        }
        let mut rows = Rows::new(rows, weights, &self.names)?;
        if rows.n < self.n_archetypes {
            return Err(Error::TooFewRows {
                what: format!("n_archetypes={}", self.n_archetypes),
                needed: self.n_archetypes,
                found: rows.n,
                mend: Some(format!("n_archetypes={}", rows.n)),
            });
        }
        monitor.expect((self.n_init * self.max_iter) as u64);
        let mean = mean(&rows);
        // Products of small numbers lose less than those of numbers far from 0.
        let original = rows.values.clone();
        let values = rows.values.to_mut();
        for row in values.chunks_exact_mut(rows.d) {
            row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        let mut best: Option<Run> = None;
        for task in 0..self.n_init {
            let mut rng = Rng::stream(self.seed, Stage::Start, task as u64);
            let (k, tolerance) = (self.n_archetypes, self.tolerance);
            let run = Run::new(&rows, k, self.max_iter, tolerance, &mut rng, monitor)?;
            if best.as_ref().is_none_or(|best| run.history.last() < best.history.last()) {
                best = Some(run);
            }
        }
        let Some(run) = best else {
            return Err(Error::argument("n_init", 0, "at least 1 is needed"));
        };
        let centred = std::mem::replace(&mut rows.values, original);
        let zero = vec![0.0; rows.d];
        let spread = parallel::sum(rows.n, |row| {
            let row_values = &centred[row * rows.d..(row + 1) * rows.d];
            rows.weight(row) * squared_distance(row_values, &zero)
        });
        drop(centred);
        self.model(&rows, run, spread)
    }

    /// The model of a run, in canonical order.
    fn model(&self, rows: &Rows<'_, f64>, run: Run, spread: f64) -> Result<ArchetypesModel> {
        let (d, k) = (rows.d, self.n_archetypes);
        let totals: Vec<f64> = (0..k)
            .map(|at| parallel::sum(rows.n, |row| rows.weight(row) * run.shares[row * k + at]))
            .collect();
        // From the rows themselves, so that an archetype that is a row is that row to the last bit.
        let places: Vec<Vec<f64>> = run
            .mixtures
            .iter()
            .map(|mixture| {
                let mut place = vec![0.0; d];
                for (&row, &share) in mixture.corners.iter().zip(&mixture.shares) {
                    let values = rows.row(row).iter();
                    place.iter_mut().zip(values).for_each(|(to, from)| *to += share * from);
                }
                place
            })
            .collect();
        let lower = |a: usize, b: usize| {
            let pairs = places[a].iter().zip(&places[b]);
            pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
        };
        let order = canonical(&totals, lower).unwrap_or_else(|| (0..k).collect());
        let mixtures = order.iter().map(|&at| {
            let Mixture { corners, shares, .. } = &run.mixtures[at];
            let mut mixture: Vec<(u32, f64)> =
                corners.iter().map(|&row| row as u32).zip(shares.iter().copied()).collect();
            mixture.sort_unstable_by_key(|&(row, _)| row);
            mixture
        });
        let mut model = ArchetypesModel {
            n_features: d,
            archetypes: order.iter().flat_map(|&at| places[at].iter().copied()).collect(),
            mixtures: mixtures.collect(),
            shares: Vec::new(),
            weights: order.iter().map(|&at| totals[at]).collect(),
            labels: Vec::new(),
            rss: 0.0,
            spread,
            history: run.history,
            converged: run.converged,
            names: self.names.clone(),
        };
        let distances;
        (model.shares, distances) = model.mix(rows);
        model.rss = parallel::sum(rows.n, |row| rows.weight(row) * distances[row]);
        model.labels = model.label(rows);
        Ok(model)
    }
}

/// The weighted mean of the rows.
fn mean(rows: &Rows<'_, f64>) -> Vec<f64> {
    let total = parallel::sum(rows.n, |row| rows.weight(row));
    let of = |j: usize| parallel::sum(rows.n, |row| rows.weight(row) / total * rows.row(row)[j]);
    (0..rows.d).map(of).collect()
}

/// Fitted archetypes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchetypesModel {
    n_features: usize,
    archetypes: Vec<f64>,
    mixtures: Vec<Vec<(u32, f64)>>,
    shares: Vec<f64>,
    weights: Vec<f64>,
    labels: Vec<u32>,
    rss: f64,
    spread: f64,
    history: Vec<f64>,
    converged: bool,
    names: Vec<String>,
}

impl ArchetypesModel {
    /// The archetypes, `(n_archetypes, n_features)`; the one with the largest total share first.
    pub fn archetypes(&self) -> ArrayView2<'_, f64> {
        let shape = (self.mixtures.len(), self.n_features);
        ArrayView2::from_shape(shape, &self.archetypes).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// Rows that each archetype is a mixture of, and their shares.
    pub fn mixtures(&self) -> &[Vec<(u32, f64)>] {
        &self.mixtures
    }

    /// Shares of the archetypes in each training row, `(n, n_archetypes)`.
    pub fn shares(&self) -> ArrayView2<'_, f64> {
        let shape = (self.labels.len(), self.mixtures.len());
        ArrayView2::from_shape(shape, &self.shares).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// Total share of each archetype in the rows, by weight.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The nearest archetype of each training row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Weighted sum of squared distances of the rows to their mixtures.
    pub fn rss(&self) -> f64 {
        self.rss
    }

    /// Share of the rows' squared distances to their mean that the mixtures account for; 1 where all rows are equal.
    pub fn explained(&self) -> f64 {
        if self.spread > 0.0 { 1.0 - self.rss / self.spread } else { 1.0 }
    }

    /// The sum of squares after each iteration of the best start.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Whether the best start settled before `max_iter`.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Number of archetypes that differ; fewer than asked for where fewer rows differ.
    pub fn n_found(&self) -> usize {
        let corners: Vec<&[f64]> = self.archetypes.chunks_exact(self.n_features).collect();
        (0..corners.len()).filter(|&at| !corners[..at].contains(&corners[at])).count()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Names of the columns; empty where none were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn checked<'a>(&self, rows: ArrayView2<'a, f64>) -> Result<Rows<'a, f64>> {
        let rows = Rows::new(rows, None, &self.names)?;
        if rows.d != self.n_features {
            return Err(Error::argument(
                "X",
                format!("{} columns", rows.d),
                format!("the model was fitted on {}", self.n_features),
            ));
        }
        Ok(rows)
    }

    fn mix(&self, rows: &Rows<'_, f64>) -> (Vec<f64>, Vec<f64>) {
        let (d, k) = (rows.d, self.mixtures.len());
        let hull = Archetype { values: &self.archetypes, d };
        let mut shares = vec![0.0; rows.n * k];
        let mut distances = vec![Vec::new(); rows.n.div_ceil(BLOCK)];
        parallel::update_blocks_of(BLOCK * k, &mut shares, &mut distances, |first, part, found| {
            let (mut mixture, mut point) = (Mixture::default(), vec![0.0; d]);
            for (at, shares) in part.chunks_exact_mut(k).enumerate() {
                let row = rows.row(first / k + at);
                found.push(best_shares(&hull, row, shares, &mut mixture, &mut point));
            }
        });
        (shares, distances.concat())
    }

    fn label(&self, rows: &Rows<'_, f64>) -> Vec<u32> {
        let mut labels = vec![0; rows.n];
        parallel::fill_blocks(&mut labels, |first, part| {
            for (at, label) in part.iter_mut().enumerate() {
                let row = rows.row(first + at);
                let mut least = f64::INFINITY;
                let corners = self.archetypes.chunks_exact(self.n_features);
                for (corner, values) in corners.enumerate() {
                    let distance = squared_distance(row, values);
                    if distance < least {
                        (least, *label) = (distance, corner as u32);
                    }
                }
            }
        });
        labels
    }

    /// Shares of the archetypes in each row, `(n, n_archetypes)`: the mixture that comes nearest.
    ///
    /// # Errors
    ///
    /// As for [`Archetypes::fit`]; [`Error::Argument`] for another number of columns.
    pub fn transform(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let rows = self.checked(rows)?;
        let shape = (rows.n, self.mixtures.len());
        Array2::from_shape_vec(shape, self.mix(&rows).0)
            .map_err(|error| Error::argument("X", error, "a matrix is needed"))
    }

    /// The nearest archetype of each row, ties to the lowest.
    ///
    /// # Errors
    ///
    /// As for [`ArchetypesModel::transform`].
    pub fn predict(&self, rows: ArrayView2<'_, f64>) -> Result<Vec<u32>> {
        Ok(self.label(&self.checked(rows)?))
    }

    /// Weighted sum of squared distances of rows to their mixtures.
    ///
    /// # Errors
    ///
    /// As for [`ArchetypesModel::transform`].
    pub fn cost<'a>(&self, rows: ArrayView2<'a, f64>, weights: Option<&'a [f64]>) -> Result<f64> {
        let n = self.checked(rows)?.n;
        let rows = Rows::new(rows, weights, &self.names)?;
        let (_, distances) = self.mix(&rows);
        Ok(parallel::sum(n, |row| rows.weight(row) * distances[row]))
    }
}

impl Persist for ArchetypesModel {
    const KIND: &'static str = "archetypes";

    fn validate(&self) -> Result<()> {
        let (k, n, d) = (self.mixtures.len(), self.labels.len(), self.n_features);
        if k == 0 || d == 0 || self.archetypes.len() != k * d {
            return Err(broken("the archetypes are not a matrix"));
        }
        if Rows::new(self.archetypes(), None, &self.names).is_err() {
            return Err(broken("an archetype holds a value that is not a finite number"));
        }
        if !self.names.is_empty() && self.names.len() != d {
            return Err(broken("there is not one name per column"));
        }
        let share = |share: &f64| (0.0..=1.0 + 1e-9).contains(share);
        if n == 0 || self.shares.len() != n * k || !self.shares.iter().all(share) {
            return Err(broken("there is not one share per row and archetype"));
        }
        let part = |&(row, part): &(u32, f64)| (row as usize) < n && share(&part);
        if self.mixtures.iter().any(|mixture| mixture.is_empty() || !mixture.iter().all(part)) {
            return Err(broken("an archetype is not a mixture of rows"));
        }
        let amount = |value: &f64| *value >= 0.0 && value.is_finite();
        if self.weights.len() != k || !self.weights.iter().all(amount) {
            return Err(broken("there is not one weight per archetype"));
        }
        if self.labels.iter().any(|&label| label as usize >= k) {
            return Err(broken("a label is not that of an archetype"));
        }
        if self.history.is_empty()
            || ![self.rss, self.spread].iter().chain(&self.history).all(amount)
        {
            return Err(broken("a sum of squares is not a finite number"));
        }
        Ok(())
    }
}

impl<D: Data<Elem = f64>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for Archetypes {
    type Object = ArchetypesModel;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, dataset.records().view(), weights.as_deref(), &Monitor::new())
    }
}
