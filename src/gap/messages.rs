//! Which decision maker hears which message, and whether each hears what matters to them.
//!
//! Each role has priorities. A piece of content addresses roles with messages; it is role-matched for a role where one of its
//! messages is a priority of that role, and off message otherwise. Where deals were recorded, those in which every role
//! addressed heard a priority of its own are set against the others: an association, since nobody drew lots who heard what.
//!
//! Cost: one pass over the pieces.

use std::collections::{BTreeMap, HashMap};

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::content::names::Column;
use crate::confidence::{check_level, z_of};
use crate::economics::reader::{Labels, Reader};
use crate::economics::sheet::{Estimate, Sheet, report, sheets};
use crate::economics::targeting::{Spell, hazard_ratio};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::statistics::{newcombe, wilson};
use crate::table::{MISSING, Table};

report!(
    /// Messages by role.
    MessageMatrix, "message_matrix", {
        "table": ["role:t", "message:t", "own:b", "pieces", "share", "status:t"],
        "roles": ["role:t", "priorities:t", "pieces", "off_message", "missing:t", "status:t"],
        "groups": [
            "group:t", "n:i", "won:i", "win_rate", "win_rate_lo", "win_rate_hi", "n_days:i", "days", "days_lo", "days_hi",
        ],
        "effects": ["figure:t", "value", "value_lo", "value_hi", "p"],
    }
);

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Who is addressed.
    pub role: Labels<'a>,
    /// What they are told.
    pub message: Labels<'a>,
    /// The priorities of each role.
    pub roles: &'a [(String, Vec<String>)],
    /// The priority that a message speaks to, where it has another name.
    pub messages: &'a [(String, String)],
    /// The word for all roles.
    pub everyone: Option<&'a str>,
    /// What stands between several roles or messages in one text.
    pub separator: Option<&'a str>,
    /// How many pieces a row stands for; 1 without.
    pub weights: Option<&'a str>,
    /// The deal that a row belongs to; its own without.
    pub deal: Option<&'a str>,
    /// Whether the deal was won; missing where it is open.
    pub won: Option<&'a str>,
    /// Days to the close of the deal, or until now where it is open.
    pub days: Option<&'a str>,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// One piece of content as it counts.
struct Piece {
    row: usize,
    roles: Vec<usize>,
    messages: Vec<usize>,
    weight: f64,
}

/// Messages by role.
///
/// # Errors
///
/// Those of reading columns; [`Error::Argument`] for roles without a name or a priority and where nothing is left;
/// [`Error::BadValue`] for an unknown role, a negative weight, an outcome that is none, and a deal with two outcomes.
pub fn message_matrix(
    content: &Table,
    options: &Options<'_>,
    mut manifest: Manifest,
) -> Result<MessageMatrix> {
    check_level(options.confidence)?;
    let priorities = priorities(options.roles)?;
    let role_names: Vec<String> = options.roles.iter().map(|(role, _)| role.clone()).collect();
    let role = Column::read(options.role, options.everyone, options.separator)?;
    let message = Column::read(options.message, None, options.separator)?;
    let mut reader = Reader::new("content", content);
    for (column, labels) in [(&role, options.role), (&message, options.message)] {
        if column.codes.len() != content.n_rows() {
            let wanted = format!("one for each of the {} pieces is needed", content.n_rows());
            return Err(Error::argument(
                labels.name,
                format!("{} labels", column.codes.len()),
                wanted,
            ));
        }
        let reason = format!("{:?} is missing", labels.name);
        reader.leave_out(reason, |row| column.codes[row] == MISSING);
    }
    let weight = reader.amounts_or_one(options.weights)?;
    let kept = reader.finish(&mut manifest)?;
    let (role_codes, message_codes) = (role.codes.clone(), message.codes.clone());
    let role = role.settle("roles", Some(&role_names), &[]).map_err(|error| match error {
        Error::BadValue { ref found, .. } => {
            let mend =
                format!("roles={{**ilk.gaps.ROLE_PRIORITIES, {found}: \"what matters to them\"}}");
            error.with_mend(mend)
        }
        other => other,
    })?;
    let message = message.settle("messages", None, &[])?;
    // Each message by the priority that it speaks to: the priorities first, then what is nobody's priority.
    let mut names: Vec<String> = Vec::new();
    for priority in priorities.iter().flatten() {
        if !names.contains(priority) {
            names.push(priority.clone());
        }
    }
    let n_priorities = names.len();
    let place: Vec<usize> = message
        .names
        .iter()
        .map(|name| {
            let mapped = options.messages.iter().find(|(from, _)| from == name);
            let speaks = mapped.map_or(name, |(_, to)| to);
            names.iter().position(|other| other == speaks).unwrap_or_else(|| {
                names.push(speaks.clone());
                names.len() - 1
            })
        })
        .collect();
    let pieces: Vec<Piece> = kept
        .iter()
        .map(|&row| {
            let mut messages: Vec<usize> =
                message.serves[message_codes[row] as usize].iter().map(|&m| place[m]).collect();
            messages.sort_unstable();
            messages.dedup();
            let roles = role.serves[role_codes[row] as usize].clone();
            Piece { row, roles, messages, weight: weight[row] }
        })
        .collect();
    if names.len() > n_priorities {
        let others: Vec<String> = names[n_priorities..].iter().map(|n| format!("{n:?}")).collect();
        manifest.notes.push(format!("nobody's priority: {}", others.join(", ")));
    }
    let own: Vec<Vec<bool>> = priorities
        .iter()
        .map(|priorities| names.iter().map(|name| priorities.contains(name)).collect())
        .collect();
    let (table, roles) = matrix(options.roles, &names, &own, &pieces);
    let (groups, effects) = outcomes(content, options, &own, &pieces, &mut manifest)?;
    let sheets =
        sheets([("table", table), ("roles", roles), ("groups", groups), ("effects", effects)]);
    Ok(MessageMatrix { manifest, sheets })
}

