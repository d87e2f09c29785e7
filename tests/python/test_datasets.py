"""The invented market: one seed gives one market, and the truth that comes with it is true."""

from __future__ import annotations

import hashlib
import math
from functools import cache

import numpy as np
import pytest

from ilk import _market
from ilk.datasets import Gap, Market, make_market
from ilk.exceptions import DataError

SEGMENTS = 6


@cache
def large() -> Market:
    return make_market(100_000, random_state=11, n_segments=SEGMENTS, as_frame="dict")


@cache
def truth() -> dict[str, np.ndarray]:
    return large().truth.segments


def digest(market: Market) -> str:
    state = hashlib.sha256()
    for table in (market.customers, market.orders):
        for name, column in table.items():
            state.update(name.encode())
            if column.dtype == object:
                state.update("\n".join(column).encode())
            elif column.dtype.kind == "M":
                state.update(column.astype("datetime64[s]").astype("<i8").tobytes())
            else:
                # Whole thousandths: what is pinned is what a user can see.
                whole = np.rint(np.nan_to_num(column.astype(float), nan=-1.0) * 1000)
                state.update(whole.astype("<i8").tobytes())
    return state.hexdigest()


def test_same_seed_gives_the_same_market() -> None:
    first = make_market(300, random_state=5, as_frame="dict")
    again = make_market(300, random_state=5, as_frame="dict")
    for one, other in ((first.customers, again.customers), (first.orders, again.orders)):
        assert list(one) == list(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert digest(first) != digest(make_market(300, random_state=6, as_frame="dict"))


def test_default_market_is_pinned() -> None:
    assert digest(make_market(200, as_frame="dict")) == (
        "e25c1a45c40ff75f2d3c873e5b99f15e0de67b14a6d4886988f28ef385c68e23"
    )


def test_generator_as_seed_draws_on() -> None:
    generator = np.random.default_rng(3)
    first = make_market(50, random_state=generator, as_frame="dict")
    second = make_market(50, random_state=generator, as_frame="dict")
    assert digest(first) != digest(second)
    assert digest(first) == digest(make_market(50, random_state=3, as_frame="dict"))


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_every_kind_of_frame_holds_the_same_values(kind: str) -> None:
    pytest.importorskip({"arrow": "pyarrow"}.get(kind, kind))
    plain = make_market(120, random_state=2, as_frame="dict")
    framed = make_market(120, random_state=2, as_frame=kind)
    pairs = (
        (plain.customers, framed.customers),
        (plain.orders, framed.orders),
        (plain.catalogue, framed.catalogue),
        (plain.truth.segments, framed.truth.segments),
    )
    for expected, frame in pairs:
        names = frame.column_names if kind == "arrow" else list(frame.columns)
        assert names == list(expected)
        for name in names:
            column = frame[name]
            values = column.to_pylist() if kind == "arrow" else column.to_list()
            for value, reference in zip(values, expected[name], strict=True):
                if isinstance(reference, np.datetime64):
                    missing = value is None or value != value
                    assert missing == bool(np.isnat(reference))
                    assert missing or np.datetime64(value).astype(reference.dtype) == reference
                elif isinstance(reference, float) and math.isnan(reference):
                    assert value is None or str(value) == "<NA>" or math.isnan(value)
                else:
                    assert value == reference


def test_default_frame_is_pandas() -> None:
    pd = pytest.importorskip("pandas")
    assert isinstance(make_market(10).customers, pd.DataFrame)


def test_daypart_and_household_are_ordered_categories() -> None:
    pd = pytest.importorskip("pandas")
    orders = make_market(50, as_frame="pandas").orders
    assert list(orders["daypart"].cat.categories) == ["breakfast", "lunch", "dinner", "other"]
    assert orders["daypart"].cat.ordered
    assert orders["household"].cat.ordered
    assert isinstance(orders["department"].dtype, pd.CategoricalDtype)


def test_smallest_market_has_all_columns() -> None:
    small, usual = make_market(1, as_frame="dict"), make_market(100, as_frame="dict")
    assert list(small.customers) == list(usual.customers)
    assert list(small.orders) == list(usual.orders)
    assert len(small.customers["age"]) == 1


def test_open_and_lost_leads_are_present() -> None:
    customers = make_market(2000, as_frame="dict").customers
    sold, lost = ~np.isnat(customers["first_sale"]), ~np.isnat(customers["lost"])
    assert not np.any(sold & lost)
    assert 0.05 < np.mean(~sold & ~lost) < 0.30
    assert 0.05 < np.mean(lost) < 0.40
    assert np.mean(sold) > 0.5


def test_dates_are_in_order_and_inside_the_campaign() -> None:
    market = large()
    contact, sale, lost = (market.customers[c] for c in ("first_contact", "first_sale", "lost"))
    for decided in (sale, lost):
        known = ~np.isnat(decided)
        assert np.all(decided[known] > contact[known])
        assert decided[known].max() <= market.truth.as_of
    owner = market.orders["customer_id"] - 1
    since = market.orders["date"] - sale[owner]
    assert since.min() >= np.timedelta64(0, "D")
    assert since.max() < np.timedelta64(365, "D")


def test_customer_totals_are_those_of_the_order_lines() -> None:
    market = make_market(800, random_state=4, as_frame="dict")
    customers, orders = market.customers, market.orders
    owner = orders["customer_id"] - 1
    for name in ("revenue", "cost"):
        np.testing.assert_allclose(
            np.bincount(owner, orders[name], minlength=800), customers[name], atol=0.005
        )
    first = orders["line"] == 1
    assert first.sum() == len(np.unique(orders["order_id"]))
    np.testing.assert_array_equal(np.bincount(owner[first], minlength=800), customers["n_orders"])
    np.testing.assert_array_equal(orders["household"], customers["household"][owner])
    leads = np.isnat(customers["first_sale"])
    for name in ("revenue", "cost", "management_cost", "n_orders"):
        assert np.all(customers[name][leads] == 0)
    assert np.all(np.isnan(customers["churned"]) == leads)


def test_hour_belongs_to_the_daypart() -> None:
    orders = make_market(500, as_frame="dict").orders
    hour = orders["date"].astype("datetime64[h]").astype(np.int64) % 24
    for daypart, hours in zip(_market.DAYPARTS, _market.HOURS, strict=True):
        assert set(hour[orders["daypart"] == daypart]) == set(hours)


def test_orders_are_sorted_by_time() -> None:
    orders = make_market(300, as_frame="dict").orders
    assert np.all(np.diff(orders["date"]) >= np.timedelta64(0))
    assert np.all(np.diff(orders["order_id"]) >= 0)


def ratio_within_error(top: np.ndarray, bottom: np.ndarray, expected: float) -> None:
    """The ratio of sums agrees with `expected` to four standard errors (delta method)."""
    ratio = top.sum() / bottom.sum()
    error = math.sqrt(np.sum((top - ratio * bottom) ** 2)) / bottom.sum()
    assert error < 0.1 * max(abs(ratio), 0.01)
    assert abs(ratio - expected) < 4 * error


@pytest.mark.parametrize("index", range(SEGMENTS))
def test_truth_agrees_with_a_large_sample(index: int) -> None:
    market, values = large(), {name: column[index] for name, column in truth().items()}
    member = market.truth.segment == values["segment"]
    column = {name: data[member] for name, data in market.customers.items()}
    sold = (~np.isnat(column["first_sale"])).astype(float)
    customer = sold == 1
    one = np.ones(int(customer.sum()))
    revenue, cost = column["revenue"][customer], column["cost"][customer]

    ratio_within_error(member.astype(float), np.ones(len(member)), values["size"])
    ratio_within_error(revenue - cost, revenue, values["gross_margin"])
    ratio_within_error(revenue, one, values["revenue_per_customer"])
    ratio_within_error(sold, np.ones(len(sold)), values["sold_share"])
    ratio_within_error(column["acquisition_cost"], sold, values["cac"])
    ratio_within_error(column["management_cost"][customer], one, values["cost_to_manage"])
    ratio_within_error(column["churned"][customer], one, values["churn"])
    all_revenue = market.customers["revenue"]
    ratio_within_error(np.where(member, all_revenue, 0.0), all_revenue, values["revenue_share"])
    contribution = revenue - cost - column["management_cost"][customer]
    error = contribution.std() / math.sqrt(len(contribution))
    assert abs(contribution.mean() - values["contribution"]) < 4 * error


def aalen_johansen(days: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Cumulative incidence of event 1 by whole day, event 2 competing and 0 censored."""
    surviving, incidence, curve = 1.0, 0.0, []
    for day in range(int(days.max()) + 1):
        at_risk = np.sum(days >= day)
        now = days == day
        if at_risk:
            incidence += surviving * np.sum(now & (event == 1)) / at_risk
            surviving *= 1 - np.sum(now & (event > 0)) / at_risk
        curve.append(incidence)
    return np.array(curve)


@pytest.mark.parametrize("index", range(SEGMENTS))
def test_days_to_sale_agree_with_aalen_johansen(index: int) -> None:
    market, values = large(), {name: column[index] for name, column in truth().items()}
    member = market.truth.segment == values["segment"]
    contact, sale, lost = (
        market.customers[c][member] for c in ("first_contact", "first_sale", "lost")
    )
    event = np.where(~np.isnat(sale), 1, np.where(~np.isnat(lost), 2, 0))
    end = np.where(event == 1, sale, np.where(event == 2, lost, market.truth.as_of))
    curve = aalen_johansen((end - contact).astype(np.int64), event)
    median = int(values["days_to_sale"])
    error = 0.5 / math.sqrt(member.sum()) * 1.5
    assert curve[median - 1] < 0.5 + 4 * error
    assert curve[median] > 0.5 - 4 * error
    assert curve[-1] < values["sale_probability"] + 4 * error


def test_derived_values_follow_from_the_parts() -> None:
    values = truth()
    assert values["size"].sum() == pytest.approx(1)
    assert values["revenue_share"].sum() == pytest.approx(1)
    margin = values["revenue_per_customer"] * values["gross_margin"]
    np.testing.assert_allclose(values["contribution"], margin - values["cost_to_manage"])
    np.testing.assert_allclose(values["ltv"], values["contribution"] / values["churn"])
    np.testing.assert_allclose(values["ltv_cac"], values["ltv"] / values["cac"])
    never = values["contribution"] <= 0
    assert 0 < never.sum() < len(never)
    assert np.all(np.isinf(values["payback_months"]) == never)
    paid = values["payback_months"][~never] * values["contribution"][~never] / 12
    np.testing.assert_allclose(paid, values["cac"][~never])


def crosstab(rows: np.ndarray, columns: np.ndarray) -> tuple[list[str], list[str], np.ndarray]:
    row_names, row = np.unique(rows.astype(str), return_inverse=True)
    column_names, column = np.unique(columns.astype(str), return_inverse=True)
    table = np.zeros((len(row_names), len(column_names)))
    np.add.at(table, (row, column), 1)
    return list(row_names), list(column_names), table


def test_planted_gaps_stand_out_in_a_plain_crosstab() -> None:
    orders = make_market(5000, as_frame="dict").orders
    first = orders["line"] == 1
    rows, columns, observed = crosstab(orders["household"][first], orders["daypart"][first])
    expected = observed.sum(1, keepdims=True) * observed.sum(0) / observed.sum()
    index = observed / expected
    lowest = np.argsort(index.ravel())[:2]
    found = {(rows[i // 4], columns[i % 4]) for i in lowest}
    assert found == {("single", "breakfast"), ("family", "lunch")}
    highest = np.argmax(index)
    assert (rows[highest // 4], columns[highest % 4]) == ("family", "breakfast")


@pytest.mark.parametrize("gap", _market.PLANTED_GAPS, ids=str)
def test_planted_factors_are_recovered(gap: Gap) -> None:
    plain = make_market(30_000, random_state=8, gaps=(), as_frame="dict").orders
    changed = make_market(30_000, random_state=8, gaps=[gap], as_frame="dict").orders

    def odds(orders: dict[str, np.ndarray]) -> float:
        rows = (orders["household"] == gap.household) & (
            (orders["line"] == 1) if gap.department is None else True
        )
        here = orders["daypart"] == gap.daypart
        if gap.department is None:
            return np.sum(rows & here) / np.sum(rows & ~here)
        there = orders["department"] == gap.department
        return np.sum(rows & here & there) / np.sum(rows & here & ~there)

    assert odds(changed) / odds(plain) == pytest.approx(gap.factor, rel=0.04)


def test_other_households_are_untouched_by_a_gap() -> None:
    plain = make_market(20_000, random_state=8, gaps=(), as_frame="dict").orders
    changed = make_market(
        20_000, random_state=8, gaps=[Gap("family", "lunch", 0.3)], as_frame="dict"
    ).orders
    share = []
    for orders in (plain, changed):
        rows = (orders["household"] == "single") & (orders["line"] == 1)
        share.append(np.mean(orders["daypart"][rows] == "lunch"))
    assert share[0] == pytest.approx(share[1], abs=0.01)
    assert share[0] == pytest.approx(_market.DAYPART_SHARE[1], abs=0.01)


def test_market_without_gaps_gives_no_more_false_alarms_than_promised() -> None:
    stats = pytest.importorskip("scipy.stats")
    n_seeds, alarms = 300, 0
    for seed in range(n_seeds):
        orders = make_market(150, seed, gaps=(), as_frame="dict").orders
        first = orders["line"] == 1
        table = crosstab(orders["household"][first], orders["daypart"][first])[2]
        alarms += stats.chi2_contingency(table, correction=False).pvalue < 0.05
    assert abs(alarms / n_seeds - 0.05) < 4 * math.sqrt(0.05 * 0.95 / n_seeds)


def test_catalogue_covers_every_product_sold() -> None:
    market = make_market(1000, as_frame="dict")
    stocked = set(zip(market.catalogue["department"], market.catalogue["product"], strict=True))
    sold = set(zip(market.orders["department"], market.orders["product"], strict=True))
    assert sold <= stocked
    assert np.all(market.catalogue["count"] > 0)
    assert np.all(market.catalogue["unit_cost"] < market.catalogue["price"])


def test_shares_of_the_model_add_up() -> None:
    np.testing.assert_allclose(np.sum(_market.DEPARTMENT_SHARE, axis=1), 1)
    assert sum(_market.DAYPART_SHARE) == pytest.approx(1)
    for name in _market.DEPARTMENTS:
        assert sum(row[4] for row in _market.CATALOGUE if row[0] == name) == pytest.approx(1)
    for segment in _market.SEGMENTS:
        assert sum(segment.household) == pytest.approx(1)
        assert sum(segment.channel) == pytest.approx(1)


def test_empty_cell_is_possible() -> None:
    gaps = [Gap("single", "breakfast", 0), Gap("family", "dinner", 0, "frozen")]
    orders = make_market(1000, gaps=gaps, as_frame="dict").orders
    assert not np.any((orders["household"] == "single") & (orders["daypart"] == "breakfast"))
    family_dinner = (orders["household"] == "family") & (orders["daypart"] == "dinner")
    assert family_dinner.any()
    assert not np.any(orders["department"][family_dinner] == "frozen")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_customers": 0}, DataError, "n_customers is 0; it must be 1 or more"),
        ({"n_customers": 10.0}, TypeError, "n_customers must be a whole number, not float"),
        ({"n_customers": True}, TypeError, "n_customers must be a whole number, not bool"),
        ({"n_segments": 9}, DataError, "n_segments is 9; it must be from 2 to 6"),
        ({"as_frame": "spark"}, DataError, "as_frame is 'spark'; it must be one of"),
        ({"gaps": [Gap("dog", "lunch", 0.5)]}, DataError, "household 'dog' does not exist"),
        ({"gaps": [Gap("single", "tea", 0.5)]}, DataError, "daypart 'tea' does not exist"),
        ({"gaps": [Gap("single", "lunch", -1)]}, DataError, "must be 0 or greater"),
        ({"gaps": [Gap("single", "lunch", math.nan)]}, DataError, "must be 0 or greater"),
        ({"gaps": [Gap("single", "lunch", 1, "toys")]}, DataError, "department 'toys'"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        make_market(**{"n_customers": 10, **arguments})


def test_features_are_columns_and_hold_no_outcome() -> None:
    market = make_market(20, as_frame="dict")
    assert set(market.features) < set(market.customers)
    assert not {"revenue", "churned", "first_sale", "customer_id"} & set(market.features)
    assert "20 leads and customers" in repr(market)
