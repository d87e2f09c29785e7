//! What one pass over a column leaves of each segment: enough for every figure, and to merge segments, without the
//! customers.

use serde::{Deserialize, Serialize};

use super::ranks::{Five, Ranks, Scratch, ranks};
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::persist;
use crate::table::{Kind, MAX_CATEGORIES, MISSING, Table, is_identifier};

/// Categories of a column that was named by the user, at most.
pub const MAX_LEVELS: usize = 1000;

/// Numbers beyond this cannot be squared.
const LARGEST: f64 = 1e150;

/// One column over the segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) feature: String,
    /// Customers of each segment that have a value.
    pub(super) rows: Vec<usize>,
    /// Their weight.
    #[serde(with = "persist::floats")]
    pub(super) weight: Vec<f64>,
    pub(super) values: Values,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Values {
    Amount(Amount),
    Shares(Shares),
}

/// Sums of numbers. They are those of differences from `origin`, so that large numbers near to each other lose no digits; squares
/// are those of the differences from the mean of the own segment, so that a far customer of another one costs none either.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amount {
    /// Whether the numbers are days since 1970-01-01.
    pub(super) dates: bool,
    pub(super) origin: f64,
    #[serde(with = "persist::floats")]
    pub(super) sum: Vec<f64>,
    #[serde(with = "persist::floats")]
    pub(super) scatter: Vec<f64>,
    /// Smallest and largest number of all.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) range: Option<(f64, f64)>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) ranks: Option<Ranks>,
}

/// Counts of categories. A column of 0 and 1 has one level without a name: the 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shares {
    pub(super) levels: Vec<String>,
    pub(super) ordered: bool,
    /// Weight of each level in each segment, one level after the other.
    #[serde(with = "persist::floats")]
    pub(super) count: Vec<f64>,
    /// Whether this is a column of 0 and 1.
    pub(super) is_flag: bool,
}

impl Amount {
    /// The mean of some segments together, as a difference from the origin, and the sum of squares about it.
    fn together(
        &self,
        weight: &[f64],
        segments: impl Iterator<Item = usize> + Clone,
    ) -> (f64, f64) {
        let filled = segments.filter(|&segment| weight[segment] > 0.0);
        let n: f64 = filled.clone().map(|segment| weight[segment]).sum();
        let mean = filled.clone().map(|segment| self.sum[segment]).sum::<f64>() / n;
        let apart = |segment: usize| {
            let own = self.sum[segment] / weight[segment];
            self.scatter[segment] + weight[segment] * (own - mean).powi(2)
        };
        (mean, filled.map(apart).sum())
    }

    /// The mean over all segments, as a difference from the origin, and the sum of squares about it.
    pub(super) fn overall(&self, weight: &[f64]) -> (f64, f64) {
        self.together(weight, 0..weight.len())
    }
}

impl Shares {
    /// Each level with its weight in each segment; of a column of 0 and 1 both.
    pub(super) fn lines(&self, weight: &[f64]) -> Vec<(&str, Vec<f64>)> {
        let k = weight.len();
        if self.is_flag {
            let ones = self.of(0, k);
            let zeros = weight.iter().zip(ones).map(|(all, ones)| all - ones).collect();
            return vec![("0", zeros), ("1", ones.to_vec())];
        }
        let levels = self.levels.iter().enumerate();
        levels.map(|(level, name)| (name.as_str(), self.of(level, k).to_vec())).collect()
    }

    /// Weight of a level in each segment.
    pub(super) fn of(&self, level: usize, n_segments: usize) -> &[f64] {
        &self.count[level * n_segments..(level + 1) * n_segments]
    }
}

/// How the columns were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// By a segmentation that used them: all are read.
    Used,
    /// By the user: each is read, or refused.
    Named,
    /// By nobody: those that say nothing are left out.
    Any,
}

/// How columns are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) labels: &'a [u32],
    pub(super) n_segments: usize,
    pub(super) weights: Option<&'a [f64]>,
    pub(super) choice: Choice,
    /// Whether the five numbers of each segment are wanted.
    pub(super) fives: bool,
}

