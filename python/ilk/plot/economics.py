"""Pictures of the scorecard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ilk._html import format_value
from ilk.exceptions import DataError
from ilk.plot._style import CATEGORIES, describe, literal, pyplot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["scorecard_dots"]

#: Title of a panel, unit of its axis, and how its numbers read.
PANELS = {
    "revenue_share": ("Share of revenue", "%", "share"),
    "gross_margin": ("Gross margin", "%", "share"),
    "days_to_sale": ("First contact to sale", "days (median)", "days"),
    "cac": ("Cost to win a customer", "money", "money"),
    "cost_to_manage": ("Cost to manage", "money per customer", "money"),
    "contribution": ("Contribution", "money per customer", "money"),
    "payback_months": ("Payback", "months", "months"),
    "ltv": ("Lifetime value", "money per customer", "money"),
    "ltv_cac": ("Lifetime value / cost to win", "times", "index"),
    "ltv_advance": ("Lifetime value, in advance", "money per customer", "money"),
    "ltv_arrears": ("Lifetime value, in arrears", "money per customer", "money"),
    "ltv_horizon": ("Lifetime value, stated periods", "money per customer", "money"),
    "ltv_model": ("Lifetime value by a model", "money per customer", "money"),
    "churn": ("Churn", "% per period", "share"),
    "revenue": ("Revenue", "money", "money"),
    "profit": ("Profit", "money", "money"),
}

_DEFAULT = (
    "revenue_share",
    "gross_margin",
    "days_to_sale",
    "cac",
    "cost_to_manage",
    "contribution",
    "payback_months",
    "ltv",
    "ltv_cac",
    "profit",
)

#: Where a value that is infinite stands: what the axis says instead of a number.
_INFINITE = {"payback_months": "never", "days_to_sale": "not reached"}

_COLOR = CATEGORIES[0]
_PER_ROW = 5


def scorecard_dots(
    columns: Mapping[str, Any], figures: Sequence[str] | None, confidence: float
) -> Figure:
    """One panel per figure, segments from top to bottom, a dot for each value and a line for its interval.

    Parameters
    ----------
    columns : mapping
        The columns of the scorecard.
    figures : sequence of str, optional
        Which to draw; by default those with values.
    confidence : float
        Of the intervals, for the caption.

    Returns
    -------
    Figure
        A value that is infinite stands as a triangle on the edge of its panel, with the word.

    Raises
    ------
    DataError
        If a figure does not exist.
    """
    if figures is None:
        figures = [name for name in _DEFAULT if any(value == value for value in columns[name])]
    for name in figures:
        if name not in PANELS:
            raise DataError(f"figures: found {name!r}, but the figures are {', '.join(PANELS)}")
    segments = [literal(name) for name in columns["segment"]]
    n_columns = max(min(_PER_ROW, len(figures)), 1)
    n_rows = max(math.ceil(len(figures) / n_columns), 1)
    longest = min(max((len(name) for name in segments), default=0), 40)
    size = (0.07 * longest + 2.3 * n_columns + 0.4, n_rows * (0.28 * len(segments) + 1.15) + 0.4)
    figure, grid = pyplot().subplots(
        n_rows, n_columns, figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    panels = list(grid.flat)
    for ax, name in zip(panels, figures, strict=False):
        _panel(ax, columns, name, segments)
    for ax in panels[len(figures) :]:
        ax.set_axis_off()
    if any(low == low for name in figures for low in columns[f"{name}_lo"]):
        figure.supxlabel(
            f"dots: estimates; lines: {100 * confidence:g} % bootstrap intervals",
            fontsize="small",
            color="0.3",
        )
    return figure  # type: ignore[no-any-return]


def _panel(ax: Axes, columns: Mapping[str, Any], name: str, segments: Sequence[str]) -> None:
    import numpy as np

    title, unit, kind = PANELS[name]
    scale = 100.0 if kind == "share" else 1.0
    value, low, high = (
        scale * np.asarray(columns[f"{name}{end}"], dtype=float) for end in ("", "_lo", "_hi")
    )
    places = np.arange(len(segments))
    every = np.concatenate([value, low, high])
    finite = every[np.isfinite(every)]
    first, last = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if kind != "days" or first >= 0:
        first, last = min(first, 0.0), max(last, 0.0)
    room = (last - first) * 0.08 or 1.0
    right, left = last + room, first - room
    word = _INFINITE.get(name, "no limit")
    for place in places:
        ends = np.array([low[place], high[place]])
        if not np.isnan(ends).any():
            ax.plot(np.clip(ends, left, right), [place, place], color=_COLOR, lw=2, alpha=0.55)
            if ends[1] == np.inf and np.isfinite(value[place]):
                ax.plot(right, place, marker=">", color=_COLOR, ms=5, alpha=0.55, clip_on=False)
        if np.isinf(value[place]):
            edge, side = (right, "right") if value[place] > 0 else (left, "left")
            ax.plot(edge, place, marker=">" if side == "right" else "<", color=_COLOR, ms=7)
            ax.annotate(
                word,
                (edge, place),
                xytext=(-7 if side == "right" else 7, 4),
                textcoords="offset points",
                ha=side,
                va="bottom",
                fontsize="small",
            )
        elif np.isnan(value[place]):
            ax.annotate("no data", (left, place), va="center", fontsize="small", color="0.4")
        else:
            ax.plot(value[place], place, marker="o", color=_COLOR, ms=6)
    if first < 0 < last:
        ax.axvline(0, color="0.5", lw=0.8, zorder=0)
    ax.set_xlim(left - room / 2, right + room / 2)
    ax.set_ylim(len(segments) - 0.4, -0.6)
    ax.set_yticks(places, segments)
    ax.set_title(title, fontsize="medium", loc="left")
    ax.set_xlabel(unit, fontsize="small")
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize="small")
    ax.locator_params(axis="x", nbins=4)
    ax.xaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    ax.grid(axis="y", color="0.9", lw=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    words = (
        f"{segment} {format_value(columns[name][row], kind)}"
        for row, segment in enumerate(columns["segment"])
    )
    describe(ax, f"{title}: {', '.join(words)}")
