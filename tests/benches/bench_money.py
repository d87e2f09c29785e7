"""Cohorts and concentration against the same figures by polars and numpy, interleaved in one process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ilk.economics import cohorts, concentration

if TYPE_CHECKING:
    from collections.abc import Callable


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _pair(
    name: str, peer: str, ours: list[float], theirs: list[float], equal: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "peer": peer,
        "ilk_seconds": min(ours),
        "peer_seconds": min(theirs),
        "ratio": min(theirs) / min(ours),
        "equal": equal,
    }


def triangle(n: int, customers: int, repeats: int = 3) -> dict[str, Any]:
    """Customers active and money by month of the first order and month, over two and a half years; equal to the cent."""
    rng = np.random.default_rng(20240611)
    orders = pl.DataFrame(
        {
            "customer": rng.integers(0, customers, n),
            "day": np.datetime64("2022-01-01") + rng.integers(0, 911, n).astype("timedelta64[D]"),
            "value": np.round(rng.gamma(2, 20, n), 2),
        }
    )

    def peer() -> pl.DataFrame:
        dated = orders.with_columns(pl.col("day").dt.truncate("1mo").alias("month"))
        first = dated.group_by("customer").agg(pl.col("month").min().alias("cohort"))
        return (
            dated.join(first, on="customer")
            .group_by("cohort", "month")
            .agg(pl.col("customer").n_unique(), pl.col("value").sum())
            .sort("cohort", "month")
        )

    ours, theirs = [], []
    for _ in range(repeats):
        seconds, found = _time(
            lambda: cohorts(orders, customer="customer", date="day", value="value")
        )
        ours.append(seconds)
        seconds, expected = _time(peer)
        theirs.append(seconds)
    table = found.to_polars()
    table = table.filter(pl.col("mature"), pl.col("n_active") > 0)
    expected = expected.filter(pl.col("month") < pl.col("month").max())
    equal = len(table) == len(expected) and bool(
        (table["n_active"] == expected["customer"]).all()
        and ((table["revenue"] - expected["value"]).abs() < 0.005).all()
    )
    name = f"cohorts, {n:,} orders of {customers:,} customers, 30 months"
    return _pair(name, "polars", ours, theirs, equal)


def gini(n: int, n_boot: int, repeats: int = 3) -> dict[str, Any]:
    """Gini with a bootstrap interval; equal is the estimate, and the interval's width within a quarter: replicates differ."""
    values = np.random.default_rng(20240611).lognormal(3, 1, n)

    def peer() -> tuple[float, float]:
        rng = np.random.default_rng(1)

        def figure(drawn: np.ndarray) -> float:
            ordered = np.sort(drawn)
            rank = np.arange(1, n + 1)
            return float(2 * (rank * ordered).sum() / (n * ordered.sum()) - (n + 1) / n)

        drawn = [figure(values[rng.integers(0, n, n)]) for _ in range(n_boot)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        return figure(values), high - low

    ours, theirs = [], []
    for _ in range(repeats):
        seconds, found = _time(lambda: concentration(values, n_boot=n_boot, random_state=1))
        ours.append(seconds)
        seconds, expected = _time(peer)
        theirs.append(seconds)
    table = found.to_dict()
    width = table["gini_hi"][0] - table["gini_lo"][0]
    equal = abs(table["gini"][0] - expected[0]) < 1e-9 and abs(width / expected[1] - 1) < 0.25
    return _pair(
        f"Gini of {n:,} customers, {n_boot} replicates", "numpy", ours, theirs, bool(equal)
    )


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [triangle(5_000_000, 250_000), gini(100_000, 400)]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
