//! Silhouettes on amounts and categories, for several labellings at once, without a matrix of distances.

use super::centres::Centres;
use super::metric::{Metric, n_labels};
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};

/// How well one row lies in its segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Width {
    /// Silhouette width, from -1 to 1: 1 is deep inside its segment, 0 between two, below 0 nearer to another.
    pub width: f64,
    /// The nearest other segment; the row's own where there is no other.
    pub neighbour: u32,
}

/// Silhouette width of every row: the mean distance to the rows of the nearest other segment less that to its own, as a
/// share of the larger.
///
/// Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20; a row alone in its segment has width
/// 0. Weights count a row so many times. O(n² p) time, O(n) memory. Deterministic.
///
/// # Errors
///
/// [`Error::Argument`] if labels or weights have another length than the rows; [`Error::Interrupted`].
pub fn silhouettes(
    metric: &Metric<'_>,
    labels: &[u32],
    weights: Option<&[f64]>,
    monitor: &Monitor,
) -> Result<Vec<Width>> {
    check(labels, metric.n_rows())?;
    let sizes = sizes_of(labels, weights);
    metric.sums_by_label(&[labels], weights, monitor, |row, sums| {
        width(sums, &sizes, labels[row] as usize)
    })
}

/// Mean silhouette width of each labelling of the same rows; every distance is computed once for all of them.
///
/// # Errors
///
/// As for [`silhouettes`].
pub fn mean_silhouettes(
    metric: &Metric<'_>,
    labellings: &[Vec<u32>],
    weights: Option<&[f64]>,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let n = metric.n_rows();
    for labels in labellings {
        check(labels, n)?;
    }
    let sizes: Vec<Vec<f64>> = labellings.iter().map(|labels| sizes_of(labels, weights)).collect();
    let views: Vec<&[u32]> = labellings.iter().map(Vec::as_slice).collect();
    let widths = metric.sums_by_label(&views, weights, monitor, |row, sums| {
        let mut from = 0;
        let weight = weights.map_or(1.0, |weights| weights[row]);
        labellings
            .iter()
            .zip(&sizes)
            .map(|(labels, sizes)| {
                let sums = &sums[from..from + sizes.len()];
                from += sizes.len();
                weight * width(sums, sizes, labels[row] as usize).width
            })
            .collect::<Vec<f64>>()
    })?;
    let total = weights.map_or(n as f64, |weights| weights.iter().sum());
    let mean = |at: usize| parallel::sum(n, |row| widths[row][at]) / total;
    Ok((0..labellings.len()).map(mean).collect())
}

/// The simplified silhouette: distances to the centres of the segments in place of mean distances to their rows.
///
/// Hruschka, de Castro and Campello (2004), Evolutionary algorithms for clustering gene-expression data. O(n k p) time; never
/// the same numbers as [`silhouettes`], and mostly larger ones.
///
/// # Errors
///
/// As for [`silhouettes`].
pub fn simplified_silhouettes(
    metric: &Metric<'_>,
    labels: &[u32],
    weights: Option<&[f64]>,
) -> Result<Vec<Width>> {
    let n = metric.n_rows();
    check(labels, n)?;
    let sizes = sizes_of(labels, weights);
    let centres = Centres::of(metric, labels, weights);
    let rows = parallel::map_blocks(n, |rows| {
        let mut distances = vec![0.0; sizes.len()];
        rows.map(|row| {
            let own = labels[row] as usize;
            for (segment, distance) in distances.iter_mut().enumerate() {
                *distance = centres.distance(metric, row, segment);
            }
            if sizes[own] <= 1.0 {
                Width { width: 0.0, ..compare(&distances, &sizes, own) }
            } else {
                compare(&distances, &sizes, own)
            }
        })
        .collect::<Vec<_>>()
    });
    Ok(rows.concat())
}

fn check(labels: &[u32], n: usize) -> Result<()> {
    if labels.len() != n {
        return Err(Error::argument("labels", labels.len(), format!("there are {n} rows")));
    }
    Ok(())
}

