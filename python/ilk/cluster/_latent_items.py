"""What latent class analysis is asked to fit: items, ordinal ones among them, and covariates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ilk._arguments import whole
from ilk.cluster._base import enough_rows, number, seed_of
from ilk.cluster._frames import named
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ilk._frame import Frame
    from ilk.cluster._latent import LatentClass


def parameters_of(
    estimator: LatentClass, frame: Frame, random_state: int | np.random.RandomState | None
) -> dict[str, Any]:
    """What the core is asked to fit, checked."""
    n_classes = enough_rows("n_classes", estimator.n_classes, len(frame))
    covariates = (
        [] if estimator.covariates is None else _named("covariates", estimator.covariates, frame)
    )
    items, ordinal = _items(estimator, frame, covariates)
    kinds = frame.kinds() if covariates else {}
    return {
        "items": items,
        "ordinal": ordinal,
        "numeric": [name for name in covariates if kinds[name] == "number"],
        "categorical": [name for name in covariates if kinds[name] != "number"],
        "n_classes": n_classes,
        "n_init": whole("n_init", estimator.n_init, 1),
        "max_iter": whole("max_iter", estimator.max_iter, 1),
        "tol": number("tol", estimator.tol),
        "seed": seed_of(random_state),
        "names": frame.columns,
    }


def _items(
    estimator: LatentClass, frame: Frame, covariates: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Names of the items, and of those that are ordinal."""
    if isinstance(estimator.items, str) and estimator.items == "auto":
        items = [name for name in frame.columns if name not in covariates]
    else:
        items = _named("items", estimator.items, frame)
    for name in covariates:
        if name in items:
            raise DataError(f"covariates: found {name!r}, but it is an item")
    if not items:
        raise DataError("items: found no column, but at least one is needed")
    if isinstance(estimator.ordinal, str) and estimator.ordinal == "auto":
        kinds = frame.kinds()
        return items, [name for name in items if kinds[name] == "ordinal"]
    ordinal = _named("ordinal", estimator.ordinal, frame)
    for name in ordinal:
        if name not in items:
            raise DataError(f"ordinal: found {name!r}, but the items are {items}")
    return items, ordinal


def _named(argument: str, columns: Sequence[str | int], frame: Frame) -> list[str]:
    """Columns by name or position as names, each once, in the order of the frame."""
    if isinstance(columns, str):
        raise DataError(
            f"{argument}: found {columns!r}, but a list is needed; try: {argument}=[{columns!r}]"
        )
    return named(argument, columns, frame)
