//! The gap matrix: every cell with its expectation, residual, interval and status.

use serde::{Deserialize, Serialize};
use serde_json::json;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};
use statrs::function::erf::erfc;

use super::clusters::design_effects;
use super::crosstab::{Cells, CrossTab};
use super::expected::{Null, Totals};
use super::layout::{Axis, Layout, Options, Records, check};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::statistics::benjamini_hochberg;

/// What the expected values rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Totals of rows and columns.
    Independence,
    /// Totals of rows and columns over the cells that can occur.
    QuasiIndependence,
    /// Shares of the columns in the supply.
    Supply,
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Too little: below the totals' expectation, or a demand beyond the share of supply.
    #[serde(rename = "gap")]
    Gap,
    /// The opposite of a gap.
    #[serde(rename = "saturated")]
    Saturated,
    /// As expected, as far as the data can tell.
    #[serde(rename = "served")]
    Served,
    /// Nothing observed, though enough is expected or the whole row or column is empty.
    #[serde(rename = "empty")]
    Empty,
    /// Expects too few records to be judged.
    #[serde(rename = "too few")]
    TooFew,
    /// Cannot occur.
    #[serde(rename = "not applicable")]
    NotApplicable,
}

impl Status {
    /// All of them, in the order in which they are explained.
    pub const ALL: [Self; 6] =
        [Self::Gap, Self::Saturated, Self::Served, Self::Empty, Self::TooFew, Self::NotApplicable];

    /// The status as the user reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Saturated => "saturated",
            Self::Served => "served",
            Self::Empty => "empty",
            Self::TooFew => "too few",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// A gap table. Vectors hold one entry per cell, row by row; what does not exist is NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapMatrix {
    /// The rows.
    pub rows: Axis,
    /// The columns.
    pub cols: Axis,
    /// Column that weighs the records; `None` where each counts 1.
    #[serde(deserialize_with = "Option::deserialize")]
    pub values: Option<String>,
    /// Column that says whose record it is; `None` where records are independent of each other.
    #[serde(deserialize_with = "Option::deserialize")]
    pub customer: Option<String>,
    /// What the expected values rest on.
    pub basis: Basis,
    /// Cells that expect fewer records than this are not judged.
    pub min_count: f64,
    /// Confidence of the intervals; cells are judged at `q <= 1 - confidence`.
    pub confidence: f64,
    /// Number of records.
    pub n: Vec<u64>,
    /// Sum of values, or number of records.
    #[serde(with = "persist::floats")]
    pub observed: Vec<f64>,
    /// What the basis expects.
    #[serde(with = "persist::floats")]
    pub expected: Vec<f64>,
    /// Observed over expected.
    #[serde(with = "persist::floats")]
    pub index: Vec<f64>,
    /// Lower end of the index's interval.
    #[serde(with = "persist::floats")]
    pub index_lo: Vec<f64>,
    /// Upper end of the index's interval.
    #[serde(with = "persist::floats")]
    pub index_hi: Vec<f64>,
    /// Adjusted residual: standard normal where there is no gap.
    #[serde(with = "persist::floats")]
    pub residual: Vec<f64>,
    /// Two-sided p-value of the residual; NaN where the cell is not judged.
    #[serde(with = "persist::floats")]
    pub p: Vec<f64>,
    /// p adjusted for the number of cells judged (Benjamini-Hochberg).
    #[serde(with = "persist::floats")]
    pub q: Vec<f64>,
    /// What closing the gap is worth, in units of the values; negative where there is more than expected.
    #[serde(with = "persist::floats")]
    pub gap_value: Vec<f64>,
    /// Lower end of its interval.
    #[serde(with = "persist::floats")]
    pub gap_value_lo: Vec<f64>,
    /// Upper end of its interval.
    #[serde(with = "persist::floats")]
    pub gap_value_hi: Vec<f64>,
    /// How many times the variance of independent records the variance is, because records of one customer go together;
    /// empty without `customer`.
    #[serde(with = "persist::floats")]
    pub design_effect: Vec<f64>,
    /// What the cell is.
    pub status: Vec<Status>,
    /// Pearson's statistic of the whole table, corrected for unequal values (Rao and Scott 1981); `None` without
    /// degrees of freedom.
    #[serde(deserialize_with = "Option::deserialize")]
    pub chi2: Option<f64>,
    /// Its degrees of freedom.
    pub dof: usize,
    /// Its p-value.
    #[serde(deserialize_with = "Option::deserialize")]
    pub p_value: Option<f64>,
    /// Settings, and rows used and left out.
    pub manifest: Manifest,
}

