//! Squared distances of one point to a block of points, and of one point to a block of boxes: the steps of a walk through a
//! tree of neighbours.
//!
//! Both add the squares of one feature after the other. Each operation is monotone, so the distance of a box is never
//! above that of a point in it, to the last bit: a walk that leaves out boxes finds exactly what a full search finds.

use super::vector::Vector;
use super::{Kernel, Level};

/// Points or boxes in a block.
pub(crate) const BLOCK: usize = 16;

/// The instruction set that distances are computed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Near(Level);

impl Default for Near {
    fn default() -> Self {
        Self(Level::best::<f64>(BLOCK))
    }
}

impl Near {
    /// Squared distances to the points of a block, which holds one feature of all points after the other.
    pub(crate) fn points(self, point: &[f64], block: &[f64], found: &mut [f64; BLOCK]) {
        assert_eq!(block.len(), point.len() * BLOCK, "a block of as many features");
        self.0.run(Points { point, block, found });
    }

    /// Squared distances to the nearest points of the boxes of a block, which holds one feature of all lower corners, then
    /// of all upper ones, then the next feature.
    pub(crate) fn boxes(self, point: &[f64], block: &[f64], found: &mut [f64; BLOCK]) {
        assert_eq!(block.len(), 2 * point.len() * BLOCK, "a block of as many features");
        self.0.run(Boxes { point, block, found });
    }
}

struct Points<'a> {
    point: &'a [f64],
    block: &'a [f64],
    found: &'a mut [f64; BLOCK],
}

impl Kernel for Points<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        for first in (0..BLOCK).step_by(V::WIDTH) {
            // SAFETY: the widths divide the block, and the block has one line of points per feature.
            unsafe {
                let mut sum = V::splat(0.0);
                for (feature, &value) in self.point.iter().enumerate() {
                    let line = V::load(self.block.as_ptr().add(feature * BLOCK + first));
                    sum = line.sub(V::splat(value)).square_add(sum);
                }
                sum.store(self.found.as_mut_ptr().add(first));
            }
        }
    }
}

struct Boxes<'a> {
    point: &'a [f64],
    block: &'a [f64],
    found: &'a mut [f64; BLOCK],
}

impl Kernel for Boxes<'_> {
    type Real = f64;

    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        for first in (0..BLOCK).step_by(V::WIDTH) {
            // SAFETY: the widths divide the block, and the block has two lines of corners per feature.
            unsafe {
                let zero = V::splat(0.0);
                let mut sum = zero;
                for (feature, &value) in self.point.iter().enumerate() {
                    let value = V::splat(value);
                    let line = self.block.as_ptr().add(2 * feature * BLOCK + first);
                    let below = V::load(line).sub(value);
                    let above = value.sub(V::load(line.add(BLOCK)));
                    sum = below.larger(above).larger(zero).square_add(sum);
                }
                sum.store(self.found.as_mut_ptr().add(first));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|at| ((at * 7919 + seed * 104_729) % 1009) as f64 / 97.0 - 5.0).collect()
    }

    #[test]
    fn every_level_gives_the_distances_of_the_definition() {
        for d in 1..20 {
            let (point, block) = (numbers(d, 1), numbers(d * BLOCK, 2));
            for level in Level::available() {
                let mut found = [0.0; BLOCK];
                Near(level).points(&point, &block, &mut found);
                for lane in 0..BLOCK {
                    let wanted: f64 =
                        (0..d).map(|j| (block[j * BLOCK + lane] - point[j]).powi(2)).sum();
                    assert!((found[lane] - wanted).abs() <= 1e-12 * wanted, "{level:?}");
                }
            }
        }
    }

    #[test]
    fn a_box_is_never_farther_than_a_point_in_it() {
        for d in 1..20 {
            let point = numbers(d, 3);
            let block = numbers(d * BLOCK, 4);
            let mut boxes = vec![0.0; 2 * d * BLOCK];
            for j in 0..d {
                for lane in 0..BLOCK {
                    // The point itself is a corner of the box.
                    let (value, reach) = (block[j * BLOCK + lane], (lane % 3) as f64);
                    let (low, high) = if lane % 2 == 0 { (0.0, reach) } else { (reach, 0.0) };
                    boxes[2 * j * BLOCK + lane] = value - low;
                    boxes[(2 * j + 1) * BLOCK + lane] = value + high;
                }
            }
            for level in Level::available() {
                let (mut points, mut bounds) = ([0.0; BLOCK], [0.0; BLOCK]);
                Near(level).points(&point, &block, &mut points);
                Near(level).boxes(&point, &boxes, &mut bounds);
                assert!((0..BLOCK).all(|lane| bounds[lane] <= points[lane]), "{level:?}");
                assert!((0..BLOCK).any(|lane| bounds[lane] > 0.0));
                // A box that is one point is as far as the point.
                assert_eq!(bounds[0], points[0]);
            }
        }
    }

    #[test]
    fn boxes_and_points_that_are_not_there_are_infinitely_far() {
        let nowhere = [f64::INFINITY; 4 * BLOCK];
        for level in Level::available() {
            let mut found = [0.0; BLOCK];
            Near(level).boxes(&[1.0, -2.0], &nowhere, &mut found);
            assert_eq!(found, [f64::INFINITY; BLOCK]);
            Near(level).points(&[1.0, -2.0, 0.0, 7.0], &nowhere, &mut found);
            assert_eq!(found, [f64::INFINITY; BLOCK]);
        }
    }
}
