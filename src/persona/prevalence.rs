//! How many customers match a description: all of it, most of it, and each attribute added to those before.
//!
//! Each row is one word of bits, one bit per attribute. The number of bits set says how many attributes match, the number of
//! trailing ones how many of the first match in order, and where one bit is missing its place names the attribute without
//! which the customer would match. So one pass over the rows answers all three questions: `n` rows by `k` attributes.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::condition::{Condition, Met};
use super::text;
use crate::confidence::{check_level, is_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::persist::{self, Persist};
use crate::statistics::wilson;
use crate::table::{Kind, MISSING, Table};

/// Attributes of one description at most.
const MOST: usize = 64;

/// An attribute of a description, and what becomes of the matches with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// The column.
    pub attribute: String,
    /// What is stated, in words.
    pub statement: String,
    /// Customers who match it.
    pub alone: usize,
    /// Customers of the persona's own segment who match it.
    pub alone_inside: usize,
    /// Customers who match it and all attributes before it.
    pub so_far: usize,
    /// The same in the persona's own segment.
    pub so_far_inside: usize,
    /// Customers who match all other attributes.
    pub without: usize,
}

/// How many customers match one description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The persona.
    pub persona: String,
    /// Customers with a value in every attribute.
    pub n: usize,
    /// Those of the persona's own segment; `None` where it has none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub n_inside: Option<usize>,
    /// The attributes in their order.
    pub attributes: Vec<Stated>,
    /// Customers who match exactly 0, 1, ... of the attributes.
    pub exactly: Vec<usize>,
    /// The same in the persona's own segment.
    pub exactly_inside: Vec<usize>,
}

/// How many customers match each persona.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prevalence {
    /// What the result was made from.
    pub manifest: Manifest,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// One per persona.
    pub audits: Vec<Audit>,
}

impl Audit {
    /// Customers who match at least `m` attributes.
    pub fn at_least(&self, m: usize) -> usize {
        self.exactly.iter().skip(m).sum()
    }

    /// Customers of the persona's own segment who match at least `m` attributes.
    pub fn at_least_inside(&self, m: usize) -> usize {
        self.exactly_inside.iter().skip(m).sum()
    }

    /// Share of customers who match each attribute.
    fn shares(&self) -> Vec<f64> {
        self.attributes.iter().map(|stated| stated.alone as f64 / self.n as f64).collect()
    }

    /// Customers expected to match the first `m` attributes if attributes were independent: the product of the shares.
    pub fn expected_so_far(&self, m: usize) -> f64 {
        self.n as f64 * self.shares()[..m].iter().product::<f64>()
    }

    /// Customers expected to match at least `m` attributes if attributes were independent: the upper tail of the
    /// Poisson-binomial distribution, summed attribute by attribute.
    pub fn expected_at_least(&self, m: usize) -> f64 {
        let mut chance = vec![1.0];
        for share in self.shares() {
            let mut next = vec![0.0; chance.len() + 1];
            for (count, p) in chance.iter().enumerate() {
                next[count] += p * (1.0 - share);
                next[count + 1] += p * share;
            }
            chance = next;
        }
        // Added from the small end, where the digits would be lost otherwise.
        self.n as f64 * chance.iter().skip(m).rev().sum::<f64>()
    }

    /// The attribute whose removal lets most customers more match; the first of those that are equal. Nothing where there
    /// is only one.
    pub fn weakest(&self) -> Option<&Stated> {
        let stated = self.attributes.iter().rev().max_by_key(|stated| stated.without)?;
        (self.attributes.len() > 1).then_some(stated)
    }
}

/// Counts of one pass over rows, which add up.
#[derive(Clone)]
struct Tally {
    n: usize,
    n_inside: usize,
    exactly: Vec<usize>,
    exactly_inside: Vec<usize>,
    /// Customers whose first attributes that match in order are so many.
    leading: Vec<usize>,
    leading_inside: Vec<usize>,
    alone: Vec<usize>,
    alone_inside: Vec<usize>,
    only_missing: Vec<usize>,
}

