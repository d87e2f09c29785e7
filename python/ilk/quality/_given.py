"""What the functions of this room are given: customers, weights, labels, numbers of segments."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame
from ilk._methods import METHODS
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Given", "Labels", "count", "labels_of", "numbers_of", "warn"]

#: Methods that segment again and again; each is a variant of the core's clustering methods.
SCALES = ("auto", "standard", "range", "none")


@dataclass(frozen=True)
class Labels:
    """Segments of customers: a number each, -1 for none, and the names."""

    codes: NDArray[np.int64]
    names: list[str]


class Given:
    """Customers and what to compare them by, as the core takes them."""

    def __init__(
        self,
        data: Any,
        *,
        features: Sequence[str] | None,
        exclude: str | Sequence[str] | None,
        scale: str | None,
        weights: Any,
        method: str | None = None,
        labels: Any = None,
    ) -> None:
        if scale is not None:
            _one_of("scale", scale, SCALES)
        if method is not None:
            _one_of("method", method, METHODS)
        self.frame = Frame.of(data, name="data")
        self.features, self.exclude = features, exclude
        if isinstance(self.features, str):
            self.features = [self.features]
        self.method = method
        self.labels: Labels | None = None
        fitted_on = "auto" if labels is None else self._take(labels)
        self.scale = fitted_on if scale is None else scale
        exclude = self.exclude
        excluded = [exclude] if isinstance(exclude, str) else list(exclude or [])
        self.weights: NDArray[np.float64] | None = None
        self._named: str | None = None
        if isinstance(weights, str):
            self._named = weights
            self.weights = self.frame.core.numeric(weights)
            if self.features is None:
                excluded.append(weights)
        elif weights is not None:
            self.weights = np.ascontiguousarray(_column("weights", weights).numeric("x0"))
        self.excluded = list(dict.fromkeys(excluded))

    def _take(self, labels: Any) -> str:
        """Take labels, and give the scale that they were found on.

        Those of a segmentation bring its features along, those of an estimator the columns it was fitted on.
        """
        from ilk.segments import Segmentation

        if isinstance(labels, str):
            if labels not in self.frame.columns:
                self.frame.core.kind(labels)
            codes, names, _ = self.frame.core.codes(labels)
            self.labels = Labels(codes, names)
            self.exclude = [
                labels,
                *([self.exclude] if isinstance(self.exclude, str) else self.exclude or []),
            ]
        else:
            self.labels = labels_of(labels)
        if len(self.labels.codes) != len(self.frame):
            raise DataError(
                f"labels: found {len(self.labels.codes)} labels, but data has {len(self.frame)} rows"
            )
        if isinstance(labels, Segmentation):
            preparation = json.loads(labels._core.preparation())
            if self.features is None:
                self.features = [feature["name"] for feature in preparation["features"]]
            if self.method == "auto":
                self.method = json.loads(labels._core.method())
            scale: str = preparation["scale"]
            return scale
        if hasattr(labels, "labels_"):
            names = [str(name) for name in getattr(labels, "feature_names_in_", ())]
            if self.features is None and names and set(names) <= set(self.frame.columns):
                self.features = names
            return "none"
        return "auto"

    def core(self, seed: int | None = None, **settings: Any) -> tuple[Any, ...]:
        """What the core takes; the settings go into the manifest."""
        kept = {
            "features": self.features,
            "exclude": self.excluded,
            "scale": self.scale,
            "weights": self._named if self._named or self.weights is None else "given",
            **({} if self.method is None else {"method": self.method}),
            **settings,
        }
        return (
            self.frame.core,
            None if self.features is None else [str(name) for name in self.features],
            self.excluded,
            self.method,
            self.scale,
            self.weights,
            json.dumps(kept, default=str),
            seed,
        )


def labels_of(labels: Any, argument: str = "labels") -> Labels:
    """Segments of customers from a segmentation, a fitted estimator, a Series or an array.

    Numbers below 0, missing values and customers in no segment have no label.
    """
    from ilk.segments import Segmentation

    if isinstance(labels, Segmentation):
        return Labels(labels.codes, labels.names)
    if hasattr(labels, "labels_"):
        labels = labels.labels_
    elif hasattr(labels, "fit") and not hasattr(labels, "dtype"):
        raise DataError(
            f"{argument}: found a {type(labels).__name__} that is not fitted; try: .fit(data) first"
        )
    if isinstance(labels, (list, tuple)):
        labels = np.asarray(labels, dtype=object if _mixed(labels) else None)
    numbers = np.asarray(labels) if isinstance(labels, np.ndarray) else None
    if numbers is not None and numbers.ndim == 1 and numbers.dtype.kind in "iu":
        found, codes = np.unique(numbers, return_inverse=True)
        below = int(np.sum(found < 0))
        return Labels(
            np.where(numbers < 0, -1, codes - below).astype(np.int64),
            [str(value) for value in found[below:]],
        )
    table = _column(argument, labels)
    codes, names, _ = table.codes("x0")
    if table.kind("x0") == "number":
        return labels_of(_whole(argument, table.numeric("x0")), argument)
    return Labels(codes, names)


def _mixed(values: Sequence[Any]) -> bool:
    return any(value is None or isinstance(value, str) for value in values)


def _whole(argument: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Labels that came as floats, as they do where some are missing."""
    present = np.where(np.isnan(values), -1.0, values)
    if not np.all(present == np.floor(present)) or np.any(np.abs(present) > 2**53):
        row = int(np.argmax(present != np.floor(present)))
        raise DataError(
            f"{argument}, row {row}: found {values[row]}, but a label is a whole number or a name"
        )
    return present.astype(np.int64)


def _column(argument: str, values: Any) -> Any:
    """One column as a table of the core, under the name x0."""
    if isinstance(values, (list, tuple)):
        values = np.asarray(values)
    frame = Frame.of(values, name=argument)
    if len(frame.columns) != 1:
        raise DataError(f"{argument}: found {len(frame.columns)} columns, but one is needed")
    name = frame.columns[0]
    if name == "x0":
        return frame.core
    if hasattr(values, "rename"):
        return Frame.of(values.rename("x0"), name=argument).core
    return Frame.of({"x0": values[name]}, name=argument).core


def numbers_of(k: Any) -> list[int]:
    """Numbers of segments, ascending, each once."""
    numbers = (
        [k] if isinstance(k, (int, np.integer)) else list(k) if isinstance(k, Iterable) else [k]
    )
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise DataError(
                f"k: found {number!r}, but whole numbers from 1 up are needed; try: k=range(2, 9)"
            )
    if not numbers:
        raise DataError("k: found no number, but at least one is needed; try: k=range(2, 9)")
    return sorted({int(number) for number in numbers})


def count(argument: str, value: Any, least: int = 0) -> int:
    """A whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise DataError(
            f"{argument}: found {value!r}, but a whole number from {least} up is needed"
        )
    return int(value)


def warn(unused: Sequence[tuple[str, str]], notes: Sequence[str] = ()) -> None:
    """Say which columns are not used, and what else the user should know."""
    for column, reason in unused:
        warnings.warn(f"column {column!r} is not used: it {reason}", DataWarning, stacklevel=3)
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=3)


def _one_of(argument: str, value: Any, allowed: Sequence[str]) -> None:
    if value not in allowed:
        options = ", ".join(f'"{option}"' for option in allowed)
        raise DataError(f"{argument}: found {value!r}, but one of {options} is needed")
