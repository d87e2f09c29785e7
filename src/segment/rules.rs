//! Segments by rules: plain conditions on columns, the first rule that a customer meets decides.
//!
//! A [`Rule`] is a conjunction of [`Condition`]s; [`Rules`] is a list of them in order. Rules are data, never code: they are
//! saved, shown and applied to new customers as they stand. One pass over the rows, in blocks; a customer costs as many
//! comparisons as rules fail before one holds.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::parallel;
use crate::persist::broken;
use crate::table::{Codes, Kind, MISSING, Numeric, Table, date_name};

/// A list of rules in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The rules; the first that a customer meets decides.
    pub rules: Vec<Rule>,
    /// Segment of customers who meet none; they are in no segment where this is nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    pub default: Option<u32>,
}

/// A segment and the conditions of which all must hold; none hold for everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Number of the segment.
    pub segment: u32,
    /// The conditions.
    pub all: Vec<Condition>,
}

/// A test of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name of the column.
    pub column: String,
    /// What must hold.
    pub test: Test,
}

/// What must hold of a value. A missing value meets [`Test::Missing`] alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A number or a date within bounds.
    Between(Interval),
    /// One of these.
    In(Vec<Value>),
    /// None of these, and not missing.
    NotIn(Vec<Value>),
    /// No value.
    Missing,
    /// Some value.
    Present,
}

/// Bounds; a missing one bounds nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Lower bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub low: Option<Bound>,
    /// Upper bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub high: Option<Bound>,
    /// Whether the bounds are days since 1970-01-01.
    pub dates: bool,
}

/// One end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Where it lies.
    pub at: f64,
    /// Whether a value that equals it is outside.
    pub open: bool,
}

/// A value that a column may hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A category.
    Text(String),
}

/// Segments of the rows of a table, and how many customers each rule decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) labels: Vec<u32>,
    /// Customers of each rule, and of those who meet none at the end.
    pub(super) hits: Vec<usize>,
}

impl Rules {
    /// Number of rules read at most: enough for any that a person wrote, few enough to be tried one by one.
    pub const MOST: usize = 10_000;

