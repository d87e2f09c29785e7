//! Clusters by likelihood: every customer belongs to the likeliest component of a mixture, or to the likeliest class.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::cluster::{
    GaussianMixture, GaussianMixtureModel, LatentClass, LatentClassModel, Mixed, canonical,
};
use crate::error::Result;
use crate::parallel::Monitor;
use crate::persist;

/// What a likelihood says of a number of clusters; lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Likelihood {
    /// Schwarz (1978), Estimating the dimension of a model.
    pub bic: f64,
    /// The BIC and twice the entropy of the shares: Biernacki, Celeux and Govaert (2000), Assessing a mixture model for
    /// clustering with the integrated completed likelihood, in the form of McLachlan and Peel (2000).
    pub icl: f64,
}

/// Share of the log-likelihood below whose gain latent classes stop: far finer than what tells two numbers of classes apart,
/// and coarser than where their figures are the aim.
const TOLERANCE: f64 = 1e-8;

/// A model of shares, and the rows it was fitted on, each given to its likeliest component.
///
/// Clusters are numbered by the weight of their rows, the heaviest first, which need not be the order of the shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Likeliest<M> {
    model: M,
    /// Component of each cluster.
    components: Vec<u32>,
    labels: Vec<u32>,
    weights: Vec<f64>,
    within: f64,
    likelihood: Option<Likelihood>,
}

impl Likeliest<GaussianMixtureModel> {
    /// A mixture of `k` normal distributions with full covariances: the best of `n_init` starts.
    ///
    /// There are no criteria where a component collapsed onto few rows: its density says how small the least variance is,
    /// not how well the mixture fits.
    ///
    /// # Errors
    ///
    /// Those of [`GaussianMixture::fit`].
    pub fn mixture<'a>(
        rows: ArrayView2<'a, f64>,
        weights: Option<&'a [f64]>,
        k: usize,
        n_init: usize,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Self> {
        let fit = GaussianMixture { n_init, seed, ..GaussianMixture::new(k) };
        let model = fit.fit(rows, weights, monitor)?;
        let likelihood = if model.collapsed().is_empty() && model.n_found() == k {
            let (_, bic, icl) = model.criteria(rows, weights, monitor)?;
            Some(Likelihood { bic, icl })
        } else {
            None
        };
        let chosen = model.predict(rows, monitor)?;
        let mut found = Self::new(model, chosen, k, weights, likelihood);
        found.within = squares(rows, &found.labels, weights, k);
        Ok(found)
    }
}