/// The priorities of each role, checked.
fn priorities(roles: &[(String, Vec<String>)]) -> Result<Vec<Vec<String>>> {
    if roles.is_empty() {
        return Err(Error::argument("roles", "no role", "at least one is needed")
            .with_mend("roles={\"CFO\": \"budget savings\"}"));
    }
    for (place, (role, priorities)) in roles.iter().enumerate() {
        if priorities.is_empty() {
            let wanted = "each role needs a priority";
            return Err(Error::argument("roles", format!("{role:?} without one"), wanted));
        }
        if roles[..place].iter().any(|(other, _)| other == role) {
            return Err(Error::argument("roles", format!("{role:?} twice"), "each is named once"));
        }
    }
    Ok(roles.iter().map(|(_, priorities)| priorities.clone()).collect())
}

/// Roles by messages, and the roles.
fn matrix(
    roles: &[(String, Vec<String>)],
    names: &[String],
    own: &[Vec<bool>],
    pieces: &[Piece],
) -> (Sheet, Sheet) {
    let (n_roles, n) = (roles.len(), names.len());
    let mut said = vec![0.0; n_roles * n];
    let (mut heard, mut off) = (vec![0.0; n_roles], vec![0.0; n_roles]);
    for piece in pieces {
        for &role in &piece.roles {
            heard[role] += piece.weight;
            if !piece.messages.iter().any(|&message| own[role][message]) {
                off[role] += piece.weight;
            }
            for &message in &piece.messages {
                said[role * n + message] += piece.weight;
            }
        }
    }
    let cells = || (0..n_roles).flat_map(|role| (0..n).map(move |message| (role, message)));
    let status =
        |(role, message): (usize, usize)| match (own[role][message], said[role * n + message]) {
            (true, pieces) if pieces > 0.0 => "spoken to",
            (true, _) => "missing",
            (false, pieces) if pieces > 0.0 => "off message",
            _ => "",
        };
    let table = Sheet::default()
        .text("role", cells().map(|(role, _)| roles[role].0.as_str()))
        .text("message", cells().map(|(_, message)| names[message].as_str()))
        .flag("own", cells().map(|(role, message)| own[role][message]))
        .float("pieces", said.iter().copied())
        .float("share", cells().map(|(role, message)| said[role * n + message] / heard[role]))
        .text("status", cells().map(status));
    let missing: Vec<Vec<&str>> = (0..n_roles)
        .map(|role| {
            (0..n)
                .filter(|&message| own[role][message] && said[role * n + message] == 0.0)
                .map(|message| names[message].as_str())
                .collect()
        })
        .collect();
    let verdict = |role: usize| {
        let priorities = own[role].iter().filter(|&&own| own).count();
        match missing[role].len() {
            _ if heard[role] == 0.0 => "no content",
            0 => "spoken to",
            n if n == priorities => "not spoken to",
            _ => "partly",
        }
    };
    let sheet = Sheet::default()
        .text("role", roles.iter().map(|(role, _)| role.as_str()))
        .text("priorities", roles.iter().map(|(_, priorities)| priorities.join(", ")))
        .float("pieces", heard.iter().copied())
        .float("off_message", (0..n_roles).map(|role| off[role] / heard[role]))
        .text("missing", missing.iter().map(|names| names.join(", ")))
        .text("status", (0..n_roles).map(verdict));
    (table, sheet)
}

