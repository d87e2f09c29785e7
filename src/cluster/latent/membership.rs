//! Covariates on membership: a multinomial logit of the classes, fitted with them in one step.
//!
//! After Bandeen-Roche, Miglioretti, Zeger and Rathouz (1997), Latent variable regression for multiple discrete outcomes:
//! each EM iteration takes a step of Newton's method, halved until it gains.

use super::super::mixed::{Columns, Mixed};
use super::answers::positions;
use super::linear::solve;
use crate::error::{Error, Result};
use crate::parallel;
use crate::simd::MISSING;

/// Covariates as numbers: 1, the numeric columns, and a flag for each category but the first.
#[derive(Debug, Clone)]
pub(crate) struct Design {
    values: Vec<f64>,
    pub(crate) n: usize,
    pub(crate) width: usize,
}

/// How the terms of a design were centred and scaled.
#[derive(Debug, Clone)]
pub(crate) struct Scaling {
    means: Vec<f64>,
    scales: Vec<f64>,
}

/// Names of the terms of a design.
pub(crate) fn terms(columns: &Columns) -> Vec<String> {
    let mut names = vec!["(intercept)".to_owned()];
    for name in &columns.order {
        if columns.numeric.contains(name) {
            names.push(name.clone());
        }
        for attribute in columns.categorical.iter().filter(|attribute| attribute.name == *name) {
            names.extend(attribute.categories.iter().skip(1).map(|c| format!("{name}={c}")));
        }
    }
    names
}

/// The covariates, of the categories only those that are met.
pub(crate) fn used(data: &Mixed) -> Columns {
    let mut columns = data.columns().clone();
    for (at, attribute) in columns.categorical.iter_mut().enumerate() {
        let mut met = vec![false; attribute.categories.len()];
        for row in 0..data.n_rows() {
            if let Some(met) = met.get_mut(data.codes(row)[at] as usize) {
                *met = true;
            }
        }
        let mut kept = met.iter();
        attribute.categories.retain(|_| kept.next() == Some(&true));
    }
    columns
}

