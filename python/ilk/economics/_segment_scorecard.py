"""The scorecard of a frame of customers: arguments, and what they mean."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame, require_columns
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk.economics._report import labelled
from ilk.economics._scorecard import Scorecard
from ilk.exceptions import DataError, DataWarning
from ilk.segments import Segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ilk._progress import Progress


def segment_scorecard(
    customers: Any,
    *,
    segment: Any,
    revenue: str,
    cost: str | None = None,
    acquisition_cost: str | None = None,
    management_cost: str | None = None,
    first_contact: str | None = None,
    first_sale: str | None = None,
    lost: str | None = None,
    churn: str | None = None,
    clv: str | None = None,
    orders: Any = None,
    customer: str | None = None,
    spend: Any = None,
    channel: str | None = None,
    month: str | None = None,
    amount: str | None = None,
    lag_months: int = 0,
    n_customers: str | None = None,
    n_new: str | None = None,
    period_months: float = 12,
    discount_rate: float = 0.10,
    ltv_periods: int | None = None,
    n_boot: int = 1000,
    refit: bool = False,
    n_refits: int = 200,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> Scorecard:
    """What each segment is worth, with intervals.

    Share of sales, gross margin, time from first contact to sale, cost to win and to manage a customer, contribution,
    payback and lifetime value.

    Three forms of data are taken: one row per customer or lead; rows that are totals, with ``n_customers`` and
    ``n_new``; or one row per customer with their order lines in ``orders``. All amounts are of one period of
    ``period_months``.

    Parameters
    ----------
    customers : data frame
        pandas, polars, pyarrow, DuckDB, or a dict of columns.
    segment : str, Segmentation, or array-like of labels
        The column that holds the segment, a segmentation of these customers, or a label for each row. Rows without a
        segment are left out and counted.
    revenue : str
        Column of ``customers`` (or of ``orders``) with the revenue of the period.
    cost : str, optional
        Cost of what was sold, in the same frame as ``revenue``. Without it the margin and all that rests on it is
        missing, not zero. A cost may be negative only where revenue is: returned goods.
    acquisition_cost : str, optional
        Sales and marketing spend on this customer or lead. Spend on lost and open leads counts.
    management_cost : str, optional
        Support and account spend in the period. Without it contribution is gross profit per customer.
    first_contact, first_sale : str, optional
        Dates (or numbers of days). A row without a first sale and without revenue is a lead. A row without a first sale
        but with revenue is a customer from before the records: no new one, and not counted in ``days_to_sale``.
        Without ``first_sale`` every row is a new customer.
    lost : str, optional
        Which leads were lost: a date, or true and false. Other leads are open.
    churn : str, optional
        Churn rate per period, between 0 and 1, or whether the customer left in the period.
    clv : str, optional
        Lifetime value of each customer by a model, such as what ``clv`` of a fitted model of repeat buying gives. Its mean
        is ``ltv_model``; customers without one are left out of it alone.
    orders : data frame, optional
        Order lines; ``revenue`` and ``cost`` name its columns. Lines of unknown customers are left out with a warning.
    customer : str, optional
        The customer's identifier, in both frames; needed with ``orders``.
    spend : data frame, optional
        Sales and marketing spend by month and channel, instead of ``acquisition_cost``: the columns ``month`` (any day of
        it), ``channel`` and ``amount``. ``channel`` is a column of ``customers``, too. If ``spend`` also has a column
        called as ``segment``, an amount that names a segment is spent on it alone.
    channel, month, amount : str, optional
        Columns of ``spend``.
    lag_months : int
        Months from spend to the sale it brings: spend of a month buys the customers of ``lag_months`` later.
    n_customers, n_new : str, optional
        Numbers of customers and of new customers, where rows are totals. There are no intervals then: customers cannot
        be resampled from totals.
    period_months : float
        Length of the period.
    discount_rate : float
        Per year; turned into a rate per period by compounding.
    ltv_periods : int, optional
        Periods that ``ltv_horizon`` counts.
    n_boot : int
        Bootstrap replicates; 0 for no intervals.
    refit : bool
        Whether intervals hold for the segmentation, too. Then ``segment`` is a :class:`~ilk.Segmentation` of these
        customers, which is fitted anew in each replicate.
    n_refits : int
        Replicates where ``refit``, instead of ``n_boot``.
    confidence : float
        Share of replicates between the ends of an interval.
    random_state : int, optional
        Seed of the replicates; by default a fresh one, which ``.manifest["random_state"]`` keeps.
    progress : bool, "auto" or callable
        Whether to show a progress bar; ``"auto"`` does where tqdm is installed and the work takes over a second. A
        function is called with the units of work done and in all.

    Returns
    -------
    Scorecard
        With ``.table``, ``.total``, ``.hhi``, ``.rank()``, ``.knockout()``, ``.time_to_sale()``, ``.acquisition``,
        ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    TypeError
        If a column has a type that its role cannot take.
    DataError
        If a row contradicts itself (a sale before the first contact, a lost lead with a sale), a value is out of range
        (a negative cost, a churn rate above 1), arguments do not go together, or no complete row is left.

    Warns
    -----
    DataWarning
        If order lines are left out, a segment has no customers, or the amounts of a column look like two currencies.

    Notes
    -----
    *Figures* (S1-ECON-01 to 05). Each is a ratio of sums over the segment, never a mean of ratios; :class:`Scorecard`
    lists them. Concentration is the Herfindahl-Hirschman index (Hirschman 1964, American Economic Review 54:761).
    Discounted lifetime values are those of a constant margin m, retention r and discount rate d:
    m (1 + d) / (1 + d - r) in advance, m r / (1 + d - r) in arrears (Gupta and Lehmann 2003, Journal of Interactive
    Marketing 17(1):9-24). ``ltv_horizon`` is the first H terms of the former.
    Where nobody churns the undiscounted lifetime value is infinite. A cost per new customer where there is none is
    infinite.

    *Days to sale*. Open leads are censored at the last date in any of the date columns. With dates of loss the median
    is that of the Aalen-Johansen cumulative incidence of a sale, lost leads competing (Aalen and Johansen 1978,
    Scandinavian Journal of Statistics 5:141-150). With only a flag of loss, lost leads stay at risk of a sale until
    that last date, which estimates the same curve, since all censoring is due to the end of observation
    ("censoring complete" data; Fine and Gray 1999, JASA 94:496-509). Without lost leads it is Kaplan-Meier (1958,
    JASA 53:457-481). If fewer than half ever buy within the time observed, the median is infinite: not reached.

    *Acquisition by channel*. The spend of a month and channel is shared equally among the customers won through that
    channel ``lag_months`` later, so what was spent on leads that came to nothing is counted. What won nobody is in
    ``.unallocated``, with the reason, and in no figure; what is shared out and what is not add up to the spend.
    Resampling leaves the budget as it is, and shares it out among the customers drawn.

    *Two units*. A column of amounts is said to hold two currencies or units if their logarithms fall into two groups
    at least 50 times and 4 standard deviations apart, with few amounts between, of which the smaller holds 5 % or
    more, and which spread alike.

    *Missing values*. A customer with a missing amount is left out of all figures and counted in ``.manifest``; of a
    lead only a missing acquisition cost counts as missing, its other amounts are 0. A missing churn rate is left out of
    the churn rate alone.

    *Intervals*. Customers and leads are resampled, with their order lines, by Poisson weights (Hanley and MacGibbon
    2006, Computer Methods and Programs in Biomedicine 83:57-62); all figures come from the same replicates. More than
    4,096 customers are first dealt at random into as many groups of equal size, which are resampled whole (random groups;
    Wolter 2007, Introduction to Variance Estimation, chapter 2): the width of an interval keeps its expected value, with
    a relative error of 1 %. Intervals
    are percentiles (Davison and Hinkley 1997, section 5.2), which hold for figures that can be infinite. The same seed
    gives the same bits for any number of threads.

    Examples
    --------
    >>> import ilk
    >>> totals = {
    ...     "segment": ["A", "B", "C", "D"],
    ...     "revenue": [500_000, 300_000, 150_000, 50_000],
    ...     "cost": [200_000, 180_000, 30_000, 40_000],
    ...     "spend": [80_000, 60_000, 15_000, 20_000],
    ...     "manage": [60_000, 40_000, 15_000, 15_000],
    ...     "churn": [0.2, 0.1, 0.3, 0.5],
    ...     "customers": [200, 60, 150, 10],
    ...     "new": [40, 20, 30, 4],
    ... }
    >>> card = ilk.segment_scorecard(
    ...     totals,
    ...     segment="segment",
    ...     revenue="revenue",
    ...     cost="cost",
    ...     acquisition_cost="spend",
    ...     management_cost="manage",
    ...     churn="churn",
    ...     n_customers="customers",
    ...     n_new="new",
    ... )
    >>> table = card.to_dict()
    >>> table["payback_months"].round(2).tolist()
    [20.0, 27.0, 8.57, inf]
    >>> table["ltv_cac"].round(2).tolist()
    [3.0, 4.44, 4.67, -0.2]
    >>> card.rank(top=3, by="profit").to_dict()["segment"]
    ['A', 'C', 'B', 'D']
    """
    of_money = {"revenue": revenue, "cost": cost}
    of_spend = {"channel": channel, "month": month, "amount": amount}
    of_customers = {
        "acquisition_cost": acquisition_cost,
        "management_cost": management_cost,
        "first_contact": first_contact,
        "first_sale": first_sale,
        "lost": lost,
        "churn": churn,
        "clv": clv,
        "customer": customer,
        "n_customers": n_customers,
        "n_new": n_new,
    }
    for argument, column in (of_money | of_customers | of_spend).items():
        if column is not None and not isinstance(column, str):
            raise TypeError(
                f"{argument} is a {type(column).__name__}, but the name of a column is needed"
            )
    fitted = _refitted(segment, refit, n_refits)
    wanted = [*of_customers.values(), channel if spend is not None else None]
    if orders is None:
        wanted += of_money.values()
    if fitted is not None:
        wanted += [feature["name"] for feature in segment.preparation]
        wanted.append(segment.manifest["settings"].get("weights"))
    frame, labels, segment_name = _segments(customers, segment, wanted)
    lines = None if orders is None else _table("orders", orders, [customer, *of_money.values()])
    budget = None
    if spend is not None:
        budget = _budget(spend, list(of_spend.values()))
    with progress_bar(progress, "scorecard") as report:
        core = _core.segment_scorecard(
            frame.core,
            labels,
            lines,
            budget,
            fitted,
            {
                "segment": segment_name,
                **of_money,
                **of_customers,
                **(of_spend if spend is not None else dict.fromkeys(of_spend)),
                "lag_months": whole("lag_months", lag_months),
            },
            period_months=float(period_months),
            discount_rate=float(discount_rate),
            ltv_periods=None if ltv_periods is None else whole("ltv_periods", ltv_periods),
            n_boot=whole("n_refits", n_refits) if refit else whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    for text in core.warnings():
        warnings.warn(text, DataWarning, stacklevel=2)
    return Scorecard(core, frame.native)


def _refitted(segment: Any, refit: bool, n_refits: int) -> _core.Segmentation | None:
    """The segmentation that is to be fitted anew, if any."""
    if not refit:
        return None
    if not isinstance(segment, Segmentation):
        raise TypeError(
            f"segment is a {type(segment).__name__}, but refit needs the Segmentation; "
            "try: segment=ilk.segment(customers, features)"
        )
    if whole("n_refits", n_refits) == 0:
        raise DataError("n_refits: found 0, but at least 1 is needed; try: n_refits=200")
    core: _core.Segmentation = segment._core
    return core


def _segments(
    customers: Any, segment: Any, names: Sequence[str | None]
) -> tuple[Frame, _core.Table, str]:
    """The customers, the table that holds their segments, and the name of the column there."""
    frame, labels = labelled(
        customers,
        segment,
        "segment",
        [name for name in names if isinstance(name, str)],
        name="customers",
    )
    if labels is None:
        raise TypeError("segment: found none, but a column, a segmentation or labels are needed")
    return frame, *labels


def _table(name: str, data: Any, names: Sequence[str | None]) -> _core.Table:
    """Another frame, with the columns that are needed."""
    wanted = [column for column in names if isinstance(column, str)]
    return Frame.of(data, name=name, columns=wanted).core


def _budget(spend: Any, names: Sequence[str | None]) -> _core.Table:
    """The spend, with all its columns: one may say the segment."""
    frame = Frame.of(spend, name="spend")
    require_columns([column for column in names if column is not None], frame.columns)
    return frame.core
