//! Which persona finds no content at which stage of its journey.
//!
//! Every piece of content serves some personas at some stages. A cell of persona by stage needs content in the share of the
//! people who stand there, and is covered by the pieces that serve it, each by its quality and its freshness. The gap of a
//! cell is its share of the need less its share of the coverage. [`coverage`] makes the table, [`compare`] sets two audits
//! side by side, with the conversion of each cell where it was measured.
//!
//! Cost: one pass over the pieces for each cell that they serve. Nothing is random.

mod cells;
mod compare;
mod demand;
mod inventory;
pub(super) mod names;

use serde::{Deserialize, Serialize};

use crate::confidence::check_level;
use crate::economics::reader::Labels;
use crate::economics::sheet::report;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::Table;

pub use cells::coverage;
pub use compare::{ContentComparison, compare};

report!(
    /// Content, need and gap of each persona at each stage.
    ContentCoverage, "content_coverage", {
        "table": [
            "persona:t", "stage:t", "pieces", "quality", "freshness", "coverage", "coverage_share", "customers", "need",
            "gap", "worth", "status:t", "missing:t", "rank:i",
        ],
    }
);

/// The two sides from which customers and content find each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What customers find: search, the library.
    Inbound,
    /// What is sent to them: campaigns, advertisements.
    Outbound,
}

/// What a piece that serves several cells counts in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Several {
    /// One: a reader is not served less because others read it too.
    Full,
    /// Its share, so that all pieces count alike in all.
    Split,
}

/// The people in the cells.
#[derive(Debug, Clone, Copy)]
pub enum Occupancy<'a> {
    /// As many in each: nothing is known of them.
    Equal,
    /// A table: a row per cell, a row per customer, or a row per persona with a column per stage.
    Table(&'a Table),
    /// People at each stage, and the share of each persona (all alike where there are none).
    Traffic(&'a [(String, f64)], &'a [(String, f64)]),
}

/// From which figures on a cell is what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Thin below this ratio of coverage share to need.
    pub thin: f64,
    /// Thin below this coverage, whatever its share.
    pub least: f64,
    /// Stale below this mean freshness.
    pub stale: f64,
    /// Covered more than needed above this ratio of coverage share to need.
    pub over: f64,
}

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Whom a piece serves.
    pub persona: Labels<'a>,
    /// At which stage.
    pub stage: Labels<'a>,
    /// Inbound or outbound.
    pub kind: Option<&'a str>,
    /// What the names of kinds mean, beside the two themselves.
    pub kinds: &'a [(String, Kind)],
    /// Where it is found.
    pub channel: Option<&'a str>,
    /// How good it is; 1 without.
    pub quality: Option<&'a str>,
    /// Worst and best quality there could be.
    pub scale: (f64, f64),
    /// When it was made or last revised; always fresh without.
    pub date: Option<&'a str>,
    /// The day of the audit; the newest date without.
    pub as_of: Option<f64>,
    /// Days in which a piece loses half its freshness.
    pub half_life: f64,
    /// How many pieces a row stands for; 1 without.
    pub weights: Option<&'a str>,
    /// All personas in order; those met without.
    pub personas: Option<&'a [String]>,
    /// All stages in order; those met without.
    pub stages: Option<&'a [String]>,
    /// The word for all personas or all stages.
    pub everyone: Option<&'a str>,
    /// What stands between several personas or stages in one text.
    pub separator: Option<&'a str>,
    /// What a piece for several cells counts.
    pub several: Several,
    /// People in the cells.
    pub occupancy: Occupancy<'a>,
    /// Worth of a customer of each persona; 1 where there are none.
    pub values: &'a [(String, f64)],
    /// Customers and conversions of each cell.
    pub conversions: Option<&'a Table>,
    /// Limits of the statuses.
    pub limits: Limits,
    /// Confidence of the intervals of conversion.
    pub confidence: f64,
}

impl Options<'_> {
    fn check(&self) -> Result<()> {
        check_level(self.confidence)?;
        let positive = |argument: &str, value: f64, example: &str| match value {
            value if value.is_finite() && value > 0.0 => Ok(()),
            value => Err(Error::argument(argument, value, "a number above 0 is needed")
                .with_mend(format!("{argument}={example}"))),
        };
        positive("half_life", self.half_life, "365")?;
        let Limits { thin, least, stale, over } = self.limits;
        for (argument, value) in [("thin", thin), ("least", least), ("stale", stale)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::argument(argument, value, "a number, 0 or more, is needed"));
            }
        }
        if over.is_nan() || over <= thin {
            let wanted = format!("a number above thin, which is {thin}, is needed");
            return Err(Error::argument("over", over, wanted).with_mend("over=2"));
        }
        let (low, high) = self.scale;
        if !(low.is_finite() && high.is_finite() && low < high) {
            let wanted = "the worst and the best quality there could be are needed";
            return Err(Error::argument("scale", format!("({low}, {high})"), wanted)
                .with_mend("scale=(1, 5)"));
        }
        Ok(())
    }
}

/// Records that do not count because they lack a name or a number.
fn note_left_out(manifest: &mut Manifest, argument: &str, scratch: &Manifest) {
    for left in &scratch.left_out {
        manifest
            .notes
            .push(format!("{} rows of {argument} do not count: {}", left.rows, left.reason));
    }
}
