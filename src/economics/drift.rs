//! Whether needs moved: importance before and after, by segment, and whether the same kinds of people were asked.

use serde_json::{Map, Value, json};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

use super::reader::{Groups, Labels, Reader, everybody, union};
use super::sheet::{Estimate, Sheet, report, sheets};
use crate::confidence::check_level;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::statistics::{benjamini_hochberg, wilson};
use crate::table::{Numeric, Table};

report!(
    /// Change of needs, by segment.
    NeedDrift, "need_drift", {
        "table": [
            "segment:t", "need:t", "n_before:i", "n_after:i", "before", "after", "change", "change_lo",
            "change_hi", "effect", "p", "q", "threshold", "status:t",
        ],
        "composition": [
            "segment:t", "n_before:i", "n_after:i", "share_before", "share_after", "psi",
        ],
        "stability": ["psi", "noise", "noise_limit", "df:i", "p", "verdict:t"],
    }
);

/// Choices of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Columns of importance.
    pub needs: Vec<String>,
    /// Column of sampling weights.
    pub weights: Option<String>,
    /// Importance from which on a need is a problem; by default the middle of the scale.
    pub threshold: Option<f64>,
    /// Confidence of the intervals; a change is a finding at `q <= 1 - confidence`.
    pub confidence: f64,
}

/// Weighted sums of a need in a group; mergeable.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ratings {
    /// Answers.
    pub n: f64,
    /// Sum of weights.
    pub weight: f64,
    /// Sum of squared weights.
    pub squared_weight: f64,
    /// Weighted mean.
    pub mean: f64,
    /// Weighted sum of squares around the mean.
    pub squares: f64,
    /// The same with squared weights.
    pub linear: f64,
}

impl Ratings {
    /// Ratings with their weights.
    pub fn of(values: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let mut sums = Self::default();
        let Some((base, _)) = values.clone().next() else { return sums };
        let mut shift = 0.0;
        for (value, weight) in values.clone() {
            sums.n += 1.0;
            sums.weight += weight;
            sums.squared_weight += weight * weight;
            shift += weight * (value - base);
        }
        sums.mean = base + shift / sums.weight;
        for (value, weight) in values {
            let square = (value - sums.mean).powi(2);
            sums.squares += weight * square;
            sums.linear += weight * weight * square;
        }
        sums
    }

    /// Variance of the mean: s^2 / n where weights are equal, else its linearisation for weights of sampling.
    fn mean_variance(&self) -> f64 {
        self.linear / (self.weight * self.weight) * self.n / (self.n - 1.0)
    }

    /// Standard deviation of the ratings.
    fn variance(&self) -> f64 {
        self.squares / self.weight * self.n / (self.n - 1.0)
    }

    /// Number of answers of equal weight that would say as much (Kish 1965).
    fn effective(&self) -> f64 {
        self.weight * self.weight / self.squared_weight
    }
}

/// Change of a mean, its interval and the p-value of no change.
///
/// Ratings: Welch (1947, Biometrika 34:28-35). Shares without weights: the hybrid score interval (Newcombe 1998, Statistics in
/// Medicine 17:873-890, method 10) and the pooled z-test. NaN where a side has fewer than two answers, or nothing varies.
pub fn change(
    before: &Ratings,
    after: &Ratings,
    is_share: bool,
    confidence: f64,
) -> (Estimate, f64) {
    let step = after.mean - before.mean;
    let nan = (f64::NAN, f64::NAN);
    if before.n < 2.0 || after.n < 2.0 {
        return (Estimate::new(step, nan), f64::NAN);
    }
    let tail = (1.0 + confidence) / 2.0;
    let equal = |r: &Ratings| (r.effective() - r.n).abs() < 1e-9 * r.n;
    if is_share && equal(before) && equal(after) {
        let z = Normal::standard().inverse_cdf(tail);
        let ends = |r: &Ratings| wilson((r.mean * r.n).round(), r.n, z);
        let (b, a) = (ends(before), ends(after));
        let lo = step - ((after.mean - a.0).powi(2) + (b.1 - before.mean).powi(2)).sqrt();
        let hi = step + ((a.1 - after.mean).powi(2) + (before.mean - b.0).powi(2)).sqrt();
        let pooled = (before.mean * before.n + after.mean * after.n) / (before.n + after.n);
        let variance = pooled * (1.0 - pooled) * (1.0 / before.n + 1.0 / after.n);
        let p = match variance > 0.0 {
            true => 2.0 * Normal::standard().sf((step / variance.sqrt()).abs()),
            false => f64::NAN,
        };
        return (Estimate::new(step, (lo, hi)), p);
    }
    let (b, a) = (before.mean_variance(), after.mean_variance());
    if (a + b).is_nan() || a + b <= 0.0 {
        return (Estimate::new(step, nan), f64::NAN);
    }
    let df =
        (a + b).powi(2) / (b * b / (before.effective() - 1.0) + a * a / (after.effective() - 1.0));
    let Ok(law) = StudentsT::new(0.0, 1.0, df) else {
        return (Estimate::new(step, nan), f64::NAN);
    };
    let half = law.inverse_cdf(tail) * (a + b).sqrt();
    let p = 2.0 * law.sf((step / (a + b).sqrt()).abs());
    (Estimate::new(step, (step - half, step + half)), p)
}

