"""Kinds of needs: what is taken for granted, what pays by degree, what delights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import column_name, real
from ilk._frame import Frame
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._options import columns, drawing, free_names
from ilk.gaps._several import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

#: Columns of the result beside the need and the segment.
_FIGURES = (
    *("n", "category", "runner_up", "p"),
    *("must_be", "one_dimensional", "attractive", "indifferent", "reverse", "questionable"),
    *(f"{name}{end}" for name in ("better", "worse") for end in ("", "_lo", "_hi")),
)

#: Beyond this, whole numbers are not told apart as floats.
_FAR = 2**53


class KanoNeeds(Result):
    """Needs by what they are to customers, within each segment; made by :func:`need_kano`.

    ``.table`` has one row per segment and need, in the order of precedence of the kinds: ``n``, the ``category`` that most
    customers give the need, the ``runner_up`` with the ``p`` of both being equally frequent, the share of each kind, and
    the coefficients ``better`` (0 to 1) and ``worse`` (-1 to 0), each with its interval.

    Examples
    --------
    >>> from ilk.gaps import need_kano
    >>> answers = {
    ...     "need": ["brakes"] * 3 + ["colour"] * 3,
    ...     "functional": [2, 3, 3, 1, 1, 3],
    ...     "dysfunctional": [5, 5, 5, 3, 4, 3],
    ... }
    >>> found = need_kano(answers).to_dict()
    >>> found["need"], found["category"], found["worse"].tolist()
    (['brakes', 'colour'], ['must_be', 'attractive'], [-1.0, 0.0])
    """

    __slots__ = ()

    _wraps = _core.KanoNeeds
    _title = "Kinds of needs"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "p": "p",
        **dict.fromkeys(_FIGURES[4:10], "share"),
        **dict.fromkeys(("better", "worse"), "index"),
    }

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the needs by what their lack costs and what they bring, with the four kinds as quarters.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.needs import quarters

        return quarters(self, ax=drawing(ax))

    def explain(self) -> Explanation:
        """The needs of each kind, those whose kind is open, and how kinds and coefficients are made."""
        return Explanation("\n".join(self._core.explain()))


def need_kano(
    df: Any,
    *,
    need: str = "need",
    functional: str = "functional",
    dysfunctional: str = "dysfunctional",
    segment: str | None = None,
    weights: str | None = None,
    answers: Sequence[float] | Sequence[str] = (1, 2, 3, 4, 5),
    confidence: float = 0.95,
) -> KanoNeeds:
    """Tell what is taken for granted, what pays by degree, what delights and what leaves cold, within each segment.

    Parameters
    ----------
    df : frame
        One row per customer and need.
    need : str
        Column with the need.
    functional, dysfunctional : str
        Columns with the answers to "How do you feel if you have it?" and "How do you feel if you do not have it?".
    segment : str, optional
        Column with the customer's segment. Kinds are told within it: what delights one segment another takes for granted.
    weights : str, optional
        Column with the weight of each answer.
    answers : sequence of five numbers or texts
        The answers as they stand in both columns, from "I like it" over "I expect it", "I am neutral" and "I can live with
        it" to "I dislike it".
    confidence : float
        Confidence level of the intervals; a kind is called open where ``p`` is at least 1 less this.

    Returns
    -------
    KanoNeeds
        With ``.table``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If an answer is none of the five, text comes without ``answers`` in words, a column stands in two roles or has the
        name of a figure of the result, or no row is complete.

    Notes
    -----
    S2-VP-03. The two answers give the kind by this table, with the functional one in rows [1]_:

    ========  ==== ====== ======= ========= =======
    has it    like expect neutral live with dislike
    ========  ==== ====== ======= ========= =======
    like      Q    A      A       A         O
    expect    R    I      I       I         M
    neutral   R    I      I       I         M
    live with R    I      I       I         M
    dislike   R    R      R       R         Q
    ========  ==== ====== ======= ========= =======

    A attractive, O one-dimensional, M must-be, I indifferent, R reverse, Q questionable. The most frequent kind is the
    need's; of equals the first of M, O, A, I, R, Q [2]_. ``p`` is that of the two-sided sign test of the two most frequent
    kinds (of one kind against none, where all say the same); it does not allow for their having been picked among six.

    ``better = (A + O) / (A + O + M + I)`` and ``worse = -(O + M) / (A + O + M + I)`` [2]_, with intervals of Wilson. With
    weights, what tells how sure a figure is counts ``sum(w)**2 / sum(w**2)`` answers, over those that it rests on (Kish).
    Rows that lack an answer, or have weight 0, are left out and counted.

    References
    ----------
    .. [1] Kano, Seraku, Takahashi and Tsuji (1984), Attractive quality and must-be quality, Hinshitsu 14(2):39-48.
    .. [2] Berger et al. (1993), Kano's methods for understanding customer-defined quality, Center for Quality of
       Management Journal 2(4):3-36.

    Examples
    --------
    >>> from ilk.gaps import need_kano
    >>> said = {
    ...     "need": ["radio"] * 2,
    ...     "functional": ["like", "like"],
    ...     "dysfunctional": ["dislike", "dislike"],
    ... }
    >>> five = ("like", "expect", "neutral", "live with", "dislike")
    >>> need_kano(said, answers=five).to_dict()["category"]
    ['one_dimensional']
    """
    five = _five(answers)
    named = columns(segment=segment, weights=weights)
    for argument, name in (
        ("need", need),
        ("functional", functional),
        ("dysfunctional", dysfunctional),
    ):
        named.append(column_name(argument, name))
    free_names(_FIGURES, need=need, segment=segment)
    roles = {
        "need": need,
        "functional": functional,
        "dysfunctional": dysfunctional,
        "segment": segment,
        "weights": weights,
    }
    frame = Frame.of(df, columns=named)
    level = real("confidence", confidence)
    settings = json.dumps({**roles, "answers": five, "confidence": level})
    return KanoNeeds(_core.need_kano(frame.core, roles, five, level, settings), frame.native)


def _five(answers: Any) -> list[float] | list[str]:
    """Five different numbers or texts.

    Raises
    ------
    DataError
        If they are not.
    """
    is_series = hasattr(answers, "to_numpy") and not hasattr(answers, "columns")
    if is_series or isinstance(answers, np.ndarray):
        answers = np.asarray(answers).tolist()
    if isinstance(answers, Sequence) and not isinstance(answers, (str, bytes, bytearray)):
        listed = list(answers)
        if all(_is_text(answer) for answer in listed) and len(set(listed)) == 5 == len(listed):
            return listed
        if all(is_number(answer) and abs(answer) < _FAR for answer in listed):
            numbers = [float(answer) for answer in listed]
            if len(set(numbers)) == 5 == len(numbers):
                return numbers
    raise DataError(
        f"answers: found {answers!r}, but five different numbers or texts from like to dislike are needed; "
        'try: answers=("like", "expect", "neutral", "live with", "dislike")'
    )


def _is_text(value: Any) -> bool:
    """Whether it is text that can be written as UTF-8."""
    return isinstance(value, str) and value.encode(errors="ignore").decode() == value
