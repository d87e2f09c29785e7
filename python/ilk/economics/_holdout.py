"""Calibration and holdout: whether a model tells what it has not seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from ilk import _core
from ilk._frame import Frame, to_native
from ilk._result import Explanation, Result
from ilk.economics._rfm import columns_of, warn_of_lines
from ilk.economics._time import as_date, as_day, unit_days, unit_name
from ilk.exceptions import DataError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from ilk.economics._buying import Buying
    from ilk.economics._time import TimeUnit


class Holdout(Result):
    """Customers as they were at the end of a calibration, and what they did after it.

    Made by :func:`calibration_holdout`. ``.table`` has one row per customer with a purchase in the calibration:
    ``frequency``, ``recency``, ``T`` and ``monetary`` at its end, as :func:`rfm` has them, and ``frequency_holdout``
    and ``monetary_holdout``: number and mean amount of the purchases after it.

    Examples
    --------
    >>> import ilk
    >>> orders = {"who": ["a", "a", "b", "a"], "day": [0, 9, 4, 15]}
    >>> cut = ilk.economics.calibration_holdout(
    ...     orders, customer="who", date="day", calibration_end=10, observed_to=20
    ... )
    >>> cut.to_dict()["frequency_holdout"].tolist(), cut.duration
    ([1.0, 0.0], 10.0)
    """

    __slots__ = ()

    _wraps = _core.Holdout
    _title = "Calibration and holdout"
    _formats: ClassVar[Mapping[str, str]] = {"monetary": "money", "monetary_holdout": "money"}

    @property
    def calibration_end(self) -> datetime.date:
        """Last day of the calibration."""
        return as_date(self._core.days()[0])

    @property
    def observed_to(self) -> datetime.date:
        """Last day of the holdout."""
        return as_date(self._core.days()[1])

    @property
    def duration(self) -> float:
        """Length of the holdout in units of time."""
        return float(self._core.duration())

    @property
    def unit_days(self) -> float:
        """Length of the unit of time in days."""
        return float(self._core.unit_days())

    def report(self, model: Buying) -> HoldoutReport:
        """Hold a model against what happened.

        Parameters
        ----------
        model : BetaGeo, ModifiedBetaGeo, ParetoNBD or BetaGeoBetaBinomial
            Fitted to this calibration, one for all customers.

        Returns
        -------
        HoldoutReport
            Expected and actual purchases.

        Raises
        ------
        DataError
            If the model is one by group, or has another unit of time.
        """
        check_is_fitted(model)
        return HoldoutReport(self._core.report(model.fitted_._core), self._native)

    def explain(self) -> Explanation:
        """What was cut where."""
        columns = self.to_dict()
        again = columns["frequency_holdout"] > 0
        unit = unit_name(self.unit_days, self.duration)
        return Explanation(
            f"{len(again):,} customers bought up to {self.calibration_end}, the end of the calibration. In the {self.duration:,.4g} "
            f"{unit} to {self.observed_to}, {int(again.sum()):,} of them ({again.mean():.0%}) bought again, "
            f"{columns['frequency_holdout'].sum():,.0f} times in all."
        )


class HoldoutReport(Result):
    """A model held against a holdout; made by :meth:`Holdout.report`.

    ``.table`` has one row per number of repeat purchases in the calibration: ``n`` customers, ``n_expected`` by the model,
    and the ``actual`` and ``expected`` mean number of purchases of these customers in the holdout. ``.tracking`` has
    one row per unit of time since the first purchase of all: repeat purchases up to then, actual and expected.

    Examples
    --------
    >>> import ilk
    >>> cut = ilk.economics.calibration_holdout(
    ...     {"who": [n % 40 for n in range(300)], "day": [n * n % 97 for n in range(300)]},
    ...     customer="who",
    ...     date="day",
    ...     calibration_end=50,
    ... )
    >>> model = ilk.economics.ParetoNBD()
    >>> cut.report(model)
    Traceback (most recent call last):
    ...
    sklearn.exceptions.NotFittedError: ...
    """

    __slots__ = ()

    _wraps = _core.HoldoutReport
    _title = "Purchases in the holdout, by those in the calibration"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "n_expected": "count",
        "actual": "index",
        "expected": "index",
    }

    @property
    def tracking(self) -> Any:
        """Repeat purchases up to each time since the first purchase of all: ``time``, ``actual``, ``expected``."""
        return to_native(self._core.tracking(), self._native)

    @property
    def totals(self) -> tuple[float, float]:
        """Purchases in the holdout: actual and expected."""
        actual, expected, _, _ = self._core.totals()
        return actual, expected

    @property
    def mean_absolute_error(self) -> float:
        """Mean over customers of the distance between actual and expected purchases in the holdout."""
        return float(self._core.totals()[2])

    def explain(self) -> Explanation:
        """How far the model was off."""
        actual, expected, error, n = self._core.totals()
        lines = [
            f"{self._core.kind()} expected {expected:,.0f} purchases of {n:,} customers in the holdout; there were {actual:,.0f}"
            + (f" ({expected / actual - 1:+.1%})." if actual else "."),
            f"Per customer it was off by {error:.2f} purchases on average; they made {actual / n:.2f}.",
        ]
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "holdout", *, ax: Axes | None = None) -> Axes:
        """Draw expected beside actual; returns matplotlib Axes.

        Parameters
        ----------
        kind : {"holdout", "tracking", "frequency"}
            Mean purchases in the holdout by those in the calibration; repeat purchases of all over time; customers by their
            repeat purchases in the calibration.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Raises
        ------
        DataError
            If there is no such kind.
        """
        from ilk.plot import buying as plots

        if kind == "holdout":
            return plots.holdout(self.to_dict(), ax)
        if kind == "frequency":
            return plots.counts(self.to_dict(), ax)
        if kind == "tracking":
            table = self._core.tracking()
            columns = {name: table.column(name) for name in table.names()}
            calibration, duration, days = self._core.units()
            return plots.tracking(columns, (calibration, duration), unit_name(days), ax)
        raise DataError(f'kind: found {kind!r}, but "holdout", "tracking" or "frequency" is needed')


def calibration_holdout(
    orders: Any,
    *,
    customer: str,
    date: str,
    value: str | None = None,
    calibration_end: Any,
    observed_to: Any = None,
    time_unit: TimeUnit = "day",
) -> Holdout:
    """Cut orders in two: a time to fit a model to, and a later one to hold it against.

    Parameters
    ----------
    orders : data frame
        One row per order line.
    customer, date, value : str
        Columns, as in :func:`rfm`; a purchase is what it is there.
    calibration_end : date, str or number
        Last day of the calibration. Customers who came later are left out and counted in ``.manifest``.
    observed_to : date, str or number, optional
        Last day of the holdout; by default the last day in the lines.
    time_unit : {"day", "week", "month", "year"} or float
        Unit of ``recency`` and ``T``, by name or in days.

    Returns
    -------
    Holdout
        Models are fitted to it as to an :class:`Rfm`.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If no time is left for the holdout, nobody bought before it, or a value is not allowed.

    Warns
    -----
    DataWarning
        If lines are left out because their customer, date or amount is missing.

    Examples
    --------
    >>> import ilk
    >>> orders = {"who": ["a", "a", "b", "a"], "day": [0, 9, 4, 15]}
    >>> cut = ilk.economics.calibration_holdout(
    ...     orders, customer="who", date="day", calibration_end=10, observed_to=20
    ... )
    >>> cut.to_dict()["T"].tolist()
    [10.0, 6.0]
    """
    frame = Frame.of(orders, name="orders", columns=columns_of(customer, date, value))
    end = as_day("calibration_end", calibration_end)
    if end is None:
        raise TypeError("calibration_end: found None, but a date is needed")
    settings = {
        "customer": customer,
        "date": date,
        "value": value,
        "calibration_end": str(calibration_end),
        "observed_to": None if observed_to is None else str(observed_to),
        "time_unit": time_unit if isinstance(time_unit, str) else float(time_unit),
    }
    core = _core.calibration_holdout(
        frame.core,
        customer=customer,
        date=date,
        value=value,
        calibration_end=end,
        observed_to=as_day("observed_to", observed_to),
        unit_days=unit_days(time_unit),
        settings=json.dumps(settings),
    )
    found = Holdout(core, frame.native)
    warn_of_lines(found.manifest)
    return found
