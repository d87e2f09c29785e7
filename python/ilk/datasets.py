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

from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Gap", "Market", "MarketTruth", "make_market"]

FrameKind = Literal["pandas", "polars", "arrow", "dict"]
# A table of the kind asked for: none of the libraries is imported until then.
Frame: TypeAlias = Any

HOUSEHOLDS = ("single", "couple", "family")
DAYPARTS = ("breakfast", "lunch", "dinner", "other")
DEPARTMENTS = (
    "bakery",
    "dairy",
    "drinks",
    "frozen",
    "household goods",
    "meat and fish",
    "produce",
    "ready meals",
)
REGIONS = ("north", "east", "south", "west")
CHANNELS = ("store", "web", "referral", "post")

FIRST_DAY = np.datetime64("2023-01-01", "D")
LAST_DAY = np.datetime64("2023-12-31", "D")
N_DAYS = 365

# Hours at which a delivery of the daypart leaves; every hour of a daypart is equally likely.
HOURS = ((6, 7, 8, 9, 10), (11, 12, 13, 14), (17, 18, 19, 20, 21), (15, 16, 22))
DAYPART_SHARE = (0.20, 0.24, 0.38, 0.18)

# Shares of the departments in the lines of an order, by daypart (rows in the order of DAYPARTS).
DEPARTMENT_SHARE = (
    (0.26, 0.24, 0.12, 0.04, 0.08, 0.06, 0.17, 0.03),
    (0.14, 0.10, 0.16, 0.06, 0.06, 0.12, 0.18, 0.18),
    (0.06, 0.10, 0.12, 0.12, 0.08, 0.22, 0.20, 0.10),
    (0.12, 0.12, 0.20, 0.10, 0.22, 0.06, 0.12, 0.06),
)

# department, product line, list price, unit cost, share of the department's lines, number of
# articles in stock
CATALOGUE = (
    ("bakery", "bread", 2.80, 1.26, 0.45, 48),
    ("bakery", "rolls", 1.90, 0.84, 0.25, 30),
    ("bakery", "pastry", 3.60, 1.43, 0.20, 36),
    ("bakery", "cake", 7.50, 3.28, 0.10, 18),
    ("dairy", "milk", 1.60, 1.01, 0.35, 42),
    ("dairy", "cheese", 4.80, 2.52, 0.25, 96),
    ("dairy", "yoghurt", 2.40, 1.26, 0.25, 120),
    ("dairy", "eggs", 3.40, 2.02, 0.15, 16),
    ("drinks", "water", 3.20, 1.60, 0.30, 40),
    ("drinks", "juice", 3.00, 1.51, 0.25, 64),
    ("drinks", "coffee and tea", 6.40, 3.02, 0.25, 110),
    ("drinks", "beer and wine", 8.90, 4.70, 0.20, 240),
    ("frozen", "vegetables", 2.90, 1.51, 0.35, 44),
    ("frozen", "pizza", 4.20, 2.18, 0.30, 38),
    ("frozen", "fish", 6.80, 3.86, 0.15, 30),
    ("frozen", "ice cream", 5.20, 2.35, 0.20, 52),
    ("household goods", "cleaning", 4.40, 2.10, 0.30, 130),
    ("household goods", "paper", 5.60, 3.11, 0.30, 44),
    ("household goods", "personal care", 4.90, 2.18, 0.30, 310),
    ("household goods", "pet food", 7.20, 3.95, 0.10, 90),
    ("meat and fish", "poultry", 7.40, 4.37, 0.40, 36),
    ("meat and fish", "beef", 10.90, 6.64, 0.20, 28),
    ("meat and fish", "sausage and ham", 4.30, 2.27, 0.30, 84),
    ("meat and fish", "fresh fish", 12.50, 7.56, 0.10, 20),
    ("produce", "vegetables", 2.60, 1.34, 0.40, 88),
    ("produce", "fruit", 3.20, 1.68, 0.40, 62),
    ("produce", "salad", 2.90, 1.26, 0.15, 26),
    ("produce", "herbs", 1.80, 0.67, 0.05, 14),
    ("ready meals", "soup", 3.90, 1.68, 0.25, 32),
    ("ready meals", "pasta dish", 5.40, 2.35, 0.35, 46),
    ("ready meals", "sandwich", 4.20, 1.60, 0.30, 34),
    ("ready meals", "sushi", 9.80, 4.37, 0.10, 12),
)

# Mean cost of making contact through each channel, before the segment's own effort.
CHANNEL_COST = (30.0, 48.0, 36.0, 70.0)
COST_PER_ORDER = 2.40
EXTRA_ITEMS_MEAN = 0.8
INCOME_MISSING = 0.06
SALE_SHAPE = 1.3
DISCOUNT_RATE = 0.10


