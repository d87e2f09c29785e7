//! From columns to rows that can be added up: roles, checks, what is left out.
//!
//! A row is a customer if it has a first sale (where that column is given) or revenue; any other row is a lead. Amounts
//! of leads that are missing are 0; a customer with a missing amount is left out and counted.

use super::acquisition::Spend;
use super::survival::Outcome;
use super::totals::{Field, N_FIELDS, Role, Row, Sums};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, BLOCK};
use crate::table::{MISSING, date_name};

/// A column with its name, for messages. NaN is missing.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// Name in the user's frame.
    pub name: &'a str,
    /// One value per row.
    pub values: &'a [f64],
}

/// What is known of lost leads.
#[derive(Debug, Clone, Copy)]
pub enum Lost<'a> {
    /// 1 for a lost lead, 0 or missing for any other row.
    Flag(Column<'a>),
    /// The day of the loss, missing for any other row.
    Day(Column<'a>),
}

/// Order lines of the customers.
#[derive(Debug, Clone, Copy)]
pub struct Orders<'a> {
    /// Name of the column that holds the customer.
    pub customer_name: &'a str,
    /// For each line the code of its customer, [`MISSING`] or [`crate::table::UNKNOWN`].
    pub customer: &'a [u32],
    /// For each code the row of the customer in the frame of customers.
    pub row: &'a [u32],
    /// Revenue of each line.
    pub revenue: Column<'a>,
    /// Cost of each line.
    pub cost: Option<Column<'a>>,
}

/// Everything that a scorecard is computed from.
#[derive(Debug, Clone, Default)]
pub struct Input<'a> {
    /// Name of the segments' column.
    pub segment_name: &'a str,
    /// Code of each row's segment, or [`MISSING`].
    pub segment: &'a [u32],
    /// Names of the segments.
    pub segments: &'a [String],
    /// Revenue of each row; not with `orders`.
    pub revenue: Option<Column<'a>>,
    /// Cost of what was sold; not with `orders`.
    pub cost: Option<Column<'a>>,
    /// Spend on acquisition, leads included.
    pub acquisition: Option<Column<'a>>,
    /// Spend on managing the customer.
    pub management: Option<Column<'a>>,
    /// Day of the first contact.
    pub first_contact: Option<Column<'a>>,
    /// Day of the first sale, missing for leads.
    pub first_sale: Option<Column<'a>>,
    /// Which leads were lost.
    pub lost: Option<Lost<'a>>,
    /// Churn rate per period, or 1 for a customer who left in it.
    pub churn: Option<Column<'a>>,
    /// Lifetime value by a model, missing for leads.
    pub clv: Option<Column<'a>>,
    /// Customers of each row, where rows are totals.
    pub n_customers: Option<Column<'a>>,
    /// Customers won of each row, where rows are totals.
    pub n_new: Option<Column<'a>>,
    /// Order lines that revenue and cost are taken from.
    pub orders: Option<Orders<'a>>,
    /// Spend by month and channel; not with `acquisition`.
    pub spend: Option<&'a Spend<'a>>,
}

/// Why a row is left out.
const REASONS: usize = 7;

/// Counts of one block of rows.
#[derive(Clone, Default)]
struct Tally {
    left_out: [usize; REASONS],
    error: Option<Error>,
}

