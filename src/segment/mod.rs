//! Segments of customers, from a table to a result that can be renamed, merged, split, saved and applied to new customers.
//!
//! A [`Segmentation`] is one kind of object, wherever its segments come from: names, labels, sizes and profile are common,
//! and its [`Origin`] says how customers come to their segments. [`segment`] finds segments by clustering, [`by_rules`] by
//! conditions in order, [`from_labels`] takes them as given, [`nested`] finds finer ones inside each value of a column, and
//! [`by_scores`] takes the highest of several scores. Edits by hand are [`Step`]s after the origin, so that new customers go
//! the same way, and are recorded ([`Edit`]).

pub mod association;
mod build;
mod choose;
mod clustering;
mod customers;
mod drift;
mod edit;
mod likeliest;
mod limit;
mod made;
mod model;
mod nested;
pub mod rules;
mod scores;
mod steps;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use build::{Build, by_rules, by_scores, from_labels};
pub use choose::{
    Choice, EVIDENCE_ROWS, Evidence, KEEPS, REPEATS, SILHOUETTE_ROWS, SPLITS, choose_k,
};
pub use clustering::{Clustering, DOMINATES, NEARLY_ALL, Options, segment};
pub use drift::{DriftOptions, LARGE, MODERATE, SegmentDrift};
pub use edit::{Action, Edit, SplitBy, Who};
pub use likeliest::{Likeliest, Likelihood};
pub use limit::LimitBy;
pub use model::{Method, Model, Rows};
pub use nested::{Nested, Part, Within, nested};
pub use rules::Rules;
pub use scores::{Item, Score, Scored, Scores};
pub use steps::{Splitter, Step};

use crate::economics::sheet::{Sheet, no_sheet};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::profile::Profile;
use crate::table::{MISSING, Table};

/// What to do with customers who lack a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Use what they have: a missing value costs nothing in any segment.
    Ignore,
    /// Leave them out, counted.
    Drop,
    /// Refuse.
    Error,
}

/// Customers in segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segmentation {
    manifest: Manifest,
    names: Vec<String>,
    /// What is said of each segment, such as the behaviour that is expected; empty where nothing is.
    texts: Vec<String>,
    /// Segment of each row; [`MISSING`] where the row was left out.
    labels: Vec<u32>,
    /// Customers of each segment.
    sizes: Vec<usize>,
    /// Weight of each segment; equal to its size without weights.
    weights: Vec<f64>,
    /// Column of the weights.
    #[serde(deserialize_with = "Option::deserialize")]
    weighted_by: Option<String>,
    /// Columns of the profile.
    features: Vec<String>,
    profile: Profile,
    /// Tables of what was checked when the segments were made.
    checks: BTreeMap<String, Sheet>,
    /// Number of segments before any edit.
    base: usize,
    origin: Origin,
    /// What edits do to customers, new ones too.
    steps: Vec<Step>,
    history: Vec<Edit>,
}

/// How customers come to their segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The nearest or likeliest cluster.
    Clustering(Box<Clustering>),
    /// The first rule that holds.
    Rules(Rules),
    /// The highest of several scores.
    Scores(Scores),
    /// A segmentation of its own for each value of a column.
    Nested(Nested),
    /// They were given.
    Given,
}

impl Origin {
    /// The origin's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Clustering(_) => "clustering",
            Self::Rules(_) => "rules",
            Self::Scores(_) => "scores",
            Self::Nested(_) => "nested",
            Self::Given => "given",
        }
    }
}

/// Segments of new customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// Segment of each row; [`MISSING`] where it has none.
    pub labels: Vec<u32>,
    /// Features that hold categories not met when the segments were found.
    pub unknown: Vec<Unknown>,
}

/// A feature with categories that were not met before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Name of the column.
    pub feature: String,
    /// Rows with such a category.
    pub rows: usize,
}

impl Segmentation {
    /// What the result was made from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Segment of each row; [`MISSING`] where the row was left out.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Names of the segments.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is said of each segment; empty where nothing is.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Customers of each segment.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Share of the weight of all customers that each segment holds.
    pub fn shares(&self) -> Vec<f64> {
        let total: f64 = self.weights.iter().sum();
        self.weights.iter().map(|weight| weight / total).collect()
    }

    /// Columns of the profile.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// What makes each segment different.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Names of the tables of what was checked when the segments were made.
    pub fn checks(&self) -> impl Iterator<Item = &str> {
        self.checks.keys().map(String::as_str)
    }

    /// One of these tables.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is none of this name.
    pub fn check(&self, name: &str) -> Result<&Sheet> {
        self.checks.get(name).ok_or_else(|| no_sheet(name))
    }

    /// How customers come to their segments, before any edit.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What edits do to customers.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The edits by hand, in order.
    pub fn history(&self) -> &[Edit] {
        &self.history
    }

    /// The clustering behind the segments.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where they come from elsewhere.
    pub fn clustering(&self) -> Result<&Clustering> {
        match &self.origin {
            Origin::Clustering(clustering) => Ok(clustering),
            other => Err(Error::argument(
                "segmentation",
                match other {
                    Origin::Rules(_) => "segments by rules",
                    Origin::Scores(_) => "segments by scores",
                    Origin::Nested(_) => "nested segments",
                    _ => "segments that were given",
                },
                "this needs segments that a clustering found",
            )
            .with_mend("segment(customers, features)")),
        }
    }

