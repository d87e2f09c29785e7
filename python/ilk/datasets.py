"""Invented markets whose truth is known.

Real data never says whether an answer is right. `make_market` draws a market from stated
distributions and hands back, next to the tables, the values those distributions imply: who belongs
to which segment, what a segment is worth, and which cells of the household-by-daypart table were
emptied or filled on purpose. It is the data behind the tests and the examples of this package.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ilk._market import (
    CATALOGUE,
    CHANNEL_COST,
    CHANNELS,
    COST_PER_ORDER,
    DAYPARTS,
    DEPARTMENTS,
    EXTRA_ITEMS_MEAN,
    FIRST_DAY,
    HOURS,
    HOUSEHOLDS,
    INCOME_MISSING,
    LAST_DAY,
    N_DAYS,
    PLANTED_GAPS,
    REGIONS,
    SALE_SHAPE,
    SEGMENTS,
    Gap,
    Model,
    segment_truth,
)
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Gap", "Market", "MarketTruth", "make_market"]

FrameKind = Literal["pandas", "polars", "arrow", "dict"]
# A table of the kind asked for: none of the libraries is imported until then.
Frame: TypeAlias = Any


@dataclass(frozen=True, eq=False)
class MarketTruth:
    """What a market was drawn from.

    Attributes
    ----------
    segment : numpy.ndarray
        The planted segment of each row of `Market.customers`.
    segments : frame
        One row per segment with the values its distributions imply: ``size`` (share of all leads),
        ``revenue_share``, ``gross_margin``, ``days_to_sale`` (first day on which half of the
        segment's leads have bought, lost leads counted as never buying), ``sale_probability``
        (bought in the end), ``sold_share`` (bought before the campaign closed), ``cac``,
        ``cost_to_manage`` (per customer and year), ``churn`` (per year), ``revenue_per_customer`` and
        ``contribution`` (per customer and year), ``payback_months``, ``ltv`` (contribution / churn,
        not discounted), ``ltv_cac``, and the lifetime value discounted at 10 % a year with the
        contribution at the beginning (``ltv_advance``) or the end of each year (``ltv_arrears``).
    gaps : tuple of Gap
        The cells whose demand was changed, with the factor.
    as_of : numpy.datetime64
        The day the campaign closed: leads without a decision are open from then on.
    """

    segment: NDArray[np.object_]
    segments: Frame
    gaps: tuple[Gap, ...]
    as_of: np.datetime64


@dataclass(frozen=True, eq=False)
class Market:
    """A drawn market and its truth, see `make_market`.

    Attributes
    ----------
    customers, orders, catalogue : frame
        The tables, in the kind asked for.
    truth : MarketTruth
        What they were drawn from.
    features : tuple of str
        The columns of `customers` that describe the household and are known before it buys: what to
        segment by.
    """

    customers: Frame
    orders: Frame
    catalogue: Frame
    truth: MarketTruth
    features: tuple[str, ...] = (
        "age",
        "income",
        "household",
        "region",
        "channel",
        "visits_per_month",
        "basket_value",
        "discount_share",
        "private_label_share",
    )

    def __repr__(self) -> str:
        """Tell the sizes and the segments in a line."""
        n_lines = len(self.orders["order_id"])
        names = ", ".join(dict.fromkeys(sorted(self.truth.segment)))
        return (
            f"Market({len(self.truth.segment)} leads and customers, {n_lines} order lines; "
            f"segments: {names})"
        )


class _Categories(NamedTuple):
    """A column of codes into names."""

    codes: NDArray[np.intp]
    names: tuple[str, ...]
    ordered: bool = False


_Column = NDArray[Any] | _Categories


def make_market(
    n_customers: int = 2000,
    random_state: int | np.random.Generator | None = 0,
    *,
    n_segments: int = 4,
    gaps: Sequence[Gap] | None = None,
    as_frame: FrameKind | None = None,
) -> Market:
    """Draw a market with planted segments, economics and gaps.

    A grocer with a loyalty card sells a delivery plan. All through 2023 it contacts households that
    hold the card, so their age, income and behaviour in the shops are known. A household signs up
    (``first_sale``), declines (``lost``), or has not decided when the campaign closes on 31
    December 2023 (both empty: an open lead). Every customer is then followed for the twelve months
    after signing up, and renews the plan or not (``churned``). Contacting a household costs money
    whether it buys or not.

    Parameters
    ----------
    n_customers : int, default 2000
        Number of households contacted: customers, lost leads and open leads together.
    random_state : int, numpy.random.Generator or None, default 0
        The seed. The same integer gives the same market on every platform; None draws a new one
        each time.
    n_segments : int, default 4
        Number of planted segments, 2 to 6.
    gaps : sequence of Gap, optional
        Cells of household x daypart (x department) whose demand is changed. By default five; an
        empty sequence plants none, for tests of false alarms.
    as_frame : {"pandas", "polars", "arrow", "dict"}, optional
        Kind of the tables. By default pandas if installed, else polars, else a dict of NumPy
        arrays.

    Returns
    -------
    Market
        ``customers`` (one row per household: the features, the dates, ``acquisition_cost``, and for
        customers ``management_cost``, ``revenue``, ``cost``, ``n_orders`` and ``churned``; the
        money columns cover the twelve months), ``orders`` (one row per line; ``line`` counts within
        the order, so ``line == 1`` picks one row per order), ``catalogue`` (product lines with list
        price, unit cost and ``count``, the number of articles in stock) and ``truth``.

    Raises
    ------
    DataError
        If a number is out of range, or a gap names a cell that does not exist or a factor below 0.
    TypeError
        If `n_customers` or `n_segments` is not a whole number.

    Notes ----- *Behaviour.* Each numeric feature has its own distribution per segment (normal,
    log-normal, gamma or beta); ``region`` says nothing about the segment, and 6 % of incomes are
    missing at random.

    *Time to sale.* The first of sale and loss comes after a Weibull time ``T`` of shape 1.3 and the
    segment's scale, and is a sale with probability ``p`` whatever ``T``, so that the cumulative
    incidence of sales is ``p (1 - exp(-(t / scale) ** 1.3))``. Dates are whole days.

    *Orders.* A customer places orders at a gamma-distributed rate (mean per segment, variance a
    quarter of its square), spread over the dayparts in the same proportions for everyone; the lines
    of an order are Poisson, spread over departments in proportions that depend on the daypart
    alone. Households therefore differ only in the planted cells. An order whose lines all fail to
    appear does not exist. All lines of an order share one hour, so a test of the table household x
    daypart should count orders (``line == 1``), not lines.

    *Money.* A line brings ``quantity * price * level * (1 - discount share of the customer)`` and
    costs ``quantity * unit cost * level``, with a price level per segment. Managing a customer
    costs a gamma-distributed service cost and 2.40 per order.

    *Truth.* All values are exact sums over the cells of these distributions (rounding to cents and
    thousandths apart), not estimates from the sample.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(500, random_state=1, as_frame="dict")
    >>> sorted(set(market.truth.segment))
    ['Budget families', 'Convenience singles', 'Premium couples', 'Retired bargain hunters']
    >>> market.truth.gaps[0]
    Gap(household='single', daypart='breakfast', factor=0.6, department=None)
    >>> len(market.customers["customer_id"])
    500
    """
    n_customers = _whole("n_customers", n_customers, 1, None)
    n_segments = _whole("n_segments", n_segments, 2, len(SEGMENTS))
    kind = _frame_kind(as_frame)
    planted = PLANTED_GAPS if gaps is None else tuple(Gap(*gap) for gap in gaps)
    model = Model.of(SEGMENTS[:n_segments], planted)

    generator = np.random.default_rng(random_state)
    household_stream, order_stream = generator.spawn(2)
    customers, hidden = _draw_customers(model, n_customers, household_stream)
    orders, totals = _draw_orders(model, hidden, order_stream)
    customers.update(totals)

    names = np.array([segment.name for segment in model.segments], dtype=object)
    truth = MarketTruth(
        segment=names[hidden.segment],
        segments=_frame(segment_truth(model), kind),
        gaps=planted,
        as_of=LAST_DAY,
    )
    return Market(
        customers=_frame(customers, kind),
        orders=_frame(orders, kind),
        catalogue=_frame(_catalogue(), kind),
        truth=truth,
    )


class _Hidden(NamedTuple):
    """What lies behind the rows of `customers` and drives the orders."""

    segment: NDArray[np.intp]
    household: NDArray[np.intp]
    discount: NDArray[np.float64]
    first_sale: NDArray[np.datetime64]
    service_cost: NDArray[np.float64]


def _draw_customers(
    model: Model, n: int, rng: np.random.Generator
) -> tuple[dict[str, _Column], _Hidden]:
    segment = _pick(np.tile(model.size, (1, 1)), np.zeros(n, dtype=np.intp), rng)
    household = _pick(model.each("household"), segment, rng)
    channel = _pick(model.each("channel"), segment, rng)
    region = rng.integers(0, len(REGIONS), n)

    age_mean, age_sd = model.each("age")[segment].T
    age = np.clip(np.rint(rng.normal(age_mean, age_sd)), 18, 95)
    income_median, income_spread = model.each("income")[segment].T
    income = np.round(rng.lognormal(np.log(income_median), income_spread), -2)
    income[rng.random(n) < INCOME_MISSING] = np.nan
    visits_mean, visits_variation = model.each("visits")[segment].T
    visits = np.round(_gamma(visits_mean, visits_variation, rng), 1)
    basket_mean, basket_variation = model.each("basket")[segment].T
    basket = np.round(_gamma(basket_mean, basket_variation, rng), 2)
    discount = np.round(_beta(model.each("discount")[segment], 60.0, rng), 3)
    private_label = np.round(_beta(model.each("private_label")[segment], 40.0, rng), 3)

    first_contact = FIRST_DAY + rng.integers(0, N_DAYS, n)
    days = np.ceil(model.each("days_scale")[segment] * rng.weibull(SALE_SHAPE, n))
    decided = first_contact + np.minimum(days, 10_000).astype(np.int64)
    sold = rng.random(n) < model.each("sale_probability")[segment]
    in_time = decided <= LAST_DAY
    never = np.datetime64("NaT", "D")
    first_sale = np.where(sold & in_time, decided, never)
    lost = np.where(~sold & in_time, decided, never)

    contact_cost = np.array(CHANNEL_COST)[channel] * model.each("effort")[segment]
    acquisition_cost = np.round(_gamma(contact_cost, 0.5, rng), 2)
    customer = ~np.isnat(first_sale)
    churned = (rng.random(n) < model.each("churn")[segment]).astype(float)
    churned[~customer] = np.nan
    service_cost = _gamma(model.each("service_cost")[segment], 0.7, rng)
    service_cost[~customer] = 0.0

    columns: dict[str, _Column] = {
        "customer_id": np.arange(1, n + 1),
        "age": age.astype(np.int64),
        "income": income,
        "household": _Categories(household, HOUSEHOLDS),
        "region": _Categories(region, REGIONS),
        "channel": _Categories(channel, CHANNELS),
        "visits_per_month": visits,
        "basket_value": basket,
        "discount_share": discount,
        "private_label_share": private_label,
        "first_contact": first_contact,
        "first_sale": first_sale,
        "lost": lost,
        "churned": churned,
        "acquisition_cost": acquisition_cost,
    }
    return columns, _Hidden(segment, household, discount, first_sale, service_cost)


def _draw_orders(
    model: Model, hidden: _Hidden, rng: np.random.Generator
) -> tuple[dict[str, _Column], dict[str, _Column]]:
    n_rows = len(hidden.segment)
    customer = np.flatnonzero(~np.isnat(hidden.first_sale))
    n_dayparts = len(DAYPARTS)
    rate = _gamma(model.each("orders_per_year")[hidden.segment[customer]], 0.5, rng)
    n_orders = rng.poisson(rate[:, None] * model.order_demand[hidden.household[customer]])

    # One entry per order.
    cell = np.repeat(np.arange(n_orders.size), n_orders.ravel())
    owner, daypart = customer[cell // n_dayparts], cell % n_dayparts
    context = hidden.household[owner] * n_dayparts + daypart
    per_order = model.each("lines_per_order")[hidden.segment[owner]]
    n_lines = rng.poisson(per_order * model.demand.sum(axis=2).ravel()[context])
    day = hidden.first_sale[owner] + rng.integers(0, N_DAYS, len(owner))
    hour = np.concatenate(HOURS)[_pick(_HOUR_SHARE, daypart, rng)]
    when = day.astype("datetime64[h]") + hour

    kept = np.flatnonzero(n_lines)
    kept = kept[np.argsort(when[kept], kind="stable")]
    n_lines, owner, daypart = n_lines[kept], owner[kept], daypart[kept]
    context, when = context[kept], when[kept]

    # One entry per line.
    order = np.repeat(np.arange(len(kept)), n_lines)
    line = np.arange(len(order)) - np.repeat(np.cumsum(n_lines) - n_lines, n_lines) + 1
    shares = model.demand.reshape(-1, len(CATALOGUE))
    totals = shares.sum(axis=1, keepdims=True)
    shares = np.divide(
        shares, totals, out=np.full_like(shares, 1 / len(CATALOGUE)), where=totals > 0
    )
    product = _pick(shares, context[order], rng)
    quantity = 1 + rng.poisson(EXTRA_ITEMS_MEAN, len(order))
    buyer = owner[order]
    list_value = quantity * model.each("price_level")[hidden.segment[buyer]]
    price = np.array([row[2] for row in CATALOGUE])[product]
    unit_cost = np.array([row[3] for row in CATALOGUE])[product]
    revenue = np.round(list_value * price * (1 - hidden.discount[buyer]), 2)
    cost = np.round(list_value * unit_cost, 2)

    department = np.array([DEPARTMENTS.index(row[0]) for row in CATALOGUE])
    lines: dict[str, _Column] = {
        "customer_id": buyer + 1,
        "order_id": order + 1,
        "line": line,
        "date": when[order].astype("datetime64[us]"),
        "household": _Categories(hidden.household[buyer], HOUSEHOLDS, ordered=True),
        "daypart": _Categories(daypart[order], DAYPARTS, ordered=True),
        "department": _Categories(department[product], DEPARTMENTS),
        "product": _Categories(_PRODUCT_CODE[product], _PRODUCTS),
        "quantity": quantity,
        "revenue": revenue,
        "cost": cost,
    }
    orders_placed = np.bincount(owner, minlength=n_rows)
    totals_by_customer: dict[str, _Column] = {
        "management_cost": np.round(hidden.service_cost + COST_PER_ORDER * orders_placed, 2),
        "n_orders": orders_placed,
        "revenue": np.round(np.bincount(buyer, revenue, minlength=n_rows), 2),
        "cost": np.round(np.bincount(buyer, cost, minlength=n_rows), 2),
    }
    return lines, totals_by_customer


def _catalogue() -> dict[str, _Column]:
    department, product, price, unit_cost, _, count = zip(*CATALOGUE, strict=True)
    return {
        "department": np.array(department, dtype=object),
        "product": np.array(product, dtype=object),
        "price": np.array(price),
        "unit_cost": np.array(unit_cost),
        "count": np.array(count),
    }


_PRODUCTS = tuple(dict.fromkeys(row[1] for row in CATALOGUE))
_PRODUCT_CODE = np.array([_PRODUCTS.index(row[1]) for row in CATALOGUE])
_HOUR_SHARE = np.zeros((len(HOURS), sum(map(len, HOURS))))
for _row, _hours in enumerate(HOURS):
    _first = sum(map(len, HOURS[:_row]))
    _HOUR_SHARE[_row, _first : _first + len(_hours)] = 1 / len(_hours)


def _pick(
    shares: NDArray[np.float64], row: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """One column for each entry of `row`, drawn with the shares of that row (which sum to 1)."""
    n_columns = shares.shape[1]
    upper = np.cumsum(shares, axis=1)
    upper[:, -1] = 1.0
    upper += np.arange(len(shares))[:, None]
    found = np.searchsorted(upper.ravel(), row + rng.random(len(row)), side="right")
    column: NDArray[np.intp] = np.minimum(found - row * n_columns, n_columns - 1)
    return column


def _gamma(
    mean: NDArray[np.float64], variation: float | NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Gamma draws with the given mean and coefficient of variation."""
    shape = 1 / np.square(variation)
    return np.asarray(rng.gamma(np.broadcast_to(shape, np.shape(mean)), mean / shape))


def _beta(
    mean: NDArray[np.float64], concentration: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Beta draws with the given mean; the variance falls with the concentration."""
    return np.asarray(rng.beta(mean * concentration, (1 - mean) * concentration))


def _whole(name: str, value: int, low: int, high: int | None) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}: {value!r}")
    if value < low or (high is not None and value > high):
        allowed = f"{low} or more" if high is None else f"from {low} to {high}"
        raise DataError(f"{name} is {value}; it must be {allowed}")
    return int(value)


def _frame_kind(kind: str | None) -> FrameKind:
    allowed: tuple[FrameKind, ...] = ("pandas", "polars", "arrow", "dict")
    if kind is None:
        if importlib.util.find_spec("pandas") is not None:
            return "pandas"
        return "polars" if importlib.util.find_spec("polars") is not None else "dict"
    for name in allowed:
        if kind == name:
            return name
    raise DataError(f"as_frame is {kind!r}; it must be one of {allowed} or None")


def _frame(columns: Mapping[str, _Column], kind: FrameKind) -> Frame:
    if kind == "pandas":
        return _to_pandas(columns)
    if kind == "polars":
        return _to_polars(columns)
    if kind == "arrow":
        return _to_arrow(columns)
    return {
        name: np.array(column.names, dtype=object)[column.codes]
        if isinstance(column, _Categories)
        else column
        for name, column in columns.items()
    }


def _to_pandas(columns: Mapping[str, _Column]) -> Frame:
    import pandas as pd

    def series(name: str, column: _Column) -> Frame:
        if isinstance(column, _Categories):
            return pd.Categorical.from_codes(column.codes, column.names, ordered=column.ordered)
        if name == "churned":
            return pd.arrays.BooleanArray(column == 1, np.isnan(column))
        return column.tolist() if column.dtype == object else column

    return pd.DataFrame({name: series(name, column) for name, column in columns.items()})


def _to_polars(columns: Mapping[str, _Column]) -> Frame:
    import polars as pl

    def series(name: str, column: _Column) -> Frame:
        if isinstance(column, _Categories):
            dtype = pl.Enum(column.names) if column.ordered else pl.Categorical
            return pl.Series(name, column.names, dtype=dtype).gather(column.codes)
        if name == "churned":
            return pl.Series(name, column, nan_to_null=True).cast(pl.Boolean)
        if column.dtype == object:
            return pl.Series(name, column.tolist(), dtype=pl.String)
        return pl.Series(name, column, nan_to_null=True)

    return pl.DataFrame([series(name, column) for name, column in columns.items()])


def _to_arrow(columns: Mapping[str, _Column]) -> Frame:
    import pyarrow as pa

    def array(name: str, column: _Column) -> Frame:
        if isinstance(column, _Categories):
            return pa.DictionaryArray.from_arrays(
                column.codes.astype(np.int32), list(column.names), ordered=column.ordered
            )
        if name == "churned":
            return pa.array(column, from_pandas=True).cast(pa.bool_())
        return pa.array(column, from_pandas=True)

    return pa.table({name: array(name, column) for name, column in columns.items()})
