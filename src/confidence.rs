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

/// A level as a person writes it: `95 %`.
pub(crate) fn in_percent(level: f64) -> String {
    // Rounded, since 100 times 0.999 is not 99.9.
    format!("{} %", (level * 1e10).round() / 1e8)
}

#[cfg(test)]
mod tests {
    use super::in_percent;

    #[test]
    fn levels_keep_their_digits() {
        let told = [0.95, 0.9, 0.999, 0.975, 0.29, 0.999_999].map(in_percent);
        assert_eq!(told, ["95 %", "90 %", "99.9 %", "97.5 %", "29 %", "99.9999 %"]);
    }
}
