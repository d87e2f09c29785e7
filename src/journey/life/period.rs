//! The length of a period: given, or found from the times themselves.

use hashbrown::HashMap;
use serde::Deserialize;

use crate::economics::calendar;
use crate::error::{Error, Result};

/// The length of a period as the user gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Length {
    /// Units of the time: days where times are dates.
    Units(i64),
    /// `"day"`, `"week"`, `"month"`, `"quarter"` or `"year"`.
    Named(String),
}

/// What cuts time into periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Calendar(calendar::Period),
    /// So many units from the first time on.
    Units {
        length: i64,
        first: i64,
    },
}

const CALENDAR: [(&str, calendar::Period); 4] = [
    ("week", calendar::Period::Week),
    ("month", calendar::Period::Month),
    ("quarter", calendar::Period::Quarter),
    ("year", calendar::Period::Year),
];

impl Period {
    /// Number of the period in which a time lies.
    pub(super) fn of(self, time: i64) -> i64 {
        match self {
            Self::Calendar(period) => period.of_day(time),
            // Times lie within a bound, so that the difference does.
            Self::Units { length, first } => (time - first).div_euclid(length),
        }
    }

    /// One of its periods in words: "month", "period of 14 days".
    pub(super) fn word(self, dates: bool) -> String {
        match self {
            Self::Calendar(period) => CALENDAR
                .iter()
                .find(|(_, other)| *other == period)
                .map_or_else(|| "period".to_string(), |(name, _)| (*name).to_string()),
            Self::Units { length: 1, .. } if dates => "day".to_string(),
            Self::Units { length, .. } if dates => format!("period of {length} days"),
            Self::Units { length: 1, .. } => "period".to_string(),
            Self::Units { length, .. } => format!("period of {length} units of time"),
        }
    }

    /// What the user asked for.
    pub(super) fn given(length: &Length, dates: bool, first: i64) -> Result<Self> {
        match length {
            Length::Units(length) if *length > 0 => Ok(Self::Units { length: *length, first }),
            Length::Units(length) => Err(Error::argument(
                "period",
                length,
                "a whole number from 1 up is needed",
            )
            .with_mend("period=1")),
            Length::Named(name) if !dates => Err(Error::argument(
                "period",
                format!("{name:?}"),
                "times that are numbers need a period that is a whole number",
            )
            .with_mend("period=1")),
            Length::Named(name) if name == "day" => Ok(Self::Units { length: 1, first }),
            Length::Named(name) => match CALENDAR.iter().find(|(known, _)| known == name) {
                Some((_, period)) => Ok(Self::Calendar(*period)),
                None => Err(Error::argument(
                    "period",
                    format!("{name:?}"),
                    "\"day\", \"week\", \"month\", \"quarter\", \"year\" or a number of days is needed",
                )
                .with_mend("period=\"month\"")),
            },
        }
    }

    /// The period that makes the most of the `pairs` of a customer's times, in ascending order, consecutive: of several the
    /// shortest, and a calendar's before a number of days.
    pub(super) fn found(pairs: impl Iterator<Item = (i64, i64)>, dates: bool, first: i64) -> Self {
        let mut gaps: HashMap<i64, usize, foldhash::fast::FixedState> = HashMap::default();
        let mut calendars = [0_usize; CALENDAR.len()];
        for (one, next) in pairs {
            if next > one {
                *gaps.entry(next - one).or_default() += 1;
            }
            if dates {
                for (count, (_, period)) in calendars.iter_mut().zip(&CALENDAR) {
                    *count += usize::from(period.of_day(next) - period.of_day(one) == 1);
                }
            }
        }
        let most = gaps.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        let (length, of_gap) = most.map_or((1, 0), |(&gap, &count)| (gap, count));
        let units = Self::Units { length, first };
        if !dates || (length == 1 && calendars.iter().all(|&count| count <= of_gap)) {
            return units;
        }
        let best = calendars.iter().copied().max().unwrap_or(0);
        match CALENDAR.iter().zip(calendars).find(|&(_, count)| count == best) {
            Some(((_, period), count)) if count > 0 && count >= of_gap => Self::Calendar(*period),
            _ => units,
        }
    }
}
