//! Bindings of the economics room. See `ilk.economics`.

mod buying;
mod rfm;
mod scorecard;

pub(crate) use buying::{PyHoldout, PyHoldoutReport, PyRepeatBuying, calibration_holdout};
pub(crate) use rfm::{PyRfm, rfm_of_orders};
pub(crate) use scorecard::{PyKnockout, PyRanking, PyScorecard, PyTimeToSale, segment_scorecard};
