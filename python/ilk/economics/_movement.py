"""Why revenue moved: mix, rate and value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import whole
from ilk._html import format_value
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation
from ilk.economics._report import Report, column_names, labelled, with_interval
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["MixRateValue", "mix_rate_value"]

#: What moved the revenue, in words.
_WORDS = {
    "mix": "the number of customers",
    "rate": "orders per customer",
    "value": "value per order",
    "cross": "several at once",
}


class MixRateValue(Report):
    """Why revenue moved, by segment; made by :func:`mix_rate_value`.

    ``.table`` has one row per segment. ``change = mix + rate + value + cross`` and ``mix = volume + composition``.

    ===============================  ========================================================================
    column                           meaning
    ===============================  ========================================================================
    segment, status                  the segment, and whether it is in both periods, new or vanished
    revenue_before, revenue_after    sums, returns subtracted
    change                           revenue_after - revenue_before
    mix                              what the number of the segment's customers did
    rate                             what orders per customer did
    value                            what revenue per order did
    cross                            what several did at once; 0 unless ``method="cross"``
    volume                           the part of mix due to the number of all customers
    composition                      the part of mix due to the segment's share among them
    ===============================  ========================================================================

    From ``change`` on each column comes with its interval (``_lo``, ``_hi``) where customers could be resampled.
    """

    __slots__ = ()

    _wraps = _core.MixRateValue
    _title = "Why revenue moved"
    _formats: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "revenue_before",
            "revenue_after",
            "change",
            "mix",
            "rate",
            "value",
            "cross",
            "volume",
            "composition",
        ),
        "money",
    )

    @property
    def total(self) -> Any:
        """All segments together: one row with the sums of ``.table``."""
        return self._frame("total")

    @property
    def tree(self) -> Any:
        """Revenue as customers x orders per customer x value per order, before and after, by segment and for all."""
        return self._frame("tree")

    def explain(self) -> Explanation:
        """What moved, in sentences, and how the parts are defined."""
        columns, total, settings = self.to_dict(), self._sheet("total"), self._settings
        before, after, change = (
            float(total[name][0]) for name in ("revenue_before", "revenue_after", "change")
        )
        share = f" ({100 * change / before:+.1f} %)" if before > 0 else ""
        parts = [name for name in _WORDS if name != "cross" or settings["method"] == "cross"]
        lines = [
            f"Revenue went from {format_value(before, 'money')} to {format_value(after, 'money')}: "
            f"{with_interval(total, 'change', 0, 'money')}{share}. Of this "
            + "; ".join(
                f"{_WORDS[name]} ({name}): {with_interval(total, name, 0, 'money')}"
                for name in parts
            )
            + "."
        ]
        lines.append(
            f"Of mix, {format_value(total['volume'][0], 'money')} is due to the number of all customers and "
            f"{format_value(total['composition'][0], 'money')} to the shares of the segments among them."
        )
        order = np.argsort(-np.abs(columns["change"]), kind="stable")
        for row in order[:5]:
            main = max(parts, key=lambda name: abs(columns[name][row]))
            status = columns["status"][row]
            note = "" if status == "both" else f" ({status})"
            lines.append(
                f"{columns['segment'][row]}{note}: {with_interval(columns, 'change', int(row), 'money')}, most of it by "
                f"{_WORDS[main]} ({with_interval(columns, main, int(row), 'money')})."
            )
        lines.append(
            {
                "shapley": "What several factors did together is shared out by Shapley: the mean over all orders in which "
                "they could have changed.",
                "lmdi": "What several factors did together is shared out by the logarithmic mean (LMDI I).",
                "cross": "Each factor is changed alone from the state before; cross is what several did together.",
            }[settings["method"]]
            + " A segment that is new or vanished is all mix. The parts add up to the change; that a factor moved says "
            "where to look, not why it moved."
        )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "waterfall", *, ax: Axes | None = None) -> Axes:
        """Draw the way from the revenue before to the revenue after.

        Parameters
        ----------
        kind : {"waterfall", "segments"}
            One step for each part of the change; or a bar for each segment, made of its parts.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Of the picture.

        Raises
        ------
        DataError
            If there is no such kind.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.movement import effect_bars, waterfall

        has_cross = self._settings["method"] == "cross"
        if kind == "waterfall":
            return waterfall(self._sheet("total"), has_cross, ax)
        if kind != "segments":
            raise DataError(f'kind: found {kind!r}, but the kinds are "waterfall" and "segments"')
        return effect_bars(self.to_dict(), has_cross, ax)

    def _shown(self) -> dict[str, Any]:
        columns, total = self.to_dict(), self._sheet("total")
        shown: dict[str, Any] = {}
        hidden = {"status", "volume", "composition"}
        if self._settings["method"] != "cross":
            hidden.add("cross")
        if len(set(columns["status"])) > 1:
            hidden.discard("status")
        for name, column in columns.items():
            if name.removesuffix("_lo").removesuffix("_hi") in hidden:
                continue
            last = {"segment": "all", "status": ""}.get(name, total.get(name, [np.nan])[0])
            shown[name] = [*column, last]
        return shown


