//! Customers as the numbers that clustering works on: amounts on one scale, categories as codes.
//!
//! [`Preparation::learn`] decides once how each column is read; [`Preparation::apply`] reads any table that way, so new
//! customers are treated exactly as those the segments were found on. [`Learned`] reads the table that was learned from
//! without encoding its categories again, which is most of the work where they are text.

use serde::{Deserialize, Serialize};

use super::moments::{Moments, median_positive};
use super::prepared::{Column, Learned};
use super::{Codes, Kind, MISSING, Numeric, Table, UNSEEN};
use crate::error::{Error, Result};
use crate::persist;

/// How amounts are brought to one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Mean 0 and standard deviation 1; long right tails first by logarithm.
    Auto,
    /// Mean 0 and standard deviation 1.
    Standard,
    /// Smallest 0 and largest 1.
    Range,
    /// As they are.
    None,
}

/// Skewness above which [`Scale::Auto`] takes logarithms of a column without negative values.
pub const SKEWED: f64 = 2.0;

/// How one column is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Feature {
    /// A number, a date in days, or the rank of an ordered category.
    Amount {
        /// Name of the column.
        name: String,
        /// Where the value comes from.
        source: Source,
        /// Amounts are `ln(1 + x / unit)` first, where this is given.
        log_unit: Option<f64>,
        /// Subtracted.
        center: f64,
        /// Divided by.
        spread: f64,
    },
    /// A category without order.
    Category {
        /// Name of the column.
        name: String,
        /// Names of the categories met; others are unknown.
        categories: Vec<String>,
    },
}

/// How columns are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Numbers, dates and ordered categories as amounts, all others as categories.
    ByKind,
    /// Every column as categories, each of its values one.
    Categories,
}

/// Where an amount comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The number itself.
    Number,
    /// Days since 1970-01-01.
    Days,
    /// Position among ordered categories.
    Rank(Vec<String>),
}

impl Feature {
    /// Name of the column.
    pub fn name(&self) -> &str {
        match self {
            Self::Amount { name, .. } | Self::Category { name, .. } => name,
        }
    }

    /// Number of known categories; 0 of an amount.
    pub fn n_categories(&self) -> usize {
        match self {
            Self::Amount { .. } => 0,
            Self::Category { categories, .. } => categories.len(),
        }
    }

    /// The column of a table, read as this feature.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn read(&self, table: &Table) -> Result<Column> {
        match self {
            Self::Amount { name, source, log_unit, center, spread } => {
                let mut values = read_amount(table, name, source)?;
                let unit = log_unit.unwrap_or(0.0);
                for value in &mut values {
                    let logged = if unit > 0.0 { (*value / unit).ln_1p() } else { *value };
                    *value = (logged - center) / spread;
                }
                Ok(Column::Amount(values))
            }
            Self::Category { name, categories } => {
                let mut read = table.codes(name)?;
                let known = known_codes(&read, categories);
                for code in &mut read.codes {
                    *code = known.get(*code as usize).copied().unwrap_or(MISSING);
                }
                Ok(Column::Category(read.codes))
            }
        }
    }
}

/// How every feature is read, amounts first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// The features, amounts before categories.
    pub features: Vec<Feature>,
    /// The scale asked for.
    pub scale: Scale,
}

/// A column that was not used as a feature, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// Name of the column.
    pub name: String,
    /// The reason, as a clause.
    pub reason: String,
}

/// Most categories that a text column may have and still be taken without being asked for.
pub const MAX_CATEGORIES: usize = 50;

