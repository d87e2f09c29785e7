//! The canonical order of clusters.

use std::cmp::Ordering;

/// Positions of the clusters in canonical order: heaviest first, equal weights by `tie`, then as they stand.
pub(crate) fn canonical(
    weights: &[f64],
    tie: impl Fn(usize, usize) -> Ordering,
) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then_with(|| tie(a, b)));
    (!order.is_sorted()).then_some(order)
}

/// The rows of a row-major matrix in another order.
pub(crate) fn permuted<T: Copy>(values: &[T], width: usize, order: &[usize]) -> Vec<T> {
    order.iter().flat_map(|&row| values[row * width..(row + 1) * width].iter().copied()).collect()
}
