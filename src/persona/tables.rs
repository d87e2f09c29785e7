//! Cards as tables and in words.

use super::revise::told;
use super::text::number;
use super::{Card, Figure, Line, Personas, Provenance, SECTIONS, THROUGH};
use crate::confidence::in_percent;
use crate::error::Result;
use crate::table::Table;

impl Personas {
    /// One row per line of a card.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let rows: Vec<(&Card, &Line)> =
            self.cards.iter().flat_map(|card| card.lines.iter().map(move |l| (card, l))).collect();
        let share = |line: &Line| line.figures.iter().find(|f| f.name == "share").cloned();
        let other = |line: &Line| line.figures.iter().find(|f| f.name != "share").cloned();
        let part = |figure: Option<Figure>, part: fn(&Figure) -> Option<f64>| {
            figure.as_ref().and_then(part).unwrap_or(f64::NAN)
        };
        let shares = |pick: fn(&Figure) -> Option<f64>| {
            rows.iter().map(|(_, line)| part(share(line), pick)).collect::<Vec<_>>()
        };
        let others = |pick: fn(&Figure) -> Option<f64>| {
            rows.iter().map(|(_, line)| part(other(line), pick)).collect::<Vec<_>>()
        };
        Table::builder()
            .text("persona", rows.iter().map(|(card, _)| &card.name))
            .text("slot", rows.iter().map(|(_, line)| &line.slot))
            .text("attribute", rows.iter().map(|(_, line)| line.attribute.as_deref().unwrap_or("")))
            .text("statement", rows.iter().map(|(_, line)| &line.statement))
            .float("share", shares(|f| f.value))
            .float("share_lo", shares(|f| f.lo))
            .float("share_hi", shares(|f| f.hi))
            .float("overall", shares(|f| f.overall))
            .float("lift", shares(|f| f.lift))
            .text("figure", rows.iter().map(|(_, l)| other(l).map_or(String::new(), |f| f.name)))
            .float("value", others(|f| f.value))
            .float("value_lo", others(|f| f.lo))
            .float("value_hi", others(|f| f.hi))
            .float("value_overall", others(|f| f.overall))
            .some_int("count", rows.iter().map(|(_, line)| line.count.map(|n| n as i64)))
            .some_int("n", rows.iter().map(|(_, line)| line.n.map(|n| n as i64)))
            .flag("distinctive", rows.iter().map(|(_, line)| line.distinctive))
            .text("provenance", rows.iter().map(|(_, line)| line.provenance.name()))
            .text("reason", rows.iter().map(|(_, line)| &line.reason))
            .text("replaces", rows.iter().map(|(_, line)| line.replaces.join("; ")))
            .finish()
    }

    /// Sections that fill a category, too.
    fn through(category: &str) -> &'static [&'static str] {
        THROUGH.iter().find(|(key, _)| *key == category).map_or(&[], |(_, sections)| *sections)
    }

    /// One row per persona and category of characteristics: how many lines it has, by where they come from.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn coverage(&self) -> Result<Table> {
        let rows: Vec<_> = self
            .cards
            .iter()
            .flat_map(|card| self.categories.iter().map(move |slot| (card, slot)))
            .map(|(card, slot)| {
                let also = Self::through(&slot.key);
                let lines: Vec<&Line> = card
                    .lines
                    .iter()
                    .filter(|line| line.slot == slot.key || also.contains(&line.slot.as_str()))
                    .collect();
                let of = |provenance: Provenance| {
                    lines.iter().filter(|line| line.provenance == provenance).count() as i64
                };
                let counts =
                    [Provenance::Observed, Provenance::Inferred, Provenance::Assumed].map(of);
                (card.name.clone(), slot.key.clone(), slot.name.clone(), counts)
            })
            .collect();
        Table::builder()
            .text("persona", rows.iter().map(|row| &row.0))
            .text("category", rows.iter().map(|row| &row.1))
            .text("name", rows.iter().map(|row| &row.2))
            .int("observed", rows.iter().map(|row| row.3[0]))
            .int("inferred", rows.iter().map(|row| row.3[1]))
            .int("assumed", rows.iter().map(|row| row.3[2]))
            .flag("empty", rows.iter().map(|row| row.3 == [0, 0, 0]))
            .finish()
    }

    /// Columns with their categories and how they got there.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn attributes(&self) -> Result<Table> {
        Table::builder()
            .text("attribute", self.attributes.iter().map(|placed| &placed.attribute))
            .text("category", self.attributes.iter().map(|placed| &placed.slot))
            .text("by", self.attributes.iter().map(|placed| &placed.by))
            .text("level", self.attributes.iter().map(|p| p.level.as_deref().unwrap_or("")))
            .finish()
    }

    /// Segments without a card.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn left_out(&self) -> Result<Table> {
        Table::builder()
            .text("segment", self.left_out.iter().map(|left| &left.segment))
            .some_int("n", self.left_out.iter().map(|left| left.n.map(|n| n as i64)))
            .float("share", self.left_out.iter().map(|left| left.share.unwrap_or(f64::NAN)))
            .float("worth", self.left_out.iter().map(|left| left.worth.unwrap_or(f64::NAN)))
            .text("reason", self.left_out.iter().map(|left| &left.reason))
            .finish()
    }

    /// The changes by hand, the oldest first.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn revisions(&self) -> Result<Table> {
        let of = |texts: &[String]| texts.join("; ");
        Table::builder()
            .int("version", self.revisions.iter().map(|found| i64::from(found.version)))
            .text("segment", self.revisions.iter().map(|found| &found.segment))
            .text("field", self.revisions.iter().map(|found| &found.field))
            .text("before", self.revisions.iter().map(|found| of(&found.before)))
            .text("after", self.revisions.iter().map(|found| of(&found.after)))
            .text("reason", self.revisions.iter().map(|found| &found.reason))
            .finish()
    }

    /// The personas in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let n = self.cards.len();
        lines.push(format!(
            "{n} persona{} of {} customers, version {}.",
            if n == 1 { "" } else { "s" },
            number(self.n as f64),
            self.version
        ));
        for card in &self.cards {
            lines.push(self.card_in_words(card));
        }
        if !self.left_out.is_empty() {
            let names: Vec<&str> = self.left_out.iter().map(|l| l.segment.as_str()).collect();
            let sum = |part: fn(&super::LeftOut) -> Option<f64>| {
                self.left_out.iter().map(part).sum::<Option<f64>>()
            };
            let mut line = format!("Without a card: {}", names.join(", "));
            if let Some(share) = sum(|left| left.share) {
                line.push_str(&format!(", together {:.1} % of the customers", 100.0 * share));
            }
            if let Some(worth) = sum(|left| left.worth) {
                line.push_str(&format!(" and {:.1} % of the revenue", 100.0 * worth));
            }
            lines.push(format!("{line}."));
        }
        lines.push(format!(
            "A category is stated that most customers of the segment are in, an amount by the third of all customers in which \
             most of them are. Shares stand with {} intervals (Wilson), means with Student's. Distinctive is what holds \
             more often in the segment than over all (v-test, 5 % level, adjusted for all lines of all cards). Lines that rest \
             on fewer than {} customers are hidden.",
            in_percent(self.confidence),
            self.min_count
        ));
        lines.extend(self.manifest.notes.iter().map(|note| format!("Note: {note}.")));
        lines
    }

    fn card_in_words(&self, card: &Card) -> String {
        let mut line = match (card.n, card.share) {
            (Some(n), Some(share)) => {
                format!("{} ({} customers, {:.1} %)", card.name, number(n as f64), 100.0 * share)
            }
            _ => format!("{} (fewer than {} customers)", card.name, self.min_count),
        };
        let distinctive: Vec<String> =
            card.lines.iter().filter(|line| line.distinctive).take(6).map(told).collect();
        line.push_str(&match distinctive.is_empty() {
            true => ": nothing sets it apart from all customers".to_string(),
            false => format!(": {}", distinctive.join("; ")),
        });
        let of = |provenance| card.lines.iter().filter(|l| l.provenance == provenance).count();
        line.push_str(&format!(
            ". {} lines observed, {} inferred, {} assumed",
            of(Provenance::Observed),
            of(Provenance::Inferred),
            of(Provenance::Assumed)
        ));
        let empty: Vec<&str> = self
            .categories
            .iter()
            .filter(|slot| {
                let also = Self::through(&slot.key);
                !card.lines.iter().any(|l| l.slot == slot.key || also.contains(&l.slot.as_str()))
            })
            .map(|slot| slot.name.as_str())
            .collect();
        if !empty.is_empty() {
            line.push_str(&format!(". Nothing is said of: {}", empty.join(", ")));
        }
        if card.hidden > 0 {
            let lines = if card.hidden == 1 { "line" } else { "lines" };
            line.push_str(&format!(". Hidden for too few customers: {} {lines}", card.hidden));
        }
        format!("{line}.")
    }

    /// Keys and names of the slots of a card, in order.
    pub fn slots(&self) -> Vec<(String, String)> {
        let categories = self.categories.iter().map(|slot| (slot.key.clone(), slot.name.clone()));
        let sections = SECTIONS.iter().map(|(key, name)| ((*key).to_string(), (*name).to_string()));
        categories.chain(sections).collect()
    }
}
