"""Whether data without any structure would give segments as good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk._frame import to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.quality._given import Given, count, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk._methods import Method
    from ilk._progress import Progress

#: What a person calls the figures and the structureless data.
MEASURES = {
    "silhouette": "mean silhouette",
    "explained": "share of the spread explained",
    "prediction_strength": "prediction strength",
}
KINDS = {
    "box": "data spread evenly over the same range",
    "shuffled": "the same columns, each shuffled by itself",
}

#: Largest p at which segments are said to be better than those of noise.
_LEVEL = 0.05


def noise_test(
    data: Any,
    segments: Any = None,
    *,
    k: int | None = None,
    n_simulated: int = 99,
    method: Method = "auto",
    features: Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    scale: Literal["auto", "standard", "range", "none"] | None = None,
    weights: Any = None,
    n_init: int = 5,
    n_splits: int = 2,
    sample_size: int = 2_000,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> NoiseTest:
    """Compare the segments of the customers with those of structureless data.

    Clustering always finds segments. Here it is let loose on data like the customers' but without groups: every column
    shuffled by itself, so that none tells of another, and, where every amount takes many values, points spread
    evenly over the box along the principal components [1]_. The p-value is the share of such sets, the customers' own
    counted among them, whose segments are at least as good [2]_.

    Parameters
    ----------
    data : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    segments : Segmentation, optional
        Of :func:`ilk.segment`: its number of segments, features, scale and method are used.
    k : int, optional
        Number of segments where none are given.
    n_simulated : int
        Sets of each kind of structureless data. The smallest possible p is ``1 / (n_simulated + 1)``.
    n_splits : int
        Random halvings for the prediction strength of each set; 0 leaves it out.
    method, features, exclude, scale, weights, random_state, progress
        As for :func:`ilk.quality.stability`; features, scale and method are by default those of ``segments``.
    n_init : int
        Starts of each fit.
    sample_size : int
        Customers at most, drawn at random.

    Returns
    -------
    NoiseTest
        One row per kind of structureless data and figure.

    Raises
    ------
    DataError
        If an option or a value is not allowed.

    References
    ----------
    .. [1] Tibshirani, Walther and Hastie (2001), Estimating the number of clusters in a data set via the gap
       statistic, Journal of the Royal Statistical Society B 63.
    .. [2] Davison and Hinkley (1997), Bootstrap Methods and their Application, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import noise_test
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(300, 2)) + 8 * np.repeat([[0, 0], [1, 0], [0, 1]], 100, axis=0)
    >>> noise_test(groups, k=3, n_simulated=19, random_state=0).p
    0.05
    """
    from ilk.segments import Segmentation

    labels = None
    if segments is not None:
        if not isinstance(segments, Segmentation):
            raise TypeError(
                f"segments: found a {type(segments).__name__}, but a Segmentation is needed; try: k=4"
            )
        if k is not None:
            raise DataError(f"k: found {k!r}, but the segments are given; leave one of the two out")
        labels, k = segments, segments.k
    if k is None:
        raise DataError("k: found None, but the number of segments is needed; try: k=4")
    given = Given(
        data,
        features=features,
        exclude=exclude,
        scale=scale,
        weights=weights,
        method=method,
        labels=labels,
    )
    seed = new_seed(random_state)
    options = {
        "k": count("k", k, 2),
        "n_simulated": count("n_simulated", n_simulated, 1),
        "n_init": count("n_init", n_init, 1),
        "n_splits": count("n_splits", n_splits),
        "sample_size": count("sample_size", sample_size, 4),
    }
    with progress_bar(progress, "noise_test") as report:
        core, unused = _core.quality_noise(
            given.core(seed, **options),
            options["k"],
            options["n_simulated"],
            options["n_init"],
            options["n_splits"],
            options["sample_size"],
            seed,
            report,
        )
    warn(unused)
    return NoiseTest(core, given.frame.native)


class NoiseTest(Result):
    """Segments held against those of structureless data; made by :func:`noise_test`.

    ``.table`` has one row per kind of structureless data and figure: the customers' figure, the mean of the sets with
    the middle 95 % of them, and p.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import noise_test
    >>> rng = np.random.default_rng(0)
    >>> noise_test(rng.uniform(size=(200, 2)), k=3, n_simulated=19, random_state=0).real
    False
    """

    __slots__ = ()

    _wraps = _core.NoiseTest
    _title = "Segments against structureless data"
    _formats: ClassVar[Mapping[str, str]] = {"p": "p"}

    @property
    def p(self) -> float:
        """The p-value of the mean silhouette against the kind of structureless data that comes closest."""
        columns = self.to_dict()
        silhouettes = [
            p
            for p, measure in zip(columns["p"], columns["measure"], strict=True)
            if measure == "silhouette"
        ]
        return float(max(silhouettes))

    @property
    def real(self) -> bool:
        """Whether the segments are separated better than those of any structureless data (``p <= 0.05``)."""
        return self.p <= _LEVEL + 1e-12

    @property
    def values(self) -> Any:
        """The figures of every set of structureless data."""
        return to_native(self._core.values(), self._native)

    def explain(self) -> Explanation:
        """The verdict in a sentence, then each comparison."""
        k = self._core.k()
        columns = self.to_dict()
        if self.real:
            verdict = f"The {k} segments are better separated than those of structureless data (p = {self.p:.3f})."
        else:
            verdict = (
                f"Structureless data gives {k} segments that are separated as well (p = {self.p:.3f}): take the "
                "segments as a way to cut the market, not as groups that exist by themselves."
            )
        lines = [verdict]
        for row, kind in enumerate(columns["structureless"]):
            lines.append(
                f"Against {KINDS[kind]}: {MEASURES[columns['measure'][row]]} {columns['observed'][row]:.3f}, there "
                f"{columns['simulated_lo'][row]:.3f} to {columns['simulated_hi'][row]:.3f} (p = {columns['p'][row]:.3f})."
            )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, axes: Any = None) -> Any:
        """Draw the figures of structureless data as dots with the customers' as a line; returns matplotlib Axes.

        Parameters
        ----------
        axes : sequence of Axes, optional
            Where to draw, one for each figure; by default a new figure.
        """
        from ilk.plot import quality as plots

        return plots.noise(self, axes)

    def _sets(self) -> dict[tuple[str, str], Any]:
        """Figures of the structureless data by measure and kind."""
        table = self._core.values()
        measures, kinds = table.column("measure"), table.column("structureless")
        values = table.column("value")
        found: dict[tuple[str, str], list[float]] = {}
        for measure, kind, value in zip(measures, kinds, values, strict=True):
            found.setdefault((measure, kind), []).append(value)
        return {pair: np.asarray(figures) for pair, figures in found.items()}