impl Tally {
    fn new(k: usize) -> Self {
        Self {
            n: 0,
            n_inside: 0,
            exactly: vec![0; k + 1],
            exactly_inside: vec![0; k + 1],
            leading: vec![0; k + 1],
            leading_inside: vec![0; k + 1],
            alone: vec![0; k],
            alone_inside: vec![0; k],
            only_missing: vec![0; k],
        }
    }

    fn update(&mut self, mask: u64, inside: bool, k: usize) {
        let (matched, first) = (mask.count_ones() as usize, mask.trailing_ones() as usize);
        self.n += 1;
        self.exactly[matched] += 1;
        self.leading[first] += 1;
        if inside {
            self.n_inside += 1;
            self.exactly_inside[matched] += 1;
            self.leading_inside[first] += 1;
        }
        if matched + 1 == k {
            self.only_missing[first] += 1;
        }
    }

    fn merge(mut self, other: &Self) -> Self {
        self.n += other.n;
        self.n_inside += other.n_inside;
        for (one, other) in [
            (&mut self.exactly, &other.exactly),
            (&mut self.exactly_inside, &other.exactly_inside),
            (&mut self.leading, &other.leading),
            (&mut self.leading_inside, &other.leading_inside),
            (&mut self.alone, &other.alone),
            (&mut self.alone_inside, &other.alone_inside),
            (&mut self.only_missing, &other.only_missing),
        ] {
            for (one, other) in one.iter_mut().zip(other) {
                *one += other;
            }
        }
        self
    }
}

/// Counts who matches each of the descriptions.
///
/// A description is the name of a persona with its conditions. Its own segment is that of the same place in `segments`, a
/// number of `labels`. Rows with the label [`MISSING`] do not count, nor do those with a missing value in a stated attribute.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for no attributes or more than 64, and where no customer is complete.
pub fn prevalence(
    table: &Table,
    labels: &[u32],
    personas: &[(String, Vec<Condition>)],
    segments: &[Option<u32>],
    confidence: f64,
    mut manifest: Manifest,
) -> Result<Prevalence> {
    check_level(confidence)?;
    manifest.leave_out("no segment", labels.iter().filter(|&&label| label == MISSING).count());
    let mut audits = Vec::with_capacity(personas.len());
    for (place, (persona, conditions)) in personas.iter().enumerate() {
        let own = segments.get(place).copied().flatten();
        let k = conditions.len();
        if k == 0 || k > MOST {
            let wanted = format!("1 to {MOST} can be counted");
            return Err(Error::argument("attributes", format!("{k} of {persona:?}"), wanted)
                .with_mend("attributes=[\"age\", \"income\"]"));
        }
        let read =
            conditions.iter().map(|found| Met::read(table, found)).collect::<Result<Vec<_>>>()?;
        let tally = parallel::map_blocks(labels.len(), |rows| tally(&read, labels, own, rows))
            .iter()
            .fold(Tally::new(k), Tally::merge);
        if tally.n == 0 {
            return Err(Error::argument(
                "attributes",
                format!("no customer with a value in all of {persona:?}"),
                "at least one complete customer is needed",
            ));
        }
        for (condition, _) in conditions.iter().zip(&read).filter(|(_, met)| !met.is_possible()) {
            let level = condition.level.as_deref().unwrap_or_default();
            manifest.notes.push(format!(
                "{persona}: no customer has {level:?} in column {:?}",
                condition.column
            ));
        }
        audits.push(audit(table, persona, (conditions, &read), own.is_some(), &tally)?);
    }
    Ok(Prevalence { manifest, confidence, audits })
}

/// Counts of one block of rows.
fn tally(read: &[Met], labels: &[u32], own: Option<u32>, rows: Range<usize>) -> Tally {
    let k = read.len();
    let mut tally = Tally::new(k);
    let mut masks = vec![0_u64; rows.len()];
    let mut complete: Vec<bool> = labels[rows.clone()].iter().map(|&l| l != MISSING).collect();
    for (bit, met) in read.iter().enumerate() {
        for (at, row) in rows.clone().enumerate() {
            match met.of(row) {
                Some(met) => masks[at] |= u64::from(met) << bit,
                None => complete[at] = false,
            }
        }
    }
    for (at, row) in rows.enumerate().filter(|&(at, _)| complete[at]) {
        let inside = Some(labels[row]) == own;
        tally.update(masks[at], inside, k);
        let mut left = masks[at];
        while left != 0 {
            let bit = left.trailing_zeros() as usize;
            tally.alone[bit] += 1;
            tally.alone_inside[bit] += usize::from(inside);
            left &= left - 1;
        }
    }
    tally
}

