//! One run of archetypal analysis: where it starts, and its two steps in turn.

use super::hull::{Corners, Mixture, dot, squared_distance};
use crate::cluster::rows::Rows;
use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::rng::Rng;

/// Archetypes that were drawn are replaced this often by ones farther out.
const REPLACED: usize = 10;

/// Passes over the archetypes in one iteration, with the shares of the rows as they are.
const SWEEPS: usize = 2;

/// The rows as corners; those of weight 0 are none.
struct RowCorners<'a>(&'a Rows<'a, f64>);

impl Corners for RowCorners<'_> {
    fn corner(&self, at: usize) -> &[f64] {
        self.0.row(at)
    }

    fn lowest(&self, direction: &[f64]) -> usize {
        extreme(self.0, |row| -dot(row, direction))
    }
}

/// Archetypes as corners.
pub(super) struct Archetype<'a> {
    pub(super) values: &'a [f64],
    pub(super) d: usize,
}

impl Corners for Archetype<'_> {
    fn corner(&self, at: usize) -> &[f64] {
        &self.values[at * self.d..(at + 1) * self.d]
    }

    fn lowest(&self, direction: &[f64]) -> usize {
        nearest(self.values, self.d, |corner| dot(corner, direction))
    }
}

/// The row with the smallest value, the first among equals.
fn nearest(values: &[f64], d: usize, value: impl Fn(&[f64]) -> f64) -> usize {
    let mut best = (f64::INFINITY, 0);
    for (at, row) in values.chunks_exact(d).enumerate() {
        let value = value(row);
        best = if value < best.0 { (value, at) } else { best };
    }
    best.1
}

/// The row of positive weight with the largest value, the first among equals.
fn extreme(rows: &Rows<'_, f64>, value: impl Fn(&[f64]) -> f64 + Sync + Send) -> usize {
    let best = parallel::map_blocks(rows.n, |range| {
        let mut best = (f64::NEG_INFINITY, usize::MAX);
        for row in range.filter(|&row| rows.weight(row) > 0.0) {
            let value = value(rows.row(row));
            best = if value > best.0 { (value, row) } else { best };
        }
        best
    });
    let best = best.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
    best.map_or(0, |(_, row)| row.min(rows.n - 1))
}

/// Rows that lie far from each other (FurthestSum, Morup and Hansen 2012), from the row that lies farthest in a direction
/// drawn: neither the order of the rows nor copies of them change the start.
fn far_rows(rows: &Rows<'_, f64>, k: usize, rng: &mut Rng) -> Vec<usize> {
    let direction: Vec<f64> = (0..rows.d).map(|_| 2.0 * rng.uniform() - 1.0).collect();
    let first = extreme(rows, |row| dot(row, &direction));
    let mut chosen = std::collections::VecDeque::from([first]);
    let mut sums = vec![0.0; rows.n];
    let add = |sums: &mut [f64], from: usize, sign: f64| {
        let from = rows.row(from);
        parallel::fill_blocks(sums, |first, part| {
            for (at, sum) in part.iter_mut().enumerate() {
                *sum += sign * squared_distance(rows.row(first + at), from).sqrt();
            }
        });
    };
    add(&mut sums, chosen[0], 1.0);
    let steps = if k == 1 { 0 } else { k - 1 + REPLACED };
    for _ in 0..steps {
        if chosen.len() == k {
            // The oldest, which knew least of the others, makes room.
            if let Some(oldest) = chosen.pop_front() {
                add(&mut sums, oldest, -1.0);
            }
        }
        let next = farthest(rows, &sums, &chosen);
        chosen.push_back(next);
        add(&mut sums, next, 1.0);
    }
    chosen.into()
}

