//! Segments retold as a small decision tree: which customer is in which segment, in rules that people can follow.
//!
//! [`rules`] grows a tree by Gini impurity (CART; Breiman, Friedman, Olshen and Stone 1984) on counts of binned columns: a
//! column is binned once, a node counts its customers by bin and segment, and of two children only the smaller is counted, so
//! a level of the tree costs about half a pass over the data. Amounts with at most 254 different values are split exactly.
//! What limits the speed is the reading of the columns and the sorting of amounts; the counting takes less.

mod binned;
mod grow;
mod model;
mod split;
mod told;

use super::customers::Customers;
use super::distinguish::share;
use super::folds::stratified;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::table::{Table, missing_column};

use binned::Binned;
use grow::{Limits, Node, confusion, grow, n_leaves, through};
pub use model::{Branch, Pruning, Rules};

/// How a tree is grown.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns; by default all but `exclude`.
    pub traits: Option<Vec<String>>,
    /// Columns that are not taken.
    pub exclude: Vec<String>,
    /// Conditions of a rule at most.
    pub max_depth: usize,
    /// Rules at most.
    pub max_leaves: usize,
    /// Customers of a rule at least; by default the larger of 5 and half a percent.
    pub min_leaf: Option<usize>,
    /// What it costs to ask for a column, by its name; 1 for the others.
    pub cost: Vec<(String, f64)>,
    /// Fidelity that may be given up for a smaller tree; `None` where nothing is cut off.
    pub tolerance: Option<f64>,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the folds.
    pub seed: u64,
}

/// Checks the number of folds.
pub(super) fn check_folds(folds: usize, n: usize) -> Result<()> {
    if !(2..=100).contains(&folds) {
        return Err(Error::argument("folds", folds, "a number from 2 to 100 is needed"));
    }
    if n < 2 * folds {
        return Err(Error::TooFewRows {
            what: format!("a cross-validation in {folds} parts"),
            needed: 2 * folds,
            found: n,
            mend: Some("folds=2".to_string()),
        });
    }
    Ok(())
}

