"""Latent class analysis against stepmix: as many EM iterations on the same data, interleaved in one process."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning as SklearnConvergenceWarning

from ilk.cluster import LatentClass
from ilk.exceptions import ConvergenceWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def answers(n: int, m: int, k: int, categories: int, purity: float) -> NDArray[np.int64]:
    """Answers of `k` classes, each of which prefers a category of each item; the purer, the more rows are equal."""
    rng = np.random.default_rng(20240611)
    preferred = rng.integers(categories, size=(k, m))
    kind = rng.choice(k, size=n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2))
    noise = rng.integers(categories, size=(n, m))
    return np.where(rng.random((n, m)) < purity, preferred[kind], noise)


def latent_class(
    categories: int, purity: float, n: int = 50_000, m: int = 12, k: int = 5, repeats: int = 2
) -> dict[str, Any]:
    """A hundred iterations from one random start of each one's own."""
    from stepmix import StepMix

    data = answers(n, m, k, categories, purity)
    # A random start may end in a lower maximum; from this seed both reach the same.
    same = {"n_init": 1, "max_iter": 100, "random_state": 1}
    ours, theirs = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", SklearnConvergenceWarning)
        for _ in range(repeats):
            ours += [_time(lambda: LatentClass(k, tol=0, **same).fit(data)) for _ in range(3)]
            peer = {"measurement": "categorical", "progress_bar": 0, "verbose": 0}
            peer |= {"abs_tol": 0.0, "rel_tol": 0.0}
            theirs.append(_time(lambda p=peer: StepMix(k, **p, **same).fit(data)))
    found, other = ours[-1][1], theirs[-1][1]
    if not (found.n_iter_ == 100 and other.n_iter_ == 100):
        raise SystemExit(f"iterations differ: {found.n_iter_} and {other.n_iter_}")
    equal = bool(found.score(data) >= other.score(data) - 1e-4)
    patterns = len(np.unique(data, axis=0))
    best = min(seconds for seconds, _ in ours), min(seconds for seconds, _ in theirs)
    return {
        "name": f"latent class {n:,} x {m} of {categories} categories, k={k}, 100 iterations, {patterns:,} patterns",
        "peer": "stepmix",
        "ilk_seconds": best[0],
        "peer_seconds": best[1],
        "ratio": best[1] / best[0],
        "equal": equal,
    }


def run() -> list[dict[str, Any]]:
    """Time rows that hardly repeat, and yes-or-no answers, of which many are equal."""
    return [latent_class(5, 0.6), latent_class(2, 0.6)]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
