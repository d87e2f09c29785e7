//! Which of the segments are real? Each segment by itself, in other samples of customers and in other numbers of segments.

use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::customers::Customers;
use super::metric::n_labels;
use super::resample::{Different, fit};
use super::select::check_numbers;
use super::stability::{Options, enough, sampled};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist, floats};
use crate::rng::{Rng, Stage};
use crate::segment::{Method, Model, Rows};

/// Mean Jaccard index from which a segment is highly stable (Hennig 2007).
pub const HIGHLY_STABLE: f64 = 0.85;
/// Mean Jaccard index from which a segment is stable.
pub const STABLE: f64 = 0.75;
/// Mean Jaccard index from which a segment shows a pattern whose members are in doubt; below, it dissolves.
pub const PATTERN: f64 = 0.6;

/// Segments with one number of them, and where their members came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solution {
    /// Number of segments.
    pub k: usize,
    /// Weight of each segment.
    pub sizes: Vec<f64>,
    /// Weight that each segment took from each one of the solution before, `(before, now)`; empty for the first.
    pub flows: Vec<f64>,
}

impl Solution {
    /// How much of a segment comes from one segment of the solution before, and which that is: 1 less the entropy of its
    /// origins as a share of the largest possible. 1 is from one segment alone, 0 from all in equal parts.
    ///
    /// Dolnicar and Leisch (2017), Using segment level stability to select target segments in data-driven market
    /// segmentation studies, Marketing Letters 28. `None` for the first solution and for an empty segment.
    pub fn origin(&self, segment: usize) -> Option<(f64, usize)> {
        let before = self.flows.len().checked_div(self.sizes.len())?;
        if before == 0 || self.sizes[segment] <= 0.0 {
            return None;
        }
        let flow = |from: usize| self.flows[from * self.sizes.len() + segment];
        let total: f64 = (0..before).map(flow).sum();
        let entropy: f64 = (0..before)
            .map(|from| flow(from) / total)
            .filter(|share| *share > 0.0)
            .map(|share| -share * share.ln())
            .sum();
        let main = (1..before).fold(0, |best, at| if flow(at) > flow(best) { at } else { best });
        let most = (before as f64).ln();
        Some((if most > 0.0 { (1.0 - entropy / most).clamp(0.0, 1.0) } else { 1.0 }, main))
    }
}

/// Stability of single segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentStability {
    /// What the result was made from.
    pub manifest: Manifest,
    /// The clustering method.
    pub method: Method,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Weight of each segment.
    pub sizes: Vec<f64>,
    /// Best Jaccard index of each segment in each bootstrap sample, `(segment, sample)`.
    #[serde(with = "floats")]
    pub jaccard: Vec<f64>,
    /// The solutions with other numbers of segments, ascending.
    pub solutions: Vec<Solution>,
}

impl SegmentStability {
    /// Jaccard indices of a segment, one per bootstrap sample that drew any of it.
    pub fn of(&self, segment: usize) -> Vec<f64> {
        let samples = self.jaccard.len() / self.names.len().max(1);
        let all = &self.jaccard[segment * samples..(segment + 1) * samples];
        all.iter().copied().filter(|value| !value.is_nan()).collect()
    }

    /// What a mean Jaccard index says of a segment.
    pub fn verdict(mean: f64) -> &'static str {
        match mean {
            mean if mean >= HIGHLY_STABLE => "highly stable",
            mean if mean >= STABLE => "stable",
            mean if mean >= PATTERN => "pattern",
            _ => "dissolved",
        }
    }
}

impl Persist for SegmentStability {
    const KIND: &'static str = "segment_stability";

    fn validate(&self) -> Result<()> {
        let k = self.names.len();
        if k == 0 || self.sizes.len() != k || !self.jaccard.len().is_multiple_of(k) {
            return Err(persist::broken("there are not as many values for every segment"));
        }
        if self.jaccard.iter().any(|value| !value.is_nan() && !(0.0..=1.0).contains(value)) {
            return Err(persist::broken("a value is not a Jaccard index"));
        }
        let mut before = 0;
        for solution in &self.solutions {
            if solution.flows.len() != before * solution.sizes.len() {
                return Err(persist::broken("the flows between solutions are not a matrix"));
            }
            before = solution.sizes.len();
        }
        Ok(())
    }
}

