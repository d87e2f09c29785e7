//! How each column enters Gower's dissimilarity.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::GowerRows;
use super::read::{self, Source};
use crate::cluster::mixed::Unseen;
use crate::error::{Error, Result};
use crate::persist::{self, broken};
use crate::simd::{Column, Columns, MISSING, Measure, UNSEEN};
use crate::table::{Table, missing_column};

/// How the caller wants a column to be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// As a number: distance over range.
    Number,
    /// As categories: equal or not.
    Category,
    /// As ranks: of the column's own order, or of this one.
    Rank(Option<Vec<String>>),
}

/// What the caller says about the columns; the rest follows from their types.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GowerOptions {
    /// Treatment by name of column; the others follow from their types: numbers and dates by range, ordered categories by
    /// rank, text, booleans and other categories by equality.
    pub treatments: HashMap<String, Treatment>,
    /// Flags that say nothing where both rows lack what they flag.
    pub asymmetric: Vec<String>,
    /// Weights by name of column; 1 where there is none.
    pub weights: HashMap<String, f64>,
}

/// How a column is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Role {
    /// Distance over the range from `low` to `high`.
    Number { source: Source, low: f64, high: f64 },
    /// Rank among categories; the range is that of the ranks met.
    Rank { categories: Vec<String>, low: f64, high: f64 },
    /// Rank among numbers.
    Level { levels: Vec<f64>, low: f64, high: f64 },
    /// Equal or not.
    Category { categories: Vec<String> },
    /// A flag whose first category says nothing where both rows have it; numbers 0 and 1 where there are no names.
    Flag { categories: Option<[String; 2]> },
}

/// A column of the space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) weight: f64,
    pub(crate) role: Role,
}

/// Values of one variable before they are scaled: what a model keeps of its medoids.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Raw {
    /// Numbers or ranks; NaN is missing.
    Numbers(#[serde(with = "persist::floats")] Vec<f64>),
    /// Codes, with [`MISSING`] and [`UNSEEN`].
    Codes(Vec<u32>),
}

/// Bit by bit, so that rows with missing values equal themselves.
impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Numbers(a), Self::Numbers(b)) => {
                let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                bits(a) == bits(b)
            }
            (Self::Codes(a), Self::Codes(b)) => a == b,
            _ => false,
        }
    }
}

impl Raw {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Codes(codes) => codes.len(),
        }
    }

    /// The given rows, in that order.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|&row| values[row]).collect()),
            Self::Codes(codes) => Self::Codes(rows.iter().map(|&row| codes[row]).collect()),
        }
    }
}

/// How every column enters the dissimilarity: ranges, categories, weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GowerSpace {
    pub(crate) variables: Vec<Variable>,
    /// Names of all columns in the order in which they came.
    pub(crate) order: Vec<String>,
}

impl GowerSpace {
    /// Decides how the columns of the tables are read; ranges are those of all tables together. Columns without any value are
    /// left out, and their names given back.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`] for names that are not there; [`Error::Argument`] for weights that are negative, not finite or
    /// all 0, and for columns that cannot be treated as asked; [`Error::BadValue`] for infinite numbers and for flags with other
    /// values than two; [`Error::ColumnType`] for types that cannot be compared.
    pub fn learn(tables: &[&Table], options: &GowerOptions) -> Result<(Self, Vec<String>)> {
        let [table, ..] = tables else {
            return Err(Error::argument("X", "no table", "one is needed"));
        };
        let names = table.names();
        let named = options.treatments.keys().chain(&options.asymmetric);
        for name in named.chain(options.weights.keys()) {
            if !names.contains(&name.as_str()) {
                return Err(missing_column(name, &names));
            }
        }
        let (mut variables, mut empty) = (Vec::new(), Vec::new());
        for name in &names {
            let weight = options.weights.get(*name).copied().unwrap_or(1.0);
            if !(0.0..1e150).contains(&weight) {
                let wanted = "a finite number from 0 up is needed";
                return Err(Error::argument(format!("weights[{name:?}]"), weight, wanted));
            }
            let asymmetric = options.asymmetric.iter().any(|flag| flag == name);
            match read::learn(tables, name, options.treatments.get(*name), asymmetric)? {
                Some(role) => variables.push(Variable { name: (*name).to_owned(), weight, role }),
                None => empty.push((*name).to_owned()),
            }
        }
        if variables.is_empty() {
            let found = if names.is_empty() { "0 columns" } else { "no value in any column" };
            return Err(Error::argument("X", found, "at least one column with values is needed"));
        }
        if variables.iter().all(|variable| variable.weight == 0.0) {
            return Err(Error::argument("weights", "only 0", "one must be positive"));
        }
        let order = names.into_iter().map(str::to_owned).collect();
        Ok((Self { variables, order }, empty))
    }

