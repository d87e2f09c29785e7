//! A tree of boxes over rows of numbers, for walks to near rows.
//!
//! Rows are halved at the median of their widest feature down to blocks of sixteen, and sixteen boxes lie under each node,
//! so a walk compares a row with a whole block of boxes or rows at a time. Every block but the last is full, which makes
//! the shape of the tree a matter of the number of rows alone.

use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::simd::{BLOCK, Near};

/// Marks a child that is a block of rows.
const LEAF: u32 = 1 << 31;

/// Rows below which halves are arranged on one thread.
const SMALL: usize = 4096;

/// A node: up to sixteen boxes.
#[derive(Debug, Clone)]
struct Node {
    /// What is in the boxes: a node, or a block of rows.
    children: [u32; BLOCK],
    n_children: usize,
}

/// What a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    /// An inner node.
    Node(usize),
    /// A block of rows.
    Block(usize),
}

impl Child {
    fn of(code: u32) -> Self {
        if code & LEAF == 0 {
            Self::Node(code as usize)
        } else {
            Self::Block((code & !LEAF) as usize)
        }
    }
}

/// The tree. Rows have positions: those of a block lie side by side.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// Number of rows.
    pub(super) n: usize,
    /// Number of features.
    pub(super) d: usize,
    /// The row at each position.
    pub(super) rows: Vec<u32>,
    /// The points in the order of their positions, one after the other.
    points: Vec<f64>,
    /// The blocks, feature by feature; places without a row are infinitely far.
    blocks: Vec<f64>,
    /// Inner nodes, parents first.
    nodes: Vec<Node>,
    /// Corners of the boxes of each node.
    boxes: Vec<f64>,
    near: Near,
}

