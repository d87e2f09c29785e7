"""Lists that people agree on: frozen, versioned, and open to change with a record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ilk import _html
from ilk._core import __version__
from ilk._frame import Frame, default_native, to_native
from ilk._result import Explanation, _read_text, text_table
from ilk.exceptions import DataError, ModelFileError
from ilk.taxonomy._item import Item, check_key, check_text, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ilk.taxonomy._item import Value

__all__ = ["Change", "Taxonomy"]

_MAX_ITEMS = 10_000


@dataclass(frozen=True)
class Change:
    """What made a version of a taxonomy from the one before.

    Attributes
    ----------
    version : str
        The version that it led to.
    what : str
        ``"replaced"``, ``"extended"`` or ``"removed"``.
    keys : tuple of str
        The items changed.
    reason : str
        Why, in the words of who did it.
    """

    version: str
    what: str
    keys: tuple[str, ...]
    reason: str


@dataclass(frozen=True, repr=False, eq=False)
class Taxonomy:
    """A list of named items with a description and a source.

    A taxonomy never changes: :meth:`replace`, :meth:`extend` and :meth:`remove` give a new one, whose version counts the
    changes (``"1"``, ``"1+1"``, ``"1+2"``) and whose ``record`` tells them.

    Attributes
    ----------
    name : str
        What the list is called.
    description : str
        What the items have in common.
    source : str
        Where the list comes from.
    version : str
        Version of the list as shipped, and the number of changes after it.
    items : tuple of Item
        In their order.
    record : tuple of Change
        The changes, the oldest first.

    Examples
    --------
    >>> from ilk import taxonomy
    >>> stages = taxonomy.LIFE_STAGES
    >>> stages.keys
    ['student', 'young_professional', 'family', 'pensioner']
    >>> own = stages.extend({"empty_nest": {"name": "Empty nest", "driver": "comfort"}}, reason="our market")
    >>> own.version, own["empty_nest"]["driver"], len(stages)
    ('1+1', 'comfort', 4)
    """

    name: str
    items: tuple[Item, ...]
    description: str = ""
    source: str = ""
    version: str = "1"
    record: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        check_key(self.name, "name")
        for part in ("description", "source", "version"):
            check_text(part, getattr(self, part))
        if not isinstance(self.items, Iterable):
            raise TypeError(
                f"items: found a {type(self.items).__name__}, but several Item are needed; try: Taxonomy.of(name, items)"
            )
        object.__setattr__(self, "items", tuple(self.items))
        object.__setattr__(self, "record", tuple(self.record))
        for item in self.items:
            if not isinstance(item, Item):
                raise TypeError(
                    f"items: found a {type(item).__name__}, but Item is needed; try: Taxonomy.of(name, items)"
                )
        keys = self.keys
        if not 1 <= len(keys) <= _MAX_ITEMS:
            raise DataError(f"items: found {len(keys):,}, but 1 to {_MAX_ITEMS:,} are taken")
        for key in keys:
            if keys.count(key) > 1:
                raise DataError(f"items: found {key!r} twice, but each key may stand once")

    @classmethod
    def of(cls, name: str, items: Any, *, description: str = "", source: str = "") -> Taxonomy:
        """A list of one's own.

        Parameters
        ----------
        name : str
            What to call it.
        items : mapping, or iterable of str or Item
            Names; or keys with a description or with fields: ``{"bronze": {"name": "Bronze", "from": 0}}``. ``name``,
            ``description`` and ``source`` are known fields, all others are attributes.
        description, source : str
            What it is and where it comes from.

        Raises
        ------
        DataError
            If there are no items, or two of one key.
        """
        return cls(name, _items(items), description, source)

    @property
    def keys(self) -> list[str]:
        """The keys, in order."""
        return [item.key for item in self.items]

    @property
    def names(self) -> list[str]:
        """What people read, in order."""
        return [item.name for item in self.items]

    @property
    def table(self) -> Any:
        """One row per item and a column per field and attribute; lists are joined by semicolons."""
        return to_native(Frame.of(self._columns()).core, default_native())

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __contains__(self, key: object) -> bool:
        return key in self.keys

    def __getitem__(self, key: str) -> Item:
        for item in self.items:
            if item.key == key:
                return item
        raise DataError(self._unknown(key))

    def find(self, text: str) -> Item:
        """The item of this key or name; upper and lower case, spaces, hyphens and underscores are alike.

        Raises
        ------
        DataError
            If there is none; the message names the nearest.
        """
        wanted = _plain(text)
        for item in self.items:
            if wanted in (_plain(item.key), _plain(item.name)):
                return item
        raise DataError(self._unknown(text))

    def index(self, key: str) -> int:
        """Position of an item, from 0: stages and levels are in order."""
        return self.items.index(self[key])

    def replace(self, key: str, *, reason: str = "", **fields: Any) -> Taxonomy:
        """The same list with another name, description, source or attribute of one item.

        Parameters
        ----------
        key : str
            The item.
        reason : str
            Why; kept in :attr:`record`.
        **fields
            What is different: the name, description, source, or an attribute that an item of the list has. An attribute that
            is set to ``None`` is empty.

        Raises
        ------
        DataError
            If there is no such item or field, or nothing is replaced.
        """
        old = self[key]
        if not fields:
            raise DataError(
                "replace: found nothing to replace; try: .replace(key, description=...)"
            )
        texts = ("name", "description", "source")
        allowed = [*texts, *dict.fromkeys(name for item in self.items for name in item.attributes)]
        for name in fields:
            if name not in allowed:
                raise DataError(
                    f"replace: found the field {name!r}, but the fields are {', '.join(allowed)}{nearest(name, allowed)}"
                )
        known = {name: getattr(old, name) for name in texts}
        known |= {name: value for name, value in fields.items() if name in known}
        attributes = dict(old.attributes)
        attributes |= {name: value for name, value in fields.items() if name not in known}
        new = Item(old.key, known["name"], known["description"], attributes, known["source"])
        items = tuple(new if item.key == key else item for item in self.items)
        return self._changed(items, "replaced", [key], reason)

    def extend(self, items: Any, *, reason: str = "") -> Taxonomy:
        """The same list with more items at its end.

        Parameters
        ----------
        items : mapping, or iterable of str or Item
            As :meth:`of` takes them.
        reason : str
            Why; kept in :attr:`record`.

        Raises
        ------
        DataError
            If a key is there already.
        """
        new = _items(items)
        for item in new:
            if item.key in self:
                raise DataError(
                    f"extend: found {item.key!r}, which is there already; try: .replace({item.key!r}, ...)"
                )
        return self._changed((*self.items, *new), "extended", [item.key for item in new], reason)

    def remove(self, *keys: str, reason: str = "") -> Taxonomy:
        """The same list without some items.

        Raises
        ------
        DataError
            If there is no such item, or none would be left.
        """
        gone = [self[key].key for key in keys]
        items = tuple(item for item in self.items if item.key not in gone)
        return self._changed(items, "removed", gone, reason)

    def explain(self) -> Explanation:
        """What the list is, each item, where it comes from, and what was changed."""
        lines = [
            f"{_title(self.name)}: {self.description}" if self.description else _title(self.name)
        ]
        lines += [
            f"{item.name}: {item.description}" if item.description else item.name
            for item in self.items
        ]
        if self.source:
            lines.append(f"Source: {self.source}.")
        lines += [_told(change) for change in self.record]
        return Explanation("\n".join(" ".join(line.split()) for line in lines))

    def to_json(self, path: str | Path | None = None) -> str:
        """The list as JSON, with the version of its schema; written to ``path`` if one is given."""
        content = {
            "name": self.name,
            "description": self.description,
            "source": self.source,
            "version": self.version,
            "items": [item.to_dict() for item in self.items],
            "record": [
                {"version": c.version, "what": c.what, "keys": list(c.keys), "reason": c.reason}
                for c in self.record
            ],
        }
        text = json.dumps(
            {
                "schema": "ilk",
                "schema_version": 1,
                "kind": "taxonomy",
                "ilk_version": __version__,
                "content": content,
            },
            allow_nan=False,
        )
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, source: str | Path) -> Taxonomy:
        """Read back what :meth:`to_json` gave: a path, or the text itself.

        Raises
        ------
        ModelFileError
            If it is broken, or holds something else.
        """
        text = _read_text(source)
        try:
            data = json.loads(text, parse_constant=_no_constant)
            if (
                not isinstance(data, dict)
                or data.get("schema") != "ilk"
                or data.get("kind") != "taxonomy"
            ):
                raise DataError("it does not hold a taxonomy")
            version = data.get("schema_version")
            if not isinstance(version, int) or isinstance(version, bool) or version > 1:
                raise DataError(
                    f"schema_version {version!r} is not 1, the newest that this ilk reads"
                )
            return cls._read(data.get("content"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            reason = str(error) or error.__class__.__name__
            raise ModelFileError(
                f"this is not a usable ilk file: {_html.shortened(reason)}"
            ) from None

    @classmethod
    def _read(cls, content: Any) -> Taxonomy:
        _only(content, ("name", "description", "source", "version", "items", "record"))
        items = []
        for item in content["items"]:
            _only(item, ("key", "name", "description", "attributes", "source"))
            items.append(Item(**item))
        record = []
        for change in content["record"]:
            _only(change, ("version", "what", "keys", "reason"))
            if change["what"] not in ("replaced", "extended", "removed"):
                raise DataError(f"found the change {change['what']!r}")
            for part in ("version", "reason"):
                check_text(f"record.{part}", change[part])
            keys = tuple(check_key(key) for key in change["keys"])
            record.append(Change(change["version"], change["what"], keys, change["reason"]))
        return cls(**(content | {"items": tuple(items), "record": tuple(record)}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Taxonomy) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.name, self.version, self.items))

    def __repr__(self) -> str:
        lines = [f"{_title(self.name)} (version {self.version})", text_table(self._columns(), {})]
        return "\n".join(line for line in [*lines, self.source] if line)

    def _repr_html_(self) -> str:
        title = f"{_title(self.name)} (version {self.version})"
        notes = [text for text in (self.description, f"Source: {self.source}") if text]
        return _html.panel(
            _html.table(self._columns(), title),
            *(_html.element("p", _html.shortened(note, 2000), class_="ilk-note") for note in notes),
        )

    def _columns(self) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {
            "key": self.keys,
            "name": self.names,
            "description": [item.description for item in self.items],
        }
        attributes = dict.fromkeys(name for item in self.items for name in item.attributes)
        for name in attributes:
            columns[name] = _column([item.attributes.get(name) for item in self.items])
        if any(item.source for item in self.items):
            columns["source"] = [item.source for item in self.items]
        return columns

    def _changed(
        self, items: tuple[Item, ...], what: str, keys: list[str], reason: str
    ) -> Taxonomy:
        check_text("reason", reason)
        if not keys:
            raise DataError(f"{what}: found no item, but at least one is needed")
        base = self.version.partition("+")[0]
        version = f"{base}+{len(self.record) + 1}"
        change = Change(version, what, tuple(keys), reason)
        return Taxonomy(
            self.name, items, self.description, self.source, version, (*self.record, change)
        )

    def _unknown(self, key: object) -> str:
        shown = [repr(known) for known in self.keys[:20]]
        more = f" and {len(self) - 20} more" if len(self) > 20 else ""
        near = nearest(str(key), self.keys) or nearest(str(key), self.names)
        found = _html.shortened(repr(key), 100)
        return f"{self.name}: found {found}, but the keys are {', '.join(shown)}{more}{near}"


def _items(items: Any) -> tuple[Item, ...]:
    if isinstance(items, str):
        raise TypeError("items: found one text, but a mapping or several names are needed")
    if not isinstance(items, Iterable):
        raise TypeError(
            f"items: found a {type(items).__name__}, but a mapping or several names are needed; "
            'try: {"bronze": "Buys once a year."}'
        )
    if isinstance(items, Mapping):
        return tuple(_item(key, value) for key, value in items.items())
    return tuple(item if isinstance(item, Item) else _item(item, "") for item in items)


def _item(key: Any, value: Any) -> Item:
    check_key(key)
    if isinstance(value, Item):
        return value
    if isinstance(value, str):
        value = {"description": value}
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{key}: found a {type(value).__name__}, but a description or a mapping of fields is needed"
        )
    known = {name: value[name] for name in ("description", "source") if name in value}
    rest = {name: v for name, v in value.items() if name not in ("name", "description", "source")}
    return Item(key, value.get("name") or _title(key), attributes=rest, **known)


def _column(values: list[Value]) -> list[Any]:
    """Numbers with NaN for missing ones, or text."""
    if all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    ):
        return [float("nan") if value is None else float(value) for value in values]  # type: ignore[arg-type]
    return [_as_text(value) for value in values]


def _as_text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _plain(text: Any) -> str:
    return " ".join(str(text).replace("_", " ").replace("-", " ").casefold().split())


def _title(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _told(change: Change) -> str:
    reason = f" ({change.reason})" if change.reason else ""
    return f"Version {change.version} {change.what} {', '.join(change.keys)}{reason}."


def _only(data: Any, names: tuple[str, ...]) -> None:
    if not isinstance(data, dict) or set(data) != set(names):
        raise DataError(f"found other fields than {', '.join(names)}")
    for name in ("items", "record", "keys"):
        if name in data and not isinstance(data[name], list):
            raise DataError(f"{name} is no list")


def _no_constant(name: str) -> Any:
    raise DataError(f"found {name}, but a finite number is needed")
