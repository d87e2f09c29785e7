//! How unequally money is spread over customers: Lorenz curve, Gini, and what the largest customers hold.
//!
//! Cost: one sort of the rows, then two passes over them for every 32 replicates; the passes are bound by the adding up of
//! replicates that stand side by side in vector registers.

use serde_json::{Map, Value, json};

use super::bootstrap::{LANES, Lanes};
use super::draws::{add, chunks, estimates};
use super::reader::{Groups, Labels, Reader, check_boot, check_share, everybody};
use super::sheet::{Sheet, report, sheets};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::table::Table;

/// What is done with negative values, for which shares of a total mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negative {
    /// They are refused.
    Error,
    /// They count as 0.
    Zero,
    /// Their rows are left out.
    LeaveOut,
}

impl Negative {
    fn parse(name: &str) -> Result<Self> {
        match name {
            "error" => Ok(Self::Error),
            "zero" => Ok(Self::Zero),
            "leave_out" => Ok(Self::LeaveOut),
            _ => Err(Error::argument(
                "negative",
                format!("{name:?}"),
                "\"error\", \"zero\" or \"leave_out\" is needed",
            )),
        }
    }
}

/// Choices of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Share of the largest customers, whose share of the total is asked for.
    pub top: f64,
    /// Share of the total, whose holders are counted.
    pub hold: f64,
    /// What is done with negative values.
    pub negative: String,
    /// Bootstrap replicates.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

report!(
    /// Concentration of each group of customers, everybody last.
    Concentration, "concentration", {
        "table": [
            "segment:t", "n:f", "n_zero:i", "n_negative:i", "total", "mean", "gini", "gini_lo",
            "gini_hi", "gini_corrected", "top_share", "top_share_lo", "top_share_hi", "holders",
            "holders_lo", "holders_hi",
        ],
        "lorenz": ["segment:t", "customers", "value"],
    }
);

/// Figures of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Area between the diagonal and the Lorenz polygon, twice: the mean absolute difference of all pairs, a row with itself
    /// included, over twice the mean.
    pub gini: f64,
    /// The same times n / (n - 1): without pairs of a row with itself.
    pub gini_corrected: f64,
    /// Share of the total that the largest `top` of the customers hold.
    pub top_share: f64,
    /// Share of the customers, largest first, that hold `hold` of the total.
    pub holders: f64,
}

impl Spread {
    fn figures(self) -> [f64; 4] {
        [self.gini, self.gini_corrected, self.top_share, self.holders]
    }
}

/// Figures of values in ascending order, each counted `weights` times; NaN where the total is 0.
pub fn spread(values: &[f64], weights: &[f64], top: f64, hold: f64) -> Spread {
    let n: f64 = weights.iter().sum();
    let total: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    let (mut held, mut counted, mut area) = (0.0, 0.0, 0.0);
    let (mut below, mut others) = (f64::NAN, f64::NAN);
    for (&value, &weight) in values.iter().zip(weights) {
        step(
            value,
            weight,
            n,
            total,
            top,
            hold,
            [&mut held, &mut counted, &mut area],
            [&mut below, &mut others],
        );
    }
    finish(n, total, area, below, others)
}

/// One row more of the Lorenz polygon: `sums` are value held, customers counted and area so far, `marks` the share held by
/// the smaller customers and the share of customers who hold the rest.
#[allow(clippy::too_many_arguments)]
#[inline]
fn step(
    value: f64,
    weight: f64,
    n: f64,
    total: f64,
    top: f64,
    hold: f64,
    [held, counted, area]: [&mut f64; 3],
    [below, others]: [&mut f64; 2],
) {
    if weight == 0.0 {
        return;
    }
    let more = value * weight;
    *area += weight * (2.0 * *held + more);
    let place = (1.0 - top) * n;
    if below.is_nan() && *counted + weight >= place {
        *below = (*held + value * (place - *counted)) / total;
    }
    let rest = (1.0 - hold) * total;
    if others.is_nan() && more > 0.0 && *held + more >= rest {
        *others = (*counted + (rest - *held) / value) / n;
    }
    *held += more;
    *counted += weight;
}

