//! Clusters as regions where rows lie dense, of any shape, with rows in between that belong to none.
//!
//! Both estimators walk one [tree](tree) of boxes. [`Dbscan`] takes a distance, [`Hdbscan`] looks at all distances at once.
//!
//! What limits the speed: finding the nearest rows of each row takes most of the time. A walk compares the row with
//! sixteen boxes or rows at a time; with eight features it looks into some tens of blocks of sixteen rows. The spanning
//! tree costs about as much again, as most rows are never searched for a second time. With many features
//! boxes overlap, and the work nears that of all pairs.

mod hdbscan;
mod hierarchy;
mod neighbours;
mod select;
mod spanning;
mod tree;

pub use hdbscan::{Branch, Hdbscan, HdbscanModel};
pub use select::Selection;
