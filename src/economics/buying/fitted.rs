//! Models of repeat buying fitted to a table of customers, one for all or one for each group.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::beta_binomial::BetaBinomial;
use super::beta_geo::BetaGeo;
use super::optimise::Optimum;
use super::pareto::Pareto;
use super::spells::Spells;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, Monitor};
use crate::persist::{self, Persist};
use crate::table::{Codes, MISSING, Table};

/// Which model of repeat buying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// [`BetaGeo`].
    BetaGeo,
    /// [`BetaGeo`] whose customers may leave after the first purchase.
    ModifiedBetaGeo,
    /// [`Pareto`].
    ParetoNBD,
    /// [`BetaBinomial`].
    BetaGeoBetaBinomial,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Kind {
    /// The name of a Python class.
    pub fn named(name: &str) -> Option<Self> {
        [Self::BetaGeo, Self::ModifiedBetaGeo, Self::ParetoNBD, Self::BetaGeoBetaBinomial]
            .into_iter()
            .find(|kind| kind.to_string() == name)
    }

    /// Names of the parameters, as the papers have them.
    pub fn parameters(self) -> [&'static str; 4] {
        match self {
            Self::BetaGeo | Self::ModifiedBetaGeo => ["r", "alpha", "a", "b"],
            Self::ParetoNBD => ["r", "alpha", "s", "beta"],
            Self::BetaGeoBetaBinomial => ["alpha", "beta", "gamma", "delta"],
        }
    }

    /// What is expected of a customer with these parameters: expected purchases in `time`, and P(alive).
    fn forecast(self, parameters: [f64; 4], customer: [f64; 3], time: f64) -> (f64, f64) {
        let [x, recency, age] = customer;
        let [one, two, three, four] = parameters;
        match self {
            Self::BetaGeo | Self::ModifiedBetaGeo => {
                let model = BetaGeo::new(parameters, self == Self::ModifiedBetaGeo);
                let alive = model.p_alive(x, recency, age);
                (model.expected_purchases(time, x, recency, age), alive)
            }
            Self::ParetoNBD => {
                let model = Pareto { r: one, alpha: two, s: three, beta: four };
                let alive = model.p_alive(x, recency, age);
                (model.expected_purchases(time, x, recency, age), alive)
            }
            Self::BetaGeoBetaBinomial => {
                let model = BetaBinomial { alpha: one, beta: two, gamma: three, delta: four };
                let alive = model.p_alive(x, recency, age);
                (model.expected_purchases(time, x, recency, age), alive)
            }
        }
    }

    fn of_new(self, parameters: [f64; 4], time: f64) -> f64 {
        let [one, two, three, four] = parameters;
        match self {
            Self::BetaGeo | Self::ModifiedBetaGeo => {
                BetaGeo::new(parameters, self == Self::ModifiedBetaGeo).expected_of_new(time)
            }
            Self::ParetoNBD => {
                Pareto { r: one, alpha: two, s: three, beta: four }.expected_of_new(time)
            }
            Self::BetaGeoBetaBinomial => {
                BetaBinomial { alpha: one, beta: two, gamma: three, delta: four }
                    .expected_of_new(time)
            }
        }
    }

    fn fit(self, spells: &Spells) -> Result<Optimum<4>> {
        Ok(match self {
            Self::BetaGeo => BetaGeo::fit(spells, false).1,
            Self::ModifiedBetaGeo => BetaGeo::fit(spells, true).1,
            Self::ParetoNBD => Pareto::fit(spells).1,
            Self::BetaGeoBetaBinomial => BetaBinomial::fit(spells)?.1,
        })
    }
}

/// Names of the columns of a table of customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Repeat purchases.
    pub frequency: String,
    /// Time from the first to the last purchase.
    pub recency: String,
    /// Time since the first purchase.
    pub age: String,
    /// Weight of each customer.
    pub weights: Option<String>,
    /// Groups that have a model each.
    pub by: Option<String>,
}

/// The model of one group of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name of the group; empty where there is one model for all.
    pub name: String,
    /// Customers, weighted.
    pub n: f64,
    /// The parameters; NaN where the data do not tell them.
    #[serde(with = "persist::floats")]
    pub parameters: Vec<f64>,
    /// Their standard errors.
    #[serde(with = "persist::floats")]
    pub standard_errors: Vec<f64>,
    /// The largest log-likelihood.
    pub log_likelihood: f64,
    /// Parameters that the data do not tell.
    pub unknown: Vec<String>,
}

