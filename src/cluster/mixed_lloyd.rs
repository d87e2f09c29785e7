//! Lloyd's iterations on rows of numbers and categories.
//!
//! The objective is the weighted sum, over the observed values of each row, of squared differences to the centre and of gamma
//! for each category that is not the mode. A missing value contributes nothing, so both steps of an iteration lower the
//! objective: a row takes the cluster of least cost, a centre the mean and a mode the heaviest category of the values that
//! are observed.

use std::borrow::Cow;
use std::ops::Range;

use super::gamma::Gamma;
use super::lloyd::{Ending, compare};
use super::measures::Measures;
use super::mixed::Mixed;
use super::narrow::{NarrowModes, NarrowPart, NarrowRows};
use super::order::{canonical, permuted};
use super::single::improve;
use super::start::{self, CHUNK, Points};
use crate::error::Result;
use crate::parallel::{self, BLOCK, Monitor};
use crate::simd::{
    Lanes, MISSING, MixedAssign, MixedDistances, MixedRows, MixedSums, Places, Tables,
};

/// The rows with everything that their costs depend on.
pub(crate) struct Space<'a> {
    pub(crate) data: &'a Mixed,
    pub(crate) weights: Option<&'a [f64]>,
    /// What a category that differs costs, per categorical column; then what the ends of an ordinal column are apart.
    pub(crate) gamma: Vec<f64>,
    /// What numbers are multiplied by before they are squared: the root of gamma for ranks.
    scale: Vec<f64>,
    /// The numbers so multiplied, where there are ranks.
    scaled: Option<Vec<f64>>,
    /// The rows in narrow codes, where they have categories alone; else the places of their codes in the tables.
    narrow: Option<NarrowRows>,
    places: Places,
    /// Whether weights are whole numbers, so that counts can follow the rows that move without rounding.
    exact: bool,
    /// Means and heaviest categories: what a centre takes where its row has nothing.
    pub(crate) means: Vec<f64>,
    pub(crate) modes: Vec<u32>,
    /// Weight of each category of each attribute.
    pub(crate) frequencies: Vec<Vec<f64>>,
    n_categories: Vec<u32>,
}

/// Centres and modes of `k` clusters, row-major; ranks in a centre are not multiplied by anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Prototypes {
    pub(crate) centres: Vec<f64>,
    pub(crate) modes: Vec<u32>,
}

/// Prototypes laid out for the kernels.
pub(crate) enum Probe {
    Tables(Lanes<f64>, Tables),
    Modes(NarrowModes),
}

impl<'a> Space<'a> {
    /// Measures the columns, for `k` clusters.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a column without any value and for a gamma out of range.
    pub(crate) fn new(
        data: &'a Mixed,
        weights: Option<&'a [f64]>,
        gamma: &Gamma,
        k: usize,
    ) -> Result<Self> {
        let measures = Measures::of(data, weights)?;
        let gamma = gamma.of(data, &measures.spread)?;
        let Measures { means, modes, frequencies, .. } = measures;
        let narrow = NarrowRows::new(data, &gamma, k);
        Ok(Self { means, modes, frequencies, ..Self::laid_out(data, weights, &gamma, narrow) })
    }

    /// The same costs for other rows, without measuring them.
    pub(crate) fn of_model(data: &'a Mixed, weights: Option<&'a [f64]>, gamma: &[f64]) -> Self {
        Self::laid_out(data, weights, gamma, None)
    }

    fn laid_out(
        data: &'a Mixed,
        weights: Option<&'a [f64]>,
        gamma: &[f64],
        narrow: Option<NarrowRows>,
    ) -> Self {
        let (d, n_ordinal) = (data.d(), data.columns().ordinal.len());
        let mut scale = vec![1.0; d - n_ordinal];
        scale.extend(gamma[data.m()..].iter().map(|gamma| gamma.sqrt()));
        let scaled = (n_ordinal > 0).then(|| times(data.all_numbers(), &scale));
        const WHOLE: f64 = (1u64 << 53) as f64;
        let exact = weights.is_none_or(|weights| {
            weights.iter().all(|weight| weight.fract() == 0.0)
                && weights.iter().sum::<f64>() < WHOLE
        });
        let n_categories = data.columns().n_categories();
        let places = match &narrow {
            Some(_) => Places::default(),
            None => Places::new(data.all_codes(), &Tables::new(&Lanes::new(1, 0), &n_categories)),
        };
        Self {
            data,
            weights,
            gamma: gamma.to_vec(),
            scale,
            scaled,
            narrow,
            places,
            exact,
            means: Vec::new(),
            modes: Vec::new(),
            frequencies: Vec::new(),
            n_categories,
        }
    }

