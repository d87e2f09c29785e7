//! The best split of a group of customers by one column, from the counts of its bins.
//!
//! With `l_s` and `r_s` customers of segment `s` on the two sides, the Gini impurity falls by
//! `sum l_s^2 / l + sum r_s^2 / r - sum n_s^2 / n` (over `n`; Breiman, Friedman, Olshen and Stone 1984). Amounts and ordered
//! categories are cut between two bins. Categories are put into two groups: with two segments the best lies along the order of
//! their shares; with few categories all ways are tried; else along the first principal component of the shares of the
//! segments (Coppersmith, Hong and Hosking 1999, Data Mining and Knowledge Discovery 3:197-217). Missing values go to the side
//! where they do better.

/// Categories up to which all ways to group them are tried.
const MOST_TRIED: usize = 9;

/// Customers by bin and segment, `(n_bins + 1) * k` counts, those of missing values last.
pub(super) struct Counts<'a> {
    pub(super) counts: &'a [u32],
    pub(super) k: usize,
    pub(super) min_leaf: u32,
}

/// A split of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Fall of the impurity, times the number of customers.
    pub(super) gain: f64,
    /// Whether each bin goes to the left side; that of missing values last.
    pub(super) left: Vec<bool>,
    /// The last bin on the left and the first on the right that hold customers, where an amount is cut.
    pub(super) between: Option<(usize, usize)>,
}

/// Sum of squares over sum; 0 of nothing.
fn purity(counts: &[u32]) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for &n in counts {
        let n = f64::from(n);
        sum += n;
        squares += n * n;
    }
    if sum > 0.0 { squares / sum } else { 0.0 }
}

impl Counts<'_> {
    fn n_bins(&self) -> usize {
        self.counts.len() / self.k - 1
    }

    fn bin(&self, bin: usize) -> &[u32] {
        &self.counts[bin * self.k..(bin + 1) * self.k]
    }

    fn total(&self) -> Vec<u32> {
        let mut total = vec![0; self.k];
        self.counts.chunks_exact(self.k).for_each(|bin| add(&mut total, bin));
        total
    }

    /// The purity of both sides, where both have enough customers.
    fn score(&self, left: &[u32], total: &[u32], right: &mut [u32]) -> Option<f64> {
        let (mut n_left, mut n_right) = (0, 0);
        for ((right, &total), &left) in right.iter_mut().zip(total).zip(left) {
            *right = total - left;
            n_left += left;
            n_right += *right;
        }
        (n_left >= self.min_leaf && n_right >= self.min_leaf).then(|| purity(left) + purity(right))
    }

    /// The best cut of an amount; of equally good ones the first.
    pub(super) fn cut(&self) -> Option<Found> {
        let (n_bins, total) = (self.n_bins(), self.total());
        let missing = self.bin(n_bins);
        let has_missing = missing.iter().any(|&n| n > 0);
        let filled: Vec<usize> =
            (0..n_bins).filter(|&bin| self.bin(bin).iter().any(|&n| n > 0)).collect();
        let (mut left, mut with) = (vec![0; self.k], vec![0; self.k]);
        let mut right = vec![0; self.k];
        let mut best: Option<(f64, usize, bool)> = None;
        for (place, &bin) in filled.iter().enumerate() {
            add(&mut left, self.bin(bin));
            let last = place + 1 == filled.len();
            if last && !has_missing {
                break;
            }
            let mut consider = |side: &[u32], missing_left: bool| {
                if let Some(score) = self.score(side, &total, &mut right)
                    && best.is_none_or(|(best, ..)| score > best)
                {
                    best = Some((score, place, missing_left));
                }
            };
            consider(&left, false);
            if has_missing && !last {
                with.copy_from_slice(&left);
                add(&mut with, missing);
                consider(&with, true);
            }
        }
        let (score, place, missing_left) = best?;
        let gain = score - purity(&total);
        let end = filled[place];
        let between = filled.get(place + 1).map(|&next| (end, next));
        // All known values on the left: the split is between known and missing.
        let stop = if between.is_some() { end } else { n_bins - 1 };
        let left =
            (0..=n_bins).map(|b| if b < n_bins { b <= stop } else { missing_left }).collect();
        Some(Found { gain, left, between })
    }

    /// The best two groups of categories; of equally good ones the first that is tried.
    pub(super) fn group(&self) -> Option<Found> {
        let (n_bins, total) = (self.n_bins(), self.total());
        let mut filled: Vec<usize> =
            (0..=n_bins).filter(|&bin| self.bin(bin).iter().any(|&n| n > 0)).collect();
        if filled.len() < 2 {
            return None;
        }
        let segments = total.iter().filter(|&&n| n > 0).count();
        let mut right = vec![0; self.k];
        let mut best: Option<(f64, Vec<bool>)> = None;
        let mut consider = |side: &[u32], members: &dyn Fn(usize) -> bool| {
            if let Some(score) = self.score(side, &total, &mut right)
                && best.as_ref().is_none_or(|(best, _)| score > *best)
            {
                best = Some((score, (0..=n_bins).map(members).collect()));
            }
        };
        if segments > 2 && filled.len() <= MOST_TRIED {
            // The last one stays on the right, so that no way is tried twice.
            let free = filled.len() - 1;
            let mut side = vec![0; self.k];
            for members in 1_u32..1 << free {
                side.fill(0);
                (0..free)
                    .filter(|at| members >> at & 1 == 1)
                    .for_each(|at| add(&mut side, self.bin(filled[at])));
                consider(&side, &|bin| {
                    filled[..free]
                        .iter()
                        .position(|&b| b == bin)
                        .is_some_and(|at| members >> at & 1 == 1)
                });
            }
        } else {
            let places = self.places(&filled, &total);
            filled.sort_by(|&a, &b| places[a].total_cmp(&places[b]).then(a.cmp(&b)));
            let mut side = vec![0; self.k];
            for end in 1..filled.len() {
                add(&mut side, self.bin(filled[end - 1]));
                let members = &filled[..end];
                consider(&side, &|bin| members.contains(&bin));
            }
        }
        let (score, left) = best?;
        Some(Found { gain: score - purity(&total), left, between: None })
    }

    /// The place of each category on the first principal component of the shares of the segments in it.
    fn places(&self, filled: &[usize], total: &[u32]) -> Vec<f64> {
        let k = self.k;
        let n: f64 = total.iter().map(|&n| f64::from(n)).sum();
        let centre: Vec<f64> = total.iter().map(|&c| f64::from(c) / n).collect();
        let shares = |bin: usize| -> (f64, Vec<f64>) {
            let counts = self.bin(bin);
            let size: f64 = counts.iter().map(|&c| f64::from(c)).sum();
            let apart = counts.iter().zip(&centre).map(|(&c, m)| f64::from(c) / size - m).collect();
            (size, apart)
        };
        let mut spread = vec![0.0; k * k];
        for &bin in filled {
            let (size, apart) = shares(bin);
            for a in 0..k {
                for b in 0..k {
                    spread[a * k + b] += size * apart[a] * apart[b];
                }
            }
        }
        // The power method from the segment that varies most; 200 steps order all but equal components.
        let widest =
            (0..k).max_by(|&a, &b| spread[a * k + a].total_cmp(&spread[b * k + b]).then(b.cmp(&a)));
        let mut axis = vec![0.0; k];
        axis[widest.unwrap_or(0)] = 1.0;
        for _ in 0..200 {
            let next: Vec<f64> =
                (0..k).map(|a| (0..k).map(|b| spread[a * k + b] * axis[b]).sum()).collect();
            let length = next.iter().map(|x: &f64| x * x).sum::<f64>().sqrt();
            if length.is_nan() || length <= 0.0 {
                break;
            }
            axis = next.into_iter().map(|x| x / length).collect();
        }
        let mut places = vec![0.0; self.n_bins() + 1];
        for &bin in filled {
            let (_, apart) = shares(bin);
            places[bin] = apart.iter().zip(&axis).map(|(x, a)| x * a).sum();
        }
        places
    }
}

