"""Arguments of the wrong kind are refused in words that name them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ilk
from ilk._arguments import column_name, names, real, reals, reals_by_name
from ilk.exceptions import DataError
from ilk.profile import profile
from ilk.segments import compare_segmentations, from_labels, nested

FEATURES = ["age", "visits_per_month", "channel", "household"]


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    frame: pd.DataFrame = ilk.datasets.make_market(300, random_state=1, as_frame="pandas").customers
    return frame


@pytest.fixture(scope="module")
def found(customers: pd.DataFrame) -> ilk.Segmentation:
    return ilk.segment(customers, FEATURES, k=3, random_state=0)


def test_numbers_of_every_kind_are_numbers() -> None:
    for value in (0.5, np.float32(0.5), np.float64(0.5), Decimal("0.5")):
        assert real("x", value) == 0.5
    for value in (2, np.int8(2), np.uint64(2)):
        assert real("x", value) == 2.0
    assert reals("x", np.array([0.25, 0.5])) == [0.25, 0.5]
    assert reals_by_name("x", pd.Series({"a": 1})) == {"a": 1.0}
    assert reals_by_name("x", None) == {}


@pytest.mark.parametrize("value", ["0.5", None, True, np.True_, [0.5], pd.NA, 1j])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"x: found .*, but a number is needed"):
        real("x", value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(DataError, match=r"x: found .*, but a finite number is needed"):
        real("x", value)


def test_names_are_several_and_text() -> None:
    for value in (["a", "b"], ("a", "b"), pd.Index(["a", "b"]), {"a": 1, "b": 2}.keys()):
        assert names("x", value) == ["a", "b"]
    assert names("x", np.array(["a", "b"])) == ["a", "b"]
    assert column_name("x", "a") == "a"
    for value in ("a", 3, None, [1], [None], {"a"}, frozenset("a"), {"a": 1}, pd.DataFrame()):
        with pytest.raises(TypeError, match=r"^x: found"):
            names("x", value)
    for value in (3, None, ["a"], 1.5):
        with pytest.raises(TypeError, match=r"^x: found .*the name of a column is needed"):
            column_name("x", value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, d: profile(s, d, [1]), "features: found 1 among the names"),
        (lambda s, d: profile(s, d, 3), "features: found 3"),
        (lambda s, d: profile(s, d, weights=["age"]), "weights: found a list"),
        (lambda s, d: profile(s, d, confidence="high"), "confidence: found 'high'"),
        (lambda s, d: profile(s, d, confidence=None), "confidence: found None"),
        (lambda s, d: s.profile().common(None), "at_least: found None"),
        (lambda s, d: s.profile().unique("few"), "at_most: found 'few'"),
        (lambda s, d: s.profile().markers("x"), "top: found 'x'"),
        (lambda s, d: s.profile().markers(1.5), "top: found 1.5"),
        (lambda s, d: s.profile().common(0.5, top=None), "top: found None"),
        (lambda s, d: s.describe([1]), "descriptors: found 1 among the names"),
        (
            lambda s, d: s.describe(["age"], weights=3),
            "weights: found a int, but the name of a column is needed; try: weights=",
        ),
        (lambda s, d: s.describe(["age"], confidence="95 %"), "confidence: found '95 %'"),
        (lambda s, d: s.describe(d), r'found a DataFrame, .*; try: \.describe\(\["age"\], df\)'),
        (lambda s, d: s.describe({"age": [1] * 300}), r"found a dict, .*\.describe"),
        (lambda s, d: s.homogeneity(d), r"blocks: found a DataFrame.*; try: \.homogeneity\(\{"),
        (lambda s, d: s.homogeneity({"age": [1] * 300}), r"blocks\['age'\]: found 1 among"),
        (lambda s, d: s.rules(cost=["age"]), r"cost: found a list.*try: cost=\{"),
        (lambda s, d: s.rules(cost={"age": "dear"}), r"cost\['age'\]: found 'dear'"),
        (lambda s, d: s.rules(tolerance="x"), "tolerance: found 'x'"),
        (lambda s, d: s.rules(confidence=None), "confidence: found None"),
        (lambda s, d: s.typing_tool(tolerance="x"), "tolerance: found 'x'"),
        (lambda s, d: s.typing_tool(confidence=[0.9]), r"confidence: found \[0.9\]"),
        (lambda s, d: s.distinguish(coverage=None), "coverage: found None"),
        (lambda s, d: s.distinguish(leak="x"), "leak: found 'x'"),
        (lambda s, d: s.distinguish(quantiles=0.5), r"found 0.5.*try: quantiles=\[0.5\]"),
        (lambda s, d: s.distinguish(quantiles=["x"]), r"quantiles\[0\]: found 'x'"),
        (lambda s, d: s.distinguish(traits=3), "traits: found 3"),
        (lambda s, d: s.drift(d, id=3), "id: found a int, but the name of a column"),
        (lambda s, d: s.drift(d, confidence="x"), "confidence: found 'x'"),
        (lambda s, d: s.limit(2, value=dict.fromkeys(s.names, "a")), r"value\[.*\]: found 'a'"),
        (lambda s, d: ilk.segment(d, 3), "features: found 3"),
        (lambda s, d: ilk.segment(d, [1]), "features: found 1 among the names"),
        (lambda s, d: ilk.segment(d, exclude=3), "exclude: found 3"),
        (
            lambda s, d: ilk.segment(d, weights=3),
            "weights: found a int, but the name of a column is needed; try: weights=",
        ),
        (lambda s, d: ilk.segment(d, k_max="9"), "k_max: found '9'"),
        (lambda s, d: ilk.segment(d, n_init=2.5), "n_init: found 2.5"),
        (lambda s, d: nested(d, 3), "macro: found a int, but the name of a column"),
        (lambda s, d: from_labels(d, "channel", features=3), "features: found 3"),
        (lambda s, d: from_labels(d, "channel", names={"web": None}), "names: found None among"),
        (
            lambda s, d: compare_segmentations({"a": s, "b": "region"}, d, weights={"reach": "x"}),
            r"weights\['reach'\]: found 'x'",
        ),
    ],
)
def test_wrong_kinds_are_named(call: Any, message: str, found: Any, customers: Any) -> None:
    with pytest.raises(TypeError, match=message):
        call(found, customers)


def test_tables_and_functions_need_names(found: ilk.Segmentation) -> None:
    tool = found.typing_tool(questions=FEATURES, random_state=0)
    with pytest.raises(DataError, match="table: found None, but the name of a table"):
        tool.to_sql(None)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="name: found None, but the name of a function"):
        tool.to_python(None)  # type: ignore[arg-type]


def test_number_of_markers_is_not_negative(found: ilk.Segmentation) -> None:
    with pytest.raises(DataError, match="top: found -1"):
        found.profile().markers(-1)
    assert found.profile().markers(np.int64(2)) == found.profile().markers(2)


def test_a_column_is_used_or_excluded(customers: pd.DataFrame) -> None:
    for exclude in ("age", ["region", "age"]):
        with pytest.raises(DataError, match="exclude: found 'age', but features names it, too"):
            ilk.segment(customers, ["age", "income"], exclude=exclude, k=2)
        with pytest.raises(DataError, match="exclude: found 'age', but features names it, too"):
            nested(customers, "channel", 2, ["age", "income"], exclude=exclude)
    assert ilk.segment(customers, "income", exclude="age", k=2, random_state=0).features == [
        "income"
    ]


@pytest.mark.parametrize("k_max", [1, 0, -1])
def test_most_segments_tried_are_two_or_more(k_max: int, customers: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=f"k_max: found {k_max}, but a whole number from 2 up"):
        ilk.segment(customers, FEATURES, k_max=k_max)
    with pytest.raises(DataError, match=f"k_max: found {k_max}, but a whole number from 2 up"):
        nested(customers, "channel", features=["age", "income"], k_max=k_max)


def test_generator_is_no_seed(customers: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"random_state: found Generator.*; try: random_state=0"):
        ilk.segment(customers, FEATURES, k=2, random_state=np.random.default_rng(0))  # type: ignore[arg-type]


def test_settings_hold_numbers_of_numpy(found: ilk.Segmentation, customers: Any) -> None:
    for made in (
        found.profile(customers, ["age"], confidence=np.float32(0.5)),
        found.rules(customers, tolerance=np.float32(0.5), confidence=np.float32(0.5)),
        found.drift(customers, confidence=np.float32(0.5)),
    ):
        assert made.manifest["settings"]["confidence"] == 0.5
