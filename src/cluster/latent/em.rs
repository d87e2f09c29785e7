//! The EM algorithm: posteriors of all rows, then the parameters that fit them best, until the likelihood settles.

use super::answers::{Answers, Layout};
use super::membership::{Design, Membership};
use super::ordinal::Ordinal;
use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::rng::Rng;
use crate::simd::{Cells, Expect, LatentSums, Prior, padded};

/// Least probability of an answer, so that no row is impossible.
const FLOOR: f64 = 1e-30;

/// Rows laid out for some number of classes.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub(crate) answers: Answers,
    pub(crate) layout: Layout,
    pub(crate) cells: Cells,
    pub(crate) weights: Vec<f64>,
    pub(crate) design: Option<Design>,
    /// Weight of all rows.
    pub(crate) total: f64,
    /// Weight of each position of the items.
    pub(crate) counts: Vec<f64>,
    /// Scores of the categories of ordinal items.
    pub(crate) scores: Vec<Option<Vec<f64>>>,
    block: usize,
}

impl Data {
    /// Rows and their weights, for about `k` classes.
    pub(crate) fn new(
        answers: Answers,
        weights: Vec<f64>,
        design: Option<Design>,
        scores: Vec<Option<Vec<f64>>>,
        k: usize,
    ) -> Self {
        // Tables that stay in the fastest cache, and few next to the rows.
        let limit = (512 / padded(k)).min(answers.n() / 64).max(1);
        let (layout, cells) = Layout::new(&answers, limit);
        let mut counts = vec![0.0; layout.n_positions];
        for (row, weight) in weights.iter().enumerate() {
            for (first, &code) in layout.firsts.iter().zip(answers.row(row)) {
                counts[first + code as usize] += weight;
            }
        }
        let block = BLOCK.max(cells.n_table().next_power_of_two());
        let total = weights.iter().sum();
        Self { answers, layout, cells, weights, design, total, counts, scores, block }
    }

    /// Number of rows.
    pub(crate) fn n(&self) -> usize {
        self.cells.n()
    }

    /// The categories of each item: first position and number, "no answer" left out.
    pub(crate) fn items(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let firsts = self.layout.firsts.iter().map(|first| first + 1);
        firsts.zip(self.answers.categories().iter().copied())
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ending {
    pub(crate) n_iter: usize,
    pub(crate) converged: bool,
}

/// Parameters, and the room that the iterations need.
#[derive(Debug, Clone)]
pub(crate) struct Em<'a> {
    pub(crate) data: &'a Data,
    pub(crate) k: usize,
    pub(crate) lanes: usize,
    /// Probability of each position of the items in each lane; 1 for "no answer", 0 beyond the classes.
    pub(crate) probabilities: Vec<f64>,
    /// Share of each lane.
    pub(crate) shares: Vec<f64>,
    /// Covariates on membership.
    pub(crate) membership: Option<Membership>,
    /// Restrictions of ordinal items.
    pub(crate) ordinals: Vec<Option<Ordinal>>,
    pub(crate) log_likelihood: f64,
    /// The probabilities over the largest of each position.
    scaled: Vec<f64>,
    table: Vec<f64>,
    partials: Vec<LatentSums>,
    sums: LatentSums,
    by_item: Vec<f64>,
    posteriors: Vec<f64>,
}

impl<'a> Em<'a> {
    /// Room for `k` classes.
    pub(crate) fn new(data: &'a Data, k: usize) -> Self {
        let lanes = padded(k);
        let (n_positions, n_table) = (data.layout.n_positions, data.cells.n_table());
        let membership = data.design.as_ref().map(|design| Membership::new(design, k, lanes));
        let n_posteriors = if membership.is_some() { data.n() * lanes } else { 0 };
        let sums = LatentSums::new(n_table, lanes);
        let scores = data.scores.iter().map(Option::as_ref);
        Self {
            data,
            k,
            lanes,
            probabilities: vec![0.0; n_positions * lanes],
            shares: vec![0.0; lanes],
            membership,
            ordinals: scores.map(|scores| scores.map(|scores| Ordinal::new(scores, k))).collect(),
            log_likelihood: f64::NEG_INFINITY,
            scaled: vec![0.0; n_positions * lanes],
            table: vec![0.0; n_table * lanes],
            partials: vec![sums.clone(); data.n().div_ceil(data.block)],
            sums,
            by_item: vec![0.0; n_positions * lanes],
            posteriors: vec![0.0; n_posteriors],
        }
    }

