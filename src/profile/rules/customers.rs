//! Customers of segments, as rules read them.

use super::condition::Reader;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::table::{Column, MISSING, Preparation, Reading, Scale, Table};

/// Segments at most: with more, tables of segment by segment would outgrow what anybody reads.
const MOST_SEGMENTS: usize = 200;

/// Customers with a segment, column by column.
#[derive(Debug, Clone)]
pub struct Customers {
    /// How the columns are read, amounts first.
    pub reader: Reader,
    /// Amounts, column by column; NaN is missing.
    pub amounts: Vec<Vec<f64>>,
    /// Categories, column by column, with a number each; what lies beyond the known categories is missing.
    pub codes: Vec<Vec<u32>>,
    /// Segment of each customer.
    pub labels: Vec<u32>,
    /// Customers of each segment.
    pub sizes: Vec<usize>,
}

impl Customers {
    /// Reads the columns of the customers who have a segment.
    ///
    /// `labels` has one number below `n_segments` for each row, or [`MISSING`]. Without `chosen` all columns but `exclude`
    /// are read, save identifiers and free text; `argument` is what the user calls the choice. What was not used is noted
    /// in the manifest. One pass per column.
    ///
    /// # Errors
    ///
    /// Those of reading a column; [`Error::Argument`] for fewer than two segments with customers, for more than 200, and where
    /// no column tells anybody apart.
    pub fn read(
        table: &Table,
        labels: &[u32],
        n_segments: usize,
        (argument, chosen, exclude): (&str, Option<&[String]>, &[String]),
        manifest: &mut Manifest,
    ) -> Result<Self> {
        if n_segments > MOST_SEGMENTS {
            return Err(Error::argument(
                "segments",
                format!("{n_segments} segments"),
                format!(
                    "at most {MOST_SEGMENTS} can be told apart; labels must name segments, not customers"
                ),
            ));
        }
        let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] != MISSING).collect();
        manifest.leave_out("the customer is in no segment", labels.len() - rows.len());
        let mut sizes = vec![0; n_segments];
        rows.iter().for_each(|&row| sizes[labels[row] as usize] += 1);
        let filled = sizes.iter().filter(|&&n| n > 0).count();
        if rows.is_empty() {
            return Err(manifest.nothing_left("segments", labels.len()));
        }
        if filled < 2 {
            return Err(Error::argument(
                "segments",
                "one segment with customers",
                "at least two are needed to tell them apart",
            ));
        }
        let all = || {
            let names = table.names().into_iter().filter(|name| !exclude.iter().any(|e| e == name));
            names.map(str::to_string).collect::<Vec<_>>()
        };
        let names = chosen.map_or_else(all, <[String]>::to_vec);
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(Error::argument(
                    argument,
                    format!("{name:?} twice"),
                    "each column is taken once",
                ));
            }
        }
        let learned =
            Preparation::learn(table, &names, chosen.is_some(), Scale::None, Reading::ByKind);
        let learned = learned.map_err(|error| match error {
            Error::Argument { argument: old, found, wanted, mend } if old == "features" => {
                let found = found.replace("features=", &format!("{argument}="));
                Error::Argument { argument: argument.to_string(), found, wanted, mend }
            }
            other => other,
        })?;
        let (preparation, unused, columns) = learned.columns(table)?;
        for column in unused {
            let reason = column.reason.replace("features=", &format!("{argument}="));
            manifest.notes.push(format!("column {:?} is not used: it {reason}", column.name));
        }
        let columns = parallel::map_tasks(columns.len(), |at| match &columns[at] {
            // Negative zero is zero.
            Column::Amount(all) => Column::Amount(rows.iter().map(|&row| all[row] + 0.0).collect()),
            Column::Category(all) => Column::Category(rows.iter().map(|&row| all[row]).collect()),
        });
        let (mut amounts, mut codes) = (Vec::new(), Vec::new());
        let (mut binary, mut gaps) = (Vec::new(), Vec::new());
        for (column, feature) in columns.into_iter().zip(&preparation.features) {
            match column {
                Column::Amount(numbers) => {
                    binary.push(numbers.iter().all(|&x| x.is_nan() || x == 0.0 || x == 1.0));
                    gaps.push(numbers.iter().any(|x| x.is_nan()));
                    amounts.push(numbers);
                }
                Column::Category(levels) => {
                    let known = feature.n_categories();
                    binary.push(false);
                    gaps.push(levels.iter().any(|&code| code as usize >= known));
                    codes.push(levels);
                }
            }
        }
        let labels = rows.iter().map(|&row| labels[row]).collect();
        let reader = Reader { preparation, binary, gaps };
        Ok(Self { reader, amounts, codes, labels, sizes })
    }

    /// New customers, read as [`Reader`] says; they have no segment.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn new(table: &Table, reader: &Reader) -> Result<Self> {
        let (mut amounts, mut codes) = (Vec::new(), Vec::new());
        for feature in reader.features() {
            match feature.read(table)? {
                Column::Amount(values) => amounts.push(values),
                Column::Category(read) => codes.push(read),
            }
        }
        Ok(Self {
            reader: reader.clone(),
            amounts,
            codes,
            labels: vec![MISSING; table.n_rows()],
            sizes: Vec::new(),
        })
    }

    /// Number of customers.
    pub fn n(&self) -> usize {
        self.labels.len()
    }

    /// Number of segments.
    pub fn k(&self) -> usize {
        self.sizes.len()
    }

    /// The number of the largest segment.
    pub fn largest(&self) -> usize {
        let best = self.sizes.iter().enumerate().max_by_key(|&(at, &n)| (n, usize::MAX - at));
        best.map_or(0, |(at, _)| at)
    }

    /// Names of columns with categories that are not known, and in how many rows.
    pub fn unknown(&self) -> Vec<(String, usize)> {
        let features = &self.reader.features()[self.amounts.len()..];
        let count = |codes: &Vec<u32>| codes.iter().filter(|&&c| c == crate::table::UNSEEN).count();
        let found = features.iter().zip(&self.codes).map(|(f, c)| (f.name().to_string(), count(c)));
        found.filter(|&(_, rows)| rows > 0).collect()
    }

    /// Number of categories of a column.
    pub(super) fn n_levels(&self, feature: usize) -> usize {
        self.reader.features()[feature].n_categories()
    }
}

/// The different values of an amount, ascending, and how often each comes.
pub(super) fn distinct(values: &[f64]) -> Vec<(f64, usize)> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut found: Vec<(f64, usize)> = Vec::new();
    for value in sorted {
        match found.last_mut() {
            Some((last, n)) if *last == value => *n += 1,
            _ => found.push((value, 1)),
        }
    }
    found
}
