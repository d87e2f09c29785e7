"""Several segmentations of the same customers side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)

import ilk
from ilk.exceptions import DataError, MissingColumnError
from ilk.segments import SegmentationComparison, compare_segmentations

DESCRIPTORS = ["age", "household", "region"]


@pytest.fixture(scope="module")
def market():
    return ilk.datasets.make_market(1500, random_state=3)


def compared(market, **options) -> SegmentationComparison:
    truth = market.truth.segment
    rng = np.random.default_rng(0)
    given = {
        "truth": truth,
        "channel": "channel",
        "random": rng.choice(["a", "b", "c"], len(truth)),
    }
    settings = {
        "value": "basket_value",
        "descriptors": DESCRIPTORS,
        "n_boot": 50,
        "random_state": 0,
    }
    return compare_segmentations(given, market.customers, **(settings | options))


def test_the_true_segments_come_first(market) -> None:
    """S5-FRAME-03: segments that separate value and can be reached rank before those that do not."""
    found = compared(market)
    assert found.best() == "truth"
    table = found.table.set_index("name")
    assert table.loc["truth", "omega2"] > 0.5 > 0.01 > table.loc["random", "omega2"]
    assert abs(table.loc["random", "reach"]) < 0.05
    assert list(table["place"]) == sorted(table["place"])


def test_figures_are_those_of_the_formulas(market) -> None:
    found = compared(market).table.set_index("name")
    df = market.customers.assign(truth=market.truth.segment)
    groups = df.groupby("truth")["basket_value"]
    total = ((df["basket_value"] - df["basket_value"].mean()) ** 2).sum()
    between = (groups.size() * (groups.mean() - df["basket_value"].mean()) ** 2).sum()
    k, n = groups.ngroups, len(df)
    within = (total - between) / (n - k)
    row = found.loc["truth"]
    assert row["eta2"] == pytest.approx(between / total)
    assert row["omega2"] == pytest.approx((between - (k - 1) * within) / (total + within))
    assert row["omega2_lo"] < row["omega2"] < row["omega2_hi"]
    assert row["reach"] == pytest.approx((row["accuracy"] - row["largest"]) / (1 - row["largest"]))


def test_overlaps_are_those_of_scikit_learn(market) -> None:
    found = compared(market).overlaps
    labels = {"truth": market.truth.segment, "channel": market.customers["channel"].astype(str)}
    row = found[(found["one"] == "truth") & (found["other"] == "channel")].iloc[0]
    one, other = labels["truth"], labels["channel"]
    assert row["adjusted_rand"] == pytest.approx(adjusted_rand_score(one, other), abs=1e-12)
    assert row["adjusted_information"] == pytest.approx(
        adjusted_mutual_info_score(one, other), abs=1e-9
    )
    assert row["normalised_information"] == pytest.approx(
        normalized_mutual_info_score(one, other), abs=1e-9
    )
    assert len(found) == 3


def test_scenario_by_scenario(market) -> None:
    """S5-FRAME-02: each of the six scenarios has its best segmentation."""
    found = compared(
        market, scenario={"truth": "use_cases", "channel": "journey_maps", "random": "journey_maps"}
    )
    assert found.by_scenario()["use_cases"] == "truth"
    assert found.best("journey_maps") in ("channel", "random")
    with pytest.raises(
        DataError, match="'life_stages', but the scenarios given are 'journey_maps', 'use_cases'"
    ):
        found.best("life_stages")


def test_stability_is_measured_where_segments_can_be_found_anew(market) -> None:
    """S5-FRAME-01: clusterings and given segments live side by side."""
    features = ["age", "basket_value", "visits_per_month"]
    two = {k: ilk.segment(market.customers, features, k=k, random_state=0) for k in (3, 4)}
    given = {"three": two[3], "four": two[4]}
    found = compare_segmentations(given, n_boot=10, random_state=0)
    assert found.table["stability"].between(0.3, 1).all()
    assert found.best() in given
    mixed = compare_segmentations(
        given | {"channel": "channel"},
        market.customers,
        value="basket_value",
        n_boot=10,
        random_state=0,
    )
    assert mixed.table.set_index("name")["stability"].isna()["channel"]
    assert any("stability was not measured for 1 of 3" in note for note in mixed.manifest["notes"])


def test_weights_decide(market) -> None:
    flipped = {"truth": "channel", "other": market.truth.segment}
    value = compare_segmentations(
        flipped,
        market.customers,
        value="basket_value",
        weights={"reach": 0},
        n_boot=0,
        random_state=0,
    )
    assert value.best() == "other"


def test_nothing_measured_is_not_ranked(market) -> None:
    found = compare_segmentations({"a": "channel", "b": "region"}, market.customers, random_state=0)
    assert found.table["place"].isna().all()
    assert "There is no ranking" in str(found.explain())
    assert "There is no ranking" in found.plot().get_label()
    with pytest.raises(DataError, match="value="):
        found.best()


def test_results_are_saved_shown_and_drawn(market, check_result) -> None:
    check_result(lambda: compared(market), SegmentationComparison)


def test_constant_value_separates_nothing(market) -> None:
    df = market.customers.assign(flat=1.0)
    found = compare_segmentations(
        {"a": "channel", "b": "region"}, df, value="flat", n_boot=5, random_state=0
    )
    assert found.table["omega2"].isna().all()


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ({"a": "channel"}, {}, DataError, "segmentations: found 1, but at least two"),
        (["channel", "region"], {}, TypeError, "a mapping of names is needed"),
        (
            {"a": "channel", "b": ["x"] * 1500},
            {},
            DataError,
            r'segmentations\["b"\]: found one segment',
        ),
        (
            {"a": "channel", "b": ["x", "y"]},
            {},
            DataError,
            r"found 2 labels, but df has 1,500 rows",
        ),
        ({"a": "channel", "b": "regoin"}, {}, MissingColumnError, "did you mean"),
        (
            {"a": "channel", "b": "region"},
            {"scenario": {"c": "use_cases"}},
            DataError,
            "found 'c', but the segmentations",
        ),
        (
            {"a": "channel", "b": "region"},
            {"scenario": {"a": "magic"}},
            DataError,
            "found 'magic', but the scenarios are",
        ),
        (
            {"a": "channel", "b": "region"},
            {"weights": {"beauty": 1}},
            DataError,
            "found 'beauty', but the criteria",
        ),
        (
            {"a": "channel", "b": "region"},
            {"weights": {"reach": -1}},
            DataError,
            'weight of "reach": found -1',
        ),
        (
            {"a": "channel", "b": "region"},
            {"value": "region"},
            DataError,
            "also value or one of the descriptors",
        ),
        (
            {"a": "channel", "b": "region"},
            {"value": "profit"},
            MissingColumnError,
            '"profit" not found',
        ),
        (
            {"a": "channel", "b": "region"},
            {"descriptors": "age"},
            TypeError,
            "descriptors: found one text",
        ),
        ({"a": "channel", "b": "region"}, {"n_boot": -1}, DataError, "n_boot: found -1"),
    ],
)
def test_bad_input_is_refused(market, given, options, error, message) -> None:
    with pytest.raises(error, match=message):
        compare_segmentations(given, market.customers, **options)


def test_customers_without_a_segment_do_not_count(market) -> None:
    labels = pd.Series(market.truth.segment).where(np.arange(1500) < 1000)
    found = compare_segmentations(
        {"part": labels, "channel": "channel"},
        market.customers,
        value="basket_value",
        random_state=0,
    )
    assert found.table.set_index("name").loc["part", "n"] == 1000
    assert (found.overlaps["n"] == 1000).all()
