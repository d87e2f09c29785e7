//! Gaussian mixtures: soft clusters with a shape of their own, and a likelihood that says how many there are.
//!
//! Expectation and maximisation (Dempster, Laird and Rubin 1977) in one pass over the rows per iteration: while a chunk of rows is
//! in the first-level cache, its log densities, the components' shares and the weighted moments are computed, so that no
//! matrix of shares is ever written. Blocks of rows are spread over threads and their sums folded in order: the answer has the
//! same bits for any number of threads, and an iteration allocates nothing.
//!
//! Rows are told about their mean and moments about each component's own mean of the iteration before, not about 0: values
//! of 10^8 with noise of size 1 keep their digits. Where a mean moved so far that the covariance would drown in the
//! difference, the moments are taken once more about the new mean.
//!
//! With one covariance for all components the scatter within them is that of all rows less that of the means, so their passes
//! leave the second moments out, and one triangular product serves all components; where clusters lie so far apart that the
//! difference would lose digits, the moments are added up after all.
//!
//! What limits the speed is arithmetic, not memory: see the kernel in `src/simd/mixture.rs`.

mod algebra;
mod em;
mod model;
mod moments;
mod parameters;
mod start;

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};

pub use model::GaussianMixtureModel;
pub use parameters::CovarianceType;
pub use start::{GivenStart, MixtureStart};

use super::kmeans::linfa_weights;
use super::rows::{Rows, column_name};
use super::start::Pool;
use crate::error::{Error, Result};
use crate::parallel::{self, BLOCK, Monitor};
use crate::simd::Real;
use em::Ending;
use moments::Overall;
use parameters::Parameters;

/// What to fit: the parameters of a Gaussian mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    /// Number of components.
    pub n_components: usize,
    /// What their covariances may look like.
    pub covariance_type: CovarianceType,
    /// How the start is found.
    pub start: MixtureStart,
    /// Parts of the start that are given.
    pub given: GivenStart,
    /// Number of starts; the best result is kept. One where means are given.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// Iterations end once the mean log density changes by less than this.
    pub tolerance: f64,
    /// Added to every variance, so that a component on few rows keeps a width.
    pub reg_covar: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Names of the columns, for messages; x0, x1 and so on where there are none.
    pub names: Vec<String>,
}

/// How a run ended, and where.
struct Candidate {
    parameters: Parameters,
    ending: Ending,
    collapsed: Vec<usize>,
}

impl Candidate {
    fn n_lost(&self) -> usize {
        self.parameters.weights.iter().filter(|&&weight| weight <= 0.0).count()
    }

    /// Whether this is the better result: fewer components that collapsed or were lost, then the higher bound.
    ///
    /// A collapsed component has a likelihood that says nothing but how small `reg_covar` is.
    fn beats(&self, other: &Self) -> bool {
        let trouble = |candidate: &Self| candidate.collapsed.len() + candidate.n_lost();
        let (a, b) = (trouble(self), trouble(other));
        a < b || a == b && self.ending.lower_bound > other.ending.lower_bound
    }
}

/// Starts tried beyond `n_init` while a component collapses.
const MORE_STARTS: usize = 3;

impl GaussianMixture {
    /// `n_components` components with full covariances, started by k-means.
    pub fn new(n_components: usize) -> Self {
        Self {
            n_components,
            covariance_type: CovarianceType::Full,
            start: MixtureStart::KMeans,
            given: GivenStart::default(),
            n_init: 1,
            max_iter: 100,
            tolerance: 1e-3,
            reg_covar: 1e-6,
            seed: 0,
            names: Vec::new(),
        }
    }

