//! How much a feature has to do with the segments, over all of them.

use super::columns::{Amount, Column, Shares, Values};
use super::law::{chi2_tail, f_tail};
use crate::statistics::benjamini_hochberg;

/// How much one feature differs between the segments; what does not exist is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Name of the column.
    pub feature: String,
    /// The test by name: `ANOVA` or `chi-squared`.
    pub test: &'static str,
    /// Customers with a value.
    pub n: usize,
    /// Its statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: (f64, f64),
    /// Its p.
    pub p: f64,
    /// The p adjusted for all features.
    pub q: f64,
    /// The size by name: `eta2` or `Cramer's V`.
    pub measure: &'static str,
    /// The size, from 0 to 1.
    pub size: f64,
    /// The size in a word.
    pub word: &'static str,
}

/// A test of one feature over the segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tested {
    pub(super) statistic: f64,
    pub(super) df: (f64, f64),
    pub(super) p: f64,
    /// From 0 to 1.
    pub(super) size: f64,
}

/// The effects of all columns, the largest first.
pub(super) fn effects(columns: &[Column]) -> Vec<Effect> {
    let mut effects: Vec<Effect> = columns
        .iter()
        .filter(|column| column.total() > 0.0)
        .map(|column| {
            let (test, measure, found, word) = match &column.values {
                Values::Amount(amount) => {
                    let found = anova(&column.weight, amount);
                    ("ANOVA", "eta2", found, eta_word(found.size))
                }
                Values::Shares(shares) => {
                    let (found, least) = chi_squared(&column.weight, shares);
                    ("chi-squared", "Cramer's V", found, cramer_word(found.size, least))
                }
            };
            Effect {
                feature: column.feature.clone(),
                test,
                n: column.rows.iter().sum(),
                statistic: found.statistic,
                df: found.df,
                p: found.p,
                q: f64::NAN,
                measure,
                size: found.size,
                word,
            }
        })
        .collect();
    let q = benjamini_hochberg(&effects.iter().map(|effect| effect.p).collect::<Vec<_>>());
    effects.iter_mut().zip(q).for_each(|(effect, q)| effect.q = q);
    effects.sort_by(|a, b| b.size.max(-1.0).total_cmp(&a.size.max(-1.0)));
    effects
}

/// One-way analysis of variance; the size is eta squared, the share of the variance that lies between segments.
pub(super) fn anova(weight: &[f64], amount: &Amount) -> Tested {
    let all: f64 = weight.iter().sum();
    let (_, total) = amount.overall(weight);
    let within: f64 = amount.scatter.iter().sum();
    let groups = weight.iter().filter(|&&n| n > 0.0).count() as f64;
    let (df1, df2) = (groups - 1.0, all - groups);
    if total.is_nan() || total <= 0.0 || df1 < 1.0 || df2 <= 0.0 {
        return nothing((df1, df2));
    }
    let between = (total - within).max(0.0);
    // Rounding alone leaves some of the spread where every segment is constant.
    let within = if within <= 1e-14 * total { 0.0 } else { within };
    let statistic = between / df1 / (within / df2);
    let p = if within == 0.0 { 0.0 } else { f_tail(statistic, df1, df2) };
    let statistic = if statistic.is_finite() { statistic } else { f64::NAN };
    Tested { statistic, df: (df1, df2), p, size: (between / total).clamp(0.0, 1.0) }
}

/// Pearson's test of independence; the size is Cramér's V. Beside it the smaller number of categories or segments, less 1.
pub(super) fn chi_squared(weight: &[f64], shares: &Shares) -> (Tested, f64) {
    pearson(&table_of(weight, shares))
}

/// Levels by segments, without those that do not occur; a column of 0 and 1 has both.
pub(super) fn table_of(weight: &[f64], shares: &Shares) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = shares.lines(weight).into_iter().map(|(_, counts)| counts).collect();
    let used: Vec<usize> = (0..weight.len()).filter(|&segment| weight[segment] > 0.0).collect();
    rows.iter()
        .filter(|row| row.iter().sum::<f64>() > 0.0)
        .map(|row| used.iter().map(|&segment| row[segment]).collect())
        .collect()
}

/// Pearson's test of a table without empty lines.
pub(super) fn pearson(table: &[Vec<f64>]) -> (Tested, f64) {
    let (r, c) = (table.len(), table.first().map_or(0, Vec::len));
    let least = r.min(c) as f64 - 1.0;
    let df = ((r.max(1) - 1) * (c.max(1) - 1)) as f64;
    if least < 1.0 {
        return (nothing((df, f64::NAN)), least);
    }
    let rows: Vec<f64> = table.iter().map(|row| row.iter().sum()).collect();
    let cols: Vec<f64> = (0..c).map(|at| table.iter().map(|row| row[at]).sum()).collect();
    let all: f64 = rows.iter().sum();
    let mut statistic = 0.0;
    for (row, of_row) in table.iter().zip(&rows) {
        for (&n, of_col) in row.iter().zip(&cols) {
            let expected = of_row * of_col / all;
            statistic += (n - expected).powi(2) / expected;
        }
    }
    let size = (statistic / (all * least)).sqrt().min(1.0);
    (Tested { statistic, df: (df, f64::NAN), p: chi2_tail(statistic, df), size }, least)
}

/// No test: nothing varies, or there is one segment.
pub(super) fn nothing(df: (f64, f64)) -> Tested {
    Tested { statistic: f64::NAN, df, p: f64::NAN, size: f64::NAN }
}

/// Cohen's words for a share of variance (Cohen 1988, table 2.2.1 and section 8.2.3: 0.01, 0.06, 0.14).
pub(super) fn eta_word(size: f64) -> &'static str {
    word(size, [0.01, 0.06, 0.14])
}

/// Cohen's words for w = V sqrt(m), where m is the smaller number of categories or segments less 1 (Cohen 1988, section
/// 7.2.3: 0.1, 0.3, 0.5).
pub(super) fn cramer_word(size: f64, least: f64) -> &'static str {
    word(size * least.sqrt(), [0.1, 0.3, 0.5])
}

/// Cohen's words for d and h (Cohen 1988, sections 2.2.3 and 6.2.2: 0.2, 0.5, 0.8).
pub(super) fn distance_word(size: f64) -> &'static str {
    word(size.abs(), [0.2, 0.5, 0.8])
}

fn word(size: f64, [small, medium, large]: [f64; 3]) -> &'static str {
    match size {
        size if size.is_nan() => "",
        size if size >= large => "large",
        size if size >= medium => "medium",
        size if size >= small => "small",
        _ => "negligible",
    }
}
