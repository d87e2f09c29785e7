//! Where distances come from: a matrix, or rows that they are computed from as needed.

use std::borrow::Cow;
use std::ops::Range;

use crate::cluster::gower::{Incomparable, fill};
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::simd::{Columns, Distance};

/// Distances among `n` rows.
pub(crate) trait Dissimilarities: Sync {
    /// Type of a distance.
    type Real: Distance;

    /// Number of rows.
    fn n(&self) -> usize;

    /// Distances of one row to all, in `room` where they must be computed.
    fn row<'a>(&'a self, row: usize, room: &'a mut Vec<Self::Real>) -> &'a [Self::Real];

    /// Distances of one row to those of a range; NaN for those that it cannot be compared with.
    fn part(&self, row: usize, range: Range<usize>, out: &mut [Self::Real]);

    /// The matrix of the distances among some rows, and the first two of them that cannot be compared.
    fn among(&self, rows: &[usize], monitor: &Monitor) -> Result<Sampled<Self::Real>>;

    /// Rows in an order that does not depend on where they stand, if there is one: of equal rows the first alone, then those
    /// that are repetitions.
    fn canonical(&self, rows: Vec<usize>) -> (Vec<usize>, Vec<usize>);
}

/// A matrix of distances and two rows that cannot be compared, if there are any.
pub(crate) type Sampled<T> = (Square<'static, T>, Option<(usize, usize)>);

/// The distance of rows that cannot be compared: as far apart as can be.
pub(crate) const APART: f64 = 1.0;

/// A square matrix of distances.
#[derive(Debug, Clone)]
pub(crate) struct Square<'a, T: Clone> {
    pub(crate) n: usize,
    pub(crate) values: Cow<'a, [T]>,
}

impl<T: Distance> Square<'_, T> {
    /// The matrix of the distances among all rows.
    pub(crate) fn of(
        columns: &Columns,
        monitor: &Monitor,
    ) -> Result<(Square<'static, T>, Incomparable)> {
        let n = columns.n;
        let mut values = vec![T::of(0.0); n * n];
        let found = fill(columns, columns, true, APART, &mut values, monitor)?;
        Ok((Square { n, values: Cow::Owned(values) }, found))
    }

    /// Refuses what is not a matrix of distances: each value finite and not negative, 0 from a row to itself, equal from
    /// both sides.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] with the first offending row and column.
    pub(crate) fn check(&self, monitor: &Monitor) -> Result<()> {
        let n = self.n;
        // Sums of distances must stay finite.
        let limit = f64::MAX * 1e-8 / (n.max(1) as f64 * 4.0);
        let good = parallel::map_blocks_of(TILE, n, |rows| {
            let mut mirror = vec![0.0; TILE * TILE];
            let tiles = (0..rows.end).step_by(TILE);
            monitor.check().is_err()
                || tiles
                    .map(|first| first..n.min(first + TILE))
                    .all(|columns| self.is_good(rows.clone(), columns, limit, &mut mirror))
        });
        monitor.check()?;
        let diagonal = (0..n).all(|row| self.at(row, row) == 0.0);
        if diagonal && good.into_iter().all(|good| good) {
            return Ok(());
        }
        for row in 0..n {
            for other in 0..=row {
                let (a, b) = (self.at(row, other), self.at(other, row));
                if !(is_good(a, b, limit) && (row != other || a == 0.0)) {
                    return Err(self.fault(row, other, limit));
                }
            }
        }
        Ok(())
    }

    /// Whether the values of a tile are distances, and those of its mirror image the same.
    fn is_good(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        limit: f64,
        mirror: &mut [f64],
    ) -> bool {
        for (at, column) in columns.clone().enumerate() {
            let line = &self.values[column * self.n..][rows.clone()];
            for (to, value) in mirror[at..].iter_mut().step_by(TILE).zip(line) {
                *to = value.wide();
            }
        }
        let mut good = true;
        for (row, mirror) in rows.zip(mirror.chunks(TILE)) {
            let line = &self.values[row * self.n..][columns.clone()];
            for (value, &other) in line.iter().zip(mirror) {
                good &= is_good(value.wide(), other, limit);
            }
        }
        good
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.n + column].wide()
    }

    fn fault(&self, row: usize, other: usize, limit: f64) -> Error {
        let (a, b) = (self.at(row, other), self.at(other, row));
        // The transposed value may be the one to blame.
        let at_fault = !(b >= 0.0 && b <= limit) && a >= 0.0 && a <= limit;
        let (row, other, value) = if at_fault { (other, row, b) } else { (row, other, a) };
        let found = if value.is_nan() { "NaN".to_owned() } else { format!("{value:?}") };
        let column = format!("X[:, {other}]");
        if !(value >= 0.0 && value <= limit) {
            let wanted = "a distance must be finite, not negative, and small enough to be summed";
            return Error::value(column, row, found, wanted);
        }
        if row == other {
            return Error::value(column, row, found, "the distance of a row to itself must be 0")
                .with_mend("np.fill_diagonal(X, 0)");
        }
        Error::value(
            column,
            row,
            format!("{found}, and {b:?} from the other side"),
            "a matrix of distances must be symmetric",
        )
        .with_mend("X = (X + X.T) / 2")
    }
}

