//! From tables to a scorecard: which column plays which role.

use serde_json::{Map, Value, json};

use super::acquisition::{Line, Spend, month_of};
use super::input::{Column, Input, Lost, Orders};
use super::refit::Refit;
use super::scorecard::{Options, Scorecard, scorecard};
use crate::error::{Error, Result};
use crate::parallel::Monitor;
use crate::segment::Segmentation;
use crate::table::{Codes, Kind, MISSING, Numeric, Table};

/// Names of columns by role, as arguments of `segment_scorecard`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    /// Segment of the customer.
    pub segment: String,
    /// Revenue, of customers or of order lines.
    pub revenue: String,
    /// Cost of what was sold, of customers or of order lines.
    pub cost: Option<String>,
    /// Spend on acquisition.
    pub acquisition_cost: Option<String>,
    /// Spend on managing the customer.
    pub management_cost: Option<String>,
    /// Date of the first contact.
    pub first_contact: Option<String>,
    /// Date of the first sale.
    pub first_sale: Option<String>,
    /// Whether or when a lead was lost.
    pub lost: Option<String>,
    /// Churn rate or flag.
    pub churn: Option<String>,
    /// Customer, in both tables.
    pub customer: Option<String>,
    /// Number of customers of a row.
    pub n_customers: Option<String>,
    /// Number of new customers of a row.
    pub n_new: Option<String>,
    /// Lifetime value by a model.
    pub clv: Option<String>,
    /// Channel, in the tables of customers and of spend.
    pub channel: Option<String>,
    /// Month of the spend.
    pub month: Option<String>,
    /// Amount of the spend.
    pub amount: Option<String>,
    /// Months from spend to sale.
    pub lag_months: u32,
}

impl Names {
    fn settings(&self, options: &Options) -> Map<String, Value> {
        let mut settings = Map::new();
        for (argument, name) in [
            ("segment", Some(&self.segment)),
            ("revenue", Some(&self.revenue)),
            ("cost", self.cost.as_ref()),
            ("acquisition_cost", self.acquisition_cost.as_ref()),
            ("management_cost", self.management_cost.as_ref()),
            ("first_contact", self.first_contact.as_ref()),
            ("first_sale", self.first_sale.as_ref()),
            ("lost", self.lost.as_ref()),
            ("churn", self.churn.as_ref()),
            ("customer", self.customer.as_ref()),
            ("n_customers", self.n_customers.as_ref()),
            ("n_new", self.n_new.as_ref()),
            ("clv", self.clv.as_ref()),
            ("channel", self.channel.as_ref()),
            ("month", self.month.as_ref()),
            ("amount", self.amount.as_ref()),
        ] {
            if let Some(name) = name {
                settings.insert(argument.into(), json!(name));
            }
        }
        settings.insert("period_months".into(), json!(options.period_months));
        settings.insert("discount_rate".into(), json!(options.discount_rate));
        settings.insert("n_boot".into(), json!(options.n_boot));
        if let Some(periods) = options.ltv_periods {
            settings.insert("ltv_periods".into(), json!(periods));
        }
        if self.amount.is_some() {
            settings.insert("lag_months".into(), json!(self.lag_months));
        }
        settings.insert("confidence".into(), json!(options.confidence));
        settings
    }
}

/// A column that was read, with its name.
struct Read {
    name: String,
    values: Numeric,
}

impl Read {
    fn amounts(table: &Table, name: Option<&String>) -> Result<Option<Self>> {
        name.map(|name| Ok(Self { name: name.clone(), values: table.numeric(name)? })).transpose()
    }

    fn days(table: &Table, name: Option<&String>) -> Result<Option<Self>> {
        name.map(|name| Ok(Self { name: name.clone(), values: table.days(name)? })).transpose()
    }

    fn column(&self) -> Column<'_> {
        Column { name: &self.name, values: &self.values }
    }
}

/// The tables that a scorecard is read from.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    /// One row per customer, or totals.
    pub customers: &'a Table,
    /// Holds the column of segments: the customers' own, or one with as many rows.
    pub segments: &'a Table,
    /// Order lines.
    pub orders: Option<&'a Table>,
    /// Spend by month and channel.
    pub spend: Option<&'a Table>,
    /// A segmentation of the customers that is to be fitted anew in each replicate.
    pub refit: Option<&'a Segmentation>,
}

