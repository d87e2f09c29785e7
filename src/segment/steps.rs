//! What edits do to customers, in order: new customers go through the same steps.

use serde::{Deserialize, Serialize};

use super::rules::{Condition, check_conditions, first_met};
use super::{Rules, Segmentation};
use crate::error::Result;
use crate::parallel::Monitor;
use crate::persist::{Persist, broken};
use crate::table::{MISSING, Table};

/// One edit, as far as it moves customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Segments become other segments.
    Regroup {
        /// New segment of each old one; [`MISSING`] where it is dropped.
        groups: Vec<u32>,
        /// Number of segments afterwards.
        n: u32,
    },
    /// A segment becomes several, which take its place in the order.
    Split {
        /// The segment.
        segment: u32,
        /// Number of its parts.
        parts: u32,
        /// Which customer goes to which part.
        by: Splitter,
    },
    /// Customers who meet all conditions go to a segment.
    Move {
        /// The conditions.
        all: Vec<Condition>,
        /// The segment.
        to: u32,
    },
}

/// What tells the parts of a segment apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitter {
    /// Rules whose segments are the parts.
    Rules(Rules),
    /// Segments that were found among the customers of the segment.
    Segments(Box<Segmentation>),
}

impl Splitter {
    /// The part of each row that `asked` is true for.
    pub(super) fn parts(
        &self,
        table: &Table,
        asked: &[bool],
        monitor: &Monitor,
    ) -> Result<Vec<u32>> {
        match self {
            Self::Rules(rules) => Ok(rules.assign(table)?.labels),
            Self::Segments(found) => {
                let some = found.predict(&table.filter(asked)?, monitor)?.labels;
                Ok(spread(&some, asked))
            }
        }
    }
}

/// Labels of some rows at their places among all.
pub(super) fn spread(some: &[u32], asked: &[bool]) -> Vec<u32> {
    let mut next = some.iter();
    let place = |&asked: &bool| match asked {
        true => next.next().copied().unwrap_or(MISSING),
        false => MISSING,
    };
    asked.iter().map(place).collect()
}

impl Step {
    /// Columns that the step reads.
    pub(super) fn reads(&self) -> Vec<String> {
        match self {
            Self::Regroup { .. } => Vec::new(),
            Self::Split { by: Splitter::Rules(rules), .. } => rules.columns(),
            Self::Split { by: Splitter::Segments(found), .. } => found.reads(),
            Self::Move { all, .. } => all.iter().map(|found| found.column.clone()).collect(),
        }
    }
}

/// Labels after all steps.
pub(super) fn follow(
    steps: &[Step],
    table: &Table,
    mut labels: Vec<u32>,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    for step in steps {
        labels = match step {
            Step::Regroup { groups, .. } => renumber(&labels, groups),
            Step::Split { segment, parts, by } => {
                let asked: Vec<bool> = labels.iter().map(|label| label == segment).collect();
                let found = by.parts(table, &asked, monitor)?;
                divided(&labels, *segment, *parts, &found)
            }
            Step::Move { all, to } => {
                let met = first_met(table, std::iter::once(all.as_slice()))?;
                let moved = |(&label, met): (&u32, u32)| match met {
                    0 if label != MISSING => *to,
                    _ => label,
                };
                labels.iter().zip(met).map(moved).collect()
            }
        };
    }
    Ok(labels)
}

pub(super) fn renumber(labels: &[u32], groups: &[u32]) -> Vec<u32> {
    labels.iter().map(|&label| groups.get(label as usize).copied().unwrap_or(MISSING)).collect()
}

/// Labels after a segment became `parts`; a customer of no part is in no segment.
pub(super) fn divided(labels: &[u32], segment: u32, parts: u32, found: &[u32]) -> Vec<u32> {
    let place = |(&label, &part): (&u32, &u32)| match label {
        MISSING => MISSING,
        label if label == segment => match part {
            MISSING => MISSING,
            part => segment + part,
        },
        label if label > segment => label + parts - 1,
        label => label,
    };
    labels.iter().zip(found).map(place).collect()
}

/// The last segment of each first one, where all steps regroup; nothing where one splits or moves.
pub(super) fn regrouped(steps: &[Step], base: usize) -> Option<Vec<u32>> {
    let mut groups: Vec<u32> = (0..base as u32).collect();
    for step in steps {
        let Step::Regroup { groups: next, .. } = step else { return None };
        groups = renumber(&groups, next);
    }
    Some(groups)
}

/// Number of segments after all steps, of which each must fit the one before.
pub(super) fn validate(steps: &[Step], base: usize) -> Result<usize> {
    let mut k = base;
    for step in steps {
        k = match step {
            Step::Regroup { groups, n } => {
                let within = |group: &u32| *group == MISSING || group < n;
                if groups.len() != k || !groups.iter().all(within) {
                    return Err(broken("an edit regroups other segments than there are"));
                }
                *n as usize
            }
            Step::Split { segment, parts, by } => {
                if *segment as usize >= k || *parts < 2 {
                    return Err(broken("an edit splits no segment, or into too few parts"));
                }
                match by {
                    Splitter::Rules(rules) => rules.validate(*parts as usize)?,
                    Splitter::Segments(found) => {
                        found.validate()?;
                        if found.names().len() != *parts as usize {
                            return Err(broken("an edit splits into another number of parts"));
                        }
                    }
                }
                k.checked_add(*parts as usize - 1)
                    .filter(|&k| k < MISSING as usize)
                    .ok_or_else(|| broken("an edit splits into too many parts"))?
            }
            Step::Move { all, to } => {
                if *to as usize >= k {
                    return Err(broken("an edit moves customers to no segment"));
                }
                check_conditions(all.iter()).map_err(|error| broken(error.to_string()))?;
                k
            }
        };
    }
    Ok(k)
}
