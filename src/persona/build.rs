//! Cards from a table and the segment of each row.

use std::collections::HashMap;

use serde::Deserialize;

use super::condition::Condition;
use super::exemplar::Distances;
use super::facts::{self, Counted, Counts};
use super::read::{self, Attribute};
use super::text::{self, significant};
use super::{Card, Exemplar, LeftOut, Line, Personas, Placed, Provenance, SECTIONS, Slot};
use crate::confidence::{check_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::Persist;
use crate::table::{Kind, MISSING, Table};

/// A column that is to be an attribute.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The column.
    pub column: String,
    /// Its category or section.
    pub slot: String,
    /// How it got there.
    pub by: String,
    /// "account" or "contact".
    pub level: Option<String>,
    /// Whether it was named, rather than taken because it is there.
    pub chosen: bool,
}

/// Columns that are ranked in a section.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The section.
    pub slot: String,
    /// One column whose categories are ranked, or several of which each is something that a customer has or not.
    pub columns: Vec<String>,
    /// Rating from which a customer has it.
    pub at_least: Option<f64>,
    /// What follows from a category, where most customers are in it: category, statement, and why.
    pub follows: Vec<(String, String, String)>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Names of the segments.
    pub names: Vec<String>,
    /// Segments that get a card, in the order of the cards.
    pub keep: Vec<usize>,
    /// Why the others get none, by segment.
    pub why: Vec<String>,
    /// Share of each segment in the revenue, where that is known.
    pub worth: Option<Vec<Option<f64>>>,
    /// Categories of characteristics.
    pub categories: Vec<Slot>,
    /// Version of the list of categories.
    pub taxonomy: String,
    /// Frame of reference.
    pub scenario: Option<String>,
    /// Columns that are attributes.
    pub attributes: Vec<Wanted>,
    /// Sections that are ranked from columns.
    pub lists: Vec<List>,
    /// Columns that a rule or model made.
    pub inferred: Vec<String>,
    /// Lines that do not come from the columns, for each card.
    pub lines: Vec<Vec<Line>>,
    /// Column that identifies a customer.
    pub customer: Option<String>,
    /// Confidence of intervals.
    pub confidence: f64,
    /// Fewest customers that a line rests on.
    pub min_count: usize,
    /// Entries of a ranked section.
    pub top: usize,
    /// Whether the exemplar is told with its values.
    pub sensitive: bool,
}

/// Makes the cards.
///
/// An attribute states the bin that most customers of the segment fall into: a category, or a third of all customers. A
/// line stands on the card if at least `min_count` customers of the segment are counted in it. `labels` hold the segment of
/// each row, a place in `request.names`; rows with [`MISSING`] do not count. The time is that of one pass per column and
/// segment-wise sorting for the exemplars.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for settings out of range, no attribute that can be told, or no customers.
pub fn personas(
    table: &Table,
    labels: &[u32],
    request: &Request,
    manifest: Manifest,
    monitor: &Monitor,
) -> Result<Personas> {
    check(request)?;
    let builder = Builder::new(table, labels, request, manifest)?;
    let personas = builder.build(monitor)?;
    personas.validate()?;
    Ok(personas)
}

fn check(request: &Request) -> Result<()> {
    let mut cards: HashMap<String, &str> = HashMap::new();
    for &segment in &request.keep {
        let name = request.names[segment].as_str();
        if let Some(other) = cards.insert(text::name(name), name) {
            let wanted = "cards must have different names, and spaces at the ends do not count";
            return Err(Error::argument("segments", format!("{other:?} and {name:?}"), wanted));
        }
    }
    check_level(request.confidence)?;
    for slot in &request.categories {
        if SECTIONS.iter().any(|(key, _)| *key == slot.key) {
            let wanted = "sections of a card are called so; another key is needed";
            return Err(Error::argument(
                "taxonomy",
                format!("the category {:?}", slot.key),
                wanted,
            ));
        }
    }
    Ok(())
}

/// A bin of a list, what it is called, and who is in it.
type Entry = (usize, String, Condition);

