//! A tree as it grows, leaf by leaf, and how it is cut back.

use super::binned::{Binned, MOST_BINS};
use super::split::{Counts, Found};
use crate::error::Result;
use crate::parallel::{self, Monitor};

/// Rows times columns below which a node is counted on one thread.
const SMALL: usize = 1 << 17;

/// How far a tree grows.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) max_depth: usize,
    pub(super) max_leaves: usize,
    pub(super) min_leaf: usize,
    /// What a split by each column costs: its gain is divided by this.
    pub(super) costs: Vec<f64>,
}

/// A node; its children follow it.
#[derive(Debug)]
pub(super) struct Node {
    /// Customers by segment.
    pub(super) counts: Vec<u32>,
    pub(super) depth: usize,
    /// The split and the two children.
    pub(super) split: Option<Split>,
    /// Complexity from which the branch is not worth its leaves.
    pub(super) alpha: f64,
}

#[derive(Debug)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) found: Found,
    /// The bin before which an amount is cut.
    pub(super) cut: Option<usize>,
    pub(super) children: [usize; 2],
}

impl Node {
    /// The segment with most customers; of equally many the first.
    pub(super) fn segment(&self) -> usize {
        most(&self.counts)
    }

    fn errors(&self) -> u32 {
        self.counts.iter().sum::<u32>() - self.counts[self.segment()]
    }
}

/// The place of the largest number; the first of equal ones.
pub(super) fn most(counts: &[u32]) -> usize {
    let best = counts.iter().enumerate().max_by_key(|&(at, &n)| (n, usize::MAX - at));
    best.map_or(0, |(at, _)| at)
}

/// A leaf that may still be split.
struct Open {
    node: usize,
    rows: Vec<u32>,
    counts: Vec<u32>,
    best: Option<(f64, usize, Found)>,
}

/// Grows a tree on some of the customers: always at the leaf whose split gains most.
pub(super) fn grow(
    binned: &Binned,
    labels: &[u32],
    k: usize,
    rows: Vec<u32>,
    limits: &Limits,
    monitor: &Monitor,
) -> Result<Vec<Node>> {
    let grower = Grower::new(binned, labels, k, limits);
    let counts = grower.count(&rows);
    let mut nodes = vec![grower.node(&rows, 0)];
    let mut open = vec![grower.open(0, rows, counts, &nodes[0])];
    let mut n_leaves = 1;
    while n_leaves < limits.max_leaves {
        monitor.check()?;
        // Of equally good splits the one of the older leaf.
        let next = (0..open.len())
            .filter_map(|at| open[at].best.as_ref().map(|(gain, ..)| (at, *gain, open[at].node)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.2.cmp(&a.2)));
        let Some((at, ..)) = next else { break };
        let Open { node, rows, counts, best } = open.swap_remove(at);
        let Some((_, feature, mut found)) = best else { break };
        let cut = grower.settle(feature, &mut found, &counts);
        let bins = &binned.bins[feature];
        let (left, right): (Vec<u32>, Vec<u32>) =
            rows.into_iter().partition(|&row| found.left[bins[row as usize] as usize]);
        let depth = nodes[node].depth + 1;
        let children = [nodes.len(), nodes.len() + 1];
        nodes.push(grower.node(&left, depth));
        nodes.push(grower.node(&right, depth));
        nodes[node].split = Some(Split { feature, found, cut, children });
        n_leaves += 1;
        if depth >= limits.max_depth {
            continue;
        }
        // Only the smaller side is counted; the other is what is left of the whole.
        let small_left = left.len() <= right.len();
        let small = grower.count(if small_left { &left } else { &right });
        let large: Vec<u32> = counts.iter().zip(&small).map(|(all, part)| all - part).collect();
        let (on_left, on_right) = if small_left { (small, large) } else { (large, small) };
        open.push(grower.open(children[0], left, on_left, &nodes[children[0]]));
        open.push(grower.open(children[1], right, on_right, &nodes[children[1]]));
    }
    weigh(&mut nodes);
    Ok(nodes)
}

