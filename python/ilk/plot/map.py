"""The map of categories as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._cells import labels
from ilk.plot._fonts import apart, slant, writing
from ilk.plot._labels import name_points
from ilk.plot._style import CATEGORIES, describe, label, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ilk.gaps import CorrespondenceMap

__all__ = ["biplot"]

#: Colour and marker of each side; labels of columns are slanted.
_SIDES = {"row": (CATEGORIES[0], "o"), "column": (CATEGORIES[5], "^")}


def biplot(
    found: CorrespondenceMap, *, dims: tuple[int, int] = (1, 2), ax: Axes | None = None
) -> Axes:
    """Draw a map; see :meth:`ilk.gaps.CorrespondenceMap.plot`."""
    table = found.to_dict()
    n_dims = sum(name.startswith("dim_") for name in table)
    if len(dims) != 2 or not all(isinstance(dim, int) and dim >= 1 for dim in dims):
        raise DataError(
            f"dims: found {dims!r}, but two dimensions counted from 1 are needed; try: dims=(1, 2)"
        )
    if max(dims) > n_dims and not (n_dims == 1 and dims == (1, 2)):
        raise DataError(f"dims: found {dims!r}, but the map has coordinates of {n_dims} dimensions")
    x = np.asarray(table[f"dim_{dims[0]}"])
    flat = dims[1] > n_dims
    y = np.zeros_like(x) if flat else np.asarray(table[f"dim_{dims[1]}"])
    given = np.asarray(table["mass"]) * (x**2 + y**2)
    sides = np.asarray(table["side"], dtype=object)
    placed = np.isfinite(x) & np.isfinite(y)

    with writing([*table["variable"], *table["category"]]):
        # Many points need room for their names.
        wide = float(np.clip(8.0 + (placed.sum() - 40) / 15, 8.0, 12.0))
        ax = new_axes(ax, wide, 3.0 if flat else 0.8 * wide)
        grid: dict[str, Any] = {"color": "gray", "linewidth": 0.6, "zorder": 0}
        ax.axhline(0, **grid)
        ax.axvline(0, **grid)
        multiple = found._core.is_multiple()
        for side, (colour, marker) in _SIDES.items():
            at = placed & (sides == side)
            if at.any():
                area = 16 + 240 * np.asarray(table["mass"])[at]
                name = (
                    "categories"
                    if multiple
                    else f"{table['variable'][int(np.argmax(at))]} ({side}s)"
                )
                ax.scatter(
                    x[at], y[at], s=area, c=colour, marker=marker, alpha=0.85, label=label(name, 40)
                )
        shares = _shares(found)
        ax.set_xlabel(f"dimension {dims[0]} ({shares[dims[0] - 1]:.1%})")
        ax.set_ylabel("" if flat else f"dimension {dims[1]} ({shares[dims[1] - 1]:.1%})")
        if flat:
            ax.set_yticks([])
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(0.12)
        if not flat:
            ax.set_aspect("equal", adjustable="datalim")
        if not multiple:
            ax.legend(loc="best", frameon=False, fontsize="small")
        names = _names(table, multiple)
        order = np.flatnonzero(placed)[np.argsort(-given[placed], kind="stable")]
        styles = [slant(names[at]) if sides[at] == "column" else "normal" for at in range(len(x))]
        left_out = name_points(ax, x, y, names, order, styles)
    missing = f" {left_out} points are not named for want of room." if left_out else ""
    return describe(ax, f"Map of categories. {' '.join(found.explain().splitlines())}{missing}")


def _shares(found: CorrespondenceMap) -> NDArray[np.float64]:
    inertias = found._core.inertias()
    kind = "greenacre_share" if found._core.is_multiple() else "share"
    shares: NDArray[np.float64] = inertias.numeric(kind)
    return shares


def _names(table: dict[str, Any], multiple: bool) -> list[str]:
    categories = labels(list(table["category"]), 28)
    if not multiple:
        return categories
    variables = [label(name, 20) for name in table["variable"]]
    return [
        apart(*pair) for pair in zip((f"{name}: " for name in variables), categories, strict=True)
    ]
