"""Whether the same segments come back on other samples of customers, and in other numbers of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk._frame import to_dict, to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.quality._given import Given, count, numbers_of, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ilk._labels import Labels
    from ilk._methods import Method
    from ilk._progress import Progress

#: Median adjusted Rand index from which solutions count as nearly the same, and as alike.
_SAME, _ALIKE = 0.9, 0.7


def stability(
    data: Any,
    *,
    k: Iterable[int] = range(2, 9),
    n_boot: int = 100,
    method: Method = "auto",
    features: Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    scale: Literal["auto", "standard", "range", "none"] = "auto",
    weights: Any = None,
    n_init: int = 10,
    sample_size: int = 20_000,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> Stability:
    """Measure how well solutions with each number of segments repeat.

    Pairs of bootstrap samples are drawn; both are segmented, all customers are given to the nearest segment of each,
    and the adjusted Rand index [1]_ of the two labellings is kept [2]_. Where the market has natural segments, the
    index is near 1 for their number; where it is low for every number, segments depend on who happened to be asked.

    Parameters
    ----------
    data : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    k : iterable of int
        Numbers of segments.
    n_boot : int
        Pairs of bootstrap samples.
    method : {"auto", "kmeans", "kprototypes", "gaussian_mixture", "latent_class"}
        ``"auto"`` is k-means where every feature is an amount and nothing is missing, else k-prototypes.
    features, exclude : sequence of str, optional
        Columns to use, by default all; columns not to use.
    scale : {"auto", "standard", "range", "none"}
        How amounts are brought to one scale; see :func:`ilk.segment`.
    weights : str or array of shape (n_customers,), optional
        A column, or one number for each customer: customers are drawn and compared by weight.
    n_init : int
        Starts of each fit. One start shows how much of the instability is that of the algorithm.
    sample_size : int
        Customers at most; of more, a random sample is taken and the manifest says so.
    random_state : int, optional
        Seed of everything random. By default a new one is drawn and kept in the manifest.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    Stability
        One row per number of segments; ``.values`` has every pair.

    Raises
    ------
    DataError
        If an option or a value is not allowed, or there are fewer customers than segments.

    References
    ----------
    .. [1] Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2.
    .. [2] Dolnicar and Leisch (2010), Evaluation of structure and reproducibility of cluster solutions using the
       bootstrap, Marketing Letters 21.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import stability
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(300, 2)) + 8 * np.repeat([[0, 0], [1, 0], [0, 1]], 100, axis=0)
    >>> found = stability(groups, k=(2, 3, 4), n_boot=20, random_state=0)
    >>> found.k
    3
    """
    given = Given(
        data, features=features, exclude=exclude, scale=scale, weights=weights, method=method
    )
    numbers = numbers_of(k)
    seed = new_seed(random_state)
    options = {
        "n_boot": count("n_boot", n_boot, 1),
        "n_init": count("n_init", n_init, 1),
        "sample_size": count("sample_size", sample_size, 2),
    }
    with progress_bar(progress, "stability") as report:
        core, unused = _core.quality_stability(
            given.core(seed, k=numbers, **options),
            numbers,
            options["n_boot"],
            options["n_init"],
            options["sample_size"],
            seed,
            report,
        )
    found = Stability(core, given.frame.native)
    warn(unused, [note for note in found.manifest["notes"] if "differ" in note])
    return found


class Stability(Result):
    """How well each number of segments repeats; made by :func:`stability`.

    ``.table`` has one row per number: mean adjusted Rand index with the middle 95 % of the pairs, median and quartiles.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import stability
    >>> rng = np.random.default_rng(0)
    >>> found = stability(rng.normal(size=(200, 2)), k=(2, 3), n_boot=10, random_state=0)
    >>> len(found.values)
    20
    """

    __slots__ = ()

    _wraps = _core.Stability
    _title = "Stability by number of segments"
    _formats: ClassVar[Mapping[str, str]] = {
        name: "index" for name in ("adjusted_rand", "median", "q25", "q75")
    }

    @property
    def values(self) -> Any:
        """Adjusted Rand index of every pair: one row per number of segments and pair."""
        return to_native(self._core.values(), self._native)

    @property
    def k(self) -> int:
        """The number that repeats best: the largest whose median is at most 0.02 below the highest."""
        columns = self.to_dict()
        medians = columns["median"]
        return int(columns["k"][np.flatnonzero(medians >= medians.max() - 0.02)[-1]])

    def explain(self) -> Explanation:
        """Which numbers of segments repeat, in words."""
        columns = self.to_dict()
        at = list(columns["k"]).index(self.k)
        median = columns["median"][at]
        pairs = len(to_dict(self._core.values())["k"]) // len(columns["k"])
        if median >= _SAME:
            kind = "nearly the same segments come back: they are in the data"
        elif median >= _ALIKE:
            kind = (
                "similar segments come back: the data has structure, and segments can be reproduced"
            )
        else:
            kind = (
                "the segments change with the customers who happen to be drawn: they are a way to cut the market, "
                "not groups that exist by themselves"
            )
        lines = [
            f"{self.k} segments repeat best. On {pairs} pairs of bootstrap samples the median adjusted Rand index is "
            f"{median:.2f} (half of the pairs lie between {columns['q25'][at]:.2f} and {columns['q75'][at]:.2f}); {kind}.",
            "Medians: "
            + ", ".join(
                f"{k} segments {m:.2f}"
                for k, m in zip(columns["k"], columns["median"], strict=True)
            )
            + ". 1 is the same segments every time, 0 no more alike than by chance.",
        ]
        alike = [
            str(k) for k, m in zip(columns["k"], columns["median"], strict=True) if m >= _ALIKE
        ]
        if alike:
            lines.append(
                f"Similar segments come back (median of at least {_ALIKE}) with {', '.join(alike)} segments."
            )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw a box of the adjusted Rand indices for each number of segments; returns matplotlib Axes."""
        from ilk.plot import quality as plots

        return plots.stability(self, ax)