struct Builder<'a> {
    table: &'a Table,
    labels: &'a [u32],
    request: &'a Request,
    manifest: Manifest,
    z: f64,
    /// Rows of each segment.
    members: Vec<Vec<usize>>,
    cards: Vec<Vec<Counted>>,
    /// Lines that follow from what was counted.
    follows: Vec<Vec<Line>>,
    hidden: Vec<usize>,
    placed: Vec<Placed>,
    shown: Vec<String>,
}

impl<'a> Builder<'a> {
    fn new(
        table: &'a Table,
        labels: &'a [u32],
        request: &'a Request,
        mut manifest: Manifest,
    ) -> Result<Self> {
        let mut members = vec![Vec::new(); request.names.len()];
        let mut without = 0;
        for (row, &label) in labels.iter().enumerate() {
            match label {
                MISSING => without += 1,
                label => members[label as usize].push(row),
            }
        }
        manifest.leave_out("no segment", without);
        if manifest.rows_used == 0 {
            return Err(manifest.nothing_left("segments", labels.len()));
        }
        let n_cards = request.keep.len();
        Ok(Self {
            table,
            labels,
            request,
            manifest,
            z: z_of(request.confidence),
            members,
            cards: (0..n_cards).map(|_| Vec::new()).collect(),
            follows: vec![Vec::new(); n_cards],
            hidden: vec![0; n_cards],
            placed: Vec::new(),
            shown: Vec::new(),
        })
    }

    fn build(mut self, monitor: &Monitor) -> Result<Personas> {
        let request = self.request;
        let mut distances = Distances::new(self.labels.len());
        monitor.expect((request.attributes.len() + request.lists.len()) as u64);
        for wanted in &request.attributes {
            monitor.check()?;
            match read::attribute(self.table, &wanted.column, self.labels, wanted.chosen)? {
                Ok(attribute) => {
                    distances.add(&[&attribute], &self.members);
                    self.state(wanted, &attribute);
                }
                Err(reason) => {
                    let name = text::name(&wanted.column);
                    self.manifest.notes.push(format!("column {name:?} is not told: {reason}"));
                }
            }
            monitor.advance(1);
        }
        for list in &request.lists {
            monitor.check()?;
            self.rank(list)?;
            monitor.advance(1);
        }
        facts::mark(&mut self.cards);
        self.finish(&distances)
    }

    /// Adds the line of an attribute to each card.
    fn state(&mut self, wanted: &Wanted, attribute: &Attribute) {
        self.placed.push(Placed {
            attribute: text::name(&wanted.column),
            slot: wanted.slot.clone(),
            by: wanted.by.clone(),
            level: wanted.level.clone(),
        });
        self.shown.push(wanted.column.clone());
        let counts = Counts::of(attribute, self.labels, self.request.names.len());
        for (card, &segment) in self.request.keep.iter().enumerate() {
            if counts.n(segment) == 0 {
                continue;
            }
            let bin = counts.modal(segment);
            let told = (attribute.words[bin].as_str(), &attribute.conditions[bin]);
            self.add(card, &wanted.slot, &wanted.column, told, &counts, (segment, bin));
        }
    }

    fn add(
        &mut self,
        card: usize,
        slot: &str,
        column: &str,
        told: (&str, &Condition),
        counts: &Counts,
        at: (usize, usize),
    ) {
        if counts.bins[at.0][at.1] < self.request.min_count {
            self.hidden[card] += 1;
            return;
        }
        let law = (self.request.confidence, self.z);
        let mut counted = facts::counted(slot, column, told, counts, at, law);
        if self.request.inferred.iter().any(|name| name == column) {
            counted.line.provenance = Provenance::Inferred;
            counted.line.reason = "the column was made by a rule or a model".to_string();
        }
        self.cards[card].push(counted);
    }

