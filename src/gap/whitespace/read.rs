//! From rows of purchases to one sorted list of products per account.

use std::collections::HashMap;

use super::{By, Options};
use crate::economics::reader::Reader;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::parallel;
use crate::table::{Codes, MISSING, Table};

/// What each account bought.
pub(super) struct Baskets {
    pub(super) accounts: Vec<String>,
    pub(super) products: Vec<String>,
    pub(super) segments: Vec<String>,
    pub(super) segment_of: Vec<u32>,
    pub(super) starts: Vec<usize>,
    /// Products, ascending within each account.
    pub(super) bought: Vec<u32>,
    /// What was spent on each of them, in units of `unit`.
    pub(super) spent: Vec<f64>,
    /// A power of two: sums and squares of what is counted in it stay in range.
    pub(super) unit: f64,
    /// What each account spent; without values, the number of its products.
    pub(super) size: Vec<f64>,
}

/// Segments of the accounts; [`MISSING`] where there is none.
struct Peers {
    accounts: Vec<String>,
    segment_of: Vec<u32>,
    segments: Vec<String>,
    /// Whether accounts without a purchase count.
    known: bool,
}

pub(super) fn read(
    table: &Table,
    options: &Options<'_>,
    manifest: &mut Manifest,
) -> Result<Baskets> {
    let mut reader = Reader::new("purchases", table);
    let account = table.codes(options.account)?;
    let product = table.codes(options.product)?;
    for (name, codes) in [(options.account, &account), (options.product, &product)] {
        if codes.n_missing > 0 {
            reader.leave_out(format!("{name:?} is missing"), |row| codes.codes[row] == MISSING);
        }
    }
    let values = options.value.map(|name| reader.amounts(name)).transpose()?;
    let peers = peers(&account, options, table, &mut reader)?;
    if matches!(options.by, By::Table { .. }) {
        reader.leave_out("the account has no segment".to_string(), |row| {
            let code = account.codes[row];
            code != MISSING && peers.segment_of[code as usize] == MISSING
        });
    }
    let kept = reader.finish(manifest)?;
    let Peers { accounts, mut segment_of, segments, known } = peers;
    if !known {
        let mut bought = vec![false; accounts.len()];
        kept.iter().for_each(|&row| bought[account.codes[row] as usize] = true);
        for (segment, bought) in segment_of.iter_mut().zip(&bought) {
            *segment = if *bought { *segment } else { MISSING };
        }
    }
    // Accounts, segments and products that nothing is known of do not count.
    let mut in_use = vec![false; product.categories.len()];
    kept.iter().for_each(|&row| in_use[product.codes[row] as usize] = true);
    let (product_at, products) = packed(product.categories, |at| in_use[at]);
    let (account_at, accounts) = packed(accounts, |at| segment_of[at] != MISSING);
    let mut met = vec![false; segments.len()];
    segment_of.iter().filter(|&&s| s != MISSING).for_each(|&s| met[s as usize] = true);
    let (segment_at, segments) = packed(segments, |at| met[at]);
    let segment_of: Vec<u32> = segment_of
        .iter()
        .filter(|&&segment| segment != MISSING)
        .map(|&segment| segment_at[segment as usize])
        .collect();
    let most = match &values {
        Some(values) => kept.iter().map(|&row| values[row]).fold(0.0, f64::max),
        None => 1.0,
    };
    let unit = if most > 0.0 { most.log2().floor().exp2() } else { 1.0 };
    let (starts, bought, spent) = lists(
        &kept,
        |row| account_at[account.codes[row] as usize] as usize,
        |row| product_at[product.codes[row] as usize],
        |row| values.as_ref().map_or(1.0, |values| values[row] / unit),
        accounts.len(),
    );
    let size = (0..accounts.len())
        .map(|at| match &values {
            Some(_) => unit * spent[starts[at]..starts[at + 1]].iter().sum::<f64>(),
            None => (starts[at + 1] - starts[at]) as f64,
        })
        .collect::<Vec<_>>();
    if let Some(at) = size.iter().position(|size| !size.is_finite()) {
        let found = format!("more than a number holds for {:?}", accounts[at]);
        return Err(Error::argument("value", found, "sums must be finite"));
    }
    Ok(Baskets { accounts, products, segments, segment_of, starts, bought, spent, unit, size })
}

