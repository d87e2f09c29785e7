//! Orders of customers by period, and how they add up to cohorts.

use crate::error::{Error, Result};
use crate::table::MISSING;

/// What one customer did in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// Number of the customer.
    pub customer: u32,
    /// Number of the period.
    pub period: i32,
    /// Orders, returns not counted.
    pub orders: u32,
    /// Money, returns subtracted.
    pub value: f64,
}

/// Visits of customers by period; mergeable.
///
/// Memory: one [`Visit`] for each customer and period with an order. Time: two passes over the orders of an update, and a
/// sort of each customer's periods; the pass that scatters orders to their customers waits for memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// In order of customers, then of periods, each pair once.
    visits: Vec<Visit>,
}

impl Tally {
    /// Adds visits in any order.
    pub fn update(&mut self, visits: impl IntoIterator<Item = Visit>) {
        self.visits.extend(visits);
        self.compact();
    }

    /// Adds the visits of another part of the data.
    pub fn merge(&mut self, other: &Self) {
        self.update(other.visits.iter().copied());
    }

    /// Visits in order of customers and periods.
    pub fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// A counting sort by customer, then each customer's periods in order, equal ones added up.
    fn compact(&mut self) {
        let n = self.visits.iter().map(|visit| visit.customer as usize + 1).max().unwrap_or(0);
        let mut start = vec![0_usize; n + 1];
        for visit in &self.visits {
            start[visit.customer as usize + 1] += 1;
        }
        for customer in 0..n {
            start[customer + 1] += start[customer];
        }
        let mut next = start.clone();
        let nothing = Visit { customer: 0, period: 0, orders: 0, value: 0.0 };
        let mut sorted = vec![nothing; self.visits.len()];
        for visit in &self.visits {
            let place = &mut next[visit.customer as usize];
            sorted[*place] = *visit;
            *place += 1;
        }
        let mut kept = 0;
        for customer in 0..n {
            let first = kept;
            sorted[start[customer]..start[customer + 1]].sort_by_key(|visit| visit.period);
            for row in start[customer]..start[customer + 1] {
                let visit = sorted[row];
                if kept > first && sorted[kept - 1].period == visit.period {
                    sorted[kept - 1].orders += visit.orders;
                    sorted[kept - 1].value += visit.value;
                } else {
                    sorted[kept] = visit;
                    kept += 1;
                }
            }
        }
        sorted.truncate(kept);
        self.visits = sorted;
    }
}

/// Counts by group, cohort and age.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Number of the first cohort's period.
    pub first: i32,
    /// Number of periods from the first cohort to the end of the observation.
    pub n_periods: usize,
    /// Customers of each cohort: group, then cohort.
    pub size: Vec<u64>,
    /// Customers active: group, cohort, age.
    pub active: Vec<u64>,
    /// Money: group, cohort, age.
    pub value: Vec<f64>,
    /// Customers who never ordered, only returned.
    pub never: u64,
    /// Money of returns before the first order.
    pub before: f64,
}

/// More cells than a person can read and a table should hold.
const MAX_CELLS: usize = 4_000_000;

/// Counts of the visits, given the group of each customer; `last` is the last period observed, in part or whole.
///
/// # Errors
///
/// [`Error::Argument`] where there would be too many cells.
pub fn cells(visits: &[Visit], group: &[u32], n_groups: usize, last: i32) -> Result<Cells> {
    let first = visits.iter().filter(|v| v.orders > 0).map(|v| v.period).min().unwrap_or(last);
    let n_periods = (i64::from(last) - i64::from(first) + 1).max(0) as usize;
    if n_periods.saturating_mul(n_periods).saturating_mul(n_groups) > MAX_CELLS {
        let found = format!("{n_periods} periods of {n_groups} groups");
        return Err(Error::argument("period", found, "a longer period is needed")
            .with_mend("period=\"quarter\""));
    }
    let n_cells = n_groups * n_periods * n_periods;
    let mut out = Cells {
        first,
        n_periods,
        size: vec![0; n_groups * n_periods],
        active: vec![0; n_cells],
        value: vec![0.0; n_cells],
        never: 0,
        before: 0.0,
    };
    for visits in visits.chunk_by(|a, b| a.customer == b.customer) {
        let Some(begin) = visits.iter().find(|visit| visit.orders > 0) else {
            out.never += 1;
            continue;
        };
        let cohort = (begin.period - first) as usize;
        let slot = group[begin.customer as usize] as usize * n_periods + cohort;
        out.size[slot] += 1;
        for visit in visits {
            if visit.period < begin.period {
                out.before += visit.value;
                continue;
            }
            let cell = slot * n_periods + (visit.period - begin.period) as usize;
            out.active[cell] += u64::from(visit.orders > 0);
            out.value[cell] += visit.value;
        }
    }
    Ok(out)
}

/// The group of each customer; else the row, the customer and the group that an earlier row says.
pub(super) fn one_group_each(
    customers: &[u32],
    groups: &[u32],
    kept: &[usize],
    n_customers: usize,
) -> std::result::Result<Vec<u32>, (usize, u32, u32)> {
    let mut group = vec![MISSING; n_customers];
    for &row in kept {
        let slot = &mut group[customers[row] as usize];
        if *slot == MISSING {
            *slot = groups[row];
        } else if *slot != groups[row] {
            return Err((row, customers[row], *slot));
        }
    }
    Ok(group)
}
