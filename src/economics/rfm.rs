//! Recency, frequency and monetary value of each customer, under either of the two definitions that go round.
//!
//! Start with [`rfm_of`] for tables or [`rfm`] for slices. Lines are brought together by customer (a counting sort), then
//! each customer's days are put in order; nothing of the size of the lines times the customers is made.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist};
use crate::table::{Distinct, Table};

/// What the words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// As models of repeat buying take them ("buy till you die"; Fader, Hardie and Lee 2005): frequency counts the days
    /// with a purchase after the first such day, recency is the time from the first to the last, monetary the mean of
    /// those later days.
    Btyd,
    /// As marketing departments take them (Hughes 1994, Strategic Database Marketing): frequency counts the days with a
    /// purchase, recency is the time since the last, monetary the sum.
    Marketing,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What the words mean.
    pub definition: Definition,
    /// Last day of the observation; `None` is the last day in the lines.
    pub observed_to: Option<f64>,
    /// Days in the unit of time of the answer: 7 for weeks.
    pub unit_days: f64,
    /// Number of scores; 5 gives quintiles.
    pub n_scores: u32,
}

impl Options {
    fn check(&self) -> Result<()> {
        if let Some(day) = self.observed_to.filter(|day| day.is_nan() || day.abs() > FARTHEST) {
            return Err(Error::argument("observed_to", day, "a day is needed"));
        }
        if !(self.unit_days.is_finite() && self.unit_days > 0.0) {
            let wanted = "a positive number of days is needed";
            return Err(Error::argument("unit_days", self.unit_days, wanted));
        }
        if !(1..=1000).contains(&self.n_scores) {
            return Err(Error::argument("n_scores", self.n_scores, "1 to 1000 is allowed"));
        }
        Ok(())
    }
}

/// Lines of orders.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// Number of each line's customer, or [`MISSING`](crate::table::MISSING).
    pub customer: &'a [u32],
    /// How many customers there are.
    pub n_customers: usize,
    /// Day of each line, NaN where missing; the time of day does not count.
    pub day: &'a [f64],
    /// Amount of each line, NaN where missing; returns are negative.
    pub value: Option<&'a [f64]>,
}

/// One row per customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Number of the customer.
    pub customer: Vec<u32>,
    /// How often the customer bought, see [`Definition`].
    #[serde(with = "persist::floats")]
    pub frequency: Vec<f64>,
    /// Time to or since the last purchase, see [`Definition`].
    #[serde(with = "persist::floats")]
    pub recency: Vec<f64>,
    /// Time since the first purchase.
    #[serde(with = "persist::floats")]
    pub age: Vec<f64>,
    /// Money, see [`Definition`]; NaN without amounts, or for customers without a repeat purchase.
    #[serde(with = "persist::floats")]
    pub monetary: Vec<f64>,
}

/// Lines and customers that are not in the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Lines without a customer.
    pub no_customer: usize,
    /// Lines without a day.
    pub no_day: usize,
    /// Lines without an amount.
    pub no_value: usize,
    /// Lines after the end of the observation.
    pub later: usize,
    /// Customers who brought goods back and never bought.
    pub only_returns: usize,
}

/// Days further from 1970 than this are not days of orders.
const FARTHEST: f64 = 1e8;

