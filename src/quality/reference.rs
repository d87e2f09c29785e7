//! Structureless data that resembles the customers: what segments are found where there are none.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::table::Prepared;

/// What the structureless data keeps of the customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reference {
    /// Amounts uniform in the box along the principal components; categories shuffled.
    Box,
    /// Every column shuffled by itself: it keeps its values, and no column tells of another.
    Shuffled,
}

/// Different values from which on a column of amounts is taken for continuous.
const CONTINUOUS: usize = 12;

/// A generator of structureless data.
#[derive(Debug)]
pub(crate) struct Structureless<'a> {
    rows: &'a Prepared,
    means: Vec<f64>,
    /// Directions of the box, one row each.
    axes: Array2<f64>,
    /// Smallest and largest coordinate along each.
    ranges: Vec<(f64, f64)>,
}

impl<'a> Structureless<'a> {
    /// Looks at the data once: means and principal components.
    pub(crate) fn new(rows: &'a Prepared) -> Self {
        let (n, d) = rows.numeric.dim();
        let mean = |column: ndarray::ArrayView1<'_, f64>| {
            let seen = column.iter().filter(|value| !value.is_nan());
            let (sum, count) = seen.fold((0.0, 0_usize), |(s, c), value| (s + value, c + 1));
            if count == 0 { 0.0 } else { sum / count as f64 }
        };
        let means: Vec<f64> = rows.numeric.columns().into_iter().map(mean).collect();
        // A missing value lies in the middle.
        let mut centred = rows.numeric.clone();
        for mut row in centred.rows_mut() {
            for (value, mean) in row.iter_mut().zip(&means) {
                *value = if value.is_nan() { 0.0 } else { *value - mean };
            }
        }
        let axes = eigenvectors(centred.t().dot(&centred) / n.max(1) as f64);
        let scores = centred.dot(&axes.t());
        let range = |column: ndarray::ArrayView1<'_, f64>| {
            column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            })
        };
        let ranges = (0..d).map(|axis| range(scores.column(axis))).collect();
        Self { rows, means, axes, ranges }
    }

    /// Whether a box makes sense: every amount takes many values.
    pub(crate) fn is_continuous(&self) -> bool {
        let many = |column: ndarray::ArrayView1<'_, f64>| {
            let mut seen: Vec<u64> = Vec::new();
            for value in column.iter().filter(|value| !value.is_nan()) {
                let bits = (value + 0.0).to_bits();
                if !seen.contains(&bits) {
                    seen.push(bits);
                    if seen.len() >= CONTINUOUS {
                        return true;
                    }
                }
            }
            false
        };
        self.rows.numeric.ncols() > 0 && self.rows.numeric.columns().into_iter().all(many)
    }

    /// New data of the same shape; values are missing where they were.
    pub(crate) fn draw(&self, reference: Reference, rng: &mut Rng) -> Prepared {
        let mut drawn = self.rows.clone();
        for mut column in drawn.codes.columns_mut() {
            shuffle(column.len(), rng, |a, b| column.swap(a, b));
        }
        match reference {
            Reference::Shuffled => {
                for mut column in drawn.numeric.columns_mut() {
                    shuffle(column.len(), rng, |a, b| column.swap(a, b));
                }
            }
            Reference::Box => {
                let d = self.means.len();
                let mut point = vec![0.0; d];
                for mut row in drawn.numeric.rows_mut() {
                    point.copy_from_slice(&self.means);
                    for (&(low, high), axis) in self.ranges.iter().zip(self.axes.rows()) {
                        let coordinate = low + rng.uniform() * (high - low);
                        point.iter_mut().zip(axis).for_each(|(to, at)| *to += coordinate * at);
                    }
                    for (value, &new) in row.iter_mut().zip(&point) {
                        *value = if value.is_nan() { f64::NAN } else { new };
                    }
                }
            }
        }
        drawn
    }
}

/// Fisher and Yates's shuffle.
fn shuffle(n: usize, rng: &mut Rng, mut swap: impl FnMut(usize, usize)) {
    for at in (1..n).rev() {
        swap(at, rng.below(at + 1));
    }
}

/// Eigenvectors of a symmetric matrix, one row each, by Jacobi's rotations.
fn eigenvectors(mut matrix: Array2<f64>) -> Array2<f64> {
    let d = matrix.nrows();
    let mut vectors = Array2::eye(d);
    let all: f64 = matrix.iter().map(|value| value * value).sum();
    for _ in 0..60 {
        let off: f64 = matrix.indexed_iter().filter(|((i, j), _)| i != j).map(|(_, v)| v * v).sum();
        if !off.is_finite() || off <= 1e-24 * all {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                let apq = matrix[(p, q)];
                if apq == 0.0 {
                    continue;
                }
                let theta = (matrix[(q, q)] - matrix[(p, p)]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cos = t.hypot(1.0).recip();
                let sin = t * cos;
                for k in 0..d {
                    let (a, b) = (matrix[(k, p)], matrix[(k, q)]);
                    matrix[(k, p)] = cos * a - sin * b;
                    matrix[(k, q)] = sin * a + cos * b;
                }
                for k in 0..d {
                    let (a, b) = (matrix[(p, k)], matrix[(q, k)]);
                    matrix[(p, k)] = cos * a - sin * b;
                    matrix[(q, k)] = sin * a + cos * b;
                }
                for k in 0..d {
                    let (a, b) = (vectors[(p, k)], vectors[(q, k)]);
                    vectors[(p, k)] = cos * a - sin * b;
                    vectors[(q, k)] = sin * a + cos * b;
                }
            }
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stage;
    use ndarray::array;

    #[test]
    fn eigenvectors_diagonalise() {
        let matrix = array![[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 1.0]];
        let vectors = eigenvectors(matrix.clone());
        let diagonal = vectors.dot(&matrix).dot(&vectors.t());
        for ((i, j), value) in diagonal.indexed_iter() {
            assert!(i == j || value.abs() < 1e-12, "{diagonal}");
        }
        let eye: Array2<f64> = vectors.dot(&vectors.t());
        assert!((eye - Array2::<f64>::eye(3)).iter().all(|x| x.abs() < 1e-12));
    }

    #[test]
    fn a_box_follows_the_correlation_and_a_shuffle_keeps_the_values() {
        let mut rng = Rng::stream(1, Stage::Reference, 0);
        let mut line = Array2::zeros((500, 2));
        for mut row in line.rows_mut() {
            let x = rng.uniform();
            (row[0], row[1]) = (x, 2.0 * x + 0.01 * rng.uniform());
        }
        let rows = Prepared { numeric: line, codes: Array2::zeros((500, 0)), n_categories: vec![] };
        let structureless = Structureless::new(&rows);
        assert!(structureless.is_continuous());
        let boxed = structureless.draw(Reference::Box, &mut rng);
        assert!(boxed.numeric.rows().into_iter().all(|row| (row[1] - 2.0 * row[0]).abs() < 0.1));
        let shuffled = structureless.draw(Reference::Shuffled, &mut rng);
        assert!(shuffled.numeric.rows().into_iter().any(|row| (row[1] - 2.0 * row[0]).abs() > 0.5));
        for (new, old) in shuffled.numeric.columns().into_iter().zip(rows.numeric.columns()) {
            let sorted = |column: ndarray::ArrayView1<'_, f64>| {
                let mut values = column.to_vec();
                values.sort_by(f64::total_cmp);
                values
            };
            assert_eq!(sorted(new), sorted(old));
        }
    }
}
