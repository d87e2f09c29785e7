//! Reading columns for Gower's dissimilarity.

use serde::{Deserialize, Serialize};

use super::space::{Raw, Role, Treatment};
use crate::cluster::mixed::Unseen;
use crate::error::{Error, Result};
use crate::simd::{MISSING, UNSEEN};
use crate::table::{Codes, Kind, Numeric, Table};

/// Where a number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// The number itself.
    Number,
    /// Days since 1970-01-01.
    Days,
}

impl Source {
    fn read(self, table: &Table, name: &str) -> Result<Numeric> {
        match self {
            Self::Number => table.numeric(name),
            Self::Days => table.days(name),
        }
    }
}

/// How a column is read, from all tables that have it; `None` where it has no value.
pub(super) fn learn(
    tables: &[&Table],
    name: &str,
    treatment: Option<&Treatment>,
    asymmetric: bool,
) -> Result<Option<Role>> {
    let mut kind = Kind::Empty;
    for table in tables {
        if kind == Kind::Empty {
            kind = table.kind(name)?;
        }
    }
    if kind == Kind::Empty {
        return Ok(None);
    }
    if asymmetric {
        return match treatment {
            None | Some(Treatment::Category) => flag(tables, name, kind),
            Some(_) => Err(Error::argument(
                "asymmetric",
                format!("{name:?}, which is to be a number or ranks too"),
                "a flag is neither",
            )),
        };
    }
    let role = match (treatment, kind) {
        (Some(Treatment::Number), Kind::Date) | (None, Kind::Date) => {
            number(tables, name, Source::Days)?
        }
        (Some(Treatment::Number), _) | (None, Kind::Number) => {
            number(tables, name, Source::Number)?
        }
        (Some(Treatment::Rank(Some(categories))), _) => ranks(tables, name, categories.clone())?,
        (Some(Treatment::Rank(None)) | None, Kind::Ordinal) => {
            let categories = tables[0].codes(name)?.categories;
            ranks(tables, name, categories)?
        }
        (Some(Treatment::Rank(None)), Kind::Number) => levels(tables, name)?,
        (Some(Treatment::Rank(None)), _) => {
            return Err(Error::argument(
                "ordinal",
                format!("{name:?}, whose categories have no order"),
                "the order is needed",
            )
            .with_mend(format!("ordinal={{{name:?}: [\"low\", \"medium\", \"high\"]}}")));
        }
        (Some(Treatment::Category) | None, _) => category(tables, name)?,
    };
    Ok(role)
}

fn number(tables: &[&Table], name: &str, source: Source) -> Result<Option<Role>> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for table in tables {
        for &value in source.read(table, name)?.iter() {
            low = if value < low { value } else { low };
            high = if value > high { value } else { high };
        }
    }
    Ok((low <= high).then_some(Role::Number { source, low, high }))
}

fn ranks(tables: &[&Table], name: &str, categories: Vec<String>) -> Result<Option<Role>> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for table in tables {
        for rank in rank(table, name, &categories)? {
            low = if rank < low { rank } else { low };
            high = if rank > high { rank } else { high };
        }
    }
    Ok((low <= high).then_some(Role::Rank { categories, low, high }))
}

fn levels(tables: &[&Table], name: &str) -> Result<Option<Role>> {
    let mut levels = Vec::new();
    for table in tables {
        levels.extend(table.numeric(name)?.iter().filter(|value| !value.is_nan()));
    }
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup_by(|a, b| a == b);
    let high = levels.len().saturating_sub(1) as f64;
    Ok((!levels.is_empty()).then_some(Role::Level { levels, low: 0.0, high }))
}

fn category(tables: &[&Table], name: &str) -> Result<Option<Role>> {
    let mut categories = tables[0].codes(name)?.categories;
    for table in &tables[1..] {
        let known: std::collections::HashSet<String> = categories.iter().cloned().collect();
        let codes = table.codes(name)?.categories;
        categories.extend(codes.into_iter().filter(|category| !known.contains(category)));
    }
    Ok(Some(Role::Category { categories }))
}

fn flag(tables: &[&Table], name: &str, kind: Kind) -> Result<Option<Role>> {
    let role = match kind {
        Kind::Number => Role::Flag { categories: None },
        Kind::Boolean => Role::Flag { categories: Some(["False".to_owned(), "True".to_owned()]) },
        _ => {
            let Some(Role::Category { categories }) = category(tables, name)? else {
                return Ok(None);
            };
            let n = categories.len();
            let categories = <[String; 2]>::try_from(categories).map_err(|_| {
                Error::argument(
                    format!("asymmetric: column {name:?}"),
                    format!("{n} categories"),
                    "a flag has two",
                )
                .with_mend(format!("df[{name:?}] = df[{name:?}] == \"yes\""))
            })?;
            Role::Flag { categories: Some(categories) }
        }
    };
    for table in tables {
        raw(table, name, &role)?;
    }
    Ok(Some(role))
}

