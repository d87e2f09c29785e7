"""The gap matrix against polars' group_by on the same records, a large one with its map against NumPy, and its bootstrap.

All are interleaved in one process.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

import ilk

if TYPE_CHECKING:
    from collections.abc import Callable

N_ROWS = 5_000_000
REPEATS = 15


def market(n_rows: int = N_ROWS) -> pl.DataFrame:
    """Purchases: households by department and by time of day, with money.

    Names of kinds and times of day have at most 12 bytes, which views of Arrow hold themselves; most others have more.
    """
    rng = np.random.default_rng(20240611)
    households = ["1 Adult Kids", "1 Adult No Kids", "2 Adults Kids", "2 Adults No Kids", "Unknown"]
    meals = ["breakfast", "lunch", "dinner", "other"]
    departments = [f"department {k:02d}" for k in range(24)]
    kinds = [f"household {k:02d}" for k in range(12)]
    dayparts = [f"daypart {k:02d}" for k in range(10)]
    text = pl.DataFrame(
        {
            "household": np.array(households)[rng.integers(5, size=n_rows)],
            "meal": np.array(meals)[rng.integers(4, size=n_rows)],
            "department": np.array(departments)[rng.integers(24, size=n_rows)],
            "kind": np.array(kinds)[rng.integers(12, size=n_rows)],
            "daypart": np.array(dayparts)[rng.integers(10, size=n_rows)],
            "money": rng.lognormal(1.0, 0.8, size=n_rows),
        }
    )
    return text.with_columns(
        pl.col("household").cast(pl.Enum(households)).alias("household_code"),
        pl.col("department").cast(pl.Categorical).alias("department_code"),
        pl.col("kind").cast(pl.Categorical).alias("kind_code"),
        pl.col("daypart").cast(pl.Categorical).alias("daypart_code"),
        pl.Series("household_number", rng.integers(5, size=n_rows)),
        pl.Series("department_number", rng.integers(24, size=n_rows)),
    )


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _equal(gaps: ilk.GapMatrix, grouped: pl.DataFrame, rows: str, cols: str) -> bool:
    """Whether every cell holds the same count and the same sum, to rounding."""
    keys = [pl.col(rows).cast(pl.String), pl.col(cols).cast(pl.String)]
    ours = gaps.to_polars().sort(rows, cols)
    theirs = grouped.with_columns(keys).sort(rows, cols)
    return bool(
        len(ours) == len(theirs)
        and (ours["n"] == theirs["len"].cast(pl.Int64)).all()
        and np.allclose(ours["observed"], theirs["total"].cast(pl.Float64), rtol=1e-10)
    )


def run(n_rows: int = N_ROWS, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Time every case; the ratio is polars' best time over ilk's."""
    frame = market(n_rows)
    results = []
    for kind, rows, cols in (
        ("text", "household", "department"),
        ("text of at most 12 bytes", "kind", "daypart"),
        ("categories", "household_code", "department_code"),
        ("categories, 12 x 10", "kind_code", "daypart_code"),
        ("integers", "household_number", "department_number"),
    ):
        for values in (None, "money"):
            names = [rows, cols] if values is None else [rows, cols, values]
            total = (
                pl.len().alias("total") if values is None else pl.col(values).sum().alias("total")
            )
            part = frame.select(names)

            def ours(part=part, rows=rows, cols=cols, values=values):  # type: ignore[no-untyped-def]
                return ilk.gap_matrix(part, rows=rows, cols=cols, values=values)

            def theirs(part=part, rows=rows, cols=cols, total=total):  # type: ignore[no-untyped-def]
                return part.group_by([rows, cols]).agg(pl.len(), total)

            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(repeats):
                for spent, work in zip(times, (ours, theirs), strict=True):
                    spent.append(_time(work)[0])
            equal = _equal(ours(), theirs(), rows, cols)
            best = (min(times[0]), min(times[1]))
            results.append(
                {
                    "name": f"gap_matrix, {n_rows:,} rows, {'sums' if values else 'counts'}, {kind}",
                    "peer": "polars group_by",
                    "ilk_seconds": best[0],
                    "peer_seconds": best[1],
                    "ratio": best[1] / best[0],
                    "equal": equal,
                }
            )
    return [*results, run_large(), *run_bootstrap()]