/// The segment of each account.
fn peers(
    account: &Codes,
    options: &Options<'_>,
    table: &Table,
    reader: &mut Reader<'_>,
) -> Result<Peers> {
    let accounts = account.categories.clone();
    let n = accounts.len();
    match options.by {
        By::Nothing => Ok(Peers {
            accounts,
            segment_of: vec![0; n],
            segments: vec!["all".to_string()],
            known: false,
        }),
        By::Column(name) => {
            let codes = table.codes(name)?;
            reader.leave_out(format!("{name:?} is missing"), |row| codes.codes[row] == MISSING);
            let pairs = account.codes.iter().copied().enumerate();
            let segment_of = one_each(pairs, &codes, account, (options.account, name), n)?;
            Ok(Peers { accounts, segment_of, segments: codes.categories, known: false })
        }
        By::Table { table, account: name, segment } => {
            let (theirs, codes) = (table.codes(name)?, table.codes(segment)?);
            let mut accounts = accounts;
            let places: HashMap<String, u32> =
                accounts.iter().cloned().enumerate().map(|(at, name)| (name, at as u32)).collect();
            let at: Vec<u32> = theirs
                .categories
                .iter()
                .map(|name| {
                    places.get(name).copied().unwrap_or_else(|| {
                        accounts.push(name.clone());
                        accounts.len() as u32 - 1
                    })
                })
                .collect();
            let pairs = theirs.codes.iter().enumerate().map(|(row, &code)| {
                (row, if code == MISSING { MISSING } else { at[code as usize] })
            });
            let n = accounts.len();
            let segment_of = one_each(pairs, &codes, &theirs, (name, segment), n)?;
            if segment_of.iter().all(|&segment| segment == MISSING) {
                let wanted = "at least one account with its segment is needed";
                return Err(Error::argument("by", "no segment", wanted));
            }
            Ok(Peers { accounts, segment_of, segments: codes.categories, known: true })
        }
    }
}

/// The one segment of each account; refuses an account that stands in two.
fn one_each(
    pairs: impl Iterator<Item = (usize, u32)>,
    segments: &Codes,
    accounts: &Codes,
    (account, segment): (&str, &str),
    n: usize,
) -> Result<Vec<u32>> {
    let mut segment_of = vec![MISSING; n];
    let mut first = vec![0; n];
    for (row, at) in pairs {
        let code = segments.codes[row];
        if at == MISSING || code == MISSING {
            continue;
        }
        let known = &mut segment_of[at as usize];
        if *known == MISSING {
            (*known, first[at as usize]) = (code, row);
        } else if *known != code {
            let name = accounts.category(row).unwrap_or_default();
            let wanted = format!(
                "the {account} {name:?} stands in {:?} in row {}, and each has one segment",
                segments.categories[*known as usize], first[at as usize]
            );
            let found = format!("{:?}", segments.categories[code as usize]);
            return Err(Error::value(segment, row, found, wanted).with_mend(format!(
                "df[{segment:?}] = df.groupby({account:?})[{segment:?}].transform(\"last\")"
            )));
        }
    }
    Ok(segment_of)
}

/// The names that are in use, and the new place of each old one.
fn packed(names: Vec<String>, in_use: impl Fn(usize) -> bool) -> (Vec<u32>, Vec<String>) {
    let mut places = vec![MISSING; names.len()];
    let mut left = Vec::with_capacity(names.len());
    for (at, name) in names.into_iter().enumerate() {
        if in_use(at) {
            places[at] = left.len() as u32;
            left.push(name);
        }
    }
    (places, left)
}

/// Accounts in one block of [`lists`].
const BLOCK: usize = 512;

/// The distinct products of each account, ascending, with what was spent on them.
///
/// Rows are brought together by account in the order of the table, and sorted by product within each account.
fn lists(
    kept: &[usize],
    account: impl Fn(usize) -> usize,
    product: impl Fn(usize) -> u32,
    value: impl Fn(usize) -> f64,
    n_accounts: usize,
) -> (Vec<usize>, Vec<u32>, Vec<f64>) {
    let mut ends = vec![0_usize; n_accounts + 1];
    kept.iter().for_each(|&row| ends[account(row) + 1] += 1);
    for at in 0..n_accounts {
        ends[at + 1] += ends[at];
    }
    let starts = ends.clone();
    let mut rows = vec![(0_u32, 0.0_f64); kept.len()];
    for &row in kept {
        let at = &mut ends[account(row)];
        rows[*at] = (product(row), value(row));
        *at += 1;
    }
    let blocks = parallel::map_blocks_of(BLOCK, n_accounts, |accounts| {
        let first = starts[accounts.start];
        let mut rows = rows[first..starts[accounts.end]].to_vec();
        let (mut lengths, mut bought, mut spent) = (Vec::new(), Vec::new(), Vec::new());
        for account in accounts {
            let rows = &mut rows[starts[account] - first..starts[account + 1] - first];
            // Stable, so that sums are those of the order of the rows.
            rows.sort_by_key(|&(product, _)| product);
            let before = bought.len();
            for same in rows.chunk_by(|a, b| a.0 == b.0) {
                bought.push(same[0].0);
                spent.push(same.iter().map(|&(_, value)| value).sum::<f64>());
            }
            lengths.push(bought.len() - before);
        }
        (lengths, bought, spent)
    });
    let mut starts = Vec::with_capacity(n_accounts + 1);
    starts.push(0);
    let (mut bought, mut spent) = (Vec::new(), Vec::new());
    for (lengths, more, money) in blocks {
        for length in lengths {
            starts.push(starts[starts.len() - 1] + length);
        }
        bought.extend(more);
        spent.extend(money);
    }
    (starts, bought, spent)
}
