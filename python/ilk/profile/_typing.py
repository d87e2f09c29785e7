"""The smallest questionnaire that places people in segments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import real, whole
from ilk._frame import to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.profile._export import python_text, sql_text
from ilk.profile._members import members_of, placed
from ilk.profile._rules import Fidelity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["TypingTool", "typing_tool"]


class TypingTool(Result):
    """Questions that place people in segments; made by :func:`typing_tool`.

    ``.table`` has one row per number of questions: the ``question`` that comes last, the ``accuracy`` with its interval, what
    that question ``added``, and whether it is ``asked``.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.profile import typing_tool
    >>> rng = np.random.default_rng(0)
    >>> df = {"likes": rng.choice(["tea", "coffee"], 100), "shoe": rng.integers(36, 46, 100)}
    >>> tool = typing_tool(df["likes"], df, ["likes", "shoe"], random_state=0)
    >>> tool.questions
    ['likes']
    >>> tool.predict({"likes": ["tea"]}).tolist()
    ['tea']
    """

    __slots__ = ()

    _wraps = _core.TypingTool
    _title = "Typing tool"
    _formats: ClassVar[Mapping[str, str]] = {
        "questions": "count",
        "accuracy": "share",
        "added": "share",
    }

    @property
    def questions(self) -> list[str]:
        """The columns that are asked, in their order."""
        return [question["column"] for question in self.rule["questions"]]

    @property
    def accuracy(self) -> Fidelity:
        """Share of the customers placed in their own segment by questions and points that they had no say in."""
        return Fidelity(*self._core.accuracy())

    @property
    def rule(self) -> dict[str, Any]:
        """The rule as plain data: ``segments``, their points at the ``start``, and ``questions`` with answers and points.

        A question has a ``column``, a ``kind``, the ``cuts`` between the answers of a number (an answer is the number of cuts
        that the value reaches) or the ``levels`` of a category, the ``answers`` in words and the ``points`` of each answer for
        each segment. The segment with most points is the answer, the first of equal ones.
        """
        rule: dict[str, Any] = json.loads(self._core.data())
        return rule

    @property
    def scoring(self) -> Any:
        """The scoring table: one row per question, answer and segment with its points; first what each segment starts with."""
        return to_native(self._core.scoring(), self._native)

    @property
    def confusion(self) -> Any:
        """Customers of each segment by the segment in which questions that they had no say in placed them."""
        return to_native(self._core.confusion(), self._native)

    def predict(self, df: Any) -> Any:
        """Segments of new people: a categorical Series in pandas and polars, else an array of names.

        Parameters
        ----------
        df : frame
            With the columns of :attr:`questions`. A question that is not answered has no points; who answers none has no
            segment. A category that was not met before counts as not answered, and is warned of.
        """
        return placed(self._core, df)

    def to_python(self, name: str = "segment_of") -> str:
        """The rule as the text of a Python function that takes a dict of answers and needs nothing else.

        Parameters
        ----------
        name : str
            Name of the function.
        """
        return python_text(self.rule, name)

    def to_sql(self, table: str = "customers") -> str:
        """The rule as a query that adds the column ``segment`` to a table, in standard SQL.

        Parameters
        ----------
        table : str
            Name of the table.
        """
        return sql_text(self.rule, table)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the accuracy against the number of questions.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.trees import accuracy

        return accuracy(self, ax)

    def explain(self) -> Explanation:
        """How many are placed rightly by how many questions, and which segments are mistaken for which."""
        return Explanation("\n".join(self._core.explain()))


def typing_tool(
    segments: Any,
    df: Any = None,
    questions: Sequence[str] | None = None,
    *,
    max_questions: int = 8,
    tolerance: float | None = 0.01,
    answers: int = 5,
    folds: int = 5,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> TypingTool:
    """Find the fewest questions that place new people in segments, and measure how well they do.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, labels, or name of a column of ``df``
        The segment of each customer; customers without one do not count.
    df : frame, optional
        One row per customer; by default the customers that the segmentation was found on.
    questions : sequence of str, optional
        Columns that can be asked; by default all but the segments, save identifiers and free text.
    max_questions : int
        Questions at most.
    tolerance : float, optional
        Share of the customers that may be placed wrongly for the sake of fewer questions: as few are asked as come within it, or
        within one standard error where that is more, of the best number. ``None`` asks ``max_questions``.
    answers : int
        Ranges of about equally many customers into which a number with more than eleven different values is cut.
    folds : int
        Parts of the cross-validation.
    confidence : float
        Confidence of the intervals.
    random_state : int, optional
        Seed of the folds. By default a new one is drawn and kept in the manifest.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    TypingTool
        With ``.table``, ``.questions``, ``.accuracy``, ``.confusion``, ``.scoring``, ``.to_python()``, ``.to_sql()``,
        ``.predict()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If fewer than two segments have customers, no column varies, or an option is not allowed.

    Notes
    -----
    The rule is naive Bayes: an answer is worth ``log((n + 1/2) / (N + a/2))`` points for a segment of which ``n`` of ``N``
    gave it, of ``a`` answers, and a segment starts with the logarithm of its size. It can be printed as a table and added up by
    hand, and copes with questions that are not answered. Questions are chosen one after the other, each the one with which
    most customers are placed rightly, every customer by points from which they are left out themselves [1]_; so a question
    that only repeats another is passed over. The accuracy is that of customers for whom both questions and points were
    chosen without them.

    References
    ----------
    .. [1] Langley and Sage (1994), Induction of selective Bayesian classifiers, UAI.

    Examples
    --------
    >>> import ilk
    >>> from ilk.profile import typing_tool
    >>> market = ilk.datasets.make_market(2000, random_state=1)
    >>> tool = typing_tool(market.truth.segment, market.customers, market.features, random_state=0)
    >>> len(tool.questions) <= 8 and tool.accuracy.value > tool.accuracy.largest
    True
    """
    seed = new_seed(random_state)
    frame, members = members_of(segments, df, questions, "questions")
    most, parts = whole("max_questions", max_questions, 1), whole("folds", folds, 2)
    given_up = None if tolerance is None else real("tolerance", tolerance)
    ranges = whole("answers", answers, 2)
    confidence = real("confidence", confidence)
    settings = {
        "questions": members["columns"],
        "max_questions": most,
        "tolerance": given_up,
        "answers": ranges,
        "folds": parts,
        "confidence": confidence,
    }
    with progress_bar(progress, "questions") as report:
        core = _core.segment_typing_tool(
            members,
            most,
            given_up,
            ranges,
            parts,
            confidence,
            seed,
            json.dumps(settings),
            report,
        )
    return TypingTool(core, frame.native)
