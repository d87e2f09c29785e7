//! The map of a table: correspondence analysis, simple and multiple.
//!
//! Rows and columns become points of one picture. Two rows lie near each other where their shares over the columns are
//! alike, and far from the middle where they differ from the average row; the same holds for columns. A column lies in the
//! direction of the rows that have more of it than expected (Benzécri 1973; Greenacre 2007, Correspondence Analysis in
//! Practice).
//!
//! The cost is that of one singular value decomposition of the table, or of one symmetric eigenvalue problem over all
//! categories: both are nothing beside counting the records.

mod decompose;
mod multiple;
mod points;
mod simple;
mod tables;

pub use multiple::{Correction, multiple, of_table};
pub use points::{Map, Points};
pub use simple::simple;
