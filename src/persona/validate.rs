//! What saved cards must satisfy.

use std::collections::{HashMap, HashSet};

use super::text::{self, MAX_NAME, MAX_TEXT};
use super::{Card, Figure, Line, Personas, SECTIONS, Unit};
use crate::confidence::is_level;
use crate::error::Result;
use crate::persist::{self, Persist};

/// Cards and lines of a file at most.
const MOST_CARDS: usize = 1000;
const MOST_LINES: usize = 10_000;

impl Persist for Personas {
    const KIND: &'static str = "personas";

    fn validate(&self) -> Result<()> {
        let refuse = |reason: &str| Err(persist::broken(reason));
        if self.version == 0 || !is_level(self.confidence) {
            return refuse("version or confidence is out of range");
        }
        if self.cards.is_empty() || self.cards.len() > MOST_CARDS {
            return refuse("there are no cards, or too many");
        }
        let slots: HashMap<&str, usize> = self
            .categories
            .iter()
            .map(|slot| slot.key.as_str())
            .chain(SECTIONS.iter().map(|(key, _)| *key))
            .enumerate()
            .map(|(at, key)| (key, at))
            .collect();
        if slots.len() != self.categories.len() + SECTIONS.len() {
            return refuse("two categories have one key");
        }
        let names = [
            self.categories.iter().flat_map(|slot| [&slot.key, &slot.name]).collect::<Vec<_>>(),
            self.attributes.iter().flat_map(|p| [&p.attribute, &p.by]).collect(),
            self.left_out.iter().map(|left| &left.segment).collect(),
            self.cards.iter().flat_map(|card| [&card.segment, &card.name]).collect(),
        ];
        if !names.iter().flatten().all(is_name) {
            return refuse("a name is empty, too long, or holds characters that are not printable");
        }
        let placed = self.attributes.iter().all(|placed| {
            slots.contains_key(placed.slot.as_str())
                && matches!(placed.level.as_deref(), None | Some("account" | "contact"))
        });
        if !placed {
            return refuse("an attribute has a category that does not exist");
        }
        let different = |of: fn(&Card) -> &String| {
            self.cards.iter().map(of).collect::<HashSet<_>>().len() == self.cards.len()
        };
        if !different(|card| &card.segment) || !different(|card| &card.name) {
            return refuse("two cards have one name");
        }
        for left in &self.left_out {
            let shares = [left.share, left.worth];
            if !is_text(&left.reason) || !shares.iter().flatten().all(|share| share.is_finite()) {
                return refuse("a segment without a card is not told as it should be");
            }
        }
        if !self.scenario.as_deref().is_none_or(is_name) || !is_name(&self.taxonomy) {
            return refuse("the scenario or the version of the list is not printable");
        }
        for card in &self.cards {
            check_card(card, &slots, self.n)?;
        }
        for revision in &self.revisions {
            let texts = revision.before.iter().chain(&revision.after).chain([&revision.reason]);
            if !(2..=self.version).contains(&revision.version)
                || !is_name(&revision.field)
                || !is_name(&revision.segment)
                || !texts.into_iter().all(is_text)
            {
                return refuse("a revision is not told as it should be");
            }
        }
        Ok(())
    }
}

fn check_card(card: &Card, slots: &HashMap<&str, usize>, n: usize) -> Result<()> {
    let refuse = |reason: &str| Err(persist::broken(format!("{}: {reason}", card.segment)));
    if card.n.is_some() != card.share.is_some()
        || card.n.is_some_and(|size| size > n)
        || !card.share.is_none_or(|share| (0.0..=1.0).contains(&share))
    {
        return refuse("the number of its customers is out of range");
    }
    if let Some(exemplar) = &card.exemplar {
        let values = exemplar.values.iter().all(|(name, value)| is_name(name) && is_text(value));
        if !exemplar.distance.is_finite() || !exemplar.id.as_deref().is_none_or(is_text) || !values
        {
            return refuse("its exemplar is not told as it should be");
        }
    }
    if card.lines.len() > MOST_LINES {
        return refuse("too many lines");
    }
    let mut last = 0;
    for line in &card.lines {
        match slots.get(line.slot.as_str()) {
            None => return refuse("a line stands in a category that does not exist"),
            Some(&at) if at < last => {
                return refuse("lines do not stand in the order of their slots");
            }
            Some(&at) => last = at,
        }
        check_line(line).or_else(refuse)?;
    }
    Ok(())
}

fn check_line(line: &Line) -> std::result::Result<(), &'static str> {
    if line.statement.is_empty() || !is_text(&line.statement) || !is_text(&line.reason) {
        return Err("a line says nothing, too much, or what is not printable");
    }
    if !line.attribute.as_deref().is_none_or(is_name) || !line.replaces.iter().all(is_text) {
        return Err("a line has a name or replaces a text that is not printable");
    }
    if let Some(condition) = &line.condition
        && (!condition.is_sound() || line.attribute.as_deref() != Some(&condition.column))
    {
        return Err("a line has a rule that cannot be applied");
    }
    match (line.count, line.n) {
        (Some(count), Some(n)) if count <= n => {}
        (None, _) => {}
        _ => return Err("a line counts more customers than there are"),
    }
    if line.figures.len() > 16 || !line.figures.iter().all(is_sound) {
        return Err("a line has a figure out of range");
    }
    Ok(())
}

fn is_sound(figure: &Figure) -> bool {
    let parts = [figure.value, figure.lo, figure.hi, figure.overall];
    let range = match figure.unit {
        Unit::Share => -1e6..=1e6,
        Unit::Number => f64::MIN..=f64::MAX,
    };
    let ordered = match (figure.lo, figure.hi) {
        (Some(lo), Some(hi)) => lo <= hi,
        _ => true,
    };
    is_name(&figure.name)
        && ordered
        && parts.iter().flatten().all(|part| range.contains(part))
        && figure.lift.is_none_or(f64::is_finite)
}

fn is_name(name: impl AsRef<str>) -> bool {
    let name = name.as_ref();
    !name.is_empty() && name.len() <= 4 * MAX_NAME && text::name(name) == name
}

fn is_text(text: impl AsRef<str>) -> bool {
    let text = text.as_ref();
    text.len() <= 8 * MAX_TEXT && text::clean(text) == text
}
