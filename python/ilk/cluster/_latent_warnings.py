"""What latent class analysis warns of."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ilk._frame import to_dict
from ilk.exceptions import ConvergenceWarning, DataWarning

if TYPE_CHECKING:
    from ilk import _core

#: An item with more categories than this is more likely an amount or an identifier.
_MANY_CATEGORIES = 50


class NotIdentifiedWarning(DataWarning):
    """Other parameters give the same likelihood: shares and probabilities of the classes mean little."""


def warn_of_fit(model: _core.LatentClassModel, max_iter: int) -> None:
    """Tell what a fit left open."""
    if model.n_empty_rows:
        warnings.warn(
            f"{model.n_empty_rows} rows have no answer at all; they take no part in the fit, and their "
            "probabilities are what is known without answers",
            DataWarning,
            stacklevel=3,
        )
    items = to_dict(model.table("items"))["item"][:: model.n_classes]
    for name in model.items:
        count = items.count(name)
        if count > _MANY_CATEGORIES:
            warnings.warn(
                f"column {name!r} has {count} different values, and each is a category of its own; "
                f"try: df[{name!r}] = pd.qcut(df[{name!r}], 5)",
                DataWarning,
                stacklevel=3,
            )
    if not model.converged:
        warnings.warn(
            f"the best start did not settle within max_iter={max_iter}; "
            f"try: max_iter={10 * int(max_iter)}",
            ConvergenceWarning,
            stacklevel=3,
        )
    if model.doubts:
        warnings.warn(
            f"n_classes={model.n_classes} is not identified: {'; '.join(model.doubts)}; other shares and "
            "probabilities fit as well; try fewer classes",
            NotIdentifiedWarning,
            stacklevel=3,
        )


def tell_empty(n_empty: int) -> None:
    """Tell of new rows without any answer."""
    if n_empty:
        warnings.warn(
            f"{n_empty} rows have no answer at all; their probabilities are what is known without answers",
            DataWarning,
            stacklevel=3,
        )
