//! Who is sensitive to what, from customers who responded or did not.

use serde::{Deserialize, Serialize};

use super::grid::{names, places};
use super::ratio::TwoGroups;
use crate::confidence::z_of;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::Figures;
use crate::statistics::{benjamini_hochberg, wilson};
use crate::table::{MISSING, Table};

/// Propositions that responses can be read of: one bit each.
const MOST: usize = 64;

/// Customers of one persona who responded to the same propositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// The persona, by its position.
    pub persona: usize,
    /// One bit per proposition.
    pub mask: u64,
    /// How many.
    pub customers: usize,
}

/// Responses of each persona to each proposition against those of all others. Figures have one row per persona.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responses {
    /// Customers of each persona.
    pub n: Vec<usize>,
    /// Share of them who responded.
    pub rate: Figures,
    /// Ends of its interval (Wilson).
    pub rate_ends: [Figures; 2],
    /// Rate of the persona over that of all other customers.
    pub lift: Figures,
    /// Ends of its interval (Koopman).
    pub lift_ends: [Figures; 2],
    /// p-value of Fisher's exact test.
    pub p: Figures,
    /// The same, adjusted for the number of tests (Benjamini and Hochberg).
    pub q: Figures,
    /// The customers, by persona and pattern.
    pub patterns: Vec<Pattern>,
}

/// Where responses stand.
#[derive(Debug, Clone, Copy)]
pub struct ResponseColumns<'a> {
    /// One row per customer.
    pub table: &'a Table,
    /// Column with the persona.
    pub persona: &'a str,
    /// Columns of 0 and 1, one per proposition.
    pub propositions: &'a [String],
}

/// Reads responses; `personas` are those there are, or none where they follow from the frame.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a value other than 0 and 1; [`Error::Argument`] for too many propositions,
/// a persona that is not known or of whom there is no customer, and where no row is complete.
pub(super) fn read(
    columns: ResponseColumns<'_>,
    personas: Option<&[String]>,
    confidence: f64,
    manifest: &mut Manifest,
) -> Result<(Vec<String>, Responses)> {
    let ResponseColumns { table, persona, propositions } = columns;
    let m = propositions.len();
    if m == 0 || m > MOST {
        let wanted = format!("1 to {MOST} columns of 0 and 1 are taken");
        return Err(Error::argument("responses", format!("{m} propositions"), wanted));
    }
    let (found, mut codes) = names(table, persona)?;
    let personas = match personas {
        None => found,
        Some(known) => {
            let place = places(&found, known, "responses", "persona")?;
            codes.iter_mut().filter(|code| **code != MISSING).for_each(|code| {
                *code = place[*code as usize] as u32;
            });
            known.to_vec()
        }
    };
    let numbers =
        propositions.iter().map(|name| table.numeric(name)).collect::<Result<Vec<_>>>()?;
    let (mut nameless, mut incomplete) = (0, 0);
    let mut customers: Vec<(u32, u64)> = Vec::with_capacity(table.n_rows());
    'rows: for (row, &code) in codes.iter().enumerate() {
        if code == MISSING {
            nameless += 1;
            continue;
        }
        let mut mask = 0_u64;
        for (at, (values, name)) in numbers.iter().zip(propositions).enumerate() {
            let value = values[row];
            if value.is_nan() {
                incomplete += 1;
                continue 'rows;
            }
            if value != 0.0 && value != 1.0 {
                let wanted =
                    "1 or true is needed where the customer responded, and 0 or false elsewhere";
                let mend = format!("responses[{name:?}] = responses[{name:?}] > 0");
                return Err(Error::value(name, row, value, wanted).with_mend(mend));
            }
            mask |= u64::from(value == 1.0) << at;
        }
        customers.push((code, mask));
    }
    manifest.leave_out(format!("{persona:?} is missing"), nameless);
    manifest.leave_out("a response is missing", incomplete);
    if customers.is_empty() {
        return Err(manifest.nothing_left("responses", table.n_rows()));
    }
    customers.sort_unstable();
    let patterns: Vec<Pattern> = customers
        .chunk_by(|a, b| a == b)
        .map(|same| Pattern { persona: same[0].0 as usize, mask: same[0].1, customers: same.len() })
        .collect();
    let responses = compare(patterns, personas.len(), m, confidence);
    if let Some(empty) = responses.n.iter().position(|&n| n == 0) {
        let found = format!("no customer of {:?}", personas[empty]);
        return Err(Error::argument("responses", found, "each persona needs at least one"));
    }
    Ok((personas, responses))
}

/// Each persona against all other customers.
fn compare(patterns: Vec<Pattern>, n_personas: usize, m: usize, confidence: f64) -> Responses {
    let mut n = vec![0_usize; n_personas];
    let mut yes = vec![0_usize; n_personas * m];
    for pattern in &patterns {
        n[pattern.persona] += pattern.customers;
        for at in (0..m).filter(|at| pattern.mask >> at & 1 == 1) {
            yes[pattern.persona * m + at] += pattern.customers;
        }
    }
    let all: usize = n.iter().sum();
    let z = z_of(confidence);
    let groups: Vec<TwoGroups> = (0..n_personas * m)
        .map(|cell| {
            let total: usize = (0..n_personas).map(|persona| yes[persona * m + cell % m]).sum();
            TwoGroups {
                yes: yes[cell] as f64,
                n: n[cell / m] as f64,
                other_yes: (total - yes[cell]) as f64,
                other_n: (all - n[cell / m]) as f64,
            }
        })
        .collect();
    let figures = |of: &dyn Fn(&TwoGroups) -> f64| Figures(groups.iter().map(of).collect());
    let p = figures(&TwoGroups::p_value);
    let q = Figures(benjamini_hochberg(&p));
    Responses {
        rate: figures(&|g| g.yes / g.n),
        rate_ends: [figures(&|g| wilson(g.yes, g.n, z).0), figures(&|g| wilson(g.yes, g.n, z).1)],
        lift: figures(&TwoGroups::lift),
        lift_ends: [figures(&|g| g.interval(z).0), figures(&|g| g.interval(z).1)],
        p,
        q,
        n,
        patterns,
    }
}

impl Responses {
    /// Why the figures do not belong together, if they do not.
    pub(super) fn broken(&self, personas: usize, propositions: usize) -> Option<&'static str> {
        let cells = personas * propositions;
        let [lo, hi] = &self.rate_ends;
        let [lift_lo, lift_hi] = &self.lift_ends;
        let all = [&self.rate, lo, hi, &self.lift, lift_lo, lift_hi, &self.p, &self.q];
        if self.n.len() != personas || all.iter().any(|figures| figures.len() != cells) {
            return Some("responses and personas differ in number");
        }
        let beyond = |mask: u64| propositions < MOST && mask >> propositions != 0;
        if self.patterns.iter().any(|p| p.persona >= personas || beyond(p.mask))
            || propositions > MOST
        {
            return Some("a response is of no proposition");
        }
        let mut n = vec![0_usize; personas];
        for pattern in &self.patterns {
            n[pattern.persona] = n[pattern.persona].saturating_add(pattern.customers);
        }
        if n != self.n || n.contains(&0) {
            return Some("customers differ in number");
        }
        None
    }
}
