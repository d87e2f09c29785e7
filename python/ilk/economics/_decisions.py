"""What targeting is worth, and what deciding by segment is worth."""

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

__all__ = ["TargetingValue", "ValueOfSegmentation", "targeting_value", "value_of_segmentation"]


class TargetingValue(Report):
    """What targeting is worth; made by :func:`targeting_value`.

    ``.table`` has three rows: in target, off target, all.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    group               ``target``, ``off target``, ``all``
    n, converted        rows, and those that converted
    conversion          converted / n, with its Wilson interval
    cost                spend
    cac                 cost / converted, with its interval; infinite without a conversion
    median_days         median days to conversion (Kaplan-Meier); infinite if half never convert
    ==================  =====================================================================================

    ``.figures`` has one row per figure with its interval: ``lift`` (conversion in target over that of all),
    ``spend_saved`` (spend off target) and its share, ``conversions_forgone`` (conversions off target) and their share,
    ``cac_ratio`` (cac off target over that in target) and, with days, ``hazard_ratio`` (rate of conversion in target over that
    off target at any time).
    """

    __slots__ = ()

    _wraps = _core.TargetingValue
    _title = "What targeting is worth"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "converted": "count",
        "conversion": "share",
        "cost": "money",
        "cac": "money",
        "median_days": "days",
    }

    @property
    def figures(self) -> Any:
        """Lift, spend saved, conversions forgone and the rest, each with its interval."""
        return self._frame("figures")

    def explain(self) -> Explanation:
        """What targeting gains and gives up, in sentences."""
        columns, figures = self.to_dict(), self._sheet("figures")
        of = {name: row for row, name in enumerate(figures["figure"])}

        def told(name: str, kind: str) -> str:
            return with_interval(figures, "value", of[name], kind)

        lines = [
            f"In target {with_interval(columns, 'conversion', 0, 'share')} convert, off target "
            f"{with_interval(columns, 'conversion', 1, 'share')}: a lift of {told('lift', 'index')} over all."
        ]
        if self._settings["cost"] is not None:
            lines.append(
                f"A conversion costs {with_interval(columns, 'cac', 0, 'money')} in target and "
                f"{with_interval(columns, 'cac', 1, 'money')} off target. Staying in target would save "
                f"{told('spend_saved', 'money')}, {told('spend_saved_share', 'share')} of the spend, and give up "
                f"{told('conversions_forgone', 'count')} conversions, {told('conversions_forgone_share', 'share')} of all."
            )
        if "hazard_ratio" in of:
            row = of["hazard_ratio"]
            p = format_value(figures["p"][row], "p")
            lines.append(
                f"At any time those in target convert at {told('hazard_ratio', 'index')} times the rate of the others (p {p})."
            )
        lines.append(
            "Rows in target were chosen, so part of the difference may be who they are and not that they were addressed. "
            f"Brackets hold {self._confidence} intervals."
        )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw conversion in target and off it.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Of the picture.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.effort import conversion_dots

        return conversion_dots(self.to_dict(), self._sheet("figures"), ax)


