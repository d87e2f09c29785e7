//! Value propositions: how well each fits what each persona needs, who is sensitive to which, and which comes first.
//!
//! The idea: importance weights (personas by needs) and deliveries (propositions by needs, from 0 to 1) make the fit of every
//! proposition to every persona, `sum(w d) / sum(w)`. Whether a persona is sensitive to a proposition is told by the fit, by
//! scores that are given, or by customers who responded or did not, whose rate is held against that of all others. Competitors
//! are held against the propositions need by need. Propositions are ranked by the mean of their fit or response over the
//! personas, weighted by what these are worth; customers are drawn again to say how sure the ranks are.
//!
//! Start with [`value_map`] or [`fit_matrix`].

mod answers;
mod draws;
mod fit_matrix;
mod grid;
mod inputs;
mod matching;
mod priority;
mod ratio;
mod responses;
mod rivals;
mod tables;
mod value_map;
mod words;

pub use fit_matrix::{FitMatrix, fit_matrix};
pub use grid::{Cells, Grid, Range, Source, grid};
pub use inputs::{Inputs, Satisfaction};
pub use matching::Fit;
pub use priority::{Certainty, Ranked, Spread};
pub use ratio::TwoGroups;
pub use responses::{Pattern, ResponseColumns, Responses};
pub use rivals::{Difference, Rivals};
pub use value_map::{Evidence, Options, ValueMap, Words, value_map};