impl Design {
    /// The design of rows under the columns of a model.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a covariate that is missing or a category that the model does not know.
    pub(crate) fn new(data: &Mixed, columns: &Columns) -> Result<Self> {
        let (n, width) = (data.n_rows(), terms(columns).len());
        if data.d() != columns.numeric.len() || data.m() != columns.categorical.len() {
            let wanted = format!("the model was fitted on {}", columns.order.len());
            return Err(Error::argument("covariates", data.d() + data.m(), wanted));
        }
        let mut values = Vec::with_capacity(n * width);
        let refuse = |name: &str, row: usize, found: &str| {
            Error::value(name, row, found, "a covariate needs a value that the model knows")
                .with_mend(format!("df = df.dropna(subset=[{name:?}])"))
        };
        let sources: Vec<(Option<usize>, Option<usize>)> = columns
            .order
            .iter()
            .map(|name| {
                let category = columns.categorical.iter().position(|other| other.name == *name);
                (columns.numeric.iter().position(|other| other == name), category)
            })
            .collect();
        let maps: Vec<Vec<u16>> = data
            .columns()
            .categorical
            .iter()
            .zip(&columns.categorical)
            .map(|(theirs, ours)| positions(theirs, ours))
            .collect();
        for row in 0..n {
            values.push(1.0);
            for (name, &(numeric, categorical)) in columns.order.iter().zip(&sources) {
                if let Some(at) = numeric {
                    let value = data.numbers(row)[at];
                    if value.is_nan() {
                        return Err(refuse(name, row, "a missing value"));
                    }
                    values.push(value);
                }
                if let Some(at) = categorical {
                    let n_categories = columns.categorical[at].categories.len() as u16;
                    let code = data.codes(row)[at];
                    match maps[at].get(code as usize).copied().unwrap_or(0) {
                        0 if code == MISSING => return Err(refuse(name, row, "a missing value")),
                        0 => return Err(refuse(name, row, "a new category")),
                        code => values
                            .extend((2..=n_categories).map(|c| f64::from(u8::from(c == code)))),
                    }
                }
            }
        }
        Ok(Self { values, n, width })
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Prior of one row under coefficients `(k, width)`.
    pub(crate) fn prior(&self, row: usize, coefficients: &[f64], to: &mut [f64]) {
        let largest = logits(self.row(row), coefficients, to);
        to.iter_mut().for_each(|logit| *logit = (*logit - largest).exp());
        let total: f64 = to.iter().sum();
        to.iter_mut().for_each(|share| *share /= total);
    }

    /// The given rows.
    pub(crate) fn select(&self, rows: &[u32]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row as usize).iter().copied()).collect();
        Self { values, n: rows.len(), width: self.width }
    }

    /// Centres and scales the terms, so that Newton's steps are well conditioned.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a term that does not vary, or whose squares are not finite.
    pub(crate) fn standardise(&mut self, weights: &[f64], names: &[String]) -> Result<Scaling> {
        let total: f64 = weights.iter().sum();
        let (mut means, mut scales) = (vec![0.0; self.width], vec![1.0; self.width]);
        for term in 1..self.width {
            let mean = |f: &dyn Fn(f64) -> f64| -> f64 {
                let rows = weights.iter().enumerate();
                rows.map(|(row, weight)| weight * f(self.row(row)[term])).sum::<f64>() / total
            };
            let middle = mean(&|value| value);
            let deviation = mean(&|value| (value - middle) * (value - middle)).sqrt();
            if !(deviation > 1e-12 * middle.abs() && deviation.is_finite()) {
                let wanted = "a covariate must vary";
                return Err(Error::argument(
                    "covariates",
                    format!("{:?} is constant", names[term]),
                    wanted,
                ));
            }
            (means[term], scales[term]) = (middle, deviation);
        }
        for row in self.values.chunks_exact_mut(self.width) {
            for (term, value) in row.iter_mut().enumerate() {
                *value = (*value - means[term]) / scales[term];
            }
        }
        Ok(Scaling { means, scales })
    }
}

impl Scaling {
    /// How coefficients of the terms as they came follow from those of the scaled terms: a matrix `(width, width)`.
    pub(crate) fn back(&self) -> Vec<f64> {
        let width = self.means.len();
        let mut matrix = vec![0.0; width * width];
        for term in 0..width {
            matrix[term * width + term] = 1.0 / self.scales[term];
            if term > 0 {
                matrix[term] = -self.means[term] / self.scales[term];
            }
        }
        matrix
    }
}

/// The logit: coefficients, and the prior of every row that follows from them.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    k: usize,
    lanes: usize,
    width: usize,
    /// `(k, width)`; those of the first class are 0.
    coefficients: Vec<f64>,
    prior: Vec<f64>,
    /// What each block of priors adds to the fit.
    fits: Vec<f64>,
}

impl Membership {
    /// Room for `k` classes in `lanes` lanes.
    pub(crate) fn new(design: &Design, k: usize, lanes: usize) -> Self {
        let prior = vec![0.0; design.n * lanes];
        let blocks = prior.len().div_ceil(parallel::BLOCK);
        let coefficients = vec![0.0; k * design.width];
        Self { k, lanes, width: design.width, coefficients, prior, fits: vec![0.0; blocks] }
    }

    /// Equal shares for everybody.
    pub(crate) fn start(&mut self) {
        self.coefficients.fill(0.0);
        let share = 1.0 / self.k as f64;
        for row in self.prior.chunks_exact_mut(self.lanes) {
            row[..self.k].fill(share);
        }
    }

    /// Takes coefficients `(k, width)`; [`Membership::look`] must follow.
    pub(crate) fn set(&mut self, coefficients: &[f64]) {
        self.coefficients.copy_from_slice(coefficients);
    }

