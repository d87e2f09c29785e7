//! What tells each segment apart: its smallest set of traits, or the subgroups in which it is over-represented.
//!
//! A trait is a bit per customer. Both searches do nothing but count the bits that a set found so far and one more trait have in
//! common, so the speed is that of reading bits from the cache: a hundred thousand customers are 1563 words a trait.

mod told;

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::Bits;
use super::bits::both;
use super::condition::{Condition, Reader};
use super::cover::{Criterion, cover};
use super::customers::Customers;
use super::selectors::Selectors;
use super::subgroups::{Search, search};
use crate::confidence::is_level;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist};
use crate::table::Table;

/// Words that the search for one segment may read before it gives up being exact.
pub const BUDGET: u64 = 2_000_000_000;

/// Traits at most.
const MOST_TRAITS: usize = 5000;

/// How traits are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The smallest set that tells the segment apart.
    Cover,
    /// The subgroups with the highest weighted relative accuracy.
    Subgroup,
}

/// What to look for.
#[derive(Debug, Clone)]
pub struct Options {
    /// How.
    pub method: Method,
    /// Columns; by default all but `exclude`.
    pub traits: Option<Vec<String>>,
    /// Columns that are not taken.
    pub exclude: Vec<String>,
    /// Traits of a set at most.
    pub max_traits: usize,
    /// Subgroups to list for each segment.
    pub top: usize,
    /// Share of the segment that must hold the set; for the cover.
    pub coverage: f64,
    /// Share of the others that may; for the cover.
    pub leak: f64,
    /// Whether the segment must hold the traits together; for the cover.
    pub jointly: bool,
    /// Where amounts with many values are cut.
    pub quantiles: Vec<f64>,
    /// Whether subgroups are listed that do as well with a trait less.
    pub redundant: bool,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Words that the search for one segment may read; see [`BUDGET`].
    pub budget: u64,
}

/// One trait of a set, and who holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The trait.
    pub condition: Condition,
    /// Customers of the segment who hold it.
    pub inside: usize,
    /// Others who do.
    pub outside: usize,
    /// Customers of the segment who hold it and all traits before it.
    pub inside_so_far: usize,
    /// Others who do.
    pub outside_so_far: usize,
}

/// A set of traits of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraitSet {
    /// The segment.
    pub segment: usize,
    /// Its place among the sets of the segment, from 1.
    pub rank: usize,
    /// The traits, the one that turns most others away first.
    pub steps: Vec<Step>,
    /// Customers of the segment who hold all.
    pub inside: usize,
    /// Others who do.
    pub outside: usize,
    /// Probability of at least so many of the segment in a subgroup of that size by chance.
    pub p: f64,
    /// The same times the number of sets there are (Bonferroni).
    pub q: f64,
    /// Whether it meets the criterion of the cover; always so for subgroups.
    pub separates: bool,
    /// Whether it is known for certain to be the smallest, or the best of its rank.
    pub certain: bool,
    /// Number of traits that are needed, as far as is proven; 0 for subgroups.
    pub at_least: usize,
}

/// What tells segments apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distinction {
    /// What it was made from.
    pub manifest: Manifest,
    /// How traits were looked for.
    pub method: Method,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Customers of each segment.
    pub sizes: Vec<usize>,
    /// How the columns are read.
    pub reader: Reader,
    /// Number of traits among which was chosen.
    pub n_traits: usize,
    /// Traits of a set at most.
    pub max_traits: usize,
    /// Share of the segment that must hold a set.
    pub coverage: f64,
    /// Share of the others that may.
    pub leak: f64,
    /// Whether the traits must be held together.
    pub jointly: bool,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// The sets, segment by segment.
    #[serde(rename = "table")]
    pub sets: Vec<TraitSet>,
}

impl Persist for Distinction {
    const KIND: &'static str = "distinction";

    fn validate(&self) -> Result<()> {
        self.reader.validate()?;
        let k = self.names.len();
        if self.sizes.len() != k || !is_level(self.confidence) {
            return Err(persist::broken("the segments do not agree in number"));
        }
        for set in &self.sets {
            if set.segment >= k || set.inside > self.sizes[set.segment] {
                return Err(persist::broken("a set of traits is of no segment"));
            }
            set.steps.iter().try_for_each(|step| step.condition.validate(&self.reader))?;
        }
        Ok(())
    }
}

/// Refuses a share that is not between 0 and 1.
pub(super) fn share(argument: &str, value: f64, ends: bool) -> Result<()> {
    let fits = if ends { (0.0..=1.0).contains(&value) } else { value > 0.0 && value < 1.0 };
    if fits {
        return Ok(());
    }
    let wanted =
        if ends { "a share from 0 to 1 is needed" } else { "a share between 0 and 1 is needed" };
    Err(Error::argument(argument, value, wanted))
}