impl Likeliest<LatentClassModel> {
    /// `k` latent classes: the best of `n_init` starts.
    ///
    /// There are no criteria where the classes have more parameters than the data can tell apart.
    ///
    /// # Errors
    ///
    /// Those of [`LatentClass::fit`].
    pub fn classes(
        items: &Mixed,
        weights: Option<&[f64]>,
        k: usize,
        n_init: usize,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Self> {
        let fit = LatentClass { n_init, seed, tolerance: TOLERANCE, ..LatentClass::new(k) };
        let model = fit.fit(items, None, weights, monitor)?.without_labels();
        let statistics = model.statistics();
        let unsure = if k == 1 { 0.0 } else { 1.0 - statistics.relative_entropy() };
        let bic = statistics.criteria.bic;
        let entropy = unsure * statistics.n * (k as f64).ln();
        let likelihood =
            (statistics.df >= 0).then_some(Likelihood { bic, icl: bic + 2.0 * entropy });
        let chosen = model.predict(items, None, monitor)?;
        let mut found = Self::new(model, chosen, k, weights, likelihood);
        found.within = mismatches(items, &found.labels, weights, k);
        Ok(found)
    }
}

impl<M> Likeliest<M> {
    fn new(
        model: M,
        chosen: Vec<u32>,
        k: usize,
        weights: Option<&[f64]>,
        likelihood: Option<Likelihood>,
    ) -> Self {
        let mut of_component = vec![0.0; k];
        for (row, &component) in chosen.iter().enumerate() {
            of_component[component as usize] += weights.map_or(1.0, |weights| weights[row]);
        }
        let order = canonical(&of_component, |a, b| a.cmp(&b)).unwrap_or_else(|| (0..k).collect());
        let mut found = Self {
            model,
            components: order.iter().map(|&component| component as u32).collect(),
            labels: Vec::new(),
            weights: order.iter().map(|&component| of_component[component]).collect(),
            within: 0.0,
            likelihood,
        };
        found.labels = found.clusters(chosen);
        found
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Cluster of each row that the model was fitted on.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Weight of the rows of each cluster.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Number of clusters that have rows.
    pub fn n_found(&self) -> usize {
        self.weights.iter().filter(|&&weight| weight > 0.0).count()
    }

    /// Weighted squares about the means of the clusters, or answers that differ from the most frequent one.
    pub fn within(&self) -> f64 {
        self.within
    }

    /// The criteria, where they say something.
    pub fn likelihood(&self) -> Option<Likelihood> {
        self.likelihood
    }

    pub(super) fn without_labels(self) -> Self {
        Self { labels: Vec::new(), ..self }
    }

    /// Component of a cluster.
    pub(super) fn component(&self, cluster: usize) -> usize {
        self.components[cluster] as usize
    }

    /// Components as clusters.
    pub(super) fn clusters(&self, mut components: Vec<u32>) -> Vec<u32> {
        let mut cluster_of = vec![0; self.components.len()];
        for (cluster, &component) in self.components.iter().enumerate() {
            cluster_of[component as usize] = cluster as u32;
        }
        components.iter_mut().for_each(|component| *component = cluster_of[*component as usize]);
        components
    }

    /// Checks what a saved model of `k` components must satisfy.
    pub(super) fn validate(&self, k: usize) -> Result<()> {
        let mut seen = vec![false; k];
        for &component in &self.components {
            match seen.get_mut(component as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(persist::broken("the clusters are not those of the model")),
            }
        }
        if self.components.len() != k || self.weights.len() != k {
            return Err(persist::broken("there is not one cluster for each component"));
        }
        if self.weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(persist::broken("a weight is not a number from 0 up"));
        }
        if self.labels.iter().any(|&label| label as usize >= k) {
            return Err(persist::broken("a label is not that of a cluster"));
        }
        Ok(())
    }
}

/// Weighted sum of squared distances to the means of the clusters.
fn squares(rows: ArrayView2<'_, f64>, labels: &[u32], weights: Option<&[f64]>, k: usize) -> f64 {
    let d = rows.ncols();
    let (mut means, mut totals) = (vec![0.0; k * d], vec![0.0; k]);
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    for ((row, values), &label) in rows.rows().into_iter().enumerate().zip(labels) {
        let label = label as usize;
        totals[label] += weight(row);
        let step = if totals[label] > 0.0 { weight(row) / totals[label] } else { 0.0 };
        for (mean, value) in means[label * d..(label + 1) * d].iter_mut().zip(values) {
            *mean += step * (value - *mean);
        }
    }
    let apart = |(row, values): (usize, ndarray::ArrayView1<'_, f64>)| {
        let mean = &means[labels[row] as usize * d..][..d];
        weight(row) * values.iter().zip(mean).map(|(x, m)| (x - m) * (x - m)).sum::<f64>()
    };
    rows.rows().into_iter().enumerate().map(apart).sum()
}

/// Weighted number of answers that are not the most frequent one of their cluster.
fn mismatches(items: &Mixed, labels: &[u32], weights: Option<&[f64]>, k: usize) -> f64 {
    let mut total = 0.0;
    for (item, attribute) in items.columns().categorical.iter().enumerate() {
        let n = attribute.categories.len();
        let mut counts = vec![0.0_f64; k * n];
        for (row, &label) in labels.iter().enumerate() {
            let code = items.codes(row)[item] as usize;
            if code < n {
                counts[label as usize * n + code] += weights.map_or(1.0, |weights| weights[row]);
            }
        }
        for counts in counts.chunks_exact(n.max(1)) {
            total += counts.iter().sum::<f64>() - counts.iter().copied().fold(0.0, f64::max);
        }
    }
    total
}
