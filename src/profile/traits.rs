//! Every trait in every segment: how much of it there is, how sure that is, and how far it sets the segment apart.

use super::columns::{Amount, Column, Shares, Values};
use super::law::{Hypergeometric, normal_p, ratio_of_shares, t_of, two_sided_quantile};
use crate::confidence::z_of;
use crate::statistics::{benjamini_hochberg, wilson};

/// A difference of at least this share of the trait's range makes it a marker of the segment.
pub const MARKER_RANGE: f64 = 0.25;
/// So does a difference of at least this share of the overall mean.
pub const MARKER_RATIO: f64 = 0.5;
/// So does a difference of at least so many standard deviations, a medium effect (Cohen 1988): amounts with long tails
/// seldom reach a quarter of their range.
pub const MARKER_DEVIATIONS: f64 = 0.5;
/// And the difference must be significant at this adjusted level.
pub const MARKER_LEVEL: f64 = 0.05;
/// A trait is common in a segment where at least this share of its customers has it.
pub const COMMON: f64 = 0.5;
/// A trait is unique to a segment where at most this share of all others has it,
pub const UNIQUE_OTHERS: f64 = 0.05;
/// and it is at least so many times as frequent as among them (and significantly more frequent).
pub const UNIQUE_TIMES: f64 = 5.0;

/// One trait in one segment; what does not exist is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Trait {
    /// Name of the column.
    pub feature: String,
    /// The category; empty for an amount and for a column of 0 and 1.
    pub level: String,
    /// Whether `value` is a share; else it is a mean.
    pub share: bool,
    /// Whether the mean is that of days since 1970-01-01.
    pub date: bool,
    /// Number of the segment.
    pub segment: usize,
    /// Customers of the segment that have a value.
    pub n: usize,
    /// Mean of an amount, share of a category, in the segment.
    pub value: f64,
    /// Ends of its interval: of Student's t for a mean, of Wilson for a share.
    pub interval: (f64, f64),
    /// The same over all customers.
    pub overall: f64,
    /// And over all that are not in the segment.
    pub others: f64,
    /// Standard deviation over all customers.
    pub spread: f64,
    /// `value` over `overall`, for a share.
    pub lift: f64,
    /// Ends of its interval.
    pub lift_interval: (f64, f64),
    /// Standardised difference of the segment from all.
    pub v_test: f64,
    /// Two-sided p of the v-test.
    pub p: f64,
    /// The p adjusted for all traits and segments.
    pub q: f64,
    /// Difference from the others: Cohen's d of an amount, Cohen's h of a share.
    pub effect: f64,
    /// Probability that a customer of the segment has more of the trait than one of the others; half of the ties count.
    pub auc: f64,
    /// Whether most customers of the segment have it.
    pub common: bool,
    /// Whether hardly anybody else has it.
    pub unique: bool,
    /// Whether the trait marks the segment.
    pub marker: bool,
}

/// The traits of all columns, adjusted together.
pub(super) fn traits(columns: &[Column], confidence: f64) -> Vec<Trait> {
    let mut traits = Vec::new();
    for column in columns.iter().filter(|column| column.total() > 0.0) {
        match &column.values {
            Values::Amount(amount) => push_amount(&mut traits, column, amount, confidence),
            Values::Shares(shares) => {
                for level in 0..shares.levels.len() {
                    push_share(&mut traits, column, shares, level, confidence);
                }
            }
        }
    }
    let q = benjamini_hochberg(&traits.iter().map(|found| found.p).collect::<Vec<_>>());
    for (found, q) in traits.iter_mut().zip(q) {
        found.q = q;
        let significant = q < MARKER_LEVEL;
        found.marker &= significant;
        found.unique &= significant;
    }
    traits
}

impl Trait {
    /// What the value is: "share", "mean", or the "date" that is the mean of days since 1970-01-01.
    pub fn measure(&self) -> &'static str {
        match (self.share, self.date) {
            (true, _) => "share",
            (false, true) => "date",
            (false, false) => "mean",
        }
    }
}

