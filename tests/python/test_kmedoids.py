"""K-medoids: references, peers, frames, laws and messages."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.metrics import pairwise_distances

import ilk
from ilk.cluster import FewClustersWarning, KMedoids, UnknownCategoryWarning
from ilk.exceptions import ConvergenceWarning, DataError, DataWarning, ModelFileError


def mixed(n: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.integers(3, size=n)
    return pd.DataFrame(
        {
            "spend": np.where(rng.random(n) < 0.1, np.nan, 10.0 * group + rng.normal(size=n)),
            "channel": np.where(
                rng.random(n) < 0.8, np.array(["web", "shop", "app"])[group], "web"
            ),
            "size": pd.Categorical.from_codes(group, ["s", "m", "l"], ordered=True),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(30 * group, unit="D"),
            "vip": rng.random(n) < 0.3,
        }
    )


def test_iris_is_that_of_pam() -> None:
    rows = load_iris().data
    model = KMedoids(3).fit(rows)
    assert model.mean_distance_ == pytest.approx(0.654208, abs=5e-7)
    assert np.bincount(model.labels_).tolist() == [62, 50, 38]
    assert model.inertia_ == pytest.approx(150 * model.mean_distance_)
    assert (model.medoids_ == rows[model.medoid_indices_]).all()
    assert model.metric_ == "euclidean"
    assert model.method_ == "fasterpam"


def test_build_on_iris_is_that_of_pam() -> None:
    kmedoids = pytest.importorskip("kmedoids")
    distances = pairwise_distances(load_iris().data)
    start = kmedoids.pam_build(distances, 3)
    assert start.loss / 150 == pytest.approx(0.670939, abs=5e-7)
    # Our BUILD starts from the same rows: both end in the same place.
    ours = KMedoids(3, metric="precomputed").fit(distances)
    from_theirs = KMedoids(3, metric="precomputed", init=start.medoids.astype(int)).fit(distances)
    assert set(ours.medoid_indices_) == set(from_theirs.medoid_indices_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("k", [2, 5, 8, 9, 20])
def test_swaps_are_those_of_the_package_kmedoids(k: int, dtype: type) -> None:
    kmedoids = pytest.importorskip("kmedoids")
    rows = np.random.default_rng(k).normal(size=(400, 4))
    distances = pairwise_distances(rows).astype(dtype)
    distances = (distances + distances.T) / 2
    start = np.arange(0, 400, 400 // k)[:k]
    peer = kmedoids.fasterpam(distances, start.astype(np.uint64), n_cpu=1)
    ours = KMedoids(k, metric="precomputed", init=start).fit(distances)
    assert ours.inertia_ <= float(peer.loss) * (1 + 1e-5)
    if dtype is np.float64:
        assert ours.medoid_indices_.tolist() == peer.medoids.tolist()


def test_frames_come_back_in_their_kind() -> None:
    frame = mixed()
    model = KMedoids(3).fit(frame)
    assert model.metric_ == "gower"
    pd.testing.assert_frame_equal(model.medoids_, frame.iloc[model.medoid_indices_])
    plain = frame.astype({"size": object})
    order = {"size": ["s", "m", "l"]}
    for same in (pl.from_pandas(plain), pa.Table.from_pandas(plain)):
        other = KMedoids(3, ordinal=order).fit(same)
        assert type(other.medoids_) is type(same)
        assert (other.labels_ == model.labels_).all()
    listed = {name: list(plain[name].astype(object)) for name in plain}
    other = KMedoids(3, ordinal=order).fit(listed)
    assert other.medoids_["channel"] == [listed["channel"][row] for row in other.medoid_indices_]
    assert other.predict(listed).tolist() == other.labels_.tolist()


def test_medoids_of_a_duckdb_relation() -> None:
    duckdb = pytest.importorskip("duckdb")
    frame = mixed()[["spend", "channel"]]
    model = KMedoids(3).fit(duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False)))
    found = model.medoids_.df()
    assert found["channel"].tolist() == frame["channel"].iloc[model.medoid_indices_].tolist()


def test_gower_end_to_end_is_gower_then_precomputed() -> None:
    frame = mixed()
    model = KMedoids(4).fit(frame)
    distances = ilk.gower_distances(frame)
    given_ = KMedoids(4, metric="precomputed", init=model.medoid_indices_).fit(distances)
    assert given_.medoid_indices_.tolist() == model.medoid_indices_.tolist()
    assert given_.inertia_ == pytest.approx(model.inertia_)
    assert (model.transform(frame) == distances[:, model.medoid_indices_]).all()
    assert model.score(frame) == pytest.approx(-model.inertia_)
    assert given_.predict(distances).tolist() == given_.labels_.tolist()
    assert given_.medoids_ is None


def test_metric_follows_from_the_data() -> None:
    numbers = pd.DataFrame({"a": [1.0, 2.0, 9.0], "b": [1, 2, 3]})
    assert KMedoids(2).fit(numbers).metric_ == "euclidean"
    assert KMedoids(2).fit(numbers.assign(c=["x", "y", "x"])).metric_ == "gower"
    assert KMedoids(2).fit(numbers.mask(numbers == 9.0)).metric_ == "gower"
    assert KMedoids(2, weights={"a": 2}).fit(numbers).metric_ == "gower"
    assert KMedoids(2).fit(numbers.to_numpy()).metric_ == "euclidean"
    assert KMedoids(2).fit(numbers.mask(numbers == 9.0).to_numpy()).metric_ == "gower"
    with pytest.raises(DataError, match='column "a", row 2: found NaN'):
        KMedoids(2, metric="euclidean").fit(numbers.mask(numbers == 9.0))


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan"])
def test_metrics_are_those_of_scikit_learn(metric: str) -> None:
    rows = np.random.default_rng(1).normal(size=(200, 7))
    model = KMedoids(5, metric=metric).fit(rows)
    given_ = KMedoids(5, metric="precomputed").fit(pairwise_distances(rows, metric=metric))
    assert model.inertia_ == pytest.approx(given_.inertia_)
    # scikit-learn's Euclidean distances of equal rows are not quite 0.
    np.testing.assert_allclose(
        model.transform(rows), pairwise_distances(rows, model.medoids_, metric=metric), atol=1e-7
    )


def test_given_start_keeps_the_order_of_clusters() -> None:
    rows = np.array([[0.0], [10.0], [10.1], [10.2], [0.1]])
    assert KMedoids(2, init=[0, 1]).fit(rows).labels_.tolist() == [0, 1, 1, 1, 0]
    assert KMedoids(2, init=[1, 0]).fit(rows).labels_.tolist() == [1, 0, 0, 0, 1]
    assert KMedoids(2).fit(rows).labels_.tolist() == [1, 0, 0, 0, 1]


def test_seed_and_threads_do_not_matter_for_the_bits() -> None:
    frame = mixed(600)
    found = set()
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        for method in ("fasterpam", "clara"):
            model = KMedoids(5, method=method, sample_size=100, init="random", random_state=3)
            found.add((method, model.fit(frame).to_json()))
    assert len(found) == 2


def test_new_rows_use_the_ranges_of_fit() -> None:
    frame = pd.DataFrame({"spend": [0.0, 1.0, 9.0, 10.0], "channel": ["a", "a", "b", "b"]})
    model = KMedoids(2, unknown="warn").fit(frame)
    new = pd.DataFrame({"spend": [1e9, -5.0], "channel": ["a", "z"]})
    with pytest.warns(UnknownCategoryWarning, match="'channel', row 1: category 'z'"):
        distances = model.transform(new)
    near_a = model.predict(frame)[0]
    assert distances[0, near_a] == 0.5
    assert distances.max() <= 1
    with pytest.raises(DataError, match="category 'z'"):
        KMedoids(2, unknown="error").fit(frame).predict(new)


def test_saved_models_predict_alike() -> None:
    frame = mixed()
    for model, rows in (
        (KMedoids(3).fit(frame), frame),
        (KMedoids(3, metric="manhattan").fit(load_iris().data), load_iris().data),
        (KMedoids(2, metric="precomputed").fit(1 - np.eye(4)), 1 - np.eye(4)),
    ):
        for back in (KMedoids.from_json(model.to_json()), pickle.loads(pickle.dumps(model))):
            assert back.predict(rows).tolist() == model.labels_.tolist()
            assert back.medoid_indices_.tolist() == model.medoid_indices_.tolist()
            assert back.inertia_ == model.inertia_
    back = KMedoids.from_json(KMedoids(3).fit(frame).to_json())
    assert list(back.medoids_["size"]) == list(KMedoids(3).fit(frame).medoids_["size"])
    text = KMedoids(3).fit(frame).to_json()
    for bad in (
        text.replace('"codes":[', '"codes":[99,'),
        text.replace('"indices":[', '"indices":[1,'),
    ):
        with pytest.raises(ModelFileError):
            KMedoids.from_json(bad)


def test_incomparable_rows_are_told_and_far_apart() -> None:
    frame = {"a": [1.0, None, 2.0, 1.5], "b": [None, 1.0, 2.0, None]}
    with pytest.warns(DataWarning, match="some rows have no column that both have, 0 and 1 first"):
        model = KMedoids(2).fit(frame)
    assert np.isfinite(model.inertia_)
    with pytest.warns(DataWarning, match="row 0 has no column that the medoid of cluster 0 has"):
        distances = model.transform({"a": [None], "b": [None]})
    assert distances.tolist() == [[1.0, 1.0]]


def test_equal_rows_give_fewer_clusters_and_a_warning() -> None:
    with pytest.warns(FewClustersWarning, match="found 2 clusters, not n_clusters=3"):
        model = KMedoids(3).fit([[1.0], [1.0], [1.0], [2.0]])
    assert model.labels_.tolist() == [0, 0, 0, 1]
    assert model.inertia_ == 0


def test_too_few_passes_are_told() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 2))
    with pytest.warns(ConvergenceWarning, match="max_iter=1 passes were not enough"):
        KMedoids(8, init=list(range(8)), max_iter=1).fit(rows)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": "cosine"}, DataError, 'metric: found "cosine"'),
        ({"metric": 3}, TypeError, "the name of a metric"),
        ({"method": "pam"}, DataError, 'method: found "pam"'),
        ({"init": "heuristic"}, DataError, 'init: found "heuristic"'),
        ({"init": [0, 1]}, DataError, "init: found 2 rows, but one for each of the 3 clusters"),
        ({"init": [0, 1, 1]}, DataError, r"init\[2\]: found 1, but different rows"),
        ({"init": [0, 1, 99]}, DataError, r"init\[2\]: found 99"),
        ({"init": [0, 1, -1]}, DataError, "found -1"),
        ({"init": [0.5, 1, 2]}, DataError, "row numbers are needed"),
        ({"n_init": 0}, DataError, "n_init: found 0"),
        ({"max_iter": 0}, DataError, "max_iter: found 0"),
        ({"sample_size": 3}, DataError, "sample_size: found 3, but more rows than the 3"),
        ({"n_samples": 0}, DataError, "n_samples: found 0"),
        ({"n_clusters": 11}, DataError, "n_clusters=11 needs at least 11 rows"),
        ({"metric": "precomputed"}, DataError, "must be square"),
        ({"unknown": "drop"}, DataError, "unknown: found 'drop'"),
    ],
)
def test_refusals_say_what_is_wrong(options: dict, error: type, message: str) -> None:
    rows = np.random.default_rng(0).normal(size=(10, 2))
    with pytest.raises(error, match=message):
        KMedoids(**{"n_clusters": 3, **options}).fit(rows)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        ((2, 1), np.nan, r'"X\[:, 1\]", row 2: found NaN'),
        ((1, 2), -1.0, r'"X\[:, 2\]", row 1: found -1'),
        ((1, 2), np.inf, "must be finite"),
        ((1, 2), 0.7, r"symmetric; try: X = \(X \+ X.T\) / 2"),
        ((2, 2), 0.7, "to itself must be 0; try: np.fill_diagonal"),
    ],
)
def test_given_distances_are_checked(at: tuple, value: float, message: str) -> None:
    distances = 1 - np.eye(5)
    distances[at] = value
    with pytest.raises(DataError, match=message):
        KMedoids(2, metric="precomputed").fit(distances)


def test_rows_of_no_weight_are_never_medoids() -> None:
    rows = np.array([[0.0], [1.0], [2.0], [50.0]])
    model = KMedoids(2).fit(rows, sample_weight=[1, 1, 1, 0])
    assert 3 not in model.medoid_indices_
    with pytest.raises(DataError, match="rows of positive weight"):
        KMedoids(4).fit(rows, sample_weight=[1, 1, 1, 0])


numbers = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, -1e300, 1e308, 5e-324]))


@given(
    st.lists(st.tuples(numbers, st.sampled_from(["a", "b", None])), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from(["build", "lab", "random"]),
    st.sampled_from(["fasterpam", "clara"]),
)
def test_hostile_frames_end_in_finite_numbers_or_an_error(
    rows: list, k: int, init: str, method: str
) -> None:
    number, word = (list(column) for column in zip(*rows, strict=True))
    frame = {"number": number, "word": word}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = KMedoids(k, init=init, method=method, metric="gower", random_state=0).fit(frame)
        except DataError:
            assert k > len(rows) or (number + word).count(None) == 2 * len(rows)
            return
        assert np.isfinite(model.inertia_)
        assert len(set(model.medoid_indices_)) == k
        assert model.transform(frame).max() <= 1
