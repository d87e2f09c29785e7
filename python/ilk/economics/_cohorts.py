"""Cohorts: who came together, and how many of them stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._frame import to_native
from ilk._html import format_value
from ilk._result import Explanation
from ilk.economics._report import Report, column_names, day_number, labelled, with_interval
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["Cohorts", "cohorts"]

#: Figures that :meth:`Cohorts.matrix` lays out.
_FIGURES = (
    "retention",
    "n_active",
    "revenue",
    "revenue_per_customer",
    "cumulative_per_customer",
)


#: Ages that a person is shown.
_AGES = 13


class Cohorts(Report):
    """Retention of each cohort by age; made by :func:`cohorts`.

    ``.table`` has one row per segment (``"all"`` without segments, and last with them), cohort and age, up to the end of
    the observation.

    ========================  ===============================================================================
    column                    meaning
    ========================  ===============================================================================
    segment, cohort           the segment, and the period of the first order
    age                       periods since then
    period                    the period that is the cohort's at this age
    mature                    whether that period was observed to its end; all figures are missing where not
    n_cohort                  customers of the cohort: what all shares are of
    n_active                  of these, customers with an order in the period
    retention                 n_active / n_cohort, with its Wilson interval
    revenue                   money of the period, returns subtracted; only with ``value``
    revenue_per_customer      revenue / n_cohort
    cumulative_per_customer   revenue of this age and all before / n_cohort
    ========================  ===============================================================================
    """

    __slots__ = ()

    _wraps = _core.Cohorts
    _title = "Cohorts"
    _formats: ClassVar[Mapping[str, str]] = {
        "age": "count",
        "n_cohort": "count",
        "n_active": "count",
        "retention": "share",
        "revenue": "money",
        "revenue_per_customer": "money",
        "cumulative_per_customer": "money",
        **{f"age {age}": "share" for age in range(_AGES)},
    }

    @property
    def curve(self) -> Any:
        """All cohorts together by age, each as far as it was observed: ``n_at_risk``, ``n_active``, ``retention``."""
        return self._frame("curve")

    @property
    def sizes(self) -> Any:
        """Customers of each cohort, and whether its first period is complete."""
        return self._frame("sizes")

    def matrix(self, figure: str = "retention", *, segment: str | None = None) -> Any:
        """One figure as the familiar triangle.

        Parameters
        ----------
        figure : str
            ``"retention"``, ``"n_active"``, ``"revenue"``, ``"revenue_per_customer"`` or ``"cumulative_per_customer"``.
        segment : str, optional
            Which segment; by default everybody.

        Returns
        -------
        data frame
            One row per cohort with its size ``n_cohort``, one column per age; missing where the age is not mature.

        Raises
        ------
        DataError
            If there is no such figure or segment.
        """
        cohorts, sizes, values = self._triangle(figure, segment)
        columns: list[tuple[str, Any]] = [("cohort", cohorts), ("n_cohort", sizes)]
        columns += [
            (str(age), np.ascontiguousarray(values[:, age])) for age in range(values.shape[1])
        ]
        return to_native(_core.Table.from_columns(columns), self._native)

    def _triangle(self, figure: str, segment: str | None) -> tuple[list[str], Any, Any]:
        columns = self.to_dict()
        if figure not in _FIGURES or figure not in columns:
            has = [name for name in _FIGURES if name in columns]
            hint = "; money needs value=" if figure in _FIGURES else ""
            raise DataError(f"figure: found {figure!r}, but the figures are {', '.join(has)}{hint}")
        names = list(dict.fromkeys(columns["segment"]))
        segment = names[-1] if segment is None else segment
        if segment not in names:
            raise DataError(f"segment: found {segment!r}, but the segments are {', '.join(names)}")
        rows = np.flatnonzero(np.asarray(columns["segment"], dtype=object) == segment)
        cohorts = list(dict.fromkeys(columns["cohort"][row] for row in rows))
        place = {cohort: index for index, cohort in enumerate(cohorts)}
        ages = columns["age"][rows]
        values = np.full((len(cohorts), int(ages.max()) + 1), np.nan)
        sizes = np.zeros(len(cohorts), dtype=np.int64)
        for row in rows:
            at = place[columns["cohort"][row]]
            values[at, columns["age"][row]] = columns[figure][row]
            sizes[at] = columns["n_cohort"][row]
        return cohorts, sizes, values

    def explain(self) -> Explanation:
        """Who stays, in sentences, and what the figures rest on."""
        curve, sizes, settings = self._sheet("curve"), self._sheet("sizes"), self._settings
        period = settings["period"]
        lines = []
        for segment in dict.fromkeys(sizes["segment"]):
            in_sizes = [i for i, name in enumerate(sizes["segment"]) if name == segment]
            n = sum(int(sizes["n_cohort"][i]) for i in in_sizes)
            text = (
                f"{segment}: {format_value(n, 'count')} customers in {len(in_sizes)} cohorts by "
                f"{period} of the first order."
            )
            rows = [i for i, name in enumerate(curve["segment"]) if name == segment]
            told = [i for i in rows if curve["age"][i] in (1, 3, 6, 12)]
            if told:
                parts = (
                    f"{with_interval(curve, 'retention', i, 'share')} of "
                    f"{format_value(curve['n_at_risk'][i], 'count')} order {period} {curve['age'][i]} after it"
                    for i in told
                )
                text += " " + "; ".join(parts) + "."
            lines.append(text)
        lines.append(
            f"A {period} that was not observed to its end gives no figure, so no cohort looks worse because it is young. "
            f"Who orders is counted in each {period} anew; nobody is declared lost. An order of negative value is a return: "
            f"it lowers revenue, and is no sign of life. All cohorts together differ from age to age in which cohorts were observed "
            f"that long: the older they are, the further the figures go. Brackets hold {self._confidence} Wilson intervals."
        )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(
        self,
        kind: str = "heatmap",
        *,
        figure: str = "retention",
        segment: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the triangle, or the curves.

        Parameters
        ----------
        kind : {"heatmap", "curve"}
            The figure of each cohort and age with its number; or the retention of all cohorts together by age, one line
            per segment with its interval.
        figure : str
            Of the heatmap; see :meth:`matrix`.
        segment : str, optional
            Of the heatmap; by default everybody.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Of the picture.

        Raises
        ------
        DataError
            If there is no such kind, figure or segment.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.cohorts import cohort_heatmap, retention_curves

        if kind == "curve":
            return retention_curves(self._sheet("curve"), self._settings["period"], ax)
        if kind != "heatmap":
            raise DataError(f'kind: found {kind!r}, but the kinds are "heatmap" and "curve"')
        triangle = self._triangle(figure, segment)
        return cohort_heatmap(
            *triangle, figure, self._formats[figure], self._settings["period"], ax
        )

    def _shown(self) -> dict[str, Any]:
        sizes = self._sheet("sizes")
        names = list(dict.fromkeys(sizes["segment"]))
        shown: dict[str, Any] = {"segment": [], "cohort": [], "n_cohort": []}
        blocks = []
        for name in names:
            cohorts, counts, values = self._triangle("retention", name)
            shown["segment"] += [name] * len(cohorts)
            shown["cohort"] += cohorts
            shown["n_cohort"] += counts.tolist()
            blocks.append(values)
        n_ages = min(max((block.shape[1] for block in blocks), default=0), _AGES)
        for age in range(n_ages):
            shown[f"age {age}"] = np.concatenate(
                [
                    block[:, age] if age < block.shape[1] else np.full(len(block), np.nan)
                    for block in blocks
                ]
            )
        if len(names) == 1:
            del shown["segment"]
        return shown


def cohorts(
    orders: Any,
    *,
    customer: str,
    date: str,
    value: str | None = None,
    period: str = "month",
    by: Any = None,
    observed_to: Any = None,
    confidence: float = 0.95,
) -> Cohorts:
    """Retention, counts and revenue of customers by the period of their first order.

    Parameters
    ----------
    orders : data frame
        One row per order or order line.
    customer, date : str
        Columns of whose order it is and when it was.
    value : str, optional
        What the order was worth. A negative value is a return: it lowers revenue, but neither starts a cohort nor counts as
        activity.
    period : {"week", "month", "quarter", "year"}
        Length of a period of the calendar; weeks begin on Monday.
    by : str, Segmentation, or array-like of labels, optional
        Segment of the order's customer. Each customer must be in one segment.
    observed_to : date, optional
        The last day that was observed, to its end; by default the day of the last order. Later orders are left out.
    confidence : float
        Of the intervals.

    Returns
    -------
    Cohorts
        With ``.table``, ``.matrix()``, ``.curve``, ``.sizes``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    TypeError
        If dates are text, or a column has another type that its role cannot take.
    DataError
        If a number is no date, a customer is in two segments, or no row is complete.

    Notes
    -----
    A cell is mature if its period ended before the observation did. Immature cells are missing, never 0: a cohort that
    had no time to come back has not failed to. Denominators stay whole: ``n_cohort`` is all customers of the cohort,
    active or not. Intervals of retention are Wilson's (1927, JASA 22:209-212); customers are taken to be independent of
    each other. Customers from before the first period stand in the cohort of the first order that the data have.

    Examples
    --------
    >>> import ilk
    >>> import numpy as np
    >>> orders = {
    ...     "customer": ["a", "b", "a", "c", "b", "a"],
    ...     "day": np.array(
    ...         ["2024-01-03", "2024-01-20", "2024-02-02", "2024-02-09", "2024-03-01", "2024-03-31"],
    ...         dtype="datetime64[D]",
    ...     ),
    ... }
    >>> found = ilk.economics.cohorts(orders, customer="customer", date="day")
    >>> triangle = found.matrix()
    >>> triangle["cohort"], triangle["n_cohort"].tolist()
    (['2024-01', '2024-02'], [2, 1])
    >>> triangle["1"], triangle["2"]
    (array([0.5, 0. ]), array([ 1., nan]))
    """
    names = column_names(customer=customer, date=date, value=value)
    frame, groups = labelled(orders, by, "by", names, name="orders")
    core = _core.cohorts(
        frame.core,
        groups,
        customer=customer,
        date=date,
        value=value,
        period=period,
        observed_to=day_number("observed_to", observed_to),
        confidence=float(confidence),
    )
    return Cohorts(core, frame.native)
