//! Small dense systems: steps of Newton's method, covariances and ranks.

/// Solves `a x = b` in place for a symmetric matrix that is not negative, with a ridge as large as it takes.
///
/// `a` is `(n, n)`, and `b` becomes the solution. Time: n^3 / 3.
pub(crate) fn solve(a: &[f64], b: &mut [f64]) {
    let n = b.len();
    let largest = (0..n).map(|i| a[i * n + i].abs()).fold(1e-300, f64::max);
    let mut ridge = 1e-12 * largest;
    loop {
        if let Some(factor) = cholesky(a, n, ridge) {
            substitute(&factor, b);
            return;
        }
        if ridge > largest * 1e6 {
            // Only numbers that are not finite come here: no step is the safe step.
            b.fill(0.0);
            return;
        }
        ridge *= 100.0;
    }
}

/// Inverse of a symmetric positive definite matrix `(n, n)`, each variable scaled to 1 in between; `None` if it is not.
pub(crate) fn inverse(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let scale: Vec<f64> = (0..n).map(|i| a[i * n + i].sqrt()).collect();
    if scale.iter().any(|&scale| !(scale > 0.0 && scale.is_finite())) {
        return None;
    }
    let scaled: Vec<f64> = (0..n * n).map(|at| a[at] / (scale[at / n] * scale[at % n])).collect();
    let factor = cholesky(&scaled, n, 0.0)?;
    if (0..n).any(|i| factor[i * n + i] < 1e-6) {
        return None;
    }
    let mut found = vec![0.0; n * n];
    for column in 0..n {
        let mut unit = vec![0.0; n];
        unit[column] = 1.0;
        substitute(&factor, &mut unit);
        for row in 0..n {
            found[row * n + column] = unit[row] / (scale[row] * scale[column]);
        }
    }
    Some(found)
}

/// The lower factor of `a` plus a ridge; `None` if a pivot is not positive.
fn cholesky(a: &[f64], n: usize, ridge: f64) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (before_i, before_j) = (&l[i * n..i * n + j], &l[j * n..j * n + j]);
            let dot: f64 = before_i.iter().zip(before_j).map(|(x, y)| x * y).sum();
            let rest = a[i * n + j] - dot;
            if i == j {
                let pivot = rest + ridge;
                if !(pivot > 0.0 && pivot.is_finite()) {
                    return None;
                }
                l[i * n + i] = pivot.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    Some(l)
}

fn substitute(l: &[f64], b: &mut [f64]) {
    let n = b.len();
    for i in 0..n {
        let dot: f64 = (0..i).map(|j| l[i * n + j] * b[j]).sum();
        b[i] = (b[i] - dot) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|j| l[j * n + i] * b[j]).sum();
        b[i] = (b[i] - dot) / l[i * n + i];
    }
}

/// Rank of `columns` vectors of equal length, each scaled to length 1: Gram-Schmidt, largest rest first.
///
/// Vectors of length 0 do not count. Time: the number of vectors squared times their length.
pub(crate) fn rank(mut columns: Vec<Vec<f64>>, tolerance: f64) -> usize {
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
    for column in &mut columns {
        let length = dot(column, column).sqrt();
        if length > 0.0 {
            column.iter_mut().for_each(|value| *value /= length);
        }
    }
    let mut rank = 0;
    loop {
        let longest = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (at, dot(column, column)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((at, square)) = longest.filter(|(_, square)| square.sqrt() > tolerance) else {
            return rank;
        };
        let mut pivot = columns.swap_remove(at);
        pivot.iter_mut().for_each(|value| *value /= square.sqrt());
        for column in &mut columns {
            // Twice, for what rounding leaves the first time.
            for _ in 0..2 {
                let along = dot(column, &pivot);
                column.iter_mut().zip(&pivot).for_each(|(value, unit)| *value -= along * unit);
            }
        }
        rank += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved_and_inverted() {
        let a = [4.0, 1.0, 0.5, 1.0, 3.0, 0.25, 0.5, 0.25, 2.0];
        let mut x = [1.0, -2.0, 0.5];
        let product = |x: &[f64]| -> Vec<f64> {
            (0..3).map(|i| (0..3).map(|j| a[i * 3 + j] * x[j]).sum()).collect()
        };
        let mut b: [f64; 3] = product(&x).try_into().unwrap();
        solve(&a, &mut b);
        assert!(b.iter().zip(&x).all(|(b, x)| (b - x).abs() < 1e-9));
        let inverse = inverse(&a, 3).unwrap();
        x.copy_from_slice(&inverse[..3]);
        assert!(product(&x).iter().zip([1.0, 0.0, 0.0]).all(|(p, e)| (p - e).abs() < 1e-12));
        assert!(super::inverse(&[1.0, 1.0, 1.0, 1.0], 2).is_none());
    }

    #[test]
    fn rank_counts_independent_vectors() {
        let columns =
            vec![vec![1.0, 0.0, 2.0], vec![0.0, 1e-9, 0.0], vec![1.0, 1e-9, 2.0], vec![0.0; 3]];
        assert_eq!(rank(columns, 1e-7), 2);
    }
}
