//! Pieces of content: what they count and which cells they serve.

use super::names::{Column, Side};
use super::{Kind, Options, Several};
use crate::economics::reader::Reader;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::{MISSING, Table, date_name};

/// The pieces of an inventory, column by column.
pub(super) struct Inventory {
    persona: Column,
    stage: Column,
    kind: Option<Vec<Kind>>,
    channel: Option<(Vec<u32>, Vec<String>)>,
    quality: Vec<f64>,
    freshness: Vec<f64>,
    weight: Vec<f64>,
    several: Several,
    kept: Vec<usize>,
    /// The day of the audit, where pieces have dates.
    pub(super) as_of: Option<f64>,
}

/// What serves one cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Supply {
    /// Pieces, inbound and outbound ones.
    pub(super) pieces: [f64; 3],
    /// Their coverage.
    pub(super) coverage: [f64; 3],
    quality: f64,
    freshness: f64,
    /// Channels by their place.
    pub(super) channels: Vec<u32>,
}

impl Supply {
    /// Mean quality of the pieces.
    pub(super) fn quality(&self) -> f64 {
        self.quality / self.pieces[0]
    }

    /// Mean freshness of the pieces.
    pub(super) fn freshness(&self) -> f64 {
        self.freshness / self.pieces[0]
    }
}

impl Inventory {
    pub(super) fn read(
        table: &Table,
        options: &Options<'_>,
        manifest: &mut Manifest,
    ) -> Result<Self> {
        let mut reader = Reader::new("inventory", table);
        let mut side = |labels| -> Result<Column> {
            let column = Column::read(labels, options.everyone, options.separator)?;
            if column.codes.len() != table.n_rows() {
                let found = format!("{} labels", column.codes.len());
                let wanted = format!("one for each of the {} pieces is needed", table.n_rows());
                return Err(Error::argument(labels.name, found, wanted));
            }
            let reason = format!("{:?} is missing", labels.name);
            reader.leave_out(reason, |row| column.codes[row] == MISSING);
            Ok(column)
        };
        let persona = side(options.persona)?;
        let stage = side(options.stage)?;
        let kind = options.kind.map(|name| read_kind(table, name, options.kinds, &mut reader));
        let channel = options.channel.map(|name| -> Result<_> {
            let codes = table.codes(name)?;
            Ok((codes.codes, codes.categories))
        });
        let quality = match options.quality {
            Some(name) => read_quality(&reader.numbers(name)?, name, options.scale)?,
            None => vec![1.0; table.n_rows()],
        };
        let (freshness, as_of) = match options.date {
            Some(name) => {
                let (freshness, day) = read_freshness(&reader.days(name)?, name, options)?;
                (freshness, Some(day))
            }
            None => (vec![1.0; table.n_rows()], None),
        };
        let weight = reader.amounts_or_one(options.weights)?;
        let kept = reader.finish(manifest)?;
        Ok(Self {
            persona,
            stage,
            kind: kind.transpose()?,
            channel: channel.transpose()?,
            quality,
            freshness,
            weight,
            several: options.several,
            kept,
            as_of,
        })
    }

