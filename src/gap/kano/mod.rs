//! Kinds of quality (Kano, Seraku, Takahashi and Tsuji 1984): what is taken for granted, what pays by degree, what delights.
//!
//! Customers say of a need how they would feel if it were met (the functional question) and if it were not (the
//! dysfunctional one), each by one of five answers from "I like it" to "I dislike it". The two answers give the kind that
//! the need is to this customer ([`Quality::of`]); the kind of a need is the one that most of its customers give it.

mod answers;
mod told;

use std::collections::{BTreeMap, HashSet};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use statrs::function::beta::checked_beta_reg;

pub use answers::Answers;

use self::answers::NONE;
use super::opportunity::Estimate;
use crate::confidence::{check_level, is_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::persist::{self, Persist};
use crate::statistics::wilson;
use crate::table::{Codes, MISSING, Table};

/// What a need is to a customer; of kinds that are equally frequent, the first here is taken (Berger et al. 1993).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Taken for granted: dissatisfies where it is missing, does not satisfy where it is there.
    MustBe,
    /// The more the better.
    OneDimensional,
    /// Delights where it is there and is not missed where it is not.
    Attractive,
    /// Makes no difference.
    Indifferent,
    /// Its absence is liked better, or its presence disliked.
    Reverse,
    /// Both questions were answered alike at an end of the scale: they were hardly understood.
    Questionable,
}

impl Quality {
    /// All kinds, in order of precedence.
    pub const ALL: [Self; 6] = [
        Self::MustBe,
        Self::OneDimensional,
        Self::Attractive,
        Self::Indifferent,
        Self::Reverse,
        Self::Questionable,
    ];

    /// The kind by the answers to both questions, from 0 ("I like it") to 4 ("I dislike it").
    #[must_use]
    pub fn of(functional: usize, dysfunctional: usize) -> Self {
        match (functional, dysfunctional) {
            (0, 0) | (4, 4) => Self::Questionable,
            (0, 4) => Self::OneDimensional,
            (0, _) => Self::Attractive,
            (_, 0) | (4, _) => Self::Reverse,
            (_, 4) => Self::MustBe,
            _ => Self::Indifferent,
        }
    }

    /// As in columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::MustBe => "must_be",
            Self::OneDimensional => "one_dimensional",
            Self::Attractive => "attractive",
            Self::Indifferent => "indifferent",
            Self::Reverse => "reverse",
            Self::Questionable => "questionable",
        }
    }
}

/// Names of the columns.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The need.
    pub need: &'a str,
    /// How the customer feels if it is met.
    pub functional: &'a str,
    /// How the customer feels if it is not.
    pub dysfunctional: &'a str,
    /// Segment of the customer.
    pub segment: Option<&'a str>,
    /// Weight of the answer.
    pub weights: Option<&'a str>,
}

/// What one need is to one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Felt {
    /// The segment; empty where there is none.
    pub segment: String,
    /// The need.
    pub need: String,
    /// Answers.
    pub n: usize,
    /// Share of each of [`Quality::ALL`].
    pub shares: [f64; 6],
    /// The most frequent kind.
    pub quality: Quality,
    /// The next, where there is one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub runner_up: Option<Quality>,
    /// The p-value of both being equally frequent.
    pub p: f64,
    /// Share whom the need satisfies if it is met, of those to whom it is neither reverse nor questionable, and minus the
    /// share whom it dissatisfies if it is not; `None` where it is so to nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    pub coefficients: Option<[Estimate; 2]>,
}

/// Needs by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KanoNeeds {
    /// What the result was made from.
    pub manifest: Manifest,
    /// Level of the intervals.
    pub confidence: f64,
    /// Name of the column of segments.
    #[serde(deserialize_with = "Option::deserialize")]
    pub segment: Option<String>,
    /// Name of the column of needs.
    pub need: String,
    /// One entry per segment and need: segments in their order, needs by kind, those first whose lack dissatisfies most.
    pub needs: Vec<Felt>,
}

impl Persist for KanoNeeds {
    const KIND: &'static str = "kano_needs";