/// The last day that any column of dates mentions: leads that are neither won nor lost are open until then.
pub(super) fn last_day(input: &Input<'_>) -> f64 {
    let lost = match input.lost {
        Some(Lost::Day(column)) => Some(column),
        _ => None,
    };
    [input.first_contact, input.first_sale, lost]
        .into_iter()
        .flatten()
        .map(|column| {
            parallel::map_blocks(column.values.len(), |rows| {
                // `max` passes over NaN.
                column.values[rows].iter().fold(f64::NEG_INFINITY, |last, &day| last.max(day))
            })
            .into_iter()
            .fold(f64::NEG_INFINITY, f64::max)
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

/// Rows ready to be added up; those left out have segment [`MISSING`] and are counted in the manifest.
///
/// `bought` holds revenue and cost of each customer from the order lines, NaN where there are none; it is empty where
/// they are added up elsewhere.
///
/// # Errors
///
/// [`Error::BadValue`] for the first row that contradicts itself or has a value out of range, [`Error::Argument`] for
/// columns that do not go together.
pub(super) fn prepare(
    input: &Input<'_>,
    bought: &[[f64; 2]],
    manifest: &mut Manifest,
) -> Result<Vec<Row>> {
    check_arguments(input)?;
    let last_day = last_day(input);
    let n_rows = input.segment.len();
    let empty = Row {
        segment: MISSING,
        role: Role::OpenLead,
        outcome: Outcome::Open,
        days: f64::NAN,
        bought: MISSING,
        values: [0.0; N_FIELDS],
    };
    let mut rows = vec![empty; n_rows];
    let mut tallies = vec![Tally::default(); n_rows.div_ceil(BLOCK)];
    parallel::update_blocks(&mut rows, &mut tallies, |first, block, tally| {
        for (offset, slot) in block.iter_mut().enumerate() {
            match prepare_row(input, bought, last_day, first + offset) {
                Ok(Ok(row)) => *slot = row,
                Ok(Err(reason)) => tally.left_out[reason] += 1,
                Err(error) => {
                    tally.error = Some(error);
                    return;
                }
            }
        }
    });
    if let Some(error) = tallies.iter().find_map(|tally| tally.error.clone()) {
        return Err(error);
    }
    let name = |column: Option<Column<'_>>| column.map_or(String::new(), |c| c.name.to_string());
    let names: [String; REASONS] = [
        input.segment_name.to_string(),
        name(input.n_customers),
        name(input.n_new),
        name(input.revenue),
        name(input.cost),
        name(input.acquisition),
        name(input.management),
    ];
    for (reason, name) in names.iter().enumerate() {
        let count = tallies.iter().map(|tally| tally.left_out[reason]).sum();
        manifest.leave_out(format!("{name:?} is missing"), count);
    }
    Ok(rows)
}

/// One row, or the index of the reason why it is left out.
fn prepare_row(
    input: &Input<'_>,
    bought: &[[f64; 2]],
    last_day: f64,
    row: usize,
) -> Result<Result<Row, usize>> {
    let at = |column: Option<Column<'_>>| column.map_or(f64::NAN, |column| column.values[row]);
    let contact = at(input.first_contact);
    let sale = at(input.first_sale);
    let [revenue, cost] = match bought.get(row) {
        Some(&sums) => sums,
        None => [at(input.revenue), at(input.cost)],
    };
    let (lost, loss_day) = loss(input, row)?;
    if let Some(column) = input.first_sale.filter(|_| lost && !sale.is_nan()) {
        return Err(Error::value(column.name, row, day_text(sale), "a lost lead has no sale")
            .with_mend(format!("df.loc[df[{:?}].notna(), lost] = None", column.name)));
    }
    for (later, day) in [(input.first_sale, sale), (lost_column(input), loss_day)] {
        // Dates without time of day compare with moments: the same day is not too early.
        if let (Some(later), Some(first)) = (later, input.first_contact)
            && day.floor() < contact.floor()
        {
            let wanted =
                format!("it must not lie before {:?}, which is {}", first.name, day_text(contact));
            let mend = format!("df = df[df[{:?}] >= df[{:?}]]", later.name, first.name);
            return Err(Error::value(later.name, row, day_text(day), wanted).with_mend(mend));
        }
    }
    for column in [input.acquisition, input.management].into_iter().flatten() {
        refuse_negative(column, row, f64::NAN)?;
    }
    if let Some(column) = input.cost {
        refuse_negative(column, row, revenue)?;
    }
    if let Some(column) = input.churn {
        let churn = column.values[row];
        if !churn.is_nan() && !(0.0..=1.0).contains(&churn) {
            return Err(Error::value(column.name, row, churn, "a churn rate lies between 0 and 1")
                .with_mend(format!("df[{0:?}] = df[{0:?}] / 100", column.name)));
        }
    }
    for column in [input.n_customers, input.n_new].into_iter().flatten() {
        let count = column.values[row];
        if !count.is_nan() && (count < 0.0 || count.fract() != 0.0) {
            let wanted = "a whole number of customers, 0 or more, is needed";
            return Err(Error::value(column.name, row, count, wanted));
        }
    }

    let segment = input.segment[row];
    if segment == MISSING {
        return Ok(Err(0));
    }
    let has_sale = input.first_sale.is_none() || !sale.is_nan();
    let is_customer = has_sale || (!revenue.is_nan() && revenue != 0.0);
    let (customers, new) = match input.n_customers {
        Some(column) => (column.values[row], input.n_new.map_or(0.0, |new| new.values[row])),
        None => (f64::from(is_customer), f64::from(has_sale)),
    };
    let acquisition = at(input.acquisition);
    let management = at(input.management);
    let from_rows = input.orders.is_none();
    // A customer who was there before the records began has no acquisition cost to miss.
    let was_won = has_sale || !is_customer;
    let needed = [
        (input.n_customers.is_some(), customers),
        (input.n_new.is_some(), new),
        (from_rows && is_customer && input.revenue.is_some(), revenue),
        (from_rows && is_customer && input.cost.is_some(), cost),
        (was_won && input.acquisition.is_some(), acquisition),
        (is_customer && input.management.is_some(), management),
    ];
    if let Some(reason) = needed.iter().position(|&(needed, value)| needed && value.is_nan()) {
        return Ok(Err(reason + 1));
    }
    let churn = at(input.churn);
    let mut values: Sums = [0.0; N_FIELDS];
    let mut set = |field: Field, value: f64| {
        values[field as usize] = if value.is_nan() { 0.0 } else { value };
    };
    set(Field::Customers, customers);
    set(Field::New, new);
    set(Field::Revenue, revenue);
    set(Field::Cost, cost);
    set(Field::Acquisition, acquisition);
    set(Field::Management, management);
    set(Field::Churned, churn * customers);
    set(Field::ChurnKnown, if churn.is_nan() { 0.0 } else { customers });
    let clv = at(input.clv);
    set(Field::Modelled, clv * customers);
    set(Field::ModelledKnown, if clv.is_nan() { 0.0 } else { customers });
    let (outcome, end) = if !sale.is_nan() {
        (Outcome::Won, sale)
    } else if is_customer {
        // Sold at a day that is not known.
        (Outcome::Open, f64::NAN)
    } else if !loss_day.is_nan() {
        (Outcome::Lost, loss_day)
    } else {
        (Outcome::Open, last_day)
    };
    // `max` would turn NaN into 0.
    let days = end - contact;
    let days = if days < 0.0 { 0.0 } else { days };
    let role = match (is_customer, lost) {
        (true, _) => Role::Customer,
        (false, true) => Role::LostLead,
        (false, false) => Role::OpenLead,
    };
    Ok(Ok(Row { segment, role, outcome, days, bought: MISSING, values }))
}

/// Whether a row is a lost lead, and the day of the loss where it is known.
fn loss(input: &Input<'_>, row: usize) -> Result<(bool, f64)> {
    match input.lost {
        None => Ok((false, f64::NAN)),
        Some(Lost::Day(column)) => {
            let day = column.values[row];
            Ok((!day.is_nan(), day))
        }
        Some(Lost::Flag(column)) => {
            let flag = column.values[row];
            if flag.is_nan() || flag == 0.0 || flag == 1.0 {
                return Ok((flag == 1.0, f64::NAN));
            }
            Err(Error::value(column.name, row, flag, "true, false or a date is needed"))
        }
    }
}

fn lost_column<'a>(input: &Input<'a>) -> Option<Column<'a>> {
    match input.lost {
        Some(Lost::Day(column)) => Some(column),
        _ => None,
    }
}

/// Costs are 0 or more; the cost of returned goods may be negative where the revenue is.
fn refuse_negative(column: Column<'_>, row: usize, revenue: f64) -> Result<()> {
    let value = column.values[row];
    if value < 0.0 && (revenue.is_nan() || revenue >= 0.0) {
        return Err(Error::value(column.name, row, value, "a cost is 0 or more")
            .with_mend(format!("df[{0:?}] = df[{0:?}].abs()", column.name)));
    }
    Ok(())
}

fn check_arguments(input: &Input<'_>) -> Result<()> {
    let refuse =
        |argument: &str, found: &str, wanted: &str| Err(Error::argument(argument, found, wanted));
    if input.segment.is_empty() {
        return Err(Error::TooFewRows {
            what: "segment_scorecard".into(),
            needed: 1,
            found: 0,
            mend: None,
        });
    }
    if input.n_customers.is_some() && input.orders.is_some() {
        return refuse(
            "n_customers",
            "both n_customers and orders",
            "order lines need one row per customer; leave one of the two out",
        );
    }
    if input.n_new.is_some() && input.n_customers.is_none() {
        return refuse(
            "n_new",
            "n_new without n_customers",
            "rows that are totals need both counts",
        );
    }
    if input.n_customers.is_some() {
        if input.n_new.is_none() && input.acquisition.is_some() {
            return refuse(
                "n_new",
                "None",
                "acquisition cost per new customer needs the number of new customers",
            );
        }
        if input.first_contact.is_some() || input.first_sale.is_some() || input.lost.is_some() {
            return refuse(
                "first_contact",
                "dates together with n_customers",
                "days to sale need one row per customer or lead",
            );
        }
    }
    if input.spend.is_some() {
        let clash = "acquisition cost is either a column of the customers or a table of spend";
        if input.acquisition.is_some() {
            return refuse("spend", "both spend and acquisition_cost", clash);
        }
        if input.first_sale.is_none() {
            let wanted = "spend is shared out by the month of the first sale";
            return refuse("first_sale", "None", wanted);
        }
    }
    if input.first_sale.is_none() && (input.first_contact.is_some() || input.lost.is_some()) {
        return refuse(
            "first_sale",
            "None",
            "first_contact and lost need the date of the first sale, missing for leads",
        );
    }
    Ok(())
}

/// A day as a date, or as the number it was given as where that is no recent date.
fn day_text(day: f64) -> String {
    const YEAR_1980: f64 = 3652.0;
    if day < YEAR_1980 { format!("day {day}") } else { date_name(day.floor() as i64) }
}
