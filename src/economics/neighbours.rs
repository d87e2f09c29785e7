//! Mass-market neighbours of a niche: what its customers also buy that many others buy.

use hashbrown::HashSet;
use serde_json::{Map, json};
use statrs::distribution::{ContinuousCDF, Normal};

use super::reader::Reader;
use super::sheet::{Estimate, Sheet, report, sheets};
use crate::confidence::{check_level, z_of};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::statistics::benjamini_hochberg;
use crate::table::Table;

report!(
    /// Neighbours of a niche, best first.
    MassNeighbours, "mass_neighbours", {
        "table": [
            "neighbour:t", "rank:i", "n:i", "n_both:i", "jaccard", "lift", "lift_lo", "lift_hi", "q",
            "value_per_customer", "reach:i", "score", "centroid_distance",
        ],
        "niche": ["niche:t", "n:i", "n_customers:i", "value_per_customer", "centroid_distance"],
    }
);

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Who buys.
    pub customer: &'a str,
    /// What is bought, or the segment that the customer is in.
    pub item: &'a str,
    /// Money; each pair of customer and item counts 1 without.
    pub value: Option<&'a str>,
    /// The item to be widened.
    pub niche: &'a str,
    /// Items with fewer customers are no mass market; by default those that have no more than the niche.
    pub min_size: Option<f64>,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// The two by two table of customers: with both, with the niche alone, with the item alone, with neither.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Customers with both.
    pub both: f64,
    /// Customers with the niche.
    pub niche: f64,
    /// Customers with the item.
    pub item: f64,
    /// All customers.
    pub all: f64,
}

impl Overlap {
    /// Shared customers over customers of either.
    pub fn jaccard(&self) -> f64 {
        self.both / (self.niche + self.item - self.both)
    }

    /// How many times more often the niche's customers have the item than customers at large do.
    pub fn lift(&self) -> f64 {
        self.both * self.all / (self.niche * self.item)
    }

    /// Variance of the logarithm of the lift, counts being multinomial (delta method).
    pub fn log_variance(&self) -> f64 {
        let share = |count: f64| count / self.all;
        let (both, niche, item) = (share(self.both), share(self.niche), share(self.item));
        // Gradients by the cells: both, niche alone, item alone. Their mean is -1.
        let square = both * (1.0 / both - 1.0 / niche - 1.0 / item).powi(2)
            + (niche - both) / (niche * niche)
            + (item - both) / (item * item);
        ((square - 1.0) / self.all).max(0.0)
    }

    /// Lift with its interval; without a shared customer from 0 to the exact Poisson bound.
    fn estimate(&self, confidence: f64) -> Estimate {
        if self.both == 0.0 {
            let expected = self.niche * self.item / self.all;
            let most = -((1.0 - confidence) / 2.0).ln() / expected;
            return Estimate::new(0.0, (0.0, most));
        }
        let z = z_of(confidence);
        let half = z * self.log_variance().sqrt();
        let lift = self.lift();
        Estimate::new(lift, (lift * (-half).exp(), lift * half.exp()))
    }

    /// Pearson's test of independence, two-sided.
    fn p(&self) -> f64 {
        let expected = self.niche * self.item / self.all;
        let variance = expected * (1.0 - self.niche / self.all) * (1.0 - self.item / self.all);
        if variance > 0.0 {
            let z = (self.both - expected) / variance.sqrt();
            (2.0 * Normal::standard().sf(z.abs())).min(1.0)
        } else {
            f64::NAN
        }
    }
}

