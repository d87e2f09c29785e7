"""How far apart the segments are, customer by customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._frame import to_native
from ilk._progress import progress_bar
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.quality._given import Given, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ilk._labels import Labels
    from ilk._progress import Progress


def silhouette(
    data: Any,
    segments: Any,
    *,
    method: Literal["exact", "simplified"] = "exact",
    features: Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    scale: Literal["auto", "standard", "range", "none"] | None = None,
    weights: Any = None,
    progress: Progress = "auto",
) -> Silhouettes:
    """Measure how well each customer lies in its segment.

    The width of a customer is the mean distance to the customers of the nearest other segment less that to its own, as
    a share of the larger [1]_: near 1 deep inside its segment, near 0 between two, below 0 nearer to another. A
    customer alone in a segment has width 0.

    Parameters
    ----------
    data : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    segments : Segmentation, fitted estimator, str, or array of shape (n_customers,)
        The segments: of :func:`ilk.segment`, with its features and scale, of an estimator with ``labels_``, a column of
        ``data``, or labels. Missing labels and numbers below 0 are left out.
    method : {"exact", "simplified"}
        ``"exact"`` takes every pair of customers, without ever holding all distances: time grows with the square of
        their number, memory does not. ``"simplified"`` takes the distances to the segments' centres in place of mean
        distances [2]_: fast on millions of customers, but other numbers, mostly higher ones.
    features, exclude : sequence of str, optional
        Columns to use, by default all; columns not to use.
    scale : {"auto", "standard", "range", "none"}, optional
        How amounts are brought to one scale, as for :func:`ilk.segment`. By default as the segments were found: that of
        a segmentation, ``"none"`` for a fitted estimator, else ``"auto"``.
    weights : str or array of shape (n_customers,), optional
        A column, or one number for each customer: a customer of weight 2 counts as two.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    Silhouettes
        One row per segment; ``.values`` has one row per customer.

    Raises
    ------
    DataError
        If labels and customers differ in number, there are fewer than two segments, or a value is not allowed.

    Notes
    -----
    Between amounts the distance is Euclidean. With categories or missing values it is the root of the cost of
    k-prototypes between two customers: squared differences of amounts plus gamma (half the mean standard deviation of
    the amounts) for each category that differs, over what both have, scaled up to all features.

    References
    ----------
    .. [1] Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20.
    .. [2] Hruschka, de Castro and Campello (2004), Evolutionary algorithms for clustering gene-expression data.

    Examples
    --------
    >>> from ilk.quality import silhouette
    >>> found = silhouette({"x": [0.0, 1.0, 10.0]}, [0, 0, 1], scale="none")
    >>> round(found.mean, 4)
    0.5963
    """
    if method not in ("exact", "simplified"):
        raise DataError(f'method: found {method!r}, but one of "exact", "simplified" is needed')
    given, labels = _given(data, segments, features, exclude, scale, weights)
    with progress_bar(progress, "silhouette") as report:
        core, unused = _core.quality_silhouette(
            given.core(distances=method), labels.codes, labels.names, method == "simplified", report
        )
    warn(unused)
    return Silhouettes(core, given.frame.native)


def shadow(
    data: Any,
    segments: Any,
    *,
    features: Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    scale: Literal["auto", "standard", "range", "none"] | None = None,
    weights: Any = None,
) -> Shadows:
    """Measure how near each customer is to the middle of its segment, and to those of the others.

    The shadow value [1]_ is twice the distance to the nearest middle over the sum of the distances to the two nearest:
    0 at a middle, 1 halfway to another. The similarity to a segment is the root of ``exp(-d)`` to its middle, as a share
    of the sum over all segments; its distribution over all customers is the gorge plot.

    Parameters
    ----------
    data, segments, features, exclude, scale, weights
        As for :func:`silhouette`.

    Returns
    -------
    Shadows
        One row per segment; ``.values`` has one row per customer.

    Raises
    ------
    DataError
        If labels and customers differ in number, or a value is not allowed.

    References
    ----------
    .. [1] Leisch (2010), Neighborhood graphs, stripes and shadow plots for cluster visualization, Statistics and
       Computing 20.

    Examples
    --------
    >>> from ilk.quality import shadow
    >>> found = shadow({"x": [0.0, 2.0, 10.0]}, [0, 0, 1], scale="none")
    >>> found.to_dict()["shadow"].round(3).tolist()
    [0.202, 0.0]
    """
    given, labels = _given(data, segments, features, exclude, scale, weights)
    core, unused = _core.quality_shadow(given.core(), labels.codes, labels.names)
    warn(unused)
    return Shadows(core, given.frame.native)


def _given(
    data: Any,
    segments: Any,
    features: Sequence[str] | None,
    exclude: str | Sequence[str] | None,
    scale: str | None,
    weights: Any,
) -> tuple[Given, Labels]:
    given = Given(
        data, features=features, exclude=exclude, scale=scale, weights=weights, labels=segments
    )
    if given.labels is None or not given.labels.names:
        raise DataError("segments: found no segment, but at least one is needed")
    return given, given.labels


class Silhouettes(Result):
    """Silhouette widths; made by :func:`silhouette`.

    ``.table`` has one row per segment: its size (of weights, their sum) and share, the mean and the lowest width, the
    share of customers who lie nearer to another segment (``misplaced``), and which that mostly is.

    Examples
    --------
    >>> from ilk.quality import silhouette
    >>> found = silhouette({"x": [0.0, 1.0, 10.0, 11.0]}, ["a", "a", "b", "b"], scale="none")
    >>> found.widths.round(2).tolist()
    [0.9, 0.89, 0.89, 0.9]
    """

    __slots__ = ()

    _wraps = _core.Silhouettes
    _title = "Silhouettes"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "share": "share", "misplaced": "share"}

    @property
    def mean(self) -> float:
        """Mean width over all customers."""
        mean: float = self._core.mean()
        return mean

    @property
    def widths(self) -> NDArray[np.float64]:
        """Width of each customer used."""
        widths: NDArray[np.float64] = self._core.arrays()[0]
        return widths

    @property
    def values(self) -> Any:
        """One row per customer used: its row, segment, nearest other segment and width."""
        return to_native(self._core.values(), self._native)

    def explain(self) -> Explanation:
        """How well the segments are separated, in words."""
        columns = self.to_dict()
        words = ((0.5, "clear"), (0.25, "weak"), (-1.0, "hardly any"))
        kind = next(word for bar, word in words if self.mean >= bar)
        how = " (simplified: distances to centres)" if self._core.simplified() else ""
        lines = [f"The mean silhouette is {self.mean:.2f}{how}: {kind} separation."]
        for row, name in enumerate(columns["segment"]):
            line = f"{name}: {columns['silhouette'][row]:.2f}"
            if columns["misplaced"][row] > 0:
                line += (
                    f"; {columns['misplaced'][row]:.0%} of its customers lie nearer to another segment, its neighbour "
                    f"is mostly {columns['neighbour'][row]}"
                )
            lines.append(f"{line}.")
        share = max(columns["share"])
        if share > 0.9:
            lines.append(
                f"One segment holds {share:.0%} of the customers: a high silhouette says little then, since outliers are "
                "far from everybody."
            )
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the widths of all customers, sorted within their segments; returns matplotlib Axes."""
        from ilk.plot import quality as plots

        return plots.silhouettes(self, ax)


