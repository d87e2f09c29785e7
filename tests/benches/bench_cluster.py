"""k-means against scikit-learn, with and without Intel's extension.

All start from the same centres and take turns in one process; the faster of the peers counts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.exceptions import ConvergenceWarning

from ilk.cluster import KMeans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

REPEATS = 5


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _row(name: str, peer: str, ours: float, theirs: float, equal: bool) -> dict[str, Any]:
    return {
        "name": name,
        "peer": peer,
        "ilk_seconds": ours,
        "peer_seconds": theirs,
        "ratio": theirs / ours,
        "equal": equal,
    }


def customers(n: int, d: int, groups: int, dtype: Any = np.float64) -> NDArray[Any]:
    """Rows in overlapping groups, so that the iterations do not settle."""
    rng = np.random.default_rng(20240611)
    centres = rng.normal(scale=0.5, size=(groups, d))
    rows = centres[rng.integers(groups, size=n)] + rng.normal(size=(n, d))
    return rows.astype(dtype)


def peers(k: int, same: dict[str, Any], intel: bool = True) -> dict[str, Any]:
    """Give the peers by name: scikit-learn's algorithms, and Intel's extension where it is installed."""
    found = {
        f"scikit-learn ({a})": SklearnKMeans(k, algorithm=a, **same) for a in ("lloyd", "elkan")
    }
    if not intel:
        return found
    try:
        from sklearnex.cluster import KMeans as IntelKMeans
    except ImportError:
        return found
    return found | {"scikit-learn-intelex": IntelKMeans(k, **same)}


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep the cores busy with other work."""
    command = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(command) for _ in range(processes)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def k_means(
    n: int,
    d: int,
    k: int,
    dtype: Any,
    n_init: int = 1,
    repeats: int = REPEATS,
    others: int = 0,
    intel: bool = True,
) -> dict[str, Any]:
    """Fifty iterations from the same start, or the best of ten starts of each one's own.

    Where other work keeps the cores busy, the median counts, not the luckiest run.
    """
    data = customers(n, d, k + 4, dtype)
    start = data[:: n // k][:k].copy()
    if n_init == 1:
        same: dict[str, Any] = {"init": start, "n_init": 1, "max_iter": 50, "tol": 0.0}
    else:
        same = {"init": "k-means++", "n_init": n_init, "random_state": 0}
    contenders = {"ilk": KMeans(k, **same)} | peers(k, same, intel)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    with warnings.catch_warnings(), busy(others):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(repeats):
            for name, estimator in contenders.items():
                times[name].append(_time(lambda e=estimator: e.fit(data))[0])
    shortest = statistics.median if others else min
    spent = {name: shortest(found) for name, found in times.items()}
    ours = spent.pop("ilk")
    best = min(spent, key=lambda name: spent[name])
    found, peer = contenders["ilk"].inertia_, contenders[best].inertia_
    tolerance = 1e-4 if dtype == np.float32 else 1e-8
    if n_init == 1:
        equal = bool(abs(found / peer - 1) < tolerance)
    else:
        equal = bool(found <= peer * 1.001)
    name = f"k-means {n:,} x {d} {np.dtype(dtype).name}, k={k}"
    name += ", 50 iterations" if n_init == 1 else f", n_init={n_init}"
    if others:
        name += f", {others} cores busy with other work (medians)"
    return _row(name, best, ours, spent[best], equal)


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [
        k_means(1_000_000, 16, 8, np.float64),
        k_means(1_000_000, 16, 8, np.float32),
        k_means(100_000, 64, 32, np.float64),
        k_means(10_000, 10, 5, np.float64, n_init=10, repeats=15),
        k_means(10_000, 10, 5, np.float64, n_init=10, repeats=9, others=2),
        k_means(10_000, 10, 5, np.float64, n_init=10, repeats=9, others=2, intel=False),
    ]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
