//! What targeting is worth: conversion, cost and speed in target and off it.

use serde_json::{Map, json};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::draws::{estimates, sums};
use super::reader::{Reader, at, check_boot};
use super::sheet::{Estimate, Sheet, report, sheets};
use super::survival::{EventCounts, Outcome};
use crate::confidence::z_of;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::statistics::wilson;
use crate::table::Table;

report!(
    /// What targeting is worth.
    TargetingValue, "targeting_value", {
        "table": [
            "group:t", "n:i", "converted:i", "conversion", "conversion_lo", "conversion_hi", "cost",
            "cac", "cac_lo", "cac_hi", "median_days",
        ],
        "figures": ["figure:t", "value", "value_lo", "value_hi", "p"],
    }
);

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Whether the row is in the target.
    pub target: &'a str,
    /// Whether it converted.
    pub converted: &'a str,
    /// What was spent on it.
    pub cost: Option<&'a str>,
    /// Days to conversion, or to the end of the observation.
    pub days: Option<&'a str>,
    /// Bootstrap replicates.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

/// Rows, conversions and cost of one group; mergeable by adding up.
type Cell = [f64; 3];

/// Cost per conversion in target, off it and in all; lift; cost off target and its share; conversions off target and their
/// share; cost per conversion off target over that in target.
fn figures(target: Cell, off: Cell) -> Vec<f64> {
    let all: Cell = std::array::from_fn(|what| target[what] + off[what]);
    let cac = |cell: Cell| cell[2] / cell[1];
    vec![
        cac(target),
        cac(off),
        cac(all),
        (target[1] / target[0]) / (all[1] / all[0]),
        off[2],
        off[2] / all[2],
        off[1],
        off[1] / all[1],
        cac(off) / cac(target),
    ]
}

