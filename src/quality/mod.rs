//! Are the segments real? Agreement of two solutions, separation, and how well a solution repeats on other customers.

pub mod agreement;
pub mod silhouette;
pub mod strength;
