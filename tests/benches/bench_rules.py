"""Subgroup search against pysubgroup, and trees against scikit-learn, on 100,000 customers with 30 columns.

The subgroup search is asked for conjunctions of up to three traits by weighted relative accuracy, of the same traits as
pysubgroup: categories, of numbers the bins that `pandas.qcut` makes. pysubgroup's search with bit sets and optimistic
estimates (`DFS` with its `BitSetRepresentation`) is its fastest exact one. The ten best qualities must be the same.

The tree is scikit-learn's `DecisionTreeClassifier` of the same depth and least leaf; over five draws of the customers the mean
share placed rightly must not be lower by more than a twentieth of a percent (ilk cuts between 254 bins, scikit-learn between
all values, and which greedy tree ends better is luck, some tenths of a percent either way). ilk also reads the frame, and
grows five more trees for the fidelity.

pysubgroup asks for older versions of NumPy and pandas than it needs; so it stands in a folder of its own:

    pip install --no-deps --target peer pysubgroup
    PYTHONPATH=peer python tests/benches/bench_rules.py
"""

from __future__ import annotations

import os

THREADS = "2"
os.environ.setdefault("ILK_NUM_THREADS", THREADS)

import time  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from ilk.profile import distinguish, rules, typing_tool  # noqa: E402

N_ROWS = 100_000
N_COLUMNS = 30
REPEATS = 3
DRAWS = 5


def customers(seed: int = 3) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Numbers and categories, some of which have to do with four segments."""
    rng = np.random.default_rng(seed)
    segment = rng.choice(4, N_ROWS, p=[0.4, 0.3, 0.2, 0.1])
    columns: dict[str, Any] = {}
    for at in range(N_COLUMNS):
        strength = 1.2 if at % 3 == 0 else 0.25 if at % 3 == 1 else 0.0
        signal = strength * ((segment * (at + 1)) % 4)
        noise = rng.normal(size=N_ROWS)
        if at % 2 == 0:
            columns[f"number{at}"] = np.round(signal + noise, 3)
        else:
            level = np.clip(np.round(signal + noise + 2), 0, 5).astype(int)
            columns[f"word{at}"] = np.array(list("abcdef"))[level]
    return pd.DataFrame(columns), np.array(["A", "B", "C", "D"])[segment]


def binned(df: pd.DataFrame) -> pd.DataFrame:
    """Numbers as the five bins of equal size that both searches take as categories."""
    return pd.DataFrame(
        {
            name: pd.qcut(df[name], 5).astype(str) if name.startswith("number") else df[name]
            for name in df
        }
    )


def by_pysubgroup(df: pd.DataFrame, depth: int) -> list[float]:
    """The qualities of the ten best subgroups for segment A."""
    import pysubgroup as ps

    target = ps.BinaryTarget("segment", "A")
    task = ps.SubgroupDiscoveryTask(
        df,
        target,
        ps.create_nominal_selectors(df, ignore=["segment"]),
        result_set_size=10,
        depth=depth,
        qf=ps.StandardQF(1.0),
    )
    result = ps.DFS(ps.BitSetRepresentation).execute(task)
    return sorted((quality for quality, *_ in result.results), reverse=True)


def subgroups(depth: int, repeats: int) -> dict[str, Any]:
    """Time both searches in turn."""
    from ilk import _core
    from ilk._frame import Frame

    df, segment = customers()
    df = binned(df)
    whole = df.assign(segment=segment)
    codes = np.where(segment == "A", 0, 1).astype(np.int64)
    ours, theirs = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        members = {
            "table": Frame.of(df).core,
            "labels": codes,
            "names": ["A", "others"],
            "columns": list(df),
            "exclude": [],
        }
        found = _core.distinguish_segments(
            members, "subgroup", depth, 10, 0.5, 0.05, True, [0.5], True, 0.95, "{}", None
        )
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        peer = by_pysubgroup(whole, depth)
        theirs.append(time.perf_counter() - start)
    table = found.table()
    own = [
        q for q, s in zip(table.column("wracc"), table.column("segment"), strict=True) if s == "A"
    ]
    if not np.allclose(sorted(own, reverse=True), peer, rtol=1e-9, atol=1e-12):
        raise AssertionError(f"the best subgroups differ: {own} {peer}")
    return {
        "name": f"subgroups of up to {depth} traits, {N_ROWS:,} x {N_COLUMNS}",
        "peer": "pysubgroup (DFS, bit sets)",
        "ilk_seconds": min(ours),
        "peer_seconds": min(theirs),
        "ratio": min(theirs) / min(ours),
        "equal": "ten best qualities (ilk: for both sides)",
    }


def tree() -> dict[str, Any]:
    """Time a tree of both in turn, each time of other customers."""
    from sklearn.tree import DecisionTreeClassifier

    ours, theirs, own, other = [], [], [], []
    for seed in range(3, 3 + DRAWS):
        df, segment = customers(seed)
        for name in df:
            if name.startswith("word"):
                df[name] = (
                    df[name].map({letter: at for at, letter in enumerate("abcdef")}).astype(float)
                )
        x = df.to_numpy()
        start = time.perf_counter()
        found = rules(
            segment,
            df,
            list(df),
            max_depth=6,
            max_leaves=1000,
            min_leaf=500,
            tolerance=None,
            random_state=0,
        )
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        peer = DecisionTreeClassifier(max_depth=6, min_samples_leaf=500, random_state=0).fit(
            x, segment
        )
        theirs.append(time.perf_counter() - start)
        own.append(float(np.mean(np.asarray(found.predict(df)) == segment)))
        other.append(float(peer.score(x, segment)))
    if np.mean(own) < np.mean(other) - 5e-4:
        raise AssertionError(f"the trees are worse: {own} against {other}")
    return {
        "name": f"tree of depth 6 with its cross-validated fidelity, {N_ROWS:,} x {N_COLUMNS}",
        "peer": "scikit-learn (one tree)",
        "ilk_seconds": min(ours),
        "peer_seconds": min(theirs),
        "ratio": min(theirs) / min(ours),
        "equal": f"placed rightly: ilk {np.mean(own):.4f}, peer {np.mean(other):.4f}",
    }


def run() -> list[dict[str, Any]]:
    """Time all."""
    df, segment = customers()
    for name, work in {
        "cover": lambda: distinguish(segment, df, progress=False),
        "subgroups of all segments": lambda: distinguish(
            segment, df, method="subgroup", progress=False
        ),
        "rules": lambda: rules(segment, df, random_state=0, progress=False),
        "typing tool": lambda: typing_tool(segment, df, random_state=0, progress=False),
    }.items():
        start = time.perf_counter()
        work()
        print(f"{name}: {time.perf_counter() - start:.3f} s")
    return [subgroups(2, REPEATS), subgroups(3, 1), tree()]


if __name__ == "__main__":
    for row in run():
        print(row)
