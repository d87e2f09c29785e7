//! The finished questionnaire.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::answer;
use super::select::named;
use super::{Assessed, Options};
use crate::confidence::{is_level, z_of};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::parallel;
use crate::persist::{self, Persist};
use crate::profile::rules::condition::{Reader, end_words};
use crate::profile::rules::customers::Customers;
use crate::profile::rules::{Placed, confusion, told_share};
use crate::statistics::wilson;
use crate::table::{Feature, MISSING, Source, Table};

/// A question with its answers and their points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The column, by its place in the reader.
    pub feature: usize,
    /// Where a number is cut into answers; `None` for categories.
    #[serde(deserialize_with = "Option::deserialize")]
    pub cuts: Option<Vec<f64>>,
    /// The answers in words.
    pub answers: Vec<String>,
    /// Points of each answer for each segment, answer by answer.
    pub points: Vec<f64>,
}

/// What a number of questions achieves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// The question that comes last, when all customers choose.
    pub question: String,
    /// Share of customers placed in their own segment by questions and points that they had no say in.
    pub accuracy: f64,
    /// The same over the customers who chose, each by points without themselves.
    pub seen: f64,
}

/// Questions that place customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypingTool {
    /// What it was made from.
    pub manifest: Manifest,
    /// Names of the segments.
    pub names: Vec<String>,
    /// Customers of each segment.
    pub sizes: Vec<usize>,
    /// How the columns of the questions are read.
    pub reader: Reader,
    /// Points that each segment starts with.
    pub start: Vec<f64>,
    /// The questions in their order.
    #[serde(rename = "table")]
    pub questions: Vec<Question>,
    /// What each number of questions achieves, from one question up.
    pub lengths: Vec<Length>,
    /// Customers of each segment (rows) placed in each segment (columns) with these questions.
    pub placed: Vec<u32>,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
}

impl Persist for TypingTool {
    const KIND: &'static str = "typing_tool";

    fn validate(&self) -> Result<()> {
        self.reader.validate()?;
        let k = self.names.len();
        let n = self.questions.len();
        if k == 0 || self.sizes.len() != k || self.start.len() != k || self.placed.len() != k * k {
            return Err(persist::broken("the segments do not agree in number"));
        }
        if n == 0
            || n > self.lengths.len()
            || n != self.reader.features().len()
            || !is_level(self.confidence)
        {
            return Err(persist::broken("the questions do not agree in number"));
        }
        for question in &self.questions {
            let fits = match (self.reader.features().get(question.feature), &question.cuts) {
                (Some(Feature::Amount { .. }), Some(cuts)) => {
                    cuts.len() + 1 == question.answers.len()
                        && cuts.windows(2).all(|pair| pair[0] < pair[1])
                }
                (Some(Feature::Category { categories, .. }), None) => {
                    categories.len() == question.answers.len()
                }
                _ => false,
            };
            if !fits || question.points.len() != question.answers.len() * k {
                return Err(persist::broken("the answers to a question do not agree in number"));
            }
        }
        Ok(())
    }
}

/// The questionnaire of the questions that are enough.
pub(super) fn finish(
    manifest: Manifest,
    names: &[String],
    customers: &Customers,
    assessed: Assessed,
    options: &Options,
) -> TypingTool {
    let Assessed { answers, chosen, placed, enough } = assessed;
    let (k, n) = (names.len(), customers.n() as f64);
    let order = &chosen.order[..enough.min(chosen.order.len())];
    let (reader, places) = customers.reader.keep(|at| order.contains(&at));
    let questions = order.iter().zip(&chosen.points).map(|(&at, points)| Question {
        feature: places[at],
        cuts: answers[at].cuts.clone(),
        answers: answers[at].words.clone(),
        points: points.points[..answers[at].n * k].to_vec(),
    });
    let lengths = placed.iter().enumerate().map(|(at, table)| Length {
        question: customers.reader.features()[chosen.order[at]].name().to_string(),
        accuracy: (0..k).map(|s| f64::from(table[s * k + s])).sum::<f64>() / n,
        seen: chosen.accuracy[at],
    });
    TypingTool {
        names: names.to_vec(),
        sizes: customers.sizes.clone(),
        reader,
        start: chosen.start.clone(),
        questions: questions.collect(),
        lengths: lengths.collect(),
        placed: placed[enough - 1].clone(),
        folds: options.folds,
        confidence: options.confidence,
        manifest,
    }
}

impl TypingTool {
    fn name(&self, question: &Question) -> &str {
        self.reader.features()[question.feature].name()
    }

    /// Places new customers: the segment of each, [`MISSING`] where no question is answered; and columns with categories that
    /// are not known, with their number of rows.
    ///
    /// # Errors
    ///
    /// Those of reading a column.
    pub fn predict(&self, table: &Table) -> Result<Placed> {
        let customers = Customers::new(table, &self.reader)?;
        let (n_amounts, k) = (customers.amounts.len(), self.names.len());
        let mut placed = vec![MISSING; customers.n()];
        parallel::fill_blocks(&mut placed, |first, part| {
            let mut scores = vec![0.0; k];
            for (row, placed) in (first..).zip(part) {
                scores.copy_from_slice(&self.start);
                let mut answered = false;
                for question in &self.questions {
                    let feature = question.feature;
                    let at = match &question.cuts {
                        Some(cuts) => answer(customers.amounts[feature][row], cuts),
                        None => customers.codes[feature - n_amounts][row] as usize,
                    };
                    if let Some(points) =
                        question.points.get(at.saturating_mul(k)..).and_then(|p| p.get(..k))
                    {
                        scores.iter_mut().zip(points).for_each(|(score, p)| *score += p);
                        answered = true;
                    }
                }
                if answered {
                    *placed = named(&scores) as u32;
                }
            }
        });
        Ok((placed, customers.unknown()))
    }

