//! The way to a sale as a curve: its precision, its median and its mean, by segment.

use serde::{Deserialize, Serialize};

use super::scorecard::Scorecard;
use super::survival::{EventTable, HALF};
use crate::confidence::z_of;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::table::Table;

/// Cumulative incidence of a sale with its precision, one entry per distinct time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Distinct times, ascending.
    #[serde(with = "persist::floats")]
    pub time: Vec<f64>,
    /// At risk at each time.
    #[serde(with = "persist::floats")]
    pub at_risk: Vec<f64>,
    /// Probability of having been won by each time.
    #[serde(with = "persist::floats")]
    pub won: Vec<f64>,
    /// Probability of having been lost by each time.
    #[serde(with = "persist::floats")]
    pub lost: Vec<f64>,
    /// Standard error of `won`.
    #[serde(with = "persist::floats")]
    pub error: Vec<f64>,
    /// Ends of the interval of `won`.
    #[serde(with = "persist::floats")]
    pub lo: Vec<f64>,
    /// Upper ends.
    #[serde(with = "persist::floats")]
    pub hi: Vec<f64>,
}

impl Curve {
    /// The curve of a life table, with pointwise intervals.
    ///
    /// The variance is that of the delta method for sums over event times i up to t, with F the incidence, S the share
    /// neither won nor lost just before, n at risk, d1 won and d both:
    /// (F(t) - F(i))² d / (n (n - d)) + S² d1 (n - d1) / n³ - 2 (F(t) - F(i)) S d1 / n² (Dinse and Larson 1986, Biometrika
    /// 73:379-386). Without lost leads it is Greenwood's. Intervals are symmetric on the scale of log(-log(1 - F))
    /// (Kalbfleisch and Prentice 1980, The Statistical Analysis of Failure Time Data, section 1.3), and so stay between 0
    /// and 1. `O(n)`: the sums are kept as polynomials in F(t).
    pub fn of(table: &EventTable, confidence: f64) -> Self {
        let incidence = table.incidence();
        let n = table.time.len();
        let mut curve = Self {
            time: incidence.time,
            won: incidence.won,
            lost: incidence.lost,
            at_risk: table.at_risk(),
            ..Self::default()
        };
        let z = z_of(confidence);
        // Sums over event times of 1, F(i) and F(i)² times d / (n (n - d)), and the terms with S.
        let (mut unit, mut first, mut second, mut own, mut cross, mut cross_first) =
            (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let mut before = 1.0;
        for row in 0..n {
            let (at_risk, won) = (curve.at_risk[row], table.won[row]);
            let ended = won + table.lost[row];
            let f = curve.won[row];
            if ended > 0.0 && at_risk > 0.0 {
                // Where nobody is left the curve is constant from here on, and the term is 0.
                if at_risk > ended {
                    let rate = ended / (at_risk * (at_risk - ended));
                    unit += rate;
                    first += rate * f;
                    second += rate * f * f;
                }
                own += before * before * won * (at_risk - won) / at_risk.powi(3);
                cross += before * won / (at_risk * at_risk);
                cross_first += before * won / (at_risk * at_risk) * f;
                before *= 1.0 - ended / at_risk;
            }
            let variance =
                f * f * unit - 2.0 * f * first + second + own - 2.0 * (f * cross - cross_first);
            let error = variance.max(0.0).sqrt();
            let (lo, hi) = around(f, error, z);
            curve.error.push(error);
            curve.lo.push(lo);
            curve.hi.push(hi);
        }
        curve
    }

    /// The first time at which the values reach one half; infinite where they do not, NaN without values.
    fn half(&self, values: &[f64]) -> f64 {
        if self.time.is_empty() {
            return f64::NAN;
        }
        values.iter().position(|&f| f >= HALF).map_or(f64::INFINITY, |row| self.time[row])
    }

    /// Median time, and the ends of its interval: where the ends of the curve's intervals reach one half (Brookmeyer and
    /// Crowley 1982, Biometrics 38:29-41).
    pub fn median(&self) -> (f64, f64, f64) {
        (self.half(&self.won), self.half(&self.hi), self.half(&self.lo))
    }

    /// Probability of having been won by `time`, with its interval; NaN where the observation ends before.
    pub fn by(&self, time: f64) -> (f64, f64, f64) {
        if !self.reaches(time) {
            return (f64::NAN, f64::NAN, f64::NAN);
        }
        match self.time.partition_point(|&t| t <= time).checked_sub(1) {
            Some(row) => (self.won[row], self.lo[row], self.hi[row]),
            None => (0.0, 0.0, 0.0),
        }
    }

    /// Whether the curve is known up to `time`: somebody is observed so long, or all have ended before.
    fn reaches(&self, time: f64) -> bool {
        let Some(last) = self.time.len().checked_sub(1) else { return false };
        self.time[last] >= time || self.won[last] + self.lost[last] >= 1.0 - 1e-12
    }

    /// Mean of the time to the sale or to `horizon`, whichever comes first, with its standard error.
    ///
    /// The area above the curve. A lead that does not buy counts the whole horizon, so this is the restricted mean of
    /// Kaplan and Meier where nothing is lost (Irwin 1949; Andersen, Hansen and Klein 2004, Lifetime Data Analysis
    /// 10:335-350, for competing events). Its variance is that of [`Curve::of`], integrated. NaN where the observation ends
    /// before the horizon.
    pub fn restricted_mean(&self, table: &EventTable, horizon: f64) -> (f64, f64) {
        if !self.reaches(horizon) {
            return (f64::NAN, f64::NAN);
        }
        let rows = self.time.partition_point(|&t| t < horizon);
        // Area below the curve from each time to the horizon.
        let mut below = vec![0.0; rows + 1];
        let mut end = horizon;
        for row in (0..rows).rev() {
            below[row] = below[row + 1] + self.won[row] * (end - self.time[row]);
            end = self.time[row];
        }
        let mut variance = 0.0;
        let mut before = 1.0;
        for (row, &below) in below[..rows].iter().enumerate() {
            let (n, won) = (self.at_risk[row], table.won[row]);
            let ended = won + table.lost[row];
            if ended == 0.0 || n == 0.0 {
                continue;
            }
            let left = horizon - self.time[row];
            let (direct, later) = (before * left, below - self.won[row] * left);
            variance += direct * direct * won * (n - won) / n.powi(3)
                - 2.0 * direct * later * won / (n * n);
            if n > ended {
                variance += later * later * ended / (n * (n - ended));
            }
            before *= 1.0 - ended / n;
        }
        (horizon - below[0], variance.max(0.0).sqrt())
    }
}

/// The interval of a share `f` that is symmetric on the scale of log(-log(1 - f)).
fn around(f: f64, error: f64, z: f64) -> (f64, f64) {
    if !(f > 0.0 && f < 1.0) || error == 0.0 {
        return (f, f);
    }
    let rest = 1.0 - f;
    let width = z * error / (rest * -rest.ln());
    (1.0 - rest.powf((-width).exp()), 1.0 - rest.powf(width.exp()))
}

/// Days to sale of each segment, everybody last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeToSale {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the segments, "all" last.
    pub segments: Vec<String>,
    /// Days that the restricted mean counts.
    pub horizon: f64,
    /// Share of samples whose interval holds the truth.
    pub confidence: f64,
    /// Weighted counts.
    pub tables: Vec<EventTable>,
    /// Curves.
    pub curves: Vec<Curve>,
}

