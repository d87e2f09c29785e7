//! Tests of one descriptor over all segments and between two of them.

use super::columns::{Amount, Column, Shares};
use super::describe::Settings;
use super::effects::{Tested, cramer_word, distance_word, nothing, pearson, table_of};
use super::law::{Hypergeometric, chi2_tail, f_tail, normal_p, t_p};
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// Share of the cells that may be expected to hold fewer than five customers (Cochran 1954, Biometrics 10:417-451).
const THIN_SHARE: f64 = 0.2;
/// Random tables of one task.
const TABLES: usize = 64;

/// The analysis of variance of Welch (1951, Biometrika 38:330-336); the size is that of the ordinary one.
pub(super) fn welch(weight: &[f64], amount: &Amount, size: f64) -> Tested {
    let groups: Vec<(f64, f64, f64)> = (0..weight.len())
        .filter(|&segment| weight[segment] > 0.0)
        .map(|segment| moments(weight, amount, segment))
        .collect();
    let k = groups.len() as f64;
    if k < 2.0 || groups.iter().any(|&(n, _, variance)| n <= 1.0 || variance <= 0.0) {
        return Tested { size, ..nothing((k - 1.0, f64::NAN)) };
    }
    let precision: Vec<f64> = groups.iter().map(|&(n, _, variance)| n / variance).collect();
    let total: f64 = precision.iter().sum();
    let mean: f64 =
        groups.iter().zip(&precision).map(|((_, mean, _), w)| w * mean).sum::<f64>() / total;
    let between: f64 =
        groups.iter().zip(&precision).map(|((_, own, _), w)| w * (own - mean).powi(2)).sum::<f64>()
            / (k - 1.0);
    let rest: f64 = groups
        .iter()
        .zip(&precision)
        .map(|((n, _, _), w)| (1.0 - w / total).powi(2) / (n - 1.0))
        .sum();
    let statistic = between / (1.0 + 2.0 * (k - 2.0) / (k * k - 1.0) * rest);
    let df = (k - 1.0, (k * k - 1.0) / (3.0 * rest));
    Tested { statistic, df, p: f_tail(statistic, df.0, df.1), size }
}

/// Number, mean (as a difference from the origin) and variance of one segment.
pub(super) fn moments(weight: &[f64], amount: &Amount, segment: usize) -> (f64, f64, f64) {
    let (n, sum) = (weight[segment], amount.sum[segment]);
    (n, sum / n, amount.scatter[segment] / (n - 1.0))
}

/// Kruskal and Wallis (1952, Journal of the American Statistical Association 47:583-621) with their correction for ties; the
/// size is epsilon squared, H / (n - 1) (Tomczak and Tomczak 2014, Trends in Sport Sciences 21:19-25).
pub(super) fn kruskal(weight: &[f64], amount: &Amount) -> Tested {
    let all: f64 = weight.iter().sum();
    let groups = weight.iter().filter(|&&n| n > 0.0).count() as f64;
    let df = (groups - 1.0, f64::NAN);
    let Some(ranks) = &amount.ranks else { return nothing(df) };
    let untied = 1.0 - ranks.ties / (all * (all * all - 1.0));
    if groups < 2.0 || all < 2.0 || untied <= 1e-12 {
        return nothing(df);
    }
    // Sums of squared distances of mean ranks from their middle, which lose no digits.
    let between: f64 = weight
        .iter()
        .zip(&ranks.below)
        .filter(|&(&n, _)| n > 0.0)
        .map(|(n, below)| n * (below / n - all / 2.0).powi(2))
        .sum();
    let statistic = 12.0 / (all * (all + 1.0)) * between / untied;
    let size = (statistic / (all - 1.0)).clamp(0.0, 1.0);
    Tested { statistic, df, p: chi2_tail(statistic, df.0), size }
}

