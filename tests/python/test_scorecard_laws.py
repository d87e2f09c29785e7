"""Identities that every scorecard obeys, and rows that none may take."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ilk
from ilk.exceptions import DataError, DataWarning

ROLES = {
    "segment": "segment",
    "revenue": "revenue",
    "cost": "cost",
    "acquisition_cost": "spend",
    "management_cost": "manage",
    "churn": "churn",
}


def draw(seed, n=60):
    rng = np.random.default_rng(seed)
    revenue = rng.lognormal(4, 1, n)
    return pd.DataFrame(
        {
            "segment": rng.choice(["A", "B", "C"], n),
            "revenue": revenue,
            "cost": revenue * rng.uniform(0.2, 0.9, n),
            "spend": rng.exponential(30, n),
            "manage": rng.exponential(5, n),
            "churn": rng.uniform(0.05, 0.6, n),
        }
    )


def card_of(data, **arguments):
    return ilk.segment_scorecard(data, **{**ROLES, "n_boot": 0, **arguments})


seeds = st.integers(0, 100_000)


@given(seeds)
def test_shares_add_up_and_blended_figures_are_ratios_of_sums(seed):
    data = draw(seed)
    card = card_of(data)
    table, total = card.to_dict(), {name: column[0] for name, column in card.total.items()}
    assert table["revenue_share"].sum() == pytest.approx(1)
    assert max(table["cumulative_share"]) == pytest.approx(1)
    margin = 1 - data["cost"].sum() / data["revenue"].sum()
    assert total["gross_margin"] == pytest.approx(margin)
    weighted = np.sum(table["gross_margin"] * table["revenue_share"])
    assert total["gross_margin"] == pytest.approx(weighted)
    assert total["cac"] == pytest.approx(data["spend"].mean())
    assert table["profit"].sum() == pytest.approx(total["profit"])


@given(seeds, st.floats(0, 0.5), st.sampled_from([1, 3, 12]), st.integers(1, 40))
def test_lifetime_values_keep_their_relations(seed, rate, months, periods):
    data = draw(seed)
    table = card_of(data, discount_rate=rate, period_months=months, ltv_periods=periods).to_dict()
    # Arrears are what is paid in advance, less the first margin.
    np.testing.assert_allclose(
        table["ltv_arrears"], table["ltv_advance"] - table["contribution"], rtol=1e-9
    )
    d = (1 + rate) ** (months / 12) - 1
    q = (1 - table["churn"]) / (1 + d)
    slow = sum(table["contribution"] * q**period for period in range(periods))
    np.testing.assert_allclose(table["ltv_horizon"], slow, rtol=1e-9)
    forever = card_of(data, discount_rate=rate, period_months=months, ltv_periods=100_000).to_dict()
    np.testing.assert_allclose(forever["ltv_horizon"], forever["ltv_advance"], rtol=1e-9)
    undiscounted = card_of(data, discount_rate=0).to_dict()
    np.testing.assert_allclose(undiscounted["ltv_advance"], undiscounted["ltv"], rtol=1e-9)


@given(seeds, st.integers(1, 5))
def test_counts_equal_repeats(seed, most):
    data = draw(seed, 30)
    counts = np.random.default_rng(seed).integers(1, most + 1, len(data))
    totals = data.assign(n=counts, new=counts)
    for name in ("revenue", "cost", "spend", "manage"):
        totals[name] *= counts
    weighted = ilk.segment_scorecard(totals, **ROLES, n_customers="n", n_new="new").to_dict()
    repeated = card_of(data.loc[data.index.repeat(counts)]).to_dict()
    for name, column in repeated.items():
        if name != "segment":
            np.testing.assert_allclose(weighted[name], column, rtol=1e-9, err_msg=name)


@given(seeds, st.floats(0.01, 100))
def test_a_currency_scales_money_and_leaves_ratios(seed, factor):
    data = draw(seed)
    scaled = data.copy()
    scaled[["revenue", "cost", "spend", "manage"]] *= factor
    one, other = card_of(data, ltv_periods=3).to_dict(), card_of(scaled, ltv_periods=3).to_dict()
    money = {
        "cac",
        "cost_to_manage",
        "contribution",
        "ltv",
        "ltv_advance",
        "ltv_arrears",
        "ltv_horizon",
        "revenue",
        "profit",
    }
    for name in one:
        if name != "segment":
            by = factor if name in money else 1.0
            np.testing.assert_allclose(other[name], one[name] * by, rtol=1e-9, err_msg=name)


@given(seeds, st.integers(0, 200))
def test_two_halves_of_the_orders_add_up_to_the_whole(seed, cut):
    rng = np.random.default_rng(seed)
    people = {"id": np.arange(20), "segment": rng.choice(["A", "B"], 20)}
    lines = pd.DataFrame(
        {
            "id": rng.integers(0, 20, 200),
            "revenue": rng.integers(0, 99, 200) * 1.0,
            "cost": rng.integers(0, 50, 200) * 1.0,
        }
    )

    def sums(part):
        card = ilk.segment_scorecard(
            people,
            segment="segment",
            revenue="revenue",
            cost="cost",
            orders=part,
            customer="id",
            n_boot=0,
        ).to_dict()
        return np.array([card["revenue"], card["profit"]])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        whole = sums(lines)
        halves = [sums(part) for part in (lines[:cut], lines[cut:]) if len(part)]
    np.testing.assert_array_equal(sum(halves), whole)


def test_a_model_gives_lifetime_values_of_their_own():
    data = draw(3).assign(
        clv=lambda d: np.where(np.arange(len(d)) % 4 == 0, np.nan, d["revenue"] * 2)
    )
    card = card_of(data, clv="clv", n_boot=200, random_state=0)
    expected = data.groupby("segment")["clv"].mean()
    np.testing.assert_allclose(card.table.set_index("segment")["ltv_model"], expected)
    assert card.total["ltv_model"][0] == pytest.approx(data["clv"].mean())
    assert (card.table["ltv_model_lo"] < card.table["ltv_model"]).all()
    assert np.isnan(card_of(data).table["ltv_model"]).all()
    assert np.isnan(card_of(data).table["ltv_horizon"]).all()
    with pytest.raises(DataError, match="ltv_periods: found 0, but a number of periods"):
        card_of(data, ltv_periods=0)


def test_many_customers_are_resampled_in_groups_with_the_same_width():
    rng = np.random.default_rng(1)
    n = 40_000
    data = pd.DataFrame(
        {"s": rng.choice(["A", "B"], n, p=[0.99, 0.01]), "x": rng.exponential(10, n)}
    )
    table = ilk.segment_scorecard(
        data.assign(c=0.0), segment="s", revenue="x", cost="c", n_boot=2000, random_state=0
    ).table.set_index("segment")
    for name in ("A", "B"):
        own = data["x"][data["s"] == name]
        width = table.loc[name, "contribution_hi"] - table.loc[name, "contribution_lo"]
        assert width == pytest.approx(2 * 1.96 * own.std() / np.sqrt(len(own)), rel=0.1)
        # A total varies with the number of customers, too.
        total = np.where(data["s"] == name, data["x"], 0)
        width = table.loc[name, "revenue_hi"] - table.loc[name, "revenue_lo"]
        assert width == pytest.approx(2 * 1.96 * total.std() * np.sqrt(n), rel=0.1)


def test_cents_among_euros_are_warned_of_by_row():
    rng = np.random.default_rng(5)
    data = draw(5, 400).assign(revenue=rng.lognormal(4, 0.4, 400), cost=rng.lognormal(3, 0.4, 400))
    data.loc[100::4, "revenue"] *= 100
    data.loc[100::4, "cost"] *= 100
    with pytest.warns(DataWarning) as caught:
        card_of(data)
    texts = [str(warning.message) for warning in caught]
    assert any(t.startswith('column "revenue" may hold two currencies or units') for t in texts)
    row = int(texts[0].split("first in row ")[1].split(")")[0])
    assert row == 100


def test_markets_raise_no_false_alarm():
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        for seed in range(20):
            card_of(draw(seed, 500))
            market = ilk.datasets.make_market(400, seed, n_segments=6)
            ilk.segment_scorecard(
                market.customers, segment=market.truth.segment, revenue="revenue", cost="cost",
                acquisition_cost="acquisition_cost", management_cost="management_cost",
                first_sale="first_sale", n_boot=0,
            )  # fmt: skip


def test_a_segment_without_customers_is_named():
    data = draw(1)
    data["segment"] = pd.Categorical(data["segment"], categories=["A", "B", "C", "Z"], ordered=True)
    with pytest.warns(DataWarning, match='segment "Z" has no customers'):
        table = card_of(data).table.set_index("segment")
    assert table.loc["Z", "n"] == 0
    assert np.isnan(table.loc["Z", "contribution"])
    assert table.loc["Z", "revenue_share"] == 0


def test_a_customer_in_two_segments_is_named():
    data = draw(1, 4).assign(id=[7, 8, 9, 7], segment=["A", "B", "A", "B"])
    message = (
        '"id", row 3: found 7, .* already stands in row 0, in segment "A" there and in "B" here'
    )
    with pytest.raises(DataError, match=message):
        card_of(data, customer="id")


def test_an_order_without_a_customer_is_named_with_its_row():
    people = {"id": ["a", "b"], "segment": ["A", "B"]}
    lines = {"id": ["a", "b", None, None], "revenue": [1.0, 2.0, 3.0, 4.0]}
    with pytest.warns(DataWarning, match='2 of 4 order lines .* first in row 2: "id" is missing'):
        card = ilk.segment_scorecard(
            people, segment="segment", revenue="revenue", orders=lines, customer="id", n_boot=50
        )
    assert card.to_dict()["revenue"].tolist() == [1.0, 2.0]


def test_dates_as_text_are_refused_with_the_line_that_mends_them():
    data = draw(1, 3).assign(
        contact=["2024-01-01", "2024-02-01", "soon"], sale=pd.Timestamp("2024-03-01")
    )
    with pytest.raises(
        TypeError, match=r'column "contact".*a date.*pd.to_datetime\(df\["contact"\]\)'
    ):
        card_of(data, first_contact="contact", first_sale="sale")


def test_costs_of_orders_below_zero_are_named_with_their_row():
    people = {"id": [1, 2], "segment": ["A", "B"]}
    lines = {"id": [1, 2, 2], "revenue": [5.0, -2.0, 3.0], "cost": [1.0, -1.0, -4.0]}
    for n_boot in (0, 10):
        with pytest.raises(DataError, match='"cost", row 2: found -4, but a cost is 0 or more'):
            ilk.segment_scorecard(
                people, segment="segment", revenue="revenue", cost="cost", orders=lines,
                customer="id", n_boot=n_boot,
            )  # fmt: skip
