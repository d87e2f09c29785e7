//! Calibration and holdout: what a model fitted to the past says of a time that it has not seen.

use serde::{Deserialize, Serialize};

use super::fitted::{Kind, RepeatBuying};
use crate::economics::rfm::{Customers, Figures, Grouped, Names, Options, Read};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::table::{Builder, Table};

/// Frequencies from here on are taken together.
const MOST: u32 = 7;
/// Points of time at most, at which purchases are compared.
const MOST_POINTS: usize = 400;

/// The days of a calibration and a holdout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days {
    /// Last day of the calibration.
    pub calibration_end: f64,
    /// Last day of the holdout; `None` is the last day in the lines.
    pub observed_to: Option<f64>,
    /// Days in the unit of time.
    pub unit_days: f64,
}

/// Customers as they were at the end of the calibration, and what they did after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// Name of the column of customers.
    pub customer_name: String,
    /// The customers.
    pub customers: Customers,
    /// Their figures at the end of the calibration.
    pub figures: Figures,
    /// Purchases of each customer in the holdout.
    #[serde(with = "persist::floats")]
    pub frequency: Vec<f64>,
    /// Mean amount of these, NaN without one.
    #[serde(with = "persist::floats")]
    pub monetary: Vec<f64>,
    /// Last day of the calibration, since 1970-01-01.
    pub calibration_end: i32,
    /// Last day of the holdout.
    pub observed_to: i32,
    /// Days in the unit of time.
    pub unit_days: f64,
    /// Days on which customers of the calibration bought for the first time, ascending, with their numbers.
    pub first: Vec<(i32, u32)>,
    /// Days on which they bought again, ascending, with their numbers.
    pub again: Vec<(i32, u32)>,
    /// What it was made from.
    pub manifest: Manifest,
}

/// One block of customers.
#[derive(Default)]
struct Block {
    figures: Figures,
    frequency: Vec<f64>,
    monetary: Vec<f64>,
    first: Vec<i32>,
    again: Vec<i32>,
    later: usize,
}