/// A column with the five numbers of each segment, or why it is not used.
type Found = Result<(Column, Vec<Five>), String>;

/// Reads columns side by side; those that are not used come with the reason.
pub(super) fn read(
    table: &Table,
    names: &[String],
    reading: Reading<'_>,
    monitor: &Monitor,
) -> Result<Vec<Found>> {
    monitor.expect(names.len() as u64);
    // Several columns a task, so that the memory they are sorted in is asked for once, and several tasks a thread.
    let group = (names.len() / (4 * parallel::num_threads())).max(1);
    let found = parallel::map_tasks(names.len().div_ceil(group), |task| {
        let mut scratch = Scratch::default();
        let own = &names[task * group..names.len().min((task + 1) * group)];
        own.iter()
            .map(|name| {
                monitor.check()?;
                let column = read_one(table, name, reading, &mut scratch);
                monitor.advance(1);
                column
            })
            .collect::<Result<Vec<_>>>()
    });
    Ok(found.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn read_one(
    table: &Table,
    name: &str,
    reading: Reading<'_>,
    scratch: &mut Scratch,
) -> Result<Found> {
    let refuse = |found: String, wanted: &str, mend: String| {
        Err(Error::argument(format!("column {name:?}"), found, wanted).with_mend(mend))
    };
    match table.kind(name)? {
        Kind::Empty if reading.choice == Choice::Named => refuse(
            "no value at all".to_string(),
            "at least one is needed",
            format!("df = df.drop(columns={name:?})"),
        ),
        Kind::Empty if reading.choice == Choice::Any => Ok(Err("has no value".to_string())),
        Kind::Other if reading.choice == Choice::Any => {
            Ok(Err("is of a type that is not read".to_string()))
        }
        kind @ (Kind::Number | Kind::Date) => {
            let values =
                if kind == Kind::Date { table.days(name)? } else { table.numeric(name)? };
            if reading.choice == Choice::Any && kind == Kind::Number && is_identifier(name, &values)
            {
                return Ok(Err("is different in every row and named like an identifier".into()));
            }
            numbers(name, &values, kind == Kind::Date, reading, scratch)
        }
        _ => {
            let codes = table.codes(name)?;
            let n = codes.categories.len();
            if reading.choice == Choice::Any {
                if n > MAX_CATEGORIES {
                    return Ok(Err(format!("has {n} categories, more than {MAX_CATEGORIES}")));
                }
                if n > 20 && n == table.n_rows() - codes.n_missing {
                    return Ok(Err("is different in every row".to_string()));
                }
            }
            if n > MAX_LEVELS && reading.choice == Choice::Named {
                return refuse(
                    format!("{n} categories"),
                    &format!("at most {MAX_LEVELS} are told apart"),
                    format!("df = df.drop(columns={name:?})"),
                );
            }
            Ok(Ok((
                categories(name, &codes.codes, codes.categories, codes.ordered, reading),
                vec![],
            )))
        }
    }
}

/// Weight of a row.
fn weight_at(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[row])
}

fn categories(
    name: &str,
    codes: &[u32],
    levels: Vec<String>,
    ordered: bool,
    reading: Reading<'_>,
) -> Column {
    let k = reading.n_segments;
    let (mut rows, mut count) = (vec![0; k], vec![0.0; k * levels.len()]);
    for (row, (&code, &label)) in codes.iter().zip(reading.labels).enumerate() {
        if code != MISSING && label != MISSING {
            rows[label as usize] += 1;
            count[code as usize * k + label as usize] += weight_at(reading.weights, row);
        }
    }
    let weight = (0..k).map(|s| count.iter().skip(s).step_by(k).sum()).collect();
    let values = Values::Shares(Shares { levels, ordered, count, is_flag: false });
    Column { feature: name.to_string(), rows, weight, values }
}

/// First look at numbers: which are there, and where their middle is.
struct Look {
    /// The first number of each segment.
    firsts: Vec<f64>,
    rows: Vec<usize>,
    weight: Vec<f64>,
    range: Option<(f64, f64)>,
    mean: f64,
    only_flags: bool,
}

fn look(values: &[f64], reading: Reading<'_>) -> Look {
    let k = reading.n_segments;
    let (mut rows, mut weight, mut firsts) = (vec![0_usize; k], vec![0.0; k], vec![0.0; k]);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut sum, mut only_flags) = (0.0, true);
    for (block, first) in values.chunks(parallel::BLOCK).zip((0..).step_by(parallel::BLOCK)) {
        let mut part = 0.0;
        for (&value, row) in block.iter().zip(first..) {
            let label = reading.labels[row];
            if value.is_nan() || label == MISSING {
                continue;
            }
            if rows[label as usize] == 0 {
                firsts[label as usize] = value;
            }
            rows[label as usize] += 1;
            low = low.min(value);
            high = high.max(value);
            only_flags &= value == 0.0 || value == 1.0;
            let w = weight_at(reading.weights, row);
            if reading.weights.is_some() {
                weight[label as usize] += w;
            }
            part += w * value;
        }
        sum += part;
    }
    if reading.weights.is_none() {
        weight = rows.iter().map(|&n| n as f64).collect();
    }
    let total: f64 = weight.iter().sum();
    let mean = if total > 0.0 { (sum / total).clamp(low, high) } else { 0.0 };
    Look { firsts, rows, weight, range: (low <= high).then_some((low, high)), mean, only_flags }
}

