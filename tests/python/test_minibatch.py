"""K-means in batches: scikit-learn's steps, the laws of running means, and what bad batches are told."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import MiniBatchKMeans as SklearnMiniBatchKMeans

import ilk
from ilk.cluster import FewClustersWarning, KMeans, MiniBatchKMeans
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rows(n: int = 300, d: int = 4, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 4.0 * rng.integers(3, size=(n, 1))


def streamed(batches: list[Any], **parameters: Any) -> MiniBatchKMeans:
    model = MiniBatchKMeans(**parameters)
    for batch in batches:
        model.partial_fit(batch)
    return model


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 6), st.booleans())
def test_batches_move_centres_as_scikit_learns_do(
    seed: int, k: int, count: int, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    batches = [rows(int(rng.integers(k, 60)), 3, seed + at) for at in range(count)]
    weights = [rng.uniform(0.1, 3.0, len(batch)) if weighted else None for batch in batches]
    start = batches[0][:k]
    ours = MiniBatchKMeans(k, init=start)
    theirs = SklearnMiniBatchKMeans(k, init=start, n_init=1, reassignment_ratio=0.0)
    for batch, weight in zip(batches, weights, strict=True):
        ours.partial_fit(batch, sample_weight=weight)
        theirs.partial_fit(batch, sample_weight=weight)
    assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert_array_equal(ours.labels_, theirs.labels_)


def test_a_batch_is_one_step_of_lloyd() -> None:
    data = rows()
    step = KMeans(3, init=data[:3], max_iter=1, tol=0.0).fit(data)
    model = MiniBatchKMeans(3, init=data[:3]).partial_fit(data)
    assert_allclose(model.cluster_centers_, step.cluster_centers_, rtol=1e-12)
    assert model.inertia_ == pytest.approx(step.inertia_)


@given(st.integers(0, 10_000))
def test_centres_are_means_of_all_rows_given_to_them(seed: int) -> None:
    # Groups so far apart that no row ever changes sides.
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat([0.0, 100.0, 200.0], 40))
    data = truth[:, None] + rng.normal(size=(120, 2))
    data = np.concatenate([[[0.0, 0.0], [100.0, 100.0], [200.0, 200.0]], data])
    batches = np.split(data, np.sort(rng.choice(np.arange(3, 123), 4, replace=False)))
    model = streamed(batches, n_clusters=3, random_state=seed)
    labels = model.predict(data)
    for cluster in range(3):
        members = data[labels == cluster]
        assert_allclose(model.cluster_centers_[cluster], members.mean(axis=0), rtol=1e-9)
        assert model.cluster_weights_[cluster] == len(members)


@given(st.integers(0, 10_000))
def test_weights_are_repeated_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    batches = [rows(40, 2, seed), rows(25, 2, seed + 1)]
    weighted = MiniBatchKMeans(3, random_state=0)
    repeated = MiniBatchKMeans(3, random_state=0)
    for batch in batches:
        counts = rng.integers(0, 4, len(batch))
        counts[:5] = 1
        weighted.partial_fit(batch, sample_weight=counts)
        repeated.partial_fit(np.repeat(batch, counts, axis=0))
    assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert_allclose(weighted.cluster_weights_, repeated.cluster_weights_)


def test_clusters_keep_their_numbers_from_batch_to_batch() -> None:
    model = MiniBatchKMeans(2, random_state=0).partial_fit([[0.0], [0.2], [0.1], [9.0]])
    before = model.cluster_centers_
    for _ in range(3):
        model.partial_fit([[9.1], [9.2], [8.9]])
    assert model.labels_.tolist() == [1, 1, 1]
    assert_array_equal(model.cluster_centers_[0], before[0])
    assert model.cluster_weights_.tolist() == [3.0, 10.0]


def test_a_batch_after_a_fit_moves_the_fitted_centres() -> None:
    data = rows(5000)
    model = MiniBatchKMeans(3, random_state=0).fit(data)
    assert model.cluster_weights_.sum() == 5000
    assert_array_equal(model.cluster_weights_, np.bincount(model.labels_))
    before, new = model.cluster_centers_.copy(), rows(50, seed=1)
    labels = model.predict(new)
    model.partial_fit(new)
    sizes = np.bincount(labels, minlength=3)
    weights = model.cluster_weights_ - sizes
    for cluster in range(3):
        mean = new[labels == cluster].mean(axis=0)
        share = sizes[cluster] / (sizes[cluster] + weights[cluster])
        expected = before[cluster] + (mean - before[cluster]) * share
        assert_allclose(model.cluster_centers_[cluster], expected, rtol=1e-9)


def test_a_fit_comes_near_to_that_of_all_rows() -> None:
    rng = np.random.default_rng(3)
    data = rng.normal(size=(6, 8))[rng.integers(6, size=40_000)] * 2 + rng.normal(size=(40_000, 8))
    full = KMeans(6, random_state=0).fit(data)
    model = MiniBatchKMeans(6, random_state=0).fit(data)
    theirs = SklearnMiniBatchKMeans(6, random_state=0, n_init=3).fit(data)
    assert full.inertia_ <= model.inertia_ <= full.inertia_ * 1.02
    assert model.inertia_ <= theirs.inertia_ * 1.005
    assert (np.diff(np.bincount(model.labels_)) <= 0).all()


def test_data_of_one_batch_end_as_k_means_does() -> None:
    data = rows(500)
    model = MiniBatchKMeans(3, n_init=10, random_state=0).fit(data)
    assert_array_equal(model.labels_, KMeans(3, random_state=0).fit(data).labels_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_a_bit(dtype: Any) -> None:
    data = rows(30_000, 5).astype(dtype)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        fitted = MiniBatchKMeans(4, random_state=0, max_iter=3, batch_size=9000).fit(data)
        stream = streamed(np.array_split(data, 4), n_clusters=4, random_state=0)
        assert stream.cluster_centers_.dtype == dtype
        found.append((fitted.to_json(), stream.to_json()))
    ilk.set_num_threads(0)
    assert found[0] == found[1] == found[2]


def test_a_saved_stream_goes_on() -> None:
    names = ["a", "b", "c", "d"]
    batches = [pd.DataFrame(rows(60, seed=seed), columns=names) for seed in range(4)]
    whole = streamed(batches, n_clusters=3, random_state=0)
    half = streamed(batches[:2], n_clusters=3, random_state=0)
    for again in (MiniBatchKMeans.from_json(half.to_json()), pickle.loads(pickle.dumps(half))):
        for batch in batches[2:]:
            again.partial_fit(batch)
        assert again.to_json() == whole.to_json()
        assert list(again.feature_names_in_) == names
    # What all rows were clustered by can take batches too.
    history = KMeans(3, random_state=0).fit(batches[0])
    daily = MiniBatchKMeans.from_json(history.to_json()).partial_fit(batches[1])
    assert daily.cluster_weights_.sum() == 120


def test_a_batch_that_is_refused_changes_nothing() -> None:
    model = MiniBatchKMeans(2, random_state=0).partial_fit(rows(50, 2))
    before = model.to_json()
    with pytest.raises(DataError, match='"x1", row 1: found NaN'):
        model.partial_fit([[1.0, 2.0], [3.0, np.nan]])
    with pytest.raises(ValueError, match="3 features"):
        model.partial_fit([[1.0, 2.0, 3.0]])
    with pytest.raises(DataError, match="sample_weight"):
        model.partial_fit([[1.0, 2.0]], sample_weight=[-1.0])
    with pytest.raises(DataError, match="sample_weight"):
        model.partial_fit([[1.0, 2.0], [1.0, 2.0]], sample_weight=[1e308, 1e308])
    assert model.to_json() == before
    assert model.partial_fit([[1.0, 2.0]]).cluster_weights_.sum() == 51


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"batch_size": 0}, "batch_size: found 0"),
        ({"n_clusters": 301}, "n_samples=300"),
        ({"init": np.zeros((2, 4))}, r"init: found centres of shape \(2, 4\)"),
        ({"tol": -1.0}, "tol: found -1.0"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        MiniBatchKMeans(**({"n_clusters": 3} | parameters)).fit(rows())


def test_a_first_batch_of_too_few_rows_is_refused() -> None:
    with pytest.raises(DataError, match="n_clusters=5 needs at least 5 rows"):
        MiniBatchKMeans(5).partial_fit(rows(4))


def test_centres_that_no_row_came_to_move_to_a_far_row() -> None:
    start = [[0.0], [1e6], [2e6]]
    model = MiniBatchKMeans(3, init=start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewClustersWarning)
        model.partial_fit([[0.0], [1.0], [50.0], [90.0]])
    assert sorted(model.cluster_centers_[1:].ravel().tolist()) == [0.0, 90.0]
    model.partial_fit([[88.0], [1.5], [70.0]])
    assert (model.cluster_weights_ > 0).all()


def test_rows_without_weight_are_never_started_from() -> None:
    data = rows(20_000, 2)
    data[10:] += 1e6
    weights = np.zeros(len(data))
    weights[:10] = 1.0
    model = MiniBatchKMeans(2, random_state=0, max_iter=2).fit(data, sample_weight=weights)
    assert np.abs(model.cluster_centers_).max() < 100