/// The scorecard of a table of customers, with or without tables of their order lines and of spend.
///
/// # Errors
///
/// Those of [`scorecard`], and those of reading columns: [`Error::MissingColumn`], [`Error::ColumnType`],
/// [`Error::BadValue`] for a customer who stands in two rows.
pub fn scorecard_of(
    tables: &Tables<'_>,
    names: &Names,
    options: Options,
    monitor: &Monitor,
) -> Result<Scorecard> {
    let &Tables { customers, segments, orders, spend, refit } = tables;
    if segments.n_rows() != customers.n_rows() {
        return Err(Error::argument(
            "segment",
            format!("{} labels", segments.n_rows()),
            format!("one for each of the {} rows of customers is needed", customers.n_rows()),
        ));
    }
    let Codes { codes, categories, .. } = segments.codes(&names.segment)?;
    let money = orders.unwrap_or(customers);
    let revenue = Read::amounts(money, Some(&names.revenue))?;
    let cost = Read::amounts(money, names.cost.as_ref())?;
    let amounts = |name: &Option<String>| Read::amounts(customers, name.as_ref());
    let acquisition = amounts(&names.acquisition_cost)?;
    let management = amounts(&names.management_cost)?;
    let churn = amounts(&names.churn)?;
    let n_customers = amounts(&names.n_customers)?;
    let n_new = amounts(&names.n_new)?;
    let first_contact = Read::days(customers, names.first_contact.as_ref())?;
    let first_sale = Read::days(customers, names.first_sale.as_ref())?;
    let (lost, lost_is_day) = lost_leads(customers, names.lost.as_ref())?;
    let clv = amounts(&names.clv)?;
    let linked = link(customers, orders, names, &codes, &categories)?;
    let channel = spend.map(|_| customers.codes(needed(&names.channel, "channel")?)).transpose()?;
    let spend = spend
        .zip(channel.as_ref())
        .map(|(spend, channel)| read_spend(spend, channel, &categories, names))
        .transpose()?;
    let refit = refit.map(|segmentation| Refit::new(segmentation, customers)).transpose()?;

    fn view(read: &Option<Read>) -> Option<Column<'_>> {
        read.as_ref().map(Read::column)
    }
    let of_rows = orders.is_none();
    let input = Input {
        segment_name: &names.segment,
        segment: &codes,
        segments: &categories,
        revenue: view(&revenue).filter(|_| of_rows),
        cost: view(&cost).filter(|_| of_rows),
        acquisition: view(&acquisition),
        management: view(&management),
        first_contact: view(&first_contact),
        first_sale: view(&first_sale),
        lost: view(&lost).map(|c| if lost_is_day { Lost::Day(c) } else { Lost::Flag(c) }),
        churn: view(&churn),
        n_customers: view(&n_customers),
        n_new: view(&n_new),
        clv: view(&clv),
        spend: spend.as_ref(),
        orders: linked.as_ref().zip(view(&revenue)).map(|(linked, revenue)| Orders {
            customer_name: &linked.name,
            customer: &linked.customer,
            row: &linked.row,
            revenue,
            cost: view(&cost),
        }),
    };
    scorecard(&input, options, names.settings(&options), refit.as_ref(), monitor)
}

fn needed<'a>(name: &'a Option<String>, argument: &str) -> Result<&'a str> {
    name.as_deref().ok_or_else(|| {
        Error::argument(argument, "None", "spend needs the columns channel, month and amount")
            .with_mend("spend=budget, channel=\"channel\", month=\"month\", amount=\"amount\"")
    })
}

