//! Pareto/NBD: customers buy at a rate of their own until, at a time of their own, they leave.

use serde::{Deserialize, Serialize};

use super::dual::Dual;
use super::optimise::{Optimum, maximise};
use super::spells::Spells;
use crate::parallel;

/// Nodes and weights of Gauss-Legendre quadrature with 16 points on [-1, 1], the positive half (Abramowitz and Stegun
/// 1964, table 25.4).
const GAUSS: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_6),
    (0.458_016_777_657_227_4, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_7, 0.149_595_988_816_576_73),
    (0.755_404_408_355_003, 0.124_628_971_255_533_87),
    (0.865_631_202_387_831_7, 0.095_158_511_682_492_78),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_89),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_095),
];

/// The Pareto/NBD model (Schmittlein, Morrison and Colombo 1987, Management Science 33:1-24; Fader and Hardie 2005, A
/// Note on Deriving the Pareto/NBD Model).
///
/// Purchases follow a Poisson process whose rate is gamma(r, alpha) over customers; lifetimes are exponential with a
/// rate that is gamma(s, beta).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pareto {
    /// Shape of the purchase rates.
    pub r: f64,
    /// Rate of the purchase rates: a time.
    pub alpha: f64,
    /// Shape of the rates of leaving.
    pub s: f64,
    /// Rate of the rates of leaving: a time.
    pub beta: f64,
}

impl Pareto {
    /// The model with the largest likelihood.
    ///
    /// One pass over the distinct rows per Newton step, in fixed blocks.
    pub fn fit(spells: &Spells) -> (Self, Optimum<4>) {
        let typical = spells.typical_age();
        let top = maximise([1.0, typical, 1.0, typical], None, |parameters| {
            log_likelihood(parameters, spells)
        });
        let [r, alpha, s, beta] = top.parameters;
        (Self { r, alpha, s, beta }, top)
    }

    /// Log-likelihood of customers.
    pub fn log_likelihood(&self, spells: &Spells) -> f64 {
        let parameters = [self.r, self.alpha, self.s, self.beta].map(Dual::<0>::constant);
        log_likelihood(&parameters, spells).value
    }

    /// Probability that a customer has not left yet.
    pub fn p_alive(&self, frequency: f64, recency: f64, age: f64) -> f64 {
        let [r, alpha, s, beta] = [self.r, self.alpha, self.s, self.beta].map(Dual::<0>::constant);
        let stayed = -((r + frequency) * (alpha + age).ln() + s * (beta + age).ln());
        match ln_left(&[r, alpha, s, beta], frequency, recency, age) {
            Some(left) => 1.0 / (1.0 + (left - stayed).value.exp()),
            None => 1.0,
        }
    }

    /// Expected purchases of a customer in a time to come.
    pub fn expected_purchases(&self, time: f64, frequency: f64, recency: f64, age: f64) -> f64 {
        self.p_alive(frequency, recency, age) * self.expected_if_alive(time, frequency, age)
    }

    /// Expected purchases in a time to come of a customer who has not left yet; recency tells nothing more then.
    pub fn expected_if_alive(&self, time: f64, frequency: f64, age: f64) -> f64 {
        let rate = (self.r + frequency) / (self.alpha + age);
        rate * self.expected_life(self.beta + age, time)
    }

    /// Expected repeat purchases of a new customer in this time.
    pub fn expected_of_new(&self, time: f64) -> f64 {
        self.r / self.alpha * self.expected_life(self.beta, time)
    }

    /// Probabilities that a new customer buys again 0, 1, .. `most - 1` times in this time, and more often: negative
    /// binomial up to the time of leaving, or the end.
    pub fn counts_of_new(&self, time: f64, most: u32) -> Vec<f64> {
        let stays = |until: f64| (self.beta / (self.beta + until)).powf(self.s);
        let add = |found: &mut [f64], until: f64, weight: f64| {
            let busy = until / (self.alpha + until);
            let mut exactly = (self.alpha / (self.alpha + until)).powf(self.r);
            for (x, slot) in found.iter_mut().enumerate() {
                *slot += weight * exactly;
                exactly *= (self.r + x as f64) / (x as f64 + 1.0) * busy;
            }
        };
        let mut found = vec![0.0; most as usize];
        add(&mut found, time, stays(time));
        // Over the share that has left, in which the density is even; finer where the time is short.
        const PANELS: usize = 16;
        let gone = 1.0 - stays(time);
        for panel in 0..PANELS {
            let half = 0.5 / PANELS as f64;
            let middle = (panel as f64 + 0.5) / PANELS as f64;
            for (node, weight) in GAUSS {
                for node in [-node, node] {
                    let share = gone * (middle + half * node);
                    let until = self.beta * ((-(-share).ln_1p() / self.s).exp_m1());
                    add(&mut found, until.min(time), gone * half * weight);
                }
            }
        }
        found.push((1.0 - found.iter().sum::<f64>()).max(0.0));
        found
    }

