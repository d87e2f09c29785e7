//! Results about labels that are given: silhouettes, shadow values, and the agreement of two labellings.

use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::centres::nearness;
use super::customers::Customers;
use super::metric::Metric;
use super::silhouette::{silhouettes, simplified_silhouettes, sizes_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};

/// One figure for each row, by segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Widths {
    /// What the result was made from.
    pub manifest: Manifest,
    /// Whether distances to centres stand in for mean distances to rows.
    pub simplified: bool,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Weight of each segment.
    pub sizes: Vec<f64>,
    /// Number of each row used.
    pub rows: Vec<usize>,
    /// Weight of each row used; empty where there are no weights.
    pub weights: Vec<f64>,
    /// Its segment.
    pub labels: Vec<u32>,
    /// The nearest other segment.
    pub neighbours: Vec<u32>,
    /// Its silhouette width.
    pub widths: Vec<f64>,
}

/// Checks what the labels and rows of a saved result must satisfy.
fn check_rows(manifest: &Manifest, names: usize, rows: &[usize], labels: &[&[u32]]) -> Result<()> {
    if names == 0 || labels.iter().any(|labels| labels.len() != rows.len()) {
        return Err(persist::broken("there is not one label for every row"));
    }
    if labels.iter().any(|labels| labels.iter().any(|&label| label as usize >= names)) {
        return Err(persist::broken("a label names no segment"));
    }
    if rows.iter().any(|&row| row >= manifest.rows) {
        return Err(persist::broken("a row is not in the data"));
    }
    Ok(())
}

impl Persist for Widths {
    const KIND: &'static str = "silhouettes";

    fn validate(&self) -> Result<()> {
        let k = self.names.len();
        check_rows(&self.manifest, k, &self.rows, &[&self.labels, &self.neighbours])?;
        let weights = self.weights.len();
        if self.widths.len() != self.rows.len() || (weights > 0 && weights != self.rows.len()) {
            return Err(persist::broken("there is not one width for every row"));
        }
        if self.sizes.len() != k || self.widths.iter().any(|w| !(-1.0..=1.0).contains(w)) {
            return Err(persist::broken("a width is not between -1 and 1"));
        }
        Ok(())
    }
}

/// Silhouettes of given segments, exact or simplified.
///
/// # Errors
///
/// [`Error::Argument`] where there are fewer than two segments; those of [`silhouettes`].
pub fn widths(
    customers: &Customers,
    names: Vec<String>,
    simplified: bool,
    manifest: Manifest,
    monitor: &Monitor,
) -> Result<Widths> {
    let (gamma, weights) = (customers.gamma(), customers.weights.as_deref());
    if customers.labels.iter().all(|label| *label == customers.labels[0]) {
        let wanted = "a customer's own segment is compared with the nearest other one, so at least 2 are needed";
        return Err(Error::argument("segments", "1 segment", wanted));
    }
    let metric = Metric::new(&customers.rows, &gamma);
    let found = if simplified {
        simplified_silhouettes(&metric, &customers.labels, weights)?
    } else {
        silhouettes(&metric, &customers.labels, weights, monitor)?
    };
    Ok(Widths {
        manifest,
        simplified,
        sizes: sizes(customers, names.len())?,
        names,
        rows: customers.used.clone(),
        weights: customers.weights.clone().unwrap_or_default(),
        labels: customers.labels.clone(),
        neighbours: found.iter().map(|found| found.neighbour).collect(),
        widths: found.iter().map(|found| found.width).collect(),
    })
}

fn sizes(customers: &Customers, k: usize) -> Result<Vec<f64>> {
    let mut sizes = sizes_of(&customers.labels, customers.weights.as_deref());
    if sizes.len() > k {
        let found = format!("label {}", sizes.len() - 1);
        return Err(Error::argument("labels", found, format!("there are {k} segments")));
    }
    sizes.resize(k, 0.0);
    Ok(sizes)
}

/// How near customers are to the middles of the segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadows {
    /// What the result was made from.
    pub manifest: Manifest,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Weight of each segment.
    pub sizes: Vec<f64>,
    /// Number of each row used.
    pub rows: Vec<usize>,
    /// Weight of each row used; empty where there are no weights.
    pub weights: Vec<f64>,
    /// Its segment.
    pub labels: Vec<u32>,
    /// The segment whose middle is nearest.
    pub nearest: Vec<u32>,
    /// The segment whose middle is second-nearest.
    pub second: Vec<u32>,
    /// Shadow values.
    pub values: Vec<f64>,
    /// Similarities to the middles, `(row, segment)`.
    pub similarities: Vec<f64>,
}

impl Persist for Shadows {
    const KIND: &'static str = "shadows";

    fn validate(&self) -> Result<()> {
        let (k, n) = (self.names.len(), self.rows.len());
        let labels: [&[u32]; 3] = [&self.labels, &self.nearest, &self.second];
        check_rows(&self.manifest, k, &self.rows, &labels)?;
        if self.sizes.len() != k || self.values.len() != n || self.similarities.len() != n * k {
            return Err(persist::broken("there are not as many values for every row"));
        }
        if !(self.weights.is_empty() || self.weights.len() == n) {
            return Err(persist::broken("there is not one weight for every row"));
        }
        let mut all = self.values.iter().chain(&self.similarities);
        if !all.all(|value| (0.0..=1.0).contains(value)) {
            return Err(persist::broken("a value is not between 0 and 1"));
        }
        Ok(())
    }
}

