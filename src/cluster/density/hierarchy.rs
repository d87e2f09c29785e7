//! From a spanning tree to the condensed tree: which clusters there are at each density.
//!
//! Edges of equal weight are removed together, as Campello, Moulavi and Sander (2013) define the hierarchy. So the tree
//! depends on the data alone: neither on the order of the rows nor on which spanning tree was found.

use serde::{Deserialize, Serialize};

use super::spanning::{Edge, Sets};
use super::tree::Tree;
use crate::persist;

/// A merge of two parts; codes below the number of rows are rows.
#[derive(Debug, Clone, Copy)]
struct Merge {
    parts: [u32; 2],
    distance: f64,
    size: u32,
    lowest: u32,
}

/// The condensed tree: clusters of at least the smallest size that split into such clusters, and the rows that leave them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condensed {
    /// Parent of each cluster, always of a lower number; 0, the root of all rows, is its own.
    pub(super) parents: Vec<u32>,
    /// Density (1 / distance) at which each cluster appears.
    #[serde(with = "persist::floats")]
    pub(super) births: Vec<f64>,
    /// Density at which its last rows leave it, or it splits.
    #[serde(with = "persist::floats")]
    pub(super) deaths: Vec<f64>,
    /// Rows it has when it appears.
    pub(super) sizes: Vec<u32>,
    /// Excess of mass: the density that each row adds while it is in the cluster, summed.
    #[serde(with = "persist::floats")]
    pub(super) stabilities: Vec<f64>,
    /// The smallest cluster that each row is in.
    pub(super) row_clusters: Vec<u32>,
    /// Density at which the row leaves it.
    #[serde(with = "persist::floats")]
    pub(super) row_lambdas: Vec<f64>,
}

/// Binary merges in the order of their distances.
fn merges(tree: &Tree, edges: &mut [Edge]) -> Vec<Merge> {
    let n = tree.n;
    edges.sort_unstable_by(|a, b| a.weight.total_cmp(&b.weight));
    let mut sets = Sets::new(n);
    // The part that each set is.
    let mut parts: Vec<u32> = (0..n as u32).collect();
    let mut merges: Vec<Merge> = Vec::with_capacity(edges.len());
    for edge in edges.iter() {
        let pair = [edge.from, edge.to].map(|position| tree.rows[position as usize]);
        let pair = pair.map(|row| parts[sets.find(row) as usize]);
        let of = |part: u32| match (part as usize).checked_sub(n) {
            None => (1, part),
            Some(at) => (merges[at].size, merges[at].lowest),
        };
        let [(size, lowest), (other_size, other_lowest)] = pair.map(of);
        let (from, to) = (tree.rows[edge.from as usize], tree.rows[edge.to as usize]);
        sets.unite(from, to);
        parts[sets.find(from) as usize] = (n + merges.len()) as u32;
        merges.push(Merge {
            parts: pair,
            distance: edge.weight.sqrt(),
            size: size + other_size,
            lowest: lowest.min(other_lowest),
        });
    }
    merges
}

impl Condensed {
    /// Condenses the hierarchy of a minimum spanning tree.
    pub(super) fn new(tree: &Tree, mut edges: Vec<Edge>, min_cluster_size: usize) -> Self {
        let n = tree.n;
        let merges = merges(tree, &mut edges);
        let mut condensed =
            Self { row_clusters: vec![0; n], row_lambdas: vec![0.0; n], ..Self::default() };
        condensed.appear(0, 0.0, n as u32);
        let Some(top) = merges.len().checked_sub(1) else { return condensed };
        let merge = |part: u32| (part as usize).checked_sub(n).map(|at| &merges[at]);
        let size = |part: u32| merge(part).map_or(1, |merge| merge.size);
        let lowest = |part: u32| merge(part).map_or(part, |merge| merge.lowest);
        let mut waiting = std::collections::VecDeque::from([(0_u32, (n + top) as u32)]);
        let (mut parts, mut open) = (Vec::new(), Vec::new());
        while let Some((cluster, mut part)) = waiting.pop_front() {
            let at = cluster as usize;
            while let Some(here) = merge(part) {
                // All parts that hang together by edges of this length only.
                parts.clear();
                open.push(part);
                while let Some(part) = open.pop() {
                    match merge(part) {
                        Some(merge) if merge.distance == here.distance => open.extend(merge.parts),
                        _ => parts.push(part),
                    }
                }
                let lambda = 1.0 / here.distance;
                let large = |&part: &u32| size(part) as usize >= min_cluster_size;
                let n_large = parts.iter().filter(|&part| large(part)).count();
                let left: u32 = if n_large == 1 {
                    parts.iter().filter(|&part| !large(part)).map(|&part| size(part)).sum()
                } else {
                    here.size
                };
                condensed.deaths[at] = lambda;
                condensed.stabilities[at] += (lambda - condensed.births[at]) * f64::from(left);
                open.extend(parts.iter().copied().filter(|part| !large(part)));
                while let Some(part) = open.pop() {
                    match merge(part) {
                        Some(merge) => open.extend(merge.parts),
                        None => {
                            condensed.row_clusters[part as usize] = cluster;
                            condensed.row_lambdas[part as usize] = lambda;
                        }
                    }
                }
                parts.retain(large);
                match parts[..] {
                    [only] => part = only,
                    _ => break,
                }
            }
            if parts.len() > 1 {
                parts.sort_unstable_by_key(|&part| (std::cmp::Reverse(size(part)), lowest(part)));
                for &part in &parts {
                    let child = condensed.parents.len() as u32;
                    condensed.appear(cluster, condensed.deaths[at], size(part));
                    waiting.push_back((child, part));
                }
            }
        }
        condensed
    }

    fn appear(&mut self, parent: u32, birth: f64, size: u32) {
        self.parents.push(parent);
        self.births.push(birth);
        self.deaths.push(birth);
        self.sizes.push(size);
        self.stabilities.push(0.0);
    }

    /// Number of clusters, the root among them.
    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// Density from which on rows carry the label of the root, where that is the only cluster chosen.
    pub(super) fn threshold(&self, epsilon: f64) -> f64 {
        if epsilon > 0.0 { 1.0 / epsilon } else { self.deaths[0] }
    }

    /// Whether each cluster splits into others.
    pub(super) fn splits(&self) -> Vec<bool> {
        let mut splits = vec![false; self.len()];
        self.parents.iter().skip(1).for_each(|&parent| splits[parent as usize] = true);
        splits
    }

    /// How far each row lies outside the densest part of its cluster (GLOSH, Campello et al. 2015): 0 in the densest part,
    /// near 1 for an outlier.
    pub(super) fn outlier_scores(&self) -> Vec<f64> {
        let mut densest = self.deaths.clone();
        for cluster in (1..self.len()).rev() {
            let parent = self.parents[cluster] as usize;
            densest[parent] = densest[parent].max(densest[cluster]);
        }
        let score = |(&cluster, &lambda): (&u32, &f64)| {
            let densest = densest[cluster as usize];
            if lambda >= densest {
                0.0
            } else if densest == f64::INFINITY {
                1.0
            } else {
                (densest - lambda) / densest
            }
        };
        self.row_clusters.iter().zip(&self.row_lambdas).map(score).collect()
    }
}