struct Grower<'a> {
    binned: &'a Binned,
    labels: &'a [u32],
    k: usize,
    limits: &'a Limits,
    /// Where the counts of each column begin.
    offsets: Vec<usize>,
}

impl<'a> Grower<'a> {
    fn new(binned: &'a Binned, labels: &'a [u32], k: usize, limits: &'a Limits) -> Self {
        let mut offsets = vec![0];
        for n_bins in &binned.n_bins {
            offsets.push(offsets[offsets.len() - 1] + (n_bins + 1) * k);
        }
        Self { binned, labels, k, limits, offsets }
    }

    fn node(&self, rows: &[u32], depth: usize) -> Node {
        let mut counts = vec![0; self.k];
        rows.iter().for_each(|&row| counts[self.labels[row as usize] as usize] += 1);
        Node { counts, depth, split: None, alpha: f64::INFINITY }
    }

    /// Customers by column, bin and segment.
    fn count(&self, rows: &[u32]) -> Vec<u32> {
        let labels: Vec<u32> = rows.iter().map(|&row| self.labels[row as usize]).collect();
        let one = |feature: usize| {
            let bins = &self.binned.bins[feature];
            let size = self.offsets[feature + 1] - self.offsets[feature];
            let mut counts = vec![0_u32; size];
            for (&row, &label) in rows.iter().zip(&labels) {
                counts[bins[row as usize] as usize * self.k + label as usize] += 1;
            }
            counts
        };
        let n = self.binned.n_features();
        let parts = if rows.len() * n < SMALL {
            (0..n).map(one).collect()
        } else {
            parallel::map_tasks(n, one)
        };
        parts.concat()
    }

    fn open(&self, node: usize, rows: Vec<u32>, counts: Vec<u32>, this: &Node) -> Open {
        let pure = this.counts.iter().filter(|&&n| n > 0).count() < 2;
        let best = if pure
            || rows.len() < self.limits.min_leaf.saturating_mul(2)
            || this.depth >= self.limits.max_depth
        {
            None
        } else {
            self.best(&counts)
        };
        Open { node, rows, counts, best }
    }

    /// The best split by any column; of equally good ones that of the first column.
    fn best(&self, counts: &[u32]) -> Option<(f64, usize, Found)> {
        let mut best: Option<(f64, usize, Found)> = None;
        for feature in 0..self.binned.n_features() {
            let counts = Counts {
                counts: &counts[self.offsets[feature]..self.offsets[feature + 1]],
                k: self.k,
                min_leaf: u32::try_from(self.limits.min_leaf).unwrap_or(u32::MAX),
            };
            let found =
                if self.binned.cuts[feature].is_some() { counts.cut() } else { counts.group() };
            if let Some(found) = found {
                let worth = found.gain / self.limits.costs[feature];
                // What rounding leaves of no gain is no gain.
                if found.gain > 1e-9 && best.as_ref().is_none_or(|(best, ..)| worth > *best) {
                    best = Some((worth, feature, found));
                }
            }
        }
        best
    }

    /// Decides what the counts leave open: where exactly an amount is cut, and to which side bins without customers go. Gives
    /// the bin before which an amount is cut.
    fn settle(&self, feature: usize, found: &mut Found, counts: &[u32]) -> Option<usize> {
        let counts = &counts[self.offsets[feature]..self.offsets[feature + 1]];
        let n_bins = self.binned.n_bins[feature];
        let size = |bin: usize| counts[bin * self.k..(bin + 1) * self.k].iter().sum::<u32>();
        let on_left: u32 = (0..=n_bins).filter(|&b| found.left[b]).map(size).sum();
        let all: u32 = (0..=n_bins).map(size).sum();
        let larger_left = 2 * on_left >= all;
        if size(n_bins) == 0 {
            found.left[n_bins] = larger_left;
        }
        match (&self.binned.cuts[feature], found.between) {
            (Some(cuts), Some((end, next))) => {
                // Of the cuts between the two bins the one that reads shortest, then the middle one.
                let middle = (end + next - 1) as f64 / 2.0;
                let cut = (end..next.min(MOST_BINS)).min_by_key(|&at| {
                    let length = cuts[at].to_string().len();
                    (length, (2.0 * (at as f64 - middle).abs()) as usize, at)
                });
                let cut = cut.unwrap_or(end) + 1;
                (0..n_bins).for_each(|bin| found.left[bin] = bin < cut);
                Some(cut)
            }
            (Some(_), None) => None,
            (None, _) => {
                (0..n_bins).filter(|&b| size(b) == 0).for_each(|b| found.left[b] = larger_left);
                None
            }
        }
    }
}

