//! Information criteria of models fitted by likelihood: lower is better.

use serde::{Deserialize, Serialize};

/// What a log-likelihood costs beside the parameters that it took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// `-2 LL + 2 p` (Akaike 1974).
    pub aic: f64,
    /// `-2 LL + 3 p` (Bozdogan 1993; Andrews and Currim 2003).
    pub aic3: f64,
    /// `-2 LL + p ln n` (Schwarz 1978).
    pub bic: f64,
    /// `-2 LL + p (ln n + 1)` (Bozdogan 1987).
    pub caic: f64,
    /// `-2 LL + p ln((n + 2) / 24)`, the BIC adjusted for sample size (Sclove 1987).
    pub sabic: f64,
}

impl Criteria {
    /// The criteria of a log-likelihood that `p` parameters reached on rows of total weight `n`.
    pub fn new(log_likelihood: f64, p: usize, n: f64) -> Self {
        let (deviance, p) = (-2.0 * log_likelihood, p as f64);
        Self {
            aic: deviance + 2.0 * p,
            aic3: deviance + 3.0 * p,
            bic: deviance + p * n.ln(),
            caic: deviance + p * (n.ln() + 1.0),
            sabic: deviance + p * ((n + 2.0) / 24.0).ln(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_of_three_latent_classes_of_the_carcinoma_slides() {
        let found = Criteria::new(-293.704979, 23, 118.0);
        let close = |a: f64, b: f64| (a - b).abs() < 2e-6;
        assert!(close(found.aic, 633.409958) && close(found.bic, 697.135704), "{found:?}");
        assert!(close(found.caic, 720.135704) && close(found.aic3, 656.409958), "{found:?}");
        assert!(close(found.sabic, 624.427030), "{found:?}");
    }
}