def _numpy_map(
    rows: np.ndarray[Any, Any], cols: np.ndarray[Any, Any], side: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Adjusted residuals and inertias, as one writes them down."""
    table = np.bincount(rows * side + cols, minlength=side * side).reshape(side, side)
    total = table.sum()
    row, col = table.sum(1, keepdims=True) / total, table.sum(0, keepdims=True) / total
    expected = total * row * col
    residual = (table - expected) / np.sqrt(expected * (1 - row) * (1 - col))
    standard = (table - expected) / np.sqrt(total * expected)
    return residual, np.linalg.svd(standard)[1] ** 2


def run_large(side: int = 1000, n_rows: int = N_ROWS, repeats: int = 3) -> dict[str, Any]:
    """A table of 1,000 x 1,000 cells with its residuals and its map."""
    rng = np.random.default_rng(20240612)
    rows = rng.integers(side, size=n_rows)
    cols = (rows + rng.integers(side, size=n_rows) * rng.integers(2, size=n_rows)) % side
    frame = pl.DataFrame({"a": rows, "b": cols})

    def ours() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        gaps = ilk.gap_matrix(frame, rows="a", cols="b")
        residual = gaps.to_polars().get_column("residual").to_numpy().reshape(side, side)
        return residual, gaps.map().inertias["inertia"].to_numpy()

    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for spent, work in zip(times, (ours, lambda: _numpy_map(rows, cols, side)), strict=True):
            spent.append(_time(work)[0])
    found, expected = ours(), _numpy_map(rows, cols, side)
    n = len(found[1])
    equal = np.allclose(found[0], expected[0], rtol=1e-8) and np.allclose(
        found[1], expected[1][:n], rtol=1e-8
    )
    best = (min(times[0]), min(times[1]))
    return {
        "name": f"gap_matrix and map, {side:,} x {side:,}, {n_rows:,} rows",
        "peer": "NumPy bincount and svd",
        "ilk_seconds": best[0],
        "peer_seconds": best[1],
        "ratio": best[1] / best[0],
        "equal": bool(equal),
    }


def run_bootstrap(n_rows: int = N_ROWS, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """A thousand bootstrap tables against one pass: a ratio above 1/3 is what they may cost."""
    part = market(n_rows).select("household", "department", "money")
    results = []
    for values in (None, "money"):
        plain = {"rows": "household", "cols": "department", "values": values}
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(repeats):
            for spent, n_boot in zip(times, (1000, 0), strict=True):
                work = partial(
                    ilk.gap_matrix, part, **plain, n_boot=n_boot, random_state=0, progress=False
                )
                spent.append(_time(work)[0])
        drawn = ilk.gap_matrix(part, **plain, n_boot=1000, random_state=0).to_polars()
        linear = ilk.gap_matrix(part, **plain).to_polars()
        best = (min(times[0]), min(times[1]))
        results.append(
            {
                "name": f"1,000 bootstrap tables, {n_rows:,} rows, text, {'sums' if values else 'counts'}",
                "peer": "one pass without",
                "ilk_seconds": best[0],
                "peer_seconds": best[1],
                "ratio": best[1] / best[0],
                "equal": bool(np.allclose(drawn["index_hi"], linear["index_hi"], rtol=3e-3)),
            }
        )
    return results


if __name__ == "__main__":
    for result in run():
        print(
            f"{result['name']:65} ilk {result['ilk_seconds']:.4f} s, {result['peer']} "
            f"{result['peer_seconds']:.4f} s, ratio {result['ratio']:.2f}, equal {result['equal']}"
        )
