//! Dissimilarities of one row to many, over columns of numbers and category codes.
//!
//! Columns lie one after the other, so a row is compared with a whole vector of rows at a time. Categories of equal
//! weight are counted in single bytes, 64 to a vector, and enter the sum once: beside them the numbers take the time, four
//! operations for each eight pairs. A full matrix is bound by writing it. Missing values cost a second sum, of weights, and
//! only where a column has some.
//!
//! Every pair is computed by itself, with the same operations in the same order on each instruction set and whatever stands
//! in the other rows: the bits are the same from either side and for any cut of the rows.

use std::cmp::Ordering;
use std::ops::Range;

use super::eight::Eight;
use super::vector::Vector;
use super::{Kernel, Level, MISSING, UNSEEN};

/// Pairs handled together; their sums stay in the first-level cache.
const BLOCK: usize = 512;

/// What differences of numbers add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Measure {
    /// Weighted mean of the differences of what both rows have, each at most its weight: Gower's.
    Gower,
    /// Sum of sizes of differences.
    Manhattan,
    /// Sum of squared differences.
    Squared,
    /// Its root.
    Euclidean,
}

/// A number type of a matrix of distances.
pub(crate) trait Distance: Copy + Send + Sync + PartialOrd + 'static {
    /// The nearest value of the type.
    fn of(value: f64) -> Self;
    /// The value, exactly.
    fn wide(self) -> f64;
    /// Eight values, exactly.
    ///
    /// # Safety
    ///
    /// That of [`Eight`].
    unsafe fn eight<E: Eight>(from: *const Self) -> E;
}

impl Distance for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    unsafe fn eight<E: Eight>(from: *const Self) -> E {
        // SAFETY: the caller's promise.
        unsafe { E::load(from) }
    }
}

impl Distance for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    unsafe fn eight<E: Eight>(from: *const Self) -> E {
        // SAFETY: the caller's promise.
        unsafe { E::load_narrow(from) }
    }
}

/// A column of numbers, already multiplied by their weight over their range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) values: Vec<f64>,
    pub(crate) weight: f64,
    missing: bool,
}

/// A column of codes: below 254, or any; the largest two stand for unseen and missing.
#[derive(Debug, Clone, PartialEq)]
enum Codes {
    Narrow(Vec<u8>),
    Wide(Vec<u32>),
}

/// Categories of one weight.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    weight: f64,
    asymmetric: bool,
    missing: bool,
    columns: Vec<Codes>,
}

/// Rows in columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns {
    pub(crate) n: usize,
    measure: Measure,
    numbers: Vec<Numbers>,
    groups: Vec<Group>,
}

/// A column before it is laid out.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    /// Scaled values, NaN for missing, and the weight.
    Numbers(Vec<f64>, f64),
    /// Codes, how many there are at most, the weight, and whether code 0 says nothing where both rows have it.
    Codes { codes: Vec<u32>, n_categories: usize, weight: f64, asymmetric: bool },
}

impl Columns {
    /// Lays out columns of `n` rows each.
    pub(crate) fn new(n: usize, measure: Measure, columns: Vec<Column>) -> Self {
        let mut laid = Self { n, measure, numbers: Vec::new(), groups: Vec::new() };
        for column in columns {
            match column {
                Column::Numbers(values, weight) => {
                    let missing = values.iter().any(|value| value.is_nan());
                    laid.numbers.push(Numbers { values, weight, missing });
                }
                Column::Codes { codes, n_categories, weight, asymmetric } => {
                    laid.push_codes(codes, n_categories, weight, asymmetric);
                }
            }
        }
        laid
    }

    fn push_codes(&mut self, codes: Vec<u32>, n_categories: usize, weight: f64, asymmetric: bool) {
        let missing = codes.contains(&MISSING);
        let codes = if n_categories < 254 {
            Codes::Narrow(codes.iter().map(|&code| narrow(code)).collect())
        } else {
            Codes::Wide(codes)
        };
        // Matches are counted in bytes.
        let fits = |group: &&mut Group| {
            group.weight.to_bits() == weight.to_bits()
                && group.asymmetric == asymmetric
                && group.columns.len() < 255
        };
        match self.groups.iter_mut().find(fits) {
            Some(group) => {
                group.missing |= missing;
                group.columns.push(codes);
            }
            None => {
                self.groups.push(Group { weight, asymmetric, missing, columns: vec![codes] });
            }
        }
    }

