"""How many planted gaps a gap matrix finds, and how many of the cells it finds are false.

Two kinds of tables with a known truth, cells judged at a false discovery rate of 5 %:

*Tables* of 12 by 10 cells, one multinomial sample each. Probabilities are products of row and column shares, but for one
cell (or three) that has 30 % less. What it lacks is put into another cell of its row, another of its column, and taken
from the cell where those two meet, so that every total stays what it was: what the totals explain of each cell is its
probability without the gap, the planted cells alone differ from it, and all others are exactly as expected. The sample
is of the size at which 200 records are expected in the cell with the gap.

*Markets* of `ilk.datasets.make_market`: orders by household and daypart, and lines by household and daypart with
department, with whole customers as the units of chance. A planted factor changes the totals as well, and with them what
they explain of every cell. So the truth of a cell is the index of the table that the model expects, by the same formula
(total of row times total of column over total), and the factor is chosen so that this index is 0.7 in the planted cell.
Its row and column truly have more than the totals explain, then. A cell counts as null if its true index is within 1 % of
1. Markets without planted gaps are null in every cell.

A cell that is found is false if it is null, or if it is found on the wrong side. The false discovery rate is what Benjamini
and Hochberg define: the mean over tables of the share of found cells that are false, 0 where none is found. In markets
without gaps this is the share of markets in which any cell is found. The share of all cells found in all tables together
is printed as well; where there is little to find it is larger, because a table with a false cell brings more cells. Power
is the share of planted gaps that are found.

Run: python tests/benches/power_gaps.py [--seeds 400]
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import ilk
from ilk import _market
from ilk.datasets import Gap, make_market

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: The planted gap, and the records expected where it is.
INDEX, EXPECTED = 0.7, 200.0
#: True indices this near 1 count as none.
TOLERANCE = 0.01
MOST_FALSE, LEAST_POWER = 0.06, 0.90


class Found(NamedTuple):
    """What was found in one table, and what was there to find."""

    false: int
    found: int
    gaps_found: int
    gaps: int

    @classmethod
    def of(cls, gaps: ilk.GapMatrix, truth: dict[tuple[str, str], float]) -> Found:
        """Compare statuses with true indices."""
        table = gaps.to_dict()
        false = found = gaps_found = 0
        for row, col, status in zip(
            table[gaps.rows], table[gaps.cols], table["status"], strict=True
        ):
            if status not in ("gap", "saturated"):
                continue
            index = truth[row, col]
            found += 1
            false += abs(index - 1) <= TOLERANCE or (index < 1) != (status == "gap")
            gaps_found += status == "gap" and is_planted(index)
        return cls(false, found, gaps_found, sum(map(is_planted, truth.values())))


def is_planted(index: float) -> bool:
    """Whether a true index is that of a planted gap."""
    return abs(index - INDEX) < 1e-6


class Tally(NamedTuple):
    """Sums over seeds."""

    false: int
    found: int
    gaps_found: int
    gaps: int
    rate: float
    tables: int

    @classmethod
    def of(cls, runs: list[Found]) -> Tally:
        """Add up."""
        sums = np.array(runs).sum(axis=0).tolist()
        return cls(
            *sums, float(np.mean([run.false / max(run.found, 1) for run in runs])), len(runs)
        )

    @property
    def power(self) -> float:
        """Planted gaps that are found."""
        return self.gaps_found / self.gaps if self.gaps else np.nan


def planted_table(seed: int, n_gaps: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts, and the true index of each cell. Each gap has rows and columns of its own."""
    rng = np.random.default_rng(seed)
    rows, cols = rng.gamma(6, size=12), rng.gamma(6, size=10)
    # The cells that make up for a gap have as much as it or more, and where there are several gaps they are alike.
    row_at, col_at = rng.permutation(12), rng.permutation(10)
    for k in range(n_gaps):
        for shares, at in ((rows, row_at), (cols, col_at)):
            shares[at[2 * k]] = 6.0
            shares[at[2 * k + 1]] = 6.0 + 3.0 * rng.random()
    rows, cols = rows / rows.sum(), cols / cols.sum()
    expected = np.outer(rows, cols)
    expected *= EXPECTED / expected[row_at[0], col_at[0]]
    mean = expected.copy()
    for k in range(n_gaps):
        (i, other), (j, beside) = row_at[2 * k : 2 * k + 2], col_at[2 * k : 2 * k + 2]
        lack = (1 - INDEX) * expected[i, j]
        mean[[i, other], [j, beside]] -= lack
        mean[[i, other], [beside, j]] += lack
    counts = rng.multinomial(round(mean.sum()), (mean / mean.sum()).ravel()).reshape(mean.shape)
    return counts, mean / expected


def table_run(seed: int, n_gaps: int) -> Found:
    """One table of 12 by 10 cells."""
    counts, index = planted_table(seed, n_gaps)
    rows, cols = (np.repeat(at.ravel(), counts.ravel()) for at in np.indices(counts.shape))
    names = [np.array([f"{letter}{k:02}" for k in range(12)], dtype=object) for letter in "rc"]
    records = {"row": names[0][rows], "col": names[1][cols]}
    truth = {(names[0][i], names[1][j]): index[i, j] for i, j in np.ndindex(index.shape)}
    return Found.of(ilk.gap_matrix(records, rows="row", cols="col"), truth)