fn finish(n: f64, total: f64, area: f64, below: f64, others: f64) -> Spread {
    if !(total > 0.0 && total.is_finite()) {
        let nan = f64::NAN;
        return Spread { gini: nan, gini_corrected: nan, top_share: nan, holders: nan };
    }
    // Dividing one after the other does not overflow.
    let gini = (1.0 - area / n / total).max(0.0);
    let gini_corrected = if n > 1.0 { gini * n / (n - 1.0) } else { f64::NAN };
    // Rounding may leave the last step a hair short of its mark: then everything lies below it.
    let below = if below.is_nan() { 1.0 } else { below };
    Spread { gini, gini_corrected, top_share: 1.0 - below, holders: 1.0 - others }
}

/// The Lorenz polygon of ascending values at `points` + 1 equally spaced shares of customers.
pub fn lorenz(values: &[f64], weights: &[f64], points: usize) -> Vec<f64> {
    let n: f64 = weights.iter().sum();
    let total: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    let mut curve = vec![0.0];
    let (mut held, mut counted) = (0.0, 0.0);
    for (&value, &weight) in values.iter().zip(weights) {
        while curve.len() < points {
            let place = curve.len() as f64 / points as f64 * n;
            if counted + weight < place {
                break;
            }
            curve.push((held + value * (place - counted)) / total);
        }
        held += value * weight;
        counted += weight;
    }
    curve.resize(points + 1, 1.0);
    if total.is_nan() || total <= 0.0 {
        curve.fill(f64::NAN);
    }
    curve
}

/// Points of the Lorenz curve that a result keeps.
const POINTS: usize = 200;

/// One group, smallest value first.
struct Sorted {
    values: Vec<f64>,
    weights: Vec<f64>,
    n_zero: usize,
    n_negative: usize,
}

/// Concentration of the column `value` in each group and in all.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for options out of range; [`Error::BadValue`] for a negative value (unless
/// allowed) or weight; [`Error::Interrupted`].
pub fn concentration(
    table: &Table,
    value: &str,
    by: Option<Labels<'_>>,
    weights: Option<&str>,
    options: &Options,
    monitor: &Monitor,
) -> Result<Concentration> {
    check_share("top", options.top, "0.2")?;
    check_share("hold", options.hold, "0.8")?;
    check_boot(options.confidence, options.n_boot)?;
    let negative = Negative::parse(&options.negative)?;
    let seed = (options.n_boot > 0).then_some(options.seed);
    let settings = settings(value, by, weights, options);
    let mut manifest = Manifest::new("concentration", settings, seed, table.n_rows());
    let mut reader = Reader::new("values", table);
    let values = reader.numbers(value)?;
    let groups = reader.labels_or_all(by, "by")?;
    let weight = reader.amounts_or_one(weights)?;
    let is_negative = |row: usize| values[row] < 0.0;
    match negative {
        Negative::Error => {
            if let Some(row) = (0..values.len()).find(|&row| is_negative(row)) {
                let wanted = "shares of a total need values of 0 or more";
                return Err(Error::value(value, row, values[row], wanted)
                    .with_mend("negative=\"zero\" or negative=\"leave_out\""));
            }
        }
        Negative::LeaveOut => reader.leave_out(format!("{value:?} is negative"), is_negative),
        Negative::Zero => {}
    }
    let kept = reader.finish(&mut manifest)?;
    let sorted = sort(&values, &weight, &groups, &kept, by.is_some());
    let n_negative: usize = sorted.last().map_or(0, |all| all.n_negative);
    if n_negative > 0 {
        manifest.notes.push(format!("{n_negative} negative values of {value:?} count as 0"));
    }
    let mut names = groups.names;
    if by.is_some() {
        names.push(everybody(&names));
    }
    let mut found: [Vec<_>; 4] = Default::default();
    for (index, group) in sorted.iter().enumerate() {
        let point = spread(&group.values, &group.weights, options.top, options.hold).figures();
        let drawn = replicate(group, index, options, monitor)?;
        for (column, estimate) in
            found.iter_mut().zip(estimates(&point, &drawn, options.confidence))
        {
            column.push(estimate);
        }
    }
    let counts: Vec<f64> = sorted.iter().map(|group| group.weights.iter().sum()).collect();
    let totals: Vec<f64> = sorted
        .iter()
        .map(|group| group.values.iter().zip(&group.weights).map(|(v, w)| v * w).sum())
        .collect();
    let table = Sheet::default()
        .text("segment", names.clone())
        .float("n", counts.iter().copied())
        .int("n_zero", sorted.iter().map(|group| group.n_zero as i64))
        .int("n_negative", sorted.iter().map(|group| group.n_negative as i64))
        .float("total", totals.iter().copied())
        .float("mean", totals.iter().zip(&counts).map(|(total, n)| total / n))
        .estimate("gini", &found[0])
        .estimate("gini_corrected", &found[1])
        .estimate("top_share", &found[2])
        .estimate("holders", &found[3]);
    let rows = || (0..sorted.len()).flat_map(|group| (0..=POINTS).map(move |point| (group, point)));
    let curve = Sheet::default()
        .text("segment", rows().map(|(group, _)| names[group].clone()))
        .float("customers", rows().map(|(_, point)| point as f64 / POINTS as f64))
        .float("value", sorted.iter().flat_map(|g| lorenz(&g.values, &g.weights, POINTS)));
    Ok(Concentration { manifest, sheets: sheets([("table", table), ("lorenz", curve)]) })
}

