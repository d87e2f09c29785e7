//! BG/BB: customers who can buy on fixed occasions, until they leave.

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::dual::Dual;
use super::optimise::{Optimum, maximise};
use super::spells::Spells;
use crate::error::{Error, Result};
use crate::parallel;

/// The BG/BB model (Fader, Hardie and Shang 2010, Marketing Science 29:1086-1108).
///
/// On each occasion a living customer buys with a probability that is beta(alpha, beta) over customers, and before each
/// leaves with one that is beta(gamma, delta).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BetaBinomial {
    /// First parameter of the probabilities to buy.
    pub alpha: f64,
    /// Second parameter of the probabilities to buy.
    pub beta: f64,
    /// First parameter of the probabilities to leave.
    pub gamma: f64,
    /// Second parameter of the probabilities to leave.
    pub delta: f64,
}

impl BetaBinomial {
    /// The model with the largest likelihood; recency and age count occasions.
    ///
    /// A pass costs the number of distinct rows times the occasions since the last purchase.
    ///
    /// # Errors
    ///
    /// Those of [`BetaBinomial::check`].
    pub fn fit(spells: &Spells) -> Result<(Self, Optimum<4>)> {
        Self::check(spells)?;
        let top = maximise([1.0; 4], None, |parameters| log_likelihood(parameters, spells));
        let [alpha, beta, gamma, delta] = top.parameters;
        Ok((Self { alpha, beta, gamma, delta }, top))
    }

    /// Whether these can be customers of fixed occasions.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for the first customer whose recency or age is no whole number, or who bought more often than
    /// there were occasions.
    pub fn check(spells: &Spells) -> Result<()> {
        let odd = |row: usize| {
            let (x, recency) = (spells.frequency[row], spells.recency[row]);
            recency.fract() != 0.0 || spells.age[row].fract() != 0.0 || x > recency
        };
        let rows = (0..spells.len()).filter(|&row| odd(row));
        match rows.min_by_key(|&row| spells.first[row]) {
            Some(row) => Err(not_occasions(spells, row)),
            None => Ok(()),
        }
    }

    /// Log-likelihood of customers.
    pub fn log_likelihood(&self, spells: &Spells) -> f64 {
        log_likelihood(&self.parameters(), spells).value
    }

    fn parameters(&self) -> [Dual<0>; 4] {
        [self.alpha, self.beta, self.gamma, self.delta].map(Dual::constant)
    }

    /// Probability that a customer is there on the next occasion.
    pub fn p_alive(&self, frequency: f64, recency: f64, occasions: f64) -> f64 {
        let likelihood = ln_customer(&self.parameters(), frequency, recency, occasions).value;
        let [alpha, beta, gamma, delta] = self.parameters();
        let alive = (alpha + frequency).ln_beta(beta + (occasions - frequency))
            - alpha.ln_beta(beta)
            + gamma.ln_beta(delta + (occasions + 1.0))
            - gamma.ln_beta(delta);
        (alive.value - likelihood).exp()
    }

    /// Expected purchases of a customer on the next occasions.
    pub fn expected_purchases(
        &self,
        next: f64,
        frequency: f64,
        recency: f64,
        occasions: f64,
    ) -> f64 {
        self.p_alive(frequency, recency, occasions)
            * self.expected_if_alive(next, frequency, occasions)
    }

    /// Expected purchases on the next occasions of a customer who is there on the first of them; recency tells nothing
    /// more then.
    pub fn expected_if_alive(&self, next: f64, frequency: f64, occasions: f64) -> f64 {
        let buys = (self.alpha + frequency) / (self.alpha + self.beta + occasions);
        // Share that is still there, of those who are on the first.
        let (mut there, mut sum) = (1.0, 0.0);
        for occasion in 1..=next as usize {
            sum += there;
            let stays = self.delta + occasions + occasion as f64;
            there *= stays / (self.gamma + stays);
        }
        buys * sum
    }

    /// Probabilities that a new customer buys 0, 1, .. `most - 1` times on the first occasions, and more often:
    /// beta-binomial on the occasions before leaving.
    pub fn counts_of_new(&self, occasions: f64, most: u32) -> Vec<f64> {
        let [alpha, beta, gamma, delta] = [self.alpha, self.beta, self.gamma, self.delta];
        let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        let n = occasions.floor() as u32;
        let mut found = vec![0.0; most as usize];
        for there in 0..=n {
            let t = f64::from(there);
            let lasts = if there == n {
                ln_beta(gamma, delta + t)
            } else {
                ln_beta(gamma + 1.0, delta + t)
            };
            let weight = (lasts - ln_beta(gamma, delta)).exp();
            for (x, slot) in found.iter_mut().enumerate().take(there as usize + 1) {
                let x = x as f64;
                let ways = ln_gamma(t + 1.0) - ln_gamma(x + 1.0) - ln_gamma(t - x + 1.0);
                let buys = ln_beta(alpha + x, beta + t - x) - ln_beta(alpha, beta);
                *slot += weight * (ways + buys).exp();
            }
        }
        found.push((1.0 - found.iter().sum::<f64>()).max(0.0));
        found
    }

    /// Expected purchases of a new customer on the first occasions.
    pub fn expected_of_new(&self, occasions: f64) -> f64 {
        let [_, _, gamma, delta] = self.parameters();
        let there = |i: f64| (gamma.ln_beta(delta + i) - gamma.ln_beta(delta)).value.exp();
        let sum: f64 = (1..=occasions as usize).map(|i| there(i as f64)).sum();
        self.alpha / (self.alpha + self.beta) * sum
    }
}

/// Why a row cannot be a customer of fixed occasions; with the row of the user.
fn not_occasions(spells: &Spells, row: usize) -> Error {
    for (name, value) in [("recency", spells.recency[row]), ("T", spells.age[row])] {
        if value.fract() != 0.0 {
            let wanted = "a whole number of occasions is needed";
            return Error::value(name, spells.first[row], value, wanted);
        }
    }
    let wanted =
        format!("at most one purchase per occasion, here {}, is possible", spells.recency[row]);
    Error::value("frequency", spells.first[row], spells.frequency[row], wanted)
}

/// Log-likelihood of one customer.
fn ln_customer<const P: usize>(
    [alpha, beta, gamma, delta]: &[Dual<P>; 4],
    frequency: f64,
    recency: f64,
    occasions: f64,
) -> Dual<P> {
    let bought = *alpha + frequency;
    let norm = alpha.ln_beta(*beta) + gamma.ln_beta(*delta);
    let mut sum =
        bought.ln_beta(*beta + (occasions - frequency)) + gamma.ln_beta(*delta + occasions);
    for i in 0..(occasions - recency) as usize {
        let there = recency + i as f64;
        sum = sum.ln_add_exp(
            bought.ln_beta(*beta + (there - frequency)) + (*gamma + 1.0).ln_beta(*delta + there),
        );
    }
    sum - norm
}

pub(super) fn log_likelihood<const P: usize>(
    parameters: &[Dual<P>; 4],
    spells: &Spells,
) -> Dual<P> {
    let blocks = parallel::map_blocks(spells.len(), |rows| {
        let mut sum = Dual::constant(0.0);
        for row in rows {
            let (x, recency) = (spells.frequency[row], spells.recency[row]);
            sum += ln_customer(parameters, x, recency, spells.age[row]) * spells.weight[row];
        }
        sum
    });
    blocks.into_iter().fold(Dual::constant(0.0), |sum, block| sum + block)
}