impl Preparation {
    /// Decides how the named columns are read.
    ///
    /// `chosen` says whether the user named the columns; else identifiers and free text are left out. Constant columns
    /// and columns without a value always are, since they tell nobody apart. What is left out is given back with the
    /// reason.
    ///
    /// # Errors
    ///
    /// Those of reading a column; [`Error::Argument`] if no feature is left.
    pub fn learn(
        table: &Table,
        names: &[String],
        chosen: bool,
        scale: Scale,
        reading: Reading,
    ) -> Result<Learned> {
        let (mut amounts, mut categories) = (Vec::new(), Vec::new());
        let (mut codes, mut unused) = (Vec::new(), Vec::new());
        for name in names {
            match learn_feature(table, name, chosen, scale, reading)? {
                Ok((feature @ Feature::Amount { .. }, _)) => amounts.push(feature),
                Ok((feature, read)) => {
                    categories.push(feature);
                    codes.push(read);
                }
                Err(reason) => unused.push(Unused { name: name.clone(), reason }),
            }
        }
        amounts.append(&mut categories);
        if amounts.is_empty() {
            let reasons: Vec<String> = unused
                .iter()
                .map(|column| format!("{:?} {}", column.name, column.reason))
                .collect();
            return Err(Error::argument(
                "features",
                if reasons.is_empty() { "no column".to_string() } else { reasons.join(", ") },
                "at least one column that varies is needed",
            ));
        }
        Ok(Learned { preparation: Self { features: amounts, scale }, unused, codes })
    }

    /// Number of features that are amounts.
    pub fn n_amounts(&self) -> usize {
        self.features.iter().filter(|f| matches!(f, Feature::Amount { .. })).count()
    }

    /// Checks what a saved preparation must satisfy.
    ///
    /// # Errors
    ///
    /// [`Error::ModelFile`].
    pub fn validate(&self) -> Result<()> {
        let mut categories_seen = false;
        for feature in &self.features {
            let name = feature.name();
            match feature {
                Feature::Amount { center, spread, log_unit, .. } => {
                    let positive = |x: f64| x.is_finite() && x > 0.0;
                    if !center.is_finite() || !positive(*spread) || !log_unit.is_none_or(positive) {
                        return Err(persist::broken(format!(
                            "feature {name:?} has a broken scale"
                        )));
                    }
                    if categories_seen {
                        return Err(persist::broken("amounts must stand before categories"));
                    }
                }
                Feature::Category { categories, .. } => {
                    categories_seen = true;
                    if categories.is_empty() {
                        return Err(persist::broken(format!("feature {name:?} has no category")));
                    }
                }
            }
        }
        Ok(())
    }
}

/// For each category read, its learned code or [`UNSEEN`].
fn known_codes(read: &Codes, learned: &[String]) -> Vec<u32> {
    let position = |name: &String| learned.iter().position(|other| other == name);
    read.categories.iter().map(|name| position(name).map_or(UNSEEN, |at| at as u32)).collect()
}

/// The feature, with the codes of a category; or why it is none.
fn learn_feature(
    table: &Table,
    name: &str,
    chosen: bool,
    scale: Scale,
    reading: Reading,
) -> Result<Result<(Feature, Vec<u32>), String>> {
    let as_categories = reading == Reading::Categories;
    let source = match table.kind(name)? {
        Kind::Empty => return Ok(Err("has no value".to_string())),
        Kind::Nominal | Kind::Boolean => return learn_category(table, name, chosen),
        Kind::Other if chosen => {
            return table.codes(name).map(|_| Err("is unreadable".to_string()));
        }
        Kind::Other => return Ok(Err("has a type that segments cannot be made from".to_string())),
        Kind::Ordinal if as_categories => return learn_category(table, name, chosen),
        Kind::Number | Kind::Date if as_categories => return learn_values(table, name, chosen),
        Kind::Ordinal => Source::Rank(table.codes(name)?.categories),
        Kind::Date => Source::Days,
        Kind::Number => Source::Number,
    };
    let values = read_amount(table, name, &source)?;
    check_size(name, &values)?;
    if !chosen && source == Source::Number && is_identifier(name, &values) {
        return Ok(Err(format!("looks like an identifier (features=[..., {name:?}] uses it)")));
    }
    let moments = Moments::of(&values);
    if moments.low == moments.high {
        return Ok(Err("is constant".to_string()));
    }
    let log_unit = (scale == Scale::Auto
        && source == Source::Number
        && moments.low >= 0.0
        && moments.skewness > SKEWED)
        .then(|| median_positive(&values))
        .filter(|unit| unit.is_normal());
    let moments = match log_unit {
        Some(unit) => {
            Moments::of(&values.iter().map(|&value| (value / unit).ln_1p()).collect::<Vec<_>>())
        }
        None => moments,
    };
    let (center, spread) = match scale {
        Scale::Auto | Scale::Standard => (moments.mean, moments.deviation),
        Scale::Range => (moments.low, moments.high - moments.low),
        Scale::None => (0.0, 1.0),
    };
    if !(spread.is_normal() && spread > 0.0) {
        return Ok(Err("varies too little to be told from a constant".to_string()));
    }
    let feature = Feature::Amount { name: name.to_string(), source, log_unit, center, spread };
    Ok(Ok((feature, Vec::new())))
}

