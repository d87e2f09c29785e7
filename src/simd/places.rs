//! Where in the tables the codes of some rows lie, worked out once for all passes.

use super::Tables;
use crate::parallel::{self, BLOCK};

/// Codes as places in [`Tables`], in two bytes where that is enough.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    // Every place is below `n_rows`: the kernels load without looking.
    narrow: Vec<u16>,
    wide: Vec<u32>,
    n_rows: usize,
    m: usize,
}

/// A place in [`Tables`].
pub(super) trait Place: Copy {
    fn at(self) -> usize;
}

impl Place for u16 {
    #[inline(always)]
    fn at(self) -> usize {
        usize::from(self)
    }
}

impl Place for u32 {
    #[inline(always)]
    fn at(self) -> usize {
        self as usize
    }
}

impl Places {
    /// Takes rows of codes, row-major, whose attributes are those of `tables`.
    pub(crate) fn new(codes: &[u32], tables: &Tables) -> Self {
        let m = tables.attributes.len();
        assert!(m == 0 || codes.len().is_multiple_of(m), "whole rows of codes");
        let is_narrow = tables.n_rows <= usize::from(u16::MAX);
        let (mut narrow, mut wide) = (Vec::new(), Vec::new());
        if is_narrow {
            narrow = of_codes(codes, tables, |place| place as u16);
        } else {
            wide = of_codes(codes, tables, |place| place as u32);
        }
        Self { narrow, wide, n_rows: tables.n_rows, m }
    }

    /// The places of `n` rows from `first` on.
    pub(crate) fn part(&self, first: usize, n: usize) -> PlacesPart<'_> {
        let part = first * self.m..(first + n) * self.m;
        PlacesPart {
            narrow: self.narrow.get(part.clone()).unwrap_or(&[]),
            wide: self.wide.get(part).unwrap_or(&[]),
            n_rows: self.n_rows,
        }
    }
}

/// The places of some rows; one of the slices is empty.
#[derive(Clone, Copy)]
pub(crate) struct PlacesPart<'a> {
    pub(super) narrow: &'a [u16],
    pub(super) wide: &'a [u32],
    pub(super) n_rows: usize,
}

fn of_codes<P: Default + Clone + Send>(
    codes: &[u32],
    tables: &Tables,
    narrow: impl Fn(usize) -> P + Sync + Send,
) -> Vec<P> {
    let m = tables.attributes.len().max(1);
    let mut places = vec![P::default(); codes.len()];
    let mut nothing = vec![(); codes.len().div_ceil(BLOCK * m)];
    parallel::update_blocks_of(BLOCK * m, &mut places, &mut nothing, |first, places, ()| {
        let rows = codes[first..].chunks_exact(m);
        for (places, codes) in places.chunks_exact_mut(m).zip(rows) {
            for ((place, &code), &(start, categories)) in
                places.iter_mut().zip(codes).zip(&tables.attributes)
            {
                *place = narrow(Tables::row(start, categories, code));
            }
        }
    });
    places
}