    /// Adds the lines of a ranked section to each card, those that most customers have first.
    fn rank(&mut self, list: &List) -> Result<()> {
        let mut read = Vec::new();
        for column in &list.columns {
            read.push((column, self.entries(list, column)?));
            self.shown.push(column.clone());
        }
        for (card, &segment) in self.request.keep.iter().enumerate() {
            let before = self.cards[card].len();
            for (column, (counts, entries)) in &read {
                if counts.n(segment) == 0 {
                    continue;
                }
                for (bin, statement, condition) in entries {
                    let told = (statement.as_str(), condition);
                    self.add(card, &list.slot, column, told, counts, (segment, *bin));
                }
            }
            let lines = &mut self.cards[card][before..];
            lines.sort_by(|a, b| b.share.total_cmp(&a.share));
            self.cards[card].truncate(before + self.request.top);
            if let Some(first) = self.cards[card].get(before).map(|counted| &counted.line) {
                let plain = |text: &str| text.replace(['_', '-'], " ").to_lowercase();
                let level = plain(&first.statement);
                let follows = list.follows.iter().filter(|(of, ..)| plain(of) == level);
                let line = |(_, statement, reason): &(String, String, String)| Line {
                    attribute: None,
                    statement: text::clean(statement),
                    condition: None,
                    figures: Vec::new(),
                    count: None,
                    n: None,
                    distinctive: false,
                    provenance: Provenance::Inferred,
                    reason: text::clean(reason),
                    ..first.clone()
                };
                let found: Vec<Line> = follows.take(1).map(line).collect();
                self.follows[card].extend(found);
            }
        }
        Ok(())
    }

    /// The bins of a column that are entries of a list, with what they are called.
    fn entries(&self, list: &List, column: &str) -> Result<(Counts, Vec<Entry>)> {
        let n_segments = self.request.names.len();
        let label = text::name(&column.replace('_', " "));
        let codes = self.table.codes(column)?;
        let levels: Vec<String> = codes.categories.iter().map(|level| text::name(level)).collect();
        let answers = yes(&levels);
        if answers.is_none()
            && let Some(least) = list.at_least
            && self.table.kind(column)? == Kind::Number
        {
            let values = self.table.numeric(column)?;
            let bin = |&value: &f64| match value.is_nan() {
                true => MISSING,
                false => u32::from(value >= least),
            };
            let condition = Condition::range(column, Some(least), None);
            let rated = Attribute {
                bins: values.iter().map(bin).collect(),
                conditions: vec![Condition::range(column, None, Some(least)), condition.clone()],
                words: vec!["no".to_string(), label.clone()],
                values: None,
                ordered: true,
            };
            let counts = Counts::of(&rated, self.labels, n_segments);
            return Ok((counts, vec![(1, label, condition)]));
        }
        let told = |bin: usize| Condition::level(column, &levels[bin]);
        let entries = match answers {
            Some(Some(bin)) => vec![(bin, label, told(bin))],
            Some(None) => Vec::new(),
            None if list.columns.len() == 1 && levels.len() <= read::MAX_LEVELS => {
                (0..levels.len()).map(|bin| (bin, levels[bin].clone(), told(bin))).collect()
            }
            None if self.table.kind(column)? == Kind::Number => {
                return Err(Error::argument(
                    &list.slot,
                    format!("column {column:?} with {} different numbers", levels.len()),
                    "0 and 1 are needed, or the rating from which a customer has it",
                )
                .with_mend("at_least=4"));
            }
            None => {
                return Err(Error::argument(
                    &list.slot,
                    format!("column {column:?} with {} different values", levels.len()),
                    format!(
                        "yes and no are needed in each of several columns, or one column with at most {} categories",
                        read::MAX_LEVELS
                    ),
                ));
            }
        };
        let attribute = Attribute {
            conditions: (0..levels.len()).map(told).collect(),
            words: levels,
            bins: codes.codes,
            values: None,
            ordered: false,
        };
        Ok((Counts::of(&attribute, self.labels, n_segments), entries))
    }

