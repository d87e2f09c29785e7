"""Single columns as the core takes them: arrays, lists of text, or tuples with what neither can say.

A tuple is (values, where they are missing, what they are) or (codes, categories, whether they are ordered).
"""

from __future__ import annotations

import datetime
import importlib.util
import sys
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_ALLOWED = "numbers, booleans, dates or text are needed"


def from_values(label: str, values: Any, frame: str) -> Any:
    """A column that stands alone, as in a dict of columns: a list, an array, a series.

    Raises
    ------
    TypeError
        If it is a single value, or its values are of a type that no computation takes.
    DataError
        If it has more than one dimension.
    """
    if isinstance(values, (str, bytes)) or np.isscalar(values) or values is None:
        kind = type(values).__name__
        raise TypeError(f"column {label!r} is a single {kind}, but a list of values is needed")
    module = type(values).__module__.partition(".")[0]
    if module == "pandas":
        import pandas as pd

        return from_pandas(label, pd.Series(values), frame)
    if module == "polars":
        return polars_ready(values.to_frame(label), frame).to_series().rechunk()
    if module == "pyarrow":
        return _one_chunk(values)
    if isinstance(values, np.ndarray):
        return from_array(label, values, frame)
    if hasattr(values, "__arrow_c_array__"):
        return values
    if hasattr(values, "__array__"):
        return from_array(label, np.asarray(values), frame)
    return from_objects(label, list(values), frame)


def from_array(label: str, array: NDArray[Any], frame: str) -> Any:
    """A NumPy column; contiguous numbers in the machine's byte order are not copied."""
    if isinstance(array, np.ma.MaskedArray):
        missing = np.ma.getmaskarray(array)
        if array.dtype.kind in "fiub":
            return from_array(label, np.asarray(array.data), frame), missing, "number"
        values = np.asarray(array.data).astype(object)
        values[missing] = None
        return from_objects(label, values.tolist(), frame)
    if array.ndim != 1:
        raise DataError(
            f"column {label!r}: found {array.ndim} dimensions, but one is needed; "
            f"try: {frame}[{label!r}].ravel()"
        )
    kind = array.dtype.kind
    if kind == "M":
        missing = np.isnat(array)
        if np.datetime_data(array.dtype)[0] in ("Y", "M", "W", "D"):
            days = array.astype("datetime64[D]").view(np.int64)
            return np.where(missing, 0, days).astype(np.int32), missing, "date"
        return array.astype("datetime64[us]").view(np.int64), missing, "moment"
    if kind == "b":
        return array
    if kind in "fiu":
        if array.dtype.itemsize not in (2, 4, 8) and kind == "f":
            array = array.astype(np.float64)
        elif array.dtype == np.float16:
            array = array.astype(np.float32)
        # Native byte order, aligned and contiguous: what an Arrow buffer needs.
        return np.require(array, array.dtype.newbyteorder("="), ["A", "C"])
    if kind in "OUT":
        return from_objects(label, array.tolist(), frame)
    if array.dtype.names is not None:
        raise TypeError(
            f"column {label!r} is a structured array, but {_ALLOWED}; "
            f"try: {{name: {frame}[name] for name in {frame}.dtype.names}}"
        )
    raise TypeError(
        f"column {label!r} has NumPy type {array.dtype}, but {_ALLOWED}; {_mend(array.dtype, label, frame)}"
    )


def _mend(dtype: np.dtype[Any], label: str, frame: str) -> str:
    column = f"{frame}[{label!r}]"
    return {
        "m": f"try: {column} / np.timedelta64(1, 'D')",
        "c": f"try: np.abs({column})",
        "S": f"try: np.char.decode({column})",
    }.get(dtype.kind, f"try: {column}.astype(str)")


