//! The gap matrix: every cell with its expectation, residual, interval and status.

use serde::{Deserialize, Serialize};
use serde_json::json;
use statrs::distribution::{ContinuousCDF, Normal};

use super::axis::Axis;
use super::boot;
use super::clusters::{ByCustomer, design_effects};
use super::crosstab::{Cells, CrossTab};
use super::expected::{Null, Totals};
use super::layout::{Layout, Records};
use super::options::{Against, Options, Test, check_names};
use super::shrink::shrink;
use super::verdict::{Basis, Status};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};

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
    /// Column of survey weights; `None` where records weigh the same.
    #[serde(deserialize_with = "Option::deserialize")]
    pub weights: Option<String>,
    /// Column that says whose record it is; `None` where records are independent of each other.
    #[serde(deserialize_with = "Option::deserialize")]
    pub customer: Option<String>,
    /// What the expected values rest on.
    pub basis: Basis,
    /// Cells that expect fewer records than this are not judged.
    pub min_count: f64,
    /// Confidence of the intervals; cells are judged at `q <= 1 - confidence`.
    pub confidence: f64,
    /// Where p-values come from.
    pub test: Test,
    /// Bootstrap tables that the intervals come from; 0 where they are linearised.
    pub n_boot: usize,
    /// Cells with fewer records than this, but some, are hidden; `None` where all are shown.
    #[serde(deserialize_with = "Option::deserialize")]
    pub suppress: Option<u64>,
    /// Whether gaps are told in what they are worth instead of the units of the table.
    pub valued: bool,
    /// Number of records; 0 where the cell is hidden.
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
    /// Index drawn towards 1 by as much as the cell is thin.
    #[serde(with = "persist::floats")]
    pub index_shrunk: Vec<f64>,
    /// Lower end of its interval.
    #[serde(with = "persist::floats")]
    pub index_shrunk_lo: Vec<f64>,
    /// Upper end of its interval.
    #[serde(with = "persist::floats")]
    pub index_shrunk_hi: Vec<f64>,
    /// Standard deviation of the true indices, beyond what chance adds; 0 where the cells show no more than chance.
    pub scatter: f64,
    /// Adjusted residual: standard normal where there is no gap.
    #[serde(with = "persist::floats")]
    pub residual: Vec<f64>,
    /// Variance of observed minus expected where there is no gap.
    #[serde(with = "persist::floats")]
    pub variance: Vec<f64>,
    /// Two-sided p-value of the cell; NaN where the cell is not judged.
    #[serde(with = "persist::floats")]
    pub p: Vec<f64>,
    /// p adjusted for the number of cells judged (Benjamini-Hochberg).
    #[serde(with = "persist::floats")]
    pub q: Vec<f64>,
    /// What closing the gap is worth, in units of the values or in what these are worth; negative where there is more than expected.
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
/// [`Error::MemoryLimit`] for a table of too many cells; [`Error::Interrupted`].
pub fn gap_matrix(
    rows: &Axis,
    cols: &Axis,
    records: Records<'_>,
    options: &Options,
    monitor: &Monitor,
) -> Result<GapMatrix> {
    let names = records.values.map(|(name, _)| name);
    let values = records.values.map(|(_, values)| values);
    let mut tab = CrossTab::new(rows.categories.len(), cols.categories.len(), names)?;
    tab.update(records.rows, records.cols, values, records.counts)?;
    if let Some((name, customers)) = records.customers
        && customers.len() != records.rows.len()
    {
        let found = format!("{} entries of {name:?}", customers.len());
        return Err(Error::argument("customer", found, "one per record is needed"));
    }
    GapMatrix::new((rows, cols), &tab.finish(), &records, options, monitor)
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
        monitor: &Monitor,
    ) -> Result<Self> {
        let records =
            Records { values: values.map(|name| (name, &[] as &[f64])), ..Records::default() };
        Self::new((rows, cols), cells, &records, options, monitor)
    }

    fn new(
        axes: (&Axis, &Axis),
        cells: &Cells,
        records: &Records<'_>,
        options: &Options,
        monitor: &Monitor,
    ) -> Result<Self> {
        let values = records.values.map(|(name, _)| name);
        let customer = records.customers.map(|(name, _)| name);
        check_names(axes.0, axes.1, &[("values", values)])?;
        options.check()?;
        let mut manifest = manifest(axes, cells, (values, customer), options);
        if manifest.rows_used == 0 && manifest.rows > 0 {
            return Err(manifest.nothing_left("df", manifest.rows));
        }
        if manifest.rows_used == 0 {
            return Err(Error::TooFewRows {
                what: format!("a gap matrix of {:?} by {:?}", axes.0.name, axes.1.name),
                needed: 1,
                found: 0,
                mend: None,
            });
        }
        let layout = Layout::new(axes.0, axes.1, cells, options)?;
        if !layout.without_demand.is_empty() {
            let names = layout.without_demand.join(", ");
            manifest.notes.push(format!("no record at all of what the comparison names: {names}"));
        }
        let table = Totals::new(&layout.cells, layout.rows.categories.len(), layout.n_cols());
        let (basis, mut null) = layout.null(&table, options)?;
        let worth = layout.worth(&options.worth)?;
        let mut effects = Vec::new();
        let mut by_customer = None;
        if let Some((_, customers)) = records.customers {
            let cell_of = |record| layout.cell_of(records, record);
            let grouped = ByCustomer::new(records, customers, cell_of);
            effects = design_effects(records, &grouped, &table, &null)?;
            null.inflate(&effects);
            by_customer = Some(grouped);
        }
        let hidden = match options.suppress {
            Some(limit) => layout.hidden(limit)?,
            None => vec![false; layout.cells.len()],
        };
        let mut matrix = Self::compare(&layout, &table, basis, &null, &worth, options, manifest);
        if options.n_boot > 0 {
            let how = (options.n_boot, options.seed, options.confidence);
            let drawn = boot::intervals(&layout, &null, by_customer.as_ref(), how, monitor)?;
            matrix.take_intervals(&drawn, &worth);
        }
        matrix.values = values.map(str::to_string);
        matrix.customer = customer.map(str::to_string);
        matrix.design_effect = effects;
        matrix.rows = layout.rows;
        matrix.cols = layout.cols;
        matrix.hide(&hidden);
        matrix.shrink()?;
        matrix.judge(&table, &layout.reference, &null, options, monitor)?;
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
        layout: &Layout,
        table: &Totals,
        basis: Basis,
        null: &Null,
        worth: &[f64],
        options: &Options,
        manifest: Manifest,
    ) -> Self {
        let alpha = 1.0 - options.confidence;
        let z = Normal::standard().inverse_cdf(1.0 - alpha / 2.0);
        let cells = 0..table.sum.len();
        let (observed, expected) = (&table.sum, &null.expected);
        let possible = &layout.possible;
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
        let unit = |cell: usize| basis.sign() * worth.get(cell).unwrap_or(&1.0);
        let value = |cell: usize, index: f64| match expected[cell] > 0.0 {
            true => unit(cell) * expected[cell] * (1.0 - index),
            false => unit(cell) * (expected[cell] - observed[cell]),
        };
        let (near, far) =
            if basis.sign() > 0.0 { (&index_hi, &index_lo) } else { (&index_lo, &index_hi) };
        Self {
            n: layout.cells.iter().map(|cell| cell.n).collect(),
            expected: of(&|cell| expected[cell]),
            variance: of(&|cell| null.variance[cell]),
            residual: of(&|cell| residual(observed[cell], expected[cell], null.variance[cell])),
            gap_value: of(&|cell| unit(cell) * (expected[cell] - observed[cell])),
            gap_value_lo: of(&|cell| value(cell, near[cell])),
            gap_value_hi: of(&|cell| value(cell, far[cell])),
            status: possible
                .iter()
                .map(|&possible| if possible { Status::Served } else { Status::NotApplicable })
                .collect(),
            rows: layout.rows.clone(),
            cols: layout.cols.clone(),
            values: None,
            weights: None,
            customer: None,
            design_effect: Vec::new(),
            basis,
            min_count: options.min_count,
            confidence: options.confidence,
            test: options.test,
            n_boot: options.n_boot,
            suppress: options.suppress,
            valued: !worth.is_empty(),
            observed: observed.clone(),
            index,
            index_lo,
            index_hi,
            index_shrunk: Vec::new(),
            index_shrunk_lo: Vec::new(),
            index_shrunk_hi: Vec::new(),
            scatter: 0.0,
            p: Vec::new(),
            q: Vec::new(),
            chi2: None,
            dof: null.dof,
            p_value: None,
            manifest,
        }
    }

    /// Intervals from drawn tables, where something was observed; a cell without records draws none.
    fn take_intervals(&mut self, drawn: &boot::Intervals, worth: &[f64]) {
        let cells = 0..self.observed.len();
        for cell in cells.filter(|&cell| self.observed[cell] > 0.0) {
            (self.index_lo[cell], self.index_hi[cell]) = drawn.index[cell];
            let unit = self.basis.sign() * worth.get(cell).unwrap_or(&1.0);
            let (lo, hi) = drawn.difference[cell];
            let ends = [-unit * lo, -unit * hi];
            self.gap_value_lo[cell] = ends[0].min(ends[1]);
            self.gap_value_hi[cell] = ends[0].max(ends[1]);
        }
    }

    /// Draws the indices of all cells that are shown towards 1.
    fn shrink(&mut self) -> Result<()> {
        // Records that would give the index the variance it has where there is no gap.
        let effective: Vec<f64> = (0..self.index.len())
            .map(|cell| self.expected[cell] * (self.expected[cell] / self.variance[cell]))
            .collect();
        let shrunk = shrink(&self.index, &effective, self.confidence)?;
        self.scatter = shrunk.shape.sqrt().recip();
        self.index_shrunk = shrunk.index;
        self.index_shrunk_lo = shrunk.lo;
        self.index_shrunk_hi = shrunk.hi;
        Ok(())
    }
}

