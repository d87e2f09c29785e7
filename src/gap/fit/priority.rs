//! Which proposition comes first, and how sure that is.

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::draws::{Customers, customers};
use super::matching::{Fit, fit_of, opportunity, shares};
use super::responses::Responses;
use crate::error::Result;
use crate::memory;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// A proposition and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranked {
    /// The proposition, by its position.
    pub proposition: usize,
    /// 1 for the highest score; equal ones share the better place.
    pub rank: usize,
    /// Mean over the personas, weighted by their value.
    pub score: f64,
    /// How sure it is.
    #[serde(deserialize_with = "Option::deserialize")]
    pub certainty: Option<Certainty>,
}

/// What replicates say about the place of a proposition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certainty {
    /// Ends of the interval of the score.
    pub ends: [f64; 2],
    /// Share of replicates in which it comes first.
    pub first: f64,
    /// Share of replicates in which it is among the best.
    pub top: f64,
}

/// What replicates say about the fit of a proposition to a persona.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Ends of the interval of the fit.
    pub ends: [f64; 2],
    /// Share of replicates in which it reaches the threshold.
    pub sensitive: f64,
}

/// What can be drawn again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uncertain<'a> {
    /// Ratings of customers.
    pub(super) answers: Option<&'a Answers>,
    /// Standard error of each importance.
    pub(super) errors: Option<&'a [f64]>,
    /// Responses of customers.
    pub(super) responses: Option<&'a Responses>,
}

impl Uncertain<'_> {
    pub(super) fn fit(&self) -> bool {
        self.answers.is_some() || self.errors.is_some()
    }
}

/// The figures of one replicate.
struct Replicate {
    scores: Vec<f64>,
    fit: Vec<f64>,
}

/// Settings of the replicates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) n_boot: usize,
    pub(super) confidence: f64,
    pub(super) seed: u64,
    pub(super) threshold: f64,
    pub(super) top: usize,
}

/// Score of each proposition: the mean of its figures over personas by their value.
pub(super) fn scores(worth: &[f64], figures: &[f64]) -> Vec<f64> {
    let m = figures.len() / worth.len();
    let worth = shares(worth);
    (0..m)
        .map(|v| worth.iter().zip(figures.chunks_exact(m)).map(|(w, row)| w * row[v]).sum())
        .collect()
}

/// Fit of every proposition to every persona, weighted by opportunity.
pub(super) fn opportune(fit: &Fit, groups: usize) -> Vec<f64> {
    (0..groups).flat_map(|group| fit_of(&fit.opportunities(group), &fit.delivery)).collect()
}

/// Ranks propositions by score; replicates, where there is something to draw, say how sure the ranks are. Also gives the
/// spread of each fit, persona by persona.
///
/// One task with its own stream of random numbers per replicate: the same bits for any number of threads. A replicate takes as
/// many steps as there are customers times needs; of many responses it takes a few for each pattern of response.
///
/// # Errors
///
/// [`crate::Error::MemoryLimit`] and [`crate::Error::Interrupted`].
pub(super) fn rank(
    scores: &[f64],
    worth: &[f64],
    fit: Option<&Fit>,
    uncertain: Uncertain<'_>,
    plan: Plan,
    monitor: &Monitor,
) -> Result<(Vec<Ranked>, Option<Vec<Spread>>)> {
    let m = scores.len();
    let mut ranked: Vec<Ranked> = (0..m)
        .map(|v| Ranked {
            proposition: v,
            rank: 1 + scores.iter().filter(|&&other| other > scores[v]).count(),
            score: scores[v],
            certainty: None,
        })
        .collect();
    ranked.sort_by_key(|entry| entry.rank);
    let draws_scores = uncertain.responses.is_some() || uncertain.fit();
    if plan.n_boot == 0 || !draws_scores {
        return Ok((ranked, None));
    }
    let cells = if uncertain.fit() { worth.len() * m } else { 0 };
    let needed = memory::matrix_bytes(plan.n_boot, 2 * (m + cells), size_of::<f64>());
    memory::check(&format!("{} replicates", plan.n_boot), needed, None, "take fewer: n_boot=200")?;
    let responding: Option<Vec<Customers>> = uncertain.responses.map(customers);
    monitor.expect(plan.n_boot as u64);
    let replicates = parallel::map_tasks(plan.n_boot, |task| {
        monitor.check()?;
        let made =
            replicate(task as u64, m, worth, fit, uncertain, responding.as_deref(), plan.seed);
        monitor.advance(1);
        Ok(made)
    });
    let replicates = replicates.into_iter().collect::<Result<Vec<_>>>()?;
    for entry in &mut ranked {
        let v = entry.proposition;
        let ends = ends(replicates.iter().map(|r| r.scores[v]), plan.confidence);
        let among = |k: usize| {
            let inside = replicates.iter().map(|r| among_best(&r.scores, v, k)).sum::<f64>();
            inside / plan.n_boot as f64
        };
        entry.certainty = Some(Certainty { ends, first: among(1), top: among(plan.top) });
    }
    let spread = uncertain.fit().then(|| {
        (0..cells)
            .map(|cell| {
                let reached =
                    replicates.iter().filter(|r| r.fit[cell] >= plan.threshold - 1e-12).count();
                Spread {
                    ends: ends(replicates.iter().map(|r| r.fit[cell]), plan.confidence),
                    sensitive: reached as f64 / plan.n_boot as f64,
                }
            })
            .collect()
    });
    Ok((ranked, spread))
}

