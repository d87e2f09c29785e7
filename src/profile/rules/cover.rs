//! The smallest set of traits that tells one segment from all other customers.
//!
//! A set of traits tells a segment apart if at least a share `coverage` of its customers hold all of the set and at most a
//! share `leak` of all other customers do. Told the other way round: all but that share of the others are told from the
//! segment by at least one trait of the set, which they lack; so this is the set cover problem, with the others as what is to
//! be covered, and a side condition on the segment. It is solved by iterative deepening: sets of one trait, of two, and so on,
//! each by branch and bound, so that a set that is found is a smallest one. A branch ends where too few of the segment are
//! left (more traits only lose more), or where even the strongest traits that are left would keep too many others: `r` traits
//! turn away at most the sum of the `r` largest numbers that single ones turn away.
//!
//! Work is counted in words read. Where it is used up the set is grown by the trait that turns away most, and the result tells
//! the size below which it was proven that there is no set. If traits need only be common one by one (`jointly` is false),
//! the grown set has at most `H(m)` times as many traits as the smallest, where `m` is the number of others to be turned
//! away and `H(m) = 1 + 1/2 + ... + 1/m` (Wolsey 1982, Combinatorica 2:385-393). If they must be common together no factor
//! holds in general, and the bound of the branch and bound is what is known.

use super::Bits;
use super::bits::both;
use super::selectors::{Selector, Selectors};

/// When a set of traits tells a segment apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criterion {
    /// Share of the segment that must hold the traits.
    pub coverage: f64,
    /// Share of the other customers that may hold all of them.
    pub leak: f64,
    /// Whether that share of the segment must hold all traits together, or each of them.
    pub jointly: bool,
    /// Traits at most.
    pub max_traits: usize,
    /// Words that the search may read.
    pub budget: u64,
}

/// A set of traits.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    /// The traits, by ascending number.
    pub traits: Vec<usize>,
    /// Customers of the segment who hold all of them.
    pub inside: usize,
    /// Others who do.
    pub outside: usize,
    /// Whether the criterion is met.
    pub separates: bool,
    /// Size below which no set meets the criterion, as far as is proven.
    pub at_least: usize,
}

impl Cover {
    /// Whether no smaller set meets the criterion, for certain.
    pub fn certain(&self) -> bool {
        self.separates && self.traits.len() == self.at_least
    }
}

struct Branch<'a> {
    selectors: &'a Selectors,
    segment: usize,
    candidates: &'a [usize],
    need: usize,
    allowed: usize,
    jointly: bool,
    size: usize,
    left: u64,
    best: Option<(usize, usize, Vec<usize>)>,
}

/// The smallest set of traits that tells `segment` apart.
///
/// Of the smallest sets it is the one that most of the segment hold; of these the one that fewest others hold; of these the
/// one whose traits come first. Where no set of at most `max_traits` meets the criterion, it is the best that was found by
/// growing: `separates` is false, and `at_least` is the size up to which it is proven that there is none.
pub fn cover(selectors: &Selectors, segment: usize, criterion: &Criterion) -> Cover {
    let segments = &selectors.segments;
    let all = segments.bits(|_| true);
    let (n_inside, n_outside) = segments.count(segment, &all);
    // A share of 0.3 of 10 customers is 3 of them, whatever the rounding of 0.3.
    let need = ((criterion.coverage * n_inside as f64 - 1e-9).ceil() as usize).max(1);
    let allowed = (criterion.leak * n_outside as f64 + 1e-9).floor() as usize;
    let candidates = candidates(&selectors.traits, selectors, segment, need, n_outside);
    let mut branch = Branch {
        selectors,
        segment,
        candidates: &candidates,
        need,
        allowed,
        jointly: criterion.jointly,
        size: 0,
        left: criterion.budget,
        best: None,
    };
    let mut proven = 1;
    for size in 1..=criterion.max_traits {
        branch.size = size;
        let complete = branch.deepen(&all, n_outside, &candidates, &mut Vec::new());
        if let Some((inside, outside, traits)) = branch.best.take() {
            // No smaller one exists, even where the work was used up before all of this size were tried.
            return Cover { traits, inside, outside, separates: true, at_least: size };
        }
        if !complete {
            break;
        }
        proven = size + 1;
    }
    branch.grow(&all, (n_inside, n_outside), criterion.max_traits, proven)
}

