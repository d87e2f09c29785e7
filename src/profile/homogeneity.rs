//! Whether the customers of a segment are alike, block by block: expectations, needs, preferences, budget.
//!
//! Mean distances between all pairs are told without the pairs: the distance of Gower (1971, Biometrics 27:857-871) is a mean
//! over variables, of numbers sorted once the sums to all customers of a segment follow from running totals, and of
//! categories from counts. So means and silhouettes are exact for any number of customers: `n log n` time a number, `n` times
//! segments of memory.

use serde::{Deserialize, Serialize};

use super::Segments;
use super::ranks::sorted;
use crate::economics::sheet::Sheet;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::Persist;
use crate::table::{Kind, MISSING, Table};

/// A segment is homogeneous where its customers are at most this share as far apart as any two,
pub const ALIKE: f64 = 0.6;
/// and partly so up to this one.
pub const PARTLY: f64 = 0.85;

/// Variables that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
}

/// How alike the customers of each segment are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Homogeneity {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the segments.
    pub names: Vec<String>,
    /// One row per block and segment.
    pub segments: Sheet,
    /// One row per block.
    pub blocks: Sheet,
    /// One row per block and variable.
    pub variables: Sheet,
    /// One row per base of variables.
    pub bases: Sheet,
}

impl Persist for Homogeneity {
    const KIND: &'static str = "segment_homogeneity";

