//! A tree in tables, words and plain data.

use serde_json::{Value, json};

use super::model::Rules;
use crate::confidence::z_of;
use crate::error::Result;
use crate::profile::rules::condition::{Values, rule_words};
use crate::statistics::wilson;
use crate::table::Table;

impl Rules {
    fn total(&self) -> f64 {
        self.sizes.iter().sum::<usize>() as f64
    }

    /// The leaves by segment, the one with most customers first.
    fn ordered(&self) -> Vec<(usize, Vec<super::super::Condition>)> {
        let mut leaves = self.leaves();
        leaves.sort_by_key(|(at, _)| {
            (self.nodes[*at].segment(), std::cmp::Reverse(self.nodes[*at].n()), *at)
        });
        leaves
    }

    /// One row per rule: the segment that it names, the rule in words, its customers (`n`) and their share, the share of them
    /// that are of the segment (`precision`) with its interval, and the share of the segment that it finds (`covered`).
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let z = z_of(self.confidence);
        let leaves = self.ordered();
        let node = |at: &(usize, Vec<_>)| &self.nodes[at.0];
        let hits = |at: &(usize, Vec<_>)| f64::from(node(at).counts[node(at).segment()]);
        let n = |at: &(usize, Vec<_>)| f64::from(node(at).n());
        let size = |at: &(usize, Vec<_>)| self.sizes[node(at).segment()] as f64;
        Table::builder()
            .text("segment", leaves.iter().map(|leaf| self.names[node(leaf).segment()].as_str()))
            .text("rule", leaves.iter().map(|(_, path)| rule_words(path, &self.reader)))
            .int("conditions", leaves.iter().map(|(_, path)| path.len() as i64))
            .int("n", leaves.iter().map(|leaf| i64::from(node(leaf).n())))
            .float("share", leaves.iter().map(|leaf| n(leaf) / self.total()))
            .float("precision", leaves.iter().map(|leaf| hits(leaf) / n(leaf)))
            .float("precision_lo", leaves.iter().map(|leaf| wilson(hits(leaf), n(leaf), z).0))
            .float("precision_hi", leaves.iter().map(|leaf| wilson(hits(leaf), n(leaf), z).1))
            .float("covered", leaves.iter().map(|leaf| hits(leaf) / size(leaf)))
            .finish()
    }

    /// The trees of all complexities with their fidelity, the largest first.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn pruning(&self) -> Result<Table> {
        Table::builder()
            .int("leaves", self.path.iter().map(|step| step.leaves as i64))
            .float("alpha", self.path.iter().map(|step| step.alpha))
            .float("fidelity", self.path.iter().map(|step| step.fidelity))
            .float("standard_error", self.path.iter().map(|step| step.standard_error))
            .flag("chosen", self.path.iter().map(|step| step.chosen))
            .finish()
    }

    /// The columns of the tree with their share of what all splits gain, the most useful first.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn importance(&self) -> Result<Table> {
        let mut gains = vec![0.0; self.reader.features().len()];
        for node in &self.nodes {
            if let Some(condition) = &node.condition {
                gains[condition.feature] += node.gain;
            }
        }
        let all: f64 = gains.iter().sum();
        let mut order: Vec<usize> = (0..gains.len()).collect();
        order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]));
        Table::builder()
            .text("column", order.iter().map(|&at| self.reader.features()[at].name()))
            .float("importance", order.iter().map(|&at| gains[at] / all))
            .finish()
    }

    /// Customers of each segment by the segment in which trees that had not seen them placed them.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn confusion(&self) -> Result<Table> {
        super::super::confusion(&self.placed, &self.names, &self.sizes)
    }

    /// The rules as plain data: segment, customers by segment, and conditions.
    pub fn data(&self) -> Value {
        let leaves = self.ordered().into_iter().map(|(at, path)| {
            let node = &self.nodes[at];
            let conditions: Vec<Value> = path.iter().map(|c| c.data(&self.reader)).collect();
            json!({
                "segment": self.names[node.segment()],
                "n": node.n(),
                "precision": f64::from(node.counts[node.segment()]) / f64::from(node.n()),
                "conditions": conditions,
            })
        });
        Value::Array(leaves.collect())
    }

    /// The parent of every node, and whether the node is its first child.
    fn parents(&self) -> Vec<Option<(usize, bool)>> {
        let mut parents = vec![None; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            for (place, &child) in node.children.iter().flatten().enumerate() {
                parents[child] = Some((at, place == 0));
            }
        }
        parents
    }

    /// What holds on each way into a node, in words; empty for the root. Categories that cannot occur there any more are not
    /// told.
    fn ways(&self) -> Vec<String> {
        let parents = self.parents();
        let into = |node: usize| {
            let (parent, first) = parents[node]?;
            let condition = self.nodes[parent].condition.as_ref()?;
            let told = if first { condition.clone() } else { self.other(condition) };
            Some((parent, told))
        };
        let words = (0..self.nodes.len()).map(|node| {
            let Some((mut above, mut told)) = into(node) else { return String::new() };
            while let Some((parent, condition)) = into(above) {
                if condition.feature == told.feature && matches!(told.values, Values::Levels(_)) {
                    told = told.and(&condition);
                }
                above = parent;
            }
            told.words(&self.reader)
        });
        words.collect()
    }

    /// The nodes for a drawing: parent, what holds on the way from it in words (empty for the root), segment, customers by
    /// segment.
    pub fn drawing(&self) -> Vec<(Option<usize>, String, usize, Vec<u32>)> {
        let told = self.nodes.iter().zip(self.parents()).zip(self.ways());
        told.map(|((node, parent), way)| {
            (parent.map(|(at, _)| at), way, node.segment(), node.counts.clone())
        })
        .collect()
    }

    /// The tree as indented text.
    pub fn text(&self) -> String {
        let ways = self.ways();
        let mut lines = Vec::new();
        let mut stack = vec![(0, String::new())];
        while let Some((at, indent)) = stack.pop() {
            let node = &self.nodes[at];
            let n = node.n();
            let share = 100.0 * f64::from(node.counts[node.segment()]) / f64::from(n.max(1));
            let name = &self.names[node.segment()];
            let way = if ways[at].is_empty() { "everybody" } else { &ways[at] };
            match node.children {
                Some([left, right]) => {
                    if at > 0 {
                        lines.push(format!("{indent}{way}"));
                    }
                    let below = if at > 0 { format!("{indent}|   ") } else { indent };
                    stack.push((right, below.clone()));
                    stack.push((left, below));
                }
                None => lines.push(format!("{indent}{way}: {name} ({share:.0} % of {n})")),
            }
        }
        lines.join("\n")
    }

    /// The rules in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let (fidelity, lo, hi, largest) = self.fidelity();
        let leaves = self.ordered();
        let mut lines = vec![format!(
            "{} rules place {:.1} % of the customers in their own segment ({:.1} to {:.1} %, in {} parts each of which the rules had \
             not seen); to name the largest segment for everybody would give {:.1} %.",
            leaves.len(),
            100.0 * fidelity,
            100.0 * lo,
            100.0 * hi,
            self.folds,
            100.0 * largest
        )];
        for (at, path) in &leaves {
            let node = &self.nodes[*at];
            let share = 100.0 * f64::from(node.counts[node.segment()]) / f64::from(node.n().max(1));
            let name = &self.names[node.segment()];
            lines.push(match path.is_empty() {
                true => format!("Everybody: {name} ({share:.0} % of {} customers).", node.n()),
                false => format!(
                    "If {}: {name} ({share:.0} % of {} customers).",
                    rule_words(path, &self.reader),
                    node.n()
                ),
            });
        }
        let named: Vec<usize> = leaves.iter().map(|(at, _)| self.nodes[*at].segment()).collect();
        let k = self.names.len();
        for (segment, name) in self.names.iter().enumerate() {
            if self.sizes[segment] > 0 && !named.contains(&segment) {
                lines.push(format!("No rule names {name}."));
            } else if self.sizes[segment] > 0 {
                let found = f64::from(self.placed[segment * k + segment]);
                let found = 100.0 * found / self.sizes[segment] as f64;
                lines.push(format!("Of {name} the rules find {found:.0} %."));
            }
        }
        lines
    }
}
