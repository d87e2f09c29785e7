//! Scorecards and ranks in plain sentences.

use super::curve::TimeToSale;
use super::figures::Figure;
use super::rank::{Ranking, Weights, rank};
use super::scorecard::Scorecard;
use super::totals::{Field, total};
use crate::sentence::listed;

/// Segments that get a sentence of their own, largest revenue first.
const SHOWN: usize = 7;

impl Scorecard {
    /// The scorecard as paragraphs: everybody, each segment, the first three, and what the figures rest on.
    pub fn explain(&self) -> String {
        let n = self.segments.len();
        let mut order: Vec<usize> = (0..n).collect();
        let revenue = &self.figure(Figure::Revenue).value;
        order.sort_by(|&a, &b| revenue[b].total_cmp(&revenue[a]));
        let mut paragraphs = vec![self.everybody(&order)];
        paragraphs.extend(order.iter().take(SHOWN).map(|&segment| self.segment(segment)));
        if n > SHOWN {
            let rest: f64 =
                order[SHOWN..].iter().map(|&s| self.figure(Figure::RevenueShare).value[s]).sum();
            paragraphs.push(format!(
                "The other {} segments together bring {} of revenue.",
                n - SHOWN,
                percent(rest)
            ));
        }
        paragraphs.extend(self.first_three());
        paragraphs.push(self.basis());
        paragraphs.join("\n")
    }

    fn everybody(&self, order: &[usize]) -> String {
        let n = self.segments.len();
        let customers = total(&self.sums)[Field::Customers as usize];
        let mut text = format!(
            "{} customers in {} brought {} in {} months",
            number(customers),
            plural(n, "segment"),
            number(self.figure(Figure::Revenue).value[n]),
            number(self.options.period_months)
        );
        let margin = self.figure(Figure::GrossMargin).value[n];
        if !margin.is_nan() {
            text += &format!(", at a gross margin of {}", percent(margin));
        }
        text += ".";
        if let Some(&largest) = order.first().filter(|_| n > 1) {
            text += &format!(
                " The largest segment, {}, brings {}; the concentration of revenue (Herfindahl index) is {:.3}, \
                 where {} equal segments would have {:.3}.",
                self.segments[largest],
                percent(self.figure(Figure::RevenueShare).value[largest]),
                self.hhi[0],
                n,
                1.0 / n as f64
            );
        }
        text
    }

    fn segment(&self, segment: usize) -> String {
        let value = |figure: Figure| self.figure(figure).value[segment];
        let with = |figure: Figure, words: fn(f64) -> String| {
            let estimates = self.figure(figure);
            let (lo, hi) = (estimates.lo[segment], estimates.hi[segment]);
            let text = words(estimates.value[segment]);
            if lo.is_nan() { text } else { format!("{text} ({} to {})", words(lo), words(hi)) }
        };
        let mut text = format!(
            "{} ({}): {} of revenue",
            self.segments[segment],
            plural(self.sums[segment][Field::Customers as usize] as usize, "customer"),
            with(Figure::RevenueShare, percent)
        );
        if !value(Figure::GrossMargin).is_nan() {
            text += &format!(", gross margin {}", with(Figure::GrossMargin, percent));
        }
        text += ".";
        let days = value(Figure::DaysToSale);
        if days.is_finite() {
            text += &format!(
                " Half of its leads have bought {} days after first contact.",
                with(Figure::DaysToSale, not_reached)
            );
        } else if days.is_infinite() {
            text += " Fewer than half of its leads buy within the time observed.";
        }
        let payback = value(Figure::PaybackMonths);
        if !value(Figure::Cac).is_nan() {
            text += &format!(" Winning a customer costs {}", with(Figure::Cac, number));
            text += &match payback {
                months if months.is_nan() => ".".to_string(),
                months if months.is_infinite() => ", which is never paid back.".to_string(),
                _ => format!(", paid back after {} months.", with(Figure::PaybackMonths, never)),
            };
        }
        if !value(Figure::Contribution).is_nan() {
            text += &format!(
                " A customer contributes {} per {} months",
                with(Figure::Contribution, number),
                number(self.options.period_months)
            );
            if !value(Figure::Ltv).is_nan() {
                text += &format!(" and {} over its lifetime", with(Figure::Ltv, number));
            }
            if !value(Figure::LtvCac).is_nan() {
                text += &format!(", {} times what it costs to win", with(Figure::LtvCac, ratio));
            }
            text += ".";
        }
        text
    }

    fn first_three(&self) -> Option<String> {
        let profit = &self.figure(Figure::Profit).value[..self.segments.len()];
        if profit.iter().any(|value| value.is_nan()) || profit.len() < 2 {
            return None;
        }
        let ranking = rank(self, 3, &["profit".to_string()], &Weights::Equal).ok()?;
        let names: Vec<String> = (ranking.segments.iter().zip(&ranking.values).take(3))
            .map(|(name, &profit)| format!("{name} ({})", number(profit)))
            .collect();
        let mut text = format!("By profit the first are {}.", listed(&names));
        let unsure: Vec<String> = (ranking.segments.iter().zip(&ranking.p_top))
            .filter(|&(_, &p)| (NOT_SETTLED..=1.0 - NOT_SETTLED).contains(&p))
            .map(|(name, &p)| format!("{name} is among the first three in {}", percent(p)))
            .collect();
        if !unsure.is_empty() {
            text += &format!(" That is not settled: {} of replicates.", listed(&unsure));
        } else if profit.len() > 3 && self.replicates.n_boot > 0 {
            text += " The same three come first in nearly all replicates.";
        }
        Some(text)
    }