fn numbers(
    name: &str,
    values: &[f64],
    dates: bool,
    reading: Reading<'_>,
    scratch: &mut Scratch,
) -> Result<Found> {
    let k = reading.n_segments;
    let look = look(values, reading);
    if let Some((low, high)) = look.range
        && (low < -LARGEST || high > LARGEST)
        && let Some(row) = values.iter().position(|value| value.abs() > LARGEST)
    {
        let wanted = "numbers must lie within ±1e150, since they are squared";
        return Err(Error::value(name, row, values[row], wanted));
    }
    let column = |values| Column {
        feature: name.to_string(),
        rows: look.rows.clone(),
        weight: look.weight.clone(),
        values,
    };
    if look.only_flags && look.range.is_some() && !dates {
        let mut count = vec![0.0; k];
        for (row, (&value, &label)) in values.iter().zip(reading.labels).enumerate() {
            if value == 1.0 && label != MISSING {
                count[label as usize] += weight_at(reading.weights, row);
            }
        }
        let shares = Shares { levels: vec![String::new()], ordered: false, count, is_flag: true };
        return Ok(Ok((column(Values::Shares(shares)), Vec::new())));
    }
    let (mut sum, mut squares) = (vec![0.0; k], vec![0.0; k]);
    let (mut part, mut part_squares) = (vec![0.0; k], vec![0.0; k]);
    for first in (0..values.len()).step_by(parallel::BLOCK) {
        part.fill(0.0);
        part_squares.fill(0.0);
        for row in first..values.len().min(first + parallel::BLOCK) {
            let (value, label) = (values[row], reading.labels[row]);
            if value.is_nan() || label == MISSING {
                continue;
            }
            let difference = value - look.firsts[label as usize];
            let weighted = match reading.weights {
                None => difference,
                Some(weights) => weights[row] * difference,
            };
            part[label as usize] += weighted;
            part_squares[label as usize] += weighted * difference;
        }
        for segment in 0..k {
            sum[segment] += part[segment];
            squares[segment] += part_squares[segment];
        }
    }
    let (ranks, fives) =
        ranks(values, reading.labels, reading.weights, &look.weight, reading.fives, scratch);
    let mut scatter = squares;
    for segment in (0..k).filter(|&segment| look.weight[segment] > 0.0) {
        let n = look.weight[segment];
        scatter[segment] = (scatter[segment] - sum[segment] * sum[segment] / n).max(0.0);
        sum[segment] += n * (look.firsts[segment] - look.mean);
    }
    let (origin, range) = (look.mean, look.range);
    let amount = Amount { dates, origin, sum, scatter, range, ranks: Some(ranks) };
    Ok(Ok((column(Values::Amount(amount)), fives)))
}

