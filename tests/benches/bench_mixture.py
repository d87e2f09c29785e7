"""Gaussian mixtures against scikit-learn, from the same start, interleaved in one process."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnGaussianMixture

from ilk.cluster import GaussianMixture

if TYPE_CHECKING:
    from collections.abc import Callable

N_ITER = 50


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def mixture(
    kind: str, n: int, d: int, k: int, dtype: Any = np.float64, repeats: int = 3
) -> dict[str, Any]:
    """Fifty iterations from the same weights, means and precisions; equal is the lower bound."""
    rng = np.random.default_rng(20240611)
    centres = rng.normal(scale=1.5, size=(k, d))
    shapes = rng.normal(scale=0.6, size=(k, d, d)) + np.eye(d)
    group = rng.integers(k, size=n)
    data = np.empty((n, d))
    for g in range(k):
        members = group == g
        data[members] = centres[g] + rng.normal(size=(int(members.sum()), d)) @ shapes[g]
    data = data.astype(dtype)
    precisions = {
        "full": np.repeat(np.eye(d)[None], k, axis=0),
        "tied": np.eye(d),
        "diag": np.ones((k, d)),
        "spherical": np.ones(k),
    }[kind]
    same: dict[str, Any] = {
        "covariance_type": kind,
        "max_iter": N_ITER,
        "tol": 0.0,
        "weights_init": np.full(k, 1 / k),
        "means_init": data[:: n // k][:k].astype(float),
        "precisions_init": precisions,
    }
    ours, theirs = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(repeats):
            ours.append(_time(lambda: GaussianMixture(k, progress=False, **same).fit(data)))
            theirs.append(_time(lambda: SklearnGaussianMixture(k, **same).fit(data)))
    found, peer = ours[-1][1], theirs[-1][1]
    tolerance = 1e-4 if dtype == np.float32 else 1e-6
    equal = (
        found.n_iter_ == peer.n_iter_ == N_ITER
        and abs(found.lower_bound_ / peer.lower_bound_ - 1) < tolerance
    )
    best = min(seconds for seconds, _ in ours), min(seconds for seconds, _ in theirs)
    return {
        "name": f"Gaussian mixture, {kind}, {n:,} x {d} {np.dtype(dtype).name}, k={k}, {N_ITER} iterations",
        "peer": "scikit-learn",
        "ilk_seconds": best[0],
        "peer_seconds": best[1],
        "ratio": best[1] / best[0],
        "equal": bool(equal),
    }


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [
        mixture("full", 200_000, 10, 6),
        mixture("full", 200_000, 10, 6, np.float32),
        mixture("tied", 200_000, 10, 6),
        mixture("diag", 200_000, 10, 6),
        mixture("spherical", 200_000, 10, 6),
        mixture("full", 20_000, 50, 6),
    ]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
