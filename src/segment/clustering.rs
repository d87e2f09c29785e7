//! Segments found by clustering: how the features are read, the model, and the evidence for their number.

use serde::{Deserialize, Serialize};

use super::choose::{Choice, Evidence, choose_k};
use super::customers::{drivers, feature_names, usable_rows};
use super::made::Made;
use super::model::{Model, Rows};
use super::{Method, Missing, Origin, Prediction, Segmentation, Unknown};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist;
use crate::table::{MISSING, Preparation, Scale, Settled, Table, UNSEEN, Unused};

/// Share of customers above which one segment is said to hold nearly all.
pub const NEARLY_ALL: f64 = 0.9;
/// Share of the separation above which one feature is said to dominate.
pub const DOMINATES: f64 = 0.8;

/// How to segment.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns to use; all but `exclude` where none are named.
    pub features: Option<Vec<String>>,
    /// Columns not to use.
    pub exclude: Vec<String>,
    /// The clustering method.
    pub method: Method,
    /// Number of segments; chosen by evidence where none is given.
    pub k: Option<usize>,
    /// Most segments tried where the number is chosen.
    pub k_max: usize,
    /// Column of weights.
    pub weights: Option<String>,
    /// How amounts are brought to one scale.
    pub scale: Scale,
    /// What to do with missing values.
    pub missing: Missing,
    /// Starts of the final fit.
    pub n_init: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a clustering knows beside its segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clustering {
    preparation: Preparation,
    unused: Vec<Unused>,
    model: Model,
    /// Segment of each cluster, as the segments were found.
    groups: Vec<u32>,
    evidence: Vec<Evidence>,
    choice: Choice,
    /// Share of the separation that each feature gives.
    drivers: Vec<f64>,
}

