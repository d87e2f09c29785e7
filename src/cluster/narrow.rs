//! Rows of categories alone, in codes of one or two bytes.

use std::ops::Range;

use super::mixed::Mixed;
use crate::simd::{MixedSums, ModesAssign, ModesDistances, Narrow, SIDE};

/// Rows of categories that all cost the same, as narrow as their codes allow.
pub(crate) struct NarrowRows {
    codes: Width,
    m: usize,
    /// What a category that differs costs.
    gamma: f64,
}

enum Width {
    One(Narrow<u8>),
    Two(Narrow<u16>),
}

/// Modes in both widths.
#[derive(Debug, Clone, Default)]
pub(crate) struct NarrowModes {
    one: Vec<u8>,
    two: Vec<u16>,
}

impl NarrowModes {
    /// Takes new modes, keeping the room.
    pub(crate) fn set(&mut self, modes: &[u32]) {
        self.one.clear();
        self.one.extend(modes.iter().map(|&mode| mode as u8));
        self.two.clear();
        self.two.extend(modes.iter().map(|&mode| mode as u16));
    }
}

/// The part of a pass over narrow rows that differs from block to block.
pub(crate) struct NarrowPart<'a> {
    /// The part's first row.
    pub(crate) first: usize,
    /// Weights of its rows.
    pub(crate) weights: Option<&'a [f64]>,
    /// Its labels.
    pub(crate) labels: &'a mut [u32],
    /// Where to add.
    pub(crate) sums: &'a mut MixedSums,
}

impl NarrowRows {
    /// The rows in narrow codes; `None` where there are numbers, where categories differ in what they cost or cost nothing, and
    /// where two bytes do not hold codes, numbers of attributes and labels.
    pub(crate) fn new(data: &Mixed, gamma: &[f64], k: usize) -> Option<Self> {
        let n_categories = data.columns().n_categories();
        let (&first, others) = gamma.split_first()?;
        if data.d() > 0 || first <= 0.0 || others.iter().any(|&other| other != first) {
            return None;
        }
        let codes = if Narrow::<u8>::fits(k, &n_categories) {
            Width::One(Narrow::new(data.all_codes(), &n_categories))
        } else if Narrow::<u16>::fits(k, &n_categories) {
            Width::Two(Narrow::new(data.all_codes(), &n_categories))
        } else {
            return None;
        };
        Some(Self { codes, m: n_categories.len(), gamma: first })
    }

    /// Assigns the rows of one part to their nearest modes; see [`ModesAssign`].
    pub(crate) fn assign(
        &self,
        modes: &NarrowModes,
        attributes: &[(usize, u32)],
        part: NarrowPart<'_>,
        update: bool,
        afresh: bool,
    ) {
        let NarrowPart { first, weights, labels, sums } = part;
        let gamma = self.gamma;
        match &self.codes {
            Width::One(rows) => {
                let modes = &modes.one;
                ModesAssign {
                    rows,
                    modes,
                    attributes,
                    gamma,
                    first,
                    weights,
                    labels,
                    sums,
                    update,
                    afresh,
                }
                .apply();
            }
            Width::Two(rows) => {
                let modes = &modes.two;
                ModesAssign {
                    rows,
                    modes,
                    attributes,
                    gamma,
                    first,
                    weights,
                    labels,
                    sums,
                    update,
                    afresh,
                }
                .apply();
            }
        }
    }

    /// Costs of some rows with each of the modes, `(rows, k)`; gives `k`.
    pub(crate) fn distances(
        &self,
        modes: &NarrowModes,
        rows: Range<usize>,
        to: &mut Vec<f64>,
    ) -> usize {
        let (k, gamma) = (modes.two.len() / self.m, self.gamma);
        to.resize(rows.len() * k, 0.0);
        let mut from = rows.start;
        while from < rows.end {
            let part = from..rows.end.min((from / SIDE + 1) * SIDE);
            let to = &mut to[(part.start - rows.start) * k..(part.end - rows.start) * k];
            from = part.end;
            match &self.codes {
                Width::One(rows) => {
                    ModesDistances { rows, modes: &modes.one, gamma, part, to }.apply();
                }
                Width::Two(rows) => {
                    ModesDistances { rows, modes: &modes.two, gamma, part, to }.apply();
                }
            }
        }
        k
    }
}
