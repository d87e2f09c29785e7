//! Correspondence analysis of several categorical columns.

use serde::{Deserialize, Serialize};

use super::decompose::symmetric;
use super::points::{Map, points, turn};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel::{self, BLOCK};
use crate::table::{Codes, MISSING, Table};

/// Most categories of all columns together: the eigenvalue problem grows with their cube.
const MAX_CATEGORIES: usize = 4_000;

/// Shares of the inertia, corrected for the columns' agreement with themselves.
///
/// Every category agrees with itself and excludes those beside it in its column, which fills the inertia with what nobody
/// asked about. Benzécri (1979) takes it out of each dimension's inertia `l`: `(Q / (Q - 1))^2 (l - 1 / Q)^2` where
/// `l > 1 / Q`, with `Q` columns, and tells shares of the sum of these; Greenacre (1988, Biometrika 75) tells shares of the
/// mean inertia of the tables of two different columns, `Q / (Q - 1) (sum l^2 - (J - Q) / Q^2)` with `J` categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Number of columns.
    pub n_variables: usize,
    /// Corrected inertia of each dimension, 0 where nothing is left.
    pub inertias: Vec<f64>,
    /// Mean inertia of the tables of two different columns.
    pub mean_inertia: f64,
}

impl Correction {
    fn of(inertias: &[f64], n_variables: usize, n_categories: usize) -> Self {
        let (q, j) = (n_variables as f64, n_categories as f64);
        let corrected = |&inertia: &f64| {
            let beyond = inertia - 1.0 / q;
            if beyond > 0.0 { (q / (q - 1.0) * beyond).powi(2) } else { 0.0 }
        };
        let squares: f64 = inertias.iter().map(|inertia| inertia * inertia).sum();
        Self {
            n_variables,
            inertias: inertias.iter().map(corrected).collect(),
            mean_inertia: q / (q - 1.0) * (squares - (j - q) / (q * q)),
        }
    }
}

/// The map of the categories of several columns, with coordinates of `dims` dimensions.
///
/// Rows with a missing category are left out and counted. The table of all pairs of categories is counted in one pass; the
/// rows' own coordinates are [`Map::project`]ed when they are asked for.
///
/// # Errors
///
/// [`Error::Argument`] for `dims` 0, fewer than two columns, a column with fewer than two categories in the rows used, or
/// too many categories, and where no row is complete.
pub fn multiple(
    columns: &[(String, Codes)],
    weights: Option<&[f64]>,
    dims: usize,
    mut manifest: Manifest,
) -> Result<Map> {
    if dims == 0 {
        return Err(
            Error::argument("dims", 0, "at least 1 dimension is needed").with_mend("dims=2")
        );
    }
    let q = columns.len();
    if q < 2 {
        return Err(Error::argument("columns", format!("{q} columns"), "at least 2 are needed"));
    }
    let starts: Vec<usize> = columns
        .iter()
        .scan(0, |sum, (_, codes)| {
            let start = *sum;
            *sum += codes.categories.len();
            Some(start)
        })
        .collect();
    let j: usize = columns.iter().map(|(_, codes)| codes.categories.len()).sum();
    if j > MAX_CATEGORIES {
        let wanted = format!("at most {MAX_CATEGORIES} are taken");
        return Err(Error::argument("columns", format!("{j} categories"), wanted));
    }
    let (burt, n_used) = burt(columns, weights, &starts, j);
    let n_rows = columns[0].1.codes.len();
    manifest.leave_out("a category is missing", n_rows - n_used);
    if n_used == 0 {
        return Err(manifest.nothing_left("df", manifest.rows));
    }
    let qf = q as f64;
    let counts: Vec<f64> = (0..j).map(|at| burt[at * j + at]).collect();
    let total = counts[..columns[0].1.categories.len()].iter().sum::<f64>();
    let mut met = 0;
    for ((name, codes), &start) in columns.iter().zip(&starts) {
        let of = counts[start..start + codes.categories.len()].iter();
        let found = of.filter(|&&count| count > 0.0).count();
        met += found;
        if found < 2 {
            let found = format!("{found} category in the rows used");
            let wanted = "a column with fewer than 2 tells nothing apart";
            return Err(Error::argument(format!("column {name:?}"), found, wanted));
        }
    }
    let masses: Vec<f64> = counts.iter().map(|count| count / (total * qf)).collect();
    let cell = |a: usize, b: usize| {
        let root = (masses[a] * masses[b]).sqrt();
        if root > 0.0 {
            (burt[a * j + b] / (total * qf * qf) - masses[a] * masses[b]) / root
        } else {
            0.0
        }
    };
    let matrix: Vec<f64> = (0..j * j).map(|at| cell(at / j, at % j)).collect();
    let mut parts = symmetric(&matrix, j)?;
    parts.values.truncate(met - q);
    let names: Vec<String> = columns
        .iter()
        .flat_map(|(name, codes)| codes.categories.iter().map(move |c| format!("{name}={c}")))
        .collect();
    turn(&mut parts, &names);
    let squared = |&count: &f64| if count > 0.0 { total / count - 1.0 } else { f64::NAN };
    let scale: Vec<f64> =
        parts.values.iter().take(dims).map(|inertia| inertia.max(0.0).sqrt()).collect();
    let variables = columns
        .iter()
        .flat_map(|(name, codes)| vec![name.clone(); codes.categories.len()])
        .collect();
    let categories =
        columns.iter().flat_map(|(_, codes)| codes.categories.iter().cloned()).collect();
    let distances = counts.iter().map(squared).collect();
    let cols = points(variables, categories, masses, distances, &parts.right, &scale);
    Ok(Map {
        rows: Default::default(),
        cols,
        correction: Some(Correction::of(&parts.values, q, met)),
        inertias: parts.values,
        total,
        manifest,
    })
}

