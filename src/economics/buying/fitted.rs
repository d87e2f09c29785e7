//! Models fitted to a table of customers, one for all or one for each group.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::beta_binomial::{self, BetaBinomial};
use super::beta_geo;
use super::dual::Dual;
use super::gamma_gamma::{self, Spend};
use super::optimise::Optimum;
use super::pareto;
use super::pooled::{self, Likelihood};
use super::shifted::{self, ShiftedBetaGeometric};
use super::spells::Spells;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Persist};
use crate::table::{Codes, MISSING, Table};

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// [`BetaGeo`](super::BetaGeo).
    BetaGeo,
    /// [`BetaGeo`](super::BetaGeo) whose customers may leave after the first purchase.
    ModifiedBetaGeo,
    /// [`Pareto`](super::Pareto).
    ParetoNBD,
    /// [`BetaBinomial`].
    BetaGeoBetaBinomial,
    /// [`GammaGamma`](super::GammaGamma).
    GammaGamma,
    /// [`ShiftedBetaGeometric`].
    ShiftedBetaGeometric,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Kind {
    /// The name of a Python class.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::BetaGeo,
            Self::ModifiedBetaGeo,
            Self::ParetoNBD,
            Self::BetaGeoBetaBinomial,
            Self::GammaGamma,
            Self::ShiftedBetaGeometric,
        ]
        .into_iter()
        .find(|kind| kind.to_string() == name)
    }

    /// Names of the parameters, as the papers have them.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::BetaGeo | Self::ModifiedBetaGeo => &["r", "alpha", "a", "b"],
            Self::ParetoNBD => &["r", "alpha", "s", "beta"],
            Self::BetaGeoBetaBinomial => &["alpha", "beta", "gamma", "delta"],
            Self::GammaGamma => &["p", "q", "v"],
            Self::ShiftedBetaGeometric => &["alpha", "beta"],
        }
    }

    /// What the columns that the model reads hold, in the order of [`Names::columns`].
    pub fn roles(self) -> &'static [&'static str] {
        match self {
            Self::GammaGamma => &["frequency", "monetary"],
            Self::ShiftedBetaGeometric => &["period", "alive"],
            _ => &["frequency", "recency", "T"],
        }
    }
}

/// Names of the columns of a table of customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// One for each of [`Kind::roles`].
    pub columns: Vec<String>,
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
    /// Where the search ended: the parameters, if the data tell them, and else a point of no lower likelihood than any.
    /// Forecasts rest on it.
    pub reached: Vec<f64>,
    /// The log-likelihood there.
    pub log_likelihood: f64,
    /// Parameters that the data do not tell.
    pub unknown: Vec<String>,
}

/// What groups under partial pooling have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Common {
    /// The parameters of a typical group.
    pub parameters: Vec<f64>,
    /// Standard deviations over the groups of the logarithms of the parameters.
    pub spread: Vec<f64>,
}

/// Models of all customers, or of each group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatBuying {
    /// Which model.
    pub kind: Kind,
    /// The columns.
    pub names: Names,
    /// Days in the unit of time, where it is known.
    pub unit_days: Option<f64>,
    /// One model per group.
    pub groups: Vec<Group>,
    /// What the groups have in common, under partial pooling.
    pub common: Option<Common>,
    /// What the models were made from.
    pub manifest: Manifest,
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// Whether groups lend strength to each other.
    pub pooled: bool,
    /// Days in the unit of time, where it is known.
    pub unit_days: Option<f64>,
}

/// Rows of a table with the group that each is in.
pub(super) struct Rows {
    /// One for each role.
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) weights: Option<Vec<f64>>,
    /// Number of the group, or [`MISSING`].
    pub(super) group: Vec<u32>,
    pub(super) groups: Vec<String>,
}

