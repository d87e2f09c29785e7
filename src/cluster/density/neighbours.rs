//! Nearest rows and rows within reach.

use super::tree::Tree;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::simd::BLOCK;

/// Rows that one task handles; small, because rows in thin regions take much longer than others.
const TASK: usize = 512;

/// Neighbours up to which a sorted list is faster than a heap.
const SORTED: usize = 48;

/// Buffers of a walk.
#[derive(Debug, Default)]
pub(super) struct Walker {
    pub(super) stack: Vec<(f64, u32)>,
    /// The nearest so far: sorted, or a heap with the farthest first.
    nearest: Vec<(f64, u32)>,
}

/// The nearest rows of every row.
#[derive(Debug)]
pub(super) struct Nearest {
    /// Squared distance to the `core`-th nearest row, the row itself counted; by position.
    pub(super) core: Vec<f64>,
    /// Number of listed neighbours of each row.
    pub(super) listed: usize,
    /// By position: a place in front, then squared distances and positions of the nearest rows, nearest first, the row itself
    /// among them.
    list: Vec<(f64, u32)>,
}

impl Walker {
    /// Finds the `count` nearest rows of a point, nearest first; `own` is a block to begin with.
    pub(super) fn nearest(
        &mut self,
        tree: &Tree,
        point: &[f64],
        count: usize,
        own: Option<usize>,
    ) -> &[(f64, u32)] {
        let (nearest, stack) = (&mut self.nearest, &mut self.stack);
        nearest.clear();
        let add = |nearest: &mut Vec<_>, block: usize, found: &[f64; BLOCK]| {
            add_block(nearest, count, block, found);
            if nearest.len() == count { farthest(nearest, count) } else { f64::INFINITY }
        };
        let mut bound = f64::INFINITY;
        if let Some(block) = own {
            let mut found = [0.0; BLOCK];
            tree.to_block(point, block, &mut found);
            bound = add(nearest, block, &found);
        }
        // Distances are finite, so only places without a row are as far as infinity.
        tree.walk(
            point,
            bound,
            stack,
            |_, _| 0.0,
            |block, found, bound| {
                if own == Some(block) { bound } else { add(nearest, block, found) }
            },
        );
        if count > SORTED {
            nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        nearest
    }

    /// Calls `visit(position, squared distance)` for every row within reach until it says `false`.
    pub(super) fn within(
        &mut self,
        tree: &Tree,
        point: &[f64],
        reach: f64,
        mut visit: impl FnMut(usize, f64) -> bool,
    ) {
        // The walk wants a bound that is not reached.
        let bound = reach.next_up();
        tree.walk(
            point,
            bound,
            &mut self.stack,
            |_, _| 0.0,
            |block, found, bound| {
                for (lane, position) in tree.positions(block).enumerate() {
                    if found[lane] <= reach && !visit(position, found[lane]) {
                        return f64::NEG_INFINITY;
                    }
                }
                bound
            },
        );
    }
}

fn farthest(nearest: &[(f64, u32)], count: usize) -> f64 {
    if count > SORTED { nearest[0].0 } else { nearest[count - 1].0 }
}

/// Adds the rows of a block that are nearer than the farthest of `count`.
fn add_block(nearest: &mut Vec<(f64, u32)>, count: usize, block: usize, found: &[f64; BLOCK]) {
    for (lane, &distance) in found.iter().enumerate() {
        let item = (distance, (block * BLOCK + lane) as u32);
        let full = nearest.len() == count;
        let bound = if full { farthest(nearest, count) } else { f64::INFINITY };
        if distance >= bound {
            continue;
        }
        if count <= SORTED {
            if full {
                nearest.pop();
            }
            let mut at = nearest.len();
            nearest.push(item);
            while at > 0 && nearest[at - 1].0 > distance {
                nearest.swap(at - 1, at);
                at -= 1;
            }
        } else if full {
            sink(nearest, item);
        } else {
            nearest.push(item);
            if nearest.len() == count {
                nearest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            }
        }
    }
}

/// Replaces the top of a heap.
fn sink(heap: &mut [(f64, u32)], item: (f64, u32)) {
    let mut at = 0;
    loop {
        let mut child = 2 * at + 1;
        if child >= heap.len() {
            break;
        }
        if child + 1 < heap.len() && heap[child + 1].0 > heap[child].0 {
            child += 1;
        }
        if heap[child].0 <= item.0 {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

/// Runs `f(position, walker, output)` for every position, where the outputs are `width` values each.
pub(super) fn for_each<T: Send>(
    n: usize,
    width: usize,
    output: &mut [T],
    monitor: &Monitor,
    f: impl Fn(usize, &mut Walker, &mut [T]) + Sync + Send,
) -> Result<()> {
    let mut nothing = vec![(); n.div_ceil(TASK)];
    parallel::update_blocks_of(TASK * width, output, &mut nothing, |first, part, ()| {
        if monitor.check().is_err() {
            return;
        }
        let mut walker = Walker::default();
        for (at, slot) in part.chunks_exact_mut(width).enumerate() {
            f(first / width + at, &mut walker, slot);
        }
        monitor.advance((part.len() / width) as u64);
    });
    monitor.check()
}

impl Nearest {
    /// Finds them: the distance to the `core`-th nearest row, and at most `listed` neighbours.
    pub(super) fn new(tree: &Tree, core: usize, listed: usize, monitor: &Monitor) -> Result<Self> {
        let (n, listed) = (tree.n, listed.min(tree.n));
        let count = core.max(listed);
        // The first place is that of the core distance.
        let width = listed + 1;
        let mut found = vec![(0.0, 0_u32); n * width];
        for_each(n, width, &mut found, monitor, |position, walker, slot| {
            let point = tree.point(position);
            let nearest = walker.nearest(tree, point, count, Some(position / BLOCK));
            slot[0].0 = nearest[core - 1].0;
            slot[1..].copy_from_slice(&nearest[..listed]);
        })?;
        let core = found.chunks_exact(width).map(|slot| slot[0].0).collect();
        Ok(Self { core, listed, list: found })
    }

    /// Core distances alone.
    pub(super) fn unlisted(core: Vec<f64>) -> Self {
        Self { core, listed: 0, list: Vec::new() }
    }

    /// The listed neighbours of a position.
    pub(super) fn of(&self, position: usize) -> &[(f64, u32)] {
        if self.listed == 0 {
            return &[];
        }
        let width = self.listed + 1;
        &self.list[position * width + 1..(position + 1) * width]
    }
}
