"""The one door in: any data frame becomes a table of the core, and results go back in the same kind of frame."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
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
    """

    core: _core.Table
    native: Native

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
        module = type(data).__module__.partition(".")[0]
        if module == "polars" and type(data).__name__ == "LazyFrame":
            return cls.of(
                data.select(columns).collect() if columns is not None else data.collect(),
                name=name,
            )
        if module == "pandas":
            return cls(_from_pandas(data, name, columns), "pandas")
        if isinstance(data, np.ndarray):
            return cls(_from_array(data, name), default_native())
        if isinstance(data, Mapping):
            return cls(_from_mapping(data, name, columns), "dict")
        if hasattr(data, _CAPSULE):
            native: Native = {  # type: ignore[assignment]
                "polars": "polars",
                "pyarrow": "pyarrow",
                "duckdb": "duckdb",
                "_duckdb": "duckdb",
            }.get(module, default_native())
            if module == "polars" and columns is not None:
                data = _selected(data, data.columns, columns)
            return cls(_core.Table.from_stream(data), native)
        return cls(_from_narwhals(data, name, columns), default_native())

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
            return name  # type: ignore[return-value]
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


def to_dict(table: _core.Table) -> dict[str, Any]:
    """A result table as a dict: arrays for numbers and flags, lists for text."""
    return {name: table.column(name) for name in table.names()}


def _selected(data: Any, have: Sequence[str], wanted: Sequence[str]) -> Any:
    """The wanted columns of a pandas or polars frame."""
    wanted = list(dict.fromkeys(wanted))
    require_columns(wanted, have)
    return data[wanted]


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


def _from_pandas(data: Any, name: str, columns: Sequence[str] | None) -> _core.Table:
    if not hasattr(data, "columns"):  # a Series
        data = data.to_frame(data.name if isinstance(data.name, str) else "x0")
    labels = list(data.columns)
    for label in labels:
        if not isinstance(label, str):
            if columns is None and all(isinstance(other, (int, np.integer)) for other in labels):
                data = data.set_axis([f"x{other}" for other in labels], axis=1)
                break
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
    if columns is not None:
        data = _selected(data, list(data.columns), columns)
    read = [(str(label), data[label]) for label in data.columns]
    if all(_plain_numpy(series.dtype) for _, series in read):
        return _from_arrays({label: series.to_numpy() for label, series in read}, name)
    if importlib.util.find_spec("pyarrow") is not None and hasattr(data, _CAPSULE):
        try:
            return _core.Table.from_stream(data.reset_index(drop=True))
        except Exception:
            _blame_pandas_column(read)
            raise
    return _from_arrays({label: _pandas_column(series) for label, series in read}, name)


