//! The scorecard: what each segment is worth, with intervals.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::acquisition::{Acquisition, Cells, allocate};
use super::bootstrap::{Replicates, interval, replicate};
use super::figures::{Figure, Figures, Given, N_FIGURES, Terms, figures};
use super::input::{Input, last_day, prepare};
use super::magnitude::two_units;
use super::orders::Lines;
use super::refit::{Refit, replicate_refitted};
use super::survival::{EventCounts, EventTable};
use super::totals::{Field, N_FIELDS, Role, Row, SegmentTotals, Sums, total};
use crate::confidence::check_level;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist};
use crate::table::MISSING;

/// Constants and choices of a scorecard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Length of the period that revenue, cost and churn cover.
    pub period_months: f64,
    /// Discount rate per year.
    pub discount_rate: f64,
    /// Bootstrap replicates; 0 for no intervals.
    pub n_boot: usize,
    /// Share of replicates inside an interval.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
    /// Periods of the lifetime value with a horizon.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ltv_periods: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            period_months: 12.0,
            discount_rate: 0.10,
            n_boot: 1000,
            confidence: 0.95,
            seed: 0,
            ltv_periods: None,
        }
    }
}

impl Options {
    /// The constants of the formulas.
    fn terms(&self) -> Terms {
        Terms {
            period_months: self.period_months,
            discount_rate: self.discount_rate,
            ltv_periods: self.ltv_periods,
        }
    }

    fn check(&self) -> Result<()> {
        let positive = self.period_months.is_finite() && self.period_months > 0.0;
        if !positive {
            let wanted = "a number of months above 0 is needed";
            return Err(Error::argument("period_months", self.period_months, wanted));
        }
        if !(self.discount_rate.is_finite() && self.discount_rate >= 0.0) {
            let wanted = "a rate per year, 0 or more, is needed";
            return Err(Error::argument("discount_rate", self.discount_rate, wanted)
                .with_mend("discount_rate=0.10"));
        }
        check_level(self.confidence)?;
        if self.ltv_periods == Some(0) {
            let wanted = "a number of periods, 1 or more, is needed";
            return Err(Error::argument("ltv_periods", 0, wanted));
        }
        if self.n_boot > MAX_BOOT {
            let wanted = format!("at most {MAX_BOOT} replicates are drawn");
            return Err(Error::argument("n_boot", self.n_boot, wanted));
        }
        Ok(())
    }
}

/// More replicates than any interval needs; a bound on the size of the result.
const MAX_BOOT: usize = 100_000;

/// A figure of every segment and of everybody, who stand last, with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimates {
    /// The estimate.
    #[serde(with = "persist::floats")]
    pub value: Vec<f64>,
    /// Lower end of the interval; NaN where there is none.
    #[serde(with = "persist::floats")]
    pub lo: Vec<f64>,
    /// Upper end.
    #[serde(with = "persist::floats")]
    pub hi: Vec<f64>,
}

/// Leads by outcome, for one segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leads {
    /// Still open.
    pub open: usize,
    /// Lost.
    pub lost: usize,
}

/// What each segment is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// What it was made from.
    pub manifest: Manifest,
    /// Findings that the user is warned of.
    pub warnings: Vec<String>,
    /// Names of the segments.
    pub segments: Vec<String>,
    /// Choices of the user.
    pub options: Options,
    /// Which columns were given.
    pub given: Given,
    /// Totals of each segment.
    pub sums: Vec<Sums>,
    /// Leads of each segment.
    pub leads: Vec<Leads>,
    /// One entry per [`Figure`], in the order of [`Figure::ALL`].
    pub estimates: Vec<Estimates>,
    /// Herfindahl-Hirschman index of revenue, its lower and its upper end.
    #[serde(with = "persist::floats")]
    pub hhi: Vec<f64>,
    /// What the intervals and the ranks rest on.
    pub replicates: Replicates,
    /// Days to sale of each segment.
    pub spells: Vec<EventTable>,
    /// Spend by channel, where it was given so.
    #[serde(deserialize_with = "Option::deserialize")]
    pub acquisition: Option<Acquisition>,
}

impl Persist for Scorecard {
    const KIND: &'static str = "scorecard";

