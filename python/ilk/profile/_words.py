"""Traits as a person reads them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _html

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["counted_level", "shown_traits", "trait_name", "trait_value", "two_sided"]

#: Answers that say that something holds, and that it does not.
_YES = {"yes", "y", "true", "t", "1", "ja", "oui", "sí", "si", "sì", "да", "checked", "selected"}
_NO = {"no", "n", "false", "f", "0", "nein", "non", "нет", "unchecked", "not selected"}


def counted_level(levels: Iterable[str]) -> str | None:
    """The level that counts in a column of yes and no; nothing where it is another kind of column.

    >>> counted_level(["No", "Yes"]), counted_level(["don't know", "no", "yes"]), counted_level(["web", "store"])
    ('Yes', 'yes', None)
    """
    named = {level.strip().lower(): level for level in levels}
    yes, no = _YES & named.keys(), _NO & named.keys()
    if len(yes) != 1 or len(named) > 3 or (len(named) > 1 and not no):
        return None
    return named[yes.pop()]


def _levels(columns: Mapping[str, Any]) -> dict[str, list[str]]:
    """The levels of each feature, in order."""
    found: dict[str, dict[str, None]] = {}
    for feature, level in zip(columns["feature"], columns["level"], strict=True):
        found.setdefault(feature, {})[level] = None
    return {feature: list(levels) for feature, levels in found.items()}


def two_sided(columns: Mapping[str, Any]) -> set[str]:
    """Features with two categories: the share of one says that of the other."""
    return {feature for feature, levels in _levels(columns).items() if len(levels) == 2}


def shown_traits(columns: Mapping[str, Any], n_segments: int) -> list[int]:
    """First row of each trait of a profile; of features with two categories the yes, or else the second."""
    levels = _levels(columns)
    rows = []
    for row in range(0, len(columns["segment"]), n_segments):
        of_feature = levels[columns["feature"][row]]
        if len(of_feature) != 2 or columns["level"][row] == (
            counted_level(of_feature) or of_feature[1]
        ):
            rows.append(row)
    return rows


def trait_name(feature: str, level: str) -> str:
    """A trait as a person reads it."""
    return f"{feature} = {level}" if level else feature


def trait_value(value: float, measure: str) -> str:
    """A share, the mean of an amount, or the date that is the mean of days since 1970-01-01."""
    if measure == "date" and math.isfinite(value):
        return str(np.datetime64(math.floor(value), "D"))
    return _html.format_value(value, "share" if measure == "share" else "number")
