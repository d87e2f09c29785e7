"""Segments of customers, in whatever form they come, beside the frame of the customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Labels", "column_of", "labelled", "labels_of"]


@dataclass(frozen=True)
class Labels:
    """Segments of customers: a number each, -1 for none, and the names."""

    codes: NDArray[np.int64]
    names: list[str]


def labelled(segments: Any, df: Any = None, argument: str = "segments") -> tuple[Frame, Labels]:
    """Customers with the segment of each.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, Series, array, or name of a column of ``df``
        One segment for each row.
    df : frame, optional
        The customers; by default those that a segmentation was found on, as long as it lives in memory.

    Raises
    ------
    DataError
        If there is no frame, or it has another number of rows.
    """
    from ilk.segments import Segmentation

    if df is None:
        frame = segments.frame if isinstance(segments, Segmentation) else None
        if frame is None:
            raise DataError(
                "df: found none, but a segmentation that was read from a file knows no customers, and labels alone "
                "have none; try: df=customers"
            )
    else:
        frame = Frame.of(df)
    if isinstance(segments, str):
        codes, names, _ = frame.core.codes(segments)
        return frame, Labels(codes, names)
    labels = labels_of(segments, argument)
    if len(labels.codes) != len(frame):
        raise DataError(
            f"{argument}: found {len(labels.codes):,} labels, but df has {len(frame):,} rows; the rows of df must be "
            "the customers that were segmented, in their order"
        )
    return frame, labels


def labels_of(labels: Any, argument: str = "labels") -> Labels:
    """Segments of customers from a segmentation, a fitted estimator, a Series or an array.

    Numbers below 0, missing values and customers in no segment have no label.
    """
    from ilk.segments import Segmentation

    if isinstance(labels, Segmentation):
        return Labels(labels.codes, labels.names)
    if hasattr(labels, "labels_"):
        labels = labels.labels_
    elif hasattr(labels, "fit") and not hasattr(labels, "dtype"):
        raise DataError(
            f"{argument}: found a {type(labels).__name__} that is not fitted; try: .fit(data) first"
        )
    if isinstance(labels, (list, tuple)):
        labels = np.asarray(labels, dtype=object if _mixed(labels) else None)
    numbers = np.asarray(labels) if isinstance(labels, np.ndarray) else None
    if numbers is not None and numbers.ndim == 1 and numbers.dtype.kind in "iu":
        found, codes = np.unique(numbers, return_inverse=True)
        below = int(np.sum(found < 0))
        return Labels(
            np.where(numbers < 0, -1, codes - below).astype(np.int64),
            [str(value) for value in found[below:]],
        )
    table = column_of(argument, labels)
    codes, names, _ = table.codes("x0")
    if table.kind("x0") == "number":
        return labels_of(_whole(argument, table.numeric("x0")), argument)
    return Labels(codes, names)


def _mixed(values: Sequence[Any]) -> bool:
    return any(value is None or isinstance(value, str) for value in values)


def _whole(argument: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Labels that came as floats, as they do where some are missing."""
    present = np.where(np.isnan(values), -1.0, values)
    if not np.all(present == np.floor(present)) or np.any(np.abs(present) > 2**53):
        row = int(np.argmax(present != np.floor(present)))
        raise DataError(
            f"{argument}, row {row}: found {values[row]}, but a label is a whole number or a name"
        )
    return present.astype(np.int64)


def column_of(argument: str, values: Any) -> Any:
    """One column as a table of the core, under the name x0."""
    if isinstance(values, (list, tuple)):
        values = np.asarray(values)
    frame = Frame.of(values, name=argument)
    if len(frame.columns) != 1:
        raise DataError(f"{argument}: found {len(frame.columns)} columns, but one is needed")
    name = frame.columns[0]
    if name == "x0":
        return frame.core
    if hasattr(values, "rename"):
        return Frame.of(values.rename("x0"), name=argument).core
    return Frame.of({"x0": values[name]}, name=argument).core