impl Holdout {
    /// Cuts the orders at the end of the calibration.
    ///
    /// # Errors
    ///
    /// Those of reading the columns; [`Error::Argument`] if no time is left for the holdout, [`Error::TooFewRows`] if
    /// nobody bought before it.
    pub fn of(
        orders: &Table,
        names: &Names,
        days: &Days,
        mut manifest: Manifest,
        monitor: &Monitor,
    ) -> Result<Self> {
        let options = Options::btyd(days.observed_to, days.unit_days);
        options.check()?;
        Options::btyd(Some(days.calibration_end), 1.0).check()?;
        let read = Read::new(orders, names)?;
        monitor.check()?;
        let lines = read.lines();
        let grouped = Grouped::new(&lines, days.observed_to)?;
        let (start, end) = (days.calibration_end.floor() as i32, grouped.end);
        if start >= end {
            let found = crate::table::date_name(i64::from(start));
            let last = crate::table::date_name(i64::from(end));
            let wanted = format!("a day before {last}, the last of the observation, is needed");
            return Err(Error::argument("calibration_end", found, wanted));
        }
        let blocks = grouped.map(|block: &mut Block, customer, purchases| {
            let known = purchases.days.partition_point(|day| day.0 <= start);
            let (before, after) = purchases.days.split_at(known);
            let (Some(first), again) = (before.first(), purchases.days.iter().skip(1)) else {
                block.later += usize::from(!after.is_empty());
                return;
            };
            block.figures.push(customer, before, 0.0, start, &options);
            block.frequency.push(after.len() as f64);
            let amount: f64 = after.iter().map(|day| day.1).sum();
            block.monetary.push(amount / after.len() as f64);
            block.first.push(first.0);
            block.again.extend(again.map(|day| day.0));
        });
        let mut all = Block::default();
        for block in blocks {
            all.figures.append(block.figures);
            all.frequency.extend(block.frequency);
            all.monetary.extend(block.monetary);
            all.first.extend(block.first);
            all.again.extend(block.again);
            all.later += block.later;
        }
        if all.frequency.is_empty() {
            let what = "a calibration".into();
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        grouped.left_out.tell(&mut manifest, names.all());
        if all.later > 0 {
            let n = all.later;
            manifest
                .notes
                .push(format!("no row for {n} customers who first bought in the holdout"));
        }
        if lines.value.is_none() {
            all.figures.monetary.fill(f64::NAN);
            all.monetary.fill(f64::NAN);
        }
        Ok(Self {
            customer_name: names.customer.clone(),
            customers: read.customers(&all.figures.customer),
            figures: all.figures,
            frequency: all.frequency,
            monetary: all.monetary,
            calibration_end: start,
            observed_to: end,
            unit_days: days.unit_days,
            first: counted(all.first),
            again: counted(all.again),
            manifest,
        })
    }

    /// Length of the holdout in units of time.
    pub fn duration(&self) -> f64 {
        f64::from(self.observed_to - self.calibration_end) / self.unit_days
    }

    /// One row per customer: their figures at the end of the calibration, and purchases after it.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`].
    pub fn table(&self) -> Result<Table> {
        let figures = &self.figures;
        self.customers
            .column(&self.customer_name)
            .float("frequency", figures.frequency.iter().copied())
            .float("recency", figures.recency.iter().copied())
            .float("T", figures.age.iter().copied())
            .float("monetary", figures.monetary.iter().copied())
            .float("frequency_holdout", self.frequency.iter().copied())
            .float("monetary_holdout", self.monetary.iter().copied())
            .finish()
    }

    /// Holds a model against what happened.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the model is not one of purchases, is one for each group, or has another unit of time.
    pub fn report(&self, model: &RepeatBuying, monitor: &Monitor) -> Result<Report> {
        let refuse = |found: String, wanted: &str| Err(Error::argument("model", found, wanted));
        if matches!(model.kind, Kind::GammaGamma | Kind::ShiftedBetaGeometric) {
            return refuse(model.kind.to_string(), "a model of purchases is needed");
        }
        if let Some(by) = &model.names.by {
            return refuse(format!("one model for each {by:?}"), "one for all customers is needed");
        }
        if let Some(unit) = model.unit_days.filter(|&unit| unit != self.unit_days) {
            let wanted = format!("here it is {}", self.unit_days);
            return refuse(format!("a unit of time of {unit} days"), &wanted);
        }
        let mut by_role = Vec::new();
        for (role, name) in model.kind.roles().iter().zip(&model.names.columns) {
            let values = match *role {
                "frequency" => &self.figures.frequency,
                "recency" => &self.figures.recency,
                _ => &self.figures.age,
            };
            by_role.push((name, values));
        }
        let columns = by_role.iter().fold(Table::builder(), |builder: Builder, (name, values)| {
            builder.float(name, values.iter().copied())
        });
        let expected = model.expected_purchases(&columns.finish()?, self.duration(), monitor)?;
        let bins = Bins::new(&self.figures.frequency, &self.frequency, &expected);
        let (counts, expected_counts) = self.counts(model)?;
        Ok(Report {
            kind: model.kind,
            bins,
            counts,
            expected_counts,
            tracking: self.tracking(model)?,
            calibration_units: f64::from(
                self.calibration_end - self.first.first().map_or(self.calibration_end, |day| day.0),
            ) / self.unit_days,
            n: self.frequency.len(),
            holdout_units: self.duration(),
            unit_days: self.unit_days,
            error: mean_error(&self.frequency, &expected),
            manifest: self.manifest.clone(),
        })
    }

    /// Customers by their repeat purchases in the calibration, and as many as the model expects.
    fn counts(&self, model: &RepeatBuying) -> Result<(Vec<f64>, Vec<f64>)> {
        let mut counts = vec![0.0; MOST as usize + 1];
        for &frequency in &self.figures.frequency {
            counts[(frequency as usize).min(MOST as usize)] += 1.0;
        }
        let mut expected = vec![0.0; MOST as usize + 1];
        for &(day, n) in &self.first {
            let age = f64::from(self.calibration_end - day) / self.unit_days;
            for of_group in model.counts_of_new(age, MOST)? {
                for (sum, share) in expected.iter_mut().zip(of_group) {
                    *sum += f64::from(n) * share;
                }
            }
        }
        Ok((counts, expected))
    }

    /// Purchases again up to each of evenly spaced times: time, happened, expected.
    fn tracking(&self, model: &RepeatBuying) -> Result<Vec<[f64; 3]>> {
        let start = self.first.first().map_or(self.calibration_end, |day| day.0);
        let days = f64::from(self.observed_to - start);
        // Whole units of time, of which several where there are many.
        let units = (days / self.unit_days / MOST_POINTS as f64).ceil().max(1.0);
        let step = (units * self.unit_days).max(1.0);
        let mut points = Vec::new();
        let mut happened = self.again.iter().peekable();
        let mut so_far = 0.0;
        for point in 1..=(days / step).floor() as usize {
            let until = (f64::from(start) + step * point as f64).floor() as i32;
            while let Some((_, n)) = happened.next_if(|(day, _)| *day <= until) {
                so_far += f64::from(*n);
            }
            let known: Vec<&(i32, u32)> =
                self.first.iter().take_while(|(day, _)| *day < until).collect();
            let ages: Vec<f64> =
                known.iter().map(|(day, _)| f64::from(until - day) / self.unit_days).collect();
            let each = model.of_new(&ages)?.swap_remove(0);
            let expected: f64 = known.iter().zip(each).map(|((_, n), x)| f64::from(*n) * x).sum();
            points.push([f64::from(until - start) / self.unit_days, so_far, expected]);
        }
        Ok(points)
    }
}

/// Distinct days, ascending, with their numbers.
fn counted(mut days: Vec<i32>) -> Vec<(i32, u32)> {
    days.sort_unstable();
    days.chunk_by(|one, other| one == other).map(|same| (same[0], same.len() as u32)).collect()
}

fn mean_error(happened: &[f64], expected: &[f64]) -> f64 {
    let sum: f64 = happened.iter().zip(expected).map(|(one, other)| (one - other).abs()).sum();
    sum / happened.len() as f64
}

/// Customers by their repeat purchases in the calibration: 0, 1, .. and the most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// How many customers.
    pub n: Vec<u32>,
    /// Purchases of each bin in the holdout.
    pub happened: Vec<f64>,
    /// Purchases that the model expected of it.
    pub expected: Vec<f64>,
}

