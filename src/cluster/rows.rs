//! Rows of numbers, checked once, so that no kernel meets NaN or overflows.

use std::borrow::Cow;

use ndarray::ArrayView2;

use crate::error::{Error, Result};
use crate::parallel::{self, BLOCK};
use crate::simd::{Moments, Real, Sieve, Sketch};

/// Rows that are finite and whose squared distances are finite too, one after the other in memory.
pub(crate) struct Rows<'a, T: Real> {
    pub(crate) values: Cow<'a, [T]>,
    pub(crate) n: usize,
    pub(crate) d: usize,
    pub(crate) weights: Option<&'a [f64]>,
    /// Weighted variance of the columns, on average.
    pub(crate) variance: f64,
    /// Means and standard deviations of the columns.
    centre_and_spread: (Vec<f64>, Vec<f64>),
    /// A coarse copy, once [`Rows::sketch`] made it.
    pub(crate) sketch: Option<Sketch>,
}

/// The column's name; x0, x1 and so on where there are no names.
pub(crate) fn column_name(names: &[String], column: usize) -> String {
    names.get(column).cloned().unwrap_or_else(|| format!("x{column}"))
}

/// What weights may add up to, so that their products with squared values stay finite.
pub(crate) const MOST_WEIGHT: f64 = 1e100;
/// What they must add up to, so that figures made from them do not vanish.
const LEAST_WEIGHT: f64 = 1e-100;

/// Checks weights and gives their total.
pub(crate) fn check_weights(weights: Option<&[f64]>, n: usize) -> Result<f64> {
    let Some(weights) = weights else { return Ok(n as f64) };
    if weights.len() != n {
        return Err(Error::argument(
            "sample_weight",
            format!("{} weights", weights.len()),
            format!("one for each of the {n} rows is needed"),
        ));
    }
    if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(Error::value(
            "sample_weight",
            row,
            weights[row],
            "a finite weight that is not negative is needed",
        ));
    }
    let total = parallel::sum(n, |row| weights[row]);
    if (LEAST_WEIGHT..=MOST_WEIGHT).contains(&total) {
        Ok(total)
    } else {
        let found = format!("a total of {total}");
        Err(Error::argument(
            "sample_weight",
            found,
            "it must be positive, between 1e-100 and 1e100",
        ))
    }
}

/// `(n, d)` of an array that holds something.
fn shape<T>(values: &ArrayView2<'_, T>) -> Result<(usize, usize)> {
    match values.dim() {
        (0, _) => {
            Err(Error::TooFewRows { what: "clustering".into(), needed: 1, found: 0, mend: None })
        }
        (_, 0) => Err(Error::argument("X", "0 columns", "at least one is needed")),
        shape => Ok(shape),
    }
}

impl<'a, T: Real> Rows<'a, T> {
    /// Takes an array of any layout; one that is not row after row is copied.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared, [`Error::Argument`] for weights that
    /// are negative, not finite, all 0 or of another number.
    pub(crate) fn new(
        array: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        names: &[String],
    ) -> Result<Self> {
        let (n, d) = shape(&array)?;
        let total = check_weights(weights, n)?;
        let values = match array.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(array.iter().copied().collect()),
        };
        let mut rows = Self {
            values,
            n,
            d,
            weights,
            variance: 0.0,
            centre_and_spread: (Vec::new(), Vec::new()),
            sketch: None,
        };
        let moments = parallel::map_blocks(n, |range| {
            let (values, weights) = rows.part(range.start, range.len());
            Moments::of(values, weights, &rows.values[..d])
        });
        let (mut first, mut second, mut largest) = (vec![0.0; d], vec![0.0; d], 0.0_f64);
        for block in moments {
            first.iter_mut().zip(&block.first).for_each(|(to, from)| *to += from);
            second.iter_mut().zip(&block.second).for_each(|(to, from)| *to += from);
            largest = block.largest.iter().fold(largest, |most, size| most.max(size.wide()));
        }
        let limit = T::max_value().wide() * 1e-8;
        let reach = 4.0 * d as f64 * largest * largest;
        if second.iter().any(|sum| !sum.is_finite())
            || reach >= limit
            || reach * total.max(1.0) >= f64::MAX * 1e-8
        {
            return Err(rows.offender(largest, names));
        }
        let variance = |(first, second): (&f64, &f64)| {
            let mean = first / total;
            (second / total - mean * mean).max(0.0)
        };
        let variances: Vec<f64> = first.iter().zip(&second).map(variance).collect();
        rows.variance = variances.iter().sum::<f64>() / d as f64;
        let means = first.iter().zip(&rows.values[..d]);
        rows.centre_and_spread = (
            means.map(|(first, origin)| origin.wide() + first / total).collect(),
            variances.into_iter().map(f64::sqrt).collect(),
        );
        Ok(rows)
    }

    /// Makes a coarse copy, for passes that read only rows in doubt.
    pub(crate) fn sketch(&mut self) {
        if !Sieve::pays() {
            return;
        }
        let (means, deviations) = &self.centre_and_spread;
        let Some(mut sketch) = Sketch::new(self.n, means, deviations) else { return };
        let (scale, mut places) = sketch.places(BLOCK);
        parallel::update_each(&mut places, |block, place| {
            let first = block * BLOCK;
            let (values, _) = self.part(first, BLOCK.min(self.n - first));
            place.fill(scale, values);
        });
        self.sketch = Some(sketch);
    }

    /// The error for the first value that is not finite, or else for the largest.
    fn offender(&self, largest: f64, names: &[String]) -> Error {
        let not_finite = self.values.iter().position(|value| !value.is_finite());
        let found = not_finite
            .or_else(|| self.values.iter().position(|value| value.abs().wide() >= largest));
        let at = found.unwrap_or(0);
        let (row, column, value) = (at / self.d, at % self.d, self.values[at].wide());
        let wanted = if not_finite.is_some() {
            "a finite number is needed"
        } else {
            "a number whose square can be summed is needed"
        };
        let found = if value.is_nan() { "NaN".to_owned() } else { format!("{value:?}") };
        Error::value(column_name(names, column), row, found, wanted)
    }

    /// A copy of some rows and their weights.
    pub(crate) fn taken(&self, rows: &[usize]) -> (Vec<T>, Option<Vec<f64>>) {
        let values = rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect();
        let weights = self.weights.map(|all| rows.iter().map(|&row| all[row]).collect());
        (values, weights)
    }

    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    pub(crate) fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.d..(row + 1) * self.d]
    }

    /// Some rows and their weights.
    pub(crate) fn part(&self, first: usize, n: usize) -> (&[T], Option<&[f64]>) {
        let values = &self.values[first * self.d..(first + n) * self.d];
        (values, self.weights.map(|weights| &weights[first..first + n]))
    }
}
