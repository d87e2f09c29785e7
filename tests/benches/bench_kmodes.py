"""k-modes and k-prototypes against kmodes, from the same starts, interleaved in one process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ilk.cluster import KModes, KPrototypes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


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


def answers(n: int, m: int, groups: int, categories: int = 8) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give rows of category codes in overlapping groups, and the groups."""
    rng = np.random.default_rng(20240611)
    group = rng.integers(groups, size=n)
    noise = rng.integers(categories, size=(n, m))
    typical = (group[:, None] + np.arange(m)) % categories
    return np.where(rng.random((n, m)) < 0.5, typical, noise), group


def k_modes(n: int = 100_000, m: int = 12, k: int = 5) -> list[dict[str, Any]]:
    """Whole fits of text from the same start, and iterations alone.

    The peer takes seconds, so that once is enough. Its iterations move one row after the other, ours all rows at once.
    """
    from kmodes.kmodes import KModes as Peer

    codes, _ = answers(n, m, k + 2)
    words = np.array(["north", "south", "east", "west", "up", "down", "in", "out"])
    frame = pd.DataFrame(words[codes], columns=[f"c{j}" for j in range(m)])
    rows = frame.to_numpy(object)
    start = frame.iloc[:k]
    # The peer numbers the categories in alphabetical order.
    first = np.argsort(np.argsort(words))[codes[:k]]

    def fit(max_iter: int = 100) -> KModes:
        return KModes(k, init=start, max_iter=max_iter).fit(frame)

    def fit_peer(max_iter: int = 100) -> Any:
        return Peer(k, init=first.copy(), n_init=1, max_iter=max_iter).fit(rows)

    whole, iterations = [], []
    for _ in range(5):
        long, model = _time(fit)
        short, _model = _time(lambda: fit(1))
        whole.append(long)
        iterations.append((long - short) / max(model.n_iter_ - 1, 1))
    long, peer = _time(fit_peer)
    short, _peer = _time(lambda: fit_peer(0))
    theirs = (long - short) / max(peer.n_iter_, 1)
    name = f"k-modes {n:,} x {m}, k={k}"
    equal = bool(model.cost_ <= peer.cost_)
    return [
        _row(f"{name}, a whole fit of text from the same start", "kmodes", min(whole), long, equal),
        _row(f"{name}, per iteration", "kmodes", min(iterations), theirs, equal),
    ]


def k_prototypes(n: int = 100_000, n_peer: int = 2_000, k: int = 6) -> dict[str, Any]:
    """Time per iteration; the peer on fewer rows, its time per row times the number of rows.

    The peer's iterations take time proportional to the rows (it visits one row after the other), and the start is part
    of neither time: each is the difference of a long and a short fit from the same start.
    """
    from kmodes.kprototypes import KPrototypes as Peer

    codes, group = answers(n, 6, k + 2)
    rng = np.random.default_rng(20240612)
    columns: dict[str, Any] = {f"n{j}": group * (j % 3) + rng.normal(size=n) for j in range(6)}
    columns |= {f"c{j}": codes[:, j].astype(str) for j in range(6)}
    frame = pd.DataFrame(columns)
    categorical = [f"c{j}" for j in range(6)]
    start = frame.iloc[:k]
    sample = np.column_stack([frame.iloc[:n_peer, :6].to_numpy(float), codes[:n_peer]])

    def fit(rows: pd.DataFrame, max_iter: int) -> KPrototypes:
        return KPrototypes(k, init=start, max_iter=max_iter, gamma=1.0).fit(rows)

    def fit_peer(max_iter: int) -> Any:
        init = [start.drop(columns=categorical).to_numpy(float).copy(), codes[:k].copy()]
        model = Peer(k, init=init, n_init=1, max_iter=max_iter, gamma=1.0, n_jobs=1)
        return model.fit(sample, categorical=list(range(6, 12)))

    ours, theirs = [], []
    for _ in range(3):
        short, _model = _time(lambda: fit(frame, 1))
        long, model = _time(lambda: fit(frame, 101))
        ours.append((long - short) / max(model.n_iter_ - 1, 1))
        short, _model = _time(lambda: fit_peer(1))
        long, peer = _time(lambda: fit_peer(3))
        theirs.append((long - short) / max(peer.n_iter_ - 1, 1) * (n / n_peer))
    equal = bool(fit(frame.head(n_peer), 100).cost_ <= fit_peer(100).cost_ * 1.0001)
    name = f"k-prototypes {n:,} x (6 + 6), k={k}, per iteration"
    return _row(name, f"kmodes, on {n_peer:,} rows", min(ours), min(theirs), equal)


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [k_prototypes(), *k_modes()]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 7) if isinstance(v, float) else v for key, v in pair.items()})
