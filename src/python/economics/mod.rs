//! Bindings of the economics room. See `ilk.economics`.

mod scorecard;

pub(crate) use scorecard::{PyKnockout, PyRanking, PyScorecard, PyTimeToSale, segment_scorecard};