/// One table as it was read.
struct Wave {
    groups: Groups,
    kept: Vec<usize>,
    /// Rows of each group.
    rows: Vec<Vec<usize>>,
    weights: Vec<f64>,
    needs: Vec<Numeric>,
}

impl Wave {
    fn read(
        argument: &'static str,
        table: &Table,
        segment: Option<Labels<'_>>,
        options: &Options,
        manifest: &mut Manifest,
    ) -> Result<Self> {
        let mut reader = Reader::new(argument, table);
        let groups = reader.labels_or_all(segment, "segment")?;
        let weights = reader.amounts_or_one(options.weights.as_deref())?;
        // A missing answer is missing for its need alone.
        let needs: Vec<Numeric> =
            options.needs.iter().map(|name| table.numeric(name)).collect::<Result<_>>()?;
        let kept = reader.finish(manifest)?;
        let rows = groups.rows(&kept);
        Ok(Self { groups, kept, rows, weights, needs })
    }

    fn ratings(&self, need: usize, rows: &[usize]) -> Ratings {
        Ratings::of(
            rows.iter()
                .map(|&row| (self.needs[need][row], self.weights[row]))
                .filter(|&(value, weight)| !value.is_nan() && weight > 0.0),
        )
    }
}

/// Change of each need in each segment and in all.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] without needs or with a need that has no answer.
pub fn need_drift(
    before: (&Table, Option<Labels<'_>>),
    after: (&Table, Option<Labels<'_>>),
    options: &Options,
) -> Result<NeedDrift> {
    check_level(options.confidence)?;
    if options.needs.is_empty() {
        return Err(Error::argument("needs", "no column", "at least one column is needed"));
    }
    let rows = before.0.n_rows() + after.0.n_rows();
    let settings = settings(before.1, options);
    let mut manifest = Manifest::new("need_drift", settings, None, rows);
    let first = Wave::read("before", before.0, before.1, options, &mut manifest)?;
    let second = Wave::read("after", after.0, after.1, options, &mut manifest)?;
    let (names, places) = union(&first.groups.names, &second.groups.names);
    // For each name its code in both waves.
    let mut codes: Vec<[Option<usize>; 2]> =
        (0..names.len()).map(|code| [first.rows.get(code).map(|_| code), None]).collect();
    for (code, &place) in places.iter().enumerate() {
        codes[place][1] = Some(code);
    }
    let scales = scales([&first, &second], options)?;
    let own = if before.1.is_some() { names.len() } else { 0 };
    let all = if own > 0 { everybody(&names) } else { "all".to_string() };
    let mut table = Rows::default();
    for (name, codes) in names.iter().zip(&codes).take(own) {
        for (need, scale) in scales.iter().enumerate() {
            let side = |wave: &Wave, code: Option<usize>| {
                code.map_or_else(Ratings::default, |code| wave.ratings(need, &wave.rows[code]))
            };
            let sides = [side(&first, codes[0]), side(&second, codes[1])];
            table.push(name, need, sides, scale, options.confidence);
        }
    }
    for (need, scale) in scales.iter().enumerate() {
        let sides = [&first, &second].map(|wave| wave.ratings(need, &wave.kept));
        table.push(&all, need, sides, scale, options.confidence);
    }
    // Two families: what is said of segments, and what is said of everybody.
    let (of_segments, of_all) = table.p.split_at(own * options.needs.len());
    let mut q = benjamini_hochberg(of_segments);
    q.extend(benjamini_hochberg(of_all));
    let sheet = table.sheet(&q, &scales, options);
    let (composition, stability) = stability(&names, &codes, [&first, &second], options.confidence);
    let sheets = sheets([("table", sheet), ("composition", composition), ("stability", stability)]);
    Ok(NeedDrift { manifest, sheets })
}

fn settings(segment: Option<Labels<'_>>, options: &Options) -> Map<String, Value> {
    let mut settings = Map::new();
    settings.insert("segment".into(), json!(segment.map(|segment| segment.name)));
    settings.insert("needs".into(), json!(options.needs));
    settings.insert("weights".into(), json!(options.weights));
    settings.insert("threshold".into(), json!(options.threshold));
    settings.insert("confidence".into(), json!(options.confidence));
    settings
}

/// Whether a need is a share of yes, and from where on it is a problem.
struct NeedScale {
    is_share: bool,
    threshold: f64,
}

fn scales(waves: [&Wave; 2], options: &Options) -> Result<Vec<NeedScale>> {
    let values = |need: usize| {
        waves.into_iter().flat_map(move |wave| {
            wave.kept.iter().map(move |&row| wave.needs[need][row]).filter(|value| !value.is_nan())
        })
    };
    let is_share = |need: usize| values(need).all(|value| value == 0.0 || value == 1.0);
    for (need, name) in options.needs.iter().enumerate() {
        if values(need).next().is_none() {
            let wanted = "at least one answer is needed";
            return Err(Error::argument(format!("column {name:?}"), "no answer", wanted));
        }
    }
    let n = options.needs.len();
    let rated: Vec<usize> = (0..n).filter(|&need| !is_share(need)).collect();
    // The ends of the scale are the least and the largest answer to any need.
    let (low, high) = rated
        .iter()
        .flat_map(|&need| values(need))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    Ok((0..n)
        .map(|need| {
            let is_share = is_share(need);
            let middle = if is_share { 0.5 } else { low / 2.0 + high / 2.0 };
            NeedScale { is_share, threshold: options.threshold.unwrap_or(middle) }
        })
        .collect())
}

#[derive(Default)]
struct Rows {
    segment: Vec<String>,
    need: Vec<usize>,
    sides: Vec<[Ratings; 2]>,
    change: Vec<Estimate>,
    p: Vec<f64>,
}

impl Rows {
    fn push(
        &mut self,
        segment: &str,
        need: usize,
        sides: [Ratings; 2],
        scale: &NeedScale,
        confidence: f64,
    ) {
        let empty = sides.iter().any(|side| side.n == 0.0);
        let (estimate, p) = match empty {
            true => (Estimate::new(f64::NAN, (f64::NAN, f64::NAN)), f64::NAN),
            false => change(&sides[0], &sides[1], scale.is_share, confidence),
        };
        self.segment.push(segment.to_string());
        self.need.push(need);
        self.sides.push(sides);
        self.change.push(estimate);
        self.p.push(p);
    }

    fn sheet(&self, q: &[f64], scales: &[NeedScale], options: &Options) -> Sheet {
        let mean = |side: &Ratings| if side.n > 0.0 { side.mean } else { f64::NAN };
        let effect = |[before, after]: &[Ratings; 2]| {
            (after.mean - before.mean) / ((before.variance() + after.variance()) / 2.0).sqrt()
        };
        let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
        let status = (0..self.need.len()).map(|row| {
            let threshold = scales[self.need[row]].threshold;
            let [before, after] = self.sides[row].each_ref().map(mean);
            let found = q[row] <= 1.0 - options.confidence;
            match (before >= threshold, after >= threshold) {
                _ if before.is_nan() || after.is_nan() => "no comparison",
                (true, false) if found => "became nice-to-have",
                (false, true) if found => "became a problem",
                (true, false) | (false, true) => "unclear",
                (true, true) => "problem",
                (false, false) => "nice-to-have",
            }
        });
        Sheet::default()
            .text("segment", self.segment.iter().cloned())
            .text("need", self.need.iter().map(|&need| options.needs[need].clone()))
            .int("n_before", self.sides.iter().map(|sides| sides[0].n as i64))
            .int("n_after", self.sides.iter().map(|sides| sides[1].n as i64))
            .float("before", self.sides.iter().map(|sides| mean(&sides[0])))
            .float("after", self.sides.iter().map(|sides| mean(&sides[1])))
            .estimate("change", &self.change)
            .float("effect", self.sides.iter().map(|sides| finite(effect(sides))))
            .float("p", self.p.iter().copied())
            .float("q", q.iter().copied())
            .float("threshold", self.need.iter().map(|&need| scales[need].threshold))
            .text("status", status)
    }
}

/// The population stability index of the composition, with what chance alone would give.
///
/// psi = sum over segments of (a - b) ln(a / b) for shares a and b. If nothing changed it is about (1 / n + 1 / m) times a
/// chi-squared variable with k - 1 degrees of freedom (Yurdakul and Naranjo 2020, Journal of Risk Model Validation
/// 14(4):89-100). An empty share counts as that of half a respondent.
fn stability(
    names: &[String],
    codes: &[[Option<usize>; 2]],
    waves: [&Wave; 2],
    confidence: f64,
) -> (Sheet, Sheet) {
    let counted: Vec<[Ratings; 2]> = codes
        .iter()
        .map(|codes| {
            [0, 1].map(|side| {
                codes[side].map_or_else(Ratings::default, |code| {
                    let wave = waves[side];
                    Ratings::of(wave.rows[code].iter().map(|&row| (1.0, wave.weights[row])))
                })
            })
        })
        .collect();
    let sum = |side: usize, what: fn(&Ratings) -> f64| -> f64 {
        counted.iter().map(|sides| what(&sides[side])).sum()
    };
    let weight = [0, 1].map(|side| sum(side, |r| r.weight));
    let effective =
        [0, 1].map(|side| weight[side] * weight[side] / sum(side, |r| r.squared_weight));
    let shares: Vec<[f64; 2]> =
        counted.iter().map(|sides| [0, 1].map(|side| sides[side].weight / weight[side])).collect();
    let present: Vec<usize> = (0..names.len()).filter(|&s| shares[s] != [0.0; 2]).collect();
    let parts: Vec<f64> = present
        .iter()
        .map(|&segment| {
            let [before, after] = [0, 1].map(|side| match shares[segment][side] {
                0.0 => 0.5 / effective[side],
                share => share,
            });
            (after - before) * (after / before).ln()
        })
        .collect();
    let composition = Sheet::default()
        .text("segment", present.iter().map(|&s| names[s].clone()))
        .int("n_before", present.iter().map(|&s| counted[s][0].n as i64))
        .int("n_after", present.iter().map(|&s| counted[s][1].n as i64))
        .float("share_before", present.iter().map(|&s| shares[s][0]))
        .float("share_after", present.iter().map(|&s| shares[s][1]))
        .float("psi", parts.iter().copied());
    let df = present.len().saturating_sub(1);
    let unit = 1.0 / effective[0] + 1.0 / effective[1];
    let (mut psi, mut noise, mut limit, mut p) = (f64::NAN, f64::NAN, f64::NAN, f64::NAN);
    if let Some(law) = ChiSquared::new(df as f64).ok().filter(|_| df > 0) {
        psi = parts.iter().sum();
        noise = df as f64 * unit;
        limit = law.inverse_cdf(confidence) * unit;
        p = law.sf(psi / unit);
    }
    let verdict = match psi {
        none if none.is_nan() => "one group",
        psi if psi <= limit => "within sampling noise",
        psi if psi < 0.1 => "stable",
        psi if psi < 0.25 => "moderate shift",
        _ => "large shift",
    };
    let stability = Sheet::default()
        .float("psi", [psi])
        .float("noise", [noise])
        .float("noise_limit", [limit])
        .int("df", [df as i64])
        .float("p", [p])
        .text("verdict", [verdict]);
    (composition, stability)
}