    /// Reads a table as learned, and says which categories are new.
    ///
    /// A category that was not learned differs from every other; a number beyond the learned range differs by at most 1.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`], [`Error::ColumnType`], and [`Error::BadValue`] for infinite numbers and unknown ranks or flags.
    pub fn read(&self, table: &Table) -> Result<(GowerRows, Vec<Unseen>)> {
        let mut unseen = Vec::new();
        let raw = self
            .variables
            .iter()
            .map(|variable| {
                let (raw, found) = read::raw(table, &variable.name, &variable.role)?;
                unseen.extend(found);
                Ok(raw)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok((self.rows(raw, table.n_rows()), unseen))
    }

    /// Lays out rows that were read before.
    pub(crate) fn rows(&self, raw: Vec<Raw>, n: usize) -> GowerRows {
        let columns = self.variables.iter().zip(&raw).map(|(variable, raw)| variable.column(raw));
        let columns = Columns::new(n, Measure::Gower, columns.collect());
        GowerRows { raw, columns }
    }

    /// Names of all columns in the order in which they came.
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// Checks a space that was saved, and `raw` values of `n` rows of it.
    pub(crate) fn validate(&self, raw: &[Raw], n: usize) -> Result<()> {
        if self.variables.is_empty() || raw.len() != self.variables.len() {
            return Err(broken("there is not one column of values per variable"));
        }
        for (variable, raw) in self.variables.iter().zip(raw) {
            let fault = |what: &str| Err(broken(format!("variable {:?}: {what}", variable.name)));
            if !self.order.contains(&variable.name) {
                return fault("it is not among the columns");
            }
            if !(0.0..1e150).contains(&variable.weight) {
                return fault("its weight is not a number from 0 up");
            }
            if raw.len() != n {
                return fault("there is not one value per medoid");
            }
            let range = match &variable.role {
                Role::Number { low, high, .. } => Some((low, high, f64::INFINITY)),
                Role::Rank { categories, low, high } => Some((low, high, categories.len() as f64)),
                Role::Level { levels, low, high } => Some((low, high, levels.len() as f64)),
                _ => None,
            };
            match (range, raw) {
                (Some((low, high, below)), Raw::Numbers(values)) => {
                    if !(low.is_finite() && high.is_finite() && low <= high) {
                        return fault("its range is broken");
                    }
                    let wrong = |value: &f64| {
                        value.is_infinite() || (below.is_finite() && !(0.0..below).contains(value))
                    };
                    if values.iter().any(|value| !value.is_nan() && wrong(value)) {
                        return fault("a value is not one of the column");
                    }
                }
                (None, Raw::Codes(codes)) => {
                    let most = match &variable.role {
                        Role::Category { categories } => categories.len(),
                        _ => 2,
                    };
                    if codes.iter().any(|&code| code != MISSING && code as usize >= most) {
                        return fault("a code is not that of a category");
                    }
                }
                _ => return fault("its values are of another kind"),
            }
        }
        Ok(())
    }
}

impl Variable {
    /// The values on the scale of the dissimilarity.
    fn column(&self, raw: &Raw) -> Column {
        match (&self.role, raw) {
            (
                Role::Number { low, high, .. }
                | Role::Rank { low, high, .. }
                | Role::Level { low, high, .. },
                Raw::Numbers(values),
            ) => {
                let scaled = values.iter().map(|&value| self.weight * scaled(value, *low, *high));
                Column::Numbers(scaled.collect(), self.weight)
            }
            (role, raw) => {
                let codes = match raw {
                    Raw::Codes(codes) => codes.clone(),
                    Raw::Numbers(values) => vec![UNSEEN; values.len()],
                };
                let (n_categories, asymmetric) = match role {
                    Role::Category { categories } => (categories.len(), false),
                    _ => (2, true),
                };
                Column::Codes { codes, n_categories, weight: self.weight, asymmetric }
            }
        }
    }

    /// The text or number of each value, as a user knows it; `None` is missing.
    pub(crate) fn decoded(&self, raw: &Raw) -> Decoded {
        let pick = |names: &[String], at: f64| names.get(at as usize).cloned();
        match (&self.role, raw) {
            (Role::Rank { categories, .. }, Raw::Numbers(ranks)) => Decoded::Texts(
                ranks
                    .iter()
                    .map(|&r| if r.is_nan() { None } else { pick(categories, r) })
                    .collect(),
            ),
            (Role::Level { levels, .. }, Raw::Numbers(ranks)) => {
                Decoded::Numbers(
                    ranks
                        .iter()
                        .map(|&r| {
                            if r.is_nan() {
                                r
                            } else {
                                levels.get(r as usize).copied().unwrap_or(r)
                            }
                        })
                        .collect(),
                )
            }
            (Role::Category { categories }, Raw::Codes(codes)) => {
                Decoded::Texts(codes.iter().map(|&c| categories.get(c as usize).cloned()).collect())
            }
            (Role::Flag { categories: Some(names) }, Raw::Codes(codes)) => {
                Decoded::Texts(codes.iter().map(|&c| names.get(c as usize).cloned()).collect())
            }
            (_, Raw::Codes(codes)) => Decoded::Numbers(
                codes.iter().map(|&c| if c < 2 { f64::from(c) } else { f64::NAN }).collect(),
            ),
            (_, Raw::Numbers(values)) => Decoded::Numbers(values.clone()),
        }
    }
}

/// Values of a column as a user knows them.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// Numbers; NaN is missing.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<Option<String>>),
}

/// Where a value lies between `low` (0) and `high` (1); beyond them at most one range away, since differences end at 1.
fn scaled(value: f64, low: f64, high: f64) -> f64 {
    if low == high {
        return if value > low {
            1.0
        } else if value < low {
            -1.0
        } else {
            value - low
        };
    }
    let range = high - low;
    let place = if range.is_finite() {
        (value - low) / range
    } else {
        (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
    };
    place.clamp(-1.0, 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_within_reach_whatever_the_range() {
        assert_eq!(scaled(5.0, 0.0, 10.0), 0.5);
        assert_eq!(scaled(1e300, 0.0, 1e-300), 2.0);
        assert_eq!(scaled(f64::MAX, -f64::MAX, f64::MAX), 1.0);
        assert_eq!(scaled(0.0, -f64::MAX, f64::MAX), 0.5);
        assert_eq!(scaled(3.0, 3.0, 3.0), 0.0);
        assert_eq!(scaled(-1e9, 3.0, 3.0), -1.0);
        assert_eq!(scaled(5e-324, 0.0, 1e-323), 0.5);
        assert!(scaled(f64::NAN, 3.0, 3.0).is_nan() && scaled(f64::NAN, 0.0, 1.0).is_nan());
    }
}
