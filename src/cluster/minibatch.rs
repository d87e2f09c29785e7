//! k-means of rows that come in batches, or are too many to be read often.
//!
//! Each centre is the mean of all the rows that were given to it so far, whichever batch they came in: a batch is given to the
//! nearest centres as they stand, and then each centre moves towards the mean of its new rows by their share in all its rows
//! (Sculley 2010, Web-scale k-means clustering, with one step per batch as scikit-learn has it). A model takes batches for as
//! long as they come: it remembers centres and weights, not rows.

use linfa::DatasetBase;
use linfa::traits::{Fit, FitWith};
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};

use super::kmeans::{KMeans, KMeansModel, Start, linfa_weights};
use super::lloyd::Lloyd;
use super::rows::Rows;
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::rng::{Rng, Stage};
use crate::simd::Real;

/// Batches of which the start is a sample.
const START: usize = 3;

/// What to fit: the parameters of k-means in batches.
#[derive(Debug, Clone, PartialEq)]
pub struct MiniBatch<T> {
    /// The number of clusters, the start and the rest. `max_iter` are passes over the data, `tolerance` ends after a pass in
    /// which the centres moved no farther; of the first batch or of a sample, the best of `n_init` starts is taken.
    pub params: KMeans<T>,
    /// Rows of a batch.
    pub batch: usize,
}

impl<T: Real> MiniBatch<T> {
    /// `n_clusters` clusters in batches of 1024 rows.
    pub fn new(n_clusters: usize) -> Self {
        Self { params: KMeans { n_init: 3, max_iter: 100, ..KMeans::new(n_clusters) }, batch: 1024 }
    }

    /// Fits rows that are all there: a start from the k-means of a sample of three batches, then batches of rows drawn at
    /// random until the centres stay or `max_iter` times as many rows were drawn as there are.
    ///
    /// Data of one batch are given as a whole. Beside the data there is memory for a batch and one label per row.
    ///
    /// # Errors
    ///
    /// As for [`KMeans::fit`]; [`Error::Argument`] for a batch of no rows.
    pub fn fit<'a>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<KMeansModel<T>> {
        let params = &self.params;
        params.check()?;
        if self.batch == 0 {
            return Err(Error::argument("batch_size", 0, "at least 1 is needed"));
        }
        let all = Rows::new(rows, weights, &params.names)?;
        params.check_rows(&all)?;
        let mut rng = Rng::stream(params.seed, Stage::Sample, 0);
        let size = START * self.batch.max(params.n_clusters);
        let mut model = match &params.start {
            Start::Given(centres) => {
                KMeansModel::from_centres(centres.clone(), params.names.clone())?
            }
            _ if all.n <= size => params.fit(rows, weights, monitor)?,
            _ => {
                let (values, weights) = all.taken(&sample(&all, size, &mut rng));
                params.fit(view(&values, all.d)?, weights.as_deref(), monitor)?
            }
        };
        let tolerance = params.tolerance * all.variance;
        let (mut n_iter, mut converged) = (0, false);
        while n_iter < params.max_iter && !converged {
            let before = model.centres.clone();
            for _ in 0..all.n.div_ceil(self.batch) {
                if all.n <= self.batch {
                    model.absorb_rows(&all, monitor)?;
                    continue;
                }
                let mut drawn: Vec<usize> = (0..self.batch).map(|_| rng.below(all.n)).collect();
                drawn.sort_unstable();
                let (values, weights) = all.taken(&drawn);
                if weights.as_ref().is_none_or(|weights| weights.iter().sum::<f64>() > 0.0) {
                    let batch = view(&values, all.d)?;
                    let batch = Rows::new(batch, weights.as_deref(), &params.names)?;
                    model.absorb_rows(&batch, monitor)?;
                }
            }
            let moved = model.centres.iter().zip(&before);
            let moved: f64 = moved.map(|(now, then)| (now.wide() - then.wide()).powi(2)).sum();
            n_iter += 1;
            converged = moved <= tolerance;
        }
        let mut lloyd = Lloyd::new(&all, params.n_clusters);
        lloyd.centres.copy_from_slice(&model.centres);
        lloyd.finish(matches!(params.start, Start::Given(_)), monitor)?;
        Ok(KMeansModel { n_iter, converged, ..params.model(lloyd) })
    }

    /// A model of the first batch of a stream: its k-means, or where centres are given one step from there.
    ///
    /// # Errors
    ///
    /// As for [`KMeans::fit`].
    pub fn begin<'a>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<KMeansModel<T>> {
        let Start::Given(centres) = &self.params.start else {
            return self.params.fit(rows, weights, monitor);
        };
        self.params.check()?;
        let mut model = KMeansModel::from_centres(centres.clone(), self.params.names.clone())?;
        model.absorb(rows, weights, monitor)?;
        Ok(model)
    }
}

