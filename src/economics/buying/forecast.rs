//! What fitted models say of customers: purchases to come, whether they are still there, spend and value.

use hashbrown::HashMap;

use super::beta_binomial::BetaBinomial;
use super::beta_geo::BetaGeo;
use super::fitted::{Group, Kind, RepeatBuying, Rows, in_table, named};
use super::gamma_gamma::GammaGamma;
use super::pareto::Pareto;
use super::shifted::ShiftedBetaGeometric;
use super::spells::Spells;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};
use crate::table::{MISSING, Table};

/// A model of purchases.
#[derive(Debug, Clone, Copy)]
enum Purchases {
    BetaGeo(BetaGeo),
    Pareto(Pareto),
    BetaBinomial(BetaBinomial),
}

impl Purchases {
    /// `None` where the model is not one of purchases.
    fn of(kind: Kind, group: &Group) -> Option<Self> {
        let &[one, two, three, four] = group.reached.as_slice() else { return None };
        Some(match kind {
            Kind::ParetoNBD => Self::Pareto(Pareto { r: one, alpha: two, s: three, beta: four }),
            Kind::BetaGeoBetaBinomial => Self::BetaBinomial(BetaBinomial {
                alpha: one,
                beta: two,
                gamma: three,
                delta: four,
            }),
            _ => {
                Self::BetaGeo(BetaGeo::new([one, two, three, four], kind == Kind::ModifiedBetaGeo))
            }
        })
    }

    fn p_alive(&self, [x, recency, age]: [f64; 3]) -> f64 {
        match self {
            Self::BetaGeo(model) => model.p_alive(x, recency, age),
            Self::Pareto(model) => model.p_alive(x, recency, age),
            Self::BetaBinomial(model) => model.p_alive(x, recency, age),
        }
    }

    /// Of a customer who is there: what their recency would add is in P(alive).
    fn expected_if_alive(&self, time: f64, x: f64, age: f64) -> f64 {
        match self {
            Self::BetaGeo(model) => model.expected_if_alive(time, x, age),
            Self::Pareto(model) => model.expected_if_alive(time, x, age),
            Self::BetaBinomial(model) => model.expected_if_alive(time, x, age),
        }
    }

    fn of_new(&self, time: f64) -> f64 {
        match self {
            Self::BetaGeo(model) => model.expected_of_new(time),
            Self::Pareto(model) => model.expected_of_new(time),
            Self::BetaBinomial(model) => model.expected_of_new(time),
        }
    }

    fn counts_of_new(&self, time: f64, most: u32) -> Vec<f64> {
        match self {
            Self::BetaGeo(model) => model.counts_of_new(time, most),
            Self::Pareto(model) => model.counts_of_new(time, most),
            Self::BetaBinomial(model) => model.counts_of_new(time, most),
        }
    }
}

/// How purchases to come are turned into money of today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discount {
    /// Units of time looked ahead.
    pub time: f64,
    /// Rate per unit of time.
    pub rate: f64,
    /// Whether the purchases of a unit count at its beginning, not at its end.
    pub advance: bool,
}

impl Discount {
    fn check(&self) -> Result<()> {
        check_time(self.time)?;
        if self.time > 100_000.0 {
            return Err(Error::argument(
                "time",
                self.time,
                "at most 100000 units are looked ahead",
            ));
        }
        if !(self.rate.is_finite() && self.rate >= 0.0) {
            let wanted = "a rate from 0 up is needed";
            return Err(Error::argument("discount_rate", self.rate, wanted));
        }
        Ok(())
    }

    /// Discounted purchases, from their expectation up to any time.
    ///
    /// With the factors v of the units, the sum of `v (E(t) - E(t - 1))`.
    fn purchases(&self, expected: impl Fn(f64) -> f64) -> f64 {
        if self.rate == 0.0 {
            return expected(self.time);
        }
        let step = 1.0 / (1.0 + self.rate);
        let mut factor = if self.advance { 1.0 } else { step };
        let (mut sum, mut before) = (0.0, 0.0);
        for unit in 1..=self.time.ceil() as u32 {
            let until = expected(f64::from(unit).min(self.time));
            sum += factor * (until - before);
            before = until;
            factor *= step;
        }
        sum
    }
}