    fn validate(&self) -> Result<()> {
        let n = self.segments.len();
        let n_boot = self.replicates.n_boot;
        let shapes = self.sums.len() == n
            && self.leads.len() == n
            && self.spells.len() == n
            && self.spells.iter().all(EventTable::is_whole)
            && self.acquisition.as_ref().is_none_or(|a| {
                let (pairs, all) = (a.channels.len() * n, (a.channels.len() + 1) * (n + 1));
                a.spend.len() == pairs
                    && a.won.len() == pairs
                    && [&a.lo, &a.hi].iter().all(|e| e.is_empty() || e.len() == all)
            })
            && self.hhi.len() == 3
            && self.estimates.len() == N_FIGURES
            && self
                .estimates
                .iter()
                .all(|e| e.value.len() == n + 1 && e.lo.len() == n + 1 && e.hi.len() == n + 1)
            && n_boot <= MAX_BOOT
            && self.replicates.sums.len() == n * N_FIELDS * n_boot
            && (self.replicates.days.is_empty() || self.replicates.days.len() == (n + 1) * n_boot);
        if !shapes {
            return Err(persist::broken("the lengths of the scorecard's columns do not agree"));
        }
        self.options.check().map_err(|error| persist::broken(error.to_string()))
    }
}

/// Computes the scorecard.
///
/// One pass over the rows (and one over order lines), then `n_boot` replicates of it
/// ([`super::bootstrap`]). The same seed gives the same bits for any number of threads.
///
/// # Errors
///
/// [`Error::Argument`] for options out of range or that do not go together, [`Error::BadValue`] for the first row that
/// contradicts itself, [`Error::TooFewRows`] without rows, [`Error::Interrupted`] when told to stop.
pub fn scorecard(
    input: &Input<'_>,
    options: Options,
    settings: Map<String, Value>,
    refit: Option<&Refit<'_>>,
    monitor: &Monitor,
) -> Result<Scorecard> {
    options.check()?;
    let n_segments = input.segments.len();
    let aggregated = input.n_customers.is_some();
    let n_boot = if aggregated { 0 } else { options.n_boot };
    let seed = (n_boot > 0).then_some(options.seed);
    let mut manifest = Manifest::new("segment_scorecard", settings, seed, input.segment.len());
    let mut warnings = Vec::new();

    let mut lines = input.orders.as_ref().map(Lines::new);
    // Revenue of each customer is needed to resample customers, and to tell customers from leads.
    let bought = match &mut lines {
        Some(lines) if n_boot > 0 || input.first_sale.is_some() => {
            lines.clean(&mut manifest, &mut warnings)?;
            lines.by_customer(input.segment.len())
        }
        _ => Vec::new(),
    };
    let mut rows = prepare(input, &bought, &mut manifest)?;
    if manifest.rows_used == 0 {
        return Err(manifest.nothing_left("customers", manifest.rows));
    }
    monitor.check()?;
    warnings.extend(magnitudes(input));
    let sale = input.first_sale.map_or(&[][..], |column| column.values);
    let shared =
        input.spend.map(|spend| allocate(&mut rows, sale, spend, input.segments, last_day(input)));

    let mut totals = SegmentTotals::new(n_segments);
    totals.update(&rows);
    let mut sums = totals.finish();
    if let Some(lines) = &mut lines {
        let segment: Vec<u32> = rows.iter().map(|row| row.segment).collect();
        let found = match lines.by_segment(&segment, n_segments) {
            Some(found) => found,
            None => {
                lines.clean(&mut manifest, &mut warnings)?;
                lines.by_segment(&segment, n_segments).unwrap_or_default()
            }
        };
        for (sums, bought) in sums.iter_mut().zip(found) {
            for field in [Field::Revenue as usize, Field::Cost as usize] {
                sums[field] = bought[field];
            }
        }
    }
    let dates = input.first_contact.is_some();
    let spells = spells(&rows, n_segments)?;
    let days: Vec<f64> =
        spells.iter().chain([&EventTable::sum(&spells)]).map(EventTable::median).collect();
    empty_segments(input.segments, &sums, &mut warnings);
    if dates {
        let unknown = rows.iter().filter(|r| r.segment != MISSING && r.days.is_nan()).count();
        if unknown > 0 {
            manifest.notes.push(format!(
                "days_to_sale rests on {} of {} rows: the others lack a date",
                manifest.rows_used - unknown,
                manifest.rows_used
            ));
        }
    }
    let given = Given {
        cost: input.cost.is_some() || input.orders.is_some_and(|orders| orders.cost.is_some()),
        acquisition: input.acquisition.is_some() || input.spend.is_some(),
        management: input.management.is_some(),
        churn: input.churn.is_some(),
        dates,
        clv: input.clv.is_some(),
    };
    notes(given, aggregated, options.n_boot, &mut manifest);
    let cells = shared.as_ref().map(|shared| &shared.0);
    let replicates = match refit {
        Some(refit) => {
            manifest.notes.push(refit.note());
            replicate_refitted(&rows, n_segments, n_boot, options.seed, cells, refit, monitor)?
        }
        None => replicate(&rows, n_segments, n_boot, options.seed, cells, monitor)?,
    };
    let terms = options.terms();
    let estimates = estimate(&sums, &days, &replicates, terms, given, options.confidence);
    let hhi = concentration(&sums, &replicates, options.confidence);
    Ok(Scorecard {
        segments: input.segments.to_vec(),
        options,
        given,
        sums,
        leads: leads(&rows, n_segments),
        estimates,
        hhi,
        acquisition: shared.map(|(cells, found)| {
            channels(found, &cells, &replicates, options.confidence, &mut manifest)
        }),
        manifest,
        warnings,
        replicates,
        spells,
    })
}