impl Rows {
    /// Reads the columns. Rows that cannot be used are counted in the manifest, if there is one.
    pub(super) fn read(
        table: &Table,
        kind: Kind,
        names: &Names,
        manifest: Option<&mut Manifest>,
    ) -> Result<Self> {
        let read = |name: &String| Ok(table.numeric(name)?.to_vec());
        let columns = names.columns.iter().map(read).collect::<Result<Vec<_>>>()?;
        let weights = names.weights.as_ref().map(read).transpose()?;
        if let (Some(weights), Some(name)) = (&weights, &names.weights)
            && let Some(row) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite()))
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
        if let Some(manifest) = manifest {
            if let Some(by) = &names.by {
                let missing = (0..n).filter(|&row| group[row] == MISSING);
                manifest.leave_out(format!("{by:?} is missing"), missing.count());
            }
            if kind == Kind::GammaGamma {
                let once = |row: &usize| group[*row] != MISSING && columns[0][*row] == 0.0;
                let rows: Vec<usize> = (0..n).filter(once).collect();
                let name = &names.columns[0];
                let reason = format!("{name:?} is 0: spend is that of repeat purchases");
                manifest.leave_out(reason, rows.len());
                rows.iter().for_each(|&row| group[row] = MISSING);
            }
            for (column, name) in columns.iter().zip(&names.columns) {
                let at = |row: &usize| group[*row] != MISSING && column[*row].is_nan();
                let rows: Vec<usize> = (0..n).filter(at).collect();
                if let Some(first) = rows.first() {
                    let reason = format!("{name:?} is missing, first in row {first}");
                    manifest.leave_out(reason, rows.len());
                }
                rows.iter().for_each(|&row| group[row] = MISSING);
            }
        }
        Ok(Self { columns, weights, group, groups })
    }

    /// The rows of each group, in the order of the table.
    fn by_group(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.groups.len()];
        for (row, &group) in self.group.iter().enumerate() {
            if let Some(rows) = rows.get_mut(group as usize) {
                rows.push(row);
            }
        }
        rows
    }
}

/// Customers of one group who buy again, under one of the models of purchases.
struct Buyers {
    kind: Kind,
    spells: Spells,
}

impl Likelihood<4> for Buyers {
    fn start(&self) -> [f64; 4] {
        let age = self.spells.typical_age();
        match self.kind {
            Kind::ParetoNBD => [1.0, age, 1.0, age],
            Kind::BetaGeoBetaBinomial => [1.0; 4],
            _ => [1.0, age, 1.0, 1.0],
        }
    }

    fn log_likelihood(&self, parameters: &[Dual<4>; 4]) -> Dual<4> {
        match self.kind {
            Kind::ParetoNBD => pareto::log_likelihood(parameters, &self.spells),
            Kind::BetaGeoBetaBinomial => beta_binomial::log_likelihood(parameters, &self.spells),
            Kind::ModifiedBetaGeo => beta_geo::log_likelihood(parameters, &self.spells, true),
            _ => beta_geo::log_likelihood(parameters, &self.spells, false),
        }
    }

    fn thinned(&self) -> Option<Self> {
        (self.spells.len() >= pooled::MANY)
            .then(|| Self { kind: self.kind, spells: self.spells.thinned(pooled::THIN) })
    }
}

impl Likelihood<3> for Spend {
    fn start(&self) -> [f64; 3] {
        self.start()
    }

    fn log_likelihood(&self, parameters: &[Dual<3>; 3]) -> Dual<3> {
        gamma_gamma::log_likelihood(parameters, self)
    }

    fn thinned(&self) -> Option<Self> {
        (self.len() >= pooled::MANY).then(|| self.thinned(pooled::THIN))
    }
}

/// Contracts alive after 0, 1, 2, .. renewals.
struct Contracts(Vec<f64>);

impl Likelihood<2> for Contracts {
    fn start(&self) -> [f64; 2] {
        [1.0, 1.0]
    }

    fn log_likelihood(&self, parameters: &[Dual<2>; 2]) -> Dual<2> {
        shifted::log_likelihood(parameters, &self.0)
    }
}

impl Contracts {
    /// From rows of periods and numbers alive, in any order.
    fn new(period: &[f64], alive: &[f64]) -> Result<Self> {
        let mut order: Vec<usize> = (0..period.len()).collect();
        order.sort_by(|&a, &b| period[a].total_cmp(&period[b]));
        for (expected, &row) in order.iter().enumerate() {
            if period[row] != expected as f64 {
                let wanted =
                    format!("each period once, 0, 1, 2 and so on, is needed, here {expected}");
                return Err(Error::value("period", row, period[row], wanted));
            }
        }
        let alive: Vec<f64> = order.iter().map(|&row| alive[row]).collect();
        ShiftedBetaGeometric::check(&alive).map_err(|error| in_table(error, &order, &[]))?;
        Ok(Self(alive))
    }
}

