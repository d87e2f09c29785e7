//! Ranks over all customers, summed by segment: what the area under the curve and Kruskal and Wallis' test are made of.
//!
//! Values are sorted as unsigned integers of the same order, by eleven bits at a time. Three rounds below the highest bit that
//! varies put nearly all in their place, and a walk that moves the few others finishes; where too many are left, the
//! lower bits get their rounds too. What limits the speed is memory: each round reads and writes 16 bytes a customer.

use serde::{Deserialize, Serialize};

use crate::persist;
use crate::table::MISSING;

const BITS: u32 = 11;
const BUCKETS: usize = 1 << BITS;

/// Rounds before the walk.
const ROUNDS: u32 = 3;

/// Moves of the walk for each value, at most; more would take longer than rounds.
const MOVES: usize = 4;

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

/// A key and what belongs to it: a label or a row.
type Item = (u64, u32);

/// Memory that one column after the other is sorted in.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    items: Vec<Item>,
    other: Vec<Item>,
}

impl Scratch {
    /// Sorts the items by their keys, those equal staying in order.
    fn sort(&mut self) {
        if self.items.len() < FEW {
            self.items.sort_by_key(|&(key, _)| key);
            return;
        }
        let first = self.items[0].0;
        let varies = self.items.iter().fold(0, |varies, &(key, _)| varies | (key ^ first));
        if varies == 0 {
            return;
        }
        let (low, high) = (varies.trailing_zeros(), u64::BITS - varies.leading_zeros());
        let from = low.max(high.saturating_sub(ROUNDS * BITS));
        self.rounds(from, high);
        if from > low && !walk(&mut self.items) {
            self.rounds(low, high);
        }
    }

    /// Sorts by the bits from `low` up to `high`.
    fn rounds(&mut self, low: u32, high: u32) {
        self.other.resize(self.items.len(), (0, 0));
        for shift in (low..high).step_by(BITS as usize) {
            let digit = |key: u64| (key >> shift) as usize & (BUCKETS - 1);
            let mut next = [0_u32; BUCKETS];
            for &(key, _) in &self.items {
                next[digit(key)] += 1;
            }
            let mut sum = 0;
            for place in &mut next {
                (*place, sum) = (sum, sum + *place);
            }
            for &item in &self.items {
                let place = &mut next[digit(item.0)];
                self.other[*place as usize] = item;
                *place += 1;
            }
            std::mem::swap(&mut self.items, &mut self.other);
        }
    }
}

/// Moves each item down to its place; false where that takes too many moves, and some are not in theirs.
fn walk(items: &mut [Item]) -> bool {
    let mut left = MOVES * items.len();
    for at in 1..items.len() {
        let item = items[at];
        let mut place = at;
        while place > 0 && items[place - 1].0 > item.0 {
            items[place] = items[place - 1];
            place -= 1;
        }
        items[place] = item;
        if at - place > left {
            return false;
        }
        left -= at - place;
    }
    true
}

/// Rows in the order of their values, those equal in order; rows without a value are left out.
pub(super) fn sorted(values: &[f64]) -> impl Iterator<Item = u32> {
    let present = (0..).zip(values).filter(|(_, value)| !value.is_nan());
    let items = present.map(|(row, &value)| (key(value), row)).collect();
    let mut scratch = Scratch { items, other: Vec::new() };
    scratch.sort();
    scratch.items.into_iter().map(|(_, row)| row)
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
    scratch: &mut Scratch,
) -> (Ranks, Vec<Five>) {
    scratch.items.clear();
    scratch.items.reserve(values.len());
    for (row, (&value, &label)) in values.iter().zip(labels).enumerate() {
        if label != MISSING && !value.is_nan() {
            scratch.items.push((key(value), if weights.is_some() { row as u32 } else { label }));
        }
    }
    scratch.sort();
    let items = &scratch.items;
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
    let fives = if fives { five_numbers(items, totals, of) } else { Vec::new() };
    (found, fives)
}

fn five_numbers(items: &[Item], totals: &[f64], of: impl Fn(u32) -> (usize, f64)) -> Vec<Five> {
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

    /// Numbers that look random, from 0 to 1.
    fn uniform(n: usize) -> Vec<f64> {
        let mut state = 1_u64;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            })
            .collect()
    }

    #[test]
    fn digits_sort_as_comparing_does() {
        let random = uniform(9000);
        let columns: Vec<Vec<f64>> = vec![
            random.iter().map(|x| (x - 0.5) * 1e4 % 777.0).collect(),
            random.iter().map(|x| (x * 50.0).floor()).collect(),
            random.iter().map(|x| 1000.0 + x).collect(),
            // Many agree in all bits of the three rounds, so that the walk gives up.
            random.iter().enumerate().map(|(at, x)| [-1e300, 1e9 + x * 1e-3][at % 2]).collect(),
            random.iter().map(|x| -(x * 1e5).round() / 100.0).collect(),
            vec![7.0; 9000],
            random.iter().map(|x| (x - 0.5).powi(21) * 1e-290).collect(),
        ];
        for values in columns {
            let items: Vec<Item> = values.iter().map(|&x| key(x)).zip(0..).collect();
            let mut wanted = items.clone();
            wanted.sort_by_key(|&(key, _)| key);
            let mut scratch = Scratch { items, other: Vec::new() };
            scratch.sort();
            assert_eq!(scratch.items, wanted);
        }
    }

    #[test]
    fn walk_gives_up_where_too_many_are_out_of_place() {
        let mut turned: Vec<Item> = (0..100).rev().map(|key| (key, 0)).collect();
        assert!(!walk(&mut turned));
        let mut nearly: Vec<Item> = (0..100).map(|key| (key ^ 1, 0)).collect();
        assert!(walk(&mut nearly));
        assert!(nearly.is_sorted());
    }

    #[test]
    fn ranks_and_five_numbers_are_those_worked_out_by_hand() {
        let values = [3.0, 1.0, 2.0, 2.0, f64::NAN, 9.0, 4.0];
        let labels = [0, 0, 0, 1, 1, 1, MISSING];
        let (ranks, fives) =
            ranks(&values, &labels, None, &[3.0, 2.0], true, &mut Scratch::default());
        // Sorted: 1 (0), 2 (0), 2 (1), 3 (0), 9 (1).
        assert_eq!(ranks.below, [0.5 + 2.0 + 3.5, 2.0 + 4.5]);
        assert_eq!(ranks.ties, 6.0);
        assert_eq!(fives[0], [1.0, 1.0, 2.0, 3.0, 3.0]);
        assert_eq!(fives[1], [2.0, 2.0, 5.5, 9.0, 9.0]);
    }
}
