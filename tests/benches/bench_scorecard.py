"""The scorecard of order lines against polars doing the same, interleaved in one process."""

from __future__ import annotations

import os

THREADS = "2"
os.environ.setdefault("POLARS_MAX_THREADS", THREADS)
os.environ.setdefault("ILK_NUM_THREADS", THREADS)

import time  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

import ilk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

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


def run(
    n_lines: int = N_LINES, n_customers: int = N_CUSTOMERS, repeats: int = REPEATS
) -> list[dict[str, Any]]:
    """Time every case; the ratio is polars' best time over ilk's."""
    customers, orders = market(n_lines, n_customers)
    results = []
    for kind, frames in (
        ("integer identifiers", (customers, orders)),
        ("text identifiers", with_text(customers, orders)),
    ):
        ours, theirs = [], []
        for _ in range(repeats):
            seconds, card = _time(lambda frames=frames: by_ilk(*frames))
            ours.append(seconds)
            seconds, grouped = _time(lambda frames=frames: by_polars(*frames))
            theirs.append(seconds)
        results.append(
            {
                "name": f"scorecard, {n_lines:,} lines of {n_customers:,} customers, {kind}",
                "peer": f"polars {pl.__version__}",
                "ilk_seconds": min(ours),
                "peer_seconds": min(theirs),
                "ratio": min(theirs) / min(ours),
                "equal": _equal(card, grouped),
            }
        )
    return results


if __name__ == "__main__":
    for result in run():
        print(
            f"{result['name']}: ilk {result['ilk_seconds']:.3f} s, {result['peer']} "
            f"{result['peer_seconds']:.3f} s, ratio {result['ratio']:.2f}, equal {result['equal']}"
        )
    frames = market()
    seconds, _ = _time(lambda: by_ilk(*frames, n_boot=1000))
    print(f"with 1,000 bootstrap replicates: {seconds:.2f} s")
