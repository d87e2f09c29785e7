"""Columns of which a value can name several things, and names with numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ilk import _core
from ilk._frame import Frame, Native, default_native
from ilk.exceptions import DataError

#: A column of labels: the table that holds it, and its name there.
Labels = tuple[_core.Table, str]

#: What stands between the parts of a list once it is text; no text of people holds it.
_BETWEEN = "\x1f"

_LISTS = (list, tuple, set, frozenset, np.ndarray)


def read_several(
    data: Any, named: list[str], several: tuple[str, str], separator: str | None, *, name: str
) -> tuple[Frame, list[Labels], str | None]:
    """The frame with the columns ``named``, those of ``several`` as labels, and what separates the parts of their texts.

    A column of lists becomes one of texts with the parts joined.
    """
    between = separator or _BETWEEN
    lists = {column: _joined(data, column, between) for column in several}
    plain = [*named, *(column for column in several if lists[column] is None)]
    if not plain:  # both are lists, and nothing else is needed
        table = Frame.of({column: lists[column] for column in several}, name=name)
        module = type(data).__module__.partition(".")[0]
        native: Native = "dict" if isinstance(data, Mapping) else default_native()
        for kind in ("pandas", "polars", "pyarrow"):
            native = kind if module == kind else native
        return Frame(table.core, native), [(table.core, column) for column in several], between
    frame = Frame.of(data, name=name, columns=plain)
    labels = []
    for column in several:
        texts = lists[column]
        table = frame if texts is None else Frame.of({column: texts}, name=name)
        labels.append((table.core, column))
    return frame, labels, between if separator or any(lists.values()) else None


def _joined(data: Any, column: str, between: str) -> list[str | None] | None:
    """The texts of a column of lists; nothing where it holds none."""
    try:
        values = data[column]
    except Exception:  # whatever is wrong with the frame is told where it is read
        return None
    for way in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, way):
            values = getattr(values, way)()
            break
    if not isinstance(values, list) or not any(isinstance(value, _LISTS) for value in values):
        return None
    return [_text(value, between) for value in values]


def _text(value: Any, between: str) -> str | None:
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, _LISTS):
        return between.join(str(part) for part in value if part is not None)
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return None if missing else str(value)


def is_number(value: Any) -> bool:
    """Whether it is one number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def numbers_by_name(argument: str, given: Any) -> list[tuple[str, float]]:
    """A mapping from names to numbers.

    Raises
    ------
    TypeError, DataError
        If it is none, or a number is negative or missing.
    """
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{argument} is a {type(given).__name__}, but a mapping from names to numbers is needed"
        )
    return [(str(name), amount(argument, name, number)) for name, number in given.items()]


def amount(argument: str, name: Any, number: Any) -> float:
    """A number that is 0 or more.

    Raises
    ------
    TypeError, DataError
        If it is none.
    """
    if not is_number(number):
        raise TypeError(
            f"{argument}: found a {type(number).__name__} for {name!r}, but a number is needed"
        )
    value = float(number)
    if not (math.isfinite(value) and value >= 0):
        raise DataError(
            f"{argument}: found {number} for {name!r}, but a number, 0 or more, is needed"
        )
    return value


def names_in_order(argument: str, given: Any) -> list[str] | None:
    """Names in the order that they are given in.

    Raises
    ------
    TypeError
        If it is one text, or nothing that can be gone through.
    """
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{argument}: found {given!r}, but a list of names is needed")
    return [str(name) for name in given]
