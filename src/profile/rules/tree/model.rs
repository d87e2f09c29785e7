//! The finished tree: how it is saved and how it places new customers.

use serde::{Deserialize, Serialize};

use super::Options;
use super::binned::Binned;
use super::grow::{Node, Split, is_leaf, most};
use crate::confidence::is_level;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::profile::rules::Placed;
use crate::profile::rules::condition::{Condition, Reader, Values};
use crate::profile::rules::customers::Customers;
use crate::table::{Feature, MISSING, Table};

/// A node of a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Customers by segment.
    pub counts: Vec<u32>,
    /// What holds for those who go to the first child; the others go to the second. `None` for a leaf.
    #[serde(deserialize_with = "Option::deserialize")]
    pub condition: Option<Condition>,
    /// The two children, which stand behind it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub children: Option<[usize; 2]>,
    /// By how much the split lowers the Gini impurity, times the number of customers; 0 for a leaf.
    pub gain: f64,
}

impl Branch {
    /// The segment with most customers.
    pub fn segment(&self) -> usize {
        most(&self.counts)
    }

    /// Number of customers.
    pub fn n(&self) -> u32 {
        self.counts.iter().sum()
    }
}

/// A tree cut back to some complexity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pruning {
    /// Its number of leaves.
    pub leaves: usize,
    /// Gain in fidelity below which a leaf is not worth having; -1 where nothing is cut off.
    pub alpha: f64,
    /// Share of customers placed in their own segment by trees that had not seen them.
    pub fidelity: f64,
    /// Standard error of that share.
    pub standard_error: f64,
    /// Whether it is the tree that was chosen.
    pub chosen: bool,
}

/// Segments as a decision tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Customers of each segment.
    pub sizes: Vec<usize>,
    /// How the columns of the tree are read.
    pub reader: Reader,
    /// The nodes, from the root.
    #[serde(rename = "table")]
    pub nodes: Vec<Branch>,
    /// The trees of all complexities, the largest first.
    pub path: Vec<Pruning>,
    /// Customers of each segment (rows) placed in each segment (columns) by trees that had not seen them.
    pub placed: Vec<u32>,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Customers of a rule at least.
    pub min_leaf: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
}

impl Persist for Rules {
    const KIND: &'static str = "segment_rules";

    fn validate(&self) -> Result<()> {
        self.reader.validate()?;
        let k = self.names.len();
        let n = self.nodes.len();
        if k == 0 || self.sizes.len() != k || self.placed.len() != k * k || n == 0 {
            return Err(persist::broken("the segments do not agree in number"));
        }
        if !is_level(self.confidence) || self.path.iter().filter(|step| step.chosen).count() != 1 {
            return Err(persist::broken("the fidelity is not as it should be"));
        }
        let mut parents = vec![0_usize; n];
        for (at, node) in self.nodes.iter().enumerate() {
            if node.counts.len() != k || node.condition.is_some() != node.children.is_some() {
                return Err(persist::broken("a node of the tree is not as it should be"));
            }
            if let Some(condition) = &node.condition {
                condition.validate(&self.reader)?;
            }
            for &child in node.children.iter().flatten() {
                if child <= at || child >= n {
                    return Err(persist::broken("a child does not stand behind its parent"));
                }
                parents[child] += 1;
            }
        }
        if parents[0] != 0 || parents[1..].iter().any(|&parents| parents != 1) {
            return Err(persist::broken("the nodes are no tree"));
        }
        Ok(())
    }
}

/// The tree as a result.
#[allow(clippy::too_many_arguments)]
pub(super) fn finish(
    manifest: Manifest,
    names: &[String],
    customers: &Customers,
    binned: &Binned,
    nodes: &[Node],
    steps: Vec<(Pruning, Vec<u32>)>,
    chosen: usize,
    options: &Options,
    min_leaf: usize,
) -> Rules {
    let alpha = steps[chosen].0.alpha;
    let mut used = vec![false; binned.n_features()];
    let mut kept: Vec<usize> = Vec::new();
    let mut place = vec![usize::MAX; nodes.len()];
    let mut queue = std::collections::VecDeque::from([0]);
    while let Some(at) = queue.pop_front() {
        place[at] = kept.len();
        kept.push(at);
        if let Some(split) = nodes[at].split.as_ref().filter(|_| !is_leaf(&nodes[at], alpha)) {
            used[split.feature] = true;
            queue.extend(split.children);
        }
    }
    let (reader, places) = customers.reader.keep(|at| used[at]);
    let branches = kept.iter().map(|&at| {
        let node = &nodes[at];
        match node.split.as_ref().filter(|_| !is_leaf(node, alpha)) {
            None => {
                Branch { counts: node.counts.clone(), condition: None, children: None, gain: 0.0 }
            }
            Some(split) => Branch {
                counts: node.counts.clone(),
                condition: Some(condition(split, binned, places[split.feature])),
                children: Some(split.children.map(|child| place[child])),
                gain: split.found.gain,
            },
        }
    });
    let nodes = branches.collect();
    let mut path = Vec::new();
    let mut placed = Vec::new();
    for (at, (step, table)) in steps.into_iter().enumerate() {
        if at == chosen {
            placed = table;
        }
        path.push(Pruning { chosen: at == chosen, ..step });
    }
    Rules {
        manifest,
        names: names.to_vec(),
        sizes: customers.sizes.clone(),
        reader,
        nodes,
        path,
        placed,
        folds: options.folds,
        min_leaf,
        confidence: options.confidence,
    }
}