/// The figures of each customer with a purchase, in the order of their numbers, with what is not in them and the last day of
/// the observation.
///
/// A purchase is a day with a line whose amount is positive; without amounts, a day with a line. Returns reduce the amount
/// of their day. `O(n log m)` for n lines and m lines of the busiest customer; 16 bytes per line.
///
/// # Errors
///
/// [`Error::BadValue`] for a day that cannot be one, [`Error::TooFewRows`] if no line is left.
pub fn rfm(lines: &Lines<'_>, options: &Options) -> Result<(Figures, LeftOut, i32)> {
    options.check()?;
    let (mut left_out, last) = survey(lines, options)?;
    let end = options.observed_to.map_or(last, |day| day.floor() as i32);
    let uses = |line: usize| {
        let known = (lines.customer[line] as usize) < lines.n_customers;
        let valued = lines.value.is_none_or(|value| !value[line].is_nan());
        let day = lines.day[line];
        (known && valued && !day.is_nan() && day.floor() as i32 <= end).then(|| day.floor() as i32)
    };
    let mut starts = vec![0_u32; lines.n_customers + 1];
    for line in 0..lines.customer.len() {
        if uses(line).is_some() {
            starts[lines.customer[line] as usize + 1] += 1;
        }
    }
    for customer in 0..lines.n_customers {
        starts[customer + 1] += starts[customer];
    }
    let mut sorted = vec![(0_i32, 0.0_f64); starts[lines.n_customers] as usize];
    let mut next = starts.clone();
    for line in 0..lines.customer.len() {
        if let Some(day) = uses(line) {
            let at = &mut next[lines.customer[line] as usize];
            // Without amounts every line is a purchase.
            sorted[*at as usize] = (day, lines.value.map_or(f64::MIN_POSITIVE, |v| v[line]));
            *at += 1;
        }
    }
    let blocks = parallel::map_blocks(lines.n_customers, |customers| {
        let mut figures = Figures::default();
        let mut only_returns = 0;
        let mut own = Vec::new();
        for customer in customers {
            let range = starts[customer] as usize..starts[customer + 1] as usize;
            if range.is_empty() {
                continue;
            }
            own.clear();
            own.extend_from_slice(&sorted[range]);
            // Stable, so that amounts of a day are added in the order of the lines.
            own.sort_by_key(|line| line.0);
            match Days::of(&own) {
                Some(days) => {
                    figures.push(customer as u32, &days, end, options, lines.value.is_some())
                }
                None => only_returns += 1,
            }
        }
        (figures, only_returns)
    });
    let mut figures = Figures::default();
    for (block, only_returns) in blocks {
        figures.append(block);
        left_out.only_returns += only_returns;
    }
    if figures.customer.is_empty() {
        let what = "recency and frequency".into();
        return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
    }
    Ok((figures, left_out, end))
}

/// Counts what is left out, for the first reason that holds, and finds the last day.
fn survey(lines: &Lines<'_>, options: &Options) -> Result<(LeftOut, i32)> {
    let end = options.observed_to.map_or(f64::INFINITY, |day| day.floor() + 1.0);
    let blocks = parallel::map_blocks(lines.customer.len(), |range| {
        let (mut left_out, mut last, mut odd) = (LeftOut::default(), i32::MIN, None);
        for line in range {
            let day = lines.day[line];
            if lines.customer[line] as usize >= lines.n_customers {
                left_out.no_customer += 1;
            } else if day.is_nan() {
                left_out.no_day += 1;
            } else if lines.value.is_some_and(|value| value[line].is_nan()) {
                left_out.no_value += 1;
            } else if day >= end {
                left_out.later += 1;
            } else if day.abs() > FARTHEST {
                odd = odd.or(Some(line));
            } else {
                last = last.max(day.floor() as i32);
            }
        }
        (left_out, last, odd)
    });
    let (mut left_out, mut last) = (LeftOut::default(), i32::MIN);
    for (block, block_last, odd) in blocks {
        if let Some(line) = odd {
            return Err(Error::value("date", line, lines.day[line], "a day of this age is needed"));
        }
        left_out.no_customer += block.no_customer;
        left_out.no_day += block.no_day;
        left_out.no_value += block.no_value;
        left_out.later += block.later;
        last = last.max(block_last);
    }
    Ok((left_out, last))
}

/// A customer's days with a purchase.
struct Days {
    first: i32,
    last: i32,
    count: u32,
    /// Amount of the first day.
    first_value: f64,
    /// Amount of all days with a purchase.
    value: f64,
    /// Amount of all lines.
    total: f64,
}