def _plain_numpy(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "fiub"


def _blame_pandas_column(columns: list[tuple[str, Any]]) -> None:
    """Name the column that Arrow cannot hold, after a conversion failed."""
    import pyarrow as pa

    for label, series in columns:
        try:
            pa.Array.from_pandas(series)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            found = series.map(lambda value: type(value).__name__).value_counts()
            kinds = ", ".join(f"{count} {kind}" for kind, count in found.items())
            raise TypeError(
                f"column {label!r} mixes types ({kinds}), but one type is needed; "
                f"try: df[{label!r}] = df[{label!r}].astype(str)"
            ) from error


class _Category(tuple[Any, ...]):
    """Codes, categories and whether they are ordered."""

    __slots__ = ()


def _pandas_column(series: Any) -> Any:
    """A pandas column as something that :func:`_from_arrays` takes, without pyarrow."""
    if hasattr(series, "cat"):
        codes = series.cat.codes.to_numpy(dtype=np.int32)
        return _Category(
            (codes, [str(value) for value in series.cat.categories], bool(series.cat.ordered))
        )
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        return series.dt.tz_localize(None).to_numpy() if series.dt.tz else series.to_numpy()
    if kind in "fiu":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if kind == "b" and not series.isna().any():
        return series.to_numpy(dtype=bool)
    return [None if missing else value for value, missing in zip(series, series.isna(), strict=True)]


def _from_array(data: NDArray[Any], name: str) -> _core.Table:
    if data.ndim == 1:
        data = data.reshape(-1, 1)
    if data.ndim != 2:
        raise DataError(
            f"{name}: found an array of {data.ndim} dimensions, but rows and columns are needed; "
            f"try: {name}.reshape(len({name}), -1)"
        )
    return _from_arrays({f"x{j}": data[:, j] for j in range(data.shape[1])}, name)


def _from_mapping(
    data: Mapping[Any, Any], name: str, columns: Sequence[str] | None
) -> _core.Table:
    if columns is not None:
        require_columns(columns, [str(label) for label in data])
        data = {label: data[label] for label in dict.fromkeys(columns)}
    return _from_arrays({str(label): values for label, values in data.items()}, name)


def _from_narwhals(data: Any, name: str, columns: Sequence[str] | None) -> _core.Table:
    import narwhals as nw

    try:
        frame = nw.from_native(data)
    except TypeError:
        if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
            return _from_array(np.asarray(data), name)
        raise TypeError(
            f"{name}: found a {type(data).__name__}, but a pandas, polars, pyarrow or DuckDB frame, "
            "a NumPy array or a dict of columns is needed"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    wanted = frame.columns if columns is None else list(columns)
    require_columns(wanted, frame.columns)
    return _from_arrays({label: frame[label].to_numpy() for label in wanted}, name)


def _from_arrays(columns: Mapping[str, Any], name: str) -> _core.Table:
    converted: list[tuple[str, Any]] = []
    moments: list[str] = []
    for label, values in columns.items():
        if isinstance(values, _Category):
            converted.append((label, tuple(values)))
            continue
        array = values if isinstance(values, np.ndarray) else _as_array(label, values)
        if array.ndim != 1:
            raise DataError(
                f"column {label!r}: found {array.ndim} dimensions, but one is needed; "
                f"try: {name}[{label!r}].ravel()"
            )
        if array.dtype.kind == "M":
            moments.append(label)
            array = array.astype("datetime64[us]").view(np.int64)
        if array.dtype.kind in "fiu" and array.dtype.itemsize in (1, 2, 4, 8):
            if array.dtype == np.float16:
                array = array.astype(np.float32)
            # Native byte order, aligned and contiguous: what the Arrow buffer needs.
            native = array.dtype.newbyteorder("=")
            array = np.require(array, dtype=native, requirements=["A", "C"])
            converted.append((label, array))
        elif array.dtype.kind == "b":
            converted.append((label, array))
        elif array.dtype.kind in "fiu":
            converted.append((label, array.astype(np.float64)))
        elif array.dtype.kind in "OUT":
            converted.append((label, _texts(label, array)))
        else:
            raise TypeError(
                f"column {label!r} has NumPy type {array.dtype}, but numbers, booleans, dates or "
                f"text are needed; try: {name}[{label!r}].astype(str)"
            )
    return _core.Table.from_columns(converted, moments)


def _as_array(label: str, values: Any) -> NDArray[Any]:
    if isinstance(values, (str, bytes)) or np.isscalar(values):
        raise TypeError(
            f"column {label!r} is a single {type(values).__name__}, but a list of values is needed"
        )
    if hasattr(values, "__array__"):
        return np.asarray(values)
    values = list(values)
    if any(value is None for value in values):
        numbers = [value for value in values if value is not None]
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in numbers):
            return np.array([np.nan if value is None else value for value in values], dtype=float)
        return np.array(values, dtype=object)
    # NumPy would turn a mixed list into text without a word.
    if len({isinstance(value, str) for value in values}) > 1:
        return np.array(values, dtype=object)
    array = np.asarray(values)
    return array if array.ndim == 1 else np.array(values, dtype=object)


def _texts(label: str, array: NDArray[Any]) -> list[str | None]:
    texts: list[str | None] = []
    for row, value in enumerate(array.tolist()):
        if value is None or value is _pandas_missing() or value != value:
            texts.append(None)
        elif isinstance(value, str):
            texts.append(value)
        elif isinstance(value, bool):
            texts.append(str(value))
        else:
            raise TypeError(
                f"column {label!r}, row {row}: found a {type(value).__name__} ({value!r}) among "
                f"text, but one type is needed; try: [str(value) for value in df[{label!r}]]"
            )
    return texts


def _pandas_missing() -> Any:
    pandas = sys.modules.get("pandas")
    return pandas.NA if pandas is not None else None
