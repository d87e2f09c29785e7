//! White space: what an account does not buy though those like it do.
//!
//! Accounts of the same segment are peers. How likely an account is to buy a product that it has not bought is the share of
//! its peers who have, drawn towards the share of all accounts as far as the segments agree ([`shrink`]); what it would
//! spend is what a buyer among them spends, drawn towards the buyers at large in the same way.
//!
//! Purchases are brought into one sorted list of products per account; everything after that is a pass over these lists and
//! a table of segments by products. Cost: that of encoding the columns, plus a constant for each purchase and each cell.
//! Nothing is random, and the order of the rows does not matter.

mod cells;
mod list;
mod read;
pub mod shrink;

use serde::{Deserialize, Serialize};

use crate::confidence::check_level;
use crate::economics::sheet::Sheet;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::parallel::Monitor;
use crate::persist::{self, Figures, Persist};
use crate::table::Table;

pub use list::{Filter, Opportunity};

/// Who is like whom.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// All accounts are peers.
    Nothing,
    /// The segment stands beside each purchase.
    Column(&'a str),
    /// A table with a row per account; accounts without a purchase count too.
    Table {
        /// The table.
        table: &'a Table,
        /// Its column of accounts.
        account: &'a str,
        /// Its column of segments.
        segment: &'a str,
    },
}

/// Roles of the columns, and choices.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Who bought.
    pub account: &'a str,
    /// What.
    pub product: &'a str,
    /// Money, or another amount.
    pub value: Option<&'a str>,
    /// Who is like whom.
    pub by: By<'a>,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// What accounts do not buy though those like them do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whitespace {
    /// What it was made from.
    pub manifest: Manifest,
    /// Whether purchases have values.
    pub valued: bool,
    /// Names of the accounts.
    pub accounts: Vec<String>,
    /// Names of the products.
    pub products: Vec<String>,
    /// Names of the segments.
    pub segments: Vec<String>,
    /// Segment of each account.
    pub segment_of: Vec<u32>,
    /// Where the products of each account begin; one more than there are accounts.
    pub starts: Vec<usize>,
    /// The products that each account bought, ascending.
    pub bought: Vec<u32>,
    /// What each account spent; without values, the number of its products.
    pub size: Figures,
    /// One row per segment and product, segment by segment.
    pub table: Sheet,
}

impl Persist for Whitespace {
    const KIND: &'static str = "whitespace";

    fn validate(&self) -> Result<()> {
        let Self { accounts, products, segments, segment_of, starts, bought, size, table, .. } =
            self;
        let cells = segments.len().checked_mul(products.len());
        let lengths = segment_of.len() == accounts.len()
            && size.len() == accounts.len()
            && starts.len() == accounts.len() + 1
            && starts.first() == Some(&0)
            && starts.last() == Some(&bought.len())
            && cells == Some(table.n_rows());
        let places = starts.is_sorted()
            && segment_of.iter().all(|&segment| (segment as usize) < segments.len())
            && bought.iter().all(|&product| (product as usize) < products.len());
        if !(lengths && places) {
            return Err(persist::broken("accounts, products and segments do not agree"));
        }
        let mut wanted = vec![
            "segment:t",
            "product:t",
            "accounts:i",
            "buyers:i",
            "open:i",
            "penetration",
            "p_buy",
            "p_buy_lo",
            "p_buy_hi",
            "overall",
            "lift",
            "potential",
            "rank:i",
        ];
        if self.valued {
            wanted.extend(["spend", "spend_lo", "spend_hi", "expected_value"]);
            wanted.extend(["expected_value_lo", "expected_value_hi"]);
        }
        table.check("table", &wanted)
    }
}

/// What accounts do not buy though those like them do.
///
/// # Errors
///
/// Those of reading columns; [`crate::Error::BadValue`] for a negative value and for an account in two segments;
/// [`crate::Error::Argument`] where nothing is left; [`crate::Error::MemoryLimit`] for more segments and products than fit.
pub fn whitespace(
    purchases: &Table,
    options: &Options<'_>,
    mut manifest: Manifest,
    monitor: &Monitor,
) -> Result<Whitespace> {
    check_level(options.confidence)?;
    let baskets = read::read(purchases, options, &mut manifest)?;
    monitor.check()?;
    let table = cells::table(&baskets, options.value.is_some(), options.confidence, monitor)?;
    let read::Baskets { accounts, products, segments, segment_of, starts, bought, size, .. } =
        baskets;
    let (valued, size) = (options.value.is_some(), Figures(size));
    Ok(Whitespace {
        manifest,
        valued,
        accounts,
        products,
        segments,
        segment_of,
        starts,
        bought,
        size,
        table,
    })
}