/// Observed minus expected in standard deviations of chance; NaN where the totals alone decide the cell.
fn residual(observed: f64, expected: f64, variance: f64) -> f64 {
    if variance > 0.0 {
        (observed - expected) / variance.sqrt()
    } else if expected == 0.0 && observed > 0.0 {
        f64::INFINITY
    } else {
        f64::NAN
    }
}

fn manifest(
    (rows, cols): (&Axis, &Axis),
    cells: &Cells,
    (values, customer): (Option<&str>, Option<&str>),
    options: &Options,
) -> Manifest {
    let mut settings = serde_json::Map::new();
    let against = match options.against {
        Against::Totals => None,
        Against::Supply(_) => Some("supply"),
        Against::Need(_) => Some("need"),
        Against::Reference(_) => Some("reference"),
    };
    settings.insert("rows".to_string(), json!(rows.name));
    settings.insert("cols".to_string(), json!(cols.name));
    settings.insert("values".to_string(), json!(values));
    settings.insert("customer".to_string(), json!(customer));
    settings.insert("against".to_string(), json!(against));
    settings.insert("valued".to_string(), json!(!options.worth.is_empty()));
    settings.insert("structural_zeros".to_string(), json!(options.structural_zeros));
    settings.insert("min_count".to_string(), json!(options.min_count));
    settings.insert("confidence".to_string(), json!(options.confidence));
    settings.insert("test".to_string(), json!(options.test));
    settings.insert("n_boot".to_string(), json!(options.n_boot));
    settings.insert("suppress".to_string(), json!(options.suppress));
    let random = options.n_boot > 0 || options.test == Test::MonteCarlo;
    let seed = random.then_some(options.seed);
    let mut manifest = Manifest::new("gap_matrix", settings, seed, cells.n_records);
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
        let figures = [
            &self.observed,
            &self.expected,
            &self.index,
            &self.index_lo,
            &self.index_hi,
            &self.index_shrunk,
            &self.index_shrunk_lo,
            &self.index_shrunk_hi,
            &self.residual,
            &self.variance,
            &self.p,
            &self.q,
            &self.gap_value,
            &self.gap_value_lo,
            &self.gap_value_hi,
        ];
        let mut lengths: Vec<usize> = figures.iter().map(|figure| figure.len()).collect();
        lengths.extend([self.n.len(), self.status.len()]);
        if lengths.iter().any(|&length| Some(length) != n) {
            return Err(persist::broken(format!(
                "a table of {} by {} categories has columns of {lengths:?} cells",
                self.rows.categories.len(),
                self.cols.categories.len()
            )));
        }
        if !(self.rows.is_whole() && self.cols.is_whole()) {
            return Err(persist::broken("the columns of a side do not fit its categories"));
        }
        if self.design_effect.len() != self.customer.as_ref().map_or(0, |_| self.n.len()) {
            return Err(persist::broken("design effects do not fit the table"));
        }
        let options = Options {
            min_count: self.min_count,
            confidence: self.confidence,
            suppress: self.suppress,
            ..Options::default()
        };
        check_names(&self.rows, &self.cols, &[("values", self.values.as_deref())])
            .and_then(|()| options.check())
            .map_err(|error| persist::broken(error.to_string()))
    }
}
