//! p-values of cells without an approximation: the exact law given the totals, and random tables with the same totals.

use super::expected::Totals;
use crate::error::Result;
use crate::parallel::{self, Monitor};
use crate::rng::{Rng, Stage};

/// Probabilities that count as equal, as a ratio: rounding must not decide what is as unlikely as what was seen.
const EQUAL: f64 = 1.0 + 1e-7;

/// Random tables of one task.
const TABLES: usize = 16;

/// Two-sided p-value of `observed` marked among `drawn`, where `marked` of `total` are (Fisher): the probability of
/// everything at most as likely as what was seen.
///
/// Time: the standard deviations that the law spans, some hundred at most, or the distance of `observed` from its mode.
pub(super) fn hypergeometric(observed: u64, drawn: u64, marked: u64, total: u64) -> f64 {
    let lo = (drawn + marked).saturating_sub(total);
    let hi = drawn.min(marked);
    let mode = ((drawn + 1) as f64 * (marked + 1) as f64 / (total + 2) as f64) as u64;
    // Probability of k + 1 over that of k.
    let ratio = |k: u64| {
        let rest = (total + k + 1 - drawn - marked) as f64;
        (drawn - k) as f64 * (marked - k) as f64 / ((k + 1) as f64 * rest)
    };
    two_sided(observed, mode.clamp(lo, hi), (lo, hi), ratio)
}

/// Two-sided p-value of `observed` out of `n`, each with probability `share`.
pub(super) fn binomial(observed: u64, n: u64, share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        let certain = if share <= 0.0 { 0 } else { n };
        return if observed == certain { 1.0 } else { 0.0 };
    }
    let odds = share / (1.0 - share);
    let ratio = |k: u64| (n - k) as f64 / (k + 1) as f64 * odds;
    two_sided(observed, (((n + 1) as f64 * share) as u64).min(n), (0, n), ratio)
}

/// Sums the law outwards from its mode, as multiples of the mode's probability, until nothing is added.
fn two_sided(observed: u64, mode: u64, (lo, hi): (u64, u64), ratio: impl Fn(u64) -> f64) -> f64 {
    if lo == hi {
        return 1.0;
    }
    let mut seen = 1.0;
    for k in mode.min(observed)..mode.max(observed) {
        seen =
            if observed > mode { seen * ratio(k) } else { seen / ratio(mode + observed - 1 - k) };
        if seen == 0.0 {
            return 0.0;
        }
    }
    let (mut all, mut tail) = (0.0, 0.0);
    let mut add = |weight: f64| {
        all += weight;
        if weight <= seen * EQUAL {
            tail += weight;
        }
        weight > f64::EPSILON * seen * 1e-3 && weight > 1e-300
    };
    add(1.0);
    let mut weight = 1.0;
    for k in mode..hi {
        weight *= ratio(k);
        if !add(weight) {
            break;
        }
    }
    weight = 1.0;
    for k in (lo..mode).rev() {
        weight /= ratio(k);
        if !add(weight) {
            break;
        }
    }
    (tail / all).min(1.0)
}

