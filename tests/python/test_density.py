"""DBSCAN and HDBSCAN: what users see, and scikit-learn as a reference."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.cluster
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

import ilk
from ilk.cluster import DBSCAN, HDBSCAN, NoClustersWarning
from ilk.exceptions import DataError, DataWarning, ModelFileError


def blobs(n: int = 600, d: int = 3, groups: int = 4, noise: float = 0.1, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-12, 12, size=(groups, d))
    spread = rng.uniform(0.3, 1.2, size=groups)
    group = rng.integers(groups, size=n)
    rows = centres[group] + rng.normal(size=(n, d)) * spread[group, None]
    strays = rng.random(n) < noise
    rows[strays] = rng.uniform(-14, 14, size=(strays.sum(), d))
    return rows


def rings(n: int = 400, seed: int = 0):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, size=n)
    radius = np.where(np.arange(n) % 4 == 0, 1.0, 4.0) + rng.normal(scale=0.1, size=n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def same_but_for_ties(ours, theirs, births):
    """Equal partitions, but for rows that leave a cluster just where it appears."""
    clear = ~births
    assert clear.mean() > 0.95
    assert ((ours < 0) == (theirs < 0))[clear].all()
    both = clear & (ours >= 0)
    pairs = set(zip(ours[both].tolist(), theirs[both].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def at_a_split(model):
    """Rows that leave at the very density at which a cluster splits."""
    tree = model.condensed_tree_
    n = len(model.labels_)
    births = set(tree["lambda_val"][tree["child"] >= n].tolist())
    rows = tree[tree["child"] < n]
    found = np.zeros(n, dtype=bool)
    found[rows["child"]] = [value in births for value in rows["lambda_val"].tolist()]
    return found


@pytest.mark.parametrize("method", ["eom", "leaf"])
@pytest.mark.parametrize("seed", range(8))
def test_hdbscan_finds_the_clusters_of_scikit_learn(method: str, seed: int) -> None:
    rows = blobs(500 + 40 * seed, d=2 + seed % 3, seed=seed)
    settings = {"min_cluster_size": 15, "min_samples": 5, "cluster_selection_method": method}
    ours = HDBSCAN(**settings).fit(rows)
    theirs = sklearn.cluster.HDBSCAN(**settings, algorithm="kd_tree", copy=True).fit(rows)
    assert ours.labels_.max() > 0
    same_but_for_ties(ours.labels_, theirs.labels_, at_a_split(ours))
    clear = ~at_a_split(ours)
    np.testing.assert_allclose(ours.probabilities_[clear], theirs.probabilities_[clear], atol=1e-9)


# With NumPy 2.4 scikit-learn fails on the other pairs; tests/rust/density.rs has the definition of them.
@pytest.mark.parametrize(
    ("method", "epsilon"), [("eom", 0.3), ("eom", 1.0), ("eom", 3.0), ("leaf", 0.3)]
)
@pytest.mark.parametrize("single", [False, True])
def test_epsilon_and_single_cluster_are_those_of_scikit_learn(
    method: str, epsilon: float, single: bool
) -> None:
    rows = blobs(400, seed=3, noise=0.05)
    settings = {
        "min_cluster_size": 10,
        "min_samples": 4,
        "cluster_selection_epsilon": epsilon,
        "cluster_selection_method": method,
        "allow_single_cluster": single,
    }
    ours = HDBSCAN(**settings).fit(rows)
    theirs = sklearn.cluster.HDBSCAN(**settings, algorithm="kd_tree", copy=True).fit(rows)
    same_but_for_ties(ours.labels_, theirs.labels_, at_a_split(ours))


def test_max_cluster_size_is_that_of_scikit_learn() -> None:
    rows = blobs(500, d=2, seed=5)
    free = HDBSCAN(10).fit(rows)
    largest = np.bincount(free.labels_[free.labels_ >= 0]).max()
    ours = HDBSCAN(10, max_cluster_size=int(largest) - 1).fit(rows)
    theirs = sklearn.cluster.HDBSCAN(10, max_cluster_size=int(largest) - 1, copy=True).fit(rows)
    assert np.bincount(ours.labels_[ours.labels_ >= 0]).max() < largest
    same_but_for_ties(ours.labels_, theirs.labels_, at_a_split(ours))


@pytest.mark.parametrize("seed", range(6))
def test_dbscan_is_scikit_learns_up_to_border_rows(seed: int) -> None:
    rows = blobs(700, d=2 + seed % 3, seed=seed)
    rng = np.random.default_rng(seed)
    weights = None if seed % 2 else rng.integers(1, 4, size=len(rows)).astype(float)
    ours = DBSCAN(0.8, min_samples=6).fit(rows, sample_weight=weights)
    theirs = sklearn.cluster.DBSCAN(0.8, min_samples=6).fit(rows, sample_weight=weights)
    assert ours.labels_.max() > 0
    assert (ours.core_sample_indices_ == theirs.core_sample_indices_).all()
    assert (ours.components_ == theirs.components_).all()
    assert ((ours.labels_ < 0) == (theirs.labels_ < 0)).all()
    core = ours.core_sample_indices_
    assert adjusted_rand_score(ours.labels_[core], theirs.labels_[core]) == 1.0
    border = np.setdiff1d(np.flatnonzero(ours.labels_ >= 0), core)
    for row in border:
        distances = np.linalg.norm(ours.components_ - rows[row], axis=1)
        assert ours.labels_[row] == ours.labels_[core[distances.argmin()]]


def test_rings_are_found_where_k_means_cannot() -> None:
    rows = rings()
    wanted = (np.arange(len(rows)) % 4 == 0).astype(int)
    assert adjusted_rand_score(wanted, DBSCAN(0.8, min_samples=3).fit(rows).labels_) == 1.0
    assert adjusted_rand_score(wanted, HDBSCAN(20, min_samples=3).fit(rows).labels_) == 1.0


def test_labels_are_numbered_by_size() -> None:
    for model in (HDBSCAN(15), DBSCAN(1.0)):
        labels = model.fit(blobs()).labels_
        sizes = np.bincount(labels[labels >= 0])
        assert len(sizes) > 1
        assert (np.diff(sizes) <= 0).all()


def test_frames_of_every_kind_give_the_same_model() -> None:
    rows = blobs()
    names = ["a", "b", "c"]
    for estimator in (HDBSCAN(15), DBSCAN(1.0)):
        plain = estimator.fit(rows).labels_
        pandas = type(estimator)(**estimator.get_params()).fit(pd.DataFrame(rows, columns=names))
        polars = type(estimator)(**estimator.get_params()).fit(pl.DataFrame(rows, schema=names))
        assert list(pandas.feature_names_in_) == list(polars.feature_names_in_) == names
        assert (pandas.labels_ == plain).all()
        assert (polars.labels_ == plain).all()
        assert (polars.predict(pl.DataFrame(rows, schema=names)) == plain).all()


@pytest.mark.parametrize("estimator", [HDBSCAN(15), DBSCAN(1.0)])
def test_saved_and_loaded_it_predicts_the_same(estimator: HDBSCAN | DBSCAN) -> None:
    frame = pd.DataFrame(blobs(), columns=["a", "b", "c"])
    new = pd.DataFrame(blobs(seed=7), columns=["a", "b", "c"])
    estimator.fit(frame)
    for back in (
        pickle.loads(pickle.dumps(estimator)),
        type(estimator).from_json(estimator.to_json()),
    ):
        assert (back.labels_ == estimator.labels_).all()
        assert (back.predict(new) == estimator.predict(new)).all()
        assert list(back.feature_names_in_) == ["a", "b", "c"]
        assert back.n_features_in_ == 3
    text = json.loads(estimator.to_json())
    text["content"]["labels"].append(0)
    text["content"]["n_features"] = 2
    with pytest.raises(ModelFileError):
        type(estimator).from_json(json.dumps(text))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rows = blobs(9_000)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        found.append((HDBSCAN(25).fit(rows).to_json(), DBSCAN(0.6).fit(rows).to_json()))
    ilk.set_num_threads(0)
    assert found[0] == found[1] == found[2]


def test_the_condensed_tree_is_a_table() -> None:
    rows = blobs()
    model = HDBSCAN(15).fit(rows)
    tree = pd.DataFrame(model.condensed_tree_)
    assert list(tree.columns) == ["parent", "child", "lambda_val", "child_size"]
    n = len(rows)
    assert sorted(tree["child"][tree["child"] < n]) == list(range(n))
    assert tree["child_size"][tree["parent"] == n].sum() == n
    with pytest.raises(AttributeError, match="after fit"):
        HDBSCAN().condensed_tree_  # noqa: B018


def test_exemplars_are_the_surest_members() -> None:
    model = HDBSCAN(15).fit(blobs())
    assert len(model.exemplars_) == len(model.cluster_persistence_) == model.labels_.max() + 1
    for label, rows in enumerate(model.exemplars_):
        assert len(rows) > 0
        assert (model.labels_[rows] == label).all()
        assert (model.probabilities_[rows] == 1.0).all()


def test_outliers_score_higher_than_members() -> None:
    rows = np.vstack([blobs(noise=0.0), [[60.0, 60.0, 60.0]]])
    model = HDBSCAN(15).fit(rows)
    assert model.labels_[-1] == -1
    assert model.outlier_scores_[-1] == model.outlier_scores_.max() > 0.9
    assert np.median(model.outlier_scores_) < 0.6


def test_membership_of_training_rows_is_their_probability() -> None:
    rows = blobs()
    model = HDBSCAN(15).fit(rows)
    assert (model.membership(rows) == model.probabilities_).all()
    assert (model.predict(rows) == model.labels_).all()
    assert model.predict([[1e6, 0.0, 0.0]]).tolist() == [-1]


@pytest.mark.parametrize("estimator", [HDBSCAN(), DBSCAN()])
def test_no_cluster_is_a_warning(estimator: HDBSCAN | DBSCAN) -> None:
    rows = np.arange(12.0).reshape(-1, 1) ** 3
    with pytest.warns(NoClustersWarning, match="all 12 rows are noise"):
        assert (estimator.fit(rows).labels_ == -1).all()
    assert issubclass(NoClustersWarning, DataWarning)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (HDBSCAN(1), "min_cluster_size: found 1, but at least 2"),
        (HDBSCAN(5, min_samples=101), "min_samples=101 needs at least 101 rows"),
        (HDBSCAN(cluster_selection_epsilon=-1.0), "cluster_selection_epsilon"),
        (HDBSCAN(cluster_selection_method="best"), '"eom" or "leaf" is needed'),
        (HDBSCAN(max_cluster_size=0), "max_cluster_size"),
        (HDBSCAN(allow_single_cluster="no"), "allow_single_cluster: found 'no'"),
        (DBSCAN(0.0), "eps: found 0"),
        (DBSCAN(-1.0), "eps"),
        (DBSCAN(float("nan")), "eps"),
        (DBSCAN(min_samples=0), "min_samples"),
    ],
)
def test_parameters_out_of_range_are_named(estimator: HDBSCAN | DBSCAN, message: str) -> None:
    with pytest.raises(DataError, match=message):
        estimator.fit(blobs(100))


@pytest.mark.parametrize("estimator", [HDBSCAN(), DBSCAN()])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_or_too_large_are_named(estimator, value: float) -> None:
    frame = pd.DataFrame(blobs(50), columns=["a", "b", "c"])
    frame.loc[7, "b"] = value
    with pytest.raises(DataError, match='column "b", row 7'):
        type(estimator)().fit(frame)


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 3),
    values=st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e-200, 1e100, 3.5]), min_size=1),
    least=st.integers(2, 8),
    leaf=st.booleans(),
    single=st.booleans(),
)
@pytest.mark.filterwarnings("ignore::ilk.cluster.NoClustersWarning")
def test_hostile_rows_end_in_labels(rows, columns, values, least, leaf, single) -> None:
    data = np.resize(np.array(values), (rows, columns))
    model = HDBSCAN(
        least, cluster_selection_method="leaf" if leaf else "eom", allow_single_cluster=single
    ).fit(data)
    for found in (model.probabilities_, model.outlier_scores_):
        assert ((found >= 0) & (found <= 1)).all()
    assert (model.predict(data) == model.labels_).all()
    assert ((model.probabilities_ > 0) <= (model.labels_ >= 0)).all()
    dense = DBSCAN(1.0, min_samples=least).fit(data)
    assert (dense.predict(data) == dense.labels_).all()
