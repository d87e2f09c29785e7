//! Answers: rows of categories under the columns of a model, collapsed to the patterns that differ.

use std::collections::HashMap;

use super::super::mixed::{Attribute, Columns, Mixed};
use crate::error::{Error, Result};
use crate::simd::Cells;

/// Most categories of one item.
const MAX_CATEGORIES: usize = 65_535;

/// Rows of answers: 0 where there is none, else 1 and the category.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    codes: Vec<u16>,
    n: usize,
    /// Number of categories of each item.
    categories: Vec<usize>,
}

impl Answers {
    /// The columns that rows of positive weight show: of each the categories met there, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for an item without any answer, [`Error::BadValue`] for one with too many categories.
    pub(crate) fn columns(data: &Mixed, weights: Option<&[f64]>) -> Result<Columns> {
        let mut columns = data.columns().clone();
        for (at, item) in columns.categorical.iter_mut().enumerate() {
            let mut met = vec![false; item.categories.len()];
            for row in 0..data.n_rows() {
                let counts = weights.is_none_or(|weights| weights[row] > 0.0);
                if let Some(met) = met.get_mut(data.codes(row)[at] as usize).filter(|_| counts) {
                    *met = true;
                }
            }
            let mut kept = met.iter();
            item.categories.retain(|_| kept.next() == Some(&true));
            let (name, n) = (&item.name, item.categories.len());
            if n == 0 {
                let mend = format!("df = df.drop(columns=[{name:?}])");
                let wanted = "an item needs at least one answer";
                return Err(
                    Error::argument(format!("column {name:?}"), "no value", wanted).with_mend(mend)
                );
            }
            if n > MAX_CATEGORIES {
                let wanted = format!("at most {MAX_CATEGORIES} categories are taken");
                return Err(Error::argument(format!("column {name:?}"), format!("{n}"), wanted)
                    .with_mend(format!("df[{name:?}] = pd.qcut(df[{name:?}], 5)")));
            }
        }
        Ok(columns)
    }

    /// The rows under these columns, met by the names of categories; others count as missing.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another number of columns.
    pub(crate) fn under(data: &Mixed, columns: &Columns) -> Result<Self> {
        let (n, m) = (data.n_rows(), columns.categorical.len());
        if data.m() != m || data.d() != 0 {
            let found = format!("{} items", data.m() + data.d());
            return Err(Error::argument("X", found, format!("the model was fitted on {m}")));
        }
        let mut codes = vec![0_u16; n * m];
        for (at, (theirs, ours)) in
            data.columns().categorical.iter().zip(&columns.categorical).enumerate()
        {
            let of = positions(theirs, ours);
            for row in 0..n {
                let code = data.codes(row)[at];
                codes[row * m + at] = of.get(code as usize).copied().unwrap_or(0);
            }
        }
        let categories = columns.categorical.iter().map(|item| item.categories.len()).collect();
        Ok(Self { codes, n, categories })
    }

    /// Number of rows.
    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// Number of categories of each item.
    pub(crate) fn categories(&self) -> &[usize] {
        &self.categories
    }

    /// The answers of a row: 0 where there is none, else 1 and the category.
    pub(crate) fn row(&self, row: usize) -> &[u16] {
        let m = self.categories.len();
        &self.codes[row * m..(row + 1) * m]
    }

    /// Whether the row has any answer.
    pub(crate) fn answered(&self, row: usize) -> bool {
        self.row(row).iter().any(|&code| code > 0)
    }

    /// The rows that differ, in the order of their answers, and what the given rows weigh together.
    pub(crate) fn patterns(&self, rows: &[u32], weight: impl Fn(u32) -> f64) -> (Self, Vec<f64>) {
        let order = self.sorted(rows);
        let (mut codes, mut weights) = (Vec::new(), Vec::<f64>::new());
        let mut before: Option<u32> = None;
        for &row in &order {
            let answers = self.row(row as usize);
            match weights.last_mut() {
                Some(total) if before.is_some_and(|b| self.row(b as usize) == answers) => {
                    *total += weight(row);
                }
                _ => {
                    codes.extend_from_slice(answers);
                    weights.push(weight(row));
                }
            }
            before = Some(row);
        }
        (Self { codes, n: weights.len(), categories: self.categories.clone() }, weights)
    }

