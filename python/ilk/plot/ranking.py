"""Pictures of ranks, of what they hang on, and of the way to a sale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ranks", "sold_curves", "tornado"]

_FIRST, _OTHER = CATEGORIES[0], CATEGORIES[1]


def _figure_of(ax: Axes) -> Figure:
    return ax.get_figure(root=True)  # type: ignore[return-value]


def _rows(ax: Axes, names: list[str]) -> None:
    """Names from top to bottom, and nothing that distracts."""
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color="0.5", alpha=0.25, lw=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)


def ranks(columns: Mapping[str, Any], top: int) -> Figure:
    """The rank of each segment as a dot, its interval as a line, and the probability of a place among the first.

    Parameters
    ----------
    columns : mapping
        The columns of a ranking.
    top : int
        How many segments are wanted; a line stands below the last of them.

    Returns
    -------
    Figure
        Best segment on top.
    """
    names = [label(name, 32) for name in columns["segment"]]
    n = len(names)
    ax = new_axes(None, 6.2, 0.36 * n + 1.1)
    _rows(ax, names)
    place = np.arange(n)
    low, high = (np.asarray(columns[f"rank_{end}"], dtype=float) for end in ("lo", "hi"))
    known = ~np.isnan(low)
    ax.hlines(place[known], low[known], high[known], color=_FIRST, lw=2.2)
    ax.plot(columns["rank"], place, "o", color=_FIRST, ms=7)
    ax.axvline(top + 0.5, color="0.5", lw=1, ls=(0, (4, 3)))
    ax.set_xlim(0.5, n + 0.5)
    ax.set_xticks(range(1, n + 1) if n <= 15 else np.unique(np.linspace(1, n, 8).astype(int)))
    ax.set_xlabel("rank: estimate and interval")
    words = []
    for row, name in enumerate(columns["segment"]):
        chance = columns["p_top"][row]
        words.append(f"{name} rank {columns['rank'][row]}")
        if chance == chance:
            text = format_value(chance, "share")
            words[-1] += f", among the first {top} in {text}"
            ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center", clip_on=False)
    if known.any():
        ax.text(
            1.02, -0.75, f"P(first {top})", transform=ax.get_yaxis_transform(), fontsize="small",
            va="center", clip_on=False,
        )  # fmt: skip
    describe(ax, f"Ranks: {'; '.join(words)}")
    return _figure_of(ax)


def tornado(columns: Mapping[str, Any], first: str) -> Figure:
    """The lead of the first segment as each weight goes from nothing to all.

    Parameters
    ----------
    columns : mapping
        The columns of ``Ranking.tornado``.
    first : str
        The first segment.

    Returns
    -------
    Figure
        One bar per criterion, the widest on top; left of zero another segment is first, and its name stands there.
    """
    names = [
        f"{label(name, 32)} ({format_value(weight, 'share')})"
        for name, weight in zip(columns["criterion"], columns["weight"], strict=True)
    ]
    ax = new_axes(None, 7.2, 0.48 * len(names) + 1.3)
    _rows(ax, names)
    lead = float(columns["lead"][0])
    ends = np.concatenate([columns["lead_without"], columns["lead_alone"], [lead, 0.0]])
    room = 0.45 * (ends.max() - ends.min() or 1.0)
    words = []
    for row, name in enumerate(columns["criterion"]):
        marks = []
        for when, color, sign in (
            ("without", _OTHER, "no weight"),
            ("alone", _FIRST, "all weight"),
        ):
            end = float(columns[f"lead_{when}"][row])
            # The end that stands alone on its side of the present lead gets a bar; both may stand on one side.
            ax.barh(
                row, end - lead, left=lead, height=0.55 if when == "alone" else 0.28, color=color,
                alpha=0.85, zorder=3 if when == "without" else 2, label=sign if row == 0 else None,
            )  # fmt: skip
            marks.append((end, columns[f"first_{when}"][row]))
        for end, winner in marks:
            if end < 0:
                ax.annotate(
                    label(winner, 20), (end, row), xytext=(-4, 0), textcoords="offset points",
                    ha="right", va="center", fontsize="small",
                )  # fmt: skip
        words.append(f"{name} from {marks[0][0]:.2f} without to {marks[1][0]:.2f} alone")
    ax.grid(False)
    ax.axvline(lead, color="0.5", lw=1)
    ax.axvline(0, color="0.5", lw=1, ls=(0, (4, 3)))
    ax.set_xlim(ends.min() - room, ends.max() + 0.15 * room)
    ax.set_xlabel(f"lead of {label(first)} in score (below 0 another is first)")
    ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    describe(
        ax,
        f"Lead of {first} ({lead:.2f}) as each weight goes from nothing to all: {'; '.join(words)}",
    )
    return _figure_of(ax)


def sold_curves(curve: Mapping[str, Any], summary: Mapping[str, Any], confidence: float) -> Figure:
    """The share of leads that have bought, day by day, as steps, with their intervals as bands.

    Parameters
    ----------
    curve : mapping
        The columns of ``TimeToSale.curve``.
    summary : mapping
        Its table; the largest eight segments are drawn.
    confidence : float
        Of the bands.

    Returns
    -------
    Figure
        Names stand at the ends of the curves.
    """
    segments = np.asarray(curve["segment"], dtype=object)
    sizes = sorted(
        zip(summary["n"][:-1], summary["segment"][:-1], strict=True), key=lambda s: -s[0]
    )
    chosen = [name for n, name in sizes[: len(CATEGORIES)] if n > 0]
    ax = new_axes(None, 7.2, 4.2)
    words, ends = [], []
    for color, name in zip(CATEGORIES, chosen, strict=False):
        rows = segments == name
        days = np.concatenate([[0.0], curve["days"][rows]])
        value, low, high = (
            100 * np.concatenate([[0.0], np.nan_to_num(curve[column][rows])])
            for column in ("sold", "sold_lo", "sold_hi")
        )
        color = "0.5" if color == "#000000" else color
        ax.fill_between(days, low, high, step="post", color=color, alpha=0.15, lw=0)
        ax.step(days, value, where="post", color=color, lw=1.8)
        ends.append((float(value[-1]), float(days[-1]), name, color))
        words.append(f"{name} {value[-1]:.0f} % after {days[-1]:.0f} days")
    _end_labels(ax, ends)
    ax.axhline(50, color="0.5", lw=0.8, ls=(0, (4, 3)))
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("days since first contact")
    ax.set_ylabel("% of leads that have bought")
    ax.set_title(f"bands: {100 * confidence:g} % intervals", fontsize="small", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    describe(ax, f"Share of leads that have bought: {'; '.join(words)}")
    return _figure_of(ax)


def _end_labels(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Names to the right of the curves, moved apart where they would overlap."""
    if not ends:
        return
    step = 0.055 * ax.get_ylim()[1]
    right = max(day for _, day, _, _ in ends)
    at = -np.inf
    for value, _, name, color in sorted(ends):
        at = max(value, at + step)
        ax.annotate(
            label(name), (right, at), xytext=(6, 0), textcoords="offset points",
            color=color, va="center", fontsize="small", annotation_clip=False,
        )  # fmt: skip
