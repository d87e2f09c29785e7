//! The minimum spanning tree of mutual reachability.
//!
//! Rows `p` and `q` reach each other at the largest of their core distances and their distance. Boruvka's algorithm joins
//! every component with its nearest other one until one is left. Three things keep it from walking the tree of boxes for
//! every row in every round:
//!
//! - What a row's nearest outsider was is a lower bound for ever after, as components only grow; a row whose bound is not
//!   below the best edge of its component is passed over. The first bounds are the listed neighbours.
//! - Each box knows the smallest core distance in it, and the smallest outside the component of that one. So a walk leaves
//!   out boxes that hold nothing but the own component, and boxes whose outsiders lie too thin.
//! - The largest component waits to be found by the others.
//!
//! Which of several equal edges is taken may depend on the threads. The components at every distance do not: they are the
//! same for every minimum spanning tree.

use std::sync::atomic::{AtomicU64, Ordering};

use super::neighbours::{Nearest, Walker};
use super::tree::{Child, Tree};
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::simd::BLOCK;

/// Rows that one task handles.
const TASK: usize = 512;

/// No position.
const NONE: u32 = u32::MAX;

/// An edge: two positions and the squared distance at which they reach each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) weight: f64,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// What is known of a row's nearest row in another component.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// Its squared distance is not below this.
    least: f64,
    /// A row of another component and the squared distance to it; the nearest if that is `least`.
    weight: f64,
    partner: u32,
}

/// Sets of positions.
#[derive(Debug)]
pub(super) struct Sets(Vec<u32>);

impl Sets {
    pub(super) fn new(n: usize) -> Self {
        Self((0..n as u32).collect())
    }

    pub(super) fn find(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    /// Unites two sets; `false` if they were one. The lower root stays.
    pub(super) fn unite(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
        a != b
    }
}

/// The smallest core distance in a box and the component it belongs to, and the smallest of another component.
#[derive(Debug, Clone, Copy)]
struct Cores([(f64, u32); 2]);

impl Cores {
    const NOTHING: Self = Self([(f64::INFINITY, NONE); 2]);

    fn add(&mut self, core: f64, component: u32) {
        let [first, second] = &mut self.0;
        if component == first.1 {
            first.0 = first.0.min(core);
        } else if core < first.0 {
            (*second, *first) = (*first, (core, component));
        } else if core < second.0 {
            *second = (core, component);
        }
    }

    fn merge(&mut self, from: &Self) {
        from.0.iter().for_each(|&(core, component)| self.add(core, component));
    }

    /// The smallest outside a component.
    fn outside(&self, component: u32) -> f64 {
        let [first, second] = self.0;
        if first.1 == component { second.0 } else { first.0 }
    }
}

/// The state between rounds.
struct Boruvka<'a> {
    tree: &'a Tree,
    nearest: &'a Nearest,
    components: Vec<u32>,
    known: Vec<Known>,
    /// Edges are shorter than this.
    bound: f64,
    /// By node and box.
    cores: Vec<Cores>,
    /// By component: the weight of the best edge found to leave it.
    best: Vec<AtomicU64>,
}

/// The edges of a minimum spanning tree, in no particular order; of a forest, where some rows reach each other at no more
/// than `reach`, a squared distance, and others do not.
///
/// # Errors
///
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn spanning_tree(
    tree: &Tree,
    nearest: &Nearest,
    reach: f64,
    monitor: &Monitor,
) -> Result<Vec<Edge>> {
    let n = tree.n;
    let known = |&core: &f64| Known { least: core, weight: f64::INFINITY, partner: NONE };
    let mut state = Boruvka {
        tree,
        nearest,
        components: (0..n as u32).collect(),
        known: nearest.core.iter().map(known).collect(),
        bound: reach.next_up(),
        cores: vec![Cores::NOTHING; tree.n_nodes() * BLOCK],
        best: (0..n).map(|_| AtomicU64::new(0)).collect(),
    };
    let mut sets = Sets::new(n);
    let mut edges = Vec::with_capacity(n.saturating_sub(1));
    let mut sizes = vec![0_usize; n];
    while edges.len() + 1 < n {
        monitor.check()?;
        sizes.fill(0);
        for position in 0..n {
            let component = sets.find(position as u32);
            state.components[position] = component;
            sizes[component as usize] += 1;
        }
        let larger = |a: usize, b: usize| if sizes[b] > sizes[a] { b } else { a };
        let largest = (0..n).reduce(larger).unwrap_or(0) as u32;
        let before = edges.len();
        state.round(largest, monitor)?;
        let mut taken = vec![NONE; n];
        for (position, known) in state.known.iter().enumerate() {
            let component = state.components[position];
            let best = state.best[component as usize].load(Ordering::Relaxed);
            let slot = &mut taken[component as usize];
            let edge = known.partner != NONE && known.weight.to_bits() == best;
            if component != largest && *slot == NONE && edge {
                *slot = position as u32;
            }
        }
        for from in taken.into_iter().filter(|&from| from != NONE) {
            let Known { weight, partner: to, .. } = state.known[from as usize];
            if sets.unite(from, to) {
                edges.push(Edge { weight, from, to });
            }
        }
        if edges.len() == before {
            break;
        }
        monitor.advance((edges.len() - before) as u64);
    }
    Ok(edges)
}