    /// Expected time of life within `time` of a customer whose rate of leaving is gamma(s, beta).
    fn expected_life(&self, beta: f64, time: f64) -> f64 {
        // β / (s - 1) (1 - (β / (β + t))^(s - 1)), smooth at s = 1.
        let log = (time / beta).ln_1p();
        let exponent = (1.0 - self.s) * log;
        let share = if exponent.abs() < 1e-12 { 1.0 } else { exponent.exp_m1() / exponent };
        beta * log * share
    }
}

/// Logarithm of `∫ s (alpha + t)^-(r + x) (beta + t)^-(s + 1) dt` from recency to age: the part of the likelihood of
/// customers who left between. `None` where the two are equal.
///
/// In `w = ln(alpha + t)` the integrand falls about as `exp(-(r + x) w)`; panels over which it falls by at most `e^-6` are
/// integrated with 16 points each, and what lies behind a fall of `e^-42` is left out. The derivatives are moments of the
/// same points: a point costs two logarithms and an exponential.
fn ln_left<const P: usize>(
    parameters: &[Dual<P>; 4],
    frequency: f64,
    recency: f64,
    age: f64,
) -> Option<Dual<P>> {
    if age <= recency {
        return None;
    }
    let [r, alpha, s, beta] = parameters.map(|parameter| parameter.value);
    let shape = r + frequency;
    let low = (alpha + recency).ln();
    let range = ((age - recency) / (alpha + recency)).ln_1p();
    let steepness = shape + s + 1.0;
    let kept = (42.0 / (steepness * range)).min(1.0);
    let n_panels = (steepness * range * kept / 6.0).ceil().max(1.0);
    let half = range * 0.5 * kept / n_panels;
    let top = -(shape - 1.0) * low - (s + 1.0) * (beta + recency).ln();
    let (mut sum, mut first, mut second) = (0.0, [0.0; 4], [[0.0; 4]; 4]);
    for panel in 0..n_panels as usize {
        let middle = half * (2.0 * panel as f64 + 1.0);
        for (node, weight) in GAUSS {
            for node in [-node, node] {
                let w = low + middle + half * node;
                let since_start = w.exp();
                let since_beta = beta + (since_start - alpha);
                let ln_beta = since_beta.ln();
                let term = weight * (-(s + 1.0) * ln_beta - (shape - 1.0) * w - top).exp();
                // Derivatives of the logarithm of the integrand at a fixed time.
                let by_alpha = shape / since_start;
                let by_beta = (s + 1.0) / since_beta;
                let slope = [-w, -by_alpha, -ln_beta, -by_beta];
                sum += term;
                for i in 0..4 {
                    first[i] += term * slope[i];
                    for j in i..4 {
                        second[i][j] += term * slope[i] * slope[j];
                    }
                }
                second[0][1] -= term / since_start;
                second[1][1] += term * by_alpha / since_start;
                second[2][3] -= term / since_beta;
                second[3][3] += term * by_beta / since_beta;
            }
        }
    }
    let mut gradient = first.map(|moment| moment / sum);
    let mut hessian = [[0.0; 4]; 4];
    for i in 0..4 {
        for j in i..4 {
            hessian[i][j] = second[i][j] / sum - gradient[i] * gradient[j];
            hessian[j][i] = hessian[i][j];
        }
    }
    gradient[2] += 1.0 / s;
    hessian[2][2] -= 1.0 / (s * s);
    Some(Dual::of(s.ln() + top + (sum * half).ln(), gradient, hessian, parameters))
}

pub(super) fn log_likelihood<const P: usize>(
    parameters: &[Dual<P>; 4],
    spells: &Spells,
) -> Dual<P> {
    let [r, alpha, s, beta] = parameters;
    let mut sum = (*r * alpha.ln() - r.ln_gamma() + *s * beta.ln()) * spells.total();
    for &(x, weight) in &spells.frequencies {
        sum += (*r + x).ln_gamma() * weight;
    }
    let blocks = parallel::map_blocks(spells.len(), |rows| {
        let mut sum = Dual::constant(0.0);
        for row in rows {
            let (x, age) = (spells.frequency[row], spells.age[row]);
            let stayed = -((*r + x) * (*alpha + age).ln() + *s * (*beta + age).ln());
            let term = match ln_left(parameters, x, spells.recency[row], age) {
                Some(left) => stayed.ln_add_exp(left),
                None => stayed,
            };
            sum += term * spells.weight[row];
        }
        sum
    });
    blocks.into_iter().fold(sum, |sum, block| sum + block)
}
