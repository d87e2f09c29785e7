//! Recency, frequency and monetary value of each customer, under either of the two definitions that go round.
//!
//! Start with [`rfm_of`] for tables or [`rfm`] for slices. Lines are brought together by customer (a counting sort), then
//! each customer's days are put in order; nothing of the size of the lines times the customers is made.

mod lines;
mod names;

use arrow_schema::{DataType, Field};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::table::{Builder, Distinct, Keys, Numeric, Table};

use lines::FARTHEST;
pub(super) use lines::Grouped;
pub use lines::{Left, LeftOut, Lines};
pub use names::{Named, check as check_segments, of as segment_of, scores};

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
    /// For models of repeat buying.
    pub fn btyd(observed_to: Option<f64>, unit_days: f64) -> Self {
        Self { definition: Definition::Btyd, observed_to, unit_days, n_scores: 5 }
    }

    /// Whether the options can be.
    pub(super) fn check(&self) -> Result<()> {
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

/// The figures of each customer with a purchase, in the order of their numbers; with the lines left out, the number of
/// customers without a purchase, and the last day of the observation.
///
/// A purchase is a day whose lines sum to more than 0; without amounts, a day with a line. So an order that was taken back
/// on the same day is none, and returns on other days count in the sum of [`Definition::Marketing`] alone.
/// `O(n log m)` for n lines and m lines of the busiest customer; 20 bytes per line.
///
/// The day until which was observed comes last; it means nothing where no line counts.
///
/// # Errors
///
/// [`Error::BadValue`] for a day that cannot be one; [`Error::Argument`] for options out of range.
pub fn rfm(lines: &Lines<'_>, options: &Options) -> Result<(Figures, LeftOut, usize, i32)> {
    options.check()?;
    let grouped = Grouped::new(lines, options.observed_to)?;
    let blocks =
        grouped.map(|(figures, none): &mut (Figures, usize), customer, purchases| match purchases
            .days
            .as_slice()
        {
            [] => *none += 1,
            days => figures.push(customer, days, purchases.total, grouped.end, options),
        });
    let mut figures = Figures::default();
    let mut none = 0;
    for (block, block_none) in blocks {
        figures.append(block);
        none += block_none;
    }
    if lines.value.is_none() {
        figures.monetary.fill(f64::NAN);
    }
    Ok((figures, grouped.left_out, none, grouped.end))
}

impl Figures {
    /// Adds a customer from their days with a purchase and the amount of all their lines.
    pub(super) fn push(
        &mut self,
        customer: u32,
        days: &[(i32, f64)],
        total: f64,
        end: i32,
        options: &Options,
    ) {
        let time = |from: i32, to: i32| f64::from(to - from) / options.unit_days;
        let (first, last) = (days[0].0, days[days.len() - 1].0);
        let repeats = days.len() as f64 - 1.0;
        let later: f64 = days[1..].iter().map(|day| day.1).sum();
        let (frequency, recency, monetary) = match options.definition {
            Definition::Btyd => (repeats, time(first, last), later / repeats),
            Definition::Marketing => (repeats + 1.0, time(last, end), total),
        };
        self.customer.push(customer);
        self.frequency.push(frequency);
        self.recency.push(recency);
        self.age.push(time(first, end));
        self.monetary.push(monetary);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.customer.extend(other.customer);
        self.frequency.extend(other.frequency);
        self.recency.extend(other.recency);
        self.age.extend(other.age);
        self.monetary.extend(other.monetary);
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
    /// Names of pairs of scores; without any, customers have no segment.
    pub segments: Vec<Named>,
    /// Days in the unit of time.
    pub unit_days: f64,
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
    pub(super) fn of(distinct: &Distinct, chosen: &[u32]) -> Self {
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

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first column of a table of customers.
    pub(super) fn column(&self, name: &str) -> Builder {
        match self {
            Self::Integers(ids) => Table::builder().int(name, ids.iter().copied()),
            Self::Text(ids) => Table::builder().text(name, ids),
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

/// Columns of a table of order lines.
pub(super) struct Read {
    keys: Keys,
    day: Numeric,
    value: Option<Numeric>,
}

impl Read {
    /// Reads the columns.
    ///
    /// # Errors
    ///
    /// Those of reading; [`Error::ColumnType`] for moments of another time zone than UTC, whose days begin elsewhere.
    pub(super) fn new(orders: &Table, names: &Names) -> Result<Self> {
        let field = orders.schema().field_with_name(&names.date);
        if let Ok(DataType::Timestamp(_, Some(zone))) = field.map(Field::data_type)
            && !["UTC", "Etc/UTC", "Z", "+00:00", "GMT"].contains(&zone.as_ref())
        {
            let date = &names.date;
            return Err(Error::ColumnType {
                column: date.clone(),
                found: format!("moments in the time zone {zone}"),
                wanted: "a day of purchase begins at midnight, and it is not said of which place"
                    .to_string(),
                mend: Some(format!("orders[{date:?}] = orders[{date:?}].dt.tz_localize(None)")),
            });
        }
        let day = orders.days(&names.date)?;
        let value = names.value.as_ref().map(|name| orders.numeric(name)).transpose()?;
        Ok(Self { keys: orders.keys(&names.customer)?, day, value })
    }

    pub(super) fn lines(&self) -> Lines<'_> {
        Lines {
            customer: &self.keys.codes,
            n_customers: self.keys.distinct.len(),
            day: &self.day,
            value: self.value.as_deref(),
        }
    }

    /// The identifiers of these customers.
    pub(super) fn customers(&self, chosen: &[u32]) -> Customers {
        Customers::of(&self.keys.distinct, chosen)
    }
}

impl Names {
    /// Customer, date, amount.
    pub(super) fn all(&self) -> [&str; 3] {
        [&self.customer, &self.date, self.value.as_deref().unwrap_or("")]
    }
}

/// The figures of each customer in a table of order lines.
///
/// # Errors
///
/// Those of [`rfm`], of reading the columns and of [`check_segments`]; [`Error::Argument`] if no purchase is left.
pub fn rfm_of(
    orders: &Table,
    names: &Names,
    options: &Options,
    segments: Vec<Named>,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Rfm> {
    options.check()?;
    if !segments.is_empty() {
        check_segments(&segments, options.n_scores)?;
    }
    let read = Read::new(orders, names)?;
    monitor.check()?;
    let (figures, left_out, none, observed_to) = rfm(&read.lines(), options)?;
    left_out.tell(&mut manifest, names.all());
    if manifest.rows_used == 0 {
        return Err(manifest.nothing_left("orders", manifest.rows));
    }
    if figures.customer.is_empty() {
        let wanted = "a day whose lines sum to more than 0 is needed";
        return Err(Error::argument("orders", format!("no purchase of {none} customers"), wanted));
    }
    if none > 0 {
        let why = "no day of theirs sums to more than 0";
        manifest.notes.push(format!("no row for {none} customers without a purchase: {why}"));
    }
    Ok(Rfm {
        customer_name: names.customer.clone(),
        customers: read.customers(&figures.customer),
        figures,
        definition: options.definition,
        n_scores: options.n_scores,
        segments,
        unit_days: options.unit_days,
        observed_to,
        manifest,
    })
}

impl Rfm {
    /// One row per customer; with scores and the names of their pairs under [`Definition::Marketing`].
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`].
    pub fn table(&self) -> Result<Table> {
        let figures = &self.figures;
        let builder = self
            .customers
            .column(&self.customer_name)
            .float("frequency", figures.frequency.iter().copied())
            .float("recency", figures.recency.iter().copied())
            .float("T", figures.age.iter().copied())
            .float("monetary", figures.monetary.iter().copied());
        if self.definition == Definition::Btyd {
            return builder.finish();
        }
        let [r, f, m] = self.scores();
        let whole = |scores: &[u32]| scores.iter().map(|&s| i64::from(s)).collect::<Vec<_>>();
        let builder =
            builder.int("r_score", whole(&r)).int("f_score", whole(&f)).int("m_score", whole(&m));
        if self.segments.is_empty() {
            return builder.finish();
        }
        let names = r.iter().zip(&f).map(|(&r, &f)| {
            segment_of(&self.segments, r, f).map_or("", |at| &self.segments[at].name)
        });
        builder.text("segment", names).finish()
    }

    /// Scores of recency, frequency and money: the highest is the best.
    fn scores(&self) -> [Vec<u32>; 3] {
        let figures = &self.figures;
        let latest: Vec<f64> = figures.recency.iter().map(|time| -time).collect();
        [&latest, &figures.frequency, &figures.monetary].map(|of| scores(of, self.n_scores))
    }

    /// One row per named segment with customers: how many, their share, their means and their share of the money.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] without segments.
    pub fn by_segment(&self) -> Result<Table> {
        if self.definition == Definition::Btyd || self.segments.is_empty() {
            let wanted = "segments are named under definition=\"marketing\"";
            return Err(Error::argument("segments", "none", wanted));
        }
        let [r, f, _] = self.scores();
        let n = self.segments.len();
        // Customers, then sums of recency, frequency and money.
        let mut sums = vec![[0.0; 4]; n];
        for row in 0..r.len() {
            if let Some(at) = segment_of(&self.segments, r[row], f[row]) {
                let figures = &self.figures;
                let own =
                    [1.0, figures.recency[row], figures.frequency[row], figures.monetary[row]];
                sums[at].iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
            }
        }
        let used: Vec<usize> = (0..n).filter(|&at| sums[at][0] > 0.0).collect();
        let all = |column: usize| sums.iter().map(|sums| sums[column]).sum::<f64>();
        let (customers, money) = (all(0), all(3));
        let mean = |at: usize, column: usize| sums[at][column] / sums[at][0];
        Table::builder()
            .text("segment", used.iter().map(|&at| &self.segments[at].name))
            .int("n", used.iter().map(|&at| sums[at][0] as i64))
            .float("share", used.iter().map(|&at| sums[at][0] / customers))
            .float("recency", used.iter().map(|&at| mean(at, 1)))
            .float("frequency", used.iter().map(|&at| mean(at, 2)))
            .float("monetary", used.iter().map(|&at| mean(at, 3)))
            .float("monetary_share", used.iter().map(|&at| sums[at][3] / money))
            .finish()
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
        if !(self.unit_days.is_finite() && self.unit_days > 0.0) {
            return Err(persist::broken("the unit of time has no length"));
        }
        if !self.segments.is_empty() {
            check_segments(&self.segments, self.n_scores)
                .map_err(|error| persist::broken(error.to_string()))?;
        }
        Ok(())
    }
}
