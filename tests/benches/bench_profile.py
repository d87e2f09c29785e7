"""Profile of a million customers against what pandas and scipy need for less.

pandas groups 80 numbers and 20 categories by 8 segments for means, variances and counts; scipy ranks each number for the
area under the curve of each segment. ilk does that, with intervals, v-tests, their adjustment and effects.
"""

from __future__ import annotations

import os

THREADS = "2"
os.environ.setdefault("ILK_NUM_THREADS", THREADS)

import time  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import stats  # noqa: E402

from ilk.profile import profile  # noqa: E402

N_ROWS = 1_000_000
N_NUMBERS, N_CATEGORIES, N_SEGMENTS = 80, 20, 8
REPEATS = 3


def customers() -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with and without ties and long tails, and categories of 2 to 21 levels."""
    rng = np.random.default_rng(11)
    segment = rng.integers(0, N_SEGMENTS, N_ROWS)
    columns: dict[str, Any] = {}
    for at in range(N_NUMBERS):
        kind = at % 4
        if kind == 0:
            values = rng.normal(0, 1, N_ROWS) + 0.1 * (segment == at % N_SEGMENTS)
        elif kind == 1:
            values = np.round(rng.gamma(2, 20, N_ROWS), 2)
        elif kind == 2:
            values = rng.poisson(6, N_ROWS).astype(np.float64)
        else:
            values = np.exp(rng.normal(3, 1, N_ROWS))
        columns[f"number {at}"] = values
    for at in range(N_CATEGORIES):
        levels = [f"level {level}" for level in range(2 + at)]
        codes = rng.integers(0, len(levels), N_ROWS)
        columns[f"category {at}"] = pd.Categorical.from_codes(codes, levels)
    return pd.DataFrame(columns), segment


def by_pandas(frame: pd.DataFrame, segment: np.ndarray) -> dict[tuple[str, int], float]:
    """Means, variances and counts by segment, and the areas under the curve from ranks."""
    numbers = [name for name in frame if name.startswith("number")]
    frame[numbers].groupby(segment).agg(["mean", "var", "count"])
    for name in frame.columns.difference(numbers):
        pd.crosstab(frame[name], segment)
    areas = {}
    sizes = np.bincount(segment)
    for name in numbers:
        ranks = np.bincount(segment, weights=stats.rankdata(frame[name]))
        u = ranks - sizes * (sizes + 1) / 2
        for at, area in enumerate(u / (sizes * (N_ROWS - sizes))):
            areas[name, at] = float(area)
    return areas


def run() -> list[dict[str, Any]]:
    """Compare ilk with pandas and scipy, run about."""
    frame, segment = customers()
    ours, theirs = [], []
    found: Any = None
    areas: dict[tuple[str, int], float] = {}
    for repeat in range(REPEATS):
        start = time.perf_counter()
        found = profile(segment, frame, progress=False).to_dict()
        ours.append(time.perf_counter() - start)
        if repeat < 1:
            start = time.perf_counter()
            areas = by_pandas(frame, segment)
            theirs.append(time.perf_counter() - start)
    far = max(
        abs(found["auc"][row] - areas[name, int(found["segment"][row])])
        for row, name in enumerate(found["feature"])
        if found["measure"][row] == "mean"
    )
    if far > 1e-12:
        raise AssertionError(f"areas differ by {far}")
    return [
        {
            "name": "profile, 1,000,000 customers x 100 columns x 8 segments",
            "peer": "pandas groupby and scipy ranks (no intervals, no tests)",
            "ilk_seconds": min(ours),
            "peer_seconds": min(theirs),
            "ratio": min(theirs) / min(ours),
            "equal": f"areas to {far:.0e}",
        }
    ]


if __name__ == "__main__":
    for result in run():
        print(result)
