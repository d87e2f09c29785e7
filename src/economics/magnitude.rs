//! Amounts in two units: euros among cents, or two currencies that differ by orders of magnitude.

use super::input::Column;

/// Amounts that are looked at, spread over the column.
const LOOKED_AT: usize = 20_000;
/// Width of a bin of the logarithm to base 10.
const BIN: f64 = 0.02;
/// Fewest amounts that a judgement is made on.
const FEWEST: usize = 100;
/// Smallest share of the smaller group.
const SHARE: f64 = 0.05;
/// Fewest amounts of the smaller group.
const FEWEST_IN_GROUP: f64 = 20.0;
/// Most amounts in the middle third between the groups' means, as a share of the smaller group: between two groups lies a
/// valley, while the long tail of one distribution thins out steadily.
const VALLEY: f64 = 0.4;
/// Smallest ratio of the groups' geometric means.
const RATIO: f64 = 50.0;
/// Smallest distance of the groups' means in standard deviations (Ashman, Bird and Zepf 1994, Astronomical Journal
/// 108:2348: a mixture is seen as two groups above 2; a single normal distribution cut in half has 2.6, a uniform one 3.5).
const APART: f64 = 4.0;
/// Spreads that differ by more than this factor are not those of the same amounts in two units.
const SAME_SPREAD: f64 = 2.5;
/// Groups narrower than this (in decades) are prices of two plans rather than amounts in two units.
const NARROWEST: f64 = 0.05;

/// Sums of one group.
#[derive(Default, Clone, Copy)]
struct Group {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Group {
    fn mean(self) -> f64 {
        self.sum / self.n
    }

    fn deviation(self) -> f64 {
        (self.squares / self.n - self.mean() * self.mean()).max(0.0).sqrt()
    }

    fn add(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }
}

/// A sentence if the positive amounts of a column fall into two groups that look like the same amounts in two units.
///
/// The logarithms are cut where the variance between the groups is largest (Otsu 1979, IEEE Transactions on Systems, Man,
/// and Cybernetics 9:62-66). Two groups are reported if they are at least 50 times apart, 4 standard deviations apart, the
/// smaller holds 5 % or more, there are few between, and both spread alike and over more than a few prices. One skewed
/// distribution, as purchases have, does not meet these, whatever its spread.
pub(super) fn two_units(column: Column<'_>) -> Option<String> {
    let step = column.values.len().div_ceil(LOOKED_AT).max(1);
    let amounts = || column.values.iter().step_by(step).filter(|&&v| v > 0.0 && v.is_finite());
    let logs: Vec<f64> = amounts().map(|value| value.log10()).collect();
    if logs.len() < FEWEST {
        return None;
    }
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let n_bins = ((high - low) / BIN) as usize + 1;
    let mut bins = vec![Group::default(); n_bins];
    for &log in &logs {
        // Distances from the lowest, so that squares do not cancel.
        let x = log - low;
        bins[((x / BIN) as usize).min(n_bins - 1)].add(Group { n: 1.0, sum: x, squares: x * x });
    }
    let mut all = Group::default();
    bins.iter().for_each(|&bin| all.add(bin));
    let mut lower = Group::default();
    let mut best: Option<(f64, Group, Group)> = None;
    for &bin in &bins {
        lower.add(bin);
        let upper = Group {
            n: all.n - lower.n,
            sum: all.sum - lower.sum,
            squares: all.squares - lower.squares,
        };
        if lower.n > 0.0 && upper.n > 0.0 {
            let between = lower.n * upper.n * (upper.mean() - lower.mean()).powi(2);
            if best.is_none_or(|(most, ..)| between > most) {
                best = Some((between, lower, upper));
            }
        }
    }
    let (_, lower, upper) = best?;
    let distance = upper.mean() - lower.mean();
    let (one, other) = (lower.deviation(), upper.deviation());
    let apart = distance / ((one * one + other * other) / 2.0).sqrt();
    let smaller = lower.n.min(upper.n) / all.n;
    let alike = one.max(other) <= SAME_SPREAD * one.min(other) && one.min(other) >= NARROWEST;
    let third = lower.mean() + distance / 3.0..upper.mean() - distance / 3.0;
    let between = logs.iter().filter(|&&log| third.contains(&(log - low))).count() as f64;
    let few_between = between <= VALLEY * lower.n.min(upper.n);
    let large_enough = smaller >= SHARE && lower.n.min(upper.n) >= FEWEST_IN_GROUP;
    if !large_enough || distance < RATIO.log10() || apart < APART || !alike || !few_between {
        return None;
    }
    let (small, large) = (10f64.powf(low + lower.mean()), 10f64.powf(low + upper.mean()));
    let of_smaller = |value: f64| {
        let is_large = (value / small).ln().abs() > (value / large).ln().abs();
        value > 0.0 && is_large == (upper.n < lower.n)
    };
    let first = column.values.iter().position(|&value| of_smaller(value));
    let row = first.map(|row| format!(" (the fewer first in row {row})")).unwrap_or_default();
    Some(format!(
        "column {:?} may hold two currencies or units: {:.0}% of its amounts lie around {small:.4}, the others around \
         {large:.4}{row}, and few between",
        column.name,
        100.0 * lower.n / all.n
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};

    fn normal(rng: &mut Rng) -> f64 {
        (-2.0 * (1.0 - rng.uniform()).ln()).sqrt() * (std::f64::consts::TAU * rng.uniform()).cos()
    }

    fn found(values: &[f64]) -> bool {
        two_units(Column { name: "x", values }).is_some()
    }

    #[test]
    fn cents_among_euros_are_noticed() {
        for seed in 0..50 {
            let mut rng = Rng::stream(seed, Stage::Sample, 0);
            let values: Vec<f64> = (0..500)
                .map(|row| {
                    (4.0 + 0.7 * normal(&mut rng)).exp() * if row % 5 == 0 { 100.0 } else { 1.0 }
                })
                .collect();
            assert!(found(&values), "seed {seed}");
        }
    }

    #[test]
    fn skewed_amounts_and_price_plans_are_not() {
        for seed in 0..200 {
            let mut rng = Rng::stream(seed, Stage::Sample, 1);
            let spread = 0.3 + 2.5 * rng.uniform();
            let lognormal: Vec<f64> = (0..300).map(|_| (spread * normal(&mut rng)).exp()).collect();
            assert!(!found(&lognormal), "lognormal, seed {seed}");
            let exponential: Vec<f64> = (0..300).map(|_| rng.exponential()).collect();
            assert!(!found(&exponential), "exponential, seed {seed}");
            let pareto: Vec<f64> = (0..300).map(|_| (1.0 - rng.uniform()).powf(-2.0)).collect();
            assert!(!found(&pareto), "Pareto, seed {seed}");
            let plans: Vec<f64> = (0..300).map(|_| [9.99, 49.0, 999.0][rng.below(3)]).collect();
            assert!(!found(&plans), "plans, seed {seed}");
        }
    }
}