    /// Rows as prototypes; what is missing there comes from the whole data.
    pub(crate) fn prototypes(&self, rows: &[usize]) -> Prototypes {
        let mut found = Prototypes::default();
        for &row in rows {
            let numbers = self.data.numbers(row).iter().zip(&self.means);
            found.centres.extend(numbers.map(|(&x, &mean)| if x.is_nan() { mean } else { x }));
            let codes = self.data.codes(row).iter().zip(&self.modes);
            found.modes.extend(codes.map(|(&c, &mode)| if c == MISSING { mode } else { c }));
        }
        found
    }

    /// `n` rows from `first` on, as the kernels take them.
    fn part(&self, first: usize, n: usize) -> MixedRows<'_> {
        let d = self.data.d();
        let numbers = self.scaled.as_deref().unwrap_or(self.data.all_numbers());
        MixedRows {
            numbers: &numbers[first * d..(first + n) * d],
            places: self.places.part(first, n),
            n,
            missing: self.data.has_missing_numbers(),
        }
    }

    /// Centres as the kernels take them.
    fn scaled<'b>(&self, centres: &'b [f64]) -> Cow<'b, [f64]> {
        match &self.scaled {
            Some(_) => Cow::Owned(times(centres, &self.scale)),
            None => Cow::Borrowed(centres),
        }
    }

    fn lay_out(&self, k: usize, prototypes: &Prototypes) -> Probe {
        if self.narrow.is_some() {
            let mut modes = NarrowModes::default();
            modes.set(&prototypes.modes);
            return Probe::Modes(modes);
        }
        let mut lanes = Lanes::new(k, self.data.d());
        lanes.set(&self.scaled(&prototypes.centres));
        let mut tables = Tables::new(&lanes, &self.n_categories);
        tables.set(&prototypes.modes, &self.gamma);
        Probe::Tables(lanes, tables)
    }
}

/// Rows of numbers, each multiplied by the number of its column.
fn times(numbers: &[f64], scale: &[f64]) -> Vec<f64> {
    numbers.iter().zip(scale.iter().cycle()).map(|(number, scale)| number * scale).collect()
}

/// Takes the heaviest category of each cluster and attribute; where none has weight, the mode stays.
fn take_modes(modes: &mut [u32], counts: &[f64], tables: &Tables) {
    let attributes = tables.attributes();
    if attributes.is_empty() {
        return;
    }
    for (modes, counts) in modes.chunks_mut(attributes.len()).zip(counts.chunks(tables.n_rows())) {
        for (mode, &(first, categories)) in modes.iter_mut().zip(attributes) {
            *mode = heaviest(&counts[first..first + categories as usize]).unwrap_or(*mode);
        }
    }
}

/// The heaviest category, ties to the lowest; `None` where none has weight.
pub(crate) fn heaviest(counts: &[f64]) -> Option<u32> {
    let mut best = None;
    let mut most = 0.0;
    for (code, &count) in (0..).zip(counts) {
        if count > most {
            (best, most) = (Some(code), count);
        }
    }
    best
}

impl Points for Space<'_> {
    type Real = f64;
    type Probe = Probe;

    fn n(&self) -> usize {
        self.data.n_rows()
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        compare(self.data.numbers(a), self.data.numbers(b))
            .then_with(|| self.data.codes(a).cmp(self.data.codes(b)))
    }

    fn probe(&self, rows: &[usize]) -> Self::Probe {
        self.lay_out(rows.len(), &self.prototypes(rows))
    }

    fn distances(&self, probe: &Self::Probe, rows: Range<usize>, to: &mut Vec<f64>) -> usize {
        match (probe, &self.narrow) {
            (Probe::Modes(modes), Some(narrow)) => narrow.distances(modes, rows, to),
            (Probe::Modes(_), None) => 0,
            (Probe::Tables(lanes, tables), _) => {
                to.resize(rows.len() * lanes.padded(), 0.0);
                let rows = self.part(rows.start, rows.len());
                MixedDistances { lanes, tables, rows, to }.apply();
                lanes.padded()
            }
        }
    }
}

/// The room that the iterations need, for one data set and number of clusters.
pub(crate) struct MixedLloyd<'a> {
    space: &'a Space<'a>,
    k: usize,
    /// Rows per block: more where there are many clusters and categories, so that the sums stay small beside the rows.
    block: usize,
    lanes: Lanes<f64>,
    tables: Tables,
    modes: NarrowModes,
    partials: Vec<MixedSums>,
    pub(crate) sums: MixedSums,
    pub(crate) labels: Vec<u32>,
    pub(crate) prototypes: Prototypes,
}

