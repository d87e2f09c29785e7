"""What the results of this room share that are tables of figures, and how their functions take labels and dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core
from ilk._frame import Frame, to_dict, to_native
from ilk._html import format_value
from ilk._labels import order_of
from ilk._result import Result
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A column of labels: the table that holds it, and its name there.
Labels = tuple[_core.Table, str]


class Report(Result):
    """A result that holds several tables."""

    __slots__ = ()

    def _sheet(self, name: str) -> dict[str, Any]:
        """One of the tables as a dict of columns."""
        return to_dict(self._core.sheet(name))

    def _frame(self, name: str) -> Any:
        """One of the tables in the kind of frame that came in."""
        return to_native(self._core.sheet(name), self._native)

    @property
    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.manifest["settings"]
        return settings

    @property
    def _confidence(self) -> str:
        return f"{100 * self._settings.get('confidence', 0.95):g} %"


def column_names(**named: Any) -> list[str]:
    """The columns that arguments name.

    Raises
    ------
    TypeError
        If one of them is not the name of a column.
    """
    for argument, column in named.items():
        if column is not None and not isinstance(column, str):
            raise TypeError(
                f"{argument} is a {type(column).__name__}, but the name of a column is needed"
            )
    return [column for column in named.values() if column is not None]


def labelled(
    data: Any, labels: Any, argument: str, names: Sequence[str], *, name: str = "df"
) -> tuple[Frame, Labels | None]:
    """The frame with the columns that are needed, and the labels of its rows.

    Labels are a column, a segmentation of the rows, or a label for each row; rows pair as in :mod:`ilk._labels`.
    """
    from ilk.segments import Segmentation

    if labels is None:
        return Frame.of(data, name=name, columns=names), None
    if isinstance(labels, str):
        frame = Frame.of(data, name=name, columns=[*names, labels])
        return frame, (frame.core, labels)
    frame = Frame.of(data, name=name, columns=names)
    if isinstance(labels, Segmentation):  # its order is kept
        order = order_of(labels._index, frame.index)
        codes = labels.codes if order is None else labels.codes[order]
        column = (np.asarray(codes, dtype=np.int32), list(labels.names), True)
        return frame, (_core.Table.from_columns([(argument, column)]), argument)
    if hasattr(labels, "iloc"):
        if getattr(labels, "ndim", 1) == 2 and labels.shape[1] == 1:
            labels = labels.iloc[:, 0]
        order = order_of(labels.index, frame.index)
        labels = labels if order is None else labels.iloc[order]
    # As a frame, a Series of pandas or polars keeps its categories.
    series = labels.to_frame(argument) if hasattr(labels, "to_frame") else {argument: labels}
    return frame, (Frame.of(series, name=argument).core, argument)


def day_number(argument: str, value: Any) -> float | None:
    """A date as the number of days since 1970-01-01.

    >>> day_number("observed_to", "2011-12-09")
    15317.0

    Raises
    ------
    TypeError, DataError
        If it is no date.
    """
    if value is None:
        return None
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        if not np.isfinite(value):
            raise DataError(f"{argument}: found {value!r}, but a date is needed")
        return float(value)
    if not isinstance(value, (str, dt.date, np.datetime64)):
        raise TypeError(f"{argument} is a {type(value).__name__}, but a date is needed")
    try:
        if isinstance(value, dt.datetime):
            value = value.replace(tzinfo=None)
        day = np.datetime64(value, "us")
    except ValueError:
        day = np.datetime64("NaT")
    if np.isnat(day):
        raise DataError(f'{argument}: found {value!r}, but a date such as "2024-12-31" is needed')
    return float(day.astype(np.int64)) / 86_400e6


def with_interval(columns: Mapping[str, Any], name: str, row: int, kind: str) -> str:
    """A figure and its interval in words."""
    text = format_value(columns[name][row], kind)
    low, high = (columns.get(f"{name}{end}", [np.nan] * (row + 1))[row] for end in ("_lo", "_hi"))
    if np.isnan(low) and np.isnan(high):
        return text
    return f"{text} ({format_value(low, kind)} to {format_value(high, kind)})"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
