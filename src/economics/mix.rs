//! Two tables, before and after, as the totals of [`super::movement`], with intervals where customers can be resampled.

use hashbrown::HashMap;
use serde_json::{Map, Value, json};

use super::draws::{estimates, sums};
use super::movement::{EFFECTS, Effects, Method, Totals, decompose};
use super::reader::{Labels, Reader, check_boot, union};
use super::sheet::{Estimate, Sheet, report, sheets};
use super::visits::one_group_each;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::table::{MISSING, Table};

report!(
    /// Why revenue moved, by segment.
    MixRateValue, "mix_rate_value", {
        "table": [
            "segment:t", "status:t", "revenue_before", "revenue_after", "change", "change_lo",
            "change_hi", "mix", "mix_lo", "mix_hi", "rate", "rate_lo", "rate_hi", "value", "value_lo",
            "value_hi", "cross", "volume", "composition",
        ],
        "total": [
            "revenue_before", "revenue_after", "change", "change_lo", "change_hi", "mix", "mix_lo",
            "mix_hi", "rate", "rate_lo", "rate_hi", "value", "value_lo", "value_hi", "cross",
            "volume", "composition",
        ],
        "tree": [
            "segment:t", "period:t", "customers", "orders", "orders_per_customer",
            "value_per_order", "revenue",
        ],
    }
);

/// Amounts beyond this cannot be drawn, and their products not be held.
const VAST: f64 = 1e150;

/// Roles of the columns of both tables, and choices.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Money.
    pub revenue: String,
    /// Number of customers of a row, where rows are totals.
    pub customers: Option<String>,
    /// Number of orders of a row.
    pub orders: Option<String>,
    /// Whose row it is.
    pub customer: Option<String>,
    /// Which order a row belongs to.
    pub order: Option<String>,
    /// How the cross term is shared out.
    pub method: String,
    /// Bootstrap replicates.
    pub n_boot: usize,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Seed of the replicates.
    pub seed: u64,
}

impl Options {
    fn settings(&self, by: &str) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("by".into(), json!(by));
        settings.insert("revenue".into(), json!(self.revenue));
        settings.insert("customers".into(), json!(self.customers));
        settings.insert("orders".into(), json!(self.orders));
        settings.insert("customer".into(), json!(self.customer));
        settings.insert("order".into(), json!(self.order));
        settings.insert("method".into(), json!(self.method));
        settings.insert("n_boot".into(), json!(self.n_boot));
        settings.insert("confidence".into(), json!(self.confidence));
        settings
    }

    fn check(&self) -> Result<Method> {
        check_boot(self.confidence, self.n_boot)?;
        let both = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some();
        if both(&self.customers, &self.customer) {
            let wanted = "rows are either totals (customers) or orders of a customer (customer)";
            return Err(Error::argument("customers", "both customers and customer", wanted));
        }
        if self.order.is_some() && self.customer.is_none() {
            let wanted = "customer, the column that says whose order it is, is needed too";
            return Err(Error::argument("order", "order without customer", wanted)
                .with_mend("customer=\"customer_id\""));
        }
        if both(&self.order, &self.orders) {
            let wanted = "orders are either counted by name (order) or given as numbers (orders)";
            return Err(Error::argument("orders", "both orders and order", wanted));
        }
        Method::parse(&self.method)
    }

    fn has_orders(&self) -> bool {
        self.orders.is_some() || self.customer.is_some()
    }
}

/// One period as it was read.
struct Period {
    /// Segment of each unit.
    segment: Vec<u32>,
    totals: Vec<Totals>,
    /// Identifier of each unit; empty where rows have none.
    ids: Vec<String>,
    names: Vec<String>,
}

