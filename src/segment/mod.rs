//! Segments of customers, from a table to a result that can be renamed, merged, saved and applied to new customers.
//!
//! [`segment`] reads the features, chooses how many segments there are by evidence that it keeps, groups the customers
//! and sums up what makes each segment different.

mod choose;
mod customers;
mod likeliest;
mod model;

use serde::{Deserialize, Serialize};

pub use choose::{
    Choice, EVIDENCE_ROWS, Evidence, KEEPS, REPEATS, SILHOUETTE_ROWS, SPLITS, choose_k,
};
pub use likeliest::{Likeliest, Likelihood};
pub use model::{Method, Model, Rows};

use self::customers::{
    count, drivers, feature_names, first_missing, is_blank, read_weights, usable_rows,
};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::profile::Profile;
use crate::table::{MISSING, Preparation, Scale, Table, UNSEEN, Unused};

/// Share of customers above which one segment is said to hold nearly all.
pub const NEARLY_ALL: f64 = 0.9;
/// Share of the separation above which one feature is said to dominate.
pub const DOMINATES: f64 = 0.8;

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

/// Customers in segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segmentation {
    manifest: Manifest,
    preparation: Preparation,
    unused: Vec<Unused>,
    model: Model,
    /// Segment of each cluster.
    groups: Vec<u32>,
    names: Vec<String>,
    /// Segment of each row; [`MISSING`] where the row was left out.
    labels: Vec<u32>,
    /// Customers of each segment.
    sizes: Vec<usize>,
    /// Weight of each segment; equal to its size without weights.
    weights: Vec<f64>,
    evidence: Vec<Evidence>,
    choice: Choice,
    /// Share of the separation that each feature gives.
    drivers: Vec<f64>,
    profile: Profile,
}

/// Segments of new customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// Segment of each row; [`MISSING`] where no feature has a value.
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
    let (preparation, unused) = Preparation::learn(
        table,
        &names,
        options.features.is_some(),
        options.scale,
        options.method.reading(),
    )?;
    let all = preparation.apply(table)?;
    let weights = options.weights.as_deref().map(|name| read_weights(table, name)).transpose()?;
    let used = usable_rows(&all, weights.as_deref(), &preparation, options, &mut manifest)?;
    let rows = if used.len() == all.n_rows() { all } else { all.take(&used) };
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
    let used_names: Vec<String> =
        preparation.features.iter().map(|feature| feature.name().to_string()).collect();
    let profile = Profile::of(table, &used_names, &labels, k)?;
    let drivers = drivers(&rows, model.labels(), k, &model.gamma());
    let segment_weights = model.weights()[..k].to_vec();
    let mut segmentation = Segmentation {
        groups: groups(&model, k),
        names: (1..=k).map(|number| format!("segment {number}")).collect(),
        sizes: count(&labels, k),
        weights: segment_weights,
        manifest,
        preparation,
        unused,
        model: model.without_labels(),
        labels,
        evidence,
        choice,
        drivers,
        profile,
    };
    segmentation.note_findings();
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

