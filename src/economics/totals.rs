//! Totals per segment: one pass, mergeable.

use serde::{Deserialize, Serialize};

use super::survival::Outcome;
use crate::parallel;

/// What is added up for each segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Field {
    /// Customers.
    Customers,
    /// Customers won.
    New,
    /// Revenue.
    Revenue,
    /// Cost of what was sold.
    Cost,
    /// Spend on acquisition, lost and open leads included.
    Acquisition,
    /// Spend on managing customers.
    Management,
    /// Churn rate times customers, over customers whose rate is known.
    Churned,
    /// Customers whose churn rate is known.
    ChurnKnown,
    /// Lifetime value by a model, of customers for whom it is known.
    Modelled,
    /// Customers whose lifetime value by a model is known.
    ModelledKnown,
}

/// Number of fields.
pub const N_FIELDS: usize = 10;

/// One value per [`Field`]: a customer's, a segment's, or everybody's.
pub type Sums = [f64; N_FIELDS];

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Has bought, or stands for customers who have.
    Customer,
    /// May still buy.
    OpenLead,
    /// Will not buy.
    LostLead,
}

/// One row of the data, ready to be added up and resampled: a customer, a lead, or a segment's totals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Code of the segment, or [`crate::table::MISSING`] for a row that is left out.
    pub segment: u32,
    /// What the row is.
    pub role: Role,
    /// How the observation of the way to the first sale ended.
    pub outcome: Outcome,
    /// Days from first contact to that end; NaN where unknown.
    pub days: f64,
    /// For a customer won, the month and channel that acquisition spend is shared out by ([`super::acquisition`]);
    /// [`crate::table::MISSING`] for others.
    pub bought: u32,
    /// What is added up.
    pub values: Sums,
}

/// Totals of every segment.
///
/// `update` adds rows, `merge` adds the totals of another part, `finish` gives the sums. Within a call of `update` rows
/// are added in fixed blocks which are folded in order: the bits do not depend on the number of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentTotals {
    sums: Vec<Sums>,
}

impl SegmentTotals {
    /// Zero for each of `n_segments`.
    pub fn new(n_segments: usize) -> Self {
        Self { sums: vec![[0.0; N_FIELDS]; n_segments] }
    }

    /// Adds rows; those of segment [`crate::table::MISSING`] are passed over.
    pub fn update(&mut self, rows: &[Row]) {
        let n_segments = self.sums.len();
        let parts = parallel::map_blocks(rows.len(), |range| {
            let mut part = vec![[0.0; N_FIELDS]; n_segments];
            for row in &rows[range] {
                if let Some(sums) = part.get_mut(row.segment as usize) {
                    add(sums, &row.values);
                }
            }
            part
        });
        for part in parts {
            self.merge(&Self { sums: part });
        }
    }

    /// Adds the revenue and cost of order lines, and says whether every line counts.
    ///
    /// `segment` is the segment of each distinct customer, `customer` the code of each line's customer. Lines whose
    /// customer is not known or has no segment are passed over; so must lines be whose amount is NaN, which the caller marks
    /// with the customer [`crate::table::MISSING`]. A line does not count if its customer is not known, an amount is NaN, or the cost is
    /// negative (which only that of returned goods may be).
    pub fn update_lines(
        &mut self,
        segment: &[u32],
        customer: &[u32],
        revenue: &[f64],
        cost: Option<&[f64]>,
    ) -> bool {
        let n_segments = self.sums.len();
        // One slot more takes customers without a segment, another unknown ones, so that the loop has no branch.
        let unknown = n_segments + 1;
        let slots: Vec<u32> = segment.iter().map(|&code| code.min(n_segments as u32)).collect();
        let parts = parallel::map_blocks_of(LINES, customer.len(), |lines| {
            let mut part = vec![[0.0; 2]; n_segments + 2];
            let mut odd = false;
            let slot = |code: u32| slots.get(code as usize).map_or(unknown, |&slot| slot as usize);
            let (customer, revenue) = (&customer[lines.clone()], &revenue[lines.clone()]);
            let nothing: &[f64] = &[];
            let cost = cost.map_or(nothing, |cost| &cost[lines]);
            for (line, &code) in customer.iter().enumerate() {
                let slot = slot(code);
                let sums = &mut part[slot];
                sums[0] += revenue[line];
                odd |= slot == unknown;
                if let Some(&cost) = cost.get(line) {
                    sums[1] += cost;
                    odd |= cost < 0.0;
                }
            }
            // One NaN makes its sum NaN.
            let missing = part.iter().flatten().any(|sum| sum.is_nan());
            (part, odd || missing)
        });
        let mut all_count = true;
        for (part, odd) in parts {
            all_count &= !odd;
            for (sums, [revenue, cost]) in self.sums.iter_mut().zip(part) {
                sums[Field::Revenue as usize] += revenue;
                sums[Field::Cost as usize] += cost;
            }
        }
        all_count
    }

    /// Adds the totals of another part of the data, of the same segments.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.sums.iter_mut().zip(&other.sums) {
            add(mine, theirs);
        }
    }

    /// The sums of each segment.
    pub fn finish(self) -> Vec<Sums> {
        self.sums
    }
}

/// Lines in one block: a partial result is small, and the lookup of a customer's segment dominates.
const LINES: usize = 65_536;

/// The sums over all segments.
pub fn total(sums: &[Sums]) -> Sums {
    let mut total = [0.0; N_FIELDS];
    for row in sums {
        add(&mut total, row);
    }
    total
}

fn add(sums: &mut Sums, row: &Sums) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}