/// Traits that can be part of a set: common enough in the segment, and not at a disadvantage to another trait that keeps all
/// of the segment that they keep, and none of the others that they turn away.
fn candidates(
    traits: &[Selector],
    selectors: &Selectors,
    segment: usize,
    need: usize,
    n_outside: usize,
) -> Vec<usize> {
    let segments = &selectors.segments;
    let range = segments.of(segment);
    let counted: Vec<(usize, usize, usize)> = (0..traits.len())
        .map(|at| {
            let (inside, outside) = segments.count(segment, &traits[at].bits);
            (at, inside, outside)
        })
        .filter(|&(_, inside, outside)| inside >= need && outside < n_outside)
        .collect();
    let better = |a: &(usize, usize, usize), b: &(usize, usize, usize)| {
        if a.1 < b.1 || a.2 > b.2 || ((a.1, a.2) == (b.1, b.2) && a.0 > b.0) {
            return false;
        }
        let (one, other) = (&traits[a.0].bits, &traits[b.0].bits);
        let keeps = |at: usize| other[at] & !one[at] == 0;
        let turns = |at: usize| one[at] & !other[at] == 0;
        (0..range.start).chain(range.end..segments.n_words()).all(turns) && range.clone().all(keeps)
    };
    counted
        .iter()
        .filter(|b| !counted.iter().any(|a| a.0 != b.0 && better(a, b)))
        .map(|&(at, _, _)| at)
        .collect()
}

impl Branch<'_> {
    fn spend(&mut self, traits: usize) -> bool {
        let cost = (traits * self.selectors.segments.n_words()) as u64;
        let enough = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        enough
    }

    /// Tries all sets of `self.size` traits that begin with `taken`; false where the work is used up.
    fn deepen(
        &mut self,
        now: &Bits,
        outside: usize,
        open: &[usize],
        taken: &mut Vec<usize>,
    ) -> bool {
        let missing = self.size - taken.len();
        if !self.spend(open.len()) {
            return false;
        }
        let segments = &self.selectors.segments;
        let mut next: Vec<(usize, usize, usize)> = open
            .iter()
            .map(|&at| {
                let bits = &self.selectors.traits[at].bits;
                let (inside, outside) = segments.count_both(self.segment, now, bits);
                (at, inside, outside)
            })
            .filter(|&(_, inside, left)| (!self.jointly || inside >= self.need) && left < outside)
            .collect();
        if missing == 1 {
            for (at, inside, left) in next {
                if left <= self.allowed {
                    taken.push(at);
                    self.offer(inside, left, taken);
                    taken.pop();
                }
            }
            return true;
        }
        // The strongest first, so that a good set is known early; equal ones in their order.
        next.sort_by_key(|&(at, _, left)| (left, at));
        for place in 0..next.len() {
            let (at, inside, left) = next[place];
            let rest = &next[place..];
            let most: usize = rest.iter().take(missing).map(|&(_, _, left)| outside - left).sum();
            if outside.saturating_sub(most) > self.allowed {
                // Those behind are weaker still.
                break;
            }
            if self.best.as_ref().is_some_and(|&(best, _, _)| inside < best) {
                continue;
            }
            let bits = both(now, &self.selectors.traits[at].bits);
            let open: Vec<usize> = rest[1..].iter().map(|&(at, _, _)| at).collect();
            taken.push(at);
            let complete = self.deepen(&bits, left, &open, taken);
            taken.pop();
            if !complete {
                return false;
            }
        }
        true
    }

    fn offer(&mut self, inside: usize, outside: usize, taken: &[usize]) {
        let mut traits = taken.to_vec();
        traits.sort_unstable();
        let better = match &self.best {
            None => true,
            Some((best_inside, best_outside, best)) => {
                (inside, std::cmp::Reverse(outside), std::cmp::Reverse(&traits))
                    > (*best_inside, std::cmp::Reverse(*best_outside), std::cmp::Reverse(best))
            }
        };
        if better {
            self.best = Some((inside, outside, traits));
        }
    }

    /// The set that grows by the trait that turns most others away, then without those that are not needed.
    fn grow(
        &self,
        all: &Bits,
        (n_inside, n_outside): (usize, usize),
        max_traits: usize,
        at_least: usize,
    ) -> Cover {
        let segments = &self.selectors.segments;
        let bits_of = |at: usize| &self.selectors.traits[at].bits;
        let (mut now, mut inside, mut outside) = (all.clone(), n_inside, n_outside);
        let mut traits: Vec<usize> = Vec::new();
        while outside > self.allowed && traits.len() < max_traits {
            let next = self
                .candidates
                .iter()
                .filter(|at| !traits.contains(at))
                .map(|&at| (at, segments.count_both(self.segment, &now, bits_of(at))))
                .filter(|&(_, (kept, left))| (!self.jointly || kept >= self.need) && left < outside)
                .min_by_key(|&(at, (kept, left))| (left, std::cmp::Reverse(kept), at));
            let Some((at, (kept, left))) = next else { break };
            now = both(&now, bits_of(at));
            (inside, outside) = (kept, left);
            traits.push(at);
        }
        let separates = outside <= self.allowed;
        // A trait that came early may have become needless.
        for at in traits.clone() {
            let rest = traits.iter().filter(|&&other| other != at);
            let without = rest.fold(all.clone(), |bits, &other| both(&bits, bits_of(other)));
            let (kept, left) = segments.count(self.segment, &without);
            if traits.len() > 1 && left <= if separates { self.allowed } else { outside } {
                traits.retain(|&other| other != at);
                (inside, outside) = (kept, left);
            }
        }
        traits.sort_unstable();
        Cover { traits, inside, outside, separates, at_least }
    }
}
