//! The customer in the middle of a segment.
//!
//! The medoid has the least mean Gower distance (Gower 1971, Biometrics 27:857-871) to the customers of its segment. The mean
//! over all of them follows attribute by attribute, without a distance between two customers: of numbers from sorted prefix
//! sums, of categories from their counts. So it is exact at `n log n` for each attribute.

use super::read::Attribute;
use crate::parallel;
use crate::table::MISSING;

/// Attributes that are worked on at once: each takes a number for every customer.
const AT_ONCE: usize = 4;

/// Sums of distances over attributes.
pub(super) struct Distances {
    sum: Vec<f64>,
    known: Vec<u32>,
    n_attributes: u32,
}

impl Distances {
    pub(super) fn new(n: usize) -> Self {
        Self { sum: vec![0.0; n], known: vec![0; n], n_attributes: 0 }
    }

    /// Adds the mean distances in these attributes of every customer to those of the same segment.
    pub(super) fn add(&mut self, attributes: &[&Attribute], members: &[Vec<usize>]) {
        for chunk in attributes.chunks(AT_ONCE) {
            let found = parallel::map_tasks(chunk.len(), |at| mean_distances(chunk[at], members));
            for distances in found {
                self.n_attributes += 1;
                for (row, distance) in distances.into_iter().enumerate() {
                    if !distance.is_nan() {
                        self.sum[row] += distance;
                        self.known[row] += 1;
                    }
                }
            }
        }
    }

    /// The member with the least mean distance among those with the fewest missing values, and that distance; the first of
    /// several.
    pub(super) fn medoid(&self, members: &[usize]) -> Option<(usize, f64)> {
        let most = members.iter().map(|&row| self.known[row]).max().filter(|&known| known > 0)?;
        members
            .iter()
            .filter(|&&row| self.known[row] == most)
            .map(|&row| (row, self.sum[row] / f64::from(most)))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }
}

/// Mean distance of each row to the members of its segment who have a value; NaN where the row has none.
fn mean_distances(attribute: &Attribute, members: &[Vec<usize>]) -> Vec<f64> {
    let mut means = vec![f64::NAN; attribute.bins.len()];
    let places: Option<Vec<f64>> = match (&attribute.values, attribute.ordered) {
        (Some(values), _) => Some(values.to_vec()),
        // An ordered category, or a date, stands at the place of its bin.
        (None, true) => Some(
            attribute
                .bins
                .iter()
                .map(|&bin| if bin == MISSING { f64::NAN } else { f64::from(bin) })
                .collect(),
        ),
        (None, false) => None,
    };
    let Some(places) = places else {
        for rows in members {
            let mut counts = vec![0_usize; attribute.words.len()];
            let known = rows.iter().filter(|&&row| attribute.bins[row] != MISSING);
            for &row in known.clone() {
                counts[attribute.bins[row] as usize] += 1;
            }
            let n: usize = counts.iter().sum();
            for &row in known {
                means[row] = 1.0 - counts[attribute.bins[row] as usize] as f64 / n as f64;
            }
        }
        return means;
    };
    let present = members.iter().flatten().map(|&row| places[row]).filter(|place| !place.is_nan());
    let (low, high) = present
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let range = high - low;
    for rows in members {
        // Places between 0 and 1, so that sums of large numbers lose no digits.
        let scaled = |row: usize| if range > 0.0 { (places[row] - low) / range } else { 0.0 };
        let mut sorted: Vec<(f64, usize)> = rows
            .iter()
            .filter(|&&row| !places[row].is_nan())
            .map(|&row| (scaled(row), row))
            .collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let n = sorted.len() as f64;
        let total: f64 = sorted.iter().map(|(place, _)| place).sum();
        let mut before = 0.0;
        for (rank, &(place, row)) in sorted.iter().enumerate() {
            let (left, right) = (rank as f64, n - rank as f64);
            means[row] = (place * left - before + (total - before) - place * right) / n;
            before += place;
        }
    }
    means
}
