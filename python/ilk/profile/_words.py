"""Traits as a person reads them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ilk import _html

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["shown_traits", "trait_name", "trait_value", "two_sided"]


def two_sided(columns: Mapping[str, Any]) -> set[str]:
    """Features with two categories: the share of one says that of the other."""
    pairs = set(zip(columns["feature"], columns["level"], strict=True))
    levels = Counter(feature for feature, _ in pairs)
    return {feature for feature, count in levels.items() if count == 2}


def shown_traits(columns: Mapping[str, Any], n_segments: int) -> list[int]:
    """First row of each trait of a profile, without the first category of features that have two."""
    of_two = two_sided(columns)
    told: set[str] = set()
    rows = []
    for row in range(0, len(columns["segment"]), n_segments):
        feature = columns["feature"][row]
        if feature in told or feature not in of_two:
            rows.append(row)
        told.add(feature)
    return rows


def trait_name(feature: str, level: str) -> str:
    """A trait as a person reads it."""
    return f"{feature} = {level}" if level else feature


def trait_value(value: float, level: str) -> str:
    """The mean of an amount, or the share of a category."""
    return _html.format_value(value, "share" if level else "number")