/// What tells each segment apart.
///
/// Segments are searched side by side; each search is the work of one thread, so the answer does not depend on their number.
///
/// # Errors
///
/// Those of [`Customers::read`]; [`Error::Argument`] for options out of range and where no trait varies;
/// [`Error::Interrupted`].
pub fn distinguish(
    table: &Table,
    labels: &[u32],
    names: &[String],
    options: &Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Distinction> {
    if options.max_traits == 0 || options.max_traits > 12 {
        return Err(Error::argument(
            "max_traits",
            options.max_traits,
            "a number from 1 to 12 is needed",
        ));
    }
    if options.top == 0 || options.top > 1000 {
        return Err(Error::argument("top", options.top, "a number from 1 to 1000 is needed"));
    }
    share("coverage", options.coverage, true)?;
    share("leak", options.leak, true)?;
    share("confidence", options.confidence, false)?;
    options.quantiles.iter().try_for_each(|&q| share("quantiles", q, false))?;
    let source = ("traits", options.traits.as_deref(), options.exclude.as_slice());
    let customers = Customers::read(table, labels, names.len(), source, &mut manifest)?;
    monitor.check()?;
    refuse_many(&customers, options.quantiles.len())?;
    let selectors = Selectors::of(&customers, &options.quantiles);
    if selectors.traits.is_empty() {
        return Err(Error::argument(
            "traits",
            "no column that varies among the customers",
            "at least one trait that some have and some have not is needed",
        ));
    }
    let searched: Vec<usize> = (0..names.len()).filter(|&at| customers.sizes[at] > 0).collect();
    for (at, name) in names.iter().enumerate() {
        if customers.sizes[at] == 0 {
            manifest.notes.push(format!("segment {name:?} has no customers and is left out"));
        }
    }
    monitor.expect(searched.len() as u64);
    let tests = sets_up_to(selectors.traits.len(), options.max_traits) + (names.len() as f64).ln();
    let found = parallel::map_tasks(searched.len(), |task| -> Result<Vec<TraitSet>> {
        monitor.check()?;
        let sets = of_segment(&selectors, searched[task], options, tests);
        monitor.advance(1);
        Ok(sets)
    });
    let mut sets: Vec<TraitSet> = Vec::new();
    for part in found {
        sets.extend(part?);
    }
    let used = |at: usize| {
        sets.iter().any(|set| set.steps.iter().any(|step| step.condition.feature == at))
    };
    let (reader, places) = customers.reader.keep(used);
    for step in sets.iter_mut().flat_map(|set| &mut set.steps) {
        step.condition.feature = places[step.condition.feature];
    }
    Ok(Distinction {
        manifest,
        method: options.method,
        names: names.to_vec(),
        sizes: customers.sizes.clone(),
        reader,
        n_traits: selectors.traits.len(),
        max_traits: options.max_traits,
        coverage: options.coverage,
        leak: options.leak,
        jointly: options.jointly,
        confidence: options.confidence,
        sets,
    })
}

/// Refuses columns with so many categories that their traits would fill the memory.
fn refuse_many(customers: &Customers, n_cuts: usize) -> Result<()> {
    let levels: Vec<usize> =
        (0..customers.reader.features().len()).map(|at| customers.n_levels(at)).collect();
    let n = levels.iter().sum::<usize>() + 2 * n_cuts.max(10) * customers.amounts.len();
    if n <= MOST_TRAITS {
        return Ok(());
    }
    let widest = (0..levels.len()).max_by_key(|&at| (levels[at], usize::MAX - at)).unwrap_or(0);
    let name = customers.reader.features()[widest].name();
    let found = format!("up to {n} traits, {} of them of {name:?}", levels[widest]);
    Err(Error::argument("traits", found, format!("at most {MOST_TRAITS} are searched")))
}

fn of_segment(
    selectors: &Selectors,
    segment: usize,
    options: &Options,
    tests: f64,
) -> Vec<TraitSet> {
    let all = selectors.segments.bits(|_| true);
    let (n_inside, n_outside) = selectors.segments.count(segment, &all);
    let judged = |rank: usize, traits: &[usize], inside: usize, outside: usize| {
        let p = upper_tail(inside, inside + outside, n_inside, n_inside + n_outside);
        TraitSet {
            segment,
            rank,
            steps: steps(selectors, segment, traits, &all),
            inside,
            outside,
            p: p.exp().min(1.0),
            q: (p + tests).exp().min(1.0),
            separates: true,
            certain: true,
            at_least: 0,
        }
    };
    match options.method {
        Method::Cover => {
            let criterion = Criterion {
                coverage: options.coverage,
                leak: options.leak,
                jointly: options.jointly,
                max_traits: options.max_traits,
                budget: options.budget,
            };
            let found = cover(selectors, segment, &criterion);
            let set = judged(1, &found.traits, found.inside, found.outside);
            let certain =
                found.certain() || (!found.separates && found.at_least > options.max_traits);
            vec![TraitSet { separates: found.separates, certain, at_least: found.at_least, ..set }]
        }
        Method::Subgroup => {
            let wanted = Search {
                depth: options.max_traits,
                top: options.top,
                redundant: options.redundant,
                budget: options.budget,
                beam: 100,
            };
            let found = search(selectors, segment, &wanted);
            let ranked = found.subgroups.iter().enumerate().map(|(at, group)| TraitSet {
                certain: found.certain,
                ..judged(at + 1, &group.traits, group.inside, group.outside)
            });
            ranked.collect()
        }
    }
}

/// The traits of a set in the order in which they turn most others away.
fn steps(selectors: &Selectors, segment: usize, traits: &[usize], all: &Bits) -> Vec<Step> {
    let segments = &selectors.segments;
    let (mut rest, mut now, mut steps) = (traits.to_vec(), all.clone(), Vec::new());
    while !rest.is_empty() {
        let counted = rest.iter().map(|&at| {
            let found = segments.count_both(segment, &now, &selectors.traits[at].bits);
            (found.1, std::cmp::Reverse(found.0), at)
        });
        let Some((outside_so_far, inside_so_far, at)) = counted.min() else { break };
        let selector = &selectors.traits[at];
        let (inside, outside) = segments.count(segment, &selector.bits);
        steps.push(Step {
            condition: selector.condition.clone(),
            inside,
            outside,
            inside_so_far: inside_so_far.0,
            outside_so_far,
        });
        now = both(&now, &selector.bits);
        rest.retain(|&other| other != at);
    }
    steps
}

/// Logarithm of the number of sets of 1 to `size` of `n` traits.
fn sets_up_to(n: usize, size: usize) -> f64 {
    let mut sum = 0.0;
    let mut ways = 1.0;
    for taken in 0..size.min(n) {
        ways *= (n - taken) as f64 / (taken + 1) as f64;
        sum += ways;
    }
    f64::max(sum, 1.0).ln()
}

/// Logarithm of the probability of at least `seen` marked among `drawn`, where `marked` of `total` are (Fisher's exact test,
/// one side).
fn upper_tail(seen: usize, drawn: usize, marked: usize, total: usize) -> f64 {
    let most = drawn.min(marked);
    let least = (drawn + marked).saturating_sub(total);
    if seen <= least {
        return 0.0;
    }
    let ways = |n: usize, k: usize| {
        ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0)
    };
    let ln_of = |k: usize| ways(marked, k) + ways(total - marked, drawn - k) - ways(total, drawn);
    let ratio = |k: usize| {
        let rest = (total + k + 1 - drawn - marked) as f64;
        (drawn - k) as f64 * (marked - k) as f64 / ((k + 1) as f64 * rest)
    };
    let mode = (drawn + 1) as f64 * (marked + 1) as f64 / (total as f64 + 2.0);
    // From `seen` away from the mode each term is smaller than the one before it.
    let (mut term, mut sum) = (1.0_f64, 1.0_f64);
    if seen as f64 > mode {
        for k in seen..most {
            term *= ratio(k);
            sum += term;
            if term < 1e-18 * sum {
                break;
            }
        }
        return (ln_of(seen) + sum.ln()).min(0.0);
    }
    for k in (least..seen - 1).rev() {
        term /= ratio(k);
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    let below = (ln_of(seen - 1) + sum.ln()).exp();
    (-below).ln_1p().min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_tails_are_those_of_fishers_test() {
        // The lady tasting tea: 4 of 4 is 1/70, at least 3 of 4 is 17/70.
        assert!((upper_tail(4, 4, 4, 8).exp() - 1.0 / 70.0).abs() < 1e-12);
        assert!((upper_tail(3, 4, 4, 8).exp() - 17.0 / 70.0).abs() < 1e-12);
        assert_eq!(upper_tail(0, 4, 4, 8), 0.0);
        assert_eq!(upper_tail(3, 7, 4, 8), 0.0);
        // 600 of 6,600 marked are among half of 120,000, where 3,300 are expected.
        assert_eq!(upper_tail(600, 60_000, 6600, 120_000), 0.0);
        for (drawn, marked, total) in [(6, 9, 20), (12, 5, 20), (15, 14, 20), (400, 300, 900)] {
            let law = statrs::distribution::Hypergeometric::new(total, marked, drawn).unwrap();
            for seen in 1..=drawn.min(marked) {
                let wanted = statrs::distribution::DiscreteCDF::sf(&law, seen - 1);
                let found =
                    upper_tail(seen as usize, drawn as usize, marked as usize, total as usize);
                let error = (found.exp() - wanted).abs();
                assert!(error <= 1e-9 * wanted + 1e-14, "{seen}: {found} {wanted}");
            }
        }
    }

    #[test]
    fn sets_are_counted() {
        assert!((sets_up_to(5, 2).exp() - 15.0).abs() < 1e-9);
        assert!((sets_up_to(3, 12).exp() - 7.0).abs() < 1e-9);
    }
}
