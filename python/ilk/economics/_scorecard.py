"""What each segment is worth: the scorecard, with intervals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ilk import _core
from ilk._arguments import whole
from ilk._frame import to_dict, to_native
from ilk._result import Explanation, Result
from ilk.economics._ranking import FORMATS, Knockout, Ranking, weighted
from ilk.economics._time_to_sale import TimeToSale
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

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
    "ltv_horizon",
    "ltv_model",
    "profit",
)


class Scorecard(Result):
    """What each segment is worth; made by :func:`ilk.segment_scorecard`.

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
    ltv_horizon         the first ``ltv_periods`` periods of ltv_advance, and nothing after them
    ltv_model           mean of ``clv``, the lifetime values that a model gives each customer
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
            scorecard's replicates, in each of which all segments are ranked anew. They mean what they say where segments
            differ by more than the error of estimation; among segments that are nearly alike they are too sure, since
            nothing shrinks the differences found.

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
        return Ranking(self._core.rank(whole("top", top), *weighted(by, weights)), self._native)

    def knockout(
        self,
        *,
        min_size: float = 0,
        min_share: float = 0,
        reachable: Sequence[str] | Mapping[str, bool] | None = None,
        at_least: Mapping[str, float] | None = None,
        at_most: Mapping[str, float] | None = None,
    ) -> Knockout:
        """Take out segments that fail a criterion which nothing else can make up for.

        Parameters
        ----------
        min_size : float
            Fewest customers.
        min_share : float
            Smallest share of revenue.
        reachable : sequence of str, or dict of bool, optional
            The segments that can be reached, or for each segment whether it can. By default all.
        at_least, at_most : dict, optional
            Limits for columns of the scorecard: ``at_least={"contribution": 0}``, ``at_most={"payback_months": 24}``.
            A missing value does not meet a limit.

        Returns
        -------
        Knockout
            With ``.table`` (the reasons) and ``.rank()`` of the segments that stay.

        Raises
        ------
        DataError
            If a column or a segment does not exist, or a limit is out of range.

        Notes
        -----
        Knock-out criteria come before attractiveness criteria (Dolnicar, Grün and Leisch 2018, Market Segmentation
        Analysis, section 4.2: homogeneous, distinct, large enough, matching the strengths of the organisation,
        identifiable, reachable).

        Examples
        --------
        >>> import ilk
        >>> totals = {"segment": ["A", "B", "C"], "revenue": [500, 300, 90], "n": [200, 60, 9]}
        >>> card = ilk.segment_scorecard(
        ...     totals, segment="segment", revenue="revenue", n_customers="n"
        ... )
        >>> knockout = card.knockout(min_size=50, reachable=["A", "C"])
        >>> knockout.to_dict()["reason"]
        ['', 'not reachable', '9 customers, fewer than 50']
        >>> knockout.rank(by="revenue").to_dict()["segment"]
        ['A']
        """
        if reachable is not None:
            given = reachable.items() if hasattr(reachable, "items") else None
            reachable = (
                [reachable]
                if isinstance(reachable, str)
                else list(reachable)
                if given is None
                else [name for name, can in given if can]
            )
        limits = [
            [(str(name), float(limit)) for name, limit in (given or {}).items()]
            for given in (at_least, at_most)
        ]
        settings = {
            "min_size": float(min_size),
            "min_share": float(min_share),
            "reachable": reachable,
            "at_least": dict(limits[0]),
            "at_most": dict(limits[1]),
        }
        core = self._core.knockout(
            float(min_size), float(min_share), reachable, *limits, json.dumps(settings)
        )
        return Knockout(core, self._native)

    def time_to_sale(self, horizon: float | None = None) -> TimeToSale:
        """How long it takes from first contact to sale: curves, medians and restricted means with intervals.

        Parameters
        ----------
        horizon : float, optional
            Days that the restricted mean counts. By default the longest time over which every segment was observed.

        Returns
        -------
        TimeToSale
            With ``.table``, ``.curve``, ``.plot()`` and ``.explain()``.

        Raises
        ------
        DataError
            If the scorecard was made without dates, or the horizon is not above 0.

        Notes
        -----
        S1-ECON-03. The share that has bought by each day is the Aalen-Johansen estimate, lost leads competing; where
        none are lost by date it is one minus Kaplan-Meier. Its variance is that of Dinse and Larson (1986, Biometrika
        73:379-386), which is Greenwood's where nothing is lost; intervals are symmetric on the scale of log(-log(1 - F)).
        The median's interval lies where those of the curve reach one half (Brookmeyer and Crowley 1982, Biometrics
        38:29-41). The restricted mean is the area above the curve up to the horizon: a lead that never buys counts the
        whole horizon. It is missing for a segment that was not observed so long.

        Examples
        --------
        >>> import ilk
        >>> market = ilk.datasets.make_market(600, random_state=1)
        >>> card = ilk.segment_scorecard(
        ...     market.customers, segment=market.truth.segment, revenue="revenue",
        ...     first_contact="first_contact", first_sale="first_sale", lost="lost", n_boot=0,
        ... )
        >>> time = card.time_to_sale(horizon=180)
        >>> time.to_dict()["segment"][-1], time.horizon
        ('all', 180.0)
        """
        days = None if horizon is None else float(horizon)
        return TimeToSale(self._core.time_to_sale(days), self._native)

    @property
    def acquisition(self) -> Any:
        """What a customer costs by channel and segment, where ``spend`` was given.

        One row per channel and segment, and ``"all"`` of either: ``n_new`` customers won, ``spend`` shared out to them,
        ``cac`` with its interval ``cac_lo``, ``cac_hi``.
        """
        return to_native(self._core.acquisition(), self._native)

    @property
    def unallocated(self) -> Any:
        """Spend that won nobody, with the reason; with what :attr:`acquisition` holds it adds up to all that was spent."""
        return to_native(self._core.unallocated(), self._native)

    def explain(self) -> Explanation:
        """The scorecard in sentences: everybody, each segment, the first three, and what the figures rest on."""
        return Explanation(self._core.explain())

    def plot(
        self,
        kind: str = "dots",
        *,
        figures: Sequence[str] | None = None,
        by: str | Sequence[str] | None = None,
        weights: Sequence[float] | Mapping[str, float] | None = None,
    ) -> Figure:
        """Draw the scorecard.

        Parameters
        ----------
        kind : {"dots", "forest", "evaluation"}
            ``"dots"``: one panel per figure, segments from top to bottom, a dot for each value and a line for its
            interval. ``"forest"``: the same of one figure, with the numbers, the segments in order and all of them
            together. ``"evaluation"``: attractiveness by size, the area of a bubble being the revenue.
        figures : sequence of str, optional
            The columns to draw: by default those of the scorecard that have values, for a forest ``"ltv"`` or else
            ``"contribution"`` or ``"revenue"``, the first that has values.
        by, weights : optional
            Of an evaluation: what makes a segment attractive, as in :meth:`rank`. By default contribution, ratio of
            lifetime value to acquisition cost, gross margin and days to sale, those that have values, all alike.

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

        Examples
        --------
        >>> import ilk
        >>> card = ilk.segment_scorecard(
        ...     {"segment": ["A", "B"], "revenue": [5.0, 3.0]}, segment="segment", revenue="revenue"
        ... )
        >>> figure = card.plot("forest", figures=["revenue"])
        """
        from ilk.plot import economics

        columns = self.to_dict()
        confidence = self.manifest["settings"]["confidence"]
        if kind == "dots":
            return economics.scorecard_dots(columns, figures, confidence)
        if kind == "forest":
            from ilk.plot.evaluation import forest

            chosen = figures or [_first_known(columns, ("ltv", "contribution", "revenue"))]
            return forest(columns, to_dict(self._core.total()), chosen, confidence)
        if kind == "evaluation":
            from ilk.plot.evaluation import evaluation

            wanted = ("contribution", "ltv_cac", "gross_margin", "days_to_sale")
            known = [name for name in wanted if not _all_missing(columns[name])]
            ranking = self.rank(1, by or known or "revenue", weights)
            return evaluation(columns, ranking.to_dict(), ranking.manifest["settings"]["by"])
        raise DataError(
            f'kind: found {kind!r}, but one of "dots", "forest", "evaluation" is needed'
        )

    def _shown(self) -> dict[str, Any]:
        columns = self.to_dict()
        shown = {}
        for name in _SHOWN:
            if name in ("segment", "n") or not _all_missing(columns[name]):
                shown.update(
                    {c: columns[c] for c in (name, f"{name}_lo", f"{name}_hi") if c in columns}
                )
        return shown


def _all_missing(values: Any) -> bool:
    return all(value != value for value in values)


def _first_known(columns: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((name for name in names if not _all_missing(columns[name])), names[-1])
