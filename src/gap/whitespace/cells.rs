//! Segments by products: who buys what, how likely the others are to, and what that is worth.

use super::read::Baskets;
use super::shrink::{Mean, Share, Values, means, shares};
use crate::confidence::z_of;
use crate::economics::sheet::{Estimate, Sheet};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::{self, Monitor};

/// Bytes of a cell in the table and on the way to it.
const CELL: usize = 320;

/// Products in one block.
const BLOCK: usize = 16;

/// What the accounts of a segment do with a product.
#[derive(Debug, Clone, Copy)]
struct Cell {
    n: f64,
    buyers: f64,
    overall: f64,
    share: Share,
    interval: (f64, f64),
    spend: Mean,
}

pub(super) fn table(
    baskets: &Baskets,
    valued: bool,
    confidence: f64,
    monitor: &Monitor,
) -> Result<Sheet> {
    let Baskets { products, segments, segment_of, unit, .. } = baskets;
    let (n_segments, n_products) = (segments.len(), products.len());
    let what = format!("a table of {n_segments} segments and {n_products} products");
    let needed = memory::matrix_bytes(n_segments, n_products, CELL);
    memory::check(&what, needed, None, "group the products, or take fewer segments")?;
    let mut sizes = vec![0.0; n_segments];
    segment_of.iter().for_each(|&segment| sizes[segment as usize] += 1.0);
    let values = tally(baskets, valued);
    let all = segment_of.len() as f64;
    monitor.expect(n_products as u64);
    let blocks = parallel::map_blocks_of(BLOCK, n_products, |products| -> Result<Vec<Cell>> {
        monitor.check()?;
        let mut cells = Vec::with_capacity(products.len() * n_segments);
        for product in products.clone() {
            let of: Vec<Values> =
                (0..n_segments).map(|segment| values[segment * n_products + product]).collect();
            let counts: Vec<(f64, f64)> =
                of.iter().zip(&sizes).map(|(values, &n)| (values.n, n)).collect();
            let overall = counts.iter().map(|count| count.0).sum::<f64>() / all;
            let spends = means(&of);
            for ((share, &(buyers, n)), spend) in
                shares(&counts).into_iter().zip(&counts).zip(spends)
            {
                let interval = share.interval(confidence);
                cells.push(Cell { n, buyers, overall, share, interval, spend });
            }
        }
        monitor.advance(products.len() as u64);
        Ok(cells)
    });
    let by_product = blocks.into_iter().collect::<Result<Vec<_>>>()?.concat();
    let cells: Vec<Cell> = (0..n_segments)
        .flat_map(|segment| (0..n_products).map(move |product| (segment, product)))
        .map(|(segment, product)| by_product[product * n_segments + segment])
        .collect();
    sheet(baskets, &cells, valued.then_some(*unit), confidence)
}

/// Buyers of each segment and product, what they spent, and how much that varies.
fn tally(baskets: &Baskets, valued: bool) -> Vec<Values> {
    let Baskets { products, segments, segment_of, starts, bought, spent, .. } = baskets;
    let mut values = vec![Values::default(); segments.len() * products.len()];
    let each = |f: &mut dyn FnMut(usize, f64)| {
        for (account, &segment) in segment_of.iter().enumerate() {
            let first = segment as usize * products.len();
            for at in starts[account]..starts[account + 1] {
                f(first + bought[at] as usize, spent[at]);
            }
        }
    };
    each(&mut |cell, spent| {
        values[cell].n += 1.0;
        values[cell].sum += spent;
    });
    if valued {
        let means: Vec<f64> = values.iter().map(|of| of.sum / of.n).collect();
        each(&mut |cell, spent| values[cell].squares += (spent - means[cell]).powi(2));
    }
    values
}

/// The interval of a positive figure of which mean and relative variance are known: that of the lognormal with both.
fn lognormal(mean: f64, relative: f64, z: f64) -> Estimate {
    if mean == 0.0 {
        return Estimate::new(0.0, (0.0, 0.0));
    }
    let variance = relative.ln_1p();
    let spread = variance.sqrt();
    let end = |z: f64| mean * (z * spread - variance / 2.0).exp();
    let hi = end(z);
    Estimate::new(mean, (end(-z), if hi < mean { mean } else { hi }))
}

fn sheet(baskets: &Baskets, cells: &[Cell], unit: Option<f64>, confidence: f64) -> Result<Sheet> {
    let (segments, products) = (&baskets.segments, &baskets.products);
    let z = z_of(confidence);
    let p: Vec<Estimate> =
        cells.iter().map(|cell| Estimate::new(cell.share.mean(), cell.interval)).collect();
    let relative = |mean: Mean| mean.variance / (mean.value * mean.value);
    let spend =
        |cell: &Cell, unit: f64| lognormal(cell.spend.value * unit, relative(cell.spend), z);
    // What two independent figures make together, likelihood and spend.
    let worth = |cell: &Cell, unit: f64| {
        let mean = cell.share.mean() * cell.spend.value * unit;
        let both = (1.0 + cell.share.relative_variance()) * (1.0 + relative(cell.spend)) - 1.0;
        lognormal(mean, both, z)
    };
    let expected: Vec<Estimate> = match unit {
        Some(unit) => cells.iter().map(|cell| worth(cell, unit)).collect(),
        None => p.clone(),
    };
    let open = |cell: &Cell| cell.n - cell.buyers;
    let potential: Vec<f64> =
        cells.iter().zip(&expected).map(|(cell, expected)| open(cell) * expected.value).collect();
    if let Some(cell) = potential.iter().position(|potential| !potential.is_finite()) {
        let found = format!("more than a number holds for {:?}", products[cell % products.len()]);
        return Err(Error::argument("value", found, "sums must be finite"));
    }
    let mut order: Vec<usize> = (0..cells.len()).filter(|&cell| open(&cells[cell]) > 0.0).collect();
    order.sort_by(|&a, &b| potential[b].total_cmp(&potential[a]).then(a.cmp(&b)));
    let mut rank = vec![0; cells.len()];
    for (place, &cell) in order.iter().enumerate() {
        rank[cell] = place as i64 + 1;
    }
    let mut sheet = Sheet::default()
        .text("segment", (0..cells.len()).map(|cell| segments[cell / products.len()].as_str()))
        .text("product", (0..cells.len()).map(|cell| products[cell % products.len()].as_str()))
        .int("accounts", cells.iter().map(|cell| cell.n as i64))
        .int("buyers", cells.iter().map(|cell| cell.buyers as i64))
        .int("open", cells.iter().map(|cell| open(cell) as i64))
        .float("penetration", cells.iter().map(|cell| cell.buyers / cell.n))
        .estimate("p_buy", &p)
        .float("overall", cells.iter().map(|cell| cell.overall))
        .float("lift", cells.iter().map(|cell| cell.share.mean() / cell.overall));
    if let Some(unit) = unit {
        let spends: Vec<Estimate> = cells.iter().map(|cell| spend(cell, unit)).collect();
        sheet = sheet.estimate("spend", &spends).estimate("expected_value", &expected);
    }
    Ok(sheet.float("potential", potential).int("rank", rank))
}
