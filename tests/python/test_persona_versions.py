"""Cards that are limited, revised by hand, and compared."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import people
from ilk.exceptions import DataError, DataWarning
from ilk.personas import Personas, personas
from people import lines_of, small


@pytest.fixture
def market():
    return people.market()


@pytest.fixture
def found() -> Personas:
    return people.cards()


def test_more_than_seven_segments_are_limited_with_the_loss_stated() -> None:
    """S2-PERS-03: 6 or 7 personas at most."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(9), [50, 40, 30, 30, 30, 30, 30, 10, 8])
    customers = pd.DataFrame({"x": rng.normal(size=codes.size), "s": [f"s{c}" for c in codes]})
    with pytest.warns(DataWarning, match=r"9 segments are more than 7 .* 7.0% of the customers"):
        cards = personas("s", customers, ["x"])
    assert cards.names == [f"s{i}" for i in range(7)]
    assert cards.left_out["segment"].tolist() == ["s7", "s8"]
    assert cards.left_out["share"].sum() == pytest.approx(18 / 258, rel=5e-3)
    assert "Without a card: s7, s8" in str(cards.explain())
    # The share over all customers counts those of segments without a card.
    assert cards.card("s0")["share"] == pytest.approx(50 / 258, abs=5e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(personas("s", customers, ["x"], max_personas=None).names) == 9


def test_segments_of_most_revenue_are_kept() -> None:
    """S2-PERS-03: with economics the priority is the share of revenue."""
    customers = small()
    economics = {"segment": ["big", "little"], "revenue_share": [0.2, 0.8]}
    with pytest.warns(
        DataWarning, match=r"most revenue .* 75.0% of the customers and 20.0% of the revenue"
    ):
        cards = personas("segment", customers, ["town"], economics=economics, max_personas=1)
    assert cards.names == ["little"]


def test_empty_segments_get_no_card() -> None:
    customers = small()
    customers["segment"] = pd.Categorical(
        customers["segment"], ["big", "little", "none"], ordered=True
    )
    with pytest.warns(DataWarning, match="segment 'none' has no customers"):
        cards = personas("segment", customers, ["town"])
    assert cards.names == ["big", "little"]
    assert cards.left_out["reason"].tolist() == ["it has no customers"]


def test_revising_keeps_what_was_replaced(found: Personas) -> None:
    """S5-CHAR-03: assumptions are marked, kept with their reason, and compared."""
    name = found.names[0]
    before = found.card(name)
    new = found.revise(name, age=(30, 40), education="evening classes", reason="interviews")
    assert (found.version, new.version) == (1, 2)
    line = next(line for line in new.card(name)["lines"] if line["attribute"] == "age")
    assert line["statement"] == "30 to below 40"
    assert (line["provenance"], line["reason"]) == ("assumed", "interviews")
    assert len(line["replaces"]) == 1
    assert line["n"] is None
    said = lines_of(new, name, "education")[0]
    assert said["statement"] == "evening classes"
    assert said["replaces"] == []
    assert new.revisions["field"].tolist() == ["age", "education"]
    third = new.revise(name, age=None, name="Anna", reason="no longer")
    assert third.version == 3
    assert third.names[0] == "Anna"
    assert "age" not in third.rule("Anna")
    assert len(third.revisions) == 4
    assert third.card(before["segment"])["name"] == "Anna"
    assert Personas.from_json(third.to_json()).to_json() == third.to_json()


def test_revised_range_counts_in_the_prevalence(found: Personas, market) -> None:
    name = found.names[0]
    new = found.revise(name, age=(30, 40), reason="interviews")
    audit = new.prevalence(["age"]).table.set_index("persona")
    complete = market.customers["age"].dropna()
    assert audit.loc[name, "matched"] == ((complete >= 30) & (complete < 40)).sum()


def test_differences_of_versions_are_told(found: Personas) -> None:
    name = found.names[0]
    new = found.revise(
        name, age=(30, 40), problems=["no parking"], household=None, reason="interviews"
    )
    diff = found.diff(new)
    assert sorted(zip(diff["change"], diff["attribute"], strict=True)) == [
        ("added", ""),
        ("changed", "age"),
        ("removed", "household"),
    ]
    assert diff[diff["change"] == "added"]["after"].tolist() == ["no parking [assumed]"]
    assert len(found.diff(found)) == 0
    assert set(new.diff(found)["change"]) == {"added", "changed", "removed"}


def test_personas_of_another_time_are_compared() -> None:
    early = personas("segment", small(), ["town", "income"])
    late = personas(
        "segment",
        small().assign(town="city", segment="big").assign(town=["city", "village"] * 20),
        ["town", "income"],
    )
    diff = early.diff(late)
    assert ("little", "removed") in set(zip(diff["segment"], diff["change"], strict=True))


def test_limit_keeps_the_cards_that_bring_most(found: Personas) -> None:
    """S2-PERS-03: with economics by the share of revenue, else by customers; the others are told with what is lost."""
    economics = {"segment": ["big", "little"], "revenue_share": [0.2, 0.8]}
    for worth, kept, lost, share, revenue in (
        (economics, "little", "big", 0.75, 0.2),
        (None, "big", "little", 0.25, None),
    ):
        cards = personas("segment", small(), ["town"], economics=worth).limit(1)
        assert cards.names == [kept]
        (row,) = cards.left_out.to_dict("records")
        assert (row["segment"], row["share"]) == (lost, share)
        assert row["worth"] == revenue if revenue else np.isnan(row["worth"])
        assert f"Without a card: {lost}, together {share:.1%}".replace("%", " %") in str(
            cards.explain()
        )
        assert Personas.from_json(cards.to_json()).cards == cards.cards
    assert found.limit(3).to_json() == found.limit().to_json() == found.to_json()
    two = found.limit(2)
    assert two.names == [name for name in found.names if name in two.names]
    smallest = min(found.cards, key=lambda card: card["n"])
    assert two.left_out["segment"].tolist() == [smallest["segment"]]
    assert found.diff(two)["change"].unique().tolist() == ["removed"]
    assert two.prevalence().table["persona"].nunique() == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda p: p.revise("segment 1", educaton="x", reason="y"),
            DataError,
            'did you mean "education"',
        ),
        (
            lambda p: p.revise("segment 1", hosehold="x", reason="y"),
            DataError,
            'did you mean "household"',
        ),
        (
            lambda p: p.revise("segmnt 1", education="x", reason="y"),
            DataError,
            'did you mean "segment 1"',
        ),
        (lambda p: p.revise("segment 1", reason="y"), DataError, "found no field"),
        (lambda p: p.revise("segment 1", education="x", reason=" "), DataError, "reason is needed"),
        (
            lambda p: p.revise("segment 1", education=" ", reason="y"),
            DataError,
            "None to take it away",
        ),
        (
            lambda p: p.revise("segment 1", education="x" * 10_001, reason="y"),
            DataError,
            "at most 10000",
        ),
        (lambda p: p.revise("segment 1", education=3, reason="y"), TypeError, "found a int"),
        (
            lambda p: p.revise("segment 1", education=(1, 2), reason="y"),
            DataError,
            "belongs to an attribute",
        ),
        (lambda p: p.revise("segment 1", age=(2, 1), reason="y"), DataError, "2 to 1"),
        (
            lambda p: p.revise("segment 1", age=(np.nan, 1), reason="y"),
            DataError,
            "a finite number",
        ),
        (
            lambda p: p.revise("segment 1", name="segment 2", reason="y"),
            DataError,
            "names must be different",
        ),
        (lambda p: p.revise("segment 1", name=["a", "b"], reason="y"), DataError, "one name"),
        (lambda p: p.card("segmnt 1"), DataError, "did you mean 'segment 1'"),
        (lambda p: p.prevalence(["agee"]), DataError, "did you mean 'age'"),
        (lambda p: p.diff(3), TypeError, "Personas are needed"),
        (lambda p: p.limit(0), DataError, "most: found 0, but a whole number from 1 up"),
        (lambda p: p.limit(2.5), TypeError, "most: found 2.5, but a whole number from 1 up"),
        (lambda p: p.plot("radar"), DataError, '"cards", "prevalence"'),
    ],
)
def test_refusals_of_methods(found: Personas, call, error, message: str) -> None:
    with pytest.raises(error, match=message):
        call(found)