/// What targeting is worth.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a flag that is none, or a negative cost or number of days;
/// [`Error::Argument`] if nobody or everybody is in the target, or nobody converted; [`Error::Interrupted`].
pub fn targeting_value(
    table: &Table,
    options: Options<'_>,
    monitor: &Monitor,
) -> Result<TargetingValue> {
    check_boot(options.confidence, options.n_boot)?;
    let mut settings = Map::new();
    for (argument, name) in [
        ("target", Some(options.target)),
        ("converted", Some(options.converted)),
        ("cost", options.cost),
        ("days", options.days),
    ] {
        settings.insert(argument.into(), json!(name));
    }
    settings.insert("n_boot".into(), json!(options.n_boot));
    settings.insert("confidence".into(), json!(options.confidence));
    let seed = (options.n_boot > 0).then_some(options.seed);
    let mut manifest = Manifest::new("targeting_value", settings, seed, table.n_rows());
    let mut reader = Reader::new("campaign", table);
    let target = reader.flags(options.target)?;
    let converted = reader.flags(options.converted)?;
    let cost = options.cost.map(|name| reader.amounts(name)).transpose()?;
    // A missing number of days is missing for the hazard ratio alone.
    let days = options.days.map(|name| table.numeric(name)).transpose()?;
    if let (Some(days), Some(name)) = (&days, options.days)
        && let Some(row) = days.iter().position(|&days| days < 0.0)
    {
        return Err(Error::value(name, row, days[row], "a number of days, 0 or more, is needed"));
    }
    let kept = reader.finish(&mut manifest)?;
    let (target, converted) = (at(&target, &kept), at(&converted, &kept));
    let cost = cost.map_or_else(|| vec![f64::NAN; kept.len()], |cost| at(&cost, &kept));
    let mut cells = [[0.0; 3]; 2];
    for row in 0..kept.len() {
        let cell = &mut cells[usize::from(target[row] == 0.0)];
        cell[0] += 1.0;
        cell[1] += converted[row];
        cell[2] += cost[row];
    }
    if cells.iter().any(|cell| cell[0] == 0.0) {
        let found =
            if cells[0][0] == 0.0 { "no row in the target" } else { "every row in the target" };
        let wanted = "rows in the target and off it are needed";
        return Err(Error::argument(format!("column {:?}", options.target), found, wanted));
    }
    if cells[0][1] + cells[1][1] == 0.0 {
        let wanted = "at least one conversion is needed";
        return Err(Error::argument(
            format!("column {:?}", options.converted),
            "no conversion",
            wanted,
        ));
    }
    let drawn = sums(kept.len(), 6, options.n_boot, 0, options.seed, monitor, |row, add| {
        let cell = 3 * usize::from(target[row] == 0.0);
        add(cell, 1.0);
        add(cell + 1, converted[row]);
        add(cell + 2, cost[row]);
    })?;
    let drawn: Vec<Vec<f64>> =
        drawn.iter().map(|s| figures([s[0], s[1], s[2]], [s[3], s[4], s[5]])).collect();
    let found = estimates(&figures(cells[0], cells[1]), &drawn, options.confidence);
    let hazard = days.map(|days| {
        let spells: Vec<Spell> = kept
            .iter()
            .zip(target.iter().zip(&converted))
            .filter(|&(&row, _)| !days[row].is_nan())
            .map(|(&row, (&target, &converted))| Spell {
                days: days[row],
                event: converted == 1.0,
                target: target == 1.0,
            })
            .collect();
        if spells.len() < kept.len() {
            manifest.notes.push(format!(
                "the hazard ratio rests on {} of {} rows: the others lack a number of days",
                spells.len(),
                kept.len()
            ));
        }
        spells
    });
    let z = z_of(options.confidence);
    let all: Cell = std::array::from_fn(|what| cells[0][what] + cells[1][what]);
    let rows = [cells[0], cells[1], all];
    let conversion = rows.map(|c| Estimate::new(c[1] / c[0], wilson(c[1], c[0], z)));
    let sheet = Sheet::default()
        .text("group", ["target", "off target", "all"])
        .int("n", rows.map(|cell| cell[0] as i64))
        .int("converted", rows.map(|cell| cell[1] as i64))
        .estimate("conversion", &conversion)
        .float("cost", rows.map(|cell| cell[2]))
        .estimate("cac", &found[..3])
        .float("median_days", medians(hazard.as_deref())?);
    let mut names = vec![
        "lift",
        "spend_saved",
        "spend_saved_share",
        "conversions_forgone",
        "conversions_forgone_share",
        "cac_ratio",
    ];
    let mut values = found[3..].to_vec();
    let mut p = vec![f64::NAN; values.len()];
    if let Some(spells) = hazard {
        let (ratio, test) = hazard_ratio(spells, options.confidence);
        names.push("hazard_ratio");
        values.push(ratio);
        p.push(test);
    }
    let figures = Sheet::default().text("figure", names).estimate("value", &values).float("p", p);
    Ok(TargetingValue { manifest, sheets: sheets([("table", sheet), ("figures", figures)]) })
}

/// Median days to conversion in target, off it and in all, by Kaplan-Meier.
fn medians(spells: Option<&[Spell]>) -> Result<[f64; 3]> {
    let Some(spells) = spells else { return Ok([f64::NAN; 3]) };
    let mut counts: [EventCounts; 3] = Default::default();
    for spell in spells {
        let outcome = if spell.event { Outcome::Won } else { Outcome::Open };
        for group in [usize::from(!spell.target), 2] {
            counts[group].update(spell.days, outcome, 1.0)?;
        }
    }
    Ok(counts.map(|counts| counts.finish().median()))
}

/// Time until a conversion, or until the observation ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spell {
    /// Days.
    pub days: f64,
    /// Whether it ended in a conversion.
    pub event: bool,
    /// Whether it was in the target.
    pub target: bool,
}

/// Beyond this the logarithm of a hazard ratio is as good as infinite.
const FAR: f64 = 30.0;

