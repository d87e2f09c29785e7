//! Cards changed by hand, with a record, and what differs between two versions.

use serde::Deserialize;

use super::condition::{Condition, Style};
use super::text::{self, MAX_TEXT};
use super::{Card, LeftOut, Line, Personas, Provenance, Revision, SECTIONS};
use crate::error::{Error, Result};
use crate::persist::Persist;
use crate::table::Table;

/// What one field of a card is to say.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// A category, a section, an attribute, or "name".
    pub field: String,
    /// What is to be said; nothing takes the lines away.
    pub statements: Vec<String>,
    /// For an attribute: the range that is stated.
    pub range: Option<(Option<f64>, Option<f64>)>,
}

impl Card {
    /// The segment's share of revenue, where a line tells it.
    fn share_of_revenue(&self) -> Option<f64> {
        let named = |line: &&Line| line.attribute.as_deref() == Some("revenue_share");
        self.lines.iter().find(named)?.figures.first()?.value
    }
}

/// A difference between two sets of cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The segment.
    pub segment: String,
    /// Category, section, or "name"; empty for a whole card.
    pub field: String,
    /// The attribute; empty where there is none.
    pub attribute: String,
    /// "added", "removed" or "changed".
    pub change: &'static str,
    /// What it said.
    pub before: String,
    /// What it says.
    pub after: String,
}

impl Personas {
    /// The same cards with fields of one of them changed by hand: what is said is assumed, and keeps what it replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for an unknown card or field (with the nearest), for a text that is empty or too long, and for a
    /// name that another card has.
    pub fn revise(&self, persona: &str, edits: &[Edit], reason: &str) -> Result<Self> {
        let mut revised = self.clone();
        revised.version += 1;
        let at = self.card(persona)?;
        let reason = written("reason", reason)?;
        for edit in edits {
            let statements = edit
                .statements
                .iter()
                .map(|statement| written(&edit.field, statement))
                .collect::<Result<Vec<_>>>()?;
            let before = revised.apply(at, edit, &statements, &reason)?;
            let after = match &edit.range {
                Some((at_least, below)) => {
                    vec![Condition::range(&edit.field, *at_least, *below).words(Style::Number)]
                }
                None => statements,
            };
            revised.revisions.push(Revision {
                version: revised.version,
                segment: self.cards[at].segment.clone(),
                field: edit.field.clone(),
                before,
                after,
                reason: reason.clone(),
            });
        }
        revised.validate()?;
        Ok(revised)
    }

