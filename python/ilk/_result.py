"""What every result can do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from ilk import _html
from ilk._frame import Native, default_native, to_dict, to_native
from ilk.exceptions import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ilk import _core


class CoreResult(Protocol):
    """A result of the core."""

    def table(self) -> _core.Table: ...
    def to_json(self) -> str: ...
    def manifest(self) -> str: ...
    @staticmethod
    def from_json(text: str) -> Any: ...


class Explanation(str):
    """Plain sentences, shown as paragraphs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        lines = (_html.shortened(line, 2000) for line in self.splitlines() if line)
        return _html.panel(*(_html.element("p", line) for line in lines))


class Result:
    """A frozen result of the core.

    Subclasses say which core class they wrap (``_wraps``), how their columns read (``_formats``) and what they mean
    (:meth:`explain`, :meth:`plot`).
    """

    __slots__ = ("_core", "_native")

    _wraps: ClassVar[type[Any]]
    _title: ClassVar[str]
    _formats: ClassVar[Mapping[str, str]] = {}

    _core: Any
    _native: Native

    def __init__(self, core: Any, native: Native | None = None) -> None:
        object.__setattr__(self, "_core", core)
        object.__setattr__(self, "_native", native or default_native())

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a {type(self).__name__} is frozen; {name!r} cannot be set")

    @property
    def table(self) -> Any:
        """The figures as a tidy frame of the kind that came in."""
        return to_native(self._core.table(), self._native)

    def to_pandas(self) -> pd.DataFrame:
        """The figures as a pandas frame."""
        frame: pd.DataFrame = to_native(self._core.table(), "pandas")
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The figures as a polars frame."""
        frame: pl.DataFrame = to_native(self._core.table(), "polars")
        return frame

    def to_arrow(self) -> pa.Table:
        """The figures as a pyarrow table."""
        return to_native(self._core.table(), "pyarrow")

    def to_dict(self) -> dict[str, Any]:
        """The figures as a dict of columns."""
        return to_dict(self._core.table())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.table().__arrow_c_stream__(requested_schema)

    def to_json(self, path: str | Path | None = None) -> str:
        """The whole result as JSON, with the version of its schema; written to ``path`` if one is given."""
        text: str = self._core.to_json()
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, source: str | Path) -> Self:
        """Read back what :meth:`to_json` gave: a path, or the text itself.

        Raises
        ------
        ModelFileError
            If it is broken, or holds another kind of result.
        """
        return cls(cls._wraps.from_json(_read_text(source)))

    def __copy__(self) -> Self:
        return self  # it is frozen

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._core.to_json(), self._native)

    @property
    def manifest(self) -> dict[str, Any]:
        """Settings, seed, version, rows used and left out, and findings."""
        manifest: dict[str, Any] = json.loads(self._core.manifest())
        return manifest

    def explain(self) -> Explanation:
        """What the figures say, in plain sentences with the thresholds used."""
        raise NotImplementedError

    def _shown(self) -> dict[str, Any]:
        """The columns that a person is shown."""
        return self.to_dict()

    def _rows_note(self) -> str:
        manifest = self.manifest
        note = f"{manifest['rows_used']:,} of {manifest['rows']:,} rows used"
        for left_out in manifest["left_out"]:
            note += f"; {left_out['rows']:,} left out: {left_out['reason']}"
        return "; ".join([note, *manifest["notes"]])

    def _repr_html_(self) -> str:
        return _html.panel(
            _html.table(self._shown(), self._title, self._formats),
            _html.element("p", _html.shortened(self._rows_note(), 2000), class_="ilk-note"),
        )

    def __repr__(self) -> str:
        return f"{self._title}\n{text_table(self._shown(), self._formats)}\n{self._rows_note()}"


def _read_text(source: str | Path) -> str:
    """The text itself, or what the file holds."""
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"source: found a {type(source).__name__}, but JSON or a path is needed")
    if isinstance(source, str) and source.lstrip()[:1] in ("{", "[", ""):
        return source
    try:
        return Path(source).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ModelFileError(f"this is not a usable ilk file: {source} is not text") from None
    except (OSError, ValueError) as error:
        if isinstance(source, Path) or (len(source) < 1000 and source.isprintable()):
            raise
        raise ModelFileError(f"this is not a usable ilk file: {error.__class__.__name__}") from None


def _restore(cls: type[Result], text: str, native: Native) -> Result:
    return cls(cls._wraps.from_json(text), native)


def _one_line(text: str) -> str:
    """Text on one line that commands no terminal."""
    return _html.shortened(_html.printable(" ".join(text.split())), 60)


def text_table(columns: Mapping[str, Any], formats: Mapping[str, str], max_rows: int = 30) -> str:
    """Columns as aligned text, intervals in brackets."""
    shown = _html.shown_columns(columns)
    n_rows = min(len(next(iter(columns.values()), ())), max_rows)
    cells = []
    for name in shown:
        column = [_one_line(name)]
        for row in range(n_rows):
            kind = formats.get(name, "number")
            text = _one_line(_html.format_value(columns[name][row], kind))
            interval = _html.format_interval(columns, name, row, kind)
            column.append(f"{text} [{interval}]" if interval else text)
        cells.append(column)
    widths = [max(len(text) for text in column) for column in cells]
    lines = [
        "  ".join(column[row].ljust(width) for column, width in zip(cells, widths, strict=True))
        for row in range(n_rows + 1)
    ]
    return "\n".join(line.rstrip() for line in lines)
