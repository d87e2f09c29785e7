//! The path of customers through stages: a discrete Markov chain from a panel, and what it is worth.
//!
//! After Pfeifer and Carraway (2000), Modeling customer relationships as Markov chains, Journal of Interactive Marketing
//! 14:43-55. [`count::Transitions`] counts who moved where between consecutive periods (one pass over the customers,
//! mergeable), [`chain`] says what follows from it. Cost: reading the columns and sorting the rows of each customer; the rest
//! does not depend on their number.

pub mod chain;
pub mod count;
mod draw;
pub mod figures;
mod panel;
mod period;
mod tables;
mod words;

use serde::{Deserialize, Serialize};

pub use count::{Counts, Memory, Seen, Test, Transitions};
pub use panel::MOST_STAGES;
pub use period::Length;

use crate::confidence::check_level;
use crate::economics::bootstrap::interval;
use crate::economics::reader::MAX_BOOT;
use crate::economics::sheet::Estimate;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::memory;
use crate::parallel::Monitor;
use crate::persist::{self, Figures, Persist};
use crate::table::Table;

/// Periods that a path is followed at most.
pub const MOST_PERIODS: usize = 10_000;
/// Discounts between 0 and this are lost in the rounding of probabilities.
const LEAST_DISCOUNT: f64 = 1e-9;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Column of the customer.
    pub customer: String,
    /// Column of the time: dates or whole numbers.
    pub time: String,
    /// Column of the stage.
    pub stage: String,
    /// Column of the number of customers that a row stands for.
    pub weights: Option<String>,
    /// The stages in their order; those met where `None`.
    pub stages: Option<Vec<String>>,
    /// What fits customers in a stage.
    pub offers: Vec<(String, String)>,
    /// What is expected to fit where no offers are given, by names in small letters and without spaces.
    pub expected: Vec<(String, String)>,
    /// Margin of a customer in one period, by stage.
    pub margin: Option<Vec<(String, f64)>>,
    /// Discount of one period.
    pub discount: f64,
    /// Length of a period; found from the times where `None`.
    pub period: Option<Length>,
    /// Periods over which value adds up.
    pub horizon: usize,
    /// Customers to begin with, by stage; those of the latest period where `None`.
    pub start: Option<Vec<(String, f64)>>,
    /// Transitions from a stage below which its figures are flagged.
    pub min_count: f64,
    /// Replicates of the intervals of values and of occupancy.
    pub n_boot: usize,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

/// The path of customers through stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifePath {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the stages.
    pub stages: Vec<String>,
    /// What fits customers in each stage.
    pub offers: Vec<Option<String>>,
    /// Weight of the transitions, row by row, the stage that is left by row.
    pub table: Vec<f64>,
    /// Weight of the customers in each stage in the latest period.
    pub now: Vec<f64>,
    /// Shares of the stages to begin with.
    pub start: Vec<f64>,
    /// Margin of one period by stage.
    #[serde(deserialize_with = "Option::deserialize")]
    pub margin: Option<Vec<f64>>,
    /// Discount of one period.
    pub discount: f64,
    /// Periods over which value adds up.
    pub horizon: usize,
    /// Value over the horizon and the ends of its interval, for a customer who begins in each stage and last for the mean
    /// customer to begin with; empty without
    /// margins.
    pub value: Vec<Figures>,
    /// The same without an end.
    pub value_forever: Vec<Figures>,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// Replicates.
    pub n_boot: usize,
    /// Their seed.
    pub seed: u64,
    /// Transitions from a stage below which its figures are flagged.
    pub min_count: f64,
    /// Whether rows had weights.
    pub weighted: bool,
    /// One period in words.
    pub period: String,
    /// Customers.
    pub customers: usize,
    /// Whether the stage before the present one matters.
    pub memory: Memory,
}

