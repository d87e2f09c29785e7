//! Choosing questions.

use super::answers::Answers;
use crate::error::Result;
use crate::parallel::{self, Monitor};

/// What stands in for the logarithm of nothing: no answers make up for it.
const NEVER: f64 = -1e6;
/// Added to every count of answers, so that what was not seen is not impossible (Jeffreys).
const UNSEEN: f64 = 0.5;

/// Points of the answers to one question.
#[derive(Debug, Clone)]
pub(super) struct Points {
    /// Of each answer for each segment; the last row, of a missing answer, is 0.
    pub(super) points: Vec<f64>,
    /// Of each answer for the segment of a customer who is left out themselves.
    own: Vec<f64>,
}

/// Points of a set of customers.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// The questions in the order in which they were chosen.
    pub(super) order: Vec<usize>,
    /// Share of the customers placed rightly with each number of questions, each by points without themselves.
    pub(super) accuracy: Vec<f64>,
    /// Points that each segment starts with.
    pub(super) start: Vec<f64>,
    /// Points of every question that was chosen, in that order.
    pub(super) points: Vec<Points>,
}

fn start(n: f64) -> f64 {
    if n > 0.0 { n.ln() } else { NEVER }
}

impl Points {
    fn of(answers: &Answers, labels: &[u32], k: usize, rows: &[u32]) -> Self {
        let mut counts = vec![0_u32; (answers.n + 1) * k];
        for &row in rows {
            let row = row as usize;
            counts[answers.given[row] as usize * k + labels[row] as usize] += 1;
        }
        let mut total = vec![0.0; k];
        for (at, &n) in counts[..answers.n * k].iter().enumerate() {
            total[at % k] += f64::from(n);
        }
        let all = UNSEEN * answers.n as f64;
        let log = |at: usize, less: f64| match at / k < answers.n {
            true => {
                ((f64::from(counts[at]) - less).max(0.0) + UNSEEN).ln()
                    - ((total[at % k] - less).max(0.0) + all).ln()
            }
            false => 0.0,
        };
        Self {
            points: (0..counts.len()).map(|at| log(at, 0.0)).collect(),
            own: (0..counts.len()).map(|at| log(at, 1.0)).collect(),
        }
    }
}

/// The first of the largest.
fn best(scores: impl Iterator<Item = f64>) -> usize {
    let mut found = (0, f64::NEG_INFINITY);
    for (at, score) in scores.enumerate() {
        if score > found.1 {
            found = (at, score);
        }
    }
    found.0
}

/// Chooses `wanted` questions with the customers `rows`.
pub(super) fn select(
    answers: &[Answers],
    labels: &[u32],
    k: usize,
    rows: &[u32],
    wanted: usize,
    monitor: &Monitor,
) -> Result<Chosen> {
    let all = parallel::map_tasks(answers.len(), |at| Points::of(&answers[at], labels, k, rows));
    let mut sizes = vec![0.0; k];
    rows.iter().for_each(|&row| sizes[labels[row as usize] as usize] += 1.0);
    let from: Vec<f64> = sizes.iter().map(|&n| start(n)).collect();
    let own: Vec<f64> = sizes.iter().map(|&n| start(n - 1.0)).collect();
    // Scores of each customer, with the points of their own segment as if they had not been counted.
    let mut scores = vec![0.0; rows.len() * k];
    for (scores, &row) in scores.chunks_exact_mut(k).zip(rows) {
        scores.copy_from_slice(&from);
        let label = labels[row as usize] as usize;
        scores[label] = own[label];
    }
    let mut chosen =
        Chosen { order: Vec::new(), accuracy: Vec::new(), start: from, points: Vec::new() };
    let mut left: Vec<usize> = (0..answers.len()).collect();
    while chosen.order.len() < wanted {
        monitor.check()?;
        let tried = Tried { answers, labels, k, rows, scores: &scores, points: &all };
        let hits = tried.hits(&left);
        let most = hits.iter().copied().max().unwrap_or(0);
        let tied: Vec<usize> =
            left.iter().zip(&hits).filter(|&(_, &n)| n == most).map(|(&at, _)| at).collect();
        let next = match tied.as_slice() {
            [] => break,
            [only] => *only,
            several => several[best(tried.likelihoods(several).into_iter())],
        };
        left.retain(|&at| at != next);
        let Points { points, own } = &all[next];
        let given = &answers[next].given;
        for (scores, &row) in scores.chunks_exact_mut(k).zip(rows) {
            let (row, label) = (row as usize, labels[row as usize] as usize);
            let at = given[row] as usize * k;
            for (segment, score) in scores.iter_mut().enumerate() {
                *score += if segment == label { own[at + segment] } else { points[at + segment] };
            }
        }
        chosen.order.push(next);
        chosen.accuracy.push(most as f64 / rows.len().max(1) as f64);
        chosen.points.push(all[next].clone());
    }
    Ok(chosen)
}

