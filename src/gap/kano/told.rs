//! Kinds of quality as a table and in words.

use super::{Felt, KanoNeeds, Quality};
use crate::confidence::in_percent;
use crate::error::Result;
use crate::sentence::listed;
use crate::table::Table;

impl Quality {
    /// What is said before the needs of this kind.
    fn phrase(self) -> &'static str {
        match self {
            Self::MustBe => "taken for granted (must-be)",
            Self::OneDimensional => "the more the better (one-dimensional)",
            Self::Attractive => "delights (attractive)",
            Self::Indifferent => "makes no difference (indifferent)",
            Self::Reverse => "not wanted (reverse)",
            Self::Questionable => "answered against sense (questionable)",
        }
    }
}

impl KanoNeeds {
    /// One row per segment and need.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let needs = || self.needs.iter();
        let mut builder = Table::builder();
        if let Some(name) = &self.segment {
            builder = builder.text(name, needs().map(|felt| felt.segment.as_str()));
        }
        builder = builder
            .text(&self.need, needs().map(|felt| felt.need.as_str()))
            .int("n", needs().map(|felt| felt.n as i64))
            .text("category", needs().map(|felt| felt.quality.name()))
            .some_text("runner_up", needs().map(|felt| felt.runner_up.map(Quality::name)))
            .float("p", needs().map(|felt| felt.p));
        for quality in Quality::ALL {
            builder =
                builder.float(quality.name(), needs().map(|felt| felt.shares[quality as usize]));
        }
        for (at, name) in ["better", "worse"].into_iter().enumerate() {
            let figure = |of: fn(f64, [f64; 2]) -> f64| {
                needs().map(move |felt: &Felt| {
                    felt.coefficients.map_or(f64::NAN, |coefficients| {
                        let estimate = coefficients[at];
                        of(estimate.value, estimate.interval.unwrap_or([f64::NAN; 2]))
                    })
                })
            };
            builder = builder
                .float(name, figure(|value, _| value))
                .float(&format!("{name}_lo"), figure(|_, ends| ends[0]))
                .float(&format!("{name}_hi"), figure(|_, ends| ends[1]));
        }
        builder.finish()
    }

    /// The needs of each kind in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        /// Share of questionable answers above which a question is said to need a look.
        const MANY: f64 = 0.1;
        let mut lines = Vec::new();
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        for of_segment in self.needs.chunk_by(|a, b| a.segment == b.segment) {
            let segment = &of_segment[0].segment;
            let who = match segment.as_str() {
                "" => String::new(),
                name => format!("{}: ", name.replace('\n', " ")),
            };
            let kinds = of_segment.chunk_by(|a, b| a.quality == b.quality).map(|needs| {
                let names: Vec<String> =
                    needs.iter().map(|felt| format!("{:?}", felt.need)).collect();
                format!("{} {}", needs[0].quality.phrase(), listed(&names))
            });
            lines.push(format!("{who}{}.", kinds.collect::<Vec<_>>().join("; ")));
            let told = |felt: &Felt, kind: Quality| {
                let share = percent(felt.shares[kind as usize]);
                format!("{} {share}", kind.name().replace('_', "-"))
            };
            for felt in of_segment.iter().filter(|felt| felt.p >= 1.0 - self.confidence) {
                let next = felt.runner_up.map_or("nothing else".into(), |next| told(felt, next));
                let answers = if felt.n == 1 { "answer" } else { "answers" };
                lines.push(format!(
                    "{who}the kind of {:?} is open: {} against {next} of {} {answers} (p = {:.2}).",
                    felt.need,
                    told(felt, felt.quality),
                    felt.n,
                    felt.p
                ));
            }
            let puzzled = |felt: &&Felt| felt.shares[Quality::Questionable as usize] > MANY;
            lines.extend(of_segment.iter().filter(puzzled).map(|felt| {
                let share = percent(felt.shares[Quality::Questionable as usize]);
                format!(
                    "{who}{share} of the answers to {:?} like, or dislike, both having it and not: look at how it was asked.",
                    felt.need
                )
            }));
        }
        lines.push(
            "The kind of a need is the one that most customers give it, by the evaluation table of Kano et al. (1984); p is that \
             of the sign test of the two most frequent kinds."
                .into(),
        );
        lines.push(format!(
            "better is the share whom the need satisfies if it is met (attractive and one-dimensional), worse minus the share \
             whom it dissatisfies if it is not (one-dimensional and must-be), of those to whom it is neither reverse nor \
             questionable, with {} intervals (Wilson).",
            in_percent(self.confidence)
        ));
        lines
    }
}
