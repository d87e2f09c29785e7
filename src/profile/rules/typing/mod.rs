//! The few questions that place a new customer in a segment.
//!
//! Each question is a column; its answers are categories, the values of a number that has few, or ranges. An answer is worth
//! points for each segment, the logarithm of how frequent it is there; the segment with most points is the answer of the tool
//! (naive Bayes). This rule suits a questionnaire: it can be written as a table and added up by hand, an answer that is missing
//! costs nothing but its points, and a question is added without changing the points of the others. What it gets wrong,
//! treating alike questions as if they were independent, is met by the choice of the questions: always the one with which
//! most customers are placed rightly, beside those already asked (selective Bayes; Langley and Sage 1994). Each customer is
//! judged by points from which they themselves are left out, which costs one subtraction.
//!
//! Work: customers times columns times segments for each question. A block of customers stays in the cache while all columns
//! are tried on it.

mod answers;
mod model;
mod select;

use super::customers::Customers;
use super::distinguish::share;
use super::folds::stratified;
use super::tree::check_folds;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::table::Table;

use answers::Answers;
pub use model::{Length, Question, TypingTool};
use select::{Chosen, select};

/// How questions are chosen.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns to choose from; by default all but `exclude`.
    pub questions: Option<Vec<String>>,
    /// Columns that are not taken.
    pub exclude: Vec<String>,
    /// Questions at most.
    pub max_questions: usize,
    /// Share of the customers that may be placed wrongly for the sake of fewer questions; `None` for as many as there may be.
    pub tolerance: Option<f64>,
    /// Ranges into which a number with many values is cut.
    pub answers: usize,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the folds.
    pub seed: u64,
}

/// What a cross-validation says: the accuracy of every number of questions, and the number that is enough.
pub(super) struct Assessed {
    /// Where and how answers are told apart.
    answers: Vec<Answers>,
    /// The questions chosen with all customers.
    chosen: Chosen,
    /// Customers by segment and predicted segment, for each number of questions.
    placed: Vec<Vec<u32>>,
    /// The number of questions that is enough.
    enough: usize,
}

impl Assessed {
    /// Customers by segment and predicted segment with the questions that are enough.
    pub(super) fn table(&self) -> &[u32] {
        &self.placed[self.enough - 1]
    }

    /// The questions that are enough, by their column.
    pub(super) fn asked(&self) -> &[usize] {
        &self.chosen.order[..self.enough.min(self.chosen.order.len())]
    }
}

/// Chooses questions, also within each part of a cross-validation.
pub(super) fn assess(
    customers: &Customers,
    options: &Options,
    monitor: &Monitor,
) -> Result<Assessed> {
    let (n, k) = (customers.n(), customers.k());
    check_folds(options.folds, n)?;
    let answers = Answers::of(customers, options.answers)?;
    let wanted = options.max_questions.min(answers.len());
    let fold = stratified(&customers.labels, k, options.folds, options.seed);
    monitor.expect(options.folds as u64 + 1);
    // The last task is the tool itself.
    let found = parallel::map_tasks(options.folds + 1, |task| -> Result<(Chosen, Vec<Vec<u32>>)> {
        let (inside, outside): (Vec<u32>, Vec<u32>) =
            (0..n as u32).partition(|&row| usize::from(fold[row as usize]) != task);
        let chosen = select(&answers, &customers.labels, k, &inside, wanted, monitor)?;
        let placed = chosen.place(&answers, &customers.labels, k, &outside);
        monitor.advance(1);
        Ok((chosen, placed))
    });
    let mut found = found.into_iter().collect::<Result<Vec<_>>>()?;
    let Some((chosen, _)) = found.pop() else {
        return Err(Error::argument("folds", options.folds, "a number from 2 to 100 is needed"));
    };
    let mut placed = vec![vec![0_u32; k * k]; wanted];
    for (_, part) in &found {
        for (sum, part) in placed.iter_mut().zip(part) {
            sum.iter_mut().zip(part).for_each(|(sum, n)| *sum += n);
        }
    }
    let accuracy = |table: &Vec<u32>| {
        (0..k).map(|segment| f64::from(table[segment * k + segment])).sum::<f64>() / n as f64
    };
    let enough = if let Some(tolerance) = options.tolerance {
        let best = placed.iter().map(accuracy).fold(0.0, f64::max);
        let bar = best - tolerance.max((best * (1.0 - best) / n as f64).sqrt());
        placed.iter().position(|table| accuracy(table) >= bar).map_or(wanted, |at| at + 1)
    } else {
        wanted
    };
    Ok(Assessed { answers, chosen, placed, enough })
}

/// The smallest questionnaire that places customers in their segments.
///
/// Questions are chosen one after the other, each the one with which most customers are placed rightly; of equally good ones the
/// one with the higher likelihood, then the first. In a cross-validation of `folds` parts the questions are chosen anew
/// without each part, so that the accuracy told for every number of questions is that of customers who had no say in the
/// choice. As many questions are asked as it takes to come within the tolerance, or one standard error where that is more, of
/// the best.
///
/// # Errors
///
/// Those of [`Customers::read`]; [`Error::Argument`] for options out of range; [`Error::TooFewRows`];
/// [`Error::Interrupted`].
pub fn typing_tool(
    table: &Table,
    labels: &[u32],
    names: &[String],
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<TypingTool> {
    if options.max_questions == 0 {
        return Err(Error::argument("max_questions", 0, "a number from 1 up is needed"));
    }
    share("confidence", options.confidence, false)?;
    options.tolerance.map_or(Ok(()), |tolerance| share("tolerance", tolerance, true))?;
    let source = ("questions", options.questions.as_deref(), options.exclude.as_slice());
    let customers = Customers::read(table, labels, names.len(), source, &mut manifest)?;
    monitor.check()?;
    let assessed = assess(&customers, options, monitor)?;
    Ok(model::finish(manifest, names, &customers, assessed, options))
}