/// Whether `a` is a distance and `b` the same.
#[inline]
fn is_good(a: f64, b: f64, limit: f64) -> bool {
    (a >= 0.0) & (a <= limit) & ((a - b).abs() <= SAME * a)
}

/// Rows and columns that are compared with their mirror image at a time.
const TILE: usize = 64;
/// Relative difference up to which both sides of a matrix count as equal.
const SAME: f64 = 1e-6;

impl<T: Distance> Dissimilarities for Square<'_, T> {
    type Real = T;

    fn n(&self) -> usize {
        self.n
    }

    fn row<'a>(&'a self, row: usize, _room: &'a mut Vec<T>) -> &'a [T] {
        &self.values[row * self.n..(row + 1) * self.n]
    }

    fn part(&self, row: usize, range: Range<usize>, out: &mut [T]) {
        out.copy_from_slice(&self.values[row * self.n..][range]);
    }

    fn among(&self, rows: &[usize], _monitor: &Monitor) -> Result<Sampled<T>> {
        let line =
            |&row: &usize| rows.iter().map(move |&column| self.values[row * self.n + column]);
        let values = Cow::Owned(rows.iter().flat_map(line).collect());
        Ok((Square { n: rows.len(), values }, None))
    }

    fn canonical(&self, rows: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
        (rows, Vec::new())
    }
}

impl Dissimilarities for Columns {
    type Real = f64;

    fn n(&self) -> usize {
        self.n
    }

    fn row<'a>(&'a self, row: usize, room: &'a mut Vec<f64>) -> &'a [f64] {
        room.resize(self.n, 0.0);
        self.distances(self, row, 0..self.n, room);
        if self.is_partial() {
            for distance in room.iter_mut() {
                *distance = if distance.is_nan() { APART } else { *distance };
            }
            room[row] = 0.0;
        }
        room
    }

    fn part(&self, row: usize, range: Range<usize>, out: &mut [f64]) {
        self.distances(self, row, range.clone(), out);
        if range.contains(&row) {
            out[row - range.start] = 0.0;
        }
    }

    fn among(&self, rows: &[usize], monitor: &Monitor) -> Result<Sampled<f64>> {
        let (square, found) = Square::of(&self.take(rows), monitor)?;
        Ok((square, found.first.map(|(row, other)| (rows[row], rows[other]))))
    }

    fn canonical(&self, mut rows: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
        if rows.len() > SORTED {
            return (rows, Vec::new());
        }
        rows.sort_by(|&a, &b| self.compare(a, b));
        let (mut different, mut repeated): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for row in rows {
            match different.last() {
                Some(&last) if self.compare(last, row).is_eq() => repeated.push(row),
                _ => different.push(row),
            }
        }
        (different, repeated)
    }
}

/// Rows up to which they are put into an order of their own.
const SORTED: usize = 1 << 15;

/// What the medoids are to each row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nearest {
    /// The nearest medoid of each row, ties to the lowest.
    pub(crate) labels: Vec<u32>,
    /// Weighted sum of the distances to it.
    pub(crate) cost: f64,
    /// Weight of the rows of each medoid.
    pub(crate) weights: Vec<f64>,
    /// First row and medoid that cannot be compared.
    pub(crate) incomparable: Option<(usize, usize)>,
}

/// What a block of rows adds: cost, weight of each medoid's rows, and a row and a medoid that cannot be compared.
type Part = (f64, Vec<f64>, Option<(usize, usize)>);

/// Gives each of `n` rows to the nearest of `k` medoids; `part(medoid, rows, out)` writes distances.
pub(crate) fn nearest<T: Distance>(
    n: usize,
    k: usize,
    weights: Option<&[f64]>,
    monitor: &Monitor,
    part: impl Fn(usize, Range<usize>, &mut [T]) + Sync + Send,
) -> Result<Nearest> {
    let mut labels = vec![0; n];
    let empty = || (0.0, vec![0.0; k], None);
    let mut parts: Vec<Part> = (0..n.div_ceil(parallel::BLOCK)).map(|_| empty()).collect();
    parallel::update_blocks(&mut labels, &mut parts, |first, labels, (cost, totals, bad)| {
        if monitor.check().is_err() {
            return;
        }
        let rows = labels.len();
        let mut distances = vec![T::of(0.0); rows];
        let mut lowest = vec![f64::INFINITY; rows];
        for medoid in 0..k {
            part(medoid, first..first + rows, &mut distances);
            for (at, distance) in distances.iter().enumerate() {
                let mut distance = distance.wide();
                if distance.is_nan() {
                    *bad = bad.or(Some((first + at, medoid)));
                    distance = APART;
                }
                if distance < lowest[at] {
                    (lowest[at], labels[at]) = (distance, medoid as u32);
                }
            }
        }
        for (at, &label) in labels.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[first + at]);
            *cost += weight * lowest[at];
            totals[label as usize] += weight;
        }
    });
    monitor.check()?;
    let mut found = Nearest { labels, cost: 0.0, weights: vec![0.0; k], incomparable: None };
    for (cost, totals, bad) in parts {
        found.cost += cost;
        found.weights.iter_mut().zip(totals).for_each(|(to, from)| *to += from);
        found.incomparable = found.incomparable.or(bad);
    }
    Ok(found)
}
