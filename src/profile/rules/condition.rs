//! Conditions on one column, in words and as data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Result;
use crate::persist;
use crate::table::{Feature, Preparation, Source, date_name};

/// How the columns of a rule are read, and what their conditions need to be told in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The columns, as they stand in the table.
    pub preparation: Preparation,
    /// Whether each is a number that is only ever 0 or 1.
    pub binary: Vec<bool>,
    /// Whether values of it were missing.
    pub gaps: Vec<bool>,
}

impl Reader {
    /// The columns.
    pub fn features(&self) -> &[Feature] {
        &self.preparation.features
    }

    /// Only these columns, amounts before categories, and the new place of each.
    #[must_use]
    pub fn keep(&self, wanted: impl Fn(usize) -> bool) -> (Self, Vec<usize>) {
        let kept: Vec<usize> = (0..self.features().len()).filter(|&at| wanted(at)).collect();
        let mut places = vec![usize::MAX; self.features().len()];
        kept.iter().enumerate().for_each(|(new, &old)| places[old] = new);
        let features = kept.iter().map(|&at| self.features()[at].clone()).collect();
        let reader = Self {
            preparation: Preparation { features, scale: self.preparation.scale },
            binary: kept.iter().map(|&at| self.binary[at]).collect(),
            gaps: kept.iter().map(|&at| self.gaps[at]).collect(),
        };
        (reader, places)
    }

    /// Checks what a saved reader must satisfy.
    ///
    /// # Errors
    ///
    /// [`crate::Error::ModelFile`].
    pub fn validate(&self) -> Result<()> {
        self.preparation.validate()?;
        let n = self.features().len();
        if self.binary.len() != n || self.gaps.len() != n {
            return Err(persist::broken("the columns of a rule do not agree"));
        }
        Ok(())
    }
}

/// The known values for which a condition holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// All of them.
    Any,
    /// None: the value must be missing.
    None,
    /// From `low` to below `high`, where these are given.
    Range {
        /// The least value.
        #[serde(deserialize_with = "Option::deserialize")]
        low: Option<f64>,
        /// What the value must stay below.
        #[serde(deserialize_with = "Option::deserialize")]
        high: Option<f64>,
    },
    /// One of these categories, by ascending number.
    Levels(Vec<u32>),
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column, by its place in the [`Reader`].
    pub feature: usize,
    /// The values for which it holds.
    pub values: Values,
    /// Whether it holds for a missing value, and for a category that is not known.
    pub missing: bool,
}

impl Condition {
    /// `column >= low`.
    pub fn at_least(feature: usize, low: f64) -> Self {
        Self { feature, values: Values::Range { low: Some(low), high: None }, missing: false }
    }

    /// `column < high`.
    pub fn below(feature: usize, high: f64) -> Self {
        Self { feature, values: Values::Range { low: None, high: Some(high) }, missing: false }
    }

    /// `column` is this category.
    pub fn is(feature: usize, level: u32) -> Self {
        Self { feature, values: Values::Levels(vec![level]), missing: false }
    }

    /// Whether it holds for a number.
    pub fn holds_amount(&self, value: f64) -> bool {
        if value.is_nan() {
            return self.missing;
        }
        match &self.values {
            Values::Any => true,
            Values::Range { low, high } => {
                low.is_none_or(|low| value >= low) && high.is_none_or(|high| value < high)
            }
            _ => false,
        }
    }

    /// Whether it holds for a category; codes beyond the known ones count as missing.
    pub fn holds_level(&self, code: u32, n_levels: usize) -> bool {
        if code as usize >= n_levels {
            return self.missing;
        }
        match &self.values {
            Values::Any => true,
            Values::Levels(levels) => levels.binary_search(&code).is_ok(),
            _ => false,
        }
    }

