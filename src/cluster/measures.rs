//! What the columns of a data set are like: means, variances, weights of the categories.

use super::gamma::Spread;
use super::mixed::Mixed;
use super::mixed_lloyd::heaviest;
use crate::error::{Error, Result};
use crate::parallel;

/// Measures of every column, by weight.
pub(crate) struct Measures {
    /// Means of the numbers.
    pub(crate) means: Vec<f64>,
    /// Heaviest categories.
    pub(crate) modes: Vec<u32>,
    /// Weight of each category of each attribute.
    pub(crate) frequencies: Vec<Vec<f64>>,
    pub(crate) spread: Spread,
}

impl Measures {
    /// Measures the columns.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a column without any value.
    pub(crate) fn of(data: &Mixed, weights: Option<&[f64]>) -> Result<Self> {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for (column, name) in data.columns().of_numbers().enumerate() {
            let seen = |f: &(dyn Fn(f64) -> f64 + Sync)| {
                parallel::sum(data.n_rows(), |row| {
                    let value = data.numbers(row)[column];
                    if value.is_nan() { 0.0 } else { weight(row) * f(value) }
                })
            };
            let total = seen(&|_| 1.0);
            if total <= 0.0 {
                return Err(nothing(name));
            }
            let mean = seen(&|value| value) / total;
            let variance = seen(&|value| (value - mean) * (value - mean)) / total;
            // A constant has a variance of rounding errors, which must not count as one.
            let mut values = (0..data.n_rows())
                .filter(|&row| weight(row) > 0.0)
                .map(|row| data.numbers(row)[column])
                .filter(|value| !value.is_nan());
            let first = values.next();
            let varies = values.any(|value| Some(value) != first);
            variances.push(if varies { variance } else { 0.0 });
            means.push(mean);
        }
        let frequencies = frequencies(data, weights);
        let mut variations = Vec::with_capacity(frequencies.len());
        for (counts, attribute) in frequencies.iter().zip(&data.columns().categorical) {
            let total = counts.iter().sum::<f64>();
            if total <= 0.0 {
                return Err(nothing(&attribute.name));
            }
            let alone = counts.iter().filter(|&&count| count > 0.0).count() == 1;
            let squares: f64 = counts.iter().map(|count| (count / total) * (count / total)).sum();
            variations.push(if alone { 0.0 } else { 1.0 - squares });
        }
        let modes = frequencies.iter().filter_map(|counts| heaviest(counts)).collect();
        Ok(Self { means, modes, frequencies, spread: Spread { variances, variations } })
    }
}

fn nothing(name: &str) -> Error {
    Error::argument(
        format!("column {name:?}"),
        "no value",
        "a column needs at least one value in a row with weight",
    )
    .with_mend(format!("df = df.drop(columns=[{name:?}])"))
}

/// Weight of each category of each attribute.
fn frequencies(data: &Mixed, weights: Option<&[f64]>) -> Vec<Vec<f64>> {
    let none: Vec<Vec<f64>> = data
        .columns()
        .n_categories()
        .iter()
        .map(|&categories| vec![0.0; categories as usize])
        .collect();
    if none.is_empty() {
        return none;
    }
    // Blocks that are larger than their counts.
    let size: usize = none.iter().map(Vec::len).sum();
    let block = parallel::BLOCK * (1 + 4 * size / parallel::BLOCK);
    let of_blocks = parallel::map_blocks_of(block, data.n_rows(), |rows| {
        let mut found = none.clone();
        for row in rows {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            for (counts, &code) in found.iter_mut().zip(data.codes(row)) {
                if let Some(count) = counts.get_mut(code as usize) {
                    *count += weight;
                }
            }
        }
        found
    });
    of_blocks.into_iter().fold(none, |mut all, block| {
        for (to, from) in all.iter_mut().flatten().zip(block.iter().flatten()) {
            *to += from;
        }
        all
    })
}
