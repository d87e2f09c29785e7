//! What the data say of each segment: counts, shares with intervals, means.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::condition::Condition;
use super::read::Attribute;
use super::text::significant;
use super::{Figure, Line, Provenance, Unit};
use crate::parallel;
use crate::profile::share_p;
use crate::statistics::{benjamini_hochberg, wilson};
use crate::table::MISSING;

/// A trait is distinctive where its adjusted p is below this.
pub(super) const LEVEL: f64 = 0.05;

/// Counts of the bins of one column in each segment, and sums of its numbers.
#[derive(Clone)]
pub(super) struct Counts {
    /// `[segment][bin]`.
    pub bins: Vec<Vec<usize>>,
    /// A value of each segment, from which its sums are differences: a far customer of another one costs no digits.
    origin: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
    has_mean: bool,
}

impl Counts {
    /// One pass, in fixed blocks.
    pub(super) fn of(attribute: &Attribute, labels: &[u32], n_segments: usize) -> Self {
        let values = attribute.values.as_ref();
        let mut first = vec![None; n_segments];
        for (row, &label) in labels.iter().enumerate() {
            if let (Some(values), Some(first)) = (values, first.get_mut(label as usize))
                && first.is_none()
                && attribute.bins[row] != MISSING
            {
                *first = Some(values[row]);
            }
        }
        let origin: Vec<f64> = first.into_iter().map(|first| first.unwrap_or(0.0)).collect();
        let empty = Self {
            bins: vec![vec![0; attribute.words.len()]; n_segments],
            origin,
            sum: vec![0.0; n_segments],
            squares: vec![0.0; n_segments],
            has_mean: values.is_some(),
        };
        parallel::map_blocks(labels.len(), |rows| {
            let mut counts = empty.clone();
            for row in rows {
                let (label, bin) = (labels[row], attribute.bins[row]);
                if label == MISSING || bin == MISSING {
                    continue;
                }
                let segment = label as usize;
                counts.bins[segment][bin as usize] += 1;
                if let Some(values) = values {
                    let value = values[row] - counts.origin[segment];
                    counts.sum[segment] += value;
                    counts.squares[segment] += value * value;
                }
            }
            counts
        })
        .iter()
        .fold(empty.clone(), Self::merge)
    }

    fn merge(mut self, other: &Self) -> Self {
        for (one, other) in self.bins.iter_mut().zip(&other.bins) {
            for (one, other) in one.iter_mut().zip(other) {
                *one += other;
            }
        }
        for (one, other) in [(&mut self.sum, &other.sum), (&mut self.squares, &other.squares)] {
            for (one, other) in one.iter_mut().zip(other) {
                *one += other;
            }
        }
        self
    }

    pub(super) fn n(&self, segment: usize) -> usize {
        self.bins[segment].iter().sum()
    }

    /// The bin that most customers of the segment fall into; the first of several.
    pub(super) fn modal(&self, segment: usize) -> usize {
        let counts = &self.bins[segment];
        (0..counts.len()).rev().max_by_key(|&bin| counts[bin]).unwrap_or(0)
    }

    fn overall(&self, bin: usize) -> (usize, usize) {
        (self.bins.iter().map(|counts| counts[bin]).sum(), self.bins.iter().flatten().sum())
    }

    /// Share of a bin in a segment, with its interval and what it is over all.
    pub(super) fn share(&self, segment: usize, bin: usize, z: f64) -> Figure {
        let (count, n) = (self.bins[segment][bin] as f64, self.n(segment) as f64);
        let (count_all, n_all) = self.overall(bin);
        let (lo, hi) = wilson(count, n, z);
        let (share, overall) = (count / n, count_all as f64 / n_all as f64);
        figure("share", Unit::Share, share, (lo, hi), overall)
    }