/// Weight of each segment.
pub(crate) fn sizes_of(labels: &[u32], weights: Option<&[f64]>) -> Vec<f64> {
    let mut sizes = vec![0.0; n_labels(labels)];
    for (row, &label) in labels.iter().enumerate() {
        sizes[label as usize] += weights.map_or(1.0, |weights| weights[row]);
    }
    sizes
}

/// Width of one row from its summed distances to each segment.
fn width(sums: &[f64], sizes: &[f64], own: usize) -> Width {
    let means: Vec<f64> = sums
        .iter()
        .zip(sizes)
        .enumerate()
        .map(|(segment, (sum, size))| sum / if segment == own { size - 1.0 } else { *size })
        .collect();
    let found = compare(&means, sizes, own);
    if sizes[own] <= 1.0 { Width { width: 0.0, ..found } } else { found }
}

/// Width from the mean distance to each segment.
fn compare(distances: &[f64], sizes: &[f64], own: usize) -> Width {
    let nearest = (0..distances.len())
        .filter(|&segment| segment != own && sizes[segment] > 0.0)
        .reduce(|best, next| if distances[next] < distances[best] { next } else { best });
    let Some(nearest) = nearest else { return Width { width: 0.0, neighbour: own as u32 } };
    let (inside, outside) = (distances[own], distances[nearest]);
    let larger = inside.max(outside);
    let width = if larger > 0.0 { (outside - inside) / larger } else { 0.0 };
    Width { width, neighbour: nearest as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Prepared;
    use ndarray::Array2;

    fn line(values: &[f64]) -> Prepared {
        let numeric = Array2::from_shape_vec((values.len(), 1), values.to_vec()).unwrap();
        Prepared { numeric, codes: Array2::zeros((values.len(), 0)), n_categories: vec![] }
    }

    fn means(rows: &Prepared, labellings: &[Vec<u32>]) -> Vec<f64> {
        mean_silhouettes(&Metric::new(rows, &[]), labellings, None, &Monitor::new()).unwrap()
    }

    #[test]
    fn widths_follow_from_the_definition() {
        // Rows at 0, 1 | 10: widths (10-1)/10, (9-1)/9 and 0 for the row alone.
        let means = means(&line(&[0.0, 1.0, 10.0]), &[vec![0, 0, 1]]);
        approx::assert_abs_diff_eq!(means[0], (0.9 + 8.0 / 9.0) / 3.0, epsilon = 1e-12);
    }

    #[test]
    fn several_labellings_give_what_each_gives_alone() {
        let rows = line(&[0.0, 0.2, 0.4, 5.0, 5.1, 9.0]);
        let labellings = vec![vec![0, 0, 0, 1, 1, 2], vec![0, 0, 0, 1, 1, 1], vec![0; 6]];
        let together = means(&rows, &labellings);
        for (labels, &mean) in labellings.iter().zip(&together) {
            assert_eq!(means(&rows, std::slice::from_ref(labels))[0], mean);
        }
        assert_eq!(together[2], 0.0);
    }

    #[test]
    fn weights_are_repeated_rows() {
        let (values, weights) = ([0.0, 1.0, 4.0, 9.0, 7.0], [2.0, 1.0, 3.0, 1.0, 2.0]);
        let labels = vec![0, 0, 1, 1, 1];
        let rows = line(&values);
        let metric = Metric::new(&rows, &[]);
        let weighted = silhouettes(&metric, &labels, Some(&weights), &Monitor::new()).unwrap();
        let (mut long, mut long_labels, mut from) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..values.len() {
            for _ in 0..weights[row] as usize {
                long.push(values[row]);
                long_labels.push(labels[row]);
                from.push(row);
            }
        }
        let long = line(&long);
        let repeated =
            silhouettes(&Metric::new(&long, &[]), &long_labels, None, &Monitor::new()).unwrap();
        for (found, &row) in repeated.iter().zip(&from) {
            approx::assert_abs_diff_eq!(found.width, weighted[row].width, epsilon = 1e-12);
            assert_eq!(found.neighbour, weighted[row].neighbour);
        }
    }
}