    /// Both conditions on the same column as one.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let tighter = |a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (one, other) => one.or(other),
        };
        let values = match (&self.values, &other.values) {
            (Values::Any, values) | (values, Values::Any) => values.clone(),
            (Values::Range { low, high }, Values::Range { low: other_low, high: other_high }) => {
                Values::Range {
                    low: tighter(*low, *other_low, f64::max),
                    high: tighter(*high, *other_high, f64::min),
                }
            }
            (Values::Levels(one), Values::Levels(other)) => {
                Values::Levels(one.iter().copied().filter(|at| other.contains(at)).collect())
            }
            _ => Values::None,
        };
        Self { feature: self.feature, values, missing: self.missing && other.missing }
    }

    /// Checks what a saved condition must satisfy.
    ///
    /// # Errors
    ///
    /// [`crate::Error::ModelFile`].
    pub fn validate(&self, reader: &Reader) -> Result<()> {
        let fits = match (reader.features().get(self.feature), &self.values) {
            (None, _) => false,
            (_, Values::Any | Values::None) => true,
            (Some(Feature::Amount { .. }), Values::Range { low, high }) => {
                low.is_none_or(f64::is_finite) && high.is_none_or(f64::is_finite)
            }
            (Some(Feature::Category { categories, .. }), Values::Levels(levels)) => {
                levels.windows(2).all(|pair| pair[0] < pair[1])
                    && levels.iter().all(|&level| (level as usize) < categories.len())
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(persist::broken("a condition does not fit its column")) }
    }

    /// The condition in words: `age from 30 to below 50`.
    pub fn words(&self, reader: &Reader) -> String {
        let feature = &reader.features()[self.feature];
        let name = feature.name();
        let told = match (&self.values, feature) {
            (Values::None, _) => return format!("{name} is missing"),
            (Values::Any, _) if self.missing => return format!("any {name}"),
            (Values::Any, _) => return format!("{name} is known"),
            (Values::Range { low, high }, Feature::Amount { source, .. }) => {
                range_words(name, source, *low, *high, reader.binary[self.feature])
            }
            (Values::Levels(levels), Feature::Category { categories, .. }) => {
                if levels.is_empty() {
                    return format!("{name} is missing");
                }
                if levels.len() == categories.len() {
                    return match self.missing {
                        true => format!("any {name}"),
                        false => format!("{name} is known"),
                    };
                }
                let others = (0..categories.len() as u32).filter(|at| !levels.contains(at));
                let others: Vec<u32> = others.collect();
                // Whichever list is shorter.
                let (is, listed) = match others.len() < levels.len() {
                    true => ("is none of", &others),
                    false => ("is", levels),
                };
                let names: Vec<&str> =
                    listed.iter().map(|&level| categories[level as usize].as_str()).collect();
                match names.split_last() {
                    Some((last, [])) if is != "is" => format!("{name} is not {last}"),
                    Some((last, [])) => format!("{name} is {last}"),
                    Some((last, first)) => format!("{name} {is} {} or {last}", first.join(", ")),
                    None => return format!("{name} is known"),
                }
            }
            _ => return name.to_string(),
        };
        if self.missing && reader.gaps[self.feature] { format!("{told} or missing") } else { told }
    }

    /// The condition as plain data: the column, `at_least` and `below` or `in`, and whether it holds for a missing value.
    pub fn data(&self, reader: &Reader) -> Value {
        let feature = &reader.features()[self.feature];
        let mut data = Map::new();
        data.insert("column".to_string(), Value::from(feature.name()));
        match (&self.values, feature) {
            (Values::Range { low, high }, Feature::Amount { source, .. }) => {
                for (key, end) in [("at_least", low), ("below", high)] {
                    if let Some(end) = end {
                        data.insert(key.to_string(), end_data(*end, source));
                    }
                }
            }
            (Values::Levels(levels), Feature::Category { categories, .. }) => {
                let names: Vec<&str> =
                    levels.iter().map(|&level| categories[level as usize].as_str()).collect();
                data.insert("in".to_string(), Value::from(names));
            }
            (Values::None, _) => {
                data.insert("in".to_string(), Value::Array(Vec::new()));
            }
            _ => {}
        }
        data.insert("missing".to_string(), Value::from(self.missing));
        Value::Object(data)
    }
}

