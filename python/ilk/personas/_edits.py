"""What is said by hand of a field of a card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from ilk._arguments import real
from ilk.economics._report import day_number

__all__ = ["edit"]


def edit(field: str, value: Any) -> dict[str, Any]:
    """Texts or a range of a field, as the core takes them.

    Raises
    ------
    TypeError, DataError
        If it is neither.
    """
    if value is None:
        return {"field": field, "statements": [], "range": None}
    if isinstance(value, str):
        return {"field": field, "statements": [value], "range": None}
    if (
        isinstance(value, tuple)
        and len(value) == 2
        and not any(isinstance(end, str) for end in value)
    ):
        if any(isinstance(end, (dt.date, np.datetime64)) for end in value):
            days = tuple(None if end is None else day_number(field, end) for end in value)
            raise TypeError(
                f"{field}: found {value!r}, but a range is changed by hand in days since 1970-01-01; try: {field}={days}"
            )
        ends = [None if end is None else real(field, end) for end in value]
        return {"field": field, "statements": [], "range": ends}
    if isinstance(value, Sequence) and all(isinstance(text, str) for text in value):
        return {"field": field, "statements": list(value), "range": None}
    raise TypeError(
        f"{field}: found a {type(value).__name__}, but a text, several, a range (at_least, below) or None are needed"
    )