/// Customers of a table with the number of their group among the models.
struct Customers {
    rows: Rows,
    model: Vec<u32>,
}

/// Distinct groups, frequencies and ages of customers.
struct Pairs {
    /// Number of each customer's; nothing where it is not needed.
    code: Vec<u32>,
    /// The first customer of each.
    first: Vec<usize>,
}

impl Pairs {
    fn new(model: &[u32], x: &[f64], age: &[f64], needed: bool) -> Self {
        if !needed {
            return Self { code: Vec::new(), first: vec![0] };
        }
        let mut known: HashMap<(u32, u64, u64), u32, foldhash::fast::RandomState> =
            HashMap::default();
        let mut first = Vec::new();
        let mut code = Vec::with_capacity(x.len());
        for row in 0..x.len() {
            let key = (model[row], x[row].to_bits(), age[row].to_bits());
            code.push(*known.entry(key).or_insert_with(|| {
                first.push(row);
                first.len() as u32 - 1
            }));
        }
        Self { code, first }
    }
}

impl RepeatBuying {
    /// Reads customers and refuses impossible ones.
    fn customers(&self, table: &Table) -> Result<Customers> {
        if matches!(self.kind, Kind::GammaGamma | Kind::ShiftedBetaGeometric) {
            return Err(self.no_such("purchases"));
        }
        let names = super::Names { weights: None, ..self.names.clone() };
        let rows = Rows::read(table, self.kind, &names, None)?;
        let [x, recency, age] = [0, 1, 2].map(|role: usize| &rows.columns[role]);
        let complete = |row: &usize| rows.columns.iter().all(|column| !column[*row].is_nan());
        let used: Vec<usize> = (0..table.n_rows()).filter(complete).collect();
        let names = named(self.kind, &self.names);
        if used.len() == table.n_rows() {
            Spells::check(x, recency, age).map_err(|error| in_table(error, &used, &names))?;
        } else {
            let of = |column: &Vec<f64>| used.iter().map(|&row| column[row]).collect::<Vec<_>>();
            Spells::check(&of(x), &of(recency), &of(age))
                .map_err(|error| in_table(error, &used, &names))?;
        }
        let model = self.models_of(&rows);
        Ok(Customers { rows, model })
    }

    /// For each row the number of its group's model, or [`MISSING`].
    fn models_of(&self, rows: &Rows) -> Vec<u32> {
        let at = |name: &String| {
            let found = self.groups.iter().position(|group| &group.name == name);
            found.map_or(MISSING, |at| at as u32)
        };
        let of_code: Vec<u32> = rows.groups.iter().map(at).collect();
        rows.group
            .iter()
            .map(|&code| of_code.get(code as usize).copied().unwrap_or(MISSING))
            .collect()
    }

    fn no_such(&self, what: &str) -> Error {
        Error::argument("model", self.kind, format!("a model of {what} is needed"))
    }

