//! Bootstrap samples of customers as weights on the different rows, so that no row is copied and no row is read twice.

use ndarray::Array2;

use super::customers::Customers;
use super::metric::Metric;
use crate::cluster::KMeans;
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::rng::{Rng, Stage};
use crate::segment::{Method, Model, Rows};
use crate::table::Prepared;

/// Rows from which on several starts are tried on a sample first.
const SCREENED: usize = 1 << 15;
/// Rows of that sample.
const SCREEN: usize = 1 << 13;

/// The different rows among some customers.
#[derive(Debug)]
pub(crate) struct Different {
    pub(crate) rows: Prepared,
    pub(crate) laid_out: Rows,
    /// Weight of all customers with each row.
    pub(crate) weights: Vec<f64>,
    /// The different row of each customer.
    of: Vec<u32>,
    /// Running totals of the customers' weights, where they have weights.
    totals: Option<Vec<f64>>,
    method: Method,
}

/// A bootstrap sample: the rows drawn, and how often.
pub(crate) struct Draw {
    pub(crate) rows: Vec<usize>,
    pub(crate) counts: Vec<f64>,
}

impl Different {
    /// Finds equal rows by sorting; O(n log n) comparisons.
    pub(crate) fn of(customers: &Customers) -> Result<Self> {
        let rows = &customers.rows;
        let metric = Metric::new(rows, &[]);
        let order_of = |a: &usize, b: &usize| {
            let pairs = metric.numbers(*a).iter().zip(metric.numbers(*b));
            for (x, y) in pairs {
                // Zeros are equal whatever their sign.
                let order = (x + 0.0).total_cmp(&(y + 0.0));
                if order.is_ne() {
                    return order;
                }
            }
            metric.codes(*a).cmp(metric.codes(*b))
        };
        let mut order: Vec<usize> = (0..customers.n()).collect();
        order.sort_by(order_of);
        let mut first_of = vec![0_usize; customers.n()];
        for (at, &row) in order.iter().enumerate() {
            let same = at > 0 && order_of(&order[at - 1], &row).is_eq();
            first_of[row] = if same { first_of[order[at - 1]] } else { row };
        }
        // Different rows keep the order in which they came.
        let (mut picked, mut number) = (Vec::new(), vec![0_u32; customers.n()]);
        for (row, &first) in first_of.iter().enumerate() {
            if first == row {
                number[row] = picked.len() as u32;
                picked.push(row);
            }
        }
        let of: Vec<u32> = first_of.iter().map(|&first| number[first]).collect();
        let mut weights = vec![0.0; picked.len()];
        let mut total = 0.0;
        let mut totals = customers.weights.as_ref().map(|_| Vec::with_capacity(of.len()));
        for (row, &at) in of.iter().enumerate() {
            let weight = customers.weights.as_ref().map_or(1.0, |weights| weights[row]);
            weights[at as usize] += weight;
            total += weight;
            if let Some(totals) = &mut totals {
                totals.push(total);
            }
        }
        let rows = if picked.len() == customers.n() { rows.clone() } else { rows.take(&picked) };
        let laid_out = Rows::new(&rows, customers.method)?;
        Ok(Self { rows, laid_out, weights, of, totals, method: customers.method })
    }

    /// Number of different rows.
    pub(crate) fn n(&self) -> usize {
        self.weights.len()
    }

    /// How many customers of each segment have each row, `(row, segment)`.
    pub(crate) fn members(&self, labels: &[u32], k: usize) -> Vec<f64> {
        let mut members = vec![0.0; self.n() * k];
        for (&row, &label) in self.of.iter().zip(labels) {
            members[row as usize * k + label as usize] += 1.0;
        }
        members
    }

    /// Draws as many customers as there are, with replacement, by weight.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Draw {
        let mut drawn = vec![0_u32; self.n()];
        for _ in 0..self.of.len() {
            let customer = match &self.totals {
                Some(totals) => rng.pick(totals),
                None => rng.below(self.of.len()),
            };
            drawn[self.of[customer] as usize] += 1;
        }
        let rows: Vec<usize> = (0..drawn.len()).filter(|&row| drawn[row] > 0).collect();
        let counts = rows.iter().map(|&row| f64::from(drawn[row])).collect();
        Draw { rows, counts }
    }

    /// Some of the rows, laid out for the method.
    pub(crate) fn part(&self, rows: &[usize]) -> Result<Rows> {
        let Rows::Numeric(all) = &self.laid_out else {
            return Rows::new(&self.rows.take(rows), self.method);
        };
        gathered(all, rows).map(Rows::Numeric)
    }
}