impl Days {
    /// From lines in the order of their days; `None` without a purchase.
    fn of(lines: &[(i32, f64)]) -> Option<Self> {
        let mut found: Option<Self> = None;
        let mut total = 0.0;
        for day in lines.chunk_by(|one, other| one.0 == other.0) {
            let value: f64 = day.iter().map(|line| line.1).sum();
            total += value;
            if day.iter().all(|line| line.1 <= 0.0) {
                continue;
            }
            let (first, count) = (day[0].0, 0);
            let days = found.get_or_insert(Self {
                first,
                last: first,
                count,
                first_value: value,
                value: 0.0,
                total: 0.0,
            });
            days.last = day[0].0;
            days.count += 1;
            days.value += value;
        }
        if let Some(days) = &mut found {
            days.total = total;
        }
        found
    }
}

impl Figures {
    fn push(&mut self, customer: u32, days: &Days, end: i32, options: &Options, has_value: bool) {
        let time = |from: i32, to: i32| f64::from(to - from) / options.unit_days;
        let repeats = f64::from(days.count) - 1.0;
        let (frequency, recency, monetary) = match options.definition {
            Definition::Btyd => {
                let mean = (days.value - days.first_value) / repeats;
                (repeats, time(days.first, days.last), if repeats > 0.0 { mean } else { f64::NAN })
            }
            Definition::Marketing => (f64::from(days.count), time(days.last, end), days.total),
        };
        self.customer.push(customer);
        self.frequency.push(frequency);
        self.recency.push(recency);
        self.age.push(time(days.first, end));
        self.monetary.push(if has_value { monetary } else { f64::NAN });
    }

    fn append(&mut self, other: Self) {
        self.customer.extend(other.customer);
        self.frequency.extend(other.frequency);
        self.recency.extend(other.recency);
        self.age.extend(other.age);
        self.monetary.extend(other.monetary);
    }
}

/// Scores from 1 to `n_scores`: 1 plus the share of values that are strictly lower, in as many steps.
///
/// Equal values have equal scores. Missing values have score 0. `O(n log n)`.
pub fn scores(values: &[f64], n_scores: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut found = vec![0; values.len()];
    let mut lower = 0;
    for (position, &row) in order.iter().enumerate() {
        if position > 0 && values[row] > values[order[position - 1]] {
            lower = position;
        }
        found[row] = 1 + (lower as u64 * u64::from(n_scores) / order.len() as u64) as u32;
    }
    found
}

/// The name that marketers give to quintiles of recency and frequency; empty where a score is missing.
pub fn segment_name(recency: u32, frequency: u32) -> &'static str {
    match (recency, frequency) {
        (5, 4..) => "champions",
        (3..=4, 4..) => "loyal customers",
        (4.., 2..=3) => "potential loyalists",
        (5, 1) => "new customers",
        (4, 1) => "promising",
        (3, 3) => "need attention",
        (3, 1..=2) => "about to sleep",
        (1..=2, 5..) => "cannot lose them",
        (1..=2, 3..=4) => "at risk",
        (1..=2, 1..=2) => "hibernating",
        _ => "",
    }
}

/// The figures of a table of order lines, with what they were made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rfm {
    /// Name of the column of customers.
    pub customer_name: String,
    /// The customers.
    pub customers: Customers,
    /// The figures.
    pub figures: Figures,
    /// What the words mean.
    pub definition: Definition,
    /// Number of scores.
    pub n_scores: u32,
    /// Last day of the observation, in days since 1970-01-01.
    pub observed_to: i32,
    /// What the figures were made from.
    pub manifest: Manifest,
}

/// Identifiers of customers, in the kind that they came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Customers {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Text, and the text of everything else.
    Text(Vec<String>),
}