/// Shadow values and similarities of given segments.
///
/// # Errors
///
/// [`Error::Argument`] for labels beyond the names.
pub fn shadows(customers: &Customers, names: Vec<String>, manifest: Manifest) -> Result<Shadows> {
    let (gamma, weights) = (customers.gamma(), customers.weights.as_deref());
    let metric = Metric::new(&customers.rows, &gamma);
    let found = nearness(&metric, &customers.labels, weights);
    let k = names.len();
    let padded = |similarities: &[f64]| {
        let mut row = similarities.to_vec();
        row.resize(k, 0.0);
        row
    };
    Ok(Shadows {
        manifest,
        sizes: sizes(customers, k)?,
        names,
        rows: customers.used.clone(),
        weights: customers.weights.clone().unwrap_or_default(),
        labels: customers.labels.clone(),
        nearest: found.iter().map(|found| found.nearest).collect(),
        second: found.iter().map(|found| found.second).collect(),
        values: found.iter().map(|found| found.shadow).collect(),
        similarities: found.iter().flat_map(|found| padded(&found.similarities)).collect(),
    })
}

/// Two labellings of the same customers, side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// What the result was made from.
    pub manifest: Manifest,
    /// Names of the first labelling's segments.
    pub first: Vec<String>,
    /// Names of the second labelling's segments.
    pub second: Vec<String>,
    /// Customers, or their weight, in each pair of segments, `(first, second)`.
    pub counts: Vec<f64>,
    /// For each segment of the first labelling the one of the second that it is matched with.
    pub matching: Vec<Option<usize>>,
    /// Jaccard index of each pair of segments, `(first, second)`.
    pub jaccards: Vec<f64>,
    /// Adjusted Rand index.
    pub adjusted_rand: f64,
    /// Rand index.
    pub rand: f64,
    /// Normalised mutual information.
    pub information: f64,
    /// Jaccard index of the pairs of customers.
    pub jaccard: f64,
}

impl Persist for Compared {
    const KIND: &'static str = "comparison";

    fn validate(&self) -> Result<()> {
        let cells = self.first.len().saturating_mul(self.second.len());
        if cells == 0 || self.counts.len() != cells || self.jaccards.len() != cells {
            return Err(persist::broken("the cross-table does not go with the names"));
        }
        let mut matched = self.matching.iter().flatten();
        if self.matching.len() != self.first.len() || matched.any(|&at| at >= self.second.len()) {
            return Err(persist::broken("a segment is matched with none that there is"));
        }
        Ok(())
    }
}

/// Compares two labellings; rows that either leaves out are counted in the manifest.
///
/// # Errors
///
/// Those of [`Agreement::of`]; [`Error::TooFewRows`] where no row has both labels.
pub fn compare(
    first: (&[u32], Vec<String>),
    second: (&[u32], Vec<String>),
    weights: Option<&[f64]>,
    mut manifest: Manifest,
) -> Result<Compared> {
    let ((a, first), (b, second)) = (first, second);
    if a.len() != b.len() {
        let found = format!("{} and {}", a.len(), b.len());
        let wanted = "both labellings must have one label per customer";
        return Err(Error::argument("a and b", found, wanted));
    }
    let used: Vec<usize> =
        (0..a.len()).filter(|&row| a[row] != u32::MAX && b[row] != u32::MAX).collect();
    manifest.leave_out("in no segment of one of the two", a.len() - used.len());
    if used.is_empty() {
        return Err(Error::TooFewRows {
            what: "a comparison".into(),
            needed: 1,
            found: 0,
            mend: None,
        });
    }
    let pick = |labels: &[u32]| used.iter().map(|&row| labels[row]).collect::<Vec<u32>>();
    let (a, b) = (pick(a), pick(b));
    let agreement = match weights {
        Some(all) => {
            let weights: Vec<f64> =
                used.iter().map(|&row| all.get(row).copied().unwrap_or(f64::NAN)).collect();
            if let Some(at) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                let wanted = "weights must be numbers from 0 up";
                return Err(Error::value("weights", used[at], weights[at], wanted));
            }
            Agreement::weighted(&a, &b, &weights)?
        }
        None => Agreement::of(&a, &b)?,
    };
    let (n_first, n_second) = (agreement.sizes().0.len(), agreement.sizes().1.len());
    if n_first > first.len() || n_second > second.len() {
        return Err(Error::argument("labels", "more labels than names", "each needs a name"));
    }
    // Segments at the end of the list without any row are not in the table.
    let spread = |values: &[f64]| {
        let mut all = vec![0.0; first.len() * second.len()];
        for (at, &value) in values.iter().enumerate() {
            all[at / n_second * second.len() + at % n_second] = value;
        }
        all
    };
    let mut matching = agreement.matching();
    matching.resize(first.len(), None);
    Ok(Compared {
        counts: spread(agreement.counts()),
        jaccards: spread(&agreement.jaccards()),
        matching,
        adjusted_rand: agreement.adjusted_rand(),
        rand: agreement.rand(),
        information: agreement.normalised_information(),
        jaccard: agreement.jaccard(),
        manifest,
        first,
        second,
    })
}
