//! A panel as paths: each customer's rows in order of time, each in its period.

use super::count::{Counts, Seen, Transitions};
use super::period::{Length, Period};
use crate::economics::reader::{Labels, Reader};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::{Kind, Table};

/// Stages that one path may have.
pub const MOST_STAGES: usize = 64;
/// Times beyond this are not taken, so that differences of times are exact.
const FARTHEST: f64 = 1e15;

/// Columns by role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) customer: &'a str,
    pub(super) time: &'a str,
    pub(super) stage: &'a str,
    pub(super) weights: Option<&'a str>,
}

/// What a panel says.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pub(super) stages: Vec<String>,
    pub(super) counts: Counts,
    /// Weight of each stage in the latest period.
    pub(super) now: Vec<f64>,
    /// One period in words.
    pub(super) word: String,
}

/// Reads a panel; rows with a missing value are left out.
pub(super) fn read(
    table: &Table,
    columns: Columns<'_>,
    wanted: Option<&[String]>,
    period: Option<&Length>,
    manifest: &mut Manifest,
) -> Result<Panel> {
    let mut reader = Reader::new("panel", table);
    let customers = reader.keys(columns.customer)?;
    let days = reader.days(columns.time)?;
    let found = reader.labels(Labels { table, name: columns.stage }, "stage")?;
    let weights = reader.amounts_or_one(columns.weights)?;
    let kept = reader.finish(manifest)?;
    let dates = table.kind(columns.time)? == Kind::Date;
    let times = times(columns.time, &days, &kept, dates)?;
    let (stages, place) = stages(columns.stage, &found.names, &found.codes, &kept, wanted)?;

    // Rows by customer, then by time.
    let n_customers = customers.distinct.len();
    let mut ends = vec![0_usize; n_customers + 1];
    kept.iter().for_each(|&row| ends[customers.codes[row] as usize + 1] += 1);
    (0..n_customers).for_each(|at| ends[at + 1] += ends[at]);
    let mut order = vec![0_usize; kept.len()];
    let mut next = ends.clone();
    for (at, &row) in kept.iter().enumerate() {
        let slot = &mut next[customers.codes[row] as usize];
        order[*slot] = at;
        *slot += 1;
    }
    for path in ends.windows(2) {
        order[path[0]..path[1]].sort_unstable_by_key(|&at| (times[at], at));
    }
    let paths = || ends.windows(2).map(|path| &order[path[0]..path[1]]).filter(|p| !p.is_empty());

    let first = times.iter().copied().min().unwrap_or(0);
    let cut = match period {
        Some(length) => Period::given(length, dates, first)?,
        None => {
            let pairs = paths()
                .flat_map(|path| path.windows(2).map(|pair| (times[pair[0]], times[pair[1]])));
            Period::found(pairs, dates, first)
        }
    };
    let periods: Vec<i64> = times.iter().map(|&time| cut.of(time)).collect();
    let word = cut.word(dates);
    let repeated = paths()
        .flat_map(|path| path.windows(2))
        .filter(|pair| periods[pair[0]] == periods[pair[1]])
        .map(|pair| (pair[0].max(pair[1]), pair[0].min(pair[1])))
        .min();
    if let Some((later, earlier)) = repeated {
        let (row, other) = (kept[later], kept[earlier]);
        let name = &customers.distinct.names()[customers.codes[row] as usize];
        let same = if times[later] == times[earlier] { "time" } else { "period" };
        return Err(Error::value(
            columns.time,
            row,
            format!("a second row of customer {name:?} in the {same} of row {other}"),
            format!("each customer has one stage in each {word}"),
        )
        .with_mend(format!(
            "df = df.drop_duplicates([{:?}, {:?}], keep=\"last\")",
            columns.customer, columns.time
        )));
    }

    let mut transitions = Transitions::new(stages.len());
    let mut path = Vec::new();
    let latest = periods.iter().copied().max().unwrap_or(0);
    let mut now = vec![0.0; stages.len()];
    for rows in paths() {
        path.clear();
        path.extend(rows.iter().map(|&at| Seen {
            period: periods[at],
            stage: place[found.codes[kept[at]] as usize],
            weight: weights[kept[at]],
        }));
        transitions.update(&path);
        if let Some(last) = path.last()
            && last.period == latest
        {
            now[last.stage] += last.weight;
        }
    }
    let counts = transitions.finish();
    let total: f64 = counts.pairs.iter().sum::<f64>() + now.iter().sum::<f64>();
    if !total.is_finite() {
        let wanted = "weights whose sum is a finite number are needed";
        return Err(Error::argument("weights", "a sum that is infinite", wanted));
    }
    if counts.counted == 0 {
        let (found, mend) = if periods.iter().all(|&period| period == latest) {
            ("rows of one period only", "panel = pd.concat([earlier, later])")
        } else {
            ("no customer with rows in two consecutive periods", "period=\"year\"")
        };
        let wanted = format!("a transition leads from one {word} to the next");
        return Err(Error::argument("time", found, wanted).with_mend(mend));
    }
    if counts.pairs.iter().all(|&weight| weight == 0.0) {
        return Err(Error::argument(
            "weights",
            "no weight above 0 in a row that another one follows",
            "some customer must count",
        ));
    }
    if period.is_none() {
        manifest.notes.push(format!("the length of a period was found from the times: one {word}"));
    }
    if counts.gaps > 0 {
        manifest.notes.push(format!(
            "{} of {} pairs of a customer's rows are more than one {word} apart and count as no transition",
            counts.gaps,
            counts.gaps + counts.counted
        ));
    }
    let still = counts.customers - counts.moving;
    if still > 0 {
        manifest.notes.push(format!(
            "{still} of {} customers have no two rows in consecutive periods and tell nothing of moves",
            counts.customers
        ));
    }
    Ok(Panel { stages, counts, now, word })
}

