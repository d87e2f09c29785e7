//! Whether segments still are what they were: new shares, who went where, columns that moved, categories that are new.

use std::collections::HashMap;

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use super::Segmentation;
use super::association::weighted_quantile;
use super::made::free;
use crate::confidence::{check_level, z_of};
use crate::economics::sheet::{Sheet, report, sheets};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::statistics::{benjamini_hochberg, newcombe};
use crate::table::{Kind, MISSING, Table, UNKNOWN};

/// Index from which on a shift is moderate, and from which on it is large (Siddiqi 2006, Credit Risk Scorecards, Wiley).
pub const MODERATE: f64 = 0.1;
/// See [`MODERATE`].
pub const LARGE: f64 = 0.25;
/// Groups of equal size that an amount is cut into, by the customers before.
const BINS: usize = 10;

report!(
    /// Segments before and after.
    SegmentDrift, "segment_drift", {
        "table": [
            "segment:t", "n_before:i", "n_after:i", "share_before", "share_after", "change", "change_lo",
            "change_hi", "p", "q", "psi",
        ],
        "stability": ["psi", "noise", "noise_limit", "df:i", "p", "verdict:t"],
        "migration": ["from:t", "to:t", "n:i", "share"],
        "columns": ["column:t", "groups:i", "psi", "noise_limit", "p", "q", "verdict:t"],
        "unseen": ["column:t", "rows:i", "share"],
    }
);

/// Choices of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftOptions {
    /// Column that identifies customers in both tables.
    pub id: Option<String>,
    /// Confidence of the intervals, and of the noise limit.
    pub confidence: f64,
}

/// The index of two sets of counts, and what chance alone would give.
struct Index {
    parts: Vec<f64>,
    psi: f64,
    noise: f64,
    limit: f64,
    df: usize,
    p: f64,
    verdict: &'static str,
}

/// psi = sum of (a - b) ln(a / b) over shares a and b.
///
/// If nothing changed it is about (1 / n + 1 / m) times a chi-squared variable with k - 1 degrees of freedom (Yurdakul and
/// Naranjo 2020, Journal of Risk Model Validation 14(4):89-100). An empty share counts as that of half a customer. `n` are
/// the numbers of equal weight that say as much.
fn index(before: &[f64], after: &[f64], n: [f64; 2], confidence: f64) -> Index {
    let total = [before.iter().sum::<f64>(), after.iter().sum::<f64>()];
    let mut present = 0;
    let part = |(&b, &a): (&f64, &f64)| {
        if b == 0.0 && a == 0.0 {
            return f64::NAN;
        }
        present += 1;
        let share = |x: f64, side: usize| match x {
            0.0 => 0.5 / n[side],
            x => x / total[side],
        };
        let (b, a) = (share(b, 0), share(a, 1));
        (a - b) * (a / b).ln()
    };
    let parts: Vec<f64> = before.iter().zip(after).map(part).collect();
    let df = present.max(1) - 1;
    let unit = 1.0 / n[0] + 1.0 / n[1];
    let (mut psi, mut noise, mut limit, mut p) = (f64::NAN, f64::NAN, f64::NAN, f64::NAN);
    if let Some(law) = ChiSquared::new(df as f64).ok().filter(|_| df > 0) {
        psi = parts.iter().filter(|part| !part.is_nan()).sum();
        noise = df as f64 * unit;
        limit = law.inverse_cdf(confidence) * unit;
        p = law.sf(psi / unit);
    }
    let verdict = match psi {
        none if none.is_nan() => "one group",
        psi if psi <= limit => "within sampling noise",
        psi if psi < MODERATE => "stable",
        psi if psi < LARGE => "moderate shift",
        _ => "large shift",
    };
    Index { parts, psi, noise, limit, df, p, verdict }
}

/// Weight of the customers of each group and, last, of those that are in none; and of how many equal ones they say as much.
fn counted(labels: &[u32], k: usize, weights: Option<&[f64]>) -> (Vec<f64>, f64) {
    let mut sums = vec![0.0; k];
    let mut squares = 0.0;
    for (row, &label) in labels.iter().enumerate() {
        if let Some(sum) = sums.get_mut(label as usize) {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            *sum += weight;
            squares += weight * weight;
        }
    }
    let total: f64 = sums.iter().sum();
    (sums, if squares > 0.0 { total * total / squares } else { 0.0 })
}