    fn validate(&self) -> Result<()> {
        let figures = ["within_ss", "distance", "distance_to_others", "ratio", "silhouette"];
        let with = |heads: &[&'static str]| [heads, &figures].concat();
        self.segments.check("segments", &with(&["block:t", "segment:t", "n:i", "verdict:t"]))?;
        self.blocks.check("blocks", &with(&["block:t", "n:i", "verdict:t"]))?;
        self.variables.check("variables", &["block:t", "variable:t", "base:t", "n:i", "eta2"])?;
        self.bases.check("bases", &["base:t", "variables:i", "eta2", "strongest:t"])
    }
}

/// A column as distances need it, over the rows that have a segment.
enum Variable {
    /// From 0 to 1; NaN is missing.
    Number(Vec<f64>),
    /// Codes below a number; [`MISSING`] is missing.
    Category(Vec<u32>, usize),
}

impl Variable {
    fn has(&self, row: usize) -> bool {
        match self {
            Self::Number(values) => !values[row].is_nan(),
            Self::Category(codes, _) => codes[row] != MISSING,
        }
    }
}

/// How much of the spread of one variable lies within segments.
struct Spread {
    n: usize,
    /// For each segment the customers with a value and their squared distances from the segment's own mean.
    within: Vec<(usize, f64)>,
    total: f64,
}

impl Spread {
    fn eta2(&self) -> f64 {
        let within: f64 = self.within.iter().map(|(_, squares)| squares).sum();
        (1.0 - within / self.total).clamp(0.0, 1.0)
    }
}

/// Measures how alike the customers of each segment are in each block of columns.
///
/// `bases` says of columns what they are about: their eta squared is told together, also of columns in no block.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] where no customer has a segment and for a column that is constant or has no
/// value; [`Error::Interrupted`].
pub fn homogeneity(
    table: &Table,
    segments: Segments<'_>,
    blocks: &[Block],
    bases: &[(String, String)],
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Homogeneity> {
    let rows: Vec<usize> =
        (0..segments.labels.len()).filter(|&row| segments.labels[row] != MISSING).collect();
    manifest.leave_out("no segment", segments.labels.len() - rows.len());
    if segments.labels.len() != table.n_rows() {
        let wanted = format!("one for each of the {} rows is needed", table.n_rows());
        return Err(Error::argument("segments", segments.labels.len(), wanted));
    }
    if rows.is_empty() {
        return Err(manifest.nothing_left("df", table.n_rows()));
    }
    let labels: Vec<usize> = rows.iter().map(|&row| segments.labels[row] as usize).collect();
    let k = segments.names.len();
    monitor.expect(blocks.len() as u64);
    let measured = parallel::map_tasks(blocks.len(), |at| -> Result<_> {
        monitor.check()?;
        let mut spreads = Vec::new();
        let mut sums = Sums::new(rows.len(), k);
        for name in &blocks[at].columns {
            let variable = read(table, name, &rows)?;
            spreads.push(spread(&variable, &labels, k));
            sums.add(&variable, &labels, k);
            monitor.check()?;
        }
        let figures = sums.figures(&labels, k);
        monitor.advance(1);
        Ok((spreads, figures))
    });
    let base_of = |name: &str| {
        bases.iter().find(|(column, _)| column == name).map_or("", |(_, base)| base.as_str())
    };
    let mut sizes = vec![0_usize; k];
    labels.iter().for_each(|&label| sizes[label] += 1);
    let mut found = Tables::default();
    for (block, measured) in blocks.iter().zip(measured) {
        let (spreads, figures) = measured?;
        for (name, spread) in block.columns.iter().zip(&spreads) {
            found.variable(&block.name, name, base_of(name), spread);
        }
        for segment in 0..k {
            let share = within_share(&spreads, &[segment]);
            found.segment(block, &segments.names[segment], sizes[segment], share, figures[segment]);
        }
        let all: Vec<usize> = (0..k).collect();
        found.block(block, rows.len(), within_share(&spreads, &all), figures[k]);
    }
    for (name, base) in bases {
        if !found.variables.iter().any(|(_, variable, ..)| variable == name) {
            let spread = spread(&read(table, name, &rows)?, &labels, k);
            found.variable("", name, base, &spread);
        }
    }
    Ok(found.finish(manifest, segments.names.to_vec()))
}

/// Reads a column at the rows; dates and ordered categories are numbers.
fn read(table: &Table, name: &str, rows: &[usize]) -> Result<Variable> {
    let refuse = |found: &str| {
        Err(Error::argument(format!("column {name:?}"), found, "values that differ are needed")
            .with_mend(format!("df = df.drop(columns={name:?})")))
    };
    let numbers = |values: Vec<f64>| {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &value in values.iter().filter(|value| !value.is_nan()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return refuse("no value at all");
        }
        if low == high {
            return refuse("one value in every row");
        }
        // Halves first, so that the largest floats have a range too.
        let range = 0.5 * high - 0.5 * low;
        let scaled = values.iter().map(|value| (0.5 * value - 0.5 * low) / range).collect();
        Ok(Variable::Number(scaled))
    };
    match table.kind(name)? {
        Kind::Number => {
            let values = table.numeric(name)?;
            numbers(rows.iter().map(|&row| values[row]).collect())
        }
        Kind::Date => {
            let values = table.days(name)?;
            numbers(rows.iter().map(|&row| values[row]).collect())
        }
        Kind::Ordinal => {
            let codes = table.codes(name)?.codes;
            let value = |code: u32| if code == MISSING { f64::NAN } else { f64::from(code) };
            numbers(rows.iter().map(|&row| value(codes[row])).collect())
        }
        _ => {
            let codes = table.codes(name)?;
            let values: Vec<u32> = rows.iter().map(|&row| codes.codes[row]).collect();
            let mut present = values.iter().filter(|&&code| code != MISSING);
            let Some(first) = present.next() else { return refuse("no value at all") };
            if present.all(|code| code == first) {
                return refuse("one value in every row");
            }
            Ok(Variable::Category(values, codes.categories.len()))
        }
    }
}

/// Squared distances from means; of categories those of their indicators, half a distance for each that differs.
fn spread(variable: &Variable, labels: &[usize], k: usize) -> Spread {
    match variable {
        Variable::Number(values) => {
            let present = || values.iter().zip(labels).filter(|(value, _)| !value.is_nan());
            let (mut n, mut sum) = (vec![0_usize; k], vec![0.0; k]);
            for (value, &label) in present() {
                n[label] += 1;
                sum[label] += value;
            }
            let all: usize = n.iter().sum();
            let mean = sum.iter().sum::<f64>() / all as f64;
            let own: Vec<f64> = sum.iter().zip(&n).map(|(sum, &n)| sum / n as f64).collect();
            let (mut within, mut total) = (vec![0.0; k], 0.0);
            for (value, &label) in present() {
                within[label] += (value - own[label]).powi(2);
                total += (value - mean).powi(2);
            }
            Spread { n: all, within: n.into_iter().zip(within).collect(), total }
        }
        Variable::Category(codes, n_levels) => {
            let mut count = vec![0.0; n_levels * k];
            for (&code, &label) in codes.iter().zip(labels).filter(|&(&code, _)| code != MISSING) {
                count[code as usize * k + label] += 1.0;
            }
            let squares = |counts: &dyn Fn(usize) -> f64| {
                let n: f64 = (0..*n_levels).map(counts).sum();
                let same: f64 = (0..*n_levels).map(|level| counts(level).powi(2)).sum();
                (n as usize, if n > 0.0 { n - same / n } else { 0.0 })
            };
            let within = (0..k).map(|s| squares(&|level| count[level * k + s])).collect();
            let (n, total) = squares(&|level| count[level * k..(level + 1) * k].iter().sum());
            Spread { n, within, total }
        }
    }
}

/// Mean over the variables of the variance in these segments, as a share of the variance of all.
fn within_share(spreads: &[Spread], segments: &[usize]) -> f64 {
    let shares = spreads.iter().filter_map(|spread| {
        let (mut n, mut within) = (0, 0.0);
        for &segment in segments {
            n += spread.within[segment].0;
            within += spread.within[segment].1;
        }
        (n > 0).then(|| within / n as f64 / (spread.total / spread.n as f64))
    });
    let (sum, n) = shares.fold((0.0, 0.0), |(sum, n), share| (sum + share, n + 1.0));
    if n > 0.0 { sum / n } else { f64::NAN }
}

/// Distances of one segment, or of all.
#[derive(Debug, Clone, Copy)]
struct Figures {
    within: f64,
    between: f64,
    all: f64,
    silhouette: f64,
}

/// Sums over variables of the distances of each row to the rows of each segment.
struct Sums {
    distance: Vec<f64>,
    /// Pairs with a value on both sides, where any is missing.
    pairs: Option<Vec<f64>>,
    /// Variables that each row has.
    seen: Vec<u32>,
    n_variables: u32,
}

impl Sums {
    fn new(n: usize, k: usize) -> Self {
        Self { distance: vec![0.0; n * k], pairs: None, seen: vec![0; n], n_variables: 0 }
    }

    fn add(&mut self, variable: &Variable, labels: &[usize], k: usize) {
        let mut sizes = vec![0.0; k];
        let mut complete = true;
        for (row, &label) in labels.iter().enumerate() {
            if variable.has(row) {
                sizes[label] += 1.0;
                self.seen[row] += 1;
            } else {
                complete = false;
            }
        }
        if !complete && self.pairs.is_none() {
            // Until now nothing was missing: every row had all rows of a segment.
            let mut full = vec![0.0; k];
            labels.iter().for_each(|&label| full[label] += f64::from(self.n_variables));
            self.pairs = Some(labels.iter().flat_map(|_| full.iter().copied()).collect());
        }
        if let Some(pairs) = &mut self.pairs {
            let rows = pairs.chunks_mut(k).enumerate().filter(|&(row, _)| variable.has(row));
            for pair in rows.flat_map(|(_, of_row)| of_row.iter_mut().zip(&sizes)) {
                *pair.0 += pair.1;
            }
        }
        self.n_variables += 1;
        match variable {
            Variable::Number(values) => self.add_number(values, labels, &sizes),
            Variable::Category(codes, n_levels) => {
                let mut count = vec![0.0; n_levels * k];
                for (&code, &label) in codes.iter().zip(labels).filter(|&(&c, _)| c != MISSING) {
                    count[code as usize * k + label] += 1.0;
                }
                for (&code, row) in codes.iter().zip(self.distance.chunks_mut(k)) {
                    if code != MISSING {
                        let same = &count[code as usize * k..(code as usize + 1) * k];
                        for ((sum, size), same) in row.iter_mut().zip(&sizes).zip(same) {
                            *sum += size - same;
                        }
                    }
                }
            }
        }
    }

    fn add_number(&mut self, values: &[f64], labels: &[usize], sizes: &[f64]) {
        let k = sizes.len();
        let mut total = vec![0.0; k];
        for (value, &label) in values.iter().zip(labels).filter(|(value, _)| !value.is_nan()) {
            total[label] += value;
        }
        let (mut before, mut sum) = (vec![0.0; k], vec![0.0; k]);
        for row in sorted(values) {
            let (row, value) = (row as usize, values[row as usize]);
            let slots = &mut self.distance[row * k..(row + 1) * k];
            for (segment, slot) in slots.iter_mut().enumerate() {
                // Those before lie below, the others above; with an equal value it does not matter.
                let far = value * (2.0 * before[segment] - sizes[segment]) + total[segment]
                    - 2.0 * sum[segment];
                *slot += far.max(0.0);
            }
            before[labels[row]] += 1.0;
            sum[labels[row]] += value;
        }
    }

    /// Those of each segment, and of all.
    fn figures(&self, labels: &[usize], k: usize) -> Vec<Figures> {
        let mut full = vec![0.0; k];
        labels.iter().for_each(|&label| full[label] += 1.0);
        let sizes = full.clone();
        full.iter_mut().for_each(|size| *size *= f64::from(self.n_variables));
        let mut own = vec![(0.0, 0.0); k];
        let mut other = vec![(0.0, 0.0); k];
        let mut widths = vec![(0.0, 0.0); k];
        for (row, &label) in labels.iter().enumerate() {
            let distance = &self.distance[row * k..(row + 1) * k];
            let pairs = match &self.pairs {
                Some(pairs) => &pairs[row * k..(row + 1) * k],
                None => &full,
            };
            let (mut inside, mut nearest) = (f64::NAN, f64::NAN);
            for segment in 0..k {
                let mut n = pairs[segment];
                let side = if segment == label {
                    n -= f64::from(self.seen[row]);
                    &mut own[label]
                } else {
                    &mut other[label]
                };
                if self.seen[row] == 0 || n <= 0.0 {
                    continue;
                }
                side.0 += distance[segment];
                side.1 += n;
                let mean = distance[segment] / n;
                if segment == label {
                    inside = mean;
                } else if nearest.is_nan() || mean < nearest {
                    nearest = mean;
                }
            }
            if self.seen[row] > 0 && !nearest.is_nan() {
                let larger = inside.max(nearest);
                // Alone in its segment, a customer lies neither well nor badly (Rousseeuw 1987).
                let alone = sizes[label] <= 1.0 || inside.is_nan() || larger <= 0.0;
                widths[label].0 += if alone { 0.0 } else { (nearest - inside) / larger };
                widths[label].1 += 1.0;
            }
        }
        let ratio = |(sum, n): (f64, f64)| if n > 0.0 { sum / n } else { f64::NAN };
        let add = |parts: &[(f64, f64)]| {
            parts.iter().fold((0.0, 0.0), |(sum, n), part| (sum + part.0, n + part.1))
        };
        let (inside, outside) = (add(&own), add(&other));
        let all = ratio((inside.0 + outside.0, inside.1 + outside.1));
        let mut figures: Vec<Figures> = (0..k)
            .map(|segment| Figures {
                within: ratio(own[segment]),
                between: ratio(other[segment]),
                all,
                silhouette: ratio(widths[segment]),
            })
            .collect();
        figures.push(Figures {
            within: ratio(inside),
            between: ratio(outside),
            all,
            silhouette: ratio(add(&widths)),
        });
        figures
    }
}

/// Name, names, number and figures of a row.
type Line = (String, String, usize, f64, Figures);

/// The tables of the result while they grow.
#[derive(Default)]
struct Tables {
    segments: Vec<Line>,
    blocks: Vec<Line>,
    /// Block, variable, base, number, eta squared.
    variables: Vec<(String, String, String, usize, f64)>,
}

fn verdict(n: usize, ratio: f64) -> &'static str {
    match ratio {
        _ if n < 2 || ratio.is_nan() => "too few",
        ratio if ratio <= ALIKE => "homogeneous",
        ratio if ratio <= PARTLY => "partly homogeneous",
        _ => "not homogeneous",
    }
}

impl Tables {
    fn segment(&mut self, block: &Block, name: &str, n: usize, share: f64, figures: Figures) {
        self.segments.push((block.name.clone(), name.to_string(), n, share, figures));
    }

