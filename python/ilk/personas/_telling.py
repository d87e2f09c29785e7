"""Figures and rules as a card tells them: every digit that it has, and none that it has not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ilk import _html

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["condition_text", "evidence", "exact", "percent"]


def exact(value: float) -> str:
    """A number in full, its thousands apart from five digits on.

    >>> exact(71300.0), exact(1980), exact(0.25), exact(1e-7)
    ('71,300', '1980', '0.25', '0.0000001')
    """
    return _grouped(Decimal(repr(value)))


def percent(share: float) -> str:
    """A share in percent, in full.

    >>> percent(0.483), percent(1.0)
    ('48.3 %', '100 %')
    """
    return f"{_grouped(Decimal(repr(share)) * 100)} %"


def _grouped(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    whole, dot, part = text.partition(".")
    if len(whole.lstrip("-")) > 4:
        whole = f"{int(whole):,}"
    return "0" if whole in ("-0", "") and not part else whole + dot + part


def condition_text(condition: Mapping[str, Any]) -> str:
    """A rule in words, without its column.

    >>> condition_text({"level": None, "at_least": 20.0, "below": 40.0})
    'at least 20, below 40'
    """
    if condition["level"] is not None:
        return f"is {condition['level']}"
    ends = {"at least": condition["at_least"], "below": condition["below"]}
    return ", ".join(f"{name} {exact(end)}" for name, end in ends.items() if end is not None)


def evidence(figure: Mapping[str, Any], name: Callable[[str], str]) -> str:
    """A figure with all its parts."""
    told = percent if figure["unit"] == "share" else exact
    text = name(figure["name"])
    unit = " %" if figure["unit"] == "share" else ""
    text += f" not finite{unit}" if figure["value"] is None else f" {told(figure['value'])}"
    if figure["lo"] is not None or figure["hi"] is not None:
        ends = [("unknown" if figure[end] is None else told(figure[end])) for end in ("lo", "hi")]
        text += f" ({ends[0]} to {ends[1]})"
    if figure["overall"] is not None:
        text += f", {told(figure['overall'])} over all"
    if figure["lift"] is not None:
        text += f", lift {exact(figure['lift'])}"
    return text


def readable(name: str) -> str:
    """A name of a column as a person reads it.

    >>> readable("visits_per_month")
    'visits per month'
    """
    return _html.shortened(name.replace("_", " "), 200)