/// A group to be fitted: its name, customers and data.
struct Member<L> {
    name: String,
    n: f64,
    data: L,
}

impl RepeatBuying {
    /// Fits the model, or one per group.
    ///
    /// # Errors
    ///
    /// Those of reading the columns and of impossible customers, with the row of the table; [`Error::TooFewRows`] without
    /// a customer.
    pub fn fit(
        table: &Table,
        kind: Kind,
        names: Names,
        settings: Settings,
        mut manifest: Manifest,
        monitor: &Monitor,
    ) -> Result<Self> {
        let rows = Rows::read(table, kind, &names, Some(&mut manifest))?;
        monitor.check()?;
        let fitting = Fitting { kind, rows: &rows, names: &names, settings, monitor };
        let (groups, common) = match kind {
            Kind::GammaGamma => fitting.run(&mut manifest, |columns, weights| {
                let spend = Spend::new(&columns[0], &columns[1], weights)?;
                Ok((spend.n(), spend))
            }),
            Kind::ShiftedBetaGeometric => fitting.run(&mut manifest, |columns, _| {
                let contracts = Contracts::new(&columns[0], &columns[1])?;
                Ok((contracts.0[0], contracts))
            }),
            _ => fitting.run(&mut manifest, |columns, weights| {
                let spells = Spells::new(&columns[0], &columns[1], &columns[2], weights)?;
                if kind == Kind::BetaGeoBetaBinomial {
                    BetaBinomial::check(&spells)?;
                }
                Ok((spells.total(), Buyers { kind, spells }))
            }),
        }?;
        Ok(Self { kind, names, unit_days: settings.unit_days, groups, common, manifest })
    }

    /// One row per group and parameter: the estimate with its 95 % interval, that of its logarithm, and standard error.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::finish`](crate::table::Builder::finish).
    pub fn table(&self) -> Result<Table> {
        let names = self.kind.parameters();
        let cells: Vec<(&Group, usize)> = self
            .groups
            .iter()
            .flat_map(|group| (0..names.len()).map(move |i| (group, i)))
            .collect();
        let factor = |group: &Group, i: usize| {
            (1.959_963_984_540_054 * group.standard_errors[i] / group.parameters[i]).exp()
        };
        let mut builder = Table::builder();
        if let Some(by) = &self.names.by {
            builder = builder.text(by, cells.iter().map(|(group, _)| &group.name));
        }
        builder
            .text("parameter", cells.iter().map(|&(_, i)| names[i]))
            .float("estimate", cells.iter().map(|&(group, i)| group.parameters[i]))
            .float("estimate_lo", cells.iter().map(|&(g, i)| g.parameters[i] / factor(g, i)))
            .float("estimate_hi", cells.iter().map(|&(g, i)| g.parameters[i] * factor(g, i)))
            .float("standard_error", cells.iter().map(|&(group, i)| group.standard_errors[i]))
            .float("n", cells.iter().map(|&(group, _)| group.n))
            .finish()
    }
}

/// What fitting takes, of any model.
struct Fitting<'a> {
    kind: Kind,
    rows: &'a Rows,
    names: &'a Names,
    settings: Settings,
    monitor: &'a Monitor,
}

