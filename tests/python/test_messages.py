"""Messages by role."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from ilk.exceptions import DataError, MissingColumnError
from ilk.gaps import ROLE_PRIORITIES, MessageMatrix, message_matrix

CONTENT = {
    "role": ["CFO", "CFO", "CFO", "managing director", "department head", "department head"],
    "message": ["budget savings", "budget savings", "speed", "efficiency", "efficiency", "speed"],
}


def test_each_role_is_held_against_its_own_priority() -> None:
    found = message_matrix(CONTENT)
    roles = pd.DataFrame(found.roles).set_index("role")
    assert roles["status"].to_dict() == {
        "managing director": "not spoken to",
        "CFO": "spoken to",
        "department head": "partly",
    }
    assert roles["missing"].to_dict() == {
        "managing director": "strategy",
        "CFO": "",
        "department head": "convenience",
    }
    np.testing.assert_allclose(roles["off_message"], [1, 1 / 3, 1 / 2])
    assert found.matrix()["speed"].tolist() == [0, 1, 1]
    assert found.matrix("status")["budget savings"] == ["", "spoken to", ""]
    assert found.gaps()["sentence"] == [
        "managing director: nothing speaks to strategy; its one piece is off message (efficiency).",
        "department head: nothing speaks to convenience; 50.0 % of 2 pieces are off message (speed).",
    ]
    assert found.manifest["notes"] == ['nobody\'s priority: "speed"']


def test_roles_and_messages_can_have_other_names() -> None:
    content = {"role": ["CTO", ["CTO", "CFO"]], "message": ["SSO", "save 20 %"]}
    found = message_matrix(
        content,
        roles={"CTO": ["security"], "CFO": "budget savings"},
        messages={"SSO": "security", "save 20 %": "budget savings"},
    )
    assert found.roles["status"] == ["spoken to", "spoken to"]
    assert found.matrix()["security"].tolist() == [1, 0]
    everyone = message_matrix({"role": ["all"], "message": ["strategy"]})
    assert everyone.matrix()["strategy"].tolist() == [1, 1, 1]
    assert dict(ROLE_PRIORITIES)["CFO"] == ("budget savings",)


def deals(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    matched = rng.uniform(size=n) < 0.5
    won = rng.uniform(size=n) < np.where(matched, 0.6, 0.3)
    days = np.exp(rng.normal(np.where(matched, 3.0, 3.5), 0.6))
    return pd.DataFrame(
        {
            "role": "CFO",
            "message": np.where(matched, "budget savings", "strategy"),
            "won": won,
            "days": days,
        }
    )


def test_outcomes_are_differences_and_ratios_with_intervals() -> None:
    data = deals()
    found = message_matrix(data, won="won", days="days")
    effects = found.effects.set_index("figure")
    matched = data["message"] == "budget savings"
    assert effects.loc["win_rate_difference", "value"] == pytest.approx(
        data.loc[matched, "won"].mean() - data.loc[~matched, "won"].mean()
    )
    logs = np.log(data.loc[data["won"], "days"])
    one, other = logs[matched[data["won"]]], logs[~matched[data["won"]]]
    test = stats.ttest_ind(one, other, equal_var=False)
    interval = test.confidence_interval()
    ratio = effects.loc["days_ratio"]
    assert ratio["value"] == pytest.approx(np.exp(one.mean() - other.mean()))
    assert (ratio["value_lo"], ratio["value_hi"]) == pytest.approx(
        (np.exp(interval.low), np.exp(interval.high))
    )
    assert ratio["p"] == pytest.approx(test.pvalue)
    assert effects.loc["hazard_ratio", "value_lo"] > 1
    assert "These are associations" in found.explain()
    assert found.groups["n"].sum() == 400


def test_a_deal_is_matched_where_every_role_heard_its_own() -> None:
    data = {
        "deal": ["a", "a", "a", "b", "b", "c"],
        "role": ["CFO", "CFO", "managing director", "CFO", "managing director", "CFO"],
        "message": [
            "strategy",
            "budget savings",
            "strategy",
            "budget savings",
            "efficiency",
            "strategy",
        ],
        "won": [True, True, True, False, False, None],
    }
    found = message_matrix(data, deal="deal", won="won")
    groups = found.groups
    assert groups["n"].tolist() == [1, 2]
    assert groups["decided"].tolist() == [1, 1]
    assert groups["win_rate"].tolist() == [1, 0]
    assert "1 deal is not decided and has no part" in found.manifest["notes"][0]


@pytest.mark.slow
def test_intervals_of_outcomes_cover_the_truth() -> None:
    hits = np.zeros(2)
    for seed in range(300):
        effects = message_matrix(deals(300, seed), won="won", days="days").effects.set_index(
            "figure"
        )
        for at, (name, truth) in enumerate(
            [("win_rate_difference", 0.3), ("days_ratio", np.exp(-0.5))]
        ):
            hits[at] += effects.loc[name, "value_lo"] <= truth <= effects.loc[name, "value_hi"]
    assert ((hits / 300 >= 0.92) & (hits / 300 <= 0.98)).all()


@pytest.mark.parametrize(
    ("changes", "options", "error", "message"),
    [
        ({"role": ["CFO"] * 5 + ["buyer"]}, {}, DataError,
         r'column "role", row 5: found "buyer", but the roles are .*try: roles='),
        ({}, {"roles": {}}, DataError, "roles: found no role"),
        ({}, {"roles": {"CFO": []}}, DataError, r'roles: found "CFO" without one'),
        ({}, {"roles": ["CFO"]}, TypeError, "roles is a list"),
        ({"won": [2] * 6}, {"won": "won"}, DataError, r'column "won", row 0: found 2'),
        ({"days": [3, 0, 1, 1, 1, 1]}, {"days": "days"}, DataError,
         r'column "days", row 1: found 0, but a number of days above 0.*clip'),
        ({"deal": [1] * 6, "won": [1, 1, 0, 1, 1, 1]}, {"deal": "deal", "won": "won"}, DataError,
         r'column "won", row 2: found 0, but the same deal has 1 in row 0'),
        ({}, {"won": "closed"}, MissingColumnError, "closed"),
        ({"message": [None] * 6}, {}, DataError, r'content: found 6 rows, all left out: "message" is missing'),
        ({"w": [-1] * 6}, {"weights": "w"}, DataError, r'column "w", row 0: found -1'),
        ({}, {"confidence": 0}, DataError, "confidence: found 0"),
    ],
)  # fmt: skip
def test_messages_that_cannot_be_judged_are_refused(changes, options, error, message) -> None:
    with pytest.raises(error, match=message):
        message_matrix({**CONTENT, **changes}, **options)


def test_messages_are_saved_pictured_and_told(check_result) -> None:
    check_result(lambda: message_matrix(deals(), won="won", days="days"), MessageMatrix)
    found = message_matrix(CONTENT)
    assert len(found.effects["figure"]) == 0
    ax = found.plot()
    assert "none" in {text.get_text() for text in ax.texts}
    assert "convenience" in ax.get_label()
    with pytest.raises(DataError, match="what: found 'love'"):
        found.matrix("love")
    assert type(message_matrix(pl.DataFrame(CONTENT)).roles) is pl.DataFrame
