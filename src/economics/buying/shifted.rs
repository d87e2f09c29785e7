//! Shifted beta-geometric: contracts that are renewed or not.

use serde::{Deserialize, Serialize};

use super::dual::Dual;
use super::optimise::{Optimum, maximise};
use crate::error::{Error, Result};

/// The shifted beta-geometric model of retention (Fader and Hardie 2007, Journal of Interactive Marketing 21:76-90).
///
/// At each renewal a customer leaves with a probability of their own, which is beta(alpha, beta) over customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShiftedBetaGeometric {
    /// First parameter of the probabilities to leave.
    pub alpha: f64,
    /// Second parameter of the probabilities to leave.
    pub beta: f64,
    #[serde(skip)]
    optimum: Option<Optimum<2>>,
}

impl ShiftedBetaGeometric {
    /// The model with the largest likelihood of the customers left after 0, 1, 2, .. renewals.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a number that is negative, not finite or larger than the one before;
    /// [`Error::TooFewRows`] for fewer than three numbers, from which two parameters cannot be told.
    pub fn fit(alive: &[f64]) -> Result<Self> {
        if alive.len() < 3 {
            let what = "a model of retention".into();
            return Err(Error::TooFewRows { what, needed: 3, found: alive.len(), mend: None });
        }
        for (row, &count) in alive.iter().enumerate() {
            if !(count.is_finite() && count >= 0.0) || alive[0] <= 0.0 {
                let wanted = "a number of customers from 0 up, and above 0 at first, is needed";
                return Err(Error::value("alive", row, count, wanted));
            }
            if row > 0 && count > alive[row - 1] {
                let wanted = format!("at most the {} of the period before", alive[row - 1]);
                return Err(Error::value("alive", row, count, format!("{wanted} is needed")));
            }
        }
        let top = maximise([1.0, 1.0], |[alpha, beta]: &[Dual<2>; 2]| {
            // P(T = t) = P(T = t - 1) (beta + t - 2) / (alpha + beta + t - 1), S(t) likewise.
            let mut sum = Dual::constant(0.0);
            let mut ln_survival = Dual::constant(0.0);
            for t in 1..alive.len() {
                let all = (*alpha + *beta + (t as f64 - 1.0)).ln();
                sum += (ln_survival + alpha.ln() - all) * (alive[t - 1] - alive[t]);
                ln_survival += (*beta + (t as f64 - 1.0)).ln() - all;
            }
            sum + ln_survival * alive[alive.len() - 1]
        });
        let [alpha, beta] = top.parameters;
        Ok(Self { alpha, beta, optimum: Some(top) })
    }

    /// Alpha and beta.
    pub fn parameters(&self) -> [f64; 2] {
        [self.alpha, self.beta]
    }

    /// How the parameters were found; nothing for a model that was read from a file.
    pub fn optimum(&self) -> Option<&Optimum<2>> {
        self.optimum.as_ref()
    }

    /// Share of customers left after so many renewals: B(α, β + t) / B(α, β).
    pub fn survival(&self, renewals: u32) -> f64 {
        (0..renewals).map(|t| self.retention(t + 1)).product()
    }

    /// Share of the customers left after `renewal - 1` renewals who renew once more: (β + t - 1) / (α + β + t - 1).
    pub fn retention(&self, renewal: u32) -> f64 {
        let t = f64::from(renewal) - 1.0;
        (self.beta + t) / (self.alpha + self.beta + t)
    }

    /// Expected payments to come of a customer who has renewed `renewals` times and is about to be asked again,
    /// discounted by `rate` per period (Fader and Hardie 2010, Marketing Science 29:85-93): the discounted sum of
    /// the probabilities to be there.
    pub fn residual_lifetime(&self, renewals: u32, rate: f64) -> f64 {
        let (mut sum, mut alive, mut discount) = (0.0, 1.0, 1.0);
        for period in 1..=100_000_u32 {
            alive *= self.retention(renewals + period);
            let payment = alive * discount;
            sum += payment;
            discount /= 1.0 + rate;
            if payment < 1e-14 * sum {
                break;
            }
        }
        sum
    }
}
