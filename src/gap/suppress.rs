//! Which cells of a table of counts to hide, so that the small ones cannot be worked out from the rest.
//!
//! Hiding the small cells alone protects nobody: the totals of their rows and columns give them back. So further cells
//! are hidden with them (complementary suppression). What a reader can still work out is exact: with the totals and the
//! shown cells known, the hidden ones form a transportation problem, whose cells range over intervals with whole ends
//! (its matrix is totally unimodular). An interval is found by shifting records round cycles of hidden cells, one up,
//! the next down, as far as they go: a maximum flow between the row and the column of the cell. Cells to hide besides
//! are those of the cycle that gives up the fewest records, by shortest paths (Cox 1980, 1995; Kelly, Golden and Assad
//! 1992). At the end, each one that others have made needless is shown again. The choice is good, not the best there is:
//! that would be an integer program (Fischetti and Salazar 2000). In tables of 4 by 4 cells with up to five small ones it
//! gives up 6 % more records than the best.
//!
//! Time: for each small cell a few searches of the hidden cells, and for each further cell hidden one or two searches of
//! the whole table; some milliseconds for 60 by 40 cells. The answer depends on the table alone.
//!
//! It protects against readers who know the totals and the shown cells. It does not against those who also know records
//! (a customer of a hidden cell knows the cell is not empty; one who knows all but one of its records knows the last),
//! nor against adding up: hidden cells of a row are known in sum, and several tables of the same records can be held
//! against each other, nor fully against those who reason from the rule that chose the cells (that only small and needed
//! cells are hidden says a little about them). Totals are shown however small they are.
//!
//! - Cox, L. H. (1980). Suppression methodology and statistical disclosure control. JASA 75, 377-385.
//! - Cox, L. H. (1995). Network models for complementary cell suppression. JASA 90, 1453-1462.
//! - Kelly, J. P., Golden, B. L. and Assad, A. A. (1992). Cell suppression: disclosure protection for sensitive tabular
//!   data. Networks 22, 397-417.
//! - Fischetti, M. and Salazar, J. J. (2000). Models and algorithms for optimizing cell suppression in tabular data with
//!   linear constraints. JASA 95, 916-928.

use serde::{Deserialize, Serialize};

use super::axis::Axis;
use crate::error::{Error, Result};

/// Whether a cell is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// It is shown.
    Shown,
    /// It is hidden because it is small.
    Small,
    /// It is hidden because it would give a small one away.
    Complementary,
}

/// The cells to hide, row by row, so that no cell with 1 to `limit - 1` records can be worked out.
///
/// `n` are the counts and `possible` says which cells can occur: a reader knows that the others are empty. Each small
/// cell can then be anything in an interval at least `limit` wide, or as wide as the totals allow with the whole table
/// hidden; every other hidden cell has at least two values that it can be.
///
/// # Errors
///
/// [`Error::Argument`] if `limit` is below 2, the lengths do not fit, or a small cell follows from the totals even with
/// all cells hidden (it stands alone in its row, for example).
pub fn suppress(
    rows: &Axis,
    cols: &Axis,
    n: &[u64],
    possible: &[bool],
    limit: u64,
) -> Result<Vec<Cover>> {
    if limit < 2 {
        let wanted = "a number of records of at least 2 is needed, or None to hide nothing";
        return Err(Error::argument("suppress", limit, wanted).with_mend("suppress=10"));
    }
    let n_cols = cols.categories.len();
    let table = Counts::new(n, n_cols, possible, rows.categories.len())?;
    let mut small: Vec<usize> =
        (0..n.len()).filter(|&cell| (1..limit).contains(&n[cell])).collect();
    // What hides large cells tends to hide smaller ones as well, but not always: the cheaper of two orders is taken.
    small.sort_by_key(|&cell| (std::cmp::Reverse(n[cell]), cell));
    let mut best: Option<(u64, Vec<usize>)> = None;
    for backwards in [false, true] {
        if backwards {
            small.reverse();
        }
        let further = table
            .clone()
            .complement(&small, limit)
            .map_err(|cell| given_away(rows, cols, cell, limit))?;
        let cost = further.iter().fold(0u64, |sum, &cell| sum.saturating_add(table.cost(cell)));
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, further));
        }
    }
    let mut cover = vec![Cover::Shown; n.len()];
    for &cell in &small {
        cover[cell] = Cover::Small;
    }
    for cell in best.map(|(_, further)| further).unwrap_or_default() {
        cover[cell] = Cover::Complementary;
    }
    Ok(cover)
}

