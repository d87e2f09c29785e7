"""Whether the customers of a segment are alike: against scikit-learn and gower, verdicts, warnings and messages."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import pairwise_distances, silhouette_samples

import ilk
from ilk.exceptions import DataError, DataWarning, MissingColumnError
from ilk.profile import DemographicsWarning, SegmentHomogeneity, homogeneity

if TYPE_CHECKING:
    from collections.abc import Callable


def people(n: int = 150, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["x", "y", "z"], n, p=[0.5, 0.3, 0.2])
    at = pd.Series(group).map({"x": 0, "y": 1, "z": 2}).to_numpy()
    return pd.DataFrame(
        {
            "group": group,
            "price": 10.0 * at + rng.normal(0, 1, n),
            "speed": 3.0 * at + rng.normal(0, 1, n),
            "taste": np.array(["sweet", "sour", "salty"])[np.where(rng.random(n) < 0.9, at, 0)],
            "age": rng.normal(40, 10, n),
            "sex": rng.choice(["f", "m"], n),
        }
    )


BLOCKS = {"budget": ["price"], "needs": ["speed", "taste"], "who": ["age", "sex"]}


def gower(data: pd.DataFrame) -> Any:
    """The slow twin: a matrix of distances."""
    parts = []
    for name in data:
        if data[name].dtype.kind == "f":
            scaled = (data[[name]] - data[name].min()) / (data[name].max() - data[name].min())
            parts.append(pairwise_distances(scaled, metric="manhattan"))
        else:
            values = data[name].to_numpy()
            parts.append((values[:, None] != values).astype(float))
    return np.mean(parts, axis=0)


def test_distances_and_silhouettes_are_those_of_the_matrix() -> None:
    """S2-SEG-02."""
    data = people()
    found = homogeneity("group", BLOCKS, data).to_pandas().set_index(["block", "segment"])
    for block, columns in BLOCKS.items():
        far = gower(data[columns])
        widths = silhouette_samples(far, data["group"], metric="precomputed")
        all_pairs = far[np.triu_indices(len(data), 1)].mean()
        for segment in "xyz":
            inside = (data["group"] == segment).to_numpy()
            own = far[np.ix_(inside, inside)]
            within = own.sum() / (inside.sum() * (inside.sum() - 1))
            cell = found.loc[(block, segment)]
            assert cell["distance"] == pytest.approx(within, rel=1e-9)
            assert cell["distance_to_others"] == pytest.approx(
                far[np.ix_(inside, ~inside)].mean(), rel=1e-9
            )
            assert cell["ratio"] == pytest.approx(within / all_pairs, rel=1e-9)
            assert cell["silhouette"] == pytest.approx(widths[inside].mean(), rel=1e-9)
            assert cell["n"] == inside.sum()


def test_shares_of_variance_are_those_of_indicators() -> None:
    """S2-SEG-02: within-SS over total-SS, eta squared per variable."""
    data = people()
    found = homogeneity("group", BLOCKS, data)
    eta2 = found.variables.set_index("variable")["eta2"]
    for name in ("price", "taste"):
        columns = pd.get_dummies(data[[name]], dtype=float)
        total = ((columns - columns.mean()) ** 2).to_numpy().sum()
        own = columns - columns.groupby(data["group"]).transform("mean")
        assert eta2[name] == pytest.approx(1 - (own**2).to_numpy().sum() / total)
    within = found.blocks.set_index("block")["within_ss"]
    assert within["budget"] == pytest.approx(1 - eta2["price"])
    assert within["needs"] == pytest.approx(1 - (eta2["speed"] + eta2["taste"]) / 2)


def test_verdicts_tell_alike_from_not_alike() -> None:
    found = homogeneity("group", BLOCKS, people()).to_pandas()
    verdict = found.groupby("block")["verdict"].agg(set)
    assert verdict["budget"] == {"homogeneous"}
    assert "homogeneous" not in verdict["who"]
    assert "partly homogeneous" not in verdict["who"]
    assert (found["ratio"] > 0).all()


def test_customers_alone_are_too_few() -> None:
    data = people(40)
    data.loc[0, "group"] = "w"
    found = homogeneity("group", {"budget": ["price"]}, data).to_pandas().set_index("segment")
    assert found.loc["w", "verdict"] == "too few"
    assert np.isnan(found.loc["w", "distance"])
    assert found.loc["w", "silhouette"] == 0


def test_only_demographics_are_warned_of() -> None:
    """S3-B2C-01: eta squared by base, and a warning where nothing else was used."""
    data = people()
    base = {"age": "demographic", "sex": "demographic", "price": "financial", "speed": "behaviour"}
    with pytest.warns(DemographicsWarning, match=r"demographics alone \(age, sex\)"):
        homogeneity("group", {"who": ["age", "sex"]}, data, base=base)
    with pytest.warns(DemographicsWarning, match="alone"):
        segments = ilk.segment(data, ["age", "sex"], k=2, random_state=0)
    with pytest.warns(DemographicsWarning, match="alone"):
        found = segments.homogeneity({"budget": ["price"]}, base=base)
    assert issubclass(DemographicsWarning, DataWarning)
    bases = found.bases.set_index("base")
    assert list(bases["variables"]) == [1, 2, 1]
    eta2 = found.variables.set_index("variable")["eta2"]
    assert bases.loc["demographic", "eta2"] == pytest.approx((eta2["age"] + eta2["sex"]) / 2)
    assert bases.loc["behaviour", "strongest"] == "speed"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        homogeneity("group", BLOCKS, data, base=base)


def test_missing_values_leave_out_pairs_alone() -> None:
    data = people(60)
    data.loc[:9, "price"] = np.nan
    both = homogeneity("group", {"budget": ["price"]}, data).to_pandas()
    without = homogeneity("group", {"budget": ["price"]}, data.loc[10:]).to_pandas()
    for name in ("distance", "distance_to_others", "silhouette", "within_ss"):
        assert both[name].to_numpy() == pytest.approx(without[name].to_numpy())


def test_ordered_categories_count_by_their_place() -> None:
    data = people(80)
    size = pd.Categorical.from_codes(np.arange(80) % 4, ["s", "m", "l", "xl"], ordered=True)
    found = homogeneity("group", {"a": ["size"]}, data.assign(size=size)).to_pandas()
    number = homogeneity(
        "group", {"a": ["size"]}, data.assign(size=size.codes.astype(float))
    ).to_pandas()
    assert found["distance"].tolist() == pytest.approx(number["distance"].tolist())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: homogeneity("group", {}, d), DataError, "blocks: found none.*try: blocks="),
        (lambda d: homogeneity("group", ["price"], d), TypeError, "blocks: found a list"),
        (
            lambda d: homogeneity("group", {"needs": "price"}, d),
            TypeError,
            r"blocks\['needs'\]: found one text",
        ),
        (
            lambda d: homogeneity("group", {"needs": []}, d),
            DataError,
            r"blocks\['needs'\]: found no column",
        ),
        (
            lambda d: homogeneity("group", {"needs": ["pricee"]}, d),
            MissingColumnError,
            "did you mean",
        ),
        (
            lambda d: homogeneity("group", {"a": ["one"]}, d.assign(one=1)),
            DataError,
            'column "one": found one value',
        ),
        (
            lambda d: homogeneity("group", {"a": ["no"]}, d.assign(no=None)),
            DataError,
            'column "no": found no value',
        ),
        (
            lambda d: homogeneity("group", {"a": ["age"]}, d, base={"age": "sex"}),
            DataError,
            r"base\['age'\]: found 'sex'",
        ),
        (
            lambda d: homogeneity("group", {"a": ["age"]}, d, base={"agee": "demographic"}),
            MissingColumnError,
            "did you",
        ),
        (
            lambda d: homogeneity(np.full(len(d), -1), {"a": ["age"]}, d),
            DataError,
            "all left out: no segment",
        ),
    ],
)
def test_bad_input_is_named(
    call: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(people())


def test_homogeneity_is_saved_shown_and_drawn() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    found = homogeneity("group", BLOCKS, people(), base={"age": "demographic"})
    again = SegmentHomogeneity.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert str(again.explain()) == str(found.explain())
    assert "homogeneous" in found.explain()
    assert "<table>" in found._repr_html_()
    assert "budget: x homogeneous" in found.plot().get_label()
    with pytest.raises(ilk.exceptions.ModelFileError):
        SegmentHomogeneity.from_json(found.to_json().replace('"verdict"', '"word"'))
    plt.close("all")
