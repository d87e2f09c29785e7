//! Gamma-gamma: what customers spend per purchase.

use serde::{Deserialize, Serialize};

use super::dual::Dual;
use super::optimise::{Optimum, maximise};
use super::spells::ranked;
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

/// Customers by their numbers of purchases and what they spent, as the likelihood takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Spend {
    /// Purchases of each customer.
    frequency: Vec<f64>,
    /// Money of each customer.
    total: Vec<f64>,
    /// Weight of each customer.
    weight: Vec<f64>,
    /// Distinct numbers of purchases, ascending, with the weight of their customers.
    frequencies: Vec<(f64, f64)>,
    /// Sums over customers: weight; weight times purchases times the logarithm of money; weight times that of the mean.
    sums: [f64; 3],
    /// Mean spend per purchase over customers.
    typical: f64,
}

impl Spend {
    /// From the numbers of purchases and their mean amounts.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a number below 1 or a mean that is not positive; [`Error::TooFewRows`] without customers.
    pub fn new(frequency: &[f64], monetary: &[f64], weights: Option<&[f64]>) -> Result<Self> {
        if frequency.len() != monetary.len() {
            let wanted = format!("one for each of the {} customers is needed", frequency.len());
            return Err(Error::argument("monetary", format!("{} values", monetary.len()), wanted));
        }
        for (row, (&x, &mean)) in frequency.iter().zip(monetary).enumerate() {
            if !(x.is_finite() && x >= 1.0) {
                return Err(Error::value("frequency", row, x, "at least 1 purchase is needed"));
            }
            if !(mean.is_finite() && mean > 0.0) {
                return Err(Error::value("monetary", row, mean, "a positive amount is needed"));
            }
        }
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let rows: Vec<usize> = (0..frequency.len()).filter(|&row| weight_of(row) > 0.0).collect();
        if rows.is_empty() {
            let what = "a model of spend, which rests on customers who came back,".into();
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        let weight: Vec<f64> = rows.iter().map(|&row| weight_of(row)).collect();
        let total: Vec<f64> = rows.iter().map(|&row| frequency[row] * monetary[row]).collect();
        let frequency: Vec<f64> = rows.iter().map(|&row| frequency[row]).collect();
        Ok(Self::summed(frequency, total, weight))
    }

    /// With what the likelihood needs of all customers together.
    fn summed(frequency: Vec<f64>, total: Vec<f64>, weight: Vec<f64>) -> Self {
        let n = weight.len();
        let sums = [
            parallel::sum(n, |i| weight[i]),
            parallel::sum(n, |i| weight[i] * frequency[i] * total[i].ln()),
            parallel::sum(n, |i| weight[i] * (total[i] / frequency[i]).ln()),
        ];
        let typical = parallel::sum(n, |i| weight[i] * total[i] / frequency[i]) / sums[0];
        let rows: Vec<usize> = (0..n).collect();
        let (codes, distinct) = ranked(&rows, &frequency);
        let mut frequencies: Vec<(f64, f64)> = distinct.into_iter().map(|x| (x, 0.0)).collect();
        for (&code, weight) in codes.iter().zip(&weight) {
            frequencies[code as usize].1 += weight;
        }
        Self { frequency, total, weight, frequencies, sums, typical }
    }

    /// Every `step`th customer.
    pub(super) fn thinned(&self, step: usize) -> Self {
        let of = |values: &[f64]| values.iter().copied().step_by(step).collect::<Vec<_>>();
        Self::summed(of(&self.frequency), of(&self.total), of(&self.weight))
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.weight.len()
    }

    /// Customers, weighted.
    pub fn n(&self) -> f64 {
        self.sums[0]
    }

    /// Where a search may start.
    pub(super) fn start(&self) -> [f64; 3] {
        [2.0, 2.0, self.typical]
    }
}

impl GammaGamma {
    /// The model with the largest likelihood.
    pub fn fit(spend: &Spend) -> (Self, Optimum<3>) {
        let top = maximise(spend.start(), None, |parameters| log_likelihood(parameters, spend));
        let [p, q, v] = top.parameters;
        (Self { p, q, v }, top)
    }

    /// Log-likelihood of customers.
    pub fn log_likelihood(&self, spend: &Spend) -> f64 {
        log_likelihood(&[self.p, self.q, self.v].map(Dual::<0>::constant), spend).value
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
        let shape = self.p * frequency + self.q - 1.0;
        if shape > 0.0 { self.p * (self.v + frequency * monetary) / shape } else { f64::INFINITY }
    }
}

/// One pass over the customers, each for a logarithm and a quotient: what depends on the frequency alone is worked out
/// once for each frequency.
pub(super) fn log_likelihood<const P: usize>([p, q, v]: &[Dual<P>; 3], spend: &Spend) -> Dual<P> {
    let [n, logs, ln_means] = spend.sums;
    let mut sum = (*q * v.ln() - q.ln_gamma()) * n + *p * logs - ln_means;
    for &(x, weight) in &spend.frequencies {
        let shape = *p * x;
        sum += ((shape + *q).ln_gamma() - shape.ln_gamma()) * weight;
    }
    // Of x ln(v + total) and of ln(v + total): the sums, and their first two derivatives by v.
    let blocks = parallel::map_blocks(spend.weight.len(), |rows| {
        let mut sums = [[0.0; 3]; 2];
        for row in rows {
            let value = v.value + spend.total[row];
            let inverse = 1.0 / value;
            let terms = [value.ln(), inverse, -inverse * inverse];
            for (k, term) in terms.into_iter().enumerate() {
                let weighted = spend.weight[row] * term;
                sums[0][k] += spend.frequency[row] * weighted;
                sums[1][k] += weighted;
            }
        }
        sums
    });
    let mut sums = [[0.0; 3]; 2];
    for block in blocks {
        for (sums, block) in sums.iter_mut().zip(block) {
            sums.iter_mut().zip(block).for_each(|(sum, term)| *sum += term);
        }
    }
    let [by_purchase, by_customer] =
        sums.map(|[value, first, second]| v.through(value, first, second));
    sum - *p * by_purchase - *q * by_customer
}