/// `size` rows drawn at random, with as many of those that have a weight as there may be clusters.
fn sample<T: Real>(rows: &Rows<'_, T>, size: usize, rng: &mut Rng) -> Vec<usize> {
    let mut drawn = rng.sample(rows.n, size);
    if rows.weights.is_some()
        && drawn.iter().filter(|&&row| rows.weight(row) > 0.0).count() < size / START
    {
        drawn = (0..rows.n).collect();
        drawn.sort_by_key(|&row| rows.weight(row) <= 0.0);
        drawn.truncate(size);
    }
    drawn.sort_unstable();
    drawn
}

fn view<T>(values: &[T], d: usize) -> Result<ArrayView2<'_, T>> {
    ArrayView2::from_shape((values.len() / d, d), values)
        .map_err(|error| Error::argument("X", error, "a matrix is needed"))
}

impl<T: Real> KMeansModel<T> {
    /// A model of these centres that has seen no rows yet.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared.
    pub fn from_centres(centres: Array2<T>, names: Vec<String>) -> Result<Self> {
        let n_clusters = centres.nrows();
        Rows::new(centres.view(), None, &names)?;
        Ok(Self {
            n_clusters,
            centres: centres.into_iter().collect(),
            weights: vec![0.0; n_clusters],
            labels: Vec::new(),
            inertia: 0.0,
            n_iter: 0,
            converged: false,
            names,
        })
    }

    /// Takes a batch of new rows: gives them to their nearest centres and moves each centre to the mean of all rows that it
    /// was given so far. Labels and inertia are those of the batch at the new centres; clusters keep their numbers.
    ///
    /// A cluster that was never given a row moves to the row farthest from all others. The result has the same bits for any
    /// number of threads.
    ///
    /// # Errors
    ///
    /// As for [`KMeans::fit`]; [`Error::Argument`] for another number of columns. The model is then as it was.
    pub fn absorb<'a>(
        &mut self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<()> {
        let rows = Rows::new(rows, weights, &self.names)?;
        self.check_columns(&rows)?;
        let mut next = self.clone();
        next.absorb_rows(&rows, monitor)?;
        let lloyd = next.lloyd(&rows, monitor)?;
        (next.labels, next.inertia) = (lloyd.labels, lloyd.sums.inertia);
        next.n_iter += 1;
        *self = next;
        Ok(())
    }

    /// Moves the centres by a batch.
    fn absorb_rows(&mut self, rows: &Rows<'_, T>, monitor: &Monitor) -> Result<()> {
        let d = rows.d;
        let mut lloyd = Lloyd::new(rows, self.n_clusters);
        let found = lloyd.sum(&self.centres, monitor)?;
        for (cluster, centre) in self.centres.chunks_exact_mut(d).enumerate() {
            let weight = found.weights[cluster];
            let total = self.weights[cluster] + weight;
            if !total.is_finite() {
                return Err(Error::argument("sample_weight", total, "a finite total is needed"));
            }
            if weight > 0.0 {
                let sums = &found.values[cluster * d..(cluster + 1) * d];
                for (value, sum) in centre.iter_mut().zip(sums) {
                    let before = value.wide();
                    *value = T::narrow(before + (sum / weight - before) * (weight / total));
                }
            }
            self.weights[cluster] = total;
        }
        let (empty, full): (Vec<usize>, Vec<usize>) =
            (0..self.n_clusters).partition(|&cluster| self.weights[cluster] == 0.0);
        if !empty.is_empty() {
            let far = lloyd.farthest(&self.centres, &full, empty.len(), monitor)?;
            for (cluster, row) in empty.into_iter().zip(far) {
                self.centres[cluster * d..(cluster + 1) * d].copy_from_slice(rows.row(row));
            }
        }
        Ok(())
    }
}

impl<T: Real, D: Data<Elem = T>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for MiniBatch<T> {
    type Object = KMeansModel<T>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, dataset.records().view(), weights.as_deref(), &Monitor::new())
    }
}

impl<'a, T: Real, D: Data<Elem = T>, Y> FitWith<'a, ArrayBase<D, Ix2>, Y, Error> for MiniBatch<T> {
    type ObjectIn = Option<KMeansModel<T>>;
    type ObjectOut = KMeansModel<T>;

    /// One batch: [`MiniBatch::begin`] without a model, [`KMeansModel::absorb`] with one.
    fn fit_with(
        &self,
        model: Self::ObjectIn,
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, Y>,
    ) -> Result<Self::ObjectOut> {
        let weights = linfa_weights(dataset.weights());
        let (rows, monitor) = (dataset.records().view(), Monitor::new());
        match model {
            None => self.begin(rows, weights.as_deref(), &monitor),
            Some(mut model) => {
                model.absorb(rows, weights.as_deref(), &monitor)?;
                Ok(model)
            }
        }
    }
}
