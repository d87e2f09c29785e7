//! Subgroups in which a segment is over-represented: conjunctions of traits by weighted relative accuracy.
//!
//! The quality of a subgroup of `n` customers, `t` of them of the segment, is `WRAcc = n/N (t/n - P/N)`, where `P` of all `N`
//! customers are of the segment (Lavrac, Flach and Zupan 1999). All comparisons are those of the whole number
//! `t N - n P = N^2 WRAcc`, so that ties are ties. A subgroup of a subgroup holds at most its `t` customers of the segment and
//! at best nobody else, so its quality is at most `t (N - P)`: the optimistic estimate (Wrobel 1997; tight, as Grosskreutz,
//! Rueping and Wrobel 2008 show) by which branches are cut off. The search deepens from one trait to many, so that the bar is
//! high before the wide levels are reached, and is exact unless its work is used up; then a beam goes on.

use std::cmp::Reverse;

use super::Bits;
use super::bits::both;
use super::selectors::Selectors;

/// What to search for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Traits of a subgroup at most.
    pub depth: usize,
    /// Subgroups to list.
    pub top: usize,
    /// Whether subgroups are listed that a subgroup with one trait less equals or betters.
    pub redundant: bool,
    /// Words that the exact search may read.
    pub budget: u64,
    /// Subgroups that the beam keeps at each depth.
    pub beam: usize,
}

/// A subgroup.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroup {
    /// Its traits, by ascending number.
    pub traits: Vec<usize>,
    /// Customers of the segment in it.
    pub inside: usize,
    /// Others in it.
    pub outside: usize,
    /// `N^2 WRAcc`.
    pub quality: i128,
}

/// The best subgroups of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The best first.
    pub subgroups: Vec<Subgroup>,
    /// Whether no subgroup of that depth is better than the last, for certain.
    pub certain: bool,
}

/// The best subgroups for `segment`.
///
/// Equal ones: fewer traits first, then the traits that come first. Only subgroups of positive quality are listed.
pub fn search(selectors: &Selectors, segment: usize, search: &Search) -> Found {
    let segments = &selectors.segments;
    let all = segments.bits(|_| true);
    let (positive, negative) = segments.count(segment, &all);
    let mut state = State {
        selectors,
        segment,
        search,
        total: (positive + negative) as i128,
        positive: positive as i128,
        left: search.budget,
        best: Vec::new(),
        size: 0,
    };
    let open: Vec<usize> = (0..selectors.traits.len()).collect();
    let mut certain = true;
    for size in 1..=search.depth {
        state.size = size;
        if !state.deepen(&all, &open, &mut Vec::new()) {
            certain = false;
            state.beam(&all);
            break;
        }
    }
    Found { subgroups: state.best, certain }
}

struct State<'a> {
    selectors: &'a Selectors,
    segment: usize,
    search: &'a Search,
    total: i128,
    positive: i128,
    left: u64,
    best: Vec<Subgroup>,
    size: usize,
}

type Order = (Reverse<i128>, usize, Vec<usize>);

fn order(group: &Subgroup) -> Order {
    (Reverse(group.quality), group.traits.len(), group.traits.clone())
}