    /// Names of the columns that the rules read, in order of appearance.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for condition in self.rules.iter().flat_map(|rule| &rule.all) {
            if !names.contains(&condition.column) {
                names.push(condition.column.clone());
            }
        }
        names
    }

    /// The segment of each row.
    pub(super) fn assign(&self, table: &Table) -> Result<Assigned> {
        let met = first_met(table, self.rules.iter().map(|rule| rule.all.as_slice()))?;
        let n = self.rules.len();
        let mut hits = vec![0; n + 1];
        let default = self.default.unwrap_or(MISSING);
        let segments: Vec<u32> =
            self.rules.iter().map(|rule| rule.segment).chain([default]).collect();
        let labels = met
            .into_iter()
            .map(|rule| {
                hits[rule as usize] += 1;
                segments[rule as usize]
            })
            .collect();
        Ok(Assigned { labels, hits })
    }

    /// Refuses categories that no row of the table holds, which are slips of the pen more often than not.
    pub(super) fn check_categories(&self, table: &Table) -> Result<()> {
        for name in self.columns() {
            if matches!(table.kind(&name)?, Kind::Number | Kind::Date | Kind::Empty) {
                continue;
            }
            let known = table.codes(&name)?.categories;
            for condition in self.rules.iter().flat_map(|rule| &rule.all) {
                let (Test::In(values) | Test::NotIn(values)) = &condition.test else { continue };
                let strange = |value: &&Value| !known.iter().any(|name| value.is(name));
                if condition.column == name
                    && let Some(value) = values.iter().find(strange)
                {
                    let shown: Vec<String> =
                        known.iter().take(12).map(|name| format!("{name:?}")).collect();
                    let more = if known.len() > 12 { ", ..." } else { "" };
                    return Err(Error::argument(
                        format!("rule on column {name:?}"),
                        value.words(),
                        format!("the categories are {}{more}", shown.join(", ")),
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn validate(&self, n_segments: usize) -> Result<()> {
        let within = |segment: u32| (segment as usize) < n_segments;
        if !self.rules.iter().map(|rule| rule.segment).chain(self.default).all(within) {
            return Err(broken("a rule names no segment"));
        }
        if self.rules.len() > Self::MOST {
            return Err(broken(format!("more than {} rules", Self::MOST)));
        }
        check_conditions(self.rules.iter().flat_map(|rule| &rule.all))
            .map_err(|error| broken(error.to_string()))
    }
}

/// Refuses bounds that are no numbers or in the wrong order, and empty sets.
pub(super) fn check_conditions<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Result<()> {
    for condition in conditions {
        let column = format!("rule on column {:?}", condition.column);
        match &condition.test {
            Test::Between(interval) => {
                let at = |bound: Option<Bound>, none: f64| bound.map_or(none, |bound| bound.at);
                let (low, high) =
                    (at(interval.low, f64::NEG_INFINITY), at(interval.high, f64::INFINITY));
                let open = [interval.low, interval.high].iter().flatten().any(|bound| bound.open);
                if low.is_nan() || high.is_nan() || low > high || (low == high && open) {
                    let found = format!("{low} to {high}");
                    return Err(Error::argument(
                        column,
                        found,
                        "an interval must hold some number: its lower bound comes first",
                    ));
                }
            }
            Test::In(values) | Test::NotIn(values) if values.is_empty() => {
                return Err(Error::argument(column, "no value", "at least one is needed"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether each row meets all conditions.
///
/// `strict` refuses categories that no row holds.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for a condition that is not sound or asks a column for what it cannot say.
pub fn meets(table: &Table, all: Vec<Condition>, strict: bool) -> Result<Vec<bool>> {
    check_conditions(all.iter())?;
    let rules = Rules { rules: vec![Rule { segment: 0, all }], default: None };
    if strict {
        rules.check_categories(table)?;
    }
    let met = first_met(table, rules.rules.iter().map(|rule| rule.all.as_slice()))?;
    Ok(met.into_iter().map(|rule| rule == 0).collect())
}

/// For each row the first of the conjunctions that it meets; their number where it meets none.
pub(super) fn first_met<'r>(
    table: &Table,
    conjunctions: impl Iterator<Item = &'r [Condition]>,
) -> Result<Vec<u32>> {
    let mut columns: Vec<(&str, Column)> = Vec::new();
    let mut compiled: Vec<Vec<Check>> = Vec::new();
    for conditions in conjunctions {
        let mut checks = Vec::with_capacity(conditions.len());
        for condition in conditions {
            let at = match columns.iter().position(|(name, _)| *name == condition.column) {
                Some(at) => at,
                None => {
                    columns.push((&condition.column, Column::read(table, &condition.column)?));
                    columns.len() - 1
                }
            };
            checks.push(Check { column: at, test: columns[at].1.compile(condition)? });
        }
        compiled.push(checks);
    }
    let n_rules = compiled.len();
    let mut met = vec![n_rules as u32; table.n_rows()];
    parallel::fill_blocks(&mut met, |first, block| {
        for (row, slot) in (first..).zip(block) {
            let holds = |checks: &Vec<Check>| checks.iter().all(|check| check.holds(&columns, row));
            *slot = compiled.iter().position(holds).unwrap_or(n_rules) as u32;
        }
    });
    Ok(met)
}

/// A column as rules read it.
enum Column {
    Numbers(Numeric),
    Days(Numeric),
    Categories(Codes),
    Empty,
}

/// A condition made ready for the column's values.
struct Check {
    column: usize,
    test: Ready,
}

enum Ready {
    /// Within bounds that are both inside.
    Within(f64, f64),
    /// Equal to one of these, or to none.
    Equals(Vec<f64>, bool),
    /// Of each category, whether it will do.
    Category(Vec<bool>),
    Missing(bool),
    Never,
}

impl Column {
    fn read(table: &Table, name: &str) -> Result<Self> {
        Ok(match table.kind(name)? {
            Kind::Number => Self::Numbers(table.numeric(name)?),
            Kind::Date => Self::Days(table.days(name)?),
            Kind::Empty => Self::Empty,
            _ => Self::Categories(table.codes(name)?),
        })
    }

    fn compile(&self, condition: &Condition) -> Result<Ready> {
        let refuse = |found: &str, wanted: &str| {
            Error::argument(format!("rule on column {:?}", condition.column), found, wanted)
        };
        Ok(match (&condition.test, self) {
            (Test::Missing, _) => Ready::Missing(true),
            (Test::Present, _) => Ready::Missing(false),
            (_, Self::Empty) => Ready::Never,
            (Test::Between(interval), Self::Numbers(_)) if !interval.dates => {
                let (low, high) = interval.closed();
                Ready::Within(low, high)
            }
            (Test::Between(interval), Self::Days(_)) if interval.dates => {
                let (low, high) = interval.closed();
                Ready::Within(low, high)
            }
            (Test::Between(_), Self::Numbers(_)) => {
                return Err(refuse("dates", "the column holds numbers"));
            }
            (Test::Between(_), Self::Days(_)) => {
                return Err(refuse("numbers", "the column holds dates"));
            }
            (Test::Between(_), Self::Categories(_)) => {
                return Err(refuse(
                    "an interval",
                    "the column holds categories, of which some are to be listed",
                ));
            }
            (Test::In(values) | Test::NotIn(values), Self::Numbers(_)) => {
                let numbers = values
                    .iter()
                    .map(|value| match value {
                        Value::Number(number) => Ok(*number),
                        Value::Flag(flag) => Ok(f64::from(u8::from(*flag))),
                        Value::Text(_) => Err(refuse(&value.words(), "the column holds numbers")),
                    })
                    .collect::<Result<Vec<f64>>>()?;
                Ready::Equals(numbers, matches!(condition.test, Test::In(_)))
            }
            (Test::In(_) | Test::NotIn(_), Self::Days(_)) => {
                return Err(refuse(
                    "values",
                    "the column holds dates, of which an interval is taken",
                ));
            }
            (Test::In(values) | Test::NotIn(values), Self::Categories(codes)) => {
                let wanted = matches!(condition.test, Test::In(_));
                let listed = |name: &String| values.iter().any(|value| value.is(name)) == wanted;
                Ready::Category(codes.categories.iter().map(listed).collect())
            }
        })
    }

    fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(values) | Self::Days(values) => values[row].is_nan(),
            Self::Categories(codes) => codes.codes[row] == MISSING,
            Self::Empty => true,
        }
    }
}

impl Check {
    #[inline]
    fn holds(&self, columns: &[(&str, Column)], row: usize) -> bool {
        match (&self.test, &columns[self.column].1) {
            (Ready::Within(low, high), Column::Numbers(values) | Column::Days(values)) => {
                let value = values[row];
                *low <= value && value <= *high
            }
            (Ready::Category(will_do), Column::Categories(codes)) => {
                will_do.get(codes.codes[row] as usize).copied().unwrap_or(false)
            }
            (Ready::Equals(listed, wanted), Column::Numbers(values)) => {
                let value = values[row];
                !value.is_nan() && listed.contains(&value) == *wanted
            }
            (Ready::Missing(wanted), column) => column.is_missing(row) == *wanted,
            _ => false,
        }
    }
}

impl Interval {
    /// Numbers of at least, or below, and so on.
    pub fn new(low: Option<(f64, bool)>, high: Option<(f64, bool)>) -> Self {
        let bound = |(at, open)| Bound { at, open };
        Self { low: low.map(bound), high: high.map(bound), dates: false }
    }

    /// The smallest and the largest number inside: what lies beside an open bound. A bound that is a whole day means all of
    /// that day: "at most" takes it in to its last moment, "above" begins after it.
    fn closed(&self) -> (f64, f64) {
        let is_day = |at: f64| self.dates && at.fract() == 0.0;
        let low = self.low.map_or(f64::NEG_INFINITY, |Bound { at, open }| match open {
            true if is_day(at) => at + 1.0,
            true => at.next_up(),
            false => at,
        });
        let high = self.high.map_or(f64::INFINITY, |Bound { at, open }| match open {
            false if is_day(at) => (at + 1.0).next_down(),
            false => at,
            true => at.next_down(),
        });
        (low, high)
    }

    fn words(&self) -> String {
        let at = |bound: Bound| if self.dates { day_name(bound.at) } else { number(bound.at) };
        let low = self.low.map(|bound| {
            format!("{} {}", if bound.open { "above" } else { "at least" }, at(bound))
        });
        let high = self
            .high
            .map(|bound| format!("{} {}", if bound.open { "below" } else { "at most" }, at(bound)));
        match (low, high) {
            (Some(_), Some(_)) if self.low == self.high => {
                self.low.map(|bound| format!("is {}", at(bound))).unwrap_or_default()
            }
            (Some(low), Some(high)) => format!("{low} and {high}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "any number".to_string(),
        }
    }
}

impl Value {
    /// Whether a category of this name is meant.
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Text(text) => text == name,
            Self::Flag(flag) => name == if *flag { "True" } else { "False" },
            Self::Number(number) => name.parse() == Ok(*number),
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Flag(flag) => (if *flag { "True" } else { "False" }).to_string(),
            Self::Number(value) => number(*value),
            Self::Text(text) => format!("{text:?}"),
        }
    }
}

impl Condition {
    /// The condition as a clause: `age at least 18 and below 25`.
    pub fn words(&self) -> String {
        const SHOWN: usize = 6;
        let listed = |values: &[Value]| {
            let mut words: Vec<String> = values.iter().take(SHOWN).map(Value::words).collect();
            if values.len() > SHOWN {
                words.push(format!("{} more", values.len() - SHOWN));
            }
            match words.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                _ => words.concat(),
            }
        };
        let column = &self.column;
        match &self.test {
            Test::Between(interval) => format!("{column} {}", interval.words()),
            Test::In(values) => format!("{column} is {}", listed(values)),
            Test::NotIn(values) => format!("{column} is not {}", listed(values)),
            Test::Missing => format!("{column} is missing"),
            Test::Present => format!("{column} is known"),
        }
    }
}

/// Conditions as a clause.
pub(super) fn words(conditions: &[Condition]) -> String {
    match conditions {
        [] => "everybody".to_string(),
        _ => conditions.iter().map(Condition::words).collect::<Vec<_>>().join(", and "),
    }
}

/// A number to six digits, as a person reads it; the rule itself keeps all.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    format!("{rounded}")
}

fn day_name(days: f64) -> String {
    match days.floor() {
        day if day.abs() < 1e7 => date_name(day as i64),
        _ => number(days),
    }
}
