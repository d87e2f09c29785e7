"""Pictures of effort, of what goes with winning, of targeting and of deciding by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, ink, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["conversion_dots", "index_dots", "odds_dots", "payoff_dots"]


#: Places on a logarithmic axis that spans less than a power of ten.
_TICKS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6)


def _interval(ax: Axes, place: float, low: float, high: float, color: str) -> None:
    if low == low and high == high:
        left, right = ax.get_xlim()
        ax.plot(np.clip([low, high], left, right), [place, place], color=color, lw=2, alpha=0.55)


def _limits(ax: Axes, *columns: Any, log: bool) -> None:
    """An axis that holds all finite values."""
    values = np.concatenate([np.asarray(column, dtype=float) for column in columns])
    values = values[np.isfinite(values) & (values > 0 if log else True)]
    if log:
        low, high = min(values.min(initial=0.8), 0.8), max(values.max(initial=1.25), 1.25)
        low, high = max(low, 1e-3), min(high, 1e3)
        ax.set_xscale("log")
        ax.set_xlim(low / 1.25, high * 1.25)
        ax.xaxis.set_major_formatter(lambda tick, _: f"{tick:g}")
        wide = high / low > 8
        places = (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100) if wide else _TICKS
        ticks = [tick for tick in places if low / 1.25 <= tick <= high * 1.25]
        ax.set_xticks(ticks)
        ax.minorticks_off()
    else:
        room = 0.08 * (values.max(initial=0) - values.min(initial=0)) or 1
        ax.set_xlim(min(values.min(initial=0), 0) - room / 3, values.max(initial=0) + room)


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=ink(), alpha=0.12, lw=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)


def index_dots(columns: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """The index of each segment with its interval.

    Parameters
    ----------
    columns : mapping
        The table.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    n = len(columns["segment"])
    ax = new_axes(ax, 7.2, 1.4 + 0.42 * n)
    _limits(ax, columns["index"], columns["index_lo"], columns["index_hi"], log=True)
    left, right = ax.get_xlim()
    words = []
    colors = {"under-invested": CATEGORIES[0], "over-invested": CATEGORIES[5]}
    marks = {"under-invested": ">", "over-invested": "<"}
    for row in range(n):
        status, value = columns["status"][row], float(columns["index"][row])
        color = colors.get(status, "0.45")
        _interval(ax, row, columns["index_lo"][row], columns["index_hi"][row], color)
        if value == value:
            ax.plot(
                np.clip(value, left, right), row, marker=marks.get(status, "o"), color=color, ms=7
            )
        words.append(f"{columns['segment'][row]} {value:.2f} ({status})")
    ax.axvline(1, color=ink(), lw=1, ls="--")
    names = [
        f"{label(segment, 30)}\n{format_value(effort, 'share')} of effort, {format_value(outcome, 'share')} of outcome"
        for segment, effort, outcome in zip(
            columns["segment"], columns["effort_share"], columns["outcome_share"], strict=True
        )
    ]
    _rows(ax, names)
    ax.tick_params(axis="y", labelsize="small")
    ax.set_xlabel("outcome share / effort share; left: over-invested, right: under-invested")
    ax.set_title("Where effort pays", loc="left", fontsize="medium")
    return describe(ax, f"Outcome share over effort share: {'; '.join(words)}")


def odds_dots(columns: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Two odds ratios for each segment with their intervals.

    Parameters
    ----------
    columns : mapping
        The table.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    segments = list(dict.fromkeys(columns["segment"]))
    factors = list(columns["factor"][:2])
    ax = new_axes(ax, 7.0, 1.6 + 0.5 * len(segments))
    _limits(ax, columns["odds_ratio"], columns["odds_ratio_lo"], columns["odds_ratio_hi"], log=True)
    for which, factor in enumerate(factors):
        ax.plot([], [], "os"[which], color=CATEGORIES[which], ms=7, label=label(factor, 40))
    words = []
    for row, segment in enumerate(columns["segment"]):
        place, which = segments.index(segment), row % 2
        at = place + (which - 0.5) * 0.3
        color = CATEGORIES[which]
        value = float(columns["odds_ratio"][row])
        _interval(ax, at, columns["odds_ratio_lo"][row], columns["odds_ratio_hi"][row], color)
        if value == value:
            ax.plot(np.clip(value, *ax.get_xlim()), at, "os"[which], color=color, ms=7)
        words.append(f"{segment}, {columns['factor'][row]}: {value:.2f}")
    ax.axvline(1, color=ink(), lw=1, ls="--")
    _rows(ax, [label(segment, 30) for segment in segments])
    ax.set_xlabel("odds of winning, times per standard deviation")
    ax.set_title("What goes with winning", loc="left", fontsize="medium", pad=24)
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=2,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderpad=0.1,
    )
    return describe(ax, f"Odds ratios per standard deviation: {'; '.join(words)}")