class Gap(NamedTuple):
    """A cell of the market whose demand was changed on purpose.

    Parameters
    ----------
    household : str
        "single", "couple" or "family".
    daypart : str
        "breakfast", "lunch", "dinner" or "other".
    factor : float
        What demand in the cell is multiplied by: below 1 a gap, above 1 a stronghold.
    department : str, optional
        The one department concerned; by default all of them, so that whole orders are missing.

    Examples
    --------
    >>> from ilk.datasets import Gap
    >>> Gap("family", "lunch", 0.5)
    Gap(household='family', daypart='lunch', factor=0.5, department=None)
    """

    household: str
    daypart: str
    factor: float
    department: str | None = None


PLANTED_GAPS = (
    Gap("single", "breakfast", 0.6),
    Gap("family", "lunch", 0.7),
    Gap("family", "breakfast", 1.4),
    Gap("family", "dinner", 0.5, "ready meals"),
    Gap("single", "lunch", 1.8, "ready meals"),
)


class _Segment(NamedTuple):
    """The distributions one segment is drawn from."""

    name: str
    size: float
    age: tuple[float, float]  # mean, standard deviation
    income: tuple[float, float]  # median, spread of the logarithm
    household: tuple[float, float, float]
    channel: tuple[float, float, float, float]
    visits: tuple[float, float]  # mean, coefficient of variation
    basket: tuple[float, float]  # mean, coefficient of variation
    discount: float
    private_label: float
    orders_per_year: float
    lines_per_order: float
    price_level: float
    effort: float
    days_scale: float
    sale_probability: float
    service_cost: float
    churn: float


_SEGMENTS = (
    _Segment("Budget families", 0.34, (41, 6), (39_000, 0.20), (0.04, 0.14, 0.82),
             (0.50, 0.15, 0.15, 0.20), (9.0, 0.22), (58.0, 0.20), 0.28, 0.55,
             20.0, 4.2, 0.85, 1.1, 70.0, 0.78, 24.0, 0.22),
    _Segment("Convenience singles", 0.26, (29, 5), (47_000, 0.20), (0.80, 0.16, 0.04),
             (0.15, 0.65, 0.15, 0.05), (17.0, 0.20), (17.0, 0.22), 0.13, 0.30,
             27.0, 2.2, 1.15, 0.9, 25.0, 0.86, 20.0, 0.34),
    _Segment("Premium couples", 0.22, (55, 6), (98_000, 0.22), (0.10, 0.80, 0.10),
             (0.25, 0.20, 0.50, 0.05), (6.0, 0.22), (74.0, 0.20), 0.06, 0.14,
             15.0, 3.8, 1.45, 2.4, 95.0, 0.72, 46.0, 0.12),
    _Segment("Retired bargain hunters", 0.18, (72, 5), (27_000, 0.18), (0.46, 0.52, 0.02),
             (0.45, 0.05, 0.10, 0.40), (13.0, 0.20), (24.0, 0.22), 0.40, 0.68,
             12.0, 2.8, 0.80, 1.4, 45.0, 0.64, 38.0, 0.17),
    _Segment("Fresh-food families", 0.20, (45, 5), (92_000, 0.20), (0.03, 0.12, 0.85),
             (0.20, 0.50, 0.25, 0.05), (13.0, 0.20), (98.0, 0.18), 0.10, 0.18,
             24.0, 5.0, 1.30, 1.6, 55.0, 0.80, 40.0, 0.15),
    _Segment("Occasional shoppers", 0.16, (36, 6), (55_000, 0.25), (0.45, 0.40, 0.15),
             (0.10, 0.20, 0.05, 0.65), (2.5, 0.25), (30.0, 0.25), 0.20, 0.40,
             6.0, 2.4, 1.00, 1.2, 110.0, 0.60, 16.0, 0.48),
)  # fmt: skip


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
    n_segments = _whole("n_segments", n_segments, 2, len(_SEGMENTS))
    kind = _frame_kind(as_frame)
    planted = PLANTED_GAPS if gaps is None else tuple(Gap(*gap) for gap in gaps)
    model = _Model.of(_SEGMENTS[:n_segments], planted)

    generator = np.random.default_rng(random_state)
    household_stream, order_stream = generator.spawn(2)
    customers, hidden = _draw_customers(model, n_customers, household_stream)
    orders, totals = _draw_orders(model, hidden, order_stream)
    customers.update(totals)

    names = np.array([segment.name for segment in model.segments], dtype=object)
    truth = MarketTruth(
        segment=names[hidden.segment],
        segments=_frame(_segment_truth(model), kind),
        gaps=planted,
        as_of=LAST_DAY,
    )
    return Market(
        customers=_frame(customers, kind),
        orders=_frame(orders, kind),
        catalogue=_frame(_catalogue(), kind),
        truth=truth,
    )


