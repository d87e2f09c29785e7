//! Shifted beta-geometric: contracts that are renewed or not.

use serde::{Deserialize, Serialize};

use super::dual::Dual;
use super::optimise::{Optimum, maximise};
use crate::error::{Error, Result};

/// The shifted beta-geometric model of retention (Fader and Hardie 2007, Journal of Interactive Marketing 21:76-90).
///
/// At each renewal a customer leaves with a probability of their own, which is beta(alpha, beta) over customers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShiftedBetaGeometric {
    /// First parameter of the probabilities to leave.
    pub alpha: f64,
    /// Second parameter of the probabilities to leave.
    pub beta: f64,
}

/// Renewals after which the discounted rest is left out, where it is not negligible before.
const MOST_RENEWALS: u32 = 1_000_000;

impl ShiftedBetaGeometric {
    /// The model with the largest likelihood of the customers left after 0, 1, 2, .. renewals.
    ///
    /// # Errors
    ///
    /// Those of [`ShiftedBetaGeometric::check`].
    pub fn fit(alive: &[f64]) -> Result<(Self, Optimum<2>)> {
        Self::check(alive)?;
        let top = maximise([1.0, 1.0], None, |parameters| log_likelihood(parameters, alive));
        let [alpha, beta] = top.parameters;
        Ok((Self { alpha, beta }, top))
    }

    /// Whether these can be the customers left after 0, 1, 2, .. renewals.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a number that is negative, not finite or larger than the one before;
    /// [`Error::TooFewRows`] for fewer than three numbers, from which two parameters cannot be told.
    pub fn check(alive: &[f64]) -> Result<()> {
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
                return Err(Error::value("alive", row, count, format!("{wanted} is possible")));
            }
        }
        Ok(())
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

    /// Expected payments to come of a customer who has renewed `renewals` times, discounted by `rate` per period: the
    /// discounted sum of the probabilities to be there (Fader and Hardie 2010, Marketing Science 29:85-93).
    ///
    /// The first payment counts in full and is certain where `now`: the customer has just signed or renewed. Else it
    /// depends on the renewal that is about to be asked for. Without discount the sum is infinite where `alpha <= 1`.
    pub fn lifetime(&self, renewals: u32, rate: f64, now: bool) -> f64 {
        if rate == 0.0 && self.alpha <= 1.0 {
            return f64::INFINITY;
        }
        let t = f64::from(renewals);
        if rate == 0.0 {
            // Sum of survival: (α + β + t - 1) / (α - 1), of which 1 is the present.
            let all = (self.alpha + self.beta + t - 1.0) / (self.alpha - 1.0);
            return if now { all } else { all - 1.0 };
        }
        let (mut sum, mut payment) = (0.0, 1.0);
        if now {
            sum = 1.0;
            payment /= 1.0 + rate;
        }
        for period in 1..=MOST_RENEWALS {
            payment *= self.retention(renewals + period);
            sum += payment;
            payment /= 1.0 + rate;
            // What follows is at most a geometric series.
            if payment < 1e-15 * sum * rate {
                break;
            }
        }
        sum
    }
}

pub(super) fn log_likelihood<const P: usize>(
    [alpha, beta]: &[Dual<P>; 2],
    alive: &[f64],
) -> Dual<P> {
    // P(T = t) = P(T = t - 1) (beta + t - 2) / (alpha + beta + t - 1), S(t) likewise.
    let mut sum = Dual::constant(0.0);
    let mut ln_survival = Dual::constant(0.0);
    for t in 1..alive.len() {
        let all = (*alpha + *beta + (t as f64 - 1.0)).ln();
        sum += (ln_survival + alpha.ln() - all) * (alive[t - 1] - alive[t]);
        ln_survival += (*beta + (t as f64 - 1.0)).ln() - all;
    }
    sum + ln_survival * alive[alive.len() - 1]
}
