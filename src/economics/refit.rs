//! Replicates in which the segments are found anew, so that intervals hold for the segmentation, too.
//!
//! In each replicate the customers are resampled, the clustering is fitted to them, its clusters are named after those of the
//! original segmentation by the one-to-one matching that keeps the most customers in place, and every figure is taken again of
//! the segments found (Dolnicar and Leisch 2010, Marketing Letters 21:83-101, for segments that move under resampling).

use serde_json::Value;

use super::acquisition::Cells;
use super::bootstrap::{Replicates, weights};
use super::survival::{EventCounts, EventTable};
use super::totals::{Field, N_FIELDS, Row, Sums};
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::quality::assignment::best_matching;
use crate::segment::{Model, Rows, Segmentation};
use crate::simd::LANES;
use crate::table::{MISSING, Table};

/// A segmentation that can be fitted to other weights of the same customers.
#[derive(Debug)]
pub struct Refit<'a> {
    model: &'a Model,
    /// Segment of each cluster.
    groups: Vec<u32>,
    rows: Rows,
    /// Row of the table of each row of `rows`.
    used: Vec<usize>,
    /// Cluster of each row of `rows` in the segmentation.
    clusters: Vec<u32>,
    weights: Option<Vec<f64>>,
}

/// Starts of each fit.
const N_INIT: usize = 5;

impl<'a> Refit<'a> {
    /// Reads the features again from the customers that the segmentation was made of.
    ///
    /// # Errors
    ///
    /// Those of reading columns; [`Error::Argument`] if the number of customers differs.
    pub fn new(segmentation: &'a Segmentation, customers: &Table) -> Result<Self> {
        let labels = segmentation.labels();
        if labels.len() != customers.n_rows() {
            return Err(Error::argument(
                "refit",
                format!("a segmentation of {} customers", labels.len()),
                format!("the table has {}; refit needs the same customers", customers.n_rows()),
            ));
        }
        let used: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] != MISSING).collect();
        let groups = segmentation.groups()?;
        let clustering = segmentation.clustering()?;
        let model = clustering.model();
        let prepared = clustering.preparation().apply(customers)?.take(&used);
        let rows = Rows::new(&prepared, model.method())?;
        let weights = match segmentation.manifest().settings.get("weights") {
            Some(Value::String(name)) => {
                let all = customers.numeric(name)?;
                Some(used.iter().map(|&row| all[row]).collect())
            }
            _ => None,
        };
        let clusters = model.predict(&rows, &Monitor::new())?;
        Ok(Self { model, groups, rows, used, clusters, weights })
    }

    /// What the intervals then hold for.
    pub(super) fn note(&self) -> String {
        "intervals hold for the segmentation, too: it was fitted anew in each replicate".into()
    }

    /// Segment of each row of the table, found from customers who count `drawn` times.
    fn labels(&self, drawn: &[f64], seed: u64, monitor: &Monitor) -> Result<Vec<u32>> {
        let k = self.model.weights().len();
        let weights: Vec<f64> = (self.used.iter().enumerate())
            .map(|(at, &row)| drawn[row] * self.weights.as_ref().map_or(1.0, |weights| weights[at]))
            .collect();
        let model = Model::fit(&self.rows, Some(&weights), k, N_INIT, seed, monitor)?;
        let k_new = model.labels().iter().map(|&label| label as usize + 1).max().unwrap_or(0);
        let mut overlap = vec![0.0; k_new * k];
        for ((&new, &old), weight) in model.labels().iter().zip(&self.clusters).zip(&weights) {
            if (old as usize) < k {
                overlap[new as usize * k + old as usize] += weight;
            }
        }
        let matched = best_matching(&overlap, k);
        let mut labels = vec![MISSING; drawn.len()];
        for (&row, &new) in self.used.iter().zip(model.labels()) {
            let old = matched.get(new as usize).copied().flatten();
            labels[row] = old.and_then(|old| self.groups.get(old).copied()).unwrap_or(MISSING);
        }
        Ok(labels)
    }
}

/// One replicate, in the layout of the scorecard's.
struct One {
    sums: Vec<Sums>,
    days: Vec<f64>,
    channels: Vec<[f64; 2]>,
}