    /// P(alive) of each customer, times `f(model, frequency, age)` where there is such a function; NaN for a customer with
    /// a missing value or of a group without a model.
    ///
    /// `f` is worked out once for each distinct pair of frequency and age.
    fn each(
        &self,
        table: &Table,
        monitor: &Monitor,
        f: Option<impl Fn(&Purchases, f64, f64) -> f64 + Sync + Send>,
    ) -> Result<Vec<f64>> {
        let Customers { rows, model } = self.customers(table)?;
        let models: Vec<Option<Purchases>> =
            self.groups.iter().map(|group| Purchases::of(self.kind, group)).collect();
        let of_row = |row: usize| models.get(model[row] as usize).and_then(Option::as_ref);
        let [x, recency, age] = [0, 1, 2].map(|role: usize| rows.columns[role].as_slice());
        let Pairs { code, first } = Pairs::new(&model, x, age, f.is_some());
        let mut futures = vec![f64::NAN; first.len()];
        if let Some(f) = f {
            parallel::fill_blocks(&mut futures, |start, block| {
                for (slot, &row) in block.iter_mut().zip(&first[start..]) {
                    let known = !x[row].is_nan() && !age[row].is_nan();
                    if known
                        && monitor.check().is_ok()
                        && let Some(model) = of_row(row)
                    {
                        *slot = f(model, x[row], age[row]);
                    }
                }
            });
        } else {
            futures.fill(1.0);
        }
        monitor.check()?;
        let mut found = vec![f64::NAN; table.n_rows()];
        parallel::fill_blocks(&mut found, |start, block| {
            for (offset, slot) in block.iter_mut().enumerate() {
                let row = start + offset;
                let is_complete = !(x[row].is_nan() || recency[row].is_nan() || age[row].is_nan());
                if let Some(model) = of_row(row).filter(|_| is_complete) {
                    let future = futures[code.get(row).map_or(0, |&code| code as usize)];
                    *slot = future * model.p_alive([x[row], recency[row], age[row]]);
                }
            }
        });
        Ok(found)
    }

    /// Expected purchases of each customer in a time to come; NaN for customers with a missing value or of a group without
    /// a model. One pass, in parallel.
    ///
    /// # Errors
    ///
    /// Those of reading the columns and of impossible customers; [`Error::Argument`] for a time that is negative.
    pub fn expected_purchases(
        &self,
        table: &Table,
        time: f64,
        monitor: &Monitor,
    ) -> Result<Vec<f64>> {
        check_time(time)?;
        let future = |model: &Purchases, x, age| model.expected_if_alive(time, x, age);
        self.each(table, monitor, Some(future))
    }

    /// Probability that each customer has not left; NaN as in [`RepeatBuying::expected_purchases`].
    ///
    /// # Errors
    ///
    /// Those of reading the columns and of impossible customers.
    pub fn p_alive(&self, table: &Table, monitor: &Monitor) -> Result<Vec<f64>> {
        self.each(table, monitor, None::<fn(&Purchases, f64, f64) -> f64>)
    }

    /// Discounted money that each customer is expected to bring: purchases of this model, spend of the other.
    ///
    /// # Errors
    ///
    /// Those of [`RepeatBuying::expected_purchases`] and of [`RepeatBuying::expected_spend`]; [`Error::Argument`] for a
    /// rate below 0.
    pub fn lifetime_value(
        &self,
        table: &Table,
        spend: &Self,
        discount: Discount,
        monitor: &Monitor,
    ) -> Result<Vec<f64>> {
        discount.check()?;
        let spend = spend.expected_spend(table)?;
        let future = |model: &Purchases, x: f64, age: f64| {
            discount.purchases(|time| model.expected_if_alive(time, x, age))
        };
        let mut found = self.each(table, monitor, Some(future))?;
        found.iter_mut().zip(spend).for_each(|(purchases, spend)| *purchases *= spend);
        Ok(found)
    }

    /// Expected spend per purchase of each customer: the population's where there was no repeat purchase.
    ///
    /// # Errors
    ///
    /// Those of reading the columns; [`Error::Argument`] if this is no model of spend.
    pub fn expected_spend(&self, table: &Table) -> Result<Vec<f64>> {
        if self.kind != Kind::GammaGamma {
            return Err(self.no_such("spend"));
        }
        let names = super::Names { weights: None, ..self.names.clone() };
        let rows = Rows::read(table, self.kind, &names, None)?;
        let of = |group: &Group| match group.reached.as_slice() {
            &[p, q, v] => Some(GammaGamma { p, q, v }),
            _ => None,
        };
        let models: Vec<Option<GammaGamma>> = self.groups.iter().map(of).collect();
        let model = self.models_of(&rows);
        let mut found = vec![f64::NAN; table.n_rows()];
        parallel::fill_blocks(&mut found, |first, block| {
            for (offset, slot) in block.iter_mut().enumerate() {
                let row = first + offset;
                let model = models.get(model[row] as usize).and_then(Option::as_ref);
                if let Some(model) = model {
                    *slot = model.expected_spend(rows.columns[0][row], rows.columns[1][row]);
                }
            }
        });
        Ok(found)
    }

