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
    """Whole fits from the same start, of text and of columns that are categories already.

    The peer takes seconds, so that once is enough. It moves one row after the other, ilk all rows at once.
    """
    from kmodes.kmodes import KModes as Peer

    codes, _ = answers(n, m, k + 2)
    words = np.array(["north", "south", "east", "west", "up", "down", "in", "out"])
    names = [f"c{j}" for j in range(m)]
    text = pd.DataFrame(words[codes], columns=names)
    # The peer numbers text in alphabetical order.
    start = np.argsort(np.argsort(words))[codes[:k]]
    found = []
    for kind, frame, rows, first in (
        ("text", text, text.to_numpy(object), start),
        ("categories", text.astype("category"), codes, codes[:k]),
    ):
        theirs, peer = _time(lambda r=rows, f=first: Peer(k, init=f.copy(), n_init=1).fit(r))
        ours = [_time(lambda f=frame: KModes(k, init=f.iloc[:k]).fit(f)) for _ in range(15)]
        equal = bool(ours[-1][1].cost_ <= peer.cost_)
        name = f"k-modes {n:,} x {m} {kind}, k={k}, a whole fit from the same start"
        found.append(_row(name, "kmodes", min(seconds for seconds, _ in ours), theirs, equal))
    return found


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

    times: dict[str, list[float]] = {name: [] for name in ("short", "long", "peer", "peer long")}
    for _ in range(5):
        times["short"].append(_time(lambda: fit(frame, 1))[0])
        seconds, model = _time(lambda: fit(frame, 101))
        times["long"].append(seconds)
        times["peer"].append(_time(lambda: fit_peer(1))[0])
        seconds, peer = _time(lambda: fit_peer(3))
        times["peer long"].append(seconds)
    best = {name: min(seconds) for name, seconds in times.items()}
    ours = (best["long"] - best["short"]) / max(model.n_iter_ - 1, 1)
    theirs = (best["peer long"] - best["peer"]) / max(peer.n_iter_ - 1, 1) * (n / n_peer)
    equal = bool(fit(frame.head(n_peer), 100).cost_ <= fit_peer(100).cost_ * 1.0001)
    name = f"k-prototypes {n:,} x (6 + 6), k={k}, per iteration"
    return _row(name, f"kmodes, on {n_peer:,} rows", ours, theirs, equal)


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [k_prototypes(), *k_modes()]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 7) if isinstance(v, float) else v for key, v in pair.items()})