/// Models of repeat buying of all customers, or of each group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatBuying {
    /// Which model.
    pub kind: Kind,
    /// The columns.
    pub names: Names,
    /// One model per group.
    pub groups: Vec<Group>,
    /// What the models were made from.
    pub manifest: Manifest,
}

/// Customers of a table: what they did, and the group they are in.
struct Customers {
    values: [Vec<f64>; 3],
    weights: Option<Vec<f64>>,
    group: Vec<u32>,
    groups: Vec<String>,
    missing: [usize; 2],
}

fn read(table: &Table, names: &Names) -> Result<Customers> {
    let columns = [&names.frequency, &names.recency, &names.age];
    let mut values: [Vec<f64>; 3] = Default::default();
    for (to, name) in values.iter_mut().zip(columns) {
        *to = table.numeric(name)?.to_vec();
    }
    let weights = names.weights.as_ref().map(|name| table.numeric(name)).transpose()?;
    let weights = weights.map(|weights| weights.to_vec());
    if let (Some(weights), Some(name)) = (&weights, &names.weights)
        && let Some(row) = weights.iter().position(|w| *w < 0.0 || !w.is_finite())
    {
        let wanted = "a finite weight that is not negative is needed";
        return Err(Error::value(name, row, weights[row], wanted));
    }
    let n = table.n_rows();
    let (mut group, groups) = match &names.by {
        None => (vec![0; n], vec![String::new()]),
        Some(name) => {
            let Codes { codes, categories, .. } = table.codes(name)?;
            (codes, categories)
        }
    };
    let mut missing = [0; 2];
    for (row, group) in group.iter_mut().enumerate() {
        if *group == MISSING {
            missing[0] += 1;
        } else if values.iter().any(|column| column[row].is_nan()) {
            missing[1] += 1;
            *group = MISSING;
        }
    }
    Ok(Customers { values, weights, group, groups, missing })
}

impl RepeatBuying {
    /// Fits the model, or one per group.
    ///
    /// # Errors
    ///
    /// Those of reading the columns and of [`Spells::new`], with the row of the table; [`Error::TooFewRows`] without a
    /// customer.
    pub fn fit(
        table: &Table,
        kind: Kind,
        names: Names,
        mut manifest: Manifest,
        monitor: &Monitor,
    ) -> Result<Self> {
        let customers = read(table, &names)?;
        if let Some(by) = &names.by {
            manifest.leave_out(format!("{by:?} is missing"), customers.missing[0]);
        }
        let [x, recency, age] = [&names.frequency, &names.recency, &names.age];
        manifest
            .leave_out(format!("{x:?}, {recency:?} or {age:?} is missing"), customers.missing[1]);
        let mut groups = Vec::new();
        for (code, name) in customers.groups.iter().enumerate() {
            monitor.check()?;
            let rows: Vec<usize> =
                (0..table.n_rows()).filter(|&row| customers.group[row] == code as u32).collect();
            if rows.is_empty() && customers.groups.len() > 1 {
                manifest.notes.push(format!("group {name:?} has no customers"));
                continue;
            }
            let of = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect::<Vec<_>>();
            let [x, recency, age] = customers.values.each_ref().map(of);
            let weights = customers.weights.as_ref().map(of);
            let spells = Spells::new(&x, &recency, &age, weights.as_deref())
                .map_err(|error| in_table(error, &rows, &names))?;
            let top = kind.fit(&spells)?;
            let unknown: Vec<String> =
                top.unknown.iter().map(|&i| kind.parameters()[i].to_string()).collect();
            // Where one parameter is not told, the others rest on whatever it happened to be.
            let told = |values: [f64; 4]| {
                if unknown.is_empty() { values.to_vec() } else { vec![f64::NAN; 4] }
            };
            groups.push(Group {
                name: name.clone(),
                n: spells.total(),
                parameters: told(top.parameters),
                standard_errors: told(top.standard_errors()),
                log_likelihood: top.log_likelihood,
                unknown,
            });
        }
        Ok(Self { kind, names, groups, manifest })
    }