/// What a reader who knows all totals and the shown cells can work out: the least and the greatest number of records
/// that each cell can have. The ends of a shown cell are its count.
///
/// # Errors
///
/// [`Error::Argument`] if the lengths do not fit.
pub fn bounds(n: &[u64], n_cols: usize, hidden: &[bool]) -> Result<Vec<(u64, u64)>> {
    let n_rows = n.len().checked_div(n_cols).unwrap_or(0);
    let possible = vec![true; n.len()];
    let mut table = Counts::new(n, n_cols, &possible, n_rows)?;
    if hidden.len() != n.len() {
        let found = format!("{} entries of hidden", hidden.len());
        return Err(Error::argument("hidden", found, "one per cell is needed"));
    }
    table.hidden.copy_from_slice(hidden);
    let mut shifts = [Way::Up, Way::Down].map(|way| Shift::new(way, n));
    let mut ends: Vec<(u64, u64)> = n.iter().map(|&count| (count, count)).collect();
    for cell in (0..n.len()).filter(|&cell| hidden[cell]) {
        for shift in &mut shifts {
            shift.turn_to(cell, n);
            table.push(shift, u64::MAX);
        }
        ends[cell] = (n[cell] - shifts[1].done, n[cell] + shifts[0].done);
    }
    Ok(ends)
}

fn given_away(rows: &Axis, cols: &Axis, cell: usize, limit: u64) -> Error {
    let n_cols = cols.categories.len();
    let (row, col) = (&rows.categories[cell / n_cols], &cols.categories[cell % n_cols]);
    let wanted = format!(
        "the cell of {} {row:?} and {} {col:?} has fewer records and follows from the totals whatever else is hidden: \
         put {row:?} together with another category",
        rows.name, cols.name
    );
    let error = Error::argument("suppress", limit, wanted);
    // A category of several columns has no name of its own that could be replaced.
    if !rows.levels.is_empty() {
        return error;
    }
    error.with_mend(format!("df[{0:?}] = df[{0:?}].replace({row:?}, \"other\")", rows.name))
}

/// Why a cell is protected: it can change by `width`, and the shifts that show it go through the cells `used`.
struct Proof {
    cell: usize,
    width: u64,
    used: Vec<usize>,
}

/// Which way a cell is moved from its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// The table after one cell was moved by `done` and others with it, so that the totals stayed.
struct Shift {
    cell: usize,
    way: Way,
    done: u64,
    x: Vec<u64>,
    /// The cells moved with it.
    moved: Vec<usize>,
}

impl Shift {
    fn new(way: Way, n: &[u64]) -> Self {
        Self { cell: 0, way, done: 0, x: n.to_vec(), moved: Vec::new() }
    }

    /// Start anew with another cell.
    fn turn_to(&mut self, cell: usize, n: &[u64]) {
        for moved in self.moved.drain(..) {
            self.x[moved] = n[moved];
        }
        (self.cell, self.done) = (cell, 0);
    }

    /// How much farther the cell itself could go.
    fn room(&self, n: &[u64]) -> u64 {
        match self.way {
            Way::Up => u64::MAX - self.done,
            Way::Down => n[self.cell] - self.done,
        }
    }
}

/// A path through the cells that balances a shift: they go down and up in turn.
struct Path {
    /// Cells, and whether they go up.
    cells: Vec<(usize, bool)>,
    /// Records given up by hiding the cells that are shown.
    cost: u64,
    /// How far it goes.
    room: u64,
}

#[derive(Clone)]
struct Counts<'a> {
    n: &'a [u64],
    n_rows: usize,
    n_cols: usize,
    possible: &'a [bool],
    hidden: Vec<bool>,
}

impl<'a> Counts<'a> {
    fn new(n: &'a [u64], n_cols: usize, possible: &'a [bool], n_rows: usize) -> Result<Self> {
        if n.len() != n_rows * n_cols || possible.len() != n.len() {
            let found = format!("{} counts and {} cells that can occur", n.len(), possible.len());
            let wanted = format!("a table of {n_rows} by {n_cols} is needed");
            return Err(Error::argument("n", found, wanted));
        }
        if n.iter().try_fold(0u64, |sum, &count| sum.checked_add(count)).is_none() {
            return Err(Error::argument("n", "a sum beyond 64 bits", "fewer records are needed"));
        }
        Ok(Self { n, n_rows, n_cols, possible, hidden: vec![false; n.len()] })
    }

    /// Where a path starts and where it ends. Nodes are the rows and then the columns.
    fn ends(&self, shift: &Shift) -> (usize, usize) {
        let (row, col) = (shift.cell / self.n_cols, self.n_rows + shift.cell % self.n_cols);
        match shift.way {
            Way::Up => (col, row),
            Way::Down => (row, col),
        }
    }