impl Persist for TimeToSale {
    const KIND: &'static str = "time_to_sale";

    fn validate(&self) -> Result<()> {
        let n = self.segments.len();
        let same = self.tables.len() == n
            && self.curves.len() == n
            && self.tables.iter().zip(&self.curves).all(|(table, curve)| {
                let n = table.time.len();
                let shares = [&curve.time, &curve.at_risk, &curve.won, &curve.lost];
                let ends = [&curve.error, &curve.lo, &curve.hi];
                table.is_whole() && shares.iter().chain(&ends).all(|column| column.len() == n)
            });
        if same && self.horizon >= 0.0 && self.confidence > 0.0 && self.confidence < 1.0 {
            Ok(())
        } else {
            Err(persist::broken("the lengths of the curves do not agree"))
        }
    }
}

/// Days to sale of the segments of a scorecard; `horizon` is by default the longest time over which every segment was
/// observed.
///
/// # Errors
///
/// [`Error::Argument`] for a scorecard without dates, or a horizon that is not above 0.
pub fn time_to_sale(card: &Scorecard, horizon: Option<f64>) -> Result<TimeToSale> {
    if !card.given.dates {
        return Err(Error::argument(
            "time_to_sale",
            "a scorecard without dates",
            "days to sale need first_contact and first_sale",
        )
        .with_mend("segment_scorecard(..., first_contact=\"contacted\", first_sale=\"sold\")"));
    }
    if let Some(horizon) = horizon.filter(|days| !(days.is_finite() && *days > 0.0)) {
        return Err(Error::argument("horizon", horizon, "a number of days above 0 is needed"));
    }
    let mut tables = card.spells.clone();
    tables.push(EventTable::sum(&card.spells));
    let confidence = card.options.confidence;
    let curves: Vec<Curve> = tables.iter().map(|table| Curve::of(table, confidence)).collect();
    let longest = |curve: &Curve| curve.time.last().copied();
    let common = curves.iter().filter_map(longest).fold(f64::INFINITY, f64::min);
    let horizon = horizon.unwrap_or(if common.is_finite() { common } else { 0.0 });
    let mut settings = serde_json::Map::new();
    settings.insert("horizon".into(), serde_json::json!(horizon));
    settings.insert("confidence".into(), serde_json::json!(confidence));
    let mut manifest = card.manifest.clone();
    manifest.function = "Scorecard.time_to_sale".into();
    manifest.settings = settings;
    let mut segments = card.segments.clone();
    segments.push("all".into());
    Ok(TimeToSale { manifest, segments, horizon, confidence, tables, curves })
}

