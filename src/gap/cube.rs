//! A gap matrix for each segment, and where the segments differ.
//!
//! Each segment is held against its own totals (or the same supply, need or other period), on the same categories. A cell
//! has the same index `L` in all segments if they differ by chance alone: with `O`, `E` and `V` the observed and expected
//! value of a segment and the variance of their difference, `L = sum(O E / V) / sum(E^2 / V)` and
//! `sum((O - L E)^2 / (L V))` is about chi-squared with one degree of freedom less than there are segments: the score test
//! of equal rate ratios (Breslow and Day 1987, Statistical Methods in Cancer Research II, section 3.4), with the variance
//! of the adjusted residual.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::axis::Axis;
use super::crosstab::{is_refused, refused};
use super::matrix::{GapMatrix, gap_matrix};
use super::options::{Options, check_names};
use super::tables::{Read, Roles};
use super::verdict::Status;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::statistics::benjamini_hochberg;
use crate::table::{MISSING, Table};

/// Gap matrices of several segments over the same categories. Vectors hold one entry per cell, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapCube {
    /// Column that says which segment a record belongs to.
    pub by: String,
    /// Its categories, one for each matrix.
    pub segments: Vec<String>,
    /// The matrix of each segment.
    pub matrices: Vec<GapMatrix>,
    /// Index that the segments have in common.
    #[serde(with = "persist::floats")]
    pub index: Vec<f64>,
    /// How far the segments are from it; NaN where fewer than two of them can be judged.
    #[serde(with = "persist::floats")]
    pub chi2: Vec<f64>,
    /// Degrees of freedom.
    pub dof: Vec<usize>,
    /// p-value of chi2.
    #[serde(with = "persist::floats")]
    pub p: Vec<f64>,
    /// p adjusted for the number of cells tested (Benjamini-Hochberg).
    #[serde(with = "persist::floats")]
    pub q: Vec<f64>,
    /// Settings, and rows used and left out.
    pub manifest: Manifest,
}

