//! Rules that tell segments apart, in words that people can use.
//!
//! [`distinguish()`] finds the smallest set of traits that tells each segment from all others, or the subgroups in which it is
//! most over-represented; [`tree::rules`] retells the segments as a small decision tree; [`typing::typing_tool`] finds the
//! few questions that place a new customer. All read customers through [`Customers`] and speak in [`Condition`]s.

use crate::confidence::z_of;
use crate::error::Result;
use crate::statistics::wilson;
use crate::table::Table;

mod bits;
pub mod candidates;
pub mod condition;
mod cover;
mod customers;
pub mod distinguish;
mod folds;
mod selectors;
mod subgroups;
pub mod tree;
pub mod typing;

pub use bits::{Bits, Segments};
pub use condition::{Condition, Reader, Values};
pub use cover::{Cover, Criterion, cover};
pub use customers::Customers;
pub use distinguish::{Distinction, distinguish};
pub use selectors::{Selector, Selectors};
pub use subgroups::{Found, Search, search};

/// Segments of new customers, [`MISSING`](crate::table::MISSING) for none; and columns with categories that are not known, with
/// their number of rows.
pub type Placed = (Vec<u32>, Vec<(String, usize)>);

/// Share of a table of segments by predicted segments that lies on its diagonal, with its interval, and the share of the
/// largest segment.
fn told_share(placed: &[u32], sizes: &[usize], confidence: f64) -> (f64, f64, f64, f64) {
    let k = sizes.len();
    let n: f64 = sizes.iter().sum::<usize>() as f64;
    let hits: f64 = (0..k).map(|segment| f64::from(placed[segment * k + segment])).sum();
    let z = z_of(confidence);
    let (lo, hi) = wilson(hits, n, z);
    let largest = sizes.iter().max().copied().unwrap_or(0);
    (hits / n, lo, hi, largest as f64 / n)
}

/// A table of segments by predicted segments: one row per pair, with the share of the segment.
fn confusion(placed: &[u32], names: &[String], sizes: &[usize]) -> Result<Table> {
    let k = names.len();
    let pairs = || (0..k).flat_map(|segment| (0..k).map(move |told| (segment, told)));
    let count = |(segment, told): (usize, usize)| placed[segment * k + told];
    let share = |pair: (usize, usize)| match sizes[pair.0] {
        0 => f64::NAN,
        n => f64::from(count(pair)) / n as f64,
    };
    Table::builder()
        .text("segment", pairs().map(|(segment, _)| names[segment].as_str()))
        .text("placed_in", pairs().map(|(_, told)| names[told].as_str()))
        .int("n", pairs().map(|pair| i64::from(count(pair))))
        .float("share", pairs().map(share))
        .finish()
}
