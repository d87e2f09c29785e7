//! Ordinal items: one slope per class on the scores of the categories instead of a probability for each.
//!
//! The adjacent-category logit model: `ln P(category c | class k) = b_c + g_k s_c - ln Z_k`, with scores `s` from 0 (first
//! category) to 1 (last). The categories' intercepts `b` are common to all classes, so that an item with C categories takes
//! (C - 1) + (K - 1) parameters instead of K (C - 1). With two categories nothing is restricted.

use super::linear::solve;

/// The restriction of one item, and its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Ordinal {
    scores: Vec<f64>,
    k: usize,
    intercepts: Vec<f64>,
    slopes: Vec<f64>,
    started: bool,
}

impl Ordinal {
    /// For `k` classes.
    pub(crate) fn new(scores: &[f64], k: usize) -> Self {
        let intercepts = vec![0.0; scores.len()];
        Self { scores: scores.to_vec(), k, intercepts, slopes: vec![0.0; k], started: false }
    }

    /// Number of free parameters.
    pub(crate) fn n_parameters(n_categories: usize, k: usize) -> usize {
        if n_categories < 2 { 0 } else { n_categories - 1 + k - 1 }
    }

    /// Moves towards the parameters that fit the weights of the categories `(n, lanes)` best, and writes probabilities.
    pub(crate) fn step(&mut self, weights: &[f64], lanes: usize, to: &mut [f64]) {
        // The first fit goes to the end; later ones follow the iterations of EM.
        let steps = if self.started { 1 } else { 25 };
        self.started = true;
        for _ in 0..steps {
            self.newton(weights, lanes);
        }
        for class in 0..self.k {
            let (probabilities, _) = self.probabilities(class);
            for (category, probability) in probabilities.into_iter().enumerate() {
                to[category * lanes + class] = probability;
            }
        }
    }

    /// Probabilities of the categories in a class, and the logarithm of what they were divided by.
    fn probabilities(&self, class: usize) -> (Vec<f64>, f64) {
        let logits = self.scores.iter().zip(&self.intercepts);
        let mut found: Vec<f64> = logits.map(|(score, b)| b + self.slopes[class] * score).collect();
        let largest = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        found.iter_mut().for_each(|logit| *logit = (*logit - largest).exp());
        let total: f64 = found.iter().sum();
        found.iter_mut().for_each(|share| *share /= total);
        (found, largest + total.ln())
    }

    /// The objective: sum of weight times log probability.
    fn fit(&self, weights: &[f64], lanes: usize) -> f64 {
        let mut sum = 0.0;
        for class in 0..self.k {
            let (_, log_total) = self.probabilities(class);
            for (category, score) in self.scores.iter().enumerate() {
                let log = self.intercepts[category] + self.slopes[class] * score - log_total;
                sum += weights[category * lanes + class] * log;
            }
        }
        sum
    }

    fn newton(&mut self, weights: &[f64], lanes: usize) {
        let (n, k) = (self.scores.len(), self.k);
        let free = n - 1 + k - 1;
        if n < 2 {
            return;
        }
        let (mut step, mut hessian) = (vec![0.0; free], vec![0.0; free * free]);
        for class in 0..k {
            let total: f64 = (0..n).map(|category| weights[category * lanes + class]).sum();
            let (p, _) = self.probabilities(class);
            let mean: f64 = p.iter().zip(&self.scores).map(|(p, score)| p * score).sum();
            let rests: Vec<f64> = (0..n)
                .map(|category| weights[category * lanes + class] - total * p[category])
                .collect();
            for a in 1..n {
                step[a - 1] += rests[a];
                for b in 1..n {
                    let both = if a == b { p[a] } else { 0.0 };
                    hessian[(a - 1) * free + b - 1] += total * (both - p[a] * p[b]);
                }
            }
            if class > 0 {
                let slope = n - 1 + class - 1;
                step[slope] =
                    rests.iter().zip(&self.scores).map(|(rest, score)| rest * score).sum();
                for a in 1..n {
                    let cross = total * p[a] * (self.scores[a] - mean);
                    hessian[slope * free + a - 1] = cross;
                    hessian[(a - 1) * free + slope] = cross;
                }
                let spread =
                    p.iter().zip(&self.scores).map(|(p, score)| p * (score - mean).powi(2));
                hessian[slope * free + slope] = total * spread.sum::<f64>();
            }
        }
        solve(&hessian, &mut step);
        let before = (self.intercepts.clone(), self.slopes.clone());
        let fit_before = self.fit(weights, lanes);
        let mut size = 1.0;
        for _ in 0..12 {
            for a in 1..n {
                self.intercepts[a] = before.0[a] + size * step[a - 1];
            }
            for class in 1..k {
                self.slopes[class] = before.1[class] + size * step[n - 1 + class - 1];
            }
            if self.fit(weights, lanes) >= fit_before {
                return;
            }
            size *= 0.5;
        }
        (self.intercepts, self.slopes) = before;
    }
}
