//! The fit: which method, starts, samples, and the canonical order.

use super::pam::{Found, swap_until_settled};
use super::source::{Dissimilarities, Nearest, Square, nearest};
use super::start::{build, lab, random};
use super::{KMedoids, MedoidStart, Method};
use crate::cluster::order;
use crate::cluster::rows::check_weights;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};
use crate::simd::Columns;

/// Rows beyond which [`Method::Auto`] takes samples.
const LARGE: usize = 10_000;

/// What a fit has found, in canonical order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    pub(super) medoids: Vec<usize>,
    pub(super) nearest: Nearest,
    pub(super) n_iter: usize,
    pub(super) n_swaps: usize,
    pub(super) converged: bool,
    pub(super) clara: bool,
    /// Two rows that cannot be compared.
    pub(super) incomparable: Option<(usize, usize)>,
}

impl KMedoids {
    /// Fits rows in columns, with a matrix of their distances where it fits.
    pub(super) fn fit_columns(
        &self,
        columns: &Columns,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<Fitted> {
        let candidates = self.candidates(columns, weights)?;
        let bytes = memory::matrix_bytes(columns.n, columns.n, size_of::<f64>());
        let fits = bytes <= self.max_memory.unwrap_or_else(memory::limit);
        if self.takes_samples(columns.n, fits) {
            return self.clara(columns, weights, &candidates, monitor);
        }
        if fits {
            let (square, found) = Square::<f64>::of(columns, monitor)?;
            let fitted = self.faster_pam(&square, weights, &candidates, monitor)?;
            return Ok(Fitted { incomparable: found.first, ..fitted });
        }
        let incomparable =
            if columns.is_partial() { first_incomparable(columns, monitor)? } else { None };
        let fitted = self.faster_pam(columns, weights, &candidates, monitor)?;
        Ok(Fitted { incomparable, ..fitted })
    }

    /// Fits rows whose distances are given.
    pub(super) fn fit_square<T: crate::simd::Distance>(
        &self,
        square: &Square<'_, T>,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<Fitted> {
        let candidates = self.candidates(square, weights)?;
        if self.method == Method::Clara {
            return self.clara(square, weights, &candidates, monitor);
        }
        self.faster_pam(square, weights, &candidates, monitor)
    }

    fn takes_samples(&self, n: usize, fits: bool) -> bool {
        match self.method {
            Method::Auto => n > LARGE || !fits,
            method => method == Method::Clara,
        }
    }

    /// Checks the parameters; gives the rows of positive weight, each content once, in an order of their own.
    fn candidates<D: Dissimilarities>(
        &self,
        data: &D,
        weights: Option<&[f64]>,
    ) -> Result<Vec<usize>> {
        let (n, k) = (data.n(), self.n_clusters);
        for (name, value) in [
            ("n_clusters", k),
            ("max_iter", self.max_iter),
            ("n_init", self.n_init),
            ("n_samples", self.n_samples),
        ] {
            if value == 0 {
                return Err(Error::argument(name, 0, "at least 1 is needed"));
            }
        }
        let too_few = |found: usize, what: &str| Error::TooFewRows {
            what: format!("n_clusters={k}{what}"),
            needed: k,
            found,
            mend: (found > 0).then(|| format!("n_clusters={found}")),
        };
        if n < k {
            return Err(too_few(n, ""));
        }
        check_weights(weights, n)?;
        let weighs = |row: &usize| weights.is_none_or(|weights| weights[*row] > 0.0);
        let candidates: Vec<usize> = (0..n).filter(weighs).collect();
        if candidates.len() < k {
            return Err(too_few(candidates.len(), " (rows of positive weight)"));
        }
        if let MedoidStart::Given(rows) = &self.start {
            if rows.len() != k {
                let wanted = format!("one for each of the {k} clusters is needed");
                return Err(Error::argument("init", format!("{} rows", rows.len()), wanted));
            }
            for (at, &row) in rows.iter().enumerate() {
                if row >= n || rows[..at].contains(&row) {
                    let wanted = format!("different rows below {n} are needed");
                    return Err(Error::argument(format!("init[{at}]"), row, wanted));
                }
            }
        }
        if self.sample_size.is_some_and(|size| size <= k) {
            let found = self.sample_size.unwrap_or_default();
            let wanted = format!("more rows than the {k} clusters are needed");
            return Err(Error::argument("sample_size", found, wanted));
        }
        let (mut candidates, repeated) = data.canonical(candidates);
        let short = k.saturating_sub(candidates.len());
        candidates.extend(repeated.into_iter().take(short));
        Ok(candidates)
    }

    /// The best of all starts on all rows.
    fn faster_pam<D: Dissimilarities>(
        &self,
        data: &D,
        weights: Option<&[f64]>,
        candidates: &[usize],
        monitor: &Monitor,
    ) -> Result<Fitted> {
        let found = self.search(data, weights, candidates, 0, monitor)?;
        let fitted = self.finish(data, weights, candidates, found, monitor)?;
        Ok(Fitted { clara: false, ..fitted })
    }

    /// The best of all starts; the starts of task `t` draw from streams of their own.
    fn search<D: Dissimilarities>(
        &self,
        data: &D,
        weights: Option<&[f64]>,
        candidates: &[usize],
        task: u64,
        monitor: &Monitor,
    ) -> Result<Found> {
        let is_random = matches!(self.start, MedoidStart::Random | MedoidStart::Lab);
        let n_init = if is_random { self.n_init } else { 1 };
        monitor.expect((n_init * self.max_iter) as u64);
        let k = self.n_clusters;
        let mut best: Option<Found> = None;
        for init in 0..n_init as u64 {
            let mut rng = Rng::stream(self.seed, Stage::Start, (task << 32) + init);
            let start = match &self.start {
                MedoidStart::Build => build(data, weights, candidates, k, monitor)?,
                MedoidStart::Lab => lab(data, weights, candidates, k, &mut rng, monitor)?,
                MedoidStart::Random => random(candidates, k, &mut rng),
                MedoidStart::Given(rows) => rows.clone(),
            };
            let found =
                swap_until_settled(data, weights, candidates, start, self.max_iter, monitor)?;
            monitor.advance((self.max_iter - (found.n_iter - 1)) as u64);
            if best.as_ref().is_none_or(|best| found.loss < best.loss) {
                best = Some(found);
            }
        }
        best.ok_or_else(|| Error::argument("n_init", 0, "at least 1 is needed"))
    }

    /// CLARA: swaps on samples, each with the best medoids so far among its rows, and the result judged on all rows.
    fn clara<D: Dissimilarities>(
        &self,
        data: &D,
        weights: Option<&[f64]>,
        candidates: &[usize],
        monitor: &Monitor,
    ) -> Result<Fitted> {
        let k = self.n_clusters;
        let size = self.sample_size.unwrap_or(2000 + 40 * k).min(candidates.len());
        let bytes = memory::matrix_bytes(size, size, size_of::<D::Real>());
        let what = format!("the matrix of distances of a sample of {size} rows");
        memory::check(&what, bytes, self.max_memory, "a smaller sample_size does with less")?;
        let mut best: Option<(f64, Found)> = None;
        let mut incomparable = None;
        for sample in 0..self.n_samples as u64 {
            let mut rng = Rng::stream(self.seed, Stage::Sample, sample);
            let known: &[usize] = match (&best, &self.start) {
                (Some((_, found)), _) => &found.medoids,
                (None, MedoidStart::Given(rows)) => rows,
                (None, _) => &[],
            };
            // In the order of the candidates, rows given by the caller that are none of them last.
            let mut drawn = rng.sample(candidates.len(), size);
            drawn.extend((0..candidates.len()).filter(|&at| known.contains(&candidates[at])));
            drawn.sort_unstable();
            drawn.dedup();
            let mut rows: Vec<usize> = drawn.iter().map(|&at| candidates[at]).collect();
            let others = known.iter().copied().filter(|row| !candidates.contains(row));
            rows.extend(others.collect::<Vec<_>>());
            let (square, found) = data.among(&rows, monitor)?;
            incomparable = incomparable.or(found);
            let weights_of =
                weights.map(|all| rows.iter().map(|&row| all[row]).collect::<Vec<f64>>());
            let inside: Vec<usize> = (0..drawn.len()).collect();
            let place = |row: &usize| rows.iter().position(|other| other == row).unwrap_or(0);
            let params = match &self.start {
                MedoidStart::Given(start) => {
                    // Later samples go on from the best so far.
                    let from = best.as_ref().map_or(start, |(_, found)| &found.medoids);
                    let start = MedoidStart::Given(from.iter().map(place).collect());
                    Self { start, ..self.clone() }
                }
                _ => self.clone(),
            };
            let mut found =
                params.search(&square, weights_of.as_deref(), &inside, sample, monitor)?;
            found.medoids.iter_mut().for_each(|at| *at = rows[*at]);
            let found_all = judged(data, weights, &found.medoids, monitor)?;
            incomparable = incomparable.or(found_all.incomparable);
            let cost = found_all.cost;
            if best.as_ref().is_none_or(|(lowest, _)| cost < *lowest) {
                best = Some((cost, found));
            }
            if drawn.len() == candidates.len() {
                break;
            }
        }
        let Some((_, found)) = best else {
            return Err(Error::argument("n_samples", 0, "at least 1 is needed"));
        };
        let fitted = self.finish(data, weights, candidates, found, monitor)?;
        Ok(Fitted { clara: true, incomparable, ..fitted })
    }

    /// Labels all rows and puts the clusters into canonical order.
    fn finish<D: Dissimilarities>(
        &self,
        data: &D,
        weights: Option<&[f64]>,
        candidates: &[usize],
        found: Found,
        monitor: &Monitor,
    ) -> Result<Fitted> {
        let mut medoids = found.medoids;
        let mut nearest = judged(data, weights, &medoids, monitor)?;
        if !matches!(self.start, MedoidStart::Given(_)) {
            let place = |row: &usize| candidates.iter().position(|candidate| candidate == row);
            let mut places: Vec<Option<usize>> = medoids.iter().map(place).collect();
            // Rows as near to two medoids go with the first, so another order may move them.
            for _ in 0..MOST_ORDERS {
                let tie = |a: usize, b: usize| places[a].cmp(&places[b]);
                let Some(order) = order::canonical(&nearest.weights, tie) else { break };
                medoids = order::permuted(&medoids, 1, &order);
                places = order::permuted(&places, 1, &order);
                nearest = judged(data, weights, &medoids, monitor)?;
            }
        }
        let Found { n_iter, n_swaps, converged, .. } = found;
        let incomparable = nearest.incomparable.take();
        let clara = false;
        Ok(Fitted { medoids, nearest, n_iter, n_swaps, converged, clara, incomparable })
    }
}

/// Times that the clusters are put into order at most.
const MOST_ORDERS: usize = 8;

/// Gives all rows to these medoids.
fn judged<D: Dissimilarities>(
    data: &D,
    weights: Option<&[f64]>,
    medoids: &[usize],
    monitor: &Monitor,
) -> Result<Nearest> {
    let part = |medoid: usize, range, out: &mut [D::Real]| data.part(medoids[medoid], range, out);
    let mut found = nearest(data.n(), medoids.len(), weights, monitor, part)?;
    found.incomparable = found.incomparable.map(|(row, medoid)| (medoids[medoid], row));
    Ok(found)
}

/// The first pair of rows that cannot be compared, without keeping their distances.
fn first_incomparable(columns: &Columns, monitor: &Monitor) -> Result<Option<(usize, usize)>> {
    let found = parallel::map_blocks_of(16, columns.n, |range| {
        let mut room = vec![0.0; columns.n];
        range.into_iter().find_map(|row| {
            if monitor.check().is_err() {
                return None;
            }
            columns.part(row, 0..columns.n, &mut room);
            room.iter().position(|distance| distance.is_nan()).map(|other| (row, other))
        })
    });
    monitor.check()?;
    Ok(found.into_iter().flatten().next())
}