class Shadows(Result):
    """Shadow values and similarities; made by :func:`shadow`.

    ``.table`` has one row per segment: its size and share, the mean shadow value of its customers, their mean
    similarity to its middle, and the segment that is mostly second-nearest.

    Examples
    --------
    >>> from ilk.quality import shadow
    >>> shadow({"x": [0.0, 2.0, 10.0]}, [0, 0, 1], scale="none").similarities.shape
    (3, 2)
    """

    __slots__ = ()

    _wraps = _core.Shadows
    _title = "Shadow values"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "share": "share",
        "shadow": "index",
        "similarity": "index",
    }

    @property
    def similarities(self) -> NDArray[np.float64]:
        """Similarity of each customer used to each segment's middle, shape (n_customers, n_segments)."""
        flat: NDArray[np.float64] = self._core.arrays()[1]
        return flat.reshape(-1, len(self._core.names()))

    @property
    def values(self) -> Any:
        """One row per customer used: its row, segment, nearest and second-nearest middle, shadow value."""
        return to_native(self._core.values(), self._native)

    def explain(self) -> Explanation:
        """Which segments stand apart and which blend into others."""
        columns = self.to_dict()
        lines = []
        for row, name in enumerate(columns["segment"]):
            value = columns["shadow"][row]
            kind = "stands apart" if value < 0.5 else "touches" if value < 0.75 else "blends into"
            other = columns["neighbour"][row]
            neighbour = f"; nearest is {other}" if value < 0.5 and other else f" {other}"
            lines.append(f"{name} {kind}{neighbour}: mean shadow value {value:.2f}.")
        lines.append("0 is a customer at the middle of a segment, 1 one halfway to another.")
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "gorge", *, axes: Any = None) -> Any:
        """Draw how near customers are to the middles; returns matplotlib Axes, one per segment.

        Parameters
        ----------
        kind : {"gorge", "shadow"}
            ``"gorge"``: for each segment the similarity of *all* customers to its middle, those of the segment apart;
            well separated segments show a gorge between many at the left and many at the right. ``"shadow"``: the
            shadow values of the customers of each segment.
        axes : sequence of Axes, optional
            Where to draw, one for each segment; by default a new figure.
        """
        from ilk.plot import quality as plots

        return plots.shadows(self, kind, axes)