/// Conversions at one time: how many, how many of them in the target, and those at risk.
struct Tie {
    events: f64,
    in_target: f64,
    at_risk: f64,
    target_at_risk: f64,
}

/// Hazard of conversion in target over that off it, with the interval of the partial likelihood ratio, and the p-value of
/// that ratio at 1.
///
/// Proportional hazards with one covariate (Cox 1972, JRSS B 34:187-220), ties by Efron (1977, JASA 72:557-565). The
/// partial likelihood is concave in one parameter, so that halving an interval finds every root. Where one group has no
/// event while the other is at risk, the ratio is 0 or infinite, and one end of the interval still stands.
pub fn hazard_ratio(mut spells: Vec<Spell>, confidence: f64) -> (Estimate, f64) {
    let ties = ties(&mut spells);
    let score = |beta: f64| -> f64 {
        let ratio = beta.exp();
        ties.iter()
            .map(|tie| {
                tie.in_target
                    - each(tie, |target, others| target * ratio / (target * ratio + others))
            })
            .sum()
    };
    let likelihood = |beta: f64| -> f64 {
        let ratio = beta.exp();
        ties.iter()
            .map(|tie| {
                tie.in_target * beta - each(tie, |target, others| (target * ratio + others).ln())
            })
            .sum()
    };
    let nan = Estimate::new(f64::NAN, (f64::NAN, f64::NAN));
    let informative = |tie: &Tie| tie.target_at_risk > 0.0 && tie.target_at_risk < tie.at_risk;
    if !ties.iter().any(informative) {
        return (nan, f64::NAN);
    }
    let events: f64 = ties.iter().map(|tie| tie.events).sum();
    let slack = 1e-9 * events;
    let best = match (score(-FAR), score(FAR)) {
        (low, _) if low <= slack => f64::NEG_INFINITY,
        (_, high) if high >= -slack => f64::INFINITY,
        _ => root(-FAR, FAR, score),
    };
    let most = likelihood(best.clamp(-FAR, FAR));
    let Ok(law) = ChiSquared::new(1.0) else { return (nan, f64::NAN) };
    let limit = most - law.inverse_cdf(confidence) / 2.0;
    let above = |beta: f64| likelihood(beta) - limit;
    let lo =
        if best == f64::NEG_INFINITY { best } else { root(-FAR, best.min(FAR), |b| -above(b)) };
    let hi = if best == f64::INFINITY { best } else { root(best.max(-FAR), FAR, above) };
    let p = law.sf((2.0 * (most - likelihood(0.0))).max(0.0));
    (Estimate::new(best.exp(), (lo.exp(), hi.exp())), p)
}

/// Where a function that falls from positive to negative is 0; the end at which it comes nearest where it has one sign.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if f(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Sum over the events of a tie, the tied ones leaving one after the other in part (Efron): `f(target, others)`.
fn each(tie: &Tie, f: impl Fn(f64, f64) -> f64) -> f64 {
    let (target, others) = (tie.target_at_risk, tie.at_risk - tie.target_at_risk);
    (0..tie.events as usize)
        .map(|event| {
            let gone = event as f64 / tie.events;
            f(target - gone * tie.in_target, others - gone * (tie.events - tie.in_target))
        })
        .sum()
}

fn ties(spells: &mut [Spell]) -> Vec<Tie> {
    spells.sort_by(|a, b| b.days.total_cmp(&a.days));
    let (mut at_risk, mut target_at_risk) = (0.0, 0.0);
    let mut ties = Vec::new();
    for same in spells.chunk_by(|a, b| a.days == b.days) {
        let count =
            |f: &dyn Fn(&Spell) -> bool| same.iter().filter(|spell| f(spell)).count() as f64;
        at_risk += same.len() as f64;
        target_at_risk += count(&|spell| spell.target);
        let events = count(&|spell| spell.event);
        if events > 0.0 {
            let in_target = count(&|spell| spell.event && spell.target);
            ties.push(Tie { events, in_target, at_risk, target_at_risk });
        }
    }
    ties
}
