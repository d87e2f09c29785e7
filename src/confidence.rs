//! Levels of confidence: which there are, and how far intervals reach.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::{Error, Result};

/// Whether intervals can have this level.
pub(crate) fn is_level(level: f64) -> bool {
    level > 0.0 && level < 1.0
}

/// Refuses a level that no interval can have.
///
/// # Errors
///
/// [`Error::Argument`] for `confidence`.
pub(crate) fn check_level(level: f64) -> Result<()> {
    if is_level(level) {
        return Ok(());
    }
    let wanted = "a number between 0 and 1 is needed";
    Err(Error::argument("confidence", level, wanted).with_mend("confidence=0.95"))
}

/// Standard errors from the middle to the ends of a two-sided interval, by the normal law.
pub(crate) fn z_of(level: f64) -> f64 {
    -Normal::standard().inverse_cdf((1.0 - level) / 2.0)
}
