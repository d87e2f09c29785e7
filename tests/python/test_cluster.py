"""K-means, and what holds for every estimator: known results, laws, layouts, and what bad input is told."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.datasets import load_iris

import ilk
from ilk.cluster import FewClustersWarning, KMeans, KPrototypes
from ilk.exceptions import DataError, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IRIS = load_iris().data
IRIS_WITHIN = {2: 152.347952, 3: 78.851441, 4: 57.228473, 5: 46.446182, 6: 39.039987}
MCDONALDS_WITHIN = {
    2: 2145.503727,
    3: 1818.700649,
    4: 1602.899456,
    5: 1434.602644,
    6: 1325.259125,
}


def rows(n: int = 300, d: int = 4, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 4.0 * rng.integers(3, size=(n, 1))


def mixed(n: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.integers(3, size=n)
    return pd.DataFrame(
        {
            "spend": group * 3.0 + rng.normal(size=n),
            "channel": np.array(["web", "shop", "phone"])[(group + (rng.random(n) < 0.1)) % 3],
            "visits": rng.poisson(3 + group).astype(float),
            "member": rng.random(n) < 0.3 * group,
        }
    )


# Known results


@pytest.mark.parametrize("k", IRIS_WITHIN)
def test_iris_within_sum_of_squares(k: int) -> None:
    model = KMeans(k, n_init=50, random_state=1).fit(IRIS)
    assert model.inertia_ == pytest.approx(IRIS_WITHIN[k], rel=1e-4)


@pytest.mark.realdata
@pytest.mark.parametrize("k", MCDONALDS_WITHIN)
def test_mcdonalds_within_sum_of_squares(k: int, realdata: Path) -> None:
    answers = pd.read_csv(realdata / "mcdonalds_msa.csv.gz").iloc[:, :11] == "Yes"
    assert answers.shape == (1453, 11)
    model = KMeans(k, n_init=500, random_state=1, tol=0.0).fit(answers.to_numpy(float))
    # Near ties lie 2e-5 above the best of k = 4.
    assert model.inertia_ == pytest.approx(MCDONALDS_WITHIN[k], rel=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 6))
def test_same_start_gives_scikit_learns_result(seed: int, k: int, steps: int) -> None:
    data = rows(150, 3, seed)
    start = data[:k]

    def theirs_after(n: int) -> SklearnKMeans:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return SklearnKMeans(k, init=start, n_init=1, max_iter=n, tol=0.0).fit(data)

    # A cluster that runs empty is started anew, there from the old centres and here from the new ones.
    assume(all(len(set(theirs_after(n).labels_)) == k for n in range(1, steps)))
    theirs = theirs_after(steps)
    ours = KMeans(k, init=start, max_iter=steps, tol=0.0).fit(data)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-7, atol=1e-9)
    assert_array_equal(ours.labels_, theirs.labels_)


@pytest.mark.parametrize("steps", [1, 2, 300])
def test_a_cluster_that_runs_empty_is_filled_again(steps: int) -> None:
    data = rows(150, 3, 510)
    fit = KMeans(8, init=data[:8], max_iter=steps, tol=0.0)
    if steps == 1:  # it runs empty in the last assignment
        with pytest.warns(FewClustersWarning, match="when the iterations ended no row was nearest"):
            fit.fit(data)
    else:
        assert len(set(fit.fit(data).labels_)) == 8


# Laws


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_order_of_rows_only_permutes_labels(seed: int, k: int) -> None:
    data = rows(80, 2, seed)
    order = np.random.default_rng(seed).permutation(len(data))
    one = KMeans(k, random_state=seed, n_init=3).fit(data)
    other = KMeans(k, random_state=seed, n_init=3).fit(data[order])
    assert_array_equal(one.labels_[order], other.labels_)


@given(st.integers(0, 10_000), st.sampled_from([np.float32, np.float64]))
def test_predict_of_training_rows_is_labels(seed: int, dtype: Any) -> None:
    data = rows(100, 3, seed).round(1).astype(dtype)
    model = KMeans(4, random_state=seed, n_init=2).fit(data)
    assert model.cluster_centers_.dtype == dtype
    assert_array_equal(model.predict(data), model.labels_)
    distances = model.transform(data)
    assert distances.dtype == dtype
    assert_array_equal(distances.argmin(axis=1), model.labels_)
    assert model.score(data) == pytest.approx(-model.inertia_, rel=1e-5)
    sizes = np.bincount(model.labels_)
    assert (np.diff(sizes) <= 0).all()


def test_objective_never_increases() -> None:
    data = rows(500, 3)
    costs = [
        KMeans(5, init=data[:5], max_iter=steps, tol=0.0).fit(data).inertia_
        for steps in range(1, 12)
    ]
    assert all(after <= before for before, after in pairwise(costs))


def test_scaling_the_data_scales_the_centres() -> None:
    data = rows()
    one = KMeans(3, random_state=0).fit(data)
    other = KMeans(3, random_state=0).fit(data * 1024)
    assert_array_equal(other.cluster_centers_, one.cluster_centers_ * 1024)


def test_threads_do_not_change_a_bit() -> None:
    data, frame = rows(30_000, 5), mixed(20_000)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        numbers = KMeans(4, n_init=2, random_state=0).fit(data)
        both = KPrototypes(4, n_init=2, random_state=0, max_iter=8).fit(frame)
        found.append((numbers.cluster_centers_.tobytes(), numbers.inertia_, both.to_json()))
    assert found[0] == found[1] == found[2]


def test_layouts_give_the_same_bits() -> None:
    data = rows()
    expected = KMeans(3, random_state=0).fit(data).cluster_centers_
    wide = np.full((600, 8), np.nan)
    wide[::2, ::2] = data
    frozen = data.copy()
    frozen.setflags(write=False)
    others: list[Any] = [np.asfortranarray(data), wide[::2, ::2], frozen, data.tolist()]
    others += [pd.DataFrame(data), pl.DataFrame(data), pa.table(pd.DataFrame(data).add_prefix("x"))]
    for other in others:
        assert_array_equal(KMeans(3, random_state=0).fit(other).cluster_centers_, expected)


# Saving


@pytest.mark.parametrize("estimator", [KMeans(3, random_state=0), KPrototypes(3, random_state=0)])
def test_saved_models_predict_the_same(estimator: Any) -> None:
    frame = mixed()[["spend", "visits"]]
    model = clone(estimator).fit(frame)
    for again in (pickle.loads(pickle.dumps(model)), type(model).from_json(model.to_json())):
        assert_array_equal(again.predict(frame), model.labels_)
        assert_array_equal(again.labels_, model.labels_)
        assert list(again.feature_names_in_) == ["spend", "visits"]
        assert again.to_json() == model.to_json()


def test_broken_files_are_refused() -> None:
    numbers = KMeans(2, random_state=0).fit(rows()).to_json()
    both = KPrototypes(2, random_state=0).fit(mixed()).to_json()
    with pytest.raises(ModelFileError, match='"kprototypes"'):
        KMeans.from_json(both)
    with pytest.raises(ModelFileError, match='"kmeans"'):
        KPrototypes.from_json(numbers)
    for text in ("", "{}", numbers[:-9], numbers.replace('"n_clusters":2', '"n_clusters":3')):
        with pytest.raises(ModelFileError):
            KMeans.from_json(text)
    with pytest.raises(ModelFileError):
        KPrototypes.from_json(both.replace('"gamma":[', '"gamma":[-1.0,'))


# Bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters: found 0"),
        ({"n_clusters": 301}, "n_samples=300"),
        ({"n_init": 0}, "n_init: found 0"),
        ({"max_iter": -1}, "max_iter: found -1"),
        ({"tol": -1.0}, "tol: found -1.0"),
        ({"tol": np.nan}, "tol: found nan"),
        ({"init": "best"}, 'init: found "best"'),
        ({"init": np.zeros((2, 4))}, r"init: found centres of shape \(2, 4\)"),
        ({"init": np.full((3, 4), np.inf)}, "inf"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        KMeans(**({"n_clusters": 3} | parameters)).fit(rows())


def test_errors_name_the_column() -> None:
    frame = mixed()[["spend", "visits"]]
    frame.loc[7, "visits"] = np.nan
    with pytest.raises(DataError, match='"visits", row 7: found NaN'):
        KMeans(3).fit(frame)
    with pytest.raises(DataError, match=r'"x1", row 0: found 1e300, .* square'):
        KMeans(1).fit([[1.0, 1e300]])
    with pytest.raises(DataError, match='"x1", row 0: found inf'):
        KPrototypes(1).fit([[1.0, np.inf]])
    with pytest.raises(DataError, match='"spend"'):
        KPrototypes(3).fit(frame.assign(spend=np.nan))
    with pytest.raises(DataError, match='"visits", row 0: found inf'):
        KPrototypes(3).fit(frame.assign(visits=np.inf))
    with pytest.raises(TypeError, match="n_clusters"):
        KMeans(2.5).fit(rows())  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [KMeans(4, random_state=0), KPrototypes(4, random_state=0)])
def test_fewer_different_rows_than_clusters_is_told(model: Any) -> None:
    data = np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0)
    with pytest.warns(FewClustersWarning, match="found 2 clusters, not n_clusters=4"):
        model.fit(data)
    assert len(set(model.labels_)) == 2


HOSTILE = st.sampled_from(
    [0.0, -0.0, 1.0, 7.0, 1e150, 1e300, -1e308, 5e-324, np.nan, np.inf, -np.inf, 1e-160]
)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 3)), elements=HOSTILE),
    st.integers(1, 5),
)
def test_hostile_data_ends_in_an_error_or_a_finite_model(data: NDArray[np.float64], k: int) -> None:
    for model in (KMeans(k, random_state=0), KPrototypes(k, random_state=0)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model.fit(data)
            except DataError:
                continue
        attribute = model.inertia_ if isinstance(model, KMeans) else model.cost_
        assert np.isfinite(attribute)
        assert model.labels_.min() >= 0


def test_ctrl_c_stops_a_long_fit() -> None:
    code = """