fn audit(
    table: &Table,
    persona: &str,
    (conditions, read): (&[Condition], &[Met]),
    has_segment: bool,
    tally: &Tally,
) -> Result<Audit> {
    let k = conditions.len();
    let all = tally.exactly[k];
    let after = |leading: &[usize], m: usize| leading.iter().skip(m).sum::<usize>();
    let mut attributes = Vec::with_capacity(k);
    for (bit, (condition, met)) in conditions.iter().zip(read).enumerate() {
        attributes.push(Stated {
            attribute: condition.column.clone(),
            statement: condition.words(met.style(table.kind(&condition.column)? == Kind::Date)),
            alone: tally.alone[bit],
            alone_inside: tally.alone_inside[bit],
            so_far: after(&tally.leading, bit + 1),
            so_far_inside: after(&tally.leading_inside, bit + 1),
            without: all + tally.only_missing[bit],
        });
    }
    Ok(Audit {
        persona: text::name(persona),
        n: tally.n,
        n_inside: has_segment.then_some(tally.n_inside),
        attributes,
        exactly: tally.exactly.clone(),
        exactly_inside: tally.exactly_inside.clone(),
    })
}

impl Persist for Prevalence {
    const KIND: &'static str = "prevalence";

    fn validate(&self) -> Result<()> {
        let sound = |audit: &Audit| {
            let k = audit.attributes.len();
            let sum = |counts: &[usize]| counts.iter().try_fold(0_usize, |a, &b| a.checked_add(b));
            let all = audit.exactly.last().copied().unwrap_or(0);
            let counts = |s: &Stated| {
                s.alone <= audit.n
                    && s.so_far <= s.alone
                    && s.alone_inside <= s.alone
                    && s.so_far_inside <= s.so_far
                    && (all..=audit.n).contains(&s.without)
            };
            (1..=MOST).contains(&k)
                && audit.n > 0
                && audit.exactly.len() == k + 1
                && audit.exactly_inside.len() == k + 1
                && sum(&audit.exactly) == Some(audit.n)
                && sum(&audit.exactly_inside) == Some(audit.n_inside.unwrap_or(0))
                && audit.attributes.iter().all(counts)
                && audit.attributes.last().is_some_and(|last| last.so_far == all)
        };
        if !is_level(self.confidence) || self.audits.is_empty() || !self.audits.iter().all(sound) {
            return Err(persist::broken("counts of the customers who match do not go together"));
        }
        Ok(())
    }
}

impl Prevalence {
    fn quantile(&self) -> f64 {
        z_of(self.confidence)
    }

