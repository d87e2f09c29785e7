"""The scorecard of order lines, alone and with the RFM table, against polars and DuckDB doing the same.

Every case runs in turn in one process; of the peers the faster counts. The last case compares the scorecard with itself:
what 1,000 bootstrap replicates cost beside the point estimate.
"""

from __future__ import annotations

import os

THREADS = "2"
os.environ.setdefault("POLARS_MAX_THREADS", THREADS)
os.environ.setdefault("ILK_NUM_THREADS", THREADS)

import time  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

import duckdb  # noqa: E402
import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

import bench_buying  # noqa: E402
import ilk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

N_LINES = 10_000_000
N_CUSTOMERS = 500_000
REPEATS = 5
SEGMENTS = [
    "Bargain hunters",
    "Families",
    "Gourmets",
    "Loyal",
    "Newcomers",
    "Seniors",
    "Students",
    "Trade",
]


def market(
    n_lines: int = N_LINES, n_customers: int = N_CUSTOMERS
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Customers with segment, spend and churn; order lines with revenue and cost."""
    rng = np.random.default_rng(20240611)
    identifiers = rng.permutation(np.arange(10_000_000, 10_000_000 + 3 * n_customers, 3))
    customers = pl.DataFrame(
        {
            "customer": identifiers,
            "segment": pl.Series(
                np.array(SEGMENTS)[rng.integers(len(SEGMENTS), size=n_customers)]
            ).cast(pl.Enum(SEGMENTS)),
            "spend": rng.exponential(40.0, size=n_customers),
            "manage": rng.exponential(10.0, size=n_customers),
            "churn": rng.random(n_customers) < 0.2,
        }
    )
    revenue = rng.lognormal(3.0, 1.0, size=n_lines)
    orders = pl.DataFrame(
        {
            "customer": identifiers[rng.integers(n_customers, size=n_lines)],
            "date": np.datetime64("2024-01-01") + rng.integers(0, 366, size=n_lines),
            "revenue": revenue,
            "cost": revenue * rng.uniform(0.3, 0.7, size=n_lines),
        }
    )
    return customers, orders


def with_text(customers: pl.DataFrame, orders: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same with identifiers that are text."""
    name = pl.format("C-{}", pl.col("customer")).alias("customer")
    return customers.with_columns(name), orders.with_columns(name)


def by_ilk(customers: pl.DataFrame, orders: pl.DataFrame, n_boot: int = 0) -> ilk.Scorecard:
    """The scorecard."""
    return ilk.segment_scorecard(
        customers,
        segment="segment",
        revenue="revenue",
        cost="cost",
        acquisition_cost="spend",
        management_cost="manage",
        churn="churn",
        orders=orders,
        customer="customer",
        n_boot=n_boot,
        random_state=1,
    )


def by_polars(customers: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """The same figures: lines joined to segments, grouped, and divided."""
    money = (
        orders.lazy()
        .join(customers.lazy().select("customer", "segment"), on="customer", how="inner")
        .group_by("segment")
        .agg(pl.col("revenue").sum(), pl.col("cost").sum())
    )
    people = (
        customers.lazy()
        .group_by("segment")
        .agg(
            pl.len().alias("n"),
            pl.col("spend").sum(),
            pl.col("manage").sum(),
            pl.col("churn").mean(),
        )
    )
    contribution = (pl.col("revenue") - pl.col("cost") - pl.col("manage")) / pl.col("n")
    cac = pl.col("spend") / pl.col("n")
    return (
        people.join(money, on="segment")
        .sort("segment")
        .select(
            pl.col("segment").cast(pl.String),
            pl.col("n").cast(pl.Int64),
            (pl.col("revenue") / pl.col("revenue").sum()).alias("revenue_share"),
            ((pl.col("revenue") - pl.col("cost")) / pl.col("revenue")).alias("gross_margin"),
            cac.alias("cac"),
            (pl.col("manage") / pl.col("n")).alias("cost_to_manage"),
            contribution.alias("contribution"),
            (cac / (contribution / 12)).alias("payback_months"),
            (contribution / pl.col("churn")).alias("ltv"),
            (contribution / pl.col("churn") / cac).alias("ltv_cac"),
        )
        .collect()
    )


def by_duckdb(customers: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """The sums by segment, in SQL."""
    with duckdb.connect(config={"threads": int(THREADS)}) as connection:
        connection.register("customers", customers.to_arrow())
        connection.register("orders", orders.to_arrow())
        return connection.sql(
            """
            WITH money AS (
                SELECT segment, sum(revenue) AS revenue, sum(cost) AS cost
                FROM orders JOIN customers USING (customer) GROUP BY segment
            ), people AS (
                SELECT segment, count(*) AS n, sum(spend) AS spend, sum(manage) AS manage,
                       avg(churn::DOUBLE) AS churn
                FROM customers GROUP BY segment
            )
            SELECT segment::VARCHAR AS segment, n, revenue / sum(revenue) OVER () AS revenue_share,
                   (revenue - cost) / revenue AS gross_margin, spend / n AS cac,
                   manage / n AS cost_to_manage, (revenue - cost - manage) / n AS contribution
            FROM people JOIN money USING (segment) ORDER BY segment
            """
        ).pl()


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _equal(card: ilk.Scorecard, grouped: pl.DataFrame) -> bool:
    """Whether every figure of every segment agrees, to rounding."""
    ours = card.to_polars()
    return ours["segment"].to_list() == grouped["segment"].to_list() and all(
        np.allclose(ours[name], grouped[name], rtol=1e-10) for name in grouped.columns[1:]
    )


def _interleaved(
    works: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, tuple[float, Any]]:
    """The shortest time and the last answer of each, taken in turn."""
    best: dict[str, tuple[float, Any]] = {}
    for _ in range(repeats):
        for name, work in works.items():
            seconds, answer = _time(work)
            best[name] = (min(seconds, best.get(name, (seconds, None))[0]), answer)
    return best


def run(
    n_lines: int = N_LINES, n_customers: int = N_CUSTOMERS, repeats: int = REPEATS
) -> list[dict[str, Any]]:
    """Time every case; the ratio is the best peer's best time over ilk's."""
    customers, orders = market(n_lines, n_customers)
    results = []

    def add(
        name: str, found: dict[str, tuple[float, Any]], equal: Callable[[Any, Any], bool]
    ) -> None:
        mine, card = found.pop("ilk")
        peer = min(found, key=lambda name: found[name][0])
        results.append(
            {
                "name": name,
                "peer": peer,
                "ilk_seconds": mine,
                "peer_seconds": found[peer][0],
                "ratio": found[peer][0] / mine,
                "equal": all(equal(card, answer) for _, answer in found.values()),
            }
        )

    polars, sql = f"polars {pl.__version__}", f"duckdb {duckdb.__version__}"
    for kind, frames in (
        ("integer identifiers", (customers, orders)),
        ("text identifiers", with_text(customers, orders)),
    ):
        size = f"{n_lines:,} lines of {n_customers:,} customers, {kind}"
        works: dict[str, Callable[[], Any]] = {
            "ilk": lambda frames=frames: by_ilk(*frames),
            polars: lambda frames=frames: by_polars(*frames),
            sql: lambda frames=frames: by_duckdb(*frames),
        }
        add(f"scorecard, {size}", _interleaved(works, repeats), _equal)
        lines = frames[1].select("customer", "date", amount="revenue")
        works = {
            "ilk": lambda frames=frames, lines=lines: (
                by_ilk(*frames),
                bench_buying.rfm_by_ilk(lines),
            ),
            polars: lambda frames=frames, lines=lines: (
                by_polars(*frames),
                bench_buying.rfm_by_polars(lines),
            ),
            sql: lambda frames=frames, lines=lines: (
                by_duckdb(*frames),
                bench_buying.rfm_by_duckdb(lines),
            ),
        }
        add(
            f"scorecard and RFM table, {size}",
            _interleaved(works, repeats),
            lambda ours, theirs: (
                _equal(ours[0], theirs[0])
                and bench_buying.same_table(ours[1].sort("customer"), theirs[1])
            ),
        )
    works = {
        "ilk": lambda: by_ilk(customers, orders, n_boot=1000),
        "the point estimate (three times its cost is allowed)": lambda: by_ilk(customers, orders),
    }
    add("scorecard with 1,000 bootstrap replicates", _interleaved(works, repeats), _same_values)
    return results


def _same_values(drawn: ilk.Scorecard, point: ilk.Scorecard) -> bool:
    """Whether the replicates leave the estimates as they are."""
    ours, theirs = drawn.to_polars(), point.to_polars()
    names = [name for name in ours.columns if not name.endswith(("_lo", "_hi", "segment"))]
    return all(np.allclose(ours[n], theirs[n], rtol=1e-10, equal_nan=True) for n in names)


if __name__ == "__main__":
    for result in run():
        print(
            f"{result['name']}: ilk {result['ilk_seconds']:.3f} s, {result['peer']} "
            f"{result['peer_seconds']:.3f} s, ratio {result['ratio']:.2f}, equal {result['equal']}"
        )