impl Boruvka<'_> {
    /// Finds the best edge out of every component but the largest.
    fn round(&mut self, largest: u32, monitor: &Monitor) -> Result<()> {
        self.best.iter_mut().for_each(|best| *best.get_mut() = f64::INFINITY.to_bits());
        let mut known = std::mem::take(&mut self.known);
        let mut nothing = vec![(); known.len().div_ceil(TASK)];
        parallel::update_blocks_of(TASK, &mut known, &mut nothing, |first, known, ()| {
            for (at, known) in known.iter_mut().enumerate() {
                self.recall(first + at, known);
            }
        });
        self.measure_cores();
        parallel::update_blocks_of(TASK, &mut known, &mut nothing, |first, known, ()| {
            let mut walker = Walker::default();
            if monitor.check().is_err() {
                return;
            }
            for (at, known) in known.iter_mut().enumerate() {
                if self.components[first + at] != largest {
                    self.search(first + at, known, &mut walker);
                }
            }
        });
        self.known = known;
        monitor.check()
    }

    /// The best edge that is left among the listed neighbours.
    fn recall(&self, position: usize, known: &mut Known) {
        let own = self.components[position];
        if known.partner == NONE || self.components[known.partner as usize] == own {
            let core = self.nearest.core[position];
            let list = self.nearest.of(position);
            (known.weight, known.partner) = (f64::INFINITY, NONE);
            for &(distance, other) in list {
                let weight = distance.max(core).max(self.nearest.core[other as usize]);
                if weight < known.weight && self.components[other as usize] != own {
                    (known.weight, known.partner) = (weight, other);
                }
            }
            let unlisted = match list.last() {
                Some(&(distance, _)) if self.nearest.listed < self.tree.n => distance.max(core),
                Some(_) => f64::INFINITY,
                None => core,
            };
            known.least = known.least.max(unlisted.min(known.weight));
        }
        self.best[own as usize].fetch_min(known.weight.to_bits(), Ordering::Relaxed);
    }

    /// Walks for the nearest outsider of a row, if it may be nearer than what its component has.
    fn search(&self, position: usize, known: &mut Known, walker: &mut Walker) {
        let own = self.components[position];
        let best = &self.best[own as usize];
        let bound = f64::from_bits(best.load(Ordering::Relaxed)).min(self.bound);
        if known.least >= bound || known.weight <= known.least {
            return;
        }
        let core = self.nearest.core[position];
        let mut least = bound;
        let thin = |node: usize, lane: usize| self.cores[node * BLOCK + lane].outside(own);
        let point = self.tree.point(position);
        self.tree.walk(point, bound, &mut walker.stack, thin, |block, found, bound| {
            least = bound;
            for (lane, other) in self.tree.positions(block).enumerate() {
                let weight = found[lane].max(core).max(self.nearest.core[other]);
                if weight < least && self.components[other] != own {
                    least = weight;
                    (known.weight, known.partner) = (weight, other as u32);
                    best.fetch_min(weight.to_bits(), Ordering::Relaxed);
                }
            }
            least = least.min(f64::from_bits(best.load(Ordering::Relaxed)));
            least
        });
        known.least = known.least.max(least);
    }

    /// Measures the core distances in every box, children first.
    fn measure_cores(&mut self) {
        for node in (0..self.tree.n_nodes()).rev() {
            for (lane, child) in self.tree.children(node).enumerate() {
                let mut cores = Cores::NOTHING;
                match child {
                    Child::Node(child) => {
                        let inner = &self.cores[child * BLOCK..(child + 1) * BLOCK];
                        inner.iter().for_each(|inner| cores.merge(inner));
                    }
                    Child::Block(block) => {
                        for position in self.tree.positions(block) {
                            cores.add(self.nearest.core[position], self.components[position]);
                        }
                    }
                }
                self.cores[node * BLOCK + lane] = cores;
            }
        }
    }
}