def mix_rate_value(
    before: Any,
    after: Any,
    *,
    by: Any = "segment",
    revenue: str,
    customers: str | None = None,
    orders: str | None = None,
    customer: str | None = None,
    order: str | None = None,
    method: str = "shapley",
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> MixRateValue:
    """Why revenue moved between two periods: number of customers, orders per customer, value per order.

    Three forms of data are taken: rows that are totals, with ``customers`` and ``orders``; one row per customer, with
    ``orders``; or one row per order or order line, with ``customer`` (and ``order``).

    Parameters
    ----------
    before, after : data frame
        The two periods, or plan and actual.
    by : str, or pair of Segmentation or array-like of labels
        The column that holds the segment, or labels of the rows of ``before`` and of ``after``.
    revenue : str
        Column of revenue; returns are negative.
    customers : str, optional
        Column with the number of customers, where rows are totals. There are no intervals then.
    orders : str, optional
        Column with the number of orders.
    customer : str, optional
        Column of whose order it is. Customers of both periods are resampled with both.
    order : str, optional
        Column that names the order, where it has several lines. An order whose sum is negative is a return and no
        order; without ``order`` a line of negative revenue is.
    method : {"shapley", "lmdi", "cross"}
        How what several factors did together is shared out; ``"cross"`` reports it.
    n_boot : int
        Bootstrap replicates; 0 for no intervals.
    confidence : float
        Of the intervals.
    random_state : int, optional
        Seed of the replicates; by default a fresh one, which ``.manifest["random_state"]`` keeps.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    MixRateValue
        With ``.table``, ``.total``, ``.tree``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If a count is negative, a row or segment has revenue without customers or orders, a customer is in two segments of
        one period, arguments do not go together, or ``"lmdi"`` meets a negative revenue.

    Notes
    -----
    S1-PRIN-01, S1-PRIN-02. With n customers, r orders per customer and v revenue per order, revenue of a segment is n r v.
    *shapley*: the mean contribution over all orders of change (Shapley 1953; for decompositions, Shorrocks 2013, Journal
    of Economic Inequality 11:99-126). *lmdi*: L(R1, R0) ln(x1 / x0) for each factor x, L being the logarithmic mean (Ang 2004,
    Energy Policy 32:1131-1139), with the limits of Ang and Liu (2007) where a revenue is 0. *cross*: dn r0 v0, n0 dr v0,
    n0 r0 dv, and the rest; without orders that is price-volume-mix, dR = dn v0 + n0 dv + dn dv. The parts add up exactly,
    rounding going to the largest. A factor that does not exist in one period is taken from the other, so a new or vanished
    segment is all mix. Within mix, composition is the change of the segment's share at the mean number of customers, volume
    the change of that number at the mean share (under *lmdi*: logarithms of the two).

    Rows with a missing value are left out and counted in ``.manifest``. Intervals are percentiles of Poisson bootstrap
    replicates of customers.

    Examples
    --------
    >>> import ilk
    >>> before = {"segment": ["A", "B"], "n": [100, 50], "orders": [200, 50], "revenue": [4000, 2500]}
    >>> after = {"segment": ["A", "B"], "n": [110, 40], "orders": [220, 44], "revenue": [4400, 2420]}
    >>> why = ilk.economics.mix_rate_value(
    ...     before, after, revenue="revenue", customers="n", orders="orders", n_boot=0
    ... )
    >>> why.to_dict()["mix"].round(1).tolist(), why.to_dict()["rate"].round(1).tolist()
    ([400.0, -551.7], [0.0, 235.8])
    >>> float(sum(why.to_dict()[part].sum() for part in ("mix", "rate", "value")))
    320.0
    """
    names = column_names(
        revenue=revenue, customers=customers, orders=orders, customer=customer, order=order
    )
    labels = _pair(by, "by")
    first, first_by = labelled(before, labels[0], "by", names, name="before")
    second, second_by = labelled(after, labels[1], "by", names, name="after")
    if first_by is None or second_by is None:
        raise DataError('by: found None, but segments are needed; try: by="segment"')
    with progress_bar(progress, "mix, rate, value") as report:
        core = _core.mix_rate_value(
            first.core,
            first_by,
            second.core,
            second_by,
            revenue=revenue,
            customers=customers,
            orders=orders,
            customer=customer,
            order=order,
            method=method,
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    return MixRateValue(core, first.native)


def _pair(labels: Any, argument: str) -> tuple[Any, Any]:
    """One name for both frames, or labels for each."""
    if labels is None or isinstance(labels, str):
        return labels, labels
    if isinstance(labels, (tuple, list)) and len(labels) == 2:
        return labels[0], labels[1]
    raise TypeError(
        f"{argument} is a {type(labels).__name__}, but the name of a column or a pair (labels of before, labels of after) "
        "is needed"
    )
