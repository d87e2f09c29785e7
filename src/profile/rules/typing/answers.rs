//! Columns as answers to a question.

use crate::error::{Error, Result};
use crate::parallel;
use crate::profile::rules::Customers;
use crate::profile::rules::condition::end_words;
use crate::profile::rules::customers::distinct;
use crate::profile::rules::selectors::cuts;
use crate::table::{Feature, Source};

/// Different values up to which each value of a number is an answer.
pub(super) const FEW: usize = 11;
/// Answers that a question may have.
const MOST: usize = 254;

/// The answers to one question.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// Answer of each customer; the number of answers where it is missing.
    pub(super) given: Vec<u8>,
    /// Number of answers.
    pub(super) n: usize,
    /// Where a number is cut; none for categories.
    pub(super) cuts: Option<Vec<f64>>,
    /// The answers in words.
    pub(super) words: Vec<String>,
}

impl Answers {
    /// The columns of customers as questions; numbers with many values are cut into `ranges` of about equally many customers.
    pub(super) fn of(customers: &Customers, ranges: usize) -> Result<Vec<Self>> {
        if !(2..=100).contains(&ranges) {
            return Err(Error::argument("answers", ranges, "a number from 2 to 100 is needed"));
        }
        let n_amounts = customers.amounts.len();
        let features = customers.reader.features();
        for (at, feature) in features.iter().enumerate().skip(n_amounts) {
            if customers.n_levels(at) > MOST {
                return Err(Error::argument(
                    format!("column {:?}", feature.name()),
                    format!("{} categories", customers.n_levels(at)),
                    format!("a question has at most {MOST} answers"),
                ));
            }
        }
        let quantiles: Vec<f64> = (1..ranges).map(|at| at as f64 / ranges as f64).collect();
        Ok(parallel::map_tasks(features.len(), |at| match &features[at] {
            Feature::Amount { source, .. } => {
                let values = &customers.amounts[at];
                amount(values, source, &quantiles)
            }
            Feature::Category { categories, .. } => {
                let n = categories.len();
                let codes = &customers.codes[at - n_amounts];
                Self {
                    given: codes.iter().map(|&code| (code as usize).min(n) as u8).collect(),
                    n,
                    cuts: None,
                    words: categories.clone(),
                }
            }
        }))
    }
}

fn amount(values: &[f64], source: &Source, quantiles: &[f64]) -> Answers {
    let cuts = cuts(values, FEW, quantiles);
    let n = cuts.len() + 1;
    let given = values.iter().map(|&value| answer(value, &cuts) as u8).collect();
    let few = distinct(values);
    let words = if few.len() == n {
        few.iter().map(|&(value, _)| end_words(value, source)).collect()
    } else {
        let (from, below) = match source {
            Source::Days => ("from", "before"),
            _ => ("at least", "below"),
        };
        (0..n)
            .map(|at| {
                let end = |at: usize| end_words(cuts[at], source);
                match (at.checked_sub(1), at + 1 < n) {
                    (None, _) => format!("{below} {}", end(0)),
                    (Some(low), true) => format!("{} to {below} {}", end(low), end(at)),
                    (Some(low), false) => format!("{from} {}", end(low)),
                }
            })
            .collect()
    };
    Answers { given, n, cuts: Some(cuts), words }
}

/// The answer that a value is; the number of answers where it is missing.
pub(super) fn answer(value: f64, cuts: &[f64]) -> usize {
    if value.is_nan() { cuts.len() + 1 } else { cuts.partition_point(|&cut| cut <= value) }
}
