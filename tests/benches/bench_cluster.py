"""k-means against scikit-learn and k-prototypes against kmodes, from the same starts, interleaved in one process."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.exceptions import ConvergenceWarning

from ilk.cluster import KMeans, KPrototypes

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


def k_prototypes(n: int = 100_000, n_peer: int = 2_000, k: int = 6) -> dict[str, Any]:
    """Time per iteration; the peer on fewer rows, its time per row times the number of rows.

    The peer's iterations take time proportional to the rows (it visits one row after the other), and the start is part
    of neither time: each is the difference of a long and a short fit from the same start.
    """
    from kmodes.kprototypes import KPrototypes as Peer

    rng = np.random.default_rng(20240611)
    group = rng.integers(k + 2, size=n)
    columns: dict[str, Any] = {f"n{j}": group * (j % 3) + rng.normal(size=n) for j in range(6)}
    for j in range(6):
        noise = rng.integers(8, size=n)
        columns[f"c{j}"] = np.where(rng.random(n) < 0.5, (group + j) % 8, noise).astype(str)
    frame = pd.DataFrame(columns)
    categorical = [f"c{j}" for j in range(6)]
    start = frame.iloc[:k]

    def fit(rows: pd.DataFrame, max_iter: int, gamma: Any) -> KPrototypes:
        return KPrototypes(k, init=start, max_iter=max_iter, gamma=gamma).fit(rows)

    def fit_peer(rows: NDArray[Any], max_iter: int) -> Any:
        init = [
            start.drop(columns=categorical).to_numpy(float).copy(),
            np.array(
                [
                    [peer_codes[j][v] for j, v in enumerate(row)]
                    for row in start[categorical].to_numpy()
                ]
            ),
        ]
        model = Peer(k, init=init, n_init=1, max_iter=max_iter, gamma=1.0, n_jobs=1)
        return model.fit(rows, categorical=list(range(6, 12)))

    peer_codes = [{v: i for i, v in enumerate(sorted(frame[c].unique()))} for c in categorical]
    coded = frame.copy()
    for j, column in enumerate(categorical):
        coded[column] = frame[column].map(peer_codes[j])
    sample = coded.head(n_peer).to_numpy(float)
    ours, theirs = [], []
    for _ in range(3):
        short, _model = _time(lambda: fit(frame, 1, 1.0))
        long, model = _time(lambda: fit(frame, 101, 1.0))
        ours.append((long - short) / max(model.n_iter_ - 1, 1))
        short, _model = _time(lambda: fit_peer(sample, 1))
        long, peer = _time(lambda: fit_peer(sample, 3))
        theirs.append((long - short) / max(peer.n_iter_ - 1, 1) * (n / n_peer))
    settled = fit_peer(sample, 100)
    equal = bool(fit(frame.head(n_peer), 100, 1.0).cost_ <= settled.cost_ * 1.0001)
    name = f"k-prototypes {n:,} x (6 + 6), k={k}, per iteration"
    return _row(name, f"kmodes, on {n_peer:,} rows", min(ours), min(theirs), equal)


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [
        k_means(1_000_000, 16, 8, np.float64),
        k_means(1_000_000, 16, 8, np.float32),
        k_means(100_000, 64, 32, np.float64),
        k_means(10_000, 10, 5, np.float64, n_init=10, repeats=15),
        k_prototypes(),
    ]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
