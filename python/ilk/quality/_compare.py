"""How far two labellings of the same customers agree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._frame import to_native
from ilk._labels import labels_of
from ilk._result import Explanation, Result
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def compare(a: Any, b: Any, *, weights: Any = None) -> Comparison:
    """Hold two labellings of the same customers against each other.

    Parameters
    ----------
    a, b : Segmentation, fitted estimator, Series or array of shape (n_customers,)
        The two labellings, in the same order of customers. Missing labels and numbers below 0 are left out, counted.
    weights : array of shape (n_customers,), optional
        A customer of weight 2 counts as two.

    Returns
    -------
    Comparison
        Adjusted Rand index [1]_, Rand index, normalised mutual information [2]_ (arithmetic mean), Jaccard index of the
        pairs, the cross-table, and the segments matched one to one so that as many customers as possible agree [3]_.

    Raises
    ------
    DataError
        If the labellings differ in length, or no customer has both.

    References
    ----------
    .. [1] Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2.
    .. [2] Strehl and Ghosh (2002), Cluster ensembles, Journal of Machine Learning Research 3.
    .. [3] Kuhn (1955), The Hungarian method for the assignment problem, Naval Research Logistics 2.

    Examples
    --------
    >>> from ilk.quality import compare
    >>> found = compare([1, 1, 1, 2, 2, 2, 3, 3, 3, 3], [1, 1, 2, 2, 2, 3, 3, 3, 3, 1])
    >>> round(found.adjusted_rand, 6)
    0.204545
    >>> found.matching
    {'1': '1', '2': '2', '3': '3'}
    """
    first, second = labels_of(a, "a"), labels_of(b, "b")
    for argument, labels in (("a", first), ("b", second)):
        if not labels.names:
            raise DataError(f"{argument}: found no segment, but at least one is needed")
    if weights is not None:
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        if weights.shape != first.codes.shape:
            raise DataError(
                f"weights: found {weights.size} weights, but there are {first.codes.size} customers"
            )
    settings = json.dumps({"weights": None if weights is None else "given"})
    return Comparison(
        _core.quality_compare(
            (first.codes, first.names), (second.codes, second.names), weights, settings
        )
    )


class Comparison(Result):
    """Two labellings side by side; made by :func:`compare`.

    ``.table`` has one row per segment of the first: its size, the segment of the second that it is matched with (none
    where the second has fewer), the customers they share, these as a share of the first, and their Jaccard index.

    Examples
    --------
    >>> from ilk.quality import compare
    >>> compare(["x", "x", "y", "z"], [0, 0, 1, 1]).crosstab.to_dict("records")[0]
    {'a': 'x', 'b': '0', 'n': 2.0, 'jaccard': 1.0}
    """

    __slots__ = ()

    _wraps = _core.Comparison
    _title = "Two labellings compared"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "shared": "count",
        "kept": "share",
        "jaccard": "index",
    }

    @property
    def adjusted_rand(self) -> float:
        """Adjusted Rand index: 1 the same segments, 0 no more alike than by chance."""
        return float(self._core.scores()[0])

    @property
    def rand(self) -> float:
        """Rand index: the share of pairs of customers that both put together or both keep apart."""
        return float(self._core.scores()[1])

    @property
    def nmi(self) -> float:
        """Normalised mutual information: what one labelling tells of the other, from 0 to 1."""
        return float(self._core.scores()[2])

    @property
    def jaccard(self) -> float:
        """Of the pairs of customers that either puts together, the share that both do."""
        return float(self._core.scores()[3])

    @property
    def crosstab(self) -> Any:
        """One row per pair of segments: customers in both, and the Jaccard index."""
        return to_native(self._core.crosstab(), self._native)

    @property
    def matching(self) -> dict[str, str | None]:
        """For each segment of the first labelling the one of the second that it is matched with."""
        _, first, second = self._core.counts()
        return {
            name: None if to is None else second[to]
            for name, to in zip(first, self._core.matching(), strict=True)
        }

    @property
    def counts(self) -> NDArray[np.float64]:
        """Customers in each pair of segments, shape (segments of the first, segments of the second)."""
        counts, first, _ = self._core.counts()
        shaped: NDArray[np.float64] = counts.reshape(len(first), -1)
        return shaped

    def explain(self) -> Explanation:
        """How far the two agree, in words."""
        counts, matching = self.counts, self._core.matching()
        agreed = sum(counts[row, to] for row, to in enumerate(matching) if to is not None)
        bars = (
            (0.9, "nearly the same"),
            (0.65, "alike"),
            (0.3, "related"),
            (-1.0, "hardly related"),
        )
        kind = next(word for bar, word in bars if self.adjusted_rand >= bar)
        lines = [
            f"The two labellings are {kind}: adjusted Rand index {self.adjusted_rand:.2f}, normalised mutual "
            f"information {self.nmi:.2f}; with segments matched one to one, {agreed / counts.sum():.0%} of the customers "
            "are in the same."
        ]
        columns = self.to_dict()
        for row, name in enumerate(columns["a"]):
            if matching[row] is None:
                lines.append(f"{name} has no counterpart.")
            else:
                lines.append(
                    f"{name} is {columns['b'][row]}, which keeps {columns['kept'][row]:.0%} of it (Jaccard index "
                    f"{columns['jaccard'][row]:.2f})."
                )
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the cross-table, matched segments on the diagonal; returns matplotlib Axes."""
        from ilk.plot import quality as plots

        return plots.comparison(self, ax)
