//! The customers that evidence rests on: features read, rows without any value left out, labels and weights beside them.

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::segment::Method;
use crate::table::{MISSING, Preparation, Prepared, Scale, Settled, Table, Unused};

/// Which customers, and by what.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// Columns to use; all but `exclude` where none are named.
    pub features: Option<&'a [String]>,
    /// Columns not to use.
    pub exclude: &'a [String],
    /// How amounts are brought to one scale.
    pub scale: Scale,
    /// The clustering method; `None` where nothing is clustered.
    pub method: Option<Method>,
    /// Weight of each customer.
    pub weights: Option<&'a [f64]>,
    /// Segment of each customer; [`MISSING`] for those of none.
    pub labels: Option<&'a [u32]>,
}

/// Customers ready to be compared.
#[derive(Debug, Clone)]
pub struct Customers {
    /// The rows used.
    pub rows: Prepared,
    /// Their weights.
    pub weights: Option<Vec<f64>>,
    /// Their segments; empty where none were given.
    pub labels: Vec<u32>,
    /// Their numbers in the table.
    pub used: Vec<usize>,
    /// The clustering method in use.
    pub method: Method,
    /// Columns not used, and why.
    pub unused: Vec<Unused>,
}

impl Customers {
    /// Reads a table; rows left out are counted in the manifest.
    ///
    /// # Errors
    ///
    /// Those of reading columns; [`Error::Argument`] for weights or labels of another number and for a method that cannot
    /// take the features; [`Error::BadValue`] for a weight that is negative or not finite; [`Error::TooFewRows`] where no
    /// row is left.
    pub fn read(table: &Table, source: &Source<'_>, manifest: &mut Manifest) -> Result<Self> {
        let n = table.n_rows();
        let given = [
            ("weights", source.weights.map(<[f64]>::len)),
            ("labels", source.labels.map(<[u32]>::len)),
        ];
        for (name, length) in given {
            if let Some(length) = length.filter(|&length| length != n) {
                let wanted = format!("one for each of the {n} rows is needed");
                return Err(Error::argument(name, format!("{length} {name}"), wanted));
            }
        }
        if let Some(row) =
            source.weights.and_then(|w| w.iter().position(|w| !(w.is_finite() && *w >= 0.0)))
        {
            let found = source.weights.map_or(0.0, |weights| weights[row]);
            let found = if found.is_nan() { "a missing value".into() } else { found.to_string() };
            return Err(Error::value("weights", row, found, "weights must be numbers from 0 up"));
        }
        for name in source.exclude {
            table.kind(name)?;
        }
        let names: Vec<String> = match source.features {
            Some(features) => features.to_vec(),
            None => {
                let names = table.names().into_iter().map(str::to_string);
                names.filter(|name| !source.exclude.contains(name)).collect()
            }
        };
        let reading = source.method.unwrap_or(Method::Auto).reading();
        let learn = |table: &Table| {
            Preparation::learn(table, &names, source.features.is_some(), source.scale, reading)
        };
        let Settled { unused, rows, used, .. } = Settled::of(table, learn, |_, rows, numbers| {
            let stay = usable(rows, numbers, source, manifest);
            if stay.is_empty() {
                let what = manifest.function.clone();
                return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
            }
            Ok(stay)
        })?;
        Ok(Self {
            method: source.method.unwrap_or(Method::Auto).resolve(&rows)?,
            weights: source.weights.map(|all| used.iter().map(|&row| all[row]).collect()),
            labels: source
                .labels
                .map(|all| used.iter().map(|&row| all[row]).collect())
                .unwrap_or_default(),
            rows,
            used,
            unused,
        })
    }

    /// Number of customers.
    pub fn n(&self) -> usize {
        self.used.len()
    }

    /// Some of the customers.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let pick = |all: &Vec<f64>| rows.iter().map(|&row| all[row]).collect();
        Self {
            rows: self.rows.take(rows),
            weights: self.weights.as_ref().map(pick),
            labels: match self.labels.is_empty() {
                true => Vec::new(),
                false => rows.iter().map(|&row| self.labels[row]).collect(),
            },
            used: rows.iter().map(|&row| self.used[row]).collect(),
            method: self.method,
            unused: self.unused.clone(),
        }
    }

    /// What a category that differs costs by Huang's rule: half the mean standard deviation of the amounts, 1 where that is
    /// 0 or there are none.
    pub fn gamma(&self) -> Vec<f64> {
        let deviation = |column: ndarray::ArrayView1<'_, f64>| {
            let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
            for (at, &value) in column.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                let weight = self.weights.as_ref().map_or(1.0, |weights| weights[at]);
                total += weight;
                sum += weight * value;
                squares += weight * value * value;
            }
            (squares / total - (sum / total).powi(2)).max(0.0).sqrt()
        };
        let columns = self.rows.numeric.columns();
        let deviations: Vec<f64> = columns.into_iter().map(deviation).collect();
        let mean = deviations.iter().sum::<f64>() / deviations.len() as f64;
        let gamma = if mean > 0.0 { mean / 2.0 } else { 1.0 };
        vec![gamma; self.rows.codes.ncols()]
    }
}

/// Positions of the rows that count, among those with these numbers in the table; the others are counted in the manifest.
fn usable(
    rows: &Prepared,
    numbers: &[usize],
    source: &Source<'_>,
    manifest: &mut Manifest,
) -> Vec<usize> {
    let (mut blank, mut weightless, mut unlabelled) = (0, 0, 0);
    let mut stay = Vec::with_capacity(numbers.len());
    for (at, &row) in numbers.iter().enumerate() {
        if rows.is_blank(at) {
            blank += 1;
        } else if source.weights.is_some_and(|weights| weights[row] == 0.0) {
            weightless += 1;
        } else if source.labels.is_some_and(|labels| labels[row] == MISSING) {
            unlabelled += 1;
        } else {
            stay.push(at);
        }
    }
    manifest.leave_out("no feature has a value", blank);
    manifest.leave_out("weight 0", weightless);
    manifest.leave_out("in no segment", unlabelled);
    stay
}
