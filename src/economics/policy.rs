//! The value of segmentation: what deciding by segment is worth over one decision for all.
//!
//! With values that are known, that is sum over s of max over a of V(s, a) n(s), minus max over a of the sum over s. With
//! values that are estimated the same formula finds a gain in pure noise, because the best of several noisy means is too
//! high. Then decisions are taken on one part of the rows and valued on another ([`super::trial`]).

use serde_json::{Map, Value, json};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::draws::sums;
use super::reader::{Labels, Reader, at, check_boot};
use super::sheet::{Estimate, Sheet, report, sheets};
use super::trial::{Moments, Trial, cross_fitted};
use crate::confidence::z_of;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::table::Table;

report!(
    /// The value of deciding by segment.
    ValueOfSegmentation, "value_of_segmentation", {
        "table": [
            "segment:t", "n", "best_action:t", "value", "one_size_value", "gain", "p_best",
            "runner_up:t", "margin",
        ],
        "payoffs": ["segment:t", "action:t", "n_rows:i", "value", "value_lo", "value_hi", "considered:b"],
        "figures": ["figure:t", "value", "value_lo", "value_hi"],
        "one_size": ["action:t", "total"],
    }
);

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// What was done.
    pub action: &'a str,
    /// What a customer was worth then.
    pub value: &'a str,
    /// Customers of the segment.
    pub n: Option<&'a str>,
    /// Rows that a pair of segment and action needs to be considered.
    pub min_count: usize,
    /// Bootstrap replicates.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of replicates and of the parts.
    pub seed: u64,
}

impl Options<'_> {
    fn settings(&self, segment: &str) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("segment".into(), json!(segment));
        settings.insert("action".into(), json!(self.action));
        settings.insert("value".into(), json!(self.value));
        settings.insert("n".into(), json!(self.n));
        settings.insert("min_count".into(), json!(self.min_count));
        settings.insert("n_boot".into(), json!(self.n_boot));
        settings.insert("confidence".into(), json!(self.confidence));
        settings
    }
}

/// Values by segment and action, NaN where an action is not considered, and the customers of each segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Payoffs {
    /// Segment by segment, action by action.
    pub values: Vec<f64>,
    /// Customers of each segment.
    pub n: Vec<f64>,
    /// Number of actions.
    pub n_actions: usize,
}

/// What to do: for each segment, and for all alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The best action of each segment; `None` where none is known or it has no customers.
    pub by_segment: Vec<Option<usize>>,
    /// The best single action; `None` where no action is known in every segment.
    pub one_size: Option<usize>,
}

impl Payoffs {
    fn value(&self, segment: usize, action: usize) -> f64 {
        self.values[segment * self.n_actions + action]
    }

    /// Segments that count: those with customers.
    fn segments(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.n.len()).filter(|&segment| self.n[segment] > 0.0)
    }

    /// What an action is worth in all segments together; NaN where it is not known in one of them.
    pub fn total(&self, action: usize) -> f64 {
        self.segments().map(|segment| self.n[segment] * self.value(segment, action)).sum()
    }

    /// The best actions; ties go to the first.
    pub fn decide(&self) -> Decision {
        let best = |values: &dyn Fn(usize) -> f64| -> Option<usize> {
            let mut best: Option<usize> = None;
            for action in 0..self.n_actions {
                let value = values(action);
                if !value.is_nan() && best.is_none_or(|other| value > values(other)) {
                    best = Some(action);
                }
            }
            best
        };
        let by_segment = (0..self.n.len())
            .map(|segment| {
                let counts = self.n[segment] > 0.0;
                best(&|action| self.value(segment, action)).filter(|_| counts)
            })
            .collect();
        Decision { by_segment, one_size: best(&|action| self.total(action)) }
    }

    /// Sum over segments of what is gained by the decision over one size for all; NaN without one size.
    pub fn gain(&self, decision: &Decision) -> f64 {
        let Some(one_size) = decision.one_size else { return f64::NAN };
        self.segments()
            .map(|segment| match decision.by_segment[segment] {
                Some(action) => {
                    self.n[segment] * (self.value(segment, action) - self.value(segment, one_size))
                }
                None => 0.0,
            })
            .sum()
    }
}

