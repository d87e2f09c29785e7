"""Recency, frequency and monetary value of customers."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame, to_native
from ilk._result import Explanation, Result
from ilk.economics._time import as_date, as_day, unit_days, unit_name
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from ilk.economics._time import TimeUnit

#: Names of pairs of quintiles: name, lowest and highest score of recency, lowest and highest score of frequency.
#: They are those in common use; take another table where they do not fit your trade.
RFM_SEGMENTS: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "champions": ((5, 5), (4, 5)),
    "loyal customers": ((3, 4), (4, 5)),
    "potential loyalists": ((4, 5), (2, 3)),
    "new customers": ((5, 5), (1, 1)),
    "promising": ((4, 4), (1, 1)),
    "need attention": ((3, 3), (3, 3)),
    "about to sleep": ((3, 3), (1, 2)),
    "cannot lose them": ((1, 2), (5, 5)),
    "at risk": ((1, 2), (3, 4)),
    "hibernating": ((1, 2), (1, 2)),
}


class Rfm(Result):
    """Recency, frequency and monetary value; made by :func:`rfm`.

    ``.table`` has one row per customer with a purchase: the customer, ``frequency``, ``recency``, ``T`` and
    ``monetary``; under ``definition="marketing"`` also the scores ``r_score``, ``f_score``, ``m_score`` (the highest is
    the best) and the ``segment``.

    Examples
    --------
    >>> import ilk
    >>> orders = {"who": ["a", "a", "b"], "when": [0, 9, 4], "paid": [5.0, 7.0, 3.0]}
    >>> found = ilk.economics.rfm(
    ...     orders, customer="who", date="when", value="paid", definition="marketing", n_scores=2
    ... )
    >>> found.to_dict()["r_score"].tolist()
    [2, 1]
    """

    __slots__ = ()

    _wraps = _core.Rfm
    _title = "Recency, frequency and monetary value"
    _formats: ClassVar[Mapping[str, str]] = {"monetary": "money"}

    @property
    def definition(self) -> str:
        """What the words mean: ``"btyd"`` or ``"marketing"``."""
        return "btyd" if self._core.is_btyd() else "marketing"

    @property
    def observed_to(self) -> datetime.date:
        """Last day of the observation."""
        return as_date(self._core.observed_to())

    @property
    def unit_days(self) -> float:
        """Length of the unit of time in days."""
        return float(self._core.unit_days())

    @property
    def segments(self) -> Any:
        """One row per named segment: customers, their share, their means, and their share of the money.

        Raises
        ------
        DataError
            If customers have no segments: under ``definition="btyd"``, or without names for their scores.
        """
        return to_native(self._core.by_segment(), self._native)

    def explain(self) -> Explanation:
        """What the figures are, and who the customers are."""
        columns = self.to_dict()
        unit = unit_name(self.unit_days)
        n = len(columns["frequency"])
        lines = [f"{n:,} customers, observed to {self.observed_to}; time is in {unit}."]
        if self.definition == "btyd":
            again = int((columns["frequency"] > 0).sum())
            lines.append(
                f"{again:,} of them ({again / n:.0%}) bought again on another day, {columns['frequency'].sum():,.0f} times in "
                "all. frequency counts these repeat purchases, recency is the age at the last of them, T the age at the end."
            )
        else:
            lines.append(
                "frequency counts all days with a purchase, recency is the time since the last, monetary the sum of all lines."
            )
            if self._core.segments():
                table = self._core.by_segment()
                for name, share, money in zip(
                    table.column("segment"),
                    table.column("share"),
                    table.column("monetary_share"),
                    strict=True,
                ):
                    told = "" if money != money else f", {money:.0%} of the money"
                    lines.append(f"{name}: {share:.0%} of customers{told}.")
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "auto", *, ax: Axes | None = None) -> Axes:
        """Draw the customers; returns matplotlib Axes.

        Parameters
        ----------
        kind : {"auto", "frequency", "segments"}
            How many customers bought how often; the named segments with their share of customers and of money.
            ``"auto"`` is the segments where there are some.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Raises
        ------
        DataError
            If there is no such kind, or no segment.
        """
        from ilk.plot import buying as plots

        if kind == "auto":
            named = self.definition == "marketing" and self._core.segments()
            kind = "segments" if named else "frequency"
        if kind == "segments":
            table = self._core.by_segment()
            columns = {name: table.column(name) for name in table.names()}
            return plots.rfm_segments(columns, ax)
        if kind == "frequency":
            label = "repeat purchases" if self.definition == "btyd" else "purchases"
            return plots.frequencies(self.to_dict()["frequency"], label, ax)
        raise DataError(f'kind: found {kind!r}, but "auto", "frequency" or "segments" is needed')


def rfm(
    orders: Any,
    *,
    customer: str,
    date: str,
    value: str | None = None,
    definition: Literal["btyd", "marketing"] = "btyd",
    observed_to: Any = None,
    time_unit: TimeUnit = "day",
    n_scores: int = 5,
    segments: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] | None = None,
) -> Rfm:
    """Recency, frequency and monetary value of each customer, from order lines.

    Two definitions go round under the same words, and figures of one are wrong in formulas of the other. Take
    ``"btyd"`` for models of repeat buying such as :class:`BetaGeo`, and ``"marketing"`` for scores and segments:

    ==========  =================================================  ==============================================
    column      ``"btyd"`` ("buy till you die")                    ``"marketing"``
    ==========  =================================================  ==============================================
    frequency   purchases after the first                          purchases
    recency     time from the first to the last purchase           time from the last purchase to ``observed_to``
    T           time from the first purchase to ``observed_to``    the same
    monetary    mean amount of the purchases after the first       sum of all lines, returns taken off
    ==========  =================================================  ==============================================

    A purchase is a day on which the customer's lines sum to more than 0. So several lines or orders of a day are one
    purchase, an order that is taken back on the same day is none, and a return on another day takes nothing from
    ``frequency``. Without ``value``, every day with a line is a purchase.

    Parameters
    ----------
    orders : data frame
        One row per order line: pandas, polars, pyarrow, DuckDB, or a dict of columns.
    customer : str
        Column that identifies the customer.
    date : str
        Column of dates, of moments (whose time of day does not count), or of numbers of days. Moments in a time zone
        other than UTC are refused, since it is not said at which midnight their days begin.
    value : str, optional
        Column of amounts; returns are negative. Without it ``monetary`` is missing.
    definition : {"btyd", "marketing"}
        What the words mean.
    observed_to : date, str or number, optional
        Last day of the observation; later lines are left out. By default the last day in the lines.
    time_unit : {"day", "week", "month", "year"} or float
        Unit of ``recency`` and ``T``, by name or in days. A month is 30.4375 days.
    n_scores : int
        Number of scores under ``"marketing"``: 5 for quintiles. A score is 1 plus the share of customers that are
        strictly worse, in so many steps, so that equal customers have equal scores.
    segments : mapping of str to (recency, frequency), optional
        Names of pairs of scores, each with its lowest and highest score of recency and of frequency. Every pair needs
        one name. By default ``ilk.economics.RFM_SEGMENTS`` for five scores and none for other numbers; ``{}`` for none.

    Returns
    -------
    Rfm
        ``.table`` with one row per customer with a purchase, by ascending customer (text: as they come).

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    TypeError
        If dates are text, or another column has a type that it cannot have.
    DataError
        If an argument or a value is not allowed, or no purchase is left.

    Warns
    -----
    DataWarning
        If lines are left out because their customer, date or amount is missing. ``.manifest`` counts them, with the
        first row of each kind.

    References
    ----------
    Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24:275-284;
    Hughes (1994), Strategic Database Marketing.

    Examples
    --------
    A customer buys twice on 24 April 2018 and once on 24 May; it is now the end of January 2019. For a model that is one
    repeat purchase, 30 days after the first, of a customer who is 282 days old. For marketing these are two
    purchases, the last of which is 252 days ago.

    >>> import datetime
    >>> import ilk
    >>> orders = {
    ...     "customer": ["Ann", "Ann", "Ann"],
    ...     "date": [datetime.date(2018, 4, 24)] * 2 + [datetime.date(2018, 5, 24)],
    ...     "paid": [20.0, 10.0, 50.0],
    ... }
    >>> columns = {"customer": "customer", "date": "date", "value": "paid"}
    >>> ilk.economics.rfm(orders, **columns, observed_to="2019-01-31")
    Recency, frequency and monetary value
    customer  frequency  recency  T    monetary
    Ann       1          30       282  50.00
    3 of 3 rows used
    >>> marketing = ilk.economics.rfm(
    ...     orders, **columns, observed_to="2019-01-31", definition="marketing", segments={}
    ... )
    >>> {name: float(marketing.to_dict()[name][0]) for name in ("frequency", "recency", "T", "monetary")}
    {'frequency': 2.0, 'recency': 252.0, 'T': 282.0, 'monetary': 80.0}
    """
    n_scores = whole("n_scores", n_scores)
    if segments is None:
        segments = RFM_SEGMENTS if n_scores == 5 else {}
    named = [_named(name, scores) for name, scores in segments.items()]
    frame = Frame.of(orders, name="orders", columns=columns_of(customer, date, value))
    settings = {
        "customer": customer,
        "date": date,
        "value": value,
        "definition": definition,
        "observed_to": None if observed_to is None else str(observed_to),
        "time_unit": time_unit if isinstance(time_unit, str) else float(time_unit),
        "n_scores": n_scores,
    }
    core = _core.rfm_of_orders(
        frame.core,
        customer=customer,
        date=date,
        value=value,
        definition=definition,
        observed_to=as_day("observed_to", observed_to),
        unit_days=unit_days(time_unit),
        n_scores=n_scores,
        segments=named,
        settings=json.dumps(settings),
    )
    found = Rfm(core, frame.native)
    warn_of_lines(found.manifest)
    return found


def columns_of(customer: str, date: str, value: str | None) -> list[str]:
    """The columns of order lines; anything but names is refused."""
    for argument, column in {"customer": customer, "date": date, "value": value}.items():
        if column is not None and not isinstance(column, str):
            raise TypeError(
                f"{argument} is a {type(column).__name__}, but the name of a column is needed"
            )
    return [customer, date] if value is None else [customer, date, value]


def warn_of_lines(manifest: dict[str, Any]) -> None:
    """Warn of order lines that are left out because something is missing."""
    for left_out in manifest["left_out"]:
        if "is missing" in left_out["reason"]:
            warnings.warn(
                f"{left_out['rows']:,} of {manifest['rows']:,} order lines are left out: {left_out['reason']}",
                DataWarning,
                stacklevel=3,
            )


def _named(name: Any, scores: Any) -> tuple[str, tuple[int, int], tuple[int, int]]:
    """A segment as the core takes it."""
    try:
        (r_low, r_high), (f_low, f_high) = scores
        recency = whole("segments", r_low), whole("segments", r_high)
        return str(name), recency, (whole("segments", f_low), whole("segments", f_high))
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise TypeError(
            f"segments: found {scores!r} for {name!r}, but ((lowest, highest), (lowest, highest)) scores of recency "
            "and of frequency are needed"
        ) from None
