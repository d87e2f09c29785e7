"""The pictures that a choice of segments is made from: one figure with its intervals, and attractiveness by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.exceptions import DataError
from ilk.plot._style import CATEGORIES, describe, label, pyplot
from ilk.plot.economics import PANELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = ["evaluation", "forest"]


def forest(
    columns: Mapping[str, Any],
    total: Mapping[str, Any],
    figures: Sequence[str],
    confidence: float,
) -> Figure:
    """One figure of every segment with its interval and its numbers, the best on top, all segments together below.

    Parameters
    ----------
    columns, total : mapping
        The columns of the scorecard, and of its total.
    figures : sequence of str
        One panel each.
    confidence : float
        Of the intervals.

    Returns
    -------
    Figure
        Squares grow with the number of customers; all together is a diamond.

    Raises
    ------
    DataError
        If a figure does not exist.
    """
    for name in figures:
        if name not in PANELS:
            raise DataError(f"figures: found {name!r}, but the figures are {', '.join(PANELS)}")
    n = len(columns["segment"])
    grown, axes = pyplot().subplots(
        1, len(figures), figsize=(7.4 * len(figures), 0.36 * (n + 1) + 1.2), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for ax, name in zip(axes.flat, figures, strict=True):
        _forest_panel(ax, columns, total, name, confidence)
    return grown  # type: ignore[no-any-return]


def _forest_panel(
    ax: Any, columns: Mapping[str, Any], total: Mapping[str, Any], name: str, confidence: float
) -> None:
    title, unit, kind = PANELS[name]
    scale = 100.0 if kind == "share" else 1.0
    value, low, high = (
        scale * np.append(columns[f"{name}{end}"], total[f"{name}{end}"]).astype(float)
        for end in ("", "_lo", "_hi")
    )
    n = len(columns["segment"])
    keys = np.where(np.isnan(value[:n]), -np.inf, value[:n])
    order = [*np.argsort(-keys, kind="stable"), n]
    labels = [*(label(segment, 32) for segment in columns["segment"]), "all segments"]
    finite = np.concatenate([value, low, high])
    finite = finite[np.isfinite(finite)]
    left, right = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    room = 0.06 * (right - left or abs(right) or 1.0)
    size = 30 + 130 * np.asarray(columns["n"]) / max(np.max(columns["n"]), 1)
    words = []
    for place, row in enumerate(order):
        ends = np.clip([low[row], high[row]], left - room, right + room)
        color = CATEGORIES[0] if row < n else "0.5"
        if not np.isnan(ends).any():
            ax.hlines(place, *ends, color=color, lw=1.8)
        if np.isfinite(value[row]):
            area, marker = (size[row], "s") if row < n else (90, "D")
            ax.scatter(value[row], place, s=area, marker=marker, color=color, zorder=3)
        text = format_value(value[row] / scale, kind)
        if not np.isnan(low[row]):
            bounds = (format_value(end[row] / scale, kind) for end in (low, high))
            text += f" [{', '.join(bounds)}]"
        words.append(f"{labels[row]} {text}")
        ax.text(1.02, place, text, transform=ax.get_yaxis_transform(), va="center")
    if left < 0 < right:
        ax.axvline(0, color="0.5", lw=0.8)
    ax.axhline(n - 0.5, color="0.5", lw=0.6)
    ax.set_xlim(left - room, right + room)
    ax.set_ylim(n + 0.6, -0.6)
    ax.set_yticks(range(n + 1), [labels[row] for row in order])
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=6)
    ax.xaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    ax.set_title(title, loc="left", fontsize="medium")
    intervals = f"; lines: {100 * confidence:g} % intervals" if not np.isnan(low).all() else ""
    ax.set_xlabel(f"{unit}{intervals}", fontsize="small")
    ax.spines[["top", "right", "left"]].set_visible(False)
    describe(ax, f"{title}: {'; '.join(words)}")


def evaluation(columns: Mapping[str, Any], ranking: Mapping[str, Any], by: Sequence[str]) -> Figure:
    """Attractiveness by size: one bubble per segment, its area the revenue.

    Parameters
    ----------
    columns : mapping
        The columns of the scorecard.
    ranking : mapping
        The columns of a ranking of its segments.
    by : sequence of str
        What makes a segment attractive.

    Returns
    -------
    Figure
        Large and attractive segments stand at the upper right.
    """
    score = dict(zip(ranking["segment"], ranking["score"], strict=True))
    size = np.asarray(columns["n"], dtype=float)
    height = np.array([score[name] for name in columns["segment"]])
    revenue = np.clip(np.nan_to_num(np.asarray(columns["revenue"], dtype=float)), 0, None)
    area = 60 + 1400 * revenue / (revenue.max() or 1.0)
    figure, ax = pyplot().subplots(figsize=(7.2, 4.6), layout="constrained")
    ax.scatter(size, height, s=area, color=CATEGORIES[0], alpha=0.6, lw=1, edgecolor=CATEGORIES[0])
    widest = size.max() or 1.0
    placed: list[tuple[float, float]] = []
    for row in np.argsort(-height, kind="stable"):
        # Names stand on the inner side, each below those above it that are near.
        right = size[row] < 0.6 * widest
        near = [y for x, y in placed if abs(x - size[row]) < 0.45 * widest]
        at = min([height[row], *(y - 0.065 for y in near if y - 0.065 < height[row])])
        placed.append((size[row], at))
        share = format_value(columns["revenue_share"][row], "share")
        gap = np.sqrt(area[row] / np.pi) + 4
        ax.annotate(
            f"{label(columns['segment'][row], 28)}, {share}", (size[row], at),
            xytext=(gap if right else -gap, 0), textcoords="offset points",
            ha="left" if right else "right", va="center", fontsize="small",
        )  # fmt: skip
    ax.set_xlim(0, widest * 1.15)
    ax.set_ylim(-0.12, 1.12)
    ax.set_xlabel("customers")
    ax.set_ylabel("attractiveness (0 worst, 1 best)")
    title = f"attractive: {', '.join(PANELS[name][0].lower() for name in by)}; area and %: revenue"
    ax.set_title(title, fontsize="small", loc="left")
    ax.xaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    ax.spines[["top", "right"]].set_visible(False)
    words = (
        f"{name} {int(size[row])} customers, attractiveness {height[row]:.2f}"
        for row, name in enumerate(columns["segment"])
    )
    describe(ax, f"Segments by size and attractiveness: {'; '.join(words)}")
    return figure  # type: ignore[no-any-return]
