"""Segments: how many, who is in which, what marks them, and what can be done with them."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

import ilk
from ilk.exceptions import DataError, DataWarning, MissingColumnError, ModelFileError

FEATURES = [
    "age",
    "income",
    "household",
    "visits_per_month",
    "basket_value",
    "discount_share",
    "private_label_share",
    "channel",
]


@pytest.fixture(scope="module")
def market() -> Any:
    return ilk.datasets.make_market(1500, random_state=3, as_frame="pandas")


@pytest.fixture(scope="module")
def found(market: Any) -> ilk.Segmentation:
    return ilk.segment(market.customers, FEATURES, random_state=0)


def blobs(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    centre = rng.integers(0, 3, n)
    return pd.DataFrame({"x": rng.normal(8 * centre, 1), "y": rng.normal(-5 * centre, 1)})


def test_planted_segments_are_found_with_their_number(market: Any, found: Any) -> None:
    assert found.k == 4
    assert found.method == "kprototypes"
    assert adjusted_rand_score(market.truth.segment, found.codes) > 0.9


def test_number_of_segments_is_shown_with_its_evidence(found: Any) -> None:
    evidence = found.evidence
    assert list(evidence["k"]) == list(range(2, 10))
    assert evidence.loc[evidence["chosen"], "k"].tolist() == [found.k]
    assert str(found.k) in found.reason
    assert found.reason in found.explain()


def test_data_without_groups_is_said_to_have_none() -> None:
    noise = pd.DataFrame(np.random.default_rng(1).uniform(size=(400, 6))).add_prefix("x")
    with pytest.warns(DataWarning, match="not as groups that exist"):
        found = ilk.segment(noise, random_state=0)
    assert "no number of segments repeats" in found.reason


def test_same_seed_gives_the_same_segments_for_any_number_of_threads(market: Any) -> None:
    texts = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        texts.append(ilk.segment(market.customers, FEATURES, random_state=5, k_max=4).to_json())
    assert texts[0] == texts[1] == texts[2]


def test_every_kind_of_frame_gives_the_same_segments(market: Any, found: Any) -> None:
    customers = market.customers[FEATURES]
    polars = pl.from_pandas(customers)
    for frame in (polars, polars.lazy(), customers.convert_dtypes(dtype_backend="pyarrow")):
        other = ilk.segment(frame, random_state=0)
        assert np.array_equal(other.codes, found.codes)


def test_labels_come_in_the_kind_and_index_that_went_in(market: Any) -> None:
    customers = market.customers[FEATURES].set_axis(range(5000, 6500))
    labels = ilk.segment(customers, k=3, random_state=0).labels
    assert isinstance(labels, pd.Series)
    assert labels.index.equals(customers.index)
    assert labels.dtype == "category"
    labels = ilk.segment(pl.from_pandas(customers), k=3, random_state=0).labels
    assert isinstance(labels, pl.Series)
    assert labels.dtype == pl.Enum(["segment 1", "segment 2", "segment 3"])


def test_numbers_alone_are_segmented_by_k_means() -> None:
    iris = load_iris().data
    found = ilk.segment(iris, k=3, scale="none", random_state=0)
    assert found.method == "kmeans"
    model = ilk.KMeans(n_clusters=3, n_init=10, random_state=0).fit(iris)
    assert np.array_equal(np.bincount(found.codes), np.bincount(model.labels_))
    assert model.inertia_ == pytest.approx(78.851441, rel=1e-6)


@pytest.mark.parametrize("method", ["kmeans", "gaussian_mixture", "latent_class"])
def test_every_method_saves_predicts_and_merges(method: Any) -> None:
    data = blobs()
    if method == "latent_class":
        data = (data > data.median()).astype(int)
    found = ilk.segment(data, method=method, k=3, random_state=0)
    assert found.method == method
    assert list(found.sizes.values()) == sorted(found.sizes.values(), reverse=True)
    back = ilk.Segmentation.from_json(found.to_json())
    assert back.codes.tolist() == found.codes.tolist()
    assert list(back.predict(data)) == list(found.labels)
    assert sum(back.limit(2).sizes.values()) == len(data)
    assert json.loads(found.to_json())["content"]["origin"]["clustering"]["model"]["labels"] == []


@pytest.mark.parametrize("method", ["gaussian_mixture", "latent_class"])
def test_evidence_of_a_likelihood_is_its_bic(method: Any) -> None:
    data = blobs()
    if method == "latent_class":
        data = data.rank(pct=True).mul(4).round().astype(int).astype("category")
    found = ilk.segment(data, method=method, random_state=0, k_max=4)
    evidence = found.evidence
    assert evidence.loc[evidence["chosen"], "bic"].item() == evidence["bic"].min()
    assert "lowest BIC" in found.reason


def test_a_method_that_cannot_take_a_column_says_what_can() -> None:
    data = blobs()
    with pytest.raises(
        DataError, match=r'"gaussian_mixture", but there are categories .*kprototypes'
    ):
        ilk.segment(data.assign(c=["x", "y"] * 150), method="gaussian_mixture")
    with pytest.raises(DataError, match=r'column "x": found 300 different values.*pd\.qcut'):
        ilk.segment(data, ["x"], method="latent_class")
    with pytest.warns(DataWarning, match="latent classes take categories"):
        found = ilk.segment(data.assign(c=["u", "v"] * 150), method="latent_class", k=2)
    assert [feature["name"] for feature in found.preparation] == ["c"]


def test_fewer_segments_than_asked_for_can_be_saved() -> None:
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0] * 10, "y": [1.0, 2.0, 5.0] * 10})
    with pytest.warns(DataWarning, match="only 3 segments were found"):
        found = ilk.segment(data, k=5, random_state=0)
    back = ilk.Segmentation.from_json(found.to_json())
    assert back.sizes == {"segment 1": 10, "segment 2": 10, "segment 3": 10}
    assert list(back.predict(data)) == list(found.labels)


def test_largest_segment_comes_first(found: Any) -> None:
    sizes = list(found.sizes.values())
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 1500


def test_training_customers_are_predicted_into_their_segments(market: Any, found: Any) -> None:
    predicted = found.predict(market.customers)
    assert (predicted == found.labels).all()
    few = found.predict(pl.from_pandas(market.customers).head(7))
    assert few.to_list() == found.labels.head(7).tolist()


def test_unknown_category_is_warned_of(market: Any, found: Any) -> None:
    new = market.customers.head(3).copy()
    new["channel"] = "fax"
    with pytest.warns(DataWarning, match=r"'channel': 3 rows hold a category"):
        found.predict(new)


def test_customer_without_any_value_has_no_segment(market: Any) -> None:
    customers = market.customers[["age", "channel"]].astype({"age": float, "channel": object})
    customers.loc[3, ["age", "channel"]] = None
    found = ilk.segment(customers, k=2, random_state=0)
    assert found.codes[3] == -1
    assert found.labels.isna().sum() == 1
    assert found.manifest["left_out"] == [{"reason": "no feature has a value", "rows": 1}]


def test_missing_values_follow_the_policy(market: Any) -> None:
    customers = market.customers
    missing = int(customers["income"].isna().sum())
    assert missing > 0
    kept = ilk.segment(customers, ["age", "income"], k=2, random_state=0)
    assert kept.manifest["rows_used"] == 1500
    dropped = ilk.segment(customers, ["age", "income"], k=2, missing="drop", random_state=0)
    assert dropped.manifest["rows_used"] == 1500 - missing
    with pytest.raises(DataError, match=r'column "income", row \d+: found a missing value'):
        ilk.segment(customers, ["age", "income"], k=2, missing="error", random_state=0)


def test_what_is_not_a_feature_is_left_out_with_a_warning() -> None:
    frame = blobs().assign(
        customer_id=range(300), note=[f"text {i}" for i in range(300)], constant=1, nothing=np.nan
    )
    with pytest.warns(DataWarning) as warned:
        found = ilk.segment(frame, k=3, random_state=0)
    told = " ".join(str(warning.message) for warning in warned)
    for reason in (
        "'customer_id' is not used: it looks like an identifier",
        "'note'",
        "'constant'",
    ):
        assert reason in told
    assert [feature["name"] for feature in found.preparation] == ["x", "y"]


def test_long_tails_are_logged_unless_told_otherwise() -> None:
    spend = np.random.default_rng(0).lognormal(3, 1.2, 500)
    frame = pd.DataFrame({"spend": spend, "age": np.linspace(20, 70, 500)})
    auto = ilk.segment(frame, k=2, random_state=0).preparation
    assert [feature["log_unit"] is not None for feature in auto] == [True, False]
    plain = ilk.segment(frame, k=2, scale="standard", random_state=0).preparation
    assert [feature["log_unit"] for feature in plain] == [None, None]


def test_scaling_a_column_changes_nothing(market: Any, found: Any) -> None:
    customers = market.customers[FEATURES].copy()
    customers["income"] *= 1024
    assert np.array_equal(ilk.segment(customers, random_state=0).codes, found.codes)


def test_weights_count_as_repeated_customers() -> None:
    frame = blobs(60)
    frame["w"] = np.arange(60) % 3 + 1
    weighted = ilk.segment(frame, ["x", "y"], k=3, weights="w", scale="none", random_state=0)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    whole = ilk.segment(repeated, ["x", "y"], k=3, scale="none", random_state=0)
    assert weighted.to_dict()["share"] == pytest.approx(whole.to_dict()["share"])


def test_one_segment_that_holds_nearly_all_is_warned_of() -> None:
    frame = pd.DataFrame({"x": [*np.linspace(0, 1, 99), 1e6], "y": np.linspace(0, 1, 100)})
    with pytest.warns(DataWarning, match="holds 99 % of the customers"):
        ilk.segment(frame, k=2, scale="standard", random_state=0)


def test_one_column_that_dominates_is_warned_of() -> None:
    frame = blobs().assign(y=lambda f: f["y"] / 100, z=0.01)
    frame["z"] += np.random.default_rng(0).normal(0, 0.01, 300)
    with pytest.warns(DataWarning, match='"x" alone gives 100 % of the separation'):
        ilk.segment(frame, k=3, scale="none", random_state=0)


def test_profile_holds_means_and_shares(market: Any, found: Any) -> None:
    profile = found.profile().to_pandas().set_index(["feature", "level", "segment"])
    first = market.customers[(found.labels == "segment 1").to_numpy()]
    row = profile.loc[("age", "", "segment 1")]
    assert row["value"] == pytest.approx(first["age"].mean())
    assert row["overall"] == pytest.approx(market.customers["age"].mean())
    share = profile.loc[("channel", "web", "segment 1"), "value"]
    assert share == pytest.approx((first["channel"] == "web").mean())


def test_v_tests_are_those_of_catdes() -> None:
    iris = load_iris(as_frame=True)
    found = ilk.segment(iris.data, k=3, scale="none", random_state=0)
    # k-means finds setosa exactly, as the second largest of 62, 50 and 38.
    setosa = (found.labels == "segment 2").to_numpy()
    assert (iris.target[setosa] == 0).all()
    assert setosa.sum() == 50
    profile = found.profile().to_pandas()
    v_test = profile[profile["segment"] == "segment 2"].set_index("feature")["v_test"]
    expected = {
        "sepal width (cm)": 7.3647988,
        "sepal length (cm)": -8.7571743,
        "petal width (cm)": -10.8314102,
        "petal length (cm)": -11.2637870,
    }
    for feature, value in expected.items():
        assert v_test[feature] == pytest.approx(value, rel=1e-6)


def test_merged_segments_add_up(found: Any, market: Any) -> None:
    fewer = found.limit(2)
    assert fewer.k == 2
    assert sum(fewer.sizes.values()) == 1500
    assert (fewer.predict(market.customers) == fewer.labels).all()
    by_hand = found.merge(["segment 1", "segment 3"])
    assert by_hand.k == found.k - 1
    together = by_hand.sizes["segment 1 + segment 3"]
    assert together == found.sizes["segment 1"] + found.sizes["segment 3"]
    assert "4 segments were put together into 3" in by_hand.manifest["notes"]


def test_names_can_be_changed_one_by_one_or_all(found: Any) -> None:
    assert found.rename({"segment 2": "two"}).names[1] == "two"
    assert found.rename(list("abcd")).names == ["a", "b", "c", "d"]
    assert found.names[1] == "segment 2"
    with pytest.raises(DataError, match="names: found 'nobody', but the segments are"):
        found.rename({"nobody": "x"})
    with pytest.raises(DataError, match="names must be different"):
        found.rename(["a", "a", "b", "c"])


def test_saved_segments_come_back_to_the_last_bit(found: Any, market: Any) -> None:
    again = ilk.Segmentation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert again.predict(market.customers).tolist() == found.labels.tolist()
    pickled = pickle.loads(pickle.dumps(found))
    assert pickled.profile().to_json() == found.profile().to_json()


@pytest.mark.parametrize(
    "broken",
    [
        lambda content: content["names"].append("one more"),
        lambda content: content["labels"].append(7),
        lambda content: content["origin"]["clustering"]["groups"].pop(),
        lambda content: content["origin"]["clustering"]["drivers"].pop(),
        lambda content: content["origin"]["clustering"]["preparation"]["features"][0].update(
            spread=0.0
        ),
        lambda content: content.update(extra=1),
    ],
)
def test_tampered_file_is_refused(found: Any, broken: Any) -> None:
    document = json.loads(found.to_json())
    broken(document["content"])
    with pytest.raises(ModelFileError):
        ilk.Segmentation.from_json(json.dumps(document))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k: found 0"),
        ({"k": 2.5}, "k: found 2.5"),
        ({"method": "magic"}, "method: found 'magic'"),
        ({"scale": "big"}, "scale: found 'big'"),
        ({"missing": "guess"}, "missing: found 'guess'"),
        ({"random_state": -1}, "random_state: found -1"),
        ({"k": 1000}, "k=1000 needs at least 1000 rows, but there are 300"),
        ({"weights": "y"}, 'column "y", row'),
    ],
)
def test_option_out_of_range_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ilk.segment(blobs(), **{"features": ["x", "y"], **options})


def test_column_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingColumnError, match="did you mean"):
        ilk.segment(pd.DataFrame({"income": [1, 2]}), ["incom"], k=2)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_few_customers_are_refused(rows: int) -> None:
    with pytest.raises(DataError):
        ilk.segment(blobs().head(rows), random_state=0)


@pytest.mark.parametrize("names", [("trait", "all"), ("a", "a_lo"), ("a_lo", "a_hi")])
def test_no_segment_name_hides_a_column_of_the_profile(market: Any, names: Any) -> None:
    found = ilk.segment(market.customers, ["age", "income"], k=2, random_state=0)
    profile = found.rename(names).profile()
    plain = found.profile()._repr_html_()
    assert profile._repr_html_().count("<td") == plain.count("<td")
    assert profile._repr_html_().count("<th") == plain.count("<th")
    for name in names:
        assert name in repr(profile).splitlines()[1].split()


def test_explanation_names_segments_and_thresholds(found: Any) -> None:
    text = found.explain()
    for name in found.names:
        assert name in text
    assert "quarter of its range" in text


@pytest.mark.parametrize("kind", ["profile", "evidence", "sizes"])
def test_pictures_describe_themselves(found: Any, kind: str) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    axes = found.plot(kind)
    assert axes.get_label()
    plt.close("all")


def test_given_number_has_no_evidence_to_draw(market: Any) -> None:
    pytest.importorskip("matplotlib")
    given = ilk.segment(market.customers, ["income"], k=2, random_state=0)
    with pytest.raises(DataError, match=r'try: segment\(\.\.\., k="auto"\)'):
        given.plot("evidence")


def test_scorecard_takes_a_segmentation(market: Any, found: Any) -> None:
    card = ilk.segment_scorecard(
        market.customers, segment=found, revenue="revenue", cost="cost", n_boot=20, random_state=0
    )
    assert list(card.to_dict()["segment"]) == found.names


@pytest.mark.realdata
def test_mcdonalds_segments_are_as_large_as_in_the_book(realdata: Any) -> None:
    answers = pd.read_csv(realdata / "mcdonalds_msa.csv.gz").iloc[:, :11]
    numbers = (answers == "Yes").astype(float)
    found = ilk.segment(numbers, k=4, scale="none", n_init=2000, random_state=0)
    assert sorted(found.sizes.values(), reverse=True) == [580, 318, 315, 240]


def test_of_two_categories_only_one_is_told() -> None:
    rng = np.random.default_rng(0)
    group = rng.random(400) < 0.5
    answers = pd.DataFrame(
        {f"likes_{j}": np.where(rng.random(400) < 0.9, group, ~group) for j in range(5)}
    )
    profile = ilk.segment(answers, k=2, random_state=0).profile()
    assert len(profile.table) == 5 * 2 * 2
    for name, told in profile.markers(top=99).items():
        assert len(told) == 5, name
    assert profile._repr_html_().count("<tr") == 1 + 5
    assert "likes_0 = True" in repr(profile)
    assert "likes_0 = False" not in repr(profile)
