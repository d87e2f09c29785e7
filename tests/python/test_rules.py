"""Segments retold as a tree of rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

import ilk
from ilk.exceptions import DataError, DataWarning, MissingColumnError
from ilk.profile import SegmentRules, rules


@pytest.fixture(scope="module")
def market():
    return ilk.datasets.make_market(3000, random_state=3)


@pytest.fixture(scope="module")
def found(market) -> SegmentRules:
    return rules(market.truth.segment, market.customers, market.features, random_state=0)


def test_rules_are_faithful_to_clear_segments(found) -> None:
    """S5-CHAR-01: a small tree retells segments that exist, and measures how well."""
    assert found.fidelity.value > 0.97 > found.fidelity.largest
    assert found.fidelity.lo < found.fidelity.value < found.fidelity.hi
    assert len(found.table) <= 6


def test_fidelity_to_random_segments_is_that_of_the_largest() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.random((2000, 6)), columns=list("abcdef"))
    found = rules(rng.choice(["x", "y"], 2000, p=[0.7, 0.3]), df, random_state=0)
    assert found.fidelity.value == pytest.approx(found.fidelity.largest, abs=0.02)
    assert len(found.table) == 1
    assert found.to_dict()["rule"] == ["everybody"]
    assert list(found.predict(df)) == ["x"] * 2000


def test_tree_is_as_good_as_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 40, (1500, 8)).astype(float)
    y = (x[:, 0] > 20) * 2 + (x[:, 1] + x[:, 2] > 45) + (x[:, 3] > 35)
    for depth in (1, 2, 3, 4):
        peer = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=10, random_state=0).fit(
            x, y
        )
        df = pd.DataFrame(x, columns=[f"x{at}" for at in range(8)])
        own = rules(
            y, df, max_depth=depth, max_leaves=1000, min_leaf=10, tolerance=None, random_state=0
        )
        hits = np.mean(own.predict(df).astype(str) == y.astype(str))
        assert hits == pytest.approx(peer.score(x, y), abs=0.005)


def test_plain_data_say_what_the_tree_does(market, found) -> None:
    df = market.customers
    told = np.full(len(df), None, dtype=object)
    for rule in found.rules:
        here = np.full(len(df), True)
        for condition in rule["conditions"]:
            values = df[condition["column"]]
            inside = np.full(len(df), True)
            if "at_least" in condition:
                inside &= (values >= condition["at_least"]).to_numpy()
            if "below" in condition:
                inside &= (values < condition["below"]).to_numpy()
            if "in" in condition:
                inside &= values.astype(str).isin(condition["in"]).to_numpy()
            here &= np.where(values.isna(), condition["missing"], inside)
        assert rule["n"] == here.sum()
        assert all(told[here] == None)  # noqa: E711
        told[here] = rule["segment"]
    assert list(told) == list(found.predict(df))


def test_categories_are_grouped_and_told() -> None:
    rng = np.random.default_rng(0)
    city = rng.choice(list("abcdefghijkl"), 3000)
    segment = np.where(np.isin(city, ["a", "c", "k"]), "left", "right")
    found = rules(segment, {"city": city}, random_state=0)
    assert found.fidelity.value == 1
    assert sorted(found.to_dict()["rule"])[0] == "city is a, c or k"


def test_missing_values_go_where_they_do_better() -> None:
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 2000)
    segment = np.where(age < 50, "young", "old").astype(object)
    age[rng.random(2000) < 0.3] = np.nan
    segment[np.isnan(age)] = "silent"
    found = rules(segment, {"age": age}, random_state=0)
    assert found.fidelity.value > 0.99
    assert "age is missing" in found.to_dict()["rule"]
    assert list(found.predict({"age": [25.0, None, 70.0]})) == ["young", "silent", "old"]


def test_fast_food_perceptions_are_retold(realdata) -> None:
    """S5-PAT-01: segments of the fast-food survey are told apart by two perceptions each."""
    df = pd.read_csv(realdata / "mcdonalds_msa.csv.gz")
    items = list(df.columns[:11])
    segmentation = ilk.segment(df, items, k=4, random_state=0)
    found = segmentation.distinguish(traits=items).table
    assert found["separates"].all()
    assert found["certain"].all()
    assert found["n_traits"].max() == 2
    retold = segmentation.rules(traits=items, random_state=0)
    assert retold.fidelity.value > 0.9
    tool = segmentation.typing_tool(questions=items, random_state=0)
    assert len(tool.questions) < 8
    assert tool.accuracy.value > 0.95


def test_text_tells_no_category_that_is_excluded_above() -> None:
    rng = np.random.default_rng(0)
    city = rng.choice(list("abcdefgh"), 4000)
    segment = np.where(
        np.isin(city, list("ab")), "x", np.where(np.isin(city, list("cde")), "y", "z")
    )
    text = rules(segment, {"city": city}, random_state=0).to_text()
    leaves = [line for line in text.splitlines() if ": " in line]
    told = {line.split(": ")[1][0]: line.strip("| ").split(":")[0] for line in leaves}
    assert told["x"] == "city is a or b"
    assert told["y"] in ("city is c, d or e", "city is none of a, b, f, g or h")
    assert told["z"] == "city is f, g or h"


def test_cost_turns_to_cheaper_columns() -> None:
    rng = np.random.default_rng(0)
    dear = rng.random(2000)
    cheap = dear + rng.normal(0, 0.05, 2000)
    segment = np.where(dear < 0.5, "a", "b")
    df = {"dear": dear, "cheap": cheap}
    assert rules(segment, df, max_depth=1, random_state=0).columns == ["dear"]
    assert rules(segment, df, max_depth=1, cost={"dear": 5}, random_state=0).columns == ["cheap"]


def test_pruning_leaves_the_smallest_tree_that_does_as_well(market, found) -> None:
    whole = rules(
        market.truth.segment, market.customers, market.features, tolerance=None, random_state=0
    )
    assert len(whole.table) >= len(found.table)
    path = found.pruning
    chosen = path[path["chosen"]].iloc[0]
    assert chosen["leaves"] == len(found.table)
    assert chosen["fidelity"] == pytest.approx(found.fidelity.value)
    assert chosen["fidelity"] >= path["fidelity"].max() - 0.01 - 1e-12
    assert found.confusion["n"].sum() == 3000


def test_limits_are_kept(market) -> None:
    found = rules(
        market.truth.segment,
        market.customers,
        market.features,
        max_depth=2,
        max_leaves=3,
        min_leaf=200,
        tolerance=None,
        random_state=0,
    )
    assert len(found.table) <= 3
    assert found.to_dict()["n"].min() >= 200
    assert found.to_dict()["conditions"].max() <= 2


def test_unknown_categories_are_warned_of() -> None:
    found = rules(list("aabb") * 25, {"pet": ["dog", "dog", "cat", "cat"] * 25}, random_state=0)
    with pytest.warns(DataWarning, match="1 rows hold a category that was not met before"):
        told = found.predict({"pet": ["dog", "snake"]})
    assert next(iter(told)) == "a"


def test_text_shows_the_tree(found) -> None:
    lines = found.to_text().splitlines()
    assert sum(line.count(": ") > 0 for line in lines) == len(found.table)
    assert np.isclose(sum(found.importance["importance"]), 1)


def test_a_segmentation_is_retold(market) -> None:
    segmentation = ilk.segment(market.customers, market.features, k=3, random_state=0)
    found = segmentation.rules(random_state=0)
    assert found.fidelity.value > 0.9


def test_results_are_saved_shown_and_drawn(market, check_result) -> None:
    check_result(
        lambda: rules(market.truth.segment, market.customers, market.features, random_state=0),
        SegmentRules,
    )


def test_huge_and_tiny_numbers_are_cut() -> None:
    for scale in (1e-300, 1e149):
        x = np.repeat([1.0, 2.0, 3.0, 4.0], 25) * scale
        found = rules(np.repeat(["a", "b"], 50), {"x": x}, random_state=0)
        assert found.fidelity.value == 1


@pytest.mark.parametrize(
    ("labels", "df", "options", "error", "message"),
    [
        (["a"] * 40, {"x": range(40)}, {}, DataError, "segments: found one segment"),
        (["a", "b"] * 20, {"x": [1] * 40}, {}, DataError, "is constant"),
        (["a", "b"] * 20, {"x": range(40)}, {"max_depth": 0}, DataError, "max_depth: found 0"),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"max_depth": 31},
            DataError,
            "max_depth: found 31, but a number from 1 to 30",
        ),
        (["a", "b"] * 20, {"x": range(40)}, {"max_leaves": -1}, DataError, "max_leaves: found -1"),
        (["a", "b"] * 20, {"x": range(40)}, {"min_leaf": 0}, DataError, "min_leaf: found 0"),
        (["a", "b"] * 20, {"x": range(40)}, {"folds": 1}, DataError, "folds: found 1"),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"folds": 30},
            DataError,
            "needs at least 60 rows, but there are 40",
        ),
        (["a", "b"] * 20, {"x": range(40)}, {"tolerance": -1}, DataError, "tolerance: found -1"),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"cost": {"y": 2}},
            MissingColumnError,
            '"y" not found',
        ),
        (["a", "b"] * 20, {"x": range(40)}, {"cost": {"x": 0}}, DataError, 'cost of "x": found 0'),
        (["a", "b"] * 20, {"x": range(40)}, {"traits": ["q"]}, MissingColumnError, '"q" not found'),
        (["a", "b"] * 20, {"x": range(40)}, {"random_state": -3}, DataError, "random_state"),
    ],
)
def test_bad_input_is_refused(labels, df, options, error, message) -> None:
    with pytest.raises(error, match=message):
        rules(labels, {name: list(values) for name, values in df.items()}, **options)


def test_new_customers_need_the_columns_of_the_rules(found) -> None:
    with pytest.raises(MissingColumnError):
        found.predict({"age": [3]})
