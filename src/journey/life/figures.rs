//! What is known of each stage: how long customers stay, where they go, when they get there.

use super::{LifePath, chain};
use crate::confidence::z_of;
use crate::economics::sheet::Estimate;
use crate::statistics::wilson;

/// Figures of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFigures {
    /// Weight of the transitions from it.
    pub n: f64,
    /// Weight of those that leave it.
    pub moves: f64,
    /// Mean periods in it, `1 / (1 - p_ii)`: infinite where nobody was seen to leave it, NaN where nobody was seen to stay
    /// either. The interval is that of `p_ii` carried over.
    pub time: Estimate,
    /// The stage that customers go to most often; of equals the first.
    pub next: Option<usize>,
    /// Its share of the moves from here.
    pub next_p: Estimate,
    /// Share of the customers here who ever get there, by whatever way.
    pub next_ever: f64,
    /// Mean periods until then, of those who do.
    pub next_wait: f64,
}

impl LifePath {
    /// The quantile of the normal law that intervals go to.
    fn z(&self) -> f64 {
        z_of(self.confidence)
    }

    /// Weight of the transitions from a stage to each.
    pub fn from(&self, stage: usize) -> &[f64] {
        let n = self.stages.len();
        &self.table[stage * n..(stage + 1) * n]
    }

    /// The probability of each move in one period, with Wilson's interval, row by row; NaN where nobody was seen to move.
    pub fn moves(&self) -> Vec<Estimate> {
        let z = self.z();
        (0..self.stages.len())
            .flat_map(|stage| {
                let total: f64 = self.from(stage).iter().sum();
                self.from(stage).iter().map(move |&k| share(k, total, z))
            })
            .collect()
    }

    /// Figures of each stage.
    pub fn figures(&self) -> Vec<StageFigures> {
        let n = self.stages.len();
        let p = self.probabilities();
        let leads = chain::reachable(&p, n);
        let z = self.z();
        let figures = |stage: usize| {
            let row = self.from(stage);
            let total: f64 = row.iter().sum();
            // The sum of the others keeps its digits where nearly all stay.
            let others = || (0..n).filter(|&to| to != stage);
            let moves: f64 = others().map(|to| row[to]).sum();
            let time = match total > 0.0 {
                true => {
                    let (lo, hi) = wilson(moves, total, z);
                    Estimate::new(total / moves, (1.0 / hi, 1.0 / lo))
                }
                false => Estimate::new(f64::NAN, (f64::NAN, f64::NAN)),
            };
            let most = others().fold(None, |best: Option<usize>, to| match best {
                Some(best) if row[best] >= row[to] => Some(best),
                _ => Some(to),
            });
            let next = most.filter(|&to| row[to] > 0.0);
            let (ever, wait) = match next {
                Some(to) => {
                    let (ever, wait) = chain::arrival(&p, n, to, &leads);
                    (ever[stage], wait[stage])
                }
                None => (f64::NAN, f64::NAN),
            };
            StageFigures {
                n: total,
                moves,
                time,
                next,
                next_p: share(next.map_or(0.0, |to| row[to]), moves, z),
                next_ever: ever,
                next_wait: wait,
            }
        };
        (0..n).map(figures).collect()
    }

    /// Whether a stage has too few transitions to rely on.
    pub fn is_thin(&self, figures: &StageFigures) -> bool {
        figures.n < self.min_count
    }
}

fn share(k: f64, n: f64, z: f64) -> Estimate {
    Estimate::new(if n > 0.0 { k / n } else { f64::NAN }, wilson(k, n, z))
}
