//! Personas: a card for each segment, every line of which says where it comes from, and how many customers match it.
//!
//! [`personas`] makes the cards from a table and the segment of each row. A [`Line`] is observed (counted in the data, with
//! the number of customers and an interval), inferred (from a rule or a model) or assumed (said by a person);
//! [`Personas::revise`] puts assumptions in the place of what was there and keeps a record. [`prevalence()`] counts how many
//! customers match a description as a whole, which falls fast as attributes are added (Chapman, Love, Milham, ElRif and
//! Alford 2008, Quantitative evaluation of personas as information, Proceedings of the Human Factors and Ergonomics
//! Society 52:1107-1111).
//!
//! Figures on a card are rounded as people are told them: shares to three significant digits, amounts to four. Counts are
//! exact.

mod build;
mod condition;
mod exemplar;
mod facts;
mod prevalence;
mod read;
mod revise;
mod tables;
mod text;
mod validate;

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;

pub use build::{List, Request, Wanted, personas};
pub use condition::{Condition, Style, matches};
pub use prevalence::{Audit, Prevalence, Stated, prevalence};
pub use revise::{Change, Edit};
pub use text::{clean, name as clean_name, significant};

/// Sections of a card beside the categories of characteristics, with their names.
pub const SECTIONS: [(&str, &str); 16] = [
    ("problems", "Problems"),
    ("needs", "Needs"),
    ("habits", "Habits"),
    ("goals", "Goals"),
    ("motive", "Motive"),
    ("stage", "Stage of life and its driver"),
    ("firm", "Firm"),
    ("role", "Role"),
    ("stance", "Stance"),
    ("committee", "Committee"),
    ("journey", "Journey"),
    ("sensitivity", "Sensitive to"),
    ("worth", "Worth"),
    ("channels", "Channels"),
    ("positioning", "Positioning"),
    ("other", "Other characteristics"),
];

/// Categories of the shipped list that a section fills, too.
pub const THROUGH: [(&str, &[&str]); 4] = [
    ("needs_and_wants", &["problems", "needs"]),
    ("drives_and_motivations", &["goals", "motive"]),
    ("life_stage", &["stage"]),
    ("lifestyle", &["habits", "channels"]),
];

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Counted or measured in the data.
    Observed,
    /// Follows from a rule or a model.
    Inferred,
    /// Said by a person.
    Assumed,
}

impl Provenance {
    /// As it is saved and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Inferred => "inferred",
            Self::Assumed => "assumed",
        }
    }
}

/// How a figure reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A part of one.
    Share,
    /// An amount.
    Number,
}

/// A figure with the ends of its interval, and the same over all customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is: "share", "mean", "cac".
    pub name: String,
    /// How it reads.
    pub unit: Unit,
    /// The figure; `None` where it is infinite or not known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub value: Option<f64>,
    /// Lower end of the interval.
    #[serde(deserialize_with = "Option::deserialize")]
    pub lo: Option<f64>,
    /// Upper end of the interval.
    #[serde(deserialize_with = "Option::deserialize")]
    pub hi: Option<f64>,
    /// The figure over all customers.
    #[serde(deserialize_with = "Option::deserialize")]
    pub overall: Option<f64>,
    /// The figure over that of all customers.
    #[serde(deserialize_with = "Option::deserialize")]
    pub lift: Option<f64>,
}

/// One thing that a card says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Category of characteristics or section.
    pub slot: String,
    /// The column, or the name of the figure.
    #[serde(deserialize_with = "Option::deserialize")]
    pub attribute: Option<String>,
    /// What is said.
    pub statement: String,
    /// The same as a rule that a customer meets or not.
    #[serde(deserialize_with = "Option::deserialize")]
    pub condition: Option<Condition>,
    /// The evidence.
    pub figures: Vec<Figure>,
    /// Customers of the segment of whom it holds.
    #[serde(deserialize_with = "Option::deserialize")]
    pub count: Option<usize>,
    /// Customers of the segment of whom it is known whether it holds.
    #[serde(deserialize_with = "Option::deserialize")]
    pub n: Option<usize>,
    /// Whether it holds more often in this segment than over all, the tests of all cards adjusted together.
    pub distinctive: bool,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Why it was assumed or from what it was inferred.
    pub reason: String,
    /// What it stands in the place of.
    pub replaces: Vec<String>,
}

/// A real customer who stands for a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemplar {
    /// Row of the frame, from 0.
    pub row: usize,
    /// Identifier of the customer, where its column was named.
    #[serde(deserialize_with = "Option::deserialize")]
    pub id: Option<String>,
    /// Mean Gower distance to the customers of the segment.
    pub distance: f64,
    /// Attributes and values; empty unless they were asked for.
    pub values: Vec<(String, String)>,
}

/// The card of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The segment.
    pub segment: String,
    /// What the persona is called.
    pub name: String,
    /// Customers of the segment; `None` where they are too few to be told.
    #[serde(deserialize_with = "Option::deserialize")]
    pub n: Option<usize>,
    /// Their share of all customers.
    #[serde(deserialize_with = "Option::deserialize")]
    pub share: Option<f64>,
    /// A customer in the middle of the segment.
    #[serde(deserialize_with = "Option::deserialize")]
    pub exemplar: Option<Exemplar>,
    /// Lines that rest on too few customers to be told.
    pub hidden: usize,
    /// What is said.
    pub lines: Vec<Line>,
}

/// A category of characteristics, or a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Stands for it in lines.
    pub key: String,
    /// What a person reads.
    pub name: String,
}

/// A column with the category that it went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The column.
    pub attribute: String,
    /// Category or section.
    pub slot: String,
    /// How it got there: "given", or the word of the name that decided.
    pub by: String,
    /// "account" or "contact" where that was said.
    #[serde(deserialize_with = "Option::deserialize")]
    pub level: Option<String>,
}

/// A segment that got no card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The segment.
    pub segment: String,
    /// Its customers; `None` where they are too few to be told.
    #[serde(deserialize_with = "Option::deserialize")]
    pub n: Option<usize>,
    /// Their share of all customers.
    #[serde(deserialize_with = "Option::deserialize")]
    pub share: Option<f64>,
    /// The segment's share of revenue, where that is known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub worth: Option<f64>,
    /// Why.
    pub reason: String,
}

/// A change by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The version that it led to.
    pub version: u32,
    /// The segment of the card.
    pub segment: String,
    /// What was changed: a category, a section, a column, or "name".
    pub field: String,
    /// What was said before.
    pub before: Vec<String>,
    /// What is said now.
    pub after: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Cards of all segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personas {
    /// What the cards were made from.
    pub manifest: Manifest,
    /// 1, and one more for each call that revised something.
    pub version: u32,
    /// The frame of reference that was chosen.
    #[serde(deserialize_with = "Option::deserialize")]
    pub scenario: Option<String>,
    /// Version of the list of categories.
    pub taxonomy: String,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Fewest customers that a line rests on.
    pub min_count: usize,
    /// Customers in a segment.
    pub n: usize,
    /// Categories of characteristics.
    pub categories: Vec<Slot>,
    /// Columns with their categories.
    pub attributes: Vec<Placed>,
    /// Segments without a card.
    pub left_out: Vec<LeftOut>,
    /// The cards.
    pub cards: Vec<Card>,
    /// Changes by hand, the oldest first.
    pub revisions: Vec<Revision>,
}
