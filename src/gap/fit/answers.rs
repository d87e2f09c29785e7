//! What single customers say: importance of each need, and satisfaction with what there is.

use super::grid::{Cells, Source, check_size, names};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::table::MISSING;

/// Ratings of customers who rated every need, grouped by persona.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    pub(super) personas: Vec<String>,
    pub(super) needs: Vec<String>,
    /// Where the customers of each persona start, and the end.
    pub(super) starts: Vec<usize>,
    /// Importance, one row per customer.
    pub(super) importance: Vec<f64>,
    /// Satisfaction, one row per customer.
    pub(super) satisfaction: Option<Vec<f64>>,
}

/// One customer while rows are read.
struct Customer {
    persona: u32,
    rows: usize,
    given: usize,
}

/// Ratings per customer; `customer` is the column that tells them apart. Customers without a rating of each need are left
/// out, and their rows counted.
///
/// # Errors
///
/// Those of reading columns; [`Error::BadValue`] for a rating that is not allowed; [`Error::Argument`] for a customer of two
/// personas, two ratings of one need by one customer, satisfaction where needs are columns, and a persona of whom no customer
/// is complete.
pub(super) fn answers(
    source: &Source<'_>,
    customer: &str,
    satisfaction: Option<&str>,
    manifest: &mut Manifest,
) -> Result<Answers> {
    let Source { argument, table, row: persona_column, .. } = *source;
    let (personas, of) = names(table, persona_column)?;
    let keys = table.keys(customer)?;
    let n_customers = keys.distinct.len();
    let label = |code: u32| keys.distinct.names().swap_remove(code as usize);
    let (needs, need_of, columns) = match &source.cells {
        Cells::Pairs { col, value } => {
            let (needs, codes) = names(table, col)?;
            (needs, Some(codes), vec![*value])
        }
        Cells::Columns(columns) if satisfaction.is_some() => {
            let found = format!("{} columns of needs", columns.len());
            let wanted = "satisfaction stands beside importance in a frame with one row per customer and need";
            return Err(Error::argument("satisfaction", found, wanted).with_mend(format!(
                "{argument} = {argument}.melt([{persona_column:?}, {customer:?}])"
            )));
        }
        Cells::Columns(columns) => {
            (columns.clone(), None, columns.iter().map(String::as_str).collect())
        }
    };
    let n = needs.len();
    check_size(n_customers, n)?;
    let mut importance = vec![f64::NAN; n_customers * n];
    let mut satisfied = satisfaction.map(|_| importance.clone());
    let mut customers: Vec<Customer> =
        (0..n_customers).map(|_| Customer { persona: MISSING, rows: 0, given: 0 }).collect();
    let numbers = columns.iter().map(|name| table.numeric(name)).collect::<Result<Vec<_>>>()?;
    let second =
        satisfaction.map(|name| Ok::<_, Error>((name, table.numeric(name)?))).transpose()?;
    let mut nameless = 0;
    for row in 0..table.n_rows() {
        let (who, persona) = (keys.codes[row], of[row]);
        let need = need_of.as_ref().map_or(0, |codes| codes[row]);
        if who == MISSING || persona == MISSING || need == MISSING {
            nameless += 1;
            continue;
        }
        let entry = &mut customers[who as usize];
        entry.rows += 1;
        if entry.persona != MISSING && entry.persona != persona {
            let (one, other) = (&personas[entry.persona as usize], &personas[persona as usize]);
            let found = format!("customer {:?} in {one:?} and {other:?}", label(who));
            return Err(Error::argument(customer, found, "a customer has one persona"));
        }
        let again = need_of.is_none() && entry.persona != MISSING;
        entry.persona = persona;
        for (column, (values, name)) in numbers.iter().zip(&columns).enumerate() {
            let need = if need_of.is_some() { need as usize } else { column };
            let at = who as usize * n + need;
            if again || !importance[at].is_nan() {
                let found =
                    format!("two ratings of {:?} by customer {:?}", needs[need], label(who));
                return Err(Error::argument(customer, found, "one rating of each need is needed"));
            }
            let pair = (personas[persona as usize].as_str(), needs[need].as_str());
            let mut complete = !values[row].is_nan();
            if complete {
                importance[at] = source.range.read(values[row], name, row, pair)?;
            }
            if let (Some(satisfied), Some((name, values))) = (&mut satisfied, &second) {
                complete &= !values[row].is_nan();
                if !values[row].is_nan() {
                    satisfied[at] = source.range.read(values[row], name, row, pair)?;
                }
            }
            entry.given += usize::from(complete);
        }
    }
    manifest.leave_out("a name is missing", nameless);
    let incomplete: usize = customers.iter().filter(|c| c.given < n).map(|c| c.rows).sum();
    manifest.leave_out("the customer did not rate every need", incomplete);
    let mut order: Vec<usize> = (0..n_customers).filter(|&at| customers[at].given == n).collect();
    if order.is_empty() || n == 0 {
        return Err(manifest.nothing_left(argument, table.n_rows()));
    }
    order.sort_by_key(|&at| customers[at].persona);
    let mut starts = vec![0; personas.len() + 1];
    for &at in &order {
        starts[customers[at].persona as usize + 1] += 1;
    }
    if let Some(empty) = (0..personas.len()).find(|&persona| starts[persona + 1] == 0) {
        let found = format!("no customer of {:?} who rated every need", personas[empty]);
        return Err(Error::argument(argument, found, "each persona needs at least one"));
    }
    (0..personas.len()).for_each(|persona| starts[persona + 1] += starts[persona]);
    let pick = |values: &[f64]| -> Vec<f64> {
        order.iter().flat_map(|&at| values[at * n..(at + 1) * n].iter().copied()).collect()
    };
    Ok(Answers {
        importance: pick(&importance),
        satisfaction: satisfied.as_deref().map(pick),
        personas,
        needs,
        starts,
    })
}

impl Answers {
    /// Mean ratings of customers of one persona: those that `draw` picks out of so many, or all.
    pub(super) fn means(
        &self,
        persona: usize,
        draw: Option<&mut dyn FnMut(usize) -> usize>,
    ) -> (Vec<f64>, Option<Vec<f64>>) {
        let (first, n) = (self.starts[persona], self.needs.len());
        let count = self.starts[persona + 1] - first;
        let mut importance = vec![0.0; n];
        let mut satisfaction = self.satisfaction.as_ref().map(|_| vec![0.0; n]);
        // Each rating is divided first: the sum of large ones may not be finite.
        let add = |sums: &mut [f64], values: &[f64], at: usize| {
            for (sum, value) in sums.iter_mut().zip(&values[at * n..(at + 1) * n]) {
                *sum += value / count as f64;
            }
        };
        let mut take = |at: usize| {
            add(&mut importance, &self.importance, at);
            if let (Some(sums), Some(values)) = (&mut satisfaction, &self.satisfaction) {
                add(sums, values, at);
            }
        };
        match draw {
            None => (first..first + count).for_each(&mut take),
            Some(draw) => (0..count).for_each(|_| take(first + draw(count))),
        }
        (importance, satisfaction)
    }
}
