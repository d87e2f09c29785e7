//! The loops of a pass of a Gaussian mixture: densities, shares and moments of a chunk of rows.

use super::mixture::{CHUNK, Components, STRIDE, Scratch, Second, Shape, Triangle, at};
use super::wide::Wide;

/// Squared distances end here, so that no density is lost to infinity.
const FARTHEST: f64 = 1e300;

/// Gives `emit` two outputs of a triangle at a time (one at the end, where their number is odd) for `R` vectors of rows.
///
/// # Safety
///
/// `factor` must be valid for a triangle, `rows` for `d` features of `R` vectors.
#[inline(always)]
unsafe fn products<V: Wide, const R: usize>(
    factor: *const f64,
    rows: *const f64,
    d: usize,
    mut emit: impl FnMut(usize, [V; R]),
) {
    // SAFETY: the caller's promises; the entries of the triangle are read in order.
    unsafe {
        let mut factor = factor;
        for pair in 0..d / 2 {
            let mut even = [V::splat(0.0); R];
            let mut odd = even;
            for feature in 0..2 * pair + 2 {
                let (a, b) = (V::splat(*factor), V::splat(*factor.add(1)));
                factor = factor.add(2);
                for r in 0..R {
                    let value = V::load(rows.add(feature * STRIDE + r * V::WIDTH));
                    even[r] = value.mul_add(a, even[r]);
                    odd[r] = value.mul_add(b, odd[r]);
                }
            }
            emit(2 * pair, even);
            emit(2 * pair + 1, odd);
        }
        if d % 2 == 1 {
            let mut last = [V::splat(0.0); R];
            for feature in 0..d {
                let a = V::splat(*factor.add(feature));
                for r in 0..R {
                    let value = V::load(rows.add(feature * STRIDE + r * V::WIDTH));
                    last[r] = value.mul_add(a, last[r]);
                }
            }
            emit(d - 1, last);
        }
    }
}

/// Log densities of a chunk under each component, weights included.
///
/// # Safety
///
/// That of [`Work::run`]; lengths as `apply` checks them.
#[inline(always)]
pub(super) unsafe fn densities<V: Wide, const R: usize>(
    components: &Components,
    scratch: &mut Scratch,
) {
    let (k, d) = (scratch.k, scratch.d);
    let (rows, differences) = (at(&mut scratch.rows), at(&mut scratch.differences));
    let shares = at(&mut scratch.shares);
    let triangle = Triangle(d).len();
    // SAFETY: `CHUNK` rows are whole groups of `R` vectors; a component has `d` means and its factor.
    unsafe {
        if components.shape == Shape::Tied {
            for group in (0..CHUNK).step_by(R * V::WIDTH) {
                products::<V, R>(
                    components.factors.as_ptr(),
                    rows.add(group),
                    d,
                    |feature, found| {
                        for r in 0..R {
                            found[r]
                                .store(differences.add(feature * STRIDE + group + r * V::WIDTH));
                        }
                    },
                );
            }
        }
        for component in 0..k {
            let means = components.means.as_ptr().add(component * d);
            let constant = V::splat(components.constants[component]);
            for group in (0..CHUNK).step_by(R * V::WIDTH) {
                let mut squares = [V::splat(0.0); R];
                match components.shape {
                    Shape::Full => {
                        for feature in 0..d {
                            let mean = V::splat(*means.add(feature));
                            let from = feature * STRIDE + group;
                            for r in 0..R {
                                let value = V::load(rows.add(from + r * V::WIDTH)).sub(mean);
                                value.store(differences.add(from + r * V::WIDTH));
                            }
                        }
                        let factor = components.factors.as_ptr().add(component * triangle);
                        products::<V, R>(factor, differences.add(group), d, |_, found| {
                            for r in 0..R {
                                squares[r] = found[r].mul_add(found[r], squares[r]);
                            }
                        });
                    }
                    Shape::Tied => {
                        for feature in 0..d {
                            let mean = V::splat(*means.add(feature));
                            let from = feature * STRIDE + group;
                            for r in 0..R {
                                let value = V::load(differences.add(from + r * V::WIDTH)).sub(mean);
                                squares[r] = value.mul_add(value, squares[r]);
                            }
                        }
                    }
                    Shape::Diagonal => {
                        let factors = components.factors.as_ptr().add(component * d);
                        for feature in 0..d {
                            let mean = V::splat(*means.add(feature));
                            let factor = V::splat(*factors.add(feature));
                            let from = feature * STRIDE + group;
                            for r in 0..R {
                                let value =
                                    V::load(rows.add(from + r * V::WIDTH)).sub(mean).mul(factor);
                                squares[r] = value.mul_add(value, squares[r]);
                            }
                        }
                    }
                }
                for r in 0..R {
                    let square = squares[r].min(V::splat(FARTHEST));
                    let density = square.mul_add(V::splat(-0.5), constant);
                    density.store(shares.add(component * STRIDE + group + r * V::WIDTH));
                }
            }
        }
    }
}

