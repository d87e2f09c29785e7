//! BG/NBD: customers buy at a rate of their own until, after some purchase, they leave.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

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
        let start = [1.0, spells.typical_age(), 1.0, 1.0];
        let top = maximise(start, None, |parameters| log_likelihood(parameters, spells, modified));
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
        self.p_alive(frequency, recency, age) * self.expected_if_alive(time, frequency, age)
    }

    /// Expected purchases in a time to come of a customer who has not left yet; recency tells nothing more then.
    pub fn expected_if_alive(&self, time: f64, frequency: f64, age: f64) -> f64 {
        let (shape, b) = (self.r + frequency, self.b + self.chances(frequency));
        self.of_the_living(time, shape, self.alpha + age, b)
    }

    /// Expected repeat purchases of a new customer in this time.
    pub fn expected_of_new(&self, time: f64) -> f64 {
        let stays = if self.modified { self.b / (self.a + self.b) } else { 1.0 };
        let b = self.b + f64::from(u8::from(self.modified));
        stays * self.of_the_living(time, self.r, self.alpha, b)
    }

    /// Probabilities that a new customer buys again 0, 1, .. `most - 1` times in this time, and more often.
    ///
    /// Either all chances to leave were passed and the time is over, or the customer left after the last purchase, which
    /// came in time (Fader, Hardie and Lee 2005, equation 8).
    pub fn counts_of_new(&self, time: f64, most: u32) -> Vec<f64> {
        let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        let norm = ln_beta(self.a, self.b);
        let shift = f64::from(u8::from(self.modified));
        // Purchases without anybody leaving are negative binomial.
        let idle = (self.alpha / (self.alpha + time)).ln();
        let busy = time / (self.alpha + time);
        let mut exactly = (self.r * idle).exp();
        let mut fewer = 0.0;
        let mut found = Vec::with_capacity(most as usize + 1);
        for x in 0..most {
            let x = f64::from(x);
            let chances = x + shift;
            let stayed = (ln_beta(self.a, self.b + chances) - norm).exp();
            let left = if chances > 0.0 {
                (ln_beta(self.a + 1.0, self.b + chances - 1.0) - norm).exp()
            } else {
                0.0
            };
            found.push(stayed * exactly + left * (1.0 - fewer));
            fewer += exactly;
            exactly *= (self.r + x) / (x + 1.0) * busy;
        }
        found.push((1.0 - found.iter().sum::<f64>()).max(0.0));
        found
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

/// One pass over the distinct rows. What depends on a row beside its frequency enters through three numbers, so a row
/// costs two logarithms, an exponential and a few products, and the derivatives by all parameters are put together once
/// for each run of equal frequencies.
pub(super) fn log_likelihood<const P: usize>(
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
        for run in spells.frequency[rows.clone()].chunk_by(|one, other| one == other).scan(
            rows.start,
            |start, run| {
                *start += run.len();
                Some(*start - run.len()..*start)
            },
        ) {
            let x = spells.frequency[run.start];
            let chances = x + shift;
            let shape = *r + x;
            if chances > 0.0 {
                let odds = a.ln() - (*b + (chances - 1.0)).ln();
                sum += left_or_not(spells, run, &[shape, *alpha, odds]);
            } else {
                sum += stayed(spells, run, &[shape, *alpha]);
            }
        }
        sum
    });
    blocks.into_iter().fold(sum, |sum, block| sum + block)
}

/// Sum of `-shape ln(alpha + T)` over rows.
fn stayed<const P: usize>(
    spells: &Spells,
    rows: Range<usize>,
    arguments: &[Dual<P>; 2],
) -> Dual<P> {
    let [shape, alpha] = arguments.map(|argument| argument.value);
    let [mut logs, mut first, mut second] = [0.0; 3];
    for row in rows {
        let (weight, age) = (spells.weight[row], alpha + spells.age[row]);
        logs += weight * age.ln();
        first += weight / age;
        second += weight / (age * age);
    }
    let gradient = [-logs, -shape * first];
    let hessian = [[0.0, -first], [-first, shape * second]];
    Dual::of(-shape * logs, gradient, hessian, arguments)
}

/// Sum of `ln((alpha + T)^-shape + exp(odds) (alpha + t)^-shape)` over rows.
fn left_or_not<const P: usize>(
    spells: &Spells,
    rows: Range<usize>,
    arguments: &[Dual<P>; 3],
) -> Dual<P> {
    let [shape, alpha, odds] = arguments.map(|argument| argument.value);
    let (mut value, mut gradient, mut hessian) = (0.0, [0.0; 3], [[0.0; 3]; 3]);
    for row in rows {
        let weight = spells.weight[row];
        let (age, last) = (alpha + spells.age[row], alpha + spells.recency[row]);
        let (ln_age, by_age, by_last) = (age.ln(), 1.0 / age, 1.0 / last);
        // ln(exp(-shape ln(age)) + exp(..)) is -shape ln(age) + ln(1 + exp(excess)).
        let ratio = ln_age - last.ln();
        let excess = odds + shape * ratio;
        let small = (-excess.abs()).exp();
        let softplus = excess.max(0.0) + small.ln_1p();
        let left = if excess > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        let spread = left * (1.0 - left);
        value += weight * (softplus - shape * ln_age);
        let difference = by_age - by_last;
        let of_excess = [ratio, shape * difference, 1.0];
        gradient[0] += weight * (left * ratio - ln_age);
        gradient[1] += weight * shape * (left * difference - by_age);
        gradient[2] += weight * left;
        for i in 0..3 {
            for j in i..3 {
                hessian[i][j] += weight * spread * of_excess[i] * of_excess[j];
            }
        }
        hessian[0][1] += weight * (left * difference - by_age);
        let squares = by_age * by_age - by_last * by_last;
        hessian[1][1] += weight * shape * (by_age * by_age - left * squares);
    }
    let hessian =
        std::array::from_fn(|i: usize| std::array::from_fn(|j: usize| hessian[i.min(j)][i.max(j)]));
    Dual::of(value, gradient, hessian, arguments)
}
