"""Gower's dissimilarity and k-medoids against scipy, gower and kmedoids, interleaved in one process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import gower
import kmedoids
import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

import ilk
from ilk.cluster import KMedoids

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

N = 5_000
K = 6


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _row(name: str, peer: str, ours: float, theirs: float, equal: bool | str) -> dict[str, Any]:
    return {
        "name": name,
        "peer": peer,
        "ilk_seconds": ours,
        "peer_seconds": theirs,
        "ratio": theirs / ours,
        "equal": equal,
    }


def customers(n: int = N) -> pd.DataFrame:
    """Six numbers and six columns of four to nine categories, in overlapping groups."""
    rng = np.random.default_rng(20240611)
    group = rng.integers(K + 2, size=n)
    columns: dict[str, Any] = {f"n{j}": group * (j % 3) + rng.normal(size=n) for j in range(6)}
    for j in range(6):
        noise = rng.integers(4 + j, size=n)
        columns[f"c{j}"] = np.where(rng.random(n) < 0.5, (group + j) % (4 + j), noise).astype(str)
    return pd.DataFrame(columns)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as Python objects, the only text that the package gower knows."""
    return frame.astype({name: object for name in frame.select_dtypes(exclude="number")})


def encoded(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Numbers over their range and halved indicators: city-block distances over 12 are Gower's."""
    numbers = frame.select_dtypes("number")
    numbers = (numbers - numbers.min()) / (numbers.max() - numbers.min())
    flags = pd.get_dummies(frame.select_dtypes(exclude="number")) * 0.5
    return np.ascontiguousarray(pd.concat([numbers, flags], axis=1), dtype=np.float64)


def distances(repeats: int = 5) -> list[dict[str, Any]]:
    """The matrix of a mixed frame, alone and with the clusters made from it.

    The peers' encodings are part of their times, as ours is. The package gower takes long and runs once.
    """
    frame = customers()
    ours, theirs, ends = [], [], []
    for _ in range(repeats):
        seconds, found = _time(lambda: ilk.gower_distances(frame))
        ours.append(seconds)
        seconds, peer = _time(lambda: cdist(rows := encoded(frame), rows, "cityblock") / 12)
        theirs.append(seconds)
        ends.append(_time(lambda: KMedoids(K, progress=False).fit(frame)))
    equal = bool(np.allclose(found, peer, atol=1e-12))
    seconds, package = _time(lambda: gower.gower_matrix(plain(frame)))
    near = bool(np.allclose(package, found, atol=1e-5))
    more, peer = _time(lambda: kmedoids.fasterpam(package, K, init="build", n_cpu=1))
    end, model = min(ends, key=lambda pair: pair[0])
    lower = bool(model.inertia_ <= float(peer.loss) * (1 + 1e-5))
    name = f"Gower {N:,} x 12 mixed"
    return [
        _row(name, "scipy cdist, encoded", min(ours), min(theirs), equal),
        _row(name, "gower", min(ours), seconds, near),
        _row(f"{name} and medoids, k={K}", "gower + kmedoids", end, seconds + more, lower),
    ]


def medoids(dtype: Any, repeats: int = 7) -> dict[str, Any]:
    """The same distances and start; the peer on one thread or two, whichever is faster."""
    matrix = ilk.gower_distances(customers(), dtype=dtype)
    start = np.arange(0, N, N // K)[:K]
    ours, theirs = [], []
    for _ in range(repeats):
        fit = KMedoids(K, metric="precomputed", init=start, progress=False)
        ours.append(_time(lambda fit=fit: fit.fit(matrix)))
        for threads in (1, 2):
            peer = lambda n=threads: kmedoids.fasterpam(matrix, start.astype(np.uint64), n_cpu=n)  # noqa: E731
            theirs.append(_time(peer))
    best = min(theirs, key=lambda pair: pair[0])
    lowest = min(float(peer.loss) for _, peer in theirs)
    equal = bool(ours[-1][1].inertia_ <= lowest * (1 + 1e-5))
    name = f"medoids {N:,}, k={K}, {np.dtype(dtype).name}, same distances and start"
    return _row(name, "kmedoids", min(seconds for seconds, _ in ours), best[0], equal)


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [medoids(np.float64), medoids(np.float32), *distances()]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