/// What is known of one deal.
#[derive(Debug, Clone, Copy)]
struct Deal {
    first: usize,
    matched: bool,
    won: f64,
    days: f64,
}

/// Deals with and without role-matched messages, and what sets them apart.
fn outcomes(
    content: &Table,
    options: &Options<'_>,
    own: &[Vec<bool>],
    pieces: &[Piece],
    manifest: &mut Manifest,
) -> Result<(Sheet, Sheet)> {
    let deals = match (options.won, options.days) {
        (None, None) => Vec::new(),
        _ => deals(content, options, own, pieces)?,
    };
    let given = options.won.is_some();
    let open = deals.iter().filter(|deal| given && deal.won.is_nan()).count();
    if open > 0 {
        let (deals, are, have) =
            if open == 1 { ("deal", "is", "has") } else { ("deals", "are", "have") };
        manifest
            .notes
            .push(format!("{open} {deals} {are} not decided and {have} no part in the win rates"));
    }
    let z = z_of(options.confidence);
    let groups = [true, false].map(|matched| {
        let of: Vec<Deal> = deals.iter().copied().filter(|deal| deal.matched == matched).collect();
        let decided = of.iter().filter(|deal| !deal.won.is_nan()).count() as f64;
        let won = of.iter().filter(|deal| deal.won == 1.0).count() as f64;
        // How long a sale takes is told by those that came about.
        let days: Vec<f64> = of
            .iter()
            .filter(|deal| !deal.days.is_nan() && (!given || deal.won == 1.0))
            .map(|deal| deal.days.ln())
            .collect();
        Group { n: of.len(), decided, won, days: Moments::of(&days) }
    });
    if deals.is_empty() {
        return Ok((group_sheet(&[], z, options.confidence), effect_sheet(&[])));
    }
    let mut effects: Vec<(&str, Estimate, f64)> = Vec::new();
    let [matched, other] = &groups;
    if given {
        let difference = matched.won / matched.decided - other.won / other.decided;
        let interval = newcombe((matched.won, matched.decided), (other.won, other.decided), z);
        effects.push(("win_rate_difference", Estimate::new(difference, interval), f64::NAN));
    }
    if options.days.is_some() {
        let (ratio, p) = welch(&matched.days, &other.days, options.confidence);
        effects.push(("days_ratio", ratio, p));
    }
    if given && options.days.is_some() {
        let spells: Vec<Spell> = deals
            .iter()
            .filter(|deal| !deal.days.is_nan())
            .map(|deal| Spell { days: deal.days, event: deal.won == 1.0, target: deal.matched })
            .collect();
        let (ratio, p) = hazard_ratio(spells, options.confidence);
        effects.push(("hazard_ratio", ratio, p));
    }
    Ok((group_sheet(&groups, z, options.confidence), effect_sheet(&effects)))
}

