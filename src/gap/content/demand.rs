//! The people in the cells, and how many of them convert.

use super::names::known;
use super::note_left_out;
use crate::economics::reader::{Labels, Reader, at};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::Table;

/// People by the names of persona and stage.
#[derive(Debug, Default)]
pub(super) struct People {
    pub(super) personas: Vec<String>,
    pub(super) stages: Vec<String>,
    /// Whether the stages stand in an order that somebody gave.
    pub(super) ordered: bool,
    /// Place of the persona, place of the stage, number.
    cells: Vec<(usize, usize, f64)>,
}

impl People {
    /// Reads a table of one row per cell, of one row per customer, or of one row per persona and one column per stage.
    pub(super) fn read(
        table: &Table,
        persona: &str,
        stage: &str,
        manifest: &mut Manifest,
    ) -> Result<Self> {
        let names = table.names();
        if !names.contains(&persona) {
            let wanted = format!("the column {persona:?} is needed");
            return Err(Error::argument("occupancy", format!("the columns {names:?}"), wanted));
        }
        let others: Vec<&str> =
            names.iter().copied().filter(|&name| name != persona && name != stage).collect();
        if !names.contains(&stage) {
            return Self::wide(table, persona, &others, manifest);
        }
        let amount = match others[..] {
            [] => None,
            [one] => Some(one),
            _ => {
                let wanted = format!(
                    "{persona:?}, {stage:?} and at most one column with the number of customers are needed"
                );
                return Err(Error::argument("occupancy", format!("the columns {names:?}"), wanted));
            }
        };
        let mut reader = Reader::new("occupancy", table);
        let personas = reader.labels(Labels { table, name: persona }, "occupancy")?;
        let stages = reader.labels(Labels { table, name: stage }, "occupancy")?;
        let amounts = reader.amounts_or_one(amount)?;
        let kept = finish(reader, table, "occupancy", manifest)?;
        let cells = kept
            .iter()
            .map(|&row| (personas.codes[row] as usize, stages.codes[row] as usize, amounts[row]))
            .collect();
        let ordered = table.codes(stage)?.ordered;
        Ok(Self { personas: personas.names, stages: stages.names, ordered, cells })
    }

    fn wide(
        table: &Table,
        persona: &str,
        stages: &[&str],
        manifest: &mut Manifest,
    ) -> Result<Self> {
        if stages.is_empty() {
            let wanted = "a column for each stage is needed, or one of stages";
            return Err(Error::argument(
                "occupancy",
                format!("the column {persona:?} alone"),
                wanted,
            ));
        }
        let mut reader = Reader::new("occupancy", table);
        let personas = reader.labels(Labels { table, name: persona }, "occupancy")?;
        let kept = finish(reader, table, "occupancy", manifest)?;
        let mut cells = Vec::new();
        for (place, stage) in stages.iter().enumerate() {
            let mut reader = Reader::new("occupancy", table);
            let amounts = reader.amounts(stage)?;
            if amounts.n_missing > 0 {
                manifest.notes.push(format!(
                    "occupancy has no number in {} rows of {stage:?}: nobody stands there",
                    amounts.n_missing
                ));
            }
            let met = kept.iter().filter(|&&row| !amounts[row].is_nan());
            cells.extend(met.map(|&row| (personas.codes[row] as usize, place, amounts[row])));
        }
        let stages = stages.iter().map(ToString::to_string).collect();
        Ok(Self { personas: personas.names, stages, ordered: true, cells })
    }

    /// The number of people in each cell of these names, row by row.
    pub(super) fn spread(&self, personas: &[String], stages: &[String]) -> Result<Vec<f64>> {
        let place = |plural: &str, names: &[String], all: &[String]| {
            names
                .iter()
                .map(|name| known("occupancy", plural, name, all))
                .collect::<Result<Vec<_>>>()
        };
        let rows = place("personas", &self.personas, personas)?;
        let cols = place("stages", &self.stages, stages)?;
        let mut people = vec![0.0; personas.len() * stages.len()];
        for &(persona, stage, number) in &self.cells {
            people[rows[persona] * stages.len() + cols[stage]] += number;
        }
        Ok(people)
    }
}

