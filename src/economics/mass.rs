//! Where the money sits along the market: shares by distance from the middle, beside those of the normal distribution.

use serde_json::{Map, Value, json};
use statrs::distribution::{ContinuousCDF, Normal};

use super::bootstrap::{LANES, Lanes};
use super::draws::{add, check_memory, chunks, estimates};
use super::normality::{mean_sd, omnibus, shape};
use super::reader::{Labels, Reader, at, check_boot, everybody};
use super::sheet::{Estimate, Sheet, report, sheets};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::table::Table;

report!(
    /// Money by distance from the middle of the market.
    MarketMass, "market_mass", {
        "table": [
            "segment:t", "sigma", "normal", "n:i", "customers", "customers_lo", "customers_hi",
            "money", "money_lo", "money_hi", "excess", "excess_lo", "excess_hi",
        ],
        "sides": [
            "segment:t", "side:t", "n:i", "customers", "customers_lo", "customers_hi", "money",
            "money_lo", "money_hi", "money_per_customer", "money_per_customer_lo",
            "money_per_customer_hi",
        ],
        "normality": [
            "weighted_by:t", "n:i", "mean", "sd", "skewness", "excess_kurtosis", "distance",
            "statistic", "p",
        ],
        "histogram": ["segment:t", "from", "to", "customers", "money", "normal"],
    }
);

/// Choices of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Half widths of the bands in standard deviations, ascending.
    pub bands: Vec<f64>,
    /// Half width of the mass market.
    pub mass: f64,
    /// Bootstrap replicates.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

/// A score counts as within a band up to this much beyond its edge, so that rounding of the mean decides nothing.
const EDGE: f64 = 1e-12;

/// Bins of the histogram: quarters of a standard deviation from -4 to 4, the outer ones open.
const BINS: usize = 32;

/// Money along the market.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for options out of range or a score without spread; [`Error::BadValue`]
/// for negative money; [`Error::Interrupted`].
pub fn market_mass(
    table: &Table,
    score: &str,
    money: &str,
    by: Option<Labels<'_>>,
    options: &Options,
    monitor: &Monitor,
) -> Result<MarketMass> {
    check(options)?;
    let seed = (options.n_boot > 0).then_some(options.seed);
    let settings = settings(score, money, by, options);
    let mut manifest = Manifest::new("market_mass", settings, seed, table.n_rows());
    let mut reader = Reader::new("df", table);
    let scores = reader.numbers(score)?;
    let amounts = reader.amounts(money)?;
    let groups = reader.labels_or_all(by, "by")?;
    let kept = reader.finish(&mut manifest)?;
    let data = Data {
        scores: at(&scores, &kept),
        money: at(&amounts, &kept),
        group: at(&groups.codes, &kept),
        n_groups: groups.names.len(),
        with_all: by.is_some(),
        options,
    };
    let (mean, sd) = mean_sd(&data.scores);
    if !(sd.is_finite() && sd > mean.abs() * 1e-14) {
        let found = match data.scores.as_slice() {
            [one] => format!("a single value, {one}"),
            [first, ..] => format!("the same value in every row, about {first}"),
            [] => "no value".to_string(),
        };
        let wanted = "values that differ (and are not beyond all measure) are needed";
        return Err(Error::argument(format!("column {score:?}"), found, wanted));
    }
    let total: f64 = data.money.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        let wanted = "shares need a sum above 0";
        return Err(Error::argument(
            format!("column {money:?}"),
            format!("the sum {total}"),
            wanted,
        ));
    }
    let mut names = groups.names;
    if by.is_some() {
        names.push(everybody(&names));
    }
    let point = data.figures(&data.sums(mean, sd));
    let drawn = data.replicate(monitor)?;
    let found = estimates(&point, &drawn, options.confidence);
    if data.scores.len() < 20 {
        manifest.notes.push("fewer than 20 rows: normality is not tested".to_string());
    }
    let sheets = sheets([
        ("table", data.bands(&names, &found, mean, sd)),
        ("sides", data.sides(&names, &found, mean, sd)),
        ("normality", data.normality()),
        ("histogram", data.histogram(&names, mean, sd)),
    ]);
    Ok(MarketMass { manifest, sheets })
}