/// p-values of cells and of the whole table from `n_resamples` random tables with the same totals of rows and columns.
///
/// The columns are dealt anew to the records, so that every table comes with the probability that it has where rows and
/// columns have nothing to do with each other. `p = (1 + tables with at least the statistic) / (1 + tables)` (Davison
/// and Hinkley 1997, section 4.2): for a cell the distance from its expectation, for the table Pearson's statistic. Time:
/// records times tables. The same seed gives the same bits for any number of threads.
///
/// # Errors
///
/// [`crate::Error::Interrupted`].
pub(super) fn monte_carlo(
    table: &Totals,
    expected: &[f64],
    n_resamples: usize,
    seed: u64,
    monitor: &Monitor,
) -> Result<(Vec<f64>, f64)> {
    let n_cols = table.cols.len();
    let labels: Vec<u32> =
        (0..).zip(&table.cols).flat_map(|(col, &n)| std::iter::repeat_n(col, n as usize)).collect();
    let distance = |cell: usize, n: f64| (n - expected[cell]).abs();
    let pearson = |cells: &dyn Fn(usize) -> f64| -> f64 {
        let part = |cell: usize| (cells(cell) - expected[cell]).powi(2) / expected[cell];
        (0..expected.len()).filter(|&cell| expected[cell] > 0.0).map(part).sum()
    };
    // Rounding must not decide whether a random table is as far off as the one that was seen.
    let seen: Vec<f64> =
        (0..expected.len()).map(|cell| distance(cell, table.sum[cell]) * (1.0 - 1e-9)).collect();
    let seen_all = pearson(&|cell| table.sum[cell]) * (1.0 - 1e-9);
    let n_tasks = n_resamples.div_ceil(TABLES);
    monitor.expect(n_tasks as u64);
    let counts = parallel::map_tasks(n_tasks, |task| -> Result<(Vec<u32>, u32)> {
        let mut rng = Rng::stream(seed, Stage::Reference, task as u64);
        let mut labels = labels.clone();
        let (mut beyond, mut beyond_all) = (vec![0; expected.len()], 0);
        let mut cells = vec![0_u32; expected.len()];
        for _ in task * TABLES..n_resamples.min((task + 1) * TABLES) {
            monitor.check()?;
            rng.shuffle(&mut labels);
            cells.fill(0);
            let mut rest = labels.as_slice();
            for (row, &n) in table.rows.iter().enumerate() {
                let (own, others) = rest.split_at(n as usize);
                own.iter().for_each(|&col| cells[row * n_cols + col as usize] += 1);
                rest = others;
            }
            for (cell, &n) in cells.iter().enumerate() {
                beyond[cell] += u32::from(distance(cell, f64::from(n)) >= seen[cell]);
            }
            beyond_all += u32::from(pearson(&|cell| f64::from(cells[cell])) >= seen_all);
        }
        monitor.advance(1);
        Ok((beyond, beyond_all))
    });
    let (mut beyond, mut beyond_all) = (vec![0.0; expected.len()], 0.0);
    for part in counts {
        let (cells, all) = part?;
        beyond.iter_mut().zip(cells).for_each(|(sum, n)| *sum += f64::from(n));
        beyond_all += f64::from(all);
    }
    let share = |beyond: f64| (1.0 + beyond) / (1.0 + n_resamples as f64);
    Ok((beyond.into_iter().map(share).collect(), share(beyond_all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, Discrete, Hypergeometric};

    fn obvious(observed: u64, law: &impl Discrete<u64, f64>, hi: u64) -> f64 {
        let seen = law.pmf(observed) * EQUAL;
        (0..=hi).map(|k| law.pmf(k)).filter(|&p| p <= seen).sum::<f64>().min(1.0)
    }

    #[test]
    fn exact_p_values_are_sums_over_the_law() {
        for (total, marked, drawn) in [(30, 12, 9), (8, 5, 6), (200, 40, 70), (50, 1, 20)] {
            let law = Hypergeometric::new(total, marked, drawn).unwrap();
            for observed in (drawn + marked).saturating_sub(total)..=drawn.min(marked) {
                let p = hypergeometric(observed, drawn, marked, total);
                let wanted = obvious(observed, &law, drawn.min(marked));
                assert!((p - wanted).abs() < 1e-10, "{observed} of {total} {marked} {drawn}");
            }
        }
        for (n, share) in [(12, 0.3), (40, 0.02), (7, 0.9)] {
            let law = Binomial::new(share, n).unwrap();
            for observed in 0..=n {
                let wanted = obvious(observed, &law, n);
                assert!((binomial(observed, n, share) - wanted).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn what_cannot_be_has_probability_zero_and_what_must_be_one() {
        assert_eq!(binomial(3, 10, 0.0), 0.0);
        assert_eq!(binomial(0, 10, 0.0), 1.0);
        assert_eq!(hypergeometric(5, 5, 10, 10), 1.0);
        assert_eq!(hypergeometric(0, 500_000, 500_000, 1_000_000), 0.0);
        let p = hypergeometric(250_800, 500_000, 500_000, 1_000_000);
        assert!((p / 0.001_374 - 1.0).abs() < 0.01, "{p}");
    }
}