/// What is missing in the figures, as sentences.
fn notes(given: Given, aggregated: bool, n_boot: usize, manifest: &mut Manifest) {
    let mut note = |text: &str| manifest.notes.push(text.to_string());
    if aggregated && n_boot > 0 {
        note("no intervals: the rows are totals, and customers cannot be resampled from totals");
    }
    if !given.cost {
        note("cost not given: gross_margin and everything that rests on it is missing");
    }
    if !given.management {
        note("management_cost not given: contribution is gross profit per customer");
    }
    if !given.acquisition {
        note("acquisition_cost not given: profit is before acquisition");
    }
}

/// Sentences on columns of amounts that seem to hold two units.
fn magnitudes(input: &Input<'_>) -> Vec<String> {
    let (revenue, cost) = match &input.orders {
        Some(orders) => (Some(orders.revenue), orders.cost),
        None => (input.revenue, input.cost),
    };
    let columns = [revenue, cost, input.acquisition, input.management];
    if input.n_customers.is_some() {
        return Vec::new();
    }
    columns.into_iter().flatten().filter_map(two_units).collect()
}

/// Names segments that a category stands for and no customer.
fn empty_segments(names: &[String], sums: &[Sums], warnings: &mut Vec<String>) {
    for (name, sums) in names.iter().zip(sums) {
        if sums[Field::Customers as usize] == 0.0 {
            warnings.push(format!("segment {name:?} has no customers: its figures are missing"));
        }
    }
}

/// Spend by channel, with intervals and a note on what won nobody.
fn channels(
    mut found: Acquisition,
    cells: &Cells,
    replicates: &Replicates,
    confidence: f64,
    manifest: &mut Manifest,
) -> Acquisition {
    (found.lo, found.hi) = replicates.cost_by_channel(cells, confidence);
    let left: f64 = found.unallocated.iter().map(|line| line.amount).sum();
    if left > 0.0 {
        manifest.notes.push(format!(
            "{left} of {} spent won nobody and is in no figure: see unallocated",
            found.total
        ));
    }
    found
}

/// Days to sale of each segment.
fn spells(rows: &[Row], n_segments: usize) -> Result<Vec<EventTable>> {
    let mut counts = vec![EventCounts::default(); n_segments];
    for row in rows {
        if let Some(counts) = counts.get_mut(row.segment as usize).filter(|_| !row.days.is_nan()) {
            counts.update(row.days, row.outcome, 1.0)?;
        }
    }
    Ok(counts.iter().map(EventCounts::finish).collect())
}