impl State<'_> {
    fn quality(&self, inside: usize, outside: usize) -> i128 {
        inside as i128 * self.total - (inside + outside) as i128 * self.positive
    }

    /// The most that a part of a subgroup can reach.
    fn optimistic(&self, inside: usize) -> i128 {
        inside as i128 * (self.total - self.positive)
    }

    /// What a subgroup must reach to be listed.
    fn bar(&self) -> i128 {
        match self.best.len() == self.search.top {
            true => self.best.last().map_or(1, |group| group.quality),
            false => 1,
        }
    }

    fn count(&self, now: &Bits, at: usize) -> (usize, usize) {
        let bits = &self.selectors.traits[at].bits;
        self.selectors.segments.count_both(self.segment, now, bits)
    }

    fn clashes(&self, taken: &[usize], at: usize) -> bool {
        let condition = |at: usize| &self.selectors.traits[at].condition;
        taken.iter().any(|&other| condition(other).clashes(condition(at)))
    }

    /// Tries all subgroups of `self.size` traits that begin with `taken`; false where the work is used up.
    fn deepen(&mut self, now: &Bits, open: &[usize], taken: &mut Vec<usize>) -> bool {
        let cost = (open.len() * self.selectors.segments.n_words()) as u64;
        if self.left < cost {
            return false;
        }
        self.left -= cost;
        let last = taken.len() + 1 == self.size;
        let mut next: Vec<(usize, usize)> = Vec::with_capacity(open.len());
        for &at in open {
            if self.clashes(taken, at) {
                continue;
            }
            let (inside, outside) = self.count(now, at);
            if self.optimistic(inside) < self.bar() {
                continue;
            }
            if last {
                taken.push(at);
                self.offer(inside, outside, taken);
                taken.pop();
            } else {
                next.push((at, inside));
            }
        }
        if last {
            return true;
        }
        next.sort_by_key(|&(at, inside)| (Reverse(inside), at));
        for place in 0..next.len() {
            let (at, inside) = next[place];
            if self.optimistic(inside) < self.bar() {
                break;
            }
            let bits = both(now, &self.selectors.traits[at].bits);
            let open: Vec<usize> = next[place + 1..].iter().map(|&(at, _)| at).collect();
            taken.push(at);
            let complete = self.deepen(&bits, &open, taken);
            taken.pop();
            if !complete {
                return false;
            }
        }
        true
    }

    fn offer(&mut self, inside: usize, outside: usize, taken: &[usize]) {
        let quality = self.quality(inside, outside);
        if quality < self.bar() {
            return;
        }
        let mut traits = taken.to_vec();
        traits.sort_unstable();
        let group = Subgroup { traits, inside, outside, quality };
        let key = order(&group);
        let place = self.best.partition_point(|other| order(other) < key);
        if place == self.search.top
            || self.best.get(place).is_some_and(|other| other.traits == group.traits)
            || (!self.search.redundant && self.needless(&group))
        {
            return;
        }
        self.best.insert(place, group);
        self.best.truncate(self.search.top);
    }

    /// Whether the subgroup is no better without one of its traits.
    fn needless(&self, group: &Subgroup) -> bool {
        let segments = &self.selectors.segments;
        group.traits.len() > 1
            && group.traits.iter().any(|&out| {
                let rest: Vec<usize> =
                    group.traits.iter().copied().filter(|&at| at != out).collect();
                let mut bits = self.selectors.traits[rest[0]].bits.clone();
                for &at in &rest[1..] {
                    bits = both(&bits, &self.selectors.traits[at].bits);
                }
                let (inside, outside) = segments.count(self.segment, &bits);
                self.quality(inside, outside) >= group.quality
            })
    }

    /// Extends the best subgroups of each size by one trait.
    fn beam(&mut self, all: &Bits) {
        let mut kept: Vec<(Vec<usize>, Bits)> = vec![(Vec::new(), all.clone())];
        for size in 1..=self.search.depth {
            let mut next: Vec<(Order, Subgroup, usize)> = Vec::new();
            for (parent, (taken, bits)) in kept.iter().enumerate() {
                for at in 0..self.selectors.traits.len() {
                    if taken.contains(&at) || self.clashes(taken, at) {
                        continue;
                    }
                    let (inside, outside) = self.count(bits, at);
                    if self.optimistic(inside) < self.bar() {
                        continue;
                    }
                    let mut traits = taken.clone();
                    traits.push(at);
                    self.offer(inside, outside, &traits);
                    traits.sort_unstable();
                    let quality = self.quality(inside, outside);
                    let group = Subgroup { traits, inside, outside, quality };
                    next.push((order(&group), group, parent));
                }
            }
            if size == self.search.depth {
                break;
            }
            next.sort_by(|a, b| a.0.cmp(&b.0));
            next.dedup_by(|a, b| a.1.traits == b.1.traits);
            next.truncate(self.search.beam);
            kept = next
                .into_iter()
                .map(|(_, group, parent)| {
                    let (taken, bits) = &kept[parent];
                    let added = group.traits.iter().find(|at| !taken.contains(at));
                    let bits = match added {
                        Some(&at) => both(bits, &self.selectors.traits[at].bits),
                        None => bits.clone(),
                    };
                    (group.traits, bits)
                })
                .collect();
        }
    }
}
