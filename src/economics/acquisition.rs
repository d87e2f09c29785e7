//! Spend by month and channel, shared out to the customers it won.
//!
//! Spend of a month and channel is shared equally among the customers won through that channel `lag` months later. So what
//! was spent on leads that came to nothing is counted, without knowing who they were. What finds no customer is kept with
//! the reason: the sum of what is shared out and what is not is the spend.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::survival::Outcome;
use super::totals::{Field, Row};
use crate::error::Result;
use crate::persist;
use crate::table::{MISSING, Table};

/// A line of the budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Month as [`month_of`] gives it; `None` where missing.
    pub month: Option<i64>,
    /// Code of the channel, or [`MISSING`].
    pub channel: u32,
    /// Code of the segment it was meant for, or [`MISSING`] for all.
    pub segment: u32,
    /// Amount, 0 or more.
    pub amount: f64,
}

/// Spend, and the channel of each customer.
#[derive(Debug, Clone, Default)]
pub struct Spend<'a> {
    /// Names of the channels of customers and spend.
    pub channels: Vec<String>,
    /// Code of each row's channel, or [`MISSING`].
    pub channel: &'a [u32],
    /// The budget.
    pub lines: Vec<Line>,
    /// Months from spend to the sale it brought.
    pub lag: i64,
}

/// Amounts to be shared out, by month and channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// Channel of each.
    pub channel: Vec<u32>,
    /// Spent on every segment.
    pub on_all: Vec<f64>,
    /// Spent on one segment, by cell, then segment.
    pub on_one: Vec<f64>,
    /// Number of channels.
    pub n_channels: usize,
    /// Number of segments.
    pub n_segments: usize,
}

impl Cells {
    /// What each segment of cell `cell` gets, given how many of its customers were won.
    pub fn share(&self, cell: usize, won: impl Fn(usize) -> f64, mut add: impl FnMut(usize, f64)) {
        let all: f64 = (0..self.n_segments).map(&won).sum();
        for segment in 0..self.n_segments {
            let own = won(segment);
            if own > 0.0 {
                let meant = self.on_one[cell * self.n_segments + segment];
                add(segment, self.on_all[cell] * (own / all) + meant);
            }
        }
    }
}

/// Spend that won nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unallocated {
    /// Month, as "2024-03"; empty where missing.
    pub month: String,
    /// Channel; empty where missing.
    pub channel: String,
    /// Segment it was meant for; empty for all.
    pub segment: String,
    /// Amount.
    pub amount: f64,
    /// Why.
    pub reason: String,
}

/// Cost of a customer by channel and segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acquisition {
    /// Names of the channels.
    pub channels: Vec<String>,
    /// Spend by channel, then segment.
    #[serde(with = "persist::floats")]
    pub spend: Vec<f64>,
    /// Customers won by channel, then segment.
    #[serde(with = "persist::floats")]
    pub won: Vec<f64>,
    /// Ends of the interval of spend per customer won, by channel and segment, everybody last in each.
    #[serde(with = "persist::floats")]
    pub lo: Vec<f64>,
    /// Upper ends.
    #[serde(with = "persist::floats")]
    pub hi: Vec<f64>,
    /// What won nobody.
    pub unallocated: Vec<Unallocated>,
    /// All that was spent.
    pub total: f64,
}

/// Shares out spend: writes each customer's amount and cell into `rows`.
///
/// `sale` is the day of each row's first sale, `last_day` the last day of the data.
pub fn allocate(
    rows: &mut [Row],
    sale: &[f64],
    spend: &Spend<'_>,
    segments: &[String],
    last_day: f64,
) -> (Cells, Acquisition) {
    let n_segments = segments.len();
    let mut index: BTreeMap<(i64, u32), usize> = BTreeMap::new();
    let mut channel_of = Vec::new();
    for (row, own) in rows.iter_mut().enumerate() {
        let channel = spend.channel.get(row).copied().unwrap_or(MISSING);
        if own.segment == MISSING || own.outcome != Outcome::Won || channel == MISSING {
            continue;
        }
        let cell = *index.entry((month_of(sale[row]), channel)).or_insert_with(|| {
            channel_of.push(channel);
            channel_of.len() - 1
        });
        own.bought = cell as u32;
    }
    let n_cells = channel_of.len();
    let mut won = vec![0.0; n_cells * n_segments];
    for row in rows.iter() {
        if row.bought != MISSING {
            won[row.bought as usize * n_segments + row.segment as usize] += 1.0;
        }
    }
    let mut cells = Cells {
        channel: channel_of,
        on_all: vec![0.0; n_cells],
        on_one: vec![0.0; n_cells * n_segments],
        n_channels: spend.channels.len(),
        n_segments,
    };
    let name = |names: &[String], code: u32| names.get(code as usize).cloned().unwrap_or_default();
    let mut unallocated = Vec::new();
    for line in spend.lines.iter().filter(|line| line.amount != 0.0) {
        let bought = line.month.map(|month| month + spend.lag);
        let cell = bought.and_then(|month| index.get(&(month, line.channel)).copied());
        let wins = cell.is_some_and(|cell| match line.segment {
            MISSING => true,
            segment => won[cell * n_segments + segment as usize] > 0.0,
        });
        if let Some(cell) = cell.filter(|_| wins) {
            match line.segment {
                MISSING => cells.on_all[cell] += line.amount,
                segment => cells.on_one[cell * n_segments + segment as usize] += line.amount,
            }
            continue;
        }
        let reason = match bought {
            None => "the month is missing".to_string(),
            _ if line.channel == MISSING => "the channel is missing".to_string(),
            Some(month) if month > month_of(last_day) => {
                format!("it buys customers in {}, after the data end", month_name(month))
            }
            Some(month) => format!("it won nobody in {}", month_name(month)),
        };
        unallocated.push(Unallocated {
            month: line.month.map(month_name).unwrap_or_default(),
            channel: name(&spend.channels, line.channel),
            segment: name(segments, line.segment),
            amount: line.amount,
            reason,
        });
    }
    let mut by_channel = vec![0.0; cells.n_channels * n_segments];
    let mut won_by_channel = by_channel.clone();
    let mut each = vec![0.0; n_cells * n_segments];
    for cell in 0..n_cells {
        let first = cells.channel[cell] as usize * n_segments;
        let own = &won[cell * n_segments..][..n_segments];
        for (sum, own) in won_by_channel[first..].iter_mut().zip(own) {
            *sum += own;
        }
        cells.share(
            cell,
            |segment| own[segment],
            |segment, amount| {
                by_channel[first + segment] += amount;
                each[cell * n_segments + segment] = amount / own[segment];
            },
        );
    }
    for row in rows.iter_mut().filter(|row| row.bought != MISSING) {
        row.values[Field::Acquisition as usize] =
            each[row.bought as usize * n_segments + row.segment as usize];
    }
    let acquisition = Acquisition {
        channels: spend.channels.clone(),
        spend: by_channel,
        won: won_by_channel,
        lo: Vec::new(),
        hi: Vec::new(),
        unallocated,
        total: spend.lines.iter().map(|line| line.amount).sum(),
    };
    (cells, acquisition)
}