/// The gap matrix of records.
///
/// One pass over the records; the same bits for any number of threads. See the module `expected` for the formulas.
///
/// # Errors
///
/// [`Error::Argument`] if an option is out of range, a structural zero or a supply does not fit the categories, or a side
/// has fewer than two categories; [`Error::BadValue`] for a negative value; [`Error::TooFewRows`] without records;
/// [`Error::MemoryLimit`] for a table of too many cells.
pub fn gap_matrix(
    rows: &Axis,
    cols: &Axis,
    records: Records<'_>,
    options: &Options,
) -> Result<GapMatrix> {
    let names = records.values.map(|(name, _)| name);
    let mut tab = CrossTab::new(rows.categories.len(), cols.categories.len(), names)?;
    tab.update(records.rows, records.cols, records.values.map(|(_, values)| values))?;
    if let Some((name, customers)) = records.customers
        && customers.len() != records.rows.len()
    {
        let found = format!("{} entries of {name:?}", customers.len());
        return Err(Error::argument("customer", found, "one per record is needed"));
    }
    GapMatrix::new(rows, cols, &tab.finish(), &records, options)
}

impl GapMatrix {
    /// The gap matrix of a finished [`CrossTab`], whose records are independent of each other.
    ///
    /// # Errors
    ///
    /// As [`gap_matrix`].
    pub fn from_cells(
        rows: &Axis,
        cols: &Axis,
        values: Option<&str>,
        cells: &Cells,
        options: &Options,
    ) -> Result<Self> {
        let records =
            Records { values: values.map(|name| (name, &[] as &[f64])), ..Records::default() };
        Self::new(rows, cols, cells, &records, options)
    }

    fn new(
        rows: &Axis,
        cols: &Axis,
        cells: &Cells,
        records: &Records<'_>,
        options: &Options,
    ) -> Result<Self> {
        let values = records.values.map(|(name, _)| name);
        check(rows, cols, values, options)?;
        let manifest = manifest(rows, cols, cells, records, options);
        if manifest.rows_used == 0 && manifest.rows > 0 {
            return Err(manifest.nothing_left("df", manifest.rows));
        }
        if manifest.rows_used == 0 {
            return Err(Error::TooFewRows {
                what: format!("a gap matrix of {:?} by {:?}", rows.name, cols.name),
                needed: 1,
                found: 0,
                mend: None,
            });
        }
        let layout = Layout::new(rows, cols, cells, options)?;
        let table = Totals::new(&layout.cells, layout.rows.categories.len(), layout.n_cols());
        let (basis, mut null) = layout.null(&table, options)?;
        let mut effects = Vec::new();
        if let Some((_, customers)) = records.customers {
            let cell_of = |record| layout.cell_of(records, record);
            effects = design_effects(records, customers, cell_of, &table, &null)?;
            null.inflate(&effects);
        }
        let mut matrix = Self::compare(layout, &table, basis, &null, options, manifest);
        matrix.values = values.map(str::to_string);
        matrix.customer = records.customers.map(|(name, _)| name.to_string());
        matrix.design_effect = effects;
        matrix.judge(&null);
        matrix.test(&null);
        Ok(matrix)
    }

    /// Number of columns.
    pub fn n_cols(&self) -> usize {
        self.cols.categories.len()
    }

    /// Names of the row and the column of a cell.
    pub fn names(&self, cell: usize) -> (&str, &str) {
        let n_cols = self.n_cols();
        (&self.rows.categories[cell / n_cols], &self.cols.categories[cell % n_cols])
    }