    /// Random probabilities around those of all rows, in classes of equal shares.
    ///
    /// The draws depend on the items alone, not on rows, their order or number.
    pub(crate) fn start(&mut self, rng: &mut Rng) {
        let (k, lanes) = (self.k, self.lanes);
        self.shares[..k].fill(1.0 / k as f64);
        if let Some(membership) = &mut self.membership {
            membership.start();
        }
        for (item, (first, n)) in self.data.items().enumerate() {
            let counts = &self.data.counts[first..first + n];
            let total: f64 = counts.iter().sum();
            for class in 0..k {
                let draws: Vec<f64> = counts
                    .iter()
                    .map(|count| {
                        let even = 0.5 * count / total + 0.5 / n as f64;
                        even * if k > 1 { rng.exponential() + 1e-3 } else { 1.0 }
                    })
                    .collect();
                let sum: f64 = draws.iter().sum();
                for (category, draw) in draws.iter().enumerate() {
                    self.by_item[(first + category) * lanes + class] = draw / sum * total;
                }
            }
            self.fit_item(item, first, n);
        }
        self.fix_missing();
    }

    /// Takes parameters: shares `k`, probabilities `(positions without "no answer", k)`.
    pub(crate) fn set(&mut self, shares: &[f64], probabilities: &[f64], coefficients: &[f64]) {
        self.shares[..self.k].copy_from_slice(shares);
        if let Some(membership) = &mut self.membership
            && let Some(design) = &self.data.design
        {
            membership.set(coefficients);
            membership.look(design, &self.data.weights, &[]);
        }
        let mut rows = probabilities.chunks_exact(self.k);
        for (first, n) in self.data.items() {
            for position in first..first + n {
                if let Some(row) = rows.next() {
                    self.probabilities[position * self.lanes..][..self.k].copy_from_slice(row);
                }
            }
        }
        self.fix_missing();
    }

    /// "No answer" says nothing.
    fn fix_missing(&mut self) {
        for &first in &self.data.layout.firsts {
            self.probabilities[first * self.lanes..][..self.k].fill(1.0);
        }
    }

    /// Iterates until a step gains no more than `tolerance` times the log-likelihood, or for `max_iter` steps.
    pub(crate) fn run(
        &mut self,
        max_iter: usize,
        tolerance: f64,
        monitor: &Monitor,
    ) -> Result<Ending> {
        let mut ending = Ending { n_iter: max_iter, converged: false };
        let mut before = f64::NEG_INFINITY;
        for iteration in 0..max_iter {
            monitor.check()?;
            self.expect();
            let now = self.log_likelihood;
            if (now - before).abs() <= tolerance * now.abs() {
                ending = Ending { n_iter: iteration, converged: true };
                break;
            }
            before = now;
            self.maximise();
            monitor.advance(1);
        }
        monitor.advance((max_iter - ending.n_iter) as u64);
        if !ending.converged {
            self.expect();
        }
        Ok(ending)
    }

    /// The E step: log-likelihood of the parameters, and sums of the posteriors.
    pub(crate) fn expect(&mut self) {
        let offset = self.tables();
        let (data, lanes, table) = (self.data, self.lanes, &self.table);
        let prior = match &self.membership {
            Some(membership) => Prior::Each(membership.prior()),
            None => Prior::Same(&self.shares),
        };
        let part = |first: usize, n: usize, posteriors: &mut [f64], sums: &mut LatentSums| {
            sums.clear();
            Expect {
                cells: &data.cells,
                rows: first..first + n,
                table,
                prior,
                lanes,
                weights: &data.weights,
                sums: Some(sums),
                posteriors,
                densities: &mut [],
            }
            .apply();
        };
        if self.posteriors.is_empty() {
            parallel::update_each(&mut self.partials, |index, sums| {
                let first = index * data.block;
                part(first, data.block.min(data.n() - first), &mut [], sums);
            });
        } else {
            let (posteriors, partials) = (&mut self.posteriors, &mut self.partials);
            parallel::update_blocks_of(
                data.block * lanes,
                posteriors,
                partials,
                |first, to, sums| {
                    part(first / lanes, to.len() / lanes, to, sums);
                },
            );
        }
        self.sums.clear();
        self.partials.iter().for_each(|partial| self.sums.merge(partial));
        self.log_likelihood = self.sums.log_likelihood + offset;
    }

    /// Lays the probabilities out for the pass, each position over its largest, and gives what that takes off the
    /// log-likelihood.
    fn tables(&mut self) -> f64 {
        let mut offset = 0.0;
        let rows = self.probabilities.chunks_exact(self.lanes);
        for ((from, to), count) in
            rows.zip(self.scaled.chunks_exact_mut(self.lanes)).zip(&self.data.counts)
        {
            let largest = from.iter().copied().fold(FLOOR, f64::max);
            for (to, from) in to[..self.k].iter_mut().zip(from) {
                *to = from.max(FLOOR) / largest;
            }
            offset += if *count > 0.0 { count * largest.ln() } else { 0.0 };
        }
        multiply(&self.data.layout, &self.scaled, self.lanes, &mut self.table);
        offset
    }