/// Draws `n_boot` replicates, each with its own segments.
///
/// One fit per replicate; weights are those of [`super::bootstrap::replicate`] where customers are too few to be grouped.
///
/// # Errors
///
/// [`Error::Interrupted`], and those of the clustering.
pub(super) fn replicate_refitted(
    rows: &[Row],
    n_segments: usize,
    n_boot: usize,
    seed: u64,
    spend: Option<&Cells>,
    refit: &Refit<'_>,
    monitor: &Monitor,
) -> Result<Replicates> {
    monitor.expect(n_boot as u64);
    let drawn: Vec<One> = parallel::map_tasks(n_boot, |replicate| {
        monitor.check()?;
        let lane = replicate % LANES;
        let drawn: Vec<f64> = weights(rows.len(), replicate / LANES, seed)
            .iter()
            .map(|counts| f64::from(counts[lane]))
            .collect();
        // Work inside a task stays on its thread; a monitor of its own, since the fit counts units of its own.
        let own = Monitor::new();
        let labels = parallel::alone(|| refit.labels(&drawn, seed ^ replicate as u64, &own))?;
        let one = one(rows, &drawn, &labels, n_segments, spend);
        monitor.advance(1);
        one
    })
    .into_iter()
    .collect::<Result<_>>()?;
    let in_order = |n: usize, at: &dyn Fn(&One, usize) -> f64| -> Vec<f64> {
        (0..n).flat_map(|place| drawn.iter().map(move |one| at(one, place))).collect()
    };
    let n_days = if rows.iter().all(|row| row.days.is_nan()) { 0 } else { n_segments + 1 };
    let n_pairs = spend.map_or(0, |cells| cells.n_channels * n_segments);
    Ok(Replicates {
        n_boot,
        sums: in_order(n_segments * N_FIELDS, &|one, at| one.sums[at / N_FIELDS][at % N_FIELDS]),
        days: in_order(n_days, &|one, at| one.days[at]),
        channels: in_order(2 * n_pairs, &|one, at| one.channels[at / 2][at % 2]),
    })
}

fn one(
    rows: &[Row],
    drawn: &[f64],
    labels: &[u32],
    n_segments: usize,
    spend: Option<&Cells>,
) -> Result<One> {
    let n_cells = spend.map_or(0, |cells| cells.channel.len());
    let mut won = vec![0.0; n_cells * n_segments];
    let mut sums = vec![[0.0; N_FIELDS]; n_segments];
    let mut counts = vec![EventCounts::default(); n_segments];
    let (mut n_rows, mut n_drawn) = (0.0, 0.0);
    for ((row, &weight), &label) in rows.iter().zip(drawn).zip(labels) {
        if row.segment == MISSING {
            continue;
        }
        n_rows += 1.0;
        n_drawn += weight;
        let segment = label as usize;
        if segment >= n_segments || weight == 0.0 {
            continue;
        }
        for (sum, value) in sums[segment].iter_mut().zip(&row.values) {
            *sum += weight * value;
        }
        if !row.days.is_nan() {
            counts[segment].update(row.days, row.outcome, weight)?;
        }
        if let Some(won) = won.get_mut((row.bought as usize).saturating_mul(n_segments) + segment) {
            *won += weight;
        }
    }
    let scale = n_rows / n_drawn;
    sums.iter_mut().flatten().for_each(|sum| *sum *= scale);
    let tables: Vec<EventTable> = counts.iter().map(EventCounts::finish).collect();
    let days = tables.iter().chain([&EventTable::sum(&tables)]).map(EventTable::median).collect();
    let mut channels = Vec::new();
    if let Some(spend) = spend {
        channels = vec![[0.0; 2]; spend.n_channels * n_segments];
        sums.iter_mut().for_each(|sums| sums[Field::Acquisition as usize] = 0.0);
        for (cell, &channel) in spend.channel.iter().enumerate() {
            let own = &won[cell * n_segments..][..n_segments];
            spend.share(
                cell,
                |segment| own[segment],
                |segment, amount| {
                    let pair = &mut channels[channel as usize * n_segments + segment];
                    pair[0] += amount;
                    pair[1] += own[segment] * scale;
                    sums[segment][Field::Acquisition as usize] += amount;
                },
            );
        }
    }
    Ok(One { sums, days, channels })
}
