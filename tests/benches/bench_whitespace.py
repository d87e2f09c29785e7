"""White space of a million purchases against what polars needs for its counts alone.

polars brings the purchases together by account and product and counts buyers and money by segment and product. ilk does
that, and draws every share and mean towards those of all accounts, gives each its interval, and keeps what every account
bought.
"""

from __future__ import annotations

import os

THREADS = "2"
os.environ.setdefault("POLARS_MAX_THREADS", THREADS)
os.environ.setdefault("ILK_NUM_THREADS", THREADS)

import time  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

import ilk  # noqa: E402

N_ROWS = 1_000_000
N_ACCOUNTS = 60_000
N_PRODUCTS = 4_000
N_SEGMENTS = 8
REPEATS = 5


def purchases() -> pl.DataFrame:
    """Purchases of products of very unlike popularity, which differs between segments too."""
    rng = np.random.default_rng(7)
    account = rng.integers(0, N_ACCOUNTS, N_ROWS)
    segment = account % N_SEGMENTS
    place = (N_PRODUCTS * rng.beta(0.6, 3, N_ROWS)).astype(np.int64)
    product = (place + 211 * segment * (rng.random(N_ROWS) < 0.5)) % N_PRODUCTS
    return pl.DataFrame(
        {
            "account": account,
            "product": [f"product {at}" for at in product],
            "segment": [f"segment {at}" for at in segment],
            "money": np.round(rng.gamma(2, 20, N_ROWS), 2),
        }
    )


def by_polars(frame: pl.DataFrame) -> pl.DataFrame:
    """Buyers and money of each segment and product."""
    each = frame.group_by("segment", "account", "product").agg(pl.col("money").sum())
    return each.group_by("segment", "product").agg(pl.len().alias("buyers"), pl.col("money").mean())


def run() -> list[dict[str, Any]]:
    """Time both in turn."""
    frame = purchases()
    ours, theirs = [], []
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = ilk.gaps.whitespace(frame, by="segment", value="money", progress=False)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        counts = by_polars(frame)
        theirs.append(time.perf_counter() - start)
    cells = found.table.filter(pl.col("buyers") > 0).select("segment", "product", "buyers")
    both = cells.join(counts, on=["segment", "product"], suffix="_polars")
    equal = len(both) == len(counts) and bool((both["buyers"] == both["buyers_polars"]).all())
    if not equal:
        raise AssertionError("the numbers of buyers differ")
    start = time.perf_counter()
    listed = found.opportunities(1000, per_account=3)
    print(f"the list of {len(listed):,} opportunities: {time.perf_counter() - start:.3f} s")
    return [
        {
            "name": "white space, 1 million purchases",
            "peer": "polars (counts alone)",
            "ilk_seconds": min(ours),
            "peer_seconds": min(theirs),
            "ratio": min(theirs) / min(ours),
            "equal": "buyers of every cell",
        }
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
