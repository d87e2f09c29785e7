"""Segments of customers, in whatever form they come, beside the frame of the customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Labels",
    "column_of",
    "labelled",
    "labels_beside",
    "labels_of",
    "no_customers",
    "order_of",
    "own_columns",
]


@dataclass(frozen=True)
class Labels:
    """Segments of customers: a number each, -1 for none, the names, and what pandas calls the rows."""

    codes: NDArray[np.int64]
    names: list[str]
    index: Any = None


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
            raise no_customers(", and labels alone have none")
    else:
        frame = Frame.of(df)
    return frame, labels_beside(segments, frame, argument)


def no_customers(why: str = "") -> DataError:
    """The error where customers are needed and none are remembered."""
    return DataError(
        "df: found none, but a segmentation that comes from a file or a pickle knows no customers"
        f"{why}; try: df=customers"
    )


def labels_beside(labels: Any, frame: Frame, argument: str = "labels", name: str = "df") -> Labels:
    """Segments of the rows of a frame, in the order of its rows.

    Where labels and frame both have a pandas index, with the same labels in another order and none twice, rows pair by it;
    otherwise by position.

    Raises
    ------
    DataError
        If there are not as many labels as rows.
    """
    if isinstance(labels, str):
        codes, names, _ = frame.core.codes(labels)
        return Labels(codes, names, frame.index)
    taken = labels_of(labels, argument)
    if len(taken.codes) != len(frame):
        raise DataError(
            f"{argument}: found {len(taken.codes):,} labels, but {name} has {len(frame):,} rows; one for each of the "
            f"{len(frame):,} rows is needed, in their order"
        )
    order = order_of(taken.index, frame.index)
    return taken if order is None else Labels(taken.codes[order], taken.names, frame.index)


def order_of(index: Any, wanted: Any) -> NDArray[np.intp] | None:
    """Where the rows that pandas calls ``wanted`` are among those it calls ``index``; nothing where they pair by position."""
    if index is None or wanted is None or len(index) != len(wanted) or index.equals(wanted):
        return None
    if not (index.is_unique and wanted.is_unique and index.nlevels == wanted.nlevels):
        return None
    if (index.inferred_type == "interval") != (wanted.inferred_type == "interval"):
        return None  # pandas would look for the interval that a value lies in
    order: NDArray[np.intp] = index.get_indexer_for(wanted)
    return None if len(order) != len(index) or (order < 0).any() else order


def own_columns(segments: Any, frame: Frame, labels: Labels) -> list[str]:
    """Columns that hold the segments themselves, which would be the best trait of all."""
    from ilk.segments import Segmentation

    if isinstance(segments, str):
        return [segments]
    own = []
    if isinstance(segments, Segmentation) and segments.origin == "given":
        column = segments.manifest["settings"].get("column")
        own = [column] if column in frame.columns else []
    name = getattr(segments, "name", None)
    name = (
        name if isinstance(name, str) else "segment"
    )  # as the labels of a segmentation are called
    if name in frame.columns and name not in own:
        codes = frame.core.codes(name)[0]
        own += [name] if _one_to_one(labels.codes, codes) else []
    return own


def _one_to_one(labels: NDArray[np.int64], codes: NDArray[np.int64]) -> bool:
    """Whether rows with a label have the same label exactly where they have the same code."""
    known = labels >= 0
    labels, codes = labels[known], codes[known]
    if not len(codes) or codes.min() < 0:
        return False
    pairs = np.unique(labels * (codes.max() + 1) + codes)
    return len(pairs) == len(np.unique(labels)) == len(np.unique(codes))


def labels_of(labels: Any, argument: str = "labels") -> Labels:
    """Segments of customers from a segmentation, a fitted estimator, a Series, an array or a frame of one column.

    Numbers below 0, missing values and customers in no segment have no label.
    """
    from ilk.segments import Segmentation

    if isinstance(labels, Segmentation):
        return Labels(labels.codes, labels.names, labels._index)
    index = labels.index if hasattr(labels, "iloc") else None
    if hasattr(labels, "labels_"):
        labels = labels.labels_
    elif hasattr(labels, "fit") and not hasattr(labels, "dtype"):
        raise DataError(
            f"{argument}: found a {type(labels).__name__} that is not fitted; try: .fit(data) first"
        )
    codes, names = _coded(labels, argument)
    return Labels(codes, names, index)


def _coded(labels: Any, argument: str) -> tuple[NDArray[np.int64], list[str]]:
    if isinstance(labels, (list, tuple)):
        labels = np.asarray(labels, dtype=object if _mixed(labels) else None)
    numbers = np.asarray(labels) if isinstance(labels, np.ndarray) else None
    if numbers is not None and numbers.ndim == 1 and numbers.dtype.kind in "iu":
        found, codes = np.unique(numbers, return_inverse=True)
        below = int(np.sum(found < 0))
        return (
            np.where(numbers < 0, -1, codes - below).astype(np.int64),
            [str(value) for value in found[below:]],
        )
    table = column_of(argument, labels)
    if table.kind("x0") == "number":
        return _coded(_whole(argument, table.numeric("x0")), argument)
    codes, names, _ = table.codes("x0")
    return codes, names


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
        raise DataError(
            f"{argument}: found {len(frame.columns)} columns, but one is needed; "
            f"try: {argument}[{frame.columns[0]!r}]"
            if frame.columns
            else f"{argument}: found no column, but one is needed"
        )
    name = frame.columns[0]
    if name == "x0":
        return frame.core
    if hasattr(values, "collect"):  # a lazy frame
        values = values.collect()
    if hasattr(values, "columns") or isinstance(values, Mapping):
        values = values.iloc[:, 0] if hasattr(values, "iloc") else values[name]
    if hasattr(values, "rename"):
        return Frame.of(values.rename("x0"), name=argument).core
    return Frame.of({"x0": values}, name=argument).core