def from_pandas(label: str, series: Any, frame: str) -> Any:
    """A pandas column of any dtype, with pyarrow or without."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "fiubmcV":
        return from_array(label, series.to_numpy(), frame)
    name = type(dtype).__name__
    if name == "PeriodDtype":
        series = series.dt.to_timestamp()
    elif name == "SparseDtype":
        return from_pandas(label, series.sparse.to_dense(), frame)
    elif name == "IntervalDtype":
        series = series.astype("category")
    if hasattr(series, "cat") and type(series.cat.categories.dtype).__name__ in (
        "IntervalDtype",
        "PeriodDtype",
    ):
        # Bands, as from pd.cut, are named as pandas shows them.
        series = series.cat.rename_categories(series.cat.categories.astype(str))
    if importlib.util.find_spec("pyarrow") is not None:
        import pyarrow as pa

        try:
            return _one_chunk(pa.Array.from_pandas(series))
        except (pa.ArrowException, OverflowError, UnicodeError):
            pass  # what follows names the column and the row
    return _from_pandas_alone(label, series, frame)


def _from_pandas_alone(label: str, series: Any, frame: str) -> Any:
    """A pandas column without the help of pyarrow."""
    missing = series.isna().to_numpy(dtype=bool)
    if hasattr(series, "cat"):
        codes = series.cat.codes.to_numpy(dtype=np.int32)
        categories = from_pandas(label, series.cat.categories.to_series(), frame)
        return codes, categories, bool(series.cat.ordered)
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        if getattr(series.dtype, "tz", None) is not None:
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return from_array(label, series.to_numpy(), frame)
    if kind in "fiub" and not isinstance(series.dtype, np.dtype):
        values = series.to_numpy(dtype=series.dtype.numpy_dtype, na_value=0)
        return from_array(label, values, frame), missing, "number"
    return from_objects(label, series.astype(object).where(~missing, None).tolist(), frame)


def polars_ready(data: Any, frame: str) -> Any:
    """A polars frame whose columns Arrow can take.

    Raises
    ------
    TypeError
        For integers of 128 bits and Python objects, by name.
    """
    import polars as pl

    empty = []
    for label, dtype in data.schema.items():
        if dtype == pl.Null:
            empty.append(pl.col(label).cast(pl.Boolean))
        elif str(dtype) in ("Int128", "UInt128", "Object"):
            mend = "pl.String" if dtype == pl.Object else "pl.Float64"
            raise TypeError(
                f"column {label!r} has type {dtype}, but {_ALLOWED}; "
                f"try: {frame}.with_columns(pl.col({label!r}).cast({mend}))"
            )
    return data.with_columns(empty) if empty else data


def polars_codes(data: Any) -> tuple[Any, dict[str, list[str]]]:
    """A polars frame with codes for its Categorical columns, and the categories of each.

    The Arrow export of such a column numbers the categories anew, row by row. The codes are there already, but they count
    into a table that columns share: where it is long for this frame, or polars does not show it (before 1.32), the column
    is left as it is. Of a table that is shorter than a look at all codes would take, all categories are given; of another
    those up to the last that the column holds.
    """
    import polars as pl

    codes, categories = [], {}
    for label, dtype in data.schema.items():
        shared = getattr(dtype, "categories", None)
        if dtype.base_type() != pl.Categorical or shared is None:
            continue
        column = data[label].to_physical()
        short = max(32, min(1000, len(column) // 4096))
        names = _first(shared, short)
        if len(names) == short:
            last = column.max()
            if last is None or last >= max(256, len(column) // 64):
                continue
            names = _first(shared, last + 1)
            if len(names) <= last:  # a code that another thread is just about to name
                continue
        if names:
            categories[label] = names
            codes.append(column)
    return (data.with_columns(codes) if codes else data), categories


def _first(shared: Any, n: int) -> list[str]:
    """The first categories of a table of polars, at most ``n``."""
    names: list[str] = []
    try:
        for code in range(n):
            names.append(shared[code])
    except IndexError:
        pass
    return names


def _one_chunk(values: Any) -> Any:
    """A pyarrow column as one array."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        if pa.types.is_string(values.type) and values.num_chunks > 1:
            values = values.cast(pa.large_string())  # one array of `string` ends at 2 GiB
        values = values.combine_chunks()
    return values


