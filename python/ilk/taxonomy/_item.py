"""Entries of a taxonomy, and what their texts must satisfy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ilk import _html
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Item", "Value", "check_key", "check_text", "nearest"]

#: What an attribute of an item may hold.
Value = str | int | float | bool | tuple[str, ...] | None

_FIELDS = ("key", "name", "description", "source")
_MAX_TEXT = 100_000


def nearest(found: str, known: Iterable[str]) -> str:
    """A clause with the nearest of the known names, and nothing where none is near.

    >>> nearest("famly", ["student", "family"])
    "; did you mean 'family'?"
    """
    # A text of a megabyte is near to nothing, and would take long to compare.
    names = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(found.casefold()[:200], names, n=1, cutoff=0.6)
    return f"; did you mean {names[close[0]]!r}?" if close else ""


@dataclass(frozen=True)
class Item:
    """One entry of a taxonomy.

    Attributes
    ----------
    key : str
        Stands for the item in data and code.
    name : str
        What a person reads.
    description : str
        What it means.
    attributes : mapping
        What else is known of it, such as the ``driver`` of a life stage: texts, numbers, lists of texts. ``item["driver"]``
        reads one.
    source : str
        Where it comes from, if not from where the list comes.

    Examples
    --------
    >>> from ilk import taxonomy
    >>> taxonomy.LIFE_STAGES["family"]["driver"]
    'quality and reliability'
    """

    key: str
    name: str
    description: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        check_key(self.key)
        for part in ("name", "description", "source"):
            check_text(f"{self.key}.{part}", getattr(self, part))
        if not self.name.strip():
            raise DataError(f"{self.key}.name: found an empty text, but a name is needed")
        if not isinstance(self.attributes, Mapping):
            raise TypeError(
                f"{self.key}.attributes: found a {type(self.attributes).__name__}, but a mapping is needed"
            )
        read = {
            name: _value(f"{self.key}.{name}", value) for name, value in self.attributes.items()
        }
        for name in read:
            if not isinstance(name, str) or not name.strip() or name in _FIELDS:
                raise DataError(
                    f"{self.key}: found an attribute called {name!r}, but a text other than {', '.join(_FIELDS)} is needed"
                )
        object.__setattr__(self, "attributes", MappingProxyType(read))

    def __getitem__(self, attribute: str) -> Value:
        if attribute in _FIELDS:
            return str(getattr(self, attribute))
        if attribute not in self.attributes:
            known = [*_FIELDS, *self.attributes]
            raise DataError(
                f"{self.key}: found no attribute {attribute!r}; there are {', '.join(known)}{nearest(str(attribute), known)}"
            )
        return self.attributes[attribute]

    def get(self, attribute: str, default: Value = None) -> Value:
        """An attribute, or ``default`` where the item has none of this name."""
        return self.attributes.get(attribute, default)

    def __hash__(self) -> int:
        return hash((self.key, self.name, self.description))

    def __reduce__(self) -> tuple[Any, ...]:
        return Item, (self.key, self.name, self.description, dict(self.attributes), self.source)

    def to_dict(self) -> dict[str, Any]:
        """Key, name, description, attributes and source as plain data."""
        attributes = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.attributes.items()
        }
        return {
            "key": self.key,
            "name": self.name,
            "description": self.description,
            "attributes": attributes,
            "source": self.source,
        }


def _value(where: str, value: Any) -> Value:
    if isinstance(value, list | tuple):
        for entry in value:
            check_text(where, entry)
        return tuple(value)
    if isinstance(value, str):
        check_text(where, value)
        return value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise DataError(f"{where}: found {value}, but a finite number is needed")
        return value
    raise TypeError(
        f"{where}: found a {type(value).__name__}, but a text, a number or a list of texts is needed"
    )


def check_text(where: str, text: Any) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{where}: found a {type(text).__name__}, but a text is needed")
    if len(text) > _MAX_TEXT:
        raise DataError(
            f"{where}: found {len(text):,} characters, but at most {_MAX_TEXT:,} are kept"
        )


def check_key(key: Any, where: str = "key") -> str:
    if not isinstance(key, str):
        raise TypeError(f"{where}: found a {type(key).__name__}, but a text is needed")
    if not key.strip() or len(key) > 200 or _html.printable(key) != key:
        raise DataError(
            f"{where}: found {_html.shortened(key, 40)!r}, but a text of 1 to 200 printable characters is needed"
        )
    return key
