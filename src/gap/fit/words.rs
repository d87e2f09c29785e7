//! Value maps in words.

use super::value_map::{Evidence, ValueMap};
use crate::confidence::in_percent;
use crate::sentence::listed;

/// A name in a sentence: in quotes where it is more than one word.
pub(super) fn quoted(name: &str) -> String {
    if !name.is_empty() && name.chars().all(char::is_alphanumeric) {
        name.to_string()
    } else {
        format!("\"{name}\"")
    }
}

impl ValueMap {
    /// Who is sensitive to what, one sentence each: how many personas there are, and then one for each of them.
    pub fn sentences(&self) -> Vec<String> {
        let m = self.propositions.len();
        let mut lines = vec![match self.personas.len() {
            1 => "We have 1 persona.".to_string(),
            n => format!("We have {n} personas."),
        }];
        for (persona, row) in self.personas.iter().zip(self.sensitive.chunks_exact(m)) {
            let found: Vec<String> =
                (0..m).filter(|&v| row[v]).map(|v| quoted(&self.propositions[v])).collect();
            lines.push(match found.as_slice() {
                [] => format!("{persona} is sensitive to no value proposition."),
                [only] => format!("{persona} is sensitive only to value proposition {only}."),
                _ => format!("{persona} is sensitive to value propositions {}.", listed(found)),
            });
        }
        lines
    }

    /// What to do about a proposition for a persona, by rules that [`ValueMap::explain`] states.
    pub(super) fn next_action(&self, persona: usize, proposition: usize) -> String {
        let open = self.unmatched(persona, proposition);
        if !self.sensitive[persona * self.propositions.len() + proposition] {
            return match open.split_first() {
                Some((first, _)) if self.evidence == Evidence::Fit => {
                    format!("leave out, or deliver {}", self.quoted_need(*first))
                }
                _ => "leave out".to_string(),
            };
        }
        match self.difference(persona, proposition) {
            None => "lead with it".to_string(),
            Some(found) => match found.points[0].first() {
                Some(&first) => format!("lead with {}", self.quoted_need(first)),
                None => "find a reason to choose it: no important need is served better than by competitors".into(),
            },
        }
    }

    fn quoted_need(&self, need: usize) -> String {
        self.fit.as_ref().map_or_else(String::new, |fit| quoted(&fit.needs[need]))
    }

    /// Who is sensitive to what and why, which proposition comes first, and by which thresholds, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = self.sentences();
        lines.push(self.first());
        if let Some(line) = self.against_rivals() {
            lines.push(line);
        }
        if let Some(line) = self.open_needs() {
            lines.push(line);
        }
        lines.extend(self.rules());
        lines
    }

    /// The proposition that comes first.
    fn first(&self) -> String {
        let share = in_percent(self.options.confidence);
        let best: Vec<String> = (self.priority.iter().filter(|entry| entry.rank == 1))
            .map(|entry| quoted(&self.propositions[entry.proposition]))
            .collect();
        let verb = if best.len() == 1 { "comes" } else { "come" };
        let entry = &self.priority[0];
        let sure = match entry.certainty {
            Some(found) => format!(
                " ({share} interval {:.2} to {:.2}; first in {:.0} % of the replicates)",
                found.ends[0],
                found.ends[1],
                100.0 * found.first
            ),
            None => ", without an interval".to_string(),
        };
        format!("{} {verb} first with a score of {:.2}{sure}.", listed(best), entry.score)
    }

    /// Where the propositions together are ahead of competitors.
    fn against_rivals(&self) -> Option<String> {
        let (fit, rivals) = (self.fit.as_ref()?, self.rivals.as_ref()?);
        let best: Vec<f64> = fit.best().into_iter().map(|(_, value)| value).collect();
        let parity = self.options.parity;
        let parts: Vec<String> = (0..self.personas.len())
            .map(|persona| {
                let found = rivals.difference(fit, persona, &best, parity);
                let named = |at: usize| match found.points[at].is_empty() {
                    true => "none".to_string(),
                    false => listed(found.points[at].iter().map(|&need| self.quoted_need(need))),
                };
                let (ahead, behind) = (named(0), named(2));
                format!("for {} ahead in {ahead}, behind in {behind}", self.personas[persona])
            })
            .collect();
        Some(format!(
            "Against the best competitor, of the needs that are at least as important as the average one: {}.",
            parts.join("; ")
        ))
    }

    /// Needs that no proposition delivers.
    fn open_needs(&self) -> Option<String> {
        let fit = self.fit.as_ref()?;
        let best: Vec<f64> = fit.best().into_iter().map(|(_, value)| value).collect();
        let open: Vec<String> = (0..fit.needs.len())
            .filter(|&need| best[need] < self.options.matched)
            .map(|need| self.quoted_need(need))
            .collect();
        (!open.is_empty()).then(|| {
            let least = self.options.matched;
            format!("No proposition delivers {least} or more of {}.", listed(open))
        })
    }

    /// The thresholds and how figures are made.
    fn rules(&self) -> Vec<String> {
        let options = &self.options;
        let mut lines = Vec::new();
        lines.push(match self.evidence {
            Evidence::Fit => format!(
                "A persona is sensitive to a proposition with a fit of at least {}: the mean of what it delivers of each \
                 need, from 0 to 1, weighted by importance.",
                options.threshold
            ),
            Evidence::Scores => format!(
                "A persona is sensitive to a proposition with a score of at least {}.",
                options.threshold
            ),
            Evidence::Responses => format!(
                "A persona is sensitive to a proposition where the {} interval of its lift (its rate of response over \
                 that of all other customers) lies above {} and the test adjusted for all {} pairs has q of at most {}.",
                in_percent(options.confidence),
                options.min_lift,
                self.sensitive.len(),
                // Without the digits that the subtraction leaves.
                ((1.0 - options.confidence) * 1e9).round() / 1e9
            ),
        });
        let figure = match self.evidence {
            Evidence::Responses => "rate of response",
            Evidence::Scores => "score",
            Evidence::Fit => {
                match self.fit.as_ref().is_some_and(|fit| fit.satisfaction.is_some()) {
                    true => {
                        "fit, with needs weighted by importance + max(importance - satisfaction, 0),"
                    }
                    false => "fit",
                }
            }
        };
        lines.push(format!(
            "The score of a proposition is the mean of its {figure} over the personas, weighted by their value."
        ));
        if self.rivals.is_some() {
            lines.push(format!(
                "Differentiation is sum(w max(own - best competitor, 0)) with weights that add up to 1; deliveries up to {} \
                 apart are at par.",
                options.parity
            ));
        }
        lines
    }
}