impl Fitting<'_> {
    /// Fits each group; `prepare` makes the data of a group, with its number of customers, from its columns and weights.
    fn run<const P: usize, L: Likelihood<P>>(
        &self,
        manifest: &mut Manifest,
        prepare: impl Fn(&[Vec<f64>], Option<&[f64]>) -> Result<(f64, L)>,
    ) -> Result<(Vec<Group>, Option<Common>)> {
        let mut members = Vec::new();
        let rows_by_group = self.rows.by_group();
        for (name, rows) in self.rows.groups.iter().zip(&rows_by_group) {
            self.monitor.check()?;
            let of = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect::<Vec<_>>();
            let columns: Vec<Vec<f64>> = self.rows.columns.iter().map(of).collect();
            let weights = self.rows.weights.as_ref().map(of);
            let counts = weights.as_ref().map_or(!rows.is_empty(), |w| w.iter().any(|w| *w > 0.0));
            if !counts && self.names.by.is_some() {
                manifest.notes.push(format!("group {name:?} has no customers"));
                continue;
            }
            let (n, data) = prepare(&columns, weights.as_deref())
                .map_err(|error| in_table(error, rows, &self.named()))?;
            members.push(Member { name: name.clone(), n, data });
        }
        if members.is_empty() {
            let what = format!("{}", self.kind);
            return Err(Error::TooFewRows { what, needed: 1, found: 0, mend: None });
        }
        let (names, data): (Vec<(String, f64)>, Vec<L>) =
            members.into_iter().map(|member| ((member.name, member.n), member.data)).unzip();
        if self.settings.pooled && data.len() > 1 {
            let (tops, prior) = pooled::partial(&data, self.monitor)?;
            let groups = names.into_iter().zip(&tops).map(|(name, top)| self.group(name, top));
            let spread = prior.variance.map(f64::sqrt).to_vec();
            let parameters = prior.mean.map(f64::exp).to_vec();
            return Ok((groups.collect(), Some(Common { parameters, spread })));
        }
        let mut groups = Vec::new();
        for (name, data) in names.into_iter().zip(&data) {
            self.monitor.check()?;
            groups.push(self.group(name, &pooled::alone(data)));
        }
        Ok((groups, None))
    }

    fn group<const P: usize>(&self, (name, n): (String, f64), top: &Optimum<P>) -> Group {
        let names = self.kind.parameters();
        let unknown: Vec<String> = top.unknown.iter().map(|&i| names[i].to_string()).collect();
        // Where one parameter is not told, the others rest on whatever it happened to be.
        let told = |values: [f64; P]| {
            if unknown.is_empty() { values.to_vec() } else { vec![f64::NAN; P] }
        };
        Group {
            name,
            n,
            parameters: told(top.parameters),
            standard_errors: told(top.standard_errors()),
            reached: top.parameters.to_vec(),
            log_likelihood: top.log_likelihood,
            unknown,
        }
    }

    /// Roles with the names of their columns.
    fn named(&self) -> Vec<(&'static str, String)> {
        named(self.kind, self.names)
    }
}

/// Roles with the names of their columns.
pub(super) fn named(kind: Kind, names: &Names) -> Vec<(&'static str, String)> {
    kind.roles().iter().copied().zip(names.columns.iter().cloned()).collect()
}

/// The same error with the row and the names of the table.
pub(super) fn in_table(error: Error, rows: &[usize], names: &[(&str, String)]) -> Error {
    match error {
        Error::BadValue { column, row, found, wanted, mend } => {
            let name = names.iter().find(|(role, _)| *role == column);
            let column = name.map_or(column.clone(), |(_, name)| name.clone());
            let row = rows.get(row).copied().unwrap_or(row);
            Error::BadValue { column, row, found, wanted, mend }
        }
        other => other,
    }
}

impl Persist for RepeatBuying {
    const KIND: &'static str = "repeat_buying";

    fn validate(&self) -> Result<()> {
        let n = self.kind.parameters().len();
        let positive = |values: &[f64]| {
            values.len() == n && values.iter().all(|v| v.is_nan() || (*v > 0.0 && v.is_finite()))
        };
        let fits = |group: &Group| {
            positive(&group.parameters)
                && positive(&group.reached)
                && group.standard_errors.len() == n
                && group.n >= 0.0
        };
        let roles = self.names.columns.len() == self.kind.roles().len();
        let common = self
            .common
            .iter()
            .all(|common| positive(&common.parameters) && common.spread.len() == n);
        let unit = self.unit_days.is_none_or(|days| days.is_finite() && days > 0.0);
        if roles && unit && common && !self.groups.is_empty() && self.groups.iter().all(fits) {
            Ok(())
        } else {
            Err(persist::broken("the parameters do not fit the model"))
        }
    }
}
