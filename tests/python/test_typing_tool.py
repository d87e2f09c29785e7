"""The fewest questions that place people in segments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ilk
from ilk.exceptions import DataError, DataWarning, MissingColumnError
from ilk.profile import TypingTool, typing_tool


@pytest.fixture(scope="module")
def market():
    return ilk.datasets.make_market(3000, random_state=3)


@pytest.fixture(scope="module")
def tool(market) -> TypingTool:
    return typing_tool(market.truth.segment, market.customers, market.features, random_state=0)


def test_few_questions_place_most_customers(tool) -> None:
    """S5-CHAR-01: a few of the columns are enough, and the accuracy is that of customers not seen."""
    assert len(tool.questions) <= 4
    assert tool.accuracy.value > 0.95 > tool.accuracy.largest
    assert tool.accuracy.lo < tool.accuracy.value < tool.accuracy.hi


def test_accuracy_holds_on_customers_never_seen(market, tool) -> None:
    other = ilk.datasets.make_market(3000, random_state=99)
    told = tool.predict(other.customers).astype(str)
    hits = np.mean(told == other.truth.segment)
    assert hits == pytest.approx(tool.accuracy.value, abs=0.02)


def test_random_segments_are_not_placed_better_than_by_naming_the_largest() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.random((1500, 12)), columns=[f"q{at}" for at in range(12)])
    tool = typing_tool(rng.choice(["x", "y", "z"], 1500, p=[0.6, 0.2, 0.2]), df, random_state=0)
    assert tool.accuracy.value <= tool.accuracy.largest + 0.01
    assert len(tool.questions) == 1


def test_points_are_those_of_the_counts() -> None:
    df = pd.DataFrame({"pet": ["dog"] * 30 + ["cat"] * 10 + ["cat"] * 35 + [None] * 5})
    segment = ["a"] * 40 + ["b"] * 40
    tool = typing_tool(segment, df, random_state=0)
    points = tool.scoring.set_index(["answer", "segment"])["points"]
    assert points["start", "a"] == pytest.approx(np.log(40))
    assert points["dog", "a"] == pytest.approx(np.log(30.5 / 41))
    assert points["dog", "b"] == pytest.approx(np.log(0.5 / 36))
    assert points["cat", "b"] == pytest.approx(np.log(35.5 / 36))


def test_prediction_is_the_sum_of_points(market, tool) -> None:
    rule = tool.rule
    df = market.customers
    scores = np.tile(rule["start"], (len(df), 1))
    answered = np.zeros(len(df), dtype=bool)
    for question in rule["questions"]:
        values = df[question["column"]]
        if question["kind"] == "category":
            at = values.map({level: i for i, level in enumerate(question["levels"])}).to_numpy(
                dtype=float
            )
        else:
            at = sum((values >= cut).to_numpy(dtype=float) for cut in question["cuts"])
            at = np.where(values.isna(), np.nan, at)
        here = ~np.isnan(at)
        scores[here] += np.array(question["points"])[at[here].astype(int)]
        answered |= here
    told = np.array(rule["segments"])[scores.argmax(axis=1)]
    assert answered.all()
    assert list(told) == list(tool.predict(df))


def test_exported_python_gives_the_same_segments(market, tool) -> None:
    space: dict = {}
    exec(compile(tool.to_python("place"), "<rule>", "exec"), space)
    people = market.customers.head(500).to_dict("records")
    assert [space["place"](person) for person in people] == list(
        tool.predict(market.customers.head(500))
    )
    assert space["place"]({}) is None


def test_exported_sql_gives_the_same_segments(market) -> None:
    duckdb = pytest.importorskip("duckdb")
    questions = ["age", "household", "region", "channel", "basket_value"]
    tool = typing_tool(
        market.truth.segment, market.customers, questions, tolerance=None, random_state=0
    )
    assert len(tool.questions) == 5
    customers = market.customers  # noqa: F841
    told = duckdb.sql(tool.to_sql("customers")).df()
    assert list(told["segment"]) == list(tool.predict(market.customers))


def test_hostile_names_are_text_in_every_export() -> None:
    duckdb = pytest.importorskip("duckdb")
    evil = 'x"); DROP TABLE people; --'
    nasty = "'); import os; os.abort(); ('"
    df = pd.DataFrame({evil: [nasty, "b"] * 50, "yes": [True, False] * 50})
    tool = typing_tool([nasty, "fine'"] * 50, df, [evil], random_state=0)
    space: dict = {}
    exec(compile(tool.to_python(), "<rule>", "exec"), space)
    assert space["segment_of"]({evil: nasty}) == nasty
    people = df  # noqa: F841
    assert list(duckdb.sql(tool.to_sql("people")).df()["segment"]) == [nasty, "fine'"] * 50
    flags = typing_tool([nasty, "fine'"] * 50, df, ["yes"], random_state=0)
    assert list(duckdb.sql(flags.to_sql("people")).df()["segment"]) == [nasty, "fine'"] * 50
    with pytest.raises(DataError, match="name: found 'a b'"):
        tool.to_python("a b")


def test_repeated_questions_are_passed_over() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2, (2, 2000))
    segment = np.char.add(first.astype(str), second.astype(str))
    df = pd.DataFrame({"first": first, "again": first, "once more": first, "second": second})
    tool = typing_tool(segment, df, random_state=0)
    assert sorted(tool.questions) == ["first", "second"]
    assert tool.accuracy.value == 1


def test_longer_questionnaires_are_asked_for(market) -> None:
    tool = typing_tool(
        market.truth.segment,
        market.customers,
        market.features,
        max_questions=6,
        tolerance=None,
        random_state=0,
    )
    assert len(tool.questions) == 6 == len(tool.table)
    assert tool.table["asked"].all()
    assert tool.confusion["n"].sum() == 3000


def test_who_answers_nothing_has_no_segment(tool) -> None:
    blank = pd.DataFrame({name: [None] for name in tool.questions}, dtype=float)
    assert tool.predict(blank).isna().all()


def test_unknown_answers_are_warned_of() -> None:
    tool = typing_tool(list("ab") * 30, {"pet": ["dog", "cat"] * 30}, random_state=0)
    with pytest.warns(DataWarning, match="not met before"):
        told = tool.predict({"pet": ["dog", "snake"]})
    assert list(told) == ["a", None]


def test_a_segmentation_has_a_tool(market) -> None:
    segmentation = ilk.segment(market.customers, market.features, k=3, random_state=0)
    tool = segmentation.typing_tool(random_state=0)
    assert tool.accuracy.value > 0.9


def test_ordered_answers_and_dates_are_exported() -> None:
    sizes = pd.Categorical(["S", "M", "L"] * 40, categories=["S", "M", "L"], ordered=True)
    df = pd.DataFrame(
        {"size": sizes, "since": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"] * 40)}
    )
    for column in ("size", "since"):
        tool = typing_tool(["one", "one", "two"] * 40, df, [column], random_state=0)
        space: dict = {}
        exec(compile(tool.to_python(), "<rule>", "exec"), space)
        told = [space["segment_of"](person) for person in df.to_dict("records")]
        assert told == ["one", "one", "two"] * 40 == list(tool.predict(df))


def test_results_are_saved_shown_and_drawn(market, check_result) -> None:
    check_result(
        lambda: typing_tool(
            market.truth.segment, market.customers, market.features, random_state=0
        ),
        TypingTool,
    )


@pytest.mark.parametrize(
    ("labels", "df", "options", "error", "message"),
    [
        (["a"] * 40, {"x": range(40)}, {}, DataError, "segments: found one segment"),
        (["a", "b"] * 20, {"x": [1] * 40}, {}, DataError, 'questions: found "x" is constant'),
        (["a", "b"] * 20, {"x": [None] * 40}, {}, DataError, "has no value"),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"max_questions": 0},
            DataError,
            "max_questions: found 0",
        ),
        (["a", "b"] * 20, {"x": range(40)}, {"answers": 1}, DataError, "answers: found 1"),
        (["a", "b"] * 20, {"x": range(40)}, {"folds": 50}, DataError, "needs at least 100 rows"),
        (["a", "b"] * 20, {"x": range(40)}, {"tolerance": 2}, DataError, "tolerance: found 2"),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"questions": ["age"]},
            MissingColumnError,
            '"age" not found',
        ),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"questions": "x"},
            TypeError,
            "questions: found one text",
        ),
        (
            ["a", "b"] * 20,
            {"x": range(40)},
            {"questions": []},
            DataError,
            "questions: found no column",
        ),
    ],
)
def test_bad_input_is_refused(labels, df, options, error, message) -> None:
    with pytest.raises(error, match=message):
        typing_tool(labels, {name: list(values) for name, values in df.items()}, **options)