    /// Whether some pairs compare fewer variables than others.
    pub(crate) fn is_partial(&self) -> bool {
        self.numbers.iter().any(|column| column.missing)
            || self.groups.iter().any(|group| group.missing || group.asymmetric)
    }

    /// The given rows, in that order.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        let numbers = self.numbers.iter().map(|column| {
            let values: Vec<f64> = rows.iter().map(|&row| column.values[row]).collect();
            Numbers { values, ..*column }
        });
        let groups = self.groups.iter().map(|group| {
            let columns = group.columns.iter().map(|codes| match codes {
                Codes::Narrow(codes) => Codes::Narrow(rows.iter().map(|&r| codes[r]).collect()),
                Codes::Wide(codes) => Codes::Wide(rows.iter().map(|&r| codes[r]).collect()),
            });
            Group { columns: columns.collect(), ..*group }
        });
        Self {
            n: rows.len(),
            measure: self.measure,
            numbers: numbers.collect(),
            groups: groups.collect(),
        }
    }

    /// Order of two rows by content; equal only where every value is.
    pub(crate) fn compare(&self, a: usize, b: usize) -> Ordering {
        let numbers =
            self.numbers.iter().map(|column| column.values[a].total_cmp(&column.values[b]));
        let codes = self.groups.iter().flat_map(|group| &group.columns).map(|codes| match codes {
            Codes::Narrow(codes) => codes[a].cmp(&codes[b]),
            Codes::Wide(codes) => codes[a].cmp(&codes[b]),
        });
        numbers.chain(codes).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Writes the distances of row `row` of `from` to the rows `range` of these; NaN where no variable can be compared.
    ///
    /// Both must have the same columns.
    pub(crate) fn distances<T: Distance>(
        &self,
        from: &Self,
        row: usize,
        range: Range<usize>,
        out: &mut [T],
    ) {
        assert!(row < from.n && range.end <= self.n && out.len() == range.len(), "rows exist");
        assert!(
            self.numbers.len() == from.numbers.len() && self.groups.len() == from.groups.len(),
            "the columns are the same"
        );
        Level::best::<f64>(usize::MAX).run(Pass { to: self, from, row, first: range.start, out });
    }

    /// [`Columns::distances`] on a level of the caller's.
    #[cfg(test)]
    pub(crate) fn distances_on(&self, level: Level, from: &Self, row: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        level.run(Pass { to: self, from, row, first: 0, out: &mut out });
        out
    }
}

/// A code in a byte; the two largest stay the two largest.
fn narrow(code: u32) -> u8 {
    match code {
        MISSING => u8::MAX,
        UNSEEN => u8::MAX - 1,
        code => code as u8,
    }
}

struct Pass<'a, T> {
    to: &'a Columns,
    from: &'a Columns,
    row: usize,
    first: usize,
    out: &'a mut [T],
}

impl<T: Distance> Kernel for Pass<'_, T> {
    type Real = f64;

    // Plain loops over rows, which the compiler turns into vectors of whatever it may use here.
    #[inline(always)]
    unsafe fn run<V: Vector<Real = f64>>(self) {
        let Self { to, from, row, first, out } = self;
        let (mut sums, mut weights) = ([0.0; BLOCK], [0.0; BLOCK]);
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let (at, n) = (first + block * BLOCK, out.len());
            let (sums, weights) = (&mut sums[..n], &mut weights[..n]);
            sums.fill(0.0);
            for (others, own) in to.numbers.iter().zip(&from.numbers) {
                let values = &others.values[at..at + n];
                match to.measure {
                    Measure::Gower if others.missing => {
                        bounded_known(sums, values, own.values[row], own.weight);
                    }
                    Measure::Gower => bounded(sums, values, own.values[row], own.weight),
                    Measure::Manhattan => sizes(sums, values, own.values[row]),
                    _ => squares(sums, values, own.values[row]),
                }
            }
            match to.measure {
                Measure::Manhattan | Measure::Squared => write(out, sums),
                Measure::Euclidean => {
                    sums.iter_mut().for_each(|sum| *sum = sum.sqrt());
                    write(out, sums);
                }
                Measure::Gower => {
                    let partial = to.is_partial() || from.is_partial();
                    let constant = to.weigh(from, row, at, weights, partial);
                    for (others, own) in to.groups.iter().zip(&from.groups) {
                        others.count(own, row, at, sums, weights);
                    }
                    if partial {
                        divide(out, sums, weights);
                    } else {
                        out.iter_mut()
                            .zip(&*sums)
                            .for_each(|(out, sum)| *out = T::of(sum / constant));
                    }
                }
            }
        }
    }
}

