"""Tables of names by names, in every form in which people keep them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame, Native, default_native, free_name, require_columns, to_native
from ilk.exceptions import DataError
from ilk.gaps._several import is_number

if TYPE_CHECKING:
    from ilk import _core

__all__ = [
    "Named",
    "check_missing",
    "core_of",
    "first_native",
    "matrix_array",
    "named",
    "scale_ends",
    "wide",
    "worth_pairs",
]


@dataclass(frozen=True)
class Named:
    """A number for each pair of names, as the core takes it.

    Attributes
    ----------
    core : dict
        The table and the columns in it.
    native : str, optional
        The kind of frame it came in; none where it was no frame.
    """

    core: dict[str, Any]
    native: Native | None


def named(
    data: Any,
    argument: str,
    *,
    row: str,
    col: str,
    value: str,
    scale: tuple[float, float] | None,
    fill: bool,
    others: Sequence[str | None] = (),
) -> Named:
    """Take in a frame with one row per pair, a frame with a column per second name, or a mapping of mappings.

    Parameters
    ----------
    data : frame or mapping
        The numbers.
    argument : str
        Its name, for messages.
    row, col, value : str
        Columns of the first name, the second name and the number. A frame that has neither ``col`` nor ``value`` has a
        column for each second name.
    scale : tuple of float, optional
        Lowest and highest rating.
    fill : bool
        Whether a pair that is not there counts 0.
    others : sequence of str
        Columns of a wide frame that are no second names.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError, TypeError
        If there is nothing, or a value of a mapping is no number.
    """
    native: Native | None = None
    if isinstance(data, Mapping) and (
        not data or all(isinstance(inner, Mapping) for inner in data.values())
    ):
        table = _from_mapping(data, argument, row, col, value)
        pairs: tuple[str, str] | None = (col, value)
        columns: list[str] = []
    else:
        frame = Frame.of(data, name=argument)
        table, native = frame.core, frame.native
        require_columns([row], frame.columns)
        if col in frame.columns or value in frame.columns:
            require_columns([col, value], frame.columns)
            pairs, columns = (col, value), []
        else:
            pairs = None
            columns = [name for name in frame.columns if name != row and name not in others]
    core = {
        "table": table,
        "row": row,
        "pairs": pairs,
        "columns": columns,
        "scale": scale,
        "fill": fill,
    }
    return Named(core, native)


def _from_mapping(
    data: Mapping[Any, Mapping[Any, Any]], argument: str, row: str, col: str, value: str
) -> _core.Table:
    rows, cols, values = [], [], []
    for first, inner in data.items():
        for second, number in inner.items():
            if number is not None and not isinstance(
                number, (bool, int, float, np.number, np.bool_)
            ):
                raise TypeError(
                    f"{argument}: found {number!r} for {first!r} and {second!r}, but a number is needed"
                )
            rows.append(_name(first, argument))
            cols.append(_name(second, argument))
            values.append(np.nan if number is None else float(number))
    if not rows:
        raise DataError(
            f"{argument}: found nothing, but a number for each pair is needed; "
            f'try: {argument}={{"A": {{"B": 1}}}}'
        )
    if len({row, col, value}) < 3:
        raise DataError(
            f"{argument}: found columns of one name, but {row!r}, {col!r} and {value!r} must differ"
        )
    return Frame.of({row: rows, col: cols, value: np.array(values)}, name=argument).core


def _name(label: Any, argument: str) -> str:
    if isinstance(label, (str, int, np.integer)) and not isinstance(label, bool):
        return str(label)
    raise TypeError(f"{argument}: found the name {label!r}, but names are text or whole numbers")


def matrix_array(data: Any, row: str) -> Any:
    """Rows of numbers without names as a mapping: ``Persona 1`` and so on by ``1`` and so on; other data as they are."""
    is_rows = isinstance(data, np.ndarray) or (
        isinstance(data, Sequence)
        and not isinstance(data, (str, bytes))
        and all(
            isinstance(line, (Sequence, np.ndarray)) and not isinstance(line, str) for line in data
        )
    )
    if not is_rows:
        return data
    if len(data) == 0:
        return {}
    if len({len(line) for line in data}) > 1 or np.ndim(data[0]) != 1:
        raise DataError("scores: found rows of different lengths, but a table of numbers is needed")
    word = row[:1].upper() + row[1:]
    return {
        f"{word} {i}": {str(j): cell for j, cell in enumerate(line, 1)}
        for i, line in enumerate(data, 1)
    }


def scale_ends(argument: str, scale: Any) -> tuple[float, float] | None:
    """Lowest and highest rating.

    Raises
    ------
    DataError
        If there are not two finite numbers.
    """
    if scale is None:
        return None
    ends = list(scale) if isinstance(scale, (Sequence, np.ndarray)) else []
    if len(ends) != 2 or not all(is_number(end) and math.isfinite(end) for end in ends):
        raise DataError(
            f"{argument}: found {scale!r}, but two numbers are needed; try: {argument}=(1, 5)"
        )
    return float(ends[0]), float(ends[1])


def check_missing(missing: str) -> bool:
    """Whether a pair that is not given counts 0.

    Raises
    ------
    DataError
        If it is no policy.
    """
    if missing not in ("error", "zero"):
        raise DataError(f'missing: found {missing!r}, but one of "error", "zero" is needed')
    return missing == "zero"


def wide(columns: Mapping[str, Any], what: str, names: tuple[str, str], native: Native) -> Any:
    """A column of a tidy table laid out as a matrix.

    The first names are the index of a pandas frame, and else the first column.

    Raises
    ------
    DataError
        If there is no such column.
    """
    row, col = names
    allowed = [name for name in columns if name not in names]
    if what not in allowed:
        listed = ", ".join(allowed)
        raise DataError(f"what: found {what!r}, but one of {listed} is needed")
    rows, cols = list(dict.fromkeys(columns[row])), list(dict.fromkeys(columns[col]))
    label = free_name(row, *cols)
    laid: dict[str, Any] = {label: rows}
    for at, name in enumerate(cols):
        laid[name] = columns[what][at :: len(cols)]
    found = to_native(Frame.of(laid).core, native)
    return found.set_index(label) if native == "pandas" else found


def first_native(*found: Named | None) -> Native:
    """The kind of the first that was a frame."""
    kinds = (one.native for one in found if one is not None and one.native is not None)
    return next(kinds, None) or default_native()


def core_of(found: Named | None) -> dict[str, Any] | None:
    return None if found is None else found.core


def worth_pairs(value: Any) -> list[tuple[str, float]] | None:
    """What each persona is worth, as pairs."""
    if value is None:
        return None
    if not hasattr(value, "items"):
        raise TypeError(
            f"value: found a {type(value).__name__}, but a number for each persona is needed; "
            'try: value={"families": 1000}'
        )
    pairs = []
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, (int, float, np.number)):
            raise TypeError(f"value: found {number!r} for {name!r}, but a number is needed")
        pairs.append((str(name), float(number)))
    return pairs
