//! Where effort goes and where outcomes come from.

use serde_json::{Map, json};

use super::draws::{estimates, sums};
use super::reader::{Labels, Reader, at, check_boot};
use super::sheet::{Estimate, Sheet, report, sheets};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::table::Table;

report!(
    /// Effort beside outcome, by segment.
    EffortIndex, "effort_index", {
        "table": [
            "segment:t", "n:i", "effort", "outcome", "effort_share", "effort_share_lo",
            "effort_share_hi", "outcome_share", "outcome_share_lo", "outcome_share_hi", "index",
            "index_lo", "index_hi", "outcome_per_effort", "wasted_share", "wasted_share_lo",
            "wasted_share_hi", "status:t",
        ],
        "reallocation": ["segment:t", "effort", "proportional_effort", "move"],
        "total": ["effort", "outcome", "wasted", "wasted_share"],
    }
);

/// Choices of the user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Bootstrap replicates.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

/// Effort, outcome, and effort without outcome; mergeable by adding up.
type Cell = [f64; 3];

/// Figures of each segment: effort share, outcome share, their ratio, wasted share.
fn figures(cells: &[Cell]) -> Vec<f64> {
    let total = |what: usize| cells.iter().map(|cell| cell[what]).sum::<f64>();
    let (effort, outcome) = (total(0), total(1));
    cells
        .iter()
        .flat_map(|cell| {
            let shares = [cell[0] / effort, cell[1] / outcome];
            [shares[0], shares[1], shares[1] / shares[0], cell[2] / cell[0]]
        })
        .collect()
}

/// Effort and outcome of each segment.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a negative effort or outcome; [`Error::Argument`] if all efforts or all
/// outcomes are 0; [`Error::Interrupted`].
pub fn effort_index(
    table: &Table,
    segment: Labels<'_>,
    effort: &str,
    outcome: &str,
    options: Options,
    monitor: &Monitor,
) -> Result<EffortIndex> {
    check_boot(options.confidence, options.n_boot)?;
    let mut settings = Map::new();
    settings.insert("segment".into(), json!(segment.name));
    settings.insert("effort".into(), json!(effort));
    settings.insert("outcome".into(), json!(outcome));
    settings.insert("n_boot".into(), json!(options.n_boot));
    settings.insert("confidence".into(), json!(options.confidence));
    let seed = (options.n_boot > 0).then_some(options.seed);
    let mut manifest = Manifest::new("effort_index", settings, seed, table.n_rows());
    let mut reader = Reader::new("df", table);
    let groups = reader.labels(segment, "segment")?;
    let spent = reader.amounts(effort)?;
    let gained = reader.amounts(outcome)?;
    let kept = reader.finish(&mut manifest)?;
    let (code, spent, gained) = (at(&groups.codes, &kept), at(&spent, &kept), at(&gained, &kept));
    let names = groups.names;
    let mut cells = vec![[0.0; 3]; names.len()];
    let mut n = vec![0_i64; names.len()];
    let wasted = |row: usize| if gained[row] == 0.0 { spent[row] } else { 0.0 };
    for row in 0..code.len() {
        let cell = &mut cells[code[row] as usize];
        cell[0] += spent[row];
        cell[1] += gained[row];
        cell[2] += wasted(row);
        n[code[row] as usize] += 1;
    }
    let total: Cell = std::array::from_fn(|what| cells.iter().map(|cell| cell[what]).sum());
    for (column, total) in [(effort, total[0]), (outcome, total[1])] {
        if !(total > 0.0 && total.is_finite()) {
            let wanted = "shares need a sum above 0";
            return Err(Error::argument(
                format!("column {column:?}"),
                format!("the sum {total}"),
                wanted,
            ));
        }
    }
    let aggregated = n.iter().all(|&n| n <= 1);
    let n_boot = if aggregated { 0 } else { options.n_boot };
    if aggregated && options.n_boot > 0 {
        manifest.notes.push("no intervals: one row per segment cannot be resampled".to_string());
    }
    let drawn = sums(code.len(), 3 * names.len(), n_boot, 0, options.seed, monitor, |row, add| {
        let cell = 3 * code[row] as usize;
        add(cell, spent[row]);
        add(cell + 1, gained[row]);
        add(cell + 2, wasted(row));
    })?;
    let drawn: Vec<Vec<f64>> = drawn
        .iter()
        .map(|sums| figures(&sums.chunks(3).map(|s| [s[0], s[1], s[2]]).collect::<Vec<_>>()))
        .collect();
    let found = estimates(&figures(&cells), &drawn, options.confidence);
    let column =
        |what: usize| -> Vec<Estimate> { found.iter().skip(what).step_by(4).copied().collect() };
    let index = column(2);
    // Highest index first: where more effort pays most.
    let mut order: Vec<usize> = (0..names.len()).filter(|&s| n[s] > 0).collect();
    order.sort_by(|&a, &b| index[b].value.total_cmp(&index[a].value));
    let sorted = |what: usize| -> Vec<Estimate> { at(&column(what), &order) };
    let sheet = Sheet::default()
        .text("segment", order.iter().map(|&s| names[s].clone()))
        .int("n", order.iter().map(|&s| n[s]))
        .float("effort", order.iter().map(|&s| cells[s][0]))
        .float("outcome", order.iter().map(|&s| cells[s][1]))
        .estimate("effort_share", &sorted(0))
        .estimate("outcome_share", &sorted(1))
        .estimate("index", &sorted(2))
        .float("outcome_per_effort", order.iter().map(|&s| cells[s][1] / cells[s][0]))
        .estimate("wasted_share", &sorted(3))
        .text("status", order.iter().map(|&s| status(&index[s])));
    let proportional = |s: usize| total[0] * (cells[s][1] / total[1]);
    let reallocation = Sheet::default()
        .text("segment", order.iter().map(|&s| names[s].clone()))
        .float("effort", order.iter().map(|&s| cells[s][0]))
        .float("proportional_effort", order.iter().map(|&s| proportional(s)))
        .float("move", order.iter().map(|&s| proportional(s) - cells[s][0]));
    let all = Sheet::default()
        .float("effort", [total[0]])
        .float("outcome", [total[1]])
        .float("wasted", [total[2]])
        .float("wasted_share", [total[2] / total[0]]);
    let sheets = sheets([("table", sheet), ("reallocation", reallocation), ("total", all)]);
    Ok(EffortIndex { manifest, sheets })
}

fn status(index: &Estimate) -> &'static str {
    // Without an interval the estimate speaks for itself.
    let (lo, hi) = match index.lo.is_nan() {
        true => (index.value, index.value),
        false => (index.lo, index.hi),
    };
    if index.value.is_nan() {
        "no effort"
    } else if lo > 1.0 {
        "under-invested"
    } else if hi < 1.0 {
        "over-invested"
    } else {
        "in line"
    }
}
