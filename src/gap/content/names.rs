//! Personas and stages: which there are, in which order, and which of them a piece of content serves.

use crate::economics::reader::{Labels, union};
use crate::error::{Error, Result};
use crate::table::{Codes, MISSING};

/// Whom a category of the inventory's column means.
#[derive(Debug, Clone, PartialEq)]
enum Meant {
    Everyone,
    Named(Vec<String>),
}

/// A column of personas or of stages as it stands in the inventory.
pub(in crate::gap) struct Column {
    pub(in crate::gap) codes: Vec<u32>,
    name: String,
    meant: Vec<Meant>,
    /// Names in order, and whether that order was declared.
    names: Vec<String>,
    ordered: bool,
}

/// Names of one side of the matrix, and for each category of the column the places of those that it serves.
pub(in crate::gap) struct Side {
    pub(in crate::gap) names: Vec<String>,
    pub(in crate::gap) serves: Vec<Vec<usize>>,
    /// Whether the order means something.
    pub(in crate::gap) ordered: bool,
}

impl Column {
    /// Reads the column, taking texts with several names apart.
    pub(in crate::gap) fn read(
        labels: Labels<'_>,
        everyone: Option<&str>,
        separator: Option<&str>,
    ) -> Result<Self> {
        let Codes { codes, categories, ordered, .. } = labels.table.codes(labels.name)?;
        let mut several = false;
        let meant: Vec<Meant> = categories
            .iter()
            .map(|category| {
                let parts: Vec<String> = match separator {
                    Some(separator) => category
                        .split(separator)
                        .map(|part| part.trim().to_string())
                        .filter(|part| !part.is_empty())
                        .collect(),
                    None => vec![category.clone()],
                };
                several |= parts.len() > 1;
                match everyone {
                    Some(word) if parts.iter().any(|part| part == word) => Meant::Everyone,
                    _ => Meant::Named(parts),
                }
            })
            .collect();
        let mut names: Vec<String> = Vec::new();
        for parts in &meant {
            if let Meant::Named(parts) = parts {
                names = union(&names, parts).0;
            }
        }
        let ordered = ordered && !several;
        if !ordered && several {
            names.sort();
        }
        let mut column = Self { codes, name: labels.name.to_string(), meant, names, ordered };
        // A cell that holds nothing but separators names nobody.
        for code in &mut column.codes {
            if *code != MISSING && column.meant[*code as usize] == Meant::Named(Vec::new()) {
                *code = MISSING;
            }
        }
        Ok(column)
    }

    /// Settles which names there are: those given, else those declared by ordered categories, else those of the occupancy
    /// and then those of the inventory. `argument` is the plural under which the user gives them.
    pub(in crate::gap) fn settle(
        self,
        argument: &str,
        given: Option<&[String]>,
        elsewhere: &[String],
    ) -> Result<Side> {
        let declared = match given {
            Some(given) => {
                if let Some(twice) =
                    (1..given.len()).find(|&place| given[..place].contains(&given[place]))
                {
                    let found = format!("{:?} twice", given[twice]);
                    return Err(Error::argument(argument, found, "each is named once"));
                }
                Some(given.to_vec())
            }
            None => self.ordered.then(|| self.names.clone()),
        };
        let ordered = declared.is_some();
        let names = match declared {
            Some(names) => {
                for name in elsewhere {
                    known("occupancy", argument, name, &names)?;
                }
                names
            }
            None => {
                // Not one name in common: the two speak of different things.
                let both = |name: &String| self.names.contains(name);
                if !elsewhere.is_empty() && !self.names.is_empty() && !elsewhere.iter().any(both) {
                    let found = format!("the {argument} {}", quoted(elsewhere));
                    let wanted =
                        format!("the {argument} of the inventory are {}", quoted(&self.names));
                    return Err(Error::argument("occupancy", found, wanted).with_mend(format!(
                        "{argument}=[{:?}, {:?}]",
                        elsewhere[0], self.names[0]
                    )));
                }
                union(elsewhere, &self.names).0
            }
        };
        if names.is_empty() {
            return Err(Error::argument(argument, "none", "at least one must be named")
                .with_mend(format!("{argument}=[\"first\", \"second\"]")));
        }
        let mut serves = Vec::with_capacity(self.meant.len());
        for (category, meant) in self.meant.iter().enumerate() {
            serves.push(match meant {
                Meant::Everyone => (0..names.len()).collect(),
                Meant::Named(parts) => {
                    let mut places = Vec::with_capacity(parts.len());
                    for part in parts {
                        match names.iter().position(|name| name == part) {
                            Some(place) => places.push(place),
                            // Declared categories that no row holds may be others.
                            None => {
                                if let Some(row) =
                                    self.codes.iter().position(|&code| code as usize == category)
                                {
                                    return Err(Error::value(
                                        &self.name,
                                        row,
                                        format!("{part:?}"),
                                        format!("the {argument} are {}", quoted(&names)),
                                    ));
                                }
                            }
                        }
                    }
                    places.sort_unstable();
                    places.dedup();
                    places
                }
            });
        }
        Ok(Side { names, serves, ordered })
    }
}

/// The place of a name, or the refusal of one that is not there.
pub(in crate::gap) fn known(
    argument: &str,
    plural: &str,
    name: &str,
    names: &[String],
) -> Result<usize> {
    names.iter().position(|other| other == name).ok_or_else(|| {
        Error::argument(
            argument,
            format!("{name:?}"),
            format!("the {plural} are {}", quoted(names)),
        )
    })
}

/// Names in quotes, shortened where they are many.
fn quoted(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut quoted: Vec<String> = names.iter().take(SHOWN).map(|n| format!("{n:?}")).collect();
    if names.len() > SHOWN {
        quoted.push(format!("and {} more", names.len() - SHOWN));
    }
    quoted.join(", ")
}