/// Some rows of a matrix, one after the other.
fn gathered(all: &Array2<f64>, rows: &[usize]) -> Result<Array2<f64>> {
    let d = all.ncols();
    let mut values = Vec::with_capacity(rows.len() * d);
    match all.as_slice() {
        Some(all) => {
            rows.iter().for_each(|&row| values.extend_from_slice(&all[row * d..(row + 1) * d]));
        }
        None => rows.iter().for_each(|&row| values.extend(all.row(row))),
    }
    Array2::from_shape_vec((rows.len(), d), values)
        .map_err(|error| Error::argument("rows", error, "a matrix is needed"))
}

/// Fits `k` clusters: the best of `n_init` starts.
///
/// Of many rows three times as many starts are tried on a random sample, and the best is carried on to its end on all rows:
/// one fit in place of `n_init`, and one that starts near its end.
pub(crate) fn fit(
    rows: &Rows,
    weights: Option<&[f64]>,
    k: usize,
    n_init: usize,
    seed: u64,
    monitor: &Monitor,
) -> Result<Model> {
    let Rows::Numeric(all) = rows else {
        return Model::fit(rows, weights, k, n_init, seed, monitor);
    };
    if n_init == 1 || all.nrows() < SCREENED || 8 * k > SCREEN {
        return Model::fit(rows, weights, k, n_init, seed, monitor);
    }
    let mut picked = Rng::stream(seed, Stage::Sample, u64::MAX - 2).sample(all.nrows(), SCREEN);
    picked.sort_unstable();
    let few_weights: Option<Vec<f64>> =
        weights.map(|weights| picked.iter().map(|&row| weights[row]).collect());
    let few = gathered(all, &picked)?;
    let n_init = n_init.saturating_mul(3);
    let start = KMeans { n_init, seed, ..KMeans::new(k) }.fit(
        few.view(),
        few_weights.as_deref(),
        monitor,
    )?;
    let start = crate::cluster::Start::Given(start.centres().to_owned());
    KMeans { start, seed, ..KMeans::new(k) }.fit(all.view(), weights, monitor).map(Model::KMeans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::quality::customers::Source;
    use crate::table::{Scale, Table};

    fn customers(values: &[f64], weights: Option<&[f64]>) -> Customers {
        let table = Table::builder().float("x", values.iter().copied()).finish().unwrap();
        let source = Source {
            features: None,
            exclude: &[],
            scale: Scale::None,
            method: None,
            weights,
            labels: None,
        };
        let mut manifest = Manifest::new("test", Default::default(), None, values.len());
        Customers::read(&table, &source, &mut manifest).unwrap()
    }

    #[test]
    fn equal_rows_become_one_with_their_weight() {
        let found = Different::of(&customers(&[3.0, 1.0, 3.0, -0.0, 0.0], None)).unwrap();
        assert_eq!(found.weights, [2.0, 1.0, 2.0]);
        assert_eq!(found.rows.numeric.column(0).to_vec(), [3.0, 1.0, 0.0]);
        let weights = [0.5, 1.0, 2.0, 1.0, 3.0];
        let found = Different::of(&customers(&[3.0, 1.0, 3.0, 0.0, 0.0], Some(&weights))).unwrap();
        assert_eq!(found.weights, [2.5, 1.0, 4.0]);
    }

    #[test]
    fn a_draw_has_as_many_customers_as_there_are_and_follows_the_weights() {
        let weights = [1.0, 3.0, 0.5, 0.5];
        let found = Different::of(&customers(&[1.0, 2.0, 5.0, 5.0], Some(&weights))).unwrap();
        let mut counts = [0.0; 3];
        for task in 0..5000 {
            let draw = found.draw(&mut Rng::stream(1, Stage::Bootstrap, task));
            assert_eq!(draw.counts.iter().sum::<f64>(), 4.0);
            draw.rows.iter().zip(&draw.counts).for_each(|(&row, count)| counts[row] += count);
        }
        for (count, weight) in counts.iter().zip([1.0, 3.0, 1.0]) {
            assert!((count / 5000.0 / 4.0 - weight / 5.0).abs() < 0.02, "{counts:?}");
        }
    }
}