def conversion_dots(
    table: Mapping[str, Any], figures: Mapping[str, Any], ax: Axes | None = None
) -> Axes:
    """Conversion in target, off target and in all, with intervals; the other figures in words.

    Parameters
    ----------
    table, figures : mapping
        The two tables.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    ax = new_axes(ax, 7.0, 2.4)
    value, low, high = (
        100 * np.asarray(table[f"conversion{end}"], dtype=float) for end in ("", "_lo", "_hi")
    )
    _limits(ax, value, low, high, log=False)
    colors = (CATEGORIES[0], CATEGORIES[5], "0.45")
    names = []
    for row, group in enumerate(table["group"]):
        _interval(ax, row, low[row], high[row], colors[row])
        ax.plot(value[row], row, "osD"[row], color=colors[row], ms=7)
        text = f"{group}\n{int(table['converted'][row]):,} of {int(table['n'][row]):,}"
        cac = float(table["cac"][row])
        if cac == cac:
            text += f", {format_value(cac, 'money')} each"
        names.append(text)
    _rows(ax, names)
    ax.tick_params(axis="y", labelsize="small")
    ax.set_xlabel("% converted")
    of = {name: i for i, name in enumerate(figures["figure"])}
    lift = format_value(figures["value"][of["lift"]], "index")
    title = f"What targeting is worth: lift {lift}"
    if "hazard_ratio" in of:
        title += f", hazard ratio {format_value(figures['value'][of['hazard_ratio']], 'index')}"
    ax.set_title(title, loc="left", fontsize="medium")
    words = "; ".join(f"{name}: {v:.1f} %" for name, v in zip(table["group"], value, strict=True))
    return describe(ax, f"{title}. Conversion {words}")


def payoff_dots(
    payoffs: Mapping[str, Any], table: Mapping[str, Any], one_size: str, ax: Axes | None = None
) -> Axes:
    """Value of each action in each segment, the best ringed, the one size for all as a square.

    Parameters
    ----------
    payoffs, table : mapping
        Values by segment and action, and the decisions.
    one_size : str
        The best single action.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    segments = list(table["segment"])
    actions = list(dict.fromkeys(payoffs["action"]))
    ax = new_axes(ax, 7.2, 1.6 + (0.3 + 0.12 * len(actions)) * len(segments))
    _limits(ax, payoffs["value"], payoffs["value_lo"], payoffs["value_hi"], log=False)
    shown = set()
    for row, segment in enumerate(payoffs["segment"]):
        if segment not in segments or not payoffs["considered"][row]:
            continue
        action = payoffs["action"][row]
        which, place = actions.index(action), segments.index(segment)
        at = place + (which - (len(actions) - 1) / 2) * 0.7 / max(len(actions), 2)
        color = CATEGORIES[which % len(CATEGORIES)]
        value = float(payoffs["value"][row])
        _interval(ax, at, payoffs["value_lo"][row], payoffs["value_hi"][row], color)
        name = label(action, 30) + (" (one size)" if action == one_size else "")
        marker = "s" if action == one_size else "o"
        ax.plot(
            value, at, marker, color=color, ms=6, ls="", label=None if action in shown else name
        )
        shown.add(action)
        if table["best_action"][place] == action:
            ax.plot(value, at, "o", ms=13, mfc="none", mec=ink(), mew=1.2)
    if ax.get_xlim()[0] < 0:
        ax.axvline(0, color="0.5", lw=0.8)
    _rows(
        ax, [f"{label(name, 30)} ({n:,.0f})" for name, n in zip(segments, table["n"], strict=True)]
    )
    ax.set_xlabel("value per customer (ringed: best for the segment)")
    ax.set_title("What to do with whom", loc="left", fontsize="medium", pad=24)
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=4,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderpad=0.1,
    )
    words = (
        f"{segment}: {action}, {value:,.2f} per customer"
        for segment, action, value in zip(
            segments, table["best_action"], table["value"], strict=True
        )
    )
    return describe(ax, f"Best action by segment: {'; '.join(words)}. One size: {one_size}")