/// [`multiple`] of the named columns of a table; all of them where none are named.
///
/// # Errors
///
/// Those of [`multiple`] and of reading the columns; [`Error::BadValue`] for a weight that is missing or negative.
pub fn of_table(
    table: &Table,
    names: &[String],
    weights: Option<&str>,
    dims: usize,
    manifest: Manifest,
) -> Result<Map> {
    let columns: Vec<(String, Codes)> =
        names.iter().map(|name| Ok((name.clone(), table.codes(name)?))).collect::<Result<_>>()?;
    let weights = weights.map(|name| Ok::<_, Error>((name, table.numeric(name)?))).transpose()?;
    if let Some((name, weights)) = &weights
        && let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0))
    {
        return Err(Error::value(*name, row, weights[row], "a weight is a number from 0 up"));
    }
    multiple(&columns, weights.as_ref().map(|(_, weights)| &weights[..]), dims, manifest)
}

/// How often each pair of categories goes together, and the number of complete rows.
fn burt(
    columns: &[(String, Codes)],
    weights: Option<&[f64]>,
    starts: &[usize],
    j: usize,
) -> (Vec<f64>, usize) {
    let n = columns[0].1.codes.len();
    // A partial table is no larger than the rows it counts.
    let blocks = parallel::map_blocks_of(BLOCK.max(16 * j * j), n, |rows| {
        let (mut part, mut used) = (vec![0.0; j * j], 0);
        let mut places = vec![0; columns.len()];
        for row in rows {
            let code = |(_, codes): &(String, Codes)| codes.codes[row];
            if columns.iter().any(|column| code(column) == MISSING) {
                continue;
            }
            used += 1;
            let weight = weights.map_or(1.0, |weights| weights[row]);
            for ((place, column), start) in places.iter_mut().zip(columns).zip(starts) {
                *place = start + code(column) as usize;
            }
            for &a in &places {
                for &b in &places {
                    part[a * j + b] += weight;
                }
            }
        }
        (part, used)
    });
    let mut all = (vec![0.0; j * j], 0);
    for (part, used) in blocks {
        all.0.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        all.1 += used;
    }
    all
}
