"""HDBSCAN against fast_hdbscan and DBSCAN against scikit-learn, on the same rows, interleaved in one process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import DBSCAN as SklearnDBSCAN
from sklearn.metrics import adjusted_rand_score

from ilk.cluster import DBSCAN, HDBSCAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

REPEATS = 3


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _row(name: str, peer: str, ours: float, theirs: float, equal: object) -> dict[str, Any]:
    return {
        "name": name,
        "peer": peer,
        "ilk_seconds": ours,
        "peer_seconds": theirs,
        "ratio": theirs / ours,
        "equal": equal,
    }


def customers(n: int, d: int, groups: int, strays: float) -> NDArray[np.float64]:
    """Groups of different spread, and rows strewn between them."""
    rng = np.random.default_rng(20240611)
    centres = rng.uniform(-10, 10, size=(groups, d))
    spread = rng.uniform(0.4, 1.6, size=groups)
    group = rng.integers(groups, size=n)
    rows = centres[group] + rng.normal(size=(n, d)) * spread[group, None]
    n_strays = int(n * strays)
    rows[:n_strays] = rng.uniform(-12, 12, size=(n_strays, d))
    return rows[rng.permutation(n)]


def hdbscan(n: int, d: int, strays: float, first: bool) -> list[dict[str, Any]]:
    """Fit both; the peer's first call compiles it and is a line of its own.

    The peer breaks ties by the order of the rows, where ilk removes equal edges together: rows that link clusters at
    just the distance at which these part may differ, which the adjusted Rand index shows. The peer does not count a row
    among its own neighbours, so its `min_samples` is one less.
    """
    import fast_hdbscan

    rows = customers(n, d, 12, strays)
    size, neighbours = 50, 11

    def peer() -> Any:
        model = fast_hdbscan.HDBSCAN(min_cluster_size=size, min_samples=neighbours - 1)
        return model.fit(rows)

    def own() -> HDBSCAN:
        return HDBSCAN(size, min_samples=neighbours, progress=False).fit(rows)

    ours, theirs = [], []
    for _ in range(REPEATS + 1):
        ours.append(_time(own))
        theirs.append(_time(peer))
    agreement = adjusted_rand_score(ours[-1][1].labels_, theirs[-1][1].labels_)
    equal = f"ARI {agreement:.4f}" if agreement > 0.99 else False
    name = f"HDBSCAN {n:,} x {d}, {strays:.0%} strays"
    best = min(seconds for seconds, _ in ours), min(seconds for seconds, _ in theirs[1:])
    found = [_row(name, "fast_hdbscan", *best, equal)]
    if first:
        found.append(_row(f"{name}, first call", "fast_hdbscan", ours[0][0], theirs[0][0], equal))
    return found


def dbscan(n: int, d: int, eps: float) -> dict[str, Any]:
    """Fit both with neighbourhoods of some hundred rows."""
    rows = customers(n, d, 12, 0.1)
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(_time(lambda: DBSCAN(eps, min_samples=10, progress=False).fit(rows)))
        theirs.append(_time(lambda: SklearnDBSCAN(eps=eps, min_samples=10, n_jobs=2).fit(rows)))
    found, peer = ours[-1][1], theirs[-1][1]
    core = found.core_sample_indices_
    equal = (
        np.array_equal(core, peer.core_sample_indices_)
        and np.array_equal(found.labels_ < 0, peer.labels_ < 0)
        and adjusted_rand_score(found.labels_[core], peer.labels_[core]) == 1.0
    )
    best = min(seconds for seconds, _ in ours), min(seconds for seconds, _ in theirs)
    return _row(f"DBSCAN {n:,} x {d}, eps={eps}", "scikit-learn", *best, bool(equal))


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [
        *hdbscan(50_000, 8, 0.0, first=True),
        *hdbscan(50_000, 8, 0.1, first=False),
        dbscan(50_000, 8, 1.5),
    ]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
