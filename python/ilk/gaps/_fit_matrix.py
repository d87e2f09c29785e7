"""Products by segments: how well each delivers what is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._arguments import column_name, real
from ilk._frame import to_native
from ilk._result import Explanation, Result
from ilk.gaps._named import Named, check_missing, first_native, named, scale_ends, wide
from ilk.gaps._options import drawing
from ilk.gaps._propositions import ValueProposition, solved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["FitMatrix", "delivered", "fit_matrix"]


class FitMatrix(Result):
    """How well each product delivers what each segment needs; made by :func:`fit_matrix`.

    ``.table`` has one row per segment and product: the ``fit`` from 0 to 1, the share of the needs' importance that is
    ``unmatched`` (``unmatched_share``), and these needs, the most important first.

    Examples
    --------
    >>> from ilk.gaps import fit_matrix
    >>> needs = {"families": {"speed": 3, "price": 1}, "singles": {"speed": 1, "price": 1}}
    >>> delivery = {"box": {"speed": 1, "price": 0.2}, "shop": {"speed": 0.2, "price": 1}}
    >>> fit_matrix(needs, delivery).matrix().loc["families"].round(2).tolist()
    [0.8, 0.4]
    """

    __slots__ = ()

    _wraps = _core.FitMatrix
    _title = "Fit"
    _formats: ClassVar[Mapping[str, str]] = {"fit": "index", "unmatched_share": "share"}

    def matrix(self, what: str = "fit") -> Any:
        """One figure laid out as segments by products.

        Parameters
        ----------
        what : str
            A column of ``table``.

        Returns
        -------
        frame
            The segments are the index of a pandas frame, and else the first column.

        Raises
        ------
        DataError
            If there is no such figure.
        """
        return wide(self.to_dict(), what, self._core.names(), self._native)

    @property
    def unmatched(self) -> Any:
        """Needs of each segment that no product delivers: their ``share`` of importance, and the ``best`` product."""
        return to_native(self._core.unmatched(), self._native)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw segments by products, coloured and lettered by the fit.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.propositions import fit_heatmap

        return fit_heatmap(self, ax=drawing(ax))

    def explain(self) -> Explanation:
        """The product that fits each segment best, and what it leaves unmatched."""
        return Explanation("\n".join(self._core.explain()))


def delivered(data: Any, argument: str, **options: Any) -> Named:
    """What is delivered, from frames, mappings or records of value propositions."""
    if isinstance(data, ValueProposition):
        data = [data]
    if isinstance(data, (list, tuple)) and any(isinstance(one, ValueProposition) for one in data):
        return named(solved(data), argument, **{**options, "fill": True})
    return named(data, argument, **options)


def fit_matrix(
    needs: Any,
    delivery: Any,
    *,
    segment: str = "segment",
    need: str = "need",
    weight: str = "importance",
    product: str = "product",
    delivers: str = "delivery",
    scale: tuple[float, float] | None = None,
    delivery_scale: tuple[float, float] | None = None,
    matched: float = 0.5,
    missing: Literal["error", "zero"] = "error",
) -> FitMatrix:
    """Match products to segments: how well each product delivers what each segment needs.

    The fit is ``sum(w d) / sum(w)`` over the needs, with importance ``w`` and delivery ``d``.

    Parameters
    ----------
    needs : frame or mapping
        How important each need is to each segment: one row per pair, one row per segment and a column per need, or
        ``{segment: {need: weight}}``. Any numbers from 0 up: only their proportions within a segment count.
    delivery : frame, mapping or list of ValueProposition
        How well each product delivers each need, from 0 to 1, in the same forms. A value proposition delivers the
        problems that a feature of its path solves.
    segment, need, weight, product, delivers : str
        The columns. A frame with neither ``need`` nor the column of numbers has a column for each need.
    scale, delivery_scale : tuple of float, optional
        Lowest and highest rating, where the numbers are ratings: they become 0 and 1.
    matched : float
        A need is unmatched where less than this is delivered.
    missing : {"error", "zero"}
        Whether a pair that is not given is an error or counts 0.

    Returns
    -------
    FitMatrix
        With ``.table``, ``.matrix()``, ``.unmatched``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a need of one side is unknown to the other, a weight is negative, a pair is missing or stands twice, or nothing is
        important to a segment.
    TypeError
        If a column of numbers holds text.

    Notes
    -----
    S1-SEG-01. The weighted coverage of the value proposition canvas (Osterwalder and others 2014, Value Proposition
    Design, Wiley).

    Examples
    --------
    >>> from ilk.gaps import fit_matrix
    >>> needs = {"families": {"speed": 3, "price": 1}, "singles": {"speed": 1, "price": 1}}
    >>> delivery = {"box": {"speed": 1, "price": 0.2}, "shop": {"speed": 0.2, "price": 1}}
    >>> fit_matrix(needs, delivery).table["unmatched"].tolist()
    ['price', 'speed', 'price', 'speed']
    """
    fill = check_missing(missing)
    for argument, name in {"segment": segment, "need": need, "weight": weight, "product": product, "delivers": delivers}.items():  # fmt: skip
        column_name(argument, name)
    ends, delivery_ends = scale_ends("scale", scale), scale_ends("delivery_scale", delivery_scale)
    matched = real("matched", matched)
    wanted = named(
        needs,
        "needs",
        row=segment,
        col=need,
        value=weight,
        scale=ends,
        fill=fill,
    )
    given = delivered(
        delivery,
        "delivery",
        row=product,
        col=need,
        value=delivers,
        scale=delivery_ends,
        fill=fill,
    )
    settings = {"segment": segment, "need": need, "weight": weight, "product": product, "delivers": delivers,
                "scale": ends, "delivery_scale": delivery_ends, "matched": matched, "missing": missing}  # fmt: skip
    core = _core.fit_matrix(wanted.core, given.core, matched, json.dumps(settings))
    return FitMatrix(core, first_native(wanted, given))
