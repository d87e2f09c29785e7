//! How much two groupings of the same customers say of each other, and what a set of criteria says twice.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::error::{Error, Result};
use crate::table::{Kind, MISSING, Table};

/// Two groupings of customers crossed.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossed {
    /// Number of columns.
    pub n_cols: usize,
    /// Weight of each cell, row by row.
    pub cells: Vec<f64>,
    /// What each cell would hold if rows and columns were independent.
    pub expected: Vec<f64>,
    /// Adjusted standardised residual (Haberman 1973, Biometrics 29:205-220); NaN in an empty row or column, or where a row
    /// or column holds all.
    pub residual: Vec<f64>,
    /// Customers who are in both.
    pub n: usize,
    /// Pearson's chi-squared; of weighted customers scaled to as many unweighted ones as say as much (Kish 1965).
    pub chi2: f64,
    /// Its degrees of freedom.
    pub df: usize,
    /// Its p-value; NaN without degrees of freedom.
    pub p: f64,
    /// Cramér's V, from 0 to 1; NaN without degrees of freedom.
    pub cramer_v: f64,
    /// Mutual information over the mean of the two entropies, from 0 to 1; NaN where both are 0.
    pub nmi: f64,
}

/// Crosses two groupings; rows that lack one of them do not count.
///
/// Rows and columns without customers do not count towards the degrees of freedom. One pass over the rows.
///
/// # Errors
///
/// [`Error::Argument`] if lengths differ or a code is out of range.
pub fn crossed(
    rows: (&[u32], usize),
    cols: (&[u32], usize),
    weights: Option<&[f64]>,
) -> Result<Crossed> {
    let ((a, n_rows), (b, n_cols)) = (rows, cols);
    let outside = |codes: &[u32], k: usize| codes.iter().any(|&c| c != MISSING && c as usize >= k);
    if a.len() != b.len()
        || weights.is_some_and(|weights| weights.len() != a.len())
        || outside(a, n_rows)
        || outside(b, n_cols)
    {
        let wanted = "both need a code within range for each customer";
        return Err(Error::argument("groups", format!("{} and {}", a.len(), b.len()), wanted));
    }
    let mut cells = vec![0.0; n_rows * n_cols];
    let (mut n, mut squares) = (0, 0.0);
    for (row, (&i, &j)) in a.iter().zip(b).enumerate() {
        if i != MISSING && j != MISSING {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            cells[i as usize * n_cols + j as usize] += weight;
            squares += weight * weight;
            n += 1;
        }
    }
    let total: f64 = cells.iter().sum();
    let scale = if squares > 0.0 { total / squares } else { 1.0 };
    let of_row: Vec<f64> = cells.chunks(n_cols.max(1)).map(|row| row.iter().sum()).collect();
    let of_col: Vec<f64> =
        (0..n_cols).map(|j| cells.iter().skip(j).step_by(n_cols).sum()).collect();
    let (mut expected, mut residual) = (Vec::new(), Vec::new());
    let (mut chi2, mut shared) = (0.0, 0.0);
    for (at, &cell) in cells.iter().enumerate() {
        let (r, c) = (of_row[at / n_cols], of_col[at % n_cols]);
        let e = if total > 0.0 { r * c / total } else { 0.0 };
        if e > 0.0 {
            chi2 += scale * (cell - e) * (cell - e) / e;
        }
        if cell > 0.0 {
            shared += cell / total * (cell * total / (r * c)).ln();
        }
        let variance = e * (1.0 - r / total) * (1.0 - c / total);
        let standard =
            if variance > 0.0 { (cell - e) / (variance / scale).sqrt() } else { f64::NAN };
        expected.push(e);
        residual.push(standard);
    }
    let used = |sums: &[f64]| sums.iter().filter(|&&sum| sum > 0.0).count();
    let (r, c) = (used(&of_row), used(&of_col));
    let df = r.saturating_sub(1) * c.saturating_sub(1);
    let least = r.min(c).saturating_sub(1) as f64;
    let entropy = |sums: &[f64]| -> f64 {
        let share = sums.iter().filter(|&&sum| sum > 0.0).map(|sum| sum / total);
        -share.map(|share| share * share.ln()).sum::<f64>()
    };
    let both = (entropy(&of_row) + entropy(&of_col)) / 2.0;
    let law = ChiSquared::new(df as f64).ok().filter(|_| df > 0);
    Ok(Crossed {
        n_cols,
        cells,
        expected,
        residual,
        n,
        chi2,
        df,
        p: law.map_or(f64::NAN, |law| law.sf(chi2)),
        cramer_v: if df > 0 { (chi2 / (scale * total * least)).sqrt().min(1.0) } else { f64::NAN },
        nmi: if both > 0.0 { (shared / both).clamp(0.0, 1.0) } else { f64::NAN },
    })
}