/// Segments the customers of a table.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for options out of range or that do not go together;
/// [`Error::TooFewRows`]; [`Error::BadValue`] for a missing value under [`Missing::Error`] and for bad weights;
/// [`Error::Interrupted`].
pub fn segment(
    table: &Table,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Segmentation> {
    let names = feature_names(table, options)?;
    let weights = options.weights.as_deref().map(|name| table.weights(name)).transpose()?;
    let learn = |table: &Table| {
        let named = options.features.is_some();
        Preparation::learn(table, &names, named, options.scale, options.method.reading())
    };
    let Settled { preparation, unused, rows, used } =
        Settled::of(table, learn, |preparation, rows, numbers| {
            let weights = weights.as_deref();
            usable_rows(preparation, rows, numbers, weights, options, &mut manifest)
        })?;
    let weights: Option<Vec<f64>> =
        weights.map(|weights| used.iter().map(|&row| weights[row]).collect());
    let method = options.method.resolve(&rows)?;

    let (choice, evidence) = match options.k {
        Some(k) => {
            let reason = format!("{k} segments were asked for");
            (Choice { k, repeats: true, reason }, Vec::new())
        }
        None => {
            let k_max = options.k_max.min(rows.n_rows() / 4);
            if k_max < 2 {
                return Err(Error::TooFewRows {
                    what: "k=\"auto\"".to_string(),
                    needed: 8,
                    found: rows.n_rows(),
                    mend: Some("k=2".to_string()),
                });
            }
            choose_k(&rows, method, weights.as_deref(), k_max, options.seed, monitor)?
        }
    };
    let laid_out = Rows::new(&rows, method)?;
    let model =
        Model::fit(&laid_out, weights.as_deref(), choice.k, options.n_init, options.seed, monitor)?;
    let k = model.n_found();
    if k < choice.k {
        manifest.notes.push(format!(
            "only {k} segments were found where {} were asked for, since so few customers differ",
            choice.k
        ));
    }
    let mut labels = vec![MISSING; table.n_rows()];
    for (&row, &label) in used.iter().zip(model.labels()) {
        labels[row] = label;
    }
    let features: Vec<String> =
        preparation.features.iter().map(|feature| feature.name().to_string()).collect();
    let clustering = Clustering {
        groups: groups(&model, k),
        drivers: drivers(&rows, model.labels(), k, &model.gamma()),
        preparation,
        unused,
        evidence,
        choice,
        model: model.without_labels(),
    };
    clustering.note_findings(&mut manifest);
    let names: Vec<String> = (1..=k).map(|number| format!("segment {number}")).collect();
    let weighted_by = options.weights.as_deref();
    let origin = Origin::Clustering(Box::new(clustering));
    let made = Made { names, labels, features, weighted_by, ..Made::new(origin) };
    let mut segmentation = made.sum_up(table, manifest)?;
    segmentation.note_nearly_all();
    Ok(segmentation)
}

/// Segment of each cluster; one without customers belongs to the nearest that has some.
fn groups(model: &Model, k: usize) -> Vec<u32> {
    let nearest = |cluster: usize| {
        let distance = |segment: &usize| model.distance(cluster, *segment);
        (0..k).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    };
    let group = |cluster: usize| if cluster < k { cluster } else { nearest(cluster) };
    (0..model.weights().len()).map(|cluster| group(cluster) as u32).collect()
}

impl Clustering {
    /// How the features were read.
    pub fn preparation(&self) -> &Preparation {
        &self.preparation
    }

    /// Columns that were not used, and why.
    pub fn unused(&self) -> &[Unused] {
        &self.unused
    }

    /// The fitted clustering.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Segment of each cluster, as the segments were found.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// The evidence for each number of segments tried.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The number chosen, with the reason.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Share of the separation of the segments that each feature gives, in the order of the features.
    pub fn drivers(&self) -> &[f64] {
        &self.drivers
    }

    /// Segments of new customers.
    ///
    /// # Errors
    ///
    /// Those of reading the columns; [`Error::BadValue`] for a missing value where the method takes none.
    pub(super) fn predict(&self, table: &Table, monitor: &Monitor) -> Result<Prediction> {
        let rows = self.preparation.apply(table)?;
        if self.model.method().needs_complete_amounts()
            && let Some((row, column)) =
                (0..rows.n_rows()).find_map(|row| Some((row, rows.first_missing(row)?)))
        {
            return Err(Error::value(
                self.preparation.features[column].name(),
                row,
                "a missing value",
                "the customers that the segments were found on had none, and the method takes none",
            )
            .with_mend("segment(..., method=\"kprototypes\")"));
        }
        let n_amounts = self.preparation.n_amounts();
        let unknown = self.preparation.features[n_amounts..]
            .iter()
            .zip(rows.codes.columns())
            .map(|(feature, codes)| {
                let n = codes.iter().filter(|&&code| code == UNSEEN).count();
                Unknown { feature: feature.name().to_string(), rows: n }
            })
            .filter(|unknown| unknown.rows > 0)
            .collect();
        let clusters = self.model.predict(&Rows::new(&rows, self.model.method())?, monitor)?;
        let labels = clusters
            .iter()
            .enumerate()
            .map(
                |(row, &cluster)| {
                    if rows.is_blank(row) { MISSING } else { self.groups[cluster as usize] }
                },
            )
            .collect();
        Ok(Prediction { labels, unknown })
    }

    /// Findings that the user should know, as notes of the manifest.
    fn note_findings(&self, manifest: &mut Manifest) {
        let dominating = self.drivers.iter().position(|&share| share > DOMINATES);
        if let Some(feature) = dominating.filter(|_| self.drivers.len() > 2) {
            manifest.notes.push(format!(
                "{:?} alone gives {:.0} % of the separation; see scale= and features=",
                self.preparation.features[feature].name(),
                100.0 * self.drivers[feature]
            ));
        }
        if !self.choice.repeats {
            manifest.notes.push(self.choice.reason.clone());
        }
    }

    pub(super) fn validate(&self, n_segments: usize) -> Result<()> {
        self.preparation.validate()?;
        self.model.validate()?;
        let within = |group: &u32| (*group as usize) < n_segments;
        if self.groups.len() != self.model.weights().len() || !self.groups.iter().all(within) {
            return Err(persist::broken("a cluster belongs to no segment"));
        }
        if self.drivers.len() != self.preparation.features.len() {
            return Err(persist::broken("features and drivers differ in number"));
        }
        Ok(())
    }
}
