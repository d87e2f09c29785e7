"""K-prototypes: known results, laws, every kind of frame, gammas and ranks."""

from __future__ import annotations

import json
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from ilk.cluster import FewClustersWarning, KMeans, KPrototypes, UnknownCategoryWarning
from ilk.exceptions import DataError, DataWarning, MissingColumnError

FIRMS = pd.DataFrame(
    {
        "cap": [
            738.5, 369.5, 368.2, 346.7, 343.5, 282.4, 282.1, 279.7, 257.2, 205.2, 192.1, 195.7,
        ],
        "sector": [
            "tech", "nrg", "tech", "tech", "fin", "fin", "tel", "cons", "cons", "tel", "tech", "nrg",
        ],
        "country": ["USA"] * 6 + ["CN"] + ["USA"] * 4 + ["NL"],
    }
)  # fmt: skip


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


def test_twelve_firms_of_kmodes() -> None:
    model = KPrototypes(4, init="cao", random_state=0).fit(FIRMS)
    assert model.gamma_ == pytest.approx({"sector": 69.903336, "country": 69.903336}, abs=1e-6)
    assert model.cost_ == pytest.approx(1664.470855, abs=1e-6)
    # In the order a b c d of the firms, cluster 0 being the largest.
    assert model.labels_.tolist() == [3, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2]
    centroids = model.cluster_centroids_
    assert_allclose(centroids["cap"], [275.35, 356.975, 197.666667, 738.5], atol=1e-4)
    assert centroids["sector"].tolist() == ["cons", "tech", "nrg", "tech"]
    assert centroids["country"].tolist() == ["USA"] * 4
    assert list(centroids.columns) == list(FIRMS.columns)


def test_cost_is_not_above_that_of_kmodes() -> None:
    from kmodes.kprototypes import KPrototypes as Peer

    for seed in range(3):
        data = mixed(150, seed).assign(member=lambda df: df["member"].astype(str))
        peer = Peer(4, init="Huang", n_init=3, random_state=seed)
        peer.fit(data.to_numpy(object), categorical=[1, 3])
        ours = KPrototypes(4, gamma=peer.gamma, random_state=seed).fit(data)
        assert ours.cost_ <= peer.cost_ * (1 + 1e-9)


# Laws


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_weights_are_repeated_rows(seed: int, k: int) -> None:
    data = mixed(40, seed)
    weights = np.random.default_rng(seed).integers(0, 4, size=len(data))
    weights[:8] = 1
    model = KPrototypes(k, random_state=seed, n_init=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewClustersWarning)
        weighted = clone(model).fit(data, sample_weight=weights)
        repeated = clone(model).fit(data.loc[data.index.repeat(weights)])
    assert weighted.cost_ == pytest.approx(repeated.cost_, rel=1e-9)
    seen = data[weights > 0]
    assert_array_equal(weighted.predict(seen), repeated.predict(seen))


@pytest.mark.parametrize(
    "made", [pl.from_pandas, pa.Table.from_pandas, lambda df: df.to_dict("list")]
)
def test_frames_give_the_same_bits(made: Any) -> None:
    frame = mixed()
    frame.loc[::9, "spend"] = np.nan
    frame.loc[::7, "channel"] = None
    expected = KPrototypes(3, random_state=0).fit(frame)
    model = KPrototypes(3, random_state=0).fit(made(frame))
    assert model.to_json() == expected.to_json()
    assert_array_equal(model.predict(made(frame)), expected.labels_)
    assert type(model.cluster_centroids_) is type(made(frame))


def test_arrays_of_objects_are_read_by_column() -> None:
    frame = mixed()[["spend", "channel", "visits"]]
    expected = KPrototypes(3, random_state=0).fit(frame)
    for categorical in ("auto", [1], [-2]):
        model = KPrototypes(3, random_state=0, categorical=categorical).fit(frame.to_numpy(object))
        assert_array_equal(model.labels_, expected.labels_)


def test_without_categories_it_is_k_means() -> None:
    data = np.random.default_rng(0).normal(size=(300, 4)).round(2)
    numbers = KMeans(3, init=data[:3]).fit(data)
    model = KPrototypes(3, init=data[:3]).fit(data)
    assert_array_equal(model.labels_, numbers.labels_)
    assert model.cost_ == pytest.approx(numbers.inertia_)
    assert_allclose(model.transform(data), numbers.transform(data))