impl Columns {
    /// Sums the weights of the numbers that both rows have; gives the sum for all columns, where every pair has it.
    #[inline(always)]
    fn weigh(&self, from: &Self, row: usize, at: usize, weights: &mut [f64], partial: bool) -> f64 {
        let mut constant = 0.0;
        if partial {
            weights.fill(0.0);
            for (others, own) in self.numbers.iter().zip(&from.numbers) {
                let value = own.values[row];
                if others.missing {
                    let values = &others.values[at..at + weights.len()];
                    for (sum, other) in weights.iter_mut().zip(values) {
                        let gone = (other - value).is_nan();
                        *sum += if gone { 0.0 } else { own.weight };
                    }
                } else if !value.is_nan() {
                    weights.iter_mut().for_each(|sum| *sum += own.weight);
                }
            }
            return constant;
        }
        self.numbers.iter().for_each(|column| constant += column.weight);
        for group in &self.groups {
            constant += group.weight * group.columns.len() as f64;
        }
        constant
    }
}

impl Group {
    /// Adds what the group's categories differ by, and the weights of those that both rows have.
    #[inline(always)]
    fn count(&self, own: &Self, row: usize, at: usize, sums: &mut [f64], weights: &mut [f64]) {
        let n = sums.len();
        let (mut differ, mut known) = ([0_u8; BLOCK], [0_u8; BLOCK]);
        let (differ, known) = (&mut differ[..n], &mut known[..n]);
        for (codes, own) in self.columns.iter().zip(&own.columns) {
            match (codes, own) {
                (Codes::Narrow(codes), Codes::Narrow(own)) => {
                    let codes = &codes[at..at + n];
                    self.compare(codes, own[row], 0, u8::MAX, differ, known);
                }
                (Codes::Wide(codes), Codes::Wide(own)) => {
                    let codes = &codes[at..at + n];
                    self.compare(codes, own[row], 0, MISSING, differ, known);
                }
                _ => {}
            }
        }
        for (sum, &count) in sums.iter_mut().zip(&*differ) {
            *sum += self.weight * f64::from(count);
        }
        for (sum, &count) in weights.iter_mut().zip(&*known) {
            *sum += self.weight * f64::from(count);
        }
    }

    #[inline(always)]
    fn compare<C: Copy + PartialEq>(
        &self,
        codes: &[C],
        own: C,
        absent: C,
        missing: C,
        differ: &mut [u8],
        known: &mut [u8],
    ) {
        if own == missing {
            return;
        }
        let asymmetric = self.asymmetric && own == absent;
        for ((&code, differ), known) in codes.iter().zip(differ).zip(known) {
            let here = code != missing && !(asymmetric && code == absent);
            *differ += u8::from(here & (code != own));
            *known += u8::from(here);
        }
    }
}

/// Adds differences, at most the weight; a value that is not there adds nothing.
#[inline(always)]
fn bounded_known(sums: &mut [f64], values: &[f64], own: f64, weight: f64) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        let size = (value - own).abs();
        let least = if size < weight { size } else { weight };
        *sum += if size.is_nan() { 0.0 } else { least };
    }
}

