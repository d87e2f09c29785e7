"""Segments retold as a decision tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ilk import _core
from ilk._arguments import real, reals_by_name, whole
from ilk._frame import to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.profile._members import members_of, placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["Fidelity", "SegmentRules", "rules"]


class Fidelity(NamedTuple):
    """How many customers are placed in their own segment by rules or questions that had not seen them."""

    #: Share of the customers.
    value: float
    #: Ends of its interval (Wilson).
    lo: float
    hi: float
    #: Share of the largest segment: what naming it for everybody would give.
    largest: float


class SegmentRules(Result):
    """Segments as rules of a small decision tree; made by :func:`rules`.

    ``.table`` has one row per rule: the ``segment`` that it names, the ``rule`` in words, the number of its ``conditions``,
    its customers (``n``) and their ``share``, the share of them that are of the segment (``precision``, with its interval)
    and the share of the segment that it finds (``covered``).

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.profile import rules
    >>> age = np.arange(20, 80)
    >>> found = rules(np.where(age < 50, "young", "old"), {"age": age}, random_state=0)
    >>> print(found.to_text())
    age below 50: young (100 % of 30)
    age at least 50: old (100 % of 30)
    >>> found.predict({"age": [33, 77]}).tolist()
    ['young', 'old']
    """

    __slots__ = ()

    _wraps = _core.Rules
    _title = "Segments as rules"
    _formats: ClassVar[Mapping[str, str]] = {
        "conditions": "count",
        "n": "count",
        "share": "share",
        "precision": "share",
        "covered": "share",
    }

    @property
    def fidelity(self) -> Fidelity:
        """Share of the customers whose segment the rules give, where they had not seen them, with its interval."""
        return Fidelity(*self._core.fidelity())

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules as plain data: ``segment``, ``n``, ``precision`` and ``conditions``.

        A condition names its ``column`` and has ``at_least`` and ``below`` (a number, a day as ISO text, or an ordered
        category) or ``in`` (categories), and says whether it holds where the value is ``missing``.
        """
        data: list[dict[str, Any]] = json.loads(self._core.data())
        return data

    @property
    def columns(self) -> list[str]:
        """The columns that the rules need."""
        columns: list[str] = self._core.columns()
        return columns

    @property
    def importance(self) -> Any:
        """The columns with their share of what all splits of the tree gain (Gini impurity)."""
        return to_native(self._core.importance(), self._native)

    @property
    def pruning(self) -> Any:
        """The trees of all sizes with their fidelity; the one that was taken is ``chosen``."""
        return to_native(self._core.pruning(), self._native)

    @property
    def confusion(self) -> Any:
        """Customers of each segment by the segment in which rules that had not seen them placed them."""
        return to_native(self._core.confusion(), self._native)

    def predict(self, df: Any) -> Any:
        """Segments of new customers by the rules: a categorical Series in pandas and polars, else an array of names.

        Parameters
        ----------
        df : frame
            With the columns of :attr:`columns`. A category that was not met before counts as missing, and is warned of.
        """
        return placed(self._core, df)

    def to_text(self) -> str:
        """The tree as indented text, each leaf with its segment and how sure it is."""
        text: str = self._core.text()
        return text

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the tree from left to right; each leaf has a bar of the segments in it.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.trees import tree

        return tree(self, ax)

    def explain(self) -> Explanation:
        """How faithful the rules are, and each of them as a sentence."""
        return Explanation("\n".join(self._core.explain()))


def rules(
    segments: Any,
    df: Any = None,
    traits: Sequence[str] | None = None,
    *,
    max_depth: int = 4,
    max_leaves: int = 24,
    min_leaf: int | None = None,
    cost: Mapping[str, float] | None = None,
    tolerance: float | None = 0.01,
    folds: int = 5,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> SegmentRules:
    """Retell segments as a small decision tree, and measure how faithful it is.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, labels, or name of a column of ``df``
        The segment of each customer; customers without one do not count.
    df : frame, optional
        One row per customer; by default the customers that the segmentation was found on.
    traits : sequence of str, optional
        Columns that rules may use; by default all but the segments, save identifiers and free text.
    max_depth, max_leaves : int
        Conditions of a rule at most, and rules at most. The tree grows at the leaf whose split gains most.
    min_leaf : int, optional
        Customers of a rule at least; by default the larger of 5 and half a percent.
    cost : mapping of str to float, optional
        What it costs to know a column, by its name; 1 for those not named. What a split gains is divided by the cost of its
        column when splits are compared, so that dear columns are asked only where they tell much more.
    tolerance : float, optional
        Fidelity that may be given up for a smaller tree; ``None`` for a tree that is not cut back.
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
    SegmentRules
        With ``.table``, ``.fidelity``, ``.rules``, ``.to_text()``, ``.predict()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If fewer than two segments have customers, no column varies, or an option is not allowed.

    Notes
    -----
    S5-CHAR-01. The tree is a CART [1]_: every split lowers the Gini impurity most. Numbers, dates and ordered categories are cut
    in two, at a cut that reads well; numbers with more than 254 different values only at 253 quantiles. Other categories are
    put into two groups: all ways are tried for up to eight of them, with more those along the first principal component of
    the shares of the segments [2]_. Missing values go to the side of the split where they do better, and to the larger side
    where none was missing before.

    The tree is cut back by cost-complexity pruning: the smallest tree whose fidelity is within ``tolerance`` of the
    best in a cross-validation, or within one standard error where that is more. The fidelity is that of trees that had not seen the customers; as these trees also chose the
    size, it may be too high by a fraction of its standard error. Its interval is Wilson's.

    References
    ----------
    .. [1] Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees.
    .. [2] Coppersmith, Hong and Hosking (1999), Partitioning nominal attributes in decision trees, Data Mining and Knowledge
       Discovery 3.

    Examples
    --------
    >>> import ilk
    >>> from ilk.profile import rules
    >>> market = ilk.datasets.make_market(2000, random_state=1)
    >>> found = rules(market.truth.segment, market.customers, market.features, random_state=0)
    >>> found.fidelity.value > found.fidelity.largest
    True
    """
    seed = new_seed(random_state)
    frame, members = members_of(segments, df, traits, "traits")
    depth, leaves = whole("max_depth", max_depth, 1), whole("max_leaves", max_leaves, 1)
    parts = whole("folds", folds, 2)
    least = None if min_leaf is None else whole("min_leaf", min_leaf, 1)
    given_up = None if tolerance is None else real("tolerance", tolerance)
    costs = reals_by_name("cost", cost)
    confidence = real("confidence", confidence)
    settings = {
        "traits": members["columns"],
        "max_depth": depth,
        "max_leaves": leaves,
        "min_leaf": least,
        "cost": costs,
        "tolerance": given_up,
        "folds": parts,
        "confidence": confidence,
    }
    with progress_bar(progress, "rules") as report:
        core = _core.segment_rules(
            members,
            depth,
            leaves,
            least,
            list(costs.items()),
            given_up,
            parts,
            confidence,
            seed,
            json.dumps(settings),
            report,
        )
    return SegmentRules(core, frame.native)
