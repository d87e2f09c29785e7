//! BG/NBD: customers buy at a rate of their own until, after some purchase, they leave.

use serde::{Deserialize, Serialize};

use super::dual::Dual;
use super::hypergeometric::hypergeometric;
use super::optimise::{Optimum, maximise};
use super::spells::Spells;
use crate::parallel;

/// The BG/NBD model (Fader, Hardie and Lee 2005, Marketing Science 24:275-284) and its modification in which a customer
/// may leave after the first purchase already (Batislam, Denizel and Filiztekin 2007, International Journal of Research in
/// Marketing 24:201-209).
///
/// Purchases follow a Poisson process whose rate is gamma(r, alpha) over customers; after each purchase a customer
/// leaves with a probability that is beta(a, b).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BetaGeo {
    /// Shape of the rates.
    pub r: f64,
    /// Rate of the rates: a time.
    pub alpha: f64,
    /// First parameter of the probabilities to leave.
    pub a: f64,
    /// Second parameter of the probabilities to leave.
    pub b: f64,
    /// Whether customers may leave after the first purchase.
    pub modified: bool,
}

impl BetaGeo {
    /// The model with the largest likelihood.
    ///
    /// One pass over the distinct rows per Newton step, in fixed blocks.
    pub fn fit(spells: &Spells, modified: bool) -> (Self, Optimum<4>) {
        let typical = spells.age.iter().zip(&spells.weight).map(|(age, w)| age * w).sum::<f64>()
            / spells.total();
        let start = [1.0, typical.max(1e-3), 1.0, 1.0];
        let top = maximise(start, |parameters| log_likelihood(parameters, spells, modified));
        (Self::new(top.parameters, modified), top)
    }

    /// The model with these r, alpha, a and b.
    pub fn new([r, alpha, a, b]: [f64; 4], modified: bool) -> Self {
        Self { r, alpha, a, b, modified }
    }

    /// Log-likelihood of customers.
    pub fn log_likelihood(&self, spells: &Spells) -> f64 {
        let parameters = [self.r, self.alpha, self.a, self.b].map(Dual::<0>::constant);
        log_likelihood(&parameters, spells, self.modified).value
    }

    /// Purchases after which a customer may have left: all, or all but the first.
    fn chances(&self, frequency: f64) -> f64 {
        frequency + f64::from(u8::from(self.modified))
    }

    /// Probability that a customer has not left yet.
    pub fn p_alive(&self, frequency: f64, recency: f64, age: f64) -> f64 {
        let chances = self.chances(frequency);
        if chances == 0.0 {
            return 1.0;
        }
        let odds = self.a / (self.b + chances - 1.0)
            * ((self.alpha + age) / (self.alpha + recency)).powf(self.r + frequency);
        1.0 / (1.0 + odds)
    }

    /// Expected purchases of a customer in a time to come.
    pub fn expected_purchases(&self, time: f64, frequency: f64, recency: f64, age: f64) -> f64 {
        let alive = self.p_alive(frequency, recency, age);
        let shape = self.r + frequency;
        alive * self.of_the_living(time, shape, self.alpha + age, self.b + self.chances(frequency))
    }

    /// Expected repeat purchases of a new customer in this time.
    pub fn expected_of_new(&self, time: f64) -> f64 {
        let stays = if self.modified { self.b / (self.a + self.b) } else { 1.0 };
        let b = self.b + f64::from(u8::from(self.modified));
        stays * self.of_the_living(time, self.r, self.alpha, b)
    }

    /// Expectation of `(1 - exp(-λ p t)) / p` with λ gamma(shape, rate) and p beta(a, b).
    fn of_the_living(&self, time: f64, shape: f64, rate: f64, b: f64) -> f64 {
        let at = |a: f64| {
            let c = a + b - 1.0;
            let z = time / (rate + time);
            // Euler's transformation leaves no large powers (Abramowitz and Stegun 15.3.3).
            let rest = (1.0 - z).powf(a - 1.0) * hypergeometric(c - shape, a - 1.0, c, z);
            c / (a - 1.0) * (1.0 - rest)
        };
        // At a = 1 the formula is 0 / 0; it is smooth there.
        if (self.a - 1.0).abs() < 1e-5 {
            0.5 * (at(1.0 - 1e-5) + at(1.0 + 1e-5))
        } else {
            at(self.a)
        }
    }
}

fn log_likelihood<const P: usize>(
    [r, alpha, a, b]: &[Dual<P>; 4],
    spells: &Spells,
    modified: bool,
) -> Dual<P> {
    let shift = f64::from(u8::from(modified));
    let mut sum = (*r * alpha.ln() - r.ln_gamma() - a.ln_beta(*b)) * spells.total();
    for &(x, weight) in &spells.frequencies {
        sum += ((*r + x).ln_gamma() + a.ln_beta(*b + (x + shift))) * weight;
    }
    let blocks = parallel::map_blocks(spells.len(), |rows| {
        let mut sum = Dual::constant(0.0);
        let (mut last, mut odds) = (f64::NAN, Dual::constant(0.0));
        for row in rows {
            let (x, recency) = (spells.frequency[row], spells.recency[row]);
            let shape = *r + x;
            let stayed = -(shape * (*alpha + spells.age[row]).ln());
            let chances = x + shift;
            let term = if chances > 0.0 {
                if x != last {
                    (last, odds) = (x, a.ln() - (*b + (chances - 1.0)).ln());
                }
                stayed.ln_add_exp(odds - shape * (*alpha + recency).ln())
            } else {
                stayed
            };
            sum += term * spells.weight[row];
        }
        sum
    });
    blocks.into_iter().fold(sum, |sum, block| sum + block)
}