    /// The cell between a row and a column, and whether it goes up on the way from `node` to `next`: a row that has
    /// lost records gets them back, a column gives away what it has too many.
    fn step(&self, node: usize, next: usize) -> (usize, bool) {
        match node < self.n_rows {
            true => (node * self.n_cols + next - self.n_rows, true),
            false => (next * self.n_cols + node - self.n_rows, false),
        }
    }

    /// The nodes on the other side.
    fn others(&self, node: usize) -> std::ops::Range<usize> {
        if node < self.n_rows { self.n_rows..self.n_rows + self.n_cols } else { 0..self.n_rows }
    }

    /// Move the cell as far as the hidden cells let it, to `most` at most.
    fn push(&self, shift: &mut Shift, most: u64) {
        while shift.done < most {
            let room = shift.room(self.n).min(most - shift.done);
            if room == 0 {
                return;
            }
            let Some(path) = self.shortest(shift) else { return };
            self.go(shift, &path, room);
        }
    }

    fn go(&self, shift: &mut Shift, path: &Path, most: u64) {
        let amount = path.room.min(most);
        for &(cell, up) in &path.cells {
            shift.moved.push(cell);
            if up {
                shift.x[cell] += amount;
            } else {
                shift.x[cell] -= amount;
            }
        }
        shift.done += amount;
    }

    /// The path of the fewest hidden cells.
    fn shortest(&self, shift: &Shift) -> Option<Path> {
        let (start, end) = self.ends(shift);
        let mut before = vec![usize::MAX; self.n_rows + self.n_cols];
        before[start] = start;
        let mut queue = vec![start];
        let mut head = 0;
        let open = |node: usize, next: usize| {
            let (cell, up) = self.step(node, next);
            self.hidden[cell] && cell != shift.cell && (up || shift.x[cell] > 0)
        };
        while head < queue.len() {
            let node = queue[head];
            head += 1;
            for next in self.others(node) {
                if before[next] != usize::MAX || !open(node, next) {
                    continue;
                }
                before[next] = node;
                // Seen one step ahead, most ways end before the search has spread.
                if self.others(next).contains(&end) && open(next, end) {
                    before[end] = next;
                    return Some(self.path(shift, &before));
                }
                queue.push(next);
            }
        }
        None
    }

    /// The path that gives up the fewest records, among those on which at least `room` records can be shifted.
    fn cheapest(&self, shift: &Shift, room: u64) -> Option<Path> {
        let (start, end) = self.ends(shift);
        let n_nodes = self.n_rows + self.n_cols;
        let mut before = vec![usize::MAX; n_nodes];
        let mut cost = vec![u64::MAX; n_nodes];
        let mut settled = vec![false; n_nodes];
        before[start] = start;
        cost[start] = 0;
        loop {
            let node = (0..n_nodes)
                .filter(|&node| !settled[node] && before[node] != usize::MAX)
                .min_by_key(|&node| cost[node])?;
            if node == end {
                return Some(self.path(shift, &before));
            }
            settled[node] = true;
            for next in self.others(node) {
                let (cell, up) = self.step(node, next);
                let open = self.possible[cell]
                    && cell != shift.cell
                    && !settled[next]
                    && (up || shift.x[cell] >= room);
                let through = cost[node].saturating_add(self.cost(cell));
                if open && (before[next] == usize::MAX || through < cost[next]) {
                    before[next] = node;
                    cost[next] = through;
                }
            }
        }
    }

    /// What hiding a cell gives up: its records, and that it is known.
    fn cost(&self, cell: usize) -> u64 {
        if self.hidden[cell] { 0 } else { self.n[cell].saturating_add(1) }
    }

    fn path(&self, shift: &Shift, before: &[usize]) -> Path {
        let (start, end) = self.ends(shift);
        let mut path = Path { cells: Vec::new(), cost: 0, room: u64::MAX };
        let mut node = end;
        while node != start {
            let (cell, up) = self.step(before[node], node);
            path.cells.push((cell, up));
            path.cost = path.cost.saturating_add(self.cost(cell));
            if !up {
                path.room = path.room.min(shift.x[cell]);
            }
            node = before[node];
        }
        path
    }

