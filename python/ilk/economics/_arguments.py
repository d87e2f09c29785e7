"""What the functions of this room ask of their arguments."""

from __future__ import annotations

import operator
from typing import Any

from ilk.exceptions import DataError


def whole(argument: str, value: Any) -> int:
    """A whole number, 0 or more."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{argument}: found {value!r}, but a whole number is needed") from None
    if not 0 <= number < 2**63:
        raise DataError(f"{argument}: found {number}, but a whole number, 0 or more, is needed")
    return number
