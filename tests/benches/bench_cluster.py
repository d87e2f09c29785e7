"""k-means against scikit-learn from the same starts, interleaved in one process."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.exceptions import ConvergenceWarning

from ilk.cluster import KMeans

if TYPE_CHECKING:
    from collections.abc import Callable

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


def k_means(
    n: int, d: int, k: int, dtype: Any, n_init: int = 1, repeats: int = REPEATS
) -> dict[str, Any]:
    """Fifty iterations from the same start, or the best of ten starts of each one's own."""
    data = customers(n, d, k + 4, dtype)
    start = data[:: n // k][:k].copy()
    if n_init == 1:
        same: dict[str, Any] = {"init": start, "n_init": 1, "max_iter": 50, "tol": 0.0}
    else:
        same = {"init": "k-means++", "n_init": n_init, "random_state": 0}
    ours, theirs = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(repeats):
            ours.append(_time(lambda: KMeans(k, **same).fit(data)))
            theirs += [
                _time(lambda a=a: SklearnKMeans(k, algorithm=a, **same).fit(data))
                for a in ("lloyd", "elkan")
            ]
    found, peer = ours[-1][1], min(theirs, key=lambda pair: pair[0])[1]
    tolerance = 1e-4 if dtype == np.float32 else 1e-8
    if n_init == 1:
        equal = bool(abs(found.inertia_ / peer.inertia_ - 1) < tolerance)
    else:
        equal = bool(found.inertia_ <= peer.inertia_ * 1.001)
    name = f"k-means {n:,} x {d} {np.dtype(dtype).name}, k={k}"
    name += ", 50 iterations" if n_init == 1 else f", n_init={n_init}"
    best = min(seconds for seconds, _ in ours), min(seconds for seconds, _ in theirs)
    return _row(name, f"scikit-learn ({peer.algorithm})", *best, equal)


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [
        k_means(1_000_000, 16, 8, np.float64),
        k_means(1_000_000, 16, 8, np.float32),
        k_means(100_000, 64, 32, np.float64),
        k_means(10_000, 10, 5, np.float64, n_init=10, repeats=15),
    ]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
