//! What each customer bought, from the pass over the order lines that the scorecard makes anyhow.

use super::orders::{Bought, NEVER};
use super::scorecard::Scorecard;
use super::totals::Row;
use crate::error::{Error, Result};
use crate::table::{Distinct, MISSING, Table};

/// What each row's customer bought.
#[derive(Debug, Clone, PartialEq)]
pub struct Customers {
    /// Segment of each row that counts and has order lines.
    segment: Vec<u32>,
    /// Index of each among the rows of the table of customers.
    row: Vec<u32>,
    bought: Vec<Bought>,
    /// Name and values of the column of identifiers, and each row's place among the values.
    identifier: Option<(String, Distinct, Vec<u32>)>,
}

impl Customers {
    pub(super) fn new(bought: &[Bought], rows: &[Row]) -> Self {
        let row: Vec<u32> = (0..rows.len() as u32)
            .filter(|&row| rows[row as usize].segment != MISSING && bought[row as usize].lines > 0)
            .collect();
        Self {
            segment: row.iter().map(|&row| rows[row as usize].segment).collect(),
            bought: row.iter().map(|&row| bought[row as usize]).collect(),
            row,
            identifier: None,
        }
    }

    /// The same with identifiers: the column's name, its distinct values, and the place of each row among them.
    pub(super) fn identified(mut self, name: String, distinct: Distinct, codes: Vec<u32>) -> Self {
        self.identifier = Some((name, distinct, codes));
        self
    }

    fn table(&self, segments: &[String]) -> Result<Table> {
        let last_day = self.bought.iter().map(|bought| bought.last).max().unwrap_or(NEVER);
        let mut builder = Table::builder();
        if let Some((name, distinct, codes)) = &self.identifier {
            let own = self.row.iter().map(|&row| codes[row as usize] as usize);
            builder = match distinct {
                Distinct::Integers(values) => builder.int(name, own.map(|code| values[code])),
                other => {
                    let names = other.names();
                    builder.text(name, own.map(|code| names[code].as_str()))
                }
            };
        }
        let since = |bought: &Bought| match bought.last {
            NEVER => f64::NAN,
            day => f64::from(last_day) - f64::from(day),
        };
        builder
            .text("segment", self.segment.iter().map(|&segment| &segments[segment as usize]))
            .float("days_since_last", self.bought.iter().map(since))
            .int("n_lines", self.bought.iter().map(|bought| i64::from(bought.lines)))
            .float("revenue", self.bought.iter().map(|bought| bought.revenue))
            .float("cost", self.bought.iter().map(|bought| bought.cost))
            .finish()
    }
}

impl Scorecard {
    /// One row per customer with order lines.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where order lines were given without dates, or the scorecard comes from a file.
    pub fn customers_table(&self) -> Result<Table> {
        match &self.customers {
            Some(customers) => customers.table(&self.segments),
            None => Err(Error::argument(
                "order_date",
                "None, or a saved scorecard",
                "a table of customers needs the date of the order lines, and is not saved",
            )
            .with_mend("segment_scorecard(..., orders=orders, order_date=\"date\")")),
        }
    }
}
