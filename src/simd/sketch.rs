//! A coarse copy of the rows in bytes.
//!
//! Each value becomes one of 256 levels of its column; beside each row stands how far it lies from its levels. Sixty-four rows
//! lie side by side, four values of each together, as the instructions for products of bytes want them. [`Sieve`] tells
//! from it which rows keep their label.
//!
//! [`Sieve`]: super::Sieve

use super::Real;

/// Rows that lie side by side and are tested together.
pub(super) const STRIDE: usize = 64;

/// Values whose products are added by one instruction.
pub(super) const QUAD: usize = 4;

/// The code of a row that lies too far from its levels.
pub(super) const FAR: u8 = u8::MAX;

/// How many standard deviations the levels of a column reach to either side: farther, and fewer rows are cut; nearer, and
/// the levels are finer.
const REACH: f64 = 3.5;

/// Features beyond which sums of products could overflow.
const MOST_FEATURES: usize = 1 << 16;

/// The coarse copy of rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sketch {
    /// Values of the levels' middle, by column.
    pub(super) middle: Vec<f64>,
    /// Distance of two levels, by column.
    pub(super) step: Vec<f64>,
    /// Distance from a row to its levels that one unit of its code stands for.
    pub(super) unit: f64,
    /// Levels, `[64 rows][quad][row][4]`.
    bytes: Vec<u8>,
    /// Distances of the rows to their levels, rounded up.
    codes: Vec<u8>,
}

impl Sketch {
    /// Room for `n` rows of columns with these means and standard deviations; `None` where a coarse copy is of no use.
    pub(crate) fn new(n: usize, means: &[f64], deviations: &[f64]) -> Option<Self> {
        let d = means.len();
        // Half the bits, so that products with a level are exact.
        let step: Vec<f64> =
            deviations.iter().map(|spread| f64::from((spread * REACH / 127.0) as f32)).collect();
        let size = step.iter().map(|step| step * step).sum::<f64>().sqrt();
        let usable = d <= MOST_FEATURES && size.is_finite() && size > 1e-140;
        usable.then(|| Self {
            middle: means.to_vec(),
            unit: size / f64::from(FAR - 1),
            bytes: vec![0; n.next_multiple_of(STRIDE) * d.next_multiple_of(QUAD)],
            codes: vec![0; n.next_multiple_of(STRIDE)],
            step,
        })
    }

    /// Fours of columns.
    pub(super) fn quads(&self) -> usize {
        self.middle.len().div_ceil(QUAD)
    }

    /// The places of `rows` rows each, to be filled by [`Place::fill`]; `rows` must be a multiple of 64.
    pub(crate) fn places(&mut self, rows: usize) -> (Scale<'_>, Vec<Place<'_>>) {
        assert!(rows.is_multiple_of(STRIDE), "whole strides of rows");
        let width = self.quads() * QUAD;
        let places = self.bytes.chunks_mut(rows * width).zip(self.codes.chunks_mut(rows));
        let scale = Scale { middle: &self.middle, step: &self.step, unit: self.unit };
        (scale, places.map(|(bytes, codes)| Place { bytes, codes }).collect())
    }

    /// The part of `n` rows from `first` on, which must be a multiple of 64.
    pub(super) fn part(&self, first: usize, n: usize) -> (&[u8], &[u8]) {
        assert!(first.is_multiple_of(STRIDE), "whole strides of rows");
        let (end, width) = (first + n.next_multiple_of(STRIDE), self.quads() * QUAD);
        (&self.bytes[first * width..end * width], &self.codes[first..end])
    }
}

/// How values become levels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale<'a> {
    middle: &'a [f64],
    step: &'a [f64],
    unit: f64,
}

/// Where the levels of some rows go.
pub(crate) struct Place<'a> {
    bytes: &'a mut [u8],
    codes: &'a mut [u8],
}

impl Place<'_> {
    /// Writes the levels of `rows`.
    pub(crate) fn fill<T: Real>(&mut self, scale: Scale<'_>, rows: &[T]) {
        let d = scale.middle.len();
        assert!(rows.len() / d <= self.codes.len(), "places and rows go together");
        assert_eq!(
            self.bytes.len(),
            self.codes.len() * d.next_multiple_of(QUAD),
            "a place per value"
        );
        super::Level::best::<T>(usize::MAX).run(Fill { scale, rows, place: self });
    }
}

struct Fill<'a, 'b, T> {
    scale: Scale<'a>,
    rows: &'a [T],
    place: &'a mut Place<'b>,
}

impl<T: Real> super::Kernel for Fill<'_, '_, T> {
    type Real = T;

    // Plain loops over eight columns, which the compiler turns into vectors of whatever it may use here.
    #[inline(always)]
    unsafe fn run<V: super::vector::Vector<Real = T>>(self) {
        let Self { scale: Scale { middle, step, unit }, rows, place } = self;
        let (d, quads) = (middle.len(), middle.len().div_ceil(QUAD));
        let padded = |values: &mut dyn Iterator<Item = f64>| -> Vec<[f64; 8]> {
            let mut lanes = vec![[0.0; 8]; d.div_ceil(8)];
            lanes.as_flattened_mut().iter_mut().zip(values).for_each(|(to, from)| *to = from);
            lanes
        };
        let inverse = |&step: &f64| if step > 0.0 { 1.0 / step } else { 0.0 };
        let inverses = padded(&mut step.iter().map(inverse));
        let (middles, steps) =
            (padded(&mut middle.iter().copied()), padded(&mut step.iter().copied()));
        let mut wide = vec![[T::zero(); 8]; middles.len()];
        let mut levels = vec![[0u8; 8]; middles.len()];
        // Rounding of the differences below, and of their sum.
        let rounding = 1e-9 * unit;
        for (at, row) in rows.chunks_exact(d).enumerate() {
            wide.as_flattened_mut()[..d].copy_from_slice(row);
            let mut squares = [0.0; 8];
            let columns = middles.iter().zip(&steps).zip(&inverses);
            for (((middle, step), inverse), (values, levels)) in
                columns.zip(wide.iter().zip(&mut levels))
            {
                for j in 0..8 {
                    let shifted = values[j].wide() - middle[j];
                    let nearest = (shifted * inverse[j]).round_ties_even().clamp(-128.0, 127.0);
                    let left = shifted - step[j] * nearest;
                    squares[j] += left * left;
                    // SAFETY: a number from -128 to 127; rows are finite.
                    levels[j] = (unsafe { nearest.to_int_unchecked::<i32>() } + 128) as u8;
                }
            }
            let far = (squares.iter().sum::<f64>().sqrt() * (1.0 + 1e-9) + rounding) / unit;
            place.codes[at] = if far < f64::from(FAR - 1) { far.ceil() as u8 } else { FAR };
            let (stride, lane) = (at / STRIDE, at % STRIDE);
            let levels = levels.as_flattened();
            for (quad, levels) in levels.chunks_exact(QUAD).take(quads).enumerate() {
                let to = ((stride * quads + quad) * STRIDE + lane) * QUAD;
                place.bytes[to..to + QUAD].copy_from_slice(levels);
            }
        }
    }
}