fn check(options: &Options) -> Result<()> {
    check_boot(options.confidence, options.n_boot)?;
    let ascending = options.bands.windows(2).all(|pair| pair[0] < pair[1]);
    let positive = |width: &f64| *width > 0.0 && width.is_finite();
    if options.bands.is_empty() || !ascending || !options.bands.iter().all(positive) {
        let wanted = "ascending widths above 0 are needed";
        return Err(Error::argument("bands", format!("{:?}", options.bands), wanted)
            .with_mend("bands=(0.5, 1, 2, 3)"));
    }
    if !positive(&options.mass) {
        let wanted = "a number of standard deviations above 0 is needed";
        return Err(Error::argument("mass", options.mass, wanted).with_mend("mass=1"));
    }
    Ok(())
}

fn settings(
    score: &str,
    money: &str,
    by: Option<Labels<'_>>,
    options: &Options,
) -> Map<String, Value> {
    let mut settings = Map::new();
    settings.insert("score".into(), json!(score));
    settings.insert("money".into(), json!(money));
    settings.insert("by".into(), json!(by.map(|by| by.name)));
    settings.insert("bands".into(), json!(options.bands));
    settings.insert("mass".into(), json!(options.mass));
    settings.insert("n_boot".into(), json!(options.n_boot));
    settings.insert("confidence".into(), json!(options.confidence));
    settings
}

struct Data<'a> {
    scores: Vec<f64>,
    money: Vec<f64>,
    group: Vec<u32>,
    n_groups: usize,
    with_all: bool,
    options: &'a Options,
}

/// Customers and money of one group in one band or side.
type Cell = [f64; 2];