    /// The given rows as they stand.
    pub(crate) fn select(&self, rows: &[u32]) -> Self {
        let codes = rows.iter().flat_map(|&row| self.row(row as usize).iter().copied()).collect();
        Self { codes, n: rows.len(), categories: self.categories.clone() }
    }

    /// Answers of the same items drawn anew.
    pub(crate) fn drawn(&self, codes: Vec<u16>, n: usize) -> Self {
        Self { codes, n, categories: self.categories.clone() }
    }

    /// The given rows sorted by their answers, equal ones in the order given.
    fn sorted(&self, rows: &[u32]) -> Vec<u32> {
        let bits: Vec<u32> =
            self.categories.iter().map(|&c| usize::BITS - c.leading_zeros()).collect();
        if bits.iter().sum::<u32>() > 96 {
            let mut order = rows.to_vec();
            order.sort_by(|&a, &b| self.row(a as usize).cmp(self.row(b as usize)));
            return order;
        }
        // All answers of a row in one number, with the row's place below.
        let mut keys: Vec<u128> = rows
            .iter()
            .enumerate()
            .map(|(place, &row)| {
                let answers = self.row(row as usize).iter().zip(&bits);
                let key = answers.fold(0, |key, (&code, &bits)| key << bits | u128::from(code));
                key << 32 | place as u128
            })
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|key| rows[key as u32 as usize]).collect()
    }
}

/// For each of their categories, 1 and its position among ours, or 0.
pub(super) fn positions(theirs: &Attribute, ours: &Attribute) -> Vec<u16> {
    let known: HashMap<&str, u16> = ours.categories.iter().map(String::as_str).zip(1..).collect();
    theirs.categories.iter().map(|name| known.get(name.as_str()).copied().unwrap_or(0)).collect()
}

/// How items share the columns of a table: each column holds the product of some items, so that a row costs fewer steps.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// First position of each item; its positions are "no answer", then its categories.
    pub(crate) firsts: Vec<usize>,
    /// Number of positions of all items.
    pub(crate) n_positions: usize,
    /// The positions that each row of the table multiplies.
    pub(crate) members: Vec<Vec<u32>>,
}

impl Layout {
    /// The layout, and the rows as positions in its table.
    ///
    /// A column of the table has at most `limit` rows, unless one item alone has more.
    pub(crate) fn new(answers: &Answers, limit: usize) -> (Self, Cells) {
        let (n, m) = (answers.n, answers.categories.len());
        let mut gaps = vec![false; m];
        for row in answers.codes.chunks_exact(m) {
            gaps.iter_mut().zip(row).for_each(|(gap, &code)| *gap |= code == 0);
        }
        let mut firsts = Vec::with_capacity(m);
        let mut n_positions = 0;
        for &categories in &answers.categories {
            firsts.push(n_positions);
            n_positions += categories + 1;
        }
        let (mut columns, mut members) = (Vec::new(), Vec::new());
        let mut item = 0;
        while item < m {
            let radix = |item: usize| answers.categories[item] + usize::from(gaps[item]);
            let (start, mut size) = (item, radix(item));
            item += 1;
            while item < m && size * radix(item) <= limit {
                size *= radix(item);
                item += 1;
            }
            columns.push((start..item, members.len()));
            for mut row in 0..size {
                // The last item of a column changes fastest.
                let mut of_row = vec![0; item - start];
                for (at, position) in (start..item).zip(&mut of_row).rev() {
                    let digit = row % radix(at) + usize::from(!gaps[at]);
                    *position = (firsts[at] + digit) as u32;
                    row /= radix(at);
                }
                members.push(of_row);
            }
        }
        let mut codes = Vec::with_capacity(n * columns.len());
        for row in answers.codes.chunks_exact(m) {
            for (items, first) in &columns {
                let place = items.clone().fold(0, |place, at| {
                    let gap = usize::from(gaps[at]);
                    place * (answers.categories[at] + gap) + usize::from(row[at]) + gap - 1
                });
                codes.push((first + place) as u32);
            }
        }
        let cells = Cells::new(codes, n, columns.len(), members.len());
        (Self { firsts, n_positions, members }, cells)
    }
}
