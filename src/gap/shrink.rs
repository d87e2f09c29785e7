//! Indices drawn towards 1 by as much as their cell is thin: gamma-Poisson empirical Bayes.
//!
//! Of a cell that expects `m` records (effective: discounted so that the index has the variance `1 / m` where there is
//! no gap), `m` times the index is taken as Poisson around `m L`, and the true index `L` of the cells as gamma with mean
//! 1 and shape `k`. What is left of the cells together is negative binomial, and `k` maximises its likelihood; the
//! shrunken index is the mean `(k + m index) / (k + m)` of what is known of `L` afterwards, and its interval is that of the
//! same gamma law (Clayton and Kaldor 1987, Biometrics 43:671-681, with the mean fixed, since indices average 1).

use statrs::function::gamma::ln_gamma;

use crate::error::{Error, Result};
use crate::statistics::gamma_quantile;

/// Shapes that are looked at: from indices that scatter over orders of magnitude to indices that do not scatter at all.
const SHAPES: (f64, f64) = (0.02, 1e7);

/// Steps of the golden section; each leaves 0.618 of the range, all of them 0.001 % of a shape.
const STEPS: usize = 30;

/// Most cells whose likelihood is looked at: so many tell the shape to a percent, and more of them are taken at even steps.
const MAX_CELLS: usize = 1 << 15;

/// Quantiles of gamma laws are interpolated where more than this many are needed, between exact ones of shapes that differ
/// by [`STEP`] in their logarithm.
const MAX_EXACT: usize = 2_000;
const STEP: f64 = 0.02;

/// Shrunken indices with their intervals; NaN where the index is.
pub(super) struct Shrunk {
    pub(super) index: Vec<f64>,
    pub(super) lo: Vec<f64>,
    pub(super) hi: Vec<f64>,
    /// Shape of the gamma law; infinite where the cells show no more than chance.
    pub(super) shape: f64,
}

/// Shrinks the indices of cells that expect `effective` records. Time: the number of cells, and a fixed number of steps for
/// the shape.
///
/// # Errors
///
/// None that finite indices can give.
pub(super) fn shrink(index: &[f64], effective: &[f64], confidence: f64) -> Result<Shrunk> {
    let usable = |cell: usize| {
        index[cell].is_finite() && effective[cell].is_finite() && effective[cell] > 0.0
    };
    let cells: Vec<(f64, f64)> = (0..index.len())
        .filter(|&cell| usable(cell))
        .map(|cell| (index[cell] * effective[cell], effective[cell]))
        .collect();
    let step = cells.len().div_ceil(MAX_CELLS).max(1);
    let shape = shape(&cells.iter().copied().step_by(step).collect::<Vec<_>>());
    let tail = (1.0 - confidence) / 2.0;
    let nothing = || vec![f64::NAN; index.len()];
    let mut shrunk = Shrunk { index: nothing(), lo: nothing(), hi: nothing(), shape };
    if shape == f64::INFINITY {
        for cell in (0..index.len()).filter(|&cell| usable(cell)) {
            (shrunk.index[cell], shrunk.lo[cell], shrunk.hi[cell]) = (1.0, 1.0, 1.0);
        }
        return Ok(shrunk);
    }
    let most = cells.iter().fold(0.0, |most, &(n, _)| f64::max(most, n));
    let ends = [tail, 1.0 - tail]
        .map(|p| Quantiles::new(p, (shape, shape + most), cells.len() > MAX_EXACT));
    let [lo, hi] = ends;
    let (lo, hi) = (lo?, hi?);
    for cell in (0..index.len()).filter(|&cell| usable(cell)) {
        let (n, m) = (index[cell] * effective[cell], effective[cell]);
        shrunk.index[cell] = (shape + n) / (shape + m);
        shrunk.lo[cell] = lo.at(shape + n)? / (shape + m);
        shrunk.hi[cell] = hi.at(shape + n)? / (shape + m);
    }
    Ok(shrunk)
}

/// A quantile of the gamma laws of scale 1 by their shape.
struct Quantiles {
    p: f64,
    /// Logarithm of the first shape.
    first: f64,
    /// Logarithms of the quantile over the shape at shapes that differ by [`STEP`]; empty where each is computed.
    knots: Vec<f64>,
}

impl Quantiles {
    fn new(p: f64, (least, most): (f64, f64), interpolated: bool) -> Result<Self> {
        let mut quantiles = Self { p, first: least.ln() - STEP, knots: Vec::new() };
        if interpolated {
            let n = ((most / least).ln() / STEP).ceil() as usize + 4;
            let shape = |knot: usize| (quantiles.first + knot as f64 * STEP).exp();
            let knot = |knot: usize| Ok((quantiles.exact(shape(knot))? / shape(knot)).ln());
            quantiles.knots = (0..n).map(knot).collect::<Result<_>>()?;
        }
        Ok(quantiles)
    }

