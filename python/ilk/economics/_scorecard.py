"""What each segment is worth: the scorecard, with intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core
from ilk._frame import Frame, to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.economics._arguments import whole
from ilk.economics._ranking import FORMATS, Ranking
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ilk._progress import Progress

#: What a person is shown; ``.table`` has the rest.
_SHOWN = (
    "segment",
    "n",
    "revenue_share",
    "gross_margin",
    "days_to_sale",
    "cac",
    "cost_to_manage",
    "contribution",
    "payback_months",
    "ltv",
    "ltv_cac",
    "profit",
)


class Scorecard(Result):
    """What each segment is worth; made by :func:`segment_scorecard`.

    ``.table`` has one row per segment. Each estimated column ``x`` stands with its interval ``x_lo``, ``x_hi``.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    segment             name of the segment
    n                   customers
    revenue_share       revenue / revenue of all segments
    gross_margin        (revenue - cost) / revenue, both summed over the segment
    days_to_sale        median days from first contact to first sale; infinite if half never buy
    cac                 acquisition spend, lost and open leads included, per new customer
    cost_to_manage      management spend per customer and period
    contribution        (revenue - cost - management spend) per customer and period
    payback_months      cac / (contribution / period_months); infinite ("never") if contribution is 0 or less
    ltv                 contribution / churn, not discounted
    ltv_cac             ltv / cac
    ltv_advance         contribution (1 + d) / (1 + d - r): margins come at the beginning of each period
    ltv_arrears         contribution r / (1 + d - r): margins come at the end of each period
    churn               mean churn rate of the customers
    revenue             sum
    profit              revenue - cost - acquisition spend - management spend
    cumulative_share    share of revenue of this segment and all larger ones
    n_new               customers won
    n_open, n_lost      leads that are still open, and leads that were lost
    ==================  =====================================================================================

    Here r is 1 - churn, and d the discount rate per period, (1 + discount_rate) ** (period_months / 12) - 1.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> card = ilk.segment_scorecard(
    ...     market.customers, segment="household", revenue="revenue", cost="cost", random_state=0
    ... )
    >>> list(card.to_dict()["segment"])
    ['couple', 'family', 'single']
    """

    __slots__ = ()

    _wraps = _core.Scorecard
    _title = "What each segment is worth"
    _formats = FORMATS

    @property
    def total(self) -> Any:
        """All segments together: one row with the columns of ``.table``. Its ratios are ratios of sums."""
        return to_native(self._core.total(), self._native)

    @property
    def hhi(self) -> tuple[float, float, float]:
        """Herfindahl-Hirschman index of revenue (sum of squared shares), and the ends of its interval."""
        index: tuple[float, float, float] = self._core.hhi()
        return index

    def rank(
        self,
        top: int = 3,
        by: str | Sequence[str] = "profit",
        weights: Sequence[float] | Mapping[str, float] | str | None = None,
    ) -> Ranking:
        """Rank the segments and say how sure the first places are.

        Parameters
        ----------
        top : int
            How many segments are wanted.
        by : str or sequence of str
            One column of the scorecard, or several. More is better, except for ``days_to_sale``, ``cac``,
            ``cost_to_manage``, ``payback_months`` and ``churn``.
        weights : sequence of float, dict, or "dirichlet", optional
            One weight per criterion; by default all alike. With ``"dirichlet"`` every replicate draws its own weights,
            all mixtures being equally likely, so that ``p_top`` says what holds whatever the weights.

        Returns
        -------
        Ranking
            One criterion is compared as it is. Of several the score is the weighted sum, each scaled to 0 (worst
            segment) to 1 (best); "never" counts like the worst, a missing value as 0. Probabilities come from the
            scorecard's replicates, in each of which all segments are ranked anew.

        Raises
        ------
        DataError
            If a criterion does not exist or has no values, or the weights do not fit.

        Notes
        -----
        S1-ECON-06.

        Examples
        --------
        >>> import ilk
        >>> totals = {"segment": ["A", "B"], "revenue": [500, 300], "cost": [200, 180], "n": [200, 60]}
        >>> card = ilk.segment_scorecard(
        ...     totals, segment="segment", revenue="revenue", cost="cost", n_customers="n"
        ... )
        >>> card.rank(top=1, by="contribution").to_dict()["segment"]
        ['B', 'A']
        """
        criteria = [by] if isinstance(by, str) else list(by)
        dirichlet = False
        given: list[float] | None = None
        if isinstance(weights, str):
            if weights != "dirichlet":
                raise DataError(
                    f'weights: found {weights!r}, but numbers or "dirichlet" are needed; '
                    'try: weights="dirichlet"'
                )
            dirichlet = True
        elif isinstance(weights, Mapping):
            if set(weights) != set(criteria):
                raise DataError(
                    f"weights: found weights of {sorted(map(str, weights))}, "
                    f"but one of each of {criteria} is needed"
                )
            given = [float(weights[name]) for name in criteria]
        elif weights is not None:
            given = [float(weight) for weight in weights]
        top = whole("top", top)
        return Ranking(self._core.rank(top, criteria, given, dirichlet), self._native)

    def explain(self) -> Explanation:
        """The scorecard in sentences: everybody, each segment, the first three, and what the figures rest on."""
        return Explanation(self._core.explain())

    def plot(self, kind: str = "dots", *, figures: Sequence[str] | None = None) -> Figure:
        """Draw the scorecard.

        Parameters
        ----------
        kind : {"dots"}
            One panel per figure, segments from top to bottom, a dot for each value and a line for its interval.
        figures : sequence of str, optional
            The columns to draw; by default those of the scorecard that have values.

        Returns
        -------
        matplotlib.figure.Figure
            With one axes per figure.

        Raises
        ------
        DataError
            If there is no such kind or column.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.economics import scorecard_dots

        if kind != "dots":
            raise DataError(f'kind: found {kind!r}, but the only kind is "dots"')
        return scorecard_dots(self.to_dict(), figures, self.manifest["settings"]["confidence"])

    def _shown(self) -> dict[str, Any]:
        columns = self.to_dict()
        shown = {}
        for name in _SHOWN:
            if name in ("segment", "n") or not _all_missing(columns[name]):
                shown.update(
                    {c: columns[c] for c in (name, f"{name}_lo", f"{name}_hi") if c in columns}
                )
        return shown


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
    orders: Any = None,
    customer: str | None = None,
    n_customers: str | None = None,
    n_new: str | None = None,
    period_months: float = 12,
    discount_rate: float = 0.10,
    n_boot: int = 1000,
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
    orders : data frame, optional
        Order lines; ``revenue`` and ``cost`` name its columns. Lines of unknown customers are left out with a warning.
    customer : str, optional
        The customer's identifier, in both frames; needed with ``orders``.
    n_customers, n_new : str, optional
        Numbers of customers and of new customers, where rows are totals. There are no intervals then: customers cannot
        be resampled from totals.
    period_months : float
        Length of the period.
    discount_rate : float
        Per year; turned into a rate per period by compounding.
    n_boot : int
        Bootstrap replicates; 0 for no intervals.
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
        With ``.table``, ``.total``, ``.hhi``, ``.rank()``, ``.explain()`` and ``.plot()``.

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
        If order lines are left out.

    Notes
    -----
    *Figures* (S1-ECON-01 to 05). Each is a ratio of sums over the segment, never a mean of ratios; :class:`Scorecard`
    lists them. Concentration is the Herfindahl-Hirschman index (Hirschman 1964, American Economic Review 54:761).
    Discounted lifetime values are those of a constant margin m, retention r and discount rate d:
    m (1 + d) / (1 + d - r) in advance, m r / (1 + d - r) in arrears (Gupta and Lehmann 2003, Journal of Interactive
    Marketing 17(1):9-24).
    Where nobody churns the undiscounted lifetime value is infinite. A cost per new customer where there is none is
    infinite.

    *Days to sale*. Open leads are censored at the last date in any of the date columns. With dates of loss the median
    is that of the Aalen-Johansen cumulative incidence of a sale, lost leads competing (Aalen and Johansen 1978,
    Scandinavian Journal of Statistics 5:141-150). With only a flag of loss, lost leads stay at risk of a sale until
    that last date, which estimates the same curve, since all censoring is due to the end of observation
    ("censoring complete" data; Fine and Gray 1999, JASA 94:496-509). Without lost leads it is Kaplan-Meier (1958,
    JASA 53:457-481). If fewer than half ever buy within the time observed, the median is infinite: not reached.

    *Missing values*. A customer with a missing amount is left out of all figures and counted in ``.manifest``; of a
    lead only a missing acquisition cost counts as missing, its other amounts are 0. A missing churn rate is left out of
    the churn rate alone.

    *Intervals*. Customers and leads are resampled, with their order lines, by Poisson weights (Hanley and MacGibbon
    2006, Computer Methods and Programs in Biomedicine 83:57-62); all figures come from the same replicates. Intervals
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
    of_customers = {
        "acquisition_cost": acquisition_cost,
        "management_cost": management_cost,
        "first_contact": first_contact,
        "first_sale": first_sale,
        "lost": lost,
        "churn": churn,
        "customer": customer,
        "n_customers": n_customers,
        "n_new": n_new,
    }
    for argument, column in (of_money | of_customers).items():
        if column is not None and not isinstance(column, str):
            raise TypeError(
                f"{argument} is a {type(column).__name__}, but the name of a column is needed"
            )
    if orders is None:
        of_customers |= of_money
    frame, labels, segment_name = _segments(customers, segment, list(of_customers.values()))
    lines = None if orders is None else _orders(orders, [customer, *of_money.values()])
    with progress_bar(progress, "scorecard") as report:
        core = _core.segment_scorecard(
            frame.core,
            labels,
            lines,
            {"segment": segment_name, **of_money, **of_customers},
            period_months=float(period_months),
            discount_rate=float(discount_rate),
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    for text in core.warnings():
        warnings.warn(text, DataWarning, stacklevel=2)
    return Scorecard(core, frame.native)


def _segments(
    customers: Any, segment: Any, names: Sequence[str | None]
) -> tuple[Frame, _core.Table, str]:
    """The customers, the table that holds their segments, and the name of the column there."""
    wanted = [name for name in (segment, *names) if isinstance(name, str)]
    frame = Frame.of(customers, name="customers", columns=wanted)
    if isinstance(segment, str):
        return frame, frame.core, segment
    if hasattr(segment, "codes") and hasattr(segment, "names"):  # a Segmentation: its order is kept
        column = (np.asarray(segment.codes, dtype=np.int32), list(segment.names), True)
        return frame, _core.Table.from_columns([("segment", column)]), "segment"
    # As a frame, a Series of pandas or polars keeps its categories.
    is_series = hasattr(segment, "to_frame")
    labels = segment.to_frame("segment") if is_series else {"segment": segment}
    return frame, Frame.of(labels, name="segment").core, "segment"


def _orders(orders: Any, names: Sequence[str | None]) -> _core.Table:
    """The order lines, with the columns that are needed."""
    wanted = [name for name in names if isinstance(name, str)]
    return Frame.of(orders, name="orders", columns=wanted).core


def _all_missing(values: Any) -> bool:
    return all(value != value for value in values)
