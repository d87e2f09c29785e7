"""How many customers match a persona as a whole."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.exceptions import DataError, MissingColumnError, ModelFileError
from ilk.personas import Personas, Prevalence, personas, prevalence

CUSTOMERS = pd.DataFrame(
    {
        "town": ["a", "a", "b", "b", "a", None],
        "age": [20.0, 30.0, 40.0, 50.0, np.nan, 20.0],
        "kids": [0, 1, 2, 0, 0, 0],
        "segment": ["x", "x", "y", "y", "x", "x"],
    }
)


def audit(**attributes) -> Prevalence:
    return prevalence({"x": attributes}, CUSTOMERS, "segment")


def test_mcdonalds_modal_profiles_match_few_customers(realdata) -> None:
    """S5-PERS-01: of 1,453 visitors 121, 63, 47 and 34 match the modal profile of their segment in all 11 attributes."""
    answers = pd.read_csv(realdata / "mcdonalds_msa.csv.gz").iloc[:, :11]
    numbers = (answers == "Yes").astype(float)
    segmentation = ilk.segment(numbers, k=4, scale="none", n_init=2000, random_state=0)
    assert list(segmentation.sizes.values()) == [580, 318, 315, 240]
    found = personas(segmentation, answers).prevalence()
    table = found.at_least
    full = table[table["at_least"] == 11]
    assert full["matched"].tolist() == [121, 63, 47, 34]
    # Independence, as the product of the shares of all customers.
    assert full["expected"].round(2).tolist() == [36.68, 15.23, 18.24, 2.19]
    most = table[table["at_least"] == 9]
    assert most["matched"].tolist() == [671, 426, 469, 275]
    # Each attribute that is added leaves fewer customers.
    for _, steps in found.table.groupby("persona"):
        assert steps["matched"].is_monotonic_decreasing
        assert steps["expected"].is_monotonic_decreasing
        assert steps["attributes"].tolist() == list(range(1, 12))


def test_attributes_are_added_in_order_and_missing_values_left_out() -> None:
    found = audit(town="a", age=(None, 35), kids=0).table
    assert found["matched"].tolist() == [2, 2, 1]
    assert found["n"].tolist() == [4, 4, 4]
    assert found["share"].tolist() == [0.5, 0.5, 0.5]
    assert found["expected"].tolist() == [2.0, 1.0, 0.5]
    assert found["share_inside"].tolist() == [1.0, 1.0, 0.5]
    assert found["prevalence_inside"].tolist() == [1.0, 1.0, 0.5]
    assert found["without"].tolist() == [1, 1, 2]
    assert found["statement"].tolist() == ["a", "at most 34", "0"]


def test_attribute_whose_removal_helps_most_is_named() -> None:
    assert audit(town="a", age=(None, 35), kids=0).weakest == {"x": "kids"}
    assert audit(town="a").weakest == {"x": None}
    assert "Without kids 2 match the rest" in str(audit(town="a", age=(None, 35), kids=0).explain())


def test_interval_is_that_of_wilson() -> None:
    table = audit(town="a").table
    # 3 of 5: (3 + z^2/2 -+ z sqrt(3 * 2 / 5 + z^2 / 4)) / (5 + z^2).
    z = 1.959963984540054
    half = z * np.sqrt(3 * 2 / 5 + z**2 / 4)
    expected = [(3 + z**2 / 2 - half) / (5 + z**2), (3 + z**2 / 2 + half) / (5 + z**2)]
    assert table[["prevalence_lo", "prevalence_hi"]].iloc[0].tolist() == pytest.approx(expected)


def test_customers_without_a_segment_do_not_count() -> None:
    labels = np.array([0, 0, 1, 1, -1, -1])
    found = prevalence({"0": {"town": "a"}}, CUSTOMERS, labels)
    assert found.table["n"].tolist() == [4]
    assert found.manifest["left_out"] == [{"reason": "no segment", "rows": 2}]


def test_any_frame_gives_the_same_counts() -> None:
    rows = {"town": ["a", "a", "b"], "age": [20, 30, 40], "flag": [True, False, True]}
    stated = {"p": {"town": "a", "age": (20, None), "flag": True}}
    frames = [rows, pd.DataFrame(rows), pl.DataFrame(rows)]
    found = [prevalence(stated, frame).to_dict() for frame in frames]
    for other in found[1:]:
        assert [list(column) for column in other.values()] == [
            pytest.approx(list(column), nan_ok=True) if column_is_float(column) else list(column)
            for column in found[0].values()
        ]
    assert found[0]["matched"].tolist() == [2, 2, 1]


def column_is_float(column) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "f"


def test_numbers_are_categories_where_they_are_stated_alone() -> None:
    for value in (0, 0.0, np.int64(0), "0"):
        assert audit(kids=value).table["matched"].tolist() == [4]


def test_what_nobody_has_is_noted() -> None:
    found = audit(kids=7)
    assert found.table["matched"].tolist() == [0]
    assert "no customer has" in found.manifest["notes"][0]
    assert "no customer has" in str(found.explain())


def test_results_are_saved_and_drawn(tmp_path) -> None:
    found = audit(town="a", age=(None, 35))
    assert Prevalence.from_json(found.to_json()).to_json() == found.to_json()
    assert "2 of 4 customers match all 2" in found.plot().get_label()
    assert "<table>" in found._repr_html_()
    for change in (
        ('"n":4', '"n":5'),
        ('"so_far":2', '"so_far":4'),
        ('"audits":[', '"audits":[],"x":['),
    ):
        assert change[0] in found.to_json()
        with pytest.raises(ModelFileError):
            Prevalence.from_json(found.to_json().replace(*change))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: audit(), DataError, "0 of .x., but 1 to 64"),
        (lambda: audit(age=(40, 20)), DataError, "40 to 20, but a category or a range"),
        (lambda: audit(age=(None, None)), DataError, "a range"),
        (lambda: audit(age=(float("nan"), 3)), DataError, "finite ends"),
        (lambda: audit(age=(1, 2, 3)), DataError, "a range"),
        (lambda: audit(agee=3), MissingColumnError, "did you mean .age."),
        (lambda: audit(town=(1, 2)), TypeError, "town"),
        (lambda: audit(town=None), TypeError, "a category, a number or a range"),
        (lambda: audit(town=("a", "b")), TypeError, "town: found .* categories, of which one"),
        (
            lambda: audit(segment="xx"),
            DataError,
            "'xx', but the column holds 'x', 'y'; did you mean 'x'",
        ),
        (lambda: audit(town="c"), DataError, "town: found 'c', but the column holds 'a', 'b'"),
        (lambda: audit(age="old"), DataError, "age: found 'old', but the column holds numbers"),
        (lambda: audit(age=("2023-06-01", None)), DataError, "age: .* holds no dates"),
        (lambda: audit(**{"age": ("x", None)}), DataError, "found 'x', but a date such as"),
        (lambda: audit(**{"age": (1, "2023-06-01")}), DataError, "a date and a number"),
        (lambda: prevalence({"x": {3: 1}}, CUSTOMERS), TypeError, "found the attribute 3"),
        (
            lambda: prevalence({"x": {"town": "a"}}, CUSTOMERS, confidence="high"),
            TypeError,
            "confidence: found 'high', but a number",
        ),
        (lambda: prevalence({}, CUSTOMERS), TypeError, "a mapping of names"),
        (lambda: prevalence({"x": "a"}, CUSTOMERS), TypeError, "a mapping of attributes"),
        (lambda: prevalence({"x": {"town": "a"}}), DataError, "customers are needed"),
        (
            lambda: prevalence({"x": {"town": "a"}}, {"town": [None, None]}),
            DataError,
            "no customer with a value",
        ),
        (
            lambda: prevalence({"x": {"town": "a"}}, CUSTOMERS, confidence=1),
            DataError,
            "confidence: found 1, but a number between",
        ),
    ],
)
def test_refusals(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_more_than_64_attributes_are_refused() -> None:
    wide = {f"x{i}": [0, 1] for i in range(65)}
    with pytest.raises(DataError, match=r"65 of .p., but 1 to 64"):
        prevalence({"p": dict.fromkeys(wide, 1)}, wide)
    del wide["x64"]
    assert prevalence({"p": dict.fromkeys(wide, 1)}, wide).to_dict()["matched"][-1] == 1


DAYS = pd.DataFrame({"first_contact": pd.date_range("2023-05-30", periods=5)})


@pytest.mark.parametrize(
    "first",
    [
        "2023-06-01",
        dt.date(2023, 6, 1),
        dt.datetime(2023, 6, 1),
        pd.Timestamp("2023-06-01"),
        np.datetime64("2023-06-01"),
    ],
)
def test_ends_of_a_range_of_dates_are_dates(first) -> None:
    found = prevalence({"a": {"first_contact": (first, None)}}, DAYS)
    assert found.to_dict()["matched"].tolist() == [3]
    assert found.to_dict()["statement"] == ["2023-06-01 or later"]
    found = prevalence({"a": {"first_contact": (None, first)}}, DAYS)
    assert found.to_dict()["matched"].tolist() == [2]


@pytest.mark.parametrize(
    ("stated", "error", "message"),
    [
        ((19_508, None), DataError, "holds dates; try: {'first_contact': .\"2023-06-01\", None"),
        ((pd.NaT, None), DataError, "finite ends"),
        ("yesterday", DataError, "holds dates, of which a range is taken"),
        (pd.Timestamp("2023-06-01"), TypeError, "holds dates, of which a range is taken"),
    ],
)
def test_what_is_no_range_of_dates_is_refused(stated, error, message) -> None:
    with pytest.raises(error, match=message):
        prevalence({"a": {"first_contact": stated}}, DAYS)


@pytest.mark.parametrize("step", ["D", "7h"])
def test_rules_on_dates_match_whom_the_cards_match(step) -> None:
    customers = pd.DataFrame(
        {
            "segment": ["big"] * 30 + ["little"] * 12,
            "since": pd.date_range("2023-01-01", periods=42, freq=step),
        }
    )
    cards = personas("segment", customers, ["since"])
    for read in (cards, Personas.from_json(cards.to_json())):
        stated = {name: read.rule(name) for name in read.names}
        ends = [end for rule in stated.values() for end in rule["since"] if end is not None]
        assert ends
        assert all(isinstance(end, dt.date) for end in ends)
        found = prevalence(stated, customers, "segment").to_dict()
        own = cards.prevalence().to_dict()
        assert found["matched"].tolist() == own["matched"].tolist()
        assert found["statement"] == own["statement"]
    matching = cards.matching().sum()
    assert matching.tolist() == own["matched"].tolist()