import _thread, threading, time
import numpy as np
from ilk.cluster import KMeans
data = np.random.default_rng(0).normal(size=(400_000, 16))
threading.Timer(1.0, _thread.interrupt_main).start()
start = time.perf_counter()
try:
    KMeans(50, n_init=100, max_iter=10_000, tol=0.0).fit(data)
except KeyboardInterrupt:
    print(time.perf_counter() - start)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2.0


def test_progress_is_reported() -> None:
    seen: list[tuple[int, int]] = []
    KMeans(20, n_init=8, tol=0.0, random_state=0, progress=lambda *now: seen.append(now)).fit(
        rows(60_000, 8)
    )
    assert all(done <= total for done, total in seen)
    assert seen == sorted(seen)


@pytest.mark.parametrize("estimator", [KMeans, KPrototypes])
def test_no_rows_suggest_no_number_of_clusters(estimator: Any) -> None:
    with pytest.raises(ValueError, match="0") as error:
        estimator(2).fit(pd.DataFrame({"x": np.array([], dtype=float)}))
    assert "n_clusters=0" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["KMeans", "MiniBatchKMeans", "GaussianMixture", "HDBSCAN", "DBSCAN", "Archetypes"]
)
@pytest.mark.parametrize("kind", ["pandas", "polars", "array"])
def test_text_among_numbers_is_named_by_column_and_row(name: str, kind: str) -> None:
    columns = {"spend": [1.0, 2.0, 3.0, 9.0], "channel": ["1", "2", "web", "shop"]}
    data = {
        "pandas": lambda: pd.DataFrame(columns),
        "polars": lambda: pl.DataFrame(columns),
        "array": lambda: np.array([*zip(*columns.values(), strict=True)], dtype=object),
    }[kind]()
    column = "x1" if kind == "array" else "'channel'"
    with pytest.raises(DataError, match=f"column {column}, row 2: found 'web'.*KPrototypes"):
        getattr(ilk.cluster, name)().fit(data)
