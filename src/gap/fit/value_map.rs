//! Personas by propositions.

use serde::{Deserialize, Serialize};

use super::fit_matrix::check_share;
use super::grid::grid;
use super::inputs::{Inputs, Needed, needed, worth};
use super::matching::Fit;
use super::priority::{self, Plan, Ranked, Spread, Uncertain, opportune, rank};
use super::responses::{self, ResponseColumns, Responses};
use super::rivals::Rivals;
use crate::confidence::check_level;
use crate::error::{Error, Result};
use crate::gap::turf::{Turf, turf};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::table::Table;

/// More replicates than any interval needs.
const MAX_BOOT: usize = 100_000;

/// What tells whether a persona is sensitive to a proposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The fit of what is delivered to what is needed.
    Fit,
    /// Scores that were given.
    Scores,
    /// Customers who responded or did not.
    Responses,
}

impl Evidence {
    /// Its name in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Scores => "scores",
            Self::Responses => "responses",
        }
    }
}

/// What to compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Fit or score from which a persona is sensitive.
    pub threshold: f64,
    /// Lift above which the whole interval must lie where customers responded.
    pub min_lift: f64,
    /// Delivery below which a need is unmatched.
    pub matched: f64,
    /// Difference of two deliveries up to which they are at par.
    pub parity: f64,
    /// Number of places that count as top.
    pub top: usize,
    /// Replicates; 0 for no intervals of ranks.
    pub n_boot: usize,
    /// Of intervals; a test finds what has an adjusted p of at most one minus this.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            min_lift: 1.0,
            matched: 0.5,
            parity: 0.1,
            top: 3,
            n_boot: 1000,
            confidence: 0.95,
            seed: 0,
        }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        check_share("threshold", self.threshold, "0.5")?;
        check_share("matched", self.matched, "0.5")?;
        let refuse = |argument: &str, found: f64, wanted: &str, mend: &str| {
            Err(Error::argument(argument, found, wanted).with_mend(mend))
        };
        if !(self.min_lift > 0.0 && self.min_lift.is_finite()) {
            return refuse("min_lift", self.min_lift, "a number above 0 is needed", "min_lift=1");
        }
        if !(0.0..1.0).contains(&self.parity) {
            return refuse(
                "parity",
                self.parity,
                "0 or more and less than 1 is needed",
                "parity=0.1",
            );
        }
        check_level(self.confidence)?;
        if self.n_boot > MAX_BOOT {
            let wanted = format!("at most {MAX_BOOT} replicates are made");
            return refuse("n_boot", self.n_boot as f64, &wanted, "n_boot=1000");
        }
        if self.top == 0 {
            return refuse("top", 0.0, "1 or more is needed", "top=3");
        }
        Ok(())
    }
}

/// What the user calls personas, propositions and needs: the names of the columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Column of personas.
    pub persona: String,
    /// Column of propositions.
    pub proposition: String,
    /// Column of needs.
    pub need: String,
}

/// Who is sensitive to which proposition, and which comes first. Figures have one row per persona.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueMap {
    /// What it was made from.
    pub manifest: Manifest,
    /// What was asked for.
    pub options: Options,
    /// Names of the columns.
    pub words: Words,
    /// What tells who is sensitive.
    pub evidence: Evidence,
    /// Names of the personas.
    pub personas: Vec<String>,
    /// Names of the propositions.
    pub propositions: Vec<String>,
    /// What each persona is worth.
    pub worth: Vec<f64>,
    /// Needs and what is delivered.
    #[serde(deserialize_with = "Option::deserialize")]
    pub fit: Option<Fit>,
    /// How sure each fit is.
    #[serde(deserialize_with = "Option::deserialize")]
    pub spread: Option<Vec<Spread>>,
    /// Scores that were given.
    #[serde(deserialize_with = "Option::deserialize")]
    pub scores: Option<Vec<f64>>,
    /// Responses of customers.
    #[serde(deserialize_with = "Option::deserialize")]
    pub responses: Option<Responses>,
    /// Competitors.
    #[serde(deserialize_with = "Option::deserialize")]
    pub rivals: Option<Rivals>,
    /// Whether each persona is sensitive to each proposition.
    pub sensitive: Vec<bool>,
    /// The propositions, the first one first.
    pub priority: Vec<Ranked>,
}

