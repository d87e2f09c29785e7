//! Value maps as tables.

use super::rivals::{Difference, PLACES, place};
use super::value_map::{Evidence, ValueMap};
use crate::error::{Error, Result};
use crate::sentence::listed;
use crate::table::Builder;
use crate::table::Table;

impl ValueMap {
    /// Personas by propositions, in the order of the figures.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, usize)> + Clone + use<> {
        let (p, m) = (self.personas.len(), self.propositions.len());
        (0..p).flat_map(move |persona| (0..m).map(move |v| (persona, v)))
    }

    /// The figure by which personas are held against each other: the rate of response, the score or the fit.
    pub fn figure(&self, persona: usize, proposition: usize) -> f64 {
        let at = persona * self.propositions.len() + proposition;
        match (self.evidence, &self.responses, &self.scores, &self.fit) {
            (Evidence::Responses, Some(found), ..) => found.rate[at],
            (Evidence::Scores, _, Some(scores), _) => scores[at],
            (Evidence::Fit, .., Some(fit)) => fit.fit[at],
            _ => f64::NAN,
        }
    }

    /// Needs of a persona that a proposition leaves unmatched, the most important first; none where needs are not given.
    pub fn unmatched(&self, persona: usize, proposition: usize) -> Vec<usize> {
        self.fit.as_ref().map_or_else(Vec::new, |fit| {
            fit.unmatched(persona, fit.delivered(proposition), self.options.matched)
        })
    }

    /// A proposition against the best competitor, to one persona; `None` without competitors.
    pub fn difference(&self, persona: usize, proposition: usize) -> Option<Difference> {
        let (fit, rivals) = (self.fit.as_ref()?, self.rivals.as_ref()?);
        Some(rivals.difference(fit, persona, fit.delivered(proposition), self.options.parity))
    }

    /// Names of needs as a list.
    pub(super) fn named(&self, needs: &[usize]) -> String {
        self.fit
            .as_ref()
            .map_or_else(String::new, |fit| listed(needs.iter().map(|&need| &fit.needs[need])))
    }

    fn pairs(&self, cells: &[(usize, usize)]) -> Builder {
        Table::builder()
            .text(&self.words.persona, cells.iter().map(|&(p, _)| &self.personas[p]))
            .text(&self.words.proposition, cells.iter().map(|&(_, v)| &self.propositions[v]))
    }

    /// One row per persona and proposition: the evidence and whether the persona is sensitive.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let cells: Vec<(usize, usize)> = self.cells().collect();
        let m = self.propositions.len();
        let mut builder = self.pairs(&cells);
        if let Some(scores) = &self.scores {
            builder = builder.float("score", scores.iter().copied());
        }
        if let Some(fit) = &self.fit {
            builder = builder.float("fit", fit.fit.iter().copied());
            if let Some(spread) = &self.spread {
                builder = builder
                    .float("fit_lo", spread.iter().map(|s| s.ends[0]))
                    .float("fit_hi", spread.iter().map(|s| s.ends[1]))
                    .float("p_sensitive", spread.iter().map(|s| s.sensitive));
            }
        }
        if let Some(found) = &self.responses {
            builder = builder.int("n", cells.iter().map(|&(p, _)| found.n[p] as i64));
            let ([rate_lo, rate_hi], [lift_lo, lift_hi]) = (&found.rate_ends, &found.lift_ends);
            for (name, figures) in [
                ("rate", &found.rate),
                ("rate_lo", rate_lo),
                ("rate_hi", rate_hi),
                ("lift", &found.lift),
                ("lift_lo", lift_lo),
                ("lift_hi", lift_hi),
                ("p", &found.p),
                ("q", &found.q),
            ] {
                builder = builder.float(name, figures.iter().copied());
            }
        }
        builder = builder.flag("sensitive", self.sensitive.iter().copied());
        if self.rivals.is_some() {
            let ahead =
                |&(p, v): &(usize, usize)| self.difference(p, v).map_or(f64::NAN, |d| d.ahead);
            builder = builder.float("differentiation", cells.iter().map(ahead));
        }
        if let Some(fit) = &self.fit {
            let open: Vec<Vec<usize>> = cells.iter().map(|&(p, v)| self.unmatched(p, v)).collect();
            let shares: Vec<Vec<f64>> = (0..self.personas.len()).map(|p| fit.shares(p)).collect();
            let share = |(at, needs): (usize, &Vec<usize>)| {
                needs.iter().fold(0.0, |sum, &need| sum + shares[at / m][need])
            };
            builder = builder
                .float("unmatched_share", open.iter().enumerate().map(share))
                .text("unmatched", open.iter().map(|needs| self.named(needs)));
        }
        builder.finish()
    }

    /// One row per proposition: rank, score with its interval, chances to come first and among the best, personas that are
    /// sensitive, and the share of the value of all personas that they hold.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn priority_table(&self) -> Result<Table> {
        let order = || self.priority.iter();
        let (m, reach) = (self.propositions.len(), self.reach());
        let worth = self.worth_shares();
        let held = |v: usize| {
            let held = worth.iter().zip(self.sensitive.chunks_exact(m)).filter(|(_, row)| row[v]);
            held.fold(0.0, |sum, (worth, _)| sum + worth)
        };
        let mut builder = Table::builder()
            .int("rank", order().map(|entry| entry.rank as i64))
            .text(
                &self.words.proposition,
                order().map(|entry| &self.propositions[entry.proposition]),
            )
            .float("score", order().map(|entry| entry.score));
        let certain: Option<Vec<_>> = order().map(|entry| entry.certainty).collect();
        if let Some(certain) = certain {
            builder = builder
                .float("score_lo", certain.iter().map(|c| c.ends[0]))
                .float("score_hi", certain.iter().map(|c| c.ends[1]))
                .float("p_first", certain.iter().map(|c| c.first))
                .float("p_top", certain.iter().map(|c| c.top));
        }
        builder = builder
            .int("personas", order().map(|entry| reach[entry.proposition] as i64))
            .float("reach", order().map(|entry| held(entry.proposition)));
        if self.rivals.is_some() {
            let ahead = |v: usize| {
                let ahead = |p| self.difference(p, v).map_or(f64::NAN, |found| found.ahead);
                worth.iter().enumerate().map(|(p, worth)| worth * ahead(p)).sum::<f64>()
            };
            builder =
                builder.float("differentiation", order().map(|entry| ahead(entry.proposition)));
        }
        builder.finish()
    }

    /// One row per persona and proposition, against the best competitor of each need.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] without competitors.
    pub fn differentiation(&self) -> Result<Table> {
        let cells: Vec<(usize, usize)> = self.cells().collect();
        let found: Option<Vec<Difference>> =
            cells.iter().map(|&(p, v)| self.difference(p, v)).collect();
        let Some(found) = found else {
            let wanted = "what each competitor delivers of each need must be given";
            return Err(Error::argument("competitors", "none", wanted)
                .with_mend("value_map(needs, delivery, competitors=competitors)"));
        };
        let mut builder = self
            .pairs(&cells)
            .float("differentiation", found.iter().map(|d| d.ahead))
            .float("lag", found.iter().map(|d| d.behind));
        for (at, name) in
            ["points_of_difference", "points_of_parity", "points_of_lag"].iter().enumerate()
        {
            builder = builder.text(name, found.iter().map(|d| self.named(&d.points[at])));
        }
        builder.finish()
    }

    /// One row per persona and need: how important it is, what the best proposition delivers, and what the best competitor.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where needs are not given.
    pub fn needs(&self) -> Result<Table> {
        let Some(fit) = &self.fit else {
            return Err(Error::argument("needs", "none", "needs and delivery must be given")
                .with_mend("value_map(needs, delivery)"));
        };
        let n = fit.needs.len();
        let cells: Vec<(usize, usize)> =
            (0..self.personas.len()).flat_map(|p| (0..n).map(move |need| (p, need))).collect();
        let flat = |of: &dyn Fn(usize) -> Vec<f64>| -> Vec<f64> {
            (0..self.personas.len()).flat_map(of).collect()
        };
        let important: Vec<bool> =
            (0..self.personas.len()).flat_map(|p| fit.important(p)).collect();
        let best = fit.best();
        let mut builder = Table::builder()
            .text(&self.words.persona, cells.iter().map(|&(p, _)| &self.personas[p]))
            .text(&self.words.need, cells.iter().map(|&(_, need)| &fit.needs[need]))
            .float("importance", fit.importance.iter().copied())
            .float("share", flat(&|p| fit.shares(p)))
            .flag("important", important.iter().copied());
        if let Some(satisfaction) = &fit.satisfaction {
            builder = builder
                .float("satisfaction", satisfaction.iter().copied())
                .float("opportunity_share", flat(&|p| fit.opportunities(p)));
        }
        builder = builder
            .float("delivery", cells.iter().map(|&(_, need)| best[need].1))
            .text("best", cells.iter().map(|&(_, need)| &self.propositions[best[need].0]))
            .flag("matched", cells.iter().map(|&(_, need)| best[need].1 >= self.options.matched));
        if let Some(rivals) = &self.rivals {
            let other = rivals.best();
            let gap = |need: usize| best[need].1 - other[need].1;
            builder = builder
                .float("competitor_delivery", cells.iter().map(|&(_, need)| other[need].1))
                .text("competitor", cells.iter().map(|&(_, need)| &rivals.names[other[need].0]))
                .float("gap", cells.iter().map(|&(_, need)| gap(need)))
                .text(
                    "position",
                    cells.iter().map(|&(_, need)| PLACES[place(gap(need), self.options.parity)]),
                );
        }
        builder.finish()
    }

    /// One row per persona, role and proposition, what fits best first, with what to do next.
    ///
    /// `roles` are those of each persona; without any there is no such column.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for roles of a persona that is not known.
    pub fn canvas(&self, roles: Option<&[(String, Vec<String>)]>) -> Result<Table> {
        let mut of: Vec<Vec<String>> = vec![vec![String::new()]; self.personas.len()];
        if let Some(roles) = roles {
            let names: Vec<String> = roles.iter().map(|(name, _)| name.clone()).collect();
            let places = super::grid::places(&names, &self.personas, "roles", "persona")?;
            for (at, (_, roles)) in places.into_iter().zip(roles) {
                of[at] = roles.clone();
            }
        }
        let mut rows: Vec<(usize, usize, &str)> = Vec::new();
        for (persona, roles) in of.iter().enumerate() {
            let mut order: Vec<usize> = (0..self.propositions.len()).collect();
            order.sort_by(|&a, &b| {
                let sensitive = |v: usize| self.sensitive[persona * self.propositions.len() + v];
                sensitive(b)
                    .cmp(&sensitive(a))
                    .then(self.figure(persona, b).total_cmp(&self.figure(persona, a)))
            });
            for role in roles {
                rows.extend(order.iter().map(|&v| (persona, v, role.as_str())));
            }
        }
        let m = self.propositions.len();
        let mut builder =
            Table::builder().text(&self.words.persona, rows.iter().map(|r| &self.personas[r.0]));
        if roles.is_some() {
            builder = builder.text("role", rows.iter().map(|r| r.2));
        }
        builder = builder
            .text(&self.words.proposition, rows.iter().map(|r| &self.propositions[r.1]))
            .float(
                match self.evidence {
                    Evidence::Fit => "fit",
                    Evidence::Scores => "score",
                    Evidence::Responses => "rate",
                },
                rows.iter().map(|r| self.figure(r.0, r.1)),
            )
            .flag("sensitive", rows.iter().map(|r| self.sensitive[r.0 * m + r.1]));
        if self.fit.is_some() {
            let gap = |r: &(usize, usize, &str)| self.named(&self.unmatched(r.0, r.1));
            builder = builder.text("gap", rows.iter().map(gap));
        }
        builder.text("next_action", rows.iter().map(|r| self.next_action(r.0, r.1))).finish()
    }
}
