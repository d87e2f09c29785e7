//! Cohorts: who came in the same period, and how many of them are still there at each age.
//!
//! [`Tally`] collects visits and merges, [`cells`] counts; a period that was not observed to its end gives no figure.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::calendar::Period;
use super::reader::{Labels, Reader, everybody};
use super::sheet::{Estimate, Sheet, report, sheets};
use super::visits::{Cells, Tally, Visit, cells, one_group_each};
use crate::confidence::{check_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::statistics::wilson;
use crate::table::Table;

report!(
    /// Retention of each cohort by age.
    Cohorts, "cohorts", {
        "table": [
            "segment:t", "cohort:t", "age:i", "period:t", "mature:b", "n_cohort:i", "n_active",
            "retention", "retention_lo", "retention_hi",
        ],
        "curve": [
            "segment:t", "age:i", "n_cohorts:i", "n_at_risk:i", "n_active:i", "retention",
            "retention_lo", "retention_hi",
        ],
        "sizes": ["segment:t", "cohort:t", "n_cohort:i", "complete:b"],
    }
);

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Whose order it is.
    pub customer: &'a str,
    /// When it was.
    pub date: &'a str,
    /// What it was worth; negative for returns.
    pub value: Option<&'a str>,
    /// Length of a period.
    pub period: &'a str,
    /// The last day that was observed, whole; by default that of the last order.
    pub observed_to: Option<f64>,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// Days beyond which a number is not a date but a slip: the years 1 and 9999.
const DAYS: Range<f64> = -719_162.0..2_932_897.0;

/// Cohorts of a table of orders.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a date that is none, or a customer in two groups;
/// [`Error::Argument`] for options out of range.
pub fn cohorts(table: &Table, by: Option<Labels<'_>>, options: Options<'_>) -> Result<Cohorts> {
    let period = Period::parse(options.period)?;
    check_level(options.confidence)?;
    if let Some(end) = options.observed_to.filter(|end| !DAYS.contains(end)) {
        let wanted = "a date, or a number of days since 1970-01-01, is needed";
        return Err(Error::argument("observed_to", end, wanted));
    }
    let mut manifest = Manifest::new("cohorts", settings(by, &options), None, table.n_rows());
    let mut reader = Reader::new("orders", table);
    let customers = reader.keys(options.customer)?;
    let days = reader.days(options.date)?;
    if let Some(row) = days.iter().position(|day| !(day.is_nan() || DAYS.contains(day))) {
        let wanted = "a date, or a number of days since 1970-01-01, is needed";
        return Err(Error::value(options.date, row, days[row], wanted).with_mend(format!(
            "df[{0:?}] = pd.to_datetime(df[{0:?}].astype(str))",
            options.date
        )));
    }
    let value = options.value.map(|name| reader.numbers(name)).transpose()?;
    let groups = reader.labels_or_all(by, "by")?;
    if let Some(end) = options.observed_to {
        let after = |row: usize| days[row].floor() > end.floor();
        reader.leave_out(format!("{:?} is after observed_to", options.date), after);
    }
    let kept = reader.finish(&mut manifest)?;
    let group = one_group_each(&customers.codes, &groups.codes, &kept, customers.distinct.len())
        .map_err(|(row, customer, other)| {
            let who = customers.distinct.names().swap_remove(customer as usize);
            let name = |code: u32| groups.names[code as usize].clone();
            let wanted = format!(
                "{} {who:?} stands under {:?} in an earlier row, and a customer must be in one group",
                options.customer,
                name(other)
            );
            let column = by.map_or("by", |by| by.name);
            Error::value(column, row, format!("{:?}", name(groups.codes[row])), wanted)
        })?;
    let last_day = options
        .observed_to
        .unwrap_or_else(|| kept.iter().map(|&row| days[row]).fold(f64::NEG_INFINITY, f64::max))
        .floor() as i64;
    let last = period.of_day(last_day) as i32;
    // A period is complete if its last day was observed.
    let complete =
        if period.first_day(i64::from(last) + 1) <= last_day + 1 { last } else { last - 1 };
    let mut tally = Tally::default();
    tally.update(kept.iter().map(|&row| {
        let value = value.as_ref().map_or(0.0, |value| value[row]);
        Visit {
            customer: customers.codes[row],
            period: period.of_day(days[row].floor() as i64) as i32,
            orders: u32::from(value >= 0.0),
            value,
        }
    }));
    let cells = cells(tally.visits(), &group, groups.names.len(), last)?;
    if cells.size.iter().all(|&size| size == 0) {
        let column = format!("column {:?}", options.value.unwrap_or_default());
        let wanted = "at least one order of 0 or more is needed";
        return Err(Error::argument(column, "returns alone", wanted));
    }
    notes(&cells, period, complete, last, &options, &mut manifest);
    let mut names = groups.names;
    let cells = if by.is_some() {
        names.push(everybody(&names));
        with_everybody(cells)
    } else {
        cells
    };
    let z = z_of(options.confidence);
    let built =
        Build { cells: &cells, names: &names, period, complete, has_value: value.is_some(), z };
    let sheets =
        sheets([("table", built.table()), ("curve", built.curve()), ("sizes", built.sizes())]);
    Ok(Cohorts { manifest, sheets })
}

fn settings(by: Option<Labels<'_>>, options: &Options<'_>) -> Map<String, Value> {
    let mut settings = Map::new();
    settings.insert("customer".into(), json!(options.customer));
    settings.insert("date".into(), json!(options.date));
    settings.insert("value".into(), json!(options.value));
    settings.insert("period".into(), json!(options.period));
    settings.insert("by".into(), json!(by.map(|by| by.name)));
    settings.insert("observed_to".into(), json!(options.observed_to));
    settings.insert("confidence".into(), json!(options.confidence));
    settings
}

fn notes(
    cells: &Cells,
    period: Period,
    complete: i32,
    last: i32,
    options: &Options<'_>,
    manifest: &mut Manifest,
) {
    if cells.never > 0 {
        manifest
            .notes
            .push(format!("{} customers with returns but no order are in no cohort", cells.never));
    }
    if cells.before != 0.0 {
        manifest.notes.push(format!(
            "returns of {:.2} before a customer's first order are not counted",
            -cells.before
        ));
    }
    if complete < last {
        let name = period.name(i64::from(last));
        let mut note = format!("{name} was not observed to its end and gives no figures");
        if options.observed_to.is_none() {
            note.push_str(" (observed_to says so if it was)");
        }
        manifest.notes.push(note);
    }
    manifest.notes.push(format!(
        "customers from before {} stand in the first cohorts they ordered in",
        period.name(i64::from(cells.first))
    ));
}

/// The same cells with the sums of all groups behind them.
fn with_everybody(mut cells: Cells) -> Cells {
    fn append<T: Copy + std::ops::AddAssign>(values: &mut Vec<T>, length: usize) {
        let mut all = values[..length].to_vec();
        for part in values[length..].chunks(length) {
            for (sum, &value) in all.iter_mut().zip(part) {
                *sum += value;
            }
        }
        values.extend(all);
    }
    let n = cells.n_periods;
    append(&mut cells.size, n);
    append(&mut cells.active, n * n);
    append(&mut cells.value, n * n);
    cells
}

struct Build<'a> {
    cells: &'a Cells,
    names: &'a [String],
    period: Period,
    complete: i32,
    has_value: bool,
    z: f64,
}