impl Acquisition {
    /// Spend and customers won of a channel and segment; all of them at the index after the last.
    fn at(&self, channel: usize, segment: usize, n_segments: usize) -> (f64, f64) {
        let among = |chosen: usize, n: usize| if chosen < n { chosen..chosen + 1 } else { 0..n };
        let (mut spend, mut won) = (0.0, 0.0);
        for channel in among(channel, self.channels.len()) {
            for segment in among(segment, n_segments) {
                spend += self.spend[channel * n_segments + segment];
                won += self.won[channel * n_segments + segment];
            }
        }
        (spend, won)
    }

    /// What was shared out.
    pub fn allocated(&self) -> f64 {
        self.spend.iter().sum()
    }

    /// One row per channel and segment, with "all" of either last.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self, segments: &[String]) -> Result<Table> {
        let n = segments.len();
        let pairs = || (0..=self.channels.len()).flat_map(|c| (0..=n).map(move |s| (c, s)));
        let name =
            |names: &[String], at: usize| names.get(at).map_or("all", |name| name).to_string();
        let found: Vec<(f64, f64)> = pairs().map(|(c, s)| self.at(c, s, n)).collect();
        let end = |ends: &[f64], at: usize| ends.get(at).copied().unwrap_or(f64::NAN);
        let channel: Vec<String> = pairs().map(|(c, _)| name(&self.channels, c)).collect();
        let segment: Vec<String> = pairs().map(|(_, s)| name(segments, s)).collect();
        Table::builder()
            .text("channel", &channel)
            .text("segment", &segment)
            .int("n_new", found.iter().map(|found| found.1 as i64))
            .float("spend", found.iter().map(|found| found.0))
            .float("cac", found.iter().map(|found| found.0 / found.1))
            .float("cac_lo", (0..found.len()).map(|at| end(&self.lo, at)))
            .float("cac_hi", (0..found.len()).map(|at| end(&self.hi, at)))
            .finish()
    }

    /// One row per line of the budget that won nobody.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn unallocated_table(&self) -> Result<Table> {
        let text = |of: fn(&Unallocated) -> &String| {
            self.unallocated.iter().map(|line| of(line).clone()).collect::<Vec<_>>()
        };
        Table::builder()
            .text("month", text(|line| &line.month))
            .text("channel", text(|line| &line.channel))
            .text("segment", text(|line| &line.segment))
            .float("amount", self.unallocated.iter().map(|line| line.amount))
            .text("reason", text(|line| &line.reason))
            .finish()
    }
}

/// Months since the year 0 of a day since 1970-01-01, in the Gregorian calendar.
///
/// Days are counted from 1 March, so that the leap day comes last and month lengths repeat every five months.
pub fn month_of(day: f64) -> i64 {
    let day = day.floor() as i64 + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    (era * 400 + year) * 12 + from_march + 2
}

/// "2024-03".
fn month_name(month: i64) -> String {
    format!("{}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (day, name) in [
            (0.0, "1970-01"),
            (30.9, "1970-01"),
            (31.0, "1970-02"),
            (58.0, "1970-02"),
            (59.0, "1970-03"),
            (-1.0, "1969-12"),
            (11_016.0, "2000-02"),
            (11_017.0, "2000-03"),
            (19_723.0, "2024-01"),
            (20_088.0, "2024-12"),
            (20_089.0, "2025-01"),
        ] {
            assert_eq!(month_name(month_of(day)), name, "{day}");
        }
    }
}