def from_objects(label: str, values: Sequence[Any], frame: str) -> Any:
    """A column of Python values of one type and missing values.

    Raises
    ------
    TypeError
        If the types are mixed, or none that a computation takes.
    DataError
        If text cannot be written as UTF-8, or an integer needs more than 64 bits.
    """
    kinds = set(map(type, values))
    if kinds <= {type(None)}:
        return np.full(len(values), np.nan)
    if kinds <= {str, type(None)}:
        return _valid_text(label, values, frame)
    missing = np.fromiter(map(_is_missing, values), dtype=bool, count=len(values))
    present = [value for value, is_missing in zip(values, missing, strict=True) if not is_missing]
    families = {_family(kind) for kind in set(map(type, present))}
    if not families:
        return np.full(len(values), np.nan)
    if families == {"text"}:
        return _valid_text(
            label,
            [None if gone else value for value, gone in zip(values, missing, strict=True)],
            frame,
        )
    if families == {"boolean"}:
        return _spread(present, missing, np.bool_), missing, "number"
    if families == {"integer"}:
        try:
            dtype = np.int64 if min(present) < 0 or max(present) < 2**63 else np.uint64
            return _spread(present, missing, dtype), missing, "number"
        except OverflowError:
            raise DataError(
                f"column {label!r}: found an integer of more than 64 bits, but these are not held; "
                f"try: {frame}[{label!r}] = [str(value) for value in {frame}[{label!r}]]"
            ) from None
    if families <= {"integer", "number"}:
        return _spread(map(float, present), missing, np.float64, np.nan)
    if families == {"moment"}:
        moments = (np.datetime64(_without_zone(value), "us") for value in present)
        return _spread(moments, missing, "datetime64[us]").view(np.int64), missing, "moment"
    if families == {"date"}:
        days = _spread(present, missing, "datetime64[D]").view(np.int64)
        return days.astype(np.int32), missing, "date"
    counts = Counter(type(value).__name__ for value in present)
    found = ", ".join(f"{count} {kind}" for kind, count in counts.most_common(6))
    raise TypeError(
        f"column {label!r} {'mixes types' if len(families) > 1 else 'holds Python objects'} "
        f"({found}), but {_ALLOWED}, of one type; "
        f"try: {frame}[{label!r}] = [str(value) for value in {frame}[{label!r}]]"
    )


def _family(kind: type) -> str:
    families: list[tuple[str, tuple[type, ...]]] = [
        ("text", (str,)),
        ("boolean", (bool, np.bool_)),
        ("integer", (int, np.integer)),
        ("number", (float, np.floating, Decimal)),
        ("moment", (datetime.datetime, np.datetime64)),
        ("date", (datetime.date,)),
    ]
    return next((name for name, types in families if issubclass(kind, types)), kind.__name__)


def _is_missing(value: Any) -> bool:
    if value is None or value is _pandas_na():
        return True
    if isinstance(value, (float, np.floating, Decimal)):
        return bool(value != value)
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return type(value).__name__ == "NaTType"


def _pandas_na() -> Any:
    pandas = sys.modules.get("pandas")
    return pandas.NA if pandas is not None else None


def _without_zone(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC)
        if hasattr(value, "to_pydatetime"):
            value = value.to_pydatetime(warn=False)
        return value.replace(tzinfo=None)
    return value


def _spread(
    present: Iterable[Any], missing: NDArray[np.bool_], dtype: Any, fill: Any = 0
) -> NDArray[Any]:
    """The present values in an array with ``fill`` where values are missing."""
    out = np.full(len(missing), fill).astype(dtype)
    out[~missing] = np.array(list(present), dtype=dtype)
    return out


def _valid_text(label: str, values: Sequence[str | None], frame: str) -> Sequence[str | None]:
    try:
        "".join(filter(None, values)).encode()
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if value and not _is_unicode(value))
        raise DataError(
            f"column {label!r}, row {row}: found half of a surrogate pair, which is no character; "
            f"try: {frame}[{label!r}] = [text.encode(errors='replace').decode() "
            f"for text in {frame}[{label!r}]]"
        ) from None
    return values


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