fn sizes(labels: &[u32], k: usize) -> Vec<i64> {
    let mut sizes = vec![0; k];
    labels.iter().for_each(|&label| sizes.get_mut(label as usize).map_or((), |n| *n += 1));
    sizes
}

impl Segmentation {
    /// The segments of new customers, or of the same ones later, against those that were made.
    ///
    /// `before` holds the customers that were segmented; without it there is no migration, no table of columns, and weights
    /// are taken to be equal. `labels` are the segments of the new customers where they are known; else they are predicted.
    ///
    /// # Errors
    ///
    /// Those of [`Self::predict`] and of reading columns; [`Error::Argument`] where no new customer has a segment or an
    /// identifier stands twice.
    pub fn drift(
        &self,
        before: Option<&Table>,
        new: &Table,
        labels: Option<Vec<u32>>,
        options: &DriftOptions,
        mut manifest: Manifest,
        monitor: &Monitor,
    ) -> Result<SegmentDrift> {
        check_level(options.confidence)?;
        if let Some(before) = before {
            self.check_rows(before)?;
        }
        let k = self.names().len();
        let (after, unknown) = match labels {
            Some(labels) => (labels, Vec::new()),
            None => {
                let found = self.predict(new, monitor)?;
                (found.labels, found.unknown)
            }
        };
        if after.len() != new.n_rows() {
            let found = format!("{} labels", after.len());
            let wanted = format!("one for each of the {} rows of new is needed", new.n_rows());
            return Err(Error::argument("labels", found, wanted));
        }
        let outside = after.iter().filter(|&&label| label as usize >= k).count();
        manifest.leave_out("in no segment", outside);
        if outside == after.len() {
            return Err(manifest.nothing_left("new", new.n_rows()));
        }
        let weights = |table: Option<&Table>| match (table, &self.weighted_by) {
            (Some(table), Some(name)) => table.weights(name).map(Some),
            _ => Ok(None),
        };
        let (weights_before, weights_after) = (weights(before)?, weights(Some(new))?);
        let (sums_before, mut n_before) = counted(self.labels(), k, weights_before.as_deref());
        let (sums_after, n_after) = counted(&after, k, weights_after.as_deref());
        if before.is_none() && self.weighted_by.is_some() {
            n_before = self.sizes().iter().sum::<usize>() as f64;
        }
        let sums_before = if before.is_none() { self.weights.clone() } else { sums_before };
        let n = [n_before, n_after];
        let found = index(&sums_before, &sums_after, n, options.confidence);
        let table = self.shares_table(&sums_before, &sums_after, n, &after, &found, options);
        let migration = match (&options.id, before) {
            (Some(id), Some(before)) => self.migration(before, new, &after, id)?,
            (Some(_), None) => {
                let wanted = "customers are found again in those that were segmented";
                return Err(
                    Error::argument("df", "none", wanted).with_mend("drift(..., df=customers)")
                );
            }
            (None, _) => Migration::default(),
        };
        let n_new = new.n_rows() as f64;
        let unseen = Sheet::default()
            .text("column", unknown.iter().map(|found| found.feature.clone()))
            .int("rows", unknown.iter().map(|found| found.rows as i64))
            .float("share", unknown.iter().map(|found| found.rows as f64 / n_new));
        let columns = match before {
            Some(before) => self.columns_table(before, new, options.confidence)?,
            None => columns_sheet(&[]),
        };
        let stability = Sheet::default()
            .float("psi", [found.psi])
            .float("noise", [found.noise])
            .float("noise_limit", [found.limit])
            .int("df", [found.df as i64])
            .float("p", [found.p])
            .text("verdict", [found.verdict]);
        let migration = Sheet::default()
            .text("from", migration.from)
            .text("to", migration.to)
            .int("n", migration.n)
            .float("share", migration.share);
        Ok(SegmentDrift {
            manifest,
            sheets: sheets([
                ("table", table),
                ("stability", stability),
                ("migration", migration),
                ("columns", columns),
                ("unseen", unseen),
            ]),
        })
    }