fn push_amount(traits: &mut Vec<Trait>, column: &Column, amount: &Amount, confidence: f64) {
    let all = column.total();
    let sum: f64 = amount.sum.iter().sum();
    let (mean, scatter) = amount.overall(&column.weight);
    let variance = scatter / all;
    let overall = amount.origin + mean;
    let (low, high) = amount.range.unwrap_or((overall, overall));
    for segment in 0..column.weight.len() {
        let n = column.weight[segment];
        let rest = all - n;
        let own = amount.sum[segment] / n;
        let others = (sum - amount.sum[segment]) / rest;
        let error = (amount.scatter[segment] / (n - 1.0) / n).sqrt();
        let half = if n > 1.0 { t_of(confidence, n - 1.0) * error } else { f64::NAN };
        let difference = own - mean;
        let differs = n > 0.0 && rest > 0.0 && variance > 0.0;
        let v_test = if differs && all > 1.0 {
            difference / (variance / n * rest / (all - 1.0)).sqrt()
        } else {
            f64::NAN
        };
        // What is left of the spread once each side has its own mean.
        let apart = own - others;
        let within = variance * all - apart * apart * n * rest / all;
        let pooled = (within.max(0.0) / (all - 2.0)).sqrt();
        let auc = match &amount.ranks {
            Some(ranks) if n > 0.0 && rest > 0.0 => {
                ((ranks.below[segment] - n * n / 2.0) / (n * rest)).clamp(0.0, 1.0)
            }
            _ => f64::NAN,
        };
        let large = difference.abs() >= MARKER_RANGE * (high - low)
            || (low >= 0.0 && difference.abs() >= MARKER_RATIO * overall)
            || difference.abs() >= MARKER_DEVIATIONS * variance.sqrt();
        traits.push(Trait {
            feature: column.feature.clone(),
            level: String::new(),
            share: false,
            date: amount.dates,
            segment,
            n: column.rows[segment],
            value: amount.origin + own,
            interval: (amount.origin + own - half, amount.origin + own + half),
            overall,
            others: amount.origin + others,
            spread: variance.sqrt(),
            lift: f64::NAN,
            lift_interval: (f64::NAN, f64::NAN),
            v_test,
            p: normal_p(v_test),
            q: f64::NAN,
            // Rounding alone leaves some of the spread where both sides are constant.
            effect: if pooled > 1e-7 * variance.sqrt() && all > 2.0 {
                apart / pooled
            } else {
                f64::NAN
            },
            auc,
            common: false,
            unique: false,
            marker: large && v_test.is_finite(),
        });
    }
}

fn push_share(
    traits: &mut Vec<Trait>,
    column: &Column,
    shares: &Shares,
    level: usize,
    confidence: f64,
) {
    let all = column.total();
    let counts = shares.of(level, column.weight.len());
    let with: f64 = counts.iter().sum();
    let overall = with / all;
    let z = z_of(confidence);
    for (segment, &k) in counts.iter().enumerate() {
        let n = column.weight[segment];
        let rest = all - n;
        let value = k / n;
        let others = if rest > 0.0 { ((with - k) / rest).clamp(0.0, 1.0) } else { f64::NAN };
        let differs = n > 0.0 && rest > 0.0 && with > 0.0 && with < all;
        let ln_p = if differs { share_p(k, n, with, all) } else { f64::NAN };
        let v_test = two_sided_quantile(ln_p).copysign(value - overall);
        let difference = value - overall;
        let large = difference.abs() >= MARKER_RANGE
            || difference.abs() >= MARKER_RATIO * overall
            || difference.abs() >= MARKER_DEVIATIONS * (overall * (1.0 - overall)).sqrt();
        let lift = value / overall;
        // The ratio to all follows from the ratio to the others, which are independent of the segment.
        let of_all = |ratio: f64| match ratio {
            f64::INFINITY => all / n,
            ratio => ratio / (ratio * n / all + rest / all),
        };
        let (lo, hi) = match rest > 0.0 {
            true => ratio_of_shares((k, n), (with - k, rest), z),
            false => (f64::NAN, f64::NAN),
        };
        traits.push(Trait {
            feature: column.feature.clone(),
            level: shares.levels[level].clone(),
            share: true,
            date: false,
            segment,
            n: column.rows[segment],
            value,
            interval: wilson(k, n, z),
            overall,
            others,
            spread: (overall * (1.0 - overall)).sqrt(),
            lift,
            lift_interval: (of_all(lo), of_all(hi)),
            v_test,
            p: ln_p.exp(),
            q: f64::NAN,
            effect: angle(value) - angle(others),
            auc: 0.5 * (1.0 + value - others),
            common: value >= COMMON,
            unique: differs
                && value > 0.0
                && others <= UNIQUE_OTHERS
                && value >= UNIQUE_TIMES * others,
            marker: large && v_test.is_finite(),
        });
    }
}

/// Logarithm of the p of a share: the law given both totals, in whole customers.
pub(crate) fn share_p(k: f64, n: f64, with: f64, all: f64) -> f64 {
    let whole = |weight: f64| weight.round() as u64;
    Hypergeometric::new(whole(n), whole(with), whole(all)).ln_mid_p(whole(k))
}

fn angle(share: f64) -> f64 {
    2.0 * share.sqrt().asin()
}