    /// Segment of each cluster of the clustering behind the segments; [`MISSING`] where an edit dropped it.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where there is no clustering, or an edit split a segment or moved customers.
    pub fn groups(&self) -> Result<Vec<u32>> {
        let groups = self.clustering()?.groups();
        let Some(regrouped) = steps::regrouped(&self.steps, self.base) else {
            return Err(Error::argument(
                "segmentation",
                "segments that were split or moved by hand",
                "this needs the segments as the clustering found them, or merged",
            ));
        };
        Ok(groups.iter().map(|&group| regrouped[group as usize]).collect())
    }

    /// Segments of new customers.
    ///
    /// # Errors
    ///
    /// Those of reading the columns; [`Error::BadValue`] for a missing value where the method takes none;
    /// [`Error::Argument`] where the segments were given, so that nothing says where a new customer belongs.
    pub fn predict(&self, table: &Table, monitor: &Monitor) -> Result<Prediction> {
        let Prediction { labels, unknown } = match &self.origin {
            Origin::Clustering(clustering) => clustering.predict(table, monitor)?,
            Origin::Rules(rules) => {
                Prediction { labels: rules.assign(table)?.labels, unknown: Vec::new() }
            }
            Origin::Scores(scores) => {
                Prediction { labels: scores.assign(table)?.labels, unknown: Vec::new() }
            }
            Origin::Nested(nested) => nested.predict(table, monitor)?,
            Origin::Given => {
                return Err(Error::argument(
                    "predict",
                    "segments that were given as labels",
                    "nothing says to which of them a new customer belongs; give the labels of the new customers to \
                     from_labels, or learn a rule for them (.typing_tool())",
                ));
            }
        };
        Ok(Prediction { labels: steps::follow(&self.steps, table, labels, monitor)?, unknown })
    }

    /// Names of the columns that [`Self::predict`] reads.
    pub fn reads(&self) -> Vec<String> {
        let mut names = match &self.origin {
            Origin::Clustering(clustering) => {
                let features = &clustering.preparation().features;
                features.iter().map(|feature| feature.name().to_string()).collect()
            }
            Origin::Rules(rules) => rules.columns(),
            Origin::Scores(scores) => scores.columns(),
            Origin::Nested(nested) => nested.reads(),
            Origin::Given => Vec::new(),
        };
        for name in self.steps.iter().flat_map(Step::reads) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// A note where one segment holds nearly all customers.
    fn note_nearly_all(&mut self) {
        let shares = self.shares();
        if let Some(segment) = shares.iter().position(|&share| share > NEARLY_ALL)
            && shares.len() > 1
        {
            self.manifest.notes.push(format!(
                "{:?} holds {:.0} % of the customers; the others may be outliers rather than segments",
                self.names[segment],
                100.0 * shares[segment]
            ));
        }
    }
}

impl Persist for Segmentation {
    const KIND: &'static str = "segmentation";

    fn validate(&self) -> Result<()> {
        let k = self.names.len();
        self.profile.validate(k)?;
        let within = |label: &u32| (*label as usize) < k;
        if k == 0 || self.sizes.len() != k || self.weights.len() != k || self.texts.len() != k {
            return Err(persist::broken("names, texts, sizes and weights differ in number"));
        }
        let named = |name: &str| self.features.iter().any(|feature| feature == name);
        if !self.profile.features().all(named) {
            return Err(persist::broken("the profile has a column that is none of the features"));
        }
        made::check_names(&self.names).map_err(|error| persist::broken(error.to_string()))?;
        let valid = |weight: &f64| weight.is_finite() && *weight >= 0.0;
        if !self.weights.iter().all(valid) {
            return Err(persist::broken("a segment has no weight"));
        }
        if !self.labels.iter().all(|label| *label == MISSING || within(label)) {
            return Err(persist::broken("a label names no segment"));
        }
        let mut counted = vec![0; k];
        for &label in self.labels.iter().filter(|&&label| label != MISSING) {
            counted[label as usize] += 1;
        }
        if self.labels.len() != self.manifest.rows || counted != self.sizes {
            return Err(persist::broken("rows, labels and sizes do not agree"));
        }
        for (name, sheet) in &self.checks {
            let wanted: &[&str] = match name.as_str() {
                "rules" => &["segment:t", "rule:t", "n:i"],
                "grid" => &["money:t", "ease:t", "segment:t", "n", "residual"],
                "cuts" => &["axis:t", "column:t", "cut:t", "at_cut:i", "share_high"],
                _ => &[],
            };
            sheet.check(name, wanted)?;
        }
        match &self.origin {
            Origin::Clustering(clustering) => clustering.validate(self.base)?,
            Origin::Rules(rules) => rules.validate(self.base)?,
            Origin::Scores(scores) => scores.validate(self.base)?,
            Origin::Nested(nested) => nested.validate(self.base)?,
            Origin::Given => {}
        }
        if steps::validate(&self.steps, self.base)? != k {
            return Err(persist::broken("edits lead to another number of segments"));
        }
        Ok(())
    }
}
