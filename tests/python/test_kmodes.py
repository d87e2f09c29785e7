"""K-modes: against the package kmodes, laws, frames, missing and unseen values, and what bad input is told."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone

import ilk
from ilk.cluster import FewClustersWarning, KModes, KPrototypes, UnknownCategoryWarning
from ilk.exceptions import DataError, DataWarning, MissingColumnError, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path


def answers(n: int = 200, m: int = 5, categories: int = 4, seed: int = 0) -> pd.DataFrame:
    """Give rows in overlapping groups of like answers."""
    rng = np.random.default_rng(seed)
    typical = (rng.integers(3, size=(n, 1)) + np.arange(m)) % categories
    codes = np.where(rng.random((n, m)) < 0.6, typical, rng.integers(categories, size=(n, m)))
    return pd.DataFrame(np.array(list("abcdefghij"))[codes], columns=[f"q{j}" for j in range(m)])


def to_dict(frame: Any) -> dict[str, Any]:
    """Give the columns of any kind of frame as lists."""
    if isinstance(frame, pa.Table):
        return dict(frame.to_pydict())
    return {name: list(frame[name]) for name in getattr(frame, "columns", frame)}


def by_kmodes(data: pd.DataFrame, k: int, **parameters: Any) -> Any:
    from kmodes.kmodes import KModes as Peer

    return Peer(k, **parameters).fit(data.to_numpy(object))


# Against kmodes


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_cao_starts_from_the_modes_of_kmodes(seed: int, k: int) -> None:
    from kmodes.util.dissim import matching_dissim
    from kmodes.util.init_methods import init_cao

    # Sorted, so that both find the same first of equals; powers of two, so that its densities are exact.
    data = answers(64, 4, seed=seed).sort_values(["q0", "q1", "q2", "q3"], ignore_index=True)
    assume(len(data.drop_duplicates()) > k)
    start = pd.DataFrame(init_cao(data.to_numpy(object), k, matching_dissim), columns=data.columns)
    for steps in (1, 300):
        ours = KModes(k, init="cao", max_iter=steps).fit(data)
        same = KModes(k, init=start, max_iter=steps).fit(data)
        assert ours.cost_ == same.cost_
        modes = [sorted(model.cluster_centroids_.to_numpy().tolist()) for model in (ours, same)]
        assert modes[0] == modes[1]


@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from(["Huang", "Cao", "random"]))
def test_no_worse_than_where_kmodes_ends(seed: int, k: int, init: str) -> None:
    data = answers(80, 5, seed=seed)
    peer = by_kmodes(data, k, init=init, n_init=1, random_state=seed)
    start = pd.DataFrame(peer.cluster_centroids_, columns=data.columns)
    assume(len(start) == k)
    assert KModes(k, init=start).fit(data).cost_ <= peer.cost_
    assert -KModes(k, init=start, max_iter=1).fit(data).cost_ >= -peer.cost_


def test_costs_from_the_same_starts_are_not_above_those_of_kmodes() -> None:
    ours, theirs = 0.0, 0.0
    for seed in range(40):
        data = answers(150, 6, seed=seed)
        codes = data.apply(lambda column: column.astype("category").cat.codes)
        start = np.random.default_rng(seed).choice(len(data), 4, replace=False)
        peer = by_kmodes(data, 4, init=codes.to_numpy()[start], n_init=1)
        theirs += peer.cost_
        ours += KModes(4, init=data.iloc[start]).fit(data).cost_
    assert ours <= theirs


def test_the_best_of_ten_starts_is_not_above_one_of_kmodes() -> None:
    for seed in range(10):
        data = answers(150, 5, seed=seed)
        peer = by_kmodes(data, 4, init="Huang", n_init=1, random_state=seed)
        assert KModes(4, random_state=seed).fit(data).cost_ <= peer.cost_


def test_many_clusters_need_no_luck() -> None:
    # kmodes gives up with "clustering algorithm could not initialize" on such data.
    data = answers(60, 3, categories=3, seed=1)
    k = len(data.drop_duplicates())
    for init in ("k-means++", "huang", "cao"):
        model = KModes(k, init=init, random_state=0).fit(data)
        assert model.cost_ == 0.0
        assert len(set(model.labels_)) == k


# Laws


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_weights_are_repeated_rows(seed: int, k: int) -> None:
    data = answers(40, 4, seed=seed)
    weights = np.random.default_rng(seed).integers(0, 4, size=len(data))
    weights[:8] = 1
    model = KModes(k, random_state=seed, n_init=2)
    weighted = clone(model).fit(data, sample_weight=weights)
    repeated = clone(model).fit(data.loc[data.index.repeat(weights)])
    assert weighted.cost_ == repeated.cost_
    assert_array_equal(np.repeat(weighted.labels_, weights), repeated.labels_)


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_order_of_rows_and_names_of_categories_do_not_matter(seed: int, k: int) -> None:
    data = answers(80, 4, seed=seed)
    order = np.random.default_rng(seed).permutation(len(data))
    one = KModes(k, random_state=seed, n_init=3).fit(data)
    other = KModes(k, random_state=seed, n_init=3).fit(
        data.iloc[order].map(lambda a: f"answer {a}")
    )
    assert_array_equal(one.labels_[order], other.labels_)
    assert one.cost_ == other.cost_


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_training_rows_are_predicted_as_labelled(seed: int, k: int) -> None:
    data = answers(90, 4, seed=seed).mask(np.random.default_rng(seed).random((90, 4)) < 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = KModes(k, random_state=seed, n_init=2).fit(data)
        assert_array_equal(model.predict(data), model.labels_)
    distances = model.transform(data)
    modes = model.cluster_centroids_.to_numpy()
    differ = (data.to_numpy()[:, None, :] != modes[None]) & data.notna().to_numpy()[:, None, :]
    assert_array_equal(distances, differ.sum(axis=2))
    assert_array_equal(distances.argmin(axis=1), model.labels_)
    assert distances.min(axis=1).sum() == model.cost_ == -model.score(data)
    assert (np.diff(np.bincount(model.labels_, minlength=k)) <= 0).all()


def test_threads_do_not_change_a_bit() -> None:
    data = answers(20_000)
    weights = np.random.default_rng(0).random(20_000)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        models = [KModes(4, random_state=0).fit(data, sample_weight=w) for w in (None, weights)]
        found.append([model.to_json() for model in models])
    assert found[0] == found[1] == found[2]


def test_it_is_k_prototypes_without_numbers() -> None:
    data = answers()
    model = KModes(3, random_state=0).fit(data)
    both = KPrototypes(3, random_state=0).fit(data)
    assert both.gamma_ == dict.fromkeys(data.columns, 1.0)
    assert_array_equal(model.labels_, both.labels_)
    np.testing.assert_allclose(model.transform(data), both.transform(data) ** 2)


# Frames


@pytest.mark.parametrize(
    "made",
    [
        pl.from_pandas,
        lambda df: pl.from_pandas(df).lazy(),
        pa.Table.from_pandas,
        lambda df: df.to_dict("list"),
        lambda df: df.astype("category"),
    ],
)
def test_frames_give_the_same_model(made: Any) -> None:
    frame = answers()
    frame.loc[::7, "q1"] = None
    model = KModes(3, random_state=0).fit(frame)
    other = KModes(3, random_state=0).fit(made(frame))
    assert other.to_json() == model.to_json()
    assert_array_equal(other.predict(made(frame)), model.labels_)
    assert pd.DataFrame(to_dict(other.cluster_centroids_)).equals(model.cluster_centroids_)


def test_columns_are_found_by_name() -> None:
    frame = answers()
    model = KModes(3, random_state=0).fit(pl.from_pandas(frame))
    turned = pl.from_pandas(frame[frame.columns[::-1]]).with_columns(more=pl.lit("x"))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(turned)
    as_dict = {name: list(frame[name]) for name in reversed(frame.columns)} | {"more": ["x"] * 200}
    assert_array_equal(KModes.from_json(model.to_json()).predict(as_dict), model.labels_)
    del as_dict["q2"]
    with pytest.raises(MissingColumnError, match="q2"):
        model.predict(as_dict)


def test_numbers_flags_and_ordered_categories_are_categories() -> None:
    frame = pd.DataFrame(
        {
            "visits": [1, 1, 1, 30, 30],
            "member": [True, True, True, False, False],
            "size": pd.Categorical(["s", "s", "m", "l", "l"], ["s", "m", "l"], ordered=True),
        }
    )
    model = KModes(2, random_state=0).fit(frame)
    assert model.labels_.tolist() == [0, 0, 0, 1, 1]
    assert model.cost_ == 1.0
    assert model.cluster_centroids_["visits"].tolist() == ["1", "30"]
    assert model.cluster_centroids_["size"].tolist() == ["s", "l"]
    rows = KModes(2, random_state=0).fit(frame.to_numpy(object))
    assert_array_equal(rows.labels_, model.labels_)


def test_missing_values_count_nowhere() -> None:
    frame = pd.DataFrame({"a": ["x", "x", None, "y", "y"], "b": ["p", None, "p", "q", "q"]})
    model = KModes(2, random_state=0).fit(frame)
    assert model.labels_.tolist() == [0, 0, 0, 1, 1]
    assert model.cost_ == 0.0
    frame.loc[1] = None
    with pytest.warns(DataWarning, match="1 rows have no value"):
        assert KModes(2, random_state=0).fit(frame).labels_[1] == 0


def test_unseen_categories_are_told() -> None:
    frame = answers()
    model = KModes(3, random_state=0).fit(frame)
    new = frame.head(3).assign(q1=["z", "z", "a"])
    with pytest.warns(UnknownCategoryWarning, match=r"'q1', row 0: category 'z' .*2 such.*differs"):
        labels = model.predict(new)
    with pytest.raises(DataError, match="'z'"):
        model.set_params(unknown="error").predict(new)
    model.set_params(unknown="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(model.predict(new), labels)
        assert (model.transform(new)[:2] >= 1).all()


def test_columns_of_numbers_in_which_no_two_rows_agree_are_told() -> None:
    frame = answers(60).assign(spend=np.r_[np.arange(31) + 0.5, np.repeat(99.0, 29)])
    with pytest.warns(
        DataWarning, match=r"'spend': 31 of 60 rows.*KPrototypes, or df\['spend'\] = "
    ):
        KModes(2, random_state=0).fit(frame)
    gaps = frame.assign(spend=frame["spend"].where(frame["spend"] != 99))
    with pytest.warns(DataWarning, match="'spend': 31 of 31 rows"):
        KModes(2, random_state=0).fit(gaps)


def test_numbers_that_rows_share_and_few_rows_and_text_are_not_told_of() -> None:
    half = np.r_[np.arange(30) + 0.5, np.repeat(99.0, 30)]
    KModes(2, random_state=0).fit(answers(60).assign(spend=half, text=[f"t{i}" for i in range(60)]))
    KModes(2, random_state=0).fit(answers(19).assign(spend=np.arange(19)))
    KPrototypes(2, random_state=0).fit(answers(60).assign(spend=np.arange(60)))


def test_an_array_has_the_columns_of_the_fit_in_their_order() -> None:
    frame = answers()
    model = KModes(3, random_state=0).fit(frame)
    with pytest.warns(UserWarning, match="valid feature names"):
        assert_array_equal(model.predict(frame.to_numpy()), model.labels_)


# Saving


def test_saved_models_predict_the_same() -> None:
    frame = answers()
    model = KModes(3, random_state=0).fit(frame)
    for again in (pickle.loads(pickle.dumps(model)), KModes.from_json(model.to_json())):
        assert_array_equal(again.predict(frame), model.labels_)
        assert list(again.feature_names_in_) == list(frame.columns)
        assert again.to_json() == model.to_json()
    with pytest.raises(ModelFileError, match='"kmodes"'):
        KPrototypes.from_json(model.to_json())
    with pytest.raises(ModelFileError):
        KModes.from_json(model.to_json().replace('"gamma":[1.0', '"gamma":[2.0'))


# Bad input and hostile data


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters: found 0"),
        ({"n_clusters": 201}, "n_samples=200"),
        ({"n_init": 0}, "n_init: found 0"),
        ({"max_iter": -1}, "max_iter: found -1"),
        ({"init": "best"}, 'init: found "best"'),
        ({"init": [["a"] * 5] * 2}, "init"),
        ({"init": [["z"] * 5] * 3}, '"z" in init'),
        ({"init": [[None, "a", "a", "a", "a"]] * 3}, "init"),
        ({"unknown": "guess"}, "unknown: found 'guess'"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        KModes(**({"n_clusters": 3} | parameters)).fit(answers())


def test_a_column_without_any_value_is_refused() -> None:
    with pytest.raises(DataError, match=r'"q1"\'?: found no value.*try: df = df.drop'):
        KModes(2).fit(answers().assign(q1=None))


def test_fewer_different_rows_than_clusters_is_told() -> None:
    frame = pd.DataFrame({"a": ["x", "y"] * 5, "b": ["p", "q"] * 5})
    for init in ("k-means++", "huang", "cao", "random"):
        with pytest.warns(FewClustersWarning, match="found 2 clusters, not n_clusters=4"):
            model = KModes(4, init=init).fit(frame)
        assert model.cost_ == 0.0


def test_a_category_for_every_row() -> None:
    n = 65_537
    frame = pl.DataFrame({"id": np.arange(n), "group": np.arange(n) % 3 == 0})
    with pytest.warns(DataWarning, match="'id': 65537 of 65537 rows"):
        model = KModes(2, init=frame[[1, 0]], max_iter=5).fit(frame)
    assert_array_equal(model.labels_, frame["group"].to_numpy())
    assert model.cost_ == n - 2


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b", None]), min_size=2, max_size=2), min_size=1, max_size=9
    ),
    st.integers(1, 5),
    st.sampled_from(["k-means++", "huang", "cao", "random"]),
    st.sampled_from([0.0, 1.0, 1e-300, 1e300]),
)
def test_hostile_data_ends_in_an_error_or_a_model(
    data: list[list[str | None]], k: int, init: str, weight: float
) -> None:
    frame = pd.DataFrame(data, columns=["p", "q"], dtype=object)
    weights = np.ones(len(frame))
    weights[0] = weight
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = KModes(k, init=init, random_state=0).fit(frame, sample_weight=weights)
        except ValueError:  # Ours, and scikit-learn's where no row has a weight.
            return
        assert np.isfinite(model.cost_)
        assert model.cost_ >= 0
        assert_array_equal(model.predict(frame), model.labels_)


@pytest.mark.realdata
def test_the_motives_of_fast_food_customers(realdata: Path) -> None:
    eaten = pd.read_csv(realdata / "mcdonalds_msa.csv.gz").iloc[:, :11]
    model = KModes(4, n_init=20, random_state=0).fit(eaten)
    peer = by_kmodes(eaten, 4, init="Huang", n_init=3, random_state=0)
    assert model.cost_ <= peer.cost_
