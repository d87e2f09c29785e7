"""Gower's dissimilarity of mixed rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._frame import require_columns
from ilk.cluster._base import number
from ilk.cluster._frames import column_name, frame_of
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from ilk._frame import Frame

#: Names or positions of columns.
Names = Sequence[str | int]
#: How columns enter: (name, treatment, order of categories), flags, weights.
Roles = tuple[list[tuple[str, str, list[str] | None]], list[str], list[tuple[str, float]]]


def gower_distances(
    X: Any,
    Y: Any = None,
    *,
    numeric: Literal["auto"] | Names = "auto",
    categorical: Literal["auto"] | Names = "auto",
    ordinal: Literal["auto"] | Names | Mapping[str, Sequence[str]] = "auto",
    asymmetric: Names = (),
    weights: Mapping[str, float] | Sequence[float] | None = None,
    dtype: DTypeLike = np.float64,
    max_memory: int | None = None,
) -> NDArray[Any]:
    """Gower's dissimilarity of every two rows of a mixed frame.

    The weighted mean, over the columns that both rows have, of what they differ by [1]_: for numbers and dates the
    difference over the range of the column, for ordered categories that of the ranks [2]_, for other categories and
    flags 0 or 1. These are the figures of R's ``cluster::daisy(x, metric = "gower")``.

    Parameters
    ----------
    X : frame or array of shape (n_x, n_features)
        Any data frame, a dict of columns, or an array; values may be missing.
    Y : frame or array of shape (n_y, n_features), optional
        Rows to compare with; ranges are then those of both together. Without it the rows of ``X`` are compared with each
        other.
    numeric, categorical : "auto" or sequence of column names or positions
        Columns to treat as numbers or as categories. Columns not named anywhere follow from their types: numbers and
        dates are numbers, ordered categories are ordinal, text, booleans and other categories are categories.
    ordinal : "auto", sequence of column names or positions, or mapping of names to categories in order
        Columns to treat as ranks. Numbers are ranked by size; text needs its order, lowest first.
    asymmetric : sequence of column names or positions
        Flags that say nothing where both rows lack what they flag (such pairs leave the column out): booleans, numbers 0
        and 1, or columns of two categories, of which the first in their order (alphabetical for text) means "lacks it".
    weights : mapping of column names to weights, or one weight per column, optional
        Weights from 0 up; 1 where none is given.
    dtype : float64 or float32, default float64
        Type of the result; computed in float64 either way.
    max_memory : int, optional
        Bytes that the result may take; without it, half of the memory that is free.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        From 0 (equal) to 1; NaN for two rows without a column that both have, which is told in a warning.

    Raises
    ------
    DataError
        If a number is infinite, a flag has more than two values, or a weight is out of range.
    MissingColumnError
        If a column that is named is not there.
    MemoryLimitError
        If the result would not fit, before it is made.

    Warns
    -----
    DataWarning
        If two rows cannot be compared, or a column has no value and is left out.

    See Also
    --------
    ilk.cluster.KMedoids : Clusters under this dissimilarity, also of frames whose matrix would not fit.

    Notes
    -----
    Time is proportional to pairs and columns; with few columns, most of it goes into writing the result. A column of one
    value differs by 0 and counts with its weight.

    References
    ----------
    .. [1] Gower, J. C. (1971). A general coefficient of similarity and some of its properties. Biometrics 27.
    .. [2] Kaufman, L. and Rousseeuw, P. J. (1990). Finding groups in data. Wiley.

    Examples
    --------
    >>> import ilk
    >>> customers = {"income": [10.0, 20.0, 40.0, None], "channel": ["a", "b", "a", "b"]}
    >>> ilk.gower_distances(customers).round(3).tolist()[0]
    [0.0, 0.667, 0.5, 1.0]
    >>> ilk.gower_distances(customers, weights={"channel": 3}).round(3).tolist()[0]
    [0.0, 0.833, 0.25, 1.0]
    """
    wanted = np.dtype(dtype)
    if wanted not in (np.float64, np.float32):
        raise DataError(f"dtype: found {wanted}, but float64 or float32 is needed")
    frame = frame_of(X, None)
    other = None if Y is None else frame_of(Y, frame.columns)
    treated, flags, weighed = roles_of(frame, numeric, categorical, ordinal, asymmetric, weights)
    matrix, empty, n_pairs, pair = _core.gower_distances(
        frame.core,
        None if other is None else other.core,
        treated=treated,
        asymmetric=flags,
        weights=weighed,
        narrow=wanted == np.float32,
        max_memory=checked_memory(max_memory),
    )
    warn_of_empty_columns(empty)
    if pair is not None:
        row, column = pair
        whose = f"rows {row} and {column}" if Y is None else f"row {row} of X and row {column} of Y"
        warnings.warn(
            f"{n_pairs} pairs of rows have no column that both have, {whose} first; "
            "their distance is NaN",
            DataWarning,
            stacklevel=2,
        )
    return matrix


def roles_of(
    frame: Frame,
    numeric: Any,
    categorical: Any,
    ordinal: Any,
    asymmetric: Any,
    weights: Any,
) -> Roles:
    """What the arguments say about the columns, as the core takes it.

    Raises
    ------
    DataError
        If a column is named twice, or an argument is of no use.
    MissingColumnError
        If a column is not there.
    """
    treated: dict[str, tuple[str, str, list[str] | None]] = {}

    def treat(argument: str, names: Any, treatment: str) -> None:
        orders: Mapping[str, Any] = names if isinstance(names, Mapping) else {}
        for name in named(frame, argument, names):
            if name in treated:
                raise DataError(
                    f"{argument}: found {name!r}, but it is named as {treated[name][1]} already"
                )
            order = [str(category) for category in orders[name]] if name in orders else None
            if order is not None and len(set(order)) < len(order):
                raise DataError(f"{argument}: found a category of {name!r} twice: {order}")
            treated[name] = (name, treatment, order)

    treat("numeric", numeric, "number")
    treat("categorical", categorical, "category")
    treat("ordinal", ordinal, "rank")
    flags = named(frame, "asymmetric", asymmetric)
    return list(treated.values()), flags, _weights(frame, weights)


def named(frame: Frame, argument: str, names: Any) -> list[str]:
    """The columns that an argument names."""
    if isinstance(names, str):
        if names == "auto":
            return []
        raise DataError(
            f"{argument}: found {names!r}, but a list of columns is needed; "
            f"try: {argument}=[{names!r}]"
        )
    return [column_name(argument, name, frame) for name in names]


def _weights(frame: Frame, weights: Any) -> list[tuple[str, float]]:
    if weights is None:
        return []
    if not isinstance(weights, Mapping):
        weights = list(weights)
        if len(weights) != len(frame.columns):
            raise DataError(
                f"weights: found {len(weights)}, but one for each of the "
                f"{len(frame.columns)} columns is needed"
            )
        weights = dict(zip(frame.columns, weights, strict=True))
    require_columns(list(weights), frame.columns)
    return [(name, number(f"weights[{name!r}]", weight)) for name, weight in weights.items()]


def checked_memory(max_memory: Any) -> int | None:
    """The number of bytes, or None."""
    if max_memory is None:
        return None
    if isinstance(max_memory, bool) or not isinstance(max_memory, (int, np.integer)):
        raise TypeError(f"max_memory: found {max_memory!r}, but a number of bytes is needed")
    if max_memory < 0:
        raise DataError(f"max_memory: found {max_memory}, but a number of bytes is needed")
    return int(max_memory)


def warn_of_empty_columns(names: Sequence[str]) -> None:
    """Tell of columns that say nothing."""
    for name in names:
        warnings.warn(
            f"column {name!r} has no value; it is left out",
            DataWarning,
            stacklevel=3,
        )