class MarketTable(NamedTuple):
    """How a market is made a table."""

    name: str
    planted: tuple[str, str, str | None]  # household, daypart, department
    n_customers: int

    def expected(self, factor: float) -> NDArray[np.float64]:
        """Orders or lines that the model expects of one contacted household, by household and context."""
        gaps = () if factor == 1 else (Gap(*self.planted[:2], factor, self.planted[2]),)
        model = _market.Model.of(_market.SEGMENTS[:4], gaps)
        sold = _market.segment_truth(model)["sold_share"]
        weight = model.size * sold * model.each("orders_per_year")
        households = (weight[:, None] * model.each("household")).T
        lines = model.each("lines_per_order")
        if self.planted[2] is None:
            # An order without lines does not exist.
            some = 1 - np.exp(-lines[:, None, None] * model.demand.sum(axis=2))
            return np.einsum("hs,hd,shd->hd", households, model.order_demand, some)
        of = np.array([row[0] for row in _market.CATALOGUE])
        by = np.stack(
            [model.demand[:, :, of == name].sum(axis=2) for name in _market.DEPARTMENTS], axis=2
        )
        table = np.einsum("hs,s,hd,hdk->hdk", households, lines, model.order_demand, by)
        return table.reshape(len(table), -1)

    def contexts(self) -> list[str]:
        """Names of the columns."""
        if self.planted[2] is None:
            return list(_market.DAYPARTS)
        return [f"{part}, {name}" for part in _market.DAYPARTS for name in _market.DEPARTMENTS]

    def cell(self) -> tuple[int, int]:
        """Where the gap is."""
        household, daypart, department = self.planted
        context = daypart if department is None else f"{daypart}, {department}"
        return _market.HOUSEHOLDS.index(household), self.contexts().index(context)

    def true_index(self, factor: float) -> NDArray[np.float64]:
        """What the model expects of each cell over what the model's totals explain of it."""
        table = self.expected(factor)
        return table / explained(table)

    def factor(self) -> float:
        """The factor that makes the true index of the planted cell what it should be."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if self.true_index(middle)[self.cell()] < INDEX else (low, middle)
            )
        return (low + high) / 2

    def run(self, seed: int, factor: float) -> Found:
        """One market."""
        gaps = () if factor == 1 else (Gap(*self.planted[:2], factor, self.planted[2]),)
        orders = make_market(self.n_customers, seed, gaps=gaps, as_frame="dict").orders
        if self.planted[2] is None:
            kept = orders["line"] == 1
            context = orders["daypart"][kept]
        else:
            kept = np.full(len(orders["line"]), True)
            context = orders["daypart"] + ", " + orders["department"]
        records = {
            "household": orders["household"][kept],
            "context": context,
            "customer_id": orders["customer_id"][kept],
        }
        found = ilk.gap_matrix(records, rows="household", cols="context", customer="customer_id")
        index = self.true_index(factor)
        names = self.contexts()
        truth = {(_market.HOUSEHOLDS[i], names[j]): index[i, j] for i, j in np.ndindex(index.shape)}
        return Found.of(found, truth)


def explained(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the totals explain of each cell."""
    return np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()


def sized(name: str, planted: tuple[str, str, str | None]) -> MarketTable:
    """A market of the size at which 200 records are expected in the planted cell."""
    market = MarketTable(name, planted, 0)
    per_household = explained(market.expected(market.factor()))[market.cell()]
    return market._replace(n_customers=round(EXPECTED / per_household))


ORDERS = sized("orders by household and daypart", ("family", "lunch", None))
LINES = sized("lines by household and daypart with department", ("family", "dinner", "ready meals"))


def studies() -> dict[str, tuple[Callable[[int], Found], bool]]:
    """What is run for every seed, by name, and whether there are gaps to find."""
    found: dict[str, tuple[Callable[[int], Found], bool]] = {
        "12 by 10 cells, no gap": (lambda seed: table_run(seed, 0), False),
        "12 by 10 cells, one gap": (lambda seed: table_run(seed, 1), True),
        "12 by 10 cells, three gaps": (lambda seed: table_run(seed, 3), True),
    }
    for market in (ORDERS, LINES):
        found[f"{market.name}, no gap"] = (_run_of(market, 1.0), False)
        found[f"{market.name}, one gap"] = (_run_of(market, market.factor()), True)
    return found


def _run_of(market: MarketTable, factor: float) -> Callable[[int], Found]:
    return lambda seed: market.run(seed, factor)


def tally(run: Callable[[int], Found], seeds: range) -> Tally:
    """Run for every seed and add up."""
    return Tally.of([run(seed) for seed in seeds])


def main() -> None:
    """Run, print, and fail where too much is false or too little is found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=400)
    options = parser.parse_args()
    wrong: list[Any] = []
    for market in (ORDERS, LINES):
        print(
            f"{market.name}: {market.n_customers} households contacted, factor {market.factor():.3f}"
        )
    for name, (run, planted) in studies().items():
        found = tally(run, range(options.seeds))
        line = f"{name:<56} false discovery rate {100 * found.rate:3.1f} %"
        if planted:
            line += f"   power {100 * found.power:5.1f} % of {found.gaps}"
            line += f"   false of all {100 * found.false / found.found:3.1f} % of {found.found}"
        print(line, flush=True)
        if found.rate > MOST_FALSE or (planted and found.power < LEAST_POWER):
            wrong.append(name)
    if wrong:
        sys.exit(f"not as promised: {'; '.join(wrong)}")


if __name__ == "__main__":
    main()