fn add(sums: &mut [u32], counts: &[u32]) {
    sums.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stage};

    /// Tries every split, without any trick.
    fn slow(counts: &Counts<'_>, groups: bool) -> Option<f64> {
        let n = counts.n_bins() + 1;
        let total = counts.total();
        let mut best: Option<f64> = None;
        for members in 0_u32..1 << n {
            let known = members & ((1 << (n - 1)) - 1);
            let is_cut = (known + 1).is_power_of_two();
            if !groups && !is_cut {
                continue;
            }
            let mut left = vec![0; counts.k];
            (0..n).filter(|b| members >> b & 1 == 1).for_each(|b| add(&mut left, counts.bin(b)));
            let mut right = vec![0; counts.k];
            if let Some(score) = counts.score(&left, &total, &mut right) {
                let gain = score - purity(&total);
                best = Some(best.map_or(gain, |best: f64| best.max(gain)));
            }
        }
        best
    }

    #[test]
    fn splits_are_the_best_of_all() {
        let mut rng = Rng::stream(5, Stage::Sample, 0);
        for case in 0..400 {
            let k = 2 + case % 3;
            let bins = 2 + rng.below(7);
            let empty = rng.uniform();
            let counts: Vec<u32> = (0..(bins + 1) * k)
                .map(|_| if rng.uniform() < 0.5 * empty { 0 } else { rng.below(9) as u32 })
                .collect();
            let counts = Counts { counts: &counts, k, min_leaf: 1 + (case % 4) as u32 };
            for (found, groups) in [(counts.cut(), false), (counts.group(), true)] {
                let slow = slow(&counts, groups);
                match (&found, slow) {
                    (None, None) => {}
                    // With a least size and two segments the order of the shares need not hold the best way.
                    (Some(found), Some(slow)) if groups && k == 2 && counts.min_leaf > 1 => {
                        assert!(found.gain <= slow + 1e-9);
                    }
                    (None, Some(_)) if groups && k == 2 && counts.min_leaf > 1 => {}
                    (Some(found), Some(slow)) => assert!((found.gain - slow).abs() < 1e-9),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}
