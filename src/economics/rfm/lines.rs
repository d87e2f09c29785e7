//! Order lines, brought together by customer and day.

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::table::MISSING;

/// Lines of orders.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// Number of each line's customer, or [`MISSING`].
    pub customer: &'a [u32],
    /// How many customers there are.
    pub n_customers: usize,
    /// Day of each line, NaN where missing; the time of day does not count.
    pub day: &'a [f64],
    /// Amount of each line, NaN where missing; returns are negative.
    pub value: Option<&'a [f64]>,
}

/// Lines that are not used, each for the first reason that holds, with the first such line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Lines without a customer.
    pub no_customer: Left,
    /// Lines without a day.
    pub no_day: Left,
    /// Lines without an amount.
    pub no_value: Left,
    /// Lines after the end of the observation.
    pub later: Left,
}

/// How many lines are not used for one reason, and the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// How many.
    pub count: usize,
    /// The first.
    pub first: Option<usize>,
}

impl Left {
    fn add(&mut self, line: usize) {
        self.count += 1;
        self.first = self.first.or(Some(line));
    }

    fn merge(&mut self, later: Self) {
        self.count += later.count;
        self.first = self.first.or(later.first);
    }
}

impl LeftOut {
    /// Tells the manifest, under the names of the columns: customer, date, amount.
    pub fn tell(&self, manifest: &mut Manifest, [customer, date, value]: [&str; 3]) {
        let missing = |name: &str| format!("{name:?} is missing");
        for (left, reason) in [
            (self.no_customer, missing(customer)),
            (self.no_day, missing(date)),
            (self.no_value, missing(value)),
            (self.later, "the line is later than observed_to".to_string()),
        ] {
            if let Some(first) = left.first {
                manifest.leave_out(format!("{reason}, first in row {first}"), left.count);
            }
        }
    }
}

/// Days further from 1970 than this are not days of orders.
pub(super) const FARTHEST: f64 = 1e8;

/// Parts of the customers whose lines are brought together at a time.
const PARTS: usize = 4;

/// A line in no customer's list.
const UNUSED: i32 = i32::MIN;

/// Lines by customer, each customer's in their order.
pub(crate) struct Grouped {
    starts: Vec<u32>,
    /// Day and amount; without amounts every line counts as a purchase.
    lines: Vec<(i32, f64)>,
    /// Last day of the observation.
    pub(crate) end: i32,
    pub(crate) left_out: LeftOut,
}

impl Grouped {
    /// Brings the lines together: a few passes over them, 20 bytes each. Writing them in the order of the customers is what
    /// limits the speed.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a day that cannot be one.
    pub(crate) fn new(lines: &Lines<'_>, observed_to: Option<f64>) -> Result<Self> {
        let (days, left_out, last) = survey(lines, observed_to)?;
        let end = observed_to.map_or(last, |day| day.floor() as i32);
        let mut starts = vec![0_u32; lines.n_customers + 1];
        for (&day, &customer) in days.iter().zip(lines.customer) {
            if day != UNUSED {
                starts[customer as usize + 1] += 1;
            }
        }
        for customer in 0..lines.n_customers {
            starts[customer + 1] += starts[customer];
        }
        let mut sorted = vec![(0_i32, 0.0_f64); starts[lines.n_customers] as usize];
        // Each part of the customers reads all lines and writes its own: what it writes to stays in the cache.
        let total = sorted.len();
        let cut = |part: usize| {
            let from = starts.partition_point(|&start| (start as usize) < total * part / PARTS);
            if part == PARTS { lines.n_customers } else { from.min(lines.n_customers) }
        };
        let mut rest = sorted.as_mut_slice();
        let mut parts = Vec::with_capacity(PARTS);
        for part in 0..PARTS {
            let customers = cut(part)..cut(part + 1);
            let length = (starts[customers.end] - starts[customers.start]) as usize;
            let (own, others) = std::mem::take(&mut rest).split_at_mut(length);
            parts.push((customers, own));
            rest = others;
        }
        parallel::update_each(&mut parts, |_, (customers, own)| {
            let base = starts[customers.start];
            let mut next: Vec<u32> =
                starts[customers.clone()].iter().map(|start| start - base).collect();
            for (line, (&day, &customer)) in days.iter().zip(lines.customer).enumerate() {
                if day != UNUSED && customers.contains(&(customer as usize)) {
                    let at = &mut next[customer as usize - customers.start];
                    own[*at as usize] = (day, lines.value.map_or(1.0, |value| value[line]));
                    *at += 1;
                }
            }
        });
        Ok(Self { starts, lines: sorted, end, left_out })
    }