/// The budget, its channels and segments by the codes of the customers'.
fn read_spend<'a>(
    spend: &Table,
    channel: &'a Codes,
    segments: &[String],
    names: &Names,
) -> Result<Spend<'a>> {
    let channels_of = spend.codes(needed(&names.channel, "channel")?)?;
    let month = spend.days(needed(&names.month, "month")?)?;
    let amount_name = needed(&names.amount, "amount")?;
    let amount = spend.numeric(amount_name)?;
    let by_segment = spend.names().contains(&names.segment.as_str());
    let segment = by_segment.then(|| spend.codes(&names.segment)).transpose()?;
    let mut channels = channel.categories.clone();
    let mut add = |name: &String| match channels.iter().position(|known| known == name) {
        Some(at) => at as u32,
        None => {
            channels.push(name.clone());
            channels.len() as u32 - 1
        }
    };
    let channel_code: Vec<u32> = channels_of.categories.iter().map(&mut add).collect();
    let mut lines = Vec::with_capacity(spend.n_rows());
    for row in 0..spend.n_rows() {
        if amount[row].is_nan() || amount[row] < 0.0 {
            let found = if amount[row].is_nan() {
                "a missing value".into()
            } else {
                amount[row].to_string()
            };
            return Err(Error::value(amount_name, row, found, "spend is 0 or more")
                .with_mend(format!("spend = spend[spend[{amount_name:?}] >= 0]")));
        }
        let mut own = MISSING;
        if let Some(segment) = &segment
            && let Some(name) = segment.categories.get(segment.codes[row] as usize)
        {
            let Some(at) = segments.iter().position(|known| known == name) else {
                let wanted = "there is no such segment among the customers";
                return Err(Error::value(&names.segment, row, format!("{name:?}"), wanted));
            };
            own = at as u32;
        }
        lines.push(Line {
            month: (!month[row].is_nan()).then(|| month_of(month[row])),
            channel: channel_code.get(channels_of.codes[row] as usize).copied().unwrap_or(MISSING),
            segment: own,
            amount: amount[row],
        });
    }
    Ok(Spend { channels, channel: &channel.codes, lines, lag: i64::from(names.lag_months) })
}

/// The column of lost leads, and whether it holds days: dates, or numbers other than 0 and 1.
fn lost_leads(customers: &Table, name: Option<&String>) -> Result<(Option<Read>, bool)> {
    let Some(name) = name else { return Ok((None, false)) };
    let values = match customers.kind(name)? {
        Kind::Boolean => customers.numeric(name)?,
        _ => customers.days(name)?,
    };
    let is_day = match customers.kind(name)? {
        Kind::Date => true,
        _ => values.iter().any(|&v| !v.is_nan() && v != 0.0 && v != 1.0),
    };
    Ok((Some(Read { name: name.clone(), values }), is_day))
}

/// Order lines linked to rows of customers.
struct Linked {
    name: String,
    customer: Vec<u32>,
    row: Vec<u32>,
}

fn link(
    customers: &Table,
    orders: Option<&Table>,
    names: &Names,
    segment: &[u32],
    segments: &[String],
) -> Result<Option<Linked>> {
    let Some(name) = names.customer.as_ref() else {
        if orders.is_some() {
            return Err(Error::argument(
                "customer",
                "None",
                "orders needs the column that names the customer in both frames",
            )
            .with_mend("customer=\"customer_id\""));
        }
        return Ok(None);
    };
    let keys = customers.keys(name)?;
    let mut row_of = vec![MISSING; keys.distinct.len()];
    for (row, &code) in keys.codes.iter().enumerate() {
        let Some(slot) = row_of.get_mut(code as usize) else {
            let wanted = "every customer needs an identifier";
            return Err(Error::value(name, row, "a missing value", wanted)
                .with_mend(format!("customers = customers.dropna(subset=[{name:?}])")));
        };
        if *slot != MISSING {
            let found = keys.distinct.names().swap_remove(code as usize);
            let (one, other) = (segment[*slot as usize], segment[row]);
            let both = match (segments.get(one as usize), segments.get(other as usize)) {
                (Some(one), Some(other)) if one != other => {
                    format!(", in segment {one:?} there and in {other:?} here")
                }
                _ => String::new(),
            };
            let wanted = format!(
                "a customer stands in one row, and this one already stands in row {slot}{both}; order lines go into orders="
            );
            return Err(Error::value(name, row, found, wanted)
                .with_mend(format!("customers = customers.drop_duplicates({name:?})")));
        }
        *slot = row as u32;
    }
    let Some(orders) = orders else { return Ok(None) };
    let customer = orders.find_keys(name, &keys, name)?;
    Ok(Some(Linked { name: name.clone(), customer, row: row_of }))
}
