"""Odd data end in a result that can be told, shown and saved, or in a refusal by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ilk import economics
from ilk.exceptions import IlkError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

ASK = {"n_boot": 7, "random_state": 1}
Frame = dict[str, Any]

CALLS: dict[str, Callable[[Frame, Frame], Any]] = {
    "cohorts": lambda a, _: economics.cohorts(
        a, customer="i", date="d", value="x", by="s", period="quarter"
    ),
    "concentration": lambda a, _: economics.concentration(
        a, value="x", by="s", weights="y", negative="zero", **ASK
    ),
    "market_mass": lambda a, _: economics.market_mass(a, score="x", money="y", by="s", **ASK),
    "mass_neighbours": lambda a, _: economics.mass_neighbours(
        a, customer="i", item="s", value="y", niche="a", min_size=0
    ),
    "mix_rate_value of rows": lambda a, b: economics.mix_rate_value(
        a, b, by="s", revenue="x", orders="y", **ASK
    ),
    "mix_rate_value of customers": lambda a, b: economics.mix_rate_value(
        a, b, by="s", revenue="x", customer="i", method="lmdi", **ASK
    ),
    "need_drift": lambda a, b: economics.need_drift(
        a, b, needs=["x", "f"], segment="s", weights="y"
    ),
    "effort_index": lambda a, _: economics.effort_index(
        a, segment="s", effort="x", outcome="y", **ASK
    ),
    "fit_against_activity": lambda a, _: economics.fit_against_activity(
        a, fit="x", activity="y", won="f", by="s"
    ),
    "targeting_value": lambda a, _: economics.targeting_value(
        a, target="f", converted="g", cost="x", days="y", **ASK
    ),
    "value_of_segmentation": lambda a, _: economics.value_of_segmentation(
        a, segment="s", action="i", value="x", min_count=2, **ASK
    ),
}

NUMBERS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.5,
    np.nan,
    1e300,
    -1e300,
    5e-324,
    2.2e-308,
    1e15,
    1e15 + 2,
    0.1,
    3.0,
]


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    n = draw(st.sampled_from([0, 1, 2, 3, 9, 30]))
    tame = st.one_of(st.floats(0, 100), st.integers(0, 5).map(float))
    number = draw(st.sampled_from([tame, st.sampled_from(NUMBERS), st.just(1.0)]))
    label = st.sampled_from(["a", "b", None]) if draw(st.booleans()) else st.just("a")
    flag = st.sampled_from([0.0, 1.0])
    who = st.sampled_from(["a", "b", "c", "d", "e", "f"])
    day = st.sampled_from([0.0, 1.0, 31.0, 400.0, 18_000.0, np.nan])

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    frame: Frame = {name: np.array(column(number), dtype=float) for name in "xy"}
    frame |= {name: np.array(column(flag), dtype=float) for name in "fg"}
    frame |= {"d": np.array(column(day), dtype=float), "s": column(label), "i": column(who)}
    return frame


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
def test_odd_data_end_in_a_result_or_in_a_refusal(name: str, data: st.DataObject) -> None:
    refusal = None
    try:
        result = CALLS[name](data.draw(frames()), data.draw(frames()))
    except InternalError:
        raise
    except (IlkError, TypeError) as error:
        refusal = str(error)
    if refusal is not None:
        # A refusal names what it refuses; a slip in the code would not.
        assert "found" in refusal or "has type" in refusal
        return
    assert str(result.explain())
    assert "<table>" in result._repr_html_()
    assert repr(result)
    again = type(result).from_json(result.to_json())
    assert again.to_json() == result.to_json()
    plt.close(result.plot().figure)