    /// One row per persona and attribute, in order: how many match it, and it with all before it.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let z = self.quantile();
        let rows: Vec<(&Audit, usize, &Stated)> = self
            .audits
            .iter()
            .flat_map(|a| a.attributes.iter().enumerate().map(move |(at, s)| (a, at, s)))
            .collect();
        let share = |count: usize, n: usize| count as f64 / n as f64;
        let inside = |audit: &Audit, count: usize| {
            audit.n_inside.filter(|&n| n > 0).map_or(f64::NAN, |n| share(count, n))
        };
        let interval = |a: &Audit, s: &Stated| wilson(s.so_far as f64, a.n as f64, z);
        Table::builder()
            .text("persona", rows.iter().map(|(a, _, _)| &a.persona))
            .int("attributes", rows.iter().map(|(_, at, _)| *at as i64 + 1))
            .text("attribute", rows.iter().map(|(_, _, s)| &s.attribute))
            .text("statement", rows.iter().map(|(_, _, s)| &s.statement))
            .float("share", rows.iter().map(|(a, _, s)| share(s.alone, a.n)))
            .float("share_inside", rows.iter().map(|(a, _, s)| inside(a, s.alone_inside)))
            .int("matched", rows.iter().map(|(_, _, s)| s.so_far as i64))
            .float("prevalence", rows.iter().map(|(a, _, s)| share(s.so_far, a.n)))
            .float("prevalence_lo", rows.iter().map(|(a, _, s)| interval(a, s).0))
            .float("prevalence_hi", rows.iter().map(|(a, _, s)| interval(a, s).1))
            .float("expected", rows.iter().map(|(a, at, _)| a.expected_so_far(at + 1)))
            .float("prevalence_inside", rows.iter().map(|(a, _, s)| inside(a, s.so_far_inside)))
            .int("without", rows.iter().map(|(_, _, s)| s.without as i64))
            .int("n", rows.iter().map(|(a, _, _)| a.n as i64))
            .finish()
    }

    /// One row per persona and number of attributes, from all down to one: how many match at least so many.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn at_least(&self) -> Result<Table> {
        let z = self.quantile();
        let rows: Vec<(&Audit, usize)> = self
            .audits
            .iter()
            .flat_map(|a| (1..=a.attributes.len()).rev().map(move |m| (a, m)))
            .collect();
        let share = |(a, m): &(&Audit, usize)| a.at_least(*m) as f64 / a.n as f64;
        let interval = |(a, m): &(&Audit, usize)| wilson(a.at_least(*m) as f64, a.n as f64, z);
        let inside = |(a, m): &(&Audit, usize)| {
            let n = a.n_inside.filter(|&n| n > 0);
            n.map_or(f64::NAN, |n| a.at_least_inside(*m) as f64 / n as f64)
        };
        Table::builder()
            .text("persona", rows.iter().map(|(a, _)| &a.persona))
            .int("at_least", rows.iter().map(|&(_, m)| m as i64))
            .int("of", rows.iter().map(|(a, _)| a.attributes.len() as i64))
            .int("matched", rows.iter().map(|(a, m)| a.at_least(*m) as i64))
            .float("prevalence", rows.iter().map(share))
            .float("prevalence_lo", rows.iter().map(|row| interval(row).0))
            .float("prevalence_hi", rows.iter().map(|row| interval(row).1))
            .float("expected", rows.iter().map(|(a, m)| a.expected_at_least(*m)))
            .float("prevalence_inside", rows.iter().map(inside))
            .finish()
    }

    /// Who matches each persona in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let z = self.quantile();
        let mut lines = Vec::new();
        for audit in &self.audits {
            let (k, n) = (audit.attributes.len(), audit.n);
            let all = audit.at_least(k);
            let (lo, hi) = wilson(all as f64, n as f64, z);
            let percent = |count: usize| 100.0 * count as f64 / n as f64;
            let mut line = format!(
                "{}: {} of {} customers match all {k} attributes ({:.1} %, {:.1} to {:.1}); if attributes were independent, \
                 {} would.",
                audit.persona,
                text::number(all as f64),
                text::number(n as f64),
                percent(all),
                100.0 * lo,
                100.0 * hi,
                told(audit.expected_so_far(k)),
            );
            if let Some(inside) = audit.n_inside.filter(|&inside| inside > 0) {
                line.push_str(&format!(
                    " Of the {} in its segment {} do.",
                    text::number(inside as f64),
                    text::number(audit.at_least_inside(k) as f64)
                ));
            }
            if k > 2 {
                line.push_str(&format!(
                    " {} match at least {} ({:.1} %).",
                    text::number(audit.at_least(k - 2) as f64),
                    k - 2,
                    percent(audit.at_least(k - 2))
                ));
            }
            if let Some(weakest) = audit.weakest() {
                line.push_str(&format!(
                    " Without {} {} match the rest.",
                    weakest.attribute,
                    text::number(weakest.without as f64)
                ));
            }
            lines.push(line);
        }
        lines.extend(self.manifest.notes.iter().map(|note| format!("Note: {note}.")));
        lines
    }
}

fn told(expected: f64) -> String {
    match expected {
        x if x >= 100.0 => text::number(x.round()),
        x if x >= 0.1 => format!("{x:.1}"),
        x => text::number(text::significant(x, 2)),
    }
}
