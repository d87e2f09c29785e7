"""What functions ask of their arguments."""

from __future__ import annotations

import operator
from typing import Any

from ilk.exceptions import DataError

__all__ = ["whole"]


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