/// Ranks of ordered categories; NaN is missing.
fn rank(table: &Table, name: &str, categories: &[String]) -> Result<Vec<f64>> {
    let read = table.codes(name)?;
    let known = known(&read, categories);
    if let Some((row, found)) = first_unseen(&read, &known) {
        return Err(Error::value(
            name,
            row,
            format!("{found:?}"),
            format!("the ordered categories are {}", categories.join(" < ")),
        ));
    }
    let rank = |&code: &u32| known.get(code as usize).map_or(f64::NAN, |&rank| f64::from(rank));
    Ok(read.codes.iter().map(rank).collect())
}

/// The learned code of each category read, or [`UNSEEN`].
fn known(read: &Codes, learned: &[String]) -> Vec<u32> {
    let codes: std::collections::HashMap<&str, u32> =
        learned.iter().map(String::as_str).zip(0..).collect();
    read.categories.iter().map(|name| codes.get(name.as_str()).copied().unwrap_or(UNSEEN)).collect()
}

/// The first row with a category that was not learned, and the category.
fn first_unseen<'a>(read: &'a Codes, known: &[u32]) -> Option<(usize, &'a str)> {
    let is_unseen = |code: &u32| known.get(*code as usize) == Some(&UNSEEN);
    let row = read.codes.iter().position(is_unseen)?;
    Some((row, read.category(row).unwrap_or_default()))
}

/// The values of a column as its role reads them, and what is new in it.
pub(super) fn raw(table: &Table, name: &str, role: &Role) -> Result<(Raw, Option<Unseen>)> {
    let numbers = |values| Ok((Raw::Numbers(values), None));
    match role {
        Role::Number { source, .. } => numbers(source.read(table, name)?.to_vec()),
        Role::Rank { categories, .. } => numbers(rank(table, name, categories)?),
        Role::Level { levels, .. } => {
            let values = table.numeric(name)?;
            numbers(values.iter().map(|&value| level(value, levels)).collect())
        }
        Role::Flag { categories: None } => {
            let values = table.numeric(name)?;
            if let Some(row) = values.iter().position(|&v| !(v.is_nan() || v == 0.0 || v == 1.0)) {
                let wanted = "an asymmetric number must be 0 or 1";
                return Err(Error::value(name, row, values[row], wanted)
                    .with_mend(format!("df[{name:?}] = df[{name:?}] > 0")));
            }
            let code = |&value: &f64| if value.is_nan() { MISSING } else { value as u32 };
            Ok((Raw::Codes(values.iter().map(code).collect()), None))
        }
        Role::Flag { categories: Some(names) } => {
            let (codes, unseen) = codes(table, name, names)?;
            if let Some(Unseen { column, row, category, .. }) = unseen {
                let wanted = format!("the flag is {:?} or {:?}", names[0], names[1]);
                return Err(Error::value(column, row, format!("{category:?}"), wanted));
            }
            Ok((Raw::Codes(codes), None))
        }
        Role::Category { categories } => {
            let (codes, unseen) = codes(table, name, categories)?;
            Ok((Raw::Codes(codes), unseen))
        }
    }
}

/// Rank of a number among the levels; halfway between two where it is none of them.
fn level(value: f64, levels: &[f64]) -> f64 {
    if value.is_nan() {
        return value;
    }
    let below = levels.partition_point(|&level| level < value);
    if levels.get(below) == Some(&value) { below as f64 } else { below as f64 - 0.5 }
}

fn codes(table: &Table, name: &str, learned: &[String]) -> Result<(Vec<u32>, Option<Unseen>)> {
    let read = table.codes(name)?;
    let known = known(&read, learned);
    let code = |&code: &u32| known.get(code as usize).copied().unwrap_or(MISSING);
    let codes: Vec<u32> = read.codes.iter().map(code).collect();
    let unseen = first_unseen(&read, &known).map(|(row, category)| Unseen {
        column: name.to_owned(),
        row,
        category: category.to_owned(),
        n: codes.iter().filter(|&&code| code == UNSEEN).count(),
    });
    Ok((codes, unseen))
}