fn settings(
    value: &str,
    by: Option<Labels<'_>>,
    weights: Option<&str>,
    options: &Options,
) -> Map<String, Value> {
    let mut settings = Map::new();
    settings.insert("value".into(), json!(value));
    settings.insert("by".into(), json!(by.map(|by| by.name)));
    settings.insert("weights".into(), json!(weights));
    settings.insert("top".into(), json!(options.top));
    settings.insert("hold".into(), json!(options.hold));
    settings.insert("negative".into(), json!(options.negative));
    settings.insert("n_boot".into(), json!(options.n_boot));
    settings.insert("confidence".into(), json!(options.confidence));
    settings
}

/// The rows of each group in ascending order, and of all where there is more than one group.
fn sort(
    values: &[f64],
    weights: &[f64],
    groups: &Groups,
    kept: &[usize],
    with_all: bool,
) -> Vec<Sorted> {
    let mut order: Vec<usize> = kept.to_vec();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut sorted: Vec<Sorted> = (0..groups.names.len() + usize::from(with_all))
        .map(|_| Sorted { values: Vec::new(), weights: Vec::new(), n_zero: 0, n_negative: 0 })
        .collect();
    let all = groups.names.len();
    for row in order {
        let own = groups.codes[row] as usize;
        for group in [own, all] {
            let Some(group) = sorted.get_mut(group) else { continue };
            let value = values[row];
            group.n_zero += usize::from(value == 0.0);
            group.n_negative += usize::from(value < 0.0);
            group.values.push(value.max(0.0));
            group.weights.push(weights[row]);
        }
    }
    sorted
}

/// Figures of each replicate of one group.
fn replicate(
    group: &Sorted,
    index: usize,
    options: &Options,
    monitor: &Monitor,
) -> Result<Vec<Vec<f64>>> {
    let (top, hold) = (options.top, options.hold);
    let (n_rows, n_boot) = (group.values.len(), options.n_boot);
    let chunks = chunks(n_rows, n_boot, index, options.seed, monitor, |draws| {
        let (mut n, mut total): (Lanes, Lanes) = ([0.0; LANES], [0.0; LANES]);
        draws.each(|row, drawn| {
            add(&mut n, drawn, group.weights[row]);
            add(&mut total, drawn, group.weights[row] * group.values[row]);
        })?;
        let (mut held, mut counted, mut area) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let (mut below, mut others) = ([f64::NAN; LANES], [f64::NAN; LANES]);
        draws.each(|row, drawn| {
            for lane in 0..LANES {
                step(
                    group.values[row],
                    group.weights[row] * drawn[lane],
                    n[lane],
                    total[lane],
                    top,
                    hold,
                    [&mut held[lane], &mut counted[lane], &mut area[lane]],
                    [&mut below[lane], &mut others[lane]],
                );
            }
        })?;
        Ok((0..LANES)
            .map(|i| finish(n[i], total[i], area[i], below[i], others[i]).figures().to_vec())
            .collect::<Vec<_>>())
    })?;
    Ok(chunks.into_iter().flatten().take(n_boot).collect())
}
