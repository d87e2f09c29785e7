//! Two audits side by side: which gaps closed, which opened, and how conversion moved.

use std::collections::HashMap;

use serde_json::{Map, json};
use statrs::distribution::{ContinuousCDF, Normal};

use super::ContentCoverage;
use super::cells::GAPS;
use crate::confidence::{check_level, z_of};
use crate::economics::reader::union;
use crate::economics::sheet::{Estimate, Sheet, report, sheets};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::statistics::{benjamini_hochberg, newcombe, wilson};

report!(
    /// Two audits of content, cell by cell.
    ContentComparison, "content_comparison", {
        "table": [
            "persona:t", "stage:t", "status_before:t", "status_after:t", "change:t", "pieces_before", "pieces_after",
            "coverage_share_before", "coverage_share_after", "gap_before", "gap_after", "worth",
        ],
    }
);

/// A cell of one audit.
#[derive(Debug, Clone, Copy)]
struct Cell<'a> {
    status: &'a str,
    pieces: f64,
    share: f64,
    gap: f64,
    worth: f64,
    n: f64,
    converted: f64,
}

/// What of a cell changed from one audit to the next.
fn change(before: Option<Cell<'_>>, after: Option<Cell<'_>>) -> &'static str {
    let is_gap = |cell: Option<Cell<'_>>| cell.map(|cell| GAPS.contains(&cell.status));
    match (is_gap(before), is_gap(after)) {
        (Some(true), Some(true)) => "still a gap",
        (Some(true), Some(false)) => "closed",
        (Some(false) | None, Some(true)) => "opened",
        (None, Some(false)) => "new",
        (_, None) => "gone",
        (Some(false), Some(false)) => "",
    }
}

/// The cells of two audits side by side, in the order of the later one.
///
/// The difference of conversion carries its hybrid score interval (Newcombe 1998) and the p-value of the pooled z-test, adjusted
/// for the number of cells.
///
/// # Errors
///
/// [`crate::Error::Argument`] for a confidence outside 0 to 1.
pub fn compare(
    before: &ContentCoverage,
    after: &ContentCoverage,
    confidence: f64,
) -> Result<ContentComparison> {
    check_level(confidence)?;
    let (first, second) = (before.sheet("table")?, after.sheet("table")?);
    let (old, new) = (cells(first), cells(second));
    let (personas, _) = union(second.texts("persona"), first.texts("persona"));
    let (stages, _) = union(second.texts("stage"), first.texts("stage"));
    let (personas, stages) = (distinct(&personas), distinct(&stages));
    let keys: Vec<(&str, &str)> = personas
        .iter()
        .flat_map(|&persona| stages.iter().map(move |&stage| (persona, stage)))
        .filter(|key| old.contains_key(key) || new.contains_key(key))
        .collect();
    let pairs: Vec<(Option<Cell<'_>>, Option<Cell<'_>>)> =
        keys.iter().map(|key| (old.get(key).copied(), new.get(key).copied())).collect();
    let figure = |of: fn(&Cell<'_>) -> f64| {
        let value = move |cell: &Option<Cell<'_>>| cell.as_ref().map_or(f64::NAN, of);
        let before: Vec<f64> = pairs.iter().map(|(old, _)| value(old)).collect();
        let after: Vec<f64> = pairs.iter().map(|(_, new)| value(new)).collect();
        (before, after)
    };
    let word = |cell: &Option<Cell<'_>>| cell.map_or("", |cell| cell.status).to_string();
    let (pieces, share, gap) = (figure(|c| c.pieces), figure(|c| c.share), figure(|c| c.gap));
    let worth = |(old, new): &(Option<Cell<'_>>, Option<Cell<'_>>)| {
        new.or(*old).map_or(f64::NAN, |cell| cell.worth)
    };
    let mut sheet = Sheet::default()
        .text("persona", keys.iter().map(|key| key.0))
        .text("stage", keys.iter().map(|key| key.1))
        .text("status_before", pairs.iter().map(|(old, _)| word(old)))
        .text("status_after", pairs.iter().map(|(_, new)| word(new)))
        .text("change", pairs.iter().map(|&(old, new)| change(old, new)))
        .float("pieces_before", pieces.0)
        .float("pieces_after", pieces.1)
        .float("coverage_share_before", share.0)
        .float("coverage_share_after", share.1)
        .float("gap_before", gap.0)
        .float("gap_after", gap.1)
        .float("worth", pairs.iter().map(worth));
    if !first.floats("conversion").is_empty() && !second.floats("conversion").is_empty() {
        sheet = with_conversion(sheet, &pairs, confidence);
    }
    let mut settings = Map::new();
    settings.insert("confidence".into(), json!(confidence));
    for (which, audit) in [("before", before), ("after", after)] {
        let day = audit.manifest.settings.get("as_of").cloned().unwrap_or_default();
        settings.insert(which.into(), day);
    }
    let rows = before.manifest.rows + after.manifest.rows;
    let mut manifest = Manifest::new("content_coverage.compare", settings, None, rows);
    for (which, audit) in [("before", before), ("after", after)] {
        for left in &audit.manifest.left_out {
            manifest.leave_out(format!("{which}: {}", left.reason), left.rows);
        }
    }
    Ok(ContentComparison { manifest, sheets: sheets([("table", sheet)]) })
}

/// Conversion of both audits, and its difference.
fn with_conversion(
    sheet: Sheet,
    pairs: &[(Option<Cell<'_>>, Option<Cell<'_>>)],
    confidence: f64,
) -> Sheet {
    let z = z_of(confidence);
    let counts = |cell: Option<Cell<'_>>| cell.map_or((0.0, 0.0), |c| (c.converted, c.n));
    let rate = |(k, n): (f64, f64)| Estimate::new(k / n, wilson(k, n, z));
    let (mut before, mut after, mut difference) = (Vec::new(), Vec::new(), Vec::new());
    let mut p = Vec::new();
    for &(old, new) in pairs {
        let (old, new) = (counts(old), counts(new));
        before.push(rate(old));
        after.push(rate(new));
        difference.push(Estimate::new(new.0 / new.1 - old.0 / old.1, newcombe(new, old, z)));
        p.push(pooled_test(new, old));
    }
    sheet
        .estimate("conversion_before", &before)
        .estimate("conversion_after", &after)
        .estimate("difference", &difference)
        .float("q", benjamini_hochberg(&p))
        .float("p", p)
}

/// The two-sided p-value of the z-test of two proportions with pooled variance; NaN where there is no variance.
fn pooled_test((k, n): (f64, f64), (l, m): (f64, f64)) -> f64 {
    let pooled = (k + l) / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    if !(variance.is_finite() && variance > 0.0) {
        return f64::NAN;
    }
    let z = (k / n - l / m) / variance.sqrt();
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

fn cells(sheet: &Sheet) -> HashMap<(&str, &str), Cell<'_>> {
    let at = |name: &str, row: usize| sheet.floats(name).get(row).copied().unwrap_or(f64::NAN);
    (0..sheet.n_rows())
        .map(|row| {
            let cell = Cell {
                status: &sheet.texts("status")[row],
                pieces: at("pieces", row),
                share: at("coverage_share", row),
                gap: at("gap", row),
                worth: at("worth", row),
                n: at("n", row),
                converted: at("converted", row),
            };
            ((sheet.texts("persona")[row].as_str(), sheet.texts("stage")[row].as_str()), cell)
        })
        .collect()
}

/// Names in order of first appearance.
fn distinct(names: &[String]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if !found.contains(&name.as_str()) {
            found.push(name);
        }
    }
    found
}
