//! Ranks over all customers, summed by segment: what the area under the curve and Kruskal and Wallis' test are made of.
//!
//! Values are sorted as unsigned integers of the same order, by eleven bits at a time from the lowest; digits that all
//! values share are skipped, so that whole numbers and prices take two to four rounds in place of six. What limits the
//! speed is memory: each round reads and writes 16 bytes a customer.

use serde::{Deserialize, Serialize};

use crate::persist;
use crate::table::MISSING;

const BITS: u32 = 11;
const ROUNDS: usize = 6;
const BUCKETS: usize = 1 << BITS;

/// Customers below which comparing is faster than counting digits.
const FEW: usize = 2048;

/// The shares of a segment at which its five numbers stand.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Sums of ranks by segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ranks {
    /// For each segment the sum over its customers of how many of all lie below, those at the same value counting half
    /// (the customer too).
    #[serde(with = "persist::floats")]
    pub(super) below: Vec<f64>,
    /// Sum of t³ - t over values that t customers share.
    pub(super) ties: f64,
}

/// Smallest value, quartiles and largest value of each segment: the first value at which at least that share of the
/// segment is reached, or the middle between it and the next where it is reached exactly.
pub(super) type Five = [f64; 5];

/// An integer in the order of the value; both zeros are one.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

fn digit(key: u64, round: usize) -> usize {
    (key >> (round as u32 * BITS)) as usize & (BUCKETS - 1)
}

/// Sorts by the first, those equal staying in order.
fn sort(items: &mut Vec<(u64, u32)>) {
    if items.len() < FEW {
        items.sort_by_key(|&(key, _)| key);
        return;
    }
    let mut counts = vec![[0_u32; BUCKETS]; ROUNDS];
    for &(key, _) in items.iter() {
        for (round, counts) in counts.iter_mut().enumerate() {
            counts[digit(key, round)] += 1;
        }
    }
    let mut other = vec![(0_u64, 0_u32); items.len()];
    for (round, counts) in counts.iter().enumerate() {
        if counts[digit(items[0].0, round)] as usize == items.len() {
            continue;
        }
        let mut next = [0_u32; BUCKETS];
        let mut sum = 0;
        for (next, count) in next.iter_mut().zip(counts) {
            *next = sum;
            sum += count;
        }
        for &item in items.iter() {
            let place = &mut next[digit(item.0, round)];
            other[*place as usize] = item;
            *place += 1;
        }
        std::mem::swap(items, &mut other);
    }
}

/// Rows in the order of their values, those equal in order; rows without a value are left out.
pub(super) fn sorted(values: &[f64]) -> impl Iterator<Item = u32> {
    let mut items: Vec<(u64, u32)> = (0..)
        .zip(values)
        .filter(|(_, value)| !value.is_nan())
        .map(|(row, &value)| (key(value), row))
        .collect();
    sort(&mut items);
    items.into_iter().map(|(_, row)| row)
}

/// Sums of ranks of the values that are there over the segments of rows that have one, and with `fives` also the five
/// numbers of each segment.
///
/// Time: up to six rounds over the rows. Sums of whole weights are exact, whatever the order of the rows.
pub(super) fn ranks(
    values: &[f64],
    labels: &[u32],
    weights: Option<&[f64]>,
    totals: &[f64],
    fives: bool,
) -> (Ranks, Vec<Five>) {
    let mut items: Vec<(u64, u32)> = Vec::with_capacity(values.len());
    for (row, (&value, &label)) in values.iter().zip(labels).enumerate() {
        if label != MISSING && !value.is_nan() {
            items.push((key(value), if weights.is_some() { row as u32 } else { label }));
        }
    }
    sort(&mut items);
    let of = |payload: u32| match weights {
        None => (payload as usize, 1.0),
        Some(weights) => (labels[payload as usize] as usize, weights[payload as usize]),
    };
    let mut found = Ranks { below: vec![0.0; totals.len()], ties: 0.0 };
    let (mut below, mut at) = (0.0, 0);
    while at < items.len() {
        let mut end = at + 1;
        while end < items.len() && items[end].0 == items[at].0 {
            end += 1;
        }
        let run = &items[at..end];
        let tied: f64 = match weights {
            None => run.len() as f64,
            Some(_) => run.iter().map(|&(_, payload)| of(payload).1).sum(),
        };
        let middle = below + tied / 2.0;
        for &(_, payload) in run {
            let (segment, weight) = of(payload);
            found.below[segment] += weight * middle;
        }
        if tied > 1.0 {
            found.ties += tied * (tied * tied - 1.0);
        }
        below += tied;
        at = end;
    }
    let fives = if fives { five_numbers(&items, totals, of) } else { Vec::new() };
    (found, fives)
}

fn five_numbers(
    items: &[(u64, u32)],
    totals: &[f64],
    of: impl Fn(u32) -> (usize, f64),
) -> Vec<Five> {
    #[derive(Clone)]
    struct Walk {
        five: Five,
        next: usize,
        reached: f64,
        /// The last number was reached exactly: the value after it counts too.
        exact: bool,
    }
    let start = Walk { five: [f64::NAN; 5], next: 0, reached: 0.0, exact: false };
    let mut walks = vec![start; totals.len()];
    for &(key, payload) in items {
        let (segment, weight) = of(payload);
        if weight <= 0.0 {
            continue;
        }
        let (walk, total) = (&mut walks[segment], totals[segment]);
        let value = value(key);
        if walk.exact {
            walk.five[walk.next - 1] = 0.5 * walk.five[walk.next - 1] + 0.5 * value;
            walk.exact = false;
        }
        walk.reached += weight;
        while walk.next < 5 && walk.reached >= SHARES[walk.next] * total * (1.0 - 1e-12) {
            let wanted = SHARES[walk.next] * total;
            walk.exact = (1..4).contains(&walk.next) && walk.reached <= wanted * (1.0 + 1e-12);
            walk.five[walk.next] = value;
            walk.next += 1;
        }
    }
    walks.into_iter().map(|walk| walk.five).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_keys_is_that_of_values() {
        let values =
            [f64::MIN, -1e300, -2.5, -1.0, -1e-310, 0.0, 5e-324, 0.1, 1.0, 7.0, 1e300, f64::MAX];
        assert!(values.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(values.iter().all(|&x| value(key(x)) == x));
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn digits_sort_as_comparing_does() {
        let mut state = 1_u64;
        let mut items: Vec<(u64, u32)> = (0..5000)
            .map(|row| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (key(((state >> 33) as f64 - 1e9) / 1e4 % 777.0), row)
            })
            .collect();
        let mut wanted = items.clone();
        wanted.sort_by_key(|&(key, _)| key);
        sort(&mut items);
        assert_eq!(items, wanted);
    }

    #[test]
    fn ranks_and_five_numbers_are_those_worked_out_by_hand() {
        let values = [3.0, 1.0, 2.0, 2.0, f64::NAN, 9.0, 4.0];
        let labels = [0, 0, 0, 1, 1, 1, MISSING];
        let (ranks, fives) = ranks(&values, &labels, None, &[3.0, 2.0], true);
        // Sorted: 1 (0), 2 (0), 2 (1), 3 (0), 9 (1).
        assert_eq!(ranks.below, [0.5 + 2.0 + 3.5, 2.0 + 4.5]);
        assert_eq!(ranks.ties, 6.0);
        assert_eq!(fives[0], [1.0, 1.0, 2.0, 3.0, 3.0]);
        assert_eq!(fives[1], [2.0, 2.0, 5.5, 9.0, 9.0]);
    }
}
