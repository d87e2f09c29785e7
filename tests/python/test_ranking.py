"""Ranks, knock-out criteria, and the pictures of a choice of segments."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest

import ilk
from ilk.economics import Knockout
from ilk.exceptions import DataError

TOTALS = {
    "segment": ["A", "B", "C", "D"],
    "revenue": [500_000, 300_000, 150_000, 50_000],
    "cost": [200_000, 180_000, 30_000, 40_000],
    "spend": [80_000, 60_000, 15_000, 20_000],
    "manage": [60_000, 40_000, 15_000, 15_000],
    "churn": [0.2, 0.1, 0.3, 0.5],
    "customers": [200, 60, 150, 10],
    "new": [40, 20, 30, 4],
}


@pytest.fixture(scope="module")
def card():
    return ilk.segment_scorecard(
        TOTALS,
        segment="segment",
        revenue="revenue",
        cost="cost",
        acquisition_cost="spend",
        management_cost="manage",
        churn="churn",
        n_customers="customers",
        n_new="new",
    )


@pytest.fixture(scope="module")
def drawn():
    market = ilk.datasets.make_market(1500, 3, n_segments=6)
    return ilk.segment_scorecard(
        market.customers,
        segment=market.truth.segment,
        revenue="revenue",
        cost="cost",
        acquisition_cost="acquisition_cost",
        management_cost="management_cost",
        first_contact="first_contact",
        first_sale="first_sale",
        lost="lost",
        churn="churned",
        n_boot=300,
        random_state=1,
    )


def test_segments_are_taken_out_for_every_reason_that_holds(card):
    knockout = card.knockout(
        min_size=50,
        min_share=0.2,
        reachable={"A": True, "B": False, "C": True, "D": True},
        at_least={"contribution": 0},
        at_most={"payback_months": 24},
    )
    assert knockout.to_dict()["reason"] == [
        "",
        "not reachable; payback_months is 27.0, above 24",
        "revenue_share is 0.150, below 0.2",
        "10 customers, fewer than 50; revenue_share is 0.050, below 0.2; "
        "contribution is -500, below 0; payback_months is unlimited, above 24",
    ]
    assert knockout.to_dict()["passes"].tolist() == [True, False, False, False]
    assert "1 of 4 segments meet every criterion." in knockout.explain()


def test_those_that_stay_are_compared_among_themselves(card):
    knockout = card.knockout(reachable=["B", "C", "D"])
    by = ["revenue", "ltv_cac"]
    ranking = knockout.rank(top=2, by=by).to_dict()
    assert set(ranking["segment"]) == {"B", "C", "D"}
    # Scaled to the best and worst of the three: B has the most revenue, C the best ratio.
    score = dict(zip(ranking["segment"], ranking["score"], strict=True))
    assert score["D"] == 0
    assert score["B"] == pytest.approx(0.5 + 0.5 * (4.44444 + 0.2) / (4.66667 + 0.2), rel=1e-5)
    assert score["C"] == pytest.approx(0.5 * 100 / 250 + 0.5)
    assert "A is taken out: not reachable" in knockout.rank(by=by).manifest["notes"][-1]
    everybody = card.knockout().rank(by=by)
    np.testing.assert_array_equal(everybody.table["score"], card.rank(by=by).table["score"])


def test_probabilities_are_among_those_that_stay(drawn):
    first = drawn.rank(top=1, by="contribution").to_dict()["segment"][0]
    others = [name for name in drawn.to_dict()["segment"] if name != first]
    ranking = drawn.knockout(reachable=others).rank(top=1, by="contribution").to_dict()
    assert ranking["p_top"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_size": -1}, "min_size: found -1"),
        ({"min_share": 20}, "min_share: found 20, but a share of revenue between 0 and 1"),
        ({"reachable": ["X"]}, 'reachable: found "X", but the segments are "A", "B"'),
        ({"at_least": {"margin": 0}}, 'at_least: found "margin", but the figures are'),
    ],
)
def test_criteria_that_do_not_exist_are_refused(card, arguments, message):
    with pytest.raises(DataError, match=message):
        card.knockout(**arguments)


def test_where_nobody_stays_there_is_nothing_to_rank(card):
    with pytest.raises(DataError, match="every segment taken out"):
        card.knockout(min_size=10_000).rank()


def test_a_knockout_survives_saving(card):
    knockout = card.knockout(min_size=100)
    for back in (Knockout.from_json(knockout.to_json()), pickle.loads(pickle.dumps(knockout))):
        assert back.to_dict()["reason"] == knockout.to_dict()["reason"]
        assert back.rank().to_dict()["segment"] == ["A", "C"]


def slow_lead(table, weights):
    """The lead of the first segment under other weights, by the definition."""
    scores = sum(weight * column for weight, column in zip(weights, table, strict=True))
    return scores[0] - max(scores[1:])


def test_the_tornado_is_that_of_the_definition(card):
    by, weights = ["profit", "ltv", "payback_months"], np.array([0.5, 0.3, 0.2])
    ranking = card.rank(by=by, weights=weights)
    columns = ranking.to_dict()
    scaled = []
    for name in by:
        values = np.array(columns[name])
        values = -values if name == "payback_months" else values
        finite = values[np.isfinite(values)]
        share = (values - finite.min()) / (finite.max() - finite.min())
        scaled.append(np.where(np.isfinite(values), share, 0.0))
    tornado = pd.DataFrame(ranking.tornado()).set_index("criterion")
    assert tornado["lead"].iloc[0] == pytest.approx(slow_lead(scaled, weights))
    for at, name in enumerate(by):
        rest = weights.copy()
        rest[at] = 0
        without, alone = rest / rest.sum(), np.eye(3)[at]
        assert tornado.loc[name, "lead_without"] == pytest.approx(slow_lead(scaled, without))
        assert tornado.loc[name, "lead_alone"] == pytest.approx(slow_lead(scaled, alone))
        # The first place changes hands where it says, and nowhere nearer.
        leads = [slow_lead(scaled, w * alone + (1 - w) * without) for w in np.linspace(0, 1, 2001)]
        changes = [
            w for w, (a, b) in zip(np.linspace(0, 1, 2000), itertools.pairwise(leads), strict=True)
            if (a < 0) != (b < 0)
        ]  # fmt: skip
        flips = tornado.loc[name, "flips_at"]
        if changes:
            assert flips == pytest.approx(
                min(changes, key=lambda w: abs(w - weights[at])), abs=1e-3
            )
        else:
            assert np.isnan(flips)


def test_weights_need_two_criteria_to_matter(card):
    with pytest.raises(DataError, match="two criteria or more"):
        card.rank().tornado()
    with pytest.raises(DataError, match="two criteria or more"):
        card.rank().plot("tornado")


def test_pictures_of_a_ranking_say_what_they_show(card, drawn):
    ranking = drawn.rank(by=["contribution", "ltv_cac"])
    ax = ranking.plot().axes[0]
    columns = ranking.to_dict()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == columns["segment"]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), columns["rank"])
    assert ax.get_label().startswith(f"Ranks: {columns['segment'][0]} rank 1, among the first 3 in")
    ax = card.rank(by=["profit", "ltv"], weights=[3, 1]).plot("tornado").axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["profit (75.0 %)", "ltv (25.0 %)"]
    assert "lead of A" in ax.get_xlabel()
    with pytest.raises(DataError, match="kind: found 'pie'"):
        ranking.plot("pie")


def test_a_forest_has_the_best_on_top_and_all_below(drawn):
    ax = drawn.plot("forest", figures=["ltv"]).axes[0]
    columns = drawn.to_dict()
    best = columns["segment"][int(np.argmax(columns["ltv"]))]
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks[0] == best
    assert ticks[-1] == "all segments"
    assert drawn.plot("forest").axes[0].get_title(loc="left") == "Lifetime value"
    with pytest.raises(DataError, match="figures: found 'x'"):
        drawn.plot("forest", figures=["x"])


def test_an_evaluation_has_size_by_attractiveness(drawn):
    ax = drawn.plot("evaluation", by="contribution").axes[0]
    columns = drawn.to_dict()
    spots = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_array_equal(spots[:, 0], columns["n"])
    value = columns["contribution"]
    scaled = (value - value.min()) / (value.max() - value.min())
    np.testing.assert_allclose(spots[:, 1], scaled)
    areas = ax.collections[0].get_sizes()
    assert np.argmax(areas) == np.argmax(columns["revenue"])
    plain = ilk.segment_scorecard(
        {"s": ["A", "B"], "x": [1.0, 2.0]}, segment="s", revenue="x", n_boot=0
    )
    assert plain.plot("evaluation").axes[0].get_title(loc="left").startswith("attractive: revenue")


def test_the_deck_says_when_the_first_three_are_not_settled():
    rng = np.random.default_rng(0)
    data = {"s": np.repeat(list("ABCDE"), 40), "x": rng.exponential(100, 200)}
    card = ilk.segment_scorecard(
        {**data, "c": 0.5 * data["x"]}, segment="s", revenue="x", cost="c", random_state=0
    )
    assert "That is not settled:" in card.explain()
    ranking = card.rank().to_dict()
    assert any(0.05 <= p <= 0.95 for p in ranking["p_top"])