/// Retells segments as a decision tree.
///
/// The tree grows at the leaf whose split gains most until a limit is met. Then it is cut back: `folds` trees grown each
/// without one part of the customers tell how many of that part are placed in their own segment at every complexity, and the
/// smallest tree is taken whose share is within the tolerance of the best, or one standard error where that is more (Breiman
/// and others 1984, section 3.4.3). That share is the fidelity.
///
/// # Errors
///
/// Those of [`Customers::read`]; [`Error::Argument`] for options out of range; [`Error::MissingColumn`] for the cost of a
/// column that is not used; [`Error::TooFewRows`]; [`Error::Interrupted`].
pub fn rules(
    table: &Table,
    labels: &[u32],
    names: &[String],
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Rules> {
    let range = |argument: &str, value: usize, most: usize| match value {
        0 => Err(Error::argument(argument, value, format!("a number from 1 to {most} is needed"))),
        value if value > most => {
            Err(Error::argument(argument, value, format!("a number from 1 to {most} is needed")))
        }
        _ => Ok(()),
    };
    range("max_depth", options.max_depth, 30)?;
    range("max_leaves", options.max_leaves, 1000)?;
    share("confidence", options.confidence, false)?;
    options.tolerance.map_or(Ok(()), |tolerance| share("tolerance", tolerance, true))?;
    let source = ("traits", options.traits.as_deref(), options.exclude.as_slice());
    let customers = Customers::read(table, labels, names.len(), source, &mut manifest)?;
    let n = customers.n();
    check_folds(options.folds, n)?;
    if options.min_leaf == Some(0) {
        return Err(Error::argument("min_leaf", 0, "a number from 1 up is needed"));
    }
    let min_leaf = options.min_leaf.unwrap_or_else(|| (n / 200).max(5));
    let costs = costs(&customers, &options.cost)?;
    let limits =
        Limits { max_depth: options.max_depth, max_leaves: options.max_leaves, min_leaf, costs };
    monitor.check()?;
    let binned = Binned::of(&customers)?;
    let k = customers.k();
    let fold = stratified(&customers.labels, k, options.folds, options.seed);
    monitor.expect(options.folds as u64 + 1);
    // The last task is the tree itself.
    let grown =
        parallel::map_tasks(options.folds + 1, |task| -> Result<(Vec<Node>, Vec<Vec<u32>>)> {
            let all = 0..n as u32;
            let (inside, outside): (Vec<u32>, Vec<u32>) =
                all.partition(|&row| usize::from(fold[row as usize]) != task);
            let nodes = grow(&binned, &customers.labels, k, inside, &limits, monitor)?;
            let passed = through(&nodes, &binned, &customers.labels, &outside, k);
            monitor.advance(1);
            Ok((nodes, passed))
        });
    let mut grown = grown.into_iter().collect::<Result<Vec<_>>>()?;
    let Some((nodes, _)) = grown.pop() else {
        return Err(Error::argument("folds", options.folds, "a number from 2 to 100 is needed"));
    };
    let steps = prune(&nodes, &grown, n, k, options.tolerance.is_some());
    let chosen = choose(&steps, options.tolerance.unwrap_or(0.0));
    Ok(model::finish(
        manifest, names, &customers, &binned, &nodes, steps, chosen, options, min_leaf,
    ))
}

/// The cost of each column.
fn costs(customers: &Customers, given: &[(String, f64)]) -> Result<Vec<f64>> {
    let names: Vec<&str> = customers.reader.features().iter().map(|f| f.name()).collect();
    let mut costs = vec![1.0; names.len()];
    for (name, cost) in given {
        let Some(at) = names.iter().position(|other| other == name) else {
            return Err(missing_column(name, &names));
        };
        if !(cost.is_finite() && *cost > 0.0) {
            return Err(Error::argument(
                format!("cost of {name:?}"),
                cost,
                "a number above 0 is needed",
            ));
        }
        costs[at] = *cost;
    }
    Ok(costs)
}

/// The trees of all complexities, the largest first, each with the table of how the customers left out of the folds were
/// placed.
fn prune(
    nodes: &[Node],
    folds: &[(Vec<Node>, Vec<Vec<u32>>)],
    n: usize,
    k: usize,
    wanted: bool,
) -> Vec<(Pruning, Vec<u32>)> {
    let mut alphas: Vec<f64> =
        nodes.iter().map(|node| node.alpha).filter(|a| a.is_finite()).collect();
    alphas.push(0.0);
    alphas.sort_by(f64::total_cmp);
    // Below a branch that is cut off already nothing changes.
    alphas.dedup_by_key(|alpha| n_leaves(nodes, *alpha));
    if !wanted {
        alphas = vec![-1.0];
    }
    let steps = alphas.iter().enumerate().map(|(at, &alpha)| {
        // Between two complexities their geometric mean stands for both.
        let between = match alphas.get(at + 1) {
            Some(next) if alpha >= 0.0 => (alpha * next).sqrt(),
            None if alpha >= 0.0 && at > 0 => f64::INFINITY,
            _ => alpha,
        };
        let mut placed = vec![0; k * k];
        for (nodes, passed) in folds {
            let part = confusion(nodes, passed, between, k);
            placed.iter_mut().zip(part).for_each(|(sum, n)| *sum += n);
        }
        let hits: u32 = (0..k).map(|segment| placed[segment * k + segment]).sum();
        let fidelity = f64::from(hits) / n as f64;
        let pruning = Pruning {
            leaves: n_leaves(nodes, alpha),
            alpha,
            fidelity,
            standard_error: (fidelity * (1.0 - fidelity) / n as f64).sqrt(),
            chosen: false,
        };
        (pruning, placed)
    });
    steps.collect()
}

/// The smallest tree within the tolerance, or one standard error, of the best.
fn choose(steps: &[(Pruning, Vec<u32>)], tolerance: f64) -> usize {
    let best = steps.iter().map(|(step, _)| step).fold(None::<&Pruning>, |best, step| match best {
        Some(best) if best.fidelity >= step.fidelity => Some(best),
        _ => Some(step),
    });
    let bar = best.map_or(0.0, |best| best.fidelity - tolerance.max(best.standard_error));
    let enough = steps.iter().enumerate().filter(|(_, (step, _))| step.fidelity >= bar);
    enough.min_by_key(|(_, (step, _))| step.leaves).map_or(0, |(at, _)| at)
}
