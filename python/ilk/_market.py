"""The model behind `ilk.datasets.make_market`: its distributions, and the values that follow from them.

Everything a market is drawn from is a constant of this module. `Model` holds what one market uses, and
`segment_truth` sums the values of each segment over the cells of these distributions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ilk.exceptions import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


class Segment(NamedTuple):
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


SEGMENTS = (
    Segment("Budget families", 0.34, (41, 6), (39_000, 0.20), (0.04, 0.14, 0.82),
             (0.50, 0.15, 0.15, 0.20), (9.0, 0.22), (58.0, 0.20), 0.28, 0.55,
             20.0, 4.2, 0.85, 1.1, 70.0, 0.78, 24.0, 0.22),
    Segment("Convenience singles", 0.26, (29, 5), (47_000, 0.20), (0.80, 0.16, 0.04),
             (0.15, 0.65, 0.15, 0.05), (17.0, 0.20), (17.0, 0.22), 0.13, 0.30,
             27.0, 2.2, 1.15, 0.9, 25.0, 0.86, 20.0, 0.34),
    Segment("Premium couples", 0.22, (55, 6), (98_000, 0.22), (0.10, 0.80, 0.10),
             (0.25, 0.20, 0.50, 0.05), (6.0, 0.22), (74.0, 0.20), 0.06, 0.14,
             15.0, 3.8, 1.45, 2.4, 95.0, 0.72, 46.0, 0.12),
    Segment("Retired bargain hunters", 0.18, (72, 5), (27_000, 0.18), (0.46, 0.52, 0.02),
             (0.45, 0.05, 0.10, 0.40), (13.0, 0.20), (24.0, 0.22), 0.40, 0.68,
             12.0, 2.8, 0.80, 1.4, 45.0, 0.64, 38.0, 0.17),
    Segment("Fresh-food families", 0.20, (45, 5), (92_000, 0.20), (0.03, 0.12, 0.85),
             (0.20, 0.50, 0.25, 0.05), (13.0, 0.20), (98.0, 0.18), 0.10, 0.18,
             24.0, 5.0, 1.30, 1.6, 55.0, 0.80, 40.0, 0.15),
    Segment("Occasional shoppers", 0.16, (36, 6), (55_000, 0.25), (0.45, 0.40, 0.15),
             (0.10, 0.20, 0.05, 0.65), (2.5, 0.25), (30.0, 0.25), 0.20, 0.40,
             6.0, 2.4, 1.00, 1.2, 110.0, 0.60, 16.0, 0.48),
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """The segments and the table of demand by household, daypart and product."""

    segments: tuple[Segment, ...]
    size: NDArray[np.float64]
    demand: NDArray[np.float64]  # household x daypart x product, 1 in all where nothing is planted
    order_demand: NDArray[np.float64]  # household x daypart, 1 in all where nothing is planted

    @classmethod
    def of(cls, segments: tuple[Segment, ...], gaps: tuple[Gap, ...]) -> Model:
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


def segment_truth(model: Model) -> dict[str, NDArray[Any]]:
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


def _position(name: str, value: str, allowed: tuple[str, ...]) -> int:
    if value not in allowed:
        raise DataError(f"gaps: {name} {value!r} does not exist; it must be one of {allowed}")
    return allowed.index(value)
