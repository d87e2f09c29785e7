//! Kinds of quality (Kano, Seraku, Takahashi and Tsuji 1984): what is taken for granted, what pays by degree, what delights.
//!
//! Customers say of a need how they would feel if it were met (the functional question) and if it were not (the
//! dysfunctional one), each by one of five answers from "I like it" to "I dislike it". The two answers give the kind that
//! the need is to this customer ([`Quality::of`]); the kind of a need is the one that most of its customers give it.

mod told;

use serde::{Deserialize, Serialize};
use statrs::function::beta::checked_beta_reg;

use super::opportunity::Estimate;
use crate::confidence::{check_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::persist::{self, Persist};
use crate::statistics::wilson;
use crate::table::{Codes, Kind, MISSING, Table};

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

/// The five answers from "I like it" to "I dislike it", as they stand in the columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// As numbers.
    Numbers([f64; 5]),
    /// As text.
    Words([String; 5]),
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
    /// The next, where there is one, with the p-value of both being equally frequent.
    #[serde(deserialize_with = "Option::deserialize")]
    pub runner_up: Option<(Quality, f64)>,
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
        let sound = |need: &Felt| {
            need.shares.iter().all(|share| (0.0..=1.0).contains(share))
                && (need.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9
        };
        if !self.needs.iter().all(sound) {
            return Err(persist::broken("the shares of a need are not shares of one whole"));
        }
        Ok(())
    }
}

