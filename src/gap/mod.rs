//! Gap tables: which customers buy less on which occasion than the two explain, and what closing the gap is worth.
//!
//! Records (purchases, answers) are counted, or their values summed, in a table of customer categories by contexts. Each
//! cell is held against what it would be if the two had nothing to do with each other, or against the share of supply
//! that is offered there; the difference is given with its interval, its p-value and its worth in records or money.
//!
//! Start with [`gap_matrix`]. For data that come in parts, feed a [`CrossTab`] and give its cells to
//! [`GapMatrix::from_cells`].
//!
//! Beside it stand audits of content ([`content`]), of what decision makers are told ([`messages`]), and what accounts do not
//! buy though those like them do ([`whitespace`]).
//!
//! ```
//! use ilk::gap::{Axis, Options, Records, Status, gap_matrix};
//! use ilk::parallel::Monitor;
//!
//! let household = Axis::new("household", &["couple", "single"]);
//! let meal = Axis::new("meal", &["breakfast", "dinner"]);
//! let counts = [[10, 90], [40, 60]];
//! let (mut rows, mut cols) = (Vec::new(), Vec::new());
//! for (i, line) in counts.iter().enumerate() {
//!     for (j, &n) in line.iter().enumerate() {
//!         rows.extend(vec![i as u32; n]);
//!         cols.extend(vec![j as u32; n]);
//!     }
//! }
//! let records = Records { rows: &rows, cols: &cols, ..Records::default() };
//! let gaps = gap_matrix(&household, &meal, records, &Options::default(), &Monitor::new())?;
//! assert_eq!(gaps.expected[0], 25.0);
//! assert_eq!(gaps.status[0], Status::Gap);
//! # Ok::<(), ilk::Error>(())
//! ```

mod axis;
mod boot;
mod clusters;
pub mod content;
mod crosstab;
pub mod cube;
mod exact;
mod expected;
pub mod fit;
mod judge;
pub mod kano;
mod layout;
pub mod map;
mod matrix;
pub mod messages;
pub mod opportunity;
mod options;
mod proportions;
mod shrink;
pub mod suppress;
mod tables;
mod tally;
pub mod turf;
mod verdict;
pub mod whitespace;
mod words;

pub use axis::{Axis, Category, Level};
pub use crosstab::{Cell, Cells, CrossTab};
pub use layout::Records;
pub use matrix::{GapMatrix, gap_matrix};
pub use options::{Against, Amount, Options, Reference, Test};
pub use tables::{Roles, read_amounts, read_reference, read_structural_zeros};
pub use verdict::{Basis, Status};
pub use words::Gap;
