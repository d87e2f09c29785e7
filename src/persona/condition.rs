//! What a customer meets or not.

use serde::{Deserialize, Serialize};

use super::text;
use crate::error::{Error, Result};
use crate::parallel;
use crate::table::{Kind, MISSING, Table};

/// A rule on one column: a category, or a range of numbers. Dates are days since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The category, or the number as it reads.
    #[serde(default)]
    pub level: Option<String>,
    /// Least value.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// What the value is less than.
    #[serde(default)]
    pub below: Option<f64>,
}

impl Condition {
    /// A category.
    pub fn level(column: &str, level: &str) -> Self {
        Self { column: column.into(), level: Some(text::name(level)), at_least: None, below: None }
    }

    /// A range, from `at_least` to less than `below`.
    pub fn range(column: &str, at_least: Option<f64>, below: Option<f64>) -> Self {
        Self { column: column.into(), level: None, at_least, below }
    }

    /// Whether it is a category or a range that is not empty.
    pub fn is_sound(&self) -> bool {
        let bounds = [self.at_least, self.below];
        let finite = bounds.iter().flatten().all(|bound| bound.is_finite());
        match &self.level {
            Some(level) => bounds == [None, None] && text::name(level) == *level,
            None => {
                finite
                    && bounds != [None, None]
                    && !matches!(bounds, [Some(from), Some(to)] if from >= to)
            }
        }
    }

    /// Refuses what is neither a category nor a range.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`].
    pub fn check(&self) -> Result<()> {
        if self.is_sound() {
            return Ok(());
        }
        let told = |bound: Option<f64>| bound.map_or("nothing".to_string(), text::number);
        let found = match &self.level {
            Some(level) => format!("{level:?} with a range"),
            None => format!("{} to {}", told(self.at_least), told(self.below)),
        };
        Err(Error::argument(&self.column, found, "a category or a range of numbers is needed")
            .with_mend(format!("{{{:?}: (20, 40)}}", self.column)))
    }

    /// In words, without the column.
    pub fn words(&self, style: Style) -> String {
        let told = |bound: f64| match style {
            Style::Date => crate::table::date_name(bound.floor() as i64),
            Style::Number | Style::Whole => text::number(bound),
        };
        match (&self.level, self.at_least, self.below, style) {
            (Some(level), ..) => level.clone(),
            (None, Some(from), Some(to), Style::Date) => {
                format!("{} to before {}", told(from), told(to))
            }
            (None, Some(from), None, Style::Date) => format!("{} or later", told(from)),
            (None, None, Some(to), Style::Date) => format!("before {}", told(to)),
            (None, Some(from), Some(to), Style::Whole) if to - from == 1.0 => told(from),
            (None, Some(from), Some(to), Style::Whole) => {
                format!("{} to {}", told(from), told(to - 1.0))
            }
            (None, None, Some(to), Style::Whole) => format!("at most {}", told(to - 1.0)),
            (None, Some(from), Some(to), _) => format!("{} to below {}", told(from), told(to)),
            (None, Some(from), None, _) => format!("{} or more", told(from)),
            (None, None, Some(to), _) => format!("below {}", told(to)),
            (None, None, None, _) => String::new(),
        }
    }
}

/// How the ends of a range read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Any numbers.
    Number,
    /// Whole numbers, of which the last of a range can be told.
    Whole,
    /// Days since 1970-01-01.
    Date,
}

impl Style {
    /// How the values of a column read.
    pub fn of(values: &[f64], is_date: bool) -> Self {
        let whole = |value: &f64| value.is_nan() || (value.fract() == 0.0 && value.abs() < 1e15);
        match is_date {
            true => Self::Date,
            false if values.iter().all(whole) => Self::Whole,
            false => Self::Number,
        }
    }
}

/// A condition on a column that was read: what [`Met::of`] answers for a row.
pub(super) enum Met {
    /// Codes of categories, and which of them meet it.
    Codes(Vec<u32>, Vec<bool>),
    /// Numbers, the least and what they are less than.
    Values(crate::table::Numeric, f64, f64),
}

impl Met {
    /// Reads the column.
    pub(super) fn read(table: &Table, condition: &Condition) -> Result<Self> {
        condition.check()?;
        let column = &condition.column;
        if let Some(level) = &condition.level {
            let codes = table.codes(column)?;
            let meets = codes.categories.iter().map(|name| text::name(name) == *level).collect();
            return Ok(Self::Codes(codes.codes, meets));
        }
        let values = match table.kind(column)? {
            Kind::Date => table.days(column)?,
            _ => table.numeric(column)?,
        };
        let from = condition.at_least.unwrap_or(f64::NEG_INFINITY);
        Ok(Self::Values(values, from, condition.below.unwrap_or(f64::INFINITY)))
    }

    /// How the values read.
    pub(super) fn style(&self, is_date: bool) -> Style {
        match self {
            Self::Codes(..) => Style::Number,
            Self::Values(values, ..) => Style::of(values, is_date),
        }
    }

    /// Whether any value that there is could meet it: a category that no customer has cannot.
    pub(super) fn is_possible(&self) -> bool {
        match self {
            Self::Codes(_, meets) => meets.contains(&true),
            Self::Values(..) => true,
        }
    }

    /// Whether the row meets it; `None` where the value is missing.
    pub(super) fn of(&self, row: usize) -> Option<bool> {
        match self {
            Self::Codes(codes, meets) => match codes[row] {
                MISSING => None,
                code => Some(meets[code as usize]),
            },
            Self::Values(values, from, to) => {
                let value = values[row];
                (!value.is_nan()).then_some(value >= *from && value < *to)
            }
        }
    }
}

/// Number of conditions that each row meets; a missing value meets none.
///
/// # Errors
///
/// Those of reading columns, and of [`Condition::check`].
pub fn matches(table: &Table, conditions: &[Condition]) -> Result<Vec<u32>> {
    let read = conditions
        .iter()
        .map(|condition| Met::read(table, condition))
        .collect::<Result<Vec<_>>>()?;
    let blocks = parallel::map_blocks(table.n_rows(), |rows| {
        let mut met = vec![0_u32; rows.len()];
        for condition in &read {
            for (count, row) in met.iter_mut().zip(rows.clone()) {
                *count += u32::from(condition.of(row) == Some(true));
            }
        }
        met
    });
    Ok(blocks.concat())
}