    /// Fits the model.
    ///
    /// The result is the same to the last bit for any number of threads. Time is proportional to rows, components, squared
    /// features and iterations; beside the data, memory for the moments of each block of rows is used. Rows that do not lie
    /// one after the other are copied once. Numbers of either type are computed as `f64`.
    ///
    /// A component that loses its rows keeps weight 0; one whose covariance cannot be inverted is widened until it can be.
    /// Up to three more starts are tried while a component collapses; where none helps, the model says so
    /// ([`GaussianMixtureModel::collapsed`]).
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for a value that is not finite or too large to be squared; [`Error::Argument`] for parameters or
    /// weights out of range, or a column that does not vary with `reg_covar` 0; [`Error::TooFewRows`] for fewer rows than
    /// components; [`Error::Interrupted`].
    pub fn fit<'a, T: Real>(
        &self,
        rows: ArrayView2<'a, T>,
        weights: Option<&'a [f64]>,
        monitor: &Monitor,
    ) -> Result<GaussianMixtureModel> {
        self.check()?;
        let rows = Rows::new(rows, weights, &self.names)?;
        if rows.n < self.n_components {
            return Err(Error::TooFewRows {
                what: format!("n_components={}", self.n_components),
                needed: self.n_components,
                found: rows.n,
                mend: (rows.n > 0).then(|| format!("n_components={}", rows.n)),
            });
        }
        self.given.check(self.covariance_type, self.n_components, &self.names, rows.d)?;
        let overall = Overall::of(&rows, self.covariance_type, self.reg_covar, monitor)?;
        if let (Some(&column), true) = (overall.constant.first(), self.reg_covar == 0.0) {
            return Err(Error::argument(
                "reg_covar",
                self.reg_covar,
                format!(
                    "column {:?} does not vary, so no component has a density; leave the column out or add a variance",
                    column_name(&self.names, column)
                ),
            )
            .with_mend("reg_covar=1e-6"));
        }
        let best = self.best(&rows, &overall, monitor)?;
        Ok(GaussianMixtureModel::new(self, best, overall))
    }

    fn check(&self) -> Result<()> {
        let positive = |name: &str, value: usize| match value {
            0 => Err(Error::argument(name, 0, "at least 1 is needed")),
            _ => Ok(()),
        };
        positive("n_components", self.n_components)?;
        positive("n_init", self.n_init)?;
        positive("max_iter", self.max_iter)?;
        for (name, value) in [("tol", self.tolerance), ("reg_covar", self.reg_covar)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::argument(name, value, "a number from 0 up is needed"));
            }
        }
        Ok(())
    }

    /// Runs every start and keeps the best result.
    fn best<T: Real>(
        &self,
        rows: &Rows<'_, T>,
        overall: &Overall,
        monitor: &Monitor,
    ) -> Result<Candidate> {
        let given = self.given.means.is_some();
        let n_init = if given { 1 } else { self.n_init };
        monitor.expect((n_init * self.max_iter) as u64);
        let pool = Pool::new(rows);
        let run = |task| {
            let mut em = start::start(self, rows, &pool, overall, task, monitor)?;
            let ending = em.run(self.max_iter, self.tolerance, monitor)?;
            let collapsed = em.parameters.collapsed(overall, self.reg_covar);
            Ok(Candidate { parameters: em.parameters, ending, collapsed })
        };
        let better = |best: Candidate, next: Candidate| if next.beats(&best) { next } else { best };
        // Restarts of small data run side by side; those of large data one after the other.
        let mut best = if rows.n <= BLOCK && n_init > 1 {
            let found = parallel::map_tasks(n_init, run).into_iter().collect::<Result<Vec<_>>>()?;
            found.into_iter().reduce(better)
        } else {
            let mut best = None;
            for task in 0..n_init {
                let next = run(task)?;
                best = Some(match best {
                    Some(best) => better(best, next),
                    None => next,
                });
            }
            best
        }
        .ok_or_else(|| Error::argument("n_init", 0, "at least 1 is needed"))?;
        for task in n_init..n_init + MORE_STARTS {
            if given || best.collapsed.is_empty() || best.n_lost() > 0 {
                break;
            }
            monitor.expect(self.max_iter as u64);
            best = better(best, run(task)?);
        }
        Ok(best)
    }
}

impl<T: Real, D: Data<Elem = T>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for GaussianMixture {
    type Object = GaussianMixtureModel;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, dataset.records().view(), weights.as_deref(), &Monitor::new())
    }
}
