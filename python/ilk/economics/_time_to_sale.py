"""How long it takes from the first contact to the sale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._frame import to_dict, to_native
from ilk._result import Explanation, Result
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure


class TimeToSale(Result):
    """Days from first contact to sale, by segment; made by :meth:`Scorecard.time_to_sale`.

    ``.table`` has one row per segment and one for all: ``n`` leads with known dates (``n_won``, ``n_lost``,
    ``n_open``), ``median`` days, ``restricted_mean`` (mean of the days to the sale or to the horizon, whichever comes
    first) and ``share_sold`` (probability of having bought by the horizon), each with its interval ``_lo``, ``_hi``.
    """

    __slots__ = ()

    _wraps = _core.TimeToSale
    _title = "Days from first contact to sale"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "n_won": "count",
        "n_lost": "count",
        "n_open": "count",
        "median": "days",
        "restricted_mean": "days",
        "share_sold": "share",
    }

    @property
    def horizon(self) -> float:
        """Days that the restricted mean counts."""
        return float(self.manifest["settings"]["horizon"])

    @property
    def curve(self) -> Any:
        """One row per segment and day on which something ended.

        ``segment``, ``days``, ``n_at_risk``, ``sold`` (probability of having bought by then) with its pointwise
        interval ``sold_lo``, ``sold_hi``, and ``lost`` (probability of having been lost by then).
        """
        return to_native(self._core.curve(), self._native)

    def explain(self) -> Explanation:
        """The curves in sentences, with the method."""
        return Explanation(self._core.explain())

    def plot(self, kind: str = "curve") -> Figure:
        """Draw the share of leads that have bought, day by day, as steps with their intervals.

        Parameters
        ----------
        kind : {"curve"}
            The only one.

        Returns
        -------
        matplotlib.figure.Figure
            With one axes; the largest eight segments.

        Raises
        ------
        DataError
            If there is no such kind.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.ranking import sold_curves

        if kind != "curve":
            raise DataError(f'kind: found {kind!r}, but the only kind is "curve"')
        settings = self.manifest["settings"]
        return sold_curves(to_dict(self._core.curve()), self.to_dict(), settings["confidence"])
