//! The map as tables and in words.

use super::points::{Map, Points};
use crate::error::Result;
use crate::sentence::listed;
use crate::table::Table;

/// Share of a point's distance that the dimensions shown must show before its place says much.
const WELL_SHOWN: f64 = 0.5;
/// Points named on each side of a dimension.
const NAMED: usize = 3;

impl Map {
    /// One row per point: side, column, category, mass, share of the inertia, quality (the share of its distance that the
    /// dimensions show), and coordinate, contribution and cos2 for each dimension.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let sides = [("row", &self.rows), ("column", &self.cols)];
        let every = || sides.iter().filter(|(_, points)| points.n() > 0);
        let total = self.total_inertia();
        let (contributions, cos2): (Vec<_>, Vec<_>) = every()
            .map(|(_, points)| (points.contributions(&self.inertias), points.cos2()))
            .unzip();
        let quality = |cos2: &Vec<f64>| -> Vec<f64> {
            cos2.chunks_exact(self.dims()).map(|point| point.iter().sum()).collect()
        };
        let mut builder = Table::builder()
            .text("side", every().flat_map(|(side, points)| vec![*side; points.n()]))
            .text("variable", every().flat_map(|(_, points)| points.variables.iter()))
            .text("category", every().flat_map(|(_, points)| points.categories.iter()))
            .float("mass", every().flat_map(|(_, points)| points.masses.iter().copied()))
            .float(
                "inertia_share",
                every().flat_map(|(_, points)| {
                    let inertia = |(mass, squared): (&f64, &f64)| mass * squared / total;
                    points.masses.iter().zip(&points.squared).map(inertia)
                }),
            )
            .float("quality", cos2.iter().flat_map(quality));
        for dim in 0..self.dims() {
            let of = |values: &Vec<Vec<f64>>| -> Vec<f64> {
                values
                    .iter()
                    .flat_map(|side| side.iter().skip(dim).step_by(self.dims()))
                    .copied()
                    .collect()
            };
            let coordinates: Vec<Vec<f64>> = every().map(|(_, p)| p.coordinates.clone()).collect();
            builder = builder
                .float(&format!("dim_{}", dim + 1), of(&coordinates))
                .float(&format!("contribution_{}", dim + 1), of(&contributions))
                .float(&format!("cos2_{}", dim + 1), of(&cos2));
        }
        builder.finish()
    }

    /// One row per dimension: inertia, its share of all and of those before; corrected ones where several columns are
    /// compared.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn inertias_table(&self) -> Result<Table> {
        let running = |shares: &[f64]| -> Vec<f64> {
            shares
                .iter()
                .scan(0.0, |sum, share| {
                    *sum += share;
                    Some(*sum)
                })
                .collect()
        };
        let total = self.total_inertia();
        let shares: Vec<f64> = self.inertias.iter().map(|inertia| inertia / total).collect();
        let mut builder = Table::builder()
            .int("dim", 1..=self.inertias.len() as i64)
            .float("inertia", self.inertias.iter().copied())
            .float("share", shares.iter().copied())
            .float("cumulative", running(&shares));
        if let Some(correction) = &self.correction {
            let of = |sum: f64| correction.inertias.iter().map(move |inertia| inertia / sum);
            builder = builder
                .float("corrected", correction.inertias.iter().copied())
                .float("benzecri_share", of(correction.inertias.iter().sum()))
                .float("greenacre_share", of(correction.mean_inertia));
        }
        builder.finish()
    }

    /// Coordinates of one side: the categories and one column per dimension.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn coordinates_table(&self, rows: bool) -> Result<Table> {
        let points = if rows { &self.rows } else { &self.cols };
        let mut builder = Table::builder();
        if self.correction.is_some() {
            builder = builder.text("variable", &points.variables);
        }
        builder = builder.text("category", &points.categories);
        for dim in 0..self.dims() {
            let of = points.coordinates.iter().skip(dim).step_by(self.dims()).copied();
            builder = builder.float(&format!("dim_{}", dim + 1), of);
        }
        builder.finish()
    }

    /// What the map shows, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let share = |dim: usize| match &self.correction {
            Some(correction) => correction.inertias[dim] / correction.mean_inertia,
            None => self.inertias[dim] / self.total_inertia(),
        };
        let shown: f64 = (0..self.dims()).map(share).sum();
        let of_what = match &self.correction {
            Some(_) => {
                "of how the columns depend on each other (Greenacre's correction)".to_string()
            }
            None => format!(
                "of how rows and columns depend on each other (total inertia, chi-squared over the total: {:.4})",
                self.total_inertia()
            ),
        };
        let plural = if self.dims() == 1 { "dimension shows" } else { "dimensions together show" };
        let mut lines =
            vec![format!("{} {plural} {:.1} % {of_what}.", self.dims(), 100.0 * shown.min(1.0))];
        for dim in 0..self.dims() {
            let (low, high) = (self.leading(dim, -1.0), self.leading(dim, 1.0));
            lines.push(format!(
                "Dimension {} ({:.1} %) sets {high} apart from {low}.",
                dim + 1,
                100.0 * share(dim)
            ));
        }
        let doubtful: Vec<&str> = [&self.rows, &self.cols]
            .iter()
            .flat_map(|points| {
                let cos2 = points.cos2();
                let poor = move |at: usize| {
                    let quality: f64 = cos2[at * self.dims()..(at + 1) * self.dims()].iter().sum();
                    quality < WELL_SHOWN
                };
                (0..points.n()).filter(move |&at| poor(at)).map(|at| points.categories[at].as_str())
            })
            .collect();
        if !doubtful.is_empty() && self.correction.is_none() {
            lines.push(format!(
                "Less than half of what sets them apart is shown of {}: their places say little.",
                listed(&doubtful)
            ));
        }
        lines.push(
            "Read directions, not distances between a row and a column: a row has more than expected of the columns that \
             lie in its direction, the more so the farther out both are."
                .to_string(),
        );
        lines
    }

    /// The points that give most to one side of a dimension: those above the mean contribution of all points of their kind.
    fn leading(&self, dim: usize, sign: f64) -> String {
        let mut found: Vec<(f64, String)> = Vec::new();
        for points in [&self.rows, &self.cols] {
            let contributions = points.contributions(&self.inertias);
            let known = points.masses.iter().filter(|&&mass| mass > 0.0).count();
            for at in (0..points.n()).filter(|&at| sign * points.of(at)[dim] > 0.0) {
                let given = contributions[at * self.dims() + dim];
                if given >= 1.0 / known as f64 {
                    found.push((given, self.name(points, at)));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let names: Vec<&str> = found.iter().map(|(_, name)| name.as_str()).take(NAMED).collect();
        if names.is_empty() { "the others".to_string() } else { listed(&names) }
    }

    fn name(&self, points: &Points, at: usize) -> String {
        let category = &points.categories[at];
        match &self.correction {
            Some(_) => format!("{} = {category}", points.variables[at]),
            None => category.clone(),
        }
    }
}
