"""Spend by month and channel, shared out to the customers it won."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ilk
from ilk.exceptions import DataError, MissingColumnError

PEOPLE = pd.DataFrame(
    {
        "segment": ["A", "A", "B", "B", "B", "A"],
        "channel": ["web", "web", "web", "fair", "fair", None],
        "contact": pd.to_datetime(["2024-01-05"] * 6),
        "sale": pd.to_datetime(
            ["2024-02-01", "2024-02-29", "2024-02-10", "2024-03-31", None, "2024-02-02"]
        ),
        "revenue": [9.0, 9.0, 9.0, 9.0, None, 9.0],
    }
)
BUDGET = pd.DataFrame(
    {
        "month": pd.to_datetime(["2024-01-31", "2024-02-01", "2024-03-15", "2024-01-01", None]),
        "channel": ["web", "fair", "web", "radio", "web"],
        "amount": [300.0, 70.0, 11.0, 5.0, 2.0],
    }
)
ROLES = {
    "segment": "segment",
    "revenue": "revenue",
    "first_contact": "contact",
    "first_sale": "sale",
    "channel": "channel",
    "month": "month",
    "amount": "amount",
}


def card_of(people=PEOPLE, budget=BUDGET, **arguments):
    return ilk.segment_scorecard(
        people, spend=budget, **{**ROLES, "lag_months": 1, "n_boot": 0, **arguments}
    )


def test_spend_buys_the_customers_of_the_month_after_the_lag():
    card = card_of()
    found = card.acquisition.set_index(["channel", "segment"])
    # 300 of January bought the three customers of February through the web.
    assert found.loc[("web", "A"), "spend"] == 200
    assert found.loc[("web", "B"), "spend"] == 100
    assert found.loc[("web", "all"), "cac"] == 100
    assert found.loc[("fair", "B"), "cac"] == 70
    assert found.loc[("all", "all"), "n_new"] == 4
    # The customer without a channel is a new one, and nobody's spend.
    np.testing.assert_allclose(card.table["cac"], [200 / 3, 170 / 2])
    left = card.unallocated.set_index("amount")
    assert left.loc[11.0, "reason"] == "it buys customers in 2024-04, after the data end"
    assert left.loc[5.0, "reason"] == "it won nobody in 2024-02"
    assert left.loc[5.0, "channel"] == "radio"
    assert left.loc[2.0, "reason"] == "the month is missing"
    assert "18 of 388 spent won nobody" in " ".join(card.manifest["notes"])


def test_without_a_lag_spend_buys_the_month_itself():
    card = card_of(lag_months=0)
    assert card.acquisition["spend"].iloc[-1] == 0
    assert card.unallocated["amount"].sum() == BUDGET["amount"].sum()


def test_spend_on_one_segment_is_charged_to_it_alone():
    budget = pd.DataFrame(
        {
            "month": pd.to_datetime(["2024-01-01"] * 3),
            "channel": ["web"] * 3,
            "amount": [30.0, 8.0, 4.0],
            "segment": [None, "B", "A"],
        }
    )
    found = card_of(budget=budget).acquisition.set_index(["channel", "segment"])
    assert found.loc[("web", "A"), "spend"] == 20 + 4
    assert found.loc[("web", "B"), "spend"] == 10 + 8
    with pytest.raises(
        DataError, match='"segment", row 1: found "Z", but there is no such segment'
    ):
        card_of(budget=budget.assign(segment=[None, "Z", "A"]))


@given(seed=st.integers(0, 10_000), lag=st.integers(0, 4), by_segment=st.booleans())
def test_what_is_shared_out_and_what_is_not_add_up_to_the_spend(seed, lag, by_segment):
    rng = np.random.default_rng(seed)
    n, start = int(rng.integers(1, 40)), np.datetime64("2024-01-01")
    sale = (start + rng.integers(0, 200, n)).astype("datetime64[ns]")
    people = pd.DataFrame(
        {
            "segment": rng.choice(["A", "B", None], n, p=[0.5, 0.4, 0.1]),
            "channel": rng.choice(["web", "fair", None], n),
            "contact": start.astype("datetime64[ns]"),
            "sale": pd.Series(sale).where(rng.random(n) < 0.7),
            "revenue": 1.0,
        }
    )
    people.loc[0, ["segment", "revenue"]] = ["A", 1.0]
    budget = pd.DataFrame(
        {
            "month": (start + rng.integers(-90, 300, 30)).astype("datetime64[ns]"),
            "channel": rng.choice(["web", "fair", "radio", None], 30),
            "amount": rng.exponential(100, 30) * rng.integers(0, 2, 30),
        }
    )
    if by_segment:
        present = [name for name in ("A", "B") if (people["segment"] == name).any()]
        budget["segment"] = rng.choice([*present, None], 30)
    card = card_of(people, budget, lag_months=lag)
    table = card.acquisition
    shared = table.query("channel != 'all' and segment != 'all'")["spend"].sum()
    assert shared + card.unallocated["amount"].sum() == pytest.approx(budget["amount"].sum())
    assert table["spend"].iloc[-1] == pytest.approx(shared)
    # The figures of the scorecard are of the same money.
    cac = card.table["cac"] * card.table["n_new"]
    assert cac.sum() == pytest.approx(shared)


def test_intervals_know_that_wins_are_chance():
    rng = np.random.default_rng(0)
    n = 3000
    won = rng.random(n) < 0.3
    people = pd.DataFrame(
        {
            "segment": "A",
            "channel": "web",
            "contact": np.datetime64("2024-01-01", "ns"),
            "sale": pd.Series(np.full(n, np.datetime64("2024-02-01", "ns"))).where(won),
            "revenue": np.where(won, 1.0, np.nan),
        }
    )
    budget = {
        "month": np.array(["2024-01-01"], "datetime64[D]"),
        "channel": ["web"],
        "amount": [9000.0],
    }
    card = card_of(people, budget, n_boot=2000, random_state=1)
    table = card.table
    assert table["cac"][0] == pytest.approx(9000 / won.sum())
    # 9,000 over a binomial number: the relative error is that of the number.
    share = won.mean()
    error = np.sqrt((1 - share) / (n * share))
    width = np.log(table["cac_hi"][0] / table["cac_lo"][0]) / (2 * 1.96)
    assert width == pytest.approx(error, rel=0.08)
    found = card.acquisition.iloc[0]
    assert (found["cac_lo"], found["cac_hi"]) == (table["cac_lo"][0], table["cac_hi"][0])


def test_what_does_not_go_together_is_refused():
    with pytest.raises(DataError, match="both spend and acquisition_cost"):
        card_of(PEOPLE.assign(cost=1.0), acquisition_cost="cost")
    with pytest.raises(DataError, match="month: found None, but spend needs the columns"):
        card_of(month=None)
    with pytest.raises(MissingColumnError, match='column "euros" not found'):
        card_of(amount="euros")
    with pytest.raises(DataError, match='"amount", row 1: found -70, but spend is 0 or more'):
        card_of(budget=BUDGET.assign(amount=[1.0, -70.0, 1.0, 1.0, 1.0]))
    with pytest.raises(DataError, match="shared out by the month of the first sale"):
        card_of(first_sale=None, first_contact=None)
    card = ilk.segment_scorecard({"s": ["A"], "x": [1.0]}, segment="s", revenue="x", n_boot=0)
    with pytest.raises(DataError, match="acquisition by channel needs a table of spend"):
        _ = card.acquisition