    /// Personas and stages, and what serves each cell, row by row. The names elsewhere are those of the people.
    pub(super) fn spread(
        self,
        options: &Options<'_>,
        personas: &[String],
        stages: &[String],
    ) -> Result<(Side, Side, Vec<Supply>, Vec<String>)> {
        let (row_codes, col_codes) = (self.persona.codes.clone(), self.stage.codes.clone());
        let rows = self.persona.settle("personas", options.personas, personas)?;
        let cols = self.stage.settle("stages", options.stages, stages)?;
        let mut cells = vec![Supply::default(); rows.names.len() * cols.names.len()];
        for &row in &self.kept {
            let serves = &rows.serves[row_codes[row] as usize];
            let stages = &cols.serves[col_codes[row] as usize];
            let share = match self.several {
                Several::Full => 1.0,
                Several::Split => 1.0 / (serves.len() * stages.len()) as f64,
            };
            let weight = share * self.weight[row];
            let coverage = weight * self.quality[row] * self.freshness[row];
            for &persona in serves {
                for &stage in stages {
                    let cell = &mut cells[persona * cols.names.len() + stage];
                    let kind = self.kind.as_ref().map(|kinds| 1 + kinds[row] as usize);
                    for slot in [Some(0), kind].into_iter().flatten() {
                        cell.pieces[slot] += weight;
                        cell.coverage[slot] += coverage;
                    }
                    cell.quality += weight * self.quality[row];
                    cell.freshness += weight * self.freshness[row];
                    if let Some((codes, _)) = &self.channel
                        && codes[row] != MISSING
                        && weight > 0.0
                        && !cell.channels.contains(&codes[row])
                    {
                        cell.channels.push(codes[row]);
                    }
                }
            }
        }
        for cell in &mut cells {
            cell.channels.sort_unstable();
        }
        let channels = self.channel.map_or_else(Vec::new, |(_, names)| names);
        Ok((rows, cols, cells, channels))
    }
}

/// The kind of each piece; a name is one of the two, whatever its case, or stands in the mapping.
fn read_kind(
    table: &Table,
    name: &str,
    kinds: &[(String, Kind)],
    reader: &mut Reader<'_>,
) -> Result<Vec<Kind>> {
    let codes = table.codes(name)?;
    let meant: Vec<Option<Kind>> = codes
        .categories
        .iter()
        .map(|category| {
            let mapped = kinds.iter().find(|(other, _)| other == category).map(|&(_, kind)| kind);
            mapped.or_else(|| match category.to_lowercase().as_str() {
                "inbound" => Some(Kind::Inbound),
                "outbound" => Some(Kind::Outbound),
                _ => None,
            })
        })
        .collect();
    let unknown = |&code: &u32| code != MISSING && meant[code as usize].is_none();
    if let Some(row) = codes.codes.iter().position(unknown) {
        let found = &codes.categories[codes.codes[row] as usize];
        return Err(Error::value(
            name,
            row,
            format!("{found:?}"),
            "\"inbound\" or \"outbound\" is needed",
        )
        .with_mend(format!("kinds={{{found:?}: \"inbound\"}}")));
    }
    reader.leave_out(format!("{name:?} is missing"), |row| codes.codes[row] == MISSING);
    // A missing kind does not count; which one stands in its place does not matter.
    let kind = |&code: &u32| meant.get(code as usize).copied().flatten().unwrap_or(Kind::Inbound);
    Ok(codes.codes.iter().map(kind).collect())
}

/// Quality from 0 to 1.
fn read_quality(values: &[f64], name: &str, (low, high): (f64, f64)) -> Result<Vec<f64>> {
    if let Some(row) = values.iter().position(|&value| value < low || value > high) {
        let wanted = format!("quality lies between {low} and {high}");
        return Err(Error::value(name, row, values[row], wanted).with_mend("scale=(1, 5)"));
    }
    Ok(values.iter().map(|value| (value - low) / (high - low)).collect())
}

/// Freshness from 0 to 1, and the day of the audit.
fn read_freshness(days: &[f64], name: &str, options: &Options<'_>) -> Result<(Vec<f64>, f64)> {
    let newest = days.iter().copied().filter(|day| !day.is_nan()).fold(f64::NEG_INFINITY, f64::max);
    let day = options.as_of.unwrap_or(newest);
    // A piece of the day itself is not of the future, whatever the hour.
    if let Some(row) = days.iter().position(|&made| made.floor() > day.floor()) {
        let wanted = format!("the audit is of {}, and a piece cannot be newer", day_name(day));
        return Err(Error::value(name, row, day_name(days[row]), wanted)
            .with_mend(format!("as_of={:?}", day_name(newest))));
    }
    let fresh = |made: &f64| (-(day - made).max(0.0) / options.half_life).exp2();
    Ok((days.iter().map(fresh).collect(), day))
}

/// A day as a date.
pub(super) fn day_name(day: f64) -> String {
    date_name(day.floor() as i64)
}