impl TimeToSale {
    /// One row per segment, everybody last.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let count = |of: fn(&EventTable) -> &Vec<f64>| {
            self.tables.iter().map(|table| of(table).iter().sum::<f64>() as i64).collect::<Vec<_>>()
        };
        let (won, lost, open) =
            (count(|table| &table.won), count(|table| &table.lost), count(|table| &table.open));
        let n = won.iter().zip(&lost).zip(&open).map(|((won, lost), open)| won + lost + open);
        let z = z_of(self.confidence);
        let mean: Vec<(f64, f64)> = (self.curves.iter().zip(&self.tables))
            .map(|(curve, table)| curve.restricted_mean(table, self.horizon))
            .collect();
        let median = || self.curves.iter().map(Curve::median);
        let by = || self.curves.iter().map(|curve| curve.by(self.horizon));
        Table::builder()
            .text("segment", &self.segments)
            .int("n", n.collect::<Vec<_>>())
            .int("n_won", won)
            .int("n_lost", lost)
            .int("n_open", open)
            .float("median", median().map(|found| found.0))
            .float("median_lo", median().map(|found| found.1))
            .float("median_hi", median().map(|found| found.2))
            .float("restricted_mean", mean.iter().map(|mean| mean.0))
            .float("restricted_mean_lo", mean.iter().map(|mean| (mean.0 - z * mean.1).max(0.0)))
            .float(
                "restricted_mean_hi",
                mean.iter().map(|mean| (mean.0 + z * mean.1).min(self.horizon)),
            )
            .float("share_sold", by().map(|found| found.0))
            .float("share_sold_lo", by().map(|found| found.1))
            .float("share_sold_hi", by().map(|found| found.2))
            .finish()
    }

    /// One row per segment and distinct time.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn curve(&self) -> Result<Table> {
        let names = self.segments.iter().zip(&self.curves);
        // Arrow wants to know how many there are.
        let segment: Vec<&String> =
            names.flat_map(|(name, curve)| curve.time.iter().map(move |_| name)).collect();
        let all = |of: fn(&Curve) -> &Vec<f64>| {
            self.curves.iter().flat_map(move |curve| of(curve).iter().copied())
        };
        Table::builder()
            .text("segment", segment)
            .float("days", all(|curve| &curve.time))
            .int("n_at_risk", all(|curve| &curve.at_risk).map(|n| n as i64))
            .float("sold", all(|curve| &curve.won))
            .float("sold_lo", all(|curve| &curve.lo))
            .float("sold_hi", all(|curve| &curve.hi))
            .float("lost", all(|curve| &curve.lost))
            .finish()
    }
}