    fn basis(&self) -> String {
        let manifest = &self.manifest;
        let mut sentences = Vec::new();
        if self.replicates.n_boot > 0 {
            sentences.push(format!(
                "In brackets: the central {} of {} bootstrap replicates of the customers.",
                percent(self.options.confidence),
                number(self.replicates.n_boot as f64)
            ));
        }
        sentences.push(format!("{} of {} rows used.", manifest.rows_used, manifest.rows));
        for left in &manifest.left_out {
            sentences.push(format!("Left out: {} because {}.", left.rows, left.reason));
        }
        for note in &manifest.notes {
            let mut letters = note.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            sentences.push(format!("{first}{}.", letters.as_str()));
        }
        sentences.join(" ")
    }
}

impl TimeToSale {
    /// The curves in sentences.
    pub fn explain(&self) -> String {
        let mut lines = Vec::new();
        for (at, (name, curve)) in self.segments.iter().zip(&self.curves).enumerate() {
            let (median, lo, hi) = curve.median();
            let half = if median.is_nan() {
                "no lead with known dates".to_string()
            } else if median.is_infinite() {
                "fewer than half of the leads buy within the time observed".to_string()
            } else {
                let ends = [lo, hi].map(not_reached);
                format!(
                    "half of the leads have bought after {} days ({} to {})",
                    number(median),
                    ends[0],
                    ends[1]
                )
            };
            let (share, low, high) = curve.by(self.horizon);
            let mut line = format!("{name}: {half}");
            if !share.is_nan() {
                line += &format!(
                    "; {} ({} to {}) have bought within {} days",
                    percent(share),
                    percent(low),
                    percent(high),
                    number(self.horizon)
                );
            }
            let (mean, _) = curve.restricted_mean(&self.tables[at], self.horizon);
            if !mean.is_nan() {
                line += &format!(
                    ", and of these days {} pass on average before the sale, all of them where there is none",
                    number(mean)
                );
            }
            lines.push(line + ".");
        }
        let competing = self.tables.iter().any(|table| table.lost.iter().any(|&n| n > 0.0));
        lines.push(format!(
            "{}; in brackets {} intervals. Open leads count as long as they were observed.",
            if competing { "Aalen-Johansen, lost leads competing" } else { "Kaplan-Meier" },
            percent(self.confidence)
        ));
        lines.join("\n")
    }
}

impl Ranking {
    /// The order in sentences, with the criteria and their direction.
    pub fn explain(&self) -> String {
        let criteria: Vec<String> = self
            .criteria
            .iter()
            .map(|&(figure, weight)| {
                let direction = if figure.more_is_better() { "more" } else { "less" };
                let weight = match self.criteria.len() {
                    1 => String::new(),
                    _ => format!(", weight {}", percent(weight)),
                };
                format!("{} ({direction} is better{weight})", figure.name())
            })
            .collect();
        let mut text = format!("Ranked by {}.", listed(&criteria));
        for row in 0..self.segments.len().min(self.top) {
            text += &format!(" {}. {}", self.rank[row], self.segments[row]);
            if !self.p_top[row].is_nan() {
                text += &format!(
                    ": among the first {} in {} of replicates, rank {} to {}",
                    self.top,
                    percent(self.p_top[row]),
                    self.rank_lo[row],
                    self.rank_hi[row]
                );
            }
            text += ".";
        }
        let near = self.segments.iter().zip(&self.p_top).skip(self.top);
        for (segment, p) in near.filter(|&(_, &p)| p >= NOT_SETTLED) {
            text += &format!(" {segment} is among them in {}.", percent(*p));
        }
        text
    }
}

/// A segment that is among the first this often is worth a sentence.
const NOT_SETTLED: f64 = 0.05;

fn plural(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(count as f64), if count == 1 { "" } else { "s" })
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = usize::from(percent.abs() < 10.0 && percent.fract().abs() > 0.05);
    format!("{percent:.digits$}%")
}

fn ratio(value: f64) -> String {
    // Adding 0 turns -0 into 0.
    if value.is_infinite() {
        number(value)
    } else {
        format!("{:.1}", (value * 10.0).round() / 10.0 + 0.0)
    }
}

fn never(months: f64) -> String {
    if months.is_infinite() { "never".into() } else { format!("{months:.1}") }
}

fn not_reached(days: f64) -> String {
    if days.is_infinite() { "not reached".into() } else { number(days) }
}

/// Thousands apart, and as many decimals as a reader wants: none from 100 on, one above 10, two below.
pub(super) fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "unlimited" } else { "minus unlimited" }.into();
    }
    let digits = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{:.digits$}", value.abs());
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let zero = text.chars().all(|c| c == '0' || c == '.');
    let sign = if value < 0.0 && !zero { "-" } else { "" };
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{decimals}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_a_report() {
        for (value, text) in [
            (1_234_567.8, "1,234,568"),
            (-1000.0, "-1,000"),
            (99.96, "100"),
            (12.34, "12.3"),
            (0.5, "0.50"),
            (-0.001, "0.00"),
            (f64::INFINITY, "unlimited"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(percent(0.365), "36%");
        assert_eq!(percent(0.0512), "5.1%");
        assert_eq!(percent(0.05), "5%");
    }
}
