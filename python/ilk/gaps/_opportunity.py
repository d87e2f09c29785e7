"""Opportunities: needs that are important and badly served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._arguments import column_name, real
from ilk._frame import Frame
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._named import scale_ends
from ilk.gaps._options import columns, drawing, free_names, replicates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from ilk._progress import Progress

_METHODS = ("ulwick", "unbounded", "olsen")
_MEASURES = ("top_two_box", "mean", "given")
#: Columns of the result beside the need and the segment.
_FIGURES = (
    *("rank", "n", "importance", "satisfaction", "score", "band", "overserved"),
    *(f"{name}_{end}" for name in ("importance", "satisfaction", "score") for end in ("lo", "hi")),
)


class Opportunities(Result):
    """Needs by score, within each segment; made by :func:`opportunity`.

    ``.table`` has one row per segment and need, the highest score first: ``rank``, ``n``, ``importance``,
    ``satisfaction`` and ``score``, each with its interval, the ``band`` (of Ulwick's score) and whether the need is
    ``overserved`` (more satisfaction than importance).

    Examples
    --------
    >>> from ilk.gaps import opportunity
    >>> answers = {
    ...     "need": ["deliver in time"] * 4 + ["look nice"] * 4,
    ...     "importance": [5, 5, 4, 5, 2, 3, 4, 2],
    ...     "satisfaction": [2, 3, 2, 4, 4, 5, 4, 3],
    ... }
    >>> found = opportunity(answers, scale=(1, 5), random_state=0)
    >>> found.to_dict()["score"].tolist(), found.to_dict()["band"]
    ([17.5, 2.5], ['extreme', 'unattractive'])
    """

    __slots__ = ()

    _wraps = _core.Opportunities
    _title = "Opportunities"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "rank": "count",
        "importance": "index",
        "satisfaction": "index",
        "score": "index",
    }

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the landscape: satisfaction by importance, needs as points, Ulwick's bands as areas.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.needs import landscape

        return landscape(self, ax=drawing(ax))

    def explain(self) -> Explanation:
        """The largest opportunity of each segment, what is served too well, and how the score is made."""
        return Explanation("\n".join(self._core.explain()))


def opportunity(
    df: Any,
    *,
    need: str = "need",
    importance: str = "importance",
    satisfaction: str = "satisfaction",
    segment: str | None = None,
    weights: str | None = None,
    method: Literal["ulwick", "unbounded", "olsen"] = "ulwick",
    measure: Literal["top_two_box", "mean", "given"] = "top_two_box",
    scale: tuple[float, float] | None = None,
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> Opportunities:
    """Score needs by how important and how badly served they are, within each segment.

    Parameters
    ----------
    df : frame
        One row per answer: a customer's ratings of one need. With ``measure="given"`` one row per need.
    need, importance, satisfaction : str
        The columns.
    segment : str, optional
        Column with the customer's segment. Scores are told within it, never pooled.
    weights : str, optional
        Column with the weight of each answer.
    method : {"ulwick", "unbounded", "olsen"}
        The formula, with importance I and satisfaction S from 0 to 10. ``"ulwick"``: ``I + max(I - S, 0)``, from 0 to
        20 [1]_. ``"unbounded"``: ``I + (I - S)``, from -10 to 20, which goes round under the same name.
        ``"olsen"``: ``I (1 - S / 10)``, from 0 to 10 [2]_.
    measure : {"top_two_box", "mean", "given"}
        How ratings become I and S: ten times the share of ratings that are at most one below the highest; the mean,
        with the lowest rating as 0 and the highest as 10; or the numbers are I and S already.
    scale : tuple of float, optional
        Lowest and highest rating that could be given. By default those met in the data, which ``.explain()`` tells:
        name the scale where nobody may have used its ends.
    n_boot : int
        Bootstrap samples of the answers of each need, at least 20; 0 for no intervals.
    confidence : float
        Share of samples between the ends of an interval.
    random_state : int, optional
        Seed of the samples; by default a new one, kept in the manifest.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    Opportunities
        With ``.table``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a rating lies outside the scale, an option is not allowed, a column of needs or segments has the name of a
        figure of the result, or no answer is complete.

    Notes
    -----
    S3-JTBD-01, S2-VP-03. Bands of Ulwick's score: above 15 extreme, 12 to 15 high, 10 to 12 worth a look, below 10
    unattractive. Answers that lack a rating are left out and counted. Intervals are percentiles of samples of the answers
    of each need; a share of 0 or 1 has an interval without width, which says that the sample is small rather than that the
    figure is sure.

    References
    ----------
    .. [1] Ulwick (2005), What Customers Want, McGraw-Hill.
    .. [2] Olsen (2015), The Lean Product Playbook, Wiley.

    Examples
    --------
    >>> from ilk.gaps import opportunity
    >>> scores = {"need": ["a", "b", "c"], "importance": [9, 9, 9.1], "satisfaction": [3, 9, 4.2]}
    >>> found = opportunity(scores, measure="given").to_dict()
    >>> found["need"], found["score"].tolist()
    (['a', 'c', 'b'], [15.0, 14.0, 9.0])
    """
    for argument, value, allowed in (("method", method, _METHODS), ("measure", measure, _MEASURES)):
        if value not in allowed:
            options = ", ".join(f'"{option}"' for option in allowed)
            raise DataError(f"{argument}: found {value!r}, but one of {options} is needed")
    n_boot = replicates(n_boot)
    ends = scale_ends("scale", scale)
    named = columns(segment=segment, weights=weights)
    for argument, name in (
        ("need", need),
        ("importance", importance),
        ("satisfaction", satisfaction),
    ):
        named.append(column_name(argument, name))
    free_names(_FIGURES, need=need)
    free_names((*_FIGURES, need), segment=segment)
    roles = {
        "need": need,
        "importance": importance,
        "satisfaction": satisfaction,
        "segment": segment,
        "weights": weights,
    }
    frame = Frame.of(df, columns=named)
    settings = {**roles, "method": method, "measure": measure, "scale": ends, "n_boot": n_boot}
    with progress_bar(progress, "opportunity") as report:
        core = _core.opportunities(
            frame.core,
            roles,
            method,
            measure,
            ends,
            n_boot,
            real("confidence", confidence),
            new_seed(random_state),
            json.dumps(settings),
            report,
        )
    return Opportunities(core, frame.native)