impl Column {
    /// Weight of all customers with a value.
    pub(super) fn total(&self) -> f64 {
        self.weight.iter().sum()
    }

    /// The same after segment `s` became part of segment `groups[s]`.
    pub(super) fn regroup(&self, groups: &[u32], n_segments: usize) -> Self {
        let mut rows = vec![0; n_segments];
        for (&n, &group) in self.rows.iter().zip(groups) {
            rows[group as usize] += n;
        }
        let grouped = |values: &[f64]| {
            let mut sums = vec![0.0; n_segments];
            for (value, &group) in values.iter().zip(groups) {
                sums[group as usize] += value;
            }
            sums
        };
        let values = match &self.values {
            Values::Amount(amount) => Values::Amount(Amount {
                sum: grouped(&amount.sum),
                scatter: (0..n_segments as u32)
                    .map(|group| {
                        let members = (0..groups.len()).filter(|&s| groups[s] == group);
                        amount.together(&self.weight, members).1
                    })
                    .collect(),
                ranks: amount
                    .ranks
                    .as_ref()
                    .map(|ranks| Ranks { below: grouped(&ranks.below), ties: ranks.ties }),
                ..*amount
            }),
            Values::Shares(shares) => Values::Shares(Shares {
                count: shares.count.chunks(groups.len().max(1)).flat_map(grouped).collect(),
                ..shares.clone()
            }),
        };
        Self { feature: self.feature.clone(), rows, weight: grouped(&self.weight), values }
    }

    /// The sums of the customers of both; ranks among all cannot be had from ranks among parts.
    pub(super) fn merge(&self, other: &Self) -> Option<Self> {
        let both = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let values = match (&self.values, &other.values) {
            (Values::Amount(a), Values::Amount(b)) => {
                let shift = b.origin - a.origin;
                let moved: Vec<f64> =
                    b.sum.iter().zip(&other.weight).map(|(sum, w)| sum + w * shift).collect();
                let scatter = (0..b.sum.len()).map(|s| {
                    let (n, m) = (self.weight[s], other.weight[s]);
                    let apart = a.sum[s] / n - moved[s] / m;
                    // Chan, Golub and LeVeque (1983), The American Statistician 37:242-247.
                    let between =
                        if n > 0.0 && m > 0.0 { apart * apart * n * m / (n + m) } else { 0.0 };
                    a.scatter[s] + b.scatter[s] + between
                });
                let range = match (a.range, b.range) {
                    (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                    (one, other) => one.or(other),
                };
                Values::Amount(Amount {
                    dates: a.dates,
                    origin: a.origin,
                    sum: both(&a.sum, &moved),
                    scatter: scatter.collect(),
                    range,
                    ranks: None,
                })
            }
            (Values::Shares(a), Values::Shares(b)) if a.levels == b.levels => {
                Values::Shares(Shares { count: both(&a.count, &b.count), ..a.clone() })
            }
            _ => return None,
        };
        let rows = self.rows.iter().zip(&other.rows).map(|(a, b)| a + b).collect();
        let weight = both(&self.weight, &other.weight);
        Some(Self { feature: self.feature.clone(), rows, weight, values })
    }

    /// Whether everything has the lengths that it must have.
    pub(super) fn fits(&self, k: usize) -> bool {
        let values = match &self.values {
            Values::Amount(amount) => {
                amount.sum.len() == k
                    && amount.scatter.len() == k
                    && amount.ranks.as_ref().is_none_or(|ranks| ranks.below.len() == k)
            }
            Values::Shares(shares) => shares.count.len() == k * shares.levels.len(),
        };
        values && self.rows.len() == k && self.weight.len() == k
    }
}
