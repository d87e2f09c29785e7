//! The path as tables.

use super::LifePath;
use crate::economics::sheet::{Estimate, Sheet};
use crate::error::Result;
use crate::parallel::Monitor;
use crate::persist::Figures;

impl LifePath {
    /// One row per pair of stages: how many moved, of how many, and the probability of the move in one period.
    pub fn table(&self) -> Sheet {
        let n = self.stages.len();
        let from = || (0..n).flat_map(|from| (0..n).map(move |_| from));
        let totals: Vec<f64> = (0..n).map(|stage| self.from(stage).iter().sum()).collect();
        let sheet = Sheet::default()
            .text("from", from().map(|from| self.stages[from].clone()))
            .text("to", (0..n).flat_map(|_| self.stages.iter().cloned()));
        let sheet = self.count(sheet, "n", self.table.iter().copied());
        let sheet = self.count(sheet, "n_from", from().map(|from| totals[from]));
        sheet.estimate("p", &self.moves())
    }

    /// One row per stage: how many are there, how long they stay, where they go and when, what fits, what they are worth.
    pub fn stage_table(&self) -> Sheet {
        let figures = self.figures();
        let everybody: f64 = self.now.iter().sum();
        let offer = |stage: Option<usize>| {
            stage.and_then(|stage| self.offers[stage].clone()).unwrap_or_default()
        };
        let sheet = Sheet::default().text("stage", self.stages.iter().cloned());
        let sheet = self.count(sheet, "n", figures.iter().map(|f| f.n));
        let sheet = self.count(sheet, "n_now", self.now.iter().copied());
        let times: Vec<Estimate> = figures.iter().map(|f| f.time).collect();
        let next: Vec<Estimate> = figures.iter().map(|f| f.next_p).collect();
        let mut sheet = sheet
            .float("share_now", self.now.iter().map(|now| now / everybody))
            .flag("few", figures.iter().map(|f| self.is_thin(f)))
            .estimate("time", &times)
            .text("next_stage", figures.iter().map(|f| self.name(f.next)))
            .estimate("next_p", &next)
            .float("next_ever", figures.iter().map(|f| f.next_ever))
            .float("next_wait", figures.iter().map(|f| f.next_wait));
        if self.offers.iter().any(Option::is_some) {
            sheet = sheet
                .text("offer", (0..self.stages.len()).map(|stage| offer(Some(stage))))
                .text("next_offer", figures.iter().map(|f| offer(f.next)));
        }
        if let Some(margin) = &self.margin {
            let n = self.stages.len();
            sheet = sheet
                .float("margin", margin.iter().copied())
                .estimate("value", &estimates(&self.value[..n]))
                .estimate("value_forever", &estimates(&self.value_forever[..n]));
        }
        sheet
    }

    /// One row per period and stage: the share of the customers who are in the stage then.
    ///
    /// # Errors
    ///
    /// As [`LifePath::occupancy`].
    pub fn occupancy_table(&self, periods: usize, monitor: &Monitor) -> Result<Sheet> {
        let shares: Vec<Estimate> =
            self.occupancy(periods, monitor)?.into_iter().flatten().collect();
        let n = self.stages.len();
        Ok(Sheet::default()
            .int("period", (0..=periods as i64).flat_map(|period| (0..n).map(move |_| period)))
            .text("stage", (0..=periods).flat_map(|_| self.stages.iter().cloned()))
            .estimate("share", &shares))
    }

    /// The mean customer to begin with in one row: value over the horizon and without an end. Empty without margins.
    pub fn total_table(&self) -> Sheet {
        let last = |values: &[Figures]| estimates(&values[values.len().saturating_sub(1)..]);
        Sheet::default()
            .estimate("value", &last(&self.value))
            .estimate("value_forever", &last(&self.value_forever))
    }

    fn name(&self, stage: Option<usize>) -> String {
        stage.map(|stage| self.stages[stage].clone()).unwrap_or_default()
    }

    /// Counts are whole where rows have no weights.
    fn count(&self, sheet: Sheet, name: &str, values: impl Iterator<Item = f64>) -> Sheet {
        match self.weighted {
            true => sheet.float(name, values),
            false => sheet.int(name, values.map(|value| value as i64)),
        }
    }
}

fn estimates(values: &[Figures]) -> Vec<Estimate> {
    values.iter().map(|f| Estimate { value: f[0], lo: f[1], hi: f[2] }).collect()
}
