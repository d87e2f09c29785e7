//! How the cells of a gap matrix are judged: p, q, status, and the test of the whole table.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::erf::erfc;

use super::crosstab::Cell;
use super::exact::{binomial, hypergeometric, monte_carlo};
use super::expected::{Null, Totals};
use super::matrix::GapMatrix;
use super::options::{Options, Test};
use super::verdict::{Basis, Status};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::statistics::benjamini_hochberg;

/// Most records times random tables of a Monte Carlo test.
const MAX_DEALT: f64 = 2e10;

impl GapMatrix {
    /// p, q and status of every cell, and the test of the whole table.
    pub(super) fn judge(
        &mut self,
        table: &Totals,
        reference: &[Cell],
        null: &Null,
        options: &Options,
        monitor: &Monitor,
    ) -> Result<()> {
        let (p, of_all) = match options.test {
            Test::Normal => {
                let p = |residual: &f64| erfc(residual.abs() / std::f64::consts::SQRT_2);
                (self.residual.iter().map(p).collect(), None)
            }
            Test::Exact => (self.exact(table, reference, null)?, None),
            Test::MonteCarlo => {
                self.check_counts("monte_carlo")?;
                if self.basis != Basis::Independence {
                    let wanted = "random tables are those of rows and columns that have nothing to do with each other";
                    return Err(Error::argument(
                        "test",
                        "\"monte_carlo\" with another comparison",
                        wanted,
                    )
                    .with_mend("test=\"exact\""));
                }
                if table.total * options.n_resamples as f64 > MAX_DEALT {
                    let found =
                        format!("{} tables of {} records", options.n_resamples, table.total);
                    let wanted = "so many records need no random tables";
                    return Err(Error::argument("test", found, wanted).with_mend("test=\"exact\""));
                }
                let (p, all) =
                    monte_carlo(table, &null.expected, options.n_resamples, options.seed, monitor)?;
                (p, Some(all))
            }
        };
        let shown = |cell: usize| {
            !matches!(self.status[cell], Status::NotApplicable | Status::Hidden)
                && !self.residual[cell].is_nan()
        };
        self.p = p
            .into_iter()
            .enumerate()
            .map(
                |(cell, p): (usize, f64)| {
                    if shown(cell) && self.enough(cell, null) { p } else { f64::NAN }
                },
            )
            .collect();
        self.q = benjamini_hochberg(&self.p);
        self.status = (0..self.p.len()).map(|cell| self.status_of(cell, null)).collect();
        self.test_all(null, of_all);
        Ok(())
    }

    /// Whether a cell expects so many records that it can be judged.
    fn enough(&self, cell: usize, null: &Null) -> bool {
        match self.expected[cell] > 0.0 {
            true => null.effective[cell] >= self.min_count,
            // Nothing is offered here, so any demand at all is against the supply.
            false => self.n[cell] as f64 >= self.min_count.max(1.0),
        }
    }

    fn status_of(&self, cell: usize, null: &Null) -> Status {
        let enough = self.enough(cell, null);
        match self.status[cell] {
            kept @ (Status::NotApplicable | Status::Hidden) => kept,
            _ if self.observed[cell] == 0.0 && (self.expected[cell] == 0.0 || enough) => {
                Status::Empty
            }
            _ if !enough => Status::TooFew,
            _ if self.q[cell] <= self.limit() && self.residual[cell] != 0.0 => {
                if (self.residual[cell] < 0.0) == (self.basis.sign() > 0.0) {
                    Status::Gap
                } else {
                    Status::Saturated
                }
            }
            _ => Status::Served,
        }
    }

    /// Refuses what has no exact law.
    fn check_counts(&self, test: &str) -> Result<()> {
        let odd = match (&self.values, &self.customer) {
            (Some(_), _) => "records of unequal value",
            (None, Some(_)) => "records that go together by customer",
            (None, None) => return Ok(()),
        };
        let found = format!("{test:?} with {odd}");
        Err(Error::argument("test", found, "their law is known in the normal approximation only")
            .with_mend("test=\"normal\""))
    }

