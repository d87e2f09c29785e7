"""What a user says of the cells of a gap matrix, as tables of the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from ilk._frame import Frame, free_name
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from ilk import _core

__all__ = ["amounts", "pairs", "side"]


def side(argument: str, given: str | Sequence[str]) -> list[str]:
    """The columns of a side: one, or several."""
    if isinstance(given, str):
        return [given]
    names = list(given) if isinstance(given, Iterable) else [given]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{argument}: found {name!r}, but names of columns are needed")
    return names


def amounts(
    argument: str, given: Any, rows: list[str], cols: list[str], *, scalar: bool = False
) -> _core.Table | None:
    """Amounts by column category or by cell: a mapping, a frame, or (where ``scalar``) one number for all."""
    if given is None:
        return None
    amount = free_name("amount", *rows, *cols)
    if scalar and isinstance(given, Real) and not isinstance(given, bool):
        if not 0 <= float(given) < float("inf"):
            raise DataError(
                f"{argument}: found {given}, but a finite number of at least 0 is needed"
            )
        return Frame.of({amount: [float(given)]}, name=argument).core
    if getattr(given, "ndim", None) == 1 and hasattr(given, "items"):  # a pandas Series
        given = dict(given.items())
    if not isinstance(given, Mapping) or any(name in given for name in cols):
        return Frame.of(given, name=argument).core
    keys = list(given)
    of_pairs = [_is_pair(key, cols) for key in keys]
    columns: dict[str, list[Any]] = {}
    if keys and all(of_pairs):
        columns.update(_parts(argument, [key[0] for key in keys], rows))
        keys = [key[1] for key in keys]
    elif any(of_pairs):
        raise DataError(
            f"{argument}: found {keys[of_pairs.index(False)]!r} among pairs of a row and a column category, but either "
            "all keys are pairs or none is"
        )
    columns.update(_parts(argument, keys, cols))
    return Frame.of({**columns, amount: list(given.values())}, name=argument).core


def pairs(
    given: Iterable[Sequence[Any]] | None, rows: list[str], cols: list[str]
) -> _core.Table | None:
    """Pairs of categories as a table, so that they get the names that the categories of the records get."""
    if given is None:
        return None
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for pair in listed:
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise DataError(
                f"structural_zeros: found {pair!r}, but pairs of a row and a column category are needed; "
                "try: structural_zeros=[('single', 'school lunch')]"
            )
    if not listed:
        return None
    argument = "structural_zeros"
    columns = _parts(argument, [pair[0] for pair in listed], rows)
    columns.update(_parts(argument, [pair[1] for pair in listed], cols))
    return Frame.of(columns, name=argument).core


def _is_pair(key: Any, cols: list[str]) -> bool:
    """Whether a key names a row and a column category; one of several columns is a tuple itself."""
    return (
        isinstance(key, tuple)
        and len(key) == 2
        and (len(cols) == 1 or any(isinstance(part, tuple) for part in key))
    )


def _parts(argument: str, categories: list[Any], names: list[str]) -> dict[str, list[Any]]:
    """A column for each column of the side."""
    if len(names) == 1:
        return {names[0]: categories}
    for category in categories:
        if not isinstance(category, tuple) or len(category) != len(names):
            raise DataError(
                f"{argument}: found {category!r}, but a tuple with a category of each of {names} is needed"
            )
    return {name: [category[at] for category in categories] for at, name in enumerate(names)}
