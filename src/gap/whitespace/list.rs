//! The ranked list of what accounts do not buy.

use super::Whitespace;
use crate::error::{Error, Result};
use crate::table::{Table, missing_column};

/// An account and a product that it has not bought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opportunity {
    /// Place of the account.
    pub account: usize,
    /// Row of the table of segments by products.
    pub cell: usize,
}

/// Which opportunities are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// At most so many.
    pub top: usize,
    /// Of this account alone.
    pub account: Option<&'a str>,
    /// Of this product alone.
    pub product: Option<&'a str>,
    /// At most so many of each account.
    pub per_account: Option<usize>,
    /// Only where so many of the segment buy the product.
    pub min_buyers: usize,
}

impl Whitespace {
    /// What accounts do not buy, the largest expected value first; of accounts alike the one that spends most comes first,
    /// then the one whose name does.
    ///
    /// Cost: a sort of the cells, and a search in the products of each account that is looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for an unknown account or product.
    pub fn opportunities(&self, filter: &Filter<'_>) -> Result<Vec<Opportunity>> {
        let account =
            filter.account.map(|name| find("account", name, &self.accounts)).transpose()?;
        let product =
            filter.product.map(|name| find("product", name, &self.products)).transpose()?;
        let (n, value) = (self.products.len(), self.ranked_by());
        let (buyers, open) = (self.table.ints("buyers"), self.table.ints("open"));
        let mut cells: Vec<usize> = (0..value.len())
            .filter(|&cell| open[cell] > 0 && buyers[cell] >= filter.min_buyers as i64)
            .filter(|&cell| product.is_none_or(|product| cell % n == product))
            .collect();
        cells.sort_by(|&a, &b| value[b].total_cmp(&value[a]).then(a.cmp(&b)));
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.segments.len()];
        for (at, &segment) in self.segment_of.iter().enumerate() {
            if account.is_none_or(|account| at == account) {
                members[segment as usize].push(at);
            }
        }
        for members in &mut members {
            members.sort_by(|&a, &b| self.size[b].total_cmp(&self.size[a]).then(a.cmp(&b)));
        }
        let mut found = match filter.per_account {
            None => cells
                .iter()
                .flat_map(|&cell| members[cell / n].iter().map(move |&account| (account, cell)))
                .filter(|&(account, cell)| !self.has(account, cell % n))
                .take(filter.top)
                .map(|(account, cell)| Opportunity { account, cell })
                .collect(),
            Some(most) => self.best_of_each(&cells, &members, most),
        };
        found.truncate(filter.top);
        Ok(found)
    }

    /// At most `most` of each account, in the order of the whole list.
    fn best_of_each(
        &self,
        cells: &[usize],
        members: &[Vec<usize>],
        most: usize,
    ) -> Vec<Opportunity> {
        let n = self.products.len();
        let mut of_segment: Vec<Vec<(usize, usize)>> = vec![Vec::new(); members.len()];
        for (place, &cell) in cells.iter().enumerate() {
            of_segment[cell / n].push((place, cell));
        }
        let mut found: Vec<(usize, usize, Opportunity)> = Vec::new();
        for (cells, members) in of_segment.iter().zip(members) {
            for (order, &account) in members.iter().enumerate() {
                let open = cells.iter().filter(|(_, cell)| !self.has(account, cell % n)).take(most);
                found.extend(
                    open.map(|&(place, cell)| (place, order, Opportunity { account, cell })),
                );
            }
        }
        found.sort_by_key(|&(place, order, _)| (place, order));
        found.into_iter().map(|(_, _, opportunity)| opportunity).collect()
    }

    /// What opportunities are ranked by: expected value, or without values the likelihood to buy.
    fn ranked_by(&self) -> &[f64] {
        self.table.floats(if self.valued { "expected_value" } else { "p_buy" })
    }

    /// Whether the account has bought the product.
    fn has(&self, account: usize, product: usize) -> bool {
        let bought = &self.bought[self.starts[account]..self.starts[account + 1]];
        bought.binary_search(&(product as u32)).is_ok()
    }

    /// Opportunities as a table: account, product, segment, and the figures of the cell.
    ///
    /// # Errors
    ///
    /// As [`Table::from_columns`].
    pub fn listed(&self, found: &[Opportunity]) -> Result<Table> {
        let n = self.products.len();
        let figure = |name: &str| {
            let values = self.table.floats(name);
            found.iter().map(|one| values[one.cell]).collect::<Vec<_>>()
        };
        let count = |name: &str| {
            let values = self.table.ints(name);
            found.iter().map(|one| values[one.cell]).collect::<Vec<_>>()
        };
        let mut names = vec!["p_buy", "p_buy_lo", "p_buy_hi", "overall"];
        if self.valued {
            names.extend(["spend", "spend_lo", "spend_hi", "expected_value"]);
            names.extend(["expected_value_lo", "expected_value_hi"]);
        }
        let mut table = Table::builder()
            .int("rank", (1..=found.len()).map(|rank| rank as i64))
            .text("account", found.iter().map(|one| self.accounts[one.account].as_str()))
            .text("product", found.iter().map(|one| self.products[one.cell % n].as_str()))
            .text("segment", found.iter().map(|one| self.segments[one.cell / n].as_str()))
            .int("accounts", count("accounts"))
            .int("buyers", count("buyers"));
        for name in names {
            table = table.float(name, figure(name));
        }
        table.finish()
    }
}

/// The place of a name; the refusal of an unknown one names the nearest.
fn find(argument: &str, name: &str, names: &[String]) -> Result<usize> {
    names.iter().position(|other| other == name).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wanted = match missing_column(name, &names) {
            Error::MissingColumn { available, suggestion: Some(near), .. } => {
                format!("they are {available}; did you mean {near:?}?")
            }
            Error::MissingColumn { available, .. } => format!("they are {available}"),
            _ => "it is not there".to_string(),
        };
        Error::argument(argument, format!("{name:?}"), wanted)
    })
}
