"""Pictures of what moved revenue, and of needs that moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, ink, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["effect_bars", "need_dumbbells", "waterfall"]

_UP, _DOWN, _TOTAL = CATEGORIES[0], CATEGORIES[1], "0.45"

_STEPS = {
    "volume": "number of all\ncustomers\n(volume)",
    "composition": "shares of the\nsegments\n(composition)",
    "rate": "orders per\ncustomer\n(rate)",
    "value": "value per\norder\n(value)",
    "cross": "several\nat once\n(cross)",
}


def waterfall(total: Mapping[str, Any], has_cross: bool, ax: Axes | None = None) -> Axes:
    """The way from the revenue before to that after, one step for each part of the change.

    Parameters
    ----------
    total : mapping
        One row: revenues and effects.
    has_cross : bool
        Whether there is a cross term.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Steps up and down differ by colour and by the sign of their number.
    """
    ax = new_axes(ax, 7.4, 4.4)
    steps = [name for name in _STEPS if has_cross or name != "cross"]
    before, after = float(total["revenue_before"][0]), float(total["revenue_after"][0])
    values = [float(total[name][0]) for name in steps]
    level = before
    names = ["before", *(_STEPS[name] for name in steps), "after"]
    bottoms, heights, colors = [0.0], [before], [_TOTAL]
    levels = [before]
    for value in values:
        bottoms.append(min(level, level + value))
        heights.append(abs(value))
        colors.append(_UP if value >= 0 else _DOWN)
        level += value
        levels.append(level)
    bottoms.append(0.0)
    heights.append(after)
    colors.append(_TOTAL)
    places = np.arange(len(names))
    ax.bar(places, heights, bottom=bottoms, color=colors, width=0.62)
    for place, height in enumerate(levels):
        ax.plot([place + 0.31, place + 0.69], [height, height], color="0.5", lw=0.8)
    spread = max(before, after, *levels) - min(0, before, after, *levels)
    words, tops = [], []
    for place, name in enumerate(names):
        top = bottoms[place] + heights[place]
        if 0 < place < len(names) - 1:
            part, start = steps[place - 1], levels[place - 1]
            text = f"{values[place - 1]:+,.0f}"
            low, high = total[f"{part}_lo"][0], total[f"{part}_hi"][0]
            if low == low:
                text += f"\n{low:+,.0f} to\n{high:+,.0f}"
                ax.plot([place, place], [start + low, start + high], color=ink(), lw=1.2)
                top = max(top, start + high)
        else:
            text = format_value(heights[place], "money")
        tops.append(top)
        ax.annotate(
            text,
            (place, top),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize="small",
        )
        words.append(f"{name} {text}".replace("\n", " "))
    # Where the steps are small beside the whole, the axis does not begin at 0, and says so.
    ends = [*levels, after]
    floor = min(0.0, *ends)
    if min(ends) > 0.8 * max(ends):
        floor = max(1.9 * min(ends) - 0.9 * max(ends) - 0.02 * max(ends), 0.0)
    has_interval = total["change_lo"][0] == total["change_lo"][0]
    # Where nothing was earned before or after, the axis still needs some height.
    room = (max(tops) - floor) * (0.24 if has_interval else 0.1) or 1.0
    ax.set_ylim(floor - (0.05 * spread if floor < 0 else 0), max(tops) + room)
    ax.set_xticks(places, names, fontsize="small")
    ax.tick_params(axis="x", length=0)
    ax.yaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    note = "; the axis does not begin at 0" if floor > 0 else ""
    bars = "; lines: intervals" if has_interval else ""
    ax.set_ylabel("revenue")
    ax.set_title(f"Why revenue moved{bars}{note}", loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    return describe(ax, f"Why revenue moved: {'; '.join(words)}")


def effect_bars(columns: Mapping[str, Any], has_cross: bool, ax: Axes | None = None) -> Axes:
    """A bar for each segment, its parts stacked away from 0, its change as a diamond.

    Parameters
    ----------
    columns : mapping
        The table.
    has_cross : bool
        Whether there is a cross term.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Largest change on top.
    """
    parts = {
        "mix": "customers (mix)",
        "rate": "orders per customer (rate)",
        "value": "value per order (value)",
    }
    if has_cross:
        parts["cross"] = "several at once"
    order = np.argsort(-np.abs(columns["change"]), kind="stable")
    names = [label(columns["segment"][row], 40) for row in order]
    ax = new_axes(ax, 7.4, 1.6 + 0.38 * len(names))
    places = np.arange(len(names))
    up, down = np.zeros(len(names)), np.zeros(len(names))
    hatches = ("", "//", "..", "xx")
    for index, (part, words) in enumerate(parts.items()):
        values = np.asarray(columns[part], dtype=float)[order]
        start = np.where(values >= 0, up, down)
        ax.barh(
            places,
            values,
            left=start,
            color=CATEGORIES[index],
            hatch=hatches[index],
            edgecolor="white",
            lw=0,
            label=words,
            height=0.62,
        )
        up += np.maximum(values, 0)
        down += np.minimum(values, 0)
    change = np.asarray(columns["change"], dtype=float)[order]
    ax.plot(change, places, "D", color=ink(), ms=5, label="change")
    ax.axvline(0, color="0.3", lw=0.8)
    ax.set_yticks(places, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda tick, _: f"{tick:+,.10g}" if tick else "0")
    ax.set_xlabel("change of revenue")
    ax.set_title("Why revenue moved, by segment", loc="left", fontsize="medium", pad=28)
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=4,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderpad=0.1,
    )
    ax.spines[["top", "right", "left"]].set_visible(False)
    text = "; ".join(f"{columns['segment'][row]} {columns['change'][row]:+,.0f}" for row in order)
    return describe(ax, f"Change of revenue by segment: {text}")


def need_dumbbells(columns: Mapping[str, Any], segment: str, ax: Axes | None = None) -> Axes:
    """Each need before (hollow) and after (full), the threshold between problem and nice-to-have as a tick.

    Parameters
    ----------
    columns : mapping
        The table.
    segment : str
        Whose needs.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Most important need before on top.
    """
    rows = [i for i, name in enumerate(columns["segment"]) if name == segment]
    rows.sort(key=lambda i: -np.nan_to_num(columns["before"][i], nan=-np.inf))
    ax = new_axes(ax, 7.0, 1.4 + 0.42 * len(rows))
    words = []
    for place, row in enumerate(rows):
        before, after, threshold = (
            float(columns[name][row]) for name in ("before", "after", "threshold")
        )
        moved = columns["status"][row].startswith("became")
        color = CATEGORIES[5] if moved else CATEGORIES[0]
        ax.plot([before, after], [place, place], color=color, lw=2, alpha=0.6, zorder=1)
        ax.scatter(
            [before], [place], s=42, facecolor=ax.get_facecolor(), edgecolor=color, lw=1.5, zorder=2
        )
        ax.scatter([after], [place], s=42, color=color, zorder=3)
        low, high = columns["change_lo"][row], columns["change_hi"][row]
        if low == low:
            ax.plot([before + low, before + high], [place + 0.22] * 2, color="0.4", lw=1)
        ax.plot([threshold] * 2, [place - 0.35, place + 0.35], color=ink(), lw=1, ls=":")
        if columns["status"][row] not in ("problem", "nice-to-have"):
            ax.annotate(
                columns["status"][row],
                (max(before, after), place),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
            )
        words.append(
            f"{columns['need'][row]} {before:.2f} to {after:.2f} ({columns['status'][row]})"
        )
    ax.set_yticks(range(len(rows)), [label(columns["need"][row], 40) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.2)
    ax.set_xlabel("importance")
    ax.set_title(
        f"Needs of {label(segment)}: before (hollow), after (full)\n"
        "dotted: from here on a problem; grey line: interval of the change",
        loc="left",
        fontsize="medium",
    )
    ax.spines[["top", "right", "left"]].set_visible(False)
    return describe(ax, f"Needs of {segment} before and after: {'; '.join(words)}")
