//! Customers of one persona drawn again with replacement, as the number who respond to each proposition.

use statrs::function::gamma::ln_gamma;

use super::responses::Responses;
use crate::rng::Rng;

/// Customers per pattern from which counts of patterns are drawn instead of customers.
const MANY: usize = 64;

/// The customers of one persona.
pub(super) struct Customers {
    /// Patterns of response with their number of customers.
    patterns: Vec<(u64, usize)>,
    /// Pattern of each customer, where these are few.
    each: Vec<u64>,
    n: usize,
}

/// The customers of every persona.
pub(super) fn customers(responses: &Responses) -> Vec<Customers> {
    let mut found: Vec<Customers> = (responses.n.iter())
        .map(|&n| Customers { patterns: Vec::new(), each: Vec::new(), n })
        .collect();
    for pattern in &responses.patterns {
        found[pattern.persona].patterns.push((pattern.mask, pattern.customers));
    }
    for persona in &mut found {
        if persona.n < MANY * persona.patterns.len() {
            let all = persona.patterns.iter();
            persona.each = all.flat_map(|&(mask, n)| std::iter::repeat_n(mask, n)).collect();
        }
    }
    found
}

impl Customers {
    /// Share of as many customers, drawn with replacement, who respond to each of `m` propositions.
    ///
    /// Few customers are drawn one by one. Of many, the number of each pattern is drawn: binomial, given those drawn before,
    /// which together is the same distribution in a few steps per pattern.
    pub(super) fn rates(&self, m: usize, rng: &mut Rng) -> Vec<f64> {
        let mut yes = vec![0_usize; m];
        let mut add = |mut mask: u64, n: usize| {
            while mask != 0 {
                yes[mask.trailing_zeros() as usize] += n;
                mask &= mask - 1;
            }
        };
        if self.each.is_empty() {
            let (mut left, mut customers) = (self.n, self.n);
            for &(mask, n) in &self.patterns {
                let drawn = binomial(left, n as f64 / customers as f64, rng.uniform());
                add(mask, drawn);
                left -= drawn;
                customers -= n;
            }
        } else {
            (0..self.n).for_each(|_| add(self.each[rng.below(self.n)], 1));
        }
        yes.into_iter().map(|yes| yes as f64 / self.n as f64).collect()
    }
}

/// The number of successes in `n` trials that a uniform draw picks: by going out from the likeliest number to both sides until
/// the draw is used up, which takes about as many steps as the standard deviation.
fn binomial(n: usize, p: f64, draw: f64) -> usize {
    if n == 0 || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    let trials = n as f64;
    let mode = ((trials + 1.0) * p).floor().min(trials);
    let log = ln_gamma(trials + 1.0) - ln_gamma(mode + 1.0) - ln_gamma(trials - mode + 1.0)
        + mode * p.ln()
        + (trials - mode) * (-p).ln_1p();
    let chance = log.exp();
    let odds = p / (1.0 - p);
    let mut left = draw - chance;
    let (mut up, mut down) = ((mode, chance), (mode, chance));
    while left >= 0.0 && (up.1 > 0.0 || down.1 > 0.0) {
        // Beyond 0 and n the chance becomes 0, and stays so.
        up = (up.0 + 1.0, up.1 * odds * (trials - up.0) / (up.0 + 1.0));
        left -= up.1;
        if left < 0.0 {
            return up.0 as usize;
        }
        down = (down.0 - 1.0, down.1 * down.0 / (odds * (trials - down.0 + 1.0)));
        left -= down.1;
        if left < 0.0 {
            return down.0 as usize;
        }
    }
    // What rounding leaves of the draw, or the likeliest number itself.
    mode as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stage;

    #[test]
    fn draws_follow_the_binomial_distribution() {
        for (n, p) in [(1, 0.3), (7, 0.5), (12, 0.02), (30, 0.97)] {
            let mut rng = Rng::stream(1, Stage::Sample, n as u64);
            let mut counts = vec![0_u32; n + 1];
            (0..200_000).for_each(|_| counts[binomial(n, p, rng.uniform())] += 1);
            let mut chance = (1.0 - p).powi(n as i32);
            for (k, &count) in counts.iter().enumerate() {
                let off = f64::from(count) / 200_000.0 - chance;
                assert!(off.abs() < 5.0 * (chance * (1.0 - chance) / 200_000.0).sqrt() + 1e-9);
                chance *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
            }
        }
    }

    #[test]
    fn large_draws_have_the_mean_and_the_spread() {
        for (n, p) in [(1_000_000, 0.3), (5_000_000, 1e-6), (100_000, 0.999)] {
            let mut rng = Rng::stream(2, Stage::Sample, n as u64);
            let drawn: Vec<f64> =
                (0..20_000).map(|_| binomial(n, p, rng.uniform()) as f64).collect();
            let mean = drawn.iter().sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let truth = n as f64 * p * (1.0 - p);
            assert!((mean - n as f64 * p).abs() < 5.0 * (truth / 20_000.0).sqrt());
            assert!((variance / truth - 1.0).abs() < 0.06, "{variance} {truth}");
        }
    }

    #[test]
    fn the_ends_are_certain() {
        assert_eq!(
            (binomial(0, 0.5, 0.9), binomial(9, 0.0, 0.9), binomial(9, 1.0, 0.1)),
            (0, 0, 9)
        );
        assert!(binomial(50, 0.5, 1.0 - f64::EPSILON) <= 50);
    }
}
