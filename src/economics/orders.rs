//! Order lines: which count, and what each segment and each customer spent.
//!
//! What limits the speed is memory: finding the customer of a line is a look into a table of all identifiers (a few
//! megabytes for 500,000 customers, more for text), and amounts and codes are read once for the sums. Whether every line counts
//! is found out in the same pass, and only where one does not are the lines gone through again.

use std::borrow::Cow;

use super::input::Orders;
use super::totals::{SegmentTotals, Sums};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::table::MISSING;

/// Order lines. Those that do not count are known once [`Lines::clean`] has looked at all.
pub(super) struct Lines<'a> {
    orders: &'a Orders<'a>,
    customer: Cow<'a, [u32]>,
    row: &'a [u32],
    revenue: &'a [f64],
    cost: Option<&'a [f64]>,
    day: Option<&'a [f64]>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(orders: &'a Orders<'a>) -> Self {
        Self {
            orders,
            customer: Cow::Borrowed(orders.customer),
            row: orders.row,
            revenue: orders.revenue.values,
            cost: orders.cost.map(|cost| cost.values),
            day: orders.day.map(|day| day.values),
        }
    }

    /// Whether the lines have dates.
    pub(super) fn has_days(&self) -> bool {
        self.day.is_some()
    }

    /// Leaves out lines without a known customer or amount, with a warning.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for the first negative cost that is not that of returned goods.
    pub(super) fn clean(
        &mut self,
        manifest: &mut Manifest,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let (orders, revenue, cost) = (self.orders, self.revenue, self.cost);
        let negative = cost.and_then(|cost| {
            cost.iter().zip(revenue).position(|(&cost, &revenue)| cost < 0.0 && revenue >= 0.0)
        });
        if let (Some(line), Some(cost)) = (negative, orders.cost) {
            let wanted = "a cost is 0 or more, except of returned goods, whose revenue is negative";
            return Err(Error::value(cost.name, line, cost.values[line], wanted)
                .with_mend(format!("orders[{0:?}] = orders[{0:?}].abs()", cost.name)));
        }
        let n_lines = orders.customer.len();
        let n_known = orders.row.len() as u32;
        // No customer, unknown customer, no revenue, no cost: how many lines, and the first.
        let mut counts = [(0usize, 0usize); 4];
        for (line, code) in self.customer.to_mut().iter_mut().enumerate() {
            let reason = match *code {
                MISSING => 0,
                code if code >= n_known => 1,
                _ if revenue[line].is_nan() => 2,
                _ if cost.is_some_and(|cost| cost[line].is_nan()) => 3,
                _ => continue,
            };
            if counts[reason].0 == 0 {
                counts[reason].1 = line;
            }
            counts[reason].0 += 1;
            *code = MISSING;
        }
        let cost_name = orders.cost.map_or("", |cost| cost.name);
        let reasons = [
            format!("{:?} is missing", orders.customer_name),
            format!("{:?} is not among the customers", orders.customer_name),
            format!("{:?} is missing", orders.revenue.name),
            format!("{cost_name:?} is missing"),
        ];
        for (reason, (count, first)) in reasons.into_iter().zip(counts) {
            if count > 0 {
                let note = format!(
                    "{count} of {n_lines} order lines are left out, the first in row {first}: {reason}"
                );
                manifest.notes.push(note.clone());
                warnings.push(note);
            }
        }
        Ok(())
    }

    /// Revenue and cost of each segment, given the segment of each row; `None` if some lines are to be left out first.
    ///
    /// The one pass over lines that all count, as mostly they do: whether they do is found out on the way.
    pub(super) fn by_segment(&self, segment: &[u32], n_segments: usize) -> Option<Vec<Sums>> {
        let of_customer: Vec<u32> = self
            .row
            .iter()
            .map(|&row| segment.get(row as usize).copied().unwrap_or(MISSING))
            .collect();
        let mut totals = SegmentTotals::new(n_segments);
        let all_count = totals.update_lines(&of_customer, &self.customer, self.revenue, self.cost);
        (all_count || matches!(self.customer, Cow::Owned(_))).then(|| totals.finish())
    }

    /// What each row's customer bought; `None` if some lines are to be left out first.
    ///
    /// Needed to resample customers, to tell customers from leads, and for the table of customers.
    pub(super) fn by_customer(&self, n_rows: usize) -> Option<Vec<Bought>> {
        let n_lines = self.customer.len();
        // Every part holds all customers, so there are fewer parts where customers are many; never by thread count.
        let parts = (n_lines / (4 * self.row.len()).max(1)).clamp(1, 4);
        let part_length = n_lines.div_ceil(parts).max(1);
        let none: &[f64] = &[];
        let (cost, days) = (self.cost.unwrap_or(none), self.day.unwrap_or(none));
        let parts = parallel::map_blocks_of(part_length, n_lines, |lines| {
            let mut sums = vec![Bought::default(); self.row.len()];
            let mut odd = false;
            for line in lines {
                let Some(sums) = sums.get_mut(self.customer[line] as usize) else {
                    odd = true;
                    continue;
                };
                sums.lines += 1;
                sums.revenue += self.revenue[line];
                if let Some(&cost) = cost.get(line) {
                    sums.cost += cost;
                    odd |= cost < 0.0;
                }
                if let Some(&day) = days.get(line) {
                    // NaN becomes 0 and is not later than any day.
                    let day = if day.is_nan() { NEVER } else { day.floor() as i32 };
                    sums.last = sums.last.max(day);
                }
            }
            (sums, odd)
        });
        let mut bought = vec![Bought::default(); n_rows];
        let mut odd = false;
        for (code, &row) in self.row.iter().enumerate() {
            let Some(slot) = bought.get_mut(row as usize) else { continue };
            for (part, _) in &parts {
                slot.add(&part[code]);
            }
            // One NaN makes a sum NaN.
            odd |= slot.revenue.is_nan() || slot.cost.is_nan();
        }
        odd |= parts.iter().any(|part| part.1);
        (!odd || matches!(self.customer, Cow::Owned(_))).then_some(bought)
    }
}

/// No day at all.
pub(super) const NEVER: i32 = i32::MIN;

/// What one customer bought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bought {
    pub(super) revenue: f64,
    pub(super) cost: f64,
    /// Day of the last line, or [`NEVER`].
    pub(super) last: i32,
    /// Order lines.
    pub(super) lines: u32,
}

impl Default for Bought {
    fn default() -> Self {
        Self { revenue: 0.0, cost: 0.0, last: NEVER, lines: 0 }
    }
}

impl Bought {
    fn add(&mut self, other: &Self) {
        self.revenue += other.revenue;
        self.cost += other.cost;
        self.last = self.last.max(other.last);
        self.lines += other.lines;
    }
}
