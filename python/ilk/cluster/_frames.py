"""Frames as the estimators take them: scikit-learn's checks, columns by name, categories that the fit did not see."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.utils.validation import validate_data

from ilk._frame import Frame, default_native
from ilk.cluster._base import Saved, UnknownCategoryWarning
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Unknown = Literal["warn", "ignore", "error"]

#: Columns, first rows, values and numbers of rows of categories that the fit did not see.
Unseen = Sequence[tuple[str, int, str, int]]


class OfFrames(Saved):
    """What the estimators of rows of frames share: their models know all columns by name."""

    unknown: Unknown

    def _check_unknown(self) -> None:
        if self.unknown not in ("warn", "ignore", "error"):
            raise DataError(
                f'unknown: found {self.unknown!r}, but "warn", "ignore" or "error" is needed'
            )

    def _take(self, X: Any, *, reset: bool) -> Frame:
        """The frame, after scikit-learn's checks of names and numbers of columns."""
        X = collected(X)
        names = None if reset else self._model.names
        if not is_frame(X):
            return frame_of(self._take_array(X, reset=reset), names)
        if hasattr(X, "iloc") or hasattr(X, "lazy"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return frame_of(X, names)
        # scikit-learn does not know the others, such as a dict of columns.
        if not reset:
            return Frame.of(X, name="X", columns=self._needed_names())
        frame = Frame.of(X, name="X")
        self.n_features_in_ = len(frame.columns)
        self.feature_names_in_ = np.array(frame.columns, dtype=object)
        return frame

    def _take_array(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Rows without names of columns, after scikit-learn's checks."""
        rows: NDArray[Any] = validate_data(
            self, X, reset=reset, dtype=None, ensure_all_finite=False
        )
        return rows

    def _needed_names(self) -> list[str]:
        """The columns that the model reads."""
        names: list[str] = self._model.names
        return names

    def _saved_names(self) -> list[str]:
        names = super()._saved_names()
        return [] if names == numbered(len(names)) else names

    def _tell(self, unseen: Unseen) -> None:
        """Deal with categories that the model has not seen, as the user wants."""
        for column, row, category, count in unseen:
            message = (
                f"column {column!r}, row {row}: category {category!r} was not in the data of fit "
                f"({count} such rows)"
            )
            if self.unknown == "error":
                raise DataError(f"{message}; try: unknown='warn'")
            if self.unknown == "warn":
                warnings.warn(
                    f"{message}; {self._unseen_means(column)}",
                    UnknownCategoryWarning,
                    stacklevel=3,
                )

    def _unseen_means(self, column: str) -> str:
        """What becomes of a category that the model has not seen."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


class Rows:
    """What scikit-learn's check of weights needs to know of rows that are not an array."""

    def __init__(self, n_rows: int) -> None:
        self.shape = (n_rows, 1)
        self.dtype = np.dtype(np.float64)

    def __len__(self) -> int:
        return self.shape[0]


def collected(X: Any) -> Any:
    """The rows of a lazy frame of polars, or what came in."""
    is_lazy = type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "collect")
    return X.collect() if is_lazy else X


def numbered(n_columns: int) -> list[str]:
    """The names of columns that have none."""
    return [f"x{j}" for j in range(n_columns)]


def is_frame(X: Any) -> bool:
    """Whether columns have names."""
    # scipy's sparse matrices of keys are mappings too.
    if hasattr(X, "tocsr") or hasattr(X, "to_frame"):
        return False
    return hasattr(X, "columns") or isinstance(X, Mapping) or hasattr(X, "__arrow_c_stream__")


def frame_of(X: Any, names: Sequence[str] | None) -> Frame:
    """A frame; an array's columns take these names, or x0, x1 and so on."""
    if is_frame(X):
        return Frame.of(X, name="X", columns=names)
    rows = np.asarray(X)
    columns = range(rows.shape[1] if rows.ndim == 2 else 0)
    names = numbered(len(columns)) if names is None else names
    if len(names) != len(columns):
        raise DataError(f"init: found shape {rows.shape}, but {len(names)} columns are needed")
    return Frame(
        Frame.of({name: _column(rows[:, j]) for j, name in enumerate(names)}).core,
        default_native(),
    )


def _column(values: NDArray[Any]) -> NDArray[Any]:
    """A column of an array of objects: numbers where all are, else text."""
    if values.dtype.kind != "O":
        return values
    known = [value for value in values if value is not None and value == value]
    if all(isinstance(value, (int, float, np.number)) for value in known):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    texts = [None if value is None or value != value else str(value) for value in values]
    return np.array(texts, dtype=object)


def named(argument: str, columns: Sequence[str | int], frame: Frame) -> list[str]:
    """Columns by name or position as names, each once, in the order of the frame."""
    names = {column_name(argument, column, frame) for column in columns}
    return [name for name in frame.columns if name in names]


def column_name(argument: str, column: str | int, frame: Frame) -> str:
    """The name of a column that an argument gives by name or position."""
    if isinstance(column, (int, np.integer)) and not isinstance(column, bool):
        if not -len(frame.columns) <= column < len(frame.columns):
            raise DataError(
                f"{argument}: found position {column}, but there are {len(frame.columns)} columns"
            )
        return frame.columns[int(column)]
    frame.core.kind(str(column))
    return str(column)