    /// Coefficients `(k, width)`.
    pub(crate) fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// Number of terms.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Prior of every row, one number per lane.
    pub(crate) fn prior(&self) -> &[f64] {
        &self.prior
    }

    /// Computes the priors, and how well they fit the posteriors if there are any: sum of weight, posterior and logarithm.
    pub(crate) fn look(&mut self, design: &Design, weights: &[f64], posteriors: &[f64]) -> f64 {
        let (k, lanes, coefficients) = (self.k, self.lanes, &self.coefficients);
        parallel::update_blocks(&mut self.prior, &mut self.fits, |first, priors, fit| {
            *fit = 0.0;
            for (at, prior) in priors.chunks_exact_mut(lanes).enumerate() {
                let row = first / lanes + at;
                let largest = logits(design.row(row), coefficients, &mut prior[..k]);
                let total: f64 = prior[..k].iter().map(|logit| (logit - largest).exp()).sum();
                let log_total = largest + total.ln();
                for (class, logit) in prior[..k].iter_mut().enumerate() {
                    if let Some(posterior) = posteriors.get(row * lanes + class) {
                        *fit += weights[row] * posterior * (*logit - log_total);
                    }
                    *logit = (*logit - log_total).exp();
                }
            }
        });
        self.fits.iter().sum()
    }

    /// One step of Newton's method towards the coefficients that fit the posteriors best.
    pub(crate) fn step(&mut self, design: &Design, weights: &[f64], posteriors: &[f64]) {
        let (k, lanes, width) = (self.k, self.lanes, self.width);
        let free = (k - 1) * width;
        if free == 0 {
            return;
        }
        let prior = &self.prior;
        let parts = parallel::map_blocks(design.n, |rows| {
            let (mut gradient, mut hessian) = (vec![0.0; free], vec![0.0; free * free]);
            for row in rows {
                let x = design.row(row);
                let prior = &prior[row * lanes..][..k];
                let posterior = &posteriors[row * lanes..][..k];
                for a in 1..k {
                    let rest = weights[row] * (posterior[a] - prior[a]);
                    let to = &mut gradient[(a - 1) * width..][..width];
                    to.iter_mut().zip(x).for_each(|(to, x)| *to += rest * x);
                    for b in 1..=a {
                        let both = f64::from(u8::from(a == b));
                        let weight = weights[row] * prior[a] * (both - prior[b]);
                        for (i, left) in x.iter().enumerate() {
                            let to = &mut hessian[((a - 1) * width + i) * free + (b - 1) * width..];
                            let left = weight * left;
                            to.iter_mut().zip(x).for_each(|(to, x)| *to += left * x);
                        }
                    }
                }
            }
            (gradient, hessian)
        });
        let (mut step, mut hessian) = (vec![0.0; free], vec![0.0; free * free]);
        for (gradient, part) in parts {
            step.iter_mut().zip(&gradient).for_each(|(to, from)| *to += from);
            hessian.iter_mut().zip(&part).for_each(|(to, from)| *to += from);
        }
        for row in 0..free {
            for column in row + 1..free {
                hessian[row * free + column] = hessian[column * free + row];
            }
        }
        solve(&hessian, &mut step);
        let before = self.coefficients.clone();
        let fit_before = self.look(design, weights, posteriors);
        let mut size = 1.0;
        for _ in 0..12 {
            for (at, step) in step.iter().enumerate() {
                self.coefficients[width + at] = before[width + at] + size * step;
            }
            if self.look(design, weights, posteriors) >= fit_before {
                return;
            }
            size *= 0.5;
        }
        self.coefficients = before;
        self.look(design, weights, posteriors);
    }
}

/// The logits of a row, and the largest.
pub(crate) fn logits(x: &[f64], coefficients: &[f64], to: &mut [f64]) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for (to, coefficients) in to.iter_mut().zip(coefficients.chunks_exact(x.len())) {
        *to = x.iter().zip(coefficients).map(|(x, c)| x * c).sum();
        largest = largest.max(*to);
    }
    largest
}
