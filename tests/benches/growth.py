"""Show how k-means grows with the rows: time per iteration and peak memory from 10,000 to 10 million rows.

    python tests/benches/growth.py [docs/growth.png]

Each number of rows is fitted in a process of its own, 16 columns of float64 in 8 overlapping groups, two threads. Fails
where time does not grow in proportion to the rows, or where the peak of memory is above 1.3 times the data.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
COLUMNS, CLUSTERS = 16, 8
FEW, MANY = 3, 23
MOST_MEMORY = 1.3
# Below, the fixed cost of threads and buffers is not small beside the data.
MEMORY_FROM = 1_000_000


def resident(what: str) -> int:
    """Give bytes of this process in memory, now (VmRSS) or at most so far (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"/proc/self/status does not tell {what}")


def measure(n: int) -> dict[str, float]:
    """Fit `n` rows and give seconds per iteration and the peak of memory as a multiple of the data."""
    from ilk.cluster import KMeans

    rng = np.random.default_rng(1)
    middles = rng.normal(scale=0.5, size=(CLUSTERS + 4, COLUMNS))
    start = middles[:CLUSTERS] + 0.1
    # Threads and code are there before the first measurement.
    KMeans(CLUSTERS, init=start, max_iter=2).fit(rng.normal(size=(100_000, COLUMNS)))
    before = resident("VmRSS")
    data = np.empty((n, COLUMNS))
    for first in range(0, n, 10_000):
        part = data[first : first + 10_000]
        part[:] = middles[rng.integers(len(middles), size=len(part))]
        part += rng.normal(size=part.shape)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def seconds(iterations: int) -> float:
        began = time.perf_counter()
        KMeans(CLUSTERS, init=start, max_iter=iterations, tol=0.0, progress=False).fit(data)
        return time.perf_counter() - began

    repeats = 3 if n >= 1_000_000 else 9
    pairs = [(seconds(FEW), seconds(MANY)) for _ in range(repeats)]
    few, many = (min(times) for times in zip(*pairs, strict=True))
    memory = (resident("VmHWM") - before) / data.nbytes
    return {"n": n, "seconds": (many - few) / (MANY - FEW), "memory": memory}


def draw(rows: list[dict[str, float]], target: Path) -> None:
    """Draw both curves."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    n = np.array([row["n"] for row in rows])
    spent = np.array([row["seconds"] for row in rows]) * 1e3
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.loglog(n, spent, "o-", color="black", label="measured")
    left.loglog(n, spent[-1] * n / n[-1], ":", color="grey", label="in proportion to the rows")
    left.set(title="Time per iteration", xlabel="rows", ylabel="milliseconds")
    left.legend(frameon=False)
    kept = n >= MEMORY_FROM
    memory = np.array([row["memory"] for row in rows])
    right.semilogx(n[kept], memory[kept], "o-", color="black", label="measured")
    right.axhline(1.0, linestyle=":", color="grey", label="the data")
    right.axhline(MOST_MEMORY, linestyle="--", color="grey", label=f"{MOST_MEMORY} times the data")
    right.set(title="Peak of memory", xlabel="rows", ylabel="times the data", ylim=(0.9, 1.5))
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"k-means, {COLUMNS} columns of float64, {CLUSTERS} clusters, two threads")
    figure.savefig(target, dpi=120)


def main() -> None:
    """Measure every number of rows, draw, and check."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", nargs="?", type=Path, help="where to draw")
    parser.add_argument("--rows", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rows:
        print(json.dumps(measure(options.rows)))
        return
    environment = os.environ | {"ILK_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    rows: list[dict[str, Any]] = []
    for n in SIZES:
        command = [sys.executable, __file__, "--rows", str(n)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        rows.append(json.loads(done.stdout))
        row = rows[-1]
        print(f"{n:>10,} rows: {row['seconds'] * 1e3:8.3f} ms, {row['memory']:.2f} times the data")
    if options.target:
        draw(rows, options.target)
    # Data in the caches are faster by row than data in memory, so a slope a little above 1 is due.
    large = [row for row in rows if row["n"] >= 100_000]
    slope = np.polyfit(*(np.log([row[key] for row in large]) for key in ("n", "seconds")), 1)[0]
    print(f"time grows as rows to the power {slope:.2f}")
    if not 0.8 < slope < 1.25:
        raise SystemExit("time does not grow in proportion to the rows")
    worst = max(row["memory"] for row in rows if row["n"] >= MEMORY_FROM)
    if worst > MOST_MEMORY:
        raise SystemExit(f"the peak of memory is {worst:.2f} times the data")


if __name__ == "__main__":
    main()
