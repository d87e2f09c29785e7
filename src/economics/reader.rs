//! Columns of a table by role, and which of its rows are complete.

use hashbrown::HashMap;

use crate::confidence::check_level;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::{Codes, Keys, MISSING, Numeric, Table};

/// Reads the columns of one table and remembers why a row does not count.
pub(crate) struct Reader<'t> {
    /// The table as the user names it.
    argument: &'static str,
    table: &'t Table,
    /// For each row the number of its first reason to be left out, 0 where it counts.
    reason: Vec<u8>,
    reasons: Vec<String>,
}

/// A column of labels, which may stand in a table of its own.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'t> {
    /// The table that holds the column.
    pub table: &'t Table,
    /// Its name there.
    pub name: &'t str,
}

/// The group of each row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    pub(crate) codes: Vec<u32>,
    pub(crate) names: Vec<String>,
}

impl Groups {
    /// The rows of each group, in order.
    pub(super) fn rows(&self, kept: &[usize]) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.names.len()];
        for &row in kept {
            rows[self.codes[row] as usize].push(row);
        }
        rows
    }
}

/// Names of both, those of `first` as they stand, and for each of `second` its place among them.
pub(crate) fn union(first: &[String], second: &[String]) -> (Vec<String>, Vec<usize>) {
    let mut names = first.to_vec();
    let mut place: HashMap<String, usize, foldhash::fast::FixedState> =
        first.iter().cloned().enumerate().map(|(place, name)| (name, place)).collect();
    let places = second
        .iter()
        .map(|name| {
            *place.entry(name.clone()).or_insert_with(|| {
                names.push(name.clone());
                names.len() - 1
            })
        })
        .collect();
    (names, places)
}

impl<'t> Reader<'t> {
    pub(crate) fn new(argument: &'static str, table: &'t Table) -> Self {
        Self { argument, table, reason: vec![0; table.n_rows()], reasons: Vec::new() }
    }

    /// Leaves out the rows for which `is_out` holds, unless another reason was found before.
    pub(crate) fn leave_out(&mut self, reason: String, is_out: impl Fn(usize) -> bool) {
        self.reasons.push(reason);
        let number = self.reasons.len() as u8;
        for (row, slot) in self.reason.iter_mut().enumerate() {
            if *slot == 0 && is_out(row) {
                *slot = number;
            }
        }
    }

    fn missing(&mut self, name: &str, is_missing: impl Fn(usize) -> bool) {
        self.leave_out(format!("{name:?} is missing"), is_missing);
    }

    /// Any numbers.
    pub(crate) fn numbers(&mut self, name: &str) -> Result<Numeric> {
        let values = self.table.numeric(name)?;
        if values.n_missing > 0 {
            self.missing(name, |row| values[row].is_nan());
        }
        Ok(values)
    }

    /// Numbers that are 0 or more.
    pub(crate) fn amounts(&mut self, name: &str) -> Result<Numeric> {
        let values = self.numbers(name)?;
        match values.iter().position(|&value| value < 0.0) {
            Some(row) => {
                Err(Error::value(name, row, values[row], "a number, 0 or more, is needed")
                    .with_mend(format!("df = df[df[{name:?}] >= 0]")))
            }
            None => Ok(values),
        }
    }

    /// Numbers that are 0 or more, or 1 for each row where there is no column.
    pub(crate) fn amounts_or_one(&mut self, name: Option<&str>) -> Result<Vec<f64>> {
        match name {
            Some(name) => Ok(self.amounts(name)?.to_vec()),
            None => Ok(vec![1.0; self.table.n_rows()]),
        }
    }

    /// True and false, or 1 and 0.
    pub(crate) fn flags(&mut self, name: &str) -> Result<Numeric> {
        let values = self.numbers(name)?;
        let odd = values.iter().position(|&v| !(v.is_nan() || v == 0.0 || v == 1.0));
        match odd {
            Some(row) => {
                Err(Error::value(name, row, values[row], "true or false, or 1 or 0, is needed")
                    .with_mend(format!("df[{name:?}] = df[{name:?}] > 0")))
            }
            None => Ok(values),
        }
    }

    /// Dates, or numbers of days.
    pub(crate) fn days(&mut self, name: &str) -> Result<Numeric> {
        let values = self.table.days(name)?;
        if values.n_missing > 0 {
            self.missing(name, |row| values[row].is_nan());
        }
        Ok(values)
    }

    /// Identifiers.
    pub(crate) fn keys(&mut self, name: &str) -> Result<Keys> {
        let keys = self.table.keys(name)?;
        if keys.n_missing() > 0 {
            self.missing(name, |row| keys.codes[row] == MISSING);
        }
        Ok(keys)
    }

    /// Labels of the rows, from this table or another one.
    pub(crate) fn labels(&mut self, labels: Labels<'_>, argument: &str) -> Result<Groups> {
        if labels.table.n_rows() != self.table.n_rows() {
            return Err(Error::argument(
                argument,
                format!("{} labels", labels.table.n_rows()),
                format!("one for each of the {} rows is needed", self.table.n_rows()),
            ));
        }
        let Codes { codes, categories, n_missing, .. } = labels.table.codes(labels.name)?;
        if n_missing > 0 {
            self.missing(labels.name, |row| codes[row] == MISSING);
        }
        Ok(Groups { codes, names: categories })
    }

    /// Labels where there are any; else all rows are of one group.
    pub(crate) fn labels_or_all(
        &mut self,
        labels: Option<Labels<'_>>,
        argument: &str,
    ) -> Result<Groups> {
        match labels {
            Some(labels) => self.labels(labels, argument),
            None => {
                Ok(Groups { codes: vec![0; self.table.n_rows()], names: vec!["all".to_string()] })
            }
        }
    }

    /// The rows that count; the others are recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if no row counts.
    pub(crate) fn finish(self, manifest: &mut Manifest) -> Result<Vec<usize>> {
        let kept: Vec<usize> =
            (0..self.reason.len()).filter(|&row| self.reason[row] == 0).collect();
        for (index, reason) in self.reasons.iter().enumerate() {
            let rows = self.reason.iter().filter(|&&r| usize::from(r) == index + 1).count();
            manifest.leave_out(reason, rows);
        }
        if kept.is_empty() {
            return Err(manifest.nothing_left(self.argument, self.reason.len()));
        }
        Ok(kept)
    }
}

/// A name for everybody that no group has.
pub(super) fn everybody(names: &[String]) -> String {
    let mut name = "all".to_string();
    while names.contains(&name) {
        name.push('_');
    }
    name
}

/// `values` at `rows`.
pub(crate) fn at<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}

/// Refuses a number that is not strictly between 0 and 1.
pub(crate) fn check_share(argument: &str, value: f64, example: &str) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::argument(argument, value, "a number between 0 and 1 is needed")
        .with_mend(format!("{argument}={example}")))
}

/// More replicates than any interval needs.
pub(crate) const MAX_BOOT: usize = 100_000;

/// Refuses a confidence outside 0 to 1 and too many replicates.
pub(super) fn check_boot(confidence: f64, n_boot: usize) -> Result<()> {
    check_level(confidence)?;
    if n_boot > MAX_BOOT {
        let wanted = format!("at most {MAX_BOOT} replicates are drawn");
        return Err(Error::argument("n_boot", n_boot, wanted));
    }
    Ok(())
}
