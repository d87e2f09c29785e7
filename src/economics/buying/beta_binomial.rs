//! BG/BB: customers who can buy on fixed occasions, until they leave.

use serde::{Deserialize, Serialize};

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
    /// [`Error::BadValue`] where recency or age is no whole number, or there are more purchases than occasions.
    pub fn fit(spells: &Spells) -> Result<(Self, Optimum<4>)> {
        for row in 0..spells.len() {
            for (name, value) in [("recency", spells.recency[row]), ("T", spells.age[row])] {
                if value.fract() != 0.0 {
                    return Err(Error::value(
                        name,
                        row,
                        value,
                        "a whole number of occasions is needed",
                    ));
                }
            }
            if spells.frequency[row] > spells.recency[row] {
                let wanted =
                    format!("at most one purchase per occasion, here {}", spells.recency[row]);
                return Err(Error::value("frequency", row, spells.frequency[row], wanted));
            }
        }
        let top = maximise([1.0; 4], |parameters| log_likelihood(parameters, spells));
        let [alpha, beta, gamma, delta] = top.parameters;
        Ok((Self { alpha, beta, gamma, delta }, top))
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
        let likelihood = ln_customer(&self.parameters(), frequency, recency, occasions).value;
        let [alpha, beta, gamma, delta] = self.parameters();
        let buys = (alpha + (frequency + 1.0)).ln_beta(beta + (occasions - frequency))
            - alpha.ln_beta(beta);
        let there = |occasion: f64| {
            (gamma.ln_beta(delta + (occasions + occasion)) - gamma.ln_beta(delta)).value.exp()
        };
        let occasions_there: f64 = (1..=next as usize).map(|i| there(i as f64)).sum();
        (buys.value - likelihood).exp() * occasions_there
    }

    /// Expected purchases of a new customer on the first occasions.
    pub fn expected_of_new(&self, occasions: f64) -> f64 {
        let [_, _, gamma, delta] = self.parameters();
        let there = |i: f64| (gamma.ln_beta(delta + i) - gamma.ln_beta(delta)).value.exp();
        let sum: f64 = (1..=occasions as usize).map(|i| there(i as f64)).sum();
        self.alpha / (self.alpha + self.beta) * sum
    }
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

fn log_likelihood<const P: usize>(parameters: &[Dual<P>; 4], spells: &Spells) -> Dual<P> {
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
