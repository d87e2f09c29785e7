//! Middles of segments, and what follows from the distances to them: separation indices, shadow values, similarities.

use super::metric::{Metric, n_labels};
use super::silhouette::sizes_of;
use crate::parallel;
use crate::table::MISSING;

/// The middle of each segment: means of amounts, most frequent categories.
#[derive(Debug, Clone, PartialEq)]
pub struct Centres {
    numbers: Vec<f64>,
    codes: Vec<u32>,
    k: usize,
}

impl Centres {
    /// The middles of a labelling's segments; NaN and [`MISSING`] where a segment has no value.
    pub fn of(metric: &Metric<'_>, labels: &[u32], weights: Option<&[f64]>) -> Self {
        let k = n_labels(labels);
        let (d, categories) = (metric.n_amounts(), metric.n_categories());
        let starts: Vec<usize> = categories
            .iter()
            .scan(0, |sum, &n| Some(std::mem::replace(sum, *sum + n as usize)))
            .collect();
        let width: usize = categories.iter().map(|&n| n as usize).sum();
        let blocks = parallel::map_blocks(labels.len(), |rows| {
            let (mut sums, mut counts) = (vec![0.0; k * d], vec![0.0; k * d]);
            let mut modes = vec![0.0; k * width];
            for row in rows {
                let weight = weights.map_or(1.0, |weights| weights[row]);
                let segment = labels[row] as usize;
                for (at, &value) in metric.numbers(row).iter().enumerate() {
                    if !value.is_nan() {
                        sums[segment * d + at] += weight * value;
                        counts[segment * d + at] += weight;
                    }
                }
                for (at, &code) in metric.codes(row).iter().enumerate() {
                    if code < categories[at] {
                        modes[segment * width + starts[at] + code as usize] += weight;
                    }
                }
            }
            (sums, counts, modes)
        });
        let (mut sums, mut counts) = (vec![0.0; k * d], vec![0.0; k * d]);
        let mut modes = vec![0.0_f64; k * width];
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        for (block_sums, block_counts, block_modes) in &blocks {
            add(&mut sums, block_sums);
            add(&mut counts, block_counts);
            add(&mut modes, block_modes);
        }
        let mode = |counts: &[f64]| {
            let best = (1..counts.len()).fold(0, |a, b| if counts[b] > counts[a] { b } else { a });
            if counts.get(best).is_some_and(|&count| count > 0.0) { best as u32 } else { MISSING }
        };
        let codes = (0..k).flat_map(|segment| {
            let row = &modes[segment * width..(segment + 1) * width];
            let mode_at = move |(&start, &n): (&usize, &u32)| mode(&row[start..start + n as usize]);
            starts.iter().zip(categories).map(mode_at).collect::<Vec<_>>()
        });
        let codes = codes.collect();
        Self { numbers: sums.iter().zip(&counts).map(|(sum, n)| sum / n).collect(), codes, k }
    }

    /// Number of segments.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Distance of a row to the middle of a segment.
    pub fn distance(&self, metric: &Metric<'_>, row: usize, segment: usize) -> f64 {
        let (numbers, codes) = self.middle(segment);
        metric.to_point(row, numbers, codes)
    }

    fn middle(&self, segment: usize) -> (&[f64], &[u32]) {
        let (d, m) = (self.numbers.len() / self.k.max(1), self.codes.len() / self.k.max(1));
        (&self.numbers[segment * d..(segment + 1) * d], &self.codes[segment * m..(segment + 1) * m])
    }

    /// Distance between the middles of two segments.
    fn apart(&self, metric: &Metric<'_>, a: usize, b: usize) -> f64 {
        let ((x, p), (y, q)) = (self.middle(a), self.middle(b));
        let numbers: f64 =
            x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).filter(|s| !s.is_nan()).sum();
        let differs = |(&p, &q): (&u32, &u32)| p != q && p != MISSING && q != MISSING;
        let codes = p.iter().zip(q).zip(metric.gamma());
        let codes: f64 = codes.map(|(pair, gamma)| if differs(pair) { *gamma } else { 0.0 }).sum();
        (numbers + codes).sqrt()
    }
}

/// Share of all spread that is nothing but rounding.
pub(crate) const NOTHING: f64 = 1e-24;

/// How far apart segments are, for their spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Separation {
    /// Squared distances to the middles of the segments, added up.
    pub within: f64,
    /// Ratio of the spread between to that within segments, each per degree of freedom; higher is better. NaN where there
    /// is one segment, or nothing within.
    pub calinski_harabasz: f64,
    /// Mean over the segments of the worst ratio of spread to distance from another one; lower is better. NaN where there is
    /// one segment.
    pub davies_bouldin: f64,
}

/// Separation of the segments of a labelling.
///
/// Caliński and Harabasz (1974), A dendrite method for cluster analysis; Davies and Bouldin (1979), A cluster separation
/// measure. Weights count a row so many times. O(n p + k² p) time.
pub fn separation(metric: &Metric<'_>, labels: &[u32], weights: Option<&[f64]>) -> Separation {
    separation_of(metric, labels, weights, spread(metric, weights))
}

