//! Which set of offers reaches most customers: total unduplicated reach and frequency (Miaoulis, Free and Parsons 1990).
//!
//! A customer is reached by a set if at least one of its items appeals to them. Customers who like the same items are one
//! pattern with their weights together. For up to [`MOST_EXACT`] items the reach of every set there is follows from one sum
//! over subsets (the zeta transform of the pattern weights: `2^m` sums, `m 2^m` additions), so that the best sets of all
//! sizes are known for certain, with their ties. With more items the set grows by the item that adds most, and items are
//! swapped while that adds reach; the result says that it is not certain.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::table::Table;

/// Items up to which every set is tried.
pub const MOST_EXACT: usize = 20;
/// Items at most.
const MOST: usize = 64;
/// Best sets of one size that are listed at most.
const MOST_TIED: usize = 20;
/// Share of all customers below which two reaches are equal.
const EQUAL: f64 = 1e-12;

/// A set of items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Its items, by their position.
    pub items: Vec<usize>,
    /// Weight of the customers reached.
    pub reached: f64,
    /// Mean number of its items that appeal to a customer, over all customers.
    pub frequency: f64,
}

/// The best sets of one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// Number of items.
    pub k: usize,
    /// Sets with the most reach, the most frequent first.
    pub sets: Vec<Set>,
    /// Number of sets with the most reach, listed or not; `None` where not every set was tried.
    #[serde(deserialize_with = "Option::deserialize")]
    pub n_tied: Option<usize>,
}

/// Best sets of items by reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turf {
    /// What the result was made from.
    pub manifest: Manifest,
    /// Names of the items.
    pub items: Vec<String>,
    /// Weight of the customers to whom each item appeals.
    pub appeal: Vec<f64>,
    /// Weight of all customers.
    pub total: f64,
    /// The best sets, by ascending size.
    pub best: Vec<Best>,
}

impl Persist for Turf {
    const KIND: &'static str = "turf";

    fn validate(&self) -> Result<()> {
        let m = self.items.len();
        if m == 0 || self.appeal.len() != m || !(self.total.is_finite() && self.total > 0.0) {
            return Err(persist::broken("items and their appeal differ in number"));
        }
        let broken = |best: &Best| {
            best.sets.is_empty()
                || best
                    .sets
                    .iter()
                    .any(|set| set.items.len() != best.k || set.items.iter().any(|&i| i >= m))
        };
        if self.best.is_empty() || self.best.iter().any(broken) {
            return Err(persist::broken("a set has another number of items"));
        }
        Ok(())
    }
}

