//! Segments by products: how well each product delivers what each segment needs.

use serde::{Deserialize, Serialize};

use super::grid::{Source, grid};
use super::matching::Fit;
use super::words::quoted;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::sentence::listed;
use crate::table::Table;

/// The fit of every product to every segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitMatrix {
    /// What it was made from.
    pub manifest: Manifest,
    /// Name of the column of segments and what an offer is called.
    pub words: [String; 2],
    /// Names of the segments.
    pub segments: Vec<String>,
    /// Names of the products.
    pub products: Vec<String>,
    /// Delivery below which a need is unmatched.
    pub matched: f64,
    /// The figures.
    pub fit: Fit,
}

impl Persist for FitMatrix {
    const KIND: &'static str = "fit_matrix";

    fn validate(&self) -> Result<()> {
        match self.fit.broken(self.segments.len(), self.products.len()) {
            _ if self.segments.is_empty() || self.products.is_empty() => {
                Err(persist::broken("there is no segment or no product"))
            }
            Some(reason) => Err(persist::broken(reason)),
            None => Ok(()),
        }
    }
}

/// Refuses a share outside of 0 to 1.
pub(super) fn check_share(argument: &str, value: f64, example: &str) -> Result<()> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    let wanted = "a number above 0 and at most 1 is needed";
    Err(Error::argument(argument, value, wanted).with_mend(format!("{argument}={example}")))
}

/// Needs and deliveries as one table of fits.
///
/// # Errors
///
/// As [`grid`]; [`Error::Argument`] for a need of one side that the other lacks, a segment to which nothing is important, and
/// `matched` out of range.
pub fn fit_matrix(
    needs: &Source<'_>,
    delivery: &Source<'_>,
    matched: f64,
    manifest: Manifest,
) -> Result<FitMatrix> {
    check_share("matched", matched, "0.5")?;
    let weights = grid(needs)?;
    let offers = grid(delivery)?.with_cols(delivery, &weights.cols)?;
    let fit = Fit::new(&weights.rows, weights.cols, weights.values, None, offers.values)?;
    Ok(FitMatrix {
        manifest,
        words: [needs.row.to_string(), delivery.row.to_string()],
        segments: weights.rows,
        products: offers.rows,
        matched,
        fit,
    })
}

impl FitMatrix {
    /// One row per segment and product: fit, share of the needs that are unmatched, and these needs.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let m = self.products.len();
        let cells = || (0..self.segments.len()).flat_map(|s| (0..m).map(move |v| (s, v)));
        let open =
            |(s, v): (usize, usize)| self.fit.unmatched(s, self.fit.delivered(v), self.matched);
        let names = |needs: Vec<usize>| listed(needs.iter().map(|&need| &self.fit.needs[need]));
        let share = |(s, v)| {
            let shares = self.fit.shares(s);
            open((s, v)).into_iter().fold(0.0, |sum, need| sum + shares[need])
        };
        Table::builder()
            .text(&self.words[0], cells().map(|(s, _)| &self.segments[s]))
            .text(&self.words[1], cells().map(|(_, v)| &self.products[v]))
            .float("fit", self.fit.fit.iter().copied())
            .float("unmatched_share", cells().map(share))
            .text("unmatched", cells().map(|cell| names(open(cell))))
            .finish()
    }

    /// One row per segment and need that no product delivers: its share in the importance of all, and what the best delivers.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn unmatched(&self) -> Result<Table> {
        let best = self.fit.best();
        let delivered: Vec<f64> = best.iter().map(|&(_, value)| value).collect();
        let open: Vec<(usize, usize)> = (0..self.segments.len())
            .flat_map(|s| {
                let needs = self.fit.unmatched(s, &delivered, self.matched);
                needs.into_iter().map(move |need| (s, need))
            })
            .collect();
        Table::builder()
            .text(&self.words[0], open.iter().map(|&(s, _)| &self.segments[s]))
            .text("need", open.iter().map(|&(_, need)| &self.fit.needs[need]))
            .float("share", open.iter().map(|&(s, need)| self.fit.shares(s)[need]))
            .float("best_delivery", open.iter().map(|&(_, need)| delivered[need]))
            .text("best", open.iter().map(|&(_, need)| &self.products[best[need].0]))
            .finish()
    }

    /// The best product of each segment in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let m = self.products.len();
        let mut lines = Vec::new();
        for (s, segment) in self.segments.iter().enumerate() {
            let row = &self.fit.fit[s * m..(s + 1) * m];
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let first = row.iter().position(|&fit| fit == most).unwrap_or(0);
            let open = self.fit.unmatched(s, self.fit.delivered(first), self.matched);
            let open = match open.len() {
                0 => "it leaves no need unmatched".to_string(),
                _ => format!(
                    "unmatched: {}",
                    listed(open.iter().map(|&need| quoted(&self.fit.needs[need])))
                ),
            };
            lines.push(format!(
                "{segment}: {} fits best with {:.2}; {open}.",
                quoted(&self.products[first]),
                most
            ));
        }
        lines.push(
            "The fit is the mean of what a product delivers of each need, from 0 to 1, weighted by importance.".into(),
        );
        lines.push(format!(
            "A need is unmatched where less than {} of it is delivered.",
            self.matched
        ));
        lines
    }
}