impl Tree {
    /// Builds the tree over the `n` rows of `values`; time n log n.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub(super) fn new(values: &[f64], n: usize, d: usize, monitor: &Monitor) -> Result<Self> {
        let mut rows: Vec<u32> = (0..n as u32).collect();
        arrange(&mut rows, values, d);
        monitor.check()?;
        let at = |row: u32| &values[row as usize * d..(row as usize + 1) * d];
        let mut points = vec![0.0; n * d];
        points.chunks_exact_mut(d).zip(&rows).for_each(|(to, &row)| to.copy_from_slice(at(row)));
        let n_blocks = n.div_ceil(BLOCK);
        let mut blocks = vec![f64::INFINITY; n_blocks * BLOCK * d];
        for (block, points) in blocks.chunks_exact_mut(BLOCK * d).zip(points.chunks(BLOCK * d)) {
            for (lane, point) in points.chunks_exact(d).enumerate() {
                for (feature, &value) in point.iter().enumerate() {
                    block[feature * BLOCK + lane] = value;
                }
            }
        }
        let mut nodes = Vec::new();
        plan(0, n_blocks, &mut nodes);
        let mut tree =
            Self { n, d, rows, points, blocks, nodes, boxes: Vec::new(), near: Near::default() };
        tree.enclose();
        Ok(tree)
    }

    /// Computes the boxes, children before parents.
    fn enclose(&mut self) {
        let (d, width) = (self.d, 2 * self.d * BLOCK);
        self.boxes = vec![f64::INFINITY; self.nodes.len() * width];
        // Lower corners, then upper ones.
        let mut corners = vec![0.0; 2 * d];
        for at in (0..self.nodes.len()).rev() {
            for lane in 0..self.nodes[at].n_children {
                corners[..d].fill(f64::INFINITY);
                corners[d..].fill(f64::NEG_INFINITY);
                match Child::of(self.nodes[at].children[lane]) {
                    Child::Node(child) => {
                        let lines = &self.boxes[child * width..(child + 1) * width];
                        for inner in 0..self.nodes[child].n_children {
                            for j in 0..d {
                                let line = 2 * j * BLOCK + inner;
                                corners[j] = corners[j].min(lines[line]);
                                corners[d + j] = corners[d + j].max(lines[line + BLOCK]);
                            }
                        }
                    }
                    Child::Block(block) => {
                        for position in self.positions(block) {
                            let point = &self.points[position * d..(position + 1) * d];
                            for (j, &value) in point.iter().enumerate() {
                                corners[j] = corners[j].min(value);
                                corners[d + j] = corners[d + j].max(value);
                            }
                        }
                    }
                }
                for j in 0..d {
                    let line = at * width + 2 * j * BLOCK + lane;
                    self.boxes[line] = corners[j];
                    self.boxes[line + BLOCK] = corners[d + j];
                }
            }
        }
    }

    /// The positions in a block.
    pub(super) fn positions(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK..self.n.min((block + 1) * BLOCK)
    }

    /// The point at a position.
    pub(super) fn point(&self, position: usize) -> &[f64] {
        &self.points[position * self.d..(position + 1) * self.d]
    }

    /// Number of inner nodes.
    pub(super) fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// What lies under a node.
    pub(super) fn children(&self, node: usize) -> impl Iterator<Item = Child> + '_ {
        self.nodes[node].children[..self.nodes[node].n_children].iter().map(|&code| Child::of(code))
    }

    /// Squared distances of a point to the rows of a block.
    pub(super) fn to_block(&self, point: &[f64], block: usize, found: &mut [f64; BLOCK]) {
        let width = self.d * BLOCK;
        self.near.points(point, &self.blocks[block * width..(block + 1) * width], found);
    }

    /// Squared distances of a point to the boxes of a node.
    pub(super) fn to_boxes(&self, point: &[f64], node: usize, found: &mut [f64; BLOCK]) {
        let width = 2 * self.d * BLOCK;
        self.near.boxes(point, &self.boxes[node * width..(node + 1) * width], found);
    }

    /// Walks to all rows whose squared distance to `point` may be below what `visit` last gave, nearer boxes first.
    ///
    /// `visit(block, distances, bound)` gives the new bound. `inner(node, lane)` is a second lower bound for what lies in a
    /// box.
    pub(super) fn walk(
        &self,
        point: &[f64],
        mut bound: f64,
        stack: &mut Vec<(f64, u32)>,
        inner: impl Fn(usize, usize) -> f64,
        mut visit: impl FnMut(usize, &[f64; BLOCK], f64) -> f64,
    ) {
        let mut found = [0.0; BLOCK];
        stack.clear();
        stack.push((0.0, if self.nodes.is_empty() { LEAF } else { 0 }));
        while let Some((distance, code)) = stack.pop() {
            if distance >= bound {
                continue;
            }
            match Child::of(code) {
                Child::Block(block) => {
                    self.to_block(point, block, &mut found);
                    bound = visit(block, &found, bound);
                }
                Child::Node(node) => {
                    self.to_boxes(point, node, &mut found);
                    let first = stack.len();
                    let Node { children, n_children } = &self.nodes[node];
                    for (lane, &code) in children[..*n_children].iter().enumerate() {
                        if found[lane] >= bound {
                            continue;
                        }
                        let least = found[lane].max(inner(node, lane));
                        if least < bound {
                            let mut at = stack.len();
                            stack.push((least, code));
                            // The nearest ends on top.
                            while at > first && stack[at - 1].0 < least {
                                stack.swap(at - 1, at);
                                at -= 1;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where a range of blocks is halved.
fn half(n_blocks: usize) -> usize {
    n_blocks.div_ceil(2)
}

/// Arranges rows so that each half of the blocks is on one side of the median of the widest feature.
fn arrange(rows: &mut [u32], values: &[f64], d: usize) {
    let n_blocks = rows.len().div_ceil(BLOCK);
    if n_blocks < 2 {
        return;
    }
    let mut low = vec![f64::INFINITY; d];
    let mut high = vec![f64::NEG_INFINITY; d];
    for &row in rows.iter() {
        let point = &values[row as usize * d..(row as usize + 1) * d];
        for ((low, high), &value) in low.iter_mut().zip(high.iter_mut()).zip(point) {
            *low = if value < *low { value } else { *low };
            *high = if value > *high { value } else { *high };
        }
    }
    let width = |feature: usize| high[feature] - low[feature];
    let widest = (0..d).reduce(|a, b| if width(b) > width(a) { b } else { a }).unwrap_or(0);
    let middle = half(n_blocks) * BLOCK;
    let key = |row: u32| values[row as usize * d + widest];
    rows.select_nth_unstable_by(middle, |&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
    let (left, right) = rows.split_at_mut(middle);
    if left.len() < SMALL {
        arrange(left, values, d);
        arrange(right, values, d);
    } else {
        parallel::join(|| arrange(left, values, d), || arrange(right, values, d));
    }
}

/// Adds the node over some blocks and all below it; nothing where there is one block alone.
fn plan(first: usize, last: usize, nodes: &mut Vec<Node>) -> u32 {
    if last - first <= 1 {
        return LEAF | first as u32;
    }
    let at = nodes.len();
    nodes.push(Node { children: [LEAF; BLOCK], n_children: 0 });
    let mut parts = vec![(first, last)];
    while parts.len() < BLOCK && parts.iter().any(|(first, last)| last - first > 1) {
        parts = parts
            .iter()
            .flat_map(|&(first, last)| {
                let middle = first + half(last - first);
                [(first, middle), (middle, last)]
            })
            .filter(|(first, last)| first < last)
            .collect();
    }
    for (lane, &(first, last)) in parts.iter().enumerate() {
        nodes[at].children[lane] = plan(first, last, nodes);
    }
    nodes[at].n_children = parts.len();
    at as u32
}