impl GapCube {
    /// A gap matrix for each category of the column `by`. Time: that of the matrices.
    ///
    /// # Errors
    ///
    /// Those of [`gap_matrix`] for any segment, naming it; [`Error::Argument`] where there is one segment alone, where
    /// `by` is a column of the matrix, or where cells are to be hidden.
    pub fn from_table(
        table: &Table,
        roles: &Roles,
        by: &str,
        options: &Options,
        monitor: &Monitor,
    ) -> Result<Self> {
        if options.suppress.is_some() {
            let wanted = "segments add up to a whole that gives hidden cells away";
            return Err(Error::argument("suppress", "suppress together with by", wanted)
                .with_mend("by=None"));
        }
        let mut read = Read::new(table, roles)?;
        check_names(&read.rows.0, &read.cols.0, &[("by", Some(by))])?;
        if super::words::COLUMNS.contains(&by) {
            let wanted = "this is the name of a column of the result";
            return Err(Error::argument("by", format!("{by:?}"), wanted)
                .with_mend(format!("df = df.rename(columns={{{by:?}: \"{by}_\"}})")));
        }
        if let Some((name, values)) = &read.values
            && let Some(row) = values.iter().position(|&value| is_refused(value))
        {
            return Err(refused(name, row, values[row]));
        }
        let labels = table.codes(by)?;
        let mut manifest = Manifest::new("gap_cube", serde_json::Map::new(), None, table.n_rows());
        manifest.leave_out(format!("{by:?} is missing"), labels.n_missing);
        // Every segment shows the same categories: those with records in any of them.
        for (axis, codes) in [&mut read.rows, &mut read.cols] {
            keep_met(axis, codes, &labels.codes);
        }
        let mut of_segment = vec![Vec::new(); labels.categories.len()];
        for (row, &code) in labels.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
            of_segment[code as usize].push(row);
        }
        let (mut segments, mut matrices) = (Vec::new(), Vec::new());
        for (name, rows) in labels.categories.iter().zip(&of_segment) {
            if rows.is_empty() {
                continue;
            }
            let part = read.part(rows);
            let made = gap_matrix(&part.rows.0, &part.cols.0, part.records(), options, monitor)
                .map_err(|error| error.within(format!("{by} {name:?}")))?;
            segments.push(name.clone());
            matrices.push(GapMatrix { weights: roles.weights.clone(), ..made });
        }
        if segments.len() < 2 {
            let found = format!("{} segment with records in {by:?}", segments.len());
            let wanted = "at least 2 are needed for a comparison";
            return Err(Error::argument("by", found, wanted));
        }
        manifest.settings = matrices[0].manifest.settings.clone();
        manifest.settings.insert("by".to_string(), by.into());
        manifest.random_state = matrices[0].manifest.random_state;
        for (matrix, segment) in matrices.iter().zip(&segments) {
            for left in &matrix.manifest.left_out {
                manifest.leave_out(format!("{} ({segment})", left.reason), left.rows);
            }
            let notes = &matrix.manifest.notes;
            manifest.notes.extend(notes.iter().map(|note| format!("{segment}: {note}")));
        }
        Ok(Self::compare(by, segments, matrices, manifest))
    }

    fn compare(
        by: &str,
        segments: Vec<String>,
        matrices: Vec<GapMatrix>,
        manifest: Manifest,
    ) -> Self {
        let n_cells = matrices[0].n.len();
        let tests: Vec<(f64, f64, usize)> = (0..n_cells)
            .map(|cell| {
                let judged = matrices
                    .iter()
                    .filter(|matrix| {
                        matrix.q[cell].is_finite() && matrix.residual[cell].is_finite()
                    })
                    .map(|matrix| {
                        let (o, e) = (matrix.observed[cell], matrix.expected[cell]);
                        (o, e, matrix.variance[cell])
                    });
                equal_indices(&judged.collect::<Vec<_>>())
            })
            .collect();
        let p: Vec<f64> = tests
            .iter()
            .map(|&(_, chi2, dof)| match ChiSquared::new(dof as f64) {
                Ok(law) if !chi2.is_nan() => law.sf(chi2),
                _ => f64::NAN,
            })
            .collect();
        Self {
            by: by.to_string(),
            segments,
            matrices,
            index: tests.iter().map(|test| test.0).collect(),
            chi2: tests.iter().map(|test| test.1).collect(),
            dof: tests.iter().map(|test| test.2).collect(),
            q: benjamini_hochberg(&p),
            p,
            manifest,
        }
    }

    /// The matrix of a segment.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is no such segment.
    pub fn of(&self, segment: &str) -> Result<&GapMatrix> {
        let at = self.segments.iter().position(|name| name == segment);
        at.map(|at| &self.matrices[at]).ok_or_else(|| {
            let wanted = format!("the segments are {:?}", self.segments);
            Error::argument("segment", format!("{segment:?}"), wanted)
        })
    }

    /// All cells of all segments, one row each.
    ///
    /// # Errors
    ///
    /// None that a validated cube can give.
    pub fn table(&self) -> Result<Table> {
        let n_cells = self.matrices[0].n.len();
        let names = self.segments.iter().flat_map(|name| std::iter::repeat_n(name, n_cells));
        let builder = Table::builder().text(&self.by, names);
        GapMatrix::columns(&self.matrices, builder).finish()
    }

    /// Cells by how much the segments differ there, the greatest difference first, and at most `top` of them.
    pub fn differences(&self, top: usize) -> Vec<usize> {
        let mut cells: Vec<usize> =
            (0..self.q.len()).filter(|&cell| !self.q[cell].is_nan()).collect();
        let strength = |cell: usize| self.chi2[cell] / self.dof[cell].max(1) as f64;
        cells.sort_by(|&a, &b| {
            self.p[a]
                .total_cmp(&self.p[b])
                .then(strength(b).total_cmp(&strength(a)))
                .then(a.cmp(&b))
        });
        cells.truncate(top);
        cells
    }

    /// [`GapCube::differences`] as a table: the test, the common index, and the segments of the lowest and highest index.
    ///
    /// # Errors
    ///
    /// None that a validated cube can give.
    pub fn differences_table(&self, top: usize) -> Result<Table> {
        let cells = self.differences(top);
        let of = |values: &[f64]| cells.iter().map(|&cell| values[cell]).collect::<Vec<_>>();
        let ends: Vec<(usize, usize)> = cells.iter().map(|&cell| self.ends(cell)).collect();
        let index = |end: &dyn Fn(&(usize, usize)) -> usize| -> Vec<f64> {
            cells.iter().zip(&ends).map(|(&cell, at)| self.matrices[end(at)].index[cell]).collect()
        };
        self.matrices[0]
            .categories(Table::builder().int("rank", (1..).take(cells.len())), &cells)
            .float("index_all", of(&self.index))
            .text("lowest", ends.iter().map(|&(lo, _)| &self.segments[lo]))
            .float("index_lowest", index(&|at| at.0))
            .text("highest", ends.iter().map(|&(_, hi)| &self.segments[hi]))
            .float("index_highest", index(&|at| at.1))
            .float("chi2", of(&self.chi2))
            .int("dof", cells.iter().map(|&cell| self.dof[cell] as i64))
            .float("p", of(&self.p))
            .float("q", of(&self.q))
            .text("sentence", cells.iter().map(|&cell| self.sentence(cell)))
            .finish()
    }

    /// Segments with the lowest and the highest index of a cell, among those that can be judged.
    fn ends(&self, cell: usize) -> (usize, usize) {
        let judged = || (0..self.segments.len()).filter(|&s| self.matrices[s].q[cell].is_finite());
        let by_index = |&a: &usize, &b: &usize| {
            self.matrices[a].index[cell].total_cmp(&self.matrices[b].index[cell])
        };
        (judged().min_by(by_index).unwrap_or(0), judged().max_by(by_index).unwrap_or(0))
    }

    fn sentence(&self, cell: usize) -> String {
        let (row, col) = self.matrices[0].names(cell);
        let (lo, hi) = self.ends(cell);
        let limit = self.matrices[0].limit();
        let finding = if self.q[cell] <= limit {
            format!("The segments differ (q at most {limit})")
        } else {
            format!("Chance explains the difference (q above {limit})")
        };
        format!(
            "{row}, {col}: from {:.2} times the expectation in {} to {:.2} times in {}. {finding}.",
            self.matrices[lo].index[cell],
            self.segments[lo],
            self.matrices[hi].index[cell],
            self.segments[hi],
        )
    }

    /// What the cube says, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let limit = self.matrices[0].limit();
        let tested = self.q.iter().filter(|q| !q.is_nan()).count();
        let differ = self.q.iter().filter(|&&q| q <= limit).count();
        let mut paragraphs = vec![format!(
            "One gap matrix for each of the {} segments of {}, each held against its own expectation, over the same \
             categories.",
            self.segments.len(),
            self.by
        )];
        paragraphs.push(format!(
            "In {differ} of {tested} cells the segments differ by more than chance: their indices are tested for \
             being equal, and q, which is p adjusted for looking at so many cells (Benjamini-Hochberg), is at most \
             {limit}. A difference of indices is one of departures from what each segment's own totals explain."
        ));
        paragraphs.extend(self.differences(3).into_iter().map(|cell| self.sentence(cell)));
        for (segment, matrix) in self.segments.iter().zip(&self.matrices) {
            let count = |status| matrix.status.iter().filter(|&&other| other == status).count();
            paragraphs.push(format!(
                "{segment}: {} gaps, {} saturated, {} of {} cells not judged.",
                count(Status::Gap),
                count(Status::Saturated),
                count(Status::TooFew),
                matrix.status.len()
            ));
        }
        paragraphs
    }
}

