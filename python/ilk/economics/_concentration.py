"""How unequally money is spread over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame
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

__all__ = ["Concentration", "concentration"]


class Concentration(Report):
    """How unequally money is spread over customers; made by :func:`concentration`.

    ``.table`` has one row per segment, and one for everybody, last, where there are segments. ``x_lo`` and ``x_hi`` are
    the ends of the interval of ``x``.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    segment             name of the segment
    n                   customers, or the sum of their weights
    n_zero              customers whose value is 0
    n_negative          customers whose value is negative and counts as 0
    total, mean         of the values
    gini                twice the area between the Lorenz polygon and the diagonal: 0 where all are equal,
                        (n - 1) / n where one holds everything
    gini_corrected      gini n / (n - 1): the mean absolute difference of two different customers over twice
                        the mean; 1 where one holds everything
    top_share           share of the total that the largest ``top`` of the customers hold
    holders             share of the customers, largest first, that hold ``hold`` of the total
    ==================  =====================================================================================
    """

    __slots__ = ()

    _wraps = _core.Concentration
    _title = "How unequally money is spread"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "total": "money",
        "mean": "money",
        "gini": "index",
        "gini_corrected": "index",
        "top_share": "share",
        "holders": "share",
    }

    @property
    def lorenz(self) -> Any:
        """The Lorenz curves: ``segment``, ``customers`` (share, smallest first), ``value`` (share that they hold)."""
        return self._frame("lorenz")

    def explain(self) -> Explanation:
        """How much the largest hold, in sentences, and how the figures are defined."""
        columns, settings = self.to_dict(), self._settings
        top, hold = (format_value(settings[name], "share") for name in ("top", "hold"))
        lines = []
        for row, segment in enumerate(columns["segment"]):
            if columns["gini"][row] != columns["gini"][row]:
                lines.append(f"{segment}: the total is 0, so nothing can be shared out.")
                continue
            lines.append(
                f"{segment}: the largest {top} of {format_value(columns['n'][row], 'count')} customers hold "
                f"{with_interval(columns, 'top_share', row, 'share')} of "
                f"{format_value(columns['total'][row], 'money')}; "
                f"{with_interval(columns, 'holders', row, 'share')} of them hold {hold} of it. "
                f"Gini {with_interval(columns, 'gini', row, 'index')}, "
                f"{format_value(columns['gini_corrected'][row], 'index')} corrected for the number of customers."
            )
        lines.append(
            "Gini is the area between the Lorenz polygon and the diagonal, doubled; the corrected one is n / (n - 1) "
            "times that. "
            + (
                f"Brackets hold {self._confidence} intervals: customers are resampled {settings['n_boot']} times. "
                "Where a few customers hold much of the total, such intervals are somewhat too narrow."
                if settings["n_boot"]
                else "No intervals were asked for."
            )
        )
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the Lorenz curve of each segment.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            One line per segment, the diagonal of equality, and a mark where the largest ``top`` begin.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.concentration import lorenz_curves

        return lorenz_curves(self._sheet("lorenz"), self.to_dict(), self._settings["top"], ax)


def concentration(
    values: Any,
    *,
    value: str | None = None,
    by: Any = None,
    weights: str | None = None,
    top: float = 0.2,
    hold: float = 0.8,
    negative: str = "error",
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> Concentration:
    """How unequally money is spread over customers: Lorenz curve, Gini, and what the largest hold.

    Parameters
    ----------
    values : array-like or data frame
        A value for each customer, or a frame with one row per customer.
    value : str, optional
        The column that holds the values; needed where the frame has several.
    by : str, Segmentation, or array-like of labels, optional
        Segments to be compared.
    weights : str, optional
        Column of how often each row counts.
    top : float
        Share of the largest customers, whose share of the total is wanted.
    hold : float
        Share of the total, whose holders are counted.
    negative : {"error", "zero", "leave_out"}
        What to do with negative values, such as customers who returned more than they bought in the period: shares of
        a total mean nothing then. By default they are refused by name; they may count as 0 (and are counted in
        ``n_negative``), or their rows be left out. Values of 0 always count: who spends nothing is part of the
        inequality.
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
    Concentration
        With ``.table``, ``.lorenz``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If a value is negative and ``negative`` is ``"error"``, an argument is out of range, or no row is complete.

    Notes
    -----
    With values in ascending order, weights w and running sums, the Gini coefficient is
    ``1 - sum(w_i (S_(i-1) + S_i)) / (n S_n)``, which equals the mean absolute difference of all pairs, a row paired with
    itself included, over twice the mean (Gini 1912). It is at most (n - 1) / n and too small in small samples;
    ``gini_corrected`` is n / (n - 1) times that (Deltas 2003, Review of Economics and Statistics 85:226-234). ``top_share``
    and ``holders`` are read from the same polygon, so a part of a customer counts in part. Weights count as repeats in
    the estimates; for intervals the rows are what is resampled (Poisson weights, percentiles). Rows with a missing value
    are left out and counted in ``.manifest``.

    Examples
    --------
    >>> import ilk
    >>> spread = ilk.economics.concentration([1, 2, 3, 4], n_boot=0)
    >>> spread.to_dict()["gini"], spread.to_dict()["gini_corrected"].round(4)
    (array([0.25]), array([0.3333]))
    >>> ilk.economics.concentration([0, 0, 0, 0, 10], n_boot=0).to_dict()["top_share"]
    array([1.])
    """
    names = column_names(value=value, weights=weights)
    if value is None:
        frame = Frame.of(values, name="values")
        columns = [name for name in frame.columns if name != weights and name != by]
        if len(columns) != 1:
            raise DataError(
                f"value: found None, but values has the columns {columns}; try: value={columns[0]!r}"
                if columns
                else "values: found no columns, but a column of values is needed"
            )
        value, names = columns[0], [columns[0], *names]
        values = frame
    frame, groups = labelled(values, by, "by", names, name="values")
    with progress_bar(progress, "concentration") as report:
        core = _core.concentration(
            frame.core,
            value,
            groups,
            weights,
            top=float(top),
            hold=float(hold),
            negative=negative,
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    return Concentration(core, frame.native)