/// Pearson's chi squared; where too many cells are thin, Fisher's exact test of two by two, else the share of random tables
/// that are as far off.
pub(super) fn independence(
    table: &[Vec<f64>],
    at: u64,
    settings: &Settings,
    monitor: &Monitor,
) -> Result<(&'static str, Tested, f64)> {
    let (found, least) = pearson(table);
    if found.p.is_nan() || !is_thin(table) {
        return Ok(("chi-squared", found, least));
    }
    if let [one, other] = table
        && one.len() == 2
    {
        let whole = |x: f64| x.round() as u64;
        let (a, b, c) = (whole(one[0]), whole(one[1]), whole(other[0]));
        let total = a + b + c + whole(other[1]);
        let p = Hypergeometric::new(a + b, a + c, total).fisher(a);
        return Ok(("Fisher's exact", Tested { p, ..found }, least));
    }
    let p = random_tables(table, found.statistic, at, settings, monitor)?;
    Ok(("chi-squared (Monte Carlo)", Tested { p, ..found }, least))
}

fn is_thin(table: &[Vec<f64>]) -> bool {
    let rows: Vec<f64> = table.iter().map(|row| row.iter().sum()).collect();
    let cols: Vec<f64> =
        (0..table[0].len()).map(|at| table.iter().map(|row| row[at]).sum()).collect();
    let all: f64 = rows.iter().sum();
    let expected = || rows.iter().flat_map(|row| cols.iter().map(move |col| row * col / all));
    let n = (rows.len() * cols.len()) as f64;
    expected().any(|e| e < 1.0) || expected().filter(|&e| e < 5.0).count() as f64 > THIN_SHARE * n
}

/// `p = (1 + tables as far off) / (1 + tables)` (Davison and Hinkley 1997, section 4.2), from tables with the same totals.
fn random_tables(
    table: &[Vec<f64>],
    statistic: f64,
    at: u64,
    settings: &Settings,
    monitor: &Monitor,
) -> Result<f64> {
    let whole: Vec<Vec<u64>> =
        table.iter().map(|row| row.iter().map(|n| n.round() as u64).collect()).collect();
    let rows: Vec<u64> = whole.iter().map(|row| row.iter().sum()).collect();
    let cols: Vec<u64> =
        (0..whole[0].len()).map(|at| whole.iter().map(|row| row[at]).sum()).collect();
    let all: u64 = rows.iter().sum();
    let seen =
        match whole.iter().flatten().zip(table.iter().flatten()).all(|(&a, &b)| a as f64 == b) {
            true => statistic,
            false => off(&whole, &rows, &cols, all),
        } * (1.0 - 1e-9);
    let n_tasks = settings.n_resamples.div_ceil(TABLES);
    let beyond = parallel::map_tasks(n_tasks, |task| -> Result<u64> {
        monitor.check()?;
        let mut rng = Rng::stream(settings.seed, Stage::Reference, at << 32 | task as u64);
        let mut beyond = 0;
        for _ in task * TABLES..settings.n_resamples.min((task + 1) * TABLES) {
            let drawn = draw(&rows, &cols, all, &mut rng);
            beyond += u64::from(off(&drawn, &rows, &cols, all) >= seen);
        }
        Ok(beyond)
    });
    let mut sum = 0;
    for part in beyond {
        sum += part?;
    }
    Ok((1 + sum) as f64 / (1 + settings.n_resamples) as f64)
}

/// Pearson's statistic of whole counts.
fn off(table: &[Vec<u64>], rows: &[u64], cols: &[u64], all: u64) -> f64 {
    let mut sum = 0.0;
    for (row, &of_row) in table.iter().zip(rows) {
        for (&n, &of_col) in row.iter().zip(cols) {
            let expected = of_row as f64 * of_col as f64 / all as f64;
            if expected > 0.0 {
                sum += (n as f64 - expected).powi(2) / expected;
            }
        }
    }
    sum
}

