//! The frames that a value map is made of, and what is read from them.

use super::answers::{Answers, answers};
use super::grid::{Cells, Range, Source, grid, places};
use super::matching::Fit;
use super::responses::{ResponseColumns, Responses};
use super::rivals::Rivals;
use crate::error::{Error, Result};
use crate::manifest::Manifest;

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

/// What needs and deliveries give.
#[derive(Default)]
pub(super) struct Needed {
    pub(super) personas: Vec<String>,
    pub(super) propositions: Vec<String>,
    pub(super) fit: Option<Fit>,
    pub(super) rivals: Option<Rivals>,
    pub(super) answers: Option<Answers>,
    pub(super) errors: Option<Vec<f64>>,
}

/// Reads needs, deliveries and competitors.
pub(super) fn needed(inputs: &Inputs<'_>, manifest: &mut Manifest) -> Result<Needed> {
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
    let Cells::Pairs { col, .. } = needs.cells else {
        let wanted = "it stands beside importance in a frame with one row per persona and need";
        return Err(Error::argument(argument, format!("the column {column:?}"), wanted));
    };
    let source =
        Source { cells: Cells::Pairs { col, value: column }, argument, range, ..needs.clone() };
    Ok(grid(&source)?.values)
}

/// What each persona is worth: as given, or its customers, or 1.
pub(super) fn worth(
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
