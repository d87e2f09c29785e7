//! The table of cells: need, coverage, gap, status and rank.

use serde_json::json;

use super::demand::{People, by_name, conversions, of_traffic};
use super::inventory::{Inventory, Supply, day_name};
use super::{ContentCoverage, Limits, Occupancy, Options};
use crate::confidence::z_of;
use crate::economics::sheet::{Estimate, Sheet, sheets};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::statistics::wilson;
use crate::table::Table;

/// Statuses that are gaps.
pub(super) const GAPS: [&str; 4] = ["empty", "stale", "thin", "one-sided"];

/// Content, need and gap of each persona at each stage.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for choices out of range, for unknown names beside the inventory and where
/// nobody needs content or nothing is left; [`Error::BadValue`] for an unknown kind, quality out of scale, a date after the
/// audit, a negative number and an unknown name in the inventory.
pub fn coverage(
    inventory: &Table,
    options: &Options<'_>,
    mut manifest: Manifest,
) -> Result<ContentCoverage> {
    options.check()?;
    let pieces = Inventory::read(inventory, options, &mut manifest)?;
    if let Some(day) = pieces.as_of {
        manifest.settings.insert("as_of".into(), json!(day_name(day)));
    }
    let (persona, stage) = (options.persona.name, options.stage.name);
    let people = match options.occupancy {
        Occupancy::Table(table) => Some(People::read(table, persona, stage, &mut manifest)?),
        _ => None,
    };
    let (named, staged) = match (&people, options.occupancy) {
        (Some(people), _) => (people.personas.clone(), people.stages.clone()),
        (None, Occupancy::Traffic(traffic, shares)) => {
            let names =
                |pairs: &[(String, f64)]| pairs.iter().map(|(name, _)| name.clone()).collect();
            (names(shares), names(traffic))
        }
        (None, _) => (Vec::new(), Vec::new()),
    };
    let (rows, cols, supply, channels) = pieces.spread(options, &named, &staged)?;
    let (personas, stages) = (&rows.names, &cols.names);
    let ordered = cols.ordered
        || people.as_ref().is_some_and(|people| people.ordered)
        || matches!(options.occupancy, Occupancy::Traffic(..));
    if !ordered && stages.len() > 1 {
        manifest.notes.push(format!(
            "the stages stand in alphabetical order; to give theirs: stages=[{:?}, ...]",
            stages[0]
        ));
    }
    let customers = match (&people, options.occupancy) {
        (Some(people), _) => people.spread(personas, stages)?,
        (None, Occupancy::Traffic(traffic, shares)) => {
            of_traffic(traffic, shares, personas, stages)?
        }
        (None, _) => vec![1.0; personas.len() * stages.len()],
    };
    let all: f64 = customers.iter().sum();
    if !(all.is_finite() && all > 0.0) {
        let wanted = "somebody must stand in some cell";
        return Err(Error::argument("occupancy", format!("{all} customers in all"), wanted));
    }
    let value = values(options, personas)?;
    let measured = options
        .conversions
        .map(|table| conversions(table, (persona, personas), (stage, stages), &mut manifest))
        .transpose()?;
    tell_of_strangers(
        &mut manifest,
        "persona",
        personas,
        |place| (place * stages.len()..(place + 1) * stages.len()).collect(),
        &customers,
        &supply,
    );
    tell_of_strangers(
        &mut manifest,
        "stage",
        stages,
        |place| (0..personas.len()).map(|row| row * stages.len() + place).collect(),
        &customers,
        &supply,
    );

    let covered: f64 = supply.iter().map(|cell| cell.coverage[0]).sum();
    let n = supply.len();
    let share = |cell: usize| match covered > 0.0 {
        true => supply[cell].coverage[0] / covered,
        false => 0.0,
    };
    let need = |cell: usize| customers[cell] / all;
    let worth: Vec<f64> = (0..n).map(|cell| value[cell / stages.len()] * customers[cell]).collect();
    if worth.iter().any(|worth| !worth.is_finite()) {
        let wanted = "value times customers must be a number";
        return Err(Error::argument("value", "numbers that are too large", wanted));
    }
    let two_sided = options.kind.is_some();
    let status: Vec<&str> = (0..n)
        .map(|cell| status(&supply[cell], need(cell), share(cell), two_sided, options.limits))
        .collect();
    let missing = |cell: usize| -> String {
        if !two_sided {
            return String::new();
        }
        let without: Vec<&str> = [(1, "no inbound"), (2, "no outbound")]
            .into_iter()
            .filter(|&(side, _)| supply[cell].pieces[side] == 0.0)
            .map(|(_, words)| words)
            .collect();
        without.join(", ")
    };
    let gap: Vec<f64> = (0..n).map(|cell| need(cell) - share(cell)).collect();
    let rank = ranks(&status, &worth, &gap);

    let column = |of: &dyn Fn(&Supply) -> f64| supply.iter().map(of).collect::<Vec<_>>();
    let mut sheet = Sheet::default()
        .text("persona", (0..n).map(|cell| personas[cell / stages.len()].as_str()))
        .text("stage", (0..n).map(|cell| stages[cell % stages.len()].as_str()))
        .float("pieces", column(&|cell| cell.pieces[0]));
    if two_sided {
        for (side, name) in [(1, "inbound"), (2, "outbound")] {
            sheet = sheet
                .float(name, column(&|cell| cell.pieces[side]))
                .float(&format!("{name}_coverage"), column(&|cell| cell.coverage[side]));
        }
    }
    if options.channel.is_some() {
        let names = |cell: &Supply| {
            cell.channels.iter().map(|&at| channels[at as usize].as_str()).collect::<Vec<_>>()
        };
        sheet = sheet.text("channels", supply.iter().map(|cell| names(cell).join(", ")));
    }
    sheet = sheet
        .float("quality", column(&Supply::quality))
        .float("freshness", column(&Supply::freshness))
        .float("coverage", column(&|cell| cell.coverage[0]))
        .float("coverage_share", (0..n).map(share))
        .float("customers", customers.iter().copied())
        .float("need", (0..n).map(need))
        .float("gap", gap)
        .float("worth", worth)
        .text("status", status)
        .text("missing", (0..n).map(missing))
        .int("rank", rank);
    if let Some(cells) = measured {
        let z = z_of(options.confidence);
        let rate = |&(n, k): &(f64, f64)| Estimate::new(k / n, wilson(k, n, z));
        sheet = sheet
            .float("n", cells.iter().map(|cell| cell.0))
            .float("converted", cells.iter().map(|cell| cell.1))
            .estimate("conversion", &cells.iter().map(rate).collect::<Vec<_>>());
    }
    Ok(ContentCoverage { manifest, sheets: sheets([("table", sheet)]) })
}

