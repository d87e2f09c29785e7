"""From customers to people and what to offer them: the rooms take each other's results as they are."""

from __future__ import annotations

import pytest

import ilk
from ilk.gaps import value_map
from ilk.personas import Personas, personas

FEATURES = ["age", "household", "visits_per_month", "basket_value", "discount_share"]


@pytest.fixture(scope="module")
def found() -> tuple[ilk.Segmentation, ilk.Scorecard, Personas]:
    market = ilk.datasets.make_market(900, random_state=3)
    segments = ilk.segment(market.customers, FEATURES, k=3, random_state=0)
    worth = ilk.segment_scorecard(
        market.customers,
        segment=segments,
        revenue="revenue",
        cost="cost",
        n_boot=50,
        random_state=0,
    )
    offers = value_map(
        {
            name: {"price": 5 - number, "time": 1 + number}
            for number, name in enumerate(segments.names)
        },
        {
            "cheap basket": {"price": 1.0, "time": 0.1},
            "home in an hour": {"price": 0.0, "time": 1.0},
        },
    )
    return (
        segments,
        worth,
        personas(segments, attributes=FEATURES, economics=worth, value_map=offers),
    )


def test_segments_worth_and_propositions_meet_in_the_cards(found) -> None:
    """S2-SEG-01, S2-PROC-01, S2-PERS-01: everything told hangs on segments and value propositions."""
    segments, worth, cards = found
    assert cards.names == segments.names == worth.to_dict()["segment"]
    text = cards.to_markdown()
    for name in segments.names:
        assert name in text
    assert "cheap basket" in text
    assert "home in an hour" in text


def test_new_needs_score_the_propositions_anew() -> None:
    """S2-VP-02: needs and propositions stay aligned, since the map is made from both."""
    delivery = {
        "cheap basket": {"price": 1.0, "time": 0.0},
        "home in an hour": {"price": 0.0, "time": 1.0},
    }
    before = value_map(
        {"families": {"price": 3, "time": 1}, "singles": {"price": 1, "time": 3}}, delivery
    )
    after = value_map(
        {"families": {"price": 1, "time": 3}, "singles": {"price": 1, "time": 3}}, delivery
    )
    fit = "fit"
    assert before.matrix(fit).loc["families"].tolist() == [0.75, 0.25]
    assert after.matrix(fit).loc["families"].tolist() == [0.25, 0.75]
    assert after.matrix(fit).loc["singles"].tolist() == before.matrix(fit).loc["singles"].tolist()
    new = value_map({"families": {"price": 1, "time": 3, "advice": 4}}, delivery, missing="zero")
    assert new.matrix(fit).loc["families"].tolist() == [0.125, 0.375]
