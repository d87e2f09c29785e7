//! Columns as attributes: each customer falls into one of a few bins, which a card can state.

use super::condition::{Condition, Style};
use super::text;
use crate::error::{Error, Result};
use crate::table::{Kind, MISSING, Numeric, Table, is_identifier};

/// Categories of an attribute at most: more are free text or identifiers.
pub(super) const MAX_LEVELS: usize = 50;
/// Different numbers up to which each is a category of its own.
const FEW: usize = 3;
/// Share of the customers whom rounding a cut may move to another bin.
const MOVED: f64 = 0.02;

/// A column cut into bins.
pub(super) struct Attribute {
    /// Bin of each row, or [`MISSING`].
    pub bins: Vec<u32>,
    /// What each bin means.
    pub conditions: Vec<Condition>,
    /// The same in words.
    pub words: Vec<String>,
    /// The numbers, where a mean tells something.
    pub values: Option<Numeric>,
    /// Where each bin stands in order: for distances between customers. Categories without order differ all alike.
    pub ordered: bool,
}

/// A column as attribute, or the reason why it is none.
pub(super) type Reading = std::result::Result<Attribute, String>;

/// Reads a column. Numbers and dates are cut at the thirds of the rows that have a label; those with at most three
/// different values, and categories, keep their values.
///
/// # Errors
///
/// Those of reading a column.
pub(super) fn attribute(
    table: &Table,
    name: &str,
    labels: &[u32],
    chosen: bool,
) -> Result<Reading> {
    let kind = table.kind(name)?;
    match kind {
        Kind::Empty => Ok(Err("it has no value".to_string())),
        Kind::Other if chosen => table.codes(name).map(|_| Err("it is unreadable".to_string())),
        Kind::Other => Ok(Err("it has a type that no card can tell".to_string())),
        Kind::Nominal | Kind::Boolean | Kind::Ordinal => categories(table, name, kind),
        Kind::Number | Kind::Date => {
            let values =
                if kind == Kind::Date { table.days(name)? } else { table.numeric(name)? };
            if let Some(row) = values.iter().position(|value| value.abs() > 1e150) {
                let wanted = "numbers must lie within ±1e150, since they are squared";
                return Err(Error::value(name, row, values[row], wanted));
            }
            if !chosen && kind == Kind::Number && is_identifier(name, &values) {
                return Ok(Err("it looks like an identifier".to_string()));
            }
            numbers(table, name, values, labels, kind == Kind::Date)
        }
    }
}

fn categories(table: &Table, name: &str, kind: Kind) -> Result<Reading> {
    let codes = table.codes(name)?;
    let n = codes.categories.len();
    if n > MAX_LEVELS {
        return Ok(Err(format!(
            "it has {n} different values, more than {MAX_LEVELS}: free text and identifiers of customers do not go on a card"
        )));
    }
    if n < 2 {
        return Ok(Err("it is constant".to_string()));
    }
    let words: Vec<String> = codes.categories.iter().map(|level| text::name(level)).collect();
    Ok(Ok(Attribute {
        conditions: words.iter().map(|level| Condition::level(name, level)).collect(),
        words,
        bins: codes.codes,
        values: None,
        ordered: kind == Kind::Ordinal,
    }))
}

fn numbers(
    table: &Table,
    name: &str,
    values: Numeric,
    labels: &[u32],
    is_date: bool,
) -> Result<Reading> {
    let mut sorted: Vec<f64> = values
        .iter()
        .zip(labels)
        .filter(|&(value, &label)| label != MISSING && !value.is_nan())
        .map(|(&value, _)| value)
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
        return Ok(Err("no customer of a segment has a value".to_string()));
    };
    if low == high {
        return Ok(Err("it is constant".to_string()));
    }
    if !is_date && n_distinct(&sorted, FEW + 1) <= FEW {
        let codes = table.codes(name)?;
        let words: Vec<String> = codes.categories.iter().map(|level| text::name(level)).collect();
        return Ok(Ok(Attribute {
            conditions: words.iter().map(|level| Condition::level(name, level)).collect(),
            words,
            bins: codes.codes,
            values: Some(values),
            ordered: true,
        }));
    }
    let cuts = cuts(&sorted, !is_date);
    let ends = |bin: usize| (bin.checked_sub(1).map(|at| cuts[at]), cuts.get(bin).copied());
    let conditions: Vec<Condition> =
        (0..=cuts.len()).map(|bin| Condition::range(name, ends(bin).0, ends(bin).1)).collect();
    let style = Style::of(&sorted, is_date);
    let mut words: Vec<String> = conditions.iter().map(|range| range.words(style)).collect();
    // A bin at the end that holds one whole number is told by it.
    if style == Style::Whole {
        if cuts[0] - low == 1.0 {
            words[0] = text::number(low);
        }
        if cuts[cuts.len() - 1] == high {
            words[cuts.len()] = text::number(high);
        }
    }
    let bin = |&value: &f64| match value.is_nan() {
        true => MISSING,
        false => cuts.iter().filter(|&&cut| value >= cut).count() as u32,
    };
    Ok(Ok(Attribute {
        bins: values.iter().map(bin).collect(),
        words,
        conditions,
        values: (!is_date).then_some(values),
        ordered: true,
    }))
}