impl Segmentation {
    /// What the result was made from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Segment of each row; [`MISSING`] where the row was left out.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Segment of each cluster of the model.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// Names of the segments.
    pub fn names(&self) -> &[String] {
        &self.names
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

    /// The evidence for each number of segments tried.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The number chosen, with the reason.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// The fitted clustering.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How the features were read.
    pub fn preparation(&self) -> &Preparation {
        &self.preparation
    }

    /// Columns that were not used, and why.
    pub fn unused(&self) -> &[Unused] {
        &self.unused
    }

    /// Share of the separation of the segments that each feature gives, in the order of the features.
    pub fn drivers(&self) -> &[f64] {
        &self.drivers
    }

    /// What makes each segment different.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The same segments under other names.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the number of names is not that of the segments, or two are equal.
    pub fn rename(&self, names: Vec<String>) -> Result<Self> {
        if names.len() != self.names.len() {
            return Err(Error::argument(
                "names",
                format!("{} names", names.len()),
                format!("there are {} segments", self.names.len()),
            ));
        }
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name))
        {
            return Err(Error::argument(
                "names",
                format!("{:?} twice", twice.1),
                "names must be different",
            ));
        }
        Ok(Self { names, ..self.clone() })
    }

    /// At most `most` segments: the two that lie nearest are merged until so many are left.
    ///
    /// Near by Ward's criterion: the loss of separation, w_a w_b / (w_a + w_b) times the squared distance of the
    /// centres (Ward 1963, Hierarchical grouping to optimize an objective function, Journal of the American Statistical
    /// Association 58). New customers still go to the nearest original segment, and so into the merged one.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if `most` is 0.
    pub fn limit(&self, most: usize) -> Result<Self> {
        if most == 0 {
            return Err(Error::argument("n", 0, "at least 1 segment must be left"));
        }
        let mut merged: Vec<Vec<usize>> = (0..self.names.len()).map(|s| vec![s]).collect();
        while merged.len() > most {
            let mut nearest = (f64::INFINITY, 0, 1);
            for a in 0..merged.len() {
                for b in a + 1..merged.len() {
                    let loss = self.loss(&merged[a], &merged[b]);
                    if loss < nearest.0 {
                        nearest = (loss, a, b);
                    }
                }
            }
            let absorbed = merged.remove(nearest.2);
            merged[nearest.1].extend(absorbed);
            merged[nearest.1].sort_unstable();
        }
        self.merge(&merged)
    }

    /// Segments put together: one list of segment numbers for each new segment.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if a segment is in no list or in two.
    pub fn merge(&self, lists: &[Vec<usize>]) -> Result<Self> {
        let mut group_of = vec![MISSING; self.names.len()];
        for (group, list) in lists.iter().enumerate() {
            for &segment in list {
                match group_of.get_mut(segment) {
                    Some(slot) if *slot == MISSING => *slot = group as u32,
                    _ => {
                        return Err(Error::argument(
                            "merge",
                            format!("segment number {segment} twice, or out of range"),
                            format!("each of the {} segments must stand once", self.names.len()),
                        ));
                    }
                }
            }
        }
        if let Some(lost) = group_of.iter().position(|&group| group == MISSING) {
            return Err(Error::argument(
                "merge",
                format!("no place for segment number {lost}"),
                format!("each of the {} segments must stand once", self.names.len()),
            ));
        }
        let n = lists.len();
        // Canonical order: the heaviest segment first, ties to the lower number.
        let mut weights = vec![0.0; n];
        for (segment, &group) in group_of.iter().enumerate() {
            weights[group as usize] += self.weights[segment];
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
        let mut rank = vec![0_u32; n];
        for (position, &group) in order.iter().enumerate() {
            rank[group] = position as u32;
        }
        let new_of: Vec<u32> = group_of.iter().map(|&group| rank[group as usize]).collect();
        let renumber = |old: &u32| new_of.get(*old as usize).copied().unwrap_or(MISSING);
        let labels: Vec<u32> = self.labels.iter().map(renumber).collect();
        let names = order
            .iter()
            .map(|&group| {
                let parts: Vec<&str> =
                    lists[group].iter().map(|&segment| self.names[segment].as_str()).collect();
                parts.join(" + ")
            })
            .collect();
        let mut segmentation = Self {
            groups: self.groups.iter().map(renumber).collect(),
            names,
            sizes: count(&labels, n),
            weights: order.iter().map(|&group| weights[group]).collect(),
            profile: self.profile.regroup(&new_of, n),
            labels,
            ..self.clone()
        };
        let note = format!("{} segments were put together into {n}", self.names.len());
        if n < self.names.len() {
            segmentation.manifest.notes.push(note);
        }
        Ok(segmentation)
    }

    /// Segments of new customers.
    ///
    /// # Errors
    ///
    /// Those of reading the columns; [`Error::BadValue`] for a missing value where the method takes none.
    pub fn predict(&self, table: &Table, monitor: &Monitor) -> Result<Prediction> {
        let rows = self.preparation.apply(table)?;
        if self.model.method().needs_complete_amounts()
            && let Some((row, column)) =
                (0..rows.n_rows()).find_map(|row| first_missing(&rows, row).map(|c| (row, c)))
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
                    if is_blank(&rows, row) { MISSING } else { self.groups[cluster as usize] }
                },
            )
            .collect();
        Ok(Prediction { labels, unknown })
    }

    /// Loss of separation when two groups of segments become one.
    fn loss(&self, a: &[usize], b: &[usize]) -> f64 {
        let weight = |group: &[usize]| group.iter().map(|&s| self.weights[s]).sum::<f64>();
        let (weight_a, weight_b) = (weight(a), weight(b));
        let mut distance = 0.0;
        for &x in a {
            for &y in b {
                let (cluster_x, cluster_y) = (self.cluster_of(x), self.cluster_of(y));
                distance +=
                    self.weights[x] * self.weights[y] * self.model.distance(cluster_x, cluster_y);
            }
        }
        distance / (weight_a + weight_b)
    }

    /// The heaviest cluster of a segment.
    fn cluster_of(&self, segment: usize) -> usize {
        let members = (0..self.groups.len()).filter(|&c| self.groups[c] as usize == segment);
        let weight = |cluster: &usize| self.model.weights()[*cluster];
        members.max_by(|a, b| weight(a).total_cmp(&weight(b)).then(b.cmp(a))).unwrap_or(segment)
    }

    /// Findings that the user should know, as notes of the manifest.
    fn note_findings(&mut self) {
        let shares = self.shares();
        if let Some(segment) = shares.iter().position(|&share| share > NEARLY_ALL) {
            self.manifest.notes.push(format!(
                "{:?} holds {:.0} % of the customers; the others may be outliers rather than segments",
                self.names[segment],
                100.0 * shares[segment]
            ));
        }
        let dominating = self.drivers.iter().position(|&share| share > DOMINATES);
        if let Some(feature) = dominating.filter(|_| self.drivers.len() > 2) {
            self.manifest.notes.push(format!(
                "{:?} alone gives {:.0} % of the separation; see scale= and features=",
                self.preparation.features[feature].name(),
                100.0 * self.drivers[feature]
            ));
        }
        if !self.choice.repeats {
            self.manifest.notes.push(self.choice.reason.clone());
        }
    }
}

impl Persist for Segmentation {
    const KIND: &'static str = "segmentation";

    fn validate(&self) -> Result<()> {
        let k = self.names.len();
        self.preparation.validate()?;
        self.model.validate()?;
        self.profile.validate(k)?;
        let within = |label: &u32| (*label as usize) < k;
        if k == 0 || self.sizes.len() != k || self.weights.len() != k {
            return Err(persist::broken("names, sizes and weights differ in number"));
        }
        if self.groups.len() != self.model.weights().len() || !self.groups.iter().all(within) {
            return Err(persist::broken("a cluster belongs to no segment"));
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
        if self.drivers.len() != self.preparation.features.len() {
            return Err(persist::broken("features and drivers differ in number"));
        }
        Ok(())
    }
}