/// The kind of each need in each segment.
///
/// One pass over the answers; no random numbers. Answers that lack the need, the segment or one of the two answers are left
/// out and counted. With weights, figures of uncertainty count `sum(w)^2 / sum(w^2)` answers for each need (Kish 1965).
///
/// The kinds of a need are compared by the sign test of the two most frequent. The coefficients are those of Berger et al.
/// (1993), with intervals of Wilson.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for an answer that is none of the five and for a weight that is not a number
/// from 0 up; [`Error::Argument`] for text without `answers` in words, for a confidence out of range and where no answer is
/// complete.
pub fn kano(
    table: &Table,
    names: Names<'_>,
    answers: &Answers,
    confidence: f64,
    mut manifest: Manifest,
) -> Result<KanoNeeds> {
    check_level(confidence)?;
    let needs = table.codes(names.need)?;
    let segments = names.segment.map(|name| table.codes(name)).transpose()?;
    let functional = answers.read(table, names.functional)?;
    let dysfunctional = answers.read(table, names.dysfunctional)?;
    let weights = names.weights.map(|name| table.weights(name)).transpose()?;
    let n_needs = needs.categories.len();
    let n_segments = segments.as_ref().map_or(1, |codes| codes.categories.len());
    let mut tallies = vec![Tally::default(); n_needs * n_segments];
    let mut left_out = [0_usize; 4];
    for row in 0..table.n_rows() {
        let need = needs.codes[row];
        let segment = segments.as_ref().map_or(0, |codes| codes.codes[row]);
        match (need, segment, functional[row], dysfunctional[row]) {
            (MISSING, ..) => left_out[0] += 1,
            (_, MISSING, ..) => left_out[1] += 1,
            (_, _, None, _) => left_out[2] += 1,
            (.., None) => left_out[3] += 1,
            (need, segment, Some(functional), Some(dysfunctional)) => {
                tallies[segment as usize * n_needs + need as usize].add(
                    Quality::of(functional, dysfunctional),
                    weights.as_ref().map_or(1.0, |weights| weights[row]),
                );
            }
        }
    }
    let reasons =
        [names.need, names.segment.unwrap_or_default(), names.functional, names.dysfunctional];
    for (count, name) in left_out.into_iter().zip(reasons) {
        manifest.leave_out(format!("{name:?} is missing"), count);
    }
    let z = z_of(confidence);
    let name = |codes: &Codes, at: usize| codes.categories[at].clone();
    let mut felt: Vec<(usize, Felt)> = tallies
        .iter()
        .enumerate()
        .filter(|(_, tally)| tally.n_effective() > 0.0)
        .map(|(at, tally)| {
            let segment =
                segments.as_ref().map_or(String::new(), |codes| name(codes, at / n_needs));
            (at / n_needs, tally.felt(segment, name(&needs, at % n_needs), z))
        })
        .collect();
    if felt.is_empty() {
        return Err(match manifest.rows_used {
            0 => manifest.nothing_left("df", manifest.rows),
            _ => Error::argument("weights", "no weight above 0", "some answer must count"),
        });
    }
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

impl Answers {
    /// The answer of each row, from 0 to 4.
    fn read(&self, table: &Table, name: &str) -> Result<Vec<Option<usize>>> {
        match self {
            Self::Numbers(numbers) => {
                if matches!(table.kind(name)?, Kind::Nominal | Kind::Ordinal) {
                    return Err(Error::argument(
                        "answers",
                        format!("numbers, while {name:?} holds categories"),
                        "the five answers as they stand in the columns are needed, from like to dislike",
                    )
                    .with_mend(
                        "answers=(\"like\", \"expect\", \"neutral\", \"tolerate\", \"dislike\")",
                    ));
                }
                let values = table.numeric(name)?;
                let read = |(row, &value): (usize, &f64)| {
                    let place = numbers.iter().position(|&number| number == value);
                    match place {
                        _ if value.is_nan() => Ok(None),
                        Some(place) => Ok(Some(place)),
                        None => Err(unknown(
                            name,
                            row,
                            value.to_string(),
                            &numbers.map(|x| x.to_string()),
                        )),
                    }
                };
                values.iter().enumerate().map(read).collect()
            }
            Self::Words(words) => {
                let codes = table.codes(name)?;
                let place = |category: &String| words.iter().position(|word| word == category);
                let places: Vec<Option<usize>> = codes.categories.iter().map(place).collect();
                let read = |(row, &code): (usize, &u32)| match places.get(code as usize) {
                    None => Ok(None),
                    Some(Some(place)) => Ok(Some(*place)),
                    Some(None) => {
                        Err(unknown(name, row, codes.categories[code as usize].clone(), words))
                    }
                };
                codes.codes.iter().enumerate().map(read).collect()
            }
        }
    }
}

/// What is said of an answer that is none of the five.
fn unknown(name: &str, row: usize, found: String, answers: &[String; 5]) -> Error {
    let wanted = format!("answers are {}, from like to dislike", answers.join(", "));
    Error::value(name, row, found, wanted).with_mend("answers=(5, 4, 3, 2, 1)")
}

/// Answers to one need in one segment.
#[derive(Debug, Clone, Default)]
struct Tally {
    n: usize,
    /// Weight of each of [`Quality::ALL`].
    weights: [f64; 6],
    squares: f64,
}

impl Tally {
    fn add(&mut self, quality: Quality, weight: f64) {
        self.n += 1;
        self.weights[quality as usize] += weight;
        self.squares += weight * weight;
    }

    fn total(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// Answers of equal weight that would be as sure; 0 where none weighs anything.
    fn n_effective(&self) -> f64 {
        if self.squares > 0.0 { self.total() * self.total() / self.squares } else { 0.0 }
    }

    fn felt(&self, segment: String, need: String, z: f64) -> Felt {
        let (total, n) = (self.total(), self.n_effective());
        let shares = self.weights.map(|weight| weight / total);
        let mut order = Quality::ALL;
        // Stable, so that of equals the first stays first.
        order.sort_by(|&a, &b| shares[b as usize].total_cmp(&shares[a as usize]));
        let [first, second, ..] = order;
        let count = |quality: Quality| n * shares[quality as usize];
        let runner_up = (shares[second as usize] > 0.0)
            .then(|| (second, sign_test(count(first), count(second))));
        let [must, one, attractive, indifferent, ..] = Quality::ALL.map(count);
        let base = must + one + attractive + indifferent;
        let estimate = |k: f64, sign: f64| {
            let k = k.min(base);
            let (lo, hi) = wilson(k, base, z);
            let (lo, hi) = if sign < 0.0 { (-hi, -lo) } else { (lo, hi) };
            // Adding 0 takes the sign from a zero.
            Estimate { value: sign * k / base + 0.0, interval: Some([lo + 0.0, hi + 0.0]) }
        };
        let coefficients =
            (base > 0.0).then(|| [estimate(attractive + one, 1.0), estimate(one + must, -1.0)]);
        Felt { segment, need, n: self.n, shares, quality: first, runner_up, coefficients }
    }
}

/// The two-sided p-value of two counts, of which the first is no smaller, under equal chances; counts need not be whole.
fn sign_test(more: f64, less: f64) -> f64 {
    let above = checked_beta_reg(more, less + 1.0, 0.5).unwrap_or(1.0);
    (2.0 * above).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, DiscreteCDF};

    #[test]
    fn the_sign_test_is_that_of_the_binomial_law() {
        for (more, less) in [(3, 0), (7, 2), (40, 38), (5, 5), (900, 700)] {
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