    fn shares_table(
        &self,
        before: &[f64],
        after: &[f64],
        n: [f64; 2],
        labels: &[u32],
        found: &Index,
        options: &DriftOptions,
    ) -> Sheet {
        let total = [before.iter().sum::<f64>(), after.iter().sum::<f64>()];
        let z = z_of(options.confidence);
        let shares: Vec<[f64; 2]> =
            before.iter().zip(after).map(|(b, a)| [b / total[0], a / total[1]]).collect();
        let interval = |[b, a]: [f64; 2]| newcombe((a * n[1], n[1]), (b * n[0], n[0]), z);
        let test = |[b, a]: [f64; 2]| {
            let pooled = (b * n[0] + a * n[1]) / (n[0] + n[1]);
            let variance = pooled * (1.0 - pooled) * (1.0 / n[0] + 1.0 / n[1]);
            match variance > 0.0 {
                true => 2.0 * Normal::standard().sf(((a - b) / variance.sqrt()).abs()),
                false => f64::NAN,
            }
        };
        let p: Vec<f64> = shares.iter().map(|&share| test(share)).collect();
        Sheet::default()
            .text("segment", self.names().iter().cloned())
            .int("n_before", self.sizes().iter().map(|&n| n as i64))
            .int("n_after", sizes(labels, self.names().len()))
            .float("share_before", shares.iter().map(|share| share[0]))
            .float("share_after", shares.iter().map(|share| share[1]))
            .float("change", shares.iter().map(|share| share[1] - share[0]))
            .float("change_lo", shares.iter().map(|&share| interval(share).0))
            .float("change_hi", shares.iter().map(|&share| interval(share).1))
            .float("p", p.iter().copied())
            .float("q", benjamini_hochberg(&p))
            .float("psi", found.parts.iter().copied())
    }

    /// Who went where, of the customers that are in both tables.
    fn migration(&self, before: &Table, new: &Table, after: &[u32], id: &str) -> Result<Migration> {
        let k = self.names().len();
        let known = before.keys(id)?;
        let mut seen = vec![false; known.distinct.len()];
        let twice = |row: usize, table: &str| {
            Error::value(
                id,
                row,
                "an identifier that stands twice",
                format!("each customer of {table} is one row"),
            )
        };
        // Segment before of each identifier; k where it was in none.
        let mut from = vec![k; known.distinct.len()];
        for (row, &code) in known.codes.iter().enumerate() {
            if code != MISSING {
                if std::mem::replace(&mut seen[code as usize], true) {
                    return Err(twice(row, "the customers that were segmented"));
                }
                from[code as usize] = (self.labels()[row] as usize).min(k);
            }
        }
        let codes = new.find_keys(id, &known, id)?;
        let own = new.keys(id)?;
        let mut met = vec![false; own.distinct.len()];
        for (row, &code) in own.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
            if std::mem::replace(&mut met[code as usize], true) {
                return Err(twice(row, "new"));
            }
        }
        seen.fill(false);
        // Rows: segments, in none, not there before; columns: segments, in none, gone.
        let side = k + 2;
        let mut flows = vec![0_i64; side * side];
        for (&code, &label) in codes.iter().zip(after) {
            let to = (label as usize).min(k);
            let start = match code {
                MISSING | UNKNOWN => k + 1,
                code => {
                    seen[code as usize] = true;
                    from[code as usize]
                }
            };
            flows[start * side + to] += 1;
        }
        for (code, _) in seen.iter().enumerate().filter(|(_, seen)| !**seen) {
            flows[from[code] * side + k + 1] += 1;
        }
        let mut names = self.names().to_vec();
        names.push(free("in no segment".to_string(), &names));
        let (mut starts, mut ends) = (names.clone(), names);
        starts.push(free("not there before".to_string(), &starts));
        ends.push(free("gone".to_string(), &ends));
        let mut found = Migration::default();
        for (start, row) in starts.iter().zip(flows.chunks(side)) {
            let all: i64 = row.iter().sum();
            for (end, &n) in ends.iter().zip(row).filter(|(_, n)| **n > 0) {
                found.from.push(start.clone());
                found.to.push(end.clone());
                found.n.push(n);
                found.share.push(n as f64 / all as f64);
            }
        }
        Ok(found)
    }

    /// The index of every column of the profile and of the assignment that both tables have.
    fn columns_table(&self, before: &Table, new: &Table, confidence: f64) -> Result<Sheet> {
        let mut names = self.reads();
        names.extend(self.features().iter().cloned());
        let mut rows: Vec<(String, usize, Index)> = Vec::new();
        for name in names {
            let there = |table: &Table| table.names().contains(&name.as_str());
            if rows.iter().any(|row| row.0 == name) || !there(before) || !there(new) {
                continue;
            }
            let Some((codes, later, k)) = grouped(before, new, &name)? else { continue };
            let ((b, n), (a, m)) = (counted(&codes, k, None), counted(&later, k, None));
            let found = index(&b, &a, [n, m], confidence);
            rows.push((name, found.df + 1, found));
        }
        Ok(columns_sheet(&rows))
    }
}

