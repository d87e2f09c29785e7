"""What records of text share: checked fields, saving, and their look."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from ilk import _core, _html
from ilk._result import _one_line, _read_text
from ilk.exceptions import DataError, ModelFileError

__all__ = ["Record", "records", "text", "texts"]

_SCHEMA_VERSION = 1


def text(argument: str, value: Any) -> str:
    """A text without blanks around it.

    Raises
    ------
    TypeError
        If it is no text.
    """
    if not isinstance(value, str):
        raise TypeError(f"{argument}: found a {type(value).__name__}, but text is needed")
    return value.strip()


def texts(argument: str, value: Any) -> tuple[str, ...]:
    """Texts, each once, in their order; one text counts as one.

    Raises
    ------
    TypeError, DataError
        If one of them is no text or says nothing, or one stands twice.
    """
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, Sequence):
        raise TypeError(
            f"{argument}: found a {type(value).__name__}, but a list of texts is needed"
        )
    found = tuple(text(argument, one) for one in value)
    for at, one in enumerate(found):
        if not one:
            raise DataError(f"{argument}: found an empty text at place {at}, but words are needed")
        if one in found[:at]:
            raise DataError(f"{argument}: found {one!r} twice, but each is needed once")
    return found


def records(argument: str, given: Any, kind: type[Record], mend: str) -> list[Any]:
    """Records of one kind; one record counts as one.

    Raises
    ------
    TypeError
        If there is something else.
    """
    if isinstance(given, kind):
        return [given]
    several = isinstance(given, Iterable) and not isinstance(given, str)
    found = list(given) if several else [given]
    for one in found:
        if not isinstance(one, kind):
            raise TypeError(
                f"{argument}: found a {type(one).__name__}, but a {kind.__name__} is needed; try: {mend}"
            )
    return found


class Record:
    """A frozen record of texts. Subclasses are dataclasses that say their kind, title and rows to show."""

    __slots__ = ()

    _kind: ClassVar[str]
    _title: ClassVar[str]

    def _rows(self) -> list[tuple[str, str]]:
        """Names of the elements and what they say."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain lists, dicts and texts."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the record of what :meth:`to_dict` gave.

        Raises
        ------
        DataError
            If a field is missing or unknown, or says what is not allowed.
        TypeError
            If something else than a mapping is given.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"data: found a {type(data).__name__}, but a dict of fields is needed")
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        for name in data:
            if name not in fields:
                listed = ", ".join(map(repr, fields))
                raise DataError(f"data: found the field {name!r}, but the fields are {listed}")
        for name, field in fields.items():
            required = field.default is dataclasses.MISSING
            if required and field.default_factory is dataclasses.MISSING and name not in data:
                raise DataError(f"data: found no field {name!r}, but it is needed")
        return cls(**data)

    def to_json(self, path: str | Path | None = None) -> str:
        """The record as JSON, with the version of its schema; written to ``path`` if one is given."""
        made = json.dumps(
            {
                "schema": "ilk",
                "schema_version": _SCHEMA_VERSION,
                "kind": self._kind,
                "ilk_version": _core.__version__,
                "content": self.to_dict(),
            },
            ensure_ascii=False,
        )
        if path is not None:
            Path(path).write_text(made, encoding="utf-8")
        return made

    @classmethod
    def from_json(cls, source: str | Path) -> Self:
        """Read back what :meth:`to_json` gave: a path, or the text itself.

        Raises
        ------
        ModelFileError
            If it is broken, or holds another kind of record.
        """
        try:
            envelope = json.loads(_read_text(source))
        except (ValueError, RecursionError) as error:
            raise ModelFileError(f"this is not a usable ilk file: {error}") from None
        if not isinstance(envelope, dict) or envelope.get("schema") != "ilk":
            raise ModelFileError('this is not a usable ilk file: its schema is not "ilk"')
        version, kind = envelope.get("schema_version"), envelope.get("kind")
        if not isinstance(version, int) or version > _SCHEMA_VERSION:
            raise ModelFileError(
                f"this is not a usable ilk file: schema_version {version!r} is not one that this ilk "
                f"reads ({_SCHEMA_VERSION}); upgrade ilk"
            )
        if kind != cls._kind:
            raise ModelFileError(
                f"this is not a usable ilk file: it holds a {kind!r}, not a {cls._kind!r}"
            )
        try:
            return cls.from_dict(envelope.get("content"))  # type: ignore[arg-type]
        except (DataError, TypeError) as error:
            raise ModelFileError(f"this is not a usable ilk file: {error}") from None

    def _repr_html_(self) -> str:
        rows = [(name, _html.shortened(said, 2000)) for name, said in self._rows()]
        columns = {"element": [name for name, _ in rows], "content": [said for _, said in rows]}
        return _html.panel(_html.table(columns, self._title))

    def __repr__(self) -> str:
        rows = [(name, _one_line(said)) for name, said in self._rows()]
        width = max(len(name) for name, _ in rows)
        lines = [f"{name.ljust(width)}  {said}".rstrip() for name, said in rows]
        return "\n".join([self._title, *lines])