    /// Expected purchases in a time to come and P(alive) of each customer; NaN for customers with a missing value or of a
    /// group without a model.
    ///
    /// One pass, in parallel.
    ///
    /// # Errors
    ///
    /// Those of reading the columns and of impossible customers; [`Error::Argument`] for a time that is negative.
    pub fn forecast(&self, table: &Table, time: f64) -> Result<(Vec<f64>, Vec<f64>)> {
        check_time(time)?;
        let names = Names { weights: None, ..self.names.clone() };
        let customers = read(table, &names)?;
        let rows: Vec<usize> =
            (0..table.n_rows()).filter(|&row| customers.group[row] != MISSING).collect();
        let of = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect::<Vec<_>>();
        let [x, recency, age] = customers.values.each_ref().map(of);
        Spells::check(&x, &recency, &age).map_err(|error| in_table(error, &rows, &names))?;
        let model_of: Vec<Option<&Group>> = customers
            .groups
            .iter()
            .map(|name| self.groups.iter().find(|group| &group.name == name))
            .collect();
        let blocks = parallel::map_blocks(table.n_rows(), |rows| {
            rows.map(|row| {
                let model = model_of.get(customers.group[row] as usize).copied().flatten();
                let Some(&[a, b, c, d]) = model.map(|group| group.parameters.as_slice()) else {
                    return (f64::NAN, f64::NAN);
                };
                let customer = customers.values.each_ref().map(|column| column[row]);
                self.kind.forecast([a, b, c, d], customer, time)
            })
            .collect::<Vec<_>>()
        });
        Ok(blocks.into_iter().flatten().unzip())
    }

    /// Expected repeat purchases of a new customer of each group in each of the times.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a time that is negative.
    pub fn of_new(&self, times: &[f64]) -> Result<Vec<Vec<f64>>> {
        times.iter().try_for_each(|&time| check_time(time))?;
        let of_group = |group: &Group| match group.parameters.as_slice() {
            &[a, b, c, d] => times.iter().map(|&t| self.kind.of_new([a, b, c, d], t)).collect(),
            _ => vec![f64::NAN; times.len()],
        };
        Ok(self.groups.iter().map(of_group).collect())
    }

    /// One row per group: its customers, parameters with standard errors, and log-likelihood.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`](crate::table::Builder::finish).
    pub fn table(&self) -> Result<Table> {
        let mut builder = Table::builder();
        if let Some(by) = &self.names.by {
            builder = builder.text(by, self.groups.iter().map(|group| &group.name));
        }
        builder = builder.float("n", self.groups.iter().map(|group| group.n));
        for (i, name) in self.kind.parameters().into_iter().enumerate() {
            builder = builder
                .float(name, self.groups.iter().map(|group| group.parameters[i]))
                .float(&format!("{name}_se"), self.groups.iter().map(|g| g.standard_errors[i]));
        }
        builder.float("log_likelihood", self.groups.iter().map(|g| g.log_likelihood)).finish()
    }
}

fn check_time(time: f64) -> Result<()> {
    if time.is_finite() && time >= 0.0 {
        Ok(())
    } else {
        Err(Error::argument("time", time, "a finite number from 0 up is needed"))
    }
}

/// The same error with the row and the names of the table.
fn in_table(error: Error, rows: &[usize], names: &Names) -> Error {
    match error {
        Error::BadValue { column, row, found, wanted, mend } => {
            let column = match column.as_str() {
                "frequency" => names.frequency.clone(),
                "recency" => names.recency.clone(),
                "T" => names.age.clone(),
                other => other.to_string(),
            };
            let row = rows.get(row).copied().unwrap_or(row);
            Error::BadValue { column, row, found, wanted, mend }
        }
        other => other,
    }
}

impl Persist for RepeatBuying {
    const KIND: &'static str = "repeat_buying";

    fn validate(&self) -> Result<()> {
        let fits = |group: &Group| {
            let positive =
                group.parameters.iter().all(|p| p.is_nan() || (*p > 0.0 && p.is_finite()));
            group.parameters.len() == 4 && group.standard_errors.len() == 4 && positive
        };
        if self.groups.iter().all(fits) {
            Ok(())
        } else {
            Err(persist::broken("four positive parameters per group are needed"))
        }
    }
}
