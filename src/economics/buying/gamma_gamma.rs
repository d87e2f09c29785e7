//! Gamma-gamma: what customers spend per purchase.

use serde::{Deserialize, Serialize};

use super::dual::Dual;
use super::optimise::{Optimum, maximise};
use crate::error::{Error, Result};
use crate::parallel;

/// The gamma-gamma model of spend per purchase (Fader and Hardie 2013, The Gamma-Gamma Model of Monetary Value).
///
/// A purchase of a customer is gamma(p, ν) with ν gamma(q, v) over customers, independent of how often they buy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of the purchases of one customer.
    pub p: f64,
    /// Shape of the customers' rates.
    pub q: f64,
    /// Rate of the customers' rates: money.
    pub v: f64,
}

impl GammaGamma {
    /// The model with the largest likelihood of customers by their numbers of purchases and mean spend.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a number below 1 or a mean that is not positive; [`Error::TooFewRows`] without customers.
    pub fn fit(
        frequency: &[f64],
        monetary: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<(Self, Optimum<3>)> {
        if frequency.len() != monetary.len() {
            let wanted = format!("one for each of the {} customers is needed", frequency.len());
            return Err(Error::argument("monetary", format!("{} values", monetary.len()), wanted));
        }
        if frequency.is_empty() {
            let what = "a model of spend".into();
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        for (row, (&x, &mean)) in frequency.iter().zip(monetary).enumerate() {
            if !(x.is_finite() && x >= 1.0) {
                return Err(Error::value("frequency", row, x, "at least 1 purchase is needed"));
            }
            if !(mean.is_finite() && mean > 0.0) {
                return Err(Error::value("monetary", row, mean, "a positive number is needed"));
            }
        }
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let total = parallel::sum(frequency.len(), weight);
        let spend = parallel::sum(frequency.len(), |row| weight(row) * monetary[row]) / total;
        let top = maximise([2.0, 2.0, spend], |[p, q, v]: &[Dual<3>; 3]| {
            let constant = (*q * v.ln() - q.ln_gamma()) * total;
            let blocks = parallel::map_blocks(frequency.len(), |rows| {
                let mut sum = Dual::constant(0.0);
                for row in rows {
                    let (x, mean) = (frequency[row], monetary[row]);
                    let shape = *p * x;
                    let term = (shape + *q).ln_gamma() - shape.ln_gamma() + shape * (x * mean).ln()
                        - mean.ln()
                        - (shape + *q) * (*v + x * mean).ln();
                    sum += term * weight(row);
                }
                sum
            });
            blocks.into_iter().fold(constant, |sum, block| sum + block)
        });
        let [p, q, v] = top.parameters;
        Ok((Self { p, q, v }, top))
    }

    /// Mean spend per purchase over all customers; infinite where `q <= 1`.
    pub fn mean_spend(&self) -> f64 {
        if self.q > 1.0 { self.p * self.v / (self.q - 1.0) } else { f64::INFINITY }
    }

    /// Expected spend per purchase of a customer with so many purchases of this mean; the population's without one.
    pub fn expected_spend(&self, frequency: f64, monetary: f64) -> f64 {
        if frequency == 0.0 {
            return self.mean_spend();
        }
        self.p * (self.v + frequency * monetary) / (self.p * frequency + self.q - 1.0)
    }
}
