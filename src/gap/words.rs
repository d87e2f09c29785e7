//! The gap matrix in words: the ranked list of gaps, and what the figures mean.

use super::matrix::GapMatrix;
use super::options::Test;
use super::verdict::{Basis, Status};

/// Columns of the result other than the two that carry the users' names.
pub(super) const COLUMNS: [&str; 28] = [
    "n",
    "observed",
    "expected",
    "index",
    "index_lo",
    "index_hi",
    "index_shrunk",
    "index_shrunk_lo",
    "index_shrunk_hi",
    "residual",
    "p",
    "q",
    "gap_value",
    "gap_value_lo",
    "gap_value_hi",
    "status",
    "rank",
    "sentence",
    "total",
    "share",
    "gap",
    "chi2",
    "dof",
    "index_all",
    "lowest",
    "index_lowest",
    "highest",
    "index_highest",
];

/// One gap of the ranked list.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Position of its cell in the vectors of the matrix.
    pub cell: usize,
    /// The gap in words, with its interval and the threshold that it passed.
    pub sentence: String,
}

impl GapMatrix {
    /// The gaps by what closing them is worth, the largest first, and at most `top` of them.
    ///
    /// A cell is listed where its status is `gap`, or `empty` though something is expected.
    pub fn gaps(&self, top: usize) -> Vec<Gap> {
        let mut cells: Vec<usize> = (0..self.status.len())
            .filter(|&cell| match self.status[cell] {
                Status::Gap => true,
                Status::Empty => self.gap_value[cell] > 0.0,
                _ => false,
            })
            .collect();
        cells.sort_by(|&a, &b| self.gap_value[b].total_cmp(&self.gap_value[a]).then(a.cmp(&b)));
        cells.truncate(top);
        cells.into_iter().map(|cell| Gap { cell, sentence: self.sentence(cell) }).collect()
    }

    /// One cell in words.
    fn sentence(&self, cell: usize) -> String {
        let (row, col) = self.names(cell);
        let (observed, expected) = (self.observed[cell], self.expected[cell]);
        let what = self.values.as_deref().unwrap_or("the number of records");
        let basis = match self.basis {
            Basis::Supply => format!("{col}'s share of the supply for {row}"),
            Basis::Need => format!("{col}'s share of the need of {row}"),
            Basis::Reference => format!("{col}'s share of {row} in the other period"),
            Basis::Independence | Basis::QuasiIndependence => {
                format!("the totals of {row} and {col}")
            }
        };
        let difference = if expected > 0.0 {
            format!(
                ", {} ({} % interval: {})",
                change(self.index[cell]),
                number(100.0 * self.confidence),
                change_interval(self.index_lo[cell], self.index_hi[cell])
            )
        } else {
            String::new()
        };
        let test = if self.q[cell] <= self.limit() {
            let (q, limit) = (probability("q", self.q[cell]), number(self.limit()));
            format!("It counts as a gap because {q} (at most {limit} is needed)")
        } else {
            format!(
                "It is listed because nothing was observed and at least {} records are expected",
                number(self.min_count)
            )
        };
        format!(
            "{} {row}, {} {col}: {what} is {} instead of the {} expected from {basis}{difference}. {test}; \
             closing it is worth {}.",
            self.rows.name,
            self.cols.name,
            number(observed),
            number(expected),
            self.amount(self.gap_value[cell]),
        )
    }