/// Turns log densities into shares times weight, and adds up the log densities of the rows.
///
/// # Safety
///
/// That of [`Work::run`].
#[inline(always)]
pub(super) unsafe fn shares<V: Wide>(scratch: &mut Scratch) {
    let k = scratch.k;
    let (shares, weights) = (at(&mut scratch.shares), at(&mut scratch.weights));
    let (written, sums) = (at(&mut scratch.densities), at(&mut scratch.sums));
    // SAFETY: each array holds `CHUNK` rows; the sum of log densities lies behind `k` totals.
    unsafe {
        let likelihood = sums.add(k * V::WIDTH);
        let mut total = V::load(likelihood);
        for row in (0..CHUNK).step_by(V::WIDTH) {
            let mut highest = V::load(shares.add(row));
            for component in 1..k {
                highest = highest.max(V::load(shares.add(component * STRIDE + row)));
            }
            let mut sum = V::splat(0.0);
            for component in 0..k {
                let place = shares.add(component * STRIDE + row);
                let relative = V::load(place).sub(highest).exp();
                relative.store(place);
                sum = sum.add(relative);
            }
            let density = highest.add(sum.ln());
            density.store(written.add(row));
            let weight = V::load(weights.add(row));
            total = weight.mul_add(density, total);
            let factor = weight.div(sum);
            for component in 0..k {
                let place = shares.add(component * STRIDE + row);
                V::load(place).mul(factor).store(place);
            }
        }
        total.store(likelihood);
    }
}

/// Adds the moments of a chunk about each component's point.
///
/// # Safety
///
/// That of [`Work::run`]; lengths as `apply` checks them.
#[inline(always)]
pub(super) unsafe fn moments<V: Wide, const R: usize>(
    kind: Second,
    points: &[f64],
    scratch: &mut Scratch,
) {
    let (k, d) = (scratch.k, scratch.d);
    let rows = at(&mut scratch.rows);
    let (differences, weighted) = (at(&mut scratch.differences), at(&mut scratch.weighted));
    let (first, second) = (at(&mut scratch.first), at(&mut scratch.second));
    let triangle = Triangle(d).len();
    // SAFETY: each array holds `CHUNK` rows of its features or components, and a vector for each sum.
    unsafe {
        for component in 0..k {
            let shares = at(&mut scratch.shares).add(component * STRIDE);
            let total = at(&mut scratch.sums).add(component * V::WIDTH);
            let mut sum = V::load(total);
            for row in (0..CHUNK).step_by(V::WIDTH) {
                sum = sum.add(V::load(shares.add(row)));
            }
            sum.store(total);
            for feature in 0..d {
                let point = V::splat(points[component * d + feature]);
                let place = (component * d + feature) * V::WIDTH;
                let mut sum = V::load(first.add(place));
                if kind == Second::Squares {
                    let mut squares = V::load(second.add(place));
                    for row in (0..CHUNK).step_by(V::WIDTH) {
                        let value = V::load(rows.add(feature * STRIDE + row)).sub(point);
                        let share = V::load(shares.add(row)).mul(value);
                        sum = sum.add(share);
                        squares = share.mul_add(value, squares);
                    }
                    squares.store(second.add(place));
                } else {
                    for row in (0..CHUNK).step_by(V::WIDTH) {
                        let from = feature * STRIDE + row;
                        let value = V::load(rows.add(from)).sub(point);
                        let share = V::load(shares.add(row)).mul(value);
                        sum = sum.add(share);
                        if kind != Second::None {
                            value.store(differences.add(from));
                            share.store(weighted.add(from));
                        }
                    }
                }
                sum.store(first.add(place));
            }
            match kind {
                Second::None | Second::Squares => {}
                Second::Pooled => rank_update::<V, R>(second, differences, weighted, d),
                Second::Triangles => {
                    let to = second.add(component * triangle * V::WIDTH);
                    rank_update::<V, R>(to, differences, weighted, d);
                }
            }
        }
    }
}

