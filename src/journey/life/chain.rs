//! What follows from the probabilities of moving: occupancy, arrival, value.
//!
//! Matrices stand row by row, the stage that is left by row. All that is infinite is solved, not summed up: a system of as
//! many equations as there are stages, by LU decomposition with pivots.

use faer::Mat;
use faer::linalg::solvers::Solve;

/// Probabilities of moving in one period; a stage from which nobody was seen to move is taken as the end of the path.
pub fn probabilities(counts: &[f64], n: usize) -> Vec<f64> {
    let mut p = vec![0.0; n * n];
    for from in 0..n {
        let row = &counts[from * n..(from + 1) * n];
        let total: f64 = row.iter().sum();
        if total > 0.0 {
            p[from * n..(from + 1) * n].iter_mut().zip(row).for_each(|(p, k)| *p = k / total);
        } else {
            p[from * n + from] = 1.0;
        }
    }
    p
}

/// Whether each stage (by row) leads to each, itself included, in any number of periods.
pub fn reachable(p: &[f64], n: usize) -> Vec<bool> {
    let mut leads: Vec<bool> = p.iter().map(|&p| p > 0.0).collect();
    (0..n).for_each(|stage| leads[stage * n + stage] = true);
    for by in 0..n {
        for from in 0..n {
            if leads[from * n + by] {
                for to in 0..n {
                    leads[from * n + to] |= leads[by * n + to];
                }
            }
        }
    }
    leads
}

/// The shares of the stages one period later.
pub fn step(p: &[f64], shares: &[f64]) -> Vec<f64> {
    let n = shares.len();
    let mut next = vec![0.0; n];
    for (from, &share) in shares.iter().enumerate() {
        next.iter_mut().zip(&p[from * n..]).for_each(|(next, p)| *next += share * p);
    }
    next
}

/// Value of `horizon` periods from each stage: `sum over t < horizon of factor^t (P^t m)`, the first period in full.
pub fn value(p: &[f64], margin: &[f64], factor: f64, horizon: usize) -> Vec<f64> {
    let mut value = vec![0.0; margin.len()];
    for _ in 0..horizon {
        value = one_more(p, margin, factor, &value);
    }
    value
}

/// Value of one period more than `value`.
pub fn one_more(p: &[f64], margin: &[f64], factor: f64, value: &[f64]) -> Vec<f64> {
    let n = margin.len();
    (0..n).map(|from| margin[from] + factor * dot(&p[from * n..], value)).collect()
}

/// Value of all periods from each stage: the solution of `v = m + factor P v`.
///
/// Without a discount (`factor` is 1) a stage has one only where no stage in which its customers end up has a margin; else its
/// value is infinite with the sign of those margins, NaN where signs differ. `leads` is [`reachable`].
pub fn value_forever(p: &[f64], margin: &[f64], factor: f64, leads: &[bool]) -> Vec<f64> {
    let n = margin.len();
    if factor < 1.0 {
        let all: Vec<usize> = (0..n).collect();
        return solve(p, n, factor, &all, margin);
    }
    let lasting =
        |stage: usize| (0..n).all(|other| !leads[stage * n + other] || leads[other * n + stage]);
    let lasting: Vec<bool> = (0..n).map(lasting).collect();
    let mut value: Vec<f64> = (0..n)
        .map(|from| {
            let ends = (0..n).filter(|&end| lasting[end] && leads[from * n + end]);
            let (more, less) = ends.fold((false, false), |(more, less), end| {
                (more || margin[end] > 0.0, less || margin[end] < 0.0)
            });
            match (more, less) {
                (false, false) => 0.0,
                (true, false) => f64::INFINITY,
                (false, true) => f64::NEG_INFINITY,
                (true, true) => f64::NAN,
            }
        })
        .collect();
    let passing: Vec<usize> = (0..n).filter(|&at| !lasting[at] && value[at] == 0.0).collect();
    let wanted: Vec<f64> = passing.iter().map(|&at| margin[at]).collect();
    for (&at, found) in passing.iter().zip(solve(p, n, 1.0, &passing, &wanted)) {
        value[at] = found;
    }
    value
}

/// For each stage the probability of ever getting from there to `target`, and the mean number of periods until then of those
/// who do; 1 and 0 for the target itself, 0 and NaN where no way leads there.
pub fn arrival(p: &[f64], n: usize, target: usize, leads: &[bool]) -> (Vec<f64>, Vec<f64>) {
    let ways: Vec<usize> = (0..n).filter(|&at| at != target && leads[at * n + target]).collect();
    let direct: Vec<f64> = ways.iter().map(|&at| p[at * n + target]).collect();
    let ever = solve(p, n, 1.0, &ways, &direct);
    let time = solve(p, n, 1.0, &ways, &ever);
    let (mut chance, mut wait) = (vec![0.0; n], vec![f64::NAN; n]);
    (chance[target], wait[target]) = (1.0, 0.0);
    for (at, (ever, time)) in ways.into_iter().zip(ever.into_iter().zip(time)) {
        // What is over 1 is rounding.
        chance[at] = ever.clamp(0.0, 1.0);
        wait[at] = time / ever;
    }
    (chance, wait)
}

/// Solves `(I - factor P) x = wanted` on the stages `at`.
fn solve(p: &[f64], n: usize, factor: f64, at: &[usize], wanted: &[f64]) -> Vec<f64> {
    if at.is_empty() {
        return Vec::new();
    }
    let system = Mat::from_fn(at.len(), at.len(), |row, col| {
        let here = f64::from(u8::from(row == col));
        // 1 - p_ii as the sum of the others, which keeps its digits where p_ii is near 1.
        if row == col && factor == 1.0 {
            let from = at[row];
            return (0..n).filter(|&to| to != from).map(|to| p[from * n + to]).sum();
        }
        here - factor * p[at[row] * n + at[col]]
    });
    let wanted = Mat::from_fn(at.len(), 1, |row, _| wanted[row]);
    let found = system.partial_piv_lu().solve(&wanted);
    (0..at.len()).map(|row| found[(row, 0)]).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