/// Neighbours of the niche among the items.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] if the niche is not among the items or stands alone; [`Error::BadValue`] for
/// a negative value.
pub fn mass_neighbours(table: &Table, options: Options<'_>) -> Result<MassNeighbours> {
    check_level(options.confidence)?;
    let mut settings = Map::new();
    settings.insert("customer".into(), json!(options.customer));
    settings.insert("item".into(), json!(options.item));
    settings.insert("value".into(), json!(options.value));
    settings.insert("niche".into(), json!(options.niche));
    settings.insert("min_size".into(), json!(options.min_size));
    settings.insert("confidence".into(), json!(options.confidence));
    let mut manifest = Manifest::new("mass_neighbours", settings, None, table.n_rows());
    let mut reader = Reader::new("df", table);
    let customers = reader.keys(options.customer)?;
    let own = super::reader::Labels { table, name: options.item };
    let items = reader.labels(own, "item")?;
    let value = reader.amounts_or_one(options.value)?;
    let kept = reader.finish(&mut manifest)?;
    let Some(niche) = items.names.iter().position(|name| name == options.niche) else {
        let mut some: Vec<&str> = items.names.iter().take(12).map(String::as_str).collect();
        if items.names.len() > some.len() {
            some.push("…");
        }
        let wanted = format!("the items of {:?} are {}", options.item, some.join(", "));
        return Err(Error::argument("niche", format!("{:?}", options.niche), wanted));
    };
    let n_items = items.names.len();
    if n_items < 2 {
        let wanted = "at least one item besides the niche is needed";
        return Err(Error::argument(format!("column {:?}", options.item), "1 item", wanted));
    }
    // Each customer and item once; the money of an item is that of all its rows.
    let mut money = vec![0.0; n_items];
    let mut pairs: HashSet<(u32, u32), foldhash::fast::FixedState> = HashSet::default();
    let mut order = Vec::new();
    for &row in &kept {
        let pair = (customers.codes[row], items.codes[row]);
        let is_new = pairs.insert(pair);
        if is_new {
            order.push(pair);
        }
        if options.value.is_some() || is_new {
            money[pair.1 as usize] += value[row];
        }
    }
    let mut breadth = vec![0_u32; customers.distinct.len()];
    let mut n = vec![0_u64; n_items];
    let mut in_niche = vec![false; customers.distinct.len()];
    for &(customer, item) in &order {
        breadth[customer as usize] += 1;
        n[item as usize] += 1;
        in_niche[customer as usize] |= item as usize == niche;
    }
    let n_customers = breadth.iter().filter(|&&items| items > 0).count();
    let mut both = vec![0_u64; n_items];
    let mut inverse = vec![0.0; n_items];
    for &(customer, item) in &order {
        both[item as usize] += u64::from(in_niche[customer as usize]);
        inverse[item as usize] += 1.0 / f64::from(breadth[customer as usize]);
    }
    // Distance of an item's profile over customers from that of all items: sum of (a - r)^2 / r, where a is 1 / n for its
    // customers, and r a customer's share of all pairs.
    let distance = |item: usize| {
        let size = n[item] as f64;
        (order.len() as f64 * inverse[item] / (size * size) - 1.0).max(0.0).sqrt()
    };
    let min_size = options.min_size.unwrap_or(n[niche] as f64 + 1.0);
    let others: Vec<usize> = (0..n_items).filter(|&item| item != niche && n[item] > 0).collect();
    let (large, small): (Vec<usize>, Vec<usize>) =
        others.into_iter().partition(|&item| n[item] as f64 >= min_size);
    if !small.is_empty() {
        manifest.notes.push(format!(
            "{} items with fewer than {min_size} customers are no mass market and not listed",
            small.len()
        ));
    }
    let of = |item: usize| Overlap {
        both: both[item] as f64,
        niche: n[niche] as f64,
        item: n[item] as f64,
        all: n_customers as f64,
    };
    let per_customer = |item: usize| money[item] / n[item] as f64;
    let score = |item: usize| of(item).jaccard() * money[item];
    let mut rows = large;
    rows.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
    let q = benjamini_hochberg(&rows.iter().map(|&item| of(item).p()).collect::<Vec<_>>());
    let lift: Vec<Estimate> =
        rows.iter().map(|&item| of(item).estimate(options.confidence)).collect();
    let table = Sheet::default()
        .text("neighbour", rows.iter().map(|&item| items.names[item].clone()))
        .int("rank", 1..=rows.len() as i64)
        .int("n", rows.iter().map(|&item| n[item] as i64))
        .int("n_both", rows.iter().map(|&item| both[item] as i64))
        .float("jaccard", rows.iter().map(|&item| of(item).jaccard()))
        .estimate("lift", &lift)
        .float("q", q)
        .float("value_per_customer", rows.iter().map(|&item| per_customer(item)))
        .int("reach", rows.iter().map(|&item| (n[item] - both[item]) as i64))
        .float("score", rows.iter().map(|&item| score(item)))
        .float("centroid_distance", rows.iter().map(|&item| distance(item)));
    let own = Sheet::default()
        .text("niche", [options.niche])
        .int("n", [n[niche] as i64])
        .int("n_customers", [n_customers as i64])
        .float("value_per_customer", [per_customer(niche)])
        .float("centroid_distance", [distance(niche)]);
    Ok(MassNeighbours { manifest, sheets: sheets([("table", table), ("niche", own)]) })
}