/// People of each cell from the traffic of the stages and the shares of the personas.
pub(super) fn of_traffic(
    traffic: &[(String, f64)],
    shares: &[(String, f64)],
    personas: &[String],
    stages: &[String],
) -> Result<Vec<f64>> {
    let at_stage = by_name("occupancy", "stages", traffic, stages, 0.0)?;
    let of_persona = match shares.is_empty() {
        true => vec![1.0; personas.len()],
        false => by_name("persona_share", "personas", shares, personas, 0.0)?,
    };
    let all: f64 = of_persona.iter().sum();
    if all <= 0.0 {
        return Err(Error::argument("persona_share", "0 in all", "some persona must have a share"));
    }
    let cells = of_persona.iter().flat_map(|share| at_stage.iter().map(move |n| share / all * n));
    Ok(cells.collect())
}

/// Numbers given by name in the order of the names; `missing` for names that have none.
pub(super) fn by_name(
    argument: &str,
    plural: &str,
    given: &[(String, f64)],
    names: &[String],
    missing: f64,
) -> Result<Vec<f64>> {
    let mut numbers = vec![missing; names.len()];
    for (name, number) in given {
        let place = known(argument, plural, name, names)?;
        if !(number.is_finite() && *number >= 0.0) {
            let found = format!("{number} for {name:?}");
            return Err(Error::argument(argument, found, "a number, 0 or more, is needed"));
        }
        numbers[place] = *number;
    }
    Ok(numbers)
}

/// Customers and conversions of each cell, row by row.
///
/// The table has a column `converted`; with a column `n` they are numbers of customers, without it each row is one.
pub(super) fn conversions(
    table: &Table,
    (persona, personas): (&str, &[String]),
    (stage, stages): (&str, &[String]),
    manifest: &mut Manifest,
) -> Result<Vec<(f64, f64)>> {
    let mut reader = Reader::new("conversions", table);
    let of_persona = reader.labels(Labels { table, name: persona }, "conversions")?;
    let of_stage = reader.labels(Labels { table, name: stage }, "conversions")?;
    let counted = table.names().contains(&"n");
    let (n, converted) = if counted {
        (reader.amounts("n")?.to_vec(), reader.amounts("converted")?)
    } else {
        (vec![1.0; table.n_rows()], reader.flags("converted")?)
    };
    if let Some(row) = (0..table.n_rows()).find(|&row| converted[row] > n[row]) {
        let wanted = format!("at most the {} of column \"n\" can convert", n[row]);
        return Err(Error::value("converted", row, converted[row], wanted));
    }
    let kept = finish(reader, table, "conversions", manifest)?;
    let place = |plural: &str, names: &[String], all: &[String]| {
        names.iter().map(|name| known("conversions", plural, name, all)).collect::<Result<Vec<_>>>()
    };
    let rows = place("personas", &of_persona.names, personas)?;
    let cols = place("stages", &of_stage.names, stages)?;
    let mut cells = vec![(0.0, 0.0); personas.len() * stages.len()];
    let (of_persona, of_stage) = (at(&of_persona.codes, &kept), at(&of_stage.codes, &kept));
    for (at, &row) in kept.iter().enumerate() {
        let cell = rows[of_persona[at] as usize] * stages.len() + cols[of_stage[at] as usize];
        cells[cell].0 += n[row];
        cells[cell].1 += converted[row];
    }
    Ok(cells)
}

/// The complete rows of a table beside the inventory; the others are told of.
fn finish(
    reader: Reader<'_>,
    table: &Table,
    argument: &str,
    manifest: &mut Manifest,
) -> Result<Vec<usize>> {
    let mut scratch = Manifest::new("", serde_json::Map::new(), None, table.n_rows());
    let kept = reader.finish(&mut scratch)?;
    note_left_out(manifest, argument, &scratch);
    Ok(kept)
}