fn columns_sheet(rows: &[(String, usize, Index)]) -> Sheet {
    let p: Vec<f64> = rows.iter().map(|(_, _, found)| found.p).collect();
    Sheet::default()
        .text("column", rows.iter().map(|(name, _, _)| name.clone()))
        .int("groups", rows.iter().map(|(_, groups, _)| *groups as i64))
        .float("psi", rows.iter().map(|(_, _, found)| found.psi))
        .float("noise_limit", rows.iter().map(|(_, _, found)| found.limit))
        .float("p", p.iter().copied())
        .float("q", benjamini_hochberg(&p))
        .text("verdict", rows.iter().map(|(_, _, found)| found.verdict))
}

/// Group of each row of both tables, and the number of groups.
type Grouped = (Vec<u32>, Vec<u32>, usize);

/// A column of both tables in groups: categories, or tenths of the customers before; missing values are a group.
///
/// Nothing where the column has another kind now.
fn grouped(before: &Table, new: &Table, name: &str) -> Result<Option<Grouped>> {
    let amount = |kind: Kind| matches!(kind, Kind::Number | Kind::Date);
    let (kind, later) = (before.kind(name)?, new.kind(name)?);
    if amount(kind) && (kind == later || later == Kind::Empty) {
        let read = |table: &Table, of: Kind| {
            if of == Kind::Date { table.days(name) } else { table.numeric(name) }
        };
        let values = read(before, kind)?;
        let mut cuts: Vec<f64> = (1..BINS)
            .map(|tenth| weighted_quantile(&values, None, tenth as f64 / BINS as f64))
            .collect();
        cuts.dedup();
        let k = cuts.len() + 2;
        let group = |&value: &f64| match value {
            missing if missing.is_nan() => k as u32 - 1,
            value => cuts.partition_point(|&cut| cut < value) as u32,
        };
        let after = match later {
            Kind::Empty => vec![k as u32 - 1; new.n_rows()],
            _ => read(new, later)?.iter().map(group).collect(),
        };
        return Ok(Some((values.iter().map(group).collect(), after, k)));
    }
    if amount(kind) || amount(later) || kind == Kind::Other || later == Kind::Other {
        return Ok(None);
    }
    let (one, other) = (before.codes(name)?, new.codes(name)?);
    let mut known: HashMap<String, u32> = one.categories.into_iter().zip(0..).collect();
    let place = |category: String| {
        let next = known.len() as u32;
        *known.entry(category).or_insert(next)
    };
    let places: Vec<u32> = other.categories.into_iter().map(place).collect();
    let missing = known.len() as u32;
    let place = |&code: &u32| places.get(code as usize).copied().unwrap_or(missing);
    let codes = one.codes.iter().map(|&code| code.min(missing)).collect();
    Ok(Some((codes, other.codes.iter().map(place).collect(), missing as usize + 1)))
}

#[derive(Default)]
struct Migration {
    from: Vec<String>,
    to: Vec<String>,
    n: Vec<i64>,
    share: Vec<f64>,
}