    /// The cards of the `most` segments with the largest share of revenue, or with most customers where not every card
    /// tells its share; of equal ones the first. The others are told as left out.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if no card would be left.
    pub fn limit(&self, most: usize) -> Result<Self> {
        if most == 0 {
            return Err(Error::argument("most", 0, "at least one persona is needed"));
        }
        let revenue: Vec<Option<f64>> = self.cards.iter().map(Card::share_of_revenue).collect();
        let by_revenue = revenue.iter().all(Option::is_some);
        let rank = |at: usize| match by_revenue {
            true => revenue[at].unwrap_or(0.0),
            // A segment whose customers are too few to be told has the fewest.
            false => self.cards[at].n.map_or(0.0, |n| n as f64),
        };
        let mut order: Vec<usize> = (0..self.cards.len()).collect();
        order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)));
        let kept = &order[..most.min(order.len())];
        let mut limited = self.clone();
        let reason = format!(
            "not among the {most} segments with most {}",
            if by_revenue { "revenue" } else { "customers" }
        );
        limited.cards = Vec::with_capacity(kept.len());
        for (at, card) in self.cards.iter().enumerate() {
            if kept.contains(&at) {
                limited.cards.push(card.clone());
            } else {
                limited.left_out.push(LeftOut {
                    segment: card.segment.clone(),
                    n: card.n,
                    share: card.share,
                    worth: revenue[at],
                    reason: reason.clone(),
                });
            }
        }
        Ok(limited)
    }

    /// Place of the card of this name or segment.
    fn card(&self, persona: &str) -> Result<usize> {
        let wanted = text::name(persona);
        let found = self.cards.iter().position(|card| card.name == wanted);
        found.or_else(|| self.cards.iter().position(|card| card.segment == wanted)).ok_or_else(
            || {
                let names: Vec<&str> = self.cards.iter().map(|card| card.name.as_str()).collect();
                unknown("persona", &wanted, "personas", &names)
            },
        )
    }

    fn apply(
        &mut self,
        at: usize,
        edit: &Edit,
        statements: &[String],
        reason: &str,
    ) -> Result<Vec<String>> {
        let field = edit.field.as_str();
        if field == "name" {
            return self.rename(at, statements);
        }
        let is_slot = self.categories.iter().any(|slot| slot.key == field)
            || SECTIONS.iter().any(|(key, _)| *key == field);
        let placed = self.attributes.iter().find(|placed| placed.attribute == field);
        let attribute = placed.map(|placed| placed.slot.clone());
        let order: Vec<String> = self.slots().into_iter().map(|(key, _)| key).collect();
        let card = &mut self.cards[at];
        let slot = match (is_slot, attribute) {
            (true, _) => field.to_string(),
            (false, Some(slot)) => slot,
            (false, None) => {
                let line = card.lines.iter().find(|line| line.attribute.as_deref() == Some(field));
                match line {
                    Some(line) => line.slot.clone(),
                    None => {
                        let mut known = vec!["name"];
                        known.extend(self.categories.iter().map(|slot| slot.key.as_str()));
                        known.extend(SECTIONS.iter().map(|(key, _)| *key));
                        known.extend(self.attributes.iter().map(|p| p.attribute.as_str()));
                        return Err(unknown("revise", field, "fields", &known));
                    }
                }
            }
        };
        let concerned = |line: &Line| {
            line.slot == slot && (is_slot || line.attribute.as_deref() == Some(field))
        };
        let first = card.lines.iter().position(concerned);
        let before: Vec<Line> = card.lines.iter().filter(|line| concerned(line)).cloned().collect();
        card.lines.retain(|line| !concerned(line));
        let said: Vec<String> = before.iter().map(told).collect();
        let conditions: Vec<Option<Condition>> = match (&edit.range, is_slot) {
            (Some(_), true) => {
                let wanted = "a range belongs to an attribute, and a text to a category or section";
                return Err(Error::argument("revise", format!("a range for {field:?}"), wanted));
            }
            (Some((at_least, below)), false) => {
                let condition = Condition::range(field, *at_least, *below);
                condition.check()?;
                vec![Some(condition)]
            }
            (None, true) => vec![None; statements.len()],
            (None, false) => {
                statements.iter().map(|level| Some(Condition::level(field, level))).collect()
            }
        };
        // Where there was nothing the new lines come where their slot belongs.
        let rank = |key: &str| order.iter().position(|known| known == key);
        let after = |line: &Line| rank(&line.slot) > rank(&slot);
        let place = first.or_else(|| card.lines.iter().position(after)).unwrap_or(card.lines.len());
        for (number, condition) in conditions.into_iter().enumerate() {
            let statement = match (&edit.range, &condition) {
                (Some(_), Some(condition)) => condition.words(Style::Number),
                _ => statements[number].clone(),
            };
            let line = Line {
                slot: slot.clone(),
                attribute: (!is_slot).then(|| field.to_string()),
                statement,
                condition: condition.filter(Condition::is_sound),
                figures: Vec::new(),
                count: None,
                n: None,
                distinctive: false,
                provenance: Provenance::Assumed,
                reason: reason.to_string(),
                replaces: said.clone(),
            };
            card.lines.insert(place + number, line);
        }
        Ok(said)
    }

    fn rename(&mut self, at: usize, statements: &[String]) -> Result<Vec<String>> {
        let [name] = statements else {
            let found = format!("{} texts", statements.len());
            return Err(Error::argument("name", found, "one name is needed"));
        };
        let name = text::name(name);
        if self.cards.iter().enumerate().any(|(other, card)| other != at && card.name == name) {
            let wanted = "another persona has this name; names must be different";
            return Err(Error::argument("name", format!("{name:?}"), wanted));
        }
        Ok(vec![std::mem::replace(&mut self.cards[at].name, name)])
    }

    /// What other cards say differently: cards are compared by segment, lines by slot and attribute.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn diff(&self, other: &Self) -> Result<Table> {
        let mut changes = Vec::new();
        for card in &self.cards {
            match other.cards.iter().find(|found| found.segment == card.segment) {
                Some(found) => compare(card, found, &mut changes),
                None => changes.push(whole(card, "removed")),
            }
        }
        for card in &other.cards {
            if !self.cards.iter().any(|found| found.segment == card.segment) {
                changes.push(whole(card, "added"));
            }
        }
        Table::builder()
            .text("segment", changes.iter().map(|found| &found.segment))
            .text("field", changes.iter().map(|found| &found.field))
            .text("attribute", changes.iter().map(|found| &found.attribute))
            .text("change", changes.iter().map(|found| found.change))
            .text("before", changes.iter().map(|found| &found.before))
            .text("after", changes.iter().map(|found| &found.after))
            .finish()
    }
}