    fn validate(&self) -> Result<()> {
        if self.needs.is_empty() {
            return Err(persist::broken("there is no need"));
        }
        if !is_level(self.confidence) {
            return Err(persist::broken("the confidence is not between 0 and 1"));
        }
        let sound = |felt: &Felt| {
            felt.n > 0
                && felt.shares.iter().all(|share| (0.0..=1.0).contains(share))
                && (felt.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9
        };
        if !self.needs.iter().all(sound) {
            return Err(persist::broken("the shares of a need are not shares of one whole"));
        }
        let follows = |felt: &Felt| {
            let [first, second] = most_frequent(&felt.shares);
            let ranges = [0.0..=1.0, -1.0..=0.0];
            let fits = |ends: &[Estimate; 2]| {
                ends.iter().zip(&ranges).all(|(found, range)| range.contains(&found.value))
            };
            felt.quality == first
                && felt.runner_up == (felt.shares[second as usize] > 0.0).then_some(second)
                && (0.0..=1.0).contains(&felt.p)
                && felt.coefficients.as_ref().is_none_or(fits)
        };
        if !self.needs.iter().all(follows) {
            return Err(persist::broken("the kind of a need does not follow from its shares"));
        }
        let mut seen = HashSet::new();
        if !self.needs.iter().all(|felt| seen.insert((&felt.segment, &felt.need))) {
            return Err(persist::broken("a need stands there twice"));
        }
        Ok(())
    }
}

/// The kind of each need in each segment.
///
/// One pass over the answers, block by block: the same bits for any number of threads. Answers that lack the need, the segment or one of the two answers are left
/// out and counted, and so are those of weight 0. With weights, figures of uncertainty count `sum(w)^2 / sum(w^2)` answers
/// (Kish 1965), over those answers that the figure rests on.
///
/// The kinds of a need are compared by the sign test of the two most frequent. The coefficients are those of Berger et al.
/// (1993), with intervals of Wilson.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for an answer that is none of the five and for a weight that is not a number
/// from 0 up; [`Error::Argument`] for text without `answers` in words, for one column in two roles, for a confidence out of
/// range and where no answer is complete.
pub fn kano(
    table: &Table,
    names: Names<'_>,
    answers: &Answers,
    confidence: f64,
    mut manifest: Manifest,
) -> Result<KanoNeeds> {
    check_level(confidence)?;
    names.check()?;
    let needs = table.codes(names.need)?;
    let segments = names.segment.map(|name| table.codes(name)).transpose()?;
    let functional = answers.read(table, names.functional)?;
    let dysfunctional = answers.read(table, names.dysfunctional)?;
    let weights = names.weights.map(|name| table.weights(name)).transpose()?;
    let blocks = parallel::map_blocks(table.n_rows(), |rows| {
        let mut block = Block::default();
        for row in rows {
            let need = needs.codes[row];
            let segment = segments.as_ref().map_or(0, |codes| codes.codes[row]);
            let weight = weights.as_ref().map_or(1.0, |weights| weights[row]);
            let said = [functional[row], dysfunctional[row]];
            let reasons = [
                need == MISSING,
                segment == MISSING,
                said[0] == NONE,
                said[1] == NONE,
                weight == 0.0,
            ];
            match reasons.iter().position(|&left_out| left_out) {
                Some(reason) => block.left_out[reason] += 1,
                None => {
                    let tally = block.tallies.entry((segment, need)).or_default();
                    tally.add(Quality::of(said[0].into(), said[1].into()), weight);
                }
            }
        }
        block
    });
    // By segment and need, of which few pairs may occur.
    let mut tallies: BTreeMap<(u32, u32), Tally> = BTreeMap::new();
    let mut left_out = [0_usize; 5];
    for block in &blocks {
        left_out.iter_mut().zip(block.left_out).for_each(|(all, some)| *all += some);
        for (&pair, tally) in &block.tallies {
            tallies.entry(pair).or_default().merge(tally);
        }
    }
    let missing = |name: &str| format!("{name:?} is missing");
    let reasons = [
        missing(names.need),
        missing(names.segment.unwrap_or_default()),
        missing(names.functional),
        missing(names.dysfunctional),
        "weight 0".to_string(),
    ];
    for (count, reason) in left_out.into_iter().zip(reasons) {
        manifest.leave_out(reason, count);
    }
    if tallies.is_empty() {
        return Err(manifest.nothing_left("df", manifest.rows));
    }
    let z = z_of(confidence);
    let name = |codes: &Codes, code: u32| codes.categories[code as usize].clone();
    let mut felt: Vec<(u32, Felt)> = tallies
        .iter()
        .map(|(&(segment, need), tally)| {
            let of = segments.as_ref().map_or(String::new(), |codes| name(codes, segment));
            (segment, tally.felt(of, name(&needs, need), z))
        })
        .collect();
    let worse = |felt: &Felt| felt.coefficients.as_ref().map_or(0.0, |[_, worse]| worse.value);
    felt.sort_by(|(segment, a), (other, b)| {
        let kind = |felt: &Felt| felt.quality as usize;
        segment.cmp(other).then(kind(a).cmp(&kind(b))).then(worse(a).total_cmp(&worse(b)))
    });
    Ok(KanoNeeds {
        manifest,
        confidence,
        segment: names.segment.map(str::to_string),
        need: names.need.to_string(),
        needs: felt.into_iter().map(|(_, felt)| felt).collect(),
    })
}

impl Names<'_> {
    /// Refuses one column in two roles.
    fn check(&self) -> Result<()> {
        let mut roles = vec![
            ("need", self.need),
            ("functional", self.functional),
            ("dysfunctional", self.dysfunctional),
        ];
        roles.extend(self.segment.map(|name| ("segment", name)));
        roles.extend(self.weights.map(|name| ("weights", name)));
        for (at, (role, name)) in roles.iter().enumerate() {
            if let Some((other, _)) = roles[..at].iter().find(|(_, taken)| taken == name) {
                let wanted = format!("this column is {other} already, and each needs its own");
                return Err(Error::argument(*role, format!("{name:?}"), wanted));
            }
        }
        Ok(())
    }
}