    /// What the figures mean, in plain words, with every threshold; one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut paragraphs = vec![self.explain_expected(), self.explain_residual()];
        paragraphs.push(self.explain_status());
        paragraphs.extend(self.explain_test());
        let manifest = &self.manifest;
        let mut rows = format!(
            "{} of {} rows were used.",
            number(manifest.rows_used as f64),
            number(manifest.rows as f64)
        );
        for left_out in &manifest.left_out {
            rows +=
                &format!(" {} were left out: {}.", number(left_out.rows as f64), left_out.reason);
        }
        for note in &manifest.notes {
            rows += &format!(" Note: {note}.");
        }
        paragraphs.push(rows);
        paragraphs
    }

    fn explain_expected(&self) -> String {
        let (rows, cols) = (&self.rows.name, &self.cols.name);
        let observed = match &self.values {
            Some(values) => format!("the sum of {values} in a cell of {rows} by {cols}"),
            None => format!("the number of records in a cell of {rows} by {cols}"),
        };
        let expected = match self.basis {
            Basis::Independence => format!(
                "what the cell would hold if {rows} and {cols} had nothing to do with each other: total of the row \
                 times total of the column, divided by the total of the table"
            ),
            Basis::QuasiIndependence => format!(
                "what the cell would hold if {rows} and {cols} had nothing to do with each other in the cells that \
                 can occur: a product of a row factor and a column factor that keeps the totals (iterative \
                 proportional fitting)"
            ),
            Basis::Supply => format!(
                "what the cell would hold if each {rows} took each {cols} by its share of the supply: total of the \
                 row times that share"
            ),
            Basis::Need => format!(
                "what the cell would hold if each {rows} took each {cols} by its share of the need: total of the row \
                 times that share"
            ),
            Basis::Reference => format!(
                "what the cell would hold if each {rows} took each {cols} by the share that it took in the other \
                 period: total of the row times that share, which chance has moved too"
            ),
        };
        let worth = match self.basis {
            Basis::Supply => {
                "observed minus expected, the demand that goes beyond the share of supply"
            }
            _ => "expected minus observed",
        };
        let weighted = match &self.weights {
            Some(weights) => format!(", each record weighted by {weights}"),
            None => String::new(),
        };
        let times = if self.valued { ", times what one unit of the cell is worth" } else { "" };
        let drawn = match self.n_boot {
            0 => "linearised".to_string(),
            n => format!("percentiles of {} tables drawn anew", number(n as f64)),
        };
        format!(
            "Observed is {observed}{weighted}. Expected is {expected}. The index is observed divided by expected, \
             with its {} % interval in index_lo and index_hi ({drawn}). What closing a gap is worth (gap_value) is \
             {worth}{times}.",
            number(100.0 * self.confidence)
        )
    }

    fn explain_residual(&self) -> String {
        let values = match self.values {
            Some(_) => {
                " Because the records are of unequal value, this standard deviation follows from the squares of the \
                 values, not from their sum alone (linearised variance, design effect of Rao and Scott)."
            }
            None => "",
        };
        format!(
            "The residual is observed minus expected in standard deviations of chance (the adjusted residual): beyond \
             2 in either direction is rare where there is no gap.{values} p is {}, q is p adjusted for looking at {} \
             cells at once (Benjamini-Hochberg). {} index_shrunk is the index drawn towards 1 by as much as the cell \
             is thin (gamma-Poisson): rank thin cells by it, not by the index. Beyond chance, indices scatter by {} %.",
            match self.test {
                Test::Normal => "its two-sided probability under chance",
                Test::Exact =>
                    "the exact two-sided probability of the cell under chance, given the totals",
                Test::MonteCarlo => {
                    "the share of random tables with the same totals in which the cell is as far from its \
                     expectation"
                }
            },
            self.p.iter().filter(|p| !p.is_nan()).count(),
            self.explain_customers(),
            number(100.0 * self.scatter)
        )
    }

    fn explain_customers(&self) -> String {
        let Some(customer) = &self.customer else {
            return "Records are taken to be independent of each other; name the column that says whose record it is \
                    (customer=) where they are not."
                .to_string();
        };
        let ends = self
            .design_effect
            .iter()
            .fold((f64::INFINITY, 0.0_f64), |(lo, hi), &effect| (lo.min(effect), hi.max(effect)));
        format!(
            "Records of one {customer} go together: the variance is that of whole customers, {} to {} times that of as \
             many independent records (design effect, by cell).",
            number(ends.0),
            number(ends.1)
        )
    }

    fn explain_status(&self) -> String {
        let limit = number(self.limit());
        let (below, above) = match self.basis {
            Basis::Supply => (
                "demand is above the share of supply and q is at most",
                "demand is below the share of supply and q is at most",
            ),
            _ => (
                "observed is below expected and q is at most",
                "observed is above expected and q is at most",
            ),
        };
        let rule = |status| match status {
            Status::Gap => format!("{below} {limit}"),
            Status::Saturated => format!("{above} {limit}"),
            Status::Served => format!("q is above {limit}"),
            Status::Empty => format!(
                "nothing was observed though at least {} records are expected, or its row or column has no records \
                 at all",
                number(self.min_count)
            ),
            Status::TooFew => {
                let discount = match (&self.values, &self.customer) {
                    (None, None) => "",
                    (Some(_), None) => " (discounted for unequal values)",
                    (None, Some(_)) => " (discounted because those of one customer go together)",
                    (Some(_), Some(_)) => {
                        " (discounted for unequal values, and because those of one customer go together)"
                    }
                };
                format!(
                    "fewer than {} records{discount} are expected, so the cell is not judged",
                    number(self.min_count)
                )
            }
            Status::NotApplicable => "the cell cannot occur".to_string(),
            Status::Hidden => format!(
                "fewer than {} records, or needed to keep such a cell from being worked out from the totals",
                self.suppress.unwrap_or_default()
            ),
        };
        let clauses: Vec<String> = Status::ALL
            .iter()
            .filter(|&&status| status != Status::Hidden || self.suppress.is_some())
            .map(|&status| {
                let count = self.status.iter().filter(|&&other| other == status).count();
                format!("{} ({count}): {}", status.name(), rule(status))
            })
            .collect();
        format!(
            "What a status means, and how many of the {} cells have it: {}.",
            self.status.len(),
            clauses.join("; ")
        )
    }

    fn explain_test(&self) -> Option<String> {
        let (chi2, p) = (self.chi2?, self.p_value?);
        let finding = if p <= self.limit() {
            "the table as a whole departs from the expectation by more than chance"
        } else {
            "the table as a whole does not depart from the expectation by more than chance"
        };
        Some(format!(
            "Over all cells {finding} (chi-squared {}, {} degrees of freedom, {}).",
            number(chi2),
            self.dof,
            probability("p", p)
        ))
    }

    /// The largest q at which a cell is called a gap: 1 minus the confidence.
    pub fn limit(&self) -> f64 {
        // 1 - 0.95 is 0.05 and a rounding error; it is shown and used without it.
        ((1.0 - self.confidence) * 1e12).round() / 1e12
    }

    fn amount(&self, value: f64) -> String {
        match &self.values {
            _ if self.valued => number(value),
            Some(values) => format!("{} of {values}", number(value)),
            None => format!("{} records", number(value)),
        }
    }
}