/// Common index, chi-squared of equal indices, and degrees of freedom, from observed, expected and variance.
fn equal_indices(judged: &[(f64, f64, f64)]) -> (f64, f64, usize) {
    let nothing = (f64::NAN, f64::NAN, 0);
    if judged.len() < 2 {
        return nothing;
    }
    let (above, below) = judged
        .iter()
        .fold((0.0, 0.0), |(above, below), (o, e, v)| (above + o * e / v, below + e * e / v));
    let index = above / below;
    if !(index > 0.0 && index.is_finite()) {
        return nothing;
    }
    let chi2 = judged.iter().map(|(o, e, v)| (o - index * e).powi(2) / (index * v)).sum();
    (index, chi2, judged.len() - 1)
}

/// Keeps the categories that have records in a segment, and makes them stay where a segment has none of them.
fn keep_met(axis: &mut Axis, codes: &mut [u32], segments: &[u32]) {
    let mut met = vec![axis.ordered; axis.categories.len()];
    for (&code, _) in codes.iter().zip(segments).filter(|(_, segment)| **segment != MISSING) {
        if let Some(met) = met.get_mut(code as usize) {
            *met = true;
        }
    }
    let kept: Vec<usize> = (0..met.len()).filter(|&at| met[at]).collect();
    let mut place = vec![MISSING; met.len()];
    for (at, &category) in (0..).zip(&kept) {
        place[category] = at;
    }
    for code in codes {
        *code = place.get(*code as usize).copied().unwrap_or(MISSING);
    }
    *axis = Axis { ordered: true, ..axis.keep(&kept) };
}

impl Persist for GapCube {
    const KIND: &'static str = "gap_cube";

    fn validate(&self) -> Result<()> {
        for matrix in &self.matrices {
            matrix.validate()?;
        }
        let Some(first) = self.matrices.first() else {
            return Err(persist::broken("a cube without a matrix"));
        };
        let n = first.n.len();
        let alike = self.matrices.iter().all(|m| m.rows == first.rows && m.cols == first.cols);
        let lengths =
            [self.index.len(), self.chi2.len(), self.dof.len(), self.p.len(), self.q.len()];
        if !alike || self.segments.len() != self.matrices.len() || lengths.iter().any(|&l| l != n) {
            return Err(persist::broken("the matrices of a cube do not fit each other"));
        }
        Ok(())
    }
}
