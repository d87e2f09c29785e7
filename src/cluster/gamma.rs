//! What a category that differs costs, beside squared differences of numbers.

use super::mixed::Mixed;
use crate::error::{Error, Result};

/// What a category that is not the mode costs, and what lies between the ends of an ordinal column.
#[derive(Debug, Clone, PartialEq)]
pub enum Gamma {
    /// Half the mean standard deviation of the numeric columns that vary, after Huang (1998); 1 where none does.
    Auto,
    /// For each column the mean variance of the numeric columns that vary, over the column's own variation, so that every column
    /// weighs the same: 1 - sum of squared shares for categories, the variance of the ranks for ordinals. After Szepannek
    /// (2018), clustMixType: User-Friendly Clustering of Mixed-Type Data in R (`lambdaest`). The mean variance is taken as 1
    /// where no numeric column varies; a column without variation has 0.
    Variance,
    /// The same for every categorical and ordinal column.
    Same(f64),
    /// One for each categorical, then each ordinal column; NaN stands for that of `Auto`.
    Each(Vec<f64>),
}

/// How far the columns spread.
pub(crate) struct Spread {
    /// Variances of the numeric columns, then of the ranks of the ordinal ones.
    pub(crate) variances: Vec<f64>,
    /// One less the sum of squared shares of the categories, per categorical column.
    pub(crate) variations: Vec<f64>,
}

/// The largest gamma: a sum of them stays finite.
const MOST: f64 = 1e290;

/// Whether a gamma can be used; ordinal columns need one above 0, since a rank is divided by it.
pub(crate) fn is_valid(gamma: f64, ordinal: bool) -> bool {
    gamma >= if ordinal { 1e-290 } else { 0.0 } && gamma < MOST
}

impl Gamma {
    /// The gamma of each categorical, then each ordinal column.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another number of gammas than columns, and for one out of range.
    pub(crate) fn of(&self, data: &Mixed, spread: &Spread) -> Result<Vec<f64>> {
        let columns = data.columns();
        let (m, n_ordinal) = (columns.categorical.len(), columns.ordinal.len());
        let (numeric, ordinal) = spread.variances.split_at(columns.numeric.len());
        let mean = |f: fn(f64) -> f64| {
            let varying: Vec<f64> = numeric.iter().filter(|v| **v > 0.0).map(|&v| f(v)).collect();
            (!varying.is_empty()).then(|| varying.iter().sum::<f64>() / varying.len() as f64)
        };
        let auto = mean(f64::sqrt).map_or(1.0, |deviation| 0.5 * deviation);
        let gammas = match self {
            Self::Auto => vec![auto; m + n_ordinal],
            Self::Variance => {
                let variance = mean(|v| v).unwrap_or(1.0);
                let balanced = |&own: &f64| if own > 0.0 { variance / own } else { 0.0 };
                let of_ordinals =
                    ordinal.iter().map(balanced).map(|g| if g > 0.0 { g } else { 1.0 });
                spread.variations.iter().map(balanced).chain(of_ordinals).collect()
            }
            Self::Same(gamma) => vec![*gamma; m + n_ordinal],
            Self::Each(gammas) => {
                gammas.iter().map(|gamma| if gamma.is_nan() { auto } else { *gamma }).collect()
            }
        };
        if gammas.len() != m + n_ordinal {
            return Err(Error::argument(
                "gamma",
                format!("{} values", gammas.len()),
                format!(
                    "one for each of the {} categorical and ordinal columns is needed",
                    m + n_ordinal
                ),
            ));
        }
        for (at, &gamma) in gammas.iter().enumerate() {
            if at < m && !is_valid(gamma, false) {
                return Err(Error::argument("gamma", gamma, "a number from 0 up is needed"));
            }
            if at >= m && !is_valid(gamma, true) {
                let name = &columns.ordinal[at - m].name;
                return Err(Error::argument(
                    "gamma",
                    format!("{gamma} for the ordinal column {name:?}"),
                    "a number above 0 is needed",
                )
                .with_mend(format!("X = X.drop(columns=[{name:?}])")));
            }
        }
        Ok(gammas)
    }
}