    fn compare(
        layout: Layout,
        table: &Totals,
        basis: Basis,
        null: &Null,
        options: &Options,
        manifest: Manifest,
    ) -> Self {
        let alpha = 1.0 - options.confidence;
        let z = Normal::standard().inverse_cdf(1.0 - alpha / 2.0);
        let cells = 0..table.sum.len();
        let (observed, expected) = (&table.sum, &null.expected);
        let possible = &layout.possible;
        // Supply is what is offered: there, a demand beyond the expectation is the gap.
        let sign = if basis == Basis::Supply { -1.0 } else { 1.0 };
        let of = |f: &dyn Fn(usize) -> f64| -> Vec<f64> {
            cells.clone().map(|cell| if possible[cell] { f(cell) } else { f64::NAN }).collect()
        };
        let index = of(&|cell| observed[cell] / expected[cell]);
        let bound = |cell: usize, z: f64| match observed[cell] > 0.0 {
            true => index[cell] * (z * null.log_variance[cell].sqrt()).exp(),
            // Chance gives no record at all with probability exp(-expected): the exact Poisson bound.
            false if expected[cell] > 0.0 && z > 0.0 => -(alpha / 2.0).ln() / null.effective[cell],
            false => index[cell],
        };
        let index_lo = of(&|cell| bound(cell, -z));
        let index_hi = of(&|cell| bound(cell, z));
        let worth = |cell: usize, index: f64| match expected[cell] > 0.0 {
            true => sign * expected[cell] * (1.0 - index),
            false => sign * (expected[cell] - observed[cell]),
        };
        let (near, far) = if sign > 0.0 { (&index_hi, &index_lo) } else { (&index_lo, &index_hi) };
        Self {
            n: layout.cells.iter().map(|cell| cell.n).collect(),
            expected: of(&|cell| expected[cell]),
            residual: of(&|cell| residual(observed[cell], expected[cell], null.variance[cell])),
            gap_value: of(&|cell| sign * (expected[cell] - observed[cell])),
            gap_value_lo: of(&|cell| worth(cell, near[cell])),
            gap_value_hi: of(&|cell| worth(cell, far[cell])),
            status: possible
                .iter()
                .map(|&possible| if possible { Status::Served } else { Status::NotApplicable })
                .collect(),
            rows: layout.rows,
            cols: layout.cols,
            values: None,
            customer: None,
            design_effect: Vec::new(),
            basis,
            min_count: options.min_count,
            confidence: options.confidence,
            observed: observed.clone(),
            index,
            index_lo,
            index_hi,
            p: Vec::new(),
            q: Vec::new(),
            chi2: None,
            dof: null.dof,
            p_value: None,
            manifest,
        }
    }

    /// p, q and the status of every cell.
    fn judge(&mut self, null: &Null) {
        let cells = 0..self.observed.len();
        let enough = |cell: usize| match self.expected[cell] > 0.0 {
            true => null.effective[cell] >= self.min_count,
            // Nothing is offered here, so any demand at all is against the supply.
            false => self.n[cell] as f64 >= self.min_count.max(1.0),
        };
        self.p = cells
            .clone()
            .map(|cell| match self.status[cell] != Status::NotApplicable && enough(cell) {
                true => erfc(self.residual[cell].abs() / std::f64::consts::SQRT_2),
                false => f64::NAN,
            })
            .collect();
        self.q = benjamini_hochberg(&self.p);
        let limit = self.limit();
        let gap_above = self.basis == Basis::Supply;
        self.status = cells
            .map(|cell| match self.status[cell] {
                Status::NotApplicable => Status::NotApplicable,
                _ if self.observed[cell] == 0.0 && (self.expected[cell] == 0.0 || enough(cell)) => {
                    Status::Empty
                }
                _ if !enough(cell) => Status::TooFew,
                _ if self.q[cell] <= limit && self.residual[cell] != 0.0 => {
                    if (self.residual[cell] > 0.0) == gap_above {
                        Status::Gap
                    } else {
                        Status::Saturated
                    }
                }
                _ => Status::Served,
            })
            .collect();
    }

