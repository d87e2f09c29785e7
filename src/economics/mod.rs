//! What each segment is worth.
//!
//! The idea: totals per segment are collected in one pass ([`totals::SegmentTotals`]), every figure is a ratio of such
//! totals ([`figures::figures`]), and intervals come from resampling customers ([`bootstrap::replicate`]), all figures
//! from the same replicates, so that statements about ranks are joint. Open leads are censored and lost leads compete
//! ([`survival`]).
//!
//! Start with [`read::scorecard_of`] for tables or [`scorecard::scorecard`] for slices, then [`rank::rank`]. Who comes back is
//! [`rfm`] and the models of [`buying`].

pub mod acquisition;
pub mod bootstrap;
pub mod buying;
pub mod curve;
pub mod customers;
pub mod explain;
pub mod figures;
pub mod input;
pub mod knockout;
mod magnitude;
mod orders;
pub mod rank;
pub mod read;
pub mod refit;
pub mod rfm;
pub mod scorecard;
pub mod survival;
mod tables;
pub mod tornado;
pub mod totals;