impl Customers {
    fn of(distinct: &Distinct, chosen: &[u32]) -> Self {
        match distinct {
            Distinct::Integers(values) => {
                Self::Integers(chosen.iter().map(|&code| values[code as usize]).collect())
            }
            other => {
                let names = other.names();
                Self::Text(chosen.iter().map(|&code| names[code as usize].clone()).collect())
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }
}

/// Names of the columns of order lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Who bought.
    pub customer: String,
    /// When.
    pub date: String,
    /// For how much.
    pub value: Option<String>,
}

/// The figures of each customer in a table of order lines.
///
/// # Errors
///
/// Those of [`rfm`] and of reading the columns.
pub fn rfm_of(
    orders: &Table,
    names: &Names,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Rfm> {
    let keys = orders.keys(&names.customer)?;
    let day = orders.days(&names.date)?;
    let value = names.value.as_ref().map(|name| orders.numeric(name)).transpose()?;
    monitor.check()?;
    let lines = Lines {
        customer: &keys.codes,
        n_customers: keys.distinct.len(),
        day: &day,
        value: value.as_deref(),
    };
    let (figures, left_out, observed_to) = rfm(&lines, options)?;
    let missing = |name: &str| format!("{name:?} is missing");
    manifest.leave_out(missing(&names.customer), left_out.no_customer);
    manifest.leave_out(missing(&names.date), left_out.no_day);
    manifest.leave_out(missing(names.value.as_deref().unwrap_or("")), left_out.no_value);
    manifest.leave_out("the line is later than observed_to", left_out.later);
    if left_out.only_returns > 0 {
        let n = left_out.only_returns;
        manifest.notes.push(format!("{n} customers have returns and no purchase, and no row"));
    }
    Ok(Rfm {
        customer_name: names.customer.clone(),
        customers: Customers::of(&keys.distinct, &figures.customer),
        figures,
        definition: options.definition,
        n_scores: options.n_scores,
        observed_to,
        manifest,
    })
}

impl Rfm {
    /// One row per customer; with scores and the names of quintiles under [`Definition::Marketing`].
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`](crate::table::Builder::finish).
    pub fn table(&self) -> Result<Table> {
        let figures = &self.figures;
        let builder = match &self.customers {
            Customers::Integers(ids) => {
                Table::builder().int(&self.customer_name, ids.iter().copied())
            }
            Customers::Text(ids) => Table::builder().text(&self.customer_name, ids),
        };
        let builder = builder
            .float("frequency", figures.frequency.iter().copied())
            .float("recency", figures.recency.iter().copied())
            .float("T", figures.age.iter().copied())
            .float("monetary", figures.monetary.iter().copied());
        if self.definition == Definition::Btyd {
            return builder.finish();
        }
        let latest: Vec<f64> = figures.recency.iter().map(|time| -time).collect();
        let r = scores(&latest, self.n_scores);
        let f = scores(&figures.frequency, self.n_scores);
        let m = scores(&figures.monetary, self.n_scores);
        let whole = |scores: &[u32]| scores.iter().map(|&s| i64::from(s)).collect::<Vec<_>>();
        let builder =
            builder.int("r_score", whole(&r)).int("f_score", whole(&f)).int("m_score", whole(&m));
        if self.n_scores == 5 {
            let names = r.iter().zip(&f).map(|(&r, &f)| segment_name(r, f));
            return builder.text("segment", names).finish();
        }
        builder.finish()
    }
}

impl Persist for Rfm {
    const KIND: &'static str = "rfm";

    fn validate(&self) -> Result<()> {
        let n = self.customers.len();
        let figures = &self.figures;
        let same = [&figures.frequency, &figures.recency, &figures.age, &figures.monetary];
        if figures.customer.len() != n || same.iter().any(|column| column.len() != n) {
            return Err(persist::broken("columns of different lengths"));
        }
        if !(1..=1000).contains(&self.n_scores) {
            return Err(persist::broken("the number of scores is out of range"));
        }
        Ok(())
    }
}
