//! One side of a gap matrix: a column of the records, or several columns whose categories are crossed.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::memory;
use crate::table::{MISSING, Table};

/// What stands between the names of several columns, or of their categories.
const BETWEEN: &str = " · ";

/// A category as the user names it: one name for each column of its side.
pub type Category = Vec<String>;

/// One side of the table and its categories in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Name of the column; of several columns, their names together.
    pub name: String,
    /// Its categories; a record holds the position of one.
    pub categories: Vec<String>,
    /// Whether the categories have an order of their own; those without records are kept then.
    pub ordered: bool,
    /// The columns, where the side is made of more than one.
    pub levels: Vec<Level>,
}

/// One column of a side that is made of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Name of the column.
    pub name: String,
    /// Its category in each category of the side.
    pub categories: Vec<String>,
}

impl Axis {
    /// A column whose categories have no order of their own.
    pub fn new(name: &str, categories: &[&str]) -> Self {
        Self::of(name, categories.iter().map(ToString::to_string).collect())
    }

    /// As [`Axis::new`], of categories that are there already.
    pub fn of(name: &str, categories: Vec<String>) -> Self {
        Self { name: name.to_string(), categories, ordered: false, levels: Vec::new() }
    }

    /// The columns of a table as one side, and the position of every row ([`MISSING`] where a column has none).
    ///
    /// Of several columns those combinations are categories that are met, in the order of the columns' categories.
    ///
    /// # Errors
    ///
    /// Those of reading the columns; [`Error::Argument`] without a column, or with one named twice;
    /// [`Error::MemoryLimit`] for more combinations than fit.
    pub fn read(table: &Table, argument: &str, names: &[String]) -> Result<(Self, Vec<u32>)> {
        if let [name] = names {
            let codes = table.codes(name)?;
            let axis = Self { ordered: codes.ordered, ..Self::of(name, codes.categories) };
            return Ok((axis, codes.codes));
        }
        if names.is_empty() {
            return Err(Error::argument(argument, "no column", "at least one is needed"));
        }
        if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            let found = format!("{:?} twice", twice.1);
            return Err(Error::argument(argument, found, "each column counts once"));
        }
        let levels = names.iter().map(|name| table.codes(name)).collect::<Result<Vec<_>>>()?;
        let n_crossed =
            levels.iter().fold(1_u64, |n, level| n.saturating_mul(level.categories.len() as u64));
        let needed = n_crossed.saturating_mul(size_of::<u32>() as u64);
        let what = format!("{n_crossed} combinations of {}", names.join(", "));
        memory::check(&what, needed, Some(1 << 28), "group rare categories first")?;
        let crossed = |row: usize| {
            levels.iter().try_fold(0_usize, |at, level| match level.codes[row] {
                MISSING => None,
                code => Some(at * level.categories.len() + code as usize),
            })
        };
        let mut place = vec![MISSING; usize::try_from(n_crossed).unwrap_or(0)];
        for at in (0..table.n_rows()).filter_map(crossed) {
            place[at] = 0;
        }
        let met: Vec<usize> = (0..place.len()).filter(|&at| place[at] == 0).collect();
        for (number, &at) in (0..).zip(&met) {
            place[at] = number;
        }
        let codes =
            (0..table.n_rows()).map(|row| crossed(row).map_or(MISSING, |at| place[at])).collect();
        let mut step = place.len();
        let levels: Vec<Level> = levels
            .iter()
            .zip(names)
            .map(|(level, name)| {
                let n = level.categories.len().max(1);
                step /= n;
                let category = |&at: &usize| level.categories[at / step % n].clone();
                Level { name: name.clone(), categories: met.iter().map(category).collect() }
            })
            .collect();
        let categories = (0..met.len()).map(|at| joined(&levels, at)).collect();
        Ok((Self { name: names.join(BETWEEN), categories, ordered: false, levels }, codes))
    }

    /// The columns of this side, each with its category in every category of the side.
    pub fn columns(&self) -> Vec<(&str, &[String])> {
        match self.levels.is_empty() {
            true => vec![(&self.name, &self.categories)],
            false => self.levels.iter().map(|level| (&*level.name, &*level.categories)).collect(),
        }
    }

    /// Names of the columns of this side.
    pub fn names(&self) -> Vec<&str> {
        self.columns().into_iter().map(|(name, _)| name).collect()
    }

    /// Position of a category.
    pub fn position(&self, category: &[String]) -> Option<usize> {
        let columns = self.columns();
        if columns.len() != category.len() {
            return None;
        }
        let same =
            |at: &usize| columns.iter().zip(category).all(|((_, all), name)| all[*at] == *name);
        (0..self.categories.len()).find(same)
    }

    /// The name of a category from those of its columns.
    pub fn label(category: &[String]) -> String {
        category.join(BETWEEN)
    }

    /// A category by the names of its columns.
    pub fn category(&self, at: usize) -> Category {
        self.columns().iter().map(|(_, all)| all[at].clone()).collect()
    }

    /// Adds a category at the end.
    pub(super) fn push(&mut self, category: &[String]) {
        self.categories.push(Self::label(category));
        for (level, name) in self.levels.iter_mut().zip(category) {
            level.categories.push(name.clone());
        }
    }

    /// Some of the categories.
    pub(super) fn keep(&self, kept: &[usize]) -> Self {
        let some = |all: &[String]| kept.iter().map(|&k| all[k].clone()).collect();
        let level =
            |level: &Level| Level { name: level.name.clone(), categories: some(&level.categories) };
        Self {
            name: self.name.clone(),
            categories: some(&self.categories),
            ordered: self.ordered,
            levels: self.levels.iter().map(level).collect(),
        }
    }

    /// Whether every level has an entry for every category.
    pub(super) fn is_whole(&self) -> bool {
        self.levels.iter().all(|level| level.categories.len() == self.categories.len())
    }
}

fn joined(levels: &[Level], at: usize) -> String {
    let names: Vec<&str> = levels.iter().map(|level| level.categories[at].as_str()).collect();
    names.join(BETWEEN)
}
