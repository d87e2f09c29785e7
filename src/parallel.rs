//! Threads: the only file that names rayon.
//!
//! Work is cut into blocks whose size does not depend on the number of threads; each block gives a partial result, and
//! partial results are folded in the order of the blocks. So every sum has the same bits for any number of threads.
//!
//! The pool is private and belongs to one process: rayon's global pool deadlocks in a forked child, so a child finds
//! that the process id changed and builds a pool of its own.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows in one block, whatever the number of threads.
pub const BLOCK: usize = 4096;

/// What a long computation and the thread that waits for it share: a stop flag and a count of work done.
#[derive(Debug, Default)]
pub struct Monitor {
    stop: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Monitor {
    /// A monitor that nobody watches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the computation to stop at its next check.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// To be called once per iteration or replicate.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] once [`Monitor::stop`] was called.
    pub fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Announces `units` more units of work.
    pub fn expect(&self, units: u64) {
        self.total.fetch_add(units, Ordering::Relaxed);
    }

    /// Counts `units` units of work as done.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Units done and units announced.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

/// 0 until the user sets a number.
static THREADS: AtomicUsize = AtomicUsize::new(0);
static SHARED: AtomicBool = AtomicBool::new(false);
static POOL: ArcSwapOption<Pool> = ArcSwapOption::const_empty();

struct Pool {
    process: u32,
    threads: usize,
    rayon: rayon::ThreadPool,
}

/// More threads than this are of no use to anyone.
const MAX_THREADS: usize = 1024;

/// Sets the number of threads for all later calls in this process, at most 1024; 0 restores the default.
///
/// The default is the environment variable `ILK_NUM_THREADS`, or else the number of cores this process may use.
pub fn set_num_threads(threads: usize) {
    THREADS.store(threads, Ordering::Relaxed);
}

/// Says whether sibling processes already use the cores: then the default is one thread.
pub fn set_shared(shared: bool) {
    SHARED.store(shared, Ordering::Relaxed);
}

/// Number of threads that calls use.
pub fn num_threads() -> usize {
    let threads = match THREADS.load(Ordering::Relaxed) {
        0 => default_threads(),
        threads => threads,
    };
    threads.min(MAX_THREADS)
}

fn default_threads() -> usize {
    std::env::var("ILK_NUM_THREADS")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|&threads| threads > 0)
        .or_else(|| SHARED.load(Ordering::Relaxed).then_some(1))
        .unwrap_or_else(cores)
}

/// Cores that this process may use; to ask takes longer than a pass over small data.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with its blocks and tasks on this thread alone: for many small tasks side by side, whose blocks would cost more
/// to hand over than to do.
pub fn alone<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _restore = Restore(ALONE.replace(true));
    work()
}

/// Whether all is to be done on this thread.
fn single() -> bool {
    ALONE.get() || num_threads() == 1
}

/// Runs `work` inside the pool, or on this thread where a pool is of no use or cannot be had.
fn install<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_some() {
        return work();
    }
    let (process, threads) = (std::process::id(), num_threads());
    let found = POOL.load_full();
    if let Some(pool) = found.as_ref().filter(|p| p.process == process && p.threads == threads) {
        return pool.rayon.install(work);
    }
    let builder = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("ilk-{index}"));
    let Ok(rayon) = builder.build() else {
        // No thread can be had: a pool of this thread alone, so that nothing falls back to rayon's global pool.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        return match alone {
            Ok(pool) => pool.install(work),
            Err(_) => work(),
        };
    };
    let pool = Arc::new(Pool { process, threads, rayon });
    let old = POOL.swap(Some(Arc::clone(&pool)));
    if old.as_ref().is_some_and(|old| old.process != process) {
        // The parent's threads do not exist in a forked child, and dropping their pool would wait for them.
        std::mem::forget(old);
        std::mem::forget(found);
    }
    pool.rayon.install(work)
}

/// The blocks of `n` rows in order.
fn block_range(index: usize, n: usize, block: usize) -> Range<usize> {
    index * block..n.min((index + 1) * block)
}

/// `f(index)` for every index below `count`, in parallel; the results stand in order.
///
/// For tasks that are few and large: restarts, values of k, bootstrap replicates.
pub fn map_tasks<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if count <= 1 || single() {
        return (0..count).map(f).collect();
    }
    install(|| (0..count).into_par_iter().with_max_len(1).map(f).collect())
}

