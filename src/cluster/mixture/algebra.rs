//! Cholesky factors and inverses of small matrices, row-major.

/// Writes the lower Cholesky factor of a symmetric matrix; `false` where the matrix is not positive definite, as far as
/// `f64` can tell.
pub(super) fn cholesky(matrix: &[f64], factor: &mut [f64], d: usize) -> bool {
    factor.fill(0.0);
    for i in 0..d {
        for j in 0..=i {
            let known: f64 = (0..j).map(|m| factor[i * d + m] * factor[j * d + m]).sum();
            let rest = matrix[i * d + j] - known;
            if i == j {
                // What is left of a diagonal value after rounding errors of the subtractions means nothing.
                let noise = 8.0 * (i + 1) as f64 * f64::EPSILON * matrix[i * d + i];
                if rest.is_nan() || rest <= noise || rest < f64::MIN_POSITIVE {
                    return false;
                }
                factor[i * d + i] = rest.sqrt();
            } else {
                factor[i * d + j] = rest / factor[j * d + j];
            }
        }
    }
    true
}

/// What is left of each diagonal value after the rows before explained what they can; 0 where that is nothing but rounding.
pub(super) fn free_variances(matrix: &[f64], d: usize) -> Vec<f64> {
    let mut rest = matrix.to_vec();
    for i in 0..d {
        let pivot = rest[i * d + i];
        if pivot <= 1e-13 * matrix[i * d + i] || pivot.is_nan() {
            rest[i * d + i] = 0.0;
            continue;
        }
        for row in i + 1..d {
            let factor = rest[row * d + i] / pivot;
            (i + 1..d).for_each(|column| rest[row * d + column] -= factor * rest[i * d + column]);
        }
    }
    (0..d).map(|i| rest[i * d + i]).collect()
}

/// Turns a lower triangle into its inverse, in place.
pub(super) fn invert_lower(factor: &mut [f64], d: usize) {
    for i in 0..d {
        let diagonal = factor[i * d + i];
        for j in 0..i {
            let sum: f64 = (j..i).map(|m| factor[i * d + m] * factor[m * d + j]).sum();
            factor[i * d + j] = -sum / diagonal;
        }
        factor[i * d + i] = 1.0 / diagonal;
    }
}

/// `F^T F` of a lower triangle: the inverse of the matrix whose inverse Cholesky factor `F` is.
pub(super) fn gram(factor: &[f64], d: usize) -> Vec<f64> {
    let entry = |at: usize| {
        let (i, j) = (at / d, at % d);
        (i.max(j)..d).map(|m| factor[m * d + i] * factor[m * d + j]).sum()
    };
    (0..d * d).map(entry).collect()
}

/// The transpose.
pub(super) fn transposed(matrix: &[f64], d: usize) -> Vec<f64> {
    (0..d * d).map(|at| matrix[at % d * d + at / d]).collect()
}

/// The inverse of a symmetric positive definite matrix; `None` where it is not one.
pub(super) fn inverse(matrix: &[f64], d: usize) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; d * d];
    cholesky(matrix, &mut factor, d).then(|| {
        invert_lower(&mut factor, d);
        gram(&factor, d)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_times_its_matrix_is_one() {
        let matrix = [4.0, 2.0, -1.0, 2.0, 5.0, 0.5, -1.0, 0.5, 3.0];
        let found = inverse(&matrix, 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = (0..3).map(|m| matrix[i * 3 + m] * found[m * 3 + j]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
        let mut factor = vec![0.0; 4];
        assert!(!cholesky(&[1.0, 1.0, 1.0, 1.0], &mut factor, 2));
        assert!(!cholesky(&[0.0], &mut factor[..1], 1));
        assert!(!cholesky(&[f64::NAN], &mut factor[..1], 1));
    }
}