impl<'a> MixedLloyd<'a> {
    pub(crate) fn new(space: &'a Space<'a>, k: usize) -> Self {
        let data = space.data;
        let lanes = Lanes::new(k, data.d());
        let tables = Tables::new(&lanes, &space.n_categories);
        let sums = MixedSums::new(k, data.d(), tables.n_rows(), data.has_missing_numbers());
        let block = BLOCK * (k * (4 + tables.n_rows())).div_ceil(BLOCK);
        Self {
            space,
            k,
            block,
            lanes,
            tables,
            modes: NarrowModes::default(),
            partials: vec![sums.clone(); data.n_rows().div_ceil(block)],
            sums,
            labels: vec![u32::MAX; data.n_rows()],
            prototypes: Prototypes::default(),
        }
    }

    /// Gives each row to its nearest cluster. Weights and counts follow the rows that moved, if that can be done without
    /// rounding.
    fn pass(&mut self, update: bool, monitor: &Monitor) -> Result<()> {
        let space = self.space;
        if space.narrow.is_some() {
            self.modes.set(&self.prototypes.modes);
        } else {
            self.lanes.set(&space.scaled(&self.prototypes.centres));
            self.tables.set(&self.prototypes.modes, &space.gamma);
        }
        let (lanes, tables, modes) = (&self.lanes, &self.tables, &self.modes);
        let afresh = !space.exact;
        parallel::update_blocks_of(
            self.block,
            &mut self.labels,
            &mut self.partials,
            |first, labels, sums| {
                if monitor.check().is_err() {
                    return;
                }
                if afresh || sums.changed > 0 {
                    sums.clear();
                } else {
                    sums.clear_pass();
                }
                let weights = space.weights.map(|w| &w[first..first + labels.len()]);
                if let Some(narrow) = &space.narrow {
                    let part = NarrowPart { first, weights, labels, sums };
                    narrow.assign(modes, tables.attributes(), part, update, afresh);
                } else {
                    let rows = space.part(first, labels.len());
                    MixedAssign { lanes, tables, rows, weights, labels, sums, update, afresh }
                        .apply();
                }
            },
        );
        monitor.check()?;
        if afresh {
            self.sums.clear();
        } else {
            self.sums.clear_pass();
        }
        for partial in &self.partials {
            if afresh || partial.changed > 0 {
                self.sums.merge(partial);
            } else {
                self.sums.merge_pass(partial);
            }
        }
        Ok(())
    }

    /// Moves each cluster to the middle of its rows; where nothing is observed, it stays.
    fn update(&mut self, monitor: &Monitor) -> Result<bool> {
        let d = self.space.data.d();
        for cluster in 0..self.k {
            for column in 0..d {
                let at = cluster * d + column;
                let weight =
                    self.sums.observed.get(at).copied().unwrap_or(self.sums.weights[cluster]);
                if weight > 0.0 {
                    self.prototypes.centres[at] =
                        self.sums.values[at] / weight / self.space.scale[column];
                }
            }
        }
        take_modes(&mut self.prototypes.modes, &self.sums.counts, &self.tables);
        if self.sums.weights.contains(&0.0) { self.mend(monitor) } else { Ok(false) }
    }

    /// Moves each cluster without rows to the row that costs most, which lowers the objective; says whether one moved.
    fn mend(&mut self, monitor: &Monitor) -> Result<bool> {
        let (d, m) = (self.space.data.d(), self.space.data.m());
        let (empty, full): (Vec<usize>, Vec<usize>) =
            (0..self.k).partition(|&cluster| self.sums.weights[cluster] == 0.0);
        let others = Prototypes {
            centres: permuted(&self.prototypes.centres, d, &full),
            modes: permuted(&self.prototypes.modes, m, &full),
        };
        let probe = self.space.lay_out(full.len(), &others);
        let mut nearest = vec![0.0; self.labels.len()];
        let space = self.space;
        parallel::fill_blocks(&mut nearest, |first, nearest| {
            let mut costs = Vec::new();
            for (at, nearest) in nearest.iter_mut().enumerate() {
                let stride = space.distances(&probe, first + at..first + at + 1, &mut costs);
                *nearest = costs[..stride].iter().copied().fold(f64::INFINITY, f64::min);
            }
        });
        let far = start::farthest(space, nearest, empty.len(), monitor)?;
        let moved = space.prototypes(&far);
        for (at, &cluster) in empty.iter().take(far.len()).enumerate() {
            self.prototypes.centres[cluster * d..(cluster + 1) * d]
                .copy_from_slice(&moved.centres[at * d..(at + 1) * d]);
            self.prototypes.modes[cluster * m..(cluster + 1) * m]
                .copy_from_slice(&moved.modes[at * m..(at + 1) * m]);
        }
        Ok(!far.is_empty())
    }