/// The row of positive weight with the largest sum that is not chosen yet, the first among equals.
fn farthest(
    rows: &Rows<'_, f64>,
    sums: &[f64],
    chosen: &std::collections::VecDeque<usize>,
) -> usize {
    // Where all are chosen, one of them again.
    let mut best = (f64::NEG_INFINITY, chosen.front().copied().unwrap_or(0));
    for (row, &sum) in sums.iter().enumerate() {
        // A copy of a chosen row is chosen too.
        let is_chosen = || chosen.iter().any(|&other| rows.row(other) == rows.row(row));
        if sum > best.0 && rows.weight(row) > 0.0 && !is_chosen() {
            best = (sum, row);
        }
    }
    best.1
}

/// What the rows add up to in one step.
#[derive(Debug, Clone)]
struct Sums {
    /// Products of shares, `(k, k)`.
    shares: Vec<f64>,
    /// Products of shares and rows, `(k, d)`.
    rows: Vec<f64>,
    rss: f64,
    /// The row that adds most, and what it adds.
    worst: (f64, usize),
}

/// A run.
pub(super) struct Run {
    /// `(k, d)`.
    pub(super) archetypes: Vec<f64>,
    /// The rows that each archetype is a mixture of.
    pub(super) mixtures: Vec<Mixture>,
    /// `(n, k)`.
    pub(super) shares: Vec<f64>,
    /// The sum of squares after each iteration.
    pub(super) history: Vec<f64>,
    pub(super) converged: bool,
}

impl Run {
    /// Runs from a start of its own until an iteration gains no more than `tolerance` of the sum of squares.
    pub(super) fn new(
        rows: &Rows<'_, f64>,
        k: usize,
        max_iter: usize,
        tolerance: f64,
        rng: &mut Rng,
        monitor: &Monitor,
    ) -> Result<Self> {
        let chosen = far_rows(rows, k, rng);
        let mixtures = chosen.iter().map(|&row| {
            let mut mixture = Mixture::default();
            mixture.set(row);
            mixture
        });
        let mut run = Self {
            archetypes: chosen.iter().flat_map(|&row| rows.row(row)).copied().collect(),
            mixtures: mixtures.collect(),
            shares: vec![0.0; rows.n * k],
            history: Vec::new(),
            converged: false,
        };
        let mut partials = vec![Sums::new(k, rows.d); rows.n.div_ceil(BLOCK)];
        for _ in 0..max_iter {
            monitor.check()?;
            let sums = run.mix(rows, &mut partials);
            monitor.advance(1);
            let before = run.history.last().copied();
            run.history.push(sums.rss);
            if before.is_some_and(|before| before - sums.rss <= tolerance * before)
                || sums.rss == 0.0
            {
                run.converged = true;
                break;
            }
            if run.history.len() < max_iter {
                run.move_archetypes(rows, &sums);
            }
        }
        Ok(run)
    }

    /// Gives each row its best shares of the archetypes.
    fn mix(&mut self, rows: &Rows<'_, f64>, partials: &mut [Sums]) -> Sums {
        let (d, k) = (rows.d, self.mixtures.len());
        let hull = Archetype { values: &self.archetypes, d };
        parallel::update_blocks_of(BLOCK * k, &mut self.shares, partials, |first, part, sums| {
            sums.clear();
            let (mut mixture, mut point) = (Mixture::default(), vec![0.0; d]);
            for (at, shares) in part.chunks_exact_mut(k).enumerate() {
                let row = first / k + at;
                let distance = best_shares(&hull, rows.row(row), shares, &mut mixture, &mut point);
                sums.add(row, rows.row(row), rows.weight(row), shares, distance);
            }
        });
        let mut total = Sums::new(k, d);
        partials.iter().for_each(|partial| total.merge(partial));
        total
    }

