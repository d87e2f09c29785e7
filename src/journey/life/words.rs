//! The path in words.

use super::figures::StageFigures;
use super::{LifePath, Test};
use crate::economics::sheet::Estimate;
use crate::sentence::listed;

/// Below this probability history is said to matter.
const UNLIKELY: f64 = 0.05;

impl LifePath {
    /// Findings that do not stop the work, as clauses.
    pub(super) fn notes(&self) -> Vec<String> {
        let figures = self.figures();
        let those = |is: &dyn Fn(&StageFigures) -> bool| -> Vec<String> {
            let named = self.stages.iter().zip(&figures).filter(|(_, figures)| is(figures));
            named.map(|(name, _)| quoted(name)).collect()
        };
        let mut notes = Vec::new();
        let unseen = those(&|f| f.n == 0.0);
        if !unseen.is_empty() {
            notes.push(format!(
                "no transition from {} was observed: taken as the end of the path",
                listed(&unseen)
            ));
        }
        let final_ones = those(&|f| f.n > 0.0 && f.moves == 0.0);
        if !final_ones.is_empty() {
            notes.push(format!(
                "nobody was seen to leave {}: taken as final, also in the intervals of values",
                listed(&final_ones)
            ));
        }
        let thin = those(&|f| f.n > 0.0 && self.is_thin(f));
        if !thin.is_empty() {
            notes.push(format!(
                "fewer than {} transitions from {}: their figures are rough",
                count(self.min_count),
                listed(&thin)
            ));
        }
        notes.push(self.memory_note());
        notes
    }

    fn memory_note(&self) -> String {
        let left = self.memory.varied - self.memory.tested.min(self.memory.varied);
        let Some(Test { statistic, df, p, v }) = self.memory.test else {
            return "whether the stage before the present one matters (the Markov property) could not be tested: too few \
                    customers with three rows in a row"
                .to_string();
        };
        let figures = format!(
            "chi-square {statistic:.1} at {df:.0} degrees of freedom, {}, Cramér's V {v:.2}",
            if p < 0.001 { "p < 0.001".to_string() } else { format!("p = {p:.3}") }
        );
        let partly = match left {
            0 => String::new(),
            _ => format!("; {left} of {} stages had too few to be tested", self.memory.varied),
        };
        if p < UNLIKELY {
            format!(
                "the stage before the present one matters, too, or customers differ ({figures}{partly}): the path has more \
                 memory than a Markov chain, and its forecasts and values are to be read with care"
            )
        } else {
            format!(
                "no sign that the stage before the present one matters ({figures}{partly}), as a Markov chain supposes"
            )
        }
    }

    /// The path in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let total: f64 = self.table.iter().sum();
        let units = plural(&self.period);
        let mut lines = vec![format!(
            "{} transitions of {} customers between {} stages, from one {} to the next.",
            count(total),
            count(self.customers as f64),
            self.stages.len(),
            self.period
        )];
        let everybody: f64 = self.now.iter().sum();
        for (stage, figures) in self.figures().iter().enumerate() {
            let mut line = plain(&self.stages[stage]);
            if everybody > 0.0 {
                line +=
                    &format!(" ({} of the customers now)", percent(self.now[stage] / everybody));
            }
            line += &self.stay(figures, &units);
            if let Some(next) = figures.next {
                line += &format!(
                    " Of {} moves most go to {}: {}. {} of those here get there at some time, after {} {units} on average.",
                    count(figures.moves),
                    plain(&self.stages[next]),
                    estimate(figures.next_p, percent),
                    percent(figures.next_ever),
                    time(figures.next_wait)
                );
                if let Some(offer) = &self.offers[next] {
                    line += &format!(" To offer by then: {}.", plain(offer));
                }
            }
            if self.margin.is_some() {
                line += &format!(" Value {}.", self.worth(stage, &units));
            }
            lines.push(line);
        }
        if self.margin.is_some() {
            lines.push(format!(
                "The mean customer to begin with: value {}.",
                self.worth(self.stages.len(), &units)
            ));
            let discount = match self.discount {
                0.0 => "nothing is discounted".to_string(),
                rate => format!("the discount is {} % per {}", digits(100.0 * rate), self.period),
            };
            lines.push(format!(
                "Value is the sum over periods t = 0, 1, ... of the margin expected in period t over (1 + d)^t: the first period \
                 counts in full (margins come in advance), and {discount}."
            ));
        }
        let drawn = match self.n_boot {
            0 => "No replicates were drawn, so that values and occupancy have no intervals."
                .to_string(),
            n => format!(
                "Intervals of values and of occupancy come from {n} draws of the probabilities from their posterior (Dirichlet; \
                 moves never seen stay impossible), seed {}.",
                self.seed
            ),
        };
        lines.push(format!(
            "Intervals of probabilities are Wilson's at {} %, and those of times in a stage the same carried over. {drawn}",
            digits(100.0 * self.confidence)
        ));
        lines.extend(self.manifest.notes.iter().map(|note| sentence(note)));
        lines
    }

    fn stay(&self, figures: &StageFigures, units: &str) -> String {
        if figures.n == 0.0 {
            return ": no transition from here was observed.".to_string();
        }
        if figures.moves == 0.0 {
            let least = time(figures.time.lo);
            return format!(
                ": never left in {} transitions; the mean stay is at least {least} {units}.",
                count(figures.n)
            );
        }
        let few = if self.is_thin(figures) { ", from few transitions" } else { "" };
        format!(": they stay {} {units} on average{few}.", estimate(figures.time, time))
    }

    fn worth(&self, at: usize, units: &str) -> String {
        let of = |figures: &[f64]| Estimate { value: figures[0], lo: figures[1], hi: figures[2] };
        let some = estimate(of(&self.value[at]), amount);
        let horizon = self.horizon;
        let unit = if horizon == 1 { &self.period } else { units };
        let forever = of(&self.value_forever[at]);
        let all = match forever.value {
            value if value.is_finite() => format!("{} without an end", estimate(forever, amount)),
            value if value.is_nan() => "without an end it does not settle".to_string(),
            _ => "without an end it has no bound".to_string(),
        };
        format!("over {horizon} {unit} is {some}, {all}")
    }
}

fn estimate(figure: Estimate, word: fn(f64) -> String) -> String {
    if figure.lo.is_nan() {
        return word(figure.value);
    }
    format!("{} ({} to {})", word(figure.value), word(figure.lo), word(figure.hi))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn time(periods: f64) -> String {
    match periods {
        infinite if infinite.is_infinite() => "no end".to_string(),
        long if long >= 100.0 => count(long),
        short => format!("{short:.1}"),
    }
}

fn amount(value: f64) -> String {
    if value.abs() >= 100.0 || value == 0.0 { count(value) } else { format!("{value:.2}") }
}

/// A number without needless digits.
fn digits(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A rounded number in groups of three digits.
fn count(value: f64) -> String {
    let text = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) && text.is_ascii() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 && text != "0" { format!("-{grouped}") } else { grouped }
}

/// "month" as "months", "period of 14 days" as "periods of 14 days".
fn plural(word: &str) -> String {
    match word.split_once(' ') {
        Some((first, rest)) => format!("{first}s {rest}"),
        None => format!("{word}s"),
    }
}

/// A name on one line.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quoted(name: &str) -> String {
    format!("{name:?}")
}

fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