    /// The M step.
    pub(crate) fn maximise(&mut self) {
        let (k, lanes) = (self.k, self.lanes);
        for class in 0..k {
            self.shares[class] = self.sums.classes[class] / self.data.total;
        }
        if let Some(membership) = &mut self.membership
            && let Some(design) = &self.data.design
        {
            membership.step(design, &self.data.weights, &self.posteriors);
        }
        self.by_item.fill(0.0);
        for (members, sums) in
            self.data.layout.members.iter().zip(self.sums.table.chunks_exact(lanes))
        {
            for &position in members {
                let to = &mut self.by_item[position as usize * lanes..][..lanes];
                to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
            }
        }
        for (item, (first, n)) in self.data.items().enumerate() {
            self.fit_item(item, first, n);
        }
    }

    /// The probabilities of an item from the weights of its categories in the classes.
    fn fit_item(&mut self, item: usize, first: usize, n: usize) {
        let (k, lanes) = (self.k, self.lanes);
        let weights = &self.by_item[first * lanes..(first + n) * lanes];
        let to = &mut self.probabilities[first * lanes..(first + n) * lanes];
        if let Some(ordinal) = self.ordinals.get_mut(item).and_then(Option::as_mut) {
            ordinal.step(weights, lanes, to);
            return;
        }
        for class in 0..k {
            let sum: f64 = weights.iter().skip(class).step_by(lanes).sum();
            // A class that nobody with an answer here is in keeps what it had.
            if sum > 1e-290 {
                for (to, weight) in to
                    .iter_mut()
                    .skip(class)
                    .step_by(lanes)
                    .zip(weights[class..].iter().step_by(lanes))
                {
                    *to = weight / sum;
                }
            }
        }
    }

    /// Share of each class; with covariates the mean of its posteriors.
    pub(crate) fn class_shares(&self) -> Vec<f64> {
        match self.membership {
            Some(_) => self.sums.classes[..self.k].iter().map(|w| w / self.data.total).collect(),
            None => self.shares[..self.k].to_vec(),
        }
    }

    /// The probabilities without "no answer" and padding: `(categories of all items, k)`.
    pub(crate) fn bare_probabilities(&self) -> Vec<f64> {
        let rows = self.data.items().flat_map(|(first, n)| first..first + n);
        rows.flat_map(|row| self.probabilities[row * self.lanes..][..self.k].to_vec()).collect()
    }

    /// Posteriors `(n, k)` and logarithms of the densities of all rows.
    pub(crate) fn posteriors(&mut self) -> (Vec<f64>, Vec<f64>) {
        self.tables();
        let (data, lanes, k) = (self.data, self.lanes, self.k);
        let prior = match &self.membership {
            Some(membership) => Prior::Each(membership.prior()),
            None => Prior::Same(&self.shares),
        };
        let largest: Vec<f64> = self
            .probabilities
            .chunks_exact(lanes)
            .map(|row| row[..k].iter().copied().fold(FLOOR, f64::max).ln())
            .collect();
        let offset = |row: usize| -> f64 {
            let answers = data.layout.firsts.iter().zip(data.answers.row(row));
            answers.filter(|(_, code)| **code > 0).map(|(f, &c)| largest[f + c as usize]).sum()
        };
        let parts = parallel::map_blocks(data.n(), |rows| {
            let (mut padded, mut densities) =
                (vec![0.0; rows.len() * lanes], vec![0.0; rows.len()]);
            Expect {
                cells: &data.cells,
                rows: rows.clone(),
                table: &self.table,
                prior,
                lanes,
                weights: &data.weights,
                sums: None,
                posteriors: &mut padded,
                densities: &mut densities,
            }
            .apply();
            densities.iter_mut().zip(rows).for_each(|(to, row)| *to += offset(row));
            let bare: Vec<f64> =
                padded.chunks_exact(lanes).flat_map(|row| row[..k].iter().copied()).collect();
            (bare, densities)
        });
        let (mut posteriors, mut densities) = (Vec::new(), Vec::new());
        for (some, of_them) in parts {
            posteriors.extend(some);
            densities.extend(of_them);
        }
        (posteriors, densities)
    }
}

/// Each row of the table: the product of its positions.
fn multiply(layout: &Layout, positions: &[f64], lanes: usize, table: &mut [f64]) {
    for (members, to) in layout.members.iter().zip(table.chunks_exact_mut(lanes)) {
        let Some((first, others)) = members.split_first() else { continue };
        to.copy_from_slice(&positions[*first as usize * lanes..][..lanes]);
        for &other in others {
            let other = &positions[other as usize * lanes..][..lanes];
            to.iter_mut().zip(other).for_each(|(to, other)| *to *= other);
        }
    }
}