fn whole(card: &Card, change: &'static str) -> Change {
    let name = card.name.clone();
    let (before, after) =
        if change == "removed" { (name, String::new()) } else { (String::new(), name) };
    Change {
        segment: card.segment.clone(),
        field: String::new(),
        attribute: String::new(),
        change,
        before,
        after,
    }
}

fn compare(before: &Card, after: &Card, changes: &mut Vec<Change>) {
    let mut push = |field: &str, attribute: &str, old: Option<String>, new: Option<String>| {
        let change = match (&old, &new) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        if old != new {
            changes.push(Change {
                segment: before.segment.clone(),
                field: field.to_string(),
                attribute: attribute.to_string(),
                change,
                before: old.unwrap_or_default(),
                after: new.unwrap_or_default(),
            });
        }
    };
    push("name", "", Some(before.name.clone()), Some(after.name.clone()));
    let size = |card: &Card| card.n.map(|n| text::number(n as f64));
    push("n", "", size(before), size(after));
    // Lines of the same slot and attribute are the same line, in their order; without an attribute the statement tells.
    let key = |line: &Line| {
        let attribute = line.attribute.clone();
        let statement = match &attribute {
            Some(name) if !is_list(before, line, name) && !is_list(after, line, name) => None,
            _ => Some(line.statement.clone()),
        };
        (line.slot.clone(), attribute, statement)
    };
    for line in &before.lines {
        let new = after.lines.iter().find(|found| key(found) == key(line)).map(told);
        push(&line.slot, line.attribute.as_deref().unwrap_or(""), Some(told(line)), new);
    }
    for line in &after.lines {
        if !before.lines.iter().any(|found| key(found) == key(line)) {
            push(&line.slot, line.attribute.as_deref().unwrap_or(""), None, Some(told(line)));
        }
    }
}

/// Whether several lines of the slot are about the attribute: the entries of a ranked list.
fn is_list(card: &Card, line: &Line, attribute: &str) -> bool {
    let same =
        |other: &&Line| other.slot == line.slot && other.attribute.as_deref() == Some(attribute);
    card.lines.iter().filter(same).count() > 1
}

/// A line as one text.
pub(super) fn told(line: &Line) -> String {
    let mut told = match &line.attribute {
        Some(attribute) if *attribute != line.statement => {
            format!("{attribute}: {}", line.statement)
        }
        _ => line.statement.clone(),
    };
    for figure in &line.figures {
        let Some(value) = figure.value else { continue };
        let percent = |x: f64| format!("{} %", text::number(text::significant(100.0 * x, 3)));
        let shown = match figure.unit {
            super::Unit::Share => percent(value),
            super::Unit::Number => text::number(value),
        };
        told.push_str(&match figure.name.as_str() {
            "share" => format!(" ({shown})"),
            name => format!(" ({name} {shown})"),
        });
    }
    told.push_str(match line.provenance {
        Provenance::Observed => "",
        Provenance::Inferred => " [inferred]",
        Provenance::Assumed => " [assumed]",
    });
    told
}

/// Text that a person wrote.
fn written(field: &str, text: &str) -> Result<String> {
    let found = text.chars().count();
    if found > MAX_TEXT {
        let wanted = format!("at most {MAX_TEXT} are kept");
        return Err(Error::argument(field, format!("a text of {found} characters"), wanted));
    }
    let cleaned = text::clean(text);
    if cleaned.is_empty() {
        let wanted = match field {
            "reason" => "a reason is needed: it is kept with the change",
            _ => "a text is needed, or None to take it away",
        };
        return Err(Error::argument(field, "an empty text", wanted));
    }
    Ok(cleaned)
}

/// The refusal of a name that is not known, with the nearest.
fn unknown(argument: &str, found: &str, what: &str, known: &[&str]) -> Error {
    let shown: String = found.chars().take(60).collect();
    let wanted = match crate::table::missing_column(&shown, known) {
        Error::MissingColumn { available, suggestion, .. } => {
            let near = suggestion.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            format!("the {what} are {available}{near}")
        }
        other => other.to_string(),
    };
    Error::argument(argument, format!("{shown:?}"), wanted)
}
