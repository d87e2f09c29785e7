//! The scorecard as tables.

use super::figures::Figure;
use super::scorecard::{Leads, Scorecard};
use super::totals::{Field, total};
use crate::error::{Error, Result};
use crate::table::Table;

impl Scorecard {
    /// One row per segment.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let n = self.segments.len();
        let mut rows: Vec<usize> = (0..n).collect();
        let revenue = &self.figure(Figure::Revenue).value;
        rows.sort_by(|&a, &b| revenue[b].total_cmp(&revenue[a]));
        let shares = &self.figure(Figure::RevenueShare).value;
        let mut cumulative = vec![f64::NAN; n];
        let mut running = 0.0;
        for row in rows {
            running += shares[row];
            cumulative[row] = running;
        }
        self.build(0..n, &self.segments, &cumulative)
    }

    /// One row: all segments together.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn total(&self) -> Result<Table> {
        let n = self.segments.len();
        self.build(n..n + 1, &["all".to_string()], &[1.0])
    }

    fn build(
        &self,
        rows: std::ops::Range<usize>,
        names: &[String],
        cumulative: &[f64],
    ) -> Result<Table> {
        let everybody = total(&self.sums);
        let count = |field: Field| {
            let all: Vec<f64> = self.sum(field).chain([everybody[field as usize]]).collect();
            all[rows.clone()].iter().map(|&count| count as i64).collect::<Vec<_>>()
        };
        let all = self.leads.iter().fold(Leads::default(), |sum, leads| Leads {
            open: sum.open + leads.open,
            lost: sum.lost + leads.lost,
        });
        let leads: Vec<Leads> = self.leads.iter().copied().chain([all]).collect();
        let leads = &leads[rows.clone()];
        let mut builder = Table::builder().text("segment", names).int("n", count(Field::Customers));
        for figure in Figure::ALL {
            let estimates = self.figure(figure);
            let name = figure.name();
            builder = builder
                .float(name, estimates.value[rows.clone()].iter().copied())
                .float(&format!("{name}_lo"), estimates.lo[rows.clone()].iter().copied())
                .float(&format!("{name}_hi"), estimates.hi[rows.clone()].iter().copied());
        }
        builder
            .float("cumulative_share", cumulative.iter().copied())
            .int("n_new", count(Field::New))
            .int("n_open", leads.iter().map(|leads| leads.open as i64))
            .int("n_lost", leads.iter().map(|leads| leads.lost as i64))
            .finish()
    }

    /// Cost of a customer by channel and segment.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where spend was not given by channel.
    pub fn acquisition_table(&self) -> Result<Table> {
        self.by_channel()?.table(&self.segments)
    }

    /// Spend that won nobody.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where spend was not given by channel.
    pub fn unallocated_table(&self) -> Result<Table> {
        self.by_channel()?.unallocated_table()
    }

    fn by_channel(&self) -> Result<&super::acquisition::Acquisition> {
        self.acquisition.as_ref().ok_or_else(|| {
            Error::argument("spend", "None", "acquisition by channel needs a table of spend")
                .with_mend("segment_scorecard(..., spend=budget, channel=\"channel\")")
        })
    }
}
