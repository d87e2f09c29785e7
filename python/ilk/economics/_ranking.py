"""The order of the segments, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import whole
from ilk._frame import to_dict, to_native
from ilk._result import Explanation, Result
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

#: How the figures of a scorecard read.
FORMATS = {
    "n": "count",
    "revenue_share": "share",
    "gross_margin": "share",
    "days_to_sale": "days",
    "cac": "money",
    "cost_to_manage": "money",
    "contribution": "money",
    "payback_months": "months",
    "ltv": "money",
    "ltv_cac": "index",
    "ltv_advance": "money",
    "ltv_arrears": "money",
    "ltv_horizon": "money",
    "ltv_model": "money",
    "churn": "share",
    "revenue": "money",
    "profit": "money",
    "cumulative_share": "share",
    "n_new": "count",
    "n_open": "count",
    "n_lost": "count",
}


def weighted(
    by: str | Sequence[str], weights: Sequence[float] | Mapping[str, float] | str | None
) -> tuple[list[str], list[float] | None, bool]:
    """The criteria, one weight for each where they are given, and whether they are to be drawn."""
    criteria = [by] if isinstance(by, str) else list(by)
    if isinstance(weights, str):
        if weights != "dirichlet":
            raise DataError(
                f'weights: found {weights!r}, but numbers or "dirichlet" are needed; '
                'try: weights="dirichlet"'
            )
        return criteria, None, True
    if isinstance(weights, Mapping):
        if set(weights) != set(criteria):
            raise DataError(
                f"weights: found weights of {sorted(map(str, weights))}, "
                f"but one of each of {criteria} is needed"
            )
        return criteria, [float(weights[name]) for name in criteria], False
    if weights is None:
        return criteria, None, False
    return criteria, [float(weight) for weight in weights], False


class Ranking(Result):
    """Segments in order of rank, with the probability of a place among the first.

    ``.table`` has one row per segment, best first: ``segment``, ``rank`` (equal ones share the better rank),
    ``rank_lo`` and ``rank_hi`` (the interval of ranks), ``p_top`` (share of replicates in which the segment is among
    the first ``top``), ``score`` (the weighted sum of the criteria, each scaled to 0 for the worst segment and 1 for
    the best) and the criteria themselves.

    Examples
    --------
    >>> import ilk
    >>> totals = {
    ...     "segment": ["A", "B", "C"],
    ...     "revenue": [500, 300, 200],
    ...     "cost": [200, 180, 60],
    ...     "n": [200, 60, 50],
    ... }
    >>> card = ilk.segment_scorecard(
    ...     totals, segment="segment", revenue="revenue", cost="cost", n_customers="n"
    ... )
    >>> ranking = card.rank(top=1, by=["revenue", "contribution"], weights=[3, 1])
    >>> ranking.to_dict()["segment"]
    ['A', 'B', 'C']
    """

    __slots__ = ()

    _wraps = _core.Ranking
    _title = "Segments by rank"
    _formats: ClassVar[Mapping[str, str]] = {
        **FORMATS,
        "rank": "count",
        "p_top": "share",
        "score": "index",
    }

    def explain(self) -> Explanation:
        """The order in sentences, with the criteria, their direction and their weights."""
        return Explanation(self._core.explain())

    def tornado(self) -> Any:
        """How much the first place hangs on each weight.

        Each weight in turn goes from nothing to all, the others keeping their proportions.

        Returns
        -------
        frame
            One row per criterion, the widest swing first: ``criterion``, its ``weight``, the ``lead`` of the first
            segment (its score less the best of the others), ``lead_without`` the criterion and ``lead_alone`` by it
            alone, with who is then first (``first_without``, ``first_alone``), and ``flips_at``, the weight nearest to
            the present one at which another segment takes the first place (missing if there is none).

        Raises
        ------
        DataError
            With a single criterion or a single segment.

        Notes
        -----
        S1-ECON-06. A one-way sensitivity analysis (Eschenbach 1992, Spiderplots versus tornado diagrams for
        sensitivity analysis, Interfaces 22(6):40-46).

        Examples
        --------
        >>> import ilk
        >>> totals = {"segment": ["A", "B"], "revenue": [9.0, 4.0], "cost": [2.0, 1.0], "n": [9, 2]}
        >>> card = ilk.segment_scorecard(
        ...     totals, segment="segment", revenue="revenue", cost="cost", n_customers="n"
        ... )
        >>> ranking = card.rank(by=["revenue", "contribution"], weights=[3, 1])
        >>> ranking.tornado()["flips_at"].tolist()
        [0.5, 0.5]
        """
        return to_native(self._core.tornado(), self._native)

    def plot(self, kind: str = "ranks") -> Figure:
        """Draw the ranking.

        Parameters
        ----------
        kind : {"ranks", "tornado"}
            ``"ranks"``: the rank of each segment with its interval, and the probability of a place among the first.
            ``"tornado"``: what happens to the lead of the first segment as the weight of each criterion goes from
            nothing to all, see :meth:`tornado`.

        Returns
        -------
        matplotlib.figure.Figure
            With one axes.

        Raises
        ------
        DataError
            If there is no such kind; for a tornado also with a single criterion.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import ilk
        >>> card = ilk.segment_scorecard(
        ...     {"segment": ["A", "B"], "revenue": [5.0, 3.0]}, segment="segment", revenue="revenue"
        ... )
        >>> figure = card.rank(by="revenue").plot()
        """
        from ilk.plot.ranking import ranks, tornado

        if kind == "ranks":
            return ranks(self.to_dict(), self.manifest["settings"]["top"])
        if kind == "tornado":
            return tornado(to_dict(self._core.tornado()), self.to_dict()["segment"][0])
        raise DataError(f'kind: found {kind!r}, but one of "ranks", "tornado" is needed')


class Knockout(Result):
    """Segments that meet the knock-out criteria, and why the others do not; made by :meth:`Scorecard.knockout`.

    ``.table`` has one row per segment: ``segment``, ``n``, ``revenue_share``, ``passes`` and ``reason``.
    """

    __slots__ = ()

    _wraps = _core.Knockout
    _title = "Knock-out criteria"
    _formats: ClassVar[Mapping[str, str]] = FORMATS

    def rank(
        self,
        top: int = 3,
        by: str | Sequence[str] = "profit",
        weights: Sequence[float] | Mapping[str, float] | str | None = None,
    ) -> Ranking:
        """Rank the segments that stay, compared among themselves; see :meth:`Scorecard.rank`.

        Parameters
        ----------
        top : int
            How many segments are wanted.
        by : str or sequence of str
            One column of the scorecard, or several.
        weights : sequence of float, dict, or "dirichlet", optional
            One weight per criterion.

        Returns
        -------
        Ranking
            Its manifest names the segments that were taken out, with the reasons.

        Raises
        ------
        DataError
            If no segment is left, or the arguments do not fit.
        """
        return Ranking(self._core.rank(whole("top", top), *weighted(by, weights)), self._native)

    def explain(self) -> Explanation:
        """Which segments are out of the question, and why."""
        return Explanation(self._core.explain())
