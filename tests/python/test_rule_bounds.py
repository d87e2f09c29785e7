"""What bounds of rules take in, and which criteria say the same."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from ilk.exceptions import DataError
from ilk.profile import describe, profile
from ilk.segments import criteria_segment, from_rules


def test_a_day_is_taken_in_to_its_last_moment() -> None:
    day = datetime.date(2024, 1, 31)
    moments = pd.to_datetime(
        ["2024-01-30 23:00", "2024-01-31 00:00", "2024-01-31 10:00", "2024-02-01 00:00"]
    )
    for frame in (pd.DataFrame({"d": moments}), pd.DataFrame({"d": moments.normalize()})):
        inside = {
            "at_most": [True, True, True, False],
            "below": [True, False, False, False],
            "at_least": [False, True, True, True],
            "above": [False, False, False, True],
        }
        for bound, wanted in inside.items():
            found = from_rules(frame, {"in": {"d": {bound: day}}}, default="out")
            assert (np.asarray(found.labels) == "in").tolist() == wanted, bound
    frame = pd.DataFrame({"d": moments})
    exact = from_rules(frame, {"in": {"d": {"at_most": "2024-01-31 09:00"}}}, default="out")
    assert (np.asarray(exact.labels) == "in").tolist() == [True, True, False, False]


def test_only_the_criteria_that_say_the_same_are_blamed() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"c": rng.normal(size=300), "a": rng.normal(size=300)})
    frame["b"] = 2 * frame["a"] + 1
    with pytest.raises(DataError) as refused:
        criteria_segment(frame, ["c", "a", "b"], max_association=None, min_cell=0)
    assert "found 'a', which the others give away" in str(refused.value)


def test_empty_text_is_a_category_and_no_flag() -> None:
    frame = pd.DataFrame({"g": ["p", "q"] * 20, "t": ["", "", None, None] * 10})
    for level in ("0", "1"):
        assert level not in profile("g", frame, ["t"]).to_pandas()["level"].tolist()
    counts = describe("g", ["t"], frame).counts
    assert "1" not in counts["level"].tolist()
