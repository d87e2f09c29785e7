//! Columns as small numbers, so that a split is found by counting.

use crate::error::{Error, Result};
use crate::parallel;
use crate::profile::rules::Customers;
use crate::profile::rules::selectors::cuts;
use crate::table::Feature;

/// Bins of a column at most, beside the one of missing values.
pub(super) const MOST_BINS: usize = 254;

/// Customers with a bin for each column.
#[derive(Debug)]
pub(super) struct Binned {
    /// The bin of each customer, column by column; a missing value has the bin behind the last.
    pub(super) bins: Vec<Vec<u8>>,
    /// Number of bins of each column, without that of missing values.
    pub(super) n_bins: Vec<usize>,
    /// Where amounts are cut; none for categories.
    pub(super) cuts: Vec<Option<Vec<f64>>>,
}

impl Binned {
    /// The columns of customers: an amount with at most [`MOST_BINS`] different values has a bin for each, so that its splits
    /// are exact; another has as many of about the same number of customers. A category has a bin for each level.
    pub(super) fn of(customers: &Customers) -> Result<Self> {
        let n_amounts = customers.amounts.len();
        let features = customers.reader.features();
        let quantiles: Vec<f64> = (1..MOST_BINS).map(|at| at as f64 / MOST_BINS as f64).collect();
        for (at, feature) in features.iter().enumerate().skip(n_amounts) {
            if let Feature::Category { name, .. } = feature
                && customers.n_levels(at) > MOST_BINS
            {
                return Err(Error::argument(
                    format!("column {name:?}"),
                    format!("{} categories", customers.n_levels(at)),
                    format!("at most {MOST_BINS} are taken"),
                ));
            }
        }
        let columns = parallel::map_tasks(features.len(), |at| {
            if at < n_amounts {
                let values = &customers.amounts[at];
                let cuts = cuts(values, MOST_BINS, &quantiles);
                let missing = cuts.len() as u8 + 1;
                let bin = |&value: &f64| match value.is_nan() {
                    true => missing,
                    false => cuts.partition_point(|&cut| cut <= value) as u8,
                };
                (values.iter().map(bin).collect::<Vec<u8>>(), cuts.len() + 1, Some(cuts))
            } else {
                let n_levels = customers.n_levels(at);
                let codes = &customers.codes[at - n_amounts];
                let bin = |&code: &u32| (code as usize).min(n_levels) as u8;
                (codes.iter().map(bin).collect(), n_levels, None)
            }
        });
        let mut binned = Self { bins: Vec::new(), n_bins: Vec::new(), cuts: Vec::new() };
        for (bins, n_bins, cuts) in columns {
            binned.bins.push(bins);
            binned.n_bins.push(n_bins);
            binned.cuts.push(cuts);
        }
        Ok(binned)
    }

    /// Number of columns.
    pub(super) fn n_features(&self) -> usize {
        self.bins.len()
    }
}