    /// Moves each archetype to its best place within the hull of the rows, the shares of the rows as they are.
    fn move_archetypes(&mut self, rows: &Rows<'_, f64>, sums: &Sums) {
        let (d, k) = (rows.d, self.mixtures.len());
        let corners = RowCorners(rows);
        for sweep in 0..SWEEPS {
            for at in 0..k {
                let own = sums.shares[at * k + at];
                if own <= 0.0 {
                    // Nothing is mixed from it, so it may go where it is needed most.
                    if sweep == 0 {
                        self.mixtures[at].set(sums.worst.1);
                        self.archetypes[at * d..(at + 1) * d]
                            .copy_from_slice(rows.row(sums.worst.1));
                    }
                    continue;
                }
                let target: Vec<f64> = (0..d)
                    .map(|j| {
                        let others: f64 = (0..k)
                            .filter(|&other| other != at)
                            .map(|other| {
                                sums.shares[at * k + other] * self.archetypes[other * d + j]
                            })
                            .sum();
                        (sums.rows[at * d + j] - others) / own
                    })
                    .collect();
                let mut mixture = self.mixtures[at].clone();
                mixture.approach(&target, &corners);
                let place = place(&mixture, &corners, d);
                let here = &mut self.archetypes[at * d..(at + 1) * d];
                if squared_distance(&place, &target) < squared_distance(here, &target) {
                    here.copy_from_slice(&place);
                    self.mixtures[at] = mixture;
                }
            }
        }
    }
}

/// Where a mixture of rows lies.
fn place(mixture: &Mixture, corners: &impl Corners, d: usize) -> Vec<f64> {
    if let [corner] = mixture.corners[..] {
        return corners.corner(corner).to_vec();
    }
    let mut place = vec![0.0; d];
    for (&corner, &share) in mixture.corners.iter().zip(&mixture.shares) {
        place.iter_mut().zip(corners.corner(corner)).for_each(|(to, from)| *to += share * from);
    }
    place
}

/// Replaces the shares of a row by the best ones, unless they are no better; gives the squared distance that is left.
///
/// Shares that are all 0 are none yet.
pub(super) fn best_shares(
    hull: &Archetype<'_>,
    row: &[f64],
    shares: &mut [f64],
    mixture: &mut Mixture,
    point: &mut [f64],
) -> f64 {
    let mut before = f64::INFINITY;
    mixture.corners.clear();
    mixture.shares.clear();
    point.fill(0.0);
    for (corner, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        mixture.corners.push(corner);
        mixture.shares.push(share);
        point.iter_mut().zip(hull.corner(corner)).for_each(|(to, from)| *to += share * from);
    }
    if mixture.corners.is_empty() {
        mixture.set(nearest(hull.values, hull.d, |corner| squared_distance(corner, row)));
    } else {
        before = squared_distance(point, row);
    }
    let distance = mixture.approach(row, hull);
    if distance >= before {
        return before;
    }
    shares.fill(0.0);
    for (&corner, &share) in mixture.corners.iter().zip(&mixture.shares) {
        shares[corner] = share;
    }
    distance
}

impl Sums {
    fn new(k: usize, d: usize) -> Self {
        Self { shares: vec![0.0; k * k], rows: vec![0.0; k * d], rss: 0.0, worst: (-1.0, 0) }
    }

    fn clear(&mut self) {
        self.shares.fill(0.0);
        self.rows.fill(0.0);
        (self.rss, self.worst) = (0.0, (-1.0, 0));
    }

    fn add(&mut self, at: usize, row: &[f64], weight: f64, shares: &[f64], distance: f64) {
        let (k, d) = (shares.len(), row.len());
        for (own, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let factor = weight * share;
            let products = self.shares[own * k..(own + 1) * k].iter_mut();
            products.zip(shares).for_each(|(to, share)| *to += factor * share);
            let sums = self.rows[own * d..(own + 1) * d].iter_mut();
            sums.zip(row).for_each(|(to, value)| *to += factor * value);
        }
        self.rss += weight * distance;
        if weight * distance > self.worst.0 && weight > 0.0 {
            self.worst = (weight * distance, at);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.shares.iter_mut().zip(&other.shares).for_each(|(to, from)| *to += from);
        self.rows.iter_mut().zip(&other.rows).for_each(|(to, from)| *to += from);
        self.rss += other.rss;
        if other.worst.0 > self.worst.0 {
            self.worst = other.worst;
        }
    }
}
