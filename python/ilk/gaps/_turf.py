"""Which set of offers reaches most customers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import column_name, real, whole
from ilk._frame import Frame
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._options import drawing, listed_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes


class Turf(Result):
    """The sets of items that reach most customers; made by :func:`turf`.

    ``.table`` has one row per best set, by size ``k``: its ``items``, the customers ``reached`` (of weights, their sum) and
    their share (``reach``), what it adds to the best set with an item less (``added``), the mean number of its items that
    appeal to a customer (``frequency``), and whether it is ``certain`` that no set of this size reaches more. Sets that
    reach equally many all have a row (up to 20), the one with the higher frequency first.

    Examples
    --------
    >>> from ilk.gaps import turf
    >>> likes = {"a": [1, 1, 1, 0, 0], "b": [1, 1, 0, 0, 0], "c": [0, 0, 0, 1, 0]}
    >>> turf(likes, k=2).best()
    ['a', 'c']
    """

    __slots__ = ()

    _wraps = _core.Turf
    _title = "Reach of sets"
    _formats: ClassVar[Mapping[str, str]] = {
        "k": "count",
        "reached": "count",
        "reach": "share",
        "added": "share",
        "frequency": "index",
    }

    def best(self, k: int | None = None) -> list[str]:
        """The best set of this size; of the largest that was asked for by default.

        Parameters
        ----------
        k : int, optional
            Number of items.

        Returns
        -------
        list of str
            Names of the items. Where several sets reach equally many, the one whose items appeal most often.

        Raises
        ------
        DataError
            If no set of this size was asked for.
        """
        found = {size: items for size, _, items in self._core.best()}
        k = max(found) if k is None else whole("k", k, 1)
        if k not in found:
            raise DataError(f"k: found {k!r}, but the sizes are {sorted(found)}")
        items: list[str] = found[k]
        return items

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the reach of the best set of each size.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.needs import reach_curve

        return reach_curve(self, ax=drawing(ax))

    def explain(self) -> Explanation:
        """The best set of each size, how many it reaches, and which sets reach as many."""
        return Explanation("\n".join(self._core.explain()))


def turf(
    df: Any,
    items: Sequence[str] | None = None,
    *,
    k: int | Iterable[int] | None = None,
    at_least: float | None = None,
    weights: str | None = None,
) -> Turf:
    """Find the set of offers that reaches most customers: total unduplicated reach and frequency.

    A customer is reached by a set if at least one of its items appeals to them [1]_.

    Parameters
    ----------
    df : frame
        One row per customer, one column per item: 1 or true where it appeals.
    items : sequence of str, optional
        Columns of the items; by default all but ``weights``.
    k : int or iterable of int, optional
        Numbers of items in the set; by default 1 up to 8 or all.
    at_least : float, optional
        For ratings: an item appeals where its rating is at least this.
    weights : str, optional
        Column with the weight of each customer.

    Returns
    -------
    Turf
        With ``.table``, ``.best()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a value is neither 0 nor 1 and ``at_least`` is not given, or a size is not allowed.

    Notes
    -----
    S2-VP-03. With up to 20 items every set is tried: the customers who like nothing outside a set are added up over all
    subsets at once, so that the time is that of ``m 2^m`` additions, whatever the sizes. With more, up to 64, the set
    grows by the item that adds most and items are swapped while that adds reach; ``certain`` is false then. Customers with
    a missing value are left out and counted.

    References
    ----------
    .. [1] Miaoulis, Free and Parsons (1990), TURF: a new planning approach for product line extensions, Marketing
       Research 2.

    Examples
    --------
    >>> from ilk.gaps import turf
    >>> likes = {"a": [1, 1, 1, 0, 0], "b": [1, 1, 0, 0, 0], "c": [0, 0, 0, 1, 0]}
    >>> turf(likes).to_dict()["reach"].tolist()
    [0.6, 0.8, 0.8]
    """
    frame = Frame.of(df)
    if weights is not None:
        column_name("weights", weights)
    if items is None:
        named = [name for name in frame.columns if name != weights]
    else:
        named = listed_columns("items", items)
    sizes = set_sizes(k, len(named))
    least = None if at_least is None else real("at_least", at_least)
    settings = {"items": named, "k": sizes, "at_least": least, "weights": weights}
    core = _core.reach(frame.core, named, sizes, least, weights, json.dumps(settings))
    return Turf(core, frame.native)


def set_sizes(k: Any, n: int) -> list[int]:
    """Numbers of items in a set, of ``n`` that there are.

    Raises
    ------
    TypeError, DataError
        If there is none, or one is no whole number from 1 up.
    """
    if k is None:
        sizes = list(range(1, min(n, 8) + 1))
    else:
        several = isinstance(k, Iterable) and not isinstance(k, str)
        sizes = sorted({whole("k", size, 1) for size in (k if several else [k])})
    if not sizes:
        raise DataError("k: found no number, but at least one is needed; try: k=3")
    return sizes