struct Tried<'a> {
    answers: &'a [Answers],
    labels: &'a [u32],
    k: usize,
    rows: &'a [u32],
    scores: &'a [f64],
    points: &'a [Points],
}

impl Tried<'_> {
    /// Number of customers placed rightly with each question beside those chosen.
    fn hits(&self, questions: &[usize]) -> Vec<u64> {
        let k = self.k;
        let blocks = parallel::map_blocks(self.rows.len(), |block| {
            let mut hits = vec![0_u64; questions.len()];
            for (hits, &question) in hits.iter_mut().zip(questions) {
                let Points { points, own } = &self.points[question];
                let given = &self.answers[question].given;
                for at in block.clone() {
                    let row = self.rows[at] as usize;
                    let label = self.labels[row] as usize;
                    let answer = given[row] as usize * k;
                    let scores = &self.scores[at * k..(at + 1) * k];
                    let points = &points[answer..answer + k];
                    let mine = scores[label] + own[answer + label];
                    // Equal scores go to the first segment.
                    let beaten = scores.iter().zip(points).enumerate().any(|(segment, (s, p))| {
                        let other = s + p;
                        segment != label && (other > mine || (other == mine && segment < label))
                    });
                    *hits += u64::from(!beaten);
                }
            }
            hits
        });
        let mut hits = vec![0; questions.len()];
        for block in blocks {
            hits.iter_mut().zip(block).for_each(|(sum, n)| *sum += n);
        }
        hits
    }

    /// Mean logarithm of the probability of the right segment with each question.
    fn likelihoods(&self, questions: &[usize]) -> Vec<f64> {
        let k = self.k;
        questions
            .iter()
            .map(|&question| {
                let Points { points, own } = &self.points[question];
                let given = &self.answers[question].given;
                parallel::sum(self.rows.len(), |at| {
                    let row = self.rows[at] as usize;
                    let label = self.labels[row] as usize;
                    let answer = given[row] as usize * k;
                    let score = |segment: usize| {
                        let points = if segment == label { own } else { points };
                        self.scores[at * k + segment] + points[answer + segment]
                    };
                    let mine = score(label);
                    -(0..k)
                        .map(|segment| (score(segment) - mine).min(700.0).exp())
                        .sum::<f64>()
                        .ln()
                })
            })
            .collect()
    }
}

impl Chosen {
    /// Customers by segment and predicted segment, for each number of questions.
    pub(super) fn place(
        &self,
        answers: &[Answers],
        labels: &[u32],
        k: usize,
        rows: &[u32],
    ) -> Vec<Vec<u32>> {
        let mut placed = vec![vec![0; k * k]; self.order.len()];
        let mut scores = vec![0.0; k];
        for &row in rows {
            let row = row as usize;
            scores.copy_from_slice(&self.start);
            for (at, (&question, points)) in self.order.iter().zip(&self.points).enumerate() {
                let answer = answers[question].given[row] as usize * k;
                let points = &points.points[answer..answer + k];
                scores.iter_mut().zip(points).for_each(|(score, p)| *score += p);
                placed[at][labels[row] as usize * k + best(scores.iter().copied())] += 1;
            }
        }
        placed
    }
}

/// The segment that points name.
pub(super) fn named(scores: &[f64]) -> usize {
    best(scores.iter().copied())
}
