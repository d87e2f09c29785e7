//! Columns of weights.

use super::Table;
use crate::error::{Error, Result};

impl Table {
    /// A column of weights.
    ///
    /// # Errors
    ///
    /// Those of [`Table::numeric`]; [`Error::BadValue`] with the first weight that is missing, below 0, or so large or small
    /// that its square is none; [`Error::Argument`] where there are rows and no weight is above 0.
    pub(crate) fn weights(&self, name: &str) -> Result<Vec<f64>> {
        let weights = self.numeric(name)?;
        if let Some(row) = weights.iter().position(|weight| weight.is_nan() || *weight < 0.0) {
            let found = match weights[row] {
                weight if weight.is_nan() => "a missing value".to_string(),
                weight => weight.to_string(),
            };
            return Err(Error::value(name, row, found, "weights must be numbers from 0 up"));
        }
        let is_far = |weight: &f64| *weight > 0.0 && !(1e-150..=1e150).contains(weight);
        if let Some(row) = weights.iter().position(is_far) {
            let wanted =
                "weights must be 0 or lie between 1e-150 and 1e150, since they are squared";
            return Err(Error::value(name, row, weights[row], wanted));
        }
        if !weights.is_empty() && weights.iter().all(|&weight| weight == 0.0) {
            return Err(Error::argument(
                "weights",
                "no weight above 0",
                "some customer must count",
            ));
        }
        Ok(weights.to_vec())
    }
}
