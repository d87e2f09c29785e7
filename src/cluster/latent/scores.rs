//! First derivatives of each row's log-likelihood: what the data say about the parameters.
//!
//! Their cross products are the empirical information, whose inverse gives standard errors (McLachlan and Peel 2000, section
//! 2.15; Linzer and Lewis 2011, section 2.3). Where the derivatives of the rows that differ do not span as many directions as
//! there are parameters, other parameters give the same likelihood: the solution is not identified (Goodman 1974).

use super::em::Em;
use super::linear::{inverse, rank};
use super::membership::Design;
use crate::parallel;

/// Estimates nearer to 0 or 1 lie on the boundary and are no free parameters there.
const BOUNDARY: f64 = 1e-4;

/// Directions shorter than this, beside unit length, count as none.
const TOLERANCE: f64 = 1e-5;

/// A free parameter, by what it moves.
#[derive(Debug, Clone, Copy)]
enum Free {
    Membership { class: usize, term: usize },
    Category { item: usize, class: usize, position: usize },
    Intercept { item: usize, category: usize },
    Slope { item: usize, class: usize },
}

/// The free parameters of a solution whose class 0 is the reference, membership first.
struct Parameters<'a, 'b> {
    em: &'a Em<'b>,
    free: Vec<Free>,
    /// Mean score of each class, per ordinal item.
    means: Vec<Vec<f64>>,
}

impl<'a, 'b> Parameters<'a, 'b> {
    fn new(em: &'a Em<'b>) -> Self {
        let (k, width) = (em.k, em.data.design.as_ref().map_or(1, |design| design.width));
        let mut free: Vec<Free> = (1..k)
            .flat_map(|class| (0..width).map(move |term| Free::Membership { class, term }))
            .collect();
        let mut means = Vec::new();
        for (item, (first, n)) in em.data.items().enumerate() {
            let p = |category: usize, class: usize| {
                em.probabilities[(first + category) * em.lanes + class]
            };
            if let Some(scores) = &em.data.scores[item] {
                let mean = |class| (0..n).map(|c| p(c, class) * scores[c]).sum();
                means.push((0..k).map(mean).collect());
                // A class that always gives one answer has a slope without end, and says nothing of the intercepts.
                let inner = |&class: &usize| (0..n).all(|c| p(c, class) < 1.0 - BOUNDARY);
                let inner: Vec<usize> = (0..k).filter(inner).collect();
                let weight = |c: usize| inner.iter().map(|&class| p(c, class)).fold(0.0, f64::max);
                let largest = (0..n).max_by(|&a, &b| weight(a).total_cmp(&weight(b)));
                let met = |&c: &usize| Some(c) != largest && weight(c) > BOUNDARY;
                free.extend((0..n).filter(met).map(|category| Free::Intercept { item, category }));
                free.extend(inner.iter().skip(1).map(|&class| Free::Slope { item, class }));
                continue;
            }
            means.push(Vec::new());
            for class in 0..k {
                let largest = (0..n).max_by(|&a, &b| p(a, class).total_cmp(&p(b, class)));
                let inner = |&c: &usize| Some(c) != largest && p(c, class) > BOUNDARY;
                let at = |c| Free::Category { item, class, position: first + c };
                free.extend((0..n).filter(inner).map(at));
            }
        }
        Self { em, free, means }
    }

    /// The derivatives of one row.
    fn of_row(&self, row: usize, posterior: &[f64], to: &mut [f64]) {
        let (data, lanes) = (self.em.data, self.em.lanes);
        let answers = data.answers.row(row);
        for (to, free) in to.iter_mut().zip(&self.free) {
            *to = match *free {
                Free::Membership { class, term } => {
                    let (prior, x) = match (&self.em.membership, &data.design) {
                        (Some(membership), Some(design)) => {
                            (membership.prior()[row * lanes + class], design.row(row)[term])
                        }
                        _ => (self.em.shares[class], 1.0),
                    };
                    (posterior[class] - prior) * x
                }
                Free::Category { item, class, position } => match answers[item] {
                    0 => 0.0,
                    code => {
                        let hit = data.layout.firsts[item] + usize::from(code) == position;
                        let p = self.em.probabilities[position * lanes + class];
                        posterior[class] * (f64::from(u8::from(hit)) - p)
                    }
                },
                Free::Intercept { item, category } => match answers[item] {
                    0 => 0.0,
                    code => {
                        let position = data.layout.firsts[item] + 1 + category;
                        let p = &self.em.probabilities[position * lanes..];
                        let expected: f64 = posterior.iter().zip(p).map(|(post, p)| post * p).sum();
                        f64::from(u8::from(usize::from(code) == category + 1)) - expected
                    }
                },
                Free::Slope { item, class } => match (answers[item], &data.scores[item]) {
                    (code, Some(scores)) if code > 0 => {
                        let score = scores[usize::from(code) - 1];
                        posterior[class] * (score - self.means[item][class])
                    }
                    _ => 0.0,
                },
            };
        }
    }
}

/// Directions in which the rows of the solution hold the parameters, and the number of free parameters.
///
/// Posteriors are `(n, k)`. Time: the number of parameters squared times the rows, of which some are enough.
pub(crate) fn directions(em: &Em<'_>, posteriors: &[f64]) -> (usize, usize) {
    let parameters = Parameters::new(em);
    let (n, free) = (em.data.n(), parameters.free.len());
    let some = n.min(4 * free + 64);
    let of = |n_rows: usize| {
        let mut columns = vec![vec![0.0; n_rows]; free];
        let mut derivatives = vec![0.0; free];
        for at in 0..n_rows {
            let row = at * n / n_rows;
            parameters.of_row(row, &posteriors[row * em.k..][..em.k], &mut derivatives);
            columns.iter_mut().zip(&derivatives).for_each(|(column, value)| column[at] = *value);
        }
        rank(columns, TOLERANCE)
    };
    let mut found = of(some);
    // What few rows leave open the others may settle, as long as that takes no longer than the fit.
    if found < free && some < n && n.saturating_mul(free * free) < 1 << 32 {
        found = of(n);
    }
    (found, free)
}

/// Covariance of the coefficients of membership `((k - 1) width)`; `None` where the information is singular.
pub(crate) fn covariance(em: &Em<'_>, design: &Design, posteriors: &[f64]) -> Option<Vec<f64>> {
    let parameters = Parameters::new(em);
    let (free, k) = (parameters.free.len(), em.k);
    let parts = parallel::map_blocks_of(1 << 14, em.data.n(), |rows| {
        let mut information = vec![0.0; free * free];
        let mut derivatives = vec![0.0; free];
        for row in rows {
            parameters.of_row(row, &posteriors[row * k..][..k], &mut derivatives);
            for (i, left) in derivatives.iter().enumerate().filter(|(_, left)| **left != 0.0) {
                let left = em.data.weights[row] * left;
                let to = &mut information[i * free..(i + 1) * free];
                to.iter_mut().zip(&derivatives).for_each(|(to, right)| *to += left * right);
            }
        }
        information
    });
    let mut information = vec![0.0; free * free];
    for part in parts {
        information.iter_mut().zip(&part).for_each(|(to, from)| *to += from);
    }
    let inverse = inverse(&information, free)?;
    let wanted = (k - 1) * design.width;
    Some((0..wanted * wanted).map(|at| inverse[at / wanted * free + at % wanted]).collect())
}