    /// Mean in a segment with Student's interval, and over all; nothing for categories.
    pub(super) fn mean(&self, segment: usize, confidence: f64) -> Option<Figure> {
        let n = self.n(segment) as f64;
        if !self.has_mean || n == 0.0 {
            return None;
        }
        let all = self.bins.iter().flatten().sum::<usize>() as f64;
        let mean = self.sum[segment] / n;
        let variance = (self.squares[segment] - n * mean * mean).max(0.0) / (n - 1.0);
        let half = match StudentsT::new(0.0, 1.0, n - 1.0) {
            Ok(law) if n > 1.0 => law.inverse_cdf((1.0 + confidence) / 2.0) * (variance / n).sqrt(),
            _ => f64::NAN,
        };
        let mean = mean + self.origin[segment];
        let of = |segment: usize| self.sum[segment] + self.n(segment) as f64 * self.origin[segment];
        let overall = (0..self.sum.len()).map(of).sum::<f64>() / all;
        Some(figure("mean", Unit::Number, mean, (mean - half, mean + half), overall))
    }

    /// P of the v-test of a bin, as the profile of the segments has it: the two-sided mid-p of the hypergeometric law (Lebart,
    /// Morineau and Piron 1995, Statistique exploratoire multidimensionnelle); 1 where there is nothing to compare.
    pub(super) fn p(&self, segment: usize, bin: usize) -> f64 {
        let (count_all, n_all) = self.overall(bin);
        let n = self.n(segment);
        if count_all == 0 || count_all == n_all || n == n_all {
            return 1.0;
        }
        let count = self.bins[segment][bin];
        share_p(count as f64, n as f64, count_all as f64, n_all as f64).exp()
    }
}

/// A figure as it is told: shares to three significant digits, others to four; infinite and unknown ones are missing.
pub(super) fn figure(
    name: &str,
    unit: Unit,
    value: f64,
    (lo, hi): (f64, f64),
    overall: f64,
) -> Figure {
    let told = |x: f64| {
        let digits = if unit == Unit::Share { 3 } else { 4 };
        x.is_finite().then(|| significant(x, digits))
    };
    let lift = value / overall;
    Figure {
        name: name.to_string(),
        unit,
        value: told(value),
        lo: told(lo),
        hi: told(hi),
        overall: told(overall),
        lift: (unit == Unit::Share && lift.is_finite()).then(|| significant(lift, 3)),
    }
}

/// A line that was counted, with the p of its test.
pub(super) struct Counted {
    pub line: Line,
    pub p: f64,
    /// The share in the segment, by which lists are ranked.
    pub share: f64,
    /// Whether that is more than over all.
    more: bool,
}

/// The line that says how many customers of a segment fall into a bin.
pub(super) fn counted(
    slot: &str,
    column: &str,
    (statement, condition): (&str, &Condition),
    counts: &Counts,
    (segment, bin): (usize, usize),
    (confidence, z): (f64, f64),
) -> Counted {
    let share = counts.share(segment, bin, z);
    let (count, n) = (counts.bins[segment][bin], counts.n(segment));
    let (count_all, n_all) = counts.overall(bin);
    // Of two bins the share says it all.
    let mean = (counts.bins[segment].len() > 2).then(|| counts.mean(segment, confidence)).flatten();
    let named = super::text::name(column);
    Counted {
        line: Line {
            slot: slot.to_string(),
            // A name that had to be cleaned finds no column.
            condition: (named == column).then(|| condition.clone()),
            attribute: Some(named),
            statement: statement.to_string(),
            figures: std::iter::once(share).chain(mean).collect(),
            count: Some(count),
            n: Some(n),
            distinctive: false,
            provenance: Provenance::Observed,
            reason: String::new(),
            replaces: Vec::new(),
        },
        p: counts.p(segment, bin),
        share: count as f64 / n as f64,
        more: count * n_all > count_all * n,
    }
}

/// Marks the lines that hold more often in their segment than over all, with all tests adjusted together.
pub(super) fn mark(cards: &mut [Vec<Counted>]) {
    let p: Vec<f64> = cards.iter().flatten().map(|counted| counted.p).collect();
    let q = benjamini_hochberg(&p);
    for (counted, q) in cards.iter_mut().flatten().zip(q) {
        counted.line.distinctive = q < LEVEL && counted.more;
    }
}
