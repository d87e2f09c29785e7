"""Conditions on customers as plain data: a mapping from columns to what their values must be. Nothing is evaluated."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence, Set
from typing import Any, cast

import numpy as np

from ilk.exceptions import DataError

__all__ = ["Where", "conditions", "conditions_json", "rules_json"]

#: What customers must be: columns to values, lists, intervals or bounds.
Where = Mapping[str, Any]

_LOW = {"at_least": False, "above": True}
_HIGH = {"at_most": False, "below": True}
_KEYS = (*_LOW, *_HIGH, "in", "not_in", "missing")


def conditions(where: Where, argument: str = "where") -> list[dict[str, Any]]:
    """Conditions as the core takes them; all must hold.

    >>> conditions({"age": (18, 25), "channel": ["web", "shop"]})[0]["column"]
    'age'

    Raises
    ------
    TypeError
        If a condition is neither a value, a list, an interval nor bounds.
    DataError
        If bounds or values are not allowed.
    """
    if not isinstance(where, Mapping):
        raise TypeError(
            f"{argument}: found a {type(where).__name__}, but a mapping from columns to values is needed; "
            f'try: {argument}={{"age": (18, 25), "channel": ["web", "shop"]}}'
        )
    found = []
    for column, test in where.items():
        if not isinstance(column, str):
            raise TypeError(f"{argument}: found the column {column!r}, but names are text")
        found += [{"column": column, "test": one} for one in _tests(column, test, argument)]
    return found


def conditions_json(where: Where, argument: str = "where") -> str:
    """Conditions as JSON."""
    return json.dumps(conditions(where, argument))


def rules_json(
    rules: Mapping[str, Where | Sequence[Where]], default: str | None, argument: str = "rules"
) -> tuple[str, list[str]]:
    """Rules as JSON, and the names of the segments in order, that of all others last.

    A segment has one set of conditions, or a list of which one must hold.
    """
    if not isinstance(rules, Mapping):
        raise TypeError(
            f"{argument}: found a {type(rules).__name__}, but a mapping from names of segments to conditions is needed; "
            f'try: {argument}={{"young": {{"age": (0, 30)}}}}'
        )
    if not rules:
        raise DataError(f"{argument}: found no rule, but at least one is needed")
    names: list[str] = []
    listed = []
    for name, alternatives in rules.items():
        if not isinstance(name, str):
            raise TypeError(f"{argument}: found the name {name!r}, but names of segments are text")
        names.append(name)
        several = isinstance(alternatives, (list, tuple))
        for where in cast("Sequence[Where]", alternatives if several else [alternatives]):
            found = conditions(where, f"{argument}[{name!r}]")
            listed.append({"segment": len(names) - 1, "all": found})
    if default is not None:
        if not isinstance(default, str):
            raise TypeError(f"default: found {default!r}, but the name of a segment is needed")
        if default not in names:
            names.append(default)
    number = None if default is None else names.index(default)
    return json.dumps({"rules": listed, "default": number}), names


def _tests(column: str, test: Any, argument: str) -> list[Any]:
    """The tests that a condition stands for."""
    place = f"{argument}[{column!r}]"
    if test is None:
        return ["missing"]
    if isinstance(test, tuple):
        if len(test) != 2:
            raise DataError(
                f"{place}: found {test!r}, but an interval is (low, high), of which low is inside and high is not; "
                "a list means one of its values"
            )
        return [_between(test[0], False, test[1], True, place)]
    if isinstance(test, Mapping):
        return _bounds(test, place)
    if all(hasattr(test, name) for name in ("left", "right", "closed")):  # an interval of pandas
        left, right = test.closed in ("left", "both"), test.closed in ("right", "both")
        low, high = (None if _unbounded(end) else end for end in (test.left, test.right))
        return [_between(low, not left, high, not right, place)]
    if isinstance(test, (list, Set, np.ndarray)):
        # A set has no order of its own.
        values = sorted(test, key=str) if isinstance(test, Set) else list(test)
        return [{"in": [_value(value, place) for value in values]}]
    return [{"in": [_value(test, place)]}]


def _bounds(test: Mapping[Any, Any], place: str) -> list[Any]:
    unknown = [key for key in test if key not in _KEYS]
    if unknown or not test:
        options = ", ".join(f'"{key}"' for key in _KEYS)
        raise DataError(
            f"{place}: found {unknown[0] if unknown else dict(test)!r}, but some of {options} are needed"
        )
    found: list[Any] = []
    lows, highs = ([key for key in test if key in keys] for keys in (_LOW, _HIGH))
    if len(lows) > 1 or len(highs) > 1:
        two = lows if len(lows) > 1 else highs
        raise DataError(f"{place}: found {two[0]!r} and {two[1]!r}, but one bound is needed")
    if lows or highs:
        low, high = (keys[0] if keys else None for keys in (lows, highs))
        found.append(
            _between(
                None if low is None else test[low],
                _LOW.get(low or "", False),
                None if high is None else test[high],
                _HIGH.get(high or "", False),
                place,
            )
        )
    for key in ("in", "not_in"):
        if key in test:
            values = test[key]
            if isinstance(values, str) or not isinstance(values, (Sequence, Set, np.ndarray)):
                values = [values]
            values = sorted(values, key=str) if isinstance(values, Set) else list(values)
            found.append({key: [_value(value, place) for value in values]})
    if "missing" in test:
        if not isinstance(test["missing"], (bool, np.bool_)):
            raise DataError(f"{place}: found {test['missing']!r}, but missing is true or false")
        found.append("missing" if test["missing"] else "present")
    return found


def _between(low: Any, low_open: bool, high: Any, high_open: bool, place: str) -> dict[str, Any]:
    ends = [None if end is None else _end(end, place) for end in (low, high)]
    dates = {is_date for end in ends if end is not None for is_date in end[1:]}
    if len(dates) > 1:
        raise DataError(f"{place}: found a date and a number, but both ends must be of one kind")
    bounds = [
        None if end is None else {"at": end[0], "open": is_open}
        for end, is_open in zip(ends, (low_open, high_open), strict=True)
    ]
    return {"between": {"low": bounds[0], "high": bounds[1], "dates": dates == {True}}}


def _end(end: Any, place: str) -> tuple[float, bool]:
    """One end, and whether it is a date, which then is in days."""
    if isinstance(end, (str, dt.date, np.datetime64)):
        from ilk.economics._report import day_number

        day = day_number(place, end)
        return float("nan") if day is None else day, True
    if isinstance(end, (bool, np.bool_)) or not isinstance(end, (int, float, np.number)):
        raise TypeError(f"{place}: found {end!r}, but the end of an interval is a number or a date")
    number = float(end)
    if math.isnan(number) or math.isinf(number):
        raise DataError(
            f"{place}: found {end!r}, but the end of an interval is a number; None bounds nothing"
        )
    return number, False


def _unbounded(end: Any) -> bool:
    return isinstance(end, (float, np.floating)) and math.isinf(end)


def _value(value: Any, place: str) -> bool | float | str:
    if isinstance(value, (str, np.str_)):
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.number)):
        number = float(value)
        if math.isfinite(number):
            return number
    elif value is not None:
        raise TypeError(
            f"{place}: found {value!r}, but text, numbers, true and false are values of columns"
        )
    raise DataError(
        f'{place}: found {value!r} among values, but a missing value is asked for by {{"missing": True}} or None'
    )
