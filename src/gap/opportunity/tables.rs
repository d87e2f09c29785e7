//! Opportunities as a table and in words.

use super::{Band, Estimate, Formula, Measure, Opportunities, Scored};
use crate::confidence::in_percent;
use crate::error::Result;
use crate::table::Table;

impl Opportunities {
    /// One row per segment and need.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn table(&self) -> Result<Table> {
        let mut builder = Table::builder();
        if let Some(name) = &self.segment {
            builder = builder.text(name, self.needs.iter().map(|need| need.segment.as_str()));
        }
        builder = builder
            .text(&self.need, self.needs.iter().map(|need| need.need.as_str()))
            .int("rank", self.needs.iter().map(|need| need.rank as i64))
            .int("n", self.needs.iter().map(|need| need.n as i64));
        type Figure = fn(&Scored) -> &Estimate;
        let (importance, satisfaction, score): (Figure, Figure, Figure) =
            (|need| &need.importance, |need| &need.satisfaction, |need| &need.score);
        for (name, of) in
            [("importance", importance), ("satisfaction", satisfaction), ("score", score)]
        {
            let end = |end: usize| {
                let ends =
                    move |need: &Scored| of(need).interval.map_or(f64::NAN, |ends| ends[end]);
                self.needs.iter().map(ends)
            };
            builder = builder
                .float(name, self.needs.iter().map(|need| of(need).value))
                .float(&format!("{name}_lo"), end(0))
                .float(&format!("{name}_hi"), end(1));
        }
        if self.options.formula == Formula::Ulwick {
            builder =
                builder.text("band", self.needs.iter().filter_map(|n| n.band.map(Band::name)));
        }
        builder.flag("overserved", self.needs.iter().map(|need| need.overserved)).finish()
    }

    /// The best opportunities in words, one paragraph per entry.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let share = in_percent(self.options.confidence);
        let interval = |estimate: &Estimate| {
            estimate
                .interval
                .map_or(String::new(), |[lo, hi]| format!(" ({share} interval {lo:.1} to {hi:.1})"))
        };
        for need in self.needs.iter().filter(|need| need.rank == 1) {
            let who =
                if need.segment.is_empty() { String::new() } else { format!("{}: ", need.segment) };
            let band = need.band.map_or(String::new(), |band| format!(", {}", band.name()));
            lines.push(format!(
                "{who}the largest opportunity is {:?} with a score of {:.1}{}{band}: importance {:.1}, satisfaction {:.1}.",
                need.need,
                need.score.value,
                interval(&need.score),
                need.importance.value,
                need.satisfaction.value
            ));
        }
        let over = self.needs.iter().filter(|need| need.overserved).count();
        if over > 0 {
            let (verb, noun) = if over == 1 { ("is", "need") } else { ("are", "needs") };
            lines.push(format!(
                "{over} {noun} {verb} served beyond the importance: effort that could go elsewhere."
            ));
        }
        let measure = match self.options.measure {
            Measure::TopTwoBox => format!(
                "ten times the share of ratings of {} or more on the scale from {} to {}",
                self.scale.1 - 1.0,
                self.scale.0,
                self.scale.1
            ),
            Measure::Mean => {
                format!("means, with {} as 0 and {} as 10", self.scale.0, self.scale.1)
            }
            Measure::Given => "as given, from 0 to 10".to_string(),
        };
        lines.push(format!("Importance and satisfaction are {measure}."));
        lines.push(format!("The score is {}.", self.options.formula.words()));
        if self.options.formula == Formula::Ulwick {
            lines.push(
                "Above 15 is extreme, 12 to 15 high, 10 to 12 worth a look, below 10 unattractive."
                    .into(),
            );
        }
        lines
    }
}