/// Whole times of the rows that count: days, or the numbers as they are.
fn times(name: &str, days: &[f64], kept: &[usize], dates: bool) -> Result<Vec<i64>> {
    kept.iter()
        .map(|&row| {
            let time = days[row];
            if time.abs() > FARTHEST {
                let wanted = "a time between -1e15 and 1e15 is needed";
                return Err(Error::value(name, row, time, wanted));
            }
            if !dates && time.fract() != 0.0 {
                return Err(Error::value(name, row, time, "a date or a whole number is needed")
                    .with_mend(format!("df[{name:?}] = df[{name:?}].round().astype(int)")));
            }
            Ok(time.floor() as i64)
        })
        .collect()
}

/// Names of the stages, and for each code its place among them.
fn stages(
    column: &str,
    names: &[String],
    codes: &[u32],
    kept: &[usize],
    wanted: Option<&[String]>,
) -> Result<(Vec<String>, Vec<usize>)> {
    let mut met = vec![false; names.len()];
    kept.iter().for_each(|&row| met[codes[row] as usize] = true);
    let stages: Vec<String> = match wanted {
        Some(wanted) => wanted.to_vec(),
        None => names.iter().zip(&met).filter(|(_, met)| **met).map(|(n, _)| n.clone()).collect(),
    };
    if let Some(at) = (0..stages.len()).find(|&at| stages[..at].contains(&stages[at])) {
        let found = format!("{:?} twice", stages[at]);
        return Err(Error::argument("stages", found, "each stage is named once"));
    }
    if stages.is_empty() || stages.len() > MOST_STAGES {
        let found = format!("{} stages", stages.len());
        let allowed = format!("1 to {MOST_STAGES} are taken; is {column:?} the stage?");
        return Err(Error::argument("stage", found, allowed));
    }
    let place: Vec<Option<usize>> =
        names.iter().map(|name| stages.iter().position(|stage| stage == name)).collect();
    let unlisted = kept.iter().find(|&&row| place[codes[row] as usize].is_none());
    if let Some(&row) = unlisted {
        let name = &names[codes[row] as usize];
        let listed = format!("the stages listed are {}", quoted(&stages));
        return Err(Error::value(column, row, format!("{name:?}"), listed)
            .with_mend(format!("stages=[*stages, {name:?}]")));
    }
    Ok((stages, place.into_iter().map(|at| at.unwrap_or(0)).collect()))
}

/// Names for a message, the first twenty of them.
pub(super) fn quoted(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(20).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > 20 { ", and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}
