"""The order of the segments, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ilk import _core
from ilk._result import Explanation, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    "churn": "share",
    "revenue": "money",
    "profit": "money",
    "cumulative_share": "share",
    "n_new": "count",
    "n_open": "count",
    "n_lost": "count",
}


class Ranking(Result):
    """Segments in order of rank, with the probability of a place among the first.

    ``.table`` has one row per segment, best first: ``segment``, ``rank`` (equal ones share the better rank),
    ``rank_lo`` and ``rank_hi`` (the interval of ranks), ``p_top`` (share of replicates in which the segment is among
    the first ``top``), ``score`` (the weighted sum of the criteria, each scaled to 0 for the worst segment and 1 for
    the best) and the criteria themselves.
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