/// The value of deciding by segment, of a payoff table or of rows of an experiment.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] if the number of customers differs within a segment; [`Error::Argument`] if
/// no action is known in every segment, or a payoff table has no numbers of customers; [`Error::Interrupted`].
pub fn value_of_segmentation(
    table: &Table,
    segment: Labels<'_>,
    options: Options<'_>,
    monitor: &Monitor,
) -> Result<ValueOfSegmentation> {
    check_boot(options.confidence, options.n_boot)?;
    let settings = options.settings(segment.name);
    let mut manifest =
        Manifest::new("value_of_segmentation", settings, Some(options.seed), table.n_rows());
    let mut reader = Reader::new("df", table);
    let segments = reader.labels(segment, "segment")?;
    let actions = reader.labels(Labels { table, name: options.action }, "action")?;
    let value = reader.numbers(options.value)?;
    let sizes = options.n.map(|name| reader.amounts(name)).transpose()?;
    let kept = reader.finish(&mut manifest)?;
    let (n_segments, n_actions) = (segments.names.len(), actions.names.len());
    const MAX_CELLS: usize = 1_000_000;
    if n_segments.saturating_mul(n_actions) > MAX_CELLS {
        let found = format!("{n_actions} actions for {n_segments} segments");
        let wanted = format!("at most {MAX_CELLS} pairs can be compared");
        return Err(Error::argument(format!("column {:?}", options.action), found, wanted));
    }
    let code = at(&segments.codes, &kept);
    let cell_of: Vec<usize> = kept
        .iter()
        .zip(&code)
        .map(|(&row, &segment)| segment as usize * n_actions + actions.codes[row] as usize)
        .collect();
    let value = at(&value, &kept);
    let mut cells: Vec<Vec<f64>> = vec![Vec::new(); n_segments * n_actions];
    for (&cell, &value) in cell_of.iter().zip(&value) {
        cells[cell].push(value);
    }
    let mut n = vec![f64::NAN; n_segments];
    for (&row, &segment) in kept.iter().zip(&code) {
        let slot = &mut n[segment as usize];
        match &sizes {
            None => *slot = if slot.is_nan() { 1.0 } else { *slot + 1.0 },
            Some(sizes) if slot.is_nan() => *slot = sizes[row],
            Some(sizes) if sizes[row] != *slot => {
                let name = options.n.unwrap_or("n");
                let wanted = format!(
                    "an earlier row says {slot} for the same segment, {:?}",
                    segments.names[segment as usize]
                );
                return Err(Error::value(name, row, sizes[row], wanted));
            }
            Some(_) => {}
        }
    }
    n.iter_mut().filter(|n| n.is_nan()).for_each(|n| *n = 0.0);
    let known = cells.iter().all(|cell| cell.len() <= 1);
    if known && options.n.is_none() {
        let wanted = "a table with one row for each segment and action needs the customers of each";
        return Err(Error::argument("n", "None", wanted).with_mend("n=\"customers\""));
    }
    let considered: Vec<bool> = cells
        .iter()
        .map(|cell| !cell.is_empty() && (known || cell.len() >= options.min_count.max(2)))
        .collect();
    let few = (0..cells.len()).filter(|&c| !cells[c].is_empty() && !considered[c]).count();
    if few > 0 {
        manifest.notes.push(format!(
            "{few} pairs of segment and action with fewer than {} rows are not considered",
            options.min_count.max(2)
        ));
    }
    let moments: Vec<Moments> =
        cells.iter().map(|cell| Moments::of(cell.iter().copied())).collect();
    let payoffs = Payoffs {
        values: (0..cells.len())
            .map(|cell| if considered[cell] { moments[cell].mean } else { f64::NAN })
            .collect(),
        n,
        n_actions,
    };
    let decision = payoffs.decide();
    let Some(one_size) = decision.one_size else {
        let found = format!("no action with enough rows in each of the {n_segments} segments");
        let wanted = "one decision for all can only be valued where it was tried in every segment";
        return Err(Error::argument(format!("column {:?}", options.action), found, wanted)
            .with_mend("min_count=2"));
    };
    let (lo_hi, honest, p_best) = if known {
        let nan = Estimate::new(f64::NAN, (f64::NAN, f64::NAN));
        (None, nan, vec![f64::NAN; n_segments])
    } else {
        let only: Vec<Vec<f64>> = cells
            .iter()
            .zip(&considered)
            .map(|(cell, &considered)| if considered { cell.clone() } else { Vec::new() })
            .collect();
        let trial = Trial { cells: &only, n: &payoffs.n, n_actions };
        let (gain, variance) = cross_fitted(&trial, options.seed, monitor)?;
        let z = z_of(options.confidence);
        let half = z * variance.sqrt();
        let p_best = p_best(&payoffs, &decision, &cell_of, &value, options, monitor)?;
        (Some(options.confidence), Estimate::new(gain, (gain - half, gain + half)), p_best)
    };
    let gain = payoffs.gain(&decision);
    let total = payoffs.total(one_size);
    let none = (f64::NAN, f64::NAN);
    let mut figures = vec![("value_of_segmentation", Estimate::new(gain, none))];
    if !known {
        // What the rows say by themselves is too high; it stands beside, under its name.
        figures[0].0 = "naive_value";
        figures.insert(0, ("value_of_segmentation", honest));
    }
    figures.push(("by_segment_total", Estimate::new(total + gain, none)));
    figures.push(("one_size_total", Estimate::new(total, none)));
    let columns: Vec<Estimate> = figures.iter().map(|(_, estimate)| *estimate).collect();
    let sheet_of_figures = Sheet::default()
        .text("figure", figures.iter().map(|(name, _)| *name))
        .estimate("value", &columns);
    let sheets = sheets([
        (
            "table",
            decisions(&payoffs, &decision, one_size, &segments.names, &actions.names, &p_best),
        ),
        ("payoffs", payoff_sheet(&moments, &considered, lo_hi, &segments.names, &actions.names)),
        ("figures", sheet_of_figures),
        (
            "one_size",
            Sheet::default()
                .text("action", [actions.names[one_size].clone()])
                .float("total", [total]),
        ),
    ]);
    Ok(ValueOfSegmentation { manifest, sheets })
}