fn replicate(
    task: u64,
    m: usize,
    worth: &[f64],
    fit: Option<&Fit>,
    uncertain: Uncertain<'_>,
    responding: Option<&[Customers]>,
    seed: u64,
) -> Replicate {
    let mut found = Replicate { scores: Vec::new(), fit: Vec::new() };
    if let (Some(fit), true) = (fit, uncertain.fit()) {
        let mut rng = Rng::stream(seed, Stage::Weights, task);
        let n = fit.needs.len();
        let mut figures = Vec::with_capacity(worth.len() * m);
        for persona in 0..worth.len() {
            let rows = persona * n..(persona + 1) * n;
            let given = fit.satisfaction.as_ref().map(|values| values[rows.clone()].to_vec());
            let (importance, satisfaction) = match uncertain.answers {
                Some(answers) => {
                    let (importance, drawn) =
                        answers.means(persona, Some(&mut |count| rng.below(count)));
                    (importance, drawn.or(given))
                }
                None => (
                    shaken(
                        &fit.importance[rows.clone()],
                        uncertain.errors.map(|e| &e[rows]),
                        &mut rng,
                    ),
                    given,
                ),
            };
            found.fit.extend(fit_of(&shares(&importance), &fit.delivery));
            let weights = opportunity(&importance, satisfaction.as_deref());
            figures.extend(fit_of(&shares(&weights), &fit.delivery));
        }
        found.scores = scores(worth, &figures);
    }
    if let Some(responding) = responding {
        let mut rng = Rng::stream(seed, Stage::Bootstrap, task);
        let rates: Vec<f64> =
            responding.iter().flat_map(|persona| persona.rates(m, &mut rng)).collect();
        found.scores = scores(worth, &rates);
    }
    found
}

/// Importance with normal errors, cut at 0; as it is where all would be cut.
fn shaken(importance: &[f64], errors: Option<&[f64]>, rng: &mut Rng) -> Vec<f64> {
    let Some(errors) = errors else { return importance.to_vec() };
    let drawn: Vec<f64> = importance
        .iter()
        .zip(errors)
        .map(|(value, error)| {
            let radius = (2.0 * rng.exponential()).sqrt();
            (value + error * radius * (std::f64::consts::TAU * rng.uniform()).cos())
                .clamp(0.0, f64::MAX)
        })
        .collect();
    if drawn.iter().all(|&value| value <= 0.0) { importance.to_vec() } else { drawn }
}

/// Chance that an entry is among the best `k` where equal ones are put in random order.
fn among_best(scores: &[f64], entry: usize, k: usize) -> f64 {
    let better = scores.iter().filter(|&&other| other > scores[entry]).count();
    let equal = scores.iter().filter(|&&other| other == scores[entry]).count();
    (k.saturating_sub(better) as f64 / equal as f64).min(1.0)
}

/// Ends of the interval of replicates: percentiles.
fn ends(values: impl Iterator<Item = f64>, confidence: f64) -> [f64; 2] {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let at = |share: f64| {
        let place = share * (values.len() - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let above = values[(below + 1).min(values.len() - 1)];
        values[below] + part * (above - values[below])
    };
    [at(tail), at(1.0 - tail)]
}
