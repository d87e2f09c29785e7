"""What personas take for an answer, and what they refuse."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk import taxonomy
from ilk.exceptions import DataError, DataWarning
from ilk.personas import Personas, personas

CUSTOMERS = pd.DataFrame(
    {
        "segment": ["big"] * 30 + ["little"] * 12,
        "town": ["a", "b"] * 21,
        "income": np.arange(42) * 1000.0,
        "late": [1, 0] * 21,
    }
)


def cards(**options) -> Personas:
    return personas("segment", CUSTOMERS, **{"attributes": ["town", "income"], **options})


@pytest.mark.parametrize("answer", ["no", "False", 1, 0, None])
def test_values_of_a_row_are_told_for_true_alone(answer) -> None:
    with pytest.raises(TypeError, match=r"sensitive: found .* True, .* or False is needed"):
        cards(sensitive=answer)


def test_a_boolean_of_numpy_is_one() -> None:
    assert cards(sensitive=np.False_).to_json() == cards().to_json()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"attributes": 3}, TypeError, "attributes: found a int, but names of columns"),
        ({"problems": 3}, TypeError, "problems: found a int, but names of columns"),
        ({"firm": 3}, TypeError, "firm: found a int, but names of columns"),
        ({"accounts": 3}, TypeError, "accounts: found a int"),
        ({"customer": 3}, TypeError, "customer: found a int, but the name of a column"),
        ({"customer": ["id"]}, TypeError, "customer: found a list, but the name of a column"),
        ({"confidence": "high"}, TypeError, "confidence: found 'high', but a number"),
        ({"confidence": None}, TypeError, "confidence: found None, but a number"),
        ({"confidence": float("nan")}, DataError, "confidence: found nan, but a finite"),
        ({"at_least": "a"}, TypeError, "at_least: found 'a', but a number"),
        ({"at_least": float("nan")}, DataError, "at_least: found nan, but a finite"),
        ({"min_count": None}, TypeError, "min_count: found None, but a whole number"),
        ({"characteristics": ["a"]}, TypeError, "found a list, but a taxonomy .* try: "),
        ({"categories": {"lifestyle": 3}}, TypeError, "found a int for 'lifestyle'"),
        ({"categories": {"lifestyle": [3]}}, TypeError, "found 3, but names of attributes"),
        ({"positioning": 3}, TypeError, "positioning: found a int"),
        (
            {"economics": {"segment": ["big", "little"], "ltv": ["a", "b"]}},
            TypeError,
            "economics: found text in the column 'ltv'",
        ),
    ],
)
def test_options_of_another_type_are_refused(options, error, message) -> None:
    with pytest.raises(error, match=message):
        cards(**options)


@pytest.mark.parametrize(
    ("at_least", "error"),
    [(-5, DataError), (0, DataError), (1.5, TypeError), ("2", TypeError), (True, TypeError)],
)
def test_number_of_matches_is_a_whole_number_from_1_up(at_least, error) -> None:
    with pytest.raises(error, match=r"at_least: found .* a whole number from 1 up"):
        cards().matching(at_least=at_least)


def test_more_matches_than_a_card_states_are_all() -> None:
    made = cards()
    assert made.matching(at_least=99).equals(made.matching())
    assert made.matching(at_least=1).sum().ge(made.matching().sum()).all()


def test_matching_has_the_index_of_the_customers() -> None:
    customers = CUSTOMERS.set_axis(range(300, 258, -1))
    made = personas("segment", customers, ["town"])
    for found in (made, made.limit(1), made.revise("big", name="Bea", reason="a name")):
        assert found.matching().index.equals(customers.index)
    assert made.matching(customers.head(4)).index.tolist() == [300, 299, 298, 297]
    read = Personas.from_json(made.to_json())
    assert read.matching(customers.tail(2)).index.tolist() == [260, 259]
    assert made.matching(pl.DataFrame(CUSTOMERS)).index.tolist() == list(range(42))


def test_matching_has_the_index_that_a_segmentation_remembers() -> None:
    customers = CUSTOMERS.set_axis(range(300, 258, -1))
    segmentation = ilk.segment(customers, ["income", "late"], k=2, random_state=0)
    found = personas(segmentation, attributes=["town", "income"]).matching()
    assert found.index.equals(customers.index)


@pytest.mark.parametrize("attributes", ["age", "town"])
def test_one_text_is_no_list_of_attributes(attributes) -> None:
    with pytest.raises(TypeError, match=rf"found one text, .* try: attributes=\['{attributes}'\]"):
        cards().prevalence(attributes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"committee": {"big": {"economc": "sceptic"}}}, "role 'economc'.* mean 'economic'"),
        ({"committee": {"big": {"economic": "scptic"}}}, "stance 'scptic'.* mean 'sceptic'"),
        ({"committee": {"big": {"a": "neutral", "b": "neutral"}}}, "role 'a' and 1 more"),
        ({"journey": {"big": {"problm": 0.4}}}, "stage 'problm'.* mean 'problem'"),
        ({"journey": {"big": {"problm": "reads"}}}, "stage 'problm'"),
        (
            {"journey": {"persona": ["big"], "stage": ["suplliers"], "share": [0.4]}},
            "stage 'suplliers'.* mean 'suppliers'",
        ),
    ],
)
def test_words_of_no_list_are_told_with_a_warning(options, message) -> None:
    with pytest.warns(DataWarning, match=message):
        cards(**options)


def test_words_of_the_lists_and_plain_texts_are_told_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for item in taxonomy.BUYER_ROLES:
            cards(committee={"big": {item.key: "Champion", item.name: "blocker"}})
        for stages in (taxonomy.CONSUMER_JOURNEY, taxonomy.B2B_JOURNEY, taxonomy.FUNNEL):
            cards(journey={"big": dict.fromkeys(stages.keys, 0.1)})
        cards(journey={"big": ["asks a friend"]}, committee={"big": ["the boss decides"]})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda made: made.revise(3, name="b", reason="x"), "persona: found 3, but a text"),
        (lambda made: made.revise("big", name="b", reason=3), "reason: found 3, but a text"),
        (lambda made: made.revise("big", income=([], 3), reason="x"), "income: found .*number"),
        (
            lambda made: made.revise("big", income=(dt.date(2023, 6, 1), None), reason="x"),
            r"days since 1970-01-01; try: income=\(19509.0, None\)",
        ),
        (lambda made: made.plot(ax="a"), "ax: found a str, but axes of matplotlib"),
        (lambda made: made.plot("prevalence", ax="a"), "ax: found a str, but axes"),
    ],
)
def test_methods_refuse_other_types(call, message) -> None:
    with pytest.raises(TypeError, match=message):
        call(cards())
