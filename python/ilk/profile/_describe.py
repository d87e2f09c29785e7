"""Tests of descriptors over the segments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import column_name, real
from ilk._frame import require_columns, to_native
from ilk._labels import labelled, own_columns
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.profile._profile import named_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["SegmentDescription", "describe"]

_TESTS = ("welch", "anova", "kruskal")
_ADJUSTMENTS = ("bh", "holm")


class SegmentDescription(Result):
    """Which descriptors differ between segments; made by :func:`describe`.

    ``.table`` has one row per descriptor and test, each by its name, with its ``statistic``, degrees of freedom, p and
    adjusted p (``q``), its ``effect`` by name (``measure``) and in a word (``size``), and whether it is the test that
    ``decides`` on the descriptor.

    - Categories and columns of 0 and 1: Pearson's chi squared with Cramér's V. Where an expected count is below 1 or more
      than a fifth of them are below 5 [1]_, Fisher's exact test of two by two, else p from random tables with the same
      totals (Monte Carlo).
    - Numbers and dates: Welch's analysis of variance [2]_ and the ordinary one, both with eta squared, and Kruskal and
      Wallis' test by ranks, corrected for ties [3]_, with epsilon squared [4]_.

    Words are Cohen's [5]_: eta squared and epsilon squared 0.01, 0.06, 0.14; V times the root of the smaller number of
    categories or segments less 1, and 0.1, 0.3, 0.5; d 0.2, 0.5, 0.8. Each test is adjusted together with those that decide
    on the other descriptors.

    References
    ----------
    .. [1] Cochran (1954), Some methods for strengthening the common chi squared tests, Biometrics 10.
    .. [2] Welch (1951), On the comparison of several mean values, Biometrika 38.
    .. [3] Kruskal and Wallis (1952), Journal of the American Statistical Association 47.
    .. [4] Tomczak and Tomczak (2014), The need to report effect size estimates revisited, Trends in Sport Sciences 21.
    .. [5] Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.

    Examples
    --------
    >>> from ilk.profile import describe
    >>> people = {"group": list("aaaabbbb"), "age": [21, 24, 29, 25, 48, 51, 60, 44]}
    >>> describe("group", ["age"], people).to_dict()["test"]
    ['Welch ANOVA', 'ANOVA', 'Kruskal-Wallis']
    """

    __slots__ = ()

    _wraps = _core.SegmentDescription
    _title = "Which descriptors differ between the segments"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "effect": "index", "p": "p", "q": "p"}

    @property
    def pairs(self) -> Any:
        """One row per pair of segments, of the descriptors that differ (q < 0.05).

        Numbers are compared by Welch's t, or by Dunn's z [1]_ where Kruskal and Wallis' test decides, with Cohen's d; categories
        as the descriptor itself. ``q`` is adjusted by Holm over the pairs of a descriptor.

        References
        ----------
        .. [1] Dunn (1964), Multiple comparisons using rank sums, Technometrics 6.
        """
        return to_native(self._core.pairs(), self._native)

    @property
    def amounts(self) -> Any:
        """One row per number and segment: the mean with its interval (Student's t), standard deviation, five numbers.

        ``quarter``, ``median`` and ``three_quarters`` are the first value at which that share of the segment is reached, or
        the middle between it and the next where it is reached exactly.
        """
        return to_native(self._core.amounts(), self._native)

    @property
    def counts(self) -> Any:
        """One row per category and segment: count, expected count, share with Wilson's interval, adjusted residual."""
        return to_native(self._core.counts(), self._native)

    def explain(self) -> Explanation:
        """Which descriptors differ, by how much, and which segments stand apart."""
        return Explanation("\n".join(self._core.explain()))

    def plot(self, descriptor: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw the effects of all descriptors, or one descriptor by segment.

        Parameters
        ----------
        descriptor : str, optional
            A column of categories is drawn as a mosaic, numbers as boxes (quartiles, median, whiskers to the smallest and
            largest value) with the mean and its interval. By default the effect of each descriptor is drawn as a bar.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot import profile_describe as plots

        return plots.plot(self, descriptor, ax=ax)


def describe(
    segments: Any,
    descriptors: Sequence[str] | None = None,
    df: Any = None,
    *,
    numbers: str = "welch",
    adjust: str = "bh",
    weights: str | None = None,
    confidence: float = 0.95,
    n_resamples: int = 9999,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> SegmentDescription:
    """Test which descriptors differ between segments.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, Series, array, or name of a column of ``df``
        One segment for each row. Customers without one do not count.
    descriptors : sequence of str, optional
        Columns; by default all but the segments and the weights, without identifiers, columns with more than 50 categories
        and columns without a value.
    df : frame, optional
        One row per customer; by default the customers that a segmentation was found on.
    numbers : {"welch", "anova", "kruskal"}
        The test that decides on numbers and dates; the others are told too.
    adjust : {"bh", "holm"}
        How p-values are adjusted over the descriptors: Benjamini and Hochberg (share of false finds) or Holm (chance of any).
    weights : str, optional
        Column with what each row counts for, see :func:`profile`.
    confidence : float
        Of the intervals.
    n_resamples : int
        Random tables where chi squared does not hold.
    random_state : int, optional
        Seed of the random tables.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    SegmentDescription
        With ``.table``, ``.pairs``, ``.amounts``, ``.counts``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    DataError
        If fewer than two segments have customers, a named column has no value, or an option is not allowed.
    MissingColumnError
        If a column is not there.

    Notes
    -----
    Descriptors are columns that the segments were not found on; of the others a test says what the clustering has made.

    Examples
    --------
    >>> from ilk.profile import describe
    >>> people = {
    ...     "group": list("aaaabbbb"),
    ...     "age": [21, 24, 29, 25, 48, 51, 60, 44],
    ...     "city": ["york", "york", "york", "hull", "hull", "hull", "hull", "hull"],
    ... }
    >>> found = describe("group", df=people, random_state=0).to_dict()
    >>> found["test"][-1], round(float(found["p"][-1]), 4)
    ("Fisher's exact", 0.1429)
    """
    for argument, value, allowed in (
        ("numbers", numbers, _TESTS),
        ("adjust", adjust, _ADJUSTMENTS),
    ):
        if value not in allowed:
            options = ", ".join(f'"{name}"' for name in allowed)
            raise DataError(f"{argument}: found {value!r}, but one of {options} is needed")
    if (
        isinstance(n_resamples, bool)
        or not isinstance(n_resamples, int)
        or not 99 <= n_resamples <= 1_000_000
    ):
        raise DataError(
            f"n_resamples: found {n_resamples!r}, but a whole number from 99 to 1,000,000 is needed; "
            "try: n_resamples=9999"
        )
    if isinstance(descriptors, Mapping) or hasattr(descriptors, "columns"):
        raise TypeError(
            f"descriptors: found a {type(descriptors).__name__}, but names of columns are needed; "
            'try: .describe(["age"], df)'
        )
    frame, labels = labelled(segments, df)
    named = named_columns("descriptors", descriptors, frame.columns)
    if weights is not None:
        require_columns([column_name("weights", weights)], frame.columns)
    confidence = real("confidence", confidence)
    seed = new_seed(random_state)
    settings = {
        "descriptors": named,
        "numbers": numbers,
        "adjust": adjust,
        "weights": weights,
        "confidence": confidence,
        "n_resamples": n_resamples,
    }
    with progress_bar(progress, "describe") as report:
        core = _core.describe_segments(
            frame.core,
            labels.codes,
            labels.names,
            named,
            own_columns(segments, frame, labels),
            weights,
            confidence,
            numbers,
            adjust,
            n_resamples,
            seed,
            json.dumps(settings),
            report,
        )
    return SegmentDescription(core, frame.native)