/// A number as one reads it aloud: about four digits, thousands apart.
fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() { "missing" } else { "infinite" }.to_string();
    }
    if size > 0.0 && size < 0.001 {
        return format!("{value:.1e}");
    }
    let decimals = if size >= 1000.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(w, f)| (w, f));
    let groups: Vec<&str> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", groups.join(","))
}

/// "q = 0.0123", "p < 0.0001".
fn probability(name: &str, value: f64) -> String {
    if value < 0.0001 { format!("{name} < 0.0001") } else { format!("{name} = {value:.4}") }
}

fn percent(index: f64) -> String {
    number((100.0 * (index - 1.0).abs()).round())
}

fn side(index: f64) -> &'static str {
    if index < 1.0 { "less" } else { "more" }
}

/// "35 % less", "20 % more", "3.4 times as much".
fn change(index: f64) -> String {
    if index == f64::INFINITY {
        "more without end".to_string()
    } else if index >= 3.0 {
        format!("{} times as much", number(index))
    } else {
        format!("{} % {}", percent(index), side(index))
    }
}

/// "27 % to 43 % less", "from 44 % less to 2 % more".
fn change_interval(lo: f64, hi: f64) -> String {
    if hi < 1.0 {
        format!("{} % to {} % less", percent(hi), percent(lo))
    } else if lo >= 1.0 && hi < 3.0 {
        format!("{} % to {} % more", percent(lo), percent(hi))
    } else {
        format!("{} to {}", change(lo), change(hi))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_one_writes_them() {
        let pairs = [
            (0.0, "0"),
            (0.05, "0.05"),
            (7.0, "7"),
            (12.34, "12.3"),
            (999.96, "1,000"),
            (1_234_567.8, "1,234,568"),
            (-4321.0, "-4,321"),
            (95.0, "95"),
            (0.000_02, "2.0e-5"),
        ];
        for (value, text) in pairs {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn changes_name_their_direction() {
        assert_eq!(change(0.65), "35 % less");
        assert_eq!(change(1.2), "20 % more");
        assert_eq!(change(3.44), "3.44 times as much");
        assert_eq!(change_interval(0.57, 0.73), "27 % to 43 % less");
        assert_eq!(change_interval(0.9, 1.02), "10 % less to 2 % more");
        assert_eq!(change_interval(1.1, 1.2), "10 % to 20 % more");
    }
}