/// A table as likely as it is where rows and columns have nothing to do with each other: cell after cell by its law given the
/// totals that are left (Patefield 1981, Applied Statistics 30:91-97).
fn draw(rows: &[u64], cols: &[u64], all: u64, rng: &mut Rng) -> Vec<Vec<u64>> {
    let (mut left, mut all) = (cols.to_vec(), all);
    rows.iter()
        .map(|&of_row| {
            let (mut to_place, mut pool) = (of_row, all);
            let cells = left
                .iter_mut()
                .map(|of_col| {
                    let n = pick(Hypergeometric::new(to_place, *of_col, pool), rng);
                    pool -= *of_col;
                    to_place -= n;
                    *of_col -= n;
                    n
                })
                .collect();
            all -= of_row;
            cells
        })
        .collect()
}

/// A draw by inversion, outwards from the most probable number.
fn pick(law: Hypergeometric, rng: &mut Rng) -> u64 {
    let (lo, hi) = law.ends();
    if lo == hi {
        return lo;
    }
    let mode = law.mode();
    let first = law.ln_probability(mode).exp();
    let mut left = rng.uniform() - first;
    let (mut down, mut up) = (mode, mode);
    let (mut p_down, mut p_up) = (first, first);
    while left > 0.0 && (down > lo || up < hi) {
        if up < hi {
            p_up *= law.ratio(up);
            up += 1;
            left -= p_up;
            if left <= 0.0 {
                return up;
            }
        }
        if down > lo {
            down -= 1;
            p_down /= law.ratio(down);
            left -= p_down;
            if left <= 0.0 {
                return down;
            }
        }
        if p_up + p_down < 1e-300 {
            break;
        }
    }
    mode
}

/// A test by name, what it found, and its size by name and in a word.
pub(super) type Compared = (&'static str, Tested, &'static str, &'static str);

/// Welch's t of the means, or Dunn's z of the mean ranks (Dunn 1964, Technometrics 6:241-252), with Cohen's d.
pub(super) fn pair_of_amounts(
    column: &Column,
    amount: &Amount,
    test: &str,
    (a, b): (usize, usize),
) -> Compared {
    let (n, mean, variance) = moments(&column.weight, amount, a);
    let (m, other, spread) = moments(&column.weight, amount, b);
    let difference = mean - other;
    let pooled = (((n - 1.0) * variance + (m - 1.0) * spread) / (n + m - 2.0)).sqrt();
    let size = if pooled > 0.0 { difference / pooled } else { f64::NAN };
    if test == "Kruskal-Wallis"
        && let Some(ranks) = &amount.ranks
    {
        let all = column.total();
        let untied = (all * (all + 1.0) - ranks.ties / (all - 1.0)) / 12.0;
        let z = (ranks.below[a] / n - ranks.below[b] / m) / (untied * (1.0 / n + 1.0 / m)).sqrt();
        let tested = Tested { statistic: z, p: normal_p(z), size, ..nothing((f64::NAN, f64::NAN)) };
        return ("Dunn", tested, "Cohen's d", distance_word(size));
    }
    let (e, f) = (variance / n, spread / m);
    let error = e + f;
    let df = error * error / (e * e / (n - 1.0) + f * f / (m - 1.0));
    let t = difference / error.sqrt();
    let p = if error > 0.0 { t_p(t, df) } else { f64::NAN };
    let statistic = if t.is_finite() { t } else { f64::NAN };
    ("Welch t", Tested { statistic, df: (df, f64::NAN), p, size }, "Cohen's d", distance_word(size))
}

pub(super) fn pair_of_shares(
    column: &Column,
    shares: &Shares,
    (a, b): (usize, usize),
    stream: u64,
    settings: &Settings,
    monitor: &Monitor,
) -> Result<Compared> {
    let k = column.weight.len();
    let mut weight = vec![0.0; k];
    (weight[a], weight[b]) = (column.weight[a], column.weight[b]);
    let mut of_pair = shares.clone();
    for (at, count) in of_pair.count.iter_mut().enumerate() {
        if at % k != a && at % k != b {
            *count = 0.0;
        }
    }
    let table = table_of(&weight, &of_pair);
    let (name, found, least) = independence(&table, stream, settings, monitor)?;
    Ok((name, found, "Cramer's V", cramer_word(found.size, least)))
}
