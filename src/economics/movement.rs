//! Why revenue moved: customers, orders per customer and value per order of each segment, before and after.
//!
//! Revenue of a segment is n r v: its customers, orders per customer, value per order. [`decompose`] gives what each did to
//! the change, and all parts add up to it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Totals of a segment in a period; mergeable by adding up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Customers.
    pub customers: f64,
    /// Orders.
    pub orders: f64,
    /// Revenue, returns subtracted.
    pub revenue: f64,
}

impl Totals {
    /// Orders per customer.
    pub fn rate(&self) -> f64 {
        self.orders / self.customers
    }

    /// Revenue per order.
    pub fn value(&self) -> f64 {
        self.revenue / self.orders
    }

    /// Adds other totals.
    pub fn add(&mut self, other: &Self) {
        self.customers += other.customers;
        self.orders += other.orders;
        self.revenue += other.revenue;
    }
}

/// How what several factors did together is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The mean over all orders in which the factors could have changed (Shapley 1953).
    Shapley,
    /// Logarithmic mean Divisia index I (Ang 2004, Energy Policy 32:1131-1139).
    Lmdi,
    /// Not at all: each factor changes alone from the state before, the rest is the cross term.
    Cross,
}

impl Method {
    /// The method as the user names it.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "shapley" => Ok(Self::Shapley),
            "lmdi" => Ok(Self::Lmdi),
            "cross" => Ok(Self::Cross),
            _ => Err(Error::argument(
                "method",
                format!("{name:?}"),
                "\"shapley\", \"lmdi\" or \"cross\" is needed",
            )),
        }
    }
}

/// What moved the revenue of a segment: `change = mix + rate + value + cross`, `mix = volume + composition`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Effects {
    /// Revenue after minus before.
    pub change: f64,
    /// Of the number of its customers.
    pub mix: f64,
    /// Of orders per customer.
    pub rate: f64,
    /// Of value per order.
    pub value: f64,
    /// Of several at once, where they are not shared out.
    pub cross: f64,
    /// The part of `mix` due to the number of all customers.
    pub volume: f64,
    /// The part of `mix` due to the segment's share among them.
    pub composition: f64,
}

impl Effects {
    /// All of them, in the order of the fields.
    pub fn all(&self) -> [f64; 7] {
        [self.change, self.mix, self.rate, self.value, self.cross, self.volume, self.composition]
    }

    /// Adds those of another segment.
    pub fn add(&mut self, other: &Self) {
        self.change += other.change;
        self.mix += other.mix;
        self.rate += other.rate;
        self.value += other.value;
        self.cross += other.cross;
        self.volume += other.volume;
        self.composition += other.composition;
    }
}

/// Names of [`Effects::all`].
pub const EFFECTS: [&str; 7] = ["change", "mix", "rate", "value", "cross", "volume", "composition"];

/// What moved the revenue of each segment.
///
/// A factor that does not exist in one period (orders per customer of a segment without customers, value per order without
/// orders) is taken to be as in the other, so that a new or vanished segment is all mix. NaN where a segment has revenue
/// without orders, or the logarithmic mean meets a negative revenue.
pub fn decompose(before: &[Totals], after: &[Totals], method: Method) -> Vec<Effects> {
    let all = |totals: &[Totals]| totals.iter().map(|t| t.customers).sum::<f64>();
    let customers = [all(before), all(after)];
    before
        .iter()
        .zip(after)
        .map(|(before, after)| effects(before, after, customers, method))
        .collect()
}