/// In how many replicates the best action of each segment is the best again.
fn p_best(
    payoffs: &Payoffs,
    decision: &Decision,
    cell_of: &[usize],
    value: &[f64],
    options: Options<'_>,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let n_cells = payoffs.values.len();
    let n_segments = payoffs.n.len();
    let (n_boot, seed) = (options.n_boot, options.seed);
    let drawn = sums(value.len(), 2 * n_cells, n_boot, 0, seed, monitor, |row, add| {
        add(2 * cell_of[row], 1.0);
        add(2 * cell_of[row] + 1, value[row]);
    })?;
    let mut again = vec![0.0; n_segments];
    for sums in &drawn {
        let values =
            (0..n_cells)
                .map(|c| {
                    if payoffs.values[c].is_nan() {
                        f64::NAN
                    } else {
                        sums[2 * c + 1] / sums[2 * c]
                    }
                })
                .collect();
        let replicate = Payoffs { values, ..payoffs.clone() }.decide();
        let pairs = replicate.by_segment.iter().zip(&decision.by_segment);
        for (again, (drawn, found)) in again.iter_mut().zip(pairs) {
            *again += f64::from(u8::from(drawn == found)) / n_boot as f64;
        }
    }
    if n_boot == 0 {
        again.fill(f64::NAN);
    }
    Ok(again)
}

fn decisions(
    payoffs: &Payoffs,
    decision: &Decision,
    one_size: usize,
    segments: &[String],
    actions: &[String],
    p_best: &[f64],
) -> Sheet {
    let rows: Vec<(usize, usize)> = (0..segments.len())
        .filter_map(|segment| decision.by_segment[segment].map(|best| (segment, best)))
        .collect();
    let runner_up: Vec<Option<usize>> = rows
        .iter()
        .map(|&(segment, best)| {
            (0..actions.len()).filter(|&a| a != best && !payoffs.value(segment, a).is_nan()).max_by(
                |&a, &b| {
                    payoffs.value(segment, a).total_cmp(&payoffs.value(segment, b)).then(b.cmp(&a))
                },
            )
        })
        .collect();
    let value = |segment: usize, action: usize| payoffs.value(segment, action);
    Sheet::default()
        .text("segment", rows.iter().map(|&(segment, _)| segments[segment].clone()))
        .float("n", rows.iter().map(|&(segment, _)| payoffs.n[segment]))
        .text("best_action", rows.iter().map(|&(_, best)| actions[best].clone()))
        .float("value", rows.iter().map(|&(segment, best)| value(segment, best)))
        .float("one_size_value", rows.iter().map(|&(segment, _)| value(segment, one_size)))
        .float(
            "gain",
            rows.iter().map(|&(segment, best)| {
                payoffs.n[segment] * (value(segment, best) - value(segment, one_size))
            }),
        )
        .float("p_best", rows.iter().map(|&(segment, _)| p_best[segment]))
        .text(
            "runner_up",
            runner_up.iter().map(|next| next.map_or(String::new(), |next| actions[next].clone())),
        )
        .float(
            "margin",
            rows.iter().zip(&runner_up).map(|(&(segment, best), next)| {
                next.map_or(f64::NAN, |next| value(segment, best) - value(segment, next))
            }),
        )
}

fn payoff_sheet(
    moments: &[Moments],
    considered: &[bool],
    confidence: Option<f64>,
    segments: &[String],
    actions: &[String],
) -> Sheet {
    let cells: Vec<usize> = (0..moments.len()).filter(|&cell| moments[cell].n > 0.0).collect();
    let values: Vec<Estimate> = cells
        .iter()
        .map(|&cell| {
            let of = &moments[cell];
            let law = StudentsT::new(0.0, 1.0, of.n - 1.0).ok();
            let half = match (confidence, law) {
                (Some(confidence), Some(law)) if of.n > 1.0 => {
                    law.inverse_cdf((1.0 + confidence) / 2.0) * (of.variance() / of.n).sqrt()
                }
                _ => f64::NAN,
            };
            Estimate::new(of.mean, (of.mean - half, of.mean + half))
        })
        .collect();
    Sheet::default()
        .text("segment", cells.iter().map(|&cell| segments[cell / actions.len()].clone()))
        .text("action", cells.iter().map(|&cell| actions[cell % actions.len()].clone()))
        .int("n_rows", cells.iter().map(|&cell| moments[cell].n as i64))
        .estimate("value", &values)
        .flag("considered", cells.iter().map(|&cell| considered[cell]))
}
