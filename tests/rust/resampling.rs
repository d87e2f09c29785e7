//! Laws of the replicates that intervals rest on.

use ilk::Error;
use ilk::economics::bootstrap::{Replicates, replicate};
use ilk::economics::survival::{EventCounts, Outcome};
use ilk::economics::totals::{N_FIELDS, Role, Row};
use ilk::parallel::{Monitor, set_num_threads};
use ilk::rng::{Rng, Stage};
use ilk::table::MISSING;

/// Customers drawn from a seed: values in all fields, some rows left out.
pub(crate) fn random_rows(n: usize, n_segments: u32, seed: u64) -> Vec<Row> {
    let mut rng = Rng::stream(seed, Stage::Sample, 0);
    (0..n)
        .map(|_| {
            let segment = rng.below(n_segments as usize + 1) as u32;
            let outcome = [Outcome::Won, Outcome::Lost, Outcome::Open][rng.below(3)];
            let days = if rng.below(10) == 0 { f64::NAN } else { rng.below(60) as f64 };
            let mut values = [0.0; N_FIELDS];
            for value in &mut values {
                *value = if rng.below(3) == 0 { 0.0 } else { rng.uniform() };
            }
            values[0] = 1.0;
            Row {
                segment: if segment == n_segments { MISSING } else { segment },
                role: Role::Customer,
                outcome,
                days,
                bought: MISSING,
                values,
            }
        })
        .collect()
}

fn bits(replicates: &Replicates) -> Vec<u64> {
    replicates.sums.iter().chain(&replicates.days).map(|value| value.to_bits()).collect()
}

#[test]
fn replicates_have_the_same_bits_for_any_number_of_threads() {
    let rows = random_rows(10_000, 5, 3);
    let drawn: Vec<Vec<u64>> = [1, 2, 8]
        .into_iter()
        .map(|threads| {
            set_num_threads(threads);
            bits(&replicate(&rows, 5, 100, 7, None, &Monitor::new()).unwrap())
        })
        .collect();
    set_num_threads(0);
    assert!(drawn.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_longer_run_begins_with_the_shorter_one() {
    let rows = random_rows(500, 3, 4);
    let short = replicate(&rows, 3, 40, 7, None, &Monitor::new()).unwrap();
    let long = replicate(&rows, 3, 70, 7, None, &Monitor::new()).unwrap();
    for segment in 0..3 {
        for draw in 0..40 {
            assert_eq!(short.sums(segment, draw), long.sums(segment, draw));
            assert_eq!(short.days(segment, draw).to_bits(), long.days(segment, draw).to_bits());
        }
    }
}

#[test]
fn replicates_scatter_around_the_totals_as_theory_says() {
    let rows = random_rows(4000, 2, 5);
    let n_boot = 2000;
    let drawn = replicate(&rows, 2, n_boot, 1, None, &Monitor::new()).unwrap();
    let used: Vec<&Row> = rows.iter().filter(|row| row.segment != MISSING).collect();
    for field in 0..N_FIELDS {
        let x: Vec<f64> =
            used.iter().map(|r| if r.segment == 0 { r.values[field] } else { 0.0 }).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        // Resampling a fixed number of rows: variance of a total is the sum of squared deviations.
        let variance: f64 = x.iter().map(|value| (value - mean).powi(2)).sum();
        let sums: Vec<f64> = (0..n_boot).map(|draw| drawn.sums(0, draw)[field]).collect();
        let centre = sums.iter().sum::<f64>() / n_boot as f64;
        let spread =
            sums.iter().map(|sum| (sum - centre).powi(2)).sum::<f64>() / (n_boot - 1) as f64;
        let error = (variance / n_boot as f64).sqrt();
        assert!((centre - mean * x.len() as f64).abs() < 4.0 * error, "field {field}");
        // The variance of a variance estimate is about 2 / n_boot, relative.
        assert!((spread / variance - 1.0).abs() < 4.0 * (2.0 / n_boot as f64).sqrt(), "{field}");
    }
}

#[test]
fn groups_of_many_rows_scatter_as_the_rows_do() {
    // Five times as many rows as units. A rare segment, so that its customers stand alone in their groups.
    let mut rng = Rng::stream(2, Stage::Sample, 0);
    let rows: Vec<Row> = (0..20_480)
        .map(|_| {
            let mut values = [0.0; N_FIELDS];
            (values[0], values[1]) = (1.0, rng.exponential());
            let segment = u32::from(rng.below(100) == 0);
            let (outcome, days) = (Outcome::Won, rng.below(30) as f64);
            Row { segment, role: Role::Customer, outcome, days, bought: MISSING, values }
        })
        .collect();
    let n_boot = 2000;
    let drawn = replicate(&rows, 2, n_boot, 5, None, &Monitor::new()).unwrap();
    for (segment, field) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let of = |row: &Row| if row.segment == segment { row.values[field] } else { 0.0 };
        let mean = rows.iter().map(of).sum::<f64>() / rows.len() as f64;
        let variance: f64 = rows.iter().map(|row| (of(row) - mean).powi(2)).sum();
        let sums: Vec<f64> =
            (0..n_boot).map(|draw| drawn.sums(segment as usize, draw)[field]).collect();
        let centre = sums.iter().sum::<f64>() / n_boot as f64;
        let spread =
            sums.iter().map(|sum| (sum - centre).powi(2)).sum::<f64>() / (n_boot - 1) as f64;
        // Relative variance of the estimate: 2 / n_boot of the draws, 2 / 4096 of the dealing.
        let error = (2.0 / n_boot as f64 + 2.0 / 4096.0).sqrt();
        assert!(
            (spread / variance - 1.0).abs() < 4.0 * error,
            "{segment} {field}: {}",
            spread / variance
        );
    }
}

#[test]
fn replicated_medians_are_those_of_the_weighted_sample() {
    // Every row is a segment of its own field, so that totals give each row's weight back.
    let outcomes = [Outcome::Won, Outcome::Lost, Outcome::Open, Outcome::Won, Outcome::Won];
    let days = [3.0, 3.0, 3.0, 5.0, 9.0];
    let rows: Vec<Row> = (0..5)
        .map(|i| {
            let mut values = [0.0; N_FIELDS];
            values[i] = 1.0;
            Row {
                segment: 0,
                role: Role::Customer,
                outcome: outcomes[i],
                days: days[i],
                bought: MISSING,
                values,
            }
        })
        .collect();
    let drawn = replicate(&rows, 1, 64, 9, None, &Monitor::new()).unwrap();
    for draw in 0..64 {
        let mut counts = EventCounts::default();
        for i in 0..5 {
            let weight = drawn.sums(0, draw)[i];
            if weight > 0.0 {
                counts.update(days[i], outcomes[i], weight).unwrap();
            }
        }
        let (slow, fast) = (counts.finish().median(), drawn.days(0, draw));
        assert!(slow == fast || (slow.is_nan() && fast.is_nan()), "{slow} {fast}");
        assert_eq!(fast.to_bits(), drawn.days(1, draw).to_bits());
    }
}

#[test]
fn a_stopped_scorecard_is_interrupted() {
    let monitor = Monitor::new();
    monitor.stop();
    let rows = random_rows(100, 2, 1);
    assert_eq!(replicate(&rows, 2, 10, 1, None, &monitor), Err(Error::Interrupted));
}