/// Refuses numbers whose squares would overflow.
fn check_size(name: &str, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| value.abs() > 1e150) {
        None => Ok(()),
        Some(row) => Err(Error::value(
            name,
            row,
            values[row],
            "numbers must lie within ±1e150, since they are squared",
        )),
    }
}

/// A column of numbers or dates whose values are few enough to be categories.
fn learn_values(
    table: &Table,
    name: &str,
    chosen: bool,
) -> Result<Result<(Feature, Vec<u32>), String>> {
    if table.kind(name)? == Kind::Number {
        // Profiles tell their means and deviations.
        check_size(name, &read_amount(table, name, &Source::Number)?)?;
    }
    let n = table.codes(name)?.categories.len();
    if n <= MAX_CATEGORIES {
        return learn_category(table, name, chosen);
    }
    let reason = format!("has {n} different values, and latent classes take categories");
    if !chosen {
        return Ok(Err(reason));
    }
    let wanted = format!("at most {MAX_CATEGORIES} different values are taken as categories");
    Err(Error::argument(format!("column {name:?}"), format!("{n} different values"), wanted)
        .with_mend(format!("df[{name:?}] = pd.qcut(df[{name:?}], 5)")))
}

fn learn_category(
    table: &Table,
    name: &str,
    chosen: bool,
) -> Result<Result<(Feature, Vec<u32>), String>> {
    let codes = table.codes(name)?;
    let n = codes.categories.len();
    if n < 2 {
        return Ok(Err("is constant".to_string()));
    }
    if !chosen && n > MAX_CATEGORIES {
        return Ok(Err(format!(
            "has {n} categories, more than {MAX_CATEGORIES} (features=[..., {name:?}] uses it)"
        )));
    }
    if !chosen && n == table.n_rows() - codes.n_missing && n > 20 {
        return Ok(Err(format!("is different in every row (features=[..., {name:?}] uses it)")));
    }
    let feature = Feature::Category { name: name.to_string(), categories: codes.categories };
    Ok(Ok((feature, codes.codes)))
}

fn read_amount(table: &Table, name: &str, source: &Source) -> Result<Vec<f64>> {
    let values = |numeric: Numeric| numeric.to_vec();
    match source {
        Source::Number => table.numeric(name).map(values),
        Source::Days => table.days(name).map(values),
        Source::Rank(categories) => {
            let read = table.codes(name)?;
            let ranks = known_codes(&read, categories);
            for (code, &rank) in ranks.iter().enumerate() {
                if rank == UNSEEN
                    && let Some(row) = read.codes.iter().position(|&c| c as usize == code)
                {
                    return Err(Error::value(
                        name,
                        row,
                        format!("{:?}", read.categories[code]),
                        format!("the ordered categories are {}", categories.join(" < ")),
                    ));
                }
            }
            let rank = |&code: &u32| ranks.get(code as usize).map_or(f64::NAN, |&r| f64::from(r));
            Ok(read.codes.iter().map(rank).collect())
        }
    }
}

/// Values from which on whole, all different numbers under the name of a customer are his number.
const ENOUGH: usize = 20;