impl Bins {
    fn new(frequency: &[f64], happened: &[f64], expected: &[f64]) -> Self {
        let n_bins = MOST as usize + 1;
        let mut bins =
            Self { n: vec![0; n_bins], happened: vec![0.0; n_bins], expected: vec![0.0; n_bins] };
        for (row, &frequency) in frequency.iter().enumerate() {
            let bin = (frequency as usize).min(MOST as usize);
            bins.n[bin] += 1;
            bins.happened[bin] += happened[row];
            bins.expected[bin] += expected[row];
        }
        bins
    }
}

/// A model held against a holdout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The model.
    pub kind: Kind,
    /// Purchases in the holdout, by those in the calibration.
    pub bins: Bins,
    /// Customers by their repeat purchases in the calibration.
    pub counts: Vec<f64>,
    /// As many as the model expects.
    pub expected_counts: Vec<f64>,
    /// Time since the first purchase of all, purchases again up to then, and expected ones.
    pub tracking: Vec<[f64; 3]>,
    /// Length of the calibration in units of time.
    pub calibration_units: f64,
    /// Length of the holdout in units of time.
    pub holdout_units: f64,
    /// Days in the unit of time.
    pub unit_days: f64,
    /// Customers.
    pub n: usize,
    /// Mean absolute difference over customers between purchases that happened and expected ones.
    pub error: f64,
    /// What the holdout was made from.
    pub manifest: Manifest,
}

impl Report {
    fn label(bin: usize) -> String {
        if bin == MOST as usize { format!("{bin}+") } else { bin.to_string() }
    }

    /// One row per number of repeat purchases in the calibration.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`].
    pub fn table(&self) -> Result<Table> {
        let bins = &self.bins;
        let n = bins.n.iter().map(|&n| f64::from(n));
        let mean =
            |sums: &[f64]| sums.iter().zip(n.clone()).map(|(s, n)| s / n).collect::<Vec<_>>();
        Table::builder()
            .text("frequency", (0..bins.n.len()).map(Self::label))
            .int("n", bins.n.iter().map(|&n| i64::from(n)))
            .float("n_expected", self.expected_counts.iter().copied())
            .float("actual", mean(&bins.happened))
            .float("expected", mean(&bins.expected))
            .finish()
    }

    /// One row per point of time: purchases again since the beginning, that happened and that the model expected.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`].
    pub fn tracking(&self) -> Result<Table> {
        let column = |at: usize| self.tracking.iter().map(move |point| point[at]);
        Table::builder()
            .float("time", column(0))
            .float("actual", column(1))
            .float("expected", column(2))
            .finish()
    }

    /// Purchases in the holdout that happened, and that the model expected.
    pub fn totals(&self) -> (f64, f64) {
        (self.bins.happened.iter().sum(), self.bins.expected.iter().sum())
    }
}

impl Persist for Holdout {
    const KIND: &'static str = "holdout";

    fn validate(&self) -> Result<()> {
        let n = self.customers.len();
        let figures = &self.figures;
        let columns = [
            &figures.frequency,
            &figures.recency,
            &figures.age,
            &figures.monetary,
            &self.frequency,
            &self.monetary,
        ];
        let sane = self.unit_days.is_finite()
            && self.unit_days > 0.0
            && self.calibration_end < self.observed_to
            && self.observed_to < 100_000_001
            && self.calibration_end > -100_000_001
            && self
                .first
                .iter()
                .all(|(day, _)| *day <= self.calibration_end && *day > -100_000_001);
        if figures.customer.len() != n || columns.iter().any(|column| column.len() != n) || !sane {
            return Err(persist::broken("columns of different lengths, or impossible days"));
        }
        Ok(())
    }
}

impl Persist for Report {
    const KIND: &'static str = "holdout_report";

    fn validate(&self) -> Result<()> {
        let n = MOST as usize + 1;
        let lengths = [
            self.bins.n.len(),
            self.bins.happened.len(),
            self.bins.expected.len(),
            self.counts.len(),
            self.expected_counts.len(),
        ];
        if lengths.iter().any(|&length| length != n) {
            return Err(persist::broken("the numbers of purchases are not those of a report"));
        }
        Ok(())
    }
}