/// Leads of each segment.
fn leads(rows: &[Row], n_segments: usize) -> Vec<Leads> {
    let mut leads = vec![Leads::default(); n_segments];
    for row in rows {
        let Some(leads) = leads.get_mut(row.segment as usize) else { continue };
        match row.role {
            Role::Customer => {}
            Role::OpenLead => leads.open += 1,
            Role::LostLead => leads.lost += 1,
        }
    }
    leads
}

/// Every figure of every segment, everybody last, with its interval.
fn estimate(
    sums: &[Sums],
    days: &[f64],
    replicates: &Replicates,
    terms: Terms,
    given: Given,
    confidence: f64,
) -> Vec<Estimates> {
    let n = sums.len();
    let everybody = total(sums);
    let all_revenue = everybody[Field::Revenue as usize];
    let point: Vec<Figures> = sums
        .iter()
        .chain([&everybody])
        .zip(days)
        .map(|(sums, &days)| figures(sums, all_revenue, days, terms, given))
        .collect();
    let drawn = replicated_figures(replicates, n, terms, given);
    let intervals: Vec<(f64, f64)> = parallel::map_tasks(N_FIGURES * (n + 1), |index| {
        let (figure, segment) = (index / (n + 1), index % (n + 1));
        if point[segment][figure].is_nan() {
            return (f64::NAN, f64::NAN);
        }
        interval(drawn.iter().map(|figures| figures[segment][figure]).collect(), confidence)
    });
    Figure::ALL
        .into_iter()
        .map(|figure| {
            let ends = &intervals[figure as usize * (n + 1)..][..n + 1];
            Estimates {
                value: point.iter().map(|figures| figures[figure as usize]).collect(),
                lo: ends.iter().map(|&(lo, _)| lo).collect(),
                hi: ends.iter().map(|&(_, hi)| hi).collect(),
            }
        })
        .collect()
}

/// For each replicate the figures of each segment, everybody last.
pub(super) fn replicated_figures(
    replicates: &Replicates,
    n_segments: usize,
    terms: Terms,
    given: Given,
) -> Vec<Vec<Figures>> {
    parallel::map_tasks(replicates.n_boot, |replicate| {
        let sums: Vec<Sums> =
            (0..n_segments).map(|segment| replicates.sums(segment, replicate)).collect();
        let everybody = total(&sums);
        let all_revenue = everybody[Field::Revenue as usize];
        sums.iter()
            .chain([&everybody])
            .enumerate()
            .map(|(segment, sums)| {
                figures(sums, all_revenue, replicates.days(segment, replicate), terms, given)
            })
            .collect()
    })
}

/// Sum of squared shares of revenue (Hirschman 1964, American Economic Review 54:761), and its interval.
fn concentration(sums: &[Sums], replicates: &Replicates, confidence: f64) -> Vec<f64> {
    let index = |sums: &[Sums]| {
        let all = total(sums)[Field::Revenue as usize];
        sums.iter().map(|sums| (sums[Field::Revenue as usize] / all).powi(2)).sum::<f64>()
    };
    let drawn = (0..replicates.n_boot)
        .map(|replicate| {
            let sums: Vec<Sums> =
                (0..sums.len()).map(|segment| replicates.sums(segment, replicate)).collect();
            index(&sums)
        })
        .collect();
    let (lo, hi) = interval(drawn, confidence);
    vec![index(sums), lo, hi]
}

impl Scorecard {
    /// The constants of the formulas.
    pub(super) fn terms(&self) -> Terms {
        self.options.terms()
    }

    /// A figure of each segment, everybody last.
    pub fn figure(&self, figure: Figure) -> &Estimates {
        &self.estimates[figure as usize]
    }

    /// Herfindahl-Hirschman index of revenue, and its interval.
    pub fn hhi(&self) -> (f64, f64, f64) {
        let at = |index: usize| self.hhi.get(index).copied().unwrap_or(f64::NAN);
        (at(0), at(1), at(2))
    }

    /// A total of each segment.
    pub fn sum(&self, field: Field) -> impl Iterator<Item = f64> + '_ {
        self.sums.iter().map(move |sums| sums[field as usize])
    }
}