impl Persist for ValueMap {
    const KIND: &'static str = "value_map";

    fn validate(&self) -> Result<()> {
        let (p, v) = (self.personas.len(), self.propositions.len());
        let worth = self.worth.len() == p
            && self.worth.iter().all(|worth| worth.is_finite() && *worth >= 0.0);
        if p == 0 || v == 0 || !worth || self.sensitive.len() != p * v {
            return Err(persist::broken("personas and propositions differ in number"));
        }
        let has = match self.evidence {
            Evidence::Fit => self.fit.is_some(),
            Evidence::Scores => self.scores.is_some(),
            Evidence::Responses => self.responses.is_some(),
        };
        let spread = self.spread.as_ref().is_none_or(|s| s.len() == p * v && self.fit.is_some());
        let scores = self.scores.as_ref().is_none_or(|s| s.len() == p * v);
        let mut order: Vec<usize> = self.priority.iter().map(|entry| entry.proposition).collect();
        order.sort_unstable();
        if !has || !spread || !scores || !order.into_iter().eq(0..v) {
            return Err(persist::broken("the evidence and the map differ"));
        }
        let rivals = |rivals: &Rivals| match &self.fit {
            Some(fit) => rivals.broken(fit.needs.len()),
            None => Some("there are competitors but no needs"),
        };
        let broken = (self.fit.as_ref().and_then(|fit| fit.broken(p, v)))
            .or_else(|| self.responses.as_ref().and_then(|r| r.broken(p, v)))
            .or_else(|| self.rivals.as_ref().and_then(rivals));
        broken.map_or(Ok(()), |reason| Err(persist::broken(reason)))
    }
}