    /// `f(state, customer, purchases)` for every customer with a line, in parallel over blocks of customers; the states of
    /// the blocks stand in order. A purchase is a day whose lines sum to more than 0, with that sum; `total` is that of
    /// all lines.
    pub(crate) fn map<S: Default + Send>(
        &self,
        f: impl Fn(&mut S, u32, &Purchases) + Sync + Send,
    ) -> Vec<S> {
        parallel::map_blocks(self.starts.len() - 1, |customers| {
            let mut state = S::default();
            let mut own = Vec::new();
            let mut purchases = Purchases::default();
            for customer in customers {
                let range = self.starts[customer] as usize..self.starts[customer + 1] as usize;
                if range.is_empty() {
                    continue;
                }
                own.clear();
                own.extend_from_slice(&self.lines[range]);
                // Stable, so that amounts of a day are added in the order of the lines.
                own.sort_by_key(|line: &(i32, f64)| line.0);
                purchases.read(&own);
                f(&mut state, customer as u32, &purchases);
            }
            state
        })
    }
}

/// What one customer bought.
#[derive(Debug, Default)]
pub(crate) struct Purchases {
    /// Days with a purchase, ascending, with the amount of the day.
    pub(crate) days: Vec<(i32, f64)>,
    /// Amount of all lines.
    pub(crate) total: f64,
}

impl Purchases {
    /// From lines in the order of their days.
    fn read(&mut self, lines: &[(i32, f64)]) {
        self.days.clear();
        self.total = 0.0;
        for day in lines.chunk_by(|one, other| one.0 == other.0) {
            let amount: f64 = day.iter().map(|line| line.1).sum();
            let size: f64 = day.iter().map(|line| line.1.abs()).sum();
            self.total += amount;
            // What rounding leaves of an order that was taken back is no purchase.
            if amount > 1e-9 * size {
                self.days.push((day[0].0, amount));
            }
        }
    }
}

/// Whole days of the lines that are used, what is left out, and the last day.
fn survey(lines: &Lines<'_>, observed_to: Option<f64>) -> Result<(Vec<i32>, LeftOut, i32)> {
    let end = observed_to.map_or(f64::INFINITY, |day| day.floor() + 1.0);
    let n = lines.customer.len();
    let mut days = vec![UNUSED; n];
    let mut blocks = vec![(LeftOut::default(), i32::MIN, None); n.div_ceil(parallel::BLOCK)];
    parallel::update_blocks(&mut days, &mut blocks, |first, slots, (left_out, last, odd)| {
        for (offset, slot) in slots.iter_mut().enumerate() {
            let line = first + offset;
            let day = lines.day[line];
            let customer = lines.customer[line];
            if customer == MISSING || customer as usize >= lines.n_customers {
                left_out.no_customer.add(line);
            } else if day.is_nan() {
                left_out.no_day.add(line);
            } else if lines.value.is_some_and(|value| value[line].is_nan()) {
                left_out.no_value.add(line);
            } else if day >= end {
                left_out.later.add(line);
            } else if day.abs() > FARTHEST {
                *odd = odd.or(Some(line));
            } else {
                *slot = day.floor() as i32;
                *last = (*last).max(*slot);
            }
        }
    });
    let (mut left_out, mut last) = (LeftOut::default(), i32::MIN);
    for (block, block_last, odd) in blocks {
        if let Some(line) = odd {
            return Err(Error::value("date", line, lines.day[line], "a day of this age is needed"));
        }
        left_out.no_customer.merge(block.no_customer);
        left_out.no_day.merge(block.no_day);
        left_out.no_value.merge(block.no_value);
        left_out.later.merge(block.later);
        last = last.max(block_last);
    }
    Ok((days, left_out, last))
}