@given(st.integers(0, 10_000), st.sampled_from(["auto", "variance"]))
def test_a_constant_column_changes_nothing(seed: int, gamma: Any) -> None:
    data = mixed(60, seed).astype({"member": str})
    wider = data.assign(one=0.1, same="x")
    model = KPrototypes(3, gamma=gamma, random_state=seed, n_init=2).fit(data)
    other = clone(model).fit(wider)
    assert_array_equal(model.labels_, other.labels_)
    assert other.cost_ == pytest.approx(model.cost_, rel=1e-9)
    assert {name: other.gamma_[name] for name in model.gamma_} == pytest.approx(model.gamma_)


# Parameters


def test_gamma_by_column() -> None:
    frame = mixed()
    auto = KPrototypes(3, random_state=0).fit(frame)
    model = KPrototypes(3, gamma={"channel": 2.5}, random_state=0).fit(frame)
    expected = 0.5 * frame[["spend", "visits"]].std(ddof=0).mean()
    assert auto.gamma_ == pytest.approx({"channel": expected, "member": expected})
    assert model.gamma_ == {"channel": 2.5, "member": pytest.approx(expected)}
    with pytest.raises(DataError, match="gamma: found 'spend'"):
        KPrototypes(3, gamma={"spend": 1.0}).fit(frame)


@pytest.mark.parametrize("init", ["k-means++", "huang", "cao", "random"])
def test_starts_end_well(init: str) -> None:
    frame = mixed()
    best = KPrototypes(3, n_init=30, random_state=0).fit(frame).cost_
    cost = KPrototypes(3, init=init, random_state=0).fit(frame).cost_
    assert best <= cost <= best * 1.3


def test_given_rows_keep_their_order() -> None:
    frame = mixed()
    start = frame.iloc[[5, 17, 3]]
    model = KPrototypes(3, init=start, max_iter=1).fit(frame)
    again = KPrototypes(3, init=pl.from_pandas(start), max_iter=1).fit(frame)
    assert_array_equal(model.labels_, again.labels_)
    with pytest.raises(DataError, match='"fax" in init'):
        KPrototypes(3, init=start.assign(channel="fax")).fit(frame)
    with pytest.raises(DataError, match="init"):
        KPrototypes(2, init=start).fit(frame)


def test_categorical_by_name() -> None:
    frame = mixed()
    model = KPrototypes(3, categorical=["channel", "visits", "member"], random_state=0).fit(frame)
    assert all(isinstance(value, str) for value in model.cluster_centroids_["visits"])
    with pytest.raises(MissingColumnError, match='did you mean "channel"'):
        KPrototypes(3, categorical=["chanel"]).fit(frame)
    with pytest.raises(DataError, match=r"try: categorical=\['channel'\]"):
        KPrototypes(3, categorical="channel").fit(frame)


def test_unknown_categories_are_told() -> None:
    frame = mixed()
    model = KPrototypes(3, random_state=0).fit(frame)
    new = frame.head(3).assign(channel=["web", "fax", "telex"])
    with pytest.warns(UnknownCategoryWarning, match=r"'channel', row 1: category 'fax' .*2 such"):
        labels = model.predict(new)
    assert_array_equal(labels[:1], model.predict(frame.head(1)))
    with pytest.raises(DataError, match="'fax'"):
        model.set_params(unknown="error").predict(new)
    assert_array_equal(model.set_params(unknown="ignore").predict(new), labels)


def test_a_row_without_any_value_is_told() -> None:
    frame = mixed()
    frame["member"] = frame["member"].astype(object)
    frame.loc[4] = [np.nan, None, np.nan, None]
    with pytest.warns(DataWarning, match="1 rows have no value"):
        model = KPrototypes(3, random_state=0).fit(frame)
    assert model.labels_[4] == 0


def test_missing_values_are_not_filled_in() -> None:
    frame = mixed()
    holes = frame.copy()
    holes.loc[:19, "spend"] = np.nan
    model = KPrototypes(3, random_state=0).fit(holes)
    centroids = model.cluster_centroids_
    for cluster in range(3):
        seen = holes.loc[model.labels_ == cluster, "spend"].mean()
        assert centroids["spend"][cluster] == pytest.approx(seen)


def test_gamma_by_variance_is_that_of_lambdaest() -> None:
    frame = mixed().assign(tier=pd.Categorical(["b", "a"] * 100, ["a", "b"], ordered=True))
    model = KPrototypes(3, gamma="variance", random_state=0).fit(frame)
    variance = frame[["spend", "visits"]].var(ddof=0).mean()
    shares = {name: frame[name].value_counts(normalize=True) for name in ("channel", "member")}
    expected = {name: variance / (1 - (share**2).sum()) for name, share in shares.items()}
    assert model.gamma_ == pytest.approx(expected | {"tier": variance / 0.25})
    assert list(model.gamma_) == ["channel", "member", "tier"]
    with pytest.raises(DataError, match='gamma: found \'mean\', but "auto", "variance"'):
        KPrototypes(3, gamma="mean").fit(frame)  # type: ignore[arg-type]