/// Whether a column of whole, all different numbers is named like an identifier.
pub(crate) fn is_identifier(name: &str, values: &[f64]) -> bool {
    let lower = name.to_lowercase();
    let named = lower.split(|c: char| !c.is_alphanumeric()).any(|word| {
        matches!(word, "id" | "ids" | "key" | "uuid" | "code" | "number" | "nr" | "no" | "index")
    }) || name.ends_with("Id")
        || name.ends_with("ID")
        || (matches!(lower.as_str(), "customer" | "client" | "user" | "account" | "respondent")
            && values.len() > ENOUGH);
    if !named || values.iter().any(|value| value.fract() != 0.0) {
        return false;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customers() -> Table {
        let n = 40;
        Table::builder()
            .int("customer_id", 0..n)
            .float("age", (0..n).map(|i| if i == 3 { f64::NAN } else { 20.0 + (i % 10) as f64 }))
            .float("spend", (0..n).map(|i| ((i % 20) as f64 / 2.0).exp()))
            .text("channel", (0..n).map(|i| if i % 3 == 0 { "shop" } else { "web" }))
            .text("note", (0..n).map(|i| format!("free text {i}")))
            .float("constant", (0..n).map(|_| 1.0))
            .finish()
            .unwrap()
    }

    fn names(table: &Table) -> Vec<String> {
        table.names().into_iter().map(str::to_string).collect()
    }

    #[test]
    fn identifiers_free_text_and_constants_are_left_out_with_the_reason() {
        let table = customers();
        let Learned { preparation, unused, .. } =
            Preparation::learn(&table, &names(&table), false, Scale::Auto, Reading::ByKind)
                .unwrap();
        let used: Vec<&str> = preparation.features.iter().map(Feature::name).collect();
        assert_eq!(used, ["age", "spend", "channel"]);
        let left: Vec<&str> = unused.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(left, ["customer_id", "note", "constant"]);
    }

    #[test]
    fn numbers_of_customers_are_identifiers_where_they_are_many_and_all_differ() {
        let numbers = |n: usize| (1..=n).map(|i| i as f64).collect::<Vec<_>>();
        assert!(is_identifier("order no", &numbers(3)) && is_identifier("Customer", &numbers(21)));
        assert!(!is_identifier("customer", &numbers(20)));
        assert!(!is_identifier("customers", &numbers(21)));
        let repeated: Vec<f64> = numbers(21).into_iter().chain([7.0]).collect();
        assert!(!is_identifier("customer", &repeated));
    }

    #[test]
    fn amounts_are_standardised_and_long_tails_logged() {
        let table = customers();
        let learned =
            Preparation::learn(&table, &names(&table), false, Scale::Auto, Reading::ByKind)
                .unwrap();
        let again = learned.preparation.apply(&table).unwrap();
        let (preparation, _, prepared) = learned.apply(&table).unwrap();
        assert_eq!((&again.codes, &again.n_categories), (&prepared.codes, &prepared.n_categories));
        assert!(again.numeric.iter().zip(&prepared.numeric).all(|(a, b)| a.total_cmp(b).is_eq()));
        for column in prepared.numeric.columns() {
            let seen: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
            let mean = seen.iter().sum::<f64>() / seen.len() as f64;
            let variance = seen.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / seen.len() as f64;
            assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
        }
        let logged = preparation.features.iter().filter(
            |feature| matches!(feature, Feature::Amount { log_unit: Some(_), name, .. } if name == "spend"),
        );
        assert_eq!(logged.count(), 1);
        assert!(prepared.is_incomplete(3) && !prepared.is_incomplete(4));
    }

    #[test]
    fn unknown_categories_get_their_own_code() {
        let table = customers();
        let wanted = ["channel".to_string()];
        let learned =
            Preparation::learn(&table, &wanted, true, Scale::Auto, Reading::ByKind).unwrap();
        let new = Table::builder().text("channel", ["web", "phone", "shop"]).finish().unwrap();
        let prepared = learned.preparation.apply(&new).unwrap();
        assert_eq!(prepared.codes.column(0).to_vec(), [1, UNSEEN, 0]);
        assert_eq!(prepared.n_categories, [2]);
    }

    #[test]
    fn nothing_to_tell_customers_apart_is_an_error() {
        let table = Table::builder().float("x", [1.0, 1.0]).finish().unwrap();
        let error =
            Preparation::learn(&table, &["x".to_string()], true, Scale::Auto, Reading::ByKind)
                .unwrap_err();
        assert!(error.to_string().contains("\"x\" is constant"), "{error}");
    }
}
