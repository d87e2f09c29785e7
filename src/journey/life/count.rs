//! Transitions counted: which stage follows which, and whether the stage before that matters.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// One row of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Number of the period.
    pub period: i64,
    /// Stage that the customer was in.
    pub stage: usize,
    /// How many customers the row stands for.
    pub weight: f64,
}

/// Transitions of some customers; those of others are added by [`Transitions::merge`].
///
/// Memory: the cube of the number of stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Transitions {
    n: usize,
    pairs: Vec<f64>,
    triples: Vec<f64>,
    counted: usize,
    gaps: usize,
    customers: usize,
    moving: usize,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Weight of each pair of stages in consecutive periods, the earlier stage by row.
    pub pairs: Vec<f64>,
    /// Pairs of rows that are a transition.
    pub counted: usize,
    /// Pairs of rows of a customer that are more than one period apart.
    pub gaps: usize,
    /// Customers.
    pub customers: usize,
    /// Customers with at least one transition.
    pub moving: usize,
    /// Whether the stage before the present one matters.
    pub memory: Memory,
}

/// Pearson's test of second against first order (Anderson and Goodman 1957, Annals of Mathematical Statistics 28:89-110):
/// within each present stage, whether the next one depends on the one before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Present stages in which customers differ both in where they came from and in where they went.
    pub varied: usize,
    /// Those of them with enough transitions to be tested.
    pub tested: usize,
    /// The test, summed over these; `None` where there is no such stage.
    #[serde(deserialize_with = "Option::deserialize")]
    pub test: Option<Test>,
}

/// Whether history matters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Pearson's chi-square.
    pub statistic: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Probability of a statistic as large where history does not matter.
    pub p: f64,
    /// Cramér's V: 0 where history does not matter, 1 where it decides all.
    pub v: f64,
}

/// Mean expected count below which a table is too thin for Pearson's test.
pub const THIN: f64 = 5.0;

impl Transitions {
    /// None yet, between so many stages.
    pub fn new(stages: usize) -> Self {
        Self {
            n: stages,
            pairs: vec![0.0; stages * stages],
            triples: vec![0.0; stages * stages * stages],
            counted: 0,
            gaps: 0,
            customers: 0,
            moving: 0,
        }
    }

    /// Adds one customer, whose rows stand in ascending order of different periods.
    ///
    /// A transition counts where the next row is exactly one period later, with the weight of the row that it leaves.
    ///
    /// # Panics
    ///
    /// If a stage is none of those (a bug of the caller).
    pub fn update(&mut self, rows: &[Seen]) {
        let before = self.counted;
        for (at, pair) in rows.windows(2).enumerate() {
            let [one, next] = [pair[0], pair[1]];
            if !follows(one, next) {
                self.gaps += 1;
                continue;
            }
            self.counted += 1;
            let cell = one.stage * self.n + next.stage;
            self.pairs[cell] += one.weight;
            if let Some(past) = at.checked_sub(1).map(|at| rows[at])
                && follows(past, one)
            {
                self.triples[past.stage * self.n * self.n + cell] += one.weight;
            }
        }
        self.customers += 1;
        self.moving += usize::from(self.counted > before);
    }

    /// Adds the transitions of other customers, between the same stages.
    pub fn merge(&mut self, other: &Self) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        add(&mut self.pairs, &other.pairs);
        add(&mut self.triples, &other.triples);
        self.counted += other.counted;
        self.gaps += other.gaps;
        self.customers += other.customers;
        self.moving += other.moving;
    }

    /// What was counted.
    pub fn finish(self) -> Counts {
        let memory = memory(&self.triples, self.n);
        let Self { pairs, counted, gaps, customers, moving, .. } = self;
        Counts { pairs, counted, gaps, customers, moving, memory }
    }
}

fn follows(one: Seen, next: Seen) -> bool {
    one.period.checked_add(1) == Some(next.period)
}

fn memory(triples: &[f64], n: usize) -> Memory {
    let (mut statistic, mut df, mut most) = (0.0, 0.0, 0.0);
    let (mut tested, mut varied) = (0, 0);
    for now in 0..n {
        let cell = |past: usize, next: usize| triples[(past * n + now) * n + next];
        let rows: Vec<f64> = (0..n).map(|past| (0..n).map(|next| cell(past, next)).sum()).collect();
        let cols: Vec<f64> = (0..n).map(|next| (0..n).map(|past| cell(past, next)).sum()).collect();
        let total: f64 = rows.iter().sum();
        let used = |sums: &[f64]| sums.iter().filter(|&&sum| sum > 0.0).count() as f64;
        let (r, c) = (used(&rows), used(&cols));
        if r < 2.0 || c < 2.0 {
            continue;
        }
        varied += 1;
        if total < THIN * r * c {
            continue;
        }
        tested += 1;
        for (past, row) in rows.iter().enumerate() {
            for (next, col) in cols.iter().enumerate() {
                let expected = row / total * col;
                if expected > 0.0 {
                    statistic += (cell(past, next) - expected).powi(2) / expected;
                }
            }
        }
        df += (r - 1.0) * (c - 1.0);
        most += total * (r.min(c) - 1.0);
    }
    let test = ChiSquared::new(df).ok().map(|law| Test {
        statistic,
        df,
        p: law.sf(statistic),
        v: (statistic / most).sqrt(),
    });
    Memory { varied, tested, test: test.filter(|_| tested > 0) }
}