/// Finds for every branch the complexity from which it is not worth its leaves (weakest-link pruning; Breiman and others 1984,
/// section 3.3), with misplaced customers, as a share of all, as the cost.
fn weigh(nodes: &mut [Node]) {
    let n = f64::from(nodes[0].counts.iter().sum::<u32>());
    let mut alpha = 0.0_f64;
    loop {
        // Children follow their parents, so one pass from behind knows the leaves and errors of every branch.
        let mut branch: Vec<(u32, u32)> = vec![(1, 0); nodes.len()];
        let mut weakest: Option<(f64, usize)> = None;
        for at in (0..nodes.len()).rev() {
            let errors = nodes[at].errors();
            let Some(split) = nodes[at].split.as_ref().filter(|_| nodes[at].alpha == f64::INFINITY)
            else {
                branch[at] = (1, errors);
                continue;
            };
            let [left, right] = split.children;
            branch[at] = (branch[left].0 + branch[right].0, branch[left].1 + branch[right].1);
            let (leaves, kept) = branch[at];
            let link = f64::from(errors - kept.min(errors)) / n / f64::from(leaves - 1);
            if weakest.is_none_or(|(least, _)| link <= least) {
                weakest = Some((link, at));
            }
        }
        let Some((link, at)) = weakest else { break };
        alpha = alpha.max(link);
        nodes[at].alpha = alpha;
    }
}

/// Whether a node is a leaf of the tree cut back at this complexity.
pub(super) fn is_leaf(node: &Node, alpha: f64) -> bool {
    node.split.is_none() || node.alpha <= alpha
}

/// Number of leaves of the tree cut back at this complexity.
pub(super) fn n_leaves(nodes: &[Node], alpha: f64) -> usize {
    let mut stack = vec![0];
    let mut leaves = 0;
    while let Some(at) = stack.pop() {
        match &nodes[at].split {
            Some(split) if !is_leaf(&nodes[at], alpha) => stack.extend(split.children),
            _ => leaves += 1,
        }
    }
    leaves
}

/// Customers of each segment (`k` of them) whom the tree, cut back at this complexity, places in each segment: of the customers
/// by node and segment that [`through`] counted.
pub(super) fn confusion(nodes: &[Node], passed: &[Vec<u32>], alpha: f64, k: usize) -> Vec<u32> {
    let mut table = vec![0; k * k];
    let mut stack = vec![0];
    while let Some(at) = stack.pop() {
        match &nodes[at].split {
            Some(split) if !is_leaf(&nodes[at], alpha) => stack.extend(split.children),
            _ => {
                let placed = nodes[at].segment();
                (0..k).for_each(|segment| table[segment * k + placed] += passed[at][segment]);
            }
        }
    }
    table
}

/// Customers by node and segment, for all nodes that they pass.
pub(super) fn through(
    nodes: &[Node],
    binned: &Binned,
    labels: &[u32],
    rows: &[u32],
    k: usize,
) -> Vec<Vec<u32>> {
    let mut passed = vec![vec![0; k]; nodes.len()];
    for &row in rows {
        let mut at = 0;
        loop {
            passed[at][labels[row as usize] as usize] += 1;
            let Some(split) = &nodes[at].split else { break };
            let bin = binned.bins[split.feature][row as usize];
            at = split.children[usize::from(!split.found.left[bin as usize])];
        }
    }
    passed
}