    /// Moves single rows of these different ones, with their weights, where that lowers the objective; says whether one moved.
    fn move_single(&mut self, rows: &[(usize, f64)]) -> bool {
        let (data, gamma) = (self.space.data, &self.space.gamma);
        let mut labels: Vec<u32> = rows.iter().map(|&(row, _)| self.labels[row]).collect();
        let Some(counts) = improve(data, rows, &mut labels, &self.tables, gamma, self.k) else {
            return false;
        };
        take_modes(&mut self.prototypes.modes, &counts, &self.tables);
        true
    }

    /// Iterates from these prototypes; ends with labels, sizes and cost of the final ones.
    ///
    /// Where different rows and their weights are given, rows move alone too once assigning all of them helps no more.
    pub(crate) fn run(
        &mut self,
        start: Prototypes,
        max_iter: usize,
        keep_order: bool,
        different: Option<&[(usize, f64)]>,
        monitor: &Monitor,
    ) -> Result<Ending> {
        self.prototypes = start;
        self.labels.fill(u32::MAX);
        self.sums.clear();
        let mut ending = Ending { n_iter: 0, converged: false };
        let mut before = f64::INFINITY;
        let mut settled = false;
        while ending.n_iter < max_iter && !ending.converged {
            self.pass(true, monitor)?;
            let moved = self.update(monitor)?;
            ending.n_iter += 1;
            settled = self.sums.changed == 0 && !moved;
            // Costs that no longer fall are equal up to rounding: rows between two clusters move to and fro.
            ending.converged = settled || (self.sums.cost >= before && !moved);
            before = self.sums.cost;
            if ending.converged && different.is_some_and(|rows| self.move_single(rows)) {
                ending.converged = false;
                settled = false;
                before = f64::INFINITY;
            }
            monitor.advance(1);
        }
        monitor.advance((max_iter - ending.n_iter) as u64);
        self.finish(settled, keep_order, monitor)?;
        Ok(ending)
    }

    /// Puts the clusters in order and makes labels, sizes and cost those of the final prototypes.
    fn finish(&mut self, settled: bool, keep_order: bool, monitor: &Monitor) -> Result<()> {
        let mut valid = settled;
        for _ in 0..8 {
            let reordered = !keep_order && self.reorder();
            if valid && !reordered {
                break;
            }
            self.pass(false, monitor)?;
            valid = true;
        }
        Ok(())
    }

    /// Gives each row to its nearest cluster, from these prototypes.
    pub(crate) fn label(&mut self, prototypes: Prototypes, monitor: &Monitor) -> Result<()> {
        self.prototypes = prototypes;
        self.pass(false, monitor)
    }

    /// Cost of each row in the clusters of the last pass, `(n, k)`; stops early if interrupted.
    pub(crate) fn costs(&self, to: &mut [f64], monitor: &Monitor) {
        let (k, space) = (self.k, self.space);
        let probe = space.lay_out(k, &self.prototypes);
        let mut nothing = vec![(); self.labels.len().div_ceil(BLOCK)];
        parallel::update_blocks_of(BLOCK * k, to, &mut nothing, |first, block, ()| {
            let mut costs = Vec::new();
            for (chunk, to) in block.chunks_mut(CHUNK * k).enumerate() {
                if monitor.check().is_err() {
                    return;
                }
                let from = first / k + chunk * CHUNK;
                let stride = space.distances(&probe, from..from + to.len() / k, &mut costs);
                for (to, costs) in to.chunks_exact_mut(k).zip(costs.chunks_exact(stride)) {
                    to.copy_from_slice(&costs[..k]);
                }
            }
        });
    }

    fn reorder(&mut self) -> bool {
        let (d, m) = (self.space.data.d(), self.space.data.m());
        let Prototypes { centres, modes } = &self.prototypes;
        let tie = |a: usize, b: usize| {
            compare(&centres[a * d..(a + 1) * d], &centres[b * d..(b + 1) * d])
                .then_with(|| modes[a * m..(a + 1) * m].cmp(&modes[b * m..(b + 1) * m]))
        };
        let Some(order) = canonical(&self.sums.weights, tie) else { return false };
        self.prototypes = Prototypes {
            centres: permuted(&self.prototypes.centres, d, &order),
            modes: permuted(&self.prototypes.modes, m, &order),
        };
        true
    }
}
