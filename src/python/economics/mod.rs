//! Bindings of the economics room. See `ilk.economics`.

mod scorecard;

pub(crate) use scorecard::{PyRanking, PyScorecard, segment_scorecard};
