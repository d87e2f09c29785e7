//! Expectation and maximisation in turn.

use super::CovarianceType;
use super::moments::{Overall, Passes};
use super::parameters::Parameters;
use crate::cluster::rows::Rows;
use crate::error::Result;
use crate::parallel::Monitor;
use crate::simd::{Components, Real, Second, Shares};

/// The room that the iterations need, for one data set and number of components.
pub(super) struct Em<'a, T: Real> {
    overall: &'a Overall,
    ridge: f64,
    passes: Passes<'a, T>,
    points: Vec<f64>,
    pub(super) parameters: Parameters,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) n_iter: usize,
    pub(super) converged: bool,
    pub(super) lower_bound: f64,
}

impl<'a, T: Real> Em<'a, T> {
    /// Starts at these parameters.
    pub(super) fn new(
        rows: &'a Rows<'a, T>,
        overall: &'a Overall,
        ridge: f64,
        parameters: Parameters,
    ) -> Self {
        let second = match parameters.kind {
            CovarianceType::Full => Second::Triangles,
            CovarianceType::Tied => Second::None,
            CovarianceType::Diag | CovarianceType::Spherical => Second::Squares,
        };
        Self {
            overall,
            ridge,
            passes: Passes::new(rows, parameters.k, second),
            points: parameters.means.clone(),
            parameters,
        }
    }

    /// Parameters that maximise the likelihood of the rows, given the components' shares in them.
    ///
    /// The moments are taken about the means of before. Where these lie so far from the new ones that their difference
    /// would drown the covariances, they are taken once more.
    fn maximise(&mut self, shares: Shares<'_>, monitor: &Monitor) -> Result<()> {
        let (overall, ridge) = (self.overall, self.ridge);
        self.points.copy_from_slice(&self.parameters.means);
        for again in [false, true] {
            self.passes.pass(&overall.origin, shares, &self.points, monitor)?;
            let (sums, points) = (&self.passes.sums, &self.points);
            self.parameters.maximise(sums, points, overall, ridge);
            if again || !self.parameters.cancelled(sums, points, overall) {
                break;
            }
            if sums.kind == Second::None {
                self.passes = Passes::new(self.passes.rows, self.parameters.k, Second::Pooled);
            }
            self.points.copy_from_slice(&self.parameters.means);
        }
        Ok(())
    }

    /// Takes the shares as a function of the row gives them.
    pub(super) fn begin(
        &mut self,
        shares: &(dyn Fn(usize, &mut [f64]) + Sync),
        monitor: &Monitor,
    ) -> Result<()> {
        self.maximise(Shares::Given(shares), monitor)
    }

    /// Iterates until the mean log density of the rows changes by less than `tolerance`.
    pub(super) fn run(
        &mut self,
        max_iter: usize,
        tolerance: f64,
        monitor: &Monitor,
    ) -> Result<Ending> {
        let mut components: Components = self.parameters.room();
        let mut ending = Ending { n_iter: 0, converged: false, lower_bound: f64::NEG_INFINITY };
        while ending.n_iter < max_iter && !ending.converged {
            self.parameters.lay_out(&mut components);
            self.maximise(Shares::Of(&components), monitor)?;
            let lower_bound = self.passes.sums.log_likelihood / self.overall.total;
            ending.n_iter += 1;
            ending.converged = (lower_bound - ending.lower_bound).abs() < tolerance;
            ending.lower_bound = lower_bound;
            monitor.advance(1);
        }
        monitor.advance((max_iter - ending.n_iter) as u64);
        Ok(ending)
    }
}
