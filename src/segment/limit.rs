//! At most so many segments: the nearest put together, or those kept that hold most.

use super::edit::{Action, Edit};
use super::made::sums;
use super::steps::{Step, regrouped};
use super::{Origin, Segmentation};
use crate::error::{Error, Result};
use crate::table::{MISSING, Table};

/// The criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitBy {
    /// The two nearest segments are put together, until so many are left.
    Ward,
    /// The segments with the highest value are kept, the others dropped.
    Value,
    /// The segments with the most customers are kept, the others dropped.
    Share,
}

impl Segmentation {
    /// Sum of a column in each segment; missing values add nothing.
    ///
    /// # Errors
    ///
    /// Those of reading the column; [`Error::Argument`] if the table holds other customers.
    pub fn totals(&self, table: &Table, column: &str) -> Result<Vec<f64>> {
        self.check_rows(table)?;
        Ok(sums(&table.numeric(column)?, &self.labels, self.names.len()))
    }

    /// At most `most` segments.
    ///
    /// Ward's criterion puts together, again and again, the two segments whose union loses least separation: w_a w_b /
    /// (w_a + w_b) times the squared distance of the centres (Ward 1963, Hierarchical grouping to optimize an objective
    /// function, Journal of the American Statistical Association 58). Centres are those of the clustering; where there is
    /// none, or segments were split or moved, those of the profile, in standard deviations of each column. By value and by
    /// share the largest are kept, and the customers of the others are in no segment. The record says what share of customers,
    /// and of the values if there are some, was put together or dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if `most` is 0, there are no values or no columns to measure by, or a segment must be dropped and
    /// the customers, which the profile is taken from, are not there.
    pub fn limit(
        &self,
        most: usize,
        by: LimitBy,
        values: Option<&[f64]>,
        table: Option<&Table>,
        reason: &str,
    ) -> Result<Self> {
        let k = self.names.len();
        if most == 0 {
            return Err(Error::argument("n", 0, "at least 1 segment must be left"));
        }
        if let Some(values) = values
            && let Some(bad) = (values.len() != k)
                .then_some(f64::NAN)
                .or_else(|| values.iter().copied().find(|value| !value.is_finite()))
        {
            return Err(Error::argument("value", bad, "each segment needs a number"));
        }
        if k <= most {
            return Ok(self.clone());
        }
        let (mut limited, gone, how) = match by {
            LimitBy::Ward => {
                let lists = self.nearest(most)?;
                let gone: Vec<usize> =
                    lists.iter().filter(|list| list.len() > 1).flatten().copied().collect();
                let how = "put together by Ward's criterion: the least separation is lost";
                (self.regrouped(&lists, &[])?, gone, how)
            }
            LimitBy::Value | LimitBy::Share => {
                let figures = match (by, values) {
                    (LimitBy::Share, _) => self.weights.as_slice(),
                    (_, Some(values)) => values,
                    (_, None) => {
                        let wanted = "the value of each segment is needed";
                        return Err(Error::argument("value", "none", wanted)
                            .with_mend("limit(7, by=\"value\", value=\"revenue\")"));
                    }
                };
                let mut order: Vec<usize> = (0..k).collect();
                order.sort_by(|&a, &b| figures[b].total_cmp(&figures[a]));
                let how = match by {
                    LimitBy::Value => "dropped: the others have more value",
                    _ => "dropped: the others have more customers",
                };
                let mut gone = order.split_off(most);
                gone.sort_unstable();
                (self.without(&gone, table)?, gone, how)
            }
        };
        let value_share = values.and_then(|values| {
            let total: f64 = values.iter().sum();
            (total > 0.0).then(|| gone.iter().map(|&s| values[s]).sum::<f64>() / total)
        });
        let is_new = |name: &&String| !self.names.contains(name);
        limited.history.push(Edit {
            into: limited.names.iter().filter(is_new).cloned().collect(),
            how: how.to_string(),
            value_share,
            evidence: "inferred".to_string(),
            ..self.edit(Action::Limit, &gone, reason)
        });
        Ok(limited)
    }

    /// The segments but some, whose customers are in no segment.
    fn without(&self, gone: &[usize], table: Option<&Table>) -> Result<Self> {
        let Some(table) = table else {
            let wanted =
                "segments are dropped, and the profile of the others is taken from the customers";
            return Err(Error::argument("df", "none", wanted).with_mend("limit(..., df=customers)"));
        };
        self.check_rows(table)?;
        let k = self.names.len();
        let kept: Vec<usize> = (0..k).filter(|segment| !gone.contains(segment)).collect();
        let mut groups = vec![MISSING; k];
        for (new, &old) in kept.iter().enumerate() {
            groups[old] = new as u32;
        }
        let labels = super::steps::renumber(&self.labels, &groups);
        let pick = |of: &[String]| kept.iter().map(|&s| of[s].clone()).collect();
        let mut limited = self.relabelled(table, pick(&self.names), pick(&self.texts), labels)?;
        let lost: usize = gone.iter().map(|&s| self.sizes[s]).sum();
        limited.manifest.leave_out("in a segment that was dropped", lost);
        limited.steps.push(Step::Regroup { groups, n: kept.len() as u32 });
        Ok(limited)
    }

