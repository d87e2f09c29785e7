"""What the functions of this room are given: customers, weights, labels, numbers of segments."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame
from ilk._labels import Labels, column_of, labels_beside
from ilk._methods import METHODS
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Given", "count", "numbers_of", "warn"]

#: Methods that segment again and again; each is a variant of the core's clustering methods.
SCALES = ("auto", "standard", "range", "none")


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
            self.weights = np.ascontiguousarray(column_of("weights", weights).numeric("x0"))
        self.excluded = list(dict.fromkeys(excluded))

    def _take(self, labels: Any) -> str:
        """Take labels, and give the scale that they were found on.

        Those of a segmentation bring its features along, those of an estimator the columns it was fitted on.
        """
        from ilk.segments import Segmentation

        if isinstance(labels, str):
            if labels not in self.frame.columns:
                self.frame.core.kind(labels)
            self.exclude = [
                labels,
                *([self.exclude] if isinstance(self.exclude, str) else self.exclude or []),
            ]
        self.labels = labels_beside(labels, self.frame, "labels", "data")
        if isinstance(labels, Segmentation):
            if self.features is None and labels.features:
                self.features = labels.features
            if labels.origin != "clustering":
                return "auto"
            if self.method == "auto":
                self.method = labels.method
            scale: str = json.loads(labels._core.preparation())["scale"]
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
