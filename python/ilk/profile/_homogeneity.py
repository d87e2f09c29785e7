"""Whether the customers of a segment are alike."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._frame import require_columns, to_dict, to_native
from ilk._labels import labelled
from ilk._progress import progress_bar
from ilk._result import Explanation, Result
from ilk.exceptions import DataError, DataWarning
from ilk.profile._profile import named_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["DemographicsWarning", "SegmentHomogeneity", "homogeneity"]

#: What columns of customers can be about.
_BASES = ("demographic", "lifestyle", "behaviour", "financial")


class DemographicsWarning(DataWarning):
    """Segments rest on demographics alone, which seldom say what people need."""


class SegmentHomogeneity(Result):
    """How alike the customers of each segment are, block by block; made by :func:`homogeneity`.

    ``.table`` has one row per block and segment:

    - ``within_ss``: the variance in the segment as a share of that of all, mean over the variables;
    - ``distance``: mean distance of Gower [1]_ between two of its customers, ``distance_to_others`` to those of the other
      segments, and ``ratio``, its distance over that between any two customers;
    - ``silhouette``: mean silhouette width [2]_ by the same distance: 1 is deep inside, below 0 nearer to another segment;
    - ``verdict``: "homogeneous" for a ratio up to 0.6, "partly homogeneous" up to 0.85, else "not homogeneous". The bars
      are ilk's own.

    All are exact for any number of customers. Where values are missing, a mean distance is over the pairs and variables
    that are there.

    References
    ----------
    .. [1] Gower (1971), A general coefficient of similarity and some of its properties, Biometrics 27. Numbers by their
       range, categories 0 or 1, every variable alike; ordered categories by their place.
    .. [2] Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20.

    Examples
    --------
    >>> from ilk.profile import homogeneity
    >>> people = {"group": list("aaabbb"), "price": [1, 1, 2, 8, 9, 9], "sport": list("nynyny")}
    >>> homogeneity("group", {"budget": ["price"], "needs": ["sport"]}, people).to_dict()["verdict"]
    ['homogeneous', 'homogeneous', 'not homogeneous', 'not homogeneous']
    """

    __slots__ = ()

    _wraps = _core.SegmentHomogeneity
    _title = "How alike the customers of each segment are"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "within_ss": "share",
        "ratio": "index",
        "silhouette": "index",
    }

    @property
    def blocks(self) -> Any:
        """One row per block, over all segments: ``within_ss`` is within-SS over total-SS."""
        return to_native(self._core.blocks(), self._native)

    @property
    def variables(self) -> Any:
        """One row per block and variable: ``eta2``, the share of its variance that lies between segments.

        The variance of categories is that of their indicators, so that ``eta2`` is the tau of Goodman and Kruskal (1954).
        """
        return to_native(self._core.variables(), self._native)

    @property
    def bases(self) -> Any:
        """One row per base of ``base=``: number of variables, mean ``eta2`` and the strongest variable."""
        return to_native(self._core.bases(), self._native)

    def explain(self) -> Explanation:
        """The verdict on each block and segment, and what tells the segments apart."""
        columns, blocks = self.to_dict(), to_dict(self._core.blocks())
        variables = to_dict(self._core.variables())
        lines = []
        for at, block in enumerate(blocks["block"]):
            told = [
                f"{segment} {verdict} ({ratio:.2f})"
                for name, segment, verdict, ratio in zip(
                    *(columns[head] for head in ("block", "segment", "verdict", "ratio")),
                    strict=True,
                )
                if name == block
            ]
            lines.append(
                f"{block}: {blocks['within_ss'][at]:.0%} of the variance lies within segments, mean silhouette "
                f"{blocks['silhouette'][at]:.2f}. {'; '.join(told)}."
            )
        strongest = sorted(
            zip(variables["eta2"], variables["variable"], strict=True), key=lambda pair: -pair[0]
        )[:3]
        told = [f"{name} ({eta2:.2f})" for eta2, name in strongest]
        lines.append(f"The segments differ most in {', '.join(told)} (eta squared).")
        bases = to_dict(self._core.bases())
        lines += [
            f"{base}: eta squared {eta2:.2f} on average, most in {name}."
            for base, eta2, name in zip(
                bases["base"], bases["eta2"], bases["strongest"], strict=True
            )
        ]
        lines.append(
            "In brackets the mean distance between two customers of the segment over that between any two: up to 0.6 is "
            "homogeneous, up to 0.85 partly."
        )
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw how alike the customers of each segment are in each block.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot import profile_homogeneity as plots

        return plots.plot(self, ax=ax)


def homogeneity(
    segments: Any,
    blocks: Mapping[str, Sequence[str]],
    df: Any = None,
    *,
    base: Mapping[str, str] | None = None,
    progress: Progress = "auto",
) -> SegmentHomogeneity:
    """Say how alike the customers of each segment are, in each block of columns.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, Series, array, or name of a column of ``df``
        One segment for each row. Customers without one do not count.
    blocks : mapping of str to sequence of str
        Columns that belong together: ``{"expectations": [...], "needs": [...], "preferences": [...], "budget": [...]}``.
    df : frame, optional
        One row per customer; by default the customers that a segmentation was found on.
    base : mapping of str to str, optional
        What columns are about: "demographic", "lifestyle", "behaviour" or "financial". It warns where the segments rest on
        demographics alone, and gives ``.bases``.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    SegmentHomogeneity
        With ``.table``, ``.blocks``, ``.variables``, ``.bases``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    DataError
        If there is no block, a column is constant, or a base is unknown.
    MissingColumnError
        If a column is not there.

    Warns
    -----
    DemographicsWarning
        If the features that a segmentation was found on, or else all columns of the blocks, are demographic by ``base``.

    Notes
    -----
    S2-SEG-02, S3-B2C-01: a segment is a homogeneous group of people with similar expectations, needs, preferences and
    budgets, and more than sex and age tells groups apart.

    Examples
    --------
    >>> import ilk
    >>> from ilk.profile import homogeneity
    >>> market = ilk.datasets.make_market(400, random_state=1)
    >>> found = ilk.segment(market.customers, ["age", "basket_value"], k=3, random_state=0)
    >>> blocks = {"budget": ["basket_value"], "habits": ["visits_per_month"]}
    >>> [round(float(share), 1) for share in homogeneity(found, blocks).blocks["within_ss"]][0] < 1
    True
    """
    if not isinstance(blocks, Mapping):
        raise TypeError(
            f"blocks: found a {type(blocks).__name__}, but a mapping of names to columns is needed; "
            'try: .homogeneity({"needs": ["speed", "price"]}, df)'
        )
    if not blocks:
        raise DataError(
            'blocks: found none, but at least one is needed; try: blocks={"needs": ["speed", "price"]}'
        )
    frame, labels = labelled(segments, df)
    named: list[tuple[str, list[str]]] = []
    for name, columns in blocks.items():
        found = named_columns(f"blocks[{name!r}]", columns, frame.columns)
        named.append((str(name), found or []))
    bases = dict(base or {})
    require_columns(list(bases), frame.columns)
    for column, about in bases.items():
        if about not in _BASES:
            options = ", ".join(f'"{name}"' for name in _BASES)
            raise DataError(f"base[{column!r}]: found {about!r}, but one of {options} is needed")
    settings = {"blocks": dict(named), "base": bases}
    with progress_bar(progress, "homogeneity") as report:
        core = _core.segment_homogeneity(
            frame.core,
            labels.codes,
            labels.names,
            named,
            list(bases.items()),
            json.dumps(settings),
            report,
        )
    rest_on = _found_on(segments) or list(dict.fromkeys(c for _, columns in named for c in columns))
    if bases and all(bases.get(column) == "demographic" for column in rest_on):
        warnings.warn(
            f"the segments rest on demographics alone ({', '.join(rest_on)}); lifestyle, behaviour and means tell more of "
            "what people need",
            DemographicsWarning,
            stacklevel=2,
        )
    return SegmentHomogeneity(core, frame.native)


def _found_on(segments: Any) -> list[str]:
    """The features that a segmentation was found on; nothing where it is not known."""
    try:
        return [feature["name"] for feature in segments.preparation]
    except Exception:  # other kinds of segments have none
        return []
