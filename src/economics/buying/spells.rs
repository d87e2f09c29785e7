//! What the models know of customers: how often they bought again, when last, and how long they were watched.

use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::parallel;

/// Customers by frequency, recency and age, equal ones collapsed into one row with a weight.
///
/// Rows are sorted, so that the order of the customers does not matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Spells {
    /// Repeat purchases.
    pub frequency: Vec<f64>,
    /// Time of the last purchase since the first; 0 without repeat purchases.
    pub recency: Vec<f64>,
    /// Time since the first purchase.
    pub age: Vec<f64>,
    /// How many customers the row stands for.
    pub weight: Vec<f64>,
    /// The first customer that the row stands for.
    pub first: Vec<usize>,
    /// Distinct frequencies, ascending, with the weight of their customers.
    pub frequencies: Vec<(f64, f64)>,
}

impl Spells {
    /// Collapses customers.
    ///
    /// `O(n log n)`.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] for the first customer whose values are not finite, negative, or cannot be:
    /// `0 <= recency <= age`, recency 0 exactly where frequency is 0. [`Error::TooFewRows`] without customers.
    pub fn new(
        frequency: &[f64],
        recency: &[f64],
        age: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        Self::check(frequency, recency, age)?;
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let rows: Vec<usize> = (0..frequency.len()).filter(|&row| weight_of(row) > 0.0).collect();
        if rows.is_empty() {
            let what = "a model of repeat buying".into();
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        // One list for each frequency, sorted alone: what is 0 or more and finite has the order of its bits.
        let (codes, frequencies) = ranked(&rows, frequency);
        let mut lists: Vec<Vec<(u64, u64, usize)>> = vec![Vec::new(); frequencies.len()];
        for (&row, &code) in rows.iter().zip(&codes) {
            let bits = |value: f64| (value + 0.0).to_bits();
            lists[code as usize].push((bits(recency[row]), bits(age[row]), row));
        }
        parallel::update_each(&mut lists, |_, list| list.sort_unstable());
        let mut spells = Self {
            frequency: Vec::new(),
            recency: Vec::new(),
            age: Vec::new(),
            weight: Vec::new(),
            first: Vec::new(),
            frequencies: Vec::new(),
        };
        for (frequency, list) in frequencies.into_iter().zip(lists) {
            for equal in list.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
                let (recency, age, first) = equal[0];
                spells.frequency.push(frequency);
                spells.recency.push(f64::from_bits(recency));
                spells.age.push(f64::from_bits(age));
                spells.weight.push(equal.iter().map(|&(_, _, row)| weight_of(row)).sum());
                spells.first.push(first);
            }
            let weight = list.iter().map(|&(_, _, row)| weight_of(row)).sum();
            spells.frequencies.push((frequency, weight));
        }
        Ok(spells)
    }

    /// Every `step`th row: customers of whom there are fewer, but who are much the same.
    pub(super) fn thinned(&self, step: usize) -> Self {
        let of = |values: &[f64]| values.iter().copied().step_by(step).collect::<Vec<_>>();
        let (frequency, weight) = (of(&self.frequency), of(&self.weight));
        let mut frequencies: Vec<(f64, f64)> = Vec::new();
        for (&x, &weight) in frequency.iter().zip(&weight) {
            match frequencies.last_mut() {
                Some((last, sum)) if *last == x => *sum += weight,
                _ => frequencies.push((x, weight)),
            }
        }
        Self {
            recency: of(&self.recency),
            age: of(&self.age),
            first: self.first.iter().copied().step_by(step).collect(),
            frequency,
            weight,
            frequencies,
        }
    }

    /// Distinct rows.
    pub fn len(&self) -> usize {
        self.weight.len()
    }

    /// Whether there is no row; never so.
    pub fn is_empty(&self) -> bool {
        self.weight.is_empty()
    }

    /// Customers.
    pub fn total(&self) -> f64 {
        self.weight.iter().sum()
    }

    /// Mean time that customers were watched, above 0: where a search for a rate may start.
    pub(super) fn typical_age(&self) -> f64 {
        let sum: f64 = self.age.iter().zip(&self.weight).map(|(age, weight)| age * weight).sum();
        (sum / self.total()).max(1e-3)
    }

    /// Whether these can be customers.
    ///
    /// # Errors
    ///
    /// As [`Spells::new`].
    pub fn check(frequency: &[f64], recency: &[f64], age: &[f64]) -> Result<()> {
        if recency.len() != frequency.len() || age.len() != frequency.len() {
            let found = format!("{} and {} values", recency.len(), age.len());
            let wanted = format!("one for each of the {} customers is needed", frequency.len());
            return Err(Error::argument("recency, T", found, wanted));
        }
        for row in 0..frequency.len() {
            let (x, last, age) = (frequency[row], recency[row], age[row]);
            let finite = |value: f64| value.is_finite() && value >= 0.0;
            if !finite(x) || x.fract() != 0.0 {
                return Err(Error::value(
                    "frequency",
                    row,
                    x,
                    "a whole number from 0 up is needed",
                ));
            }
            if !finite(age) {
                return Err(Error::value("T", row, age, "a finite number from 0 up is needed"));
            }
            if !finite(last) || last > age {
                let wanted = format!("a number from 0 up to T, here {age}, is needed");
                return Err(Error::value("recency", row, last, wanted));
            }
            if (x == 0.0) != (last == 0.0) {
                let wanted = format!(
                    "recency is 0 for customers without a repeat purchase, and only for them; frequency here is {x}"
                );
                return Err(Error::value("recency", row, last, wanted));
            }
        }
        Ok(())
    }
}

/// For each of the rows the number of its value among the distinct ones, and these, ascending.
pub(super) fn ranked(rows: &[usize], values: &[f64]) -> (Vec<u32>, Vec<f64>) {
    let mut known: HashMap<u64, u32, foldhash::fast::RandomState> = HashMap::default();
    let mut codes: Vec<u32> = Vec::with_capacity(rows.len());
    for &row in rows {
        let next = known.len() as u32;
        codes.push(*known.entry((values[row] + 0.0).to_bits()).or_insert(next));
    }
    let mut distinct: Vec<(f64, u32)> =
        known.into_iter().map(|(bits, code)| (f64::from_bits(bits), code)).collect();
    distinct.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut rank = vec![0; distinct.len()];
    for (place, &(_, code)) in distinct.iter().enumerate() {
        rank[code as usize] = place as u32;
    }
    codes.iter_mut().for_each(|code| *code = rank[*code as usize]);
    (codes, distinct.into_iter().map(|(value, _)| value).collect())
}