/// The best sets of each of the sizes.
///
/// `columns` hold one number per customer and item. A number appeals where it is at least `at_least`; where none is given
/// they must be 0 and 1. Customers with a missing value are left out and counted.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for sizes out of range and too many items; [`Error::BadValue`] for a value
/// other than 0 and 1 and for weights; [`Error::Argument`] also where no customer is complete.
pub fn turf(
    table: &Table,
    items: &[String],
    sizes: &[usize],
    at_least: Option<f64>,
    weights: Option<&str>,
    mut manifest: Manifest,
) -> Result<Turf> {
    let m = items.len();
    if m == 0 || m > MOST {
        return Err(Error::argument(
            "items",
            format!("{m} columns"),
            format!("1 to {MOST} are taken"),
        ));
    }
    for &k in sizes {
        if k == 0 || k > m {
            return Err(Error::argument(
                "k",
                k,
                format!("a number from 1 to the {m} items is needed"),
            ));
        }
    }
    let columns = items.iter().map(|item| table.numeric(item)).collect::<Result<Vec<_>>>()?;
    let given = weights.map(|name| Ok::<_, Error>((name, table.numeric(name)?))).transpose()?;
    let mut customers: Vec<(u64, f64)> = Vec::with_capacity(table.n_rows());
    let mut incomplete = 0;
    'rows: for row in 0..table.n_rows() {
        let mut mask = 0_u64;
        for (item, column) in columns.iter().enumerate() {
            let value = column[row];
            if value.is_nan() {
                incomplete += 1;
                continue 'rows;
            }
            let appeals = match at_least {
                Some(least) => value >= least,
                None if value == 0.0 || value == 1.0 => value == 1.0,
                None => {
                    let wanted =
                        "1 or true is needed where the item appeals, and 0 or false elsewhere";
                    return Err(
                        Error::value(&items[item], row, value, wanted).with_mend("at_least=4")
                    );
                }
            };
            mask |= u64::from(appeals) << item;
        }
        let weight = match &given {
            None => 1.0,
            Some((_, weights)) if weights[row].is_finite() && weights[row] >= 0.0 => weights[row],
            Some((name, weights)) => {
                let found = weights[row];
                return Err(Error::value(*name, row, found, "a weight is a number from 0 up"));
            }
        };
        customers.push((mask, weight));
    }
    manifest.leave_out("an item is missing", incomplete);
    let patterns = patterns(customers);
    let total: f64 = patterns.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return Err(match manifest.rows_used {
            0 => manifest.nothing_left("df", manifest.rows),
            _ => Error::argument("weights", "no weight above 0", "some customer must count"),
        });
    }
    let appeal: Vec<f64> = (0..m)
        .map(|item| patterns.iter().filter(|(mask, _)| mask >> item & 1 == 1).map(|(_, w)| w).sum())
        .collect();
    let best = if m <= MOST_EXACT {
        exact(&patterns, m, sizes, total, &appeal)
    } else {
        manifest.notes.push(format!(
            "with more than {MOST_EXACT} items not every set is tried: the sets grow by the item that adds most, and items \
             are swapped while that adds reach"
        ));
        sizes.iter().map(|&k| grown(&patterns, m, k, total, &appeal)).collect()
    };
    Ok(Turf { manifest, items: items.to_vec(), appeal, total, best })
}

/// Customers who like the same items, with their weights together, by ascending pattern.
fn patterns(mut customers: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    // The order of equal patterns, and so the last bits of their sums, is that of the rows.
    customers.sort_by_key(|&(mask, _)| mask);
    let mut found: Vec<(u64, f64)> = Vec::new();
    for (mask, weight) in customers {
        match found.last_mut() {
            Some((last, sum)) if *last == mask => *sum += weight,
            _ => found.push((mask, weight)),
        }
    }
    found
}

/// The best sets of all sizes, from the reach of every set.
fn exact(
    patterns: &[(u64, f64)],
    m: usize,
    sizes: &[usize],
    total: f64,
    appeal: &[f64],
) -> Vec<Best> {
    let n = 1_usize << m;
    // Weight of the customers who like nothing outside each set.
    let mut inside = vec![0.0; n];
    for &(mask, weight) in patterns {
        inside[mask as usize] += weight;
    }
    for item in 0..m {
        let bit = 1 << item;
        for block in inside.chunks_exact_mut(2 * bit) {
            let (without, with) = block.split_at_mut(bit);
            with.iter_mut().zip(without).for_each(|(with, without)| *with += *without);
        }
    }
    let reach = |set: usize| total - inside[(n - 1) ^ set];
    let mut most = vec![f64::NEG_INFINITY; m + 1];
    for set in 0..n {
        let k = set.count_ones() as usize;
        most[k] = most[k].max(reach(set));
    }
    sizes
        .iter()
        .map(|&k| {
            let tied = (0..n).filter(|set| {
                set.count_ones() as usize == k && reach(*set) >= most[k] - EQUAL * total
            });
            let mut sets: Vec<Set> =
                tied.map(|set| made(set as u64, m, reach(set), total, appeal)).collect();
            let n_tied = sets.len();
            sets.sort_by(|a, b| b.frequency.total_cmp(&a.frequency).then(a.items.cmp(&b.items)));
            sets.truncate(MOST_TIED);
            Best { k, sets, n_tied: Some(n_tied) }
        })
        .collect()
}

