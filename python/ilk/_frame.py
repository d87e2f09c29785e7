"""The one door in: any data frame becomes a table of the core, and results go back in the same kind of frame."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._columns import from_array, from_pandas, from_values, polars_codes, polars_ready
from ilk.exceptions import DataError, MissingColumnError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Native = Literal["pandas", "polars", "pyarrow", "duckdb", "dict"]

_CAPSULE = "__arrow_c_stream__"


@dataclass(frozen=True)
class Frame:
    """A user's frame as the core sees it.

    Attributes
    ----------
    core : _core.Table
        The columns in Arrow form.
    native : str
        The kind of frame that results are given back in.
    index : pandas.Index or None
        What a pandas frame calls its rows.
    """

    core: _core.Table
    native: Native
    index: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, data: Any, *, name: str = "df", columns: Sequence[str] | None = None) -> Frame:
        """Take in a frame.

        Parameters
        ----------
        data : pandas, polars, pyarrow, DuckDB or other Arrow frame, NumPy array, or dict of columns
            A two-dimensional array gets the columns ``x0``, ``x1`` and so on.
        name : str
            The argument's name, for messages.
        columns : sequence of str, optional
            The only columns that are needed; the others are not converted.

        Raises
        ------
        TypeError
            If ``data`` is not a frame, or a column has a type that Arrow cannot hold.
        MissingColumnError
            If one of ``columns`` is not there.
        """
        if isinstance(data, cls):
            return data
        if isinstance(data, _core.Table):
            return cls(data, default_native())
        core, native = _taken(data, name, columns)
        if columns is not None:
            require_columns(columns, core.names())
        index = getattr(data, "index", None) if native == "pandas" else None
        return cls(core, native, index)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self.core.names()

    def kinds(self) -> dict[str, str]:
        """What each column holds: number, boolean, date, nominal, ordinal, empty or other."""
        return {name: self.core.kind(name) for name in self.columns}

    def __len__(self) -> int:
        return len(self.core)


def default_native() -> Native:
    """The frame that results take where the input was not a frame: pandas, else polars, else a dict."""
    for name in ("pandas", "polars"):
        if importlib.util.find_spec(name) is not None:
            return name
    return "dict"


def to_native(table: _core.Table, native: Native) -> Any:
    """A result table in the kind of frame that came in."""
    if native == "pandas":
        import pandas as pd

        return pd.DataFrame(to_dict(table), columns=table.names())
    if native == "polars":
        import polars as pl

        return pl.DataFrame(table)
    if native == "pyarrow":
        import pyarrow as pa

        return pa.table(table)
    if native == "duckdb":
        import duckdb
        import pyarrow as pa

        return duckdb.from_arrow(pa.table(table))
    return to_dict(table)


def free_name(name: str, *taken: str) -> str:
    """``name``, with as many underscores behind it as it takes to differ from the names taken.

    >>> free_name("all", "all", "some")
    'all_'
    """
    while name in taken:
        name += "_"
    return name


def to_dict(table: _core.Table) -> dict[str, Any]:
    """A result table as a dict: arrays for numbers and flags, lists for text."""
    return {name: table.column(name) for name in table.names()}


def require_columns(wanted: Sequence[str], have: Sequence[str]) -> None:
    """Refuse names that are not there.

    Raises
    ------
    MissingColumnError
        With the nearest name there is.
    """
    for column in wanted:
        if column not in have:
            raise MissingColumnError(_core.missing_column_message(column, [str(c) for c in have]))


def _taken(data: Any, name: str, columns: Sequence[str] | None) -> tuple[_core.Table, Native]:
    """The table of a frame, and the kind of frame that it is."""
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        return _from_pandas(data, name, columns), "pandas"
    if module == "polars":
        return _core.Table.from_stream(*_from_polars(data, name, columns)), "polars"
    if module == "pyarrow":
        return _core.Table.from_stream(_from_pyarrow(data, columns)), "pyarrow"
    if module in ("duckdb", "_duckdb") and hasattr(data, _CAPSULE):
        if columns is not None:
            import duckdb

            wanted = _wanted(columns, data.columns)
            data = data.select(*(duckdb.ColumnExpression(label) for label in wanted))
        return _core.Table.from_stream(data), "duckdb"
    if isinstance(data, np.ndarray):
        return _from_array(data, name, columns), default_native()
    if isinstance(data, Mapping):
        return _from_mapping(data, name, columns), "dict"
    if hasattr(data, _CAPSULE):
        return _core.Table.from_stream(data), default_native()
    return _from_narwhals(data, name, columns), default_native()


def _wanted(columns: Sequence[str] | None, have: Sequence[str]) -> list[str]:
    """The columns to convert, each once."""
    if columns is None:
        return list(have)
    require_columns(columns, have)
    return list(dict.fromkeys(columns))


def _from_pandas(data: Any, name: str, columns: Sequence[str] | None) -> _core.Table:
    if not hasattr(data, "columns"):  # a Series, an Index or one of pandas' own arrays
        if not hasattr(data, "to_frame"):
            import pandas as pd

            data = pd.Series(data)
        data = data.to_frame(data.name if isinstance(data.name, str) else "x0")
    labels = list(data.columns)
    if columns is not None:
        wanted = _wanted(columns, labels)
        data = data[wanted]
    elif labels and all(isinstance(label, (int, np.integer)) for label in labels):
        data = data.set_axis([f"x{label}" for label in labels], axis=1)
    for label in data.columns:
        if not isinstance(label, str):
            raise DataError(
                f"{name}: found the column name {label!r}, but names must be text; "
                f"try: {name}.columns = {name}.columns.map(str)"
            )
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise DataError(
            f"{name}: found two columns named {twice!r}, but names must be different; "
            f"try: {name} = {name}.loc[:, ~{name}.columns.duplicated()]"
        )
    read = [(str(label), from_pandas(label, data[label], name)) for label in data.columns]
    return _core.Table.from_columns(read)


def _from_polars(
    data: Any, name: str, columns: Sequence[str] | None
) -> tuple[Any, dict[str, list[str]]]:
    if type(data).__name__ == "LazyFrame":
        if columns is not None:
            data = data.select(_wanted(columns, data.collect_schema().names()))
        data = data.collect()
    elif not hasattr(data, "columns"):  # a Series
        data = data.to_frame(data.name or "x0")
    if columns is not None:
        have = data.columns
        wanted = _wanted(columns, have)
        data = data if wanted == have else data.select(wanted)
    return polars_codes(polars_ready(data, name))


def _from_pyarrow(data: Any, columns: Sequence[str] | None) -> Any:
    import pyarrow as pa

    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        data = pa.table({"x0": data})
    if columns is not None and hasattr(data, "select"):
        names = data.schema.names
        # A name that stands twice cannot be selected; the core refuses it by name.
        if len(set(names)) == len(names):
            data = data.select(_wanted(columns, names))
    return data


def _from_array(data: NDArray[Any], name: str, columns: Sequence[str] | None) -> _core.Table:
    if isinstance(data, np.matrix):
        data = np.asarray(data)
    if data.ndim == 1:
        data = data.reshape(-1, 1)
    if data.ndim != 2:
        raise DataError(
            f"{name}: found an array of {data.ndim} dimensions, but rows and columns are needed; "
            f"try: {name}.reshape(-1, {data.shape[-1] if data.shape else 1})"
        )
    read = {f"x{j}": data[:, j] for j in range(data.shape[1])}
    wanted = _wanted(columns, list(read))
    return _core.Table.from_columns(
        [(label, from_array(label, read[label], name)) for label in wanted]
    )


def _from_mapping(data: Mapping[Any, Any], name: str, columns: Sequence[str] | None) -> _core.Table:
    for label in data:
        if not isinstance(label, str):
            raise DataError(
                f"{name}: found the column name {label!r}, but names must be text; "
                f"try: {{str(label): values for label, values in {name}.items()}}"
            )
    wanted = _wanted(columns, list(data))
    return _core.Table.from_columns(
        [(label, from_values(label, data[label], name)) for label in wanted]
    )


def _from_narwhals(data: Any, name: str, columns: Sequence[str] | None) -> _core.Table:
    import narwhals as nw

    try:
        frame = nw.from_native(data)
    except TypeError:
        if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
            return _from_array(np.asarray(data), name, columns)
        raise TypeError(
            f"{name}: found a {type(data).__name__}, but a pandas, polars, pyarrow or DuckDB frame, "
            "a NumPy array or a dict of columns is needed"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    wanted = _wanted(columns, frame.columns)
    return _core.Table.from_columns(
        [(label, from_array(label, frame[label].to_numpy(), name)) for label in wanted]
    )
