"""The traits that tell a segment apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._arguments import real, reals, whole
from ilk._frame import to_native
from ilk._progress import progress_bar
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.profile._members import members_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["Distinction", "distinguish"]

_CUTS = (0.25, 0.5, 0.75)


class Distinction(Result):
    """What tells each segment apart; made by :func:`distinguish`.

    ``.table`` has one row per set of traits: its ``segment`` and ``rank``, the ``traits`` in words and their number, the
    customers who hold all of them (``n``), the share of the segment (``covered``) and of all others (``leak``) who do, the
    share of the segment among them (``precision``, with its interval), that over the share of the segment among all
    (``lift``), the weighted relative accuracy (``wracc``), the probability of so many by chance (``p``; Fisher's exact test,
    one side) and the same for all sets that could have been chosen (``q``; Bonferroni), and whether no other set is better
    for certain. For the cover also whether the set ``separates`` the segment, and how many traits are needed ``at_least``.

    Examples
    --------
    >>> from ilk.profile import distinguish
    >>> df = {"pet": ["dog", "dog", "cat", "cat"], "garden": [1, 1, 1, 0]}
    >>> found = distinguish(["a", "a", "b", "b"], df)
    >>> found.sets["a"]
    [{'column': 'pet', 'in': ['dog'], 'missing': False}]
    """

    __slots__ = ()

    _wraps = _core.Distinction
    _title = "What tells segments apart"
    _formats: ClassVar[Mapping[str, str]] = {
        "rank": "count",
        "n_traits": "count",
        "n": "count",
        "covered": "share",
        "leak": "share",
        "precision": "share",
        "lift": "index",
        "at_least": "count",
    }

    @property
    def steps(self) -> Any:
        """One row per trait of a set: the share of the segment and of the others who hold it, and it and all before it."""
        return to_native(self._core.steps(), self._native)

    @property
    def sets(self) -> dict[str, list[dict[str, Any]]]:
        """The first set of each segment as plain data: a dict per condition.

        A condition names its ``column`` and has ``at_least`` and ``below`` (a number, a day as ISO text, or an ordered
        category) or ``in`` (categories).
        """
        first: dict[str, list[dict[str, Any]]] = {}
        for found in self.all_sets():
            first.setdefault(found["segment"], found["conditions"])
        return first

    def all_sets(self) -> list[dict[str, Any]]:
        """Every set as plain data: ``segment``, ``rank`` and ``conditions``."""
        sets: list[dict[str, Any]] = json.loads(self._core.data())
        return sets

    @property
    def method(self) -> str:
        """How traits were looked for."""
        return str(json.loads(self._core.method()))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw for the first set of each segment how it turns others away and keeps the segment, trait by trait.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.trees import distinction

        return distinction(self, ax)

    def explain(self) -> Explanation:
        """What tells each segment apart, how well, and whether that is certain."""
        return Explanation("\n".join(self._core.explain()))


def distinguish(
    segments: Any,
    df: Any = None,
    traits: Sequence[str] | None = None,
    *,
    max_traits: int | None = None,
    method: Literal["cover", "subgroup"] = "cover",
    coverage: float = 0.5,
    leak: float = 0.05,
    jointly: bool = True,
    top: int = 5,
    quantiles: Sequence[float] = _CUTS,
    confidence: float = 0.95,
    progress: Progress = "auto",
) -> Distinction:
    """Find the smallest set of traits that tells each segment from all other customers.

    A trait is a category (``region is north``) or a side of a cut (``age at least 40``).

    Parameters
    ----------
    segments : Segmentation, fitted estimator, labels, or name of a column of ``df``
        The segment of each customer; customers without one do not count.
    df : frame, optional
        One row per customer; by default the customers that the segmentation was found on.
    traits : sequence of str, optional
        Columns to take traits from; by default all but the segments, save identifiers and free text.
    max_traits : int, optional
        Traits of a set at most, up to 12; by default 5 for the cover and 3 for subgroups.
    method : {"cover", "subgroup"}
        ``"cover"``: the smallest set that tells the segment apart. ``"subgroup"``: the subgroups in which the segment is most
        over-represented.
    coverage : float
        For the cover: the share of the segment that must hold the set.
    leak : float
        For the cover: the share of all other customers that may hold all of the set.
    jointly : bool
        For the cover: whether ``coverage`` is asked of the set as a whole, or of each of its traits alone.
    top : int
        For subgroups: how many to list for each segment.
    quantiles : sequence of float
        Where numbers with more than ten different values are cut. Others are cut between all their values.
    confidence : float
        Confidence of the intervals.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    Distinction
        With ``.table``, ``.steps``, ``.sets``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If fewer than two segments have customers, no column varies, or an option is not allowed.

    Notes
    -----
    S5-CHAR-01. *Cover.* A set of traits tells a segment apart if at least ``coverage`` of its customers hold all of it and at
    most ``leak`` of the other customers do: every other customer, but for that share, lacks at least one of the traits. The
    smallest such set is found exactly, by branch and bound for one trait, two, and so on; of the smallest sets it is the one
    that most of the segment hold, then the one that fewest others hold. The search reads a bounded number of bits; where that
    is used up the set is grown by the trait that turns most others away, ``certain`` is false, and ``at_least`` tells how many
    traits are needed for certain. With ``jointly=False`` such a set has at most ``1 + 1/2 + ... + 1/m`` times as many traits
    as the smallest, where ``m`` is how many others are to be turned away [1]_.

    *Subgroup.* Subgroups are conjunctions of up to ``max_traits`` traits, ranked by weighted relative accuracy,
    ``n/N (t/n - P/N)`` for ``t`` of ``P`` customers of the segment among ``n`` of all ``N`` [2]_. The search is exact: a
    branch ends where even a part that loses no customer of the segment and keeps nobody else could not enter the list [3]_.
    A subgroup is listed only if each of its traits adds to its accuracy. Where the bound on bits is used up a beam of 100
    goes on, and ``certain`` is false.

    A missing value has no trait of its column. The traits were chosen on the same customers that they are judged on; ``q``
    allows for that, the intervals of single sets do not.

    References
    ----------
    .. [1] Wolsey (1982), An analysis of the greedy algorithm for the submodular set covering problem, Combinatorica 2.
    .. [2] Lavrac, Flach and Zupan (1999), Rule evaluation measures: a unifying view, ILP-99.
    .. [3] Grosskreutz, Rueping and Wrobel (2008), Tight optimistic estimates for fast subgroup discovery, ECML PKDD.

    Examples
    --------
    >>> from ilk.profile import distinguish
    >>> df = {"age": [25, 31, 28, 64, 70, 66], "pet": ["dog", "cat", "cat", "cat", "dog", "cat"]}
    >>> found = distinguish(["young"] * 3 + ["old"] * 3, df)
    >>> found.to_dict()["traits"]
    ['age at least 40', 'age below 40']
    """
    if method not in ("cover", "subgroup"):
        raise DataError(f"method: found {method!r}, but 'cover' or 'subgroup' is needed")
    most = whole(
        "max_traits", (5 if method == "cover" else 3) if max_traits is None else max_traits
    )
    listed = whole("top", top, 1)
    frame, members = members_of(segments, df, traits, "traits")
    cuts = reals("quantiles", quantiles)
    covered, others = real("coverage", coverage), real("leak", leak)
    confidence = real("confidence", confidence)
    settings = {
        "traits": members["columns"],
        "method": method,
        "max_traits": most,
        "quantiles": cuts,
        "confidence": confidence,
    }
    if method == "cover":
        settings |= {"coverage": covered, "leak": others, "jointly": bool(jointly)}
    else:
        settings |= {"top": listed}
    with progress_bar(progress, "traits") as report:
        core = _core.distinguish_segments(
            members,
            method,
            most,
            listed,
            covered,
            others,
            bool(jointly),
            cuts,
            False,
            confidence,
            json.dumps(settings),
            report,
        )
    return Distinction(core, frame.native)