    /// Lists of segments after the two nearest were put together until `most` are left.
    fn nearest(&self, most: usize) -> Result<Vec<Vec<usize>>> {
        let distances = self.distances()?;
        let k = self.names.len();
        let mut lists: Vec<Vec<usize>> = (0..k).map(|s| vec![s]).collect();
        let mut weights = self.weights.clone();
        let mut loss: Vec<Vec<f64>> = (0..k)
            .map(|a| {
                let of = |b: usize| {
                    let together = weights[a] + weights[b];
                    let share =
                        if together > 0.0 { weights[a] * weights[b] / together } else { 0.0 };
                    share * distances[a * k + b]
                };
                (0..k).map(of).collect()
            })
            .collect();
        while lists.len() > most {
            let mut nearest = (f64::INFINITY, 0, 1);
            for (a, row) in loss.iter().enumerate() {
                for (b, &lost) in row.iter().enumerate().skip(a + 1) {
                    if lost < nearest.0 {
                        nearest = (lost, a, b);
                    }
                }
            }
            let (lost, a, b) = nearest;
            // What a union of a and b and another one c would lose (Lance and Williams 1967, The Computer Journal 9:373-380).
            for c in (0..lists.len()).filter(|&c| c != a && c != b) {
                let [of_a, of_b, of_c] = [a, b, c].map(|at| weights[at]);
                let all = of_a + of_b + of_c;
                let sum = (of_a + of_c) * loss[a][c] + (of_b + of_c) * loss[b][c] - of_c * lost;
                let new = if all > 0.0 { sum / all } else { 0.0 };
                (loss[a][c], loss[c][a]) = (new, new);
            }
            loss.remove(b);
            loss.iter_mut().for_each(|row| {
                row.remove(b);
            });
            weights[a] += weights.remove(b);
            let absorbed = lists.remove(b);
            lists[a].extend(absorbed);
            lists[a].sort_unstable();
        }
        Ok(lists)
    }

    /// Squared distances of the centres of the segments, k by k.
    fn distances(&self) -> Result<Vec<f64>> {
        let k = self.names.len();
        if let Origin::Clustering(clustering) = &self.origin
            && let Some(regrouped) = regrouped(&self.steps, self.base)
        {
            let model = clustering.model();
            let groups: Vec<u32> =
                clustering.groups().iter().map(|&group| regrouped[group as usize]).collect();
            // The heaviest cluster stands for its segment.
            let cluster_of = |segment: usize| {
                let members = (0..groups.len()).filter(|&c| groups[c] as usize == segment);
                let weight = |cluster: &usize| model.weights()[*cluster];
                members
                    .max_by(|a, b| weight(a).total_cmp(&weight(b)).then(b.cmp(a)))
                    .unwrap_or(segment)
            };
            let clusters: Vec<usize> = (0..k).map(cluster_of).collect();
            let between = |at: usize| model.distance(clusters[at / k], clusters[at % k]);
            return Ok((0..k * k).map(between).collect());
        }
        let centres = self.profile_centres();
        if centres.is_empty() {
            let wanted =
                "there is no column that tells the segments apart, so none are near each other";
            return Err(
                Error::argument("by", "\"ward\"", wanted).with_mend("limit(7, by=\"share\")")
            );
        }
        let between = |at: usize| -> f64 {
            let difference = |centre: &Vec<f64>| (centre[at / k] - centre[at % k]).powi(2);
            centres.iter().map(difference).sum()
        };
        Ok((0..k * k).map(between).collect())
    }

    /// Per trait the centre of each segment, in such units that every column has the same weight.
    ///
    /// An amount counts in standard deviations. Levels of a column count as in correspondence analysis: a difference of
    /// shares is divided by the root of the overall share, and by that of the number of levels but one.
    fn profile_centres(&self) -> Vec<Vec<f64>> {
        let k = self.names.len();
        let traits = self.profile.traits();
        let levels =
            |feature: &str| traits.iter().filter(|found| found.feature == feature).count() / k;
        traits
            .chunks_exact(k)
            .filter(|row| row.iter().any(|found| found.v_test.is_finite()))
            .map(|row| {
                let unit = match row[0].level.is_empty() {
                    true => 1.0,
                    false => {
                        let n = levels(&row[0].feature).max(2) - 1;
                        ((1.0 - row[0].overall) / n as f64).max(0.0).sqrt()
                    }
                };
                row.iter()
                    .map(|found| match found.v_test.is_finite() {
                        true => (found.value - found.overall) / found.spread * unit,
                        false => 0.0,
                    })
                    .collect()
            })
            .collect()
    }
}