/// Stability of each segment of a labelling, within its number of segments and across others.
///
/// Within: each bootstrap sample is segmented anew, and each segment, as far as it was drawn, is looked for among the
/// segments found there: the best Jaccard index counts. Hennig (2007), Cluster-wise assessment of cluster stability,
/// Computational Statistics and Data Analysis 52. Across: [`Solution::origin`], on one solution for each of `options.ks`.
///
/// # Errors
///
/// As for [`stability`](super::stability::stability).
pub fn segment_stability(
    customers: &Customers,
    names: Vec<String>,
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<SegmentStability> {
    let k = names.len();
    if k == 0 || n_labels(&customers.labels) > k {
        return Err(Error::argument("labels", format!("{k} names"), "one per segment is needed"));
    }
    let customers = &sampled(customers, options, &mut manifest);
    let different = Different::of(customers)?;
    let largest = options.ks.last().copied().unwrap_or(1).max(k);
    enough(&different, customers.n(), largest)?;
    let weights = customers.weights.as_deref();
    let mut sizes = super::silhouette::sizes_of(&customers.labels, weights);
    sizes.resize(k, 0.0);
    let members = different.members(&customers.labels, k);

    monitor.expect(options.n_boot as u64);
    let samples = parallel::map_tasks(options.n_boot, |task| -> Result<Vec<f64>> {
        monitor.check()?;
        let draw = different.draw(&mut Rng::stream(options.seed, Stage::Bootstrap, task as u64));
        let rows = different.part(&draw.rows)?;
        let seed = Rng::stream(options.seed, Stage::Start, task as u64).bits();
        let found = k.min(draw.rows.len());
        let model = Model::fit(&rows, Some(&draw.counts), found, options.n_init, seed, monitor)?;
        monitor.advance(1);
        Ok(best_jaccards(&draw.rows, &members, k, model.labels()))
    });
    let samples = samples.into_iter().collect::<Result<Vec<_>>>()?;
    let jaccard =
        (0..k).flat_map(|segment| samples.iter().map(move |sample| sample[segment])).collect();
    let solutions = solutions(customers, k, options, monitor)?;
    Ok(SegmentStability { manifest, method: customers.method, names, sizes, jaccard, solutions })
}

/// The best Jaccard index of each segment among the clusters found in a sample, over the customers whose row was drawn.
fn best_jaccards(rows: &[usize], members: &[f64], k: usize, labels: &[u32]) -> Vec<f64> {
    let n_found = n_labels(labels);
    let (mut both, mut of_segment, mut of_cluster) =
        (vec![0.0; k * n_found], vec![0.0; k], vec![0.0; n_found]);
    for (&row, &label) in rows.iter().zip(labels) {
        for (segment, &weight) in members[row * k..(row + 1) * k].iter().enumerate() {
            both[segment * n_found + label as usize] += weight;
            of_segment[segment] += weight;
            of_cluster[label as usize] += weight;
        }
    }
    let best = |segment: usize| {
        if of_segment[segment] == 0.0 {
            return f64::NAN;
        }
        let shared = &both[segment * n_found..(segment + 1) * n_found];
        let index = |(shared, of_cluster): (&f64, &f64)| {
            (shared / (of_segment[segment] + of_cluster - shared)).clamp(0.0, 1.0)
        };
        shared.iter().zip(&of_cluster).map(index).fold(0.0, f64::max)
    };
    (0..k).map(best).collect()
}

/// One solution for each number of segments, the given labels among them, with the flows between neighbours.
fn solutions(
    customers: &Customers,
    k: usize,
    options: &Options,
    monitor: &Monitor,
) -> Result<Vec<Solution>> {
    if options.ks.is_empty() {
        return Ok(Vec::new());
    }
    check_numbers(&options.ks)?;
    let laid_out = Rows::new(&customers.rows, customers.method)?;
    let weights = customers.weights.as_deref();
    let labellings = parallel::map_tasks(options.ks.len(), |at| -> Result<Vec<u32>> {
        if options.ks[at] == k {
            return Ok(customers.labels.clone());
        }
        let n_init = options.n_init.max(10);
        let model = fit(&laid_out, weights, options.ks[at], n_init, options.seed, monitor)?;
        Ok(model.labels().to_vec())
    });
    let labellings = labellings.into_iter().collect::<Result<Vec<_>>>()?;
    let ones = vec![1.0; customers.n()];
    let weights = weights.unwrap_or(&ones);
    let mut solutions = Vec::with_capacity(labellings.len());
    for (at, labels) in labellings.iter().enumerate() {
        let before = at.checked_sub(1).map_or(labels, |before| &labellings[before]);
        let agreement = Agreement::weighted(before, labels, weights)?;
        let flows = if at == 0 { Vec::new() } else { agreement.counts().to_vec() };
        solutions.push(Solution { k: options.ks[at], sizes: agreement.sizes().1.to_vec(), flows });
    }
    Ok(solutions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_match_counts_over_the_rows_drawn() {
        // Rows 0..4; segments {0, 1, 2} and {3, 4}; row 2 was not drawn.
        let mut members = vec![0.0; 10];
        for (row, segment) in [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)] {
            members[row * 2 + segment] = 1.0;
        }
        let found = best_jaccards(&[0, 1, 3, 4], &members, 2, &[0, 1, 1, 1]);
        assert_eq!(found, [0.5, 2.0 / 3.0]);
        assert!(best_jaccards(&[0], &members, 2, &[0])[1].is_nan());
    }

    #[test]
    fn entropy_of_origin_runs_from_one_source_to_all() {
        let solution = Solution {
            k: 3,
            sizes: vec![4.0, 4.0, 0.0],
            flows: vec![4.0, 2.0, 0.0, 0.0, 2.0, 0.0],
        };
        assert_eq!(solution.origin(0), Some((1.0, 0)));
        let (stability, _) = solution.origin(1).unwrap();
        approx::assert_abs_diff_eq!(stability, 0.0, epsilon = 1e-15);
        assert_eq!(solution.origin(2), None);
        let first = Solution { k: 2, sizes: vec![1.0, 1.0], flows: vec![] };
        assert_eq!(first.origin(0), None);
    }

    #[test]
    fn verdicts_are_hennigs() {
        let said: Vec<&str> =
            [0.9, 0.85, 0.8, 0.7, 0.5].into_iter().map(SegmentStability::verdict).collect();
        assert_eq!(said, ["highly stable", "highly stable", "stable", "pattern", "dissolved"]);
    }
}