/// Why revenue moved.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for options that do not go together, or a segment that has revenue without
/// orders; [`Error::BadValue`] for a negative count, a row that contradicts itself, or a customer in two segments of one
/// period; [`Error::Interrupted`].
pub fn mix_rate_value(
    before: (&Table, Labels<'_>),
    after: (&Table, Labels<'_>),
    options: &Options,
    monitor: &Monitor,
) -> Result<MixRateValue> {
    let method = options.check()?;
    let n_boot = if options.customers.is_some() { 0 } else { options.n_boot };
    let rows = before.0.n_rows() + after.0.n_rows();
    let seed = (n_boot > 0).then_some(options.seed);
    let settings = options.settings(before.1.name);
    let mut manifest = Manifest::new("mix_rate_value", settings, seed, rows);
    let first = read("before", before, options, &mut manifest)?;
    let second = read("after", after, options, &mut manifest)?;
    // Segments of the first period, then those that are new.
    let (names, new_code) = union(&first.names, &second.names);
    let units = Units::new(first, second, &new_code);
    let sums = units.totals(names.len());
    for (period, totals) in [("before", &sums[0]), ("after", &sums[1])] {
        check_segments(period, &names, totals, options)?;
    }
    if options.customers.is_some() && options.n_boot > 0 {
        manifest.notes.push(
            "no intervals: the rows are totals, and customers cannot be resampled from totals"
                .into(),
        );
    }
    if !options.has_orders() {
        manifest
            .notes
            .push("orders not given: value is revenue per customer, and rate is 0".into());
    }
    let point = flat(&decompose(&sums[0], &sums[1], method));
    let drawn: Vec<Vec<f64>> = units
        .replicate(names.len(), n_boot, options.seed, monitor)?
        .into_iter()
        .map(|[before, after]| flat(&decompose(&before, &after, method)))
        .collect();
    let unknown = point.iter().any(|effect| effect.is_nan());
    if unknown && method == Method::Lmdi {
        let wanted = "the logarithmic mean needs revenues of 0 or more";
        return Err(Error::argument("method", "\"lmdi\" and a negative revenue", wanted)
            .with_mend("method=\"shapley\""));
    }
    let effects = point.iter().chain(drawn.iter().flatten()).copied();
    let revenues = sums.iter().flatten().map(|totals| totals.revenue);
    if unknown || effects.chain(revenues).any(|amount| amount.abs() > VAST) {
        let wanted = "sums of at most 1e150 are needed, and orders that are not next to 0";
        return Err(Error::argument("revenue", "amounts beyond all measure", wanted));
    }
    let found = estimates(&point, &drawn, options.confidence);
    let tree = tree(&names, &sums);
    let present: Vec<usize> = (0..names.len())
        .filter(|&s| sums.iter().any(|t| t[s].customers > 0.0 || t[s].revenue != 0.0))
        .collect();
    let status = present.iter().map(|&s| match (sums[0][s].customers, sums[1][s].customers) {
        (0.0, _) => "new",
        (_, 0.0) => "vanished",
        _ => "both",
    });
    let table = Sheet::default()
        .text("segment", present.iter().map(|&s| names[s].clone()))
        .text("status", status);
    let table = with_effects(table, &sums, &present, &found);
    let all = [total(&sums[0]), total(&sums[1])].map(|total| vec![total]);
    let everybody = with_effects(Sheet::default(), &all, &[0], &found[names.len() * 7..]);
    let sheets = sheets([("table", table), ("total", everybody), ("tree", tree)]);
    Ok(MixRateValue { manifest, sheets })
}

fn with_effects(
    sheet: Sheet,
    sums: &[Vec<Totals>; 2],
    segments: &[usize],
    found: &[Estimate],
) -> Sheet {
    let mut sheet = sheet
        .float("revenue_before", segments.iter().map(|&s| sums[0][s].revenue))
        .float("revenue_after", segments.iter().map(|&s| sums[1][s].revenue));
    for (index, name) in EFFECTS.into_iter().enumerate() {
        let column: Vec<Estimate> = segments.iter().map(|&s| found[s * 7 + index]).collect();
        sheet = sheet.estimate(name, &column);
    }
    sheet
}

/// Effects of all segments side by side, their sums last.
fn flat(effects: &[Effects]) -> Vec<f64> {
    let mut all = Effects::default();
    for part in effects {
        all.add(part);
    }
    effects.iter().chain([&all]).flat_map(|part| part.all()).collect()
}

fn total(totals: &[Totals]) -> Totals {
    let mut all = Totals::default();
    for part in totals {
        all.add(part);
    }
    all
}

/// Revenue as customers times orders per customer times value per order, of each segment and of all.
fn tree(names: &[String], sums: &[Vec<Totals>; 2]) -> Sheet {
    let all = super::reader::everybody(names);
    let rows: Vec<(String, &str, Totals)> = (0..=names.len())
        .flat_map(|s| ["before", "after"].into_iter().enumerate().map(move |p| (s, p)))
        .map(|(s, (period, name))| match names.get(s) {
            Some(segment) => (segment.clone(), name, sums[period][s]),
            None => (all.clone(), name, total(&sums[period])),
        })
        .collect();
    Sheet::default()
        .text("segment", rows.iter().map(|row| row.0.clone()))
        .text("period", rows.iter().map(|row| row.1))
        .float("customers", rows.iter().map(|row| row.2.customers))
        .float("orders", rows.iter().map(|row| row.2.orders))
        .float("orders_per_customer", rows.iter().map(|row| row.2.rate()))
        .float("value_per_order", rows.iter().map(|row| row.2.value()))
        .float("revenue", rows.iter().map(|row| row.2.revenue))
}

fn check_segments(
    period: &str,
    names: &[String],
    totals: &[Totals],
    options: &Options,
) -> Result<()> {
    for (name, totals) in names.iter().zip(totals) {
        let lacking = match totals {
            t if t.revenue == 0.0 => continue,
            t if t.customers == 0.0 => "customers",
            t if t.orders == 0.0 => "orders",
            _ => continue,
        };
        let found = format!("{:?} {} in segment {name:?}", options.revenue, totals.revenue);
        let wanted = format!("it has no {lacking}, and revenue comes from somewhere");
        return Err(Error::argument(period, found, wanted));
    }
    Ok(())
}

fn read(
    argument: &'static str,
    (table, by): (&Table, Labels<'_>),
    options: &Options,
    manifest: &mut Manifest,
) -> Result<Period> {
    let mut reader = Reader::new(argument, table);
    let groups = reader.labels(by, "by")?;
    let revenue = reader.numbers(&options.revenue)?;
    let customers = reader.amounts_or_one(options.customers.as_deref())?;
    let orders = options.orders.as_deref().map(|name| reader.amounts(name)).transpose()?;
    let customer = options.customer.as_deref().map(|name| reader.keys(name)).transpose()?;
    let order = options.order.as_deref().map(|name| reader.keys(name)).transpose()?;
    let kept = reader.finish(manifest)?;
    let names = groups.names;
    let Some(keys) = customer else {
        let mut totals = Vec::with_capacity(kept.len());
        for &row in &kept {
            let n = customers[row];
            let of_row = Totals {
                customers: n,
                orders: orders.as_ref().map_or(n, |orders| orders[row]),
                revenue: revenue[row],
            };
            if n == 0.0 && (of_row.orders > 0.0 || of_row.revenue != 0.0) {
                let name = options.customers.as_deref().unwrap_or("customers");
                let wanted = "revenue and orders need customers";
                return Err(Error::value(name, row, n, wanted));
            }
            totals.push(of_row);
        }
        let segment = kept.iter().map(|&row| groups.codes[row]).collect();
        return Ok(Period { segment, totals, ids: Vec::new(), names });
    };
    let n_units = keys.distinct.len();
    let segment = one_group_each(&keys.codes, &groups.codes, &kept, n_units).map_err(
        |(row, customer, other)| {
            let wanted = format!(
                "customer {:?} stands under {:?} in an earlier row of the same period",
                keys.distinct.names()[customer as usize],
                names[other as usize]
            );
            let found = format!("{:?}", names[groups.codes[row] as usize]);
            Error::value(by.name, row, found, wanted)
        },
    )?;
    let mut totals = vec![Totals { customers: 1.0, ..Totals::default() }; n_units];
    // The money of each order by name: one whose sum is negative is a return, no order.
    let mut by_order: HashMap<(u32, u32), f64, foldhash::fast::FixedState> = HashMap::default();
    for &row in &kept {
        let unit = &mut totals[keys.codes[row] as usize];
        unit.revenue += revenue[row];
        match (&orders, &order) {
            (Some(orders), _) => unit.orders += orders[row],
            (None, Some(order)) => {
                *by_order.entry((keys.codes[row], order.codes[row])).or_insert(0.0) += revenue[row];
            }
            (None, None) => unit.orders += f64::from(u8::from(revenue[row] >= 0.0)),
        }
    }
    for ((unit, _), revenue) in by_order {
        totals[unit as usize].orders += f64::from(u8::from(revenue >= 0.0));
    }
    Ok(Period { segment, totals, ids: keys.distinct.names(), names })
}

/// What is resampled: a customer with both periods where customers are known by name, else a row of one period.
struct Units {
    /// Segment and totals in each period; [`MISSING`] where the unit is not there.
    units: Vec<[(u32, Totals); 2]>,
    /// Where the units of the second period begin, if they are others.
    second: usize,
}

impl Units {
    fn new(first: Period, second: Period, new_code: &[usize]) -> Self {
        let absent = (MISSING, Totals::default());
        let code = |old: u32| new_code.get(old as usize).map_or(MISSING, |&code| code as u32);
        let mut units: Vec<[(u32, Totals); 2]> = first
            .segment
            .iter()
            .zip(&first.totals)
            .map(|(&segment, &totals)| [(segment, totals), absent])
            .collect();
        let n_first = units.len();
        let known: HashMap<&str, usize, foldhash::fast::FixedState> =
            first.ids.iter().enumerate().map(|(unit, id)| (id.as_str(), unit)).collect();
        for (row, (&segment, &totals)) in second.segment.iter().zip(&second.totals).enumerate() {
            let found = (code(segment), totals);
            match second.ids.get(row).and_then(|id| known.get(id.as_str())) {
                Some(&unit) => units[unit][1] = found,
                None => units.push([absent, found]),
            }
        }
        let joint = !first.ids.is_empty();
        // Identifiers of rows that were left out have no segment.
        units.retain(|unit| unit.iter().any(|&(segment, _)| segment != MISSING));
        let second = if joint { units.len() } else { n_first };
        Self { units, second }
    }

    fn totals(&self, n_segments: usize) -> [Vec<Totals>; 2] {
        let mut out = [0, 1].map(|_| vec![Totals::default(); n_segments]);
        for unit in &self.units {
            for (sums, (segment, totals)) in out.iter_mut().zip(unit) {
                if let Some(sum) = sums.get_mut(*segment as usize) {
                    sum.add(totals);
                }
            }
        }
        out
    }

    fn replicate(
        &self,
        n_segments: usize,
        n_boot: usize,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Vec<[Vec<Totals>; 2]>> {
        let draw = |units: &[[(u32, Totals); 2]], group: usize| {
            sums(units.len(), 6 * n_segments, n_boot, group, seed, monitor, |row, add| {
                for (period, (segment, totals)) in units[row].iter().enumerate() {
                    if *segment != MISSING {
                        let cell = 3 * (period * n_segments + *segment as usize);
                        add(cell, totals.customers);
                        add(cell + 1, totals.orders);
                        add(cell + 2, totals.revenue);
                    }
                }
            })
        };
        let (first, second) = self.units.split_at(self.second);
        let drawn = [draw(first, 0)?, draw(second, 1)?];
        let totals = |sums: &[f64]| -> Vec<Totals> {
            sums.chunks(3)
                .map(|sums| Totals { customers: sums[0], orders: sums[1], revenue: sums[2] })
                .collect()
        };
        Ok((0..n_boot)
            .map(|replicate| {
                let half = 3 * n_segments;
                let [first, second] = [&drawn[0][replicate], &drawn[1][replicate]];
                let later = if self.second == self.units.len() { first } else { second };
                [totals(&first[..half]), totals(&later[half..])]
            })
            .collect())
    }
}