/// The same where all values of the column are there.
#[inline(always)]
fn bounded(sums: &mut [f64], values: &[f64], own: f64, weight: f64) {
    if own.is_nan() {
        return;
    }
    for (sum, &value) in sums.iter_mut().zip(values) {
        let size = (value - own).abs();
        *sum += if size < weight { size } else { weight };
    }
}

#[inline(always)]
fn sizes(sums: &mut [f64], values: &[f64], own: f64) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += (value - own).abs();
    }
}

#[inline(always)]
fn squares(sums: &mut [f64], values: &[f64], own: f64) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        let difference = value - own;
        *sum += difference * difference;
    }
}

#[inline(always)]
fn write<T: Distance>(out: &mut [T], sums: &[f64]) {
    out.iter_mut().zip(sums).for_each(|(out, &sum)| *out = T::of(sum));
}

#[inline(always)]
fn divide<T: Distance>(out: &mut [T], sums: &[f64], weights: &[f64]) {
    for ((out, &sum), &weight) in out.iter_mut().zip(sums).zip(weights) {
        *out = T::of(sum / weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};

    fn drawn(n: usize, measure: Measure) -> Columns {
        let mut rng = Rng::stream(n as u64, Stage::Reference, 0);
        let mut columns = Vec::new();
        for at in 0..5 {
            let gone = |rng: &mut Rng| at > 2 && rng.uniform() < 0.3;
            let missing = if measure == Measure::Gower { f64::NAN } else { 0.5 };
            let value = |_| if gone(&mut rng) { missing } else { rng.uniform() };
            columns.push(Column::Numbers((0..n).map(value).collect(), 0.7));
        }
        for (at, n_categories) in [2, 5, 253, 254, 70_000].into_iter().enumerate() {
            let code = |_| match rng.below(8) {
                0 if at > 1 => MISSING,
                1 if at > 2 => UNSEEN,
                _ => rng.below(n_categories) as u32,
            };
            let codes = (0..n).map(code).collect();
            let (weight, asymmetric) = (1.0 + (at % 2) as f64, at == 0);
            columns.push(Column::Codes { codes, n_categories, weight, asymmetric });
        }
        if measure != Measure::Gower {
            columns.truncate(5);
        }
        Columns::new(n, measure, columns)
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for measure in [Measure::Gower, Measure::Manhattan, Measure::Squared, Measure::Euclidean] {
            for n in [1, 7, 64, 513, 1100] {
                let columns = drawn(n, measure);
                let bits = |level| -> Vec<u64> {
                    let found = columns.distances_on(level, &columns, n / 2);
                    found.into_iter().map(f64::to_bits).collect()
                };
                let plain = bits(Level::Plain);
                assert!(Level::available().into_iter().all(|level| bits(level) == plain));
            }
        }
    }

    #[test]
    fn parts_and_rows_taken_have_the_bits_of_the_whole() {
        let columns = drawn(700, Measure::Gower);
        let (mut whole, mut part) = (vec![0.0; 700], vec![0.0; 300]);
        columns.distances(&columns, 13, 0..700, &mut whole);
        columns.distances(&columns, 13, 333..633, &mut part);
        let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&part), bits(&whole[333..633]));
        let rows: Vec<usize> = (0..700).step_by(3).collect();
        let taken = columns.take(&rows);
        let mut found = vec![0.0; rows.len()];
        taken.distances(&columns, 13, 0..rows.len(), &mut found);
        let expected: Vec<f64> = rows.iter().map(|&row| whole[row]).collect();
        assert_eq!(bits(&found), bits(&expected));
    }

    #[test]
    fn codes_at_the_edge_of_a_byte_stay_apart() {
        for n_categories in [253, 254, 255, 256, 300] {
            let codes = vec![0, n_categories as u32 - 1, UNSEEN, MISSING];
            let column = Column::Codes { codes, n_categories, weight: 1.0, asymmetric: false };
            let columns = Columns::new(4, Measure::Gower, vec![column]);
            let mut found = [0.0_f64; 4];
            columns.distances(&columns, 1, 0..4, &mut found);
            assert_eq!(found[..3], [1.0, 0.0, 1.0]);
            assert!(found[3].is_nan());
        }
    }
}
