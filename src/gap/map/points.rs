//! Points of the map, and what they tell.

use serde::{Deserialize, Serialize};

use super::decompose::Parts;
use super::multiple::Correction;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};

/// The categories of one side as points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// Column that each category belongs to.
    pub variables: Vec<String>,
    /// Names of the categories.
    pub categories: Vec<String>,
    /// Share of each in the whole; 0 for a category without records.
    pub masses: Vec<f64>,
    /// Squared chi-squared distance of each to the average; NaN where there is no record.
    #[serde(with = "persist::floats")]
    pub squared: Vec<f64>,
    /// Principal coordinates, `(point, dimension)`; NaN where there is no record.
    #[serde(with = "persist::floats")]
    pub coordinates: Vec<f64>,
}

impl Points {
    /// Number of points.
    pub fn n(&self) -> usize {
        self.categories.len()
    }

    fn dims(&self) -> usize {
        self.coordinates.len() / self.n().max(1)
    }

    /// Principal coordinates of a point.
    pub fn of(&self, point: usize) -> &[f64] {
        let dims = self.dims();
        &self.coordinates[point * dims..(point + 1) * dims]
    }

    /// Share of a dimension's inertia that each point gives, `(point, dimension)`.
    pub fn contributions(&self, inertias: &[f64]) -> Vec<f64> {
        self.each(|point, dim, value| self.masses[point] * value * value / inertias[dim])
    }

    /// Share of a point's squared distance that each dimension shows, `(point, dimension)`.
    pub fn cos2(&self) -> Vec<f64> {
        self.each(|point, _, value| value * value / self.squared[point])
    }

    fn each(&self, of: impl Fn(usize, usize, f64) -> f64) -> Vec<f64> {
        let dims = self.dims().max(1);
        self.coordinates
            .iter()
            .enumerate()
            .map(|(at, &value)| of(at / dims, at % dims, value))
            .collect()
    }
}

/// A map of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// What the result was made from.
    pub manifest: Manifest,
    /// The rows; empty where several columns are compared with each other.
    pub rows: Points,
    /// The columns, or all categories where several columns are compared with each other.
    pub cols: Points,
    /// Inertia of each dimension, largest first: all of them, not only those with coordinates.
    pub inertias: Vec<f64>,
    /// Sum of records or values.
    pub total: f64,
    /// What the inertias mean where several columns are compared with each other.
    #[serde(deserialize_with = "Option::deserialize")]
    pub correction: Option<Correction>,
}

impl Map {
    /// Chi-squared over the total: how far rows and columns depend on each other.
    pub fn total_inertia(&self) -> f64 {
        self.inertias.iter().sum()
    }

    /// Number of dimensions that points have coordinates of.
    pub fn dims(&self) -> usize {
        self.cols.dims()
    }

    /// Coordinates of points that took no part, by their records in each category of the other side: `(point, dimension)`.
    ///
    /// The transition formula: a row lies at the average of the columns it has records in, stretched by the singular value
    /// of each dimension. A point without records has no place: NaN.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another number of categories; [`Error::BadValue`] for a value that is negative or not finite.
    pub fn project(&self, counts: &[f64], rows: bool) -> Result<Vec<f64>> {
        let (others, dims) = (if rows { &self.cols } else { &self.rows }, self.dims());
        let width = others.n();
        if width == 0 || !counts.len().is_multiple_of(width) {
            let found = format!("{} values", counts.len());
            return Err(Error::argument(
                "table",
                found,
                format!("{width} for each point are needed"),
            ));
        }
        let mut found = Vec::with_capacity(counts.len() / width * dims);
        for (point, counts) in counts.chunks_exact(width).enumerate() {
            if let Some(at) = counts.iter().position(|count| !(count.is_finite() && *count >= 0.0))
            {
                let wanted = "records and values are numbers from 0 up";
                return Err(Error::value(&others.categories[at], point, counts[at], wanted));
            }
            let known = |at: &usize| others.masses[*at] > 0.0;
            let sum: f64 = (0..width).filter(known).map(|at| counts[at]).sum();
            for dim in 0..dims {
                let weighed = |at: usize| counts[at] * others.of(at)[dim];
                let mean = (0..width).filter(known).map(weighed).sum::<f64>() / sum;
                found.push(if sum > 0.0 { mean / self.inertias[dim].sqrt() } else { f64::NAN });
            }
        }
        Ok(found)
    }
}

impl Persist for Map {
    const KIND: &'static str = "correspondence_map";

    fn validate(&self) -> Result<()> {
        let broken = |what: &str| Err(persist::broken(what));
        let falling = self.inertias.windows(2).all(|pair| pair[0] >= pair[1]);
        if !falling || self.inertias.iter().any(|value| !(value.is_finite() && *value >= 0.0)) {
            return broken("the inertias are not falling numbers from 0 up");
        }
        for points in [&self.rows, &self.cols] {
            let n = points.n();
            let alike = points.variables.len() == n
                && points.masses.len() == n
                && points.squared.len() == n;
            if !alike || points.coordinates.len() != n * self.dims() {
                return broken("the points differ in number");
            }
        }
        if self.cols.n() == 0 || self.dims() > self.inertias.len() {
            return broken("there are more coordinates than dimensions");
        }
        Ok(())
    }
}

/// Points of one side from its vectors, and their squared distances to the average.
pub(super) fn points(
    variables: Vec<String>,
    categories: Vec<String>,
    masses: Vec<f64>,
    squared: Vec<f64>,
    vectors: &[Vec<f64>],
    scale: &[f64],
) -> Points {
    let mut coordinates = Vec::with_capacity(vectors.len() * scale.len());
    for (vector, &mass) in vectors.iter().zip(&masses) {
        for (value, scale) in vector.iter().zip(scale) {
            coordinates.push(if mass > 0.0 { value * scale / mass.sqrt() } else { f64::NAN });
        }
    }
    Points { variables, categories, masses, squared, coordinates }
}

/// Turns each dimension so that the point which gives most to it lies on the positive side.
///
/// Vectors of singular values come with either sign. Of points that give equally much the first by name decides, so that
/// neither the order of the records nor that of the categories changes the map.
pub(super) fn turn(parts: &mut Parts, names: &[String]) {
    let Parts { values, left, right } = parts;
    for dim in 0..values.len() {
        let vectors = || left.iter().chain(right.iter());
        let most = vectors().map(|vector| vector[dim].abs()).fold(0.0, f64::max);
        let leading =
            vectors().zip(names).filter(|(vector, _)| vector[dim].abs() > 0.999_999 * most);
        let first = leading.min_by(|a, b| a.1.cmp(b.1)).map_or(1.0, |(vector, _)| vector[dim]);
        if first < 0.0 {
            left.iter_mut().chain(right.iter_mut()).for_each(|vector| vector[dim] = -vector[dim]);
        }
    }
}
