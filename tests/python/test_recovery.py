"""The package finds what `make_market` planted: segments, economics and gaps."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from sklearn.metrics import adjusted_rand_score

import ilk
from ilk.datasets import PLANTED_GAPS, make_market

COLUMNS = {
    "revenue": "revenue",
    "cost": "cost",
    "acquisition_cost": "acquisition_cost",
    "management_cost": "management_cost",
    "first_contact": "first_contact",
    "first_sale": "first_sale",
    "lost": "lost",
    "churn": "churned",
}
FIGURES = (
    "revenue_share",
    "gross_margin",
    "days_to_sale",
    "cac",
    "cost_to_manage",
    "contribution",
    "payback_months",
    "ltv",
    "ltv_cac",
)


def test_scorecard_intervals_cover_the_truth_as_often_as_promised() -> None:
    n_markets, inside, asked = 60, Counter(), Counter()
    for seed in range(n_markets):
        market = make_market(1500, seed, as_frame="dict")
        customers = {**market.customers, "segment": market.truth.segment}
        found = ilk.segment_scorecard(
            customers, segment="segment", **COLUMNS, n_boot=400, random_state=seed
        ).to_dict()
        truth = market.truth.segments
        assert list(found["segment"]) == list(truth["segment"])
        for figure in FIGURES:
            ends = zip(found[f"{figure}_lo"], truth[figure], found[f"{figure}_hi"], strict=True)
            for low, value, high in ends:
                asked[figure] += 1
                inside[figure] += low <= value <= high
    for figure in FIGURES:
        # Figures of one market's segments are independent but for the share of sales.
        slack = 4 * math.sqrt(0.95 * 0.05 / asked[figure])
        assert inside[figure] / asked[figure] > 0.95 - slack, figure


def test_scorecard_from_order_lines_equals_the_one_from_totals() -> None:
    market = make_market(600, as_frame="dict")
    customers = {**market.customers, "segment": market.truth.segment}
    totals = ilk.segment_scorecard(
        customers, segment="segment", **COLUMNS, n_boot=50, random_state=0
    ).to_dict()
    lines = ilk.segment_scorecard(
        customers,
        segment="segment",
        **COLUMNS,
        orders=market.orders,
        customer="customer_id",
        n_boot=50,
        random_state=0,
    ).to_dict()
    for figure in FIGURES:
        assert list(lines[figure]) == pytest.approx(list(totals[figure]), rel=1e-4)


def test_segment_that_never_pays_back_is_said_to() -> None:
    market = make_market(2000, as_frame="dict")
    customers = {**market.customers, "segment": market.truth.segment}
    found = ilk.segment_scorecard(
        customers, segment="segment", **COLUMNS, n_boot=100, random_state=0
    ).to_dict()
    payback = dict(zip(found["segment"], found["payback_months"], strict=True))
    assert payback.pop("Retired bargain hunters") == math.inf
    assert all(math.isfinite(months) for months in payback.values())


def first_lines(orders: dict) -> dict:
    """One row per order: the lines of an order share its hour and are not independent."""
    first = orders["line"] == 1
    return {name: column[first] for name, column in orders.items()}


def test_planted_gaps_are_found_and_rank_first() -> None:
    planted = {
        (gap.household, gap.daypart)
        for gap in PLANTED_GAPS
        if gap.department is None and gap.factor < 1
    }
    for seed in range(5):
        orders = make_market(2000, seed, as_frame="dict").orders
        matrix = ilk.gap_matrix(first_lines(orders), rows="household", cols="daypart")
        gaps = matrix.gaps(top=len(planted))
        assert set(zip(gaps["household"], gaps["daypart"], strict=True)) == planted


def test_planted_stronghold_is_saturated() -> None:
    orders = make_market(2000, as_frame="dict").orders
    cells = ilk.gap_matrix(first_lines(orders), rows="household", cols="daypart").to_dict()
    most = max(range(len(cells["index"])), key=lambda cell: cells["index"][cell])
    assert (cells["household"][most], cells["daypart"][most]) == ("family", "breakfast")
    assert cells["status"][most] == "saturated"


def test_market_without_gaps_has_no_more_of_them_than_promised() -> None:
    n_markets, with_gap = 200, 0
    for seed in range(n_markets):
        orders = make_market(150, seed, gaps=(), as_frame="dict").orders
        matrix = ilk.gap_matrix(first_lines(orders), rows="household", cols="daypart")
        with_gap += bool({"gap", "saturated"} & set(matrix.to_dict()["status"]))
    # Where nothing is planted, a false discovery is any discovery: at most 5 % of markets have one.
    assert with_gap / n_markets < 0.05 + 4 * math.sqrt(0.05 * 0.95 / n_markets)


@pytest.mark.parametrize("seed", range(4))
def test_planted_segments_are_found_in_mixed_data(seed: int) -> None:
    market = make_market(2000, seed, as_frame="dict")
    segmentation = ilk.segment(market.customers, list(market.features), random_state=0)
    assert segmentation.k == 4
    assert adjusted_rand_score(market.truth.segment, segmentation.codes) > 0.95


def test_k_prototypes_finds_the_planted_segments() -> None:
    market = make_market(2000, as_frame="pandas")
    frame = market.customers[[*market.features]]
    # The estimator takes amounts as they are: income would drown the rest.
    amounts = frame.select_dtypes("number")
    frame = frame.assign(**(amounts - amounts.mean()) / amounts.std())
    labels = ilk.cluster.KPrototypes(n_clusters=4, random_state=0).fit_predict(frame)
    assert adjusted_rand_score(market.truth.segment, labels) > 0.9


def test_segments_that_were_found_are_worth_what_the_planted_ones_are() -> None:
    market = make_market(4000, random_state=1, as_frame="dict")
    segmentation = ilk.segment(market.customers, list(market.features), random_state=0)
    found = ilk.segment_scorecard(
        market.customers, segment=segmentation.labels, **COLUMNS, n_boot=20, random_state=0
    ).to_dict()
    margins = sorted(market.truth.segments["gross_margin"])
    assert sorted(found["gross_margin"]) == pytest.approx(margins, abs=0.02)