    /// Hide cells until this one can change by `limit`, or as much as it can at all: how much, and through which cells.
    fn protect(&mut self, cell: usize, limit: u64, shifts: &mut [Shift; 2]) -> (u64, Vec<usize>) {
        for shift in &mut *shifts {
            shift.turn_to(cell, self.n);
        }
        loop {
            let width = self.widen(shifts, limit);
            let missing = limit.saturating_sub(width);
            let path = if missing == 0 { None } else { self.best(shifts, missing) };
            let Some((at, path)) = path else {
                return (width, shifts.iter().flat_map(|shift| shift.moved.clone()).collect());
            };
            for &(cell, _) in &path.cells {
                self.hidden[cell] = true;
            }
            let room = shifts[at].room(self.n).min(missing);
            self.go(&mut shifts[at], &path, room);
        }
    }

    /// Push both ways until the cell can change by `limit`; how much it can.
    fn widen(&self, [up, down]: &mut [Shift; 2], limit: u64) -> u64 {
        self.push(up, limit.saturating_sub(down.done));
        self.push(down, limit - up.done.min(limit));
        up.done + down.done
    }

    /// The path that costs least for each record by which it widens the interval. Paths that give all that is missing
    /// come first.
    fn best(&self, shifts: &[Shift; 2], missing: u64) -> Option<(usize, Path)> {
        let mut room = missing;
        loop {
            let mut best: Option<(usize, Path, u64)> = None;
            for (at, shift) in shifts.iter().enumerate() {
                let most = shift.room(self.n).min(room);
                if most == 0 {
                    continue;
                }
                let Some(path) = self.cheapest(shift, most) else { continue };
                let gain = path.room.min(most);
                let price = |cost: u64, gain: u64| u128::from(cost) * u128::from(gain);
                if best.as_ref().is_none_or(|(_, other, other_gain)| {
                    price(path.cost, *other_gain) < price(other.cost, gain)
                }) {
                    best = Some((at, path, gain));
                }
            }
            match best {
                Some((at, path, _)) => return Some((at, path)),
                None if room == 1 => return None,
                None => room = room.div_ceil(2),
            }
        }
    }

    /// The further cells to hide, chosen for one small cell after the other; or the one that nothing protects.
    ///
    /// At the end, each is shown again, the one with the most records first, if all cells that stay hidden are as well
    /// protected without it.
    fn complement(mut self, small: &[usize], limit: u64) -> Result<Vec<usize>, usize> {
        for &cell in small {
            self.hidden[cell] = true;
        }
        let mut shifts = [Way::Up, Way::Down].map(|way| Shift::new(way, self.n));
        let mut proofs = Vec::with_capacity(small.len());
        for &cell in small {
            let (width, used) = self.protect(cell, limit, &mut shifts);
            if width == 0 {
                return Err(cell);
            }
            proofs.push(Proof { cell, width: width.min(limit), used });
        }
        let is_small = |cell: usize| (1..limit).contains(&self.n[cell]);
        let mut further: Vec<usize> =
            (0..self.n.len()).filter(|&cell| self.hidden[cell] && !is_small(cell)).collect();
        for &cell in &further {
            proofs.extend(self.prove(cell, 1, &mut shifts));
        }
        further.sort_by_key(|&cell| (std::cmp::Reverse(self.n[cell]), cell));
        loop {
            let before = further.len();
            further.retain(|&spare| !self.show_again(spare, &mut proofs, &mut shifts));
            // A cell may be needed for one that is shown again later only.
            if further.len() == before {
                return Ok(further);
            }
        }
    }

    /// Show a cell again if all that stay hidden are as well protected without it.
    fn show_again(
        &mut self,
        spare: usize,
        proofs: &mut Vec<Proof>,
        shifts: &mut [Shift; 2],
    ) -> bool {
        self.hidden[spare] = false;
        let leaning = |proof: &&Proof| proof.cell != spare && proof.used.contains(&spare);
        let again: Option<Vec<Proof>> = proofs
            .iter()
            .filter(leaning)
            .map(|proof| self.prove(proof.cell, proof.width, shifts))
            .collect();
        let Some(again) = again else {
            self.hidden[spare] = true;
            return false;
        };
        proofs.retain(|proof| proof.cell != spare && !leaning(&proof));
        proofs.extend(again);
        true
    }

    /// Proof that a cell can change by `width` within the hidden cells.
    fn prove(&self, cell: usize, width: u64, shifts: &mut [Shift; 2]) -> Option<Proof> {
        for shift in &mut *shifts {
            shift.turn_to(cell, self.n);
        }
        let enough = self.widen(shifts, width) >= width;
        let used = || shifts.iter().flat_map(|shift| shift.moved.clone()).collect();
        enough.then(|| Proof { cell, width, used: used() })
    }
}