    fn block(&mut self, block: &Block, n: usize, share: f64, figures: Figures) {
        self.blocks.push((block.name.clone(), String::new(), n, share, figures));
    }

    fn variable(&mut self, block: &str, name: &str, base: &str, spread: &Spread) {
        let line = (block.to_string(), name.to_string(), base.to_string(), spread.n, spread.eta2());
        self.variables.push(line);
    }

    fn finish(self, manifest: Manifest, names: Vec<String>) -> Homogeneity {
        let sheet = |lines: &[Line], with_segment: bool| {
            let ratio = |line: &Line| line.4.within / line.4.all;
            let mut sheet =
                Sheet::default().text("block", lines.iter().map(|line| line.0.as_str()));
            if with_segment {
                sheet = sheet.text("segment", lines.iter().map(|line| line.1.as_str()));
            }
            sheet
                .int("n", lines.iter().map(|line| line.2 as i64))
                .float("within_ss", lines.iter().map(|line| line.3))
                .float("distance", lines.iter().map(|line| line.4.within))
                .float("distance_to_others", lines.iter().map(|line| line.4.between))
                .float("ratio", lines.iter().map(ratio))
                .float("silhouette", lines.iter().map(|line| line.4.silhouette))
                .text("verdict", lines.iter().map(|line| verdict(line.2, ratio(line))))
        };
        let variables = Sheet::default()
            .text("block", self.variables.iter().map(|line| line.0.as_str()))
            .text("variable", self.variables.iter().map(|line| line.1.as_str()))
            .text("base", self.variables.iter().map(|line| line.2.as_str()))
            .int("n", self.variables.iter().map(|line| line.3 as i64))
            .float("eta2", self.variables.iter().map(|line| line.4));
        // A variable in several blocks counts once.
        let mut of_bases: Vec<(&str, Vec<(&str, f64)>)> = Vec::new();
        for (_, variable, base, _, eta2) in &self.variables {
            if base.is_empty() {
                continue;
            }
            let at = of_bases.iter().position(|(name, _)| name == base).unwrap_or_else(|| {
                of_bases.push((base, Vec::new()));
                of_bases.len() - 1
            });
            if of_bases[at].1.iter().all(|(name, _)| name != variable) {
                of_bases[at].1.push((variable, *eta2));
            }
        }
        let strongest = |of: &[(&str, f64)]| {
            of.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or("", |(name, _)| name).to_string()
        };
        let bases = Sheet::default()
            .text("base", of_bases.iter().map(|(base, _)| *base))
            .int("variables", of_bases.iter().map(|(_, of)| of.len() as i64))
            .float(
                "eta2",
                of_bases
                    .iter()
                    .map(|(_, of)| of.iter().map(|(_, eta2)| eta2).sum::<f64>() / of.len() as f64),
            )
            .text("strongest", of_bases.iter().map(|(_, of)| strongest(of)));
        Homogeneity {
            manifest,
            names,
            segments: sheet(&self.segments, true),
            blocks: sheet(&self.blocks, false),
            variables,
            bases,
        }
    }
}
