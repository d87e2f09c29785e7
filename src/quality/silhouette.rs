//! Silhouettes on mixed data, for several labellings at once, without a matrix of distances.

use crate::error::{Error, Result};
use crate::parallel;
use crate::table::{MISSING, Prepared};

/// Mean silhouette width of each labelling of the same rows.
///
/// The distance is the root of squared differences of amounts plus `gamma` per differing category, over what both rows
/// have, scaled up to all features. Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20;
/// a row alone in its segment has width 0. Every distance is computed once for all labellings: O(n² p) time, O(n)
/// memory. Deterministic.
///
/// # Errors
///
/// [`Error::Argument`] if a labelling has another length than the rows.
pub fn mean_silhouettes(rows: &Prepared, gamma: f64, labellings: &[Vec<u32>]) -> Result<Vec<f64>> {
    let n = rows.n_rows();
    if let Some(labels) = labellings.iter().find(|labels| labels.len() != n) {
        return Err(Error::argument("labels", labels.len(), format!("there are {n} rows")));
    }
    let sizes: Vec<Vec<f64>> = labellings.iter().map(|labels| sizes_of(labels)).collect();
    let widths = parallel::map_blocks_of(64, n, |block| {
        let mut totals = vec![0.0; labellings.len()];
        let mut sums: Vec<Vec<f64>> = sizes.iter().map(|sizes| vec![0.0; sizes.len()]).collect();
        for row in block {
            sums.iter_mut().for_each(|sums| sums.fill(0.0));
            for other in 0..n {
                let distance = distance(rows, gamma, row, other);
                for (sums, labels) in sums.iter_mut().zip(labellings) {
                    sums[labels[other] as usize] += distance;
                }
            }
            for (index, labels) in labellings.iter().enumerate() {
                totals[index] += width(&sums[index], &sizes[index], labels[row] as usize);
            }
        }
        totals
    });
    let mut means = vec![0.0; labellings.len()];
    for totals in widths {
        for (mean, total) in means.iter_mut().zip(totals) {
            *mean += total / n as f64;
        }
    }
    Ok(means)
}

fn sizes_of(labels: &[u32]) -> Vec<f64> {
    let k = labels.iter().max().map_or(0, |&label| label as usize + 1);
    let mut sizes = vec![0.0; k];
    for &label in labels {
        sizes[label as usize] += 1.0;
    }
    sizes
}

/// Width of one row from its summed distances to each segment.
fn width(sums: &[f64], sizes: &[f64], own: usize) -> f64 {
    if sizes[own] <= 1.0 {
        return 0.0;
    }
    let inside = sums[own] / (sizes[own] - 1.0);
    let nearest = (0..sums.len())
        .filter(|&segment| segment != own && sizes[segment] > 0.0)
        .map(|segment| sums[segment] / sizes[segment])
        .fold(f64::INFINITY, f64::min);
    let larger = inside.max(nearest);
    if nearest.is_infinite() || larger == 0.0 { 0.0 } else { (nearest - inside) / larger }
}

fn distance(rows: &Prepared, gamma: f64, a: usize, b: usize) -> f64 {
    let (mut sum, mut seen) = (0.0, 0_usize);
    for (x, y) in rows.numeric.row(a).iter().zip(rows.numeric.row(b)) {
        let difference = x - y;
        if !difference.is_nan() {
            sum += difference * difference;
            seen += 1;
        }
    }
    for (&x, &y) in rows.codes.row(a).iter().zip(rows.codes.row(b)) {
        if x != MISSING && y != MISSING {
            sum += if x == y { 0.0 } else { gamma };
            seen += 1;
        }
    }
    let all = rows.numeric.ncols() + rows.codes.ncols();
    if seen == 0 { 0.0 } else { (sum * all as f64 / seen as f64).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn line(values: &[f64]) -> Prepared {
        let numeric = Array2::from_shape_vec((values.len(), 1), values.to_vec()).unwrap();
        Prepared { numeric, codes: Array2::zeros((values.len(), 0)), n_categories: vec![] }
    }

    #[test]
    fn widths_follow_from_the_definition() {
        // Rows at 0, 1 | 10: widths (10-1)/10, (9-1)/9 and 0 for the row alone.
        let means = mean_silhouettes(&line(&[0.0, 1.0, 10.0]), 1.0, &[vec![0, 0, 1]]).unwrap();
        approx::assert_abs_diff_eq!(means[0], (0.9 + 8.0 / 9.0) / 3.0, epsilon = 1e-12);
    }

    #[test]
    fn several_labellings_give_what_each_gives_alone() {
        let rows = line(&[0.0, 0.2, 0.4, 5.0, 5.1, 9.0]);
        let labellings = vec![vec![0, 0, 0, 1, 1, 2], vec![0, 0, 0, 1, 1, 1], vec![0; 6]];
        let together = mean_silhouettes(&rows, 1.0, &labellings).unwrap();
        for (labels, &mean) in labellings.iter().zip(&together) {
            let alone = mean_silhouettes(&rows, 1.0, std::slice::from_ref(labels)).unwrap();
            assert_eq!(alone[0], mean);
        }
        assert_eq!(together[2], 0.0);
    }

    #[test]
    fn categories_and_missing_values_count() {
        let rows = Prepared {
            numeric: Array2::from_shape_vec((3, 1), vec![0.0, f64::NAN, 3.0]).unwrap(),
            codes: Array2::from_shape_vec((3, 1), vec![0, 1, MISSING]).unwrap(),
            n_categories: vec![2],
        };
        assert_eq!(distance(&rows, 0.5, 0, 1), 1.0);
        assert_eq!(distance(&rows, 0.5, 0, 2), 18.0_f64.sqrt());
        assert_eq!(distance(&rows, 0.5, 1, 2), 0.0);
    }
}