    /// One row per number of questions: the question that comes last, the accuracy with its interval, what the question adds,
    /// and whether it is asked.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let z = z_of(self.confidence);
        let n = self.sizes.iter().sum::<usize>() as f64;
        let interval = |length: &Length| wilson((length.accuracy * n).round(), n, z);
        let (.., largest) = self.accuracy();
        let added = |at: usize| {
            let before = if at == 0 { largest } else { self.lengths[at - 1].accuracy };
            self.lengths[at].accuracy - before
        };
        Table::builder()
            .int("questions", 1..=self.lengths.len() as i64)
            .text("question", self.lengths.iter().map(|length| length.question.as_str()))
            .float("accuracy", self.lengths.iter().map(|length| length.accuracy))
            .float("accuracy_lo", self.lengths.iter().map(|length| interval(length).0))
            .float("accuracy_hi", self.lengths.iter().map(|length| interval(length).1))
            .float("added", (0..self.lengths.len()).map(added))
            .flag("asked", (0..self.lengths.len()).map(|at| at < self.questions.len()))
            .finish()
    }

    /// The points of every answer: one row per question, answer and segment; the first rows are what each segment starts with.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn scoring(&self) -> Result<Table> {
        let k = self.names.len();
        let mut rows: Vec<(&str, &str, usize, f64)> =
            (0..k).map(|segment| ("", "start", segment, self.start[segment])).collect();
        for question in &self.questions {
            for (at, &points) in question.points.iter().enumerate() {
                rows.push((self.name(question), &question.answers[at / k], at % k, points));
            }
        }
        Table::builder()
            .text("question", rows.iter().map(|row| row.0))
            .text("answer", rows.iter().map(|row| row.1))
            .text("segment", rows.iter().map(|row| self.names[row.2].as_str()))
            .float("points", rows.iter().map(|row| row.3))
            .finish()
    }

    /// Customers of each segment by the segment in which questions that they had no say in placed them.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn confusion(&self) -> Result<Table> {
        confusion(&self.placed, &self.names, &self.sizes)
    }

    /// Share of customers placed in their own segment by questions and points that they had no say in, with its interval, and
    /// the share of the largest segment.
    pub fn accuracy(&self) -> (f64, f64, f64, f64) {
        told_share(&self.placed, &self.sizes, self.confidence)
    }

    /// The rule as plain data: segments with their points at the start, and questions with column, kind, cuts or levels,
    /// answers in words and points.
    pub fn data(&self) -> Value {
        let k = self.names.len();
        let questions = self.questions.iter().map(|question| {
            let feature = &self.reader.features()[question.feature];
            let points: Vec<&[f64]> = question.points.chunks_exact(k).collect();
            let (kind, cuts, levels) = match feature {
                Feature::Category { categories, .. } => {
                    ("category", None, Some(categories.clone()))
                }
                Feature::Amount { source, .. } => {
                    let cuts = question.cuts.as_deref().unwrap_or_default();
                    match source {
                        Source::Number => ("number", Some(json!(cuts)), None),
                        Source::Days => {
                            let days: Vec<String> =
                                cuts.iter().map(|&cut| end_words(cut, source)).collect();
                            ("date", Some(json!(days)), None)
                        }
                        Source::Rank(names) => ("ordered", Some(json!(cuts)), Some(names.clone())),
                    }
                }
            };
            json!({
                "column": feature.name(), "kind": kind, "cuts": cuts, "levels": levels,
                "answers": question.answers, "points": points,
            })
        });
        json!({
            "segments": self.names, "start": self.start,
            "questions": questions.collect::<Vec<_>>(),
        })
    }

    /// The questions and what they achieve in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let (accuracy, lo, hi, largest) = self.accuracy();
        let asked: Vec<&str> = self.questions.iter().map(|q| self.name(q)).collect();
        let mut lines = vec![format!(
            "{} {} place{} {:.1} % of the customers in their own segment ({:.1} to {:.1} %, in {} parts each of which had no say in \
             questions and points); to name the largest segment for everybody would give {:.1} %.",
            asked.len(),
            if asked.len() == 1 { "question" } else { "questions" },
            if asked.len() == 1 { "s" } else { "" },
            100.0 * accuracy,
            100.0 * lo,
            100.0 * hi,
            self.folds,
            100.0 * largest
        )];
        lines.push(format!("In this order: {}.", asked.join(", ")));
        if let Some(next) = self.lengths.get(self.questions.len()) {
            let last = &self.lengths[self.lengths.len() - 1];
            lines.push(format!(
                "The next question would be {}; with {} questions {:.1} % would be placed rightly.",
                next.question,
                self.lengths.len(),
                100.0 * last.accuracy
            ));
        }
        let k = self.names.len();
        for (segment, name) in self.names.iter().enumerate().filter(|&(at, _)| self.sizes[at] > 0) {
            let row = &self.placed[segment * k..(segment + 1) * k];
            let size = self.sizes[segment] as f64;
            let found = 100.0 * f64::from(row[segment]) / size;
            let wrong = (0..k)
                .filter(|&at| at != segment && row[at] > 0)
                .max_by_key(|&at| (row[at], k - at));
            lines.push(match wrong {
                None => format!("Of {name} {found:.0} % are placed rightly."),
                Some(at) => format!(
                    "Of {name} {found:.0} % are placed rightly; most often mistaken for {} ({:.1} %).",
                    self.names[at],
                    100.0 * f64::from(row[at]) / size
                ),
            });
        }
        lines.push(
            "Every answer has points for each segment; the segment with most points is the answer. A question that is not answered \
             has no points."
                .to_string(),
        );
        lines
    }
}