    /// The test of the whole table.
    fn test(&mut self, null: &Null) {
        let judged: Vec<usize> =
            (0..self.observed.len()).filter(|&cell| self.expected[cell] > 0.0).collect();
        let pearson: f64 = judged
            .iter()
            .map(|&cell| (self.observed[cell] - self.expected[cell]).powi(2) / self.expected[cell])
            .sum();
        let mean: f64 = judged.iter().map(|&cell| null.variance[cell] / self.expected[cell]).sum();
        if self.dof > 0 && mean > 0.0 {
            let chi2 = pearson * self.dof as f64 / mean;
            self.chi2 = Some(chi2);
            self.p_value = ChiSquared::new(self.dof as f64).ok().map(|law| law.sf(chi2));
        }
        let few = judged.iter().filter(|&&cell| null.effective[cell] < self.min_count).count();
        if few > 0 {
            self.manifest.notes.push(format!(
                "{few} of {} cells expect fewer than {} records and are not judged",
                judged.len(),
                self.min_count
            ));
        }
        if !null.converged {
            self.manifest.notes.push(
                "the expected values do not reproduce the totals to full precision: the structural zeros leave \
                 too little room"
                    .to_string(),
            );
        }
    }
}

/// Observed minus expected in standard deviations of chance; NaN where the totals alone decide the cell.
fn residual(observed: f64, expected: f64, variance: f64) -> f64 {
    if expected == 0.0 && observed > 0.0 {
        f64::INFINITY
    } else if variance > 0.0 {
        (observed - expected) / variance.sqrt()
    } else {
        f64::NAN
    }
}

fn manifest(
    rows: &Axis,
    cols: &Axis,
    cells: &Cells,
    records: &Records<'_>,
    options: &Options,
) -> Manifest {
    let values = records.values.map(|(name, _)| name);
    let mut settings = serde_json::Map::new();
    settings.insert("rows".to_string(), json!(rows.name));
    settings.insert("cols".to_string(), json!(cols.name));
    settings.insert("values".to_string(), json!(values));
    settings.insert("customer".to_string(), json!(records.customers.map(|(name, _)| name)));
    settings.insert("supply".to_string(), json!(!options.supply.is_empty()));
    settings.insert("structural_zeros".to_string(), json!(options.structural_zeros));
    settings.insert("min_count".to_string(), json!(options.min_count));
    settings.insert("confidence".to_string(), json!(options.confidence));
    let mut manifest = Manifest::new("gap_matrix", settings, None, cells.n_records);
    manifest.leave_out(format!("{:?} is missing", rows.name), cells.missing_rows);
    manifest.leave_out(format!("{:?} is missing", cols.name), cells.missing_cols);
    if let Some(values) = values {
        manifest.leave_out(format!("{values:?} is missing"), cells.missing_values);
    }
    manifest
}

impl Persist for GapMatrix {
    const KIND: &'static str = "gap_matrix";

    fn validate(&self) -> Result<()> {
        let n = self.rows.categories.len().checked_mul(self.cols.categories.len());
        let lengths = [
            self.n.len(),
            self.observed.len(),
            self.expected.len(),
            self.index.len(),
            self.index_lo.len(),
            self.index_hi.len(),
            self.residual.len(),
            self.p.len(),
            self.q.len(),
            self.gap_value.len(),
            self.gap_value_lo.len(),
            self.gap_value_hi.len(),
            self.status.len(),
        ];
        if lengths.iter().any(|&length| Some(length) != n) {
            return Err(persist::broken(format!(
                "a table of {} by {} categories has columns of {lengths:?} cells",
                self.rows.categories.len(),
                self.cols.categories.len()
            )));
        }
        if self.design_effect.len() != self.customer.as_ref().map_or(0, |_| self.n.len()) {
            return Err(persist::broken("design effects do not fit the table"));
        }
        check(&self.rows, &self.cols, self.values.as_deref(), &self.options())
            .map_err(|error| persist::broken(error.to_string()))
    }
}

impl GapMatrix {
    fn options(&self) -> Options {
        Options { min_count: self.min_count, confidence: self.confidence, ..Options::default() }
    }
}
