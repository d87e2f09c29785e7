//! How well the classes fit, and how well they tell customers apart: every index by its own name.

use serde::{Deserialize, Serialize};

use super::super::criteria::Criteria;
use super::em::Em;
use crate::persist::Figures;

/// The fit of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Sum of weight times log density of the rows.
    pub log_likelihood: f64,
    /// Number of free parameters.
    pub n_parameters: usize,
    /// Weight of the rows that the fit rests on.
    pub n: f64,
    /// Degrees of freedom: the smaller of `n` and the number of possible patterns less 1, less the parameters.
    pub df: i64,
    /// AIC, AIC3, BIC, CAIC and SABIC.
    pub criteria: Criteria,
    /// What is known only where there are several classes, or no covariates and no missing answers; NaN elsewhere: `G2`,
    /// `X2`, relative entropy, entropy R2.
    open: Figures,
    /// `1 - mean of the largest posterior`.
    pub classification_error: f64,
    /// Mean over the rows assigned to each class of its posterior; NaN for a class without rows.
    pub average_posterior: Figures,
    /// Weight of the rows assigned to each class.
    pub modal_sizes: Vec<f64>,
}

impl Statistics {
    /// `2 sum n ln(n / (N P))` over the patterns: the likelihood ratio against a model that fits every pattern.
    pub fn g2(&self) -> f64 {
        self.open[0]
    }

    /// `sum (n - N P)^2 / (N P)` over all possible patterns (Pearson).
    pub fn chi2(&self) -> f64 {
        self.open[1]
    }

    /// `1 - sum -p ln p / (N ln K)` over rows and classes (Ramaswamy et al. 1993).
    pub fn relative_entropy(&self) -> f64 {
        self.open[2]
    }

    /// `1 - mean entropy of the posteriors / entropy of the shares` (Magidson and Vermunt 2004).
    pub fn entropy_r2(&self) -> f64 {
        self.open[3]
    }

    /// Of a solution with posteriors `(n, k)` and log densities.
    pub(crate) fn new(
        em: &Em<'_>,
        shares: &[f64],
        n_parameters: usize,
        posteriors: &[f64],
        densities: &[f64],
    ) -> Self {
        let (k, data) = (em.k, em.data);
        let mut entropy = 0.0;
        let (mut sizes, mut sure, mut largest) = (vec![0.0; k], vec![0.0; k], 0.0);
        for (posterior, weight) in posteriors.chunks_exact(k).zip(&data.weights) {
            let class = modal(posterior);
            entropy += weight * posterior.iter().map(|&p| surprise(p)).sum::<f64>();
            sizes[class] += weight;
            sure[class] += weight * posterior[class];
            largest += weight * posterior[class];
        }
        let complete = data.design.is_none()
            && data.layout.firsts.iter().all(|&first| data.counts[first] == 0.0);
        let (mut g2, mut chi2) = (f64::NAN, f64::NAN);
        if complete {
            let mut met = 0.0;
            (g2, chi2) = (0.0, 0.0);
            for (density, weight) in densities.iter().zip(&data.weights) {
                let expected = data.total * density.exp();
                met += expected;
                g2 += 2.0 * weight * (weight.ln() - data.total.ln() - density);
                chi2 += (weight - expected) * (weight - expected) / expected;
            }
            chi2 += (data.total - met).max(0.0);
        }
        let prior: f64 = shares.iter().map(|&share| surprise(share)).sum();
        let several = |value: f64| if k > 1 { value } else { f64::NAN };
        let cells: f64 = data.answers.categories().iter().map(|&c| c as f64).product();
        let most = if data.design.is_some() { data.total } else { data.total.min(cells - 1.0) };
        Self {
            log_likelihood: em.log_likelihood,
            n_parameters,
            n: data.total,
            df: most as i64 - n_parameters as i64,
            criteria: Criteria::new(em.log_likelihood, n_parameters, data.total),
            open: Figures(vec![
                g2,
                chi2,
                several(1.0 - entropy / (data.total * (k as f64).ln())),
                several(1.0 - entropy / (data.total * prior)),
            ]),
            classification_error: (1.0 - largest / data.total).max(0.0),
            average_posterior: Figures(
                sure.iter().zip(&sizes).map(|(sure, size)| sure / size).collect(),
            ),
            modal_sizes: sizes,
        }
    }

    /// Whether the figures can be those of `k` classes.
    pub(crate) fn is_valid(&self, k: usize) -> bool {
        self.log_likelihood.is_finite()
            && self.open.len() == 4
            && self.modal_sizes.len() == k
            && self.average_posterior.len() == k
    }
}

/// `-p ln p`.
fn surprise(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

/// The class of the largest posterior, ties to the lowest.
pub(crate) fn modal(posterior: &[f64]) -> usize {
    let better =
        |best: usize, class: usize| if posterior[class] > posterior[best] { class } else { best };
    (0..posterior.len()).reduce(better).unwrap_or(0)
}