    fn finish(self, distances: &Distances) -> Result<Personas> {
        let (request, n) = (self.request, self.manifest.rows_used);
        let nothing = self.placed.is_empty() && request.lists.is_empty();
        if nothing && request.lines.iter().all(Vec::is_empty) {
            let found = match self.manifest.notes.is_empty() {
                true => "no column".to_string(),
                false => self.manifest.notes.join("; "),
            };
            return Err(Error::argument(
                "attributes",
                found,
                "at least one that can be told is needed",
            ));
        }
        let told = |segment: usize| {
            let size = self.members[segment].len();
            (size >= request.min_count.max(1)).then_some(size)
        };
        let share = |size: Option<usize>| size.map(|size| significant(size as f64 / n as f64, 3));
        let exemplars = match request.attributes.is_empty() {
            true => vec![None; request.keep.len()],
            false => self.exemplars(distances)?,
        };
        let mut cards = Vec::with_capacity(request.keep.len());
        let given = self.follows.into_iter().zip(&request.lines);
        let parts = self.cards.into_iter().zip(self.hidden).zip(exemplars).zip(given);
        for (&segment, (((counted, hidden), exemplar), (mut lines, given))) in
            request.keep.iter().zip(parts)
        {
            lines.extend(given.iter().cloned());
            let name = text::name(&request.names[segment]);
            cards.push(Card {
                segment: name.clone(),
                name,
                n: told(segment),
                share: share(told(segment)),
                exemplar,
                hidden,
                lines: ordered(counted, &lines, &request.categories),
            });
        }
        let left_out = (0..request.names.len())
            .filter(|segment| !request.keep.contains(segment))
            .map(|segment| LeftOut {
                segment: text::name(&request.names[segment]),
                n: told(segment),
                share: share(told(segment)),
                worth: request
                    .worth
                    .as_ref()
                    .and_then(|worth| worth.get(segment).copied().flatten()),
                reason: request.why.get(segment).cloned().unwrap_or_default(),
            })
            .collect();
        Ok(Personas {
            manifest: self.manifest,
            version: 1,
            scenario: request.scenario.clone(),
            taxonomy: request.taxonomy.clone(),
            confidence: request.confidence,
            min_count: request.min_count,
            n,
            categories: request.categories.clone(),
            attributes: self.placed,
            left_out,
            cards,
            revisions: Vec::new(),
        })
    }

    fn exemplars(&self, distances: &Distances) -> Result<Vec<Option<Exemplar>>> {
        let id = self.request.customer.as_ref().map(|name| self.table.codes(name)).transpose()?;
        let mut values = Vec::new();
        if self.request.sensitive {
            for column in &self.shown {
                values.push((text::name(column), self.table.codes(column)?));
            }
        }
        let exemplar = |&segment: &usize| {
            let members = &self.members[segment];
            if members.len() < self.request.min_count.max(1) {
                return None;
            }
            let (row, distance) = distances.medoid(members)?;
            let told = |(name, codes): &(String, crate::table::Codes)| {
                Some((name.clone(), text::name(codes.category(row)?)))
            };
            Some(Exemplar {
                row,
                id: id.as_ref().and_then(|codes| codes.category(row).map(text::name)),
                distance: significant(distance, 4),
                values: values.iter().filter_map(told).collect(),
            })
        };
        Ok(self.request.keep.iter().map(exemplar).collect())
    }
}

/// Which of the levels says that a customer has it: none where nobody does; nothing where the levels are no yes and no.
#[allow(clippy::option_option)]
fn yes(levels: &[String]) -> Option<Option<usize>> {
    const PAIRS: [(&str, &str); 6] =
        [("0", "1"), ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("", "x")];
    let lower: Vec<String> = levels.iter().map(|level| level.trim().to_lowercase()).collect();
    PAIRS.iter().find_map(|(no, yes)| {
        let fits = lower.len() <= 2 && lower.iter().all(|level| level == no || level == yes);
        fits.then(|| lower.iter().position(|level| level == yes))
    })
}

/// Lines by slot: categories first, then sections; in a category what is most surely different first, in a section as given.
fn ordered(counted: Vec<Counted>, given: &[Line], categories: &[Slot]) -> Vec<Line> {
    let place = |slot: &str| {
        let section = || SECTIONS.iter().position(|(key, _)| *key == slot);
        let category = categories.iter().position(|other| other.key == slot);
        category.or_else(|| section().map(|at| categories.len() + at)).unwrap_or(usize::MAX)
    };
    let mut lines: Vec<(usize, f64, Line)> = counted
        .into_iter()
        .map(|found| {
            let at = place(&found.line.slot);
            let is_category = at < categories.len() || found.line.slot == "other";
            let strength = match (is_category, found.line.distinctive) {
                (true, true) => found.p,
                (true, false) => 2.0,
                (false, _) => 0.0,
            };
            (at, strength, found.line)
        })
        .collect();
    lines.extend(given.iter().map(|line| (place(&line.slot), 3.0, line.clone())));
    lines.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    lines.into_iter().map(|(_, _, line)| line).collect()
}