/// Maps propositions to personas.
///
/// # Errors
///
/// Those of reading columns and of [`grid`]; [`Error::Argument`] for options out of range, for evidence that is missing or
/// given twice, and for names of one frame that another one lacks; [`Error::Interrupted`].
pub fn value_map(
    inputs: &Inputs<'_>,
    words: Words,
    options: Options,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<ValueMap> {
    options.check()?;
    let Needed { mut personas, mut propositions, fit, rivals, answers, errors } =
        needed(inputs, &mut manifest)?;
    let mut scores = None;
    if let Some(source) = &inputs.scores {
        if fit.is_some() || inputs.responses.is_some() {
            let wanted = "scores take the place of needs and delivery, and of responses";
            return Err(Error::argument("scores", "scores beside other evidence", wanted));
        }
        let found = grid(source)?;
        (personas, propositions) = (found.rows, found.cols);
        scores = Some(found.values);
    }
    let mut responses = None;
    if let Some(columns) = inputs.responses {
        let known = fit.is_some().then_some(personas.as_slice());
        if fit.is_none() {
            propositions = columns.propositions.to_vec();
        }
        let columns = ResponseColumns { propositions: &propositions, ..columns };
        let (names, found) = responses::read(columns, known, options.confidence, &mut manifest)?;
        personas = names;
        responses = Some(found);
    }
    let evidence = match (&responses, &scores, &fit) {
        (Some(_), _, _) => Evidence::Responses,
        (_, Some(_), _) => Evidence::Scores,
        (_, _, Some(_)) => Evidence::Fit,
        _ => {
            let wanted = "needs and delivery, scores, or responses are needed";
            return Err(Error::argument("needs", "no evidence", wanted)
                .with_mend("value_map(needs, delivery)"));
        }
    };
    if responses.is_some() && personas.len() == 1 {
        let note = "no lift: there is one persona, and nobody to hold it against";
        manifest.notes.push(note.into());
    }
    let worth = worth(inputs, &personas, answers.as_ref(), responses.as_ref())?;
    let sensitive = match evidence {
        Evidence::Responses => responses.as_ref().map_or_else(Vec::new, |found| {
            let alpha = 1.0 - options.confidence;
            let lows = found.lift_ends[0].iter().zip(found.q.iter());
            // Where a persona is alone there is nobody to compare it with, and nothing is found.
            lows.map(|(&lo, &q)| lo > options.min_lift && q <= alpha).collect()
        }),
        Evidence::Scores => reaches(scores.as_deref(), options.threshold),
        Evidence::Fit => reaches(fit.as_ref().map(|fit| fit.fit.as_slice()), options.threshold),
    };
    let figures = match (&responses, &scores, &fit) {
        (Some(found), _, _) => found.rate.to_vec(),
        (_, Some(found), _) => found.clone(),
        (_, _, Some(fit)) => opportune(fit, personas.len()),
        _ => Vec::new(),
    };
    let uncertain = Uncertain {
        answers: answers.as_ref(),
        errors: errors.as_deref(),
        responses: responses.as_ref(),
    };
    let plan = Plan {
        n_boot: options.n_boot,
        confidence: options.confidence,
        seed: options.seed,
        threshold: options.threshold,
        top: options.top,
    };
    if options.n_boot > 0 && !uncertain.fit() && uncertain.responses.is_none() {
        manifest.notes.push(
            "no intervals: the figures are given, without answers of customers or standard errors"
                .into(),
        );
    }
    let scored = priority::scores(&worth, &figures);
    let (priority, spread) = rank(&scored, &worth, fit.as_ref(), uncertain, plan, monitor)?;
    Ok(ValueMap {
        manifest,
        options,
        words,
        evidence,
        personas,
        propositions,
        worth,
        fit,
        spread,
        scores,
        responses,
        rivals,
        sensitive,
        priority,
    })
}

/// Which figures reach the threshold.
fn reaches(figures: Option<&[f64]>, threshold: f64) -> Vec<bool> {
    // The hair keeps a sum of shares that is the threshold but for rounding.
    figures.unwrap_or_default().iter().map(|&figure| figure >= threshold - 1e-12).collect()
}

impl ValueMap {
    /// Number of personas that are sensitive to each proposition.
    pub fn reach(&self) -> Vec<usize> {
        let m = self.propositions.len();
        (0..m).map(|v| self.sensitive.iter().skip(v).step_by(m).filter(|&&s| s).count()).collect()
    }

    /// Share of each persona in the value of all.
    pub fn worth_shares(&self) -> Vec<f64> {
        super::matching::shares(&self.worth)
    }

    /// The sets of propositions that reach most: customers where these responded, else personas, each with its value.
    ///
    /// # Errors
    ///
    /// As [`turf`].
    pub fn turf(&self, sizes: &[usize], mut manifest: Manifest) -> Result<Turf> {
        let m = self.propositions.len();
        let mut weight = "weight".to_string();
        while self.propositions.contains(&weight) {
            weight.push('_');
        }
        let rows: Vec<(Vec<bool>, f64)> = match &self.responses {
            Some(responses) => responses
                .patterns
                .iter()
                .map(|p| ((0..m).map(|v| p.mask >> v & 1 == 1).collect(), p.customers as f64))
                .collect(),
            None => {
                manifest
                    .notes
                    .push("customers are personas here, each weighted by its value".into());
                let rows = self.sensitive.chunks_exact(m).map(<[bool]>::to_vec);
                rows.zip(self.worth.iter().copied()).collect()
            }
        };
        manifest.rows = match &self.responses {
            Some(responses) => responses.n.iter().sum(),
            None => rows.len(),
        };
        manifest.rows_used = manifest.rows;
        let mut builder = Table::builder();
        for (v, name) in self.propositions.iter().enumerate() {
            builder = builder.flag(name, rows.iter().map(|(row, _)| row[v]));
        }
        let table = builder.float(&weight, rows.iter().map(|&(_, weight)| weight)).finish()?;
        turf(&table, &self.propositions, sizes, None, Some(&weight), manifest)
    }
}