/// Number of different values of a sorted slice, counted up to `enough`.
fn n_distinct(sorted: &[f64], enough: usize) -> usize {
    let mut n = usize::from(!sorted.is_empty());
    for pair in sorted.windows(2) {
        n += usize::from(pair[0] != pair[1]);
        if n >= enough {
            break;
        }
    }
    n
}

/// The least values of the second and third bin: the thirds, or the next value where too many are equal; rounded as far as
/// that moves hardly anybody.
fn cuts(sorted: &[f64], round: bool) -> Vec<f64> {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let mut cuts: Vec<f64> = Vec::with_capacity(2);
    for third in 1..=2 {
        let mut cut = sorted[third * sorted.len() / 3];
        let below = cuts.last().copied().unwrap_or(low);
        if cut <= below {
            // The first value above what was cut off already.
            match sorted.get(sorted.partition_point(|&value| value <= below)) {
                Some(&next) => cut = next,
                None => continue,
            }
        }
        let rounded = if round { rounded(cut, sorted, high - low) } else { cut };
        cuts.push(if rounded > below && rounded <= high { rounded } else { cut });
    }
    cuts
}

fn rounded(cut: f64, sorted: &[f64], range: f64) -> f64 {
    let before = sorted.partition_point(|&value| value < cut);
    let most = (MOVED * sorted.len() as f64) as usize;
    let magnitude = range.log10().floor() as i32;
    for digits in 0..6 {
        let step = 10_f64.powi(magnitude - digits);
        // Dividing by a whole power of ten keeps the nearest decimal.
        let candidate = if magnitude >= digits {
            (cut / step).round() * step
        } else {
            let scale = 10_f64.powi(digits - magnitude);
            (cut * scale).round() / scale
        };
        let moved = sorted.partition_point(|&value| value < candidate).abs_diff(before);
        if moved <= most && candidate.is_finite() {
            return candidate;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        cuts(&sorted, true)
    }

    #[test]
    fn cuts_are_thirds_in_round_numbers() {
        let incomes: Vec<f64> = (0..900).map(|i| 12_003.0 + 61.7 * f64::from(i)).collect();
        let found = cut(&incomes);
        assert_eq!(found, [30_000.0, 50_000.0]);
        for (third, &cut) in found.iter().enumerate() {
            let below = incomes.iter().filter(|&&value| value < cut).count();
            assert!(below.abs_diff(300 * (third + 1)) <= 18, "{cut} has {below} below it");
        }
    }

    #[test]
    fn bins_are_never_empty_where_most_values_are_equal() {
        for values in [
            vec![0.0; 90].into_iter().chain((1..=10).map(f64::from)).collect::<Vec<_>>(),
            (1..=10).map(f64::from).chain(vec![50.0; 90]).collect(),
            vec![1e-300, 2e-300, 3e-300, 4e-300],
            vec![1e149, -1e149, 0.0, 5.0],
            vec![1.0, 1.0 + f64::EPSILON, 1.0 + 2.0 * f64::EPSILON, 1.0 + 3.0 * f64::EPSILON],
        ] {
            let found = cut(&values);
            assert!(!found.is_empty());
            let mut counts = vec![0; found.len() + 1];
            for value in &values {
                counts[found.iter().filter(|&&cut| *value >= cut).count()] += 1;
            }
            assert!(counts.iter().all(|&count| count > 0), "{values:?} cut at {found:?}");
        }
    }
}