fn effects(before: &Totals, after: &Totals, all: [f64; 2], method: Method) -> Effects {
    let n = [before.customers, after.customers];
    let rate = either(before.rate(), after.rate());
    let value = either(before.value(), after.value());
    let change = after.revenue - before.revenue;
    let impossible = |totals: &Totals| {
        totals.revenue != 0.0 && (totals.orders == 0.0 || totals.customers == 0.0)
    };
    if impossible(before) || impossible(after) {
        let nan = f64::NAN;
        return Effects {
            change,
            mix: nan,
            rate: nan,
            value: nan,
            cross: nan,
            volume: nan,
            composition: nan,
        };
    }
    let parts = match method {
        Method::Shapley => shapley([n, rate, value]),
        Method::Lmdi => lmdi([n, rate, value], [before.revenue, after.revenue]),
        Method::Cross => [
            (n[1] - n[0]) * rate[0] * value[0],
            n[0] * (rate[1] - rate[0]) * value[0],
            n[0] * rate[0] * (value[1] - value[0]),
        ],
    };
    let [mut mix, mut by_rate, mut by_value] = parts;
    let rest = change - (mix + by_rate + by_value);
    let mut cross = 0.0;
    if method == Method::Cross {
        cross = rest;
    } else {
        // What is left is rounding; the largest part takes it.
        let largest = parts.iter().fold(0.0_f64, |most, part| most.max(part.abs()));
        let slot =
            [&mut mix, &mut by_rate, &mut by_value].into_iter().find(|part| part.abs() == largest);
        if let Some(slot) = slot {
            *slot += rest;
        }
    }
    let volume = volume(n, all, rate, value, [before.revenue, after.revenue], method);
    let composition = mix - volume;
    Effects { change, mix, rate: by_rate, value: by_value, cross, volume, composition }
}

/// Both values, a missing one replaced by the other; 0 where both are missing.
fn either(before: f64, after: f64) -> [f64; 2] {
    match (before.is_finite(), after.is_finite()) {
        (true, true) => [before, after],
        (true, false) => [before; 2],
        (false, true) => [after; 2],
        (false, false) => [0.0; 2],
    }
}

/// Shapley values of a product of three factors.
fn shapley(factors: [[f64; 2]; 3]) -> [f64; 3] {
    std::array::from_fn(|index| {
        let [a, b] = [factors[(index + 1) % 3], factors[(index + 2) % 3]];
        let together = (a[0] * b[0] + a[1] * b[1]) / 3.0;
        let apart = (a[0] * b[1] + a[1] * b[0]) / 6.0;
        (factors[index][1] - factors[index][0]) * (together + apart)
    })
}

/// The logarithmic mean of the revenues times the logarithm of each factor's ratio; where a revenue is 0, its limit: the
/// factor that is 0 moved it all (Ang and Liu 2007, Energy Policy 35:238-246). A revenue per order too small for a number
/// is 0 too.
fn lmdi(factors: [[f64; 2]; 3], revenue: [f64; 2]) -> [f64; 3] {
    if revenue.iter().any(|&revenue| revenue < 0.0) {
        return [f64::NAN; 3];
    }
    let zero = factors.iter().position(|factor| (factor[0] == 0.0) != (factor[1] == 0.0));
    if revenue.contains(&0.0) || zero.is_some() {
        let change = revenue[1] - revenue[0];
        return std::array::from_fn(|i| if Some(i) == zero { change } else { 0.0 });
    }
    let mean = log_mean(revenue[0], revenue[1]);
    factors.map(|factor| mean * log_ratio(factor[0], factor[1]))
}

/// (b - a) / ln(b / a), and its limit where both are alike.
fn log_mean(a: f64, b: f64) -> f64 {
    let ratio = log_ratio(a, b);
    if ratio == 0.0 { a } else { (b - a) / ratio }
}

/// ln(b / a) of positive numbers, whose ratio may be too large for a number.
fn log_ratio(a: f64, b: f64) -> f64 {
    let step = (b - a) / a;
    match step.abs() < 0.5 {
        true => step.ln_1p(),
        false => b.ln() - a.ln(),
    }
}

/// The part of the mix effect that is due to the number of all customers: what one customer more is worth, times what the
/// segment would have had more of them at its mean share.
fn volume(
    n: [f64; 2],
    all: [f64; 2],
    rate: [f64; 2],
    value: [f64; 2],
    revenue: [f64; 2],
    method: Method,
) -> f64 {
    let share = either(n[0] / all[0], n[1] / all[1]);
    let more = (all[1] - all[0]) * (share[0] + share[1]) / 2.0;
    match method {
        Method::Lmdi if revenue.contains(&0.0) => 0.0,
        Method::Lmdi => log_mean(revenue[0], revenue[1]) * log_ratio(all[0], all[1]),
        Method::Cross => more * rate[0] * value[0],
        Method::Shapley => {
            let together = (rate[0] * value[0] + rate[1] * value[1]) / 3.0;
            more * (together + (rate[0] * value[1] + rate[1] * value[0]) / 6.0)
        }
    }
}
