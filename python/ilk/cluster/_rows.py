"""Rows under a distance: of numbers or of frames, and some of them in the kind that came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame
from ilk.cluster._frames import frame_of, is_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ilk import _core


class Numbers:
    """Rows of numbers that came as an array."""

    def __init__(self, rows: NDArray[Any], names: Sequence[str] | None = None) -> None:
        self.rows = rows
        self.names = names

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def frame(self) -> Frame:
        return frame_of(self.rows, self.names)

    @property
    def core(self) -> _core.Table:
        return self.frame.core


def matrix_of(data: Frame | Numbers) -> NDArray[Any]:
    """The data as a matrix of floats."""
    if isinstance(data, Frame):
        columns = [data.core.numeric(name) for name in data.columns]
        return np.column_stack(columns) if columns else np.empty((len(data), 0))
    rows = data.rows
    return rows if rows.dtype in (np.float64, np.float32) else rows.astype(np.float64)


def all_numbers(data: Frame | Numbers) -> bool:
    """Whether every value is a number that is there."""
    if isinstance(data, Frame):
        return all(
            kind == "number" and not np.isnan(data.core.numeric(name)).any()
            for name, kind in data.kinds().items()
        )
    return data.rows.dtype.kind != "f" or not np.isnan(data.rows).any()


def some_rows(X: Any, rows: NDArray[np.int64]) -> Any:
    """Some rows of what the user gave, in the same kind."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    module = type(X).__module__.partition(".")[0]
    if module == "polars":
        return (X.collect() if hasattr(X, "collect") else X)[rows.tolist()]
    if isinstance(X, Mapping):
        return {name: _picked(values, rows) for name, values in X.items()}
    if module in ("duckdb", "_duckdb"):
        import duckdb

        return duckdb.from_arrow(X.to_arrow_table().take(rows))
    if hasattr(X, "take") and not isinstance(X, np.ndarray):
        return X.take(rows)
    if is_frame(X):
        import narwhals as nw

        return nw.from_native(X, eager_only=True)[rows].to_native()
    return np.asarray(X)[rows]


def _picked(values: Any, rows: NDArray[np.int64]) -> Any:
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, (list, tuple)):
        return [values[row] for row in rows]
    if hasattr(values, "__array__") or hasattr(values, "take"):
        return np.asarray(values)[rows]
    return [list(values)[row] for row in rows]
