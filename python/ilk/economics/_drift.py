"""Whether needs moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._html import format_value
from ilk._result import Explanation
from ilk.economics._movement import _pair
from ilk.economics._report import Report, column_names, labelled, with_interval
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["NeedDrift", "need_drift"]


class NeedDrift(Report):
    """Change of needs, by segment; made by :func:`need_drift`.

    ``.table`` has one row per segment (``"all"`` without segments, and last with them) and need.

    ===================  ====================================================================================
    column               meaning
    ===================  ====================================================================================
    segment, need        whose need, and which
    n_before, n_after    answers
    before, after        mean importance, or share of yes
    change               after - before, with its interval
    effect               change in standard deviations of the answers (Cohen's d)
    p, q                 of no change; q is adjusted for the number of tests
    threshold            importance from which on a need is a problem
    status               ``problem``, ``nice-to-have``; ``became nice-to-have``, ``became a problem`` where the mean
                         crossed the threshold and q is small enough; ``unclear`` where it crossed and chance
                         may have done it; ``no comparison`` where a side has no answer
    ===================  ====================================================================================
    """

    __slots__ = ()

    _wraps = _core.NeedDrift
    _title = "Whether needs moved"
    _formats: ClassVar[Mapping[str, str]] = {
        "n_before": "count",
        "n_after": "count",
        "before": "index",
        "after": "index",
        "change": "index",
        "effect": "index",
        "p": "p",
        "q": "p",
        "threshold": "index",
    }

    @property
    def composition(self) -> Any:
        """Shares of the segments before and after, and the part of each in the population stability index."""
        return self._frame("composition")

    @property
    def stability(self) -> Any:
        """The population stability index: ``psi``, what chance alone gives on average (``noise``) and at most (``noise_limit``)."""
        return self._frame("stability")

    def explain(self) -> Explanation:
        """Which needs moved, in sentences, and whether the same kinds of people were asked."""
        columns, stability = self.to_dict(), self._sheet("stability")
        alpha = 1 - self._settings["confidence"]
        lines = []
        for row, need in enumerate(columns["need"]):
            if not columns["q"][row] <= alpha:
                continue
            status = columns["status"][row]
            verdict = f": it {status}" if status.startswith("became") else ""
            lines.append(
                f"{columns['segment'][row]}, {need}: from {format_value(columns['before'][row], 'index')} to "
                f"{format_value(columns['after'][row], 'index')}, a change of "
                f"{with_interval(columns, 'change', row, 'index')}{verdict} (threshold "
                f"{format_value(columns['threshold'][row], 'index')})."
            )
        if not lines:
            lines.append(f"No need moved by more than chance explains (q <= {alpha:.3g}).")
        psi = stability["psi"][0]
        if psi == psi:
            lines.append(
                f"Composition: population stability index {psi:.3f}, {stability['verdict'][0]}. Usual bars are 0.1 and 0.25; "
                f"sampling alone gives {stability['noise'][0]:.3f} on average and up to {stability['noise_limit'][0]:.3f} "
                f"({self._confidence}) with so many answers."
            )
        lines.append(
            "Ratings are compared by Welch's test, shares of yes by the pooled z-test; q is adjusted for the number of tests "
            "(Benjamini and Hochberg), those of segments and those of everybody apart. Brackets hold "
            f"{self._confidence} intervals."
        )
        return Explanation("\n".join(lines))

    def plot(self, *, segment: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw each need before and after.

        Parameters
        ----------
        segment : str, optional
            Which segment; by default everybody.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Of the picture.

        Raises
        ------
        DataError
            If there is no such segment.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.movement import need_dumbbells

        columns = self.to_dict()
        names = list(dict.fromkeys(columns["segment"]))
        segment = names[-1] if segment is None else segment
        if segment not in names:
            raise DataError(f"segment: found {segment!r}, but the segments are {', '.join(names)}")
        return need_dumbbells(columns, segment, ax)


def need_drift(
    before: Any,
    after: Any,
    *,
    needs: Sequence[str],
    segment: Any = None,
    weights: str | None = None,
    threshold: float | None = None,
    confidence: float = 0.95,
) -> NeedDrift:
    """Whether needs moved between two surveys, and whether a problem became nice-to-have.

    Parameters
    ----------
    before, after : data frame
        One row per respondent; different people in the two.
    needs : sequence of str
        Columns of importance: ratings, or yes and no.
    segment : str, or pair of Segmentation or array-like of labels, optional
        The column that holds the segment, or labels of the rows of ``before`` and of ``after``.
    weights : str, optional
        Column of sampling weights.
    threshold : float, optional
        Importance from which on a need is a problem; by default 0.5 for yes and no, and for ratings the middle between the
        lowest and the highest answer to any of them.
    confidence : float
        Of the intervals; a change is a finding where q is at most 1 - confidence.

    Returns
    -------
    NeedDrift
        With ``.table``, ``.composition``, ``.stability``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If there are no needs, a need has no answer, or a weight is negative.

    Notes
    -----
    S1-PRIN-03. *Ratings*: Welch's unequal variances t (1947, Biometrika 34:28-35). *Yes and no* without weights: the hybrid
    score interval (Newcombe 1998, Statistics in Medicine 17:873-890, method 10) and the pooled z-test. *Weights* are of
    sampling: variances are linearised, degrees of freedom those of the effective number of answers (Kish 1965). A missing
    answer is missing for its need alone. *Composition*: the population stability index is the sum of (a - b) ln(a / b) over
    the segments' shares; without a change it is about (1 / n + 1 / m) times a chi-squared variable with one degree of
    freedom less than segments (Yurdakul and Naranjo 2020, Journal of Risk Model Validation 14(4):89-100), so that small
    samples pass the bars of 0.1 and 0.25 by chance. An empty share counts as that of half a respondent.

    Examples
    --------
    >>> import ilk
    >>> before = {"price": [5, 5, 4, 5, 4, 5], "service": [3, 2, 3, 2, 3, 3]}
    >>> after = {"price": [2, 3, 2, 1, 2, 2], "service": [3, 3, 2, 3, 2, 3]}
    >>> drift = ilk.economics.need_drift(before, after, needs=["price", "service"])
    >>> drift.to_dict()["status"], drift.to_dict()["change"].round(2).tolist()
    (['became nice-to-have', 'nice-to-have'], [-2.67, 0.0])
    """
    if isinstance(needs, str):
        raise TypeError(f"needs is a str, but a list of names is needed; try: needs=[{needs!r}]")
    wanted = list(needs)
    names = [
        *(name for need in wanted for name in column_names(needs=need)),
        *column_names(weights=weights),
    ]
    labels = _pair(segment, "segment")
    first, first_segment = labelled(before, labels[0], "segment", names, name="before")
    second, second_segment = labelled(after, labels[1], "segment", names, name="after")
    core = _core.need_drift(
        first.core,
        first_segment,
        second.core,
        second_segment,
        needs=wanted,
        weights=weights,
        threshold=None if threshold is None else float(threshold),
        confidence=float(confidence),
    )
    return NeedDrift(core, first.native)
