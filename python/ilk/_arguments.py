"""What functions ask of their arguments."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

from ilk.exceptions import DataError

__all__ = ["column_name", "names", "real", "reals", "reals_by_name", "whole"]


def whole(argument: str, value: Any, least: int = 0) -> int:
    """A whole number from ``least`` up.

    Raises
    ------
    TypeError
        If it is none.
    DataError
        If it is too small, or needs more than 64 bits.
    """
    wanted = f"a whole number from {least} up is needed"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{argument}: found {value!r}, but {wanted}") from None
    if isinstance(value, bool):
        raise TypeError(f"{argument}: found {value!r}, but {wanted}")
    if not least <= number < 2**63:
        raise DataError(f"{argument}: found {number}, but {wanted}")
    return number


def real(argument: str, value: Any) -> float:
    """A finite number.

    Raises
    ------
    TypeError
        If it is text, a truth value, nothing, or anything else that is no number.
    DataError
        If it is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        raise TypeError(f"{argument}: found {value!r}, but a number is needed")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DataError(f"{argument}: found {value!r}, but a finite number is needed")
    return number


def reals(argument: str, values: Any) -> list[float]:
    """Several finite numbers.

    Raises
    ------
    TypeError
        If it is a single value, or one of them is no number.
    DataError
        If one of them is not finite.
    """
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise TypeError(
            f"{argument}: found {values!r}, but a list of numbers is needed; try: {argument}=[0.5]"
        )
    return [real(f"{argument}[{at}]", value) for at, value in enumerate(values)]


def reals_by_name(argument: str, values: Any) -> dict[str, float]:
    """A finite number for each name; none where nothing is given.

    Raises
    ------
    TypeError
        If it is no mapping (or pandas Series), or one of the values is no number.
    DataError
        If one of them is not finite.
    """
    if values is None:
        return {}
    if not hasattr(values, "items"):
        raise TypeError(
            f"{argument}: found a {type(values).__name__}, but a mapping of names to numbers is needed; "
            f'try: {argument}={{"age": 2}}'
        )
    return {str(name): real(f"{argument}[{name!r}]", value) for name, value in values.items()}


def column_name(argument: str, value: Any) -> str:
    """The name of a column.

    Raises
    ------
    TypeError
        If it is no text.
    """
    if not isinstance(value, str):
        raise TypeError(
            f'{argument}: found {_kind(value)}, but the name of a column is needed; try: {argument}="{argument}"'
        )
    return value


def names(argument: str, values: Any, wanted: str = "names of columns are needed") -> list[str]:
    """Several names, in their order.

    Raises
    ------
    TypeError
        If it is one text, a frame, a set (which has no order) or no collection, or one of the names is no text.
    """
    if isinstance(values, str):
        raise TypeError(f"{argument}: found one text, but {wanted}; try: [{values!r}]")
    if isinstance(values, (set, frozenset)):
        raise TypeError(
            f"{argument}: found a {type(values).__name__}, which has no order, but {wanted}; try: sorted({argument})"
        )
    if isinstance(values, Mapping) or hasattr(values, "columns"):
        raise TypeError(f"{argument}: found {_kind(values)}, but {wanted}")
    if not isinstance(values, Iterable):
        raise TypeError(f"{argument}: found {values!r}, but {wanted}")
    found = list(values)
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"{argument}: found {name!r} among the names, but a name is text")
    return found


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"
