"""Choosing k, silhouettes and bootstrap stability against scikit-learn, interleaved in one process."""

from __future__ import annotations

import importlib.util
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.metrics import adjusted_rand_score, silhouette_samples, silhouette_score

from ilk import quality
from ilk.cluster import KMeans

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

THREADS = 2


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _row(name: str, peer: str, ours: float, theirs: float, equal: Any) -> dict[str, Any]:
    return {
        "name": name,
        "peer": peer,
        "ilk_seconds": ours,
        "peer_seconds": theirs,
        "ratio": theirs / ours,
        "equal": equal,
    }


def customers(n: int, d: int, groups: int, seed: int = 20240611) -> NDArray[Any]:
    """Rows in groups that overlap."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=1.2, size=(groups, d))
    return centres[rng.integers(groups, size=n)] + rng.normal(size=(n, d))


def choosing(n: int = 100_000, d: int = 16, repeats: int = 3) -> dict[str, Any]:
    """k = 2 to 10, five starts each, with silhouettes on 10,000 rows; spreads as low."""
    data = customers(n, d, 8)
    ks = range(2, 11)

    def mine() -> Any:
        return quality.select_k(
            data,
            k=ks,
            scale="none",
            n_init=5,
            n_splits=0,
            n_references=0,
            random_state=0,
            progress=False,
        )

    def peers(estimator: Any) -> list[tuple[float, float]]:
        found = []
        for k in ks:
            model = estimator(n_clusters=k, n_init=5, random_state=0).fit(data)
            width = silhouette_score(data, model.labels_, sample_size=10_000, random_state=0)
            found.append((model.inertia_, width))
        return found

    estimators = _estimators()
    ours: list[Any] = []
    theirs: dict[str, list[Any]] = {name: [] for name in estimators}
    for _ in range(repeats):
        ours.append(_time(mine))
        for name, estimator in estimators.items():
            theirs[name].append(_time(lambda e=estimator: peers(e)))
    name, best = min(theirs.items(), key=lambda item: min(t for t, _ in item[1]))
    table = ours[-1][1].to_dict()
    equal = all(
        spread <= inertia * 1.002 and abs(width - other) < 0.02
        for spread, width, (inertia, other) in zip(
            table["within_ss"], table["silhouette"], best[-1][1], strict=True
        )
    )
    return _row(
        f"k = 2 to 10, n_init=5, {n:,} x {d}, silhouettes on 10,000 rows",
        name,
        min(t for t, _ in ours),
        min(t for t, _ in best),
        equal,
    )


def exact_silhouette(n: int = 20_000, d: int = 16, k: int = 6, repeats: int = 5) -> dict[str, Any]:
    """Exact silhouettes of every row."""
    data = customers(n, d, k)
    labels = KMeans(k, n_init=1, random_state=0).fit(data).labels_
    ours, theirs = [], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    quality.silhouette(data, labels, scale="none")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for _ in range(repeats):
        ours.append(_time(lambda: quality.silhouette(data, labels, scale="none", progress=False)))
        theirs.append(_time(lambda: silhouette_samples(data, labels, n_jobs=THREADS)))
    peer_grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    equal = bool(np.abs(ours[-1][1].widths - theirs[-1][1]).max() < 1e-6)
    memory = f"yes, in {grown / 1024:.0f} MB more against {peer_grown / 1024:.0f}"
    return _row(
        f"exact silhouette {n:,} x {d}, k={k}",
        f"scikit-learn (n_jobs={THREADS})",
        min(t for t, _ in ours),
        min(t for t, _ in theirs),
        equal and memory,
    )


def _pair(estimator: Any, data: NDArray[Any], k: int, pair: int) -> float:
    """One pair of bootstrap samples: two fits, all rows labelled by both, and their agreement."""
    rng = np.random.default_rng(pair)
    labels = []
    for member in range(2):
        sample = data[rng.integers(len(data), size=len(data))]
        model = estimator(n_clusters=k, n_init=1, random_state=2 * pair + member).fit(sample)
        labels.append(model.predict(data))
    return float(adjusted_rand_score(*labels))


def _estimators() -> dict[str, Any]:
    found: dict[str, Any] = {"scikit-learn": SklearnKMeans}
    if importlib.util.find_spec("sklearnex"):
        from sklearnex.cluster import KMeans as Accelerated

        found["scikit-learn-intelex"] = Accelerated
    return found


def bootstrap(n: int = 20_000, d: int = 10, k: int = 6, repeats: int = 3) -> list[dict[str, Any]]:
    """A hundred bootstrap fits, in fifty pairs, one start each; mean agreement alike."""
    from joblib import Parallel, delayed

    data = customers(n, d, k)
    pairs = range(50)

    def mine() -> Any:
        return quality.stability(
            data, k=[k], n_boot=50, n_init=1, scale="none", random_state=0, progress=False
        )

    def loop(estimator: Any) -> list[float]:
        return [_pair(estimator, data, k, pair) for pair in pairs]

    def spread(estimator: Any) -> list[float]:
        jobs = (delayed(_pair)(estimator, data, k, pair) for pair in pairs)
        return list(Parallel(n_jobs=THREADS, backend="loky")(jobs))

    ways = {
        f"{name}{how}": (work, estimator)
        for name, estimator in _estimators().items()
        for how, work in ((", a loop", loop), (" and loky", spread))
    }
    for _, (work, estimator) in ways.items():
        if work is spread:
            spread(estimator)  # the workers start before the clock does
    ours: list[Any] = []
    theirs: dict[str, list[Any]] = {name: [] for name in ways}
    for _ in range(repeats):
        ours.append(_time(mine))
        for name, (work, estimator) in ways.items():
            theirs[name].append(_time(lambda w=work, e=estimator: w(e)))
    mean = float(ours[-1][1].to_dict()["adjusted_rand"][0])
    rows = []
    plain = "scikit-learn, a loop"
    fastest = min(ways, key=lambda name: min(t for t, _ in theirs[name]))
    for name in dict.fromkeys((plain, fastest)):
        other = float(np.mean(theirs[name][-1][1]))
        rows.append(
            _row(
                f"100 bootstrap fits with adjusted Rand index, {n:,} x {d}, k={k}",
                name,
                min(t for t, _ in ours),
                min(t for t, _ in theirs[name]),
                abs(mean - other) < 0.05 and f"mean index {mean:.2f}, theirs {other:.2f}",
            )
        )
    return rows


def run() -> list[dict[str, Any]]:
    """Time every pair."""
    return [choosing(), exact_silhouette(), *bootstrap()]


if __name__ == "__main__":
    for pair in run():
        print({key: round(v, 5) if isinstance(v, float) else v for key, v in pair.items()})