def segment_stability(
    data: Any,
    segments: Any = None,
    *,
    k: int | None = None,
    across: Iterable[int] = range(2, 9),
    n_boot: int = 100,
    method: Method = "auto",
    features: Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    scale: Literal["auto", "standard", "range", "none"] | None = None,
    weights: Any = None,
    n_init: int = 10,
    sample_size: int = 20_000,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> SegmentStability:
    """Ask of each segment whether it comes back: on other samples, and with other numbers of segments.

    Within the solution, bootstrap samples are segmented anew, and each segment is looked for among the segments found
    there. The mean of the best Jaccard index says how it fares [1]_: from 0.85 highly stable, from 0.75 stable, from
    0.6 a pattern whose members are in doubt, below it dissolves.

    Across solutions, customers are segmented into each number of ``across``, and for each segment the entropy of the
    segments that its members come from, one number before, is measured [2]_: 1 says that they were together already, 0
    that they come from everywhere in equal parts.

    Parameters
    ----------
    data : frame of shape (n_customers, n_columns)
        The customers that were segmented.
    segments : Segmentation, fitted estimator, str, or array of shape (n_customers,), optional
        The segments: of :func:`ilk.segment`, with its features and scale, of an estimator with ``labels_``, a column of
        ``data``, or labels. Where none are given, ``k`` segments are made.
    k : int, optional
        Number of segments to make where none are given.
    across : iterable of int
        Numbers of segments to follow the segments through; empty for none.
    n_boot : int
        Bootstrap samples.
    scale : {"auto", "standard", "range", "none"}, optional
        How amounts are brought to one scale. By default as the segments were found: that of a segmentation, ``"none"``
        for a fitted estimator, else ``"auto"``.
    method, features, exclude, weights, sample_size, random_state, progress
        As for :func:`stability`.
    n_init : int
        Starts of each fit.

    Returns
    -------
    SegmentStability
        One row per segment; ``.across`` has one row per segment of each number.

    Raises
    ------
    DataError
        If an option or a value is not allowed.

    References
    ----------
    .. [1] Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics and Data Analysis 52.
    .. [2] Dolnicar and Leisch (2017), Using segment level stability to select target segments in data-driven market
       segmentation studies, Marketing Letters 28.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import segment_stability
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(300, 2)) + 8 * np.repeat([[0, 0], [1, 0], [0, 1]], 100, axis=0)
    >>> found = segment_stability(groups, np.repeat([0, 1, 2], 100), n_boot=20, random_state=0)
    >>> list(found.to_dict()["verdict"])
    ['highly stable', 'highly stable', 'highly stable']
    """
    seed = new_seed(random_state)
    if segments is None:
        segments, data = _made(data, k, method, features, exclude, scale or "auto", weights, seed)
    elif k is not None:
        raise DataError(f"k: found {k!r}, but the segments are given; leave one of the two out")
    given = Given(
        data,
        features=features,
        exclude=exclude,
        scale=scale,
        weights=weights,
        method=method,
        labels=segments,
    )
    labels = _required(given.labels)
    numbers = list(across)
    numbers = numbers_of(numbers) if numbers else []
    options = {
        "n_boot": count("n_boot", n_boot, 1),
        "n_init": count("n_init", n_init, 1),
        "sample_size": count("sample_size", sample_size, 2),
    }
    with progress_bar(progress, "segment_stability") as report:
        core, unused = _core.quality_segments(
            given.core(seed, across=numbers, **options),
            labels.codes,
            labels.names,
            numbers,
            options["n_boot"],
            options["n_init"],
            options["sample_size"],
            seed,
            report,
        )
    warn(unused)
    return SegmentStability(core, given.frame.native)


def _required(labels: Labels | None) -> Labels:
    if labels is None or not labels.names:
        raise DataError("segments: found no segment, but at least one is needed")
    return labels


def _made(
    data: Any,
    k: int | None,
    method: Any,
    features: Sequence[str] | None,
    exclude: str | Sequence[str] | None,
    scale: Any,
    weights: Any,
    seed: int,
) -> tuple[Any, Any]:
    """Segments of the customers, and the customers as a frame that was read once."""
    from ilk._frame import Frame
    from ilk.segments import segment

    if k is None:
        raise DataError("segments: found None, but segments or their number are needed; try: k=4")
    if weights is not None and not isinstance(weights, str):
        raise DataError(
            "weights: found an array, but segments are made with a column of weights; "
            'try: weights="column"'
        )
    frame = Frame.of(data, name="data")
    found = segment(
        frame,
        features,
        method,
        count("k", k, 1),
        exclude,
        weights,
        scale,
        random_state=seed,
        progress=False,
    )
    return found, frame


class SegmentStability(Result):
    """Stability of each segment; made by :func:`segment_stability`.

    ``.table`` has one row per segment: its share, the mean Jaccard index with the middle 95 % of the samples, median,
    quartiles, the shares of samples in which it was recovered (0.75 and more) and dissolved (0.5 and less), and the
    verdict.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import segment_stability
    >>> rng = np.random.default_rng(0)
    >>> found = segment_stability(rng.normal(size=(200, 2)), k=3, n_boot=10, random_state=0)
    >>> sorted(set(found.across["k"]))
    [2, 3, 4, 5, 6, 7, 8]
    """

    __slots__ = ()

    _wraps = _core.SegmentStability
    _title = "Stability of each segment"
    _formats: ClassVar[Mapping[str, str]] = {
        "share": "share",
        "recovered": "share",
        "dissolved": "share",
        **{name: "index" for name in ("jaccard", "median", "q25", "q75")},
    }

    @property
    def values(self) -> Any:
        """Jaccard index of every segment in every sample; missing where none of it was drawn."""
        return to_native(self._core.values(), self._native)

    @property
    def across(self) -> Any:
        """One row per segment of each number: its share, its stability (1 less the entropy of origin), its main origin.

        The first number has no origin: its stability is missing and its main origin 0.
        """
        return to_native(self._core.across(), self._native)

    @property
    def flows(self) -> Any:
        """The share of all customers in each pair of segments of neighbouring numbers."""
        return to_native(self._core.flows(), self._native)

    def explain(self) -> Explanation:
        """The verdict on each segment."""
        columns = self.to_dict()
        said = {
            "highly stable": "comes back nearly whole",
            "stable": "comes back",
            "pattern": "shows a pattern, but its members are in doubt",
            "dissolved": "dissolves: do not build on it",
        }
        lines = [
            f"{name} ({share:.0%} of customers) {said[verdict]}: mean Jaccard index {jaccard:.2f}, recovered in "
            f"{recovered:.0%} and dissolved in {dissolved:.0%} of the samples."
            for name, share, verdict, jaccard, recovered, dissolved in zip(
                *(
                    columns[c]
                    for c in ("segment", "share", "verdict", "jaccard", "recovered", "dissolved")
                ),
                strict=True,
            )
        ]
        lines.append(
            "Bars (Hennig 2007): 0.85 highly stable, 0.75 stable, 0.6 pattern, below dissolved."
        )
        across = to_dict(self._core.across())
        at = [row for row, k in enumerate(across["k"]) if k == len(columns["segment"])]
        kept = [across["stability"][row] for row in at]
        if kept and not np.isnan(kept).any():
            names = ", ".join(
                f"{name} {value:.2f}" for name, value in zip(columns["segment"], kept, strict=True)
            )
            lines.append(
                f"Against one segment fewer: {names} (1: its members were together already)."
            )
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "within", *, ax: Any = None) -> Any:
        """Draw the stability of the segments; returns matplotlib Axes.

        Parameters
        ----------
        kind : {"within", "across"}
            Boxes of the Jaccard indices of each segment with Hennig's bars, or the segments of each number, joined by
            bands of the customers that they share and lettered with their stability.
        ax : Axes, optional
            Where to draw; by default a new figure.
        """
        from ilk.plot import quality as plots

        return plots.segment_stability(self, kind, ax)
