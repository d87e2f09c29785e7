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
}

impl<'a> Lines<'a> {
    pub(super) fn new(orders: &'a Orders<'a>) -> Self {
        Self {
            orders,
            customer: Cow::Borrowed(orders.customer),
            row: orders.row,
            revenue: orders.revenue.values,
            cost: orders.cost.map(|cost| cost.values),
        }
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
        if !self.any_odd() {
            return Ok(());
        }
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

    /// Whether any line is to be left out or refused; mostly none is.
    fn any_odd(&self) -> bool {
        let n_known = self.row.len() as u32;
        let blocks = parallel::map_blocks(self.customer.len(), |lines| {
            let mut odd = false;
            for &code in &self.customer[lines.clone()] {
                odd |= code >= n_known;
            }
            for value in &self.revenue[lines.clone()] {
                odd |= value.is_nan();
            }
            if let Some(cost) = self.cost {
                for value in &cost[lines] {
                    odd |= value.is_nan() || *value < 0.0;
                }
            }
            odd
        });
        blocks.contains(&true)
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

    /// Revenue and cost of each customer, NaN without a line.
    pub(super) fn by_customer(&self, n_rows: usize) -> Vec<[f64; 2]> {
        let n_lines = self.customer.len();
        // Every part holds all customers, so there are fewer parts where customers are many; never by thread count.
        let parts = (n_lines / (2 * self.row.len()).max(1)).clamp(1, 8);
        let part_length = n_lines.div_ceil(parts).max(1);
        let sums = parallel::map_blocks_of(part_length, n_lines, |lines| {
            let mut sums = vec![([0.0; 2], false); self.row.len()];
            for line in lines {
                if let Some((sums, seen)) = sums.get_mut(self.customer[line] as usize) {
                    sums[0] += self.revenue[line];
                    sums[1] += self.cost.map_or(0.0, |cost| cost[line]);
                    *seen = true;
                }
            }
            sums
        });
        let mut bought = vec![[f64::NAN; 2]; n_rows];
        for (code, &row) in self.row.iter().enumerate() {
            let Some(slot) = bought.get_mut(row as usize) else { continue };
            let mut total = [0.0; 2];
            let mut any = false;
            for part in &sums {
                let (sums, seen) = part[code];
                total[0] += sums[0];
                total[1] += sums[1];
                any |= seen;
            }
            if any {
                *slot = total;
            }
        }
        bought
    }
}