/// Answers in one block of rows.
#[derive(Default)]
struct Block {
    /// By segment and need.
    tallies: HashMap<(u32, u32), Tally, foldhash::fast::FixedState>,
    /// Rows left out, by reason.
    left_out: [usize; 5],
}

/// Answers to one need in one segment.
#[derive(Debug, Clone, Default)]
struct Tally {
    n: usize,
    /// Weight of each of [`Quality::ALL`], and the sum of its squares.
    weights: [[f64; 2]; 6],
}

impl Tally {
    fn add(&mut self, quality: Quality, weight: f64) {
        self.n += 1;
        let [sum, squares] = &mut self.weights[quality as usize];
        *sum += weight;
        *squares += weight * weight;
    }

    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        for (all, some) in self.weights.iter_mut().zip(&other.weights) {
            all.iter_mut().zip(some).for_each(|(all, some)| *all += some);
        }
    }

    /// Weight of some kinds, and how many answers of equal weight would be as sure.
    fn effective(&self, kinds: &[Quality]) -> (f64, f64) {
        let all = kinds.iter().map(|&kind| self.weights[kind as usize]);
        let [sum, squares] = all.fold([0.0; 2], |all, one| [all[0] + one[0], all[1] + one[1]]);
        (sum, if squares > 0.0 { sum * sum / squares } else { 0.0 })
    }

    fn felt(&self, segment: String, need: String, z: f64) -> Felt {
        let (total, _) = self.effective(&Quality::ALL);
        let shares = self.weights.map(|[weight, _]| weight / total);
        let [first, second] = most_frequent(&shares);
        let (of_both, n) = self.effective(&[first, second]);
        let count = |quality: Quality| n * self.weights[quality as usize][0] / of_both;
        let served = &Quality::ALL[..4];
        let (base, n) = self.effective(served);
        let estimate = |kinds: [Quality; 2], sign: f64| {
            let share = (self.effective(&kinds).0 / base).min(1.0);
            let (lo, hi) = wilson(share * n, n, z);
            let (lo, hi) = if sign < 0.0 { (-hi, -lo) } else { (lo, hi) };
            // Adding 0 takes the sign from a zero.
            Estimate { value: sign * share + 0.0, interval: Some([lo + 0.0, hi + 0.0]) }
        };
        let coefficients = (base > 0.0).then(|| {
            let better = estimate([Quality::OneDimensional, Quality::Attractive], 1.0);
            [better, estimate([Quality::MustBe, Quality::OneDimensional], -1.0)]
        });
        Felt {
            segment,
            need,
            n: self.n,
            shares,
            quality: first,
            runner_up: (shares[second as usize] > 0.0).then_some(second),
            p: sign_test(count(first), count(second)),
            coefficients,
        }
    }
}

/// The two most frequent kinds; of those that are equally frequent but for rounding, the first in order of precedence.
fn most_frequent(shares: &[f64; 6]) -> [Quality; 2] {
    let mut order = Quality::ALL;
    let rounded = |kind: Quality| (shares[kind as usize] * 1e12).round();
    order.sort_by(|&a, &b| rounded(b).total_cmp(&rounded(a)));
    [order[0], order[1]]
}

/// The two-sided p-value of two counts, of which the first is no smaller, under equal chances; counts need not be whole.
fn sign_test(more: f64, less: f64) -> f64 {
    let above = checked_beta_reg(more, less + 1.0, 0.5).unwrap_or(1.0);
    (2.0 * above).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, DiscreteCDF};

    #[test]
    fn the_sign_test_is_that_of_the_binomial_law() {
        for (more, less) in [(1, 0), (3, 0), (7, 2), (40, 38), (5, 5), (900, 700)] {
            let law = Binomial::new(0.5, more + less).unwrap();
            let expected = (2.0 * law.sf(more - 1)).min(1.0);
            let found = sign_test(more as f64, less as f64);
            assert!((found - expected).abs() < 1e-12, "{more} {less} {found} {expected}");
        }
    }

    #[test]
    fn every_pair_of_answers_has_its_kind() {
        let letters = |functional: usize| -> String {
            let letter = |dysfunctional| match Quality::of(functional, dysfunctional) {
                Quality::MustBe => 'M',
                Quality::OneDimensional => 'O',
                Quality::Attractive => 'A',
                Quality::Indifferent => 'I',
                Quality::Reverse => 'R',
                Quality::Questionable => 'Q',
            };
            (0..5).map(letter).collect()
        };
        assert_eq!([0, 1, 2, 3, 4].map(letters), ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]);
    }
}