@dataclass(frozen=True)
class _Model:
    """The segments and the table of demand by household, daypart and product."""

    segments: tuple[_Segment, ...]
    size: NDArray[np.float64]
    demand: NDArray[np.float64]  # household x daypart x product, 1 in all where nothing is planted
    order_demand: NDArray[np.float64]  # household x daypart, 1 in all where nothing is planted

    @classmethod
    def of(cls, segments: tuple[_Segment, ...], gaps: tuple[Gap, ...]) -> _Model:
        size = np.array([segment.size for segment in segments])
        department = np.array([DEPARTMENTS.index(row[0]) for row in CATALOGUE])
        within = np.array([row[4] for row in CATALOGUE])
        by_product = np.array(DEPARTMENT_SHARE)[:, department] * within
        order_demand = np.tile(np.array(DAYPART_SHARE), (len(HOUSEHOLDS), 1))
        line_demand = np.tile(by_product, (len(HOUSEHOLDS), 1, 1))
        for gap in gaps:
            household = _position("household", gap.household, HOUSEHOLDS)
            daypart = _position("daypart", gap.daypart, DAYPARTS)
            if not (np.isfinite(gap.factor) and gap.factor >= 0):
                raise DataError(
                    f"gaps: the factor of {gap!r} is {gap.factor}; it must be 0 or greater"
                )
            if gap.department is None:
                order_demand[household, daypart] *= gap.factor
            else:
                which = _position("department", gap.department, DEPARTMENTS)
                line_demand[household, daypart, department == which] *= gap.factor
        return cls(segments, size / size.sum(), line_demand, order_demand)

    def each(self, name: str) -> NDArray[Any]:
        """One value (or row of values) per segment."""
        return np.array([getattr(segment, name) for segment in self.segments])


class _Hidden(NamedTuple):
    """What lies behind the rows of `customers` and drives the orders."""

    segment: NDArray[np.intp]
    household: NDArray[np.intp]
    discount: NDArray[np.float64]
    first_sale: NDArray[np.datetime64]
    service_cost: NDArray[np.float64]


def _draw_customers(
    model: _Model, n: int, rng: np.random.Generator
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
    model: _Model, hidden: _Hidden, rng: np.random.Generator
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


def _segment_truth(model: _Model) -> dict[str, _Column]:
    """Give the population values of each segment, summed over the cells of its distributions."""
    household = model.each("household")
    rate, lines = model.each("orders_per_year"), model.each("lines_per_order")
    level = model.each("price_level") * (1 + EXTRA_ITEMS_MEAN)
    price = np.array([row[2] for row in CATALOGUE])
    unit_cost = np.array([row[3] for row in CATALOGUE])

    products = np.einsum("sh,hd,hdp->sp", household, model.order_demand, model.demand)
    products *= (rate * lines * level)[:, None]
    revenue = products @ price * (1 - model.each("discount"))
    cost = products @ unit_cost
    some_line = 1 - np.exp(-lines[:, None, None] * model.demand.sum(axis=2))
    n_orders = rate * np.einsum("sh,hd,shd->s", household, model.order_demand, some_line)
    cost_to_manage = model.each("service_cost") + COST_PER_ORDER * n_orders

    scale, won = model.each("days_scale"), model.each("sale_probability")
    watched = np.arange(N_DAYS)
    decided = 1 - np.exp(-((watched / scale[:, None]) ** SALE_SHAPE))
    sold_share = won * decided.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(won > 0.5, scale * (-np.log1p(-0.5 / won)) ** (1 / SALE_SHAPE), np.inf)
    contact_cost = model.each("channel") @ np.array(CHANNEL_COST) * model.each("effort")
    cac = contact_cost / sold_share

    sales = model.size * sold_share * revenue
    contribution = revenue - cost - cost_to_manage
    churn = model.each("churn")
    ltv = contribution / churn
    return {
        "segment": np.array([segment.name for segment in model.segments], dtype=object),
        "size": model.size,
        "revenue_share": sales / sales.sum(),
        "gross_margin": (revenue - cost) / revenue,
        "days_to_sale": np.ceil(half),
        "sale_probability": won,
        "sold_share": sold_share,
        "cac": cac,
        "cost_to_manage": cost_to_manage,
        "churn": churn,
        "revenue_per_customer": revenue,
        "contribution": contribution,
        "payback_months": np.where(contribution > 0, 12 * cac / contribution, np.inf),
        "ltv": ltv,
        "ltv_cac": ltv / cac,
        "ltv_advance": contribution * (1 + DISCOUNT_RATE) / (DISCOUNT_RATE + churn),
        "ltv_arrears": contribution * (1 - churn) / (DISCOUNT_RATE + churn),
    }


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


def _position(name: str, value: str, allowed: tuple[str, ...]) -> int:
    if value not in allowed:
        raise DataError(f"gaps: {name} {value!r} does not exist; it must be one of {allowed}")
    return allowed.index(value)


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