/// A cell that exists: its group, cohort and age.
#[derive(Clone, Copy)]
struct At {
    group: usize,
    cohort: usize,
    age: usize,
}

impl Build<'_> {
    fn name(&self, offset: usize) -> String {
        self.period.name(i64::from(self.cells.first) + offset as i64)
    }

    fn is_complete(&self, offset: usize) -> bool {
        i64::from(self.cells.first) + offset as i64 <= i64::from(self.complete)
    }

    fn size(&self, group: usize, cohort: usize) -> u64 {
        self.cells.size[group * self.cells.n_periods + cohort]
    }

    fn index(&self, at: At) -> usize {
        (at.group * self.cells.n_periods + at.cohort) * self.cells.n_periods + at.age
    }

    /// Cohorts that have customers.
    fn cohorts(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.names.len())
            .flat_map(|group| (0..self.cells.n_periods).map(move |cohort| (group, cohort)))
            .filter(|&(group, cohort)| self.size(group, cohort) > 0)
    }

    /// Cells up to the end of the observation.
    fn all(&self) -> Vec<At> {
        self.cohorts()
            .flat_map(|(group, cohort)| {
                (0..self.cells.n_periods - cohort).map(move |age| At { group, cohort, age })
            })
            .collect()
    }

    fn sizes(&self) -> Sheet {
        Sheet::default()
            .text("segment", self.cohorts().map(|(group, _)| self.names[group].clone()))
            .text("cohort", self.cohorts().map(|(_, cohort)| self.name(cohort)))
            .int("n_cohort", self.cohorts().map(|(group, c)| self.size(group, c) as i64))
            .flag("complete", self.cohorts().map(|(_, cohort)| self.is_complete(cohort)))
    }

    fn table(&self) -> Sheet {
        let all = self.all();
        let size = |at: &At| self.size(at.group, at.cohort);
        let is_mature = |at: &At| self.is_complete(at.cohort + at.age);
        let mature = |at: &At, value: f64| if is_mature(at) { value } else { f64::NAN };
        let active = |at: &At| self.cells.active[self.index(*at)] as f64;
        let retention: Vec<Estimate> = all
            .iter()
            .map(|at| {
                let (n, k) = (size(at) as f64, active(at));
                Estimate::new(mature(at, k / n), wilson(k, n, self.z))
            })
            .collect();
        let sheet = Sheet::default()
            .text("segment", all.iter().map(|at| self.names[at.group].clone()))
            .text("cohort", all.iter().map(|at| self.name(at.cohort)))
            .int("age", all.iter().map(|at| at.age as i64))
            .text("period", all.iter().map(|at| self.name(at.cohort + at.age)))
            .flag("mature", all.iter().map(is_mature))
            .int("n_cohort", all.iter().map(|at| size(at) as i64))
            .float("n_active", all.iter().map(|at| mature(at, active(at))))
            .estimate("retention", &retention);
        if !self.has_value {
            return sheet;
        }
        let value = |at: &At| self.cells.value[self.index(*at)];
        let running = |at: &At| {
            let first = self.index(At { age: 0, ..*at });
            self.cells.value[first..=first + at.age].iter().sum::<f64>() / size(at) as f64
        };
        sheet
            .float("revenue", all.iter().map(|at| mature(at, value(at))))
            .float(
                "revenue_per_customer",
                all.iter().map(|at| mature(at, value(at) / size(at) as f64)),
            )
            .float("cumulative_per_customer", all.iter().map(|at| mature(at, running(at))))
    }

    /// All cohorts together by age, those that were observed at that age.
    fn curve(&self) -> Sheet {
        struct Age {
            group: usize,
            age: usize,
            n_cohorts: usize,
            at_risk: u64,
            active: u64,
            value: f64,
        }
        let mut ages = Vec::new();
        for group in 0..self.names.len() {
            for age in 0..self.cells.n_periods {
                let mut sum = Age { group, age, n_cohorts: 0, at_risk: 0, active: 0, value: 0.0 };
                for cohort in 0..self.cells.n_periods - age {
                    let n = self.size(group, cohort);
                    if n > 0 && self.is_complete(cohort + age) {
                        let cell = self.index(At { group, cohort, age });
                        sum.n_cohorts += 1;
                        sum.at_risk += n;
                        sum.active += self.cells.active[cell];
                        sum.value += self.cells.value[cell];
                    }
                }
                if sum.n_cohorts > 0 {
                    ages.push(sum);
                }
            }
        }
        let retention: Vec<Estimate> = ages
            .iter()
            .map(|age| {
                let (n, k) = (age.at_risk as f64, age.active as f64);
                Estimate::new(k / n, wilson(k, n, self.z))
            })
            .collect();
        let sheet = Sheet::default()
            .text("segment", ages.iter().map(|age| self.names[age.group].clone()))
            .int("age", ages.iter().map(|age| age.age as i64))
            .int("n_cohorts", ages.iter().map(|age| age.n_cohorts as i64))
            .int("n_at_risk", ages.iter().map(|age| age.at_risk as i64))
            .int("n_active", ages.iter().map(|age| age.active as i64))
            .estimate("retention", &retention);
        if !self.has_value {
            return sheet;
        }
        sheet.float("revenue_per_customer", ages.iter().map(|age| age.value / age.at_risk as f64))
    }
}
