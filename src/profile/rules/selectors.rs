//! Traits that a customer has or has not: a category, a number at or above a cut, a number below it.

use super::bits::{Bits, Segments};
use super::condition::{Condition, Values, round_cut};
use super::customers::{Customers, distinct};
use crate::{parallel, simd};

/// Different values up to which a number is cut between all of them.
const FEW: usize = 10;

/// A trait and the customers who have it.
#[derive(Debug, Clone)]
pub struct Selector {
    /// What must hold.
    pub condition: Condition,
    /// Who has it.
    pub bits: Bits,
}

/// All traits of some customers.
#[derive(Debug, Clone)]
pub struct Selectors {
    /// Where the customers of each segment stand.
    pub segments: Segments,
    /// The traits, by column.
    pub traits: Vec<Selector>,
}

impl Selectors {
    /// The traits of customers: every category, and for amounts both sides of every cut.
    ///
    /// An amount with at most ten different values is cut between all of them, others above the least value that at
    /// least the given share of the customers does not exceed. A missing value has no trait of its column. Traits that all
    /// customers have, or none, are no traits; of two that the same customers of the same column have, the first stays.
    pub fn of(customers: &Customers, quantiles: &[f64]) -> Self {
        let segments = Segments::new(&customers.labels, customers.k());
        let n_amounts = customers.amounts.len();
        let n_features = customers.reader.features().len();
        let traits = parallel::map_tasks(n_features, |feature| -> Vec<Selector> {
            if feature < n_amounts {
                amount(customers, feature, quantiles, &segments)
            } else {
                category(customers, feature, n_amounts, &segments)
            }
        });
        Self { segments, traits: traits.concat() }
    }
}

fn amount(
    customers: &Customers,
    feature: usize,
    quantiles: &[f64],
    segments: &Segments,
) -> Vec<Selector> {
    let values = &customers.amounts[feature];
    let found = cuts(values, FEW, quantiles);
    let mut traits = Vec::with_capacity(2 * found.len());
    let above = |cut: f64| Selector {
        condition: Condition::at_least(feature, cut),
        bits: segments.bits(|row| values[row] >= cut),
    };
    let below = |cut: f64| Selector {
        condition: Condition::below(feature, cut),
        bits: segments.bits(|row| values[row] < cut),
    };
    for cut in found {
        traits.extend([above(cut), below(cut)]);
    }
    traits
}

/// Where to cut an amount: between all values where there are at most `few`, else at quantiles.
pub(super) fn cuts(values: &[f64], few: usize, quantiles: &[f64]) -> Vec<f64> {
    let found = distinct(values);
    if found.len() <= few {
        return found.windows(2).map(|pair| round_cut(pair[0].0, pair[1].0)).collect();
    }
    let total: usize = found.iter().map(|&(_, n)| n).sum();
    let mut running = Vec::with_capacity(found.len());
    let mut sum = 0;
    for &(_, n) in &found {
        sum += n;
        running.push(sum);
    }
    let mut places: Vec<usize> = quantiles
        .iter()
        .map(|q| running.partition_point(|&below| (below as f64) < q * total as f64))
        .filter(|&at| at + 1 < found.len())
        .collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|at| round_cut(found[at].0, found[at + 1].0)).collect()
}

fn category(
    customers: &Customers,
    feature: usize,
    n_amounts: usize,
    segments: &Segments,
) -> Vec<Selector> {
    let codes = &customers.codes[feature - n_amounts];
    let n_levels = customers.n_levels(feature);
    let bits = segments.bits_of_levels(codes, n_levels);
    let all = 1..codes.len();
    (0..)
        .zip(bits)
        .filter(|(_, bits)| all.contains(&simd::ones(bits)))
        .map(|(level, bits)| Selector { condition: Condition::is(feature, level), bits })
        .collect()
}

impl Condition {
    /// Whether one of two traits of the same column says nothing beside the other, or both cannot hold: two categories, or
    /// two ends on the same side.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        if self.feature != other.feature {
            return false;
        }
        match (&self.values, &other.values) {
            (Values::Range { low: a, high: b }, Values::Range { low: c, high: d }) => {
                let empty = |low: &Option<f64>, high: &Option<f64>| match (low, high) {
                    (Some(low), Some(high)) => low >= high,
                    _ => true,
                };
                !(a.is_some() && d.is_some() && !empty(a, d)
                    || c.is_some() && b.is_some() && !empty(c, b))
            }
            _ => true,
        }
    }
}