/// Worth of a customer of each persona.
fn values(options: &Options<'_>, personas: &[String]) -> Result<Vec<f64>> {
    if options.values.is_empty() {
        return Ok(vec![1.0; personas.len()]);
    }
    let values = by_name("value", "personas", options.values, personas, f64::NAN)?;
    match values.iter().position(|value| value.is_nan()) {
        Some(place) => {
            let found = format!("no value of {:?}", personas[place]);
            Err(Error::argument("value", found, "each persona needs one"))
        }
        None => Ok(values),
    }
}

/// What a cell is, by the first that holds.
fn status(cell: &Supply, need: f64, share: f64, two_sided: bool, limits: Limits) -> &'static str {
    let ratio = share / need;
    if need == 0.0 {
        "no demand"
    } else if cell.pieces[0] == 0.0 {
        "empty"
    } else if cell.freshness() < limits.stale {
        "stale"
    } else if ratio < limits.thin || cell.coverage[0] < limits.least {
        "thin"
    } else if two_sided && (cell.pieces[1] == 0.0 || cell.pieces[2] == 0.0) {
        "one-sided"
    } else if ratio > limits.over {
        "over-covered"
    } else {
        "covered"
    }
}

/// The rank of each gap by its worth, then by the size of the gap; 0 for cells that are none.
fn ranks(status: &[&str], worth: &[f64], gap: &[f64]) -> Vec<i64> {
    let mut order: Vec<usize> =
        (0..status.len()).filter(|&cell| GAPS.contains(&status[cell])).collect();
    order.sort_by(|&a, &b| {
        worth[b].total_cmp(&worth[a]).then(gap[b].total_cmp(&gap[a])).then(a.cmp(&b))
    });
    let mut ranks = vec![0; status.len()];
    for (rank, cell) in order.into_iter().enumerate() {
        ranks[cell] = rank as i64 + 1;
    }
    ranks
}

/// Notes names that only the content or only the people know: they may be misspelled.
fn tell_of_strangers(
    manifest: &mut Manifest,
    what: &str,
    names: &[String],
    cells: impl Fn(usize) -> Vec<usize>,
    customers: &[f64],
    supply: &[Supply],
) {
    for (place, name) in names.iter().enumerate() {
        let cells = cells(place);
        let people = cells.iter().any(|&cell| customers[cell] > 0.0);
        let content = cells.iter().any(|&cell| supply[cell].pieces[0] > 0.0);
        let note = match (people, content) {
            (true, false) => format!("no content serves the {what} {name:?}"),
            (false, true) => format!("nobody stands at the {what} {name:?}, which content serves"),
            _ => continue,
        };
        manifest.notes.push(match what {
            "persona" => note.replace("nobody stands at", "there is nobody of"),
            _ => note,
        });
    }
}