def targeting_value(
    campaign: Any,
    *,
    target: str,
    converted: str,
    cost: str | None = None,
    days: str | None = None,
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> TargetingValue:
    """What targeting is worth: conversion, cost and speed in target and off it.

    Parameters
    ----------
    campaign : data frame
        One row per person or company addressed.
    target, converted : str
        Columns of true and false (or 1 and 0).
    cost : str, optional
        Column of what was spent on the row, 0 or more.
    days : str, optional
        Days to conversion, or for others to the end of the observation.
    n_boot : int
        Bootstrap replicates of the rows; 0 for no intervals of lift and cost.
    confidence : float
        Of the intervals.
    random_state : int, optional
        Seed of the replicates; by default a fresh one, which ``.manifest["random_state"]`` keeps.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    TargetingValue
        With ``.table``, ``.figures``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If a flag is neither 0 nor 1, a cost or number of days is negative, everybody or nobody is in target, or nobody
        converted.

    Notes
    -----
    S3-SEG-01. lift = conversion in target / conversion of all. Conversions have Wilson's intervals, ratios percentiles of
    Poisson bootstrap replicates of the rows. The hazard ratio is that of Cox's proportional hazards (1972, JRSS B
    34:187-220) with one covariate, ties by Efron (1977, JASA 72:557-565), its interval and p-value of the partial
    likelihood ratio; rows without a conversion are censored at their days. It is infinite or 0, with one end of its
    interval, where one group has no conversion while at risk. A row without days counts for all else.

    Examples
    --------
    >>> import ilk
    >>> campaign = {
    ...     "target": [True] * 4 + [False] * 6,
    ...     "won": [1, 1, 1, 0, 0, 1, 0, 0, 0, 0],
    ...     "spend": [10] * 10,
    ... }
    >>> worth = ilk.economics.targeting_value(campaign, target="target", converted="won", cost="spend", n_boot=0)
    >>> worth.to_dict()["conversion"].round(3).tolist(), worth.figures["value"].round(3).tolist()
    ([0.75, 0.167, 0.4], [1.875, 60.0, 0.6, 1.0, 0.25, 4.5])
    """
    names = column_names(target=target, converted=converted, cost=cost, days=days)
    frame = Frame.of(campaign, name="campaign", columns=names)
    with progress_bar(progress, "targeting value") as report:
        core = _core.targeting_value(
            frame.core,
            target=target,
            converted=converted,
            cost=cost,
            days=days,
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    return TargetingValue(core, frame.native)


class ValueOfSegmentation(Report):
    """What deciding by segment is worth over one decision for all; made by :func:`value_of_segmentation`.

    ``.table`` has one row per segment with customers.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    segment, n          the segment, and its customers
    best_action, value  its best action, and what a customer is worth then
    one_size_value      what a customer is worth under the best single action
    gain                n (value - one_size_value); of rows of an experiment mostly too high, see ``.figures``
    p_best              share of bootstrap replicates in which this action is the best again
    runner_up, margin   the second best action, and how much less it is worth per customer
    ==================  =====================================================================================

    ``.figures`` has ``value_of_segmentation`` with its interval and, of an experiment, ``naive_value`` beside it.
    """

    __slots__ = ()

    _wraps = _core.ValueOfSegmentation
    _title = "What deciding by segment is worth"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "value": "money",
        "one_size_value": "money",
        "gain": "money",
        "p_best": "share",
        "margin": "money",
    }

    @property
    def figures(self) -> Any:
        """The value of segmentation and what it is made of."""
        return self._frame("figures")

    @property
    def payoffs(self) -> Any:
        """Value per customer of each action in each segment, and whether it had rows enough to be considered."""
        return self._frame("payoffs")

    @property
    def one_size(self) -> str:
        """The best single action."""
        action: str = self._sheet("one_size")["action"][0]
        return action

    def explain(self) -> Explanation:
        """What deciding by segment gains, in sentences, and how far that can be trusted."""
        columns, figures = self.to_dict(), self._sheet("figures")
        of = {name: row for row, name in enumerate(figures["figure"])}
        worth = with_interval(figures, "value", of["value_of_segmentation"], "money")
        total = format_value(figures["value"][of["one_size_total"]], "money")
        lines = [
            f"Deciding by segment is worth {worth} over doing {self.one_size} with everybody, which is worth {total}."
        ]
        if "naive_value" in of:
            naive = format_value(figures["value"][of["naive_value"]], "money")
            low = figures["value_lo"][of["value_of_segmentation"]]
            lines.append(
                f"The rows by themselves say {naive}. That is no fair figure: the best of several means that vary by chance is "
                "partly the luckiest, in small segments more than in all. The figure above is of decisions taken on four fifths of the rows and valued on the "
                "rest, over and over"
                + (
                    "."
                    if low > 0
                    else "; its interval reaches 0, so the rows do not show that deciding by segment pays."
                )
            )
        for row, segment in enumerate(columns["segment"]):
            sure = columns["p_best"][row]
            lines.append(
                f"{segment} ({format_value(columns['n'][row], 'count')} customers): {columns['best_action'][row]}, "
                f"{format_value(columns['value'][row], 'money')} per customer"
                + (
                    f", best again in {format_value(sure, 'share')} of replicates"
                    if sure == sure
                    else ""
                )
                + (
                    f"; next {columns['runner_up'][row]}, {format_value(columns['margin'][row], 'money')} less."
                    if columns["runner_up"][row]
                    else "; no other action was considered."
                )
            )
        if "naive_value" in of:
            lines.append(
                "Means of actions can be compared where the action was drawn by lot within the segment; where somebody chose it, "
                "they also hold whom it was chosen for."
            )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the value of each action in each segment.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            The best action of each segment ringed.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.effort import payoff_dots

        return payoff_dots(self._sheet("payoffs"), self.to_dict(), self.one_size, ax)


def value_of_segmentation(
    df: Any,
    *,
    segment: Any,
    action: str,
    value: str,
    n: str | None = None,
    min_count: int = 10,
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> ValueOfSegmentation:
    """What deciding by segment is worth, in money, over one decision for all.

    Parameters
    ----------
    df : data frame
        A payoff table (one row for each segment and action, with ``n``), or one row per customer of an experiment.
    segment : str, Segmentation, or array-like of labels
        Whom the decision is for.
    action : str
        Column of what was, or could be, done.
    value : str
        Column of what a customer is worth then.
    n : str, optional
        Column of the segment's number of customers; by default the rows of the segment. Needed with a payoff table.
    min_count : int
        Rows that a pair of segment and action of an experiment needs to be considered.
    n_boot : int
        Bootstrap replicates for ``p_best``.
    confidence : float
        Of the intervals.
    random_state : int, optional
        Seed; by default a fresh one, which ``.manifest["random_state"]`` keeps.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    ValueOfSegmentation
        With ``.table``, ``.figures``, ``.payoffs``, ``.one_size``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If the number of customers is negative or differs within a segment, or no action is known in every segment.

    Notes
    -----
    S3-CONC-01. The value is sum over segments of max over actions of V(s, a) n(s), minus the largest over actions of the
    sum over segments of V(s, a) n(s): never negative, like the expected value of information (Raiffa and Schlaifer 1961).
    Estimated from rows by the same formula (``naive_value``) it is positive even where no action differs from another. So
    decisions, by segment and for all, are taken on four fifths of the rows and valued on the last fifth, for each fifth and
    for 40 ways of dealing the rows (cross-fitting; Chernozhukov et al. 2018, Econometrics Journal 21:C1-C68). That is the
    value of rules learned from four fifths of the rows; it may be negative, and it lies below the value of perfect
    knowledge where rows are few. The interval is normal; its standard error is that of the same estimate over 400 data sets
    whose means are drawn around those found. Sizes of segments are taken as known. Ties go to the action that stands first.

    Examples
    --------
    >>> import ilk
    >>> payoffs = {
    ...     "segment": ["young", "young", "old", "old"],
    ...     "offer": ["A", "B", "A", "B"],
    ...     "worth": [10, 4, 3, 8],
    ...     "customers": [100, 100, 50, 50],
    ... }
    >>> found = ilk.economics.value_of_segmentation(
    ...     payoffs, segment="segment", action="offer", value="worth", n="customers"
    ... )
    >>> found.one_size, found.figures["value"].tolist()
    ('A', [250.0, 1400.0, 1150.0])
    """
    names = column_names(action=action, value=value, n=n)
    frame, groups = labelled(df, segment, "segment", names)
    if groups is None:
        raise DataError('segment: found None, but segments are needed; try: segment="segment"')
    with progress_bar(progress, "value of segmentation") as report:
        core = _core.value_of_segmentation(
            frame.core,
            groups,
            action=action,
            value=value,
            n=n,
            min_count=whole("min_count", min_count),
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    return ValueOfSegmentation(core, frame.native)