    fn exact(&self, shape: f64) -> Result<f64> {
        gamma_quantile(self.p, shape).ok_or_else(|| {
            Error::argument("values", shape, "sums that a number can hold are needed")
        })
    }

    /// By the cubic through the four knots around the shape: to one part in ten million.
    fn at(&self, shape: f64) -> Result<f64> {
        if self.knots.is_empty() {
            return self.exact(shape);
        }
        let place = (shape.ln() - self.first) / STEP;
        let knot = (place as usize).clamp(1, self.knots.len() - 3);
        let t = place - knot as f64;
        let [a, b, c, d] =
            [-1_isize, 0, 1, 2].map(|next| self.knots[knot.wrapping_add_signed(next)]);
        let inner = [
            -t * (t - 1.0) * (t - 2.0) / 6.0 * a,
            (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * b,
            -(t + 1.0) * t * (t - 2.0) / 2.0 * c,
            (t + 1.0) * t * (t - 1.0) / 6.0 * d,
        ];
        Ok(shape * inner.iter().sum::<f64>().exp())
    }
}

/// Log-likelihood of the shape, up to what does not depend on it.
fn log_likelihood(cells: &[(f64, f64)], shape: f64) -> f64 {
    let own = shape * shape.ln() - ln_gamma(shape);
    cells.iter().map(|&(n, m)| ln_gamma(n + shape) + own - (n + shape) * (shape + m).ln()).sum()
}

/// The shape of greatest likelihood, by golden section on its logarithm.
fn shape(cells: &[(f64, f64)]) -> f64 {
    if cells.len() < 2 {
        return f64::INFINITY;
    }
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut lo, mut hi) = (SHAPES.0.ln(), SHAPES.1.ln());
    let at = |log: f64| log_likelihood(cells, log.exp());
    let (mut left, mut right) = (hi - golden * (hi - lo), lo + golden * (hi - lo));
    let (mut of_left, mut of_right) = (at(left), at(right));
    for _ in 0..STEPS {
        if of_left >= of_right {
            (hi, right, of_right) = (right, left, of_left);
            left = hi - golden * (hi - lo);
            of_left = at(left);
        } else {
            (lo, left, of_left) = (left, right, of_right);
            right = lo + golden * (hi - lo);
            of_right = at(right);
        }
    }
    let found = f64::midpoint(lo, hi).exp();
    if found > 0.9 * SHAPES.1 { f64::INFINITY } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_scatter_as_chance_does_are_all_one() {
        // Fewer differences than chance would make.
        let shrunk = shrink(&[1.0, 1.1, 0.9, 1.0], &[10.0; 4], 0.95).unwrap();
        assert_eq!(shrunk.shape, f64::INFINITY);
        assert_eq!(shrunk.index, [1.0; 4]);
    }

    #[test]
    fn thin_cells_move_further_than_full_ones() {
        let index = [3.0, 3.0, 0.2, 0.2, 1.0, 1.4, 0.6, f64::NAN];
        let effective = [2.0, 200.0, 2.0, 200.0, 50.0, 50.0, 50.0, 0.0];
        let shrunk = shrink(&index, &effective, 0.95).unwrap();
        assert!(shrunk.index[0] < shrunk.index[1] && shrunk.index[1] < 3.0);
        assert!(shrunk.index[2] > shrunk.index[3] && shrunk.index[3] > 0.2);
        assert!(shrunk.index[7].is_nan() && shrunk.lo[7].is_nan());
        for cell in 0..7 {
            assert!(shrunk.lo[cell] < shrunk.index[cell] && shrunk.index[cell] < shrunk.hi[cell]);
        }
    }

    #[test]
    fn interpolated_quantiles_are_the_exact_ones() {
        for p in [0.005, 0.025, 0.5, 0.975] {
            let (least, most) = (0.3, 4e5);
            let quick = Quantiles::new(p, (least, most), true).unwrap();
            let slow = Quantiles::new(p, (least, most), false).unwrap();
            for step in 0..=500 {
                let shape = least * (most / least).powf(f64::from(step) / 500.0);
                let (found, exact) = (quick.at(shape).unwrap(), slow.at(shape).unwrap());
                // The exact ones are only known to some 1e-10.
                let error = (found - exact).abs();
                assert!(error < 1e-6 * exact + 1e-9, "{p} {shape}: {found} and {exact}");
            }
        }
    }

    #[test]
    fn the_shape_is_that_of_greatest_likelihood() {
        let cells: Vec<(f64, f64)> =
            [(3.0, 9.0), (30.0, 12.0), (4.0, 11.0), (18.0, 10.0), (7.0, 20.0)].to_vec();
        let found = shape(&cells);
        let best = log_likelihood(&cells, found);
        for factor in [0.5, 0.9, 0.99, 1.01, 1.1, 2.0] {
            assert!(log_likelihood(&cells, found * factor) < best, "{factor}");
        }
    }
}
