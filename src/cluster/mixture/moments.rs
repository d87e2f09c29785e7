//! Passes over the rows: blocks over threads, sums folded in order.

use std::sync::{Mutex, PoisonError};

use super::CovarianceType;
use super::algebra::free_variances;
use crate::cluster::rows::Rows;
use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::simd::{MixturePass, MixtureSums, Real, Scratch, Second, Shares, Triangle};

/// The room of passes that add moments up, made once.
pub(super) struct Passes<'a, T: Real> {
    pub(super) rows: &'a Rows<'a, T>,
    k: usize,
    partials: Vec<MixtureSums>,
    /// What each thread works in; as many as ever work at a time.
    scratches: Mutex<Vec<Scratch>>,
    pub(super) sums: MixtureSums,
}

impl<'a, T: Real> Passes<'a, T> {
    pub(super) fn new(rows: &'a Rows<'a, T>, k: usize, kind: Second) -> Self {
        let sums = MixtureSums::new(kind, k, rows.d);
        Self {
            rows,
            k,
            partials: vec![sums.clone(); rows.n.div_ceil(BLOCK)],
            scratches: Mutex::new(Vec::new()),
            sums,
        }
    }

    /// Adds up the moments of all rows about `points`, which lie about `origin`.
    pub(super) fn pass(
        &mut self,
        origin: &[f64],
        shares: Shares<'_>,
        points: &[f64],
        monitor: &Monitor,
    ) -> Result<()> {
        let (rows, k, kind) = (self.rows, self.k, self.sums.kind);
        let scratches = &self.scratches;
        parallel::update_each(&mut self.partials, |block, sums| {
            if monitor.check().is_err() {
                return;
            }
            let free = scratches.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut scratch = free.unwrap_or_else(|| Scratch::new(kind, k, rows.d));
            let first = block * BLOCK;
            let (values, weights) = rows.part(first, BLOCK.min(rows.n - first));
            sums.clear();
            MixturePass {
                rows: values,
                weights,
                first,
                origin,
                shares,
                sums: Some((points, sums)),
                written: None,
                scratch: &mut scratch,
            }
            .apply();
            scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        });
        monitor.check()?;
        self.sums.clear();
        self.partials.iter().for_each(|part| self.sums.merge(part));
        Ok(())
    }
}

/// What all rows together look like.
#[derive(Debug, Clone)]
pub(super) struct Overall {
    /// The mean; all other points of a fit are told about it, so that a large common part of the values costs no digits.
    pub(super) origin: Vec<f64>,
    /// Total weight.
    pub(super) total: f64,
    /// About the origin; empty where only variances are needed.
    pub(super) covariance: Vec<f64>,
    pub(super) variances: Vec<f64>,
    /// Mean of the variances.
    pub(super) variance: f64,
    /// Variances that the features before do not explain; the variances where covariances are not modelled.
    pub(super) free: Vec<f64>,
    /// Columns that do not vary.
    pub(super) constant: Vec<usize>,
    ridge: f64,
}

impl Overall {
    /// Two passes: the mean, then the moments about it.
    pub(super) fn of<T: Real>(
        rows: &Rows<'_, T>,
        kind: CovarianceType,
        ridge: f64,
        monitor: &Monitor,
    ) -> Result<Self> {
        let d = rows.d;
        let one = |_: usize, shares: &mut [f64]| shares.fill(1.0);
        let all = Shares::Given(&one);
        let mut origin: Vec<f64> = rows.row(0).iter().map(|value| value.wide()).collect();
        let zeros = vec![0.0; d];
        let mut means = Passes::new(rows, 1, Second::None);
        means.pass(&origin, all, &zeros, monitor)?;
        let total = means.sums.weights[0];
        origin.iter_mut().zip(&means.sums.first).for_each(|(to, sum)| *to += sum / total);
        let second = if kind.has_matrices() { Second::Triangles } else { Second::Squares };
        let mut moments = Passes::new(rows, 1, second);
        moments.pass(&origin, all, &zeros, monitor)?;
        let moment = |i: usize, j: usize| {
            let at = if kind.has_matrices() { Triangle(d).at(i.max(j), i.min(j)) } else { i };
            moments.sums.second[at] / total
        };
        let mut variances: Vec<f64> = (0..d).map(|i| moment(i, i)).collect();
        // The mean of equal values is known to a few units in its last place only.
        let nothing = |i: usize| (16.0 * f64::EPSILON * origin[i]).powi(2);
        let constant: Vec<usize> = (0..d).filter(|&i| variances[i] <= nothing(i)).collect();
        constant.iter().for_each(|&i| variances[i] = 0.0);
        let covariance: Vec<f64> = if kind.has_matrices() {
            let varies = |i: usize| variances[i] > 0.0;
            let entry =
                |i: usize, j: usize| if varies(i) && varies(j) { moment(i, j) } else { 0.0 };
            (0..d * d).map(|at| entry(at / d, at % d)).collect()
        } else {
            Vec::new()
        };
        let free =
            if kind.has_matrices() { free_variances(&covariance, d) } else { variances.clone() };
        let variance = variances.iter().sum::<f64>() / d as f64;
        Ok(Self { origin, total, covariance, variances, variance, free, constant, ridge })
    }

    /// A positive variance of the size of a feature's.
    pub(super) fn floor(&self, feature: usize) -> f64 {
        let variance = self.variances[feature];
        if variance > 0.0 { variance } else { self.ridge.max(1e-100) }
    }
}
