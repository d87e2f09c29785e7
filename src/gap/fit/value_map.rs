//! Personas by propositions.

use serde::{Deserialize, Serialize};

use super::answers::{Answers, answers};
use super::fit_matrix::check_share;
use super::grid::{Range, Source, grid, places};
use super::matching::Fit;
use super::priority::{self, Plan, Ranked, Spread, Uncertain, opportune, rank};
use super::responses::{self, ResponseColumns, Responses};
use super::rivals::Rivals;
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
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            let wanted = "a number between 0 and 1 is needed";
            return refuse("confidence", self.confidence, wanted, "confidence=0.95");
        }
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

/// How satisfied personas are.
#[derive(Debug, Clone)]
pub enum Satisfaction<'a> {
    /// A column beside importance.
    Column(&'a str),
    /// A frame of its own.
    Frame(Source<'a>),
}

/// The frames that a map is made of.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// Importance of each need to each persona.
    pub needs: Option<Source<'a>>,
    /// Column of `needs` that tells customers apart, where these rated.
    pub customer: Option<&'a str>,
    /// Column of `needs` with the standard error of each importance.
    pub standard_error: Option<&'a str>,
    /// How satisfied personas are with what there is.
    pub satisfaction: Option<Satisfaction<'a>>,
    /// What each proposition delivers of each need.
    pub delivery: Option<Source<'a>>,
    /// What each competitor delivers of each need.
    pub competitors: Option<Source<'a>>,
    /// Scores of each persona for each proposition.
    pub scores: Option<Source<'a>>,
    /// Customers who responded or did not.
    pub responses: Option<ResponseColumns<'a>>,
    /// What each persona is worth.
    pub worth: Option<Vec<(String, f64)>>,
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

/// What needs and deliveries give.
#[derive(Default)]
struct Needed {
    personas: Vec<String>,
    propositions: Vec<String>,
    fit: Option<Fit>,
    rivals: Option<Rivals>,
    answers: Option<Answers>,
    errors: Option<Vec<f64>>,
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

/// Reads needs, deliveries and competitors.
fn needed(inputs: &Inputs<'_>, manifest: &mut Manifest) -> Result<Needed> {
    let (needs, delivery) = match (&inputs.needs, &inputs.delivery) {
        (Some(needs), Some(delivery)) => (needs, delivery),
        (None, None) => {
            let alone = [
                ("competitors", inputs.competitors.is_some()),
                ("satisfaction", inputs.satisfaction.is_some()),
            ];
            return match alone.into_iter().find(|(_, given)| *given) {
                Some((argument, _)) => {
                    let wanted = "they are held against needs and delivery, which are not given";
                    Err(Error::argument(argument, "a frame", wanted)
                        .with_mend("value_map(needs, delivery)"))
                }
                None => Ok(Needed::default()),
            };
        }
        (Some(_), None) => {
            return Err(Error::argument(
                "delivery",
                "none",
                "what each proposition delivers is needed",
            ));
        }
        (None, Some(_)) => {
            return Err(Error::argument("needs", "none", "what each persona needs is needed"));
        }
    };
    let (mut rated, mut errors) = (None, None);
    let (personas, names, importance, mut satisfaction) = if let Some(customer) = inputs.customer {
        if inputs.standard_error.is_some() {
            let wanted = "answers of customers tell it themselves";
            return Err(Error::argument("standard_error", "a column", wanted));
        }
        let column = match &inputs.satisfaction {
            Some(Satisfaction::Column(name)) => Some(*name),
            _ => None,
        };
        let found = answers(needs, customer, column, manifest)?;
        let means: Vec<_> = (0..found.personas.len()).map(|p| found.means(p, None)).collect();
        let importance = means.iter().flat_map(|(importance, _)| importance).copied().collect();
        let satisfied: Option<Vec<f64>> = column.is_some().then(|| {
            means
                .iter()
                .filter_map(|(_, satisfied)| satisfied.as_ref())
                .flatten()
                .copied()
                .collect()
        });
        let names = (found.personas.clone(), found.needs.clone());
        rated = Some(found);
        (names.0, names.1, importance, satisfied)
    } else {
        let found = grid(needs)?;
        errors = inputs
            .standard_error
            .map(|name| beside(needs, name, "standard_error", Range::Weights))
            .transpose()?;
        let satisfied = match &inputs.satisfaction {
            Some(Satisfaction::Column(name)) => {
                Some(beside(needs, name, "satisfaction", needs.range)?)
            }
            _ => None,
        };
        (found.rows, found.cols, found.values, satisfied)
    };
    if let Some(Satisfaction::Frame(source)) = &inputs.satisfaction {
        let found = grid(source)?.with_cols(source, &names)?;
        satisfaction = Some(found.with_rows(source.argument, "persona", &personas)?.values);
    }
    if let (Some(errors), Range::Scale { low, high, .. }) = (&mut errors, needs.range) {
        errors.iter_mut().for_each(|error| *error /= high - low);
    }
    let offers = grid(delivery)?.with_cols(delivery, &names)?;
    let rivals = match &inputs.competitors {
        Some(source) => {
            let found = grid(source)?.with_cols(source, &names)?;
            Some(Rivals { names: found.rows, delivery: found.values })
        }
        None => None,
    };
    let fit = Fit::new(&personas, names, importance, satisfaction, offers.values)?;
    Ok(Needed {
        personas,
        propositions: offers.rows,
        fit: Some(fit),
        rivals,
        answers: rated,
        errors,
    })
}

/// The numbers of another column of the frame of needs.
fn beside(
    needs: &Source<'_>,
    column: &str,
    argument: &'static str,
    range: Range,
) -> Result<Vec<f64>> {
    use super::grid::Cells;
    let Cells::Pairs { col, .. } = needs.cells else {
        let wanted = "it stands beside importance in a frame with one row per persona and need";
        return Err(Error::argument(argument, format!("the column {column:?}"), wanted));
    };
    let source =
        Source { cells: Cells::Pairs { col, value: column }, argument, range, ..needs.clone() };
    Ok(grid(&source)?.values)
}

/// What each persona is worth: as given, or its customers, or 1.
fn worth(
    inputs: &Inputs<'_>,
    personas: &[String],
    answers: Option<&Answers>,
    responses: Option<&Responses>,
) -> Result<Vec<f64>> {
    let Some(given) = &inputs.worth else {
        return Ok(match (responses, answers) {
            (Some(responses), _) => responses.n.iter().map(|&n| n as f64).collect(),
            (_, Some(answers)) => answers.starts.windows(2).map(|w| (w[1] - w[0]) as f64).collect(),
            _ => vec![1.0; personas.len()],
        });
    };
    let names: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
    let mut worth = vec![f64::NAN; personas.len()];
    for (&at, (name, value)) in places(&names, personas, "value", "persona")?.iter().zip(given) {
        if !(value.is_finite() && *value >= 0.0) {
            let wanted = format!("a number from 0 up is needed ({name:?})");
            return Err(Error::argument("value", value, wanted));
        }
        worth[at] = *value;
    }
    if let Some(missing) = worth.iter().position(|value| value.is_nan()) {
        let found = format!("nothing for the persona {:?}", personas[missing]);
        return Err(Error::argument("value", found, "every persona is needed"));
    }
    if worth.iter().all(|&value| value <= 0.0) {
        return Err(Error::argument(
            "value",
            "no value above 0",
            "some persona must be worth something",
        ));
    }
    Ok(worth)
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
