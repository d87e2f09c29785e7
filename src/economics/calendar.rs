//! Days as weeks, months, quarters and years.

use crate::error::{Error, Result};

/// A length of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From Monday to Sunday.
    Week,
    /// Of the calendar.
    Month,
    /// Of the calendar.
    Quarter,
    /// Of the calendar.
    Year,
}

impl Period {
    /// The period as the user names it.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "week" => Ok(Self::Week),
            "month" => Ok(Self::Month),
            "quarter" => Ok(Self::Quarter),
            "year" => Ok(Self::Year),
            _ => Err(Error::argument(
                "period",
                format!("{name:?}"),
                "\"week\", \"month\", \"quarter\" or \"year\" is needed",
            )),
        }
    }

    /// Number of the period in which a day (since 1970-01-01) lies.
    pub fn of_day(self, day: i64) -> i64 {
        let (year, month) = civil(day);
        match self {
            // 1970-01-01 was a Thursday.
            Self::Week => (day + 3).div_euclid(7),
            Self::Month => year * 12 + month - 1,
            Self::Quarter => year * 4 + (month - 1) / 3,
            Self::Year => year,
        }
    }

    /// First day of a period.
    pub fn first_day(self, period: i64) -> i64 {
        match self {
            Self::Week => period * 7 - 3,
            Self::Month => day_of(period.div_euclid(12), period.rem_euclid(12) + 1),
            Self::Quarter => day_of(period.div_euclid(4), period.rem_euclid(4) * 3 + 1),
            Self::Year => day_of(period, 1),
        }
    }

    /// The period's name: `2011-01`, `2011-Q1`, `2011`, or the Monday of a week.
    pub fn name(self, period: i64) -> String {
        match self {
            Self::Week => crate::table::date_name(self.first_day(period)),
            Self::Month => format!("{:04}-{:02}", period.div_euclid(12), period.rem_euclid(12) + 1),
            Self::Quarter => format!("{:04}-Q{}", period.div_euclid(4), period.rem_euclid(4) + 1),
            Self::Year => format!("{period:04}"),
        }
    }
}

/// Year and month of a day since 1970-01-01 in the Gregorian calendar, whose pattern repeats every 146,097 days; years are
/// counted from March, so that the leap day is the last.
fn civil(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day = day.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month)
}

/// The first day of a month, since 1970-01-01.
fn day_of(year: i64, month: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_lies_in_its_period_and_periods_follow_each_other() {
        for period in [Period::Week, Period::Month, Period::Quarter, Period::Year] {
            for day in -200_000..200_000 {
                let number = period.of_day(day);
                assert!(period.first_day(number) <= day && day < period.first_day(number + 1));
            }
        }
    }

    #[test]
    fn names_are_those_of_the_calendar() {
        // 2024-02-29 was a Thursday, 19,782 days after 1970-01-01.
        let name = |period: Period| period.name(period.of_day(19_782));
        assert_eq!(name(Period::Week), "2024-02-26");
        assert_eq!(name(Period::Month), "2024-02");
        assert_eq!(name(Period::Quarter), "2024-Q1");
        assert_eq!(name(Period::Year), "2024");
        assert_eq!(Period::Month.name(Period::Month.of_day(-1)), "1969-12");
    }
}
