//! Are the segments real? Agreement of two solutions, separation, and how well a solution repeats on other customers.

pub mod agreement;
pub mod assignment;
pub mod centres;
pub mod choice;
pub mod customers;
pub mod metric;
pub mod noise;
pub mod reference;
pub(crate) mod resample;
pub mod segments;
pub mod select;
pub mod separation;
pub mod silhouette;
pub mod stability;
pub mod strength;
pub mod summary;
