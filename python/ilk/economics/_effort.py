"""Where effort goes, where outcomes come from, and which of fit and activity goes with winning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

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

__all__ = ["EffortIndex", "FitAgainstActivity", "effort_index", "fit_against_activity"]


class EffortIndex(Report):
    """Effort beside outcome, by segment; made by :func:`effort_index`.

    ``.table`` has one row per segment, highest index first.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    segment, n          the segment, and its rows
    effort, outcome     sums
    effort_share        share of all effort, with its interval
    outcome_share       share of all outcome, with its interval
    index               outcome_share / effort_share, with its interval: above 1 where a unit of effort gives
                        more than elsewhere
    outcome_per_effort  outcome / effort
    wasted_share        share of the segment's effort that went into rows without any outcome
    status              ``under-invested`` or ``over-invested`` where the interval of the index lies above or below
                        1, else ``in line``
    ==================  =====================================================================================
    """

    __slots__ = ()

    _wraps = _core.EffortIndex
    _title = "Effort beside outcome"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "effort_share": "share",
        "outcome_share": "share",
        "index": "index",
        "wasted_share": "share",
    }

    @property
    def reallocation(self) -> Any:
        """The same total effort in proportion to outcomes: ``effort``, ``proportional_effort``, ``move``; moves sum to 0."""
        return self._frame("reallocation")

    @property
    def total(self) -> Any:
        """All segments: effort, outcome, and effort without any outcome."""
        return self._frame("total")

    def explain(self) -> Explanation:
        """Where effort pays, in sentences, and what a reallocation would be."""
        columns, total, moves = self.to_dict(), self._sheet("total"), self._sheet("reallocation")
        lines = [
            f"{format_value(total['wasted_share'][0], 'share')} of all effort went into rows without any outcome."
        ]
        for row, segment in enumerate(columns["segment"]):
            move = moves["move"][row]
            lines.append(
                f"{segment}: {format_value(columns['effort_share'][row], 'share')} of the effort, "
                f"{format_value(columns['outcome_share'][row], 'share')} of the outcome, index "
                f"{with_interval(columns, 'index', row, 'index')}: {columns['status'][row]}; in proportion to outcomes it "
                f"would get {format_value(abs(move))} {'more' if move >= 0 else 'less'}."
            )
        lines.append(
            "The index compares averages. Moving effort gains as much only as far as the next unit of effort does what the "
            "average one did, and it mostly does less: move in steps and measure."
        )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the index of each segment with its interval.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Highest index on top, on a logarithmic axis, shares in words.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.effort import index_dots

        return index_dots(self.to_dict(), ax)


def effort_index(
    df: Any,
    *,
    segment: Any,
    effort: str,
    outcome: str,
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> EffortIndex:
    """Effort share beside outcome share: where effort pays, and how much of it went nowhere.

    Parameters
    ----------
    df : data frame
        One row per deal, account or activity; or per segment, without intervals then.
    segment : str, Segmentation, or array-like of labels
        What effort could be moved between.
    effort : str
        Column of hours or spend, 0 or more.
    outcome : str
        Column of what came of it (revenue, or whether the deal was won), 0 or more.
    n_boot : int
        Bootstrap replicates of the rows; 0 for no intervals.
    confidence : float
        Of the intervals.
    random_state : int, optional
        Seed of the replicates; by default a fresh one, which ``.manifest["random_state"]`` keeps.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    EffortIndex
        With ``.table``, ``.reallocation``, ``.total``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If an effort or outcome is negative, or all of them are 0.

    Notes
    -----
    S1-PRIN-05. index = outcome share / effort share. A segment without effort has no effort to compare: its index is
    infinite if it has an outcome, else missing. Rows with a missing value are left out and counted in ``.manifest``.

    Examples
    --------
    >>> import ilk
    >>> deals = {"segment": ["A", "A", "B", "B"], "hours": [10, 10, 30, 30], "won": [1, 1, 1, 0]}
    >>> index = ilk.economics.effort_index(deals, segment="segment", effort="hours", outcome="won", n_boot=0)
    >>> index.to_dict()["index"].round(2).tolist()
    [2.67, 0.44]
    >>> index.reallocation["move"].round(1).tolist()
    [33.3, -33.3]
    """
    names = column_names(effort=effort, outcome=outcome)
    frame, groups = labelled(df, segment, "segment", names)
    if groups is None:
        raise DataError('segment: found None, but segments are needed; try: segment="segment"')
    with progress_bar(progress, "effort index") as report:
        core = _core.effort_index(
            frame.core,
            groups,
            effort=effort,
            outcome=outcome,
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    return EffortIndex(core, frame.native)


class FitAgainstActivity(Report):
    """Effects of fit and of activity on winning; made by :func:`fit_against_activity`.

    ``.table`` has two rows per segment (``"all"`` without segments, and last with them), one for each factor.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    segment, factor     the segment, and the column
    n, won              deals, and those won
    log_odds            change of the log-odds of winning per standard deviation of the factor, the other one held
    odds_ratio          the same as a ratio of odds
    effect              mean change of the probability of winning per standard deviation
    p, q                of no effect; q is adjusted for the number of tests
    ==================  =====================================================================================
    """

    __slots__ = ()

    _wraps = _core.FitAgainstActivity
    _title = "What goes with winning: fit or activity"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "won": "count",
        "log_odds": "index",
        "odds_ratio": "index",
        "effect": "share",
        "p": "p",
        "q": "p",
    }

    @property
    def models(self) -> Any:
        """One row per segment: how it was fitted, the difference of the two effects, and which is larger."""
        return self._frame("models")

    @property
    def scale(self) -> Any:
        """Mean and standard deviation that the factors were standardised by, and their correlation."""
        return self._frame("scale")

    def explain(self) -> Explanation:
        """Which of the two goes with winning, in sentences."""
        columns, models, settings = self.to_dict(), self._sheet("models"), self._settings
        lines = []
        for row, segment in enumerate(models["segment"]):
            n, won = int(models["n"][row]), int(models["won"][row])
            if models["verdict"][row] == "no comparison":
                lines.append(f"{segment}: {n:,} deals, {won:,} won, tell no effects apart.")
                continue
            parts = [
                f"{columns['factor'][i]} {with_interval(columns, 'effect', i, 'share')} (odds times "
                f"{with_interval(columns, 'odds_ratio', i, 'index')}, p {format_value(columns['p'][i], 'p')})"
                for i in (2 * row, 2 * row + 1)
            ]
            verdict = {
                "fit": f"{settings['fit']} matters more",
                "activity": f"{settings['activity']} matters more",
                "cannot tell": "which matters more cannot be told",
            }[models["verdict"][row]]
            lines.append(
                f"{segment} ({n:,} deals, {won:,} won): one standard deviation more goes with this much more probability to "
                f"win: {'; '.join(parts)}. {verdict[0].upper()}{verdict[1:]}: the log-odds differ by "
                f"{with_interval(models, 'difference', row, 'index')}."
            )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        correlation = self._sheet("scale")["correlation"][0]
        lines.append(
            f"The two factors correlate at {correlation:.2f}. Effects are of one with the other held; they are no proof of "
            "cause: sellers may work more on deals that go well."
        )
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the two effects of each segment with their intervals.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Odds ratios per standard deviation, on a logarithmic axis.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.effort import odds_dots

        return odds_dots(self.to_dict(), ax)


def fit_against_activity(
    deals: Any,
    *,
    fit: str,
    activity: str,
    won: str,
    by: Any = None,
    confidence: float = 0.95,
) -> FitAgainstActivity:
    """Which goes with winning: how well the offer fits, or how much was done.

    Parameters
    ----------
    deals : data frame
        One row per deal that ended.
    fit : str
        Column of how well the offer fits the need.
    activity : str
        Column of how much was done: touches, calls, hours.
    won : str
        Whether the deal was won.
    by : str, Segmentation, or array-like of labels, optional
        Segments, each with a model of its own.
    confidence : float
        Of the intervals.

    Returns
    -------
    FitAgainstActivity
        With ``.table``, ``.models``, ``.scale``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If a factor does not vary, the two are one, or all deals ended alike.

    Notes
    -----
    S1-PRIN-04. A logistic regression of winning on both factors, standardised by the mean and standard deviation of all
    deals. Intervals are of the profile likelihood, p-values of its ratio; marginal effects and the difference of the
    effects, taken without their signs, have delta-method intervals. Where a line through the two factors divides won from
    lost deals, the likelihood has no maximum (Albert and Anderson 1984, Biometrika 71:1-10); that is found exactly, from
    the convex hulls, and Firth's penalised likelihood is used and named then (Heinze and Schemper 2002, Statistics in
    Medicine 21:2409-2419). Rows with a missing value are left out and counted in ``.manifest``.

    Examples
    --------
    >>> import ilk
    >>> deals = {
    ...     "fit": [1, 2, 3, 4, 5, 1, 2, 3, 4, 5],
    ...     "touches": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3],
    ...     "won": [0, 0, 1, 0, 1, 0, 0, 0, 1, 1],
    ... }
    >>> found = ilk.economics.fit_against_activity(deals, fit="fit", activity="touches", won="won")
    >>> found.models["method"], found.to_dict()["factor"]
    (['maximum likelihood'], ['fit', 'touches'])
    """
    names = column_names(fit=fit, activity=activity, won=won)
    frame, groups = labelled(deals, by, "by", names, name="deals")
    core = _core.fit_against_activity(
        frame.core, groups, fit=fit, activity=activity, won=won, confidence=float(confidence)
    )
    return FitAgainstActivity(core, frame.native)