/// `f(rows)` for every block of `n` rows, in parallel; the partial results stand in the order of the blocks.
pub fn map_blocks<T: Send>(n: usize, f: impl Fn(Range<usize>) -> T + Sync + Send) -> Vec<T> {
    map_blocks_of(BLOCK, n, f)
}

/// [`map_blocks`] with a block size other than [`BLOCK`], for partial results that are large.
pub fn map_blocks_of<T: Send>(
    block: usize,
    n: usize,
    f: impl Fn(Range<usize>) -> T + Sync + Send,
) -> Vec<T> {
    map_tasks(n.div_ceil(block), |index| f(block_range(index, n, block)))
}

/// Cuts `items` into blocks and calls `f(first, items, partial)` for each, in parallel.
///
/// `first` is the index of the block's first item. There must be one partial result per block of [`BLOCK`] items; they
/// are updated in place, so that an iteration allocates nothing.
///
/// # Panics
///
/// If `partials` has another length than the number of blocks (a bug of the caller).
pub fn update_blocks<A: Send, P: Send>(
    items: &mut [A],
    partials: &mut [P],
    f: impl Fn(usize, &mut [A], &mut P) + Sync + Send,
) {
    update_blocks_of(BLOCK, items, partials, f);
}

/// [`update_blocks`] with a block size other than [`BLOCK`], for partial results that are large.
///
/// # Panics
///
/// If `partials` has another length than the number of blocks (a bug of the caller).
pub fn update_blocks_of<A: Send, P: Send>(
    block: usize,
    items: &mut [A],
    partials: &mut [P],
    f: impl Fn(usize, &mut [A], &mut P) + Sync + Send,
) {
    assert_eq!(partials.len(), items.len().div_ceil(block), "one partial result per block");
    if partials.len() <= 1 || single() {
        for (index, (chunk, partial)) in items.chunks_mut(block).zip(partials).enumerate() {
            f(index * block, chunk, partial);
        }
        return;
    }
    install(|| {
        items
            .par_chunks_mut(block)
            .zip(partials.par_iter_mut())
            .enumerate()
            .for_each(|(index, (chunk, partial))| f(index * block, chunk, partial));
    });
}

/// `f(index, item)` for every item, in parallel; for items that are few and large.
pub fn update_each<A: Send>(items: &mut [A], f: impl Fn(usize, &mut A) + Sync + Send) {
    if items.len() <= 1 || single() {
        items.iter_mut().enumerate().for_each(|(index, item)| f(index, item));
        return;
    }
    install(|| items.par_iter_mut().enumerate().for_each(|(index, item)| f(index, item)));
}

/// Fills `items` block by block in parallel: `f(first, items)`.
pub fn fill_blocks<A: Send>(items: &mut [A], f: impl Fn(usize, &mut [A]) + Sync + Send) {
    let mut nothing = vec![(); items.len().div_ceil(BLOCK)];
    update_blocks(items, &mut nothing, |first, chunk, ()| f(first, chunk));
}

/// Sum of `f(row)` over `n` rows: within a block from left to right, then the blocks in order.
pub fn sum(n: usize, f: impl Fn(usize) -> f64 + Sync + Send) -> f64 {
    map_blocks(n, |rows| rows.map(&f).sum::<f64>()).into_iter().sum()
}

/// Runs two closures, in parallel where there are threads.
pub fn join<A: Send, B: Send>(
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if single() { (a(), b()) } else { install(|| rayon::join(a, b)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_the_same_bits_for_any_number_of_threads() {
        let value = |row: usize| 1.0 / (row as f64 + 0.3);
        let sums: Vec<u64> = [1, 2, 8]
            .into_iter()
            .map(|threads| {
                set_num_threads(threads);
                sum(100_003, value).to_bits()
            })
            .collect();
        set_num_threads(0);
        assert!(sums.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn blocks_cover_every_row_once() {
        for n in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let rows: Vec<usize> = map_blocks(n, |rows| rows.collect::<Vec<_>>()).concat();
            assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_stopped_monitor_interrupts() {
        let monitor = Monitor::new();
        assert_eq!(monitor.check(), Ok(()));
        monitor.stop();
        assert_eq!(monitor.check(), Err(Error::Interrupted));
    }
}
