"""Days and units of time, as people write them."""

from __future__ import annotations

import datetime
import math
from typing import Any, Literal

import numpy as np

from ilk.exceptions import DataError

#: A unit of time by name, or its length in days.
TimeUnit = Literal["day", "week", "month", "year"] | float

YEAR = 365.25

_DAYS = {"day": 1.0, "week": 7.0, "month": YEAR / 12, "year": YEAR}

_EPOCH = datetime.date(1970, 1, 1)


def unit_days(time_unit: TimeUnit) -> float:
    """Length of a unit of time in days.

    >>> unit_days("week"), unit_days(30)
    (7.0, 30.0)
    """
    if isinstance(time_unit, str):
        if time_unit not in _DAYS:
            raise DataError(
                f"time_unit: found {time_unit!r}, but {', '.join(map(repr, _DAYS))}, or a number of days, is needed"
            )
        return _DAYS[time_unit]
    if isinstance(time_unit, bool) or not isinstance(time_unit, (int, float, np.number)):
        raise TypeError(
            f"time_unit: found {time_unit!r}, but the name of a unit or a number of days is needed"
        )
    if not 0 < time_unit < math.inf:
        raise DataError(f"time_unit: found {time_unit!r}, but a positive number of days is needed")
    return float(time_unit)


def unit_name(days: float | None, number: float = 2) -> str:
    """The unit of so many days in words.

    >>> unit_name(7), unit_name(1, 1), unit_name(10)
    ('weeks', 'day', 'units of 10 days')
    """
    plural = "" if number == 1 else "s"
    if days is None:
        return f"unit{plural} of time"
    for name, length in _DAYS.items():
        if length == days:
            return name + plural
    return f"unit{plural} of {days:g} days"


def as_day(argument: str, value: Any) -> float | None:
    """A date as days since 1970-01-01: a date, a moment, ISO text, or a number of days.

    >>> as_day("observed_to", "1970-02-01")
    31.0
    """
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument}: found {value!r}, but a date is needed")
    if isinstance(value, (int, float, np.integer, np.floating)):
        if not math.isfinite(value):
            raise DataError(f"{argument}: found {value!r}, but a date is needed")
        return float(value)
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise DataError(
                f'{argument}: found {value!r}, but a date such as "2024-01-31" is needed'
            ) from None
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            raise DataError(f"{argument}: found a missing date, but a date is needed")
        value = value.astype("datetime64[D]").item()
    if value is not None and value != value:
        raise DataError(f"{argument}: found a missing date, but a date is needed")
    if isinstance(value, datetime.datetime):
        value = value.date()
    if not isinstance(value, datetime.date):
        raise TypeError(
            f"{argument}: found a {type(value).__name__}, but a date, a number of days or ISO text is needed"
        )
    return float((value - _EPOCH).days)


def as_date(day: int) -> datetime.date:
    """The date of a number of days since 1970-01-01; the first or the last there is beyond them."""
    ordinal = min(max(_EPOCH.toordinal() + day, 1), datetime.date.max.toordinal())
    return datetime.date.fromordinal(ordinal)