/// Squared distances to the middle of all rows, added up.
pub(crate) fn spread(metric: &Metric<'_>, weights: Option<&[f64]>) -> f64 {
    let n = metric.n_rows();
    let middle = Centres::of(metric, &vec![0; n], weights);
    parallel::sum(n, |row| {
        let weight = weights.map_or(1.0, |weights| weights[row]);
        weight * middle.distance(metric, row, 0).powi(2)
    })
}

/// [`separation`] where the [`spread`] of all rows is known.
pub(crate) fn separation_of(
    metric: &Metric<'_>,
    labels: &[u32],
    weights: Option<&[f64]>,
    all: f64,
) -> Separation {
    let n = metric.n_rows();
    let (sizes, centres) = (sizes_of(labels, weights), Centres::of(metric, labels, weights));
    let blocks = parallel::map_blocks(n, |rows| {
        let (mut within, mut spread) = (0.0, vec![0.0; sizes.len()]);
        for row in rows {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            let distance = centres.distance(metric, row, labels[row] as usize);
            within += weight * distance * distance;
            spread[labels[row] as usize] += weight * distance;
        }
        (within, spread)
    });
    let (mut within, mut spread) = (0.0, vec![0.0; sizes.len()]);
    for (block_within, block_spread) in blocks {
        within += block_within;
        spread.iter_mut().zip(block_spread).for_each(|(to, from)| *to += from);
    }
    let found: Vec<usize> = (0..sizes.len()).filter(|&s| sizes[s] > 0.0).collect();
    let (k, total) = (found.len() as f64, sizes.iter().sum::<f64>());
    if found.len() < 2 {
        return Separation { within, calinski_harabasz: f64::NAN, davies_bouldin: f64::NAN };
    }
    let ratio = if within > NOTHING * all {
        ((all - within) / (k - 1.0)) / (within / (total - k))
    } else {
        f64::NAN
    };
    let worst = |&a: &usize| {
        let others = found.iter().filter(|&&b| b != a);
        others
            .map(|&b| {
                let apart = centres.apart(metric, a, b);
                (spread[a] / sizes[a] + spread[b] / sizes[b]) / apart
            })
            .fold(0.0, f64::max)
    };
    let davies_bouldin = found.iter().map(worst).sum::<f64>() / k;
    let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
    Separation { within, calinski_harabasz: finite(ratio), davies_bouldin: finite(davies_bouldin) }
}

/// How near a row is to the middles of the segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearness {
    /// The nearest segment.
    pub nearest: u32,
    /// The second-nearest; the nearest where there is no other.
    pub second: u32,
    /// Shadow value: twice the distance to the nearest middle over the sum of the distances to the two nearest; 0 at a
    /// middle, 1 halfway to another.
    pub shadow: f64,
    /// Similarity to each segment's middle.
    pub similarities: Vec<f64>,
}

/// Shadow values and similarities of every row.
///
/// Leisch (2010), Neighborhood graphs, stripes and shadow plots for cluster visualization, Statistics and Computing 20.
/// The similarity of a row to a segment is the root of `exp(-d)` to its middle as a share of the sum over all segments, as
/// gorge plots show it. O(n k p) time.
pub fn nearness(metric: &Metric<'_>, labels: &[u32], weights: Option<&[f64]>) -> Vec<Nearness> {
    let sizes = sizes_of(labels, weights);
    let centres = Centres::of(metric, labels, weights);
    let found: Vec<usize> = (0..sizes.len()).filter(|&s| sizes[s] > 0.0).collect();
    let rows = parallel::map_blocks(metric.n_rows(), |rows| {
        rows.map(|row| {
            let mut distances = vec![f64::INFINITY; sizes.len()];
            for &segment in &found {
                distances[segment] = centres.distance(metric, row, segment);
            }
            let (mut nearest, mut second) = (0, None::<usize>);
            for at in 1..distances.len() {
                if distances[at] < distances[nearest] {
                    second = Some(std::mem::replace(&mut nearest, at));
                } else if second.is_none_or(|second| distances[at] < distances[second]) {
                    second = Some(at);
                }
            }
            let second = second.filter(|&second| distances[second].is_finite());
            let (near, far) = (distances[nearest], second.map_or(0.0, |at| distances[at]));
            let both = near + far;
            let shadow = match second {
                None => 0.0,
                // On top of two middles at once: as near to one as to the other.
                Some(_) if both == 0.0 => 1.0,
                Some(_) => 2.0 * near / both,
            };
            let weight = |distance: &f64| (near - distance).exp();
            let all: f64 = distances.iter().map(weight).sum();
            Nearness {
                nearest: nearest as u32,
                second: second.unwrap_or(nearest) as u32,
                shadow,
                similarities: distances.iter().map(|d| (weight(d) / all).sqrt()).collect(),
            }
        })
        .collect::<Vec<_>>()
    });
    rows.concat()
}