    /// The exact p-value of every cell, given the totals.
    fn exact(&self, table: &Totals, reference: &[Cell], null: &Null) -> Result<Vec<f64>> {
        self.check_counts("exact")?;
        if self.basis == Basis::QuasiIndependence {
            let wanted = "tables with cells that cannot occur have no exact law of a cell";
            return Err(Error::argument("test", "\"exact\" with structural_zeros", wanted)
                .with_mend("test=\"normal\""));
        }
        let n_cols = self.n_cols();
        let count = |sum: f64| sum as u64;
        let then = |row: usize| {
            reference[row * n_cols..(row + 1) * n_cols].iter().map(|cell| cell.n).sum::<u64>()
        };
        Ok((0..table.sum.len())
            .map(|cell| {
                let row = cell / n_cols;
                let (n, drawn) = (count(table.sum[cell]), count(table.rows[row]));
                match (self.basis, null.known_shares()) {
                    (Basis::Reference, _) => {
                        let total = drawn + then(row);
                        hypergeometric(n, drawn, n + reference[cell].n, total)
                    }
                    (_, Some(shares)) => binomial(n, drawn, shares[cell]),
                    _ => {
                        let marked = count(table.cols[cell % n_cols]);
                        hypergeometric(n, drawn, marked, count(table.total))
                    }
                }
            })
            .collect())
    }

    /// Takes out all that is known of the cells that must not be shown.
    pub(super) fn hide(&mut self, hidden: &[bool]) {
        for cell in (0..hidden.len()).filter(|&cell| hidden[cell]) {
            self.status[cell] = Status::Hidden;
            self.n[cell] = 0;
            for figure in [
                &mut self.observed,
                &mut self.expected,
                &mut self.index,
                &mut self.index_lo,
                &mut self.index_hi,
                &mut self.residual,
                &mut self.variance,
                &mut self.gap_value,
                &mut self.gap_value_lo,
                &mut self.gap_value_hi,
                &mut self.design_effect,
            ] {
                if let Some(figure) = figure.get_mut(cell) {
                    *figure = f64::NAN;
                }
            }
        }
    }

    /// The test of the whole table, and notes on what was not judged.
    fn test_all(&mut self, null: &Null, random: Option<f64>) {
        let judged: Vec<usize> =
            (0..self.observed.len()).filter(|&cell| self.expected[cell] > 0.0).collect();
        let n_hidden = self.status.iter().filter(|&&status| status == Status::Hidden).count();
        if n_hidden > 0 {
            // The sum over all cells would give away what is hidden.
            self.manifest.notes.push(format!(
                "{n_hidden} cells are hidden, and with them the test of the whole table"
            ));
        } else {
            let distance = |cell: usize| (self.observed[cell] - self.expected[cell]).powi(2);
            let pearson: f64 =
                judged.iter().map(|&cell| distance(cell) / self.expected[cell]).sum();
            let mean: f64 =
                judged.iter().map(|&cell| null.variance[cell] / self.expected[cell]).sum();
            if self.dof > 0 && mean > 0.0 {
                let chi2 = pearson * self.dof as f64 / mean;
                self.chi2 = Some(chi2);
                let law = || ChiSquared::new(self.dof as f64).ok().map(|law| law.sf(chi2));
                self.p_value = random.or_else(law);
            }
        }
        let few = judged.iter().filter(|&&cell| null.effective[cell] < self.min_count).count();
        if few > 0 {
            self.manifest.notes.push(format!(
                "{few} of {} cells expect fewer than {} records and are not judged",
                judged.len(),
                self.min_count
            ));
        }
        if !null.converged {
            self.manifest.notes.push(
                "the expected values do not reproduce the totals to full precision: the structural zeros leave \
                 too little room"
                    .to_string(),
            );
        }
    }
}