/// Generalised variance inflation of each of some columns by the others, with its degrees of freedom.
///
/// `det(R_j) det(R_-j) / det(R)` of the correlations of the columns, a category standing for as many of 0 and 1 as it has
/// levels but one (Fox and Monette 1992, Journal of the American Statistical Association 87:178-183). Of a number it is the
/// variance inflation factor. Infinite where the others give the column away. Rows that lack a value do not count.
///
/// # Errors
///
/// Those of reading columns.
pub fn inflation(table: &Table, columns: &[String]) -> Result<Vec<(f64, usize)>> {
    let n = table.n_rows();
    let mut blocks: Vec<Vec<Vec<f64>>> = Vec::new();
    for name in columns {
        blocks.push(match table.kind(name)? {
            Kind::Number => vec![table.numeric(name)?.to_vec()],
            Kind::Date => vec![table.days(name)?.to_vec()],
            _ => {
                let read = table.codes(name)?;
                let mut held = vec![false; read.categories.len()];
                for &code in read.codes.iter().filter(|&&code| code != MISSING) {
                    held[code as usize] = true;
                }
                let used: Vec<usize> = (0..held.len()).filter(|&level| held[level]).collect();
                let indicator = |&level: &usize| {
                    let value = |&code: &u32| match code {
                        MISSING => f64::NAN,
                        code => f64::from(u8::from(code as usize == level)),
                    };
                    read.codes.iter().map(value).collect()
                };
                used.iter().skip(1).map(indicator).collect()
            }
        });
    }
    let complete: Vec<usize> =
        (0..n).filter(|&row| blocks.iter().flatten().all(|values| !values[row].is_nan())).collect();
    let flat: Vec<Vec<f64>> = blocks
        .iter()
        .flatten()
        .map(|values| standardised(complete.iter().map(|&row| values[row]).collect()))
        .collect();
    let m = flat.len();
    let mut correlation = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let product: f64 = flat[i].iter().zip(&flat[j]).map(|(x, y)| x * y).sum();
            correlation[i * m + j] = product;
            correlation[j * m + i] = product;
        }
    }
    let mut first = 0;
    let mut found = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let own: Vec<usize> = (first..first + block.len()).collect();
        let rest: Vec<usize> = (0..m).filter(|at| !own.contains(at)).collect();
        let gvif = match log_determinant(&correlation, m, &own) {
            // A column that is constant or doubled inside its own block says nothing of the others.
            None => f64::NAN,
            Some(ln_own) => {
                // Others that give each other away count once.
                let rest = independent(&correlation, m, &rest);
                let all: Vec<usize> = rest.iter().chain(&own).copied().collect();
                let [rest, all] = [&rest, &all].map(|at| log_determinant(&correlation, m, at));
                match all {
                    None => f64::INFINITY,
                    Some(all) => (ln_own + rest.unwrap_or(0.0) - all).exp().max(1.0),
                }
            }
        };
        found.push((gvif, block.len()));
        first += block.len();
    }
    Ok(found)
}

/// Deviations from the mean with a sum of squares of 1; zeros where nothing varies.
fn standardised(mut values: Vec<f64>) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter_mut().for_each(|value| *value -= mean);
    let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let unit = if length > 0.0 { 1.0 / length } else { 0.0 };
    values.iter_mut().for_each(|value| *value *= unit);
    values
}

/// Those of some columns that the ones before them do not give away.
fn independent(correlation: &[f64], m: usize, columns: &[usize]) -> Vec<usize> {
    let mut kept = Vec::with_capacity(columns.len());
    for &column in columns {
        kept.push(column);
        if log_determinant(correlation, m, &kept).is_none() {
            kept.pop();
        }
    }
    kept
}

/// Logarithm of the determinant of some rows and columns, by Cholesky; nothing where it is 0 to rounding.
fn log_determinant(matrix: &[f64], m: usize, at: &[usize]) -> Option<f64> {
    let k = at.len();
    let mut lower = vec![0.0; k * k];
    let mut sum = 0.0;
    for i in 0..k {
        for j in 0..=i {
            let done: f64 = (0..j).map(|l| lower[i * k + l] * lower[j * k + l]).sum();
            let rest = matrix[at[i] * m + at[j]] - done;
            if i == j {
                if rest.is_nan() || rest <= 1e-10 {
                    return None;
                }
                lower[i * k + i] = rest.sqrt();
                sum += rest.ln();
            } else {
                lower[i * k + j] = rest / lower[j * k + j];
            }
        }
    }
    Some(sum)
}