/// The deals in order of their first row.
fn deals(
    content: &Table,
    options: &Options<'_>,
    own: &[Vec<bool>],
    pieces: &[Piece],
) -> Result<Vec<Deal>> {
    let n = content.n_rows();
    let won = match options.won {
        Some(name) => Reader::new("content", content).flags(name)?.to_vec(),
        None => vec![f64::NAN; n],
    };
    let days = match options.days {
        Some(name) => {
            let days = content.numeric(name)?;
            if let Some(row) = days.iter().position(|&days| days <= 0.0) {
                let wanted = "a number of days above 0 is needed";
                return Err(Error::value(name, row, days[row], wanted)
                    .with_mend(format!("df[{name:?}] = df[{name:?}].clip(lower=0.5)")));
            }
            days.to_vec()
        }
        None => vec![f64::NAN; n],
    };
    let keys = options.deal.map(|name| content.keys(name)).transpose()?;
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut deals: Vec<Deal> = Vec::new();
    // Whether each role that a deal addressed heard something of its own.
    let mut heard: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    for piece in pieces {
        let row = piece.row;
        let new = Deal { first: row, matched: true, won: won[row], days: days[row] };
        let place = match &keys {
            None => {
                deals.push(new);
                deals.len() - 1
            }
            // What belongs to no deal has no outcome.
            Some(keys) if keys.codes[row] == MISSING => continue,
            Some(keys) => *places.entry(keys.codes[row]).or_insert_with(|| {
                deals.push(new);
                deals.len() - 1
            }),
        };
        let deal = deals[place];
        for (name, mine, theirs) in
            [(options.won, won[row], deal.won), (options.days, days[row], deal.days)]
        {
            if let Some(name) = name
                && mine.to_bits() != theirs.to_bits()
                && !(mine.is_nan() && theirs.is_nan())
            {
                let wanted = format!("the same deal has {theirs} in row {}", deal.first);
                return Err(Error::value(name, row, mine, wanted));
            }
        }
        for &role in &piece.roles {
            let own = piece.messages.iter().any(|&message| own[role][message]);
            *heard.entry((place, role)).or_default() |= own;
        }
    }
    for ((place, _), heard) in heard {
        deals[place].matched &= heard;
    }
    Ok(deals)
}

/// Deals of one kind.
struct Group {
    n: usize,
    decided: f64,
    won: f64,
    days: Moments,
}

/// Number, mean and variance of logarithms.
struct Moments {
    n: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { n, mean, variance: if n > 1.0 { squares / (n - 1.0) } else { f64::NAN } }
    }

    /// The geometric mean with its interval (t on the logarithms).
    fn geometric(&self, confidence: f64) -> Estimate {
        let half = t_quantile(self.n - 1.0, confidence) * (self.variance / self.n).sqrt();
        Estimate::new(self.mean.exp(), ((self.mean - half).exp(), (self.mean + half).exp()))
    }
}

fn t_quantile(freedom: f64, confidence: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom)
        .map_or(f64::NAN, |law| law.inverse_cdf((1.0 + confidence) / 2.0))
}

/// Ratio of two geometric means with its interval, and the p-value at 1 (Welch 1947, Biometrika 34:28-35, on logarithms).
fn welch(one: &Moments, other: &Moments, confidence: f64) -> (Estimate, f64) {
    let (a, b) = (one.variance / one.n, other.variance / other.n);
    let (difference, error) = (one.mean - other.mean, (a + b).sqrt());
    let freedom = (a + b).powi(2) / (a * a / (one.n - 1.0) + b * b / (other.n - 1.0));
    let nowhere = (f64::NAN, f64::NAN);
    let Ok(law) = StudentsT::new(0.0, 1.0, freedom) else {
        return (Estimate::new(difference.exp(), nowhere), f64::NAN);
    };
    let half = law.inverse_cdf((1.0 + confidence) / 2.0) * error;
    let interval = ((difference - half).exp(), (difference + half).exp());
    let p = (2.0 * law.sf((difference / error).abs())).min(1.0);
    (Estimate::new(difference.exp(), interval), p)
}

fn group_sheet(groups: &[Group], z: f64, confidence: f64) -> Sheet {
    let rate = |g: &Group| Estimate::new(g.won / g.decided, wilson(g.won, g.decided, z));
    let days = |group: &Group| group.days.geometric(confidence);
    Sheet::default()
        .text("group", ["role-matched", "off message"].into_iter().take(groups.len()))
        .int("n", groups.iter().map(|group| group.n as i64))
        .int("decided", groups.iter().map(|group| group.decided as i64))
        .int("won", groups.iter().map(|group| group.won as i64))
        .estimate("win_rate", &groups.iter().map(rate).collect::<Vec<_>>())
        .int("n_days", groups.iter().map(|group| group.days.n as i64))
        .estimate("days", &groups.iter().map(days).collect::<Vec<_>>())
}

fn effect_sheet(effects: &[(&str, Estimate, f64)]) -> Sheet {
    let values: Vec<Estimate> = effects.iter().map(|effect| effect.1).collect();
    Sheet::default()
        .text("figure", effects.iter().map(|effect| effect.0))
        .estimate("value", &values)
        .float("p", effects.iter().map(|effect| effect.2))
}
