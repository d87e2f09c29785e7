//! Order lines: which count, and what each segment and each customer spent.

use std::borrow::Cow;

use super::input::{Input, Orders};
use super::totals::{SegmentTotals, Sums};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::table::MISSING;

/// Order lines that count: those of known customers with known amounts.
pub(super) struct Lines<'a> {
    customer: Cow<'a, [u32]>,
    row: &'a [u32],
    revenue: &'a [f64],
    cost: Option<&'a [f64]>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        orders: &Orders<'a>,
        input: &Input<'_>,
        manifest: &mut Manifest,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let cost = orders.cost.map(|cost| cost.values);
        let revenue = orders.revenue.values;
        let n_lines = orders.customer.len();
        // One look at all lines tells whether there is anything to leave out; mostly there is not.
        let checks = parallel::map_blocks_of(LINES, n_lines, |lines| {
            let mut incomplete = false;
            let mut negative = None;
            for line in lines {
                incomplete |= revenue[line].is_nan() | (orders.customer[line] == MISSING);
                if let Some(cost) = cost {
                    incomplete |= cost[line].is_nan();
                    if cost[line] < 0.0 && revenue[line] >= 0.0 && negative.is_none() {
                        negative = Some(line);
                    }
                }
            }
            (incomplete, negative)
        });
        if let (Some(line), Some(cost)) =
            (checks.iter().find_map(|&(_, negative)| negative), orders.cost)
        {
            let wanted = "a cost is 0 or more, except of returned goods, whose revenue is negative";
            return Err(Error::value(cost.name, line, cost.values[line], wanted)
                .with_mend(format!("orders[{0:?}] = orders[{0:?}].abs()", cost.name)));
        }
        let unmatched = orders.row.contains(&MISSING);
        let mut customer = Cow::Borrowed(orders.customer);
        if unmatched || checks.iter().any(|&(incomplete, _)| incomplete) {
            // No customer, unknown customer, no revenue, no cost.
            let mut counts = [0usize; 4];
            for (line, code) in customer.to_mut().iter_mut().enumerate() {
                let reason = match orders.row.get(*code as usize) {
                    None => 0,
                    Some(&MISSING) => 1,
                    Some(_) if revenue[line].is_nan() => 2,
                    Some(_) if cost.is_some_and(|cost| cost[line].is_nan()) => 3,
                    Some(_) => continue,
                };
                counts[reason] += 1;
                *code = MISSING;
            }
            let cost_name = orders.cost.map_or("", |cost| cost.name);
            let reasons = [
                format!("{:?} is missing", orders.customer_name),
                format!("{:?} is not among the customers", orders.customer_name),
                format!("{:?} is missing", orders.revenue.name),
                format!("{cost_name:?} is missing"),
            ];
            for (reason, count) in reasons.into_iter().zip(counts) {
                if count > 0 {
                    let note = format!("{count} of {n_lines} order lines are left out: {reason}");
                    manifest.notes.push(note.clone());
                    warnings.push(note);
                }
            }
        }
        debug_assert!(
            orders.row.iter().all(|&r| r == MISSING || (r as usize) < input.segment.len())
        );
        Ok(Self { customer, row: orders.row, revenue, cost })
    }

    /// Revenue and cost of each segment, given the segment of each row.
    pub(super) fn by_segment(&self, segment: &[u32], n_segments: usize) -> Vec<Sums> {
        let of_customer: Vec<u32> = self
            .row
            .iter()
            .map(|&row| segment.get(row as usize).copied().unwrap_or(MISSING))
            .collect();
        let mut totals = SegmentTotals::new(n_segments);
        totals.update_lines(&of_customer, &self.customer, self.revenue, self.cost);
        totals.finish()
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

/// Lines in one block.
const LINES: usize = 65_536;