# Ordered categories

SIZES = ["small", "medium", "large"]


def sized(n: int = 120) -> pd.DataFrame:
    """Give customers of three sizes, in the order of which spending grows."""
    rng = np.random.default_rng(1)
    size = rng.integers(3, size=n)
    return pd.DataFrame(
        {
            "size": pd.Categorical([SIZES[code] for code in size], SIZES, ordered=True),
            "spend": size + rng.normal(scale=0.4, size=n),
            "channel": rng.choice(["web", "shop"], size=n),
        }
    )


def test_ordered_categories_count_by_rank() -> None:
    frame = sized()
    model = KPrototypes(3, gamma=0.5, random_state=0).fit(frame)
    assert model.gamma_ == {"size": 0.5, "channel": 0.5}
    numbers = frame.assign(size=frame["size"].cat.codes / 2 * np.sqrt(0.5))
    expected = KPrototypes(3, gamma=0.5, random_state=0).fit(numbers)
    assert_array_equal(model.labels_, expected.labels_)
    assert model.cost_ == pytest.approx(expected.cost_)
    assert_allclose(
        model.cluster_centroids_["size"], expected.cluster_centroids_["size"] / np.sqrt(0.5)
    )
    assert_array_equal(model.predict(frame), model.labels_)
    for again in (pickle.loads(pickle.dumps(model)), KPrototypes.from_json(model.to_json())):
        assert_array_equal(again.predict(frame), model.labels_)
        assert again.gamma_ == model.gamma_


def test_the_order_may_come_from_any_frame() -> None:
    frame = sized()
    expected = KPrototypes(3, random_state=0).fit(frame)
    text = frame.assign(size=frame["size"].astype(str))
    enum = pl.from_pandas(text).with_columns(pl.col("size").cast(pl.Enum(SIZES)))
    by_mapping = KPrototypes(3, ordinal={"size": SIZES}, random_state=0)
    for model in (KPrototypes(3, random_state=0).fit(enum), by_mapping.fit(text)):
        assert_array_equal(model.labels_, expected.labels_)
        assert json.loads(model.to_json()) == json.loads(expected.to_json())
    with pytest.raises(DataError, match=r"'?\"size\", whose categories have no order.*ordinal="):
        KPrototypes(3, ordinal=["size"]).fit(text)
    with pytest.raises(DataError, match='found "large", but one of small < medium'):
        KPrototypes(3, ordinal={"size": SIZES[:2]}).fit(text)
    with pytest.raises(DataError, match="'small' twice"):
        KPrototypes(3, ordinal={"size": ["small", "small"]}).fit(text)


def test_ordered_categories_are_plain_ones_on_request() -> None:
    frame = sized()
    expected = KPrototypes(3, random_state=0).fit(frame.assign(size=frame["size"].astype(str)))
    for parameters in ({"ordinal": []}, {"categorical": ["size", "channel"]}):
        model = KPrototypes(3, random_state=0, **parameters).fit(frame)
        assert_array_equal(model.labels_, expected.labels_)
        assert model.cost_ == pytest.approx(expected.cost_)
    with pytest.raises(DataError, match=r"'size', which is among .*try: categorical=\['channel'\]"):
        KPrototypes(3, categorical=["size", "channel"], ordinal=["size"]).fit(frame)
    with pytest.raises(MissingColumnError, match='did you mean "size"'):
        KPrototypes(3, ordinal=["sise"]).fit(frame)
    with pytest.raises(DataError, match=r"0.0 for the ordinal column \"size\"|0 for the ordinal"):
        KPrototypes(3, gamma=0.0).fit(frame)


def test_numbers_named_ordinal_count_by_rank() -> None:
    frame = pd.DataFrame({"visits": [1, 1, 2, 1000], "spend": [0.0, 0.1, 0.2, 0.3]})
    model = KPrototypes(1, ordinal=["visits"]).fit(frame)
    assert model.cluster_centroids_["visits"].tolist() == [(0 + 0 + 0.5 + 1) / 4]


def test_an_unseen_rank_is_missing() -> None:
    frame = sized()
    model = KPrototypes(3, random_state=0).fit(frame)
    new = frame.head(2).assign(size=["huge", "small"])
    with pytest.warns(UnknownCategoryWarning, match=r"'size', row 0: category 'huge'.*as missing"):
        labels = model.predict(new)
    missing = frame.head(2).assign(size=[None, "small"])
    assert_array_equal(labels, model.predict(missing))