/// The path of the customers of a panel, one row per customer and time.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a customer with two rows in one period and for a stage that is not
/// listed; [`Error::Argument`] for options out of range, names that are no stage, and a panel without a transition;
/// [`Error::Interrupted`].
pub fn life_path(
    table: &Table,
    request: &Request,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<LifePath> {
    check(request)?;
    let columns = panel::Columns {
        customer: &request.customer,
        time: &request.time,
        stage: &request.stage,
        weights: request.weights.as_deref(),
    };
    let period = request.period.as_ref();
    let panel = panel::read(table, columns, request.stages.as_deref(), period, &mut manifest)?;
    let stages = panel.stages;
    let place = |argument: &str, name: &str| {
        stages.iter().position(|stage| stage == name).ok_or_else(|| {
            let wanted = format!("the stages are {}", panel::quoted(&stages));
            Error::argument(argument, format!("{name:?}"), wanted)
        })
    };
    let mut offers = vec![None; stages.len()];
    for (stage, offer) in &request.offers {
        offers[place("offers", stage)?] = Some(offer.clone());
    }
    if request.offers.is_empty() {
        for (offer, stage) in offers.iter_mut().zip(&stages) {
            let name = stage.to_lowercase().replace(' ', "_");
            let known = request.expected.iter().find(|(known, _)| *known == name);
            *offer = known.map(|(_, driver)| driver.clone());
        }
        if offers.iter().any(Option::is_some) {
            manifest.notes.push(
                "no offers were given: those shown are what is expected to drive the life stages of ilk.taxonomy"
                    .to_string(),
            );
        }
    }
    let margin = match &request.margin {
        None => None,
        Some(given) => {
            let mut margin = vec![f64::NAN; stages.len()];
            for (stage, amount) in given {
                if !amount.is_finite() {
                    let found = format!("{amount} for {stage:?}");
                    return Err(Error::argument("margin", found, "a finite number is needed"));
                }
                margin[place("margin", stage)?] = *amount;
            }
            if let Some(at) = margin.iter().position(|amount| amount.is_nan()) {
                let found = format!("none for stage {:?}", stages[at]);
                return Err(Error::argument("margin", found, "each stage needs its margin")
                    .with_mend(format!("margin={{**margin, {:?}: 0}}", stages[at])));
            }
            Some(margin)
        }
    };
    let mut start = panel.now.clone();
    if let Some(given) = &request.start {
        start.fill(0.0);
        for (stage, amount) in given {
            if !(*amount >= 0.0 && amount.is_finite()) {
                let found = format!("{amount} for {stage:?}");
                return Err(Error::argument("start", found, "a number, 0 or more, is needed"));
            }
            start[place("start", stage)?] += amount;
        }
    }
    let all: f64 = start.iter().sum();
    if !(all > 0.0 && all.is_finite()) {
        let found = format!("customers that add up to {all}");
        return Err(Error::argument("start", found, "some customer must begin somewhere")
            .with_mend(format!("start={:?}", stages[0])));
    }
    start.iter_mut().for_each(|share| *share /= all);

    let mut path = LifePath {
        offers,
        table: panel.counts.pairs,
        now: panel.now,
        start,
        margin,
        discount: request.discount,
        horizon: request.horizon,
        value: Vec::new(),
        value_forever: Vec::new(),
        confidence: request.confidence,
        n_boot: request.n_boot,
        seed: request.seed,
        min_count: request.min_count,
        weighted: request.weights.is_some(),
        period: panel.word,
        customers: panel.counts.customers,
        memory: panel.counts.memory,
        stages,
        manifest,
    };
    path.value(monitor)?;
    let notes = path.notes();
    path.manifest.notes.extend(notes);
    Ok(path)
}

fn check(request: &Request) -> Result<()> {
    check_level(request.confidence)?;
    if request.n_boot > MAX_BOOT {
        let wanted = format!("at most {MAX_BOOT} replicates are drawn");
        return Err(Error::argument("n_boot", request.n_boot, wanted));
    }
    check_periods("horizon", request.horizon)?;
    let discount = request.discount;
    if !(discount == 0.0 || (discount >= LEAST_DISCOUNT && discount.is_finite())) {
        let wanted = "0, or a number from 1e-9 up, is needed: 0.01 is one per cent per period";
        return Err(Error::argument("discount", discount, wanted).with_mend("discount=0.01"));
    }
    if !(request.min_count >= 0.0 && request.min_count.is_finite()) {
        let wanted = "a number, 0 or more, is needed";
        return Err(Error::argument("min_count", request.min_count, wanted));
    }
    Ok(())
}

fn check_periods(argument: &str, periods: usize) -> Result<()> {
    if (1..=MOST_PERIODS).contains(&periods) {
        return Ok(());
    }
    let wanted = format!("a whole number from 1 to {MOST_PERIODS} is needed");
    Err(Error::argument(argument, periods, wanted).with_mend(format!("{argument}=10")))
}

impl LifePath {
    /// Shares of the stages (by period) from now on, with their intervals: `periods + 1` rows of as many figures as there are
    /// stages, the first of them the shares to begin with.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for too many periods; [`Error::MemoryLimit`]; [`Error::Interrupted`].
    pub fn occupancy(&self, periods: usize, monitor: &Monitor) -> Result<Vec<Vec<Estimate>>> {
        check_periods("periods", periods)?;
        let n = self.stages.len();
        let needed = memory::matrix_bytes((periods + 1) * n, self.n_boot, 2 * size_of::<f64>());
        let way_out = "take fewer periods";
        memory::check(&format!("{} replicates", self.n_boot), needed, None, way_out)?;
        let follow = |p: &[f64]| {
            let mut shares = vec![self.start.clone()];
            for at in 0..periods {
                shares.push(chain::step(p, &shares[at]));
            }
            shares
        };
        let found = follow(&self.probabilities());
        let drawn = draw::replicates(&self.table, n, self.n_boot, self.seed, monitor, follow)?;
        let estimate = |period: usize, stage: usize| {
            let values = drawn.iter().map(|shares| shares[period][stage]).collect();
            Estimate::new(found[period][stage], interval(values, self.confidence))
        };
        Ok((0..=periods).map(|t| (0..n).map(|stage| estimate(t, stage)).collect()).collect())
    }

    /// Probabilities of moving, row by row; a stage from which nobody was seen to move is taken as the end.
    pub fn probabilities(&self) -> Vec<f64> {
        chain::probabilities(&self.table, self.stages.len())
    }

    /// Value over 1, 2, ... periods up to the horizon, for each stage to begin in; empty without margins.
    pub fn running(&self) -> Vec<Vec<f64>> {
        let Some(margin) = &self.margin else { return Vec::new() };
        let factor = 1.0 / (1.0 + self.discount);
        let p = self.probabilities();
        let mut by_period: Vec<Vec<f64>> = vec![vec![0.0; margin.len()]];
        for t in 0..self.horizon {
            by_period.push(chain::one_more(&p, margin, factor, &by_period[t]));
        }
        (0..margin.len())
            .map(|stage| by_period[1..].iter().map(|value| value[stage]).collect())
            .collect()
    }

    fn value(&mut self, monitor: &Monitor) -> Result<()> {
        let Some(margin) = &self.margin else { return Ok(()) };
        let n = self.stages.len();
        let p = self.probabilities();
        let leads = chain::reachable(&p, n);
        let factor = 1.0 / (1.0 + self.discount);
        let mean = |values: &[f64]| -> f64 {
            let shares = self.start.iter().zip(values).filter(|(share, _)| **share > 0.0);
            shares.map(|(share, value)| share * value).sum()
        };
        let both = |p: &[f64]| {
            let mut some = chain::value(p, margin, factor, self.horizon);
            let mut all = chain::value_forever(p, margin, factor, &leads);
            some.push(mean(&some));
            all.push(mean(&all));
            [some, all]
        };
        let found = both(&p);
        let is_too_large = found[0].iter().any(|value| !value.is_finite())
            || (self.discount > 0.0 && found[1].iter().any(|value| !value.is_finite()));
        if is_too_large {
            let largest = margin.iter().fold(0.0_f64, |most, amount| most.max(amount.abs()));
            let wanted = "values over the path are larger than any number";
            return Err(Error::argument("margin", largest, wanted));
        }
        let drawn = draw::replicates(&self.table, n, self.n_boot, self.seed, monitor, both)?;
        let estimates = |which: usize| -> Vec<Figures> {
            (0..=n)
                .map(|at| {
                    let values = drawn.iter().map(|values| values[which][at]).collect();
                    let ends = interval(values, self.confidence);
                    let Estimate { value, lo, hi } = Estimate::new(found[which][at], ends);
                    Figures(vec![value, lo, hi])
                })
                .collect()
        };
        (self.value, self.value_forever) = (estimates(0), estimates(1));
        Ok(())
    }
}

impl Persist for LifePath {
    const KIND: &'static str = "life_path";

    fn validate(&self) -> Result<()> {
        let n = self.stages.len();
        let amounts = |values: &[f64], n: usize| {
            values.len() == n && values.iter().all(|&value| value >= 0.0 && value.is_finite())
        };
        let repeated = (0..n).any(|at| self.stages[..at].contains(&self.stages[at]));
        if n == 0 || n > MOST_STAGES || repeated || self.offers.len() != n {
            return Err(persist::broken("stages and their offers do not agree"));
        }
        let whole = |values: &[f64]| (values.iter().sum::<f64>() - 1.0).abs() < 1e-9;
        if !amounts(&self.table, n * n)
            || !amounts(&self.now, n)
            || !amounts(&self.start, n)
            || !whole(&self.start)
            || self.table.iter().sum::<f64>() <= 0.0
        {
            return Err(persist::broken("counts and shares must be numbers from 0 up, by stage"));
        }
        let is_margin =
            |margin: &Vec<f64>| margin.len() == n && margin.iter().all(|m| m.is_finite());
        let values = |values: &[Figures]| {
            values.len() == if self.margin.is_some() { n + 1 } else { 0 }
                && values.iter().all(|figures| figures.len() == 3)
        };
        if !self.margin.as_ref().is_none_or(is_margin)
            || !values(&self.value)
            || !values(&self.value_forever)
        {
            return Err(persist::broken("margins and values do not agree with the stages"));
        }
        let is_amount = |value: f64| value >= 0.0 && value.is_finite();
        let are_settings = self.confidence > 0.0
            && self.confidence < 1.0
            && self.n_boot <= MAX_BOOT
            && (1..=MOST_PERIODS).contains(&self.horizon)
            && is_amount(self.discount)
            && is_amount(self.min_count);
        if !are_settings {
            return Err(persist::broken("a setting is out of range"));
        }
        Ok(())
    }
}