    /// Mean spend per purchase over the customers of each group.
    pub fn mean_spend(&self) -> Vec<f64> {
        let of = |group: &Group| match group.reached.as_slice() {
            &[p, q, v] => GammaGamma { p, q, v }.mean_spend(),
            _ => f64::NAN,
        };
        self.groups.iter().map(of).collect()
    }

    /// Expected repeat purchases of a new customer of each group in each of the times.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a time that is negative.
    pub fn of_new(&self, times: &[f64]) -> Result<Vec<Vec<f64>>> {
        times.iter().try_for_each(|&time| check_time(time))?;
        let of_group = |group: &Group| match Purchases::of(self.kind, group) {
            Some(model) => times.iter().map(|&time| model.of_new(time)).collect(),
            None => vec![f64::NAN; times.len()],
        };
        Ok(self.groups.iter().map(of_group).collect())
    }

    /// Probabilities that a new customer of each group buys again 0, 1, .. `most - 1` times in this time, and that they
    /// buy again more often.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a time that is negative.
    pub fn counts_of_new(&self, time: f64, most: u32) -> Result<Vec<Vec<f64>>> {
        check_time(time)?;
        let of_group = |group: &Group| match Purchases::of(self.kind, group) {
            Some(model) => model.counts_of_new(time, most),
            None => vec![f64::NAN; most as usize + 1],
        };
        Ok(self.groups.iter().map(of_group).collect())
    }

    /// Models of contracts, one for each group.
    fn contracts(&self) -> Result<Vec<ShiftedBetaGeometric>> {
        if self.kind != Kind::ShiftedBetaGeometric {
            return Err(self.no_such("retention"));
        }
        let of = |group: &Group| match group.reached.as_slice() {
            &[alpha, beta] => ShiftedBetaGeometric { alpha, beta },
            _ => ShiftedBetaGeometric { alpha: f64::NAN, beta: f64::NAN },
        };
        Ok(self.groups.iter().map(of).collect())
    }

    /// Share of the customers of each group who are left after each of the numbers of renewals.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if this is no model of contracts.
    pub fn survival(&self, renewals: &[u32]) -> Result<Vec<Vec<f64>>> {
        let of =
            |model: ShiftedBetaGeometric| renewals.iter().map(|&t| model.survival(t)).collect();
        Ok(self.contracts()?.into_iter().map(of).collect())
    }

    /// Share of the customers of each group who renew, of those who are asked for each of the renewals.
    ///
    /// # Errors
    ///
    /// As [`RepeatBuying::survival`], and for a renewal of number 0.
    pub fn retention(&self, renewals: &[u32]) -> Result<Vec<Vec<f64>>> {
        if renewals.contains(&0) {
            return Err(Error::argument("renewals", 0, "renewals are counted from 1"));
        }
        let of =
            |model: ShiftedBetaGeometric| renewals.iter().map(|&t| model.retention(t)).collect();
        Ok(self.contracts()?.into_iter().map(of).collect())
    }

    /// Expected discounted payments of a customer of each group, see [`ShiftedBetaGeometric::lifetime`].
    ///
    /// # Errors
    ///
    /// As [`RepeatBuying::survival`], and for a rate below 0.
    pub fn lifetime(&self, renewals: u32, rate: f64, now: bool) -> Result<Vec<f64>> {
        if !(rate.is_finite() && rate >= 0.0) {
            let wanted = "a rate from 0 up is needed";
            return Err(Error::argument("discount_rate", rate, wanted));
        }
        let of = |model: ShiftedBetaGeometric| model.lifetime(renewals, rate, now);
        Ok(self.contracts()?.into_iter().map(of).collect())
    }
}

fn check_time(time: f64) -> Result<()> {
    if time.is_finite() && time >= 0.0 {
        Ok(())
    } else {
        Err(Error::argument("time", time, "a finite number from 0 up is needed"))
    }
}
