"""The largest gaps as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ilk._frame import to_dict
from ilk.exceptions import DataError
from ilk.plot._fonts import apart, writing
from ilk.plot._style import CATEGORIES, describe, ink, label, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.gaps import GapMatrix

__all__ = ["bars"]


def bars(matrix: GapMatrix, *, top: int = 10, ax: Axes | None = None) -> Axes:
    """Draw the largest gaps; see :meth:`ilk.GapMatrix.plot`."""
    if top < 1:
        raise DataError(f"top: found {top}, but a number of at least 1 is needed; try: top=10")
    gaps = to_dict(matrix._core.gaps(top))
    worth, low, high = (
        np.asarray(gaps[name], dtype=np.float64)
        for name in ("gap_value", "gap_value_lo", "gap_value_hi")
    )
    rows, cols = (
        [" · ".join(names) for names in zip(*(gaps[name] for name in side), strict=True)]
        for side in matrix._core.levels()
    )
    counted = matrix.values or "records"
    title = f"The largest gaps of {counted} by {matrix.rows} and {matrix.cols}"
    with writing([*rows, *cols, counted, matrix.rows, matrix.cols]):
        ax = new_axes(ax, 8.4, 1.4 + 0.62 * max(len(worth), 1))
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.set_title(
            f"The largest gaps of {label(counted)} by {label(matrix.rows)} and {label(matrix.cols)}",
            loc="left",
            fontsize="small",
        )
        ax.set_yticks([])
        if not len(worth):
            text = f"no gap at q ≤ {matrix._core.limit():g}"
            ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
            ax.set_xticks([])
            return describe(ax, f"{title}: there is {text}.")
        places = np.arange(len(worth))
        ax.barh(places, worth, height=0.42, color=CATEGORIES[5])
        ends = np.array([worth - low, high - worth])
        ends[~np.isfinite(ends)] = 0
        ax.errorbar(
            worth,
            places,
            xerr=np.maximum(ends, 0),
            fmt="none",
            ecolor=ink(),
            elinewidth=1.2,
            capsize=3,
        )
        for place in range(len(worth)):
            ax.text(
                0,
                place - 0.27,
                apart(
                    label(rows[place], 34),
                    " × ",
                    label(cols[place], 34),
                    f"   {_in_short(gaps, place)}",
                ),
                ha="left",
                va="bottom",
                fontsize="small",
            )
        ax.set_ylim(len(worth) - 0.5, -0.75)
        ax.set_xlim(left=min(0.0, float(np.min(low, initial=0, where=np.isfinite(low)))))
        ax.axvline(0, color=ink(), linewidth=0.8)
        confidence = 1 - matrix._core.limit()
        ax.set_xlabel(f"what closing the gap is worth, with its {100 * confidence:g} % interval")
    return describe(ax, f"{title}. {' '.join(gaps['sentence'])}")


def _in_short(gaps: dict[str, list[float]], at: int) -> str:
    """Observed and expected of one gap.

    >>> _in_short({"observed": [60.0], "expected": [40.0]}, 0)
    '60 instead of 40 (+50 %)'
    """
    observed, expected = gaps["observed"][at], gaps["expected"][at]
    if not expected > 0:
        return f"{observed:,.0f} instead of 0"
    change = f"{100 * (observed / expected - 1):+.0f} %".replace("-", "−")
    return f"{observed:,.0f} instead of {expected:,.0f} ({change})"