/// A rule in words: conditions joined by "and".
pub fn rule_words(conditions: &[Condition], reader: &Reader) -> String {
    match conditions {
        [] => "everybody".to_string(),
        _ => conditions.iter().map(|c| c.words(reader)).collect::<Vec<_>>().join(" and "),
    }
}

fn range_words(
    name: &str,
    source: &Source,
    low: Option<f64>,
    high: Option<f64>,
    binary: bool,
) -> String {
    if binary {
        return format!("{name} is {}", u8::from(low.is_some()));
    }
    let (from, below) = match source {
        Source::Days => ("on or after", "before"),
        _ => ("at least", "below"),
    };
    match (low.map(|end| end_words(end, source)), high.map(|end| end_words(end, source))) {
        (Some(low), Some(high)) => format!("{name} from {low} to {below} {high}"),
        (Some(low), None) => format!("{name} {from} {low}"),
        (None, Some(high)) => format!("{name} {below} {high}"),
        (None, None) => format!("{name} is known"),
    }
}

/// The end of a range in words: a number, a day, or an ordered category.
pub(super) fn end_words(end: f64, source: &Source) -> String {
    match source {
        Source::Number => format!("{end}"),
        Source::Days if end.fract() == 0.0 => date_name(end as i64),
        Source::Days => {
            format!("{} {:.2} h", date_name(end.floor() as i64), 24.0 * end.rem_euclid(1.0))
        }
        Source::Rank(names) => {
            let at = (end.ceil().max(0.0) as usize).min(names.len().saturating_sub(1));
            names.get(at).cloned().unwrap_or_default()
        }
    }
}

fn end_data(end: f64, source: &Source) -> Value {
    match source {
        Source::Number => Value::from(end),
        _ => Value::from(end_words(end, source)),
    }
}

/// The shortest decimal above `low` and at most `high`: where to cut between two neighbouring values so that the cut reads
/// well. `low < high` is needed.
pub fn round_cut(low: f64, high: f64) -> f64 {
    if low < 0.0 && high >= 0.0 {
        return 0.0;
    }
    let largest = low.abs().max(high.abs());
    if !(largest.is_finite() && largest > 0.0) {
        return high;
    }
    let top = largest.log10().ceil() as i32;
    for exponent in ((top - 17)..=top).rev() {
        if exponent.abs() > 300 {
            continue;
        }
        let step = 10f64.powi(exponent.abs());
        let below = if exponent >= 0 { low / step } else { low * step }.floor();
        // By way of text, so that the cut is the double nearest to the short decimal; the step itself may be a hair off.
        let at = |units: f64| format!("{units:.0}e{exponent}").parse().unwrap_or(high);
        let next: f64 = at(below + 1.0);
        let cut = if next > low { next } else { at(below + 2.0) };
        if low < cut && cut <= high {
            return cut;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_short_and_between_the_values() {
        for (low, high, cut) in [
            (3.0, 4.0, 4.0),
            (33.271, 33.289, 33.28),
            (-2.0, 5.0, 0.0),
            (0.1, 0.2, 0.2),
            (1234.5, 1999.0, 1300.0),
            (-7.5, -7.25, -7.4),
            (0.0, 1.0, 1.0),
            (9.0, 11.0, 10.0),
        ] {
            assert_eq!(round_cut(low, high), cut, "{low} {high}");
        }
        let (low, high) = (1.0, 1.0 + f64::EPSILON);
        assert_eq!(round_cut(low, high), high);
        assert_eq!(round_cut(1e300, 2e300), 2e300);
        assert_eq!(round_cut(0.0, 5e-324), 5e-324);
    }
}