/// The value below which a share `q` of the weight lies; the mean of two neighbours where it falls between them.
///
/// NaN where nothing has weight. Missing values do not count.
pub fn weighted_quantile(values: &[f64], weights: Option<&[f64]>, q: f64) -> f64 {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let mut rows: Vec<usize> =
        (0..values.len()).filter(|&row| !values[row].is_nan() && weight(row) > 0.0).collect();
    rows.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let wanted = q * rows.iter().map(|&row| weight(row)).sum::<f64>();
    let mut below = 0.0;
    for (at, &row) in rows.iter().enumerate() {
        below += weight(row);
        if (below - wanted).abs() <= 1e-12 * wanted {
            let next = rows.get(at + 1).copied().unwrap_or(row);
            return values[row] / 2.0 + values[next] / 2.0;
        }
        if below > wanted {
            return values[row];
        }
    }
    rows.last().map_or(f64::NAN, |&row| values[row])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossed_figures_are_those_of_the_textbook() {
        // Agresti (2007), An Introduction to Categorical Data Analysis, table 2.5: party by gender, X2 = 30.1, df = 2.
        let counts = [762, 327, 468, 484, 239, 477];
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (at, &n) in counts.iter().enumerate() {
            a.extend(std::iter::repeat_n((at / 3) as u32, n));
            b.extend(std::iter::repeat_n((at % 3) as u32, n));
        }
        let found = crossed((&a, 2), (&b, 3), None).unwrap();
        assert!((found.chi2 - 30.07).abs() < 0.005 && found.df == 2 && found.n == 2757);
        // Its table 2.6: standardised residuals of 4.50, 0.70 and -5.32.
        for (residual, wanted) in found.residual.iter().zip([4.50, 0.70, -5.32]) {
            assert!((residual - wanted).abs() < 0.005, "{residual}");
        }
        assert!((found.cramer_v - (found.chi2 / 2757.0).sqrt()).abs() < 1e-12);
        // Equal weights change nothing but the weights.
        let double = crossed((&a, 2), (&b, 3), Some(&vec![2.0; 2757])).unwrap();
        assert!((double.chi2 - found.chi2).abs() < 1e-9 && double.cells[0] == 1524.0);
        assert!((double.residual[0] - found.residual[0]).abs() < 1e-9);
    }

    #[test]
    fn equal_groupings_say_all_and_independent_ones_nothing() {
        let a = [0, 0, 1, 1, 2, 2, MISSING];
        let same = crossed((&a, 3), (&a, 3), None).unwrap();
        assert!((same.cramer_v - 1.0).abs() < 1e-12 && (same.nmi - 1.0).abs() < 1e-12);
        let other = crossed((&a, 3), (&[0, 1, 0, 1, 0, 1, 0], 2), None).unwrap();
        assert!(other.cramer_v == 0.0 && other.nmi == 0.0 && other.n == 6);
        let one = crossed((&a, 3), (&[0; 7], 1), None).unwrap();
        assert!(one.p.is_nan() && one.cramer_v.is_nan());
    }

    #[test]
    fn inflation_of_numbers_is_that_of_the_regression() {
        // Two columns with correlation r: both have 1 / (1 - r^2).
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let y = [2.0, 1.0, 4.0, 3.0, 6.0, 5.0];
        let table = Table::builder()
            .float("x", x)
            .float("y", y)
            .float("z", x.map(|x| 3.0 - 2.0 * x))
            .text("c", ["a", "b", "a", "b", "a", "b"])
            .finish()
            .unwrap();
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let r: f64 = 29.0 / 35.0;
        for (found, df) in inflation(&table, &names(&["x", "y"])).unwrap() {
            assert!((found - 1.0 / (1.0 - r * r)).abs() < 1e-9 && df == 1, "{found}");
        }
        assert!(inflation(&table, &names(&["x", "z"])).unwrap()[0].0.is_infinite());
        assert!((inflation(&table, &names(&["c"])).unwrap()[0].0 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn weighted_median_counts_weights_as_repetitions() {
        assert_eq!(weighted_quantile(&[3.0, 1.0, 2.0], None, 0.5), 2.0);
        assert_eq!(weighted_quantile(&[4.0, 1.0, 2.0, 3.0], None, 0.5), 2.5);
        assert_eq!(weighted_quantile(&[1.0, 5.0, f64::NAN], Some(&[1.0, 3.0, 9.0]), 0.5), 5.0);
        assert_eq!(weighted_quantile(&[1.0, 5.0], Some(&[2.0, 2.0]), 0.5), 3.0);
        assert!(weighted_quantile(&[f64::NAN], None, 0.5).is_nan());
    }
}
