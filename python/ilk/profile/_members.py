"""What the functions of rules share: customers with their segments as the core takes them, and segments as it gives them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._arguments import names
from ilk._frame import Frame
from ilk._labels import labelled, own_columns
from ilk.exceptions import DataWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["members_of", "placed"]


def members_of(
    segments: Any, df: Any, columns: Sequence[str] | None, argument: str
) -> tuple[Frame, dict[str, Any]]:
    """The frame of the customers, and what the core takes: table, labels, names, columns and those to leave out."""
    frame, labels = labelled(segments, df)
    return frame, {
        "table": frame.core,
        "labels": np.ascontiguousarray(labels.codes, dtype=np.int64),
        "names": labels.names,
        "columns": None if columns is None else names(argument, columns),
        "exclude": own_columns(segments, frame, labels),
    }


def placed(core: Any, df: Any) -> Any:
    """Segments of new customers: a categorical Series in pandas and polars, else an array of names.

    Warns of categories that were not met before.
    """
    frame = Frame.of(df, columns=core.columns() or None)
    codes, unknown = core.predict(frame.core)
    for column, n_rows in unknown:
        warnings.warn(
            f"column {column!r}: {n_rows} rows hold a category that was not met before; it counts as missing",
            DataWarning,
            stacklevel=3,
        )
    segments = core.names()
    if frame.native == "pandas":
        import pandas as pd

        values = pd.Categorical.from_codes(codes, categories=pd.Index(segments, dtype="str"))
        return pd.Series(values, index=getattr(df, "index", None), name="segment")
    told = [segments[code] if code >= 0 else None for code in codes]
    if frame.native == "polars":
        import polars as pl

        return pl.Series("segment", told, dtype=pl.Enum(segments))
    return np.array(told, dtype=object)
