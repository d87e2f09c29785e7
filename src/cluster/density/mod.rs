//! Clusters as regions where rows lie dense, of any shape, with rows in between that belong to none.
//!
//! Both estimators walk one tree of boxes. [`Dbscan`] takes a distance, [`Hdbscan`] looks at all distances at once.
//!
//! What limits the speed: finding the nearest rows of each row takes most of the time. A walk compares the row with
//! sixteen boxes or rows at a time; with eight features it looks into some tens of blocks of sixteen rows. The spanning
//! tree costs about as much again, as most rows are never searched for a second time. With many features
//! boxes overlap, and the work nears that of all pairs.

mod dbscan;
mod hdbscan;
mod hierarchy;
mod neighbours;
mod select;
mod spanning;
mod tree;

pub use dbscan::{Dbscan, DbscanModel};
pub use hdbscan::{Branch, Hdbscan, HdbscanModel};
pub use select::Selection;

use std::sync::OnceLock;

use crate::error::Result;
use crate::parallel::Monitor;
use tree::Tree;

/// The tree of boxes of a model, built when it is first needed; no part of what the model is.
#[derive(Debug, Clone, Default)]
struct Kept(OnceLock<Tree>);

impl Kept {
    fn get(&self, values: &[f64], n: usize, d: usize, monitor: &Monitor) -> Result<&Tree> {
        if let Some(tree) = self.0.get() {
            return Ok(tree);
        }
        let tree = Tree::new(values, n, d, monitor)?;
        Ok(self.0.get_or_init(|| tree))
    }
}

impl From<Tree> for Kept {
    fn from(tree: Tree) -> Self {
        Self(OnceLock::from(tree))
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
