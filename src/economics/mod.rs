//! What each segment is worth.
//!
//! The idea: totals per segment are collected in one pass ([`totals::SegmentTotals`]), every figure is a ratio of such
//! totals ([`figures::figures`]), and intervals come from resampling customers ([`bootstrap::replicate`]), all figures
//! from the same replicates, so that statements about ranks are joint. Open leads are censored and lost leads compete
//! ([`survival`]).
//!
//! Start with [`read::scorecard_of`] for tables or [`scorecard::scorecard`] for slices, then [`rank::rank`]. Who comes back is
//! [`rfm`] and the models of [`buying`].
//!
//! Where the money sits: [`cohorts`], [`concentration`], [`mass`] and [`neighbours`]. Why revenue moved, where effort pays and
//! what decisions are worth: [`mix`] (by [`movement`]), [`drift`], [`effort`], [`activity`], [`targeting`] and [`policy`]. Their
//! results are tables of figures ([`sheet::Sheet`]) under a type of their own.

pub mod acquisition;
pub mod activity;
pub mod bootstrap;
pub mod buying;
pub mod calendar;
pub mod cohorts;
pub mod concentration;
pub mod curve;
pub(crate) mod draws;
pub mod drift;
pub mod effort;
pub mod explain;
pub mod figures;
pub mod input;
pub mod knockout;
pub mod logistic;
mod magnitude;
pub mod mass;
pub mod mix;
pub mod movement;
pub mod neighbours;
pub mod normality;
mod orders;
pub mod policy;
pub mod rank;
pub mod read;
pub mod reader;
pub mod refit;
pub mod rfm;
pub mod scorecard;
pub mod sheet;
pub mod survival;
mod tables;
pub mod targeting;
pub mod tornado;
pub mod totals;
pub mod trial;
pub mod visits;