impl Data<'_> {
    /// Cells of a group: everything, the bands (each a ring beyond the one before), below, mass, above.
    fn width(&self) -> usize {
        self.options.bands.len() + 4
    }

    fn ring(&self, z: f64) -> Option<usize> {
        self.options.bands.iter().position(|&band| z.abs() <= band + EDGE)
    }

    fn side(&self, z: f64) -> usize {
        match z {
            low if low < -self.options.mass - EDGE => 0,
            high if high > self.options.mass + EDGE => 2,
            _ => 1,
        }
    }

    /// The cells that a row counts in.
    fn cells(&self, row: usize, z: f64) -> [Option<usize>; 3] {
        let first = self.group[row] as usize * self.width();
        let n_bands = self.options.bands.len();
        [
            Some(first),
            self.ring(z).map(|ring| first + 1 + ring),
            Some(first + 1 + n_bands + self.side(z)),
        ]
    }

    fn sums(&self, mean: f64, sd: f64) -> Vec<Cell> {
        let mut sums = vec![[0.0; 2]; self.n_groups * self.width()];
        for row in 0..self.scores.len() {
            for cell in self.cells(row, (self.scores[row] - mean) / sd).into_iter().flatten() {
                sums[cell][0] += 1.0;
                sums[cell][1] += self.money[row];
            }
        }
        sums
    }

    /// For each group, and for all: customers, money and excess of each band; customers, money and money per customer of each
    /// side.
    fn figures(&self, sums: &[Cell]) -> Vec<f64> {
        let width = self.width();
        let mut all = vec![[0.0; 2]; width];
        for group in sums.chunks(width) {
            for (all, cell) in all.iter_mut().zip(group) {
                all[0] += cell[0];
                all[1] += cell[1];
            }
        }
        let everybody = self.with_all.then_some(all.as_slice());
        let mut out = Vec::new();
        for group in sums.chunks(width).chain(everybody) {
            let [n, total] = group[0];
            let mut within = [0.0; 2];
            for ring in &group[1..width - 3] {
                within = [within[0] + ring[0], within[1] + ring[1]];
                let (customers, money) = (within[0] / n, within[1] / total);
                out.extend([customers, money, money - customers]);
            }
            for side in &group[width - 3..] {
                out.extend([side[0] / n, side[1] / total, side[1] / side[0]]);
            }
        }
        out
    }

    fn n_rows(&self) -> usize {
        self.n_groups + usize::from(self.with_all)
    }

    /// The figures of each replicate, whose scores are standardised anew.
    fn replicate(&self, monitor: &Monitor) -> Result<Vec<Vec<f64>>> {
        let (n_rows, n_boot) = (self.scores.len(), self.options.n_boot);
        let base = self.scores.first().copied().unwrap_or(0.0);
        let n_cells = self.n_groups * self.width();
        check_memory(2 * n_cells, n_boot)?;
        let drawn = chunks(n_rows, n_boot, 0, self.options.seed, monitor, |draws| {
            let [mut n, mut sum, mut squares]: [Lanes; 3] = [[0.0; LANES]; 3];
            draws.each(|row, weights| {
                let value = self.scores[row] - base;
                add(&mut n, weights, 1.0);
                add(&mut sum, weights, value);
                add(&mut squares, weights, value * value);
            })?;
            let (mut mean, mut sd) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                let shift = sum[lane] / n[lane];
                mean[lane] = base + shift;
                let variance = (squares[lane] - n[lane] * shift * shift) / (n[lane] - 1.0);
                sd[lane] = variance.max(0.0).sqrt();
            }
            let mut sums = vec![vec![[0.0; 2]; n_cells]; LANES];
            draws.each(|row, weights| {
                for lane in 0..LANES {
                    let weight = weights[lane];
                    if weight == 0.0 {
                        continue;
                    }
                    let z = (self.scores[row] - mean[lane]) / sd[lane];
                    for cell in self.cells(row, z).into_iter().flatten() {
                        sums[lane][cell][0] += weight;
                        sums[lane][cell][1] += weight * self.money[row];
                    }
                }
            })?;
            Ok(sums.iter().map(|sums| self.figures(sums)).collect::<Vec<_>>())
        })?;
        Ok(drawn.into_iter().flatten().take(n_boot).collect())
    }

    /// The sums of every row of the result.
    fn counted(&self, mean: f64, sd: f64) -> Vec<Vec<f64>> {
        let width = self.width();
        let mut counts: Vec<Vec<f64>> = self
            .sums(mean, sd)
            .chunks(width)
            .map(|group| group.iter().map(|cell| cell[0]).collect())
            .collect();
        if self.with_all {
            let all = (0..width).map(|cell| counts.iter().map(|group| group[cell]).sum()).collect();
            counts.push(all);
        }
        counts
    }

    fn bands(&self, names: &[String], found: &[Estimate], mean: f64, sd: f64) -> Sheet {
        let n_bands = self.options.bands.len();
        let per_row = 3 * n_bands + 9;
        let column = |figure: usize| -> Vec<Estimate> {
            (0..self.n_rows())
                .flat_map(|row| (0..n_bands).map(move |band| (row, band)))
                .map(|(row, band)| found[row * per_row + 3 * band + figure])
                .collect()
        };
        let counts = self.counted(mean, sd);
        let rows = || (0..self.n_rows()).flat_map(|row| (0..n_bands).map(move |band| (row, band)));
        Sheet::default()
            .text("segment", rows().map(|(row, _)| names[row].clone()))
            .float("sigma", rows().map(|(_, band)| self.options.bands[band]))
            .float("normal", rows().map(|(_, band)| within_normal(self.options.bands[band])))
            .int("n", rows().map(|(r, band)| counts[r][1..=band + 1].iter().sum::<f64>() as i64))
            .estimate("customers", &column(0))
            .estimate("money", &column(1))
            .estimate("excess", &column(2))
    }

    fn sides(&self, names: &[String], found: &[Estimate], mean: f64, sd: f64) -> Sheet {
        const SIDES: [&str; 3] = ["below", "mass", "above"];
        let n_bands = self.options.bands.len();
        let per_row = 3 * n_bands + 9;
        let rows = || (0..self.n_rows()).flat_map(|row| (0..3).map(move |side| (row, side)));
        let column = |figure: usize| -> Vec<Estimate> {
            rows()
                .map(|(row, side)| found[row * per_row + 3 * n_bands + 3 * side + figure])
                .collect()
        };
        let counts = self.counted(mean, sd);
        Sheet::default()
            .text("segment", rows().map(|(row, _)| names[row].clone()))
            .text("side", rows().map(|(_, side)| SIDES[side]))
            .int("n", rows().map(|(row, side)| counts[row][n_bands + 1 + side] as i64))
            .estimate("customers", &column(0))
            .estimate("money", &column(1))
            .estimate("money_per_customer", &column(2))
    }

    /// Shape of the scores, each customer counted once, and each weighted by money.
    fn normality(&self) -> Sheet {
        let mut order: Vec<usize> = (0..self.scores.len()).collect();
        order.sort_by(|&a, &b| self.scores[a].total_cmp(&self.scores[b]));
        let sorted = at(&self.scores, &order);
        let plain = shape(&sorted, &vec![1.0; sorted.len()]);
        let weighted = shape(&sorted, &at(&self.money, &order));
        let (k2, p) = omnibus(sorted.len(), plain.skewness, plain.excess_kurtosis);
        let shapes = [plain, weighted];
        Sheet::default()
            .text("weighted_by", ["customers", "money"])
            .int("n", [sorted.len() as i64; 2])
            .float("mean", shapes.map(|shape| shape.mean))
            .float("sd", shapes.map(|shape| shape.sd))
            .float("skewness", shapes.map(|shape| shape.skewness))
            .float("excess_kurtosis", shapes.map(|shape| shape.excess_kurtosis))
            .float("distance", shapes.map(|shape| shape.distance))
            .float("statistic", [k2, f64::NAN])
            .float("p", [p, f64::NAN])
    }

    fn histogram(&self, names: &[String], mean: f64, sd: f64) -> Sheet {
        let mut sums = vec![[[0.0; 2]; BINS]; self.n_rows()];
        for row in 0..self.scores.len() {
            let z = (self.scores[row] - mean) / sd;
            let bin = ((z + 4.0) * 4.0).floor().clamp(0.0, BINS as f64 - 1.0) as usize;
            let all = self.with_all.then_some(self.n_groups);
            for group in [Some(self.group[row] as usize), all].into_iter().flatten() {
                sums[group][bin][0] += 1.0;
                sums[group][bin][1] += self.money[row];
            }
        }
        let rows = || (0..self.n_rows()).flat_map(|row| (0..BINS).map(move |bin| (row, bin)));
        let share = |what: usize| -> Vec<f64> {
            sums.iter()
                .flat_map(|bins| {
                    let total: f64 = bins.iter().map(|bin| bin[what]).sum();
                    bins.iter().map(move |bin| bin[what] / total)
                })
                .collect()
        };
        let edge = |bin: usize| match bin {
            0 => f64::NEG_INFINITY,
            BINS => f64::INFINITY,
            _ => bin as f64 / 4.0 - 4.0,
        };
        let normal = Normal::standard();
        Sheet::default()
            .text("segment", rows().map(|(row, _)| names[row].clone()))
            .float("from", rows().map(|(_, bin)| edge(bin)))
            .float("to", rows().map(|(_, bin)| edge(bin + 1)))
            .float("customers", share(0))
            .float("money", share(1))
            .float("normal", rows().map(|(_, b)| normal.cdf(edge(b + 1)) - normal.cdf(edge(b))))
    }
}

/// Share of the normal distribution within a half width around its mean.
pub fn within_normal(width: f64) -> f64 {
    1.0 - 2.0 * Normal::standard().sf(width)
}