/// What holds on the left side of a split.
fn condition(split: &Split, binned: &Binned, feature: usize) -> Condition {
    let n_bins = binned.n_bins[split.feature];
    let left = &split.found.left;
    let values = match (&binned.cuts[split.feature], split.cut) {
        (Some(cuts), Some(bin)) => Values::Range { low: None, high: Some(cuts[bin - 1]) },
        (Some(_), None) => Values::Any,
        (None, _) => Values::Levels((0..n_bins as u32).filter(|&b| left[b as usize]).collect()),
    };
    Condition { feature, values, missing: left[n_bins] }
}

impl Rules {
    /// What holds for those who do not go to the first child.
    pub(super) fn other(&self, condition: &Condition) -> Condition {
        let values = match &condition.values {
            Values::Any => Values::None,
            Values::None => Values::Any,
            Values::Range { high, .. } => Values::Range { low: *high, high: None },
            Values::Levels(levels) => {
                let n = match &self.reader.features()[condition.feature] {
                    Feature::Category { categories, .. } => categories.len() as u32,
                    Feature::Amount { .. } => 0,
                };
                Values::Levels((0..n).filter(|level| !levels.contains(level)).collect())
            }
        };
        Condition { feature: condition.feature, values, missing: !condition.missing }
    }

    /// Every leaf with the conditions that lead to it, from left to right; conditions on one column are one.
    pub fn leaves(&self) -> Vec<(usize, Vec<Condition>)> {
        let mut leaves = Vec::new();
        let mut stack: Vec<(usize, Vec<Condition>)> = vec![(0, Vec::new())];
        while let Some((at, path)) = stack.pop() {
            let node = &self.nodes[at];
            let (Some(condition), Some([left, right])) = (&node.condition, node.children) else {
                leaves.push((at, path));
                continue;
            };
            let with = |condition: &Condition| {
                let mut path = path.clone();
                match path.iter_mut().find(|other| other.feature == condition.feature) {
                    Some(other) => *other = other.and(condition),
                    None => path.push(condition.clone()),
                }
                path
            };
            stack.push((right, with(&self.other(condition))));
            stack.push((left, with(condition)));
        }
        leaves
    }

    /// Places new customers: the segment of each, and columns with categories that are not known with their number of rows.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn predict(&self, table: &Table) -> Result<Placed> {
        let customers = Customers::new(table, &self.reader)?;
        let n_amounts = customers.amounts.len();
        let levels: Vec<usize> =
            (0..self.reader.features().len()).map(|at| customers.n_levels(at)).collect();
        let segments: Vec<u32> = self.nodes.iter().map(|node| node.segment() as u32).collect();
        let mut placed = vec![MISSING; customers.n()];
        crate::parallel::fill_blocks(&mut placed, |first, part| {
            for (row, placed) in (first..).zip(part) {
                let mut at = 0;
                while let (Some(condition), Some(children)) =
                    (&self.nodes[at].condition, self.nodes[at].children)
                {
                    let feature = condition.feature;
                    let left = if feature < n_amounts {
                        condition.holds_amount(customers.amounts[feature][row])
                    } else {
                        let code = customers.codes[feature - n_amounts][row];
                        condition.holds_level(code, levels[feature])
                    };
                    at = children[usize::from(!left)];
                }
                *placed = segments[at];
            }
        });
        Ok((placed, customers.unknown()))
    }

    /// Share of customers placed in their own segment by trees that had not seen them, with the interval, and the share of the
    /// largest segment, which is what naming it for everybody would give.
    pub fn fidelity(&self) -> (f64, f64, f64, f64) {
        super::super::told_share(&self.placed, &self.sizes, self.confidence)
    }
}