/// A good set of `k` items: grown by the item that adds most, then improved by swaps.
fn grown(patterns: &[(u64, f64)], m: usize, k: usize, total: f64, appeal: &[f64]) -> Best {
    let reach = |set: u64| -> f64 {
        patterns.iter().filter(|(mask, _)| mask & set != 0).map(|(_, weight)| weight).sum()
    };
    // Where two add the same the more popular one is taken.
    let better =
        |a: (f64, f64), b: (f64, f64)| a.0 > b.0 + EQUAL * total || (a.0 >= b.0 && a.1 > b.1);
    let mut set = 0_u64;
    for _ in 0..k {
        let mut best = (0, (f64::NEG_INFINITY, f64::NEG_INFINITY));
        for item in (0..m).filter(|item| set >> item & 1 == 0) {
            let gain = (reach(set | 1 << item), appeal[item]);
            if better(gain, best.1) {
                best = (item, gain);
            }
        }
        set |= 1 << best.0;
    }
    let mut now = reach(set);
    loop {
        let mut swapped = None;
        for out in (0..m).filter(|item| set >> item & 1 == 1) {
            for item in (0..m).filter(|item| set >> item & 1 == 0) {
                let other = (set & !(1 << out)) | 1 << item;
                let found = reach(other);
                if found > swapped.map_or(now, |(_, found)| found) + EQUAL * total {
                    swapped = Some((other, found));
                }
            }
        }
        match swapped {
            Some((other, found)) => (set, now) = (other, found),
            None => break,
        }
    }
    Best { k, sets: vec![made(set, m, now, total, appeal)], n_tied: None }
}

fn made(set: u64, m: usize, reached: f64, total: f64, appeal: &[f64]) -> Set {
    let items: Vec<usize> = (0..m).filter(|item| set >> item & 1 == 1).collect();
    let frequency = items.iter().map(|&item| appeal[item]).sum::<f64>() / total;
    Set { items, reached, frequency }
}

impl Turf {
    /// One row per set, by size: the items, the customers reached, their share, what the set adds to the best one with an item
    /// less, the mean number of its items that appeal, and whether it is certain that no other set reaches more.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let rows =
            || self.best.iter().flat_map(|best| best.sets.iter().map(move |set| (best, set)));
        let names = |set: &Set| {
            set.items.iter().map(|&item| self.items[item].as_str()).collect::<Vec<_>>().join(" + ")
        };
        let added = |best: &Best, set: &Set| {
            let before = match best.k {
                1 => Some(0.0),
                k => self
                    .best
                    .iter()
                    .find(|other| other.k == k - 1)
                    .map(|other| other.sets[0].reached),
            };
            before.map_or(f64::NAN, |before| (set.reached - before) / self.total)
        };
        Table::builder()
            .int("k", rows().map(|(best, _)| best.k as i64))
            .text("items", rows().map(|(_, set)| names(set)))
            .float("reached", rows().map(|(_, set)| set.reached))
            .float("reach", rows().map(|(_, set)| set.reached / self.total))
            .float("added", rows().map(|(best, set)| added(best, set)))
            .float("frequency", rows().map(|(_, set)| set.frequency))
            .flag("certain", rows().map(|(best, _)| best.n_tied.is_some()))
            .finish()
    }

    /// The best set of each size in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for best in &self.best {
            let set = &best.sets[0];
            let names: Vec<&str> =
                set.items.iter().map(|&item| self.items[item].as_str()).collect();
            let tied = match best.n_tied {
                Some(1) => " No other set of this size reaches as many.".to_string(),
                Some(n) => format!(
                    " {n} sets reach as many; of these it has the most appeals per customer ({:.2}).",
                    set.frequency
                ),
                None => " Not every set was tried.".to_string(),
            };
            lines.push(format!(
                "{} of {} items: {} reach {:.1} % of the customers.{tied}",
                best.k,
                self.items.len(),
                names.join(" + "),
                100.0 * set.reached / self.total
            ));
        }
        lines
    }
}
