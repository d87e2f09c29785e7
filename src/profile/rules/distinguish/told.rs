//! What tells segments apart in tables, words and plain data.

use serde_json::{Value, json};

use super::{Distinction, Method, Step, TraitSet};
use crate::confidence::z_of;
use crate::error::Result;
use crate::profile::rules::condition::{Condition, rule_words};
use crate::statistics::wilson;
use crate::table::Table;

impl Distinction {
    fn total(&self) -> usize {
        self.sizes.iter().sum()
    }

    fn words(&self, set: &TraitSet) -> String {
        let conditions: Vec<Condition> = set.steps.iter().map(|s| s.condition.clone()).collect();
        rule_words(&conditions, &self.reader)
    }

    /// One row per set: the segment, its rank, its traits in words and their number, the customers who hold all (`n`), the
    /// share of the segment (`covered`) and of the others (`leak`) who do, the share of the segment among them
    /// (`precision`) with its interval, that over the share of the segment among all (`lift`), the weighted relative
    /// accuracy, p and adjusted p, and what is known for certain.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let z = z_of(self.confidence);
        let total = self.total() as f64;
        let sets = &self.sets;
        let size = |set: &TraitSet| self.sizes[set.segment] as f64;
        let held = |set: &TraitSet| (set.inside + set.outside) as f64;
        let precision = |set: &TraitSet| set.inside as f64 / held(set);
        let interval = |set: &TraitSet| wilson(set.inside as f64, held(set), z);
        let builder = Table::builder()
            .text("segment", sets.iter().map(|s| self.names[s.segment].as_str()))
            .int("rank", sets.iter().map(|s| s.rank as i64))
            .text("traits", sets.iter().map(|s| self.words(s)))
            .int("n_traits", sets.iter().map(|s| s.steps.len() as i64))
            .int("n", sets.iter().map(|s| (s.inside + s.outside) as i64))
            .float("covered", sets.iter().map(|s| s.inside as f64 / size(s)))
            .float("leak", sets.iter().map(|s| s.outside as f64 / (total - size(s))))
            .float("precision", sets.iter().map(precision))
            .float("precision_lo", sets.iter().map(|s| interval(s).0))
            .float("precision_hi", sets.iter().map(|s| interval(s).1))
            .float("lift", sets.iter().map(|s| precision(s) / (size(s) / total)))
            .float(
                "wracc",
                sets.iter().map(|s| (s.inside as f64 - held(s) * size(s) / total) / total),
            )
            .float("p", sets.iter().map(|s| s.p))
            .float("q", sets.iter().map(|s| s.q));
        match self.method {
            Method::Cover => builder
                .flag("separates", sets.iter().map(|s| s.separates))
                .int("at_least", sets.iter().map(|s| s.at_least as i64)),
            Method::Subgroup => builder,
        }
        .flag("certain", sets.iter().map(|s| s.certain))
        .finish()
    }

    /// One row per trait of a set: who holds it, and who holds it and all before it, as shares of the segment and of the
    /// others.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn steps(&self) -> Result<Table> {
        let rows: Vec<(&TraitSet, usize, &Step)> = self
            .sets
            .iter()
            .flat_map(|set| set.steps.iter().enumerate().map(move |(at, step)| (set, at, step)))
            .collect();
        let total = self.total();
        let inside = |n: usize, set: &TraitSet| n as f64 / self.sizes[set.segment] as f64;
        let outside =
            |n: usize, set: &TraitSet| n as f64 / (total - self.sizes[set.segment]) as f64;
        let column =
            |step: &Step| self.reader.features()[step.condition.feature].name().to_string();
        Table::builder()
            .text("segment", rows.iter().map(|(set, ..)| self.names[set.segment].as_str()))
            .int("rank", rows.iter().map(|(set, ..)| set.rank as i64))
            .int("step", rows.iter().map(|(_, at, _)| *at as i64 + 1))
            .text("trait", rows.iter().map(|(.., step)| step.condition.words(&self.reader)))
            .text("column", rows.iter().map(|(.., step)| column(step)))
            .float("segment_share", rows.iter().map(|(set, _, s)| inside(s.inside, set)))
            .float("others_share", rows.iter().map(|(set, _, s)| outside(s.outside, set)))
            .float("segment_so_far", rows.iter().map(|(set, _, s)| inside(s.inside_so_far, set)))
            .float("others_so_far", rows.iter().map(|(set, _, s)| outside(s.outside_so_far, set)))
            .finish()
    }

    /// The sets as plain data: segment, rank and conditions.
    pub fn data(&self) -> Value {
        let sets = self.sets.iter().map(|set| {
            let conditions: Vec<Value> =
                set.steps.iter().map(|step| step.condition.data(&self.reader)).collect();
            json!({
                "segment": self.names[set.segment],
                "rank": set.rank,
                "conditions": conditions,
            })
        });
        Value::Array(sets.collect())
    }

    /// What tells each segment apart in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let total = self.total();
        let mut lines = Vec::new();
        for (segment, name) in self.names.iter().enumerate() {
            let mut sets = self.sets.iter().filter(|set| set.segment == segment);
            let Some(set) = sets.next() else {
                if self.sizes[segment] > 0 {
                    lines.push(format!("{name}: no subgroup holds more of it than chance would."));
                }
                continue;
            };
            let inside = 100.0 * set.inside as f64 / self.sizes[segment] as f64;
            let outside = 100.0 * set.outside as f64 / (total - self.sizes[segment]) as f64;
            let precision = 100.0 * set.inside as f64 / (set.inside + set.outside).max(1) as f64;
            let told = self.words(set);
            lines.push(match self.method {
                Method::Cover if set.separates => {
                    let known = match set.certain {
                        true if set.steps.len() == 1 => "One trait is enough.".to_string(),
                        true => "No smaller set would do.".to_string(),
                        false => format!(
                            "At least {} traits are needed; whether fewer than these {} would do is not known.",
                            set.at_least,
                            set.steps.len()
                        ),
                    };
                    format!(
                        "{name}: {told}. {inside:.0} % of the segment and {outside:.1} % of the others hold all of that. {known}"
                    )
                }
                Method::Cover if set.steps.is_empty() => format!(
                    "{name}: no trait is held by so much of the segment and lacked by others, so no set tells it apart."
                ),
                Method::Cover => {
                    let known = match set.certain {
                        true => "No set of so many traits tells it apart",
                        false => "No set that tells it apart was found",
                    };
                    format!(
                        "{name}: {known}. Nearest comes {told}: {inside:.0} % of the segment and {outside:.1} % of the others hold \
                         all of that."
                    )
                }
                Method::Subgroup => format!(
                    "{name}: most over-represented where {told}: {precision:.0} % of these {} customers belong to it, {:.1} times \
                     as many as of all, and {inside:.0} % of the segment are among them.",
                    set.inside + set.outside,
                    precision / 100.0 / (self.sizes[segment] as f64 / total as f64),
                ),
            });
        }
        lines.push(match self.method {
            Method::Cover => format!(
                "A set tells a segment apart where at least {:.0} % of the segment hold {} and at most {:.1} % of the other customers \
                 hold all of it; chosen among {} traits, up to {} at a time.",
                100.0 * self.coverage,
                if self.jointly { "all of it" } else { "each of its traits" },
                100.0 * self.leak,
                self.n_traits,
                self.max_traits
            ),
            Method::Subgroup => format!(
                "Subgroups are ranked by weighted relative accuracy: their share of all customers times how much more of the \
                 segment they hold than all do. Chosen among {} traits, up to {} at a time; q is adjusted for all of these sets.",
                self.n_traits, self.max_traits
            ),
        });
        lines
    }
}
