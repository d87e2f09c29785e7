"""What functions ask of columns, numbers and pictures that they are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ilk._arguments import column_name, whole
from ilk.exceptions import DataError

__all__ = ["columns", "drawing", "free_names", "listed_columns", "replicates", "word"]

#: Percentiles of fewer replicates leave out what they are about.
_LEAST = 20


def columns(**named: Any) -> list[str]:
    """The columns that arguments name; those that name none are left out.

    Raises
    ------
    TypeError
        If one of them is not the name of a column.
    """
    return [column_name(argument, name) for argument, name in named.items() if name is not None]


def free_names(taken: Collection[str], **named: Any) -> None:
    """Refuse columns whose name another column of the result has.

    Raises
    ------
    DataError
        With the first of them.
    """
    for argument, name in named.items():
        if name in taken:
            raise DataError(
                f"{argument}: found the column {name!r}, but the result has another column of this name; "
                f'try: df = df.rename(columns={{"{name}": "{name}_"}})'
            )


def listed_columns(argument: str, names: Any) -> list[str]:
    """The columns that a list names.

    Raises
    ------
    TypeError
        If it is one text or no list, or something in it is no name.
    """
    if isinstance(names, str):
        raise TypeError(
            f"{argument}: found one text, but a list of names of columns is needed; try: {argument}=[{names!r}]"
        )
    found = list(names) if isinstance(names, Iterable) else [names]
    for name in found:
        if name is names or not isinstance(name, str):
            raise TypeError(
                f'{argument}: found {name!r}, but a list of names of columns is needed; try: {argument}=["a", "b"]'
            )
    return found


def replicates(n_boot: Any) -> int:
    """A number of replicates for intervals: none, or as many as percentiles take.

    Raises
    ------
    TypeError
        If it is no whole number.
    DataError
        If it is negative, or too small.
    """
    found = whole("n_boot", n_boot)
    if 0 < found < _LEAST:
        raise DataError(
            f"n_boot: found {found}, but 0 or at least {_LEAST} are needed; try: n_boot=1000"
        )
    return found


def word(argument: str, text: Any) -> str | None:
    """A text, or none.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if text is not None and not isinstance(text, str):
        raise TypeError(f"{argument}: found {text!r}, but a text or None is needed")
    return text


def drawing(ax: Any) -> Any:
    """Where to draw: axes of matplotlib, or none for a new figure.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if ax is not None and not hasattr(ax, "set_xlim"):
        raise TypeError(
            f"ax: found a {type(ax).__name__}, but axes of matplotlib are needed; try: ax=plt.gca()"
        )
    return ax
