"""One value far from all others must not cost the others their digits, nor the rows that are left out set a scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ilk
from ilk.personas import personas
from ilk.profile import describe, profile

FAR = 1e12


@pytest.fixture
def customers() -> pd.DataFrame:
    """Three segments; the first customer, who is of "a", is far from everybody."""
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 10, 360)
    x[0] = FAR
    return pd.DataFrame({"g": np.tile(["a", "b", "c"], 120), "x": x})


def interval(values: pd.Series) -> tuple[float, float]:
    half = stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_intervals_are_those_of_the_own_segment(customers: pd.DataFrame, order: slice) -> None:
    customers = customers.iloc[order]
    traits = profile("g", customers, ["x"]).to_pandas().set_index("segment")
    amounts = describe("g", ["x"], customers).amounts.set_index("segment")
    cards = personas("g", customers, ["x"], min_count=0)
    for segment in ("b", "c"):
        own = customers.loc[customers["g"] == segment, "x"]
        lo, hi = interval(own)
        assert traits.loc[segment, ["value_lo", "value_hi"]].tolist() == pytest.approx(
            [lo, hi], abs=1e-2
        )
        assert amounts.loc[segment, "deviation"] == pytest.approx(own.std(), rel=1e-9)
        (line,) = (line for line in cards.card(segment)["lines"] if line["attribute"] == "x")
        mean = next(figure for figure in line["figures"] if figure["name"] == "mean")
        assert [mean["lo"], mean["hi"]] == pytest.approx([lo, hi], rel=1e-3)


def test_merged_profiles_keep_the_digits_too(customers: pd.DataFrame) -> None:
    segmentation = ilk.segments.from_labels(customers, "g").merge(["b", "c"], name="b and c")
    traits = segmentation.profile(customers, ["x"]).to_pandas().set_index("segment")
    own = customers.loc[customers["g"] != "a", "x"]
    assert traits.loc["b and c", ["value_lo", "value_hi"]].tolist() == pytest.approx(
        interval(own), abs=1e-2
    )


@pytest.mark.parametrize("missing", [False, True])
def test_customers_who_are_left_out_set_no_scale(missing: bool) -> None:
    rng = np.random.default_rng(5)
    people = pd.DataFrame(
        {"x": np.r_[rng.normal(0, 1, 150), rng.normal(6, 1, 150)], "y": rng.normal(0, 50, 300)}
    )
    far = pd.DataFrame({"x": [1e4] * 5, "y": [np.nan if missing else 0.0] * 5})
    both = pd.concat([people, far], ignore_index=True)
    both["w"] = [1.0] * 300 + [1.0 if missing else 0.0] * 5
    alone = ilk.segment(people, ["x", "y"], k=2, random_state=0)
    with_far = ilk.segment(
        both,
        ["x", "y"],
        k=2,
        random_state=0,
        weights=None if missing else "w",
        missing="drop" if missing else "ignore",
    )
    assert with_far.codes[:300].tolist() == alone.codes.tolist()
    assert with_far.codes[300:].tolist() == [-1] * 5
    ask = {"features": ["x", "y"], "k": range(2, 4), "random_state": 0}
    chosen = ilk.quality.select_k(both.iloc[:300], **ask)
    weights = np.r_[np.ones(300), np.zeros(5)]
    again = ilk.quality.select_k(both.fillna({"y": 0.0}), weights=weights, **ask)
    assert again.to_pandas()["silhouette"].tolist() == pytest.approx(
        chosen.to_pandas()["silhouette"].tolist(), abs=1e-12
    )