/// Adds the products of all pairs of features, the lower triangle, `R` columns at a time at most.
///
/// # Safety
///
/// `to` must be valid for a vector per entry of the triangle, the others for a chunk of `d` features.
#[inline(always)]
unsafe fn rank_update<V: Wide, const R: usize>(
    to: *mut f64,
    rows: *const f64,
    weighted: *const f64,
    d: usize,
) {
    let mut to = to;
    // SAFETY: the caller's promises; the entries of the triangle are written in order.
    unsafe {
        for first in (0..d).step_by(2) {
            let height = 2.min(d - first);
            let columns = first + height;
            let left = weighted.add(first * STRIDE);
            let mut column = 0;
            while column < columns {
                let width = R.min(columns - column);
                let right = rows.add(column * STRIDE);
                if height == 2 {
                    match width {
                        8 => tile::<V, 2, 8>(to, left, right),
                        6 => tile::<V, 2, 6>(to, left, right),
                        4 => tile::<V, 2, 4>(to, left, right),
                        _ => tile::<V, 2, 2>(to, left, right),
                    }
                } else {
                    match width {
                        8 => tile::<V, 1, 8>(to, left, right),
                        7 => tile::<V, 1, 7>(to, left, right),
                        6 => tile::<V, 1, 6>(to, left, right),
                        5 => tile::<V, 1, 5>(to, left, right),
                        4 => tile::<V, 1, 4>(to, left, right),
                        3 => tile::<V, 1, 3>(to, left, right),
                        2 => tile::<V, 1, 2>(to, left, right),
                        _ => tile::<V, 1, 1>(to, left, right),
                    }
                }
                to = to.add(height * width * V::WIDTH);
                column += width;
            }
        }
    }
}

/// Adds the products of `H` features with `W` others, `[column][row]`.
///
/// # Safety
///
/// As for [`rank_update`].
#[inline(always)]
unsafe fn tile<V: Wide, const H: usize, const W: usize>(
    to: *mut f64,
    left: *const f64,
    right: *const f64,
) {
    // SAFETY: the caller's promises.
    unsafe {
        let mut sums = [[V::splat(0.0); H]; W];
        for w in 0..W {
            for h in 0..H {
                sums[w][h] = V::load(to.add((w * H + h) * V::WIDTH));
            }
        }
        for row in (0..CHUNK).step_by(V::WIDTH) {
            let mut values = [V::splat(0.0); H];
            for h in 0..H {
                values[h] = V::load(left.add(h * STRIDE + row));
            }
            for w in 0..W {
                let other = V::load(right.add(w * STRIDE + row));
                for h in 0..H {
                    sums[w][h] = values[h].mul_add(other, sums[w][h]);
                }
            }
        }
        for w in 0..W {
            for h in 0..H {
                sums[w][h].store(to.add((w * H + h) * V::WIDTH));
            }
        }
    }
}
